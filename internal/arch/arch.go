// Package arch holds the map of the project's rooms as data: what each may import and why not more.
// Its test reads every file of the tree and fails with the reason.
package arch

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
)

// Module is the path that all rooms are below.
const Module = "holdfast"

// Room is a folder (with what is below it, unless a deeper room is named) and the rooms that it may import.
// Every room may import itself, what is below it, internal/sys and the standard library, unless Bare.
type Room struct {
	Path string
	May  []string // rooms, relative to the module; "*" is everything
	Bare bool     // the standard library only, not even sys
	Why  string   // shown when the rule is broken
}

// Rooms is the table of STYLE section 1.
var Rooms = []Room{
	{Path: "cmd/holdfast", May: []string{"*"}, Why: "the command parses flags, calls and prints"},
	{Path: "internal/app", May: []string{"*"}, Why: "app joins the rooms"},
	{Path: "internal/arch", Bare: true, Why: "the map is about the rooms, it is in none"},
	{Path: "internal/sys", Bare: true, Why: "sys is below everything and knows nothing of the project"},
	{Path: "internal/holdfast", Bare: true, Why: "nouns know no SQL, HTTP, Microsoft or storage library"},
	{Path: "internal/m365", May: []string{"internal/holdfast"}, Why: "the clients know hosts, paging and limits, nothing of backup, vault or jobs"},
	{Path: "internal/workload/exchange", May: []string{"internal/m365", "internal/holdfast", "internal/engine", "internal/fasttransfer"}, Why: "a workload fills the engine's interfaces over m365 and knows neither vault nor another workload"},
	{Path: "internal/workload/drive", May: []string{"internal/m365", "internal/holdfast", "internal/engine"}, Why: "a workload fills the engine's interfaces over m365 and knows neither vault nor another workload"},
	{Path: "internal/workload/site", May: []string{"internal/workload/drive", "internal/m365", "internal/holdfast", "internal/engine"}, Why: "a site's libraries are drives, and are read and restored as such; it knows no other workload, and no vault"},
	{Path: "internal/workload/team", May: []string{"internal/workload/drive", "internal/m365", "internal/holdfast", "internal/engine"}, Why: "the files of a team's channels are drives, and are read and restored as such; it knows no other workload, and no vault"},
	{Path: "internal/workload/workloadtest", May: []string{"internal/sim", "internal/m365", "internal/holdfast", "internal/engine"}, Why: "the conformance suite runs a workload against the simulated tenant"},
	{Path: "internal/workload", May: []string{"internal/holdfast", "internal/engine"}, Why: "what workloads share is the engine's contract, for instance its conformance suite"},
	{Path: "internal/engine", May: []string{"internal/vault", "internal/holdfast"}, Why: "the engine moves items of any workload and knows none by name"},
	{Path: "internal/vault", May: []string{"internal/holdfast"}, Why: "the vault knows no Microsoft API, job or user"},
	{Path: "internal/extract", May: []string{"internal/fasttransfer"}, Why: "text is taken out of bytes, wherever they are from"},
	{Path: "internal/fasttransfer", May: nil, Why: "a stream is read wherever it is from: the format knows nothing of mailboxes, vault or server"},
	{Path: "internal/preview", May: []string{"internal/extract", "internal/holdfast"}, Why: "a preview is made of bytes, wherever they are from, and asks nobody for more"},
	{Path: "internal/query", Bare: true, Why: "the grammar of searches knows nothing of what is searched"},
	{Path: "internal/search", May: []string{"internal/vault", "internal/holdfast", "internal/query", "internal/extract", "internal/fasttransfer"}, Why: "the search index is made from the vault alone and can be made anew"},
	{Path: "internal/explorer", May: []string{"internal/vault", "internal/holdfast", "internal/query", "internal/fasttransfer"}, Why: "explorer must work with Microsoft 365 down"},
	{Path: "internal/export", May: []string{"internal/explorer", "internal/vault", "internal/holdfast"}, Why: "export must work with Microsoft 365 down and does not know where the bytes go"},
	{Path: "internal/mail", May: []string{"internal/holdfast"}, Why: "mail is handed to a server, whatever it is about: no rules, vault or Microsoft in it"},
	{Path: "internal/service", May: []string{"internal/holdfast", "internal/query"}, Why: "rules know no SQL, transport, vault or Microsoft; they define the interfaces that they need"},
	{Path: "internal/store", May: []string{"internal/holdfast"}, Why: "the store keeps rows; the rules are service's"},
	{Path: "internal/queue", May: []string{"internal/holdfast"}, Why: "the queue does not know what a task does"},
	{Path: "internal/proxy", May: []string{"internal/engine", "internal/vault", "internal/explorer", "internal/export", "internal/preview", "internal/holdfast", "internal/rpc/pb"}, Why: "a proxy works for any server: no REST, SQL or service in it"},
	{Path: "internal/rest", May: []string{"internal/service", "internal/holdfast", "api"}, Why: "REST is a thin skin over service: no SQL, vault or Microsoft in it"},
	{Path: "internal/rpc", May: []string{"internal/service", "internal/holdfast"}, Why: "gRPC is a thin skin over service"},
	{Path: "internal/sim", May: nil, Why: "the simulated tenant is a judge: it shares nothing with what it judges"},
	{Path: "api", Bare: true, Why: "the API's description knows nothing of how it is done"},
	{Path: "web", Bare: true, Why: "the front end speaks REST only"},
}

// Library is a dependency that only some rooms may use. The longest path that matches an import decides.
type Library struct {
	Path string
	May  []string
	Why  string
}

// Libraries lists the dependencies that would carry a room's subject into another one.
var Libraries = []Library{
	{Path: "github.com/kopia/kopia", May: []string{"internal/vault"}, Why: "the vault is the only user of kopia"},
	{Path: "github.com/uptrace/bun", May: []string{"internal/store"}, Why: "SQL lives in the store"},
	{Path: "github.com/pressly/goose", May: []string{"internal/store"}, Why: "migrations live in the store"},
	{Path: "modernc.org/sqlite", May: []string{"internal/store", "internal/search"}, Why: "SQL lives in the store, and in the search index"},
	{Path: "github.com/jackc/pgx", May: []string{"internal/store"}, Why: "SQL lives in the store"},
	{Path: "database/sql", May: []string{"internal/store", "internal/search"}, Why: "SQL lives in the store, and in the search index"},
	{Path: "github.com/Azure", May: []string{"internal/m365"}, Why: "tokens are the clients' matter"},
	{Path: "github.com/coreos/go-oidc", May: []string{"internal/m365"}, Why: "tokens are the clients' matter"},
	{Path: "github.com/AzureAD", May: []string{"internal/m365"}, Why: "tokens are the clients' matter"},
	{Path: "github.com/emersion/go-message/charset", Why: "its init makes every reader of messages in the program decode charsets: restored mail would be decoded twice"},
	{Path: "github.com/emersion/go-smtp", May: []string{"internal/mail"}, Why: "SMTP is spoken in one place, which checks certificates and bounds memory"},
	{Path: "github.com/spf13/cobra", May: []string{"cmd/holdfast", "internal/app"}, Why: "the command line lives in cmd"},
}

// Broken is an import that the map forbids.
type Broken struct{ File, Import, Why string }

func (b Broken) String() string { return fmt.Sprintf("%s imports %s: %s", b.File, b.Import, b.Why) }

// Check reads all Go files of tree except tests, and returns the forbidden imports in order of file.
func Check(tree fs.FS) ([]Broken, error) {
	var broken []Broken
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base == "node_modules" || name != "." && strings.HasPrefix(base, ".") {
				return fs.SkipDir
			}
			if name != "." {
				if _, err := fs.Stat(tree, path.Join(name, "go.mod")); err == nil {
					return fs.SkipDir // a module of its own
				}
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("parse %s: %w", name, err)
			}
			if why := forbidden(path.Dir(name), imported); why != "" {
				broken = append(broken, Broken{File: name, Import: imported, Why: why})
			}
		}
		return nil
	})
	sort.Slice(broken, func(i, j int) bool { return broken[i].String() < broken[j].String() })
	return broken, err
}

// forbidden says why a file of folder may not import imported, or is empty.
func forbidden(folder, imported string) string {
	room, ok := roomOf(folder)
	if !ok {
		if folder == "." || !strings.HasPrefix(folder, "internal") {
			return "" // scripts and tools beside the rooms
		}
		return folder + " is in no room: add it to the table with its reason"
	}
	var library *Library
	for i, l := range Libraries {
		if below(imported, l.Path) && (library == nil || len(l.Path) > len(library.Path)) {
			library = &Libraries[i]
		}
	}
	if library != nil {
		for _, may := range library.May {
			if below(folder, may) {
				return ""
			}
		}
		return library.Why
	}
	if !below(imported, Module) {
		if room.Bare && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
			return room.Why
		}
		return ""
	}
	target := strings.TrimPrefix(strings.TrimPrefix(imported, Module), "/")
	if below(target, room.Path) || target == "internal/sys" && !room.Bare {
		return ""
	}
	for _, may := range room.May {
		if may == "*" || below(target, may) {
			return ""
		}
	}
	return room.Why
}

// roomOf is the deepest room that folder is in.
func roomOf(folder string) (Room, bool) {
	var found Room
	for _, r := range Rooms {
		if below(folder, r.Path) && len(r.Path) > len(found.Path) {
			found = r
		}
	}
	return found, found.Path != ""
}

func below(p, top string) bool { return p == top || strings.HasPrefix(p, top+"/") }
