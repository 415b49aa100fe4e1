package place

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// storageType names our blob storage in kopia's configuration file.
const storageType = "holdfast"

// connection is all that kopia's configuration file, which is in clear, learns of a storage: a handle into open.
type connection struct {
	Repository string `json:"repository"`
}

var (
	open     sync.Map // handle -> *storage
	handleNo atomic.Int64
)

func init() {
	blob.AddSupportedStorage(storageType, connection{}, func(_ context.Context, c *connection, _ bool) (blob.Storage, error) {
		s, ok := open.Load(c.Repository)
		if !ok {
			return nil, fmt.Errorf("storage %q is not open in this process", c.Repository)
		}
		return s.(*storage), nil
	})
}

// storage is the one way from kopia to the disk: it counts fault points, guards deletion, and keeps the SHA-256 of each blob for
// the ledger.
type storage struct {
	blob.DefaultProviderImplementation
	disk   *disk
	clock  sys.Clock
	faults *sys.Faults
	log    *slog.Logger
	handle string

	gone func(blob.ID) bool // deleted according to the ledger; set before use, called without mu

	mu       sync.Mutex           // guards all below
	pending  map[blob.ID]sum      // written and not yet in the ledger
	doomed   map[blob.ID]bool     // deleted by maintenance, still on disk until the ledger says so
	markers  map[blob.ID]marker   // kopia's session markers, see PutBlob
	schedule *marker              // kopia's maintenance schedule as this maintenance has it
	replace  map[blob.ID][]byte   // sound copies of damaged blobs, read in their place
	hidden   map[blob.ID]struct{} // damaged index blobs that verification leaves out
	written  int64                // bytes put since opened
	puts     int64                // blobs put since opened
}

type sum struct {
	size int64
	hash [sha256.Size]byte
}

type marker struct {
	data []byte
	at   time.Time
}

func newStorage(d *disk, o Options) *storage {
	never := func(blob.ID) bool { return false }
	return &storage{
		disk: d, clock: o.Clock, faults: o.Faults, log: o.Log,
		pending: map[blob.ID]sum{}, doomed: map[blob.ID]bool{}, gone: never, markers: map[blob.ID]marker{},
	}
}

// register makes the storage known to kopia until unregister.
func (s *storage) register(id string) {
	s.handle = fmt.Sprintf("%s/%d", id, handleNo.Add(1))
	open.Store(s.handle, s)
}

func (s *storage) unregister() { open.Delete(s.handle) }

// The right to delete and overwrite travels in the context.
type maintenanceKey struct{}

func withMaintenance(ctx context.Context) context.Context {
	return context.WithValue(ctx, maintenanceKey{}, true)
}

func inMaintenance(ctx context.Context) bool { return ctx.Value(maintenanceKey{}) != nil }

// breaker ends an operation whose storage is broken: kopia's epoch manager would repeat a failed list for ever.
type breakerKey struct{}

func withBreaker(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	return context.WithValue(ctx, breakerKey{}, cancel), func() { cancel(nil) }
}

func trip(ctx context.Context, err error) {
	if cancel, ok := ctx.Value(breakerKey{}).(context.CancelCauseFunc); ok {
		cancel(err)
	}
}

const (
	scheduleID   blob.ID = "kopia.maintenance"
	markerPrefix         = 's'
)

// isMarker tells kopia's session markers. They keep packs of a running session from being collected after 96 hours instead of 24;
// our sessions flush every 15 minutes and maintenance waits for them, so markers stay in memory: two fewer synced files a flush, and
// none is left over by a crash.
func isMarker(id blob.ID) bool { return len(id) > 0 && id[0] == markerPrefix }

// PutBlob implements blob.Storage. It never overwrites a blob that was acknowledged in the ledger.
func (s *storage) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	if opts.HasRetentionOptions() {
		return fmt.Errorf("%w: object lock on a local folder", blob.ErrUnsupportedPutBlobOption)
	}
	now := s.clock.Now()
	if opts.GetModTime != nil {
		*opts.GetModTime = now
	}
	if isMarker(id) || id == scheduleID && inMaintenance(ctx) {
		m := marker{data: read(data), at: now}
		s.mu.Lock()
		defer s.mu.Unlock()
		if id == scheduleID {
			s.schedule = &m
		} else {
			s.markers[id] = m
		}
		return nil
	}
	if err := checkID(id); err != nil {
		return err
	}
	if id == scheduleID {
		return s.refuse(ctx, "overwrite", id)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	fault := s.faults.Hit("blob.put")
	if fault != nil && fault.Mode != sys.FaultErrorAfter && fault.Mode != sys.FaultTorn {
		return fault.Err
	}
	if s.disk.readOnly {
		return holdfast.Conflict("the backup repository in %s was opened for reading only", s.disk.root)
	}
	h := sha256.New()
	size, err := data.WriteTo(h)
	if err != nil {
		return err
	}
	this := sum{size: size, hash: [sha256.Size]byte(h.Sum(nil))}
	if same, err := s.mayPut(ctx, id, this); err != nil || same {
		return err
	}
	torn := fault != nil && fault.Mode == sys.FaultTorn
	if err := s.disk.put(id, data, now, torn); err != nil {
		if torn {
			return fault.Err
		}
		return clearOS(s.disk.root, err)
	}
	s.mu.Lock()
	s.pending[id] = this
	s.puts++
	s.written += size
	s.mu.Unlock()
	if fault != nil {
		return fault.Err
	}
	return nil
}

// mayPut refuses an overwrite; same says that the blob is there already with the same bytes (kopia repeats a put whose answer was lost).
func (s *storage) mayPut(ctx context.Context, id blob.ID, want sum) (same bool, err error) {
	dead := s.gone(id)
	s.mu.Lock()
	_, own := s.pending[id]
	dead = dead || s.doomed[id]
	s.mu.Unlock()
	if own {
		return false, nil // written by us and not acknowledged
	}
	have := sha256.New()
	err = s.disk.get(id, 0, -1, have)
	switch {
	case errors.Is(err, blob.ErrBlobNotFound):
		return false, nil
	case err != nil:
		return false, clearOS(s.disk.root, err)
	case [sha256.Size]byte(have.Sum(nil)) == want.hash && !dead:
		return true, nil
	case dead:
		return false, nil
	}
	return false, s.refuse(ctx, "overwrite", id)
}

func (s *storage) refuse(ctx context.Context, what string, id blob.ID) error {
	s.log.WarnContext(ctx, "refused a change of the backup repository outside of maintenance", "change", what, "blob", string(id), "folder", s.disk.root)
	return holdfast.Conflict("%s of blob %s refused: only maintenance may change what is stored", what, id)
}

// DeleteBlob implements blob.Storage. Within maintenance the blob vanishes from view at once and from disk after the ledger has the deletion;
// outside of it only a blob that this process wrote and did not acknowledge may go.
func (s *storage) DeleteBlob(ctx context.Context, id blob.ID) error {
	if isMarker(id) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.markers, id)
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.faults.Do(ctx, "blob.delete", func(ctx context.Context) error {
		s.mu.Lock()
		_, own := s.pending[id]
		if !own && inMaintenance(ctx) {
			s.doomed[id] = true
		}
		s.mu.Unlock()
		switch {
		case own:
			if err := s.disk.remove(id); err != nil {
				return clearOS(s.disk.root, err)
			}
			s.mu.Lock()
			delete(s.pending, id)
			s.mu.Unlock()
		case inMaintenance(ctx):
			s.log.InfoContext(ctx, "maintenance deletes a blob", "blob", string(id), "folder", s.disk.root)
		default:
			return s.refuse(ctx, "deletion", id)
		}
		return nil
	})
}

// GetBlob implements blob.Storage.
func (s *storage) GetBlob(ctx context.Context, id blob.ID, offset, length int64, out blob.OutputBuffer) error {
	out.Reset()
	if data, ok := s.inMemory(id); ok {
		if length < 0 {
			offset, length = 0, int64(len(data))
		}
		if offset < 0 || offset+length > int64(len(data)) {
			return fmt.Errorf("%w: %d bytes at %d of %s", blob.ErrInvalidRange, length, offset, id)
		}
		_, err := out.Write(data[offset : offset+length])
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.invisible(id) || checkID(id) != nil || id == scheduleID {
		return fmt.Errorf("%w: %s", blob.ErrBlobNotFound, id)
	}
	return s.faults.Do(ctx, "blob.get", func(context.Context) error {
		return clearOS(s.disk.root, s.disk.get(id, offset, length, out))
	})
}

// GetMetadata implements blob.Storage.
func (s *storage) GetMetadata(ctx context.Context, id blob.ID) (blob.Metadata, error) {
	if id == scheduleID {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.schedule == nil {
			return blob.Metadata{}, fmt.Errorf("%w: %s", blob.ErrBlobNotFound, id)
		}
		return blob.Metadata{BlobID: id, Length: int64(len(s.schedule.data)), Timestamp: s.schedule.at}, nil
	}
	if data, ok := s.inMemory(id); ok {
		return blob.Metadata{BlobID: id, Length: int64(len(data)), Timestamp: s.clock.Now()}, nil
	}
	if s.invisible(id) || checkID(id) != nil {
		return blob.Metadata{}, fmt.Errorf("%w: %s", blob.ErrBlobNotFound, id)
	}
	var m blob.Metadata
	err := s.faults.Do(ctx, "blob.stat", func(context.Context) (err error) {
		m, err = s.disk.stat(id)
		return clearOS(s.disk.root, err)
	})
	return m, err
}

// ListBlobs implements blob.Storage.
func (s *storage) ListBlobs(ctx context.Context, prefix blob.ID, each func(blob.Metadata) error) error {
	for _, m := range s.sessionMarkers(string(prefix)) {
		if err := each(m); err != nil {
			return err
		}
	}
	if len(prefix) > 0 && isMarker(prefix) {
		return nil
	}
	var stopped error // the callback's own error is no fault of the storage
	err := s.faults.Do(ctx, "blob.list", func(ctx context.Context) error {
		return s.disk.list(ctx, string(prefix), func(m blob.Metadata) error {
			if s.invisible(m.BlobID) {
				return nil
			}
			stopped = each(m)
			return stopped
		}, nil)
	})
	if err != nil && stopped == nil && ctx.Err() == nil {
		err = s.clear(ctx, err)
		trip(ctx, err)
	}
	return err
}

func (s *storage) sessionMarkers(prefix string) []blob.Metadata {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []blob.Metadata
	for id, m := range s.markers {
		if len(id) >= len(prefix) && string(id[:len(prefix)]) == prefix {
			list = append(list, blob.Metadata{BlobID: id, Length: int64(len(m.data)), Timestamp: m.at})
		}
	}
	return list
}

func (s *storage) inMemory(id blob.ID) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.markers[id]; ok {
		return m.data, true
	}
	if id == scheduleID && s.schedule != nil {
		return s.schedule.data, true
	}
	data, ok := s.replace[id]
	return data, ok
}

// invisible blobs are deleted, or put back by someone after the ledger had them deleted: an old index would resurrect contents whose
// packs are gone.
func (s *storage) invisible(id blob.ID) bool {
	gone := s.gone(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, hidden := s.hidden[id]
	return hidden || s.doomed[id] || gone && s.pending[id] == (sum{})
}

// ConnectionInfo implements blob.Storage; kopia writes it to its configuration file in clear.
func (s *storage) ConnectionInfo() blob.ConnectionInfo {
	return blob.ConnectionInfo{Type: storageType, Config: &connection{Repository: s.handle}}
}

// DisplayName implements blob.Storage.
func (s *storage) DisplayName() string { return "Holdfast: " + s.disk.root }

// IsReadOnly implements blob.Storage.
func (s *storage) IsReadOnly() bool { return s.disk.readOnly }

// GetCapacity implements blob.Storage.
func (s *storage) GetCapacity(context.Context) (blob.Capacity, error) {
	capacity, free, err := usage(s.disk.root)
	return blob.Capacity{SizeB: uint64(capacity), FreeB: uint64(free)}, err
}

// Close implements blob.Storage. The Store closes the disk.
func (s *storage) Close(context.Context) error { return nil }

func read(data blob.Bytes) []byte {
	var b bytes.Buffer
	_, _ = data.WriteTo(&b) // a bytes.Buffer takes everything
	return b.Bytes()
}

// slice is blob.Bytes of a byte slice; kopia's own is internal.
type slice []byte

func (b slice) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b)
	return int64(n), err
}
func (b slice) Length() int               { return len(b) }
func (b slice) Reader() io.ReadSeekCloser { return sliceReader{bytes.NewReader(b)} }

type sliceReader struct{ *bytes.Reader }

func (sliceReader) Close() error { return nil }

// buffer is blob.OutputBuffer in memory.
type buffer struct{ bytes.Buffer }

func (b *buffer) Length() int { return b.Len() }
