package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) restorePointGetRestorePoints(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var f holdfast.PointFilter
	for _, q := range []struct {
		name string
		into func(string)
	}{
		{"organizationId", func(id string) { f.Organization = holdfast.OrganizationID(id) }},
		{"repositoryId", func(id string) { f.Repository = holdfast.RepositoryID(id) }},
		{"jobId", func(id string) { f.Job = holdfast.JobID(id) }},
	} {
		id, err := r.queryID(q.name)
		if err != nil {
			return nil, err
		}
		q.into(id)
	}
	if f.From, err = r.queryTime("from"); err != nil {
		return nil, err
	}
	if f.Until, err = r.queryTime("to"); err != nil {
		return nil, err
	}
	if f.OldestFirst, err = r.queryBool("orderAsc", false); err != nil {
		return nil, err
	}
	// What is not built has made no restore points: copies, long-term copies, retrieved data, groups, sites and teams.
	nothing := false
	for _, name := range []string{"isLongTermCopy", "isCopy", "isRetrieved"} {
		on, err := r.queryBool(name, false)
		if err != nil {
			return nil, err
		}
		nothing = nothing || on
	}
	for _, name := range []string{"groupId", "siteId", "teamId"} {
		if _, given := r.query(name); given {
			nothing = true
		}
	}
	if user, given := r.query("userId"); given && !nothing {
		// The id of a protected user is ours; the filter takes Entra's.
		u, err := a.services.Protected.User(ctx, r.user, user, protectedIn(f))
		switch {
		case holdfast.KindOf(err) == holdfast.KindNotFound:
			nothing = true
		case err != nil:
			return nil, err
		default:
			f.Owner = u.ObjectID
		}
	}
	points := []holdfast.RestorePoint{}
	if !nothing {
		if points, err = a.services.RestorePoints.List(ctx, r.user, f, w.page()); err != nil {
			return nil, err
		}
	}
	out, err := a.restorePointsToContract(ctx, r, points)
	if err != nil {
		return nil, err
	}
	return page(r, w, out, func(p contract.RESTRestorePoint) contract.RESTRestorePoint { return p }), nil
}

func (a *API) restorePointGetRestorePoint(ctx context.Context, r *request) (any, error) {
	id, err := r.id("restorePointId")
	if err != nil {
		return nil, err
	}
	p, err := a.services.RestorePoints.Get(ctx, r.user, holdfast.RestorePointID(id))
	if err != nil {
		return nil, err
	}
	return a.restorePointToContract(ctx, r, p)
}

func (a *API) restorePointsToContract(ctx context.Context, r *request, points []holdfast.RestorePoint) ([]contract.RESTRestorePoint, error) {
	out := make([]contract.RESTRestorePoint, 0, len(points))
	for _, p := range points {
		one, err := a.restorePointToContract(ctx, r, p)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (a *API) restorePointToContract(ctx context.Context, r *request, p holdfast.RestorePoint) (contract.RESTRestorePoint, error) {
	kinds, err := a.services.RestorePoints.Kinds(ctx, r.user, p.ID)
	if err != nil {
		return contract.RESTRestorePoint{}, err
	}
	mail, drives, sites, teams := kinds[holdfast.Mailbox] > 0, kinds[holdfast.Drive] > 0, kinds[holdfast.Site] > 0, kinds[holdfast.Team] > 0
	id := string(p.ID)
	return contract.RESTRestorePoint{
		ID:             &id,
		RepositoryID:   uid(p.Repository),
		OrganizationID: uid(p.Organization),
		JobID:          uid(p.Job),
		BackupTime:     stamp(p.Time),
		IsExchange:     &mail,
		IsOneDrive:     &drives,
		IsSharePoint:   &sites,
		IsTeams:        &teams,
		IsDeleted:      new(false),
		IsCopy:         new(false),
		IsLongTermCopy: new(false),
		IsRetrieved:    new(false),
		Links: map[string]contract.RESTLinkHAL{
			"self":             r.links.to("/RestorePoints/{restorePointId}", id),
			"organization":     r.links.to(organizationPath, string(p.Organization)),
			"backupRepository": r.links.to(repositoryPath, string(p.Repository)),
			"job":              r.links.to(jobPath, string(p.Job)),
			"protectedUsers":   r.links.with(r.links.to("/ProtectedUsers"), "restorePointId", id),
		},
	}, nil
}
