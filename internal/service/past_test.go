package service_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func TestASessionThatShowsDeletedSeesTheRestorePointsBeforeItsOwn(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("first")
	j := w.job("daily", org, repo, nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
	var times []time.Time
	for range 4 {
		w.run(j, k)
		times = append(times, w.clock.Now())
		w.clock.Move(time.Hour)
	}
	points, err := w.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{OldestFirst: true}, holdfast.Page{})
	w.ok(err)
	show := func(at service.View) string {
		out := fmt.Sprint(at.Head, ":")
		for _, e := range at.Earlier {
			out += fmt.Sprint(" ", e.Head)
		}
		return out
	}
	for name, tc := range map[string]struct {
		spec service.ExploreSpec
		want string
	}{
		"the newest":              {service.ExploreSpec{Organization: org.ID, ShowDeleted: true}, "4: 3 2 1"},
		"at an earlier time":      {service.ExploreSpec{Organization: org.ID, ShowDeleted: true, Time: times[1]}, "2: 1"},
		"one restore point":       {service.ExploreSpec{Point: points[2].ID, ShowDeleted: true}, "3: 2 1"},
		"of the job":              {service.ExploreSpec{Job: j.ID, ShowDeleted: true}, "4: 3 2 1"},
		"the first":               {service.ExploreSpec{Point: points[0].ID, ShowDeleted: true}, "1:"},
		"without showing deleted": {service.ExploreSpec{Organization: org.ID}, "4:"},
	} {
		tc.spec.Type = holdfast.ExploreExchange
		s, err := w.RestoreSessions.Open(w.ctx, admin, tc.spec)
		w.ok(err)
		c, err := w.RestoreSessions.Container(w.ctx, admin, s.ID, "ann")
		w.ok(err)
		if got := show(c.View); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		for i, e := range c.View.Earlier {
			if e.Point != points[int(e.Head)-1].ID || i > 0 && !e.Time.Before(c.View.Earlier[i-1].Time) {
				t.Errorf("%s: state %d is of point %s at %v", name, e.Head, e.Point, e.Time)
			}
		}
	}

	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID, ShowDeleted: true})
	w.ok(err)
	all, err := w.RestoreSessions.History(w.ctx, admin, s.ID, "ann", "mail")
	w.ok(err)
	if len(all) != 4 || all[0].ID != "mail~4" || !all[0].Current || all[1].Current || all[3].Newest.Point != points[0].ID {
		t.Errorf("versions %+v", all)
	}
	e, err := w.RestoreSessions.Item(w.ctx, admin, s.ID, "ann", "mail~2")
	w.ok(err)
	if e.Version != "2" || e.ID != "mail~2" {
		t.Errorf("state 2 of the mail is %+v", e)
	}
	_, err = w.RestoreSessions.Item(w.ctx, admin, s.ID, "ann", "mail~9")
	w.kind(err, holdfast.KindNotFound, "no restore point has state 9")

	// A restore takes each item from the state that has it.
	_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, service.RestoreSpec{Container: "ann", Items: []string{"mail~2", "mail"}})
	w.kind(err, holdfast.KindInvalid, "two versions")
	_, err = w.RestoreSessions.Restore(w.ctx, admin, s.ID, service.RestoreSpec{Container: "ann", Items: []string{"plain", "older~2", "gone", "same~4"}})
	w.ok(err)
	tasks := k.claim(1)
	var request holdfast.RestoreRequest
	w.ok(json.Unmarshal(tasks[0].Request, &request))
	if fmt.Sprint(request.Items, request.States) != "[plain older gone same] map[gone:3 older:2]" {
		t.Errorf("the request takes %v from %v", request.Items, request.States)
	}
	c, err := w.RestoreSessions.Compare(w.ctx, admin, service.CompareSpec{Session: s.ID, Container: "ann", Point: points[1].ID, Limit: 10})
	w.ok(err)
	if c.Results[0].ID != "4 to 2" || c.After.Point != points[1].ID || c.Before.Point != points[3].ID {
		t.Errorf("compared %+v", c)
	}
	c, err = w.RestoreSessions.Compare(w.ctx, admin, service.CompareSpec{Session: s.ID, Container: "ann", Time: times[0], Limit: 10})
	w.ok(err)
	if c.Results[0].ID != "4 to 1" {
		t.Errorf("compared %+v", c)
	}
	_, err = w.RestoreSessions.Compare(w.ctx, admin, service.CompareSpec{Session: s.ID, Container: "ann", Point: "never"})
	w.kind(err, holdfast.KindNotFound, "no such restore point")
}
