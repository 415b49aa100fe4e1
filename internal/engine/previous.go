package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// Names of the engine's own cursors; sources see none of them.
const (
	ownPrefix   = "engine/"
	missPrefix  = ownPrefix + "miss/"   // + item id: what could not be read
	resumedMark = ownPrefix + "resumed" // comes or goes when a backup that was resumed changed nothing else
)

// previous is a view as a source sees it.
type previous struct {
	view *vault.View
	anew bool
}

func (p previous) Empty() bool { return p.view.Empty() }

func (p previous) Anew() bool { return p.anew }

func (p previous) Cursor(ctx context.Context, name string) (string, bool, error) {
	if strings.HasPrefix(name, ownPrefix) {
		return "", false, nil
	}
	return p.view.Cursor(ctx, name)
}

func (p previous) Cursors(ctx context.Context) iter.Seq2[Cursor, error] {
	return func(yield func(Cursor, error) bool) {
		for c, err := range p.view.Cursors(ctx) {
			if err == nil && strings.HasPrefix(c.Name, ownPrefix) {
				continue
			}
			if !yield(Cursor(c), err) || err != nil {
				return
			}
		}
	}
}

func (p previous) Item(ctx context.Context, id string) (holdfast.Item, bool, error) {
	return p.view.Item(ctx, id)
}

func (p previous) Children(ctx context.Context, parent string) iter.Seq2[holdfast.Item, error] {
	return p.view.Children(ctx, parent)
}

func (p previous) All(ctx context.Context) iter.Seq2[holdfast.Item, error] { return p.view.All(ctx) }

func (p previous) Missed(ctx context.Context) iter.Seq2[Missed, error] {
	return func(yield func(Missed, error) bool) {
		for c, err := range p.view.Cursors(ctx) {
			if err != nil {
				yield(Missed{}, err)
				return
			}
			if !strings.HasPrefix(c.Name, missPrefix) {
				continue
			}
			m, err := decodeMiss(c.Name, c.Value)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// miss is the value of such a cursor. The name has the id.
type miss struct {
	Parent  string              `json:"parent,omitempty"`
	Kind    holdfast.ItemKind   `json:"kind,omitempty"`
	Version string              `json:"version,omitempty"`
	Name    string              `json:"name,omitempty"`
	Reason  holdfast.SkipReason `json:"reason"`
	Detail  string              `json:"detail,omitempty"`
}

func encodeMiss(m Missed) (name, value string, err error) {
	data, err := json.Marshal(miss{Parent: m.Item.Parent, Kind: m.Item.Kind, Version: m.Item.Version, Name: m.Item.Name, Reason: m.Reason, Detail: m.Detail})
	return missPrefix + m.Item.ID, string(data), err
}

func decodeMiss(name, value string) (Missed, error) {
	var m miss
	if err := json.Unmarshal([]byte(value), &m); err != nil {
		return Missed{}, fmt.Errorf("cursor %s: %w", name, err)
	}
	item := holdfast.Item{ID: strings.TrimPrefix(name, missPrefix), Parent: m.Parent, Kind: m.Kind, Version: m.Version, Name: m.Name}
	return Missed{Item: item, Reason: m.Reason, Detail: m.Detail}, nil
}
