package sim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

func dumpPIM(t *testing.T, s *sim.Sim, user string) []sim.PIMRow {
	t.Helper()
	var out []sim.PIMRow
	if err := s.DumpPIM(user, func(r sim.PIMRow) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every kind is listed, and every answer stands before the metadata.
func TestPIMIsServedAsTheMetadataHasIt(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 3, PIM: sim.PIMShape{Events: 40}})
	want := map[string]int{}
	for _, r := range dumpPIM(t, c.s, c.s.Tenant().Users[0].ID) {
		want[r.Kind]++
	}
	have := map[string]int{}

	def := c.want(200, "GET", u+"/contacts?$top=1&$select=parentFolderId", nil).rows()[0]["parentFolderId"].(string)
	folders, link := c.pages(u + "/contactFolders/delta")
	if len(folders) != 2 || link == "" {
		t.Fatalf("%d contact folders", len(folders))
	}
	for _, f := range append(folders, map[string]any{"id": def}) {
		c.want(200, "GET", u+"/contactFolders/"+f["id"].(string), nil)
		rows, link := c.pages(u + "/contactFolders/" + f["id"].(string) + "/contacts/delta?$expand=singleValueExtendedProperties($filter=id eq 'Boolean {00062004-0000-0000-C000-000000000046} Id 0x8015')")
		have["contact"] += len(rows)
		for _, r := range rows {
			_, pictured := r["singleValueExtendedProperties"]
			a := c.call("GET", u+"/contacts/"+r["id"].(string)+"/photo/$value", nil)
			if pictured != (a.status == 200) {
				t.Errorf("a contact says picture %v, its photo answers %d", pictured, a.status)
			}
			if pictured {
				c.want(200, "GET", u+"/contacts/"+r["id"].(string)+"/photo", nil)
			}
		}
		if again, _ := c.pages(link); len(again) != 0 {
			t.Errorf("an idle delta has %d rows", len(again))
		}
	}
	c.want(200, "GET", u+"/calendarGroups", nil)
	calendars, _ := c.pages(u + "/calendars?$top=100")
	for _, k := range calendars {
		events, _ := c.pages(u + "/calendars/" + k["id"].(string) + "/events?$top=7")
		have["event"] += len(events)
		for _, e := range events {
			at := u + "/events/" + e["id"].(string)
			one := c.want(200, "GET", at+"?$select=id,subject,type,cancelledOccurrences&$expand=exceptionOccurrences,attachments", nil)
			if e["type"] == "seriesMaster" {
				c.want(200, "GET", at+"/instances?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z&$top=50", nil)
			}
			for _, a := range one.m["attachments"].([]any) {
				id := a.(map[string]any)["id"].(string)
				c.want(200, "GET", at+"/attachments/"+id+"?$expand=microsoft.graph.itemattachment/item", nil)
			}
		}
	}
	rows, link := c.pages(u + "/calendarView/delta?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z")
	if len(rows) == 0 {
		t.Error("an empty view")
	}
	if again, _ := c.pages(link); len(again) != 0 {
		t.Errorf("an idle view has %d rows", len(again))
	}
	lists, _ := c.pages(u + "/todo/lists/delta")
	for _, l := range lists {
		at := u + "/todo/lists/" + l["id"].(string) + "/tasks"
		tasks, _ := c.pages(at + "/delta?$expand=checklistItems,linkedResources")
		have["todoTask"] += len(tasks)
		for _, task := range tasks {
			one := at + "/" + task["id"].(string)
			c.want(200, "GET", one+"/checklistItems", nil)
			c.want(200, "GET", one+"/linkedResources", nil)
			for _, a := range c.want(200, "GET", one+"/attachments", nil).rows() {
				if a["contentBytes"] != nil {
					t.Error("a list of a task's attachments has their bytes")
				}
				if b := c.want(200, "GET", one+"/attachments/"+a["id"].(string), nil); b.m["contentBytes"] == nil {
					t.Error("a task's attachment has no bytes")
				}
			}
		}
	}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("served %v, there are %v", have, want)
	}
	if n := c.s.Stats().MailsSentN; n != 0 {
		t.Errorf("reading sent %d mails", n)
	}
}

// A series keeps the time of its zone when the clocks change, what one day has of its own, and what is not any more.
func TestSeriesAcrossTheChangeOfClocks(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 5})
	made := c.want(201, "POST", u+"/events", map[string]any{"subject": "weekly",
		"start":      map[string]any{"dateTime": "2026-03-02T09:00:00", "timeZone": "Pacific Standard Time"},
		"end":        map[string]any{"dateTime": "2026-03-02T10:00:00", "timeZone": "Pacific Standard Time"},
		"recurrence": map[string]any{"pattern": map[string]any{"type": "weekly", "interval": 1, "daysOfWeek": []string{"monday"}}, "range": map[string]any{"type": "numbered", "startDate": "2026-03-02", "numberOfOccurrences": 4}}}).m
	at := u + "/events/" + made["id"].(string)
	window := "/instances?startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-04-01T00:00:00Z"
	starts := func() (out []string, rows []map[string]any) {
		rows, _ = c.pages(at + window)
		for _, r := range rows {
			out = append(out, r["start"].(map[string]any)["dateTime"].(string)[:16])
		}
		return out, rows
	}
	got, rows := starts()
	if want := []string{"2026-03-02T17:00", "2026-03-09T16:00", "2026-03-16T16:00", "2026-03-23T16:00"}; !slices.Equal(got, want) {
		t.Fatalf("in UTC the series is at %v, want %v", got, want)
	}
	c.want(200, "PATCH", u+"/events/"+rows[1]["id"].(string), map[string]any{"subject": "moved",
		"start": map[string]any{"dateTime": "2026-03-10T09:00:00", "timeZone": "Pacific Standard Time"}, "end": map[string]any{"dateTime": "2026-03-10T10:00:00", "timeZone": "Pacific Standard Time"}})
	c.want(204, "DELETE", u+"/events/"+rows[2]["id"].(string), nil)
	got, rows = starts()
	if want := []string{"2026-03-02T17:00", "2026-03-10T16:00", "2026-03-23T16:00"}; !slices.Equal(got, want) || rows[1]["type"] != "exception" || rows[1]["originalStart"] != "2026-03-09T16:00:00Z" {
		t.Fatalf("after changes: %v, %v", got, rows[1])
	}
	master := c.want(200, "GET", at+"?$select=subject,cancelledOccurrences&$expand=exceptionOccurrences", nil).m
	if x := master["cancelledOccurrences"].([]any); len(x) != 1 || !strings.HasSuffix(x[0].(string), ".2026-03-16") {
		t.Errorf("cancelled: %v", x)
	}
	if x := master["exceptionOccurrences"].([]any); len(x) != 1 || x[0].(map[string]any)["subject"] != "moved" {
		t.Errorf("exceptions: %v", x)
	}
	if a := c.call("PATCH", u+"/events/"+rows[0]["id"].(string), map[string]any{"start": map[string]any{"dateTime": "2026-03-24T09:00:00", "timeZone": "UTC"}, "end": map[string]any{"dateTime": "2026-03-24T10:00:00", "timeZone": "UTC"}}); a.code() != "ErrorOccurrenceCrossingBoundary" {
		t.Errorf("an occurrence beyond another one: %d %s", a.status, a.code())
	}
	if local := c.want(200, "GET", at, nil, "Prefer", `outlook.timezone="Tokyo Standard Time"`).m["start"].(map[string]any); local["dateTime"] != "2026-03-03T02:00:00.0000000" {
		t.Errorf("in Tokyo: %v", local)
	}
}

// The rules of recurrence, by their dates.
func TestRulesGiveTheirDates(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 6})
	for name, tc := range map[string]struct {
		start   string
		pattern map[string]any
		limits  map[string]any
		want    string
	}{
		"every third day":           {"2026-01-30", map[string]any{"type": "daily", "interval": 3}, map[string]any{"type": "endDate", "endDate": "2026-02-06"}, "01-30 02-02 02-05"},
		"every second week":         {"2026-01-06", map[string]any{"type": "weekly", "interval": 2, "daysOfWeek": []string{"tuesday", "saturday"}, "firstDayOfWeek": "monday"}, map[string]any{"type": "numbered", "numberOfOccurrences": 4}, "01-06 01-10 01-20 01-24"},
		"the 31st, or the last day": {"2026-01-31", map[string]any{"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, map[string]any{"type": "numbered", "numberOfOccurrences": 3}, "01-31 02-28 03-31"},
		"the last friday":           {"2026-01-30", map[string]any{"type": "relativeMonthly", "interval": 1, "daysOfWeek": []string{"friday"}, "index": "last"}, map[string]any{"type": "numbered", "numberOfOccurrences": 3}, "01-30 02-27 03-27"},
		"the first weekday of may":  {"2026-05-01", map[string]any{"type": "relativeYearly", "interval": 1, "month": 5, "daysOfWeek": []string{"monday", "tuesday", "wednesday", "thursday", "friday"}, "index": "first"}, map[string]any{"type": "noEnd"}, "05-01"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.pattern["interval"], tc.limits["startDate"] = max(1, tc.pattern["interval"].(int)), tc.start
			made := c.want(201, "POST", u+"/events", map[string]any{"subject": name, "start": map[string]any{"dateTime": tc.start + "T12:00:00", "timeZone": "UTC"}, "end": map[string]any{"dateTime": tc.start + "T13:00:00", "timeZone": "UTC"},
				"recurrence": map[string]any{"pattern": tc.pattern, "range": tc.limits}}).m
			rows, _ := c.pages(u + "/events/" + made["id"].(string) + "/instances?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z")
			var got []string
			for _, r := range rows {
				got = append(got, r["start"].(map[string]any)["dateTime"].(string)[5:10])
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%v, want %s", got, tc.want)
			}
		})
	}
}

// What a call on a meeting would mail is recorded, and what tells nobody is not.
func TestMeetingsTellTheirAttendees(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 7, PIM: sim.PIMShape{Events: -1}})
	sent := func() int64 { return c.s.Stats().MailsSentN }
	when := func(h int) map[string]any {
		return map[string]any{"dateTime": fmt.Sprintf("2026-05-04T%02d:00:00", h), "timeZone": "UTC"}
	}
	with := []any{map[string]any{"emailAddress": map[string]any{"name": "A", "address": "a@example.com"}, "type": "required"}}
	alone := c.want(201, "POST", u+"/events", map[string]any{"subject": "alone", "start": when(9), "end": when(10)}).m["id"].(string)
	c.want(200, "PATCH", u+"/events/"+alone, map[string]any{"subject": "still alone"})
	c.want(204, "DELETE", u+"/events/"+alone, nil)
	if sent() != 0 {
		t.Fatalf("an event without attendees sent %d mails", sent())
	}
	for i, step := range []struct {
		name string
		do   func(id string) string
		more int64
	}{
		{"invitation", func(string) string {
			return c.want(201, "POST", u+"/events", map[string]any{"subject": "meeting", "start": when(9), "end": when(10), "attendees": with}).m["id"].(string)
		}, 1},
		{"category", func(id string) string {
			c.want(200, "PATCH", u+"/events/"+id, map[string]any{"categories": []string{"x"}, "isReminderOn": false})
			return id
		}, 0},
		{"update", func(id string) string {
			c.want(200, "PATCH", u+"/events/"+id, map[string]any{"subject": "y"})
			return id
		}, 1},
		{"attachment", func(id string) string {
			c.want(201, "POST", u+"/events/"+id+"/attachments", map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": "eA=="})
			return id
		}, 1},
		{"cancellation", func(id string) string { c.want(204, "DELETE", u+"/events/"+id, nil); return id }, 1},
	} {
		before := sent()
		id := ""
		if i > 0 {
			for _, r := range dumpPIM(t, c.s, c.s.Tenant().Users[0].ID) {
				if r.Kind == "event" {
					id = r.ID
				}
			}
		}
		step.do(id)
		if got := sent() - before; got != step.more {
			t.Errorf("%s sent %d mails, want %d", step.name, got, step.more)
		}
	}
}

// The service's rules of writing.
func TestPIMRefusesWhatTheServiceRefuses(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 8})
	day := func(s, zone string) map[string]any { return map[string]any{"dateTime": s, "timeZone": zone} }
	list := c.want(200, "GET", u+"/todo/lists", nil).rows()[0]["id"].(string)
	four := []any{}
	for i := range 4 {
		four = append(four, map[string]any{"address": fmt.Sprintf("%d@example.com", i)})
	}
	for name, tc := range map[string]struct {
		path   string
		body   map[string]any
		status int
		code   string
	}{
		"four addresses":            {"/contacts", map[string]any{"emailAddresses": four}, 400, "ErrorInvalidArgument"},
		"unknown property":          {"/contacts", map[string]any{"shoeSize": 42}, 400, "RequestBodyRead"},
		"no start":                  {"/events", map[string]any{"subject": "x"}, 400, "ErrorPropertyValidationFailure"},
		"end before start":          {"/events", map[string]any{"start": day("2026-01-02T10:00:00", "UTC"), "end": day("2026-01-02T09:00:00", "UTC")}, 400, "ErrorCalendarEndDateIsEarlierThanStartDate"},
		"no such zone":              {"/events", map[string]any{"start": day("2026-01-02T10:00:00", "Moon Standard Time"), "end": day("2026-01-02T11:00:00", "UTC")}, 400, "TimeZoneNotSupportedException"},
		"all day from noon":         {"/events", map[string]any{"isAllDay": true, "start": day("2026-01-02T12:00:00", "UTC"), "end": day("2026-01-03T12:00:00", "UTC")}, 400, "ErrorInvalidRequest"},
		"series of another day":     {"/events", map[string]any{"start": day("2026-01-02T10:00:00", "UTC"), "end": day("2026-01-02T11:00:00", "UTC"), "recurrence": map[string]any{"pattern": map[string]any{"type": "daily", "interval": 1}, "range": map[string]any{"type": "noEnd", "startDate": "2026-01-03"}}}, 400, "ErrorInvalidRequest"},
		"wrong member":              {"/events", map[string]any{"showAs": "asleep"}, 400, "RequestBodyRead"},
		"second folder of its name": {"/contactFolders", map[string]any{"displayName": "LIEFERANTEN / 供应商"}, 409, "ErrorFolderExists"},
		"task without a title":      {"/todo/lists/" + list + "/tasks", map[string]any{"importance": "high"}, 400, "invalidRequest"},
		"recurring task, no date":   {"/todo/lists/" + list + "/tasks", map[string]any{"title": "x", "recurrence": map[string]any{"pattern": map[string]any{"type": "daily", "interval": 1}, "range": map[string]any{"type": "noEnd", "startDate": "2026-01-03"}}}, 400, "invalidRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := c.call("POST", u+tc.path, tc.body); a.status != tc.status || a.code() != tc.code {
				t.Errorf("%d %s, want %d %s", a.status, a.code(), tc.status, tc.code)
			}
		})
	}
	if a := c.call("DELETE", u+"/todo/lists/"+list, nil); a.status != 400 {
		t.Errorf("the default list was deleted: %d", a.status)
	}
	if a := c.call("GET", u+"/calendarView?startDateTime=2020-01-01T00:00:00Z&endDateTime=2026-01-01T00:00:00Z", nil); a.status != 400 {
		t.Errorf("a view of six years: %d", a.status)
	}
	if a := c.call("GET", u+"/events?$expand=exceptionOccurrences", nil); a.status != 400 {
		t.Errorf("exceptions in a list: %d", a.status)
	}
}

// A delta tells what churn did, and content is a function of the seed.
func TestPIMChurnIsTold(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 9})
	user := c.s.Tenant().Users[0].ID
	def := c.want(200, "GET", u+"/contacts?$top=1", nil).rows()[0]["parentFolderId"].(string)
	_, contacts := c.pages(u + "/contactFolders/" + def + "/contacts/delta")
	if _, err := c.s.Churn(sim.Churn{Users: []string{user}, Contacts: 6, Events: 6, Tasks: 6}); err != nil {
		t.Fatal(err)
	}
	rows, _ := c.pages(contacts)
	if len(rows) < 2 {
		t.Errorf("the delta of contacts has %d rows", len(rows))
	}
	d, _ := mailbox(t, sim.Options{Seed: 9})
	if _, err := d.s.Churn(sim.Churn{Users: []string{user}, Contacts: 6, Events: 6, Tasks: 6}); err != nil {
		t.Fatal(err)
	}
	state := func(s *sim.Sim) string {
		var out []string
		for _, r := range dumpPIM(t, s, user) {
			r.Modified, r.Created = time.Time{}, time.Time{}
			for k, x := range r.Exceptions {
				x.Modified, x.Created = time.Time{}, time.Time{}
				r.Exceptions[k] = x
			}
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(b))
		}
		return strings.Join(out, "\n")
	}
	if state(c.s) != state(d.s) {
		t.Error("two tenants of one seed differ")
	}
}
