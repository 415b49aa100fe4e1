package exchange_test

import (
	"slices"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// mails gives the committed mails by folder, folders in the order in which they are read.
func mails(c *workloadtest.Container) (folders []string, in map[string][]string) {
	in = map[string][]string{}
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail {
			in[item.Parent] = append(in[item.Parent], id)
		}
	}
	for f := range in {
		folders = append(folders, f)
		slices.Sort(in[f])
	}
	slices.Sort(folders)
	return folders, in
}

func TestMailboxThatGoesWhileItIsReadIsNotEmpty(t *testing.T) {
	f := setup(t, sim.Options{Seed: 23})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	n := len(c.Items())
	folders, in := mails(c)
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, in[folders[0]][0], "", map[string]any{"isRead": true, "categories": []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	c.AtSavepoint = func(int) error { return f.sim.SetMailbox(f.box.Source, sim.MailboxGone) }
	err := c.Read(t.Context(), f.source, f.box)
	var skip *holdfast.Skip
	if !asSkip(err, &skip) || skip.Reason != holdfast.SkipGone {
		t.Errorf("got %v, want a skip of reason gone", err)
	}
	c.Crash() // what was saved is what the next read starts from
	if len(c.Items()) != n {
		t.Errorf("%d items are left of %d", len(c.Items()), n)
	}
}

func TestMoveIntoAFolderThatWasRead(t *testing.T) {
	f := setup(t, sim.Options{Seed: 25})
	probe := workloadtest.New()
	if err := probe.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(probe)
	last := folders[len(folders)-1]
	c := workloadtest.New()
	c.AtSavepoint = func(n int) error {
		if n != 2 {
			return nil
		}
		_, err := f.g.MoveMessage(t.Context(), f.box.Source, in[last][0], folders[0])
		return err
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
}

func TestMoveIntoAFolderThatIsNew(t *testing.T) {
	f := setup(t, sim.Options{Seed: 27})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(c)
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, in[folders[0]][0], "", map[string]any{"categories": []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	moved := in[folders[len(folders)-1]][0]
	before := c.Saved
	c.AtSavepoint = func(n int) error {
		if n != before+1 {
			return nil
		}
		made, err := f.g.CreateMailFolder(t.Context(), f.box.Source, "inbox", map[string]any{"displayName": "made meanwhile"})
		if err != nil {
			return err
		}
		_, err = f.g.MoveMessage(t.Context(), f.box.Source, moved, made.ID)
		return err
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
	parent := c.Items()[moved].Parent
	if at, ok := c.Items()[parent]; !ok || at.Name != "made meanwhile" {
		t.Errorf("the mail is in folder %s %q, want the new one", parent, at.Name)
	}
}

func TestFolderThatGoesAfterItWasRead(t *testing.T) {
	f := setup(t, sim.Options{Seed: 29})
	made, err := f.g.CreateMailFolder(t.Context(), f.box.Source, "inbox", map[string]any{"displayName": "short-lived"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Deliver(f.box.Source, made.ID, []byte("Subject: soon gone\r\nFrom: a@example.com\r\n\r\nhello\r\n")); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	done := false
	c.AtSavepoint = func(int) error {
		if done {
			return nil
		}
		for _, item := range c.Now() {
			if item.Name == "soon gone" {
				done = true
				return f.g.DeleteMailFolder(t.Context(), f.box.Source, made.ID)
			}
		}
		return nil
	}
	for try := 0; ; try++ {
		err := c.Read(t.Context(), f.source, f.box)
		if err == nil {
			break
		}
		if holdfast.KindOf(err) != holdfast.KindUnavailable || try == 3 {
			t.Fatal(err)
		}
		c.Crash()
	}
	if !done {
		t.Fatal("the folder was not deleted while it was read")
	}
	for _, item := range c.Items() {
		if item.Name == "soon gone" && item.Parent == made.ID {
			t.Error("a mail of a deleted folder is stored in it for ever")
		}
	}
	f.same(t, c)
}
