package fasttransfer

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	icalUTC   = "20060102T150405Z"
	icalLocal = "20060102T150405"
	icalDate  = "20060102"
)

// WriteICalendar writes an appointment or a task as iCalendar (RFC 5545) without a method: as it stands in the calendar, inviting nobody.
func (m *Message) WriteICalendar(w io.Writer) error {
	l := newLines(w)
	l.line("BEGIN", "VCALENDAR")
	l.line("VERSION", "2.0")
	l.line("PRODID", "-//Holdfast//Export//EN")
	if m.Kind() == KindTask {
		if err := m.writeTask(l); err != nil {
			return err
		}
	} else {
		a, ok := m.Appointment()
		if !ok {
			return fmt.Errorf("the item has no start time, so it is no appointment")
		}
		if err := m.writeEvents(l, a); err != nil {
			return err
		}
	}
	l.line("END", "VCALENDAR")
	return l.close()
}

// event writes the parts of an event with times by one clock.
type event struct {
	*lines
	zone   *Zone // nil: UTC
	id     string
	allDay bool
}

// time writes a moment, given by the zone's clock.
func (e *event) time(name string, local time.Time) {
	switch {
	case e.allDay:
		e.line(name+";VALUE=DATE", local.Format(icalDate))
	case e.zone == nil:
		e.line(name, local.Format(icalUTC))
	default:
		e.line(name+parameter("TZID", e.id), local.Format(icalLocal))
	}
}

func (e *event) utc(local time.Time) time.Time {
	if e.zone == nil {
		return local
	}
	return e.zone.UTC(local)
}

func (e *event) local(t time.Time) time.Time {
	if e.zone == nil {
		return t.UTC()
	}
	return e.zone.Local(t)
}

func (m *Message) writeEvents(l *lines, a Appointment) error {
	e := &event{lines: l, zone: a.Zone, allDay: a.AllDay}
	rec := a.Recurrence
	if e.zone == nil && rec != nil {
		// A series without a zone: its clock is ahead of UTC by what its first start is.
		ahead := rec.Start.Add(rec.StartOffset).Sub(a.Start).Round(15 * time.Minute)
		if ahead.Abs() <= 14*time.Hour && ahead != 0 {
			e.zone = &Zone{Rules: []ZoneRule{{Standard: ahead, Daylight: ahead}}}
		}
	}
	if e.zone != nil && !a.AllDay {
		e.id = firstOf(e.zone.Name, "Local")
		e.writeZone(a.Start.Year())
	}
	start, end := e.local(a.Start), e.local(a.End)
	if a.End.Before(a.Start) {
		end = start
	}
	if rec != nil {
		start, end = rec.Start.Add(rec.StartOffset), rec.Start.Add(rec.EndOffset)
	}
	if a.AllDay {
		start, end = day(start, a.Zone), day(end, a.Zone)
		if !end.After(start) {
			end = start.AddDate(0, 0, 1)
		}
	}
	uid := firstOf(a.UID, m.itemUID())
	e.line("BEGIN", "VEVENT")
	e.line("UID", escape(uid))
	e.time("DTSTART", start)
	e.time("DTEND", end)
	if !a.Original.IsZero() && rec == nil {
		e.time("RECURRENCE-ID", e.local(a.Original))
	}
	if rec != nil {
		rule, err := rec.rule(e)
		if err != nil {
			e.text("X-HOLDFAST-PROBLEM", err.Error())
		} else {
			e.line("RRULE", rule)
			for _, d := range rec.Deleted {
				e.time("EXDATE", d.Add(rec.StartOffset))
			}
		}
	}
	if err := m.writeDetails(e, a); err != nil {
		return err
	}
	if rec == nil || len(rec.Exceptions) == 0 {
		e.line("END", "VEVENT")
		return nil
	}
	s, err := m.series(e, a, uid)
	if err != nil {
		return err
	}
	if n := len(rec.Exceptions); s.size() > maxRepeated/n {
		e.text("X-HOLDFAST-PROBLEM", fmt.Sprintf("the series has %d changed occurrences, which do not have its text and its people again", n))
		s.subject, s.location, s.text, s.people, s.common = "", "", "", "", ""
	}
	e.line("END", "VEVENT")
	occurrence := m.occurrences(e)
	for _, x := range rec.Exceptions {
		if err := s.writeException(e, a, x, occurrence(x)); err != nil {
			return err
		}
	}
	return nil
}

// maxRepeated bounds what a series has and each of its changed occurrences has again, in bytes of all of them.
const maxRepeated = 64 << 20

// series is what changed occurrences have of it, made once, for there may be thousands.
type series struct {
	uid, stamp, subject, location, text string
	common, people                      string // whole lines
}

func (s *series) size() int {
	return len(s.subject) + len(s.location) + len(s.text) + len(s.common) + len(s.people)
}

func (m *Message) series(e *event, a Appointment, uid string) (*series, error) {
	text, err := m.plain(maxText)
	if err != nil {
		return nil, err
	}
	s := &series{uid: escape(uid), stamp: m.stamp().Format(icalUTC), subject: m.Subject(), location: a.Location, text: strings.TrimSpace(text)}
	if s.common, err = linesOf(m.writeCommon); err != nil {
		return nil, err
	}
	s.people, err = linesOf(func(l *lines) { m.writePeople(l, a) })
	return s, err
}

func linesOf(write func(*lines)) (string, error) {
	var out strings.Builder
	l := newLines(&out)
	write(l)
	err := l.close()
	return out.String(), err
}

// day is the date of midnight. Without a zone it is the nearest one, for all places within half a day of UTC.
func day(t time.Time, zone *Zone) time.Time {
	if zone == nil {
		t = t.Add(12 * time.Hour)
	}
	return t.Truncate(24 * time.Hour)
}

// itemUID is for what no meeting gave one: the item's own lasting identity in the mailbox.
func (m *Message) itemUID() string {
	for _, n := range []Name{tag(0x300b), tag(0x65e0), tag(0x65e2)} { // search key, source key, change key
		if b := m.bytes(n, 256); len(b) > 0 {
			return strings.ToUpper(hex.EncodeToString(b))
		}
	}
	return strconv.FormatInt(m.Created().UnixNano(), 16) + "-" + strconv.FormatInt(m.time(appointment(0x820d)).UnixNano(), 16)
}

func (m *Message) stamp() time.Time {
	for _, t := range []time.Time{m.Modified(), m.Created(), m.Received(), m.Sent()} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Unix(0, 0).UTC()
}

// writeDetails writes what an event has beside its times.
func (m *Message) writeDetails(e *event, a Appointment) error {
	e.line("DTSTAMP", m.stamp().Format(icalUTC))
	if t := m.Created(); !t.IsZero() {
		e.line("CREATED", t.Format(icalUTC))
	}
	if t := m.Modified(); !t.IsZero() {
		e.line("LAST-MODIFIED", t.Format(icalUTC))
	}
	e.text("SUMMARY", m.Subject())
	e.text("LOCATION", a.Location)
	text, err := m.plain(maxText)
	if err != nil {
		return err
	}
	e.text("DESCRIPTION", strings.TrimSpace(text))
	m.writeCommon(e.lines)
	e.line("SEQUENCE", strconv.Itoa(max(0, a.Sequence)))
	switch {
	case a.Cancelled:
		e.line("STATUS", "CANCELLED")
	case a.Busy == "tentative":
		e.line("STATUS", "TENTATIVE")
	default:
		e.line("STATUS", "CONFIRMED")
	}
	e.writeBusy(a.Busy)
	if a.Meeting || len(m.Recipients) > 0 {
		m.writePeople(e.lines, a)
	}
	if a.Reminder {
		e.writeAlarm(m.Subject(), a.Minutes)
	}
	return nil
}

func (e *event) writeBusy(busy string) {
	transparency := "OPAQUE"
	if busy == "free" {
		transparency = "TRANSPARENT"
	}
	e.line("TRANSP", transparency)
	e.line("X-MICROSOFT-CDO-BUSYSTATUS", map[string]string{"free": "FREE", "tentative": "TENTATIVE", "busy": "BUSY", "outOfOffice": "OOF", "workingElsewhere": "WORKINGELSEWHERE"}[busy])
}

func (e *event) writeAlarm(subject string, before int) {
	e.line("BEGIN", "VALARM")
	e.line("ACTION", "DISPLAY")
	e.line("DESCRIPTION", escape(firstOf(subject, "Reminder")))
	sign := "-"
	if before < 0 {
		sign, before = "", -before
	}
	e.line("TRIGGER", fmt.Sprintf("%sPT%dM", sign, before))
	e.line("END", "VALARM")
}

// writeCommon writes what events and tasks have alike.
func (m *Message) writeCommon(l *lines) {
	switch m.Sensitivity() {
	case "normal":
		l.line("CLASS", "PUBLIC")
	case "confidential":
		l.line("CLASS", "CONFIDENTIAL")
	default:
		l.line("CLASS", "PRIVATE")
	}
	l.line("PRIORITY", map[string]string{"low": "9", "normal": "5", "high": "1"}[m.Importance()])
	if categories := m.Categories(); len(categories) > 0 {
		l.line("CATEGORIES", joined(categories))
	}
}

// mailto is the address as a calendar writes it; the server's own way of addressing stands for those without another.
func mailto(a Address) string {
	if a.Email == "" {
		return "invalid:nomail"
	}
	return "mailto:" + strings.Map(func(r rune) rune {
		if r <= ' ' || r == ';' || r == ',' {
			return -1
		}
		return r
	}, a.Email)
}

func (m *Message) writePeople(l *lines, a Appointment) {
	if a.Organizer != (Address{}) {
		l.line("ORGANIZER"+parameter("CN", firstOf(a.Organizer.Name, a.Organizer.Email)), mailto(a.Organizer))
	}
	for _, r := range m.Recipients {
		if r.Organizer() || r.Kind() == Originator {
			continue
		}
		who := r.Address()
		params := parameter("CN", firstOf(who.Name, who.Email))
		switch r.Kind() {
		case CC:
			params += ";ROLE=OPT-PARTICIPANT"
		case BCC:
			params += ";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT"
		default:
			params += ";ROLE=REQ-PARTICIPANT"
		}
		switch r.Response() {
		case "accepted", "organizer":
			params += ";PARTSTAT=ACCEPTED"
		case "tentative":
			params += ";PARTSTAT=TENTATIVE"
		case "declined":
			params += ";PARTSTAT=DECLINED"
		default:
			params += ";PARTSTAT=NEEDS-ACTION"
		}
		l.line("ATTENDEE"+params, mailto(who))
	}
}

// writeException writes a changed occurrence: what it has of its own, by its rule or in the message own, the rest from the series.
func (s *series) writeException(e *event, a Appointment, x Exception, own *Message) error {
	allDay := e.allDay
	e.line("BEGIN", "VEVENT")
	e.line("UID", s.uid)
	e.time("RECURRENCE-ID", x.Original)
	if x.AllDay != nil {
		e.allDay = *x.AllDay
	}
	e.time("DTSTART", x.Start)
	e.time("DTEND", x.End)
	e.allDay = allDay
	e.line("DTSTAMP", s.stamp)
	subject, location, busy, reminder, before := s.subject, s.location, a.Busy, a.Reminder, a.Minutes
	if x.Subject != nil {
		subject = *x.Subject
	}
	if x.Location != nil {
		location = *x.Location
	}
	if x.Busy != nil {
		busy = choose(int64(*x.Busy), "free", "tentative", "busy", "outOfOffice", "workingElsewhere")
	}
	if x.Reminder != nil {
		reminder = *x.Reminder
	}
	if x.Minutes != nil {
		before = *x.Minutes
	}
	e.text("SUMMARY", subject)
	e.text("LOCATION", location)
	text := s.text
	if own != nil && x.Body {
		t, err := own.plain(maxText)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(t)
	}
	e.text("DESCRIPTION", text)
	e.write(s.common)
	e.line("SEQUENCE", strconv.Itoa(max(0, a.Sequence)))
	e.writeBusy(busy)
	switch {
	case !a.Meeting:
	case own != nil && len(own.Recipients) > 0:
		own.writePeople(e.lines, a)
	default:
		e.write(s.people)
	}
	if reminder {
		e.writeAlarm(subject, before)
	}
	e.line("END", "VEVENT")
	return nil
}

// occurrences gives the message that a changed occurrence has as an attachment, if it has one. An attachment belongs to one occurrence.
func (m *Message) occurrences(e *event) func(Exception) *Message {
	type times struct{ start, end time.Time }
	byOriginal, byTimes := map[time.Time][]*Message{}, map[times][]*Message{}
	for _, at := range m.Attachments {
		if !at.Exception() {
			continue
		}
		if t := at.time(propExceptionOriginal); !t.IsZero() {
			byOriginal[t] = append(byOriginal[t], at.Message)
		}
		// These two are by the clock of the series, though they are written as if by UTC.
		if t := at.time(propExceptionStart); !t.IsZero() {
			k := times{t, at.time(propExceptionEnd)}
			byTimes[k] = append(byTimes[k], at.Message)
		}
	}
	taken := map[*Message]bool{}
	return func(x Exception) *Message {
		original, k := e.utc(x.Original), times{x.Start, x.End}
		byOriginal[original], byTimes[k] = free(byOriginal[original], taken), free(byTimes[k], taken)
		for _, list := range [][]*Message{byOriginal[original], byTimes[k]} {
			if len(list) > 0 {
				taken[list[0]] = true
				return list[0]
			}
		}
		return nil
	}
}

// free gives the rest of a list from the first that is not taken on.
func free(list []*Message, taken map[*Message]bool) []*Message {
	for len(list) > 0 && taken[list[0]] {
		list = list[1:]
	}
	return list
}

var icalDays = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// rule is the recurrence rule.
func (r *Recurrence) rule(e *event) (string, error) {
	switch r.Calendar {
	case 0, 1, 2, 9, 10, 11, 12: // forms of the Gregorian calendar
	default:
		return "", fmt.Errorf("the series goes by a calendar (number %d) that iCalendar has no rule for", r.Calendar)
	}
	parts := []string{}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	days := make([]string, len(r.Days))
	for i, d := range r.Days {
		days[i] = icalDays[d]
	}
	months := func() {
		if r.Yearly && r.Period%12 == 0 {
			add("FREQ=YEARLY")
			if r.Period > 12 {
				add("INTERVAL=%d", r.Period/12)
			}
			add("BYMONTH=%d", r.Start.Month())
			return
		}
		add("FREQ=MONTHLY")
		if r.Period > 1 {
			add("INTERVAL=%d", r.Period)
		}
	}
	switch r.Pattern {
	case Daily:
		add("FREQ=DAILY")
		if r.Period > 1 {
			add("INTERVAL=%d", r.Period)
		}
	case Weekly:
		add("FREQ=WEEKLY")
		if r.Period > 1 {
			add("INTERVAL=%d", r.Period)
		}
		if len(days) > 0 {
			add("BYDAY=%s", strings.Join(days, ","))
		}
		add("WKST=%s", icalDays[r.FirstDay])
	case MonthEnd:
		months()
		add("BYMONTHDAY=-1")
	case Monthly:
		months()
		switch {
		case r.Day >= 31:
			add("BYMONTHDAY=-1")
		case r.Day > 28: // or the last day of a month that is shorter
			list := "28"
			for d := 29; d <= r.Day; d++ {
				list += "," + strconv.Itoa(d)
			}
			add("BYMONTHDAY=%s", list)
			add("BYSETPOS=-1")
		case r.Day >= 1:
			add("BYMONTHDAY=%d", r.Day)
		default:
			return "", fmt.Errorf("the series is on day %d of the month", r.Day)
		}
	case MonthlyNth:
		months()
		nth := r.Nth
		if nth < 1 || nth > 5 || len(days) == 0 {
			return "", fmt.Errorf("the series is on the %d. of %d days of the week", nth, len(days))
		}
		if nth == 5 {
			nth = -1
		}
		if len(days) == 1 {
			add("BYDAY=%d%s", nth, days[0])
		} else {
			add("BYDAY=%s", strings.Join(days, ","))
			add("BYSETPOS=%d", nth)
		}
	}
	switch {
	case r.Count > 0:
		add("COUNT=%d", r.Count)
	case !r.End.IsZero() && e.allDay:
		add("UNTIL=%s", r.End.Format(icalDate))
	case !r.End.IsZero():
		add("UNTIL=%s", e.utc(r.End.Add(r.StartOffset)).Format(icalUTC))
	}
	return strings.Join(parts, ";"), nil
}

// writeZone writes the rules that hold from a year on.
func (e *event) writeZone(year int) {
	e.line("BEGIN", "VTIMEZONE")
	e.line("TZID", escape(e.id))
	for i, r := range e.zone.Rules {
		last := 0 // the year the rule ends with
		if i+1 < len(e.zone.Rules) {
			if last = e.zone.Rules[i+1].Year - 1; last < year {
				continue
			}
		}
		from := max(r.Year, 1970)
		if i > 0 {
			from = max(from, e.zone.Rules[i-1].Year)
		}
		if r.ToDay.Month == 0 || r.ToStd.Month == 0 {
			e.writeOffset("STANDARD", Change{Year: from, Month: 1, Week: 1}, from, last, r.Standard, r.Standard)
			continue
		}
		e.writeOffset("STANDARD", r.ToStd, from, last, r.Daylight, r.Standard)
		e.writeOffset("DAYLIGHT", r.ToDay, from, last, r.Standard, r.Daylight)
	}
	e.line("END", "VTIMEZONE")
}

func (e *event) writeOffset(kind string, c Change, from, last int, before, after time.Duration) {
	e.line("BEGIN", kind)
	e.line("DTSTART", c.on(from).Format(icalLocal))
	if c.Year == 0 {
		week := c.Week
		if week >= 5 {
			week = -1
		}
		rule := fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", c.Month, max(week, -1), icalDays[c.Day])
		if last > 0 {
			rule += ";UNTIL=" + c.on(last).Add(-before).Format(icalUTC)
		}
		e.line("RRULE", rule)
	}
	e.line("TZOFFSETFROM", offset(before))
	e.line("TZOFFSETTO", offset(after))
	e.line("END", kind)
}

func offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%02d%02d", sign, int(d.Hours()), int(d.Minutes())%60)
}

func (m *Message) writeTask(l *lines) error {
	t := m.Task()
	l.line("BEGIN", "VTODO")
	l.line("UID", escape(m.itemUID()))
	l.line("DTSTAMP", m.stamp().Format(icalUTC))
	l.text("SUMMARY", m.Subject())
	if !t.Start.IsZero() && (t.Due.IsZero() || !t.Due.Before(t.Start)) {
		l.line("DTSTART;VALUE=DATE", t.Start.Format(icalDate))
	}
	if !t.Due.IsZero() {
		l.line("DUE;VALUE=DATE", t.Due.Format(icalDate))
	}
	if !t.Completed.IsZero() {
		l.line("COMPLETED", t.Completed.Format(icalUTC))
	}
	switch {
	case t.Done || t.Status == "completed":
		l.line("STATUS", "COMPLETED")
	case t.Status == "notStarted":
		l.line("STATUS", "NEEDS-ACTION")
	default:
		l.line("STATUS", "IN-PROCESS")
	}
	l.line("PERCENT-COMPLETE", strconv.Itoa(int(max(0, min(t.Percent, 100)))))
	text, err := m.plain(maxText)
	if err != nil {
		return err
	}
	l.text("DESCRIPTION", strings.TrimSpace(text))
	m.writeCommon(l)
	if r := t.Recurrence; r != nil && !r.Regenerating && !t.Start.IsZero() {
		if rule, err := r.rule(&event{allDay: true}); err == nil {
			l.line("RRULE", rule)
		}
	}
	if !t.Reminder.IsZero() {
		l.line("BEGIN", "VALARM")
		l.line("ACTION", "DISPLAY")
		l.line("DESCRIPTION", escape(firstOf(m.Subject(), "Reminder")))
		l.line("TRIGGER;VALUE=DATE-TIME", t.Reminder.Format(icalUTC))
		l.line("END", "VALARM")
	}
	l.line("END", "VTODO")
	return nil
}
