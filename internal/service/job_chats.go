package service

import (
	"context"
	"slices"

	"holdfast/internal/holdfast"
)

// errChatsChina is why chats are not protected there: Teams of 21Vianet has no interface that gives all messages, nor one to put them back
// (learn.microsoft.com/microsoftteams/platform/…/teamwork-national-cloud-differences).
var errChatsChina = holdfast.Invalid("chats can't be protected in the region China: Microsoft has no interface there that reads them; leave chats out or set it to false")

// errChatsStay is why a chat is not put back.
var errChatsStay = holdfast.Invalid("this version of Holdfast does not put chats back into Teams: save them, as a page of HTML or as a ZIP")

// asksForChats says whether a job protects chats.
func asksForChats(whole bool, selected []holdfast.JobItem) bool {
	return whole || slices.ContainsFunc(selected, func(i holdfast.JobItem) bool { return i.Chats })
}

// allowChats says whether a job that is saved asks for chats, and fails when the organization can't give them: by its cloud, or because its
// application lacks the permission, which nobody grants before a job asks.
func (j *Jobs) allowChats(ctx context.Context, u User, job holdfast.Job, spec JobSpec) (bool, error) {
	if spec.Scope != "" {
		job.Scope = spec.Scope
	}
	selected, whole := job.Selected, value(spec.Chats, job.Chats)
	if spec.Selected != nil {
		selected = spec.Selected
	}
	if job.Scope == holdfast.EntireOrganization {
		selected = nil
	} else {
		whole = false
	}
	if !asksForChats(whole, selected) {
		return false, nil
	}
	org, cred, err := (&Organizations{j.core}).access(ctx, u, job.Organization)
	switch {
	case err != nil:
		return false, err
	case org.Region == holdfast.China:
		return false, errChatsChina
	case org.Chats:
		return true, nil
	}
	tenant, err := j.Directory.Check(ctx, org, cred)
	if err != nil {
		return false, err
	}
	return true, granted(tenant.Permissions, cred.ApplicationID, UseChatsBackup)
}
