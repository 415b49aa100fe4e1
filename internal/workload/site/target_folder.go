package site

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// tokenIn begins what Folder gives out of a folder in a list: "in:", the list there, "|" and the folder's server-relative path; behind engine.Planned when a
// dry run would make it.
const tokenIn = "in:"

// inList is the list that a token names, and the server-relative path of the folder in it; empty: the list itself.
func (r *restore) inList(token string) (l *place, at string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rest, ok := strings.CutPrefix(strings.TrimPrefix(token, engine.Planned), tokenIn); ok {
		cut := strings.LastIndexByte(rest, '|') // no path has one
		if cut < 0 {
			return nil, ""
		}
		return r.lists[rest[:cut]], rest[cut+1:]
	}
	return r.lists[token], ""
}

// listFolder finds or makes a folder in a list: in its own list by its number, else by its name. Without a certificate there are none, and what would
// be in it goes to where it would be.
func (r *restore) listFolder(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	l, at := r.inList(parent)
	if l == nil {
		return "", &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("the list that it is of could not be put back")}
	}
	if r.web == nil {
		return parent, nil
	}
	token := func(path string) string { return tokenIn + l.id + "|" + path }
	planned := strings.HasPrefix(l.id, engine.Planned) || strings.HasPrefix(parent, engine.Planned)
	if !planned {
		there, err := r.ownFolder(ctx, l, folder)
		if err != nil || there != "" {
			return token(there), err
		}
		if at == "" {
			if at, err = r.rootOf(ctx, l); err != nil {
				return "", err
			}
		}
		_, err = r.web.FolderItem(ctx, at+"/"+folder.Name)
		if m365.KindOf(err) != m365.NotFound {
			return token(at + "/" + folder.Name), err
		}
	}
	if r.plan.DryRun {
		return engine.Planned + token(at+"/"+folder.Name), nil
	}
	if err := r.plan.Making(ctx, "folder "+folder.ID); err != nil {
		return "", err
	}
	_, refused, err := r.web.Add(ctx, l.id, sharepoint.NewItem{In: at, Folder: folder.Name})
	if len(refused) > 0 || m365.OutcomeUnknown(err) || m365.KindOf(err) == m365.Conflict { // perhaps it came meanwhile
		if _, there := r.web.FolderItem(ctx, at+"/"+folder.Name); there == nil {
			refused, err = nil, nil
		}
	}
	if len(refused) > 0 {
		err = &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("SharePoint does not make the folder: %s", refused[0].Message)}
	}
	if err == nil {
		r.mu.Lock()
		r.folders[token(at+"/"+folder.Name)] = true
		r.mu.Unlock()
	}
	return token(at + "/" + folder.Name), err
}

// ownFolder is the path of the folder in its own list that it was; empty when it is not there.
func (r *restore) ownFolder(ctx context.Context, l *place, folder holdfast.Item) (string, error) {
	if !r.same || l.id != l.stored {
		return "", nil
	}
	_, id, _ := strings.Cut(folder.ID, ".")
	row, err := r.g.ListItem(ctx, r.site, l.id, id, graph.List{Select: []string{"id", "webUrl", "contentType"}})
	if m365.KindOf(err) == m365.NotFound || err == nil && (row.ContentType == nil || !strings.HasPrefix(row.ContentType.ID, folderType)) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	u, err := url.Parse(row.WebURL)
	if err != nil {
		return "", fmt.Errorf("address of the folder %q: %w", folder.Name, err)
	}
	return u.Path, nil
}

func (r *restore) rootOf(ctx context.Context, l *place) (string, error) {
	r.mu.Lock()
	root := l.root
	r.mu.Unlock()
	if root != "" {
		return root, nil
	}
	root, err := r.web.Root(ctx, l.id)
	r.mu.Lock()
	l.root = root
	r.mu.Unlock()
	return root, err
}

// folderHistory makes the older versions of a folder that an earlier attempt has not made: each is one more than there was, and a folder can't be made anew
// as an item is, for something may be in it.
func (r *restore) folderHistory(ctx context.Context, p engine.Put, l *place, id string, stored *storedItem) (lost []string, err error) {
	first, err := r.g.ListItemVersions(ctx, r.site, l.id, id, graph.List{})
	made := -1 // the present one is none
	for _, err := range graph.All(ctx, r.g, first, err, graph.List{}) {
		if err != nil {
			return nil, err
		}
		made++
	}
	return r.history(ctx, p.Marker, l, id, stored, func(yield func(engine.PutVersion, error) bool) {
		n := 0
		for v, err := range p.Versions {
			if n++; err == nil && n <= made {
				continue
			}
			if !yield(v, err) {
				return
			}
		}
	})
}

// settleListFolder gives a folder that this restore made its older versions, its values, who made and changed it and when, and its permissions.
func (r *restore) settleListFolder(ctx context.Context, p engine.Put) error {
	l, at := r.inList(p.NewID)
	if l == nil {
		return nil
	}
	if r.web == nil {
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("folders in lists are made by SharePoint's own interface alone, which takes only applications that sign in by certificate; its items are in the list itself")}
	}
	r.mu.Lock()
	made := r.folders[p.NewID]
	r.mu.Unlock()
	earlier, err := r.plan.Made(ctx, "folder "+p.Item.ID)
	if err != nil || !made && !earlier || at == "" || l.columns == nil {
		return err
	}
	var stored storedItem
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return err
	}
	id, err := r.web.FolderItem(ctx, at)
	if err != nil {
		return err
	}
	var lost []string
	var more []sharepoint.FormValue
	switch name := stored.ContentType.Name; {
	case name == "":
	case l.types[name] == "":
		lost = append(lost, lostType)
	default:
		more = append(more, sharepoint.FormValue{Name: columnType, Value: name})
	}
	if p.Versions != nil {
		missing, err := r.folderHistory(ctx, p, l, id, &stored)
		lost = append(lost, missing...)
		if err != nil {
			return err
		}
	}
	missing, late, err := r.values(ctx, l, id, &stored, more...)
	lost = append(lost, missing...)
	if err != nil {
		return err
	}
	lost = append(lost, r.await(l, id, p.Item.Kind, late)...)
	if r.plan.Permissions && p.Item.Fields[fieldUnique] == "true" {
		if lost, err = r.share(ctx, p, sharepoint.Scope{List: l.id, Item: id}, lost); err != nil {
			return err
		}
	}
	if lost, err = r.compare(ctx, l, id, &stored, nil, lost); err != nil {
		return err
	}
	_, old, _ := strings.Cut(p.Item.ID, ".")
	r.remember(l.stored, old, id)
	if lost = slices.DeleteFunc(lost, func(c string) bool { return l.columns[c].Geolocation != nil }); len(lost) > 0 { // no item has its location back
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("of the folder these could not be put back: %s", strings.Join(lost, ", "))}
	}
	return nil
}

// create makes an item, without its values, where it was: Graph makes those of the list itself, SharePoint's own interface those in a folder.
func (r *restore) create(ctx context.Context, l *place, at, contentType string, fields map[string]any) (*graph.ListItem, error) {
	if at == "" || r.web == nil {
		return r.g.CreateListItem(ctx, r.site, l.id, l.types[contentType], fields)
	}
	n := sharepoint.NewItem{In: at}
	for name, v := range fields {
		n.Values = append(n.Values, sharepoint.FormValue{Name: name, Value: fmt.Sprint(v)})
	}
	if l.types[contentType] != "" {
		n.Values = append(n.Values, sharepoint.FormValue{Name: columnType, Value: contentType})
	}
	id, refused, err := r.web.Add(ctx, l.id, n)
	if len(refused) > 0 {
		err = &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("SharePoint does not make it in the folder %q: %s: %s", path.Base(at), refused[0].Name, refused[0].Message)}
	}
	return &graph.ListItem{ID: id}, err
}
