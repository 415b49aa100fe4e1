package extract_test

import (
	"strings"
	"testing"

	"holdfast/internal/extract"
)

func TestWordsOfPersonalItems(t *testing.T) {
	for name, tc := range map[string]struct {
		raw, attached string
		body          []string // that stand in it
		without       []string
		place         string
		company       string
		phone         string
	}{
		"an event": {
			raw: `{"id":"AAMk-ident","subject":"Quarterly","body":{"contentType":"html","content":"<p>Budget of the <b>bridge</b></p><style>p{color:red}</style>"},
				"location":{"displayName":"Hall Sieben","address":{"city":"Köln"}},"attendees":[{"emailAddress":{"name":"Ada Weber","address":"ada@contoso.com"},"type":"required","status":{"response":"accepted"}}],
				"start":{"dateTime":"2026-03-01T10:00:00.0000000","timeZone":"UTC"},"exceptionOccurrences":[{"id":"ex-ident","subject":"Moved once","body":{"contentType":"text","content":"elsewhere"}}],"bodyPreview":"Preview"}`,
			attached: `[{"attachment":{"name":"agenda.pdf","contentBytes":"QUJD"},"form":"attachment/0"}]`,
			body:     []string{"Budget of the bridge", "Ada Weber", "ada@contoso.com", "Moved once", "elsewhere", "Hall Sieben", "agenda.pdf", "Quarterly"},
			without:  []string{"ident", "2026", "color", "Preview", "required", "QUJD"},
			place:    "Köln\nHall Sieben\n",
		},
		"a contact": {
			raw: `{"displayName":"Grete","personalNotes":"likes figs","companyName":"Fig Ltd","jobTitle":"Grower","businessPhones":["+49 221 555"],"mobilePhone":"0170 1",
				"homeAddress":{"street":"Am Markt 1","city":"Bonn"},"emailAddresses":[{"name":"G","address":"g@fig.example"}],"spouseName":"Otto","children":["Ida"]}`,
			body:    []string{"likes figs", "Fig Ltd", "Am Markt 1", "g@fig.example", "Otto", "Ida", "+49 221 555"},
			place:   "Bonn\nAm Markt 1\n",
			company: "Fig Ltd\nGrower\n",
			phone:   "+49 221 555\n0170 1\n",
		},
		"a task": {
			raw:  `{"title":"Pack","body":{"contentType":"text","content":"before noon"},"checklistItems":[{"id":"1","displayName":"socks"}],"linkedResources":[{"displayName":"the ticket","webUrl":"https://t.example/7"}],"status":"notStarted"}`,
			body: []string{"before noon", "socks", "the ticket", "Pack"}, without: []string{"notStarted"},
		},
		"settings": {
			raw:  `{"automaticRepliesSetting":{"internalReplyMessage":"<html><body>gone <i>fishing</i></body></html>","status":"alwaysEnabled"},"timeZone":"UTC"}`,
			body: []string{"gone fishing"}, without: []string{"<i>", "alwaysEnabled"},
		},
		"nothing that can be read": {raw: `{"subject":`, body: nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := extract.FromPersonal(t.Context(), []byte(tc.raw), []byte(tc.attached), extract.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.body {
				if !strings.Contains(got.Text, want) {
					t.Errorf("%q is not in %q", want, got.Text)
				}
			}
			for _, not := range tc.without {
				if strings.Contains(got.Text, not) {
					t.Errorf("%q is in %q", not, got.Text)
				}
			}
			if got.Place != tc.place || got.Company != tc.company || got.Phone != tc.phone {
				t.Errorf("place %q, company %q, phone %q", got.Place, got.Company, got.Phone)
			}
			if (tc.body == nil) != (len(got.Remark) > 0) {
				t.Errorf("remarks: %v", got.Remark)
			}
		})
	}
}

func FuzzPersonal(f *testing.F) {
	f.Add([]byte(`{"subject":"x","body":{"contentType":"html","content":"<p>y"}}`))
	f.Add([]byte(`{"a":[[[[{"b":{"c":"d"}}]]]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := extract.FromPersonal(t.Context(), raw, raw, extract.Limits{Text: 4096})
		if err != nil || len(got.Text) > 4096 {
			t.Fatalf("%d bytes, %v", len(got.Text), err)
		}
	})
}
