package exchange_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// groupSetup is a tenant with the container of a group's mailbox.
func groupSetup(t *testing.T) (fixture, holdfast.Container) {
	t.Helper()
	f := setup(t, sim.Options{Seed: 81, Users: 4, Mail: sim.MailShape{Messages: 1, Folders: 1, WithAttachments: -1}})
	f.source = f.all
	var boxes []holdfast.Container
	for found, err := range f.source.Discover(engine.WithGroups(t.Context(), nil, true), []string{}) {
		if err != nil || found.Err != nil {
			t.Fatal(err, found.Err)
		}
		boxes = append(boxes, found.Container)
	}
	if len(boxes) < 2 || !boxes[0].OfGroup() || boxes[0].Address == "" {
		t.Fatalf("discovered are %v", boxes)
	}
	for found, err := range f.source.Discover(engine.WithGroups(t.Context(), []string{boxes[1].Owner, "11111111-0000-4000-8000-000000000000"}, false), []string{}) {
		if err != nil {
			t.Fatal(err)
		}
		if (found.Err == nil) != (found.Container == boxes[1]) {
			t.Errorf("asked for by id: %v, %v", found.Container, found.Err)
		}
	}
	return f, boxes[0]
}

// samePosts demands that the stored mails are the posts, with text and files.
func (f fixture) samePosts(t *testing.T, box holdfast.Container, c *workloadtest.Container) {
	t.Helper()
	rows, err := f.sim.DumpGroup(box.Owner)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]sim.GroupPostRow{}
	for _, r := range rows {
		want[r.ID] = r
	}
	for id, item := range c.Items() {
		if item.Kind != holdfast.KindMail {
			continue
		}
		r, ok := want[id]
		if !ok {
			t.Errorf("%q is stored and no post", item.Name)
			continue
		}
		delete(want, id)
		m, err := mail.ReadMessage(bytes.NewReader(item.Forms[holdfast.FormMIME]))
		if err != nil {
			t.Fatalf("%q: %v", item.Name, err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != r.Topic || item.Name != r.Topic {
			t.Errorf("the subject is %q, the topic %q", subject, r.Topic)
		}
		from, err := m.Header.AddressList("From")
		if err != nil || from[0].Address != r.From {
			t.Errorf("from %v (%v), want %s", from, err, r.From)
		}
		if to, err := m.Header.AddressList("To"); err != nil || to[0].Address != box.Address {
			t.Errorf("to %v, %v", to, err)
		}
		if at, err := m.Header.Date(); err != nil || !at.Equal(r.Received) {
			t.Errorf("dated %v, received %v", at, r.Received)
		}
		text, files := takeMail(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
		if text != r.HTML {
			t.Errorf("the text is %q, want %q", text, r.HTML)
		}
		if len(files) != len(r.Files) {
			t.Errorf("%q has %d files, want %d", item.Name, len(files), len(r.Files))
		}
		for name, data := range r.Files {
			if !bytes.Equal(files[name], data) {
				t.Errorf("the file %q of %q differs", name, item.Name)
			}
		}
		if raw := item.Forms[holdfast.FormJSON]; bytes.Contains(raw, []byte("contentBytes")) || !bytes.Contains(raw, []byte(id)) {
			t.Errorf("the stored JSON is %.200s", raw)
		}
	}
	for _, r := range want {
		t.Errorf("the post %q of %v is not stored", r.Topic, r.Received)
	}
}

func takeMail(t *testing.T, kind, encoding string, body io.Reader) (text string, files map[string][]byte) {
	t.Helper()
	read := func(encoding string, r io.Reader) []byte {
		switch encoding {
		case "quoted-printable":
			r = quotedprintable.NewReader(r)
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, r)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatal(err)
	}
	lines := func(b []byte) string { return strings.ReplaceAll(string(b), "\r\n", "\n") }
	if media != "multipart/mixed" {
		return lines(read(encoding, body)), nil
	}
	files = map[string][]byte{}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return text, files
		} else if err != nil {
			t.Fatal(err)
		}
		data := read(p.Header.Get("Content-Transfer-Encoding"), p)
		if _, disposition, err := mime.ParseMediaType(p.Header.Get("Content-Disposition")); err == nil {
			files[disposition["filename"]] = data
		} else {
			text = lines(data)
		}
	}
}

func TestGroupMailboxesAreReadAndFollowed(t *testing.T) {
	f, box := groupSetup(t)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, box); err != nil {
		t.Fatal(err)
	}
	f.samePosts(t, box, c)
	idle := f.requests(func() {
		if err := f.source.Read(t.Context(), box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	})
	if idle != 1 {
		t.Errorf("an idle read takes %d requests, want 1", idle)
	}
	for _, topic := range []string{"Minutes", "Something new"} {
		if err := f.sim.PostToGroup(box.Owner, topic, "<p>late</p>"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Read(t.Context(), f.source, box); err != nil {
		t.Fatal(err)
	}
	f.samePosts(t, box, c)
	// What was deleted is found by a list of everything.
	if err := f.sim.DeleteGroupThread(box.Owner, "Minutes"); err != nil {
		t.Fatal(err)
	}
	f.sim.Clock().Move(49 * time.Hour)
	if err := c.Read(t.Context(), f.source, box); err != nil {
		t.Fatal(err)
	}
	f.samePosts(t, box, c)
	if len(c.Skips) > 0 {
		t.Errorf("skipped: %v", c.Skips)
	}
}

func TestGroupMailboxesThatMayNotBeReadKeepWhatTheyHave(t *testing.T) {
	f, box := groupSetup(t)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, box); err != nil {
		t.Fatal(err)
	}
	n := len(c.Items())
	f.sim.SetRoles([]string{"User.Read.All", "Mail.Read"})
	f.sim.RevokeTokens()
	err := c.Read(t.Context(), f.source, box)
	if skip, ok := err.(*holdfast.Skip); !ok || skip.Reason != holdfast.SkipDenied || !strings.Contains(err.Error(), "Group-Conversation.Read.All") {
		t.Errorf("without the permission: %v", err)
	}
	if len(c.Items()) != n {
		t.Errorf("%d items are left of %d", len(c.Items()), n)
	}
}

func TestPostsAreNotPutBack(t *testing.T) {
	f, box := groupSetup(t)
	for _, plan := range []engine.RestorePlan{{From: box, To: box}, {From: box, To: f.box}, {From: f.box, To: box}} {
		if _, err := f.target.Open(t.Context(), plan); holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), ".eml") {
			t.Errorf("from %v to %v: %v", plan.From, plan.To, err)
		}
	}
	if n := len(f.sim.Stats().MailsSent); n > 0 {
		t.Error("something was mailed")
	}
}
