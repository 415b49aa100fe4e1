package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
)

// FromPost takes out what a search looks through in a message of a channel or a chat, which is stored as Graph's chatMessage: subject, summary, text, the names of what is attached to it, and
// what cards say. What can't be read gives a remark.
// https://learn.microsoft.com/graph/api/resources/chatmessage
func FromPost(ctx context.Context, raw []byte, l Limits) (Words, error) {
	c := newCollector(ctx, l)
	var post struct {
		Subject, Summary string
		Body             struct{ ContentType, Content string }
		Attachments      []struct{ Name, Content string }
	}
	if err := json.Unmarshal(raw, &post); err != nil {
		c.remark("the message can't be read")
	}
	c.add(post.Subject)
	c.add(post.Summary)
	c.body(post.Body.Content, strings.EqualFold(post.Body.ContentType, "html"))
	for _, a := range post.Attachments {
		c.add(a.Name)
		var card any
		if json.Unmarshal([]byte(a.Content), &card) == nil {
			c.card(card, 0)
		}
	}
	return c.words(), ctx.Err()
}

// shownOnCards are the members of a card whose texts people see.
var shownOnCards = []string{"text", "title", "subtitle", "value", "altText", "summary", "messagePreview", "activityTitle", "activitySubtitle", "activityText"}

// card takes the texts of a card, which is any JSON.
func (c *collector) card(v any, depth int) {
	if depth > deepestPersonal {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			c.card(x, depth+1)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if s, ok := v[name].(string); ok {
				if slices.Contains(shownOnCards, name) {
					c.add(s)
				}
				continue
			}
			c.card(v[name], depth+1)
		}
	}
}

// FromPage takes out what a search looks through in a page of a site, which is stored as Graph's sitePage with its canvas: description, texts (its title is its name), and of other parts what SharePoint itself
// searches. What can't be read gives a remark.
// https://learn.microsoft.com/graph/api/resources/sitepage https://learn.microsoft.com/graph/api/resources/serverprocessedcontent
func FromPage(ctx context.Context, raw []byte, l Limits) (Words, error) {
	c := newCollector(ctx, l)
	type webPart struct {
		InnerHTML string
		Data      struct {
			Title, Description     string
			ServerProcessedContent struct{ SearchablePlainTexts []struct{ Value string } }
		}
	}
	type section struct {
		Columns  []struct{ Webparts []webPart }
		Webparts []webPart
	}
	var page struct {
		Description  string
		TitleArea    struct{ TextAboveTitle string }
		CanvasLayout struct {
			HorizontalSections []section
			VerticalSection    *section
		}
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		c.remark("the page can't be read")
	}
	c.add(page.TitleArea.TextAboveTitle)
	c.add(page.Description)
	all := page.CanvasLayout.HorizontalSections
	if page.CanvasLayout.VerticalSection != nil {
		all = append(all, *page.CanvasLayout.VerticalSection)
	}
	part := func(p webPart) {
		c.body(p.InnerHTML, true)
		c.add(p.Data.Title)
		c.add(p.Data.Description)
		for _, t := range p.Data.ServerProcessedContent.SearchablePlainTexts {
			c.body(t.Value, true) // some of them have marks of HTML in spite of their name
		}
	}
	for _, s := range all {
		for _, column := range s.Columns {
			for _, p := range column.Webparts {
				part(p)
			}
		}
		for _, p := range s.Webparts {
			part(p)
		}
	}
	return c.words(), ctx.Err()
}

// NamedFile is a file whose name may say that it has text.
type NamedFile struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// unsaidFields are the fields of every item of a list that nobody wrote.
// https://learn.microsoft.com/graph/api/resources/fieldvalueset
var unsaidFields = []string{"id", "ID", "ContentType", "ContentTypeId", "Edit", "LinkTitle", "LinkTitleNoMenu", "LinkFilename", "LinkFilenameNoMenu", "DocIcon", "FileLeafRef", "FileSizeDisplay", "FileRef",
	"Created", "Modified", "Attachments", "ItemChildCount", "FolderChildCount", "AuthorLookupId", "EditorLookupId", "ParentVersionStringLookupId", "ParentLeafNameLookupId"}

// FromValues takes out what a search looks through in an item of a list, or in what a file has in the columns of its library: the values as they are stored with it, in an object "fields". What
// another list or the directory knows by a number (people, lookups) is not among them. attached are the files that are attached to it.
func FromValues(ctx context.Context, raw []byte, attached []NamedFile, l Limits) (w Words, err error) {
	c := newCollector(ctx, l)
	c.values(raw)
	for _, f := range attached {
		c.add(f.Name)
		if !Readable(f.Name) || c.b.full {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return Words{}, err
		}
		err = c.file(f.Name, r, 0)
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return Words{}, err
		}
	}
	return c.words(), ctx.Err()
}

// values takes the words of all fields.
func (c *collector) values(raw []byte) {
	var item struct{ Fields map[string]any }
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a number is found as it is written
	if err := d.Decode(&item); err != nil {
		c.remark("the values can't be read")
	}
	for _, name := range slices.Sorted(maps.Keys(item.Fields)) {
		if strings.Contains(name, "@") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "LookupId") || slices.Contains(unsaidFields, name) {
			continue
		}
		c.value(item.Fields[name], 0)
	}
}

func (c *collector) value(v any, depth int) {
	switch v := v.(type) {
	case string:
		c.body(v, strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">")) // rich text; the column that says so is not at hand
	case json.Number:
		c.add(v.String())
	case []any:
		for _, x := range v {
			c.value(x, depth)
		}
	case map[string]any:
		if depth > deepestPersonal {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !strings.Contains(name, "@") {
				c.value(v[name], depth+1)
			}
		}
	}
}

// body takes a text, or the text of HTML.
func (c *collector) body(s string, html bool) {
	if !html {
		c.add(s)
	} else if c.b.line() == nil {
		_ = fromHTML(c.b, s) // the only error is that there is enough
		_ = c.b.line()
	}
}
