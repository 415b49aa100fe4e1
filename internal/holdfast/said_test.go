package holdfast_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
)

var update = flag.Bool("update", false, "write the front end's list of sentences anew")

// frontEnd is the list by which the compiler of the front end demands each sentence in every language.
const frontEnd = "../../web/src/ui/said/codes.ts"

func TestEverySentenceIsKnownToTheFrontEnd(t *testing.T) {
	all := holdfast.Sentences()
	var b strings.Builder
	b.WriteString("// Made by \"go test ./internal/holdfast -run Sentence -update\" from internal/holdfast/said_sentences.go; never edited.\n\n")
	b.WriteString("// Places are the sentences that the server says, with the names of the values in each.\nexport interface Places {\n")
	for _, code := range slices.Sorted(maps.Keys(all)) {
		names := make([]string, len(all[code]))
		for i, name := range all[code] {
			names[i] = fmt.Sprintf("%q", name)
		}
		fmt.Fprintf(&b, "  %q: %s;\n", string(code), cmpOr(strings.Join(names, " | "), "never"))
	}
	b.WriteString("}\n")
	if *update {
		if err := os.WriteFile(frontEnd, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(frontEnd)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s does not have the server's sentences: run this test with -update, and give the new ones their German text in web/src/ui/said", frontEnd)
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// valuesOf are values of each kind of place, such that they could be taken for the words around them.
var valuesOf = map[string][]any{
	"n": {7}, "m": {12}, "k": {0}, "kind": {"mailbox", "chat list"}, "address": {"ada@contoso.example", ""}, "skip": {"too large"},
	"service": {"OneDrive"}, "application": {"11111111-2222-4333-8444-555555555555"}, "title": {`"Board, \"all\""`}, "mode": {"", "keep both"}, "scope": {"SelectedItems"}, "days": {"Everyday", "Wednesday"}, "domain": {"contoso.example"}, "clock": {"22:00:00"},
	"every": {"4h0m0s"}, "schedule": {"every 4h0m0s", "not scheduled"}, "role": {"Auditor"}, "acts": {"read restore", ""}, "client": {"", "1"}, "url": {"", "https://a.example"}, "token": {"refresh"}, "period": {"3 years"}, "earlier": {"for ever"},
	"what": {"1 item of mailbox of ada@contoso.example", "drive of ada@contoso.example"}, "session": {"OneDrive of organization contoso.example"}, "reason": {"", "a, b: c"},
	"container": {"site of https://contoso.example/sites/a"}, "why": {"denied: GET /users: 403 Forbidden: no; really: no", "stopped by Ada"}, "more": {`"b": gone: x`},
}

// Whatever a sentence is made with, it is understood as itself, and putting the values back gives the very text.
func TestWhatIsSaidIsUnderstood(t *testing.T) {
	for code, places := range holdfast.Sentences() {
		for pick := range 2 {
			values := make([]any, len(places))
			for i, place := range places {
				of, ok := valuesOf[place]
				if !ok {
					of = []any{"x " + place, `a "b" %s {n}: c`}
				}
				values[i] = of[pick%len(of)]
			}
			text := code.With(values...)
			said := holdfast.Understand(text)
			if said.Code != code {
				t.Errorf("%q is understood as %q, not as %q", text, said.Code, code)
				continue
			}
			if back := again(said, places); back != text {
				t.Errorf("%s: %q came back as %q", code, text, back)
			}
		}
	}
}

func again(s holdfast.Said, places []string) string {
	values := make([]any, len(places))
	for i, place := range places {
		if part, ok := s.Within[place]; ok {
			values[i] = part.Text
		} else {
			values[i] = s.With[place]
		}
	}
	return s.Code.With(values...)
}

func TestSentencesInSentencesAreUnderstood(t *testing.T) {
	object := holdfast.Container{Kind: holdfast.Mailbox, Address: "ada@contoso.example"}
	reason := (&holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: fmt.Errorf("%s", holdfast.SayNoMailbox.With())}).Error()
	got := holdfast.Understand(holdfast.SayAgain.With(holdfast.SayFinishedWarning.With(holdfast.SaySomeLeft.With(1, 3, holdfast.SayOf.With(object, reason))), "2026-01-02T03:04:05Z"))
	want := []holdfast.Sentence{holdfast.SayAgain, holdfast.SayFinishedWarning, holdfast.SaySomeLeft, holdfast.SayOf, holdfast.SaySkip, holdfast.SayNoMailbox}
	var codes []holdfast.Sentence
	for at := got; ; at = at.Within["why"] {
		codes = append(codes, at.Code)
		if at.Code == holdfast.SayOf && at.Within["container"].Code != holdfast.SayObject {
			t.Errorf("the object is %v", at.Within["container"])
		}
		if _, ok := at.Within["why"]; !ok {
			break
		}
	}
	if !reflect.DeepEqual(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
}

// A kind of containers that this list lacks would be told in English.
func TestObjectsOfEveryKindAreUnderstood(t *testing.T) {
	for _, kind := range []holdfast.ContainerKind{holdfast.Mailbox, holdfast.Drive, holdfast.Site, holdfast.Team, holdfast.Chat, holdfast.ChatList} {
		text := holdfast.Container{Kind: kind, Address: "Ada, Bo and 2 others"}.String()
		if got := holdfast.Understand(text); got.Code != holdfast.SayObject || got.With["kind"] != string(kind) {
			t.Errorf("%q is understood as %+v", text, got)
		}
	}
}

func TestFreeTextIsLeftAsItIs(t *testing.T) {
	for _, text := range []string{"", "GET /users: 503 serviceNotAvailable", "disk full", "Job", "ß", "Job started by ", ": ", "\xff"} {
		if got := holdfast.Understand(text); got.Code != "" || got.Text != text {
			t.Errorf("%q is understood as %+v", text, got)
		}
	}
}

// A line of the log begins with a capital, the same words in an answer do not.
func TestACapitalAtTheBeginningChangesNothing(t *testing.T) {
	text := holdfast.SayGroupUnknown.With("Sales")
	got := holdfast.Understand(strings.ToUpper(text[:1]) + text[1:])
	if got.Code != holdfast.SayGroupUnknown || got.With["name"] != "Sales" {
		t.Errorf("got %+v", got)
	}
}

// Text from outside can be made of the server's own words a thousand times over: it costs little and ends.
func FuzzUnderstand(f *testing.F) {
	f.Add("Job failed: none of 3 objects could be brought up to date; mailbox of a: not updated: gone: x")
	f.Add(strings.Repeat(`"a": gone: `, 200))
	f.Add(strings.Repeat("Job failed: ", 200))
	f.Fuzz(func(t *testing.T, text string) {
		s := holdfast.Understand(text)
		if s.Text != text {
			t.Fatalf("the text became %q", s.Text)
		}
		if s.Code != "" && !strings.EqualFold(again(s, holdfast.Sentences()[s.Code]), text) {
			t.Fatalf("%q came back as %q", text, again(s, holdfast.Sentences()[s.Code]))
		}
	})
}

func BenchmarkUnderstandLine(b *testing.B) {
	line := holdfast.SayItemsSkippedSuch.With("mailbox of ada@contoso.example", 3, holdfast.SayItemSkipped.With("x", "corrupt", "ErrorCorruptData"))
	for b.Loop() {
		holdfast.Understand(line)
	}
}

// The audit chain keeps for ever what was written before its details had codes.
func TestDetailsOfEarlierVersionsAreUnderstood(t *testing.T) {
	for text, want := range map[string]holdfast.Sentence{
		"OneDrive of all organizations, newest state, basket 958566f7":                                                 holdfast.SayOpenedNewestFor,
		"Exchange of organization contoso.example, newest state, ":                                                     holdfast.SayOpenedNewestFor,
		"1 items of mailbox of ada@contoso.example":                                                                    holdfast.SayItemsOf,
		`"Board", full: false`:                                                                                         holdfast.SayRunAsked,
		`"Board" of contoso.example, SelectedItems, Everyday at 22:00:00`:                                              holdfast.SayJobSet,
		"drive of ada@contoso.example to bob@contoso.example, mode , application 11111111-2222-4333-8444-555555555555": holdfast.SayRestored,
		"Board": "",
	} {
		if got := holdfast.Understand(text).Code; got != want {
			t.Errorf("%q is understood as %q, not as %q", text, got, want)
		}
	}
}
