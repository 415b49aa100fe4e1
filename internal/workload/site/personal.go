package site

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/workload/drive"
)

// A personal site is the site of a user's OneDrive. The OneDrive, its default library, is a container of its own (drive) and never read with the site,
// whatever a job asks for: what a container holds must not hang on which of several jobs read it last. docs/adr/0009-personal-sites.md says why.

// askedAtOnce is how many users are asked for their personal site in one batch.
const askedAtOnce = 20

// personal gives the personal sites that engine.WithPersonalSites asks for. A user who never opened OneDrive has none: of all users such a one is
// passed over, of chosen ones he is named.
func (s *source) personal(ctx context.Context, yield func(engine.Found, error) bool) {
	chosen, all := engine.PersonalSites(ctx)
	known := engine.KnownUsers(ctx)
	switch {
	case all && known != nil:
		s.ask(ctx, present(known), false, yield)
	case all:
		l := graph.List{Select: []string{"id", "displayName", "userPrincipalName", "userType"}, Top: 999}
		first, err := s.g.Users(ctx, l)
		var users []holdfast.DirectoryObject
		for u, err := range graph.All(ctx, s.g, first, err, l) {
			if err != nil {
				yield(engine.Found{}, fmt.Errorf("list users: %w", err))
				return
			}
			users = append(users, holdfast.DirectoryObject{ID: u.ID, DisplayName: u.DisplayName, Name: u.UserPrincipalName, Guest: strings.EqualFold(u.UserType, "Guest")})
		}
		s.ask(ctx, present(users), false, yield)
	case len(chosen) > 0:
		byID := make(map[string]holdfast.DirectoryObject, len(known))
		for _, u := range known {
			byID[u.ID] = u
		}
		users := make([]holdfast.DirectoryObject, 0, len(chosen))
		for _, id := range chosen {
			u, ok := byID[id]
			if !ok {
				u = holdfast.DirectoryObject{ID: id, DisplayName: id, Name: id}
			}
			users = append(users, u)
		}
		s.ask(ctx, users, true, yield)
	}
}

// present are those who are there and no guests.
func present(users []holdfast.DirectoryObject) []holdfast.DirectoryObject {
	var out []holdfast.DirectoryObject
	for _, u := range users {
		if !u.Guest && u.Gone.IsZero() {
			out = append(out, u)
		}
	}
	return out
}

// ask gives the personal sites of users: known ones as they are, the others in batches.
func (s *source) ask(ctx context.Context, users []holdfast.DirectoryObject, chosen bool, yield func(engine.Found, error) bool) {
	var batch []holdfast.DirectoryObject
	for _, u := range users {
		if u.Gone.IsZero() && u.Site.Source != "" && addressOf(u, u.Site.Address) {
			c := u.Site
			c.Organization, c.Name = s.org, u.DisplayName
			if !yield(engine.Found{Container: c}, nil) {
				return
			}
			continue
		}
		if batch = append(batch, u); len(batch) == askedAtOnce {
			if !s.askNow(ctx, batch, chosen, yield) {
				return
			}
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		s.askNow(ctx, batch, chosen, yield)
	}
}

// addressOf says whether a personal site still has the address that follows from its user's name: it changes with that, and is asked for again then.
// https://learn.microsoft.com/sharepoint/list-onedrive-urls
func addressOf(u holdfast.DirectoryObject, address string) bool {
	name := strings.NewReplacer("@", "_", ".", "_").Replace(strings.ToLower(u.Name))
	return strings.HasSuffix(strings.ToLower(address), "/personal/"+name)
}

// personalAddress says whether an address is that of a personal site; what is found by its address does not tell it otherwise.
func personalAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	label, _, _ := strings.Cut(u.Host, ".")
	return strings.HasSuffix(label, "-my") && strings.HasPrefix(u.Path, "/personal/")
}

func (s *source) askNow(ctx context.Context, users []holdfast.DirectoryObject, chosen bool, yield func(engine.Found, error) bool) bool {
	parts := make([]graph.Part, 0, len(users))
	for _, u := range users {
		parts = append(parts, graph.Part{Path: []string{"users", u.ID, "drive"}, List: graph.List{Select: []string{"id", "owner", "sharePointIds"}}, Permission: "Files.Read.All"})
	}
	results, err := s.g.Batch(ctx, parts)
	if err != nil {
		yield(engine.Found{}, fmt.Errorf("look up personal sites: %w", err))
		return false
	}
	for i, r := range results {
		u := users[i]
		f := engine.Found{Container: holdfast.Container{Organization: s.org, Kind: holdfast.Site, Source: holdfast.PersonalSource + u.ID, Owner: u.ID, Name: u.DisplayName, Address: u.Name}}
		if u.Site.Source != "" { // a site that can't be looked up now is the one that is stored, and not another that never was
			f.Container.Source, f.Container.Address = u.Site.Source, u.Site.Address
		}
		d, err := graph.Object[graph.Drive](r)
		if err == nil {
			err = s.place(&f.Container, d)
		}
		switch kind := m365.KindOf(err); {
		case err == nil:
		case !u.Gone.IsZero():
			f.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New(holdfast.SayUserGone.With())}
		case kind == m365.NotFound, kind == m365.Unlicensed:
			if !chosen {
				continue
			}
			f.Err = &holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: errors.New(holdfast.SayNoOneDrive.With())}
		case kind == m365.Denied, kind == m365.Locked:
			f.Err = m365.Skip(err)
		default:
			yield(engine.Found{}, fmt.Errorf("look up the personal site of %s: %w", u.Name, err))
			return false
		}
		if !yield(f, nil) {
			return false
		}
	}
	return true
}

// place puts a container where a user's drive says that its site is.
func (s *source) place(c *holdfast.Container, d *graph.Drive) error {
	ids := d.SharePoint
	if ids == nil || ids.SiteID == "" || ids.WebID == "" || ids.SiteURL == "" {
		return errors.New("the service does not tell which site the OneDrive is in")
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(ids.SiteURL, "https://"), "/")
	c.Source, c.Address = host+","+ids.SiteID+","+ids.WebID, ids.SiteURL
	if d.Owner != nil && d.Owner.User != nil && d.Owner.User.DisplayName != "" {
		c.Name = d.Owner.User.DisplayName
	}
	return nil
}

// ownerOf is the user whose personal site it is; the site itself when the service does not tell.
func (s *source) ownerOf(ctx context.Context, x *graph.Site) (string, error) {
	d, err := s.g.SiteDrive(ctx, x.ID, graph.List{Select: []string{"id", "owner"}})
	var skip *holdfast.Skip
	switch {
	case err != nil && errors.As(drive.PlaceError(err), &skip):
		return x.ID, nil // the backup of the site says why
	case err != nil:
		return "", err
	case d.Owner == nil || d.Owner.User == nil || d.Owner.User.ID == "":
		return x.ID, nil
	}
	return d.Owner.User.ID, nil
}

// oneDriveList is the id of the list that is the OneDrive of the site's user; empty when it is not a personal site.
func (r *reader) oneDriveList(ctx context.Context) (string, error) {
	if !r.c.Personal() {
		return "", nil
	}
	d, err := r.g.SiteDrive(ctx, r.c.Source, graph.List{Select: []string{"id", "sharePointIds"}})
	switch {
	case m365.KindOf(err) == m365.NotFound:
		return "", nil // a site without libraries; that the site itself is there was asked before
	case err != nil:
		return "", drive.PlaceError(err)
	case d.SharePoint == nil || d.SharePoint.ListID == "":
		return "", fmt.Errorf("the service does not tell which library of %s is its user's OneDrive", r.c.Address)
	}
	return strings.ToLower(d.SharePoint.ListID), nil
}

// leaveOut notes which list is the OneDrive. What an earlier backup read of it goes: from now on the container of the OneDrive has it.
func (r *reader) leaveOut(ctx context.Context, list string) error {
	if list == r.oneDrive {
		return nil
	}
	r.oneDrive = list
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return err
		}
		if list == "" || item.Fields[fieldList] != list {
			continue
		}
		if err := r.remove(ctx, item.ID); err != nil {
			return err
		}
		if err := r.forgetCursors(ctx, list); err != nil {
			return err
		}
	}
	return r.sink.Cursor(ctx, cursorOneDrive, list)
}

// without gives the changes that are not of the OneDrive: the site's log has those too.
func without(changes []sharepoint.Change, list string) (out []sharepoint.Change) {
	for _, ch := range changes {
		if list == "" || ch.List != list {
			out = append(out, ch)
		}
	}
	return out
}
