package service

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"holdfast/internal/holdfast"
)

// Searcher finds items by their words over all restore points.
type Searcher interface {
	Search(ctx context.Context, q holdfast.SearchQuery, scope []holdfast.SearchScope) (holdfast.SearchPage, error)
	Status(ctx context.Context, scope holdfast.SearchScope) (holdfast.SearchStatus, error)
	// Wake says that there is more to find; it does not wait.
	Wake()
}

// Searches finds what a caller may see.
type Searches struct{ *core }

// scope gives where u may do act with what is found: all organizations, or one.
func (s *Searches) scope(ctx context.Context, u User, act Act, org holdfast.OrganizationID) ([]holdfast.SearchScope, error) {
	if s.Searcher == nil {
		return nil, holdfast.Unavailable("this server has no search index")
	}
	return readAs(ctx, s.core, u, act, func(ctx context.Context, tx Tx) ([]holdfast.SearchScope, error) {
		all, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: org}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		at := map[holdfast.OrganizationID]int{}
		var list []holdfast.SearchScope
		for _, c := range all {
			n, ok := at[c.Organization]
			if !ok {
				n = len(list)
				at[c.Organization] = n
				list = append(list, holdfast.SearchScope{Organization: c.Organization, All: ScopeOf(u, act) == nil})
			}
			if !list[n].All && !slices.Contains(list[n].Containers, c.Key()) {
				list[n].Containers = append(list[n].Containers, c.Key())
			}
		}
		return list, nil
	})
}

// Find gives a page of what q finds in what u may see. The audit chain has it before.
func (s *Searches) Find(ctx context.Context, u User, org holdfast.OrganizationID, q holdfast.SearchQuery) (holdfast.SearchPage, error) {
	scope, err := s.scope(ctx, u, ActExplore, org)
	if err != nil {
		return holdfast.SearchPage{}, err
	}
	q.Now = s.now()
	if q.Cursor == "" {
		if err := s.changeAs(ctx, u, ActExplore, func(ctx context.Context, tx Tx) error {
			return s.audit(ctx, tx, u, "search", "organization/"+string(org), fmt.Sprintf("%q", q.Text))
		}); err != nil {
			return holdfast.SearchPage{}, err
		}
	}
	return s.Searcher.Search(ctx, q, scope)
}

// Export gives all that q finds in what u may download, in order; a page is held at a time. The audit chain has it before.
func (s *Searches) Export(ctx context.Context, u User, org holdfast.OrganizationID, q holdfast.SearchQuery) (iter.Seq2[holdfast.SearchResult, error], error) {
	scope, err := s.scope(ctx, u, ActDownload, org)
	if err != nil {
		return nil, err
	}
	q.Now, q.Plain, q.Limit, q.Cursor = s.now(), true, holdfast.SearchLimit, ""
	if err := s.changeAs(ctx, u, ActDownload, func(ctx context.Context, tx Tx) error {
		return s.audit(ctx, tx, u, "search.export", "organization/"+string(org), fmt.Sprintf("%q", q.Text))
	}); err != nil {
		return nil, err
	}
	first, err := s.Searcher.Search(ctx, q, scope)
	if err != nil {
		return nil, err
	}
	return func(yield func(holdfast.SearchResult, error) bool) {
		for page := first; ; {
			for _, r := range page.Results {
				if !yield(r, nil) {
					return
				}
			}
			if page.Cursor == "" {
				return
			}
			q.Cursor = page.Cursor
			var err error
			if page, err = s.Searcher.Search(ctx, q, scope); err != nil {
				yield(holdfast.SearchResult{}, err)
				return
			}
		}
	}, nil
}

// Status says how far the index of each organization that u may see is.
func (s *Searches) Status(ctx context.Context, u User) ([]holdfast.SearchStatus, error) {
	scope, err := s.scope(ctx, u, ActExplore, "")
	if err != nil {
		return nil, err
	}
	list := make([]holdfast.SearchStatus, 0, len(scope))
	for _, one := range scope {
		st, err := s.Searcher.Status(ctx, one)
		if err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}
