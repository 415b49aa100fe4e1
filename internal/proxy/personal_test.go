package proxy

import (
	"slices"
	"testing"

	"holdfast/internal/holdfast"
)

// Whose personal sites a job takes is asked of their users, never looked for among the sites.
func TestScopeOfPersonalSites(t *testing.T) {
	for name, tc := range map[string]struct {
		job             holdfast.Job
		users, sites    []string
		all, everySites bool
	}{
		"of a user, beside a site":          {job: holdfast.Job{Selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", Sites: true}, {Type: "User", ObjectID: "bob", OneDrive: true}, {Type: "Site", ObjectID: "s", Sites: true}}}, users: []string{"ann"}, sites: []string{"s"}},
		"all of them, as an item":           {job: holdfast.Job{Selected: []holdfast.JobItem{{Type: "PersonalSites", Sites: true}}}, all: true},
		"all of them, of the organization":  {job: holdfast.Job{Selected: []holdfast.JobItem{{Type: "PartialOrganization", PersonalSites: true}}}, all: true},
		"sites of the organization":         {job: holdfast.Job{Selected: []holdfast.JobItem{{Type: "PartialOrganization", Sites: true}}}, everySites: true},
		"the entire organization":           {job: holdfast.Job{Scope: holdfast.EntireOrganization}, everySites: true},
		"the entire organization with them": {job: holdfast.Job{Scope: holdfast.EntireOrganization, PersonalSites: true}, all: true, everySites: true},
	} {
		users, all := personalScope(tc.job)
		if !slices.Equal(users, tc.users) || all != tc.all {
			t.Errorf("%s: personal sites of %q, all %v", name, users, all)
		}
		sites, any := scope(Access{Job: tc.job, Organization: holdfast.Organization{SharePoint: true}}, holdfast.Site)
		if !slices.Equal(sites, tc.sites) || any != (tc.everySites || len(tc.sites) > 0) {
			t.Errorf("%s: sites %q, %v", name, sites, any)
		}
	}
}
