package drive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
	"holdfast/internal/workload/workloadtest"
)

// restoring puts what a memory has back, as the engine would.
type restoring struct {
	t        *testing.T
	from     *memory
	plan     engine.RestorePlan
	restore  engine.Restore
	places   map[string]string
	again    bool
	marker   string
	newIDs   map[string]string
	outcomes map[string]engine.Outcome
	lost     map[string][]string
	skips    map[string]error
	calls    func() holdfast.Statistics
	ctx      context.Context

	atVersion func() // when set, called before an older version is read from the vault
}

func (r *rig) restoring(from *memory, plan engine.RestorePlan) *restoring {
	r.t.Helper()
	if plan.From.Source == "" {
		plan.From = r.box
	}
	if plan.To.Source == "" {
		plan.To = r.box
	}
	plan.Stored = from.Item
	ctx, usage := r.target.(engine.Metered).Meter(r.t.Context())
	to, err := r.target.Open(ctx, plan)
	if err != nil {
		r.t.Fatal(err)
	}
	return &restoring{t: r.t, from: from, plan: plan, restore: to, places: map[string]string{}, marker: "0123456789abcdef", newIDs: map[string]string{},
		outcomes: map[string]engine.Outcome{}, lost: map[string][]string{}, skips: map[string]error{}, calls: usage, ctx: ctx}
}

func (r *restoring) place(id string) string {
	if id == "" {
		return ""
	}
	if to, ok := r.places[id]; ok {
		return to
	}
	item := r.from.items[id].item
	to, err := r.restore.Folder(r.ctx, item, r.place(item.Parent))
	if err != nil {
		r.t.Fatalf("folder %q: %v", item.Name, err)
	}
	r.places[id] = to
	put := engine.Put{Item: item, NewID: to, Open: func(_ context.Context, f holdfast.Form) (io.ReadCloser, bool, error) {
		raw, ok := r.from.items[id].forms[f]
		return opened(raw, ok)
	}}
	if err := r.restore.(engine.FolderSettler).SettleFolder(r.ctx, put); err != nil {
		r.t.Errorf("settle folder %q: %v", item.Name, err)
	}
	return to
}

func opened(raw []byte, ok bool) (io.ReadCloser, bool, error) {
	return io.NopCloser(bytes.NewReader(raw)), ok, nil
}

// put restores one item.
func (r *restoring) put(id string) error {
	h := r.from.items[id]
	p := engine.Put{Item: h.item, Parent: r.place(h.item.Parent), Marker: r.marker + id, Again: r.again, NewID: r.newIDs[id],
		Open: func(_ context.Context, f holdfast.Form) (io.ReadCloser, bool, error) {
			raw, ok := h.forms[f]
			return opened(raw, ok)
		}}
	if r.plan.AllVersions {
		p.Versions = func(yield func(engine.PutVersion, error) bool) {
			var older []holdfast.Item
			for v, err := range r.from.Children(r.ctx, id) {
				if err != nil {
					r.t.Fatal(err)
				}
				older = append(older, v)
			}
			slices.SortFunc(older, func(a, b holdfast.Item) int { return a.Time.Compare(b.Time) })
			for _, v := range older {
				if !yield(engine.PutVersion{Item: v, Open: func(context.Context) (io.ReadCloser, error) {
					if r.atVersion != nil {
						r.atVersion()
					}
					body, _, err := opened(r.from.items[v.ID].forms[holdfast.FormFile], true)
					return body, err
				}}, nil) {
					return
				}
			}
		}
	}
	res, err := r.restore.Put(r.ctx, p)
	if res.NewID != "" {
		r.newIDs[id] = res.NewID
	}
	r.outcomes[id], r.lost[id] = res.Outcome, res.Lost
	if err != nil {
		r.skips[id] = err
	}
	return err
}

func (r *restoring) all() {
	r.t.Helper()
	for _, item := range r.files() {
		if err := r.put(item.ID); err != nil {
			r.t.Errorf("%q: %v", item.Name, err)
		}
	}
	for item := range r.from.All(r.ctx) {
		if item.Kind == holdfast.KindFolder {
			r.place(item.ID)
		}
	}
	if err := r.restore.Close(r.ctx); err != nil {
		r.t.Error(err)
	}
}

func (r *restoring) files() []holdfast.Item {
	var out []holdfast.Item
	for item := range r.from.All(r.ctx) {
		if item.Kind == holdfast.KindFile {
			out = append(out, item)
		}
	}
	return out
}

func (r *rig) empty() {
	r.t.Helper()
	root, err := r.g.DriveRoot(r.t.Context(), r.box.Source)
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := r.g.DriveChildren(r.t.Context(), r.box.Source, root.ID, graph.List{})
	for c, err := range graph.All(r.t.Context(), r.g, p, err, graph.List{}) {
		if err != nil {
			r.t.Fatal(err)
		}
		if err := r.g.DeleteItem(r.t.Context(), r.box.Source, c.ID); err != nil {
			r.t.Fatal(err)
		}
	}
}

// shown is a dump in the words of docs/fidelity.md: what a restore must give back. versions says that older ones were asked for.
func shown(rows []sim.DriveRow, versions, sharing bool) map[string]string {
	out := map[string]string{}
	for _, r := range rows {
		text := fmt.Sprintf("folder=%v size=%d sha=%s created=%s modified=%s about=%q", r.Folder, r.Size, r.SHA256, r.Created, r.Modified, r.Description)
		if r.Folder {
			text = fmt.Sprintf("folder created=%s modified=%s", r.Created, r.Modified)
		}
		if versions && r.Size > 0 {
			for _, v := range r.Versions {
				text += " " + v.SHA256[:8]
			}
		}
		if sharing {
			for _, g := range r.Grants {
				if g.Scope != "users" {
					text += fmt.Sprintf(" grant(%v %s %s %s)", g.People, g.Role, g.Link, g.Scope)
				}
			}
		}
		out[r.Path] = text
	}
	return out
}

func TestAnEmptiedDriveComesBackEqual(t *testing.T) {
	for _, versions := range []bool{false, true} {
		r := start(t, sim.Options{FilesPer: 60})
		shared := 0
		for i := range 3 { // until folders and files are shared
			r.churn(20, i)
		}
		for _, row := range r.dump(r.user) {
			if row.Folder {
				if shared++; shared == 2 {
					if _, err := r.g.Invite(t.Context(), r.box.Source, row.ID, []map[string]string{{"objectId": r.sim.Tenant().Users[1].ID}}, []string{"write"}, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		m, _ := r.backup(newMemory())
		before := r.dump(r.user)
		r.empty()
		to := r.restoring(m, engine.RestorePlan{AllVersions: versions, Permissions: true})
		to.all()
		diff(t, shown(r.dump(r.user), versions, true), shown(before, versions, true))
		for id, what := range to.lost {
			if len(what) > 0 {
				t.Errorf("%q lost %v", m.items[id].item.Name, what)
			}
		}
		st := r.sim.Stats()
		if st.MailsSentN > 0 {
			t.Errorf("%d mails were sent: %+v", st.MailsSentN, st.MailsSent)
		}
		if to.calls().Requests == 0 {
			t.Error("the restore's calls were not counted")
		}
	}
}

func TestARestoreIntoAnotherDriveAndFolder(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 30})
	m, _ := r.backup(newMemory())
	other := r.container(1)
	user := r.sim.Tenant().Users[1].ID
	before := r.dump(user)
	to := r.restoring(m, engine.RestorePlan{To: other, Folder: "Restored/of another"})
	to.all()
	want := shown(before, false, false)
	for p, s := range shown(r.dump(r.user), false, false) {
		want["Restored/of another/"+p] = s
	}
	got := shown(r.dump(user), false, false)
	for _, p := range []string{"Restored", "Restored/of another"} {
		if got[p] == "" {
			t.Errorf("no folder %s", p)
		}
		delete(got, p)
	}
	diff(t, got, want)
}

// one makes a drive with one known file and gives its id.
func (r *rig) one(name, text string) string {
	r.t.Helper()
	root, err := r.g.DriveRoot(r.t.Context(), r.box.Source)
	if err != nil {
		r.t.Fatal(err)
	}
	f, err := r.g.PutSmall(r.t.Context(), graph.NewFile{Drive: r.box.Source, Parent: root.ID, Name: name}, []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	return f.ID
}

// make makes a folder in the drive's root and gives its id.
func (r *rig) make(name string) string {
	r.t.Helper()
	root, err := r.g.DriveRoot(r.t.Context(), r.box.Source)
	if err != nil {
		r.t.Fatal(err)
	}
	f, err := r.g.CreateFolder(r.t.Context(), r.box.Source, root.ID, name, graph.ConflictFail, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return f.ID
}

func (r *rig) texts() map[string]string {
	r.t.Helper()
	out := map[string]string{}
	for _, row := range r.dump(r.user) {
		if strings.HasPrefix(row.Path, "the file") {
			out[row.Path] = row.SHA256[:8]
		}
	}
	return out
}

func TestConflictsAreSettledAsAsked(t *testing.T) {
	const old, changed = "old content", "changed content"
	sum := func(s string) string { return hexSum([]byte(s))[:8] }
	for name, tc := range map[string]struct {
		change  func(r *rig, id string)
		plan    engine.RestorePlan
		outcome engine.Outcome
		skip    bool
		want    map[string]string
	}{
		"equal":            {func(*rig, string) {}, engine.RestorePlan{}, engine.Existing, false, map[string]string{"the file.txt": sum(old)}},
		"skip":             {change(changed), engine.RestorePlan{Mode: engine.SkipExisting}, engine.Skipped, true, map[string]string{"the file.txt": sum(changed)}},
		"keep both":        {change(changed), engine.RestorePlan{Mode: engine.KeepBoth}, engine.Created, false, map[string]string{"the file.txt": sum(changed), "the file (restored 01234567).txt": sum(old)}},
		"overwrite newer":  {change(changed), engine.RestorePlan{Mode: engine.Overwrite}, engine.Skipped, true, map[string]string{"the file.txt": sum(changed)}},
		"overwrite asked":  {change(changed), engine.RestorePlan{Mode: engine.Overwrite, Newer: true}, engine.Overwritten, false, map[string]string{"the file.txt": sum(old)}},
		"missing":          {func(r *rig, id string) { r.delete(id) }, engine.RestorePlan{Mode: engine.Overwrite}, engine.Created, false, map[string]string{"the file.txt": sum(old)}},
		"name taken, skip": {func(r *rig, id string) { r.delete(id); r.one("the file.txt", changed) }, engine.RestorePlan{}, engine.Skipped, true, map[string]string{"the file.txt": sum(changed)}},
		"name taken, both": {func(r *rig, id string) { r.delete(id); r.one("the file.txt", changed) }, engine.RestorePlan{Mode: engine.KeepBoth}, engine.Created, false,
			map[string]string{"the file.txt": sum(changed), "the file (restored 01234567).txt": sum(old)}},
		"keep both equal": {func(*rig, string) {}, engine.RestorePlan{Mode: engine.KeepBoth}, engine.Existing, false, map[string]string{"the file.txt": sum(old)}},
		"only missing":    {change(changed), engine.RestorePlan{Mode: engine.Overwrite, Newer: true, MissingItems: true}, engine.Skipped, false, map[string]string{"the file.txt": sum(changed)}},
		"only changed":    {func(r *rig, id string) { r.delete(id) }, engine.RestorePlan{ChangedItems: true}, engine.Skipped, false, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{FilesPer: 1})
			id := r.one("the file.txt", old)
			m, _ := r.backup(newMemory())
			r.sim.Clock().Move(time.Hour)
			tc.change(r, id)
			dry := tc.plan
			dry.DryRun = true
			before := r.texts()
			planned := r.restoring(m, dry)
			planned.marker = "fedcba9876"
			if err := planned.put(id); (err != nil) != tc.skip || planned.outcomes[id] != tc.outcome {
				t.Errorf("the plan says %q, %v", planned.outcomes[id], err)
			}
			diff(t, r.texts(), before)
			to := r.restoring(m, tc.plan)
			to.marker = "0123456789"
			err := to.put(id)
			if (err != nil) != tc.skip || to.outcomes[id] != tc.outcome {
				t.Errorf("outcome %q, %v", to.outcomes[id], err)
			}
			diff(t, r.texts(), tc.want)
		})
	}
}

func change(text string) func(*rig, string) {
	return func(r *rig, _ string) { r.one("the file.txt", text) }
}

func (r *rig) delete(id string) {
	r.t.Helper()
	if err := r.g.DeleteItem(r.t.Context(), r.box.Source, id); err != nil {
		r.t.Fatal(err)
	}
}

func TestARetryMakesNoDuplicates(t *testing.T) {
	for _, mode := range []engine.ConflictMode{engine.SkipExisting, engine.KeepBoth, engine.Overwrite} {
		for _, keptID := range []bool{true, false} {
			r := start(t, sim.Options{FilesPer: 25})
			m, _ := r.backup(newMemory())
			if mode != engine.KeepBoth {
				r.empty()
			} else if _, err := r.sim.ChurnDrive(r.user, 60, 1); err != nil {
				t.Fatal(err)
			}
			first := r.restoring(m, engine.RestorePlan{Mode: mode, AllVersions: true})
			first.all()
			want := shown(r.dump(r.user), false, false)
			again := r.restoring(m, engine.RestorePlan{Mode: mode, AllVersions: true})
			again.again = true // begun, and the outcome of each was never recorded
			if keptID {
				again.newIDs = first.newIDs
			}
			again.all()
			diff(t, shown(r.dump(r.user), false, false), want)
			if t.Failed() {
				t.Fatalf("mode %s, ids kept %v", mode, keptID)
			}
		}
	}
}

// The service tells no hash of a version, so a file that is restored as one has none in its row.
func TestARetryOfAnOlderVersionMakesNoDuplicates(t *testing.T) {
	const old = "content of the older version"
	r := start(t, sim.Options{FilesPer: 1})
	id := r.one("the file.txt", old)
	m, _ := r.backup(newMemory())
	r.delete(id)
	h := m.items[id]
	h.item.Fields = maps.Clone(h.item.Fields)
	h.item.Fields[holdfast.FieldVersionID] = "1.0"
	delete(h.item.Fields, holdfast.FieldHash)
	m.items[id] = h
	for attempt := range 2 {
		to := r.restoring(m, engine.RestorePlan{Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true})
		to.again = attempt > 0 // and what the first one made was not recorded
		if err := to.put(id); err != nil || to.outcomes[id] != engine.Created {
			t.Errorf("attempt %d: %q, %v", attempt, to.outcomes[id], err)
		}
	}
	diff(t, r.texts(), map[string]string{"the file.txt": hexSum([]byte(old))[:8]})
}

func TestUploadsSurviveTheirFaults(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 40})
	big := bytes.Repeat([]byte("0123456789abcdef"), 700_000)
	root, err := r.g.DriveRoot(t.Context(), r.box.Source)
	if err != nil {
		t.Fatal(err)
	}
	up, err := r.g.CreateFileUpload(t.Context(), graph.NewFile{Drive: r.box.Source, Parent: root.ID, Name: "big.bin", Size: int64(len(big))})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := up.Send(t.Context(), bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	m, _ := r.backup(newMemory())
	before := r.dump(r.user)
	r.empty()
	for kind, every := range map[string]int{sim.FaultUploadLost: 9, sim.FaultUploadTwice: 2, sim.FaultThrottle: 17} {
		r.fault(sim.DriveFault{Kind: kind, Every: every, Times: 8})
	}
	r.restoring(m, engine.RestorePlan{}).all()
	diff(t, shown(r.dump(r.user), false, false), shown(before, false, false))
	if st := r.sim.Stats(); st.EarlyRetries > 0 {
		t.Errorf("%d early retries", st.EarlyRetries)
	}
}

func TestRestoredVersionsAreReadBack(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 1})
	id := r.one("the file.txt", "first")
	r.one("the file.txt", "second content")
	r.one("the file.txt", "third")
	m, _ := r.backup(newMemory())
	r.delete(id)
	to := r.restoring(m, engine.RestorePlan{AllVersions: true})
	root := to.place(m.items[id].item.Parent)
	strange := true
	to.atVersion = func() { // somebody writes into the file while its versions are put back
		if there, err := r.g.DriveChild(t.Context(), r.box.Source, root, "holdfast-restoring-0123456789abcdef.txt", graph.List{}); err == nil && strange {
			strange = false
			if _, err := r.g.PutSmall(t.Context(), graph.NewFile{Drive: r.box.Source, Item: there.ID, Conflict: graph.ConflictReplace}, []byte("strange")); err != nil {
				t.Error(err)
			}
		}
	}
	if err := to.put(id); holdfast.KindOf(err) != holdfast.KindUnavailable {
		t.Errorf("a strange version was not noticed: %v", err)
	}
	if strange {
		t.Fatal("nothing strange was written")
	}
	if texts := r.texts(); len(texts) > 0 {
		t.Errorf("a file with a strange version stands for the restored one: %v", texts)
	}
	to.again = true
	before := to.calls().Requests
	if err := to.put(id); err != nil {
		t.Fatal(err)
	}
	// Looks by id, by name and for what an earlier attempt left, whose versions are listed and which is deleted; three sessions with a fragment each;
	// the name. Two calls read back.
	if n := to.calls().Requests - before; n > 14 {
		t.Errorf("%d calls", n)
	}
	for _, row := range r.dump(r.user) {
		if row.Path != "the file.txt" {
			continue
		}
		var have []string
		for _, v := range row.Versions {
			have = append(have, v.SHA256)
		}
		if want := []string{hexSum([]byte("first")), hexSum([]byte("second content")), hexSum([]byte("third"))}; !slices.Equal(have, want) {
			t.Errorf("%d versions", len(have))
		}
	}
}

func TestAnEmptyOlderVersionComesBackOnce(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 1})
	var want []string
	id := ""
	for _, text := range []string{"", "filled", "", "filled again"} {
		id = r.one("was empty.txt", text)
		want = append(want, hexSum([]byte(text)))
	}
	m, _ := r.backup(newMemory())
	r.delete(id)
	to := r.restoring(m, engine.RestorePlan{AllVersions: true})
	if err := to.put(id); err != nil {
		t.Fatal(err)
	}
	for _, row := range r.dump(r.user) {
		var have []string
		for _, v := range row.Versions {
			have = append(have, v.SHA256)
		}
		if row.Path == "was empty.txt" && !slices.Equal(have, want) {
			t.Errorf("the versions are %q, want %q", have, want)
		}
	}
}

func TestARestoreNeedsThePermissionAndTheDrive(t *testing.T) {
	r := start(t, sim.Options{Users: 12, FilesPer: 2})
	gone := r.box
	gone.Source = strings.Replace(gone.Source, "b!", "b!xx", 1)
	if _, err := r.target.Open(t.Context(), engine.RestorePlan{From: r.box, To: gone}); holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "restore to another user") {
		t.Errorf("no drive: %v", err)
	}
	r.sim.SetRoles([]string{"Files.Read.All", "User.Read.All"})
	r.sim.RevokeTokens()
	r.sim.Clock().Move(2 * time.Hour)
	if _, err := r.target.Open(t.Context(), engine.RestorePlan{From: r.box, To: r.box}); holdfast.KindOf(err) != holdfast.KindDenied || !strings.Contains(err.Error(), "Sites.ReadWrite.All") {
		t.Errorf("no permission: %v", err)
	}
}

func TestAnItemCostsAtMostTwoExtraCalls(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 1})
	id := r.one("the file.txt", "content")
	m, _ := r.backup(newMemory())
	r.delete(id)
	to := r.restoring(m, engine.RestorePlan{})
	to.place(m.items[id].item.Parent)
	before := to.calls().Requests
	if err := to.put(id); err != nil {
		t.Fatal(err)
	}
	// A look by id, a session, a fragment: that is the restore. One call reads back.
	if n := to.calls().Requests - before; n > 4 {
		t.Errorf("%d calls for a small file", n)
	}
}

func TestARestoreBrokenAtAnyCallIsFinishedByTheNext(t *testing.T) {
	for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn, sys.FaultCrash} {
		r := start(t, sim.Options{FilesPer: 1})
		id := r.one("the file.txt", "first")
		r.one("the file.txt", "second content")
		r.one("the file.txt", "third")
		m, _ := r.backup(newMemory())
		whole := r.g
		var want []string
		for n := 1; n < 40; n++ {
			for _, row := range r.dump(r.user) {
				if strings.HasPrefix(row.Path, "the file") {
					r.delete(row.ID)
				}
			}
			faults := sys.BreakAt(m365.RoundTripPoint, n, mode)
			r.g = r.client(faults)
			to := r.restoringOrNil(m, engine.RestorePlan{AllVersions: true})
			var err error
			if to != nil {
				err = to.put(id)
			}
			r.g = whole
			if to == nil || err != nil {
				next := r.restoring(m, engine.RestorePlan{AllVersions: true})
				next.again = true
				if err := next.put(id); err != nil {
					t.Fatalf("%v at call %d: the next attempt: %v", mode, n, err)
				}
			}
			var versions []string
			for _, row := range r.dump(r.user) {
				if row.Path == "the file.txt" {
					for _, v := range row.Versions {
						versions = append(versions, v.SHA256)
					}
				} else if strings.Contains(row.Path, "restor") {
					t.Errorf("%v at call %d left %q", mode, n, row.Path)
				}
			}
			if want == nil {
				want = []string{hexSum([]byte("first")), hexSum([]byte("second content")), hexSum([]byte("third"))}
			}
			if !slices.Equal(versions, want) {
				t.Errorf("%v at call %d: %d versions", mode, n, len(versions))
			}
			if faults.Fired() == "" {
				if n < 8 {
					t.Errorf("only %d calls", n)
				}
				break
			}
		}
	}
}

// An empty file is made in two steps.
func TestAnEmptyFileWhoseRestoreBrokeGetsItsTimes(t *testing.T) {
	for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn, sys.FaultCrash} {
		r := start(t, sim.Options{FilesPer: 1})
		id := r.one("empty.txt", "")
		m, _ := r.backup(newMemory())
		now := func() string { return shown(r.dump(r.user), false, false)["empty.txt"] }
		want := now()
		if want == "" {
			t.Fatal("no file")
		}
		r.sim.Clock().Move(time.Hour)
		whole := r.g
		for n := 1; n < 40; n++ {
			for _, row := range r.dump(r.user) {
				if row.Path == "empty.txt" {
					r.delete(row.ID)
				}
			}
			faults := sys.BreakAt(m365.RoundTripPoint, n, mode)
			r.g = r.client(faults)
			to := r.restoringOrNil(m, engine.RestorePlan{})
			var err error
			if to != nil {
				err = to.put(id)
			}
			r.g = whole
			if to == nil || err != nil {
				next := r.restoring(m, engine.RestorePlan{})
				next.again = true
				if err := next.put(id); err != nil {
					t.Fatalf("%v at call %d: the next attempt: %v", mode, n, err)
				}
			}
			if got := now(); got != want {
				t.Errorf("%v at call %d:\n got %s\nwant %s", mode, n, got, want)
			}
			if faults.Fired() == "" {
				if n < 5 {
					t.Errorf("only %d calls", n)
				}
				break
			}
		}
	}
}

// A folder whose restore broke at any call is one folder with its times; one that was there keeps its own.
func TestAFolderWhoseRestoreBrokeGetsItsTimes(t *testing.T) {
	for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn, sys.FaultCrash} {
		r := start(t, sim.Options{FilesPer: 1})
		kept := r.make("kept")
		r.make("plans")
		m, _ := r.backup(newMemory())
		now := func(name string) string { return shown(r.dump(r.user), false, false)[name] }
		want := now("plans")
		if want == "" {
			t.Fatal("no folder")
		}
		folder := func(name string) holdfast.Item {
			for item := range m.All(t.Context()) {
				if item.Name == name {
					return item
				}
			}
			t.Fatalf("no folder %s in the backup", name)
			return holdfast.Item{}
		}
		r.sim.Clock().Move(time.Hour)
		r.delete(kept)
		r.make("kept") // by somebody, meanwhile
		there := now("kept")
		whole := r.g
		for n := 1; n < 40; n++ {
			for _, row := range r.dump(r.user) {
				if row.Path == "plans" {
					r.delete(row.ID)
				}
			}
			plan := engine.RestorePlan{Notes: &workloadtest.Notes{}}
			put := func(to *restoring) error {
				for _, name := range []string{"plans", "kept"} {
					item := folder(name)
					if _, err := to.restore.Folder(t.Context(), item, to.place(item.Parent)); err != nil {
						return err
					}
				}
				return nil
			}
			faults := sys.BreakAt(m365.RoundTripPoint, n, mode)
			r.g = r.client(faults)
			to := r.restoringOrNil(m, plan)
			var err error
			if to != nil {
				err = put(to)
			}
			r.g = whole
			if to == nil || err != nil {
				if err := put(r.restoring(m, plan)); err != nil {
					t.Fatalf("%v at call %d: the next attempt: %v", mode, n, err)
				}
			}
			if got := now("plans"); got != want {
				t.Errorf("%v at call %d:\n got %s\nwant %s", mode, n, got, want)
			}
			if got := now("kept"); got != there {
				t.Errorf("%v at call %d: the folder that was there:\n is %s\nwas %s", mode, n, got, there)
			}
			if faults.Fired() == "" {
				if n < 5 {
					t.Errorf("only %d calls", n)
				}
				break
			}
		}
	}
}

// restoringOrNil is nil when the restore could not even be opened.
func (r *rig) restoringOrNil(from *memory, plan engine.RestorePlan) *restoring {
	plan.From, plan.To = r.box, r.box
	to, err := r.target.Open(r.t.Context(), plan)
	if err != nil {
		return nil
	}
	out := &restoring{t: r.t, from: from, plan: plan, restore: to, places: map[string]string{}, marker: "0123456789abcdef", newIDs: map[string]string{},
		outcomes: map[string]engine.Outcome{}, lost: map[string][]string{}, skips: map[string]error{}, ctx: r.t.Context()}
	return out
}

// A file that is empty now gets its times in a step of its own, and its older versions do not make up for one that failed.
func TestAnEmptyFileWithOlderVersionsHasItsTimesAfterASecondAttempt(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 1})
	r.one("the file.txt", "what was in it")
	r.sim.Clock().Move(time.Hour)
	id := r.one("the file.txt", "")
	m, _ := r.backup(newMemory())
	row := func() sim.DriveRow {
		for _, row := range r.dump(r.user) {
			if row.Path == "the file.txt" {
				return row
			}
		}
		t.Fatal("the file is not there")
		return sim.DriveRow{}
	}
	was := row()
	r.delete(id)
	r.sim.Clock().Move(time.Hour)
	to := r.restoring(m, engine.RestorePlan{AllVersions: true})
	for range 3 {
		r.fault(sim.DriveFault{Kind: sim.FaultLocked, Every: 2, Times: 1}) // the second step, as often as a call is made
	}
	var skip *holdfast.Skip
	if err := to.put(id); !errors.As(err, &skip) || skip.Reason != holdfast.SkipLocked {
		t.Fatalf("the first attempt: %v", err)
	}
	to.again = true
	if err := to.put(id); err != nil || len(to.lost[id]) > 0 {
		t.Errorf("the second attempt: lost %v, %v", to.lost[id], err)
	}
	if is := row(); !is.Created.Equal(was.Created) || !is.Modified.Equal(was.Modified) {
		t.Errorf("made %s and changed %s, not %s and %s", is.Created, is.Modified, was.Created, was.Modified)
	}
}

// A file was deleted and another one took its name: restoring both overwrites neither with the other, whichever comes first.
func TestAFileThatTookTheNameOfADeletedOneIsNotOverwrittenByIt(t *testing.T) {
	const report, draft = "what the report said", "what the draft said"
	for _, first := range []string{report, draft} {
		for _, newer := range []bool{false, true} {
			r := start(t, sim.Options{FilesPer: 1})
			ids := map[string]string{draft: r.one("the file, a draft.txt", draft)}
			r.sim.Clock().Move(time.Hour)
			ids[report] = r.one("the file.txt", report)
			m, _ := r.backup(newMemory())
			r.sim.Clock().Move(time.Hour)
			r.delete(ids[report])
			if _, err := r.g.UpdateItem(t.Context(), r.box.Source, ids[draft], "", map[string]any{"name": "the file.txt"}); err != nil {
				t.Fatal(err)
			}
			to := r.restoring(m, engine.RestorePlan{Mode: engine.Overwrite, Newer: newer})
			second := report
			if first == report {
				second = draft
			}
			for _, text := range []string{first, second} {
				err := to.put(ids[text])
				if text == draft && (err != nil || to.outcomes[ids[text]] != engine.Existing) {
					t.Errorf("the draft, which is there: %s, %v", to.outcomes[ids[text]], err)
				}
				var skip *holdfast.Skip
				if text == report && (!errors.As(err, &skip) || skip.Reason != holdfast.SkipConflict) {
					t.Errorf("the report, whose name is taken: %s, %v", to.outcomes[ids[text]], err)
				}
			}
			diff(t, r.texts(), map[string]string{"the file.txt": hexSum([]byte(draft))[:8]})
		}
	}
}

// Two folders of the restore point are one now, and each had a file of the same name: the second one does not take the place of the first.
func TestTwoFilesOfOneRestoreDoNotBecomeOne(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 1})
	folders := []string{r.make("of this year"), r.make("of last year")}
	var ids []string
	for i, folder := range folders {
		f, err := r.g.PutSmall(t.Context(), graph.NewFile{Drive: r.box.Source, Parent: folder, Name: "the file.txt"}, fmt.Appendf(nil, "of folder %d", i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, f.ID)
	}
	m, _ := r.backup(newMemory())
	r.delete(ids[1])
	r.delete(folders[0])
	if _, err := r.g.UpdateItem(t.Context(), r.box.Source, folders[1], "", map[string]any{"name": "of this year"}); err != nil {
		t.Fatal(err)
	}
	plan := engine.RestorePlan{Mode: engine.Overwrite, Newer: true}
	to := r.restoring(m, plan)
	if err := to.put(ids[0]); err != nil {
		t.Fatal(err)
	}
	next := r.restoring(m, plan) // another attempt, which is told of the first file
	if err := next.restore.(engine.Resumer).Resumed(t.Context(), engine.Put{Item: m.items[ids[0]].item, NewID: to.newIDs[ids[0]]}); err != nil {
		t.Fatal(err)
	}
	for _, to := range []*restoring{to, next} {
		var skip *holdfast.Skip
		if err := to.put(ids[1]); !errors.As(err, &skip) || skip.Reason != holdfast.SkipConflict {
			t.Errorf("the second file: %s, %v", to.outcomes[ids[1]], err)
		}
	}
	got := map[string]string{}
	for _, row := range r.dump(r.user) {
		if nameOf(row) == "the file.txt" {
			got[row.Path] = row.SHA256
		}
	}
	diff(t, got, map[string]string{"of this year/the file.txt": hexSum([]byte("of folder 0"))})
}
