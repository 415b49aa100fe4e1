package sim

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a machine may have no zones of its own
)

// zones are the Windows names that the simulator knows besides those of the tz database; the service knows all of Windows.
var zones = map[string]string{
	"Pacific Standard Time": "America/Los_Angeles", "Eastern Standard Time": "America/New_York", "GMT Standard Time": "Europe/London", "W. Europe Standard Time": "Europe/Berlin",
	"Romance Standard Time": "Europe/Paris", "Tokyo Standard Time": "Asia/Tokyo", "India Standard Time": "Asia/Kolkata", "AUS Eastern Standard Time": "Australia/Sydney",
	"New Zealand Standard Time": "Pacific/Auckland", "tzone://Microsoft/Utc": "UTC",
}

func zoneOf(name string) (*time.Location, bool) {
	if iana, ok := zones[name]; ok {
		name = iana
	}
	if name == "" || name == "Local" {
		return nil, false
	}
	l, err := time.LoadLocation(name)
	return l, err == nil
}

// moment is a time as an event has it.
type moment struct {
	at   time.Time // wall clock in loc
	zone string
}

func momentOf(v any) (moment, bool) {
	m, _ := v.(map[string]any)
	text, _ := m["dateTime"].(string)
	zone, _ := m["timeZone"].(string)
	loc, ok := zoneOf(zone)
	if !ok {
		return moment{}, false
	}
	t, err := time.ParseInLocation(momentForm, text, loc)
	return moment{t, zone}, err == nil
}

// in shows a moment in another zone; the dates of what lasts all day are the same everywhere.
func (m moment) in(zone string, allDay bool) map[string]any {
	if zone == "" {
		zone = "UTC"
	}
	t := m.at
	if loc, ok := zoneOf(zone); ok && !allDay {
		t = t.In(loc)
	}
	return map[string]any{"dateTime": t.Format(momentForm), "timeZone": zone}
}

// rule is a recurrence. Dates are midnights of UTC.
type rule struct {
	kind       string
	interval   int
	days       []time.Weekday
	first      time.Weekday
	dayOfMonth int
	month      time.Month
	index      int // 0 first … 4 last
	start, end time.Time
	count      int // 0: not numbered
}

func ruleOf(v any) (rule, bool) {
	m, _ := v.(map[string]any)
	p, _ := m["pattern"].(map[string]any)
	g, _ := m["range"].(map[string]any)
	if p == nil || g == nil {
		return rule{}, false
	}
	text := func(m map[string]any, k string) string { s, _ := m[k].(string); return s }
	number := func(m map[string]any, k string) int { n, _ := m[k].(int); return n }
	day := func(s string) time.Weekday { return time.Weekday(max(0, slices.Index(pimEnums["dayOfWeek"], s))) }
	r := rule{kind: text(p, "type"), interval: max(1, number(p, "interval")), dayOfMonth: number(p, "dayOfMonth"), month: time.Month(number(p, "month")),
		first: day(text(p, "firstDayOfWeek")), index: max(0, slices.Index(pimEnums["weekIndex"], text(p, "index")))}
	list, _ := p["daysOfWeek"].([]any)
	for _, d := range list {
		s, _ := d.(string)
		r.days = append(r.days, day(s))
	}
	var err error
	if r.start, err = time.Parse(time.DateOnly, text(g, "startDate")); err != nil {
		return r, false
	}
	switch text(g, "type") {
	case "endDate":
		if r.end, err = time.Parse(time.DateOnly, text(g, "endDate")); err != nil {
			return r, false
		}
	case "numbered":
		r.count = number(g, "numberOfOccurrences")
	case "noEnd":
	default:
		return r, false
	}
	weekly := r.kind == "weekly" || strings.HasPrefix(r.kind, "relative")
	return r, r.kind != "" && (!weekly || len(r.days) > 0) && (!strings.HasPrefix(r.kind, "absolute") || r.dayOfMonth > 0) && (!strings.HasSuffix(r.kind, "Yearly") || r.month > 0)
}

// dates calls fn with the dates of the rule, in order, until it says no or until last.
func (r rule) dates(last time.Time, fn func(time.Time) bool) {
	if !r.end.IsZero() && r.end.Before(last) {
		last = r.end
	}
	n := 0
	for k := 0; k < 100_000; k++ {
		period := r.period(k)
		for _, d := range period {
			if d.Before(r.start) {
				continue
			}
			if d.After(last) {
				return
			}
			if n++; r.count > 0 && n > r.count || !fn(d) {
				return
			}
		}
		if len(period) > 0 && period[0].After(last) || len(period) == 0 && r.start.AddDate(0, k*r.interval, 0).After(last.AddDate(5, 0, 0)) {
			return
		}
	}
}

// period gives the dates of the k-th day, week, month or year of the rule.
func (r rule) period(k int) []time.Time {
	switch r.kind {
	case "daily":
		return []time.Time{r.start.AddDate(0, 0, k*r.interval)}
	case "weekly":
		week := r.start.AddDate(0, 0, -((int(r.start.Weekday())-int(r.first)+7)%7)+7*k*r.interval)
		var out []time.Time
		for i := range 7 {
			if d := week.AddDate(0, 0, i); slices.Contains(r.days, d.Weekday()) {
				out = append(out, d)
			}
		}
		return out
	}
	month := time.Date(r.start.Year(), r.start.Month()+time.Month(k*r.interval), 1, 0, 0, 0, 0, time.UTC)
	if strings.HasSuffix(r.kind, "Yearly") {
		month = time.Date(r.start.Year()+k*r.interval, r.month, 1, 0, 0, 0, 0, time.UTC)
	}
	end := month.AddDate(0, 1, -1).Day()
	if strings.HasPrefix(r.kind, "absolute") {
		return []time.Time{month.AddDate(0, 0, min(r.dayOfMonth, end)-1)}
	}
	var days []time.Time
	for i := range end {
		if d := month.AddDate(0, 0, i); slices.Contains(r.days, d.Weekday()) {
			days = append(days, d)
		}
	}
	if r.index == 4 {
		return days[len(days)-1:]
	}
	return days[r.index : r.index+1]
}

// dayOf numbers dates from 1970 on, beginning with 1; dateOf is its inverse.
func dayOf(d time.Time) int { return int(d.Unix()/86400) + 1 }

func dateOf(day int) time.Time { return time.Unix(int64(day-1)*86400, 0).UTC() }
