package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
	"holdfast/internal/preview"
)

const (
	postsBegin = `<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Posts</title><style>body{font-family:sans-serif;max-width:60em;margin:auto}article{margin:1em 0;padding:.5em 1em;border-left:3px solid #888}.reply{margin-left:3em}header{color:#555}</style></head>
<body>
`
	postsEnd = "</body></html>\n"
	// mostPost bounds the JSON of a post that is shown, mostPicture a picture in it.
	mostPost    = 4 << 20
	mostPicture = 12 << 20
)

// WritePosts writes posts as one page of HTML that asks for nothing elsewhere: the newest first, each with its replies behind it. A post that can't be
// read does not end the page: it says so in its place. An error is w's, or ctx's, or of the list of posts.
func (e *Explorer) WritePosts(ctx context.Context, q holdfast.PostsQuery, w io.Writer) (err error) {
	o, err := e.Explorer.At(ctx, q.At)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	p := &postsPage{o: o, w: w}
	p.write(postsBegin)
	for _, id := range q.Posts {
		post, err := o.Item(ctx, id)
		if err != nil {
			return err
		}
		if post.Kind != holdfast.KindPost {
			return holdfast.Invalid("%q is no post", post.Name)
		}
		if err := p.thread(ctx, q, post); err != nil {
			return err
		}
	}
	if q.Folder != "" {
		for post, err := range o.Children(ctx, q.Folder) {
			if err != nil {
				return err
			}
			if post.Kind != holdfast.KindPost {
				continue
			}
			if err := p.thread(ctx, q, post); err != nil {
				return err
			}
		}
	}
	p.write(postsEnd)
	return p.err
}

type postsPage struct {
	o   *explorer.Opened
	w   io.Writer
	err error // of w
}

func (p *postsPage) write(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, text)
	}
}

// thread writes a post and its replies, oldest first, when one of them is of the time that is asked for. A reply has none.
func (p *postsPage) thread(ctx context.Context, q holdfast.PostsQuery, post holdfast.Entry) error {
	if post.Fields[holdfast.FieldClass] == "event" {
		return nil // Teams told it, nobody said it
	}
	of := q.Holds(post.Time)
	var replies []holdfast.Entry
	for reply, err := range p.o.Children(ctx, post.ID) {
		if err != nil {
			return err
		}
		of = of || q.Holds(reply.Time)
		replies = append(replies, reply)
	}
	if !of {
		return nil
	}
	slices.SortStableFunc(replies, func(a, b holdfast.Entry) int { return a.Time.Compare(b.Time) })
	for _, e := range append([]holdfast.Entry{post}, replies...) {
		p.article(ctx, e)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// message is what is shown of a post's JSON.
type message struct {
	Subject string `json:"subject"`
	Body    struct {
		ContentType string `json:"contentType"`
		Content     string `json:"content"`
	} `json:"body"`
	Attachments []struct {
		Type string `json:"contentType"`
		URL  string `json:"contentUrl"`
		Name string `json:"name"`
	} `json:"attachments"`
	Deleted time.Time `json:"deletedDateTime"`
}

func (p *postsPage) article(ctx context.Context, e holdfast.Entry) {
	class := ""
	if e.Fields[holdfast.FieldReplyTo] != "" {
		class = ` class="reply"`
	}
	text := func(s string) string { return html.EscapeString(preview.Visible(s)) }
	p.write("<article" + class + "><header><b>" + text(e.Fields[holdfast.FieldFrom]) + "</b> " + e.Time.UTC().Format("2006-01-02 15:04:05 UTC") + "</header>\n")
	defer p.write("</article>\n")
	m, pictures, err := p.read(ctx, e)
	if err != nil {
		p.write("<p><i>This post can't be read: " + text(err.Error()) + "</i></p>\n")
		return
	}
	if !m.Deleted.IsZero() {
		p.write("<p><i>Its author deleted this post.</i></p>\n")
		return
	}
	if m.Subject != "" {
		p.write("<h3>" + text(m.Subject) + "</h3>\n")
	}
	p.write(preview.Post(ctx, m.Body.Content, strings.EqualFold(m.Body.ContentType, "html"), pictures) + "\n")
	for _, a := range m.Attachments {
		switch {
		case a.Name == "":
		case a.Type == "reference" && strings.HasPrefix(a.URL, "https://"):
			p.write(`<p><a href="` + html.EscapeString(a.URL) + `" rel="noopener noreferrer">` + text(a.Name) + "</a></p>\n")
		default:
			p.write("<p>" + text(a.Name) + "</p>\n")
		}
	}
}

// read gives what a post says and the pictures in it; one that the backup lacks is left out.
func (p *postsPage) read(ctx context.Context, e holdfast.Entry) (m message, pictures map[string][]byte, err error) {
	raw, err := p.form(ctx, e.ID, holdfast.FormJSON, mostPost)
	if err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, nil, fmt.Errorf("what is stored is no post: %w", err)
	}
	pictures = map[string][]byte{}
	whole, err := p.o.Item(ctx, e.ID)
	if err != nil {
		return m, nil, err
	}
	for _, f := range whole.Forms {
		id, ok := strings.CutPrefix(string(f), "hosted/")
		if !ok {
			continue
		}
		if pictures[id], err = p.form(ctx, e.ID, f, mostPicture); err != nil {
			return m, nil, err
		}
	}
	return m, pictures, nil
}

// form reads one form of an item; more than most of it is an error.
func (p *postsPage) form(ctx context.Context, id string, form holdfast.Form, most int64) (data []byte, err error) {
	body, err := p.o.OpenForm(ctx, id, form)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if data, err = io.ReadAll(io.LimitReader(body, most+1)); err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", form, most)
	}
	return data, err
}
