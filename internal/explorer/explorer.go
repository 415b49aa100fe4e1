// Package explorer browses, searches and opens what a restore point holds. It reads the vault only, so it works with Microsoft 365
// down.
package explorer

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"path"
	"slices"
	"strings"
	"sync"

	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// HeadSource gives heads by number. proxy.Control has it.
type HeadSource interface {
	Head(ctx context.Context, repository holdfast.RepositoryID, organization holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error)
}

// Config configures an Explorer. All but CacheBytes is needed.
type Config struct {
	Vault *vault.Vault
	Heads HeadSource
	// Paths gives the folder of a repository.
	Paths      func(ctx context.Context, id holdfast.RepositoryID) (string, error)
	CacheBytes int64 // of the results of searches and of folders' paths; default 32 MiB. The orders of folders are in the vault's own cache.
}

// Explorer fills service.Explorer, but for Export. It is safe for concurrent use.
type Explorer struct {
	c Config

	mu     sync.Mutex // guards all below
	recent *list.List // of *kept, newest first
	kept   map[string]*list.Element
	bytes  int64
}

// kept is an answer that is likely to be asked for again: restore points do not change.
type kept struct {
	key   string
	value any
	bytes int64
}

// New makes an Explorer.
func New(c Config) *Explorer {
	if c.CacheBytes <= 0 {
		c.CacheBytes = 32 << 20
	}
	return &Explorer{c: c, recent: list.New(), kept: map[string]*list.Element{}}
}

func (e *Explorer) recall(key string) (any, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	el, ok := e.kept[key]
	if !ok {
		return nil, false
	}
	e.recent.MoveToFront(el)
	return el.Value.(*kept).value, true
}

// keep remembers value, and forgets what was asked for longest ago. What is larger than a quarter of the cache is not kept.
func (e *Explorer) keep(key string, value any, bytes int64) {
	bytes += int64(len(key)) + 200
	if bytes > e.c.CacheBytes/4 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.kept[key]; ok {
		return
	}
	e.kept[key] = e.recent.PushFront(&kept{key, value, bytes})
	e.bytes += bytes
	for e.bytes > e.c.CacheBytes {
		el := e.recent.Back()
		old := el.Value.(*kept)
		e.recent.Remove(el)
		delete(e.kept, old.key)
		e.bytes -= old.bytes
	}
}

// Opened is a container at a restore point, open for reading. Close it.
type Opened struct {
	explorer *Explorer
	key      string // names the state in the cache
	repo     *vault.Repository
	view     *vault.View
	at       holdfast.View
	past     *vault.Past // with at.Earlier only
}

// At opens what at says.
func (e *Explorer) At(ctx context.Context, at holdfast.View) (*Opened, error) {
	if at.Head == 0 {
		return nil, holdfast.NotFound("this restore point holds nothing of %s: it had never been read then", at.Container)
	}
	head, err := e.head(ctx, at, at.Head)
	if err != nil {
		return nil, err
	}
	earlier, err := e.heads(ctx, at, at.Earlier)
	if err != nil {
		return nil, err
	}
	repo, err := e.repository(ctx, at, head.Shard)
	if err != nil {
		return nil, err
	}
	o := &Opened{explorer: e, key: fmt.Sprintf("%s\x00%s\x00%s\x00%d", at.Repository, at.Organization, at.Container, at.Head), repo: repo, at: at}
	if o.view, err = repo.View(ctx, head); err == nil && len(earlier) > 0 {
		o.past, err = repo.Past(ctx, head, earlier)
		last := at.Earlier[len(at.Earlier)-1]
		o.key += fmt.Sprintf("\x00%d\x00%d", len(at.Earlier), last.Head) // the states between are what the database says
	}
	if err != nil {
		return nil, errors.Join(err, repo.Close())
	}
	return o, nil
}

// head gives a state of the container by its number.
func (e *Explorer) head(ctx context.Context, at holdfast.View, number uint64) (*vault.Head, error) {
	key := fmt.Sprintf("head\x00%s\x00%s\x00%s\x00%d", at.Repository, at.Organization, at.Container, number)
	if known, ok := e.recall(key); ok {
		return known.(*vault.Head), nil
	}
	record, err := e.c.Heads.Head(ctx, at.Repository, at.Organization, at.Container, number)
	if err != nil {
		return nil, fmt.Errorf("look up state %d of %s: %w", number, at.Container, err)
	}
	head, err := vault.DecodeHead(record.Data)
	if err != nil {
		return nil, holdfast.Damaged("the database's record of state %d of %s can't be read: rebuild the catalogue from the repository: %w", number, at.Container, err)
	}
	if head.Container.Key() != at.Container || head.Number != number {
		return nil, holdfast.Damaged("the database's record of state %d of %s holds another one: rebuild the catalogue from the repository", number, at.Container)
	}
	e.keep(key, head, int64(len(record.Data)))
	return head, nil
}

// heads gives the different states among these, in their order.
func (e *Explorer) heads(ctx context.Context, at holdfast.View, states []holdfast.PastState) ([]*vault.Head, error) {
	var list []*vault.Head
	seen := map[uint64]bool{at.Head: true}
	for _, s := range states {
		if s.Head == 0 || seen[s.Head] {
			continue
		}
		seen[s.Head] = true
		head, err := e.head(ctx, at, s.Head)
		if err != nil {
			return nil, err
		}
		list = append(list, head)
	}
	return list, nil
}

func (e *Explorer) repository(ctx context.Context, at holdfast.View, shard int) (*vault.Repository, error) {
	folder, err := e.c.Paths(ctx, at.Repository)
	if err != nil {
		return nil, fmt.Errorf("look up repository %s: %w", at.Repository, err)
	}
	repo, err := e.c.Vault.Repository(ctx, vault.Ref{Repository: at.Repository, Path: folder, Organization: at.Organization, Shard: shard})
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", at.Repository, err)
	}
	return repo, nil
}

// Close ends reading; what Open gave is closed by its own Close.
func (o *Opened) Close() error { return o.repo.Close() }

// longestPage is the most that one page holds.
const longestPage = 10_000

// Items lists a folder, folders first, or finds.
func (e *Explorer) Items(ctx context.Context, q holdfast.ItemQuery) (page holdfast.ItemPage, err error) {
	if q.Offset < 0 || q.Limit < 0 || q.Limit > longestPage {
		return page, holdfast.Invalid("an offset must not be negative, and a limit must be between 0 and %d", longestPage)
	}
	order := vault.Order(cmp.Or(q.Sort, string(vault.ByTime)))
	if order != vault.ByTime && order != vault.ByName {
		return page, holdfast.Invalid("items can be sorted by time or by name, not by %q", q.Sort)
	}
	if q.Deleted && len(q.At.Earlier) == 0 {
		return holdfast.ItemPage{Entries: []holdfast.Entry{}}, nil // nothing earlier: nothing was deleted since
	}
	o, err := e.At(ctx, q.At)
	if err != nil {
		return page, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	var items []vault.Gone
	if q.Search != "" {
		items, page.Total, err = o.find(ctx, q, order)
	} else {
		items, page.Total, err = o.list(ctx, q, order)
	}
	if err != nil {
		return holdfast.ItemPage{}, err
	}
	page.Entries = make([]holdfast.Entry, len(items))
	for i, item := range items {
		if page.Entries[i], err = o.entryOf(ctx, item); err != nil {
			return holdfast.ItemPage{}, err
		}
		if page.Entries[i].Replies, err = o.replies(ctx, item.Item); err != nil {
			return holdfast.ItemPage{}, err
		}
	}
	return page, nil
}

// replies counts those to a post.
func (o *Opened) replies(ctx context.Context, post holdfast.Item) (n int, err error) {
	if post.Kind != holdfast.KindPost || post.Fields[holdfast.FieldReplyTo] != "" {
		return 0, nil
	}
	for _, err := range o.view.Children(ctx, post.ID) {
		if err != nil {
			return 0, fmt.Errorf("count the replies to %q: %w", post.Name, err)
		}
		n++
	}
	return n, nil
}

// there are items that the state has.
func there(items []holdfast.Item) []vault.Gone {
	out := make([]vault.Gone, len(items))
	for i, item := range items {
		out[i].Item = item
	}
	return out
}

func wanted(kinds []holdfast.ItemKind, kind holdfast.ItemKind) bool {
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}

// list pages through what is directly in a folder.
func (o *Opened) list(ctx context.Context, q holdfast.ItemQuery, order vault.Order) (items []vault.Gone, total int64, err error) {
	var folders []vault.Gone
	if wanted(q.Kinds, holdfast.KindFolder) {
		if folders, err = o.folders(ctx, q.Parent, order); err != nil {
			return nil, -1, err
		}
		if q.Deleted {
			folders = slices.DeleteFunc(slices.Clone(folders), func(g vault.Gone) bool { return g.Head == nil })
		}
		items = slices.Clone(folders[min(q.Offset, len(folders)):min(q.Offset+q.Limit, len(folders))])
	}
	if len(q.Kinds) > 0 && !slices.ContainsFunc(q.Kinds, func(k holdfast.ItemKind) bool { return k != holdfast.KindFolder }) {
		return items, int64(len(folders)), nil
	}
	if mixed(q.Kinds) {
		return o.some(ctx, q, order)
	}
	// A folder's other items are all of one kind: a mailbox has mail, a drive files.
	f, err := o.folder(ctx, q.Parent, order, q.Deleted)
	if err != nil {
		return nil, -1, err
	}
	offset, limit := max(q.Offset-len(folders), 0), q.Limit-len(items)
	rest, err := f.Page(ctx, offset, limit)
	if err != nil {
		return nil, -1, err
	}
	n := len(rest)
	rest = slices.DeleteFunc(rest, func(g vault.Gone) bool { return !wanted(q.Kinds, g.Item.Kind) })
	items = append(items, rest...)
	switch {
	case n < limit && (offset == 0 || n > 0):
		return items, int64(len(folders) + offset + n), nil
	case offset == 0:
		return items, -1, nil // the first page does not wait for the order of all
	}
	n, err = f.Count(ctx)
	return items, int64(len(folders) + n), err
}

// mixed says that a list is of what a channel has beside something else: posts without tabs, or tabs without posts.
func mixed(kinds []holdfast.ItemKind) bool {
	return len(kinds) > 0 && !slices.Contains(kinds, holdfast.KindFolder) && slices.Contains(kinds, holdfast.KindPost) != slices.Contains(kinds, holdfast.KindTab)
}

// some pages through what is directly in a folder and of some kinds only.
func (o *Opened) some(ctx context.Context, q holdfast.ItemQuery, order vault.Order) ([]vault.Gone, int64, error) {
	return o.paged(ctx, fmt.Sprintf("some\x00%s\x00%s\x00%q\x00%v\x00%s", o.key, order, q.Kinds, q.Deleted, q.Parent), q, order, func(take func(holdfast.Item)) error {
		for e, err := range o.Children(ctx, q.Parent) {
			if err != nil {
				return fmt.Errorf("list folder %q: %w", q.Parent, err)
			}
			if wanted(q.Kinds, e.Kind) && (e.Deleted || !q.Deleted) {
				take(e.Item)
			}
		}
		return nil
	})
}

// listing is a folder that is paged through.
type listing interface {
	Page(ctx context.Context, offset, limit int) ([]vault.Gone, error)
	Count(ctx context.Context) (int, error)
}

func (o *Opened) folder(ctx context.Context, parent string, order vault.Order, deletedOnly bool) (listing, error) {
	if o.past != nil {
		return o.past.Folder(parent, order, deletedOnly)
	}
	f, err := o.view.Folder(ctx, parent, order)
	return present{f}, err
}

// present is a folder as the state has it.
type present struct{ *vault.Folder }

func (p present) Page(ctx context.Context, offset, limit int) ([]vault.Gone, error) {
	items, err := p.Folder.Page(ctx, offset, limit)
	return there(items), err
}

// folders gives the folders in a folder, in order.
func (o *Opened) folders(ctx context.Context, parent string, order vault.Order) ([]vault.Gone, error) {
	key := "folders\x00" + o.key + "\x00" + string(order) + "\x00" + parent
	if known, ok := o.explorer.recall(key); ok {
		return known.([]vault.Gone), nil
	}
	var all []vault.Gone
	var size int64
	for item, err := range o.view.Children(ctx, parent) {
		if err != nil {
			return nil, fmt.Errorf("list folder %q: %w", parent, err)
		}
		if item.Kind != holdfast.KindFolder {
			break // folders come first
		}
		all = append(all, vault.Gone{Item: item})
		size += itemBytes(item)
	}
	if o.past != nil {
		gone, err := o.past.Folders(ctx, parent)
		if err != nil {
			return nil, fmt.Errorf("list what was deleted from folder %q: %w", parent, err)
		}
		for _, g := range gone {
			all = append(all, g)
			size += itemBytes(g.Item)
		}
	}
	by := compare(order)
	slices.SortStableFunc(all, func(a, b vault.Gone) int { return by(a.Item, b.Item) })
	o.explorer.keep(key, all, size)
	return all, nil
}

func itemBytes(i holdfast.Item) int64 {
	n := 200 + len(i.ID) + len(i.Parent) + len(i.Version) + len(i.Name)
	for k, v := range i.Fields {
		n += 50 + len(k) + len(v)
	}
	return int64(n)
}

// compare orders items as the vault orders a folder; folders, whose time says little, are always by name.
func compare(order vault.Order) func(a, b holdfast.Item) int {
	byName := func(a, b holdfast.Item) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	}
	return func(a, b holdfast.Item) int {
		fa, fb := a.Kind == holdfast.KindFolder, b.Kind == holdfast.KindFolder
		switch {
		case fa != fb && fa:
			return -1
		case fa != fb:
			return 1
		case fa || order == vault.ByName:
			return byName(a, b)
		}
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.ID, b.ID))
	}
}

// find pages through what a search finds, below a folder or everywhere.
func (o *Opened) find(ctx context.Context, q holdfast.ItemQuery, order vault.Order) (items []vault.Gone, total int64, err error) {
	match, err := parseSearch(q.Search)
	if err != nil {
		return nil, -1, err
	}
	key := fmt.Sprintf("find\x00%s\x00%s\x00%q\x00%v\x00%s\x00%s", o.key, order, q.Kinds, q.Deleted, q.Parent, q.Search)
	return o.paged(ctx, key, q, order, func(take func(holdfast.Item)) error {
		for item, err := range o.below(ctx, q.Parent) {
			if q.Deleted {
				break
			}
			if err != nil {
				return fmt.Errorf("search: %w", err)
			}
			if item.Kind != holdfast.KindVersion && wanted(q.Kinds, item.Kind) && match(&item) {
				take(item)
			}
		}
		if o.past == nil {
			return nil
		}
		for g, err := range o.past.All(ctx) {
			if err != nil {
				return fmt.Errorf("search what was deleted: %w", err)
			}
			if inside, err := o.inside(ctx, g.Item, q.Parent); err != nil {
				return err
			} else if inside && g.Item.Kind != holdfast.KindVersion && wanted(q.Kinds, g.Item.Kind) && match(&g.Item) {
				take(g.Item)
			}
		}
		return nil
	})
}

// paged orders what all gives, once for all pages under a key, and looks up a page of it.
func (o *Opened) paged(ctx context.Context, key string, q holdfast.ItemQuery, order vault.Order, all func(take func(holdfast.Item)) error) (items []vault.Gone, total int64, err error) {
	var ids []string
	if known, ok := o.explorer.recall(key); ok {
		ids = known.([]string)
	} else {
		var found []holdfast.Item // only what is compared
		if err := all(func(item holdfast.Item) {
			slim := holdfast.Item{ID: item.ID, Kind: item.Kind, Time: item.Time}
			if order == vault.ByName || item.Kind == holdfast.KindFolder {
				slim.Name = item.Name
			}
			found = append(found, slim)
		}); err != nil {
			return nil, -1, err
		}
		slices.SortFunc(found, compare(order))
		var size int64
		ids = make([]string, len(found))
		for i, f := range found {
			ids[i] = f.ID
			size += int64(len(f.ID)) + 16
		}
		o.explorer.keep(key, ids, size)
	}
	for _, id := range ids[min(q.Offset, len(ids)):min(q.Offset+q.Limit, len(ids))] {
		item, ok, err := o.item(ctx, id)
		if err != nil {
			return nil, -1, err
		} else if !ok {
			return nil, -1, holdfast.Damaged("%q was listed but can't be looked up", id)
		}
		items = append(items, item)
	}
	return items, int64(len(ids)), nil
}

// item is an item that the state has or, when it shows what was deleted, had.
func (o *Opened) item(ctx context.Context, id string) (vault.Gone, bool, error) {
	item, ok, err := o.view.Item(ctx, id)
	if ok || err != nil || o.past == nil {
		return vault.Gone{Item: item}, ok, err
	}
	return o.past.Item(ctx, id)
}

// inside says whether an item is below a folder, however deep; everything is below "".
func (o *Opened) inside(ctx context.Context, item holdfast.Item, folder string) (bool, error) {
	seen := map[string]bool{}
	for id := item.Parent; folder != ""; {
		if id == folder {
			return true, nil
		}
		if id == "" || seen[id] {
			return false, nil
		}
		seen[id] = true
		above, ok, err := o.item(ctx, id)
		if err != nil {
			return false, fmt.Errorf("look up folder %q: %w", id, err)
		} else if !ok {
			return false, nil
		}
		id = above.Item.Parent
	}
	return true, nil
}

// below gives everything in a folder and in the folders in it; "" gives all there is.
func (o *Opened) below(ctx context.Context, parent string) iter.Seq2[holdfast.Item, error] {
	if parent == "" {
		return o.view.All(ctx)
	}
	return func(yield func(holdfast.Item, error) bool) {
		open, seen := []string{parent}, map[string]bool{parent: true}
		for len(open) > 0 {
			at := open[len(open)-1]
			open = open[:len(open)-1]
			for item, err := range o.view.Children(ctx, at) {
				if item.Kind == holdfast.KindFolder && seen[item.ID] {
					continue // the tree bites its tail
				}
				if !yield(item, err) || err != nil {
					return
				}
				if item.Kind == holdfast.KindFolder {
					seen[item.ID] = true
					open = append(open, item.ID)
				} else if item.Kind == holdfast.KindPost && item.Fields[holdfast.FieldReplyTo] == "" {
					open = append(open, item.ID) // its replies
				}
			}
		}
	}
}

// entryOf adds to an item what a list shows besides.
func (o *Opened) entryOf(ctx context.Context, g vault.Gone) (holdfast.Entry, error) {
	item := g.Item
	e := holdfast.Entry{Item: item}
	above, err := o.path(ctx, item.Parent)
	if err != nil {
		return e, err
	}
	e.Path = above + "/" + escape(item.Name)
	view := o.view
	if g.Head != nil {
		e.Deleted, e.Last = true, o.state(g.Head)
		if view, err = o.repo.View(ctx, g.Head); err != nil {
			return e, err
		}
	}
	payloads, err := view.Payloads(ctx, item.ID)
	if err != nil {
		return e, fmt.Errorf("look up the content of %q: %w", item.Name, err)
	}
	for _, p := range payloads {
		e.Forms = append(e.Forms, p.Form)
	}
	return e, nil
}

// state is the newest restore point that has a head.
func (o *Opened) state(h *vault.Head) holdfast.PastState { return stateOf(o.at.Earlier, h) }

func stateOf(states []holdfast.PastState, h *vault.Head) holdfast.PastState {
	for _, s := range states {
		if s.Head == h.Number {
			return s
		}
	}
	return holdfast.PastState{Head: h.Number}
}

// viewOf is the state that an entry was found in.
func (o *Opened) viewOf(ctx context.Context, e holdfast.Entry) (*vault.View, error) {
	if !e.Deleted {
		return o.view, nil
	}
	head, err := o.explorer.head(ctx, o.at, e.Last.Head)
	if err != nil {
		return nil, err
	}
	return o.repo.View(ctx, head)
}

func escape(name string) string { return strings.ReplaceAll(name, "/", "\\/") }

// path is the path of a folder: the names from the root; "" for the root itself.
func (o *Opened) path(ctx context.Context, id string) (string, error) {
	var missing []holdfast.Item // from id upwards
	seen := map[string]bool{}
	above := ""
	for id != "" && !seen[id] {
		if known, ok := o.explorer.recall("path\x00" + o.key + "\x00" + id); ok {
			above = known.(string)
			break
		}
		seen[id] = true
		item, ok, err := o.item(ctx, id)
		if err != nil {
			return "", fmt.Errorf("look up folder %q: %w", id, err)
		} else if !ok {
			break
		}
		missing = append(missing, item.Item)
		id = item.Item.Parent
	}
	for _, item := range slices.Backward(missing) {
		above += "/" + escape(item.Name)
		o.explorer.keep("path\x00"+o.key+"\x00"+item.ID, above, int64(len(above)))
	}
	return above, nil
}

// Item looks one item up.
func (e *Explorer) Item(ctx context.Context, at holdfast.View, id string) (entry holdfast.Entry, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return entry, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return o.Item(ctx, id)
}

// Item looks one item up.
func (o *Opened) Item(ctx context.Context, id string) (holdfast.Entry, error) {
	item, ok, err := o.item(ctx, id)
	if err != nil {
		return holdfast.Entry{}, fmt.Errorf("look up item %q: %w", id, err)
	} else if !ok {
		return holdfast.Entry{}, holdfast.NotFound("there is no item %q in this restore point", id)
	}
	return o.entryOf(ctx, item)
}

// Children gives what is directly in a folder, folders first; "" gives the roots.
func (o *Opened) Children(ctx context.Context, parent string) iter.Seq2[holdfast.Entry, error] {
	return func(yield func(holdfast.Entry, error) bool) {
		for item, err := range o.view.Children(ctx, parent) {
			if !yield(holdfast.Entry{Item: item}, err) { // after a *vault.LostError it goes on
				return
			}
		}
		if o.past == nil {
			return
		}
		gone, err := o.past.Folders(ctx, parent)
		if err != nil {
			yield(holdfast.Entry{}, err)
			return
		}
		f, err := o.past.Folder(parent, vault.ByTime, true)
		for offset := 0; err == nil; offset += longestPage {
			var page []vault.Gone
			if page, err = f.Page(ctx, offset, longestPage); err == nil {
				gone = append(gone, page...)
			}
			if len(page) < longestPage {
				break
			}
		}
		if err != nil {
			yield(holdfast.Entry{}, err)
			return
		}
		for _, g := range gone {
			if !yield(holdfast.Entry{Item: g.Item, Deleted: true, Last: o.state(g.Head)}, nil) {
				return
			}
		}
	}
}

// Versions gives the stored older versions of a file, newest first.
func (e *Explorer) Versions(ctx context.Context, at holdfast.View, id string) (versions []holdfast.Entry, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if _, err := o.Item(ctx, id); err != nil {
		return nil, err
	}
	versions = []holdfast.Entry{}
	for item, err := range o.Children(ctx, id) {
		if err != nil {
			return nil, fmt.Errorf("list the versions of %q: %w", id, err)
		}
		if item.Kind != holdfast.KindVersion {
			continue
		}
		entry, err := o.Item(ctx, item.ID)
		if err != nil {
			return nil, err
		}
		versions = append(versions, entry)
	}
	return versions, nil
}

// Open streams one item as a user wants it. Reading to the end proves the bytes.
func (e *Explorer) Open(ctx context.Context, at holdfast.View, id string) (holdfast.Content, error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return holdfast.Content{}, err
	}
	content, err := o.content(ctx, id)
	if err != nil {
		return holdfast.Content{}, errors.Join(err, o.Close())
	}
	content.Body = &lastBody{content.Body, o}
	return content, nil
}

// OpenForm streams one of an item's forms, such as a file that is attached to an item of a list.
func (e *Explorer) OpenForm(ctx context.Context, at holdfast.View, id string, form holdfast.Form) (holdfast.Content, error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return holdfast.Content{}, err
	}
	c, err := o.form(ctx, id, form)
	if err != nil {
		return holdfast.Content{}, errors.Join(err, o.Close())
	}
	c.Body = &lastBody{c.Body, o}
	return c, nil
}

func (o *Opened) form(ctx context.Context, id string, form holdfast.Form) (holdfast.Content, error) {
	entry, err := o.Item(ctx, id)
	if err != nil {
		return holdfast.Content{}, err
	}
	view, err := o.viewOf(ctx, entry)
	if err != nil {
		return holdfast.Content{}, err
	}
	payloads, err := view.Payloads(ctx, id)
	if err != nil {
		return holdfast.Content{}, err
	}
	c := holdfast.Content{FileName: strings.TrimPrefix(string(form), string(holdfast.FormAttachment)), Type: "application/octet-stream", Size: -1, Time: entry.Time}
	for _, p := range payloads {
		if p.Form == form {
			c.Size = p.Size
		}
	}
	body, ok, err := view.Open(ctx, id, form)
	if err != nil {
		return c, fmt.Errorf("open %s of %q: %w", form, entry.Name, err)
	} else if !ok {
		return c, holdfast.NotFound("%q has no %q in this restore point", entry.Name, form)
	}
	c.Body = body
	return c, nil
}

// OpenForm gives one of an item's forms.
func (o *Opened) OpenForm(ctx context.Context, id string, form holdfast.Form) (io.ReadCloser, error) {
	c, err := o.form(ctx, id, form)
	return c.Body, err
}

// lastBody closes what it was read from.
type lastBody struct {
	io.ReadCloser
	o *Opened
}

func (b *lastBody) Close() error { return errors.Join(b.ReadCloser.Close(), b.o.Close()) }

// content opens an item's bytes with what a download needs.
func (o *Opened) content(ctx context.Context, id string) (holdfast.Content, error) {
	entry, err := o.Item(ctx, id)
	if err != nil {
		return holdfast.Content{}, err
	}
	c := holdfast.Content{FileName: entry.Name, Type: "application/octet-stream", Size: -1, Time: entry.Time}
	form := formOf(entry.Kind)
	switch entry.Kind {
	case holdfast.KindMail:
		c.FileName, c.Type = cmp.Or(strings.TrimSpace(entry.Name), "(no subject)")+".eml", "message/rfc822"
	case holdfast.KindListItem, holdfast.KindPage, holdfast.KindPost, holdfast.KindTab:
		c.FileName, c.Type = entry.Name+".json", "application/json"
	case holdfast.KindVersion:
		if file, err := o.Item(ctx, entry.Parent); err == nil {
			ext := path.Ext(file.Name)
			if file.Kind == holdfast.KindListItem {
				file.Name += ".json"
				ext, form = ".json", holdfast.FormJSON
			}
			c.FileName = fmt.Sprintf("%s (version %s)%s", strings.TrimSuffix(file.Name, ext), entry.Name, ext)
		} else if holdfast.KindOf(err) != holdfast.KindNotFound {
			return c, err
		}
		fallthrough
	case holdfast.KindFile:
		if t := mime.TypeByExtension(path.Ext(c.FileName)); t != "" {
			c.Type = t
		}
	case holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting:
		c.FileName, c.Type = cardName(entry.Item), cardTypes[entry.Kind]
		c.Body, err = o.Open(ctx, entry)
		return c, err
	default:
		return c, holdfast.Invalid("%q is a folder: save what is in it as a ZIP", entry.Name)
	}
	view, err := o.viewOf(ctx, entry)
	if err != nil {
		return c, err
	}
	payloads, err := view.Payloads(ctx, id)
	if err != nil {
		return c, err
	}
	for _, p := range payloads {
		if p.Form == form {
			c.Size = p.Size
		}
	}
	c.Body, err = o.Open(ctx, entry)
	return c, err
}

func formOf(kind holdfast.ItemKind) holdfast.Form {
	switch kind {
	case holdfast.KindMail:
		return holdfast.FormMIME
	case holdfast.KindListItem, holdfast.KindPage, holdfast.KindPost, holdfast.KindTab:
		return holdfast.FormJSON
	}
	return holdfast.FormFile
}

// Open gives an item's bytes: a mail's MIME as it was stored or, of one that was exported, as it is made of the export, a file's content, a contact as vCard, an event or a task as iCalendar, the JSON of a list's item, a post, a tab or
// of a page.
func (o *Opened) Open(ctx context.Context, entry holdfast.Entry) (io.ReadCloser, error) {
	if cardTypes[entry.Kind] != "" {
		return o.card(ctx, entry)
	}
	return o.stored(ctx, entry, formOf(entry.Kind))
}

// stored gives the stored bytes of a form.
func (o *Opened) stored(ctx context.Context, entry holdfast.Entry, form holdfast.Form) (io.ReadCloser, error) {
	view, err := o.viewOf(ctx, entry)
	if err != nil {
		return nil, err
	}
	body, ok, err := view.Open(ctx, entry.ID, form)
	if err == nil && !ok && entry.Kind == holdfast.KindVersion { // of a list's item
		body, ok, err = view.Open(ctx, entry.ID, holdfast.FormJSON)
	}
	if err == nil && !ok && form == holdfast.FormMIME { // of a mail that was exported
		body, ok, err = view.Open(ctx, entry.ID, holdfast.FormFTS)
		if why := entry.Fields[holdfast.FieldUnreadable]; ok && why != "" {
			return nil, errors.Join(holdfast.Conflict("%q is stored as Exchange exported it, in a form that Holdfast can't show (%s): it can be restored", entry.Name, why), body.Close())
		}
		if ok {
			body = fasttransfer.EML(body)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", entry.Name, err)
	} else if !ok {
		return nil, holdfast.NotFound("the restore point has no content of %q", entry.Name)
	}
	return body, nil
}
