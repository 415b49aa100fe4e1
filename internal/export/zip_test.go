package export_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/export"
	"holdfast/internal/holdfast"
)

// memSource is a container in memory.
type memSource struct {
	entries []holdfast.Entry
	bytes   map[string]string
	broken  map[string]error // after half of the bytes
	lost    map[string]error // of a folder, before what can be read of its list
}

func (m *memSource) put(parent, id, name string, kind holdfast.ItemKind, content string) {
	m.entries = append(m.entries, holdfast.Entry{Item: holdfast.Item{ID: id, Parent: parent, Kind: kind, Name: name, Time: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}})
	if m.bytes == nil {
		m.bytes = map[string]string{}
	}
	m.bytes[id] = content
}

func (m *memSource) Item(_ context.Context, id string) (holdfast.Entry, error) {
	for _, e := range m.entries {
		if e.ID == id {
			return e, nil
		}
	}
	return holdfast.Entry{}, holdfast.NotFound("no item %q in this restore point", id)
}

func (m *memSource) Children(_ context.Context, parent string) iter.Seq2[holdfast.Entry, error] {
	return func(yield func(holdfast.Entry, error) bool) {
		if err := m.lost[parent]; err != nil && !yield(holdfast.Entry{}, err) {
			return
		}
		for _, e := range m.entries {
			if e.Parent == parent && !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memSource) OpenForm(_ context.Context, id string, form holdfast.Form) (io.ReadCloser, error) {
	if name, ok := strings.CutPrefix(string(form), string(holdfast.FormAttachment)); ok {
		return io.NopCloser(strings.NewReader(m.bytes[id+"/"+name])), nil
	}
	content, ok := m.bytes[id+"/"+string(form)]
	if !ok {
		return nil, errors.New("the blob is gone")
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

func (m *memSource) Open(_ context.Context, e holdfast.Entry) (io.ReadCloser, error) {
	content := m.bytes[e.ID]
	if err := m.broken[e.ID]; err != nil {
		if content == "" {
			return nil, err
		}
		return io.NopCloser(io.MultiReader(strings.NewReader(content[:len(content)/2]), errReader{err})), nil
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func unzip(t *testing.T, data []byte) (files map[string]string, manifest export.Manifest) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, f := range r.File {
		if !filepath.IsLocal(strings.TrimSuffix(f.Name, "/")) {
			t.Errorf("%q leaves the folder", f.Name)
		}
		if _, twice := files[f.Name]; twice {
			t.Errorf("%q is there twice", f.Name)
		}
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		if err := rc.Close(); err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	if err := json.Unmarshal([]byte(files[export.ManifestName]), &manifest); err != nil {
		t.Fatal(err)
	}
	for _, e := range manifest.Files {
		sum := sha256.Sum256([]byte(files[e.Path]))
		if e.SHA256 != hex.EncodeToString(sum[:]) || e.Size != int64(len(files[e.Path])) {
			t.Errorf("manifest is wrong about %q", e.Path)
		}
	}
	return files, manifest
}

var now = time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)

func TestZipHoldsEveryByteUnderItsOwnName(t *testing.T) {
	m := &memSource{}
	m.put("", "root", "Inbox", holdfast.KindFolder, "")
	m.put("root", "sub", "../..", holdfast.KindFolder, "")
	m.put("root", "twin", "INBOX", holdfast.KindFolder, "")
	m.put("root", "empty", "empty", holdfast.KindFolder, "")
	m.put("root", "1", "hello", holdfast.KindMail, "From: a\r\n\r\none")
	m.put("root", "2", "Hello", holdfast.KindMail, "From: a\r\n\r\ntwo")
	m.put("root", "3", "", holdfast.KindMail, "three")
	m.put("sub", "4", "/etc/passwd", holdfast.KindFile, "four")
	m.put("sub", "5", "CON", holdfast.KindFile, "")
	m.put("4", "4v", "1.0", holdfast.KindVersion, "older")
	var b bytes.Buffer
	if err := export.Zip(t.Context(), m, nil, now, &b); err != nil {
		t.Fatal(err)
	}
	files, manifest := unzip(t, b.Bytes())
	want := map[string]string{
		"Inbox/":                          "",
		"Inbox/..%2F.%2E/":                "",
		"Inbox/INBOX/":                    "",
		"Inbox/empty/":                    "",
		"Inbox/hello.eml":                 "From: a\r\n\r\none",
		"Inbox/Hello (2).eml":             "From: a\r\n\r\ntwo",
		"Inbox/(no subject).eml":          "three",
		"Inbox/..%2F.%2E/%2Fetc%2Fpasswd": "four",
		"Inbox/..%2F.%2E/%43ON":           "",
		export.ManifestName:               files[export.ManifestName],
	}
	if fmt.Sprint(files) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", files, want)
	}
	if len(manifest.Files) != 5 || len(manifest.Missing) != 0 {
		t.Errorf("manifest lists %d files and %d missing, want 5 and 0", len(manifest.Files), len(manifest.Missing))
	}
}

func TestZipOfSomeTakesEachOnce(t *testing.T) {
	m := &memSource{}
	m.put("", "f", "folder", holdfast.KindFolder, "")
	m.put("f", "a", "manifest.json", holdfast.KindFile, "A")
	m.put("f", "b", "b", holdfast.KindFile, "B")
	m.put("", "c", "c", holdfast.KindFile, "C")
	var b bytes.Buffer
	if err := export.Zip(t.Context(), m, []string{"a", "f", "a", "f"}, now, &b); err != nil {
		t.Fatal(err)
	}
	files, _ := unzip(t, b.Bytes())
	delete(files, export.ManifestName)
	want := map[string]string{"manifest (2).json": "A", "folder/": "", "folder/b": "B"}
	if fmt.Sprint(files) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", files, want)
	}
}

func TestZipSaysWhatIsMissing(t *testing.T) {
	m := &memSource{broken: map[string]error{"a": holdfast.Damaged("blob p12 is damaged"), "b": holdfast.Damaged("blob p13 is damaged")}, lost: map[string]error{"d": holdfast.Damaged("a part of the list is lost")}}
	m.put("", "a", "a", holdfast.KindFile, "")
	m.put("", "b", "b", holdfast.KindFile, "123456")
	m.put("", "c", "c", holdfast.KindFile, "whole")
	m.put("", "d", "d", holdfast.KindFolder, "")
	m.put("d", "e", "e", holdfast.KindFile, "behind what is lost")
	var b bytes.Buffer
	if err := export.Zip(t.Context(), m, []string{"a", "b", "c", "d", "nowhere"}, now, &b); err != nil {
		t.Fatal(err)
	}
	files, manifest := unzip(t, b.Bytes())
	if len(manifest.Missing) != 4 || len(manifest.Files) != 2 || files["c"] != "whole" || files["d/e"] != "behind what is lost" {
		t.Fatalf("missing %+v, files %+v", manifest.Missing, manifest.Files)
	}
	for _, say := range []string{"p12", "p13", "only the first 3 bytes", "nowhere", "part of the list is lost", "4 of 6"} {
		if !strings.Contains(files[export.IncompleteName], say) {
			t.Errorf("%s does not say %q:\n%s", export.IncompleteName, say, files[export.IncompleteName])
		}
	}
}

type fullDisk struct{ left int }

var errFull = errors.New("no space left")

func (f *fullDisk) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestZipReportsTheWritersError(t *testing.T) {
	m := &memSource{}
	for i := range 50 {
		m.put("", fmt.Sprint(i), fmt.Sprint(i), holdfast.KindFile, fmt.Sprint(now.Add(time.Duration(i*i*i))))
	}
	for _, left := range []int{0, 100, 4096, 6000} {
		if err := export.Zip(t.Context(), m, nil, now, &fullDisk{left}); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: %v, want the disk's error", left, err)
		}
	}
}

func TestZipOfADeepTreeKeepsPathsShort(t *testing.T) {
	m := &memSource{}
	parent := ""
	for i := range 3000 {
		id := fmt.Sprint("f", i)
		m.put(parent, id, "folder with a name", holdfast.KindFolder, "")
		parent = id
	}
	m.put(parent, "x", "treasure", holdfast.KindFile, "gold")
	m.put(parent, "f0", "a circle", holdfast.KindFolder, "") // the tree bites its tail
	var b bytes.Buffer
	if err := export.Zip(t.Context(), m, nil, now, &b); err != nil {
		t.Fatal(err)
	}
	files, manifest := unzip(t, b.Bytes())
	if len(manifest.Files) != 1 || files[manifest.Files[0].Path] != "gold" || len(manifest.Files[0].Path) > 1300 {
		t.Errorf("manifest %+v", manifest.Files)
	}
}

func TestZipEndsWhenCancelled(t *testing.T) {
	m := &memSource{}
	m.put("", "a", "a", holdfast.KindFile, "A")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := export.Zip(ctx, m, nil, now, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestZipAllPutsEachSourceIntoAFolderOfItsOwn(t *testing.T) {
	ann, bob := &memSource{}, &memSource{}
	ann.put("", "1", "a\u202egpj.exe", holdfast.KindFile, "one")
	ann.put("", "2", "same.txt", holdfast.KindFile, "now")
	older := &memSource{}
	older.put("", "2", "same.txt", holdfast.KindFile, "before")
	bob.put("", "1", "f", holdfast.KindFolder, "")
	bob.put("1", "3", "deep.txt", holdfast.KindFile, "deep")
	closed := 0
	part := func(folder string, src *memSource, ids ...string) export.Part {
		return export.Part{Folder: folder, IDs: ids, Open: func(context.Context) (export.Source, func() error, error) {
			if src == nil {
				return nil, nil, holdfast.NotFound("the restore point has gone")
			}
			return src, func() error { closed++; return nil }, nil
		}}
	}
	var b bytes.Buffer
	err := export.ZipAll(t.Context(), []export.Part{part("ann/../x, drive", ann, "1", "2"), part("ann/../x, drive", older, "2"), part("manifest.json", bob, "1"), part("gone", nil, "9")}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), &b)
	if err != nil {
		t.Fatal(err)
	}
	files, manifest := unzip(t, b.Bytes())
	if closed != 3 || len(manifest.Files) != 4 || len(manifest.Missing) != 1 || manifest.Missing[0].ID != "9" {
		t.Errorf("%d closed, manifest %+v", closed, manifest)
	}
	byName := map[string]string{}
	for _, f := range manifest.Files {
		sum := sha256.Sum256([]byte(files[f.Path]))
		if f.SHA256 != hex.EncodeToString(sum[:]) || f.Size != int64(len(files[f.Path])) {
			t.Errorf("%+v is %q", f, files[f.Path])
		}
		byName[f.Name+" "+f.Folder] += files[f.Path] + ";"
	}
	if byName["a\u202egpj.exe /ann\\/..\\/x, drive"] != "one;" || byName["same.txt /ann\\/..\\/x, drive"] != "now;before;" || byName["deep.txt /manifest.json/f"] != "deep;" {
		t.Errorf("original names and contents are %q", byName)
	}
}

// TestZipHoldsTheRepliesToPosts: those of a channel that is saved, and of a post that is chosen alone; a reply that is chosen too comes once.
func TestZipHoldsTheRepliesToPosts(t *testing.T) {
	src := &memSource{}
	src.put("", "general", "General", holdfast.KindFolder, "")
	src.put("general", "1", "Launch", holdfast.KindPost, "first")
	src.put("1", "2", "When", holdfast.KindPost, "second")
	src.put("1", "3", "When", holdfast.KindPost, "third")
	src.entries[2].Fields, src.entries[3].Fields = map[string]string{holdfast.FieldReplyTo: "1"}, map[string]string{holdfast.FieldReplyTo: "1"}
	for ids, want := range map[string][]string{
		"general": {"General/Launch.json", "General/Launch (replies)/When.json", "General/Launch (replies)/When (2).json"},
		"1":       {"Launch.json", "Launch (replies)/When.json", "Launch (replies)/When (2).json"},
		"2,1":     {"When.json", "Launch.json", "Launch (replies)/When.json"},
		"3":       {"When.json"},
	} {
		var out bytes.Buffer
		if err := export.Zip(t.Context(), src, strings.Split(ids, ","), time.Now(), &out); err != nil {
			t.Fatal(err)
		}
		_, manifest := unzip(t, out.Bytes())
		var got []string
		for _, e := range manifest.Files {
			got = append(got, e.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %s: got %q, want %q", ids, got, want)
		}
	}
}

// A chat comes with who took part in it and with the pictures in its messages; one that can't be read is named.
func TestZipHoldsAChatWhole(t *testing.T) {
	m := &memSource{}
	m.put("", "chat", "Lunch", holdfast.KindFolder, "")
	m.entries[0].Fields = map[string]string{holdfast.FieldSpecial: holdfast.SpecialChat}
	m.entries[0].Forms = []holdfast.Form{holdfast.FormJSON, holdfast.FormMembers, "other"}
	m.put("chat", "post.1", "look", holdfast.KindPost, `{"id":"1"}`)
	m.entries[1].Fields = map[string]string{holdfast.FieldHosted: "h1\nh2\nh3\nh4\n"}
	m.put("chat", "post.2", "chat", holdfast.KindPost, `{"id":"2"}`)
	for form, content := range map[string]string{"chat/json": `{"topic":"Lunch"}`, "chat/members": `[]`, "post.1/hosted/h1": "\x89PNG\r\n\x1a\n1", "post.1/hosted/h2": "\xff\xd8\xff2", "post.1/hosted/h4": "?"} {
		m.bytes[form] = content
	}
	var b bytes.Buffer
	if err := export.Zip(t.Context(), m, nil, now, &b); err != nil {
		t.Fatal(err)
	}
	files, manifest := unzip(t, b.Bytes())
	want := map[string]string{"Lunch/": "", "Lunch/chat.json": `{"topic":"Lunch"}`, "Lunch/members.json": `[]`, "Lunch/look.json": `{"id":"1"}`, "Lunch/chat (2).json": `{"id":"2"}`,
		"Lunch/look (pictures)/1.png": "\x89PNG\r\n\x1a\n1", "Lunch/look (pictures)/2.jpg": "\xff\xd8\xff2", "Lunch/look (pictures)/4.bin": "?",
		export.ManifestName: files[export.ManifestName], export.IncompleteName: files[export.IncompleteName]}
	if fmt.Sprint(files) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", files, want)
	}
	if len(manifest.Missing) != 1 || manifest.Missing[0].Name != "picture 3" || manifest.Missing[0].ID != "post.1" || manifest.Missing[0].Folder != "/Lunch/look" {
		t.Errorf("missing is %+v", manifest.Missing)
	}
}
