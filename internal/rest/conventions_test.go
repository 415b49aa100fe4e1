package rest_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/rest"
)

// ownPrefix is where operations of ours are.
const ownPrefix = "/holdfast/v1"

// furnished are worlds in which, together, each collection that is built has something in it. An Owner is signed in.
func furnished(t *testing.T) []*world {
	t.Helper()
	w := newWorld(t)
	through(t, w)
	people := newWorld(t)
	people.sides(application)
	people.login()
	identity(people)
	portal(people)
	people.cookie = ""
	people.login()
	groups(people)
	organization := people.first("/v8/Organizations")
	people.call("POST", "/v8/Organizations/"+organization+"/RbacRoles", map[string]any{"name": "who is left", "roleType": "specificObjects",
		"operators": []any{roleUser(bob)}, "selectedItems": []any{roleUser(ada)}, "excludedItems": []any{roleUser(bob)}}).want(201)
	item := func(id string) map[string]any {
		return map[string]any{"type": "User", "user": map[string]any{"id": id}, "mailbox": true, "oneDrive": true}
	}
	job := people.call("POST", "/v8/Jobs", map[string]any{"name": "some", "backupType": "SelectedItems", "organizationId": organization, "repositoryId": people.first("/v8/BackupRepositories"),
		"selectedItems": []any{item(ada)}, "excludedItems": []any{item(bob)}}).want(201).text("id")
	people.call("POST", "/v8/Jobs/"+job+"/ExcludedItems", []any{item(bob)}).want(204)
	people.call("POST", "/v8/Jobs/"+job+"/start", nil).want(200)
	session := people.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Vex"}).want(201).text("id")
	container := people.call("GET", "/holdfast/v1/RestoreSessions/"+session+"/Containers", nil).want(200).text("results", 0, "id")
	basket := people.call("POST", "/holdfast/v1/Baskets", map[string]any{"name": "kept"}).want(201).text("id")
	people.call("POST", "/holdfast/v1/Baskets/"+basket+"/Items", map[string]any{"restoreSessionId": session, "containerId": container, "items": []string{"AA/mail+01="}}).want(200)
	return []*world{w, people}
}

// walk reads what can be reached by GET: each collection, what is in it by the ids that it answers, and each link. Every answer is held against
// our description.
type walk struct {
	w      *world
	routes []rest.RouteInfo // GET
	todo   []string
	seen   map[string]bool
	tries  map[string]int    // by route
	read   map[string]string // route -> an address that it answered 200 at
	links  int
	// version is an older one to walk through, which has no description of its own.
	version string
}

// notToBeReached are the GETs that no collection leads to, or that have no answer in these worlds, and why.
var notToBeReached = map[string]string{
	"Inquiry_GetById":                             "is named by the call that asked",
	"Job_GetCopyJobByBackupJob":                   "there are no copy jobs",
	"Portal_SignIn":                               "it leads away, to the sign-in page",
	"Portal_Callback":                             "it ends a sign-in that began elsewhere",
	"Item_GetAttachment":                          "a preview tells the numbers of a mail's attachments",
	"ObjectStorageRepository_GetObjectRepository": "no repository is on object storage",
	"Basket_GetRun":                               "the answer that begins a run tells its id; no list has it",
	"TeamsChannel_DownloadExportedPosts":          "the call that prepares the pages tells the address, with its one-time code",
	"TeamsPost_DownloadExportedPosts":             "the same",
}

// anotherSession is what a restore session says that cannot show something: it has ended, or it is of the other type. The next one can.
var anotherSession = regexp.MustCompile("this restore session shows|has ended: open another one")

// most is how many addresses of one route are read: rows of a list are alike.
const most = 8

func (k *walk) run(t *testing.T) {
	for _, r := range k.routes {
		switch {
		case r.ID == "Events_Get" || strings.HasSuffix(r.Path, "/Changes"):
			k.add(r.Path + "?from=latest")
		case !strings.Contains(r.Path, "{"):
			k.add(r.Path)
		}
	}
	for len(k.todo) > 0 {
		at := k.todo[0]
		k.todo = k.todo[1:]
		u, err := url.Parse(at)
		if err != nil {
			t.Errorf("%q is no address: %v", at, err)
			continue
		}
		r, ok := k.route(u.EscapedPath())
		if !ok {
			newest := older.ReplaceAllString(u.EscapedPath(), "/v8") // which may have what the older version lacks
			post, _ := k.w.find("POST", newest)
			get, _ := k.w.find("GET", newest)
			if post == "" && (k.version == "" || get == "") {
				t.Errorf("a link leads to %s, which is no operation", at)
			}
			continue
		}
		if k.tries[r.ID] >= most {
			continue
		}
		got := k.w.call("GET", at, nil)
		switch _, never := notToBeReached[r.ID]; {
		case got.status == http.StatusOK:
			k.tries[r.ID]++
			k.read[r.ID] = at
		case got.status == http.StatusConflict && (!r.Built || anotherSession.Match(got.body)):
		case got.status == http.StatusBadRequest && strings.Contains(r.Path, "/Preview") && strings.Contains(string(got.body), "is a folder"):
		case got.status == http.StatusBadRequest && strings.HasSuffix(r.Path, "/Table") && strings.Contains(string(got.body), "is not a list"):
		case never:
		default:
			t.Errorf("GET %s: got %d %s", at, got.status, got.body)
		}
		if isJSON(got) && got.status == http.StatusOK {
			answer := got.get()
			if name := secretIn(answer); name != "" {
				t.Errorf("GET %s answers %q, which goes in only: %s", at, name, got.body)
			}
			k.follow(t, r, u, answer)
		}
	}
}

func isJSON(r *reply) bool { return strings.Contains(r.header.Get("Content-Type"), "json") }

// secretIn names a member of an answer that is a secret.
func secretIn(answer any) string {
	switch v := answer.(type) {
	case []any:
		for _, e := range v {
			if name := secretIn(e); name != "" {
				return name
			}
		}
	case map[string]any:
		for name, e := range v {
			if secret.MatchString(name) {
				return name
			}
			if name := secretIn(e); name != "" {
				return name
			}
		}
	}
	return ""
}

var secret = regexp.MustCompile(`(?i)^(.*password|.*secret|applicationCertificate|certificate|sharedKey|securityKey|accessKey|passphrase)$`)

func (k *walk) add(at string) {
	if !k.seen[at] {
		k.seen[at] = true
		k.todo = append(k.todo, at)
	}
}

func (k *walk) route(escaped string) (rest.RouteInfo, bool) {
	path := match(escaped, func(yield func(string) bool) {
		for _, r := range k.routes {
			if !yield(r.Path) {
				return
			}
		}
	})
	i := slices.IndexFunc(k.routes, func(r rest.RouteInfo) bool { return r.Path == path })
	return k.routes[max(i, 0)], i >= 0
}

func (k *walk) follow(t *testing.T, r rest.RouteInfo, at *url.URL, answer any) {
	k.hrefs(t, at, answer)
	rows, ok := answer.([]any)
	if page, is := answer.(map[string]any); is {
		rows, ok = page["results"].([]any)
	}
	if !ok {
		return
	}
	for _, row := range rows {
		id := idOf(row)
		if m, is := row.(map[string]any); is && (strings.HasSuffix(r.Path, "Documents/{documentId}/Versions") || strings.HasSuffix(r.Path, "Sites/{siteId}/Items/{itemId}/Versions")) {
			id = "" // of the document; a version that has no number yet has no address either
			if version, ok := m["versionId"]; ok {
				id = fmt.Sprint(version)
			}
		}
		if id == "" {
			continue
		}
		for _, prefix := range []string{"", ownPrefix} { // what the contract lists has operations of ours, too
			for _, below := range k.routes {
				rest, ok := strings.CutPrefix(below.Path, strings.Replace(r.Path, "/v8", cmp.Or(prefix, "/v8"), 1)+"/{")
				if !ok {
					continue
				}
				if _, rest, _ = strings.Cut(rest, "}"); !strings.Contains(rest, "{") {
					k.add(strings.Replace(at.EscapedPath(), "/v8", cmp.Or(prefix, "/v8"), 1) + "/" + url.PathEscape(id) + rest)
				}
			}
		}
	}
}

// idOf is what addresses name a row by.
func idOf(row any) string {
	m, _ := row.(map[string]any)
	for _, name := range []string{"id", "sessionId"} {
		if id, ok := m[name].(string); ok {
			return id
		}
	}
	for _, name := range []string{"user", "group"} { // of an operator or an item of a role
		if of, ok := m[name].(map[string]any); ok {
			return idOf(of)
		}
	}
	return ""
}

// hrefs takes each link in an answer: host-relative, of the request's version (reference: clients put their own host before it).
func (k *walk) hrefs(t *testing.T, at *url.URL, answer any) {
	switch v := answer.(type) {
	case []any:
		for _, e := range v {
			k.hrefs(t, at, e)
		}
	case map[string]any:
		for name, e := range v {
			if name != "_links" {
				k.hrefs(t, at, e)
				continue
			}
			links, _ := e.(map[string]any)
			for rel, l := range links {
				href, _ := l.(map[string]any)["href"].(string)
				version, _, _ := strings.Cut(strings.TrimPrefix(at.Path, "/"), "/")
				if !strings.HasPrefix(href, "/"+version+"/") {
					t.Errorf("%s: the link %s leads to %q, not below /%s/", at, rel, href, version)
					continue
				}
				k.links++
				k.add(href)
			}
		}
	}
}

// TestConventions reads all that can be reached from the collections, and then calls each operation that is built in the ways in which clients of
// the contract do.
func TestConventions(t *testing.T) {
	var gets []rest.RouteInfo
	for _, r := range rest.Routes() {
		if r.Method == "GET" && !older.MatchString(r.Path) {
			gets = append(gets, r)
		}
	}
	read, links, pages := map[string]string{}, 0, 0
	for _, w := range furnished(t) {
		k := &walk{w: w, routes: gets, seen: map[string]bool{}, tries: map[string]int{}, read: map[string]string{}}
		k.run(t)
		links += k.links
		for id, at := range k.read {
			read[id] = at
			r := gets[slices.IndexFunc(gets, func(r rest.RouteInfo) bool { return r.ID == id })]
			if at, _, asked := strings.Cut(at, "?"); !asked || w.call("GET", at, nil).status == http.StatusOK { // some want a query
				spelling(w, r, at)
				pages += paging(w, r, at)
			}
		}
		for _, r := range rest.Routes() {
			if r.Built && r.ID != "logout" {
				badInput(w, r)
			}
			if w.call("GET", "/v8/ServiceInstance", nil).status != http.StatusOK {
				w.login() // r ended the session
			}
		}
	}
	for _, r := range gets {
		if _, no := notToBeReached[r.ID]; r.Built && (read[r.ID] != "") == no {
			t.Errorf("%s %s: read at %q, listed as not to be reached: %v", r.ID, r.Path, read[r.ID], no)
		}
	}
	t.Logf("%d operations were read, %d links followed, %d pages turned", len(read), links, pages)
	if links < 1000 || pages < 60 {
		t.Errorf("%d links were followed and %d pages turned: the worlds are empty", links, pages)
	}
}

// spelling reads an address as clients write it: in another case, with a slash at the end, with a query that nobody knows.
func spelling(w *world, r rest.RouteInfo, at string) {
	w.t.Helper()
	literals := func(change func(string) string) string {
		segments := strings.Split(at, "/")
		for i, p := range strings.Split(r.Path, "/") {
			if !strings.HasPrefix(p, "{") {
				segments[i] = change(segments[i])
			}
		}
		return strings.Join(segments, "/")
	}
	for _, as := range []string{literals(strings.ToLower), literals(strings.ToUpper), at + "/", at + "?extendedView=true&nobody=knows"} {
		w.call("GET", as, nil).want(http.StatusOK)
	}
}

// paging turns the pages of an operation that has some.
func paging(w *world, r rest.RouteInfo, at string) (pages int) {
	w.t.Helper()
	first := w.call("GET", at+"?Limit=1&OFFSET=0", nil).want(http.StatusOK)
	if !isJSON(first) {
		return 0
	}
	page, is := first.get().(map[string]any)
	if _, has := page["offset"]; !is || !has { // our description demands it of each page
		return 0
	}
	if page["limit"] != 1.0 || page["offset"] != 0.0 || len(page["results"].([]any)) > 1 {
		w.t.Errorf("%s with limit 1 answers %s", r.ID, first.body)
	}
	for query, want := range map[string]float64{"": 30, "?limit=0": 30, "?limit=10000": 10_000, "?limit=20000": 10_000} {
		// An exporter takes a page that is shorter than it asked for to be the last.
		if got := w.call("GET", at+query, nil).want(http.StatusOK); got.get("limit") != want && strings.HasPrefix(at, "/v8/") {
			w.t.Errorf("%s%s: the limit in effect is %v, want %v", r.ID, query, got.get("limit"), want)
		}
	}
	if end := w.call("GET", at+"?offset=1000000", nil).want(http.StatusOK); len(end.get("results").([]any)) != 0 || end.get("offset") != 1e6 {
		w.t.Errorf("%s: beyond the end there is %s", r.ID, end.body)
	}
	for _, query := range []string{"?limit=-1", "?limit=many", "?offset=-1", "?offset=9999999999"} {
		w.call("GET", at+query, nil).says(http.StatusBadRequest, "whole number")
	}
	return 1
}

// badInput calls an operation with ids that nobody has and with half a body.
func badInput(w *world, r rest.RouteInfo) {
	w.t.Helper()
	unlicensed := strings.HasPrefix(r.ID, "License_") || r.ID == "LicensedUser_Remove" // refused before the input counts
	for _, id := range []string{nothing, "17"} {
		at := parameter.ReplaceAllString(r.Path, id)
		if got := w.call(r.Method, at, nil); at != r.Path && got.status != http.StatusNotFound && got.status != http.StatusBadRequest && !unlicensed {
			w.t.Errorf("%s %s: got %d %s", r.Method, at, got.status, got.body)
		}
	}
	if r.Method != "POST" && r.Method != "PUT" {
		return
	}
	switch got := w.call(r.Method, parameter.ReplaceAllString(r.Path, nothing), "{"); got.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnauthorized:
	case http.StatusOK, http.StatusNoContent: // it takes no body
	default:
		bodyless := got.status == http.StatusConflict && (r.ID == "Session_AskProof" || r.ID == "Passkey_Begin") // refused for who asks
		if !unlicensed && !bodyless {
			w.t.Errorf("%s %s with half a body: got %d %s", r.Method, r.Path, got.status, got.body)
		}
	}
}

var parameter = regexp.MustCompile(`\{\w+\}`)

// TestOlderVersions logs in at each older version and reads what can be reached there. Answers are held against the description of version 8, in pages.
func TestOlderVersions(t *testing.T) {
	worlds := furnished(t)
	w := worlds[0]
	for _, version := range []string{"v5", "v6", "v7"} {
		routes, read, links := rest.RoutesOf(version), map[string]string{}, 0
		for _, w := range worlds {
			w.bearer = ""
			w.bearer = w.call("POST", "/"+version+"/Token", map[string]any{"grant_type": "password", "username": "admin", "password": "correct horse battery"}).want(http.StatusOK).text("access_token")
			k := &walk{w: w, routes: routes, seen: map[string]bool{}, tries: map[string]int{}, read: read, version: version}
			k.run(t)
			links += k.links
		}
		for _, r := range routes {
			if _, no := notToBeReached[r.ID]; r.Built && (read[r.ID] != "") == no {
				t.Errorf("%s: %s was read at %q, listed as not to be reached: %v", version, r.Path, read[r.ID], no)
			}
		}
		t.Logf("%s: %d operations were read, %d links followed", version, len(read), links)
		if links < 1000 {
			t.Errorf("%s: only %d links were followed", version, links)
		}
		if _, is := w.call("GET", "/"+version+"/Jobs", nil).want(http.StatusOK).get().([]any); !is {
			t.Errorf("%s: jobs are not a bare array", version)
		}
		if _, is := w.call("GET", "/"+version+"/RestorePoints", nil).want(http.StatusOK).get().([]any); is != (version != "v7") {
			t.Errorf("%s: restore points are a bare array: %v", version, is)
		}
	}
	// As the portal of version 5 does.
	organization := w.call("GET", "/v5/Organizations", nil).text(0, "id")
	session := w.call("POST", "/v5/Organizations/"+organization+"/Action", `{"explore":{"type":"vex","datetime":"`+w.clock.Now().Format("2006-01-02T15:04:05Z")+`","ShowDeleted":"true",}}`).want(http.StatusOK).text("id")
	mailbox := w.call("GET", "/v5/RestoreSessions/"+session+"/Organization/Mailboxes/", nil).want(http.StatusOK).text("results", 0, "id")
	w.call("GET", "/v5/RestoreSessions/"+session+"/Organization/Mailboxes/"+mailbox+"/Items", nil).want(http.StatusOK)
	w.call("POST", "/v5/RestoreSessions/"+session+"/Action", `{"stop":null}`).want(http.StatusOK)

	repository := w.first("/v8/BackupRepositories")
	job := w.call("POST", "/v7/Organizations/"+organization+"/Jobs", map[string]any{"name": "of version 7", "backupType": "SelectedItems", "repositoryId": repository,
		"selectedItems": []any{map[string]any{"type": "User", "user": map[string]any{"id": ada}, "mailbox": true, "oneDrive": false}}}).want(http.StatusOK).text("id")
	if got := w.call("GET", "/v7/Organizations/"+organization+"/Jobs", nil).want(http.StatusOK).get().([]any); len(got) < 2 {
		t.Errorf("the organization has %d jobs", len(got))
	}
	if got := w.call("POST", "/v7/Jobs/"+job+"/start", nil).want(http.StatusNoContent); len(got.body) > 0 {
		t.Errorf("start answers %s", got.body)
	}
	w.call("GET", "/v7/Organizations/"+nothing+"/Jobs", nil).says(http.StatusNotFound, "no organization")
	w.call("GET", "/v7/Health", nil).says(http.StatusNotFound, "/v8 has")
	if got := w.call("GET", "/v7/objectstoragerepositories", nil).want(http.StatusOK); string(bytes.TrimSpace(got.body)) != "[]" {
		t.Errorf("repositories on object storage: %s", got.body)
	}
	w.call("GET", "/v7/ObjectStorageRepositories/"+nothing, nil).says(http.StatusNotFound, "object storage")
}

// TestARestoreOfVersion7AnswersWhenItHasEnded has a proxy restore while the request waits.
func TestARestoreOfVersion7AnswersWhenItHasEnded(t *testing.T) {
	w := newWorld(t)
	w.sides(application)
	w.login()
	organization := w.first("/v8/Organizations")
	session := w.call("POST", "/v7/Organizations/"+organization+"/explore", map[string]any{"type": "Vex"}).want(http.StatusOK).text("id")
	at := "/v7/RestoreSessions/" + session + "/organization/mailboxes/"
	mailbox := w.call("GET", at, nil).want(http.StatusOK).text("results", 0, "id")
	at += mailbox + "/items"
	item := w.call("GET", at, nil).want(http.StatusOK).text("results", 0, "id")
	answer := make(chan *reply, 1)
	go func() { answer <- w.call("POST", at+"/"+url.PathEscape(item)+"/restore", map[string]any{}) }()
	for restored := false; !restored; {
		select {
		case got := <-answer:
			t.Fatalf("answered before the restore had ended: %d %s", got.status, got.body)
		default:
			_, restored = w.restoreOneIfAny()
		}
	}
	if got := (<-answer).want(http.StatusOK); got.get("createdItemsCount") != 1.0 || got.get("failedItemsCount") != 0.0 {
		t.Errorf("the restore of one mail answers %s", got.body)
	}
}
