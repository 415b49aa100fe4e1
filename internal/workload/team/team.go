// Package team reads and writes teams of Microsoft Teams: a Source and a Target for the engine.
//
// A team is one container. Its channels are folders in it, tabs and posts are items of a channel, replies items of their post. What is stored: of the
// team its JSON, members, apps and picture; of a channel its JSON and, where it has its own, its members; of a tab and a post the JSON as served, and
// of a post the pictures in it. The libraries that hold the files of the channels are read as the drives that they are: that of the team's site
// lies in the team, that of a private or shared channel in the channel. docs/fidelity.md says what a restore gives back of it.
package team

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

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

func (workload) Kind() holdfast.ContainerKind { return holdfast.Team }

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

// Ids of what a team's container holds; they are parts of addresses. A library's folder has the id that its drive's root has.
const rootID = "team"

func channelFolder(channel string) string { return "channel." + channel }

func tabID(channel, tab string) string { return "tab." + channel + "." + tab }

// postID is the id of a post, or of a reply when root is not empty: ids of messages are unique in a channel only.
func postID(channel, root, id string) string {
	if root != "" {
		return "post." + channel + "." + root + "." + id
	}
	return "post." + channel + "." + id
}

// Values of holdfast.FieldSpecial.
const (
	specialTeam    = "team"
	specialChannel = "channel"
	specialLibrary = "library"
)

// Fields of an item that only this workload uses.
const (
	fieldChannel  = "channel"    // of a channel's folder, a tab and a post: the channel's id
	fieldType     = "membership" // of a channel: standard, private, shared
	fieldMessage  = "message"    // of a post: its id in the channel
	fieldDrive    = "drive"      // of a library's folder and of a channel: the drive that the files are in
	fieldFolder   = "files"      // of a channel: the item in that drive which is its folder
	fieldFilesURL = "filesURL"   // of a channel: that folder's address
	fieldApp      = "app"        // of a tab: its app
	fieldURL      = "url"        // of a tab: what it shows
	fieldEdited   = "edited"     // of a post: when its words last changed, RFC 3339
	fieldOwner    = "owner"      // of the team and of a private or shared channel: the first owner
	fieldDeleted  = "deleted"    // of a post: when its author deleted it, RFC 3339; what it said is in older versions
)

// Forms of payloads that only this workload uses.
const (
	formMembers = holdfast.FormMembers
	formApps    = holdfast.Form("apps") // of the team: an array of installations, as served
)

// hostedForm is the form of a picture in a post.
func hostedForm(id string) holdfast.Form { return holdfast.FormHosted + holdfast.Form(id) }

var groupFields = []string{"id", "displayName", "mail", "resourceProvisioningOptions"}

// Discover gives the teams with the given ids, or all of the organization.
func (s *source) Discover(ctx context.Context, ids []string) iter.Seq2[engine.Found, error] {
	return func(yield func(engine.Found, error) bool) {
		if !s.g.M365().Cloud().Has(m365.Teams) {
			if ids == nil {
				return
			}
			for _, id := range ids {
				none := &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New(holdfast.SayNoTeams.With())}
				if !yield(engine.Found{Container: s.container(&graph.Group{ID: id, DisplayName: id}), Err: none}, nil) {
					return
				}
			}
			return
		}
		if ids == nil {
			l := graph.List{Select: groupFields, Top: 999}
			first, err := s.g.TeamGroups(ctx, l)
			for x, err := range graph.All(ctx, s.g, first, err, l) {
				if m365.KindOf(err) == m365.Denied { // the rest of the organization is protected all the same
					yield(engine.Found{Container: holdfast.AllOf(s.org, holdfast.Team),
						Err: &holdfast.Skip{Reason: holdfast.SkipDenied, Err: err}}, nil)
					return
				}
				if err != nil {
					yield(engine.Found{}, fmt.Errorf("list teams: %w", err))
					return
				}
				if !yield(engine.Found{Container: s.container(x)}, nil) {
					return
				}
			}
			return
		}
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			x, err := s.g.Group(ctx, id)
			found := engine.Found{Container: s.container(&graph.Group{ID: id, DisplayName: id})}
			switch m365.KindOf(err) {
			case m365.NotFound, m365.Invalid:
				found.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: err}
			case m365.Denied:
				found.Err = &holdfast.Skip{Reason: holdfast.SkipDenied, Err: err}
			default:
				if err != nil {
					yield(engine.Found{}, fmt.Errorf("look up team %s: %w", id, err))
					return
				}
				found.Container = s.container(x)
			}
			if !yield(found, nil) {
				return
			}
		}
	}
}

func (s *source) container(x *graph.Group) holdfast.Container {
	address := x.Mail
	if address == "" {
		address = x.DisplayName
	}
	return holdfast.Container{Organization: s.org, Kind: holdfast.Team, Source: x.ID, Owner: x.ID, Name: x.DisplayName, Address: address}
}

// placeError says what an error of a call for a whole team means.
func placeError(err error) error { return drive.PlaceError(err) }

// fingerprint is a version key of what has none of its own.
func fingerprint(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	breaks = regexp.MustCompile(`(?i)<(br|/p|/div|/li|/tr|/h[1-6])[^>]*>`)
)

// words is what HTML says.
func words(text string) string {
	text = tags.ReplaceAllString(breaks.ReplaceAllString(text, " "), "")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

// title is a post's name in lists: its subject, else how it begins.
func title(m *graph.ChatMessage) string {
	text := m.Subject
	if text == "" {
		text = m.Body.Content
		if m.Body.ContentType == "html" {
			text = words(text)
		}
	}
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		switch {
		case !m.Deleted.IsZero():
			return "(deleted)"
		case isEvent(m):
			return "(event)"
		}
		return "(no text)"
	}
	if r := []rune(text); len(r) > 120 {
		text = string(r[:119]) + "…"
	}
	return text
}

// isEvent says whether the service, not a person, told a post.
func isEvent(m *graph.ChatMessage) bool {
	return len(m.Event) > 0 && string(m.Event) != "null" || m.Type != "message" && m.Type != ""
}

// author is who wrote a post.
func author(m *graph.ChatMessage) (id, name string) {
	switch {
	case m.From == nil:
	case m.From.User != nil:
		return m.From.User.ID, m.From.User.DisplayName
	case m.From.Application != nil:
		return "", m.From.Application.DisplayName
	}
	return "", ""
}

var hostedAddress = regexp.MustCompile(`/hostedContents/([^/"']+)/\$value`)

// hostedIn gives the ids of the pictures in a post.
func hostedIn(m *graph.ChatMessage) []string {
	var ids []string
	for _, found := range hostedAddress.FindAllStringSubmatch(m.Body.Content, -1) {
		if !slices.Contains(ids, found[1]) {
			ids = append(ids, found[1])
		}
	}
	return ids
}
