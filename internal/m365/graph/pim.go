package graph

import (
	"context"
	"net/http"
	"time"

	"holdfast/internal/m365"
)

// Shelf is a contact folder, a calendar, a group of calendars or a list of tasks.
type Shelf struct {
	Row
	ID             string   `json:"id"`
	ParentFolderID string   `json:"parentFolderId"` // contact folders
	DisplayName    string   `json:"displayName"`
	CalendarName   string   `json:"name"` // calendars and their groups
	IsDefault      bool     `json:"isDefaultCalendar"`
	CanEdit        bool     `json:"canEdit"`           // calendars
	WellKnown      string   `json:"wellknownListName"` // lists of tasks: defaultList, flaggedEmails, none
	ClassID        string   `json:"classId"`           // groups of calendars
	Removed        *Removed `json:"@removed"`
}

// Title is what the shelf is called.
func (s *Shelf) Title() string {
	if s.DisplayName != "" {
		return s.DisplayName
	}
	return s.CalendarName
}

// Personal is a contact, an event or a task. The typed fields are those that a listing or a decision needs; Raw has all that was served.
type Personal struct {
	Row
	ID             string    `json:"id"`
	ETag           string    `json:"@odata.etag"`
	ChangeKey      string    `json:"changeKey"` // contacts and events
	ParentFolderID string    `json:"parentFolderId"`
	Created        time.Time `json:"createdDateTime"`
	Modified       time.Time `json:"lastModifiedDateTime"`
	HasAttachments bool      `json:"hasAttachments"`
	Categories     []string  `json:"categories"`
	Importance     string    `json:"importance"`
	Removed        *Removed  `json:"@removed"`

	Properties []Property `json:"singleValueExtendedProperties"`
	Extensions []struct {
		Name    string `json:"extensionName"`
		Origin  string `json:"origin"`
		Marker  string `json:"marker"`
		Version string `json:"version"`
	} `json:"extensions"`

	// Of contacts.
	DisplayName    string   `json:"displayName"`
	FileAs         string   `json:"fileAs"`
	CompanyName    string   `json:"companyName"`
	JobTitle       string   `json:"jobTitle"`
	MobilePhone    string   `json:"mobilePhone"`
	BusinessPhones []string `json:"businessPhones"`
	HomePhones     []string `json:"homePhones"`
	Emails         []struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddresses"`

	// Of events.
	Subject     string      `json:"subject"`
	Type        string      `json:"type"` // singleInstance, occurrence, exception, seriesMaster
	Start       *Moment     `json:"start"`
	End         *Moment     `json:"end"`
	IsAllDay    bool        `json:"isAllDay"`
	IsOrganizer bool        `json:"isOrganizer"`
	IsCancelled bool        `json:"isCancelled"`
	Sensitivity string      `json:"sensitivity"`
	Organizer   *Recipient  `json:"organizer"`
	Attendees   []Recipient `json:"attendees"`
	Location    *struct {
		DisplayName string `json:"displayName"`
	} `json:"location"`

	// Of tasks.
	Title  string  `json:"title"`
	Status string  `json:"status"`
	Due    *Moment `json:"dueDateTime"`
	Begin  *Moment `json:"startDateTime"`
}

// Moment is a time with the name of its zone.
type Moment struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

// UTC is the moment when its zone is UTC, as the service gives it to who asks for no other; else the zero time.
func (m *Moment) UTC() time.Time {
	if m == nil || m.TimeZone != "UTC" {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02T15:04:05.9999999", m.DateTime)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Bit is a part of a task or of an event: an attachment, a step of a check list, a link.
type Bit struct {
	Row
	ID          string `json:"id"`
	Type        string `json:"@odata.type"`
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	ContentID   string `json:"contentId"`
	IsInline    bool   `json:"isInline"`
	Size        int64  `json:"size"`
	Content     []byte `json:"contentBytes"`
}

// The permissions of these workloads.
const (
	contactsRead   = "Contacts.Read"
	contactsWrite  = "Contacts.ReadWrite"
	calendarsRead  = "Calendars.Read"
	calendarsWrite = "Calendars.ReadWrite"
	tasksRead      = "Tasks.Read.All"
	tasksWrite     = "Tasks.ReadWrite.All"
)

// PersonalKind names the three workloads by where they are in a mailbox.
type PersonalKind struct {
	Items       string // path of items below a shelf: contacts, events, tasks
	Shelves     []string
	Direct      bool // items are also found below the mailbox itself
	Read, Write string
}

// The kinds.
var (
	Contacts  = PersonalKind{Items: "contacts", Shelves: []string{"contactFolders"}, Direct: true, Read: contactsRead, Write: contactsWrite}
	Calendars = PersonalKind{Items: "events", Shelves: []string{"calendars"}, Direct: true, Read: calendarsRead, Write: calendarsWrite}
	Tasks     = PersonalKind{Items: "tasks", Shelves: []string{"todo", "lists"}, Read: tasksRead, Write: tasksWrite}
)

// ShelfPath is where a shelf is, or all of them when it is empty.
func (k PersonalKind) ShelfPath(mailbox, shelf string, more ...string) []string {
	path := append([]string{"users", mailbox}, k.Shelves...)
	if shelf != "" {
		path = append(path, shelf)
	}
	return append(path, more...)
}

// ItemPath is where an item is. A shelf that is not needed to find it may be empty.
func (k PersonalKind) ItemPath(mailbox, shelf, id string, more ...string) []string {
	path := []string{"users", mailbox, k.Items, id}
	if !k.Direct {
		path = k.ShelfPath(mailbox, shelf, k.Items, id)
	}
	return append(path, more...)
}

// ListPath is where the items of a shelf are; an empty shelf is the default one.
func (k PersonalKind) ListPath(mailbox, shelf string, more ...string) []string {
	if shelf == "" && k.Direct {
		return append([]string{"users", mailbox, k.Items}, more...)
	}
	return k.ShelfPath(mailbox, shelf, append([]string{k.Items}, more...)...)
}

// ShelvesOf gives the shelves at a path that ShelfPath or a caller made: a list, or a delta.
func (c *Client) ShelvesOf(ctx context.Context, k PersonalKind, path []string, l List) (*Page[Shelf], error) {
	return list[Shelf](ctx, c, join(path...), l, k.Read)
}

// ShelfOf reads one shelf.
func (c *Client) ShelfOf(ctx context.Context, k PersonalKind, mailbox, shelf string) (*Shelf, error) {
	return one[Shelf](ctx, c, request{path: join(k.ShelfPath(mailbox, shelf)...), permission: k.Read})
}

// CreateShelf makes a shelf at a path.
func (c *Client) CreateShelf(ctx context.Context, k PersonalKind, path []string, body any) (*Shelf, error) {
	return one[Shelf](ctx, c, request{method: http.MethodPost, path: join(path...), in: body, permission: k.Write})
}

// PersonalItems gives the items at a path: a list, or a delta.
func (c *Client) PersonalItems(ctx context.Context, k PersonalKind, path []string, l List) (*Page[Personal], error) {
	return list[Personal](ctx, c, join(path...), l, k.Read)
}

// PersonalItem reads one item.
func (c *Client) PersonalItem(ctx context.Context, k PersonalKind, path []string, l List) (*Personal, error) {
	return one[Personal](ctx, c, request{path: join(path...), query: l.query(), prefer: l.preferences(), permission: k.Read})
}

// CreatePersonal makes an item in a shelf. It is not repeated when its outcome is not known: see m365.OutcomeUnknown.
func (c *Client) CreatePersonal(ctx context.Context, k PersonalKind, mailbox, shelf string, body any) (*Personal, error) {
	return one[Personal](ctx, c, request{method: http.MethodPost, path: join(k.ListPath(mailbox, shelf)...), in: body, permission: k.Write})
}

// UpdatePersonal changes an item, or an occurrence of a series.
func (c *Client) UpdatePersonal(ctx context.Context, k PersonalKind, path []string, body any) (*Personal, error) {
	return one[Personal](ctx, c, request{method: http.MethodPatch, path: join(path...), in: body, permission: k.Write, repeatable: true})
}

// DeletePersonal deletes an item, or an occurrence of a series. Of a meeting's organizer it tells the attendees.
func (c *Client) DeletePersonal(ctx context.Context, k PersonalKind, path []string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: join(path...), permission: k.Write}, nil)
}

// Bits gives what stands below an item: attachments, checklistItems, linkedResources.
func (c *Client) Bits(ctx context.Context, k PersonalKind, path []string, l List) (*Page[Bit], error) {
	return list[Bit](ctx, c, join(path...), l, k.Read)
}

// Bit reads one of them.
func (c *Client) Bit(ctx context.Context, k PersonalKind, path []string, l List) (*Bit, error) {
	return one[Bit](ctx, c, request{path: join(path...), query: l.query(), permission: k.Read})
}

// AddBit makes one of them.
func (c *Client) AddBit(ctx context.Context, k PersonalKind, path []string, body any) (*Bit, error) {
	return one[Bit](ctx, c, request{method: http.MethodPost, path: join(path...), in: body, permission: k.Write})
}

// OpenBit gives the bytes behind a path that ends in $value.
func (c *Client) OpenBit(ctx context.Context, k PersonalKind, path []string) (*m365.Stream, error) {
	return c.open(ctx, request{path: join(path...), permission: k.Read, noHTML: true})
}

// CreateBitUpload begins the upload of an attachment of 3 MB and more.
func (c *Client) CreateBitUpload(ctx context.Context, k PersonalKind, path []string, a NewAttachment) (*Upload, error) {
	item := map[string]any{"attachmentType": "file", "name": a.Name, "size": a.Size}
	if a.ContentType != "" {
		item["contentType"] = a.ContentType
	}
	name := "AttachmentItem"
	if !k.Direct {
		name = "attachmentInfo"
	} else {
		if a.IsInline {
			item["isInline"] = true
		}
		if a.ContentID != "" {
			item["contentId"] = a.ContentID
		}
	}
	r := request{method: http.MethodPost, path: join(append(path, "attachments", "createUploadSession")...), in: map[string]any{name: item}, permission: k.Write, repeatable: true}
	return c.createUpload(ctx, r, a.Size)
}

// PutPhoto sets the picture of a contact.
func (c *Client) PutPhoto(ctx context.Context, mailbox, contact string, photo []byte) error {
	return c.do(ctx, request{method: http.MethodPut, path: join("users", mailbox, "contacts", contact, "photo", "$value"), raw: photo, rawType: "image/jpeg", permission: contactsWrite}, nil)
}
