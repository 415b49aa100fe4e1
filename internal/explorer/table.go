package explorer

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"holdfast/internal/explorer/card"
	"holdfast/internal/holdfast"
)

// Of a site's container: the folder at its top, and the form of it that lists whom the site knows. Its lists are folders whose field "list" has their
// own id, by which lookups name them.
const (
	siteRoot  = "site"
	formUsers = holdfast.Form("users")
	fieldList = "list"

	specialLibrary = "library" // a list whose items are files
)

// table reads the items of one list.
type table struct {
	o       *Opened
	columns card.Columns
	names   card.Names
	err     error // of looking a name up
}

// table opens the list of an item, or a list itself.
func (o *Opened) table(ctx context.Context, list string) (*table, error) {
	entry, err := o.Item(ctx, list)
	if err != nil {
		return nil, err
	}
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil {
		return nil, err
	} else if entry.Kind != holdfast.KindFolder || entry.Fields[fieldList] == "" || raw == nil {
		return nil, holdfast.Invalid("%q is not a list", entry.Name)
	}
	t := &table{o: o}
	if t.columns, err = card.ColumnsOf(raw); err != nil {
		return nil, err
	}
	var people map[int]string
	t.names.Person = func(id int) string {
		if people == nil {
			people = t.people(ctx)
		}
		return people[id]
	}
	items := map[string]string{}
	t.names.Item = func(list string, id int) string {
		key := list + "." + strconv.Itoa(id)
		name, known := items[key]
		if !known {
			entry, err := o.Item(ctx, key)
			if holdfast.KindOf(err) != holdfast.KindNotFound {
				t.err = errors.Join(t.err, err)
			}
			name = entry.Name
			if len(items) < longestPage {
				items[key] = name
			}
		}
		return name
	}
	return t, nil
}

// people are the names of those whom the site knows, by their numbers there.
func (t *table) people(ctx context.Context) map[int]string {
	out := map[int]string{}
	root, err := t.o.Item(ctx, siteRoot)
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return out
	}
	var all []struct {
		ID    int `json:"Id"`
		Title string
	}
	raw, rerr := t.o.whole(ctx, root, formUsers)
	if err = errors.Join(err, rerr); err == nil && raw != nil {
		err = json.Unmarshal(raw, &all)
	}
	t.err = errors.Join(t.err, err)
	for _, p := range all {
		out[p.ID] = p.Title
	}
	return out
}

// values are those of an item of a list, or of a file of a library with its content type where the library has several.
func (t *table) values(ctx context.Context, entry holdfast.Entry) (map[string]string, error) {
	form := holdfast.FormJSON
	if entry.Kind == holdfast.KindFile {
		form = holdfast.FormColumns
	}
	raw, err := t.o.whole(ctx, entry, form)
	if err != nil {
		return nil, err
	} else if raw == nil {
		return map[string]string{}, nil
	}
	values, err := t.read(raw)
	if err != nil || entry.Kind != holdfast.KindFile {
		return values, err
	}
	var of struct{ ContentType string }
	if err := json.Unmarshal(raw, &of); err != nil {
		return nil, holdfast.Damaged("the columns of %q can't be read: %w", entry.Name, err)
	}
	if of.ContentType != "" {
		values[columnType] = of.ContentType
	}
	return values, nil
}

// shown are the columns that people see, with the content type of a library's files, which an item of a list tells otherwise.
func (t *table) shown(files bool) []holdfast.ListColumn {
	if !files {
		return t.columns.Shown()
	}
	return append(t.columns.Shown(), contentType)
}

// Values reads what items of one list, or files of one library, have in its columns.
type Values struct {
	t *table
	// List is the list or library, and Columns are those that people see.
	List    holdfast.Entry
	Columns []holdfast.ListColumn
}

// ListOf finds the list or library that an item is in, or that it is; a KindNotFound error when it is in none.
func (o *Opened) ListOf(ctx context.Context, id string) (list holdfast.Entry, err error) {
	for range deepest {
		if list, err = o.Item(ctx, id); err != nil || list.Fields[fieldList] != "" {
			return list, err
		}
		id = list.Parent
	}
	return list, holdfast.NotFound("%q is in no list", list.Name)
}

// Values opens the columns of a list or library.
func (o *Opened) Values(ctx context.Context, list string) (*Values, error) {
	t, err := o.table(ctx, list)
	if err != nil {
		return nil, err
	}
	entry, err := o.Item(ctx, list)
	if err != nil {
		return nil, err
	}
	return &Values{t, entry, t.shown(entry.Fields[holdfast.FieldSpecial] == specialLibrary)}, nil
}

// Of gives the values of an item or a file by the names of the columns; what it does not have is absent.
func (v *Values) Of(ctx context.Context, id string) (map[string]string, error) {
	entry, err := v.t.o.Item(ctx, id)
	if err != nil {
		return nil, err
	}
	return v.t.values(ctx, entry)
}

func (t *table) read(raw []byte) (map[string]string, error) {
	values, err := t.columns.Values(raw, t.names)
	return values, errors.Join(err, t.err)
}

// Row is an item of a list, or an older version of one, column by column.
func (o *Opened) row(ctx context.Context, entry holdfast.Entry) (*holdfast.RowCard, error) {
	list := entry.Parent
	if entry.Kind == holdfast.KindVersion {
		item, err := o.Item(ctx, entry.Parent)
		if err != nil {
			return nil, err
		}
		list = item.Parent
	}
	of, err := o.ListOf(ctx, list) // perhaps folders above
	if err != nil {
		return nil, err
	}
	t, err := o.table(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	values, err := t.values(ctx, entry)
	if err != nil {
		return nil, err
	}
	return t.card(values), nil
}

func (t *table) card(values map[string]string) *holdfast.RowCard {
	out := &holdfast.RowCard{Values: []holdfast.ColumnValue{}}
	for _, c := range t.columns.Shown() {
		if v, ok := values[c.Name]; ok {
			out.Values = append(out.Values, holdfast.ColumnValue{ListColumn: c, Value: v})
		}
	}
	return out
}

// columnType is the column that says of what content type an item is.
const columnType = "ContentType"

var contentType = holdfast.ListColumn{Name: columnType, Title: "Content type", Kind: "text"}

// Values are what a file of a site's library has in the library's columns, with its content type where the library has several; nil when nothing is
// stored of that.
func (e *Explorer) Values(ctx context.Context, at holdfast.View, id string) (out *holdfast.RowCard, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	entry, err := o.Item(ctx, id)
	if err != nil || entry.Kind != holdfast.KindFile {
		return nil, err
	}
	raw, err := o.whole(ctx, entry, holdfast.FormColumns)
	if err != nil || raw == nil {
		return nil, err
	}
	library, err := o.ListOf(ctx, entry.Parent)
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return nil, nil // what the columns are is not known
	} else if err != nil {
		return nil, err
	}
	t, err := o.table(ctx, library.ID)
	if err != nil {
		return nil, err
	}
	values, err := t.values(ctx, entry)
	if err != nil {
		return nil, err
	}
	out = t.card(values)
	if of, ok := values[columnType]; ok {
		out.Values = append(out.Values, holdfast.ColumnValue{ListColumn: contentType, Value: of})
	}
	return out, nil
}

// Table gives a page of the items of a list, or of the files in a library or one of its folders, each with its values.
func (e *Explorer) Table(ctx context.Context, q holdfast.ItemQuery) (out holdfast.ListTable, err error) {
	o, err := e.At(ctx, q.At)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	in, err := o.Item(ctx, q.Parent)
	if err != nil {
		return out, err
	}
	list := in
	if in.Kind == holdfast.KindFolder {
		if list, err = o.ListOf(ctx, q.Parent); holdfast.KindOf(err) == holdfast.KindNotFound {
			list = in // table says that it is no list
		} else if err != nil {
			return out, err
		}
	}
	t, err := o.table(ctx, list.ID)
	if err != nil {
		return out, err
	}
	files := list.Fields[holdfast.FieldSpecial] == specialLibrary
	q.Kinds = []holdfast.ItemKind{holdfast.KindListItem}
	if files {
		q.Kinds = []holdfast.ItemKind{holdfast.KindFile}
	}
	page, err := e.Items(ctx, q)
	if err != nil {
		return out, err
	}
	out = holdfast.ListTable{Columns: t.shown(files), Rows: []holdfast.ListRow{}, Total: page.Total}
	for _, entry := range page.Entries {
		values, err := t.values(ctx, entry)
		if err != nil {
			return out, err
		}
		out.Rows = append(out.Rows, holdfast.ListRow{ID: entry.ID, Name: entry.Name, Time: entry.Time, Values: values})
	}
	return out, nil
}

// Formats of a list that is written as one file.
const (
	TableCSV  = "csv"
	TableJSON = "json"
)

// WriteTable writes all items of a list as CSV (RFC 4180, UTF-8 with a byte order mark, the titles of the columns in the first line) or as a JSON array.
func (e *Explorer) WriteTable(ctx context.Context, at holdfast.View, list, format string, w io.Writer) (err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	t, err := o.table(ctx, list)
	if err != nil {
		return err
	}
	out := newTableWriter(format, t.columns.Shown(), w)
	for entry, err := range o.Children(ctx, list) {
		if err != nil {
			return err
		} else if entry.Kind != holdfast.KindListItem {
			continue
		}
		whole, err := o.Item(ctx, entry.ID)
		if err != nil {
			return err
		}
		values, err := t.values(ctx, whole)
		if err == nil {
			err = out.row(holdfast.ListRow{ID: entry.ID, Name: entry.Name, Time: entry.Time.UTC(), Values: values, Attached: whole.Attached()})
		}
		if err != nil {
			return err
		}
	}
	return out.end()
}

type tableWriter struct {
	columns []holdfast.ListColumn
	w       io.Writer
	csv     *csv.Writer // nil: JSON
	n       int
	err     error
}

func newTableWriter(format string, columns []holdfast.ListColumn, w io.Writer) *tableWriter {
	t := &tableWriter{columns: columns, w: w}
	if format == TableJSON {
		return t
	}
	_, t.err = io.WriteString(w, "\ufeff") // else spreadsheets take it for another charset
	t.csv = csv.NewWriter(w)
	t.csv.UseCRLF = true
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = holdfast.Cell(c.Title)
	}
	t.err = errors.Join(t.err, t.csv.Write(head))
	return t
}

func (t *tableWriter) row(r holdfast.ListRow) error {
	if t.err != nil {
		return t.err
	}
	t.n++
	if t.csv != nil {
		cells := make([]string, len(t.columns))
		for i, c := range t.columns {
			cells[i] = holdfast.ValueCell(r.Values[c.Name])
		}
		return t.csv.Write(cells)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	before := ",\n"
	if t.n == 1 {
		before = "[\n"
	}
	_, err = t.w.Write(append([]byte(before), raw...))
	return err
}

func (t *tableWriter) end() error {
	if t.err != nil {
		return t.err
	}
	if t.csv != nil {
		t.csv.Flush()
		return t.csv.Error()
	}
	text := "\n]\n"
	if t.n == 0 {
		text = "[]\n"
	}
	_, err := io.WriteString(t.w, text)
	return err
}
