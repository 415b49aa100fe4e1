package search

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// closingPiece counts the pieces that are open.
type closingPiece struct {
	io.Reader
	open *int
}

func (c closingPiece) Close() error { *c.open--; return nil }

// TestSectionsOfAMailAreThoseOfItsBytes reads, skips and reads again at random; no piece stays open, and one that is skipped is not opened.
func TestSectionsOfAMailAreThoseOfItsBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 7))
	for range 300 {
		var whole []byte
		var pieces []vault.Piece
		open := 0
		opened := map[int]bool{}
		for n := range 1 + rng.IntN(6) {
			data := make([]byte, 1+rng.IntN(400))
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			whole = append(whole, data...)
			pieces = append(pieces, vault.Piece{Size: int64(len(data)), Name: string(data), Open: func() (io.ReadCloser, error) {
				open++
				opened[n] = true
				return closingPiece{iotest.HalfReader(bytes.NewReader(data)), &open}, nil
			}})
		}
		s := &exported{pieces: pieces}
		for range 5 {
			at := rng.IntN(len(whole))
			size := rng.IntN(len(whole) - at + 1)
			r := s.Again(int64(at), int64(size)).(*section)
			clear(opened)
			for pos := at; ; {
				if n := rng.IntN(300); rng.IntN(2) == 0 {
					err := r.Skip(int64(n))
					if tooFar := n > at+size-pos; tooFar != (err == io.ErrUnexpectedEOF) || !tooFar && err != nil {
						t.Fatalf("skip %d at %d of %d+%d: %v", n, pos, at, size, err)
					} else if !tooFar {
						pos += n
					}
					continue
				}
				b := make([]byte, 1+rng.IntN(200))
				n, err := r.Read(b)
				if !bytes.Equal(b[:n], whole[pos:pos+n]) || pos+n > at+size {
					t.Fatalf("%d bytes at %d are others", n, pos)
				}
				if pos += n; err == io.EOF {
					if pos != at+size {
						t.Fatalf("it ends at %d, not at %d", pos, at+size)
					}
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
		clear(opened)
		r := s.Again(0, int64(len(whole))).(*section)
		if err := r.Skip(int64(len(whole))); err != nil || len(opened) > 0 {
			t.Fatalf("%d pieces are opened to be skipped, %v", len(opened), err)
		}
		if err := s.close(); err != nil || open != 0 || s.err != nil {
			t.Fatalf("%d pieces are open, %v, %v", open, err, s.err)
		}
		at := int64(0)
		for _, p := range pieces {
			if s.Name(at, p.Size) != p.Name || s.Name(at, p.Size+1) != "" || s.Name(at+1, p.Size) != "" && p.Size > 1 {
				t.Fatalf("the piece at %d has another name", at)
			}
			at += p.Size
		}
	}
}

func TestMailWhosePiecesCannotBeReadIsDamaged(t *testing.T) {
	broken := errors.New("broken storage")
	gives := func(r io.Reader) vault.Piece {
		return vault.Piece{Size: 10, Open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }}
	}
	short := &exported{pieces: []vault.Piece{gives(strings.NewReader("short"))}}
	if _, err := io.ReadAll(short.Open()); holdfast.KindOf(err) != holdfast.KindDamaged || !errors.Is(short.err, err) {
		t.Errorf("a short piece: %v, %v", err, short.err)
	}
	failing := &exported{pieces: []vault.Piece{gives(iotest.ErrReader(broken))}}
	if _, err := io.ReadAll(failing.Open()); !errors.Is(err, broken) || !errors.Is(failing.err, broken) {
		t.Errorf("a piece that fails: %v, %v", err, failing.err)
	}
	missing := &exported{pieces: []vault.Piece{{Size: 10, Open: func() (io.ReadCloser, error) { return nil, broken }}}}
	if _, err := io.ReadAll(missing.Open()); !errors.Is(err, broken) {
		t.Errorf("a piece that is missing: %v", err)
	}
	if r := short.Again(0, 20); holdfast.KindOf(func() error { _, err := io.ReadAll(r); return err }()) != holdfast.KindDamaged {
		t.Error("a mail that ends early is not damaged")
	}
}
