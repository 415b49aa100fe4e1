package search_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// TestTextOfPostsPagesListItemsAndColumnsIsFound: by what is in them, by who wrote them, and by their kinds. A reaction to a post is no other document, for nobody said anything.
func TestTextOfPostsPagesListItemsAndColumnsIsFound(t *testing.T) {
	w := newWorld(t)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	form := func(f holdfast.Form, text string) holdfast.Payload {
		return holdfast.Whole(f, strings.NewReader(text), int64(len(text)))
	}
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Epoch: 1})
	w.must(err)
	put := func(item holdfast.Item, payloads ...holdfast.Payload) {
		t.Helper()
		item.Time = at
		w.must(writer.Put(t.Context(), item, payloads...))
	}
	post := func(version, reactions string) {
		put(holdfast.Item{ID: "1", Kind: holdfast.KindPost, Name: "Launch of", Version: version, Size: int64(len(reactions)), Fields: map[string]string{holdfast.FieldFrom: "Ada Weber", holdfast.FieldAuthor: "ident"}},
			form(holdfast.FormJSON, `{"subject":"Launch of it","body":{"contentType":"html","content":"<p>the <b>marmot</b> flies</p>"},"attachments":[{"name":"gopher.pdf"}],"reactions":[`+reactions+`]}`))
	}
	post("1", "")
	put(holdfast.Item{ID: "2", Kind: holdfast.KindPage, Name: "Welcome", Version: "1", Fields: map[string]string{holdfast.FieldAuthor: "Bob"}},
		form(holdfast.FormJSON, `{"canvasLayout":{"horizontalSections":[{"columns":[{"webparts":[{"innerHtml":"<p>Coffee in the pond</p>"}]}]}]}}`))
	put(holdfast.Item{ID: "3", Kind: holdfast.KindListItem, Name: "Crane", Version: "1"}, form(holdfast.FormJSON, `{"fields":{"Title":"Crane","Notes":"creaks at dawn","Cost":4711}}`),
		form(holdfast.FormAttachment+"report.txt", "the rope is worn"), form(holdfast.FormAttachment+"walnut.jpg", "no text"))
	put(holdfast.Item{ID: "4", Kind: holdfast.KindFile, Name: "plan.txt", Version: "1"}, form(holdfast.FormFile, "umbrella"), form(holdfast.FormColumns, `{"ContentType":"Document","fields":{"Customer":"Fabrikam"}}`))
	put(holdfast.Item{ID: "5", Kind: holdfast.KindTab, Name: "Roadmap", Version: "1"}, form(holdfast.FormJSON, `{}`))
	w.sealed(writer)
	same := map[string]string{
		"marmot": "1", "gopher": "1", "from:ada": "1", "kind:post": "1", "received:2026-03 marmot": "1", `body:"the marmot"`: "1", "coffee pond": "2", "author:bob": "2", "kind:page": "2", "dawn": "3", "4711": "3", "rope": "3", "walnut": "3",
		`kind:"list item"`: "3", "kind:list*": "3", "fabrikam": "4", "fabrikam umbrella": "4", "kind:tab": "5", "kind:chat": "",
	}
	w.finds(same)
	writer, err = w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Base: w.last[box(0).Key()], Epoch: 1})
	w.must(err)
	post("2", `{"reactionType":"like"}`)
	w.sealed(writer)
	w.finds(same)
	writer, err = w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Base: w.last[box(0).Key()], Epoch: 1})
	w.must(err)
	put(holdfast.Item{ID: "4", Kind: holdfast.KindFile, Name: "plan.txt", Version: "2"}, holdfast.Kept(holdfast.FormFile), form(holdfast.FormColumns, `{"ContentType":"Document","fields":{"Customer":"Tailspin"}}`))
	w.sealed(writer)
	w.finds(map[string]string{"tailspin": "4", "tailspin umbrella": "4"})
}
