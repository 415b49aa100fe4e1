package place_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/sys"
	"holdfast/internal/vault/place"
)

func TestRepairWritesIndexAndFormatAgain(t *testing.T) {
	o, objects, records := filled(t)
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	broken, index := 0, 0
	for _, f := range files(t, o.Dir) {
		path := filepath.Join(o.Dir, f)
		switch {
		case strings.Contains(f, "/x/") && index == 0:
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			broken++
		case strings.Contains(f, "/x/") && index == 1, strings.HasSuffix(f, "holdfast.repository"):
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			broken++
		}
		if strings.Contains(f, "/x/") {
			index++
		}
	}
	s := open(t, o)
	out, err := s.Repair(context.Background())
	if err != nil || len(out.Format) != 1 || len(out.Index) != 2 || broken != 3 {
		t.Fatalf("%d broken, repaired %+v, %v", broken, out, err)
	}
	closeStore(t, s)

	s = open(t, o)
	if found := verifyStore(t, s); len(found) != 0 {
		t.Errorf("findings after repair: %+v", found)
	}
	var live []place.ObjectID
	for id, want := range objects {
		if got, err := get(s, id); err != nil || !bytes.Equal(got, want) {
			t.Errorf("object %s: %d bytes, %v", id, len(got), err)
		}
		live = append(live, id)
	}
	for name, want := range records {
		if got, err := s.ReadRecord(context.Background(), name); err != nil || string(got) != want {
			t.Errorf("record %s = %q, %v", name, got, err)
		}
	}
	closeStore(t, s)
	for range 3 {
		if r := nightly(t, o, clock, live...); r.Marked != 0 {
			t.Errorf("maintenance after repair: %+v, want nothing marked", r)
		}
	}
	if out, err := open(t, o).Repair(context.Background()); err != nil || len(out.Index)+len(out.Format) != 0 {
		t.Errorf("repair of a sound place: %+v, %v", out, err)
	}
}
