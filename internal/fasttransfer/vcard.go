package fasttransfer

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

const maxPhoto = 8 << 20

// WriteVCard writes a contact as a vCard of version 3.0, which every address book reads.
func (m *Message) WriteVCard(w io.Writer) error {
	c, _ := m.Contact()
	l := newLines(w)
	l.line("BEGIN", "VCARD")
	l.line("VERSION", "3.0")
	name := c.Name
	if name == "" {
		name = firstOf(strings.TrimSpace(c.Given+" "+c.Surname), c.Company, c.FileAs)
	}
	for _, e := range c.Emails {
		name = firstOf(name, e.Email)
	}
	l.line("FN", escape(name))
	l.line("N", escape(c.Surname)+";"+escape(c.Given)+";"+escape(c.Middle)+";"+escape(c.Title)+";"+escape(c.Suffix))
	l.text("NICKNAME", c.Nickname)
	if c.Company != "" || c.Department != "" {
		l.line("ORG", escape(c.Company)+";"+escape(c.Department)+";"+escape(c.Office))
	}
	l.text("TITLE", c.JobTitle)
	l.text("ROLE", c.Profession)
	if !c.Birthday.IsZero() {
		l.line("BDAY;VALUE=date", c.Birthday.Format("2006-01-02"))
	}
	if !c.Anniversary.IsZero() {
		l.line("X-ANNIVERSARY", c.Anniversary.Format("2006-01-02"))
	}
	for _, e := range c.Emails {
		l.text("EMAIL;TYPE=INTERNET", e.Email)
	}
	for _, p := range c.Phones {
		l.text("TEL;TYPE="+phoneTypes[p.Kind], p.Number)
	}
	for _, a := range c.Addresses {
		kind := map[string]string{"home": "HOME", "business": "WORK"}[a.Kind]
		if kind == "" {
			kind = "POSTAL"
		}
		if a.Mailing {
			kind += ",PREF"
		}
		l.line("ADR;TYPE="+kind, escape(a.POBox)+";;"+escape(a.Street)+";"+escape(a.City)+";"+escape(a.State)+";"+escape(a.PostalCode)+";"+escape(a.Country))
	}
	for _, page := range c.WebPages {
		l.text("URL", page)
	}
	for _, im := range c.IM {
		l.text("IMPP", im)
	}
	l.text("X-MANAGER", c.Manager)
	l.text("X-ASSISTANT", c.Assistant)
	l.text("X-SPOUSE", c.Spouse)
	if categories := m.Categories(); len(categories) > 0 {
		l.line("CATEGORIES", joined(categories))
	}
	if note, err := m.plain(maxText); err != nil {
		return err
	} else if note = strings.TrimSpace(note); note != "" {
		l.text("NOTE", note)
	}
	if c.Photo != nil && c.Photo.Data().Size() <= maxPhoto {
		b, err := c.Photo.Data().Bytes(maxPhoto)
		if err != nil {
			return err
		}
		kind := "JPEG"
		if http.DetectContentType(b) == "image/png" {
			kind = "PNG"
		}
		l.line("PHOTO;ENCODING=b;TYPE="+kind, base64.StdEncoding.EncodeToString(b))
	}
	if t := m.Modified(); !t.IsZero() {
		l.line("REV", t.Format("20060102T150405Z"))
	}
	l.line("END", "VCARD")
	return l.close()
}

var phoneTypes = map[string]string{
	"business": "WORK,VOICE", "home": "HOME,VOICE", "mobile": "CELL,VOICE", "other": "VOICE", "primary": "VOICE,PREF", "pager": "PAGER", "car": "CAR,VOICE",
	"radio": "VOICE", "callback": "VOICE", "assistant": "VOICE", "company": "WORK,VOICE", "isdn": "ISDN", "telex": "MSG", "tty": "MSG",
	"businessFax": "WORK,FAX", "homeFax": "HOME,FAX", "otherFax": "FAX",
}

func firstOf(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

// plain is the message's text without form, at most limit bytes of it.
func (m *Message) plain(limit int64) (string, error) {
	body := m.Body()
	if body.Plain == nil {
		return "", nil
	}
	b, err := io.ReadAll(io.LimitReader(body.Plain.UTF8(), limit))
	return strings.ToValidUTF8(string(b), ""), err
}
