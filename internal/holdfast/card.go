package holdfast

import "time"

// Card is an item that is no document, taken apart for a person to read: exactly one of its parts is set. Texts are as stored; who shows them makes
// them harmless.
type Card struct {
	Event   *EventCard
	Contact *ContactCard
	Task    *TaskCard
	Row     *RowCard // of a list's item or of an older version of one
	Team    *TeamCard
}

// TeamCard is a team, a channel, a tab or a chat of Microsoft Teams.
type TeamCard struct {
	What        string     `json:"what"` // team, channel, tab, chat
	Description string     `json:"description,omitzero"`
	Visibility  string     `json:"visibility,omitzero"` // of a team: public, private, hiddenMembership
	Membership  string     `json:"membership,omitzero"` // of a channel: standard, private, shared; of a chat: oneOnOne, group, meeting
	Archived    bool       `json:"archived,omitzero"`
	Created     *time.Time `json:"created,omitzero"`
	Mail        string     `json:"mail,omitzero"` // of a channel
	App         string     `json:"app,omitzero"`  // of a tab
	Shows       string     `json:"shows,omitzero"`
	Apps        []string   `json:"apps,omitzero"` // of a team: those that are installed
	// Settings are those of a team as Microsoft Graph names them: funSettings, guestSettings, memberSettings and messagingSettings, each with its switches,
	// which are true, false or a word. They are shown by the operations on teams only.
	Settings map[string]map[string]any `json:"-"`
}

// EventCard is an event; of a series, its first occurrence and its rule.
type EventCard struct {
	Start       time.Time        `json:"start"` // in UTC; of an event of whole days its first day
	End         time.Time        `json:"end"`   // of an event of whole days the day after its last
	AllDay      bool             `json:"allDay"`
	Zone        string           `json:"zone,omitzero"`     // IANA name of the zone that it was made in; absent when none is known
	ZoneName    string           `json:"zoneName,omitzero"` // as it is stored
	Location    string           `json:"location,omitzero"`
	Organizer   *Person          `json:"organizer,omitzero"`
	Attendees   []Attendee       `json:"attendees,omitzero"`
	Recurrence  *Recurrence      `json:"recurrence,omitzero"`
	Exceptions  []EventException `json:"exceptions,omitzero"`
	Left        []string         `json:"cancelledDays,omitzero"` // days (RFC 3339 dates) of the series that are left out
	Cancelled   bool             `json:"cancelled,omitzero"`
	ShowAs      string           `json:"showAs,omitzero"`
	Sensitivity string           `json:"sensitivity,omitzero"`
	Importance  string           `json:"importance,omitzero"`
	Reminder    *int             `json:"reminderMinutes,omitzero"` // before the start
	Categories  []string         `json:"categories,omitzero"`
	Meeting     string           `json:"meeting,omitzero"` // address of the online meeting
}

// Person is a name with a mail address, as JSON has it.
type Person struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Attendee is who was asked to an event.
type Attendee struct {
	Person
	Kind     string `json:"kind"`     // required, optional, resource
	Response string `json:"response"` // none, accepted, tentativelyAccepted, declined, …
}

// EventException is an occurrence that is not as its series says.
type EventException struct {
	Original string    `json:"original,omitzero"` // when it would have been, RFC 3339
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Subject  string    `json:"subject,omitzero"`
	Location string    `json:"location,omitzero"`
}

// Recurrence is the rule of a series, as Microsoft Graph has it.
// https://learn.microsoft.com/graph/api/resources/patternedrecurrence
type Recurrence struct {
	Type     string   `json:"type"` // daily, weekly, absoluteMonthly, relativeMonthly, absoluteYearly, relativeYearly
	Interval int      `json:"interval"`
	Days     []string `json:"days,omitzero"`  // names of weekdays
	Index    string   `json:"index,omitzero"` // first … last, of the relative kinds
	Day      int      `json:"dayOfMonth,omitzero"`
	Month    int      `json:"month,omitzero"`
	From     string   `json:"from,omitzero"`  // date
	Until    string   `json:"until,omitzero"` // date; absent when it does not end on one
	Count    int      `json:"count,omitzero"` // of occurrences; 0 when their number is not bounded
}

// ContactCard is a contact. Notes are the body of its preview.
type ContactCard struct {
	Company    string         `json:"company,omitzero"`
	Department string         `json:"department,omitzero"`
	Title      string         `json:"jobTitle,omitzero"`
	Nickname   string         `json:"nickname,omitzero"`
	FileAs     string         `json:"fileAs,omitzero"`
	Birthday   string         `json:"birthday,omitzero"` // date
	Website    string         `json:"website,omitzero"`
	Addresses  []Person       `json:"addresses,omitzero"`
	Phones     []LabelledText `json:"phones,omitzero"` // business, home, mobile
	Chats      []string       `json:"chats,omitzero"`
	Places     []LabelledText `json:"places,omitzero"` // business, home, other; lines end with \n
	Categories []string       `json:"categories,omitzero"`
	Photo      []byte         `json:"photo,omitzero"` // base64 in JSON; an image of PhotoType
	PhotoType  string         `json:"photoType,omitzero"`
}

// LabelledText is a text and what it is of.
type LabelledText struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// TaskCard is a task.
type TaskCard struct {
	Status     string         `json:"status"` // notStarted, inProgress, completed, waitingOnOthers, deferred
	Importance string         `json:"importance,omitzero"`
	Start      string         `json:"start,omitzero"` // date
	Due        string         `json:"due,omitzero"`   // date
	Completed  string         `json:"completed,omitzero"`
	Reminder   time.Time      `json:"reminder,omitzero"`
	Steps      []TaskStep     `json:"steps,omitzero"`
	Recurrence *Recurrence    `json:"recurrence,omitzero"`
	Links      []LabelledText `json:"links,omitzero"` // name, address
	Categories []string       `json:"categories,omitzero"`
}

// TaskStep is a line of a task's check list.
type TaskStep struct {
	Text string `json:"text"`
	Done bool   `json:"done"`
}

// RowCard is an item of a list, column by column.
type RowCard struct {
	Values []ColumnValue `json:"values"`
}

// ListColumn is a column of a list that people see.
type ListColumn struct {
	Name  string `json:"name"` // its own, which does not change
	Title string `json:"title"`
	Kind  string `json:"kind"` // text, note, number, currency, dateTime, boolean, choice, person, lookup, hyperlink, calculated, other
}

// ColumnValue is what one item has in a column. Of a dateTime it is RFC 3339 in UTC, of a boolean true or false, of several values those with "; " between.
type ColumnValue struct {
	ListColumn
	Value string `json:"value"`
}

// ListRow is an item of a list by the names of its columns; a column without a value is absent.
type ListRow struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Time     time.Time         `json:"time"`
	Values   map[string]string `json:"values"`
	Attached []string          `json:"attachments,omitzero"`
}

// ListTable is a page of the items of a list, with the columns that the list has.
type ListTable struct {
	Columns []ListColumn
	Rows    []ListRow
	Total   int64 // items in the list; -1 when not known
}

// ItemGrant is what somebody may do with an item.
type ItemGrant struct {
	Who     string     `json:"who"`              // a person, a group or "anyone with the link"
	Address string     `json:"address,omitzero"` // of a person, where it is known
	Kind    string     `json:"kind"`             // user, group, site group, link
	Roles   []string   `json:"roles"`
	Expires *time.Time `json:"expires,omitzero"`
}

// ItemAccess is who may do what with an item. Own is false of an item that has no permissions of its own: then those of what it lies in apply, and they are
// what Grants has.
type ItemAccess struct {
	Own    bool        `json:"own"`
	From   string      `json:"from"` // the name of what has these permissions
	Grants []ItemGrant `json:"grants"`
}
