package sim_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/sim"
)

func mailbox(t *testing.T, o sim.Options) (*client, string) {
	t.Helper()
	if o.Users == 0 {
		o.Users = 2
	}
	c := start(t, judged(t, o)).login()
	return c, "/users/" + c.s.Tenant().Users[0].ID
}

func ids(rows []map[string]any) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r["id"].(string))
	}
	return out
}

// everything reads each folder by delta and returns live ids per folder and the delta links.
func (c *client) everything(u string) (rows map[string]map[string]any, links map[string]string) {
	c.t.Helper()
	folders, _ := c.pages(u + "/mailFolders/delta?includeHiddenFolders=true")
	if slices.ContainsFunc(folders, func(f map[string]any) bool { return f["displayName"] == "Notes" }) {
		c.t.Error("the folder of notes is among those of mail")
	}
	folders = append(folders, c.want(200, "GET", u+"/mailFolders/notes", nil).m)
	rows, links = map[string]map[string]any{}, map[string]string{}
	for _, f := range folders {
		id := f["id"].(string)
		got, link := c.pages(u + "/mailFolders/" + id + "/messages/delta?$select=subject,receivedDateTime,isRead,parentFolderId")
		for _, r := range got {
			rows[r["id"].(string)] = r
		}
		links[id] = link
	}
	return rows, links
}

func TestDeltaAndListsTellTheSameMailbox(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 4})
	rows, _ := c.everything(u)
	listed, _ := c.pages(u + "/messages?$select=id,receivedDateTime&$top=7")
	if len(rows) != 26 || len(listed) != 26 { // with two notes
		t.Fatalf("delta has %d messages, the list %d, want 26", len(rows), len(listed))
	}
	for i, r := range listed {
		if rows[r["id"].(string)] == nil {
			t.Errorf("%v is listed but not in any delta", r["id"])
		}
		if i > 0 && r["receivedDateTime"].(string) > listed[i-1]["receivedDateTime"].(string) {
			t.Errorf("row %d is newer than the one before", i)
		}
	}
	asc, _ := c.pages(u + "/messages?$select=id&$orderby=receivedDateTime&$top=5")
	got := ids(asc)
	slices.Reverse(got)
	if !slices.Equal(got, ids(listed)) {
		t.Error("ascending is not descending backwards")
	}
	mid := listed[10]["receivedDateTime"].(string)
	after, _ := c.pages(u + "/messages?$select=id,receivedDateTime&$filter=receivedDateTime ge " + mid)
	if want := slices.IndexFunc(listed, func(r map[string]any) bool { return r["receivedDateTime"].(string) < mid }); len(after) != want {
		t.Errorf("filter gives %d rows, want %d", len(after), want)
	}
}

func TestEveryMessageIsServedInEveryForm(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 5, Mail: sim.MailShape{Messages: 60}})
	rows, _ := c.pages(u + "/messages?$top=50&$expand=attachments,singleValueExtendedProperties($filter=id eq 'Integer 0x0E07' or id eq 'String 0x001A')")
	kinds := map[string]int{}
	for _, r := range rows {
		id := r["id"].(string)
		a := c.want(200, "GET", u+"/messages/"+id+"/$value", nil)
		if b := c.want(200, "GET", u+"/messages/"+id+"/$value", nil); !bytes.Equal(a.raw, b.raw) {
			t.Fatalf("MIME of %s differs between reads", id)
		}
		m, err := mail.ReadMessage(bytes.NewReader(a.raw))
		if err != nil {
			t.Fatalf("MIME of %s: %v", id, err)
		}
		if r["from"] == nil { // a note
			kinds["note"]++
		} else if _, err := m.Header.AddressList("From"); err != nil {
			t.Errorf("From of %s: %v in %q", id, err, m.Header.Get("From"))
		}
		if m.Header.Get("Message-ID") != r["internetMessageId"] {
			t.Errorf("%s: Message-ID %q, JSON says %q", id, m.Header.Get("Message-ID"), r["internetMessageId"])
		}
		props := r["singleValueExtendedProperties"].([]any)
		if len(props) != 2 {
			t.Errorf("%s: extended properties %v", id, props)
		}
		for _, x := range r["attachments"].([]any) {
			at := x.(map[string]any)
			kind := at["@odata.type"].(string)
			kinds[kind]++
			one := c.want(200, "GET", u+"/messages/"+id+"/attachments/"+at["id"].(string), nil)
			if one.m["name"] != at["name"] {
				t.Errorf("attachment %v has another name alone: %v", at["name"], one.m["name"])
			}
			switch kind {
			case "#microsoft.graph.fileAttachment":
				v := c.want(200, "GET", u+"/messages/"+id+"/attachments/"+at["id"].(string)+"/$value", nil)
				if base64.StdEncoding.EncodeToString(v.raw) != at["contentBytes"] {
					t.Errorf("attachment %v differs between $value and contentBytes", at["name"])
				}
			case "#microsoft.graph.itemAttachment":
				one := c.want(200, "GET", u+"/messages/"+id+"/attachments/"+at["id"].(string)+"?$expand=microsoft.graph.itemattachment/item", nil)
				if item := one.m["item"].(map[string]any); item["subject"] == nil || item["@odata.type"] != "#microsoft.graph.message" {
					t.Errorf("item of %v: %v", at["name"], item)
				}
			}
		}
	}
	if kinds["#microsoft.graph.fileAttachment"] == 0 || kinds["#microsoft.graph.itemAttachment"] == 0 || kinds["#microsoft.graph.referenceAttachment"] == 0 {
		t.Errorf("kinds of attachments: %v", kinds)
	}
}

func TestAMessageFromJSONWithItsFlagsIsNoDraft(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 6})
	in := map[string]any{
		"subject": "Größe 📎", "body": map[string]any{"contentType": "html", "content": "<p>hello</p>"}, "importance": "high", "categories": []string{"A", "B"},
		"from":         map[string]any{"emailAddress": map[string]any{"name": "A B", "address": "a@example.com"}},
		"toRecipients": []any{map[string]any{"emailAddress": map[string]any{"address": "b@example.com"}}},
		"flag":         map[string]any{"flagStatus": "flagged"}, "isRead": true, "internetMessageId": "<1@example.com>",
		"receivedDateTime": "2001-01-01T00:00:00Z", "hasAttachments": false,
		"internetMessageHeaders": []any{map[string]any{"name": "X-One", "value": "1"}},
		"attachments": []any{
			map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.bin", "contentBytes": "AAEC"},
			map[string]any{"@odata.type": "#microsoft.graph.itemAttachment", "name": "inner", "item": map[string]any{"@odata.type": "microsoft.graph.message", "subject": "inner", "body": map[string]any{"contentType": "text", "content": "x"}}},
		},
		"singleValueExtendedProperties": []any{
			map[string]any{"id": "Integer 0x0E07", "value": "4"},
			map[string]any{"id": "SystemTime 0x0039", "value": "2020-02-03T04:05:06Z"},
			map[string]any{"id": "SystemTime 0x0E06", "value": "2020-02-03T04:05:08Z"},
			map[string]any{"id": "String {6f3c1d52-8a0e-4b59-9c43-5d0c7c1b8e21} Name Marker", "value": "m-1"},
		},
	}
	a := c.want(201, "POST", u+"/mailFolders/inbox/messages", in)
	for k, want := range map[string]any{"isDraft": false, "isRead": true, "receivedDateTime": "2020-02-03T04:05:08Z", "sentDateTime": "2020-02-03T04:05:06Z", "hasAttachments": true, "internetMessageId": "<1@example.com>", "importance": "high"} {
		if a.m[k] != want {
			t.Errorf("%s = %v, want %v", k, a.m[k], want)
		}
	}
	id := a.m["id"].(string)
	mime := c.want(200, "GET", u+"/messages/"+id+"/$value", nil).raw
	for _, want := range []string{"Date: Mon, 3 Feb 2020 04:05:06 +0000", "X-One: 1", "AAEC", "message/rfc822", "<p>hello</p>", "Importance: high"} {
		if !strings.Contains(string(mime), want) {
			t.Errorf("MIME lacks %q:\n%s", want, mime)
		}
	}
	found, _ := c.pages(u + "/messages?$select=id&$expand=singleValueExtendedProperties($filter=id eq 'String {6F3C1D52-8A0E-4B59-9C43-5D0C7C1B8E21} Name Marker')&$filter=singleValueExtendedProperties/Any(ep: ep/id eq 'String {6F3C1D52-8A0E-4B59-9C43-5D0C7C1B8E21} Name Marker' and ep/value eq 'm-1')")
	if len(found) != 1 || found[0]["id"] != id {
		t.Errorf("search by extended property found %v", found)
	}
	none, _ := c.pages(u + "/messages?$filter=singleValueExtendedProperties/Any(ep: ep/id eq 'String {6f3c1d52-8a0e-4b59-9c43-5d0c7c1b8e21} Name Marker' and ep/value eq 'm-2')")
	if len(none) != 0 {
		t.Errorf("search for another value found %d", len(none))
	}
	draft := c.want(201, "POST", u+"/messages", map[string]any{"subject": "d"})
	if draft.m["isDraft"] != true {
		t.Error("without flags a message is a draft")
	}
	if n := c.s.Stats().MailsSentN; n != 0 {
		t.Errorf("%d mails would have been sent", n)
	}
}

func TestWriteRules(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 7})
	inbox, _ := c.pages(u + "/mailFolders/inbox/messages?$top=5")
	id := inbox[0]["id"].(string)
	for name, tc := range map[string]struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		"subject of a received message":  {"PATCH", u + "/messages/" + id, map[string]any{"subject": "x"}, 403, "ErrorAccessDenied"},
		"unknown property":               {"POST", u + "/messages", map[string]any{"subjekt": "x"}, 400, "RequestBodyRead"},
		"wrong type":                     {"POST", u + "/messages", map[string]any{"isRead": "yes"}, 400, "RequestBodyRead"},
		"unknown enum member":            {"POST", u + "/messages", map[string]any{"importance": "huge"}, 400, "RequestBodyRead"},
		"header without x-":              {"POST", u + "/messages", map[string]any{"internetMessageHeaders": []any{map[string]any{"name": "Received", "value": "1"}}}, 400, "InvalidInternetMessageHeader"},
		"abstract attachment":            {"POST", u + "/messages/" + id + "/attachments", map[string]any{"name": "x"}, 400, "RequestBodyRead"},
		"small upload session":           {"POST", u + "/messages/" + id + "/attachments/createUploadSession", map[string]any{"AttachmentItem": map[string]any{"attachmentType": "file", "name": "x", "size": 100}}, 400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"},
		"malformed JSON":                 {"POST", u + "/messages", []byte(`{"subject":`), 400, "BadRequest"},
		"malformed id":                   {"GET", u + "/messages/AAMkXX", nil, 400, "ErrorInvalidIdMalformed"},
		"same folder twice":              {"POST", u + "/mailFolders", map[string]any{"displayName": "inbox"}, 409, "ErrorFolderExists"},
		"deleting the inbox":             {"DELETE", u + "/mailFolders/inbox", nil, 400, "ErrorDeleteDistinguishedFolder"},
		"not base64":                     {"POST", u + "/messages", "?!", 400, "ErrorMimeContentInvalidBase64String"},
		"unknown $select":                {"GET", u + "/messages?$select=nonsense", nil, 400, "BadRequest"},
		"page above 1000":                {"GET", u + "/messages?$top=1001", nil, 400, "ErrorInvalidPagingParameters"},
		"filter that does not parse":     {"GET", u + "/messages?$filter=isRead eq", nil, 400, "BadRequest"},
		"order that the filter misses":   {"GET", u + "/messages?$filter=isRead eq true&$orderby=receivedDateTime", nil, 400, "InefficientFilter"},
		"extended property of no type":   {"POST", u + "/messages", map[string]any{"singleValueExtendedProperties": []any{map[string]any{"id": "Foo 0x1", "value": "x"}}}, 400, "ErrorInvalidProperty"},
		"date that is none":              {"POST", u + "/messages", map[string]any{"singleValueExtendedProperties": []any{map[string]any{"id": "SystemTime 0x0039", "value": "x"}}}, 400, "ErrorInvalidProperty"},
		"unknown path":                   {"GET", u + "/nothing", nil, 400, "BadRequest"},
		"method that the path lacks":     {"PUT", u + "/messages", map[string]any{}, 405, "Request_BadRequest"},
		"request above 4 MB":             {"POST", u + "/messages", strings.Repeat("A", 5<<20), 413, "RequestEntityTooLarge"},
		"order that is not implemented":  {"GET", u + "/messages?$orderby=subject", nil, 400, "ErrorInvalidUrlQuery"},
		"delta filter that is too fancy": {"GET", u + "/mailFolders/inbox/messages/delta?$filter=isRead eq true", nil, 400, "ErrorInvalidUrlQueryFilter"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []string{}
			if _, ok := tc.body.([]byte); ok {
				headers = append(headers, "Content-Type", "application/json")
			}
			a := c.call(tc.method, tc.path, tc.body, headers...)
			if a.status != tc.status || a.code() != tc.code {
				t.Errorf("%d %s, want %d %s: %.300s", a.status, a.code(), tc.status, tc.code, a.raw)
			}
		})
	}
	c.want(200, "PATCH", u+"/messages/"+id, map[string]any{"isRead": true, "categories": []string{"x"}, "flag": map[string]any{"flagStatus": "complete"}})
	etag := c.want(200, "GET", u+"/messages/"+id, nil).m["@odata.etag"].(string)
	c.want(200, "PATCH", u+"/messages/"+id, map[string]any{"importance": "low"}, "If-Match", etag)
	if a := c.want(412, "PATCH", u+"/messages/"+id, map[string]any{"importance": "high"}, "If-Match", etag); a.code() != "ErrorIrresolvableConflict" {
		t.Errorf("code %s", a.code())
	}
}

func TestDeltaTellsChangesMovesAndDeletes(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 8})
	before, links := c.everything(u)
	folder := func(name string) string { return c.want(200, "GET", u+"/mailFolders/"+name, nil).m["id"].(string) }
	inbox, archive := folder("inbox"), folder("archive")
	list, _ := c.pages(u + "/mailFolders/inbox/messages?$top=50")
	changed, moved, deleted := list[0]["id"].(string), list[1]["id"].(string), list[2]["id"].(string)
	unread := c.want(200, "GET", u+"/mailFolders/inbox", nil).m["unreadItemCount"].(float64)
	c.want(200, "PATCH", u+"/messages/"+changed, map[string]any{"isRead": false})
	c.want(201, "POST", u+"/messages/"+moved+"/move", map[string]any{"destinationId": "archive"})
	c.want(204, "DELETE", u+"/messages/"+deleted, nil)
	created := c.want(201, "POST", u+"/mailFolders/inbox/messages", map[string]any{"subject": "new"}).m["id"].(string)

	rows, next := c.pages(links[inbox])
	state := map[string]bool{}
	for _, r := range rows {
		state[r["id"].(string)] = r["@removed"] == nil
	}
	want := map[string]bool{changed: true, moved: false, deleted: false, created: true}
	if fmt.Sprint(state) != fmt.Sprint(want) {
		t.Errorf("inbox: %v, want %v", state, want)
	}
	rows, _ = c.pages(links[archive])
	if len(rows) != 1 || rows[0]["id"] != moved || rows[0]["parentFolderId"] != archive {
		t.Errorf("archive: %v", rows)
	}
	c.want(200, "GET", u+"/messages/"+moved, nil)
	c.want(404, "GET", u+"/messages/"+deleted, nil)
	if rows, _ := c.pages(next); len(rows) != 0 {
		t.Errorf("nothing happened, but the delta tells %v", rows)
	}
	after, _ := c.everything(u)
	if len(after) != len(before) {
		t.Errorf("%d messages, want %d", len(after), len(before))
	}
	now := c.want(200, "GET", u+"/mailFolders/inbox", nil).m
	real := 0
	all, _ := c.pages(u + "/mailFolders/inbox/messages?$top=50&$select=isRead")
	for _, r := range all {
		if r["isRead"] == false {
			real++
		}
	}
	if int(now["totalItemCount"].(float64)) != len(all) || int(now["unreadItemCount"].(float64)) != real {
		t.Errorf("inbox says %v items, %v unread (was %v); there are %d and %d", now["totalItemCount"], now["unreadItemCount"], unread, len(all), real)
	}
}

func TestIdsChangeOnMoveUnlessImmutable(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 9})
	old := c.want(200, "GET", u+"/mailFolders/inbox/messages?$top=1", nil, "Prefer", "").rows()[0]["id"].(string)
	stable := c.want(200, "GET", u+"/messages/"+old, nil).m["id"].(string)
	moved := c.want(201, "POST", u+"/messages/"+old+"/move", map[string]any{"destinationId": "archive"}, "Prefer", "").m["id"].(string)
	if moved == old {
		t.Error("the id did not change")
	}
	c.want(404, "GET", u+"/messages/"+old, nil)
	if a := c.want(200, "GET", u+"/messages/"+moved, nil); a.m["id"] != stable {
		t.Errorf("the immutable id changed from %s to %v", stable, a.m["id"])
	}
	a := c.want(200, "POST", u+"/translateExchangeIds", map[string]any{"inputIds": []string{moved}, "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"})
	if got := a.rows()[0]["targetId"]; got != stable {
		t.Errorf("translated to %v, want %s", got, stable)
	}
}

func TestAttachmentUploadSession(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 10})
	id := c.want(201, "POST", u+"/mailFolders/inbox/messages", map[string]any{"subject": "big", "singleValueExtendedProperties": []any{map[string]any{"id": "Integer 0x0E07", "value": "4"}}}).m["id"].(string)
	data := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	a := c.want(201, "POST", u+"/messages/"+id+"/attachments/createUploadSession", map[string]any{"AttachmentItem": map[string]any{"attachmentType": "file", "name": "big.bin", "size": len(data)}})
	url := a.m["uploadUrl"].(string)
	put := func(from, to int, want int) answer {
		return c.want(want, "PUT", url, data[from:to], "Authorization", "", "Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(data)))
	}
	if st := put(0, 2<<20, 200); fmt.Sprint(st.m["nextExpectedRanges"]) != "[2097152]" {
		t.Errorf("next range %v", st.m["nextExpectedRanges"])
	}
	put(0, 2<<20, 416)
	c.want(401, "PUT", url, data[:10], "Content-Range", "bytes 0-9/10")
	last := put(2<<20, len(data), 201)
	loc := last.header.Get("Location")
	if !strings.Contains(loc, "attachments('") {
		t.Fatalf("location %q", loc)
	}
	aid := strings.TrimSuffix(loc[strings.Index(loc, "attachments('")+13:], "')")
	if got := c.want(200, "GET", u+"/messages/"+id+"/attachments/"+aid+"/$value", nil); !bytes.Equal(got.raw, data) {
		t.Error("the uploaded bytes differ")
	}
	if m := c.want(200, "GET", u+"/messages/"+id, nil).m; m["isDraft"] != false || m["hasAttachments"] != true {
		t.Errorf("message after upload: %v", m)
	}
	if n := c.s.Stats().TokenCanary; n != 1 {
		t.Errorf("tokens at foreign addresses: %d, want 1", n)
	}
}

func TestMIMEMakesADraft(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 11})
	raw := "From: a@example.com\r\nTo: b@example.com\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\nX-Keep: yes\r\nDate: Mon, 3 Feb 2020 04:05:06 +0000\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nhello\r\n--q\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--q--\r\n"
	a := c.want(201, "POST", u+"/messages", base64.StdEncoding.EncodeToString([]byte(raw)))
	if a.m["isDraft"] != true || a.m["subject"] != "Grüße" || a.m["hasAttachments"] != true {
		t.Errorf("draft: %v", a.m)
	}
	got := string(c.want(200, "GET", u+"/messages/"+a.m["id"].(string)+"/$value", nil).raw)
	if !strings.Contains(got, "X-Keep: yes") || !strings.Contains(got, "AAEC") {
		t.Errorf("MIME: %s", got)
	}
}

func TestCorpusIsServedByteForByte(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"a.eml": "Subject: one\r\nDate: Mon, 3 Feb 2020 04:05:06 +0000\r\n\r\nbody\r\n",
		"b.eml": "broken header\nSubject:two\n\n\xff\xfe bytes\n",
		"c.eml": "Content-Type: multipart/mixed; boundary=\"x\"\n\n--x\nContent-Type: message/rfc822\n\nSubject: inner\n\ninner body\n--x\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, u := mailbox(t, sim.Options{Seed: 12, Users: 1, Corpus: dir, Mail: sim.MailShape{Messages: 1}})
	folders, _ := c.pages(u + "/mailFolders?$filter=displayName eq 'Corpus'")
	if len(folders) != 1 {
		t.Fatalf("folders %v", folders)
	}
	rows, _ := c.pages(u + "/mailFolders/" + folders[0]["id"].(string) + "/messages?$expand=attachments")
	got := map[string]bool{}
	for _, r := range rows {
		got[string(c.want(200, "GET", u+"/messages/"+r["id"].(string)+"/$value", nil).raw)] = true
	}
	for name, text := range files {
		if !got[text] {
			t.Errorf("%s is not served byte for byte", name)
		}
	}
}

func TestMailboxesThatAreNotThere(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 13})
	c.want(404, "GET", "/users/nobody/messages", nil)
	id := strings.TrimPrefix(u, "/users/")
	if err := c.s.SetMailbox(id, sim.MailboxUnlicensed); err != nil {
		t.Fatal(err)
	}
	if a := c.want(404, "GET", u+"/mailFolders", nil); a.code() != "MailboxNotEnabledForRESTAPI" {
		t.Errorf("code %s", a.code())
	}
	if err := c.s.SetMailbox(id, sim.MailboxGone); err != nil {
		t.Fatal(err)
	}
	c.want(404, "GET", u+"/mailFolders", nil)
	if err := c.s.SetMailbox(id, sim.MailboxLicensed); err != nil {
		t.Fatal(err)
	}
	c.want(200, "GET", u+"/mailFolders", nil)
	c.s.SetRoles([]string{"User.Read.All", "Mail.ReadBasic.All"})
	c.login()
	if a := c.want(403, "GET", u+"/messages/x/$value", nil); a.code() != "ErrorAccessDenied" {
		t.Errorf("code %s", a.code())
	}
	rows, _ := c.pages(u + "/messages?$top=3")
	if rows[0]["body"] != nil || rows[0]["subject"] == nil {
		t.Errorf("Mail.ReadBasic gives %v", rows[0])
	}
}

func TestBatchPartsAreCallsOfTheirOwn(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 14})
	id := c.want(200, "GET", u+"/messages?$top=1", nil).rows()[0]["id"].(string)
	before := c.s.Stats()
	a := c.want(200, "POST", "/$batch", map[string]any{"requests": []any{
		map[string]any{"id": "1", "method": "GET", "url": u + "/messages/" + id},
		map[string]any{"id": "2", "method": "GET", "url": u + "/messages/nope"},
		map[string]any{"id": "3", "method": "GET", "url": u + "/messages/" + id + "/$value", "dependsOn": []string{"2"}},
		map[string]any{"id": "4", "method": "GET", "url": u + "/messages/" + id + "/$value"},
		map[string]any{"id": "5", "method": "PATCH", "url": u + "/messages/" + id, "headers": map[string]string{"Content-Type": "application/json"}, "body": map[string]any{"isRead": true}},
	}})
	got := map[string]float64{}
	for _, x := range a.m["responses"].([]any) {
		r := x.(map[string]any)
		got[r["id"].(string)] = r["status"].(float64)
	}
	if fmt.Sprint(got) != "map[1:200 2:400 3:424 4:200 5:200]" {
		t.Errorf("statuses %v", got)
	}
	after := c.s.Stats()
	if n := after.BatchParts - before.BatchParts; n != 4 {
		t.Errorf("%d parts counted, want 4: a part whose parent failed is no call", n)
	}
	if a := c.want(400, "POST", "/$batch", map[string]any{"requests": make([]any, 21)}); a.status != http.StatusBadRequest {
		t.Error("21 parts were taken")
	}
}
