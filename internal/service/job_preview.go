package service

import (
	"context"
	"slices"
	"time"

	"holdfast/internal/holdfast"
)

// ScopeCount is how many objects of a kind a job would protect.
type ScopeCount struct {
	Kind      holdfast.ContainerKind
	Objects   int
	Excluded  int // selected and left out by the job
	Elsewhere int // selected, and left to other jobs
}

// ScopeOverlap is how many of the objects another job protects too.
type ScopeOverlap struct {
	Job     string
	Objects int
}

// ScopeSummary is what a job would protect as the organization is now: of OneDrives and personal sites those of everybody who may have one.
type ScopeSummary struct {
	Counts   []ScopeCount // of each kind that the organization protects
	Overlaps []ScopeOverlap
	Notes    []string
	Synced   time.Time // of the copy of the directory that it was counted in
}

// Preview says what a job would protect that spec describes, or of an existing job (id not empty) what it would after the change. Nothing is changed.
func (j *Jobs) Preview(ctx context.Context, u User, id holdfast.JobID, spec JobSpec) (ScopeSummary, error) {
	org, cred, err := (&Organizations{j.core}).access(ctx, u, spec.Organization)
	if err != nil {
		return ScopeSummary{}, err
	}
	job := holdfast.Job{ID: id, Organization: org.ID, Scope: spec.Scope, Chats: value(spec.Chats, false), PersonalSites: value(spec.Personal, false)}
	if asksForChats(job.Chats, spec.Selected) {
		org.Chats = true // it will be when the job is saved
	}
	switch spec.Scope {
	case holdfast.EntireOrganization:
	case holdfast.SelectedItems:
		if job.Selected, err = j.resolve(ctx, u, job, spec.Selected, Selected); err != nil {
			return ScopeSummary{}, err
		}
	default:
		return ScopeSummary{}, holdfast.Invalid("there is no backup type %q; it is EntireOrganization or SelectedItems", spec.Scope)
	}
	if job.Excluded, err = j.resolve(ctx, u, job, spec.Excluded, Excluded); err != nil {
		return ScopeSummary{}, err
	}
	var teams []DirectoryTeam
	if org.Protects(holdfast.Team) {
		if teams, err = j.Directory.Teams(ctx, org, cred, DirectoryQuery{}); err != nil {
			return ScopeSummary{}, err
		}
	}
	return readAs(ctx, j.core, u, ActReadDirectory, func(ctx context.Context, tx Tx) (ScopeSummary, error) {
		scope, err := ownScope(ctx, tx, job, org)
		if err != nil {
			return ScopeSummary{}, err
		}
		others, err := otherScopes(ctx, tx, job, org)
		if err != nil {
			return ScopeSummary{}, err
		}
		objects, err := organizationObjects(ctx, tx, org, teams)
		if err != nil {
			return ScopeSummary{}, err
		}
		out := scope.summary(objects, others)
		state, err := tx.DirectoryState(ctx, org.ID)
		out.Synced = state.Synced
		return out, err
	})
}

// otherScopes are those of the organization's other jobs that name what they protect, disabled ones too.
func otherScopes(ctx context.Context, tx Tx, job holdfast.Job, org holdfast.Organization) ([]*scope, error) {
	others, err := tx.Jobs(ctx, holdfast.JobFilter{Organization: org.ID}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var out []*scope
	for _, o := range others {
		if o.ID == job.ID || o.Scope == holdfast.EntireOrganization {
			continue
		}
		other, err := ownScope(ctx, tx, o, org)
		if err != nil {
			return nil, err
		}
		out = append(out, other)
	}
	return out, nil
}

// summary counts which of an organization's objects the job protects, and which of them others do.
func (s *scope) summary(objects []holdfast.Container, others []*scope) ScopeSummary {
	counts := map[holdfast.ContainerKind]*ScopeCount{}
	shared := make([]int, len(others))
	for _, c := range objects {
		if !s.org.Protects(c.Kind) || !s.take.takes(c) {
			continue
		}
		n := counts[c.Kind]
		if n == nil {
			n = &ScopeCount{Kind: c.Kind}
			counts[c.Kind] = n
		}
		if s.leave.takes(c) {
			n.Excluded++
			continue
		}
		elsewhere := false
		for i, o := range others {
			if o.has(c) {
				shared[i]++
				elsewhere = true
			}
		}
		if elsewhere && s.job.Scope == holdfast.EntireOrganization {
			n.Elsewhere++
		} else {
			n.Objects++
		}
	}
	out := ScopeSummary{Notes: s.notes}
	for _, kind := range []holdfast.ContainerKind{holdfast.Mailbox, holdfast.Drive, holdfast.Site, holdfast.Team, holdfast.ChatList} {
		if n := counts[kind]; n != nil {
			out.Counts = append(out.Counts, *n)
		} else if s.org.Protects(kind) {
			out.Counts = append(out.Counts, ScopeCount{Kind: kind})
		}
	}
	for i, o := range others {
		if shared[i] > 0 {
			out.Overlaps = append(out.Overlaps, ScopeOverlap{Job: o.job.Name, Objects: shared[i]})
		}
	}
	slices.SortStableFunc(out.Overlaps, func(a, b ScopeOverlap) int { return b.Objects - a.Objects })
	return out
}

// organizationObjects are what an organization has that can be protected, of its copy of the directory and the teams it was asked for.
func organizationObjects(ctx context.Context, tx Tx, org holdfast.Organization, teams []DirectoryTeam) ([]holdfast.Container, error) {
	var out []holdfast.Container
	users, err := tx.DirectoryObjects(ctx, org.ID, holdfast.DirectoryFilter{Kind: holdfast.DirectoryUser}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		if u.Guest {
			continue
		}
		out = append(out, holdfast.Container{Kind: holdfast.Drive, Source: u.ID, Owner: u.ID}, holdfast.Container{Kind: holdfast.Site, Source: holdfast.PersonalSource + u.ID, Owner: u.ID},
			holdfast.Container{Kind: holdfast.ChatList, Source: u.ID, Owner: u.ID})
		if u.Mail != "" {
			out = append(out, holdfast.Container{Kind: holdfast.Mailbox, Source: u.ID, Owner: u.ID})
		}
	}
	groups, err := tx.DirectoryObjects(ctx, org.ID, holdfast.DirectoryFilter{Kind: holdfast.DirectoryGroup}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if g.Type == holdfast.GroupOffice365 {
			out = append(out, holdfast.Container{Kind: holdfast.Mailbox, Source: holdfast.GroupSource + g.ID, Owner: g.ID})
		}
	}
	sites, err := tx.DirectoryObjects(ctx, org.ID, holdfast.DirectoryFilter{Kind: holdfast.DirectorySite, NoPersonal: true}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	for _, s := range sites {
		out = append(out, holdfast.Container{Kind: holdfast.Site, Source: s.ID, Owner: s.ID, Address: s.Name})
	}
	for _, t := range teams {
		out = append(out, holdfast.Container{Kind: holdfast.Team, Source: t.ID, Owner: t.ID})
	}
	return out, nil
}
