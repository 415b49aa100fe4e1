package team

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// A chat is one container, whichever of its members are protected: its root is the chat's JSON and members, its messages are items in it, as those of
// a channel are. Chats are found by the list of chats of each protected user (chat_list.go), which tells what changed since; so an idle chat costs no
// request, and an idle user one.

// NewChats is the workload of chats.
func NewChats(dial Dial) engine.Workload { return chats{dial} }

type chats struct{ dial Dial }

func (chats) Kind() holdfast.ContainerKind { return holdfast.Chat }

func (w chats) Source(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (engine.Source, error) {
	g, err := w.dial(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	return &chatSource{g: g, tenant: org.TenantID}, nil
}

func (w chats) Target(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (engine.Target, error) {
	g, err := w.dial(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	return &chatTarget{g: g, tenant: org.TenantID}, nil
}

const (
	chatRoot     = holdfast.SpecialChat // id of a chat's root, and what it is as special
	fieldMembers = "members"
	fieldHere    = "here" // of a chat that another organization began: "false"
)

// Kinds of chats, as Graph names them; in fieldType.
const (
	chatOneOnOne = "oneOnOne"
	chatGroup    = "group"
	chatMeeting  = "meeting"
)

// federated is who wrote a message when it was somebody of another organization.
const federated = "federatedUser"

func messageID(id string) string { return "post." + id }

// change is a time of a change as it is compared and stored: later ones are greater.
const change = "2006-01-02T15:04:05.000000Z"

func changed(t time.Time) string { return t.UTC().Format(change) }

type chatSource struct {
	g      *graph.Client
	tenant string // of the organization
}

// Meter counts the calls of one container.
func (s *chatSource) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(ctx)
}

// Discover finds none: chats are found by the lists of those who take part in them.
func (s *chatSource) Discover(context.Context, []string) iter.Seq2[engine.Found, error] {
	return func(func(engine.Found, error) bool) {}
}

// names are the names of members, in order of age in the chat, as far as a list shows them.
func names(members []*graph.ConversationMember) string {
	const most = 200
	var all []string
	for _, m := range members {
		if m.DisplayName != "" {
			all = append(all, m.DisplayName)
		}
	}
	slices.Sort(all)
	text := strings.Join(all, ", ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most-1]) + "…"
	}
	return text
}

// nameOf is what a chat is called: by its topic, else by who is in it.
func nameOf(c *graph.Chat, members string) string {
	name := strings.Join(strings.Fields(c.Topic), " ")
	switch {
	case name != "":
		return name
	case members != "":
		return members
	case c.Type == chatMeeting:
		return "(meeting)"
	}
	return "(no name)"
}
