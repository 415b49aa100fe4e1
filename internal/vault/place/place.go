// Package place is the storage layer under the vault: one encrypted kopia repository for each organization and shard of a backup repository, with
// what kopia lacks around it: a ledger of the SHA-256 of every blob, sealed records that are never overwritten, deletion by maintenance
// only, fault points at every call, and errors that name the next step.
//
// A place has one writing process (a lock in its folder sees to it) and any number of readers. Order of locks: Store.sealing, Store.mu,
// disk.mu; storage.mu
// is taken alone.
package place

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Options say which store to make or open.
type Options struct {
	Dir          string // folder of the backup repository, made by Prepare
	Organization holdfast.OrganizationID
	Shard        int
	Password     []byte      // 32 random bytes
	Wrapped      []byte      // Create only: the password as the key file wraps it, kept in the place (ReadWrapped)
	CacheDir     string      // for small working files; empty is the system's temporary directory
	Clock        sys.Clock   // nil is the machine's
	Faults       *sys.Faults // nil breaks nothing
	Log          *slog.Logger
	ReadOnly     bool // reads beside a writer, writes nothing
	Limits       Limits
}

// Limits are ceilings of one store.
type Limits struct {
	Writers int // objects written at the same time; 0 means 8
}

func (o *Options) defaults() error {
	if o.Clock == nil {
		o.Clock = sys.System
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Limits.Writers <= 0 {
		o.Limits.Writers = 8
	}
	if !organizationName.MatchString(string(o.Organization)) || o.Shard < 0 || o.Shard > 999 {
		return holdfast.Invalid("organization %q or shard %d is not allowed", o.Organization, o.Shard)
	}
	if len(o.Password) != 32 {
		return holdfast.Invalid("the password of a repository has 32 bytes, not %d", len(o.Password))
	}
	return nil
}

func (o *Options) root() string {
	return filepath.Join(o.Dir, Part{o.Organization, o.Shard}.folder())
}

// kopiaPassword is the password in the form that kopia takes.
func (o *Options) kopiaPassword() string { return base64.RawStdEncoding.EncodeToString(o.Password) }

// What format 1 fixes of kopia's choices. They are stored in kopia's format blob, in which a store finds them again.
const (
	hashAlgorithm = "BLAKE3-256-128" // five times as fast as kopia's default with AVX2 (3.0 against 0.58 GB/s)
	encrypt       = "AES256-GCM-HMAC-SHA256"
	fileSplitter  = "DYNAMIC-1M-BUZHASH" // of files and attachments: versions of a file share their equal parts
	blockSplitter = "FIXED-4M"           // of blocks that are whole already: no search for split points
	packSize      = 20 << 20
	owner         = "holdfast" // kopia's user name of the maintenance owner
	ownerHost     = "vault"
)

// Create makes the repository of an organization and shard in a prepared folder. It is there as a whole or not at all.
func Create(ctx context.Context, o Options) (err error) {
	if err := o.defaults(); err != nil {
		return err
	}
	if _, err := Describe(o.Dir); err != nil {
		return err
	}
	root := o.root()
	if _, err := os.Stat(root); err == nil {
		return holdfast.Conflict("the backup repository in %s holds data of organization %s already", o.Dir, o.Organization)
	} else if !errors.Is(err, os.ErrNotExist) {
		return clearOS(o.Dir, err)
	}
	unfinished := root + ".new"
	if err := errors.Join(os.RemoveAll(unfinished), os.MkdirAll(unfinished, 0o700)); err != nil {
		return clearOS(o.Dir, err)
	}
	defer func() {
		if err != nil && !errors.Is(err, sys.ErrInjected) { // a crash cleans up nothing
			err = errors.Join(err, os.RemoveAll(unfinished))
		}
	}()
	if err := fill(ctx, o, unfinished); err != nil {
		return clearOS(o.Dir, err)
	}
	err = o.Faults.Do(ctx, "place.create", func(context.Context) error {
		return errors.Join(os.Rename(unfinished, root), fsyncDir(filepath.Dir(root)), fsyncDir(o.Dir))
	})
	return clearOS(o.Dir, err)
}

// fill makes a whole repository in dir.
func fill(ctx context.Context, o Options, dir string) error {
	ctx, done := withBreaker(ctx)
	defer done()
	s := &Store{storage: newStorage(newDisk(dir, false), o), clock: o.Clock, log: o.Log, unsure: map[string]bool{}, adopted: map[blob.ID]bool{}, ledger: newLedger()}
	var err error
	if s.sealer, err = newSealer(o); err != nil {
		return err
	}
	err = repo.Initialize(ctx, s.storage, &repo.NewRepositoryOptions{
		BlockFormat: format.ContentFormat{
			Hash: hashAlgorithm, Encryption: encrypt,
			MutableParameters: format.MutableParameters{
				Version: format.FormatVersion3, MaxPackSize: packSize, IndexVersion: 2,
			},
			EnablePasswordChange: true,
		},
		ObjectFormat: format.ObjectFormat{Splitter: fileSplitter},
		// The password is random: kopia's default of 64 MiB of scrypt at each opening would protect nothing.
		FormatBlockKeyDerivationAlgorithm: "pbkdf2-sha256-600000",
	}, o.kopiaPassword())
	if err != nil {
		return s.storage.clear(ctx, err)
	}
	for id, name := range formatRecords {
		var b buffer
		if err := s.storage.GetBlob(ctx, id, 0, -1, &b); err != nil {
			return s.storage.clear(ctx, err)
		}
		if err := s.putRecord(ctx, Record{Name: name, Data: b.Bytes()}); err != nil {
			return s.storage.clear(ctx, err)
		}
	}
	files := map[string]hash{}
	if files[descriptionFile], err = fileHash(filepath.Join(o.Dir, descriptionFile)); err != nil {
		return clearOS(o.Dir, err)
	}
	if len(o.Wrapped) > 0 {
		d, err := Describe(o.Dir)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(wrappedKey{KeyID: d.KeyID, Wrapped: o.Wrapped}, "", "  ")
		if err != nil {
			return err
		}
		path := filepath.Join(dir, wrappedFile)
		if err := o.Faults.Do(ctx, "place.key", func(context.Context) error { return writeFile(path, append(text, '\n')) }); err != nil {
			return clearOS(o.Dir, err)
		}
		if files[wrappedFile], err = fileHash(path); err != nil {
			return clearOS(o.Dir, err)
		}
	}
	return s.storage.clear(ctx, s.seal(ctx, func(e *ledgerEntry) { e.Base, e.Files = true, files }))
}

// wrappedFile lies in the folder of a store: with the key file it opens the store when the database is lost.
const wrappedFile = "key.json"

type wrappedKey struct {
	KeyID   string `json:"keyId"`
	Wrapped []byte `json:"wrapped"`
}

// ReadWrapped gives the wrapped password that Create put into the place, and the id of the key that wraps it.
func ReadWrapped(dir string, p Part) (keyID string, wrapped []byte, err error) {
	path := filepath.Join(dir, p.folder(), wrappedFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil, holdfast.NotFound("the backup repository in %s keeps no wrapped password of organization %s: use the recovery kit", dir, p.Organization)
	} else if err != nil {
		return "", nil, clearOS(dir, err)
	}
	var w wrappedKey
	if err := json.Unmarshal(text, &w); err != nil || len(w.Wrapped) == 0 {
		return "", nil, holdfast.Damaged("%s is damaged: use the recovery kit", path)
	}
	return w.KeyID, w.Wrapped, nil
}

// formatRecords are sealed copies of kopia's two format blobs, without which nothing can be read.
var formatRecords = map[blob.ID]string{
	format.KopiaRepositoryBlobID: "format/repository",
	format.KopiaBlobCfgBlobID:    "format/blobcfg",
}

// Store is an open repository of one organization and shard. Opening derives a key and reads the index: keep it open.
type Store struct {
	options Options
	storage *storage
	sealer  *sealer
	clock   sys.Clock
	log     *slog.Logger

	// Set by Open.
	kopia           repo.DirectRepository
	salvaged        bool                        // index blobs are damaged
	salvage         repo.DirectRepositoryWriter // reads in kopia's stead then
	lock            *os.File                    // of the folder; nil when reading only
	scratch         string                      // directory of kopia's configuration
	scratchLock     *os.File                    // tells other processes that scratch is in use
	openedWall      time.Time                   // to notice a clock that jumps
	openedMonotonic time.Time

	maintaining sync.Mutex // held while maintenance runs
	sealing     sync.Mutex // held while one ledger entry is made

	mu       sync.Mutex // guards all below
	ledger   *ledger
	unsure   map[string]bool  // records whose put ended in an error
	adopted  map[blob.ID]bool // pending blobs that a crash left
	sessions map[*Session]struct{}
	fatal    error // kopia asked to end the process
}

// Open opens a repository. Only one process may have it open for writing.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	s, err := openLedger(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.openKopia(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// openLedger opens all but kopia: enough to read records and to verify blobs.
func openLedger(ctx context.Context, o Options) (_ *Store, err error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	_, undescribed := Describe(o.Dir)
	if holdfast.KindOf(undescribed) == holdfast.KindDamaged {
		undescribed = nil
	}
	if undescribed != nil && !o.ReadOnly {
		return nil, undescribed
	}
	if _, err := os.Stat(o.root()); errors.Is(err, os.ErrNotExist) {
		return nil, holdfast.NotFound("the backup repository in %s holds no data of organization %s", o.Dir, o.Organization)
	} else if err != nil {
		return nil, clearOS(o.Dir, err)
	}
	s := &Store{
		options: o, storage: newStorage(newDisk(o.root(), o.ReadOnly), o), clock: o.Clock, log: o.Log,
		ledger: newLedger(), unsure: map[string]bool{}, adopted: map[blob.ID]bool{}, sessions: map[*Session]struct{}{},
		openedWall: o.Clock.Now().Round(0), openedMonotonic: sys.System.Now(),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if s.sealer, err = newSealer(o); err != nil {
		return nil, err
	}
	if err := s.storage.disk.probe(); err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if s.lock, err = s.storage.disk.lock(); err != nil {
			return nil, err
		}
		if err := s.storage.disk.clean(); err != nil {
			return nil, clearOS(o.Dir, err)
		}
	}
	ctx, done := withBreaker(ctx)
	defer done()
	l, err := s.loadLedger(ctx)
	if err != nil {
		return nil, s.storage.clear(ctx, err)
	}
	if l.opened == 0 && len(l.entries) > 0 {
		return nil, wrongKey(o.Dir, nil)
	}
	if undescribed != nil {
		// Is that what was written, or has it changed since? The latter is damage like any other, which a verify names.
		want, listed := l.files[descriptionFile]
		if have, err := fileHash(filepath.Join(o.Dir, descriptionFile)); !listed || err == nil && have == want {
			return nil, undescribed
		}
	}
	s.ledger = l
	s.storage.gone = func(id blob.ID) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.ledger.isGone(id)
	}
	if !o.ReadOnly {
		if err := s.adopt(ctx); err != nil {
			return nil, s.storage.clear(ctx, err)
		}
	}
	return s, nil
}

func (s *Store) openKopia(ctx context.Context) error {
	ctx, done := withBreaker(ctx)
	defer done()
	if err := s.mendFormat(ctx); err != nil {
		return s.storage.clear(ctx, err)
	}
	err := s.openRepository(ctx)
	if err == nil {
		err = s.indexPresent()
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, sys.ErrInjected) {
		err = s.openSalvaged(ctx, err)
	}
	return s.storage.clear(ctx, err)
}

// indexPresent notices index blobs that are gone, which kopia can't.
func (s *Store) indexPresent() error {
	for id := range s.ledger.blobs {
		if _, err := s.storage.disk.stat(id); isIndex(id) && isNotFound(err) {
			return err
		}
	}
	return nil
}

func (s *Store) openRepository(ctx context.Context) error {
	config, err := s.configure()
	if err != nil {
		return err
	}
	r, err := repo.Open(ctx, config, s.options.kopiaPassword(), &repo.Options{
		TimeNowFunc:          s.clock.Now,
		DisableRepositoryLog: true,
		DoNotWaitForUpgrade:  true,
		OnFatalError: func(err error) { // kopia's default ends the process
			s.log.Error("kopia asks to end", "error", err)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.fatal = err
		},
	})
	if err != nil {
		return err
	}
	direct, ok := r.(repo.DirectRepository)
	if !ok {
		return errors.Join(errors.New("kopia gave no direct repository"), r.Close(ctx))
	}
	s.kopia = direct
	return nil
}

// mendFormat puts the sealed copy in the place of a damaged format blob.
func (s *Store) mendFormat(ctx context.Context) error {
	for id, name := range formatRecords {
		want, listed := s.ledger.blobs[id]
		if !listed {
			continue
		}
		have, err := s.storage.hashOf(ctx, id)
		if err == nil && have == want {
			continue
		} else if err != nil && !isNotFound(err) {
			return err
		}
		copied, err := s.readRecord(ctx, name)
		if err != nil {
			return err
		}
		s.log.ErrorContext(ctx, "format blob is damaged; its sealed copy is used", "blob", renamed[id], "folder", s.storage.disk.root)
		s.storage.mu.Lock()
		if s.storage.replace == nil {
			s.storage.replace = map[blob.ID][]byte{}
		}
		s.storage.replace[id] = copied
		s.storage.mu.Unlock()
	}
	return nil
}

// configure writes the configuration file that kopia insists on. It names our storage by a handle and holds no secret.
func (s *Store) configure() (path string, err error) {
	base := s.options.CacheDir
	if base != "" {
		if err := os.MkdirAll(base, 0o700); err != nil {
			return "", clearOS(base, err)
		}
		sweepScratch(base)
	}
	if s.scratch != "" { // a first attempt to open failed
		s.storage.unregister()
	} else if s.scratch, err = os.MkdirTemp(base, scratchPrefix); err != nil {
		return "", clearOS(base, err)
	}
	if base != "" && s.scratchLock == nil {
		if s.scratchLock, err = holdScratch(s.scratch); err != nil {
			return "", err
		}
	}
	s.storage.register(string(s.options.Organization))
	info := s.storage.ConnectionInfo()
	text, err := json.MarshalIndent(repo.LocalConfig{
		Storage: &info,
		// No cache at all: the folder is local. That keeps the index in memory, as stored; with a cache directory and no size for contents, kopia
		// panics at the first read.
		Caching: &content.CachingOptions{},
		ClientOptions: repo.ClientOptions{
			Hostname: ownerHost, Username: owner, Description: "holdfast", ReadOnly: s.options.ReadOnly,
			FormatBlobCacheDuration: format.DefaultRepositoryBlobCacheDuration,
		},
	}, "", "  ")
	if err != nil {
		return "", err
	}
	path = filepath.Join(s.scratch, "kopia.json")
	return path, clearOS(s.scratch, os.WriteFile(path, text, 0o600))
}

const scratchPrefix = "place-"

// Close lets go of the store. What was not flushed is lost.
func (s *Store) Close(ctx context.Context) error {
	ctx, done := withBreaker(ctx)
	defer done()
	var errs []error
	s.mu.Lock()
	open := make([]*Session, 0, len(s.sessions))
	for w := range s.sessions {
		open = append(open, w)
	}
	s.mu.Unlock()
	for _, w := range open {
		errs = append(errs, w.Close(ctx))
	}
	if s.salvage != nil {
		errs = append(errs, s.salvage.Close(ctx))
		s.salvage = nil
	}
	if s.kopia != nil {
		errs = append(errs, s.kopia.Close(ctx))
		s.kopia = nil
	}
	s.storage.unregister()
	if s.scratch != "" {
		if s.scratchLock != nil {
			errs = append(errs, s.scratchLock.Close())
		}
		errs = append(errs, os.RemoveAll(s.scratch))
		s.scratch = ""
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// Usage is the capacity of the disk under the folder of a backup repository and what is free of it, in bytes.
func Usage(dir string) (capacity, free int64, err error) { return usage(dir) }

// Written counts blobs and bytes that went to disk since the store was opened.
func (s *Store) Written() (blobs, bytes int64) {
	s.storage.mu.Lock()
	defer s.storage.mu.Unlock()
	return s.storage.puts, s.storage.written
}

func (s *Store) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fatal != nil {
		return fmt.Errorf("kopia asked to end: %w", s.fatal)
	}
	return nil
}
