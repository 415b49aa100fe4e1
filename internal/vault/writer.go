package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// WriterOptions say what a Writer writes to.
type WriterOptions struct {
	Container holdfast.Container
	Base      *Head // nil: the container is empty
	Epoch     holdfast.Epoch
}

// Writer collects what changed in one container. Put, Delete and Cursor may be called at the same time.
//
// What it stores is not durable before the head that Seal gives has been published. After an error of the repository (not of a payload's
// reader) the writer is spent: start a new one from the last published or checkpoint head.
type Writer struct {
	repo    *shared
	session *writeSession
	o       WriterOptions

	mu      sync.Mutex // guards all below; a Seal holds it to its end
	base    *Head
	view    *View             // base and what was spilled since
	spilled []RunRef          // newest first; since the last Seal
	rows    *held             // newest row of each id since the last spill
	cursors map[string]string // set since the last Seal
	open    *block
	filled  []*block // being stored, since the last spill
	counts  counts   // of the live items
	stored  int64    // bytes of payloads since the last Seal
	changes int64    // rows since the last Seal
	safe    time.Time
	err     error
	closed  bool
}

type counts struct{ items, folders, bytes int64 }

// Writer starts a writer. Only the holder of the container's lease may publish what it seals.
func (r *Repository) Writer(ctx context.Context, o WriterOptions) (*Writer, error) {
	if o.Container.Kind == "" || o.Container.Source == "" {
		return nil, holdfast.Invalid("a container needs a kind and a source id")
	}
	if o.Container.Organization == "" {
		o.Container.Organization = r.ref.Organization
	}
	if o.Container.Organization != r.ref.Organization {
		return nil, holdfast.Invalid("container %s belongs to another organization than the repository", o.Container.Key())
	}
	w := &Writer{repo: r.shared, o: o, base: o.Base, rows: newHeld(), cursors: map[string]string{}, safe: r.clock.Now()}
	var runs []RunRef
	if b := o.Base; b != nil {
		if err := b.check(); err != nil {
			return nil, err
		}
		if b.Container.Key() != o.Container.Key() {
			return nil, holdfast.Invalid("the head is of %s, not of %s", b.Container.Key(), o.Container.Key())
		}
		if b.Epoch > o.Epoch {
			return nil, holdfast.Stale("the head of %s is of epoch %d, later than this lease's %d", o.Container.Key(), b.Epoch, o.Epoch)
		}
		runs = b.Runs
		w.counts = counts{b.Items, b.Folders, b.Bytes}
	}
	w.view = newView(r.shared, o.Base, runs)
	var err error
	if w.session, err = r.acquire(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.writers[w] = struct{}{}
	r.mu.Unlock()
	return w, nil
}

// Close ends the writer. What was not sealed is dropped.
func (w *Writer) Close() {
	w.repo.mu.Lock()
	delete(w.repo.writers, w)
	w.repo.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.rows, w.open, w.filled = newHeld(), nil, nil
}

func (w *Writer) usable() error {
	if w.closed {
		return errors.New("the writer is closed")
	}
	if w.err != nil {
		return w.err
	}
	if err := w.session.broken(); err != nil {
		return errSpent(err)
	}
	return nil
}

// spend marks the writer as spent.
func (w *Writer) spend(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// Bytes is how much payload was stored since the last Seal, before compression.
func (w *Writer) Bytes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stored
}

// Items is how many versions and tombstones were stored since the last Seal.
func (w *Writer) Items() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes
}

func classOf(k holdfast.ItemKind) class {
	if k == holdfast.KindFolder {
		return classFolder
	}
	return classItem
}

// Put stores a version of an item with its payloads. A payload with Keep takes over the previous version's payload of that form;
// holdfast.NotFound when there is none. Forms that are not given are not kept.
// It returns when the payloads have been read. An error of a payload's reader comes back as it was, and nothing was stored.
func (w *Writer) Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	if item.ID == "" || item.Kind == "" {
		return holdfast.Invalid("an item needs an id and a kind")
	}
	item.Time = item.Time.UTC()
	got := &row{class: classOf(item.Kind), item: item}
	buffer := scratch()
	in := &intake{repo: w.repo, to: w.session, pack: w.pack, buffer: *buffer}
	defer func() {
		*buffer = in.buffer
		give(buffer)
	}()
	for _, p := range payloads {
		if slices.ContainsFunc(in.list, func(o payload) bool { return o.form == p.Form }) {
			return holdfast.Invalid("payload %s is given twice", p.Form)
		}
		if p.Keep {
			in.list = append(in.list, payload{form: p.Form, size: keepLater})
			continue
		}
		if err := in.payload(ctx, p); err != nil {
			return err
		}
	}
	if err := in.pack(ctx, in); err != nil {
		return err
	}
	got.payloads = in.list
	if n := got.memory(); n > maxRow/2 {
		return holdfast.Invalid("the properties of item %q take %d bytes; at most %d can be stored", item.ID, n, maxRow/2)
	}
	return w.insert(ctx, item.ID, in.stored, func(previous *row) (*row, error) {
		for i, p := range got.payloads {
			if p.size != keepLater {
				continue
			}
			kept := previous.payload(p.form)
			if kept == nil {
				return nil, holdfast.NotFound("item %q has no earlier payload %s to keep", item.ID, p.form)
			}
			got.payloads[i] = *kept
		}
		return got, nil
	})
}

// keepLater is the size of a payload that is taken over from the previous version.
const keepLater = -1

func (r *row) payload(f holdfast.Form) *payload {
	if r == nil {
		return nil
	}
	for i := range r.payloads {
		if r.payloads[i].form == f {
			return &r.payloads[i]
		}
	}
	return nil
}

// Delete hides an item. Deleting what is not there does nothing.
func (w *Writer) Delete(ctx context.Context, id string) error {
	if id == "" {
		return holdfast.Invalid("an item needs an id")
	}
	return w.insert(ctx, id, 0, func(previous *row) (*row, error) {
		if previous == nil {
			return nil, nil
		}
		return &row{class: classTomb, item: holdfast.Item{ID: id}}, nil
	})
}

// insert adds the row that make gives for the live row that there was, or nothing when it gives none.
func (w *Writer) insert(ctx context.Context, id string, stored int64, make func(previous *row) (*row, error)) error {
	k := keyOf(id)
	for {
		w.mu.Lock()
		if err := w.usable(); err != nil {
			w.mu.Unlock()
			return err
		}
		previous, known, err := w.rows.get(k)
		if err != nil {
			err = w.spend(fmt.Errorf("row of %q in memory: %w", id, err))
			w.mu.Unlock()
			return err
		}
		view := w.view
		if !known && len(view.runs) > 0 {
			// Look up without the lock, then see that no run was added meanwhile.
			w.mu.Unlock()
			found, err := view.row(ctx, id)
			if err != nil {
				return err
			}
			w.mu.Lock()
			if _, known = w.rows.at[k]; known || w.view != view {
				w.mu.Unlock()
				continue
			}
			previous = found
		}
		if previous != nil && previous.class == classTomb {
			previous = nil
		}
		err = w.add(ctx, stored, previous, make)
		w.mu.Unlock()
		return err
	}
}

// add does insert's work under the lock.
func (w *Writer) add(ctx context.Context, stored int64, previous *row, make func(previous *row) (*row, error)) error {
	if err := w.usable(); err != nil {
		return err
	}
	got, err := make(previous)
	if err != nil || got == nil {
		return err
	}
	w.counts.add(previous, -1)
	w.counts.add(got, 1)
	w.rows.put(got)
	w.stored += stored
	w.changes++
	if w.rows.size < w.repo.layout().spill {
		return nil
	}
	ref, err := w.flushRows(ctx, nil)
	if err != nil {
		return w.spend(err)
	}
	w.spilled = slices.Insert(w.spilled, 0, ref)
	w.view = newView(w.repo, w.base, slices.Insert(slices.Clone(w.view.runs), 0, ref))
	return nil
}

func (c *counts) add(r *row, n int64) {
	if r == nil {
		return
	}
	switch r.class {
	case classFolder:
		c.folders += n
	case classItem:
		c.items += n
	}
	for _, p := range r.payloads {
		c.bytes += n * p.size
	}
}

func (r *row) memory() int {
	n := 400 + len(r.item.ID) + len(r.item.Parent) + len(r.item.Version) + len(r.item.Name)
	for k, v := range r.item.Fields {
		n += len(k) + len(v) + 48
	}
	for _, p := range r.payloads {
		n += 80 + 96*len(p.pieces)
	}
	return n
}

// Cursor sets a cursor; an empty value removes it.
func (w *Writer) Cursor(ctx context.Context, name, value string) error {
	if name == "" || len(name)+len(value) > maxRow/2 {
		return holdfast.Invalid("a cursor needs a name, and a value of at most %d bytes", maxRow/2)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	w.cursors[name] = value
	return nil
}

// A raw piece larger than this is spread over blocks.
const spread = 64 << 10

// pack moves the buffered small pieces of a Put into the writer's open block. It stores the blocks that this fills.
func (w *Writer) pack(ctx context.Context, in *intake) error {
	if len(in.buffer) == 0 {
		return nil
	}
	var full []*block
	w.mu.Lock()
	if err := w.usable(); err != nil {
		w.mu.Unlock()
		return err
	}
	target := w.repo.layout().block
	for i := range in.list {
		p := &in.list[i]
		var pieces []piece
		for _, c := range p.pieces {
			if c.block != inBuffer {
				pieces = append(pieces, c)
				continue
			}
			data := in.buffer[c.offset : c.offset+c.length]
			for len(data) > 0 {
				n := len(data)
				if !c.base64 {
					n = min(n, spread)
				}
				if w.open == nil {
					w.open = &block{done: make(chan struct{}), raw: scratch()}
				}
				b := w.open
				pieces = append(pieces, piece{base64: c.base64, block: b, offset: int64(len(*b.raw)), length: int64(n)})
				*b.raw = append(*b.raw, data[:n]...)
				data = data[n:]
				if len(*b.raw) >= target {
					full = append(full, b)
					w.filled = append(w.filled, b)
					w.open = nil
				}
			}
		}
		p.pieces = pieces
	}
	in.stored += int64(len(in.buffer))
	in.buffer = in.buffer[:0]
	w.mu.Unlock()
	for i, b := range full {
		if w.store(ctx, b); b.err != nil {
			for _, rest := range full[i+1:] {
				rest.err = b.err
				close(rest.done)
			}
			return b.err
		}
	}
	return nil
}

// store puts a full block; only the goroutine that filled it calls this.
func (w *Writer) store(ctx context.Context, b *block) {
	size := int64(len(*b.raw))
	out := scratch()
	*out = w.repo.encodeBlock(*out, *b.raw)
	id, err := w.session.put(ctx, *out)
	give(out)
	give(b.raw)
	b.raw = nil
	b.ref, b.err = objectRef{id: id, packed: true, size: size}, err
	close(b.done)
}

// flushRows writes the rows in memory, and cursors, as a run. The lock is held.
func (w *Writer) flushRows(ctx context.Context, cursors map[string]string) (RunRef, error) {
	if b := w.open; b != nil {
		w.open = nil
		w.filled = append(w.filled, b)
		w.store(ctx, b)
	}
	for _, b := range w.filled {
		select {
		case <-b.done:
		case <-ctx.Done():
			return RunRef{}, ctx.Err()
		}
		if b.err != nil {
			return RunRef{}, b.err
		}
	}
	list, err := w.rows.all()
	if err != nil {
		return RunRef{}, fmt.Errorf("rows in memory: %w", err)
	}
	for name, value := range cursors {
		list = append(list, &row{class: classCursor, item: holdfast.Item{ID: name, Name: value}})
	}
	slices.SortFunc(list, func(a, b *row) int { return a.position().compare(b.position()) })
	build := newRunBuilder(w.repo, w.session, w.o.Container)
	for _, r := range list {
		if err := build.add(ctx, r); err != nil {
			return RunRef{}, err
		}
	}
	ref, err := build.finish(ctx)
	if err != nil {
		return RunRef{}, err
	}
	ref.Level = levelOf(ref.Rows)
	w.rows, w.filled = newHeld(), nil
	return ref, nil
}

// idleCursors is how old a head may grow before new values of its cursors alone make a new one.
const idleCursors = 24 * time.Hour

// changedCursors gives the cursors that differ from the base, and whether they are worth a run of their own.
func (w *Writer) changedCursors(ctx context.Context) (changed map[string]string, worth bool, err error) {
	if len(w.cursors) == 0 {
		return nil, false, nil
	}
	before, err := w.view.cursors(ctx)
	if err != nil {
		return nil, false, err
	}
	changed = map[string]string{}
	for name, value := range w.cursors {
		old, had := before[name]
		if old == value && (had || value == "") {
			continue
		}
		changed[name] = value
		worth = worth || !had || value == ""
	}
	if len(changed) > 0 && (w.base == nil || w.repo.clock.Now().Sub(w.base.Time) >= idleCursors) {
		worth = true
	}
	return changed, worth, nil
}

// Describe sets name, address and owner that the next sealed head has of its container.
func (w *Writer) Describe(c holdfast.Container) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.o.Container.Name, w.o.Container.Address, w.o.Container.Owner = c.Name, c.Address, c.Owner
}

// Seal writes what was collected as a run and gives the new head, which must then be published; the writer goes on from it.
// It gives nil when nothing changed. A mere new value of cursors that exist counts as no change until the base is a day old:
// an idle container writes nothing.
func (w *Writer) Seal(ctx context.Context) (*Head, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return nil, err
	}
	cursors, worth, err := w.changedCursors(ctx)
	if err != nil {
		return nil, err
	}
	if len(w.rows.at) == 0 && len(w.spilled) == 0 && !worth {
		return nil, nil
	}
	ref, err := w.flushRows(ctx, cursors)
	if err != nil {
		return nil, w.spend(err)
	}
	runs := slices.Clone(w.view.runs)
	fresh := slices.Clone(w.spilled)
	if ref.Rows > 0 {
		runs, fresh = slices.Insert(runs, 0, ref), append(fresh, ref)
	}
	live := w.counts.items + w.counts.folders
	runs, merged, err := w.repo.merge(ctx, w.session, w.o.Container, runs, live)
	if err != nil {
		return nil, w.spend(err)
	}
	h := &Head{
		Format: Format, Container: w.o.Container, Shard: w.repo.ref.Shard, Number: 1, Epoch: w.o.Epoch, Time: w.repo.clock.Now().UTC(),
		Runs: runs, Items: w.counts.items, Folders: w.counts.folders, Bytes: w.counts.bytes,
	}
	if w.base != nil {
		h.Number = w.base.Number + 1
	}
	data, err := h.encode()
	if err != nil {
		return nil, err
	}
	if h.Object, err = w.session.put(ctx, data); err != nil {
		return nil, w.spend(err)
	}
	fresh = slices.DeleteFunc(append(fresh, merged...), func(r RunRef) bool {
		return !slices.ContainsFunc(runs, func(o RunRef) bool { return o.Object == r.Object })
	})
	w.repo.mu.Lock()
	w.repo.sealed[h.Object] = sealedHead{w, w.session, fresh, h.Time}
	w.repo.mu.Unlock()
	w.base, w.view = h, newView(w.repo, h, runs)
	w.spilled, w.cursors, w.stored, w.changes = nil, map[string]string{}, 0, 0
	return h, nil
}

// sealedHead is what Publish must know of a head that is not published yet.
type sealedHead struct {
	writer  *Writer
	session *writeSession
	runs    []RunRef // new with this head
	at      time.Time
}

// published notes that all up to a head is safe from maintenance.
func (w *Writer) published(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.safe = now
}

func (w *Writer) String() string { return fmt.Sprintf("writer of %s", w.o.Container.Key()) }
