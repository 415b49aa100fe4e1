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

// SearchIn narrows a search to an organization and to what one user owns (Container.OwnerID). The zero value is everything.
type SearchIn struct {
	Organization holdfast.OrganizationID
	Owner        string
}

func (in SearchIn) String() string {
	if in.Owner != "" {
		return "user/" + in.Owner
	}
	return "organization/" + string(in.Organization)
}

// scope gives where u may do act with what is found.
func (s *Searches) scope(ctx context.Context, u User, act Act, in SearchIn) ([]holdfast.SearchScope, error) {
	if s.Searcher == nil {
		return nil, holdfast.Unavailable("this server has no search index")
	}
	return readAs(ctx, s.core, u, act, func(ctx context.Context, tx Tx) ([]holdfast.SearchScope, error) {
		all, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: in.Organization}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		at := map[holdfast.OrganizationID]int{}
		var list []holdfast.SearchScope
		for _, c := range all {
			if in.Owner != "" && !c.OfOwnerID(in.Owner) {
				continue
			}
			n, ok := at[c.Organization]
			if !ok {
				n = len(list)
				at[c.Organization] = n
				list = append(list, holdfast.SearchScope{Organization: c.Organization, All: in.Owner == "" && ScopeOf(u, act) == nil})
			}
			if !list[n].All && !slices.Contains(list[n].Containers, c.Key()) {
				list[n].Containers = append(list[n].Containers, c.Key())
			}
		}
		if in.Owner != "" && len(list) == 0 {
			return nil, holdfast.NotFound("no backup holds anything of user %s", in.Owner)
		}
		return list, nil
	})
}

// Find gives a page of what q finds in what u may see. The audit chain has it before.
func (s *Searches) Find(ctx context.Context, u User, in SearchIn, q holdfast.SearchQuery) (holdfast.SearchPage, error) {
	scope, err := s.scope(ctx, u, ActExplore, in)
	if err != nil {
		return holdfast.SearchPage{}, err
	}
	q.Now = s.now()
	if q.Cursor == "" {
		if err := s.changeAs(ctx, u, ActExplore, func(ctx context.Context, tx Tx) error {
			return s.audit(ctx, tx, u, "search", in.String(), fmt.Sprintf("%q", q.Text))
		}); err != nil {
			return holdfast.SearchPage{}, err
		}
	}
	return s.Searcher.Search(ctx, q, scope)
}

// Export gives all that q finds in what u may download, in order, a page held at a time, and what of it was not indexed yet when that began.
// The audit chain has it before.
func (s *Searches) Export(ctx context.Context, u User, in SearchIn, q holdfast.SearchQuery) (found iter.Seq2[holdfast.SearchResult, error], missing []holdfast.NotIndexed, err error) {
	scope, err := s.scope(ctx, u, ActDownload, in)
	if err != nil {
		return nil, nil, err
	}
	q.Now, q.Plain, q.Limit, q.Cursor = s.now(), true, holdfast.SearchLimit, ""
	if err := s.changeAs(ctx, u, ActDownload, func(ctx context.Context, tx Tx) error {
		return s.audit(ctx, tx, u, "search.export", in.String(), fmt.Sprintf("%q", q.Text))
	}); err != nil {
		return nil, nil, err
	}
	first, err := s.Searcher.Search(ctx, q, scope)
	if err != nil {
		return nil, nil, err
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
	}, first.NotIndexed, nil
}

// Status says how far the index of each organization that u may see is.
func (s *Searches) Status(ctx context.Context, u User) ([]holdfast.SearchStatus, error) {
	scope, err := s.scope(ctx, u, ActExplore, SearchIn{})
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
