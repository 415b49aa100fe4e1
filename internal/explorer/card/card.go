// Package card writes contacts, events and tasks, stored as Microsoft Graph's JSON, as files that other programs open: vCard 3.0 (RFC 2426)
// and iCalendar (RFC 5545), and as plain text for people.
package card

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast/internal/sys"
)

// writer writes content lines: escaped, folded at 75 bytes, ended by CRLF.
type writer struct{ b bytes.Buffer }

func (w *writer) line(name, value string) {
	text := name + ":" + value
	for n := 75; len(text) > n; n = 74 {
		cut := n
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		w.b.WriteString(text[:cut] + "\r\n ")
		text = text[cut:]
	}
	w.b.WriteString(text + "\r\n")
}

// text writes a line of a text that is not empty.
func (w *writer) text(name, value string) {
	if value != "" {
		w.line(name, escape(value))
	}
}

func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// parameter is a value of a parameter: quotes and line ends cannot be in it.
func parameter(s string) string {
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' {
			return -1
		}
		return r
	}, s) + `"`
}

type address struct{ Street, City, State, CountryOrRegion, PostalCode string }

type mail struct{ Name, Address string }

// Contact writes a contact with its photo, which may be empty, as a vCard.
func Contact(raw, photo []byte) ([]byte, error) {
	var c struct {
		DisplayName, GivenName, MiddleName, Surname, Title, Generation, NickName, CompanyName, Department, JobTitle, Profession, MobilePhone, BusinessHomePage,
		PersonalNotes, Birthday string
		EmailAddresses                             []mail
		BusinessPhones, HomePhones, ImAddresses    []string
		Categories                                 []string
		BusinessAddress, HomeAddress, OtherAddress *address
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("stored contact: %w", err)
	}
	w := &writer{}
	w.line("BEGIN", "VCARD")
	w.line("VERSION", "3.0")
	name := c.DisplayName
	for _, other := range []string{strings.TrimSpace(c.GivenName + " " + c.Surname), c.CompanyName, "(no name)"} {
		if name == "" {
			name = other
		}
	}
	w.text("FN", name)
	w.line("N", strings.Join([]string{escape(c.Surname), escape(c.GivenName), escape(c.MiddleName), escape(c.Title), escape(c.Generation)}, ";"))
	w.text("NICKNAME", c.NickName)
	if c.CompanyName+c.Department != "" {
		w.line("ORG", escape(c.CompanyName)+";"+escape(c.Department))
	}
	w.text("TITLE", c.JobTitle)
	w.text("ROLE", c.Profession)
	for _, e := range c.EmailAddresses {
		w.text("EMAIL;TYPE=INTERNET", e.Address)
	}
	for _, p := range c.BusinessPhones {
		w.text("TEL;TYPE=WORK,VOICE", p)
	}
	for _, p := range c.HomePhones {
		w.text("TEL;TYPE=HOME,VOICE", p)
	}
	w.text("TEL;TYPE=CELL", c.MobilePhone)
	for _, a := range []struct {
		kind string
		*address
	}{{"WORK", c.BusinessAddress}, {"HOME", c.HomeAddress}, {"POSTAL", c.OtherAddress}} {
		if a.address != nil && *a.address != (address{}) {
			w.line("ADR;TYPE="+a.kind, ";;"+strings.Join([]string{escape(a.Street), escape(a.City), escape(a.State), escape(a.PostalCode), escape(a.CountryOrRegion)}, ";"))
		}
	}
	for _, im := range c.ImAddresses {
		w.text("IMPP", im)
	}
	w.text("URL", c.BusinessHomePage)
	if t, err := time.Parse(time.RFC3339, c.Birthday); err == nil {
		w.line("BDAY", t.Format(time.DateOnly))
	}
	if len(c.Categories) > 0 {
		w.line("CATEGORIES", list(c.Categories))
	}
	w.text("NOTE", c.PersonalNotes)
	if len(photo) > 0 {
		w.line("PHOTO;ENCODING=b;TYPE=JPEG", base64.StdEncoding.EncodeToString(photo))
	}
	w.line("END", "VCARD")
	return w.b.Bytes(), nil
}

func list(items []string) string {
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = escape(s)
	}
	return strings.Join(out, ",")
}

type moment struct{ DateTime, TimeZone string }

func (m *moment) utc() time.Time {
	if m == nil {
		return time.Time{}
	}
	loc, ok := sys.Zone(m.TimeZone)
	if !ok {
		loc = time.UTC
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05.9999999", m.DateTime, loc)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

type recurrence struct {
	Pattern struct {
		Type, FirstDayOfWeek, Index string
		Interval, Month, DayOfMonth int
		DaysOfWeek                  []string
	}
	Range struct {
		Type, StartDate, EndDate string
		NumberOfOccurrences      int
	}
}

type event struct {
	ID, Subject, ICalUID, Importance, Sensitivity, ShowAs, OriginalStartTimeZone string
	Body                                                                         struct{ ContentType, Content string }
	Start, End                                                                   *moment
	OriginalStart                                                                string
	IsAllDay, IsCancelled, IsReminderOn                                          bool
	ReminderMinutesBeforeStart                                                   int
	Location                                                                     struct{ DisplayName string }
	Organizer                                                                    *struct{ EmailAddress mail }
	Attendees                                                                    []struct {
		EmailAddress mail
		Type         string
		Status       struct{ Response string }
	}
	Categories           []string
	Recurrence           *recurrence
	LastModifiedDateTime time.Time
	OnlineMeeting        *struct{ JoinURL string }
	CancelledOccurrences []string
	ExceptionOccurrences []event
}

// Attachment is a file in an event or a task; Open gives its bytes.
type Attachment struct {
	Name, Type string
	Open       func() (io.ReadCloser, error)
}

// Event writes an event, a series with its exceptions, as iCalendar. Its attachments stand in it. Reading to the end reads them.
func Event(raw []byte, files []Attachment) (io.ReadCloser, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("stored event: %w", err)
	}
	w := calendar()
	zoned := ""
	if loc, ok := sys.Zone(e.OriginalStartTimeZone); ok && e.Recurrence != nil && !e.IsAllDay && loc != time.UTC {
		zoned = loc.String()
		w.zone(loc, e.Start.utc())
	}
	w.event(&e, nil, zoned)
	head := bytes.Clone(w.b.Bytes())
	w.b.Reset()
	w.line("END", "VEVENT")
	for i := range e.ExceptionOccurrences {
		w.event(&e.ExceptionOccurrences[i], &e, zoned)
		w.line("END", "VEVENT")
	}
	w.line("END", "VCALENDAR")
	return withFiles(head, files, w.b.Bytes()), nil
}

func calendar() *writer {
	w := &writer{}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", "-//Holdfast//Holdfast//EN")
	return w
}

const (
	utcForm   = "20060102T150405Z"
	localForm = "20060102T150405"
	dateForm  = "20060102"
)

// event writes a VEVENT but for its end. series is that of an exception.
func (w *writer) event(e, series *event, zoned string) {
	w.line("BEGIN", "VEVENT")
	uid := e.ICalUID
	if series != nil {
		uid = series.ICalUID
	}
	if uid == "" {
		uid = e.ID
	}
	w.text("UID", uid)
	w.line("DTSTAMP", e.LastModifiedDateTime.UTC().Format(utcForm))
	at := func(name string, t time.Time, allDay bool) {
		switch loc, err := time.LoadLocation(zoned); {
		case t.IsZero():
		case allDay:
			w.line(name+";VALUE=DATE", t.Format(dateForm))
		case zoned != "" && err == nil:
			w.line(name+";TZID="+zoned, t.In(loc).Format(localForm))
		default:
			w.line(name, t.UTC().Format(utcForm))
		}
	}
	at("DTSTART", e.Start.utc(), e.IsAllDay)
	at("DTEND", e.End.utc(), e.IsAllDay)
	if series != nil {
		if t, err := time.Parse(time.RFC3339, e.OriginalStart); err == nil {
			at("RECURRENCE-ID", t, series.IsAllDay)
		}
	}
	if e.Recurrence != nil {
		w.line("RRULE", rrule(e.Recurrence, e.IsAllDay))
		for _, id := range e.CancelledOccurrences {
			day, err := time.Parse(time.DateOnly, id[strings.LastIndexByte(id, '.')+1:])
			if err != nil {
				continue
			}
			t := day
			if loc, ok := sys.Zone(e.OriginalStartTimeZone); ok && !e.IsAllDay {
				first := e.Start.utc().In(loc)
				t = time.Date(day.Year(), day.Month(), day.Day(), first.Hour(), first.Minute(), first.Second(), 0, loc)
			}
			at("EXDATE", t, e.IsAllDay)
		}
	}
	w.text("SUMMARY", e.Subject)
	w.text("LOCATION", e.Location.DisplayName)
	w.text("DESCRIPTION", plain(e.Body.ContentType, e.Body.Content))
	if strings.EqualFold(e.Body.ContentType, "html") && e.Body.Content != "" {
		w.text("X-ALT-DESC;FMTTYPE=text/html", e.Body.Content)
	}
	if e.Organizer != nil && e.Organizer.EmailAddress.Address != "" && len(e.Attendees) > 0 {
		w.line("ORGANIZER;CN="+parameter(e.Organizer.EmailAddress.Name), "mailto:"+oneLine(e.Organizer.EmailAddress.Address))
	}
	for _, a := range e.Attendees {
		role := map[string]string{"required": "REQ-PARTICIPANT", "optional": "OPT-PARTICIPANT", "resource": "NON-PARTICIPANT"}[a.Type]
		state := map[string]string{"accepted": "ACCEPTED", "declined": "DECLINED", "tentativelyAccepted": "TENTATIVE"}[a.Status.Response]
		if role == "" {
			role = "REQ-PARTICIPANT"
		}
		if state == "" {
			state = "NEEDS-ACTION"
		}
		w.line("ATTENDEE;CN="+parameter(a.EmailAddress.Name)+";ROLE="+role+";PARTSTAT="+state, "mailto:"+oneLine(a.EmailAddress.Address))
	}
	if len(e.Categories) > 0 {
		w.line("CATEGORIES", list(e.Categories))
	}
	w.line("CLASS", map[string]string{"private": "PRIVATE", "personal": "PRIVATE", "confidential": "CONFIDENTIAL"}[e.Sensitivity]+map[bool]string{true: "PUBLIC"}[!slices.Contains([]string{"private", "personal", "confidential"}, e.Sensitivity)])
	if p := map[string]string{"high": "1", "low": "9"}[e.Importance]; p != "" {
		w.line("PRIORITY", p)
	}
	w.line("TRANSP", map[bool]string{true: "TRANSPARENT", false: "OPAQUE"}[e.ShowAs == "free"])
	if e.IsCancelled {
		w.line("STATUS", "CANCELLED")
	}
	if e.OnlineMeeting != nil {
		w.text("URL", e.OnlineMeeting.JoinURL)
	}
	if e.IsReminderOn {
		w.line("BEGIN", "VALARM")
		w.line("ACTION", "DISPLAY")
		w.text("DESCRIPTION", "Reminder")
		w.line("TRIGGER", fmt.Sprintf("-PT%dM", max(e.ReminderMinutesBeforeStart, 0)))
		w.line("END", "VALARM")
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), "") }

var weekdays = map[string]string{"sunday": "SU", "monday": "MO", "tuesday": "TU", "wednesday": "WE", "thursday": "TH", "friday": "FR", "saturday": "SA"}

func rrule(r *recurrence, allDay bool) string {
	p := r.Pattern
	out := []string{}
	add := func(format string, v any) { out = append(out, fmt.Sprintf(format, v)) }
	add("FREQ=%s", map[string]string{"daily": "DAILY", "weekly": "WEEKLY", "absoluteMonthly": "MONTHLY", "relativeMonthly": "MONTHLY", "absoluteYearly": "YEARLY", "relativeYearly": "YEARLY"}[p.Type])
	if p.Interval > 1 {
		add("INTERVAL=%d", p.Interval)
	}
	if strings.HasSuffix(p.Type, "Yearly") {
		add("BYMONTH=%d", p.Month)
	}
	if strings.HasPrefix(p.Type, "absolute") {
		add("BYMONTHDAY=%d", p.DayOfMonth)
	}
	if p.Type == "weekly" || strings.HasPrefix(p.Type, "relative") {
		var days []string
		for _, d := range p.DaysOfWeek {
			days = append(days, weekdays[d])
		}
		add("BYDAY=%s", strings.Join(days, ","))
	}
	if strings.HasPrefix(p.Type, "relative") {
		at := slices.Index([]string{"first", "second", "third", "fourth"}, p.Index) + 1
		if at == 0 {
			at = -1
		}
		add("BYSETPOS=%d", at)
	}
	if p.Type == "weekly" && weekdays[p.FirstDayOfWeek] != "" {
		add("WKST=%s", weekdays[p.FirstDayOfWeek])
	}
	switch end, err := time.Parse(time.DateOnly, r.Range.EndDate); {
	case r.Range.Type == "numbered":
		add("COUNT=%d", r.Range.NumberOfOccurrences)
	case r.Range.Type == "endDate" && err == nil && allDay:
		add("UNTIL=%s", end.Format(dateForm))
	case r.Range.Type == "endDate" && err == nil:
		add("UNTIL=%s", end.AddDate(0, 0, 1).Add(12*time.Hour).Format(utcForm)) // that day has ended everywhere
	}
	return strings.Join(out, ";")
}

// zoneYears is how far a VTIMEZONE tells of changes of clocks.
const zoneYears = 10

// zone describes a time zone from the year before a series begins.
func (w *writer) zone(loc *time.Location, from time.Time) {
	w.line("BEGIN", "VTIMEZONE")
	w.line("TZID", loc.String())
	at := time.Date(from.Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
	end := at.AddDate(zoneYears, 0, 0)
	_, offset := at.In(loc).Zone()
	w.observance(loc, at, offset)
	for at.Before(end) {
		_, until := at.In(loc).ZoneBounds()
		if until.IsZero() || !until.Before(end) {
			break
		}
		w.observance(loc, until, offset)
		at = until
		_, offset = at.In(loc).Zone()
	}
	w.line("END", "VTIMEZONE")
}

func (w *writer) observance(loc *time.Location, at time.Time, before int) {
	kind := "STANDARD"
	if at.In(loc).IsDST() {
		kind = "DAYLIGHT"
	}
	name, offset := at.In(loc).Zone()
	w.line("BEGIN", kind)
	w.line("DTSTART", at.UTC().Add(time.Duration(before)*time.Second).Format(localForm))
	w.line("TZOFFSETFROM", utcOffset(before))
	w.line("TZOFFSETTO", utcOffset(offset))
	w.text("TZNAME", name)
	w.line("END", kind)
}

func utcOffset(seconds int) string {
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	return fmt.Sprintf("%s%02d%02d", sign, seconds/3600, seconds/60%60)
}

// Task writes a task as iCalendar. Its steps stand in the text, for iCalendar has none.
func Task(raw []byte, files []Attachment) (io.ReadCloser, error) {
	var t struct {
		ID, Title, Status, Importance                                   string
		Body                                                            struct{ ContentType, Content string }
		DueDateTime, StartDateTime, CompletedDateTime, ReminderDateTime *moment
		Categories                                                      []string
		IsReminderOn                                                    bool
		Recurrence                                                      *recurrence
		LastModifiedDateTime                                            time.Time
		ChecklistItems                                                  []struct {
			DisplayName string
			IsChecked   bool
		}
		LinkedResources []struct{ WebURL string }
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("stored task: %w", err)
	}
	w := calendar()
	w.line("BEGIN", "VTODO")
	w.text("UID", t.ID)
	w.line("DTSTAMP", t.LastModifiedDateTime.UTC().Format(utcForm))
	w.text("SUMMARY", t.Title)
	text := plain(t.Body.ContentType, t.Body.Content)
	for _, c := range t.ChecklistItems {
		text += map[bool]string{true: "\n[x] ", false: "\n[ ] "}[c.IsChecked] + c.DisplayName
	}
	w.text("DESCRIPTION", strings.TrimSpace(text))
	for name, m := range map[string]*moment{"DUE;VALUE=DATE": t.DueDateTime, "DTSTART;VALUE=DATE": t.StartDateTime} {
		if at := m.utc(); !at.IsZero() {
			w.line(name, at.Format(dateForm))
		}
	}
	if at := t.CompletedDateTime.utc(); !at.IsZero() {
		w.line("COMPLETED", at.Format(utcForm))
	}
	w.line("STATUS", map[string]string{"completed": "COMPLETED", "inProgress": "IN-PROCESS"}[t.Status]+map[bool]string{true: "NEEDS-ACTION"}[t.Status != "completed" && t.Status != "inProgress"])
	if p := map[string]string{"high": "1", "low": "9"}[t.Importance]; p != "" {
		w.line("PRIORITY", p)
	}
	if len(t.Categories) > 0 {
		w.line("CATEGORIES", list(t.Categories))
	}
	if t.Recurrence != nil {
		w.line("RRULE", rrule(t.Recurrence, true))
	}
	for _, l := range t.LinkedResources {
		w.text("URL", l.WebURL)
	}
	if at := t.ReminderDateTime.utc(); t.IsReminderOn && !at.IsZero() {
		w.line("BEGIN", "VALARM")
		w.line("ACTION", "DISPLAY")
		w.text("DESCRIPTION", "Reminder")
		w.line("TRIGGER;VALUE=DATE-TIME", at.Format(utcForm))
		w.line("END", "VALARM")
	}
	head := bytes.Clone(w.b.Bytes())
	w.b.Reset()
	w.line("END", "VTODO")
	w.line("END", "VCALENDAR")
	return withFiles(head, files, w.b.Bytes()), nil
}

var (
	tags   = regexp.MustCompile(`(?s)<(style|script|head)[^>]*>.*?</(style|script|head)>|<[^>]*>`)
	breaks = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li)[^>]*>`)
)

// plain is a body without its markup.
func plain(kind, content string) string {
	if !strings.EqualFold(kind, "html") {
		return content
	}
	text := tags.ReplaceAllString(breaks.ReplaceAllString(content, "\n"), "")
	return strings.TrimSpace(strings.NewReplacer("&nbsp;", " ", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&amp;", "&").Replace(text))
}

// withFiles is head, a line for each file, and tail.
func withFiles(head []byte, files []Attachment, tail []byte) io.ReadCloser {
	f := &filed{parts: []io.Reader{bytes.NewReader(head)}, files: files, tail: tail}
	return f
}

// filed reads its files one after another.
type filed struct {
	parts []io.Reader // what comes next
	files []Attachment
	tail  []byte
	open  io.Closer
}

func (f *filed) Read(p []byte) (int, error) {
	for {
		if len(f.parts) > 0 {
			n, err := f.parts[0].Read(p)
			if err == io.EOF {
				f.parts = f.parts[1:]
				err = nil
			}
			if n > 0 || err != nil {
				return n, err
			}
			continue
		}
		if err := f.Close(); err != nil {
			return 0, err
		}
		if len(f.files) == 0 {
			if f.tail == nil {
				return 0, io.EOF
			}
			f.parts, f.tail = []io.Reader{bytes.NewReader(f.tail)}, nil
			continue
		}
		a := f.files[0]
		f.files = f.files[1:]
		body, err := a.Open()
		if err != nil {
			return 0, err
		}
		f.open = body
		w := &writer{}
		kind := a.Type
		if kind == "" || strings.ContainsAny(kind, ":;,\"\r\n ") {
			kind = "application/octet-stream"
		}
		w.line("ATTACH;FMTTYPE="+kind+";ENCODING=BASE64;VALUE=BINARY;X-FILENAME="+parameter(a.Name), "")
		f.parts = []io.Reader{bytes.NewReader(w.b.Bytes()), &folded{r: body}}
	}
}

func (f *filed) Close() error {
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	return err
}

// folded is base64 in continuation lines.
type folded struct {
	r    io.Reader
	left []byte
	end  bool
}

func (f *folded) Read(p []byte) (int, error) {
	if len(f.left) == 0 {
		if f.end {
			return 0, io.EOF
		}
		var raw [54]byte
		n, err := io.ReadFull(f.r, raw[:])
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			f.end = true
		default:
			return 0, err
		}
		if n == 0 {
			return 0, io.EOF
		}
		f.left = append(append([]byte{' '}, base64.StdEncoding.EncodeToString(raw[:n])...), '\r', '\n')
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}
