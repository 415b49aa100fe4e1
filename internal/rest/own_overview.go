package rest

import (
	"context"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// The overview is what the console's home page and its lists of jobs live on.

type objectRef struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organizationId"`
	Kind           string `json:"kind"` // mailbox or drive
	Name           string `json:"name"`
	Address        string `json:"address"`
}

func objectOf(c holdfast.Container) objectRef {
	return objectRef{c.PublicID(), string(c.Organization), string(c.Kind), c.Name, c.Address}
}

type objectStanding struct {
	Object   objectRef      `json:"object"`
	Standing string         `json:"standing"`
	JobID    string         `json:"jobId"`
	JobName  string         `json:"jobName"`
	Checked  *time.Time     `json:"lastBackup,omitzero"`
	Promise  int64          `json:"promiseSeconds"`
	Reason   string         `json:"reason,omitzero"`
	Said     *contract.Said `json:"reasonSaid,omitzero"`
	Skipped  int64          `json:"skippedItems"`
}

type sessionProblem struct {
	SessionID string         `json:"sessionId"`
	JobID     string         `json:"jobId"`
	JobName   string         `json:"jobName"`
	Status    string         `json:"status"`
	Details   string         `json:"details,omitzero"`
	Said      *contract.Said `json:"detailsSaid,omitzero"`
	Ended     *time.Time     `json:"endTime,omitzero"`
}

type usedSpace struct {
	OrganizationID string `json:"organizationId"`
	Name           string `json:"name"`
	Bytes          int64  `json:"usedSpaceBytes"`
}

type repositoryStanding struct {
	RepositoryID string         `json:"repositoryId"`
	Name         string         `json:"name"`
	Capacity     int64          `json:"capacityBytes"`
	Free         int64          `json:"freeSpaceBytes"`
	KitExported  bool           `json:"recoveryKitExported"`
	OutOfDate    bool           `json:"isOutOfSync"`
	Used         []usedSpace    `json:"used"`
	Problem      string         `json:"problem,omitzero"`
	Said         *contract.Said `json:"problemSaid,omitzero"`
}

type overview struct {
	Time          time.Time            `json:"time"`
	Health        string               `json:"health"`
	Organizations int                  `json:"organizations"`
	Jobs          int                  `json:"jobs"`
	LastBackup    *time.Time           `json:"lastBackup,omitzero"`
	NextRun       *time.Time           `json:"nextRun,omitzero"`
	Counts        map[string]int       `json:"counts"`
	Attention     []objectStanding     `json:"attention"`
	Problems      []sessionProblem     `json:"problems"`
	Storage       []repositoryStanding `json:"storage"`
	Warnings      []string             `json:"warnings"`
	WarningsSaid  []contract.Said      `json:"warningsSaid"` // of each warning, in their order; empty for free text
}

func (a *API) overviewGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Overview.State(ctx, r.user)
	if err != nil {
		return nil, err
	}
	out := overview{
		Time: s.Time, Health: string(s.Health), Organizations: s.Organization, Jobs: s.Jobs, LastBackup: stamp(s.LastBackup), NextRun: stamp(s.NextRun), Counts: map[string]int{},
		Attention: list(s.Attention, func(o service.ObjectStanding) objectStanding {
			return objectStanding{Object: objectOf(o.Container), Standing: string(o.Standing), JobID: string(o.Job), JobName: o.JobName, Checked: stamp(o.Checked),
				Promise: int64(o.Promise / time.Second), Reason: o.Reason, Said: saidOf(o.Reason), Skipped: o.Skipped}
		}),
		Problems: list(s.Problems, func(p holdfast.JobSession) sessionProblem {
			return sessionProblem{string(p.ID), string(p.Job), p.JobName, string(p.Status), p.Details, saidOf(p.Details), stamp(p.Ended)}
		}),
		Storage: list(s.Storage, func(p service.RepositoryStanding) repositoryStanding {
			repo := p.Repository
			return repositoryStanding{string(repo.ID), repo.Name, repo.Capacity, repo.Free, repo.KitExported, repo.OutOfDate,
				list(p.Used, func(u service.RepositoryUsage) usedSpace {
					return usedSpace{string(u.Organization.ID), u.Organization.Name, u.Bytes}
				}), p.Problem, saidOf(p.Problem)}
		}),
		Warnings: list(s.Warnings, func(s string) string { return s }),
		WarningsSaid: list(s.Warnings, func(s string) contract.Said {
			if said := saidOf(s); said != nil {
				return *said
			}
			return contract.Said{}
		}),
	}
	for _, one := range []service.Standing{service.StandingCurrent, service.StandingSkipped, service.StandingLate, service.StandingNever, service.StandingGone} {
		out.Counts[string(one)] = s.Counts[one]
	}
	return out, nil
}

type calendarRow struct {
	Object objectRef `json:"object"`
	Days   []string  `json:"days"`
}

type calendar struct {
	Offset  int           `json:"offset"`
	Limit   int           `json:"limit"`
	Total   int           `json:"total"`
	First   time.Time     `json:"firstDay"`
	Days    int           `json:"days"`
	Results []calendarRow `json:"results"`
}

const defaultDays = 28

func (a *API) overviewCalendar(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	q := service.CalendarQuery{Days: defaultDays, Page: w.page()}
	if text, ok := r.query("days"); ok {
		if q.Days, err = strconv.Atoi(text); err != nil {
			return nil, holdfast.Invalid("query days must be a whole number")
		}
	}
	if name, ok := r.query("zone"); ok {
		if q.Zone, err = time.LoadLocation(name); err != nil || name == "Local" {
			return nil, holdfast.Invalid("there is no time zone %q", name)
		}
	}
	organization, err := r.queryID("organizationId")
	if err != nil {
		return nil, err
	}
	q.Organization = holdfast.OrganizationID(organization)
	q.Name, _ = r.query("name")
	c, err := a.services.Overview.Calendar(ctx, r.user, q)
	if err != nil {
		return nil, err
	}
	return calendar{w.Offset, w.Limit, c.Total, c.First.UTC(), c.Days, list(c.Rows, func(row service.CalendarRow) calendarRow {
		return calendarRow{objectOf(row.Container), list(row.Days, func(d service.DayState) string { return string(d) })}
	})}, nil
}

type unprotectedUser struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Shared      bool   `json:"isShared"`
}

func (a *API) overviewUnprotected(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	found, err := a.services.Overview.Unprotected(ctx, r.user, holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	return struct {
		Total   int               `json:"total"`
		Asked   int               `json:"directoryUsers"`
		Results []unprotectedUser `json:"results"`
	}{found.Total, found.Asked, list(found.Users, func(u service.DirectoryUser) unprotectedUser {
		return unprotectedUser{u.ID, u.Name, u.DisplayName, u.Shared}
	})}, nil
}

type jobProgress struct {
	SessionID    string         `json:"sessionId"`
	JobID        string         `json:"jobId"`
	JobName      string         `json:"jobName"`
	Status       string         `json:"status"`
	Full         bool           `json:"full"`
	Percent      int            `json:"percent"`
	Objects      int64          `json:"objects"`
	ObjectsTotal int64          `json:"objectsTotal"`
	Items        int64          `json:"items"`
	Skipped      int64          `json:"skippedItems"`
	Read         int64          `json:"readBytes"`
	Written      int64          `json:"writtenBytes"`
	Requests     int64          `json:"requests"`
	Throttled    float64        `json:"throttledSeconds"` // how long Microsoft made it wait
	Created      time.Time      `json:"creationTime"`
	Ended        *time.Time     `json:"endTime,omitzero"`
	Left         *int64         `json:"secondsLeft,omitzero"`
	Stopping     bool           `json:"stopping"`
	Details      string         `json:"details,omitzero"`
	Said         *contract.Said `json:"detailsSaid,omitzero"`
}

func progressOf(p service.Progress) jobProgress {
	s, n := p.Session, p.Session.Statistics
	out := jobProgress{
		SessionID: string(s.ID), JobID: string(s.Job), JobName: s.JobName, Status: string(s.Status), Full: s.Full, Percent: s.Progress, Objects: n.Objects, ObjectsTotal: n.ObjectsTotal,
		Items: n.Items, Skipped: n.Skipped, Read: n.ReadBytes, Written: n.WrittenBytes, Requests: n.Requests, Throttled: n.Throttled.Seconds(), Created: s.Created.UTC(), Ended: stamp(s.Ended),
		Stopping: s.Ended.IsZero() && !s.StopBy.IsZero(), Details: s.Details, Said: saidOf(s.Details),
	}
	if p.Left > 0 {
		out.Left = new(int64(p.Left / time.Second))
	}
	return out
}

func (a *API) jobProgressGet(ctx context.Context, r *request) (any, error) {
	all, err := a.services.Overview.Running(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(all, progressOf), nil
}

func (a *API) jobProgressGetBySessionId(ctx context.Context, r *request) (any, error) {
	id, err := r.id("sessionId")
	if err != nil {
		return nil, err
	}
	p, err := a.services.Overview.Progress(ctx, r.user, holdfast.JobSessionID(id))
	if err != nil {
		return nil, err
	}
	return progressOf(p), nil
}
