package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

func pointAt(id, job string, at time.Time, containers ...string) *Point {
	p := &Point{RestorePoint: holdfast.RestorePoint{ID: holdfast.RestorePointID(id), Job: holdfast.JobID(job), Time: at}, Heads: map[string]string{}}
	for _, c := range containers {
		p.Heads[c] = "head of " + c
	}
	return p
}

func TestExpiryKeepsTheNewestOfEachJobAndContainer(t *testing.T) {
	now := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	points := []*Point{
		pointAt("leaver", "daily", day(900), "mailbox/leaver", "mailbox/a"),
		pointAt("year", "daily", day(400), "mailbox/a"),
		pointAt("old job", "stopped", day(300), "mailbox/a"),
		pointAt("empty", "daily", day(200)),
		pointAt("month", "daily", day(40), "mailbox/a"),
		pointAt("week", "daily", day(8), "mailbox/a"),
		pointAt("limit", "daily", day(7), "mailbox/a"),
		pointAt("today", "daily", now, "mailbox/a"),
	}
	for name, tc := range map[string]struct {
		period        holdfast.RetentionPeriod
		expired, held []string
	}{
		"days":     {holdfast.RetentionPeriod{Days: 7}, []string{"week", "month", "empty", "year"}, []string{"old job", "leaver"}},
		"months":   {holdfast.RetentionPeriod{Months: 2}, []string{"empty", "year"}, []string{"old job", "leaver"}},
		"years":    {holdfast.RetentionPeriod{Years: 1}, []string{"year"}, []string{"leaver"}},
		"for ever": {holdfast.RetentionPeriod{Forever: true}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := expire(points, tc.period, now)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got.Expired) != fmt.Sprint(tc.expired) || fmt.Sprint(got.Held) != fmt.Sprint(tc.held) {
				t.Errorf("expired %v, held %v; want %v, %v", got.Expired, got.Held, tc.expired, tc.held)
			}
		})
	}
	for _, p := range []holdfast.RetentionPeriod{{}, {Days: 1, Years: 1}, {Days: -1}} {
		if _, err := expire(points, p, now); holdfast.KindOf(err) != holdfast.KindInvalid {
			t.Errorf("period %+v: %v", p, err)
		}
	}
}

// point writes a restore point of the mailbox at h.
func (b *bench) point(id string, h *Head) {
	b.t.Helper()
	p := holdfast.RestorePoint{
		ID: holdfast.RestorePointID(id), Organization: testOrganization, Job: "job", Time: b.clock.Now().UTC(),
		Entries: []holdfast.PointEntry{{Container: h.Container, Head: h.Number, State: holdfast.StateUpdated}},
	}
	if err := b.repo.WriteRestorePoint(b.t.Context(), p, []Head{*h}); err != nil {
		b.t.Fatal(err)
	}
}

func TestRetentionActsOnlyByATrustedClock(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "one")
	b.point("p1", b.publish(w))
	b.put(w, mail(2, "inbox"), "two")
	b.point("p2", b.publish(w))
	w.Close()
	week := RetainOptions{Period: holdfast.RetentionPeriod{Days: 7}}

	b.clock.Move(10 * 365 * 24 * time.Hour)
	if _, err := b.repo.Retain(ctx, week); holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "clock") {
		t.Errorf("clock ten years ahead: %v", err)
	}
	if _, err := b.repo.Maintain(ctx, nil); holdfast.KindOf(err) != holdfast.KindConflict {
		t.Errorf("maintenance with the clock ten years ahead: %v", err)
	}
	b.clock.Move(-10*365*24*time.Hour - 30*time.Minute) // set back, and half an hour too far
	if _, err := b.repo.Retain(ctx, week); holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "behind the newest entry") {
		t.Errorf("clock behind the journal: %v", err)
	}
	b.clock.Move(30*time.Minute + 8*24*time.Hour)
	b.vault.TrustClock()
	refused := errors.New("the database is down")
	if _, err := b.repo.Retain(ctx, RetainOptions{Period: week.Period, Forget: func(context.Context, []holdfast.RestorePointID) error { return refused }}); !errors.Is(err, refused) {
		t.Errorf("forget fails: %v", err)
	}
	if n := b.points(); n != 2 {
		t.Errorf("%d restore points after a retention that the database refused, want 2", n)
	}
	var told []holdfast.RestorePointID
	got, err := b.repo.Retain(ctx, RetainOptions{Period: week.Period, Forget: func(_ context.Context, l []holdfast.RestorePointID) error { told = l; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Expired, []holdfast.RestorePointID{"p1"}) || !slices.Equal(told, got.Expired) || !slices.Equal(got.Held, []holdfast.RestorePointID{"p2"}) {
		t.Errorf("expired %v, told %v, held %v", got.Expired, told, got.Held)
	}
	b.reopen()
	if n := b.points(); n != 1 {
		t.Errorf("%d restore points are left, want 1", n)
	}
}

func (b *bench) points() int {
	b.t.Helper()
	n := 0
	for _, err := range b.repo.Points(b.t.Context()) {
		if err != nil {
			b.t.Fatal(err)
		}
		n++
	}
	return n
}

func TestJournalIsShortenedWithoutLosingAHead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	const journalKept = 4
	b.repo.sizes.journalKept = journalKept
	heads := map[string]*Head{}
	for n := range 2*journalKept + 10 {
		c := testMailbox
		c.Source = fmt.Sprintf("mailbox-%d", n%3)
		w := b.writerOf(c, heads[c.Key()])
		b.put(w, mail(n, "inbox"), "body")
		heads[c.Key()] = b.publish(w)
		w.Close()
	}
	c0 := testMailbox
	c0.Source = "a first backup"
	w := b.writerOf(c0, nil)
	b.put(w, mail(1, "inbox"), "unfinished")
	cp := b.publishAs(w, Checkpoint)
	w.Close()
	for range journalKept { // the checkpoint is among the old ones
		w := b.writerOf(heads["mailbox/mailbox-0"].Container, heads["mailbox/mailbox-0"])
		b.put(w, mail(2, "inbox"), "more")
		heads["mailbox/mailbox-0"] = b.publish(w)
		w.Close()
	}
	b.clock.Move(journalAge + time.Hour)
	b.vault.TrustClock()
	got, err := b.repo.Maintain(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Entries == 0 {
		t.Error("no entry was dropped")
	}
	b.reopen()
	c, err := b.repo.Rebuild(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for key, h := range heads {
		if p := c.Published[key]; p == nil || p.Object != h.Object {
			t.Errorf("%s: %+v, want %+v", key, p, h)
		}
	}
	if got := c.Checkpoint[c0.Key()]; got == nil || got.Object != cp.Object {
		t.Errorf("checkpoint: %+v, want %+v", got, cp)
	}
	n := 0
	for e, err := range b.repo.Journal(ctx, "") {
		if err != nil || n == 0 && e.ID == "" {
			t.Fatal(err)
		}
		n++
	}
	if n > 2*journalKept+2 {
		t.Errorf("the journal still has %d entries", n)
	}
}

func TestMaintenanceWaitsForAWriterWithoutACheckpoint(t *testing.T) {
	b := newBench(t)
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "body")
	b.clock.Move(3 * time.Hour)
	b.vault.TrustClock()
	if _, err := b.repo.Maintain(t.Context(), nil); holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "checkpoint") {
		t.Errorf("maintenance beside a writer three hours without a checkpoint: %v", err)
	}
	b.publishAs(w, Checkpoint)
	if _, err := b.repo.Maintain(t.Context(), nil); err != nil {
		t.Errorf("after the checkpoint: %v", err)
	}
}

func TestHeadThatNobodyPublishesDoesNotStopMaintenance(t *testing.T) {
	b := newBench(t)
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "body")
	h, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	b.clock.Move(3 * time.Hour)
	b.vault.TrustClock()
	if _, err := b.repo.Maintain(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if _, err := b.repo.Publish(t.Context(), []Head{*h}, Published); holdfast.KindOf(err) != holdfast.KindConflict {
		t.Errorf("publishing the head that was given up: %v", err)
	}
}

func TestSparedPointsAreHeld(t *testing.T) {
	with := func(id string, containers ...holdfast.Container) *Point {
		p := &Point{RestorePoint: holdfast.RestorePoint{ID: holdfast.RestorePointID(id)}}
		for _, c := range containers {
			p.Entries = append(p.Entries, holdfast.PointEntry{Container: c, Head: 1})
		}
		return p
	}
	mail, group := holdfast.Container{Kind: holdfast.Mailbox, Source: "ann"}, holdfast.Container{Kind: holdfast.Mailbox, Source: holdfast.GroupSource + "team"}
	drive := holdfast.Container{Kind: holdfast.Drive, Source: "d"}
	never := with("never read", mail)
	never.Entries[0].Head = 0
	points := []*Point{with("mail", drive, mail), with("group", group), with("drive", drive), never}
	for _, tc := range []struct {
		e             holdfast.RetentionExclusion
		expired, held string
	}{
		{holdfast.RetentionExclusion{}, "[mail group drive never read]", "[]"},
		{holdfast.RetentionExclusion{Contacts: true}, "[group drive never read]", "[mail]"},
		{holdfast.RetentionExclusion{Calendar: true}, "[group drive never read]", "[mail]"},
	} {
		got := &Retained{Expired: []holdfast.RestorePointID{"mail", "group", "drive", "never read"}}
		got.spare(points, tc.e)
		if fmt.Sprint(got.Expired) != tc.expired || fmt.Sprint(got.Held) != tc.held {
			t.Errorf("%+v: expired %v, held %v", tc.e, got.Expired, got.Held)
		}
	}
}
