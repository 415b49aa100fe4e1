package sim

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"
)

// message is one mail with all that the service knows of it. Slices and maps in it are never changed in place.
type message struct {
	key        uint64
	folder     uint32
	generation uint32 // moves so far; part of ids that are not immutable
	version    uint64
	deleted    bool

	born, created, modified, received, sent time.Time

	subject                      string
	from, sender                 *mailAddress
	to, cc, bcc, replyTo         []mailAddress
	html                         bool
	body                         payload
	importance                   string
	categories                   []string
	flag                         flag
	isRead, isDraft, unmodified  bool
	readReceipt, deliveryReceipt bool
	inference                    string
	messageID                    string
	headers                      []header // beyond those that are made from properties
	conversationIndex            []byte
	ext                          map[string]string   // single-value extended properties by canonical id
	multi                        map[string][]string // multi-value ones
	attachments                  []*attachment
	raw                          *payload // exact MIME, if the message came as such
	foreign                      fields   // of an attached event or contact: what it was made with; the message itself is its rendering
}

type mailAddress struct{ Name, Address string }

type header struct{ Name, Value string }

type flag struct {
	status                string // notFlagged, flagged, complete
	start, due, completed *dateTimeZone
}

type dateTimeZone struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

type attachmentKind byte

const (
	fileAttachment attachmentKind = iota
	itemAttachment
	referenceAttachment
)

type attachment struct {
	id          uint64 // within the message
	kind        attachmentKind
	name        string
	contentType string
	contentID   string
	location    string
	inline      bool
	modified    time.Time
	content     payload
	item        *message
	itemType    string // of item, for instance #microsoft.graph.message
}

// content is bytes that may not exist yet: generated from a seed, or stored in the spill file.
type payload struct {
	kind payloadKind
	size int // of generated content, about
	seed uint64
	blob blob
}

type payloadKind byte

const (
	noContent payloadKind = iota
	storedContent
	textContent   // plain prose
	htmlContent   // prose as HTML
	binaryContent // does not compress
	tableContent  // comma-separated values, compresses well
	photoContent  // a small JPEG
)

func (s *Sim) stored(b []byte) (payload, error) {
	bl, err := s.blobs.put(b)
	return payload{kind: storedContent, size: len(b), blob: bl}, err
}

// load makes or reads the bytes.
func (s *Sim) load(c payload) ([]byte, error) {
	switch c.kind {
	case storedContent:
		return s.blobs.get(c.blob)
	case textContent:
		return mailProse(c.seed, c.size), nil
	case htmlContent:
		return proseHTML(c.seed, c.size), nil
	case binaryContent:
		b := make([]byte, c.size)
		newRand(c.seed, "binary").fill(b)
		return b, nil
	case tableContent:
		return table(c.seed, c.size), nil
	case photoContent:
		return portrait(c.seed), nil
	}
	return nil, nil
}

// length is the exact number of bytes, without making them where that is known.
func (s *Sim) length(c payload) (int, error) {
	if c.kind == storedContent || c.kind == binaryContent || c.kind == noContent {
		return c.size, nil
	}
	b, err := s.load(c)
	return len(b), err
}

// words is the vocabulary of generated text: made-up words with the lengths and the skew of a real language.
var words = func() []string {
	r := newRand(1, "words")
	starts := []string{"b", "br", "c", "ch", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pl", "pr", "qu", "r", "s", "sh", "st", "str", "t", "th", "tr", "v", "w", "y", "z", ""}
	middles := []string{"a", "e", "i", "o", "u", "ai", "ea", "ee", "io", "ou", "oo"}
	ends := []string{"", "n", "r", "s", "t", "l", "nd", "st", "ng", "rd", "ck", "m", "ll", "p", "d"}
	out := make([]string, 4096)
	for i := range out {
		var b strings.Builder
		for range 1 + r.IntN(3) {
			b.WriteString(pick(r, starts) + pick(r, middles) + pick(r, ends))
		}
		out[i] = b.String()
	}
	return out
}()

var foreign = []string{"für", "über", "Größe", "naïve", "café", "señor", "Łódź", "Привет", "Ελλάδα", "会議", "報告書", "日本語", "한국어", "שלום", "مرحبا", "😀", "👍🏽", "—", "“quoted”", "½"}

// word draws from a skewed distribution: common words are common.
func word(r random) string {
	x := r.Uint32()
	i := (x & 0xfff) * (x >> 12 & 0xfff) >> 12
	return words[i&0xfff]
}

// mailProse writes about n bytes of paragraphs. The first bytes are the same for every n, so that a preview costs little.
func mailProse(seed uint64, n int) []byte {
	r := newRand(seed, "prose")
	strange := r.IntN(5) == 0
	b := make([]byte, 0, n+64)
	for len(b) < n {
		for range 3 + r.IntN(6) { // sentences
			start := len(b)
			for w := range 4 + r.IntN(14) {
				if w > 0 {
					b = append(b, ' ')
				}
				if strange && r.IntN(24) == 0 {
					b = append(b, pick(r, foreign)...)
				} else {
					b = append(b, word(r)...)
				}
			}
			if c := b[start]; 'a' <= c && c <= 'z' {
				b[start] = c - 32
			}
			b = append(b, ". "...)
			if len(b) >= n {
				break
			}
		}
		b[len(b)-1] = '\r'
		b = append(b, "\n\r\n"...)
	}
	return b
}

const htmlHead = "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>\r\n"

func proseHTML(seed uint64, n int) []byte {
	text := mailProse(seed, n)
	b := make([]byte, 0, len(text)+len(text)/8+200)
	b = append(b, htmlHead...)
	for p := range strings.SplitSeq(strings.TrimRight(string(text), "\r\n"), "\r\n\r\n") {
		b = append(b, "<p>"...)
		b = append(b, html.EscapeString(p)...)
		b = append(b, "</p>\r\n"...)
	}
	return append(b, "</body></html>\r\n"...)
}

func table(seed uint64, n int) []byte {
	r := newRand(seed, "table")
	b := make([]byte, 0, n+64)
	b = append(b, "number;date;customer;amount\r\n"...)
	for row := 1; len(b) < n; row++ {
		b = fmt.Appendf(b, "%d;2024-%02d-%02d;%s %s;%d.%02d\r\n", row, 1+r.IntN(12), 1+r.IntN(28), word(r), word(r), r.IntN(10000), r.IntN(100))
	}
	return b
}

// preview is the first 255 characters of the body as text.
func (s *Sim) preview(m *message) (string, error) {
	var text string
	switch m.body.kind {
	case textContent, htmlContent:
		text = string(mailProse(m.body.seed, min(m.body.size, 1200)))
	default:
		b, err := s.load(m.body)
		if err != nil {
			return "", err
		}
		if text = string(b); m.html {
			text = htmlToText(text)
		}
	}
	text = strings.TrimSpace(text)
	n := 0
	for i := range text {
		if n == 255 {
			return text[:i], nil
		}
		n++
	}
	return text, nil
}

// htmlToText drops tags; enough for a preview and for clients that ask for text.
func htmlToText(h string) string {
	var b strings.Builder
	if i := strings.Index(h, "<body"); i >= 0 {
		h = h[i:]
	}
	for {
		i := strings.IndexByte(h, '<')
		if i < 0 {
			break
		}
		b.WriteString(html.UnescapeString(h[:i]))
		j := strings.IndexByte(h[i:], '>')
		if j < 0 {
			h = ""
			break
		}
		tag := strings.ToLower(h[i+1 : i+j])
		if strings.HasPrefix(tag, "/p") || strings.HasPrefix(tag, "br") || strings.HasPrefix(tag, "/div") {
			b.WriteString("\r\n")
		}
		h = h[i+j+1:]
	}
	b.WriteString(html.UnescapeString(h))
	return strings.TrimSpace(b.String())
}

// --- generated mailboxes ---------------------------------------------------------------------------------------------

// Every eighth generated message is unread, so that the count is a division.
func generatedUnread(j int) bool { return j%8 == 7 }

func unreadAmong(base int) int { return base / 8 }

// generatedTime is when message j of a folder was received: rising with j, sometimes equal to its neighbour's.
func (b *mailbox) generatedTime(f *folder, j int) time.Time {
	if f.corpus != nil {
		return b.svc.corpus[f.corpus[j]].msg.received
	}
	if j%50 == 49 {
		j--
	}
	span := epochEnd.Sub(epoch) / time.Duration(f.base)
	jitter := mix(b.s.opt.Seed^mix(b.index<<40^itemKey(f.key, j))) % uint64(max(span/2, 1))
	return epoch.Add(time.Duration(j)*span + time.Duration(jitter)).Truncate(time.Second)
}

var external = []string{"example.com", "example.org", "example.net"}

// person is a random sender or recipient: half are users of the tenant.
func (s *Sim) person(r random) mailAddress {
	if r.IntN(2) == 0 {
		u := s.dir.seeded[r.IntN(len(s.dir.seeded))]
		return mailAddress{u.DisplayName, u.Mail}
	}
	g, n := pick(r, givenNames), pick(r, surnames)
	return mailAddress{g + " " + n, strings.ToLower(g) + "." + strings.ToLower(n) + "@" + pick(r, external)}
}

// generated makes message j of a folder, without its contents.
func (b *mailbox) generated(f *folder, j int) *message {
	key := itemKey(f.key, j)
	if f.corpus != nil {
		m := b.svc.corpus[f.corpus[j]].msg
		m.key, m.folder, m.version, m.born = key, f.key, 1, m.received
		return &m
	}
	s := b.s
	r := newRand(s.opt.Seed, "mail", b.index, key)
	at := b.generatedTime(f, j)
	m := s.compose(r, at)
	m.key, m.folder, m.version, m.born = key, f.key, 1, at
	m.isRead = !generatedUnread(j)
	if f.ofNotes() {
		return note(r, m)
	}
	if f.holds != "" {
		return other(r, m, f.holds, j)
	}
	self := mailAddress{b.user.DisplayName, b.user.Mail}
	switch f.wellKnown {
	case "sentitems":
		m.from, m.sender = &self, &self
	case "drafts":
		m.from, m.sender = &self, &self
		m.isDraft, m.headers = true, nil
	default:
		m.to[0] = self
	}
	conv := newRand(s.opt.Seed, "conversation", b.index, uint64(f.key), uint64(j/3))
	m.conversationIndex = conversationIndex(conv.bytes(16), at, j%3)
	if shape := s.shape.mail; shape.WithAttachments > 0 {
		s.attach(r, m, j)
	}
	return m
}

// note makes a note of a message: nobody wrote or got it, and it has neither attachments nor headers.
func note(r random, m *message) *message {
	return &message{key: m.key, folder: m.folder, version: m.version, born: m.born, created: m.created, modified: m.modified, received: m.received, sent: m.received, subject: m.subject, body: m.body, html: m.html,
		importance: "normal", inference: "focused", categories: m.categories, isRead: true, unmodified: true, messageID: m.messageID, conversationIndex: conversationIndex(r.bytes(16), m.received, 0),
		flag: flag{status: "notFlagged"}, ext: map[string]string{"String 0x1a": "IPM.StickyNote"}}
}

// overhead is about what headers and the marks between parts take.
const overhead = 1250

// compose makes a message received at a time, without attachments.
func (s *Sim) compose(r random, at time.Time) *message {
	shape := s.shape.mail
	m := &message{created: at, modified: at, received: at, sent: at.Add(-time.Duration(1+r.IntN(20)) * time.Second), importance: "normal", inference: "focused", unmodified: true, flag: flag{status: "notFlagged"}}
	from := s.person(r)
	m.from, m.sender = &from, &from
	for range 1 + r.IntN(3) {
		m.to = append(m.to, s.person(r))
	}
	for range max(0, r.IntN(5)-2) {
		m.cc = append(m.cc, s.person(r))
	}
	var sub []string
	for range 2 + r.IntN(7) {
		sub = append(sub, word(r))
	}
	m.subject = strings.Join(sub, " ")
	switch r.IntN(20) {
	case 0:
		m.subject = ""
	case 1, 2:
		m.subject += " " + pick(r, foreign) + " " + pick(r, foreign)
	case 3, 4, 5:
		m.subject = "RE: " + m.subject
	}
	m.html = r.IntN(2) == 0
	// What remains of the mean size after headers goes to the body, or mostly to attachments where there are any.
	body := max(shape.MeanSize-overhead, 200)
	if shape.WithAttachments > 0 {
		body = max(body*3/20, 120)
	}
	if m.html {
		body = body * 9 / 20 // it travels twice, as text and as HTML
	}
	m.body = payload{kind: textContent, size: max(r.around(body), 40), seed: r.Uint64()}
	if m.html {
		m.body.kind = htmlContent
	}
	switch r.IntN(20) {
	case 0:
		m.importance = "high"
	case 1:
		m.importance = "low"
	case 2, 3:
		m.categories = []string{pick(r, categoryNames)}
	case 4:
		m.categories = []string{categoryNames[0], categoryNames[3]}
	case 5:
		due := dateTimeZone{at.AddDate(0, 0, 3).Format("2006-01-02T00:00:00.0000000"), "UTC"}
		m.flag = flag{status: "flagged", start: &due, due: &due}
	case 6:
		done := dateTimeZone{at.AddDate(0, 0, 1).Format("2006-01-02T00:00:00.0000000"), "UTC"}
		m.flag = flag{status: "complete", completed: &done}
	case 7:
		m.replyTo = []mailAddress{s.person(r)}
		m.inference = "other"
	case 8:
		m.readReceipt = true
	}
	m.messageID = fmt.Sprintf("<%x@mail.%s>", r.bytes(12), pick(r, external))
	m.headers = []header{
		{"Received", fmt.Sprintf("from mail.%s (192.0.2.%d) by mx.%s with SMTP; %s", pick(r, external), r.IntN(255), s.tenant.Domain, at.Format(time.RFC1123Z))},
		{"X-Mailer", "Simulated mailer " + fmt.Sprint(1+r.IntN(9))},
	}
	return m
}

var categoryNames = []string{"Red category", "Blue category", "Green category", "Yellow category", "Überfällig"}

// attach gives some messages attachments of every kind. Some files are common to the whole tenant.
func (s *Sim) attach(r random, m *message, j int) {
	shape := s.shape.mail
	add := func(a *attachment) {
		a.id, a.modified = uint64(len(m.attachments)+1), m.received
		m.attachments = append(m.attachments, a)
	}
	// Three messages of 24 show the rarer kinds; they count in the share that was asked for.
	const rare = 3.0 / 24
	share := shape.WithAttachments
	kind := j % 24
	if share < rare && !r.chance(share/rare) {
		return
	}
	switch kind {
	case 5:
		inner := s.compose(r, m.sent.Add(-time.Hour))
		inner.isRead = true
		inner.body.size = min(inner.body.size, 2000)
		inner.conversationIndex = conversationIndex(r.bytes(16), inner.received, 0)
		add(&attachment{kind: itemAttachment, name: inner.subject, item: inner, itemType: "#microsoft.graph.message"})
		return
	case 7:
		add(&attachment{kind: fileAttachment, name: "image001.png", contentType: "image/png", contentID: fmt.Sprintf("image001.png@%016X", r.Uint64()), inline: true,
			content: payload{kind: binaryContent, size: 200 + r.IntN(800), seed: r.Uint64()}})
		return
	case 11:
		add(&attachment{kind: referenceAttachment, name: word(r) + ".docx"})
		return
	}
	with := (share - rare) / (1 - rare)
	if !r.chance(with) {
		return
	}
	mean := int(float64(max(shape.MeanSize-overhead, 200)) * 0.85 / (share - rare) / 1.37)
	n := 1 + max(0, r.IntN(4)-1) // 1, 1, 2, 3: 1.75 on average
	mean = max(mean*4/7, 100)
	for range n {
		if r.chance(shape.SharedShare) {
			add(s.sharedFile(r.IntN(shape.SharedFiles), mean))
			continue
		}
		add(newFile(r, mean))
	}
}

func (s *Sim) sharedFile(i, mean int) *attachment {
	return newFile(newRand(s.opt.Seed, "shared", uint64(i)), mean)
}

func newFile(r random, mean int) *attachment {
	types := []struct {
		ext, mime string
		kind      payloadKind
	}{
		{"pdf", "application/pdf", binaryContent},
		{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", binaryContent},
		{"jpg", "image/jpeg", binaryContent},
		{"zip", "application/zip", binaryContent},
		{"csv", "text/csv", tableContent},
		{"txt", "text/plain", textContent},
	}
	t := pick(r, types)
	name := word(r) + " " + word(r)
	if r.IntN(10) == 0 {
		name += " " + pick(r, foreign)
	}
	return &attachment{kind: fileAttachment, name: name + "." + t.ext, contentType: t.mime, content: payload{kind: t.kind, size: max(r.around(mean), 60), seed: r.Uint64()}}
}

// --- conversations ---------------------------------------------------------------------------------------------------

// conversationIndex is a header of 22 bytes (a time and an id) and five bytes for every reply.
func conversationIndex(id []byte, at time.Time, replies int) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	out := append([]byte{1}, b[3:8]...)
	out = append(out, id...)
	for i := range replies {
		out = append(out, byte(i), 0x12, 0x34, 0x56, byte(i*7))
	}
	return out
}

// conversationID groups the messages of a mailbox whose conversation index has the same id.
func (b *mailbox) conversationID(m *message) string {
	id := make([]byte, 16)
	if len(m.conversationIndex) >= 22 {
		copy(id, m.conversationIndex[6:22])
	} else {
		sum := sha([]byte(topic(m.subject)))
		copy(id, sum[:])
	}
	out := append([]byte{0, 4, 0x24}, b.tag[:]...)
	out = append(out, 0x10, 0x00)
	return base64.URLEncoding.EncodeToString(append(out, id...))
}

// clip cuts s to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// topic is a subject without the marks of replies.
func topic(subject string) string {
	t := strings.ToLower(subject)
	for _, p := range []string{"re: ", "fw: ", "fwd: ", "aw: "} {
		t = strings.TrimPrefix(t, p)
	}
	return t
}
