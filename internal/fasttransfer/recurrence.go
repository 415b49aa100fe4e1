package fasttransfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Pattern of a series.
type Pattern string

const (
	Daily      Pattern = "daily"
	Weekly     Pattern = "weekly"
	Monthly    Pattern = "monthly"    // on a day of the month
	MonthlyNth Pattern = "monthlyNth" // on the nth of some days of the week
	MonthEnd   Pattern = "monthEnd"   // on the month's last day
)

// Recurrence is the rule of a series with the occurrences that were changed (MS-OXOCAL 2.2.1.44). Its times are those of the clock of the
// appointment's time zone, though Go has them in UTC.
type Recurrence struct {
	Pattern     Pattern
	Yearly      bool // the months of Period are years
	Period      int  // every so many days, weeks or months
	Days        []time.Weekday
	Day         int // of the month; with 31 the last one when a month is shorter
	Nth         int // 1 to 4, 5 is the last
	FirstDay    time.Weekday
	Calendar    int // 0 or 1: Gregorian
	Start       time.Time
	End         time.Time // zero: it never ends
	Count       int       // of occurrences, when it was given by number; else 0
	Deleted     []time.Time
	Exceptions  []Exception
	StartOffset time.Duration // of an occurrence's start from midnight
	EndOffset   time.Duration
	// Regenerating says that a task's next occurrence comes a while after the last one was done.
	Regenerating bool
}

// Exception is an occurrence that is different. Fields that are nil are as in the series.
type Exception struct {
	Original   time.Time // when the occurrence would begin
	Start, End time.Time
	Subject    *string
	Location   *string
	AllDay     *bool
	Busy       *int
	Reminder   *bool
	Minutes    *int // before Start
	Attachment *bool
	// Body says that the occurrence has a text of its own, which is in the attachment that belongs to it.
	Body bool
}

const maxInstances = 20_000 // of a series; the format's own reader takes a few thousand

var errShort = errors.New("it is too short")

// blob reads numbers of a fixed form; after its end it gives zeros and remembers that.
type blob struct {
	b   []byte
	err error
}

func (r *blob) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.err = nil, errShort
		return make([]byte, max(0, min(n, 64)))
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *blob) u8() byte    { return r.take(1)[0] }
func (r *blob) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *blob) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

// skip passes over a block with its size before it.
func (r *blob) skip() {
	if n := r.u32(); int64(n) <= int64(len(r.b)) {
		r.take(int(n))
	} else {
		r.err = errShort
	}
}

// recurrence reads what appointments and tasks have alike.
func (r *blob) recurrence() (*Recurrence, error) {
	if reader := r.u16(); r.err == nil && reader != 0x3004 {
		return nil, fmt.Errorf("its version is %#04x", reader)
	}
	r.u16()
	rec := &Recurrence{}
	frequency, pattern := r.u16(), r.u16()
	rec.Calendar = int(r.u16())
	r.u32() // the first date, which says of a period of more than one where it begins; Start does so too
	rec.Period = int(r.u32())
	rec.Regenerating = r.u32() != 0
	switch pattern & 0xf {
	case 0:
		rec.Pattern = Daily
		rec.Period /= 24 * 60
	case 1:
		rec.Pattern = Weekly
		rec.Days = weekdays(r.u32())
	case 2, 0xa:
		rec.Pattern = Monthly
		rec.Day = int(r.u32())
	case 3, 0xb:
		rec.Pattern = MonthlyNth
		rec.Days = weekdays(r.u32())
		rec.Nth = int(r.u32())
	case 4, 0xc:
		rec.Pattern = MonthEnd
		rec.Day = int(r.u32())
	default:
		return nil, fmt.Errorf("its pattern is %#x", pattern)
	}
	if pattern >= 0xa {
		rec.Calendar = max(rec.Calendar, 6) // Hijri
	}
	rec.Yearly = frequency == 0x200d
	end := r.u32()
	count := r.u32()
	rec.FirstDay = time.Weekday(r.u32() % 7)
	deleted, err := r.dates()
	if err != nil {
		return nil, err
	}
	rec.Deleted = deleted
	if _, err := r.dates(); err != nil { // the days that changed occurrences were moved to; the exceptions have their times
		return nil, err
	}
	rec.Start = minutes(r.u32())
	last := minutes(r.u32())
	switch end {
	case 0x2021:
		rec.End = last
	case 0x2022:
		rec.End, rec.Count = last, int(count)
	}
	if r.err != nil {
		return nil, r.err
	}
	if rec.Period < 1 {
		return nil, fmt.Errorf("its period is %d", rec.Period)
	}
	return rec, nil
}

func (r *blob) dates() ([]time.Time, error) {
	n := r.u32()
	if n > maxInstances || int64(n)*4 > int64(len(r.b)) {
		return nil, fmt.Errorf("it says it has %d dates", n)
	}
	out := make([]time.Time, 0, n)
	for range n {
		out = append(out, minutes(r.u32()))
	}
	return out, nil
}

func weekdays(mask uint32) []time.Weekday {
	var out []time.Weekday
	for d := time.Sunday; d <= time.Saturday; d++ {
		if mask&(1<<d) != 0 {
			out = append(out, d)
		}
	}
	return out
}

// Which fields of an exception stand in it.
const (
	changedSubject = 1 << iota
	changedMeeting
	changedMinutes
	changedReminder
	changedLocation
	changedBusy
	changedAttachment
	changedAllDay
	changedColor
	changedBody
)

// parseRecurrence reads the property of an appointment.
func parseRecurrence(b []byte, codePage int) (*Recurrence, error) {
	r := &blob{b: b}
	rec, err := r.recurrence()
	if err != nil {
		return nil, fmt.Errorf("recurrence: %w", err)
	}
	r.u32()
	writer := r.u32()
	rec.StartOffset = time.Duration(r.u32()) * time.Minute
	rec.EndOffset = time.Duration(r.u32()) * time.Minute
	n := int(r.u16())
	if r.err != nil {
		return nil, fmt.Errorf("recurrence: %w", r.err)
	}
	flags := make([]uint16, 0, n)
	for range n {
		e, f := r.exception(codePage)
		if r.err != nil {
			return nil, fmt.Errorf("recurrence: exception %d: %w", len(flags)+1, r.err)
		}
		rec.Exceptions, flags = append(rec.Exceptions, e), append(flags, f)
	}
	r.skip()
	for i := range rec.Exceptions {
		r.extended(&rec.Exceptions[i], flags[i], writer)
	}
	// What follows repeats the exceptions in Unicode; a series without exceptions is whole without it.
	if r.err != nil && n > 0 {
		return nil, fmt.Errorf("recurrence: %w", r.err)
	}
	rec.Deleted = notChanged(rec.Deleted, rec.Exceptions)
	return rec, nil
}

// notChanged takes the days of changed occurrences off those of deleted ones, where they stand too.
func notChanged(deleted []time.Time, exceptions []Exception) []time.Time {
	changed := make(map[time.Time]bool, len(exceptions))
	for _, e := range exceptions {
		changed[e.Original.Truncate(24*time.Hour)] = true
	}
	out := deleted[:0]
	for _, d := range deleted {
		if !changed[d.Truncate(24*time.Hour)] {
			out = append(out, d)
		}
	}
	return out
}

func (r *blob) exception(codePage int) (Exception, uint16) {
	e := Exception{Start: minutes(r.u32()), End: minutes(r.u32()), Original: minutes(r.u32())}
	flags := r.u16()
	text := func() *string {
		r.u16() // the length with a zero that is not there
		s := decodeText(r.take(int(r.u16())), codePage)
		return &s
	}
	number := func() *int { n := int(int32(r.u32())); return &n }
	truth := func() *bool { b := r.u32() != 0; return &b }
	if flags&changedSubject != 0 {
		e.Subject = text()
	}
	if flags&changedMeeting != 0 {
		r.u32()
	}
	if flags&changedMinutes != 0 {
		e.Minutes = number()
	}
	if flags&changedReminder != 0 {
		e.Reminder = truth()
	}
	if flags&changedLocation != 0 {
		e.Location = text()
	}
	if flags&changedBusy != 0 {
		e.Busy = number()
	}
	if flags&changedAttachment != 0 {
		e.Attachment = truth()
	}
	if flags&changedAllDay != 0 {
		e.AllDay = truth()
	}
	if flags&changedColor != 0 {
		r.u32()
	}
	e.Body = flags&changedBody != 0
	return e, flags
}

// extended reads what an exception has in Unicode.
func (r *blob) extended(e *Exception, flags uint16, writer uint32) {
	if writer >= 0x3009 {
		r.skip() // what changed, as colours show it
	}
	r.skip()
	if flags&(changedSubject|changedLocation) == 0 {
		return
	}
	r.take(12) // the times once more
	text := func(into **string) {
		s := utf16Text(r.take(2 * int(r.u16())))
		if r.err == nil {
			*into = &s
		}
	}
	if flags&changedSubject != 0 {
		text(&e.Subject)
	}
	if flags&changedLocation != 0 {
		text(&e.Location)
	}
	r.skip()
}
