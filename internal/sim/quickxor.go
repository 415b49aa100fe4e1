package sim

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
)

// quickXor is Microsoft's QuickXorHash (160 bits, onedrive-api-docs code-snippets/quickxorhash.md): byte i of the
// content is exclusive-ored in at bit 11*i mod 160, and the length into the last eight bytes. The place depends on
// i mod 160 only, so the content is folded into 160 bytes first, and the fold of a concatenation of parts whose lengths
// are multiples of 160 is the exclusive or of their folds. Generated content relies on that.
type quickXor struct {
	fold [quickXorPeriod]byte
	n    uint64
}

const quickXorPeriod = 160

func (q *quickXor) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		at := int(q.n % quickXorPeriod)
		n := subtle.XORBytes(q.fold[at:], q.fold[at:], p)
		p = p[n:]
		q.n += uint64(n)
	}
	return total, nil
}

// add takes in a part whose fold is known; q must be at a multiple of the period.
func (q *quickXor) add(fold *[quickXorPeriod]byte, n uint64) {
	subtle.XORBytes(q.fold[:], q.fold[:], fold[:])
	q.n += n
}

func (q *quickXor) sum() (h [20]byte) {
	for i, b := range q.fold {
		bit := i * 11 % quickXorPeriod
		h[bit/8] ^= b << (bit % 8)
		h[(bit/8+1)%20] ^= byte(uint16(b) << (bit % 8) >> 8)
	}
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], q.n)
	subtle.XORBytes(h[12:], h[12:], length[:])
	return h
}

func hashString(h [20]byte) string { return base64.StdEncoding.EncodeToString(h[:]) }
