// Package export brings items out of a restore point as people use them: a mail as the .eml that was stored, byte for byte, several
// as a ZIP with hashes. It reads what an explorer gives, so it works with Microsoft 365 down.
package export

import (
	"archive/zip"
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
)

// Source is the restore point's container that items come from. explorer gives one.
type Source interface {
	// Item looks an item up; a KindNotFound error when there is none.
	Item(ctx context.Context, id string) (holdfast.Entry, error)
	// Children gives what is directly in a folder; "" gives the roots.
	Children(ctx context.Context, parent string) iter.Seq2[holdfast.Entry, error]
	// Open gives an item's bytes as a user wants them.
	Open(ctx context.Context, item holdfast.Entry) (io.ReadCloser, error)
	// OpenForm gives one of an item's forms, such as a file that is attached to an item of a list.
	OpenForm(ctx context.Context, id string, form holdfast.Form) (io.ReadCloser, error)
}

// ManifestName is the file in each ZIP that lists the others with their hashes; it is the last one.
const ManifestName = "manifest.json"

// IncompleteName is a file that only a ZIP has in which something is missing; it says what.
const IncompleteName = "NOT COMPLETE.txt"

// Manifest is the content of ManifestName.
type Manifest struct {
	Format  int        `json:"format"`
	Created time.Time  `json:"created"`
	Files   []Exported `json:"files"`
	Missing []Exported `json:"missing,omitempty"` // what could not be read; Path is set when the ZIP has a part of it
}

// Exported is one item in a Manifest.
type Exported struct {
	Path   string            `json:"path,omitempty"` // in the ZIP
	ID     string            `json:"id"`
	Kind   holdfast.ItemKind `json:"kind"`
	Name   string            `json:"name"` // as it is in Microsoft 365
	Folder string            `json:"folder"`
	Time   time.Time         `json:"time"`
	Size   int64             `json:"size"`
	SHA256 string            `json:"sha256,omitempty"`
	Error  string            `json:"error,omitempty"`
}

// FileName is the name under which an item is saved.
func FileName(item holdfast.Item) string {
	if ending := explorer.CardEnding(item.Kind); ending != "" {
		return Name(cmp.Or(strings.TrimSpace(item.Name), "("+string(item.Kind)+")") + ending)
	}
	switch item.Kind {
	case holdfast.KindMail:
	case holdfast.KindListItem, holdfast.KindPage, holdfast.KindPost, holdfast.KindTab:
		return Name(item.Name + ".json")
	default:
		return Name(item.Name)
	}
	subject := item.Name
	if strings.TrimSpace(subject) == "" {
		subject = "(no subject)"
	}
	return Name(subject + ".eml")
}

// longestPath bounds paths in a ZIP; the format ends at 65,535 bytes, extractors earlier.
const longestPath = 1024

// Zip streams the items with these ids to w; folders bring what is in them, no ids mean everything. An item that can't be read
// does not end the export: the ZIP then says so in the manifest and in a file of its own. An error is w's, or ctx's.
func Zip(ctx context.Context, src Source, ids []string, now time.Time, w io.Writer) error {
	z := newZipper(now, w)
	if err := z.all(ctx, src, place{}, ids); err != nil {
		return err
	}
	return z.finish()
}

// Part is items of one source that come into a folder of their own.
type Part struct {
	Folder string // a name for people
	IDs    []string
	// Open opens the source; Close is called when its items are written.
	Open func(ctx context.Context) (Source, func() error, error)
}

// ZipAll is Zip for items of several sources. A source that can't be opened is told of like items that can't be read.
func ZipAll(ctx context.Context, parts []Part, now time.Time, w io.Writer) error {
	z := newZipper(now, w)
	folders := map[string]string{}
	for _, p := range parts {
		path, ok := folders[p.Folder]
		if !ok {
			path = z.in("").unique(Name(p.Folder)) + "/"
			folders[p.Folder] = path
			if _, err := z.zip.CreateHeader(&zip.FileHeader{Name: path, Modified: now}); err != nil {
				return err
			}
		}
		if err := z.part(ctx, p, place{path: path, name: "/" + strings.ReplaceAll(p.Folder, "/", "\\/")}); err != nil {
			return err
		}
	}
	return z.finish()
}

func (z *zipper) part(ctx context.Context, p Part, at place) (err error) {
	src, done, err := p.Open(ctx)
	if err != nil {
		for _, id := range p.IDs {
			if err := z.missing(ctx, Exported{ID: id, Folder: at.name}, err); err != nil {
				return err
			}
		}
		return nil
	}
	defer func() { err = errors.Join(err, done()) }()
	return z.all(ctx, src, at, p.IDs)
}

func newZipper(now time.Time, w io.Writer) *zipper {
	z := &zipper{zip: zip.NewWriter(w), taken: map[string]names{}, lists: map[string]*listed{}, listOf: map[string]string{}}
	z.manifest.Format, z.manifest.Created = 1, now
	z.in("").unique(ManifestName)
	z.in("").unique(IncompleteName)
	return z
}

// all writes the items of a source into a folder.
func (z *zipper) all(ctx context.Context, src Source, at place, ids []string) error {
	z.src, z.seen = src, map[string]bool{}
	if len(ids) == 0 {
		if err := z.folder(ctx, at); err != nil {
			return err
		}
		return z.values(ctx)
	}
	for _, id := range ids {
		entry, err := src.Item(ctx, id)
		if err != nil {
			err = z.missing(ctx, Exported{ID: id, Folder: at.name}, err)
		} else {
			err = z.add(ctx, at, entry)
		}
		if err != nil {
			return err
		}
	}
	return z.values(ctx)
}

type zipper struct {
	src      Source
	zip      *zip.Writer
	taken    map[string]names // by folder in the ZIP
	seen     map[string]bool  // folders, and selected items: what is selected twice is exported once
	manifest Manifest

	lists  map[string]*listed // of src, by id
	order  []string           // of lists, as they came
	listOf map[string]string  // by the folder of what was chosen: its list, or ""
}

// fieldList is the field of a list's folder that has the list's id.
const fieldList = "list"

// place is a folder that is being exported.
type place struct {
	id   string
	path string // in the ZIP: "" or ending in "/"
	name string // in Microsoft 365, for people
	list string // the id of the list or library that it is in; "" of none, or when that is not known
}

func (z *zipper) in(folder string) names {
	n, ok := z.taken[folder]
	if !ok {
		n = names{}
		z.taken[folder] = n
	}
	return n
}

// missing records an item that can't be read; the returned error is one that ends the export.
func (z *zipper) missing(ctx context.Context, e Exported, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e.Error = err.Error()
	z.manifest.Missing = append(z.manifest.Missing, e)
	return nil
}

func (z *zipper) add(ctx context.Context, at place, entry holdfast.Entry) error {
	if z.seen[entry.ID] {
		return nil
	}
	z.seen[entry.ID] = true
	if entry.Kind != holdfast.KindFolder {
		return z.file(ctx, at, entry)
	}
	below, err := z.enter(ctx, at, entry)
	if err != nil {
		return err
	}
	return z.folder(ctx, below)
}

// enter makes a folder in the ZIP.
func (z *zipper) enter(ctx context.Context, at place, entry holdfast.Entry) (place, error) {
	name := z.in(at.path).unique(Name(entry.Name))
	below := place{id: entry.ID, path: at.path + name + "/", name: at.name + "/" + strings.ReplaceAll(entry.Name, "/", "\\/")}
	if len(below.path) > longestPath {
		sum := sha256.Sum256([]byte(below.path))
		below.path = "%deep/" + hex.EncodeToString(sum[:8]) + "/" + z.in("%deep/"+hex.EncodeToString(sum[:8])+"/").unique(name) + "/"
	}
	if _, err := z.zip.CreateHeader(&zip.FileHeader{Name: below.path, Modified: entry.Time}); err != nil {
		return below, err
	}
	if _, ok := z.src.(lists); ok {
		if below.list = at.list; entry.Fields[fieldList] != "" {
			below.list = entry.ID
			z.open(entry.ID, below, ValuesName)
		}
	}
	return below, z.chat(ctx, below, entry)
}

// folder walks down without recursion: the depth of a tree is its owner's, not ours.
func (z *zipper) folder(ctx context.Context, top place) error {
	open := []place{top}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for entry, err := range z.src.Children(ctx, at.id) {
			if err != nil {
				if err := z.missing(ctx, Exported{ID: at.id, Kind: holdfast.KindFolder, Folder: at.name}, err); err != nil {
					return err
				}
				continue // what can be read behind it is given
			}
			if z.seen[entry.ID] {
				continue
			}
			if entry.Kind != holdfast.KindFolder {
				if err := z.file(ctx, at, entry); err != nil {
					return err
				}
				continue
			}
			z.seen[entry.ID] = true
			below, err := z.enter(ctx, at, entry)
			if err != nil {
				return err
			}
			open = append(open, below)
		}
		if at.path != "" && z.lists[at.id] == nil {
			delete(z.taken, at.path) // nothing more comes into this folder; into that of a list its values do
		}
	}
	return nil
}

func (z *zipper) file(ctx context.Context, at place, entry holdfast.Entry) error {
	if entry.Kind == holdfast.KindVersion {
		return nil // older versions are saved one by one
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	e := Exported{ID: entry.ID, Kind: entry.Kind, Name: entry.Name, Folder: at.name, Time: entry.Time}
	name := z.in(at.path).unique(FileName(entry.Item))
	if err := z.write(ctx, e, at.path+name, func() (io.ReadCloser, error) { return z.src.Open(ctx, entry) }); err != nil {
		return err
	}
	if err := z.list(ctx, at, entry, at.path+name); err != nil {
		return err
	}
	if entry.Kind == holdfast.KindPost {
		if err := z.pictures(ctx, at, e, entry, strings.TrimSuffix(name, ".json")); err != nil {
			return err
		}
		return z.replies(ctx, at, entry, strings.TrimSuffix(name, ".json"))
	}
	if entry.Kind != holdfast.KindListItem {
		return nil
	}
	whole, err := z.src.Item(ctx, entry.ID)
	if err != nil {
		return z.missing(ctx, e, err)
	}
	// Files that are attached to an item of a list lie beside it, in a folder of its name.
	folder := at.path + strings.TrimSuffix(name, ".json") + " (attached)/"
	for _, f := range whole.Forms {
		file, ok := strings.CutPrefix(string(f), string(holdfast.FormAttachment))
		if !ok {
			continue
		}
		a := e
		a.Name, a.Folder = file, at.name+"/"+strings.ReplaceAll(entry.Name, "/", "\\/")
		if err := z.write(ctx, a, folder+z.in(folder).unique(Name(file)), func() (io.ReadCloser, error) { return z.src.OpenForm(ctx, whole.ID, f) }); err != nil {
			return err
		}
	}
	delete(z.taken, folder)
	return nil
}

// pictures adds the pictures in a post, in a folder of its name beside it, in the order in which the post has them.
func (z *zipper) pictures(ctx context.Context, at place, of Exported, post holdfast.Entry, name string) error {
	folder := at.path + name + " (pictures)/"
	for n, id := range strings.Fields(post.Fields[holdfast.FieldHosted]) {
		p := of
		p.Name, p.Folder = fmt.Sprintf("picture %d", n+1), at.name+"/"+strings.ReplaceAll(post.Name, "/", "\\/")
		body, err := z.src.OpenForm(ctx, post.ID, holdfast.FormHosted+holdfast.Form(id))
		if err != nil {
			if err := z.missing(ctx, p, err); err != nil {
				return err
			}
			continue
		}
		start := bufio.NewReader(body)
		first, _ := start.Peek(512) // what is wrong with it, reading it tells
		open := func() (io.ReadCloser, error) { return readCloser{start, body}, nil }
		if err := z.write(ctx, p, folder+strconv.Itoa(n+1)+pictureEnding(first), open); err != nil {
			return err
		}
	}
	return nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// pictureEnding is the ending of a picture's name, by how it begins.
func pictureEnding(start []byte) string {
	switch kind := http.DetectContentType(start); kind {
	case "image/png", "image/gif", "image/webp", "image/bmp":
		return "." + strings.TrimPrefix(kind, "image/")
	case "image/jpeg":
		return ".jpg"
	}
	return ".bin"
}

// chat adds what is stored of a chat besides its messages to its folder: itself, and who took part in it.
func (z *zipper) chat(ctx context.Context, at place, entry holdfast.Entry) error {
	if entry.Fields[holdfast.FieldSpecial] != holdfast.SpecialChat {
		return nil
	}
	whole, err := z.src.Item(ctx, entry.ID)
	e := Exported{ID: entry.ID, Kind: entry.Kind, Name: entry.Name, Folder: at.name, Time: entry.Time}
	if err != nil {
		return z.missing(ctx, e, err)
	}
	for _, f := range whole.Forms {
		name := map[holdfast.Form]string{holdfast.FormJSON: "chat.json", holdfast.FormMembers: "members.json"}[f]
		if name == "" {
			continue
		}
		if err := z.write(ctx, e, at.path+z.in(at.path).unique(name), func() (io.ReadCloser, error) { return z.src.OpenForm(ctx, entry.ID, f) }); err != nil {
			return err
		}
	}
	return nil
}

// replies adds the replies to a post, in a folder of its name beside it.
func (z *zipper) replies(ctx context.Context, at place, post holdfast.Entry, name string) error {
	if post.Fields[holdfast.FieldReplyTo] != "" {
		return nil // nobody replies to a reply
	}
	below := place{id: post.ID, path: at.path + name + " (replies)/", name: at.name + "/" + strings.ReplaceAll(post.Name, "/", "\\/")}
	for reply, err := range z.src.Children(ctx, post.ID) {
		if err != nil {
			return z.missing(ctx, Exported{ID: post.ID, Kind: post.Kind, Name: post.Name, Folder: at.name}, err)
		}
		if z.seen[reply.ID] {
			continue
		}
		z.seen[reply.ID] = true
		if err := z.file(ctx, below, reply); err != nil {
			return err
		}
	}
	delete(z.taken, below.path)
	return nil
}

// write adds one file.
func (z *zipper) write(ctx context.Context, e Exported, path string, open func() (io.ReadCloser, error)) error {
	body, err := open()
	if err != nil {
		return z.missing(ctx, e, err)
	}
	defer body.Close()
	e.Path = path
	w, err := z.zip.CreateHeader(&zip.FileHeader{Name: e.Path, Method: zip.Deflate, Modified: e.Time})
	if err != nil {
		return err
	}
	sum := sha256.New()
	out := &keepError{w: w}
	e.Size, err = io.Copy(io.MultiWriter(sum, out), body)
	if out.err != nil {
		return out.err
	} else if err != nil {
		return z.missing(ctx, e, fmt.Errorf("only the first %d bytes could be read: %w", e.Size, err))
	}
	e.SHA256 = hex.EncodeToString(sum.Sum(nil))
	z.manifest.Files = append(z.manifest.Files, e)
	return nil
}

// keepError tells the writer's errors from the reader's.
type keepError struct {
	w   io.Writer
	err error
}

func (k *keepError) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	if err != nil {
		k.err = err
	}
	return n, err
}

func (z *zipper) finish() error {
	if missing := z.manifest.Missing; len(missing) > 0 {
		w, err := z.zip.CreateHeader(&zip.FileHeader{Name: IncompleteName, Method: zip.Deflate, Modified: z.manifest.Created})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%d of %d items could not be read from the repository:\r\n\r\n", len(missing), len(missing)+len(z.manifest.Files)); err != nil {
			return err
		}
		for _, m := range missing {
			if _, err := fmt.Fprintf(w, "%s %q in %q: %s\r\n", m.ID, m.Name, m.Folder, m.Error); err != nil {
				return err
			}
		}
	}
	w, err := z.zip.CreateHeader(&zip.FileHeader{Name: ManifestName, Method: zip.Deflate, Modified: z.manifest.Created})
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return errors.Join(enc.Encode(z.manifest), z.zip.Close())
}
