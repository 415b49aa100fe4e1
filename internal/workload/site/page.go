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
)

// pages reads the site's pages: all in one list, for there is no delta of pages. One that is not in it is asked for, and only what is not found goes.
func (r *reader) pages(ctx context.Context, l *known) error {
	seen := map[string]bool{}
	first, err := r.g.SitePages(ctx, r.c.Source)
	for p, err := range graph.All(ctx, r.g, first, err, graph.List{}) {
		if err != nil {
			return r.skipList(ctx, l, fmt.Errorf("list pages: %w", err))
		}
		seen[pageID(p.ID)] = true
		if err := r.page(ctx, l, p); err != nil {
			return err
		}
	}
	for item, err := range r.prev.Children(ctx, l.folder) {
		if err != nil {
			return err
		}
		id, ok := strings.CutPrefix(item.ID, "page.")
		if !ok || seen[item.ID] {
			continue
		}
		p, err := r.g.SitePage(ctx, r.c.Source, id)
		switch {
		case m365.KindOf(err) == m365.NotFound:
			if err := r.sink.Delete(ctx, item.ID); err != nil {
				return err
			}
		case err == nil:
			if err := r.page(ctx, l, p); err != nil {
				return err
			}
		case m365.Skip(err) != nil: // not known: it stays
		default:
			return err
		}
	}
	return nil
}

func (r *reader) page(ctx context.Context, l *known, p *graph.SitePage) error {
	item := holdfast.Item{ID: pageID(p.ID), Parent: l.folder, Kind: holdfast.KindPage, Version: p.ETag, Time: p.Modified, Size: int64(len(p.Raw)), Name: p.Title,
		Fields: map[string]string{holdfast.FieldCreated: stamp(p.Created), holdfast.FieldModified: stamp(p.Modified), holdfast.FieldETag: p.ETag}}
	if item.Name == "" {
		item.Name = p.Name
	}
	if a := person(p.CreatedBy); a != "" {
		item.Fields[holdfast.FieldAuthor] = a
	}
	return r.putChanged(ctx, item, whole(holdfast.FormJSON, p.Raw))
}

// page restores a page: its title, its title area and its content.
func (r *restore) page(ctx context.Context, p engine.Put) (engine.Restored, error) {
	var stored graph.SitePage
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return engine.Restored{}, err
	}
	id := strings.TrimPrefix(p.Item.ID, "page.")
	name := stored.Name
	beside := strings.TrimSuffix(name, ".aspx") + "-restored-" + p.Marker[:min(8, len(p.Marker))] + ".aspx"
	var there, copied *graph.SitePage
	first, err := r.g.SitePages(ctx, r.site)
	for row, err := range graph.All(ctx, r.g, first, err, graph.List{}) {
		if err != nil {
			return engine.Restored{}, err
		}
		if row.ID == id && r.same || strings.EqualFold(row.Name, name) && there == nil {
			there = row
		}
		if strings.EqualFold(row.Name, beside) {
			copied = row
		}
	}
	out := engine.Restored{Outcome: engine.Created}
	written := false // by an earlier attempt, which did not come to publish it
	switch {
	case there == nil:
		if r.plan.ChangedItems && !r.plan.MissingItems {
			return engine.Restored{Outcome: engine.Skipped}, nil
		}
	case there.ID == p.NewID: // by an earlier attempt
		written = samePage(there, &stored)
	case samePage(there, &stored) && p.Again && there.ModifiedBy != nil && there.ModifiedBy.Application != nil && there.Modified.After(stored.Modified):
		written = true // its writing was not answered
	case samePage(there, &stored) && (published(there) || !published(&stored)):
		return engine.Restored{Outcome: engine.Existing, NewID: there.ID}, nil
	case samePage(there, &stored) && p.Again:
		written = true
	case !r.plan.ChangedItems && r.plan.MissingItems:
		return engine.Restored{Outcome: engine.Skipped, NewID: there.ID}, nil
	case r.plan.Mode == engine.KeepBoth:
		name, there = beside, copied // the name says that an earlier attempt of this very act made it
	case r.plan.Mode == engine.Overwrite:
		if there.Modified.After(stored.Modified) && !r.plan.Newer {
			return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the page there is newer than the restore point; it is overwritten only when that is asked for")}
		}
		out.Outcome = engine.Overwritten
	default:
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the page is there and was changed; restore with \"keep both\" or \"overwrite\"")}
	}
	if r.plan.DryRun {
		out.Cost = holdfast.Cost{Requests: 3, ResourceUnits: 6, Bytes: p.Item.Size}
		return out, nil
	}
	if !written {
		body := pageBody(&stored)
		at := ""
		if there != nil {
			at = there.ID
			body["description"] = stored.About
		} else {
			body["name"], body["pageLayout"] = name, stored.Layout
		}
		if there, err = r.g.WritePage(ctx, r.site, at, body); err != nil {
			return engine.Restored{}, err
		}
		if err := p.Made(ctx, there.ID); err != nil {
			return engine.Restored{}, err
		}
	}
	out.NewID = there.ID
	if published(&stored) {
		if err := r.g.PublishPage(ctx, r.site, there.ID); err != nil {
			return out, err
		}
	}
	if out.Lost, err = r.pageBy(ctx, p, there.ID, &stored); err != nil {
		return out, err
	}
	now, err := r.g.SitePage(ctx, r.site, there.ID)
	if err != nil {
		return out, err
	}
	out.Lost = append(out.Lost, differentPage(now, &stored)...)
	for what, pair := range map[string][2]time.Time{"created": {now.Created, stored.Created}, "modified": {now.Modified, stored.Modified}} {
		if !pair[0].Equal(pair[1].Truncate(time.Second)) {
			out.Lost = append(out.Lost, what)
		}
	}
	for what, pair := range map[string][2]*graph.Identity{"author": {now.CreatedBy, stored.CreatedBy}, "editor": {now.ModifiedBy, stored.ModifiedBy}} {
		if pair[1] != nil && person(pair[0]) != person(pair[1]) {
			out.Lost = append(out.Lost, what)
		}
	}
	slices.Sort(out.Lost)
	out.Lost = slices.Compact(out.Lost)
	return out, nil
}

// pageBody is what of a page is written.
// https://learn.microsoft.com/graph/api/sitepage-update
func pageBody(stored *graph.SitePage) map[string]any {
	body := map[string]any{"@odata.type": "#microsoft.graph.sitePage", "title": stored.Title, "titleArea": stored.TitleArea, "canvasLayout": stored.Canvas}
	for name, v := range map[string]string{"description": stored.About, picture: stored.Thumbnail} {
		if v != "" {
			body[name] = v
		}
	}
	if stored.Promotion == "page" || stored.Promotion == "newsPost" { // others are SharePoint's own
		body["promotionKind"] = stored.Promotion
	}
	for name, v := range map[string]*bool{"showComments": stored.Comments, "showRecommendedPages": stored.Recommends} {
		if v != nil {
			body[name] = *v
		}
	}
	return body
}

// pageBy says who made and changed a page and when, as its item in its library, which makes no version. lost names what could not be set.
func (r *restore) pageBy(ctx context.Context, p engine.Put, page string, stored *graph.SitePage) (lost []string, err error) {
	l, _ := r.inList(p.Parent)
	if r.web == nil || l == nil {
		return nil, nil // what differs is named when the page is read back
	}
	var who []sharepoint.FormValue
	for column, i := range map[string]*graph.Identity{"Author": stored.CreatedBy, "Editor": stored.ModifiedBy} {
		login, err := r.loginOf(ctx, i)
		if err != nil {
			return nil, err
		}
		if login == "" {
			lost = append(lost, lostName(column))
			continue
		}
		who = append(who, sharepoint.FormValue{Name: column, Value: login})
	}
	id, err := r.web.FileItem(ctx, page)
	if err != nil {
		return lost, err
	}
	about := &storedItem{Created: stored.Created, Modified: stored.Modified, Fields: map[string]json.RawMessage{}}
	more, _, err := r.values(ctx, &place{id: l.id, stored: l.stored, title: l.title}, id, about, who...)
	return append(lost, more...), err
}

// samePage tells that of two pages all is alike that is written. The picture is left out: SharePoint chooses one when a page has none.
func samePage(now, stored *graph.SitePage) bool {
	differ := differentPage(now, stored)
	return len(differ) == 0 || len(differ) == 1 && differ[0] == picture
}

const picture = "thumbnailWebUrl"

// differentPage names what differs of two pages.
func differentPage(now, stored *graph.SitePage) (out []string) {
	if now.Title != stored.Title || !sameJSON(now.Canvas, stored.Canvas) || !sameJSON(now.TitleArea, stored.TitleArea) {
		out = append(out, "content")
	}
	flag := func(a, b *bool) bool { return b == nil || a != nil && *a == *b }
	for name, same := range map[string]bool{"description": now.About == stored.About, picture: stored.Thumbnail == "" || now.Thumbnail == stored.Thumbnail, "promotionKind": stored.Promotion == "" || now.Promotion == stored.Promotion,
		"showComments": flag(now.Comments, stored.Comments), "showRecommendedPages": flag(now.Recommends, stored.Recommends)} {
		if !same {
			out = append(out, name)
		}
	}
	return out
}

func published(p *graph.SitePage) bool {
	return p.Publishing != nil && p.Publishing.Level == "published"
}
