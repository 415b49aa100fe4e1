package site

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// fetch reads one item.
type fetch struct {
	r    *listReader
	row  *graph.ListItem
	item holdfast.Item
	had  bool
}

func (f *fetch) run(ctx context.Context) error {
	err := f.whole(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if s := m365.Skip(err); s != nil && m365.KindOf(err) != m365.Unavailable {
		f.r.sink.Skip(ctx, f.item, s)
		return nil
	}
	return err
}

func (f *fetch) whole(ctx context.Context) error {
	var files []string
	var denied *holdfast.Skip
	var has struct{ Attachments bool }
	_ = json.Unmarshal(f.row.Fields, &has) // a list may have no such column
	parts := []part{{holdfast.FormJSON, f.row.Raw}}
	if has.Attachments && f.r.web == nil {
		denied = &holdfast.Skip{Reason: holdfast.SkipDenied, Err: errors.New("its attachments are served by SharePoint's own interface alone, which takes only applications that sign in by certificate")}
	}
	if has.Attachments && f.r.web != nil {
		list, err := f.r.web.Attachments(ctx, f.r.l.id, f.row.ID)
		if err != nil {
			return err
		}
		for _, a := range list {
			files = append(files, a.Name)
		}
		_, raw, err := jsonOf(formFiles, files)
		if err != nil {
			return err
		}
		parts = append(parts, part{formFiles, raw})
	}
	if f.item.Fields[fieldUnique] == "true" {
		roles, err := f.r.web.Assignments(ctx, sharepoint.Scope{List: f.r.l.id, Item: f.row.ID})
		if err != nil {
			return err
		}
		_, raw, err := jsonOf(formRoles, roles)
		if err != nil {
			return err
		}
		parts = append(parts, part{formRoles, raw})
	}
	if err := f.put(ctx, parts, files); err != nil {
		return err
	}
	if denied != nil {
		f.r.sink.Skip(ctx, f.item, denied)
	}
	return f.versions(ctx)
}

// part is a form of an item that is at hand.
type part struct {
	form holdfast.Form
	raw  []byte
}

// put stores an item with its attachments. The service gives no hash of those, so each is read until two reads agree.
func (f *fetch) put(ctx context.Context, parts []part, files []string) error {
	sums := map[string]sum{}
	var err error
	for attempt := 1; attempt <= readAttempts; attempt++ {
		if err = f.first(ctx, files, sums); m365.KindOf(err) == m365.Unavailable && ctx.Err() == nil {
			continue
		} else if err != nil {
			return err
		}
		all := make([]holdfast.Payload, 0, len(parts)+len(files))
		for _, p := range parts {
			all = append(all, whole(p.form, p.raw))
		}
		for _, name := range files {
			all = append(all, f.attachment(ctx, name, sums))
		}
		err = f.r.sink.Put(ctx, f.item, all...)
		var differs *differsError
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.As(err, &differs), m365.KindOf(err) == m365.Unavailable:
			continue
		default:
			return err
		}
	}
	var differs *differsError
	if errors.As(err, &differs) {
		return &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("no two of %d reads of the attachment %q agreed", readAttempts, differs.name)}
	}
	return err
}

// sum is what a read gave.
type sum struct {
	hash [sha256.Size]byte
	size int64
}

// differsError says that two reads of an attachment were not alike.
type differsError struct{ name string }

func (e *differsError) Error() string { return fmt.Sprintf("two reads of %q differ", e.name) }

// first reads each attachment once.
func (f *fetch) first(ctx context.Context, files []string, sums map[string]sum) error {
	for _, name := range files {
		if _, ok := sums[name]; ok {
			continue
		}
		got, err := f.read(ctx, name)
		if err != nil {
			return err
		}
		sums[name] = got
	}
	return nil
}

func (f *fetch) read(ctx context.Context, name string) (sum, error) {
	var out sum
	body, err := f.r.web.OpenAttachment(ctx, f.r.l.id, f.row.ID, name)
	if err != nil {
		return out, err
	}
	h := sha256.New()
	out.size, err = io.Copy(h, body)
	copy(out.hash[:], h.Sum(nil))
	return out, errors.Join(err, body.Close())
}

// attachment is a payload that fails as it ends when it is not what an earlier read gave, which it then replaces.
func (f *fetch) attachment(ctx context.Context, name string, sums map[string]sum) holdfast.Payload {
	return holdfast.Payload{Form: attachmentForm(name), Pieces: func(yield func(holdfast.Piece, error) bool) {
		body, err := f.r.web.OpenAttachment(ctx, f.r.l.id, f.row.ID, name)
		if err != nil {
			yield(holdfast.Piece{}, err)
			return
		}
		defer body.Close()
		check := &checked{r: body, want: sums[name], end: func(got sum) error {
			if got == sums[name] {
				return nil
			}
			sums[name] = got
			return &differsError{name}
		}}
		yield(holdfast.Piece{Reader: check, Size: sums[name].size, Apart: sums[name].size >= 32<<10}, nil)
	}}
}

// checked compares as the content ends.
type checked struct {
	r    io.Reader
	want sum
	h    bytesHash
	n    int64
	end  func(got sum) error
}

type bytesHash interface {
	io.Writer
	Sum([]byte) []byte
}

func (c *checked) Read(p []byte) (int, error) {
	if c.h == nil {
		c.h = sha256.New()
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	_, _ = c.h.Write(p[:n]) // hashes never fail
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	got := sum{size: c.n}
	copy(got.hash[:], c.h.Sum(nil))
	if err := c.end(got); err != nil {
		return n, err
	}
	return n, io.EOF
}

// firstVersion tells by the counter in an eTag ("GUID,1") that an item was never changed, so that it has no older versions.
func firstVersion(etag string) bool {
	_, n, ok := strings.Cut(strings.Trim(etag, `"`), ",")
	return ok && n == "1"
}

// versions reads the older versions of an item that has just been put.
func (f *fetch) versions(ctx context.Context) error {
	if !f.r.l.versions || firstVersion(f.item.Version) {
		return nil
	}
	there := map[string]bool{}
	l := graph.List{Expand: []string{"fields"}, Top: 200}
	first, err := f.r.g.ListItemVersions(ctx, f.r.c.Source, f.r.l.id, f.row.ID, l)
	n := 0
	for v, err := range graph.All(ctx, f.r.g, first, err, l) {
		if err != nil {
			return err
		}
		if n++; n == 1 {
			continue // the first one is the present one
		}
		item := holdfast.Item{ID: versionID(f.item.ID, v.ID), Parent: f.item.ID, Kind: holdfast.KindVersion, Version: v.ID, Time: v.Modified, Size: int64(len(v.Raw)), Name: f.item.Name,
			Fields: map[string]string{holdfast.FieldVersionID: v.ID, holdfast.FieldModified: stamp(v.Modified)}}
		if a := person(v.ModifiedBy); a != "" {
			item.Fields[holdfast.FieldAuthor] = a
		}
		there[item.ID] = true
		if f.had {
			if _, ok, err := f.r.prev.Item(ctx, item.ID); err != nil {
				return err
			} else if ok {
				continue // a version does not change
			}
		}
		if err := f.r.sink.Put(ctx, item, whole(holdfast.FormJSON, v.Raw)); err != nil {
			return err
		}
		f.r.mu.Lock()
		f.r.history[f.item.ID] += v.ID + " "
		f.r.mu.Unlock()
	}
	if !f.had {
		return nil
	}
	return f.noOthers(ctx, there)
}

// noOthers deletes what the state before has of an item's versions and is not there any more.
func (f *fetch) noOthers(ctx context.Context, there map[string]bool) error {
	for v, err := range f.r.prev.Children(ctx, f.item.ID) {
		if err != nil {
			return err
		}
		if v.Kind == holdfast.KindVersion && !there[v.ID] {
			if err := f.r.sink.Delete(ctx, v.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
