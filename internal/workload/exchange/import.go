package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// A mail that was stored as Exchange exported it is put back by an import, with every property that it had. Where there is no import (another cloud,
// or an application without the right), and where the service does not take the stream, it is made of its parts as a mail that was stored as MIME.

const importRight = "MailboxItem.ImportExport.All"

// Ours, as a stream has them.
var (
	ownGUID      = fasttransfer.NewGUID("6f3c1d52-8a0e-4b59-9c43-5d0c7c1b8e21")
	nameOrigin   = fasttransfer.Name{Set: ownGUID, Text: "HoldfastOrigin"}
	nameMarker   = fasttransfer.Name{Set: ownGUID, Text: "HoldfastRestore"}
	nameVersion  = fasttransfer.Name{Set: ownGUID, Text: "HoldfastVersion"}
	nameImported = fasttransfer.Name{Set: ownGUID, Text: "HoldfastImported"}
)

// propImported is when an import made the mail: its created time is the old one.
const propImported = "SystemTime {6f3c1d52-8a0e-4b59-9c43-5d0c7c1b8e21} Name HoldfastImported"

// content is a stored mail that can be made in a mailbox and compared with what was made.
type content interface {
	// make makes the mail in parent, or puts it into the place of one. notSet names what could not be set.
	make(ctx context.Context, r *restore, parent string, p engine.Put, found state) (id string, notSet []string, over bool, err error)
	// compare reads the mail back and names what differs. whole is false when content is missing.
	compare(ctx context.Context, r *restore, id string) (lost []string, whole bool, err error)
	close()
}

// content opens a stored mail for a restore; marked says that it is to be as the user wants restored ones to be.
func (r *restore) content(ctx context.Context, p engine.Put, marked bool) (content, error) {
	if r.imports {
		f, ok, err := p.Open(ctx, holdfast.FormFTS)
		if err != nil {
			return nil, fmt.Errorf("stored item: %w", err)
		}
		if ok {
			return &exportedMail{p: p, unread: marked && r.plan.MarkRestored == holdfast.MarkUnread}, f.Close()
		}
	}
	s, err := load(ctx, p)
	if err != nil {
		return nil, err
	}
	if marked {
		s.mark(r.plan)
	}
	if err := s.keepWhole(ctx, p); err != nil {
		s.mail.close()
		return nil, err
	}
	return s, nil
}

func (s *stored) make(ctx context.Context, r *restore, parent string, p engine.Put, _ state) (string, []string, bool, error) {
	id, notSet, err := r.create(ctx, parent, p, s)
	return id, notSet, false, err
}

func (s *stored) compare(ctx context.Context, r *restore, id string) ([]string, bool, error) {
	return r.compare(ctx, id, s)
}

func (s *stored) close() { s.mail.close() }

// exportedMail is a mail as it was exported.
type exportedMail struct {
	p       engine.Put
	unread  bool     // it shall be unread
	instead *stored  // what was made of its parts, when the service did not take the stream
	problem []string // why
}

func (s *exportedMail) close() {
	if s.instead != nil {
		s.instead.close()
	}
}

// openStream gives a stored item as it was exported; its Close closes what it reads.
func openStream(ctx context.Context, p engine.Put) (io.ReadCloser, error) {
	var records []byte
	switch r, ok, err := p.Open(ctx, holdfast.FormRecords); {
	case err != nil:
		return nil, fmt.Errorf("stored item: %w", err)
	case ok:
		records, err = io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("stored item: %w", err)
		}
	}
	f, ok, err := p.Open(ctx, holdfast.FormFTS)
	if err != nil {
		return nil, fmt.Errorf("stored item: %w", err)
	}
	if !ok {
		return nil, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: errors.New("the restore point has no content of this mail")}
	}
	whole, err := fasttransfer.Join(records, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{whole, f}, nil
}

// readStream takes a stored item apart.
func readStream(ctx context.Context, p engine.Put) (*fasttransfer.Message, error) {
	in, err := openStream(ctx, p)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	m, err := fasttransfer.Read(in, fasttransfer.Options{})
	return m, unreadable(err)
}

// unreadable makes of a stream that is not understood a skip of its item.
func unreadable(err error) error {
	var bad *fasttransfer.Error
	if errors.As(err, &bad) {
		return &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the item is stored as it was exported, and its parts can't be told: %w", err)}
	}
	return err
}

// loadStream makes of a stored item what is stored of a mail that is read as MIME.
func loadStream(ctx context.Context, p engine.Put, s *stored) error {
	in, err := openStream(ctx, p)
	if err != nil {
		return err
	}
	mail := fasttransfer.EML(in)
	defer mail.Close()
	s.mail, err = takeApart(mail)
	return unreadable(err)
}

// session is an import session that is good for a while.
func (r *restore) session(ctx context.Context, anew *graph.ImportSession) (*graph.ImportSession, error) {
	x := &r.importing
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.session != nil && x.session != anew && r.g.M365().Clock().Now().Add(time.Minute).Before(x.session.Expires) {
		return x.session, nil
	}
	if _, err := x.mailbox(ctx, r); err != nil {
		return nil, err
	}
	s, err := r.g.CreateImportSession(ctx, x.of)
	if err != nil {
		return nil, fmt.Errorf("begin the import: %w", err)
	}
	x.session = s
	return s, nil
}

// importing is the import of a restore.
type importing struct {
	mu      sync.Mutex // guards all below
	of      graph.MailboxOf
	session *graph.ImportSession
}

// write writes the stream with the marks of this act.
func (s *exportedMail) write(ctx context.Context, r *restore, w io.Writer) error {
	in, err := openStream(ctx, s.p)
	if err != nil {
		return err
	}
	defer in.Close()
	if s.p.Item.Fields[holdfast.FieldUnreadable] != "" {
		_, err := io.Copy(w, in)
		return err
	}
	set := []fasttransfer.Amendment{
		{Name: nameOrigin, Value: origin(r.plan.From, s.p.Item)}, {Name: nameMarker, Value: s.p.Marker},
		{Name: nameVersion, Value: s.p.Item.Version}, {Name: nameImported, Value: r.g.M365().Clock().Now().UTC().Truncate(time.Second)},
	}
	if s.unread {
		m, err := readStream(ctx, s.p)
		if err != nil {
			return err
		}
		flags, _ := m.Number(tagFlags)
		if err := m.Close(); err != nil {
			return err
		}
		set = append(set, fasttransfer.Amendment{Name: fasttransfer.Name{ID: tagRead}, Value: false}, fasttransfer.Amendment{Name: fasttransfer.Name{ID: tagFlags}, Value: int32(flags &^ 1)})
	}
	return fasttransfer.Amend(w, in, set...)
}

const (
	tagFlags = 0x0e07 // PidTagMessageFlags
	tagRead  = 0x0e69 // PidTagRead
)

func (s *exportedMail) make(ctx context.Context, r *restore, parent string, p engine.Put, found state) (id string, notSet []string, over bool, err error) {
	in := graph.Import{Folder: parent, Size: p.Item.Size + 64<<10, Write: func(w io.Writer) error { return s.write(ctx, r, w) }}
	if r.overwrites(found) && found.folder == parent && found.key != "" {
		in.ItemID, in.ChangeKey = found.existing, found.key
	}
	session, err := r.session(ctx, nil)
	if m365.KindOf(err) == m365.Denied {
		return s.makeInstead(ctx, r, parent, p, err)
	}
	if err != nil {
		return "", nil, false, err
	}
	marked := p.Item.Fields[holdfast.FieldUnreadable] == ""
	var out *graph.Imported
	for try := 0; ; try++ {
		out, err = session.Import(ctx, in)
		switch kind := m365.KindOf(err); {
		case err == nil:
			return out.ItemID, nil, in.ItemID != "", nil
		case try >= importTries:
			return "", nil, false, err
		case m365.OutcomeUnknown(err):
			if !marked {
				return "", nil, false, err // nothing tells it from another one
			}
			again, ferr := r.find(ctx, p)
			if ferr != nil {
				return "", nil, false, ferr
			}
			if again.mine != "" {
				return again.mine, nil, in.ItemID != "", nil
			}
		case kind == m365.Unauthorized || kind == m365.Denied || kind == m365.NotFound && in.ItemID == "":
			// The session ended; a folder or a right that is missing shows when the next one is asked for, or again.
			if session, err = r.session(ctx, session); err != nil {
				return "", nil, false, err
			}
		case in.ItemID != "" && kind == m365.Changed:
			return "", nil, false, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the item there was changed while it was to be overwritten")}
		case in.ItemID != "" && (kind == m365.Invalid || kind == m365.NotFound):
			in.ItemID, in.ChangeKey = "", "" // made beside it, which is deleted then
		case kind == m365.Corrupt || kind == m365.Invalid:
			return s.makeInstead(ctx, r, parent, p, err)
		default:
			return "", nil, false, err
		}
	}
}

// importTries bounds how often an import is tried that surely, or as far as can be seen, did nothing.
const importTries = 4

// makeInstead makes the mail of its parts.
func (s *exportedMail) makeInstead(ctx context.Context, r *restore, parent string, p engine.Put, why error) (string, []string, bool, error) {
	var err error
	if s.instead, err = load(ctx, p); err != nil {
		return "", nil, false, errors.Join(why, err)
	}
	if s.unread {
		s.instead.json["isRead"] = json.RawMessage("false")
	}
	id, notSet, err := r.create(ctx, parent, p, s.instead)
	return id, union(notSet, []string{"everything that Exchange alone knows of the item: it did not take it as it was exported"}), false, err
}

func (s *exportedMail) compare(ctx context.Context, r *restore, id string) ([]string, bool, error) {
	if s.instead != nil {
		return s.instead.compare(ctx, r, id)
	}
	if s.p.Item.Fields[holdfast.FieldUnreadable] != "" {
		return []string{"not compared: the item was stored as it was exported, and its parts can't be told"}, true, nil
	}
	if _, err := r.session(ctx, nil); err != nil { // which knows the mailbox
		return nil, false, err
	}
	want, err := readStream(ctx, s.p)
	if err != nil {
		return nil, false, err
	}
	defer want.Close()
	have, err := r.exported(ctx, id)
	if err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	defer have.Close()
	return s.differences(want, have)
}

// exported reads an item as the service exports it now.
func (r *restore) exported(ctx context.Context, id string) (*fasttransfer.Message, error) {
	var last error
	for range exportAttempts {
		x, err := r.g.ExportItems(ctx, r.importing.of, []string{id})
		if err != nil {
			return nil, err
		}
		item, err := x.Next()
		var m *fasttransfer.Message
		switch {
		case err == io.EOF:
			err = errors.New("the answer has no item")
		case err == nil && item.Data == nil:
			err = item.Err
			if e := (*graph.Error)(nil); errors.As(err, &e) && e.Has("ErrorInvalidIdMalformed") {
				changed, terr := r.g.TranslateIDs(ctx, r.mailbox, []string{id}, graph.ImmutableID, graph.RestID)
				if terr != nil {
					return nil, errors.Join(terr, x.Close())
				}
				if to := changed[id]; to != "" {
					id = to
				}
			}
		case err == nil:
			m, err = fasttransfer.Read(item.Data, fasttransfer.Options{})
		}
		if err == nil {
			_, err = x.Next() // the end says that the answer is whole
			if err == io.EOF {
				return m, x.Close()
			}
			err = errors.Join(err, m.Close())
		}
		last = errors.Join(err, x.Close())
		if ctx.Err() != nil || m365.KindOf(err) == m365.NotFound || m365.KindOf(err) == m365.Denied {
			break
		}
	}
	return nil, last
}

// notCompared are properties that the store gives to every item, whatever an import says: change keys, times of the last change, who made it, sizes
// (MS-OXPROPS, server-internal properties and those of synchronization).
func notCompared(p *fasttransfer.Property) bool {
	switch id := p.ID; {
	case p.Name != nil:
		return p.Name.Set == ownGUID
	case id >= 0x65e0 && id <= 0x65e7, id >= 0x6600 && id <= 0x67ff, id >= 0x3ff8 && id <= 0x3fff:
		return true
	default:
		return slices.Contains([]uint16{0x0e08, 0x0e20, 0x0e21, 0x0e23, 0x0e27, 0x0ff4, 0x0ff6, 0x0ff7, 0x0ff9, 0x0ffa, 0x0ffb, 0x0fff, 0x300b}, id)
	}
}

// tableNames are the properties that the table of what a restore gives back calls by other names.
var tableNames = map[uint16]string{0x0017: "importance", 0x001a: "message class", 0x0037: "subject", 0x0039: "sentDateTime", 0x0e06: "receivedDateTime", 0x3007: "createdDateTime",
	0x3008: "lastModifiedDateTime", tagRead: "isRead", tagFlags: "isRead, isDraft", 0x1035: "internetMessageId", 0x0071: "conversationIndex", 0x007d: "header lines", 0x1090: "flag"}

var bodyTags = []uint16{0x1000, 0x1009, 0x1013}

// differences names what of want is not in have, and what is besides.
func (s *exportedMail) differences(want, have *fasttransfer.Message) (lost []string, whole bool, err error) {
	whole = true
	note := func(name string, content bool) {
		lost = union(lost, []string{name})
		whole = whole && !content
	}
	a, err := propertiesOf(want.Properties)
	if err != nil {
		return nil, false, err
	}
	b, err := propertiesOf(have.Properties)
	if err != nil {
		return nil, false, err
	}
	for key, x := range a {
		if s.unread && key.set == (fasttransfer.GUID{}) && (key.id == tagRead || key.id == tagFlags) {
			delete(b, key)
			continue
		}
		if y, ok := b[key]; !ok || x != y {
			note(key.table(), key.set == (fasttransfer.GUID{}) && slices.Contains(bodyTags, uint16(key.id)))
		}
		delete(b, key)
	}
	for key := range b {
		if key.set == (fasttransfer.GUID{}) && (key.id == 0x1035 || key.id == 0x0070 || key.id == 0x0071) {
			continue // the service gives one to what has none
		}
		note(key.table(), false)
	}
	if !samePeople(want, have) {
		note("recipients", true)
	}
	same, err := sameAttachments(want, have)
	if err != nil {
		return nil, false, err
	}
	if !same {
		note("attachments", true)
	}
	slices.Sort(lost)
	return lost, whole, nil
}

// propertyKey is what a property is called in every stream.
type propertyKey struct {
	set  fasttransfer.GUID
	id   uint32
	text string
}

func (k propertyKey) table() string {
	if k.set != (fasttransfer.GUID{}) {
		return "property " + fasttransfer.Name{Set: k.set, ID: k.id, Text: k.text}.String()
	}
	if name := tableNames[uint16(k.id)]; name != "" {
		return name
	}
	if slices.Contains(bodyTags, uint16(k.id)) {
		return "body"
	}
	return fmt.Sprintf("property %#04x", k.id)
}

// propertiesOf sums the values of properties, but those that are not compared.
func propertiesOf(list []fasttransfer.Property) (map[propertyKey][sha256.Size]byte, error) {
	out := make(map[propertyKey][sha256.Size]byte, len(list))
	for i := range list {
		p := &list[i]
		if notCompared(p) {
			continue
		}
		key := propertyKey{id: uint32(p.ID)}
		if p.Name != nil {
			key = propertyKey{p.Name.Set, p.Name.ID, p.Name.Text}
		}
		h := sha256.New()
		fmt.Fprintf(h, "%x %d ", p.Type, p.Count)
		if _, err := io.Copy(h, p.Content().Reader()); err != nil {
			return nil, err
		}
		out[key] = [sha256.Size]byte(h.Sum(nil))
	}
	return out, nil
}

// samePeople compares recipients, whatever their order.
func samePeople(a, b *fasttransfer.Message) bool {
	people := func(m *fasttransfer.Message) []string {
		var out []string
		for _, r := range m.Recipients {
			at := r.Address()
			out = append(out, strings.Join([]string{string(r.Kind()), at.Name, strings.ToLower(at.Email)}, "\x00"))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(people(a), people(b))
}

// sameAttachments compares attachments, whatever their order, with all their properties and the messages in them.
func sameAttachments(a, b *fasttransfer.Message) (bool, error) {
	x, err := attachmentSums(a)
	if err != nil {
		return false, err
	}
	y, err := attachmentSums(b)
	return slices.EqualFunc(x, y, bytes.Equal), err
}

func attachmentSums(m *fasttransfer.Message) ([][]byte, error) {
	var out [][]byte
	for _, a := range m.Attachments {
		h := sha256.New()
		fmt.Fprintf(h, "%q %q %q %v ", a.Name(), a.Type(), a.ContentID(), a.Method())
		if a.Message == nil {
			if _, err := io.Copy(h, a.Data().Reader()); err != nil {
				return nil, err
			}
		} else {
			all, err := propertiesOf(a.Message.Properties)
			if err != nil {
				return nil, err
			}
			var sums [][]byte
			for key, sum := range all {
				if key.set != (fasttransfer.GUID{}) || key.id != 0x3008 {
					sums = append(sums, fmt.Appendf(nil, "%v %x\n", key, sum))
				}
			}
			inner, err := attachmentSums(a.Message)
			if err != nil {
				return nil, err
			}
			slices.SortFunc(sums, bytes.Compare)
			h.Write(bytes.Join(append(sums, inner...), nil))
		}
		out = append(out, h.Sum(nil))
	}
	slices.SortFunc(out, bytes.Compare)
	return out, nil
}
