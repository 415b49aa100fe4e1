package searchtest

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
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
	v := vault.New(vault.Options{Password: password})
	at := vault.Ref{Repository: Repository, Path: w.place, Organization: Organization}
	if err := errors.Join(v.CreateRepository(ctx, at, nil), v.Close(ctx)); err != nil {
		return nil, err
	}
	return w, w.open(ctx)
}

func password(context.Context, vault.Ref) ([]byte, error) {
	return []byte(strings.Repeat("k", 32)), nil
}

// state is what a World knows besides its vault.
type state struct {
	Mails, Mailboxes int
	Shown            []holdfast.RestorePoint
	Heads            map[string]holdfast.HeadRecord
	Last             map[int]string // by mailbox, the key of heads
}

// Save writes what OpenWorld needs besides the vault into dir.
func (w *World) Save(dir string) error {
	s := state{w.Corpus.Mails, w.Corpus.Mailboxes, w.Shown, w.heads, map[int]string{}}
	for b, h := range w.last {
		s.Last[b] = fmt.Sprint(w.box(b).Key(), "/", h.Number)
	}
	var raw bytes.Buffer
	if err := gob.NewEncoder(&raw).Encode(s); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "world"), raw.Bytes(), 0o600)
}

// OpenWorld opens what NewWorld made and Save wrote, in another process too. Close it.
func OpenWorld(ctx context.Context, dir string) (*World, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "world"))
	if err != nil {
		return nil, err
	}
	var s state
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(&s); err != nil {
		return nil, err
	}
	w := &World{Corpus: NewCorpus(s.Mails, s.Mailboxes), Shown: s.Shown, place: filepath.Join(dir, "place"), heads: s.Heads, last: map[int]*vault.Head{}}
	for b, key := range s.Last {
		if w.last[b], err = vault.DecodeHead(s.Heads[key].Data); err != nil {
			return nil, err
		}
	}
	return w, w.open(ctx)
}

func (w *World) open(ctx context.Context) (err error) {
	w.Vault = vault.New(vault.Options{Password: password})
	w.repo, err = w.Vault.Repository(ctx, vault.Ref{Repository: Repository, Path: w.place, Organization: Organization})
	return err
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

// Containers is search.Catalogue's: they stand as the last restore point in Shown has them.
func (w *World) Containers(context.Context, holdfast.OrganizationID) (list []holdfast.ContainerRecord, err error) {
	if len(w.Shown) == 0 {
		return nil, nil
	}
	for _, e := range w.Shown[len(w.Shown)-1].Entries {
		list = append(list, holdfast.ContainerRecord{Container: e.Container, Repository: Repository, Head: e.Head})
	}
	return list, nil
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
