package explorer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"holdfast/internal/explorer/card"
	"holdfast/internal/holdfast"
)

// cardTypes are the kinds of items that are written anew to be opened elsewhere, with the type that they get. What is stored of them is JSON.
var cardTypes = map[holdfast.ItemKind]string{holdfast.KindContact: "text/vcard", holdfast.KindEvent: "text/calendar", holdfast.KindTask: "text/calendar"}

// CardEnding is the ending of the file that an item of such a kind is saved as, or nothing.
func CardEnding(kind holdfast.ItemKind) string {
	switch cardTypes[kind] {
	case "text/vcard":
		return ".vcf"
	case "text/calendar":
		return ".ics"
	}
	return ""
}

func cardName(item holdfast.Item) string {
	return cmp.Or(strings.TrimSpace(item.Name), "("+string(item.Kind)+")") + CardEnding(item.Kind)
}

// longestCard is the most JSON of one item that is read; more is no card.
const longestCard = 32 << 20

// whole reads a form that is small; nil when the item has none.
func (o *Opened) whole(ctx context.Context, entry holdfast.Entry, form holdfast.Form) (data []byte, err error) {
	body, err := o.stored(ctx, entry, form)
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	return io.ReadAll(io.LimitReader(body, longestCard))
}

// card writes an item as vCard or iCalendar.
func (o *Opened) card(ctx context.Context, entry holdfast.Entry) (io.ReadCloser, error) {
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil {
		return nil, err
	} else if raw == nil {
		return nil, holdfast.NotFound("the restore point has no content of %q", entry.Name)
	}
	if entry.Kind == holdfast.KindContact {
		photo, err := o.whole(ctx, entry, holdfast.FormPhoto)
		if err != nil {
			return nil, err
		}
		out, err := card.Contact(raw, photo)
		return io.NopCloser(bytes.NewReader(out)), err
	}
	files, err := o.files(ctx, entry)
	if err != nil {
		return nil, err
	}
	if entry.Kind == holdfast.KindTask {
		return card.Task(raw, files)
	}
	return card.Event(raw, files)
}

// files are the attachments of an event or a task whose bytes are stored.
func (o *Opened) files(ctx context.Context, entry holdfast.Entry) ([]card.Attachment, error) {
	raw, err := o.whole(ctx, entry, holdfast.FormAttachments)
	if err != nil || raw == nil {
		return nil, err
	}
	var list []struct {
		Attachment struct{ Name, ContentType string }
		Form       holdfast.Form
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, holdfast.Damaged("the attachments of %q can't be read: %w", entry.Name, err)
	}
	var out []card.Attachment
	for _, a := range list {
		if a.Form != "" {
			out = append(out, card.Attachment{Name: a.Attachment.Name, Type: a.Attachment.ContentType, Open: func() (io.ReadCloser, error) { return o.stored(ctx, entry, a.Form) }})
		}
	}
	return out, nil
}

// Text shows a contact, an event or a task to a person; ok is false for any other item.
func (e *Explorer) Text(ctx context.Context, at holdfast.View, id string) (name, text string, ok bool, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return "", "", false, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	entry, err := o.Item(ctx, id)
	if err != nil || cardTypes[entry.Kind] == "" {
		return "", "", false, err
	}
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil {
		return "", "", false, err
	}
	text, err = card.Text(raw)
	return cardName(entry.Item), text, true, err
}
