package site_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// ofPersonal is a tenant whose site under test is the personal one of the first user, who made lists, a library and pages in it.
func ofPersonal(t *testing.T) *rig {
	t.Helper()
	r := start(t, sim.Options{Users: 11, FilesPer: 12, Site: sim.SiteShape{Sites: 2, Items: 6, Files: 24}})
	r.box = r.personal(0)
	return r
}

// personal discovers the personal site of a user.
func (r *rig) personal(user int) holdfast.Container {
	r.t.Helper()
	found := r.discover(engine.WithPersonalSites(r.t.Context(), []string{r.sim.Tenant().Users[user].ID}, false), []string{})
	if len(found) != 1 || found[0].Err != nil {
		r.t.Fatalf("found %+v", found)
	}
	return found[0].Container
}

func (r *rig) discover(ctx context.Context, ids []string) (out []engine.Found) {
	r.t.Helper()
	for f, err := range r.source.Discover(ctx, ids) {
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func (r *rig) path() string { return strings.TrimPrefix(r.box.Address, "https://"+r.host()) }

func (r *rig) host() string { return strings.Split(r.box.Source, ",")[0] }

func TestPersonalSitesAreDiscovered(t *testing.T) {
	r := ofPersonal(t)
	users := r.sim.Tenant().Users
	if r.box.Owner != users[0].ID || !r.box.Personal() || r.box.Nobodys() || r.box.Name == users[0].ID || !strings.Contains(r.box.Address, "-my.sharepoint.com/personal/") {
		t.Fatalf("the site is %+v", r.box)
	}
	var known []holdfast.DirectoryObject
	for _, u := range users {
		known = append(known, holdfast.DirectoryObject{ID: u.ID, DisplayName: u.UPN, Name: u.UPN})
	}
	all := engine.WithPersonalSites(t.Context(), nil, true)
	for name, ctx := range map[string]context.Context{"with a copy of the directory": engine.KnowUsers(all, known), "without one": all} {
		var owners []string
		for _, f := range r.discover(ctx, []string{}) {
			if f.Err != nil || !f.Container.Personal() {
				t.Errorf("%s: found %+v", name, f)
			}
			owners = append(owners, f.Container.Owner)
		}
		var want []string
		for i, u := range users {
			if i != 9 { // he never opened OneDrive
				want = append(want, u.ID)
			}
		}
		slices.Sort(owners)
		slices.Sort(want)
		if !slices.Equal(owners, want) {
			t.Errorf("%s: sites of %d users, want %d", name, len(owners), len(want))
		}
	}

	chosen := r.discover(engine.WithPersonalSites(t.Context(), []string{users[9].ID, "nobody"}, false), []string{})
	for _, f := range chosen {
		var skip *holdfast.Skip
		if !errors.As(f.Err, &skip) || skip.Reason != holdfast.SkipUnlicensed || !f.Container.Personal() {
			t.Errorf("who has no OneDrive is found as %+v", f)
		}
	}
	if len(chosen) != 2 {
		t.Errorf("of two without a site %d are named", len(chosen))
	}

	// Known ones are not asked for, unless their address is not the one that follows from the user's name any more.
	asked := func(name string) int64 {
		known := []holdfast.DirectoryObject{{ID: users[0].ID, DisplayName: "Renamed", Name: name, Site: r.box}}
		before := r.calls("/$batch")
		found := r.discover(engine.KnowUsers(engine.WithPersonalSites(t.Context(), []string{users[0].ID}, false), known), []string{})
		if len(found) != 1 || found[0].Err != nil || found[0].Container.Key() != r.box.Key() || found[0].Container.Address != r.box.Address {
			t.Errorf("found %+v", found)
		}
		return r.calls("/$batch") - before
	}
	if n := asked(users[0].UPN); n != 0 {
		t.Errorf("a known site is asked for %d times", n)
	}
	if n := asked("married@contoso.example"); n != 1 {
		t.Errorf("the site of a user with another name is asked for %d times", n)
	}

	// One that is named as a site is the same container; all sites together leave them out.
	for _, id := range []string{r.box.Source, r.box.Address} {
		if found := r.discover(t.Context(), []string{id}); len(found) != 1 || found[0].Err != nil || found[0].Container.Key() != r.box.Key() || found[0].Container.Owner != r.box.Owner {
			t.Errorf("%s is found as %+v", id, found)
		}
	}
	for _, f := range r.discover(t.Context(), nil) {
		if f.Container.Personal() {
			t.Errorf("among all sites is %+v", f.Container)
		}
	}
}

// held counts what a container holds by the list that it is in; lists are named.
func held(c *workloadtest.Container) (lists []string, kinds map[holdfast.ItemKind]int) {
	kinds = map[holdfast.ItemKind]int{}
	for _, s := range c.Items() {
		kinds[s.Kind]++
		if s.Kind == holdfast.KindFolder && s.Parent == "site" {
			lists = append(lists, s.Name)
		}
	}
	slices.Sort(lists)
	return lists, kinds
}

// TestAPersonalSiteIsReadWithoutItsOneDrive: that is a container of its own, and what happens in it costs the site nothing.
func TestAPersonalSiteIsReadWithoutItsOneDrive(t *testing.T) {
	r := ofPersonal(t)
	c := workloadtest.New()
	r.backup(c)
	lists, kinds := held(c)
	if want := []string{"Categories", "Drafts", "Incidents", "Site Pages"}; !slices.Equal(lists, want) {
		t.Errorf("lists %q, want %q", lists, want)
	}
	files := 0
	for _, f := range r.files(r.path(), "Drafts") {
		if !f.Folder {
			files++
		}
	}
	if kinds[holdfast.KindFile] != files || files == 0 || kinds[holdfast.KindListItem] != 9 || kinds[holdfast.KindPage] != 2 {
		t.Errorf("holds %v, want %d files", kinds, files)
	}
	before := state(c)

	units := func() int64 { return r.sim.Stats().ResourceUnits["sharepoint"] }
	for seed := range 3 {
		if _, err := r.sim.ChurnDrive(r.sim.Tenant().Users[0].ID, 20, uint64(seed)); err != nil {
			t.Fatal(err)
		}
	}
	from := units()
	r.backup(c)
	if n := units() - from; n > 2 {
		t.Errorf("after changes in the OneDrive alone a backup takes %d units, want 2", n)
	}
	equalStates(t, state(c), before)

	r.churn(12, 5) // in the list, and in the OneDrive, which is the first library
	r.backup(c)
	fresh := workloadtest.New()
	r.backup(fresh)
	equalStates(t, state(c), state(fresh))
	if maps.Equal(state(c), before) {
		t.Error("changes of the list are not in the backup")
	}
	if len(c.Skips) > 0 {
		t.Errorf("skipped: %v", c.Skips)
	}

	// Who made nothing in it has a site all the same.
	r.box = r.personal(1)
	plain := workloadtest.New()
	r.backup(plain)
	if lists, kinds := held(plain); !slices.Equal(lists, []string{"Site Pages"}) || kinds[holdfast.KindFile] > 0 {
		t.Errorf("an untouched site holds %q, %v", lists, kinds)
	}
}

// TestAManyTimesChangedOneDriveMovesTheToken: a log in which a page of changes was passed over is not read from there again.
func TestAManyTimesChangedOneDriveMovesTheToken(t *testing.T) {
	r := ofPersonal(t)
	c := workloadtest.New()
	r.backup(c)
	for seed := range 6 {
		if _, err := r.sim.ChurnDrive(r.sim.Tenant().Users[0].ID, 300, uint64(seed)); err != nil {
			t.Fatal(err)
		}
	}
	r.backup(c)
	before := r.calls("/_api/{rest...}")
	r.backup(c)
	if n := r.calls("/_api/{rest...}") - before; n != 1 {
		t.Errorf("the backup after that asks the log %d times, want once", n)
	}
}

// TestAnEarlierCopyOfTheOneDriveGoes: a container that once held the whole site, because it was taken for any other, keeps no library that is not read.
func TestAnEarlierCopyOfTheOneDriveGoes(t *testing.T) {
	r := ofPersonal(t)
	personal := r.box
	whole := personal
	whole.Owner = whole.Source
	c := workloadtest.New()
	r.box = whole
	r.backup(c)
	if lists, _ := held(c); !slices.Contains(lists, "Documents") {
		t.Fatalf("lists %q", lists)
	}
	r.box = personal // nothing happens in the site
	r.backup(c)
	fresh := workloadtest.New()
	r.backup(fresh)
	equalStates(t, state(c), state(fresh))
	for _, cursor := range c.CursorNames() {
		if strings.HasPrefix(cursor, "library/"+r.info(r.path()).Lists["Documents"]) {
			t.Errorf("the cursor %s is still there", cursor)
		}
	}
}

func TestAPersonalSiteIsPutBack(t *testing.T) {
	r := ofPersonal(t)
	c := workloadtest.New()
	r.backup(c)
	before, drafts, oneDrive := r.dump(r.path()), r.files(r.path(), "Drafts"), r.files(r.path(), "Documents")
	for name, id := range r.info(r.path()).Lists {
		if name == "Documents" {
			continue
		}
		if err := r.sim.EmptyList(r.box.Source, id); err != nil {
			t.Fatal(err)
		}
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true, AllVersions: true, Permissions: true, Whole: true}
	report := func(item holdfast.Item, _ engine.Restored, err error) {
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
	}
	r.putBack(c, plan, report)
	sameRows(t, r.dump(r.path()), before, true)
	sameFiles(t, r.files(r.path(), "Drafts"), drafts)
	if got, want := fmt.Sprintf("%+v", r.files(r.path(), "Documents")), fmt.Sprintf("%+v", oneDrive); got != want {
		t.Error("the restore changed the OneDrive")
	}

	// To a colleague's: lists and libraries that he does not have are made.
	to := r.personal(1)
	plan.Session, plan.To = "other", to
	r.putBack(c, plan, report)
	path := strings.TrimPrefix(to.Address, "https://"+r.host())
	have := map[string]int{}
	for _, row := range r.dump(path) {
		have[row.List]++
	}
	want := map[string]int{}
	for _, row := range before {
		want[row.List]++
	}
	if !maps.Equal(have, want) {
		t.Errorf("the other site holds %v, want %v", have, want)
	}
	if len(r.files(path, "Drafts")) != len(drafts) {
		t.Errorf("the other library holds %d, want %d", len(r.files(path, "Drafts")), len(drafts))
	}
	if mails := r.sim.Stats().MailsSent; len(mails) > 0 {
		t.Errorf("mails went out: %v", mails)
	}
}

// A personal site that is gone with its OneDrive is no deletion, and nobody but Microsoft makes it again.
func TestAPersonalSiteThatIsGone(t *testing.T) {
	r := ofPersonal(t)
	c := workloadtest.New()
	r.backup(c)
	for stateOf, reason := range map[string]holdfast.SkipReason{sim.DriveGone: holdfast.SkipGone, sim.DriveLocked: holdfast.SkipLocked} {
		if err := r.sim.SetDrive(r.sim.Tenant().Users[0].ID, stateOf); err != nil {
			t.Fatal(err)
		}
		var skip *holdfast.Skip
		if err := c.Read(t.Context(), r.source, r.box); !errors.As(err, &skip) || skip.Reason != reason {
			t.Errorf("a site that is %s: %v", stateOf, err)
		}
	}
	if err := r.sim.SetDrive(r.sim.Tenant().Users[0].ID, sim.DriveGone); err != nil {
		t.Fatal(err)
	}
	_, err := r.target.Open(t.Context(), r.wholeSiteBack(r.box))
	if holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "open OneDrive") {
		t.Errorf("the restore is refused with %v", err)
	}
}

// TestAStoredPersonalSiteThatCannotBeLookedUpIsNamedAsItself: a user was given another name, so that he is asked for his site, and that is locked or he
// is gone. What is told then is of the site that is stored, which would pass for gone if it were of another.
func TestAStoredPersonalSiteThatCannotBeLookedUpIsNamedAsItself(t *testing.T) {
	r := ofPersonal(t)
	user := r.sim.Tenant().Users[0].ID
	for state, reason := range map[string]holdfast.SkipReason{sim.DriveLocked: holdfast.SkipLocked, sim.DriveGone: holdfast.SkipUnlicensed} {
		if err := r.sim.SetDrive(user, state); err != nil {
			t.Fatal(err)
		}
		known := []holdfast.DirectoryObject{{ID: user, DisplayName: "Renamed", Name: "married@contoso.example", Site: r.box}}
		found := r.discover(engine.KnowUsers(engine.WithPersonalSites(t.Context(), []string{user}, false), known), []string{})
		var skip *holdfast.Skip
		if len(found) != 1 || !errors.As(found[0].Err, &skip) || skip.Reason != reason || found[0].Container.Key() != r.box.Key() {
			t.Errorf("a site that is %s is found as %+v", state, found)
		}
	}
}
