package fasttransfer

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Appointment is what an entry of a calendar says beyond a message.
type Appointment struct {
	Start, End time.Time // in UTC
	AllDay     bool
	Location   string
	Busy       string // "free", "tentative", "busy", "outOfOffice", "workingElsewhere"
	Meeting    bool   // others are invited
	Cancelled  bool
	Response   string // the mailbox's own answer, as of Recipient.Response
	Organizer  Address
	UID        string // the same in all mailboxes that have the meeting
	Sequence   int
	Reminder   bool
	Minutes    int // before Start that the reminder comes
	Zone       *Zone
	Recurrence *Recurrence // nil: it happens once
	Original   time.Time   // of an exception: when the occurrence would begin, in UTC
	Problems   []string    // what of it could not be read
}

// Appointment gives what a calendar shows of the item; ok is false for an item without a time.
func (m *Message) Appointment() (a Appointment, ok bool) {
	a = Appointment{
		Start: m.time(appointment(0x820d)), End: m.time(appointment(0x820e)),
		AllDay: m.flag(appointment(0x8215)), Location: m.text(appointment(0x8208)),
		Busy:      choose(m.numberOr(appointment(0x8205), 2), "free", "tentative", "busy", "outOfOffice", "workingElsewhere"),
		Meeting:   m.numberOr(appointment(0x8217), 0)&1 != 0,
		Cancelled: m.numberOr(appointment(0x8217), 0)&4 != 0,
		Response:  choose(m.numberOr(appointment(0x8218), 0), "none", "organizer", "tentative", "accepted", "declined", "notResponded"),
		Organizer: m.From(), Sequence: int(m.numberOr(appointment(0x8201), 0)),
		Reminder: m.flag(common(0x8503)), Minutes: int(m.numberOr(common(0x8501), 0)),
		Original: m.time(appointment(0x8228)),
	}
	if a.Start.IsZero() {
		a.Start = m.time(common(0x8516))
	}
	if a.End.IsZero() {
		a.End = m.time(common(0x8517))
	}
	if a.Minutes == 0x5ae980e1 { // "the usual number", which is 15
		a.Minutes = 15
	}
	if id := m.bytes(Name{Set: setMeeting, ID: 0x23}, 4096); len(id) > 0 {
		a.UID = meetingUID(id)
	} else if id := m.bytes(Name{Set: setMeeting, ID: 0x03}, 4096); len(id) > 0 {
		a.UID = meetingUID(id)
	}
	a.Zone = m.zone(&a)
	if b := m.bytes(appointment(0x8216), 4<<20); len(b) > 0 {
		r, err := parseRecurrence(b, m.codePage)
		if err != nil {
			a.Problems = append(a.Problems, err.Error())
		}
		a.Recurrence = r
	}
	return a, !a.Start.IsZero()
}

// zone is the time zone that the appointment was made in.
func (m *Message) zone(a *Appointment) *Zone {
	for _, n := range []Name{appointment(0x825e), appointment(0x8260)} {
		if b := m.bytes(n, 64<<10); len(b) > 0 {
			z, err := parseZoneDefinition(b)
			if err == nil {
				return z
			}
			a.Problems = append(a.Problems, err.Error())
		}
	}
	if b := m.bytes(appointment(0x8233), 4096); len(b) > 0 {
		z, err := parseZone(b)
		if err != nil {
			a.Problems = append(a.Problems, err.Error())
			return nil
		}
		z.Name = m.text(appointment(0x8234))
		return z
	}
	return nil
}

// uidPrefix marks a global object id that only carries the UID of a meeting from elsewhere.
var uidPrefix = []byte("vCal-Uid\x01\x00\x00\x00")

// meetingUID is the UID that stands for a global object id (MS-OXCICAL 2.1.3.1.1.20.26).
func meetingUID(id []byte) string {
	if i := bytes.Index(id, uidPrefix); i == 40 {
		return strings.TrimRight(string(id[i+len(uidPrefix):]), "\x00")
	}
	clean := bytes.Clone(id)
	if len(clean) >= 20 {
		clear(clean[16:20]) // the date of one occurrence
	}
	return strings.ToUpper(hex.EncodeToString(clean))
}

// Zone is a time zone by its rules, the oldest first.
type Zone struct {
	Name  string // as Windows calls it
	Rules []ZoneRule
}

// ZoneRule says what offset is when, from Year on. The offsets are of local time from UTC.
type ZoneRule struct {
	Year     int
	Standard time.Duration
	Daylight time.Duration
	ToStd    Change // when standard time begins
	ToDay    Change // when daylight saving time begins; Month 0: there is none
}

// Change is the day and time at which an offset begins: in its Month the Week-th of Day (5: the last), or if Year is not 0 that very day, Week.
type Change struct {
	Year, Month, Week int
	Day               time.Weekday
	Time              time.Duration // since midnight, by the clock before it is changed
}

func (r *blob) bias() time.Duration { return time.Duration(int32(r.u32())) * time.Minute }

func (r *blob) change() Change {
	c := Change{Year: int(r.u16()), Month: int(r.u16()), Day: time.Weekday(r.u16() % 7), Week: int(r.u16())}
	c.Time = time.Duration(r.u16())*time.Hour + time.Duration(r.u16())*time.Minute + time.Duration(r.u16())*time.Second
	r.u16() // milliseconds
	if c.Month > 12 || c.Week > 31 || c.Time >= 24*time.Hour {
		r.err = fmt.Errorf("its rule of month %d, week %d, %v is none", c.Month, c.Week, c.Time)
	}
	return c
}

// parseZone reads a zone with one rule (MS-OXOCAL 2.2.1.39).
func parseZone(b []byte) (*Zone, error) {
	r := &blob{b: b}
	bias, standard, daylight := r.bias(), r.bias(), r.bias()
	rule := ZoneRule{Standard: -bias - standard, Daylight: -bias - daylight}
	r.u16()
	rule.ToStd = r.change()
	r.u16()
	rule.ToDay = r.change()
	if r.err != nil {
		return nil, fmt.Errorf("time zone: %w", r.err)
	}
	return (&Zone{Rules: []ZoneRule{rule}}).check()
}

// parseZoneDefinition reads a zone with its name and history (MS-OXOCAL 2.2.1.41).
func parseZoneDefinition(b []byte) (*Zone, error) {
	r := &blob{b: b}
	if major := r.u8(); major != 2 {
		return nil, fmt.Errorf("time zone: its version is %d", major)
	}
	r.u8()
	head := &blob{b: r.take(int(r.u16()))}
	head.u16()
	z := &Zone{Name: utf16Text(head.take(2 * int(head.u16())))}
	n := int(head.u16())
	if head.err != nil {
		return nil, fmt.Errorf("time zone: %w", head.err)
	}
	for range n {
		r.u16()
		size := r.u16()
		body := &blob{b: r.take(int(size))}
		body.u16() // flags
		rule := ZoneRule{Year: int(body.u16())}
		body.take(14)
		bias, standard, daylight := body.bias(), body.bias(), body.bias()
		rule.Standard, rule.Daylight = -bias-standard, -bias-daylight
		rule.ToStd, rule.ToDay = body.change(), body.change()
		if r.err != nil || body.err != nil {
			return nil, fmt.Errorf("time zone %q: rule %d is damaged", z.Name, len(z.Rules)+1)
		}
		z.Rules = append(z.Rules, rule)
	}
	return z.check()
}

// check refuses what is no time zone.
func (z *Zone) check() (*Zone, error) {
	if len(z.Rules) == 0 {
		return nil, fmt.Errorf("time zone %q has no rules", z.Name)
	}
	for _, r := range z.Rules {
		if r.Standard.Abs() > 24*time.Hour || r.Daylight.Abs() > 24*time.Hour {
			return nil, fmt.Errorf("time zone %q is %v from UTC", z.Name, r.Standard)
		}
	}
	return z, nil
}

// on is the time of the change in a year, by the clock that is changed.
func (c Change) on(year int) time.Time {
	if c.Year != 0 {
		return time.Date(year, time.Month(c.Month), c.Week, 0, 0, 0, 0, time.UTC).Add(c.Time)
	}
	first := time.Date(year, time.Month(c.Month), 1, 0, 0, 0, 0, time.UTC)
	day := 1 + (int(c.Day)-int(first.Weekday())+7)%7 + 7*(max(c.Week, 1)-1)
	if t := time.Date(year, time.Month(c.Month), day, 0, 0, 0, 0, time.UTC); t.Month() != time.Month(c.Month) {
		day -= 7
	}
	return time.Date(year, time.Month(c.Month), day, 0, 0, 0, 0, time.UTC).Add(c.Time)
}

func (z *Zone) rule(year int) ZoneRule {
	r := z.Rules[0]
	for _, next := range z.Rules {
		if next.Year <= year {
			r = next
		}
	}
	return r
}

// offset is how far local time is from UTC at a time of the local clock.
func (z *Zone) offset(local time.Time) time.Duration {
	r := z.rule(local.Year())
	if r.ToDay.Month == 0 || r.ToStd.Month == 0 {
		return r.Standard
	}
	day, std := r.ToDay.on(local.Year()), r.ToStd.on(local.Year())
	summer := !local.Before(day) && local.Before(std)
	if std.Before(day) { // the southern half of the world
		summer = !local.Before(day) || local.Before(std)
	}
	if summer {
		return r.Daylight
	}
	return r.Standard
}

// UTC is the moment of a time of the zone's clock, and Local what that clock shows at a moment.
func (z *Zone) UTC(local time.Time) time.Time { return local.Add(-z.offset(local)) }

func (z *Zone) Local(t time.Time) time.Time {
	t = t.UTC()
	r := z.rule(t.Year())
	for _, o := range []time.Duration{r.Standard, r.Daylight} {
		if local := t.Add(o); z.offset(local) == o {
			return local
		}
	}
	return t.Add(r.Standard)
}
