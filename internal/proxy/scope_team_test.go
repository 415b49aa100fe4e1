package proxy

import (
	"slices"
	"testing"

	"holdfast/internal/holdfast"
)

func TestTeamsAreReadOnlyWhereTheOrganizationAndTheJobSaySo(t *testing.T) {
	all := holdfast.Organization{Exchange: true, SharePoint: true, Teams: true, TeamsChats: true}
	whole := holdfast.JobItem{Type: "PartialOrganization", Mailbox: true, Teams: true}
	one := holdfast.JobItem{Type: "Team", ObjectID: "t1", Teams: true, LeaveOut: []holdfast.MailboxPart{holdfast.PartPosts}}
	for name, tc := range map[string]struct {
		org   holdfast.Organization
		job   holdfast.Job
		users []string
		any   bool
		posts bool
	}{
		"entire organization":            {all, holdfast.Job{Scope: holdfast.EntireOrganization}, nil, true, true},
		"one without teams":              {holdfast.Organization{Exchange: true, SharePoint: true}, holdfast.Job{Scope: holdfast.EntireOrganization}, nil, false, false},
		"one without posts":              {holdfast.Organization{SharePoint: true, Teams: true}, holdfast.Job{Scope: holdfast.EntireOrganization}, nil, true, false},
		"a part with teams":              {all, holdfast.Job{Selected: []holdfast.JobItem{whole}}, nil, true, true},
		"mail alone":                     {all, holdfast.Job{Selected: []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true}}}, nil, false, true},
		"a team without posts":           {all, holdfast.Job{Selected: []holdfast.JobItem{one}}, []string{"t1"}, true, false},
		"it, and all with posts":         {all, holdfast.Job{Selected: []holdfast.JobItem{one, whole}}, nil, true, true},
		"a user is no team of that name": {all, holdfast.Job{Selected: []holdfast.JobItem{{Type: "User", ObjectID: "t1", Mailbox: true}}}, nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := Access{Organization: tc.org, Job: tc.job}
			users, any := scope(a, holdfast.Team)
			if !slices.Equal(users, tc.users) || any != tc.any {
				t.Errorf("%v %v, want %v %v", users, any, tc.users, tc.any)
			}
			if tc.any {
				left := leftOut(a, holdfast.Container{Kind: holdfast.Team, Owner: "t1"})
				if slices.Contains(left, holdfast.PartPosts) == tc.posts {
					t.Errorf("left out %v, posts are read: %v", left, tc.posts)
				}
			}
		})
	}
}
