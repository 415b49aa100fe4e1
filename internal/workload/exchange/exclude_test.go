package exchange_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// withoutFolders leaves folders of every mailbox out.
type withoutFolders struct {
	engine.Source
	names []string
}

func (s withoutFolders) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	return s.Source.Read(engine.LeaveFoldersOut(ctx, s.names), c, prev, sink)
}

// inside gives the ids of the folders with these well-known names and of all below them, as the mailbox is.
func (f fixture) inside(t *testing.T, names []string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, name := range names {
		top, err := f.g.MailFolder(t.Context(), f.box.Source, name, graph.List{})
		if err != nil {
			t.Fatal(name, err)
		}
		for todo := []string{top.ID}; len(todo) > 0; todo = todo[1:] {
			out[todo[0]] = true
			l := graph.List{Hidden: true, Top: 100}
			page, err := f.g.ChildFolders(t.Context(), f.box.Source, todo[0], l)
			for child, err := range graph.All(t.Context(), f.g, page, err, l) {
				if err != nil {
					t.Fatal(err)
				}
				todo = append(todo, child.ID)
			}
		}
	}
	return out
}

// without reads the mailbox without folders and demands that the container has all the rest and nothing of those.
func (f fixture) without(t *testing.T, what string, c *workloadtest.Container, names ...string) {
	t.Helper()
	if err := c.Read(t.Context(), withoutFolders{f.source, names}, f.box); err != nil {
		t.Fatal(what, err)
	}
	left := f.inside(t, names)
	want, have := map[string]string{}, map[string]string{}
	for id, m := range f.truth(t) {
		if !left[m.ParentFolderID] {
			want[id] = m.ParentFolderID + " " + m.ChangeKey
		}
	}
	folders := map[string]bool{}
	for id, item := range c.Items() {
		switch item.Kind {
		case holdfast.KindMail:
			have[id] = item.Parent + " " + item.Version
		case holdfast.KindFolder:
			folders[id] = true
			if left[id] {
				t.Errorf("%s: folder %q is stored", what, item.Name)
			}
		}
	}
	for id := range want {
		if have[id] != want[id] {
			t.Errorf("%s: message %s is stored as %q, want %q", what, id, have[id], want[id])
		}
	}
	for id, at := range have {
		if want[id] == "" {
			t.Errorf("%s: message %s (%s) is stored and should not be", what, id, at)
		}
		if folder := at[:len(at)-1-len(c.Items()[id].Version)]; !folders[folder] {
			t.Errorf("%s: the folder of message %s is not stored", what, id)
		}
	}
}

// every one of the folders that can be left out, as far as a mailbox of the simulator has them.
var leftOutFolders = []string{"deleteditems", "drafts", "junkemail", "outbox"}

func TestFoldersAreLeftOutAndTakenInAgain(t *testing.T) {
	both(t, func(t *testing.T) { leavesFoldersOut(t, setup(t, sim.Options{Seed: 3})) })
	t.Run("without delta", func(t *testing.T) { leavesFoldersOut(t, china(t, sim.Options{Seed: 3})) })
}

func leavesFoldersOut(t *testing.T, f fixture) {
	box := f.box.Source
	folder := func(parent, name string) string {
		t.Helper()
		made, err := f.g.CreateMailFolder(t.Context(), box, parent, map[string]any{"displayName": name})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	mail := func(in, subject string) string {
		t.Helper()
		m, err := f.g.CreateMessage(t.Context(), box, in, map[string]any{"subject": subject, "body": map[string]any{"contentType": "text", "content": subject}})
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	move := func(id, to string) {
		t.Helper()
		if _, err := f.g.MoveMessage(t.Context(), box, id, to); err != nil {
			t.Fatal(err)
		}
	}
	moveFolder := func(id, to string) {
		t.Helper()
		answers, err := f.g.Batch(t.Context(), []graph.Part{{Method: "POST", Path: []string{"users", box, "mailFolders", id, "move"}, Body: map[string]any{"destinationId": to}}})
		if err != nil || answers[0].Err != nil {
			t.Fatal(err, answers)
		}
	}
	top := folder("msgfolderroot", "Project")
	below := folder(top, "Plans")
	deep := folder(below, "Old plans")
	for _, in := range []string{"inbox", "deleteditems", "junkemail", "drafts", top, below, deep} {
		mail(in, "one in "+in)
	}
	kept := mail("inbox", "to and fro")
	bin := mail("deleteditems", "back and forth")

	c := workloadtest.New()
	f.without(t, "at first", c, leftOutFolders...)
	if n := len(c.Items()); n == 0 {
		t.Fatal("nothing was read")
	}
	f.without(t, "idle", c, leftOutFolders...)
	move(kept, "deleteditems")
	move(bin, "inbox")
	f.without(t, "messages moved over the border", c, leftOutFolders...)
	move(kept, "inbox")
	f.without(t, "and back", c, leftOutFolders...)
	moveFolder(top, "deleteditems")
	f.without(t, "a folder with folders was deleted", c, leftOutFolders...)
	for _, id := range []string{top, below, deep} {
		if _, there := c.Items()[id]; there {
			t.Error("a deleted folder is stored")
		}
	}
	mail(deep, "new in the bin")
	f.without(t, "and got mail there", c, leftOutFolders...)
	moveFolder(below, "inbox")
	f.without(t, "a part of it was taken out", c, leftOutFolders...)
	if _, there := c.Items()[deep]; !there {
		t.Error("what is within a folder that was taken out is not read again")
	}
	moveFolder(top, "msgfolderroot")
	f.without(t, "all of it", c, leftOutFolders...)
	f.without(t, "nothing is left out any more", c)
	before := maps.Clone(c.Items())
	f.without(t, "everything is left out again", c, leftOutFolders...)
	if len(c.Items()) >= len(before) {
		t.Errorf("%d items, before %d", len(c.Items()), len(before))
	}
	for _, name := range c.CursorNames() {
		if id, ok := strings.CutPrefix(name, "f/"); ok && f.inside(t, leftOutFolders)[id] {
			t.Errorf("a folder that is left out keeps its link: %s", name)
		}
	}
	c.Compare = true
	f.without(t, "compared anew", c, leftOutFolders...)
}

// TestACrashWhileFoldersAreLeftOutResumes: at any savepoint.
func TestACrashWhileFoldersAreLeftOutResumes(t *testing.T) {
	f := setup(t, sim.Options{Seed: 3})
	for at := 1; ; at++ {
		trial := workloadtest.New()
		f.without(t, "before", trial)
		trial.Compare, trial.Saved = true, 0 // so that there are savepoints
		trial.AtSavepoint = func(n int) error {
			if n == at {
				return errors.New("crash")
			}
			return nil
		}
		err := trial.Read(t.Context(), withoutFolders{f.source, leftOutFolders}, f.box)
		trial.AtSavepoint = nil
		if err == nil {
			if at < 3 {
				t.Fatalf("only %d savepoints", at-1)
			}
			return
		}
		trial.Crash()
		f.without(t, "after a crash", trial, leftOutFolders...)
	}
}
