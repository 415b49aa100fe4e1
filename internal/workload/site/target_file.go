package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/workload/drive"
)

// storedFile is what a restore takes out of a file's JSON.
type storedFile struct {
	Created    time.Time       `json:"createdDateTime"`
	Modified   time.Time       `json:"lastModifiedDateTime"`
	CreatedBy  *graph.Identity `json:"createdBy"`
	ModifiedBy *graph.Identity `json:"lastModifiedBy"`
}

// file restores a file of a library: its bytes as in a drive, then, with a certificate, the values of its columns, who made and changed it and when.
func (r *restore) file(ctx context.Context, p engine.Put, l *place) (engine.Restored, error) {
	out, err := l.files.Put(ctx, p)
	if err != nil {
		return out, err
	}
	columns, has, err := r.columnsOf(ctx, p)
	if err != nil {
		return out, err
	}
	if old := p.Item.Fields[holdfast.FieldVersionID] != ""; out.Outcome == engine.Existing && has && !old && (r.plan.ChangedItems || !r.plan.MissingItems) {
		// Its bytes are there; its values may be others.
		if out, err = r.otherValues(ctx, p, l, out, columns); err != nil {
			return out, itemError(ctx, err)
		}
	}
	switch {
	case !wrote(out):
		return out, nil
	case r.web == nil:
		if has {
			out.Lost = append(out.Lost, "columns")
		}
		return out, nil
	case r.plan.DryRun:
		out.Cost.Add(holdfast.Cost{Requests: 3, ResourceUnits: 4}) // looked for, set, read back
		return out, nil
	}
	// Before anything tells that somebody else made it: an attempt that dies here is known again by its id.
	if err := p.Made(ctx, out.NewID); err != nil {
		return out, err
	}
	lost, err := r.fileValues(ctx, p, l, out.NewID, columns)
	out.Lost = append(out.Lost, lost...)
	return out, itemError(ctx, err)
}

// settleFileFolder gives a folder of a library that this restore made the values of its columns, who made and changed it and when.
func (r *restore) settleFileFolder(ctx context.Context, p engine.Put, l *place) error {
	if l.drive == "" || r.plan.DryRun || r.same && p.NewID == p.Item.ID {
		return nil
	}
	there, err := r.g.DriveItem(ctx, l.drive, p.NewID, graph.List{Select: []string{"id", "name", "parentReference"}})
	if err != nil {
		return err
	}
	if made, err := drive.MadeFolder(ctx, r.plan, l.drive, there); err != nil || !made {
		return err
	}
	columns, _, err := r.columnsOf(ctx, p)
	if err != nil {
		return err
	}
	var lost []string
	if r.web != nil {
		lost, err = r.fileValues(ctx, p, l, p.NewID, columns)
	} else if slices.ContainsFunc(l.own, func(c string) bool {
		return !sameValue(columns.Fields[c], nil) || !sameValue(columns.Fields[c+"LookupId"], nil)
	}) {
		lost = []string{"columns"}
	}
	if err != nil {
		return err
	}
	if lost = slices.DeleteFunc(lost, func(c string) bool { return l.columns[c].Geolocation != nil }); len(lost) > 0 { // nothing has its location back
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("of the folder these could not be put back: %s", strings.Join(lost, ", "))}
	}
	return nil
}

// otherValues says what becomes of a file whose bytes are there and whose values differ: they are overwritten where a restore overwrites, newer ones only
// when that is asked for.
func (r *restore) otherValues(ctx context.Context, p engine.Put, l *place, out engine.Restored, columns storedColumns) (engine.Restored, error) {
	it, err := r.g.FileListItem(ctx, l.drive, out.NewID, true)
	if err != nil {
		return out, err
	}
	differ, err := r.differentColumns(l, it, columns)
	if err != nil || len(differ) == 0 {
		return out, err
	}
	kept := func(why string) (engine.Restored, error) {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("the bytes of the file are there, and its values in these columns are others: %s; %s", strings.Join(differ, ", "), why)}
	}
	switch {
	case r.plan.Mode != engine.Overwrite:
		return kept("restore with \"overwrite\"")
	case it.Modified.Truncate(time.Second).After(p.Item.Time.Truncate(time.Second)) && !r.plan.Newer:
		return kept("they are newer than the restore point, and overwritten only when that is asked for")
	case r.web == nil:
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the bytes of the file are there, and its values in these columns are others: %s; to set them the application needs a certificate", strings.Join(differ, ", "))}
	}
	out.Outcome = engine.Overwritten
	return out, nil
}

// wrote tells that a restore made or changed what it was to put back.
func wrote(out engine.Restored) bool {
	return out.NewID != "" && (out.Outcome == engine.Created || out.Outcome == engine.Overwritten)
}

func (r *restore) columnsOf(ctx context.Context, p engine.Put) (values storedColumns, ok bool, err error) {
	err = read(ctx, p, holdfast.FormColumns, &values)
	return values, values.Fields != nil, err
}

// differentColumns names the columns of which a file has other values than the stored ones.
func (r *restore) differentColumns(l *place, it *graph.ListItem, want storedColumns) ([]string, error) {
	have, err := trimmed(it, slices.Concat(l.own, []string{columnType}))
	if err != nil {
		return nil, err
	}
	var out []string
	if want.ContentType != "" && l.types[want.ContentType] != "" && want.ContentType != have.ContentType {
		out = append(out, lostType)
	}
	for _, name := range l.own {
		if !r.sameColumn(l, name, have.Fields, want.Fields) {
			out = append(out, name)
		}
	}
	return out, nil
}

// lostType is what fidelity calls the content type.
const lostType = "contentType"

// sameColumn tells that an item has a stored value. What a restore could not set anyway counts as the same.
func (r *restore) sameColumn(l *place, name string, have, want map[string]json.RawMessage) bool {
	c := l.columns[name]
	switch {
	case c.Geolocation != nil:
		return true
	case c.Lookup != nil:
		ids := func(of map[string]json.RawMessage) []int {
			if id, ok := number(of[name+"LookupId"]); ok {
				return []int{id}
			}
			return lookupIDs(of[name])
		}
		stored := ids(want)
		for i, id := range stored {
			now, ok := r.lookedUp(c.Lookup.ListID, id)
			if !ok {
				return true
			}
			stored[i] = now
		}
		return slices.Equal(stored, ids(have))
	}
	return sameValue(have[name], want[name]) && sameValue(have[name+"LookupId"], want[name+"LookupId"])
}

// sameValue compares two values of a column; no value is an empty one.
func sameValue(a, b json.RawMessage) bool {
	empty := func(v json.RawMessage) bool {
		return len(v) == 0 || string(v) == "null" || string(v) == `""` || string(v) == "[]"
	}
	return empty(a) && empty(b) || sameJSON(a, b)
}

// fileValues sets what a file or folder has in its list. It makes no version. lost names what could not be set.
func (r *restore) fileValues(ctx context.Context, p engine.Put, l *place, file string, columns storedColumns) (lost []string, err error) {
	var about storedFile
	if err := read(ctx, p, holdfast.FormJSON, &about); err != nil {
		return nil, err
	}
	it, err := r.g.FileListItem(ctx, l.drive, file, false)
	if err != nil {
		return nil, err
	}
	stored := &storedItem{Created: about.Created, Modified: about.Modified, Fields: columns.Fields}
	r.mu.Lock()
	of := &place{id: l.id, stored: l.stored, title: l.title, there: l.there, types: l.types, columns: l.columns}
	r.mu.Unlock()
	switch {
	case p.Item.Fields[holdfast.FieldVersionID] != "": // a file as it was once: what is stored of columns is of the present one
		of.columns, stored.Fields, stored.Modified = nil, map[string]json.RawMessage{}, p.Item.Time
	case columns.Fields == nil: // a library without columns of its own, or a backup that did not read them: they stay
		of.columns, stored.Fields = nil, map[string]json.RawMessage{}
	case of.columns == nil:
		lost = append(lost, "columns") // why the library could not be made like the stored one is said with it
	}
	var extra []sharepoint.FormValue
	who := func(column string, i *graph.Identity) error {
		if r.login(stored.Fields[column+"LookupId"]) != "" {
			return nil // formValues has it
		}
		login, err := r.loginOf(ctx, i)
		if err != nil {
			return err
		}
		if login == "" {
			lost = append(lost, lostName(column))
			return nil
		}
		extra = append(extra, sharepoint.FormValue{Name: column, Value: login})
		return nil
	}
	if err := errors.Join(who("Author", about.CreatedBy), who("Editor", about.ModifiedBy)); err != nil {
		return lost, err
	}
	if t := columns.ContentType; t != "" && of.columns != nil {
		if l.types[t] == "" {
			lost = append(lost, lostType)
		} else {
			extra = append(extra, sharepoint.FormValue{Name: columnType, Value: t})
		}
	}
	more, late, err := r.values(ctx, of, it.ID, stored, extra...)
	lost = append(lost, more...)
	if err != nil {
		return lost, err
	}
	lost = append(lost, r.await(l, it.ID, p.Item.Kind, late)...)
	return r.compareFile(ctx, l, file, stored, columns, late, lost)
}

// compareFile reads back what fileValues set; late are lookups that are set later.
func (r *restore) compareFile(ctx context.Context, l *place, file string, stored *storedItem, columns storedColumns, late []waiting, lost []string) ([]string, error) {
	now, err := r.g.FileListItem(ctx, l.drive, file, true)
	if err != nil {
		return lost, err
	}
	if len(stored.Fields) > 0 {
		differ, err := r.differentColumns(l, now, columns)
		if err != nil {
			return lost, fmt.Errorf("read the values back: %w", err)
		}
		for _, name := range differ {
			if !slices.ContainsFunc(late, func(w waiting) bool { return w.column == name }) {
				lost = append(lost, name)
			}
		}
	}
	for what, pair := range map[string][2]time.Time{"created": {now.Created, stored.Created}, "modified": {now.Modified, stored.Modified}} {
		if !pair[1].IsZero() && !pair[0].Equal(pair[1].Truncate(time.Second)) {
			lost = append(lost, what)
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost), nil
}

// loginOf is somebody whom a file's JSON names, as a form names him: empty when that is nobody whom the organization or the stored site knows.
func (r *restore) loginOf(ctx context.Context, i *graph.Identity) (string, error) {
	if i == nil {
		return "", nil
	}
	if i.User == nil {
		if i.Application != nil {
			return formPeople(appLogin), nil
		}
		return "", nil
	}
	r.mu.Lock()
	login, known := r.logins[i.User.ID]
	if !known {
		for _, u := range r.users { // who is deleted is still known to the site
			if u.Title == i.User.DisplayName && u.Type == 1 {
				if login != "" {
					login = "" // two of that name
					break
				}
				login = u.Login
			}
		}
	}
	r.mu.Unlock()
	if !known && i.User.ID != "" {
		u, err := r.g.User(ctx, i.User.ID)
		switch m365.KindOf(err) {
		case m365.NotFound, m365.Denied, m365.Invalid:
		default:
			if err != nil {
				return "", err
			}
			login = "i:0#.f|membership|" + u.UserPrincipalName
		}
		r.mu.Lock()
		r.logins[i.User.ID] = login
		r.mu.Unlock()
	}
	if login == "" {
		return "", nil
	}
	return formPeople(login), nil
}

// appLogin is the login name of what an application does in a site.
const appLogin = "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint"
