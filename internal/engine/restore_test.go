package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/engine/enginetest"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// newestHead is the head that was committed last.
func (w *world) newestHead() *vault.Head {
	all := w.db.All()
	head, err := engine.HeadOf(&all[len(all)-1])
	w.must(err)
	return head
}

// restore runs a request from the last head of a mailbox and gives the results by item.
func (w *world) restore(from, to string, request holdfast.RestoreRequest) (map[string]holdfast.ItemResult, error) {
	w.t.Helper()
	return w.restoreCtx(w.t.Context(), from, to, request)
}

func (w *world) restoreCtx(ctx context.Context, from, to string, request holdfast.RestoreRequest) (map[string]holdfast.ItemResult, error) {
	w.t.Helper()
	key := enginetest.Container(from).Key()
	var record holdfast.HeadRecord
	for _, h := range w.db.All() {
		if h.Container.Key() == key {
			record = h
		}
	}
	head, err := engine.HeadOf(&record)
	w.must(err)
	if request.ID == "" {
		request.ID = "request"
	}
	var mu sync.Mutex
	got := map[string]holdfast.ItemResult{}
	_, err = w.engine.Restore(ctx, w.repo, head, w.tenant, engine.RestoreTask{
		Lease: w.db.Lease("restore"), Request: request, From: enginetest.Container(from), To: enginetest.Container(to),
	}, func(r holdfast.ItemResult) {
		mu.Lock()
		defer mu.Unlock()
		got[r.Item] = r
	})
	return got, err
}

// oneMail is a mailbox with nothing but a mail, and its head.
func oneMail(t judge) (*world, *vault.Head) {
	t.Helper()
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 1)
	_, err := w.backup("ann")
	w.must(err)
	return w, w.newestHead()
}

func backedUp(t judge, mails int) *world {
	t.Helper()
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", mails)
	w.tenant.Put("ann", "sub", "inbox", "a/b/", "")
	w.tenant.Put("ann", "deep", "sub", "deep mail", "deep")
	_, err := w.backup("ann")
	w.must(err)
	return w
}

func TestRestoreOfAWholeMailboxElsewhere(t *testing.T) {
	w := backedUp(t, 12)
	got, err := w.restore("ann", "bob", holdfast.RestoreRequest{})
	w.must(err)
	if fmt.Sprint(w.tenant.Contents("bob")) != fmt.Sprint(w.tenant.Contents("ann")) {
		t.Errorf("bob has %v, want %v", w.tenant.Contents("bob"), w.tenant.Contents("ann"))
	}
	if r := got["deep"]; r.Outcome != string(engine.Created) || r.NewID == "" || r.Path != `/root/Inbox/a\/b/deep mail` {
		t.Errorf("result %+v", r)
	}
	if len(got) != 13 {
		t.Errorf("%d results, want 13", len(got))
	}
}

func TestRestoreOfASelection(t *testing.T) {
	for name, tc := range map[string]struct {
		items  []string
		folder string
		want   []string // names of folders and mail at the target
	}{
		"a mail at its old place":              {[]string{"m001"}, "", []string{"Inbox", "mail 1", "root"}},
		"a folder brings what is in it":        {[]string{"sub"}, "", []string{"Inbox", "a/b", "deep mail", "root"}},
		"what is selected twice comes once":    {[]string{"deep", "sub", "deep"}, "", []string{"Inbox", "a/b", "deep mail", "root"}},
		"an empty folder":                      {[]string{"empty"}, "", []string{"Empty", "root"}},
		"a mail into a folder":                 {[]string{"deep"}, "Back", []string{"Back", "deep mail"}},
		"a folder into a folder":               {[]string{"sub", "m001"}, "Back", []string{"Back", "a/b", "deep mail", "mail 1"}},
		"a parent and its child into a folder": {[]string{"m000", "inbox"}, "Back", []string{"Back", "Inbox", "a/b", "deep mail", "mail 0", "mail 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := backedUp(t, 2)
			_, err := w.restore("ann", "bob", holdfast.RestoreRequest{Items: tc.items, Folder: tc.folder})
			w.must(err)
			var got []string
			for what, n := range w.tenant.Contents("bob") {
				name, _, _ := strings.Cut(what, "\x00")
				for range n {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			if fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRestoreNamesWhatItCouldNot(t *testing.T) {
	w := backedUp(t, 3)
	w.tenant.Break("bob", "m001", &holdfast.Skip{Reason: holdfast.SkipTooLarge, Err: errors.New("too large for this mailbox")})
	got, err := w.restore("ann", "bob", holdfast.RestoreRequest{Items: []string{"inbox", "never was"}})
	w.must(err)
	if r := got["m001"]; r.Outcome != string(engine.Skipped) || r.Reason != holdfast.SkipTooLarge || !strings.Contains(r.Detail, "too large") {
		t.Errorf("m001: %+v", r)
	}
	if r := got["never was"]; r.Outcome != string(engine.Skipped) || r.Reason != holdfast.SkipGone {
		t.Errorf("never was: %+v", r)
	}
	if r := got["m002"]; r.Outcome != string(engine.Created) {
		t.Errorf("m002: %+v", r)
	}
}

// lockedTarget is locked at first, as a file that somebody has just saved.
type lockedTarget struct {
	dyingTarget
	reason holdfast.SkipReason
	locked int // calls that are refused
	calls  int
}

func (d *lockedTarget) Open(context.Context, engine.RestorePlan) (engine.Restore, error) {
	return d, nil
}

func (d *lockedTarget) Put(context.Context, engine.Put) (engine.Restored, error) {
	if d.calls++; d.calls <= d.locked {
		return engine.Restored{}, &holdfast.Skip{Reason: d.reason, Err: errors.New("not now")}
	}
	return engine.Restored{Outcome: engine.Created, NewID: "new"}, nil
}

// What is locked for a moment is put back, and what stays locked is named, without an end to the restore.
func TestRestoreWaitsForALockOfAMoment(t *testing.T) {
	w, head := oneMail(t)
	for _, tc := range []struct {
		reason holdfast.SkipReason
		times  int
		calls  int
		want   string
	}{{holdfast.SkipLocked, 2, 3, "created"}, {holdfast.SkipChanging, 2, 3, "created"}, {holdfast.SkipLocked, 100, 4, "skipped locked"}, {holdfast.SkipTooLarge, 1, 1, "skipped too large"}} {
		d := &lockedTarget{reason: tc.reason, locked: tc.times}
		got := ""
		_, err := w.engine.Restore(t.Context(), w.repo, head, d, engine.RestoreTask{
			Lease: w.db.Lease("restore"), Request: holdfast.RestoreRequest{ID: fmt.Sprint(tc)}, From: enginetest.Container("ann"), To: enginetest.Container("bob"),
		}, func(r holdfast.ItemResult) { got = strings.TrimSpace(r.Outcome + " " + string(r.Reason)) })
		w.must(err)
		if got != tc.want || d.calls != tc.calls {
			t.Errorf("%s %d times: %s after %d calls, want %s after %d", tc.reason, tc.times, got, d.calls, tc.want, tc.calls)
		}
	}
}

// For every n, the n-th call to target or database breaks; then the restore is asked for again. No item is there twice, none is missing.
func TestRestoreSweepMakesNoDuplicates(t *testing.T) { restoreSweepMakesNoDuplicates(t) }

func restoreSweepMakesNoDuplicates(t judge) {
	w := backedUp(t, 5)
	want := fmt.Sprint(w.tenant.Contents("ann"))
	for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultCrash} {
		for n := 1; ; n++ {
			faults := sys.BreakAt("", n, mode)
			to := fmt.Sprint("to ", mode, n)
			request := holdfast.RestoreRequest{ID: fmt.Sprint("request ", mode, n)}
			w.db.Faults, w.tenant.Faults = faults, faults
			_, _ = w.restore("ann", to, request)
			fired := faults.Fired()
			w.db.Faults, w.tenant.Faults = nil, nil
			if _, err := w.restore("ann", to, request); err != nil {
				t.Fatalf("%s at call %d (%s): the second attempt: %v", mode, n, fired, err)
			}
			if got := fmt.Sprint(w.tenant.Contents(to)); got != want {
				t.Errorf("%s at call %d (%s): got %s, want %s", mode, n, fired, got, want)
			}
			if fired == "" {
				if n < 20 {
					t.Errorf("a restore made only %d calls", n)
				}
				break
			}
		}
	}
}

func TestRestoreOfAnUnchangedMailboxDoesNothing(t *testing.T) {
	w := backedUp(t, 3)
	before := fmt.Sprint(w.tenant.Contents("ann"))
	got, err := w.restore("ann", "ann", holdfast.RestoreRequest{})
	w.must(err)
	for id, r := range got {
		if r.Outcome != string(engine.Existing) {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if after := fmt.Sprint(w.tenant.Contents("ann")); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}

func TestRestoreIsStoppedAndGoesOn(t *testing.T) {
	w := backedUp(t, 30)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the user")
	n := 0
	key := enginetest.Container("ann").Key()
	head := w.newestHead()
	if head.Container.Key() != key {
		t.Fatal("another head")
	}
	var mu sync.Mutex
	_, err := w.engine.Restore(ctx, w.repo, head, w.tenant, engine.RestoreTask{
		Lease: w.db.Lease("restore"), Request: holdfast.RestoreRequest{ID: "request"}, From: enginetest.Container("ann"), To: enginetest.Container("bob"),
	}, func(holdfast.ItemResult) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == 5 {
			cancel(stop)
		}
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if mails := len(w.tenant.Contents("bob")); mails > 20 {
		t.Errorf("%d things restored after the stop at 5", mails)
	}
	_, err = w.restore("ann", "bob", holdfast.RestoreRequest{ID: "request"})
	w.must(err)
	if fmt.Sprint(w.tenant.Contents("bob")) != fmt.Sprint(w.tenant.Contents("ann")) {
		t.Error("after the second attempt bob differs from ann")
	}
}

func TestRestoreGivesUpWhenNothingWorks(t *testing.T) {
	w := backedUp(t, 30)
	down := &downTarget{}
	key := w.db.All()
	head, err := engine.HeadOf(&key[0])
	w.must(err)
	_, err = w.engine.Restore(t.Context(), w.repo, head, down, engine.RestoreTask{
		Lease: w.db.Lease("restore"), Request: holdfast.RestoreRequest{ID: "request"}, From: enginetest.Container("ann"), To: enginetest.Container("bob"),
	}, nil)
	if holdfast.KindOf(err) != holdfast.KindUnavailable || !strings.Contains(err.Error(), "in a row") {
		t.Errorf("got %v", err)
	}
}

type downTarget struct{}

func (d *downTarget) Open(context.Context, engine.RestorePlan) (engine.Restore, error) { return d, nil }
func (d *downTarget) Folder(context.Context, holdfast.Item, string) (string, error)    { return "f", nil }
func (d *downTarget) Close(context.Context) error                                      { return nil }
func (d *downTarget) Put(context.Context, engine.Put) (engine.Restored, error) {
	return engine.Restored{}, holdfast.Unavailable("503")
}

// dyingTarget makes an item and dies; when the program starts again it makes it whole.
type dyingTarget struct{ told []string }

func (d *dyingTarget) Open(context.Context, engine.RestorePlan) (engine.Restore, error) {
	return d, nil
}
func (d *dyingTarget) Folder(context.Context, holdfast.Item, string) (string, error) { return "f", nil }
func (d *dyingTarget) Close(context.Context) error                                   { return nil }
func (d *dyingTarget) Resumed(_ context.Context, p engine.Put) error {
	d.told = append(d.told, "resumed "+p.NewID)
	return nil
}

func (d *dyingTarget) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	d.told = append(d.told, fmt.Sprintf("put again %t, as %q", p.Again, p.NewID))
	if p.NewID == "" {
		if err := p.Made(ctx, "new"); err != nil {
			return engine.Restored{}, err
		}
		return engine.Restored{}, holdfast.Denied("the end")
	}
	return engine.Restored{Outcome: engine.Created, NewID: p.NewID}, nil
}

// An attempt gets the id of what an earlier one made and did not finish, and is told of what one did finish.
func TestWhatAnAttemptMadeIsKnownToTheNext(t *testing.T) {
	w, head := oneMail(t)
	d := &dyingTarget{}
	run := func() error {
		_, err := w.engine.Restore(t.Context(), w.repo, head, d, engine.RestoreTask{
			Lease: w.db.Lease("restore"), Request: holdfast.RestoreRequest{ID: "request"}, From: enginetest.Container("ann"), To: enginetest.Container("bob"),
		}, nil)
		return err
	}
	if err := run(); holdfast.KindOf(err) != holdfast.KindDenied {
		t.Fatal(err)
	}
	w.must(run())
	w.must(run())
	if want := []string{`put again false, as ""`, `put again true, as "new"`, "resumed new"}; !slices.Equal(d.told, want) {
		t.Errorf("the target was told %q, want %q", d.told, want)
	}
}

// notingTarget notes something and dies.
type notingTarget struct {
	dyingTarget
	found []string
}

func (d *notingTarget) Open(ctx context.Context, p engine.RestorePlan) (engine.Restore, error) {
	if p.DryRun {
		if p.Notes != nil {
			return nil, errors.New("a dry run has notes")
		}
		return d, nil
	}
	was, err := p.Notes.Noted(ctx, "door")
	if err != nil {
		return nil, err
	}
	d.found = append(d.found, was)
	return d, p.Notes.Note(ctx, "door", fmt.Sprintf("open %d", len(d.found)))
}

// What an attempt noted down is known to the next one of the same request, and to no other; nothing of it is an item.
func TestWhatAnAttemptNotedIsKnownToTheNext(t *testing.T) {
	w, head := oneMail(t)
	d := &notingTarget{}
	for i, request := range []string{"request", "request", "request", "another"} {
		var items []string
		task := engine.RestoreTask{Lease: w.db.Lease("restore"), Request: holdfast.RestoreRequest{ID: request}, From: enginetest.Container("ann"), To: enginetest.Container("bob")}
		stats, err := w.engine.Restore(t.Context(), w.repo, head, d, task, func(r holdfast.ItemResult) { items = append(items, r.Name) })
		if dies := i == 0 || request == "another"; dies != (holdfast.KindOf(err) == holdfast.KindDenied) {
			t.Fatalf("attempt %d: %v", i, err)
		}
		if stats.Items > 1 || len(items) > 1 {
			t.Errorf("attempt %d: %d items, %q", i, stats.Items, items)
		}
	}
	if want := []string{"", "open 1", "open 2", ""}; !slices.Equal(d.found, want) {
		t.Errorf("noted were %q, want %q", d.found, want)
	}
}

// takingTarget notes what it is given.
type takingTarget struct {
	mu      sync.Mutex
	puts    map[string]string // path of the folder and name -> version, time and content
	folders map[string]bool
}

func (d *takingTarget) Open(context.Context, engine.RestorePlan) (engine.Restore, error) {
	return d, nil
}

func (d *takingTarget) Folder(_ context.Context, f holdfast.Item, parent string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.folders == nil {
		d.folders = map[string]bool{}
	}
	d.folders[parent+"/"+f.Name] = true
	return parent + "/" + f.Name, nil
}
func (d *takingTarget) Close(context.Context) error { return nil }
func (d *takingTarget) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	body, ok, err := p.Open(ctx, holdfast.FormFile)
	if err != nil || !ok {
		return engine.Restored{}, fmt.Errorf("content there %t, %w", ok, err)
	}
	content, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return engine.Restored{}, err
	}
	about, ok, err := p.Open(ctx, holdfast.FormJSON)
	if err != nil || !ok {
		return engine.Restored{}, fmt.Errorf("description there %t, %w", ok, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.puts[p.Parent+"/"+p.Item.Name] = fmt.Sprintf("%s %s %d %s, created %s, versions %t, %s", p.Item.ID, p.Item.Time.UTC().Format(time.DateOnly), p.Item.Size, content, p.Item.Fields[holdfast.FieldCreated], p.Versions != nil, p.Item.Kind)
	return engine.Restored{Outcome: engine.Created, NewID: "new"}, about.Close()
}

func TestRestoreOfOneOlderVersion(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	c := enginetest.Container("ann")
	at := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: c, Epoch: 1})
	w.must(err)
	defer writer.Close()
	body := func(f holdfast.Form, text string) holdfast.Payload {
		return holdfast.Whole(f, strings.NewReader(text), int64(len(text)))
	}
	w.must(writer.Put(t.Context(), holdfast.Item{ID: "folder", Kind: holdfast.KindFolder, Version: "1", Name: "Papers"}))
	w.must(writer.Put(t.Context(), holdfast.Item{ID: "file", Parent: "folder", Kind: holdfast.KindFile, Version: "e3", Name: "plan.txt", Time: at.AddDate(0, 0, 2), Size: 7,
		Fields: map[string]string{holdfast.FieldCreated: "2026-01-01T00:00:00Z", holdfast.FieldHash: "of the newest"}}, body(holdfast.FormFile, "newest!"), body(holdfast.FormJSON, "{}")))
	w.must(writer.Put(t.Context(), holdfast.Item{ID: "file@1.0", Parent: "file", Kind: holdfast.KindVersion, Version: "1.0", Name: "plan.txt", Time: at, Size: 5,
		Fields: map[string]string{holdfast.FieldVersionID: "1.0"}}, body(holdfast.FormFile, "first")))
	head, err := writer.Seal(t.Context())
	w.must(err)
	_, err = w.repo.Publish(t.Context(), []vault.Head{*head}, vault.Published)
	w.must(err)
	for name, tc := range map[string]struct {
		items  []string
		folder string
		want   map[string]string
	}{
		"to its place":          {[]string{"file@1.0"}, "", map[string]string{"/Papers/plan.txt": "file 2026-02-01 5 first, created 2026-01-01T00:00:00Z, versions false, file"}},
		"elsewhere":             {[]string{"file@1.0"}, "Back", map[string]string{"/plan.txt": "file 2026-02-01 5 first, created 2026-01-01T00:00:00Z, versions false, file"}},
		"the file":              {[]string{"file"}, "", map[string]string{"/Papers/plan.txt": "file 2026-02-03 7 newest!, created 2026-01-01T00:00:00Z, versions true, file"}},
		"with its folder, once": {[]string{"folder", "file@1.0"}, "", map[string]string{"/Papers/plan.txt": "file 2026-02-03 7 newest!, created 2026-01-01T00:00:00Z, versions true, file"}},
	} {
		t.Run(name, func(t *testing.T) {
			to := &takingTarget{puts: map[string]string{}}
			_, err := w.engine.Restore(t.Context(), w.repo, head, to, engine.RestoreTask{
				Lease: w.db.Lease("restore " + holdfast.TaskID(name)), Request: holdfast.RestoreRequest{ID: name, Items: tc.items, Folder: tc.folder, AllVersions: true}, From: c, To: c,
			}, nil)
			if err != nil || fmt.Sprint(to.puts) != fmt.Sprint(tc.want) {
				t.Errorf("put %v, %v; want %v", to.puts, err, tc.want)
			}
		})
	}
}

// orderTarget notes the order in which older versions come.
type orderTarget struct {
	takingTarget
	order []string
}

func (d *orderTarget) Open(context.Context, engine.RestorePlan) (engine.Restore, error) {
	return d, nil
}

func (d *orderTarget) Put(_ context.Context, p engine.Put) (engine.Restored, error) {
	for v, err := range p.Versions {
		if err != nil {
			return engine.Restored{}, err
		}
		d.order = append(d.order, v.Item.Version)
	}
	return engine.Restored{Outcome: engine.Created, NewID: "new"}, nil
}

func TestVersionsOfOneSecondComeByTheirNumbers(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	c := enginetest.Container("ann")
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: c, Epoch: 1})
	w.must(err)
	defer writer.Close()
	at := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	body := func() holdfast.Payload { return holdfast.Whole(holdfast.FormFile, strings.NewReader("x"), 1) }
	w.must(writer.Put(t.Context(), holdfast.Item{ID: "file", Kind: holdfast.KindFile, Version: "e", Name: "plan.txt", Time: at, Size: 1}, body()))
	for _, v := range []string{"2.0", "9.0", "10.0", "11.0"} {
		w.must(writer.Put(t.Context(), holdfast.Item{ID: "file@" + v, Parent: "file", Kind: holdfast.KindVersion, Version: v, Name: "plan.txt", Time: at, Size: 1}, body()))
	}
	w.must(writer.Put(t.Context(), holdfast.Item{ID: "file@12.0", Parent: "file", Kind: holdfast.KindVersion, Version: "12.0", Name: "plan.txt", Time: at.Add(-time.Hour), Size: 1}, body()))
	head, err := writer.Seal(t.Context())
	w.must(err)
	_, err = w.repo.Publish(t.Context(), []vault.Head{*head}, vault.Published)
	w.must(err)
	to := &orderTarget{}
	_, err = w.engine.Restore(t.Context(), w.repo, head, to, engine.RestoreTask{Lease: w.db.Lease("restore"), Request: holdfast.RestoreRequest{ID: "r", Items: []string{"file"}, AllVersions: true}, From: c, To: c}, nil)
	if want := []string{"12.0", "2.0", "9.0", "10.0", "11.0"}; err != nil || !slices.Equal(to.order, want) {
		t.Errorf("versions come as %v, %v; want %v", to.order, err, want)
	}
}

func TestRestoreLeavesExcludedFoldersOut(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	c := enginetest.Container("ann")
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: c, Epoch: 1})
	w.must(err)
	defer writer.Close()
	special := func(name string) map[string]string { return map[string]string{holdfast.FieldSpecial: name} }
	for _, f := range []holdfast.Item{
		{ID: "root", Name: "root", Fields: special("msgfolderroot")}, {ID: "inbox", Parent: "root", Name: "Inbox", Fields: special("inbox")},
		{ID: "drafts", Parent: "root", Name: "Entwürfe", Fields: special("drafts")}, {ID: "below", Parent: "drafts", Name: "Drafts", Fields: special("")},
		{ID: "named", Parent: "inbox", Name: "Drafts"},
	} {
		f.Kind, f.Version = holdfast.KindFolder, "1"
		w.must(writer.Put(t.Context(), f))
	}
	for _, parent := range []string{"inbox", "drafts", "below", "named"} {
		body := func(f holdfast.Form) holdfast.Payload {
			return holdfast.Whole(f, strings.NewReader("x"), 1)
		}
		w.must(writer.Put(t.Context(), holdfast.Item{ID: "in " + parent, Parent: parent, Kind: holdfast.KindMail, Version: "1", Name: "in " + parent}, body(holdfast.FormFile), body(holdfast.FormJSON)))
	}
	head, err := writer.Seal(t.Context())
	w.must(err)
	_, err = w.repo.Publish(t.Context(), []vault.Head{*head}, vault.Published)
	w.must(err)
	for name, tc := range map[string]struct {
		items, exclude []string
		want           string
	}{
		"nothing":                 {nil, nil, "below drafts inbox named"},
		"of the mailbox":          {nil, []string{"drafts", "deleteditems"}, "inbox named"},
		"of the tree":             {[]string{"root"}, []string{"drafts"}, "inbox named"},
		"what was selected by it": {[]string{"in below", "in named"}, []string{"drafts"}, "named"},
		"the folder itself":       {[]string{"drafts"}, []string{"drafts"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			to := &takingTarget{puts: map[string]string{}}
			_, err := w.engine.Restore(t.Context(), w.repo, head, to, engine.RestoreTask{
				Lease: w.db.Lease("restore " + holdfast.TaskID(name)), Request: holdfast.RestoreRequest{ID: name, Items: tc.items, Exclude: tc.exclude}, From: c, To: c,
			}, nil)
			var got []string
			for path := range to.puts {
				got = append(got, path[strings.LastIndex(path, " ")+1:])
			}
			slices.Sort(got)
			if err != nil || strings.Join(got, " ") != tc.want {
				t.Errorf("restored %v, %v; want %s", got, err, tc.want)
			}
			for folder := range to.folders {
				if len(tc.exclude) > 0 && strings.Contains(folder, "Entwürfe") {
					t.Errorf("folder %q was made", folder)
				}
			}
		})
	}
}

func TestAPlanChangesNothingAndSaysWhatTheRestoreDoes(t *testing.T) {
	w := backedUp(t, 8)
	w.tenant.Put("ann", "m003", "inbox", "mail 3", "changed since")
	w.tenant.Delete("ann", "deep")
	var record holdfast.HeadRecord
	for _, h := range w.db.All() {
		record = h
	}
	head, err := engine.HeadOf(&record)
	w.must(err)
	var mu sync.Mutex
	planned := map[string]string{}
	before := fmt.Sprint(w.tenant.Contents("ann"))
	cost, err := w.engine.Plan(t.Context(), w.repo, head, w.tenant, engine.RestoreTask{Request: holdfast.RestoreRequest{ID: "plan"}, From: enginetest.Container("ann"), To: enginetest.Container("ann")}, func(r holdfast.ItemResult) {
		mu.Lock()
		defer mu.Unlock()
		planned[r.Item] = r.Outcome
	})
	w.must(err)
	if after := fmt.Sprint(w.tenant.Contents("ann")); after != before {
		t.Errorf("a plan changed %s to %s", before, after)
	}
	got, err := w.restore("ann", "ann", holdfast.RestoreRequest{})
	w.must(err)
	done := map[string]string{}
	for id, r := range got {
		done[id] = r.Outcome
	}
	if fmt.Sprint(planned) != fmt.Sprint(done) || len(done) == 0 {
		t.Errorf("planned %v\ndone    %v", planned, done)
	}
	if cost.Requests == 0 {
		t.Errorf("what is created costs %+v", cost)
	}
}

func TestChangesAreWhatHappenedSinceARestorePoint(t *testing.T) {
	w := backedUp(t, 5)
	var record holdfast.HeadRecord
	for _, h := range w.db.All() {
		record = h
	}
	head, err := engine.HeadOf(&record)
	w.must(err)
	changes := func() string {
		all, err := w.engine.Changes(t.Context(), w.repo, head, w.tenant, enginetest.Container("ann"))
		w.must(err)
		var out []string
		for _, c := range all {
			out = append(out, fmt.Sprint(c.Kind, " ", c.Before.ID, c.After.ID))
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	if got := changes(); got != "" {
		t.Errorf("nothing happened, but there is %s", got)
	}
	w.tenant.Put("ann", "fresh", "inbox", "fresh", "fresh")
	w.tenant.Put("ann", "deep", "sub", "deep mail", "deeper")
	w.tenant.Delete("ann", "m002")
	for range 2 { // nothing is remembered
		if got := changes(); !strings.Contains(got, "added fresh") || !strings.Contains(got, "changed deepdeep") || !strings.Contains(got, "removed") {
			t.Errorf("changes are %s", got)
		}
	}
	w.tenant.Expire("ann")
	if got := changes(); !strings.Contains(got, "added fresh") || strings.Count(got, "removed") != 1 {
		t.Errorf("after the cursor expired changes are %s", got)
	}
	w.tenant.Refuse("ann", &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New("no mailbox")})
	if _, err := w.engine.Changes(t.Context(), w.repo, head, w.tenant, enginetest.Container("ann")); err == nil {
		t.Error("a mailbox that is gone is compared")
	}
}

// spoilt is a mailbox of many mails, of whose list of items the repository has lost a part, and the world that can still read the rest.
func spoilt(t *testing.T, mails int) (w *world, lost *vault.LostError, there map[string]bool) {
	t.Helper()
	w = newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 0)
	random := rand.NewChaCha8([32]byte{7})
	for i := range mails {
		name := make([]byte, 80)
		_, _ = random.Read(name)
		w.tenant.Put("ann", fmt.Sprintf("m%05d", i), "inbox", fmt.Sprintf("mail %d %x", i, name), "")
	}
	_, err := w.backup("ann")
	w.must(err)
	w.stop()
	var packs []string
	w.must(filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil && info.Size() > 20_000 {
				packs = append(packs, path)
			}
		}
		return err
	}))
	for _, path := range packs {
		sound, err := os.ReadFile(path)
		w.must(err)
		for part := range 40 {
			broken := bytes.Clone(sound)
			broken[len(sound)*(2*part+1)/80] ^= 1
			w.must(os.WriteFile(path, broken, 0o600))
			if w.start(nil) != nil {
				continue
			}
			view, err := w.repo.View(t.Context(), w.newestHead())
			w.must(err)
			lost, there = nil, map[string]bool{}
			for item, err := range view.All(t.Context()) {
				if err == nil {
					there[item.ID] = true
				} else if !errors.As(err, &lost) {
					lost = nil
					break
				}
			}
			if lost != nil {
				return w, lost, there
			}
		}
		w.stop()
		w.must(os.WriteFile(path, sound, 0o600))
	}
	t.Fatalf("no change of %d packs loses a part of the list alone", len(packs))
	return nil, nil, nil
}

// A repository lost a part of the list of what a mailbox has. All the rest comes back, and what is lost is named, whether all is restored or what
// was selected.
func TestARestoreGivesBackAllButWhatTheRepositoryLost(t *testing.T) {
	const mails = 2500
	w, lost, there := spoilt(t, mails)
	if lost.Rows < 10 || lost.Rows > mails/2 || len(there)+lost.Rows != mails+3 {
		t.Fatalf("%d of %d can be read, %d are lost", len(there), mails+3, lost.Rows)
	}
	for name, items := range map[string][]string{"all": nil, "a folder and each mail": {"inbox"}} {
		for i := range mails {
			if items != nil {
				items = append(items, fmt.Sprintf("m%05d", i))
			}
		}
		to := strings.Fields(name)[0]
		got, err := w.restore("ann", to, holdfast.RestoreRequest{ID: to, Items: items})
		w.must(err)
		named := 0
		for id, r := range got {
			if strings.HasPrefix(id, "m") && (r.Outcome == string(engine.Created)) != there[id] {
				t.Fatalf("%s: %s is %+v, and can be read: %v", name, id, r, there[id])
			}
			if strings.HasPrefix(id, "lost ") {
				named++
				if r.Outcome != string(engine.Skipped) || r.Reason != holdfast.SkipCorrupt || !strings.Contains(r.Name, fmt.Sprint(lost.Rows)) || !strings.Contains(r.Detail, "another restore point") {
					t.Errorf("%s: %+v", name, r)
				}
			}
		}
		if named != 1 {
			t.Errorf("%s: what is lost is named %d times", name, named)
		}
		for id := range there {
			if strings.HasPrefix(id, "m") && got[id].Outcome != string(engine.Created) {
				t.Errorf("%s: %s did not come back: %+v", name, id, got[id])
			}
		}
	}
}
