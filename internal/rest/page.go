package rest

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

// Page sizes of the contract. An exporter asks for 10,000 and takes a shorter page for the last one, so a smaller
// ceiling would lose data unseen.
const (
	defaultLimit = 30
	maxLimit     = 10_000
)

// window is the part of a listing that a request asks for.
type window struct {
	Offset, Limit int
}

// window reads limit and offset as they will be in effect and echoed.
func (r *request) window() (window, error) {
	w := window{Limit: defaultLimit}
	for name, into := range map[string]*int{"limit": &w.Limit, "offset": &w.Offset} {
		text, ok := r.query(name)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || int64(n) > 1<<31-1 {
			return window{}, holdfast.Invalid("query %s must be a whole number from 0", name)
		}
		*into = n
	}
	if w.Limit == 0 {
		w.Limit = defaultLimit
	}
	if _, asked := r.query("limit"); r.bare() && !asked {
		w.Limit = maxLimit // a bare array is the whole
	}
	w.Limit = min(w.Limit, maxLimit)
	return w, nil
}

// pageOf is a page as the contract has it, for any kind of object.
type pageOf[T any] struct {
	Offset  int32                          `json:"offset"`
	Limit   int32                          `json:"limit"`
	SetID   *uuid.UUID                     `json:"setId,omitzero"`
	Results []T                            `json:"results"`
	Links   contract.RESTLinkHALDictionary `json:"_links,omitzero"`
}

// page encodes one page. A full page has a next link, since nobody counts the whole.
func page[S, T any](r *request, w window, items []S, encode func(S) T) pageOf[T] {
	p := pageOf[T]{Offset: int32(w.Offset), Limit: int32(w.Limit), Results: make([]T, 0, len(items)), Links: contract.RESTLinkHALDictionary{}}
	for _, item := range items {
		p.Results = append(p.Results, encode(item))
	}
	link := func(offset int) contract.RESTLinkHAL {
		q := url.Values{}
		for name, values := range r.values {
			if !strings.EqualFold(name, "offset") && !strings.EqualFold(name, "limit") {
				q[name] = values
			}
		}
		q.Set("limit", strconv.Itoa(w.Limit))
		q.Set("offset", strconv.Itoa(offset))
		href := r.URL.EscapedPath() + "?" + q.Encode()
		return contract.RESTLinkHAL{Href: &href}
	}
	p.Links["self"] = link(w.Offset)
	p.Links["first"] = link(0)
	if w.Offset > 0 {
		p.Links["prev"] = link(max(0, w.Offset-w.Limit))
	}
	if len(items) == w.Limit {
		p.Links["next"] = link(w.Offset + w.Limit)
	}
	return p
}

// rows are what a bare array has.
func (p pageOf[T]) rows() any { return p.Results }

// inSet names the state that the pages of a listing are cut from, on the operations that have setId: the one asked for, or a new one.
func (p pageOf[T]) inSet(r *request) pageOf[T] {
	id := uuid.New()
	if text, ok := r.query("setId"); ok {
		if asked, err := uuid.Parse(text); err == nil {
			id = asked
		}
	}
	p.SetID = &id
	return p
}

// cut is the part of a whole list that is inside the window.
func cut[T any](w window, all []T) []T {
	from := min(w.Offset, len(all))
	return all[from:min(from+w.Limit, len(all))]
}

// list encodes one of the contract's bare arrays.
func list[S, T any](items []S, encode func(S) T) []T {
	out := make([]T, 0, len(items))
	for _, item := range items {
		out = append(out, encode(item))
	}
	return out
}

// page is the window as the services take it.
func (w window) page() holdfast.Page { return holdfast.Page{Offset: w.Offset, Limit: w.Limit} }
