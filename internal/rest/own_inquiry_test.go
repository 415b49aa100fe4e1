package rest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// slow is a Microsoft 365 whose answers come when a test lets them.
type slow struct {
	today
	asked chan struct{} // one for each question
	let   chan struct{} // closed: they are answered
	ended chan error    // what a question ended with
}

func newSlow() *slow {
	return &slow{asked: make(chan struct{}, 100), let: make(chan struct{}), ended: make(chan error, 100)}
}

func (s *slow) wait(ctx context.Context) (err error) {
	holdfast.Progress(ctx, 7)
	s.asked <- struct{}{}
	defer func() { s.ended <- err }()
	select {
	case <-s.let:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slow) Plan(ctx context.Context, o holdfast.Organization, c holdfast.Credential, r holdfast.RestoreRequest, limit int) (holdfast.RestorePlan, error) {
	if err := s.wait(ctx); err != nil {
		return holdfast.RestorePlan{}, err
	}
	return s.today.Plan(ctx, o, c, r, limit)
}

func (s *slow) Changes(ctx context.Context, o holdfast.Organization, c holdfast.Credential, at service.View) ([]holdfast.Difference, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.today.Changes(ctx, o, c, at)
}

// asking is a world whose Microsoft 365 is slow, with what a dry run and a comparison of the administrator's take.
func asking(t *testing.T, patience time.Duration) (w *world, live *slow, plan, compare map[string]any) {
	live = newSlow()
	w = newWorldOf(t, live, patience)
	_, sides := w.sides(application)
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": "correct horse battery"}).want(200).text("access_token")
	session := w.call("POST", "/v8/Organizations/"+string(sides[0].org.ID)+"/explore", map[string]any{"type": "Vex", "dateTime": w.clock.Now().Format(time.RFC3339)}).want(201).text("id")
	c := mailbox
	c.Organization = sides[0].org.ID
	plan = map[string]any{"restoreSessionId": session, "containerId": c.PublicID(), "mode": "overwrite"}
	return w, live, plan, map[string]any{"restoreSessionId": session, "containerId": c.PublicID(), "live": true}
}

func (s *slow) begun(t *testing.T) {
	t.Helper()
	select {
	case <-s.asked:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was asked")
	}
}

func TestALongQuestionGoesOnAndIsAnsweredLater(t *testing.T) {
	w, live, plan, compare := asking(t, 0)
	for name, ask := range map[string]struct {
		path string
		body map[string]any
		want string
	}{"plan": {"/holdfast/v1/Restore/Plan", plan, "created"}, "comparison": {"/holdfast/v1/Compare", compare, "added"}} {
		made := w.call("POST", ask.path+"?wait=0", ask.body).want(202)
		if made.text("status") != "Running" || made.text("kind") != name {
			t.Errorf("%s: got %s", name, made.body)
		}
		live.begun(t)
		at := "/holdfast/v1/Inquiries/" + made.text("inquiryId")
		if got := w.call("GET", at, nil).want(200); got.text("status") != "Running" || got.get("seen").(float64) != 7 {
			t.Errorf("%s: got %s", name, got.body)
		}
		live.let <- struct{}{}
		got := w.call("GET", at+"?wait=10", nil).want(200)
		if got.text("status") != "Success" || got.get(name, ask.want) == nil {
			t.Errorf("%s: got %s", name, got.body)
		}
		w.call("GET", at, nil).want(200) // it stays for a while
		w.clock.pass(10 * time.Minute)
		w.call("GET", at, nil).want(404)
	}
	w.call("POST", "/holdfast/v1/Compare?wait=101", compare).says(400, "from 0 to 100")

	// Who knows nothing of inquiries gets the answer, or is told in a way that can't be taken for one.
	close(live.let)
	if got := w.call("POST", "/holdfast/v1/Compare", compare).want(200).get("added").(float64); got != 1 {
		t.Errorf("got %v", got)
	}
	again, live, _, compare := asking(t, time.Millisecond)
	told := again.call("POST", "/holdfast/v1/Compare", compare)
	told.says(503, "goes on: GET /holdfast/v1/Inquiries/")
	if told.header.Get("Retry-After") == "" {
		t.Error("a client is not told to come back")
	}
	_, id, _ := strings.Cut(string(told.body), "/Inquiries/")
	close(live.let)
	if got := again.call("GET", "/holdfast/v1/Inquiries/"+id[:36]+"?wait=10", nil).want(200); got.text("status") != "Success" {
		t.Errorf("got %s", got.body)
	}
}

func TestAQuestionIsItsAskersAlone(t *testing.T) {
	w, live, plan, _ := asking(t, 0)
	at := "/holdfast/v1/Inquiries/" + w.call("POST", "/holdfast/v1/Restore/Plan?wait=0", plan).want(202).text("inquiryId")
	live.begun(t)
	owner := w.bearer
	w.call("POST", "/holdfast/v1/users", map[string]any{"name": "eve", "password": "a long enough one", "role": "Owner"}).want(201)
	key := w.call("POST", "/holdfast/v1/api-keys", map[string]any{"name": "k"}).want(201).text("key")
	other := w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "eve", "password": "a long enough one"}).want(200).text("access_token")
	for who, bearer := range map[string]string{"another owner": other, "a key of the same account": key} {
		w.bearer = bearer
		for _, method := range []string{"GET", "DELETE"} {
			if got := w.call(method, at, nil); got.status != 404 {
				t.Errorf("%s: %s: got %d %s", who, method, got.status, got.body)
			}
		}
	}
	w.bearer = owner
	w.call("DELETE", at, nil).want(204)
	if err := <-live.ended; err == nil {
		t.Error("a cancelled question went on to its end")
	}
	w.call("GET", at, nil).want(404)
	w.call("DELETE", at, nil).want(404)
}

func TestFewQuestionsRunAtOnce(t *testing.T) {
	w, live, plan, _ := asking(t, 0)
	var ids []string
	for range 4 {
		ids = append(ids, w.call("POST", "/holdfast/v1/Restore/Plan?wait=0", plan).want(202).text("inquiryId"))
		live.begun(t)
	}
	w.call("POST", "/holdfast/v1/Restore/Plan?wait=0", plan).says(503, "four dry runs or comparisons of yours")
	w.call("DELETE", "/holdfast/v1/Inquiries/"+ids[0], nil).want(204)
	<-live.ended
	w.call("POST", "/holdfast/v1/Restore/Plan?wait=0", plan).want(202)
	live.begun(t)
	close(live.let)
	w.call("GET", "/holdfast/v1/Inquiries/"+ids[3]+"?wait=10", nil).want(200)

	// A client that goes away before it was told ends its question.
	w, live, plan, _ = asking(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r := httptest.NewRequestWithContext(ctx, "POST", "/holdfast/v1/Restore/Plan", strings.NewReader(fmt.Sprintf(`{"restoreSessionId":%q,"containerId":%q}`, plan["restoreSessionId"], plan["containerId"])))
		r.Header.Set("Authorization", "Bearer "+w.bearer)
		w.api.ServeHTTP(httptest.NewRecorder(), r)
	}()
	live.begun(t)
	cancel()
	<-gone
	if err := <-live.ended; err == nil {
		t.Error("nobody waits any more, and the question went on")
	}
}
