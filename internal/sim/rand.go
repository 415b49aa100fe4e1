package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// epoch is the time before which nothing in the tenant happened; generated dates lie between it and epochEnd.
var (
	epoch    = time.Date(2019, 1, 7, 8, 0, 0, 0, time.UTC)
	epochEnd = time.Date(2026, 6, 30, 18, 0, 0, 0, time.UTC)
)

// random is a stream of numbers that is a function of what it was made from.
type random struct{ *rand.Rand }

// newRand makes the stream named by a purpose and coordinates.
func newRand(seed uint64, purpose string, at ...uint64) random {
	var hi uint64 = 14695981039346656037
	for i := 0; i < len(purpose); i++ {
		hi = (hi ^ uint64(purpose[i])) * 1099511628211
	}
	lo := mix(seed + 0x9e3779b97f4a7c15)
	for _, v := range at {
		lo = mix(lo ^ mix(v+0x632be59bd9b4e019))
	}
	return random{rand.New(rand.NewPCG(hi, lo))}
}

// mix is a bijection of 64-bit numbers (the finaliser of splitmix64); unmix is its inverse.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return x
}

func unmix(x uint64) uint64 {
	x = x ^ x>>31 ^ x>>62
	x *= 0x319642b2d24d8ec3
	x = x ^ x>>27 ^ x>>54
	x *= 0x96de1b173f119089
	x = x ^ x>>30 ^ x>>60
	return x
}

func (r random) bytes(n int) []byte {
	b := make([]byte, n)
	r.fill(b)
	return b
}

func (r random) fill(b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, r.Uint64())
		b = b[8:]
	}
	if len(b) > 0 {
		var t [8]byte
		binary.LittleEndian.PutUint64(t[:], r.Uint64())
		copy(b, t[:])
	}
}

func (r random) uuid() string {
	b := r.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (r random) chance(p float64) bool { return r.Float64() < p }

func pick[T any](r random, from []T) T { return from[r.IntN(len(from))] }

// around draws from a skewed distribution with the given mean: many small, few large, never above eight times the mean.
func (r random) around(mean int) int {
	v := float64(mean) * math.Min(r.ExpFloat64()*0.9+0.1, 8)
	return int(v)
}

// hash64 gives a number for a string, for places that need a stable order or a seed.
func hash64(s string) uint64 {
	h := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(h[:8])
}
