package service_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/store/storetest"
	"holdfast/internal/sys"
	"holdfast/internal/vault/keys"
)

func TestOrganizationNamesMissingPermissionsAndTheFix(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.directory.lacking["Mail.Read"], w.directory.lacking["Files.Read.All"] = true, true
	c := &service.Connection{Tenant: "contoso.example", Application: "app", Certificate: "pfx"}
	_, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c, SharePointConnection: c})
	w.kind(err, holdfast.KindDenied, "Mail.Read (Microsoft Graph, for mail backup)")
	w.kind(err, holdfast.KindDenied, "Files.Read.All")
	w.kind(err, holdfast.KindDenied, "grant admin consent")
	if all, err := w.Organizations.List(w.ctx, admin, holdfast.Page{}); err != nil || len(all) != 0 {
		t.Errorf("a refused organization is there: %v, %v", all, err)
	}
	// What a service that is not protected would need is not asked for.
	w.directory.lacking["Mail.Read"] = false
	org, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c})
	w.ok(err)
	if org.Name != "contoso.example" || org.TenantID == "" || org.CertificateThumbprint != "ABCD" || !org.Exchange || org.SharePoint || org.Region != holdfast.Worldwide {
		t.Errorf("organization %+v", org)
	}
	_, err = w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c})
	w.kind(err, holdfast.KindConflict, "already there")
	on := true
	_, err = w.Organizations.Update(w.ctx, admin, org.ID, service.OrganizationSpec{SharePoint: &on})
	w.kind(err, holdfast.KindDenied, "Files.Read.All")
	w.directory.lacking["Files.Read.All"] = false
	org, err = w.Organizations.Update(w.ctx, admin, org.ID, service.OrganizationSpec{SharePoint: &on})
	w.ok(err)
	if !org.SharePoint || !org.Exchange {
		t.Errorf("after the update: %+v", org)
	}
}

func TestOrganizationRefusals(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	good := service.Connection{Tenant: "contoso.example", Application: "app", Secret: "s"}
	for name, tc := range map[string]struct {
		edit func(*service.Connection)
		spec service.OrganizationSpec
		says string
	}{
		"password":      {edit: func(c *service.Connection) { c.Account, c.Password = "admin@contoso", "pw" }, says: "basic authentication is switched off"},
		"no secret":     {edit: func(c *service.Connection) { c.Secret = "" }, says: "needs a secret or a certificate"},
		"both":          {edit: func(c *service.Connection) { c.Certificate = "x" }, says: "not both"},
		"no tenant":     {edit: func(c *service.Connection) { c.Tenant = "" }, says: "tenant id"},
		"closed region": {spec: service.OrganizationSpec{Region: holdfast.Germany}, says: "closed"},
		"odd region":    {spec: service.OrganizationSpec{Region: "Moon"}, says: "no region"},
		"two apps":      {spec: service.OrganizationSpec{SharePointConnection: &service.Connection{Tenant: "contoso.example", Application: "other", Secret: "s"}}, says: "one application for both"},
	} {
		c := good
		if tc.edit != nil {
			tc.edit(&c)
		}
		tc.spec.ExchangeConnection = &c
		_, err := w.Organizations.Create(w.ctx, admin, tc.spec)
		if holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want invalid with %q", name, err, tc.says)
		}
	}
	if w.directory.checked != 0 {
		t.Errorf("signed in %d times for requests that can't be", w.directory.checked)
	}
	_, err := w.Organizations.Create(w.ctx, service.User{}, service.OrganizationSpec{ExchangeConnection: &good})
	w.kind(err, holdfast.KindUnauthenticated, "sign in")
	_, err = w.Organizations.Get(w.ctx, admin, "nothing")
	w.kind(err, holdfast.KindNotFound, "")
}

func TestNothingInUseIsDeleted(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	j := w.job("all", org, repo, nil)
	w.kind(w.Organizations.Delete(w.ctx, admin, org.ID), holdfast.KindConflict, `"all"`)
	w.kind(w.Repositories.Delete(w.ctx, admin, repo.ID), holdfast.KindConflict, `"all"`)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	w.run(j, k)
	w.ok(w.Jobs.Delete(w.ctx, admin, j.ID))
	if points, err := w.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{Job: j.ID}, holdfast.Page{}); err != nil || len(points) != 1 {
		t.Errorf("restore points of the deleted job: %v, %v", points, err)
	}
	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
	w.ok(err)
	w.kind(w.Organizations.Delete(w.ctx, admin, org.ID), holdfast.KindConflict, "explored")
	w.kind(w.Repositories.Delete(w.ctx, admin, repo.ID), holdfast.KindConflict, "explored")
	w.ok(w.RestoreSessions.Stop(w.ctx, admin, s.ID))
	w.ok(w.Organizations.Delete(w.ctx, admin, org.ID))
	w.ok(w.Repositories.Delete(w.ctx, admin, repo.ID))
	if !slices.Contains(w.places.forgotten, repo.ID) {
		t.Error("the place was not forgotten")
	}
	// The organization comes back under the id that its backups know it by.
	if again := w.organization(); again.ID != org.ID {
		t.Errorf("id %s, before %s", again.ID, org.ID)
	}
}

func TestRepositoryRefusals(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.repository("taken")
	w.places.links = map[string]string{"/proc/self/root/srv/taken": "/srv/taken"}
	text := func(s string) *string { return &s }
	for name, tc := range map[string]struct {
		edit func(*service.RepositorySpec)
		kind holdfast.Kind
		says string
	}{
		"item level":     {func(s *service.RepositorySpec) { s.RetentionType = "ItemLevel" }, holdfast.KindInvalid, "item-level retention is not built"},
		"no type":        {func(s *service.RepositorySpec) { s.RetentionType = "" }, holdfast.KindInvalid, "retention type is missing"},
		"relative":       {func(s *service.RepositorySpec) { s.Path = text("backup") }, holdfast.KindInvalid, "not absolute"},
		"name taken":     {func(s *service.RepositorySpec) { s.Name = text("TAKEN") }, holdfast.KindConflict, "already"},
		"nested":         {func(s *service.RepositorySpec) { s.Path = text("/srv/taken/in") }, holdfast.KindConflict, "overlaps"},
		"by a link":      {func(s *service.RepositorySpec) { s.Path, s.Attach = text("/proc/self/root/srv/taken"), true }, holdfast.KindConflict, "overlaps"},
		"object storage": {func(s *service.RepositorySpec) { s.ObjectStorage = true }, holdfast.KindInvalid, "object storage"},
		"two periods":    {func(s *service.RepositorySpec) { s.Retention = &holdfast.RetentionPeriod{Days: 1, Years: 1} }, holdfast.KindInvalid, "one of them"},
		"odd proxy":      {func(s *service.RepositorySpec) { s.Proxy = "x" }, holdfast.KindInvalid, "no proxy"},
		"odd day":        {func(s *service.RepositorySpec) { s.DailyType = text("Someday") }, holdfast.KindInvalid, "daily type"},
	} {
		spec := service.RepositorySpec{Name: text("new"), Path: text("/srv/new"), RetentionType: "SnapshotBased"}
		tc.edit(&spec)
		_, err := w.Repositories.Create(w.ctx, admin, spec)
		if holdfast.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, tc.kind, tc.says)
		}
	}
	w.places.refuse = holdfast.Invalid("the folder is not writable")
	_, err := w.Repositories.Create(w.ctx, admin, service.RepositorySpec{Name: text("new"), Path: text("/srv/new"), RetentionType: "SnapshotBased"})
	w.kind(err, holdfast.KindInvalid, "not writable")
	if all, err := w.Repositories.List(w.ctx, admin, holdfast.Page{}); err != nil || len(all) != 1 || all[0].Capacity != 1000 || all[0].Free != 400 {
		t.Errorf("repositories %+v, %v", all, err)
	}
}

func TestRecoveryKitNagsUntilExported(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	r := w.repository("r")
	nags, err := w.Repositories.Warnings(w.ctx, admin)
	w.ok(err)
	if len(nags) != 1 || !strings.Contains(nags[0], "holdfast repo kit") {
		t.Errorf("warnings %v", nags)
	}
	_, err = w.Repositories.ExportKit(w.ctx, admin, r.ID, "", nil)
	w.kind(err, holdfast.KindInvalid, "one of them")
	if kit, err := w.Repositories.ExportKit(w.ctx, admin, r.ID, "pass", nil); err != nil || string(kit) != "kit" {
		t.Errorf("kit %q, %v", kit, err)
	}
	if nags, err = w.Repositories.Warnings(w.ctx, admin); err != nil || len(nags) != 0 {
		t.Errorf("warnings after the export: %v, %v", nags, err)
	}
}

func TestJobItems(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	ann := holdfast.JobItem{Type: "User", ObjectID: "ann", Mailbox: true}
	j := w.job("some", org, repo, func(s *service.JobSpec) { s.Scope, s.Selected = holdfast.SelectedItems, []holdfast.JobItem{ann, ann} })
	items, err := w.Jobs.Items(w.ctx, admin, j.ID, service.Selected, holdfast.Page{})
	w.ok(err)
	if len(items) != 1 || items[0].Name != "Ann" || items[0].Address != "ann@contoso.example" || items[0].OneDrive {
		t.Fatalf("items %+v", items)
	}
	w.ok(w.Jobs.AddItems(w.ctx, admin, j.ID, service.Selected, []holdfast.JobItem{{Type: "User", ObjectID: "bob"}}))
	w.ok(w.Jobs.UpdateItem(w.ctx, admin, j.ID, service.Selected, items[0].ID, holdfast.JobItem{OneDrive: true}))
	one, err := w.Jobs.Item(w.ctx, admin, j.ID, service.Selected, items[0].ID)
	w.ok(err)
	if one.Mailbox || !one.OneDrive || one.ObjectID != "ann" {
		t.Errorf("updated item %+v", one)
	}
	w.kind(w.Jobs.RemoveItems(w.ctx, admin, j.ID, service.Selected, []string{one.ID, "nothing"}), holdfast.KindNotFound, "nothing")
	w.ok(w.Jobs.RemoveItems(w.ctx, admin, j.ID, service.Selected, []string{one.ID}))
	left, err := w.Jobs.Items(w.ctx, admin, j.ID, service.Selected, holdfast.Page{})
	w.ok(err)
	if len(left) != 1 || left[0].ObjectID != "bob" {
		t.Errorf("left %+v", left)
	}
	w.kind(w.Jobs.RemoveItems(w.ctx, admin, j.ID, service.Selected, []string{left[0].ID}), holdfast.KindConflict, "protect nothing")
	for says, item := range map[string]holdfast.JobItem{"names no group": {Type: "Group"}, "names no user": {Type: "User"}} {
		w.kind(w.Jobs.AddItems(w.ctx, admin, j.ID, service.Excluded, []holdfast.JobItem{item}), holdfast.KindInvalid, says)
	}
	w.kind(w.Jobs.AddItems(w.ctx, admin, j.ID, service.Selected, []holdfast.JobItem{{Type: "User", ObjectID: "eve"}}), holdfast.KindNotFound, "eve")
}

func TestTokens(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	const from = "192.0.2.7"
	tokens, err := w.Admin.Login(w.ctx, service.SignIn{Address: from, Name: `HOST\Admin`, Password: "correct horse"})
	w.ok(err)
	who := func(access string) error { _, err := w.Admin.Authenticate(w.ctx, from, access); return err }
	u, err := w.Admin.Authenticate(w.ctx, from, tokens.Access)
	w.ok(err)
	if u.Name != "admin" || u.Role != service.RoleOwner || !tokens.Expires.Equal(tokens.Issued.Add(time.Hour)) {
		t.Errorf("user %+v, tokens from %v to %v", u, tokens.Issued, tokens.Expires)
	}
	w.kind(who("nonsense"), holdfast.KindUnauthenticated, "")
	w.kind(who(tokens.Refresh), holdfast.KindUnauthenticated, "")
	next, err := w.Admin.Refresh(w.ctx, from, tokens.Refresh)
	w.ok(err)
	w.ok(who(next.Access))
	_, err = w.Admin.Refresh(w.ctx, from, tokens.Refresh)
	w.kind(err, holdfast.KindUnauthenticated, "")
	w.kind(who(next.Access), holdfast.KindUnauthenticated, "") // the theft ended everything
	_, err = w.Admin.Refresh(w.ctx, from, next.Refresh)
	w.kind(err, holdfast.KindUnauthenticated, "")

	if tokens, err = w.Admin.Login(w.ctx, service.SignIn{Address: from, Name: "admin", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	code, err := w.Admin.Code(w.ctx, u)
	w.ok(err)
	handed, err := w.Admin.LoginByCode(w.ctx, from, code)
	w.ok(err)
	w.ok(who(handed.Access))
	_, err = w.Admin.LoginByCode(w.ctx, from, code)
	w.kind(err, holdfast.KindUnauthenticated, "")
	w.ok(w.Admin.Logout(w.ctx, u, tokens.Access))
	w.kind(who(tokens.Access), holdfast.KindUnauthenticated, "")
	if tokens, err = w.Admin.Login(w.ctx, service.SignIn{Address: from, Name: "admin", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	w.clock.Move(61 * time.Minute)
	w.kind(who(tokens.Access), holdfast.KindUnauthenticated, "expired")
	next, err = w.Admin.Refresh(w.ctx, from, tokens.Refresh)
	w.ok(err)
	w.kind(w.Admin.SetPassword(w.ctx, u, "wrong", "longer password"), holdfast.KindDenied, "")
	w.ok(w.Admin.SetPassword(w.ctx, u, "correct horse", "longer password"))
	w.kind(who(next.Access), holdfast.KindUnauthenticated, "")
	_, err = w.Admin.Login(w.ctx, service.SignIn{Address: from, Name: "admin", Password: "longer password"})
	w.ok(err)
}

func TestGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	login := func(from, name, password string) error {
		_, err := w.Admin.Login(w.ctx, service.SignIn{Address: from, Name: name, Password: password})
		return err
	}
	for range 5 {
		w.kind(login("a", "admin", "wrong"), holdfast.KindUnauthenticated, "")
	}
	err := login("a", "admin", "correct horse")
	w.kind(err, holdfast.KindUnavailable, "too many")
	if e, ok := err.(*holdfast.Error); !ok || e.RetryAfter <= 0 || e.RetryAfter > time.Second {
		t.Errorf("retry after %+v", err)
	}
	w.ok(login("b", "admin", "correct horse")) // another address is not locked out
	w.clock.Move(2 * time.Second)
	w.ok(login("a", "admin", "correct horse"))
	w.kind(login("a", "nobody", "correct horse"), holdfast.KindUnauthenticated, "the user name or the password is wrong")
}

func TestFirstStartPrintsAPasswordOnce(t *testing.T) {
	s, err := storetest.SQLite(t)(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	key, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	svc := service.New(service.Deps{Store: service.OnStore[*store.Tx](s), Keys: service.NewKeys(key, random{})})
	password, err := svc.Start(context.Background(), "")
	if err != nil || len(password) < 20 {
		t.Fatalf("generated %q, %v", string(password), err)
	}
	if _, err := svc.Admin.Login(context.Background(), service.SignIn{Address: "a", Name: "admin", Password: string(password)}); err != nil {
		t.Error(err)
	}
	if again, err := svc.Start(context.Background(), ""); err != nil || again != "" {
		t.Errorf("the second start gave %q, %v", string(again), err)
	}
}

func TestExchangedKeyFileIsRefusedAtStart(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	other, err := keys.New()
	w.ok(err)
	svc := service.New(service.Deps{Store: service.OnStore[*store.Tx](w.store), Keys: service.NewKeys(other, random{}), Directory: w.directory})
	_, err = svc.Start(w.ctx, "")
	w.kind(err, holdfast.KindInvalid, "put the right key file back")
	_, err = svc.Organizations.Users(w.ctx, admin, org.ID, service.DirectoryQuery{})
	w.kind(err, holdfast.KindInvalid, "put the right key file back")
}

func TestSecretsDoNotOpenInAnotherRow(t *testing.T) {
	key, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	k := service.NewKeys(key, random{})
	sealed, err := k.Seal("a", []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := k.Open("a", sealed); err != nil || string(text) != "text" {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := k.Open("b", sealed); holdfast.KindOf(err) != holdfast.KindDamaged {
		t.Errorf("moved to another row: %v", err)
	}
	for i := range sealed.Ciphertext {
		bad := sealed
		bad.Ciphertext = bytes.Clone(sealed.Ciphertext)
		bad.Ciphertext[i] ^= 1
		if _, err := k.Open("a", bad); holdfast.KindOf(err) != holdfast.KindDamaged {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

// No planted secret is in the database file, its write-ahead log, or the audit chain.
func TestNoSecretInTheClear(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "h.db")
	w := newWorld(t, func(clock sys.Clock, faults *sys.Faults) (*store.Store, error) {
		return store.Open(context.Background(), store.Options{Path: path, Clock: clock, Faults: faults})
	})
	c := &service.Connection{Tenant: "contoso.example", Application: "app", Certificate: "CANARY-certificate", CertificatePassword: "CANARY-password"}
	org, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c, SharePointConnection: c})
	w.ok(err)
	repo := w.repository("r")
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	w.run(w.job("all", org, repo, nil), k)
	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
	w.ok(err)
	_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, service.RestoreSpec{Container: "ann", Credential: &holdfast.Credential{ApplicationID: "own", Certificate: "CANARY-own", CertificatePassword: "CANARY-own-password"}})
	w.ok(err)
	tokens, err := w.Admin.Login(w.ctx, service.SignIn{Address: "a", Name: "admin", Password: "correct horse"})
	w.ok(err)
	files, err := filepath.Glob(path + "*")
	w.ok(err)
	if len(files) < 2 {
		t.Fatalf("files %v", files)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		w.ok(err)
		for _, secret := range []string{"CANARY", "correct horse", tokens.Access, tokens.Refresh} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %q", filepath.Base(f), secret)
			}
		}
	}
}

func TestAuditChainNamesWhatWasChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	w := newWorld(t, func(clock sys.Clock, faults *sys.Faults) (*store.Store, error) {
		return store.Open(context.Background(), store.Options{Path: path, Clock: clock, Faults: faults})
	})
	w.organization()
	w.repository("r")
	number, hash, err := w.Audit.Head(w.ctx)
	w.ok(err)
	anchor := holdfast.AuditEntry{Number: number, Hash: hash}
	if v, err := w.Audit.Verify(w.ctx, admin, anchor); err != nil || v != (service.AuditVerified{Entries: number, Hash: hash}) || number < 3 {
		t.Fatalf("verified %+v of %d: %v", v, number, err)
	}
	db, err := sql.Open("sqlite", path)
	w.ok(err)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for name, tc := range map[string]struct {
		statement string
		broken    int64
		says      string
	}{
		"actor":         {"UPDATE audit SET actor = 'eve' WHERE number = 2", 2, "audit entry 2 is not what was written"},
		"time":          {"UPDATE audit SET time = time + 1 WHERE number = 1", 1, "audit entry 1 is not"},
		"detail":        {"UPDATE audit SET detail = detail || ' ' WHERE number = 3", 3, "audit entry 3 is not"},
		"hash":          {"UPDATE audit SET hash = prev WHERE number = 2", 2, "audit entry 2 is not"},
		"cut out":       {"DELETE FROM audit WHERE number = 2", 2, "audit entry 2 is missing"},
		"reordered":     {"UPDATE audit SET number = CASE number WHEN 1 THEN -2 WHEN 2 THEN -1 END WHERE number < 3; UPDATE audit SET number = -number WHERE number < 0", 1, "audit entry"},
		"cut off":       {"DELETE FROM audit WHERE number >= 3", 3, "the audit chain ends at entry 2"},
		"all cut off":   {"DELETE FROM audit", 1, "the audit chain ends at entry 0"},
		"head replaced": {"UPDATE audit SET hash = 'x' WHERE number = (SELECT MAX(number) FROM audit)", number, "is not what was written"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			for _, q := range []string{"CREATE TABLE kept AS SELECT * FROM audit", tc.statement} {
				if _, err := db.ExecContext(ctx, q); err != nil {
					t.Fatal(err)
				}
			}
			v, err := w.Audit.Verify(w.ctx, admin, anchor)
			if err != nil || v.Broken != tc.broken || v.Entries != tc.broken-1 || !strings.Contains(v.What, tc.says) {
				t.Errorf("%+v, %v, want entry %d broken with %q", v, err, tc.broken, tc.says)
			}
			for _, q := range []string{"DELETE FROM audit", "INSERT INTO audit SELECT * FROM kept", "DROP TABLE kept"} {
				if _, err := db.ExecContext(ctx, q); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if v, err := w.Audit.Verify(w.ctx, admin, anchor); err != nil || v.Broken != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	list, err := w.Audit.List(w.ctx, admin, holdfast.Page{Offset: 1, Limit: 2})
	if err != nil || len(list) != 2 || list[0].Number != number-1 || list[1].Number != number-2 {
		t.Errorf("entries %+v, %v; want %d and %d", list, err, number-1, number-2)
	}
	if list, err := w.Audit.List(w.ctx, admin, holdfast.Page{Offset: int(number), Limit: 5}); err != nil || len(list) != 0 {
		t.Errorf("before the first: %+v, %v", list, err)
	}
}

func TestExploreSeesTheRightStateAtEachTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org, repo := w.organization(), w.repository("r")
		a := w.job("a", org, repo, nil)
		b := w.job("b", org, repo, func(s *service.JobSpec) {
			s.Scope, s.Selected = holdfast.SelectedItems, []holdfast.JobItem{{Type: "User", ObjectID: "ann"}}
		})
		_, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
		w.kind(err, holdfast.KindNotFound, "no restore point yet")
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), drive("ann"), mailbox("bob")}}
		w.run(a, k)
		between := w.clock.Now()
		w.clock.Move(time.Hour)
		w.run(a, k)
		w.clock.Move(time.Hour)
		w.run(b, k)
		for name, tc := range map[string]struct {
			spec service.ExploreSpec
			want string
		}{
			"newest of all":           {service.ExploreSpec{}, "mailbox/ann@3 mailbox/bob@2"},
			"an earlier time":         {service.ExploreSpec{Organization: org.ID, Time: between}, "mailbox/ann@1 mailbox/bob@1"},
			"a job":                   {service.ExploreSpec{Job: a.ID}, "mailbox/ann@2 mailbox/bob@2"},
			"the other job":           {service.ExploreSpec{Job: b.ID}, "mailbox/ann@3"},
			"a repository":            {service.ExploreSpec{Repository: repo.ID}, "mailbox/ann@3 mailbox/bob@2"},
			"drives":                  {service.ExploreSpec{Type: holdfast.ExploreOneDrive, Organization: org.ID}, "drive/drive-ann@3"},
			"drives at an early time": {service.ExploreSpec{Type: holdfast.ExploreOneDrive, Time: between}, "drive/drive-ann@1"},
		} {
			if tc.spec.Type == "" {
				tc.spec.Type = holdfast.ExploreExchange
			}
			s, err := w.RestoreSessions.Open(w.ctx, admin, tc.spec)
			w.ok(err)
			seen, err := w.RestoreSessions.Containers(w.ctx, admin, s.ID, holdfast.Page{})
			w.ok(err)
			var got []string
			for _, c := range seen {
				p, err := w.RestoreSessions.Items(w.ctx, admin, s.ID, c.Container.PublicID(), service.ItemQuery{})
				w.ok(err)
				got = append(got, p.Entries[0].Path)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%s: %v, want %s", name, got, tc.want)
			}
		}
		_, err = w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Time: between.Add(-time.Hour)})
		w.kind(err, holdfast.KindNotFound, "at or before")
		if teams, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreTeams}); err != nil || !strings.HasPrefix(teams.Name, "Teams of ") {
			t.Errorf("a session of teams: %q, %v", teams.Name, err)
		}
		_, err = w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: "Vat"})
		w.kind(err, holdfast.KindInvalid, "Vex, Veod, Vesp, Vet or Chats")
	})
}

func TestRestoreSessionLivesAndEnds(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	w.run(w.job("all", org, repo, nil), k)
	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID, Reason: "lost a mail"})
	w.ok(err)
	for range 4 { // in use, it lives
		w.clock.Move(50 * time.Minute)
		if _, err := w.RestoreSessions.Containers(w.ctx, admin, s.ID, holdfast.Page{}); err != nil {
			t.Fatal(err)
		}
		w.ok(w.Tick(w.ctx))
	}
	content, err := w.RestoreSessions.Save(w.ctx, admin, s.ID, "ann", "item")
	w.ok(err)
	w.ok(content.Body.Close())
	events, err := w.RestoreSessions.Events(w.ctx, admin, s.ID, holdfast.Page{})
	w.ok(err)
	if len(events) != 1 || events[0].Type != "Save" || events[0].Number != 1 || events[0].ItemName != "name of item" {
		t.Errorf("events %+v", events)
	}
	w.clock.Move(61 * time.Minute)
	w.ok(w.Tick(w.ctx))
	s, err = w.RestoreSessions.Get(w.ctx, admin, s.ID)
	w.ok(err)
	if !s.Stopped || s.Ended.IsZero() || !strings.Contains(s.Details, "idle") {
		t.Errorf("an idle session: %+v", s)
	}
	_, err = w.RestoreSessions.Containers(w.ctx, admin, s.ID, holdfast.Page{})
	w.kind(err, holdfast.KindConflict, "has ended")
	w.ok(w.RestoreSessions.Stop(w.ctx, admin, s.ID))
}

func TestRestore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org, repo := w.organization(), w.repository("r")
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
		w.run(w.job("all", org, repo, nil), k)
		s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
		w.ok(err)
		spec := service.RestoreSpec{Container: "ann", Items: []string{"one", "two", "three"}, Mode: "skip"}
		refused := spec
		refused.UserName = true
		_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, refused)
		w.kind(err, holdfast.KindInvalid, "user name and password")
		refused = spec
		refused.NewChat = true
		_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, refused)
		w.kind(err, holdfast.KindInvalid, "only a chat")
		w.directory.lacking["Mail.ReadWrite"] = true
		_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, spec)
		w.kind(err, holdfast.KindDenied, "Mail.ReadWrite")
		w.directory.lacking["Mail.ReadWrite"] = false
		request, err := w.RestoreSessions.Restore(w.ctx, admin, s.ID, spec)
		w.ok(err)
		task := k.claim(1)[0]
		var req holdfast.RestoreRequest
		w.ok(json.Unmarshal(task.Request, &req))
		if task.Kind != holdfast.TaskRestore || req.ID != request || req.From != "mailbox/ann" || len(req.Items) != 3 || req.Point == "" {
			t.Fatalf("task %+v, request %+v", task, req)
		}
		began := func(task holdfast.Task, item string, wantBegan bool) *holdfast.ItemResult {
			t.Helper()
			earlier, again, err := w.Control.BeginItem(w.ctx, task.Lease(), request, item, "v1")
			w.ok(err)
			if again != wantBegan {
				t.Errorf("item %s: began before %t, want %t", item, again, wantBegan)
			}
			return earlier
		}
		end := func(task holdfast.Task, r holdfast.ItemResult) {
			t.Helper()
			w.ok(w.Control.EndItem(w.ctx, task.Lease(), request, r))
		}
		began(task, "one", false)
		end(task, holdfast.ItemResult{Item: "one", Name: "mail 1", Outcome: "created", NewID: "new1"})
		began(task, "two", false) // and its outcome is never told: the process dies
		began(task, "half", false)
		w.ok(w.Control.MadeItem(w.ctx, task.Lease(), request, "half", "new half"))
		w.restart(open, nil)
		again := k.claim(1)[0]
		_, _, err = w.Control.BeginItem(w.ctx, task.Lease(), request, "three", "v1")
		w.kind(err, holdfast.KindStale, "")
		w.kind(w.Control.EndItem(w.ctx, task.Lease(), request, holdfast.ItemResult{Item: "two"}), holdfast.KindStale, "")
		w.kind(w.Control.MadeItem(w.ctx, task.Lease(), request, "two", "new"), holdfast.KindStale, "")
		if r := began(again, "half", true); r == nil || r.NewID != "new half" || r.Outcome != "" {
			t.Errorf("item half was recorded as %+v", r)
		}
		if r := began(again, "one", true); r == nil || r.NewID != "new1" {
			t.Errorf("item one was recorded as %+v", r)
		}
		if r := began(again, "two", true); r != nil {
			t.Errorf("item two has an outcome: %+v", r)
		}
		end(again, holdfast.ItemResult{Item: "two", Name: "mail 2", Outcome: "skipped", Reason: holdfast.SkipConflict, Detail: "it is there"})
		end(again, holdfast.ItemResult{Item: "two", Name: "mail 2", Outcome: "skipped", Reason: holdfast.SkipConflict, Detail: "it is there"})
		began(again, "three", false)
		end(again, holdfast.ItemResult{Item: "three", Name: "mail 3", Outcome: "skipped", Reason: holdfast.SkipTransient, Detail: "503"})
		began(again, "four", false) // a post that was deleted before its backup: nothing failed
		end(again, holdfast.ItemResult{Item: "four", Name: "post 4", Outcome: "skipped", Reason: holdfast.SkipNothing, Detail: "not restorable: deleted"})
		w.ok(w.Control.Complete(w.ctx, again.Lease(), holdfast.TaskResult{}))
		events, err := w.RestoreSessions.Events(w.ctx, admin, s.ID, holdfast.Page{})
		w.ok(err)
		var got []string
		for _, e := range events {
			got = append(got, e.Item+":"+e.Status)
			if e.Item == "four" && (e.Message != "not restorable: deleted" || e.Title != "Skipped post 4") {
				t.Errorf("event %+v", e)
			}
		}
		if strings.Join(got, " ") != ":Warning one:Success two:Skipped three:Failed four:Skipped" || events[0].Message != "1 restored, 2 skipped, 1 failed" {
			t.Errorf("events %v, %q", got, events[0].Message)
		}
		st, err := w.RestoreSessions.Statistics(w.ctx, admin, s.ID)
		w.ok(err)
		if st.Total != 4 || st.Restored != 1 || st.Skipped != 2 || st.Failed != 1 || len(st.Items) != 4 {
			t.Errorf("statistics %+v", st)
		}
		if s, err = w.RestoreSessions.Get(w.ctx, admin, s.ID); err != nil || s.Result != holdfast.StatusWarning {
			t.Errorf("session %+v, %v", s, err)
		}
	})
}

func TestRestoreWithAnApplicationOfItsOwn(t *testing.T) {
	open := storetest.SQLite(t)
	w := newWorld(t, open)
	org, repo := w.organization(), w.repository("r")
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	w.run(w.job("all", org, repo, nil), k)
	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
	w.ok(err)
	_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, service.RestoreSpec{Container: "ann", Credential: &holdfast.Credential{ApplicationID: "own", Certificate: "pfx"}})
	w.ok(err)
	task := k.claim(1)[0]
	a, err := w.Control.Access(w.ctx, task.Lease())
	w.ok(err)
	if a.Credential.ApplicationID != "own" || a.Credential.Certificate != "pfx" || a.Credential.TenantID == "" {
		t.Errorf("credential %+v", a.Credential)
	}
	w.restart(open, nil)
	task = k.claim(1)[0]
	_, err = w.Control.Access(w.ctx, task.Lease())
	w.kind(err, holdfast.KindConflict, "ask for the restore again") // never silently with another application
	w.ok(w.RestoreSessions.Stop(w.ctx, admin, s.ID))
	w.clock.Move(5 * time.Second)
	w.ok(w.Tick(w.ctx))
	events, err := w.RestoreSessions.Events(w.ctx, admin, s.ID, holdfast.Page{})
	w.ok(err)
	if len(events) != 1 || events[0].Status != "Cancelled" {
		t.Errorf("events %+v", events)
	}
}

func TestRetentionForgetsOnlyWhatIsPastItsTime(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	j := w.job("all", org, repo, nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	old := w.run(j, k).RestorePoint
	w.clock.Move(31 * 24 * time.Hour)
	fresh := w.run(j, k).RestorePoint
	w.ok(w.Repositories.Retain(w.ctx, admin, repo.ID))
	task := k.claim(1)[0]
	if task.Kind != holdfast.TaskRetention {
		t.Fatalf("claimed %+v", task)
	}
	if more := k.claim(1); len(more) != 0 {
		t.Fatalf("a second retention of the repository: %+v", more)
	}
	forget := func(id ...holdfast.RestorePointID) error {
		return w.Control.ForgetRestorePoints(w.ctx, task.Lease(), id)
	}
	w.kind(forget(fresh), holdfast.KindConflict, "not past its retention")
	w.kind(forget(old, fresh), holdfast.KindConflict, "not past its retention")
	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Point: old})
	w.ok(err)
	w.kind(forget(old), holdfast.KindConflict, "being explored")
	w.ok(w.RestoreSessions.Stop(w.ctx, admin, s.ID))
	w.ok(forget(old))
	w.ok(forget(old))
	points, err := w.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{}, holdfast.Page{})
	w.ok(err)
	if len(points) != 1 || points[0].ID != fresh {
		t.Errorf("left %+v", points)
	}
	heads, err := w.Control.Heads(w.ctx, task.Lease(), repo.ID)
	w.ok(err)
	if len(heads) != 1 || heads[0].Number != 2 {
		t.Errorf("heads %+v", heads)
	}
	if _, err := w.Control.Head(w.ctx, repo.ID, org.ID, "mailbox/ann", 1); holdfast.KindOf(err) != holdfast.KindNotFound {
		t.Errorf("the head that only the old point showed: %v", err)
	}
	w.ok(w.Control.Complete(w.ctx, task.Lease(), holdfast.TaskResult{Err: "the disk is full"}))
	r, err := w.Repositories.Get(w.ctx, admin, repo.ID)
	w.ok(err)
	if wait := r.NextRetention.Sub(w.clock.Now()); wait > time.Hour+time.Second {
		t.Errorf("a run that did not finish is repeated only after %v", wait)
	}
}

func TestRetentionRefusesWhenTheClockJumped(t *testing.T) {
	open := storetest.SQLite(t)
	// The leases' clock stays, the wall clock jumps, as when somebody sets it.
	w := newWorld(t, func(_ sys.Clock, faults *sys.Faults) (*store.Store, error) { return open(nil, faults) })
	org, repo := w.organization(), w.repository("r")
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	point := w.run(w.job("all", org, repo, nil), k).RestorePoint
	w.clock.Move(400 * 24 * time.Hour)
	w.ok(w.Repositories.Retain(w.ctx, admin, repo.ID))
	task := k.claim(1)[0]
	w.kind(w.Control.ForgetRestorePoints(w.ctx, task.Lease(), []holdfast.RestorePointID{point}), holdfast.KindConflict, "the system clock jumped")
	if points, err := w.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{}, holdfast.Page{}); err != nil || len(points) != 1 {
		t.Errorf("restore points %v, %v", points, err)
	}
}

func TestRetentionRunsByItsScheduleOnce(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.repository("r")
	w.clock.Move(24 * time.Hour)
	w.ok(w.Tick(w.ctx))
	w.ok(w.Tick(w.ctx))
	k := &worker{w: w}
	if tasks := k.claim(5); len(tasks) != 1 || tasks[0].Kind != holdfast.TaskRetention {
		t.Fatalf("claimed %+v", tasks)
	}
	w.clock.Move(24 * time.Hour)
	w.ok(w.Tick(w.ctx))
	if tasks := k.claim(5); len(tasks) != 1 { // the lost one, not another beside it
		t.Fatalf("claimed %+v", tasks)
	}
}

func TestRebuildBringsEverythingBackUnderItsIDs(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	j := w.job("all", org, repo, nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), drive("ann")}}
	w.run(j, k)
	first := w.run(j, k)
	p, err := w.RestorePoints.Get(w.ctx, admin, first.RestorePoint)
	w.ok(err)
	cat := holdfast.Catalogue{Organizations: []holdfast.Organization{org}, Points: []holdfast.RestorePoint{p}}
	for n := uint64(1); n <= 2; n++ {
		for _, key := range []string{"mailbox/ann", "drive/drive-ann"} {
			h, err := w.Control.Head(w.ctx, repo.ID, org.ID, key, n)
			w.ok(err)
			cat.Heads = append(cat.Heads, h)
		}
	}

	lost := newWorld(t, storetest.SQLite(t)) // another server with an empty database
	text := func(s string) *string { return &s }
	again, err := lost.Repositories.Create(lost.ctx, admin, service.RepositorySpec{Name: text("again"), Path: text("/srv/r"), RetentionType: "SnapshotBased", Attach: true})
	lost.ok(err)
	if n, err := lost.Repositories.Import(lost.ctx, again.ID, cat); err != nil || n != 1 {
		t.Fatalf("imported %d, %v", n, err)
	}
	if n, err := lost.Repositories.Import(lost.ctx, again.ID, cat); err != nil || n != 0 {
		t.Fatalf("imported %d again, %v", n, err)
	}
	got, err := lost.RestorePoints.Get(lost.ctx, admin, p.ID)
	lost.ok(err)
	if len(got.Entries) != 2 || got.Entries[0].Head != 2 || got.Repository != again.ID {
		t.Errorf("restore point %+v", got)
	}
	s, err := lost.RestoreSessions.Open(lost.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
	lost.ok(err)
	c, err := lost.RestoreSessions.Container(lost.ctx, admin, s.ID, mailboxID(org))
	lost.ok(err)
	if c.Head != 2 {
		t.Errorf("container %+v", c)
	}
	// Backups can't go on without a credential, and say so; with one they continue the heads, under newer epochs.
	_, err = lost.Organizations.Users(lost.ctx, admin, org.ID, service.DirectoryQuery{})
	lost.kind(err, holdfast.KindConflict, "has no credential yet")
	if o := lost.organization(); o.ID != org.ID {
		t.Errorf("the organization came back as %s", o.ID)
	}
	next := &worker{w: lost, found: k.found}
	session := lost.run(lost.job("all", org, again, nil), next)
	if session.Status != holdfast.StatusSuccess {
		t.Errorf("backup after the rebuild: %s %s", session.Status, session.Details)
	}
	head, err := lost.Control.Head(lost.ctx, again.ID, org.ID, "mailbox/ann", 3)
	lost.ok(err)
	if head.Epoch <= cat.Heads[len(cat.Heads)-1].Epoch {
		t.Errorf("epoch %d is not newer than the imported ones", head.Epoch)
	}
}

func mailboxID(org holdfast.Organization) string {
	c := mailbox("ann")
	c.Organization = org.ID
	return c.PublicID()
}

func TestRetentionKeepsWhatASessionThatRunsWillShow(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	long, other := w.job("long", org, repo, nil), w.job("other", org, repo, nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	w.run(other, k)
	old := w.run(other, k).RestorePoint
	w.clock.Move(31 * 24 * time.Hour)
	w.run(other, k)

	// The long job has read the mailbox and works on; another job reads it again, and then retention runs.
	s, err := w.Jobs.Start(w.ctx, admin, long.ID, false)
	w.ok(err)
	k.found = []holdfast.Container{mailbox("ann"), mailbox("bob")}
	k.work(k.claim(1)[0])
	first := k.claim(1)[0]
	k.work(first)
	left := k.claim(1)[0]
	if left.JobSession != s.ID || left.Container.Key() == first.Container.Key() {
		t.Fatalf("claimed %+v", left)
	}
	shown := w.head(first)
	k.found = []holdfast.Container{first.Container}
	w.run(other, k)
	if now := w.head(first); now <= shown {
		t.Fatalf("the other job left head %d, after %d", now, shown)
	}
	w.ok(w.Repositories.Retain(w.ctx, admin, repo.ID))
	task := k.claim(1)[0]
	w.ok(w.Control.ForgetRestorePoints(w.ctx, task.Lease(), []holdfast.RestorePointID{old}))
	heads, err := w.Control.Heads(w.ctx, task.Lease(), repo.ID)
	w.ok(err)
	if !slices.ContainsFunc(heads, func(h holdfast.HeadRecord) bool {
		return h.Container.Key() == first.Container.Key() && h.Number == shown
	}) {
		t.Errorf("head %d of %s is no root of maintenance: %+v", shown, first.Container.Key(), heads)
	}
	w.ok(w.Control.Complete(w.ctx, task.Lease(), holdfast.TaskResult{}))
	k.work(left)
	k.drain()
	got, err := w.JobSessions.Get(w.ctx, admin, s.ID)
	w.ok(err)
	if got.Status != holdfast.StatusSuccess || got.RestorePoint == "" {
		t.Errorf("the session ended as %s: %s", got.Status, got.Details)
	}
}

// head is the number of the current head of t's container.
func (w *world) head(t holdfast.Task) (number uint64) {
	w.t.Helper()
	w.ok(w.store.Read(w.ctx, func(ctx context.Context, tx *store.Tx) error {
		rec, err := tx.Container(ctx, t.Repository, t.Organization, t.Container.Key())
		number = rec.Head
		return err
	}))
	return number
}

// The ledger's newest head is noted down with the end of a task; a late report of an older one must not hide that a folder was put back.
func TestTheNewestLedgerHeadIsNotedDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org, repo := w.organization(), w.repository("r")
		j := w.job("all", org, repo, nil)
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
		w.run(j, k)
		for _, sequence := range []uint64{7, 5} {
			w.ok(w.Repositories.Retain(w.ctx, admin, repo.ID))
			task := k.claim(1)[0]
			w.ok(w.Control.Complete(w.ctx, task.Lease(), holdfast.TaskResult{Ledgers: map[holdfast.OrganizationID]holdfast.LedgerHead{org.ID: {Sequence: sequence, Hash: fmt.Sprint("hash ", sequence)}}}))
			w.ok(w.Store.Read(w.ctx, func(ctx context.Context, tx service.Tx) error {
				head, err := service.Anchor(ctx, tx, repo.ID, org.ID)
				if head.Sequence != 7 || head.Hash != "hash 7" {
					t.Errorf("after %d: %+v is noted down", sequence, head)
				}
				none, nerr := service.Anchor(ctx, tx, repo.ID, "another")
				if none.Sequence != 0 {
					t.Errorf("of another organization: %+v", none)
				}
				return errors.Join(err, nerr)
			}))
		}
	})
}
