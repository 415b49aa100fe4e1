package drive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
)

// itemOf is the listing view of a row.
func itemOf(row *graph.DriveItem) holdfast.Item {
	item := holdfast.Item{ID: row.ID, Parent: row.ParentID(), Kind: holdfast.KindFile, Version: row.ETag, Name: row.Name, Time: row.Modified, Fields: map[string]string{}}
	created, modified := row.Created, row.Modified
	if fs := row.FileSystem; fs != nil {
		// The times of the file, which a client sets, not those of the row.
		if !fs.Modified.IsZero() {
			item.Time, modified = fs.Modified, fs.Modified
		}
		if !fs.Created.IsZero() {
			created = fs.Created
		}
	}
	set := func(k, v string) {
		if v != "" {
			item.Fields[k] = v
		}
	}
	if !created.IsZero() {
		set(holdfast.FieldCreated, created.UTC().Format(time.RFC3339))
	}
	if !modified.IsZero() {
		set(holdfast.FieldModified, modified.UTC().Format(time.RFC3339))
	}
	set(holdfast.FieldETag, row.ETag)
	set(holdfast.FieldAuthor, author(row.ModifiedBy))
	if row.IsFolder() {
		item.Kind = holdfast.KindFolder
		if row.Root != nil {
			item.Parent = ""
			set(holdfast.FieldSpecial, "root")
		}
		if row.Package != nil {
			set(fieldShape, row.Package.Type)
		}
		return item
	}
	item.Size = row.Size
	set(holdfast.FieldHash, row.Hash())
	set(fieldCTag, row.CTag)
	if row.File != nil {
		set(fieldType, row.File.MimeType)
	}
	return item
}

func author(i *graph.Identity) string {
	if i == nil {
		return ""
	}
	for _, p := range []*graph.Principal{i.User, i.Application, i.Group} {
		if p != nil && p.DisplayName != "" {
			return p.DisplayName
		}
	}
	return ""
}

// addresses are the members of a row that open the content without a login for a while; they are not stored.
var addresses = []string{"@microsoft.graph.downloadUrl", "@content.downloadUrl"}

// without takes members out of a JSON object and leaves every other byte of the others.
func without(object json.RawMessage, names ...string) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return object
	}
	out := []byte{'{'}
	for dec.More() {
		from := dec.InputOffset()
		key, err := dec.Token()
		if err != nil {
			return object
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return object
		}
		if name, ok := key.(string); ok && slices.Contains(names, name) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, bytes.Trim(object[from:dec.InputOffset()], ", \t\r\n")...)
	}
	return append(out, '}')
}

// firstVersion tells by the counter in an eTag ("{GUID},1") that an item was never changed, so that it has no older versions.
func firstVersion(etag string) bool {
	_, n, ok := strings.Cut(strings.Trim(etag, `"`), ",")
	count, err := strconv.Atoi(n)
	return ok && err == nil && count == 1
}

// sameContent tells that two views of a file have the same bytes, by what the service says.
func sameContent(a, b holdfast.Item) bool {
	if a.Kind != holdfast.KindFile || b.Kind != holdfast.KindFile {
		return false
	}
	if a.Fields[holdfast.FieldHash] != "" || b.Fields[holdfast.FieldHash] != "" {
		return described(a) == described(b)
	}
	tag := a.Fields[fieldCTag]
	return tag != "" && tag == b.Fields[fieldCTag]
}

// described is size and hash of a file as its row has them, which need not be those of the bytes.
func described(i holdfast.Item) string {
	if d := i.Fields[holdfast.FieldDescribed]; d != "" {
		return d
	}
	return fmt.Sprintf("%d %s", i.Size, i.Fields[holdfast.FieldHash])
}

// as is item with the size and hash of the bytes that are served for it.
func (p promoted) as(item holdfast.Item) holdfast.Item {
	item.Fields = with(item.Fields, holdfast.FieldDescribed, described(item))
	item.Fields[holdfast.FieldHash] = p.hash
	item.Size = p.size
	return item
}

// with is a copy of fields with one that is added unless it is there.
func with(fields map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	maps.Copy(out, fields)
	return out
}

// versionID is the id of the item that an older version of a file is.
func versionID(file, version string) string { return file + "@" + version }

func versionOf(file holdfast.Item, v *graph.Version) holdfast.Item {
	item := holdfast.Item{ID: versionID(file.ID, v.ID), Parent: file.ID, Kind: holdfast.KindVersion, Version: v.ID, Time: v.Modified, Size: v.Size, Name: file.Name,
		Fields: map[string]string{holdfast.FieldVersionID: v.ID, holdfast.FieldModified: v.Modified.UTC().Format(time.RFC3339)}}
	if a := author(v.ModifiedBy); a != "" {
		item.Fields[holdfast.FieldAuthor] = a
	}
	return item
}
