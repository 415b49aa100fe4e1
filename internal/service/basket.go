package service

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// Baskets collect items of several users and kinds. Each is its maker's own: for others it does not exist.
type Baskets struct {
	*core
	sessions *RestoreSessions
}

// Bounds of baskets.
const (
	basketsMost   = 100    // of one account
	entriesMost   = 10_000 // of one basket
	runsKept      = 20
	basketName    = 200 // bytes
	basketUnnamed = "Basket"
)

// own gives a basket of the caller's.
func (b *Baskets) own(ctx context.Context, tx Tx, u User, id holdfast.BasketID) (holdfast.Basket, error) {
	basket, err := tx.Basket(ctx, id)
	if err == nil && (basket.Account != u.ID || u.ID == "") {
		return holdfast.Basket{}, holdfast.NotFound("there is no basket %s", id)
	}
	return basket, err
}

// Create makes an empty basket.
func (b *Baskets) Create(ctx context.Context, u User, name string) (holdfast.Basket, error) {
	if err := b.may(u, ActExplore); err != nil {
		return holdfast.Basket{}, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = basketUnnamed
	}
	if len(name) > basketName {
		return holdfast.Basket{}, holdfast.Invalid("a basket's name may have %d bytes", basketName)
	}
	id, err := b.id()
	if err != nil {
		return holdfast.Basket{}, err
	}
	basket := holdfast.Basket{ID: holdfast.BasketID(id), Account: u.ID, Name: name, Created: b.now()}
	return writeAs(ctx, b.core, u, ActExplore, func(ctx context.Context, tx Tx) (holdfast.Basket, error) {
		all, err := tx.Baskets(ctx, u.ID, holdfast.Page{Limit: basketsMost})
		if err != nil {
			return basket, err
		}
		if len(all) >= basketsMost {
			return basket, holdfast.Conflict("there are %d baskets: delete one first", basketsMost)
		}
		return basket, tx.PutBasket(ctx, basket)
	})
}

// List gives the caller's baskets, newest first.
func (b *Baskets) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.Basket, error) {
	if err := b.may(u, ActExplore); err != nil {
		return nil, err
	}
	return readAs(ctx, b.core, u, ActExplore, func(ctx context.Context, tx Tx) ([]holdfast.Basket, error) { return tx.Baskets(ctx, u.ID, page) })
}

// Get gives one.
func (b *Baskets) Get(ctx context.Context, u User, id holdfast.BasketID) (holdfast.Basket, error) {
	if err := b.may(u, ActExplore); err != nil {
		return holdfast.Basket{}, err
	}
	return readAs(ctx, b.core, u, ActExplore, func(ctx context.Context, tx Tx) (holdfast.Basket, error) { return b.own(ctx, tx, u, id) })
}

// Delete forgets one. What it restored stays restored.
func (b *Baskets) Delete(ctx context.Context, u User, id holdfast.BasketID) error {
	if err := b.may(u, ActExplore); err != nil {
		return err
	}
	return b.changeAs(ctx, u, ActExplore, func(ctx context.Context, tx Tx) error {
		if _, err := b.own(ctx, tx, u, id); err != nil {
			return err
		}
		return tx.DeleteBasket(ctx, id)
	})
}

// Entries gives what is in a basket, in the order in which it was added.
func (b *Baskets) Entries(ctx context.Context, u User, id holdfast.BasketID, page holdfast.Page) ([]holdfast.BasketEntry, error) {
	if err := b.may(u, ActExplore); err != nil {
		return nil, err
	}
	return readAs(ctx, b.core, u, ActExplore, func(ctx context.Context, tx Tx) ([]holdfast.BasketEntry, error) {
		if _, err := b.own(ctx, tx, u, id); err != nil {
			return nil, err
		}
		return tx.BasketEntries(ctx, id, page)
	})
}

// Add puts items of a container that a restore session shows into a basket, as the session shows them: it stays so when the session has
// ended. What is in there already is not added again.
func (b *Baskets) Add(ctx context.Context, u User, id holdfast.BasketID, session holdfast.RestoreSessionID, container string, items []string) ([]holdfast.BasketEntry, error) {
	if len(items) == 0 || len(items) > entriesMost {
		return nil, holdfast.Invalid("name between 1 and %d items", entriesMost)
	}
	if _, err := b.Get(ctx, u, id); err != nil {
		return nil, err
	}
	c, err := b.sessions.Container(ctx, u, session, container)
	if err != nil {
		return nil, err
	}
	added := []holdfast.BasketEntry{}
	for _, item := range items {
		view, plain, err := b.sessions.state(ctx, c.View, item)
		if err != nil {
			return nil, err
		}
		e, err := b.sessions.Item(ctx, u, session, container, item)
		if err != nil {
			return nil, err
		}
		if e.Deleted {
			view.Head, view.Point = e.Last.Head, e.Last.Point
		}
		drawn, err := b.id()
		if err != nil {
			return nil, err
		}
		added = append(added, holdfast.BasketEntry{ID: holdfast.BasketEntryID(drawn), Basket: id, Repository: view.Repository, Point: view.Point, Head: view.Head, Container: c.Container, Item: plain,
			Kind: e.Kind, Name: e.Name, Path: e.Path, Size: e.Size, Time: e.Time, Added: b.now()})
	}
	return writeAs(ctx, b.core, u, ActExplore, func(ctx context.Context, tx Tx) ([]holdfast.BasketEntry, error) {
		if _, err := b.own(ctx, tx, u, id); err != nil {
			return nil, err
		}
		there, err := tx.BasketEntries(ctx, id, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		out := []holdfast.BasketEntry{}
		for _, e := range added {
			if i := slices.IndexFunc(there, func(o holdfast.BasketEntry) bool {
				return o.Item == e.Item && o.Head == e.Head && o.Container.Key() == e.Container.Key() && o.Repository == e.Repository
			}); i >= 0 {
				out = append(out, there[i])
				continue
			}
			if len(there) >= entriesMost {
				return nil, holdfast.Conflict("a basket holds %d items", entriesMost)
			}
			if err := tx.PutBasketEntry(ctx, e); err != nil {
				return nil, err
			}
			there, out = append(there, e), append(out, e)
		}
		return out, nil
	})
}

// Remove takes an entry out.
func (b *Baskets) Remove(ctx context.Context, u User, id holdfast.BasketID, entry holdfast.BasketEntryID) error {
	if err := b.may(u, ActExplore); err != nil {
		return err
	}
	return b.changeAs(ctx, u, ActExplore, func(ctx context.Context, tx Tx) error {
		if _, err := b.own(ctx, tx, u, id); err != nil {
			return err
		}
		return tx.DeleteBasketEntry(ctx, id, entry)
	})
}

// all gives a basket's entries for an act on their content, which the caller must be allowed for each.
func (b *Baskets) all(ctx context.Context, u User, id holdfast.BasketID, act Act) ([]holdfast.BasketEntry, error) {
	if err := b.may(u, act); err != nil {
		return nil, err
	}
	entries, err := b.Entries(ctx, u, id, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, holdfast.Conflict("the basket is empty")
	}
	for _, e := range entries {
		if err := b.may(u, act, Object{Organization: e.Container.Organization, Owner: e.Container.Owner}); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// groups gathers entries by a key, in the order of the first of each.
func groups(entries []holdfast.BasketEntry, key func(holdfast.BasketEntry) string) [][]holdfast.BasketEntry {
	var out [][]holdfast.BasketEntry
	at := map[string]int{}
	for _, e := range entries {
		k := key(e)
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k], out = i, append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

// parts opens a restore session for each restore point and kind in entries, and calls fn for each mailbox or OneDrive in it, with what to
// restore of it, or with the reason why the session could not be opened.
func (b *Baskets) parts(ctx context.Context, u User, id holdfast.BasketID, entries []holdfast.BasketEntry, spec RestoreSpec, fn func(session holdfast.RestoreSession, part []holdfast.BasketEntry, one RestoreSpec, failed error) error) error {
	types := map[holdfast.ContainerKind]holdfast.ExplorerType{holdfast.Mailbox: holdfast.ExploreExchange, holdfast.Drive: holdfast.ExploreOneDrive, holdfast.Site: holdfast.ExploreSites, holdfast.Team: holdfast.ExploreTeams, holdfast.Chat: holdfast.ExploreChats}
	for _, at := range groups(entries, func(e holdfast.BasketEntry) string { return string(e.Point) + " " + string(e.Container.Kind) }) {
		session, failed := b.sessions.Open(ctx, u, ExploreSpec{Type: types[at[0].Container.Kind], Point: at[0].Point, Reason: "basket " + string(id)})
		for _, part := range groups(at, func(e holdfast.BasketEntry) string { return e.Container.Key() }) {
			one := spec
			one.Container, one.Items = part[0].Container.Source, nil
			for _, e := range part {
				one.Items = append(one.Items, e.Item)
			}
			if err := fn(session, part, one, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

// Plan tells what Restore would do and what it takes, without doing it. At most limit items are told of one by one. What could not begin
// counts as skipped, with its reason. The time is that of one mailbox or OneDrive after the other.
func (b *Baskets) Plan(ctx context.Context, u User, id holdfast.BasketID, spec RestoreSpec, limit int) (holdfast.RestorePlan, error) {
	var out holdfast.RestorePlan
	if err := spec.checkReason(); err != nil {
		return out, err
	}
	entries, err := b.all(ctx, u, id, ActRestore)
	if err != nil {
		return out, err
	}
	if err := b.auditNow(ctx, u, "basket.plan", "basket/"+string(id), fmt.Sprintf("%d items", len(entries))); err != nil {
		return out, err
	}
	var opened []holdfast.RestoreSessionID
	var limits []string
	err = b.parts(ctx, u, id, entries, spec, func(session holdfast.RestoreSession, part []holdfast.BasketEntry, one RestoreSpec, failed error) error {
		var plan holdfast.RestorePlan
		err := failed
		if err == nil {
			if !slices.Contains(opened, session.ID) {
				opened = append(opened, session.ID)
			}
			plan, err = b.sessions.Plan(ctx, u, session.ID, one, limit-len(out.Items))
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			plan = holdfast.RestorePlan{Skipped: int64(len(part))}
			for _, e := range part {
				plan.Items = append(plan.Items, holdfast.ItemResult{Item: e.Item, Name: e.Name, Path: e.Path, Outcome: "skipped", Detail: err.Error()})
			}
		}
		out.Created, out.Overwritten, out.Existing, out.Skipped = out.Created+plan.Created, out.Overwritten+plan.Overwritten, out.Existing+plan.Existing, out.Skipped+plan.Skipped
		out.Cost.Add(plan.Cost)
		out.Time += plan.Time
		if plan.Limit != "" && !slices.Contains(limits, plan.Limit) {
			limits = append(limits, plan.Limit)
		}
		room := min(len(plan.Items), limit-len(out.Items))
		out.Items, out.More = append(out.Items, plan.Items[:room]...), out.More || plan.More
		return nil
	})
	out.More = out.More || out.Created+out.Overwritten+out.Existing+out.Skipped > int64(len(out.Items))
	out.Limit = strings.Join(limits, "; ")
	// A dry run leaves nothing open, whether it came to its end or was cancelled.
	for _, session := range opened {
		if stopped := b.sessions.Stop(context.WithoutCancel(ctx), u, session); err == nil {
			err = stopped
		}
	}
	return out, err
}

// Restore begins the restore of everything in a basket: a restore session for each restore point and kind, a request for each mailbox or
// OneDrive. What can't begin is recorded with its reason and keeps the others from nothing.
func (b *Baskets) Restore(ctx context.Context, u User, id holdfast.BasketID, spec RestoreSpec) (holdfast.BasketRun, error) {
	if err := spec.checkReason(); err != nil {
		return holdfast.BasketRun{}, err
	}
	entries, err := b.all(ctx, u, id, ActRestore)
	if err != nil {
		return holdfast.BasketRun{}, err
	}
	drawn, err := b.id()
	if err != nil {
		return holdfast.BasketRun{}, err
	}
	run := holdfast.BasketRun{ID: drawn, Started: b.now()}
	if err := b.auditNow(ctx, u, "basket.restore", "basket/"+string(id), fmt.Sprintf("%d items", len(entries))); err != nil {
		return run, err
	}
	err = b.parts(ctx, u, id, entries, spec, func(session holdfast.RestoreSession, part []holdfast.BasketEntry, one RestoreSpec, failed error) error {
		p := holdfast.BasketPart{Session: session.ID}
		for _, e := range part {
			p.Entries = append(p.Entries, e.ID)
		}
		err := failed
		if err == nil {
			p.Request, err = b.sessions.Restore(ctx, u, session.ID, one)
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			p.Err = err.Error()
		}
		run.Parts = append(run.Parts, p)
		return nil
	})
	if err != nil {
		return run, err
	}
	return run, b.changeAs(ctx, u, ActRestore, func(ctx context.Context, tx Tx) error {
		basket, err := b.own(ctx, tx, u, id)
		if err != nil {
			return err
		}
		basket.Runs = append([]holdfast.BasketRun{run}, basket.Runs...)
		basket.Runs = basket.Runs[:min(len(basket.Runs), runsKept)]
		return tx.PutBasket(ctx, basket)
	})
}

// BasketResult is what became of one entry, or of an item in an entry that is a folder.
type BasketResult struct {
	Entry   holdfast.BasketEntryID // empty for what is in a folder
	Session holdfast.RestoreSessionID
	Event   holdfast.RestoreEvent
}

// BasketRunState is how a run goes.
type BasketRunState struct {
	holdfast.BasketRun
	Status                    string // Running, Success, Warning, Failed
	Restored, Skipped, Failed int64
	Results                   []BasketResult
}

// Run tells how a run goes: a result for each item that is done. At most limit results from offset on are given.
func (b *Baskets) Run(ctx context.Context, u User, id holdfast.BasketID, run string, page holdfast.Page) (BasketRunState, error) {
	basket, err := b.Get(ctx, u, id)
	if err != nil {
		return BasketRunState{}, err
	}
	i := slices.IndexFunc(basket.Runs, func(r holdfast.BasketRun) bool { return r.ID == run })
	if i < 0 {
		return BasketRunState{}, holdfast.NotFound("basket %s has no run %s", id, run)
	}
	entries, err := b.Entries(ctx, u, id, holdfast.Page{})
	if err != nil {
		return BasketRunState{}, err
	}
	named := map[holdfast.BasketEntryID]holdfast.BasketEntry{}
	for _, e := range entries {
		named[e.ID] = e
	}
	out := BasketRunState{BasketRun: basket.Runs[i], Status: "Success"}
	worse := func(status string) {
		order := []string{"Success", "Warning", "Failed", "Running"}
		if slices.Index(order, status) > slices.Index(order, out.Status) {
			out.Status = status
		}
	}
	var all []BasketResult
	for _, p := range out.Parts {
		if p.Err != "" {
			worse("Failed")
			for _, e := range p.Entries {
				out.Failed++
				all = append(all, BasketResult{Entry: e, Session: p.Session, Event: holdfast.RestoreEvent{Item: named[e].Item, ItemName: named[e].Name, Status: "Failed", Message: p.Err}})
			}
			continue
		}
		byItem := map[string]holdfast.BasketEntryID{}
		for _, e := range p.Entries {
			byItem[named[e].Item] = e
		}
		for offset := 0; ; {
			events, err := b.sessions.Events(ctx, u, p.Session, holdfast.Page{Offset: offset, Limit: 5000})
			if err != nil {
				return out, err
			}
			for _, e := range events {
				switch {
				case e.Request != p.Request:
				case e.Item == "": // of the whole request
					switch e.Status {
					case "Cancelled":
						worse("Warning")
					case "Running", "Failed", "Warning":
						worse(e.Status)
					}
				default:
					switch e.Status {
					case "Success":
						out.Restored++
					case "Failed":
						out.Failed++
					default:
						out.Skipped++
					}
					all = append(all, BasketResult{Entry: byItem[e.Item], Session: p.Session, Event: e})
				}
			}
			if offset += len(events); len(events) < 5000 {
				break
			}
		}
	}
	out.Results = window(all, page)
	return out, nil
}

// Download streams everything in a basket as one ZIP with a manifest of hashes and original names, a folder for each mailbox and OneDrive.
func (b *Baskets) Download(ctx context.Context, u User, id holdfast.BasketID, w io.Writer) error {
	entries, err := b.all(ctx, u, id, ActDownload)
	if err != nil {
		return err
	}
	if err := b.auditNow(ctx, u, "basket.save", "basket/"+string(id), fmt.Sprintf("%d items", len(entries))); err != nil {
		return err
	}
	var parts []holdfast.ExportPart
	for _, group := range groups(entries, func(e holdfast.BasketEntry) string {
		return fmt.Sprint(e.Repository, " ", e.Container.Key(), " ", e.Head)
	}) {
		p := holdfast.ExportPart{At: group[0].View(), Folder: group[0].Container.Address + ", " + string(group[0].Container.Kind)}
		for _, e := range group {
			p.Items = append(p.Items, e.Item)
		}
		parts = append(parts, p)
	}
	return b.Explorer.ExportAll(ctx, parts, w)
}
