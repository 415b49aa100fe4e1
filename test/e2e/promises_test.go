package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Everything that the oracle tells of an object is held against docs/fidelity.md, property by property: what a row calls equal must be so, what it calls lost
// must not come back all the same, and what has no row fails.

// sections are the tables of docs/fidelity.md: section -> property -> what becomes of it.
func sections(t testing.TB) map[string]map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "fidelity.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, title := map[string]map[string]string{}, ""
	for line := range strings.Lines(string(raw)) {
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			title = s
			out[title] = map[string]string{}
		}
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		if property := strings.TrimSpace(cells[1]); property != "property" && strings.Trim(property, "- ") != "" {
			out[title][property] = strings.TrimSpace(cells[2])
		}
	}
	return out
}

// row is the row of a section that a property of the oracle belongs to: the one that is called so, or the only one whose name has it as a word.
func row(section map[string]string, name string) (property, after string, ok bool) {
	if after, ok := section[name]; ok {
		return name, after, true
	}
	for property, after := range section {
		words := strings.FieldsFunc(property, func(r rune) bool { return strings.ContainsRune(" ,():", r) })
		if slices.Contains(words, name) {
			return property, after, true
		}
	}
	return "", "", false
}

// promise is what docs/fidelity.md says of a property.
type promise int

const (
	noPromise promise = iota // the service decides
	equal
	lost
)

// kind says how one kind of the oracle's rows is held against docs/fidelity.md.
type kind struct {
	section string
	rows    map[string]string // property of the oracle -> row of the table, where it is called otherwise
	needs   []string          // properties that some row must have, beside those of sample
	known   []string          // properties that no row of the test's organization has
	key     []string          // tells rows apart before and after, by what comes back equal
	sample  any               // the oracle's type: each of its fields needs a row, whether the data have it or not
	ignore  []string          // fields that are no properties: what a dump is sorted by, or told of by other kinds
}

// promiseOf says what docs/fidelity.md promises of a property of a row.
func (k kind) promiseOf(t testing.TB, all map[string]map[string]string, name string) (promise, string) {
	t.Helper()
	section := all[k.section]
	if section == nil {
		t.Fatalf("docs/fidelity.md has no section %q", k.section)
	}
	called := name
	if r, ok := k.rows[name]; ok {
		called = r
	}
	if at, r, ok := strings.Cut(called, "|"); ok { // of another section
		section, called = all[at], r
	}
	property, after, ok := row(section, called)
	switch {
	case !ok:
		t.Errorf("docs/fidelity.md, %q, has no row for %q (%q)", k.section, name, called)
		return noPromise, called
	case strings.HasPrefix(after, "equal"), strings.HasPrefix(after, "made again"):
		return equal, property
	case strings.HasPrefix(after, "lost"):
		return lost, property
	}
	return noPromise, property
}

// asRow is anything of the oracle as its properties, without those that are empty.
func asRow(t testing.TB, v any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(out, func(_ string, v any) bool { return empty(v) })
	return out
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == "" || v == "0001-01-01T00:00:00Z"
	case bool:
		return !v
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// things are rows of the oracle by kind.
type things map[string][]map[string]any

func (x things) add(t testing.TB, kind string, v any) map[string]any {
	t.Helper()
	r := asRow(t, v)
	x[kind] = append(x[kind], r)
	return r
}

// holds demands of two states what docs/fidelity.md promises of what was restored from the first. whole says that the data must have every property, so that
// nothing is compared that is not there.
func holds(t testing.TB, what string, kinds map[string]kind, before, after things, whole bool) {
	t.Helper()
	all := sections(t)
	for name := range before {
		if _, ok := kinds[name]; !ok {
			t.Errorf("%s: nothing is said of rows of kind %q", what, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[name]
		promises := map[string]promise{}
		rowOf := map[string]string{}
		property := func(p string) {
			if _, ok := promises[p]; !ok && !slices.Contains(k.ignore, p) {
				promises[p], rowOf[p] = k.promiseOf(t, all, p)
			}
		}
		for _, rows := range [][]map[string]any{before[name], after[name]} {
			for _, r := range rows {
				for p := range r {
					property(p)
				}
			}
		}
		if k.sample != nil {
			for f := range fieldsOf(k.sample) {
				property(f)
			}
		}
		if whole {
			has := map[string]bool{}
			for _, r := range before[name] {
				for p := range r {
					has[p] = true
				}
			}
			for _, p := range k.needs {
				property(p)
			}
			for p := range promises {
				if !has[p] && !slices.Contains(k.known, p) {
					t.Errorf("%s: no %s of the organization has %q: nothing would be compared", what, name, p)
				}
			}
			for _, p := range k.known {
				if has[p] {
					t.Errorf("%s: some %s has %q, though it is listed as absent", what, name, p)
				}
			}
		}
		promised := func(rows []map[string]any) map[string]int {
			out := map[string]int{}
			for _, r := range rows {
				kept := map[string]any{}
				for p, v := range r {
					if promises[p] == equal && !slices.Contains(k.ignore, p) {
						kept[p] = v
					}
				}
				text, err := json.Marshal(kept)
				if err != nil {
					t.Fatal(err)
				}
				out[name+" "+string(text)]++
			}
			return out
		}
		got, want := promised(after[name]), promised(before[name])
		if !maps.Equal(got, want) && !k.tell(t, what+": "+name, before[name], after[name], promises) {
			sameOf(t, what+": "+name, got, want)
		}
		k.lostIsLost(t, what+": "+name, before[name], after[name], promises, rowOf)
	}
}

// tell says in which properties the rows differ that are there before and after. It says whether it found one.
func (k kind) tell(t testing.TB, what string, before, after []map[string]any, promises map[string]promise) bool {
	t.Helper()
	was, is := k.byKey(before), k.byKey(after)
	told := 0
	for _, key := range slices.Sorted(maps.Keys(was)) {
		a, b := was[key], is[key]
		if _, there := is[key]; !there && len(k.key) > 0 {
			if told++; told < 8 {
				t.Errorf("%s: not there: %s", what, strings.ReplaceAll(key, "\n", " "))
			}
			continue
		}
		if a == nil || b == nil {
			continue
		}
		for p, promised := range promises {
			if promised == equal && !reflect.DeepEqual(a[p], b[p]) {
				if told++; told < 8 {
					t.Errorf("%s: %s has %q\n%.200v\nwant\n%.200v", what, strings.ReplaceAll(key, "\n", " "), p, b[p], a[p])
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if _, there := was[key]; !there && len(k.key) > 0 {
			if told++; told < 16 {
				t.Errorf("%s: there is more: %s", what, strings.ReplaceAll(key, "\n", " "))
			}
		}
	}
	return told > 0
}

// byKey are rows by their key; nil stands for twins, of which nobody knows which is which.
func (k kind) byKey(rows []map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, r := range rows {
		key := ""
		for _, p := range k.key {
			key += fmt.Sprint(r[p]) + "\n"
		}
		if _, twin := out[key]; twin {
			r = nil
		}
		out[key] = r
	}
	return out
}

// lostIsLost demands that what a row calls lost does not come back equal in everything that has it.
func (k kind) lostIsLost(t testing.TB, what string, before, after []map[string]any, promises map[string]promise, rowOf map[string]string) {
	t.Helper()
	if len(k.key) == 0 {
		return
	}
	was, is := k.byKey(before), k.byKey(after)
	// A table's row is of several properties: one of them that differs is enough.
	pairs, same := map[string]int{}, map[string]int{}
	for p, promised := range promises {
		if promised != lost {
			continue
		}
		for key, a := range was {
			b := is[key]
			if a == nil || b == nil || empty(a[p]) || a[p] == "unknown" { // the word by which Graph says that there is none, as of onlineMeetingProvider
				continue
			}
			pairs[rowOf[p]]++
			if reflect.DeepEqual(a[p], b[p]) {
				same[rowOf[p]]++
			}
		}
	}
	for _, r := range slices.Sorted(maps.Keys(pairs)) {
		if pairs[r] > 0 && pairs[r] == same[r] {
			t.Errorf("%s: docs/fidelity.md, %q, calls %q lost, and all %d that have it came back with it", what, k.section, r, pairs[r])
		}
	}
}

// fieldsOf are the names that a type has in JSON.
func fieldsOf(v any) map[string]bool {
	out := map[string]bool{}
	for f := range reflect.TypeOf(v).Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		out[name] = true
	}
	return out
}
