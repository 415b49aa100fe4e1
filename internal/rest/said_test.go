package rest_test

import (
	"testing"

	"holdfast/internal/holdfast"
)

// What the server says comes with its code beside the English text, so that a front end can say it in the reader's language.
func TestWhatTheServerSaysComesTakenApart(t *testing.T) {
	w := newWorld(t)
	through(t, w)
	session := w.first("/v8/JobSessions")
	log := w.call("GET", "/v8/JobSessions/"+session+"/LogItems", nil).want(200)
	if got := log.text("results", 0, "messageSaid", "code"); got != string(holdfast.SayStarted) {
		t.Errorf("the first line of the log has code %q: %s", got, log.body)
	}
	if got := log.text("results", 0, "message"); got != "Job started by "+log.text("results", 0, "messageSaid", "with", "by") {
		t.Errorf("the line is %q", got)
	}
	check := w.call("GET", "/holdfast/v1/Organizations/"+w.first("/v8/Organizations")+"/Check", nil).want(200)
	if got := check.text("findings", 0, "detailSaid", "code"); got != string(holdfast.SaySignedIn) {
		t.Errorf("the first finding has code %q: %s", got, check.body)
	}
	overview := w.call("GET", "/holdfast/v1/Overview", nil).want(200)
	if got := overview.text("problems", 0, "detailsSaid", "within", "why", "within", "why", "code"); got != string(holdfast.SayLeftOrganization) {
		t.Errorf("the reason within the reason has code %q: %s", got, overview.body)
	}
	if got := overview.text("attention", 0, "reasonSaid", "code"); got != string(holdfast.SayLeftOrganization) {
		t.Errorf("what needs attention has code %q: %s", got, overview.body)
	}
}
