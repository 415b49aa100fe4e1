package rest

import (
	"cmp"
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

var searchRoutes = []route{
	{"Search_Find", "POST", "/Search", 200, service.ActExplore, (*API).searchFind},
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
	Container objectRef `json:"container"`
	Since     time.Time `json:"since"`
	Problem   string    `json:"problem,omitzero"`
}

func notIndexedOf(n holdfast.NotIndexed) notIndexed {
	return notIndexed{objectOf(n.Container), n.Since.UTC(), n.Err}
}

type searchTotal struct {
	Value int64 `json:"value"`
	Exact bool  `json:"exact"`
}

// searchFind finds items by their words in all that the caller may see. The total comes with the first page only.
func (a *API) searchFind(ctx context.Context, r *request) (any, error) {
	var in struct {
		Query        string     `json:"query"`
		Organization string     `json:"organizationId,omitzero"`
		Kinds        []string   `json:"kinds,omitzero"`
		At           *time.Time `json:"at,omitzero"`
		From         *time.Time `json:"from,omitzero"`
		Until        *time.Time `json:"until,omitzero"`
		Deleted      bool       `json:"deleted,omitzero"`
		Sort         string     `json:"sort,omitzero"`
		Limit        int        `json:"limit,omitzero"`
		Cursor       string     `json:"cursor,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	q := holdfast.SearchQuery{Text: in.Query, Deleted: in.Deleted, Limit: cmp.Or(in.Limit, 50), Cursor: in.Cursor}
	switch in.Sort {
	case "", "newest":
	case "oldest":
		q.Oldest = true
	default:
		return nil, holdfast.Invalid("sort must be newest or oldest")
	}
	for _, k := range in.Kinds {
		switch kind := holdfast.ItemKind(k); kind {
		case holdfast.KindMail, holdfast.KindFile, holdfast.KindFolder:
			q.Kinds = append(q.Kinds, kind)
		default:
			return nil, holdfast.Invalid("kinds may be mail, file and folder, not %q", k)
		}
	}
	for at, to := range map[*time.Time]*time.Time{in.At: &q.At, in.From: &q.From, in.Until: &q.Until} {
		if at != nil {
			*to = *at
		}
	}
	found, err := a.services.Searches.Find(ctx, r.user, holdfast.OrganizationID(in.Organization), q)
	if err != nil {
		return nil, err
	}
	out := struct {
		Results    []searchHit  `json:"results"`
		Total      *searchTotal `json:"total,omitzero"`
		Cursor     string       `json:"cursor,omitzero"`
		NotIndexed []notIndexed `json:"notIndexed"`
	}{Cursor: found.Cursor, NotIndexed: list(found.NotIndexed, notIndexedOf), Results: list(found.Results, func(h holdfast.SearchResult) searchHit {
		f := h.Item.Fields
		hit := searchHit{h.Item.ID, string(h.Item.Kind), string(h.Organization), string(h.Repository), objectOf(h.Container), h.Item.Name,
			cmp.Or(f[holdfast.FieldFrom], f[holdfast.FieldAuthor]), f[holdfast.FieldTo], f[holdfast.FieldCc], nil, h.Item.Size, h.Folder,
			searchPoint{string(h.First.ID), h.First.Time.UTC()}, searchPoint{string(h.Last.ID), h.Last.Time.UTC()}, h.Deleted, h.Snippet}
		if t := h.Item.Time.UTC(); !t.IsZero() {
			hit.Time = &t
		}
		return hit
	})}
	if found.Total >= 0 {
		out.Total = &searchTotal{found.Total, found.Exact}
	}
	return out, nil
}

type searchState struct {
	OrganizationID string       `json:"organizationId"`
	Documents      int64        `json:"documents"`
	Bytes          int64        `json:"bytes"`
	Indexed        *time.Time   `json:"indexed,omitzero"`
	Working        bool         `json:"working"`
	NotIndexed     []notIndexed `json:"notIndexed"`
	Problem        string       `json:"problem,omitzero"`
}

// searchStatus says how far the index is. It is kept after backups, at low priority.
func (a *API) searchStatus(ctx context.Context, r *request) (any, error) {
	all, err := a.services.Searches.Status(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(all, func(s holdfast.SearchStatus) searchState {
		st := searchState{string(s.Organization), s.Documents, s.Bytes, nil, s.Working, list(s.Pending, notIndexedOf), s.Err}
		if !s.Indexed.IsZero() {
			t := s.Indexed.UTC()
			st.Indexed = &t
		}
		return st
	}), nil
}
