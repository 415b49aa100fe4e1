package proxy_test

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
)

// aSite is a list with two items, one of which has an older version and an attachment, a page, and a file that is shared.
func aSite(put put) {
	folder := func(id, parent, name, special string, payloads ...holdfast.Payload) {
		fields := map[string]string{holdfast.FieldSpecial: special}
		if special == "list" {
			fields["list"] = strings.TrimPrefix(id, "list.")
		}
		put(holdfast.Item{ID: id, Parent: parent, Kind: holdfast.KindFolder, Version: "1", Name: name, Fields: fields}, payloads...)
	}
	folder("site", "", "Falcon", "root", whole(holdfast.FormJSON, `{}`), whole("users", `[{"Id":12,"Title":"Ada"}]`),
		whole("roles", `[{"Member":{"Title":"Members","PrincipalType":8},"RoleDefinitionBindings":[{"Name":"Edit"}]}]`))
	folder("list.L", "site", "Incidents", "list", whole(holdfast.FormJSON, `{"columns":[{"name":"Title","displayName":"Title","text":{}},{"name":"Who","displayName":"Who \"does\" it","personOrGroup":{}},{"name":"Of","displayName":"Of","lookup":{"listId":"L"}}]}`))
	put(holdfast.Item{ID: "L.1", Parent: "list.L", Kind: holdfast.KindListItem, Version: "2", Name: "=cmd|x"},
		whole(holdfast.FormJSON, `{"fields":{"Title":"=cmd|x","WhoLookupId":"12","OfLookupId":"2"}}`), whole(holdfast.FormAttachment+"a.txt", "attached"),
		whole("roles", `[{"Member":{"Title":"Bob","Email":"bob@example.com","PrincipalType":1},"RoleDefinitionBindings":[{"Name":"Read"},{"Name":"Design"}]}]`))
	put(holdfast.Item{ID: "L.1@1.0", Parent: "L.1", Kind: holdfast.KindVersion, Version: "1", Name: "=cmd|x"}, whole(holdfast.FormJSON, `{"fields":{"Title":"before"}}`))
	put(holdfast.Item{ID: "L.2", Parent: "list.L", Kind: holdfast.KindListItem, Version: "1", Name: "second"}, whole(holdfast.FormJSON, `{"fields":{"Title":"second","WhoLookupId":"99"}}`))
	folder("list.P", "site", "Pages", "pages", whole(holdfast.FormJSON, `{}`))
	put(holdfast.Item{ID: "page.1", Parent: "list.P", Kind: holdfast.KindPage, Version: "1", Name: "Home"},
		whole(holdfast.FormJSON, `{"canvasLayout":{"horizontalSections":[{"columns":[{"webparts":[{"innerHtml":"<p onclick=x()>hello<script>alert(1)</script><img src=https://evil.example/x.gif>"},{"data":{"title":"Map"}}]}]}]}}`))
	put(holdfast.Item{ID: "f", Parent: "site", Kind: holdfast.KindFile, Version: "1", Name: "f.txt", Size: 1}, whole(holdfast.FormFile, "x"),
		whole(holdfast.FormPermissions, `[{"roles":["read"],"link":{"scope":"anonymous","type":"view"},"expirationDateTime":"2026-05-01T00:00:00Z"},{"roles":["write"],"grantedToV2":{"siteUser":{"displayName":"Cy","email":"cy@example.com"}}}]`))
}

func TestAListIsShownColumnByColumn(t *testing.T) {
	e, view := stored(t, holdfast.Site, aSite)
	p, err := e.Preview(t.Context(), view, "L.1")
	if err != nil || p.Kind != holdfast.PreviewCard || p.Type != "" {
		t.Fatalf("the item shows %+v, %v", p, err)
	}
	got := map[string]string{}
	for _, v := range p.Card.Row.Values {
		got[v.Title] = v.Value
	}
	if want := map[string]string{"Title": "=cmd|x", `Who "does" it`: "Ada", "Of": "second"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(p.Attachments) != 1 || p.Attachments[0].Name != "a.txt" || p.Attachments[0].Size != 8 {
		t.Errorf("attachments %+v", p.Attachments)
	}
	c, err := e.Attachment(t.Context(), view, "L.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(c.Body); err != nil || string(body) != "attached" || c.FileName != "a.txt" {
		t.Errorf("the attachment is %q, called %q, %v", body, c.FileName, err)
	}
	if err := c.Body.Close(); err != nil {
		t.Error(err)
	}
	if old, err := e.Preview(t.Context(), view, "L.1@1.0"); err != nil || len(old.Card.Row.Values) != 1 || old.Card.Row.Values[0].Value != "before" {
		t.Errorf("the older version shows %+v, %v", old, err)
	}
	page, err := e.Table(t.Context(), holdfast.ItemQuery{At: view, Parent: "list.L", Sort: "name", Limit: 1, Offset: 1})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].ID != "L.2" || page.Rows[0].Values["Who"] != "#99" || len(page.Columns) != 3 {
		t.Errorf("the second row: %+v, %v", page, err)
	}
	if _, err := e.Table(t.Context(), holdfast.ItemQuery{At: view, Parent: "f"}); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("the rows of a file: %v", err)
	}
}

// A file of a library is shown with what it has in the library's columns, below folders too; an older version has nothing stored of that.
func TestAFileOfALibraryIsShownWithItsColumns(t *testing.T) {
	e, view := stored(t, holdfast.Site, func(put put) {
		aSite(put)
		put(holdfast.Item{ID: "lib", Parent: "site", Kind: holdfast.KindFolder, Version: "1", Name: "Contracts", Fields: map[string]string{holdfast.FieldSpecial: "library", "list": "C"}},
			whole(holdfast.FormJSON, `{"columns":[{"name":"FileLeafRef","displayName":"Name","text":{}},{"name":"Cost","displayName":"Cost\u202e","number":{}},{"name":"Who","displayName":"Who","personOrGroup":{}},{"name":"Empty","displayName":"Empty","text":{}}]}`))
		put(holdfast.Item{ID: "in", Parent: "lib", Kind: holdfast.KindFolder, Version: "1", Name: "2026"})
		put(holdfast.Item{ID: "c", Parent: "in", Kind: holdfast.KindFile, Version: "2", Name: "c.txt", Size: 5}, whole(holdfast.FormFile, "hello"),
			whole(holdfast.FormColumns, `{"contentType":"Contract","fields":{"Cost":12.5,"WhoLookupId":"12","AuthorLookupId":"12","Created":"2026-01-01T00:00:00Z"}}`))
		put(holdfast.Item{ID: "c@1.0", Parent: "c", Kind: holdfast.KindVersion, Version: "1.0", Name: "c.txt", Size: 1}, whole(holdfast.FormFile, "x"))
		put(holdfast.Item{ID: "d", Parent: "gone", Kind: holdfast.KindFile, Version: "1", Name: "d.txt", Size: 1}, whole(holdfast.FormFile, "x"), whole(holdfast.FormColumns, `{"fields":{"Cost":1}}`))
	})
	p, err := e.Preview(t.Context(), view, "c")
	if err != nil || p.Kind != holdfast.PreviewText || string(p.Body) != "hello" || p.Card == nil {
		t.Fatalf("the file shows %+v, %v", p, err)
	}
	var got []string
	for _, v := range p.Card.Row.Values {
		got = append(got, v.Title+"="+v.Value)
	}
	if want := []string{"Cost\ufffd=12.5", "Who=Ada", "Content type=Contract"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	rows, err := e.Table(t.Context(), holdfast.ItemQuery{At: view, Parent: "in", Sort: "name", Limit: 10})
	if err != nil || len(rows.Rows) != 1 || rows.Rows[0].ID != "c" || rows.Rows[0].Values["Cost"] != "12.5" || rows.Rows[0].Values["ContentType"] != "Contract" || len(rows.Columns) != 5 {
		t.Errorf("the files of a folder with their values: %+v, %v", rows, err)
	}
	for _, id := range []string{"c@1.0", "d", "f"} {
		if p, err := e.Preview(t.Context(), view, id); err != nil || p.Card != nil || p.Kind != holdfast.PreviewText {
			t.Errorf("%s shows %+v, %v", id, p, err)
		}
	}
}

// What only the service and backups need is no difference that anybody sees.
func TestWhetherValuesWereReadIsNoDifference(t *testing.T) {
	a := holdfast.Item{Kind: holdfast.KindFile, Fields: map[string]string{holdfast.FieldAuthor: "Ada"}}
	b := holdfast.Item{Kind: holdfast.KindFile, Fields: map[string]string{holdfast.FieldAuthor: "Bob", holdfast.FieldValued: "true", holdfast.FieldDescribed: "5 x"}}
	if got := explorer.Properties(a, b); !slices.Equal(got, []string{holdfast.FieldAuthor}) {
		t.Errorf("they differ in %v", got)
	}
}

// TestAListIsSavedAsOneFile also shows that no value of a stranger becomes a formula of who opens the file.
func TestAListIsSavedAsOneFile(t *testing.T) {
	e, view := stored(t, holdfast.Site, aSite)
	for format, want := range map[string][]string{
		"csv":  {"\ufeffTitle,\"Who \"\"does\"\" it\",Of\r\n", "'=cmd|x,Ada,second\r\n", "second,#99,\r\n"},
		"json": {"[\n{\"id\":\"L.", `"values":{"Of":"second","Title":"=cmd|x","Who":"Ada"},"attachments":["a.txt"]`, "}\n]\n"},
	} {
		var out strings.Builder
		if err := e.WriteTable(t.Context(), view, "list.L", format, &out); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%s has no %q: %q", format, w, out.String())
			}
		}
	}
	var none strings.Builder
	if err := e.WriteTable(t.Context(), view, "site", "csv", &none); holdfast.KindOf(err) != holdfast.KindInvalid || none.Len() > 0 {
		t.Errorf("a site as a table: %v, %q", err, none.String())
	}
}

func TestAPageIsCleanedAndSaysWhatItLeavesOut(t *testing.T) {
	e, view := stored(t, holdfast.Site, aSite)
	p, err := e.Preview(t.Context(), view, "page.1")
	if err != nil || p.Kind != holdfast.PreviewHTML {
		t.Fatalf("the page shows %+v, %v", p, err)
	}
	body := string(p.Body)
	for _, bad := range []string{"script", "evil.example", "onclick"} {
		if strings.Contains(body, bad) {
			t.Errorf("the preview has %q: %s", bad, body)
		}
	}
	var removed []string
	for _, r := range p.Removed {
		removed = append(removed, r.What)
	}
	if !strings.Contains(body, "hello") || !strings.Contains(strings.Join(removed, ","), "part of a page") {
		t.Errorf("removed %v, body %s", removed, body)
	}
}

func TestPermissionsAreThoseOfWhatAnItemLiesIn(t *testing.T) {
	e, view := stored(t, holdfast.Site, aSite)
	for id, want := range map[string]struct {
		own  bool
		from string
		who  string
	}{
		"site": {true, "Falcon", "Members site group [Edit]"}, "list.L": {false, "Falcon", "Members site group [Edit]"}, "L.2": {false, "Falcon", "Members site group [Edit]"},
		"L.1": {true, "=cmd|x", "Bob user [Read Design]"}, "f": {true, "f.txt", "anonymous link [read] until 2026-05-01; Cy user [write]"},
	} {
		a, err := e.Access(t.Context(), view, id)
		if err != nil {
			t.Fatal(err)
		}
		var who []string
		for _, g := range a.Grants {
			text := g.Who + " " + g.Kind + " [" + strings.Join(g.Roles, " ") + "]"
			if g.Expires != nil {
				text += " until " + g.Expires.Format("2006-01-02")
			}
			who = append(who, text)
		}
		if got := strings.Join(who, "; "); a.Own != want.own || a.From != want.from || got != want.who {
			t.Errorf("%s: own %v, from %q, %s; want %+v", id, a.Own, a.From, got, want)
		}
	}
}

func TestAnEventIsShownWithItsFiles(t *testing.T) {
	e, view := stored(t, holdfast.Mailbox, func(put put) {
		put(holdfast.Item{ID: "e", Kind: holdfast.KindEvent, Version: "1", Name: "lunch"},
			whole(holdfast.FormJSON, `{"start":{"dateTime":"2026-03-02T17:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-02T18:00:00","timeZone":"UTC"},"body":{"contentType":"html","content":"<p>soup<script>x()</script>"}}`),
			whole(holdfast.FormAttachments, `[{"attachment":{"name":"menu.txt","contentType":"text/plain","size":4}},{"attachment":{"name":"menu.txt","contentType":"text/plain","size":4},"form":"attachment/1"}]`), whole(holdfast.FormAttachment+"1", "soup"))
		put(holdfast.Item{ID: "c", Kind: holdfast.KindContact, Version: "1", Name: "Ann"}, whole(holdfast.FormJSON, `{}`), whole(holdfast.FormPhoto, "<svg onload=x()>"))
	})
	p, err := e.Preview(t.Context(), view, "e")
	if err != nil || p.Card == nil || p.Card.Event == nil || len(p.Attachments) != 1 || p.Attachments[0].Size != 4 || !strings.Contains(string(p.Body), "soup") || strings.Contains(string(p.Body), "script") {
		t.Fatalf("the event shows %+v, %v", p, err)
	}
	c, err := e.Attachment(t.Context(), view, "e", 0)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(c.Body); err != nil || string(body) != "soup" || c.FileName != "menu.txt" {
		t.Errorf("the file is %q, called %q, %v", body, c.FileName, err)
	}
	if err := c.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := e.Attachment(t.Context(), view, "e", 1); holdfast.KindOf(err) != holdfast.KindNotFound {
		t.Errorf("the second file: %v", err)
	}
	// What is no image is no photo.
	if p, err := e.Preview(t.Context(), view, "c"); err != nil || p.Card.Contact == nil || p.Card.Contact.Photo != nil || len(p.Removed) != 1 {
		t.Errorf("the contact shows %+v, %v", p, err)
	}
}
