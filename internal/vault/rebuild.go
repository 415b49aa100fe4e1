package vault

import (
	"context"
	"fmt"
	"strings"

	"holdfast/internal/holdfast"
)

// Catalogue is what a repository knows without a database.
type Catalogue struct {
	Published  map[string]*Head // by container key; of several the newest epoch wins, see Head.Newer
	Checkpoint map[string]*Head // only those newer than the published head
	Points     []*Point         // oldest first
	Heads      map[string]*Head // by object: those that the restore points name, as far as they can be read
	Entry      string           // id of the newest journal entry
	Damage     []Damage         // records and heads that can't be read, with the restore points that they hurt
}

// Rebuild reads the journal, the restore points and their heads. What is damaged is named in the catalogue and does not stop it: a head that only
// a damaged journal entry named is then taken from the restore points, and one whose object is damaged from the journal, which has it too.
func (r *Repository) Rebuild(ctx context.Context) (*Catalogue, error) {
	c := &Catalogue{Published: map[string]*Head{}, Checkpoint: map[string]*Head{}}
	names, err := r.store.records(ctx, journalPrefix)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		id := strings.TrimPrefix(name, journalPrefix)
		e, err := r.entry(ctx, id)
		if holdfast.KindOf(err) == holdfast.KindDamaged {
			c.Damage = append(c.Damage, Damage{Blob: name, What: err.Error()})
			continue
		} else if err != nil {
			return nil, err
		}
		c.take(e)
		c.Entry = id
	}
	points, damage, err := r.points(ctx)
	if err != nil {
		return nil, err
	}
	c.Points, c.Damage = points, append(c.Damage, damage...)
	broken := len(c.Damage) > 0
	if err := r.headsOfPoints(ctx, c); err != nil {
		return nil, err
	}
	if broken {
		for _, h := range c.Heads { // for want of a whole journal
			if key := h.Container.Key(); h.Newer(c.Published[key]) {
				c.Published[key] = h
			}
		}
	}
	c.settle()
	return c, nil
}

func (c *Catalogue) take(e *Entry) {
	into := c.Published
	if e.Kind == Checkpoint {
		into = c.Checkpoint
	}
	for i := range e.Heads {
		h := &e.Heads[i]
		if key := h.Container.Key(); h.Newer(into[key]) {
			into[key] = h
		}
	}
}

// settle drops the checkpoints that a published head has overtaken.
func (c *Catalogue) settle() {
	for key, h := range c.Checkpoint {
		if p := c.Published[key]; p != nil && !h.Newer(p) {
			delete(c.Checkpoint, key)
		}
	}
}

// headsOfPoints reads the heads that the restore points name: from their objects, else from the journal.
func (r *Repository) headsOfPoints(ctx context.Context, c *Catalogue) error {
	c.Heads = map[string]*Head{}
	type lost struct {
		container string
		why       error
		points    []holdfast.RestorePointID
	}
	unread := map[string]*lost{}
	for _, p := range c.Points {
		for key, object := range p.Heads {
			if c.Heads[object] != nil {
				continue
			}
			if l := unread[object]; l != nil {
				l.points = append(l.points, p.ID)
				continue
			}
			h, err := r.readHead(ctx, object)
			if hurtBy(err) {
				unread[object] = &lost{container: key, why: err, points: []holdfast.RestorePointID{p.ID}}
				continue
			} else if err != nil {
				return err
			}
			c.Heads[object] = h
		}
	}
	if len(unread) == 0 {
		return nil
	}
	names, err := r.store.records(ctx, journalPrefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		e, err := r.entry(ctx, strings.TrimPrefix(name, journalPrefix))
		if hurtBy(err) {
			continue // named already
		} else if err != nil {
			return err
		}
		for i := range e.Heads {
			if h := &e.Heads[i]; unread[h.Object] != nil {
				c.Heads[h.Object] = h
			}
		}
	}
	for _, object := range sortedKeys(unread) {
		l := unread[object]
		d := Damage{What: fmt.Sprintf("head object %s of %s: %v", object, l.container, l.why)}
		if c.Heads[object] != nil {
			d.What += "; the journal has the head too, so it hurts nothing"
		} else {
			d.Items, d.Hurt, d.Points = []HurtItem{{Container: l.container, Name: "everything in it"}}, 1, l.points
		}
		c.Damage = append(c.Damage, d)
	}
	return nil
}
