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
	put(holdfast.Item{ID: "team", Kind: holdfast.KindFolder, Version: "1", Name: "Apollo"})
	put(holdfast.Item{ID: "c", Parent: "team", Kind: holdfast.KindFolder, Version: "1", Name: "General"})
	put(holdfast.Item{ID: "d", Parent: "team", Kind: holdfast.KindFolder, Version: "1", Name: "Other"})
	put(holdfast.Item{ID: "t", Parent: "c", Kind: holdfast.KindTab, Version: "1", Name: "Wiki"}, whole(holdfast.FormJSON, `{}`))
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
