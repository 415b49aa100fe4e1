// Package drive reads and writes OneDrive: a Source and a Target for the engine.
//
// What is stored of a file: its bytes, its JSON exactly as served but for the download address, and the sharing permissions of its
// own as served. Older versions are items of their own under the file. The tree is known by id and parent id; paths are derived.
// docs/fidelity.md says what a restore gives back of it.
package drive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Dial makes the client for one organization; clients of one application share a budget.
type Dial func(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (*graph.Client, error)

// New is the workload.
func New(dial Dial) engine.Workload { return workload{dial} }

type workload struct{ dial Dial }

func (workload) Kind() holdfast.ContainerKind { return holdfast.Drive }

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
	return &target{g: g}, nil
}

// Fields of an item that only this workload uses.
const (
	fieldCTag  = "ctag"  // changes with the content only
	fieldType  = "type"  // media type
	fieldShape = "shape" // the type of a package, such as oneNote
)

type source struct {
	g       *graph.Client
	org     holdfast.OrganizationID
	columns func(ctx context.Context, row *graph.DriveItem, whole bool) (holdfast.Payload, error) // see Part
}

// Meter counts the calls of one container.
func (s *source) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(ctx)
}

// batchUsers is how many users are asked for their drive in one batch.
const batchUsers = 20

// Discover gives the drives of the organization's members. A user who never opened OneDrive has none: of all users such a one is
// passed over, of chosen ones he is named.
func (s *source) Discover(ctx context.Context, users []string) iter.Seq2[engine.Found, error] {
	return func(yield func(engine.Found, error) bool) {
		known := engine.KnownUsers(ctx)
		if users == nil && known != nil {
			s.all(ctx, known, yield)
			return
		}
		if users != nil {
			byID := make(map[string]*holdfast.DirectoryObject, len(known))
			for i := range known {
				byID[known[i].ID] = &known[i]
			}
			var asked []holdfast.DirectoryObject
			for from := 0; from < len(users); from += batchUsers {
				chosen := users[from:min(from+batchUsers, len(users))]
				group, err := s.users(ctx, chosen, byID)
				if err != nil {
					yield(engine.Found{}, err)
					return
				}
				asked = append(asked, group...)
			}
			s.ask(ctx, asked, true, yield)
			return
		}
		l := graph.List{Select: userFields, Top: 999}
		page, err := s.g.Users(ctx, l)
		for {
			if err != nil {
				yield(engine.Found{}, fmt.Errorf("list users: %w", err))
				return
			}
			var all []holdfast.DirectoryObject
			for _, u := range page.Value {
				all = append(all, holdfast.DirectoryObject{ID: u.ID, DisplayName: u.DisplayName, Name: u.UserPrincipalName, Guest: strings.EqualFold(u.UserType, "Guest")})
			}
			if !s.all(ctx, all, yield) || page.NextLink == "" {
				return
			}
			page, err = graph.Follow[graph.User](ctx, s.g, page.NextLink, l)
		}
	}
}

// all gives the drives of those who are there and no guests.
func (s *source) all(ctx context.Context, users []holdfast.DirectoryObject, yield func(engine.Found, error) bool) bool {
	return s.ask(ctx, slices.DeleteFunc(slices.Clone(users), func(u holdfast.DirectoryObject) bool { return u.Guest || !u.Gone.IsZero() }), false, yield)
}

// users are chosen users, looked up unless they are known. Those who are not there come as gone.
func (s *source) users(ctx context.Context, ids []string, known map[string]*holdfast.DirectoryObject) ([]holdfast.DirectoryObject, error) {
	out := make([]holdfast.DirectoryObject, len(ids))
	var parts []graph.Part
	var at []int
	for i, id := range ids {
		if u := known[id]; u != nil {
			out[i] = *u
			continue
		}
		at = append(at, i)
		parts = append(parts, graph.Part{Path: []string{"users", id}, List: graph.List{Select: userFields}, Permission: "User.Read.All"})
	}
	if len(parts) == 0 {
		return out, nil
	}
	results, err := s.g.Batch(ctx, parts)
	if err != nil {
		return nil, fmt.Errorf("look up users: %w", err)
	}
	for n, r := range results {
		id := ids[at[n]]
		u, err := graph.Object[graph.User](r)
		switch {
		case m365.KindOf(err) == m365.NotFound:
			out[at[n]] = holdfast.DirectoryObject{ID: id, Name: id, Gone: notThere}
		case err != nil:
			return nil, fmt.Errorf("look up user %s: %w", id, err)
		default:
			out[at[n]] = holdfast.DirectoryObject{ID: u.ID, DisplayName: u.DisplayName, Name: u.UserPrincipalName}
		}
	}
	return out, nil
}

// notThere marks a user who was looked up and not found.
var notThere = time.Unix(1, 0)

// ask gives the drives of users: known ones as they are, the others in batches.
func (s *source) ask(ctx context.Context, users []holdfast.DirectoryObject, chosen bool, yield func(engine.Found, error) bool) bool {
	var batch []holdfast.DirectoryObject
	for _, u := range users {
		if u.Drive != "" && u.Gone.IsZero() {
			f := s.found(u)
			f.Container.Source = u.Drive
			if !yield(f, nil) {
				return false
			}
			continue
		}
		if batch = append(batch, u); len(batch) == batchUsers {
			if !s.drives(ctx, batch, chosen, yield) {
				return false
			}
			batch = batch[:0]
		}
	}
	return len(batch) == 0 || s.drives(ctx, batch, chosen, yield)
}

func (s *source) found(u holdfast.DirectoryObject) engine.Found {
	return engine.Found{Container: holdfast.Container{Organization: s.org, Kind: holdfast.Drive, Owner: u.ID, Name: u.DisplayName, Address: u.Name}}
}

var userFields = []string{"id", "displayName", "userPrincipalName", "userType"}

// drives asks for the drives of some users. chosen says that each must be answered for.
func (s *source) drives(ctx context.Context, users []holdfast.DirectoryObject, chosen bool, yield func(engine.Found, error) bool) bool {
	parts := make([]graph.Part, 0, len(users))
	for _, u := range users {
		parts = append(parts, graph.Part{Path: []string{"users", u.ID, "drive"}, List: graph.List{Select: []string{"id", "driveType"}}, Permission: "Files.Read.All"})
	}
	results, err := s.g.Batch(ctx, parts)
	if err != nil {
		yield(engine.Found{}, fmt.Errorf("look up drives: %w", err))
		return false
	}
	for i, r := range results {
		u := users[i]
		f := s.found(u)
		d, err := graph.Object[graph.Drive](r)
		switch kind := m365.KindOf(err); {
		case err == nil:
			f.Container.Source = d.ID
		case !u.Gone.IsZero():
			f.Container.Source = u.ID
			f.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New(holdfast.SayUserGone.With())}
		case kind == m365.NotFound, kind == m365.Unlicensed:
			if !chosen {
				continue
			}
			f.Container.Source = u.ID
			f.Err = &holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: errors.New(holdfast.SayNoOneDrive.With())}
		case kind == m365.Denied, kind == m365.Locked:
			f.Container.Source = u.ID
			f.Err = m365.Skip(err)
		default:
			yield(engine.Found{}, fmt.Errorf("look up the drive of %s: %w", u.Name, err))
			return false
		}
		if !yield(f, nil) {
			return false
		}
	}
	return true
}

// driveError says what an error of a call for a whole drive means.
func driveError(err error) error {
	switch m365.KindOf(err) {
	case m365.NotFound:
		return &holdfast.Skip{Reason: holdfast.SkipGone, Err: err}
	case m365.Unlicensed:
		return &holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: err}
	case m365.Denied:
		return &holdfast.Skip{Reason: holdfast.SkipDenied, Err: err}
	case m365.Locked:
		return &holdfast.Skip{Reason: holdfast.SkipLocked, Err: err}
	}
	return err
}
