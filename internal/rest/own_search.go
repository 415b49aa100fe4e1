package rest

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

var searchRoutes = []route{
	{"Search_Find", "POST", "/Search", 200, service.ActExplore, (*API).searchFind},
	{"Search_Export", "POST", "/Search/Export", 200, service.ActDownload, (*API).searchExport},
	{"Search_Status", "GET", "/Search/Status", 200, service.ActExplore, (*API).searchStatus},
}

type searchPoint struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
}

type searchHit struct {
	ID             string      `json:"id"`
	Kind           string      `json:"kind"`
	OrganizationID string      `json:"organizationId"`
	RepositoryID   string      `json:"repositoryId"`
	UserID         string      `json:"userId"` // whose mailbox or OneDrive it is in, as operators explore it; of a chat one of its members
	Container      objectRef   `json:"container"`
	Name           string      `json:"name"`
	From           string      `json:"from,omitzero"`
	To             string      `json:"to,omitzero"`
	Cc             string      `json:"cc,omitzero"`
	Time           *time.Time  `json:"time,omitzero"`
	Size           int64       `json:"size"`
	Folder         string      `json:"folder,omitzero"`
	First          searchPoint `json:"firstPoint"`
	Last           searchPoint `json:"lastPoint"`
	Deleted        bool        `json:"deleted"`
	Snippet        string      `json:"snippet,omitzero"`
}

type notIndexed struct {
	Container objectRef      `json:"container"`
	Since     time.Time      `json:"since"`
	Problem   string         `json:"problem,omitzero"`
	Said      *contract.Said `json:"problemSaid,omitzero"`
}

func notIndexedOf(n holdfast.NotIndexed) notIndexed {
	return notIndexed{objectOf(n.Container), n.Since.UTC(), n.Err, saidOf(n.Err)}
}

type searchTotal struct {
	Value int64 `json:"value"`
	Exact bool  `json:"exact"`
}

// searchInput is what is asked for: a page, or all in a format.
type searchInput struct {
	Query        string     `json:"query"`
	Organization string     `json:"organizationId,omitzero"`
	User         string     `json:"userId,omitzero"`
	Kinds        []string   `json:"kinds,omitzero"`
	At           *time.Time `json:"at,omitzero"`
	From         *time.Time `json:"from,omitzero"`
	Until        *time.Time `json:"until,omitzero"`
	Deleted      bool       `json:"deleted,omitzero"`
	Lenient      bool       `json:"lenient,omitzero"`
	Sort         string     `json:"sort,omitzero"`
	Limit        int        `json:"limit,omitzero"`
	Cursor       string     `json:"cursor,omitzero"`
	Format       string     `json:"format,omitzero"`
}

func (in *searchInput) in() service.SearchIn {
	return service.SearchIn{Organization: holdfast.OrganizationID(in.Organization), Owner: in.User}
}

func (in *searchInput) toQuery() (holdfast.SearchQuery, error) {
	q := holdfast.SearchQuery{Text: in.Query, Deleted: in.Deleted, Lenient: in.Lenient, Oldest: in.Sort == sortOldest}
	if in.Sort != "" && in.Sort != sortNewest && in.Sort != sortOldest {
		return q, holdfast.Invalid("sort must be %s or %s", sortNewest, sortOldest)
	}
	for _, k := range in.Kinds {
		switch kind := holdfast.ItemKind(k); kind {
		case holdfast.KindMail, holdfast.KindFile, holdfast.KindFolder, holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting, holdfast.KindListItem, holdfast.KindPage, holdfast.KindPost, holdfast.KindTab:
			q.Kinds = append(q.Kinds, kind)
		default:
			return q, holdfast.Invalid("kinds may be mail, contact, event, task, setting, file, folder, list item, page, post and tab, not %q", k)
		}
	}
	for _, t := range []struct {
		at *time.Time
		to *time.Time
	}{{in.At, &q.At}, {in.From, &q.From}, {in.Until, &q.Until}} {
		if t.at != nil {
			*t.to = *t.at
		}
	}
	return q, nil
}

func searchHitOf(h holdfast.SearchResult) searchHit {
	f := h.Item.Fields
	by := h.Container
	by.Owner = h.Owner
	hit := searchHit{h.Item.ID, string(h.Item.Kind), string(h.Organization), string(h.Repository), by.OwnerID(), objectOf(h.Container), h.Item.Name,
		cmp.Or(f[holdfast.FieldFrom], f[holdfast.FieldAuthor]), f[holdfast.FieldTo], f[holdfast.FieldCc], nil, h.Item.Size, h.Folder,
		searchPoint{string(h.First.ID), h.First.Time.UTC()}, searchPoint{string(h.Last.ID), h.Last.Time.UTC()}, h.Deleted, h.Snippet}
	if t := h.Item.Time.UTC(); !t.IsZero() {
		hit.Time = &t
	}
	return hit
}

// searchFind finds items by their words in all that the caller may see. The total comes with the first page only.
func (a *API) searchFind(ctx context.Context, r *request) (any, error) {
	var in searchInput
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	q, err := in.toQuery()
	if err != nil {
		return nil, err
	}
	q.Limit, q.Cursor = cmp.Or(in.Limit, 50), in.Cursor
	found, err := a.services.Searches.Find(ctx, r.user, in.in(), q)
	if err != nil {
		return nil, err
	}
	out := struct {
		Results    []searchHit  `json:"results"`
		Total      *searchTotal `json:"total,omitzero"`
		Cursor     string       `json:"cursor,omitzero"`
		NotIndexed []notIndexed `json:"notIndexed"`
	}{Cursor: found.Cursor, NotIndexed: list(found.NotIndexed, notIndexedOf), Results: list(found.Results, searchHitOf)}
	if found.Total >= 0 {
		out.Total = &searchTotal{found.Total, found.Exact}
	}
	return out, nil
}

// notIndexedHeader says how many mailboxes and drives an export may lack something of.
const notIndexedHeader = "Holdfast-Not-Indexed"

// searchExport sends all that is found as CSV or as a line of JSON for each. What is wrong with the question is said before the first line.
func (a *API) searchExport(ctx context.Context, r *request) (any, error) {
	var in searchInput
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	write, name := writeCSV, "search.csv"
	switch in.Format {
	case "", "csv":
	case "jsonl":
		write, name = writeJSONLines, "search.jsonl"
	default:
		return nil, holdfast.Invalid("format must be csv or jsonl")
	}
	q, err := in.toQuery()
	if err != nil {
		return nil, err
	}
	found, missing, err := a.services.Searches.Export(ctx, r.user, in.in(), q)
	if err != nil {
		return nil, err
	}
	extra := http.Header{notIndexedHeader: {strconv.Itoa(len(missing))}}
	return &download{name: name, size: -1, extra: extra, write: func(_ context.Context, w io.Writer) error { return write(w, found) }}, nil
}

func writeJSONLines(w io.Writer, found iter.Seq2[holdfast.SearchResult, error]) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for hit, err := range found {
		if err == nil {
			err = e.Encode(searchHitOf(hit))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var exportColumns = []string{"kind", "time", "name", "from", "to", "cc", "size", "folder", "owner", "address", "deleted", "firstPoint", "lastPoint", "organizationId", "repositoryId", "containerId", "id"}

func writeCSV(w io.Writer, found iter.Seq2[holdfast.SearchResult, error]) error {
	// The mark tells spreadsheets that it is UTF-8.
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180
	if err := c.Write(exportColumns); err != nil {
		return err
	}
	for hit, err := range found {
		if err != nil {
			return err
		}
		h := searchHitOf(hit)
		at := ""
		if h.Time != nil {
			at = h.Time.Format(time.RFC3339)
		}
		row := []string{h.Kind, at, h.Name, h.From, h.To, h.Cc, strconv.FormatInt(h.Size, 10), h.Folder, h.Container.Name, h.Container.Address, strconv.FormatBool(h.Deleted),
			h.First.Time.Format(time.RFC3339), h.Last.Time.Format(time.RFC3339), h.OrganizationID, h.RepositoryID, h.Container.ID, h.ID}
		for i := range row {
			row[i] = holdfast.Cell(row[i])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

type searchState struct {
	OrganizationID string         `json:"organizationId"`
	Documents      int64          `json:"documents"`
	Bytes          int64          `json:"bytes"`
	Indexed        *time.Time     `json:"indexed,omitzero"`
	Working        bool           `json:"working"`
	NotIndexed     []notIndexed   `json:"notIndexed"`
	Problem        string         `json:"problem,omitzero"`
	Said           *contract.Said `json:"problemSaid,omitzero"`
}

// searchStatus says how far the index is. It is kept after backups, at low priority.
func (a *API) searchStatus(ctx context.Context, r *request) (any, error) {
	all, err := a.services.Searches.Status(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(all, func(s holdfast.SearchStatus) searchState {
		st := searchState{string(s.Organization), s.Documents, s.Bytes, nil, s.Working, list(s.Pending, notIndexedOf), s.Err, saidOf(s.Err)}
		if !s.Indexed.IsZero() {
			t := s.Indexed.UTC()
			st.Indexed = &t
		}
		return st
	}), nil
}
