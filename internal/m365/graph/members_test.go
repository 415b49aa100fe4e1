package graph

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestWithoutDropsOnlyWhatIsNamed(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                             `{}`,
		`{"body":{"content":"a\"}]"}}`:   `{}`,
		` { "a" : 1 , "body" : "x" } `:   `{"a":1}`,
		`{"a":[{"body":1},"},"],"b":{}}`: `{"a":[{"body":1},"},"],"b":{}}`,
		`{"body":null,"z":"\\"}`:         `{"z":"\\"}`,
	} {
		got, err := Without([]byte(in), "body")
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{``, `[]`, `{"a"}`, `{"a":}`, `{"a":"`, `{"a":1 "b":2}`, `{a:1}`} {
		if got, err := Without([]byte(in), "body"); err == nil {
			t.Errorf("%s was taken for %s", in, got)
		}
	}
}

func TestWithChangesOnlyWhatIsNamed(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"list":[{"x":"]"}],"b":{"list":2}}`: `{"a":1,"list":[],"b":{"list":2}}`,
		` { "list" : null } `:                       `{"list":[]}`,
		`{"a":1}`:                                   `{"a":1}`,
	} {
		if got, err := With([]byte(in), "list", []byte("[]")); err != nil || string(got) != want {
			t.Errorf("%s: got %s (%v), want %s", in, got, err, want)
		}
	}
}

func FuzzWithout(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"body":"x"}],"body":{"c":"\""},"d":null}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Without(in, "body")
		var want map[string]json.RawMessage
		if json.Unmarshal(in, &want) != nil || want == nil {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		for name := range want {
			// Names with escapes and repeated names do not come from Graph.
			if len(name) == 0 || string(mustJSON(name)) != `"`+name+`"` {
				return
			}
		}
		delete(want, "body")
		var have map[string]json.RawMessage
		if err := json.Unmarshal(got, &have); err != nil {
			t.Fatalf("%s became %s: %v", in, got, err)
		}
		if len(want) != len(have) {
			t.Fatalf("%s became %s", in, got)
		}
		for name := range want {
			var a, b any
			if json.Unmarshal(want[name], &a) != nil || json.Unmarshal(have[name], &b) != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("%s became %s", in, got)
			}
		}
	})
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a string always encodes
	}
	return b
}
