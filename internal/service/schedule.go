package service

import (
	"slices"
	"time"

	"holdfast/internal/holdfast"
)

// The kinds of schedules.
const (
	scheduleDaily        = "Daily"
	schedulePeriodically = "Periodically"
)

var dayTypes = map[string]func(time.Weekday) bool{
	"Everyday":  func(time.Weekday) bool { return true },
	"Workdays":  func(d time.Weekday) bool { return d != time.Saturday && d != time.Sunday },
	"Weekends":  func(d time.Weekday) bool { return d == time.Saturday || d == time.Sunday },
	"Monday":    func(d time.Weekday) bool { return d == time.Monday },
	"Tuesday":   func(d time.Weekday) bool { return d == time.Tuesday },
	"Wednesday": func(d time.Weekday) bool { return d == time.Wednesday },
	"Thursday":  func(d time.Weekday) bool { return d == time.Thursday },
	"Friday":    func(d time.Weekday) bool { return d == time.Friday },
	"Saturday":  func(d time.Weekday) bool { return d == time.Saturday },
	"Sunday":    func(d time.Weekday) bool { return d == time.Sunday },
}

var monthlyNumbers = []string{"First", "Second", "Third", "Fourth", "Last"}

// intervals are those that the contract has for Periodically.
var intervals = []time.Duration{5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour}

// continuousPause is between the runs of a job that runs all the time.
const continuousPause = time.Minute

// checkSchedule says what is wrong with s, also when it is not enabled, since it may be later.
func checkSchedule(s holdfast.Schedule) error {
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil {
			return holdfast.Invalid("there is no time zone %q", s.Zone)
		}
	}
	switch s.Type {
	case "":
		if s.Enabled {
			return holdfast.Invalid("the schedule's type is missing; it is Daily or Periodically")
		}
	case scheduleDaily:
		if dayTypes[s.DailyType] == nil {
			return holdfast.Invalid("there is no daily type %q", s.DailyType)
		}
		if _, err := clockTime(s.DailyTime); err != nil {
			return err
		}
	case schedulePeriodically:
		if !s.Continuously && !slices.Contains(intervals, s.Every) {
			return holdfast.Invalid("a job can't run every %v; possible are 5, 10, 15 and 30 minutes and 1, 2, 4, 8 and 12 hours", s.Every)
		}
		if s.Offset < 0 || s.Offset >= time.Hour {
			return holdfast.Invalid("the offset after the hour is from 0 to 59 minutes, not %v", s.Offset)
		}
	default:
		return holdfast.Invalid("there is no schedule type %q; it is Daily or Periodically", s.Type)
	}
	for name, w := range map[string]struct {
		on     bool
		hours  []bool
		offset time.Duration
	}{"backup window": {s.WindowEnabled, s.Window, s.WindowOffset}, "periodic window": {s.StartWindowEnabled, s.StartWindow, s.StartWindowOffset}} {
		if w.hours != nil && len(w.hours) != 168 {
			return holdfast.Invalid("a %s has 168 hours, Sunday 00:00 first; this one has %d", name, len(w.hours))
		}
		if w.on && w.hours != nil && !slices.Contains(w.hours, true) {
			return holdfast.Invalid("the %s allows no hour at all", name)
		}
		if w.offset <= -12*time.Hour || w.offset >= 12*time.Hour {
			return holdfast.Invalid("the %s can't be moved by %v", name, w.offset)
		}
	}
	if s.RetryEnabled && (s.RetryNumber < 1 || s.RetryNumber > 100) {
		return holdfast.Invalid("the number of retries is from 1 to 100, not %d", s.RetryNumber)
	}
	if s.RetryEnabled && (s.RetryWait < time.Minute || s.RetryWait > 24*time.Hour) {
		return holdfast.Invalid("the wait between retries is from 1 minute to a day, not %v", s.RetryWait)
	}
	return nil
}

// nextRun is the first start after t, or zero when there is none. Every local day has each of its daily times once: a time that
// the clocks skip in spring comes as much later, one that they repeat in autumn counts the first time.
func nextRun(s holdfast.Schedule, t time.Time) time.Time {
	if !s.Enabled {
		return time.Time{}
	}
	zone := scheduleZone(s)
	allowed := func(at time.Time) bool {
		return (!s.WindowEnabled || inWindow(s.Window, s.WindowOffset, at, zone)) &&
			(s.Type != schedulePeriodically || !s.StartWindowEnabled || inWindow(s.StartWindow, s.StartWindowOffset, at, zone))
	}
	switch {
	case s.Type == scheduleDaily:
		at, err := clockTime(s.DailyTime)
		if err != nil || dayTypes[s.DailyType] == nil {
			return time.Time{}
		}
		// Two weeks hold every day type; a slot outside the window waits for the window, at most until the next slot.
		local := t.In(zone)
		for day := -7; day <= 14; day++ {
			date := time.Date(local.Year(), local.Month(), local.Day()+day, 12, 0, 0, 0, time.UTC)
			if !dayTypes[s.DailyType](date.Weekday()) {
				continue
			}
			slot := wall(date, at, zone)
			start, ok := firstAllowed(slot, allowed)
			if ok && start.After(t) {
				return start.UTC()
			}
		}
	case s.Continuously:
		if start, ok := firstAllowed(t.Add(continuousPause), allowed); ok {
			return start.UTC()
		}
	case s.Type == schedulePeriodically && s.Every > 0:
		for slot := range periodicSlots(s, t, zone) {
			if allowed(slot) {
				return slot.UTC()
			}
		}
	}
	return time.Time{}
}

// periodicSlots gives the slots after t, of two weeks. Up to an hour they are equally far apart in real time; above, they are at fixed
// times of the local day.
func periodicSlots(s holdfast.Schedule, t time.Time, zone *time.Location) func(func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		if s.Every <= time.Hour {
			for slot := t.Add(-s.Offset).Truncate(s.Every).Add(s.Offset); slot.Before(t.Add(15 * 24 * time.Hour)); slot = slot.Add(s.Every) {
				if slot.After(t) && !yield(slot) {
					return
				}
			}
			return
		}
		local, last := t.In(zone), t
		for day := -1; day <= 15; day++ {
			date := time.Date(local.Year(), local.Month(), local.Day()+day, 12, 0, 0, 0, time.UTC)
			for at := s.Offset; at < 24*time.Hour; at += s.Every {
				slot := wall(date, at, zone)
				if !slot.After(last) {
					continue
				}
				last = slot
				if !yield(slot) {
					return
				}
			}
		}
	}
}

// wall is the instant at which clocks in zone first show the time of day at on date (whose own zone does not matter), or, when the
// clocks skip it, the instant as long after the skip as at is after its beginning.
func wall(date time.Time, at time.Duration, zone *time.Location) time.Time {
	asUTC := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, time.UTC).Add(at)
	offset := func(around time.Time) time.Duration {
		_, secs := around.In(zone).Zone()
		return time.Duration(secs) * time.Second
	}
	before, after := asUTC.Add(-offset(asUTC.Add(-26*time.Hour))), asUTC.Add(-offset(asUTC.Add(26*time.Hour)))
	shows := func(t time.Time) bool {
		l := t.In(zone)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC).Equal(asUTC)
	}
	first, second := before, after
	if second.Before(first) {
		first, second = second, first
	}
	switch {
	case shows(first):
		return first
	case shows(second):
		return second
	}
	return before
}

// firstAllowed is t or the first later beginning of an allowed stretch, within a week.
func firstAllowed(t time.Time, allowed func(time.Time) bool) (time.Time, bool) {
	if allowed(t) {
		return t, true
	}
	// Windows begin at whole minutes; quarter hours cover every zone and the usual offsets, minutes the rest.
	for at := t.Truncate(time.Minute).Add(time.Minute); at.Before(t.Add(8 * 24 * time.Hour)); at = at.Add(time.Minute) {
		if allowed(at) {
			return at, true
		}
	}
	return time.Time{}, false
}

// inWindow says whether t lies in one of the allowed hours of the week. No hours mean always.
func inWindow(hours []bool, offset time.Duration, t time.Time, zone *time.Location) bool {
	if len(hours) != 168 {
		return true
	}
	l := t.In(zone).Add(-offset)
	return hours[int(l.Weekday())*24+l.Hour()]
}

func scheduleZone(s holdfast.Schedule) *time.Location {
	if s.Zone == "" {
		return time.Local
	}
	if zone, err := time.LoadLocation(s.Zone); err == nil {
		return zone
	}
	return time.Local
}

// clockTime reads HH:MM:SS or HH:MM.
func clockTime(text string) (time.Duration, error) {
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second, nil
		}
	}
	return 0, holdfast.Invalid("%q is not a time of day; write HH:MM:SS", text)
}

func checkRetentionSchedule(r holdfast.Repository) error {
	switch r.RetentionFrequency {
	case "Daily":
		if dayTypes[r.DailyType] == nil {
			return holdfast.Invalid("there is no daily type %q", r.DailyType)
		}
		_, err := clockTime(r.DailyTime)
		return err
	case "Monthly":
		if _, err := clockTime(r.MonthlyTime); err != nil {
			return err
		}
		if !slices.Contains(monthlyNumbers, r.MonthlyDayNumber) {
			return holdfast.Invalid("there is no day number %q; it is First, Second, Third, Fourth or Last", r.MonthlyDayNumber)
		}
		if _, err := weekday(r.MonthlyDayOfWeek); err != nil {
			return err
		}
		return nil
	}
	return holdfast.Invalid("there is no retention frequency %q; it is Daily or Monthly", r.RetentionFrequency)
}

func weekday(name string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, holdfast.Invalid("there is no day of the week %q", name)
}

// nextRetention is the first time after t at which retention is to run, in the server's zone.
func nextRetention(r holdfast.Repository, t time.Time) time.Time {
	if r.RetentionFrequency == "Daily" {
		return nextRun(holdfast.Schedule{Enabled: true, Type: scheduleDaily, DailyTime: r.DailyTime, DailyType: r.DailyType}, t)
	}
	at, err := clockTime(r.MonthlyTime)
	if err != nil {
		return time.Time{}
	}
	day, err := weekday(r.MonthlyDayOfWeek)
	if err != nil {
		return time.Time{}
	}
	local := t.In(time.Local)
	for month := range 3 {
		first := time.Date(local.Year(), local.Month()+time.Month(month), 1, 12, 0, 0, 0, time.UTC)
		date := first.AddDate(0, 0, (int(day)-int(first.Weekday())+7)%7)
		if n := slices.Index(monthlyNumbers, r.MonthlyDayNumber); n < 4 {
			date = date.AddDate(0, 0, 7*n)
		} else {
			for next := date.AddDate(0, 0, 7); next.Month() == first.Month(); next = next.AddDate(0, 0, 7) {
				date = next
			}
		}
		if slot := wall(date, at, time.Local); slot.After(t) {
			return slot.UTC()
		}
	}
	return time.Time{}
}

// describeSchedule is for people.
func describeSchedule(s holdfast.Schedule) string {
	switch {
	case !s.Enabled:
		return holdfast.SayNotScheduled.With()
	case s.Type == scheduleDaily:
		return holdfast.SayDaily.With(s.DailyType, s.DailyTime)
	case s.Continuously:
		return holdfast.SayContinuously.With()
	}
	return holdfast.SayEvery.With(s.Every)
}
