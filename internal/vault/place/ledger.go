package place

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"holdfast/internal/holdfast"
)

// The ledger is a chain of sealed records ledger/000000000001, …: each lists the SHA-256 of the blobs that were written since the one
// before and names the hash of that one's stored bytes. Its head can be anchored elsewhere (LedgerHead); a head that the chain lacks proves that
// an older state was put back. A base entry lists everything, so that what lies before can be pruned.
//
// It finds changed, missing, swapped, replayed and added blobs. Without an anchor it can't tell that the newest entries were cut off together
// with their blobs, and it can't tell damage done before a blob's first hash was taken.

// Head names a state of the ledger.
type Head struct {
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"` // SHA-256 of the entry as stored, hex
}

type ledgerEntry struct {
	Format   int             `json:"format"`
	Sequence uint64          `json:"sequence"`
	Previous string          `json:"previous"` // hash of the entry before, hex; empty in the first
	Time     time.Time       `json:"time"`
	Base     bool            `json:"base,omitempty"`
	Blobs    []ledgerBlob    `json:"blobs,omitempty"`
	Adopted  []string        `json:"adopted,omitempty"` // found without an entry after a crash; their hash is of what was found
	Deleted  []string        `json:"deleted,omitempty"`
	Gone     []uint64        `json:"gone,omitempty"`  // base: fingerprints of all that was ever deleted
	Heads    []Head          `json:"heads,omitempty"` // base: what came before
	Files    map[string]hash `json:"files,omitempty"` // files outside of the blobs: holdfast.json
}

type ledgerBlob struct {
	ID   string `json:"id"`
	Size int64  `json:"size"`
	Hash hash   `json:"sha256"`
}

type hash [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (h hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hash) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(h[:], b); err != nil || n != len(h) {
		return fmt.Errorf("not a SHA-256: %q", b)
	}
	return nil
}

const (
	headsKept   = 4096
	ledgerWidth = 12
)

func ledgerName(seq uint64) string { return fmt.Sprintf("ledger/%0*d", ledgerWidth, seq) }

// ledger is the state after the newest entry.
type ledger struct {
	blobs   map[blob.ID]sum
	gone    map[uint64]struct{}
	files   map[string]hash
	heads   []Head // oldest first; the last is the head
	bases   []uint64
	entries []uint64          // sequence numbers on disk
	damage  map[string]string // record name -> what is wrong
	newest  time.Time         // time of the newest entry
	opened  int               // entries that the key opens
}

func newLedger() *ledger {
	return &ledger{blobs: map[blob.ID]sum{}, gone: map[uint64]struct{}{}, files: map[string]hash{}, damage: map[string]string{}}
}

func fingerprint(id blob.ID) uint64 {
	h := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(h[:8])
}

func (l *ledger) head() Head {
	if len(l.heads) == 0 {
		return Head{}
	}
	return l.heads[len(l.heads)-1]
}

func (l *ledger) isGone(id blob.ID) bool {
	_, ok := l.gone[fingerprint(id)]
	return ok
}

func (l *ledger) apply(e ledgerEntry) {
	if e.Base {
		l.blobs, l.gone = map[blob.ID]sum{}, map[uint64]struct{}{}
		for _, f := range e.Gone {
			l.gone[f] = struct{}{}
		}
		l.bases = append(l.bases, e.Sequence)
		if len(l.heads) == 0 {
			l.heads = slices.Clone(e.Heads)
		}
	}
	for _, b := range e.Blobs {
		l.blobs[blob.ID(b.ID)] = sum{size: b.Size, hash: b.Hash}
		delete(l.gone, fingerprint(blob.ID(b.ID)))
	}
	for _, id := range e.Deleted {
		delete(l.blobs, blob.ID(id))
		l.gone[fingerprint(blob.ID(id))] = struct{}{}
	}
	maps.Copy(l.files, e.Files)
	if e.Time.After(l.newest) {
		l.newest = e.Time
	}
}

// load reads the whole chain. Damage in it is noted, not an error: what is stored can still be read.
func (s *Store) loadLedger(ctx context.Context) (*ledger, error) {
	names, err := s.recordNames(ctx, "ledger/")
	if err != nil {
		return nil, err
	}
	l := newLedger()
	next := uint64(0)
	for _, name := range names {
		var seq uint64
		if _, err := fmt.Sscanf(name, "ledger/%d", &seq); err != nil || ledgerName(seq) != name || seq == 0 {
			l.damage[name] = "is no ledger entry"
			continue
		}
		var b buffer
		if err := s.storage.GetBlob(ctx, recordID(name), 0, -1, &b); err != nil {
			return nil, err
		}
		for ; next != 0 && next < seq; next++ {
			l.damage[ledgerName(next)] = "ledger entry is missing"
			l.heads = append(l.heads, Head{Sequence: next})
		}
		next = seq + 1
		l.entries = append(l.entries, seq)
		stored := sha256.Sum256(b.Bytes())
		text, err := s.sealer.open(name, b.Bytes())
		var e ledgerEntry
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		switch {
		case err != nil:
			l.damage[name] = "ledger entry is damaged"
			l.heads = append(l.heads, Head{Sequence: seq}) // its true hash is in the next one
			continue
		case e.Format != FormatVersion:
			return nil, holdfast.Invalid("the ledger in %s has format %d, this holdfast knows %d: use a newer holdfast", s.storage.disk.root, e.Format, FormatVersion)
		case e.Sequence != seq:
			l.damage[name] = "ledger entry is of another number"
			continue
		}
		l.opened++
		switch previous := l.head(); {
		case previous.Sequence == 0 && !e.Base:
			l.damage[name] = "ledger entries before it are missing"
		case previous.Sequence != 0 && previous.Hash == "":
			l.heads[len(l.heads)-1].Hash = e.Previous
		case previous.Sequence != 0 && previous.Hash != e.Previous:
			l.damage[name] = "ledger entry does not follow the one before it"
		}
		l.apply(e)
		l.heads = append(l.heads, Head{Sequence: seq, Hash: hex.EncodeToString(stored[:])})
	}
	return l, nil
}

// LedgerHead is the ledger's newest state, to be anchored outside of the repository.
func (s *Store) LedgerHead() Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.head()
}

// Anchoring is how a head that was noted down outside of the repository relates to the ledger's chain.
type Anchoring string

// The anchorings.
const (
	Anchored   Anchoring = "anchored"    // the chain has it: the folder is not older than the head
	RolledBack Anchoring = "rolled back" // the chain ends before it: an older state was put back, or the newest entries were cut off
	Forked     Anchoring = "forked"      // the chain has another entry in its stead: an older state was put back, and written to since
	Untold     Anchoring = "untold"      // nothing was noted down, the chain does not reach back so far, or that entry is damaged
)

// Anchoring compares a head that LedgerHead gave once.
func (s *Store) Anchoring(h Head) Anchoring {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Sequence == 0 {
		return Untold
	}
	if h.Sequence > s.ledger.head().Sequence {
		return RolledBack
	}
	i := slices.IndexFunc(s.ledger.heads, func(have Head) bool { return have.Sequence == h.Sequence })
	switch {
	case i < 0 || s.ledger.heads[i].Hash == "":
		return Untold
	case s.ledger.heads[i].Hash == h.Hash:
		return Anchored
	}
	return Forked
}

// seal appends one entry for all that was written since the last, and with change what else it says. Nothing new writes nothing.
func (s *Store) seal(ctx context.Context, change func(*ledgerEntry)) error {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	st := s.storage
	st.mu.Lock()
	pending := maps.Clone(st.pending)
	doomed := slices.Sorted(maps.Keys(st.doomed))
	st.mu.Unlock()

	s.mu.Lock()
	head := s.ledger.head()
	broken := head.Sequence != 0 && head.Hash == ""
	e := ledgerEntry{Format: FormatVersion, Sequence: head.Sequence + 1, Previous: head.Hash, Time: s.clock.Now()}
	delete(pending, recordID(ledgerName(e.Sequence))) // of an attempt whose answer was lost
	for _, id := range slices.Sorted(maps.Keys(pending)) {
		e.Blobs = append(e.Blobs, ledgerBlob{ID: string(id), Size: pending[id].size, Hash: pending[id].hash})
		if s.adopted[id] {
			e.Adopted = append(e.Adopted, string(id))
		}
	}
	s.mu.Unlock()
	for _, id := range doomed {
		e.Deleted = append(e.Deleted, string(id))
	}
	if broken {
		// The last entry is unreadable: name it by what lies there, so that the chain goes on and its damage stays visible.
		var b buffer
		if err := st.GetBlob(ctx, recordID(ledgerName(head.Sequence)), 0, -1, &b); err != nil && !isNotFound(err) {
			return err
		}
		h := sha256.Sum256(b.Bytes())
		e.Previous = hex.EncodeToString(h[:])
	}
	if change != nil {
		change(&e)
	}
	if len(e.Blobs) == 0 && len(e.Deleted) == 0 && len(e.Files) == 0 && !e.Base {
		return nil
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	name := ledgerName(e.Sequence)
	sealed, err := s.sealer.seal(name, text)
	if err != nil {
		return err
	}
	if err := st.PutBlob(ctx, recordID(name), slice(sealed), blob.PutOptions{}); err != nil {
		return err
	}
	stored := sha256.Sum256(sealed)

	st.mu.Lock()
	delete(st.pending, recordID(name))
	for id, want := range pending {
		if st.pending[id] == want {
			delete(st.pending, id)
		}
	}
	st.mu.Unlock()
	s.mu.Lock()
	s.ledger.apply(e)
	s.ledger.entries = append(s.ledger.entries, e.Sequence)
	s.ledger.heads = append(s.ledger.heads, Head{Sequence: e.Sequence, Hash: hex.EncodeToString(stored[:])})
	for id := range pending {
		delete(s.adopted, id)
	}
	s.mu.Unlock()
	return s.bury(ctx, doomed)
}

// bury removes from disk what the ledger says is deleted. What a crash leaves stays invisible, and the next maintenance removes it.
func (s *Store) bury(ctx context.Context, ids []blob.ID) error {
	for _, id := range ids {
		err := s.storage.faults.Do(ctx, "blob.remove", func(context.Context) error {
			return clearOS(s.storage.disk.root, s.storage.disk.remove(id))
		})
		if err != nil {
			return err
		}
		s.storage.mu.Lock()
		delete(s.storage.doomed, id)
		s.storage.mu.Unlock()
	}
	return nil
}

// adopt takes blobs that a crash left without a ledger entry into the next one. A damaged ledger adopts nothing: the blob may have had
// its hash in the damaged entry, and a new one would hide a change.
func (s *Store) adopt(ctx context.Context) error {
	if len(s.ledger.damage) > 0 {
		s.log.ErrorContext(ctx, "the ledger of the backup repository is damaged; run 'holdfast vault verify'", "folder", s.storage.disk.root)
		return nil
	}
	return s.storage.disk.list(ctx, "", func(m blob.Metadata) error {
		if _, ok := s.ledger.blobs[m.BlobID]; ok || s.ledger.isGone(m.BlobID) || isLedgerBlob(m.BlobID) {
			return nil
		}
		found, err := s.storage.hashOf(ctx, m.BlobID)
		if err != nil {
			return err
		}
		s.log.InfoContext(ctx, "blob without a ledger entry, left by a crash, is adopted", "blob", string(m.BlobID), "folder", s.storage.disk.root)
		s.storage.mu.Lock()
		s.storage.pending[m.BlobID] = found
		s.storage.mu.Unlock()
		s.adopted[m.BlobID] = true
		return nil
	}, nil)
}

func isLedgerBlob(id blob.ID) bool { return bytes.HasPrefix([]byte(id), []byte(recordID("ledger/"))) }

// hashOf reads a blob from disk past every overlay.
func (s *storage) hashOf(ctx context.Context, id blob.ID) (sum, error) {
	h := sha256.New()
	n := int64(0)
	err := s.faults.Do(ctx, "blob.get", func(ctx context.Context) error {
		return clearOS(s.disk.root, s.disk.get(id, 0, -1, writerFunc(func(p []byte) (int, error) {
			n += int64(len(p))
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return h.Write(p)
		})))
	})
	return sum{size: n, hash: [sha256.Size]byte(h.Sum(nil))}, err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func isNotFound(err error) bool { return errors.Is(err, blob.ErrBlobNotFound) }

func fileHash(path string) (hash, error) {
	text, err := os.ReadFile(path)
	return sha256.Sum256(text), err
}

// filePath is where a file of ledgerEntry.Files lies.
func (s *Store) filePath(name string) string {
	if name == descriptionFile {
		return filepath.Join(s.options.Dir, name)
	}
	return filepath.Join(s.storage.disk.root, name)
}
