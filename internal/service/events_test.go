package service

import (
	"fmt"
	"testing"
)

// TestTheFeedForgetsOldChangesAndSaysSo: a client never misses a change without being told that its token is outdated.
func TestTheFeedForgetsOldChangesAndSaysSo(t *testing.T) {
	f := newFeed()
	every := func(Change) bool { return true }
	f.add([]Change{{Type: JobUpdated, ID: "first"}})
	for i := range 3 * changesKept {
		f.add([]Change{{Type: JobSessionUpdated, ID: fmt.Sprint(i)}})
	}
	if _, _, _, err := f.since(0, 10, every); err == nil {
		t.Error("a token from before what is kept is taken")
	}
	out, next, _, err := f.since(f.gone, 10*changesKept, every)
	if err != nil || next != f.last || len(out) < changesKept || int64(len(out)) != f.last-f.gone {
		t.Errorf("got %d changes after %d of %d, %v", len(out), f.gone, f.last, err)
	}
	// One object that changes all the time neither grows the feed nor outdates a token.
	token := f.last
	f.add([]Change{{Type: JobUpdated, ID: "quiet"}})
	for range 5 * changesKept {
		f.add([]Change{{Type: JobSessionUpdated, ID: "busy"}})
	}
	if out, _, _, err := f.since(token, 10, every); err != nil || len(out) != 2 || out[0].ID != "quiet" {
		t.Errorf("after %d there is %v, %v", token, out, err)
	}
	if len(f.all) > 2*changesKept+1 {
		t.Errorf("the feed has %d entries", len(f.all))
	}
}
