package place

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/kopia/kopia/repo/blob"
	"golang.org/x/crypto/chacha20poly1305"

	"holdfast/internal/holdfast"
)

// Records are small blobs of our own beside kopia's: XChaCha20-Poly1305 under a key derived from the password, the name authenticated,
// so that one can't stand in for another. Bytes: "HFR1", 24 bytes of nonce, then the sealed text, whose first byte is 0 (as is) or 1 (zstd).

const (
	recordMagic  = "HFR1"
	recordPrefix = "h"
	recordLimit  = 1 << 30 // bytes of one record, unpacked
)

var (
	recordName       = regexp.MustCompile(`^[a-z]+/[A-Za-z0-9_-]+$`)
	organizationName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	reserved         = map[string]bool{"ledger": true, "schedule": true, "format": true, "lease": true}
)

type sealer struct {
	key      []byte
	identity string // of the store: a record can't be moved to another one
}

func newSealer(o Options) (*sealer, error) {
	identity := fmt.Sprintf("%s/%03d", o.Organization, o.Shard)
	key, err := hkdf.Key(sha256.New, o.Password, nil, "holdfast record key 1 "+identity, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return &sealer{key: key, identity: identity}, nil
}

func (s *sealer) associated(name string) []byte {
	return []byte(recordMagic + "\x00" + s.identity + "\x00" + name)
}

func (s *sealer) seal(name string, data []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.key)
	if err != nil {
		return nil, err
	}
	if len(data) > recordLimit {
		return nil, fmt.Errorf("record %s is too large: %d bytes", name, len(data))
	}
	text := append([]byte{0}, data...)
	if len(data) > 128 {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return nil, err
		}
		if packed := enc.EncodeAll(data, []byte{1}); len(packed) < len(text) {
			text = packed
		}
		if err := enc.Close(); err != nil {
			return nil, err
		}
	}
	out := make([]byte, 0, len(recordMagic)+aead.NonceSize()+len(text)+aead.Overhead())
	out = append(out, recordMagic...)
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	out = append(out, nonce...)
	return aead.Seal(out, nonce, text, s.associated(name)), nil
}

func (s *sealer) open(name string, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.key)
	if err != nil {
		return nil, err
	}
	body, ok := strings.CutPrefix(string(sealed), recordMagic)
	if !ok || len(body) < aead.NonceSize() {
		return nil, holdfast.Damaged("record %s is damaged", name)
	}
	text, err := aead.Open(nil, []byte(body[:aead.NonceSize()]), []byte(body[aead.NonceSize():]), s.associated(name))
	if err != nil || len(text) == 0 {
		return nil, holdfast.Damaged("record %s is damaged or of another key", name)
	}
	if text[0] == 0 {
		return text[1:], nil
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(recordLimit))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	data, err := dec.DecodeAll(text[1:], nil)
	if err != nil {
		return nil, holdfast.Damaged("record %s is damaged: %w", name, err)
	}
	return data, nil
}

func recordID(name string) blob.ID {
	return blob.ID(recordPrefix + strings.ReplaceAll(name, "/", "."))
}

func nameOf(id blob.ID) string { return strings.Replace(string(id[1:]), ".", "/", 1) }

// Record is a named small document.
type Record struct {
	Name string // kind/name, for example journal/000123
	Data []byte
}

// PutRecord writes records and then one ledger entry that covers them and all that was flushed before. A name is never written twice.
// After an error the outcome is unknown: read the record, or put it again.
func (s *Store) PutRecord(ctx context.Context, records ...Record) error {
	ctx, done := withBreaker(ctx)
	defer done()
	for _, r := range records {
		if kind, _, _ := strings.Cut(r.Name, "/"); !recordName.MatchString(r.Name) || reserved[kind] {
			return holdfast.Invalid("record name %q is not allowed", r.Name)
		}
		if err := s.putRecord(ctx, r); err != nil {
			return s.storage.clear(ctx, err)
		}
	}
	if err := s.seal(ctx, nil); err != nil {
		for _, r := range records {
			s.setUnsure(r.Name, true)
		}
		return s.storage.clear(ctx, err)
	}
	for _, r := range records {
		s.setUnsure(r.Name, false)
	}
	return nil
}

func (s *Store) putRecord(ctx context.Context, r Record) error {
	s.mu.Lock()
	unsure := s.unsure[r.Name]
	s.mu.Unlock()
	if !unsure {
		if _, err := s.storage.GetMetadata(ctx, recordID(r.Name)); err == nil {
			return holdfast.Conflict("record %s is there already", r.Name)
		} else if !isNotFound(err) {
			return err
		}
	}
	sealed, err := s.sealer.seal(r.Name, r.Data)
	if err != nil {
		return err
	}
	if err := s.storage.PutBlob(ctx, recordID(r.Name), slice(sealed), blob.PutOptions{}); err != nil {
		s.setUnsure(r.Name, true)
		return err
	}
	return nil
}

func (s *Store) setUnsure(name string, unsure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if unsure {
		s.unsure[name] = true
	} else {
		delete(s.unsure, name)
	}
}

// ReadRecord gives back a record from the disk; NotFound when there is none, Damaged when it is not what was written.
func (s *Store) ReadRecord(ctx context.Context, name string) ([]byte, error) {
	ctx, done := withBreaker(ctx)
	defer done()
	if !recordName.MatchString(name) {
		return nil, holdfast.Invalid("record name %q is not allowed", name)
	}
	data, err := s.readRecord(ctx, name)
	if isNotFound(err) {
		return nil, holdfast.NotFound("no record %s in %s", name, s.storage.disk.root)
	}
	return data, s.storage.clear(ctx, err)
}

func (s *Store) readRecord(ctx context.Context, name string) ([]byte, error) {
	var b buffer
	if err := s.storage.GetBlob(ctx, recordID(name), 0, -1, &b); err != nil {
		return nil, err
	}
	return s.sealer.open(name, b.Bytes())
}

// Records lists the names that start with prefix (a kind and a slash at least), sorted.
func (s *Store) Records(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, done := withBreaker(ctx)
		defer done()
		names, err := s.recordNames(ctx, prefix)
		if err != nil {
			yield("", s.storage.clear(ctx, err))
			return
		}
		for _, n := range names {
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (s *Store) recordNames(ctx context.Context, prefix string) ([]string, error) {
	if !strings.Contains(prefix, "/") {
		return nil, holdfast.Invalid("record prefix %q has no kind", prefix)
	}
	var names []string
	err := s.storage.ListBlobs(ctx, recordID(prefix), func(m blob.Metadata) error {
		names = append(names, nameOf(m.BlobID))
		return nil
	})
	slices.Sort(names)
	return names, err
}
