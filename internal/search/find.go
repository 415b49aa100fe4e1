package search

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
	"holdfast/internal/query"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

const (
	counted  = 10_000                 // up to here totals are exact
	counting = 400 * time.Millisecond // and as long as counting takes no longer
	snipping = 400 * time.Millisecond // of a page's snippets together
)

// container is a row of containers.
type container struct {
	holdfast.Container
	id         int64
	repository holdfast.RepositoryID
	head       uint64
	problem    string
}

// place is where a page ended.
type place struct {
	ID           int64                   `json:"i"`
	Organization holdfast.OrganizationID `json:"o"`
}

// found is one hit.
type found struct {
	id  int64
	org int
}

// Search finds what matches q in all of scope together, by the items' time. Errors in q are holdfast.KindInvalid.
func (x *Index) Search(ctx context.Context, q holdfast.SearchQuery, scope []holdfast.SearchScope) (holdfast.SearchPage, error) {
	page := holdfast.SearchPage{Total: -1}
	if q.Limit < 1 || q.Limit > holdfast.SearchLimit {
		return page, holdfast.Invalid("a page of a search has from 1 to %d results", holdfast.SearchLimit)
	}
	var n query.Node
	if strings.TrimSpace(q.Text) != "" {
		var err error
		rules := query.Rules{Now: q.Now, Place: q.Place}
		n, err = rules.Parse(q.Text)
		if plain := query.Plain(q.Text); err != nil && q.Lenient && plain != "" {
			n, err = rules.Parse(plain)
		}
		if err != nil {
			return page, holdfast.Invalid("%w", err)
		}
	}
	var after *place
	if q.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil || json.Unmarshal(raw, &after) != nil || after == nil {
			return page, holdfast.Invalid("the cursor is none that a search gave")
		}
	}
	scope = slices.Clone(scope)
	slices.SortFunc(scope, func(a, b holdfast.SearchScope) int { return cmp.Compare(a.Organization, b.Organization) })
	var all []found
	parts := make([]*part, len(scope))
	if after == nil {
		page.Total, page.Exact = 0, true
	}
	for i, s := range scope {
		p := &part{index: x, query: q, node: n, scope: s, after: after}
		parts[i] = p
		if err := p.find(ctx); err != nil {
			return page, err
		}
		for _, id := range p.ids {
			all = append(all, found{id, i})
		}
		page.NotIndexed = append(page.NotIndexed, p.pending...)
		if after == nil {
			page.Total += p.total
			page.Exact = page.Exact && p.exact
		}
	}
	slices.SortFunc(all, func(a, b found) int {
		if q.Oldest {
			return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.org, b.org))
		}
		return cmp.Or(cmp.Compare(b.id, a.id), cmp.Compare(a.org, b.org))
	})
	if len(all) > q.Limit {
		all = all[:q.Limit]
		last := all[len(all)-1]
		raw, err := json.Marshal(place{last.id, scope[last.org].Organization})
		if err != nil {
			return page, err
		}
		page.Cursor = base64.RawURLEncoding.EncodeToString(raw)
	}
	began := sys.Monotonic()
	snippets := snipper{index: x, words: query.Words(n)}
	defer snippets.close()
	for _, f := range all {
		r, ok, err := parts[f.org].result(ctx, f.id)
		if err != nil {
			return page, err
		} else if !ok {
			continue // retention was faster
		}
		if !q.Plain && sys.Monotonic()-began < snipping {
			r.Snippet = snippets.of(ctx, &r)
		}
		page.Results = append(page.Results, r)
	}
	return page, nil
}

// part is a search in one organization.
type part struct {
	index *Index
	query holdfast.SearchQuery
	node  query.Node
	scope holdfast.SearchScope
	after *place

	containers []container
	interval   string // condition on v: a restore point that is asked for has the version
	intervalAt []any
	ids        []int64 // one more than the page has, when there is more
	total      int64
	exact      bool
	pending    []holdfast.NotIndexed
}

func (p *part) with(ctx context.Context, fn func(f *file) error) error {
	s, err := p.index.shelf(p.scope.Organization)
	if err != nil {
		return err
	}
	return p.index.with(ctx, s, fn)
}

func (p *part) find(ctx context.Context) error {
	return p.with(ctx, func(f *file) error {
		p.ids, p.pending, p.total, p.exact = nil, nil, 0, true
		// One state of all of it: runs go when they are merged.
		tx, err := f.read.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // only read
		if p.containers, err = containersOf(ctx, tx, p.scope); err != nil {
			return err
		}
		if p.pending, err = p.notIndexed(ctx, tx); err != nil || len(p.containers) == 0 {
			return err
		}
		if err := p.points(ctx, tx); err != nil {
			return err
		}
		return p.run(ctx, tx)
	})
}

// containersOf gives the containers in scope.
func containersOf(ctx context.Context, db querier, scope holdfast.SearchScope) (list []container, err error) {
	err = each(ctx, db, `SELECT id, repository, kind, source, name, address, owner, head, problem FROM containers`, nil, func(scan func(...any) error) error {
		c := container{Container: holdfast.Container{Organization: scope.Organization}}
		if err := scan(&c.id, &c.repository, &c.Kind, &c.Source, &c.Name, &c.Address, &c.Owner, &c.head, &c.problem); err != nil {
			return err
		}
		if scope.All || slices.Contains(scope.Containers, c.Key()) {
			list = append(list, c)
		}
		return nil
	})
	return list, err
}

// notIndexed gives those of the containers that lack a head which a restore point in question shows.
func (p *part) notIndexed(ctx context.Context, db querier) (list []holdfast.NotIndexed, err error) {
	missing := map[int64]int64{}
	until := int64(1<<63 - 1)
	if !p.query.At.IsZero() {
		until = p.query.At.UnixNano()
	}
	err = each(ctx, db, `SELECT container, min(first) FROM heads WHERE done = 0 AND first <= ? GROUP BY container`, []any{until}, func(scan func(...any) error) error {
		var id, first int64
		err := scan(&id, &first)
		missing[id] = first
		return err
	})
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, c := range p.containers {
		if first, ok := missing[c.id]; ok {
			listed[string(c.repository)+c.Key()] = true
			list = append(list, holdfast.NotIndexed{Organization: p.scope.Organization, Repository: c.repository, Container: c.Container, Since: time.Unix(0, first).UTC(), Err: c.problem})
		}
	}
	return p.unheard(ctx, db, listed, list)
}

// mostUnheard is how many restore points that the side file does not know are read. More there are only where it is made anew: then all that
// was ever backed up, and is not in it, may be missing.
const mostUnheard = 4

// unheard adds the containers of restore points that the indexer has not even seen yet: a moment after a backup.
func (p *part) unheard(ctx context.Context, db querier, listed map[string]bool, list []holdfast.NotIndexed) ([]holdfast.NotIndexed, error) {
	all, err := p.index.c.Catalogue.Points(ctx, p.scope.Organization)
	if err != nil {
		return nil, err
	}
	known := map[holdfast.RestorePointID]bool{}
	if err := each(ctx, db, `SELECT id FROM points`, nil, func(scan func(...any) error) error {
		var id holdfast.RestorePointID
		err := scan(&id)
		known[id] = true
		return err
	}); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(r holdfast.RestorePoint) bool {
		return known[r.ID] || !p.query.At.IsZero() && r.Time.After(p.query.At)
	})
	slices.SortFunc(all, func(a, b holdfast.RestorePoint) int { return b.Time.Compare(a.Time) })
	add := func(repository holdfast.RepositoryID, c holdfast.Container) {
		key := c.Key()
		if listed[string(repository)+key] || !p.scope.All && !slices.Contains(p.scope.Containers, key) {
			return
		}
		listed[string(repository)+key] = true
		list = append(list, holdfast.NotIndexed{Organization: p.scope.Organization, Repository: repository, Container: c, Since: all[len(all)-1].Time.UTC()})
	}
	for _, r := range all[:min(len(all), mostUnheard)] {
		full, err := p.index.c.Catalogue.Point(ctx, r.ID)
		if holdfast.KindOf(err) == holdfast.KindNotFound {
			continue // retention was faster
		} else if err != nil {
			return nil, err
		}
		done := map[string]bool{}
		if err := each(ctx, db, `SELECT c.key, h.head FROM heads h JOIN containers c ON c.id = h.container WHERE h.done AND c.repository = ?`, []any{r.Repository}, func(scan func(...any) error) error {
			var key string
			var head uint64
			err := scan(&key, &head)
			done[fmt.Sprint(key, "/", head)] = true
			return err
		}); err != nil {
			return nil, err
		}
		for _, e := range full.Entries {
			if e.Head > 0 && !done[fmt.Sprint(e.Container.Key(), "/", e.Head)] {
				add(r.Repository, e.Container)
			}
		}
	}
	if len(all) <= mostUnheard {
		return list, nil
	}
	backed, err := p.index.c.Catalogue.Containers(ctx, p.scope.Organization)
	if err != nil {
		return nil, err
	}
	begun := map[string]bool{}
	if err := each(ctx, db, `SELECT repository, key FROM containers c WHERE EXISTS(SELECT 1 FROM heads h WHERE h.container = c.id AND h.done)`, nil, func(scan func(...any) error) error {
		var repository, key string
		err := scan(&repository, &key)
		begun[repository+key] = true
		return err
	}); err != nil {
		return nil, err
	}
	for _, c := range backed {
		if c.Head > 0 && !begun[string(c.Repository)+c.Key()] {
			add(c.Repository, c.Container)
		}
	}
	return list, nil
}

// points says which heads count: at a time, of each container the newest that a restore point had by then; else all in restore points.
func (p *part) points(ctx context.Context, db querier) error {
	in := make([]int64, len(p.containers))
	for i, c := range p.containers {
		in[i] = c.id
	}
	scoped := ""
	if !p.scope.All {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		scoped = "v.container IN (SELECT value FROM json_each(?)) AND "
		p.intervalAt = append(p.intervalAt, string(raw))
	}
	if p.query.At.IsZero() {
		p.interval = scoped + "EXISTS(SELECT 1 FROM heads h WHERE h.container = v.container AND h.head >= v.born AND h.head < ifnull(v.gone, 9223372036854775807) AND h.done)"
		return nil
	}
	at := map[int64]int64{}
	err := each(ctx, db, `SELECT container, max(head) FROM heads WHERE done AND first <= ? GROUP BY container`, []any{p.query.At.UnixNano()}, func(scan func(...any) error) error {
		var id, head int64
		err := scan(&id, &head)
		at[id] = head
		return err
	})
	if err != nil {
		return err
	}
	raw, err := json.Marshal(at)
	if err != nil {
		return err
	}
	p.interval = scoped + "EXISTS(SELECT 1 FROM at WHERE at.container = v.container AND at.head >= v.born AND at.head < ifnull(v.gone, 9223372036854775807))"
	p.intervalAt = append([]any{string(raw)}, p.intervalAt...)
	return nil
}

// run gives the page's numbers and the total.
func (p *part) run(ctx context.Context, db querier) error {
	c := compiler{containers: p.containers, folders: func(m matcher) ([]int64, error) { return foldersNamed(ctx, db, m) }}
	s, err := c.compile(p.node)
	if err != nil {
		return err
	}
	p.narrow(&s)
	var q strings.Builder
	var args []any
	if !p.query.At.IsZero() {
		// Materialized, so that it gets an index; its argument is the first.
		q.WriteString("WITH at AS MATERIALIZED (SELECT CAST(key AS INTEGER) AS container, value AS head FROM json_each(?)) ")
		args, p.intervalAt = append(args, p.intervalAt[0]), p.intervalAt[1:]
	}
	q.WriteString("SELECT d.id FROM json_each(?) c CROSS JOIN docs d ON d.id = c.value WHERE 1")
	args = append(args, candidatesHere)
	if !p.query.From.IsZero() {
		q.WriteString(" AND d.time >= ?")
		args = append(args, clampedNanoseconds(p.query.From))
	}
	if !p.query.Until.IsZero() {
		q.WriteString(" AND d.time <= ?")
		args = append(args, clampedNanoseconds(p.query.Until))
	}
	if len(p.query.Kinds) > 0 {
		q.WriteString(" AND d.kind IN (SELECT value FROM json_each(?))")
		raw, err := json.Marshal(p.query.Kinds)
		if err != nil {
			return err
		}
		args = append(args, string(raw))
	}
	if p.query.Deleted {
		q.WriteString(" AND " + deleted)
	}
	fmt.Fprintf(&q, " AND EXISTS(SELECT 1 FROM versions v WHERE v.doc = d.id AND %s", p.interval)
	args = append(args, p.intervalAt...)
	for _, w := range s.where {
		q.WriteString(" AND (" + w + ")")
	}
	q.WriteString(")")
	args = append(args, s.args...)
	from, err := candidatesOf(ctx, db, s, args, p.query.Oldest)
	if err != nil {
		return err
	}
	return p.collect(ctx, db, q.String(), args, from)
}

// narrow takes what the query says besides its text into the bounds of numbers.
func (p *part) narrow(s *compiled) {
	if !p.query.From.IsZero() {
		s.low = max(s.low, secondsOf(p.query.From)<<22)
	}
	if !p.query.Until.IsZero() {
		s.high = min(s.high, (secondsOf(p.query.Until)+1)<<22)
	}
	if p.after == nil {
		return
	}
	// At the same number, organizations follow in order of their ids.
	one := int64(1)
	if p.after.Organization < p.scope.Organization {
		one = 0
	}
	if p.query.Oldest {
		s.low = max(s.low, p.after.ID+one)
	} else {
		s.high = min(s.high, p.after.ID-one)
	}
}

// foldersNamed gives the folders whose names meet a condition.
func foldersNamed(ctx context.Context, db querier, m matcher) (list []int64, err error) {
	list = []int64{}
	err = each(ctx, db, `SELECT DISTINCT f.id, d.name FROM docs d JOIN folders f ON f.container = d.container AND f.item = d.item WHERE d.kind = 'folder'`, nil, func(scan func(...any) error) error {
		var id int64
		var name string
		if err := scan(&id, &name); err != nil {
			return err
		}
		if m.says(wordsOf(name)) {
			list = append(list, id)
		}
		return nil
	})
	return list, err
}

// deleted: the newest head that a restore point has does not have the item in any version.
const deleted = `NOT EXISTS(SELECT 1 FROM docs d3 JOIN versions v3 ON v3.doc = d3.id WHERE d3.key = d.key AND d3.container = d.container AND d3.item = d.item
	AND (SELECT max(n.head) FROM heads n WHERE n.container = d.container AND n.done) BETWEEN v3.born AND ifnull(v3.gone, 9223372036854775807) - 1)`

var errEnough = errors.New("enough")

// Candidates are asked about in pieces: few at first, for a page is small.
const (
	firstPiece = 128
	laterPiece = 1024
)

// collect reads the page and counts on while that is cheap.
func (p *part) collect(ctx context.Context, db querier, q string, args []any, from *candidates) error {
	began := sys.Monotonic()
	n, examined := int64(0), 0
	size := firstPiece
	for {
		piece := from.next(size)
		if len(piece) == 0 {
			p.total = n
			return nil
		}
		size = laterPiece
		examined += len(piece)
		now, err := from.arguments(args, piece)
		if err != nil {
			return err
		}
		if err := each(ctx, db, q, now, func(scan func(...any) error) error {
			var id int64
			if err := scan(&id); err != nil {
				return err
			}
			if n++; len(p.ids) <= p.query.Limit {
				p.ids = append(p.ids, id)
			}
			return nil
		}); err != nil {
			return err
		}
		if len(p.ids) > p.query.Limit && (n > counted || p.after != nil || sys.Monotonic()-began > counting) {
			break
		}
	}
	if examined == from.total {
		p.total = n
		return nil
	}
	// Of what was looked at so far, n match: the others are taken to match as often.
	p.exact = false
	p.total = max(n, int64(float64(n)*float64(from.total)/float64(examined)))
	return nil
}

// result gives what is shown of a document; ok is false when it is there no more.
func (p *part) result(ctx context.Context, id int64) (r holdfast.SearchResult, ok bool, err error) {
	err = p.with(ctx, func(f *file) error {
		r, ok, err = p.read(ctx, f.read, id)
		return err
	})
	return r, ok, err
}

func (p *part) read(ctx context.Context, db *sql.DB, id int64) (r holdfast.SearchResult, ok bool, err error) {
	r = holdfast.SearchResult{Organization: p.scope.Organization}
	i := &r.Item
	i.Fields = map[string]string{}
	var container, at int64
	var sender, to, cc, class string
	err = db.QueryRowContext(ctx, `SELECT container, item, kind, name, sender, recipients, cc, time, size, class, `+deleted+` FROM docs d WHERE id = ?`, id).
		Scan(&container, &i.ID, &i.Kind, &i.Name, &sender, &to, &cc, &at, &i.Size, &class, &r.Deleted)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	} else if err != nil {
		return r, false, err
	}
	i.Time = time.Unix(0, at).UTC()
	if at == -1<<63 {
		i.Time = time.Time{}
	}
	from := holdfast.FieldAuthor
	if i.Kind == holdfast.KindMail || i.Kind == holdfast.KindEvent || i.Kind == holdfast.KindPost {
		from = holdfast.FieldFrom
	}
	for key, value := range map[string]string{from: sender, holdfast.FieldTo: to, holdfast.FieldCc: cc, holdfast.FieldClass: class} {
		if value != "" {
			i.Fields[key] = value
		}
	}
	for _, c := range p.containers {
		if c.id == container {
			r.Repository, r.Container = c.repository, c.Container
		}
	}
	// The newest version in question gives folder and marks; first and last are over all of them.
	q, args := `SELECT v.born, v.marks, v.categories, f.item, h.head, h.first, h.first_point, h.last, h.last_point FROM versions v JOIN folders f ON f.id = v.folder
		JOIN heads h ON h.container = v.container AND h.head >= v.born AND h.head < ifnull(v.gone, 9223372036854775807) AND h.done WHERE v.doc = ? ORDER BY h.head`, []any{id}
	var folder string
	n := 0
	err = each(ctx, db, q, args, func(scan func(...any) error) error {
		var born, head, first, last int64
		var marks int
		var categories string
		var firstPoint, lastPoint holdfast.RestorePointID
		var in string
		if err := scan(&born, &marks, &categories, &in, &head, &first, &firstPoint, &last, &lastPoint); err != nil {
			return err
		}
		if n++; n == 1 {
			r.First = holdfast.SearchPoint{ID: firstPoint, Time: time.Unix(0, first).UTC()}
		}
		if !p.query.At.IsZero() && first > p.query.At.UnixNano() && r.Head > 0 {
			// Folder and marks are those at the time asked for.
		} else {
			r.Head, folder = uint64(head), in
			mark(i, marks, categories)
		}
		r.Last = holdfast.SearchPoint{ID: lastPoint, Time: time.Unix(0, last).UTC()}
		return nil
	})
	if err != nil || n == 0 {
		return r, false, err
	}
	i.Parent = folder
	r.Folder, err = folderPath(ctx, db, container, folder, r.Head)
	return r, true, err
}

func mark(i *holdfast.Item, marks int, categories string) {
	for m, field := range map[int][2]string{markRead: {holdfast.FieldRead, "true"}, markFlagged: {holdfast.FieldFlag, "flagged"}, markAttached: {holdfast.FieldAttached, "true"}} {
		if delete(i.Fields, field[0]); marks&m != 0 {
			i.Fields[field[0]] = field[1]
		}
	}
	delete(i.Fields, holdfast.FieldImportance)
	switch {
	case marks&markHigh != 0:
		i.Fields[holdfast.FieldImportance] = "high"
	case marks&markLow != 0:
		i.Fields[holdfast.FieldImportance] = "low"
	}
	if delete(i.Fields, holdfast.FieldCategories); categories != "" {
		i.Fields[holdfast.FieldCategories] = categories
	}
}

// deepestFolder bounds a path; a tree that bites its tail ends there.
const deepestFolder = 64

// folderPath gives the names from the root to a folder as a head has them.
func folderPath(ctx context.Context, db *sql.DB, container int64, item string, head uint64) (string, error) {
	var names []string
	for range deepestFolder {
		var name, parent string
		err := db.QueryRowContext(ctx, `SELECT d.name, f.item FROM docs d JOIN versions v ON v.doc = d.id JOIN folders f ON f.id = v.folder
			WHERE d.key = ? AND d.container = ? AND d.item = ? AND v.born <= ? AND ifnull(v.gone, 9223372036854775807) > ?`, keyOf(container, item), container, item, head, head).Scan(&name, &parent)
		if errors.Is(err, sql.ErrNoRows) {
			break
		} else if err != nil {
			return "", err
		}
		names = append(names, strings.ReplaceAll(name, "/", `\/`))
		item = parent
	}
	slices.Reverse(names)
	return strings.Join(names, "/"), nil
}

// Status says how far the index of an organization is.
func (x *Index) Status(ctx context.Context, scope holdfast.SearchScope) (holdfast.SearchStatus, error) {
	st := holdfast.SearchStatus{Organization: scope.Organization}
	s, err := x.shelf(scope.Organization)
	if err != nil {
		return st, err
	}
	p := &part{index: x, scope: scope}
	err = x.with(ctx, s, func(f *file) error {
		if p.containers, err = containersOf(ctx, f.read, scope); err != nil {
			return err
		}
		if st.Pending, err = p.notIndexed(ctx, f.read); err != nil {
			return err
		}
		for _, suffix := range []string{"", "-wal"} {
			if info, err := os.Stat(f.path + suffix); err == nil {
				st.Bytes += info.Size()
			}
		}
		return f.read.QueryRowContext(ctx, `SELECT ifnull(sum(docs), 0) - (SELECT count(*) FROM dead) FROM runs`).Scan(&st.Documents)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Working, st.Indexed, st.Err = s.working, s.synced, s.problem
	return st, err
}

// snipper shows where words stand in what was found. It reads the vault, so it keeps what it has open for a page.
type snipper struct {
	index *Index
	words []query.Term
	repos map[vault.Ref]*vault.Repository
	views map[string]*vault.View
}

// longestSnipped is the largest item that is opened for its snippet.
const longestSnipped = 1 << 20

// of gives a piece of an item's text around the first word that was looked for; empty when there is none, or reading it fails: what was
// found is found all the same.
func (s *snipper) of(ctx context.Context, r *holdfast.SearchResult) string {
	var wanted []string
	for _, t := range s.words {
		if t.Field == query.Any || t.Field == query.Body {
			cut := wordsOf
			if t.Wild() {
				cut = patternsOf
			}
			for _, w := range cut(t.Text) {
				wanted = append(wanted, strings.Trim(w, "*?"))
			}
		}
	}
	if len(wanted) == 0 || r.Item.Size > longestSnipped || r.Item.Kind == holdfast.KindFolder {
		return ""
	}
	v, err := s.view(ctx, r)
	if err != nil {
		return ""
	}
	content, ok, err := v.Content(ctx, r.Item.ID)
	if err != nil || !ok {
		return ""
	}
	text, err := textOf(ctx, &r.Item, content, extract.Limits{Input: longestSnipped, Unpacked: longestSnipped, Text: 64 << 10}, nil)
	if err != nil {
		return ""
	}
	return around(text.Text, wanted)
}

func (s *snipper) view(ctx context.Context, r *holdfast.SearchResult) (*vault.View, error) {
	key := fmt.Sprintf("%s/%s/%s/%d", r.Organization, r.Repository, r.Container.Key(), r.Head)
	if v, ok := s.views[key]; ok {
		return v, nil
	}
	c := s.index.c.Catalogue
	record, err := c.Head(ctx, r.Repository, r.Organization, r.Container.Key(), r.Head)
	if err != nil {
		return nil, err
	}
	head, err := vault.DecodeHead(record.Data)
	if err != nil {
		return nil, err
	}
	path, err := c.Path(ctx, r.Repository)
	if err != nil {
		return nil, err
	}
	ref := vault.Ref{Repository: r.Repository, Path: path, Organization: r.Organization, Shard: head.Shard}
	repo := s.repos[ref]
	if repo == nil {
		if repo, err = s.index.c.Vault.Repository(ctx, ref); err != nil {
			return nil, err
		}
		if s.repos == nil {
			s.repos, s.views = map[vault.Ref]*vault.Repository{}, map[string]*vault.View{}
		}
		s.repos[ref] = repo
	}
	v, err := repo.View(ctx, head)
	if err == nil {
		s.views[key] = v
	}
	return v, err
}

func (s *snipper) close() {
	for _, r := range s.repos {
		_ = r.Close() // only read
	}
}

// around cuts some twenty words around the first one that begins with one of wanted.
func around(body string, wanted []string) string {
	const before, after = 6, 16
	words := strings.Fields(body)
	for i, w := range words {
		for _, p := range strings.FieldsFunc(Fold(w), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			if !slices.ContainsFunc(wanted, func(x string) bool { return strings.HasPrefix(p, x) }) {
				continue
			}
			from, to := max(0, i-before), min(len(words), i+after)
			out := strings.Join(words[from:to], " ")
			if from > 0 {
				out = "… " + out
			}
			if to < len(words) {
				out += " …"
			}
			if r := []rune(out); len(r) > 400 {
				out = string(r[:400]) + " …"
			}
			return out
		}
	}
	return ""
}
