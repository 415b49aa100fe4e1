package sim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What of a mailbox only the import/export API has: contact groups, journal entries, notes in folders below the one of notes, tasks that To Do does not show.
// They lie in the mail store as messages of other classes. A tenant has some when Options.Items says so; any may be imported.

// layOutOthers adds the folder of the journal, and what else is asked for.
func (b *mailbox) layOutOthers(notes uint32) {
	n := 0
	if b.s.opt.Items {
		n = 2
	}
	add := func(parent uint32, name, known, class string, base int) {
		f := &folder{key: b.nextFold, parent: parent, name: name, wellKnown: known, holds: class, base: base, version: 1}
		b.folders[f.key] = f
		b.order = append(b.order, f.key)
		b.nextFold++
	}
	add(rootFolder, "Journal", "journal", journalClass, n)
	if n > 0 {
		add(notes, "Ideas", "", notesClass, n)
		add(rootFolder, "Old tasks", "", taskClass, n)
	}
}

// Sets of named properties (MS-OXPROPS 1.3.2).
const (
	addressSet = "{00062004-0000-0000-c000-000000000046}"
	taskSet    = "{00062003-0000-0000-c000-000000000046}"
	logSet     = "{0006200a-0000-0000-c000-000000000046}"
)

// other makes of a generated message what its folder holds.
func other(r random, m *message, holds string, j int) *message {
	m = note(r, m)
	at := m.received.Truncate(time.Minute)
	switch holds {
	case journalClass: // MS-OXOJRNL
		m.ext = map[string]string{"String 0x1a": "IPM.Activity", "String " + logSet + " Id 0x8700": pick(r, []string{"Phone call", "Meeting", "Conversation"}), "SystemTime " + logSet + " Id 0x8706": at.Format(mapiTime),
			"SystemTime " + logSet + " Id 0x8708": at.Add(25 * time.Minute).Format(mapiTime), "Integer " + logSet + " Id 0x8707": "25"}
	case taskClass: // MS-OXOTASK
		m.ext = map[string]string{"String 0x1a": "IPM.Task", "Integer " + taskSet + " Id 0x8101": strconv.Itoa(j % 3), "SystemTime " + taskSet + " Id 0x8105": at.AddDate(0, 1, 0).Format(mapiTime),
			"Boolean " + taskSet + " Id 0x811c": strconv.FormatBool(j%3 == 2)}
	case contactClass: // MS-OXOCNTC 2.2.2
		m.subject = "Team " + pick(r, surnames)
		var members []string
		for range 3 {
			given, sur := pick(r, givenNames), pick(r, surnames)
			list := entryList([]mailAddress{{given + " " + sur, strings.ToLower(given+"."+sur) + "@example.com"}})
			size := le.Uint32(list[8:])
			members = append(members, base64.StdEncoding.EncodeToString(list[12:12+size]))
		}
		m.ext = map[string]string{"String 0x1a": "IPM.DistList", "String 0x3001": m.subject, "String " + addressSet + " Id 0x8053": m.subject}
		m.multi = map[string][]string{"BinaryArray " + addressSet + " Id 0x8054": members, "BinaryArray " + addressSet + " Id 0x8055": members}
	}
	return m
}

// DumpItems calls fn for every item that only the import/export API has, in the form of mails.
func (s *Sim) DumpItems(user string, fn func(MailRow) error) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	var rows []MailRow
	b.mu.Lock()
	for _, f := range b.exchangeFolders() {
		if f.holds == "" || f.lost() {
			continue
		}
		w := b.walk(f, false, nil)
		for m := w.next(); m != nil; m = w.next() {
			row, err := b.row(m, false)
			if err != nil {
				b.mu.Unlock()
				return err
			}
			if row.Folder = b.path(f.key); f.of != nil {
				row.Folder = f.shelf.path(f.of)
			}
			rows = append(rows, *row)
		}
	}
	b.mu.Unlock()
	for _, row := range rows {
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}

// itemControl is the control endpoint GET /oracle/mailboxes/{user}/items: what DumpItems gives, one JSON line each.
func (s *Sim) itemControl() {
	s.control.HandleFunc("GET /oracle/mailboxes/{user}/items", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.mailboxOf(r.PathValue("user")); err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if err := s.DumpItems(r.PathValue("user"), func(row MailRow) error { return enc.Encode(row) }); err != nil {
			panic(http.ErrAbortHandler) // a short answer must not look whole
		}
	})
}

// Recategorize gives an item of a mailbox one category, as its user would.
func (s *Sim) Recategorize(user, id, category string) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, err := b.message(id)
	if err != nil {
		return err
	}
	m := b.edit(old)
	m.categories = []string{category}
	b.store(old, m, s.now().Add(time.Minute).Truncate(time.Second))
	return nil
}
