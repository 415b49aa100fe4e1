package team_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/team"
	"holdfast/internal/workload/workloadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a simulated tenant with one team under test.
type rig struct {
	t      *testing.T
	sim    *sim.Sim
	g      *graph.Client
	source engine.Source
	target engine.Target
	box    holdfast.Container
	marked sim.Stats
}

func start(t *testing.T, o sim.Options) *rig {
	t.Helper()
	if o.Users == 0 {
		o.Users = 4
	}
	s, g := workloadtest.Tenant(t, o)
	r := &rig{t: t, sim: s, g: g}
	w := team.New(func(context.Context, holdfast.Organization, holdfast.Credential) (*graph.Client, error) {
		return g, nil
	})
	var err error
	if r.source, err = w.Source(t.Context(), holdfast.Organization{ID: "org"}, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	if r.target, err = w.Target(t.Context(), holdfast.Organization{ID: "org"}, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	r.box = r.containers(nil)[0]
	return r
}

func (r *rig) containers(ids []string) []holdfast.Container {
	r.t.Helper()
	var out []holdfast.Container
	for f, err := range r.source.Discover(r.t.Context(), ids) {
		if err != nil || f.Err != nil {
			r.t.Fatal(err, f.Err)
		}
		out = append(out, f.Container)
	}
	if len(out) == 0 {
		r.t.Fatal("no team")
	}
	return out
}

func (r *rig) backup(c *workloadtest.Container) {
	r.t.Helper()
	if err := c.Read(r.t.Context(), r.source, r.box); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) churn(n, seed int) {
	r.t.Helper()
	r.sim.Clock().Move(time.Second)
	if _, err := r.sim.ChurnTeam(r.box.Source, n, uint64(seed)); err != nil {
		r.t.Fatal(err)
	}
	r.sim.Clock().Move(time.Second)
}

func (r *rig) dump(key string) []sim.TeamRow {
	r.t.Helper()
	rows, err := r.sim.DumpTeam(key)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// mark begins to count; requests is what the simulator counted since.
func (r *rig) mark() { r.marked = r.sim.Stats() }

func (r *rig) requests() (requests, calls int64) {
	s := r.sim.Stats()
	return s.Requests - r.marked.Requests, s.Calls - r.marked.Calls
}

// state writes what a container holds of a team as text, item by item; its files are the drives' matter.
func state(c *workloadtest.Container) map[string]string {
	out := map[string]string{}
	for id, s := range c.Items() {
		switch {
		case s.Kind == holdfast.KindFile || s.Kind == holdfast.KindVersion:
			continue
		case s.Kind == holdfast.KindFolder && !strings.HasPrefix(id, "channel.") && id != "team":
			continue
		}
		fields := maps.Clone(s.Fields)
		delete(fields, "files") // a channel's folder that somebody deletes is made again, which no event tells
		text := fmt.Sprintf("%s in %s, %q, %v", s.Kind, s.Parent, s.Name, fields)
		for _, f := range slices.Sorted(maps.Keys(s.Forms)) {
			sum := sha256.Sum256(s.Forms[f])
			text += fmt.Sprintf("\n%s: %x", f, sum[:6])
			if f == holdfast.FormJSON {
				text += " " + string(s.Forms[f])
			}
		}
		out[id] = text
	}
	return out
}

func equal(t *testing.T, got, want map[string]string) {
	t.Helper()
	shown := 0
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] && shown < 5 {
			shown++
			t.Errorf("%s is\n%.900s\nwant\n%.900s", id, got[id], want[id])
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok && shown < 5 {
			shown++
			t.Errorf("%s should not be there: %.300s", id, got[id])
		}
	}
}

// asBackedUp compares a container with what the simulator has.
func (r *rig) asBackedUp(c *workloadtest.Container) {
	r.t.Helper()
	byTime := map[string]workloadtest.Stored{}
	kinds := map[holdfast.ItemKind]int{}
	channels := map[string]string{}
	for id, s := range c.Items() {
		kinds[s.Kind]++
		if strings.HasPrefix(id, "channel.") {
			channels[s.Fields["channel"]] = s.Name
		}
	}
	for _, s := range c.Items() {
		if s.Kind == holdfast.KindPost {
			byTime[channels[s.Fields["channel"]]+s.Time.UTC().Format(time.RFC3339Nano)] = s
		}
	}
	posts, tabs := 0, 0
	for _, row := range r.dump(r.box.Source) {
		switch row.Kind {
		case "tab":
			tabs++
		case "post":
			posts++
			s, ok := byTime[row.Channel+row.Created.Format(time.RFC3339Nano)]
			if !ok {
				r.t.Errorf("the post of %s in %s is not in the backup", row.Created, row.Channel)
				continue
			}
			var hosted []string
			for f, b := range s.Forms {
				if strings.HasPrefix(string(f), "hosted/") {
					sum := sha256.Sum256(b)
					hosted = append(hosted, hex.EncodeToString(sum[:]))
				}
			}
			var m graph.ChatMessage
			if err := json.Unmarshal(s.Forms[holdfast.FormJSON], &m); err != nil {
				r.t.Fatal(err)
			}
			body := row.Body
			if row.Event {
				body = "<systemEventMessage/>"
			}
			if m.Body.Content != body || !slices.Equal(hosted, row.Hosted) || (s.Fields["replyTo"] != "") != (row.ReplyTo != "") || (s.Fields["deleted"] != "") != row.Deleted {
				r.t.Errorf("the post of %s is %q with %d pictures, %v; want %+v", row.Created, m.Body.Content, len(hosted), s.Fields, row)
			}
		}
	}
	if kinds[holdfast.KindPost] != posts || kinds[holdfast.KindTab] != tabs || posts == 0 || tabs == 0 {
		r.t.Errorf("%d posts and %d tabs, want %d and %d", kinds[holdfast.KindPost], kinds[holdfast.KindTab], posts, tabs)
	}
	if len(c.Skips) > 0 {
		r.t.Errorf("skips %v", c.Skips)
	}
}

func TestFullAndIncrementalBackupsHoldWhatTheTeamHas(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	r.asBackedUp(c)
	files := 0
	for _, s := range c.Items() {
		if s.Kind == holdfast.KindFile {
			files++
		}
	}
	if files < 12 {
		t.Errorf("%d files", files)
	}
	for seed := range 4 {
		r.churn(30, seed)
		r.backup(c)
		r.asBackedUp(c)
		fresh := workloadtest.New()
		r.backup(fresh)
		equal(t, state(c), state(fresh))
	}
}

// TestRequestsOfALargeTeam is the measure: 100,000 posts in at most 2,100 requests, and 3 when nothing happened.
func TestRequestsOfALargeTeam(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 posts")
	}
	r := start(t, sim.Options{Team: sim.TeamShape{Teams: 1, Posts: 100_000, Hosted: -1}})
	c := workloadtest.New()
	r.mark()
	r.backup(c)
	full, calls := r.requests()
	posts := 0
	for _, s := range c.Items() {
		if s.Kind == holdfast.KindPost {
			posts++
		}
	}
	t.Logf("full: %d requests, %d calls, %d posts, %d items", full, calls, posts, len(c.Items()))
	if posts != 100_000 {
		t.Fatalf("%d posts", posts)
	}
	r.mark()
	r.backup(c)
	idle, calls := r.requests()
	t.Logf("idle: %d requests, %d calls: %v", idle, calls, r.endpoints())
	r.churn(20, 1)
	r.mark()
	r.backup(c)
	changed, calls := r.requests()
	t.Logf("after 20 changes: %d requests, %d calls", changed, calls)
	if full > 2100 || idle > 3 {
		t.Errorf("%d requests full and %d idle; want at most 2100 and 3", full, idle)
	}
}

func (r *rig) endpoints() []string {
	var out []string
	for name, e := range r.sim.Stats().Endpoints {
		before := r.marked.Endpoints[name]
		e.Calls, e.Parts = e.Calls-before.Calls, e.Parts-before.Parts
		if e.Calls+e.Parts > 0 {
			out = append(out, fmt.Sprintf("%s %d+%d", name, e.Calls, e.Parts))
		}
	}
	slices.Sort(out)
	return out
}

func TestAnIdleBackupWritesNothing(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	before := state(c)
	names := c.CursorNames()
	w := &writes{}
	r.sim.Clock().Move(time.Hour)
	if err := r.source.Read(t.Context(), r.box, c, watched{c.Sink(), w}); err != nil {
		t.Fatal(err)
	}
	if w.n != 0 {
		t.Errorf("%d writes: %v", w.n, w.what)
	}
	c.Commit()
	equal(t, state(c), before)
	if !slices.Equal(c.CursorNames(), names) {
		t.Errorf("cursors %v, were %v", c.CursorNames(), names)
	}
}

type writes struct {
	n    int
	what []string
}

// watched counts what a read writes.
type watched struct {
	engine.Sink
	w *writes
}

func (s watched) Put(ctx context.Context, item holdfast.Item, p ...holdfast.Payload) error {
	s.w.n++
	s.w.what = append(s.w.what, item.ID)
	return s.Sink.Put(ctx, item, p...)
}

func (s watched) Cursor(ctx context.Context, name, value string) error {
	s.w.n++
	s.w.what = append(s.w.what, name)
	return s.Sink.Cursor(ctx, name, value)
}

func TestABrokenOffListingGoesOn(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 3000, Hosted: -1}})
	c := workloadtest.New()
	c.AtSavepoint = func(n int) error {
		if n == 2 {
			return errors.New("crash")
		}
		return nil
	}
	if err := c.Read(t.Context(), r.source, r.box); err == nil {
		t.Fatal("no crash")
	}
	c.Crash()
	c.AtSavepoint = nil
	r.churn(20, 1)
	r.mark()
	r.backup(c)
	const export = "GET /v1.0/teams/{team}/channels/getAllMessages"
	if pages := r.sim.Stats().Endpoints[export].Calls - r.marked.Endpoints[export].Calls; pages > 21 {
		t.Errorf("%d pages after the crash: it began anew", pages)
	}
	r.backup(c) // what changed while the listing was broken off
	r.asBackedUp(c)
}

func TestAComparisonFindsWhatVanished(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyTeam(r.box.Source, "General"); err != nil {
		t.Fatal(err)
	}
	r.backup(c)
	c.Compare = true
	r.backup(c)
	r.asBackedUp(c)
}

func TestADeletedTeamIsGoneAndADeletedChannelIsDeleted(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	for _, channel := range []string{"Planning", "Ünïcödé and more"} { // a standard and a private one
		if err := r.sim.DeleteTeam(r.box.Source, channel, false); err != nil {
			t.Fatal(err)
		}
	}
	r.backup(c)
	for id, s := range c.Items() {
		if s.Kind == holdfast.KindFolder && (s.Name == "Planning" || s.Name == "Ünïcödé and more") && strings.HasPrefix(id, "channel.") {
			t.Errorf("%s is still there", s.Name)
		}
	}
	r.asBackedUp(c)
	before := len(c.Items())
	if err := r.sim.DeleteTeam(r.box.Source, "", false); err != nil {
		t.Fatal(err)
	}
	err := c.Read(t.Context(), r.source, r.box)
	var skip *holdfast.Skip
	if !errors.As(err, &skip) || skip.Reason != holdfast.SkipGone {
		t.Fatalf("a deleted team: %v", err)
	}
	if len(c.Items()) != before {
		t.Errorf("%d items, were %d", len(c.Items()), before)
	}
}

func TestWhatIsDeniedIsNamedAndTheRestIsRead(t *testing.T) {
	r := start(t, sim.Options{Roles: []string{"Group.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All", "Files.Read.All", "TeamMember.Read.All", "TeamsTab.Read.All", "TeamsAppInstallation.ReadForTeam.All"}})
	_ = r.sim.SetFaults(sim.Fault{Name: sim.FaultRefused, Path: "getAllMessages"}, sim.Fault{Name: sim.FaultRefused, Path: "{channel}/members"})
	c := workloadtest.New()
	r.backup(c)
	if c.Skips["posts"] == nil || c.Skips["posts"].Reason != holdfast.SkipDenied {
		t.Errorf("skips %v", c.Skips)
	}
	if len(c.Skips) != 3 { // posts, and the members of the private and of the shared channel
		t.Errorf("skips %v", c.Skips)
	}
	if _, ok := c.Items()["team"]; !ok {
		t.Error("the team is not there")
	}
}

func TestPostsAreLeftOutWhenTheJobSaysSo(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	if err := r.source.Read(engine.LeaveOut(t.Context(), []engine.MailboxPart{holdfast.PartPosts}), r.box, c, c.Sink()); err != nil {
		t.Fatal(err)
	}
	c.Commit()
	kinds := map[holdfast.ItemKind]int{}
	for _, s := range c.Items() {
		kinds[s.Kind]++
	}
	if kinds[holdfast.KindPost] != 0 || kinds[holdfast.KindTab] == 0 || kinds[holdfast.KindFile] == 0 {
		t.Errorf("%v", kinds)
	}
	r.backup(c)
	r.asBackedUp(c)
}

func TestBackupThroughFaults(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	for _, f := range []sim.Fault{{Name: sim.FaultThrottled, Every: 5}, {Name: sim.FaultUnavailableBare, Every: 4}, {Name: sim.FaultEmptyPage, Every: 3}, {Name: sim.FaultDuplicate, Every: 2}, {Name: sim.FaultOutOfOrder, Every: 2},
		{Name: sim.FaultTruncated, Every: 6}, {Name: sim.FaultDropped, Every: 5}, {Name: sim.FaultHTML, Every: 7}} {
		if err := r.sim.SetFaults(f); err != nil {
			t.Fatal(err)
		}
		r.churn(20, int(f.Every))
		if err := c.Read(t.Context(), r.source, r.box); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	if err := r.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	r.backup(c)
	clear(c.Skips)
	r.backup(c)
	r.asBackedUp(c)
}

// Pictures of posts and of the team are never what something on the way answered in their place, nor half of them, and one that did not come is named.
func TestPicturesComeWholeOrAreNamed(t *testing.T) {
	for name, fault := range map[string]sim.Fault{"a page of HTML": {Name: sim.FaultHTML, Every: 2}, "broken off": {Name: sim.FaultTruncated, Every: 2}, "no answer": {Name: sim.FaultUnavailableBare, Every: 2},
		"never an answer": {Name: sim.FaultUnavailableBare}} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{})
			want := workloadtest.New()
			r.backup(want)
			var faults []sim.Fault
			for _, path := range []string{"/hostedContents/", "/photo/$value"} {
				fault.Path = path
				faults = append(faults, fault)
			}
			if err := r.sim.SetFaults(faults...); err != nil {
				t.Fatal(err)
			}
			got := workloadtest.New()
			if err := got.Read(t.Context(), r.source, r.box); err != nil {
				t.Fatal(err)
			}
			if fired := r.sim.Stats().FaultsFired[fault.Name]; fired == 0 {
				t.Fatalf("the fault struck %d times", fired)
			}
			pictures := 0
			for id, s := range want.Items() {
				for form, b := range s.Forms {
					switch stored, ok := got.Items()[id].Forms[form]; {
					case s.Kind == holdfast.KindFile || s.Kind == holdfast.KindVersion:
					case !ok && got.Skips[id] == nil:
						t.Errorf("%s is without its form %s, and nobody says so", id, form)
					case ok && !bytes.Equal(b, stored):
						t.Errorf("%s: its form %s is %.60q", id, form, stored)
					}
					if form == holdfast.FormPhoto || s.Fields["hosted"] != "" {
						pictures++
					}
				}
			}
			if pictures < 4 {
				t.Fatalf("the team has %d pictures", pictures)
			}
			if fault.Every > 0 && len(got.Skips) > 0 {
				t.Errorf("given up: %v", got.Skips)
			}
		})
	}
}

func TestTeamsAreReadInGovernmentCloudsAndThereAreNoneInChina(t *testing.T) {
	r := start(t, sim.Options{Cloud: "usgovernment"})
	c := workloadtest.New()
	r.backup(c)
	r.asBackedUp(c)
	s, g := workloadtest.Tenant(t, sim.Options{Users: 3, Cloud: "china"})
	w := team.New(func(context.Context, holdfast.Organization, holdfast.Credential) (*graph.Client, error) {
		return g, nil
	})
	source, err := w.Source(t.Context(), holdfast.Organization{ID: "org"}, holdfast.Credential{})
	if err != nil {
		t.Fatal(err)
	}
	before := s.Stats().Requests
	for f, err := range source.Discover(t.Context(), nil) {
		t.Errorf("%v %v in China", f, err)
	}
	if n := s.Stats().Requests - before; n != 0 {
		t.Errorf("%d requests for teams in China", n)
	}
}

// A channel that was deleted and comes back has all its posts again, also those that nobody changes any more.
func TestAChannelThatComesBackHasItsPosts(t *testing.T) {
	for name, after := range map[string]func(r *rig){
		"found when the team is looked at": func(r *rig) { r.sim.Clock().Move(13 * time.Hour) },
		"found by a post":                  func(r *rig) { r.churn(30, 9) },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{})
			c := workloadtest.New()
			r.backup(c)
			for _, channel := range []string{"Planning", "Ünïcödé and more"} { // a standard and a private one
				if err := r.sim.DeleteTeam(r.box.Source, channel, false); err != nil {
					t.Fatal(err)
				}
			}
			r.churn(5, 1)
			r.backup(c)
			r.asBackedUp(c)
			for _, channel := range []string{"Planning", "Ünïcödé and more"} {
				if err := r.sim.UndeleteChannel(r.box.Source, channel); err != nil {
					t.Fatal(err)
				}
			}
			after(r)
			r.backup(c)
			r.asBackedUp(c)
			r.mark()
			r.backup(c)
			if _, calls := r.requests(); calls > 20 {
				t.Errorf("the next backup took %d calls", calls)
			}
			if slices.Contains(c.CursorNames(), "back") {
				t.Error("everything is listed again for ever")
			}
		})
	}
}

// A channel that is deleted between the listing of its posts and the look at the team leaves nothing behind.
func TestAChannelThatIsDeletedWhileItIsReadLeavesNoPosts(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	r.churn(60, 2) // with a tab, for which the team is looked at
	deleted := false
	sink := deleting{c.Sink(), func(item holdfast.Item) {
		if item.Kind == holdfast.KindPost && !deleted {
			deleted = true
			if err := r.sim.DeleteTeam(r.box.Source, "Planning", false); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := r.source.Read(t.Context(), r.box, c, sink); err != nil {
		t.Fatal(err)
	}
	c.Commit()
	for id, s := range c.Items() {
		if _, ok := c.Items()[s.Parent]; !ok && s.Parent != "" {
			t.Errorf("%s lies in %s, which is not there", id, s.Parent)
		}
	}
}

// deleting tells of each item before it is put.
type deleting struct {
	engine.Sink
	before func(item holdfast.Item)
}

func (s deleting) Put(ctx context.Context, item holdfast.Item, p ...holdfast.Payload) error {
	s.before(item)
	return s.Sink.Put(ctx, item, p...)
}
