// Package enginetest has what tests of the engine and the proxy judge by: a tenant in memory that knows its own truth, a database in
// memory that can break at any call, and a digest of what a vault holds.
package enginetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/iotest"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// Organization is what all that is made here belongs to.
const Organization holdfast.OrganizationID = "0f0e0d0c-0000-4000-8000-000000000001"

// Tenant is an organization in memory. It is Workload, Source and Target of mailboxes. Fields are set before use.
type Tenant struct {
	Page   int         // items that a read puts before it saves; default 5
	Faults *sys.Faults // points "source" (each page) and "target" (each call of a restore)
	// Reading, when not nil, is called at the start of each page of a container.
	Reading func(ctx context.Context, c holdfast.Container) error

	mu    sync.Mutex // guards all below, and each box
	boxes map[string]*box
}

type box struct {
	things  map[string]thing
	gone    map[string]int // id -> seq
	seq     int
	fresh   int // number of the next item that a restore makes
	made    map[string][]string
	broken  map[string]*holdfast.Skip
	skip    *holdfast.Skip // the whole container
	reads   int
	expired int // deltas before this seq are refused: the source reads all again
}

// Clone is a tenant of its own with the same content.
func (t *Tenant) Clone() *Tenant {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &Tenant{Page: t.Page, boxes: map[string]*box{}}
	for source, b := range t.boxes {
		n := *b
		n.things, n.gone, n.made, n.broken = maps.Clone(b.things), maps.Clone(b.gone), maps.Clone(b.made), maps.Clone(b.broken)
		c.boxes[source] = &n
	}
	return c
}

type thing struct {
	item    holdfast.Item
	content string
	seq     int
}

// Container is the mailbox with that source id.
func Container(source string) holdfast.Container {
	return holdfast.Container{Organization: Organization, Kind: holdfast.Mailbox, Source: source, Owner: source, Name: source, Address: source + "@contoso.com"}
}

func (t *Tenant) box(source string) *box {
	if t.boxes == nil {
		t.boxes = map[string]*box{}
	}
	b := t.boxes[source]
	if b == nil {
		b = &box{things: map[string]thing{}, gone: map[string]int{}, made: map[string][]string{}, broken: map[string]*holdfast.Skip{}}
		t.boxes[source] = b
	}
	return b
}

// Put makes or changes an item. A content of "" and a name ending in "/" make a folder.
func (t *Tenant) Put(source, id, parent, name, content string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.box(source)
	b.put(id, parent, name, content)
}

func (b *box) put(id, parent, name, content string) {
	b.seq++
	delete(b.gone, id)
	kind := holdfast.KindMail
	if folder, ok := strings.CutSuffix(name, "/"); ok {
		kind, name = holdfast.KindFolder, folder
	}
	b.things[id] = thing{seq: b.seq, content: content, item: holdfast.Item{
		ID: id, Parent: parent, Kind: kind, Version: strconv.Itoa(b.seq), Name: name, Size: int64(len(content)),
		Time: time.Date(2026, 1, 1, 0, 0, b.seq, 0, time.UTC), Fields: map[string]string{holdfast.FieldFrom: "someone@contoso.com"},
	}}
}

// Delete removes an item.
func (t *Tenant) Delete(source, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.box(source)
	if _, ok := b.things[id]; ok {
		b.seq++
		delete(b.things, id)
		b.gone[id] = b.seq
	}
}

// Break makes an item unreadable, or readable again with nil.
func (t *Tenant) Break(source, id string, why *holdfast.Skip) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.box(source)
	if b.broken[id] = why; why == nil {
		delete(b.broken, id)
	}
}

// Broken gives the items that can't be read.
func (t *Tenant) Broken(source string) map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]bool{}
	for id := range t.box(source).broken {
		out[id] = true
	}
	return out
}

// Refuse makes a whole container unreadable, or readable again with nil.
func (t *Tenant) Refuse(source string, why *holdfast.Skip) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.box(source).skip = why
}

// Expire makes the container's delta tokens invalid: the next read enumerates and compares.
func (t *Tenant) Expire(source string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.box(source)
	b.expired = b.seq + 1
	b.seq++
}

// Truth is what the container holds now: item id -> digest.
func (t *Tenant) Truth(source string) map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]string{}
	for id, th := range t.box(source).things {
		out[id] = digest(th.item, th.content)
	}
	return out
}

// Contents counts the contents of a container's items, so that a restore can be judged whatever the ids.
func (t *Tenant) Contents(source string) map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]int{}
	for _, th := range t.box(source).things {
		out[th.item.Name+"\x00"+th.content]++
	}
	return out
}

// Reads is how often items of the container were read.
func (t *Tenant) Reads(source string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.box(source).reads
}

func digest(i holdfast.Item, content string) string {
	sum := sha256.Sum256([]byte(content))
	fields := ""
	for _, k := range slices.Sorted(maps.Keys(i.Fields)) {
		fields += k + "=" + i.Fields[k] + ";"
	}
	return fmt.Sprintf("%s in %q v%s %s %q %d %s %s", i.Kind, i.Parent, i.Version, i.Time.UTC().Format(time.RFC3339), i.Name, i.Size, fields, hex.EncodeToString(sum[:4]))
}

// Held is what a state in the vault holds, every byte read: item id -> digest.
func Held(ctx context.Context, view *vault.View) (map[string]string, error) {
	out := map[string]string{}
	for item, err := range view.All(ctx) {
		if err != nil {
			return nil, err
		}
		var content []byte
		body, ok, err := view.Open(ctx, item.ID, holdfast.FormMIME)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", item.ID, err)
		}
		if ok {
			content, err = io.ReadAll(body)
			if err := errors.Join(err, body.Close()); err != nil {
				return nil, fmt.Errorf("read %s: %w", item.ID, err)
			}
		}
		out[item.ID] = digest(item, string(content))
	}
	return out, nil
}

// Kind is mailbox.
func (t *Tenant) Kind() holdfast.ContainerKind { return holdfast.Mailbox }

// Source is the tenant itself.
func (t *Tenant) Source(context.Context, holdfast.Organization, holdfast.Credential) (engine.Source, error) {
	return t, nil
}

// Target is the tenant itself.
func (t *Tenant) Target(context.Context, holdfast.Organization, holdfast.Credential) (engine.Target, error) {
	return t, nil
}

// Discover gives all containers, those that are refused with the reason.
func (t *Tenant) Discover(_ context.Context, users []string) iter.Seq2[engine.Found, error] {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []engine.Found
	for _, source := range slices.Sorted(maps.Keys(t.boxes)) {
		if users != nil && !slices.Contains(users, source) {
			continue
		}
		f := engine.Found{Container: Container(source)}
		if why := t.boxes[source].skip; why != nil {
			f.Err = why
		}
		all = append(all, f)
	}
	return func(yield func(engine.Found, error) bool) {
		for _, f := range all {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// Cursors of a read: the seq that is known, and, in an enumeration, the seq at its start and the last id.
const (
	cursorDelta = "delta"
	cursorStart = "start"
	cursorNext  = "next"
)

// Read reads a container as the real sources do: page by page, contents in the pool, a savepoint after each page.
func (t *Tenant) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	delta, known, err := prev.Cursor(ctx, cursorDelta)
	if err != nil {
		return err
	}
	since, _ := strconv.Atoi(delta)
	t.mu.Lock()
	b := t.box(c.Source)
	if b.skip != nil {
		defer t.mu.Unlock()
		return b.skip
	}
	all := !known || since < b.expired || prev.Anew()
	t.mu.Unlock()
	if all {
		if since, err = t.enumerate(ctx, c, prev, sink); err != nil {
			return err
		}
	}
	for m, err := range engine.MissedItems(ctx, prev) {
		if err != nil {
			return err
		}
		t.mu.Lock()
		th, ok := b.things[m.Item.ID]
		t.mu.Unlock()
		if ok {
			t.fetch(ctx, c, th, sink)
		} else if err := sink.Delete(ctx, m.Item.ID); err != nil {
			return err
		}
	}
	t.mu.Lock()
	var changed []thing
	var gone []string
	for _, th := range b.things {
		if th.seq > since {
			changed = append(changed, th)
		}
	}
	for id, seq := range b.gone {
		if seq > since {
			gone = append(gone, id)
		}
	}
	upTo := b.seq
	t.mu.Unlock()
	slices.SortFunc(changed, func(x, y thing) int { return x.seq - y.seq })
	slices.Sort(gone)
	if err := t.page(ctx, c); err != nil {
		return err
	}
	for _, id := range gone {
		if err := sink.Delete(ctx, id); err != nil {
			return err
		}
	}
	for _, th := range changed {
		t.fetch(ctx, c, th, sink)
	}
	if err := sink.Wait(); err != nil {
		return err
	}
	return errors.Join(sink.Cursor(ctx, cursorDelta, strconv.Itoa(upTo)), sink.Savepoint(ctx))
}

func (t *Tenant) page(ctx context.Context, c holdfast.Container) error {
	if t.Reading != nil {
		if err := t.Reading(ctx, c); err != nil {
			return err
		}
	}
	if f := t.Faults.Hit("source"); f != nil {
		return holdfast.Unavailable("the source: %w", f.Err)
	}
	return ctx.Err()
}

// enumerate puts everything, going on where an unfinished enumeration was saved, and deletes what the vault has and the source has not.
func (t *Tenant) enumerate(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) (since int, err error) {
	next, resumed, err := prev.Cursor(ctx, cursorNext)
	if err != nil {
		return 0, err
	}
	start, _, err := prev.Cursor(ctx, cursorStart)
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	b := t.box(c.Source)
	if since = b.seq; resumed {
		since, _ = strconv.Atoi(start)
	}
	ids := slices.Sorted(maps.Keys(b.things))
	t.mu.Unlock()
	if err := sink.Cursor(ctx, cursorStart, strconv.Itoa(since)); err != nil {
		return 0, err
	}
	size := t.Page
	if size <= 0 {
		size = 5
	}
	for page := range slices.Chunk(ids, size) {
		last := page[len(page)-1]
		if resumed && last <= next {
			continue
		}
		if err := t.page(ctx, c); err != nil {
			return 0, err
		}
		for _, id := range page {
			t.mu.Lock()
			th, ok := b.things[id]
			t.mu.Unlock()
			if ok {
				t.fetch(ctx, c, th, sink)
			}
		}
		if err := sink.Wait(); err != nil {
			return 0, err
		}
		if err := errors.Join(sink.Cursor(ctx, cursorNext, last), sink.Savepoint(ctx)); err != nil {
			return 0, err
		}
	}
	for item, err := range prev.All(ctx) {
		if err != nil {
			return 0, err
		}
		t.mu.Lock()
		_, ok := b.things[item.ID]
		t.mu.Unlock()
		if !ok {
			if err := sink.Delete(ctx, item.ID); err != nil {
				return 0, err
			}
		}
	}
	return since, errors.Join(sink.Cursor(ctx, cursorNext, ""), sink.Cursor(ctx, cursorStart, ""))
}

func (t *Tenant) fetch(ctx context.Context, c holdfast.Container, th thing, sink engine.Sink) {
	sink.Go(ctx, int64(len(th.content)), func(ctx context.Context) error {
		t.mu.Lock()
		b := t.box(c.Source)
		why := b.broken[th.item.ID]
		b.reads++
		t.mu.Unlock()
		if th.item.Kind == holdfast.KindFolder {
			return sink.Put(ctx, th.item)
		}
		var r io.Reader = iotest.OneByteReader(strings.NewReader(th.content))
		if len(th.content) > 4096 {
			r = strings.NewReader(th.content)
		}
		if why != nil {
			r = io.MultiReader(strings.NewReader(th.content[:len(th.content)/2]), iotest.ErrReader(why))
		}
		err := sink.Put(ctx, th.item, holdfast.Whole(holdfast.FormMIME, r, -1))
		var skip *holdfast.Skip
		if errors.As(err, &skip) {
			sink.Skip(ctx, th.item, skip)
			return nil
		}
		return err
	})
}

// Open prepares a restore into a mailbox.
func (t *Tenant) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	r := &restore{t: t, plan: plan}
	err := t.Faults.Do(ctx, "target", func(context.Context) error { return nil })
	if err != nil {
		return nil, holdfast.Unavailable("the target: %w", err)
	}
	if plan.Folder != "" {
		r.root, err = r.Folder(ctx, holdfast.Item{Name: plan.Folder}, "")
	}
	return r, err
}

type restore struct {
	t    *Tenant
	plan engine.RestorePlan
	root string
}

// Folder finds a folder by name in its parent, or makes it.
func (r *restore) Folder(ctx context.Context, folder holdfast.Item, parent string) (id string, err error) {
	if parent == "" {
		parent = r.root
	}
	err = r.t.Faults.Do(ctx, "target", func(context.Context) error {
		r.t.mu.Lock()
		defer r.t.mu.Unlock()
		b := r.t.box(r.plan.To.Source)
		for have, th := range b.things {
			if th.item.Kind == holdfast.KindFolder && th.item.Parent == parent && th.item.Name == folder.Name {
				id = have
				return nil
			}
		}
		if r.plan.DryRun {
			id = engine.Planned + parent + "/" + folder.Name
			return nil
		}
		b.fresh++
		id = fmt.Sprintf("new%d", b.fresh)
		b.put(id, parent, folder.Name+"/", "")
		return nil
	})
	if err != nil {
		return "", holdfast.Unavailable("the target: %w", err)
	}
	return id, nil
}

// Put makes an item, unless an earlier attempt left it.
func (r *restore) Put(ctx context.Context, p engine.Put) (res engine.Restored, err error) {
	body, ok, err := p.Open(ctx, holdfast.FormMIME)
	if err != nil {
		return res, err
	}
	var content []byte
	if ok {
		content, err = io.ReadAll(body)
		if err := errors.Join(err, body.Close()); err != nil {
			return res, err
		}
	}
	parent := p.Parent
	if parent == "" {
		parent = r.root
	}
	err = r.t.Faults.Do(ctx, "target", func(context.Context) error {
		r.t.mu.Lock()
		defer r.t.mu.Unlock()
		b := r.t.box(r.plan.To.Source)
		if why := b.broken[p.Item.ID]; why != nil {
			return why
		}
		if th, ok := b.things[p.Item.ID]; ok && r.plan.From.Key() == r.plan.To.Key() && th.content == string(content) {
			res = engine.Restored{Outcome: engine.Existing, NewID: p.Item.ID}
			return nil
		}
		if made := b.made[p.Marker]; p.Again && len(made) > 0 {
			res = engine.Restored{Outcome: engine.Created, NewID: made[0]}
			return nil
		}
		if r.plan.DryRun {
			res = engine.Restored{Outcome: engine.Created, Cost: holdfast.Cost{Requests: 1}}
			return nil
		}
		b.fresh++
		id := fmt.Sprintf("new%d", b.fresh)
		b.put(id, parent, p.Item.Name, string(content))
		b.made[p.Marker] = append(b.made[p.Marker], id)
		res = engine.Restored{Outcome: engine.Created, NewID: id}
		return nil
	})
	var skip *holdfast.Skip
	if err != nil && !errors.As(err, &skip) {
		return engine.Restored{}, holdfast.Unavailable("the target: %w", err)
	}
	return res, err
}

// Close has nothing to do.
func (r *restore) Close(context.Context) error { return nil }

// Body is content of about n bytes that tells which it is and compresses badly.
func Body(seed string, n int) string {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		sum := sha256.Sum256([]byte(seed + strconv.Itoa(i)))
		b.Write(sum[:])
	}
	return b.String()[:n]
}
