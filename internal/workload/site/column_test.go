package site_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// calls counts what was asked of an endpoint whose name ends like that.
func (r *rig) calls(end string) (n int64) {
	for name, e := range r.sim.Stats().Endpoints {
		if strings.HasSuffix(name, end) {
			n += e.Calls
		}
	}
	return n
}

// aFile is a file of the library Contracts with a value in nearly every column.
func (r *rig) aFile(c *workloadtest.Container) (sim.DriveRow, workloadtest.Stored) {
	r.t.Helper()
	for _, row := range r.files("/sites/Falcon", "Contracts") {
		if s, ok := c.Items()[row.ID]; ok && !row.Folder && row.Size > 0 && len(row.Columns) > 8 && row.Columns["ContentType"] != nil {
			return row, s
		}
	}
	r.t.Fatal("no file has values and a content type")
	return sim.DriveRow{}, workloadtest.Stored{}
}

func TestColumnsOfFilesAreBackedUp(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	want := map[string]sim.DriveRow{}
	for _, row := range r.files("/sites/Falcon", "Contracts") {
		want[row.ID] = row
	}
	checked, folders := 0, 0
	for id, s := range c.Items() {
		row, ok := want[id]
		if !ok || s.Kind == holdfast.KindVersion || row.Path == "" {
			if s.Forms[holdfast.FormColumns] != nil {
				t.Errorf("%s %q has values of columns that its library does not have", s.Kind, s.Name)
			}
			continue
		}
		var got struct {
			ContentType string
			Fields      map[string]any
		}
		if err := json.Unmarshal(s.Forms[holdfast.FormColumns], &got); err != nil {
			t.Fatalf("%q: %v", s.Name, err)
		}
		for _, column := range []string{"Title", "Status", "Cost", "Details", "AssignedToLookupId"} {
			if got.Fields[column] != row.Columns[column] {
				t.Errorf("%q: %s is %v, want %v", s.Name, column, got.Fields[column], row.Columns[column])
			}
		}
		if of, _ := row.Columns["ContentType"].(string); got.ContentType != of && of != "" || got.Fields["AuthorLookupId"] == nil || got.Fields["FileLeafRef"] != nil {
			t.Errorf("%q is stored as %+v, want %+v", s.Name, got, row.Columns)
		}
		checked++
		if row.Folder && row.Columns["Details"] != nil {
			folders++
		}
	}
	if checked < 20 || folders < 2 {
		t.Fatalf("%d files and %d folders with values were compared", checked, folders)
	}
	if n := r.calls("/drives/{drive}/items/{item}"); n > 0 {
		t.Errorf("a first backup asks for the values of %d files one by one", n)
	}
	row, _ := r.aFile(c)
	downloads := r.calls("download.aspx")
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", row.Path, "Details", "agreed & signed <today>"); err != nil {
		t.Fatal(err)
	}
	r.backup(c)
	if n := r.calls("/drives/{drive}/items/{item}"); n != 1 {
		t.Errorf("%d calls for the values of one changed file", n)
	}
	if !strings.Contains(string(c.Items()[row.ID].Forms[holdfast.FormColumns]), `agreed \u0026 signed \u003ctoday\u003e`) {
		t.Errorf("the new value is not stored: %s", c.Items()[row.ID].Forms[holdfast.FormColumns])
	}
	if n := r.calls("download.aspx") - downloads; n > 8 { // of the version that it made, read until two reads agree
		t.Errorf("%d downloads for a changed value", n)
	}
	fresh := workloadtest.New()
	r.backup(fresh)
	equalStates(t, state(c), state(fresh))
	if n := r.calls("/drives/{drive}/items/{item}"); n != 2 {
		t.Errorf("a value that was changed a moment ago must be asked for by itself, %d were", n-1)
	}
	c.Spoil(func(items map[string]workloadtest.Stored) { // as if it had been read before values were
		for id, s := range items {
			if s.Forms[holdfast.FormColumns] != nil {
				s.Forms, s.Fields = maps.Clone(s.Forms), maps.Clone(s.Fields)
				delete(s.Forms, holdfast.FormColumns)
				delete(s.Fields, "valued")
				items[id] = s
			}
		}
	})
	c.Compare = true
	downloads = r.calls("download.aspx")
	r.backup(c)
	equalStates(t, state(c), state(fresh))
	if n := r.calls("download.aspx") - downloads; n > 0 {
		t.Errorf("a full backup reads %d contents again for values", n)
	}
}

// A value of a folder that changes is read again, by one call, and a folder that is there keeps what it has.
func TestValuesOfFoldersAreFollowed(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	rows := r.files("/sites/Falcon", "Contracts")
	folder := rows[slices.IndexFunc(rows, func(f sim.DriveRow) bool { return f.Folder && f.Columns["Details"] != nil })]
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", folder.Path, "Details", "sorted anew"); err != nil {
		t.Fatal(err)
	}
	asked := r.calls("/drives/{drive}/items/{item}")
	r.backup(c)
	if n := r.calls("/drives/{drive}/items/{item}") - asked; n != 1 {
		t.Errorf("%d calls for the values of one changed folder", n)
	}
	if got := string(c.Items()[folder.ID].Forms[holdfast.FormColumns]); !strings.Contains(got, "sorted anew") {
		t.Errorf("the values of the folder are %q", got)
	}
	fresh := workloadtest.New()
	r.backup(fresh)
	equalStates(t, state(c), state(fresh))
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", folder.Path, "Details", "changed since"); err != nil {
		t.Fatal(err)
	}
	before := r.files("/sites/Falcon", "Contracts")
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, Newer: true, ChangedItems: true, MissingItems: true, Permissions: true}
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
	})
	sameFiles(t, r.files("/sites/Falcon", "Contracts"), before)
}

// A value that was changed is put back where a restore overwrites, without touching the bytes, and only there.
func TestValuesAloneAreOverwritten(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	row, _ := r.aFile(c)
	before := r.files("/sites/Falcon", "Contracts")
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", row.Path, "Details", "changed since"); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{{row.ID}, nil} { // the second time there is nothing to do
		plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, Newer: true, ChangedItems: true, MissingItems: true}
		var overwritten []string
		r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
			if err != nil {
				t.Errorf("%s %q: %v", item.Kind, item.Name, err)
			}
			if res.Outcome != engine.Existing {
				overwritten = append(overwritten, item.ID)
			}
		})
		now := r.files("/sites/Falcon", "Contracts")
		i := slices.IndexFunc(now, func(f sim.DriveRow) bool { return f.ID == row.ID })
		if !slices.Equal(overwritten, want) {
			t.Errorf("overwritten: %v, want %v", overwritten, want)
		}
		if n := len(before[i].Versions) + 1; len(now[i].Versions) != n { // that of the change
			t.Errorf("%d versions, want %d", len(now[i].Versions), n)
		}
		now[i].Versions = before[i].Versions
		sameFiles(t, now, before)
	}
}

// A file with values, in a folder with values, is put back once and with all of them, wherever the program dies.
func TestAFileWithColumnsIsPutBackOnceWhereverTheProgramDies(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	rows := r.files("/sites/Falcon", "Contracts")
	valued := func(path string) bool {
		return slices.ContainsFunc(rows, func(f sim.DriveRow) bool { return f.Folder && f.Path == path && f.Columns["Details"] != nil })
	}
	at := slices.IndexFunc(rows, func(f sim.DriveRow) bool {
		return !f.Folder && f.Size > 0 && len(f.Columns) > 8 && f.Columns["ContentType"] != nil && valued(path.Dir(f.Path))
	})
	if at < 0 {
		t.Fatal("no file with values is in a folder with values")
	}
	row, s := rows[at], c.Items()[rows[at].ID]
	want := []sim.DriveRow{row}
	want[0].Versions = row.Versions[len(row.Versions)-1:] // older ones were not asked for
	for _, f := range rows {
		if f.Folder && f.Path != "" && strings.HasPrefix(row.Path, f.Path+"/") {
			want = append(want, f)
		}
	}
	noted := &workloadtest.Notes{}
	var way []holdfast.Item
	for at := s.Parent; at != ""; at = c.Items()[at].Parent {
		way = append(way, c.Items()[at].Item)
	}
	slices.Reverse(way)
	attempt := func(p *engine.Put) error {
		plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true, Permissions: true, Notes: noted}
		rest, err := r.target.Open(t.Context(), plan)
		if err != nil {
			return err
		}
		p.Parent = ""
		for _, folder := range way {
			if p.Parent, err = rest.Folder(t.Context(), folder, p.Parent); err != nil {
				return err
			}
			if err := rest.(engine.FolderSettler).SettleFolder(t.Context(), engine.Put{Item: folder, NewID: p.Parent, Open: c.Items()[folder.ID].Open}); err != nil {
				return err
			}
		}
		res, err := rest.Put(t.Context(), *p)
		if err != nil {
			return err
		}
		for _, lost := range res.Lost {
			if !slices.Contains(lostColumns, lost) {
				t.Errorf("lost %s", lost)
			}
		}
		return rest.Close(t.Context())
	}
	for _, last := range []string{"", sim.FaultAckLost} {
		for n := 0; ; n++ {
			if err := r.sim.EmptyList(r.box.Source, "Contracts"); err != nil {
				t.Fatal(err)
			}
			noted = &workloadtest.Notes{}
			p := &engine.Put{Item: s.Item, Marker: "0123456789abcdef0123", Open: s.Open}
			p.Made = func(_ context.Context, id string) error { p.NewID = id; return nil }
			died := r.dying(n, last, func() error { return attempt(p) })
			if died == nil {
				if n < 6 {
					t.Errorf("only %d places to die at", n)
				}
				break
			}
			p.Again = true
			if err := attempt(p); err != nil {
				t.Fatalf("%s after %d calls: the second attempt: %v", last, n, err)
			}
			sameFiles(t, slices.DeleteFunc(r.files("/sites/Falcon", "Contracts"), func(f sim.DriveRow) bool { return f.Path == "" }), want)
			if t.Failed() {
				t.Fatalf("%s after %d calls (%v)", last, n, died)
			}
		}
	}
}

// Without a certificate nothing can set values, and each file that has some says so.
func TestColumnsWithoutACertificateAreLost(t *testing.T) {
	s, g := workloadtest.Tenant(t, sim.Options{Users: 3, FilesPer: 1, Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	r := open(t, s, g)
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyList(r.box.Source, "Contracts"); err != nil {
		t.Fatal(err)
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true}
	files, said, folders := 0, 0, 0
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if item.Kind == holdfast.KindFolder && err != nil && strings.HasSuffix(err.Error(), "could not be put back: columns") {
			folders++
		}
		if item.Kind != holdfast.KindFile || res.Outcome != engine.Created {
			return
		}
		files++
		if slices.Contains(res.Lost, "columns") {
			said++
		}
	})
	if files == 0 || said != files || folders == 0 {
		t.Errorf("%d of %d files and %d folders say that their columns are lost", said, files, folders)
	}
}

// What can't be read of a file's values costs none of its bytes: it is kept, what it lacks is named, and a later backup reads it.
func TestAFileWhoseValuesCannotBeReadIsKept(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	if err := r.sim.SetFaults(sim.Fault{Name: sim.FaultRefused, Path: "lists/{list}/items"}, sim.Fault{Name: sim.FaultRefused, Path: "drives/{drive}/items/{item}"}); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	r.backup(c)
	var kept []string
	for _, row := range r.files("/sites/Falcon", "Contracts") {
		skip := c.Skips[row.ID]
		if row.Folder || len(row.Versions) > 1 || skip != nil && strings.Contains(skip.Error(), "/permissions:") { // those fail here too
			continue
		}
		s, ok := c.Items()[row.ID]
		if !ok || s.Forms[holdfast.FormFile] == nil || s.Forms[holdfast.FormColumns] != nil || skip == nil || !strings.Contains(skip.Error(), "values of its columns") {
			t.Errorf("%q: there %t, values %q, skip %v", row.Path, ok, s.Forms[holdfast.FormColumns], skip)
		}
		kept = append(kept, row.ID)
	}
	if len(kept) < 3 {
		t.Fatalf("%d files were looked at", len(kept))
	}
	if n := r.calls("/lists/{list}/items"); n != 1 {
		t.Errorf("the values of the library were listed %d times", n)
	}
	if err := r.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	c.Compare = true
	r.backup(c)
	fresh := workloadtest.New()
	r.backup(fresh)
	got, want := state(c), state(fresh)
	for _, id := range kept {
		equalStates(t, map[string]string{id: got[id]}, map[string]string{id: want[id]})
	}
}

// A walk over everything for one file that changed does not list the values of all.
func TestAFullBackupAsksForTheValuesOfWhatChanged(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	row, _ := r.aFile(c)
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", row.Path, "Details", "changed"); err != nil {
		t.Fatal(err)
	}
	c.Compare = true
	lists, asked := r.calls("/lists/{list}/items"), r.calls("/drives/{drive}/items/{item}")
	r.backup(c)
	if n := r.calls("/lists/{list}/items") - lists; n != 0 {
		t.Errorf("%d calls list the values of all files", n)
	}
	if n := r.calls("/drives/{drive}/items/{item}") - asked; n != 1 {
		t.Errorf("%d files were asked for", n)
	}
	fresh := workloadtest.New()
	r.backup(fresh)
	equalStates(t, state(c), state(fresh))
}

// Which columns a library has is known to every backup after the one that read them, also when nothing else of the library changed.
func TestALibraryOfAnOlderBackupLearnsItsColumns(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	c.Spoil(func(items map[string]workloadtest.Stored) {
		for id, s := range items {
			if s.Fields["columns"] != "" {
				s.Fields = maps.Clone(s.Fields)
				delete(s.Fields, "columns")
				items[id] = s
			}
		}
	})
	info := r.info("/sites/Falcon")
	if _, err := r.g.CreateColumn(t.Context(), info.ID, info.Lists["Categories"], json.RawMessage(`{"name":"Colour","text":{}}`)); err != nil {
		t.Fatal(err)
	}
	r.backup(c) // looks at all lists, and finds nothing else that is new
	row, _ := r.aFile(c)
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", row.Path, "Details", "agreed since"); err != nil {
		t.Fatal(err)
	}
	r.backup(c)
	if got := string(c.Items()[row.ID].Forms[holdfast.FormColumns]); !strings.Contains(got, "agreed since") {
		t.Errorf("the values of a file that changed are %q", got)
	}
}

// Values that somebody changed since the backup are overwritten only when that is asked for, and where they stay the file is not said to be as it was.
func TestNewerValuesAreNotOverwrittenUnasked(t *testing.T) {
	for name, tc := range map[string]struct {
		mode engine.ConflictMode
		dry  bool
	}{
		"keep both":             {mode: engine.KeepBoth},
		"skip":                  {mode: engine.SkipExisting},
		"overwrite what is old": {mode: engine.Overwrite},
		"dry":                   {mode: engine.Overwrite, dry: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
			c := workloadtest.New()
			r.backup(c)
			row, _ := r.aFile(c)
			if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", row.Path, "Details", "changed since"); err != nil {
				t.Fatal(err)
			}
			before := r.files("/sites/Falcon", "Contracts")
			plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: tc.mode, DryRun: tc.dry, ChangedItems: true, MissingItems: true}
			var refused []string
			r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
				var skip *holdfast.Skip
				switch {
				case errors.As(err, &skip) && skip.Reason == holdfast.SkipConflict:
					refused = append(refused, item.ID)
				case err != nil || res.Outcome != engine.Existing:
					t.Errorf("%s %q: %v, %v", item.Kind, item.Name, res, err)
				}
			})
			if !slices.Equal(refused, []string{row.ID}) {
				t.Errorf("refused: %v, want %s", refused, row.ID)
			}
			sameFiles(t, r.files("/sites/Falcon", "Contracts"), before)
		})
	}
}

// A dry run tells that values would be overwritten.
func TestADryRunTellsOfValues(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	row, _ := r.aFile(c)
	if err := r.sim.SetFileColumn("/sites/Falcon", "Contracts", row.Path, "Details", "changed since"); err != nil {
		t.Fatal(err)
	}
	before := r.files("/sites/Falcon", "Contracts")
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, Newer: true, DryRun: true, ChangedItems: true, MissingItems: true}
	told := 0
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if item.ID == row.ID {
			told++
			if err != nil || res.Outcome != engine.Overwritten || res.Cost.Requests == 0 {
				t.Errorf("%+v, %v", res, err)
			}
		}
	})
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	sameFiles(t, r.files("/sites/Falcon", "Contracts"), before)
}
