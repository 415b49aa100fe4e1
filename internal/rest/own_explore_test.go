package rest_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// ownExplore goes through a OneDrive and a mailbox by our own operations.
func ownExplore(w *world) {
	organization := w.first("/v8/Organizations")
	w.clock.pass(5 * time.Minute)
	w.call("POST", "/v8/Jobs/"+w.first("/v8/Jobs")+"/start", nil).want(200)
	w.clock.pass(time.Minute)
	w.backUp(mailbox, second, drive)
	w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Veod", "showDeleted": "maybe"}).want(400)
	session := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Veod", "showDeleted": true, "showAllVersions": true}).want(201).text("id")
	at := "/holdfast/v1/RestoreSessions/" + session + "/Containers"
	id := w.call("GET", at, nil).want(200).golden().text("results", 0, "id")
	items := at + "/" + id + "/Items"
	point := w.call("GET", "/v8/RestorePoints?limit=100", nil).want(200).get("results").([]any)
	if len(point) < 2 {
		w.t.Fatalf("the world has %d restore points, too few to have a past", len(point))
	}
	first := w.call("GET", items+"?sort=name", nil).want(200).golden()
	if first.get("total") != 3.0 {
		w.t.Errorf("the first level: %s", first.body)
	}
	gone := w.call("GET", items+"?show=deleted", nil).want(200).golden("deleted").text("results", 0, "id")
	w.call("GET", items+"/"+gone, nil).want(200).golden()
	w.call("GET", items+"/"+bob, nil).want(404)
	w.call("GET", items+"?query=Notes&kinds=file", nil).want(200).golden("query")
	w.call("GET", items+"?sort=size", nil).says(400, "sort must be one of")
	w.call("GET", items+"?show=hidden", nil).says(400, "show must be one of")
	// The contract's own operations show it too, and say by a link that it is gone.
	drive := "/v8/RestoreSessions/" + session + "/Organization/OneDrives/" + id
	documents := string(w.call("GET", drive+"/Documents", nil).want(200).body)
	if !strings.Contains(documents, `"name":"Gone.txt"`) || strings.Count(documents, `"lastRestorePoint":{"href":"/v8/RestorePoints/`) != 1 {
		w.t.Errorf("documents: %s", documents)
	}
	notes := url.PathEscape(driveID(3))
	versions := w.call("GET", items+"/"+notes+"/Versions", nil).want(200).golden()
	if n := len(versions.get("results").([]any)); n != 2 {
		w.t.Fatalf("%d versions: %s", n, versions.body)
	}
	older := versions.text("results", 1, "id")
	if !strings.HasPrefix(older, driveID(3)+"~") {
		w.t.Errorf("the older version is %s", older)
	}
	w.call("GET", items+"/"+url.PathEscape(older), nil).want(200)
	w.call("GET", items+"/"+url.PathEscape(driveID(3)+"~999"), nil).says(404, "no restore point has state 999")
	document := w.call("GET", drive+"/Documents?parentId="+w.call("GET", drive+"/Folders", nil).text("results", 0, "id"), nil).text("results", 0, "id")
	var numbers []string
	for _, v := range w.call("GET", drive+"/Documents/"+document+"/Versions", nil).want(200).get("results").([]any) {
		numbers = append(numbers, fmt.Sprint(v.(map[string]any)["version"]))
	}
	if !slices.Equal(numbers, []string{"3.0", "2.0", "1.0"}) {
		w.t.Errorf("with showAllVersions the document has the versions %v", numbers)
	}

	oldest := point[len(point)-1].(map[string]any)["id"]
	asked := func(more map[string]any) map[string]any {
		all := map[string]any{"restoreSessionId": session, "containerId": id}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	w.call("POST", "/holdfast/v1/Compare", asked(map[string]any{"restorePointId": oldest})).want(200).golden()
	w.call("POST", "/holdfast/v1/Compare", asked(map[string]any{"dateTime": w.clock.Now(), "offset": 2, "limit": 5, "folderId": gone})).want(200)
	w.call("POST", "/holdfast/v1/Compare", asked(nil)).says(400, "one of restorePointId, dateTime and live")
	w.call("POST", "/holdfast/v1/Compare", asked(map[string]any{"restorePointId": bob})).says(404, "no such restore point")
	plain := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Veod"}).want(201).text("id")
	if view := w.call("GET", "/holdfast/v1/RestoreSessions/"+plain, nil).want(200); view.get("showDeleted") != false || view.get("dateTime") != nil || view.text("organizationId") != organization {
		w.t.Errorf("the session looks at %s", view.body)
	}
	then := w.clock.Now().UTC().Format(time.RFC3339Nano)
	past := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Vex", "dateTime": then, "showDeleted": true}).want(201).text("id")
	if view := w.call("GET", "/holdfast/v1/RestoreSessions/"+past, nil).want(200); view.get("showDeleted") != true || view.text("dateTime") != then || view.text("type") != "Vex" {
		w.t.Errorf("the session of %s looks at %s", then, view.body)
	}
	w.call("GET", "/holdfast/v1/RestoreSessions/"+bob, nil).want(404)
	w.call("GET", "/holdfast/v1/RestoreSessions/"+plain+"/Containers/"+id+"/Items?show=deleted", nil).says(409, "open one with showDeleted")

	// A plan says what a restore would do; the restore itself takes the same body.
	restore := asked(map[string]any{"items": []string{notes, older, gone}, "mode": "keepBoth", "to": "bob@contoso.example", "folder": "Back"})
	restore["items"] = []string{driveID(4), older, gone}
	w.call("POST", "/holdfast/v1/restore/plan", restore).want(200).golden()
	request := w.call("POST", "/holdfast/v1/restore", restore).want(200).text("requestId")
	if got := w.restoreOne(); got.ID != request || fmt.Sprint(got.Items) != fmt.Sprint([]string{driveID(4), driveID(3), driveID(9)}) || len(got.States) != 2 || got.Folder != "Back" || got.Mode != "keep both" || got.To != "bob@contoso.example" {
		w.t.Errorf("the restore is %+v", got)
	}
	w.call("POST", "/holdfast/v1/restore/plan", asked(map[string]any{"mode": "merge"})).says(400, "mode must be")
	w.call("POST", "/holdfast/v1/restore/plan", asked(map[string]any{"overwriteNewer": true})).says(400, "goes with mode overwrite")
	w.call("POST", "/holdfast/v1/restore/plan", asked(map[string]any{"items": []string{bob}})).want(404)
	w.call("POST", "/holdfast/v1/Compare", asked(map[string]any{"live": true})).want(200).golden("live")
	who, err := w.services.Admin.Authenticate(w.t.Context(), "", w.bearer)
	w.must(err)
	inquiry, err := w.services.Inquiries.Start(w.t.Context(), who, service.InquirySpec{Kind: "plan", Act: service.ActRestore}, func(context.Context) (any, error) {
		return nil, holdfast.Conflict("Microsoft 365 has it no more")
	})
	w.must(err)
	w.call("GET", "/holdfast/v1/Inquiries/"+inquiry+"?wait=10", nil).want(200).golden()
	w.call("DELETE", "/holdfast/v1/Inquiries/"+inquiry, nil).want(204)

	// Previews: text of a file, cleaned HTML of a mail.
	file := items + "/" + notes
	w.call("GET", file+"/Preview", nil).want(200).golden("file")
	if body := w.call("GET", file+"/Preview/Body", nil).want(200); string(body.body) != "new notes" || body.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		w.t.Errorf("the text is %q as %s", body.body, body.header.Get("Content-Type"))
	}
	if got := w.call("GET", file+"/Content", nil).want(200); string(got.body) != "new notes" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		w.t.Errorf("the content is %q, %v", got.body, got.header)
	}
	w.call("GET", items+"/"+driveID(2)+"/Preview", nil).says(400, "is a folder")
	if files := unzip(w, w.call("GET", items+"/"+driveID(2)+"/Content", nil).want(200).body); len(files) != 1 {
		w.t.Errorf("the folder has %v", files)
	}
	session = w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Vex"}).want(201).text("id")
	at = "/holdfast/v1/RestoreSessions/" + session + "/Containers"
	mail := at + "/" + w.call("GET", at, nil).text("results", 0, "id") + "/Items/" + url.PathEscape("AA/mail+01=")
	w.call("GET", mail+"/Preview", nil).want(200).golden()
	body := w.call("GET", mail+"/Preview/Body", nil).want(200)
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		"Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"} {
		if got := body.header.Get(name); got != want {
			w.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := w.call("GET", mail+"/Attachments/0", nil).want(200); string(got.body) != "1,1/6" || got.header.Get("Content-Disposition") != `attachment; filename="table.csv"` || got.header.Get("Content-Type") != "application/octet-stream" {
		w.t.Errorf("the attachment is %q, %v", got.body, got.header)
	}
	w.call("GET", mail+"/Attachments/1", nil).says(404, "no attachment 1")
	w.call("GET", mail+"/Attachments/x", nil).want(404)

	basket(w, organization)
	savedSearches(w, organization)
}

// savedSearches keeps a question, lists it and forgets it.
func savedSearches(w *world, organization string) {
	const searches = "/holdfast/v1/searches"
	id := w.call("POST", searches, map[string]any{"query": " from:ada ", "organizationId": organization, "kinds": []any{"mail"}, "deleted": true, "sort": "oldest"}).want(201).golden().text("id")
	w.call("POST", searches, map[string]any{"query": " "}).says(400, "nothing to search")
	w.call("POST", searches, map[string]any{"query": "from:ada (budget"}).says(400, "closing parenthesis (at character 17)")
	w.call("POST", searches, map[string]any{"query": "budget form:ada"}).says(400, "did you mean from?")
	recent := w.call("POST", searches, map[string]any{"query": "received:7d size:>1MB"}).want(201).text("id")
	w.call("DELETE", searches+"/"+recent, nil).want(204)
	w.call("POST", searches, map[string]any{"query": "a", "kinds": []any{"chat"}}).says(400, "no kind")
	w.call("POST", searches, map[string]any{"query": "a", "sort": "size"}).says(400, "sort must be")
	w.call("POST", searches, map[string]any{"query": "a", "organizationId": bob}).want(404)
	w.call("GET", searches, nil).want(200).golden()
	w.call("DELETE", searches+"/"+bob, nil).says(404, "no saved search")
	w.call("DELETE", searches+"/"+id, nil).want(204)
	if got := w.call("GET", searches, nil).want(200).get("results").([]any); len(got) != 0 {
		w.t.Errorf("deleted searches are listed: %v", got)
	}
}

// basket collects a mail and a file, saves and restores both.
func basket(w *world, organization string) {
	const baskets = "/holdfast/v1/Baskets"
	id := w.call("POST", baskets, map[string]any{"name": "For Ada"}).want(201).golden().text("id")
	one := baskets + "/" + id
	w.call("GET", baskets, nil).want(200).golden()
	w.call("GET", one, nil).want(200)
	w.call("GET", baskets+"/"+bob, nil).says(404, "no basket")
	w.call("POST", one+"/Restore", nil).says(409, "is empty")
	w.call("POST", one+"/Plan", nil).says(409, "is empty")
	var entries []string
	for _, of := range []struct {
		kind  string
		items []string
	}{{"Vex", []string{"AA/mail+01=", "AA/mail+02="}}, {"Veod", []string{driveID(3), driveID(4)}}} {
		session := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": of.kind}).want(201).text("id")
		container := w.call("GET", "/holdfast/v1/RestoreSessions/"+session+"/Containers", nil).text("results", 0, "id")
		body := map[string]any{"restoreSessionId": session, "containerId": container, "items": of.items}
		added := w.call("POST", one+"/Items", body).want(200).golden(of.kind)
		if again := w.call("POST", one+"/Items", body).want(200); string(again.body) != string(added.body) {
			w.t.Errorf("adding again gives %s, not %s", again.body, added.body)
		}
		for i := range of.items {
			entries = append(entries, added.text(i, "id"))
		}
		body["items"] = []string{bob}
		w.call("POST", one+"/Items", body).want(404)
	}
	w.call("DELETE", one+"/Items/"+entries[1], nil).want(204)
	if got := w.call("GET", one+"/Items", nil).want(200).golden().get("results").([]any); len(got) != 3 {
		w.t.Errorf("the basket has %v", got)
	}
	saved := w.call("GET", one+"/Content", nil).want(200)
	if files := unzip(w, saved.body); len(files) != 3 || saved.header.Get("Content-Disposition") != `attachment; filename="For Ada.zip"` {
		w.t.Errorf("the ZIP has %v, called %s", files, saved.header.Get("Content-Disposition"))
	}
	w.call("POST", one+"/Restore", map[string]any{"mode": "merge"}).says(400, "mode must be")
	w.call("POST", one+"/Plan", map[string]any{"mode": "merge"}).says(400, "mode must be")
	w.call("POST", one+"/Plan", map[string]any{"limit": -1}).says(400, "must not be negative")
	w.call("POST", baskets+"/"+bob+"/Plan", nil).says(404, "no basket")
	open := func() (n int) {
		for _, s := range w.call("GET", "/v8/RestoreSessions?limit=1000", nil).want(200).get("results").([]any) {
			if s.(map[string]any)["state"] == "Working" {
				n++
			}
		}
		return n
	}
	before := open()
	w.call("POST", one+"/Plan", map[string]any{"mode": "overwrite"}).want(200).golden()
	if one := w.call("POST", one+"/Plan", map[string]any{"limit": 1}).want(200); len(one.get("items").([]any)) != 1 || one.get("more") != true {
		w.t.Errorf("a plan that tells of one item: %s", one.body)
	}
	if after := open(); after != before {
		w.t.Errorf("%d restore sessions were open before the dry runs, %d after", before, after)
	}
	run := w.call("POST", one+"/Restore", map[string]any{"mode": "overwrite"}).want(200).golden().text("id")
	if status := w.call("GET", one+"/Runs/"+run, nil).want(200).text("status"); status != "Running" {
		w.t.Errorf("a run that waits is %s", status)
	}
	first, then := w.restoreOne(), w.restoreOne()
	if len(first.Items)+len(then.Items) != 3 || first.Mode != "overwrite" {
		w.t.Errorf("restored %v and %v", first.Items, then.Items)
	}
	done := w.call("GET", one+"/Runs/"+run, nil).want(200).golden()
	if done.text("status") != "Success" || done.get("restored") != 3.0 || len(done.get("results").([]any)) != 3 || done.text("results", 0, "entryId") == "" {
		w.t.Errorf("the run: %s", done.body)
	}
	w.call("GET", one+"/Runs/"+bob, nil).says(404, "no run")
	w.call("DELETE", one, nil).want(204)
	w.call("GET", one+"/Items", nil).want(404)
}
