package fasttransfer

import "time"

// Contact is what an address book shows of a person.
type Contact struct {
	Name, Title, Given, Middle, Surname, Suffix, Nickname string
	FileAs                                                string
	Company, Department, JobTitle, Office, Profession     string
	Manager, Assistant, Spouse                            string
	Children                                              []string
	Birthday, Anniversary                                 time.Time
	Emails                                                []Address
	IM                                                    []string
	Phones                                                []Phone
	Addresses                                             []PostalAddress
	WebPages                                              []string
	Photo                                                 *Attachment
}

// Phone number. Kind is "business", "home", "mobile", "businessFax" and so on.
type Phone struct{ Kind, Number string }

// PostalAddress of a kind "business", "home" or "other".
type PostalAddress struct {
	Kind                                            string
	Street, POBox, City, State, PostalCode, Country string
	Mailing                                         bool // where letters go
}

var phoneKinds = []struct {
	kind string
	name Name
}{
	{"business", tag(0x3a08)}, {"business", tag(0x3a1b)}, {"home", tag(0x3a09)}, {"home", tag(0x3a2f)}, {"mobile", tag(0x3a1c)}, {"other", tag(0x3a1f)},
	{"primary", tag(0x3a1a)}, {"pager", tag(0x3a21)}, {"car", tag(0x3a1e)}, {"radio", tag(0x3a1d)}, {"callback", tag(0x3a02)}, {"assistant", tag(0x3a2e)},
	{"company", tag(0x3a57)}, {"isdn", tag(0x3a2d)}, {"telex", tag(0x3a2c)}, {"tty", tag(0x3a4b)},
	{"businessFax", tag(0x3a24)}, {"homeFax", tag(0x3a25)}, {"otherFax", tag(0x3a23)},
}

// Contact gives what an address book shows of the item; ok is false when it names nobody.
func (m *Message) Contact() (c Contact, ok bool) {
	c = Contact{
		Name: m.text(propDisplayName), Title: m.text(tag(0x3a45)), Given: m.text(tag(0x3a06)), Middle: m.text(tag(0x3a44)), Surname: m.text(tag(0x3a11)),
		Suffix: m.text(tag(0x3a05)), Nickname: m.text(tag(0x3a4f)), FileAs: m.text(address(0x8005)),
		Company: m.text(tag(0x3a16)), Department: m.text(tag(0x3a18)), JobTitle: m.text(tag(0x3a17)), Office: m.text(tag(0x3a19)), Profession: m.text(tag(0x3a46)),
		Manager: m.text(tag(0x3a4e)), Assistant: m.text(tag(0x3a30)), Spouse: m.text(tag(0x3a48)), Children: m.texts(tag(0x3a58)),
		Birthday: m.time(tag(0x3a42)), Anniversary: m.time(tag(0x3a41)),
	}
	for _, first := range []uint32{0x8080, 0x8090, 0x80a0} {
		a := Address{Name: m.text(address(first)), Type: m.text(address(first + 2)), Entry: m.text(address(first + 3))}
		if a.Entry == "" {
			continue
		}
		if original := m.text(address(first + 4)); a.Type == "EX" {
			a.Email = original // what the address was before the server made it its own
		} else {
			a.Email = a.Entry
		}
		c.Emails = append(c.Emails, a)
	}
	if im := m.text(address(0x8062)); im != "" {
		c.IM = append(c.IM, im)
	}
	for _, k := range phoneKinds {
		for _, number := range m.texts(k.name) {
			c.Phones = append(c.Phones, Phone{Kind: k.kind, Number: number})
		}
	}
	mailing := m.numberOr(address(0x8022), 0)
	for i, a := range []PostalAddress{
		{"home", m.text(tag(0x3a5d)), m.text(tag(0x3a5e)), m.text(tag(0x3a59)), m.text(tag(0x3a5c)), m.text(tag(0x3a5b)), m.text(tag(0x3a5a)), mailing == 1},
		{"business", m.text(address(0x8045)), m.text(address(0x804a)), m.text(address(0x8046)), m.text(address(0x8047)), m.text(address(0x8048)), m.text(address(0x8049)), mailing == 2},
		{"other", m.text(tag(0x3a63)), m.text(tag(0x3a64)), m.text(tag(0x3a5f)), m.text(tag(0x3a62)), m.text(tag(0x3a61)), m.text(tag(0x3a60)), mailing == 3},
	} {
		whole := []Name{address(0x801a), address(0x801b), address(0x801c)}[i]
		if a.Street+a.POBox+a.City+a.State+a.PostalCode+a.Country == "" {
			if a.Street = m.text(whole); a.Street == "" { // some programs write only the address as one text
				continue
			}
		}
		c.Addresses = append(c.Addresses, a)
	}
	for _, n := range []Name{tag(0x3a51), tag(0x3a50), address(0x802b)} {
		if s := m.text(n); s != "" && (len(c.WebPages) == 0 || c.WebPages[0] != s) {
			c.WebPages = append(c.WebPages, s)
		}
	}
	for _, a := range m.Attachments {
		if a.Photo() && c.Photo == nil {
			c.Photo = a
		}
	}
	if c.Name == "" {
		c.Name = m.Subject()
	}
	return c, c.Name != "" || len(c.Emails) > 0 || c.Company != ""
}

// Task is what a list of tasks shows.
type Task struct {
	Start, Due, Completed time.Time
	Status                string  // "notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"
	Percent               float64 // 0 to 100
	Done                  bool
	Owner                 string
	Actual, Estimated     time.Duration
	Reminder              time.Time // zero: none
	Recurrence            *Recurrence
	Problems              []string
}

// Task gives what a list of tasks shows of the item. Steps of a task are no properties of it: Exchange keeps them elsewhere.
func (m *Message) Task() Task {
	t := Task{
		Start: m.time(task(0x8104)), Due: m.time(task(0x8105)), Completed: m.time(task(0x810f)),
		Status:  choose(m.numberOr(task(0x8101), 0), "notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"),
		Percent: 100 * m.float(task(0x8102)), Done: m.flag(task(0x811c)), Owner: m.text(task(0x811f)),
		Actual: time.Duration(m.numberOr(task(0x8110), 0)) * time.Minute, Estimated: time.Duration(m.numberOr(task(0x8111), 0)) * time.Minute,
	}
	if m.flag(common(0x8503)) {
		t.Reminder = m.time(common(0x8502))
	}
	if b := m.bytes(task(0x8116), 4<<20); len(b) > 0 {
		r, err := (&blob{b: b}).recurrence()
		if err != nil {
			t.Problems = append(t.Problems, "recurrence: "+err.Error())
		}
		t.Recurrence = r
	}
	return t
}

// NoteColor is the colour of a note: "blue", "green", "pink", "yellow" or "white". Its text is the message's body.
func (m *Message) NoteColor() string {
	n := m.numberOr(Name{Set: setNote, ID: 0x8b00}, 3)
	if n < 0 || n > 4 {
		n = 3
	}
	return []string{"blue", "green", "pink", "yellow", "white"}[n]
}
