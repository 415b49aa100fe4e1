package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault/place"
)

// VerifyOptions say how far Verify goes.
type VerifyOptions struct {
	// Payloads reads each payload as a restore would and compares its SHA-256, besides each blob's.
	Payloads bool
	// Slice of Slices checks only that share of the blobs, from 0, so that a whole pass can be spread over days. Zero Slices is all.
	Slice, Slices int
	// Progress, when not nil, hears how much was read.
	Progress func(blobs, bytes, items int64)
}

// Damage is something stored that is not what was written. Without items and restore points it hurts none.
type Damage struct {
	Blob   string // file below the folder of the backup repository, or a record; empty when no blob is to blame
	What   string
	Items  []HurtItem // the first HurtListed of them
	Hurt   int64      // how many versions of items in all
	Points []holdfast.RestorePointID
}

// Harmless says that the damage hurts no item and no restore point.
func (d *Damage) Harmless() bool { return d.Hurt == 0 && len(d.Points) == 0 }

// HurtListed is how many items a Damage lists.
const HurtListed = 1000

// HurtItem is a version of an item that damage hurts.
type HurtItem struct {
	Container string        // key
	ID        string        // empty when the rows themselves are damaged; Name then says what is known of them
	Name      string        //
	Form      holdfast.Form // of the payload that is hurt; empty: the item's row itself
}

// Verified is what Verify found.
type Verified struct {
	Blobs, Bytes int64 // read
	Items        int64 // versions of items looked at
	Damage       []Damage
	Remarks      []string // files that are no part of the repository, and the like
	Time         time.Time
}

// verification is the state of one Verify.
type verification struct {
	s        *shared
	o        VerifyOptions
	out      *Verified
	contents map[place.ContentID]int // damaged content -> index in out.Damage
	roots    []root
	heads    []*Head // of roots; nil when it can't be read
	noBlob   int     // index in out.Damage of what no blob is to blame for; -1 until there is any
	points   []map[holdfast.RestorePointID]bool
}

// Verify reads every blob, compares it with the ledger, and names what damage hurts: blob -> items -> restore points, or nothing.
// Its error says that it could not tell.
func (r *Repository) Verify(ctx context.Context, o VerifyOptions) (*Verified, error) {
	v := &verification{
		s: r.shared, o: o, out: &Verified{Time: r.clock.Now().UTC()}, contents: map[place.ContentID]int{}, noBlob: -1,
	}
	if err := v.blobs(ctx); err != nil {
		return nil, err
	}
	if err := v.records(ctx); err != nil {
		return nil, err
	}
	if err := v.walk(ctx); err != nil {
		return nil, err
	}
	for i := range v.out.Damage {
		for p := range v.points[i] {
			v.out.Damage[i].Points = append(v.out.Damage[i].Points, p)
		}
		slices.Sort(v.out.Damage[i].Points)
	}
	return v.out, nil
}

func (v *verification) add(d Damage) int {
	v.out.Damage = append(v.out.Damage, d)
	v.points = append(v.points, map[holdfast.RestorePointID]bool{})
	return len(v.out.Damage) - 1
}

func (v *verification) blobs(ctx context.Context) error {
	return v.s.store.place.VerifyBlobs(ctx, place.VerifyOptions{
		Slice: v.o.Slice, Slices: v.o.Slices,
		Progress: func(blobs, bytes int64) {
			v.out.Blobs, v.out.Bytes = blobs, bytes
			v.progress()
		},
	}, func(d place.Damage) error {
		if d.Kind.Remark() {
			v.out.Remarks = append(v.out.Remarks, fmt.Sprintf("%s: %s: %s", d.File, d.Kind, d.Detail))
			return nil
		}
		i := v.add(Damage{Blob: d.File, What: fmt.Sprintf("%s: %s", d.Kind, d.Detail)})
		for _, c := range d.Contents {
			v.contents[c] = i
		}
		if id, ok := strings.CutPrefix(d.Record, pointPrefix); ok {
			v.points[i][holdfast.RestorePointID(id)] = true
		}
		return nil
	})
}

func (v *verification) progress() {
	if v.o.Progress != nil {
		v.o.Progress(v.out.Blobs, v.out.Bytes, v.out.Items)
	}
}

// records finds the heads that something needs, as far as records can be read; blobs has named those that can't.
func (v *verification) records(ctx context.Context) error {
	roots, damage, err := v.s.findRoots(ctx, nil)
	if err != nil {
		return err
	}
	for _, d := range damage {
		// Its blob may be listed as damaged already; then this adds nothing but the words.
		known := slices.ContainsFunc(v.out.Damage, func(o Damage) bool { return strings.HasSuffix(o.Blob, strings.Replace(d.Blob, "/", ".", 1)) })
		if !known {
			i := v.add(Damage{Blob: d.Blob, What: d.What})
			for _, p := range d.Points {
				v.points[i][p] = true
			}
		}
	}
	v.roots = roots
	return nil
}

// blame gives the damage that hurts an object, or -1. An object of which the index knows nothing has no blob to blame.
func (v *verification) blame(ctx context.Context, object string) (damage int, hurt bool, err error) {
	contents, err := v.s.store.place.Contents(ctx, place.ObjectID(object))
	if err != nil {
		if holdfast.KindOf(err) != holdfast.KindDamaged {
			return -1, false, err
		}
		// A large object's own index is damaged: its first content is named by its id.
		if i, ok := v.contents[place.ContentID(strings.TrimLeft(object, "IZ"))]; ok {
			return i, true, nil
		}
		return -1, true, nil
	}
	for _, c := range contents {
		if i, ok := v.contents[c]; ok {
			return i, true, nil
		}
	}
	if len(contents) == 1 && !v.o.Payloads {
		for _, err := range v.s.store.place.Owners(ctx, nil, func(yield func(place.ObjectID, string) bool) { yield(place.ObjectID(object), object) }) {
			return -1, true, err // the index does not have its content
		}
	}
	return -1, false, nil
}

// orphan is the damage of what no blob is to blame for.
func (v *verification) orphan() int {
	if v.noBlob < 0 {
		v.noBlob = v.add(Damage{What: "lost or unreadable though no blob differs from the ledger"})
	}
	return v.noBlob
}

func (v *verification) damageOf(i int) int {
	if i < 0 {
		return v.orphan()
	}
	return i
}

func (v *verification) walk(ctx context.Context) error {
	v.heads = make([]*Head, len(v.roots))
	for i, root := range v.roots {
		h, err := v.s.readHead(ctx, root.object)
		if hurtBy(err) {
			d, _, err := v.blame(ctx, root.object)
			if err != nil {
				return err
			}
			v.mark(v.damageOf(d), root.points...)
			continue
		} else if err != nil {
			return err
		}
		v.heads[i] = h
	}
	done := map[string]bool{}
	for _, h := range v.heads {
		if h == nil {
			continue
		}
		for _, ref := range h.Runs {
			if done[ref.Object] {
				continue
			}
			done[ref.Object] = true
			if err := v.run(ctx, h, ref); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verification) mark(damage int, points ...holdfast.RestorePointID) {
	for _, p := range points {
		v.points[damage][p] = true
	}
}

// withRun gives the roots whose heads have a run.
func (v *verification) withRun(object string) (list []int) {
	for i, h := range v.heads {
		if h != nil && slices.ContainsFunc(h.Runs, func(r RunRef) bool { return r.Object == object }) {
			list = append(list, i)
		}
	}
	return list
}

// lost says that part of a run can't be read.
func (v *verification) lost(ctx context.Context, h *Head, run, object string, rows int64, what string) error {
	i, _, err := v.blame(ctx, object)
	if err != nil {
		return err
	}
	i = v.damageOf(i)
	d := &v.out.Damage[i]
	d.Hurt += max(rows, 1)
	if len(d.Items) < HurtListed {
		d.Items = append(d.Items, HurtItem{Container: h.Container.Key(), Name: what})
	}
	for _, n := range v.withRun(run) {
		v.mark(i, v.roots[n].points...)
	}
	return nil
}

func (v *verification) run(ctx context.Context, h *Head, ref RunRef) error {
	data, err := v.s.store.get(ctx, ref.Object, maxRoot)
	var r *run
	if err == nil {
		r, err = decodeRun(v.s.vault.zip, ref.Object, data)
		err = damaged("run", ref.Object, err)
	}
	if hurtBy(err) {
		return v.lost(ctx, h, ref.Object, ref.Object, ref.Rows, fmt.Sprintf("a run of %d rows", ref.Rows))
	} else if err != nil {
		return err
	}
	for n := range r.index {
		data, err := v.s.partData(ctx, r, r.index[n].at)
		if err == nil {
			_, err = decodeIndex(data)
			err = damaged("index", ref.Object, err)
		}
		if hurtBy(err) {
			err = v.lost(ctx, h, ref.Object, partOf(r, r.index[n].at), 0, "the index by which items are looked up")
		}
		if err != nil {
			return err
		}
	}
	for _, at := range r.filters {
		data, err := v.s.partData(ctx, r, at)
		if err == nil {
			_, err = decodeFilter(data)
			err = damaged("filter", ref.Object, err)
		}
		if hurtBy(err) {
			err = v.lost(ctx, h, ref.Object, partOf(r, at), 0, "a filter by which items are looked up")
		}
		if err != nil {
			return err
		}
	}
	for n := range r.chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.chunk(ctx, h, r, n); err != nil {
			return err
		}
	}
	return nil
}

func partOf(r *run, at location) string {
	if at.object == "" {
		return r.id
	}
	return at.object
}

func (v *verification) chunk(ctx context.Context, h *Head, r *run, n int) error {
	info := r.chunks[n]
	data, err := v.s.partData(ctx, r, info.at)
	var c *chunk
	if err == nil {
		c, err = decodeChunk(v.s.vault.zip, data)
		err = damaged("chunk", r.id, err)
	}
	if hurtBy(err) {
		what := fmt.Sprintf("%d items from folder %q on", info.rows, info.parent)
		if info.class == classCursor {
			what = "cursors"
		} else if info.class == classTomb {
			what = fmt.Sprintf("deletions of %d items", info.rows)
		}
		return v.lost(ctx, h, r.id, partOf(r, info.at), int64(info.rows), what)
	} else if err != nil {
		return err
	}
	if info.class != classFolder && info.class != classItem {
		return nil
	}
	blamed := map[string]int{}
	for _, o := range c.objects {
		i, hurt, err := v.blame(ctx, o.id)
		if err != nil {
			return err
		}
		if hurt {
			blamed[o.id] = i
		}
	}
	if !v.o.Payloads && len(blamed) == 0 {
		v.out.Items += int64(len(c.rows))
		return nil
	}
	for k := range c.rows {
		row, err := c.row(k)
		if err != nil {
			if err := v.lost(ctx, h, r.id, partOf(r, info.at), 1, fmt.Sprintf("an item in folder %q", info.parent)); err != nil {
				return err
			}
			continue
		}
		v.out.Items++
		for p := range row.payloads {
			if err := v.payload(ctx, h, r, row, &row.payloads[p], blamed); err != nil {
				return err
			}
		}
	}
	v.progress()
	return nil
}

func (v *verification) payload(ctx context.Context, h *Head, r *run, row *row, p *payload, blamed map[string]int) error {
	hits := map[int]bool{}
	for _, c := range p.pieces {
		if i, ok := blamed[c.ref.id]; ok {
			hits[i] = true
		}
	}
	if len(hits) == 0 && v.o.Payloads {
		in := v.s.openPayload(ctx, p, "payload")
		_, err := io.Copy(io.Discard, in)
		err = errors.Join(err, in.Close())
		if hurtBy(err) {
			hits[-1] = true
		} else if err != nil {
			return err
		}
	}
	for i := range hits {
		v.hurt(ctx, v.damageOf(i), h, r, row, p.form)
	}
	return nil
}

// hurt notes an item's version, and the restore points in which it is the visible one.
func (v *verification) hurt(ctx context.Context, damage int, h *Head, r *run, row *row, form holdfast.Form) {
	d := &v.out.Damage[damage]
	d.Hurt++
	if len(d.Items) < HurtListed {
		d.Items = append(d.Items, HurtItem{Container: h.Container.Key(), ID: row.item.ID, Name: row.item.Name, Form: form})
	}
	for _, n := range v.withRun(r.id) {
		if len(v.roots[n].points) == 0 || v.points[damage][v.roots[n].points[0]] && len(v.roots[n].points) == 1 {
			continue
		}
		view := newView(v.s, v.heads[n], v.heads[n].Runs)
		at, _, ok, err := view.locate(ctx, row.key())
		// A view that can't be read is damaged itself; better one point too many.
		if err != nil || ok && at.id == r.id {
			v.mark(damage, v.roots[n].points...)
		}
	}
}

// Repair writes again what the repository holds twice: indexes and format files. What holds items once (packs, records) it can't bring back; Verify
// names what that hurts. Nobody else may use the repository; close it afterwards and open it again.
func (r *Repository) Repair(ctx context.Context) (place.Repaired, error) {
	return r.store.place.Repair(ctx)
}
