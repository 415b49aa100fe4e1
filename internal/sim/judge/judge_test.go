package judge_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"holdfast/internal/sim/judge"
)

// full loads Microsoft's own files where they lie beside the project; elsewhere the reduced table judges alone.
func full(t *testing.T) *judge.Table {
	t.Helper()
	dir := os.Getenv("HOLDFAST_GRAPH_METADATA")
	if dir == "" {
		dir = "../../../../shared/data/graph"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Logf("the full metadata is not at hand (%v): judging by the reduced table only", err)
		return nil
	}
	table, err := judge.FromFolder(dir, "v1.0-Prod.csdl")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestReducedTableIsWhatTheFullFilesReduceTo(t *testing.T) {
	all := full(t)
	if all == nil {
		if n := len(judge.Reduced().Types); n < 100 {
			t.Fatalf("the embedded table has only %d types", n)
		}
		return
	}
	reduced, err := all.Reduce()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := reduced.Write(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("table.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatal("table.json is not what the metadata reduces to: run go generate ./internal/sim/judge")
	}
	for name := range reduced.Types {
		if all.Types[name] == nil {
			t.Errorf("type %s is not in the full metadata", name)
		}
	}
}

func TestTableKeepsMicrosoftsNotice(t *testing.T) {
	if !strings.Contains(judge.Reduced().Notice, "MIT License") || !strings.Contains(judge.Reduced().Notice, "Copyright (c) Microsoft Corporation") {
		t.Fatalf("notice lost: %q", judge.Reduced().Notice)
	}
}

func tables(t *testing.T) map[string]*judge.Table {
	out := map[string]*judge.Table{"reduced": judge.Reduced()}
	if all := full(t); all != nil {
		out["full"] = all
	}
	return out
}

func TestEveryWrongAnswerIsNamed(t *testing.T) {
	const drive = "/v1.0/drives/b!x"
	cases := map[string]struct {
		method, path string
		status       int
		body         string
		want         string // part of the only problem; empty: none
	}{
		"good item":             {"GET", drive + "/items/01A", 200, `{"@odata.context":"c","id":"1","name":"a","size":5,"file":{"mimeType":"x","hashes":{"quickXorHash":"aa="}},"parentReference":{"driveId":"d","id":"2"},"@microsoft.graph.downloadUrl":"https://x"}`, ""},
		"unknown property":      {"GET", drive + "/items/01A", 200, `{"id":"1","colour":"red"}`, `driveItem has no property "colour"`},
		"unknown nested":        {"GET", drive + "/items/01A", 200, `{"id":"1","file":{"mime":"x"}}`, `file has no property "mime"`},
		"open type is closed":   {"GET", drive + "/items/01A", 200, `{"id":"1","createdBy":{"robot":{"id":"1"}}}`, `identitySet has no property "robot"`},
		"wrong kind":            {"GET", drive + "/items/01A", 200, `{"id":"1","size":"5"}`, "Edm.Int64: not a number"},
		"wrong time":            {"GET", drive + "/items/01A", 200, `{"id":"1","createdDateTime":"2026-01-01"}`, "not a UTC time"},
		"null where forbidden":  {"GET", drive + "/items/01A", 200, `{"id":"1","createdDateTime":null}`, "createdDateTime may not be null"},
		"wrong case":            {"GET", drive + "/items/01A", 200, `{"id":"1","etag":"x"}`, `no property "etag"`},
		"unknown annotation":    {"GET", drive + "/items/01A", 200, `{"id":"1","@odata.tag":"x"}`, `unknown annotation "@odata.tag"`},
		"stream in a body":      {"GET", drive + "/items/01A", 200, `{"id":"1","content":"x"}`, "a stream stands in a body"},
		"unknown action":        {"POST", drive + "/items/01A/teleport", 200, `{}`, `no property, navigation or operation "teleport"`},
		"unknown set":           {"GET", "/v1.0/robots", 200, `{"value":[]}`, `no entity set or singleton is named "robots"`},
		"children":              {"GET", drive + "/root/children", 200, `{"value":[{"id":"1"},{"id":"2","folder":{"childCount":3}}]}`, ""},
		"children by path":      {"GET", drive + "/root:/a%20b/c:/children", 200, `{"value":[{"id":"1"}]}`, ""},
		"item by path":          {"GET", drive + "/items/01A:/x/y", 200, `{"id":"1"}`, ""},
		"row of a page":         {"GET", drive + "/root/children", 200, `{"value":[{"id":"1","kind":"file"}]}`, `no property "kind"`},
		"page without value":    {"GET", drive + "/root/children", 200, `{"items":[]}`, "unknown property"},
		"delta":                 {"GET", drive + "/root/delta?token=latest", 200, `{"value":[{"id":"1","deleted":{"state":"deleted"}}],"@odata.deltaLink":"x"}`, ""},
		"delta without link":    {"GET", drive + "/root/delta", 200, `{"value":[]}`, "exactly one"},
		"both links":            {"GET", drive + "/root/children", 200, `{"value":[],"@odata.nextLink":"x","@odata.deltaLink":"y"}`, "both nextLink and deltaLink"},
		"content":               {"GET", drive + "/items/01A/content", 302, ``, ""},
		"put content":           {"PUT", drive + "/items/01A:/n.txt:/content", 201, `{"id":"1","name":"n.txt"}`, ""},
		"put wrong answer":      {"PUT", drive + "/items/01A:/n.txt:/content", 201, `{"id":"1","title":"n.txt"}`, `no property "title"`},
		"upload session":        {"POST", drive + "/items/01A:/n:/createUploadSession", 200, `{"uploadUrl":"u","expirationDateTime":"2026-01-01T00:00:00Z","nextExpectedRanges":["0-"]}`, ""},
		"not selected":          {"GET", drive + "/root/children?$select=name", 200, `{"value":[{"id":"1","name":"a","size":1}]}`, `"size" was not selected`},
		"error":                 {"GET", drive + "/items/0", 404, `{"error":{"code":"itemNotFound","message":"x","innerError":{"date":"2026-01-01T00:00:00","request-id":"a","client-request-id":"a"}}}`, ""},
		"error without code":    {"GET", drive + "/items/0", 404, `{"error":{"message":"x"}}`, "no code"},
		"not an error":          {"GET", drive + "/items/0", 404, `{"message":"x"}`, "an error is not"},
		"enum":                  {"GET", "/v1.0/users/u/messages/m", 200, `{"id":"1","importance":"urgent"}`, `importance has no member "urgent"`},
		"good message":          {"GET", "/v1.0/users/u/messages/m", 200, `{"@odata.etag":"W/\"x\"","id":"1","importance":"high","body":{"contentType":"html","content":""},"from":{"emailAddress":{"name":"a","address":"b"}}}`, ""},
		"type":                  {"GET", "/v1.0/users/u/messages/m/attachments", 200, `{"value":[{"@odata.type":"#microsoft.graph.fileAttachment","id":"1","contentBytes":"AAEC"}]}`, ""},
		"unknown type":          {"GET", "/v1.0/users/u/messages/m/attachments", 200, `{"value":[{"@odata.type":"#microsoft.graph.zipAttachment"}]}`, "unknown type"},
		"type of another tree":  {"GET", "/v1.0/users/u/messages/m/attachments", 200, `{"value":[{"@odata.type":"#microsoft.graph.user"}]}`, "user is not a attachment"},
		"derived property":      {"GET", "/v1.0/users/u/messages/m/attachments", 200, `{"value":[{"id":"1","contentBytes":"AAEC"}]}`, `attachment has no property "contentBytes"`},
		"SharePoint's spelling": {"GET", "/_api/v2.0/drives/d/items/01A", 200, `{"id":"1","@content.downloadUrl":"x"}`, ""},
		"not JSON":              {"GET", drive, 200, `<html>`, "not JSON"},
	}
	for which, table := range tables(t) {
		for name, tc := range cases {
			t.Run(which+"/"+name, func(t *testing.T) {
				got := table.Response(tc.method, tc.path, tc.status, []byte(tc.body))
				if tc.want == "" {
					if len(got) != 0 {
						t.Fatalf("a good answer was refused: %q", got)
					}
					return
				}
				if len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), tc.want) {
					t.Fatalf("got %q, want a problem with %q", got, tc.want)
				}
			})
		}
	}
}

func TestPermissionNamesWhatIsMissing(t *testing.T) {
	cases := map[string]struct {
		method, path string
		roles        []string
		ok           bool
	}{
		"read delta":              {"GET", "/v1.0/drives/b!a/root/delta", []string{"Files.Read.All"}, true},
		"delta through items":     {"GET", "/drives/b!a/items/root/delta", []string{"Files.Read.All"}, true},
		"delta without":           {"GET", "/drives/b!a/root/delta", []string{"Mail.Read"}, false},
		"root":                    {"GET", "/drives/b!a/root", []string{"Files.Read.All"}, true},
		"upload needs sites":      {"POST", "/drives/b!a/items/01A:/x.txt:/createUploadSession", []string{"Sites.ReadWrite.All"}, true},
		"upload with files only":  {"POST", "/drives/b!a/items/01A:/x.txt:/createUploadSession", []string{"Files.Read.All"}, false},
		"put":                     {"PUT", "/drives/b!a/root:/a/b.txt:/content", []string{"Files.ReadWrite.All"}, true},
		"read cannot write":       {"PUT", "/drives/b!a/root:/a/b.txt:/content", []string{"Files.Read.All"}, false},
		"version content":         {"GET", "/drives/b!a/items/01A/versions/1.0/content", []string{"Files.Read.All"}, true},
		"invite":                  {"POST", "/drives/b!a/items/01A/invite", []string{"Files.ReadWrite.All"}, true},
		"message MIME":            {"GET", "/users/u/messages/m/$value", []string{"Mail.Read"}, true},
		"message basic is not":    {"GET", "/users/u/messages/m/$value", []string{"User.Read.All"}, false},
		"message delta in folder": {"GET", "/users/u/mailFolders/f/messages/delta", []string{"Mail.ReadBasic.All"}, true},
		"deep folder":             {"GET", "/users/u/mailFolders/f/childFolders/g/messages", []string{"Mail.Read"}, true},
		"no such row":             {"POST", "/users/u/teleport", []string{"User.ReadWrite.All"}, false},
	}
	for which, table := range tables(t) {
		for name, tc := range cases {
			t.Run(which+"/"+name, func(t *testing.T) {
				err := table.Permission(tc.method, tc.path, tc.roles)
				if (err == nil) != tc.ok {
					t.Fatalf("got %v, want ok=%v (granting: %v)", err, tc.ok, table.Granting(tc.method, tc.path))
				}
			})
		}
	}
}
