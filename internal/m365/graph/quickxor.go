package graph

import (
	"encoding/base64"
	"encoding/binary"
	"hash"
)

// QuickXor computes quickXorHash, the one hash that every file in OneDrive for Business and SharePoint has
// (onedrive-api-docs, docs/code-snippets/quickxorhash.md): a 160-bit register into which each byte is XORed 11 bits
// further than the one before; the length is XORed over the end.
type QuickXor struct {
	// cells is the register, one byte position after another: byte i of the input goes to bit 11*i mod 160.
	// Inputs 160 bytes apart go to the same place, so they are collected in one cell each.
	cells  [160]byte
	length uint64
}

var _ hash.Hash = (*QuickXor)(nil)

func (q *QuickXor) Write(p []byte) (int, error) {
	at := int(q.length % 160)
	q.length += uint64(len(p))
	n := len(p)
	for len(p) > 0 {
		k := min(len(p), 160-at)
		cells := q.cells[at : at+k]
		for i, b := range p[:k] {
			cells[i] ^= b
		}
		p, at = p[k:], 0
	}
	return n, nil
}

// Sum appends the hash to b.
func (q *QuickXor) Sum(b []byte) []byte {
	var out [20]byte
	for i, v := range q.cells {
		bit := i * 11 % 160
		at, shift := bit/8, bit%8
		out[at] ^= v << shift
		out[(at+1)%20] ^= byte(uint16(v) >> (8 - shift))
	}
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], q.length)
	for i, v := range length {
		out[12+i] ^= v
	}
	return append(b, out[:]...)
}

// Text is the hash as the service writes it.
func (q *QuickXor) Text() string { return base64.StdEncoding.EncodeToString(q.Sum(nil)) }

// Reset makes q as new.
func (q *QuickXor) Reset() { *q = QuickXor{} }

// Size is 20.
func (q *QuickXor) Size() int { return 20 }

// BlockSize is 160: writes of its multiples are fastest.
func (q *QuickXor) BlockSize() int { return 160 }
