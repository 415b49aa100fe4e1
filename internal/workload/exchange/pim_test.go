package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// personalSetup is a tenant with little mail and many other things, read whole.
func personalSetup(t *testing.T, seed uint64) fixture {
	t.Helper()
	f := setup(t, sim.Options{Seed: seed, Mail: sim.MailShape{Messages: 2, Folders: 1, MeanSize: 600, WithAttachments: -1}, PIM: sim.PIMShape{Contacts: 24, Events: 40, Tasks: 15}})
	f.source = mailOnly{f.all, []holdfast.MailboxPart{holdfast.PartExport}}
	return f
}

func (f fixture) rows(t *testing.T, user string) []sim.PIMRow {
	t.Helper()
	var out []sim.PIMRow
	if err := f.sim.DumpPIM(user, func(r sim.PIMRow) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// samePersonal demands that the container holds exactly what the mailbox holds.
func (f fixture) samePersonal(t *testing.T, c *workloadtest.Container) {
	t.Helper()
	kinds := map[string]holdfast.ItemKind{"contact": holdfast.KindContact, "event": holdfast.KindEvent, "todoTask": holdfast.KindTask}
	want := map[string]sim.PIMRow{}
	for _, r := range f.rows(t, f.box.Source) {
		want[r.ID] = r
	}
	have := 0
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail || item.Kind == holdfast.KindFolder || item.Kind == holdfast.KindSetting {
			continue
		}
		have++
		r, ok := want[id]
		if !ok || kinds[r.Kind] != item.Kind {
			t.Errorf("%s %q is stored and not in the mailbox", item.Kind, item.Name)
			continue
		}
		var stored struct {
			Title, Subject, DisplayName string
			Categories                  []string
			Exceptions                  []any `json:"exceptionOccurrences"`
			Cancelled                   []any `json:"cancelledOccurrences"`
			Steps                       []any `json:"checklistItems"`
		}
		if err := json.Unmarshal(item.Forms[holdfast.FormJSON], &stored); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{"contact": stored.DisplayName, "event": stored.Subject, "todoTask": stored.Title}[r.Kind]
		if want := nameOf(r); got != want {
			t.Errorf("%q is stored as %q", want, got)
		}
		if len(stored.Exceptions) != len(r.Exceptions) || len(stored.Cancelled) != len(r.Cancelled) || len(stored.Steps) != len(r.Parts["checklistItems"]) {
			t.Errorf("%q: %d exceptions, %d cancelled, %d steps are stored; there are %d, %d, %d", item.Name, len(stored.Exceptions), len(stored.Cancelled), len(stored.Steps), len(r.Exceptions), len(r.Cancelled), len(r.Parts["checklistItems"]))
		}
		if (r.Photo != "") != (len(item.Forms[holdfast.FormPhoto]) > 0) {
			t.Errorf("the photo of %q: stored %d bytes", item.Name, len(item.Forms[holdfast.FormPhoto]))
		}
		if n := len(r.Attachments) + len(r.Parts["attachments"]); (n > 0) != (len(item.Forms[holdfast.FormAttachments]) > 0) {
			t.Errorf("%q has %d attachments, stored are %s", item.Name, n, item.Forms[holdfast.FormAttachments])
		}
		categories, _ := r.Props["categories"].([]any)
		if fmt.Sprint(categories) != fmt.Sprint(stored.Categories) {
			t.Errorf("%q has categories %v, stored are %v", item.Name, categories, stored.Categories)
		}
	}
	for id, r := range want {
		if _, ok := c.Items()[id]; !ok && c.Skips[id] == nil { // what is named is not lost
			t.Errorf("%s %q of %q is not stored (skips: %v)", r.Kind, nameOf(r), r.Folder, c.Skips[id])
		}
	}
	if have == 0 || len(c.Skips) > have/4 {
		t.Error("the mailbox is empty: nothing was compared")
	}
}

func nameOf(r sim.PIMRow) string {
	s, _ := r.Props[map[string]string{"contact": "displayName", "event": "subject", "todoTask": "title"}[r.Kind]].(string)
	return s
}

func TestPersonalItemsAreReadAndFollowed(t *testing.T) {
	f := personalSetup(t, 61)
	c := workloadtest.New()
	full := f.requests(func() {
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
	})
	f.samePersonal(t, c)
	idle := f.requests(func() {
		if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	})
	mail := f.requests(func() {
		if err := (mailOnly{f.source, holdfast.MailboxParts}).Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	})
	shelves := 0
	for _, name := range c.CursorNames() {
		if strings.Contains(name, "/shelf/") {
			shelves++
		}
	}
	t.Logf("%d requests full, %d idle, %d of them for mail, %d folders, calendars and lists", full, idle, mail, shelves)
	if want := int64(shelves + 3); idle-mail > want {
		t.Errorf("an idle read took %d requests for %d folders, calendars and lists, want at most %d", idle-mail, shelves, want)
	}
	for seed := range uint64(3) {
		if _, err := f.sim.Churn(sim.Churn{Seed: seed, Users: []string{f.box.Source}, Contacts: 6, Events: 8, Tasks: 6}); err != nil {
			t.Fatal(err)
		}
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		f.samePersonal(t, c)
	}
	if len(c.Skips) > 0 {
		t.Errorf("skipped: %v", c.Skips)
	}
	// A full read finds what no delta tells.
	c.Spoil(func(items map[string]workloadtest.Stored) {
		for id, item := range items {
			if item.Kind == holdfast.KindContact {
				delete(items, id)
				break
			}
		}
		for id, item := range items {
			if item.Kind == holdfast.KindTask {
				delete(items, id)
				break
			}
		}
		ghost := items[slices.Sorted(maps.Keys(items))[0]]
		for _, item := range items {
			if item.Kind == holdfast.KindEvent {
				ghost = item
			}
		}
		delete(items, ghost.ID)
	})
	c.Compare = true
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
}

func TestPersonalItemsSurviveResets(t *testing.T) {
	f := personalSetup(t, 62)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.sim.Clock().Move(60 * 24 * time.Hour) // every link is refused
	if _, err := f.sim.Churn(sim.Churn{Users: []string{f.box.Source}, Contacts: 6, Events: 6, Tasks: 6}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
	// A folder, a calendar and a list that go take their items along.
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	for _, item := range c.Items() {
		if item.Kind == holdfast.KindContact || item.Kind == holdfast.KindTask || item.Kind == holdfast.KindEvent && !strings.Contains(item.Name, "birthday") {
			t.Errorf("%s %q is still stored", item.Kind, item.Name)
		}
	}
}

func TestPersonalItemsUnderFaults(t *testing.T) {
	faults := []sim.Fault{
		{Name: sim.FaultThrottled, Every: 31}, {Name: sim.FaultUnavailableBare, Every: 37}, {Name: sim.FaultServerError, Every: 41}, {Name: sim.FaultFatPage, Every: 2},
		{Name: sim.FaultDuplicate, Every: 2}, {Name: sim.FaultOutOfOrder, Every: 2}, {Name: sim.FaultEmptyPage, Every: 5, Times: 6}, {Name: sim.FaultTruncated, Every: 29},
		{Name: sim.FaultDropped, Every: 43}, {Name: sim.FaultSyncState, Every: 3, Times: 4}, {Name: sim.FaultSyncStateBad, Every: 4, Times: 3}, {Name: sim.FaultFolderLost, Every: 5, Times: 2},
		{Name: sim.FaultDeepRefused, Times: 2},
	}
	f := personalSetup(t, 63)
	c := workloadtest.New()
	if err := f.sim.SetFaults(faults...); err != nil {
		t.Fatal(err)
	}
	for round := range uint64(3) {
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		if err := f.sim.SetFaults(); err != nil {
			t.Fatal(err)
		}
		f.samePersonal(t, c)
		if _, err := f.sim.Churn(sim.Churn{Seed: round, Users: []string{f.box.Source}, Contacts: 3, Events: 6, Tasks: 3}); err != nil {
			t.Fatal(err)
		}
		if err := f.sim.SetFaults(faults...); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	clear(c.Skips)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
	stats := f.sim.Stats()
	for _, fault := range faults {
		if stats.FaultsFired[fault.Name] == 0 {
			t.Errorf("the fault %s never struck", fault.Name)
		}
	}
}

// Where the service does not serve the steps of tasks in their rows, they are asked for one by one.
func TestStepsOfTasksThatRowsMayNotHave(t *testing.T) {
	f := personalSetup(t, 68)
	f.source = f.all // which asks nothing deep of mail, so that the fault strikes tasks
	c := workloadtest.New()
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultDeepRefused}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
	if f.sim.Stats().FaultsFired[sim.FaultDeepRefused] == 0 {
		t.Error("nothing was refused: this test shows nothing")
	}
}

// What can't be read is named, and read when it can be.
func TestPersonalItemsThatCannotBeRead(t *testing.T) {
	f := personalSetup(t, 64)
	c := workloadtest.New()
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultItemBroken}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if len(c.Skips) == 0 {
		t.Fatal("nothing is named: this test shows nothing")
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	clear(c.Skips)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
}

func TestPersonalKindsThatMayNotBeReadAreNamed(t *testing.T) {
	f := personalSetup(t, 65)
	f.sim.SetRoles([]string{"User.Read.All", "Mail.Read", "Contacts.Read"})
	f.sim.RevokeTokens()
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if c.Skips["calendars"] == nil || c.Skips["tasks"] == nil || c.Skips["contacts"] != nil || c.Skips["tasks"].Reason != holdfast.SkipDenied {
		t.Errorf("skips: %v", c.Skips)
	}
	f.sim.SetRoles(nil)
	f.sim.RevokeTokens()
	clear(c.Skips)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
}

func TestPersonalCrashAtAnySavepointResumes(t *testing.T) {
	f := personalSetup(t, 66)
	for at := 1; at < 10; at++ {
		c := workloadtest.New()
		crash := errors.New("crash")
		c.AtSavepoint = func(n int) error {
			if n == at {
				return crash
			}
			return nil
		}
		err := c.Read(t.Context(), f.source, f.box)
		if err == nil {
			break
		}
		c.Crash()
		c.AtSavepoint = nil
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatalf("after a crash at savepoint %d: %v", at, err)
		}
		f.samePersonal(t, c)
	}
}

// putAll restores everything but mail of a container, as the engine does, and gives what was lost by item.
func (f fixture) putAll(t *testing.T, c *workloadtest.Container, to holdfast.Container, plan engine.RestorePlan) map[string]engine.Restored {
	t.Helper()
	return f.putTries(t, c, to, plan, 7)
}

func (f fixture) putTries(t *testing.T, c *workloadtest.Container, to holdfast.Container, plan engine.RestorePlan, tries int) map[string]engine.Restored {
	t.Helper()
	plan.From, plan.To = f.box, to
	r, err := f.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	places := map[string]string{}
	var place func(id string) string
	place = func(id string) string {
		if at, ok := places[id]; ok {
			return at
		}
		item, ok := c.Items()[id]
		if !ok {
			return ""
		}
		at, err := r.Folder(t.Context(), item.Item, place(item.Parent))
		if err != nil {
			t.Fatalf("folder %q: %v", item.Name, err)
		}
		places[id] = at
		return at
	}
	out := map[string]engine.Restored{}
	for _, id := range slices.Sorted(maps.Keys(c.Items())) {
		item := c.Items()[id]
		if item.Kind == holdfast.KindMail || item.Kind == holdfast.KindFolder || item.Kind == holdfast.KindSetting || to.Source == f.box.Source && c.Items()[item.Parent].Name == "Birthdays" {
			continue // nobody writes that calendar, and its events are there
		}
		p := engine.Put{Item: item.Item, Parent: place(item.Parent), Marker: string(plan.Session) + id[len(id)-12:], Open: item.Open}
		var res engine.Restored
		for try := 1; ; try++ {
			if res, err = r.Put(t.Context(), p); err == nil || try == tries {
				break
			}
			p.Again = true
		}
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
		out[id] = res
	}
	return out
}

// lostProps are what the tables of docs/fidelity.md call lost.
var lostProps = []string{"attendees", "myResponse", "isOnlineMeeting", "onlineMeetingProvider", "onlineMeeting", "isCancelled", "transactionId"}

// equalPersonal compares two dumps, property by property, but for what is lost.
func equalPersonal(t *testing.T, before, after []sim.PIMRow, folder func(string) string) {
	t.Helper()
	key := func(r sim.PIMRow) string {
		return fmt.Sprintf("%s %s %s %v", r.Kind, folder(r.Folder), nameOf(r), r.Props["start"])
	}
	rest := slices.Clone(after)
	for _, b := range before {
		var why string
		i := slices.IndexFunc(rest, func(a sim.PIMRow) bool {
			if key(a) != key(b) {
				return false
			}
			if d := difference(b, a); d != "" {
				why = d
				return false
			}
			return true
		})
		if i < 0 {
			t.Errorf("%s is not there as it was: %s", key(b), why)
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	for _, a := range rest {
		t.Errorf("%s is there and was not", key(a))
	}
}

func difference(b, a sim.PIMRow) string {
	names := map[string]bool{}
	for _, m := range []map[string]any{a.Props, b.Props} {
		for k := range m {
			names[k] = true
		}
	}
	text := func(v any) string {
		raw, _ := json.Marshal(v)
		switch string(raw) {
		case "null", "[]", "{}":
			return ""
		}
		return string(raw)
	}
	meeting := text(b.Props["attendees"]) != ""
	for k := range names {
		x, y := text(b.Props[k]), text(a.Props[k])
		if slices.Contains(lostProps, k) || x == y {
			continue
		}
		if k == "body" && meeting {
			content := func(m any) string { s, _ := m.(map[string]any)["content"].(string); return s }
			if strings.Contains(content(a.Props[k]), "from the backup") && strings.HasPrefix(content(a.Props[k]), strings.TrimSuffix(strings.TrimSpace(content(b.Props[k])), "</body></html>")[:10]) {
				continue
			}
		}
		return fmt.Sprintf("%s was %s, is %s", k, x, y)
	}
	switch {
	case b.Photo != a.Photo:
		return "photo"
	case fmt.Sprint(b.Attachments) != fmt.Sprint(a.Attachments):
		return fmt.Sprintf("attachments were %v, are %v", b.Attachments, a.Attachments)
	case fmt.Sprint(b.Cancelled) != fmt.Sprint(a.Cancelled):
		return fmt.Sprintf("cancelled were %v, are %v", b.Cancelled, a.Cancelled)
	case fmt.Sprint(b.Parts) != fmt.Sprint(a.Parts):
		return fmt.Sprintf("parts were %v, are %v", b.Parts, a.Parts)
	case len(b.Exceptions) != len(a.Exceptions):
		return fmt.Sprintf("%d exceptions, were %d", len(a.Exceptions), len(b.Exceptions))
	}
	for day, x := range b.Exceptions {
		x.Exceptions, x.Cancelled = nil, nil
		if d := difference(x, a.Exceptions[day]); d != "" {
			return day + ": " + d
		}
	}
	return ""
}

func same(s string) string { return s }

// personalAsPromised demands that what a restore says it lost may be, and that what is called lost of a single property was by something.
func personalAsPromised(t *testing.T, c *workloadtest.Container, results map[string]engine.Restored) {
	t.Helper()
	sections := map[holdfast.ItemKind]string{holdfast.KindContact: "Contacts", holdfast.KindEvent: "Events", holdfast.KindTask: "Tasks"}
	for kind, section := range sections {
		promised, seen := table(t, section), map[string]bool{}
		for id, res := range results {
			if c.Items()[id].Kind != kind {
				continue
			}
			for _, lost := range res.Lost {
				seen[lost] = true
				if said := promised[lost]; said != "lost" && said != "not promised" {
					t.Errorf("%s %q lost %s, of which docs/fidelity.md says %q", kind, c.Items()[id].Name, lost, said)
				}
			}
		}
		for property, said := range promised {
			if said == "lost" && !strings.ContainsAny(property, " ,") && property != "id" && property != "transactionId" && !seen[property] {
				t.Errorf("docs/fidelity.md calls %s of %s lost, and none lost it", property, section)
			}
		}
	}
}

func TestPersonalItemsComeBackIntoTheEmptiedMailbox(t *testing.T) {
	f := personalSetup(t, 67)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	before := f.rows(t, f.box.Source)
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	results := f.putAll(t, c, f.box, engine.RestorePlan{Session: "s1", Mode: engine.SkipExisting})
	equalPersonal(t, before, f.rows(t, f.box.Source), same)
	personalAsPromised(t, c, results)
	if n := f.sim.Stats().MailsSentN; n != 0 {
		t.Errorf("the restore sent %d mails: %v", n, f.sim.Stats().MailsSent)
	}
	// Once more changes nothing.
	again := f.putAll(t, c, f.box, engine.RestorePlan{Session: "s2", Mode: engine.SkipExisting})
	for id, r := range again {
		if r.Outcome != engine.Existing {
			t.Errorf("%q is %s", c.Items()[id].Name, r.Outcome)
		}
	}
	equalPersonal(t, before, f.rows(t, f.box.Source), same)
}

func TestPersonalItemsComeBackIntoAnotherMailbox(t *testing.T) {
	f := personalSetup(t, 68)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	before := f.rows(t, f.box.Source)
	other := f.sim.Tenant().Users[1].ID
	if err := f.sim.WipeMailbox(other); err != nil {
		t.Fatal(err)
	}
	had := f.rows(t, other)
	to := holdfast.Container{Organization: f.box.Organization, Kind: holdfast.Mailbox, Source: other, Owner: other, Address: other}
	// The connection breaks after some calls had their effect, and before others: nothing is doubled.
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultAckLost, Every: 17}, sim.Fault{Name: sim.FaultDropped, Every: 23}, sim.Fault{Name: sim.FaultThrottled, Every: 29}); err != nil {
		t.Fatal(err)
	}
	f.putAll(t, c, to, engine.RestorePlan{Session: "s3", Mode: engine.KeepBoth})
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	var after []sim.PIMRow
	for _, r := range f.rows(t, other) {
		if !slices.ContainsFunc(had, func(h sim.PIMRow) bool { return h.ID == r.ID }) {
			after = append(after, r)
		}
	}
	equalPersonal(t, before, after, func(s string) string { return strings.TrimSuffix(s, " (restored)") })
	if n := f.sim.Stats().MailsSentN; n != 0 {
		t.Errorf("the restore sent %d mails: %v", n, f.sim.Stats().MailsSent)
	}
	if stats := f.sim.Stats(); stats.FaultsFired[sim.FaultAckLost] == 0 {
		t.Error("no answer was lost: this test shows less")
	}
}

// Tasks can't be searched: a list of many is read once for its restored tasks, not once for each.
func TestAListOfManyTasksIsPutBackInFewRequests(t *testing.T) {
	f := setup(t, sim.Options{Seed: 73, Mail: sim.MailShape{Messages: 1, Folders: 1, MeanSize: 600, WithAttachments: -1}, PIM: sim.PIMShape{Contacts: 1, Events: 1, Tasks: 600}})
	c := workloadtest.New()
	if err := c.Read(t.Context(), mailOnly{f.all, []holdfast.MailboxPart{holdfast.PartExport}}, f.box); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	var results map[string]engine.Restored
	n := f.requests(func() { results = f.putAll(t, c, f.box, engine.RestorePlan{Session: "s7", Mode: engine.SkipExisting}) })
	tasks, below := 0, 0
	for id := range results {
		if item := c.Items()[id]; item.Kind == holdfast.KindTask {
			tasks++
		}
	}
	for _, r := range f.rows(t, f.box.Source) {
		below += len(r.Attachments) + len(r.Parts["checklistItems"])
	}
	t.Logf("%d requests for %d tasks with %d steps and attachments", n, tasks, below)
	// Is it there, make it, read it back; its attachments are listed.
	if tasks < 500 || n > int64(4*tasks+2*below+100) {
		t.Errorf("%d requests for %d tasks with %d steps and attachments", n, tasks, below)
	}
}

// A list of tasks is read once, but what was restored before and is edited or deleted while the restore runs is taken as it is when its turn comes.
func TestATaskThatIsTouchedWhileTheRestoreRunsIsSeenAsItIs(t *testing.T) {
	f := personalSetup(t, 74)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	first := f.putAll(t, c, f.box, engine.RestorePlan{Session: "s8", Mode: engine.SkipExisting})
	f.sim.Clock().Move(time.Hour)
	r, err := f.target.Open(t.Context(), engine.RestorePlan{From: f.box, To: f.box, Session: "s9", Mode: engine.Overwrite})
	if err != nil {
		t.Fatal(err)
	}
	byList := map[string][]workloadtest.Stored{}
	var of []workloadtest.Stored
	for _, item := range c.Items() {
		if item.Kind != holdfast.KindTask {
			continue
		}
		if byList[item.Parent] = append(byList[item.Parent], item); len(byList[item.Parent]) == 3 {
			of = byList[item.Parent]
		}
	}
	if len(of) < 3 {
		t.Fatal("no list has three tasks")
	}
	shelf, err := r.Folder(t.Context(), c.Items()[of[0].Parent].Item, "")
	if err != nil {
		t.Fatal(err)
	}
	put := func(item workloadtest.Stored, version string) (engine.Restored, error) {
		now := item.Item
		now.Version = version
		return r.Put(t.Context(), engine.Put{Item: now, Parent: shelf, Marker: "y" + item.ID[len(item.ID)-12:], Open: item.Open})
	}
	if res, err := put(of[0], of[0].Version); err != nil || res.Outcome != engine.Existing {
		t.Fatalf("a task that is there: %+v, %v", res, err)
	}
	edited, deleted := graph.Tasks.ItemPath(f.box.Source, shelf, first[of[1].ID].NewID), graph.Tasks.ItemPath(f.box.Source, shelf, first[of[2].ID].NewID)
	if _, err := f.g.UpdatePersonal(t.Context(), graph.Tasks, edited, map[string]any{"title": "edited since"}); err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeletePersonal(t.Context(), graph.Tasks, deleted); err != nil {
		t.Fatal(err)
	}
	var skip *holdfast.Skip
	if res, err := put(of[1], "another"); !errors.As(err, &skip) || skip.Reason != holdfast.SkipConflict {
		t.Errorf("a task that was edited meanwhile: %+v, %v", res, err)
	}
	if _, err := f.g.PersonalItem(t.Context(), graph.Tasks, edited, graph.List{}); err != nil {
		t.Errorf("the edited task: %v", err)
	}
	if res, err := put(of[2], of[2].Version); err != nil || res.Outcome != engine.Created {
		t.Errorf("a task that was deleted meanwhile: %+v, %v", res, err)
	}
}

// An answer that is lost while something is added to an item does not make the item begin anew: one with many attachments or steps would hardly ever
// become whole.
func TestWhatStandsBelowAnItemIsAddedOnceThoughAnswersAreLost(t *testing.T) {
	for _, name := range []string{sim.FaultAckLost, sim.FaultDropped, sim.FaultBadGateway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := personalSetup(t, 71)
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			before := f.rows(t, f.box.Source)
			if err := f.sim.WipeMailbox(f.box.Source); err != nil {
				t.Fatal(err)
			}
			var faults []sim.Fault
			for _, path := range []string{"events/{item}/attachments", "todo/lists/{folder}/tasks/{item}/checklistItems", "todo/lists/{folder}/tasks/{item}/attachments"} {
				faults = append(faults, sim.Fault{Name: name, Every: 2, Path: "POST /v1.0/users/{user}/" + path})
			}
			if err := f.sim.SetFaults(faults...); err != nil {
				t.Fatal(err)
			}
			f.putTries(t, c, f.box, engine.RestorePlan{Session: "s5", Mode: engine.SkipExisting}, 1)
			if n := f.sim.Stats().FaultsFired[name]; n < 10 {
				t.Errorf("only %d answers were lost", n)
			}
			equalPersonal(t, before, f.rows(t, f.box.Source), same)
		})
	}
}

// An attempt that ends after an occurrence was changed and before its own attachment was added leaves half an event, which the next one does not take for whole.
func TestAnExceptionWithoutItsAttachmentIsNotWhole(t *testing.T) {
	f := personalSetup(t, 71)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	var series sim.PIMRow
	before := f.rows(t, f.box.Source)
	for _, r := range before {
		for _, x := range r.Exceptions {
			if len(x.Attachments) > len(r.Attachments) {
				series = r
			}
		}
	}
	if series.ID == "" {
		t.Fatal("no exception has an attachment of its own")
	}
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	r, err := f.target.Open(t.Context(), engine.RestorePlan{From: f.box, To: f.box, Session: "s6", Mode: engine.SkipExisting})
	if err != nil {
		t.Fatal(err)
	}
	item := c.Items()[series.ID]
	shelf, err := r.Folder(t.Context(), c.Items()[item.Parent].Item, "")
	if err != nil {
		t.Fatal(err)
	}
	p := engine.Put{Item: item.Item, Parent: shelf, Marker: "m", Open: item.Open}
	// What is attached to the series itself is added; the first attachment of an occurrence is not, nor is the half event deleted.
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultRefused, Path: "POST /v1.0/users/{user}/events/{item}/attachments", Skip: len(series.Attachments)},
		sim.Fault{Name: sim.FaultRefused, Path: "DELETE", Skip: len(series.Cancelled)}); err != nil {
		t.Fatal(err)
	}
	if res, err := r.Put(t.Context(), p); err == nil {
		t.Fatalf("the fault did not strike: %+v", res)
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	p.Again = true
	if res, err := r.Put(t.Context(), p); err != nil {
		t.Errorf("%+v, %v", res, err)
	}
	var have []sim.PIMRow
	for _, x := range f.rows(t, f.box.Source) {
		if x.Kind == "event" && x.Folder != "Birthdays" {
			have = append(have, x)
		}
	}
	equalPersonal(t, []sim.PIMRow{series}, have, same)
}

// A process that dies between making an item and recording it finds the item.
func TestPersonalItemsAreNotMadeTwice(t *testing.T) {
	f := personalSetup(t, 69)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	before := f.rows(t, f.box.Source)
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same session, of which nothing was recorded
		f.putAll(t, c, f.box, engine.RestorePlan{Session: "s4", Mode: engine.KeepBoth})
	}
	equalPersonal(t, before, f.rows(t, f.box.Source), same)
}

// What replaces a meeting would tell its attendees, so it is not replaced.
func TestMeetingsAreNotReplaced(t *testing.T) {
	f := personalSetup(t, 70)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindEvent && item.Fields[holdfast.FieldRecurring] == "" && item.Fields[holdfast.FieldTo] != "" {
			if _, err := f.g.UpdatePersonal(t.Context(), graph.Calendars, graph.Calendars.ItemPath(f.box.Source, "", id), map[string]any{"categories": []string{"changed"}}); err != nil {
				t.Fatal(err)
			}
			changed++
		}
	}
	if changed == 0 {
		t.Fatal("there is no meeting")
	}
	r, err := f.target.Open(context.Background(), engine.RestorePlan{Session: "s5", From: f.box, To: f.box, Mode: engine.Overwrite, Newer: true})
	if err != nil {
		t.Fatal(err)
	}
	refused, replaced := 0, 0
	for id, item := range c.Items() {
		if item.Kind != holdfast.KindEvent || item.Fields[holdfast.FieldTo] == "" || item.Fields[holdfast.FieldRecurring] != "" {
			continue
		}
		res, err := r.Put(t.Context(), engine.Put{Item: item.Item, Parent: item.Parent, Marker: "x" + id[len(id)-12:], Open: item.Open})
		var skip *holdfast.Skip
		switch {
		case errors.As(err, &skip) && skip.Reason == holdfast.SkipConflict:
			refused++
		case err == nil && res.Outcome == engine.Overwritten:
			replaced++ // of somebody else: nobody is told
		default:
			t.Errorf("%q: %v, %v", item.Name, res, err)
		}
	}
	if refused == 0 || replaced == 0 {
		t.Errorf("%d refused, %d replaced", refused, replaced)
	}
	if n := f.sim.Stats().MailsSentN; n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// A kind that the service refuses for a mailbox does not keep its mail from being read, and what is stored of it stays.
func TestPersonalKindsThatTheServiceRefusesAreNamed(t *testing.T) {
	f := personalSetup(t, 71)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	stored := len(c.Items())
	if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultRefused, Path: "/todo/"}, sim.Fault{Name: sim.FaultRefused, Path: "GET /v1.0/users/{user}/calendars/{folder}/events"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		clear(c.Skips)
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		if c.Skips["tasks"] == nil || len(c.Skips) < 3 {
			t.Errorf("named are %v", c.Skips)
		}
	}
	if len(c.Items()) != stored {
		t.Errorf("%d items are stored, before there were %d", len(c.Items()), stored)
	}
	if err := f.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	clear(c.Skips)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.samePersonal(t, c)
	for cursor, err := range c.Cursors(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if cursor.Name == "tasks/refused" || cursor.Value == "broken" {
			t.Errorf("the cursor %s says that it is still refused", cursor.Name)
		}
	}
}
