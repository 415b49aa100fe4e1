package site

import (
	"context"
	"errors"
	"iter"
	"maps"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/workload/drive"
)

// files reads a library as the drive that it is.
func (r *reader) files(ctx context.Context, l *known) error {
	prefix := cursorLibrary + l.id + "/"
	shown := &libraryPrevious{Previous: r.prev, prefix: prefix, root: l.folder}
	into := &librarySink{Sink: r.sink, r: r, l: l, prefix: prefix}
	err := drive.ReadLibrary(ctx, r.g, drive.Library(r.c.Organization, l.drive, l.name), shown, into)
	var skip *holdfast.Skip
	if errors.As(err, &skip) && ctx.Err() == nil {
		return r.skipList(ctx, l, skip)
	}
	if err == nil {
		return r.sink.Savepoint(ctx)
	}
	return r.skipList(ctx, l, err)
}

// libraryPrevious shows what of a site's state is one library, as if it were a drive of its own.
type libraryPrevious struct {
	engine.Previous
	prefix string
	root   string // id of its folder; empty when nothing of it was read
}

// Empty says that nothing of the library was read.
func (p *libraryPrevious) Empty() bool { return p.Previous.Empty() || p.root == "" }

func (p *libraryPrevious) Cursor(ctx context.Context, name string) (string, bool, error) {
	return p.Previous.Cursor(ctx, p.prefix+name)
}

func (p *libraryPrevious) Cursors(ctx context.Context) iter.Seq2[engine.Cursor, error] {
	return func(yield func(engine.Cursor, error) bool) {
		for c, err := range p.Previous.Cursors(ctx) {
			if err == nil {
				name, ok := strings.CutPrefix(c.Name, p.prefix)
				if !ok {
					continue
				}
				c.Name = name
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// asRoot is a library's folder as the drive knows it.
func asRoot(item holdfast.Item) holdfast.Item {
	item.Parent, item.Version, item.Name = "", item.Fields[fieldRootVersion], item.Fields[fieldRootName]
	item.Fields = maps.Clone(item.Fields)
	item.Fields[holdfast.FieldSpecial] = specialRoot
	return item
}

func (p *libraryPrevious) Item(ctx context.Context, id string) (holdfast.Item, bool, error) {
	item, ok, err := p.Previous.Item(ctx, id)
	if ok && id == p.root {
		item = asRoot(item)
	}
	return item, ok, err
}

// All gives the library's folder and all below it.
func (p *libraryPrevious) All(ctx context.Context) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) {
		if p.root == "" {
			return
		}
		top, ok, err := p.Item(ctx, p.root)
		if err != nil || ok && !yield(top, nil) {
			if err != nil {
				yield(top, err)
			}
			return
		}
		open := []string{p.root}
		for len(open) > 0 {
			at := open[len(open)-1]
			open = open[:len(open)-1]
			for child, err := range p.Previous.Children(ctx, at) {
				if !yield(child, err) || err != nil {
					return
				}
				if child.Kind != holdfast.KindVersion {
					open = append(open, child.ID)
				}
			}
		}
	}
}

// Missed gives what of the library earlier sessions could not read.
func (p *libraryPrevious) Missed(ctx context.Context) iter.Seq2[engine.Missed, error] {
	return func(yield func(engine.Missed, error) bool) {
		for m, err := range engine.MissedItems(ctx, p.Previous) {
			if err == nil {
				inside, ierr := p.inside(ctx, m.Item)
				if err = ierr; err == nil && !inside {
					continue
				}
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// inside says whether an item lies in the library.
func (p *libraryPrevious) inside(ctx context.Context, item holdfast.Item) (bool, error) {
	for range 1000 { // folders deep
		if item.ID == p.root || item.Parent == p.root {
			return p.root != "", nil
		}
		above, ok, err := p.Previous.Item(ctx, item.Parent)
		if err != nil || !ok {
			return false, err
		}
		item = above
	}
	return false, nil
}

// librarySink takes what a library's drive has into the site. The drive's root is the library's folder.
type librarySink struct {
	engine.Sink
	r      *reader
	l      *known
	prefix string
}

func (s *librarySink) Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	if item.Fields[holdfast.FieldSpecial] != specialRoot {
		return s.Sink.Put(ctx, item, payloads...)
	}
	folder := s.l.item
	folder.Fields = maps.Clone(folder.Fields)
	folder.ID, folder.Fields[fieldRootVersion], folder.Fields[fieldRootName] = item.ID, item.Version, item.Name
	s.l.folder = item.ID
	if s.l.payloads == nil { // the list itself was not read: what there is of it stays
		return nil
	}
	return s.Sink.Put(ctx, folder, s.l.payloads()...)
}

func (s *librarySink) Delete(ctx context.Context, id string) error {
	if id == s.l.folder && id != "" {
		return nil // a library goes with its list
	}
	return s.Sink.Delete(ctx, id)
}

func (s *librarySink) Cursor(ctx context.Context, name, value string) error {
	return s.Sink.Cursor(ctx, s.prefix+name, value)
}
