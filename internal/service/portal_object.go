package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/internal/holdfast"
)

// PortalObject is a user, a site or a team whose data the caller may look into.
type PortalObject struct {
	ProtectedOwner
	Self           bool
	Mailbox, Drive bool // of whom a restore point has one
	Chats          bool // of whom a restore point has chats
	PersonalSite   bool // of whom a restore point has the personal site
	Site           bool // it is a site, and Address is where
	Team           bool // it is a team
	Deleted        bool // the directory has him no more
}

// Portal says what the portal has for a caller: his own objects, and others' by restore roles or because he may see everything.
func (u User) Portal() (self, operator bool) {
	if Allowed(u, ActExplore) != nil {
		return false, false
	}
	scope := ScopeOf(u, ActExplore)
	own := 0
	if u.Directory {
		own = 1 // the first grant
	}
	return u.Directory, scope == nil || len(scope.Grants) > own
}

// PortalObjectsMost bounds a page of Objects, since each user on it is looked up in the directory.
const PortalObjectsMost = 100

// Objects gives the users, sites and teams whose data the caller may look into, himself first, then by name, and how many there are. search is a part of a name or address, or an id.
func (p *Portal) Objects(ctx context.Context, u User, search string, page holdfast.Page) ([]PortalObject, int, error) {
	held, err := readAs(ctx, p.core, u, ActExplore, func(ctx context.Context, tx Tx) ([]holdfast.ContainerRecord, error) {
		return tx.Containers(ctx, holdfast.ContainerFilter{}, holdfast.Page{})
	})
	if err != nil {
		return nil, 0, err
	}
	all := objectsOf(held, self(u), strings.ToLower(strings.TrimSpace(search)))
	total := len(all)
	page.Limit = min(cmp.Or(page.Limit, PortalObjectsMost), PortalObjectsMost)
	all = window(all, page)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range all {
		g.Go(func() error {
			all[i].Deleted = !all[i].Site && !all[i].Team && p.gone(ctx, all[i].Organization, all[i].ObjectID)
			return nil
		})
	}
	return all, total, g.Wait()
}

// self is the key in objectsOf of a user who signed in with Microsoft; "" for others. Account grants begin with the own objects.
func self(u User) string {
	if !u.Directory || len(u.Grants) == 0 || len(u.Grants[0].Owners) == 0 {
		return ""
	}
	return objectKey(u.Grants[0].Organization, u.Grants[0].Owners[0])
}

func objectKey(org holdfast.OrganizationID, owner string) string { return string(org) + "/" + owner }

func objectsOf(held []holdfast.ContainerRecord, me, search string) []PortalObject {
	var all []PortalObject
	at := map[string]int{}
	for _, c := range held {
		site, team := c.Kind == holdfast.Site && !c.Personal(), c.Kind == holdfast.Team
		if c.Head == 0 || c.Nobodys() && !site && !team { // of what is nobody's the portal shows sites and teams
			continue
		}
		key, id := objectKey(c.Organization, c.Owner), c.OwnerID()
		if site || team {
			key, id = objectKey(c.Organization, c.PublicID()), c.PublicID()
		}
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, PortalObject{ProtectedOwner: ProtectedOwner{ID: id, ObjectID: c.Owner, Organization: c.Organization, Name: c.Name, Address: c.Address}, Self: key == me, Site: site, Team: team})
		}
		if !c.Personal() && all[i].PersonalSite && !all[i].Mailbox && !all[i].Drive { // so far he was called as his site is
			all[i].Name, all[i].Address = c.Name, c.Address
		}
		all[i].PersonalSite = all[i].PersonalSite || c.Personal()
		all[i].Mailbox = all[i].Mailbox || c.Kind == holdfast.Mailbox
		all[i].Drive = all[i].Drive || c.Kind == holdfast.Drive
	}
	for _, c := range held { // a chat is of several: it is shown with each of them whom the caller sees anyway
		if c.Kind != holdfast.Chat || c.Head == 0 {
			continue
		}
		for _, owner := range holdfast.Owners(c.Owner) {
			if i, ok := at[objectKey(c.Organization, owner)]; ok {
				all[i].Chats = true
			}
		}
	}
	all = slices.DeleteFunc(all, func(o PortalObject) bool {
		return search != "" && o.ID != search && !strings.Contains(strings.ToLower(o.Name), search) && !strings.Contains(strings.ToLower(o.Address), search)
	})
	slices.SortFunc(all, func(a, b PortalObject) int {
		if a.Self != b.Self {
			if a.Self {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return all
}

// knownUsers remembers for a while who is in a directory. The zero value works.
type knownUsers struct {
	mu  sync.Mutex // guards all
	all map[string]knownUser
}

type knownUser struct {
	gone bool
	read time.Time
}

const (
	knownLife = 5 * time.Minute
	knownMost = 10000
)

// gone asks the directory, at most each five minutes. What it can't tell is taken for there: the objects can be restored either way.
func (p *Portal) gone(ctx context.Context, org holdfast.OrganizationID, id string) bool {
	key := objectKey(org, id)
	p.known.mu.Lock()
	have, ok := p.known.all[key]
	p.known.mu.Unlock()
	if ok && p.now().Sub(have.read) < knownLife {
		return have.gone
	}
	o, cred, err := p.withCredential(ctx, org)
	if err == nil {
		_, err = p.Directory.User(ctx, o, cred, id)
	}
	if err != nil && !missing(err) {
		if ctx.Err() == nil {
			p.Log.WarnContext(ctx, "whether a user still exists could not be read", "organization", org, "error", err)
		}
		return false
	}
	p.known.mu.Lock()
	defer p.known.mu.Unlock()
	if p.known.all == nil || len(p.known.all) >= knownMost {
		p.known.all = map[string]knownUser{}
	}
	p.known.all[key] = knownUser{gone: err != nil, read: p.now()}
	return err != nil
}

// RestoreOutcome is a restore that the caller asked for.
type RestoreOutcome struct {
	holdfast.RestoreEvent // of the whole request
	// How many items were restored, were there already, were left alone, could not be restored.
	Restored, Existing, Skipped, Failed int
	Explorer                            holdfast.ExplorerType
}

// outcome counts what a restore, whose event e is, did so far.
func outcome(ctx context.Context, tx Tx, e holdfast.RestoreEvent, of holdfast.ExplorerType) (RestoreOutcome, error) {
	counts, err := tx.RestoreEventCounts(ctx, e.Session, e.Request)
	return RestoreOutcome{RestoreEvent: e, Restored: counts["Success"] + counts["Warning"], Existing: counts["Existing"], Skipped: counts["Skipped"], Failed: counts["Failed"], Explorer: of}, err
}

// Restores gives the caller's own restores, those of the newest session first.
func (p *Portal) Restores(ctx context.Context, u User, page holdfast.Page) ([]RestoreOutcome, error) {
	return readAs(ctx, p.core, u, ActSeeRestored, func(ctx context.Context, tx Tx) ([]RestoreOutcome, error) {
		requests, err := tx.RestoreRequests(ctx, u.ID, page)
		if err != nil {
			return nil, err
		}
		out := make([]RestoreOutcome, 0, len(requests))
		for _, e := range requests {
			s, err := tx.RestoreSession(ctx, e.Session)
			if missing(err) { // an API key may see less than the account that it belongs to
				continue
			} else if err != nil {
				return nil, err
			}
			one, err := outcome(ctx, tx, e, s.Type)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		return out, nil
	})
}
