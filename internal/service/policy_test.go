package service

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
)

// TestNothingWorksAroundThePolicy reads the package: each act has a rule and each rule an act; each check names an act that has one; and a
// method that works for a caller on rows which scopes narrow uses readAs and its like, never the whole store.
func TestNothingWorksAroundThePolicy(t *testing.T) {
	all := parsePackage(t)
	acts := map[string]bool{}
	for _, f := range all {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Act" {
					continue
				}
				text := strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)
				if _, ruled := policy[Act(text)]; !ruled {
					t.Errorf("%s (%s) has no rule", v.Names[0].Name, text)
				}
				acts[v.Names[0].Name] = policy[Act(text)].scoped
			}
		}
	}
	if len(acts) != len(policy) {
		t.Errorf("%d acts, %d rules", len(acts), len(policy))
	}
	checks := map[string]int{"may": 1, "readAs": 3, "writeAs": 3, "lookAs": 2, "changeAs": 2, "Allowed": 1, "ScopeOf": 1}
	// These work for a caller but not on what he names: the comment says why each may.
	whole := map[string]string{
		"looked":      "may was asked for the reading",
		"audit":       "the chain is everybody's",
		"auditNow":    "the chain is everybody's",
		"saved":       "may was asked for the download, and the session was read in the caller's scope",
		"login":       "makes the caller",
		"pair":        "makes the caller",
		"Logout":      "is by a secret that the caller has",
		"putPassword": "is a part of SetPassword, which asks",
		"dropFactor":  "is a part of RemoveFactor and ResetFactor, which ask",
		"resolve":     "is a part of save",
		"save":        "is a part of Create and Update, which ask",
		"change":      "is a part of Describe and Maintain",
	}
	for _, f := range all {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !takesUser(fn) {
				continue
			}
			var scoped, unscoped, direct bool
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := calledName(call)
				if at, is := checks[name]; is && at < len(call.Args) {
					id, isName := call.Args[at].(*ast.Ident)
					if !isName {
						t.Errorf("%s: %s is given an act that is not a constant", fn.Name.Name, name)
						return true
					}
					isScoped, known := acts[id.Name]
					if !known && id.Name != "act" {
						t.Errorf("%s: %s is no act", fn.Name.Name, id.Name)
					}
					scoped, unscoped = scoped || isScoped, unscoped || known && !isScoped
				}
				if sel, ok := call.Fun.(*ast.SelectorExpr); name == "read" || name == "write" || ok && (sel.Sel.Name == "Read" || sel.Sel.Name == "Write") && strings.HasSuffix(exprText(sel.X), "Store") {
					direct = true
				}
				return true
			})
			if direct && (scoped || !unscoped) && whole[fn.Name.Name] == "" && fn.Name.Name != "lookAs" && fn.Name.Name != "changeAs" {
				t.Errorf("%s works for a caller on the whole store: use readAs, writeAs, lookAs or changeAs with its act", fn.Name.Name)
			}
		}
	}
}

func parsePackage(t *testing.T) []*ast.File {
	t.Helper()
	pkgs, err := parser.ParseDir(token.NewFileSet(), ".", func(i fs.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []*ast.File
	for _, f := range pkgs["service"].Files {
		all = append(all, f)
	}
	return all
}

func takesUser(fn *ast.FuncDecl) bool {
	return fn.Body != nil && slices.ContainsFunc(fn.Type.Params.List, func(f *ast.Field) bool { return exprText(f.Type) == "User" })
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	}
	return ""
}

func TestWhatHasNoRuleIsDenied(t *testing.T) {
	for _, role := range Roles {
		if err := Allowed(User{Name: "x", Role: role}, "do what nobody thought of"); holdfast.KindOf(err) != holdfast.KindDenied {
			t.Errorf("%s: %v", role, err)
		}
	}
	if err := Allowed(User{Name: "x", Role: "Emperor"}, ActSeeOrgs); holdfast.KindOf(err) != holdfast.KindDenied {
		t.Errorf("an unknown role: %v", err)
	}
	if err := Allowed(User{}, ActSeeOrgs); holdfast.KindOf(err) != holdfast.KindUnauthenticated {
		t.Errorf("nobody: %v", err)
	}
}

// TestThePolicyInWords is the policy once more, by role: what a role may do at all.
func TestThePolicyInWords(t *testing.T) {
	self := []Act{ActUnbuilt, ActSeeService, ActSeeSelf, ActEndOwnLogin, ActHandOver, ActProve, ActOwnPassword, ActOwnFactor, ActSignIn, ActSeeHealth, ActSeePortal, ActSeeOrgs, ActSeeProtected, ActSeePoints, ActSeeRestores}
	look := append([]Act{ActSeeSync, ActSeeJobs, ActSeeJobSessions, ActSeeEvents, ActSeeProxies, ActSeeRepos, ActSeeLicences, ActSeeOverview, ActSeeExclusions, ActSeeOrgExclusion, ActSeeMail}, self...)
	content := append([]Act{ActExplore, ActReadContent, ActDownload, ActSend, ActRestore, ActRestoreOther, ActRestoreChat, ActSeeRestored, ActStopRestore}, self...)
	want := map[Role][]Act{
		RoleBackup:   append([]Act{ActAddOrg, ActChangeOrg, ActRemoveOrg, ActReadDirectory, ActSyncDirectory, ActAddJob, ActChangeJob, ActRemoveJob, ActStartJob, ActStopJob, ActStopRestore, ActChangeExclusions, ActOwnKeys}, look...),
		RoleStorage:  append([]Act{ActChangeProxy, ActAddRepo, ActChangeRepo, ActRemoveRepo, ActExportKit, ActRunRetention, ActSynchronize, ActSpareRetention, ActSpareOrg, ActOwnKeys}, look...),
		RoleAuditor:  append([]Act{ActReadAudit, ActSeeUsers, ActSeeRoles, ActOwnKeys}, look...),
		RoleOperator: content,
		RoleEndUser:  content[1:],
	}
	want[RoleEndUser] = slices.DeleteFunc(slices.Clone(content), func(a Act) bool { return a == ActSend || a == ActRestoreOther || a == ActRestoreChat })
	for a := range policy {
		want[RoleOwner] = append(want[RoleOwner], a)
	}
	grants := []holdfast.Grant{{Organization: "o", Whole: true, Acts: holdfast.GrantActs}}
	own := []holdfast.Grant{{Organization: "o", Owners: []string{"me"}, Acts: []holdfast.GrantAct{holdfast.GrantRead, holdfast.GrantDownload, holdfast.GrantRestore}}}
	for _, role := range Roles {
		u := User{ID: "u", Name: "u", Role: role}
		switch role {
		case RoleOperator:
			u.Grants = grants
		case RoleEndUser:
			u.Grants = own
		}
		slices.Sort(want[role])
		if got := ActsOf(u); !slices.Equal(got, want[role]) {
			t.Errorf("%s\n got %q\nwant %q", role, got, want[role])
		}
	}
	// A key that is limited to an organization does only what is on objects, and nothing that takes a person.
	for _, act := range ActsOf(User{ID: "u", Name: "key", Role: RoleOwner, Key: "k", Organizations: []holdfast.OrganizationID{"o"}}) {
		if r := policy[act]; !r.anyone && (!r.scoped && !r.own || r.person) {
			t.Errorf("a limited key may %s", act)
		}
	}
}

func TestObjectsOutsideTheScopeAreNotThere(t *testing.T) {
	u := User{ID: "u", Name: "op", Role: RoleOperator, Grants: []holdfast.Grant{
		{Organization: "a", Whole: true, Excluded: []string{"boss"}, Acts: []holdfast.GrantAct{holdfast.GrantRead}},
		{Organization: "b", Owners: []string{"ann", "boss"}, Excluded: []string{"boss"}, Acts: holdfast.GrantActs}}}
	for _, tc := range []struct {
		act  Act
		on   Object
		want holdfast.Kind
	}{
		{ActReadContent, Object{"a", "ann"}, 0},
		{ActReadContent, Object{"a", "boss"}, holdfast.KindNotFound},
		{ActReadContent, Object{"a", ""}, holdfast.KindNotFound},
		{ActReadContent, Object{"b", "ann"}, 0},
		{ActReadContent, Object{"b", "bob"}, holdfast.KindNotFound},
		{ActReadContent, Object{"b", "boss"}, holdfast.KindNotFound},
		{ActReadContent, Object{"c", "ann"}, holdfast.KindNotFound},
		{ActDownload, Object{"a", "ann"}, holdfast.KindDenied},
		{ActDownload, Object{"a", "boss"}, holdfast.KindNotFound},
		{ActDownload, Object{"b", "ann"}, 0},
	} {
		err := Allowed(u, tc.act, tc.on)
		if tc.want == 0 && err != nil || tc.want != 0 && holdfast.KindOf(err) != tc.want {
			t.Errorf("%s on %v: %v", tc.act, tc.on, err)
		}
	}
	u.Grants = u.Grants[:1]
	if err := Allowed(u, ActDownload); holdfast.KindOf(err) != holdfast.KindDenied {
		t.Errorf("no grant allows downloads: %v", err)
	}
}
