package sim

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// blobStore is a spill file for what clients stored. Equal bytes are kept once; nothing is ever freed.
type blobStore struct {
	f    *os.File
	mu   sync.Mutex // guards size and known
	size int64
	seen map[[16]byte]blob
}

// blob is where bytes lie in the spill file.
type blob struct {
	at   int64
	size int64
	sum  [32]byte
}

func openBlobs(dir string) (*blobStore, error) {
	f, err := os.CreateTemp(dir, "content-*.spill")
	if err != nil {
		return nil, fmt.Errorf("simulator spill file: %w", err)
	}
	return &blobStore{f: f, seen: map[[16]byte]blob{}}, nil
}

func (s *blobStore) put(b []byte) (blob, error) {
	sum := sha256.Sum256(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.seen[[16]byte(sum[:16])]; ok {
		return old, nil
	}
	at := s.size
	if _, err := s.f.WriteAt(b, at); err != nil {
		return blob{}, fmt.Errorf("simulator spill file: %w", err)
	}
	s.size += int64(len(b))
	n := blob{at: at, size: int64(len(b)), sum: sum}
	s.seen[[16]byte(sum[:16])] = n
	return n, nil
}

func (s *blobStore) reader(b blob) *io.SectionReader { return io.NewSectionReader(s.f, b.at, b.size) }

func (s *blobStore) get(b blob) ([]byte, error) {
	out := make([]byte, b.size)
	if _, err := s.f.ReadAt(out, b.at); err != nil && b.size > 0 {
		return nil, fmt.Errorf("simulator spill file: %w", err)
	}
	return out, nil
}

func (s *blobStore) close() error {
	err := s.f.Close()
	if e := os.Remove(filepath.Clean(s.f.Name())); err == nil {
		err = e
	}
	return err
}
