package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// RestoreTask is one restore request and where it goes.
type RestoreTask struct {
	Lease   holdfast.Lease
	Request holdfast.RestoreRequest
	From    holdfast.Container
	To      holdfast.Container
	// Progress, when not nil, is told now and then what has been done in all, from any goroutine.
	Progress func(sofar holdfast.Statistics)
	// DryRun changes nothing, neither at the target nor in the database; report then says what a restore would do. See Plan.
	DryRun bool
}

// Plan is the request as a Target sees it.
func (t RestoreTask) Plan() RestorePlan {
	r := t.Request
	mode := ConflictMode(r.Mode)
	if mode == "" {
		mode = SkipExisting
	}
	return RestorePlan{
		Session: r.Session, From: t.From, To: t.To, Whole: len(r.Items) == 0, Folder: r.Folder, Mode: mode, Newer: r.Newer, AllVersions: r.AllVersions,
		Permissions: r.Permissions, ChangedItems: r.ChangedItems, MissingItems: r.MissingItems, MarkRestored: r.MarkRestored,
		NewChat: r.NewChat, Topic: r.Topic, DryRun: t.DryRun,
	}
}

// Marker is what an attempt to restore this version of an item within this request may have left at the target.
func Marker(request holdfast.RestoreRequest, item holdfast.Item) string {
	h := sha256.New()
	for _, s := range []string{string(request.Session), request.ID, item.ID, item.Version} {
		fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// fails is how many items in a row may fail for no reason of their own before a restore ends: then it is not the items.
const fails = 10

// Restore puts the selected items of a state back. report is called for each item, from several goroutines. A second call with the same
// request goes on where the first one ended and makes no duplicates. An error means that items were left undone, and why.
func (e *Engine) Restore(ctx context.Context, repo *vault.Repository, head *vault.Head, target Target, task RestoreTask, report func(holdfast.ItemResult)) (holdfast.Statistics, error) {
	if report == nil {
		report = func(holdfast.ItemResult) {}
	}
	task.DryRun = false
	_, stats, err := e.restore(ctx, repo, head, target, task, report)
	return stats, err
}

// Plan tells what Restore would do with the same request, item by item, and what that takes. It reads the target and writes nothing; the
// decisions are those of the restore's own code. Several calls at once of report, as in Restore.
func (e *Engine) Plan(ctx context.Context, repo *vault.Repository, head *vault.Head, target Target, task RestoreTask, report func(holdfast.ItemResult)) (holdfast.Cost, error) {
	task.DryRun = true
	r, _, err := e.restore(ctx, repo, head, target, task, report)
	if r == nil {
		return holdfast.Cost{}, err
	}
	return r.cost, err
}

func (e *Engine) restore(ctx context.Context, repo *vault.Repository, head *vault.Head, target Target, task RestoreTask, report func(holdfast.ItemResult)) (*restoring, holdfast.Statistics, error) {
	view, err := repo.View(ctx, head)
	if err != nil {
		return nil, holdfast.Statistics{}, fmt.Errorf("open the restore point of %s: %w", task.From, err)
	}
	ctx, usage := metered(ctx, target)
	r := &restoring{engine: e, view: view, task: task, plan: task.Plan(), report: report, places: map[string]folderPlace{}, selected: map[string]bool{}, left: map[string]bool{}, lost: map[string]bool{}}
	if r.plan.Stored = view.Item; !task.DryRun {
		r.plan.Notes = notes{r}
	}
	err = guard(func() error {
		if r.to, err = target.Open(ctx, r.plan); err != nil {
			return fmt.Errorf("open %s to restore into: %w", task.To, err)
		}
		if p, ok := r.to.(Planner); ok && task.DryRun {
			n := int64(p.Planned())
			r.cost.Add(holdfast.Cost{Folders: n, Requests: 2 * n, ResourceUnits: 3 * n})
		}
		return errors.Join(r.run(ctx, usage), r.to.Close(context.WithoutCancel(ctx)))
	})
	return r, r.statistics(usage()), err
}

// End closes what a restore that does not go on left open at the target. It restores nothing.
func (e *Engine) End(ctx context.Context, target Target, task RestoreTask) error {
	ender, ok := target.(Ender)
	if !ok {
		return nil
	}
	task.DryRun = false
	r := &restoring{engine: e, task: task, plan: task.Plan()}
	r.plan.Notes = notes{r}
	return guard(func() error { return r.try(ctx, func(int) error { return ender.End(ctx, r.plan) }) })
}

// notes are kept as intents of their own, of which nothing is reported.
type notes struct{ r *restoring }

func (n notes) Note(ctx context.Context, name, text string) error {
	if _, err := n.Noted(ctx, name); err != nil {
		return err
	}
	err := n.r.try(ctx, func(int) error {
		return n.r.engine.Intents.MadeItem(ctx, n.r.task.Lease, n.r.task.Request.ID, holdfast.RestoreNote(name), text)
	})
	if err != nil {
		return fmt.Errorf("keep the note %q of the restore: %w", name, err)
	}
	return nil
}

func (n notes) Noted(ctx context.Context, name string) (string, error) {
	earlier, _, err := n.r.begin(ctx, holdfast.Item{ID: holdfast.RestoreNote(name), Name: name})
	if err != nil || earlier == nil {
		return "", err
	}
	return earlier.NewID, nil
}

type restoring struct {
	engine *Engine
	view   *vault.View
	task   RestoreTask
	plan   RestorePlan
	to     Restore
	report func(holdfast.ItemResult)

	// Used by the one goroutine that walks the selection.
	selected map[string]bool
	handed   sync.WaitGroup         // items that workers have
	sent     bool                   // an item was handed since a reply waited
	places   map[string]folderPlace // of folders in the view, found or made at the target
	left     map[string]bool        // folder -> it, or one above it, is left out
	lost     map[string]bool        // parts of the list that can't be read and were recorded

	mu      sync.Mutex // guards all below
	stats   holdfast.Statistics
	failing int           // items in a row that failed for no reason of their own
	cost    holdfast.Cost // of a dry run
}

// folderPlace is a folder of the view at the target. When err is set it could not be made, nor anything in it.
type folderPlace struct {
	id   string
	path string
	err  error
}

// placesKept bounds the folders that are remembered; those forgotten are looked up again.
const placesKept = 100_000

// job is an item on its way to a worker.
type job struct {
	item    holdfast.Item
	content string // id of the item whose bytes are put, when they are not item's own: an older version's
	parent  folderPlace
}

func (r *restoring) run(ctx context.Context, usage func() holdfast.Statistics) error {
	work, ctx := errgroup.WithContext(ctx)
	jobs := make(chan job) // unbuffered: what waits is in the view
	for range r.engine.RestorePuts {
		work.Go(func() error {
			for j := range jobs {
				err := guard(func() error { return r.item(ctx, j) })
				r.handed.Done()
				if err != nil {
					return err
				}
				if r.task.Progress != nil {
					r.task.Progress(r.statistics(usage()))
				}
			}
			return nil
		})
	}
	work.Go(func() error {
		defer close(jobs)
		return guard(func() error { return r.walk(ctx, jobs) })
	})
	return work.Wait()
}

func (r *restoring) statistics(usage holdfast.Statistics) holdfast.Statistics {
	r.mu.Lock()
	defer r.mu.Unlock()
	return withUsage(r.stats, usage)
}

// walk sends everything selected to the workers, each thing once, and makes the folders.
func (r *restoring) walk(ctx context.Context, jobs chan<- job) error {
	if len(r.task.Request.Items) == 0 {
		for _, replies := range []bool{false, true} {
			for item, err := range r.view.All(ctx) {
				if lost, err := r.lose(ctx, err); lost {
					continue
				} else if err != nil {
					return fmt.Errorf("list %s: %w", r.task.From, err)
				}
				if isReply(item) != replies {
					continue
				}
				if err := r.send(ctx, item, jobs); err != nil {
					return err
				}
			}
			if r.task.From.Kind != holdfast.Team {
				break // nothing else has replies
			}
		}
		return nil
	}
	var tops []holdfast.Item
	for _, id := range r.task.Request.Items {
		if r.selected[id] {
			continue
		}
		r.selected[id] = true
		item, ok, err := r.view.Item(ctx, id)
		if holdfast.KindOf(err) == holdfast.KindDamaged {
			if err := r.refuse(ctx, holdfast.Item{ID: id}, holdfast.ItemResult{Item: id}, fmt.Errorf("%w; %s", err, whatHelps)); err != nil {
				return err
			}
			continue
		} else if err != nil {
			return fmt.Errorf("look up %q of %s: %w", id, r.task.From, err)
		} else if !ok {
			gone := &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New("it is not in this restore point")}
			if err := r.refuse(ctx, holdfast.Item{ID: id}, holdfast.ItemResult{Item: id}, gone); err != nil {
				return err
			}
			continue
		}
		tops = append(tops, item)
	}
	for _, top := range tops {
		inside, err := r.insideSelected(ctx, top)
		if err != nil {
			return err
		} else if inside {
			continue // comes with its folder
		}
		send := r.tree
		if top.Kind == holdfast.KindVersion {
			send = r.older
		}
		if err := send(ctx, top, jobs); err != nil {
			return err
		}
	}
	return nil
}

const whatHelps = "another restore point may have it whole: 'holdfast vault verify' names those that do not"

// lose records a part of the list of items that can't be read as something that was not restored, once; what is behind it goes on. Other errors come back.
func (r *restoring) lose(ctx context.Context, err error) (lost bool, _ error) {
	var part *vault.LostError
	if !errors.As(err, &part) {
		return false, err
	}
	id := "lost " + part.Part
	if r.lost[id] {
		return true, nil
	}
	r.lost[id] = true
	name := fmt.Sprintf("%d items, or folders, that the repository has lost", part.Rows)
	err = r.refuse(ctx, holdfast.Item{ID: id, Name: name}, holdfast.ItemResult{Item: id, Name: name}, fmt.Errorf("%w; %s", part, whatHelps))
	return err == nil, err
}

// above is an item that another one lies in; ok is false, too, where it can't be read any more, which is then recorded.
func (r *restoring) above(ctx context.Context, id string) (item holdfast.Item, ok bool, err error) {
	item, ok, err = r.view.Item(ctx, id)
	if lost, err := r.lose(ctx, err); lost {
		return holdfast.Item{}, false, nil
	} else if err != nil {
		return holdfast.Item{}, false, fmt.Errorf("look up folder %q of %s: %w", id, r.task.From, err)
	}
	return item, ok, nil
}

// older sends a file as a selected older version of it was: that version's bytes, times and author, under the file's name, in its place.
func (r *restoring) older(ctx context.Context, version holdfast.Item, jobs chan<- job) error {
	item, ok, err := r.view.Item(ctx, version.Parent)
	if holdfast.KindOf(err) == holdfast.KindDamaged {
		return r.refuse(ctx, version, holdfast.ItemResult{Item: version.ID, Name: version.Name}, fmt.Errorf("%w; %s", err, whatHelps))
	} else if err != nil {
		return fmt.Errorf("look up the file of version %q of %s: %w", version.Version, r.task.From, err)
	} else if ok && item.Kind == holdfast.KindFolder {
		comes := &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("an older version of a folder comes back with the folder alone, when older versions are asked for")}
		return r.refuse(ctx, version, holdfast.ItemResult{Item: version.ID, Name: version.Name}, comes)
	} else if !ok || item.Kind != holdfast.KindFile && item.Kind != holdfast.KindListItem {
		gone := &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New("the file that it is a version of is not in this restore point")}
		return r.refuse(ctx, version, holdfast.ItemResult{Item: version.ID, Name: version.Name}, gone)
	}
	created := item.Fields[holdfast.FieldCreated]
	item.Version, item.Time, item.Size, item.Fields = "version "+version.Version, version.Time, version.Size, maps.Clone(version.Fields)
	if created != "" {
		if item.Fields == nil {
			item.Fields = map[string]string{}
		}
		item.Fields[holdfast.FieldCreated] = created
	}
	var parent folderPlace
	if r.plan.Folder == "" {
		if parent, err = r.place(ctx, item.Parent); err != nil {
			return err
		}
	}
	return r.hand(ctx, jobs, job{item: item, content: version.ID, parent: parent})
}

// insideSelected says whether a folder above item is selected too.
func (r *restoring) insideSelected(ctx context.Context, item holdfast.Item) (bool, error) {
	seen := map[string]bool{item.ID: true}
	for id := item.Parent; id != "" && !seen[id]; {
		if r.selected[id] {
			return true, nil
		}
		seen[id] = true
		above, ok, err := r.above(ctx, id)
		if err != nil {
			return false, err
		} else if !ok {
			break
		}
		id = above.Parent
	}
	return false, nil
}

// tree sends an item and, when it is a folder, all that is below it, without recursion.
func (r *restoring) tree(ctx context.Context, top holdfast.Item, jobs chan<- job) error {
	if err := r.send(ctx, top, jobs); err != nil {
		return err
	}
	var open []string
	if top.Kind == holdfast.KindFolder || top.Kind == holdfast.KindPost {
		open = []string{top.ID}
	}
	for len(open) > 0 {
		parent := open[len(open)-1]
		open = open[:len(open)-1]
		for item, err := range r.view.Children(ctx, parent) {
			if lost, err := r.lose(ctx, err); lost {
				continue
			} else if err != nil {
				return fmt.Errorf("list folder %q of %s: %w", parent, r.task.From, err)
			}
			if item.ID == top.ID {
				continue // the tree bites its tail
			}
			if err := r.send(ctx, item, jobs); err != nil {
				return err
			}
			if item.Kind == holdfast.KindFolder || item.Kind == holdfast.KindPost && !isReply(item) {
				open = append(open, item.ID)
			}
		}
	}
	return nil
}

// isReply says whether a post replies to another one, which is its parent. It is put back when that one is.
func isReply(item holdfast.Item) bool {
	return item.Kind == holdfast.KindPost && item.Fields[holdfast.FieldReplyTo] != ""
}

// settled waits until the workers are done with what they have, so that a reply finds the post that it goes to.
func (r *restoring) settled() {
	if r.sent {
		r.handed.Wait()
		r.sent = false
	}
}

// send makes a folder, or hands an item to a worker.
func (r *restoring) send(ctx context.Context, item holdfast.Item, jobs chan<- job) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if out, err := r.leftOut(ctx, item); err != nil || out {
		return err
	}
	switch item.Kind {
	case holdfast.KindVersion:
		return nil // comes with its file
	case holdfast.KindFolder:
		place, err := r.place(ctx, item.ID)
		if err != nil {
			return err
		}
		if place.err != nil {
			return r.refuse(ctx, item, holdfast.ItemResult{Item: item.ID, Name: item.Name, Path: place.path}, place.err)
		}
		return nil
	}
	var parent folderPlace
	if !r.apart(item.ID) {
		var err error
		if parent, err = r.place(ctx, item.Parent); err != nil {
			return err
		}
	}
	if isReply(item) {
		r.settled()
		defer func() { r.sent = false }() // replies need not wait for each other
	}
	return r.hand(ctx, jobs, job{item: item, parent: parent})
}

// leftOut says whether the request leaves an item out: it is, or lies below, one of the well-known folders that it excludes.
func (r *restoring) leftOut(ctx context.Context, item holdfast.Item) (bool, error) {
	if len(r.task.Request.Exclude) == 0 {
		return false, nil
	}
	var way []string // folders from item upwards whose answer is not known
	out, ok := false, true
	var err error
	for seen := map[string]bool{}; ok && !seen[item.ID]; {
		seen[item.ID] = true
		if item.Kind == holdfast.KindFolder {
			if known, have := r.left[item.ID]; have {
				out = known
				break
			}
			way = append(way, item.ID)
			if special := item.Fields[holdfast.FieldSpecial]; special != "" && slices.Contains(r.task.Request.Exclude, special) {
				out = true
				break
			}
		}
		if item.Parent == "" {
			break
		}
		above := item.Parent
		if known, have := r.left[above]; have {
			out = known
			break
		}
		if item, ok, err = r.above(ctx, above); err != nil {
			return false, err
		}
	}
	if len(r.left) >= placesKept {
		clear(r.left)
	}
	for _, id := range way {
		r.left[id] = out
	}
	return out, nil
}

// hand gives a job to a worker.
func (r *restoring) hand(ctx context.Context, jobs chan<- job, j job) error {
	r.handed.Add(1)
	select {
	case jobs <- j:
		r.sent = true
		return nil
	case <-ctx.Done():
		r.handed.Done()
		return context.Cause(ctx)
	}
}

// apart says that a selected item goes straight into the folder that the user named, without the folders above it.
func (r *restoring) apart(id string) bool { return r.plan.Folder != "" && r.selected[id] }

// place finds or makes the folder with that id at the target, and those above it first. Its own error ends the restore.
func (r *restoring) place(ctx context.Context, id string) (folderPlace, error) {
	var missing []holdfast.Item // from id upwards
	above := folderPlace{}
	seen := map[string]bool{}
	for id != "" && !seen[id] {
		if known, ok := r.places[id]; ok {
			above = known
			break
		}
		seen[id] = true
		item, ok, err := r.above(ctx, id)
		if err != nil {
			return above, err
		} else if ok && item.Kind == holdfast.KindPost { // of a reply: it goes to the post's channel
			id = item.Parent
			continue
		} else if !ok || item.Kind != holdfast.KindFolder {
			break // an orphan goes to the root
		}
		missing = append(missing, item)
		if r.apart(item.ID) {
			break
		}
		id = item.Parent
	}
	for _, item := range slices.Backward(missing) {
		here := folderPlace{path: above.path + "/" + strings.ReplaceAll(item.Name, "/", "\\/"), err: above.err}
		if here.err == nil {
			here.err = r.try(ctx, func(int) error {
				var err error
				here.id, err = r.to.Folder(ctx, item, above.id)
				return err
			})
			if err := r.fatal(ctx, here.err); err != nil {
				return above, fmt.Errorf("make folder %q at %s: %w", item.Name, r.task.To, err)
			}
			if here.err == nil && r.task.DryRun {
				if strings.HasPrefix(here.id, Planned) {
					r.mu.Lock()
					r.cost.Add(holdfast.Cost{Folders: 1, Requests: 2, ResourceUnits: 3})
					r.mu.Unlock()
				}
			} else if here.err == nil {
				if err := r.settle(ctx, item, here); err != nil {
					return above, err
				}
			}
		}
		if len(r.places) >= placesKept {
			clear(r.places)
		}
		r.places[item.ID] = here
		above = here
	}
	return above, nil
}

// settle puts back what a folder has besides its name and place. What fails is recorded of the folder alone.
func (r *restoring) settle(ctx context.Context, item holdfast.Item, here folderPlace) error {
	settler, ok := r.to.(FolderSettler)
	if !ok {
		return nil
	}
	put := Put{Item: item, NewID: here.id, Marker: Marker(r.task.Request, item), Selected: r.selected[item.ID], Open: func(ctx context.Context, f holdfast.Form) (io.ReadCloser, bool, error) {
		return r.open(ctx, item.ID, f)
	}}
	if r.plan.AllVersions {
		put.Versions = r.versions(ctx, item.ID, contentOf(item.Kind))
	}
	err := r.try(ctx, func(int) error { return settler.SettleFolder(ctx, put) })
	if err == nil {
		return nil
	}
	if fatal := r.fatal(ctx, err); fatal != nil {
		return fmt.Errorf("settle folder %q at %s: %w", item.Name, r.task.To, fatal)
	}
	return r.refuse(ctx, item, holdfast.ItemResult{Item: item.ID, Name: item.Name, Path: here.path, NewID: here.id}, err)
}

// try calls fn until it succeeds, gives a *Skip or an error that repeating does not mend, or the attempts are used up. What is locked, or was changed
// between two calls, is tried again: most locks are those of a moment.
func (r *restoring) try(ctx context.Context, fn func(attempt int) error) error {
	wait := r.engine.RestoreWait
	for attempt := 1; ; attempt++ {
		err := fn(attempt)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			return cause // what ended it, not how the call put it
		}
		var skip *holdfast.Skip
		if err == nil || errors.As(err, &skip) && skip.Reason != holdfast.SkipLocked && skip.Reason != holdfast.SkipChanging || attempt == r.engine.RestoreTries || r.fatal(ctx, err) != nil || holdfast.KindOf(err) == holdfast.KindDamaged {
			return err
		}
		var known *holdfast.Error
		if errors.As(err, &known) {
			wait = max(wait, known.RetryAfter)
		}
		if r.engine.Clock.Sleep(ctx, wait) != nil {
			return context.Cause(ctx)
		}
		wait = min(2*wait, time.Minute)
	}
}

// fatal is the error, if err is one that concerns the whole restore.
func (r *restoring) fatal(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var skip *holdfast.Skip
	if errors.As(err, &skip) {
		return nil
	}
	switch holdfast.KindOf(err) {
	case holdfast.KindDenied, holdfast.KindUnauthenticated, holdfast.KindStale, holdfast.KindInvalid:
		return err
	}
	return nil
}

// item restores one item; its error ends the restore.
func (r *restoring) item(ctx context.Context, j job) error {
	result := holdfast.ItemResult{Item: j.item.ID, Name: j.item.Name, Path: j.parent.path + "/" + strings.ReplaceAll(j.item.Name, "/", "\\/")}
	if j.parent.err != nil {
		return r.refuse(ctx, j.item, result, fmt.Errorf("its folder could not be made: %w", j.parent.err))
	}
	request := r.task.Request
	earlier, began, err := r.begin(ctx, j.item)
	if err != nil {
		return err
	}
	put := Put{Item: j.item, Parent: j.parent.id, Marker: Marker(request, j.item), Again: began, Selected: r.selected[j.item.ID] || r.selected[j.item.Parent]}
	if earlier != nil {
		put.NewID = earlier.NewID
	}
	if !r.task.DryRun {
		put.Made = func(ctx context.Context, id string) error {
			return r.try(ctx, func(int) error { return r.engine.Intents.MadeItem(ctx, r.task.Lease, request.ID, j.item.ID, id) })
		}
	}
	put.Open = func(ctx context.Context, f holdfast.Form) (io.ReadCloser, bool, error) {
		if content := contentOf(j.item.Kind); j.content != "" && f == content {
			return r.open(ctx, j.content, f)
		}
		return r.open(ctx, j.item.ID, f) // description and sharing have no versions
	}
	if earlier != nil && earlier.Outcome != "" && !(earlier.Outcome == string(Skipped) && retriable(earlier.Reason)) {
		if resumer, ok := r.to.(Resumer); ok && put.NewID != "" {
			if err := r.try(ctx, func(int) error { return resumer.Resumed(ctx, put) }); err != nil {
				return fmt.Errorf("go on after %q, which an earlier attempt restored: %w", j.item.Name, err)
			}
		}
		r.finished(*earlier)
		return nil
	}
	if r.plan.AllVersions && (j.item.Kind == holdfast.KindFile || j.item.Kind == holdfast.KindListItem) && j.content == "" {
		put.Versions = r.versions(ctx, j.item.ID, contentOf(j.item.Kind))
	}
	var restored Restored
	err = r.try(ctx, func(attempt int) error {
		put.Again = (began || attempt > 1) && !r.engine.bugs.neverAgain
		var err error
		restored, err = r.to.Put(ctx, put)
		if restored.NewID != "" {
			put.NewID = restored.NewID
		}
		return err
	})
	result.NewID, result.Lost = put.NewID, restored.Lost
	if err != nil {
		if fatal := r.fatal(ctx, err); fatal != nil {
			return fmt.Errorf("restore %q: %w", j.item.Name, fatal) // its intent stays: the next attempt looks for what this one left
		}
		return r.end(ctx, r.failed(result, err), err)
	}
	result.Outcome = string(restored.Outcome)
	if r.task.DryRun {
		r.mu.Lock()
		r.cost.Add(restored.Cost)
		r.mu.Unlock()
	}
	if result.Outcome == "" {
		return fmt.Errorf("internal check: restoring %q gave no outcome", j.item.Name)
	}
	return r.end(ctx, result, nil)
}

// begin records the intent to restore an item, and gives what an earlier attempt recorded.
func (r *restoring) begin(ctx context.Context, item holdfast.Item) (earlier *holdfast.ItemResult, began bool, err error) {
	if r.task.DryRun {
		return nil, false, nil
	}
	err = r.try(ctx, func(int) error {
		var err error
		earlier, began, err = r.engine.Intents.BeginItem(ctx, r.task.Lease, r.task.Request.ID, item.ID, item.Version)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("record the intent to restore %q: %w", item.Name, err)
	}
	return earlier, began, nil
}

// refuse records that an item was not even tried.
func (r *restoring) refuse(ctx context.Context, item holdfast.Item, result holdfast.ItemResult, why error) error {
	if _, _, err := r.begin(ctx, item); err != nil {
		return err
	}
	return r.end(ctx, r.failed(result, why), nil)
}

// end records and reports a result. failure is an error that was not the item's own fault.
func (r *restoring) end(ctx context.Context, result holdfast.ItemResult, failure error) error {
	if err := r.try(ctx, func(int) error {
		if r.task.DryRun {
			return nil
		}
		return r.engine.Intents.EndItem(ctx, r.task.Lease, r.task.Request.ID, result)
	}); err != nil {
		return fmt.Errorf("record the result of restoring %q: %w", result.Name, err)
	}
	r.finished(result)
	var skip *holdfast.Skip
	r.mu.Lock()
	defer r.mu.Unlock()
	if failure == nil || errors.As(failure, &skip) {
		r.failing = 0
		return nil
	}
	if r.failing++; r.failing >= fails {
		return holdfast.Unavailable("%d items in a row could not be restored, the last one because: %w", r.failing, failure)
	}
	return nil
}

// failed is the result of an item that was not restored.
func (r *restoring) failed(result holdfast.ItemResult, err error) holdfast.ItemResult {
	result.Outcome, result.Reason, result.Detail = string(Skipped), holdfast.SkipTransient, err.Error()
	var skip *holdfast.Skip
	if errors.As(err, &skip) {
		result.Reason = skip.Reason
	} else if holdfast.KindOf(err) == holdfast.KindDamaged {
		result.Reason = holdfast.SkipCorrupt
	}
	return result
}

func retriable(reason holdfast.SkipReason) bool {
	switch reason {
	case holdfast.SkipTransient, holdfast.SkipLocked, holdfast.SkipChanging:
		return true
	}
	return false
}

func (r *restoring) finished(result holdfast.ItemResult) {
	r.mu.Lock()
	if result.Outcome == string(Skipped) {
		r.stats.Skipped++
	} else {
		r.stats.Items++
	}
	r.mu.Unlock()
	r.report(result)
}

func (r *restoring) open(ctx context.Context, id string, f holdfast.Form) (io.ReadCloser, bool, error) {
	body, ok, err := r.view.Open(ctx, id, f)
	if err != nil || !ok {
		return nil, ok, err
	}
	return &countedBody{ReadCloser: body, r: r}, true, nil
}

type countedBody struct {
	io.ReadCloser
	r *restoring
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.r.mu.Lock()
	c.r.stats.ReadBytes += int64(n)
	c.r.mu.Unlock()
	return n, err
}

// contentOf is the form that an item's versions have: a file's are its bytes, those of a list's item or folder its values.
func contentOf(kind holdfast.ItemKind) holdfast.Form {
	if kind == holdfast.KindListItem || kind == holdfast.KindFolder {
		return holdfast.FormJSON
	}
	return holdfast.FormFile
}

// versions gives a file's or item's older versions, oldest first.
func (r *restoring) versions(ctx context.Context, file string, content holdfast.Form) iter.Seq2[PutVersion, error] {
	return func(yield func(PutVersion, error) bool) {
		var all []holdfast.Item
		for item, err := range r.view.Children(ctx, file) {
			if err != nil {
				yield(PutVersion{}, err)
				return
			}
			if item.Kind == holdfast.KindVersion {
				all = append(all, item)
			}
		}
		slices.SortFunc(all, func(a, b holdfast.Item) int { // versions are numbered, and several may be of one second
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(len(a.Version), len(b.Version)), strings.Compare(a.Version, b.Version))
		})
		for _, item := range all {
			open := func(ctx context.Context) (io.ReadCloser, error) {
				body, ok, err := r.open(ctx, item.ID, content)
				if err == nil && !ok {
					err = holdfast.NotFound("version %q has no content in the restore point", item.Name)
				}
				return body, err
			}
			if !yield(PutVersion{Item: item, Open: open}, nil) {
				return
			}
		}
	}
}
