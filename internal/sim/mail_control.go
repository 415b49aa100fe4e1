package sim

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// States of a mailbox.
const (
	MailboxLicensed   = "licensed"
	MailboxUnlicensed = "unlicensed" // answers MailboxNotEnabledForRESTAPI
	MailboxGone       = "gone"       // answers 404
)

// SetMailbox licenses a user's mailbox, takes the licence, or removes the mailbox; its content stays for a later return.
func (s *Sim) SetMailbox(user, state string) error {
	u := s.dir.find(user)
	if u == nil {
		return fmt.Errorf("no user %q", user)
	}
	switch state {
	case MailboxLicensed, MailboxUnlicensed, MailboxGone:
	default:
		return fmt.Errorf("state %q: want licensed, unlicensed or gone", state)
	}
	s.dir.change(u, func(u *User) {
		u.licensed = state == MailboxLicensed
		u.mailbox = state != MailboxGone
	})
	return nil
}

// DeleteUser removes a user from the directory.
func (s *Sim) DeleteUser(user string) error {
	u := s.dir.find(user)
	if u == nil {
		return fmt.Errorf("no user %q", user)
	}
	s.dir.change(u, func(u *User) { u.deleted = true })
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	s.dir.leaveGroups("user/" + u.ID)
	return nil
}

// RestoreUser brings a deleted user back, with his place in groups.
func (s *Sim) RestoreUser(id string) error {
	s.dir.mu.Lock()
	u := s.dir.byKey[strings.ToLower(id)]
	s.dir.mu.Unlock()
	if u == nil {
		return fmt.Errorf("no user %q", id)
	}
	s.dir.change(u, func(u *User) { u.deleted = false })
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	s.dir.leaveGroups("user/" + u.ID)
	return nil
}

// RenameUser gives a user another display name and address.
func (s *Sim) RenameUser(user, displayName, address string) error {
	u := s.dir.find(user)
	if u == nil {
		return fmt.Errorf("no user %q", user)
	}
	if s.dir.find(address) != nil {
		return fmt.Errorf("there is a user %q already", address)
	}
	s.dir.change(u, func(u *User) {
		delete(s.dir.byKey, u.UPN)
		u.DisplayName, u.UPN, u.Mail = displayName, strings.ToLower(address), strings.ToLower(address)
		s.dir.byKey[u.UPN] = u
	})
	return nil
}

// mailboxOf is a user's mailbox for control, whatever its state.
func (s *Sim) mailboxOf(user string) (*mailbox, error) {
	u := s.dir.find(user)
	if u == nil {
		return nil, fmt.Errorf("no user %q", user)
	}
	return s.mail.open(u), nil
}

// WipeMailbox deletes all messages, events, contacts and tasks, and all folders that are not well-known.
func (s *Sim) WipeMailbox(user string) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := s.now().Truncate(time.Second)
	for _, kind := range shelfKinds {
		b.shelf(kind).wipe(now)
	}
	b.exchangeFolders() // what is beside the shelves goes too
	for _, k := range slices.Clone(b.order) {
		f := b.folders[k]
		switch {
		case f.deleted || f.key == rootFolder:
		case f.of != nil:
			b.wipe(f, now)
		case f.wellKnown == "":
			b.removeFolder(f, now)
		default:
			b.wipe(f, now)
		}
	}
	return nil
}

// SetWellKnown makes a folder the one that a well-known name means, as Outlook does when its user chooses another archive.
func (s *Sim) SetWellKnown(user, name, folder string) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(wellKnownNames, name) {
		return fmt.Errorf("no well-known folder is called %q", name)
	}
	to, err := b.folder(folder)
	if err != nil {
		return err
	}
	for _, f := range b.folders {
		if f.wellKnown == name {
			f.wellKnown = ""
		}
	}
	to.wellKnown = name
	return nil
}

// DeleteMessage deletes one message by its id, in either form.
func (s *Sim) DeleteMessage(user, id string) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.message(id)
	if err != nil {
		return err
	}
	b.remove(m, s.now().Truncate(time.Second))
	return nil
}

// Deliver puts a message into a folder (by id or well-known name) as if it had come by mail: its exact MIME is kept.
func (s *Sim) Deliver(user, folder string, mime []byte) (id string, err error) {
	b, err := s.mailboxOf(user)
	if err != nil {
		return "", err
	}
	m, err := s.messageFromMIME(mime)
	if err != nil {
		return "", err
	}
	now := s.now().Truncate(time.Second)
	m.received, m.created, m.isRead = now, now, false
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.folder(folder)
	if err != nil {
		return "", err
	}
	b.add(m, f, now)
	return b.itemID(m, true), nil
}

// --- churn -----------------------------------------------------------------------------------------------------------

// Churn describes changes to make. The numbers are totals, spread over the users in turn.
type Churn struct {
	Seed    uint64   `json:"seed"`
	Users   []string `json:"users"` // empty means all
	New     int      `json:"new"`
	Flags   int      `json:"flags"` // read state, flag or categories
	Moves   int      `json:"moves"`
	Deletes int      `json:"deletes"`
	Folders int      `json:"folders"`      // spread over so many folders of each mailbox that hold mail; 0 means all
	Drive   int      `json:"driveChanges"` // changes in each user's drive
	// Changes of each mailbox's contacts, events and tasks.
	Contacts int `json:"contacts"`
	Events   int `json:"events"`
	Tasks    int `json:"tasks"`
}

// Churned is what Churn did, as ids that a move does not change.
type Churned struct {
	User    string      `json:"user"`
	New     []string    `json:"new"`
	Flagged []string    `json:"flagged"`
	Moved   []string    `json:"moved"`
	Deleted []string    `json:"deleted"`
	Drive   *DriveChurn `json:"drive,omitempty"`
	PIM     []string    `json:"pim,omitempty"` // contacts, events and tasks, of whatever became of them
}

// Churn changes mailboxes and drives as their owners would.
func (s *Sim) Churn(plan Churn) ([]*Churned, error) {
	var boxes []*mailbox
	var out []*Churned
	names := plan.Users
	if len(names) == 0 {
		for _, u := range s.dir.all() {
			names = append(names, u.ID)
		}
	}
	for _, n := range names {
		b, err := s.mailboxOf(n)
		if err != nil {
			return nil, err
		}
		boxes = append(boxes, b)
		out = append(out, &Churned{User: b.user.ID, New: []string{}, Flagged: []string{}, Moved: []string{}, Deleted: []string{}})
	}
	if len(boxes) == 0 {
		return out, nil
	}
	now := s.now().Truncate(time.Second)
	r := newRand(s.opt.Seed, "churn", plan.Seed)
	touched := make([]map[uint64]bool, len(boxes)) // an item is changed once
	for i := range touched {
		touched[i] = map[uint64]bool{}
	}
	turn := func(n int, to func(*Churned) *[]string, fn func(b *mailbox, f *folder, n int) *message) {
		for k := range n {
			i := k % len(boxes)
			b := boxes[i]
			b.mu.Lock()
			fs := b.busyFolders(plan.Folders)
			if len(fs) > 0 {
				if m := fn(b, fs[(k/len(boxes))%len(fs)], i); m != nil {
					touched[i][m.key] = true
					list := to(out[i])
					*list = append(*list, b.itemID(m, true))
				}
			}
			b.mu.Unlock()
		}
	}
	old := func(b *mailbox, f *folder, i int) *message {
		for range 50 {
			if m := b.any(r, f); m != nil && !touched[i][m.key] {
				return m
			}
		}
		return nil
	}
	turn(plan.Flags, func(c *Churned) *[]string { return &c.Flagged }, func(b *mailbox, f *folder, i int) *message {
		o := old(b, f, i)
		if o == nil {
			return nil
		}
		m := b.edit(o)
		switch r.IntN(3) {
		case 0:
			m.isRead = !o.isRead
		case 1:
			m.flag = flag{status: map[bool]string{true: "complete", false: "flagged"}[o.flag.status == "flagged"]}
		default:
			m.categories = []string{pick(r, categoryNames), "Churn"}
		}
		b.store(o, m, now)
		return m
	})
	turn(plan.Moves, func(c *Churned) *[]string { return &c.Moved }, func(b *mailbox, f *folder, i int) *message {
		o := old(b, f, i)
		fs := b.busyFolders(plan.Folders)
		if o == nil || len(fs) < 2 {
			return nil
		}
		m := b.edit(o)
		for m.folder == o.folder {
			m.folder = pick(r, fs).key
		}
		m.generation++
		b.store(o, m, now)
		return m
	})
	turn(plan.Deletes, func(c *Churned) *[]string { return &c.Deleted }, func(b *mailbox, f *folder, i int) *message {
		o := old(b, f, i)
		if o != nil {
			b.remove(o, now)
		}
		return o
	})
	turn(plan.New, func(c *Churned) *[]string { return &c.New }, func(b *mailbox, f *folder, _ int) *message {
		m := s.compose(r, now)
		m.sent = now
		if s.shape.mail.WithAttachments > 0 {
			s.attach(r, m, r.IntN(24))
		}
		b.add(m, f, now)
		return m
	})
	for i, b := range boxes {
		b.mu.Lock()
		for k, n := range []int{plan.Contacts, plan.Events, plan.Tasks} {
			out[i].PIM = append(out[i].PIM, b.churnPIM(shelfKinds[k], n, r, now)...)
		}
		b.mu.Unlock()
	}
	if plan.Drive > 0 {
		for i, b := range boxes {
			if x := s.drives.of(b.user); x != nil {
				c := s.drives.churn(x, plan.Drive, plan.Seed)
				out[i].Drive = &c
			}
		}
	}
	return out, nil
}

// busyFolders are the first n visible folders that hold mail; 0 means all.
func (b *mailbox) busyFolders(n int) []*folder {
	var fs []*folder
	for _, k := range b.order {
		if f := b.folders[k]; !f.deleted && !f.hidden && !f.apart() && f.wellKnown != "drafts" && f.total() > 0 {
			fs = append(fs, f)
			if len(fs) == n {
				break
			}
		}
	}
	return fs
}

// any draws a message of a folder, or nil.
func (b *mailbox) any(r random, f *folder) *message {
	base := f.base
	if f.baseGone {
		base = 0
	}
	if base+len(f.extra) == 0 {
		return nil
	}
	i := r.IntN(base + len(f.extra))
	if i >= base {
		return f.extra[i-base]
	}
	if f.gone[uint32(i)] {
		return nil
	}
	return b.get(itemKey(f.key, i))
}

// --- the oracle ------------------------------------------------------------------------------------------------------

// MailFolderRow is a folder in a dump of a mailbox.
type MailFolderRow struct {
	ID        string `json:"id"`
	Path      string `json:"path"` // names joined by "/", with "/" in a name as "\/"
	WellKnown string `json:"wellKnown,omitempty"`
	Hidden    bool   `json:"hidden,omitempty"`
	Total     int    `json:"total"`
	Unread    int    `json:"unread"`
}

// MailRow is a message in a dump, property by property. Ids and versions of the service stand apart in ID and Version,
// so that the rest can be compared with what a restore made.
type MailRow struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
	Folder  string `json:"folder"`

	Class             string              `json:"class"`
	Subject           string              `json:"subject"`
	From              string              `json:"from"`
	Sender            string              `json:"sender"`
	To                []string            `json:"to"`
	Cc                []string            `json:"cc"`
	Bcc               []string            `json:"bcc"`
	ReplyTo           []string            `json:"replyTo"`
	Received          time.Time           `json:"received"`
	Sent              time.Time           `json:"sent"`
	Created           time.Time           `json:"created"`
	Modified          time.Time           `json:"modified"`
	Read              bool                `json:"read"`
	Draft             bool                `json:"draft"`
	Importance        string              `json:"importance"`
	Categories        []string            `json:"categories"`
	Flag              map[string]any      `json:"flag"`
	Inference         string              `json:"inference"`
	ReadReceipt       bool                `json:"readReceipt"`
	DeliveryReceipt   bool                `json:"deliveryReceipt"`
	MessageID         string              `json:"messageId"`
	Conversation      string              `json:"conversation"` // the part of the conversation id that is the same in every mailbox
	ConversationIndex string              `json:"conversationIndex"`
	InReplyTo         string              `json:"inReplyTo,omitempty"`
	References        string              `json:"references,omitempty"`
	Headers           []string            `json:"headers"` // transport headers, "Name: value"
	BodyType          string              `json:"bodyType"`
	BodySize          int                 `json:"bodySize"`
	BodySHA256        string              `json:"bodySha256"`
	Attachments       []MailAttachmentRow `json:"attachments"`
	MIMESHA256        string              `json:"mimeSha256,omitempty"`
	Extended          map[string]string   `json:"extended,omitempty"` // other extended properties that were set
	Multi             map[string][]string `json:"multi,omitempty"`
}

// MailAttachmentRow is an attachment in a dump.
type MailAttachmentRow struct {
	Kind        string   `json:"kind"`
	Name        string   `json:"name"`
	ContentType string   `json:"contentType,omitempty"`
	ContentID   string   `json:"contentId,omitempty"`
	Location    string   `json:"contentLocation,omitempty"`
	Inline      bool     `json:"inline,omitempty"`
	Size        int      `json:"size"`
	SHA256      string   `json:"sha256,omitempty"`
	Item        *MailRow `json:"item,omitempty"`
}

// DumpMailbox calls fn for every folder, then for every message, newest first in each folder. Contents are hashed; with
// mime the MIME too. The mailbox is locked for one folder's list of messages at a time.
func (s *Sim) DumpMailbox(user string, mime bool, folder func(MailFolderRow) error, fn func(MailRow) error) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	var keys []uint32
	var rows []MailFolderRow
	for _, k := range b.order {
		if f := b.folders[k]; !f.deleted && f.holds == "" {
			keys = append(keys, k)
			rows = append(rows, MailFolderRow{ID: b.folderID(k), Path: b.path(k), WellKnown: f.wellKnown, Hidden: f.hidden, Total: f.total(), Unread: f.unread()})
		}
	}
	b.mu.Unlock()
	for _, r := range rows {
		if err := folder(r); err != nil {
			return err
		}
	}
	for i, k := range keys {
		var pos *position
		for {
			b.mu.Lock()
			w := b.walk(b.folders[k], false, pos)
			var page []*message
			for len(page) < 500 {
				m := w.next()
				if m == nil {
					break
				}
				page = append(page, m)
			}
			b.mu.Unlock()
			if len(page) == 0 {
				break
			}
			for _, m := range page {
				row, err := b.row(m, mime)
				if err != nil {
					return err
				}
				row.Folder = rows[i].Path
				if err := fn(*row); err != nil {
					return err
				}
			}
			last := page[len(page)-1]
			pos = &position{Time: last.received.UnixNano(), Key: last.key}
		}
	}
	return nil
}

// path is where a folder lies, from the root.
func (b *mailbox) path(key uint32) string {
	var parts []string
	for f := b.folders[key]; f != nil && f.key != rootFolder; f = b.folders[f.parent] {
		parts = append([]string{strings.ReplaceAll(f.name, "/", `\/`)}, parts...)
	}
	return strings.Join(parts, "/")
}

func addressText(a *mailAddress) string {
	if a == nil {
		return ""
	}
	return strings.TrimSpace(a.Name + " <" + a.Address + ">")
}

func addressTexts(list []mailAddress) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = addressText(&list[i])
	}
	return out
}

func (b *mailbox) row(m *message, mime bool) (*MailRow, error) {
	s := b.s
	body, err := s.load(m.body)
	if err != nil {
		return nil, err
	}
	sum := sha(body)
	class, _, err := b.extended(m, "String 0x1a")
	if err != nil {
		return nil, err
	}
	conv := make([]byte, 16)
	if len(m.conversationIndex) >= 22 {
		copy(conv, m.conversationIndex[6:22])
	}
	row := &MailRow{ID: b.itemID(m, true), Version: m.version, Class: class, Subject: m.subject, From: addressText(m.from), Sender: addressText(m.sender),
		To: addressTexts(m.to), Cc: addressTexts(m.cc), Bcc: addressTexts(m.bcc), ReplyTo: addressTexts(m.replyTo),
		Received: m.received, Sent: m.sent, Created: m.created, Modified: m.modified, Read: m.isRead, Draft: m.isDraft, Importance: m.importance,
		Categories: append([]string{}, m.categories...), Flag: m.flag.json(), Inference: m.inference, ReadReceipt: m.readReceipt, DeliveryReceipt: m.deliveryReceipt,
		MessageID: m.messageID, Conversation: hex.EncodeToString(conv), ConversationIndex: hex.EncodeToString(m.conversationIndex),
		InReplyTo: m.ext["String 0x1042"], References: m.ext["String 0x1039"], BodyType: map[bool]string{true: "html", false: "text"}[m.html],
		BodySize: len(body), BodySHA256: hex.EncodeToString(sum[:]), Headers: []string{}, Attachments: []MailAttachmentRow{}, Multi: m.multi}
	for _, h := range m.transportHeaders() {
		row.Headers = append(row.Headers, h.Name+": "+headerText(h.Value))
	}
	ext := maps.Clone(m.ext)
	for _, k := range []string{"Integer 0xe07", "String 0x1a", "String 0x7d", "String 0x1042", "String 0x1039"} {
		delete(ext, k)
	}
	row.Extended = ext
	for _, a := range m.attachments {
		ar := MailAttachmentRow{Kind: [...]string{"file", "item", "reference"}[a.kind], Name: a.name, ContentType: a.contentType, ContentID: a.contentID, Location: a.location, Inline: a.inline}
		switch a.kind {
		case fileAttachment:
			data, err := s.load(a.content)
			if err != nil {
				return nil, err
			}
			x := sha(data)
			ar.Size, ar.SHA256 = len(data), hex.EncodeToString(x[:])
		case itemAttachment:
			if ar.Item, err = b.row(a.item, false); err != nil {
				return nil, err
			}
			ar.Item.ID = ""
			if f := a.item.foreign; f != nil {
				raw, err := json.Marshal(f)
				if err != nil {
					return nil, err
				}
				x := sha(raw)
				ar.Item.Class, ar.SHA256 = a.itemType, hex.EncodeToString(x[:])
			}
		}
		row.Attachments = append(row.Attachments, ar)
	}
	if mime {
		raw, err := s.mimeOf(m, "")
		if err != nil {
			return nil, err
		}
		x := sha(raw)
		row.MIMESHA256 = hex.EncodeToString(x[:])
	}
	return row, nil
}

// MailServed calls fn for every time that a message of a user was served; an empty id means all messages. The sums of
// JSON servings are zero: a version stands for its properties.
func (s *Sim) MailServed(user, id string, fn func(Served) error) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	var item uint64
	if id != "" {
		p, err := b.parseID(id)
		if err != nil {
			return err
		}
		item = p.key
	}
	return s.oracle.each(hash64("mail:"+b.user.ID), item, func(r ServedRecord) error {
		return fn(Served{Time: r.Time, Kind: r.Kind.String(), Owner: b.user.ID, Item: b.itemID(&message{key: r.Item}, true), Version: r.Version, Size: r.Size, SHA256: hex.EncodeToString(r.Sum[:])})
	})
}

// --- control endpoints -----------------------------------------------------------------------------------------------

// mailControl are the control endpoints of mail and of mutations:
//
//	POST /churn                                see Churn
//	POST /mutate                               see Mutation
//	GET  /oracle/mailboxes/{user}              the whole state, one JSON line a folder or message; ?mime=1 adds hashes of MIME
//	GET  /oracle/mailboxes/{user}/served       every version served, one JSON line each; ?item=ID only one message
func (s *Sim) mailControl() {
	s.control.HandleFunc("POST /churn", func(w http.ResponseWriter, r *http.Request) {
		var in Churn
		if !controlDecode(w, r, &in) {
			return
		}
		out, err := s.Churn(in)
		if err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		controlJSON(w, out)
	})
	s.control.HandleFunc("POST /mutate", func(w http.ResponseWriter, r *http.Request) {
		var in Mutation
		if !controlDecode(w, r, &in) {
			return
		}
		out, err := s.Mutate(in)
		if err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		controlJSON(w, out)
	})
	lines := func(w http.ResponseWriter, fn func(enc *json.Encoder) error) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if err := fn(enc); err != nil {
			panic(http.ErrAbortHandler) // a short answer must not look whole
		}
	}
	s.control.HandleFunc("GET /oracle/mailboxes/{user}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.mailboxOf(r.PathValue("user")); err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		lines(w, func(enc *json.Encoder) error {
			return s.DumpMailbox(r.PathValue("user"), r.URL.Query().Get("mime") != "",
				func(f MailFolderRow) error { return enc.Encode(map[string]any{"folder": f}) },
				func(m MailRow) error { return enc.Encode(map[string]any{"message": m}) })
		})
	})
	s.control.HandleFunc("GET /oracle/mailboxes/{user}/served", func(w http.ResponseWriter, r *http.Request) {
		b, err := s.mailboxOf(r.PathValue("user"))
		if id := r.URL.Query().Get("item"); err == nil && id != "" {
			_, err = b.parseID(id)
		}
		if err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		lines(w, func(enc *json.Encoder) error {
			return s.MailServed(r.PathValue("user"), r.URL.Query().Get("item"), func(x Served) error { return enc.Encode(x) })
		})
	})
}

// Mutation is one direct change of the tenant.
type Mutation struct {
	// Op is wipeMailbox, wipeDrive, wipe (both), deleteMessage (ID), deleteFile (Path), deliver (Folder, MIME),
	// licensed, unlicensed or gone (the state of the mailbox), shared, room, equipment or others (what it is for), deleteUser, restoreUser, or renameUser (Name, Address).
	Op      string `json:"op"`
	User    string `json:"user"`
	ID      string `json:"id,omitempty"`
	Path    string `json:"path,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	Folder  string `json:"folder,omitempty"` // of deliver; default inbox
	MIME    []byte `json:"mime,omitempty"`   // base64
}

// Mutate makes one direct change of the tenant and returns what there is to say of it.
func (s *Sim) Mutate(m Mutation) (map[string]any, error) {
	done := map[string]any{"op": m.Op, "user": m.User}
	switch m.Op {
	case "wipeMailbox":
		return done, s.WipeMailbox(m.User)
	case "wipeDrive":
		return done, s.deleteFromDrive(m.User, "")
	case "wipe":
		return done, errors.Join(s.WipeMailbox(m.User), s.deleteFromDrive(m.User, ""))
	case "deleteMessage":
		return done, s.DeleteMessage(m.User, m.ID)
	case "deleteFile":
		if strings.Trim(m.Path, "/") == "" {
			return nil, errors.New("deleteFile needs a path")
		}
		return done, s.deleteFromDrive(m.User, m.Path)
	case "deliver":
		folder := m.Folder
		if folder == "" {
			folder = "inbox"
		}
		id, err := s.Deliver(m.User, folder, m.MIME)
		done["id"] = id
		return done, err
	case MailboxLicensed, MailboxUnlicensed, MailboxGone:
		return done, s.SetMailbox(m.User, m.Op)
	case "shared", "room", "equipment", "others":
		return done, s.SetMailboxPurpose(m.User, m.Op)
	case "deleteUser":
		return done, s.DeleteUser(m.User)
	case "restoreUser":
		return done, s.RestoreUser(m.User)
	case "renameUser":
		return done, s.RenameUser(m.User, m.Name, m.Address)
	}
	return nil, fmt.Errorf("unknown mutation %q", m.Op)
}

// deleteFromDrive deletes what lies at a path, or everything; a user without a drive has nothing to delete.
func (s *Sim) deleteFromDrive(user, path string) error {
	u := s.dir.find(user)
	if u == nil {
		return fmt.Errorf("no user %q", user)
	}
	x := s.drives.of(u)
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if path != "" {
		n, err := x.at(path)
		if err == nil {
			x.remove(n)
		}
		return err
	}
	keys, _ := x.children(0)
	for _, k := range keys {
		x.remove(x.mustGet(k))
	}
	return nil
}

// MIME is a message as $value serves it, without noting that it was served.
func (s *Sim) MIME(user, id string) ([]byte, error) {
	b, err := s.mailboxOf(user)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	m, err := b.message(id)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.mimeOf(m, "")
}
