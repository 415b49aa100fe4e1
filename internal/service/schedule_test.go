package service

import (
	"slices"
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

func berlin(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// hours allows the hours of the day from from to before until, on every day.
func hours(from, until int) []bool {
	w := make([]bool, 168)
	for i := range w {
		w[i] = i%24 >= from && i%24 < until
	}
	return w
}

func TestNextRun(t *testing.T) {
	daily := func(at, days string) holdfast.Schedule {
		return holdfast.Schedule{Enabled: true, Type: "Daily", DailyTime: at, DailyType: days, Zone: "Europe/Berlin"}
	}
	every := func(d, offset time.Duration) holdfast.Schedule {
		return holdfast.Schedule{Enabled: true, Type: "Periodically", Every: d, Offset: offset, Zone: "Europe/Berlin"}
	}
	with := func(s holdfast.Schedule, edit func(*holdfast.Schedule)) holdfast.Schedule { edit(&s); return s }
	for name, tc := range map[string]struct {
		s    holdfast.Schedule
		from string
		want []string // local wall clock, then UTC offset in hours
	}{
		"every day":                                   {daily("22:00:00", "Everyday"), "2026-01-10 21:00", []string{"2026-01-10 22:00 +01", "2026-01-11 22:00 +01"}},
		"at the time itself is the next day":          {daily("22:00:00", "Everyday"), "2026-01-10 22:00", []string{"2026-01-11 22:00 +01"}},
		"workdays skip the weekend":                   {daily("22:00", "Workdays"), "2026-01-09 23:00", []string{"2026-01-12 22:00 +01"}},
		"weekends":                                    {daily("06:00:00", "Weekends"), "2026-01-11 07:00", []string{"2026-01-17 06:00 +01"}},
		"one day of the week":                         {daily("06:00:00", "Thursday"), "2026-01-08 07:00", []string{"2026-01-15 06:00 +01", "2026-01-22 06:00 +01"}},
		"an hour that spring skips":                   {daily("02:30:00", "Everyday"), "2026-03-28 12:00", []string{"2026-03-29 03:30 +02", "2026-03-30 02:30 +02"}},
		"an hour that autumn repeats, once":           {daily("02:30:00", "Everyday"), "2026-10-24 12:00", []string{"2026-10-25 02:30 +02", "2026-10-26 02:30 +01"}},
		"every 8 hours over spring":                   {every(8*time.Hour, 15*time.Minute), "2026-03-28 20:00", []string{"2026-03-29 00:15 +01", "2026-03-29 08:15 +02", "2026-03-29 16:15 +02", "2026-03-30 00:15 +02"}},
		"every 2 hours meets the skipped hour":        {every(2*time.Hour, 0), "2026-03-29 00:30", []string{"2026-03-29 03:00 +02", "2026-03-29 04:00 +02", "2026-03-29 06:00 +02"}},
		"every 30 minutes over autumn misses nothing": {every(30*time.Minute, 0), "2026-10-25 01:45", []string{"2026-10-25 02:00 +02", "2026-10-25 02:30 +02", "2026-10-25 02:00 +01", "2026-10-25 02:30 +01", "2026-10-25 03:00 +01"}},
		"every hour with an offset":                   {every(time.Hour, 20*time.Minute), "2026-01-10 10:20", []string{"2026-01-10 11:20 +01"}},
		"continuously":                                {with(every(0, 0), func(s *holdfast.Schedule) { s.Continuously = true }), "2026-01-10 10:20", []string{"2026-01-10 10:21 +01"}},
		"a start window": {with(every(time.Hour, 0), func(s *holdfast.Schedule) { s.StartWindow, s.StartWindowEnabled = hours(8, 10), true }), "2026-01-10 09:30",
			[]string{"2026-01-11 08:00 +01", "2026-01-11 09:00 +01", "2026-01-12 08:00 +01"}},
		"a moved start window": {with(every(time.Hour, 0), func(s *holdfast.Schedule) {
			s.StartWindow, s.StartWindowEnabled, s.StartWindowOffset = hours(8, 10), true, 30*time.Minute
		}), "2026-01-10 05:30", []string{"2026-01-10 09:00 +01", "2026-01-10 10:00 +01"}},
		"a daily run waits for the backup window": {with(daily("22:00:00", "Everyday"), func(s *holdfast.Schedule) { s.Window, s.WindowEnabled = hours(3, 6), true }), "2026-01-10 12:00",
			[]string{"2026-01-11 03:00 +01", "2026-01-12 03:00 +01"}},
		"continuously within the window": {with(every(0, 0), func(s *holdfast.Schedule) { s.Continuously, s.Window, s.WindowEnabled = true, hours(3, 6), true }), "2026-01-10 06:00", []string{"2026-01-11 03:00 +01"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkSchedule(tc.s); err != nil {
				t.Fatal(err)
			}
			at := berlin(t, tc.from)
			var got []string
			for range tc.want {
				at = nextRun(tc.s, at)
				got = append(got, at.In(berlin(t, tc.from).Location()).Format("2006-01-02 15:04 -07"))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("\n got %v\nwant %v", got, tc.want)
			}
		})
	}
	if next := nextRun(holdfast.Schedule{Type: "Daily", DailyTime: "22:00", DailyType: "Everyday"}, berlin(t, "2026-01-01 00:00")); !next.IsZero() {
		t.Errorf("a schedule that is off runs at %v", next)
	}
}

func TestEveryLocalDayHasItsRunOnce(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "America/Santiago"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{"00:00:00", "00:30:00", "02:00:00", "02:15:00", "23:59:59"} {
			s := holdfast.Schedule{Enabled: true, Type: "Daily", DailyTime: at, DailyType: "Everyday", Zone: zone}
			days := map[string]int{}
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, loc).Add(-time.Second)
			for now := nextRun(s, start); now.Before(time.Date(2027, 1, 1, 0, 0, 0, 0, loc)); now = nextRun(s, now) {
				days[now.In(loc).Format(time.DateOnly)]++
			}
			if len(days) != 365 {
				t.Errorf("%s at %s: ran on %d days of 365", zone, at, len(days))
			}
			for day, n := range days {
				if n != 1 {
					t.Errorf("%s at %s: %d runs on %s", zone, at, n, day)
				}
			}
		}
	}
}

func TestScheduleThatCannotBe(t *testing.T) {
	for name, s := range map[string]holdfast.Schedule{
		"no type":         {Enabled: true},
		"odd type":        {Type: "Hourly"},
		"odd day":         {Type: "Daily", DailyTime: "10:00", DailyType: "Holidays"},
		"odd time":        {Type: "Daily", DailyTime: "25:00", DailyType: "Everyday"},
		"odd interval":    {Type: "Periodically", Every: 7 * time.Minute},
		"short window":    {Type: "Periodically", Every: time.Hour, Window: make([]bool, 24)},
		"closed window":   {Type: "Periodically", Every: time.Hour, Window: make([]bool, 168), WindowEnabled: true},
		"odd zone":        {Zone: "Mars/Olympus"},
		"no retries":      {RetryEnabled: true, RetryWait: time.Minute},
		"hasty retries":   {RetryEnabled: true, RetryNumber: 1},
		"offset too long": {Type: "Periodically", Every: time.Hour, Offset: time.Hour},
	} {
		if err := checkSchedule(s); holdfast.KindOf(err) != holdfast.KindInvalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestNextRetention(t *testing.T) {
	zone := time.Local
	t.Cleanup(func() { time.Local = zone })
	time.Local = berlin(t, "2026-01-01 00:00").Location()
	monthly := func(number, day string) holdfast.Repository {
		return holdfast.Repository{RetentionFrequency: "Monthly", MonthlyTime: "04:00:00", MonthlyDayNumber: number, MonthlyDayOfWeek: day}
	}
	for name, tc := range map[string]struct {
		r    holdfast.Repository
		want string
	}{
		"daily":        {holdfast.Repository{RetentionFrequency: "Daily", DailyTime: "03:00:00", DailyType: "Weekends"}, "2026-01-17 03:00"},
		"first monday": {monthly("First", "Monday"), "2026-02-02 04:00"},
		"third friday": {monthly("Third", "Friday"), "2026-01-16 04:00"},
		"last sunday":  {monthly("Last", "Sunday"), "2026-01-25 04:00"},
	} {
		if got := nextRetention(tc.r, berlin(t, "2026-01-12 12:00")).In(time.Local).Format("2006-01-02 15:04"); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
