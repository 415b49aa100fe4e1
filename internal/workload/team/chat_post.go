package team

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Put imports a message with its author and time, unless it is there. Two messages of a chat never have the same millisecond, which is also their id:
// what an earlier attempt left is found by it. What Microsoft does not take is named with what to do.
func (r *chatRestore) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	ctx = m365.ForRestore(ctx)
	if p.Item.Kind != holdfast.KindPost {
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("a %s is no part of a chat", p.Item.Kind)}
	}
	out, err := r.message(ctx, p)
	return out, itemError(ctx, err)
}

func (r *chatRestore) message(ctx context.Context, p engine.Put) (engine.Restored, error) {
	var m graph.ChatMessage
	if err := read(ctx, p, holdfast.FormJSON, &m); err != nil {
		return engine.Restored{}, err
	}
	switch {
	case isEvent(&m):
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipNothing, Err: errors.New("an event that Teams itself told; nobody can post one")}
	case !m.Deleted.IsZero():
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipNothing, Err: errors.New("deleted before this backup, it says nothing; an older restore point may have what it said")}
	}
	text, lost := told(&m, true)
	want := m
	want.Body.Content = text
	r.making.Lock()
	missing := r.id == "" || r.isNew // nothing is there
	r.making.Unlock()
	if !missing {
		out, done, err := r.present(ctx, p, &m, &want)
		if err != nil || done {
			return out, err
		}
	}
	if err := r.author(ctx, &m); err != nil {
		return engine.Restored{}, err
	}
	if r.plan.DryRun {
		return engine.Restored{Outcome: engine.Created, NewID: engine.Planned + p.Item.ID, Cost: r.cost(p)}, nil
	}
	body, lost, err := imported(ctx, p, &m, text, lost, func(address string) string { return address })
	if err != nil {
		return engine.Restored{}, err
	}
	made, existing, err := r.post(ctx, &m, &want, body)
	if err != nil {
		var e *m365.Error
		if errors.As(err, &e) && (e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusBadRequest) {
			return engine.Restored{}, unposted(graph.ErrorText(err))
		}
		return engine.Restored{}, err
	}
	out := engine.Restored{Outcome: engine.Created, NewID: made.ID, Lost: lost}
	if existing && !p.Again {
		out.Outcome = engine.Existing
	}
	if at := m.Created.Truncate(time.Millisecond); !made.Created.Equal(at) {
		out.Lost = append(out.Lost, fmt.Sprintf("%d ms of its time", made.Created.Sub(at).Milliseconds()))
	}
	return out, nil
}

// unposted says that a message can't be put back, and what to do.
func unposted(why string) error {
	return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("it can't be posted: %s. To keep what it says, save the chat as a page of HTML", why)}
}

// cost is what putting a message back takes; the first one opens and closes the chat.
func (r *chatRestore) cost(p engine.Put) holdfast.Cost {
	c := holdfast.Cost{Requests: 1, Bytes: p.Item.Size}
	r.making.Lock()
	defer r.making.Unlock()
	if !r.charged {
		r.charged = true
		c.Requests += 2
	}
	return c
}

// author says why a message can't be posted in the name of who wrote it; nil when it can.
func (r *chatRestore) author(ctx context.Context, m *graph.ChatMessage) error {
	id, name := author(m)
	switch {
	case id == "":
		return unposted("it was not written by a user")
	case m.From.User.Type == federated:
		return unposted(fmt.Sprintf("%s, who wrote it, is of another organization", name))
	}
	r.making.Lock()
	defer r.making.Unlock()
	there, known := r.authors[id]
	if !known {
		_, err := r.g.User(ctx, id)
		if err != nil && m365.KindOf(err) != m365.NotFound {
			return err
		}
		there = err == nil
		r.authors[id] = there
	}
	if !there {
		return unposted(fmt.Sprintf("%s, who wrote it, is not in the organization any more", name))
	}
	return nil
}

// present looks for a message where it was. want is how it was imported, if it was.
func (r *chatRestore) present(ctx context.Context, p engine.Put, m, want *graph.ChatMessage) (out engine.Restored, done bool, err error) {
	there, ok, err := r.look(ctx, m.ID)
	switch {
	case err != nil:
		return out, false, err
	case !ok || there.deleted:
		return out, false, nil
	case there.says == fingerprint([]byte(says(m))) || there.says == fingerprint([]byte(says(want))):
		out = engine.Restored{Outcome: engine.Existing, NewID: m.ID}
		if p.Again { // an earlier attempt posted it, and did not get to say so
			out.Outcome = engine.Created
		}
		return out, true, nil
	case r.plan.Mode == engine.SkipExisting:
		return out, true, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("it is there and says something else now")}
	}
	return out, false, nil // nobody can change another's message: it comes beside it
}

// oneByOne is how many messages are asked for before all of the chat are listed: a chat takes one request a second, and a page has fifty.
const oneByOne = 5

// look gives what is known of a message there.
func (r *chatRestore) look(ctx context.Context, id string) (message, bool, error) {
	r.looking.Lock()
	defer r.looking.Unlock()
	if r.known == nil && r.asked < oneByOne {
		r.asked++
		m, err := r.g.MessageOfChat(ctx, r.id, id)
		if m365.KindOf(err) == m365.NotFound {
			return message{}, false, nil
		}
		if err != nil {
			return message{}, false, err
		}
		return seen(m), true, nil
	}
	if r.known == nil {
		l := graph.List{Top: pageSize, Prefer: unknownMembers}
		known := map[string]message{}
		first, err := r.g.ChatMessages(ctx, r.id, l)
		for m, err := range graph.All(ctx, r.g, first, err, l) {
			if err != nil {
				return message{}, false, err
			}
			known[m.ID] = seen(m)
		}
		r.known = known
	}
	m, ok := r.known[id]
	return m, ok, nil
}

func seen(m *graph.ChatMessage) message {
	return message{fingerprint([]byte(says(m))), !m.Deleted.IsZero()}
}

// post opens the chat and imports a message. Who else imports into the same chat may close it: then it is opened again.
func (r *chatRestore) post(ctx context.Context, m, want *graph.ChatMessage, body map[string]any) (made *graph.ChatMessage, existing bool, err error) {
	for n := 0; ; n++ {
		chat, err := r.start(ctx)
		if err != nil {
			return nil, false, err
		}
		made, existing, err = r.send(ctx, chat, m, want, body)
		if err == nil {
			err = r.posted(ctx)
		}
		if m365.KindOf(err) != m365.Denied || n == 2 {
			return made, existing, err
		}
		if err := r.again(ctx); err != nil {
			return nil, false, err
		}
	}
}

// send posts at the message's time, or at the first free millisecond behind it. The service's answer is the message as it has it, and is compared.
// existing says that it was there.
func (r *chatRestore) send(ctx context.Context, chat string, m, want *graph.ChatMessage, body map[string]any) (made *graph.ChatMessage, existing bool, err error) {
	first := m.Created.UTC().Truncate(time.Millisecond)
	for n := range collisions {
		when := first.Add(time.Duration(n) * time.Millisecond)
		body["createdDateTime"] = when.Format("2006-01-02T15:04:05.000Z")
		id := strconv.FormatInt(when.UnixMilli(), 10)
		there, err := r.g.PostChatMessage(ctx, chat, body)
		taken := m365.KindOf(err) == m365.Conflict
		if taken {
			there, err = r.g.MessageOfChat(ctx, chat, id)
		}
		if err != nil {
			return nil, false, err
		}
		switch same := there.Deleted.IsZero() && says(there) == says(want); {
		case same && there.ID == id:
			return there, taken, nil
		case !taken:
			return nil, false, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: errors.New("what Microsoft made of it is not what was posted")}
		}
	}
	return nil, false, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("the %d milliseconds behind its time are taken by other messages", collisions)}
}
