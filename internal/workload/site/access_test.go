package site_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// access is the oracle's word on who may do what in a site.
func (r *rig) access(path string) []sim.SiteAccessRow {
	r.t.Helper()
	rows, err := r.sim.DumpSiteAccess(r.info(path).ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

func (r *rig) strip(path string) {
	r.t.Helper()
	if err := r.sim.StripSite(r.info(path).ID); err != nil {
		r.t.Fatal(err)
	}
}

// sameAccess compares what two dumps say of who may do what.
func sameAccess(t *testing.T, got, want []sim.SiteAccessRow) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("%s %q is missing", want[i].Kind, want[i].Title)
		case i >= len(want):
			t.Errorf("%s %q is one too many", got[i].Kind, got[i].Title)
		case !reflect.DeepEqual(got[i], want[i]):
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
}

// wholeSiteBack is a restore of all of a site with permissions.
func (r *rig) wholeSiteBack(to holdfast.Container) engine.RestorePlan {
	return engine.RestorePlan{Session: "s", From: r.box, To: to, Whole: true, Mode: engine.Overwrite, Newer: true, ChangedItems: true, MissingItems: true, Permissions: true, Notes: &workloadtest.Notes{}}
}

// TestGroupsAndLevelsComeBack: what was taken away of groups, members and permission levels is put back in the site itself, while every call fails now and then,
// and nobody is mailed. A second restore changes nothing.
func TestGroupsAndLevelsComeBack(t *testing.T) {
	for name, disturbed := range map[string]bool{"calm": false, "disturbed": true} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 6, Files: 6}})
			c := workloadtest.New()
			r.backup(c)
			want := r.access("/sites/Falcon")
			r.strip("/sites/Falcon")
			if reflect.DeepEqual(r.access("/sites/Falcon"), want) {
				t.Fatal("nothing was taken away")
			}
			calm := func() {}
			if disturbed {
				calm = workloadtest.Disturb(t, r.sim, 3)
			}
			for range 2 {
				r.putBack(c, r.wholeSiteBack(r.box), func(item holdfast.Item, _ engine.Restored, err error) {
					if err != nil {
						t.Errorf("%s %q: %v", item.Kind, item.Name, err)
					}
				})
				sameAccess(t, r.access("/sites/Falcon"), want)
			}
			calm()
			if mails := r.sim.Stats().MailsSent; len(mails) > 0 {
				t.Errorf("mails went out: %v", mails)
			}
		})
	}
}

// TestLevelsOfASiteBelowAreMadeAbove: a site below another has that one's levels, and its restore may be the first to miss one.
func TestLevelsOfASiteBelowAreMadeAbove(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 6, Files: 6}})
	r.box = r.container("/sites/Falcon/planning")
	c := workloadtest.New()
	r.backup(c)
	levels := func() (out []sim.SiteAccessRow) {
		for _, row := range r.access("/sites/Falcon") {
			if row.Kind == "level" {
				out = append(out, row)
			}
		}
		return out
	}
	want := levels()
	r.strip("/sites/Falcon")
	if len(levels()) == len(want) {
		t.Fatal("no level was taken away")
	}
	for range 2 {
		r.putBack(c, r.wholeSiteBack(r.box), func(item holdfast.Item, _ engine.Restored, err error) {
			if err != nil {
				t.Errorf("%s %q: %v", item.Kind, item.Name, err)
			}
		})
		sameAccess(t, levels(), want)
	}
}

// TestGroupsGoToAnotherSite: the groups that the other site uses for the same take the members up, one that is missing is made.
func TestGroupsGoToAnotherSite(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 6, Files: 6}})
	c := workloadtest.New()
	r.backup(c)
	r.strip("/sites/Marketing")
	r.putBack(c, r.wholeSiteBack(r.container("/sites/Marketing")), func(item holdfast.Item, _ engine.Restored, err error) {
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
	})
	want := r.access("/sites/Falcon")
	for i := range want {
		want[i].Title = strings.Replace(want[i].Title, "Falcon", "Marketing", 1)
		for j := range want[i].Roles {
			want[i].Roles[j] = strings.Replace(want[i].Roles[j], "Falcon", "Marketing", 1)
		}
		slices.Sort(want[i].Roles)
	}
	sameAccess(t, r.access("/sites/Marketing"), want)
}

// A restore of a part of a site, or without permissions, gives nobody anything in the site.
func TestNobodyIsLetInUnasked(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 6, Files: 6}})
	c := workloadtest.New()
	r.backup(c)
	r.strip("/sites/Falcon")
	want := r.access("/sites/Falcon")
	for name, change := range map[string]func(*engine.RestorePlan){
		"a part": func(p *engine.RestorePlan) { p.Whole = false }, "without permissions": func(p *engine.RestorePlan) { p.Permissions = false }} {
		plan := r.wholeSiteBack(r.box)
		change(&plan)
		r.putBack(c, plan, func(holdfast.Item, engine.Restored, error) {})
		t.Run(name, func(t *testing.T) { sameAccess(t, r.access("/sites/Falcon"), want) })
	}
}

// TestGroupsAreMadeOnceWhereverTheProgramDies: before any call, or after one whose answer it does not get.
func TestGroupsAreMadeOnceWhereverTheProgramDies(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 3}})
	c := workloadtest.New()
	r.backup(c)
	want := r.access("/sites/Falcon")
	root := c.Items()["site"]
	attempt := func() error {
		rest, err := r.target.Open(t.Context(), r.wholeSiteBack(r.box))
		if err != nil {
			return err
		}
		at, err := rest.Folder(t.Context(), root.Item, "")
		if err != nil {
			return err
		}
		if err := rest.(engine.FolderSettler).SettleFolder(t.Context(), engine.Put{Item: root.Item, NewID: at, Open: root.Open}); err != nil {
			return err
		}
		return rest.Close(t.Context())
	}
	for _, last := range []string{"", sim.FaultAckLost} {
		for n := 0; ; n++ {
			r.strip("/sites/Falcon")
			died := r.dying(n, last, attempt)
			if died == nil {
				if n < 8 {
					t.Errorf("only %d places to die at", n)
				}
				break
			}
			if err := again(attempt); err != nil {
				t.Fatalf("%s after %d calls (%v): the second attempt: %v", last, n, died, err)
			}
			sameAccess(t, r.access("/sites/Falcon"), want)
			if t.Failed() {
				t.Fatalf("%s after %d calls (%v)", last, n, died)
			}
		}
	}
}

// Without the right to manage permissions, and without a certificate, the restore goes on and says what it lacks.
func TestAccessThatMayNotBePutBackIsNamed(t *testing.T) {
	o := sim.Options{Seed: 7, Site: sim.SiteShape{Sites: 2, Items: 3, Files: 3}}
	r := start(t, o)
	c := workloadtest.New()
	r.backup(c)
	settled := func(r *rig) (err error) {
		t.Helper()
		r.strip("/sites/Falcon")
		items := 0
		r.putBack(c, r.wholeSiteBack(r.box), func(item holdfast.Item, res engine.Restored, ierr error) {
			if item.ID == "site" {
				err = ierr
			}
			if res.Outcome == engine.Existing || res.Outcome == engine.Overwritten {
				items++
			}
		})
		if items == 0 {
			t.Error("nothing of the site was put back")
		}
		return err
	}
	o.Roles = []string{"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.Read.All", "User.Read.All"}
	s, g := workloadtest.Tenant(t, sim.Options{Seed: 7, Site: o.Site})
	for name, tc := range map[string]struct {
		r    *rig
		says string
	}{"without full control": {start(t, o), `group "Reviewers"`}, "without a certificate": {open(t, s, g), "certificate"}} {
		var skip *holdfast.Skip
		if err := settled(tc.r); !errors.As(err, &skip) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: of the site itself: %v, want a word of %s", name, err, tc.says)
		}
	}
}

// TestFilesAreSharedWithGroupsAgain: what a file or folder gave groups of SharePoint's own comes back, also in another site, and it inherits no more than before.
func TestFilesAreSharedWithGroupsAgain(t *testing.T) {
	for name, path := range map[string]string{"in its own site": "/sites/Falcon", "in another": "/sites/Marketing"} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 3, Files: 24}})
			var files, folders []string
			for _, row := range r.files("/sites/Falcon", "Documents") {
				if row.Folder {
					folders = append(folders, row.Path)
				} else {
					files = append(files, row.Path)
				}
			}
			for path, levels := range map[string]map[string]string{
				files[0]:   {"Falcon Owners": "Full Control", "Reviewers": "Read"},
				folders[0]: {"Falcon Owners": "Full Control", "Falcon Members": "Contribute"}} {
				if err := r.sim.ShareFile(r.box.Source, "Documents", path, levels); err != nil {
					t.Fatal(err)
				}
			}
			c := workloadtest.New()
			r.backup(c)
			want := r.files("/sites/Falcon", "Documents")
			to := r.container(path)
			for _, id := range r.info(path).Lists {
				if err := r.sim.EmptyList(to.Source, id); err != nil {
					t.Fatal(err)
				}
			}
			r.putBack(c, r.wholeSiteBack(to), func(item holdfast.Item, res engine.Restored, err error) {
				if err != nil {
					t.Errorf("%s %q: %v", item.Kind, item.Name, err)
				}
				for _, lost := range res.Lost {
					if strings.HasPrefix(lost, "permission") {
						t.Errorf("%s %q lost %s", item.Kind, item.Name, lost)
					}
				}
			})
			alone := 0
			for i := range want {
				for j := range want[i].Grants {
					g := &want[i].Grants[j]
					if g.Group = strings.Replace(g.Group, "Falcon", to.Name, 1); g.Group != "" {
						alone++
					}
				}
			}
			if alone != 4 {
				t.Fatalf("%d grants to groups, want 4", alone)
			}
			got := map[string]sim.DriveRow{}
			for _, row := range r.files(path, "Documents") {
				got[row.Path] = row
			}
			for _, row := range want {
				if g := got[row.Path]; g.Alone != row.Alone || !reflect.DeepEqual(g.Grants, row.Grants) {
					t.Errorf("%s: alone %v, grants %+v\nwant %v %+v", row.Path, g.Alone, g.Grants, row.Alone, row.Grants)
				}
			}
			if mails := r.sim.Stats().MailsSent; len(mails) > 0 {
				t.Errorf("mails went out: %v", mails)
			}
		})
	}
}

// A site that is gone is not made: the refusal says what can be done.
func TestARestoreIntoASiteThatIsGoneSaysWhatToDo(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 2, Files: 2}})
	if err := r.sim.SetSite(r.box.Source, sim.DriveGone); err != nil {
		t.Fatal(err)
	}
	if _, err := r.target.Open(t.Context(), r.wholeSiteBack(r.box)); holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "for 93 days") {
		t.Errorf("the restore is refused with %v", err)
	}
}
