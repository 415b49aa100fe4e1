package query_test

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/internal/query"
)

var now = time.Date(2026, 3, 15, 10, 30, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	day := func(m time.Month, d int) int64 { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC).UnixNano() }
	word := func(s string) query.Term { return query.Term{Text: s} }
	open := query.Bound{Open: true}
	dates := func(text string, from, to query.Bound) query.Term {
		return query.Term{Field: query.Received, Text: text, From: from, To: to}
	}
	for search, want := range map[string]query.Node{
		`a`:                    word("a"),
		`a b`:                  query.And{word("a"), word("b")},
		`a AND b OR c d`:       query.Or{query.And{word("a"), word("b")}, query.And{word("c"), word("d")}},
		`a (b OR c)`:           query.And{word("a"), query.Or{word("b"), word("c")}},
		`a -b NOT NOT c`:       query.And{word("a"), query.Not{word("b")}, word("c")},
		`and or not`:           query.And{word("and"), word("or"), word("not")},
		`ORder`:                word("ORder"),
		`"a OR b"`:             query.Term{Text: "a OR b", Quoted: true},
		`Subject:bud?et*`:      query.Term{Field: query.Subject, Text: "bud?et*"},
		`sender:"Ada L"`:       query.Term{Field: query.From, Text: "Ada L", Quoted: true},
		`hasattachments:1`:     query.Term{Field: query.Attachments, Text: "1", Yes: true},
		`isread:no`:            query.Term{Field: query.Read, Text: "no"},
		`size:>1.5KB`:          query.Term{Field: query.Size, Text: ">1.5KB", From: query.Bound{At: 1536, Over: true}, To: open},
		`size:1..2MB`:          query.Term{Field: query.Size, Text: "1..2MB", From: query.Bound{At: 1}, To: query.Bound{At: 2 << 20}},
		`received:2026-03`:     dates("2026-03", query.Bound{At: day(3, 1)}, query.Bound{At: day(4, 1) - 1}),
		`date:>2026-03-01`:     dates(">2026-03-01", query.Bound{At: day(3, 2) - 1, Over: true}, open),
		`received:today`:       dates("today", query.Bound{At: day(3, 15)}, query.Bound{At: day(3, 16) - 1}),
		`received:Yesterday..`: dates("Yesterday..", query.Bound{At: day(3, 14)}, open),
		`received:7d`:          dates("7d", query.Bound{At: day(3, 8)}, query.Bound{At: now.UnixNano()}),
		`received:<1m`:         dates("<1m", open, query.Bound{At: day(2, 15), Over: true}),
	} {
		got, err := query.Rules{Now: now}.Parse(search)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, %v; want %#v", search, got, err, want)
		}
	}
}

func TestErrorsSayWhereAndWhy(t *testing.T) {
	for search, want := range map[string]struct {
		at  int
		say string
	}{
		`a (b`:                    {4, "closing parenthesis"},
		`a b)`:                    {3, "too many"},
		`x "a`:                    {2, "quotation mark"},
		`größe "a`:                {6, "quotation mark"},
		`a AND`:                   {5, "ends where a word"},
		``:                        {0, "ends where a word"},
		`a subjcet:b`:             {2, "did you mean subject?"},
		`a hasatachment:yes`:      {2, "did you mean hasattachment?"},
		`zzzzzz:b`:                {0, "there is no field \"zzzzzz\" to search; there are"},
		`body:b`:                  {0, "no field"},
		`size:big`:                {5, "not a size"},
		`size:>big`:               {6, "not a size"},
		`size:1..big`:             {8, "not a size"},
		`a isread:x`:              {9, "neither true nor false"},
		`received:9999-01-01`:     {9, "out of range"},
		`received:last`:           {9, "not a date"},
		`received:0d`:             {9, "not a date"},
		`subject:`:                {8, "without a value"},
		strings.Repeat("(", 100):  {65, "in each other"},
		strings.Repeat("a", 5000): {4096, "4096 bytes"},
	} {
		_, err := query.Rules{Now: now, Without: []query.Field{query.Body}}.Parse(search)
		var e *query.Error
		if !errors.As(err, &e) || e.At != want.at || !strings.Contains(e.Say, want.say) {
			t.Errorf("%.40s: %v, want %q at %d", search, err, want.say, want.at)
		}
	}
}

func TestRelativeDatesNeedANow(t *testing.T) {
	if _, err := (query.Rules{}).Parse("received:today"); err == nil {
		t.Error("today was understood without a now")
	}
}

func TestDaysAreThoseOfThePlace(t *testing.T) {
	place := time.FixedZone("", 2*3600)
	got, err := query.Rules{Now: now, Place: place}.Parse("received:2026-03-01")
	if want := time.Date(2026, 2, 28, 22, 0, 0, 0, time.UTC).UnixNano(); err != nil || got.(query.Term).From.At != want {
		t.Errorf("%#v, %v; want it to start at %d", got, err, want)
	}
}

func TestWordsAreWhatIsLookedFor(t *testing.T) {
	n, err := query.Rules{}.Parse(`a (subject:b OR "c d") -e size:>1`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range query.Words(n) {
		got = append(got, w.Text)
	}
	if strings.Join(got, ",") != "a,b,c d" {
		t.Errorf("words are %q", got)
	}
}

func TestPlainTextIsWords(t *testing.T) {
	for text, want := range map[string]string{
		`Re: the plan (draft`: "Re the plan draft", `"AND" OR -x`: "and or x", `ada@contoso.com, 50 %`: "ada contoso com 50", `Ärger 会議`: "Ärger 会議", `:("-`: "", "": "", strings.Repeat("word ", 2000): strings.TrimSpace(strings.Repeat("word ", 819)),
	} {
		if got := query.Plain(text); got != want {
			t.Errorf("%.40q gives %.40q, not %.40q", text, got, want)
		}
	}
}

// What is parsed, written and parsed again is the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`a`, `(from:a OR NOT to:"b c") size:>=1.5MB`, `received:2026-01-01..`, `-`, `a - b`, `OR`, "\xff:*?*", `--(a)`, `NOT NOT -a`, `a OR b AND c -d`} {
		f.Add(s)
	}
	rules := query.Rules{Now: now}
	f.Fuzz(func(t *testing.T, search string) {
		if plain := query.Plain(search); plain != "" {
			if _, err := rules.Parse(plain); err != nil {
				t.Errorf("%q in words is %q: %v", search, plain, err)
			}
		}
		n, err := rules.Parse(search)
		if err != nil {
			var e *query.Error
			if !errors.As(err, &e) || e.At < 0 || e.At > len(search) {
				t.Errorf("%q: %v", search, err)
			}
			return
		}
		again, err := rules.Parse(n.String())
		if err != nil && len(n.String()) <= 4096 && strings.Count(n.String(), "(") < 64 {
			t.Fatalf("%q was written as %q: %v", search, n, err)
		} else if err == nil && again.String() != n.String() {
			t.Errorf("%q: %q and then %q", search, n, again)
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("***", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 40 || len(s) > 200 {
			return
		}
		var re strings.Builder
		for _, r := range pattern {
			switch r {
			case '*':
				re.WriteString(".*")
			case '?':
				re.WriteString(".")
			default:
				re.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		judge, err := regexp.Compile(`(?s)\A` + re.String() + `\z`)
		if err != nil {
			return
		}
		if got, want := query.Glob([]rune(pattern), []rune(s)), judge.MatchString(string([]rune(s))); got != want {
			t.Errorf("Glob(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}
