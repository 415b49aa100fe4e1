package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// mailService holds the mailboxes. A mailbox is its generated content, a function of seed and coordinates that costs
// nothing until it is read, plus an overlay of what has changed since.
type mailService struct {
	s      *Sim
	corpus []corpusMail

	mu      sync.Mutex // guards all below
	boxes   map[int]*mailbox
	ups     map[string]*mailUpload
	imports map[string]importSession // by token
}

// corpusMail is one real message of the corpus, taken apart once.
type corpusMail struct {
	file string
	msg  message
}

// mailbox is one mailbox. Every field below mu is guarded by it; methods with a lower-case name expect it to be held
// unless they say otherwise.
type mailbox struct {
	svc   *mailService
	s     *Sim
	user  *User
	index uint64
	tag   [16]byte // in every id of the mailbox

	mu        sync.Mutex
	folders   map[uint32]*folder
	order     []uint32 // folder keys in order of creation
	items     map[uint64]*message
	seq       uint64 // one more for every change
	folderLog []logEntry
	nextItem  uint32
	nextFold  uint32
	shelves   map[string]*shelf // calendars, contacts, tasks
	settings  *settings         // nil until they are asked for
}

// folder is a mail folder. Its generated messages have the numbers 0 to base-1, in order of date.
type folder struct {
	key       uint32
	parent    uint32
	name      string
	wellKnown string
	hidden    bool
	ext       map[string]string // single-value extended properties that a client set
	deleted   bool
	version   uint64
	holds     string     // container class of what is neither mail nor the default folder of notes; "" of mail
	shelf     *shelf     // of a contact folder, calendar or list of tasks: what lies in it that its own kind of item is not
	of        *pimFolder // the same

	base       int
	baseGone   bool // all generated messages were removed at once
	corpus     []int
	gone       map[uint32]bool // generated messages that are no longer here
	unreadDiff int             // unread messages in place, less those that were generated unread
	extra      []*message      // other messages that are here, newest first
	log        []logEntry
	last       map[uint64]uint64 // item -> seq of its newest log entry
}

// logEntry is a change: of an item in a folder, or of a folder in a mailbox.
type logEntry struct {
	seq  uint64
	item uint64
	wipe bool // all generated messages left
}

const (
	rootFolder   uint32 = 1
	newItemBit   uint64 = 1 << 47 // set in the key of an item that was not generated
	maxPageItems        = 1000
)

// itemKey is the key of generated message j of a folder.
func itemKey(folder uint32, j int) uint64 { return uint64(folder)<<48 | uint64(j) }

func splitKey(k uint64) (folder uint32, j int) { return uint32(k >> 48), int(k & (newItemBit - 1)) }

func newMailService(s *Sim) (*mailService, error) {
	m := &mailService{s: s, boxes: map[int]*mailbox{}, ups: map[string]*mailUpload{}, imports: map[string]importSession{}}
	if s.opt.Corpus == "" {
		return m, nil
	}
	err := filepath.WalkDir(s.opt.Corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".eml") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		msg, err := s.messageFromMIME(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		m.corpus = append(m.corpus, corpusMail{file: filepath.Base(path), msg: *msg})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("simulator corpus: %w", err)
	}
	return m, nil
}

// scopeOf is what the limits and faults of a call are counted on: the mailbox, or nothing.
func (s *Sim) scopeOf(c *Call) string {
	if c.Route.Class == ClassOutlook && c.Params["group"] != "" {
		return strings.ToLower(c.Params["group"])
	}
	if id := c.Params["mailbox"]; id != "" { // the import/export API names a mailbox, not its user
		c.Params["user"] = s.ownerOfMailbox(id)
		if c.Route.Public {
			s.mail.mu.Lock()
			c.App = s.mail.imports[c.Query.Get("authtoken")].app
			s.mail.mu.Unlock()
		}
	}
	if u := s.dir.find(c.Params["user"]); u != nil {
		return u.ID
	}
	if c.Route.Class == ClassSharePoint {
		return s.drives.scope(c)
	}
	return strings.ToLower(c.Params["user"])
}

// box returns the mailbox of a call, or Microsoft's refusal for one that is not there.
func (s *Sim) box(c *Call) (*mailbox, error) {
	u, err := s.user(c)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	licensed, there := u.licensed || u.purpose != "", u.mailbox // a shared mailbox, a room and equipment need no licence
	u.mu.Unlock()
	if !there {
		return nil, Fail(404, "ErrorItemNotFound", "The specified object was not found in the store., The process failed to get the correct properties.").with("MailboxNotFound")
	}
	if !licensed {
		return nil, Fail(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
	return s.mail.open(u), nil
}

func (e *Error) with(inner ...string) *Error {
	e.Inner = inner
	return e
}

// open returns a user's mailbox, made at its first use.
func (m *mailService) open(u *User) *mailbox {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.boxes[u.Index]
	if b == nil {
		b = m.generate(u)
		m.boxes[u.Index] = b
	}
	return b
}

// generate lays out the folders of a mailbox and how many messages each holds.
func (m *mailService) generate(u *User) *mailbox {
	b := &mailbox{svc: m, s: m.s, user: u, index: uint64(u.Index), folders: map[uint32]*folder{}, items: map[uint64]*message{}, nextFold: 1}
	sum := sha256.Sum256([]byte("mailbox:" + u.ID))
	b.tag = [16]byte(sum[:16])
	shape := m.s.shape.mail
	total := shape.Messages
	if m.s.shape.large && u.Index == 0 && m.s.opt.Mail.Messages == 0 {
		total = 1_000_000
	}
	add := func(parent uint32, name, known string, base int) uint32 {
		f := &folder{key: b.nextFold, parent: parent, name: name, wellKnown: known, base: base, version: 1}
		b.folders[f.key] = f
		b.order = append(b.order, f.key)
		b.nextFold++
		return f.key
	}
	add(0, "Top of Information Store", "msgfolderroot", 0)
	per := func(share float64) int {
		if shape.OneFolder {
			return 0
		}
		return int(float64(total) * share)
	}
	sent, deleted, junk, archive, drafts := per(0.18), per(0.03), per(0.02), per(0.10), per(0.01)
	named := per(0.40)
	var counts []int
	placed := 0
	for i := range shape.Folders {
		n := named / shape.Folders
		if i < named%shape.Folders {
			n++
		}
		counts = append(counts, n)
		placed += n
	}
	notes := 0
	if !shape.OneFolder && total >= 24 {
		notes = 2 // beside the messages that were asked for
	}
	inbox := total - sent - deleted - junk - archive - drafts - placed
	in := add(rootFolder, "Inbox", "inbox", inbox)
	add(rootFolder, "Drafts", "drafts", drafts)
	add(rootFolder, "Sent Items", "sentitems", sent)
	add(rootFolder, "Deleted Items", "deleteditems", deleted)
	add(rootFolder, "Junk Email", "junkemail", junk)
	add(rootFolder, "Archive", "archive", archive)
	add(rootFolder, "Outbox", "outbox", 0)
	add(rootFolder, "Conversation History", "conversationhistory", 0)
	hidden := add(rootFolder, "Conversation Action Settings", "", 0)
	b.folders[hidden].hidden = true
	projects := add(rootFolder, "Projects", "", 0)
	add(projects, "Empty / with a slash", "", 0)
	add(in, "Überfällig – 待处理 📁", "", 0)
	parent := projects
	for i, n := range counts {
		k := add(parent, fmt.Sprintf("Project %02d %s", i+1, surnames[(i+u.Index)%len(surnames)]), "", n)
		if i%5 == 1 { // some nest deeper
			parent = k
		} else if i%5 == 4 {
			parent = projects
		}
	}
	atNotes := add(rootFolder, "Notes", notesFolder, notes)
	if n := len(m.corpus); n > 0 {
		users := len(m.s.dir.seeded)
		var mine []int
		for i := u.Index; i < n; i += users {
			mine = append(mine, i)
		}
		if len(mine) > 0 {
			k := add(rootFolder, "Corpus", "", len(mine))
			sort.SliceStable(mine, func(x, y int) bool { return m.corpus[mine[x]].msg.received.Before(m.corpus[mine[y]].msg.received) })
			b.folders[k].corpus = mine
		}
	}
	b.layOutOthers(atNotes)
	return b
}

// notesFolder holds notes, not mail: no list of mail folders shows it, and it is found by this name or its id.
const notesFolder = "notes"

func (f *folder) ofNotes() bool { return f.wellKnown == notesFolder }

// apart says that no list of mail folders has the folder.
func (f *folder) apart() bool { return f.ofNotes() || f.holds != "" }

// class is the container class.
func (f *folder) class() string {
	switch {
	case f.holds != "":
		return f.holds
	case f.ofNotes():
		return notesClass
	}
	return "IPF.Note"
}

// --- ids -------------------------------------------------------------------------------------------------------------

var idFiller = []byte{0x2e, 0, 0, 0, 0, 0, 0x1d, 0x84, 0x03, 0x11, 0xaa, 0x66, 0x11, 0xcd, 0x9b, 0xc8, 0, 0xaa, 0, 0x2f, 0x84, 0x5a, 0x0d, 0}

// itemID is a message's id: immutable, or one that a move changes.
func (b *mailbox) itemID(m *message, immutable bool) string {
	if immutable {
		return idOf([]byte{0, 9, 0}, 51, b.tag[:], m.key, 0)
	}
	return idOf([]byte{0, 3, 0x24}, 114, b.tag[:], m.key, m.generation)
}

const folderIDBit = uint64(1) << 63

func (b *mailbox) folderID(key uint32) string {
	return idOf([]byte{0, 3, 0x24}, 90, b.tag[:], folderIDBit|uint64(key), 0)
}

// idOf lays out an id: head, filler, mailbox, padding, key and generation, as base64url.
func idOf(head []byte, size int, tag []byte, key uint64, generation uint32) string {
	out := make([]byte, 0, size)
	out = append(out, head...)
	out = append(out, idFiller...)
	out = append(out, tag...)
	pad := size - len(out) - 8
	if size != 51 {
		pad -= 8
	}
	for i := range pad {
		out = append(out, tag[i%len(tag)]^idFiller[i%len(idFiller)]^byte(i))
	}
	out = binary.BigEndian.AppendUint64(out, mix(key))
	if size != 51 {
		out = binary.BigEndian.AppendUint64(out, mix(uint64(generation)^key))
	}
	return base64.URLEncoding.EncodeToString(out)
}

type idParts struct {
	key        uint64
	generation uint32
	immutable  bool
	folder     bool
}

func (b *mailbox) parseID(id string) (idParts, error) { return parseID(b.tag, id) }

// parseID undoes idOf for ids with that tag. An id that was not made by it is malformed.
func parseID(tag [16]byte, id string) (idParts, error) {
	malformed := Fail(400, "ErrorInvalidIdMalformed", "Id is malformed.")
	raw, err := base64.URLEncoding.DecodeString(id)
	if err != nil || len(raw) < 51 {
		return idParts{}, malformed
	}
	var p idParts
	switch len(raw) {
	case 51:
		p.key, p.immutable = unmix(binary.BigEndian.Uint64(raw[43:])), true
		if id != idOf([]byte{0, 9, 0}, 51, raw[27:43], p.key, 0) {
			return p, malformed
		}
	case 90, 114:
		p.key = unmix(binary.BigEndian.Uint64(raw[len(raw)-16:]))
		p.folder = p.key&folderIDBit != 0
		g := unmix(binary.BigEndian.Uint64(raw[len(raw)-8:])) ^ p.key
		if g>>32 != 0 || p.folder != (len(raw) == 90) {
			return p, malformed
		}
		p.generation, p.key = uint32(g), p.key&^folderIDBit
		k := p.key
		if p.folder {
			k |= folderIDBit
		}
		if id != idOf([]byte{0, 3, 0x24}, len(raw), raw[27:43], k, p.generation) {
			return p, malformed
		}
	default:
		return p, malformed
	}
	if [16]byte(raw[27:43]) != tag {
		return p, Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	return p, nil
}

// --- messages --------------------------------------------------------------------------------------------------------

// get returns a message by key, or nil: from the overlay, or generated. It must not be changed; see edit.
func (b *mailbox) get(key uint64) *message {
	if m := b.items[key]; m != nil {
		if m.deleted {
			return nil
		}
		return m
	}
	if key&newItemBit != 0 {
		return nil
	}
	fk, j := splitKey(key)
	f := b.folders[fk]
	if f == nil || f.deleted || f.baseGone || j >= f.base {
		return nil
	}
	return b.generated(f, j)
}

// message finds the message that an id names.
func (b *mailbox) message(id string) (*message, error) {
	p, err := b.parseID(id)
	if err != nil {
		return nil, err
	}
	var m *message
	if !p.folder {
		m = b.get(p.key)
	}
	if m == nil || !p.immutable && m.generation != p.generation {
		return nil, Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	return m, nil
}

var wellKnownNames = []string{"archive", "clutter", "conflicts", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail", "localfailures", "msgfolderroot", "notes", "outbox",
	"recoverableitemsdeletions", "scheduled", "searchfolders", "sentitems", "serverfailures", "syncissues"}

// folder finds the folder that an id or a well-known name names.
func (b *mailbox) folder(id string) (*folder, error) {
	gone := Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
	if name := strings.ToLower(id); slices.Contains(wellKnownNames, name) {
		for _, k := range b.order {
			if f := b.folders[k]; f.wellKnown == name && !f.deleted {
				return f, nil
			}
		}
		return nil, Fail(404, "ErrorFolderNotFound", "The specified folder could not be found in the store.")
	}
	p, err := b.parseID(id)
	if err != nil {
		return nil, err
	}
	f := b.folders[uint32(p.key)]
	if !p.folder || f == nil || f.deleted {
		return nil, gone
	}
	return f, nil
}

// edit makes a message changeable: a copy in the overlay, which the caller finishes with changed.
func (b *mailbox) edit(m *message) *message {
	n := *m
	return &n
}

// bump gives a message its next version.
func (b *mailbox) bump(m *message, now time.Time) {
	b.seq++
	m.version = b.seq + 1
	m.modified = now
}

// store puts an edited message into the overlay in the place of old and logs the change. A message that lies where it
// was generated keeps its place in the order; any other is kept in the folder's extra list.
func (b *mailbox) store(old, m *message, now time.Time) {
	b.bump(m, now)
	b.countUnread(old, m)
	if old != nil {
		from := b.folders[old.folder]
		if !old.inPlace() {
			from.remove(old)
		} else if !m.inPlace() {
			from.leave(old)
		}
		if m.folder != old.folder || m.deleted {
			from.note(b.seq, m.key)
		}
	}
	b.items[m.key] = m
	if m.deleted {
		return
	}
	to := b.folders[m.folder]
	if !m.inPlace() {
		to.insert(m)
	} else if old != nil && !old.inPlace() {
		to.comeBack(m)
	}
	to.note(b.seq, m.key)
}

// inPlace reports whether a message lies where and when it was generated.
func (m *message) inPlace() bool {
	home, _ := splitKey(m.key)
	return m.key&newItemBit == 0 && !m.deleted && m.folder == home && m.received.Equal(m.born)
}

// countUnread keeps the difference between the unread messages that the generator made and those that are.
func (b *mailbox) countUnread(old, m *message) {
	home, _ := splitKey(m.key)
	if m.key&newItemBit != 0 {
		return
	}
	here := func(x *message) int {
		if x.inPlace() && !x.isRead {
			return 1
		}
		return 0
	}
	f := b.folders[home]
	if old == nil {
		return
	}
	f.unreadDiff += here(m) - here(old)
}

func (f *folder) note(seq uint64, item uint64) {
	if f.last == nil {
		f.last = map[uint64]uint64{}
	}
	f.log = append(f.log, logEntry{seq: seq, item: item})
	f.last[item] = seq
}

// leave marks a generated message as no longer here.
func (f *folder) leave(m *message) {
	if f.gone == nil {
		f.gone = map[uint32]bool{}
	}
	_, j := splitKey(m.key)
	f.gone[uint32(j)] = true
}

func (f *folder) comeBack(m *message) {
	_, j := splitKey(m.key)
	delete(f.gone, uint32(j))
}

// newer orders messages as a folder lists them: by received time descending, then by key descending.
func newer(at time.Time, key uint64, bt time.Time, bkey uint64) int {
	if n := bt.Compare(at); n != 0 {
		return n
	}
	switch {
	case key > bkey:
		return -1
	case key < bkey:
		return 1
	}
	return 0
}

func (f *folder) find(m *message) (int, bool) {
	return slices.BinarySearchFunc(f.extra, m, func(a, b *message) int { return newer(a.received, a.key, b.received, b.key) })
}

func (f *folder) insert(m *message) {
	i, ok := f.find(m)
	if ok {
		f.extra[i] = m
		return
	}
	f.extra = slices.Insert(f.extra, i, m)
}

func (f *folder) remove(m *message) {
	if i, ok := f.find(m); ok {
		f.extra = slices.Delete(f.extra, i, i+1)
	}
}

// total and unread count what is in the folder, at no cost for the generated part.
func (f *folder) total() int {
	n := len(f.extra)
	if !f.baseGone {
		n += f.base - len(f.gone)
	}
	return n
}

func (f *folder) unread() int {
	n := 0
	for _, m := range f.extra {
		if !m.isRead {
			n++
		}
	}
	if !f.baseGone {
		n += f.unreadDiff
		if f.corpus == nil {
			n += unreadAmong(f.base)
		}
	}
	return n
}

// --- walking in order of date ----------------------------------------------------------------------------------------

// position is a place in the order of a list: everything that comes after (time, key) in it.
type position struct {
	Time int64  `json:"t"` // unix nanoseconds
	Key  uint64 `json:"k"`
}

// walker yields the messages of one folder in order of date, newest first or, if asc, oldest first.
type walker struct {
	b   *mailbox
	f   *folder
	asc bool
	j   int // next generated message
	x   int // next of extra
}

// walk starts behind pos, or at the beginning if pos is nil.
func (b *mailbox) walk(f *folder, asc bool, pos *position) *walker {
	w := &walker{b: b, f: f, asc: asc}
	base := f.base
	if f.baseGone {
		base = 0
	}
	if pos == nil {
		if asc {
			w.j, w.x = 0, len(f.extra)-1
		} else {
			w.j, w.x = base-1, 0
		}
		return w
	}
	t := time.Unix(0, pos.Time)
	// Messages after pos in descending order: those for which newer(pos, m) < 0.
	x := sort.Search(len(f.extra), func(i int) bool { return newer(t, pos.Key, f.extra[i].received, f.extra[i].key) < 0 })
	j := sort.Search(base, func(i int) bool { return newer(t, pos.Key, b.generatedTime(f, i), itemKey(f.key, i)) >= 0 }) - 1
	if !asc {
		w.x, w.j = x, j
		return w
	}
	// Ascending: those for which newer(m, pos) < 0, nearest first.
	w.x = sort.Search(len(f.extra), func(i int) bool { return newer(f.extra[i].received, f.extra[i].key, t, pos.Key) >= 0 }) - 1
	w.j = sort.Search(base, func(i int) bool { return newer(b.generatedTime(f, i), itemKey(f.key, i), t, pos.Key) < 0 })
	return w
}

// peek returns place and kind of the next message without making it; ok is false at the end.
func (w *walker) peek() (pos position, extra bool, ok bool) {
	base := w.f.base
	if w.f.baseGone {
		base = 0
	}
	for w.j >= 0 && w.j < base && w.f.gone[uint32(w.j)] {
		if w.asc {
			w.j++
		} else {
			w.j--
		}
	}
	hasBase, hasExtra := w.j >= 0 && w.j < base, w.x >= 0 && w.x < len(w.f.extra)
	var bp, xp position
	if hasBase {
		bp = position{Time: w.b.generatedTime(w.f, w.j).UnixNano(), Key: itemKey(w.f.key, w.j)}
	}
	if hasExtra {
		m := w.f.extra[w.x]
		xp = position{Time: m.received.UnixNano(), Key: m.key}
	}
	switch {
	case hasBase && hasExtra:
		first := newer(time.Unix(0, bp.Time), bp.Key, time.Unix(0, xp.Time), xp.Key) < 0
		if first != w.asc {
			return bp, false, true
		}
		return xp, true, true
	case hasBase:
		return bp, false, true
	case hasExtra:
		return xp, true, true
	}
	return position{}, false, false
}

// next returns the next message, nil at the end.
func (w *walker) next() *message {
	_, extra, ok := w.peek()
	if !ok {
		return nil
	}
	d := 1
	if extra {
		m := w.f.extra[w.x]
		if w.asc {
			d = -1
		}
		w.x += d
		return m
	}
	j := w.j
	if !w.asc {
		d = -1
	}
	w.j += d
	if m := w.b.items[itemKey(w.f.key, j)]; m != nil {
		return m
	}
	return w.b.generated(w.f, j)
}

// skip passes over the next message without making it.
func (w *walker) skip() bool {
	_, extra, ok := w.peek()
	switch {
	case !ok:
		return false
	case extra == w.asc && extra:
		w.x--
	case extra:
		w.x++
	case w.asc:
		w.j++
	default:
		w.j--
	}
	return true
}
