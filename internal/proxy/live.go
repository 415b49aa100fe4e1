package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"holdfast/internal/engine"
	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
)

// Plan tells what a restore would do and what that takes, by the code that restores. It changes nothing.
func (p *Proxy) Plan(ctx context.Context, a Access, request holdfast.RestoreRequest, limit int) (plan holdfast.RestorePlan, err error) {
	if p.ForRestore != nil {
		ctx = p.ForRestore(ctx)
	}
	point, err := p.Control.RestorePoint(ctx, request.Point)
	if err != nil {
		return plan, fmt.Errorf("look up the restore point: %w", err)
	}
	at := slices.IndexFunc(point.Entries, func(e holdfast.PointEntry) bool { return e.Container.Key() == request.From })
	if at < 0 || point.Entries[at].Head == 0 {
		return plan, holdfast.NotFound("the restore point of %s does not have %s", point.Time, request.From)
	}
	from := point.Entries[at].Container
	w, err := p.workload(from.Kind)
	if err != nil {
		return plan, err
	}
	to, err := p.destination(ctx, w, a, from, request.To)
	if err != nil {
		return plan, err
	}
	target, err := w.Target(ctx, a.Organization, a.Credential)
	if err != nil {
		return plan, fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
	}
	repo, err := p.open(ctx, a, point.Organization)
	if err != nil {
		return plan, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	var mu sync.Mutex // guards plan while items are told of
	tell := func(r holdfast.ItemResult) {
		holdfast.Progress(ctx, 1)
		mu.Lock()
		defer mu.Unlock()
		switch engine.Outcome(r.Outcome) {
		case engine.Created:
			plan.Created++
		case engine.Overwritten:
			plan.Overwritten++
		case engine.Existing:
			plan.Existing++
		default:
			plan.Skipped++
		}
		if r.NewID = strings.TrimPrefix(r.NewID, engine.Planned); len(plan.Items) < limit {
			plan.Items = append(plan.Items, r)
		} else {
			plan.More = true
		}
	}
	for _, part := range byState(request, point.Entries[at].Head) {
		head, err := p.state(ctx, point, request.From, part.head)
		if err != nil {
			return plan, err
		}
		cost, err := p.engine.Plan(ctx, repo, head, target, engine.RestoreTask{Request: part.request, From: from, To: to}, tell)
		if err != nil {
			return plan, p.explained(err)
		}
		plan.Cost.Add(cost)
	}
	slices.SortStableFunc(plan.Items, func(a, b holdfast.ItemResult) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Item, b.Item))
	})
	if p.Pace != nil {
		plan.Time, plan.Limit = p.Pace(from.Kind, plan.Cost)
	}
	return plan, nil
}

// Changes gives what Microsoft 365 has now that differs from a stored state, by path.
func (p *Proxy) Changes(ctx context.Context, a Access, at holdfast.View) (out []holdfast.Difference, err error) {
	record, err := p.Control.Head(ctx, at.Repository, at.Organization, at.Container, at.Head)
	if err != nil {
		return nil, fmt.Errorf("look up the state of %s: %w", at.Container, err)
	}
	head, err := engine.HeadOf(&record)
	if err != nil {
		return nil, err
	}
	c := record.Container
	c.Organization = at.Organization
	w, err := p.workload(c.Kind)
	if err != nil {
		return nil, err
	}
	src, err := w.Source(ctx, a.Organization, a.Credential)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
	}
	repo, err := p.open(ctx, a, at.Organization)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	changes, err := p.engine.Changes(ctx, repo, head, src, c)
	if err != nil {
		return nil, p.explained(err)
	}
	view, err := repo.View(ctx, head)
	if err != nil {
		return nil, err
	}
	now := map[string]holdfast.Item{} // folders as they are now
	for _, ch := range changes {
		if ch.After.Kind == holdfast.KindFolder {
			now[ch.After.ID] = ch.After
		}
	}
	path := func(item holdfast.Item, now map[string]holdfast.Item) (string, error) {
		names := []string{strings.ReplaceAll(item.Name, "/", "\\/")}
		seen := map[string]bool{}
		for id := item.Parent; id != "" && !seen[id]; {
			seen[id] = true
			above, ok := now[id]
			if !ok {
				var err error
				if above, ok, err = view.Item(ctx, id); err != nil {
					return "", err
				} else if !ok {
					break
				}
			}
			names = append(names, strings.ReplaceAll(above.Name, "/", "\\/"))
			id = above.Parent
		}
		slices.Reverse(names)
		return "/" + strings.Join(names, "/"), nil
	}
	out = []holdfast.Difference{}
	for _, ch := range changes {
		d := holdfast.Difference{Kind: ch.Kind, ID: cmp.Or(ch.Before.ID, ch.After.ID)}
		if ch.Kind != holdfast.Added {
			d.Before = &holdfast.Entry{Item: ch.Before}
			if d.Before.Path, err = path(ch.Before, nil); err != nil {
				return nil, err
			}
		}
		if ch.Kind != holdfast.Removed {
			d.After = &holdfast.Entry{Item: ch.After}
			if d.After.Path, err = path(ch.After, now); err != nil {
				return nil, err
			}
		}
		if ch.Kind == holdfast.Changed {
			d.Properties = explorer.Properties(ch.Before, ch.After)
			for _, key := range []string{holdfast.FieldBody, holdfast.FieldHash} {
				if ch.Before.Fields[key] != ch.After.Fields[key] {
					d.Properties = append(d.Properties, "content")
					break
				}
			}
			// Of a mail that is exported only its version says that there is something else in it.
			exported := ch.Before.Kind == holdfast.KindMail && ch.Before.Fields[holdfast.FieldBody] == "" && ch.After.Fields[holdfast.FieldBody] == ""
			if exported && len(d.Properties) == 0 && ch.Before.Version != ch.After.Version {
				d.Properties = append(d.Properties, "content")
			}
			if len(d.Properties) == 0 {
				continue
			}
		}
		out = append(out, d)
	}
	where := func(d holdfast.Difference) string {
		if d.Before != nil {
			return d.Before.Path
		}
		return d.After.Path
	}
	slices.SortFunc(out, func(a, b holdfast.Difference) int {
		return cmp.Or(strings.Compare(where(a), where(b)), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// explained puts an error into words for people.
func (p *Proxy) explained(err error) error {
	if p.Explain != nil {
		return p.Explain(err)
	}
	return err
}
