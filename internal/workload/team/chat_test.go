package team_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/team"
	"holdfast/internal/workload/workloadtest"
)

// chatRig is a simulated tenant of which some users' chats are protected. It plays what the server does of a session: each chat that the lists find is
// read once, by the greatest hint.
type chatRig struct {
	t      *testing.T
	sim    *sim.Sim
	g      *graph.Client
	lists  engine.Source
	source engine.Source
	target engine.Target
	users  []string
	list   map[string]*workloadtest.Container // by user
	chats  map[string]*workloadtest.Container
	of     map[string]holdfast.Container // as described
	marked sim.Stats
}

func startChats(t *testing.T, o sim.Options, users int) *chatRig {
	t.Helper()
	if o.Users == 0 {
		o.Users = 5
	}
	s, g := workloadtest.Tenant(t, o)
	r := &chatRig{t: t, sim: s, g: g, list: map[string]*workloadtest.Container{}, chats: map[string]*workloadtest.Container{}, of: map[string]holdfast.Container{}}
	dial := func(context.Context, holdfast.Organization, holdfast.Credential) (*graph.Client, error) {
		return g, nil
	}
	org := holdfast.Organization{ID: "org", TenantID: s.Tenant().TenantID}
	var err error
	if r.lists, err = team.NewChatLists(dial).Source(t.Context(), org, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	if r.source, err = team.NewChats(dial).Source(t.Context(), org, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	if r.target, err = team.NewChats(dial).Target(t.Context(), org, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	for _, u := range s.Tenant().Users[:users] {
		r.users = append(r.users, u.ID)
	}
	return r
}

// learning is a sink that takes what a source finds and describes.
type learning struct {
	engine.Sink
	found map[string]string
	of    *holdfast.Container
}

func (l *learning) Find(c holdfast.Container, hint string) {
	l.found[c.Source] = max(l.found[c.Source], hint)
}
func (l *learning) Describe(c holdfast.Container) { l.of = &c }

// session reads all lists and what they find.
func (r *chatRig) session() {
	r.t.Helper()
	found := map[string]string{}
	var known []holdfast.DirectoryObject // the server has a copy of the directory
	for _, u := range r.users {
		known = append(known, holdfast.DirectoryObject{ID: u, DisplayName: u, Name: u})
	}
	for f, err := range r.lists.Discover(engine.KnowUsers(r.t.Context(), known), r.users) {
		if err != nil || f.Err != nil {
			r.t.Fatal(err, f.Err)
		}
		c := r.list[f.Container.Owner]
		if c == nil {
			c = workloadtest.New()
			r.list[f.Container.Owner] = c
		}
		if err := r.lists.Read(r.t.Context(), f.Container, c, &learning{Sink: c.Sink(), found: found}); err != nil {
			r.t.Fatal(err)
		}
		c.Commit()
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		r.read(id, found[id])
	}
}

func (r *chatRig) read(id, hint string) {
	r.t.Helper()
	c := r.chats[id]
	if c == nil {
		c = workloadtest.New()
		r.chats[id] = c
	}
	sink := &learning{Sink: c.Sink()}
	if err := r.source.Read(engine.WithHint(r.t.Context(), hint), holdfast.Container{Organization: "org", Kind: holdfast.Chat, Source: id}, c, sink); err != nil {
		r.t.Fatal(err)
	}
	c.Commit()
	if sink.of == nil {
		r.t.Fatalf("%s was not described", id)
	}
	r.of[id] = *sink.of
}

func (r *chatRig) mark() { r.marked = r.sim.Stats() }

func (r *chatRig) calls() int64 { return r.sim.Stats().Calls - r.marked.Calls }

// members of a chat, as the simulator has them.
func (r *chatRig) members(id string) string {
	for _, c := range r.sim.Chats() {
		if c.ID == id {
			var ids []string
			for _, m := range c.Members {
				ids = append(ids, m.ID)
			}
			return holdfast.OwnedBy(ids...)
		}
	}
	return "no chat"
}

// judge compares what is stored of each chat with what Microsoft serves of it now.
func (r *chatRig) judge() {
	r.t.Helper()
	want := map[string]map[string]string{}
	for _, u := range r.users {
		l := graph.List{Top: 50, Prefer: []string{"include-unknown-enum-members"}}
		first, err := r.g.UserChats(r.t.Context(), u, graph.List{Top: 50})
		for c, err := range graph.All(r.t.Context(), r.g, first, err, graph.List{}) {
			if err != nil {
				r.t.Fatal(err)
			}
			if want[c.ID] == nil {
				want[c.ID] = map[string]string{}
			}
		}
		page, err := r.g.AllChatMessages(r.t.Context(), u, l)
		for m, err := range graph.All(r.t.Context(), r.g, page, err, l) {
			if err != nil {
				r.t.Fatal(err)
			}
			want[m.Chat]["post."+m.ID] = string(m.Raw)
		}
	}
	for id, messages := range want {
		c := r.chats[id]
		if c == nil {
			r.t.Errorf("%s is not stored", id)
			continue
		}
		for post, raw := range messages {
			if got := string(c.Items()[post].Forms[holdfast.FormJSON]); got != raw {
				r.t.Errorf("%s of %s is\n%.400s\nwant\n%.400s", post, id, got, raw)
				return
			}
		}
		if r.of[id].Owner != r.members(id) {
			r.t.Errorf("%s is of %q, want %q", id, r.of[id].Owner, r.members(id))
		}
	}
}

var someChats = sim.Options{Chat: sim.ChatShape{Chats: 3, Posts: 60, Guests: 1, Hosted: 7}}

// Each chat is stored once, exactly as served, with the pictures in it, and read once whoever takes part in it.
func TestChatsAreStoredOnce(t *testing.T) {
	r := startChats(t, someChats, 5)
	r.mark()
	r.session()
	calls := r.calls()
	r.judge()
	kinds, pictures, shared := map[string]int{}, 0, 0
	for id, c := range r.chats {
		root := c.Items()["chat"]
		kinds[root.Fields["membership"]]++
		var members []json.RawMessage
		if err := json.Unmarshal(root.Forms["members"], &members); err != nil || len(members) < 2 {
			t.Errorf("%s has %d members (%v)", id, len(members), err)
		}
		if len(holdfast.Owners(r.of[id].Owner)) != len(members) || r.of[id].Name == "" {
			t.Errorf("%s is described as %+v", id, r.of[id])
		}
		protected := 0
		for _, u := range r.users {
			if r.of[id].Of(u) {
				protected++
			}
		}
		if protected > 1 {
			shared++
		}
		for _, s := range c.Items() {
			for _, h := range strings.Fields(s.Fields["hosted"]) {
				if root.Fields["here"] == "" && len(s.Forms[holdfast.Form("hosted/"+h)]) == 0 {
					t.Errorf("%s lacks the picture %s", s.ID, h)
				}
				pictures++
			}
		}
		for what, why := range c.Skips { // Microsoft gives the pictures of chats that another organization began to nobody else
			if why.Reason != holdfast.SkipUnsupported || root.Fields["here"] != "false" {
				t.Errorf("%s skips %s: %v", id, what, why)
			}
		}
	}
	if kinds["oneOnOne"] == 0 || kinds["group"] == 0 || kinds["meeting"] == 0 || pictures == 0 || shared == 0 {
		t.Errorf("kinds %v, %d pictures, %d chats of several who are protected", kinds, pictures, shared)
	}
	t.Logf("%d chats of %d users, %d of several: %d calls", len(r.chats), len(r.users), shared, calls)
}

// An idle session costs one request a user; what changes in a chat costs one more, not one for each member.
func TestIdleChatsCostOneRequestAUser(t *testing.T) {
	r := startChats(t, someChats, 5)
	r.session()
	r.sim.Clock().Move(2 * time.Hour)
	r.session() // what was in the first hour is behind
	r.mark()
	r.session()
	if n := r.calls(); n != int64(len(r.users)) {
		t.Errorf("an idle session of %d users made %d calls", len(r.users), n)
	}
	var group sim.ChatInfo
	for _, c := range r.sim.Chats() {
		if c.Type == "group" && c.Tenant == r.sim.Tenant().TenantID && r.chats[c.ID] != nil {
			group = c
		}
	}
	r.sim.Clock().Move(time.Minute)
	if _, err := r.sim.SayInChat(group.ID, group.Members[0].ID, "<p>one more</p>"); err != nil {
		t.Fatal(err)
	}
	r.sim.Clock().Move(time.Minute)
	r.mark()
	r.session()
	if n := r.calls(); n != int64(len(r.users))+1 {
		t.Errorf("a session with one message in one chat of %d members made %d calls, want %d", len(group.Members), n, len(r.users)+1)
	}
	r.judge()
}

// Whatever is done in chats, the next session has it: said, edited, deleted, reacted to, renamed, joined and left.
func TestChatsFollowWhatChanges(t *testing.T) {
	r := startChats(t, someChats, 3)
	r.session()
	r.judge()
	for round := range 6 {
		r.sim.Clock().Move(time.Duration(round) * time.Hour)
		for n, c := range r.sim.Chats() {
			if (n+round)%2 == 0 {
				if _, err := r.sim.ChurnChat(c.ID, 5, uint64(round)); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.sim.Clock().Move(time.Second)
		r.session()
		r.judge()
	}
}

// A message that says nothing any more is a version; what it said is in the version before. A member who leaves is a member no more, and one who
// joins is one, of the chat whose earlier state has him still.
// A link that the service refuses, at the beginning of a round or within it, begins the round anew: nothing of what changed is missed.
func TestChatsAreFollowedThoughLinksAreRefused(t *testing.T) {
	r := startChats(t, someChats, 3)
	r.session()
	for n := range 3 {
		r.sim.Clock().Move(time.Second)
		for _, c := range r.sim.Chats() {
			if _, err := r.sim.ChurnChat(c.ID, 5, uint64(n)); err != nil {
				t.Fatal(err)
			}
		}
		r.sim.Clock().Move(time.Second)
		if err := r.sim.SetFaults(sim.Fault{Name: sim.FaultSyncState, Skip: n % 2, Times: 3}); err != nil {
			t.Fatal(err)
		}
		r.session()
		if err := r.sim.SetFaults(); err != nil {
			t.Fatal(err)
		}
		r.judge()
	}
	if r.sim.Stats().FaultsFired[sim.FaultSyncState] == 0 {
		t.Error("no link was refused")
	}
}

func TestChatsKnowTheirMembersAtEachTime(t *testing.T) {
	r := startChats(t, someChats, 4)
	r.session()
	var group sim.ChatInfo
	for _, c := range r.sim.Chats() {
		if c.Type == "group" && len(c.Members) > 2 && c.Tenant == r.sim.Tenant().TenantID {
			group = c
		}
	}
	left := group.Members[1].ID
	if !r.of[group.ID].Of(left) {
		t.Fatalf("%s is not of %s", r.of[group.ID].Owner, left)
	}
	id, err := r.sim.SayInChat(group.ID, group.Members[0].ID, "<p>soon gone</p>")
	if err != nil {
		t.Fatal(err)
	}
	r.sim.Clock().Move(time.Minute)
	r.session()
	if got := r.chats[group.ID].Items()["post."+id].Name; got != "soon gone" {
		t.Errorf("the message is %q", got)
	}
	r.sim.Clock().Move(time.Minute)
	if err := r.sim.LeaveChat(group.ID, left); err != nil {
		t.Fatal(err)
	}
	if err := r.sim.DeleteInChat(group.ID, id); err != nil {
		t.Fatal(err)
	}
	r.sim.Clock().Move(time.Minute)
	r.session()
	if r.of[group.ID].Of(left) || r.of[group.ID].Owner != r.members(group.ID) {
		t.Errorf("after he left it is of %q", r.of[group.ID].Owner)
	}
	if m := r.chats[group.ID].Items()["post."+id]; m.Fields["deleted"] == "" || m.Name != "(deleted)" {
		t.Errorf("the deleted message is %q %v", m.Name, m.Fields)
	}
}

// A listing of everything finds what no delta told of, and drops what is not there any more.
func TestChatsAreComparedAnew(t *testing.T) {
	r := startChats(t, someChats, 2)
	r.session()
	var id string
	for one, c := range r.chats {
		if c.Items()["chat"].Fields["here"] == "" && len(c.Items()) > 10 {
			id = one
		}
	}
	c := r.chats[id]
	c.Spoil(func(items map[string]workloadtest.Stored) {
		for key, s := range items {
			if s.Kind == holdfast.KindPost {
				s.Version = "old"
				items[key] = s
				break
			}
		}
		items["post.1"] = workloadtest.Stored{Item: holdfast.Item{ID: "post.1", Parent: "chat", Kind: holdfast.KindPost, Fields: map[string]string{"message": "1"}}}
	})
	for _, all := range []map[string]*workloadtest.Container{r.list, r.chats} {
		for _, c := range all {
			c.Compare = true
		}
	}
	r.session()
	r.judge()
	if _, there := c.Items()["post.1"]; there {
		t.Error("what is not in the chat is still in its state")
	}
}

// A first read that breaks off goes on where it was.
func TestALongChatGoesOnAfterACrash(t *testing.T) {
	r := startChats(t, sim.Options{Users: 2, Chat: sim.ChatShape{Chats: 1, Posts: 2600, Hosted: 1 << 20}}, 1)
	var id string
	for _, c := range r.sim.Chats() {
		if c.Tenant == r.sim.Tenant().TenantID && c.Messages > 2000 {
			id = c.ID
		}
	}
	c := workloadtest.New()
	r.chats[id] = c
	c.AtSavepoint = func(n int) error {
		if n == 2 {
			return fmt.Errorf("crash")
		}
		return nil
	}
	of := holdfast.Container{Organization: "org", Kind: holdfast.Chat, Source: id}
	if err := r.source.Read(t.Context(), of, c, c.Sink()); err == nil {
		t.Fatal("no crash")
	}
	c.Crash()
	c.AtSavepoint = nil
	got := len(c.Items())
	if got < 900 {
		t.Fatalf("the checkpoint has %d items", got)
	}
	r.mark()
	r.read(id, "")
	if n := r.calls(); n > 20 {
		t.Errorf("%d calls after the crash", n)
	}
	if n := len(c.Items()) - 1; n != 2600 {
		t.Errorf("%d messages of 2600", n)
	}
}

// Whoever may not be read says why, and the others go on.
func TestAListThatIsRefusedSaysWhy(t *testing.T) {
	r := startChats(t, sim.Options{Chat: someChats.Chat, Roles: []string{"User.Read.All"}}, 2)
	for f, err := range r.lists.Discover(t.Context(), r.users) {
		if err != nil {
			t.Fatal(err)
		}
		c := workloadtest.New()
		err := c.Read(t.Context(), r.lists, f.Container)
		if skip, ok := err.(*holdfast.Skip); !ok || skip.Reason != holdfast.SkipDenied || !strings.Contains(err.Error(), "Chat.Read.All") {
			t.Errorf("got %v", err)
		}
	}
}
