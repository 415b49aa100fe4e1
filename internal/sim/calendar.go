package sim

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	calendarsRead  = []string{"Calendars.Read", "Calendars.ReadWrite"}
	calendarsOne   = []string{"Calendars.Read"} // Calendars.ReadWrite is not in the table's rows of one event
	calendarsWrite = []string{"Calendars.ReadWrite"}
)

var calendarKind = &shelfKind{
	name: "calendars", item: "event", folder: "calendar", title: "name",
	readOnly: []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "bodyPreview", "cancelledOccurrences", "hasAttachments", "iCalUId", "isCancelled", "isDraft", "isOrganizer",
		"onlineMeeting", "onlineMeetingUrl", "organizer", "originalEndTimeZone", "originalStart", "originalStartTimeZone", "responseStatus", "seriesMasterId", "type", "webLink"},
	onRequest: []string{"cancelledOccurrences"},
}

func init() { // the functions name the kind
	calendarKind.fill, calendarKind.show, calendarKind.stock, calendarKind.generate = eventFill, eventShow, calendarStock, eventGenerate
	pimTypes["calendar"] = "name color:calendarColor hexColor"
	pimTypes["event"] = "allowNewTimeProposals:bool attendees:[attendee] body:itemBody categories:[string] end:dateTimeTimeZone hideAttendees:bool importance:importance isAllDay:bool " +
		"isOnlineMeeting:bool isReminderOn:bool location:location locations:[location] onlineMeetingProvider:onlineMeetingProviderType recurrence:patternedRecurrence " +
		"reminderMinutesBeforeStart:int responseRequested:bool sensitivity:sensitivity showAs:freeBusyStatus start:dateTimeTimeZone subject transactionId"
}

func (s *Sim) calendarRoutes() []Route {
	var out []Route
	k := calendarKind
	add := func(method, pattern string, perms []string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/users/{user}" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	isGroup := func(f *pimFolder) bool { return f.props["group"] == true }
	group := func(c *Call, sh *shelf) (uint32, error) {
		if id := c.Params["group"]; id != "" {
			g, err := sh.folder(id)
			if err != nil {
				return 0, err
			}
			if !isGroup(g) {
				return 0, errNotInStore
			}
			return g.key, nil
		}
		return sh.folders[1].key, nil
	}
	calendars := func(c *Call, sh *shelf) ([]*pimFolder, error) {
		g := uint32(0)
		if c.Params["group"] != "" {
			var err error
			if g, err = group(c, sh); err != nil {
				return nil, err
			}
		}
		return slices.DeleteFunc(sh.all(), func(f *pimFolder) bool { return isGroup(f) || g != 0 && f.parent != g }), nil
	}
	add("GET", "/calendars", calendarsRead, s.pimFolders(k, calendars))
	add("POST", "/calendars", calendarsWrite, s.pimFolderCreate(k, group))
	add("GET", "/calendars/{folder}", calendarsRead, s.pimFolderGet(k))
	add("PATCH", "/calendars/{folder}", calendarsWrite, s.pimFolderPatch(k))
	add("DELETE", "/calendars/{folder}", calendarsWrite, s.pimFolderDelete(k))
	add("GET", "/calendarGroups", calendarsRead, s.groupList)
	add("POST", "/calendarGroups", calendarsWrite, s.groupCreate)
	add("GET", "/calendarGroups/{group}/calendars", calendarsRead, s.pimFolders(k, calendars))
	add("POST", "/calendarGroups/{group}/calendars", calendarsWrite, s.pimFolderCreate(k, group))
	for _, at := range []string{"", "/calendars/{folder}"} {
		add("GET", at+"/calendarView", calendarsRead, s.calendarView)
		add("GET", at+"/events", calendarsRead, s.pimList(k))
		add("POST", at+"/events", calendarsWrite, s.pimCreate(k))
		add("GET", at+"/events/{item}", calendarsOne, s.pimGet(k))
		add("PATCH", at+"/events/{item}", calendarsWrite, s.pimPatch(k))
		add("DELETE", at+"/events/{item}", calendarsWrite, s.pimDelete(k))
		add("GET", at+"/events/{item}/instances", calendarsOne, s.eventInstances)
		for _, verb := range []string{"accept", "decline", "tentativelyAccept", "cancel"} {
			add("POST", at+"/events/{item}/"+verb, calendarsWrite, s.eventAct)
		}
		add("POST", at+"/events/{item}/forward", calendarsOne, s.eventAct)
		add("GET", at+"/events/{item}/attachments", calendarsOne, s.eventAttachments)
		add("POST", at+"/events/{item}/attachments", calendarsWrite, s.eventAttach)
	}
	add("GET", "/calendarView/delta", calendarsRead, s.calendarViewDelta)
	add("POST", "/events/{item}/attachments/createUploadSession", calendarsWrite, s.attachmentUpload)
	add("GET", "/events/{item}/attachments/{attachment}", calendarsOne, s.eventAttachment)
	add("GET", "/events/{item}/attachments/{attachment}/$value", calendarsOne, s.eventAttachment)
	add("DELETE", "/events/{item}/attachments/{attachment}", calendarsWrite, s.eventDetach)
	return out
}

// --- calendars and their groups --------------------------------------------------------------------------------------

func (s *shelf) calendarJSON(f *pimFolder, out map[string]any) {
	owner := s.b.user
	if out["color"] == nil {
		out["color"] = "auto"
	}
	if out["hexColor"] == nil {
		out["hexColor"] = ""
	}
	out["changeKey"] = pimChangeKey(s.tag, uint64(f.key), f.version)
	out["canShare"], out["canViewPrivateItems"], out["canEdit"] = true, true, !f.system
	out["isDefaultCalendar"], out["isRemovable"], out["isTallyingResponses"] = f.known, !f.known, f.known
	out["allowedOnlineMeetingProviders"], out["defaultOnlineMeetingProvider"] = []string{"teamsForBusiness"}, "teamsForBusiness"
	out["owner"] = map[string]any{"name": owner.DisplayName, "address": owner.Mail}
}

func (s *shelf) groupJSON(f *pimFolder) map[string]any {
	return map[string]any{"id": s.folderID(f.key), "name": f.name(s.kind), "changeKey": pimChangeKey(s.tag, uint64(f.key), f.version), "classId": f.props["classId"]}
}

func (s *Sim) groupList(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		q, err := c.OData("select", "top", "skip", "count")
		if err != nil {
			return nil, err
		}
		var rows []map[string]any
		for _, f := range sh.all() {
			if f.props["group"] != true {
				continue
			}
			j, err := project(sh.groupJSON(f), q.Select, "microsoft.graph.calendarGroup", func(string) bool { return false })
			if err != nil {
				return nil, err
			}
			rows = append(rows, j)
		}
		return listPage(c, q, "users('"+c.Params["user"]+"')/calendarGroups", rows)
	})(c)
}

func (s *Sim) groupCreate(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		f, err := object("calendarGroup", "microsoft.graph.calendarGroup", c.Body, "id", "name", "changeKey", "classId")
		if err != nil {
			return nil, err
		}
		name, err := readAs[string]("name", "Edm.String", f["name"])
		if err != nil {
			return nil, err
		}
		g := &pimFolder{props: map[string]any{"name": name, "group": true, "classId": newRand(s.opt.Seed, "group", sh.b.index, uint64(len(sh.folders))).uuid()}}
		if err := sh.checkName(g); err != nil {
			return nil, err
		}
		made := sh.addFolder(0, g.props, 0)
		sh.noteFolder(made)
		j := sh.groupJSON(made)
		j["@odata.context"] = c.under("calendarGroups/$entity")
		return JSON(201, j), nil
	})(c)
}

// --- events ----------------------------------------------------------------------------------------------------------

// eventDefaults are what an event is that nobody said more of.
var eventDefaults = map[string]any{"allowNewTimeProposals": true, "body": map[string]any{"contentType": "html", "content": ""}, "hideAttendees": false, "importance": "normal",
	"isAllDay": false, "isOnlineMeeting": false, "isReminderOn": true, "onlineMeetingProvider": "unknown", "reminderMinutesBeforeStart": 15, "responseRequested": true,
	"sensitivity": "normal", "showAs": "busy", "subject": ""}

// eventFill checks and completes what a client asks an event to be.
func eventFill(s *shelf, old, now *pimItem, asked map[string]bool) error {
	if old == nil {
		for k, v := range eventDefaults {
			if now.props[k] == nil {
				now.props[k] = v
			}
		}
		now.uid = strings.ToUpper(hex.EncodeToString(newRand(s.b.s.opt.Seed, "uid", s.b.index, s.b.seq).bytes(40)))
	} else if asked["transactionId"] {
		return Fail(400, "ErrorInvalidPropertySet", "The property 'transactionId' can only be set when the event is created.")
	}
	if err := checkTimes(now.props); err != nil {
		return err
	}
	if body, _ := now.props["body"].(map[string]any); body != nil && body["content"] == nil {
		now.props["body"] = map[string]any{"contentType": orText(body["contentType"], "text"), "content": ""}
	}
	placeOf(now.props, asked)
	if asked["attendees"] {
		list, _ := now.props["attendees"].([]any)
		out := make([]any, 0, len(list))
		for _, a := range list {
			m := maps.Clone(a.(map[string]any))
			m["type"] = orText(m["type"], "required")
			m["status"] = map[string]any{"response": "none", "time": "0001-01-01T00:00:00Z"}
			out = append(out, m)
		}
		now.props["attendees"] = out
	}
	if asked["isOnlineMeeting"] && now.flag("isOnlineMeeting") {
		now.props["onlineMeetingProvider"] = "teamsForBusiness"
		now.props["onlineMeeting"] = map[string]any{"joinUrl": fmt.Sprintf("https://teams.microsoft.com/l/meetup-join/19%%3ameeting_%x", newRand(s.b.s.opt.Seed, "join", s.b.seq).bytes(24))}
	}
	if old != nil && (asked["recurrence"] || asked["start"]) && old.props["recurrence"] != nil { // another series: its exceptions are gone
		now.exceptions, now.cancelled = nil, nil
	}
	if v := now.props["recurrence"]; v != nil {
		if err := s.checkRecurrence(now, v.(map[string]any)); err != nil {
			return err
		}
	}
	return nil
}

func orText(v any, other string) string {
	if s, ok := v.(string); ok {
		return s
	}
	return other
}

// checkTimes demands a start, an end not before it, and midnights of what lasts all day.
func checkTimes(p map[string]any) error {
	start, ok := momentOf(p["start"])
	end, ok2 := momentOf(p["end"])
	if !ok || !ok2 {
		return Fail(400, "ErrorPropertyValidationFailure", "At least one property failed validation: an event needs start and end.")
	}
	if end.at.Before(start.at) {
		return Fail(400, "ErrorCalendarEndDateIsEarlierThanStartDate", "The end of an event is earlier than its start.")
	}
	if all, _ := p["isAllDay"].(bool); all {
		midnight := func(m moment) bool { h, mi, sec := m.at.Clock(); return h+mi+sec == 0 }
		if !midnight(start) || !midnight(end) || start.zone != end.zone || !end.at.After(start.at) {
			return Fail(400, "ErrorInvalidRequest", "The start and the end of an event that lasts all day must be different midnights of the same time zone.")
		}
	}
	return nil
}

// placeOf keeps location and locations together.
func placeOf(p map[string]any, asked map[string]bool) {
	norm := func(v any) map[string]any {
		l := map[string]any{"displayName": "", "locationType": "default", "uniqueIdType": "unknown"}
		if m, _ := v.(map[string]any); m != nil {
			maps.Copy(l, m)
		}
		if name, _ := l["displayName"].(string); name != "" && l["uniqueId"] == nil {
			l["uniqueId"], l["uniqueIdType"] = name, "private"
		}
		return l
	}
	switch {
	case asked["locations"]:
		list, _ := p["locations"].([]any)
		out := make([]any, 0, len(list))
		var names []string
		for _, l := range list {
			n := norm(l)
			out = append(out, n)
			names = append(names, orText(n["displayName"], ""))
		}
		p["locations"] = out
		p["location"] = norm(map[string]any{"displayName": strings.Join(names, "; ")})
		if len(out) == 1 {
			p["location"] = out[0]
		} else if len(out) == 0 {
			p["location"] = norm(nil)
		}
	case asked["location"] && p["location"] != nil:
		l := norm(p["location"])
		p["location"], p["locations"] = l, []any{l}
	case p["location"] == nil:
		p["location"], p["locations"] = norm(nil), []any{}
	}
}

// completeRule gives a recurrence what a client left out of it.
func completeRule(v map[string]any, zone string) (map[string]any, bool) {
	pattern, _ := v["pattern"].(map[string]any)
	limits, _ := v["range"].(map[string]any)
	if pattern == nil || limits == nil {
		return nil, false
	}
	pattern, limits = maps.Clone(pattern), maps.Clone(limits)
	for k, d := range map[string]any{"interval": 1, "month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"} {
		if pattern[k] == nil {
			pattern[k] = d
		}
	}
	if limits["recurrenceTimeZone"] == nil || limits["recurrenceTimeZone"] == "" {
		limits["recurrenceTimeZone"] = zone
	}
	for k, d := range map[string]any{"endDate": "0001-01-01", "numberOfOccurrences": 0} {
		if limits[k] == nil {
			limits[k] = d
		}
	}
	return map[string]any{"pattern": pattern, "range": limits}, true
}

// checkRecurrence demands a whole rule that begins with the event, and completes it.
func (s *shelf) checkRecurrence(it *pimItem, v map[string]any) error {
	start, _ := momentOf(it.props["start"])
	full, ok := completeRule(v, start.zone)
	r, valid := ruleOf(full)
	if !ok || !valid || r.start.Format(time.DateOnly) != start.at.Format(time.DateOnly) {
		return Fail(400, "ErrorInvalidRequest", "The recurrence of the event is not valid.")
	}
	limits, _ := full["range"].(map[string]any)
	if _, known := zoneOf(orText(limits["recurrenceTimeZone"], "")); !known {
		return Fail(400, "ErrorInvalidRequest", "The recurrence of the event is not valid.")
	}
	it.props["recurrence"] = full
	return nil
}

func eventType(it *pimItem) string {
	if it.props["recurrence"] != nil {
		return "seriesMaster"
	}
	return "singleInstance"
}

// eventShow adds what the service knows of an event and shows its times in the zone that was asked for.
func eventShow(s *shelf, v view, it *pimItem, out map[string]any) {
	out["changeKey"] = pimChangeKey(s.tag, it.key, it.version)
	out["type"] = eventType(it)
	out["iCalUId"] = it.uid
	out["seriesMasterId"], out["originalStart"] = nil, nil
	out["isDraft"], out["isCancelled"] = false, it.props["isCancelled"] == true
	out["hasAttachments"] = slices.ContainsFunc(it.attachments, func(a *attachment) bool { return !a.inline })
	out["onlineMeetingUrl"], out["onlineMeeting"] = nil, it.props["onlineMeeting"]
	out["webLink"] = "https://outlook.office365.com/owa/?itemid=" + s.itemID(it, 0, false) + "&exvsurl=1&path=/calendar/item"
	body, _ := it.props["body"].(map[string]any)
	out["bodyPreview"] = clip(strings.Join(strings.Fields(htmlToText(orText(body["content"], ""))), " "), 255)
	me := mailAddress{s.b.user.DisplayName, s.b.user.Mail}
	out["isOrganizer"], out["organizer"] = it.organizer == nil, recipient(&me)
	out["responseStatus"] = map[string]any{"response": "organizer", "time": "0001-01-01T00:00:00Z"}
	if it.organizer != nil {
		out["organizer"] = recipient(it.organizer)
		out["responseStatus"] = map[string]any{"response": orText(it.props["myResponse"], "notResponded"), "time": stamp(it.created)}
	}
	start, _ := momentOf(it.props["start"])
	end, _ := momentOf(it.props["end"])
	out["originalStartTimeZone"], out["originalEndTimeZone"] = start.zone, end.zone
	out["start"], out["end"] = start.in(v.zone, it.flag("isAllDay")), end.in(v.zone, it.flag("isAllDay"))
	cancelled := []any{}
	for _, d := range slices.Sorted(maps.Keys(it.cancelled)) {
		cancelled = append(cancelled, "OID."+s.itemID(it, 0, v.immutable)+"."+dateOf(d).Format(time.DateOnly))
	}
	if v.one && s.b.s.cloud.has("event.cancelledOccurrences") {
		out["cancelledOccurrences"] = cancelled
	}
}

// occurrence is the event of one day of a series, as the rule or an exception has it.
func (s *shelf) occurrence(it *pimItem, day int) (o *pimItem, exception bool, err error) {
	r, ok := ruleOf(it.props["recurrence"])
	if !ok || it.cancelled[day] {
		return nil, false, errNotInStore
	}
	there := false
	r.dates(dateOf(day), func(d time.Time) bool { there = dayOf(d) == day; return true })
	if !there {
		return nil, false, errNotInStore
	}
	n := it.edit()
	delete(n.props, "recurrence")
	start, _ := momentOf(it.props["start"])
	end, _ := momentOf(it.props["end"])
	at := onDay(start, day)
	n.props["start"] = map[string]any{"dateTime": at.Format(momentForm), "timeZone": start.zone}
	last := at.Add(end.at.Sub(start.at)).In(end.at.Location()) // as long as the first one
	if it.flag("isAllDay") {
		last = onDay(end, day+dayOf(wall(end))-dayOf(wall(start)))
	}
	n.props["end"] = map[string]any{"dateTime": last.Format(momentForm), "timeZone": end.zone}
	x := it.exceptions[day]
	if x == nil {
		return n, false, nil
	}
	maps.Copy(n.props, x.props)
	n.attachments, n.version, n.created, n.modified = x.attachments, x.version, x.created, x.modified
	n.ext = x.ext
	return n, true, nil
}

// onDay is the time of day of a series on a day, by the clocks of its zone.
func onDay(start moment, day int) time.Time {
	d := dateOf(day)
	return time.Date(d.Year(), d.Month(), d.Day(), start.at.Hour(), start.at.Minute(), start.at.Second(), 0, start.at.Location())
}

// wall is what a clock shows, as if there were one zone.
func wall(m moment) time.Time {
	return time.Date(m.at.Year(), m.at.Month(), m.at.Day(), m.at.Hour(), m.at.Minute(), m.at.Second(), 0, time.UTC)
}

func (s *shelf) occurrenceJSON(v view, it *pimItem, day int, q *Query) (map[string]any, error) {
	o, exception, err := s.occurrence(it, day)
	if err != nil {
		return nil, err
	}
	full := map[string]any{}
	for name, typ := range members(s.kind.item) {
		full[name] = o.props[name]
		if full[name] == nil && strings.HasPrefix(typ, "[") {
			full[name] = []any{}
		}
	}
	v.one = false
	eventShow(s, v, o, full)
	key := pimChangeKey(s.tag, it.key|uint64(day)<<dayShift, o.version)
	full["id"], full["@odata.etag"], full["changeKey"] = s.itemID(it, day, v.immutable), `W/"`+key+`"`, key
	full["createdDateTime"], full["lastModifiedDateTime"] = stamp(o.created), stamp(o.modified)
	full["seriesMasterId"], full["type"], full["recurrence"] = s.itemID(it, 0, v.immutable), "occurrence", nil
	start, _ := momentOf(it.props["start"])
	if exception {
		full["type"], full["originalStart"] = "exception", stamp(onDay(start, day))
		if it.flag("isAllDay") {
			full["originalStart"] = stamp(dateOf(day))
		}
	}
	return s.finish(v, o, full, q)
}

func (s *shelf) exceptionsJSON(v view, it *pimItem, q *Query) ([]any, error) {
	if !v.one {
		return nil, Fail(400, "ErrorInvalidUrlQuery", "The property 'exceptionOccurrences' can only be expanded on one series master.")
	}
	out := []any{}
	for _, d := range slices.Sorted(maps.Keys(it.exceptions)) {
		j, err := s.occurrenceJSON(v, it, d, q)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

// changeOccurrence makes an occurrence an exception, or changes one.
func (s *shelf) changeOccurrence(c *Call, old, now *pimItem, day int, f fields) error {
	o, _, err := s.occurrence(old, day)
	if err != nil {
		return err
	}
	asked, err := readProps(s.kind.item, f, s.kind.readOnly, "singleValueExtendedProperties")
	if err != nil {
		return err
	}
	if asked["recurrence"] != nil {
		return Fail(400, "ErrorRecurrenceIsOnOccurrence", "An occurrence cannot have a recurrence of its own.")
	}
	names := map[string]bool{}
	for k, v := range asked {
		names[k] = true
		if v == nil {
			delete(o.props, k)
			continue
		}
		o.props[k] = v
	}
	if err := checkTimes(o.props); err != nil {
		return err
	}
	placeOf(o.props, names)
	at, _ := momentOf(o.props["start"])
	if err := s.crosses(old, day, at); err != nil {
		return err
	}
	x := &pimItem{props: map[string]any{}, attachments: o.attachments, created: old.created, modified: c.Now.UTC().Truncate(time.Second), version: s.b.seq + 2}
	if before := old.exceptions[day]; before != nil {
		x.props, x.attachments, x.created = maps.Clone(before.props), before.attachments, before.created
	}
	for k := range names {
		x.props[k] = o.props[k]
	}
	if names["location"] || names["locations"] {
		x.props["location"], x.props["locations"] = o.props["location"], o.props["locations"]
	}
	if x.ext, err = readExtended(o.ext, f["singleValueExtendedProperties"]); err != nil {
		return err
	}
	if now.exceptions == nil {
		now.exceptions = map[int]*pimItem{}
	}
	now.exceptions[day] = x
	return nil
}

// crosses refuses an exception on, or beyond, the day of another occurrence.
func (s *shelf) crosses(it *pimItem, day int, at moment) error {
	r, _ := ruleOf(it.props["recurrence"])
	to := wall(at).Truncate(24 * time.Hour)
	low, high := min(dayOf(to), day), max(dayOf(to), day)
	var err error
	r.dates(dateOf(high), func(d time.Time) bool {
		if n := dayOf(d); n != day && n >= low && !it.cancelled[n] {
			if x := it.exceptions[n]; x == nil {
				err = Fail(400, "ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence.")
			}
		}
		return true
	})
	return err
}

func (s *shelf) cancelOccurrence(now *pimItem, day int) error {
	if _, _, err := s.occurrence(now, day); err != nil {
		return err
	}
	delete(now.exceptions, day)
	if now.cancelled == nil {
		now.cancelled = map[int]bool{}
	}
	now.cancelled[day] = true
	return nil
}

// --- what would be mailed --------------------------------------------------------------------------------------------

// quiet are properties of a meeting that its organizer changes without telling anyone.
var quiet = []string{"categories", "isReminderOn", "reminderMinutesBeforeStart", "showAs", "singleValueExtendedProperties", "multiValueExtendedProperties"}

// mailed records what a change of a meeting by its organizer sends. Nothing is delivered. f are the properties that are changed.
func (s *shelf) mailed(c *Call, how string, it *pimItem, f fields) {
	list, _ := it.props["attendees"].([]any)
	if s.kind != calendarKind || it.organizer != nil || len(list) == 0 {
		return
	}
	if f != nil && !slices.ContainsFunc(slices.Collect(maps.Keys(f)), func(k string) bool { return !strings.Contains(k, "@") && !slices.Contains(quiet, k) }) {
		return
	}
	to := []string{}
	for _, a := range list {
		m, _ := a.(map[string]any)
		e, _ := m["emailAddress"].(map[string]any)
		to = append(to, orText(e["address"], ""))
	}
	s.b.s.stats.mail(SentMail{Time: c.Now, User: s.b.user.UPN, How: how, Subject: it.text("subject"), Recipients: to})
}

// eventAct accepts, declines, cancels or forwards: what each sends is recorded.
func (s *Sim) eventAct(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		var in struct {
			Comment      string
			SendResponse *bool
			ToRecipients []any
		}
		if len(c.Body) > 0 {
			if err := c.Decode(&in); err != nil {
				return nil, err
			}
		}
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		verb := c.Path[strings.LastIndexByte(c.Path, '/')+1:]
		verb = strings.TrimPrefix(verb, "microsoft.graph.")
		now := it.edit()
		switch strings.ToLower(verb) {
		case "cancel":
			if it.organizer != nil {
				return nil, Fail(400, "ErrorAccessDenied", "Only the organizer can cancel a meeting.")
			}
			sh.mailed(c, "cancellation of an event", it, nil)
			if day == 0 {
				sh.remove(it, c.Now)
				return &Reply{Status: 202}, nil
			}
			if err := sh.cancelOccurrence(now, day); err != nil {
				return nil, err
			}
		case "forward":
			s.stats.mail(SentMail{Time: c.Now, User: sh.b.user.UPN, How: "forward of an event", Subject: it.text("subject"), Recipients: []string{strconv.Itoa(len(in.ToRecipients))}})
			return &Reply{Status: 202}, nil
		default:
			if it.organizer == nil {
				return nil, Fail(400, "ErrorInvalidRequest", "You can't respond to this meeting because you're the meeting organizer.")
			}
			now.props["myResponse"] = map[string]string{"accept": "accepted", "decline": "declined", "tentativelyaccept": "tentativelyAccepted"}[strings.ToLower(verb)]
			if in.SendResponse == nil || *in.SendResponse {
				s.stats.mail(SentMail{Time: c.Now, User: sh.b.user.UPN, How: verb + " of an event", Subject: it.text("subject"), Recipients: []string{it.organizer.Address}})
			}
		}
		sh.put(now, c.Now)
		return &Reply{Status: 202}, nil
	})(c)
}

// --- views -----------------------------------------------------------------------------------------------------------

// between reads the window that a view must have.
func between(c *Call) (from, to time.Time, err error) {
	for name, at := range map[string]*time.Time{"startDateTime": &from, "endDateTime": &to} {
		for k, v := range c.Query {
			if strings.EqualFold(k, name) && len(v) > 0 {
				t, ok := parseTime(v[0])
				if !ok {
					return from, to, Fail(400, "ErrorInvalidParameter", "The value of '%s' is not a time.", name)
				}
				*at = t
			}
		}
		if at.IsZero() {
			return from, to, Fail(400, "ErrorInvalidParameter", "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
		}
	}
	if !to.After(from) || to.Sub(from) > 1825*24*time.Hour {
		return from, to, Fail(400, "ErrorInvalidParameter", "The time window is empty or longer than 1825 days.")
	}
	return from, to, nil
}

// inWindow gives the occurrences of a series, or the event itself, that a window touches, as JSON.
func (s *shelf) inWindow(v view, it *pimItem, from, to time.Time, q *Query) ([]map[string]any, error) {
	touches := func(o *pimItem) bool {
		start, _ := momentOf(o.props["start"])
		end, _ := momentOf(o.props["end"])
		return start.at.Before(to) && (end.at.After(from) || start.at.Equal(end.at) && !start.at.Before(from))
	}
	r, series := ruleOf(it.props["recurrence"])
	if !series {
		if !touches(it) {
			return nil, nil
		}
		j, err := s.itemJSON(v, it, q)
		return []map[string]any{j}, err
	}
	var out []map[string]any
	var err error
	r.dates(to.AddDate(0, 0, 32).Truncate(24*time.Hour), func(d time.Time) bool {
		day := dayOf(d)
		if it.cancelled[day] || it.exceptions[day] == nil && d.Before(from.AddDate(0, 0, -32)) {
			return true
		}
		var o *pimItem
		if o, _, err = s.occurrence(it, day); err != nil {
			return false
		}
		if touches(o) {
			var j map[string]any
			if j, err = s.occurrenceJSON(v, it, day, q); err != nil {
				return false
			}
			out = append(out, j)
		}
		return true
	})
	return out, err
}

func (s *Sim) calendarView(c *Call) (*Reply, error) {
	return s.window(c, func(sh *shelf) ([]*pimItem, error) {
		f, err := sh.folderOf(c)
		if err != nil {
			return nil, err
		}
		var out []*pimItem
		for _, k := range sh.keys(f) {
			out = append(out, sh.get(k))
		}
		return out, nil
	})
}

func (s *Sim) eventInstances(c *Call) (*Reply, error) {
	return s.window(c, func(sh *shelf) ([]*pimItem, error) {
		it, day, err := s.pimOne(c, sh)
		if err == nil && (day != 0 || it.props["recurrence"] == nil) {
			err = Fail(400, "ErrorInvalidRequest", "Your request can't be completed. Calendar events only support expansion of series masters.")
		}
		return []*pimItem{it}, err
	})
}

func (s *Sim) window(c *Call, of func(sh *shelf) ([]*pimItem, error)) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "top", "skip", "count", "expand", "orderby")
		if err != nil {
			return nil, err
		}
		from, to, err := between(c)
		if err != nil {
			return nil, err
		}
		items, err := of(sh)
		if err != nil {
			return nil, err
		}
		var rows []map[string]any
		for _, it := range items {
			some, err := sh.inWindow(v, it, from, to, q)
			if err != nil {
				return nil, err
			}
			rows = append(rows, some...)
		}
		r, err := listPage(c, q, "users('"+c.Params["user"]+"')/events", rows)
		if err != nil {
			return nil, err
		}
		return v.applied(r), nil
	})(c)
}

// calendarViewDelta tells the occurrences in a fixed window of the primary calendar, and those of what changed since.
func (s *Sim) calendarViewDelta(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		if _, err := c.OData("skiptoken"); err != nil { // $select and the like are not taken
			return nil, err
		}
		f := sh.folders[0]
		t, err := s.begin(c, sh.b, "calendarView", f.key)
		if err != nil {
			return nil, err
		}
		if t.Issued == 0 {
			from, to, err := between(c)
			if err != nil {
				return nil, err
			}
			t.Filter = stamp(from) + " " + stamp(to)
		}
		var from, to time.Time
		a, b, _ := strings.Cut(t.Filter, " ")
		from, _ = parseTime(a)
		to, _ = parseTime(b)
		before := *t
		rows, done := []any{}, true
		tell := func(key uint64) error {
			it := sh.get(key)
			if it == nil {
				rows = append(rows, sh.removed(sh.itemID(&pimItem{key: key}, 0, v.immutable)))
				return nil
			}
			some, err := sh.inWindow(v, it, from, to, &Query{})
			for _, j := range some {
				j["@odata.type"] = "#microsoft.graph.event"
				rows = append(rows, j)
			}
			if !t.First {
				for d := range it.cancelled {
					rows = append(rows, sh.removed(sh.itemID(it, d, v.immutable)))
				}
			}
			return err
		}
		if t.First {
			for _, k := range sh.keys(f) {
				if t.Pos != nil && k <= t.Pos.Key {
					continue
				}
				if done = len(rows) < t.Page; !done {
					break
				}
				if err := tell(k); err != nil {
					return nil, err
				}
				t.Pos = &position{Key: k}
			}
			if done {
				t.First, t.Pos = false, nil
			}
		} else {
			for _, e := range f.log {
				if e.seq <= t.Since || f.last[e.item] != e.seq {
					continue
				}
				if done = len(rows) < t.Page; !done {
					break
				}
				if err := tell(e.item); err != nil {
					return nil, err
				}
				t.Since = e.seq
			}
			if done {
				t.Since = sh.b.seq
			}
		}
		return s.deltaPage(c, sh, v, &before, t, rows, done), nil
	})(c)
}

// --- attachments -----------------------------------------------------------------------------------------------------

// bearer stands for an event, or an occurrence, where mail's code wants a message with attachments.
func (it *pimItem) bearer(day int) *message {
	return &message{key: it.key | uint64(day)<<dayShift, generation: it.generation, attachments: it.attachments}
}

// bearerOf is the bearer of the event of a call.
func (s *shelf) bearerOf(it *pimItem, day int) (*message, error) {
	if day == 0 {
		return it.bearer(0), nil
	}
	o, _, err := s.occurrence(it, day)
	if err != nil {
		return nil, err
	}
	m := it.bearer(day)
	m.attachments = o.attachments
	return m, nil
}

func (s *shelf) attachmentsJSON(v view, it *pimItem, day int, sel []string, expand []Expand) ([]any, error) {
	m, err := s.bearerOf(it, day)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, a := range m.attachments {
		j, err := s.b.attachmentJSON(v, m, a, sel, expand)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

func (s *Sim) eventAttachments(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "expand", "top", "skip")
		if err != nil {
			return nil, err
		}
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		list, err := sh.attachmentsJSON(v, it, day, q.Select, q.Expand)
		if err != nil {
			return nil, err
		}
		return v.applied(JSON(200, map[string]any{"@odata.context": c.under("events('" + c.Params["item"] + "')/attachments"), "value": list})), nil
	})(c)
}

func (s *Sim) eventAttachment(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "expand")
		if err != nil {
			return nil, err
		}
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		m, err := sh.bearerOf(it, day)
		if err != nil {
			return nil, err
		}
		a, err := sh.b.attachment(m, c.Params["attachment"])
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(c.Path, "/$value") {
			if a.kind != fileAttachment {
				return nil, Fail(405, "ErrorInvalidRequest", "The media stream of this attachment cannot be read.")
			}
			data, err := s.load(a.content)
			return Bytes(200, orOctets(a.contentType), data), err
		}
		j, err := sh.b.attachmentJSON(v, m, a, q.Select, q.Expand)
		if err != nil {
			return nil, err
		}
		j["@odata.context"] = c.under("events('" + c.Params["item"] + "')/attachments/$entity")
		return v.applied(JSON(200, j)), nil
	})(c)
}

// attachTo adds an attachment to an event, or to an occurrence, which thereby becomes an exception.
func (s *shelf) attachTo(c *Call, it *pimItem, day int, a *attachment, now time.Time) (*message, error) {
	m, err := s.bearerOf(it, day)
	if err != nil {
		return nil, err
	}
	m.attach(a)
	n := it.edit()
	if day == 0 {
		n.attachments = m.attachments
	} else {
		if err := s.changeOccurrence(c, it, n, day, fields{}); err != nil {
			return nil, err
		}
		n.exceptions[day].attachments = m.attachments
	}
	s.mailed(c, "update of an event", it, nil)
	s.put(n, now)
	return m, nil
}

func (s *Sim) eventAttach(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		a, err := s.readAttachment(c.Body, c.Now.UTC().Truncate(time.Second), 0)
		if err != nil {
			return nil, err
		}
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		m, err := sh.attachTo(c, it, day, a, c.Now)
		if err != nil {
			return nil, err
		}
		j, err := sh.b.attachmentJSON(v, m, a, nil, nil)
		if err != nil {
			return nil, err
		}
		j["@odata.context"] = c.under("events('" + c.Params["item"] + "')/attachments/$entity")
		return v.applied(JSON(201, j)), nil
	})(c)
}

func (s *Sim) eventDetach(c *Call) (*Reply, error) {
	return s.shelved(calendarKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		m, err := sh.bearerOf(it, day)
		if err != nil {
			return nil, err
		}
		a, err := sh.b.attachment(m, c.Params["attachment"])
		if err != nil {
			return nil, err
		}
		n := it.edit()
		rest := slices.DeleteFunc(slices.Clone(m.attachments), func(x *attachment) bool { return x == a })
		if day == 0 {
			n.attachments = rest
		} else {
			if err := sh.changeOccurrence(c, it, n, day, fields{}); err != nil {
				return nil, err
			}
			n.exceptions[day].attachments = rest
		}
		sh.mailed(c, "update of an event", it, nil)
		sh.put(n, c.Now)
		return nil, nil
	})(c)
}
