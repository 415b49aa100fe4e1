package vault

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

var sweepAll = flag.Bool("sweep", false, "break every call of the sweep in every mode, not a share of them")

// life is what the sweep breaks: a second backup, its publication, a restore point, retention and maintenance. It says how far it came.
type life struct {
	published, pointed, retained bool
	head                         *Head
}

func sweepBodies() map[string]string {
	m := map[string]string{}
	for n := range 12 {
		m[mail(n, "").ID] = strings.Repeat(fmt.Sprintf("body %d ", n), 30+n*20)
	}
	return m
}

func (l *life) live(ctx context.Context, v *Vault, ref Ref, clock *sys.Shifted) error {
	r, err := v.Repository(ctx, ref)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // a repository that broke need not close well
	r.sizes = smallLayout
	c, err := r.Rebuild(ctx)
	if err != nil {
		return err
	}
	w, err := r.Writer(ctx, WriterOptions{Container: testMailbox, Base: c.Published[testMailbox.Key()], Epoch: 2})
	if err != nil {
		return err
	}
	defer w.Close()
	for id, body := range sweepBodies() {
		i := mail(0, "inbox")
		i.ID = id
		if err := w.Put(ctx, i, text(holdfast.FormMIME, body)); err != nil {
			return err
		}
	}
	if err := w.Delete(ctx, "old"); err != nil {
		return err
	}
	h, err := w.Seal(ctx)
	if err != nil {
		return err
	}
	l.head = h
	if _, err := r.Publish(ctx, []Head{*h}, Published); err != nil {
		return err
	}
	l.published = true
	p := holdfast.RestorePoint{
		ID: "second", Organization: testOrganization, Job: "job", Time: clock.Now().UTC(),
		Entries: []holdfast.PointEntry{{Container: testMailbox, Head: h.Number, State: holdfast.StateUpdated}},
	}
	if err := r.WriteRestorePoint(ctx, p, []Head{*h}); err != nil {
		return err
	}
	l.pointed = true
	w.Close()
	clock.Move(50 * time.Hour)
	v.TrustClock()
	if _, err := r.Retain(ctx, RetainOptions{Period: holdfast.RetentionPeriod{Days: 1}}); err != nil {
		return err
	}
	l.retained = true
	_, err = r.Maintain(ctx, nil)
	return err
}

// For the n-th call to the storage, broken in each way: what was acknowledged is there after a restart, what was not is there as a whole or not at all,
// and nothing that a restore point needs is damaged.
func TestBrokenCallsLoseNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	template := newBench(t)
	template.repo.sizes = smallLayout
	w := template.writer(nil)
	template.put(w, holdfast.Item{ID: "old", Parent: "inbox", Kind: holdfast.KindMail, Version: "1"}, strings.Repeat("old ", 300))
	first := template.publish(w)
	template.point("first", first)
	w.Close()
	template.close()

	modes := []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn, sys.FaultCrash}
	tried := 0
	for _, mode := range modes {
		for n := 1 + int(mode); ; n++ {
			if !*sweepAll && n > 1 {
				n += 24
			}
			faults := sys.BreakAt("", n, mode)
			b := &bench{t: t, dir: filepath.Join(t.TempDir(), "r"), clock: sys.NewShifted(sys.System), ref: template.ref, opts: template.opts}
			b.ref.Path = b.dir
			b.opts.Clock, b.opts.Faults = b.clock, faults
			if err := os.CopyFS(b.dir, os.DirFS(template.dir)); err != nil {
				t.Fatal(err)
			}
			var l life
			v := New(b.opts)
			err := l.live(t.Context(), v, b.ref, b.clock)
			_ = v.Close(context.Background()) // a crash closes nothing
			if faults.Fired() == "" {
				if err != nil {
					t.Fatalf("nothing was broken: %v", err)
				}
				break
			}
			tried++
			if err != nil && !errors.Is(err, sys.ErrInjected) && holdfast.KindOf(err) == holdfast.KindInternal {
				t.Errorf("%s %d at %s: %v is no error for people", mode, n, faults.Fired(), err)
			}
			b.opts.Faults = nil
			b.vault = New(b.opts)
			b.open()
			if err := b.judge(&l, first); err != nil {
				t.Errorf("%s at call %d (%s): %v", mode, n, faults.Fired(), err)
			}
			b.close()
			if err := os.RemoveAll(b.dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d calls broken", tried)
}

func (b *bench) judge(l *life, first *Head) error {
	ctx := b.t.Context()
	c, err := b.repo.Rebuild(ctx)
	if err != nil {
		return err
	}
	if len(c.Damage) > 0 {
		return fmt.Errorf("damage: %+v", c.Damage)
	}
	now := c.Published[testMailbox.Key()]
	second := l.head != nil && now.Object == l.head.Object
	if l.published && !second {
		return fmt.Errorf("the published head is gone, %d is current", now.Number)
	}
	if !second && now.Object != first.Object {
		return fmt.Errorf("head %s is current", now.Object)
	}
	points := map[holdfast.RestorePointID]bool{}
	for _, p := range c.Points {
		points[p.ID] = true
		h, err := b.repo.Head(ctx, p.Heads[testMailbox.Key()])
		if err != nil {
			return err
		}
		if err := b.whole(h, p.ID == "second"); err != nil {
			return fmt.Errorf("restore point %s: %w", p.ID, err)
		}
	}
	if l.pointed && !points["second"] {
		return errors.New("the acknowledged restore point is gone")
	}
	if !l.pointed && !points["first"] {
		return errors.New("the first restore point is gone")
	}
	if err := b.whole(now, second); err != nil {
		return fmt.Errorf("current head: %w", err)
	}
	got, err := b.repo.Verify(ctx, VerifyOptions{Payloads: true})
	if err != nil {
		return err
	}
	for _, d := range got.Damage {
		if !d.Harmless() {
			return fmt.Errorf("damage: %+v", d)
		}
	}
	// Work goes on.
	w, err := b.repo.Writer(ctx, WriterOptions{Container: testMailbox, Base: now, Epoch: 3})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Put(ctx, mail(99, "inbox"), text(holdfast.FormMIME, "after the fault")); err != nil {
		return err
	}
	h, err := w.Seal(ctx)
	if err != nil {
		return err
	}
	_, err = b.repo.Publish(ctx, []Head{*h}, Published)
	return err
}

// whole says whether a head shows exactly the first or the second state.
func (b *bench) whole(h *Head, second bool) error {
	v := b.view(h)
	want := map[string]string{"old": strings.Repeat("old ", 300)}
	if second {
		want = sweepBodies()
	}
	got := b.all(v)
	if len(got) != len(want) {
		return fmt.Errorf("%d items, want %d", len(got), len(want))
	}
	for id, body := range want {
		r, ok, err := v.Open(b.t.Context(), id, holdfast.FormMIME)
		if err != nil || !ok {
			return fmt.Errorf("%s: %v, %w", id, ok, err)
		}
		var have bytes.Buffer
		if _, err := copyAll(&have, r); err != nil || have.String() != body {
			return fmt.Errorf("%s: %d bytes, %w", id, have.Len(), err)
		}
	}
	return nil
}
