package proxy

import (
	"context"
	"errors"
	"io"

	"holdfast/internal/explorer"
	"holdfast/internal/export"
	"holdfast/internal/holdfast"
	"holdfast/internal/preview"
	"holdfast/internal/sys"
)

// Explorer fills service.Explorer: explorer and export together.
type Explorer struct {
	*explorer.Explorer
	Clock sys.Clock // nil: the machine's
}

// Open streams one item under a name that is safe to save.
func (e *Explorer) Open(ctx context.Context, at holdfast.View, id string) (holdfast.Content, error) {
	c, err := e.Explorer.Open(ctx, at, id)
	c.FileName = export.Name(c.FileName)
	return c, err
}

// Export streams several items, or whole folders, as a ZIP with a manifest of hashes.
func (e *Explorer) Export(ctx context.Context, at holdfast.View, ids []string, w io.Writer) (err error) {
	o, err := e.Explorer.At(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	clock := e.Clock
	if clock == nil {
		clock = sys.System
	}
	return export.Zip(ctx, o, ids, clock.Now(), w)
}

// ExportAll is Export for items of several states, each in a folder of its own.
func (e *Explorer) ExportAll(ctx context.Context, parts []holdfast.ExportPart, w io.Writer) error {
	clock := e.Clock
	if clock == nil {
		clock = sys.System
	}
	all := make([]export.Part, len(parts))
	for i, p := range parts {
		all[i] = export.Part{Folder: p.Folder, IDs: p.Items, Open: func(ctx context.Context) (export.Source, func() error, error) {
			o, err := e.Explorer.At(ctx, p.At)
			if err != nil {
				return nil, nil, err
			}
			return o, o.Close, nil
		}}
	}
	return export.ZipAll(ctx, all, clock.Now(), w)
}

// Preview shows one item without harm.
func (e *Explorer) Preview(ctx context.Context, at holdfast.View, id string) (p holdfast.Preview, err error) {
	if parts, err := e.Parts(ctx, at, id); err != nil {
		return p, err
	} else if parts != nil {
		return preview.Card(ctx, parts.Name, parts.Card, parts.Text.Text, parts.Text.HTML, parts.Files), nil
	}
	if html, left, ok, err := e.Page(ctx, at, id); err != nil {
		return p, err
	} else if ok {
		return preview.Page(ctx, html, left), nil
	}
	if posts, ok, err := e.thread(ctx, at, id); err != nil || ok {
		return posts, err
	}
	content, kind, err := e.content(ctx, at, id)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, content.Body.Close()) }()
	if kind == holdfast.KindMail {
		p, err = preview.Mail(ctx, content.Body)
	} else {
		p, err = preview.File(ctx, content.FileName, content.Size, content.Body)
	}
	if err != nil || kind != holdfast.KindFile {
		return p, err
	}
	values, err := e.Values(ctx, at, id)
	if values != nil {
		preview.Row(values)
		p.Card = &holdfast.Card{Row: values}
	}
	return p, err
}

// Attachment streams one attachment of a mail, an event or a task, by its number in the preview, or a file attached to an item of a list, by its number in
// order of name.
func (e *Explorer) Attachment(ctx context.Context, at holdfast.View, id string, number int) (holdfast.Content, error) {
	if entry, err := e.Explorer.Item(ctx, at, id); err != nil {
		return holdfast.Content{}, err
	} else if entry.Kind == holdfast.KindListItem || explorer.CardEnding(entry.Kind) != "" {
		c, err := e.OpenFile(ctx, at, id, number)
		c.FileName = export.Name(c.FileName)
		return c, err
	}
	content, kind, err := e.content(ctx, at, id)
	if err != nil {
		return content, err
	}
	if kind != holdfast.KindMail {
		return holdfast.Content{}, errors.Join(holdfast.NotFound("only mails have attachments"), content.Body.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	in, out := io.Pipe()
	about := make(chan holdfast.MailAttachment, 1)
	failed := make(chan error, 1)
	go func() { // ends with the attachment, or when what reads it is closed
		err := preview.Attachment(ctx, content.Body, number, func(a holdfast.MailAttachment, r io.Reader) error {
			about <- a
			_, err := io.Copy(out, r)
			return err
		})
		err = errors.Join(err, content.Body.Close())
		failed <- err
		_ = out.CloseWithError(err) // it always gives nil
	}()
	body := &piped{PipeReader: in, cancel: cancel, failed: failed}
	select {
	case a := <-about:
		return holdfast.Content{Body: body, FileName: export.Name(a.Name), Type: "application/octet-stream", Size: -1, Time: content.Time}, nil
	case err := <-failed:
		failed <- err
		select {
		case a := <-about: // both were ready: the attachment is small
			return holdfast.Content{Body: body, FileName: export.Name(a.Name), Type: "application/octet-stream", Size: -1, Time: content.Time}, nil
		default:
		}
		return holdfast.Content{}, errors.Join(err, body.Close())
	}
}

// piped waits for who writes when it is closed.
type piped struct {
	*io.PipeReader
	cancel context.CancelFunc
	failed chan error
}

func (p *piped) Close() error {
	p.cancel()
	_ = p.PipeReader.Close() // it always gives nil
	<-p.failed
	p.failed <- nil // closing again does not wait for ever
	return nil
}

// content opens an item and says what it is.
func (e *Explorer) content(ctx context.Context, at holdfast.View, id string) (holdfast.Content, holdfast.ItemKind, error) {
	entry, err := e.Explorer.Item(ctx, at, id)
	if err != nil {
		return holdfast.Content{}, "", err
	}
	c, err := e.Explorer.Open(ctx, at, id)
	return c, entry.Kind, err
}
