package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sys"
)

// eventFields are all properties of an event but cancelledOccurrences, which only a call for one event has.
// https://learn.microsoft.com/graph/api/resources/event
var eventFields = []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "categories", "allowNewTimeProposals", "attendees", "body", "bodyPreview", "end", "hasAttachments",
	"hideAttendees", "iCalUId", "importance", "isAllDay", "isCancelled", "isDraft", "isOnlineMeeting", "isOrganizer", "isReminderOn", "location", "locations", "onlineMeeting",
	"onlineMeetingProvider", "onlineMeetingUrl", "organizer", "originalEndTimeZone", "originalStart", "originalStartTimeZone", "recurrence", "reminderMinutesBeforeStart",
	"responseRequested", "responseStatus", "sensitivity", "seriesMasterId", "showAs", "start", "subject", "transactionId", "type", "webLink"}

var calendars = &personal{PersonalKind: graph.Calendars, part: engine.PartCalendars, name: "calendars", kind: holdfast.KindEvent, class: "IPM.Appointment", shelf: "IPF.Appointment", special: "calendar", needs: m365.SeriesExceptions,
	fields: eventFields}

func init() { // the functions name the kind
	calendars.deep, calendars.fetch, calendars.describe, calendars.back = deepEvent, fetchEvent, describeEvent, eventBack
}

// --- reading ---------------------------------------------------------------------------------------------------------

// Events have no delta in v1.0 but of a window of the primary calendar. So the ids and versions of all events of all calendars are listed, a thousand to a
// page: what is new or of another version is read, and what no calendar lists is asked for. A change of one occurrence changes its series' version.

// calendarQuestions ask for the calendars and for the events of those that are known.
func (r *reader) calendarQuestions(ctx context.Context, s *shelves) ([]question, error) {
	s.events, s.before = map[string]string{}, map[string]holdfast.Item{}
	for shelf := range s.cursors {
		for item, err := range r.prev.Children(ctx, shelf) {
			if err != nil {
				return nil, err
			}
			if item.Kind == s.kind {
				s.before[item.ID] = item
			}
		}
	}
	if r.prev.Anew() || len(s.cursors) == 0 {
		return nil, nil
	}
	out := []question{{part: graph.Part{Path: s.ShelfPath(r.mailbox, ""), List: graph.List{Top: shelfPage}}, answer: func(ctx context.Context, res graph.PartResult) error {
		page, err := graph.Rows[graph.Shelf](res)
		return r.calendarList(ctx, s, page, err)
	}}}
	for _, shelf := range sortedKeys(s.cursors) {
		if s.cursors[shelf] != known {
			continue
		}
		out = append(out, question{part: graph.Part{Path: s.ListPath(r.mailbox, shelf), List: eventIDs}, answer: func(ctx context.Context, res graph.PartResult) error {
			if _, there := s.cursors[shelf]; !there {
				return nil
			}
			page, err := graph.Rows[graph.Personal](res)
			return r.eventList(ctx, s, shelf, page, err)
		}})
	}
	return out, nil
}

var eventIDs = graph.List{Select: []string{"id", "changeKey"}, Top: idPage}

// calendarList takes the calendars. One that is not listed any more is gone only when asking for it says so.
func (r *reader) calendarList(ctx context.Context, s *shelves, page *graph.Page[graph.Shelf], err error) error {
	seen := map[string]bool{}
	for f, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return r.listError(ctx, fmt.Errorf("list calendars: %w", err))
		}
		seen[f.ID] = true
		if err := r.newShelf(ctx, s, f); err != nil {
			return err
		}
	}
	for _, shelf := range sortedKeys(s.cursors) {
		if seen[shelf] {
			continue
		}
		if err := r.calendarGone(ctx, s, shelf); err != nil {
			return err
		}
	}
	return nil
}

// calendarGone hides a calendar that is gone. Its events are looked for when all calendars have been listed.
func (r *reader) calendarGone(ctx context.Context, s *shelves, shelf string) error {
	f, err := r.g.ShelfOf(ctx, s.PersonalKind, r.mailbox, shelf)
	switch {
	case err == nil:
		return r.newShelf(ctx, s, f)
	case m365.KindOf(err) != m365.NotFound:
		return fmt.Errorf("look up a calendar: %w", err)
	}
	if err := r.mailboxThere(ctx); err != nil {
		return err
	}
	delete(s.cursors, shelf)
	return errors.Join(r.sink.Delete(ctx, shelf), r.sink.Cursor(ctx, s.name+cursorShelf+shelf, ""))
}

// eventList takes the ids and versions of a calendar's events, and reads what is new.
func (r *reader) eventList(ctx context.Context, s *shelves, shelf string, page *graph.Page[graph.Personal], err error) error {
	var changed []string
	at := map[string]string{}
	for row, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return r.calendarBroken(ctx, s, shelf, err)
		}
		if row.ID == "" {
			return errors.New("an event without an id")
		}
		s.events[row.ID] = shelf
		old, ok := s.before[row.ID]
		_, again := s.again[row.ID]
		if (!ok || old.Version != row.ChangeKey || old.Parent != shelf || again) && at[row.ID] == "" {
			at[row.ID] = shelf
			changed = append(changed, row.ID)
		}
	}
	return r.askPersonal(ctx, s, changed, at)
}

// broken is the cursor of a calendar that could not be read.
const broken = "broken"

// calendarBroken names a calendar whose events can't be listed, as it may be of one that somebody else shares. What is stored of it stays.
func (r *reader) calendarBroken(ctx context.Context, s *shelves, shelf string, err error) error {
	if m365.KindOf(err) == m365.NotFound {
		if err := r.calendarGone(ctx, s, shelf); err != nil {
			return err
		}
		if _, there := s.cursors[shelf]; !there {
			return nil
		}
	}
	why := m365.Skip(err)
	if why == nil || ctx.Err() != nil {
		return fmt.Errorf("list events: %w", err)
	}
	for id, item := range s.before {
		if item.Parent == shelf {
			s.events[id] = shelf
		}
	}
	item, ok, perr := r.prev.Item(ctx, shelf)
	if perr != nil {
		return perr
	} else if !ok {
		item = holdfast.Item{ID: shelf, Kind: holdfast.KindFolder, Name: "a calendar"}
	}
	r.sink.Skip(ctx, item, why)
	if s.cursors[shelf] == broken {
		return nil
	}
	s.cursors[shelf] = broken
	return r.sink.Cursor(ctx, s.name+cursorShelf+shelf, broken)
}

// finishCalendars reads calendars that are new, and asks for the events that no calendar lists.
func (r *reader) finishCalendars(ctx context.Context, s *shelves) error {
	if r.prev.Anew() || len(s.cursors) == 0 {
		page, err := r.g.ShelvesOf(ctx, s.PersonalKind, s.ShelfPath(r.mailbox, ""), graph.List{Top: shelfPage})
		if err := r.calendarList(ctx, s, page, err); err != nil {
			return err
		}
	}
	for _, shelf := range sortedKeys(s.cursors) {
		if s.cursors[shelf] == known && !r.prev.Anew() {
			continue
		}
		if err := r.wholeCalendar(ctx, s, shelf); err != nil {
			return err
		}
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	var gone []string
	for id := range s.before {
		if s.events[id] == "" {
			gone = append(gone, id)
		}
	}
	r.mu.Lock()
	for id := range s.again {
		if _, stored := s.before[id]; !stored && s.events[id] == "" {
			gone = append(gone, id)
		}
	}
	r.mu.Unlock()
	slices.Sort(gone)
	return r.unlisted(ctx, s, gone)
}

// unlisted asks for events that no calendar lists: only "not found" deletes. One that is there was listed while it moved; the next read finds it.
func (r *reader) unlisted(ctx context.Context, s *shelves, ids []string) error {
	for chunk := range slices.Chunk(ids, 20) {
		parts := make([]graph.Part, len(chunk))
		for i, id := range chunk {
			parts[i] = graph.Part{Path: s.ItemPath(r.mailbox, "", id), List: graph.List{Select: []string{"id"}}}
		}
		results, err := r.g.Batch(ctx, parts)
		if err != nil {
			return fmt.Errorf("look up events: %w", err)
		}
		for i, res := range results {
			_, err := graph.Object[graph.Personal](res)
			switch {
			case err == nil || m365.Skip(err) != nil && m365.KindOf(err) != m365.NotFound:
			case m365.KindOf(err) == m365.NotFound:
				r.mu.Lock()
				r.gone = true
				r.mu.Unlock()
				if err := errors.Join(r.sink.Delete(ctx, chunk[i]), r.readAgain(ctx, s, chunk[i])); err != nil {
					return err
				}
			default:
				return fmt.Errorf("look up an event: %w", err)
			}
		}
	}
	return nil
}

// wholeCalendar lists all events of a calendar with all that a list has.
func (r *reader) wholeCalendar(ctx context.Context, s *shelves, shelf string) error {
	for size := personalPage; ; size = max(size/5, smallPageSize) {
		l := graph.List{Select: eventFields, Top: size, Prefer: []string{"outlook.allow-unsafe-html"}}
		page, err := r.g.PersonalItems(ctx, s.PersonalKind, s.ListPath(r.mailbox, shelf), l)
		seen := map[string]bool{}
		again := false
		for row, err := range graph.All(ctx, r.g, page, err, l) {
			if m365.KindOf(err) == m365.Unavailable && size > smallPageSize {
				again = true // bodies are in the rows: a fat page may never come, a thin one does
				break
			} else if err != nil {
				return r.calendarBroken(ctx, s, shelf, err)
			}
			s.events[row.ID] = shelf
			if seen[row.ID] {
				continue // a page can begin with what the one before ended with
			}
			seen[row.ID] = true
			if err := r.personalRow(ctx, s, shelf, row); err != nil {
				return err
			}
		}
		if err := r.sink.Wait(); err != nil || !again {
			if err != nil || s.cursors[shelf] == known {
				return err
			}
			if s.cursors[shelf] == broken { // it was named as skipped; it is not any more
				f, err := r.g.ShelfOf(ctx, s.PersonalKind, r.mailbox, shelf)
				if err != nil {
					return r.calendarBroken(ctx, s, shelf, err)
				}
				item, raw, err := r.shelfItem(s, f)
				if err != nil {
					return err
				}
				if err := r.sink.Put(ctx, item, holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw)))); err != nil {
					return err
				}
			}
			s.cursors[shelf] = known
			if err := r.sink.Cursor(ctx, s.name+cursorShelf+shelf, known); err != nil {
				return err
			}
			return r.sink.Savepoint(ctx)
		}
	}
}

// deepEvent says whether more is to be asked for: of a series its exceptions, of any event its attachments, also those that only the text shows.
func deepEvent(_ *reader, _ *personal, _ string, row *graph.Personal, _ *holdfast.Item) bool {
	return row.Type == "seriesMaster" || attached(row)
}

func attached(row *graph.Personal) bool {
	return row.HasAttachments || bytes.Contains(row.Raw, []byte("cid:"))
}

// eventAttachment is an attachment in FormAttachments. What a file attachment holds is in the payload of its own, see contentForm.
type eventAttachment struct {
	Event      string          `json:"event,omitempty"` // id of the exception that it is attached to; empty: the event itself
	Attachment json.RawMessage `json:"attachment"`      // as served, a file without its bytes
	Form       holdfast.Form   `json:"form,omitempty"`  // that has its bytes
}

// contentForm is the form of the n-th attachment's bytes.
func contentForm(n int) holdfast.Form {
	return holdfast.FormAttachment + holdfast.Form(strconv.Itoa(n))
}

func fetchEvent(ctx context.Context, r *reader, p *personal, shelf string, row *graph.Personal) ([]holdfast.Payload, error) {
	owners := []string{}
	if attached(row) {
		owners = append(owners, row.ID)
	}
	if row.Type == "seriesMaster" {
		whole, err := r.g.PersonalItem(ctx, p.PersonalKind, p.ItemPath(r.mailbox, "", row.ID), graph.List{Select: append(slices.Clone(eventFields), "cancelledOccurrences"), Expand: []string{"exceptionOccurrences"}, Prefer: []string{"outlook.allow-unsafe-html"}})
		if err != nil {
			return nil, err
		}
		*row = *whole
		var series struct {
			Exceptions []struct {
				ID             string
				HasAttachments bool
			} `json:"exceptionOccurrences"`
		}
		if err := json.Unmarshal(row.Raw, &series); err != nil {
			return nil, fmt.Errorf("event %s: %w", row.ID, err)
		}
		for _, x := range series.Exceptions {
			if x.HasAttachments {
				owners = append(owners, x.ID)
			}
		}
	}
	var list []eventAttachment
	var payloads []holdfast.Payload
	for _, owner := range owners {
		at := p.ItemPath(r.mailbox, "", owner, "attachments")
		page, err := r.g.Bits(ctx, p.PersonalKind, at, graph.List{Select: []string{"id", "name", "contentType", "size", "isInline", "lastModifiedDateTime"}})
		for bit, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
			if err != nil {
				return nil, err
			}
			a := eventAttachment{Attachment: bit.Raw}
			if owner != row.ID {
				a.Event = owner
			}
			path := append(slices.Clone(at), bit.ID)
			switch bit.Type {
			case graph.ItemAttachment:
				whole, err := r.g.Bit(ctx, p.PersonalKind, path, graph.List{Expand: []string{"microsoft.graph.itemattachment/item"}})
				if err != nil {
					return nil, err
				}
				a.Attachment = whole.Raw
			case graph.FileAttachment:
				a.Form = contentForm(len(payloads))
				file, err := r.fileOf(ctx, p, a.Form, path, bit.Size)
				if err != nil {
					return nil, err
				}
				payloads = append(payloads, file)
			}
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	return append(payloads, holdfast.Whole(holdfast.FormAttachments, bytes.NewReader(raw), int64(len(raw)))), nil
}

func describeEvent(row *graph.Personal, item *holdfast.Item) {
	if item.Fields == nil {
		item.Fields = map[string]string{}
	}
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	item.Name = row.Subject
	if start := row.Start.UTC(); !start.IsZero() {
		item.Time = start
		set(holdfast.FieldStart, instant(start))
	}
	set(holdfast.FieldEnd, instant(row.End.UTC()))
	if row.Organizer != nil {
		set(holdfast.FieldFrom, names([]graph.Recipient{*row.Organizer}))
	}
	set(holdfast.FieldTo, names(row.Attendees))
	if row.Location != nil {
		set(holdfast.FieldLocation, row.Location.DisplayName)
	}
	if row.IsAllDay {
		set(holdfast.FieldAllDay, "true")
	}
	var series struct {
		Recurrence *struct {
			Pattern struct{ Type string }
		}
	}
	if json.Unmarshal(row.Raw, &series) == nil && series.Recurrence != nil {
		set(holdfast.FieldRecurring, series.Recurrence.Pattern.Type)
	}
}

// --- putting back ----------------------------------------------------------------------------------------------------

// What is never sent: attendees (Exchange would invite them), isOnlineMeeting (Teams would make a new meeting), and what the service computes.
// https://learn.microsoft.com/graph/api/user-post-events
var eventBack = putBack{
	settable: []string{"subject", "body", "start", "end", "isAllDay", "location", "locations", "categories", "importance", "sensitivity", "showAs", "isReminderOn",
		"reminderMinutesBeforeStart", "responseRequested", "allowNewTimeProposals", "hideAttendees", "recurrence"},
	compared: []string{"attendees", "organizer", "isOrganizer", "responseStatus", "isOnlineMeeting", "onlineMeetingProvider", "onlineMeeting", "isCancelled", "originalStartTimeZone", "originalEndTimeZone",
		"createdDateTime", "lastModifiedDateTime", "iCalUId", "transactionId"},
	unavoidable: []string{"attendees", "organizer", "isOrganizer", "responseStatus", "isOnlineMeeting", "onlineMeetingProvider", "onlineMeeting", "isCancelled", "createdDateTime", "lastModifiedDateTime", "iCalUId", "transactionId"},
	build:       buildEvent,
	complete:    completeEvent,
	differs:     sameSeries,
}

const momentForm = "2006-01-02T15:04:05.0000000"

// local gives a stored time, which is of UTC, by the clocks of the zone in which it was set.
func local(raw json.RawMessage, name string, allDay bool) (object, bool) {
	var m graph.Moment
	if json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	loc, ok := sys.Zone(name)
	if !ok {
		return object{"dateTime": m.DateTime, "timeZone": m.TimeZone}, false
	}
	t := m.UTC()
	if !allDay { // the dates of what lasts all day are the same everywhere
		t = t.In(loc)
	}
	return object{"dateTime": t.Format(momentForm), "timeZone": name}, true
}

func buildEvent(st *kept, body object) (notSet []string) {
	allDay := string(st.json["isAllDay"]) == "true"
	for name, original := range map[string]string{"start": "originalStartTimeZone", "end": "originalEndTimeZone"} {
		m, ok := local(st.json[name], st.text(original), allDay)
		if !ok {
			notSet = append(notSet, original)
		}
		if m != nil {
			body[name] = m
		}
	}
	if allDay { // both midnights are of one zone
		if start, ok := body["start"].(object); ok {
			if end, ok := body["end"].(object); ok {
				end["timeZone"] = start["timeZone"]
			}
		}
	}
	if rule, ok := cleanRule(st.json["recurrence"]); ok {
		body["recurrence"] = rule
	}
	var places []json.RawMessage
	if json.Unmarshal(st.json["locations"], &places) == nil && len(places) > 0 {
		delete(body, "location") // made of them
	} else if place := (struct{ DisplayName string }{}); json.Unmarshal(st.json["location"], &place) == nil && place.DisplayName == "" {
		delete(body, "location") // there is none
	}
	if list := attendeeLines(st.json["attendees"]); len(list) > 0 {
		if b, err := withAttendees(st.json["body"], list); err == nil {
			body["body"] = b
		}
	}
	return notSet
}

// cleanRule is a recurrence without the zeros that the service shows for what does not apply.
func cleanRule(raw json.RawMessage) (object, bool) {
	var rule struct {
		Pattern, Range map[string]json.RawMessage
	}
	if isNull(raw) || json.Unmarshal(raw, &rule) != nil {
		return nil, false
	}
	for _, m := range []map[string]json.RawMessage{rule.Pattern, rule.Range} {
		for k, v := range m {
			if isNull(v) || strings.Contains(k, "@") || string(v) == "0" || string(v) == `"0001-01-01"` || string(v) == `""` {
				delete(m, k)
			}
		}
	}
	if !strings.HasPrefix(strings.Trim(string(rule.Pattern["type"]), `"`), "relative") {
		delete(rule.Pattern, "index")
	}
	return object{"pattern": rule.Pattern, "range": rule.Range}, true
}

// attendeeLines are the attendees of a meeting, for people.
func attendeeLines(raw json.RawMessage) []string {
	var list []struct {
		graph.Recipient
		Type   string
		Status struct{ Response string }
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, a := range list {
		line := names([]graph.Recipient{a.Recipient}) + ", " + a.Type
		if a.Status.Response != "" && a.Status.Response != "none" {
			line += ", " + a.Status.Response
		}
		out = append(out, line)
	}
	return out
}

const attendeeHeading = "Attendees, from the backup (nobody was invited again):"

// withAttendees is the text of a meeting with the list of its attendees at its end: as attendees they can't be set without mailing them.
func withAttendees(raw json.RawMessage, list []string) (json.RawMessage, error) {
	var b struct {
		ContentType string `json:"contentType"`
		Content     string `json:"content"`
	}
	if !isNull(raw) {
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, err
		}
	}
	if strings.EqualFold(b.ContentType, "text") {
		b.Content += "\r\n\r\n" + attendeeHeading + "\r\n" + strings.Join(list, "\r\n")
		return json.Marshal(b)
	}
	b.ContentType = "html"
	text := "<hr><p>" + attendeeHeading + "<br>"
	for _, line := range list {
		text += html.EscapeString(line) + "<br>"
	}
	text += "</p>"
	if i := strings.LastIndex(strings.ToLower(b.Content), "</body>"); i >= 0 {
		b.Content = b.Content[:i] + text + b.Content[i:]
	} else {
		b.Content += text
	}
	return json.Marshal(b)
}

// series is what a series has besides its rule.
type series struct {
	Cancelled  []string                     `json:"cancelledOccurrences"`
	Exceptions []map[string]json.RawMessage `json:"exceptionOccurrences"`
}

func (k *kept) series() series {
	var s series
	for name, to := range map[string]any{"cancelledOccurrences": &s.Cancelled, "exceptionOccurrences": &s.Exceptions} {
		if !isNull(k.json[name]) {
			_ = json.Unmarshal(k.json[name], to) // what can't be read is not there, and is missed by the comparison
		}
	}
	return s
}

// cancelledDate is the date of the series that an id in cancelledOccurrences ends with.
func cancelledDate(id string) string { return id[strings.LastIndexByte(id, '.')+1:] }

// completeEvent attaches what was attached, takes out the occurrences that were cancelled, and changes those that differed. There are no attendees: nobody is told.
func completeEvent(ctx context.Context, r *restore, _, id string, st *kept) (notSet []string, err error) {
	list, err := st.attachments(ctx)
	if err != nil {
		return nil, err
	}
	path := calendars.ItemPath(r.mailbox, "", id)
	to := r.bitsBelow(calendars, append(slices.Clone(path), "attachments"))
	for _, a := range list {
		if a.Event != "" {
			continue
		}
		lost, err := r.attachPersonal(ctx, calendars, path, to, a, st)
		if err != nil {
			return nil, err
		}
		notSet = union(notSet, lost)
	}
	s := st.series()
	if len(s.Cancelled)+len(s.Exceptions) == 0 {
		return notSet, nil
	}
	days, err := r.occurrences(ctx, id, st, s)
	if err != nil {
		return nil, err
	}
	for _, c := range s.Cancelled {
		day := days[cancelledDate(c)]
		if day == "" {
			notSet = union(notSet, []string{"cancelled occurrences"})
			continue
		}
		if err := r.g.DeletePersonal(ctx, calendars.PersonalKind, calendars.ItemPath(r.mailbox, "", day)); err != nil && m365.KindOf(err) != m365.NotFound {
			return nil, err
		}
	}
	// An occurrence may not be moved over another one: where it stands in the way, the other way round succeeds.
	todo := s.Exceptions
	for pass := 0; pass < 3 && len(todo) > 0; pass++ {
		var refused []map[string]json.RawMessage
		for _, x := range todo {
			ok, lost, err := r.exception(ctx, days, x, list, st)
			if err != nil {
				return nil, err
			}
			if !ok {
				refused = append(refused, x)
			}
			notSet = union(notSet, lost)
		}
		slices.Reverse(refused)
		todo = refused
	}
	if len(todo) > 0 {
		notSet = union(notSet, []string{"exceptions of the series"})
	}
	return notSet, nil
}

// seriesDay is the date that the rule gives for an occurrence that began at a time of UTC.
func (k *kept) seriesDay(t time.Time) string {
	if loc, ok := sys.Zone(k.text("originalStartTimeZone")); ok && string(k.json["isAllDay"]) != "true" {
		t = t.In(loc)
	}
	return t.Format(time.DateOnly)
}

// windowDays is how long a view of a calendar may be.
const windowDays = 1800

// occurrences gives the ids of a series' occurrences by their dates, over the time that its exceptions and cancellations span.
func (r *restore) occurrences(ctx context.Context, id string, st *kept, s series) (map[string]string, error) {
	var dates []string
	for _, c := range s.Cancelled {
		dates = append(dates, cancelledDate(c))
	}
	for _, x := range s.Exceptions {
		var t time.Time
		if json.Unmarshal(x["originalStart"], &t) == nil {
			dates = append(dates, st.seriesDay(t))
		}
	}
	slices.Sort(dates)
	out := map[string]string{}
	if len(dates) == 0 {
		return out, nil
	}
	from, err := time.Parse(time.DateOnly, dates[0])
	if err != nil {
		return nil, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the series has an exception on %q, which is no date", dates[0])}
	}
	to, err := time.Parse(time.DateOnly, dates[len(dates)-1])
	if err != nil {
		return nil, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the series has an exception on %q, which is no date", dates[len(dates)-1])}
	}
	for at, end := from.AddDate(0, 0, -2), to.AddDate(0, 0, 3); at.Before(end); at = at.AddDate(0, 0, windowDays) {
		until := at.AddDate(0, 0, windowDays)
		if until.After(end) {
			until = end
		}
		l := graph.List{Select: []string{"id", "start", "type", "originalStart"}, Top: idPage, From: at, Until: until}
		page, err := r.g.PersonalItems(ctx, calendars.PersonalKind, calendars.ItemPath(r.mailbox, "", id, "instances"), l)
		for o, err := range graph.All(ctx, r.g, page, err, l) {
			if err != nil {
				return nil, err
			}
			begin := o.Start.UTC()
			var x struct{ OriginalStart *time.Time }
			if json.Unmarshal(o.Raw, &x) == nil && x.OriginalStart != nil {
				begin = *x.OriginalStart
			}
			out[st.seriesDay(begin)] = o.ID
		}
	}
	return out, nil
}

// occurrenceFields are what an exception may have of its own.
var occurrenceFields = []string{"subject", "body", "location", "locations", "categories", "importance", "sensitivity", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "isAllDay"}

// exception changes one occurrence into what it was. ok is false when the service refuses for the others' sake.
func (r *restore) exception(ctx context.Context, days map[string]string, x map[string]json.RawMessage, list []eventAttachment, st *kept) (ok bool, notSet []string, err error) {
	var original time.Time
	var old string
	if json.Unmarshal(x["originalStart"], &original) != nil || json.Unmarshal(x["id"], &old) != nil {
		return true, []string{"exceptions of the series"}, nil
	}
	id := days[st.seriesDay(original)]
	if id == "" {
		return true, []string{"exceptions of the series"}, nil
	}
	path := calendars.ItemPath(r.mailbox, "", id)
	body := object{}
	for _, name := range occurrenceFields {
		if !sameJSON(x[name], st.json[name]) && !isNull(x[name]) {
			body[name] = x[name]
		}
	}
	if body["locations"] != nil {
		delete(body, "location")
	}
	if list := attendeeLines(x["attendees"]); len(list) > 0 && body["body"] != nil {
		if b, err := withAttendees(x["body"], list); err == nil {
			body["body"] = b
		}
	}
	var zones struct{ OriginalStartTimeZone, OriginalEndTimeZone string }
	for name, to := range map[string]*string{"originalStartTimeZone": &zones.OriginalStartTimeZone, "originalEndTimeZone": &zones.OriginalEndTimeZone} {
		_ = json.Unmarshal(x[name], to) // none: UTC
	}
	allDay := string(x["isAllDay"]) == "true"
	if m, _ := local(x["start"], zones.OriginalStartTimeZone, allDay); m != nil {
		body["start"] = m
	}
	if m, _ := local(x["end"], zones.OriginalEndTimeZone, allDay); m != nil {
		body["end"] = m
	}
	if _, err := r.g.UpdatePersonal(ctx, calendars.PersonalKind, path, body); err != nil {
		var e *m365.Error
		if errors.As(err, &e) && e.Code == "ErrorOccurrenceCrossingBoundary" {
			return false, nil, nil
		}
		return false, nil, err
	}
	own := ownAttachments(list, old)
	if len(own) == 0 {
		return true, nil, nil
	}
	to := r.bitsBelow(calendars, append(slices.Clone(path), "attachments"))
	if to.there, err = to.count(ctx); err != nil {
		return false, nil, err
	}
	for _, a := range own {
		lost, err := r.attachPersonal(ctx, calendars, path, to, a, st)
		if err != nil {
			return false, nil, err
		}
		notSet = union(notSet, lost)
	}
	return true, notSet, nil
}

// ownAttachments are those of the event itself or, with its id, those of an exception: what is attached to the series is attached to its occurrences too.
func ownAttachments(list []eventAttachment, exception string) []eventAttachment {
	return slices.DeleteFunc(slices.Clone(list), func(a eventAttachment) bool {
		return a.Event != exception || exception != "" && slices.ContainsFunc(list, func(o eventAttachment) bool { return o.Event == "" && sameAttachment(o, a) })
	})
}

func sameAttachment(a, b eventAttachment) bool {
	var x, y graph.Bit
	return json.Unmarshal(a.Attachment, &x) == nil && json.Unmarshal(b.Attachment, &y) == nil && x.Name == y.Name && x.Size == y.Size && x.Type == y.Type
}

func (k *kept) attachments(ctx context.Context) ([]eventAttachment, error) {
	body, ok, err := k.put.Open(ctx, holdfast.FormAttachments)
	if err != nil || !ok {
		return nil, err
	}
	defer body.Close()
	var list []eventAttachment
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		return nil, fmt.Errorf("stored attachments: %w", err)
	}
	return list, nil
}

// bitsBelow adds attachments or steps at a path below a new event or task, which has none yet.
func (r *restore) bitsBelow(k *personal, at []string) *below {
	return &below{count: func(ctx context.Context) (n int, err error) {
		page, err := r.g.Bits(ctx, k.PersonalKind, at, graph.List{})
		for _, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
			if err != nil {
				return 0, err
			}
			n++
		}
		return n, nil
	}}
}

// attachPersonal adds one attachment to an event or a task.
func (r *restore) attachPersonal(ctx context.Context, k *personal, path []string, to *below, a eventAttachment, st *kept) (notSet []string, err error) {
	var bit graph.Bit
	if err := json.Unmarshal(a.Attachment, &bit); err != nil {
		return nil, fmt.Errorf("stored attachment: %w", err)
	}
	at := append(slices.Clone(path), "attachments")
	if a.Form == "" {
		var item map[string]json.RawMessage
		if err := json.Unmarshal(a.Attachment, &item); err != nil {
			return nil, fmt.Errorf("stored attachment: %w", err)
		}
		o := foreignItem(item)
		if o == nil {
			return []string{"reference attachments and attached mails"}, nil
		}
		return nil, to.add(ctx, func() error {
			_, err := r.g.AddBit(ctx, k.PersonalKind, at, o)
			return err
		})
	}
	content, ok, err := st.put.Open(ctx, a.Form)
	if err != nil {
		return nil, err
	} else if !ok {
		return nil, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the restore point has no content of the attachment %q", bit.Name)}
	}
	defer content.Close()
	head, err := io.ReadAll(io.LimitReader(content, uploadFrom))
	if err != nil {
		return nil, err
	}
	if len(head) < uploadFrom {
		o := object{"@odata.type": bit.Type, "name": bit.Name, "contentBytes": head}
		if bit.ContentType != "" {
			o["contentType"] = bit.ContentType
		}
		if k.Direct {
			o["isInline"] = bit.IsInline
			if bit.ContentID != "" {
				o["contentId"] = bit.ContentID
			}
		}
		return nil, to.add(ctx, func() error {
			_, err := r.g.AddBit(ctx, k.PersonalKind, at, o)
			return err
		})
	}
	size, err := st.size(ctx, a.Form)
	if err != nil {
		return nil, err
	}
	return nil, to.add(ctx, func() error {
		content, _, err := st.put.Open(ctx, a.Form)
		if err != nil {
			return err
		}
		defer content.Close()
		up, err := r.g.CreateBitUpload(ctx, k.PersonalKind, path, graph.NewAttachment{Name: bit.Name, ContentType: bit.ContentType, ContentID: bit.ContentID, Size: size, IsInline: bit.IsInline})
		if err != nil {
			return err
		}
		_, _, err = up.Send(ctx, content)
		return err
	})
}

// size counts the bytes of a form: the service states another number for an attachment.
func (k *kept) size(ctx context.Context, f holdfast.Form) (int64, error) {
	body, ok, err := k.put.Open(ctx, f)
	if err != nil || !ok {
		return 0, err
	}
	defer body.Close()
	return io.Copy(io.Discard, body)
}

// sameSeries compares what a restored event has besides its properties.
func sameSeries(ctx context.Context, r *restore, _ string, now map[string]json.RawMessage, st *kept) (lost []string, whole bool, err error) {
	var id string
	if err := json.Unmarshal(now["id"], &id); err != nil {
		return nil, false, err
	}
	list, err := st.attachments(ctx)
	if err != nil {
		return nil, false, err
	}
	lost, whole, err = r.sameAttachments(ctx, id, ownAttachments(list, ""))
	if err != nil {
		return nil, false, err
	}
	want := st.series()
	if len(want.Cancelled)+len(want.Exceptions) == 0 {
		return lost, whole, nil
	}
	back, err := r.g.PersonalItem(ctx, calendars.PersonalKind, calendars.ItemPath(r.mailbox, "", id), graph.List{Select: []string{"id", "cancelledOccurrences"}, Expand: []string{"exceptionOccurrences"}, Prefer: []string{"outlook.allow-unsafe-html"}})
	if err != nil {
		return nil, false, err
	}
	k := kept{}
	if err := json.Unmarshal(back.Raw, &k.json); err != nil {
		return nil, false, err
	}
	have := k.series()
	for _, c := range want.Cancelled {
		if !slices.ContainsFunc(have.Cancelled, func(h string) bool { return cancelledDate(h) == cancelledDate(c) }) {
			lost, whole = union(lost, []string{"cancelled occurrences"}), false
		}
	}
	for _, x := range want.Exceptions {
		i := slices.IndexFunc(have.Exceptions, func(h map[string]json.RawMessage) bool { return sameJSON(h["originalStart"], x["originalStart"]) })
		if i < 0 {
			lost, whole = union(lost, []string{"exceptions of the series"}), false
			continue
		}
		for _, name := range append([]string{"start", "end"}, occurrenceFields...) {
			if name == "body" {
				continue // the series' text has the attendees
			}
			if !sameJSON(x[name], have.Exceptions[i][name]) {
				lost = union(lost, []string{"exceptions of the series: " + name})
			}
		}
		var old, now string
		if json.Unmarshal(x["id"], &old) != nil || json.Unmarshal(have.Exceptions[i]["id"], &now) != nil {
			continue
		}
		more, ok, err := r.sameAttachments(ctx, now, ownAttachments(list, old))
		if err != nil {
			return nil, false, err
		}
		lost, whole = union(lost, more), whole && ok
	}
	return lost, whole, nil
}

// sameAttachments says whether an event has the attachments that it should have. What can't be put back may lack.
func (r *restore) sameAttachments(ctx context.Context, event string, want []eventAttachment) (lost []string, whole bool, err error) {
	if len(want) == 0 {
		return nil, true, nil
	}
	var have []graph.Bit
	page, err := r.g.Bits(ctx, calendars.PersonalKind, calendars.ItemPath(r.mailbox, "", event, "attachments"), graph.List{Select: []string{"id", "name", "contentType", "size", "isInline"}})
	for bit, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return nil, false, err
		}
		have = append(have, *bit)
	}
	whole = true
	for _, a := range want {
		var x graph.Bit
		known := json.Unmarshal(a.Attachment, &x) == nil
		i := slices.IndexFunc(have, func(y graph.Bit) bool { return known && x.Name == y.Name && x.Type == y.Type })
		if i < 0 {
			lost, whole = []string{"attachments"}, a.Form == "" && whole
			continue
		}
		have = slices.Delete(have, i, i+1)
	}
	return lost, whole, nil
}
