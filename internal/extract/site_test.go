package extract_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"holdfast/internal/extract"
)

func TestWordsOfPostsPagesAndListItems(t *testing.T) {
	for name, tc := range map[string]struct {
		read     func(context.Context, []byte, extract.Limits) (extract.Words, error)
		raw      string
		has, not []string
	}{
		"a post": {extract.FromPost, `{"id":"1616-ident","subject":"Launch","summary":"in short","body":{"contentType":"html","content":"<div>The <b>bridge</b> opens<attachment id=\"c1\"></attachment></div>"},
			"attachments":[{"id":"c1","contentType":"reference","contentUrl":"https://contoso.example/secret-path","name":"plan.docx"},
				{"id":"c2","contentType":"application/vnd.microsoft.card.adaptive","content":"{\"type\":\"AdaptiveCard\",\"body\":[{\"type\":\"TextBlock\",\"text\":\"Ticket 4711\"}]}"}],
			"reactions":[{"reactionType":"like"}]}`, []string{"Launch", "in short", "The bridge opens", "plan.docx", "Ticket 4711"}, []string{"ident", "secret-path", "like", "AdaptiveCard", "<b>"}},
		"a message in plain text": {extract.FromPost, `{"body":{"contentType":"text","content":"a < b and c > d"},"subject":null}`, []string{"a < b and c > d"}, nil},
		"a page": {extract.FromPage, `{"title":"Welcome","description":"For the new ones","titleArea":{"title":"Welcome","textAboveTitle":"News"},"canvasLayout":{"horizontalSections":[{"layout":"oneColumn","columns":[{"webparts":[
				{"@odata.type":"#microsoft.graph.textWebPart","innerHtml":"<p>Coffee is in the <i>kitchen</i></p>"},
				{"@odata.type":"#microsoft.graph.standardWebPart","data":{"title":"Quick links","properties":{"layoutId":"Filmstrip"},"serverProcessedContent":{"searchablePlainTexts":[{"key":"items[0].title","value":"Canteen plan"}]}}}]}]}],
				"verticalSection":{"webparts":[{"innerHtml":"<p>At the side</p>"}]}}}`,
			[]string{"For the new ones", "News", "Coffee is in the kitchen", "Quick links", "Canteen plan", "At the side"}, []string{"oneColumn", "Filmstrip"}},
		"an item of a list": {values, `{"id":"7","fields":{"@odata.etag":"tag","id":"7","ContentType":"Item","Title":"Crane fails","Notes":"<div>It <b>creaks</b></div>","Amount":4711.5,"Tags":["red","iron"],
				"AssignedLookupId":"12","_UIVersionString":"3.0","Link":{"Description":"manual","Url":"https://m.example/crane"},"Modified":"2026-03-01T10:00:00Z"}}`,
			[]string{"Crane fails", "It creaks", "4711.5", "red", "iron", "manual", "https://m.example/crane"}, []string{"tag", "12", "3.0", "2026-03", "<b>"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.read(t.Context(), []byte(tc.raw), extract.Limits{})
			if err != nil || len(got.Remark) > 0 {
				t.Fatal(got.Remark, err)
			}
			for _, want := range tc.has {
				if !strings.Contains(got.Text, want) {
					t.Errorf("%q is not in %q", want, got.Text)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(got.Text, not) {
					t.Errorf("%q is in %q", not, got.Text)
				}
			}
			broken, err := tc.read(t.Context(), []byte(tc.raw[:len(tc.raw)/2]), extract.Limits{})
			if err != nil || len(broken.Remark) != 1 {
				t.Errorf("half of it gives %+v, %v", broken, err)
			}
		})
	}
}

func values(ctx context.Context, raw []byte, l extract.Limits) (extract.Words, error) {
	return extract.FromValues(ctx, raw, nil, l)
}

func TestWordsOfWhatIsAttachedToAListItem(t *testing.T) {
	opened := []string{}
	file := func(name, text string) extract.NamedFile {
		return extract.NamedFile{Name: name, Open: func() (io.ReadCloser, error) {
			opened = append(opened, name)
			return io.NopCloser(strings.NewReader(text)), nil
		}}
	}
	got, err := extract.FromValues(t.Context(), []byte(`{"fields":{"Title":"Crane"}}`), []extract.NamedFile{file("photo.jpg", "not read"), file("report.txt", "the rope is worn")}, extract.Limits{})
	if err != nil || got.Text != "Crane\nphoto.jpg\nreport.txt\nthe rope is worn" {
		t.Fatalf("%q, %v", got.Text, err)
	}
	if len(opened) != 1 || opened[0] != "report.txt" {
		t.Errorf("%q were opened", opened)
	}
	damaged := errors.New("damaged")
	if _, err := extract.FromValues(t.Context(), []byte(`{}`), []extract.NamedFile{{Name: "a.txt", Open: func() (io.ReadCloser, error) { return nil, damaged }}}, extract.Limits{}); !errors.Is(err, damaged) {
		t.Errorf("a file that can't be read gives %v", err)
	}
}
