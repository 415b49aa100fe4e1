package team_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// aChat gives the first chat of a type that began in the organization and has no stranger in it; a large group also somebody who came late.
func (r *chatRig) aChat(kind string) sim.ChatInfo {
	r.t.Helper()
	for _, c := range r.sim.Chats() {
		known := func(m sim.ChatMemberInfo) bool { return !strings.Contains(m.Name, "@partner.example") }
		if c.Type == kind && c.Tenant == r.sim.Tenant().TenantID && (kind == "meeting" || !slices.ContainsFunc(c.Members, func(m sim.ChatMemberInfo) bool { return !known(m) })) {
			if kind != "group" || slices.ContainsFunc(c.Members, func(m sim.ChatMemberInfo) bool { return !m.Since.IsZero() }) {
				return c
			}
		}
	}
	r.t.Fatalf("there is no chat of the type %s", kind)
	return sim.ChatInfo{}
}

// stored reads one chat as a session does.
func (r *chatRig) stored(id string) *workloadtest.Container {
	r.t.Helper()
	r.read(id, "")
	return r.chats[id]
}

func (r *chatRig) plan(id, session string) engine.RestorePlan {
	return engine.RestorePlan{Session: holdfast.RestoreSessionID(session), From: r.of[id], To: r.of[id], Mode: engine.SkipExisting, ChangedItems: true, MissingItems: true, Notes: &workloadtest.Notes{}}
}

func (r *chatRig) restore(id string, plan engine.RestorePlan, died bool) map[string]result {
	r.t.Helper()
	return restored(r.t, r.target, r.chats[id], plan, nil, died)
}

func (r *chatRig) dump(id string) []sim.TeamRow {
	r.t.Helper()
	rows, err := r.sim.DumpChat(id)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// quiet demands that nobody was told anything and that no chat is open for messages of the past.
func (r *chatRig) quiet() {
	r.t.Helper()
	if n := r.sim.ChatNotices(); len(n) != 0 {
		r.t.Errorf("somebody was notified: %+v", n)
	}
	if n := r.sim.Stats().MailsSentN; n != 0 {
		r.t.Errorf("%d mails were sent", n)
	}
	for _, c := range r.sim.Chats() {
		if c.Deleted {
			continue
		}
		if r.dump(c.ID)[0].Open {
			r.t.Errorf("the chat %s is open for messages of the past", c.ID)
		}
	}
}

// called are the chats of that topic and type that are there.
func (r *chatRig) called(topic, kind string) []sim.ChatInfo {
	var out []sim.ChatInfo
	for _, c := range r.sim.Chats() {
		if c.Topic == topic && c.Type == kind && !c.Deleted {
			out = append(out, c)
		}
	}
	return out
}

var aQuote = regexp.MustCompile(`<attachment id="\d+"></attachment>|<blockquote>.*?</blockquote>`)

// chatRows are the rows of a chat as a restore can give them back.
func chatRows(rows []sim.TeamRow) []string {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Body = aQuote.ReplaceAllString(rows[i].Body, "")
		if rows[i].Kind == "chat" {
			rows[i].Created = time.Time{} // compared apart: each import moves it
		}
		if rows[i].Attached = slices.DeleteFunc(rows[i].Attached, func(a string) bool { return !strings.HasPrefix(a, "reference") }); len(rows[i].Attached) == 0 {
			rows[i].Attached = nil
		}
	}
	return comparable(rows)
}

// allBack demands that all messages came back but those that nobody can post.
func allBack(t *testing.T, c *workloadtest.Container, results map[string]result) {
	t.Helper()
	for id, res := range results {
		s := c.Items()[id]
		var skip *holdfast.Skip
		if errors.As(res.err, &skip) && (skip.Reason == holdfast.SkipNothing && (s.Fields["deleted"] != "" || s.Fields["class"] == "event") ||
			skip.Reason == holdfast.SkipUnsupported && s.Fields["author"] == "" && strings.Contains(skip.Error(), "page of HTML")) {
			continue
		}
		if res.err != nil {
			t.Errorf("%s %q: %v", s.Kind, s.Name, res.err)
		}
	}
}

// aQuotedReply has the newest words of a chat quoted by another member.
func (r *chatRig) aQuotedReply(c sim.ChatInfo) {
	r.t.Helper()
	id, err := r.sim.SayInChat(c.ID, c.Members[0].ID, "<p>Who comes &amp; when?</p>")
	if err != nil {
		r.t.Fatal(err)
	}
	r.sim.Clock().Move(time.Minute)
	if _, err := r.sim.QuoteInChat(c.ID, c.Members[1].ID, id, "<p>I do</p>"); err != nil {
		r.t.Fatal(err)
	}
	r.sim.Clock().Move(time.Minute)
}

func TestAPurgedChatIsMadeAgainWithAllThatWasSaidInIt(t *testing.T) {
	for _, kind := range []string{"oneOnOne", "group"} {
		t.Run(kind, func(t *testing.T) {
			r := startChats(t, someChats, 5)
			c := r.aChat(kind)
			r.aQuotedReply(c)
			stored := r.stored(c.ID)
			before := r.dump(c.ID)
			if err := r.sim.DeleteChat(c.ID, true); err != nil {
				t.Fatal(err)
			}
			allBack(t, stored, r.restore(c.ID, r.plan(c.ID, "s"), false))
			there := r.called(c.Topic, kind)
			at := slices.IndexFunc(there, func(x sim.ChatInfo) bool {
				return x.Created.Equal(before[0].Created) && len(x.Members) == len(c.Members)
			})
			if at < 0 {
				t.Fatalf("the chat of %v is not there: %+v", before[0].Created, there)
			}
			made, n := there[at], len(r.sim.Chats())
			same(t, chatRows(r.dump(made.ID)), chatRows(before))
			quotes := 0
			for _, row := range r.dump(made.ID) {
				if strings.Contains(row.Body, "<blockquote>") && strings.Contains(row.Body, "Who comes &amp; when?") && strings.Contains(row.Body, "<p>I do</p>") {
					quotes++
				}
			}
			if quotes != 1 || (kind == "oneOnOne") != (made.ID == c.ID) {
				t.Errorf("%d quotations, and %s is %s", quotes, c.ID, made.ID)
			}
			r.quiet()

			// Another restore finds all of it.
			found := 0
			for id, res := range r.restore(c.ID, r.plan(c.ID, "t"), false) {
				if s := stored.Items()[id]; s.Kind == holdfast.KindPost && res.err == nil {
					if found++; res.Outcome != engine.Existing {
						t.Errorf("%q is %s the second time", s.Name, res.Outcome)
					}
				}
			}
			if len(r.sim.Chats()) != n || found == 0 {
				t.Errorf("%d chats, were %d; %d messages were found", len(r.sim.Chats()), n, found)
			}
			same(t, chatRows(r.dump(made.ID)), chatRows(before))
			r.quiet()
		})
	}
}

func TestADeletedChatComesBackByItself(t *testing.T) {
	r := startChats(t, someChats, 5)
	c := r.aChat("group")
	stored := r.stored(c.ID)
	before := r.dump(c.ID)
	if err := r.sim.DeleteChat(c.ID, false); err != nil {
		t.Fatal(err)
	}
	allBack(t, stored, r.restore(c.ID, r.plan(c.ID, "s"), false))
	if fmt.Sprint(r.dump(c.ID)) != fmt.Sprint(before) {
		t.Error("the chat is not what it was")
	}
	r.quiet()
}

// The right to restore a deleted chat is the right to delete chats. Without it a group is made again, which is said; of one of two it is said what to do, until
// nothing can be restored any more.
func TestADeletedChatWithoutTheRightToRestoreIt(t *testing.T) {
	r := startChats(t, sim.Options{Chat: someChats.Chat, Roles: []string{"User.Read.All", "Chat.Read.All", "Chat.Create", "ChatMember.ReadWrite.All", "Teamwork.Migrate.All"}}, 5)
	group, two := r.aChat("group"), r.aChat("oneOnOne")
	before := map[string][]string{}
	for _, c := range []sim.ChatInfo{group, two} {
		r.stored(c.ID)
		before[c.ID] = chatRows(r.dump(c.ID))
		if err := r.sim.DeleteChat(c.ID, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.restore(group.ID, r.plan(group.ID, "s"), false)["chat"].err; err == nil || !strings.Contains(err.Error(), "Chat.ManageDeletion.All") {
		t.Errorf("of the group that was made again: %v", err)
	}
	all := r.sim.Chats()
	same(t, chatRows(r.dump(all[len(all)-1].ID)), before[group.ID])
	if err := r.restore(two.ID, r.plan(two.ID, "s"), false)["chat"].err; holdfast.KindOf(err) != holdfast.KindDenied || !strings.Contains(err.Error(), "Chat.ManageDeletion.All") {
		t.Errorf("of the chat of two: %v", err)
	}
	r.sim.Clock().Move(8 * 24 * time.Hour)
	allBack(t, r.chats[two.ID], r.restore(two.ID, r.plan(two.ID, "t"), false))
	same(t, chatRows(r.dump(two.ID)), before[two.ID])
	r.quiet()
}

// Only what is missing is put back into a chat that is there, and what says something else now is left.
func TestMissingMessagesComeBackIntoTheirChat(t *testing.T) {
	r := startChats(t, someChats, 5)
	c := r.aChat("group")
	r.aQuotedReply(c)
	stored := r.stored(c.ID)
	before := r.dump(c.ID)
	if err := r.sim.EmptyChat(c.ID); err != nil {
		t.Fatal(err)
	}
	allBack(t, stored, r.restore(c.ID, r.plan(c.ID, "s"), false))
	same(t, chatRows(r.dump(c.ID)), chatRows(before))
	if moved := before[0].Created.Sub(r.dump(c.ID)[0].Created); moved != time.Second {
		t.Errorf("the chat's beginning moved by %v", moved)
	}
	edited, deleted, n := "", "", 0
	for _, row := range r.dump(c.ID) {
		if row.Kind == "post" && !row.Deleted && !row.Event {
			switch n++; n {
			case 3:
				edited = fmt.Sprint(row.Created.UnixMilli())
			case 5:
				deleted = fmt.Sprint(row.Created.UnixMilli())
			}
		}
	}
	if err := errors.Join(r.sim.EditInChat(c.ID, edited, "<p>changed my mind</p>"), r.sim.DeleteInChat(c.ID, deleted)); err != nil {
		t.Fatal(err)
	}
	results := r.restore(c.ID, r.plan(c.ID, "t"), false)
	var skip *holdfast.Skip
	if res := results["post."+edited]; !errors.As(res.err, &skip) || skip.Reason != holdfast.SkipConflict {
		t.Errorf("the edited message: %+v", res)
	}
	if res := results["post."+deleted]; res.err != nil || res.Outcome != engine.Created || !slices.Contains(res.Lost, "1 ms of its time") {
		t.Errorf("the deleted message: %+v", res)
	}
	rows := len(r.dump(c.ID))
	for id, res := range r.restore(c.ID, r.plan(c.ID, "u"), false) {
		if s := stored.Items()[id]; s.Kind == holdfast.KindPost && res.err == nil && res.Outcome != engine.Existing {
			t.Errorf("%q is %s the third time", s.Name, res.Outcome)
		}
	}
	if n := len(r.dump(c.ID)); n != rows {
		t.Errorf("%d rows after the third restore, were %d", n, rows)
	}
	r.quiet()
}

func TestAChatIsRestoredIntoANewGroup(t *testing.T) {
	for name, tc := range map[string]struct{ kind, topic, want string }{
		"of two":                   {"oneOnOne", "Talk: again", "Talk  again"},
		"a group with its name":    {"group", "", " (restored)"},
		"a group of another topic": {"group", "Evidence", "Evidence"},
	} {
		t.Run(name, func(t *testing.T) {
			r := startChats(t, someChats, 5)
			c := r.aChat(tc.kind)
			stored := r.stored(c.ID)
			before, n := fmt.Sprint(r.dump(c.ID)), len(r.sim.Chats())
			plan := r.plan(c.ID, "s")
			plan.NewChat, plan.Topic = true, tc.topic
			allBack(t, stored, r.restore(c.ID, plan, false))
			all := r.sim.Chats()
			made := all[len(all)-1]
			if len(all) != n+1 || made.Type != "group" || !strings.HasSuffix(made.Topic, tc.want) || strings.Contains(made.Topic, ":") || len(made.Members) != len(c.Members) || !made.Created.Equal(c.Created) {
				t.Fatalf("%d chats, were %d; made was %+v of %+v", len(all), n, made, c)
			}
			for _, m := range c.Members {
				if !slices.Contains(made.Members, m) {
					t.Errorf("%+v is not a member of %+v", m, made.Members)
				}
			}
			posts := func(rows []sim.TeamRow) []string { return chatRows(rows[1:]) }
			same(t, posts(r.dump(made.ID)), posts(r.dump(c.ID)))
			if fmt.Sprint(r.dump(c.ID)) != before {
				t.Error("the chat itself changed")
			}
			r.quiet()
		})
	}
}

func TestChatsThatCanNotBePutBackSayWhatToDo(t *testing.T) {
	r := startChats(t, someChats, 5)
	foreign := ""
	for _, c := range r.sim.Chats() {
		if c.Tenant != r.sim.Tenant().TenantID {
			foreign = c.ID
		}
	}
	r.session()
	for id, want := range map[string]string{r.aChat("meeting").ID: "chat of a meeting", foreign: "another organization"} {
		to, err := r.target.Open(t.Context(), r.plan(id, "s"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = to.Folder(t.Context(), r.chats[id].Items()["chat"].Item, "")
		if holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "page of HTML") {
			t.Errorf("%s: %v", id, err)
		}
		if err := to.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	r = startChats(t, sim.Options{Chat: someChats.Chat, Cloud: "usgovernment"}, 5)
	c := r.aChat("group")
	if _, err := r.target.Open(t.Context(), r.plan(c.ID, "s")); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "page of HTML") {
		t.Errorf("in a cloud without imports: %v", err)
	}
	r = startChats(t, sim.Options{Chat: someChats.Chat, Roles: []string{"Chat.Read.All", "User.Read.All"}}, 5)
	if _, err := r.target.Open(t.Context(), r.plan(c.ID, "s")); holdfast.KindOf(err) != holdfast.KindDenied || !strings.Contains(err.Error(), "Teamwork.Migrate.All") {
		t.Errorf("without a permission: %v", err)
	}
}

// Who came late sees after a restore what he saw before, not more; who is gone is named, and so is each message that he wrote.
func TestPeopleOfAChatThatIsMadeAgain(t *testing.T) {
	r := startChats(t, someChats, 5)
	c := r.aChat("group")
	stored := r.stored(c.ID)
	gone := c.Members[1]
	if err := errors.Join(r.sim.DeleteChat(c.ID, true), r.sim.DeleteUser(gone.ID)); err != nil {
		t.Fatal(err)
	}
	results := r.restore(c.ID, r.plan(c.ID, "s"), false)
	if err := results["chat"].err; err == nil || !strings.Contains(err.Error(), "not in the organization any more") {
		t.Errorf("of who is gone: %v", err)
	}
	his := 0
	for id, res := range results {
		if s := stored.Items()[id]; s.Kind == holdfast.KindPost && s.Fields["author"] == gone.ID && s.Fields["deleted"] == "" && s.Fields["class"] != "event" {
			his++
			if res.err == nil || !strings.Contains(res.err.Error(), "not in the organization any more") || !strings.Contains(res.err.Error(), "page of HTML") {
				t.Errorf("%q, which he wrote: %+v", s.Name, res)
			}
		}
	}
	all := r.sim.Chats()
	made := all[len(all)-1]
	want := slices.DeleteFunc(slices.Clone(c.Members), func(m sim.ChatMemberInfo) bool { return m.ID == gone.ID })
	if his == 0 || len(made.Members) != len(want) {
		t.Errorf("%d messages, members %+v, want %+v", his, made.Members, want)
	}
	for _, m := range want {
		if !slices.Contains(made.Members, m) {
			t.Errorf("%+v is not among %+v", m, made.Members)
		}
	}
	r.quiet()
}

// The connection breaks, the service fails or throttles at all sorts of calls. Nothing comes twice, one chat is made, and it is closed.
func TestRestoreOfAChatWithFaultsMakesNoDuplicates(t *testing.T) {
	for _, f := range []sim.Fault{{Name: sim.FaultAckLost, Every: 3}, {Name: sim.FaultAckLost, Path: "POST /v1.0/chats", Every: 2}, {Name: sim.FaultDropped, Every: 4}, {Name: sim.FaultUnavailableBare, Every: 3}, {Name: sim.FaultServerError, Every: 4}, {Name: sim.FaultThrottled, Every: 5}} {
		t.Run(f.Name+f.Path, func(t *testing.T) {
			r := startChats(t, someChats, 5)
			for _, kind := range []string{"group", "oneOnOne"} {
				c := r.aChat(kind)
				stored := r.stored(c.ID)
				before, n := r.dump(c.ID), len(r.sim.Chats())
				if err := errors.Join(r.sim.DeleteChat(c.ID, true), r.sim.SetFaults(f)); err != nil {
					t.Fatal(err)
				}
				results := r.restore(c.ID, r.plan(c.ID, "s"), false)
				if err := r.sim.SetFaults(); err != nil {
					t.Fatal(err)
				}
				allBack(t, stored, results)
				all := r.sim.Chats()
				if len(all) != n {
					t.Fatalf("%d chats, were %d", len(all), n)
				}
				same(t, chatRows(r.dump(all[len(all)-1].ID)), chatRows(before))
				r.quiet()
			}
		})
	}
}

// errDied is what a call gets that its process did not live to hear of.
var errDied = errors.New("died")

// dying is a restore's notes in a process that dies at one of its acts.
type dying struct {
	*workloadtest.Notes
	left int // acts
}

func (d *dying) act() error {
	if d.left--; d.left < 0 {
		return errDied
	}
	return nil
}

func (d *dying) Note(ctx context.Context, name, text string) error {
	if err := d.act(); err != nil {
		return err
	}
	return d.Notes.Note(ctx, name, text)
}

func (d *dying) noted(t *testing.T, name string) string {
	t.Helper()
	text, err := d.Noted(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A restore dies at each of its acts in turn: at every note, and before every message. The next attempt goes on, and leaves no message twice, no second
// chat and no open one; where there is no next attempt, End closes the chat.
func TestARestoreOfAChatThatDiesAnywhereGoesOn(t *testing.T) {
	r := startChats(t, sim.Options{Chat: sim.ChatShape{Chats: 3, Posts: 12, Hosted: 4}}, 5)
	c := r.aChat("group")
	stored := r.stored(c.ID)
	before := r.dump(c.ID)
	if err := r.sim.DeleteChat(c.ID, true); err != nil {
		t.Fatal(err)
	}
	n := len(r.sim.Chats())
	for left := range 20 {
		plan := r.plan(c.ID, fmt.Sprint("s", left))
		d := &dying{Notes: &workloadtest.Notes{}, left: left}
		plan.Notes = d
		to, err := r.target.Open(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		root := stored.Items()["chat"]
		at, err := to.Folder(t.Context(), root.Item, "")
		if err == nil {
			err = to.(engine.FolderSettler).SettleFolder(t.Context(), engine.Put{Item: root.Item, NewID: at, Open: root.Open})
		}
		for _, s := range stored.Items() {
			if s.Kind != holdfast.KindPost || err != nil {
				continue
			}
			if err = d.act(); err == nil {
				_, err = to.Put(t.Context(), engine.Put{Item: s.Item, Parent: at, Open: s.Open})
			}
			if skip := (*holdfast.Skip)(nil); errors.As(err, &skip) {
				err = nil
			}
		}
		if err != nil && !errors.Is(err, errDied) {
			t.Fatalf("after %d acts: %v", left, err)
		}
		all := r.sim.Chats()
		if err != nil && d.noted(t, holdfast.NoteOpenChat) != "" && left%2 == 0 { // it is stopped: there is no next attempt
			plan.Notes = d.Notes
			if err := r.target.(engine.Ender).End(t.Context(), plan); err != nil {
				t.Errorf("after %d acts: %v", left, err)
			}
			if r.dump(all[len(all)-1].ID)[0].Open || d.noted(t, holdfast.NoteOpenChat) != "" {
				t.Errorf("after %d acts the chat is open", left)
			}
			if err := r.target.(engine.Ender).End(t.Context(), plan); err != nil {
				t.Errorf("once more: %v", err)
			}
		}
		plan.Notes = d.Notes
		allBack(t, stored, r.restore(c.ID, plan, true))
		if all = r.sim.Chats(); len(all) != n+1 && len(all) != n {
			t.Fatalf("after %d acts: %d chats, were %d", left, len(all), n)
		}
		same(t, chatRows(r.dump(all[len(all)-1].ID)), chatRows(before))
		r.quiet()
		if t.Failed() {
			t.Fatalf("it had died after %d acts", left)
		}
		if err := r.sim.DeleteChat(all[len(all)-1].ID, true); err != nil {
			t.Fatal(err)
		}
		r.sim.Clock().Move(2 * time.Hour)
	}
}

// What closing a chat is answered is not heard, or the service fails for long: the chat is closed at the end.
func TestAChatIsClosedWhateverHappens(t *testing.T) {
	for _, f := range []sim.Fault{{Name: sim.FaultAckLost, Path: "completeMigration", Times: 3}, {Name: sim.FaultDropped, Path: "completeMigration", Times: 60}, {Name: sim.FaultUnavailable, Path: "completeMigration", Times: 60}, {Name: sim.FaultAckLost, Path: "startMigration", Times: 2},
		{Name: sim.FaultNotClosed, Times: 3}} {
		t.Run(f.Name+" "+f.Path, func(t *testing.T) {
			r := startChats(t, someChats, 5)
			c := r.aChat("oneOnOne")
			stored := r.stored(c.ID)
			before := r.dump(c.ID)
			if err := errors.Join(r.sim.EmptyChat(c.ID), r.sim.SetFaults(f)); err != nil {
				t.Fatal(err)
			}
			allBack(t, stored, r.restore(c.ID, r.plan(c.ID, "s"), false))
			same(t, chatRows(r.dump(c.ID)), chatRows(before))
			r.quiet()
		})
	}
}

// Two restores of one chat at once: whoever ends first closes the chat to the other, which opens it again.
func TestTwoRestoresOfOneChatDoNotDisturbEachOther(t *testing.T) {
	r := startChats(t, someChats, 5)
	c := r.aChat("oneOnOne")
	stored := r.stored(c.ID)
	before := r.dump(c.ID)
	if err := r.sim.EmptyChat(c.ID); err != nil {
		t.Fatal(err)
	}
	half := func(first bool) func(s workloadtest.Stored) bool {
		n := 0
		return func(s workloadtest.Stored) bool { n++; return s.Kind == holdfast.KindFolder || n%2 == 0 == first }
	}
	one, err := r.target.Open(t.Context(), r.plan(c.ID, "one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.Folder(t.Context(), stored.Items()["chat"].Item, ""); err != nil {
		t.Fatal(err)
	}
	var posts []workloadtest.Stored
	for _, s := range stored.Items() {
		if s.Kind == holdfast.KindPost && s.Fields["deleted"] == "" && s.Fields["class"] != "event" && s.Fields["author"] != "" {
			posts = append(posts, s)
		}
	}
	put := func(s workloadtest.Stored) {
		t.Helper()
		if res, err := one.Put(t.Context(), engine.Put{Item: s.Item, Open: s.Open}); err != nil || res.Outcome == "" {
			t.Errorf("%q: %+v, %v", s.Name, res, err)
		}
	}
	put(posts[0])
	allBack(t, stored, restored(t, r.target, stored, r.plan(c.ID, "two"), half(true), false))
	for _, s := range posts[1:] {
		put(s)
	}
	if err := one.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, chatRows(r.dump(c.ID)), chatRows(before))
	for _, c := range r.sim.Chats() {
		if r.dump(c.ID)[0].Open {
			t.Errorf("the chat %s is open", c.ID)
		}
	}
}

func TestADryRunOfAChatChangesNothing(t *testing.T) {
	r := startChats(t, someChats, 5)
	for _, purge := range []bool{false, true} {
		c := r.aChat("group")
		stored := r.stored(c.ID)
		if err := r.sim.EmptyChat(c.ID); err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(r.dump(c.ID))
		if purge {
			if err := r.sim.DeleteChat(c.ID, true); err != nil {
				t.Fatal(err)
			}
		}
		n := len(r.sim.Chats())
		plan := r.plan(c.ID, "s")
		plan.DryRun, plan.Notes = true, nil
		created, calls := 0, int64(0)
		for id, res := range r.restore(c.ID, plan, false) {
			if res.Outcome == engine.Created {
				created++
				calls += res.Cost.Requests
				if !strings.HasPrefix(res.NewID, engine.Planned) {
					t.Errorf("%s: %+v", id, res)
				}
			}
		}
		if created == 0 || calls != int64(created)+2 || len(r.sim.Chats()) != n {
			t.Errorf("%d messages would be made by %d calls; %d chats, were %d", created, calls, len(r.sim.Chats()), n)
		}
		if !purge && fmt.Sprint(r.dump(c.ID)) != before {
			t.Error("the chat changed")
		}
		posts := 0
		for _, s := range stored.Items() {
			if s.Kind == holdfast.KindPost && s.Fields["deleted"] == "" && s.Fields["class"] != "event" && s.Fields["author"] != "" {
				posts++
			}
		}
		if created != posts {
			t.Errorf("%d messages would be made of %d", created, posts)
		}
		r.quiet()
	}
}
