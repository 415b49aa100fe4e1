package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/internal/holdfast"
)

// smallLayout makes every part of a run show up with a few dozen rows.
var smallLayout = layout{
	chunk: 300, indexRows: 8, perFilter: 2, inline: 2 << 10, block: 2 << 10, apart: 300, apartAsked: 64, spill: 8 << 10,
	smallRun: 30, smallRuns: 60, journalKept: 5,
}

// state is what a head must show.
type state struct {
	items   map[string]holdfast.Item
	bodies  map[string]string // id -> exact bytes
	cursors map[string]string
}

func (s state) clone() state {
	return state{maps.Clone(s.items), maps.Clone(s.bodies), maps.Clone(s.cursors)}
}

func emptyState() state {
	return state{map[string]holdfast.Item{}, map[string]string{}, map[string]string{}}
}

// model walks a container through random changes beside a map.
type model struct {
	b         *bench
	c         holdfast.Container
	rng       *rand.Rand
	w         *Writer
	now       state // what the writer holds
	durable   *Head // newest published or checkpoint head
	published *Head
	at        state // of durable
	shown     state // of published
	points    map[holdfast.RestorePointID]state
	heads     map[holdfast.RestorePointID]*Head
	version   int
	calm      bool // no crashes and no retention
}

var parents = []string{"", "inbox", "archive", "sent"}

func (m *model) body() string {
	n := []int{0, 1, 50, 299, 300, 301, 2000, 5000}[m.rng.IntN(8)]
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefgh \r\n"[m.rng.IntN(11)]
	}
	return string(b)
}

func (m *model) id() string {
	// A few ids only, so that versions, tombstones and moves of the same item meet.
	return fmt.Sprintf("item-%02d", m.rng.IntN(60))
}

func (m *model) put() error {
	m.version++
	i := holdfast.Item{
		ID: m.id(), Parent: parents[m.rng.IntN(len(parents))], Kind: holdfast.KindMail, Version: fmt.Sprint(m.version),
		Time: epoch0.Add(time.Duration(m.rng.IntN(50)) * time.Hour), Size: int64(m.version), Name: fmt.Sprintf("Name %d", m.rng.IntN(20)),
	}
	if m.rng.IntN(10) == 0 {
		i.Kind = holdfast.KindFolder
	}
	body := m.body()
	p := text(holdfast.FormMIME, body)
	if old, ok := m.now.bodies[i.ID]; ok && m.rng.IntN(3) == 0 {
		body, p = old, holdfast.Kept(holdfast.FormMIME)
	}
	if err := m.w.Put(m.b.t.Context(), i, p); err != nil {
		return err
	}
	m.now.items[i.ID], m.now.bodies[i.ID] = i, body
	return nil
}

func (m *model) del() error {
	id := m.id()
	if err := m.w.Delete(m.b.t.Context(), id); err != nil {
		return err
	}
	delete(m.now.items, id)
	delete(m.now.bodies, id)
	return nil
}

func (m *model) cursor() error {
	m.version++
	name, value := fmt.Sprintf("cursor-%d", m.rng.IntN(5)), fmt.Sprint(m.version)
	if m.rng.IntN(4) == 0 {
		value = ""
	}
	if err := m.w.Cursor(m.b.t.Context(), name, value); err != nil {
		return err
	}
	if m.now.cursors[name] = value; value == "" {
		delete(m.now.cursors, name)
	}
	return nil
}

// publish seals; a head that is worth nothing means that only values of cursors changed.
func (m *model) publish(kind EntryKind) error {
	h, err := m.w.Seal(m.b.t.Context())
	if err != nil || h == nil {
		return err
	}
	if _, err := m.b.repo.Publish(m.b.t.Context(), []Head{*h}, kind); err != nil {
		return err
	}
	m.durable, m.at = h, m.now.clone()
	if kind == Published {
		m.published, m.shown = h, m.now.clone()
	}
	return nil
}

// restart goes on from the last durable head, as a backup does after a crash.
func (m *model) restart() error {
	c, err := m.b.repo.Rebuild(m.b.t.Context())
	if err != nil {
		return err
	}
	base := c.Published[m.c.Key()]
	if cp := c.Checkpoint[m.c.Key()]; cp != nil {
		base = cp
	}
	if (base == nil) != (m.durable == nil) || base != nil && base.Object != m.durable.Object {
		return fmt.Errorf("a rebuild finds %+v, not %+v", base, m.durable)
	}
	if p := c.Published[m.c.Key()]; (p == nil) != (m.published == nil) || p != nil && p.Object != m.published.Object {
		return fmt.Errorf("a rebuild finds published %+v, not %+v", p, m.published)
	}
	if m.w != nil {
		m.w.Close()
	}
	m.w, err = m.b.repo.Writer(m.b.t.Context(), WriterOptions{Container: m.c, Base: base, Epoch: 1})
	m.now = m.at.clone()
	return err
}

func (m *model) point() error {
	if m.published == nil {
		return nil
	}
	id := holdfast.RestorePointID(fmt.Sprintf("%s-%d", strings.ReplaceAll(m.c.Source, "/", "-"), m.version))
	if _, ok := m.points[id]; ok {
		return nil
	}
	p := holdfast.RestorePoint{
		ID: id, Organization: testOrganization, Job: holdfast.JobID(m.c.Source), Time: m.b.clock.Now(),
		Entries: []holdfast.PointEntry{{Container: m.c, Head: m.published.Number, State: holdfast.StateUpdated}},
	}
	if err := m.b.repo.WriteRestorePoint(m.b.t.Context(), p, []Head{*m.published}); err != nil {
		return err
	}
	m.points[id], m.heads[id] = m.shown.clone(), m.published
	return nil
}

// retain moves the clock, lets points expire and maintains.
func (m *model) retain() error {
	ctx := m.b.t.Context()
	m.b.clock.Move(30 * time.Hour)
	m.b.vault.TrustClock()
	// A writer that waits longer than the margins allow stops maintenance; it is made safe first.
	if err := m.publish(Checkpoint); err != nil {
		return err
	}
	if err := m.restart(); err != nil {
		return err
	}
	got, err := m.b.repo.Retain(ctx, RetainOptions{Period: holdfast.RetentionPeriod{Days: 3}})
	if err != nil {
		return err
	}
	for _, id := range got.Expired {
		delete(m.points, id)
		delete(m.heads, id)
	}
	_, err = m.b.repo.Maintain(ctx, nil)
	return err
}

// check compares every state that must be there with what is there.
func (m *model) check() error {
	if m.published != nil {
		if err := m.same(m.published, m.shown); err != nil {
			return fmt.Errorf("published head %d: %w", m.published.Number, err)
		}
	}
	if m.durable != nil {
		if err := m.same(m.durable, m.at); err != nil {
			return fmt.Errorf("newest head %d: %w", m.durable.Number, err)
		}
	}
	found := map[holdfast.RestorePointID]bool{}
	for p, err := range m.b.repo.Points(m.b.t.Context()) {
		if err != nil {
			return err
		}
		if string(p.Job) == m.c.Source {
			found[p.ID] = true
		}
	}
	for id, want := range m.points {
		if !found[id] {
			return fmt.Errorf("restore point %s is gone", id)
		}
		delete(found, id)
		if err := m.same(m.heads[id], want); err != nil {
			return fmt.Errorf("restore point %s: %w", id, err)
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("restore points that should have expired: %v", slices.Collect(maps.Keys(found)))
	}
	return nil
}

func (m *model) same(h *Head, want state) error {
	ctx := m.b.t.Context()
	v, err := m.b.repo.View(ctx, h)
	if err != nil {
		return err
	}
	got := map[string]holdfast.Item{}
	for i, err := range v.All(ctx) {
		if err != nil {
			return err
		}
		if _, ok := got[i.ID]; ok {
			return fmt.Errorf("%s is listed twice", i.ID)
		}
		got[i.ID] = i
	}
	if !maps.EqualFunc(got, want.items, sameItem) {
		return fmt.Errorf("lists %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want.items)))
	}
	items, folders := int64(0), int64(0)
	for id, i := range want.items {
		if i.Kind == holdfast.KindFolder {
			folders++
		} else {
			items++
		}
		found, ok, err := v.Item(ctx, id)
		if err != nil || !ok || !sameItem(found, i) {
			return fmt.Errorf("looks %s up as %+v (%v, %v), want %+v", id, found, ok, err, i)
		}
		if err := m.sameBody(v, id, want.bodies[id]); err != nil {
			return err
		}
	}
	if h.Items != items || h.Folders != folders {
		return fmt.Errorf("counts %d items and %d folders, has %d and %d", h.Items, h.Folders, items, folders)
	}
	for n := range 60 {
		id := fmt.Sprintf("item-%02d", n)
		if _, ok, err := v.Item(ctx, id); err != nil || ok != (want.items[id].ID != "") {
			return fmt.Errorf("looks %s up: %v, %v", id, ok, err)
		}
	}
	for _, f := range parents {
		if err := m.sameFolder(v, f, want); err != nil {
			return err
		}
	}
	for n := range 5 {
		name := fmt.Sprintf("cursor-%d", n)
		if got, ok, err := v.Cursor(ctx, name); err != nil || ok != (want.cursors[name] != "") || got != want.cursors[name] {
			return fmt.Errorf("cursor %s is %q (%v, %v), want %q", name, got, ok, err, want.cursors[name])
		}
	}
	return nil
}

func (m *model) sameBody(v *View, id, want string) error {
	r, ok, err := v.Open(m.b.t.Context(), id, holdfast.FormMIME)
	if err != nil || !ok {
		return fmt.Errorf("open %s: %v, %w", id, ok, err)
	}
	var got strings.Builder
	_, err = copyAll(&got, r)
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read %s: %w", id, err)
	}
	if got.String() != want {
		return fmt.Errorf("body of %s has %d bytes and is not the one of %d bytes that was put", id, got.Len(), len(want))
	}
	return nil
}

func (m *model) sameFolder(v *View, parent string, want state) error {
	ctx := m.b.t.Context()
	var byTime []holdfast.Item
	for _, i := range want.items {
		if i.Parent == parent && i.Kind != holdfast.KindFolder {
			byTime = append(byTime, i)
		}
	}
	slices.SortFunc(byTime, func(a, b holdfast.Item) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	byName := slices.Clone(byTime)
	slices.SortStableFunc(byName, func(a, b holdfast.Item) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	for order, list := range map[Order][]holdfast.Item{ByTime: byTime, ByName: byName} {
		f, err := v.Folder(ctx, parent, order)
		if err != nil {
			return err
		}
		for _, page := range [][2]int{{0, 3}, {0, 1000}, {len(list) / 2, 4}, {len(list), 2}} {
			got, err := f.Page(ctx, page[0], page[1])
			if err != nil {
				return err
			}
			part := list[min(page[0], len(list)):min(page[0]+page[1], len(list))]
			if !slices.EqualFunc(got, part, sameItem) {
				return fmt.Errorf("folder %q by %s from %d: %v, want %v", parent, order, page[0], ids(got), ids(part))
			}
		}
		if n, err := f.Count(ctx); n != len(list) || err != nil {
			return fmt.Errorf("folder %q counts %d (%v), want %d", parent, n, err, len(list))
		}
	}
	return nil
}

func ids(list []holdfast.Item) (out []string) {
	for _, i := range list {
		out = append(out, i.ID)
	}
	return out
}

func sameItem(a, b holdfast.Item) bool {
	at, bt := a.Time, b.Time
	fields := maps.Equal(a.Fields, b.Fields)
	a.Time, b.Time, a.Fields, b.Fields = time.Time{}, time.Time{}, nil, nil
	return fields && at.Equal(bt) && fmt.Sprint(a) == fmt.Sprint(b)
}

// run takes steps random steps with the given seed and checks as it goes.
func (m *model) run(seed uint64, steps int) error {
	m.rng = rand.New(rand.NewPCG(seed, 1))
	m.now, m.at, m.shown = emptyState(), emptyState(), emptyState()
	m.points, m.heads = map[holdfast.RestorePointID]state{}, map[holdfast.RestorePointID]*Head{}
	if err := m.restart(); err != nil {
		return err
	}
	defer func() { m.w.Close() }()
	for n := range steps {
		var err error
		what := ""
		k := m.rng.IntN(100)
		if m.calm {
			k = m.rng.IntN(90)
		}
		switch {
		case k < 55:
			what, err = "put", m.put()
		case k < 75:
			what, err = "delete", m.del()
		case k < 80:
			what, err = "cursor", m.cursor()
		case k < 88:
			what, err = "publish", m.publishAll(Published)
		case k < 92:
			what, err = "checkpoint", m.publishAll(Checkpoint)
		case k < 95:
			what, err = "restore point", m.point()
		case k < 97:
			what, err = "restart", m.restart()
		case k < 98:
			what = "crash"
			m.w.Close()
			m.w = nil
			m.b.reopen()
			err = m.restart()
		default:
			what, err = "retain", m.retain()
		}
		if err == nil && (what == "retain" || what == "crash" || n%97 == 0) {
			err = m.check()
		}
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", n, what, err)
		}
	}
	if err := m.publishAll(Published); err != nil {
		return err
	}
	return m.check()
}

// publishAll makes sure that values of cursors are published too, by changing an item along.
func (m *model) publishAll(kind EntryKind) error {
	if err := m.put(); err != nil {
		return err
	}
	return m.publish(kind)
}

func TestVaultEqualsAMapThroughRandomChangesCrashesAndRetention(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.repo.sizes = smallLayout
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		c := testMailbox
		c.Source = fmt.Sprintf("model-%d", n)
		m := &model{b: b, c: c}
		if err := m.run(rapid.Uint64().Draw(rt, "seed"), 160); err != nil {
			rt.Fatal(err)
		}
	})
	got, err := b.repo.Verify(t.Context(), VerifyOptions{Payloads: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Damage) > 0 {
		t.Errorf("verification finds damage: %+v", got.Damage)
	}
}

// Each mistake is planted once; the model, or the named check, must find it.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, plant func(*bugs), seeds int) error {
		b := newBench(t)
		b.repo.sizes = smallLayout
		plant(&b.repo.bugs)
		for seed := range seeds {
			c := testMailbox
			c.Source = fmt.Sprintf("planted-%d", seed)
			m := &model{b: b, c: c, calm: true}
			if err := m.run(uint64(seed), 300); err != nil {
				return err
			}
		}
		return nil
	}
	for name, plant := range map[string]func(*bugs){
		"filter false negative":                func(b *bugs) { b.filter = true },
		"merge drops tombstones too early":     func(b *bugs) { b.noTombs = true },
		"moved item in a large run not hidden": func(b *bugs) { b.noMoves = true },
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t, plant, 6); err == nil {
				t.Error("nobody noticed")
			} else {
				t.Log(err)
			}
		})
	}
	t.Run("nothing planted", func(t *testing.T) {
		if err := run(t, func(*bugs) {}, 1); err != nil {
			t.Error(err)
		}
	})
}

func TestMarkThatLeavesOutCheckpointsIsFound(t *testing.T) {
	t.Parallel()
	for _, planted := range []bool{false, true} {
		b := newBench(t)
		b.repo.bugs.noCheckpoints = planted
		w := b.writer(nil)
		b.put(w, mail(1, "inbox"), strings.Repeat("a first backup that takes days ", 2000))
		cp := b.publishAs(w, Checkpoint)
		// Something published, so that the mark has roots.
		other := testMailbox
		other.Source = "mailbox-2"
		w2 := b.writerOf(other, nil)
		b.put(w2, mail(2, "inbox"), "other")
		b.publish(w2)
		w.Close()
		w2.Close()
		for range 6 {
			b.clock.Move(30 * time.Hour)
			b.vault.TrustClock()
			if _, err := b.repo.Maintain(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		b.reopen()
		lost := false
		r, ok, err := b.view(cp).Open(t.Context(), mail(1, "").ID, holdfast.FormMIME)
		if err == nil && ok {
			_, err = copyAll(&strings.Builder{}, r)
		}
		lost = err != nil || !ok
		if lost != planted {
			t.Errorf("planted %v: what the checkpoint holds is lost: %v (%v)", planted, lost, err)
		}
	}
}

func TestPublishBelievesOnlyWhatReadsBack(t *testing.T) {
	t.Parallel()
	for _, planted := range []bool{false, true} {
		b := newBench(t)
		b.repo.bugs.noReadBack = planted
		b.repo.bugs.afterPut = func(name string) { // a disk that loses what it acknowledged
			if !strings.HasPrefix(name, journalPrefix) {
				return
			}
			err := filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() && strings.Contains(path, "journal") {
					return os.WriteFile(path, []byte("zeroes"), 0o600)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		w := b.writer(nil)
		b.put(w, mail(1, "inbox"), "body")
		h, err := w.Seal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.repo.Publish(context.Background(), []Head{*h}, Published)
		if noticed := err != nil; noticed == planted {
			t.Errorf("planted %v: publish says %v", planted, err)
		}
	}
}
