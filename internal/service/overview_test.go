package service

import (
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

func TestPromiseIsTheLongestPauseAndTimeForARun(t *testing.T) {
	nights := make([]bool, 168) // open from 0 to 6 each day
	for i := range nights {
		nights[i] = i%24 < 6
	}
	for name, tc := range map[string]struct {
		job  holdfast.Job
		want time.Duration
	}{
		"every day":             {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Enabled: true, Type: "Daily", DailyType: "Everyday"}}, 36 * time.Hour},
		"workdays":              {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Enabled: true, Type: "Daily", DailyType: "Workdays"}}, 108 * time.Hour},
		"one day of the week":   {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Enabled: true, Type: "Daily", DailyType: "Monday"}}, 252 * time.Hour},
		"every hour":            {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Enabled: true, Type: "Periodically", Every: time.Hour}}, 2 * time.Hour},
		"every hour, at nights": {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Enabled: true, Type: "Periodically", Every: time.Hour, Window: nights, WindowEnabled: true}}, 28*time.Hour + 30*time.Minute},
		"all the time":          {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Enabled: true, Type: "Periodically", Continuously: true}}, time.Hour + time.Minute},
		"by hand":               {holdfast.Job{Enabled: true, Schedule: holdfast.Schedule{Type: "Daily", DailyType: "Everyday"}}, 0},
		"disabled":              {holdfast.Job{Schedule: holdfast.Schedule{Enabled: true, Type: "Daily", DailyType: "Everyday"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := promise(tc.job); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestLongestClosedGoesOverTheWeeksEnd(t *testing.T) {
	hours := make([]bool, 168)
	for i := 10; i < 160; i++ {
		hours[i] = true
	}
	if got := longestClosed(hours); got != 18*time.Hour {
		t.Errorf("got %v, want 18h", got)
	}
	if got := longestClosed(nil); got != 0 {
		t.Errorf("without a window: %v", got)
	}
}

func TestStandingAndDayTellTheTruth(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	today := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	point := holdfast.RestorePoint{Time: now.Add(-time.Hour)}
	old := now.Add(-100 * time.Hour)
	for name, tc := range map[string]struct {
		entry   holdfast.PointEntry
		promise time.Duration
		want    Standing
		day     DayState
	}{
		"updated":                          {holdfast.PointEntry{Head: 2, HeadTime: point.Time, State: holdfast.StateUpdated}, 36 * time.Hour, StandingCurrent, DayGood},
		"looked at, nothing new for weeks": {holdfast.PointEntry{Head: 1, HeadTime: old, State: holdfast.StateUnchanged}, 36 * time.Hour, StandingCurrent, DayGood},
		"not updated, still fresh":         {holdfast.PointEntry{Head: 1, HeadTime: now.Add(-5 * time.Hour), State: holdfast.StateNotUpdated}, 36 * time.Hour, StandingCurrent, DayWarning},
		"not updated for long":             {holdfast.PointEntry{Head: 1, HeadTime: old, State: holdfast.StateNotUpdated}, 36 * time.Hour, StandingLate, DayFailed},
		"not updated, nothing promised":    {holdfast.PointEntry{Head: 1, HeadTime: old, State: holdfast.StateNotUpdated}, 0, StandingLate, DayFailed},
		"never read":                       {holdfast.PointEntry{State: holdfast.StateNotUpdated}, 36 * time.Hour, StandingNever, DayFailed},
		"gone":                             {holdfast.PointEntry{Head: 1, HeadTime: old, State: holdfast.StateGone}, 36 * time.Hour, StandingGone, DayGone},
		"with skipped items":               {holdfast.PointEntry{Head: 2, HeadTime: point.Time, State: holdfast.StateUpdated, SkippedCount: 3}, 36 * time.Hour, StandingSkipped, DayWarning},
	} {
		t.Run(name, func(t *testing.T) {
			if got := standing(point, tc.entry, tc.promise, now).Standing; got != tc.want {
				t.Errorf("standing: got %s, want %s", got, tc.want)
			}
			if got := dayState(tc.entry, today); got != tc.day {
				t.Errorf("day: got %s, want %s", got, tc.day)
			}
		})
	}
	// What is backed up but for some items says which.
	some := holdfast.PointEntry{Head: 2, HeadTime: point.Time, State: holdfast.StateUpdated, SkippedCount: 1, Skipped: []holdfast.SkippedItem{{Name: "plan", Reason: holdfast.SkipCorrupt, Detail: "no answer"}}}
	if got, want := standing(point, some, 36*time.Hour, now).Reason, `"plan": corrupt: no answer`; got != want {
		t.Errorf("why an object stands with skipped items: got %q, want %q", got, want)
	}
	if got := standing(holdfast.RestorePoint{Time: old}, holdfast.PointEntry{Head: 2, HeadTime: old, State: holdfast.StateUpdated}, 36*time.Hour, now).Standing; got != StandingLate {
		t.Errorf("a good backup that is too old: %s", got)
	}
}

func TestHealthIsTheWorstThatThereIs(t *testing.T) {
	counts := func(s Standing) map[Standing]int { return map[Standing]int{s: 1} }
	for name, tc := range map[string]struct {
		state State
		want  Health
	}{
		"no job":             {State{}, HealthEmpty},
		"all well":           {State{Jobs: 1, Counts: counts(StandingCurrent)}, HealthGood},
		"gone is no problem": {State{Jobs: 1, Counts: counts(StandingGone)}, HealthGood},
		"skipped":            {State{Jobs: 1, Counts: counts(StandingSkipped)}, HealthWarning},
		"a warning":          {State{Jobs: 1, Warnings: []string{"export the kit"}}, HealthWarning},
		"a job with warning": {State{Jobs: 1, Problems: []holdfast.JobSession{{Status: holdfast.StatusWarning}}}, HealthWarning},
		"a failed job":       {State{Jobs: 1, Problems: []holdfast.JobSession{{Status: holdfast.StatusWarning}, {Status: holdfast.StatusFailed}}}, HealthCritical},
		"late":               {State{Jobs: 1, Counts: counts(StandingLate)}, HealthCritical},
		"never":              {State{Jobs: 1, Counts: counts(StandingNever)}, HealthCritical},
		"a lost place":       {State{Jobs: 1, Storage: []RepositoryStanding{{Problem: "not mounted"}}}, HealthCritical},
	} {
		t.Run(name, func(t *testing.T) {
			if got := healthOf(tc.state); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
