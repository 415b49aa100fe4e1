package explorer

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

func searched() map[string]*holdfast.Item {
	day := func(d int) time.Time { return time.Date(2026, 3, d, 12, 0, 0, 0, time.UTC) }
	return map[string]*holdfast.Item{
		"budget": {Kind: holdfast.KindMail, Name: "Quarterly Budget report", Time: day(1), Size: 50 << 10, Fields: map[string]string{
			holdfast.FieldFrom: "Adele Vance <adele@contoso.com>", holdfast.FieldTo: "alex@contoso.com", holdfast.FieldRead: "true",
			holdfast.FieldSent: "2026-02-28T09:00:00Z", holdfast.FieldCategories: `["Red category","Finance"]`}},
		"lunch": {Kind: holdfast.KindMail, Name: "Lunch?", Time: day(2), Size: 3 << 20, Fields: map[string]string{
			holdfast.FieldFrom: "Alex", holdfast.FieldFlag: "flagged", holdfast.FieldAttached: "true", holdfast.FieldImportance: "high"}},
		"file":   {Kind: holdfast.KindFile, Name: "Café menu.docx", Time: day(3), Size: 0, Fields: map[string]string{holdfast.FieldModified: "2026-03-03T12:00:00Z"}},
		"event":  {Kind: holdfast.KindEvent, Name: "Review", Fields: map[string]string{holdfast.FieldLocation: "Attic", holdfast.FieldStart: "2026-04-01T08:00:00Z", holdfast.FieldRecurring: "weekly"}},
		"task":   {Kind: holdfast.KindTask, Name: "Pack", Fields: map[string]string{holdfast.FieldStatus: "inProgress", holdfast.FieldDue: "2026-05-01T00:00:00Z"}},
		"folder": {Kind: holdfast.KindFolder, Name: "Reports"},
	}
}

func TestSearchFinds(t *testing.T) {
	for search, want := range map[string]string{
		`budget`:                  "budget",
		`subject:BUDGET`:          "budget",
		`"budget report"`:         "budget",
		`subject:"report budget"`: "",
		`report`:                  "budget folder",
		`alex`:                    "budget lunch",
		`from:alex`:               "lunch",
		`alex NOT from:alex`:      "budget",
		`alex -from:alex`:         "budget",
		`from:adele@*`:            "budget",
		`from:a?ele@contoso.com`:  "budget",
		`from:adele@contos`:       "budget",
		`from:del?@contoso.com`:   "",
		`(from:adele OR from:alex) AND size:>1MB`: "lunch",
		`from:adele OR from:alex size:>1MB`:       "budget lunch",
		`received:2026-03-01`:                     "budget",
		`received:>2026-03-01`:                    "lunch",
		`received:2026-03-01..2026-03-02`:         "budget lunch",
		`received:..2026-03-01`:                   "budget",
		`received:<2026-03-01`:                    "",
		`sent:<=2026-02-28`:                       "budget",
		`modified:2026-03-03`:                     "file",
		`size:50KB`:                               "budget",
		`size:0..0.5MB kind:file`:                 "file",
		`hasattachments:true`:                     "lunch",
		`isread:no kind:mail`:                     "lunch",
		`isflagged:true`:                          "lunch",
		`importance:high`:                         "lunch",
		`importance:normal`:                       "budget",
		`category:finance`:                        "budget",
		"cafe\u0301":                              "file",
		`*.docx`:                                  "file",
		`NOT NOT kind:folder`:                     "folder",
		`location:attic`:                          "event",
		`start:2026-04`:                           "event",
		`recurring:yes`:                           "event",
		`status:inprogress due:2026-05-01`:        "task",
		`lunch? kind:mail`:                        "lunch",
	} {
		m, err := parseSearch(search)
		if err != nil {
			t.Errorf("%s: %v", search, err)
			continue
		}
		var got []string
		items := searched()
		for _, name := range []string{"budget", "lunch", "file", "folder", "event", "task"} {
			if m(items[name]) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s finds %q, want %q", search, got, want)
		}
	}
}

func TestSearchRefusesWithTheReason(t *testing.T) {
	for search, say := range map[string]string{
		`colour:red`:                   "no field",
		`(a`:                           "closing parenthesis",
		`a)`:                           "too many",
		`"a`:                           "quotation mark",
		`received:yesterday`:           "not a date",
		`received:>9999-01-01`:         "out of range",
		`size:big`:                     "not a size",
		`size:-1`:                      "not a size",
		`isread:maybe`:                 "neither true nor false",
		`a AND`:                        "ends where a word is expected",
		`NOT`:                          "ends where a word is expected",
		`subject:`:                     "without a value",
		``:                             "ends where a word",
		strings.Repeat("(", 100) + "a": "in each other",
		strings.Repeat("a", 5000):      "bytes",
	} {
		_, err := parseSearch(search)
		if holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), say) {
			t.Errorf("%.40s: %v, want it to say %q", search, err, say)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{`a`, `(from:a OR NOT to:"b c") size:>=1.5MB`, `received:2026-01-01..`, `-`, `a:b:c`, `OR`, "\xff:*?*", `--(a)`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, search string) {
		m, err := parseSearch(search)
		if err != nil {
			if holdfast.KindOf(err) != holdfast.KindInvalid {
				t.Errorf("%q: an internal error: %v", search, err)
			}
			return
		}
		negated, err := parseSearch("NOT (" + search + ")")
		for name, item := range searched() {
			if got := m(item); err == nil && negated(item) == got {
				t.Errorf("%q and its negation agree on %s", search, name)
			}
		}
	})
}
