package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// The properties of a mail in the oracle's dump, as docs/fidelity.md names them. A field without a row in the table would be a
// property that nobody promised anything about.
var mailProperties = map[string]string{
	"id": "id, changeKey, webLink", "version": "id, changeKey, webLink", "folder": "place in the tree", "class": "message class", "subject": "subject", "from": "from", "sender": "sender",
	"to": "toRecipients", "cc": "ccRecipients", "bcc": "bccRecipients", "replyTo": "replyTo", "received": "receivedDateTime", "sent": "sentDateTime", "created": "createdDateTime",
	"modified": "lastModifiedDateTime", "read": "isRead", "draft": "isDraft", "importance": "importance", "categories": "categories", "flag": "flag", "inference": "inferenceClassification",
	"readReceipt": "isReadReceiptRequested", "deliveryReceipt": "isDeliveryReceiptRequested", "messageId": "internetMessageId", "conversation": "conversationId",
	"conversationIndex": "conversationIndex", "inReplyTo": "In-Reply-To, References", "references": "In-Reply-To, References", "headers": "header lines",
	"bodyType": "body", "bodySize": "body", "bodySha256": "body", "attachments": "attachments",
}

// Fields of a dump that are no properties of their own: the MIME is made of the others, and the rest is compared as it stands.
var otherFields = map[string]bool{"mimeSha256": true, "extended": true, "multi": true}

// fidelity reads the tables of docs/fidelity.md: property -> whether it is equal after a restore.
func fidelity(t testing.TB) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "fidelity.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			continue
		}
		property, after := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		switch {
		case strings.HasPrefix(after, "equal"):
			out[property] = true
		case strings.HasPrefix(after, "lost"), strings.HasPrefix(after, "not promised"):
			if _, both := out[property]; !both { // "id" of a folder stands beside that of a mail
				out[property] = false
			}
		}
	}
	return out
}

func TestEveryPropertyOfTheOracleHasARowInTheTable(t *testing.T) {
	table := fidelity(t)
	raw, err := json.Marshal(sim.MailRow{InReplyTo: "x", References: "x", MIMESHA256: "x", Extended: map[string]string{"x": "x"}, Multi: map[string][]string{"x": nil}})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	for f := range fields {
		if _, ok := table[mailProperties[f]]; !ok && !otherFields[f] {
			t.Errorf("docs/fidelity.md has no row for %q (%q)", f, mailProperties[f])
		}
	}
	// The table may not shrink to pass.
	for _, must := range []string{"subject", "body", "from", "toRecipients", "ccRecipients", "bccRecipients", "receivedDateTime", "sentDateTime", "isRead", "flag", "importance", "categories",
		"attachments", "nested messages", "internetMessageId", "conversationIndex", "header lines", "place in the tree"} {
		if !table[must] {
			t.Errorf("docs/fidelity.md no longer promises %q", must)
		}
	}
}

// fidelity is the table of mail, for mail as this world reads it: of exported mail more comes back, and its section says of what.
func (w *world) fidelity() map[string]bool {
	w.Helper()
	table := fidelity(w)
	if !w.exported {
		return table
	}
	const whole = "all properties of the mail, its recipients and attachments"
	for property, after := range sections(w)["Mail that was exported"] {
		for name := range strings.SplitSeq(property, ", ") {
			table[name] = strings.HasPrefix(after, "equal")
		}
	}
	table["contentLocation of an attachment"], table["name of an attachment without one"] = table["contentLocation"], table[whole]
	return table
}

// normal is a mail as text without what the table says is lost.
func normal(table map[string]bool, m sim.MailRow) (string, error) {
	v, err := normalMail(table, m)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func normalMail(table map[string]bool, m sim.MailRow) (map[string]any, error) {
	if m.Draft { // was never sent or received: its times are those of its creation
		m.Received, m.Sent = time.Time{}, time.Time{}
	}
	// The transport headers of a restored mail are all lines of its MIME. Those that the service renders from properties (From, Subject, …) are
	// compared as these properties.
	m.Headers = slices.DeleteFunc(slices.Clone(m.Headers), func(line string) bool {
		name := strings.ToLower(line)
		return !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "received:") || strings.HasPrefix(name, "x-priority:")
	})
	extended := map[string]string{}
	for id, v := range m.Extended {
		if !strings.Contains(id, "Holdfast") { // what a restore marks its mails with
			extended[id] = v
		}
	}
	m.Extended = extended
	attachments := m.Attachments
	m.Attachments = nil
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	for field, property := range mailProperties {
		if !table[property] {
			delete(out, field)
		}
	}
	delete(out, "mimeSha256")
	list := []any{}
	for _, a := range attachments {
		if a.Kind == "reference" && !table["reference attachments"] {
			continue
		}
		if !table["alternative body"] && (a.ContentType == "text/enriched" || a.ContentType == "text/richtext") {
			continue // an alternative that is neither text nor HTML is attached
		}
		if !table["contentLocation of an attachment"] {
			a.Location = ""
		}
		if !table["name of an attachment without one"] && (a.Name == "" || invented(a)) {
			a.Name = ""
		}
		var inner map[string]any
		if a.Item != nil {
			if inner, err = normalMail(table, *a.Item); err != nil {
				return nil, err
			}
			a.Size, a.Item = 0, nil // has other ids after a restore
		}
		list = append(list, []any{a, inner})
	}
	out["attachments"] = list
	return out, nil
}

// whole says that mails came back as the table's row "malformed MIME parts" says: the whole message is attached as it was, since its parts
// can't be told apart. It gives their MIME's hashes.
func whole(after state) map[string]bool {
	out := map[string]bool{}
	for _, t := range after {
		for _, m := range t.mails {
			for _, a := range m.Attachments {
				if a.Name == "original.eml" {
					out[a.SHA256] = true
				}
			}
		}
	}
	return out
}

// invented says that a name is one that a restore gives to an attachment without a name.
func invented(a sim.MailAttachmentRow) bool {
	_, kind, _ := strings.Cut(a.ContentType, "/")
	return a.Name == "attachment."+kind || a.Name == "message" && a.Kind == "item" || a.Name == a.ContentID
}

// restorable are the objects of a state as a restore gives them back.
func (w *world) restorable(s state, whole map[string]bool) map[string]int {
	w.Helper()
	table := w.fidelity()
	out := map[string]int{}
	users := w.users()
	for id, t := range s {
		for _, f := range t.folders {
			b, err := json.Marshal([]any{f.Path, f.WellKnown, f.Hidden, f.Total})
			w.must(err)
			out[users[id]+": mail folder "+string(b)]++
		}
		for _, m := range t.mails {
			if table["malformed MIME parts"] {
				original := m.MIMESHA256
				for _, a := range m.Attachments {
					if a.Name == "original.eml" {
						original = a.SHA256
					}
				}
				if whole[original] {
					m.BodyType, m.BodySize, m.BodySHA256 = "", 0, ""
					m.Attachments = []sim.MailAttachmentRow{{Kind: "original", SHA256: original}}
				}
			}
			text, err := normal(table, m)
			w.must(err)
			out[users[id]+": mail "+text]++
		}
		for _, f := range t.files {
			f.ID = ""
			f.Versions = nil // the last one is what a restore puts back unless all are asked for
			if f.Folder {
				f.Created, f.Modified = time.Time{}, time.Time{} // change with what is put into it
			}
			b, err := json.Marshal(f)
			w.must(err)
			out[users[id]+": file "+string(b)]++
		}
	}
	return out
}

// comparesEqual demands that after a restore everything is as it was, as far as docs/fidelity.md promises, and nothing is there twice.
func (w *world) comparesEqual(before, after state) {
	w.Helper()
	attached := whole(after)
	w.same("after the restore", w.restorable(after, attached), w.restorable(before, attached))
	w.lostIsLost(before, after)
}

// lostMail are the times in the oracle's dump that docs/fidelity.md calls lost of every mail. Its ids tell restored mails from those that were left.
var lostMail = []string{"created", "modified"}

// lostIsLost demands that what the table calls lost is so: what comes back equal in each mail that has it is promised too little.
func (w *world) lostIsLost(before, after state) {
	w.Helper()
	table := w.fidelity()
	byName := func(s state) map[string]map[string]any {
		out := map[string]map[string]any{}
		for user, t := range s {
			for _, m := range t.mails {
				raw, err := json.Marshal(m)
				w.must(err)
				var fields map[string]any
				w.must(json.Unmarshal(raw, &fields))
				key := user + " " + m.Folder + " " + m.MessageID + " " + m.Subject
				if _, twin := out[key]; twin {
					fields = nil // which is which is not known
				}
				out[key] = fields
			}
		}
		return out
	}
	was, is := byName(before), byName(after)
	for _, f := range lostMail {
		if table[mailProperties[f]] || w.exported && f == "created" { // of exported mail its time of creation is not promised
			continue
		}
		pairs, equal := 0, 0
		for key, a := range was {
			if b := is[key]; a != nil && b != nil && a["id"] != b["id"] { // restored, not left
				if pairs++; a[f] == b[f] {
					equal++
				}
			}
		}
		if pairs > 0 && equal == pairs {
			w.Errorf("docs/fidelity.md calls %s lost, and all %d restored mails have it as it was", mailProperties[f], pairs)
		}
	}
	// Of attachments only sums are compared: they have no names of their own.
	locations := func(s state) (n int) {
		for _, t := range s {
			for _, m := range t.mails {
				for _, a := range m.Attachments {
					if a.Location != "" {
						n++
					}
				}
			}
		}
		return n
	}
	if n := locations(before); n > 0 && locations(after) >= n && len(was) > 0 && !table["contentLocation of an attachment"] && restored(was, is) {
		w.Errorf("docs/fidelity.md calls contentLocation lost, and %d attachments have it after the restore", n)
	}
}

// restored says that every mail is a new one.
func restored(was, is map[string]map[string]any) bool {
	for key, a := range was {
		if b := is[key]; a != nil && b != nil && a["id"] == b["id"] {
			return false
		}
	}
	return true
}
