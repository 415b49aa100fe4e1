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

// SearchIn narrows a search to an organization and to what one user owns (Container.OwnerID), or to a site or a team (Container.PublicID). The zero value is everything.
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

// of says whether a container is the one, or one of those, to which a search is narrowed.
func (in SearchIn) of(c holdfast.Container) bool {
	return in.Owner == "" || c.OfOwnerID(in.Owner) || (c.Kind == holdfast.Site || c.Kind == holdfast.Team) && c.PublicID() == in.Owner
}

// searched is where a search looks, and by whom the caller sees what several own together.
type searched struct {
	scope []holdfast.SearchScope
	first []string        // keys of users who come first: whom is asked for, oneself
	seen  map[string]bool // keys of users of whom the caller sees something that is theirs alone
}

// owner gives by whom the caller sees a container, so that he can explore it there.
func (s *searched) owner(c holdfast.Container) string {
	if c.Kind != holdfast.Chat {
		return c.Owner
	}
	owners := holdfast.Owners(c.Owner)
	for _, first := range s.first {
		for _, o := range owners {
			if objectKey(c.Organization, o) == first {
				return o
			}
		}
	}
	for _, o := range owners {
		if s.seen[objectKey(c.Organization, o)] {
			return o
		}
	}
	return c.Owner
}

// owned gives found items the owners by whom the caller sees them.
func (s *searched) owned(all []holdfast.SearchResult) {
	for i := range all {
		all[i].Owner = s.owner(all[i].Container)
	}
}

// scope gives where u may do act with what is found.
func (s *Searches) scope(ctx context.Context, u User, act Act, in SearchIn) (searched, error) {
	if s.Searcher == nil {
		return searched{}, holdfast.Unavailable("this server has no search index")
	}
	return readAs(ctx, s.core, u, act, func(ctx context.Context, tx Tx) (searched, error) {
		all, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: in.Organization}, holdfast.Page{})
		if err != nil {
			return searched{}, err
		}
		at := map[holdfast.OrganizationID]int{}
		out := searched{seen: map[string]bool{}}
		if me := self(u); me != "" {
			out.first = append(out.first, me)
		}
		var list []holdfast.SearchScope
		for _, c := range all {
			if !c.Nobodys() {
				key := objectKey(c.Organization, c.Owner)
				if out.seen[key] = true; in.Owner != "" && c.OwnerID() == in.Owner {
					out.first = append([]string{key}, out.first...)
				}
			}
			if !in.of(c.Container) {
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
			return searched{}, holdfast.NotFound("no backup holds anything of user %s", in.Owner)
		}
		out.scope = list
		return out, nil
	})
}

// Find gives a page of what q finds in what u may see. The audit chain has it before.
func (s *Searches) Find(ctx context.Context, u User, in SearchIn, q holdfast.SearchQuery) (holdfast.SearchPage, error) {
	where, err := s.scope(ctx, u, ActExplore, in)
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
	page, err := s.Searcher.Search(ctx, q, where.scope)
	where.owned(page.Results)
	return page, err
}

// Export gives all that q finds in what u may download, in order, a page held at a time, and what of it was not indexed yet when that began.
// The audit chain has it before.
func (s *Searches) Export(ctx context.Context, u User, in SearchIn, q holdfast.SearchQuery) (found iter.Seq2[holdfast.SearchResult, error], missing []holdfast.NotIndexed, err error) {
	where, err := s.scope(ctx, u, ActDownload, in)
	if err != nil {
		return nil, nil, err
	}
	q.Now, q.Plain, q.Limit, q.Cursor = s.now(), true, holdfast.SearchLimit, ""
	if err := s.changeAs(ctx, u, ActDownload, func(ctx context.Context, tx Tx) error {
		return s.audit(ctx, tx, u, "search.export", in.String(), fmt.Sprintf("%q", q.Text))
	}); err != nil {
		return nil, nil, err
	}
	first, err := s.Searcher.Search(ctx, q, where.scope)
	if err != nil {
		return nil, nil, err
	}
	return func(yield func(holdfast.SearchResult, error) bool) {
		for page := first; ; {
			where.owned(page.Results)
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
			if page, err = s.Searcher.Search(ctx, q, where.scope); err != nil {
				yield(holdfast.SearchResult{}, err)
				return
			}
		}
	}, first.NotIndexed, nil
}

// Status says how far the index of each organization that u may see is.
func (s *Searches) Status(ctx context.Context, u User) ([]holdfast.SearchStatus, error) {
	where, err := s.scope(ctx, u, ActExplore, SearchIn{})
	if err != nil {
		return nil, err
	}
	list := make([]holdfast.SearchStatus, 0, len(where.scope))
	for _, one := range where.scope {
		st, err := s.Searcher.Status(ctx, one)
		if err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}
