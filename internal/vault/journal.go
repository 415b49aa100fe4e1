package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

const (
	journalPrefix = "journal/"
	pointPrefix   = "point/"
)

// maxHead bounds a head object.
const maxHead = 16 << 20

// Publish makes heads durable and visible together: flush, one journal entry, read back. Checkpoint heads become resume points only.
// After an error the outcome is unknown: look for the heads in Journal before doing it again.
func (r *Repository) Publish(ctx context.Context, heads []Head, kind EntryKind) (*Entry, error) {
	if len(heads) == 0 {
		return nil, holdfast.Invalid("nothing to publish")
	}
	if kind != Published && kind != Checkpoint {
		return nil, holdfast.Invalid("there is no journal entry of kind %q", kind)
	}
	r.commit.Lock()
	defer r.commit.Unlock()
	var session *writeSession
	fresh := make([]sealedHead, len(heads))
	r.mu.Lock()
	for i := range heads {
		s, ok := r.sealed[heads[i].Object]
		if !ok || session != nil && s.session != session {
			r.mu.Unlock()
			return nil, holdfast.Conflict("head %d of %s was not sealed here, or what it needs was lost: seal it again", heads[i].Number, heads[i].Container.Key())
		}
		session, fresh[i] = s.session, s
	}
	r.mu.Unlock()
	if err := session.flush(ctx); err != nil {
		return nil, fmt.Errorf("flush: %w", err)
	}
	e, err := r.appendEntry(ctx, &Entry{Format: Format, Kind: kind, Heads: heads})
	if err != nil {
		return nil, err
	}
	for i := range heads {
		if err := r.readBackHead(ctx, &heads[i], fresh[i].runs); err != nil {
			return nil, fmt.Errorf("read back head %d of %s: %w", heads[i].Number, heads[i].Container.Key(), err)
		}
	}
	now := r.clock.Now()
	r.mu.Lock()
	for i := range heads {
		delete(r.sealed, heads[i].Object)
	}
	r.mu.Unlock()
	for _, s := range fresh {
		s.writer.published(now)
	}
	return e, nil
}

// appendEntry writes an entry after all others and reads it back. The commit lock is held.
func (s *shared) appendEntry(ctx context.Context, e *Entry) (*Entry, error) {
	last, err := s.lastEntry(ctx)
	if err != nil {
		return nil, err
	}
	at := s.clock.Now().UTC()
	if t, ok := entryTime(last); ok && !at.After(t) {
		at = t.Add(1) // the journal's order is the order of its ids, whatever the clock does
	}
	e.Time = at
	e.ID = entryID(at)
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if err := s.putAndReadBack(ctx, journalPrefix+e.ID, data); err != nil {
		return nil, fmt.Errorf("journal entry %s: %w", e.ID, err)
	}
	s.mu.Lock()
	s.last = e.ID
	s.mu.Unlock()
	return e, nil
}

func (s *shared) putAndReadBack(ctx context.Context, name string, data []byte) error {
	if err := s.store.putRecord(ctx, name, data); err != nil {
		return err
	}
	if s.bugs.afterPut != nil {
		s.bugs.afterPut(name)
	}
	if s.bugs.noReadBack {
		return nil
	}
	got, err := s.store.readRecord(ctx, name)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if !bytes.Equal(got, data) {
		return holdfast.Damaged("%s does not read back as written", name)
	}
	return nil
}

// readBackHead proves that a head and the runs that are new with it can be read from the storage.
func (s *shared) readBackHead(ctx context.Context, h *Head, runs []RunRef) error {
	if s.bugs.noReadBack {
		return nil
	}
	want, err := h.encode()
	if err != nil {
		return err
	}
	got, err := s.store.get(ctx, h.Object, maxHead)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return holdfast.Damaged("head object %s does not read back as written", h.Object)
	}
	for _, ref := range runs {
		data, err := s.store.get(ctx, ref.Object, maxRoot)
		if err != nil {
			return err
		}
		r, err := decodeRun(s.vault.zip, ref.Object, data)
		if err != nil {
			return damaged("run", ref.Object, err)
		}
		if r.total() != ref.Rows {
			return holdfast.Damaged("run %s has %d rows, not %d", ref.Object, r.total(), ref.Rows)
		}
	}
	return nil
}

// entryID is 20 digits of nanoseconds since 1970 and 8 random hex digits, so that two writers never make the same.
func entryID(t time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%020d-%s", t.UnixNano(), hex.EncodeToString(b[:]))
}

func entryTime(id string) (time.Time, bool) {
	digits, _, ok := strings.Cut(id, "-")
	var n int64
	if _, err := fmt.Sscanf(digits, "%d", &n); err != nil || !ok {
		return time.Time{}, false
	}
	return time.Unix(0, n).UTC(), true
}

// lastEntry is the id of the newest journal entry; empty when there is none.
func (s *shared) lastEntry(ctx context.Context) (string, error) {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if last != "" {
		return last, nil
	}
	names, err := s.store.records(ctx, journalPrefix)
	if err != nil || len(names) == 0 {
		return "", err
	}
	last = strings.TrimPrefix(names[len(names)-1], journalPrefix)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, last)
	return s.last, nil
}

// Journal gives the entries after the one with id since (all, when empty), oldest first.
func (r *Repository) Journal(ctx context.Context, since string) iter.Seq2[*Entry, error] {
	return r.journal(ctx, since)
}

func (s *shared) journal(ctx context.Context, since string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		names, err := s.store.records(ctx, journalPrefix)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, name := range names {
			id := strings.TrimPrefix(name, journalPrefix)
			if id <= since {
				continue
			}
			e, err := s.entry(ctx, id)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (s *shared) entry(ctx context.Context, id string) (*Entry, error) {
	data, err := s.store.readRecord(ctx, journalPrefix+id)
	if err != nil {
		return nil, err
	}
	e, err := decodeEntry(data)
	if err == nil && e.ID != id {
		err = fmt.Errorf("entry %s says it is %s", id, e.ID)
	}
	if err != nil && holdfast.KindOf(err) == holdfast.KindInternal {
		err = holdfast.Damaged("journal entry %s: %w", id, err)
	}
	return e, err
}

// Head reads a head by its object.
func (r *Repository) Head(ctx context.Context, object string) (*Head, error) {
	return r.readHead(ctx, object)
}

func (s *shared) readHead(ctx context.Context, object string) (*Head, error) {
	data, err := s.store.get(ctx, object, maxHead)
	if err != nil {
		return nil, err
	}
	h, err := decodeHead(data)
	if err != nil {
		if holdfast.KindOf(err) == holdfast.KindInternal {
			err = holdfast.Damaged("head object %s: %w", object, err)
		}
		return nil, err
	}
	h.Object = object
	return h, nil
}

// WriteRestorePoint stores a restore point and reads it back. heads has the head of each entry that names one; all must be published.
// After an error the outcome is unknown: look for it in Points, or write the same again.
func (r *Repository) WriteRestorePoint(ctx context.Context, p holdfast.RestorePoint, heads []Head) error {
	if p.ID == "" {
		return holdfast.Invalid("a restore point needs an id")
	}
	by := make(map[string]*Head, len(heads))
	for i := range heads {
		if err := heads[i].check(); err != nil {
			return err
		}
		by[heads[i].Container.Key()] = &heads[i]
	}
	stored := storedPoint{Format: Format, Point: p, Heads: map[string]string{}}
	for _, e := range p.Entries {
		if e.Head == 0 {
			continue
		}
		h := by[e.Container.Key()]
		if h == nil || h.Number != e.Head || h.Object == "" {
			return holdfast.Invalid("restore point %s: head %d of %s was not given", p.ID, e.Head, e.Container.Key())
		}
		r.mu.Lock()
		_, unpublished := r.sealed[h.Object]
		r.mu.Unlock()
		if unpublished {
			return holdfast.Conflict("restore point %s: head %d of %s is not published", p.ID, e.Head, e.Container.Key())
		}
		stored.Heads[e.Container.Key()] = h.Object
		// Also one that this session did not write: it may be lost since, and a point that names it would be none.
		if err := r.readBackHead(ctx, h, nil); err != nil {
			return fmt.Errorf("restore point %s: head %d of %s: %w", p.ID, e.Head, e.Container.Key(), err)
		}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	name := pointPrefix + string(p.ID)
	if have, err := r.store.readRecord(ctx, name); err == nil {
		if bytes.Equal(have, data) {
			return nil
		}
		return holdfast.Conflict("restore point %s is there already and differs", p.ID)
	} else if holdfast.KindOf(err) != holdfast.KindNotFound {
		return err
	}
	r.commit.Lock()
	defer r.commit.Unlock()
	return r.putAndReadBack(ctx, name, data)
}

// PointIDs gives the ids of the restore points that have a record, whether it can be read or not.
func (r *Repository) PointIDs(ctx context.Context) (map[holdfast.RestorePointID]bool, error) {
	names, err := r.store.records(ctx, pointPrefix)
	ids := make(map[holdfast.RestorePointID]bool, len(names))
	for _, name := range names {
		ids[holdfast.RestorePointID(strings.TrimPrefix(name, pointPrefix))] = true
	}
	return ids, err
}

// Points gives the restore points, oldest first. A record that can't be read ends it with its error.
func (r *Repository) Points(ctx context.Context) iter.Seq2[*Point, error] {
	return func(yield func(*Point, error) bool) {
		list, damage, err := r.points(ctx)
		if err == nil && len(damage) > 0 {
			err = holdfast.Damaged("%s: %s", damage[0].Blob, damage[0].What)
		}
		for _, p := range list {
			if !yield(p, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// points reads all restore points; those that are damaged are named apart.
func (s *shared) points(ctx context.Context) (list []*Point, damage []Damage, err error) {
	names, err := s.store.records(ctx, pointPrefix)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		p, err := s.point(ctx, name)
		if holdfast.KindOf(err) == holdfast.KindDamaged {
			damage = append(damage, Damage{Blob: name, What: err.Error(), Points: []holdfast.RestorePointID{holdfast.RestorePointID(strings.TrimPrefix(name, pointPrefix))}})
			continue
		} else if err != nil {
			return nil, nil, err
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b *Point) int { return a.Time.Compare(b.Time) })
	return list, damage, nil
}

func (s *shared) point(ctx context.Context, name string) (*Point, error) {
	data, err := s.store.readRecord(ctx, name)
	if err != nil {
		return nil, err
	}
	p, err := decodePoint(data)
	if err == nil && pointPrefix+string(p.ID) != name {
		err = fmt.Errorf("record says it is restore point %s", p.ID)
	}
	if err != nil && holdfast.KindOf(err) == holdfast.KindInternal {
		err = holdfast.Damaged("restore point record %s: %w", name, err)
	}
	return p, err
}
