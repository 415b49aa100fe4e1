package vault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault/place"
)

// RetainOptions say what to keep.
type RetainOptions struct {
	Period holdfast.RetentionPeriod
	// Spare has the restore points of mailboxes stay whose contacts or calendars are spared.
	Spare holdfast.RetentionExclusion
	// Forget is called with the restore points that expire, before their records go: the database forgets them first. Once it has returned nil
	// they are as good as gone; Retain asks again for those that an interrupted run left.
	Forget func(ctx context.Context, expired []holdfast.RestorePointID) error
}

// Retained is what a retention run did.
type Retained struct {
	Expired []holdfast.RestorePointID
	// Held are restore points past their time that stay because they are the newest of their job, the newest that has some container, or spared.
	Held []holdfast.RestorePointID
}

// Retain lets whole restore points expire. It refuses when the clock can't be trusted. What they held goes with Maintain.
func (r *Repository) Retain(ctx context.Context, o RetainOptions) (*Retained, error) {
	now, err := r.trustedNow(ctx)
	if err != nil {
		return nil, err
	}
	points, damage, err := r.points(ctx)
	if err != nil {
		return nil, err
	}
	if len(damage) > 0 {
		return nil, holdfast.Damaged("a restore point can't be read, so nothing expires until 'holdfast vault verify' has named the damage: %s", damage[0].What)
	}
	out, err := expire(points, o.Period, now)
	if err == nil {
		out.spare(points, o.Spare)
	}
	if err != nil || len(out.Expired) == 0 {
		return out, err
	}
	if o.Forget != nil {
		if err := o.Forget(ctx, out.Expired); err != nil {
			return nil, fmt.Errorf("forget %d expired restore points: %w", len(out.Expired), err)
		}
	}
	names := make([]string, len(out.Expired))
	for i, id := range out.Expired {
		names[i] = pointPrefix + string(id)
	}
	r.commit.Lock()
	defer r.commit.Unlock()
	if err := r.store.place.DropRecords(ctx, names...); err != nil {
		return nil, err
	}
	return out, nil
}

// spare holds what retention spares.
func (r *Retained) spare(points []*Point, e holdfast.RetentionExclusion) {
	spared := map[holdfast.RestorePointID]bool{}
	for _, p := range points {
		spared[p.ID] = e.Spares(p.RestorePoint)
	}
	var expired []holdfast.RestorePointID
	for _, id := range r.Expired {
		if spared[id] {
			r.Held = append(r.Held, id)
		} else {
			expired = append(expired, id)
		}
	}
	r.Expired = expired
}

// expire decides which of points (oldest first) expire at now.
func expire(points []*Point, p holdfast.RetentionPeriod, now time.Time) (*Retained, error) {
	out := &Retained{}
	set := 0
	for _, n := range []int{p.Days, p.Months, p.Years} {
		if n < 0 {
			return nil, holdfast.Invalid("a retention period can't be negative")
		}
		if n > 0 {
			set++
		}
	}
	if p.Forever {
		return out, nil
	}
	if set != 1 {
		return nil, holdfast.Invalid("a retention period is a number of days, months or years, or for ever")
	}
	limit := now.UTC().AddDate(-p.Years, -p.Months, -p.Days)
	jobs, containers := map[holdfast.JobID]bool{}, map[string]bool{}
	// From the newest on: the first of a job, or with a container, is its newest.
	for i := len(points) - 1; i >= 0; i-- {
		pt := points[i]
		newest := false
		if len(pt.Heads) > 0 && !jobs[pt.Job] {
			jobs[pt.Job], newest = true, true
		}
		for key := range pt.Heads {
			if !containers[key] {
				containers[key], newest = true, true
			}
		}
		switch {
		case !pt.Time.Before(limit):
		case newest:
			out.Held = append(out.Held, pt.ID)
		default:
			out.Expired = append(out.Expired, pt.ID)
		}
	}
	return out, nil
}

// Maintained is what a maintenance run did.
type Maintained struct {
	Objects      int64 // that something needs
	Contents     int64 // in the index
	Marked       int64 // contents that nothing needs, on their way out
	Young        int64 // unneeded, but too young to be touched
	BlobsDeleted int64
	BytesFreed   int64
	Entries      int // journal entries that a summary now stands for
}

// journalAge is how old an entry must be for a summary to stand for it: what the database did not hear of yet is younger.
const journalAge = 48 * time.Hour

// Maintain marks what restore points, current heads, checkpoints and the journal reach, and sweeps and repacks the rest. current are heads that the
// database has as current or as checkpoints; they are kept whatever the journal says. Space comes back after three runs over more than a day.
func (r *Repository) Maintain(ctx context.Context, current []Head) (*Maintained, error) {
	if _, err := r.trustedNow(ctx); err != nil {
		return nil, err
	}
	out := &Maintained{}
	var err error
	if out.Entries, err = r.compactJournal(ctx); err != nil {
		return nil, fmt.Errorf("shorten the journal: %w", err)
	}
	// What an unfinished container left unflushed must not look like a writer that runs.
	r.mu.Lock()
	session := r.current
	r.mu.Unlock()
	if session != nil && session.broken() == nil {
		if err := session.flush(ctx); err != nil {
			return nil, fmt.Errorf("flush before maintenance: %w", err)
		}
	}
	roots, err := r.roots(ctx, current)
	if err != nil {
		return nil, err
	}
	last, err := r.lastEntry(ctx)
	if err != nil {
		return nil, err
	}
	newest, _ := entryTime(last)
	now := r.clock.Now()
	if newest.After(now) { // by less than trustedNow tolerates
		newest = now
	}
	report, err := r.store.place.Maintain(ctx, place.MaintainOptions{
		Live: func(yield func(place.ObjectID) error) error {
			return r.walk(ctx, roots, walker{object: func(id string) error {
				out.Objects++
				return yield(place.ObjectID(id))
			}})
		},
		Empty:            len(roots) == 0,
		NewestRecord:     newest,
		OldestCheckpoint: r.slowestWriter(),
		TrustClock:       true, // trustedNow has judged it
		Owner:            "",
	})
	out.Contents, out.Marked, out.Young = report.Contents, report.Marked, report.Young
	out.BlobsDeleted, out.BytesFreed = report.BlobsDeleted, report.BytesFreed
	if err != nil && holdfast.KindOf(err) == holdfast.KindInternal && ctx.Err() == nil {
		err = holdfast.Unavailable("maintenance broke off; nothing that is needed was deleted, and the next run goes on: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// abandonedHead is how long after its writer was closed a sealed head may still be published. Then it was given up: it must not keep maintenance
// waiting for ever.
const abandonedHead = time.Hour

// slowestWriter is when the writer that waits longest for a checkpoint had its last one; zero when none runs.
func (s *shared) slowestWriter() time.Time {
	now := s.clock.Now()
	s.mu.Lock()
	list := make([]*Writer, 0, len(s.writers)+len(s.sealed))
	for w := range s.writers {
		list = append(list, w)
	}
	for object, h := range s.sealed {
		if _, runs := s.writers[h.writer]; !runs && now.Sub(h.at) > abandonedHead {
			delete(s.sealed, object)
			continue
		}
		list = append(list, h.writer)
	}
	s.mu.Unlock()
	var oldest time.Time
	for _, w := range list {
		w.mu.Lock()
		if oldest.IsZero() || w.safe.Before(oldest) {
			oldest = w.safe
		}
		w.mu.Unlock()
	}
	return oldest
}

// root is a head that something needs.
type root struct {
	object string
	points []holdfast.RestorePointID
}

// roots gives all heads that anything needs. Damage ends it: with a root unknown nothing may be deleted.
func (s *shared) roots(ctx context.Context, current []Head) ([]root, error) {
	list, damage, err := s.findRoots(ctx, current)
	if err == nil && len(damage) > 0 {
		err = holdfast.Damaged("%s can't be read, so nothing is deleted: %s", damage[0].Blob, damage[0].What)
	}
	return list, err
}

// findRoots looks in restore points, journal entries (published heads and checkpoints, in the database or not) and current.
func (s *shared) findRoots(ctx context.Context, current []Head) (list []root, damage []Damage, err error) {
	at := map[string]int{}
	add := func(object string, point holdfast.RestorePointID) {
		i, ok := at[object]
		if !ok {
			i = len(list)
			at[object] = i
			list = append(list, root{object: object})
		}
		if point != "" {
			list[i].points = append(list[i].points, point)
		}
	}
	points, damage, err := s.points(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range points {
		for _, key := range sortedKeys(p.Heads) {
			add(p.Heads[key], p.ID)
		}
	}
	names, err := s.store.records(ctx, journalPrefix)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		e, err := s.entry(ctx, strings.TrimPrefix(name, journalPrefix))
		if holdfast.KindOf(err) == holdfast.KindDamaged {
			damage = append(damage, Damage{Blob: name, What: err.Error()})
			continue
		} else if err != nil {
			return nil, nil, err
		}
		if e.Kind == Checkpoint && s.bugs.noCheckpoints {
			continue
		}
		for i := range e.Heads {
			add(e.Heads[i].Object, "")
		}
	}
	for i := range current {
		if err := current[i].check(); err != nil {
			return nil, nil, err
		}
		add(current[i].Object, "")
	}
	return list, damage, nil
}

// compactJournal writes summaries that stand for all old entries, reads them back and drops those. It keeps, of each container, the newest
// published head and a newer checkpoint: what a rebuild takes. It returns how many entries went.
func (r *Repository) compactJournal(ctx context.Context) (int, error) {
	r.commit.Lock()
	defer r.commit.Unlock()
	names, err := r.store.records(ctx, journalPrefix)
	if err != nil || len(names) <= 2*r.layout().journalKept {
		return 0, err
	}
	limit := r.clock.Now().Add(-journalAge)
	c := &Catalogue{Published: map[string]*Head{}, Checkpoint: map[string]*Head{}}
	var drop []string
	for _, name := range names[:len(names)-r.layout().journalKept] {
		e, err := r.entry(ctx, strings.TrimPrefix(name, journalPrefix))
		if err != nil {
			return 0, err
		}
		if !e.Time.Before(limit) {
			break
		}
		c.take(e)
		drop = append(drop, name)
	}
	if len(drop) <= 2 {
		return 0, nil
	}
	c.settle()
	for _, part := range []struct {
		kind  EntryKind
		heads map[string]*Head
	}{{Published, c.Published}, {Checkpoint, c.Checkpoint}} {
		if len(part.heads) == 0 {
			continue
		}
		e := &Entry{Format: Format, Kind: part.kind, Summary: true}
		for _, key := range sortedKeys(part.heads) {
			e.Heads = append(e.Heads, *part.heads[key])
		}
		if _, err := r.appendEntry(ctx, e); err != nil {
			return 0, err
		}
	}
	return len(drop), r.store.place.DropRecords(ctx, drop...)
}
