package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

// scoped is a world with an organization of these people, groups and sites:
//
//	ann bob cid dan eve       users; fay is a guest; gus has no mailbox and no OneDrive
//	g-team (Microsoft 365)    ann, fay; with a mailbox and a site
//	g-sec (security)          bob, g-inner
//	g-inner (security)        cid, g-sec: a circle
//	g-list (distribution)     dan, gus
//	root, root/sub, other     sites
//	ann, bob, cid, dan        have a personal site, which jobs take only when they ask for it
//	apollo                    a team; the organization protects teams when a test says so
type scoped struct {
	*world
	org  holdfast.Organization
	repo holdfast.Repository
	k    *worker
	n    int // jobs made
}

func (s *scoped) storeRecord(c holdfast.Container, repo holdfast.RepositoryID, org holdfast.OrganizationID) (rec holdfast.ContainerRecord, err error) {
	err = s.Store.Read(s.ctx, func(ctx context.Context, tx service.Tx) error {
		rec, err = tx.Container(ctx, repo, org, c.Key())
		return err
	})
	return rec, err
}

var (
	rootSite  = siteOf("root", "https://contoso.sharepoint.example/sites/root")
	subSite   = siteOf("sub", "https://contoso.sharepoint.example/sites/root/sub")
	otherSite = siteOf("other", "https://contoso.sharepoint.example/sites/rooted")
	teamSite  = holdfast.Container{Kind: holdfast.Site, Source: "contoso.sharepoint.example,team,w", Owner: "contoso.sharepoint.example,team,w", Name: "Team", Address: "https://contoso.sharepoint.example/sites/team"}
)

var (
	groupMailbox = holdfast.Container{Kind: holdfast.Mailbox, Source: holdfast.GroupSource + "g-team", Owner: "g-team", Name: "Team", Address: "g-team@contoso.example"}
	team         = holdfast.Container{Kind: holdfast.Team, Source: apollo, Owner: apollo, Name: "Apollo", Address: "apollo@contoso.example"}
)

// personalSite is the site of a user's OneDrive.
func personalSite(user string) holdfast.Container {
	return holdfast.Container{Kind: holdfast.Site, Source: "contoso-my.sharepoint.example," + user + ",w", Owner: user, Name: user, Address: "https://contoso-my.sharepoint.example/personal/" + user}
}

// siteOf is a site of the collection of all those whose address begins alike.
func siteOf(id, address string) holdfast.Container {
	collection := "root"
	if id == "other" {
		collection = "other"
	}
	source := "contoso.sharepoint.example," + collection + "," + id
	return holdfast.Container{Kind: holdfast.Site, Source: source, Owner: source, Name: id, Address: address}
}

func newScoped(t *testing.T) *scoped {
	w := newWorld(t, storetest.SQLite(t))
	guest, poor := copied("fay"), copied("gus")
	guest.Guest, guest.Mail, poor.Mail = true, "", ""
	w.directory.users = nil
	for _, id := range []string{"ann", "bob", "cid", "dan", "eve", "gus"} {
		w.directory.users = append(w.directory.users, service.DirectoryUser{ID: id, Name: id + "@contoso.example", DisplayName: id})
	}
	w.directory.all = []service.DirectoryChanges{{
		Objects: []holdfast.DirectoryObject{copied("ann"), copied("bob"), copied("cid"), copied("dan"), copied("eve"), guest, poor,
			group("g-team", holdfast.GroupOffice365), group("g-sec", holdfast.GroupSecurity), group("g-inner", holdfast.GroupSecurity), group("g-list", holdfast.GroupDistribution)},
		Members: slices.Concat(in("g-team", "ann", "fay"), in("g-sec", "bob", "g-inner"), in("g-inner", "cid", "g-sec"), in("g-list", "dan", "gus")),
	}}
	for _, s := range []holdfast.Container{rootSite, subSite, otherSite, personalSite("bob")} {
		w.directory.sites = append(w.directory.sites, service.DirectorySite{ID: s.Source, Name: s.Name, URL: s.Address})
	}
	s := &scoped{world: w, org: w.organization(), repo: w.repository("r")}
	s.k = &worker{w: w, access: true, found: []holdfast.Container{rootSite, subSite, otherSite, teamSite, groupMailbox, team}}
	for _, u := range []string{"ann", "bob", "cid", "dan", "eve"} {
		s.k.found = append(s.k.found, mailbox(u), drive(u))
		if u != "eve" {
			s.k.found = append(s.k.found, personalSite(u))
		}
	}
	w.ok(w.SyncDue(w.ctx))
	return s
}

// make makes a job of selected items, or with none of the entire organization.
func (s *scoped) make(selected, excluded []holdfast.JobItem) (holdfast.Job, error) {
	s.n++
	name := fmt.Sprint("job ", s.n)
	spec := service.JobSpec{Organization: s.org.ID, Repository: s.repo.ID, Name: &name, Scope: holdfast.SelectedItems, Selected: selected, Excluded: excluded}
	if selected == nil {
		spec.Scope = holdfast.EntireOrganization
	}
	return s.Jobs.Create(s.ctx, admin, spec)
}

func (s *scoped) made(selected, excluded []holdfast.JobItem) holdfast.Job {
	s.t.Helper()
	j, err := s.make(selected, excluded)
	s.ok(err)
	return j
}

// protects runs a job and says what its restore point holds, as "kind/owner".
func (s *scoped) protects(j holdfast.Job) ([]string, holdfast.JobSession) {
	s.t.Helper()
	session := s.run(j, s.k)
	var out []string
	if session.RestorePoint != "" {
		p, err := s.RestorePoints.Get(s.ctx, admin, session.RestorePoint)
		s.ok(err)
		for _, e := range p.Entries {
			name := e.Container.Owner
			if e.Container.Kind == holdfast.Site {
				name = e.Container.Address[strings.LastIndexByte(e.Container.Address, '/')+1:]
			}
			text := string(e.Container.Kind) + "/" + name
			if e.State == holdfast.StateGone {
				text += " gone"
			}
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out, session
}

func (s *scoped) log(session holdfast.JobSession, kind string) string {
	s.t.Helper()
	lines, err := s.JobSessions.Log(s.ctx, admin, session.ID, []string{kind}, true, holdfast.Page{})
	s.ok(err)
	var out []string
	for _, l := range lines {
		out = append(out, l.Title)
	}
	return strings.Join(out, "\n")
}

func both(user ...string) (out []string) {
	for _, u := range user {
		out = append(out, "drive/"+u, "mailbox/"+u)
	}
	slices.Sort(out)
	return out
}

func user(id string) holdfast.JobItem { return holdfast.JobItem{Type: "User", ObjectID: id} }

func groupItem(id string) holdfast.JobItem { return holdfast.JobItem{Type: "Group", ObjectID: id} }

func siteItem(c holdfast.Container) holdfast.JobItem {
	return holdfast.JobItem{Type: "Site", ObjectID: c.Source}
}

// TestScopeTable is the table of scopes, line by line: what a job of these items protects, and what it says that it can't.
func TestScopeTable(t *testing.T) {
	everySite := []string{"site/root", "site/rooted", "site/sub", "site/team"}
	everyPersonal := []string{"site/ann", "site/bob", "site/cid", "site/dan"}
	everybody := both("ann", "bob", "cid", "dan", "eve")
	for name, tc := range map[string]struct {
		selected, excluded []holdfast.JobItem
		want               []string
		notes              []string // what the session says is not protected
	}{
		"Scope: the entire organization has no options": {want: slices.Concat(everybody, everySite)},
		"Scope: a mix of users, groups, sites": {selected: []holdfast.JobItem{user("eve"), groupItem("g-list"), siteItem(otherSite)},
			want: slices.Concat(both("dan", "eve"), []string{"site/rooted"})},
		"Options: organization: everything":          {selected: []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true, OneDrive: true, Sites: true}}, want: slices.Concat(everybody, everySite)},
		"Options: organization: mail":                {selected: []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true}}, want: []string{"mailbox/ann", "mailbox/bob", "mailbox/cid", "mailbox/dan", "mailbox/eve"}},
		"Options: organization: OneDrive":            {selected: []holdfast.JobItem{{Type: "PartialOrganization", OneDrive: true}}, want: []string{"drive/ann", "drive/bob", "drive/cid", "drive/dan", "drive/eve"}},
		"Options: organization: sites":               {selected: []holdfast.JobItem{{Type: "PartialOrganization", Sites: true}}, want: everySite},
		"Options: organization: archive":             {selected: []holdfast.JobItem{{Type: "PartialOrganization", Sites: true, ArchiveMailbox: true}}, want: everySite, notes: []string{"archive mailboxes, of those who have one, are not protected"}},
		"Options: organization: mailboxes of groups": {selected: []holdfast.JobItem{{Type: "PartialOrganization", GroupMailboxes: true}}, want: []string{"mailbox/g-team"}},
		"Options: user: everything":                  {selected: []holdfast.JobItem{user("ann")}, want: both("ann")},
		"Options: user: mail":                        {selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true}}, want: []string{"mailbox/ann"}},
		"Options: user: OneDrive":                    {selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", OneDrive: true}}, want: []string{"drive/ann"}},
		"Options: user: archive":                     {selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true, ArchiveMailbox: true}}, want: []string{"mailbox/ann"}, notes: []string{"archive mailboxes, of those who have one, are not protected"}},
		"Options: user: site":                        {selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", OneDrive: true, Sites: true}}, want: []string{"drive/ann", "site/ann"}},
		"Options: user: site alone":                  {selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", Sites: true}}, want: []string{"site/ann"}},
		"Options: organization: personal sites":      {selected: []holdfast.JobItem{{Type: "PartialOrganization", PersonalSites: true}}, want: everyPersonal},
		"Options: organization: sites, all of them":  {selected: []holdfast.JobItem{{Type: "PartialOrganization", Sites: true, PersonalSites: true}}, want: slices.Concat(everySite, everyPersonal)},
		"Options: personal sites, as items":          {selected: []holdfast.JobItem{{Type: "PersonalSites"}}, want: everyPersonal},
		"Options: personal sites beside others":      {selected: []holdfast.JobItem{{Type: "PersonalSites"}, siteItem(otherSite), user("ann")}, want: slices.Concat(everyPersonal, both("ann"), []string{"site/rooted"})},
		"Options: a personal site, named as a site":  {selected: []holdfast.JobItem{siteItem(personalSite("bob"))}, want: []string{"site/bob"}},
		"Options: Microsoft 365 group: everything":   {selected: []holdfast.JobItem{groupItem("g-team")}, want: append(both("ann"), "site/team")},
		"Options: Microsoft 365 group: members (mail, archive, OneDrive, site)": {selected: []holdfast.JobItem{{Type: "Group", ObjectID: "g-team", Members: true, MemberMailbox: true, MemberArchive: true, MemberOneDrive: true, MemberSite: true}},
			want: append(both("ann"), "site/ann"), notes: []string{"archive mailboxes"}},
		"Options: security group: members' sites, in a circle": {selected: []holdfast.JobItem{{Type: "Group", ObjectID: "g-sec", Members: true, MemberSite: true}}, want: []string{"site/bob", "site/cid"}},
		"Options: Microsoft 365 group: members' mail only":     {selected: []holdfast.JobItem{{Type: "Group", ObjectID: "g-team", Members: true, MemberMailbox: true}}, want: []string{"mailbox/ann"}},
		"Options: Microsoft 365 group: group mail":             {selected: []holdfast.JobItem{{Type: "Group", ObjectID: "g-team", Mailbox: true}, user("bob")}, want: append(both("bob"), "mailbox/g-team")},
		"Options: Microsoft 365 group: group site":             {selected: []holdfast.JobItem{{Type: "Group", ObjectID: "g-team", GroupSite: true}}, want: []string{"site/team"}},
		"Options: security group: nested members, in a circle": {selected: []holdfast.JobItem{groupItem("g-sec")}, want: both("bob", "cid")},
		"Options: security group: what is within only":         {selected: []holdfast.JobItem{groupItem("g-inner")}, want: both("bob", "cid")},
		"Options: distribution: members":                       {selected: []holdfast.JobItem{groupItem("g-list")}, want: both("dan")},
		"Options: site: root implies subsites":                 {selected: []holdfast.JobItem{siteItem(rootSite)}, want: []string{"site/root", "site/sub"}},
		"Options: site: a subsite alone":                       {selected: []holdfast.JobItem{siteItem(subSite)}, want: []string{"site/sub"}},
		"Exclusions: user, with options":                       {selected: []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true, OneDrive: true}}, excluded: []holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true}, user("bob")}, want: append(both("cid", "dan", "eve"), "drive/ann")},
		"Exclusions: group, with options":                      {selected: []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true, OneDrive: true}}, excluded: []holdfast.JobItem{{Type: "Group", ObjectID: "g-sec", Members: true, MemberOneDrive: true}}, want: append(both("ann", "dan", "eve"), "mailbox/bob", "mailbox/cid")},
		"Exclusions: win over a selected group":                {selected: []holdfast.JobItem{groupItem("g-sec")}, excluded: []holdfast.JobItem{user("cid")}, want: both("bob")},
		"Exclusions: a user's personal site":                   {selected: []holdfast.JobItem{{Type: "PersonalSites"}, user("bob")}, excluded: []holdfast.JobItem{{Type: "User", ObjectID: "bob", Sites: true}}, want: append(both("bob"), "site/ann", "site/cid", "site/dan")},
		"Exclusions: all of a user is his personal site too":   {selected: []holdfast.JobItem{{Type: "PersonalSites"}}, excluded: []holdfast.JobItem{user("bob"), groupItem("g-list")}, want: []string{"site/ann", "site/cid"}},
		"Exclusions: from the entire organization":             {excluded: []holdfast.JobItem{groupItem("g-list"), user("ann")}, want: slices.Concat(both("bob", "cid", "eve"), everySite)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScoped(t)
			got, session := s.protects(s.made(tc.selected, tc.excluded))
			slices.Sort(tc.want)
			if !slices.Equal(got, tc.want) {
				t.Errorf("protects %q\nwant     %q", got, tc.want)
			}
			warnings := s.log(session, "Warning")
			for _, note := range tc.notes {
				if !strings.Contains(strings.ToLower(warnings), strings.ToLower(note)) {
					t.Errorf("the log does not say %q: %s", note, warnings)
				}
			}
			sites := slices.ContainsFunc(tc.want, func(w string) bool { return strings.HasPrefix(w, "site/") })
			if n := strings.Count(warnings, "takes only those that sign in by a certificate"); n > 1 || (n == 1) != sites {
				t.Errorf("what a certificate is needed for is told %d times: %s", n, warnings)
			}
			if len(session.Notes) != len(tc.notes) {
				t.Errorf("notes %q, want %d", session.Notes, len(tc.notes))
			}
			if want := map[bool]holdfast.SessionStatus{true: holdfast.StatusWarning, false: holdfast.StatusSuccess}[len(tc.notes) > 0]; session.Status != want {
				t.Errorf("status %s, want %s: %s", session.Status, want, session.Details)
			}
		})
	}
}

// TestScopeTableOfTeams has the lines of teams, in an organization that protects them.
func TestScopeTableOfTeams(t *testing.T) {
	teamItem := holdfast.JobItem{Type: "Team", ObjectID: apollo, LeaveOut: []holdfast.MailboxPart{holdfast.PartPosts}}
	theTeam := "team/" + apollo
	everything := slices.Concat(both("ann", "bob", "cid", "dan", "eve"), []string{"site/root", "site/rooted", "site/sub", "site/team"})
	s := newScoped(t)
	yes := true
	_, err := s.Organizations.Update(s.ctx, admin, s.org.ID, service.OrganizationSpec{Teams: &yes, TeamsChats: &yes})
	s.ok(err)
	all := s.made(nil, nil)
	check := func(what string, j holdfast.Job, want ...string) {
		t.Helper()
		slices.Sort(want)
		if got, _ := s.protects(j); !slices.Equal(got, want) {
			t.Errorf("%s: protects %q\nwant %q", what, got, want)
		}
	}
	check("the entire organization", all, append(everything, theTeam)...)
	whole := s.made([]holdfast.JobItem{{Type: "PartialOrganization", Teams: true}}, nil)
	check("organization: teams", whole, theTeam)
	s.ok(s.Jobs.Delete(s.ctx, admin, whole.ID))
	whole = s.made([]holdfast.JobItem{{Type: "PartialOrganization", OneDrive: true}}, nil)
	check("organization: no teams", whole, "drive/ann", "drive/bob", "drive/cid", "drive/dan", "drive/eve")
	s.ok(s.Jobs.Delete(s.ctx, admin, whole.ID))
	mixed := s.made([]holdfast.JobItem{teamItem, groupItem("g-list")}, []holdfast.JobItem{user("dan")})
	check("a team beside a group", mixed, theTeam)
	check("the entire organization when another job has the team", all, everything...)
	_, err = s.make([]holdfast.JobItem{user("ann")}, []holdfast.JobItem{teamItem})
	s.kind(err, holdfast.KindInvalid, "teams and public mailboxes can't be excluded")

	_, err = s.Jobs.Start(s.ctx, admin, mixed.ID, false)
	s.ok(err)
	look := s.k.claim(1)[0]
	a, err := s.Control.Access(s.ctx, look.Lease())
	s.ok(err)
	if !slices.ContainsFunc(a.Job.Selected, func(i holdfast.JobItem) bool { return i.Type == "Team" && i.ObjectID == apollo && i.Teams }) {
		t.Errorf("who looks for objects is not told of the team: %+v", a.Job.Selected)
	}
	s.ok(s.Control.Complete(s.ctx, look.Lease(), holdfast.TaskResult{Found: []holdfast.Container{team}}))
	read := s.k.claim(1)[0]
	a, err = s.Control.Access(s.ctx, read.Lease())
	s.ok(err)
	if len(a.Job.Selected) != 1 || !slices.Equal(a.Job.Selected[0].LeaveOut, teamItem.LeaveOut) {
		t.Errorf("who reads the team is told %+v", a.Job.Selected)
	}
}

// TestScopeTableRefusals are the rules that forbid.
func TestScopeTableRefusals(t *testing.T) {
	s := newScoped(t)
	for name, tc := range map[string]struct {
		selected, excluded []holdfast.JobItem
		says               string
	}{
		"Exclusions: not for sites":                           {[]holdfast.JobItem{user("ann")}, []holdfast.JobItem{siteItem(rootSite)}, "sites, teams and public mailboxes can't be excluded"},
		"Exclusions: not for the organization":                {[]holdfast.JobItem{user("ann")}, []holdfast.JobItem{{Type: "PartialOrganization"}}, "users and groups"},
		"Exclusions: not for the site of a group":             {[]holdfast.JobItem{user("ann")}, []holdfast.JobItem{{Type: "Group", ObjectID: "g-team", Members: true, MemberMailbox: true, GroupSite: true}}, "groupSite"},
		"Options: a security group has no mailbox of its own": {[]holdfast.JobItem{{Type: "Group", ObjectID: "g-sec", Mailbox: true}}, nil, "neither mailbox nor site"},
		"Options: a distribution list has no site of its own": {[]holdfast.JobItem{{Type: "Group", ObjectID: "g-list", GroupSite: true}}, nil, "neither mailbox nor site"},
		"Options: members' data without members":              {[]holdfast.JobItem{{Type: "Group", ObjectID: "g-sec", MemberMailbox: true}}, nil, "set members"},
		"Options: OneDriveFolders, by name":                   {[]holdfast.JobItem{{Type: "OneDriveFolders"}}, nil, "not protected yet"},
		"Exclusions: not for all personal sites":              {[]holdfast.JobItem{user("ann")}, []holdfast.JobItem{{Type: "PersonalSites"}}, "users and groups"},
		"Options: a group that is not there":                  {[]holdfast.JobItem{groupItem("nobody")}, nil, "nobody"},
		"Options: teams are not a user's":                     {[]holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true, Teams: true}}, nil, "item of type Team"},
		"Options: teams alone neither":                        {[]holdfast.JobItem{{Type: "User", ObjectID: "ann", Teams: true}}, nil, "item of type Team"},
		"Options: a user's archive alone":                     {[]holdfast.JobItem{{Type: "User", ObjectID: "ann", ArchiveMailbox: true}}, nil, "nothing would be protected"},
		"Options: members' archives alone":                    {[]holdfast.JobItem{{Type: "Group", ObjectID: "g-sec", Members: true, MemberArchive: true}}, nil, "nothing would be protected"},
		"Options: everybody's archives alone":                 {[]holdfast.JobItem{{Type: "PartialOrganization", ArchiveMailbox: true}}, nil, "archive mailboxes only"},
		"Scope: selected items need one":                      {[]holdfast.JobItem{}, nil, "at least one"},
	} {
		if _, err := s.make(tc.selected, tc.excluded); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.made(nil, nil)
	_, err := s.make(nil, nil)
	s.kind(err, holdfast.KindConflict, "one such job")
	two := s.made([]holdfast.JobItem{user("ann")}, nil)
	_, err = s.Jobs.Update(s.ctx, admin, two.ID, service.JobSpec{Scope: holdfast.EntireOrganization})
	s.kind(err, holdfast.KindConflict, "one such job")
}

// TestTheEntireOrganizationIsWhatNoOtherJobHas: also what a disabled job has, and as that changes.
func TestTheEntireOrganizationIsWhatNoOtherJobHas(t *testing.T) {
	s := newScoped(t)
	s.k.found = slices.DeleteFunc(s.k.found, func(c holdfast.Container) bool { return c.Kind == holdfast.Site })
	all := s.made(nil, nil)
	one := s.made([]holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true}, groupItem("g-sec")}, []holdfast.JobItem{user("cid")})
	s.ok(s.Jobs.Enable(s.ctx, admin, one.ID, false))
	check := func(want ...string) {
		t.Helper()
		slices.Sort(want)
		if got, _ := s.protects(all); !slices.Equal(got, want) {
			t.Errorf("the entire organization is %q\nwant %q", got, want)
		}
	}
	// ann's OneDrive and cid, whom the other job leaves out, are nobody else's.
	check(append(both("cid", "dan", "eve"), "drive/ann")...)
	s.ok(s.Jobs.Delete(s.ctx, admin, one.ID))
	check(both("ann", "bob", "cid", "dan", "eve")...)
	s.made([]holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true}}, nil)
	got, session := s.protects(all)
	if !slices.Equal(got, []string{"drive/ann", "drive/bob", "drive/cid", "drive/dan", "drive/eve"}) {
		t.Errorf("beside a job of all mailboxes: %q", got)
	}
	if text := s.log(session, "None"); !strings.Contains(text, "5 objects are no longer in the job's scope") {
		t.Errorf("what went elsewhere is not told: %s", text)
	}
}

// TestTheEntireOrganizationFollowsChangesOfOtherJobs: what another job takes, leaves out, or has no more is nobody's twice and nobody's not at all, whatever is
// done to that job and whether or not it may run.
func TestTheEntireOrganizationFollowsChangesOfOtherJobs(t *testing.T) {
	s := newScoped(t)
	yes := true
	_, err := s.Organizations.Update(s.ctx, admin, s.org.ID, service.OrganizationSpec{Teams: &yes})
	s.ok(err)
	everything := slices.Concat(both("ann", "bob", "cid", "dan", "eve"), []string{"site/root", "site/rooted", "site/sub", "site/team", "team/" + apollo})
	all := s.made(nil, nil)
	check := func(what string, others ...holdfast.Job) {
		t.Helper()
		got, _ := s.protects(all)
		for _, j := range others {
			had, _ := s.protects(j)
			for _, name := range had {
				if slices.Contains(got, name) {
					t.Errorf("%s: %s is in two jobs", what, name)
				}
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(everything)); !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%s: all jobs together protect %q\nwant %q", what, got, want)
		}
	}
	change := func(j holdfast.Job, selected, excluded []holdfast.JobItem) {
		t.Helper()
		_, err := s.Jobs.Update(s.ctx, admin, j.ID, service.JobSpec{Scope: holdfast.SelectedItems, Selected: selected, Excluded: excluded})
		s.ok(err)
	}
	one := s.made([]holdfast.JobItem{user("ann")}, nil)
	check("a user's mail and OneDrive", one)
	change(one, []holdfast.JobItem{{Type: "User", ObjectID: "ann", OneDrive: true}}, nil)
	check("his OneDrive only, since the job was edited", one)
	change(one, []holdfast.JobItem{groupItem("g-sec")}, []holdfast.JobItem{{Type: "User", ObjectID: "bob", Mailbox: true}})
	check("a group but one member's mail", one)
	change(one, []holdfast.JobItem{{Type: "Group", ObjectID: "g-team", Members: true, MemberOneDrive: true, GroupSite: true}}, nil)
	check("the members' OneDrives of a group, and its site", one)
	two := s.made([]holdfast.JobItem{siteItem(subSite), {Type: "Team", ObjectID: apollo}}, nil)
	check("a subsite and a team beside it", one, two)
	change(two, []holdfast.JobItem{siteItem(rootSite)}, nil)
	check("the site with all below it", one, two)
	change(two, []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true, Sites: true}}, []holdfast.JobItem{user("eve")})
	change(one, []holdfast.JobItem{user("dan")}, nil)
	s.ok(s.Jobs.Delete(s.ctx, admin, one.ID))
	check("mail and sites of the organization but one", two)
	s.ok(s.Jobs.Enable(s.ctx, admin, two.ID, false))
	got, _ := s.protects(all)
	if want := slices.Sorted(slices.Values(slices.Concat([]string{"drive/ann", "drive/bob", "drive/cid", "drive/dan"}, both("eve"), []string{"team/" + apollo}))); !slices.Equal(got, want) {
		t.Errorf("beside a disabled job: %q\nwant %q", got, want)
	}
	s.ok(s.Jobs.Delete(s.ctx, admin, two.ID))
	check("alone again")
}

// TestScopesFollowTheDirectory: new members are found and read in full, who leaves a group leaves the job and is told of once, who is deleted stays as gone with
// one warning, renamed users keep their history, a deleted group keeps its last members and says so every time.
func TestScopesFollowTheDirectory(t *testing.T) {
	s := newScoped(t)
	j := s.made([]holdfast.JobItem{groupItem("g-sec")}, nil)
	step := func(what string, c service.DirectoryChanges, want ...string) holdfast.JobSession {
		t.Helper()
		s.directory.mu.Lock()
		s.directory.told = append(s.directory.told, c)
		s.directory.mu.Unlock()
		s.clock.Move(10 * time.Minute)
		got, session := s.protects(j)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: protects %q\nwant %q", what, got, want)
		}
		return session
	}
	step("at first", service.DirectoryChanges{}, both("bob", "cid")...)
	s.k.found = append(s.k.found, mailbox("new"), drive("new"))
	first := map[string]bool{}
	s.k.backup = func(c holdfast.Container) holdfast.TaskResult {
		rec, err := s.storeRecord(c, s.repo.ID, s.org.ID)
		if err != nil || rec.Head == 0 {
			first[string(c.Kind)+"/"+c.Owner] = true
		}
		return holdfast.TaskResult{}
	}
	step("a new member", service.DirectoryChanges{Objects: []holdfast.DirectoryObject{copied("new")}, Members: in("g-inner", "new")}, both("bob", "cid", "new")...)
	if len(first) != 2 || !first["mailbox/new"] || !first["drive/new"] {
		t.Errorf("read for the first time: %v", first)
	}
	s.k.backup = nil

	left := in("g-inner", "new")
	left[0].Gone = true
	session := step("who left the group", service.DirectoryChanges{Members: left}, both("bob", "cid")...)
	if text := s.log(session, "None"); !strings.Contains(text, "2 objects are no longer in the job's scope") || session.Status != holdfast.StatusSuccess {
		t.Errorf("%s: %s", session.Status, text)
	}
	if text := s.log(step("and once more", service.DirectoryChanges{}, both("bob", "cid")...), "None"); strings.Contains(text, "no longer") {
		t.Errorf("told again: %s", text)
	}

	// cid is deleted: the directory tells that he is gone and, with it, that he left his groups.
	s.k.found = slices.DeleteFunc(s.k.found, func(c holdfast.Container) bool { return c.Owner == "cid" })
	left = in("g-inner", "cid")
	left[0].Gone = true
	deleted := gone(holdfast.DirectoryUser, "cid")
	deleted.Members = left
	kept := append(both("bob"), "mailbox/cid gone", "drive/cid gone")
	if session = step("a deleted account", deleted, kept...); session.Status != holdfast.StatusWarning || !strings.Contains(s.log(session, "Warning"), "mailbox of cid") {
		t.Errorf("%s: %s", session.Status, s.log(session, "Warning"))
	}
	if session = step("and after it was told", service.DirectoryChanges{}, kept...); session.Status != holdfast.StatusSuccess {
		t.Errorf("%s: %s", session.Status, session.Details)
	}
	held, err := s.Protected.Containers(s.ctx, admin, "", service.ProtectedFilter{}, holdfast.Page{})
	s.ok(err)
	if !slices.ContainsFunc(held, func(c holdfast.ContainerRecord) bool { return c.Owner == "cid" }) {
		t.Error("the deleted account's history is not there")
	}

	// bob has another name.
	renamed := copied("bob")
	renamed.Name, renamed.DisplayName = "robert@contoso.example", "Robert"
	for i, c := range s.k.found {
		if c.Owner == "bob" {
			s.k.found[i].Name, s.k.found[i].Address = "Robert", "robert@contoso.example"
		}
	}
	step("a renamed user", service.DirectoryChanges{Objects: []holdfast.DirectoryObject{renamed}}, kept...)
	if rec, err := s.storeRecord(mailbox("bob"), s.repo.ID, s.org.ID); err != nil || rec.Address != "robert@contoso.example" || rec.Head < 2 {
		t.Errorf("renamed: %+v, %v", rec, err)
	}

	// The group is deleted.
	for range 2 {
		session = step("a deleted group", gone(holdfast.DirectoryGroup, "g-sec"), kept...)
		if session.Status != holdfast.StatusWarning || !strings.Contains(session.Details, "group g-sec is no longer in the organization") {
			t.Errorf("%s: %s", session.Status, session.Details)
		}
	}
}

// TestJobsOfGroupsNeedTheDirectory: without any copy they fail and say why; with an old one they go on and say so. Jobs without groups go on in any case.
func TestJobsOfGroupsNeedTheDirectory(t *testing.T) {
	s := newScoped(t)
	groups, users := s.made([]holdfast.JobItem{groupItem("g-list")}, nil), s.made([]holdfast.JobItem{user("ann")}, nil)
	s.directory.mu.Lock()
	s.directory.refuse = errors.New("the directory is on fire")
	s.directory.mu.Unlock()
	s.clock.Move(10 * time.Minute)
	access := func(j holdfast.Job) (holdfast.Access, error) {
		t.Helper()
		_, err := s.Jobs.Start(s.ctx, admin, j.ID, false)
		s.ok(err)
		for _, task := range s.k.claim(1) {
			a, err := s.Control.Access(s.ctx, task.Lease())
			s.ok(s.Control.Complete(s.ctx, task.Lease(), holdfast.TaskResult{Err: "enough"}))
			return a, err
		}
		t.Fatal("no task")
		return holdfast.Access{}, nil
	}
	a, err := access(groups)
	s.ok(err)
	if len(a.Job.Selected) != 2 || a.Job.Selected[0].ObjectID != "dan" || len(a.Users) != 7 {
		t.Errorf("by an old copy: %+v, %d users", a.Job.Selected, len(a.Users))
	}
	s.ok(s.Store.Write(s.ctx, func(ctx context.Context, tx service.Tx) error {
		return tx.PutDirectoryState(ctx, holdfast.DirectoryState{Organization: s.org.ID})
	}))
	if _, err := access(groups); err == nil || !strings.Contains(err.Error(), "on fire") {
		t.Errorf("without a copy: %v", err)
	}
	a, err = access(users)
	s.ok(err)
	if a.Users != nil || len(a.Job.Selected) != 1 {
		t.Errorf("users without a copy: %+v", a)
	}
}

// TestACertificateReadsSitesWhole: then there is nothing to tell.
func TestACertificateReadsSitesWhole(t *testing.T) {
	s := newScoped(t)
	s.ok(s.Store.Write(s.ctx, func(ctx context.Context, tx service.Tx) error {
		org, err := tx.Organization(ctx, s.org.ID)
		if err != nil {
			return err
		}
		org.CertificateThumbprint = "ABCD"
		return tx.PutOrganization(ctx, org)
	}))
	_, session := s.protects(s.made(nil, nil))
	if text := s.log(session, "Warning"); text != "" || session.Status != holdfast.StatusSuccess {
		t.Errorf("%s: %s", session.Status, text)
	}
}
