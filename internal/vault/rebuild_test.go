package vault

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
)

func TestNewestEpochWinsInARebuild(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "base")
	base := b.publish(w)
	w.Close()
	publish := func(epoch holdfast.Epoch, body string, seals int) *Head {
		w, err := b.repo.Writer(ctx, WriterOptions{Container: testMailbox, Base: base, Epoch: epoch})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var h *Head
		for range seals {
			b.put(w, mail(2, "inbox"), body)
			h = b.publish(w)
		}
		return h
	}
	newer := publish(3, "of the new lease", 1)
	publish(2, "of a stale writer that woke up", 4) // later in time, higher in number
	c, err := b.repo.Rebuild(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Published[testMailbox.Key()]; got.Object != newer.Object {
		t.Errorf("rebuild takes head %d of epoch %d", got.Number, got.Epoch)
	}
	if _, err := b.repo.Writer(ctx, WriterOptions{Container: testMailbox, Base: newer, Epoch: 2}); holdfast.KindOf(err) != holdfast.KindStale {
		t.Errorf("a writer with an older epoch than its base: %v", err)
	}
}

func TestPublishRefusesWhatWasNotSealedHere(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "body")
	h, err := w.Seal(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.reopen() // a crash between seal and publish: what the head needs is lost
	if _, err := b.repo.Publish(ctx, []Head{*h}, Published); holdfast.KindOf(err) != holdfast.KindConflict {
		t.Errorf("publish of a head that was lost: %v", err)
	}
	p := holdfast.RestorePoint{ID: "p", Entries: []holdfast.PointEntry{{Container: testMailbox, Head: h.Number, State: holdfast.StateUpdated}}}
	if err := b.repo.WriteRestorePoint(ctx, p, []Head{*h}); holdfast.KindOf(err) != holdfast.KindDamaged {
		t.Errorf("restore point with a head that is not there: %v", err)
	}
	if n := b.points(); n != 0 {
		t.Errorf("%d restore points", n)
	}
}

// spoil changes every file of those that are not in before and pass, and gives how many.
func (b *bench) spoil(before []string, pass func(path string) bool) (n int) {
	b.t.Helper()
	for _, path := range b.files() {
		if slices.Contains(before, path) || !pass(path) {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range data {
			data[i] ^= 0x40
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.t.Fatal(err)
		}
		n++
	}
	return n
}

func TestRebuildNamesWhatIsLostAndKeepsTheRest(t *testing.T) {
	for name, tc := range map[string]struct {
		journal bool // its entry is lost too
		hurt    []holdfast.RestorePointID
	}{
		"the journal has the head too": {false, nil},
		"head and journal entry":       {true, []holdfast.RestorePointID{"both", "one"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			one, two := testMailbox, testMailbox
			one.Source, two.Source = "mailbox-1", "mailbox-2"
			w := b.writerOf(two, nil)
			b.put(w, mail(1, "inbox"), "kept")
			kept := b.publish(w)
			w.Close()
			b.point("two", kept)
			before := b.files()
			w = b.writerOf(one, nil)
			b.put(w, mail(2, "inbox"), "lost")
			lost := b.publish(w)
			w.Close()
			packs := b.files()
			b.point("one", lost)
			p := holdfast.RestorePoint{ID: "both", Organization: testOrganization, Job: "job", Time: b.clock.Now().UTC(), Entries: []holdfast.PointEntry{
				{Container: one, Head: lost.Number, State: holdfast.StateUpdated}, {Container: two, Head: kept.Number, State: holdfast.StateNotUpdated}}}
			if err := b.repo.WriteRestorePoint(t.Context(), p, []Head{*lost, *kept}); err != nil {
				t.Fatal(err)
			}
			b.close()
			n := b.spoil(before, func(path string) bool {
				base := filepath.Base(path)
				pack := strings.Contains(path, string(filepath.Separator)+"p"+string(filepath.Separator)) || strings.Contains(path, string(filepath.Separator)+"q"+string(filepath.Separator))
				return slices.Contains(packs, path) && (pack || tc.journal && strings.Contains(base, "journal."))
			})
			if n == 0 {
				t.Fatal("nothing was damaged")
			}
			b.vault = New(b.opts)
			b.open()
			c, err := b.repo.Rebuild(t.Context())
			if err != nil {
				t.Fatalf("one unreadable head ended the rebuild: %v", err)
			}
			if len(c.Points) != 3 {
				t.Errorf("%d restore points, want 3", len(c.Points))
			}
			if c.Heads[kept.Object] == nil || c.Published[two.Key()] == nil {
				t.Error("the sound container is lost too")
			}
			if got := c.Heads[lost.Object] != nil; got == tc.journal {
				t.Errorf("head of the damaged container known: %t", got)
			}
			var hurt []holdfast.RestorePointID
			named := false
			for _, d := range c.Damage {
				hurt = append(hurt, d.Points...)
				named = named || strings.Contains(d.What, one.Key())
			}
			slices.Sort(hurt)
			if !named || !slices.Equal(hurt, tc.hurt) {
				t.Errorf("damage %+v hurts %v, want %v, naming %s", c.Damage, hurt, tc.hurt, one.Key())
			}
		})
	}
}

// A container that a session could not update keeps its head in the restore point; but not one that is lost meanwhile.
func TestRestorePointWithALostOlderHeadIsRefused(t *testing.T) {
	b := newBench(t)
	before := b.files()
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "body")
	h := b.publish(w)
	w.Close()
	b.point("before", h)
	b.close()
	if n := b.spoil(before, func(path string) bool { return strings.Contains(path, "/q/") || strings.Contains(path, "/p/") }); n == 0 {
		t.Fatal("nothing was damaged")
	}
	b.vault = New(b.opts)
	b.open()
	p := holdfast.RestorePoint{ID: "after", Time: b.clock.Now(), Entries: []holdfast.PointEntry{{Container: testMailbox, Head: h.Number, State: holdfast.StateNotUpdated}}}
	if err := b.repo.WriteRestorePoint(t.Context(), p, []Head{*h}); holdfast.KindOf(err) != holdfast.KindDamaged {
		t.Errorf("restore point with a head that is lost: %v", err)
	}
	if n := b.points(); n != 1 {
		t.Errorf("%d restore points, want the one of before", n)
	}
}
