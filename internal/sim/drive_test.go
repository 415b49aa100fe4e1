package sim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"holdfast/internal/sim"
)

// driveOf is the Graph path of a user's drive.
func driveOf(c *client, user int) string { return "/drives/" + c.s.Tenant().Users[user].Drive }

// fetch reads a pre-authenticated address, without a token.
func (c *client) fetch(status int, u string, headers ...string) answer {
	c.t.Helper()
	return c.want(status, "GET", u, nil, append([]string{"Authorization", ""}, headers...)...)
}

// content reads an item's bytes as a client does: the redirect, then the address.
func (c *client) content(path string) []byte {
	c.t.Helper()
	a := c.want(302, "GET", path+"/content", nil)
	return c.fetch(200, a.header.Get("Location")).raw
}

func files(rows []map[string]any) (out []map[string]any) {
	for _, r := range rows {
		if r["file"] != nil && r["deleted"] == nil {
			out = append(out, r)
		}
	}
	return out
}

func sizeOf(r map[string]any) int64 { return int64(r["size"].(float64)) }

func hashOf(r map[string]any) string {
	return r["file"].(map[string]any)["hashes"].(map[string]any)["quickXorHash"].(string)
}

func parentOf(r map[string]any) string {
	id, _ := r["parentReference"].(map[string]any)["id"].(string)
	return id
}

// tree applies delta rows as a client must: by id, last row wins, deleted rows remove.
func apply(state map[string]map[string]any, rows []map[string]any) {
	for _, r := range rows {
		id := r["id"].(string)
		if r["deleted"] != nil {
			delete(state, id)
		} else {
			state[id] = r
		}
	}
}

// paths derives the paths of all items from ids and parents.
func paths(t *testing.T, state map[string]map[string]any) []string {
	t.Helper()
	var path func(id string) string
	path = func(id string) string {
		r, ok := state[id]
		if !ok {
			t.Fatalf("parent %s is missing", id)
		}
		if r["root"] != nil {
			return ""
		}
		return strings.TrimPrefix(path(parentOf(r))+"/"+r["name"].(string), "/")
	}
	var out []string
	for id := range state {
		if p := path(id); p != "" {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

func dump(t *testing.T, c *client, user int) []sim.DriveRow {
	t.Helper()
	rows, err := c.s.DumpDrive(c.s.Tenant().Users[user].UPN, true)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func dumpPaths(rows []sim.DriveRow) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.Path)
	}
	slices.Sort(out)
	return out
}

func TestDriveOfEachKindOfUser(t *testing.T) {
	c := start(t, sim.Options{Users: 10, FilesPer: 20}).login()
	a := c.want(200, "GET", "/users/"+c.s.Tenant().Users[0].UPN+"/drive", nil)
	if a.m["id"] != c.s.Tenant().Users[0].Drive || a.m["driveType"] != "business" {
		t.Fatalf("drive: %s", a.raw)
	}
	if a := c.want(200, "GET", "/users/"+c.s.Tenant().Users[0].ID+"/drives", nil); len(a.rows()) != 1 {
		t.Fatalf("drives: %s", a.raw)
	}
	if a := c.want(404, "GET", "/users/"+c.s.Tenant().Users[9].ID+"/drive", nil); !strings.Contains(string(a.raw), "mysite not found") {
		t.Fatalf("a drive that was never provisioned: %s", a.raw)
	}
	if c.s.Tenant().Users[9].Drive != "" {
		t.Fatal("tenant.json names a drive that does not exist")
	}
	c.want(404, "GET", "/drives/b!nosuchdrive/root", nil)
	c.want(404, "GET", driveOf(c, 0)+"/items/01AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", nil)
	c.want(200, "GET", "/users/"+c.s.Tenant().Users[0].ID+"/drive/root/children?$top=1", nil)
}

func TestDeltaChildrenAndDumpTellTheSameTree(t *testing.T) {
	for _, n := range []int{1, 2, 20, 260} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := start(t, sim.Options{Users: 1, FilesPer: n, Seed: 5}).login()
			d := driveOf(c, 0)
			state := map[string]map[string]any{}
			rows, _ := c.pages(d + "/root/delta?$top=7")
			apply(state, rows)
			if len(rows) != n+1 || len(state) != n+1 {
				t.Fatalf("%d rows of %d items, want %d and a root", len(rows), len(state), n)
			}
			for _, r := range rows {
				if p := r["parentReference"].(map[string]any); p["path"] != nil {
					t.Fatalf("a delta row has a path: %v", p)
				}
			}
			want := dumpPaths(dump(t, c, 0))
			if got := paths(t, state); !slices.Equal(got, want) {
				t.Fatalf("delta tells %d paths, the oracle %d", len(got), len(want))
			}
			var byChildren []string
			var list func(id, path string)
			list = func(id, path string) {
				kids, _ := c.pages(d + "/items/" + id + "/children?$top=9&$select=id,name,folder")
				for _, k := range kids {
					p := strings.TrimPrefix(path+"/"+k["name"].(string), "/")
					byChildren = append(byChildren, p)
					if k["folder"] != nil {
						list(k["id"].(string), p)
					}
				}
			}
			list("root", "")
			slices.Sort(byChildren)
			if !slices.Equal(byChildren, want) {
				t.Fatalf("children tell %d paths, the oracle %d", len(byChildren), len(want))
			}
			for i, p := range want { // every name is found by path, in any case
				if n > 100 && i%23 != 0 {
					continue
				}
				var esc []string
				for s := range strings.SplitSeq(p, "/") {
					esc = append(esc, url.PathEscape(s))
				}
				a := c.want(200, "GET", d+"/root:/"+strings.Join(esc, "/"), nil)
				if a.m["name"] != p[strings.LastIndexByte(p, '/')+1:] {
					t.Fatalf("by path %q: %v", p, a.m["name"])
				}
			}
		})
	}
}

func TestSmallestDriveHasEverything(t *testing.T) {
	c := start(t, sim.Options{Users: 3, FilesPer: 20}).login()
	var empty, zero, versions, direct, link, nasty bool
	for user := range 3 {
		rows := dump(t, c, user)
		for _, r := range rows {
			if r.Folder && !slices.ContainsFunc(rows, func(o sim.DriveRow) bool { return strings.HasPrefix(o.Path, r.Path+"/") }) {
				empty = true
			}
			zero = zero || !r.Folder && r.Size == 0
			versions = versions || len(r.Versions) > 1
			nasty = nasty || strings.ContainsAny(r.Path, "日😀%#&'é")
			for _, g := range r.Grants {
				direct, link = direct || g.Link == "", link || g.Link != ""
			}
		}
	}
	if !empty || !zero || !versions || !direct || !link || !nasty {
		t.Fatalf("missing: empty folder %v, empty file %v, versions %v, grant %v, link %v, nasty name %v", empty, zero, versions, direct, link, nasty)
	}
}

func TestContentIsWhatTheRowsSay(t *testing.T) {
	corpus := t.TempDir()
	if err := os.WriteFile(filepath.Join(corpus, "Contract of the corpus.pdf"), bytes.Repeat([]byte("corpus "), 30000), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, sim.Options{Users: 1, FilesPer: 40, Corpus: corpus}).login()
	d := driveOf(c, 0)
	rows, _ := c.pages(d + "/root/delta")
	sums := map[string]string{}
	for _, r := range dump(t, c, 0) {
		sums[r.ID] = r.SHA256
	}
	corpusSeen := false
	for _, r := range files(rows) {
		b := c.content(d + "/items/" + r["id"].(string))
		if int64(len(b)) != sizeOf(r) || quickXorOf(b) != hashOf(r) {
			t.Fatalf("%v: %d bytes hash %s, the row says %d and %s", r["name"], len(b), quickXorOf(b), sizeOf(r), hashOf(r))
		}
		if s := sha256.Sum256(b); hex.EncodeToString(s[:]) != sums[r["id"].(string)] {
			t.Fatalf("%v: not what the oracle holds", r["name"])
		}
		if again := c.fetch(200, r["@microsoft.graph.downloadUrl"].(string)).raw; !bytes.Equal(again, b) {
			t.Fatalf("%v: the address of the row gives other bytes", r["name"])
		}
		corpusSeen = corpusSeen || bytes.HasPrefix(b, []byte("corpus corpus "))
		if len(b) > 100 {
			for _, rg := range [][2]int{{0, 0}, {1, 98}, {len(b) / 2, len(b) - 1}, {len(b) - 5, len(b) + 100}} {
				got := c.fetch(206, r["@microsoft.graph.downloadUrl"].(string), "Range", fmt.Sprintf("bytes=%d-%d", rg[0], rg[1])).raw
				if want := b[rg[0]:min(rg[1]+1, len(b))]; !bytes.Equal(got, want) {
					t.Fatalf("%v: range %v gives %d bytes, want %d", r["name"], rg, len(got), len(want))
				}
			}
			if a := c.fetch(416, r["@microsoft.graph.downloadUrl"].(string), "Range", fmt.Sprintf("bytes=%d-", len(b))); a.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", len(b)) {
				t.Fatalf("416 with Content-Range %q", a.header.Get("Content-Range"))
			}
		}
	}
	if !corpusSeen {
		t.Fatal("no document of the corpus was served")
	}
	served := control[[]sim.Served](t, c, "GET", "/oracle/drives/"+c.s.Tenant().Users[0].UPN+"/served", nil)
	for _, s := range served {
		if s.SHA256 != sums[s.Item][:32] {
			t.Fatalf("the oracle says that %s was served as %s, the drive holds %s", s.Item, s.SHA256, sums[s.Item])
		}
	}
	if len(served) < len(files(rows)) {
		t.Fatalf("%d servings noted of %d files", len(served), len(files(rows)))
	}
}

func quickXorOf(b []byte) string {
	var h [20]byte
	for i, c := range b {
		at := i * 11 % 160
		v := uint16(c) << (at % 8)
		h[at/8] ^= byte(v)
		h[(at/8+1)%20] ^= byte(v >> 8)
	}
	for i := range 8 {
		h[12+i] ^= byte(uint64(len(b)) >> (8 * i))
	}
	return base64Std(h[:])
}

// control calls the control port.
func control[T any](t *testing.T, c *client, method, path string, body any) (out T) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, "http://"+c.s.ControlAddr()+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, raw, err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return out
}

func TestIncrementalDeltaFollowsChurn(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 250, Seed: 9}).login()
	d := driveOf(c, 0)
	state := map[string]map[string]any{}
	rows, link := c.pages(d + "/root/delta")
	apply(state, rows)
	for round := range 4 {
		done := control[sim.DriveChurn](t, c, "POST", "/drives/"+c.s.Tenant().Users[0].UPN+"/churn", map[string]any{"changes": 40, "seed": round})
		if done.Created == 0 || done.Edited == 0 {
			t.Fatalf("churn did %+v", done)
		}
		rows, next := c.pages(link)
		link = next
		for _, r := range rows {
			if r["deleted"] != nil && (r["name"] != nil || parentOf(r) == "") {
				t.Fatalf("a deleted row: %v", r)
			}
		}
		apply(state, rows)
		all := dump(t, c, 0)
		if got, want := paths(t, state), dumpPaths(all); !slices.Equal(got, want) {
			t.Fatalf("round %d: the delta leads to %d paths, the drive has %d", round, len(got), len(want))
		}
		for _, r := range all {
			if row := state[r.ID]; !r.Folder && (hashOf(row) != r.QuickXor || sizeOf(row) != r.Size) {
				t.Fatalf("round %d: %s is stale after the delta", round, r.Path)
			}
		}
	}
	rows, again := c.pages(link)
	if len(rows) != 0 || again == "" {
		t.Fatalf("an idle delta has %d rows", len(rows))
	}
	// A fresh walk sees the same; the folders' sizes are the sums of what lies below.
	fresh := map[string]map[string]any{}
	rows, _ = c.pages(d + "/items/root/delta")
	apply(fresh, rows)
	if !slices.Equal(paths(t, fresh), paths(t, state)) {
		t.Fatal("a fresh walk and the changes lead to different trees")
	}
	var total int64
	for _, r := range files(rows) {
		total += sizeOf(r)
	}
	if root := c.want(200, "GET", d+"/root", nil); sizeOf(root.m) != total {
		t.Fatalf("the root's size is %d, the files have %d", sizeOf(root.m), total)
	}
}

func TestDeltaTokens(t *testing.T) {
	c := start(t, sim.Options{Users: 2, FilesPer: 20, TokenLife: 3 * time.Hour}).login()
	d := driveOf(c, 0)
	latest := c.want(200, "GET", d+"/root/delta?token=latest", nil)
	if len(latest.rows()) != 0 {
		t.Fatal("token=latest gives rows")
	}
	link := latest.m["@odata.deltaLink"].(string)
	before := c.s.Clock().Now()
	c.s.Clock().Move(time.Hour)
	c.want(201, "PUT", d+"/root:/new.txt:/content", []byte("hello"))
	if rows, _ := c.pages(link); len(rows) != 1 || rows[0]["name"] != "new.txt" {
		t.Fatalf("after latest: %v", rows)
	}
	_, token, _ := strings.Cut(link, "token=")
	if rows := c.want(200, "GET", d+"/root/delta(token='"+token+"')", nil).rows(); len(rows) != 1 {
		t.Fatalf("token as argument: %v", rows)
	}
	if rows, _ := c.pages(d + "/root/delta?token=" + before.Add(time.Minute).Format(time.RFC3339)); len(rows) != 1 {
		t.Fatalf("a time as token: %d rows", len(rows))
	}
	c.want(400, "GET", d+"/root/delta?token=nonsense", nil)
	c.want(400, "GET", driveOf(c, 1)+"/root/delta?token="+token, nil)
	folder := c.want(201, "POST", d+"/root/children", map[string]any{"name": "f", "folder": map[string]any{}})
	c.want(400, "GET", d+"/items/"+folder.m["id"].(string)+"/delta", nil)

	c.s.Clock().Move(61 * 24 * time.Hour)
	c.login()
	a := c.want(410, "GET", link, nil)
	if a.code() != "resyncChangesApplyDifferences" || a.header.Get("Location") == "" {
		t.Fatalf("an old token: %s, Location %q", a.raw, a.header.Get("Location"))
	}
	if rows, delta := c.pages(a.header.Get("Location")); len(rows) != 23 || delta == "" {
		t.Fatalf("the enumeration of Location has %d rows", len(rows))
	}
}

func TestDeltaPagesHoldWhileTheDriveChanges(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 60, Seed: 2}).login()
	d := driveOf(c, 0)
	state := map[string]map[string]any{}
	u := d + "/root/delta?$top=10"
	for i := 0; ; i++ {
		a := c.want(200, "GET", u, nil)
		apply(state, a.rows())
		if next, ok := a.m["@odata.nextLink"].(string); ok {
			u = next
			control[sim.DriveChurn](t, c, "POST", "/drives/"+c.s.Tenant().Users[0].UPN+"/churn", map[string]any{"changes": 5, "seed": i})
			continue
		}
		rows, _ := c.pages(a.m["@odata.deltaLink"].(string))
		apply(state, rows)
		break
	}
	if got, want := paths(t, state), dumpPaths(dump(t, c, 0)); !slices.Equal(got, want) {
		t.Fatalf("%d paths, want %d", len(got), len(want))
	}
}

func TestWritingFilesAndFolders(t *testing.T) {
	c := start(t, sim.Options{Users: 2, FilesPer: 20}).login()
	d := driveOf(c, 0)
	made := c.want(201, "PUT", d+"/root:/deep/er/a%20b%23.txt:/content", []byte("one"))
	id := made.m["id"].(string)
	if string(c.content(d+"/items/"+id)) != "one" || c.want(200, "GET", d+"/root:/deep/ER:/children", nil).rows()[0]["id"] != id {
		t.Fatal("the new file is not there")
	}
	second := c.want(200, "PUT", d+"/items/"+id+"/content", []byte("two!"))
	if second.m["cTag"] == made.m["cTag"] || second.m["eTag"] == made.m["eTag"] {
		t.Fatal("new content and the same tags")
	}
	if a := c.want(409, "PUT", d+"/root:/deep/er/A%20B%23.txt:/content?@microsoft.graph.conflictBehavior=fail", []byte("x")); a.code() != "nameAlreadyExists" {
		t.Fatalf("fail: %s", a.raw)
	}
	if a := c.want(201, "PUT", d+"/root:/deep/er/a%20b%23.txt:/content?@microsoft.graph.conflictBehavior=rename", []byte("x")); a.m["name"] == made.m["name"] {
		t.Fatal("rename kept the name")
	}
	// times
	stamp := "2020-02-03T04:05:06Z"
	a := c.want(200, "PATCH", d+"/items/"+id, map[string]any{"fileSystemInfo": map[string]any{"createdDateTime": stamp, "lastModifiedDateTime": stamp}})
	if fs := a.m["fileSystemInfo"].(map[string]any); fs["createdDateTime"] != stamp || fs["lastModifiedDateTime"] != stamp {
		t.Fatalf("times: %v", fs)
	}
	if v := c.want(200, "GET", d+"/items/"+id+"/versions", nil).rows(); len(v) != 3 {
		t.Fatalf("%d versions, want content twice and a change of metadata", len(v))
	}
	// move and rename
	folder := c.want(201, "POST", d+"/root/children", map[string]any{"name": "Target", "folder": map[string]any{}, "@microsoft.graph.conflictBehavior": "fail"})
	c.want(409, "POST", d+"/root/children", map[string]any{"name": "TARGET", "folder": map[string]any{}})
	moved := c.want(200, "PATCH", d+"/items/"+id, map[string]any{"name": "moved.txt", "parentReference": map[string]any{"id": folder.m["id"]}})
	if moved.m["id"] != id || parentOf(moved.m) != folder.m["id"] || moved.m["cTag"] != second.m["cTag"] {
		t.Fatalf("moved: %s", moved.raw)
	}
	c.want(404, "GET", d+"/root:/deep/er/a%20b%23.txt", nil)
	c.want(200, "GET", d+"/root:/target/MOVED.txt", nil)
	deep := c.want(200, "GET", d+"/root:/deep", nil)
	c.want(409, "PATCH", d+"/items/"+deep.m["id"].(string), map[string]any{"parentReference": map[string]any{"id": c.want(200, "GET", d+"/root:/deep/er", nil).m["id"]}})
	// preconditions
	c.want(412, "PATCH", d+"/items/"+id, map[string]any{"name": "other.txt"}, "If-Match", `"{00000000-0000-0000-0000-000000000000},1"`)
	c.want(412, "DELETE", d+"/items/"+id, nil, "If-Match", made.m["eTag"].(string))
	now := c.want(200, "GET", d+"/items/"+id, nil)
	c.want(304, "GET", d+"/items/"+id, nil, "If-None-Match", now.m["eTag"].(string))
	c.want(200, "PATCH", d+"/items/"+id, map[string]any{"name": "other.txt"}, "If-Match", now.m["eTag"].(string))
	// copy
	cp := c.want(202, "POST", d+"/items/"+folder.m["id"].(string)+"/copy", map[string]any{"name": "Copy"})
	mon := c.fetch(200, cp.header.Get("Location"))
	if mon.m["status"] != "completed" || mon.m["resourceId"] != c.want(200, "GET", d+"/root:/Copy", nil).m["id"] {
		t.Fatalf("monitor: %s", mon.raw)
	}
	other := c.want(200, "GET", driveOf(c, 1)+"/root", nil)
	c.want(202, "POST", d+"/items/"+id+"/copy", map[string]any{"parentReference": map[string]any{"driveId": c.s.Tenant().Users[1].Drive, "id": other.m["id"]}})
	if got := c.want(200, "GET", driveOf(c, 1)+"/root:/other.txt", nil); sizeOf(got.m) != 4 {
		t.Fatalf("copied to another drive: %s", got.raw)
	}
	// delete, with all below
	c.want(204, "DELETE", d+"/items/"+folder.m["id"].(string), nil)
	c.want(404, "GET", d+"/items/"+id, nil)
	c.want(404, "DELETE", d+"/items/"+folder.m["id"].(string), nil)
	c.want(403, "DELETE", d+"/root", nil) // the whole drive stays
}

func TestNamesThatTheServiceRefuses(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 5}).login()
	d := driveOf(c, 0)
	mk := func(name string) map[string]any { return map[string]any{"name": name, "folder": map[string]any{}} }
	for _, name := range []string{"", "a*b", `a"b`, "a:b", "a<b", "a>b", "a?b", "a/b", `a\b`, "a|b", " a", "a ", "a.", "con", "COM1", "desktop.ini", ".lock", "~$a", "x_vti_y", "forms", "a\tb", strings.Repeat("n", 256)} {
		if a := c.want(400, "POST", d+"/root/children", mk(name)); a.code() != "invalidRequest" {
			t.Errorf("%q: %s", name, a.raw)
		}
	}
	for _, name := range []string{"con1", "~a", "a b", ".a", "%41", "#", "ü", "😀", "a..b", strings.Repeat("n", 200), "lock", "e\u0301", "vti_"} {
		c.want(201, "POST", d+"/root/children", mk(name))
	}
	path := "/" + strings.Repeat("d", 200)
	c.want(201, "PUT", d+"/root:"+path+"/e.txt:/content", []byte("x"))
	if a := c.want(400, "PUT", d+"/root:"+path+path+"/e.txt:/content", []byte("x")); a.code() != "pathIsTooLong" {
		t.Errorf("a path over the limit: %s", a.raw)
	}
}

func TestUploadSession(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 5}).login()
	d := driveOf(c, 0)
	body := bytes.Repeat([]byte("0123456789abcdef"), 60000) // 960,000 bytes
	const unit = 320 << 10
	stamp := "2019-05-06T07:08:09Z"
	open := func(name, how string) (string, answer) {
		a := c.want(200, "POST", d+"/root:/up/"+name+":/createUploadSession", map[string]any{"item": map[string]any{
			"@microsoft.graph.conflictBehavior": how, "fileSystemInfo": map[string]any{"createdDateTime": stamp, "lastModifiedDateTime": stamp}}})
		u, _ := a.m["uploadUrl"].(string)
		return u, a
	}
	send := func(status int, u string, from, to, total int) answer {
		t.Helper()
		return c.want(status, "PUT", u, body[from:to], "Authorization", "", "Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, total))
	}
	u, _ := open("big.bin", "fail")
	a := send(202, u, 0, unit, len(body))
	if got := fmt.Sprint(a.m["nextExpectedRanges"]); got != fmt.Sprintf("[%d-%d]", unit, len(body)-1) {
		t.Fatalf("next ranges %s", got)
	}
	send(416, u, 0, unit, len(body))           // again
	send(416, u, 2*unit, len(body), len(body)) // out of order
	send(400, u, unit, unit+1000, len(body))   // not a multiple
	send(400, u, unit, len(body), len(body)+7) // another total
	if got := c.fetch(200, u); fmt.Sprint(got.m["nextExpectedRanges"]) != fmt.Sprintf("[%d-%d]", unit, len(body)-1) {
		t.Fatalf("state %s", got.raw)
	}
	canary := c.s.Stats().TokenCanary
	c.want(401, "PUT", u, body[unit:2*unit], "Content-Range", fmt.Sprintf("bytes %d-%d/%d", unit, 2*unit-1, len(body)))
	if c.s.Stats().TokenCanary != canary+1 {
		t.Fatal("a bearer token at the upload address was not noticed")
	}
	send(202, u, unit, 2*unit, len(body))
	done := send(201, u, 2*unit, len(body), len(body))
	if done.m["name"] != "big.bin" || hashOf(done.m) != quickXorOf(body) || done.m["fileSystemInfo"].(map[string]any)["lastModifiedDateTime"] != stamp {
		t.Fatalf("uploaded: %s", done.raw)
	}
	if got := c.content(d + "/items/" + done.m["id"].(string)); !bytes.Equal(got, body) {
		t.Fatal("other bytes came back")
	}
	if v := c.want(200, "GET", d+"/items/"+done.m["id"].(string)+"/versions", nil).rows(); len(v) != 1 {
		t.Fatalf("an upload with times made %d versions", len(v))
	}
	c.fetch(404, u) // the session is over
	c.want(409, "POST", d+"/root:/up/big.bin:/createUploadSession", map[string]any{"item": map[string]any{"@microsoft.graph.conflictBehavior": "fail"}})
	u, _ = open("big.bin", "replace")
	if a := send(200, u, 0, 100, 100); a.m["id"] != done.m["id"] || sizeOf(a.m) != 100 {
		t.Fatalf("replaced: %s", a.raw)
	}
	u, _ = open("big.bin", "rename")
	if a := send(201, u, 0, 100, 100); a.m["id"] == done.m["id"] {
		t.Fatal("rename replaced")
	}
	u, _ = open("gone.bin", "replace")
	c.want(204, "DELETE", u, nil, "Authorization", "")
	send(404, u, 0, 100, 100)
	u, _ = open("late.bin", "replace")
	c.s.Clock().Move(24*time.Hour + time.Minute)
	send(404, u, 0, 100, 100)
}

func TestVersions(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 5}).login()
	d := driveOf(c, 0)
	id := c.want(201, "PUT", d+"/root:/v.txt:/content", []byte("first")).m["id"].(string)
	c.want(200, "PUT", d+"/items/"+id+"/content", []byte("second"))
	c.want(200, "PUT", d+"/items/"+id+"/content", []byte("third"))
	rows := c.want(200, "GET", d+"/items/"+id+"/versions", nil).rows()
	if len(rows) != 3 || rows[0]["id"] != "3.0" || rows[2]["id"] != "1.0" {
		t.Fatalf("versions: %v", rows)
	}
	if got := c.content(d + "/items/" + id + "/versions/1.0"); string(got) != "first" {
		t.Fatalf("version 1.0 holds %q", got)
	}
	if got := c.fetch(200, rows[1]["@microsoft.graph.downloadUrl"].(string)).raw; string(got) != "second" {
		t.Fatalf("version 2.0 holds %q", got)
	}
	c.want(400, "GET", d+"/items/"+id+"/versions/3.0/content", nil)
	c.want(404, "GET", d+"/items/"+id+"/versions/9.0/content", nil)
	c.want(400, "POST", d+"/items/"+id+"/versions/3.0/restoreVersion", nil)
	c.want(204, "POST", d+"/items/"+id+"/versions/1.0/restoreVersion", nil)
	if got := c.content(d + "/items/" + id); string(got) != "first" {
		t.Fatalf("restored: %q", got)
	}
	if rows := c.want(200, "GET", d+"/items/"+id+"/versions", nil).rows(); len(rows) != 4 || rows[0]["id"] != "4.0" {
		t.Fatalf("after restore: %v", rows)
	}
	c.want(200, "GET", d+"/items/"+id+"/versions/4.0", nil)
}

func TestPermissions(t *testing.T) {
	c := start(t, sim.Options{Users: 4, FilesPer: 5}).login()
	d := driveOf(c, 0)
	mail := c.s.Tenant().Users[2].UPN
	folder := c.want(201, "POST", d+"/root/children", map[string]any{"name": "Shared", "folder": map[string]any{}}).m["id"].(string)
	id := c.want(201, "PUT", d+"/root:/Shared/x.txt:/content", []byte("x")).m["id"].(string)
	link := c.want(200, "GET", d+"/root/delta?token=latest", nil).m["@odata.deltaLink"].(string)
	if rows := c.want(200, "GET", d+"/items/"+id+"/permissions", nil).rows(); len(rows) != 1 || rows[0]["inheritedFrom"] == nil {
		t.Fatalf("an unshared file: %v", rows)
	}
	invite := func(status int, send bool) answer {
		return c.want(status, "POST", d+"/items/"+folder+"/invite", map[string]any{"recipients": []any{map[string]any{"email": mail}}, "roles": []string{"write"}, "requireSignIn": true, "sendInvitation": send})
	}
	p := invite(200, false).rows()[0]
	if c.s.Stats().MailsSentN != 0 {
		t.Fatal("an invitation without sendInvitation sent mail")
	}
	if rows := c.want(200, "GET", d+"/items/"+id+"/permissions", nil).rows(); len(rows) != 2 || rows[1]["id"] != p["id"] || rows[1]["inheritedFrom"] == nil {
		t.Fatalf("a file below a shared folder: %v", rows)
	}
	c.want(403, "DELETE", d+"/items/"+id+"/permissions/"+p["id"].(string), nil) // inherited
	invite(200, true)
	if st := c.s.Stats(); st.MailsSentN != 1 || st.MailsSent[0].Recipients[0] != mail {
		t.Fatalf("the invitation mail was not recorded: %+v", st.MailsSent)
	}
	a := c.want(200, "PATCH", d+"/items/"+folder+"/permissions/"+p["id"].(string), map[string]any{"roles": []string{"read"}})
	if fmt.Sprint(a.m["roles"]) != "[read]" {
		t.Fatalf("patched: %s", a.raw)
	}
	l := c.want(201, "POST", d+"/items/"+id+"/createLink", map[string]any{"type": "view", "scope": "anonymous"})
	if again := c.want(200, "POST", d+"/items/"+id+"/createLink", map[string]any{"type": "view", "scope": "anonymous"}); again.m["id"] != l.m["id"] {
		t.Fatal("a second link of the same kind")
	}
	c.want(400, "POST", d+"/items/"+id+"/createLink", map[string]any{"type": "embed"})
	// sharing changes show only to those who ask
	if rows, _ := c.pages(link); len(rows) != 0 {
		t.Fatalf("without the Prefer header: %v", rows)
	}
	c.head.Set("Prefer", "hierarchicalsharing, deltashowsharingchanges, deltashowremovedasdeleted, deltatraversepermissiongaps")
	rows, _ := c.pages(link)
	if len(rows) != 2 || rows[0]["@microsoft.graph.sharedChanged"] != "True" {
		t.Fatalf("with the Prefer header: %v", rows)
	}
	child := c.want(201, "PUT", d+"/root:/Shared/y.txt:/content", []byte("y")).m["id"]
	for _, r := range c.want(200, "GET", d+"/root/delta", nil).rows() {
		if r["id"] == child && r["shared"] != nil {
			t.Fatal("hierarchicalsharing, and an inheriting item has the shared facet")
		}
		if r["id"] == folder && r["shared"] == nil {
			t.Fatal("hierarchicalsharing, and the shared folder has no facet")
		}
	}
	c.want(204, "DELETE", d+"/items/"+folder+"/permissions/"+p["id"].(string), nil)
	c.want(404, "DELETE", d+"/items/"+folder+"/permissions/"+p["id"].(string), nil)
	with := c.want(200, "GET", d+"/items/"+id+"?$expand=permissions", nil)
	if len(with.m["permissions"].([]any)) != 2 {
		t.Fatalf("expanded: %s", with.raw)
	}
	c.want(400, "POST", d+"/items/"+id+"/invite", map[string]any{"recipients": []any{map[string]any{"email": "nobody@example.org"}}, "roles": []string{"read"}, "requireSignIn": true})
}

func TestAddressesExpireAndTakeNoToken(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 12, TokenLife: 100 * time.Hour}).login()
	d := driveOf(c, 0)
	id := c.want(201, "PUT", d+"/root:/x.txt:/content", []byte("content")).m["id"].(string)
	u := c.want(200, "GET", d+"/items/"+id+"?$select=id,@microsoft.graph.downloadUrl", nil).m["@microsoft.graph.downloadUrl"].(string)
	if parsed, err := url.Parse(u); err != nil || parsed.Host != "holdfastsim-my.sharepoint.com" {
		t.Fatalf("address %q", u)
	}
	c.fetch(200, u)
	c.want(401, "GET", u, nil) // with the bearer token
	if c.s.Stats().TokenCanary != 1 {
		t.Fatal("a bearer token at the download address was not noticed")
	}
	c.fetch(401, strings.Replace(u, "tempauth=v1.", "tempauth=v1.z", 1))
	c.want(200, "PUT", d+"/items/"+id+"/content", []byte("changed"))
	if got := c.fetch(200, u).raw; string(got) != "changed" {
		t.Fatalf("the address gives %q", got)
	}
	c.s.Clock().Move(61 * time.Minute)
	c.fetch(401, u)
	c.want(204, "DELETE", d+"/items/"+id, nil)
}

func TestRetiredPreAuthenticationAsksForASharePointToken(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 12}).login()
	d := driveOf(c, 0)
	id := c.want(201, "PUT", d+"/root:/x.txt:/content", []byte("content")).m["id"].(string)
	control[sim.DriveSettings](t, c, "POST", "/drives/settings", map[string]any{"tempAuthRetired": true})
	u := c.want(302, "GET", d+"/items/"+id+"/content", nil).header.Get("Location")
	c.fetch(401, u)
	c.want(401, "GET", u, nil) // a token of Graph
	graph := c.token
	c.loginTo("https://holdfastsim-my.sharepoint.com/.default")
	if got := c.want(200, "GET", u, nil).raw; string(got) != "content" {
		t.Fatalf("content %q", got)
	}
	c.token = graph
	if c.s.Stats().TokenCanary != 0 {
		t.Fatal("a token that was asked for counts as leaked")
	}
}

// loginTo gets a token of a resource by certificate; SharePoint takes no tokens that were got by secret.
func (c *client) loginTo(scope string) {
	c.t.Helper()
	ten := c.s.Tenant()
	pfx, err := base64.StdEncoding.DecodeString(ten.CertificatePFX)
	if err != nil {
		c.t.Fatal(err)
	}
	key, cert, err := pkcs12.Decode(pfx, ten.CertificatePassword)
	if err != nil {
		c.t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	part := func(v map[string]any) string {
		b, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		return b64(b)
	}
	thumb := sha256.Sum256(cert.Raw)
	now := c.s.Clock().Now()
	path := "/" + ten.TenantID + "/oauth2/v2.0/token"
	signed := part(map[string]any{"alg": "RS256", "typ": "JWT", "x5t#S256": b64(thumb[:])}) + "." + part(map[string]any{
		"aud": "https://login.microsoftonline.com" + path, "iss": ten.ApplicationID, "sub": ten.ApplicationID, "jti": fmt.Sprint(now.UnixNano(), scope),
		"nbf": now.Add(-time.Minute).Unix(), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()})
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		c.t.Fatal(err)
	}
	status, body := c.form(path, url.Values{"grant_type": {"client_credentials"}, "client_id": {ten.ApplicationID}, "scope": {scope},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {signed + "." + b64(sig)}})
	if status != 200 {
		c.t.Fatalf("token: %d %v", status, body)
	}
	c.token = body["access_token"].(string)
}

// loginBySecret gets a token of a resource by the application's secret.
func (c *client) loginBySecret(scope string) {
	c.t.Helper()
	ten := c.s.Tenant()
	status, body := c.form("/"+ten.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {ten.ApplicationID}, "client_secret": {ten.ApplicationSecret}, "scope": {scope}})
	if status != 200 {
		c.t.Fatalf("token: %d %v", status, body)
	}
	c.token = body["access_token"].(string)
}

func TestSharePointAliasServesTheSameDrive(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 30}).login()
	graph, _ := c.pages(driveOf(c, 0) + "/root/delta")
	c.want(401, "GET", "https://holdfastsim-my.sharepoint.com/_api/v2.0"+driveOf(c, 0)+"/root", nil)
	c.loginBySecret("https://holdfastsim-my.sharepoint.com/.default")
	c.want(401, "GET", "https://holdfastsim-my.sharepoint.com/_api/v2.0"+driveOf(c, 0)+"/root", nil)
	c.loginTo("https://holdfastsim-my.sharepoint.com/.default")
	base := "https://holdfastsim-my.sharepoint.com/_api/v2.0" + driveOf(c, 0)
	rows, delta := c.pages(base + "/root/delta?$top=10")
	if len(rows) != len(graph) || !strings.HasPrefix(delta, base) {
		t.Fatalf("%d rows, Graph has %d; delta %q", len(rows), len(graph), delta)
	}
	for _, r := range files(rows) {
		c.fetch(200, r["@content.downloadUrl"].(string))
		break
	}
}

func TestSharePointLimits(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 12, Limits: sim.LimitsEnforce, Clock: &frozen{at: time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)}}).login()
	d := driveOf(c, 0)
	units := func() int64 { return c.s.Stats().ResourceUnits["sharepoint"] }
	for _, tc := range []struct {
		method, path string
		body         any
		status       int
		cost         int64
	}{
		{"GET", d + "/root", nil, 200, 1},
		{"GET", d + "/root/children", nil, 200, 2},
		{"GET", d + "/root/delta", nil, 200, 2},
		{"GET", d + "/root/delta?token=latest", nil, 200, 1},
		{"GET", d + "/root/permissions", nil, 200, 5},
		{"GET", d + "/root/children?$expand=permissions", nil, 200, 5},
		{"PUT", d + "/root:/f.txt:/content", []byte("x"), 201, 2},
		{"GET", d + "/root:/f.txt:/content", nil, 302, 1},
		{"GET", d + "/root:/f.txt:/versions", nil, 200, 2},
		{"POST", d + "/root:/f.txt:/createLink", map[string]any{"type": "view"}, 201, 5},
		{"DELETE", d + "/root:/f.txt", nil, 204, 2},
	} {
		before := units()
		c.want(tc.status, tc.method, tc.path, tc.body)
		if got := units() - before; got != tc.cost {
			t.Errorf("%s %s cost %d units, want %d", tc.method, tc.path, got, tc.cost)
		}
	}
	var a answer
	calls := 0
	for ; calls < 700; calls++ {
		a = c.call("GET", d+"/root/children", nil)
		if a.status != 200 {
			break
		}
		if high, has := units() >= 1000, a.header.Get("RateLimit-Limit") != ""; high != has {
			t.Fatalf("at %d of 1250 units the RateLimit headers are there: %v", units(), has)
		}
	}
	if a.status != 429 || a.header.Get("Retry-After") == "" || a.header.Get("RateLimit-Remaining") != "0" {
		t.Fatalf("after %d calls: %d %v", calls, a.status, a.header)
	}
	if early := c.s.Stats().EarlyRetries; early != 0 {
		t.Fatalf("%d early calls before any was made", early)
	}
	c.s.Clock().Move(2 * time.Second)
	c.want(429, "GET", d+"/root", nil) // another call of the same application, in the pause
	if early := c.s.Stats().EarlyRetries; early != 1 {
		t.Fatalf("%d early calls counted, want 1", early)
	}
	c.s.Clock().Move(time.Minute)
	c.want(200, "GET", d+"/root", nil)
}

// frozen is a clock that stands.
type frozen struct{ at time.Time }

func (f *frozen) Now() time.Time                                   { return f.at }
func (f *frozen) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
func (f *frozen) After(d time.Duration) <-chan time.Time           { return time.After(d) }

func TestLimitsCountedOnlyRefuseNothing(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 12, Limits: sim.LimitsCount}).login()
	for range 300 {
		if a := c.want(200, "GET", driveOf(c, 0)+"/root/permissions", nil); a.header.Get("RateLimit-Limit") != "" {
			t.Fatalf("a limit that nothing keeps is announced: %v", a.header)
		}
	}
	if st := c.s.Stats(); st.Violations == 0 || st.Throttled != 0 || st.PeakUnits["sharepoint"] < 1250 {
		t.Fatalf("violations %d, throttled %d, peak %v", st.Violations, st.Throttled, st.PeakUnits)
	}
}

func TestDriveFaults(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 30}).login()
	d := driveOf(c, 0)
	body := bytes.Repeat([]byte("truth "), 20000)
	id := c.want(201, "PUT", d+"/root:/x.bin:/content", body).m["id"].(string)
	rows, link := c.pages(d + "/root/delta")
	u := func() string { return c.want(302, "GET", d+"/items/"+id+"/content", nil).header.Get("Location") }
	fault := func(kind string) {
		t.Helper()
		control[sim.DriveFault](t, c, "POST", "/drives/faults", map[string]any{"kind": kind, "times": 1})
	}
	fault(sim.FaultDeltaExpired)
	if a := c.want(410, "GET", link, nil); a.header.Get("Location") == "" {
		t.Error("410 without Location")
	}
	fault(sim.FaultDeltaUpload)
	if a := c.want(410, "GET", link, nil); a.code() != "resyncChangesUploadDifferences" {
		t.Errorf("code %s", a.code())
	}
	fault(sim.FaultEmptyPages)
	if a := c.want(200, "GET", link, nil); a.m["@odata.nextLink"] == nil || len(a.rows()) != 0 {
		t.Errorf("empty page: %s", a.raw)
	}
	fault(sim.FaultDuplicateRows)
	again, _ := c.pages(d + "/root/delta")
	state := map[string]map[string]any{}
	apply(state, again)
	if len(again) <= len(rows) || !slices.Equal(paths(t, state), dumpPaths(dump(t, c, 0))) {
		t.Errorf("duplicate rows: %d rows for %d items", len(again), len(state))
	}
	fault(sim.FaultDownloadExpired)
	c.fetch(401, u())
	fault(sim.FaultHalfDownload)
	if a, err := c.try("GET", u(), nil, "Authorization", ""); err == nil && a.err == nil {
		t.Errorf("a half download ended well with %d of %d bytes", len(a.raw), len(body))
	}
	fault(sim.FaultWrongContent)
	if got := c.fetch(200, u()).raw; bytes.Equal(got, body) || len(got) != len(body) {
		t.Error("the content is right")
	}
	fault(sim.FaultETag)
	c.want(412, "PATCH", d+"/items/"+id, map[string]any{"name": "y.bin"})
	fault(sim.FaultLocked)
	c.want(423, "DELETE", d+"/items/"+id, nil)
	fault(sim.FaultThrottle)
	if a := c.want(429, "GET", d+"/root", nil); a.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	c.s.Clock().Move(3 * time.Second)
	if c.call("GET", d+"/root", nil).status != 200 {
		t.Error("the pause of a throttled application does not end")
	}
	fault(sim.FaultChangedWhileRead)
	if got := c.fetch(200, u()).raw; bytes.Equal(got, body) {
		t.Error("the item did not change while read")
	}
	session := c.want(200, "POST", d+"/root:/z.bin:/createUploadSession", map[string]any{}).m["uploadUrl"].(string)
	fault(sim.FaultUploadTwice)
	const unit = 320 << 10
	big := make([]byte, 2*unit)
	c.want(503, "PUT", session, big[:unit], "Authorization", "", "Content-Range", fmt.Sprintf("bytes 0-%d/%d", unit-1, 2*unit))
	c.want(416, "PUT", session, big[:unit], "Authorization", "", "Content-Range", fmt.Sprintf("bytes 0-%d/%d", unit-1, 2*unit))
	fault(sim.FaultUploadLost)
	c.want(404, "PUT", session, big[unit:], "Authorization", "", "Content-Range", fmt.Sprintf("bytes %d-%d/%d", unit, 2*unit-1, 2*unit))
	fault(sim.FaultVanished)
	c.fetch(404, u())
	c.want(404, "GET", d+"/items/"+id, nil)
	// malware and locks are states of an item
	c.want(201, "PUT", d+"/root:/virus.exe:/content", []byte("x"))
	path := "/drives/" + c.s.Tenant().Users[0].UPN + "/flag"
	control[map[string]any](t, c, "POST", path, map[string]any{"path": "virus.exe", "malware": true, "locked": true})
	row := c.want(200, "GET", d+"/root:/virus.exe", nil)
	if row.m["malware"] == nil {
		t.Error("no malware facet")
	}
	if a := c.want(403, "GET", d+"/root:/virus.exe:/content", nil); a.code() != "malwareDetected" {
		t.Errorf("malware: %s", a.raw)
	}
	c.fetch(403, row.m["@microsoft.graph.downloadUrl"].(string))
	if a := c.want(423, "DELETE", d+"/root:/virus.exe", nil); a.code() != "resourceLocked" {
		t.Errorf("locked: %s", a.raw)
	}
}

func TestDeltaSurvivesDamagedPages(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 60}).login()
	if err := c.s.SetFaults(sim.Fault{Name: sim.FaultDuplicate, Every: 2}, sim.Fault{Name: sim.FaultOutOfOrder, Every: 3}, sim.Fault{Name: sim.FaultEmptyPage, Every: 4, User: c.s.Tenant().Users[0].ID}); err != nil {
		t.Fatal(err)
	}
	state := map[string]map[string]any{}
	rows, _ := c.pages(driveOf(c, 0) + "/root/delta?$top=10")
	apply(state, rows)
	if got, want := paths(t, state), dumpPaths(dump(t, c, 0)); len(rows) <= len(state) || !slices.Equal(got, want) {
		t.Fatalf("%d rows lead to %d paths, want %d", len(rows), len(got), len(want))
	}
	if n := c.s.Stats().FaultsFired; n[sim.FaultDuplicate] == 0 || n[sim.FaultOutOfOrder] == 0 || n[sim.FaultEmptyPage] == 0 {
		t.Fatalf("fired: %v", n)
	}
}

func TestDriveThatIsGoneOrLocked(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 12}).login()
	d, upn := driveOf(c, 0), c.s.Tenant().Users[0].UPN
	address := c.want(302, "GET", c.firstFile(d)+"/content", nil).header.Get("Location")
	for state, status := range map[string]int{sim.DriveGone: 404, sim.DriveLocked: 423} {
		control[map[string]any](t, c, "POST", "/drives/"+upn+"/state", map[string]any{"state": state})
		c.want(status, "GET", d+"/root/delta", nil)
		c.want(status, "GET", "/users/"+upn+"/drive", nil)
		c.fetch(status, address)
	}
	control[map[string]any](t, c, "POST", "/drives/"+upn+"/state", map[string]any{"state": sim.DriveOpen})
	c.want(200, "GET", d+"/root/delta", nil)
	if err := c.s.SetMailbox(upn, sim.MailboxUnlicensed); err != nil {
		t.Fatal(err)
	}
	c.want(200, "GET", d+"/root", nil) // the drive outlives the licence
}

// firstFile is the path of some file of a drive.
func (c *client) firstFile(d string) string {
	c.t.Helper()
	rows, _ := c.pages(d + "/root/delta")
	return d + "/items/" + files(rows)[0]["id"].(string)
}

func TestMissingPermissionIsRefusedByCall(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 5, Roles: []string{"Files.Read.All"}}).login()
	d := driveOf(c, 0)
	c.want(200, "GET", d+"/root/delta", nil)
	c.want(403, "PUT", d+"/root:/x.txt:/content", []byte("x"))
	c = start(t, sim.Options{Users: 1, FilesPer: 5, Roles: []string{"Files.ReadWrite.All"}}).login()
	d = driveOf(c, 0)
	c.want(201, "PUT", d+"/root:/x.txt:/content", []byte("x"))
	c.want(403, "POST", d+"/root:/y.txt:/createUploadSession", map[string]any{})
	id := c.want(200, "GET", d+"/root:/x.txt", nil).m["id"].(string)
	c.want(403, "POST", d+"/items/"+id+"/createUploadSession", map[string]any{})
}

func TestRestoredDriveDumpsEqual(t *testing.T) {
	c := start(t, sim.Options{Users: 2, FilesPer: 40}).login()
	d := driveOf(c, 0)
	before := dump(t, c, 0)
	rows, _ := c.pages(d + "/root/delta")
	kept := map[string][]byte{}
	for _, r := range files(rows) {
		kept[r["id"].(string)] = c.content(d + "/items/" + r["id"].(string))
	}
	for _, r := range c.want(200, "GET", d+"/root/children", nil).rows() {
		c.want(204, "DELETE", d+"/items/"+r["id"].(string), nil)
	}
	if got := dump(t, c, 0); len(got) != 0 {
		t.Fatalf("%d items after deleting all", len(got))
	}
	ids := map[string]string{rows[0]["id"].(string): "root"}
	for _, r := range rows[1:] {
		fsi, parent, name := r["fileSystemInfo"], ids[parentOf(r)], r["name"].(string)
		var made answer
		if r["folder"] != nil {
			made = c.want(201, "POST", d+"/items/"+parent+"/children", map[string]any{"name": name, "folder": map[string]any{}})
			c.want(200, "PATCH", d+"/items/"+made.m["id"].(string), map[string]any{"fileSystemInfo": fsi})
		} else {
			made = c.want(201, "PUT", d+"/items/"+parent+":/"+url.PathEscape(name)+":/content", kept[r["id"].(string)])
			c.want(200, "PATCH", d+"/items/"+made.m["id"].(string), map[string]any{"fileSystemInfo": fsi})
		}
		ids[r["id"].(string)] = made.m["id"].(string)
	}
	after := dump(t, c, 0)
	if len(after) != len(before) {
		t.Fatalf("%d items, want %d", len(after), len(before))
	}
	for i := range after {
		a, b := after[i], before[i]
		if a.Path != b.Path || a.SHA256 != b.SHA256 || !a.Modified.Equal(b.Modified) || !a.Created.Equal(b.Created) || a.Folder != b.Folder {
			t.Fatalf("restored %+v\nwas %+v", a, b)
		}
	}
}

func base64Std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func TestMillionItemDriveCostsNoMemory(t *testing.T) {
	c := start(t, sim.Options{Users: 1, FilesPer: 1_000_000}).login()
	d := driveOf(c, 0)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	c.want(200, "GET", d+"/root", nil)
	before := heap()
	u := d + "/root/delta?$top=1000"
	var last map[string]any
	for range 10 {
		a := c.want(200, "GET", u, nil)
		rows := a.rows()
		last = rows[len(rows)-1]
		u = a.m["@odata.nextLink"].(string)
	}
	a := c.want(200, "GET", d+"/items/"+last["id"].(string), nil)
	c.want(200, "GET", d+"/items/"+parentOf(a.m)+"/children?$top=5", nil)
	c.want(204, "DELETE", d+"/items/"+last["id"].(string), nil)
	if grown := heap() - before; grown > 32<<20 {
		t.Fatalf("10 pages of a million items left %d MB", grown>>20)
	}
}
