package site

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// settings gives a list that was made its settings and content types. Rules, which might refuse the items that it had, wait for Close.
func (r *restore) settings(ctx context.Context, p engine.Put, l *place, types []graph.ContentType) (lost []string, err error) {
	var stored *sharepoint.Settings
	if err := read(ctx, p, formSettings, &stored); err != nil {
		return nil, err
	}
	if stored == nil { // of a backup that did not read them
		lost = append(lost, "settings")
	} else {
		switch err := r.web.SetSettings(ctx, l.id, *stored, l.files != nil); {
		case err == nil:
		case m365.Lasting(err):
			lost = append(lost, fmt.Sprintf("settings (%v)", err))
		default:
			return lost, err
		}
		if stored.Rules != (sharepoint.Rules{}) {
			r.mu.Lock()
			l.rules = &stored.Rules
			r.mu.Unlock()
		}
	}
	more, err := r.addTypes(ctx, l, types)
	return append(lost, more...), err
}

// addTypes gives a list the content types that it had, from those of the site there.
func (r *restore) addTypes(ctx context.Context, l *place, types []graph.ContentType) (lost []string, err error) {
	var all []sharepoint.SiteType
	for _, t := range types {
		if l.types[t.Name] != "" || strings.HasPrefix(t.ID, folderType) {
			continue
		}
		if all == nil {
			if all, err = r.web.AvailableTypes(ctx); err != nil {
				return lost, err
			}
		}
		of := sharepoint.From(all, t.ID, t.Name)
		if of == nil {
			lost = append(lost, fmt.Sprintf("content type %q, which the site does not have", t.Name))
			continue
		}
		why, err := r.addType(ctx, l, of)
		if err != nil {
			return lost, err
		}
		if why != "" {
			lost = append(lost, why)
		}
	}
	return lost, nil
}

// addType adds a content type; a call that was not answered is made again only when the list does not show it. why says what keeps it from being added.
func (r *restore) addType(ctx context.Context, l *place, of *sharepoint.SiteType) (why string, err error) {
	for attempt := 1; ; attempt++ {
		err := r.web.AddType(ctx, l.id, of.ID)
		if lerr := r.lookTypes(ctx, l); lerr != nil { // also when it was refused: perhaps because an earlier call had taken effect
			return "", lerr
		}
		switch {
		case l.types[of.Name] != "":
			return "", nil
		case err == nil, attempt < turns && (m365.OutcomeUnknown(err) || m365.KindOf(err) == m365.Unavailable):
			if attempt == turns {
				return "", holdfast.Unavailable("the content type %q was not added", of.Name)
			}
		case m365.Lasting(err):
			return fmt.Sprintf("content type %q (%v)", of.Name, err), nil
		default:
			return "", err
		}
	}
}

// lookTypes reads which content types a list has now.
func (r *restore) lookTypes(ctx context.Context, l *place) error {
	row, err := r.g.SiteList(ctx, r.site, l.id, graph.List{Select: listFields, Expand: []string{"contentTypes"}})
	if err != nil {
		return err
	}
	now := map[string]string{}
	for _, t := range row.ContentTypes {
		now[t.Name] = t.ID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.types = now
	return nil
}

// setRules sets the rules of lists that this restore made, now that their items are there, and says which are not as they were.
func (r *restore) setRules(ctx context.Context) error {
	var left []string
	for _, l := range r.lists {
		if l.rules == nil {
			continue
		}
		if err := r.web.SetRules(ctx, l.id, *l.rules); err != nil {
			if !m365.Lasting(err) {
				return err
			}
			left = append(left, fmt.Sprintf("%q (%v)", l.title, err))
		}
	}
	if len(left) > 0 {
		slices.Sort(left)
		return holdfast.Invalid("validation, approval and check-out of these lists could not be set: %s", strings.Join(left, ", "))
	}
	return nil
}
