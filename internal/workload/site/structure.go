package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/workload/drive"
)

// known is a list as this read sees it.
type known struct {
	id, name, template, drive string
	folder                    string // id of its folder; of a library empty until its drive's root was read
	versions                  bool
	item                      holdfast.Item // of a library
	payloads                  func() []holdfast.Payload
}

// structure gives the lists; when something of the site or of them changed, they are read and put.
func (r *reader) structure(ctx context.Context) ([]*known, error) {
	if r.structural {
		return r.lists(ctx)
	}
	var out []*known
	missing := len(r.dirty)
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		if l := r.stored(item); l != nil {
			out = append(out, l)
			if r.dirty[l.id] {
				missing--
			}
		}
	}
	if missing > 0 { // a list that is not known
		r.structural = true
		return r.lists(ctx)
	}
	if r.web != nil && len(out) > 0 {
		if err := r.listStates(ctx); err != nil {
			return nil, err
		}
	}
	for _, l := range out {
		l.versions = r.versioned(l.id)
	}
	slices.SortFunc(out, func(a, b *known) int { return strings.Compare(a.id, b.id) })
	return out, nil
}

// stored is a list as the state before has it.
func (r *reader) stored(item holdfast.Item) *known {
	if item.Fields[fieldList] == "" {
		return nil
	}
	return &known{id: item.Fields[fieldList], name: item.Name, template: item.Fields[fieldTemplate], drive: item.Fields[fieldDrive], folder: item.ID, item: item}
}

func (r *reader) listStates(ctx context.Context) error {
	states, err := r.web.Lists(ctx)
	if err != nil {
		return drive.PlaceError(err)
	}
	r.states = map[string]sharepoint.ListState{}
	for _, s := range states {
		r.states[s.ID] = s
	}
	return nil
}

// versioned says whether a list keeps versions; when that is not known, it may.
func (r *reader) versioned(list string) bool {
	s, ok := r.states[list]
	return !ok || s.Versions
}

// fields of a list that are read; without "system" hidden lists would not come.
var listFields = []string{"id", "name", "displayName", "description", "webUrl", "eTag", "createdDateTime", "lastModifiedDateTime", "createdBy", "list", "system"}

// lists reads the site and its lists, puts what changed of them, and deletes lists that are gone.
func (r *reader) lists(ctx context.Context) ([]*known, error) {
	site, err := r.g.Site(ctx, r.c.Source, graph.List{})
	if err != nil {
		return nil, drive.PlaceError(err)
	}
	if r.web != nil {
		if err := r.listStates(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.site(ctx, site); err != nil {
		return nil, err
	}
	oneDrive, err := r.oneDriveList(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.leaveOut(ctx, oneDrive); err != nil {
		return nil, err
	}
	var out []*known
	seen, had := map[string]bool{}, map[string]bool{}
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		had[item.Fields[fieldList]] = true
	}
	l := graph.List{Select: listFields, Top: 200}
	first, err := r.g.Lists(ctx, r.c.Source, l)
	for row, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, drive.PlaceError(err)
		}
		seen[row.ID] = true
		if oneDrive != "" && strings.EqualFold(row.ID, oneDrive) {
			continue
		}
		k, err := r.listFolder(ctx, row.ID)
		if err != nil {
			if s := m365.Skip(err); s != nil && ctx.Err() == nil {
				r.sink.Skip(ctx, holdfast.Item{ID: listID(row.ID), Parent: rootID, Kind: holdfast.KindFolder, Version: row.ETag, Name: row.DisplayName}, s)
				continue
			}
			return nil, err
		}
		r.dirty[k.id] = r.dirty[k.id] || !had[k.id]
		out = append(out, k)
	}
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		id := item.Fields[fieldList]
		if id == "" || seen[id] {
			continue
		}
		// Only what is not there when it is asked for by its id is gone.
		if _, err := r.g.SiteList(ctx, r.c.Source, id, graph.List{Select: []string{"id"}}); m365.KindOf(err) == m365.NotFound {
			if err := r.remove(ctx, item.ID); err != nil {
				return nil, err
			}
			if err := r.forgetCursors(ctx, id); err != nil {
				return nil, err
			}
		} else if err != nil && m365.Skip(err) == nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b *known) int { return strings.Compare(a.id, b.id) })
	return out, r.sink.Wait()
}

// forgetCursors removes those of a list or library that is gone: should it come back out of the recycle bin, it is read as a whole.
func (r *reader) forgetCursors(ctx context.Context, list string) error {
	for cur, err := range r.prev.Cursors(ctx) {
		if err != nil {
			return err
		}
		if cur.Name == cursorDelta+list || cur.Name == cursorNext+list || strings.HasPrefix(cur.Name, cursorLibrary+list+"/") {
			if err := r.sink.Cursor(ctx, cur.Name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove deletes an item of the state before with all below it.
func (r *reader) remove(ctx context.Context, id string) error {
	open := []string{id}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for child, err := range r.prev.Children(ctx, at) {
			if err != nil {
				return err
			}
			open = append(open, child.ID)
		}
		if err := r.sink.Delete(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// jsonOf writes what _api served.
func jsonOf(form holdfast.Form, v any) (holdfast.Payload, []byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return holdfast.Payload{}, nil, fmt.Errorf("encode %s: %w", form, err)
	}
	return whole(form, raw), raw, nil
}

func whole(form holdfast.Form, raw []byte) holdfast.Payload {
	return holdfast.Whole(form, bytes.NewReader(raw), int64(len(raw)))
}

// fingerprint is a version key of what has none of its own.
func fingerprint(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// steady is a site's or list's JSON without what changes when something in it does.
func steady(raw json.RawMessage) []byte {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return raw
	}
	for _, k := range []string{"lastModifiedDateTime", "lastModifiedBy", "eTag", "@odata.etag", "@odata.context"} {
		delete(m, k)
	}
	out, err := json.Marshal(m)
	if err != nil {
		return raw
	}
	return out
}

// site puts the site itself: its JSON, whom it knows, its groups and who may do what.
func (r *reader) site(ctx context.Context, site *graph.Site) error {
	parts := [][]byte{steady(site.Raw)}
	payloads := []holdfast.Payload{whole(holdfast.FormJSON, site.Raw)}
	if r.web != nil {
		users, err := r.web.Users(ctx)
		if err != nil {
			return drive.PlaceError(err)
		}
		groups, err := r.web.Groups(ctx)
		if err != nil {
			return drive.PlaceError(err)
		}
		roles, err := r.web.Assignments(ctx, sharepoint.Scope{})
		if err != nil {
			return drive.PlaceError(err)
		}
		levels, err := r.web.Levels(ctx)
		if err != nil {
			return drive.PlaceError(err)
		}
		access, err := r.web.Access(ctx)
		if err != nil {
			return drive.PlaceError(err)
		}
		for form, v := range map[holdfast.Form]any{formUsers: users, formTeam: groups, formRoles: roles, formLevels: levels, formAccess: access} {
			p, raw, err := jsonOf(form, v)
			if err != nil {
				return err
			}
			payloads = append(payloads, p)
			parts = append(parts, raw)
		}
	}
	slices.SortFunc(parts[1:], bytes.Compare)
	item := holdfast.Item{ID: rootID, Kind: holdfast.KindFolder, Version: fingerprint(parts...), Time: site.Created, Name: r.c.Name,
		Fields: map[string]string{holdfast.FieldSpecial: specialRoot, holdfast.FieldCreated: stamp(site.Created)}}
	return r.putChanged(ctx, item, payloads...)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// putChanged puts an item unless the state before has this version of it.
func (r *reader) putChanged(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	old, ok, err := r.prev.Item(ctx, item.ID)
	if err != nil || ok && old.Version == item.Version && old.Name == item.Name && old.Fields[fieldColumns] == item.Fields[fieldColumns] && !r.prev.Anew() {
		return err
	}
	return r.sink.Put(ctx, item, payloads...)
}

// listFolder reads a list with its columns, content types, views and permissions, and puts its folder; a library's is put with its drive's root.
func (r *reader) listFolder(ctx context.Context, id string) (*known, error) {
	row, err := r.g.SiteList(ctx, r.c.Source, id, graph.List{Select: listFields, Expand: []string{"columns", "contentTypes"}})
	if err != nil {
		return nil, err
	}
	k := &known{id: row.ID, name: row.DisplayName, template: row.Info.Template, folder: listID(row.ID), versions: r.versioned(row.ID)}
	item := holdfast.Item{ID: k.folder, Parent: rootID, Kind: holdfast.KindFolder, Time: row.Created, Name: row.DisplayName, Fields: map[string]string{
		holdfast.FieldSpecial: specialList, holdfast.FieldCreated: stamp(row.Created), fieldList: row.ID, fieldTemplate: row.Info.Template}}
	if row.System != nil || row.Info.Hidden {
		item.Fields[holdfast.FieldHidden] = "true"
	}
	parts := [][]byte{steady(row.Raw)}
	payloads := []func() holdfast.Payload{func() holdfast.Payload { return whole(holdfast.FormJSON, row.Raw) }}
	add := func(form holdfast.Form, v any) error {
		_, raw, err := jsonOf(form, v)
		parts = append(parts, raw)
		payloads = append(payloads, func() holdfast.Payload { return whole(form, raw) })
		return err
	}
	if r.web != nil {
		views, err := r.web.Views(ctx, id)
		if err == nil {
			err = add(formViews, views)
		}
		if err != nil {
			return nil, err
		}
		if state, ok := r.states[id]; ok {
			if err := add(formSettings, state.Settings); err != nil {
				return nil, err
			}
		}
		if r.states[id].Unique {
			item.Fields[fieldUnique] = "true"
			roles, err := r.web.Assignments(ctx, sharepoint.Scope{List: id})
			if err == nil {
				err = add(formRoles, roles)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if own := ownColumns(row.Columns, row.ContentTypes); k.template == "documentLibrary" && len(own) > 0 {
		item.Fields[fieldColumns] = strings.Join(own, " ")
	}
	item.Version = fingerprint(parts...)
	all := func() []holdfast.Payload {
		out := make([]holdfast.Payload, 0, len(payloads))
		for _, p := range payloads {
			out = append(out, p())
		}
		return out
	}
	switch k.template {
	case "documentLibrary":
		return r.library(ctx, k, item, all)
	case "webPageLibrary":
		item.Fields[holdfast.FieldSpecial] = specialPages
	}
	return k, r.putChanged(ctx, item, all()...)
}

// library completes the folder of a library. Its id is that of the drive's root, which the state before has, or the drive will tell.
func (r *reader) library(ctx context.Context, k *known, item holdfast.Item, payloads func() []holdfast.Payload) (*known, error) {
	item.Fields[holdfast.FieldSpecial] = specialLibrary
	k.folder, k.item, k.payloads = "", item, payloads
	for old, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		if old.Fields[fieldList] != k.id {
			continue
		}
		k.folder, k.drive = old.ID, old.Fields[fieldDrive]
		k.item.ID = old.ID
		for _, f := range []string{fieldDrive, drive.FieldRootVersion, drive.FieldRootName} {
			k.item.Fields[f] = old.Fields[f]
		}
		return k, r.putChanged(ctx, k.item, payloads()...)
	}
	d, err := r.g.ListDrive(ctx, r.c.Source, k.id)
	if err != nil {
		return nil, err
	}
	k.drive = d.ID
	k.item.Fields[fieldDrive] = d.ID
	return k, nil
}

// list reads what is in a list.
func (r *reader) list(ctx context.Context, l *known) error {
	switch l.template {
	case "documentLibrary":
		return r.files(ctx, l)
	case "webPageLibrary":
		return r.pages(ctx, l)
	}
	lr := &listReader{reader: r, l: l, touched: map[string]bool{}, homeless: map[string]bool{}, history: map[string]string{}, emptied: map[string]bool{}, putIn: map[string][]string{}}
	return lr.run(ctx)
}

// skipList names a list that could not be read; the site goes on.
func (r *reader) skipList(ctx context.Context, l *known, err error) error {
	if s := m365.Skip(err); s != nil && ctx.Err() == nil && m365.KindOf(err) != m365.Unavailable {
		id := l.folder
		if id == "" {
			id = listID(l.id)
		}
		r.sink.Skip(ctx, holdfast.Item{ID: id, Parent: rootID, Kind: holdfast.KindFolder, Name: l.name}, s)
		return nil
	}
	return err
}
