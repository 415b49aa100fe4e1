package sim

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

func calendarStock(s *shelf) {
	n := s.b.s.shape.pim.Events
	side, birthdays := n/5, min(2, n/8)
	s.addFolder(2, map[string]any{"name": "Calendar"}, n-side-birthdays).known = true
	s.addFolder(0, map[string]any{"name": "My Calendars", "group": true, "classId": "0006f0b7-0000-0000-c000-000000000046"}, 0).known = true
	if n == 0 {
		return
	}
	s.addFolder(0, map[string]any{"name": "Other Calendars", "group": true, "classId": "0006f0b8-0000-0000-c000-000000000046"}, 0).known = true
	s.addFolder(2, map[string]any{"name": "Projekt – 計画", "color": "lightTeal"}, side)
	s.addFolder(3, map[string]any{"name": "Birthdays"}, birthdays).system = true
	s.addFolder(3, map[string]any{"name": "Empty"}, 0)
}

// person is a user of the tenant or a stranger.
func (s *shelf) person(r random) map[string]any {
	given, sur := pick(r, givenNames), pick(r, surnames)
	return map[string]any{"name": given + " " + sur, "address": strings.ToLower(given+"."+sur) + "@example.com"}
}

func attendee(e map[string]any, kind, response string) map[string]any {
	at := "0001-01-01T00:00:00Z"
	if response != "none" {
		at = "2026-01-20T10:11:12Z"
	}
	return map[string]any{"emailAddress": e, "type": kind, "status": map[string]any{"response": response, "time": at}}
}

func at(zone string, year int, month time.Month, day, hour, minute int) map[string]any {
	return map[string]any{"dateTime": time.Date(year, month, day, hour, minute, 0, 0, time.UTC).Format(momentForm), "timeZone": zone}
}

// repeat is a recurrence that begins on a date.
func repeat(kind string, start string, limits map[string]any, pattern map[string]any) map[string]any {
	p := map[string]any{"type": kind, "interval": 1}
	maps.Copy(p, pattern)
	l := map[string]any{"type": "noEnd", "startDate": start}
	maps.Copy(l, limits)
	return map[string]any{"pattern": p, "range": l}
}

// eventGenerate makes one of eight kinds of events, in turn.
func eventGenerate(s *shelf, f *pimFolder, j int) *pimItem {
	r := newRand(s.b.s.opt.Seed, "event", s.b.index, uint64(f.key), uint64(j))
	year := 2025 + r.IntN(2)
	it := &pimItem{created: pimTime(r), key: pimKey(f.key, j), folder: f.key}
	it.modified = it.created
	html := func() map[string]any {
		return map[string]any{"contentType": "html", "content": string(proseHTML(r.Uint64(), 300+r.IntN(1500)))}
	}
	p := map[string]any{"subject": pick(r, []string{"Planning", "Jour fixe", "Besichtigung – Halle 3", "打ち合わせ", "Review", "1:1"}) + " " + pick(r, surnames), "body": html()}
	file := func(name string, size int) *attachment {
		return &attachment{id: uint64(len(it.attachments) + 1), kind: fileAttachment, name: name, contentType: "application/octet-stream", modified: it.created,
			content: payload{kind: binaryContent, size: size, seed: r.Uint64()}}
	}
	var attendees []any
	var days []int // of a series, the first ones
	kind := j % 8
	if f.system {
		kind = 6
	}
	day, hour := 1+r.IntN(28), 8+r.IntN(9)
	switch kind {
	case 0:
		p["start"], p["end"] = at("W. Europe Standard Time", year, time.Month(1+r.IntN(12)), day, hour, 0), nil
		attendees = []any{attendee(s.person(r), "required", "accepted"), attendee(s.person(r), "optional", "tentativelyAccepted"), attendee(map[string]any{"name": "Room 2", "address": "room2@example.com"}, "resource", "accepted")}
		p["location"] = map[string]any{"displayName": "Room 2", "locationType": "conferenceRoom", "locationEmailAddress": "room2@example.com"}
		it.attachments = append(it.attachments, file("Agenda "+pick(r, surnames)+".bin", 2000+r.IntN(30000)))
		p["categories"] = []any{pick(r, categoryNames)}
	case 1: // over the change to summer time, with exceptions
		zone := pick(r, []string{"Pacific Standard Time", "W. Europe Standard Time", "Eastern Standard Time"})
		p["start"], p["end"] = at(zone, 2026, time.February, 3, hour, 30), at(zone, 2026, time.February, 3, hour+1, 15)
		p["recurrence"] = repeat("weekly", "2026-02-03", map[string]any{"type": "endDate", "endDate": "2026-05-29"}, map[string]any{"daysOfWeek": []any{"tuesday", "thursday"}, "firstDayOfWeek": "monday"})
		p["isReminderOn"], p["reminderMinutesBeforeStart"] = true, 30
		attendees = []any{attendee(s.person(r), "required", "notResponded")}
	case 2:
		zone := "Pacific Standard Time"
		p["start"], p["end"], p["isAllDay"] = at(zone, year, time.July, day, 0, 0), at(zone, year, time.July, day+3, 0, 0), true
		p["showAs"], p["isReminderOn"] = "oof", false
	case 3:
		p["start"] = at("UTC", year, time.Month(1+r.IntN(12)), day, hour, 0)
		it.organizer = &mailAddress{Name: "Vale Orchard", Address: "vale.orchard@example.org"}
		p["myResponse"] = pick(r, []string{"accepted", "tentativelyAccepted", "notResponded"})
		attendees = []any{attendee(s.person(r), "required", "none"), attendee(map[string]any{"name": s.b.user.DisplayName, "address": s.b.user.Mail}, "required", orText(p["myResponse"], ""))}
		p["isOnlineMeeting"], p["onlineMeetingProvider"], p["onlineMeeting"] = true, "teamsForBusiness", map[string]any{"joinUrl": fmt.Sprintf("https://teams.microsoft.com/l/meetup-join/%x", r.bytes(12))}
		p["isCancelled"] = j%16 == 11
	case 4:
		zone := "New Zealand Standard Time"
		p["start"], p["end"] = at(zone, 2026, time.January, 30, 9, 0), at(zone, 2026, time.January, 30, 9, 30)
		p["recurrence"] = repeat("relativeMonthly", "2026-01-30", map[string]any{"type": "numbered", "numberOfOccurrences": 9}, map[string]any{"daysOfWeek": []any{"friday"}, "index": "last"})
		p["sensitivity"] = "private"
	case 5:
		p["start"] = at("Tokyo Standard Time", year, time.Month(1+r.IntN(12)), day, 23, 30)
		p["locations"] = []any{map[string]any{"displayName": "Halle 1"}, map[string]any{"displayName": "Werk 2", "address": map[string]any{"city": pick(r, cityNames), "street": "Am Kai 3"}, "coordinates": map[string]any{"latitude": 53.5, "longitude": 9.9}}}
		p["importance"], p["sensitivity"], p["hideAttendees"], p["allowNewTimeProposals"], p["responseRequested"] = "high", "confidential", true, false, false
		m := newMessage(it.created)
		m.foreign, m.subject = fields{"displayName": []byte(`"Poppy Quarry"`), "mobilePhone": []byte(`"+49 170 555"`)}, "Poppy Quarry"
		it.attachments = append(it.attachments, file("Plan.bin", 500), &attachment{id: 2, kind: itemAttachment, name: "Poppy Quarry", item: m, itemType: "#microsoft.graph.contact", modified: it.created})
	case 6:
		p["subject"] = pick(r, givenNames) + "'s birthday"
		zone := "Eastern Standard Time"
		month := time.Month(1 + r.IntN(12))
		p["start"], p["end"], p["isAllDay"], p["showAs"] = at(zone, 2020, month, day, 0, 0), at(zone, 2020, month, day+1, 0, 0), true, "free"
		p["recurrence"] = repeat("absoluteYearly", fmt.Sprintf("2020-%02d-%02d", month, day), nil, map[string]any{"dayOfMonth": day, "month": int(month)})
		p["body"] = map[string]any{"contentType": "text", "content": ""}
	case 7:
		p["start"] = at("GMT Standard Time", 2026, time.March, 23, hour, 0)
		p["recurrence"] = repeat("daily", "2026-03-23", map[string]any{"type": "numbered", "numberOfOccurrences": 14}, nil)
		it.attachments = append(it.attachments, file("Checklist.bin", 1200))
	}
	if p["end"] == nil {
		m, _ := momentOf(p["start"])
		m.at = m.at.Add(time.Duration(30+30*r.IntN(4)) * time.Minute)
		p["end"] = m.in(m.zone, false)
	}
	it.props = p
	asked := map[string]bool{}
	for k := range p {
		asked[k] = true
	}
	join := p["onlineMeeting"]
	if err := eventFill(s, nil, it, asked); err != nil {
		panic(err) // the content is ours
	}
	it.uid = fmt.Sprintf("040000008200E00074C5B7101A82E008%X", r.bytes(24))
	if join != nil {
		it.props["onlineMeeting"] = join
	}
	if attendees != nil {
		it.props["attendees"] = attendees
	}
	if rule, ok := ruleOf(it.props["recurrence"]); ok && (kind == 1 || kind == 7) {
		rule.dates(rule.start.AddDate(1, 0, 0), func(d time.Time) bool { days = append(days, dayOf(d)); return true })
		start, _ := momentOf(it.props["start"])
		end, _ := momentOf(it.props["end"])
		moved := func(day int, by time.Duration) map[string]any {
			return map[string]any{"start": moment{onDay(start, day).Add(by), start.zone}.in(start.zone, false), "end": moment{onDay(start, day).Add(by + end.at.Sub(start.at)), end.zone}.in(end.zone, false)}
		}
		made := func(day int, props map[string]any) {
			if it.exceptions == nil {
				it.exceptions, it.cancelled = map[int]*pimItem{}, map[int]bool{}
			}
			it.exceptions[day] = &pimItem{props: props, attachments: it.attachments, created: it.created, modified: it.created, version: 1}
		}
		made(days[1], moved(days[1], 90*time.Minute))
		changed := map[string]any{"subject": it.text("subject") + " (anders)", "showAs": "tentative", "location": map[string]any{"displayName": "Foyer"}}
		placeOf(changed, map[string]bool{"location": true})
		made(days[12], changed)
		if kind == 7 {
			it.exceptions[days[12]].attachments = append(it.exceptions[days[12]].attachments[:len(it.attachments):len(it.attachments)], file("Only that day.bin", 700))
			it.exceptions[days[12]].attachments[len(it.attachments)].id = 9
		}
		it.cancelled[days[2]], it.cancelled[days[11]] = true, true
	}
	return it
}
