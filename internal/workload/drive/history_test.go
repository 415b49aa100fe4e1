package drive_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// users changes a drive as its users do who tidy it up: names are swapped, change their case only, or go from one item to another; folders are put into
// each other; what is deleted is made anew under its old name.
type users struct {
	*rig
	draw *rand.Rand
	n    int
}

// some picks one row that want is content with; false when there is none.
func (u *users) some(want func(sim.DriveRow) bool) (sim.DriveRow, bool) {
	var out []sim.DriveRow
	for _, row := range u.dump(u.user) {
		if want(row) {
			out = append(out, row)
		}
	}
	if len(out) == 0 {
		return sim.DriveRow{}, false
	}
	return out[u.draw.IntN(len(out))], true
}

func anything(sim.DriveRow) bool    { return true }
func folders(r sim.DriveRow) bool   { return r.Folder }
func files(r sim.DriveRow) bool     { return !r.Folder }
func nameOf(r sim.DriveRow) string  { return r.Path[strings.LastIndex(r.Path, "/")+1:] }
func aboveOf(r sim.DriveRow) string { return r.Path[:max(strings.LastIndex(r.Path, "/"), 0)] }

// patch changes an item; what the service refuses, such as a name that is taken, stays as it was.
func (u *users) patch(id string, change map[string]any) bool {
	u.t.Helper()
	_, err := u.g.UpdateItem(u.t.Context(), u.box.Source, id, "", change)
	if err != nil && m365.KindOf(err) != m365.Conflict && m365.KindOf(err) != m365.Invalid {
		u.t.Fatalf("change %v: %v", change, err)
	}
	return err == nil
}

func (u *users) text() []byte {
	u.n++
	return fmt.Appendf(nil, "text %d of %d", u.n, u.draw.Uint64())
}

func (u *users) write(f graph.NewFile) {
	u.t.Helper()
	f.Drive = u.box.Source
	if _, err := u.g.PutSmall(u.t.Context(), f, u.text()); err != nil && m365.KindOf(err) != m365.Conflict {
		u.t.Fatal(err)
	}
}

// parent is the id of the folder that an item lies in.
func (u *users) parent(id string) string {
	u.t.Helper()
	item, err := u.g.DriveItem(u.t.Context(), u.box.Source, id, graph.List{})
	if err != nil {
		u.t.Fatal(err)
	}
	return item.ParentID()
}

func (u *users) change() {
	u.t.Helper()
	u.sim.Clock().Move(time.Duration(u.draw.IntN(3)) * time.Second)
	row, ok := u.some(anything)
	if !ok {
		u.one("first.txt", "first")
		return
	}
	switch u.draw.IntN(11) {
	case 0: // swap names, by a third one, of neighbours or of any two
		other, ok := u.some(func(o sim.DriveRow) bool {
			return o.ID != row.ID && o.Folder == row.Folder && aboveOf(o) == aboveOf(row)
		})
		if ok && u.patch(row.ID, map[string]any{"name": "between two names"}) && u.patch(other.ID, map[string]any{"name": nameOf(row)}) {
			u.patch(row.ID, map[string]any{"name": nameOf(other)})
		}
	case 1: // case only
		name := strings.ToUpper(nameOf(row))
		if name == nameOf(row) {
			name = strings.ToLower(name)
		}
		u.patch(row.ID, map[string]any{"name": name})
	case 2: // into another folder
		if to, ok := u.some(func(o sim.DriveRow) bool {
			return o.Folder && o.ID != row.ID && !strings.HasPrefix(o.Path, row.Path+"/")
		}); ok {
			u.patch(row.ID, map[string]any{"parentReference": map[string]any{"id": to.ID}})
		}
	case 3: // away and made anew under the old name
		parent := u.parent(row.ID)
		u.delete(row.ID)
		if row.Folder {
			if f, err := u.g.CreateFolder(u.t.Context(), u.box.Source, parent, nameOf(row), graph.ConflictFail, nil); err != nil {
				u.t.Fatal(err)
			} else if u.draw.IntN(2) == 0 {
				u.write(graph.NewFile{Parent: f.ID, Name: "inside.txt"})
			}
		} else {
			u.write(graph.NewFile{Parent: parent, Name: nameOf(row)})
		}
	case 4: // what lay in a folder moves up and the folder goes
		folder, ok := u.some(folders)
		if !ok {
			return
		}
		parent := u.parent(folder.ID)
		for _, o := range u.dump(u.user) {
			if aboveOf(o) == folder.Path && u.draw.IntN(3) > 0 {
				u.patch(o.ID, map[string]any{"parentReference": map[string]any{"id": parent}})
			}
		}
		u.delete(folder.ID)
	case 5: // one goes and another takes its name and place
		other, ok := u.some(func(o sim.DriveRow) bool { return o.ID != row.ID && !o.Folder && !row.Folder })
		if ok && !row.Folder {
			parent := u.parent(row.ID)
			u.delete(row.ID)
			u.patch(other.ID, map[string]any{"name": nameOf(row), "parentReference": map[string]any{"id": parent}})
		}
	case 6, 7: // a new version
		if file, ok := u.some(files); ok {
			u.write(graph.NewFile{Item: file.ID, Conflict: graph.ConflictReplace})
		}
	case 8: // new
		if folder, ok := u.some(folders); ok {
			u.write(graph.NewFile{Parent: folder.ID, Name: fmt.Sprintf("New %d.txt", u.draw.IntN(9))})
		} else {
			u.make(fmt.Sprintf("Folder %d", u.n))
		}
	case 9: // shared
		if _, err := u.g.Invite(u.t.Context(), u.box.Source, row.ID, []map[string]string{{"objectId": u.sim.Tenant().Users[1+u.draw.IntN(2)].ID}}, []string{"read"}, nil); err != nil {
			u.t.Fatal(err)
		}
	case 10: // not shared any more
		page, err := u.g.ItemPermissions(u.t.Context(), u.box.Source, row.ID, graph.List{})
		for p, err := range graph.All(u.t.Context(), u.g, page, err, graph.List{}) {
			if err != nil {
				u.t.Fatal(err)
			}
			if p.InheritedFrom == nil && len(p.Roles) > 0 && p.Roles[0] != "owner" {
				if _, err := u.g.Batch(u.t.Context(), []graph.Part{{Method: "DELETE", Path: []string{"drives", u.box.Source, "items", row.ID, "permissions", p.ID}}}); err != nil {
					u.t.Fatal(err)
				}
			}
		}
	}
}

// point is a restore point and what the drive had then.
type point struct {
	state *memory
	rows  []sim.DriveRow
	at    time.Time
}

// history makes restore points of a drive that changes between them and while it is read, with faults and crashes.
func (u *users) history(points int) []point {
	u.t.Helper()
	var out []point
	m := newMemory()
	for range points {
		for range 4 + u.draw.IntN(14) {
			u.change()
		}
		if u.draw.IntN(2) == 0 { // a session that dies, and meanwhile the drive goes on
			s := takeFrom(u.t, m)
			s.crashAt = 1 + u.draw.IntN(40)
			s.atSavepoint = func(*memory) { u.sim.Clock().Move(time.Second) }
			err := u.source.Read(u.t.Context(), u.box, m, s)
			if werr := s.Wait(); err == nil {
				err = werr
			}
			if err == nil {
				m = s.now
			} else if !errors.Is(err, errCrash) {
				u.t.Fatal(err)
			} else if s.saved != nil {
				m = s.saved
			}
			for range u.draw.IntN(8) {
				u.change()
			}
		}
		calm := func() {}
		if u.draw.IntN(2) == 0 {
			calm = workloadtest.Disturb(u.t, u.sim, u.draw.IntN(20))
		}
		m, _ = u.backup(m)
		calm()
		u.equal(m)
		out = append(out, point{m, u.dump(u.user), u.sim.Clock().Now()})
		if u.t.Failed() {
			u.t.Fatalf("restore point %d is not what the drive had", len(out))
		}
		u.sim.Clock().Move(time.Hour)
	}
	return out
}

func TestEachRestorePointOfARandomHistoryIsTheDriveOfItsTime(t *testing.T) {
	workloadtest.Rand(t, 3, func(seed uint64, draw *rand.Rand) {
		u := &users{rig: start(t, sim.Options{FilesPer: 12, Seed: seed % 1000}), draw: draw}
		points := u.history(5)
		last := points[len(points)-1]
		u.empty()
		u.restoring(last.state, engine.RestorePlan{AllVersions: true, Permissions: true}).all()
		diff(t, shown(u.dump(u.user), true, true), shown(last.rows, true, true))
	})
}

// byID is what a drive has, by id.
func (u *users) byID() map[string]sim.DriveRow {
	out := map[string]sim.DriveRow{}
	for _, row := range u.dump(u.user) {
		out[row.ID] = row
	}
	return out
}

func TestAnOlderPointRestoredBesideNewerDataLosesNothing(t *testing.T) {
	workloadtest.Rand(t, 5, func(seed uint64, draw *rand.Rand) {
		u := &users{rig: start(t, sim.Options{FilesPer: 12, Seed: seed % 1000}), draw: draw}
		points := u.history(1 + draw.IntN(3))
		old := points[draw.IntN(len(points))]
		for range 20 {
			u.change()
		}
		before := u.byID()
		plan := engine.RestorePlan{Mode: []engine.ConflictMode{engine.SkipExisting, engine.KeepBoth, engine.Overwrite, engine.Overwrite}[draw.IntN(4)], AllVersions: draw.IntN(2) == 0, Permissions: draw.IntN(2) == 0}
		plan.Newer = plan.Mode == engine.Overwrite && draw.IntN(2) == 0
		order := u.restoring(old.state, plan).files()
		draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		run := func(marker string) *restoring {
			to := u.restoring(old.state, plan)
			to.marker = marker
			for _, item := range order {
				var skip *holdfast.Skip
				if err := to.put(item.ID); err != nil && !errors.As(err, &skip) {
					t.Errorf("%q: %v", item.Name, err)
				}
			}
			return to
		}
		to := run("0123456789abcdef")
		after := u.byID()
		for id, item := range to.newIDs {
			h := old.state.items[id]
			if to.skips[id] != nil || to.outcomes[id] == engine.Skipped {
				continue
			}
			if row := after[item]; row.SHA256 != hexSum(h.forms[holdfast.FormFile]) {
				t.Errorf("%q is said to be %s as %q, which has something else", h.item.Name, to.outcomes[id], row.Path)
			}
		}
		for id, row := range before {
			now, ok := after[id]
			switch {
			case !ok:
				t.Errorf("%q is gone after the restore", row.Path)
			case row.Folder || now.SHA256 == row.SHA256:
			case plan.Mode != engine.Overwrite:
				t.Errorf("%q was changed by a restore that overwrites nothing", row.Path)
			case !plan.Newer && row.Modified.After(old.at):
				t.Errorf("%q is newer than the restore point and was overwritten", row.Path)
			}
			if _, stored := old.state.items[id]; ok && !stored && !row.Folder && now.SHA256 != row.SHA256 && !plan.Newer {
				t.Errorf("%q is no file of the restore point and was overwritten", row.Path)
			}
		}
		want := shown(u.dump(u.user), false, false)
		if to = run("fedcba9876543210"); plan.Mode != engine.KeepBoth { // another request, which may put copies beside once more
			diff(t, shown(u.dump(u.user), false, false), want)
		}
		t.Logf("mode %s, newer %v: %d files, %d skipped", plan.Mode, plan.Newer, len(to.outcomes), len(to.skips))
	})
}
