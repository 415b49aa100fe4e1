package exchange_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
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

// put restores one stored mail.
func (f fixture) put(t *testing.T, c *workloadtest.Container, id string, plan engine.RestorePlan) (engine.Restored, error) {
	t.Helper()
	plan.From, plan.To, plan.Session = f.box, f.box, "6f1d2c34-0000-4000-8000-000000000001"
	r, err := f.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	item := c.Items()[id]
	// Whoever meets a fault that lasts gives up soon.
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	return r.Put(ctx, engine.Put{Item: item.Item, Parent: item.Parent, Marker: "marker of " + id, Open: item.Open})
}

func TestOverwriteThatWasInterruptedLeavesOneMail(t *testing.T) {
	f := setup(t, sim.Options{Seed: 31})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(c)
	id := in[folders[0]][0]
	n := len(f.truth(t))
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, id, "", map[string]any{"categories": []string{"changed"}}); err != nil {
		t.Fatal(err)
	}
	plan := engine.RestorePlan{Mode: engine.Overwrite, Newer: true}
	// The new mail is made; then deleting the old one fails, as it does when the proxy dies there.
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultServerError, Path: "DELETE"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.put(t, c, id, plan); err == nil {
		t.Fatal("the fault did not strike")
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	res, err := f.put(t, c, id, plan)
	if err != nil || res.Outcome != engine.Overwritten {
		t.Errorf("%+v, %v", res, err)
	}
	now := f.truth(t)
	if m := now[id]; m != nil && m.ParentFolderID == c.Items()[id].Parent {
		t.Error("what was to be overwritten is still there")
	}
	if len(now) > n+1 { // at most one more, when a deleted mail stays in the bin
		t.Errorf("%d messages, before %d", len(now), n)
	}
}

func TestMailWhoseAttachmentFailsIsNotLeftHalf(t *testing.T) {
	f := setup(t, sim.Options{Seed: 33})
	big := "Subject: big\r\nFrom: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n" +
		"--b\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n" + strings.Repeat("0123456789abcde\n", 250_000) + "\r\n--b--\r\n"
	id, err := f.sim.Deliver(f.box.Source, "inbox", []byte(big))
	if err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeleteMessage(t.Context(), f.box.Source, id); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultServerError, Path: "createUploadSession"}); err != nil {
		t.Fatal(err)
	}
	if res, err := f.put(t, c, id, engine.RestorePlan{}); err == nil {
		t.Fatalf("the fault did not strike: %+v", res)
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	for _, m := range f.truth(t) {
		if m.Subject == "big" && m.ParentFolderID == c.Items()[id].Parent {
			t.Error("a mail without its attachment was left")
		}
	}
}
