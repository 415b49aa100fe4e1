package graph_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/m365test"
)

// TestAddressesInAnswersTakeNoTokenElsewhere: whatever address an answer of the service holds, one of a foreign host is not asked, and one that is
// authenticated by itself is asked without the token, in the own cloud too.
func TestAddressesInAnswersTakeNoTokenElsewhere(t *testing.T) {
	read := func(r io.ReadCloser, err error) error {
		if err != nil {
			return err
		}
		_, err = io.ReadAll(r)
		return errors.Join(err, r.Close())
	}
	for name, tc := range map[string]struct {
		// answer is what Graph says to the first call; at is the address that is in it.
		answer func(w http.ResponseWriter, at string)
		call   func(t *testing.T, c *graph.Client) error
		own    string // host of the own cloud where such addresses lead, without the token; empty: they lead to Graph itself
	}{
		"next link": {
			func(w http.ResponseWriter, at string) {
				m365test.JSON(w, 200, map[string]any{"value": []any{}, "@odata.nextLink": at})
			},
			func(t *testing.T, c *graph.Client) error {
				first, err := c.Users(t.Context(), graph.List{})
				for _, e := range graph.All(t.Context(), c, first, err, graph.List{}) {
					err = errors.Join(err, e)
				}
				return err
			}, ""},
		"delta link of an earlier round": {
			func(w http.ResponseWriter, at string) {
				m365test.JSON(w, 200, map[string]any{"value": []any{}, "@odata.deltaLink": at})
			},
			func(t *testing.T, c *graph.Client) error {
				p, err := c.MessageDelta(t.Context(), "u", "f", graph.List{})
				if err == nil {
					_, err = graph.Follow[graph.Message](t.Context(), c, p.DeltaLink, graph.List{})
				}
				return err
			}, ""},
		"where to read anew": {
			func(w http.ResponseWriter, at string) {
				w.Header().Set("Location", at)
				m365test.Fail(w, 410, "resyncChangesApplyDifferences", "m")
			},
			func(t *testing.T, c *graph.Client) error {
				_, err := graph.Follow[graph.DriveItem](t.Context(), c, "https://graph.microsoft.com/v1.0/drives/d/root/delta?token=x", graph.List{})
				var e *m365.Error
				if !errors.As(err, &e) || e.Location == "" {
					t.Fatal(err)
				}
				_, err = graph.Follow[graph.DriveItem](t.Context(), c, e.Location, graph.List{})
				return err
			}, ""},
		"next link within a batch": {
			func(w http.ResponseWriter, at string) {
				m365test.JSON(w, 200, map[string]any{"responses": []any{map[string]any{"id": "0", "status": 200, "body": map[string]any{"value": []any{}, "@odata.nextLink": at}}}})
			},
			func(t *testing.T, c *graph.Client) error {
				parts, err := c.Batch(t.Context(), []graph.Part{{Path: []string{"users"}}})
				if err != nil || parts[0].Err != nil {
					return errors.Join(err, parts[0].Err)
				}
				_, link, ok := strings.Cut(string(parts[0].Body), `"@odata.nextLink":"`)
				link, _, ends := strings.Cut(link, `"`)
				if !ok || !ends {
					t.Fatalf("the part is %s", parts[0].Body)
				}
				_, err = graph.Follow[graph.User](t.Context(), c, link, graph.List{})
				return err
			}, ""},
		"redirect to a file's content": {
			func(w http.ResponseWriter, at string) { w.Header().Set("Location", at); w.WriteHeader(302) },
			func(t *testing.T, c *graph.Client) error {
				return read(c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Size: -1}))
			}, contentHost},
		"redirect to an older version": {
			func(w http.ResponseWriter, at string) { w.Header().Set("Location", at); w.WriteHeader(302) },
			func(t *testing.T, c *graph.Client) error {
				return read(c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Version: "1.0", Size: -1}))
			}, contentHost},
		"download address of a row": {
			func(w http.ResponseWriter, at string) {
				m365test.JSON(w, 200, map[string]any{"value": []any{map[string]any{"id": "i", "@microsoft.graph.downloadUrl": at}}})
			},
			func(t *testing.T, c *graph.Client) error {
				rows, err := c.DriveDelta(t.Context(), "d", graph.List{})
				if err != nil || len(rows.Value) != 1 {
					t.Fatal(rows, err)
				}
				return read(c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Address: rows.Value[0].DownloadURL, Size: -1}))
			}, contentHost},
		"upload of a file": {
			func(w http.ResponseWriter, at string) { m365test.JSON(w, 200, map[string]any{"uploadUrl": at}) },
			func(t *testing.T, c *graph.Client) error {
				u, err := c.CreateFileUpload(t.Context(), graph.NewFile{Drive: "d", Parent: "p", Name: "n", Size: 4})
				if err == nil {
					_, _, err = u.Send(t.Context(), strings.NewReader("four"))
				}
				return err
			}, contentHost},
		"upload of an attachment": {
			func(w http.ResponseWriter, at string) { m365test.JSON(w, 201, map[string]any{"uploadUrl": at}) },
			func(t *testing.T, c *graph.Client) error {
				u, err := c.CreateAttachmentUpload(t.Context(), "u", "m", graph.NewAttachment{Name: "n", Size: 4})
				if err == nil {
					_, _, err = u.Send(t.Context(), strings.NewReader("four"))
				}
				return err
			}, "outlook.office365.com"},
		"import session": {
			func(w http.ResponseWriter, at string) {
				m365test.JSON(w, 200, map[string]any{"importUrl": at, "expirationDateTime": "2026-11-24T13:00:00Z"})
			},
			func(t *testing.T, c *graph.Client) error {
				s, err := c.CreateImportSession(t.Context(), graph.MailboxOf{User: "u", ID: "m"})
				if err == nil {
					_, err = s.Import(t.Context(), graph.Import{Folder: "f", Write: func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }, Size: 1})
				}
				return err
			}, "outlook.office365.com"},
		"redirect of a picture of a post": {
			func(w http.ResponseWriter, at string) { w.Header().Set("Location", at); w.WriteHeader(302) },
			func(t *testing.T, c *graph.Client) error {
				s, err := c.OpenHosted(t.Context(), "t", "c", "", "m", "h")
				if err != nil {
					return err
				}
				return read(s, nil)
			}, ""},
		"operation that makes a team": {
			func(w http.ResponseWriter, at string) { w.Header().Set("Location", at); w.WriteHeader(202) },
			func(t *testing.T, c *graph.Client) error {
				team, operation, err := c.CreateTeam(t.Context(), graph.NewTeam{DisplayName: "t", Owner: "u"})
				if err == nil {
					_, err = c.OperationDone(t.Context(), team, operation)
				}
				return err
			}, ""},
	} {
		for _, host := range []string{"evil.example", tc.own} {
			if host == "" {
				continue
			}
			t.Run(name+" at "+host, func(t *testing.T) {
				f, c := start(t)
				for _, h := range []string{"evil.example", contentHost, "outlook.office365.com"} {
					f.Handle(h, func(w http.ResponseWriter, _ *http.Request) {
						m365test.JSON(w, 200, map[string]any{"itemId": "i", "changeKey": "c"})
					})
				}
				first := true
				f.Graph(func(w http.ResponseWriter, _ *http.Request) {
					if first {
						first = false
						tc.answer(w, "https://"+host+"/x?secret=1")
						return
					}
					m365test.JSON(w, 200, map[string]any{"value": []any{}})
				})
				err := tc.call(t, c)
				if host == "evil.example" {
					if err == nil || strings.Contains(err.Error(), "secret=1") {
						t.Errorf("error is %v", err)
					}
					if n := len(f.Seen(host)); n > 0 {
						t.Errorf("the foreign host was asked %d times", n)
					}
				} else if err != nil || len(f.Seen(host)) == 0 {
					t.Errorf("%v; the host was asked %d times", err, len(f.Seen(host)))
				}
				for _, h := range []string{"evil.example", contentHost, "outlook.office365.com"} {
					for _, s := range f.Seen(h) {
						if s.Authorization != "" {
							t.Errorf("%s was sent the token", h)
						}
					}
				}
			})
		}
	}
}
