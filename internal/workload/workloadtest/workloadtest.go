// Package workloadtest has what the tests of workloads share: a simulated tenant with a client to it, and a container in memory that plays
// the vault (engine.Previous, engine.Sink).
package workloadtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

// hasty is a clock whose waits move the simulator's clock instead of taking time, so that client and service agree that time has passed.
type hasty struct{ *sys.Shifted }

func (c hasty) Sleep(ctx context.Context, d time.Duration) error {
	c.Move(max(d, 0))
	return ctx.Err()
}

func (c hasty) After(d time.Duration) <-chan time.Time {
	c.Move(max(d, 0))
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

// Tenant starts a simulated tenant, which ends with the test, and gives a client of its application, which signs in by secret.
func Tenant(t testing.TB, o sim.Options) (*sim.Sim, *graph.Client) {
	t.Helper()
	return TenantBy(t, o, func(tenant sim.Tenant) auth.Credential { return auth.FromSecret(auth.Secret(tenant.ApplicationSecret)) })
}

// TenantBy is Tenant with another credential.
func TenantBy(t testing.TB, o sim.Options, by func(tenant sim.Tenant) auth.Credential) (*sim.Sim, *graph.Client) {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, Client(t, s, by(s.Tenant()))
}

// Client is another client of a tenant, by another credential of its application.
func Client(t testing.TB, s *sim.Sim, cred auth.Credential) *graph.Client {
	t.Helper()
	ca, err := m365.ReadCA(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := m365.CloudNamed(s.Tenant().Region)
	if err != nil {
		t.Fatal(err)
	}
	tenant := s.Tenant()
	m, err := m365.New(m365.Config{
		Cloud: cloud, Tenant: tenant.TenantID, Application: tenant.ApplicationID, Credential: cred,
		Network: m365.Network{Dial: s.Addr(), CA: ca}, Clock: hasty{s.Clock()}, Limits: throttle.Unlimited(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return graph.New(m)
}

// Stored is an item in memory.
type Stored struct {
	holdfast.Item
	Forms map[holdfast.Form][]byte
}

// Container is a container in memory. It is its own Previous for the next read: what a read put is seen only after Commit.
type Container struct {
	mu      sync.Mutex // guards all below
	items   map[string]Stored
	cursors map[string]string
	now     state // of the read under way
	Skips   map[string]*holdfast.Skip
	Compare bool // what Anew says
	Saved   int  // savepoints
	// AtSavepoint, when set, is asked at each savepoint; an error ends the read, as a crash would.
	AtSavepoint func(n int) error
	// AtGo, when set, is called before each fetch, when its row has been read.
	AtGo  func()
	errs  []error
	wg    sync.WaitGroup
	slots chan struct{}
}

type state struct {
	items   map[string]Stored
	cursors map[string]string
	saved   *state // at the last savepoint
}

// New is an empty container.
func New() *Container {
	c := &Container{items: map[string]Stored{}, cursors: map[string]string{}, Skips: map[string]*holdfast.Skip{}, slots: make(chan struct{}, 4)}
	c.begin()
	return c
}

func (c *Container) begin() {
	c.now = state{items: maps.Clone(c.items), cursors: maps.Clone(c.cursors)}
	c.errs = nil
}

// Commit makes what the read put the state that the next read starts from.
func (c *Container) Commit() {
	c.items, c.cursors = c.now.items, c.now.cursors
	c.begin()
}

// Crash drops what was put since the last savepoint and keeps the rest, as a checkpoint does.
func (c *Container) Crash() {
	if s := c.now.saved; s != nil {
		c.items, c.cursors = s.items, s.cursors
	}
	c.begin()
}

// Serial has fetches done one after another.
func (c *Container) Serial() { c.slots = make(chan struct{}, 1) }

// Items gives the committed items, by id.
func (c *Container) Items() map[string]Stored { return c.items }

// Cursors gives the committed cursors. For engine.Previous.
func (c *Container) Cursors(context.Context) iter.Seq2[engine.Cursor, error] {
	all := maps.Clone(c.cursors)
	return func(yield func(engine.Cursor, error) bool) {
		for name, value := range all {
			if !yield(engine.Cursor{Name: name, Value: value}, nil) {
				return
			}
		}
	}
}

// SetCursor changes a committed cursor, to play an old or broken one.
func (c *Container) SetCursor(name, value string) {
	c.cursors[name] = value
	c.begin()
}

// Spoil changes committed items, to play what no delta told.
func (c *Container) Spoil(change func(items map[string]Stored)) {
	change(c.items)
	c.begin()
}

// CursorNames lists the committed cursors.
func (c *Container) CursorNames() []string { return slices.Sorted(maps.Keys(c.cursors)) }

// Empty says that nothing was committed.
func (c *Container) Empty() bool { return len(c.items) == 0 && len(c.cursors) == 0 }

// Anew says what Compare does. For engine.Previous.
func (c *Container) Anew() bool { return c.Compare }

// Cursor gives a committed cursor. For engine.Previous.
func (c *Container) Cursor(_ context.Context, name string) (string, bool, error) {
	v, ok := c.cursors[name]
	return v, ok, nil
}

// Item gives a committed item. For engine.Previous.
func (c *Container) Item(_ context.Context, id string) (holdfast.Item, bool, error) {
	s, ok := c.items[id]
	return s.Item, ok, nil
}

// Children gives the committed items of a parent.
func (c *Container) Children(_ context.Context, parent string) iter.Seq2[holdfast.Item, error] {
	return c.each(func(s Stored) bool { return s.Parent == parent })
}

// All gives the committed items.
func (c *Container) All(context.Context) iter.Seq2[holdfast.Item, error] {
	return c.each(func(Stored) bool { return true })
}

func (c *Container) each(want func(Stored) bool) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) {
		for _, s := range c.items {
			if want(s) && !yield(s.Item, nil) {
				return
			}
		}
	}
}

// Put stores an item. For engine.Sink.
func (c *Container) Put(_ context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	forms := map[holdfast.Form][]byte{}
	for _, p := range payloads {
		if p.Keep {
			c.mu.Lock()
			old, ok := c.items[item.ID].Forms[p.Form]
			c.mu.Unlock()
			if !ok {
				return errors.New("keep of a form that the previous version does not have: " + string(p.Form))
			}
			forms[p.Form] = old
			continue
		}
		var b bytes.Buffer
		for piece, err := range p.Pieces {
			if err != nil {
				return err
			}
			in := piece.Reader
			if piece.Transform == holdfast.Base64 {
				in = holdfast.EncodeBase64Lines(in)
			}
			if _, err := io.Copy(&b, in); err != nil {
				return err
			}
		}
		forms[p.Form] = b.Bytes()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.items[item.ID] = Stored{Item: item, Forms: forms}
	return nil
}

// Delete hides an item. For engine.Sink.
func (c *Container) Delete(_ context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.now.items, id)
	return nil
}

// Skip notes a skip. For engine.Sink.
func (c *Container) Skip(_ context.Context, item holdfast.Item, why *holdfast.Skip) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Skips[item.ID] = why
}

// Cursor is ambiguous between Previous and Sink, so a Sink has a type of its own.
func (c *Container) setCursor(name, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value == "" {
		delete(c.now.cursors, name)
		return
	}
	c.now.cursors[name] = value
}

// Sink is the container as engine.Sink.
func (c *Container) Sink() engine.Sink { return sink{c} }

type sink struct{ *Container }

func (s sink) Cursor(_ context.Context, name, value string) error {
	s.setCursor(name, value)
	return nil
}

func (s sink) Go(ctx context.Context, _ int64, fn func(context.Context) error) {
	if s.AtGo != nil {
		s.AtGo()
	}
	s.slots <- struct{}{}
	s.wg.Go(func() {
		defer func() { <-s.slots }()
		if err := fn(ctx); err != nil {
			s.mu.Lock()
			s.errs = append(s.errs, err)
			s.mu.Unlock()
		}
	})
}

func (s sink) Wait() error {
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.errs {
		var skip *holdfast.Skip
		if !errors.As(err, &skip) {
			return err
		}
	}
	return nil
}

func (s sink) Savepoint(context.Context) error {
	s.mu.Lock()
	s.now.saved = &state{items: maps.Clone(s.now.items), cursors: maps.Clone(s.now.cursors)}
	s.Saved++
	n, ask := s.Saved, s.AtSavepoint
	s.mu.Unlock()
	if ask != nil {
		return ask(n)
	}
	return nil
}

// Read runs one read and commits it when it succeeds.
func (c *Container) Read(ctx context.Context, s engine.Source, of holdfast.Container) error {
	err := s.Read(ctx, of, c, c.Sink())
	if err == nil {
		c.Commit()
	}
	return err
}

// Open gives a stored form as engine.Put wants it.
func (s Stored) Open(_ context.Context, f holdfast.Form) (io.ReadCloser, bool, error) {
	b, ok := s.Forms[f]
	return io.NopCloser(bytes.NewReader(b)), ok, nil
}

// Now gives the items as the read under way has them so far.
func (c *Container) Now() map[string]Stored {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.now.items)
}

// Has says that the read under way has put a mail into a folder.
func (c *Container) Has(folder string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.now.items {
		if s.Parent == folder && s.Kind == holdfast.KindMail {
			return true
		}
	}
	return false
}

// Notes are what attempts of a restore leave to those that come after, in memory.
type Notes struct {
	mu    sync.Mutex // guards texts
	texts map[string]string
}

// Note keeps a text. For engine.Notes.
func (n *Notes) Note(_ context.Context, name, text string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.texts == nil {
		n.texts = map[string]string{}
	}
	n.texts[name] = text
	return nil
}

// Noted gives a text. For engine.Notes.
func (n *Notes) Noted(_ context.Context, name string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.texts[name], nil
}

// Disturb has the service fail in every way that changes nothing in the tenant, all at once, until calm. shift moves the calls at which each fault strikes.
func Disturb(t testing.TB, s *sim.Sim, shift int) (calm func()) {
	t.Helper()
	if err := s.SetFaults(
		sim.Fault{Name: sim.FaultThrottled, Every: 41, Skip: shift, RetryAfter: "1"}, sim.Fault{Name: sim.FaultThrottledBare, Every: 53, Skip: 2 * shift},
		sim.Fault{Name: sim.FaultUnavailable, Every: 47, Skip: 3 * shift, RetryAfter: "1"}, sim.Fault{Name: sim.FaultUnavailableBare, Every: 59, Skip: shift},
		sim.Fault{Name: sim.FaultServerError, Every: 21, Skip: shift}, sim.Fault{Name: sim.FaultBadGateway, Every: 27, Skip: 2 * shift}, sim.Fault{Name: sim.FaultToken, Every: 71, Skip: shift},
		sim.Fault{Name: sim.FaultTruncated, Every: 23, Skip: shift}, sim.Fault{Name: sim.FaultHTML, Every: 23, Skip: shift}, sim.Fault{Name: sim.FaultDropped, Every: 37, Skip: shift},
		sim.Fault{Name: sim.FaultAckLost, Every: 11, Skip: shift}, sim.Fault{Name: sim.FaultDuplicate, Every: 3}, sim.Fault{Name: sim.FaultOutOfOrder, Every: 4}, sim.Fault{Name: sim.FaultEmptyPage, Every: 5},
		sim.Fault{Name: sim.FaultSyncState, Every: 7}, sim.Fault{Name: sim.FaultFatPage, Every: 3}, sim.Fault{Name: sim.FaultDeepFat, Every: 2}, sim.Fault{Name: sim.FaultCounts, Every: 2},
	); err != nil {
		t.Fatal(err)
	}
	for kind, every := range map[string]int{sim.FaultDeltaExpired: 5, sim.FaultDeltaUpload: 7, sim.FaultDuplicateRows: 2, sim.FaultEmptyPages: 3, sim.FaultDownloadExpired: 11, sim.FaultHalfDownload: 4,
		sim.FaultWrongContent: 9, sim.FaultThrottle: 43, sim.FaultETag: 31, sim.FaultLocked: 37, sim.FaultUploadLost: 13, sim.FaultUploadTwice: 5} {
		if err := s.AddDriveFault(sim.DriveFault{Kind: kind, Every: every}); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := s.SetFaults(); err != nil {
			t.Fatal(err)
		}
		s.ClearDriveFaults()
	}
}

// SameCounts demands that two multisets of texts are equal.
func SameCounts(t testing.TB, got, want map[string]int) {
	t.Helper()
	told := 0
	for _, text := range slices.Sorted(maps.Keys(want)) {
		if got[text] < want[text] && told < 6 {
			told++
			t.Errorf("lacks %d: %.1500s", want[text]-got[text], text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(got)) {
		if want[text] < got[text] && told < 12 {
			told++
			t.Errorf("has %d more: %.1500s", got[text]-want[text], text)
		}
	}
}
