package rest_test

import (
	"fmt"
	"net/http"
	"testing"
)

// TestEventsTellWhatChanged walks through the feed.
func TestEventsTellWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.sides(application, otherApplication)
	w.login()
	ask := func(from, more string) *reply { return w.call("GET", "/v8/Events?from="+from+more, nil) }
	w.call("GET", "/v8/Events", nil).says(http.StatusBadRequest, "from is missing")
	ask("yesterday", "").says(http.StatusBadRequest, "nextChangeToken")
	ask("latest", "&timeoutSeconds=soon").says(http.StatusBadRequest, "timeoutSeconds")
	if got := ask("another.1", ""); got.status != http.StatusBadRequest || got.get("errorCode") != "OutdatedChangeToken" {
		t.Errorf("a token of another start: got %d %s", got.status, got.body)
	}
	latest := ask("latest", "").want(http.StatusOK)
	token := latest.text("nextChangeToken")
	if n := len(latest.get("results").([]any)); n != 0 {
		t.Errorf("from latest there are %d changes", n)
	}
	if got := ask(token, "&timeoutSeconds=0").want(http.StatusOK); len(got.get("results").([]any)) != 0 || got.text("nextChangeToken") != token {
		t.Errorf("nothing changed, and there is %s", got.body)
	}

	// Who waits is told.
	answer := make(chan *reply, 1)
	go func() { answer <- ask(token, "&timeoutSeconds=60") }()
	job := w.first("/v8/Jobs")
	w.call("PUT", "/v8/Jobs/"+job, map[string]any{"description": "changed"}).want(http.StatusNoContent)
	told := (<-answer).want(http.StatusOK)
	if told.text("results", 0, "eventType") != "JobUpdate" || told.text("results", 0, "id") != job || told.text("results", 0, "jobType") != "Backup" {
		t.Errorf("the change of a job is told as %s", told.body)
	}

	// Of an object that changes again and again the last change is told; a session with its job and status.
	session := w.call("POST", "/v8/Jobs/"+job+"/start", nil).want(http.StatusOK).text("id")
	w.backUp(mailbox, second, drive, site, team)
	all := ask(told.text("nextChangeToken"), "").want(http.StatusOK)
	kinds := map[string]int{}
	for i := range all.get("results").([]any) {
		kinds[all.text("results", i, "eventType")]++
		if all.text("results", i, "eventType") == "JobSessionUpdate" && (all.text("results", i, "id") != session || all.text("results", i, "jobId") != job || all.text("results", i, "status") != "Success") {
			t.Errorf("the end of a session is told as %s", all.body)
		}
	}
	if fmt.Sprint(kinds) != "map[JobSessionUpdate:1 JobUpdate:1 RestorePointObjectsChange:1 RestorePointUpdate:1]" {
		t.Errorf("a run of a job is told as %v", kinds)
	}
	// In pages of one, each is told once.
	got, from := 0, told.text("nextChangeToken")
	for range 5 {
		page := ask(from, "&limit=1&timeoutSeconds=0").want(http.StatusOK)
		got += len(page.get("results").([]any))
		from = page.text("nextChangeToken")
	}
	if got != 4 || from != all.text("nextChangeToken") {
		t.Errorf("pages of one tell %d changes", got)
	}
	w.call("PUT", "/v8/Jobs/"+job, map[string]any{"backupType": "SelectedItems", "selectedItems": []any{map[string]any{"type": "User", "user": map[string]any{"id": ada}, "mailbox": true, "oneDrive": true}}}).want(http.StatusNoContent)
	items := ask(from, "").want(http.StatusOK)
	if items.text("results", 1, "eventType") != "JobSelectedItemsChange" || items.text("results", 1, "jobId") != job || len(items.get("results").([]any)) != 2 {
		t.Errorf("other items of a job are told as %s", items.body)
	}
	w.call("DELETE", "/v8/Jobs/"+job, nil).want(http.StatusNoContent)
	gone := ask(items.text("nextChangeToken"), "").want(http.StatusOK)
	if gone.text("results", 0, "eventType") != "JobDelete" || gone.text("results", 1, "eventType") != "JobSessionDelete" || gone.text("results", 1, "jobType") != "Backup" {
		t.Errorf("a deleted job is told as %s", gone.body)
	}

	// A key that sees one organization is not told of another one's.
	own, other := w.call("GET", "/v8/Organizations", nil).text("results", 0, "id"), w.call("GET", "/v8/Organizations", nil).text("results", 1, "id")
	key := w.call("POST", "/holdfast/v1/api-keys", map[string]any{"name": "of one", "organizationIds": []string{own}}).want(http.StatusCreated).text("key")
	owner := w.bearer
	from = ask("latest", "").text("nextChangeToken")
	for _, o := range []string{own, other} {
		w.call("POST", "/v8/Organizations/"+o+"/explore", map[string]any{"type": "Vex"}).want(http.StatusCreated)
	}
	w.bearer = key
	seen := len(ask(from, "&timeoutSeconds=0").want(http.StatusOK).get("results").([]any))
	w.bearer = owner
	if whole := len(ask(from, "&timeoutSeconds=0").want(http.StatusOK).get("results").([]any)); seen != 1 || whole != 2 {
		t.Errorf("of two restore sessions the key of one organization is told %d, the owner %d", seen, whole)
	}
}

// TestOlderVersionsTellWhatChanged: version 7 answers the objects themselves, of one kind, and lists what a restore point holds.
func TestOlderVersionsTellWhatChanged(t *testing.T) {
	w := newWorld(t)
	repository, sides := w.sides(application)
	w.login()
	job := string(sides[0].job.ID)
	ask := func(path, query string) *reply { return w.call("GET", "/v7/"+path+"/Changes?"+query, nil) }
	for _, path := range []string{"JobSessions", "RestorePoints"} {
		ask(path, "").says(http.StatusBadRequest, "from is missing")
		if got := ask(path, "from=another.1"); got.status != http.StatusBadRequest || got.get("errorCode") != "OutdatedChangeToken" {
			t.Errorf("%s with a token of another start: got %d %s", path, got.status, got.body)
		}
	}
	token := ask("JobSessions", "from=latest").want(http.StatusOK).text("nextChangeToken")
	w.call("POST", "/v8/Jobs/"+job+"/start", nil).want(http.StatusOK)
	w.backUp(mailbox, second, drive, site, team)
	sessions := ask("JobSessions", "limit=1&from="+token).want(http.StatusOK)
	if sessions.text("results", 0, "jobId") != job || sessions.text("results", 0, "status") != "Success" || sessions.get("limit") != 1.0 || len(sessions.get("results").([]any)) != 1 {
		t.Errorf("a run is told as %s", sessions.body)
	}
	if copies := ask("JobSessions", "jobType=Copy&from="+token).want(http.StatusOK); len(copies.get("results").([]any)) != 0 {
		t.Errorf("of copy jobs there is %s", copies.body)
	}
	points := ask("RestorePoints", "from="+token).want(http.StatusOK)
	point := points.text("results", 0, "id")
	if points.get("results", 0, "isExchange") != true || len(points.get("results").([]any)) != 1 {
		t.Errorf("a new restore point is told as %s", points.body)
	}

	at := "/v7/RestorePoints/" + point + "/protected"
	for what, want := range map[string]int{"Mailboxes": 2, "OneDrives": 1, "Users": 2, "Sites": 1, "Groups": 0, "Teams": 1} {
		if got := w.call("GET", at+what, nil).want(http.StatusOK); len(got.get("results").([]any)) != want || got.get("offset") != 0.0 {
			t.Errorf("%s of a restore point: got %s, want %d", what, got.body, want)
		}
		w.call("GET", "/v7/RestorePoints/"+nothing+"/protected"+what, nil).want(http.StatusNotFound)
	}
	box := w.call("GET", at+"Mailboxes?limit=1", nil)
	if email := box.text("results", 0, "email"); email != mailbox.Address && email != second.Address {
		t.Errorf("the mailboxes are %s", box.body)
	}
	both := 0
	users := w.call("GET", at+"Users", nil)
	for i := range users.get("results").([]any) {
		if users.get("results", i, "isMailboxBackedUp") == true && users.get("results", i, "isOneDriveBackedUp") == true {
			both++
		}
	}
	if both != 1 {
		t.Errorf("of %d users mailbox and OneDrive are backed up: %s", both, users.body)
	}

	token = points.text("nextChangeToken")
	w.call("DELETE", "/v8/Jobs/"+job, nil).want(http.StatusNoContent)
	w.call("DELETE", "/v8/BackupRepositories/"+string(repository.ID), nil).want(http.StatusNoContent)
	gone, of := ask("RestorePoints", "from="+token).want(http.StatusOK), false
	for i := range gone.get("results").([]any) {
		of = of || gone.text("results", i, "id") == point && gone.get("results", i, "isDeleted") == true
	}
	if !of {
		t.Errorf("the end of a restore point is told as %s", gone.body)
	}
}
