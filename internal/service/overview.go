package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Overview answers the question "are we covered?" over everything that there is.
type Overview struct{ *core }

// Health is the whole in one word.
type Health string

// The healths.
const (
	HealthGood     Health = "good"
	HealthWarning  Health = "warning"  // something should be looked at
	HealthCritical Health = "critical" // something is not backed up as it was promised
	HealthEmpty    Health = "empty"    // there is no job yet
)

// Standing says how one container stands against what its jobs promise.
type Standing string

// The standings.
const (
	StandingCurrent Standing = "current"
	StandingSkipped Standing = "skipped" // current, but items of it were skipped
	StandingLate    Standing = "late"    // older than promised
	StandingNever   Standing = "never"   // in the scope of a job, but never read
	StandingGone    Standing = "gone"    // no longer there at Microsoft; what was backed up is kept
)

// ObjectStanding is one container and how it stands.
type ObjectStanding struct {
	Container holdfast.Container
	Job       holdfast.JobID
	JobName   string
	Standing  Standing
	Checked   time.Time     // when it was last known to be backed up as it was at Microsoft; zero: never
	Promise   time.Duration // how old it may become; 0: its jobs have no schedule
	Reason    string
	Skipped   int64
}

// RepositoryStanding is what a repository has left and who uses it.
type RepositoryStanding struct {
	Repository holdfast.Repository // Capacity 0: the place could not be reached
	Used       []RepositoryUsage
	Problem    string
}

// State is the overview.
type State struct {
	Time         time.Time
	Health       Health
	Jobs         int
	Organization int // how many organizations
	Counts       map[Standing]int
	Attention    []ObjectStanding // what is late, never read, gone or has skipped items; at most attentionListed, worst first
	Problems     []holdfast.JobSession
	Storage      []RepositoryStanding
	Warnings     []string
	NextRun      time.Time
	LastBackup   time.Time
}

const attentionListed = 200

// State looks at everything now.
func (o *Overview) State(ctx context.Context, u User) (State, error) {
	s := State{Time: o.now(), Counts: map[Standing]int{}}
	if err := o.may(u, ActSeeOverview); err != nil {
		return s, err
	}
	var repositories []holdfast.Repository
	err := o.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		s.Jobs, s.Attention, s.Problems, s.NextRun, s.LastBackup = 0, nil, nil, time.Time{}, time.Time{}
		clear(s.Counts)
		jobs, err := tx.Jobs(ctx, holdfast.JobFilter{}, holdfast.Page{})
		if err != nil {
			return err
		}
		organizations, err := tx.Organizations(ctx, holdfast.Page{})
		if err != nil {
			return err
		}
		if repositories, err = tx.Repositories(ctx, holdfast.Page{}); err != nil {
			return err
		}
		s.Jobs, s.Organization = len(jobs), len(organizations)
		for _, j := range jobs {
			if j.LastBackup.After(s.LastBackup) {
				s.LastBackup = j.LastBackup
			}
			if j.Enabled && !j.NextRun.IsZero() && (s.NextRun.IsZero() || j.NextRun.Before(s.NextRun)) {
				s.NextRun = j.NextRun
			}
			last, err := tx.JobSessions(ctx, holdfast.SessionFilter{Job: j.ID}, holdfast.Page{Limit: 1})
			if err != nil {
				return err
			}
			if len(last) > 0 && (last[0].Status == holdfast.StatusFailed || last[0].Status == holdfast.StatusWarning) {
				s.Problems = append(s.Problems, last[0])
			}
		}
		all, err := o.standings(ctx, tx, jobs, s.Time)
		if err != nil {
			return err
		}
		for _, one := range all {
			s.Counts[one.Standing]++
			if one.Standing != StandingCurrent {
				s.Attention = append(s.Attention, one)
			}
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	rank := []Standing{StandingNever, StandingLate, StandingSkipped, StandingGone}
	slices.SortStableFunc(s.Attention, func(a, b ObjectStanding) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.Standing), slices.Index(rank, b.Standing)), byName(a.Container, b.Container))
	})
	s.Attention = s.Attention[:min(len(s.Attention), attentionListed)]
	r := &Repositories{core: o.core}
	for _, repo := range repositories {
		standing := RepositoryStanding{Repository: r.space(ctx, repo)}
		if standing.Used, err = r.Usage(ctx, u, repo.ID, holdfast.Page{}); err != nil {
			standing.Problem = err.Error() // one place that can't be reached must not hide the others
		}
		s.Storage = append(s.Storage, standing)
	}
	if s.Warnings, err = r.Warnings(ctx, u); err != nil {
		return s, err
	}
	s.Health = healthOf(s)
	return s, nil
}

func healthOf(s State) Health {
	failed := slices.ContainsFunc(s.Problems, func(p holdfast.JobSession) bool { return p.Status == holdfast.StatusFailed })
	unreachable := slices.ContainsFunc(s.Storage, func(r RepositoryStanding) bool { return r.Problem != "" })
	switch {
	case s.Jobs == 0:
		return HealthEmpty
	case failed, unreachable, s.Counts[StandingLate] > 0, s.Counts[StandingNever] > 0:
		return HealthCritical
	case len(s.Problems) > 0, len(s.Warnings) > 0, s.Counts[StandingSkipped] > 0:
		return HealthWarning
	}
	return HealthGood
}

func byName(a, b holdfast.Container) int {
	return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Address, b.Address), strings.Compare(a.Key(), b.Key()))
}

// standings judges every container by the newest restore point of each job that exists. One that several jobs hold stands as the best of them says.
func (o *Overview) standings(ctx context.Context, tx Tx, jobs []holdfast.Job, now time.Time) ([]ObjectStanding, error) {
	known := map[holdfast.JobID]holdfast.Job{}
	for _, j := range jobs {
		known[j.ID] = j
	}
	newest, err := tx.NewestPoints(ctx, holdfast.PointFilter{})
	if err != nil {
		return nil, err
	}
	type place struct {
		organization holdfast.OrganizationID
		key          string
	}
	best := map[place]ObjectStanding{}
	rank := []Standing{StandingGone, StandingNever, StandingLate, StandingSkipped, StandingCurrent}
	for _, head := range newest {
		job, ok := known[head.Job]
		if !ok {
			continue // a job that is no more promises nothing
		}
		point, err := tx.RestorePoint(ctx, head.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range point.Entries {
			one := standing(point, e, promise(job), now)
			at := place{point.Organization, e.Container.Key()}
			if before, ok := best[at]; !ok || slices.Index(rank, one.Standing) > slices.Index(rank, before.Standing) {
				best[at] = one
			}
		}
	}
	out := make([]ObjectStanding, 0, len(best))
	for _, one := range best {
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b ObjectStanding) int { return byName(a.Container, b.Container) })
	return out, nil
}

func standing(point holdfast.RestorePoint, e holdfast.PointEntry, promised time.Duration, now time.Time) ObjectStanding {
	one := ObjectStanding{Container: e.Container, Job: point.Job, JobName: point.JobName, Promise: promised, Reason: e.Reason, Skipped: e.SkippedCount, Checked: checked(point, e)}
	switch {
	case e.State == holdfast.StateGone:
		one.Standing = StandingGone
	case e.Head == 0:
		one.Standing = StandingNever
	case promised > 0 && now.Sub(one.Checked) > promised:
		one.Standing = StandingLate
	case promised == 0 && e.State == holdfast.StateNotUpdated: // nothing was promised, but the last run did not do it
		one.Standing = StandingLate
	case e.SkippedCount > 0:
		one.Standing = StandingSkipped
		one.Reason = cmp.Or(one.Reason, skippedSuch(e.Skipped))
	default:
		one.Standing = StandingCurrent
	}
	return one
}

// checked is when a container was last seen to be backed up as it is.
func checked(point holdfast.RestorePoint, e holdfast.PointEntry) time.Time {
	if e.State == holdfast.StateUpdated || e.State == holdfast.StateUnchanged {
		return point.Time
	}
	return e.HeadTime
}

// promise is how old a backup of a job may become: its longest pause, and half as much again for a run to take, at least an hour.
// It is 0 for a job that does not run by itself.
func promise(j holdfast.Job) time.Duration {
	s := j.Schedule
	if !j.Enabled || !s.Enabled {
		return 0
	}
	const day = 24 * time.Hour
	pause := s.Every
	switch {
	case s.Type == schedulePeriodically && s.Continuously:
		pause = continuousPause
	case s.Type == scheduleDaily && s.DailyType == "Everyday":
		pause = day
	case s.Type == scheduleDaily && s.DailyType == "Workdays":
		pause = 3 * day
	case s.Type == scheduleDaily && s.DailyType == "Weekends":
		pause = 6 * day
	case s.Type == scheduleDaily:
		pause = 7 * day
	}
	if s.Type == schedulePeriodically {
		if s.WindowEnabled {
			pause += longestClosed(s.Window)
		}
		if s.StartWindowEnabled {
			pause += longestClosed(s.StartWindow)
		}
	}
	return pause + max(pause/2, time.Hour)
}

// longestClosed is the longest time of a week that a window of 168 hours is closed, over the week's end too.
func longestClosed(hours []bool) time.Duration {
	longest, run := 0, 0
	for i := range 2 * len(hours) {
		if hours[i%len(hours)] {
			run = 0
			continue
		}
		run++
		longest = max(longest, min(run, len(hours)))
	}
	return time.Duration(longest) * time.Hour
}

// DayState says how a container was backed up on a day.
type DayState string

// The states of days, the better the later.
const (
	DayNone    DayState = ""        // no restore point
	DayGone    DayState = "gone"    // it was not there any more
	DayFailed  DayState = "failed"  // the day's last restore point has it as it was on an earlier day, or not at all
	DayWarning DayState = "warning" // backed up, with skipped items, or not in the day's last run
	DayGood    DayState = "good"
)

// CalendarRow is one container with a state for each day, oldest first.
type CalendarRow struct {
	Container holdfast.Container
	Days      []DayState
}

// Calendar is the protection of every container over days.
type Calendar struct {
	First time.Time // 00:00 of the first day
	Days  int
	Total int // rows before the page was cut
	Rows  []CalendarRow
}

// CalendarQuery asks for a calendar that ends today.
type CalendarQuery struct {
	Organization holdfast.OrganizationID
	Days         int            // 1 to 92
	Zone         *time.Location // whose days
	Name         string         // part of a name or address
	Page         holdfast.Page
}

// Calendar looks at the last restore point of each job and day.
func (o *Overview) Calendar(ctx context.Context, u User, q CalendarQuery) (Calendar, error) {
	if err := o.may(u, ActSeeOverview); err != nil {
		return Calendar{}, err
	}
	if q.Days < 1 || q.Days > 92 {
		return Calendar{}, holdfast.Invalid("a calendar has from 1 to 92 days, not %d", q.Days)
	}
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	y, m, d := o.now().In(q.Zone).Date()
	start := func(day int) time.Time { return time.Date(y, m, d-q.Days+1+day, 0, 0, 0, 0, q.Zone) }
	out := Calendar{First: start(0), Days: q.Days}
	rows, err := read(ctx, o.core, func(ctx context.Context, tx Tx) (map[string]*CalendarRow, error) {
		rows := map[string]*CalendarRow{}
		for day := range q.Days {
			from, until := start(day), start(day+1)
			points, err := tx.NewestPoints(ctx, holdfast.PointFilter{Organization: q.Organization, From: from, Until: until.Add(-time.Microsecond)})
			if err != nil {
				return nil, err
			}
			for _, head := range points {
				point, err := tx.RestorePoint(ctx, head.ID)
				if err != nil {
					return nil, err
				}
				for _, e := range point.Entries {
					key := string(point.Organization) + "/" + e.Container.Key()
					row := rows[key]
					if row == nil {
						row = &CalendarRow{Days: make([]DayState, q.Days)}
						rows[key] = row
					}
					row.Container = e.Container // the newest name
					if s := dayState(e, from); better(s, row.Days[day]) {
						row.Days[day] = s
					}
				}
			}
		}
		return rows, nil
	})
	if err != nil {
		return Calendar{}, err
	}
	name := strings.ToLower(q.Name)
	for _, row := range rows {
		if name == "" || strings.Contains(strings.ToLower(row.Container.Name), name) || strings.Contains(strings.ToLower(row.Container.Address), name) {
			out.Rows = append(out.Rows, *row)
		}
	}
	slices.SortFunc(out.Rows, func(a, b CalendarRow) int { return byName(a.Container, b.Container) })
	out.Total = len(out.Rows)
	out.Rows = window(out.Rows, q.Page)
	return out, nil
}

func better(a, b DayState) bool {
	rank := []DayState{DayNone, DayGone, DayFailed, DayWarning, DayGood}
	return slices.Index(rank, a) > slices.Index(rank, b)
}

func dayState(e holdfast.PointEntry, from time.Time) DayState {
	switch {
	case e.State == holdfast.StateGone:
		return DayGone
	case e.Head == 0 || e.State == holdfast.StateNotUpdated && e.HeadTime.Before(from):
		return DayFailed
	case e.State == holdfast.StateNotUpdated || e.SkippedCount > 0:
		return DayWarning
	}
	return DayGood
}

// Unprotected is who an organization has and no backup holds.
type Unprotected struct {
	Users []DirectoryUser // at most unprotectedListed
	Total int
	Asked int // how many users the organization has
}

const (
	unprotectedListed = 200
	directoryPage     = 500
)

// Unprotected asks Microsoft for the users of an organization and names those with a licence, or shared, of whom no backup holds anything.
func (o *Overview) Unprotected(ctx context.Context, u User, id holdfast.OrganizationID) (Unprotected, error) {
	held, err := readAs(ctx, o.core, u, ActReadDirectory, func(ctx context.Context, tx Tx) (map[string]bool, error) {
		all, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: id}, holdfast.Page{})
		held := map[string]bool{}
		for _, c := range all {
			if c.Head > 0 && c.Kind != holdfast.ChatList && c.Kind != holdfast.Chat && !c.Personal() { // who has nothing but chats or his personal site stored lacks the rest
				held[c.Owner] = true
			}
		}
		return held, err
	})
	if err != nil {
		return Unprotected{}, err
	}
	var out Unprotected
	organizations := &Organizations{o.core}
	for {
		users, err := organizations.Users(ctx, u, id, DirectoryQuery{Offset: out.Asked, Limit: directoryPage})
		if err != nil {
			return Unprotected{}, err
		}
		for _, one := range users {
			if held[one.ID] || len(one.Licenses) == 0 && !one.Shared {
				continue
			}
			if out.Total++; len(out.Users) < unprotectedListed {
				out.Users = append(out.Users, one)
			}
		}
		out.Asked += len(users)
		if len(users) < directoryPage {
			return out, nil
		}
	}
}

// Progress is how far a job session is.
type Progress struct {
	Session holdfast.JobSession
	Left    time.Duration // until its end as far as its pace so far tells; 0: not known
}

// Running gives the progress of every session that runs or waits to.
func (o *Overview) Running(ctx context.Context, u User) ([]Progress, error) {
	s := &JobSessions{o.core}
	all, err := s.List(ctx, u, holdfast.SessionFilter{Statuses: []holdfast.SessionStatus{holdfast.StatusRunning, holdfast.StatusQueued}}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	out := make([]Progress, len(all))
	for i, one := range all {
		out[i] = o.progress(one)
	}
	return out, nil
}

// Progress gives that of one session.
func (o *Overview) Progress(ctx context.Context, u User, id holdfast.JobSessionID) (Progress, error) {
	s := &JobSessions{o.core}
	one, err := s.Get(ctx, u, id)
	return o.progress(one), err
}

func (o *Overview) progress(s holdfast.JobSession) Progress {
	p := Progress{Session: s}
	// Below a few percent the pace tells nothing: discovery is not a backup.
	if s.Status == holdfast.StatusRunning && s.Progress >= 3 && s.Progress < 100 {
		spent := o.now().Sub(s.Created)
		p.Left = (spent * time.Duration(100-s.Progress) / time.Duration(s.Progress)).Round(time.Second)
	}
	return p
}
