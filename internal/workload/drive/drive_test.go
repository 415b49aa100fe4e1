package drive_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
	"holdfast/internal/workload/drive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hasty is a clock whose waits move the simulator's clock instead of taking time, so that client and service agree that time has passed.
type hasty struct{ *sys.Shifted }

func (c hasty) Sleep(ctx context.Context, d time.Duration) error {
	c.Move(max(d, 0))
	return ctx.Err()
}

func (c hasty) After(d time.Duration) <-chan time.Time {
	c.Move(max(d, 0))
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

// rig is a simulated tenant with one drive under test.
type rig struct {
	t      *testing.T
	sim    *sim.Sim
	g      *graph.Client
	source engine.Source
	target engine.Target
	box    holdfast.Container
	user   string
}

func start(t *testing.T, o sim.Options) *rig {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{t: t, sim: s, user: s.Tenant().Users[0].ID}
	r.g = r.client(nil)
	w := drive.New(func(context.Context, holdfast.Organization, holdfast.Credential) (*graph.Client, error) {
		return r.g, nil
	})
	org := holdfast.Organization{ID: "org"}
	if r.source, err = w.Source(t.Context(), org, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	r.target = targetOf{r, w}
	r.box = r.container(0)
	return r
}

// client connects to the simulator.
func (r *rig) client(faults *sys.Faults) *graph.Client {
	r.t.Helper()
	ca, err := m365.ReadCA(r.sim.CAFile())
	if err != nil {
		r.t.Fatal(err)
	}
	cloud, err := m365.CloudNamed("Worldwide")
	if err != nil {
		r.t.Fatal(err)
	}
	tenant := r.sim.Tenant()
	m, err := m365.New(m365.Config{
		Cloud: cloud, Tenant: tenant.TenantID, Application: tenant.ApplicationID, Credential: auth.FromSecret(auth.Secret(tenant.ApplicationSecret)),
		Network: m365.Network{Dial: r.sim.Addr(), CA: ca}, Clock: hasty{r.sim.Clock()}, Limits: throttle.Unlimited(), Faults: faults,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(m.Close)
	return graph.New(m)
}

func (r *rig) container(user int) holdfast.Container {
	r.t.Helper()
	id := r.sim.Tenant().Users[user].ID
	for f, err := range r.source.Discover(r.t.Context(), []string{id}) {
		if err != nil || f.Err != nil {
			r.t.Fatal(err, f.Err)
		}
		return f.Container
	}
	r.t.Fatal("no drive")
	return holdfast.Container{}
}

// backup reads the drive into a new state.
func (r *rig) backup(before *memory) (*memory, *taking) {
	r.t.Helper()
	s := takeFrom(r.t, before)
	if err := r.source.Read(r.t.Context(), r.box, before, s); err != nil {
		r.t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		r.t.Fatal(err)
	}
	return s.now, s
}

// control posts to the simulator's control port.
func (r *rig) control(method, path, body string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.sim.ControlAddr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
}

func (r *rig) churn(n, seed int) {
	r.control("POST", "/drives/"+r.user+"/churn", fmt.Sprintf(`{"changes":%d,"seed":%d}`, n, seed))
}

func (r *rig) fault(f sim.DriveFault) {
	r.t.Helper()
	if err := r.sim.AddDriveFault(f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) dump(user string) []sim.DriveRow {
	r.t.Helper()
	rows, err := r.sim.DumpDrive(user, true)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// describe writes what the vault has in the words of the simulator's dump, without what a backup does not hold as such.
func describe(t *testing.T, m *memory, skipped map[string]holdfast.SkipReason) map[string]string {
	t.Helper()
	out := map[string]string{}
	for id, h := range m.items {
		if h.item.Kind == holdfast.KindVersion || h.item.Parent == "" {
			continue
		}
		p, err := m.path(h.item)
		if err != nil {
			t.Error(err)
			continue
		}
		if h.item.Kind == holdfast.KindFolder {
			out[p] = fmt.Sprintf("folder %s %s", h.item.Fields[holdfast.FieldModified], grants(t, h.forms[holdfast.FormPermissions]))
			continue
		}
		body, ok := h.forms[holdfast.FormFile]
		if !ok {
			t.Errorf("%s has no content", p)
		}
		var older []holdfast.Item
		for v, err := range m.Children(t.Context(), id) {
			if err != nil {
				t.Fatal(err)
			}
			older = append(older, v)
		}
		number := func(v holdfast.Item) int {
			n, err := strconv.Atoi(strings.TrimSuffix(v.Version, ".0"))
			if err != nil {
				t.Error(err)
			}
			return n
		}
		slices.SortFunc(older, func(a, b holdfast.Item) int { return cmp.Or(a.Time.Compare(b.Time), number(a)-number(b)) })
		sums := []string{}
		for _, v := range older {
			sums = append(sums, hexSum(m.items[v.ID].forms[holdfast.FormFile]))
		}
		sums = append(sums, hexSum(body))
		out[p] = fmt.Sprintf("file %d %s %s %v %s", len(body), h.item.Fields[holdfast.FieldHash], h.item.Fields[holdfast.FieldModified], sums, grants(t, h.forms[holdfast.FormPermissions]))
		if bytes.Contains(h.forms[holdfast.FormJSON], []byte("tempauth")) || !json.Valid(h.forms[holdfast.FormJSON]) {
			t.Errorf("%s: JSON holds an address or is broken: %s", p, h.forms[holdfast.FormJSON])
		}
	}
	return out
}

func grants(t *testing.T, raw []byte) string {
	t.Helper()
	if raw == nil {
		return "0"
	}
	var all []graph.Permission
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range all {
		if p.InheritedFrom == nil && !slices.Contains(p.Roles, "owner") {
			n++
		}
	}
	return fmt.Sprint(n)
}

func describeDump(rows []sim.DriveRow) map[string]string {
	out := map[string]string{}
	for _, r := range rows {
		if r.Folder {
			out[r.Path] = fmt.Sprintf("folder %s %d", r.Modified.UTC().Format(time.RFC3339), len(r.Grants))
			continue
		}
		sums := []string{}
		for _, v := range r.Versions {
			sums = append(sums, v.SHA256)
		}
		out[r.Path] = fmt.Sprintf("file %d %s %s %v %d", r.Size, r.QuickXor, r.Modified.UTC().Format(time.RFC3339), sums, len(r.Grants))
	}
	return out
}

func diff(t *testing.T, got, want map[string]string) {
	t.Helper()
	n := 0
	for p, w := range want {
		if g := got[p]; g != w && n < 8 {
			n++
			t.Errorf("%q:\n got %q\nwant %q", p, g, w)
		}
	}
	for p, g := range got {
		if _, ok := want[p]; !ok && n < 8 {
			n++
			t.Errorf("%q should not be there: %q", p, g)
		}
	}
}

func (r *rig) equal(m *memory) {
	r.t.Helper()
	for _, h := range m.items {
		if _, ok := m.items[h.item.Parent]; !ok && h.item.Parent != "" {
			r.t.Errorf("%s %q is stored and cannot be reached", h.item.Kind, h.item.Name)
		}
	}
	diff(r.t, describe(r.t, m, nil), describeDump(r.dump(r.user)))
}

func TestABackupHoldsWhatTheDriveHas(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 80})
	m, s := r.backup(newMemory())
	r.equal(m)
	if len(s.skips) > 0 {
		t.Errorf("skipped %v", s.skips)
	}
	for i := range 6 {
		r.churn(25, i)
		before := r.dump(r.user)
		if m, _ = r.backup(m); i == 3 && len(before) == 0 {
			t.Fatal("churn emptied the drive")
		}
		r.equal(m)
	}
	if n := r.sim.Stats().TokenCanary; n > 0 {
		t.Errorf("%d tokens went where none belongs", n)
	}
}

func TestAnIdleBackupCostsThreeRequestsAndWritesNothing(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 30})
	m, _ := r.backup(newMemory())
	ctx, usage := r.source.(engine.Metered).Meter(t.Context())
	calls := r.sim.Stats().Calls
	for f, err := range r.source.Discover(ctx, []string{r.user}) {
		if err != nil || f.Err != nil || f.Container != r.box {
			t.Fatal(f, err)
		}
	}
	s := takeFrom(t, m)
	if err := r.source.Read(ctx, r.box, m, s); err != nil {
		t.Fatal(err)
	}
	if s.calls > 0 || usage().Requests > 3 || r.sim.Stats().Calls-calls > 3 {
		t.Errorf("%d things written, %d requests counted here, %d there", s.calls, usage().Requests, r.sim.Stats().Calls-calls)
	}
}

func TestEqualContentIsNotFetchedAgain(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 20})
	m, _ := r.backup(newMemory())
	var file graph.DriveItem
	for _, h := range m.items {
		if h.item.Kind == holdfast.KindFile && h.item.Size > 0 {
			file.ID = h.item.ID
		}
	}
	if _, err := r.g.UpdateItem(t.Context(), r.box.Source, file.ID, "", map[string]any{"name": "another name.bin"}); err != nil {
		t.Fatal(err)
	}
	endpoint := func() int64 {
		n := int64(0)
		for k, e := range r.sim.Stats().Endpoints {
			if strings.Contains(k, "download") || strings.Contains(k, "/content") {
				n += e.Calls
			}
		}
		return n
	}
	before := endpoint()
	m, s := r.backup(m)
	if m.items[file.ID].item.Name != "another name.bin" || endpoint() != before || s.puts != 1 {
		t.Errorf("renamed to %q with %d downloads and %d puts", m.items[file.ID].item.Name, endpoint()-before, s.puts)
	}
	r.equal(m)
}

func TestAResyncDeletesNothingThatIsThere(t *testing.T) {
	for name, expire := range map[string]func(*rig){
		"token too old": func(r *rig) { r.sim.Clock().Move(90 * 24 * time.Hour) },
		"apply":         func(r *rig) { r.fault(sim.DriveFault{Kind: sim.FaultDeltaExpired, Times: 1}) },
		"upload":        func(r *rig) { r.fault(sim.DriveFault{Kind: sim.FaultDeltaUpload, Times: 1}) },
		"twice":         func(r *rig) { r.fault(sim.DriveFault{Kind: sim.FaultDeltaExpired, Times: 2}) },
		"every token":   func(r *rig) { r.fault(sim.DriveFault{Kind: sim.FaultDeltaExpired}) },
		"with empty pages": func(r *rig) {
			r.fault(sim.DriveFault{Kind: sim.FaultDeltaExpired, Times: 1})
			r.fault(sim.DriveFault{Kind: sim.FaultEmptyPages, Every: 2, Times: 3})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{FilesPer: 60})
			m, _ := r.backup(newMemory())
			expire(r)
			after, s := r.backup(m)
			if s.deletes > 0 || s.puts > 0 {
				t.Errorf("nothing had changed: %d deleted, %d put", s.deletes, s.puts)
			}
			r.equal(after)
			r.churn(30, 9)
			r.sim.ClearDriveFaults()
			expire(r)
			after, _ = r.backup(after)
			r.equal(after)
		})
	}
}

func TestAChangeThatADeltaLeftOutIsFoundByTheNextWalk(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 20})
	m, _ := r.backup(newMemory())
	for id, h := range m.items { // as if the delta had never told of one file, and told too little of another
		if h.item.Kind == holdfast.KindFile {
			delete(m.items, id)
			break
		}
	}
	for id, h := range m.items {
		if h.item.Kind == holdfast.KindFile {
			h.item.Version, h.item.Name = "old", "old name"
			m.items[id] = h
			break
		}
	}
	r.sim.Clock().Move(20 * 24 * time.Hour)
	if m, s := r.backup(m); s.puts > 0 || len(m.items) == 0 {
		t.Errorf("%d things were put before the time", s.puts)
	}
	r.sim.Clock().Move(25 * 24 * time.Hour)
	m, _ = r.backup(m)
	r.equal(m)
	if _, s := r.backup(m); s.calls > 0 {
		t.Errorf("the next read wrote %d things", s.calls)
	}
}

func TestAFullReadFindsWhatNoDeltaTells(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 20})
	m, _ := r.backup(newMemory())
	var files []string
	for id, h := range m.items {
		if h.item.Kind == holdfast.KindFile {
			files = append(files, id)
		}
	}
	delete(m.items, files[0])
	h := m.items[files[1]]
	h.item.Version, h.item.Name = "old", "old name"
	m.items[files[1]] = h
	h.item.ID, h.item.Name = "not there", "never deleted"
	m.items["not there"] = h
	if _, s := r.backup(m); s.calls > 0 {
		t.Errorf("an incremental read found it: %d calls", s.calls)
	}
	m.anew = true
	m, s := r.backup(m)
	r.equal(m)
	if s.puts == 0 || s.deletes == 0 || s.puts > 6 {
		t.Errorf("%d put, %d deleted", s.puts, s.deletes)
	}
	m.anew = false
	if _, s := r.backup(m); s.calls > 0 {
		t.Errorf("the next read wrote %d things", s.calls)
	}
}

func TestAnUnreadableLinkIsAResyncToo(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 20})
	m, _ := r.backup(newMemory())
	m.cursors["delta"] += "x"
	r.churn(5, 1)
	m, _ = r.backup(m)
	r.equal(m)
}

func TestAFolderDeletedByOneRowTakesItsContentButNotWhatMovedOut(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 10})
	r.sim.SetDrives(sim.DriveSettings{DownloadLife: sim.Duration(time.Hour), UploadLife: sim.Duration(time.Hour), DeltaLife: sim.Duration(time.Hour * 999), FolderDeleteOnly: true})
	ctx, d := t.Context(), r.box.Source
	root, err := r.g.DriveRoot(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	folder := func(parent, name string) string {
		f, err := r.g.CreateFolder(ctx, d, parent, name, graph.ConflictFail, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	file := func(parent, name string) string {
		f, err := r.g.PutSmall(ctx, graph.NewFile{Drive: d, Parent: parent, Name: name}, []byte(name))
		if err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	a := folder(root.ID, "A")
	b := folder(a, "B")
	file(b, "deep.txt")
	stays := file(b, "stays.txt")
	sub := folder(a, "Sub")
	file(sub, "moves with its folder.txt")
	m, _ := r.backup(newMemory())
	for _, id := range []string{stays, sub} {
		if _, err := r.g.UpdateItem(ctx, d, id, "", map[string]any{"parentReference": map[string]string{"id": root.ID}}); err != nil {
			t.Fatal(err)
		}
	}
	file(b, "new and gone.txt")
	if err := r.g.DeleteItem(ctx, d, a); err != nil {
		t.Fatal(err)
	}
	m, _ = r.backup(m)
	r.equal(m)
}

func TestAFileThatGoesWithItsNewFolderLeavesNoVersions(t *testing.T) {
	for _, folderOnly := range []bool{true, false} {
		r := start(t, sim.Options{FilesPer: 3})
		r.sim.SetDrives(sim.DriveSettings{DownloadLife: sim.Duration(time.Hour), UploadLife: sim.Duration(time.Hour), DeltaLife: sim.Duration(time.Hour * 999), FolderDeleteOnly: folderOnly})
		m, _ := r.backup(newMemory())
		root, err := r.g.DriveRoot(t.Context(), r.box.Source)
		if err != nil {
			t.Fatal(err)
		}
		folder, err := r.g.CreateFolder(t.Context(), r.box.Source, root.ID, "short-lived", graph.ConflictFail, nil)
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		for _, text := range []string{"one", "another one"} {
			f, err := r.g.PutSmall(t.Context(), graph.NewFile{Drive: r.box.Source, Parent: folder.ID, Name: "short-lived.txt"}, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			id = f.ID
		}
		for i := range 4 {
			r.one(fmt.Sprintf("the file %d.txt", i), "stays")
		}
		link := strings.Replace(m.cursors["delta"], "top=1000", "top=3", 1) // so that it comes in several pages
		if link == m.cursors["delta"] {
			t.Fatal("the link has another form")
		}
		m.cursors["delta"] = link
		s := takeFrom(t, m)
		versions := 0
		s.atSavepoint = func(now *memory) {
			if _, ok := now.items[id]; !ok || versions > 0 {
				return
			}
			for _, h := range now.items {
				if h.item.Parent == id {
					versions++
				}
			}
			r.delete(folder.ID)
		}
		if err := r.source.Read(t.Context(), r.box, m, s); err != nil {
			t.Fatal(err)
		}
		if versions == 0 {
			t.Fatal("the file was not read with its versions before its folder went")
		}
		r.equal(s.now)
	}
}

func TestEveryFaultAtOnceEndsEqual(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 120, Limits: sim.LimitsCount})
	for kind, every := range map[string]int{sim.FaultDuplicateRows: 1, sim.FaultEmptyPages: 3, sim.FaultDownloadExpired: 7, sim.FaultHalfDownload: 3, sim.FaultWrongContent: 61,
		sim.FaultChangedWhileRead: 13, sim.FaultVanished: 41, sim.FaultThrottle: 37} {
		r.fault(sim.DriveFault{Kind: kind, Every: every, Times: 12})
	}
	m, s := r.backup(newMemory())
	for name, reason := range s.skips {
		if reason != holdfast.SkipVanished && reason != holdfast.SkipChanging {
			t.Errorf("%s skipped: %s", name, reason)
		}
	}
	r.churn(20, 3)
	r.fault(sim.DriveFault{Kind: sim.FaultDeltaExpired, Times: 1})
	m, _ = r.backup(m)
	r.sim.ClearDriveFaults()
	m, _ = r.backup(m)
	r.equal(m)
	if st := r.sim.Stats(); st.EarlyRetries > 0 || st.TokenCanary > 0 {
		t.Errorf("%d early retries, %d tokens astray: %+v", st.EarlyRetries, st.TokenCanary, st.ViolationList)
	}
}

func TestACrashAnywhereIsGoneOnFrom(t *testing.T) {
	for _, changes := range []bool{false, true} {
		r := start(t, sim.Options{FilesPer: 30})
		base := newMemory()
		if changes {
			base, _ = r.backup(base)
			r.churn(30, 5)
		}
		for n := 1; ; n += 7 {
			s := takeFrom(t, base)
			s.crashAt = n
			err := r.source.Read(t.Context(), r.box, base, s)
			if werr := s.Wait(); err == nil {
				err = werr
			}
			if err == nil {
				if n < 10 {
					t.Errorf("only %d calls", n)
				}
				break
			}
			if !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			from := base
			if s.saved != nil {
				from = s.saved
			}
			m, _ := r.backup(from)
			r.equal(m)
			if t.Failed() {
				t.Fatalf("crash at call %d (changes %v)", n, changes)
			}
		}
	}
}

func TestWhatCannotBeReadIsNamedAndTriedAgain(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 20})
	var path string
	for _, row := range r.dump(r.user) {
		if !row.Folder && row.Size > 0 {
			path = row.Path
		}
	}
	r.control("POST", "/drives/"+r.user+"/flag", fmt.Sprintf(`{"path":%q,"malware":true}`, path))
	m, s := r.backup(newMemory())
	name := path[strings.LastIndex(path, "/")+1:]
	if s.skips[name] != holdfast.SkipMalware || len(s.skips) != 1 {
		t.Errorf("skipped %v", s.skips)
	}
	if m, s = r.backup(m); len(m.missed) != 1 || s.calls > 0 {
		t.Errorf("an idle read forgot it or wrote: %v", m.missed)
	}
	r.control("POST", "/drives/"+r.user+"/flag", fmt.Sprintf(`{"path":%q}`, path))
	m, _ = r.backup(m)
	if len(m.missed) > 0 {
		t.Errorf("still missed: %v", m.missed)
	}
	r.equal(m)
}

func TestContentThatNeverMatchesIsChangingOnlyWhenItDiffersEachTime(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 8})
	r.fault(sim.DriveFault{Kind: sim.FaultChangedWhileRead})
	m, s := r.backup(newMemory())
	n := 0
	for name, reason := range s.skips {
		n++
		if reason != holdfast.SkipChanging {
			t.Errorf("%s: %s", name, reason)
		}
	}
	if n == 0 {
		t.Error("nothing was changing")
	}
	r.sim.ClearDriveFaults()
	m, _ = r.backup(m)
	r.equal(m)
}

func TestAPageInThePlaceOfContentIsNotTakenForIt(t *testing.T) {
	for n := range 4 { // the n-th download: of the present content, of a version
		r := start(t, sim.Options{FilesPer: 1})
		r.one("the file.txt", "one")
		r.one("the file.txt", "another one")
		if err := r.sim.SetFaults(sim.Fault{Name: sim.FaultHTML, Path: "download.aspx", Skip: n, Times: 1}); err != nil {
			t.Fatal(err)
		}
		m, s := r.backup(newMemory())
		if len(s.skips) > 0 {
			t.Errorf("download %d: skipped %v", n, s.skips)
		}
		r.equal(m)
	}
}

func TestBytesThatDifferFromTheirDescriptionEachTimeInOneWayAreKept(t *testing.T) {
	r := start(t, sim.Options{FilesPer: 12})
	r.fault(sim.DriveFault{Kind: sim.FaultWrongContent}) // as Office files do, into which the service writes properties
	m, s := r.backup(newMemory())
	if len(s.skips) > 0 {
		t.Errorf("skipped %v", s.skips)
	}
	n := 0
	for _, h := range m.items {
		if h.item.Kind != holdfast.KindFile || h.item.Size == 0 {
			continue
		}
		n++
		if h.item.Fields["described"] == "" {
			t.Errorf("%s: that the service describes other bytes is not noted", h.item.Name)
		}
		var q graph.QuickXor
		_, _ = q.Write(h.forms[holdfast.FormFile])
		if q.Text() != h.item.Fields[holdfast.FieldHash] || int64(len(h.forms[holdfast.FormFile])) != h.item.Size {
			t.Errorf("%s: the row does not have the hash of its bytes", h.item.Name)
		}
	}
	if n == 0 {
		t.Fatal("no files")
	}
	r.sim.ClearDriveFaults()
	if _, s = r.backup(m); s.calls > 0 {
		t.Errorf("an idle read wrote %d things", s.calls)
	}
	r.empty()
	r.restoring(m, engine.RestorePlan{}).all()
}

// Whatever reads found before, the row has the hash of the bytes that are stored; those that it describes are taken once they are served.
func TestARowHasTheHashOfTheBytesThatAreStored(t *testing.T) {
	for wrong := range 5 {
		r := start(t, sim.Options{FilesPer: 1})
		r.one("the file.txt", "what the service describes")
		if wrong > 0 {
			r.fault(sim.DriveFault{Kind: sim.FaultWrongContent, Times: wrong})
		}
		m, s := r.backup(newMemory())
		if len(s.skips) > 0 {
			t.Errorf("%d wrong reads: skipped %v", wrong, s.skips)
		}
		found := false
		for _, h := range m.items {
			if h.item.Name != "the file.txt" || h.item.Kind != holdfast.KindFile {
				continue
			}
			found = true
			text := h.forms[holdfast.FormFile]
			var q graph.QuickXor
			_, _ = q.Write(text)
			if q.Text() != h.item.Fields[holdfast.FieldHash] {
				t.Errorf("%d wrong reads: the row has the hash %s of %q, which has %s", wrong, h.item.Fields[holdfast.FieldHash], text, q.Text())
			}
			if right := string(text) == "what the service describes"; wrong < 3 && !right {
				t.Errorf("%d wrong reads: %q is stored", wrong, text)
			} else if right && h.item.Fields["described"] != "" {
				t.Errorf("%d wrong reads: the row calls what it describes another content", wrong)
			}
		}
		if !found {
			t.Fatal("the file is not stored")
		}
	}
}

// A file of a moderate size that is served wrongly, in another way each time, is read until it comes right; one that never does is named.
func TestAFileIsReadUntilItComesRight(t *testing.T) {
	for wrong, kept := range map[int]bool{8: true, 9: false} {
		r := start(t, sim.Options{FilesPer: 1})
		r.empty()
		r.one("the file.txt", "what the service describes")
		r.fault(sim.DriveFault{Kind: sim.FaultWrongContent, Times: wrong, Vary: true})
		m, s := r.backup(newMemory())
		if _, skipped := s.skips["the file.txt"]; skipped == kept {
			t.Errorf("%d wrong reads: skipped %v", wrong, s.skips)
		}
		if !kept {
			continue
		}
		r.equal(m)
	}
}

func TestDiscoverNamesWhoHasNoDrive(t *testing.T) {
	r := start(t, sim.Options{Users: 12})
	users := r.sim.Tenant().Users
	all := 0
	for f, err := range r.source.Discover(t.Context(), nil) {
		if err != nil || f.Err != nil || f.Container.Source == "" || f.Container.Address == "" {
			t.Fatal(f, err)
		}
		all++
	}
	if all < 9 || all >= len(users)+3 {
		t.Errorf("%d drives of %d users", all, len(users))
	}
	var reasons []holdfast.SkipReason
	for f, err := range r.source.Discover(t.Context(), []string{users[9].ID, users[0].ID, "00000000-0000-0000-0000-00000000dead"}) {
		if err != nil {
			t.Fatal(err)
		}
		var skip *holdfast.Skip
		if errors.As(f.Err, &skip) {
			reasons = append(reasons, skip.Reason)
		} else {
			reasons = append(reasons, "")
		}
	}
	if !slices.Equal(reasons, []holdfast.SkipReason{holdfast.SkipUnlicensed, "", holdfast.SkipGone}) {
		t.Errorf("reasons %v", reasons)
	}
	gone := r.box
	gone.Source = strings.Replace(gone.Source, "b!", "b!xx", 1)
	err := r.source.Read(t.Context(), gone, newMemory(), takeFrom(t, newMemory()))
	var skip *holdfast.Skip
	if !errors.As(err, &skip) || skip.Reason != holdfast.SkipGone {
		t.Errorf("a drive that is gone: %v", err)
	}
}

// targetOf opens each restore with the rig's client of the moment.
type targetOf struct {
	r *rig
	w engine.Workload
}

func (x targetOf) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	to, err := x.w.Target(ctx, holdfast.Organization{ID: "org"}, holdfast.Credential{})
	if err != nil {
		return nil, err
	}
	return to.Open(ctx, plan)
}

func (x targetOf) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return x.r.source.(engine.Metered).Meter(ctx)
}
