package fasttransfer

import (
	"path"
	"strings"
	"time"
)

// Address is a person or a list. Email is an SMTP address, or empty.
type Address struct {
	Name, Email string
	Type, Entry string // how the server itself addresses it, "EX" and a distinguished name
}

// Kind of item, by its class.
type Kind string

const (
	KindMail        Kind = "mail"
	KindMeeting     Kind = "meeting" // a request, an answer, a cancellation
	KindAppointment Kind = "appointment"
	KindContact     Kind = "contact"
	KindList        Kind = "list" // of persons
	KindTask        Kind = "task"
	KindNote        Kind = "note"
	KindJournal     Kind = "journal"
	KindReport      Kind = "report" // of delivery or reading
	KindOther       Kind = "other"
)

// Class is the item's class, IPM.Note for a mail.
func (m *Message) Class() string { return m.text(propClass) }

// Kind tells what the class is about.
func (m *Message) Kind() Kind {
	class := strings.ToLower(m.Class())
	for _, k := range []struct {
		class string
		kind  Kind
	}{
		{"ipm.schedule.meeting", KindMeeting}, {"ipm.note", KindMail}, {"ipm.appointment", KindAppointment}, {"ipm.ole.class", KindAppointment},
		{"ipm.contact", KindContact}, {"ipm.distlist", KindList}, {"ipm.task", KindTask}, {"ipm.stickynote", KindNote}, {"ipm.activity", KindJournal},
		{"report", KindReport}, {"ipm", KindOther},
	} {
		if class == k.class || strings.HasPrefix(class, k.class+".") {
			if k.kind == KindOther && class == "ipm" {
				return KindMail
			}
			return k.kind
		}
	}
	return KindOther
}

// Subject with its prefix.
func (m *Message) Subject() string {
	if p := m.find(propSubject); p != nil {
		return m.text(propSubject)
	}
	return m.text(propSubjectPrefix) + m.text(propNormalized)
}

func (o *Object) address(name, kind, email, smtp Name) Address {
	a := Address{Name: o.text(name), Type: o.text(kind), Entry: o.text(email), Email: o.text(smtp)}
	if a.Email == "" && strings.EqualFold(a.Type, "SMTP") {
		a.Email = a.Entry
	}
	if a.Email == "" && a.Type == "" && strings.Contains(a.Entry, "@") {
		a.Email = a.Entry
	}
	if a.Email == "" && strings.Contains(a.Name, "@") && !strings.ContainsAny(a.Name, " \t<>") {
		a.Email = a.Name
	}
	return a
}

// From is whom the message is from: whom the sender represents.
func (m *Message) From() Address {
	a := m.address(tag(0x0042), tag(0x0064), tag(0x0065), tag(0x5d02))
	if a == (Address{}) {
		return m.Sender()
	}
	return a
}

// Sender is who sent it; the same as From unless one sent it for another.
func (m *Message) Sender() Address {
	return m.address(tag(0x0c1a), tag(0x0c1e), tag(0x0c1f), tag(0x5d01))
}

// Sent is when it was sent, the zero time for what never was.
func (m *Message) Sent() time.Time { return m.time(propSubmitted) }

// Received is when it came into the mailbox.
func (m *Message) Received() time.Time { return m.time(propDelivered) }

// Created and Modified are of the item in the mailbox.
func (m *Message) Created() time.Time  { return m.time(propCreated) }
func (m *Message) Modified() time.Time { return m.time(propModified) }

// Importance is "low", "normal" or "high".
func (m *Message) Importance() string {
	return choose(m.numberOr(propImportance, 1), "low", "normal", "high")
}

// Sensitivity is "normal", "personal", "private" or "confidential".
func (m *Message) Sensitivity() string {
	return choose(m.numberOr(propSensitivity, 0), "normal", "personal", "private", "confidential")
}

// choose names n; a number without a name has that of normal.
func choose(n int64, names ...string) string {
	if n < 0 || n >= int64(len(names)) {
		n = 0
		if names[0] == "low" {
			n = 1
		}
	}
	return names[n]
}

// Read says whether it was read, Draft whether it is one.
func (m *Message) Read() bool {
	if n, ok := m.number(propRead); ok {
		return n != 0
	}
	return m.numberOr(propFlags, 0)&1 != 0
}

func (m *Message) Draft() bool { return m.numberOr(propFlags, 0)&8 != 0 }

// Flag is a mail's follow-up flag.
type Flag struct {
	Status         string // "flagged", "complete", or empty
	Request        string // what is to be done
	Start, Due, At time.Time
}

// Flag gives the follow-up flag.
func (m *Message) Flag() Flag {
	f := Flag{Status: choose(m.numberOr(propFlagStatus, 0), "", "complete", "flagged")}
	if f.Status != "" {
		f.Request, f.Start, f.Due, f.At = m.text(propFlagRequest), m.time(task(0x8104)), m.time(task(0x8105)), m.time(propFlagCompleted)
	}
	return f
}

// Categories are the names of the colours that a person gave to the item.
func (m *Message) Categories() []string { return m.texts(propCategories) }

// InternetHeaders is the header that a mail came with, empty for what did not come by the internet.
func (m *Message) InternetHeaders() string { return m.text(propHeaders) }

// MessageID, InReplyTo and References are as in the header.
func (m *Message) MessageID() string  { return m.text(propMessageID) }
func (m *Message) InReplyTo() string  { return m.text(propInReplyTo) }
func (m *Message) References() string { return m.text(propReferences) }

// RecipientKind says how a recipient is addressed. In a meeting To is who is required, Cc who is optional, Bcc a room or another resource.
type RecipientKind string

const (
	Originator RecipientKind = "originator"
	To         RecipientKind = "to"
	CC         RecipientKind = "cc"
	BCC        RecipientKind = "bcc"
)

// Kind is how the recipient is addressed.
func (r *Recipient) Kind() RecipientKind {
	switch r.numberOr(propRecipientType, 1) & 0xf { // the upper bits say to whom it was delivered already
	case 0:
		return Originator
	case 2:
		return CC
	case 3:
		return BCC
	}
	return To
}

// Address is who it is.
func (r *Recipient) Address() Address {
	return r.address(propDisplayName, propAddressType, propEmail, propSMTP)
}

// Organizer says that the recipient is who made the meeting.
func (r *Recipient) Organizer() bool { return r.numberOr(propRecipientFlags, 0)&2 != 0 }

// Response is an attendee's answer: "none", "organizer", "tentative", "accepted", "declined" or "notResponded".
func (r *Recipient) Response() string {
	return choose(r.numberOr(propTrackStatus, 0), "none", "organizer", "tentative", "accepted", "declined", "notResponded")
}

// Method is how an attachment's content lies in it.
type Method string

const (
	ByValue   Method = "value"
	ByMessage Method = "message"   // Attachment.Message
	ByObject  Method = "object"    // an OLE object; the data is its storage
	ByLink    Method = "reference" // there is only an address of it
	ByNothing Method = "none"
)

// Method is how the content lies in the attachment.
func (a *Attachment) Method() Method {
	switch a.numberOr(propAttachMethod, -1) {
	case 0:
		return ByNothing
	case 1:
		return ByValue
	case 2, 3, 4, 7:
		return ByLink
	case 5:
		return ByMessage
	case 6:
		return ByObject
	}
	switch {
	case a.Message != nil:
		return ByMessage
	case a.find(propAttachData) != nil:
		return ByValue
	}
	return ByNothing
}

// Name of the file, without folders.
func (a *Attachment) Name() string {
	name := a.text(propAttachLongName)
	for _, other := range []Name{propAttachName, propDisplayName} {
		if name == "" {
			name = a.text(other)
		}
	}
	if name == "" && a.Message != nil {
		name = a.Message.Subject()
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, path.Base(strings.ReplaceAll(name, `\`, "/")))
	if name == "." || name == "/" || name == ".." {
		return ""
	}
	return name
}

// Type is the MIME type that the attachment says, or empty.
func (a *Attachment) Type() string { return a.text(propAttachType) }

// ContentID is what an HTML body calls it by, without the brackets.
func (a *Attachment) ContentID() string {
	return strings.Trim(strings.TrimSpace(a.text(propAttachContentID)), "<>")
}

// Location is the address that an HTML body has for it.
func (a *Attachment) Location() string { return a.text(propAttachLocation) }

// Inline says that the attachment is shown in the HTML body.
func (a *Attachment) Inline() bool {
	return a.Message == nil && (a.ContentID() != "" || a.Location() != "") && (a.flag(propAttachHidden) || a.numberOr(propAttachFlags, 0)&4 != 0)
}

// Link is where the content of an attachment by reference is.
func (a *Attachment) Link() string {
	for _, n := range []Name{propAttachLongPath, propAttachPath, propAttachURL} {
		if s := a.text(n); s != "" {
			return s
		}
	}
	return ""
}

// Photo says that the attachment is a contact's picture.
func (a *Attachment) Photo() bool { return a.flag(propContactPhoto) }

// Exception says that the attachment is a changed occurrence of a series: not what a person attached.
func (a *Attachment) Exception() bool {
	return a.Message != nil && (a.numberOr(propAttachmentFlags, 0)&2 != 0 || a.find(propExceptionOriginal) != nil)
}

// Data is the content of an attachment by value, or an OLE object's storage.
func (a *Attachment) Data() Content {
	if p := a.find(propAttachData); p != nil {
		return p.Content()
	}
	return Content{}
}
