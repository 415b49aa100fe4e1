package export

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
)

// A ZIP of a library or a list has two files beside what it holds: ValuesName.csv for spreadsheets and ValuesName.json with the exact values, which say what each file or item has in the columns.
const ValuesName = "values"

// lists is a Source that knows the columns of lists and libraries.
type lists interface {
	ListOf(ctx context.Context, id string) (holdfast.Entry, error)
	Values(ctx context.Context, list string) (*explorer.Values, error)
}

// listed is what was exported of one list or library.
type listed struct {
	id    string
	at    place  // the list's folder in the ZIP, or that in which what was chosen of it lies
	name  string // of the two files, without their endings
	items []exportedItem
}

type exportedItem struct{ id, path string }

// list notes that an item which was just written has values, when it is in a list. Its list is known from the place, or looked for.
func (z *zipper) list(ctx context.Context, at place, entry holdfast.Entry, path string) error {
	src, ok := z.src.(lists)
	if !ok || entry.Kind != holdfast.KindListItem && entry.Kind != holdfast.KindFile {
		return nil
	}
	id := at.list
	if id == "" {
		known, ok := z.listOf[entry.Parent]
		if !ok {
			list, err := src.ListOf(ctx, entry.Parent)
			if err != nil && holdfast.KindOf(err) != holdfast.KindNotFound {
				return z.missing(ctx, Exported{ID: entry.ID, Kind: entry.Kind, Name: entry.Name, Folder: at.name}, fmt.Errorf("its values: %w", err))
			} else if err == nil {
				known = list.ID
				z.open(known, at, list.Name+" "+ValuesName)
			}
			z.listOf[entry.Parent] = known // a OneDrive has no columns
		}
		if known == "" {
			return nil
		}
		id = known
	}
	l := z.lists[id]
	l.items = append(l.items, exportedItem{entry.ID, path})
	return nil
}

// open begins a list unless it was begun.
func (z *zipper) open(id string, at place, name string) {
	if z.lists[id] == nil {
		z.lists[id] = &listed{id: id, at: at, name: name}
		z.order = append(z.order, id)
	}
}

// values writes what was noted by list, each list's in its folder.
func (z *zipper) values(ctx context.Context) error {
	for _, id := range z.order {
		l := z.lists[id]
		if len(l.items) == 0 {
			continue
		}
		e := Exported{ID: id, Kind: holdfast.KindFolder, Name: l.name, Folder: l.at.name, Time: z.manifest.Created}
		v, err := z.src.(lists).Values(ctx, id)
		if err != nil {
			if err := z.missing(ctx, e, err); err != nil {
				return err
			}
			continue
		}
		if len(v.Columns) == 0 {
			continue
		}
		for _, format := range []string{explorer.TableCSV, explorer.TableJSON} {
			name := z.in(l.at.path).unique(Name(l.name + "." + format))
			if err := z.write(ctx, e, l.at.path+name, func() (io.ReadCloser, error) { return readValues(ctx, v, l, format), nil }); err != nil {
				return err
			}
		}
	}
	z.lists, z.order, z.listOf = map[string]*listed{}, nil, map[string]string{}
	return nil
}

// readValues gives the file as it is made, so that a list of any length takes little memory.
func readValues(ctx context.Context, v *explorer.Values, l *listed, format string) io.ReadCloser {
	var text bytes.Buffer
	n := 0
	line := func() error { // the next one
		if n > len(l.items) {
			return io.EOF
		}
		n++
		if format == explorer.TableJSON {
			return jsonLine(ctx, &text, v, l, n-1)
		}
		return csvLine(ctx, &text, v, l, n-1)
	}
	return &linesReader{text: &text, next: line}
}

type linesReader struct {
	text *bytes.Buffer
	next func() error
	err  error
}

func (r *linesReader) Read(p []byte) (int, error) {
	for r.text.Len() == 0 && r.err == nil {
		r.err = r.next()
	}
	if r.text.Len() > 0 {
		return r.text.Read(p)
	}
	return 0, r.err
}

func (r *linesReader) Close() error { return nil }

// relative is where a file of a list is, from the list's folder in the ZIP.
func (l *listed) relative(n int) string { return strings.TrimPrefix(l.items[n].path, l.at.path) }

// csvLine writes the head (0) or the nth item: RFC 4180, UTF-8 with a mark, without which spreadsheets take it for another charset.
func csvLine(ctx context.Context, w *bytes.Buffer, v *explorer.Values, l *listed, n int) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var cells []string
	if n == 0 {
		w.WriteString("\ufeff")
		cells = append(cells, "File")
		for _, c := range v.Columns {
			cells = append(cells, holdfast.Cell(c.Title))
		}
	} else {
		values, err := v.Of(ctx, l.items[n-1].id)
		if err != nil {
			return err
		}
		cells = append(cells, holdfast.Cell(l.relative(n-1)))
		for _, c := range v.Columns {
			cells = append(cells, holdfast.ValueCell(values[c.Name]))
		}
	}
	err := out.Write(cells)
	out.Flush()
	return errors.Join(err, out.Error())
}

// jsonLine writes the columns (0), or the nth item, of {"columns": […], "items": […]}.
func jsonLine(ctx context.Context, w *bytes.Buffer, v *explorer.Values, l *listed, n int) error {
	enc := json.NewEncoder(w) // ends each with a line end
	enc.SetEscapeHTML(false)
	if n == 0 {
		w.WriteString(`{"columns":`)
		if err := enc.Encode(v.Columns); err != nil {
			return err
		}
		w.WriteString(",\"items\":[\n")
		return nil
	}
	values, err := v.Of(ctx, l.items[n-1].id)
	if err != nil {
		return err
	}
	if n > 1 {
		w.WriteByte(',')
	}
	if err := enc.Encode(struct {
		File   string            `json:"file"`
		ID     string            `json:"id"`
		Values map[string]string `json:"values"`
	}{l.relative(n - 1), l.items[n-1].id, values}); err != nil {
		return err
	}
	if n == len(l.items) {
		w.WriteString("]}\n")
	}
	return nil
}
