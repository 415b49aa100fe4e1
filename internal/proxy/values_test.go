package proxy_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/export"
	"holdfast/internal/holdfast"
)

// A ZIP of a library or a list says what its files and items have in the columns, as CSV that no spreadsheet takes for formulas and as JSON that is exact.
func TestAZipHasTheValuesOfListsAndLibraries(t *testing.T) {
	e, view := stored(t, holdfast.Site, func(put put) {
		aSite(put)
		put(holdfast.Item{ID: "lib", Parent: "site", Kind: holdfast.KindFolder, Version: "1", Name: "Contracts", Fields: map[string]string{holdfast.FieldSpecial: "library", "list": "C"}},
			whole(holdfast.FormJSON, `{"columns":[{"name":"Cost","displayName":"=Cost","number":{}},{"name":"Note","displayName":"Note","text":{}}]}`))
		put(holdfast.Item{ID: "in", Parent: "lib", Kind: holdfast.KindFolder, Version: "1", Name: "2026"})
		for id, in := range map[string]string{"v": "lib", "c": "in"} {
			put(holdfast.Item{ID: id, Parent: in, Kind: holdfast.KindFile, Version: "2", Name: map[string]string{"v": "values.csv", "c": "c.txt"}[id], Size: 5}, whole(holdfast.FormFile, "hello"),
				whole(holdfast.FormColumns, `{"contentType":"Contract","fields":{"Cost":-12.5,"Note":"@SUM(A1)\nmore"}}`))
		}
		put(holdfast.Item{ID: "bare", Parent: "lib", Kind: holdfast.KindFile, Version: "2", Name: "bare.txt", Size: 5}, whole(holdfast.FormFile, "hello"))
	})
	saved := func(ids ...string) map[string]string {
		t.Helper()
		o, err := e.At(t.Context(), view)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		var b bytes.Buffer
		if err := export.Zip(t.Context(), o, ids, time.Unix(0, 0), &b); err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out[f.Name] = string(raw)
		}
		return out
	}
	rows := func(text string) (out []string) {
		t.Helper()
		all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range all {
			out = append(out, strings.Join(row, "|"))
		}
		slices.Sort(out[1:])
		return out
	}
	whole := saved()
	// A file of the library that is called so keeps its name.
	if got, want := rows(whole["Falcon/Contracts/values (2).csv"]), []string{"File|'=Cost|Note|Content type", "2026/c.txt|-12.5|'@SUM(A1)\nmore|Contract", "bare.txt|||", "values.csv|-12.5|'@SUM(A1)\nmore|Contract"}; !slices.Equal(got, want) {
		t.Errorf("the library's values are %q, want %q", got, want)
	}
	if got, want := rows(whole["Falcon/Incidents/values.csv"]), []string{`File|Title|Who "does" it|Of`, "'=cmd%7Cx.json|'=cmd|x|Ada|second", "second.json|second|#99|"}; !slices.Equal(got, want) {
		t.Errorf("the list's values are %q, want %q", got, want)
	}
	var exact struct {
		Columns []holdfast.ListColumn
		Items   []struct {
			File, ID string
			Values   map[string]string
		}
	}
	if err := json.Unmarshal([]byte(whole["Falcon/Incidents/values.json"]), &exact); err != nil {
		t.Fatal(err)
	}
	if len(exact.Columns) != 3 || len(exact.Items) != 2 {
		t.Fatalf("the exact values are %+v", exact)
	}
	n := slices.IndexFunc(exact.Items, func(i struct {
		File, ID string
		Values   map[string]string
	}) bool {
		return i.ID == "L.1"
	})
	if want := map[string]string{"Title": "=cmd|x", "Who": "Ada", "Of": "second"}; !reflect.DeepEqual(exact.Items[n].Values, want) {
		t.Errorf("the exact values are %v, want %v", exact.Items[n].Values, want)
	}
	var manifest export.Manifest
	if err := json.Unmarshal([]byte(whole[export.ManifestName]), &manifest); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"Falcon/Incidents/values.csv", "Falcon/Incidents/values.json"} {
		if !slices.ContainsFunc(manifest.Files, func(f export.Exported) bool { return f.Path == path && f.SHA256 != "" }) {
			t.Errorf("the manifest has no %s", path)
		}
	}
	// What is chosen of a library comes with its values, too; a page, and a file in no library, have none.
	some := saved("c", "in", "page.1", "f")
	if got, want := rows(some["Contracts values.csv"]), []string{"File|'=Cost|Note|Content type", "c.txt|-12.5|'@SUM(A1)\nmore|Contract"}; !slices.Equal(got[:1], want[:1]) || !slices.Contains(got, want[1]) {
		t.Errorf("the values of what was chosen are %q, want %q", got, want)
	}
	for path := range some {
		if strings.Contains(path, "values") && !strings.HasPrefix(path, "Contracts values.") {
			t.Errorf("there is %s", path)
		}
	}
}
