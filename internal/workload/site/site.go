// Package site reads and writes SharePoint sites: a Source and a Target for the engine.
//
// A site is one container; its lists and libraries are folders in it. What is stored of a list: its JSON as served with columns and content types,
// its views, and permissions of its own. Of an item: its JSON with all values, its attachments, permissions of its own; older versions are items
// of their own under it. Libraries are read as drives are. docs/fidelity.md says what a restore gives back of it.
package site

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/workload/drive"
)

// Dial makes the client for one organization; clients of one application share a budget.
type Dial func(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (*graph.Client, error)

// New is the workload.
func New(dial Dial) engine.Workload { return workload{dial} }

type workload struct{ dial Dial }

func (workload) Kind() holdfast.ContainerKind { return holdfast.Site }

func (w workload) Source(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (engine.Source, error) {
	g, err := w.dial(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	return &source{g: g, org: org.ID}, nil
}

func (w workload) Target(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (engine.Target, error) {
	g, err := w.dial(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	return &target{g: g, org: org.ID}, nil
}

// Ids of what a site's container holds; they are parts of addresses. A library's folder has the id that its drive's root has, so that files find it.
const rootID = "site"

func listID(list string) string { return "list." + list }

func itemID(list, item string) string { return list + "." + item }

func pageID(page string) string { return "page." + page }

func versionID(item, version string) string { return item + "@" + version }

// Values of holdfast.FieldSpecial.
const (
	specialRoot    = "root"
	specialList    = "list"
	specialLibrary = "library"
	specialPages   = "pages"
)

// Fields of an item that only this workload uses.
const (
	fieldList     = "list"     // of a list's folder: its id
	fieldDrive    = "drive"    // of a library's folder: its drive
	fieldTemplate = "template" // of a list's folder
	fieldUnique   = "unique"   // "true": has permissions of its own
	fieldEditor   = "editor"
	fieldColumns  = "columns" // of a library's folder: names of the columns that its site made, see ownColumns
)

// Forms of payloads that only this workload uses.
const (
	formViews    = holdfast.Form("views") // an array of views, as served
	formRoles    = holdfast.Form("roles") // an array of role assignments, as served
	formUsers    = holdfast.Form("users") // of the site: those whom it knows
	formTeam     = holdfast.Form("groups")
	formSettings = holdfast.Form("settings") // of a list: those that Graph does not tell
	// of the site: its permission levels, and what it uses its groups for
	formLevels = holdfast.Form("levels")
	formAccess = holdfast.Form("access")
	formFiles  = holdfast.Form("files") // an array of the names of an item's attachments
)

// attachmentForm is the form of a file that is attached to a list's item.
func attachmentForm(name string) holdfast.Form { return holdfast.FormAttachment + holdfast.Form(name) }

// siteFields are what a container is made of.
var siteFields = []string{"id", "displayName", "webUrl", "isPersonalSite", "siteCollection"}

// Discover gives sites: those with the given ids or addresses and the sites below them, or all of the organization but personal ones; and the personal
// ones that engine.WithPersonalSites asks for.
func (s *source) Discover(ctx context.Context, ids []string) iter.Seq2[engine.Found, error] {
	return func(yield func(engine.Found, error) bool) {
		if s.shared(ctx, ids, yield) {
			s.personal(ctx, yield)
		}
	}
}

// shared gives the sites that Discover was asked for besides personal ones.
func (s *source) shared(ctx context.Context, ids []string, yield func(engine.Found, error) bool) bool {
	if ids == nil {
		l := graph.List{Select: siteFields}
		first, err := s.g.AllSites(ctx, l)
		for x, err := range graph.All(ctx, s.g, first, err, l) {
			if m365.KindOf(err) == m365.Denied { // the rest of the organization is protected all the same
				return yield(engine.Found{Container: holdfast.AllOf(s.org, holdfast.Site),
					Err: &holdfast.Skip{Reason: holdfast.SkipDenied, Err: err}}, nil)
			}
			if err != nil {
				yield(engine.Found{}, fmt.Errorf("list sites: %w", err))
				return false
			}
			if x.Personal || x.Removed != nil {
				continue
			}
			if !yield(engine.Found{Container: s.container(x)}, nil) {
				return false
			}
		}
		return true
	}
	seen := map[string]bool{}
	for _, id := range ids {
		x, err := s.find(ctx, id)
		if err != nil {
			why := drive.PlaceError(err)
			var skip *holdfast.Skip
			if !errors.As(why, &skip) && m365.KindOf(err) != m365.Invalid {
				yield(engine.Found{}, fmt.Errorf("look up site %s: %w", id, err))
				return false
			}
			if skip == nil {
				why = &holdfast.Skip{Reason: holdfast.SkipGone, Err: err}
			}
			if !yield(engine.Found{Container: s.container(&graph.Site{ID: id, WebURL: id, DisplayName: id}), Err: why}, nil) {
				return false
			}
			continue
		}
		if !s.tree(ctx, x, seen, yield) {
			return false
		}
	}
	return true
}

// find looks a site up by its id or address.
func (s *source) find(ctx context.Context, id string) (*graph.Site, error) {
	u, err := url.Parse(id)
	switch {
	case err != nil || u.Scheme != "https":
		return s.g.Site(ctx, id, graph.List{Select: siteFields})
	case strings.Trim(u.Path, "/") == "":
		return s.g.Site(ctx, u.Host, graph.List{Select: siteFields})
	}
	return s.g.SiteAt(ctx, u.Host, u.Path)
}

// tree gives a site and those below it.
func (s *source) tree(ctx context.Context, x *graph.Site, seen map[string]bool, yield func(engine.Found, error) bool) bool {
	if seen[x.ID] {
		return true
	}
	seen[x.ID] = true
	found := s.container(x)
	if x.Personal || personalAddress(x.WebURL) { // named as a site; it is the same container as the user's own
		owner, err := s.ownerOf(ctx, x)
		if err != nil {
			yield(engine.Found{}, fmt.Errorf("look up whose site %s is: %w", x.WebURL, err))
			return false
		}
		found.Owner = owner
	}
	if !yield(engine.Found{Container: found}, nil) {
		return false
	}
	l := graph.List{Select: siteFields}
	first, err := s.g.Subsites(ctx, x.ID, l)
	for below, err := range graph.All(ctx, s.g, first, err, l) {
		if err != nil {
			var skip *holdfast.Skip
			if errors.As(drive.PlaceError(err), &skip) {
				return true // the backup of the site says why
			}
			yield(engine.Found{}, fmt.Errorf("list sites below %s: %w", x.WebURL, err))
			return false
		}
		if !s.tree(ctx, below, seen, yield) {
			return false
		}
	}
	return true
}

func (s *source) container(x *graph.Site) holdfast.Container {
	name := x.DisplayName
	if name == "" {
		name = x.WebURL[strings.LastIndexByte(x.WebURL, '/')+1:]
	}
	return holdfast.Container{Organization: s.org, Kind: holdfast.Site, Source: x.ID, Owner: x.ID, Name: name, Address: x.WebURL}
}
