package searchtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
	"holdfast/internal/vault/place"
)

// Ids of the one organization and its repository.
const (
	Organization holdfast.OrganizationID = "0f0e0d0c-0000-4000-8000-000000000001"
	Repository   holdfast.RepositoryID   = "0f0e0d0c-0000-4000-8000-000000000002"
)

// World is a vault that holds a corpus at restore points. It is a search.Catalogue.
type World struct {
	Corpus *Corpus
	Vault  *vault.Vault
	Shown  []holdfast.RestorePoint

	place string
	repo  *vault.Repository
	heads map[string]holdfast.HeadRecord // key/number
	last  map[int]*vault.Head            // by mailbox
}

// NewWorld makes an empty vault in dir. Close it.
func NewWorld(ctx context.Context, dir string, c *Corpus) (*World, error) {
	w := &World{Corpus: c, place: filepath.Join(dir, "place"), heads: map[string]holdfast.HeadRecord{}, last: map[int]*vault.Head{}}
	if err := place.Prepare(w.place, place.Description{ID: Repository, KeyID: "test", Created: begin}); err != nil {
		return nil, err
	}
	w.Vault = vault.New(vault.Options{Password: func(context.Context, vault.Ref) ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }})
	at := vault.Ref{Repository: Repository, Path: w.place, Organization: Organization}
	if err := w.Vault.CreateRepository(ctx, at, nil); err != nil {
		return nil, err
	}
	var err error
	w.repo, err = w.Vault.Repository(ctx, at)
	return w, err
}

// Close gives the vault back.
func (w *World) Close(ctx context.Context) error {
	return errors.Join(w.repo.Close(), w.Vault.Close(ctx))
}

func (w *World) box(n int) holdfast.Container {
	return holdfast.Container{Organization: Organization, Kind: holdfast.Mailbox, Source: fmt.Sprint("box-", n), Name: fmt.Sprint("Owner ", n), Address: fmt.Sprintf("owner%d@contoso.com", n)}
}

// Back makes a restore point of the first n mails. What an earlier one had is changed a little: of each thousand mails, five are deleted,
// five move and five are read or not.
func (w *World) Back(ctx context.Context, from, n int) error {
	p := holdfast.RestorePoint{ID: holdfast.RestorePointID(fmt.Sprintf("0f0e0d0c-0000-4000-8000-%012d", len(w.Shown)+1)), Organization: Organization, Repository: Repository,
		Time: begin.Add(span).AddDate(0, 0, len(w.Shown)+1)}
	for b := range w.Corpus.Mailboxes {
		if err := w.mailbox(ctx, b, from, n); err != nil {
			return err
		}
		p.Entries = append(p.Entries, holdfast.PointEntry{Container: w.box(b), Head: w.last[b].Number})
	}
	w.Shown = append(w.Shown, p)
	return nil
}

func (w *World) mailbox(ctx context.Context, b, from, n int) error {
	c := w.box(b)
	writer, err := w.repo.Writer(ctx, vault.WriterOptions{Container: c, Base: w.last[b], Epoch: 1})
	if err != nil {
		return err
	}
	defer writer.Close()
	if w.last[b] == nil {
		for _, f := range folders {
			if err := writer.Put(ctx, holdfast.Item{ID: f, Kind: holdfast.KindFolder, Name: f, Version: "1"}); err != nil {
				return err
			}
		}
	}
	for i := b; i < n; i += w.Corpus.Mailboxes {
		if i < from {
			err = w.change(ctx, writer, i)
		} else {
			item, mime := w.Corpus.Mail(i)
			err = writer.Put(ctx, item, holdfast.Whole(holdfast.FormMIME, strings.NewReader(mime), int64(len(mime))))
		}
		if err != nil {
			return err
		}
	}
	head, err := writer.Seal(ctx)
	if err != nil {
		return err
	}
	entry, err := w.repo.Publish(ctx, []vault.Head{*head}, vault.Published)
	if err != nil {
		return err
	}
	record, err := head.Record(Repository, entry.ID)
	w.heads[fmt.Sprint(c.Key(), "/", head.Number)], w.last[b] = record, head
	return err
}

func (w *World) change(ctx context.Context, writer *vault.Writer, i int) error {
	const of = 1000
	mailbox := i / w.Corpus.Mailboxes % of
	if mailbox >= 15 {
		return nil
	}
	item, _ := w.Corpus.Mail(i)
	item.Version = "2"
	switch {
	case mailbox < 5:
		return writer.Delete(ctx, item.ID)
	case mailbox < 10:
		item.Parent = "Archive"
	case item.Fields[holdfast.FieldRead] == "":
		item.Fields[holdfast.FieldRead] = "true"
	default:
		delete(item.Fields, holdfast.FieldRead)
	}
	return writer.Put(ctx, item, holdfast.Kept(holdfast.FormMIME))
}

// Times are the times of the restore points.
func (w *World) Times() []time.Time {
	var all []time.Time
	for _, p := range w.Shown {
		all = append(all, p.Time)
	}
	return all
}

// Organizations is search.Catalogue's.
func (w *World) Organizations(context.Context) ([]holdfast.OrganizationID, error) {
	return []holdfast.OrganizationID{Organization}, nil
}

// Points is search.Catalogue's.
func (w *World) Points(context.Context, holdfast.OrganizationID) ([]holdfast.RestorePoint, error) {
	return w.Shown, nil
}

// Point is search.Catalogue's.
func (w *World) Point(_ context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	for _, p := range w.Shown {
		if p.ID == id {
			return p, nil
		}
	}
	return holdfast.RestorePoint{}, holdfast.NotFound("there is no restore point %s", id)
}

// Head is search.Catalogue's.
func (w *World) Head(_ context.Context, _ holdfast.RepositoryID, _ holdfast.OrganizationID, key string, number uint64) (holdfast.HeadRecord, error) {
	h, ok := w.heads[fmt.Sprint(key, "/", number)]
	if !ok {
		return h, holdfast.NotFound("there is no head %d of %s", number, key)
	}
	return h, nil
}

// Path is search.Catalogue's.
func (w *World) Path(context.Context, holdfast.RepositoryID) (string, error) { return w.place, nil }

// Scope is all of the organization.
func Scope() []holdfast.SearchScope {
	return []holdfast.SearchScope{{Organization: Organization, All: true}}
}
