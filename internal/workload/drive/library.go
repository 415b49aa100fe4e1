package drive

import (
	"context"
	"iter"
	"maps"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
)

// A document library of a site or a team is a drive like any other, but part of that one's container: their workloads read and restore it by these.

// Library is the container that a library would be by itself. It is never stored.
func Library(org holdfast.OrganizationID, drive, name string) holdfast.Container {
	return holdfast.Container{Organization: org, Kind: holdfast.Drive, Source: drive, Name: name, Address: name}
}

// Groups shares items of a library with groups of SharePoint's own, which Graph can't name in an invitation.
type Groups interface {
	// Share gives an item, by its id in the drive, what grants say; lost names what could not be given.
	Share(ctx context.Context, item string, grants []graph.Permission) (lost []string, err error)
}

// RestoreLibrary opens a restore into a library, which plan.To is.
func RestoreLibrary(ctx context.Context, g *graph.Client, plan engine.RestorePlan, groups Groups) (engine.Restore, error) {
	r, err := (&target{g: g}).Open(ctx, plan)
	if err == nil {
		r.(*restore).groups = groups
	}
	return r, err
}

// MadeFolder tells whether an attempt of the restore into a library made a folder that is there.
func MadeFolder(ctx context.Context, plan engine.RestorePlan, drive string, there *graph.DriveItem) (bool, error) {
	if there.Parent == nil {
		return false, nil
	}
	return plan.Made(ctx, folderIn(drive, there.Parent.ID, there.Name))
}

// PlaceError says what an error of a call for a whole drive or site means.
func PlaceError(err error) error { return driveError(err) }

// Fields of a library's folder: version and name of the drive's root, whose id it has.
const (
	FieldRootVersion = "rootVersion"
	FieldRootName    = "rootName"
)

// Part is a library within a container of another kind. Its folder has the id of the drive's root, so that files find it.
type Part struct {
	Organization holdfast.OrganizationID
	Drive        string // id
	Name         string
	Prefix       string // of its cursors in the container
	Folder       string // id of its folder; empty until the drive's root was read
	// Item is the folder as the container has it, but for id and version of the root. Payloads gives its content anew at each call; nil: what
	// there is of the folder stays.
	Item     holdfast.Item
	Payloads func() []holdfast.Payload
	// Columns gives what a file or folder has in the columns that the library's site made; nil: there are none. whole says that the read looks at all.
	// It is called by several at once.
	Columns func(ctx context.Context, row *graph.DriveItem, whole bool) (holdfast.Payload, error)
}

// ReadPart brings a library up to date; prev and sink are those of the container that it is in.
func ReadPart(ctx context.Context, g *graph.Client, p *Part, prev engine.Previous, sink engine.Sink) error {
	shown := &partPrevious{Previous: prev, prefix: p.Prefix, root: p.Folder}
	return (&source{g: g, org: p.Organization, columns: p.Columns}).Read(ctx, Library(p.Organization, p.Drive, p.Name), shown, &partSink{Sink: sink, p: p})
}

// Quiet tells which libraries have nothing new, by one call for up to twenty of them. One whose token is due to be renewed is not quiet.
func Quiet(ctx context.Context, g *graph.Client, parts []*Part, prev engine.Previous) (map[*Part]bool, error) {
	quiet := map[*Part]bool{}
	var asked []*Part
	var calls []graph.Part
	now := g.M365().Clock().Now()
	for _, p := range parts {
		link, ok, err := prev.Cursor(ctx, p.Prefix+cursorDelta)
		if err != nil {
			return nil, err
		}
		text, _, err := prev.Cursor(ctx, p.Prefix+cursorFresh)
		if err != nil {
			return nil, err
		}
		fresh, err := time.Parse(time.RFC3339, text)
		if !ok || err != nil || now.Sub(fresh) > keepLink || p.Folder == "" {
			continue // an unreadable time is an old one
		}
		asked = append(asked, p)
		calls = append(calls, graph.Part{Link: link, List: rows()})
	}
	if len(asked) == 0 {
		return quiet, nil
	}
	answers, err := g.Batch(ctx, calls)
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		if a.Err != nil {
			continue // its own read says what that means
		}
		page, err := graph.Rows[graph.DriveItem](a)
		quiet[asked[i]] = err == nil && len(page.Value) == 0 && page.DeltaLink != ""
	}
	return quiet, nil
}

// partPrevious shows what of a container's state is one library, as if it were a drive of its own.
type partPrevious struct {
	engine.Previous
	prefix string
	root   string // id of its folder; empty when nothing of it was read
}

// Empty says that nothing of the library was read.
func (p *partPrevious) Empty() bool { return p.Previous.Empty() || p.root == "" }

// Cursor tells none of a library of which nothing is there: it was deleted and is back, and what it had is not what changed since.
func (p *partPrevious) Cursor(ctx context.Context, name string) (string, bool, error) {
	if p.Empty() {
		return "", false, nil
	}
	return p.Previous.Cursor(ctx, p.prefix+name)
}

func (p *partPrevious) Cursors(ctx context.Context) iter.Seq2[engine.Cursor, error] {
	return func(yield func(engine.Cursor, error) bool) {
		if p.Empty() { // see Cursor
			return
		}
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

// AsRoot is a library's folder as the drive knows it.
func AsRoot(item holdfast.Item) holdfast.Item {
	item.Parent, item.Version, item.Name = "", item.Fields[FieldRootVersion], item.Fields[FieldRootName]
	item.Fields = maps.Clone(item.Fields)
	item.Fields[holdfast.FieldSpecial] = "root"
	return item
}

func (p *partPrevious) Item(ctx context.Context, id string) (holdfast.Item, bool, error) {
	item, ok, err := p.Previous.Item(ctx, id)
	if ok && id == p.root {
		item = AsRoot(item)
	}
	return item, ok, err
}

// All gives the library's folder and all below it.
func (p *partPrevious) All(ctx context.Context) iter.Seq2[holdfast.Item, error] {
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
func (p *partPrevious) Missed(ctx context.Context) iter.Seq2[engine.Missed, error] {
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
func (p *partPrevious) inside(ctx context.Context, item holdfast.Item) (bool, error) {
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

// partSink takes what a library's drive has into the container. The drive's root is the library's folder.
type partSink struct {
	engine.Sink
	p *Part
}

func (s *partSink) Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	if item.Fields[holdfast.FieldSpecial] != "root" {
		return s.Sink.Put(ctx, item, payloads...)
	}
	folder := s.p.Item
	folder.Fields = maps.Clone(folder.Fields)
	folder.ID, folder.Fields[FieldRootVersion], folder.Fields[FieldRootName] = item.ID, item.Version, item.Name
	s.p.Folder = item.ID
	if s.p.Payloads == nil {
		return nil
	}
	return s.Sink.Put(ctx, folder, s.p.Payloads()...)
}

func (s *partSink) Delete(ctx context.Context, id string) error {
	if id == s.p.Folder && id != "" {
		return nil // a library goes with what it belongs to
	}
	return s.Sink.Delete(ctx, id)
}

func (s *partSink) Cursor(ctx context.Context, name, value string) error {
	return s.Sink.Cursor(ctx, s.p.Prefix+name, value)
}
