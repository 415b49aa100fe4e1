package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/exchange"
	"holdfast/internal/workload/workloadtest"
)

type fixture struct {
	sim    *sim.Sim
	g      *graph.Client
	source engine.Source
	target engine.Target
	box    holdfast.Container
	all    engine.Source // that reads contacts, events and tasks too
}

// mailOnly leaves everything but mail out, and reads that in one of both ways.
type mailOnly struct {
	engine.Source
	without []holdfast.MailboxPart
}

func (s mailOnly) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	return s.Source.Read(engine.LeaveOut(ctx, s.without), c, prev, sink)
}

// both runs a test with mail as MIME and JSON and with mail as it is exported.
func both(t *testing.T, test func(t *testing.T)) {
	t.Run("mime", test)
	t.Run("export", test)
}

// without are the parts that a test leaves out: with mail as it is exported, if both says so, that stays.
func without(t *testing.T) []holdfast.MailboxPart {
	return slices.DeleteFunc(slices.Clone(holdfast.MailboxParts), func(p holdfast.MailboxPart) bool {
		return p == holdfast.PartExport && strings.Contains(t.Name(), "/export")
	})
}

func setup(t *testing.T, o sim.Options) fixture {
	t.Helper()
	s, g := workloadtest.Tenant(t, o)
	w := exchange.New(func(context.Context, holdfast.Organization, holdfast.Credential) (*graph.Client, error) {
		return g, nil
	})
	org := holdfast.Organization{ID: "5f1d2c34-0000-4000-8000-000000000001"}
	src, err := w.Source(t.Context(), org, holdfast.Credential{})
	if err != nil {
		t.Fatal(err)
	}
	dst, err := w.Target(t.Context(), org, holdfast.Credential{})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{sim: s, g: g, source: mailOnly{src, without(t)}, target: dst, all: src}
	for found, err := range src.Discover(t.Context(), []string{s.Tenant().Users[0].ID}) {
		if err != nil || found.Err != nil {
			t.Fatal(err, found.Err)
		}
		f.box = found.Container
	}
	return f
}

// truth reads the mailbox without the Source: every message of every folder, by plain lists.
func (f fixture) truth(t *testing.T) map[string]*graph.Message {
	t.Helper()
	out := map[string]*graph.Message{}
	messages := func(folder string) {
		first, err := f.g.Messages(t.Context(), f.box.Source, folder, graph.List{Top: 100})
		for m, err := range graph.All(t.Context(), f.g, first, err, graph.List{}) {
			if err != nil {
				t.Fatal(err)
			}
			out[m.ID] = m
		}
	}
	messages("notes") // which no list of folders has
	var folders func(parent string)
	folders = func(parent string) {
		l := graph.List{Hidden: true, Top: 100}
		var page *graph.Page[graph.MailFolder]
		var err error
		if parent == "" {
			page, err = f.g.MailFolders(t.Context(), f.box.Source, l)
		} else {
			page, err = f.g.ChildFolders(t.Context(), f.box.Source, parent, l)
		}
		for folder, err := range graph.All(t.Context(), f.g, page, err, l) {
			if err != nil {
				t.Fatal(err)
			}
			messages(folder.ID)
			if folder.ChildFolderCount > 0 {
				folders(folder.ID)
			}
		}
	}
	folders("")
	return out
}

// same demands that the container holds exactly what the mailbox holds: every message in its folder, with its version and MIME.
func (f fixture) same(t *testing.T, c *workloadtest.Container) {
	t.Helper()
	want := f.truth(t)
	have := 0
	for id, item := range c.Items() {
		if item.Kind != holdfast.KindMail {
			continue
		}
		have++
		m := want[id]
		switch {
		case m == nil:
			t.Errorf("%q is stored and not in the mailbox", item.Name)
		case item.Parent != m.ParentFolderID || item.Version != m.ChangeKey || item.Name != m.Subject:
			t.Errorf("%q is stored as %q in %s, version %s; it is in %s, version %s", m.Subject, item.Name, item.Parent, item.Version, m.ParentFolderID, m.ChangeKey)
		default:
			stored, ok := item.Forms[holdfast.FormMIME]
			served, err := f.g.MIME(t.Context(), f.box.Source, id, 200<<20)
			if fts, exported := item.Forms[holdfast.FormFTS]; exported {
				if ok || !strings.Contains(t.Name(), "/export") {
					t.Fatalf("%q is stored in a form that was not asked for", m.Subject)
				}
				served, err = f.sim.Exported(f.box.Source, id)
				stored = joined(t, item.Forms[holdfast.FormRecords], fts)
			}
			if err != nil || string(served) != string(stored) {
				t.Errorf("the content of %q differs (%v)", m.Subject, err)
			}
		}
	}
	if have != len(want) {
		t.Errorf("%d messages are stored, the mailbox has %d", have, len(want))
	}
	if len(want) == 0 {
		t.Error("the mailbox is empty: nothing was compared")
	}
}

// joined is a stored stream as it was served.
func joined(t *testing.T, records, stream []byte) []byte {
	t.Helper()
	r, err := fasttransfer.Join(records, bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadFollowsTheMailbox(t *testing.T) { both(t, testReadFollowsTheMailbox) }

func testReadFollowsTheMailbox(t *testing.T) {
	f := setup(t, sim.Options{Seed: 3})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)

	// New, flagged, moved and deleted messages.
	var ids []string
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail {
			ids = append(ids, id)
		}
	}
	if len(ids) < 4 {
		t.Fatalf("only %d messages", len(ids))
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, ids[0], "", map[string]any{"flag": map[string]any{"flagStatus": "flagged"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.MoveMessage(t.Context(), f.box.Source, ids[1], "archive"); err != nil {
		t.Fatal(err)
	}
	if err := f.g.DeleteMessage(t.Context(), f.box.Source, ids[2]); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.CreateMessage(t.Context(), f.box.Source, "drafts", map[string]any{"subject": "fresh", "body": map[string]any{"contentType": "text", "content": "hello"}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
	if c.Items()[ids[0]].Fields[holdfast.FieldFlag] != "flagged" {
		t.Error("the flag is not stored")
	}
}

// requests counts what fn costs.
func (f fixture) requests(fn func()) int64 {
	before := f.sim.Stats().Calls
	fn()
	return int64(f.sim.Stats().Calls - before)
}

func TestIdleReadPutsNothing(t *testing.T) { both(t, testIdleReadPutsNothing) }

func testIdleReadPutsNothing(t *testing.T) {
	f := setup(t, sim.Options{Seed: 5})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(c.CursorNames(), len(c.Items()))
	quiet := quietSink{c.Sink(), t}
	n := f.requests(func() {
		if err := f.source.Read(t.Context(), f.box, c, quiet); err != nil {
			t.Fatal(err)
		}
	})
	folders := 0
	for _, name := range c.CursorNames() {
		if strings.HasPrefix(name, "f/") {
			folders++
		}
	}
	if want := int64(folders + 3); n > want {
		t.Errorf("an idle read of %d folders took %d requests, want at most %d", folders, n, want)
	}
	if after := fmt.Sprint(c.CursorNames(), len(c.Items())); after != before {
		t.Errorf("an idle read changed %s to %s", before, after)
	}
}

// TestAnIdleMailboxIsAskedInFewRequests: its folders are asked for in batches of twenty, and what failed of a batch is asked for by itself.
func TestAnIdleMailboxIsAskedInFewRequests(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"no fault":           {},
		"some fail":          {Name: sim.FaultServerError, Path: "messages/delta", Every: 3, Times: 6},
		"some are throttled": {Name: sim.FaultThrottled, Path: "messages/delta", Every: 5, Times: 3, RetryAfter: "1"},
		"some are reset":     {Name: sim.FaultSyncState, Path: "messages/delta", Every: 7, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sim.Options{Seed: 5, Mail: sim.MailShape{Messages: 40, Folders: 30, MeanSize: 1500, WithAttachments: -1}})
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			if name == "no fault" {
				before := f.sim.Stats().Requests
				if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
					t.Fatal(err)
				}
				// The tree, the top's hidden folders, and a batch for each twenty folders.
				want := 2 + (len(f.cursorsOf(c))+19)/20
				if n := f.sim.Stats().Requests - before; int(n) > want {
					t.Errorf("an idle read of %d folders took %d requests, want at most %d", len(f.cursorsOf(c)), n, want)
				}
			}
			if fault.Name != "" {
				if err := f.sim.SetFaults(fault); err != nil {
					t.Fatal(err)
				}
			}
			// Mails that go from folder to folder, and more of them than a part of a batch brings.
			if _, err := f.sim.Churn(sim.Churn{Seed: 3, Users: []string{f.box.Source}, New: 260, Flags: 20, Moves: 20, Deletes: 10, Folders: 2}); err != nil {
				t.Fatal(err)
			}
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			if fault.Name != "" && f.sim.Stats().FaultsFired[fault.Name] == 0 {
				t.Fatal("the fault did not strike")
			}
			f.same(t, c)
			if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// quietSink fails the test when anything is put.
type quietSink struct {
	engine.Sink
	t *testing.T
}

func (q quietSink) Put(_ context.Context, item holdfast.Item, _ ...holdfast.Payload) error {
	q.t.Errorf("put %s %q", item.Kind, item.Name)
	return nil
}

func (q quietSink) Delete(_ context.Context, id string) error {
	q.t.Errorf("delete %s", id)
	return nil
}

func (q quietSink) Cursor(_ context.Context, name, _ string) error {
	q.t.Errorf("cursor %s", name)
	return nil
}

func TestExpiredLinksReadAgainWithoutWrongDeletes(t *testing.T) {
	both(t, testExpiredLinksReadAgainWithoutWrongDeletes)
}

func testExpiredLinksReadAgainWithoutWrongDeletes(t *testing.T) {
	f := setup(t, sim.Options{Seed: 7})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	n := len(c.Items())
	f.sim.Clock().Move(60 * 24 * time.Hour)
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if len(c.Items()) != n {
		t.Errorf("after a reset %d items, before %d", len(c.Items()), n)
	}
	f.same(t, c)
}

func TestAFullReadFindsWhatNoDeltaTells(t *testing.T) { both(t, testAFullReadFindsWhatNoDeltaTells) }

func testAFullReadFindsWhatNoDeltaTells(t *testing.T) {
	f := setup(t, sim.Options{Seed: 7})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	var mails, folders []string
	for id, item := range c.Items() {
		switch {
		case item.Kind == holdfast.KindMail:
			mails = append(mails, id)
		case item.Fields[holdfast.FieldSpecial] == "":
			folders = append(folders, id)
		}
	}
	ghost := mails[3]
	never := c.Items()[ghost]
	if err := f.g.DeleteMessage(t.Context(), f.box.Source, ghost); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	c.Spoil(func(items map[string]workloadtest.Stored) {
		lost := items[folders[0]]
		lost.Name, lost.Version = "an old name", "old"
		items[folders[0]] = lost
		old := items[mails[0]]
		old.Fields = map[string]string{holdfast.FieldBody: "another"} // of the same version
		items[mails[0]] = old
		items[ghost] = never
		delete(items, mails[2])
	})
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if _, there := c.Items()[ghost]; !there {
		t.Fatal("the incremental read found it: this test shows nothing")
	}
	c.Compare = true
	full := f.requests(func() {
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
	})
	f.same(t, c)
	if _, there := c.Items()[ghost]; there {
		t.Error("what the mailbox does not have is kept")
	}
	if c.Items()[folders[0]].Name == "an old name" {
		t.Error("the folder keeps its old name")
	}
	if c.Items()[mails[0]].Fields[holdfast.FieldBody] == "another" {
		t.Error("a mail of another content is kept")
	}
	if limit := int64(4*len(f.cursorsOf(c)) + 20); full > limit {
		t.Errorf("%d requests for %d folders and %d mails", full, len(f.cursorsOf(c)), len(mails))
	}
	c.Compare = false
	if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
		t.Fatal(err)
	}
}

// cursorsOf are the cursors of folders.
func (f fixture) cursorsOf(c *workloadtest.Container) []string {
	return slices.DeleteFunc(c.CursorNames(), func(n string) bool { return !strings.HasPrefix(n, "f/") })
}

func TestCrashAtAnySavepointResumes(t *testing.T) { both(t, testCrashAtAnySavepointResumes) }

func testCrashAtAnySavepointResumes(t *testing.T) {
	f := setup(t, sim.Options{Seed: 9})
	broken := fmt.Errorf("crash")
	for at := 1; ; at++ {
		c := workloadtest.New()
		c.AtSavepoint = func(n int) error {
			if n == at {
				return broken
			}
			return nil
		}
		err := c.Read(t.Context(), f.source, f.box)
		if err == nil {
			if at < 3 {
				t.Fatalf("only %d savepoints", at-1)
			}
			return
		}
		c.Crash()
		c.AtSavepoint = nil
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatalf("after a crash at savepoint %d: %v", at, err)
		}
		f.same(t, c)
		if at > 8 {
			return
		}
	}
}

func TestGoneAndUnlicensedAreNotEmpty(t *testing.T) { both(t, testGoneAndUnlicensedAreNotEmpty) }

func testGoneAndUnlicensedAreNotEmpty(t *testing.T) {
	f := setup(t, sim.Options{Seed: 11})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	n := len(c.Items())
	for state, reason := range map[string]holdfast.SkipReason{sim.MailboxUnlicensed: holdfast.SkipUnlicensed, sim.MailboxGone: holdfast.SkipGone} {
		if err := f.sim.SetMailbox(f.box.Source, state); err != nil {
			t.Fatal(err)
		}
		err := c.Read(t.Context(), f.source, f.box)
		var skip *holdfast.Skip
		if !asSkip(err, &skip) || skip.Reason != reason {
			t.Errorf("mailbox %s: got %v, want a skip of reason %s", state, err, reason)
		}
		if len(c.Items()) != n {
			t.Errorf("mailbox %s: %d items are left of %d", state, len(c.Items()), n)
		}
	}
}

func asSkip(err error, to **holdfast.Skip) bool {
	s, ok := err.(*holdfast.Skip)
	*to = s
	return ok
}

// restoreAll puts every stored mail into a mailbox and gives the results by item id. A dry run before must have said the same, and changed nothing.
func (f fixture) restoreAll(t *testing.T, c *workloadtest.Container, plan engine.RestorePlan) map[string]engine.Restored {
	t.Helper()
	before := f.truth(t)
	dry := plan
	dry.DryRun = true
	planned := f.run(t, c, dry)
	if after := f.truth(t); len(after) != len(before) {
		t.Errorf("a dry run changed the number of mails from %d to %d", len(before), len(after))
	}
	done := f.run(t, c, plan)
	for id, res := range done {
		if p := planned[id]; p.Outcome != res.Outcome {
			t.Errorf("%q: the plan says %s, the restore did %s", c.Items()[id].Name, p.Outcome, res.Outcome)
		} else if p.NewID == "" && (p.Outcome == engine.Created || p.Outcome == engine.Overwritten) != (p.Cost.Requests > 0) {
			t.Errorf("%q: %s is said to cost %+v", c.Items()[id].Name, p.Outcome, p.Cost)
		}
	}
	return done
}

func (f fixture) run(t *testing.T, c *workloadtest.Container, plan engine.RestorePlan) map[string]engine.Restored {
	t.Helper()
	plan.From, plan.Session = f.box, "6f1d2c34-0000-4000-8000-000000000001"
	if plan.To.Source == "" {
		plan.To = f.box
	}
	r, err := f.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	folders := map[string]string{}
	var folder func(id string) string
	folder = func(id string) string {
		if at, ok := folders[id]; ok || id == "" {
			return at
		}
		item := c.Items()[id]
		at, err := r.Folder(t.Context(), item.Item, folder(item.Parent))
		if err != nil {
			t.Fatalf("folder %q: %v", item.Name, err)
		}
		folders[id] = at
		return at
	}
	out := map[string]engine.Restored{}
	for id, item := range c.Items() {
		if item.Kind != holdfast.KindMail && item.Kind != holdfast.KindFolder {
			continue // tests of their own restore them
		}
		if item.Kind != holdfast.KindMail {
			folder(id)
			continue
		}
		res, err := r.Put(t.Context(), engine.Put{Item: item.Item, Parent: folder(item.Parent), Marker: "marker of " + id, Open: item.Open})
		if err != nil {
			t.Errorf("restore %q: %v", item.Name, err)
		}
		out[id] = res
	}
	return out
}

// table gives the rows of a section of docs/fidelity.md: property -> what is said of it.
func table(t *testing.T, section string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(string(raw), "## "+section+"\n")
	rows, _, _ = strings.Cut(rows, "\n## ")
	out := map[string]string{}
	for line := range strings.Lines(rows) {
		if cells := strings.Split(line, "|"); len(cells) > 4 {
			out[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[2])
		}
	}
	return out
}

// asPromised demands that what was lost may be, and with all that what the table calls lost was lost by some mail at least.
func asPromised(t *testing.T, c *workloadtest.Container, results map[string]engine.Restored, all bool) {
	t.Helper()
	section, own := "Mail", []string{"createdDateTime", "lastModifiedDateTime", "alternative body", "reference attachments"}
	if strings.Contains(t.Name(), "/export") {
		section, own = "Mail that was exported", []string{"createdDateTime", "lastModifiedDateTime"}
	}
	promised, seen := table(t, section), map[string]bool{}
	for id, res := range results {
		for _, lost := range res.Lost {
			seen[lost] = true
			if said := promised[lost]; said != "lost" && said != "not promised" {
				t.Errorf("%q lost %s, of which docs/fidelity.md says %q", c.Items()[id].Name, lost, said)
			}
		}
	}
	// What a restore says of itself; the other rows are compared by the tests of the whole.
	for _, property := range own {
		if promised[property] == "" {
			t.Errorf("docs/fidelity.md has no row for %s", property)
		}
		if all && promised[property] == "lost" && !seen[property] {
			t.Errorf("docs/fidelity.md calls %s lost, and no mail lost it", property)
		}
	}
}

func TestRestoreIntoTheEmptiedMailboxIsEqual(t *testing.T) {
	both(t, testRestoreIntoTheEmptiedMailboxIsEqual)
}

func testRestoreIntoTheEmptiedMailboxIsEqual(t *testing.T) {
	f := setup(t, sim.Options{Seed: 13, Mail: sim.MailShape{Messages: 80, MeanSize: 3000, WithAttachments: 1}})
	alternatives := "Subject: alternatives\r\nFrom: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n<p>not plain</p>\r\n--b--\r\n"
	if _, err := f.sim.Deliver(f.box.Source, "inbox", []byte(alternatives)); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail {
			if err := f.g.DeleteMessage(t.Context(), f.box.Source, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	results := f.restoreAll(t, c, engine.RestorePlan{})
	if len(results) == 0 {
		t.Fatal("nothing was restored")
	}
	for id, res := range results {
		if res.Outcome != engine.Created {
			t.Errorf("%q: %s", c.Items()[id].Name, res.Outcome)
		}
	}
	asPromised(t, c, results, true)
	if sent := f.sim.Stats().MailsSentN; sent != 0 {
		t.Errorf("%d mails were sent by a restore", sent)
	}
	// Doing it all again makes no second copy.
	n := len(f.truth(t))
	for id, res := range f.restoreAll(t, c, engine.RestorePlan{}) {
		if res.NewID != results[id].NewID {
			t.Errorf("%q was restored twice: %s, %s", c.Items()[id].Name, results[id].NewID, res.NewID)
		}
	}
	if now := len(f.truth(t)); now != n {
		t.Errorf("after a repeated restore %d messages, before %d", now, n)
	}
}

func TestRestoreOfChangedOrOfMissingMailOnly(t *testing.T) {
	both(t, testRestoreOfChangedOrOfMissingMailOnly)
}

func testRestoreOfChangedOrOfMissingMailOnly(t *testing.T) {
	f := setup(t, sim.Options{Seed: 23, Mail: sim.MailShape{Messages: 12, MeanSize: 500}})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	var mails []string
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail {
			mails = append(mails, id)
		}
	}
	slices.Sort(mails)
	missing, changed, same := mails[0], mails[1], mails[2]
	f.sim.Clock().Move(time.Hour)
	if err := f.g.DeleteMessage(t.Context(), f.box.Source, missing); err != nil {
		t.Fatal(err)
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, changed, "", map[string]any{"categories": []string{"changed since"}}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		plan engine.RestorePlan
		id   string
		want engine.Outcome
		skip bool
	}{
		{"only changed, a missing one", engine.RestorePlan{Mode: engine.Overwrite, ChangedItems: true}, missing, engine.Skipped, false},
		{"only changed, an equal one", engine.RestorePlan{Mode: engine.Overwrite, ChangedItems: true}, same, engine.Existing, false},
		{"only changed, a newer one", engine.RestorePlan{Mode: engine.Overwrite, ChangedItems: true}, changed, engine.Skipped, true},
		{"only missing, a changed one", engine.RestorePlan{MissingItems: true}, changed, engine.Skipped, false},
		{"only missing, marked", engine.RestorePlan{MissingItems: true, MarkRestored: holdfast.MarkUnread}, missing, engine.Created, false},
		{"only changed, newer asked for", engine.RestorePlan{Mode: engine.Overwrite, ChangedItems: true, Newer: true}, changed, engine.Overwritten, false},
	} {
		step.plan.Session = holdfast.RestoreSessionID(step.name)
		dry := step.plan
		dry.DryRun = true
		if res, err := f.put(t, c, step.id, dry); (err != nil) != step.skip || res.Outcome != step.want {
			t.Errorf("%s: the plan says %s, %v; want %s", step.name, res.Outcome, err, step.want)
		}
		res, err := f.put(t, c, step.id, step.plan)
		if (err != nil) != step.skip || res.Outcome != step.want {
			t.Errorf("%s: %s, %v; want %s", step.name, res.Outcome, err, step.want)
		}
		if step.plan.MarkRestored != "" {
			m, err := f.g.Message(t.Context(), f.box.Source, res.NewID, graph.List{Select: []string{"id", "isRead"}})
			if err != nil || m.IsRead {
				t.Errorf("%s: read %t, %v", step.name, m != nil && m.IsRead, err)
			}
		}
	}
}

func TestRestoreIntoAForeignFolder(t *testing.T) { both(t, testRestoreIntoAForeignFolder) }

func testRestoreIntoAForeignFolder(t *testing.T) {
	f := setup(t, sim.Options{Seed: 17})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	other := f.sim.Tenant().Users[1]
	before := len(f.truth(t))
	results := f.restoreAll(t, c, engine.RestorePlan{To: holdfast.Container{Kind: holdfast.Mailbox, Source: other.ID, Address: other.UPN}, Folder: "Restored/of a colleague"})
	for id, res := range results {
		if res.Outcome != engine.Created {
			t.Errorf("%q: %s", c.Items()[id].Name, res.Outcome)
		}
	}
	if now := len(f.truth(t)); now != before {
		t.Errorf("the source mailbox has %d messages, had %d", now, before)
	}
	f.box.Source = other.ID
	if now := len(f.truth(t)); now < before {
		t.Errorf("the foreign mailbox has %d messages, want at least %d", now, before)
	}
}

// corpus is a folder of real mail beside the project when there is one, else our own few samples.
func corpus(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("HOLDFAST_MAIL_CORPUS"), "../../../../shared/data/mail", "testdata"} {
		if found, err := filepath.Glob(filepath.Join(dir, "*.eml")); err == nil && dir != "" && len(found) > 0 {
			t.Logf("%d mails of %s", len(found), dir)
			return dir
		}
	}
	t.Fatal("no sample mails")
	return ""
}

func TestRealMailComesBackEqual(t *testing.T) { both(t, testRealMailComesBackEqual) }

func testRealMailComesBackEqual(t *testing.T) {
	f := setup(t, sim.Options{Seed: 19, Corpus: corpus(t)})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	f.same(t, c)
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindMail {
			if err := f.g.DeleteMessage(t.Context(), f.box.Source, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	asPromised(t, c, f.restoreAll(t, c, engine.RestorePlan{}), false)
}

func TestAHundredChangesCostFewRequests(t *testing.T) { both(t, testAHundredChangesCostFewRequests) }

func testAHundredChangesCostFewRequests(t *testing.T) {
	f := setup(t, sim.Options{Seed: 57, Mail: sim.MailShape{Messages: 400, Folders: 33, MeanSize: 1500, WithAttachments: -1}})
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Churn(sim.Churn{Seed: 1, Users: []string{f.box.Source}, New: 40, Flags: 40, Moves: 10, Deletes: 10, Folders: 20}); err != nil {
		t.Fatal(err)
	}
	n := f.requests(func() {
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d requests for %d folders", n, len(f.cursorsOf(c)))
	if n > 250 {
		t.Errorf("%d requests for 100 changes in %d folders", n, len(f.cursorsOf(c)))
	}
	f.same(t, c)
}
