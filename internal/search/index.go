package search

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// work is one pass over an organization's side file.
type work struct {
	index *Index
	shelf *shelf
	file  *file         // must stay the same during the pass: numbers in it are remembered
	batch batch         // of all containers together, for many change little
	pause time.Duration // when it last made room for others
	dead  bool          // there are numbers that must not be used again
}

var errRemade = errors.New(holdfast.SayIndexRemade.With())

func (w *work) with(fn func(f *file) error) error {
	// A background context: a side file is not left half open.
	return w.index.with(context.Background(), w.shelf, func(f *file) error {
		if w.file == nil {
			w.file = f
		}
		if f != w.file {
			return errRemade
		}
		return fn(f)
	})
}

func (w *work) tx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return w.with(func(f *file) error {
		return f.tx(ctx, func(tx *sql.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			if w.index.c.Crash != nil {
				return w.index.c.Crash()
			}
			return nil
		})
	})
}

// Update brings the index of one organization up to date.
func (x *Index) Update(ctx context.Context, org holdfast.OrganizationID) error {
	s, err := x.shelf(org)
	if err != nil {
		return err
	}
	s.index.Lock()
	defer s.index.Unlock()
	err = x.update(ctx, s)
	if errors.Is(err, errRemade) {
		err = x.update(ctx, s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working = false
	s.problem = ""
	if err != nil && ctx.Err() == nil {
		s.problem = err.Error()
	} else if err == nil {
		s.synced = x.c.Clock.Now()
	}
	return err
}

// target is a head to bring into the index.
type target struct {
	container  int64
	repository holdfast.RepositoryID
	key        string
	problem    string // of the last try
	from, to   uint64
	anew       bool // an older head than the newest one indexed, or that one stands in no restore point any more: the container is indexed anew
}

func (x *Index) update(ctx context.Context, s *shelf) error {
	w := &work{index: x, shelf: s, batch: newBatch(), pause: sys.Monotonic()}
	if err := x.syncPoints(ctx, w); err != nil {
		return err
	}
	if err := w.with(func(f *file) error {
		return f.write.QueryRowContext(ctx, `SELECT EXISTS(SELECT 1 FROM dead)`).Scan(&w.dead)
	}); err != nil {
		return err
	}
	for failed := map[int64]bool{}; ; {
		t, ok, err := x.next(ctx, w, failed)
		if err != nil {
			return err
		}
		if !ok && len(w.batch.heads) > 0 {
			// What these containers have next comes after it.
			if err := w.flush(ctx, nil); err != nil {
				return err
			}
			continue
		}
		if !ok {
			if err := w.tidy(ctx); err != nil {
				return err
			}
			if len(failed) > 0 {
				return errors.New(holdfast.SayNotAllIndexed.With(len(failed)))
			}
			return nil
		}
		s.mu.Lock()
		s.working = true
		s.mu.Unlock()
		err = x.container(ctx, w, t)
		if ctx.Err() != nil || errors.Is(err, errRemade) || spoiled(err) {
			return err
		}
		problem := ""
		if err != nil {
			failed[t.container] = true
			problem = err.Error()
			x.c.Log.Warn("can't be indexed", "organization", s.org, "container", t.key, "error", err)
		}
		if problem == t.problem {
			continue
		}
		if err := w.tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE containers SET problem = ? WHERE id = ?`, problem, t.container)
			return err
		}); err != nil {
			return err
		}
	}
}

// tidy merges runs until there are few.
func (w *work) tidy(ctx context.Context) error {
	for {
		var runs []run
		if err := w.with(func(f *file) (err error) {
			runs, err = due(ctx, f.write)
			return err
		}); err != nil || len(runs) == 0 {
			return err
		}
		if err := w.tx(ctx, func(tx *sql.Tx) error { return merge(ctx, tx, runs, func() error { return w.yield(ctx) }) }); err != nil {
			return err
		}
	}
}

// next gives the head that is to be indexed next: of the container whose turn it is, the oldest missing one. Containers whose newest state
// was never indexed come first.
func (x *Index) next(ctx context.Context, w *work, failed map[int64]bool) (t target, ok bool, err error) {
	err = w.with(func(f *file) error {
		ok = false
		return each(ctx, f.write, `SELECT c.id, c.repository, c.key, c.problem, c.head, min(CASE WHEN h.done = 0 THEN h.head END), max(h.head) FROM known h JOIN containers c ON c.id = h.container
			GROUP BY c.id HAVING min(h.done) = 0 OR max(h.head) < c.head ORDER BY c.head > 0, c.id`, nil, func(scan func(...any) error) error {
			var n target
			var missing sql.NullInt64
			var newest uint64
			if err := scan(&n.container, &n.repository, &n.key, &n.problem, &n.from, &missing, &newest); err != nil || ok || failed[n.container] || w.batch.has(n.container) {
				return err
			}
			n.to = uint64(missing.Int64)
			n.anew = n.to <= n.from || newest < n.from
			t, ok = n, true
			return nil
		})
	})
	return t, ok, err
}

// container brings one head of one container into the index.
func (x *Index) container(ctx context.Context, w *work, t target) error {
	if t.anew {
		w.dead = true
		return w.tx(ctx, func(tx *sql.Tx) error {
			for _, q := range []string{
				`UPDATE versions SET gone = born WHERE container = ?1`, // forget takes all of them: nothing lies in an empty interval
				`UPDATE heads SET done = 0 WHERE container = ?1`,
				`UPDATE ahead SET done = 0 WHERE container = ?1`,
				`UPDATE containers SET head = 0 WHERE id = ?1`,
			} {
				if _, err := tx.ExecContext(ctx, q, t.container); err != nil {
					return err
				}
			}
			return forget(ctx, tx)
		})
	}
	head, err := x.head(ctx, w.shelf.org, t, t.to)
	if err != nil {
		return err
	}
	var before *vault.Head
	if t.from > 0 {
		// When it is gone the whole of the new head is compared with the index.
		if before, err = x.head(ctx, w.shelf.org, t, t.from); err != nil && holdfast.KindOf(err) != holdfast.KindNotFound {
			return err
		}
	}
	path, err := x.c.Catalogue.Path(ctx, t.repository)
	if err != nil {
		return err
	}
	repo, err := x.c.Vault.Repository(ctx, vault.Ref{Repository: t.repository, Path: path, Organization: w.shelf.org, Shard: head.Shard})
	if err != nil {
		return err
	}
	view, err := repo.View(ctx, head)
	if err == nil {
		r := &reading{work: w, target: t, view: view, head: int64(head.Number)}
		err = r.all(ctx, before)
	}
	return errors.Join(err, repo.Close())
}

func (x *Index) head(ctx context.Context, org holdfast.OrganizationID, t target, number uint64) (*vault.Head, error) {
	record, err := x.c.Catalogue.Head(ctx, t.repository, org, t.key, number)
	if err != nil {
		return nil, fmt.Errorf("%s%w", holdfast.SayIndexState.With(number, t.key, ""), err)
	}
	return vault.DecodeHead(record.Data)
}

// reading brings a head into the index.
type reading struct {
	*work
	target target
	view   *vault.View
	head   int64

	seen []int64 // documents that the head has, when all of it is read
	anew bool    // the index has nothing of the container
}

// batch is what one transaction writes.
type batch struct {
	docs  []document
	words *builder       // of the documents, in the same order
	taken map[int64]bool // numbers of documents in docs
	close []closing      // versions that end
	open  []versionRow   // versions that begin
	heads []finished     // of which all is in the index then
	held  int            // bytes of memory besides words, about
}

func newBatch() batch { return batch{words: newBuilder(), taken: map[int64]bool{}} }

func (b *batch) has(container int64) bool {
	return slices.ContainsFunc(b.heads, func(f finished) bool { return f.container == container })
}

// closing ends the version of a document at a head.
type closing struct{ doc, head int64 }

// finished is a head of a container.
type finished struct{ container, head int64 }

// document is what docs has of one; its words are in the builder already.
type document struct {
	id, key, container      int64
	item, name, class       string
	kind                    holdfast.ItemKind
	sender, recipients, cc  string
	remark                  string
	time, size              int64
	hash                    []byte
	sent, created, modified any
	start, end, due         any
	status                  string
}

type versionRow struct {
	doc        int64
	container  int64
	head       int64
	folder     string
	marks      int
	categories string
}

// held is what the index has of an item: a document and, when the item has not gone, its open version.
type held struct {
	doc  int64
	hash []byte
	open bool
	versionRow
}

// Bounds of what waits in memory for one transaction, and the last item may go beyond.
const (
	mostHeld  = 32 << 20 // bytes of documents and their words
	mostHeads = 1000

	// Bytes of memory of a document and of a version besides their texts, about.
	documentCost = 500
	versionCost  = 150
)

func (r *reading) all(ctx context.Context, before *vault.Head) error {
	if err := r.fresh(ctx); err != nil {
		return err
	}
	changes, whole := r.view.Changes(ctx, before)
	for c, err := range changes {
		if err != nil {
			return err
		}
		if c.Item.Kind == holdfast.KindVersion {
			continue // the file that it is an older version of is found
		}
		if err := r.change(ctx, &c, whole); err != nil {
			return err
		}
		if r.full() {
			if err := r.flush(ctx, nil); err != nil {
				return err
			}
		}
	}
	r.batch.heads = append(r.batch.heads, finished{r.target.container, r.head})
	if whole && !r.anew {
		return r.flush(ctx, func(tx *sql.Tx) error { return r.closeUnseen(ctx, tx) })
	} else if r.full() {
		return r.flush(ctx, nil)
	}
	return nil
}

func (w *work) full() bool {
	b, most := &w.batch, w.index.c.Batch
	return len(b.docs) >= most || len(b.open)+len(b.close) >= 4*most || b.held+b.words.held() >= mostHeld || len(b.heads) >= mostHeads
}

// fresh looks whether the index has anything of the container; a pass that was cut short may have left some.
func (r *reading) fresh(ctx context.Context) error {
	return r.with(func(f *file) error {
		var n int
		err := f.write.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM folders WHERE container = ? LIMIT 1)`, r.target.container).Scan(&n)
		r.anew = n == 0
		return err
	})
}

// change notes what a change means for the index.
func (r *reading) change(ctx context.Context, c *vault.Change, whole bool) error {
	key := keyOf(r.target.container, c.Item.ID)
	var have []held
	var err error
	if !r.anew {
		if have, err = r.held(ctx, key, c.Item.ID); err != nil {
			return err
		}
	}
	if c.Gone {
		for _, h := range have {
			if h.open {
				r.batch.close = append(r.batch.close, closing{h.doc, r.head})
			}
		}
		return nil
	}
	v := versionOf(&c.Item)
	v.container, v.head = r.target.container, r.head
	hash, text, err := r.hash(ctx, c)
	if err != nil {
		return err
	}
	same := false
	for _, h := range have {
		switch {
		case bytes.Equal(h.hash, hash):
			same = true
			v.doc = h.doc
			if whole {
				r.seen = append(r.seen, h.doc)
			}
			if h.open && h.folder == v.folder && h.marks == v.marks && h.categories == v.categories {
				continue
			}
			if h.open {
				r.batch.close = append(r.batch.close, closing{h.doc, r.head})
			}
			r.batch.open = append(r.batch.open, v)
		case h.open:
			r.batch.close = append(r.batch.close, closing{h.doc, r.head})
		}
	}
	if same {
		return nil
	}
	fields := c.Item.Fields
	d := document{key: key, container: r.target.container, item: c.Item.ID, name: c.Item.Name, class: fields[holdfast.FieldClass], kind: c.Item.Kind,
		sender: cmp.Or(fields[holdfast.FieldFrom], fields[holdfast.FieldAuthor]), recipients: fields[holdfast.FieldTo], cc: fields[holdfast.FieldCc],
		time: clampedNanoseconds(c.Item.Time), size: c.Item.Size, hash: hash,
		sent: nanoseconds(fields[holdfast.FieldSent]), created: nanoseconds(fields[holdfast.FieldCreated]), modified: nanoseconds(fields[holdfast.FieldModified]),
		start: nanoseconds(fields[holdfast.FieldStart]), end: nanoseconds(fields[holdfast.FieldEnd]), due: nanoseconds(fields[holdfast.FieldDue]), status: fields[holdfast.FieldStatus]}
	if text == nil {
		if text, err = textOf(ctx, &c.Item, c.Content, r.index.c.Limits, r.index.kept); err != nil {
			return err
		}
	}
	d.remark = strings.Join(text.Remark, "; ")
	if d.id, err = r.number(ctx, &c.Item); err != nil {
		return err
	}
	v.doc = d.id
	b := &r.batch
	b.words.add([columnsAll]string{columnBody: text.Text, columnName: d.name, columnSender: d.sender, columnRecipients: d.recipients, columnCc: d.cc,
		columnPlace: text.Place, columnCompany: text.Company, columnPhone: text.Phone})
	b.docs = append(b.docs, d)
	b.open = append(b.open, v)
	b.held += documentCost + versionCost + len(d.item) + len(d.name) + len(d.sender) + len(d.recipients) + len(d.cc) + len(d.remark) + len(v.folder) + len(v.categories)
	if whole {
		r.seen = append(r.seen, d.id)
	}
	return r.yield(ctx)
}

// share is the part of a core's time that the indexer takes while backups or restores run.
const share = 4

// yield leaves the machine to others while there are any.
func (w *work) yield(ctx context.Context) error {
	now := sys.Monotonic()
	spent := now - w.pause
	if spent < 20*time.Millisecond {
		return nil
	}
	if w.index.c.Busy() {
		if err := w.index.c.Clock.Sleep(ctx, min(spent*(share-1), 5*time.Second)); err != nil {
			return err
		}
	}
	w.pause = sys.Monotonic()
	return ctx.Err()
}

func (r *reading) held(ctx context.Context, key int64, item string) (have []held, err error) {
	err = r.with(func(f *file) error {
		have = have[:0]
		return each(ctx, f.write, `SELECT d.id, d.item, d.container, d.hash, v.doc, f.item, v.marks, v.categories FROM docs d
			LEFT JOIN versions v ON v.doc = d.id AND v.gone IS NULL LEFT JOIN folders f ON f.id = v.folder WHERE d.key = ?`, []any{key}, func(scan func(...any) error) error {
			var h held
			var of string
			var container int64
			var open, marks sql.NullInt64
			var folder, categories sql.NullString
			if err := scan(&h.doc, &of, &container, &h.hash, &open, &folder, &marks, &categories); err != nil {
				return err
			}
			if of != item || container != r.target.container {
				return nil // two items have the same key
			}
			h.open = open.Valid
			h.versionRow = versionRow{doc: h.doc, folder: folder.String, marks: int(marks.Int64), categories: categories.String}
			have = append(have, h)
			return nil
		})
	})
	return have, err
}

// number chooses the number of a new document.
func (r *reading) number(ctx context.Context, i *holdfast.Item) (id int64, err error) {
	const mask = 1<<22 - 1
	base := secondsOf(i.Time) << 22
	sum := sha256.Sum256([]byte(i.ID))
	low := int64(binary.BigEndian.Uint32(sum[:])) & mask
	err = r.with(func(f *file) error {
		for n := range int64(mask) {
			id = base | (low+n)&mask
			if r.batch.taken[id] {
				continue
			}
			if r.anew && !r.dead {
				// Hardly ever is it taken by a document of another container: writeDocs notices that.
				r.batch.taken[id] = true
				return nil
			}
			var taken bool
			if err := f.taken.QueryRow(id).Scan(&taken); err != nil {
				return err
			} else if !taken {
				r.batch.taken[id] = true
				return nil
			}
		}
		return fmt.Errorf("four million items have the time %s", i.Time)
	})
	return id, err
}

// flush writes the batch, and with it what last does.
func (w *work) flush(ctx context.Context, last func(tx *sql.Tx) error) error {
	b := &w.batch
	err := w.tx(ctx, func(tx *sql.Tx) error {
		if err := w.write(ctx, tx); err != nil {
			return err
		}
		if last != nil {
			return last(tx)
		}
		return nil
	})
	clear(b.docs)
	clear(b.open)
	b.words.reset()
	w.batch = batch{words: b.words, taken: map[int64]bool{}, docs: b.docs[:0], open: b.open[:0], close: b.close[:0], heads: b.heads[:0]}
	if err != nil {
		return err
	}
	return w.tidy(ctx)
}

// prepared gives a function that runs a statement; it is closed with the transaction. The statement does not watch ctx, which would cost more
// than it does.
func prepared(ctx context.Context, tx *sql.Tx, query string) func(args ...any) error {
	ctx = context.WithoutCancel(ctx)
	s, err := tx.PrepareContext(ctx, query)
	return func(args ...any) error {
		if err != nil {
			return err
		}
		_, err := s.ExecContext(ctx, args...)
		return err
	}
}

func (w *work) write(ctx context.Context, tx *sql.Tx) error {
	b := &w.batch
	if err := w.writeDocs(ctx, tx); err != nil {
		return err
	}
	// A version that began with this very head was written by a pass that did not end.
	drop := prepared(ctx, tx, `DELETE FROM versions WHERE doc = ? AND gone IS NULL AND born >= ?`)
	end := prepared(ctx, tx, `UPDATE versions SET gone = ?2 WHERE doc = ?1 AND gone IS NULL`)
	for _, c := range b.close {
		if err := drop(c.doc, c.head); err != nil {
			return err
		}
		if err := end(c.doc, c.head); err != nil {
			return err
		}
	}
	if err := w.writeVersions(ctx, tx); err != nil {
		return err
	}
	progress := prepared(ctx, tx, `UPDATE containers SET head = ?2, problem = '' WHERE id = ?1`)
	done := prepared(ctx, tx, `UPDATE heads SET done = 1 WHERE container = ? AND head = ?`)
	doneAhead := prepared(ctx, tx, `UPDATE ahead SET done = 1 WHERE container = ? AND head = ?`)
	for _, f := range b.heads {
		if err := progress(f.container, f.head); err != nil {
			return err
		}
		if err := done(f.container, f.head); err != nil {
			return err
		}
		if err := doneAhead(f.container, f.head); err != nil {
			return err
		}
	}
	return nil
}

// writeDocs writes the documents and makes a run of their words.
func (w *work) writeDocs(ctx context.Context, tx *sql.Tx) error {
	if len(w.batch.docs) == 0 {
		return nil
	}
	put := manyRows(ctx, tx, `INSERT INTO docs(id, container, key, item, kind, name, sender, recipients, cc, time, size, sent, created, modified, start, ending, due, status, class, hash, remark) VALUES `, 21, ``)
	// In order of their numbers, which are an index.
	docs := w.batch.docs
	order := make([]int, len(docs))
	for n := range order {
		order[n] = n
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(docs[x].id, docs[y].id) })
	for some := range slices.Chunk(order, rowsAtOnce) {
		if len(some) == rowsAtOnce {
			if err := put.all(len(some), func(args []any, n int) []any { return docs[some[n]].row(args) }); err == nil {
				continue
			} else if !taken(err) {
				return err
			}
			// Nothing was written: one of the numbers is in the way.
		}
		for _, n := range some {
			for {
				err := put.all(1, func(args []any, _ int) []any { return docs[n].row(args) })
				if err == nil {
					break
				} else if !taken(err) {
					return err
				}
				w.renumber(&docs[n])
			}
		}
	}
	ids := make([]int64, len(docs))
	for n := range docs {
		ids[n] = docs[n].id
	}
	return w.batch.words.write(ctx, tx, ids, func() error { return w.yield(ctx) })
}

// row appends the values of a row of docs.
func (d *document) row(args []any) []any {
	return append(args, d.id, d.container, d.key, d.item, d.kind, d.name, d.sender, d.recipients, d.cc, d.time, d.size, d.sent, d.created, d.modified, d.start, d.end, d.due, d.status, d.class, d.hash, d.remark)
}

// renumber gives a document of the batch another number: its own is taken.
func (w *work) renumber(d *document) {
	const mask = 1<<22 - 1
	id := d.id
	for w.batch.taken[id] {
		id = id&^mask | (id+1)&mask
	}
	w.batch.taken[id] = true
	for i := range w.batch.open {
		if w.batch.open[i].doc == d.id {
			w.batch.open[i].doc = id
		}
	}
	d.id = id
}

func (w *work) writeVersions(ctx context.Context, tx *sql.Tx) error {
	putFolder := prepared(ctx, tx, `INSERT INTO folders(container, item) VALUES(?, ?) ON CONFLICT DO NOTHING`)
	type folder struct {
		container int64
		item      string
	}
	folders := map[folder]int64{}
	put := manyRows(ctx, tx, `INSERT INTO versions(doc, born, container, folder, marks, categories) VALUES `, 6,
		` ON CONFLICT(doc, born) DO UPDATE SET gone = NULL, folder = excluded.folder, marks = excluded.marks, categories = excluded.categories`)
	idOf := func(in folder) (id int64, err error) {
		if id, ok := folders[in]; ok {
			return id, nil
		}
		if err := putFolder(in.container, in.item); err != nil {
			return 0, err
		}
		err = tx.QueryRowContext(ctx, `SELECT id FROM folders WHERE container = ? AND item = ?`, in.container, in.item).Scan(&id)
		folders[in] = id
		return id, err
	}
	for some := range slices.Chunk(w.batch.open, rowsAtOnce) {
		ids := make([]int64, len(some))
		for n, v := range some {
			var err error
			if ids[n], err = idOf(folder{v.container, v.folder}); err != nil {
				return err
			}
		}
		if err := put.all(len(some), func(args []any, n int) []any {
			v := &some[n]
			return append(args, v.doc, v.head, v.container, ids[n], v.marks, v.categories)
		}); err != nil {
			return err
		}
	}
	return nil
}

// closeUnseen ends the versions of what the head, all of which was read, does not have.
func (r *reading) closeUnseen(ctx context.Context, tx *sql.Tx) error {
	slices.Sort(r.seen)
	var gone []int64
	err := each(ctx, tx, `SELECT doc FROM versions WHERE container = ? AND gone IS NULL`, []any{r.target.container}, func(scan func(...any) error) error {
		var doc int64
		if err := scan(&doc); err != nil {
			return err
		}
		if _, ok := slices.BinarySearch(r.seen, doc); !ok {
			gone = append(gone, doc)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, doc := range gone {
		if _, err := tx.ExecContext(ctx, `DELETE FROM versions WHERE doc = ? AND gone IS NULL AND born >= ?`, doc, r.head); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE versions SET gone = ? WHERE doc = ? AND gone IS NULL`, r.head, doc); err != nil {
			return err
		}
	}
	return nil
}

// keyOf is under what docs finds an item: the container, so that a container's keys lie together, and 40 bits of a hash.
func keyOf(container int64, item string) int64 {
	sum := sha256.Sum256([]byte(item))
	return container<<40 | int64(binary.BigEndian.Uint64(sum[:])>>24)
}

// secondsOf is the time by which documents are numbered. What has none, or one before 1970, comes last.
func secondsOf(t time.Time) int64 {
	return min(max(t.Unix(), 0), 1<<40)
}

// clampedNanoseconds is a time as docs has it: those out of its range are the ends of it.
func clampedNanoseconds(t time.Time) int64 {
	switch y := t.Year(); {
	case y < 1678:
		return -1 << 63
	case y > 2261:
		return 1<<63 - 1
	}
	return t.UnixNano()
}

func nanoseconds(field string) any {
	t, err := time.Parse(time.RFC3339, field)
	if err != nil {
		return nil
	}
	return clampedNanoseconds(t)
}

func versionOf(i *holdfast.Item) versionRow {
	v := versionRow{folder: i.Parent, categories: i.Fields[holdfast.FieldCategories]}
	for mark, is := range map[int]bool{
		markRead: i.Fields[holdfast.FieldRead] == "true", markFlagged: i.Fields[holdfast.FieldFlag] == "flagged", markAttached: i.Fields[holdfast.FieldAttached] == "true",
		markHigh: i.Fields[holdfast.FieldImportance] == "high", markLow: i.Fields[holdfast.FieldImportance] == "low",
		markRecurring: i.Fields[holdfast.FieldRecurring] != "",
	} {
		if is {
			v.marks |= mark
		}
	}
	return v
}

// hash tells documents of an item apart: all that docs and words have of it. Of what is read for that, text is the words.
func (r *reading) hash(ctx context.Context, c *vault.Change) (hash []byte, text *extract.Personal, err error) {
	if !shared(c.Item.Kind) {
		return hashOf(&c.Item, c.Payloads, nil), nil, nil
	}
	// Their JSON changes with every reaction to a post and every view of a page: what was said counts.
	if text, err = textOf(ctx, &c.Item, c.Content, r.index.c.Limits, r.index.kept); err != nil {
		return nil, nil, err
	}
	return hashOf(&c.Item, nil, text), text, nil
}

// hashOf is hash of what is stored of an item, or of its text.
func hashOf(i *holdfast.Item, payloads []vault.PayloadInfo, text *extract.Personal) []byte {
	var b []byte
	put := func(s string) { b = append(append(strconv.AppendInt(b, int64(len(s)), 10), ':'), s...) }
	put(string(i.Kind))
	put(i.Name)
	numbers := []int64{clampedNanoseconds(i.Time), secondsOf(i.Time), i.Size}
	if text != nil {
		put(text.Text)
		numbers = numbers[:2] // the size is that of the JSON
	}
	for _, n := range numbers {
		b = append(strconv.AppendInt(b, n, 10), ':')
	}
	for _, f := range []string{holdfast.FieldFrom, holdfast.FieldTo, holdfast.FieldCc, holdfast.FieldAuthor, holdfast.FieldSent, holdfast.FieldCreated, holdfast.FieldModified, holdfast.FieldClass,
		holdfast.FieldStart, holdfast.FieldEnd, holdfast.FieldDue, holdfast.FieldStatus} {
		put(i.Fields[f])
	}
	for _, p := range payloads {
		if p.Form == holdfast.FormMIME || p.Form == holdfast.FormFTS || p.Form == holdfast.FormFile || p.Form == holdfast.FormColumns || personal(i.Kind) && (p.Form == holdfast.FormJSON || p.Form == holdfast.FormAttachments) {
			b = append(b, p.SHA256[:]...)
		}
	}
	sum := sha256.Sum256(b)
	return sum[:16]
}

// personal says of a kind that its content is Microsoft Graph's JSON.
func personal(kind holdfast.ItemKind) bool {
	switch kind {
	case holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting:
		return true
	}
	return false
}

// shared says of a kind that its content is Microsoft Graph's JSON of what several have together.
func shared(kind holdfast.ItemKind) bool {
	return kind == holdfast.KindPost || kind == holdfast.KindPage || kind == holdfast.KindListItem
}

// textOf reads the text of an item's content.
func textOf(ctx context.Context, i *holdfast.Item, c vault.Content, l extract.Limits, kept *extract.Cache) (text *extract.Personal, err error) {
	var got extract.Personal
	switch {
	case i.Kind == holdfast.KindMail:
		all, ok := c.Pieces(ctx, holdfast.FormMIME)
		if !ok {
			got, err = exportedText(ctx, i, c, l, kept)
			return &got, err
		}
		mail := make([]extract.Piece, len(all))
		for n, p := range all {
			mail[n] = extract.Piece{Open: p.Open}
			if p.Base64 {
				mail[n] = extract.Piece{Open: func() (io.ReadCloser, error) { return encoded(p.Open()) }, Decoded: p.Open, Name: p.Name}
			}
		}
		got.Words, err = extract.Mail(ctx, mail, l, kept)
	case i.Kind == holdfast.KindFile:
		got.Words, err = fileText(ctx, i, c, l)
	case shared(i.Kind):
		got.Words, err = sharedText(ctx, i, c, l)
	case personal(i.Kind):
		var raw, attached []byte
		if raw, err = jsonOf(ctx, c, holdfast.FormJSON); err == nil && raw != nil {
			if attached, err = jsonOf(ctx, c, holdfast.FormAttachments); err == nil {
				got, err = extract.FromPersonal(ctx, raw, attached, l)
			}
		}
	}
	if err != nil && holdfast.KindOf(err) == holdfast.KindDamaged {
		// The name is still worth finding; verification reports the damage.
		return &extract.Personal{Words: extract.Words{Remark: []string{"its content is damaged"}}}, nil
	}
	return &got, err
}

// fileText reads the text of a file, and before it what the file has in the columns of its library.
func fileText(ctx context.Context, i *holdfast.Item, c vault.Content, l extract.Limits) (got extract.Words, err error) {
	raw, err := jsonOf(ctx, c, holdfast.FormColumns)
	if err != nil {
		return got, err
	}
	if raw != nil {
		if got, err = extract.FromValues(ctx, raw, nil, l); err != nil {
			return got, err
		}
	}
	if !extract.Readable(i.Name) {
		return got, nil
	}
	r, ok := c.Open(ctx, holdfast.FormFile)
	if !ok {
		return got, nil
	}
	file, err := extract.File(ctx, i.Name, r, l)
	if err = errors.Join(err, r.Close()); err != nil {
		return got, err
	}
	return extract.Words{Text: strings.TrimSpace(got.Text + "\n" + file.Text), Remark: append(got.Remark, file.Remark...)}, nil
}

// sharedText reads the text of a post, a page or an item of a list, with that of what is attached to the item.
func sharedText(ctx context.Context, i *holdfast.Item, c vault.Content, l extract.Limits) (got extract.Words, err error) {
	raw, err := jsonOf(ctx, c, holdfast.FormJSON)
	if err != nil || raw == nil {
		return got, err
	}
	switch i.Kind {
	case holdfast.KindPost:
		return extract.FromPost(ctx, raw, l)
	case holdfast.KindPage:
		return extract.FromPage(ctx, raw, l)
	}
	var attached []extract.NamedFile
	for _, f := range c.Forms() {
		if name, ok := strings.CutPrefix(string(f), string(holdfast.FormAttachment)); ok {
			attached = append(attached, extract.NamedFile{Name: name, Open: func() (io.ReadCloser, error) {
				r, _ := c.Open(ctx, f)
				return r, nil
			}})
		}
	}
	return extract.FromValues(ctx, raw, attached, l)
}

// longestJSON bounds what is read of an item's JSON: the service's own items are far smaller.
const longestJSON = 8 << 20

// jsonOf reads a form; nil when the item has none.
func jsonOf(ctx context.Context, c vault.Content, form holdfast.Form) (raw []byte, err error) {
	r, ok := c.Open(ctx, form)
	if !ok {
		return nil, nil
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(io.LimitReader(r, longestJSON))
}

// encoded gives base64 as it stands in a mail.
func encoded(r io.ReadCloser, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{holdfast.EncodeBase64Lines(r), r}, nil
}
