package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

const exportOnly = "Contact groups, the journal, notes and tasks of Outlook"

// itemKinds holds what only the import/export API has against its table.
var itemKinds = map[string]kind{"item": {section: exportOnly, rows: map[string]string{"folder": "folder, of the type that it was", "class": allProperties, "subject": allProperties, "received": allProperties, "sent": allProperties, "importance": allProperties,
	"categories": allProperties, "read": allProperties, "flag": allProperties, "inference": allProperties, "bodyType": allProperties, "bodySize": allProperties, "bodySha256": allProperties, "conversationIndex": allProperties, "conversation": allProperties,
	"messageId": allProperties, "extended": allProperties, "multi": "members of a contact group", "created": "createdDateTime", "modified": "lastModifiedDateTime", "id": "id, changeKey"},
	key: []string{"user", "folder", "class", "subject"}, needs: []string{"multi", "extended", "bodySha256"}, ignore: []string{"user", "version"}}}

const allProperties = "all properties: class, subject, text, start and duration, dates, categories"

// items are what only the import/export API has of each mailbox.
func (w *world) items() things {
	w.Helper()
	out := things{}
	for _, u := range w.sim.Tenant.Users {
		w.lines("/oracle/mailboxes/"+u.ID+"/items", func(line []byte) error {
			var row sim.MailRow
			if err := json.Unmarshal(line, &row); err != nil {
				return err
			}
			for name := range row.Extended {
				if strings.Contains(name, "Holdfast") {
					delete(row.Extended, name) // what a restore marks its items with
				}
			}
			r := asRow(w.T, row)
			r["user"] = u.ID
			out["item"] = append(out["item"], r)
			return nil
		})
	}
	return out
}

// What only the export of mailboxes has is backed up, shown, found, saved, lost and put back as it was; nobody is told.
func TestWhatOnlyTheExportHasComesBack(t *testing.T) {
	t.Parallel()
	s := newExportingSim(t, "--users", "2", "--limits", "count", "--seed", "51", "--mail-messages", "24", "--files", "1", "--items")
	w := newServer(t, s)
	w.exported = true
	w.protect(false)
	w.backup()
	was := w.items()
	classes := map[string]int{}
	var group string
	for _, r := range was["item"] {
		classes[fmt.Sprint(r["class"])]++
		if r["class"] == "IPM.DistList" && r["user"] == s.Tenant.Users[0].ID {
			group = fmt.Sprint(r["subject"])
		}
	}
	if len(classes) != 4 || group == "" {
		t.Fatalf("the mailboxes have %v", classes)
	}
	l := w.explore(false, time.Time{})
	box := l.box(0)
	found := l.list(l.path(box.ID, "search"), map[string]any{"query": `class:IPM.DistList`})
	if len(found) != 1 || found[0].Subject != group {
		t.Fatalf("a search for contact groups finds %+v, want %q", found, group)
	}
	if saved := string(l.save(box.ID, found[0].ID)); !strings.Contains(saved, "Member: ") || strings.Count(saved, "@example.com") < 3 {
		t.Errorf("the group is saved as %s", saved)
	}
	for _, u := range s.Tenant.Users {
		w.mutate(sim.Mutation{Op: "wipeMailbox", User: u.ID})
	}
	if left := w.items(); len(left["item"]) != 0 {
		t.Fatalf("the emptied mailboxes have %v", left)
	}
	for range 2 { // the second restore makes no copy
		for _, b := range l.boxes() {
			w.call(http.MethodPost, l.path(b.ID, "restore"), map[string]any{}, nil)
		}
		for _, e := range l.restored() {
			if e.Status == "Failed" {
				t.Errorf("%q: %s", e.ItemName, e.Message)
			}
		}
		holds(t, "put back", itemKinds, was, w.items(), true)
	}
	l.stop()
	if n := w.stats().MailsSentN; n != 0 {
		t.Errorf("the restore sent %d mails", n)
	}
	w.verified()
}
