package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// libraryColumns are columns of every library whose values are the file's own properties, or SharePoint's. Hidden and read-only ones need not be named.
var libraryColumns = []string{"FileLeafRef", "Title", "ContentType", "_ExtendedDescription", "MediaServiceImageTags", "Modified_x0020_By", "Created_x0020_By", "ParentLeafName", "DocConcurrencyNumber"}

const (
	columnType = "ContentType"
	folderType = "0x0120" // begins the ids of content types of folders
)

// ownColumns names the columns of a library that its site made, in order, and Title and the content type besides when there are any; none: the values of its files and folders
// need not be asked for.
func ownColumns(columns []graph.Column, types []graph.ContentType) []string {
	var out []string
	for _, c := range columns {
		if !c.ReadOnly && !c.Hidden && !slices.Contains(libraryColumns, c.Name) {
			out = append(out, c.Name)
		}
	}
	kinds := 0
	for _, t := range types {
		if !strings.HasPrefix(t.ID, folderType) {
			kinds++
		}
	}
	if len(out) == 0 && kinds < 2 {
		return nil
	}
	out = append(out, "Title", columnType)
	slices.Sort(out)
	return out
}

// storedColumns is what FormColumns holds: the fields as Graph served them, those of ownColumns and who made and changed the file and when.
type storedColumns struct {
	ContentType string                     `json:"contentType,omitempty"`
	Fields      map[string]json.RawMessage `json:"fields"`
}

// systemFields are kept of every item.
var systemFields = []string{"AuthorLookupId", "EditorLookupId", "Created", "Modified"}

// trimmed keeps of an item of a library what FormColumns holds.
func trimmed(it *graph.ListItem, own []string) (storedColumns, error) {
	out := storedColumns{Fields: map[string]json.RawMessage{}}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(it.Fields, &all); err != nil {
		return out, fmt.Errorf("values of item %s: %w", it.ID, err)
	}
	take := func(name string) {
		if v, ok := all[name]; ok {
			out.Fields[name] = v
		}
	}
	for _, name := range own {
		if name != columnType {
			take(name)
			take(name + "LookupId")
		}
	}
	for _, name := range systemFields {
		take(name)
	}
	if it.ContentType != nil && slices.Contains(own, columnType) {
		out.ContentType = it.ContentType.Name
	}
	return out, nil
}

// The values of many files are listed, which is far cheaper than asking for each. They wait in memory until the drive tells of their files.
const (
	mostListed = 16 << 20 // bytes of them at a time; for files that come while they wait, each is asked
	// listedAfter is how long before the list began a file must have been changed last for its listed values to be those of its row: the clocks of
	// servers differ, and the drive's row may be newer than the list.
	listedAfter = 5 * time.Minute
	// fewAsked is how many files a later walk over everything asks for one by one before it lists them: mostly few have changed.
	fewAsked = 20
)

// columnReader reads the values of one library's files.
type columnReader struct {
	*reader
	l   *known
	own []string

	mu     sync.Mutex        // guards what is below, and is held while a page is listed
	asked  int               // files of a later walk that were asked for one by one
	began  time.Time         // zero: nothing was listed yet
	next   string            // the list's next page; empty when there is none
	listed map[string][]byte // by the file's unique id
	held   int               // bytes of listed
}

// columnsOf gives what reads the columns of a library's files and folders; nil when it has none of its own.
func (r *reader) columnsOf(l *known) func(context.Context, *graph.DriveItem, bool) (holdfast.Payload, error) {
	own := strings.Fields(l.item.Fields[fieldColumns])
	if len(own) == 0 {
		return nil
	}
	return (&columnReader{reader: r, l: l, own: own}).of
}

func (c *columnReader) of(ctx context.Context, row *graph.DriveItem, whole bool) (holdfast.Payload, error) {
	if whole {
		raw, err := c.fromList(ctx, row)
		if err != nil {
			return holdfast.Payload{}, err
		}
		if raw != nil {
			return holdfast.Whole(holdfast.FormColumns, bytes.NewReader(raw), int64(len(raw))), nil
		}
	}
	it, err := c.g.FileListItem(ctx, c.l.drive, row.ID, true)
	if err != nil {
		return holdfast.Payload{}, err
	}
	values, err := trimmed(it, c.own)
	if err != nil {
		return holdfast.Payload{}, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: err}
	}
	p, _, err := jsonOf(holdfast.FormColumns, values)
	return p, err
}

// fromList gives the values that a list of all has of a file, nil when it has none that are surely those of the row.
func (c *columnReader) fromList(ctx context.Context, row *graph.DriveItem) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.began.IsZero() {
		if !c.prev.Empty() && c.asked < fewAsked {
			c.asked++
			return nil, nil
		}
		c.began, c.listed = c.g.M365().Clock().Now(), map[string][]byte{}
		if err := c.take(c.g.ListItems(ctx, c.c.Source, c.l.id, everyItem)); err != nil {
			return nil, err
		}
	}
	if row.Modified.IsZero() || row.Modified.After(c.began.Add(-listedAfter)) {
		return nil, nil
	}
	id := uniqueID(row.ETag)
	for c.listed[id] == nil && c.next != "" && c.held < mostListed {
		if err := c.take(graph.Follow[graph.ListItem](ctx, c.g, c.next, everyItem)); err != nil {
			return nil, err
		}
	}
	raw := c.listed[id]
	if raw != nil {
		c.held -= cost(id, raw)
		delete(c.listed, id)
	}
	return raw, nil
}

var everyItem = graph.List{Top: pageSize, Expand: []string{"fields"}}

// cost is about what a listed value takes in memory.
func cost(id string, raw []byte) int { return len(raw) + len(id) + 64 }

// take takes a page of the list. A list that is refused, or breaks off, ends there: each file that it lacks is asked for.
func (c *columnReader) take(page *graph.Page[graph.ListItem], err error) error {
	c.next = ""
	if err != nil {
		if m365.Skip(err) == nil {
			return err
		}
		return nil
	}
	for i := range page.Value {
		it := &page.Value[i]
		id := uniqueID(it.ETag)
		if id == "" {
			continue
		}
		values, err := trimmed(it, c.own)
		if err != nil {
			continue // the file itself says so when it is asked for
		}
		raw, err := json.Marshal(values)
		if err != nil {
			return fmt.Errorf("encode values of item %s: %w", it.ID, err)
		}
		if old, twice := c.listed[id]; twice {
			c.held -= cost(id, old)
		}
		c.held += cost(id, raw)
		c.listed[id] = raw
	}
	c.next = page.NextLink
	return nil
}

// uniqueID is the id in SharePoint that the tag of a file and that of its list's item both carry: "{GUID},5" of the one, "guid,7" of the other.
func uniqueID(tag string) string {
	id, _, ok := strings.Cut(strings.Trim(tag, `"`), ",")
	if !ok {
		return ""
	}
	return strings.ToLower(strings.Trim(id, "{}"))
}
