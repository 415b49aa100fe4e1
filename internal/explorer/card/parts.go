package card

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Body is the text of an item.
type Body struct {
	Text string
	HTML bool
}

// longestList bounds how many attendees, exceptions, steps or days a card has.
const longestList = 1_000

func some[T any](all []T) []T { return all[:min(len(all), longestList)] }

func body(kind, content string) Body { return Body{content, strings.EqualFold(kind, "html")} }

// person gives nil for nobody.
func person(p *struct{ EmailAddress mail }) *holdfast.Person {
	if p == nil || p.EmailAddress == (mail{}) {
		return nil
	}
	return &holdfast.Person{Name: p.EmailAddress.Name, Address: p.EmailAddress.Address}
}

func rule(r *recurrence) *holdfast.Recurrence {
	if r == nil || r.Pattern.Type == "" {
		return nil
	}
	out := &holdfast.Recurrence{Type: r.Pattern.Type, Interval: max(1, r.Pattern.Interval), From: dated(r.Range.StartDate)}
	switch r.Pattern.Type {
	case "weekly":
		out.Days = some(r.Pattern.DaysOfWeek)
	case "absoluteMonthly":
		out.Day = r.Pattern.DayOfMonth
	case "relativeMonthly":
		out.Days, out.Index = some(r.Pattern.DaysOfWeek), r.Pattern.Index
	case "absoluteYearly":
		out.Day, out.Month = r.Pattern.DayOfMonth, r.Pattern.Month
	case "relativeYearly":
		out.Days, out.Index, out.Month = some(r.Pattern.DaysOfWeek), r.Pattern.Index, r.Pattern.Month
	}
	switch r.Range.Type {
	case "endDate":
		out.Until = dated(r.Range.EndDate)
	case "numbered":
		out.Count = r.Range.NumberOfOccurrences
	}
	return out
}

// dated is a date, or nothing.
func dated(s string) string {
	if t, err := time.Parse(time.DateOnly, s); err != nil || t.Year() <= 1 {
		return ""
	}
	return s
}

// EventCard takes an event apart.
func EventCard(raw []byte) (*holdfast.EventCard, Body, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, Body{}, fmt.Errorf("stored event: %w", err)
	}
	out := &holdfast.EventCard{Start: e.Start.utc(), End: e.End.utc(), AllDay: e.IsAllDay, ZoneName: e.OriginalStartTimeZone, Location: e.Location.DisplayName, Organizer: person(e.Organizer),
		Recurrence: rule(e.Recurrence), Cancelled: e.IsCancelled, ShowAs: e.ShowAs, Sensitivity: e.Sensitivity, Importance: e.Importance, Categories: e.Categories}
	if loc, ok := sys.Zone(e.OriginalStartTimeZone); ok {
		out.Zone = loc.String()
	}
	if e.IsReminderOn {
		out.Reminder = &e.ReminderMinutesBeforeStart
	}
	if e.OnlineMeeting != nil {
		out.Meeting = e.OnlineMeeting.JoinURL
	}
	for _, a := range some(e.Attendees) {
		out.Attendees = append(out.Attendees, holdfast.Attendee{Person: holdfast.Person{Name: a.EmailAddress.Name, Address: a.EmailAddress.Address}, Kind: cmp.Or(a.Type, "required"), Response: cmp.Or(a.Status.Response, "none")})
	}
	for _, x := range some(e.ExceptionOccurrences) {
		out.Exceptions = append(out.Exceptions, holdfast.EventException{Original: x.OriginalStart, Start: x.Start.utc(), End: x.End.utc(), Subject: x.Subject, Location: x.Location.DisplayName})
	}
	for _, id := range some(e.CancelledOccurrences) {
		if day := dated(id[strings.LastIndexByte(id, '.')+1:]); day != "" {
			out.Left = append(out.Left, day)
		}
	}
	return out, body(e.Body.ContentType, e.Body.Content), nil
}

// ContactCard takes a contact apart; its photo is not in its JSON.
func ContactCard(raw []byte) (*holdfast.ContactCard, Body, error) {
	var c struct {
		CompanyName, Department, JobTitle, NickName, FileAs, Birthday, BusinessHomePage, MobilePhone, PersonalNotes string
		EmailAddresses                                                                                              []mail
		BusinessPhones, HomePhones, ImAddresses, Categories                                                         []string
		BusinessAddress, HomeAddress, OtherAddress                                                                  *address
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, Body{}, fmt.Errorf("stored contact: %w", err)
	}
	out := &holdfast.ContactCard{Company: c.CompanyName, Department: c.Department, Title: c.JobTitle, Nickname: c.NickName, FileAs: c.FileAs, Website: c.BusinessHomePage, Chats: c.ImAddresses, Categories: c.Categories}
	if t, err := time.Parse(time.RFC3339, c.Birthday); err == nil && t.Year() > 1 {
		out.Birthday = t.Format(time.DateOnly)
	}
	for _, m := range some(c.EmailAddresses) {
		if m.Address != "" {
			out.Addresses = append(out.Addresses, holdfast.Person(m))
		}
	}
	for _, p := range []struct {
		kind    string
		numbers []string
	}{{"business", c.BusinessPhones}, {"home", c.HomePhones}, {"mobile", []string{c.MobilePhone}}} {
		for _, n := range some(p.numbers) {
			if n != "" {
				out.Phones = append(out.Phones, holdfast.LabelledText{Kind: p.kind, Text: n})
			}
		}
	}
	for _, a := range []struct {
		kind string
		*address
	}{{"business", c.BusinessAddress}, {"home", c.HomeAddress}, {"other", c.OtherAddress}} {
		if a.address == nil {
			continue
		}
		var lines []string
		for _, l := range []string{a.Street, strings.TrimSpace(a.PostalCode + " " + a.City), a.State, a.CountryOrRegion} {
			if l = strings.TrimSpace(l); l != "" {
				lines = append(lines, l)
			}
		}
		if len(lines) > 0 {
			out.Places = append(out.Places, holdfast.LabelledText{Kind: a.kind, Text: strings.Join(lines, "\n")})
		}
	}
	return out, Body{Text: c.PersonalNotes}, nil
}

// TaskCard takes a task apart.
func TaskCard(raw []byte) (*holdfast.TaskCard, Body, error) {
	var t struct {
		Status, Importance                                              string
		Body                                                            struct{ ContentType, Content string }
		DueDateTime, StartDateTime, CompletedDateTime, ReminderDateTime *moment
		Categories                                                      []string
		IsReminderOn                                                    bool
		Recurrence                                                      *recurrence
		ChecklistItems                                                  []struct {
			DisplayName string
			IsChecked   bool
		}
		LinkedResources []struct{ DisplayName, ApplicationName, WebURL string }
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, Body{}, fmt.Errorf("stored task: %w", err)
	}
	day := func(m *moment) string {
		if m == nil || len(m.DateTime) < len(time.DateOnly) {
			return ""
		}
		return dated(m.DateTime[:len(time.DateOnly)]) // a task has days, written in the zone of who made it
	}
	out := &holdfast.TaskCard{Status: t.Status, Importance: t.Importance, Start: day(t.StartDateTime), Due: day(t.DueDateTime), Completed: day(t.CompletedDateTime), Recurrence: rule(t.Recurrence), Categories: t.Categories}
	if t.IsReminderOn {
		out.Reminder = t.ReminderDateTime.utc()
	}
	for _, c := range some(t.ChecklistItems) {
		out.Steps = append(out.Steps, holdfast.TaskStep{Text: c.DisplayName, Done: c.IsChecked})
	}
	for _, l := range some(t.LinkedResources) {
		out.Links = append(out.Links, holdfast.LabelledText{Kind: cmp.Or(l.DisplayName, l.ApplicationName), Text: l.WebURL})
	}
	return out, body(t.Body.ContentType, t.Body.Content), nil
}
