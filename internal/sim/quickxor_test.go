package sim

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"testing"
)

// slowQuickXor follows the published description bit by bit.
func slowQuickXor(b []byte) string {
	var h [20]byte
	for i, c := range b {
		for bit := range 8 {
			if c>>bit&1 == 1 {
				at := (i*11 + bit) % 160
				h[at/8] ^= 1 << (at % 8)
			}
		}
	}
	for i := range 8 {
		h[12+i] ^= byte(uint64(len(b)) >> (8 * i))
	}
	return base64.StdEncoding.EncodeToString(h[:])
}

func TestQuickXorHashKnownValues(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"Sg==":                 "SgAAAAAAAAAAAAAAAQAAAAAAAAA=",
		"tbQ=":                 "taAFAAAAAAAAAAAAAgAAAAAAAAA=",
		"0pZP":                 "0rDEEwAAAAAAAAAAAwAAAAAAAAA=",
		"luBZlaT6":             "lgBHFipBCn0AAAAABgAAAAAAAAA=",
		"/aNzzCFPS/A=":         "/RjFHJgRgicsAR4ACAAAAAAAAAA=",
		"h490d57Pqz5q2rtT":     "h3gEHe7giWeswgdq3MYupgAAAAA=",
		"gQaybEqS/4UlDc8e4IJm": "gDCALNigBEn8oxAlZ8AzPAAOQZg=",
	} {
		b, err := base64.StdEncoding.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		var q quickXor
		q.Write(b)
		if got := hashString(q.sum()); got != want {
			t.Errorf("hash of %q is %s, want %s", in, got, want)
		}
	}
}

func TestQuickXorHashIsThePublishedOneForAnyLengthAndSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, r.IntN(2000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		var q quickXor
		for rest := b; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			q.Write(rest[:n])
			rest = rest[n:]
		}
		if got, want := hashString(q.sum()), slowQuickXor(b); got != want {
			t.Fatalf("%d bytes: %s, want %s", len(b), got, want)
		}
	}
}

func TestFoldsOfPartsAdd(t *testing.T) {
	a, b := bytes.Repeat([]byte("abcdefghij"), 48), bytes.Repeat([]byte("0123456789"), 32)
	var whole, left, right quickXor
	whole.Write(append(bytes.Clone(a), b...))
	left.Write(a)
	right.Write(b)
	left.add(&right.fold, right.n)
	if left.sum() != whole.sum() {
		t.Fatal("the fold of a concatenation is not the exclusive or of the folds")
	}
}
