package fasttransfer

import (
	"encoding/binary"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"time"
)

// What contact groups and journal entries say beyond a text, in words: no format of files has a place for it.

// Sets of named properties of the journal (MS-OXPROPS 1.3.2).
var setLog = NewGUID("0006200a-0000-0000-c000-000000000046")

func journal(id uint32) Name { return Name{Set: setLog, ID: id} }

// oneOffProvider begins, behind four bytes of flags, an entry that has a name and an address in itself (MS-OXCDATA 2.2.5.1).
const oneOffProvider = "\x81\x2b\x1f\xa4\xbe\xa3\x10\x19\x9d\x6e\x00\xdd\x01\x0f\x54\x02"

const maxMembers = 100_000

// Members are the people in a contact group (MS-OXOCNTC 2.2.2): PidLidDistributionListOneOffMembers, which has each by name and address, or, of groups that were
// made without it, those of PidLidDistributionListMembers that say so themselves.
func (m *Message) Members() []Address {
	for _, n := range []Name{address(0x8054), address(0x8055)} {
		var out []Address
		for _, entry := range m.many(n) {
			if a, ok := oneOff(entry); ok {
				out = append(out, a)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// many gives the values of a property of many binaries.
func (o *Object) many(n Name) [][]byte {
	p := o.find(n)
	if p == nil {
		return nil
	}
	if _, many, _ := p.Type.size(); !many || p.Type&^Many != TypeBinary {
		return nil
	}
	b, err := p.Content().Bytes(maxText)
	if err != nil {
		return nil
	}
	var out [][]byte
	for len(b) >= 4 && len(out) < maxMembers {
		size := int64(binary.LittleEndian.Uint32(b))
		if b = b[4:]; size > int64(len(b)) {
			break
		}
		out = append(out, b[:size])
		b = b[size:]
	}
	return out
}

// oneOff reads an entry that has name, kind and address in itself, each ended by a zero.
func oneOff(b []byte) (Address, bool) {
	const head = 24 // flags, provider, version, bits
	if len(b) < head || string(b[4:20]) != oneOffProvider {
		return Address{}, false
	}
	unicode := binary.LittleEndian.Uint16(b[22:])&0x8000 != 0
	var parts []string
	for b = b[head:]; len(parts) < 3; {
		end, width, page := 0, 1, 1252
		if unicode {
			width, page = 2, pageUTF16
		}
		for end+width <= len(b) && (b[end] != 0 || unicode && b[end+1] != 0) {
			end += width
		}
		if end+width > len(b) {
			return Address{}, false
		}
		parts = append(parts, decodeText(b[:end], page))
		b = b[end+width:]
	}
	a := Address{Name: parts[0], Type: parts[1], Entry: parts[2]}
	if strings.EqualFold(a.Type, "SMTP") {
		a.Email = a.Entry
	}
	return a, a != Address{}
}

// Journal is what an entry of the journal says of when and with what somebody was busy (MS-OXOJRNL).
type Journal struct {
	Type       string // "Phone call"
	Start, End time.Time
	Duration   time.Duration
}

// Journal gives it; all is empty of what is no entry of the journal.
func (m *Message) Journal() Journal {
	return Journal{Type: m.text(journal(0x8700)), Start: m.time(journal(0x8706)), End: m.time(journal(0x8708)), Duration: time.Duration(m.numberOr(journal(0x8707), 0)) * time.Minute}
}

// Details are the members of a group, or when a journal's entry was, as text; empty of all other items.
func (m *Message) Details() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	switch m.Kind() {
	case KindList:
		for _, a := range m.Members() {
			who := strings.Map(printable, a.Name)
			if at := strings.Map(printable, firstOf(a.Email, a.Entry)); at != "" && at != who {
				who = strings.TrimSpace(who + " <" + at + ">")
			}
			line("Member", who)
		}
	case KindJournal:
		j := m.Journal()
		line("Type", strings.Map(printable, j.Type))
		for _, at := range []struct {
			name string
			time time.Time
		}{{"Start", j.Start}, {"End", j.End}} {
			if !at.time.IsZero() {
				line(at.name, at.time.UTC().Format("2006-01-02 15:04 UTC"))
			}
		}
		if j.Duration > 0 {
			line("Duration", fmt.Sprintf("%d min", int(j.Duration.Minutes())))
		}
	}
	return b.String()
}

// detailed puts details before the texts of a body: into the text where there is no page, else as a part of its own.
func detailed(details string, body *Body, texts []*entity) (before, rest []*entity) {
	plain := body.Plain
	if body.HTML != nil || body.RTF != nil {
		plain = nil
	} else {
		texts = nil
	}
	return []*entity{{
		header: []string{"Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"},
		write: func(w io.Writer) error {
			q := quotedprintable.NewWriter(w)
			if _, err := io.WriteString(q, details); err != nil {
				return err
			}
			if plain != nil {
				if _, err := io.WriteString(q, "\r\n"); err != nil {
					return err
				}
				if _, err := io.Copy(q, plain.UTF8()); err != nil {
					return err
				}
			}
			return q.Close()
		},
	}}, texts
}
