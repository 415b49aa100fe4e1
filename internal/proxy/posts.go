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
	// A preview has the words of each language; the reader's is chosen by the address, with "#de" at its end.
	threadBegin = `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Posts</title><style>body{background:#fff;color:#000;font-family:sans-serif;margin:0;padding:12px}article{margin:0 0 12px;padding:0 0 4px 10px;border-left:3px solid #bbb}
.reply{margin-left:24px}.here{border-left-color:#0f6cbd;background:#ebf3fc}header{color:#555;font-size:.9em}h3{margin:6px 0}img{max-width:100%}.de,#de:target .en{display:none}#de:target .de{display:inline}</style></head>
<body id="de">
`
	threadEnd = "</body></html>\n"
	// mostThread bounds the page of a preview.
	mostThread = 24 << 20
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

// thread previews a post with its replies, or a reply in the thread that it is of; ok is false for any other item.
func (e *Explorer) thread(ctx context.Context, at holdfast.View, id string) (out holdfast.Preview, ok bool, err error) {
	o, err := e.Explorer.At(ctx, at)
	if err != nil {
		return out, false, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	post, err := o.Item(ctx, id)
	if err != nil || post.Kind != holdfast.KindPost {
		return out, false, err
	}
	w := &bounded{room: mostThread}
	p := &postsPage{o: o, w: w}
	p.write(threadBegin)
	above, err := o.Item(ctx, post.Parent)
	if holdfast.KindOf(err) != holdfast.KindNotFound && err != nil {
		return out, false, err
	}
	if err == nil && above.Kind == holdfast.KindPost {
		p.here, post = post.ID, above
	}
	if post.Fields[holdfast.FieldClass] == "event" {
		p.article(ctx, post)
		err = p.err
	} else {
		err = p.thread(ctx, holdfast.PostsQuery{}, post)
	}
	if err != nil && !errors.Is(err, errFull) {
		return out, false, err
	}
	w.Write([]byte(threadEnd)) //nolint:errcheck // what is full says so once
	return preview.Posts(w.page, w.full, p.left), true, nil
}

// bounded is a page that grows as far as it has room. What is written when it is full is left out whole, so that no tag is cut.
type bounded struct {
	page []byte
	room int
	full bool
}

var errFull = errors.New("the page is full")

func (b *bounded) Write(text []byte) (int, error) {
	if len(text) > b.room && !b.full {
		b.full = true
		return 0, errFull
	}
	b.room -= len(text)
	b.page = append(b.page, text...)
	return len(text), nil
}

type postsPage struct {
	o    *explorer.Opened
	w    io.Writer
	err  error               // of w
	here string              // the message that was asked for
	left []holdfast.Omission // for safety
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
	switch {
	case e.ID == p.here:
		class = ` class="reply here"`
	case e.Fields[holdfast.FieldReplyTo] != "":
		class = ` class="reply"`
	}
	text := func(s string) string { return html.EscapeString(preview.Visible(s)) }
	p.write("<article" + class + "><header><b>" + text(e.Fields[holdfast.FieldFrom]) + "</b> " + e.Time.UTC().Format("2006-01-02 15:04:05 UTC") + "</header>\n")
	defer p.write("</article>\n")
	m, pictures, err := p.read(ctx, e)
	if err != nil {
		p.write(`<p><i><span class="en">This post can't be read: </span><span class="de" lang="de" hidden>Dieser Beitrag ist nicht lesbar: </span>` + text(err.Error()) + "</i></p>\n")
		return
	}
	if !m.Deleted.IsZero() {
		p.write(`<p><i><span class="en">Its author deleted this post.</span><span class="de" lang="de" hidden>Wer ihn schrieb, hat diesen Beitrag gelöscht.</span></i></p>` + "\n")
		return
	}
	if m.Subject != "" {
		p.write("<h3>" + text(m.Subject) + "</h3>\n")
	}
	body, left := preview.Post(ctx, m.Body.Content, strings.EqualFold(m.Body.ContentType, "html"), pictures)
	p.left = append(p.left, left...)
	p.write(body + "\n")
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
		id, ok := strings.CutPrefix(string(f), string(holdfast.FormHosted))
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
