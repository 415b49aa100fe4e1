package enginetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Database is what a proxy needs of the server, in memory: it keeps what was committed through any number of restarts. Every call is one
// call to the fault point "db".
type Database struct {
	Faults *sys.Faults
	Clock  sys.Clock
	// Bugs are mistakes that tests plant to prove that they would be found.
	Bugs struct {
		NoEpochs bool // a stale lease commits like a good one
		Lies     bool // CommitHeads says that all is well and does nothing
	}

	mu        sync.Mutex // guards all below
	epoch     holdfast.Epoch
	leases    map[holdfast.TaskID]holdfast.Epoch
	heads     map[string][]holdfast.HeadRecord // by container key, oldest first
	saved     map[string]holdfast.HeadRecord   // checkpoints
	points    map[holdfast.RestorePointID]holdfast.RestorePoint
	entries   []holdfast.PointEntry // of the session that runs
	session   holdfast.JobSessionID
	items     map[string]*intent
	Commits   int // transactions of heads
	Forgotten []holdfast.RestorePointID
}

type intent struct {
	result *holdfast.ItemResult
}

// Clone is a database of its own with the same rows.
func (d *Database) Clone() *Database {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &Database{
		Clock: d.Clock, Bugs: d.Bugs, epoch: d.epoch, leases: maps.Clone(d.leases), heads: map[string][]holdfast.HeadRecord{}, saved: maps.Clone(d.saved),
		points: maps.Clone(d.points), entries: slices.Clone(d.entries), session: d.session, items: map[string]*intent{}, Commits: d.Commits,
	}
	for key, all := range d.heads {
		c.heads[key] = slices.Clone(all)
	}
	for key, i := range d.items {
		n := *i
		c.items[key] = &n
	}
	return c
}

// Repository is the id of the one repository.
const Repository holdfast.RepositoryID = "0f0e0d0c-0000-4000-8000-000000000002"

// Lease gives a task a fresh lease; the one before is stale from now on.
func (d *Database) Lease(task holdfast.TaskID) holdfast.Lease {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leases == nil {
		d.leases = map[holdfast.TaskID]holdfast.Epoch{}
		d.heads = map[string][]holdfast.HeadRecord{}
		d.saved = map[string]holdfast.HeadRecord{}
		d.points = map[holdfast.RestorePointID]holdfast.RestorePoint{}
		d.items = map[string]*intent{}
	}
	d.epoch++
	d.leases[task] = d.epoch
	return holdfast.Lease{Task: task, Epoch: d.epoch}
}

// Session begins a job session: entries are collected for it.
func (d *Database) Session(id holdfast.JobSessionID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session, d.entries = id, nil
}

// Report adds a container's entry to the session, in place of an earlier one.
func (d *Database) Report(e holdfast.PointEntry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = slices.DeleteFunc(d.entries, func(o holdfast.PointEntry) bool { return o.Container.Key() == e.Container.Key() })
	d.entries = append(d.entries, e)
}

// Points gives the restore points, oldest first.
func (d *Database) Points() []holdfast.RestorePoint {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(maps.Values(d.points), func(a, b holdfast.RestorePoint) int { return a.Time.Compare(b.Time) })
}

// All gives all heads that were ever published.
func (d *Database) All() []holdfast.HeadRecord {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []holdfast.HeadRecord
	for _, key := range slices.Sorted(maps.Keys(d.heads)) {
		out = append(out, d.heads[key]...)
	}
	return out
}

// Checkpoints gives the resume points.
func (d *Database) Checkpoints() []holdfast.HeadRecord {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.saved))
}

func (d *Database) held(l holdfast.Lease) error {
	if d.leases[l.Task] != l.Epoch && !d.Bugs.NoEpochs {
		return holdfast.Stale("the lease of task %s, epoch %d, has passed on", l.Task, l.Epoch)
	}
	return nil
}

// call runs fn as one transaction and one call to the fault point.
func (d *Database) call(ctx context.Context, fn func() error) error {
	return d.Faults.Do(ctx, "db", func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		return fn()
	})
}

// CurrentHeads gives a container's published head and newer checkpoint.
func (d *Database) CurrentHeads(ctx context.Context, lease holdfast.Lease, _ holdfast.RepositoryID, c holdfast.Container) (head, checkpoint *holdfast.HeadRecord, err error) {
	err = d.call(ctx, func() error {
		if err := d.held(lease); err != nil {
			return err
		}
		if all := d.heads[c.Key()]; len(all) > 0 {
			h := all[len(all)-1]
			head = &h
		}
		if h, ok := d.saved[c.Key()]; ok {
			checkpoint = &h
		}
		return nil
	})
	return head, checkpoint, err
}

// CommitHeads publishes heads or checkpoints, all or none.
func (d *Database) CommitHeads(ctx context.Context, commits []holdfast.HeadCommit) error {
	return d.call(ctx, func() error {
		if d.Bugs.Lies {
			return nil
		}
		var todo []holdfast.HeadCommit
		for _, c := range commits {
			if err := d.held(c.Lease); err != nil {
				return err
			}
			key := c.Head.Container.Key()
			number, same := uint64(0), false
			if all := d.heads[key]; len(all) > 0 {
				last := all[len(all)-1]
				number = last.Number
				same = !c.Checkpoint && equal(last, c.Head)
			}
			if h, ok := d.saved[key]; ok {
				number = max(number, h.Number)
				same = same || c.Checkpoint && equal(h, c.Head)
			}
			if same {
				continue
			}
			if c.Head.Epoch != c.Lease.Epoch && !d.Bugs.NoEpochs {
				return holdfast.Stale("the head of %s carries epoch %d, its lease %d", c.Head.Container, c.Head.Epoch, c.Lease.Epoch)
			}
			if c.Head.Number <= number && !d.Bugs.NoEpochs {
				return holdfast.Conflict("head %d of %s does not follow %d", c.Head.Number, c.Head.Container, number)
			}
			todo = append(todo, c)
		}
		for _, c := range todo {
			key := c.Head.Container.Key()
			if c.Checkpoint {
				d.saved[key] = c.Head
				continue
			}
			d.heads[key] = append(d.heads[key], c.Head)
			delete(d.saved, key)
		}
		d.Commits++
		return nil
	})
}

func equal(a, b holdfast.HeadRecord) bool {
	return a.Number == b.Number && a.Epoch == b.Epoch && a.Journal == b.Journal
}

// SessionEntries gives what was reported.
func (d *Database) SessionEntries(ctx context.Context, lease holdfast.Lease) (out []holdfast.PointEntry, err error) {
	err = d.call(ctx, func() error {
		out = slices.Clone(d.entries)
		return d.held(lease)
	})
	return out, err
}

// SessionOutcome gives the restore point without its entries.
func (d *Database) SessionOutcome(ctx context.Context, lease holdfast.Lease) (p holdfast.RestorePoint, err error) {
	err = d.call(ctx, func() error {
		p = holdfast.RestorePoint{
			ID: holdfast.RestorePointID(holdfast.DerivedID(string(d.session), "restore point")), Organization: Organization, Repository: Repository,
			Job: "job", JobName: "job", JobSession: d.session, Time: d.Clock.Now().Round(0), Status: holdfast.StatusSuccess,
		}
		return d.held(lease)
	})
	return p, err
}

// RestorePoint gives a published one.
func (d *Database) RestorePoint(ctx context.Context, id holdfast.RestorePointID) (p holdfast.RestorePoint, err error) {
	err = d.call(ctx, func() error {
		var ok bool
		if p, ok = d.points[id]; !ok {
			return holdfast.NotFound("no restore point %s", id)
		}
		return nil
	})
	return p, err
}

// CommitRestorePoint publishes one.
func (d *Database) CommitRestorePoint(ctx context.Context, lease holdfast.Lease, p holdfast.RestorePoint) error {
	return d.call(ctx, func() error {
		if err := d.held(lease); err != nil {
			return err
		}
		for _, e := range p.Entries {
			if e.Head != 0 && !slices.ContainsFunc(d.heads[e.Container.Key()], func(h holdfast.HeadRecord) bool { return h.Number == e.Head }) {
				return holdfast.Conflict("restore point %s names head %d of %s, which is not published", p.ID, e.Head, e.Container)
			}
		}
		d.points[p.ID] = p
		return nil
	})
}

// Head gives one head by number.
func (d *Database) Head(ctx context.Context, _ holdfast.RepositoryID, _ holdfast.OrganizationID, container string, number uint64) (h holdfast.HeadRecord, err error) {
	err = d.call(ctx, func() error {
		for _, h = range d.heads[container] {
			if h.Number == number {
				return nil
			}
		}
		return holdfast.NotFound("no head %d of %s", number, container)
	})
	return h, err
}

// Heads gives current heads and checkpoints.
func (d *Database) Heads(ctx context.Context, lease holdfast.Lease, _ holdfast.RepositoryID) (out []holdfast.HeadRecord, err error) {
	err = d.call(ctx, func() error {
		if err := d.held(lease); err != nil {
			return err
		}
		for _, all := range d.heads {
			out = append(out, all[len(all)-1])
		}
		out = slices.AppendSeq(out, maps.Values(d.saved))
		return nil
	})
	return out, err
}

// ForgetRestorePoints takes points out, and the heads that only they showed.
func (d *Database) ForgetRestorePoints(ctx context.Context, lease holdfast.Lease, points []holdfast.RestorePointID) error {
	return d.call(ctx, func() error {
		if err := d.held(lease); err != nil {
			return err
		}
		for _, id := range points {
			delete(d.points, id)
			d.Forgotten = append(d.Forgotten, id)
		}
		used := map[string]bool{}
		for _, p := range d.points {
			for _, e := range p.Entries {
				used[fmt.Sprint(e.Container.Key(), " ", e.Head)] = true
			}
		}
		for key, all := range d.heads {
			last := all[len(all)-1].Number
			d.heads[key] = slices.DeleteFunc(all, func(h holdfast.HeadRecord) bool {
				return h.Number != last && !used[fmt.Sprint(key, " ", h.Number)]
			})
		}
		return nil
	})
}

// BeginItem writes an intent.
func (d *Database) BeginItem(ctx context.Context, lease holdfast.Lease, request, item, version string) (earlier *holdfast.ItemResult, began bool, err error) {
	err = d.call(ctx, func() error {
		if err := d.held(lease); err != nil {
			return err
		}
		key := request + "\x00" + item
		if i := d.items[key]; i != nil {
			earlier, began = i.result, true
			return nil
		}
		d.items[key] = &intent{}
		return nil
	})
	return earlier, began, err
}

// MadeItem records the id of what was created.
func (d *Database) MadeItem(ctx context.Context, lease holdfast.Lease, request, item, newID string) error {
	return d.EndItem(ctx, lease, request, holdfast.ItemResult{Item: item, NewID: newID})
}

// EndItem records a result.
func (d *Database) EndItem(ctx context.Context, lease holdfast.Lease, request string, result holdfast.ItemResult) error {
	return d.call(ctx, func() error {
		if err := d.held(lease); err != nil {
			return err
		}
		i := d.items[request+"\x00"+result.Item]
		if i == nil {
			return errors.New("a result without an intent")
		}
		i.result = &result
		return nil
	})
}
