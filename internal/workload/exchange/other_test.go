package exchange_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

const ownItem = "item/"

// otherTruth are the items that only the import/export API has, by id, without contacts and To Do's tasks.
func (f fixture) otherTruth(t *testing.T, user string) map[string]sim.MailRow {
	t.Helper()
	out := map[string]sim.MailRow{}
	if err := f.sim.DumpItems(user, func(r sim.MailRow) error { out[r.ID] = r; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// sameOthers demands that the container holds exactly those items, each with what the service exports.
func (f fixture) sameOthers(t *testing.T, c *workloadtest.Container) map[string]workloadtest.Stored {
	t.Helper()
	want, have := f.otherTruth(t, f.box.Source), map[string]workloadtest.Stored{}
	for id, item := range c.Items() {
		if !strings.HasPrefix(id, ownItem) || item.Kind != holdfast.KindMail {
			continue
		}
		have[id] = item
		row, there := want[strings.TrimPrefix(id, ownItem)]
		if !there {
			t.Errorf("%q is stored and not in the mailbox", item.Name)
			continue
		}
		if item.Name != row.Subject || item.Fields[holdfast.FieldClass] != row.Class || !strings.HasSuffix(row.Folder, c.Items()[item.Parent].Name) {
			t.Errorf("%s %q in %q is stored as %s %q in %q", row.Class, row.Subject, row.Folder, item.Fields[holdfast.FieldClass], item.Name, c.Items()[item.Parent].Name)
		}
		served, err := f.sim.Exported(f.box.Source, row.ID)
		if err != nil || !bytes.Equal(served, joined(t, item.Forms[holdfast.FormRecords], item.Forms[holdfast.FormFTS])) {
			t.Errorf("the content of %q differs (%v)", row.Subject, err)
		}
	}
	if len(have) != len(want) {
		t.Errorf("%d items are stored, the mailbox has %d", len(have), len(want))
	}
	return have
}

func oneOf(items map[string]workloadtest.Stored, class string) workloadtest.Stored {
	for _, id := range slices.Sorted(maps.Keys(items)) {
		if items[id].Fields[holdfast.FieldClass] == class {
			return items[id]
		}
	}
	return workloadtest.Stored{}
}

func TestWhatOnlyTheExportHasIsReadAndFollowed(t *testing.T) {
	f := setup(t, sim.Options{Seed: 41, Items: true})
	c := workloadtest.New()
	read := func() map[string]workloadtest.Stored {
		t.Helper()
		if err := c.Read(t.Context(), f.all, f.box); err != nil {
			t.Fatal(err)
		}
		return f.sameOthers(t, c)
	}
	first := read()
	classes := map[string]int{}
	for _, s := range first {
		classes[s.Fields[holdfast.FieldClass]]++
	}
	if want := map[string]int{"IPM.DistList": 1, "IPM.Activity": 2, "IPM.StickyNote": 2, "IPM.Task": 2}; fmt.Sprint(classes) != fmt.Sprint(want) {
		t.Fatalf("%v are stored, want %v", classes, want)
	}
	if group := oneOf(first, "IPM.DistList"); c.Items()[group.Parent].Fields[holdfast.FieldSpecial] != "contacts" {
		t.Errorf("the group is not in the folder of contacts: %v", c.Items()[group.Parent])
	}
	if entry := oneOf(first, "IPM.Activity"); entry.Fields[holdfast.FieldStart] == "" || entry.Fields[holdfast.FieldEnd] <= entry.Fields[holdfast.FieldStart] {
		t.Errorf("an entry of the journal has no times: %v", entry.Fields)
	}
	// An idle read writes nothing, whichever it asks for by turn, and costs a mailbox one part of a batch.
	for hour := range 8 {
		f.sim.Clock().Move(time.Hour)
		if err := f.all.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err, hour)
		}
	}
	with := f.requests(func() {
		if err := f.all.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	})
	without := mailOnly{f.all, []holdfast.MailboxPart{holdfast.PartItems}}
	if n := f.requests(func() {
		if err := without.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	}); with > n+1 {
		t.Errorf("an idle read takes %d requests, %d without these items", with, n)
	}
	// What was deleted goes, what is new comes: in a mailbox that got mail at once.
	gone := oneOf(first, "IPM.Activity")
	if err := f.sim.DeleteMessage(f.box.Source, strings.TrimPrefix(gone.ID, ownItem)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Churn(sim.Churn{Seed: 3, Users: []string{f.box.Source}, New: 1}); err != nil {
		t.Fatal(err)
	}
	if _, still := read()[gone.ID]; still {
		t.Error("a deleted entry of the journal is kept")
	}
	c.Compare = true
	read()
}

// restoreOthers restores the items that only the import/export API has, with the marker of an act.
func (f fixture) restoreOthers(t *testing.T, c *workloadtest.Container, plan engine.RestorePlan, act string) map[string]engine.Restored {
	t.Helper()
	plan.From, plan.Session = f.box, "6f1d2c34-0000-4000-8000-000000000001"
	if plan.To.Source == "" {
		plan.To = f.box
	}
	r, err := f.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{}
	var folder func(id string) string
	folder = func(id string) string {
		if at, ok := folders[id]; ok || id == "" {
			return at
		}
		at, err := r.Folder(t.Context(), c.Items()[id].Item, folder(c.Items()[id].Parent))
		if err != nil {
			t.Fatalf("folder %q: %v", c.Items()[id].Name, err)
		}
		folders[id] = at
		return at
	}
	out := map[string]engine.Restored{}
	for id, item := range c.Items() {
		if !strings.HasPrefix(id, ownItem) || item.Kind != holdfast.KindMail {
			continue
		}
		res, err := r.Put(t.Context(), engine.Put{Item: item.Item, Parent: folder(item.Parent), Marker: act + " of " + id, Open: item.Open})
		if (err != nil) != (res.Outcome == engine.Skipped) {
			t.Errorf("restore %q: %s, %v", item.Name, res.Outcome, err)
		}
		out[id] = res
	}
	return out
}

func TestWhatOnlyTheExportHasIsPutBack(t *testing.T) {
	f := setup(t, sim.Options{Seed: 42, Items: true})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.all, f.box); err != nil {
		t.Fatal(err)
	}
	before := f.sameOthers(t, c)
	sent := len(f.sim.Stats().MailsSent)
	comparable := func(user string) []string {
		var out []string
		for _, r := range f.otherTruth(t, user) {
			for name := range r.Extended {
				if strings.Contains(name, "Holdfast") {
					delete(r.Extended, name)
				}
			}
			out = append(out, fmt.Sprint(r.Folder, r.Class, r.Subject, r.BodySHA256, r.Categories, r.Extended, r.Multi))
		}
		slices.Sort(out)
		return out
	}
	want := comparable(f.box.Source)
	acts := 0
	outcomes := func(plan engine.RestorePlan) map[engine.Outcome]int {
		t.Helper()
		acts++
		n := map[engine.Outcome]int{}
		for id, res := range f.restoreOthers(t, c, plan, fmt.Sprint("act ", acts)) {
			if n[res.Outcome]++; slices.ContainsFunc(res.Lost, func(name string) bool { return name != "lastModifiedDateTime" }) {
				t.Errorf("%s %q lost %v", before[id].Fields[holdfast.FieldClass], before[id].Name, res.Lost)
			}
		}
		return n
	}
	if n := outcomes(engine.RestorePlan{}); n[engine.Existing] != len(before) {
		t.Errorf("in a mailbox that has all: %v", n)
	}
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	if n := outcomes(engine.RestorePlan{DryRun: true}); n[engine.Created] != len(before) || len(comparable(f.box.Source)) != 0 {
		t.Errorf("a dry run in a mailbox that was emptied: %v", n)
	}
	if n := outcomes(engine.RestorePlan{}); n[engine.Created] != len(before) {
		t.Errorf("in a mailbox that was emptied: %v", n)
	}
	if have := comparable(f.box.Source); !slices.Equal(have, want) {
		t.Errorf("came back as\n%s\nwas\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if n := outcomes(engine.RestorePlan{}); n[engine.Existing] != len(before) {
		t.Errorf("a second restore: %v", n)
	}
	acts -= 2 // an attempt of the restore that made them, whose answers did not come
	if n := outcomes(engine.RestorePlan{}); n[engine.Created] != len(before) || len(comparable(f.box.Source)) != len(before) {
		t.Errorf("another attempt of the same restore: %v, %d items", n, len(comparable(f.box.Source)))
	}
	acts += 2
	if n := outcomes(engine.RestorePlan{Mode: engine.KeepBoth}); n[engine.Created] != len(before) || len(comparable(f.box.Source)) != 2*len(before) {
		t.Errorf("keep both: %v, %d items", n, len(comparable(f.box.Source)))
	}
	to := f.other(t)
	there := len(comparable(to.Source))
	if n := outcomes(engine.RestorePlan{To: to, Folder: "Back/from the vault"}); n[engine.Created] != len(before) || len(comparable(to.Source)) != there+len(before) {
		t.Errorf("to a folder of another mailbox: %v", n)
	}
	if n := len(f.sim.Stats().MailsSent) - sent; n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// One that was changed is overwritten when that is asked for, keeping its id.
func TestAnItemOfTheExportIsOverwritten(t *testing.T) {
	f := setup(t, sim.Options{Seed: 43, Items: true})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.all, f.box); err != nil {
		t.Fatal(err)
	}
	old := oneOf(f.sameOthers(t, c), "IPM.DistList")
	id := strings.TrimPrefix(old.ID, ownItem)
	if err := f.sim.Recategorize(f.box.Source, id, "Blue category"); err != nil {
		t.Fatal(err)
	}
	if res := f.restoreOthers(t, c, engine.RestorePlan{}, "a")[old.ID]; res.Outcome != engine.Skipped {
		t.Errorf("a changed group: %s", res.Outcome)
	}
	res := f.restoreOthers(t, c, engine.RestorePlan{Mode: engine.Overwrite, Newer: true}, "b")[old.ID]
	if res.Outcome != engine.Overwritten || res.NewID != old.ID {
		t.Errorf("overwriting a changed group: %+v", res)
	}
	if now := f.otherTruth(t, f.box.Source)[id]; slices.Contains(now.Categories, "Blue category") {
		t.Errorf("the group has still %v", now.Categories)
	}
}

// Where there is no export of mailboxes nothing of it is read; where the application may export and not list, that is named.
func TestItemsOfTheExportWithoutItsRights(t *testing.T) {
	f := setup(t, sim.Options{Seed: 44, Items: true})
	c := workloadtest.New()
	if err := c.Read(t.Context(), mailOnly{f.all, []holdfast.MailboxPart{holdfast.PartExport}}, f.box); err != nil {
		t.Fatal(err)
	}
	for id := range c.Items() {
		if strings.HasPrefix(id, ownItem) {
			t.Errorf("%s is read though the job leaves exports out", id)
		}
	}
}
