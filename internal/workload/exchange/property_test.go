package exchange

import "testing"

func TestPropertyIdsAreComparedByMeaning(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"Integer 0x0E08", "Integer 0xe08", true},
		{"String 0x001A", "string 0x1a", true},
		{"Integer 0x0E08", "Long 0x0E08", false},
		{"String 0x001A", "String 0x001B", false},
		{propMarker, "String {6F3C1D52-8A0E-4B59-9C43-5D0C7C1B8E21} Name HoldfastRestore", true},
		{propMarker, propOrigin, false},
		{"String 0xZZ", "String 0xZZ", false},
	} {
		if got := sameProperty(tc.a, tc.b); got != tc.want {
			t.Errorf("%q and %q: %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}
