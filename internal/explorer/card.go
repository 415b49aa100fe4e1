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
var cardTypes = map[holdfast.ItemKind]string{holdfast.KindContact: "text/vcard", holdfast.KindEvent: "text/calendar", holdfast.KindTask: "text/calendar", holdfast.KindSetting: "application/json"}

// CardEnding is the ending of the file that an item of such a kind is saved as, or nothing.
func CardEnding(kind holdfast.ItemKind) string {
	switch cardTypes[kind] {
	case "text/vcard":
		return ".vcf"
	case "text/calendar":
		return ".ics"
	case "application/json":
		return ".json"
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

// card writes an item as vCard or iCalendar, and gives settings as they are stored.
func (o *Opened) card(ctx context.Context, entry holdfast.Entry) (io.ReadCloser, error) {
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil {
		return nil, err
	} else if raw == nil {
		return nil, holdfast.NotFound("the restore point has no content of %q", entry.Name)
	}
	switch entry.Kind {
	case holdfast.KindSetting:
		return io.NopCloser(bytes.NewReader(raw)), nil // there is no format for it: it is as it was served
	case holdfast.KindContact:
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
	all, err := o.attached(ctx, entry)
	var out []card.Attachment
	for _, a := range all {
		out = append(out, card.Attachment{Name: a.Attachment.Name, Type: a.Attachment.ContentType, Open: func() (io.ReadCloser, error) { return o.stored(ctx, entry, a.Form) }})
	}
	return out, err
}

// attachedFile is an attachment of an event or a task, as it is stored.
type attachedFile struct {
	Attachment struct {
		Name, ContentType string
		Size              int64
	}
	Form holdfast.Form
}

// attached lists the attachments of an event or a task whose bytes are stored.
func (o *Opened) attached(ctx context.Context, entry holdfast.Entry) ([]attachedFile, error) {
	raw, err := o.whole(ctx, entry, holdfast.FormAttachments)
	if err != nil || raw == nil {
		return nil, err
	}
	var list, out []attachedFile
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, holdfast.Damaged("the attachments of %q can't be read: %w", entry.Name, err)
	}
	for _, a := range list {
		if a.Form != "" {
			out = append(out, a)
		}
	}
	return out, nil
}

// Parts are what a contact, an event, a task, a setting or an item of a list is made of, for a person to read.
type Parts struct {
	Name  string
	Card  holdfast.Card
	Text  card.Body                 // what has words in it; not clean
	Files []holdfast.MailAttachment // its attachments, in the order of their numbers
}

// Parts takes an item apart; nil for any other kind of item.
func (e *Explorer) Parts(ctx context.Context, at holdfast.View, id string) (p *Parts, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	entry, err := o.Item(ctx, id)
	if err != nil {
		return nil, err
	}
	row := entry.Kind == holdfast.KindListItem
	if entry.Kind == holdfast.KindVersion {
		of, err := o.Item(ctx, entry.Parent)
		if row = err == nil && of.Kind == holdfast.KindListItem; err != nil && holdfast.KindOf(err) != holdfast.KindNotFound {
			return nil, err
		}
	}
	switch {
	case ofTeams(entry):
		return o.teamParts(ctx, entry)
	case row:
		return o.rowParts(ctx, entry)
	case cardTypes[entry.Kind] != "":
		return o.cardParts(ctx, entry)
	}
	return nil, nil
}

func (o *Opened) rowParts(ctx context.Context, entry holdfast.Entry) (p *Parts, err error) {
	p = &Parts{Name: entry.Name}
	for _, name := range entry.Attached() {
		size, err := o.sizeOf(ctx, entry, holdfast.FormAttachment+holdfast.Form(name))
		if err != nil {
			return nil, err
		}
		p.Files = append(p.Files, holdfast.MailAttachment{Name: name, Size: size})
	}
	p.Card.Row, err = o.row(ctx, entry)
	return p, err
}

func (o *Opened) cardParts(ctx context.Context, entry holdfast.Entry) (*Parts, error) {
	p := &Parts{Name: entry.Name}
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil {
		return nil, err
	} else if raw == nil {
		return nil, holdfast.NotFound("the restore point has no content of %q", entry.Name)
	}
	switch entry.Kind {
	case holdfast.KindContact:
		if p.Card.Contact, p.Text, err = card.ContactCard(raw); err == nil {
			p.Card.Contact.Photo, err = o.whole(ctx, entry, holdfast.FormPhoto)
		}
		return p, err
	case holdfast.KindSetting:
		p.Card.Row, p.Text, err = card.SettingCard(raw)
		return p, err
	case holdfast.KindEvent:
		p.Card.Event, p.Text, err = card.EventCard(raw)
	default:
		p.Card.Task, p.Text, err = card.TaskCard(raw)
	}
	if err != nil {
		return nil, err
	}
	files, err := o.attached(ctx, entry)
	for _, a := range files {
		p.Files = append(p.Files, holdfast.MailAttachment{Name: a.Attachment.Name, Type: a.Attachment.ContentType, Size: a.Attachment.Size})
	}
	return p, err
}

// OpenFile streams one of the files that Parts lists.
func (e *Explorer) OpenFile(ctx context.Context, at holdfast.View, id string, number int) (holdfast.Content, error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return holdfast.Content{}, err
	}
	c, err := o.file(ctx, id, number)
	if err != nil {
		return holdfast.Content{}, errors.Join(err, o.Close())
	}
	c.Body = &lastBody{c.Body, o}
	return c, nil
}

func (o *Opened) file(ctx context.Context, id string, number int) (holdfast.Content, error) {
	entry, err := o.Item(ctx, id)
	if err != nil {
		return holdfast.Content{}, err
	}
	var names []string
	var forms []holdfast.Form
	if cardTypes[entry.Kind] != "" {
		all, err := o.attached(ctx, entry)
		if err != nil {
			return holdfast.Content{}, err
		}
		for _, a := range all {
			names, forms = append(names, a.Attachment.Name), append(forms, a.Form)
		}
	} else {
		for _, name := range entry.Attached() {
			names, forms = append(names, name), append(forms, holdfast.FormAttachment+holdfast.Form(name))
		}
	}
	if number < 0 || number >= len(forms) {
		return holdfast.Content{}, holdfast.NotFound("%q has %d attachments", entry.Name, len(forms))
	}
	c, err := o.form(ctx, id, forms[number])
	c.FileName = names[number]
	return c, err
}

// sizeOf is how large a form is; 0 when it is not known.
func (o *Opened) sizeOf(ctx context.Context, entry holdfast.Entry, form holdfast.Form) (int64, error) {
	view, err := o.viewOf(ctx, entry)
	if err != nil {
		return 0, err
	}
	payloads, err := view.Payloads(ctx, entry.ID)
	for _, p := range payloads {
		if p.Form == form {
			return p.Size, err
		}
	}
	return 0, err
}

// Page gives a page of a site as HTML that is not clean yet, with what of it is no text, by name; ok is false for any other item.
func (e *Explorer) Page(ctx context.Context, at holdfast.View, id string) (html string, left map[string]int, ok bool, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return "", nil, false, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	entry, err := o.Item(ctx, id)
	if err != nil || entry.Kind != holdfast.KindPage {
		return "", nil, false, err
	}
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil || raw == nil {
		return "", nil, false, err
	}
	html, left, err = card.Page(raw)
	return html, left, true, err
}
