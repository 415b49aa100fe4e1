package graph

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// The mailbox import/export API, which only the worldwide cloud has (m365.MailboxExport).
// https://learn.microsoft.com/graph/mailbox-import-export-concept-overview

const (
	exportPermission = "MailboxItem.Export.All"
	importPermission = "MailboxItem.ImportExport.All"
	// MaxExport is how many items one call exports.
	MaxExport = 20
	// earlyData bounds an item's stream that comes before the item's id in an answer: it waits in memory.
	earlyData = 64 << 20
)

// MailboxID is how the import/export API calls the mailbox of a user.
func (c *Client) MailboxID(ctx context.Context, user string) (string, error) {
	var settings struct {
		ID string `json:"primaryMailboxId"`
	}
	r := request{path: join("users", user, "settings", "exchange"), permission: "User.Read.All", charges: outlook(user, 0)}
	if err := c.do(ctx, r, &settings); err != nil {
		return "", err
	}
	if settings.ID == "" {
		return "", &Error{Kind: m365.Unlicensed, Call: "GET settings/exchange", Code: "no mailbox", Message: "the user has no mailbox of the import/export API"}
	}
	return settings.ID, nil
}

func outlook(user string, upload int) []m365.Charge {
	return []m365.Charge{{Service: throttle.Graph, Requests: 1}, {Service: throttle.Outlook, Mailbox: user, Requests: 1, Upload: int64(upload)}}
}

// MailboxOf is a user's mailbox by both of its names.
type MailboxOf struct {
	User string // id: whose budget a call is of
	ID   string // of the import/export API
}

// ExportItems asks for up to MaxExport items as streams. The answer is read item by item by Next and must be closed.
func (c *Client) ExportItems(ctx context.Context, of MailboxOf, ids []string) (*Export, error) {
	call, err := c.call(request{method: http.MethodPost, path: join("admin", "exchange", "mailboxes", of.ID, "exportItems"),
		in: map[string]any{"itemIds": ids}, permission: exportPermission, repeatable: true, charges: outlook(of.User, 0)})
	if err != nil {
		return nil, err
	}
	call.JSON = false // it is looked at as it comes
	s, err := c.m.Open(ctx, call)
	if err != nil {
		return nil, err
	}
	return newExport(s), nil
}

// Export is the answer to ExportItems.
type Export struct {
	body  io.Closer
	in    *bufio.Reader
	begun bool
	item  *Exported // whose stream is being read
	err   error
}

// Exported is one item of an export. Data gives its stream; at its end, and not before, Err is known: a stream whose item turns out to
// have failed ends with that error instead of io.EOF. Without Data, Err says why.
type Exported struct {
	ItemID    string
	ChangeKey string
	Err       error
	Data      io.Reader
}

func newExport(body io.ReadCloser) *Export {
	return &Export{body: body, in: bufio.NewReaderSize(body, 64<<10)}
}

// Close ends the call.
func (x *Export) Close() error { return x.body.Close() }

// Next gives the next item; what is left of the last one's stream is skipped. io.EOF: these were all, and the answer is whole.
func (x *Export) Next() (*Exported, error) {
	if x.err != nil {
		return nil, x.err
	}
	item, err := x.next()
	if err != nil {
		x.err = err
	}
	return item, err
}

// broken says what is wrong with an answer: what ended early is asked for again.
func broken(err error) error {
	var e *Error
	switch {
	case errors.As(err, &e), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF
	}
	return &Error{Kind: m365.Unavailable, Call: "POST exportItems", Code: "answer not understood", Cause: err}
}

func (x *Export) next() (*Exported, error) {
	if !x.begun {
		if err := x.begin(); err != nil {
			return nil, broken(err)
		}
		x.begun = true
	} else if item := x.item; item != nil {
		if _, err := io.Copy(io.Discard, item.Data); err != nil && err != item.Err {
			return nil, broken(err)
		}
	}
	x.item = nil
	b, err := x.token()
	if b == ',' {
		b, err = x.token()
	}
	switch {
	case err != nil:
		return nil, broken(err)
	case b == ']':
		if err := x.finish(); err != nil {
			return nil, broken(err)
		}
		return nil, io.EOF
	case b != '{':
		return nil, broken(fmt.Errorf("%q where an item is awaited", b))
	}
	item := &Exported{}
	if err := x.members(item, true); err != nil {
		return nil, broken(err)
	}
	if item.Data != nil {
		x.item = item
	}
	return item, nil
}

// token gives the next byte that is no white space.
func (x *Export) token() (byte, error) {
	for {
		b, err := x.in.ReadByte()
		if err != nil || b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, err
		}
	}
}

func (x *Export) want(want byte) error {
	if b, err := x.token(); err != nil {
		return err
	} else if b != want {
		return fmt.Errorf("%q where %q is awaited", b, want)
	}
	return nil
}

// begin reads up to the list of items.
func (x *Export) begin() error {
	if err := x.want('{'); err != nil {
		return err
	}
	for {
		name, err := x.name()
		if err != nil {
			return err
		}
		if name == "value" {
			return x.want('[')
		}
		if _, err := x.value(); err != nil {
			return err
		}
		if err := x.want(','); err != nil {
			return err
		}
	}
}

// finish reads what is behind the list.
func (x *Export) finish() error {
	for {
		b, err := x.token()
		if err != nil || b == '}' {
			return err
		}
		if b != ',' {
			return fmt.Errorf("%q behind the items", b)
		}
		if _, err := x.name(); err != nil {
			return err
		}
		if _, err := x.value(); err != nil {
			return err
		}
	}
}

// name reads a member's name and the colon.
func (x *Export) name() (string, error) {
	raw, err := x.value()
	if err != nil {
		return "", err
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return "", err
	}
	return name, x.want(':')
}

// value reads one small value.
func (x *Export) value() (json.RawMessage, error) {
	const limit = 64 << 10
	b, err := x.token()
	if err != nil {
		return nil, err
	}
	out := []byte{b}
	depth, text, escaped := 0, b == '"', false
	if b == '{' || b == '[' {
		depth = 1
	}
	for text || depth > 0 || b != '"' && b != '}' && b != ']' {
		if len(out) > limit {
			return nil, errors.New("a value is too long")
		}
		if b, err = x.in.ReadByte(); err != nil {
			return nil, err
		}
		if depth == 0 && !text && strings.IndexByte(" \t\r\n,:}]", b) >= 0 { // the end of a number or a word
			return out, x.in.UnreadByte()
		}
		out = append(out, b)
		switch {
		case escaped:
			escaped = false
		case text && b == '\\':
			escaped = true
		case b == '"':
			if text = !text; !text && depth == 0 {
				return out, nil
			}
		case text:
		case b == '{', b == '[':
			depth++
		case b == '}', b == ']':
			if depth--; depth == 0 {
				return out, nil
			}
		}
	}
	return nil, fmt.Errorf("%q where a value is awaited", b)
}

// members reads an item's members up to its stream, or to the end of the item. first says that none was read yet.
func (x *Export) members(item *Exported, first bool) error {
	for {
		b, err := x.token()
		if err != nil {
			return err
		}
		if b == '}' {
			return nil
		}
		if first {
			if err := x.in.UnreadByte(); err != nil {
				return err
			}
		} else if b != ',' {
			return fmt.Errorf("%q in an item", b)
		}
		first = false
		name, err := x.name()
		if err != nil {
			return err
		}
		if name == "data" {
			if b, err = x.token(); err != nil {
				return err
			}
			if b == '"' {
				if done, err := x.data(item); done || err != nil {
					return err
				}
				continue
			}
			if err := x.in.UnreadByte(); err != nil {
				return err
			}
		}
		raw, err := x.value()
		if err != nil {
			return err
		}
		switch name {
		case "itemId":
			err = json.Unmarshal(raw, &item.ItemID)
		case "changeKey":
			err = json.Unmarshal(raw, &item.ChangeKey)
		case "error":
			if string(raw) != "null" {
				item.Err = m365.NewError("POST exportItems", http.StatusInternalServerError, nil, fmt.Appendf(nil, `{"error":%s}`, raw))
			}
		}
		if err != nil {
			return err
		}
	}
}

// data begins an item's stream. done: the caller reads it, and the item's other members with its end.
func (x *Export) data(item *Exported) (done bool, err error) {
	in := &base64Text{in: x.in}
	if item.ItemID != "" {
		item.Data = &exportedData{x: x, item: item, in: in}
		return true, nil
	}
	raw, err := io.ReadAll(io.LimitReader(in, earlyData+1))
	if err != nil {
		return false, err
	}
	if len(raw) > earlyData {
		return false, errors.New("a stream of an item that is not named yet is too long")
	}
	item.Data = bytes.NewReader(raw)
	return false, nil
}

// exportedData is an item's stream.
type exportedData struct {
	x    *Export
	item *Exported
	in   *base64Text
	err  error
}

func (d *exportedData) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.in.Read(p)
	switch {
	case err == io.EOF:
		if merr := d.x.members(d.item, false); merr != nil {
			err = broken(merr)
		} else if d.item.Err != nil {
			err = d.item.Err
		}
	case err != nil:
		err = broken(err)
	}
	d.err = err
	return n, err
}

// base64Text decodes a JSON text that is base64, up to its closing quote.
type base64Text struct {
	in   *bufio.Reader
	left []byte  // decoded, not given out
	part [4]byte // of four characters
	have int
	buf  [24 << 10]byte
	end  bool // the quote was read
	pad  bool // the last four characters were filled up
}

func (b *base64Text) Read(p []byte) (int, error) {
	for len(b.left) == 0 {
		if b.end {
			return 0, io.EOF
		}
		if err := b.fill(p); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// fill decodes some more.
func (b *base64Text) fill(p []byte) error {
	if b.in.Buffered() == 0 {
		if _, err := b.in.Peek(1); err != nil {
			return err
		}
	}
	text, err := b.in.Peek(min(b.in.Buffered(), len(b.buf)/3*4))
	if err != nil {
		return err
	}
	quote := bytes.IndexByte(text, '"')
	if quote >= 0 {
		text = text[:quote]
	}
	escape := bytes.IndexByte(text, '\\')
	if escape >= 0 {
		text = text[:escape]
	}
	n, err := b.decode(text)
	if err != nil {
		return err
	}
	if _, err := b.in.Discard(len(text)); err != nil {
		return err
	}
	switch {
	case escape >= 0:
		return b.escaped(n)
	case quote >= 0:
		if b.have != 0 {
			return errors.New("base64 that ends early")
		}
		b.end = true
		_, err = b.in.Discard(1)
	}
	b.left = b.buf[:n]
	return err
}

// decode decodes what is whole of text behind what is left of the last one, into buf.
func (b *base64Text) decode(text []byte) (int, error) {
	n := 0
	for b.have > 0 && len(text) > 0 {
		b.part[b.have] = text[0]
		b.have++
		text = text[1:]
		if b.have == 4 {
			k, err := b.four(b.buf[:], b.part[:])
			if err != nil {
				return 0, err
			}
			n, b.have = k, 0
		}
	}
	whole := len(text) / 4 * 4
	k, err := b.four(b.buf[n:], text[:whole])
	if err != nil {
		return 0, err
	}
	b.have += copy(b.part[b.have:], text[whole:])
	return n + k, nil
}

func (b *base64Text) four(dst, text []byte) (int, error) {
	if len(text) == 0 {
		return 0, nil
	}
	if b.pad {
		return 0, errors.New("base64 goes on behind its end")
	}
	b.pad = text[len(text)-1] == '='
	return base64.StdEncoding.Strict().Decode(dst, text)
}

// escaped reads an escape: "\/" is what some writers make of a slash, "\u002b" of a plus.
func (b *base64Text) escaped(n int) error {
	b.left = b.buf[:n]
	text, err := b.in.Peek(2)
	if err != nil {
		return err
	}
	size := 2
	if text[1] == 'u' {
		size = 6
	}
	if text, err = b.in.Peek(size); err != nil {
		return err
	}
	var c string
	if err := json.Unmarshal(fmt.Appendf(nil, `"%s"`, text), &c); err != nil {
		return err
	}
	if _, err := b.in.Discard(size); err != nil {
		return err
	}
	head := bytes.Clone(b.left)
	k, err := b.decode([]byte(c))
	if err != nil {
		return err
	}
	b.left = append(head, b.buf[:k]...)
	return nil
}

// ImportSession takes items into one mailbox. Its address is a secret: whoever has it writes into the mailbox.
type ImportSession struct {
	c       *Client
	of      MailboxOf
	address string
	// Expires is when the address ends, by the service's clock.
	Expires time.Time
}

// CreateImportSession begins an import into a mailbox.
func (c *Client) CreateImportSession(ctx context.Context, of MailboxOf) (*ImportSession, error) {
	var session struct {
		URL     string    `json:"importUrl"`
		Expires time.Time `json:"expirationDateTime"`
	}
	r := request{method: http.MethodPost, path: join("admin", "exchange", "mailboxes", of.ID, "createImportSession"), permission: importPermission, repeatable: true, charges: outlook(of.User, 0)}
	if err := c.do(ctx, r, &session); err != nil {
		return nil, err
	}
	u, err := url.Parse(session.URL)
	if err != nil || u.Scheme != "https" || !slices.Contains(c.m.Cloud().Exchange, strings.ToLower(u.Host)) {
		return nil, &Error{Kind: m365.Corrupt, Call: "POST createImportSession", Code: "answer not understood", Message: "the address for the import is none of Exchange Online"}
	}
	return &ImportSession{c: c, of: of, address: session.URL, Expires: session.Expires}, nil
}

// Import is an item to bring in. With ItemID and ChangeKey it replaces that item if it is of exactly that version.
type Import struct {
	Folder            string
	ItemID, ChangeKey string
	Write             func(io.Writer) error // writes the stream
	Size              int64                 // of it, about
}

// Imported names the item that an import made or changed. Its id may be one that a move changes.
type Imported struct {
	ItemID    string `json:"itemId"`
	ChangeKey string `json:"changeKey"`
}

// Import brings in one item. It is not repeated when its outcome is not known: see m365.OutcomeUnknown. An expired session is of kind Unauthorized.
func (s *ImportSession) Import(ctx context.Context, in Import) (*Imported, error) {
	head := map[string]string{"FolderId": in.Folder, "Mode": "create"}
	if in.ItemID != "" {
		head["Mode"], head["ItemId"], head["ChangeKey"] = "update", in.ItemID, in.ChangeKey
	}
	body, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	buf := bytes.NewBuffer(make([]byte, 0, len(body)+16+base64.StdEncoding.EncodedLen(int(in.Size))))
	buf.Write(body[:len(body)-1])
	buf.WriteString(`,"Data":"`)
	text := base64.NewEncoder(base64.StdEncoding, buf)
	if err := in.Write(text); err != nil {
		return nil, err
	}
	if err := text.Close(); err != nil {
		return nil, err
	}
	buf.WriteString(`"}`)
	call := m365.Call{Method: http.MethodPost, URL: s.address, Anonymous: true, JSON: true, Body: buf.Bytes(), Timeout: importTimeout,
		Header: http.Header{"Content-Type": {"application/json"}}, Permission: importPermission, Charges: outlook(s.of.User, buf.Len())}
	resp, err := s.c.m.Do(ctx, call)
	if err != nil {
		return nil, err
	}
	out := &Imported{}
	if err := json.Unmarshal(resp.Body, out); err != nil || out.ItemID == "" {
		return nil, &Error{Kind: m365.Corrupt, Call: "POST importItem", Status: resp.Status, Code: "answer not understood", Unknown: true}
	}
	return out, nil
}

// importTimeout bounds one import: 150 MB by a line of 2 Mbit/s.
const importTimeout = 15 * time.Minute

// String hides the address.
func (s *ImportSession) String() string { return "import session of " + s.of.User }

// GoString hides it too.
func (s *ImportSession) GoString() string { return s.String() }

// The forms of ids of Outlook items.
const (
	ImmutableID = "restImmutableEntryId"
	RestID      = "restId" // changes when the item moves
)

// TranslateIDs gives for ids of one form those of another, up to 1,000 a call. What can't be translated is missing.
func (c *Client) TranslateIDs(ctx context.Context, mailbox string, ids []string, from, to string) (map[string]string, error) {
	var out struct {
		Value []struct{ SourceID, TargetID string }
	}
	r := request{method: http.MethodPost, path: join("users", mailbox, "translateExchangeIds"), permission: "User.Read.All", repeatable: true,
		in: map[string]any{"inputIds": ids, "sourceIdType": from, "targetIdType": to}}
	if err := c.do(ctx, r, &out); err != nil {
		return nil, err
	}
	all := make(map[string]string, len(out.Value))
	for _, v := range out.Value {
		all[v.SourceID] = v.TargetID
	}
	return all, nil
}
