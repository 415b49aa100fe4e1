package exchange_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// china is a mailbox in the cloud that has no delta of mail, no flag and no conversationIndex.
func china(t *testing.T, o sim.Options) fixture {
	t.Helper()
	o.Cloud = "china"
	return setup(t, o)
}

func TestWithoutDeltaTheReadFollowsTheMailbox(t *testing.T) {
	f := china(t, sim.Options{Seed: 31, Mail: sim.MailShape{Messages: 120, MeanSize: 3000}})
	c := workloadtest.New()
	read := func() {
		t.Helper()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		f.same(t, c)
		if len(c.Skips) != 0 {
			t.Errorf("skipped: %v", c.Skips)
		}
	}
	read()
	folders, in := mails(c)
	user := f.box.Source
	ids := in[folders[0]]

	// New, changed, moved and deleted messages; a folder that is new, one that is renamed, one that goes with what is in it.
	if _, err := f.g.UpdateMessage(t.Context(), user, ids[0], "", map[string]any{"categories": []string{"changed"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.MoveMessage(t.Context(), user, ids[1], "archive"); err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeleteMessage(t.Context(), user, ids[2]); err != nil {
		t.Fatal(err)
	}
	made, err := f.g.CreateMailFolder(t.Context(), user, "inbox", map[string]any{"displayName": "new one", "isHidden": true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.CreateMessage(t.Context(), user, made.ID, map[string]any{"subject": "fresh", "body": map[string]any{"contentType": "text", "content": "hello"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.UpdateMailFolder(t.Context(), user, folders[0], map[string]any{"displayName": "renamed"}); err != nil {
		t.Fatal(err)
	}
	last := folders[len(folders)-1]
	kept := in[last][0]
	if _, err := f.g.MoveMessage(t.Context(), user, kept, "inbox"); err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeleteMailFolder(t.Context(), user, last); err != nil {
		t.Fatal(err)
	}
	before := f.sim.Stats()
	read()
	after := f.sim.Stats()
	if name, is := c.Items()[folders[0]].Name, c.Items()[made.ID].Name; name != "renamed" || is != "new one" {
		t.Errorf("the folders were not followed: %q, %q", name, is)
	}
	const value = "GET /v1.0/users/{user}/messages/{message}/$value"
	// The comparison in read asks for every MIME; what the read itself asked for is little.
	if n := after.Endpoints[value].Calls - before.Endpoints[value].Calls; n > int64(len(f.truth(t))+12) {
		t.Errorf("%d mails were read for a few changes", n)
	}

	// Nothing changed: one page for each folder, and nothing is put.
	known := 0
	for _, name := range c.CursorNames() {
		if strings.HasPrefix(name, "f/") {
			known++
		}
	}
	n := f.requests(func() {
		if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	})
	if want := int64(2*known + 2); n > want { // each folder's list, and the tree's walk
		t.Errorf("an idle read of %d folders took %d requests, want at most %d", known, n, want)
	}

	// A full read compares everything and finds it equal.
	c.Compare = true
	read()
	c.Compare = false
}

// A full read compares contents, also where the pages that have them never come.
func TestWithoutDeltaAFullReadComparesThoughPagesAreTooFat(t *testing.T) {
	f := china(t, sim.Options{Seed: 35, Mail: sim.MailShape{Messages: 120, MeanSize: 3000}})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	c.Spoil(func(items map[string]workloadtest.Stored) {
		for id, item := range items {
			if item.Kind == holdfast.KindMail {
				item.Fields = map[string]string{holdfast.FieldBody: "another"}
				item.Forms = map[holdfast.Form][]byte{holdfast.FormJSON: []byte("{}"), holdfast.FormMIME: []byte("another")}
				items[id] = item
			}
		}
	})
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultFatPage}); err != nil {
		t.Fatal(err)
	}
	c.Compare = true
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if f.sim.Stats().FaultsFired[sim.FaultFatPage] == 0 {
		t.Error("no page was too fat")
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
}

func TestWithoutDeltaMovesWhileItIsReadAreFollowed(t *testing.T) {
	f := china(t, sim.Options{Seed: 32})
	probe := workloadtest.New()
	if err := probe.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	folders, in := mails(probe)
	first, last := folders[0], folders[len(folders)-1]
	for name, again := range map[string]bool{"a new mailbox": false, "an incremental read": true} {
		t.Run(name, func(t *testing.T) {
			c := workloadtest.New()
			if again {
				if err := c.Read(t.Context(), f.source, f.box); err != nil {
					t.Fatal(err)
				}
				if _, err := f.g.CreateMessage(t.Context(), f.box.Source, first, map[string]any{"subject": "makes a savepoint"}); err != nil {
					t.Fatal(err)
				}
			}
			moved := false
			c.AtSavepoint = func(int) error {
				if moved {
					return nil
				}
				moved = true
				id := in[last][0]
				in[last] = in[last][1:]
				if _, err := f.g.MoveMessage(t.Context(), f.box.Source, id, first); err != nil {
					return err
				}
				gone := in[first][0]
				in[first] = in[first][1:]
				return f.g.DeleteMessage(t.Context(), f.box.Source, gone)
			}
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			if !moved {
				t.Fatal("nothing moved")
			}
			f.same(t, c)
		})
	}
}

func TestWithoutDeltaACrashAtAnySavepointResumes(t *testing.T) {
	f := china(t, sim.Options{Seed: 33, Users: 1})
	for at := 1; ; at++ {
		c := workloadtest.New()
		crashed := false
		c.AtSavepoint = func(n int) error {
			if n == at {
				crashed = true
				return fmt.Errorf("crash")
			}
			return nil
		}
		err := c.Read(t.Context(), f.source, f.box)
		if !crashed {
			if err != nil {
				t.Fatal(err)
			}
			if at < 4 {
				t.Fatalf("only %d savepoints", at-1)
			}
			return
		}
		c.Crash()
		c.AtSavepoint = nil
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		f.same(t, c)
		if at > 8 {
			return
		}
	}
}

// What the cloud's message has no property for is read and written by extended properties; a mail comes back with it, also from and into another cloud.
func TestFlagsAndThreadsOfACloudWithoutThem(t *testing.T) {
	for _, cloud := range []string{"china", "usgovernment", "usdefence"} {
		t.Run(cloud, func(t *testing.T) {
			f := setup(t, sim.Options{Seed: 34, Cloud: cloud, Mail: sim.MailShape{Messages: 40, MeanSize: 3000, WithAttachments: 0.5}})
			user := f.sim.Tenant().Users[0].ID
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			var flags, threads []string
			for _, item := range c.Items() {
				if item.Kind != holdfast.KindMail {
					continue
				}
				raw := string(item.Forms[holdfast.FormJSON])
				if strings.Contains(raw, `"flagStatus":"flagged"`) != (item.Fields[holdfast.FieldFlag] == "flagged") {
					t.Errorf("the flag of %q: %s, %.300s", item.Name, item.Fields[holdfast.FieldFlag], raw)
				}
				if item.Fields[holdfast.FieldFlag] != "" {
					flags = append(flags, item.ID)
				}
				if strings.Contains(raw, `"conversationIndex":"`) {
					threads = append(threads, item.ID)
				}
			}
			if len(flags) == 0 || len(threads) == 0 {
				t.Fatalf("%d mails have flags, %d are in threads", len(flags), len(threads))
			}
			for id, item := range c.Items() {
				if item.Kind == holdfast.KindMail {
					if err := f.g.DeleteMessage(t.Context(), user, id); err != nil {
						t.Fatal(err)
					}
				}
			}
			results := f.restoreAll(t, c, engine.RestorePlan{})
			asPromised(t, c, results, false)
			for _, id := range append(slices.Clone(flags), threads...) {
				if lost := results[id].Lost; slices.Contains(lost, "flag") || slices.Contains(lost, "conversationIndex") {
					t.Errorf("%q lost %v", c.Items()[id].Name, lost)
				}
			}
			if n := f.sim.Stats().MailsSentN; n != 0 {
				t.Errorf("%d mails were sent", n)
			}
		})
	}
}
