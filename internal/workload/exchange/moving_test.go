package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// mails gives the committed mails of folders that are for nothing in particular, in the order in which those are read.
func mails(c *workloadtest.Container) (folders []string, in map[string][]string) {
	in = map[string][]string{}
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail && c.Items()[item.Parent].Fields[holdfast.FieldSpecial] == "" {
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
	both(t, testMailboxThatGoesWhileItIsReadIsNotEmpty)
}

func testMailboxThatGoesWhileItIsReadIsNotEmpty(t *testing.T) {
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

func TestMoveIntoAFolderThatWasRead(t *testing.T) { both(t, testMoveIntoAFolderThatWasRead) }

func testMoveIntoAFolderThatWasRead(t *testing.T) {
	t.Run("in order", func(t *testing.T) { moveIntoAFolderThatWasRead(t) })
	// Nothing but the order of reading may hang on the counts of folders.
	t.Run("and all seemed empty", func(t *testing.T) { moveIntoAFolderThatWasRead(t, sim.Fault{Name: sim.FaultCounts}) })
}

func moveIntoAFolderThatWasRead(t *testing.T, faults ...sim.Fault) {
	f := setup(t, sim.Options{Seed: 25})
	probe := workloadtest.New()
	if err := probe.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(probe)
	last := folders[len(folders)-1]
	if err := f.sim.SetFaults(faults...); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	moved := false
	c.AtSavepoint = func(int) error {
		if moved || !c.Has(folders[0]) || c.Has(last) {
			return nil
		}
		moved = true
		_, err := f.g.MoveMessage(t.Context(), f.box.Source, in[last][0], folders[0])
		return err
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if !moved {
		t.Fatal("nothing was moved while the mailbox was read")
	}
	f.same(t, c)
}

func TestNewMailThatMovesOnWhileTheMailboxIsReadIsNotMissed(t *testing.T) {
	both(t, testNewMailThatMovesOnWhileTheMailboxIsReadIsNotMissed)
}

func testNewMailThatMovesOnWhileTheMailboxIsReadIsNotMissed(t *testing.T) {
	f := setup(t, sim.Options{Seed: 26})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(c)
	last := folders[len(folders)-1]
	id, err := f.sim.Deliver(f.box.Source, last, []byte("Subject: on its way\r\nFrom: a@example.com\r\n\r\nhello\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, in[folders[0]][0], "", map[string]any{"categories": []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	// Of what came and went between two links a delta need not tell.
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultUntold}); err != nil {
		t.Fatal(err)
	}
	saved := c.Saved
	c.AtSavepoint = func(n int) error {
		if n != saved+1 { // the first folder with a change has been read
			return nil
		}
		_, err := f.g.MoveMessage(t.Context(), f.box.Source, id, folders[0])
		return err
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if c.Items()[id].Parent != folders[0] {
		t.Errorf("the mail is stored in %q, it is in %q", c.Items()[id].Parent, folders[0])
	}
	f.same(t, c)
}

func TestAMailThatIsSentWhileTheMailboxIsReadIsNotMissed(t *testing.T) {
	both(t, testAMailThatIsSentWhileTheMailboxIsReadIsNotMissed)
}

func testAMailThatIsSentWhileTheMailboxIsReadIsNotMissed(t *testing.T) {
	f := setup(t, sim.Options{Seed: 28})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.CreateMessage(t.Context(), f.box.Source, "drafts", map[string]any{"subject": "soon sent"}); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultUntold}); err != nil {
		t.Fatal(err)
	}
	sent := false
	c.AtGo = func() {
		if sent {
			return
		}
		sent = true
		for id, m := range f.truth(t) {
			if m.Subject == "soon sent" {
				if _, err := f.g.MoveMessage(t.Context(), f.box.Source, id, "sentitems"); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
}

func TestAFolderThatIsResetInTheMiddleKeepsNothingThatIsGone(t *testing.T) {
	both(t, testAFolderThatIsResetInTheMiddleKeepsNothingThatIsGone)
}

func testAFolderThatIsResetInTheMiddleKeepsNothingThatIsGone(t *testing.T) {
	f := setup(t, sim.Options{Seed: 30, Mail: sim.MailShape{Messages: 530, OneFolder: true, MeanSize: 1500, WithAttachments: -1}})
	c := workloadtest.New()
	gone := ""
	c.AtSavepoint = func(int) error {
		if gone != "" {
			return nil
		}
		for id, item := range c.Now() {
			if item.Kind == holdfast.KindMail {
				gone = max(gone, id)
			}
		}
		if gone == "" {
			return nil
		}
		// Of two pages the first one is stored; now the service forgets the link, and a mail of that page is deleted.
		if err := f.g.DeleteMessage(t.Context(), f.box.Source, gone); err != nil {
			return err
		}
		return f.sim.SetFaults(sim.Fault{Name: sim.FaultSyncState, Times: 1})
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if f.sim.Stats().FaultsFired[sim.FaultSyncState] != 1 {
		t.Fatal("the folder was not reset")
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
	if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
		t.Fatal(err)
	}
}

func TestPagesThatAreTooFatAreAskedForThinner(t *testing.T) {
	for name, times := range map[string]int{"once": 1, "always": 0} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sim.Options{Seed: 31, Mail: sim.MailShape{Messages: 230, OneFolder: true, MeanSize: 1500, WithAttachments: -1}})
			if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultFatPage, Times: times, Path: "messages/delta"}); err != nil {
				t.Fatal(err)
			}
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			f.same(t, c)
			if fat := f.sim.Stats().FaultsFired[sim.FaultFatPage]; times == 1 && fat != 1 || times == 0 && fat < 2 {
				t.Errorf("%d pages were too fat", fat)
			}
		})
	}
}

func TestADraftThatIsEditedWhileItIsReadIsStoredAsOneVersion(t *testing.T) {
	both(t, testADraftThatIsEditedWhileItIsReadIsStoredAsOneVersion)
}

func testADraftThatIsEditedWhileItIsReadIsStoredAsOneVersion(t *testing.T) {
	for name, tc := range map[string]struct {
		first bool
		times int // of being edited just after its row was read
	}{
		"first read, once": {true, 1}, "once": {false, 1}, "often": {false, 5}, "each time": {false, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sim.Options{Seed: 32})
			c := workloadtest.New()
			if !tc.first {
				if err := c.Read(t.Context(), f.source, f.box); err != nil {
					t.Fatal(err)
				}
			}
			draft, err := f.g.CreateMessage(t.Context(), f.box.Source, "drafts", map[string]any{"subject": "version 0", "body": map[string]any{"contentType": "text", "content": "version 0"}})
			if err != nil {
				t.Fatal(err)
			}
			edits := 0
			c.AtGo = func() {
				if edits == tc.times {
					return
				}
				edits++
				text := fmt.Sprintf("version %d", edits)
				if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, draft.ID, "", map[string]any{"subject": text, "body": map[string]any{"contentType": "text", "content": text}}); err != nil {
					t.Error(err)
				}
			}
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			if edits == 0 {
				t.Fatal("the draft was never edited")
			}
			if tc.times > edits {
				if s := c.Skips[draft.ID]; s == nil || s.Reason != holdfast.SkipChanging {
					t.Errorf("a draft that never stands still is not named: %v", s)
				}
				return
			}
			f.same(t, c)
			if len(c.Skips) > 0 {
				t.Errorf("skipped %v", c.Skips)
			}
		})
	}
}

func TestAHiddenFolderBelowAnotherOneIsFoundInTime(t *testing.T) {
	both(t, testAHiddenFolderBelowAnotherOneIsFoundInTime)
}

func testAHiddenFolderBelowAnotherOneIsFoundInTime(t *testing.T) {
	f := setup(t, sim.Options{Seed: 34})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	made, err := f.g.CreateMailFolder(t.Context(), f.box.Source, "inbox", map[string]any{"displayName": "out of sight", "isHidden": true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Deliver(f.box.Source, made.ID, []byte("Subject: out of sight\r\nFrom: a@example.com\r\n\r\nhello\r\n")); err != nil {
		t.Fatal(err)
	}
	f.sim.Clock().Move(49 * time.Hour)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
}

func TestAFolderThatBecomesTheArchiveIsKnownAsItInTime(t *testing.T) {
	f := setup(t, sim.Options{Seed: 36})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	var was, will string
	for id, item := range c.Items() {
		switch {
		case item.Fields[holdfast.FieldSpecial] == "archive":
			was = id
		case item.Kind == holdfast.KindFolder && item.Name == "Projects":
			will = id
		}
	}
	if err := f.sim.SetWellKnown(f.box.Source, "archive", will); err != nil {
		t.Fatal(err)
	}
	f.sim.Clock().Move(49 * time.Hour)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if now := c.Items()[will].Fields[holdfast.FieldSpecial]; now != "archive" {
		t.Errorf("the archive is stored as %q", now)
	}
	if now := c.Items()[was].Fields[holdfast.FieldSpecial]; now != "" {
		t.Errorf("what was the archive is stored as %q", now)
	}
	f.same(t, c)
}

func TestMoveIntoAFolderThatIsNew(t *testing.T) { both(t, testMoveIntoAFolderThatIsNew) }

func testMoveIntoAFolderThatIsNew(t *testing.T) {
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

func TestMoveWhileANewMailboxIsRead(t *testing.T) { both(t, testMoveWhileANewMailboxIsRead) }

func testMoveWhileANewMailboxIsRead(t *testing.T) {
	type to func(f fixture) (string, error) // where a mail moves that was not read yet
	below := func(parent string) to {
		return func(f fixture) (string, error) {
			made, err := f.g.CreateMailFolder(t.Context(), f.box.Source, parent, map[string]any{"displayName": "made meanwhile"})
			if err != nil {
				return "", err
			}
			return made.ID, nil
		}
	}
	for name, to := range map[string]to{
		"into an empty folder that was read": func(fixture) (string, error) { return "outbox", nil },
		"into a new folder at the top":       below("msgfolderroot"),
		"into a new folder below another":    below("inbox"),
		"into a new folder below an empty":   below("outbox"),
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sim.Options{Seed: 25})
			probe := workloadtest.New()
			if err := probe.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			folders, in := mails(probe)
			last := folders[len(folders)-1]
			c := workloadtest.New()
			target := ""
			c.AtSavepoint = func(int) error {
				if target != "" || !c.Has(folders[0]) || c.Has(last) {
					return nil
				}
				at, err := to(f)
				if err != nil {
					return err
				}
				moved, err := f.g.MoveMessage(t.Context(), f.box.Source, in[last][0], at)
				if err == nil {
					target = moved.ParentFolderID
				}
				return err
			}
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			if target == "" {
				t.Fatal("nothing was moved while the mailbox was read")
			}
			if at := c.Items()[in[last][0]].Parent; at != target {
				t.Errorf("the mail is stored in %q, it is in %q", at, target)
			}
			f.same(t, c)
		})
	}
}

// A new mailbox has many empty folders.
func TestAnEmptyFolderOfANewMailboxIsAskedForOnce(t *testing.T) {
	f := setup(t, sim.Options{Seed: 25})
	read := func() int64 {
		return f.requests(func() {
			if err := workloadtest.New().Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
		})
	}
	before := read()
	const more = 5
	for i := range more {
		if _, err := f.g.CreateMailFolder(t.Context(), f.box.Source, "msgfolderroot", map[string]any{"displayName": fmt.Sprint("empty ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if after := read(); after != before+more {
		t.Errorf("%d empty folders cost %d requests, want one each", more, after-before)
	}
}

func TestFolderThatGoesAfterItWasRead(t *testing.T) { both(t, testFolderThatGoesAfterItWasRead) }

func testFolderThatGoesAfterItWasRead(t *testing.T) {
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
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
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
	plan.From, plan.To = f.box, f.box
	if plan.Session == "" {
		plan.Session = "6f1d2c34-0000-4000-8000-000000000001"
	}
	r, err := f.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	item := c.Items()[id]
	// Whoever meets a fault that lasts gives up soon.
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	return r.Put(ctx, engine.Put{Item: item.Item, Parent: item.Parent, Marker: "marker of " + id + string(plan.Session), Open: item.Open})
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

func TestAttachmentsOfAMailAreAddedOnceThoughAnswersAreLost(t *testing.T) {
	for _, name := range []string{sim.FaultAckLost, sim.FaultDropped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, sim.Options{Seed: 33})
			mime := "Subject: several\r\nFrom: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
			for i := range 4 { // more than one request takes
				mime += fmt.Sprintf("--b\r\nContent-Type: application/octet-stream; name=a%d.bin\r\nContent-Disposition: attachment; filename=a%[1]d.bin\r\n\r\n%s\r\n", i, strings.Repeat(fmt.Sprintf("0123456789abcd%d\n", i), 120_000))
			}
			id, err := f.sim.Deliver(f.box.Source, "inbox", []byte(mime+"--b--\r\n"))
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
			if err := f.sim.SetFaults(sim.Fault{Name: name, Every: 2, Path: "POST /v1.0/users/{user}/messages/{message}/attachments"}); err != nil {
				t.Fatal(err)
			}
			res, err := f.put(t, c, id, engine.RestorePlan{})
			if err != nil || f.sim.Stats().FaultsFired[name] == 0 {
				t.Fatalf("%+v, %v, %d answers were lost", res, err, f.sim.Stats().FaultsFired[name])
			}
			if err := f.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			page, err := f.g.Attachments(t.Context(), f.box.Source, res.NewID, graph.List{Select: []string{"id", "name"}})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, a := range page.Value {
				names = append(names, a.Name)
			}
			if slices.Sort(names); !slices.Equal(names, []string{"a0.bin", "a1.bin", "a2.bin", "a3.bin"}) {
				t.Errorf("the mail has %q", names)
			}
		})
	}
}

func TestARestoredCopyThatWasEditedIsNotOverwrittenUnasked(t *testing.T) {
	both(t, testARestoredCopyThatWasEditedIsNotOverwrittenUnasked)
}

func testARestoredCopyThatWasEditedIsNotOverwrittenUnasked(t *testing.T) {
	f := setup(t, sim.Options{Seed: 35})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(c)
	id := in[folders[0]][0]
	if err := f.g.DeleteMessage(t.Context(), f.box.Source, id); err != nil {
		t.Fatal(err)
	}
	first, err := f.put(t, c, id, engine.RestorePlan{Session: "first"})
	if err != nil || first.Outcome != engine.Created {
		t.Fatal(first, err)
	}
	f.sim.Clock().Move(time.Hour)
	overwrite := func(session holdfast.RestoreSessionID, newer bool) (engine.Restored, error) {
		return f.put(t, c, id, engine.RestorePlan{Session: session, Mode: engine.Overwrite, Newer: newer})
	}
	if res, err := overwrite("untouched", false); err != nil || res.Outcome != engine.Existing || res.NewID != first.NewID {
		t.Errorf("an untouched copy: %+v, %v", res, err)
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, first.NewID, "", map[string]any{"categories": []string{"mine"}}); err != nil {
		t.Fatal(err)
	}
	spoiled := func(version string) {
		c.Spoil(func(items map[string]workloadtest.Stored) {
			item := items[id]
			item.Version = version
			items[id] = item
		})
	}
	version := c.Items()[id].Version
	for _, v := range []string{version, "another"} {
		spoiled(v)
		res, err := overwrite("edited "+holdfast.RestoreSessionID(v), false)
		var skip *holdfast.Skip
		if !asSkip(err, &skip) || skip.Reason != holdfast.SkipConflict || f.truth(t)[first.NewID] == nil {
			t.Errorf("a copy that was edited (of the same version: %v): %+v, %v", v == version, res, err)
		}
	}
	spoiled(version)
	// An import writes over the mail itself; else another one takes its place.
	left := func(old, now string) bool { return old != now && f.truth(t)[old] != nil }
	res, err := overwrite("asked", true)
	if err != nil || res.Outcome != engine.Overwritten || left(first.NewID, res.NewID) {
		t.Errorf("when asked: %+v, %v", res, err)
	}
	f.sim.Clock().Move(time.Hour)
	spoiled("a later one")
	if again, err := overwrite("later", false); err != nil || again.Outcome != engine.Overwritten || left(res.NewID, again.NewID) {
		t.Errorf("a copy of another version that nobody touched: %+v, %v", again, err)
	}
}

func TestACopyWithUploadedAttachmentsIsStillKnown(t *testing.T) {
	f := setup(t, sim.Options{Seed: 37})
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
	// The upload takes its time.
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultUnavailable, Path: "createUploadSession", RetryAfter: "30", Times: 1}); err != nil {
		t.Fatal(err)
	}
	first, err := f.put(t, c, id, engine.RestorePlan{Session: "first"})
	if err != nil {
		t.Fatal(err)
	}
	if m := f.truth(t)[first.NewID]; m == nil || !m.Modified.After(m.Created.Add(20*time.Second)) {
		t.Fatalf("the upload took no time: %+v", m)
	}
	if res, err := f.put(t, c, id, engine.RestorePlan{Session: "second"}); err != nil || res.Outcome != engine.Existing || res.NewID != first.NewID {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, first.NewID, "", map[string]any{"isRead": true, "categories": []string{"mine"}}); err != nil {
		t.Fatal(err)
	}
	var skip *holdfast.Skip
	if res, err := f.put(t, c, id, engine.RestorePlan{Session: "third", Mode: engine.Overwrite}); !asSkip(err, &skip) || f.truth(t)[first.NewID] == nil {
		t.Errorf("edited: %+v, %v", res, err)
	}
}

func TestARestoreThatTheServiceRefusesForNowMayBeTriedAgain(t *testing.T) {
	both(t, testARestoreThatTheServiceRefusesForNowMayBeTriedAgain)
}

func testARestoreThatTheServiceRefusesForNowMayBeTriedAgain(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"unavailable": {Name: sim.FaultUnavailableBare, Path: "POST"},
		"throttled":   {Name: sim.FaultThrottled, Path: "POST", RetryAfter: "7200"},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sim.Options{Seed: 39})
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			folders, in := mails(c)
			id := in[folders[0]][0]
			if err := f.g.DeleteMessage(t.Context(), f.box.Source, id); err != nil {
				t.Fatal(err)
			}
			if err := f.sim.SetFaults(fault); err != nil {
				t.Fatal(err)
			}
			_, err := f.put(t, c, id, engine.RestorePlan{})
			var skip *holdfast.Skip
			if errors.As(err, &skip) || holdfast.KindOf(err) != holdfast.KindUnavailable {
				t.Errorf("got %v, want an error that the engine waits for", err)
			}
			if err := f.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			f.sim.Clock().Move(3 * time.Hour)
			if res, err := f.put(t, c, id, engine.RestorePlan{}); err != nil || res.Outcome != engine.Created {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}

func TestAttachedEventsAndContactsComeBackAndAreCompared(t *testing.T) {
	both(t, testAttachedEventsAndContactsComeBackAndAreCompared)
}

func testAttachedEventsAndContactsComeBackAndAreCompared(t *testing.T) {
	f := setup(t, sim.Options{Seed: 41})
	event := map[string]any{"@odata.type": "#microsoft.graph.event", "subject": "A meeting", "showAs": "busy", "isReminderOn": true, "reminderMinutesBeforeStart": 15,
		"body":  map[string]any{"contentType": "text", "content": "Bring the plan."},
		"start": map[string]any{"dateTime": "2026-05-04T09:00:00.0000000", "timeZone": "UTC"}, "end": map[string]any{"dateTime": "2026-05-04T10:00:00.0000000", "timeZone": "UTC"},
		"location": map[string]any{"displayName": "Room 1"}, "attendees": []any{map[string]any{"type": "required", "emailAddress": map[string]any{"name": "B", "address": "b@example.com"}}}}
	contact := map[string]any{"@odata.type": "#microsoft.graph.contact", "displayName": "B", "givenName": "B", "emailAddresses": []any{map[string]any{"name": "B", "address": "b@example.com"}}, "businessPhones": []any{"+49 30 1"}}
	attached := func(name string, item any) any {
		return map[string]any{"@odata.type": "#microsoft.graph.itemAttachment", "name": name, "item": item}
	}
	made, err := f.g.CreateMessage(t.Context(), f.box.Source, "inbox", map[string]any{"subject": "with items", "body": map[string]any{"contentType": "text", "content": "see there"},
		"singleValueExtendedProperties": []any{map[string]any{"id": "Integer 0x0E07", "value": "4"}},
		"attachments":                   []any{attached("A meeting", event), attached("B", contact)}})
	if err != nil {
		t.Fatal(err)
	}
	rows := func() (out []sim.MailAttachmentRow) {
		err := f.sim.DumpMailbox(f.box.Source, false, func(sim.MailFolderRow) error { return nil }, func(m sim.MailRow) error {
			if m.Subject == "with items" {
				for _, a := range m.Attachments {
					a.Item, a.Size = nil, 0
					out = append(out, a)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := rows()
	if len(before) != 2 || before[0].SHA256 == "" {
		t.Fatalf("the mail has the attachments %v", before)
	}
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeleteMessage(t.Context(), f.box.Source, made.ID); err != nil {
		t.Fatal(err)
	}
	res, err := f.put(t, c, made.ID, engine.RestorePlan{Session: "first"})
	if err != nil || res.Outcome != engine.Created {
		t.Fatal(res, err)
	}
	asPromised(t, c, map[string]engine.Restored{made.ID: res}, false)
	if after := rows(); !slices.Equal(after, before) {
		t.Errorf("the attachments were\n%v, are\n%v", before, after)
	}

	// A restored mail that lacks one of them is not taken for whole.
	list, err := f.g.Attachments(t.Context(), f.box.Source, res.NewID, graph.List{Select: []string{"id", "name"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeleteAttachment(t.Context(), f.box.Source, res.NewID, list.Value[0].ID); err != nil {
		t.Fatal(err)
	}
	again, err := f.put(t, c, made.ID, engine.RestorePlan{Session: "first"})
	if err != nil || again.NewID == res.NewID {
		t.Errorf("half a mail was taken for whole: %+v, %v", again, err)
	}
	if after := rows(); !slices.Equal(after, before) {
		t.Errorf("the attachments were\n%v, are\n%v", before, after)
	}
}

// However the service gives what is in attached items, the same is stored, and a later change of the way reads no mail again.
func TestAttachedItemsAreStoredWhateverTheServiceGives(t *testing.T) {
	f := setup(t, sim.Options{Seed: 42})
	nested := func(subject string) any {
		return map[string]any{"@odata.type": "#microsoft.graph.itemAttachment", "name": subject, "item": map[string]any{"@odata.type": "#microsoft.graph.message",
			"subject": subject, "isRead": true, "categories": []string{"Blue"}, "body": map[string]any{"contentType": "text", "content": "within"}}}
	}
	file := map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain", "contentBytes": "YQ=="}
	made, err := f.g.CreateMessage(t.Context(), f.box.Source, "inbox", map[string]any{"subject": "with mails", "body": map[string]any{"contentType": "text", "content": "see there"},
		"attachments": []any{nested("one"), file, nested("two")}})
	if err != nil {
		t.Fatal(err)
	}
	read := func(faults ...sim.Fault) *workloadtest.Container {
		t.Helper()
		if err := f.sim.SetFaults(faults...); err != nil {
			t.Fatal(err)
		}
		c := workloadtest.New()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		return c
	}
	type attachment struct {
		Type string `json:"@odata.type"`
		ID   string
		Name string
		Item struct {
			Type       string `json:"@odata.type"`
			Subject    string
			IsRead     bool
			Categories []string
		}
	}
	attachments := func(c *workloadtest.Container) (out []attachment) {
		t.Helper()
		item := c.Items()[made.ID]
		if strings.Contains(string(item.Forms[holdfast.FormJSON]), "within") {
			t.Error("what is in attached mails is stored with the row too")
		}
		if err := json.Unmarshal(item.Forms[holdfast.FormAttachments], &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	var whole *workloadtest.Container
	deep := f.requests(func() { whole = read() })
	want := attachments(whole)
	if len(want) != 2 || want[0].Item.Subject != "one" || !want[1].Item.IsRead || len(want[1].Item.Categories) != 1 {
		t.Fatalf("stored are %+v", want)
	}
	for name, fault := range map[string]sim.Fault{"refused": {Name: sim.FaultDeepRefused}, "too much for a page": {Name: sim.FaultDeepFat}} {
		t.Run(name, func(t *testing.T) {
			var c *workloadtest.Container
			if n := f.requests(func() { c = read(fault) }); n <= deep {
				t.Errorf("%d requests, %d without the fault: it did not strike", n, deep)
			}
			if got := attachments(c); !reflect.DeepEqual(got, want) {
				t.Errorf("stored are %+v, want %+v", got, want)
			}
			for id, item := range whole.Items() {
				if got := c.Items()[id]; string(got.Forms[holdfast.FormJSON]) != string(item.Forms[holdfast.FormJSON]) || got.Fields[holdfast.FieldBody] != item.Fields[holdfast.FieldBody] {
					t.Errorf("the row of %q depends on it:\n%s\n%s", item.Name, got.Forms[holdfast.FormJSON], item.Forms[holdfast.FormJSON])
				}
			}
		})
	}
	// A link that asks for them, and a mail that has become too much: what was stored stays.
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultDeepFat}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, made.ID, "", map[string]any{"isRead": true}); err != nil {
		t.Fatal(err)
	}
	if err := whole.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, whole)
	if got := attachments(whole); !reflect.DeepEqual(got, want) {
		t.Errorf("stored are %+v, want %+v", got, want)
	}
}

func TestNewMailThatMovesIntoANewFolderIsNotMissed(t *testing.T) {
	both(t, testNewMailThatMovesIntoANewFolderIsNotMissed)
}

func testNewMailThatMovesIntoANewFolderIsNotMissed(t *testing.T) {
	f := setup(t, sim.Options{Seed: 43})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(c)
	id, err := f.sim.Deliver(f.box.Source, folders[len(folders)-1], []byte("Subject: on its way\r\nFrom: a@example.com\r\n\r\nhello\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, in[folders[0]][0], "", map[string]any{"categories": []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultUntold}); err != nil {
		t.Fatal(err)
	}
	saved := c.Saved
	c.AtSavepoint = func(n int) error {
		if n != saved+1 {
			return nil
		}
		made, err := f.g.CreateMailFolder(t.Context(), f.box.Source, "inbox", map[string]any{"displayName": "made meanwhile"})
		if err != nil {
			return err
		}
		_, err = f.g.MoveMessage(t.Context(), f.box.Source, id, made.ID)
		return err
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
}

func TestAFolderThatIsNotFoundForAMomentIsReadAllTheSame(t *testing.T) {
	both(t, testAFolderThatIsNotFoundForAMomentIsReadAllTheSame)
}

func testAFolderThatIsNotFoundForAMomentIsReadAllTheSame(t *testing.T) {
	f := setup(t, sim.Options{Seed: 45})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Deliver(f.box.Source, "inbox", []byte("Subject: new\r\nFrom: a@example.com\r\n\r\nhello\r\n")); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultFolderLost, Skip: n, Times: 1}); err != nil {
			t.Fatal(err)
		}
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		f.same(t, c)
	}
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultFolderLost}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err == nil {
		t.Error("a mailbox whose folders could not be read counts as read")
	}
}

func TestAMailThatCannotBeReadDoesNotStopTheNextBackups(t *testing.T) {
	both(t, testAMailThatCannotBeReadDoesNotStopTheNextBackups)
}

func testAMailThatCannotBeReadDoesNotStopTheNextBackups(t *testing.T) {
	f := setup(t, sim.Options{Seed: 47, Mail: sim.MailShape{Messages: 60}})
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultItemBroken}); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	for range 2 {
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		if len(c.Skips) == 0 {
			t.Fatal("no mail is broken")
		}
	}
	// One is said to have left its folder, and nobody can tell where to.
	broken := ""
	for id := range c.Skips {
		broken = max(broken, id)
	}
	c.SetCursor("pending/"+broken, "a folder")
	c.Skips = map[string]*holdfast.Skip{}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if s := c.Skips[broken]; s == nil || s.Reason != holdfast.SkipCorrupt {
		t.Errorf("it is not named: %v", s)
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
	for _, name := range c.CursorNames() {
		if strings.HasPrefix(name, "pending/") || strings.HasPrefix(name, "retry/") {
			t.Errorf("cursor %s is left", name)
		}
	}
}

func TestAnAnswerThatEndsEarlyIsNotTakenForTheMail(t *testing.T) {
	f := setup(t, sim.Options{Seed: 51, Mail: sim.MailShape{WithAttachments: 1}})
	cut := "Subject: came without its end\r\nFrom: a@example.com\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"a b\"\r\n\r\n--a b\r\nContent-Type: text/plain\r\n\r\nhalf a part"
	id, err := f.sim.Deliver(f.box.Source, "inbox", []byte(cut))
	if err != nil {
		t.Fatal(err)
	}
	for _, every := range []int{2, 3, 0} { // 0: each time
		fault := sim.Fault{Name: sim.FaultShort, Path: "$value", Every: every}
		if every == 0 {
			fault.Probability = 1
		}
		if err := f.sim.SetFaults(fault); err != nil {
			t.Fatal(err)
		}
		c := workloadtest.New()
		c.Serial()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		if err := f.sim.SetFaults(); err != nil {
			t.Fatal(err)
		}
		if every == 0 {
			continue // what is cut in the same way each time is not told from a mail that came so
		}
		if string(c.Items()[id].Forms[holdfast.FormMIME]) != cut {
			t.Errorf("the malformed mail is stored as %q", c.Items()[id].Forms[holdfast.FormMIME])
		}
		multipart := 0
		for id, item := range c.Items() {
			if item.Kind != holdfast.KindMail {
				continue
			}
			mime, err := f.g.MIME(t.Context(), f.box.Source, id, 200<<20)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(mime), "multipart/") {
				multipart++
				if string(mime) != string(item.Forms[holdfast.FormMIME]) {
					t.Errorf("%q is stored with %d bytes, it has %d", item.Name, len(item.Forms[holdfast.FormMIME]), len(mime))
				}
			}
		}
		if multipart < 10 {
			t.Errorf("only %d mails were compared", multipart)
		}
	}
}

func TestALinkThatTheServiceDoesNotUnderstandIsAReset(t *testing.T) {
	both(t, testALinkThatTheServiceDoesNotUnderstandIsAReset)
}

func testALinkThatTheServiceDoesNotUnderstandIsAReset(t *testing.T) {
	f := setup(t, sim.Options{Seed: 53})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	for _, name := range c.CursorNames() {
		if name != "folders" && !strings.HasPrefix(name, "f/") {
			continue
		}
		link, _, _ := c.Cursor(t.Context(), name)
		c.SetCursor(name, link+"&$top=nonsense")
	}
	if _, err := f.sim.Deliver(f.box.Source, "inbox", []byte("Subject: new\r\nFrom: a@example.com\r\n\r\nhello\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
}

func TestATreeThatIsNotFoundIsNoMailboxThatIsGone(t *testing.T) {
	f := setup(t, sim.Options{Seed: 55})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Deliver(f.box.Source, "inbox", []byte("Subject: new\r\nFrom: a@example.com\r\n\r\nhello\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultFolderLost, Times: 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if f.sim.Stats().FaultsFired[sim.FaultFolderLost] != 1 {
		t.Fatal("the tree was found")
	}
	f.same(t, c)
}
