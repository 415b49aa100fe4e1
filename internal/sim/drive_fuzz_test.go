package sim

import (
	"net/url"
	"strings"
	"testing"
)

func FuzzDrivePathsNeverPanic(f *testing.F) {
	for _, p := range []string{"/v1.0/drives/b!x", "/v1.0/drives/b!x/root:/a%20b/c:/children", "/v1.0/users/u/drive/items/01A:/x:", "/_api/v2.0/drives/d/items/01A/versions/1.0/content",
		"/v1.0/drives/d/root:", "/v1.0/drives/d/root::/x", "/v1.0/drives/d/items/:", "/v1.0/drives/d/root/delta(token='a')", "/v1.0/drives/d/root:/%zz"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, err := splitDrivePath(&Call{Path: path, Query: url.Values{}, Route: &Route{}})
		if err != nil {
			return
		}
		for _, n := range p.names {
			if n == "" {
				t.Fatalf("%q has an empty name", path)
			}
		}
		if p.tail() != strings.ToLower(strings.Join(p.raw, "/")) {
			t.Fatalf("%q: tail %q", path, p.tail())
		}
	})
}

func FuzzRangesStayInsideTheContent(f *testing.F) {
	for _, h := range []string{"bytes=0-", "bytes=0-0", "bytes=-5", "bytes=5-1", "bytes=1-2,3-4", "items=0-1", "bytes=99999999999999999999-"} {
		f.Add(h, int64(10))
	}
	f.Fuzz(func(t *testing.T, h string, size int64) {
		if size < 0 {
			return
		}
		from, to, ok, understood := parseRange(h, size)
		if understood && ok && (from < 0 || to > size || from >= to) {
			t.Fatalf("%q of %d bytes is [%d, %d)", h, size, from, to)
		}
	})
}

func FuzzForgedDeltaTokensAreRefused(f *testing.F) {
	d := &driveService{key: [32]byte{1}}
	good := d.encodeToken(deltaToken{Drive: 7, At: 3})
	f.Add(good + "x")
	f.Add("a.b")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := d.decodeToken(s); ok && s != good {
			t.Fatalf("%q was taken for a token", s)
		}
	})
}
