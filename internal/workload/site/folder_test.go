package site_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/auth"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

const incidents = "Incidents"

// listRow is the item, or the folder, of the list of incidents that a condition picks first.
func (r *rig) listRow(is func(sim.SiteRow) bool) sim.SiteRow {
	r.t.Helper()
	rows := r.dump("/sites/Falcon")
	i := slices.IndexFunc(rows, func(row sim.SiteRow) bool {
		return row.List == incidents && (row.Kind == "item" || row.Kind == "folder") && is(row)
	})
	if i < 0 {
		r.t.Fatal("no such item")
	}
	return rows[i]
}

func folderNamed(name string) func(sim.SiteRow) bool {
	return func(row sim.SiteRow) bool { return row.Kind == "folder" && row.Title == name }
}

func itemIn(folder string) func(sim.SiteRow) bool {
	return func(row sim.SiteRow) bool { return row.Kind == "item" && row.Folder == folder }
}

const outer, inner = "Closed & old", "Größe – 2025"

// A backup has each item where it is, whatever becomes of the folders: what is in one that is renamed or moved is told by nobody, and neither is what a
// deleted one takes along.
func TestFoldersOfAListAreFollowed(t *testing.T) {
	for name, certified := range map[string]bool{"with a certificate": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			var r *rig
			if o := (sim.Options{Site: sim.SiteShape{Sites: 2, Items: 30, Files: 3}}); certified {
				r = start(t, o)
			} else {
				s, g := workloadtest.Tenant(t, o)
				r = open(t, s, g)
			}
			c := workloadtest.New()
			r.backup(c)
			at := r.box.Source
			steps := []struct {
				what string
				do   func() error
			}{
				{"an item goes into a folder", func() error { return r.sim.MoveListItem(at, incidents, r.listRow(itemIn("")).ID, outer) }},
				{"an item comes out of a folder", func() error { return r.sim.MoveListItem(at, incidents, r.listRow(itemIn(outer)).ID, "") }},
				{"a folder gets another name", func() error {
					return r.sim.RenameListFolder(at, incidents, r.listRow(folderNamed(outer)).ID, "New name")
				}},
				{"a folder goes elsewhere", func() error { return r.sim.MoveListItem(at, incidents, r.listRow(folderNamed(inner)).ID, "") }},
				{"and back", func() error { return r.sim.MoveListItem(at, incidents, r.listRow(folderNamed(inner)).ID, "New name") }},
				{"a folder is deleted that an item just left", func() error {
					if err := r.sim.MoveListItem(at, incidents, r.listRow(itemIn("New name/"+inner)).ID, ""); err != nil {
						return err
					}
					return r.sim.DeleteListItem(at, incidents, r.listRow(folderNamed("New name")).ID)
				}},
			}
			for _, step := range steps {
				if err := step.do(); err != nil {
					t.Fatal(step.what, err)
				}
				r.backup(c)
				fresh := workloadtest.New()
				r.backup(fresh)
				equalStates(t, state(c), state(fresh))
				if certified {
					r.asBackedUp(c)
				}
				if t.Failed() {
					t.Fatal(step.what)
				}
			}
		})
	}
}

// A backup that knew no folders, since it had no certificate, learns them in one walk.
func TestAListWhoseFoldersWereNotReadLearnsThem(t *testing.T) {
	s, g := workloadtest.Tenant(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 400, Files: 3}})
	c := workloadtest.New()
	open(t, s, g).backup(c)
	if n := slices.IndexFunc(slicesOf(c), func(s workloadtest.Stored) bool {
		return s.Kind == holdfast.KindListItem && strings.Contains(s.Parent, ".") && !strings.HasPrefix(s.Parent, "list.")
	}); n >= 0 {
		t.Fatal("an item is in a folder though nothing told so")
	}
	r := open(t, s, workloadtest.Client(t, s, certificate(t, s.Tenant())))
	before := r.calls("/items/{item}")
	r.backup(c)
	all := map[string]workloadtest.Stored{}
	for _, s := range c.Items() {
		all[s.ID] = s
	}
	inFolders := 0
	for _, row := range r.dump("/sites/Falcon") {
		s := all[r.info("/sites/Falcon").Lists[incidents]+"."+strconv.Itoa(row.ID)]
		if row.List == incidents && row.Kind != "list" && (placeOf(all, s) != row.Folder || (s.Kind == holdfast.KindFolder) != (row.Kind == "folder")) {
			t.Errorf("%s %q lies in %q, want %q", s.Kind, s.Name, placeOf(all, s), row.Folder)
		} else if row.Folder != "" {
			inFolders++
		}
	}
	if inFolders < 60 {
		t.Errorf("only %d items are in folders", inFolders)
	}
	if n := r.calls("/items/{item}") - before; n > 0 {
		t.Errorf("%d items were asked for one by one", n)
	}
}

func slicesOf(c *workloadtest.Container) (out []workloadtest.Stored) {
	for _, s := range c.Items() {
		out = append(out, s)
	}
	return out
}

func TestFoldersAndPagesWithoutACertificate(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 3}})
	c := workloadtest.New()
	r.backup(c)
	for _, list := range []string{incidents, "Site Pages"} {
		if err := r.sim.EmptyList(r.box.Source, list); err != nil {
			t.Fatal(err)
		}
	}
	r = open(t, r.sim, workloadtest.Client(t, r.sim, auth.FromSecret(auth.Secret(r.sim.Tenant().ApplicationSecret))))
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true}
	named := 0
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if want := []string{"author", "created", "editor", "modified"}; item.Kind == holdfast.KindPage && !slices.Equal(res.Lost, want) {
			t.Errorf("page %q lost %q, want %q", item.Name, res.Lost, want)
		}
		if err != nil && item.Kind == holdfast.KindFolder && (item.Name == outer || item.Name == inner) && strings.Contains(err.Error(), "certificate") {
			named++
		} else if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
	})
	items := 0
	for _, row := range r.dump("/sites/Falcon") {
		if row.List != incidents {
			continue
		} else if row.Kind == "folder" || row.Folder != "" {
			t.Errorf("%s %q in %q", row.Kind, row.Title, row.Folder)
		} else if row.Kind == "item" {
			items++
		}
	}
	if named != 2 || items != 12 {
		t.Errorf("%d folders are named, %d items are there", named, items)
	}
}

// In its own list a folder is found whatever it is called now, and what is put back goes there.
func TestAFolderOfAListIsFoundByItsNumber(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 3}})
	c := workloadtest.New()
	r.backup(c)
	item := r.listRow(itemIn(outer + "/" + inner))
	at := r.box.Source
	if err := r.sim.DeleteListItem(at, incidents, item.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.sim.RenameListFolder(at, incidents, r.listRow(folderNamed(inner)).ID, "Other name"); err != nil {
		t.Fatal(err)
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, MissingItems: true, DryRun: true}
	for _, dry := range []bool{true, false} {
		plan.DryRun = dry
		made := 0
		r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
			if err != nil {
				t.Errorf("%s %q: %v", item.Kind, item.Name, err)
			}
			if res.Outcome == engine.Created && item.Kind == holdfast.KindListItem {
				made++
			}
		})
		if made != 1 {
			t.Errorf("dry run %v: %d items are put back, want 1", dry, made)
		}
	}
	if row := r.listRow(func(row sim.SiteRow) bool {
		return row.Kind == "item" && row.Title == item.Title && row.Created.Equal(item.Created)
	}); row.Folder != outer+"/Other name" {
		t.Errorf("it lies in %q", row.Folder)
	}
	folders := 0
	for _, row := range r.dump("/sites/Falcon") {
		if row.Kind == "folder" {
			folders++
		}
	}
	if folders != 2 {
		t.Errorf("%d folders", folders)
	}
}

// A dry run makes nothing, and tells of folders that it would make.
func TestADryRunMakesNoFolderInAList(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 3}})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyList(r.box.Source, incidents); err != nil {
		t.Fatal(err)
	}
	to, err := r.target.Open(t.Context(), engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	list := r.info("/sites/Falcon").Lists[incidents]
	parent := ""
	for _, id := range []string{"site", "list." + list, list + "." + strconv.Itoa(13), list + "." + strconv.Itoa(14)} {
		s, ok := c.Items()[id]
		if !ok {
			t.Fatalf("%s is not in the backup", id)
		}
		if parent, err = to.Folder(t.Context(), s.Item, parent); err != nil {
			t.Fatal(err)
		}
		if isFolder := strings.HasPrefix(id, list+"."); isFolder != strings.HasPrefix(parent, engine.Planned) {
			t.Errorf("%s is %q", s.Name, parent)
		}
	}
	if rows := r.dump("/sites/Falcon"); slices.ContainsFunc(rows, func(row sim.SiteRow) bool { return row.Kind == "folder" }) {
		t.Error("a folder was made")
	}
}

// An item that changes and then is deleted while a list is read leaves none of the versions that this very read put.
func TestAnItemThatIsDeletedWhileItsListIsReadLeavesNoVersions(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 1, Files: 3}})
	list := r.info("/sites/Falcon").Lists["Categories"]
	if _, err := r.sim.AddListItems(r.box.Source, "Categories", 1100); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EditListItems(r.box.Source, "Categories"); err != nil {
		t.Fatal(err)
	}
	key := list + ".7@1.0"
	deleted := false
	c.AtSavepoint = func(int) error {
		if _, put := c.Now()[key]; put && !deleted {
			deleted = true
			return r.sim.DeleteListItem(r.box.Source, "Categories", 7)
		}
		return nil
	}
	r.backup(c)
	if !deleted {
		t.Fatal("the item was not deleted while the list was read")
	}
	for id, s := range c.Items() {
		if s.ID == list+".7" || s.Parent == list+".7" {
			t.Errorf("%s is still there", id)
		}
	}
}
