package service

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"holdfast/internal/holdfast"
	"holdfast/internal/query"
)

// SavedSearches keep questions that are asked again. Each is its maker's own: for others it does not exist. It gives no right to anything:
// what it finds is decided when it is asked.
type SavedSearches struct{ *core }

// Bounds of saved searches.
const (
	savedSearchesMost = 200 // of one account
	savedSearchName   = 200 // bytes
	savedSearchQuery  = 4096
)

var searchedKinds = []holdfast.ItemKind{holdfast.KindMail, holdfast.KindFile, holdfast.KindFolder, holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting}

// Save keeps a search. Its name is the query unless given.
func (s *SavedSearches) Save(ctx context.Context, u User, search holdfast.SavedSearch) (holdfast.SavedSearch, error) {
	if err := s.may(u, ActExplore); err != nil {
		return holdfast.SavedSearch{}, err
	}
	search.Query, search.Name = strings.TrimSpace(search.Query), strings.TrimSpace(search.Name)
	if search.Name == "" {
		search.Name = search.Query
		for len(search.Name) > savedSearchName {
			_, size := utf8.DecodeLastRuneInString(search.Name)
			search.Name = search.Name[:len(search.Name)-size]
		}
	}
	switch {
	case search.Query == "":
		return holdfast.SavedSearch{}, holdfast.Invalid("there is nothing to search for")
	case len(search.Query) > savedSearchQuery:
		return holdfast.SavedSearch{}, holdfast.Invalid("a search may have %d bytes", savedSearchQuery)
	case len(search.Name) > savedSearchName:
		return holdfast.SavedSearch{}, holdfast.Invalid("a saved search's name may have %d bytes", savedSearchName)
	}
	// What can't be asked is not kept. Names of fields and dates are what they are for whoever asks.
	if _, err := (query.Rules{Now: s.now()}).Parse(search.Query); err != nil {
		return holdfast.SavedSearch{}, holdfast.Invalid("%w", err)
	}
	for _, k := range search.Kinds {
		if !slices.Contains(searchedKinds, k) {
			return holdfast.SavedSearch{}, holdfast.Invalid("there is no kind %q to search; there are mail, file and folder", k)
		}
	}
	id, err := s.id()
	if err != nil {
		return holdfast.SavedSearch{}, err
	}
	search.ID, search.Account, search.Created = holdfast.SavedSearchID(id), u.ID, s.now()
	return writeAs(ctx, s.core, u, ActExplore, func(ctx context.Context, tx Tx) (holdfast.SavedSearch, error) {
		if search.Organization != "" {
			if _, err := tx.Organization(ctx, search.Organization); err != nil {
				return search, err
			}
		}
		all, err := tx.SavedSearches(ctx, u.ID, holdfast.Page{Limit: savedSearchesMost})
		if err != nil {
			return search, err
		}
		if len(all) >= savedSearchesMost {
			return search, holdfast.Conflict("there are %d saved searches: delete one first", savedSearchesMost)
		}
		return search, tx.PutSavedSearch(ctx, search)
	})
}

// List gives the caller's saved searches, newest first.
func (s *SavedSearches) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.SavedSearch, error) {
	return readAs(ctx, s.core, u, ActExplore, func(ctx context.Context, tx Tx) ([]holdfast.SavedSearch, error) {
		return tx.SavedSearches(ctx, u.ID, page)
	})
}

// Delete forgets one of the caller's.
func (s *SavedSearches) Delete(ctx context.Context, u User, id holdfast.SavedSearchID) error {
	return s.changeAs(ctx, u, ActExplore, func(ctx context.Context, tx Tx) error {
		search, err := tx.SavedSearch(ctx, id)
		if err == nil && (search.Account != u.ID || u.ID == "") {
			return holdfast.NotFound("there is no saved search %s", id)
		} else if err != nil {
			return err
		}
		return tx.DeleteSavedSearch(ctx, id)
	})
}
