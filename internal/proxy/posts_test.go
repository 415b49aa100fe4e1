package proxy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

// gif is the smallest picture.
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// aTeam is a channel with two posts, of which one has replies and one is no JSON, and another channel.
func aTeam(put put) {
	day := func(n int) time.Time { return time.Date(2026, 2, n, 8, 0, 0, 0, time.UTC) }
	post := func(id, parent string, at int, fields map[string]string, payloads ...holdfast.Payload) {
		fields[holdfast.FieldFrom] = "Ada <b>"
		put(holdfast.Item{ID: id, Parent: parent, Kind: holdfast.KindPost, Version: "1", Name: id, Time: day(at), Fields: fields}, payloads...)
	}
	says := func(text string) holdfast.Payload {
		return whole(holdfast.FormJSON, fmt.Sprintf(`{"body":{"contentType":"html","content":%q}}`, text))
	}
	put(holdfast.Item{ID: "team", Kind: holdfast.KindFolder, Version: "1", Name: "Apollo", Fields: map[string]string{holdfast.FieldSpecial: "team"}},
		whole(holdfast.FormJSON, `{"description":"to the moon\u202e","visibility":"private","isArchived":true,"createdDateTime":"2026-01-01T00:00:00Z","funSettings":{"allowGiphy":true,"giphyContentRating":"strict"},"memberSettings":{"allowAddRemoveApps":false}}`),
		whole("members", `[{"displayName":"Ada","email":"ada@example.com","roles":["owner"]},{"displayName":"Bob","roles":[]}]`), whole("apps", `[{"teamsApp":{"displayName":"Website"}}]`))
	put(holdfast.Item{ID: "c", Parent: "team", Kind: holdfast.KindFolder, Version: "1", Name: "General", Fields: map[string]string{holdfast.FieldSpecial: "channel"}}, whole(holdfast.FormJSON, `{"membershipType":"standard"}`))
	put(holdfast.Item{ID: "d", Parent: "team", Kind: holdfast.KindFolder, Version: "1", Name: "Other"})
	put(holdfast.Item{ID: "t", Parent: "c", Kind: holdfast.KindTab, Version: "1", Name: "Wiki", Time: day(9)}, whole(holdfast.FormJSON, `{"teamsApp":{"displayName":"Website"},"configuration":{"contentUrl":"https://x.example/embed","websiteUrl":"https://x.example/"}}`))
	reply := func(of string) map[string]string { return map[string]string{holdfast.FieldReplyTo: of} }
	post("1", "c", 1, map[string]string{}, whole(holdfast.FormJSON, `{"subject":"Lunch & <i>more</i>","body":{"contentType":"html","content":"<p onclick=\"x()\">first<script>alert(1)</script><img src=\"https://evil.example/x.gif\"><img src=\"https://graph.microsoft.com/v1.0/teams/t/channels/c/messages/1/hostedContents/h1/$value\"><emoji id=\"smile\" alt=\"🙂\"></emoji></p>"},"attachments":[{"contentType":"reference","contentUrl":"https://x.example/a b","name":"menu<.pdf"},{"contentType":"reference","contentUrl":"javascript:alert(1)","name":"bad"}]}`),
		whole("hosted/h1", gif))
	post("3", "1", 3, reply("1"), says("third"))
	post("2", "1", 2, reply("1"), says("second"))
	post("4", "c", 10, map[string]string{}, whole(holdfast.FormJSON, `{`))
	post("5", "c", 11, map[string]string{holdfast.FieldClass: "event"}, says("somebody joined"))
	post("6", "c", 12, map[string]string{}, whole(holdfast.FormJSON, `{"deletedDateTime":"2026-02-13T00:00:00Z","body":{"contentType":"text","content":""}}`))
	post("7", "d", 13, map[string]string{}, whole(holdfast.FormJSON, `{"body":{"contentType":"text","content":"<plain> words"}}`))
}

// TestPostsAreWrittenAsAPage in which nothing runs and nothing is asked for elsewhere.
func TestPostsAreWrittenAsAPage(t *testing.T) {
	e, view := stored(t, holdfast.Team, aTeam)
	page := func(q holdfast.PostsQuery) string {
		t.Helper()
		q.At = view
		var out strings.Builder
		if err := e.WritePosts(t.Context(), q, &out); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), "<!DOCTYPE html>") || !strings.HasSuffix(out.String(), "</html>\n") {
			t.Errorf("the page is not whole: %s", out.String())
		}
		return out.String()
	}
	inOrder := func(text string, parts ...string) {
		t.Helper()
		rest := text
		for _, p := range parts {
			_, after, ok := strings.Cut(rest, p)
			if !ok {
				t.Errorf("%q is not there, or not in its place: %s", p, text)
				return
			}
			rest = after
		}
	}
	all := page(holdfast.PostsQuery{Folder: "c"})
	inOrder(all, "deleted this post", "can't be read", "Lunch &amp; &lt;i&gt;", "first", "data:image/gif;base64,", "🙂", `href="https://x.example/a b"`, "menu&lt;.pdf", "<p>bad</p>", "second", "third")
	for _, never := range []string{"<script", "alert(1)", "onclick", "evil.example", "graph.microsoft.com", "javascript:", "Ada <b>", "somebody joined", "words"} {
		if strings.Contains(all, never) {
			t.Errorf("the page has %q: %s", never, all)
		}
	}
	// A thread is there whole when one of its messages is of the time.
	some := page(holdfast.PostsQuery{Folder: "c", From: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 2, 4, 0, 0, 0, 0, time.UTC)})
	inOrder(some, "first", "second", "third")
	if strings.Contains(some, "deleted") || strings.Count(some, "<article") != 3 {
		t.Errorf("posts of another time are there: %s", some)
	}
	inOrder(page(holdfast.PostsQuery{Posts: []string{"7", "2"}}), "&lt;plain&gt; words", "second")
	if one := page(holdfast.PostsQuery{Posts: []string{"2"}}); strings.Contains(one, "first") {
		t.Errorf("a reply brings more: %s", one)
	}
	for id, kind := range map[string]holdfast.Kind{"none": holdfast.KindNotFound, "t": holdfast.KindInvalid} {
		if err := e.WritePosts(t.Context(), holdfast.PostsQuery{At: view, Posts: []string{id}}, &strings.Builder{}); holdfast.KindOf(err) != kind {
			t.Errorf("post %s: %v", id, err)
		}
	}
}

// TestAPostIsShownInItsThread, cleaned, whichever of its messages is asked for, and tells what was left out of it.
func TestAPostIsShownInItsThread(t *testing.T) {
	e, view := stored(t, holdfast.Team, aTeam)
	for _, id := range []string{"1", "2"} {
		p, err := e.Preview(t.Context(), view, id)
		if err != nil {
			t.Fatal(err)
		}
		body := string(p.Body)
		if p.Kind != holdfast.PreviewHTML || !strings.HasPrefix(p.Type, "text/html") || p.Truncated || strings.Count(body, "<article") != 3 || !strings.Contains(body, "first") || !strings.Contains(body, "third") {
			t.Errorf("post %s: %s %s, truncated %v: %s", id, p.Kind, p.Type, p.Truncated, body)
		}
		if got := strings.Count(body, `class="reply here"`); got != map[string]int{"1": 0, "2": 1}[id] {
			t.Errorf("post %s is marked %d times", id, got)
		}
		for _, never := range []string{"<script", "alert(1)", "onclick", "evil.example", "graph.microsoft.com", "javascript:", "Ada <b>"} {
			if strings.Contains(body, never) {
				t.Errorf("the preview of %s has %q", id, never)
			}
		}
		left := map[string]int{}
		for _, o := range p.Removed {
			left[o.What] = o.Count
		}
		if left["script"] != 1 || left["event handler"] != 1 || left["remote image"] != 1 {
			t.Errorf("left out of %s: %v", id, left)
		}
	}
	for id, want := range map[string]string{"4": "can't be read", "5": "somebody joined", "6": "deleted this post"} {
		if p, err := e.Preview(t.Context(), view, id); err != nil || !strings.Contains(string(p.Body), want) {
			t.Errorf("post %s: %s, %v", id, p.Body, err)
		}
	}
}

// TestATeamIsToldOf: what it is, who is in it, what a tab shows; a standard channel has the members of its team.
func TestATeamIsToldOf(t *testing.T) {
	e, view := stored(t, holdfast.Team, aTeam)
	for id, want := range map[string]string{
		"team": "team,to the moon�,private,,true,,,[Website]", "c": "channel,,,standard,false,,,[]", "t": "tab,,,,false,Website,https://x.example/,[]",
	} {
		p, err := e.Preview(t.Context(), view, id)
		if err != nil || p.Card == nil || p.Card.Team == nil {
			t.Fatalf("%s: %+v, %v", id, p, err)
		}
		c := p.Card.Team
		if got := fmt.Sprintf("%s,%s,%s,%s,%v,%s,%s,%v", c.What, c.Description, c.Visibility, c.Membership, c.Archived, c.App, c.Shows, c.Apps); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
		if id != "team" {
			continue
		}
		if got, want := fmt.Sprint(c.Settings), "map[funSettings:map[allowGiphy:true giphyContentRating:strict] guestSettings:map[] memberSettings:map[allowAddRemoveApps:false] messagingSettings:map[]]"; got != want {
			t.Errorf("the team's settings are %s, want %s", got, want)
		}
	}
	for id, own := range map[string]bool{"team": true, "c": false} {
		a, err := e.Access(t.Context(), view, id)
		if got := fmt.Sprint(a.Grants); err != nil || a.Own != own || a.From != "Apollo" || got != "[{Ada ada@example.com user [owner] <nil>} {Bob  user [member] <nil>}]" {
			t.Errorf("members of %s: %+v, %v", id, a, err)
		}
	}
}

// TestAChannelListsItsPostsWithoutItsTabs, each with the number of its replies, page by page.
func TestAChannelListsItsPostsWithoutItsTabs(t *testing.T) {
	e, view := stored(t, holdfast.Team, aTeam)
	list := func(kind holdfast.ItemKind, offset int) string {
		t.Helper()
		page, err := e.Items(t.Context(), holdfast.ItemQuery{At: view, Parent: "c", Kinds: []holdfast.ItemKind{kind}, Offset: offset, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		out := fmt.Sprint(page.Total)
		for _, x := range page.Entries {
			out += fmt.Sprintf(" %s+%d", x.ID, x.Replies)
		}
		return out
	}
	for _, tc := range []struct {
		kind   holdfast.ItemKind
		offset int
		want   string
	}{{holdfast.KindPost, 0, "4 6+0 5+0"}, {holdfast.KindPost, 2, "4 4+0 1+2"}, {holdfast.KindTab, 0, "1 t+0"}} {
		if got := list(tc.kind, tc.offset); got != tc.want {
			t.Errorf("%s from %d on: %s, want %s", tc.kind, tc.offset, got, tc.want)
		}
	}
}
