// Package exchange reads and writes the mail of Exchange Online mailboxes: a Source and a Target for the engine.
//
// What is stored of a mail: its MIME exactly as served (in pieces, see split.go), its JSON exactly as served without the body, and
// the JSON of those attachments that MIME cannot carry. docs/fidelity.md says what a restore gives back of it.
package exchange

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

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

func (workload) Kind() holdfast.ContainerKind { return holdfast.Mailbox }

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

type source struct {
	g   *graph.Client
	org holdfast.OrganizationID
}

var userFields = []string{"id", "displayName", "userPrincipalName", "mail", "userType"}

// Discover gives the mailboxes of the organization's members. Whether a mailbox can be read is seen when it is read: asking
// for each would cost a call a user.
func (s *source) Discover(ctx context.Context, users []string) iter.Seq2[engine.Found, error] {
	return func(yield func(engine.Found, error) bool) {
		if ids, all := engine.Groups(ctx); (all || len(ids) > 0) && !s.discoverGroups(ctx, ids, all, yield) {
			return
		}
		known := engine.KnownUsers(ctx)
		if users == nil && known != nil {
			for i := range known {
				u := accountOf(&known[i])
				if u.Removed != nil || u.Mail == "" || strings.EqualFold(u.UserType, "Guest") {
					continue
				}
				if !yield(engine.Found{Container: s.container(u)}, nil) {
					return
				}
			}
			return
		}
		if users != nil {
			byID := make(map[string]*holdfast.DirectoryObject, len(known))
			for i := range known {
				byID[known[i].ID] = &known[i]
			}
			for _, id := range users {
				u, err := s.user(ctx, byID[id], id)
				f := engine.Found{Container: holdfast.Container{Organization: s.org, Kind: holdfast.Mailbox, Source: id, Owner: id, Address: id}}
				switch {
				case m365.KindOf(err) == m365.NotFound || err == nil && u.Removed != nil:
					f.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New(holdfast.SayUserGone.With())}
				case err != nil:
					yield(engine.Found{}, fmt.Errorf("look up user %s: %w", id, err))
					return
				default:
					f.Container = s.container(u)
					if u.Mail == "" {
						f.Err = &holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: errors.New(holdfast.SayNoMailbox.With())}
					}
				}
				if !yield(f, nil) {
					return
				}
			}
			return
		}
		l := graph.List{Select: userFields, Top: 999}
		first, err := s.g.Users(ctx, l)
		for u, err := range graph.All(ctx, s.g, first, err, l) {
			if err != nil {
				yield(engine.Found{}, fmt.Errorf("list users: %w", err))
				return
			}
			if u.Mail == "" || strings.EqualFold(u.UserType, "Guest") {
				continue
			}
			if !yield(engine.Found{Container: s.container(u)}, nil) {
				return
			}
		}
	}
}

// accountOf is a user as the copy of the directory has him.
func accountOf(o *holdfast.DirectoryObject) *graph.User {
	u := &graph.User{ID: o.ID, DisplayName: o.DisplayName, UserPrincipalName: o.Name, Mail: o.Mail}
	if o.Guest {
		u.UserType = "Guest"
	}
	if !o.Gone.IsZero() {
		u.Removed = &graph.Removed{}
	}
	return u
}

// user is a user as he is known, or looked up.
func (s *source) user(ctx context.Context, known *holdfast.DirectoryObject, id string) (*graph.User, error) {
	if known == nil {
		return s.g.User(ctx, id)
	}
	return accountOf(known), nil
}

func (s *source) container(u *graph.User) holdfast.Container {
	return holdfast.Container{Organization: s.org, Kind: holdfast.Mailbox, Source: u.ID, Owner: u.ID, Name: u.DisplayName, Address: u.UserPrincipalName}
}

// mailboxError says what an error of the first call to a mailbox means for the whole of it.
func mailboxError(err error) error {
	switch m365.KindOf(err) {
	case m365.NotFound:
		return &holdfast.Skip{Reason: holdfast.SkipGone, Err: err}
	case m365.Unlicensed:
		return &holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: err}
	case m365.Denied:
		return &holdfast.Skip{Reason: holdfast.SkipDenied, Err: err}
	}
	return err
}
