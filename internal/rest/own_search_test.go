package rest_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
)

// searchExport takes out what a search finds; the finder finds the question itself, so a question is a hostile subject.
func searchExport(w *world) {
	const export = "/holdfast/v1/Search/Export"
	for subject, want := range map[string]string{
		"Note": "Note", "=HYPERLINK(\"http://evil\",\"x\")": "'=HYPERLINK(\"http://evil\",\"x\")", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", " =1": "' =1",
		"＝1": "'＝1", "a=1": "a=1", "line\nbreak, \"quoted\"": "line\nbreak, \"quoted\"", "Grüße": "Grüße", "": "",
	} {
		got := w.call("POST", export, map[string]any{"query": subject, "kinds": []string{"mail"}}).want(200)
		text, marked := strings.CutPrefix(string(got.body), "\ufeff")
		if n := got.header.Get("Holdfast-Not-Indexed"); n != "1" {
			w.t.Errorf("%q: %q mailboxes are not indexed yet", subject, n)
		}
		if d := got.header.Get("Content-Disposition"); !marked || !strings.Contains(d, "search.csv") {
			w.t.Errorf("%q: marked %v, %q", subject, marked, d)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) < 2 || rows[0][2] != "name" {
			w.t.Fatalf("%q gives %q, %v", subject, got.body, err)
		}
		for _, row := range rows[1:] {
			if row[0] != "mail" || row[2] != want || row[16] != "item" {
				w.t.Errorf("%q gives the row %q", subject, row)
			}
		}
		got = w.call("POST", export, map[string]any{"query": subject, "format": "jsonl"}).want(200)
		for line := range strings.SplitSeq(strings.TrimSpace(string(got.body)), "\n") {
			var hit struct{ ID, Kind, Name string }
			if err := json.Unmarshal([]byte(line), &hit); err != nil || hit.Name != subject || hit.ID != "item" {
				w.t.Errorf("%q gives %q, %v", subject, line, err)
			}
		}
	}
	w.call("POST", export, map[string]any{"query": "x", "format": "xlsx"}).says(400, "csv or jsonl")
	w.call("POST", export, map[string]any{"query": "x", "sort": "size"}).says(400, "sort must be")
	w.call("POST", export, map[string]any{"query": "x", "kinds": []string{"chat"}}).says(400, "kinds may be")
	audited := w.call("GET", "/holdfast/v1/Audit?limit=200", nil).want(200)
	if !strings.Contains(string(audited.body), "search.export") {
		w.t.Errorf("the audit chain has no export: %s", audited.body)
	}
}
