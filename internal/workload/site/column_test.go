package site_test

import (
	"context"
	"encoding/json"
	"maps"
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
	checked := 0
	for id, s := range c.Items() {
		row, ok := want[id]
		if !ok || row.Folder || s.Kind == holdfast.KindVersion {
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
	}
	if checked < 20 {
		t.Fatalf("%d files were compared", checked)
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
	for _, mode := range []engine.ConflictMode{engine.KeepBoth, engine.Overwrite} {
		plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: mode, Newer: true, ChangedItems: true, MissingItems: true}
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
		if mode == engine.KeepBoth {
			if len(overwritten) > 0 || now[i].Columns["Details"] != "changed since" {
				t.Errorf("a restore that keeps what is there changed %v", overwritten)
			}
			continue
		}
		if !slices.Equal(overwritten, []string{row.ID}) {
			t.Errorf("overwritten: %v, want %s", overwritten, row.ID)
		}
		if n := len(before[i].Versions) + 1; len(now[i].Versions) != n { // that of the change
			t.Errorf("%d versions, want %d", len(now[i].Versions), n)
		}
		now[i].Versions = before[i].Versions
		sameFiles(t, now, before)
	}
}

// A file with values is put back once and with all of them, wherever the program dies.
func TestAFileWithColumnsIsPutBackOnceWhereverTheProgramDies(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 90}})
	c := workloadtest.New()
	r.backup(c)
	row, s := r.aFile(c)
	var path []holdfast.Item
	for at := s.Parent; at != ""; at = c.Items()[at].Parent {
		path = append(path, c.Items()[at].Item)
	}
	slices.Reverse(path)
	attempt := func(p *engine.Put) error {
		plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true, Permissions: true}
		rest, err := r.target.Open(t.Context(), plan)
		if err != nil {
			return err
		}
		p.Parent = ""
		for _, folder := range path {
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
			p := &engine.Put{Item: s.Item, Marker: "0123456789abcdef0123", Open: s.Open}
			p.Made = func(_ context.Context, id string) error { p.NewID = id; return nil }
			faults := []sim.Fault{{Name: sim.FaultRefused, Skip: n}}
			if last != "" {
				faults = []sim.Fault{{Name: last, Skip: n, Times: 1}, {Name: sim.FaultRefused, Skip: n + 1}}
			}
			if err := r.sim.SetFaults(faults...); err != nil {
				t.Fatal(err)
			}
			died := attempt(p)
			if err := r.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
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
			got := slices.DeleteFunc(r.files("/sites/Falcon", "Contracts"), func(f sim.DriveRow) bool { return f.Folder })
			want := row
			want.Versions = row.Versions[len(row.Versions)-1:] // older ones were not asked for
			sameFiles(t, got, []sim.DriveRow{want})
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
	files, said := 0, 0
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if item.Kind != holdfast.KindFile || res.Outcome != engine.Created {
			return
		}
		files++
		if slices.Contains(res.Lost, "columns") {
			said++
		}
	})
	if files == 0 || said != files {
		t.Errorf("%d of %d files say that their columns are lost", said, files)
	}
}
