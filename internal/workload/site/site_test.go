package site_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/sim"
	"holdfast/internal/workload/site"
	"holdfast/internal/workload/workloadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a simulated tenant with one site under test.
type rig struct {
	t         *testing.T
	sim       *sim.Sim
	g         *graph.Client
	source    engine.Source
	target    engine.Target
	box       holdfast.Container
	backwards bool // items are put back in the opposite order
	ctx       context.Context
}

// certificate is the credential of the tenant's application.
func certificate(t *testing.T, tenant sim.Tenant) auth.Credential {
	t.Helper()
	pfx, err := base64.StdEncoding.DecodeString(tenant.CertificatePFX)
	if err != nil {
		t.Fatal(err)
	}
	c, err := auth.FromCertificate(pfx, auth.Secret(tenant.CertificatePassword))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, o sim.Options) *rig {
	t.Helper()
	s, g := workloadtest.TenantBy(t, o, func(tenant sim.Tenant) auth.Credential { return certificate(t, tenant) })
	return open(t, s, g)
}

func open(t *testing.T, s *sim.Sim, g *graph.Client) *rig {
	t.Helper()
	r := &rig{t: t, sim: s, g: g}
	w := site.New(func(context.Context, holdfast.Organization, holdfast.Credential) (*graph.Client, error) {
		return r.g, nil
	})
	var err error
	if r.source, err = w.Source(t.Context(), holdfast.Organization{ID: "org"}, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	if r.target, err = w.Target(t.Context(), holdfast.Organization{ID: "org"}, holdfast.Credential{}); err != nil {
		t.Fatal(err)
	}
	r.box = r.container("/sites/Falcon")
	return r
}

func (r *rig) info(path string) sim.SiteInfo {
	r.t.Helper()
	for _, x := range r.sim.Sites() {
		if x.Path == path {
			return x
		}
	}
	for _, u := range r.sim.Tenant().Users {
		if x, err := r.sim.PersonalSite(u.ID); err == nil && x.Path == path {
			return x
		}
	}
	r.t.Fatalf("no site %s", path)
	return sim.SiteInfo{}
}

func (r *rig) container(path string) holdfast.Container {
	r.t.Helper()
	for f, err := range r.source.Discover(r.t.Context(), []string{r.info(path).ID}) {
		if err != nil || f.Err != nil {
			r.t.Fatal(err, f.Err)
		}
		return f.Container
	}
	r.t.Fatal("no site")
	return holdfast.Container{}
}

func (r *rig) backup(c *workloadtest.Container) {
	r.t.Helper()
	if err := c.Read(cmp.Or(r.ctx, r.t.Context()), r.source, r.box); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) churn(n, seed int) {
	r.t.Helper()
	if _, err := r.sim.ChurnSite(r.box.Source, n, uint64(seed)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) dump(path string) []sim.SiteRow {
	r.t.Helper()
	rows, err := r.sim.DumpSite(r.info(path).ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

func (r *rig) files(path, list string) []sim.DriveRow {
	r.t.Helper()
	rows, err := r.sim.DumpLibrary(r.info(path).ID, list, true)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// state writes what a container holds as text, item by item, without what differs between two reads of the same.
func state(c *workloadtest.Container) map[string]string {
	out := map[string]string{}
	for id, s := range c.Items() {
		if s.Kind == holdfast.KindVersion {
			s.Name = "" // what the item was called when the version was read
		}
		text := fmt.Sprintf("%s in %s, %s, %q", s.Kind, s.Parent, s.Version, s.Name)
		for _, f := range slices.Sorted(maps.Keys(s.Forms)) {
			if s.Kind == holdfast.KindFolder && f == holdfast.FormJSON {
				continue // a folder's or list's row tells when something in it changed
			}
			body := s.Forms[f]
			if f == holdfast.FormJSON {
				body = plain(body, s.Kind)
			}
			if f == holdfast.FormPermissions {
				body = own(body)
			}
			if f == holdfast.FormFile {
				body = []byte(fmt.Sprint(sha256.Sum256(body)))
			}
			text += fmt.Sprintf("\n%s: %s", f, body)
		}
		if s.Kind == holdfast.KindFolder {
			text = strings.SplitN(text, "\n", 2)[0]
			text = strings.Replace(text, s.Version, "", 1)
		}
		out[id] = text
	}
	return out
}

// own are the permissions of a file that it does not have from a folder above.
func own(body []byte) []byte {
	var all []map[string]any
	if err := json.Unmarshal(body, &all); err != nil {
		return body
	}
	all = slices.DeleteFunc(all, func(p map[string]any) bool { return p["inheritedFrom"] != nil })
	out, _ := json.Marshal(all)
	return out
}

// plain is an item's JSON without what says how it was asked for and where it lies.
func plain(body []byte, kind holdfast.ItemKind) []byte {
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		return body
	}
	for k := range m {
		if strings.HasPrefix(k, "@") || k == "webUrl" {
			delete(m, k)
		}
	}
	if parent, ok := m["parentReference"].(map[string]any); ok {
		delete(parent, "path")
		delete(parent, "name")
	}
	if fields, ok := m["fields"].(map[string]any); ok && kind == holdfast.KindVersion {
		delete(fields, "Attachments") // is that of the present version
	}
	out, _ := json.Marshal(m)
	return out
}

func equalStates(t *testing.T, got, want map[string]string) {
	t.Helper()
	shown := 0
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] && shown < 5 {
			shown++
			from := 0
			for from < len(got[id]) && from < len(want[id]) && got[id][from] == want[id][from] {
				from++
			}
			from = max(from-60, 0)
			t.Errorf("%s is %.100s … %.200s\nwant … %.200s", id, got[id], got[id][min(from, len(got[id])):], want[id][min(from, len(want[id])):])
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok && shown < 5 {
			shown++
			t.Errorf("%s should not be there: %.300s", id, got[id])
		}
	}
}

// asBackedUp compares a container with what the simulator has.
func (r *rig) asBackedUp(c *workloadtest.Container) {
	r.t.Helper()
	info := r.info("/sites/Falcon")
	byID := map[string]workloadtest.Stored{}
	for id, s := range c.Items() {
		byID[id] = s
	}
	versions := map[string]int{}
	items := 0
	for _, s := range byID {
		if s.Kind == holdfast.KindVersion {
			versions[s.Parent]++
		}
		if s.Kind == holdfast.KindListItem || s.Kind == holdfast.KindPage {
			items++
		}
	}
	want := 0
	for _, row := range r.dump("/sites/Falcon") {
		switch row.Kind {
		case "page":
			want++
		case "item", "folder":
			if row.Kind == "item" {
				want++
			}
			id := info.Lists[row.List] + "." + fmt.Sprint(row.ID)
			s, ok := byID[id]
			if !ok {
				r.t.Errorf("%s %d %q is not in the backup", row.List, row.ID, row.Title)
				continue
			}
			attached := 0
			for f := range s.Forms {
				if strings.HasPrefix(string(f), string(holdfast.FormAttachment)) {
					attached++
				}
			}
			if place := placeOf(byID, s); place != row.Folder || (s.Kind == holdfast.KindFolder) != (row.Kind == "folder") {
				r.t.Errorf("%s, a %s, lies in %q, want %q", id, s.Kind, place, row.Folder)
			}
			if s.Name != row.Title || versions[id] != len(row.Versions) || attached != len(row.Attachments) || (s.Forms["roles"] != nil) != (row.Roles != nil) {
				r.t.Errorf("%s is %q with %d versions, %d attachments, roles %v; want %.400s", id, s.Name, versions[id], attached, s.Forms["roles"] != nil, fmt.Sprintf("%+v", row))
			}
		case "list":
			if !slices.ContainsFunc(slices.Collect(maps.Values(byID)), func(s workloadtest.Stored) bool {
				return s.Kind == holdfast.KindFolder && s.Parent == "site" && s.Name == row.List && s.Forms[holdfast.FormJSON] != nil && s.Forms["views"] != nil
			}) {
				r.t.Errorf("list %s is not in the backup", row.List)
			}
		}
	}
	if items != want {
		r.t.Errorf("%d items and pages, want %d", items, want)
	}
	for _, library := range []string{"Documents", "Archive", "Contracts"} {
		want := map[string]string{}
		for _, f := range r.files("/sites/Falcon", library) {
			want[f.ID] = fmt.Sprintf("%s %v %s %d", f.Path, f.Folder, f.QuickXor, max(len(f.Versions)-1, 0))
		}
		for id := range want {
			s, ok := byID[id]
			if !ok {
				r.t.Errorf("%s: %s is not in the backup", library, want[id])
				continue
			}
			path := s.Name
			for up := byID[s.Parent]; up.Fields[holdfast.FieldSpecial] != "library" && up.ID != ""; up = byID[up.Parent] {
				path = up.Name + "/" + path
			}
			if got := fmt.Sprintf("%s %v %s %d", path, s.Kind == holdfast.KindFolder, s.Fields[holdfast.FieldHash], versions[id]); got != want[id] && !strings.Contains(want[id], " true ") {
				r.t.Errorf("%s: %q, want %q", library, got, want[id])
			}
		}
	}
}

// placeOf is where an item of a list lies, in names of folders.
func placeOf(all map[string]workloadtest.Stored, s workloadtest.Stored) string {
	var names []string
	for up, ok := all[s.Parent]; ok && up.Fields[holdfast.FieldSpecial] == ""; up, ok = all[up.Parent] {
		names = append(names, up.Name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

func TestBackupHoldsTheSite(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 30, Files: 40}})
	c := workloadtest.New()
	r.backup(c)
	r.asBackedUp(c)
	for round := range 3 {
		r.churn(25, round)
		r.backup(c)
		r.asBackedUp(c)
		fresh := workloadtest.New()
		r.backup(fresh)
		equalStates(t, state(c), state(fresh))
	}
	if len(c.Skips) > 0 {
		t.Errorf("skipped: %v", c.Skips)
	}
}

func TestBackupIsTheSameWithEveryFault(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 30, Files: 30}})
	for _, f := range []sim.Fault{{Name: sim.FaultThrottled, Every: 31}, {Name: sim.FaultUnavailable, Every: 37}, {Name: sim.FaultUnavailableBare, Every: 41}, {Name: sim.FaultServerError, Every: 43},
		{Name: sim.FaultTruncated, Every: 29}, {Name: sim.FaultShort, Every: 47}, {Name: sim.FaultHTML, Every: 53}, {Name: sim.FaultDropped, Every: 59}, {Name: sim.FaultEmptyPage, Every: 5}, {Name: sim.FaultDuplicate, Every: 3},
		{Name: sim.FaultOutOfOrder, Every: 4}} {
		t.Run(f.Name, func(t *testing.T) {
			c := workloadtest.New()
			if err := r.sim.SetFaults(f); err != nil {
				t.Fatal(err)
			}
			r.backup(c)
			r.churn(10, len(f.Name))
			r.backup(c)
			if err := r.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			fresh := workloadtest.New()
			r.backup(fresh)
			equalStates(t, state(c), state(fresh))
		})
	}
	for i, f := range []sim.DriveFault{{Kind: sim.FaultDeltaExpired, Every: 2, Times: 4}, {Kind: sim.FaultDeltaUpload, Every: 2, Times: 4}, {Kind: sim.FaultEmptyPages, Every: 2, Times: 4},
		{Kind: sim.FaultDuplicateRows, Every: 2, Times: 4}, {Kind: sim.FaultThrottle, Every: 2, Times: 4}, {Kind: sim.FaultDeltaExpired}, {Kind: sim.FaultDeltaUpload}} {
		t.Run(fmt.Sprint("drive.", f.Kind, f.Every), func(t *testing.T) {
			c := workloadtest.New()
			r.backup(c)
			if err := r.sim.AddDriveFault(f); err != nil {
				t.Fatal(err)
			}
			r.churn(10, i)
			r.backup(c)
			r.sim.ClearDriveFaults()
			fresh := workloadtest.New()
			r.backup(fresh)
			equalStates(t, state(c), state(fresh))
		})
	}
}

var errKilled = errors.New("killed")

func TestBackupGoesOnAfterEveryKill(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 20, Files: 20}})
	fresh := workloadtest.New()
	r.backup(fresh)
	for at := 1; ; at++ {
		c := workloadtest.New()
		c.AtSavepoint = func(n int) error {
			if n == at {
				return errKilled
			}
			return nil
		}
		err := c.Read(t.Context(), r.source, r.box)
		if err == nil {
			if at < 4 {
				t.Fatalf("only %d places to kill at", at)
			}
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		c.Crash()
		c.AtSavepoint = nil
		r.backup(c)
		equalStates(t, state(c), state(fresh))
	}
}

func TestGoneAndLockedSitesAreNoDeletions(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 5, Files: 5}})
	c := workloadtest.New()
	r.backup(c)
	for stateOf, reason := range map[string]holdfast.SkipReason{sim.DriveGone: holdfast.SkipGone, sim.DriveLocked: holdfast.SkipLocked} {
		if err := r.sim.SetSite(r.box.Source, stateOf); err != nil {
			t.Fatal(err)
		}
		var skip *holdfast.Skip
		if err := c.Read(t.Context(), r.source, r.box); !errors.As(err, &skip) || skip.Reason != reason {
			t.Errorf("a site that is %s: %v", stateOf, err)
		}
	}
	if err := r.sim.SetSite(r.box.Source, sim.DriveOpen); err != nil {
		t.Fatal(err)
	}
	r.backup(c)
	r.asBackedUp(c)
}

func TestWithoutACertificateTheBackupSaysWhatItLacks(t *testing.T) {
	s, g := workloadtest.Tenant(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 5}})
	r := open(t, s, g)
	c := workloadtest.New()
	r.backup(c)
	denied := 0
	for id, why := range c.Skips {
		if why.Reason != holdfast.SkipDenied || !strings.Contains(why.Error(), "certificate") {
			t.Errorf("%s: %v", id, why)
		}
		denied++
	}
	if denied == 0 {
		t.Fatal("attachments are missing and nobody says so")
	}
	r.churn(10, 1)
	r.backup(c)
	fresh := workloadtest.New()
	r.backup(fresh)
	equalStates(t, state(c), state(fresh))
}

// again tries as the engine does: what is no reason of the item's own is tried anew.
func again(fn func() error) (err error) {
	for range 8 {
		var skip *holdfast.Skip
		if err = fn(); err == nil || errors.As(err, &skip) && skip.Reason != holdfast.SkipLocked && skip.Reason != holdfast.SkipChanging {
			return err
		}
	}
	return err
}

// putBack restores what a container holds, as the engine does: folders before what is in them, nothing twice.
func (r *rig) putBack(c *workloadtest.Container, plan engine.RestorePlan, report func(holdfast.Item, engine.Restored, error)) {
	r.t.Helper()
	r.restore(c, plan, false, report)
}

// restore is putBack; forgetful plays a program that dies before it has noted how an item ended.
func (r *rig) restore(c *workloadtest.Container, plan engine.RestorePlan, forgetful bool, report func(holdfast.Item, engine.Restored, error)) {
	r.t.Helper()
	if err := r.tryRestore(c, plan, forgetful, report); err != nil {
		r.t.Fatal(err)
	}
}

// tryRestore is restore that may end with an error.
func (r *rig) tryRestore(c *workloadtest.Container, plan engine.RestorePlan, forgetful bool, report func(holdfast.Item, engine.Restored, error)) error {
	r.t.Helper()
	ctx := cmp.Or(r.ctx, r.t.Context())
	if plan.Notes == nil && !plan.DryRun {
		plan.Notes = &workloadtest.Notes{}
	}
	to, err := r.target.Open(ctx, plan)
	if err != nil {
		r.t.Fatal(err)
	}
	places := map[string]string{}
	var place func(id string) (string, error)
	put := func(s workloadtest.Stored) engine.Put {
		return engine.Put{Item: s.Item, Marker: engine.Marker(holdfast.RestoreRequest{ID: "r", Session: plan.Session}, s.Item), Open: s.Open}
	}
	place = func(id string) (string, error) {
		if id == "" {
			return "", nil
		}
		if at, ok := places[id]; ok {
			return at, nil
		}
		s := c.Items()[id]
		parent, err := place(s.Parent)
		if err != nil {
			return "", err
		}
		var at string
		if err := again(func() (err error) {
			at, err = to.Folder(ctx, s.Item, parent)
			return err
		}); err != nil {
			return "", err
		}
		places[id] = at
		p := put(s)
		p.NewID = at
		if plan.AllVersions {
			p.Versions = older(c, s)
		}
		if err := again(func() error { return to.(engine.FolderSettler).SettleFolder(ctx, p) }); err != nil {
			report(s.Item, engine.Restored{}, err)
		}
		return at, nil
	}
	ids := slices.Sorted(maps.Keys(c.Items()))
	for _, id := range ids {
		if s := c.Items()[id]; s.Kind == holdfast.KindFolder {
			if _, err := place(id); err != nil {
				report(s.Item, engine.Restored{}, err)
			}
		}
	}
	if r.backwards {
		slices.Reverse(ids)
	}
	for _, id := range ids {
		s := c.Items()[id]
		if s.Kind == holdfast.KindFolder || s.Kind == holdfast.KindVersion {
			continue
		}
		p := put(s)
		p.Made = func(_ context.Context, id string) error { p.NewID = id; return nil }
		if p.Parent, err = place(s.Parent); err != nil {
			continue
		}
		if plan.AllVersions {
			p.Versions = older(c, s)
		}
		var res engine.Restored
		err = again(func() (err error) {
			res, err = to.Put(ctx, p)
			p.Again = true
			if res.NewID != "" && !forgetful {
				p.NewID = res.NewID
			}
			return err
		})
		report(s.Item, res, err)
	}
	return again(func() error { return to.Close(ctx) })
}

func older(c *workloadtest.Container, of workloadtest.Stored) iter.Seq2[engine.PutVersion, error] {
	var all []workloadtest.Stored
	for _, s := range c.Items() {
		if s.Kind == holdfast.KindVersion && s.Parent == of.ID {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b workloadtest.Stored) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(len(a.Version), len(b.Version)), strings.Compare(a.Version, b.Version))
	})
	return func(yield func(engine.PutVersion, error) bool) {
		for _, s := range all {
			form := holdfast.FormFile
			if of.Kind == holdfast.KindListItem || of.Kind == holdfast.KindFolder {
				form = holdfast.FormJSON
			}
			open := func(ctx context.Context) (io.ReadCloser, error) {
				b, _, err := s.Open(ctx, form)
				return b, err
			}
			if !yield(engine.PutVersion{Item: s.Item, Open: open}, nil) {
				return
			}
		}
	}
}

// rowKey tells rows of a dump apart without ids.
func rowKey(row sim.SiteRow) string {
	return row.List + "|" + row.Kind + "|" + row.Title + "|" + row.Created.String()
}

// lostColumns are the values that no form takes; docs/fidelity.md has them.
var lostColumns = []string{"Place"}

// sameRows compares dumps of two sites, or of one before and after.
func sameRows(t *testing.T, got, want []sim.SiteRow, versions bool) {
	t.Helper()
	have := map[string]sim.SiteRow{}
	for _, row := range got {
		have[rowKey(row)] = row
	}
	for _, w := range want {
		key := rowKey(w)
		g, ok := have[key]
		if !ok {
			t.Errorf("%s %q is not there", w.List, w.Title)
			continue
		}
		g.ID, w.ID = 0, 0
		if w.Kind == "page" {
			g.Versions, w.Versions = nil, nil
		}
		if !versions {
			g.Versions, w.Versions = nil, nil
		}
		for _, name := range lostColumns {
			delete(w.Fields, name)
			delete(g.Fields, name) // of what was overwritten it is still there
			for i, v := range w.Versions {
				w.Versions[i] = without(v, name)
			}
		}
		a, _ := json.MarshalIndent(g, "", " ")
		b, _ := json.MarshalIndent(w, "", " ")
		if string(a) != string(b) {
			t.Errorf("%s %q is\n%s\nwant\n%s", w.List, w.Title, a, b)
		}
	}
}

// without takes a column out of a version's text.
func without(version, column string) string {
	at := strings.IndexByte(version, '{')
	var m map[string]string
	if json.Unmarshal([]byte(version[at:]), &m) != nil {
		return version
	}
	delete(m, column)
	b, _ := json.Marshal(m)
	return version[:at] + string(b)
}

func sameFiles(t *testing.T, got, want []sim.DriveRow) {
	t.Helper()
	clean := func(rows []sim.DriveRow) map[string]string {
		out := map[string]string{}
		for _, row := range rows {
			row.ID = ""
			for i := range row.Versions {
				row.Versions[i].Modified, row.Versions[i].By = row.Modified, ""
			}
			if row.Folder {
				row.Size = 0
			} else if row.Size == 0 {
				row.Versions = nil // an upload session takes no empty file, so its times are set by a version more
			}
			for _, name := range lostColumns {
				delete(row.Columns, name)
			}
			b, _ := json.Marshal(row)
			out[row.Path] = string(b)
		}
		return out
	}
	equalStates(t, clean(got), clean(want))
}

func TestRestoreOfAWholeSiteToAnotherOne(t *testing.T) {
	t.Run("in order", func(t *testing.T) { wholeSite(t, false) })
	t.Run("what is looked up comes last", func(t *testing.T) { wholeSite(t, true) })
}

func wholeSite(t *testing.T, backwards bool) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 24, Files: 24}})
	r.backwards = backwards
	c := workloadtest.New()
	r.backup(c)
	to := r.container("/sites/Marketing")
	for _, id := range r.info("/sites/Marketing").Lists { // an emptied site: its lists are there, nothing is in them
		if err := r.sim.EmptyList(to.Source, id); err != nil {
			t.Fatal(err)
		}
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: to, Mode: engine.Overwrite, ChangedItems: true, MissingItems: true, AllVersions: true, Permissions: true}
	versions := 0
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
		for _, lost := range res.Lost {
			if strings.HasSuffix(lost, " of older versions") {
				versions++
				continue
			}
			if item.Kind == holdfast.KindListItem && !slices.Contains(lostColumns, lost) {
				t.Errorf("%s %q lost %s", item.Kind, item.Name, lost)
			}
		}
	})
	want := r.dump("/sites/Falcon")
	for i := range want { // the groups of the other site are its own
		for j := range want[i].Roles {
			want[i].Roles[j] = strings.Replace(want[i].Roles[j], "Falcon ", "Marketing ", 1)
		}
		if want[i].Kind == "list" {
			want[i].Description = ""
		}
	}
	got := r.dump("/sites/Marketing")
	for i := range got {
		if got[i].Kind == "list" {
			got[i].Description = ""
		}
	}
	if (versions > 0) != backwards {
		t.Errorf("lookups of older versions that were lost: %d", versions)
	}
	sameRows(t, got, want, !backwards)
	for _, library := range []string{"Documents", "Archive", "Contracts"} {
		sameFiles(t, r.files("/sites/Marketing", library), r.files("/sites/Falcon", library))
	}
	if mails := r.sim.Stats().MailsSent; len(mails) > 0 {
		t.Errorf("mails went out: %v", mails)
	}
}

// TestRestoreInPlaceOfAllThatWasDeleted: what lookups name comes back with other numbers, before or after the items that name it.
func TestRestoreInPlaceOfAllThatWasDeleted(t *testing.T) {
	for name, backwards := range map[string]bool{"in order": false, "what is looked up comes last": true} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 6}})
			r.backwards = backwards
			c := workloadtest.New()
			r.backup(c)
			before := r.dump("/sites/Falcon")
			for _, id := range r.info("/sites/Falcon").Lists {
				if err := r.sim.EmptyList(r.box.Source, id); err != nil {
					t.Fatal(err)
				}
			}
			plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true, Permissions: true}
			r.putBack(c, plan, func(item holdfast.Item, _ engine.Restored, err error) {
				if err != nil {
					t.Errorf("%s %q: %v", item.Kind, item.Name, err)
				}
			})
			sameRows(t, r.dump("/sites/Falcon"), before, false)
		})
	}
}

func TestRestoreInPlaceOfWhatWasDeletedAndChanged(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 24, Files: 24}})
	c := workloadtest.New()
	r.backup(c)
	before := r.dump("/sites/Falcon")
	filesBefore := r.files("/sites/Falcon", "Documents")
	r.churn(40, 7)
	for _, id := range []string{"1", "2", "3"} {
		if err := r.g.DeleteListItem(t.Context(), r.box.Source, r.info("/sites/Falcon").Lists["Incidents"], id); err != nil && m365.KindOf(err) != m365.NotFound {
			t.Fatal(err)
		}
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, Newer: true, ChangedItems: true, MissingItems: true, Permissions: true}
	outcomes := map[engine.Outcome]int{}
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
		outcomes[res.Outcome]++
	})
	if outcomes[engine.Created] == 0 || outcomes[engine.Overwritten] == 0 || outcomes[engine.Existing] == 0 {
		t.Fatalf("outcomes: %v", outcomes)
	}
	after := r.dump("/sites/Falcon")
	var kept []sim.SiteRow
	for _, row := range before {
		if row.Kind == "item" && row.List == "Incidents" {
			row.Attachments, row.Roles, row.Folder = nil, nil, "" // what was added since stays, and so does each item where it is
			kept = append(kept, row)
		}
	}
	for i := range after {
		after[i].Attachments, after[i].Roles, after[i].Folder = nil, nil, ""
	}
	sameRows(t, after, kept, false)
	have := map[string]string{}
	for _, f := range r.files("/sites/Falcon", "Documents") {
		have[f.Path] = f.SHA256
	}
	for _, f := range filesBefore {
		if !f.Folder && have[f.Path] != f.SHA256 {
			moved := false // a renamed or moved file is found by its id and stays where it is
			for _, sum := range have {
				moved = moved || sum == f.SHA256
			}
			if !moved {
				t.Errorf("%s is not as it was", f.Path)
			}
		}
	}
	again := map[engine.Outcome]int{}
	r.putBack(c, plan, func(item holdfast.Item, res engine.Restored, err error) { again[res.Outcome]++ })
	if again[engine.Overwritten] > 0 {
		t.Errorf("a second restore overwrites what is equal: %v", again)
	}
}

// dying runs what dies after n calls: before the next one or, when last is a fault, as that strikes it.
func (r *rig) dying(n int, last string, run func() error) error {
	r.t.Helper()
	faults := []sim.Fault{{Name: sim.FaultRefused, Skip: n}}
	if last != "" {
		faults = []sim.Fault{{Name: last, Skip: n, Times: 1}, {Name: sim.FaultRefused, Skip: n + 1}}
	}
	if err := r.sim.SetFaults(faults...); err != nil {
		r.t.Fatal(err)
	}
	died := run()
	if err := r.sim.SetFaults(); err != nil {
		r.t.Fatal(err)
	}
	return died
}

// An item with a history is put back whole and once, or overwritten once, wherever the program dies while it does so: before any call, or after
// one whose answer it does not get.
func TestAnItemIsPutBackOnceWhereverTheProgramDies(t *testing.T) {
	for name, in := range map[string]string{"in the list": "", "in a folder of a folder": "Closed & old/Größe – 2025"} {
		t.Run(name, func(t *testing.T) { anItemIsPutBackOnce(t, in) })
	}
}

func anItemIsPutBackOnce(t *testing.T, in string) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 24, Files: 4}})
	lists := r.info("/sites/Falcon").Lists
	web, err := sharepoint.At(r.g.M365(), r.box.Address)
	if err != nil {
		t.Fatal(err)
	}
	id, refused, err := web.Add(t.Context(), lists["Incidents"], sharepoint.NewItem{In: strings.TrimSuffix("/sites/Falcon/Lists/Incidents/"+in, "/"),
		Values: []sharepoint.FormValue{{Name: "Title", Value: "An item"}, {Name: "Status", Value: "Open"}}})
	if err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	for n := range 2 { // versions, and an attachment
		if err := r.g.UpdateListItem(t.Context(), r.box.Source, lists["Incidents"], id, "", map[string]any{"Title": fmt.Sprintf("An item, %d", n), "Weight": n}); err != nil {
			t.Fatal(err)
		}
	}
	if err := web.Attach(t.Context(), lists["Incidents"], id, "more.txt", []byte("more")); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	r.backup(c)
	key, row := "", sim.SiteRow{}
	var folders []sim.SiteRow // above it
	for _, one := range r.dump("/sites/Falcon") {
		if one.Kind == "folder" && strings.HasPrefix(in, strings.TrimPrefix(one.Folder+"/"+one.Title, "/")) {
			folders = append(folders, one)
		}
		if one.Folder == in && one.Kind == "item" && one.Fields[lostColumns[0]] == "" && len(one.Versions) > 1 && len(one.Attachments) > 0 && len(one.Versions) > len(row.Versions) {
			key, row = lists[one.List]+"."+fmt.Sprint(one.ID), one
		}
	}
	if key == "" {
		t.Fatal("no item has older versions and attachments")
	}
	s := c.Items()[key]
	noted := &workloadtest.Notes{}
	attempt := func(p *engine.Put) error {
		plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, ChangedItems: true, MissingItems: true, AllVersions: true, Permissions: true, Newer: !p.Again, Notes: noted}
		rest, err := r.target.Open(t.Context(), plan)
		if err != nil {
			return err
		}
		p.Parent = ""
		var above []workloadtest.Stored
		for up, ok := c.Items()[s.Parent]; ok; up, ok = c.Items()[up.Parent] {
			above = append(above, up)
		}
		for _, folder := range slices.Backward(above) {
			if p.Parent, err = rest.Folder(t.Context(), folder.Item, p.Parent); err != nil {
				return err
			}
			if err := rest.(engine.FolderSettler).SettleFolder(t.Context(), engine.Put{Item: folder.Item, NewID: p.Parent, Marker: p.Marker, Open: folder.Open, Versions: older(c, folder)}); err != nil {
				return err
			}
		}
		p.Versions = older(c, c.Items()[key])
		if _, err = rest.Put(t.Context(), *p); err != nil {
			return err
		}
		return rest.Close(t.Context())
	}
	first := func() *engine.Put {
		noted = &workloadtest.Notes{}
		p := &engine.Put{Item: s.Item, Marker: "0123456789abcdef0123", Open: s.Open}
		p.Made = func(_ context.Context, id string) error { p.NewID = id; return nil }
		return p
	}
	items := func(kind string) (got []sim.SiteRow) {
		for _, one := range r.dump("/sites/Falcon") {
			if one.List == row.List && one.Kind == kind {
				got = append(got, one)
			}
		}
		return got
	}
	for name, tc := range map[string]struct {
		overwrites bool
		versions   int // over those that were backed up
	}{"made anew": {}, "overwritten": {true, 2}} { // the one that was there, and its change
		for _, last := range []string{"", sim.FaultAckLost} {
			for n := 0; ; n++ {
				if err := r.sim.EmptyList(r.box.Source, lists[row.List]); err != nil {
					t.Fatal(err)
				}
				p := first()
				if tc.overwrites {
					if err := attempt(p); err != nil {
						t.Fatal(err)
					}
					changed := p.NewID
					if err := r.g.UpdateListItem(t.Context(), r.box.Source, lists[row.List], changed, "", map[string]any{"Title": "changed since"}); err != nil {
						t.Fatal(err)
					}
					s.Item.ID = lists[row.List] + "." + changed // as if it had been this one
					p = first()
				}
				died := r.dying(n, last, func() error { return attempt(p) })
				if died == nil {
					if n < 8 {
						t.Errorf("%s: only %d places to die at", name, n)
					}
					break
				}
				untouched := tc.overwrites && slices.ContainsFunc(items("item"), func(one sim.SiteRow) bool { return one.Title == "changed since" })
				p.Again = true
				err := attempt(p)
				var skip *holdfast.Skip
				if untouched && errors.As(err, &skip) && skip.Reason == holdfast.SkipConflict {
					continue // the second attempt was not asked to overwrite what is newer, and the first had not begun to
				}
				if err != nil {
					t.Fatalf("%s, %s after %d calls: the second attempt: %v", name, last, n, err)
				}
				if made := items("folder"); len(made) != len(folders) {
					t.Fatalf("%s, %s after %d calls: the list has the folders %+v", name, last, n, made)
				} else {
					sameRows(t, made, folders, true)
				}
				got := items("item")
				if len(got) != 1 {
					t.Fatalf("%s, %s after %d calls: the list has %d items: %+v", name, last, n, len(got), got)
				}
				if extra := len(got[0].Versions) - len(row.Versions); extra != tc.versions {
					t.Errorf("%d versions more than there were, want %d", extra, tc.versions)
				}
				sameRows(t, got, []sim.SiteRow{row}, !tc.overwrites)
				if t.Failed() {
					t.Fatalf("%s, %s after %d calls (%v)", name, last, n, died)
				}
			}
		}
	}
}

// Older versions are made by changes that must not be made twice. Each second one fails, with or without its effect.
func TestVersionsComeBackThoughChangesAreNotAnswered(t *testing.T) {
	for _, name := range []string{sim.FaultAckLost, sim.FaultDropped, sim.FaultServerError} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 16, Files: 2}})
			for i := range 40 {
				r.sim.Clock().Move(5 * time.Second)
				r.churn(2, i)
			}
			c := workloadtest.New()
			r.backup(c)
			want, most := r.dump("/sites/Falcon"), 0
			for _, row := range want {
				if row.Kind == "item" {
					most = max(most, len(row.Versions))
				}
			}
			if most < 4 {
				t.Fatalf("no item has more than %d versions", most)
			}
			info := r.info("/sites/Falcon")
			for _, id := range info.Lists {
				if err := r.sim.EmptyList("/sites/Falcon", id); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.sim.SetFaults(sim.Fault{Name: name, Path: "PATCH /v1.0/sites/{site}/lists/{list}/items/{item}/fields", Every: 2}); err != nil {
				t.Fatal(err)
			}
			plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, Newer: true, ChangedItems: true, MissingItems: true, AllVersions: true, Permissions: true}
			r.putBack(c, plan, func(item holdfast.Item, _ engine.Restored, err error) {
				if err != nil {
					t.Errorf("%s %q: %v", item.Kind, item.Name, err)
				}
			})
			if n := r.sim.Stats().FaultsFired[name]; n < 4 {
				t.Fatalf("the fault struck %d times", n)
			}
			if err := r.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			sameRows(t, r.dump("/sites/Falcon"), want, true)
		})
	}
}

func TestRestoreWithFaultsMakesNoDuplicates(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 24, Files: 12}})
	c := workloadtest.New()
	r.backup(c)
	to := r.container("/sites/Marketing")
	lists := r.info("/sites/Marketing").Lists
	want := r.dump("/sites/Falcon")
	for _, f := range []sim.Fault{{Name: sim.FaultAckLost, Every: 9}, {Name: sim.FaultDropped, Every: 8}, {Name: sim.FaultUnavailableBare, Every: 7}, {Name: sim.FaultServerError, Every: 7}, {Name: sim.FaultThrottled, Every: 10}} {
		t.Run(f.Name, func(t *testing.T) {
			for _, id := range lists {
				if err := r.sim.EmptyList(to.Source, id); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.sim.SetFaults(f); err != nil {
				t.Fatal(err)
			}
			plan := engine.RestorePlan{Session: holdfast.RestoreSessionID(f.Name), From: r.box, To: to, Mode: engine.Overwrite, ChangedItems: true, MissingItems: true, Permissions: true}
			r.restore(c, plan, true, func(item holdfast.Item, res engine.Restored, err error) {
				if err != nil {
					t.Errorf("%s %q: %v", item.Kind, item.Name, err)
				}
			})
			if err := r.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			count := func(rows []sim.SiteRow) map[string]int {
				out := map[string]int{}
				for _, row := range rows {
					out[row.List+" "+row.Kind]++
				}
				return out
			}
			if got, want := fmt.Sprint(count(r.dump("/sites/Marketing"))), fmt.Sprint(count(want)); got != want {
				t.Errorf("the site has %s, want %s", got, want)
			}
			for _, row := range r.dump("/sites/Marketing") {
				if strings.HasPrefix(row.Title, "holdfast-restoring") {
					t.Errorf("half an item was left: %+v", row)
				}
			}
		})
	}
}

// What no delta told, a backup that reads everything anew finds, and nothing else changes.
func TestReadingAnewMendsWhatIsMissing(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 20, Files: 20}})
	c := workloadtest.New()
	r.backup(c)
	want := state(c)
	lost := 0
	c.Spoil(func(items map[string]workloadtest.Stored) {
		for id, s := range items {
			switch {
			case s.Kind == holdfast.KindListItem && lost < 3:
				delete(items, id)
				lost++
			case s.Kind == holdfast.KindListItem && s.Forms["roles"] != nil:
				s.Forms = maps.Clone(s.Forms)
				delete(s.Forms, "roles")
				items[id] = s
			}
		}
	})
	c.Compare = true
	r.backup(c)
	equalStates(t, state(c), want)
}

// A lookup of an item that a restore does not bring is named, be its list left out or only the item.
func TestLookupOfWhatIsNotRestored(t *testing.T) {
	for _, whole := range []bool{true, false} {
		r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 12, Files: 4}})
		c := workloadtest.New()
		r.backup(c)
		to := r.container("/sites/Marketing")
		for _, id := range r.info("/sites/Marketing").Lists {
			if err := r.sim.EmptyList(to.Source, id); err != nil {
				t.Fatal(err)
			}
		}
		list := r.info("/sites/Falcon").Lists["Categories"]
		c.Spoil(func(items map[string]workloadtest.Stored) {
			for id, s := range items {
				if strings.HasPrefix(id, list+".") || whole && s.Fields["list"] == list {
					delete(items, id)
				}
			}
		})
		plan := engine.RestorePlan{Session: "s", From: r.box, To: to, Mode: engine.Overwrite, ChangedItems: true, MissingItems: true}
		lost := 0
		err := r.tryRestore(c, plan, false, func(item holdfast.Item, res engine.Restored, err error) {
			if err == nil && slices.Contains(res.Lost, "Category") {
				lost++
			}
		})
		if whole && (lost == 0 || err != nil) {
			t.Errorf("%d items name a lookup that is lost: %v", lost, err)
		}
		if !whole && (err == nil || !strings.Contains(err.Error(), `"Category" of item`)) {
			t.Errorf("the end of the restore says %v", err)
		}
	}
}

// newColumns is the route by which columns are made: a list has many, and each may fail.
const newColumns = "POST /v1.0/sites/{site}/lists/{list}/columns"

// A list that was deleted leaves the next restore point, and comes back whole from the one before, with columns, views and permissions of its own,
// whatever fails for a moment while it is made.
func TestAListThatWasDeleted(t *testing.T) {
	for _, f := range [][]sim.Fault{nil, {{Name: sim.FaultAckLost, Every: 9}}, {{Name: sim.FaultServerError, Every: 11}}, {{Name: sim.FaultUnavailableBare, Every: 8}},
		{{Name: sim.FaultAckLost, Path: "POST /sites/{site}/_api", Every: 2}}, {{Name: sim.FaultServerError, Path: "POST /sites/{site}/_api", Every: 2}},
		{{Name: sim.FaultBadGateway, Path: newColumns, Every: 2}, {Name: sim.FaultAckLost, Path: newColumns, Every: 3}}} {
		t.Run(fmt.Sprint(f), func(t *testing.T) { aListThatWasDeleted(t, false, "", f) })
	}
}

// A rule that items break which were there before it does not keep them from coming back: it is set when they are there.
func TestAListWithARuleThatItsItemsBreak(t *testing.T) {
	aListThatWasDeleted(t, false, "=LEN([Title])<=5", nil)
}

// A page whose writing was not answered, or whose publishing failed, is published by the next attempt, and there once.
func TestAPageWhoseRestoreBrokeIsPublishedOnce(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"the writing is not answered": {Name: sim.FaultAckLost, Path: "POST /v1.0/sites/{site}/pages", Times: 1},
		"the publishing fails":        {Name: sim.FaultUnavailableBare, Path: "/publish", Times: 9},
		"who made it is not set":      {Name: sim.FaultUnavailableBare, Path: "POST /sites/{site}/_api", Times: 9},
	} {
		for _, mode := range []engine.ConflictMode{engine.SkipExisting, engine.KeepBoth, engine.Overwrite} {
			t.Run(fmt.Sprint(name, ", ", mode), func(t *testing.T) {
				r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 2, Files: 2}})
				c := workloadtest.New()
				r.backup(c)
				list := r.info("/sites/Falcon").Lists["Site Pages"]
				pages := func() (out []string) {
					for _, row := range r.dump("/sites/Falcon") {
						if row.Kind == "page" {
							out = append(out, fmt.Sprint(row.Title, row.Created, row.Modified, row.Author, row.Editor, row.Page))
						}
					}
					slices.Sort(out)
					return out
				}
				want := pages()
				if err := r.sim.EmptyList("/sites/Falcon", list); err != nil {
					t.Fatal(err)
				}
				if err := r.sim.SetFaults(fault); err != nil {
					t.Fatal(err)
				}
				only := workloadtest.New()
				for id, s := range c.Items() {
					if s.Kind == holdfast.KindPage || s.Kind == holdfast.KindFolder && (s.Fields["special"] == "pages" || s.Fields["special"] == "root") {
						only.Spoil(func(items map[string]workloadtest.Stored) { items[id] = s })
					}
				}
				r.putBack(only, engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: mode, ChangedItems: true, MissingItems: true}, func(item holdfast.Item, _ engine.Restored, err error) {
					if err != nil {
						t.Errorf("%s %q: %v", item.Kind, item.Name, err)
					}
				})
				if n := r.sim.Stats().FaultsFired[fault.Name]; n == 0 {
					t.Fatal("the fault did not strike")
				}
				if got := pages(); len(want) == 0 || !slices.Equal(got, want) {
					t.Errorf("the site has the pages\n%q\nwant\n%q", got, want)
				}
			})
		}
	}
}

// A list that an attempt made before it died gets its columns, views and permissions from the next one.
func TestAListThatADeadRestoreMadeIsFinishedByTheNext(t *testing.T) {
	aListThatWasDeleted(t, true, "", nil)
}

func aListThatWasDeleted(t *testing.T, died bool, rule string, faults []sim.Fault) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 4}})
	before, c := workloadtest.New(), workloadtest.New()
	r.backup(before)
	r.backup(c)
	want := r.dump("/sites/Falcon")
	list := r.info("/sites/Falcon").Lists["Incidents"]
	if rule != "" { // some items break it
		if err := r.sim.SetListRule(r.box.Source, list, rule, "Too long"); err != nil {
			t.Fatal(err)
		}
		r.backup(before)
		want = r.dump("/sites/Falcon")
	}
	if err := r.sim.DropList("/sites/Falcon", list); err != nil {
		t.Fatal(err)
	}
	r.backup(c)
	for id, s := range c.Items() {
		if strings.HasPrefix(id, list) || s.Fields["list"] == list {
			t.Errorf("%s %q of a list that is gone is in the backup", s.Kind, s.Name)
		}
	}
	if n, all := len(c.Items()), len(before.Items()); n == 0 || n >= all {
		t.Errorf("%d of %d items are left", n, all)
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.Overwrite, ChangedItems: true, MissingItems: true, AllVersions: true, Permissions: true}
	if plan.Notes = (&workloadtest.Notes{}); died {
		to, err := r.target.Open(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range before.Items() {
			if s.Kind == holdfast.KindFolder && s.Fields["list"] == list {
				if _, err := to.Folder(t.Context(), s.Item, "site"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := r.sim.SetFaults(faults...); err != nil {
		t.Fatal(err)
	}
	r.putBack(before, plan, func(item holdfast.Item, res engine.Restored, err error) {
		if err != nil {
			t.Errorf("%s %q: %v", item.Kind, item.Name, err)
		}
		for _, lost := range res.Lost {
			if item.Kind == holdfast.KindListItem && !slices.Contains(lostColumns, lost) {
				t.Errorf("%s %q lost %s", item.Kind, item.Name, lost)
			}
		}
	})
	if err := r.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	sameRows(t, r.dump("/sites/Falcon"), want, true)
}

// texts writes all that the oracle tells of a site as text, without ids and without what a restore can't set.
func (r *rig) texts(path string) map[string]int {
	r.t.Helper()
	out := map[string]int{}
	note := func(list string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			r.t.Fatal(err)
		}
		out[list+" "+string(raw)]++
	}
	for _, row := range r.dump(path) {
		row.ID = 0
		if row.Kind == "page" {
			row.Created, row.Modified, row.Versions = time.Time{}, time.Time{}, nil
		}
		note("", row)
		if row.Kind == "list" && row.Template == "documentLibrary" {
			for _, f := range r.files(path, row.List) {
				f.ID = ""
				for i := range f.Versions {
					f.Versions[i].Modified = time.Time{}
				}
				note(row.List, f)
			}
		}
	}
	return out
}

// A site is backed up three times, emptied and put back while everything fails, and is as it is after a restore that nothing disturbs.
func TestASiteIsPutBackWhileEverythingFails(t *testing.T) {
	for n := range 6 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := start(t, sim.Options{Users: 4})
			c := workloadtest.New()
			for i := range 3 {
				r.churn(8, n*10+i)
				calm := workloadtest.Disturb(t, r.sim, n)
				r.backup(c)
				calm()
			}
			for id, s := range c.Skips {
				t.Errorf("skipped %q: %v", c.Items()[id].Name, s)
			}
			plain := workloadtest.New()
			r.backup(plain)
			emptied := func() {
				for title, list := range r.info("/sites/Falcon").Lists {
					how := r.sim.EmptyList
					if title == "Incidents" {
						how = r.sim.DropList
					}
					if err := how("/sites/Falcon", list); err != nil {
						t.Fatal(err)
					}
				}
			}
			putBack := func(c *workloadtest.Container, session holdfast.RestoreSessionID) map[string]int {
				plan := engine.RestorePlan{Session: session, From: r.box, To: r.box, Mode: engine.Overwrite, Newer: true, ChangedItems: true, MissingItems: true, AllVersions: true, Permissions: true, Notes: &workloadtest.Notes{}}
				r.putBack(c, plan, func(item holdfast.Item, _ engine.Restored, err error) {
					if err != nil {
						t.Errorf("%s, %s %q: %v", session, item.Kind, item.Name, err)
					}
				})
				return r.texts("/sites/Falcon")
			}
			emptied()
			want := putBack(plain, "undisturbed")
			if len(want) < 40 {
				t.Fatalf("the site has %d rows", len(want))
			}
			emptied()
			calm := workloadtest.Disturb(t, r.sim, n)
			got := putBack(c, "disturbed")
			calm()
			workloadtest.SameCounts(t, got, want)
		})
	}
}

// A list or a library that comes back out of the recycle bin is in the next backup with all that is in it, though nothing of that has changed.
func TestWhatComesBackOutOfTheRecycleBinIsReadAsAWhole(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 4, Items: 20, Files: 24}})
	c := workloadtest.New()
	r.backup(c)
	before := state(c)
	lists := []string{"Incidents", "Documents", "Archive"}
	for _, list := range lists {
		if err := r.sim.DropList(r.box.Source, list); err != nil {
			t.Fatal(err)
		}
	}
	r.sim.Clock().Move(2 * time.Second)
	r.backup(c)
	for id, s := range c.Items() {
		if _, ok := c.Items()[s.Parent]; !ok && s.Parent != "" {
			t.Errorf("%s %q is left of a list that is gone", id, s.Name)
		}
	}
	gone := len(c.Items())
	for _, list := range lists {
		if err := r.sim.UndropList(r.box.Source, list); err != nil {
			t.Fatal(err)
		}
	}
	r.sim.Clock().Move(2 * time.Second)
	r.backup(c)
	if len(before) <= gone {
		t.Fatalf("nothing was gone: %d items, then %d", len(before), gone)
	}
	equalStates(t, state(c), before)
	r.asBackedUp(c)
}
