package site

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
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
	if err != nil || r.web == nil {
		if _, ok, oerr := r.columnsOf(ctx, p); err == nil && oerr == nil && ok && wrote(out) && !r.plan.DryRun {
			out.Lost = append(out.Lost, "columns")
		}
		return out, err
	}
	columns, has, err := r.columnsOf(ctx, p)
	if err != nil {
		return out, err
	}
	switch {
	case r.plan.DryRun:
		if wrote(out) {
			out.Cost.Add(holdfast.Cost{Requests: 2, ResourceUnits: 3})
		}
		return out, nil
	case wrote(out):
	case out.Outcome == engine.Existing && has && r.plan.Mode == engine.Overwrite && (r.plan.ChangedItems || !r.plan.MissingItems):
		// Its bytes are there; its values may be others.
		same, err := r.sameColumns(ctx, l, out.NewID, columns)
		if err != nil || same {
			return out, itemError(ctx, err)
		}
		out.Outcome = engine.Overwritten
	default:
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

// wrote tells that a restore made or changed what it was to put back.
func wrote(out engine.Restored) bool {
	return out.NewID != "" && (out.Outcome == engine.Created || out.Outcome == engine.Overwritten)
}

func (r *restore) columnsOf(ctx context.Context, p engine.Put) (values storedColumns, ok bool, err error) {
	err = read(ctx, p, holdfast.FormColumns, &values)
	return values, values.Fields != nil, err
}

// sameColumns tells that a file has the stored values. Who changed it and when are left out.
func (r *restore) sameColumns(ctx context.Context, l *place, file string, want storedColumns) (bool, error) {
	it, err := r.g.FileListItem(ctx, l.drive, file, true)
	if err != nil {
		return false, err
	}
	have, err := trimmed(it, slices.Concat(l.own, []string{columnType}))
	if err != nil {
		return false, err
	}
	if want.ContentType != "" && l.types[want.ContentType] != "" && want.ContentType != have.ContentType {
		return false, nil
	}
	for _, name := range l.own {
		if !r.sameColumn(l, name, have.Fields, want.Fields) {
			return false, nil
		}
	}
	return true, nil
}

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

// fileValues sets what a file has in its list. It makes no version. lost names what could not be set.
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
			lost = append(lost, "contentType")
		} else {
			extra = append(extra, sharepoint.FormValue{Name: columnType, Value: t})
		}
	}
	more, late, err := r.values(ctx, of, it.ID, stored, extra...)
	lost = append(lost, more...)
	if err != nil {
		return lost, err
	}
	return append(lost, r.await(l, it.ID, late)...), nil
}

// loginOf is somebody whom a file's JSON names, as a form names him: empty when that is nobody whom the organization or the stored site knows.
func (r *restore) loginOf(ctx context.Context, i *graph.Identity) (string, error) {
	if i == nil {
		return "", nil
	}
	form := func(login string) string { return `[{"Key":` + quotedJSON(login) + `}]` }
	if i.User == nil {
		if i.Application != nil {
			return form(appLogin), nil
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
	return form(login), nil
}

// appLogin is the login name of what an application does in a site.
const appLogin = "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint"

func quotedJSON(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return `""` // a text is always written
	}
	return string(raw)
}
