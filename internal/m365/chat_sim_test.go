package m365_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/sim"
)

// readChats gives the messages of all chats of all users, by chat and id, with how many rows there were.
func readChats(t *testing.T, s *sim.Sim, c *graph.Client, filter string) (all map[string]*graph.ChatMessage, rows int) {
	t.Helper()
	all = map[string]*graph.ChatMessage{}
	for _, u := range s.Tenant().Users {
		l := graph.List{Top: 50, Filter: filter, Prefer: []string{"include-unknown-enum-members"}}
		p, err := c.AllChatMessages(t.Context(), u.ID, l)
		for m, err := range graph.All(t.Context(), c, p, err, l) {
			if err != nil {
				t.Fatal(err)
			}
			all[m.Chat+"/"+m.ID] = m
			rows++
		}
	}
	return all, rows
}

func TestSimulatedChatsAreReadWhole(t *testing.T) {
	s, config := simulated(t, sim.Options{Users: 6, Chat: sim.ChatShape{Chats: 6, Posts: 60, Hosted: 5, Guests: 1}})
	c := open(t, config)
	all, rows := readChats(t, s, c, "")
	if rows <= len(all) {
		t.Errorf("%d rows of %d messages: each member has them", rows, len(all))
	}
	posts, own := 0, map[string]bool{}
	for _, info := range s.Chats() {
		posts += info.Messages
		own[info.ID] = info.Tenant == s.Tenant().TenantID
	}
	if len(all) != posts {
		t.Errorf("%d messages of %d", len(all), posts)
	}
	pictures := 0
	for key, m := range all {
		if m.Raw == nil || m.Created.IsZero() || m.Type == "systemEventMessage" != (m.Event != nil && string(m.Event) != "null") {
			t.Errorf("%s: %+v", key, m)
		}
		if _, rest, ok := strings.Cut(m.Body.Content, "/hostedContents/"); ok && m.Deleted.IsZero() && pictures < 3 {
			id, _, _ := strings.Cut(rest, "/")
			x, err := c.OpenChatHosted(t.Context(), m.Chat, m.ID, id)
			if !own[m.Chat] { // only where the chat was begun one may read them
				if m365.KindOf(err) != m365.Denied {
					t.Errorf("a picture of a chat of another organization: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(x); err != nil || len(b) < 100 {
				t.Errorf("a picture of %d bytes: %v", len(b), err)
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
			pictures++
		}
	}
	if pictures == 0 {
		t.Error("no picture")
	}
	chats := map[string]graph.Chat{}
	for _, u := range s.Tenant().Users {
		l := graph.List{Top: 5, Expand: []string{"members"}}
		p, err := c.UserChats(t.Context(), u.ID, l)
		for ch, err := range graph.All(t.Context(), c, p, err, l) {
			if err != nil {
				t.Fatal(err)
			}
			chats[ch.ID] = *ch
			if !slices.ContainsFunc(ch.Members, func(m graph.ConversationMember) bool { return m.UserID == u.ID }) {
				t.Errorf("%s is not in %s", u.UPN, ch.ID)
			}
		}
	}
	if len(chats) != len(s.Chats()) {
		t.Errorf("%d chats of %d", len(chats), len(s.Chats()))
	}
	for _, info := range s.Chats() {
		ch := chats[info.ID]
		if ch.Type != info.Type || ch.Topic != info.Topic || ch.TenantID != info.Tenant || (ch.Meeting != nil) != (ch.Type == "meeting") || len(ch.Members) != len(info.Members) {
			t.Errorf("%+v is %+v", info, ch)
		}
		for i, m := range ch.Members {
			if !m.Since.Equal(info.Members[i].Since) || m.TenantID == "" || !slices.Equal(m.Roles, []string{info.Members[i].Role}) {
				t.Errorf("member %+v is %+v", info.Members[i], m)
			}
		}
	}
}

func TestSimulatedChatIsImported(t *testing.T) {
	s, config := simulated(t, sim.Options{Users: 3})
	c, ctx := open(t, config), t.Context()
	users := s.Tenant().Users
	all := time.Time{}
	group, err := c.CreateChat(ctx, graph.NewChat{Type: "group", Topic: "Past", Members: []graph.NewMember{{User: users[0].ID, Roles: []string{"owner"}}, {User: users[1].ID, Roles: []string{"owner"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddChatMember(ctx, group.ID, graph.NewMember{User: users[2].ID, Roles: []string{"owner"}, Since: &all}); err != nil {
		t.Fatal(err)
	}
	if err := c.RenameChat(ctx, group.ID, "Long past"); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 2, 3, 4, 5, 6, 789e6, time.UTC)
	if err := c.StartChatMigration(ctx, group.ID, at.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"createdDateTime": at, "from": map[string]any{"user": map[string]any{"id": users[1].ID, "userIdentityType": "aadUser"}}, "body": map[string]any{"contentType": "html", "content": `<img src="../hostedContents/1/$value">`},
		"hostedContents": []any{map[string]any{"@microsoft.graph.temporaryId": "1", "contentType": "image/png", "contentBytes": base64.StdEncoding.EncodeToString([]byte("picture"))}}}
	m, err := c.PostChatMessage(ctx, group.ID, body)
	if err != nil || !m.Created.Equal(at) || m.Chat != group.ID {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := c.PostChatMessage(ctx, group.ID, body); m365.KindOf(err) != m365.Conflict {
		t.Errorf("the same millisecond: %v", err)
	}
	if err := c.CompleteChatMigration(ctx, group.ID); err != nil {
		t.Fatal(err)
	}
	got, err := c.MessageOfChat(ctx, group.ID, m.ID)
	if err != nil || got.From == nil || got.From.User == nil || got.From.User.ID != users[1].ID {
		t.Errorf("%+v, %v", got, err)
	}
	ch, err := c.Chat(ctx, group.ID)
	if err != nil || ch.Topic != "Long past" || !ch.Created.Equal(at.Add(-time.Hour)) || ch.Migration != "completed" || ch.Original.IsZero() {
		t.Errorf("%+v, %v", ch, err)
	}
	members, err := c.ChatMembers(ctx, group.ID)
	if err != nil || len(members.Value) != 3 {
		t.Errorf("%+v, %v", members, err)
	}
	if n := s.ChatNotices(); len(n) != 0 {
		t.Errorf("somebody was notified: %+v", n)
	}
	if err := s.DeleteChat(group.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Chat(ctx, group.ID); m365.KindOf(err) != m365.NotFound {
		t.Errorf("a deleted chat: %v", err)
	}
	if err := c.DeletedChat(ctx, group.ID); err != nil {
		t.Error(err)
	}
	if err := c.RestoreChat(ctx, group.ID); err != nil {
		t.Error(err)
	}
	if p, err := c.ChatMessages(ctx, group.ID, graph.List{Top: 50}); err != nil || len(p.Value) != 3 { // one imported, one joined, one renamed
		t.Errorf("%+v, %v", p, err)
	}
}

func TestSimulatedChangesOfChatsAreARound(t *testing.T) {
	s, config := simulated(t, sim.Options{Users: 3, Chat: sim.ChatShape{Posts: 40}})
	s.Clock().Move(time.Until(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)))
	c, ctx := open(t, config), t.Context()
	info := s.Chats()[0]
	round := func(p *graph.Page[graph.ChatMessage], err error) (n int, link string) {
		t.Helper()
		for {
			if err != nil {
				t.Fatal(err)
			}
			if n += len(p.Value); p.NextLink == "" {
				return n, p.DeltaLink
			}
			p, err = graph.Follow[graph.ChatMessage](ctx, c, p.NextLink, graph.List{})
		}
	}
	first, link := round(c.ChatMessageDelta(ctx, info.Members[0].ID, graph.List{Top: 3}))
	s.Clock().Move(time.Second)
	if _, err := s.SayInChat(info.ID, info.Members[0].ID, "new"); err != nil {
		t.Fatal(err)
	}
	s.Clock().Move(time.Second)
	p, err := graph.Follow[graph.ChatMessage](ctx, c, link, graph.List{})
	if n, _ := round(p, err); first == 0 || n != 1 {
		t.Errorf("%d at first, then %d", first, n)
	}
	s.Clock().Move(300 * 24 * time.Hour)
	if _, err := graph.Follow[graph.ChatMessage](ctx, c, link, graph.List{}); m365.KindOf(err) != m365.Resync {
		t.Errorf("an old link: %v", err)
	}
}

func TestSimulatedChatsAreRefusedWithoutPermissionAndWhereTheyAreNot(t *testing.T) {
	s, config := simulated(t, sim.Options{Users: 3})
	s.SetRoles([]string{"User.Read.All"})
	user := s.Tenant().Users[0].ID
	_, err := open(t, config).AllChatMessages(t.Context(), user, graph.List{})
	if m365.KindOf(err) != m365.Denied || !strings.Contains(fmt.Sprint(err), "Chat.Read.All") {
		t.Errorf("without a permission: %v", err)
	}
	s, config = simulated(t, sim.Options{Users: 3, Cloud: "china"})
	if config.Cloud.Has(m365.Teams) {
		t.Error("China has Teams")
	}
	if _, err := open(t, config).UserChats(t.Context(), s.Tenant().Users[0].ID, graph.List{}); err == nil {
		t.Error("chats in China")
	}
	s, config = simulated(t, sim.Options{Users: 3, Cloud: "usgovernment"})
	c := open(t, config)
	if _, err := c.AllChatMessages(t.Context(), s.Tenant().Users[0].ID, graph.List{}); err != nil {
		t.Error(err)
	}
	if err := c.StartChatMigration(t.Context(), s.Chats()[0].ID, time.Time{}); err == nil || config.Cloud.Has(m365.TeamsMigration) {
		t.Errorf("migration in the US Government's cloud: %v", err)
	}
}

// The published limits are kept by the client, each chat's own too, and a refusal is waited for.
func TestSimulatedChatsKeepTheLimits(t *testing.T) {
	s, config := simulated(t, sim.Options{Users: 4, Limits: sim.LimitsEnforce})
	config.Limits = throttle.Published(4)
	c := open(t, config)
	readChats(t, s, c, "")
	for _, info := range s.Chats()[:3] {
		if _, err := c.Chat(t.Context(), info.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ChatMembers(t.Context(), info.ID); err != nil {
			t.Fatal(err)
		}
	}
	if st := s.Stats(); st.Violations > 0 {
		t.Errorf("%+v", st)
	}
	if err := s.SetFaults(sim.Fault{Name: sim.FaultThrottled, Path: "getAllMessages", Times: 2, RetryAfter: "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AllChatMessages(t.Context(), s.Tenant().Users[0].ID, graph.List{}); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Throttled != 2 || st.EarlyRetries > 0 {
		t.Errorf("%+v", st)
	}
}
