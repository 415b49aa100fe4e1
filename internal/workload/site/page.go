package site

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
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
		body := map[string]any{"@odata.type": "#microsoft.graph.sitePage", "title": stored.Title, "titleArea": stored.TitleArea, "canvasLayout": stored.Canvas}
		at := ""
		if there != nil {
			at = there.ID
		} else {
			body["name"], body["pageLayout"] = name, stored.Layout
		}
		if there, err = r.g.WritePage(ctx, r.site, at, body); err != nil {
			return engine.Restored{}, err
		}
	}
	out.NewID = there.ID
	if published(&stored) {
		if err := r.g.PublishPage(ctx, r.site, there.ID); err != nil {
			return out, err
		}
	}
	now, err := r.g.SitePage(ctx, r.site, there.ID)
	if err != nil {
		return out, err
	}
	if !samePage(now, &stored) {
		out.Lost = append(out.Lost, "content")
	}
	out.Lost = append(out.Lost, "author", "created", "editor", "modified")
	return out, nil
}

// samePage compares what of a page is written.
func samePage(a, b *graph.SitePage) bool {
	return a.Title == b.Title && sameJSON(a.Canvas, b.Canvas) && sameJSON(a.TitleArea, b.TitleArea)
}

func published(p *graph.SitePage) bool {
	return p.Publishing != nil && p.Publishing.Level == "published"
}
