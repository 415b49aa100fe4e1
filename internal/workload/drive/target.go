package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

type target struct{ g *graph.Client }

// Meter counts the calls of one restore, which goes before backups.
func (t *target) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(m365.ForRestore(ctx))
}

// Open prepares a restore: the application may write, and the drive is there.
func (t *target) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	ctx = m365.ForRestore(ctx)
	// Graph's permission table lists this one as the least for upload sessions.
	missing, err := t.g.CheckPermissions(ctx, "Sites.ReadWrite.All")
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, holdfast.Denied("the application may not write files: grant it %s in Microsoft Entra, or restore with an application that has it", strings.Join(missing, ", "))
	}
	root, err := t.g.DriveRoot(ctx, plan.To.Source)
	switch m365.KindOf(err) {
	case m365.NotFound, m365.Unlicensed:
		return nil, holdfast.Conflict("%s has no OneDrive now: let the user open it once, with a licence that has it, or restore to another user: %w", plan.To.Address, err)
	}
	if err != nil {
		return nil, err
	}
	r := &restore{g: t.g, plan: plan, drive: plan.To.Source, root: root.ID, same: plan.From.Key() == plan.To.Key() && plan.From.Organization == plan.To.Organization, seed: maphash.MakeSeed(), held: map[uint64]uint64{}}
	for _, name := range strings.FieldsFunc(plan.Folder, func(c rune) bool { return c == '/' }) {
		f, _, err := r.child(ctx, r.root, name)
		if err != nil {
			return nil, fmt.Errorf("folder %q: %w", plan.Folder, err)
		}
		r.root = f.ID
	}
	return r, nil
}

type restore struct {
	g     *graph.Client
	plan  engine.RestorePlan
	drive string
	root  string // what the stored root becomes
	same  bool   // the drive that the items came from

	groups Groups // nil but in a site's library

	mu sync.Mutex // held while a folder is looked for or made: two items must not make one folder twice

	seed   maphash.Seed
	heldMu sync.Mutex        // guards held; taken last
	held   map[uint64]uint64 // file that this restore made or found by its name -> item that it is now; hashed, for a drive may have millions
}

// hold makes a file at the target the one that an item is now. False: it is another's already, which would be lost under this one.
func (r *restore) hold(file, item string) bool {
	if file == item {
		return true
	}
	f, i := maphash.String(r.seed, file), maphash.String(r.seed, item)
	r.heldMu.Lock()
	defer r.heldMu.Unlock()
	if _, ok := r.held[f]; !ok {
		r.held[f] = i
	}
	return r.held[f] == i
}

// others tells that a file that has an item's name is another item: one that this restore has put there, or one of the restore point that took the name
// since, when the item was deleted or renamed.
func (r *restore) others(ctx context.Context, file, item string) (bool, error) {
	if file == item {
		return false, nil
	}
	r.heldMu.Lock()
	holder, held := r.held[maphash.String(r.seed, file)]
	r.heldMu.Unlock()
	if held {
		return holder != maphash.String(r.seed, item), nil
	}
	if !r.same || r.plan.Stored == nil {
		return false, nil
	}
	_, stored, err := r.plan.Stored(ctx, file)
	return stored, err
}

// Resumed learns which file an item became in an earlier attempt.
func (r *restore) Resumed(_ context.Context, p engine.Put) error {
	r.hold(p.NewID, p.Item.ID)
	return nil
}

// Planned counts the folders of the plan's folder that are not there.
func (r *restore) Planned() int { return strings.Count(r.root, engine.Planned) }

// Close has nothing to do.
func (r *restore) Close(context.Context) error { return nil }

// original says that items go where they were.
func (r *restore) original() bool { return r.same && r.plan.Folder == "" }

// Folder finds the folder at the target, one of the same drive by its id, any other by name, or makes it with its times.
func (r *restore) Folder(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	ctx = m365.ForRestore(ctx)
	if folder.Fields[holdfast.FieldSpecial] == "root" {
		return r.root, nil
	}
	if parent == "" {
		parent = r.root
	}
	if r.original() {
		f, err := r.g.DriveItem(ctx, r.drive, folder.ID, graph.List{})
		if err == nil && f.IsFolder() {
			return f.ID, nil
		} else if err != nil && m365.KindOf(err) != m365.NotFound {
			return "", r.itemError(ctx, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f, made, err := r.child(ctx, parent, folder.Name)
	if err != nil {
		return "", r.itemError(ctx, err)
	}
	times := timesOf(folder)
	if times == nil || r.plan.DryRun || f.FileSystem != nil && sameSecond(f.FileSystem.Created, times.Created) && sameSecond(f.FileSystem.Modified, times.Modified) {
		return f.ID, nil
	}
	if !made && r.byUs(f.CreatedBy) { // perhaps by an attempt that did not hear so, or came no further
		if made, err = r.plan.Made(ctx, folderIn(r.drive, parent, folder.Name)); err != nil {
			return "", err
		}
	}
	if made {
		// A folder does not take its times when it is made.
		if _, err := r.g.UpdateItem(ctx, r.drive, f.ID, "", map[string]any{"fileSystemInfo": times}); err != nil {
			return "", r.itemError(ctx, err)
		}
	}
	return f.ID, nil
}

// SettleFolder shares a folder that a restore made as it was shared. One that was there keeps what it has: who lost access to it shall not get it back
// unasked.
func (r *restore) SettleFolder(ctx context.Context, p engine.Put) error {
	if !r.plan.Permissions || p.NewID == r.root || r.same && p.NewID == p.Item.ID {
		return nil
	}
	ctx = m365.ForRestore(ctx)
	if body, ok, err := p.Open(ctx, holdfast.FormPermissions); err != nil || !ok {
		return err
	} else if err := body.Close(); err != nil {
		return err
	}
	there, err := r.g.DriveItem(ctx, r.drive, p.NewID, graph.List{})
	if err != nil {
		return r.itemError(ctx, err)
	}
	if !r.byUs(there.CreatedBy) {
		return nil
	}
	lost, err := r.share(ctx, p, p.NewID)
	if err != nil {
		return r.itemError(ctx, err)
	}
	if len(lost) > 0 {
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("of the folder's sharing these could not be given again: %s", strings.Join(lost, ", "))}
	}
	return nil
}

// byUs tells that this application did it.
func (r *restore) byUs(i *graph.Identity) bool {
	return i != nil && i.Application != nil && strings.EqualFold(i.Application.ID, r.g.M365().Application())
}

// child finds or makes the folder called name in parent.
func (r *restore) child(ctx context.Context, parent, name string) (f *graph.DriveItem, made bool, err error) {
	planned := &graph.DriveItem{ID: engine.Planned + parent + "/" + name, Name: name, Folder: &graph.Folder{}}
	if strings.HasPrefix(parent, engine.Planned) {
		return planned, true, nil // nothing is in what is not there
	}
	f, err = r.g.DriveChild(ctx, r.drive, parent, name, graph.List{})
	if m365.KindOf(err) == m365.NotFound && r.plan.DryRun {
		return planned, true, nil
	}
	if m365.KindOf(err) == m365.NotFound {
		if err := r.plan.Making(ctx, folderIn(r.drive, parent, name)); err != nil {
			return nil, false, err
		}
		if f, err = r.g.CreateFolder(ctx, r.drive, parent, name, graph.ConflictFail, nil); err == nil {
			return f, true, nil
		}
		if m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err) {
			f, err = r.g.DriveChild(ctx, r.drive, parent, name, graph.List{})
		}
	}
	if err != nil {
		return nil, false, err
	}
	if !f.IsFolder() {
		return nil, false, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("a file is called %q where the folder was", name)}
	}
	return f, false, nil
}

// folderIn is what a folder is called in the notes of a restore.
func folderIn(drive, parent, name string) string {
	return "folder " + drive + "/" + parent + "/" + name
}

func timesOf(item holdfast.Item) *graph.FileSystemInfo {
	created, err1 := time.Parse(time.RFC3339, item.Fields[holdfast.FieldCreated])
	modified, err2 := time.Parse(time.RFC3339, item.Fields[holdfast.FieldModified])
	if err1 != nil || err2 != nil {
		return nil
	}
	return &graph.FileSystemInfo{Created: created, Modified: modified}
}

// itemError gives an error of one item as a *Skip when it is the item's own, else the kind that the engine wants.
func (r *restore) itemError(ctx context.Context, err error) error {
	if ctx.Err() != nil || m365.OutcomeUnknown(err) {
		return err
	}
	switch m365.KindOf(err) {
	case m365.Unavailable, m365.Throttled:
		var e *m365.Error
		out := &holdfast.Error{Kind: holdfast.KindUnavailable, Message: err.Error(), Cause: err}
		if errors.As(err, &e) {
			out.RetryAfter = e.RetryAfter
		}
		return out
	case m365.Full:
		return holdfast.Conflict("the OneDrive of %s is full: %w", r.plan.To.Address, err)
	case m365.NotFound:
		return err // of a restore, what vanished may be made again
	}
	if s := m365.Skip(err); s != nil {
		return s
	}
	return err
}

// Put restores one file.
func (r *restore) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	ctx = m365.ForRestore(ctx)
	// In its own drive a file is looked for by its id. Whether another one has its name shows as the upload begins, which saves a call for most.
	byName := !r.original() || p.Again || r.plan.ChangedItems || r.plan.DryRun
	if err := known(ctx, &p); err != nil {
		return engine.Restored{}, err
	}
	res, err := r.put(ctx, p, byName)
	for errors.Is(err, errHeld) || m365.KindOf(err) == m365.Conflict && !byName {
		byName = true
		res, err = r.put(ctx, p, byName)
	}
	if err != nil {
		return res, r.itemError(ctx, err)
	}
	if res.NewID != "" && res.Outcome != engine.Skipped {
		r.hold(res.NewID, p.Item.ID)
	}
	return res, nil
}

// errHeld says that between a look and the act another item became the file: a further look tells what is there for this one.
var errHeld = errors.New("the file has become another item of this restore")

func (r *restore) put(ctx context.Context, p engine.Put, byName bool) (engine.Restored, error) {
	if p.Item.Kind != holdfast.KindFile {
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("a %s is not restored by itself", p.Item.Kind)}
	}
	parent := p.Parent
	if parent == "" {
		parent = r.root
	}
	name := p.Item.Name
	there, err := r.existing(ctx, p, parent, byName)
	if err != nil {
		return engine.Restored{}, err
	}
	if there != nil && r.mine(there, p) {
		return r.done(ctx, p, there)
	}
	replace := false
	switch {
	case there == nil:
		if r.plan.ChangedItems && !r.plan.MissingItems {
			return engine.Restored{Outcome: engine.Skipped}, nil // only what differs was asked for
		}
	case !there.IsFolder() && r.equal(there, p.Item):
		return engine.Restored{Outcome: engine.Existing, NewID: there.ID}, nil // also with "keep both": two equal files are no two to keep
	case r.plan.Mode == engine.KeepBoth:
		if name = besideName(name, p.Marker); !r.plan.ChangedItems && r.plan.MissingItems {
			return engine.Restored{Outcome: engine.Skipped, NewID: there.ID}, nil
		}
		if r.plan.DryRun {
			return r.planned(ctx, p, false)
		}
		if there, err = r.g.DriveChild(ctx, r.drive, parent, name, graph.List{}); err != nil && m365.KindOf(err) != m365.NotFound {
			return engine.Restored{}, err
		}
		if there != nil {
			return r.done(ctx, p, there) // the name says that an earlier attempt of this very act made it
		}
	case there.IsFolder():
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("a folder is called %q where the file was; restore with \"keep both\"", name)}
	case !r.plan.ChangedItems && r.plan.MissingItems:
		return engine.Restored{Outcome: engine.Skipped, NewID: there.ID}, nil // only what is missing was asked for
	case r.plan.Mode == engine.Overwrite:
		if others, err := r.others(ctx, there.ID, p.Item.ID); err != nil {
			return engine.Restored{}, err
		} else if others {
			return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("another file of the restore point has this name now; restore with \"keep both\"")}
		}
		if itemOf(there).Time.Truncate(time.Second).After(p.Item.Time.Truncate(time.Second)) && !r.plan.Newer {
			return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the file there is newer than the restore point; it is overwritten only when that is asked for")}
		}
		if replace = true; !r.hold(there.ID, p.Item.ID) {
			return engine.Restored{}, errHeld
		}
	default:
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the file is there and was changed; restore with \"keep both\" or \"overwrite\"")}
	}
	if r.plan.DryRun {
		return r.planned(ctx, p, replace)
	}
	to := graph.NewFile{Drive: r.drive, Parent: parent, Name: name, Conflict: graph.ConflictFail}
	if replace {
		to = graph.NewFile{Drive: r.drive, Item: there.ID, Conflict: graph.ConflictReplace, IfMatch: there.ETag}
	}
	var made *graph.DriveItem
	if older, verr := versionsOf(p); verr != nil {
		return engine.Restored{}, verr
	} else if len(older) > 0 && !replace {
		made, err = r.history(ctx, p, to, older)
	} else {
		made, err = r.content(ctx, p, to)
	}
	if err != nil {
		return engine.Restored{}, err
	}
	res, err := r.settle(ctx, p, made.ID)
	if res.Outcome = engine.Created; replace {
		res.Outcome = engine.Overwritten
	}
	return res, err
}

// planned is what put would do, and what it would take: to look for the file, to upload it and its older versions, to share it and to read it back.
func (r *restore) planned(ctx context.Context, p engine.Put, replace bool) (engine.Restored, error) {
	out := engine.Restored{Outcome: engine.Created, Cost: holdfast.Cost{Requests: 2, ResourceUnits: 2}}
	if replace {
		out.Outcome = engine.Overwritten
	}
	upload := func(size int64) {
		out.Cost.Add(holdfast.Cost{Requests: 1 + max((size+graph.Fragment-1)/graph.Fragment, 1), ResourceUnits: 2, Bytes: size})
	}
	upload(p.Item.Size)
	older, err := versionsOf(p)
	if err != nil {
		return engine.Restored{}, err
	}
	if len(older) > 0 && !replace {
		for _, v := range older {
			upload(v.Item.Size)
		}
		out.Cost.Add(holdfast.Cost{Requests: 3, ResourceUnits: 5}) // looked for, counted, named
	}
	if r.plan.Permissions {
		var permissions []graph.Permission
		if err := read(ctx, p, holdfast.FormPermissions, &permissions); err != nil {
			return engine.Restored{}, err
		}
		for i := range permissions {
			if g := &permissions[i]; g.InheritedFrom == nil && !slices.Contains(g.Roles, "owner") {
				out.Cost.Add(holdfast.Cost{Requests: 1, ResourceUnits: 5})
			}
		}
	}
	return out, nil
}

func versionsOf(p engine.Put) ([]engine.PutVersion, error) {
	var out []engine.PutVersion
	if p.Versions == nil {
		return nil, nil
	}
	for v, err := range p.Versions {
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// existing finds what is where the file goes: the file itself in its own drive, or whatever has its name there.
func (r *restore) existing(ctx context.Context, p engine.Put, parent string, byName bool) (*graph.DriveItem, error) {
	ask := func(item *graph.DriveItem, err error) (*graph.DriveItem, error) {
		if m365.KindOf(err) == m365.NotFound {
			return nil, nil
		}
		return item, err
	}
	if p.NewID != "" {
		if item, err := ask(r.g.DriveItem(ctx, r.drive, p.NewID, graph.List{})); item != nil || err != nil {
			return item, err
		}
	}
	if r.original() {
		if item, err := ask(r.g.DriveItem(ctx, r.drive, p.Item.ID, graph.List{})); item != nil || err != nil {
			return item, err
		}
	}
	if !byName || strings.HasPrefix(parent, engine.Planned) {
		return nil, nil
	}
	return ask(r.g.DriveChild(ctx, r.drive, parent, p.Item.Name, graph.List{}))
}

// mine tells that an earlier attempt of this act made the file that is there: its id was recorded, or an attempt began and it is equal and the work
// of this application and of nobody else. A file of the restore point itself is never that.
func (r *restore) mine(there *graph.DriveItem, p engine.Put) bool {
	if r.same && there.ID == p.Item.ID || there.IsFolder() || !r.equal(there, p.Item) {
		return false
	}
	return p.NewID != "" && there.ID == p.NewID || p.Again && r.byUs(there.CreatedBy) && r.byUs(there.ModifiedBy)
}

// done takes over what an earlier attempt made. What somebody changed since stays as it is.
func (r *restore) done(ctx context.Context, p engine.Put, there *graph.DriveItem) (engine.Restored, error) {
	if !r.equal(there, p.Item) {
		return engine.Restored{Outcome: engine.Created, NewID: there.ID}, nil
	}
	if r.byUs(there.CreatedBy) && r.byUs(there.ModifiedBy) && !r.plan.DryRun {
		if _, err := r.complete(ctx, p, there); err != nil {
			return engine.Restored{}, err
		}
	}
	res, err := r.settle(ctx, p, there.ID)
	res.Outcome = engine.Created
	return res, err
}

// equal tells that a file has the content of the restore point, by what the service says of both.
func (r *restore) equal(there *graph.DriveItem, item holdfast.Item) bool {
	hash := item.Fields[holdfast.FieldHash]
	return there.Size == item.Size && (hash == there.Hash() && hash != "" || item.Size == 0)
}

// besideName is the name of a copy beside what is there. It follows from the act, so that a second attempt finds what the first one made.
func besideName(name, marker string) string {
	ext := path.Ext(name)
	if ext == name {
		ext = "" // .profile
	}
	stem := strings.TrimSuffix(name, ext)
	tag := " (restored " + marker[:min(8, len(marker))] + ")"
	// SharePoint takes names of up to 255 characters.
	if runes := []rune(stem); len(runes)+len(tag)+len(ext) > 255 {
		stem = string(runes[:max(255-len(tag)-len(ext), 1)])
	}
	return stem + tag + ext
}

// content uploads the file as the restore point has it.
func (r *restore) content(ctx context.Context, p engine.Put, to graph.NewFile) (*graph.DriveItem, error) {
	about := stored{}
	if err := read(ctx, p, holdfast.FormJSON, &about); err != nil {
		return nil, err
	}
	return r.upload(ctx, to, p.Item, about.Description, func(ctx context.Context) (io.ReadCloser, error) {
		body, ok, err := p.Open(ctx, holdfast.FormFile)
		if err == nil && !ok {
			err = &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: errors.New("the restore point has no content of this file")}
		}
		return body, err
	})
}

// history uploads the older versions, oldest first, and then the content, under a name that follows from the act, and gives the file its own name when
// its versions read back as they were put. So a half one never passes for a file, and another attempt knows it.
func (r *restore) history(ctx context.Context, p engine.Put, to graph.NewFile, older []engine.PutVersion) (*graph.DriveItem, error) {
	name := to.Name
	to.Name = "holdfast-restoring-" + p.Marker[:min(16, len(p.Marker))] + path.Ext(name)
	made, err := r.look(ctx, to)
	if err != nil {
		return nil, err
	}
	if made != nil {
		whole := r.equal(made, p.Item)
		if whole {
			if whole, err = r.versions(ctx, made.ID, p.Item, older); err != nil {
				return nil, err
			}
		}
		if !whole {
			if err := r.g.DeleteItem(ctx, r.drive, made.ID); err != nil && m365.KindOf(err) != m365.NotFound {
				return nil, err
			}
			made = nil
		}
	}
	if made == nil {
		for _, v := range older {
			v.Item.Fields = with(v.Item.Fields, holdfast.FieldCreated, p.Item.Fields[holdfast.FieldCreated])
			if made, err = r.upload(ctx, to, v.Item, "", v.Open); err != nil {
				return nil, fmt.Errorf("version %s: %w", v.Item.Version, err)
			}
			to = graph.NewFile{Drive: r.drive, Item: made.ID, Conflict: graph.ConflictReplace}
		}
		if made, err = r.content(ctx, p, to); err != nil {
			return nil, err
		}
		whole, err := r.versions(ctx, made.ID, p.Item, older)
		if err != nil {
			return nil, err
		}
		if !whole {
			// Somebody else wrote to it meanwhile, or the service lost one: another attempt makes it anew.
			return nil, holdfast.Unavailable("the versions of %q do not read back as they were put", p.Item.Name)
		}
	} else if p.Item.Size == 0 { // an attempt may have ended between the empty content and its times
		if made, err = r.complete(ctx, p, made); err != nil {
			return nil, err
		}
	}
	named, err := r.g.UpdateItem(ctx, r.drive, made.ID, "", map[string]any{"name": name})
	if m365.KindOf(err) == m365.Conflict {
		if err := r.g.DeleteItem(ctx, r.drive, made.ID); err != nil && m365.KindOf(err) != m365.NotFound {
			return nil, err
		}
	}
	return named, err
}

// versions tells that a file has the older versions and then the present one, in this order and of these sizes. A present one that is empty takes two, see send.
func (r *restore) versions(ctx context.Context, id string, present holdfast.Item, older []engine.PutVersion) (bool, error) {
	var want, have []int64
	for _, v := range older {
		want = append(want, v.Item.Size)
	}
	want = append(want, present.Size)
	list := graph.List{Top: 200}
	first, err := r.g.ItemVersions(ctx, r.drive, id, list)
	for v, err := range graph.All(ctx, r.g, first, err, list) {
		if err != nil {
			return false, err
		}
		have = append(have, v.Size)
	}
	slices.Reverse(have) // the newest comes first
	if n := len(want); present.Size == 0 && len(have) == n+1 && have[n] == 0 {
		have = have[:n]
	}
	if office(present.Name) {
		return len(have) == len(want), nil // the service writes properties into them, which changes sizes
	}
	return slices.Equal(have, want), nil
}

// stored is what a restore takes out of a file's JSON.
type stored struct {
	Description string `json:"description"`
}

// read decodes a stored form into v; a form that there is none of leaves it.
func read(ctx context.Context, p engine.Put, form holdfast.Form, v any) error {
	body, ok, err := p.Open(ctx, form)
	if err != nil || !ok {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("stored %s: %w", form, err)
	}
	return nil
}

const uploadAttempts = 4

// upload writes one content, with its times, and has it compared with what the service then says. An upload session that is forgotten is begun anew;
// when the last answer is lost, what is there tells.
func (r *restore) upload(ctx context.Context, to graph.NewFile, item holdfast.Item, about string, open func(context.Context) (io.ReadCloser, error)) (*graph.DriveItem, error) {
	to.Size, to.Times, to.Description = item.Size, timesOf(item), about
	if item.Kind == holdfast.KindVersion && item.Size == 0 {
		to.Times = nil // they would be one more version, see send, and the service keeps none of an older one
	}
	for attempt := 1; ; attempt++ {
		body, err := open(ctx)
		if err != nil {
			return nil, err
		}
		made, hash, err := r.send(ctx, to, body)
		if err := body.Close(); err != nil {
			return nil, fmt.Errorf("read the vault: %w", err)
		}
		if err == nil {
			if want := item.Fields[holdfast.FieldHash]; want != "" && want != hash {
				return nil, holdfast.Damaged("the stored content of %q has the hash %s, its row says %s", item.Name, hash, want)
			}
			// Of an older version the service gives no hash later on, so it is compared while it is the present one.
			if item.Kind == holdfast.KindVersion && made.Hash() != "" && !r.equal(made, sent(item, hash)) && !office(item.Name) {
				return nil, holdfast.Unavailable("version %s of %q was taken as %d bytes with hash %s; sent were %d with %s", item.Version, item.Name, made.Size, made.Hash(), item.Size, hash)
			}
			return made, nil
		}
		if ctx.Err() != nil || attempt >= uploadAttempts {
			return nil, err
		}
		kind := m365.KindOf(err)
		if !m365.OutcomeUnknown(err) && kind != m365.NotFound && kind != m365.Unavailable && kind != m365.Conflict {
			return nil, err
		}
		there, lerr := r.look(ctx, to)
		if lerr != nil {
			return nil, lerr
		}
		if there != nil && r.equal(there, sent(item, hash)) {
			return r.finished(ctx, there, to.Times, to.Description)
		}
		if kind == m365.Conflict {
			return nil, err
		}
		if to.IfMatch != "" && there != nil {
			to.IfMatch = there.ETag // it was checked before the first attempt; what changed since is ours
		}
	}
}

// known gives a file that is restored as an older version was its hash, which the service tells of no version: by it what is there is compared.
func known(ctx context.Context, p *engine.Put) error {
	if p.Item.Kind != holdfast.KindFile || p.Item.Fields[holdfast.FieldHash] != "" || p.Item.Fields[holdfast.FieldVersionID] == "" {
		return nil
	}
	body, ok, err := p.Open(ctx, holdfast.FormFile)
	if err != nil || !ok {
		return err
	}
	var quick graph.QuickXor
	_, err = io.Copy(&quick, body)
	if err := errors.Join(err, body.Close()); err != nil {
		return err
	}
	p.Item.Fields = with(p.Item.Fields, holdfast.FieldHash, quick.Text())
	return nil
}

// sent is item with the hash of what was sent.
func sent(item holdfast.Item, hash string) holdfast.Item {
	if hash != "" {
		item.Fields = with(map[string]string{}, holdfast.FieldHash, hash)
	}
	return item
}

func (r *restore) look(ctx context.Context, to graph.NewFile) (*graph.DriveItem, error) {
	var there *graph.DriveItem
	var err error
	if to.Item != "" {
		there, err = r.g.DriveItem(ctx, r.drive, to.Item, graph.List{})
	} else {
		there, err = r.g.DriveChild(ctx, r.drive, to.Parent, to.Name, graph.List{})
	}
	if m365.KindOf(err) == m365.NotFound {
		return nil, nil
	}
	return there, err
}

// send uploads once. hash is that of the bytes as far as they were read.
func (r *restore) send(ctx context.Context, to graph.NewFile, body io.Reader) (made *graph.DriveItem, hash string, err error) {
	var quick graph.QuickXor
	body = io.TeeReader(body, &quick)
	if to.Size == 0 {
		if n, err := io.ReadFull(body, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return nil, "", holdfast.Damaged("the stored file %q is not empty as its row says: %v", to.Name, err)
		}
		if made, err = r.g.PutSmall(ctx, to, nil); err != nil {
			return nil, quick.Text(), err
		}
		// An empty file needs no session, and only a session takes times.
		made, err = r.describe(ctx, made, to.Times, to.Description)
		return made, quick.Text(), err
	}
	up, err := r.g.CreateFileUpload(ctx, to)
	if err != nil {
		return nil, "", err
	}
	raw, _, err := up.Send(ctx, body)
	if err != nil {
		if ctx.Err() == nil {
			_ = up.Cancel(ctx) // it ends by itself
		}
		return nil, quick.Text(), err
	}
	made, err = graph.Uploaded(raw)
	return made, quick.Text(), err
}

// describe gives a file that was made without a session its times and its description.
func (r *restore) describe(ctx context.Context, made *graph.DriveItem, times *graph.FileSystemInfo, description string) (*graph.DriveItem, error) {
	change := map[string]any{}
	if times != nil {
		change["fileSystemInfo"] = times
	}
	if description != "" {
		change["description"] = description
	}
	if len(change) == 0 {
		return made, nil
	}
	return r.g.UpdateItem(ctx, r.drive, made.ID, "", change)
}

// complete is finished with what is stored of the item.
func (r *restore) complete(ctx context.Context, p engine.Put, made *graph.DriveItem) (*graph.DriveItem, error) {
	about := stored{}
	if err := read(ctx, p, holdfast.FormJSON, &about); err != nil {
		return nil, err
	}
	return r.finished(ctx, made, timesOf(p.Item), about.Description)
}

// finished does the second step of making an empty file, see send, when the attempt that made it ended before it.
func (r *restore) finished(ctx context.Context, made *graph.DriveItem, times *graph.FileSystemInfo, description string) (*graph.DriveItem, error) {
	if made.Size > 0 || times != nil && made.FileSystem != nil && sameSecond(made.FileSystem.Created, times.Created) && sameSecond(made.FileSystem.Modified, times.Modified) {
		return made, nil
	}
	return r.describe(ctx, made, times, description)
}

func sameSecond(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }

// settle restores the sharing, reads the file back and compares.
func (r *restore) settle(ctx context.Context, p engine.Put, id string) (engine.Restored, error) {
	res := engine.Restored{NewID: id}
	if r.plan.Permissions {
		lost, err := r.share(ctx, p, id)
		if err != nil {
			return res, err
		}
		res.Lost = append(res.Lost, lost...)
	}
	there, err := r.g.DriveItem(ctx, r.drive, id, graph.List{})
	if err != nil {
		return res, err
	}
	unknown := p.Item.Fields[holdfast.FieldHash] == "" || there.Hash() == ""
	if !r.equal(there, p.Item) && !(unknown && there.Size == p.Item.Size) {
		if !office(there.Name) {
			return res, fmt.Errorf("%q reads back as %d bytes with hash %s, not %d with %s", there.Name, there.Size, there.Hash(), p.Item.Size, p.Item.Fields[holdfast.FieldHash])
		}
		res.Lost = append(res.Lost, "content") // the service writes properties into Office files; the vault keeps the stored bytes
	}
	if times := timesOf(p.Item); times != nil && there.FileSystem != nil {
		if !sameSecond(there.FileSystem.Created, times.Created) {
			res.Lost = append(res.Lost, "created")
		}
		if !sameSecond(there.FileSystem.Modified, times.Modified) {
			res.Lost = append(res.Lost, "modified")
		}
	}
	return res, nil
}

// office tells files into which SharePoint writes properties on upload.
// https://learn.microsoft.com/sharepoint/dev/general-development/sharepoint-property-promotion-and-demotion
func office(name string) bool {
	return slices.Contains([]string{".docx", ".docm", ".dotx", ".xlsx", ".xlsm", ".xltx", ".xlsb", ".pptx", ".pptm", ".potx", ".ppsx", ".doc", ".xls", ".ppt", ".vsdx", ".one"}, strings.ToLower(path.Ext(name)))
}

// share gives an item the permissions of its own again. Nobody is mailed. What cannot be given is named.
func (r *restore) share(ctx context.Context, p engine.Put, id string) (lost []string, err error) {
	var permissions []graph.Permission
	if err := read(ctx, p, holdfast.FormPermissions, &permissions); err != nil {
		return nil, err
	}
	if lost, err = r.shareWithGroups(ctx, permissions, id); err != nil {
		return lost, err
	}
	for i := range permissions {
		g := &permissions[i]
		if g.InheritedFrom != nil || slices.Contains(g.Roles, "owner") || ofGroup(g) && r.groups != nil {
			continue
		}
		what, err := r.grant(ctx, g, id)
		if err != nil {
			if ctx.Err() != nil || m365.Skip(err) == nil || m365.KindOf(err) == m365.Unavailable {
				return lost, err
			}
			what = "permission"
		}
		if what != "" && !slices.Contains(lost, what) {
			lost = append(lost, what)
		}
	}
	return lost, nil
}

// ofGroup says that a permission is one of a group of SharePoint's own.
func ofGroup(g *graph.Permission) bool {
	return g.Link == nil && g.GrantedTo != nil && g.GrantedTo.SiteGroup != nil && g.GrantedTo.User == nil && g.GrantedTo.Group == nil
}

// shareWithGroups gives groups of SharePoint's own what they had, before anybody else gets something: an item that is shared with somebody keeps what it
// inherits.
func (r *restore) shareWithGroups(ctx context.Context, permissions []graph.Permission, id string) (lost []string, err error) {
	if r.groups == nil {
		return nil, nil
	}
	var grants []graph.Permission
	for i := range permissions {
		if g := &permissions[i]; g.InheritedFrom == nil && ofGroup(g) {
			grants = append(grants, *g)
		}
	}
	if len(grants) == 0 {
		return nil, nil
	}
	lost, err = r.groups.Share(ctx, id, grants)
	if err != nil && ctx.Err() == nil && m365.Lasting(err) {
		return append(lost, "permissions of groups"), nil
	}
	return lost, err
}

// grant gives one permission; lost names what of it could not be given.
func (r *restore) grant(ctx context.Context, g *graph.Permission, id string) (lost string, err error) {
	if g.Link != nil && !strings.EqualFold(g.Link.Scope, "users") {
		if g.HasPassword {
			return "link password", nil // a link without its password would open more than before
		}
		if g.Expires != nil {
			return "link expiry", nil // v1.0 would make it for ever
		}
		_, err := r.g.CreateLink(ctx, r.drive, id, g.Link.Type, g.Link.Scope)
		return "", err
	}
	people := g.GrantedToAll
	if g.GrantedTo != nil {
		people = append(people, *g.GrantedTo)
	}
	var recipients []map[string]string
	for _, who := range people {
		switch {
		case who.User != nil && who.User.ID != "":
			recipients = append(recipients, map[string]string{"objectId": who.User.ID})
		case who.Group != nil && who.Group.ID != "":
			recipients = append(recipients, map[string]string{"objectId": who.Group.ID})
		case who.User != nil && who.User.Email != "":
			recipients = append(recipients, map[string]string{"email": who.User.Email})
		default:
			lost = "permission" // a SharePoint group, or somebody who is known by name only
		}
	}
	if g.Link != nil {
		lost = "link for certain people" // they get the permission itself: making the link would mail them
	}
	if len(recipients) == 0 || len(g.Roles) == 0 {
		return lost, nil
	}
	if g.Expires != nil && !g.Expires.After(r.g.M365().Clock().Now()) {
		return lost, nil // it has ended
	}
	_, err = r.g.Invite(ctx, r.drive, id, recipients, g.Roles, g.Expires)
	return lost, err
}
