package service

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// statesKept bounds how many older restore points are looked at. Older ones are seen by opening a session at their time.
const statesKept = 2000

// earlier are the states of a container in the restore points before the one that a session shows, newest first.
func (r *RestoreSessions) earlier(ctx context.Context, s holdfast.RestoreSession, at View) ([]holdfast.PastState, error) {
	states, err := r.states(ctx, at, holdfast.PointFilter{Job: s.Job, Until: s.PointInTime})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(states, func(p holdfast.PastState) bool { return p.Point == at.Point })
	if i < 0 {
		return nil, nil // retention has taken the session's own restore point
	}
	return states[i+1:], nil
}

// states are the states of a container in its repository's restore points, newest first.
func (r *RestoreSessions) states(ctx context.Context, at View, f holdfast.PointFilter) ([]holdfast.PastState, error) {
	f.Repository, f.Organization = at.Repository, at.Organization
	return read(ctx, r.core, func(ctx context.Context, tx Tx) ([]holdfast.PastState, error) {
		return tx.PastStates(ctx, f, at.Container, statesKept)
	})
}

// stateMark stands between an item's id and the number of a state; no id of Microsoft 365 has it.
const stateMark = "~"

// StateID names an item as another state of its container has it. Every operation on an item of a restore session takes it.
func StateID(item string, head uint64) string { return item + stateMark + strconv.FormatUint(head, 10) }

func splitStateID(id string) (item string, head uint64, ok bool) {
	i := strings.LastIndex(id, stateMark)
	if i < 0 {
		return id, 0, false
	}
	head, err := strconv.ParseUint(id[i+1:], 10, 64)
	return id[:i], head, err == nil && head > 0
}

// state is where to look an item up: in the session's own state, unless its id names another one that some restore point still has.
func (r *RestoreSessions) state(ctx context.Context, at View, id string) (View, string, error) {
	item, head, other := splitStateID(id)
	if !other {
		return at, id, nil
	}
	if head != at.Head {
		states, err := r.states(ctx, at, holdfast.PointFilter{})
		if err != nil {
			return at, id, err
		}
		i := slices.IndexFunc(states, func(p holdfast.PastState) bool { return p.Head == head })
		if i < 0 {
			return at, id, holdfast.NotFound("no restore point has state %d of %s any more", head, at.Container)
		}
		at.Head, at.Point = head, states[i].Point
	}
	at.Earlier = nil
	return at, item, nil
}

// selected gives the plain ids of what a restore selects, and the states of those that the session's own state does not have.
func (r *RestoreSessions) selected(ctx context.Context, at View, ids []string) ([]string, map[string]uint64, error) {
	var items []string
	states := map[string]uint64{}
	seen := map[string]string{}
	for _, id := range ids {
		view, item, err := r.state(ctx, at, id)
		if err != nil {
			return nil, nil, err
		}
		if before, twice := seen[item]; twice {
			if before == id {
				continue
			}
			return nil, nil, holdfast.Invalid("%q is selected in two versions: restore them one after the other", item)
		}
		seen[item] = id
		items = append(items, item)
		if view.Head != at.Head {
			states[item] = view.Head
		} else if len(view.Earlier) > 0 {
			e, err := r.Explorer.Item(ctx, view, item)
			if err != nil && !missing(err) { // what is not there is told of as the item's own result
				return nil, nil, err
			}
			if e.Deleted {
				states[item] = e.Last.Head
			}
		}
	}
	if len(states) == 0 {
		states = nil
	}
	return items, states, nil
}

// Version is one version of an item over all restore points.
type Version struct {
	holdfast.ItemVersion
	// ID names the item as it was then, for the other operations of the session; empty when the version lies in another repository
	// than the one that the session shows.
	ID         string
	Repository holdfast.RepositoryID
	Current    bool // the session's own state has this one
}

// History gives all versions of an item in all restore points of all repositories, newest first, whatever time the session is opened at.
func (r *RestoreSessions) History(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string) ([]Version, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return nil, err
	}
	if err := r.browsed(ctx, u, id, c, ItemQuery{}); err != nil {
		return nil, err
	}
	view, plain, err := r.state(ctx, c.View, item)
	if err != nil {
		return nil, err
	}
	e, err := r.Explorer.Item(ctx, view, plain)
	if err != nil && !missing(err) {
		return nil, err
	}
	records, err := readAs(ctx, r.core, u, ActReadContent, func(ctx context.Context, tx Tx) ([]holdfast.ContainerRecord, error) {
		return tx.Containers(ctx, holdfast.ContainerFilter{Organization: c.View.Organization, Owner: c.Container.Owner, Kind: c.Container.Kind}, holdfast.Page{})
	})
	if err != nil {
		return nil, err
	}
	repositories := []holdfast.RepositoryID{c.View.Repository}
	for _, record := range records {
		if record.Key() == c.View.Container && !slices.Contains(repositories, record.Repository) {
			repositories = append(repositories, record.Repository)
		}
	}
	out := []Version{}
	for _, repository := range repositories {
		at := View{Repository: repository, Organization: c.View.Organization, Container: c.View.Container}
		if at.Earlier, err = r.states(ctx, at, holdfast.PointFilter{}); err != nil {
			return nil, err
		}
		versions, err := r.Explorer.History(ctx, at, plain)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			out = append(out, Version{ItemVersion: v, Repository: repository})
			if last := &out[len(out)-1]; repository == c.View.Repository {
				last.ID = StateID(plain, v.Newest.Head)
				last.Current = !e.Deleted && e.Version == v.Version && e.Parent == v.Parent && e.Name == v.Name && e.Time.Equal(v.Time)
			}
		}
	}
	if len(out) == 0 {
		return nil, holdfast.NotFound("no restore point has an item %s of %s", plain, c.Container)
	}
	slices.SortStableFunc(out, func(a, b Version) int { return b.Newest.Time.Compare(a.Newest.Time) })
	return out, nil
}

// CompareSpec asks how a container of a session differs from another restore point.
type CompareSpec struct {
	Session   holdfast.RestoreSessionID
	Container string // as in RestoreSessions.Container
	Folder    string // id; "" the whole container
	Point     holdfast.RestorePointID
	Time      time.Time // instead of Point: the newest restore point up to it
	Live      bool      // instead of both: what Microsoft 365 has now
	Offset    int
	Limit     int
}

// Compared is a page of differences from the session's state (before) to the other one (after).
type Compared struct {
	holdfast.Differences
	Container     holdfast.Container
	Before, After holdfast.PastState // After is zero for what Microsoft 365 has now
	Live          bool
}

// Compare tells what is different in another restore point, or in Microsoft 365 now, from what the session shows.
func (r *RestoreSessions) Compare(ctx context.Context, u User, spec CompareSpec) (Compared, error) {
	c, err := r.Container(ctx, u, spec.Session, spec.Container)
	if err != nil {
		return Compared{}, err
	}
	if err := r.may(u, ActReadContent, c.object()); err != nil {
		return Compared{}, err
	}
	at := c.View
	at.Earlier = nil
	out := Compared{Container: c.Container, Live: spec.Live, Before: holdfast.PastState{Point: at.Point, Head: at.Head, Time: c.HeadTime}}
	if spec.Live {
		return r.compareLive(ctx, u, c, spec, out)
	}
	states, err := r.states(ctx, at, holdfast.PointFilter{Until: spec.Time})
	if err != nil {
		return out, err
	}
	other := slices.IndexFunc(states, func(p holdfast.PastState) bool { return spec.Point == "" || p.Point == spec.Point })
	if other < 0 {
		return out, holdfast.NotFound("there is no such restore point of %s in the session's repository", c.Container)
	}
	out.After = states[other]
	if i := slices.IndexFunc(states, func(p holdfast.PastState) bool { return p.Point == at.Point }); i >= 0 {
		out.Before = states[i]
	}
	after := at
	after.Point, after.Head = out.After.Point, out.After.Head
	if err := r.looked(ctx, u, spec.Session, holdfast.SayComparedPoint.With(c.Container, after.Point)); err != nil {
		return out, err
	}
	out.Differences, err = r.Explorer.Compare(ctx, holdfast.Comparison{Before: at, After: after, Parent: spec.Folder, Offset: spec.Offset, Limit: spec.Limit})
	return out, err
}

// livesKept bounds the comparisons with Microsoft 365 that are kept for their further pages, and liveLife how long they are true.
const (
	livesKept = 8
	liveLife  = 10 * time.Minute
)

// liveCache keeps what comparisons with Microsoft 365 found. The zero value works.
type liveCache struct {
	mu  sync.Mutex // guards all
	all []liveFound
}

type liveFound struct {
	key  string
	made time.Time
	list []holdfast.Difference
}

func (l *liveCache) get(key string, now time.Time) ([]holdfast.Difference, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.all {
		if f.key == key && now.Sub(f.made) < liveLife {
			return f.list, true
		}
	}
	return nil, false
}

func (l *liveCache) put(f liveFound) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = slices.DeleteFunc(l.all, func(o liveFound) bool { return o.key == f.key })
	l.all = append(l.all, f)
	if len(l.all) > livesKept {
		l.all = slices.Delete(l.all, 0, 1)
	}
}

// compareLive asks Microsoft 365 at the first page; the further ones are of the same answer.
func (r *RestoreSessions) compareLive(ctx context.Context, u User, c SessionContainer, spec CompareSpec, out Compared) (Compared, error) {
	if r.Live == nil {
		return out, holdfast.Unavailable("nothing here reaches Microsoft 365")
	}
	key := fmt.Sprint(spec.Session, " ", c.View.Container, " ", c.View.Head)
	list, known := r.lives.get(key, r.now())
	if !known || spec.Offset == 0 {
		if err := r.looked(ctx, u, spec.Session, holdfast.SayComparedLive.With(c.Container)); err != nil {
			return out, err
		}
		org, cred, err := r.withCredential(ctx, c.Container.Organization)
		if err != nil {
			return out, err
		}
		at := c.View
		at.Earlier = nil
		if list, err = r.Live.Changes(ctx, org, cred, at); err != nil {
			return out, err
		}
		r.lives.put(liveFound{key, r.now(), list})
	}
	if spec.Folder != "" {
		folder, err := r.Explorer.Item(ctx, c.View, spec.Folder)
		if err != nil {
			return out, err
		}
		below := func(e *Entry) bool { return e != nil && strings.HasPrefix(e.Path, folder.Path+"/") }
		var kept []holdfast.Difference
		for _, d := range list {
			if below(d.Before) || below(d.After) {
				kept = append(kept, d)
			}
		}
		list = kept
	}
	out.Total = int64(len(list))
	for _, d := range list {
		switch d.Kind {
		case holdfast.Added:
			out.Added++
		case holdfast.Removed:
			out.Removed++
		default:
			out.Changed++
		}
	}
	out.Results = list[min(spec.Offset, len(list)):min(spec.Offset+spec.Limit, len(list))]
	return out, nil
}

// looked puts a reading of content into the audit chain.
func (r *RestoreSessions) looked(ctx context.Context, u User, id holdfast.RestoreSessionID, what string) error {
	return r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return r.audit(ctx, tx, u, "restore_session.read", "restore_session/"+string(id), what)
	})
}

// Preview shows one item without harm. The reading is in the audit chain.
func (r *RestoreSessions) Preview(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string) (holdfast.Preview, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return holdfast.Preview{}, err
	}
	if err := r.may(u, ActReadContent, c.object()); err != nil {
		return holdfast.Preview{}, err
	}
	view, item, err := r.state(ctx, c.View, item)
	if err != nil {
		return holdfast.Preview{}, err
	}
	if err := r.looked(ctx, u, id, holdfast.SayPreviewed.With(item, c.Container)); err != nil {
		return holdfast.Preview{}, err
	}
	return r.Explorer.Preview(ctx, view, item)
}

// Table gives a page of the items of a list, each with its values; q.At is filled in. The reading is in the audit chain, once a page.
func (r *RestoreSessions) Table(ctx context.Context, u User, id holdfast.RestoreSessionID, container string, q ItemQuery) (holdfast.ListTable, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return holdfast.ListTable{}, err
	}
	if err := r.may(u, ActReadContent, c.object()); err != nil {
		return holdfast.ListTable{}, err
	}
	if err := r.looked(ctx, u, id, holdfast.SayListRead.With(q.Parent, c.Container)); err != nil {
		return holdfast.ListTable{}, err
	}
	q.At = c.View
	return r.Explorer.Table(ctx, q)
}

// WriteTable writes all items of a list as one file. It is in the audit chain and among the session's events.
func (r *RestoreSessions) WriteTable(ctx context.Context, u User, id holdfast.RestoreSessionID, container, list, format string, w io.Writer) error {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return err
	}
	if err := r.may(u, ActDownload, c.object()); err != nil {
		return err
	}
	e, err := r.Explorer.Item(ctx, c.View, list)
	if err != nil {
		return err
	}
	if err := r.saved(ctx, u, id, c, []string{list}, e.Name+"."+format); err != nil {
		return err
	}
	return r.Explorer.WriteTable(ctx, c.View, list, format, w)
}

// WritePosts writes posts as one page of HTML; q.At is filled in. It is in the audit chain and among the session's events.
func (r *RestoreSessions) WritePosts(ctx context.Context, u User, id holdfast.RestoreSessionID, container string, q holdfast.PostsQuery, w io.Writer) error {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return err
	}
	if err := r.may(u, ActDownload, c.object()); err != nil {
		return err
	}
	items := q.Posts
	if q.Folder != "" {
		items = append(slices.Clone(items), q.Folder)
	}
	if err := r.saved(ctx, u, id, c, items, "posts as HTML"); err != nil {
		return err
	}
	q.At = c.View
	return r.Explorer.WritePosts(ctx, q, w)
}

// Access tells who may do what with an item.
func (r *RestoreSessions) Access(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string) (holdfast.ItemAccess, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return holdfast.ItemAccess{}, err
	}
	if err := r.browsed(ctx, u, id, c, ItemQuery{}); err != nil {
		return holdfast.ItemAccess{}, err
	}
	view, item, err := r.state(ctx, c.View, item)
	if err != nil {
		return holdfast.ItemAccess{}, err
	}
	return r.Explorer.Access(ctx, view, item)
}

// Attachment streams one attachment of a mail, by its number in the preview. The reading is in the audit chain.
func (r *RestoreSessions) Attachment(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string, number int) (Content, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return Content{}, err
	}
	if err := r.may(u, ActDownload, c.object()); err != nil {
		return Content{}, err
	}
	view, item, err := r.state(ctx, c.View, item)
	if err != nil {
		return Content{}, err
	}
	if err := r.saved(ctx, u, id, c, []string{item}, fmt.Sprintf("attachment %d of a mail", number+1)); err != nil {
		return Content{}, err
	}
	return r.Explorer.Attachment(ctx, view, item, number)
}
