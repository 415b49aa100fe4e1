package proxy

import (
	"slices"
	"testing"

	"holdfast/internal/holdfast"
)

func TestAPartIsLeftOutWhenEveryItemOfTheJobLeavesItOut(t *testing.T) {
	c := holdfast.Container{Kind: holdfast.Mailbox, Owner: "ada"}
	all := holdfast.JobItem{Mailbox: true, LeaveOut: []holdfast.MailboxPart{holdfast.PartTasks, holdfast.PartContacts}}
	ada := holdfast.JobItem{Mailbox: true, ObjectID: "ada", LeaveOut: []holdfast.MailboxPart{holdfast.PartTasks}}
	bob := holdfast.JobItem{Mailbox: true, ObjectID: "bob"}
	files := holdfast.JobItem{OneDrive: true}
	for name, tc := range map[string]struct {
		job  holdfast.Job
		want []holdfast.MailboxPart
	}{
		"the whole organization":        {holdfast.Job{Scope: holdfast.EntireOrganization, Selected: []holdfast.JobItem{all}}, nil},
		"one item":                      {holdfast.Job{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{all, files}}, []holdfast.MailboxPart{holdfast.PartContacts, holdfast.PartTasks}},
		"another item wants some of it": {holdfast.Job{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{all, ada}}, []holdfast.MailboxPart{holdfast.PartTasks}},
		"somebody else's item":          {holdfast.Job{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{all, bob}}, []holdfast.MailboxPart{holdfast.PartContacts, holdfast.PartTasks}},
		"no item":                       {holdfast.Job{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{bob}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leftOut(Access{Job: tc.job}, c); !slices.Equal(got, tc.want) {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}
