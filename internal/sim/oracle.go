package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// oracle remembers every version that was served: hashes and coordinates in a file, no bytes.
type oracle struct {
	f  *os.File
	mu sync.Mutex // guards n and buf
	n  int64      // bytes written to f
	b  []byte
}

// Served is one serving of one version of an item.
type Served struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // json, mime, attachment, content, version, export
	Owner   string    `json:"owner"`
	Item    string    `json:"item"`
	Version uint64    `json:"version"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"` // first 16 bytes
}

// ServedKind says what of an item was served.
type ServedKind byte

// The kinds of servings.
const (
	ServedJSON ServedKind = iota + 1
	ServedMIME
	ServedAttachment
	ServedContent
	ServedVersion
	ServedExport
)

func (k ServedKind) String() string {
	return [...]string{"", "json", "mime", "attachment", "content", "version", "export"}[k]
}

const servedSize = 8 + 8 + 8 + 8 + 8 + 16 + 8

func openOracle(dir string) (*oracle, error) {
	f, err := os.CreateTemp(dir, "oracle-*.spill")
	if err != nil {
		return nil, fmt.Errorf("simulator oracle: %w", err)
	}
	return &oracle{f: f}, nil
}

// served notes that a version of an item of an owner was served; owner and item are given as numbers that the part of
// the simulator that serves them can recognise (see hash64).
func (o *oracle) served(now time.Time, kind ServedKind, owner, item, version uint64, size int64, sum [32]byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.b
	b = binary.LittleEndian.AppendUint64(b, uint64(now.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, owner)
	b = binary.LittleEndian.AppendUint64(b, item)
	b = binary.LittleEndian.AppendUint64(b, version)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = append(b, sum[:16]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(kind))
	o.b = b
	if len(b) < 64<<10 {
		return nil
	}
	return o.flush()
}

func (o *oracle) flush() error {
	n, err := o.f.WriteAt(o.b, o.n)
	if err != nil {
		return fmt.Errorf("simulator oracle: %w", err)
	}
	o.n += int64(n)
	o.b = o.b[:0]
	return nil
}

// each calls fn for every serving of the owner, oldest first; item 0 means all.
func (o *oracle) each(owner, item uint64, fn func(r ServedRecord) error) error {
	o.mu.Lock()
	if err := o.flush(); err != nil {
		o.mu.Unlock()
		return err
	}
	n := o.n
	o.mu.Unlock()
	r := io.NewSectionReader(o.f, 0, n)
	buf := make([]byte, servedSize*1024)
	for {
		got, err := io.ReadFull(r, buf)
		for b := buf[:got]; len(b) >= servedSize; b = b[servedSize:] {
			le := binary.LittleEndian.Uint64
			if le(b[8:]) != owner || item != 0 && le(b[16:]) != item {
				continue
			}
			if err := fn(ServedRecord{Time: time.Unix(0, int64(le(b))).UTC(), Item: le(b[16:]), Version: le(b[24:]),
				Size: int64(le(b[32:])), Sum: [16]byte(b[40:56]), Kind: ServedKind(le(b[56:]))}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("simulator oracle: %w", err)
		}
	}
}

// ServedRecord is a serving as it is kept.
type ServedRecord struct {
	Time          time.Time
	Kind          ServedKind
	Item, Version uint64
	Size          int64
	Sum           [16]byte
}

func (o *oracle) close() error {
	err := o.f.Close()
	if e := os.Remove(filepath.Clean(o.f.Name())); err == nil {
		err = e
	}
	return err
}

func sha(b []byte) [32]byte { return sha256.Sum256(b) }
