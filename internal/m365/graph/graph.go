// Package graph is a thin typed client of Microsoft Graph v1.0.
//
// Every row keeps the JSON that was served beside the typed view, so that what we have no field for is not lost.
// Links to next pages and deltas are followed as given. Ids of Outlook items are immutable ids.
package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// Client makes typed calls. It is safe for use by many goroutines.
type Client struct{ m *m365.Client }

// New returns a client over m.
func New(m *m365.Client) *Client { return &Client{m: m} }

// M365 is the client underneath.
func (c *Client) M365() *m365.Client { return c.m }

const root = "/v1.0"

// Error is a refused call; see m365.Error.
type Error = m365.Error

// request is one typed call.
type request struct {
	method     string
	path       string // below /v1.0, escaped; or a link as served
	query      url.Values
	header     http.Header
	prefer     []string
	in         any    // JSON body
	raw        []byte // body of another type, with contentType
	rawType    string
	permission string
	repeatable bool
	noHTML     bool          // of what open asks for
	charges    []m365.Charge // default: what the path says
}

// join escapes the parts of a path.
func join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(url.PathEscape(p), ":", "%3A"))
	}
	return b.String()
}

func (c *Client) call(r request) (m365.Call, error) {
	call := m365.Call{Method: r.method, Header: http.Header{}, Permission: r.permission, Repeatable: r.repeatable, JSON: true}
	if call.Method == "" {
		call.Method = http.MethodGet
	}
	call.URL = r.path
	if strings.HasPrefix(r.path, "/") {
		call.URL = root + r.path
		if len(r.query) > 0 {
			call.URL += "?" + encodeQuery(r.query)
		}
	}
	for k, v := range r.header {
		call.Header[k] = v
	}
	switch {
	case r.in != nil:
		body, err := json.Marshal(r.in)
		if err != nil {
			return call, fmt.Errorf("encode request: %w", err)
		}
		call.Body = body
		call.Header.Set("Content-Type", "application/json")
	case r.raw != nil:
		call.Body = r.raw
		call.Header.Set("Content-Type", r.rawType)
	}
	u, err := url.Parse(call.URL)
	if err != nil {
		return call, &Error{Kind: m365.Invalid, Call: call.Method, Code: "address not understood"}
	}
	if call.Charges = r.charges; call.Charges == nil {
		call.Charges = charges(call.Method, u, len(call.Body))
	}
	prefer := slices.Clone(r.prefer)
	if slices.ContainsFunc(call.Charges, func(c m365.Charge) bool { return c.Service == throttle.Outlook }) {
		prefer = append([]string{`IdType="ImmutableId"`}, prefer...)
	}
	if len(prefer) > 0 {
		call.Header.Set("Prefer", strings.Join(prefer, ", "))
	}
	return call, nil
}

// encodeQuery keeps $ readable, as Microsoft's pages write it, and spaces as %20.
func encodeQuery(q url.Values) string {
	return strings.ReplaceAll(strings.ReplaceAll(q.Encode(), "%24", "$"), "+", "%20")
}

// do makes the call and decodes the answer into out, which may be nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	call, err := c.call(r)
	if err != nil {
		return err
	}
	resp, err := c.m.Do(ctx, call)
	if err != nil {
		return err
	}
	if out == nil || len(resp.Body) == 0 {
		return nil
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = resp.Body // decoded by who asked
		return nil
	}
	if err := decode(resp.Body, out); err != nil {
		return &Error{Kind: m365.Corrupt, Call: call.Method + " " + call.URL, Status: resp.Status, Code: "answer not understood", Cause: err}
	}
	return nil
}

// Row keeps the JSON of an object as it was served.
type Row struct {
	Raw json.RawMessage `json:"-"`
}

func (r *Row) keep(raw json.RawMessage) { r.Raw = raw }

// keeper is a pointer to a struct that embeds Row.
type keeper[T any] interface {
	*T
	keep(raw json.RawMessage)
}

func decode(raw []byte, out any) error {
	wanted := raw
	if big, ok := out.(interface{ unread() []string }); ok {
		var err error
		if wanted, err = Without(raw, big.unread()...); err != nil {
			return err
		}
	}
	if err := json.Unmarshal(wanted, out); err != nil {
		return err
	}
	if k, ok := out.(interface{ keep(json.RawMessage) }); ok {
		k.keep(raw) // an answer's body is nobody else's
	}
	return nil
}

// Page is a part of a list. One of NextLink and DeltaLink is empty; a plain list's last page has neither. A page may be empty and yet have a next.
type Page[T any] struct {
	Value     []T
	NextLink  string
	DeltaLink string
}

// List says what of a list is wanted.
type List struct {
	Select  []string
	Expand  []string
	Filter  string
	OrderBy string
	Search  string
	Top     int // $top
	// PageSize goes as Prefer: odata.maxpagesize, which deltas of Outlook want instead of $top.
	PageSize int
	// Prefer are further preferences.
	Prefer []string
	// Hidden includes hidden mail folders.
	Hidden bool
	// From and Until are the window of a view of a calendar.
	From, Until time.Time
	// Token begins a drive's delta at "latest" or at a time.
	Token string
	// Of is the user whose mailbox's budget a call is of, where its address does not name him.
	Of string
}

// charges are what a call costs, nil when its address tells.
func (l List) charges() []m365.Charge {
	if l.Of == "" {
		return nil
	}
	return outlook(l.Of, 0)
}

func (l List) query() url.Values {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("$select", strings.Join(l.Select, ","))
	set("$expand", strings.Join(l.Expand, ","))
	set("$filter", l.Filter)
	set("$orderby", l.OrderBy)
	set("$search", l.Search)
	if l.Top > 0 {
		q.Set("$top", strconv.Itoa(l.Top))
	}
	if l.Hidden {
		q.Set("includeHiddenFolders", "true")
	}
	set("token", l.Token)
	if !l.Until.IsZero() {
		q.Set("startDateTime", l.From.UTC().Format(time.RFC3339))
		q.Set("endDateTime", l.Until.UTC().Format(time.RFC3339))
	}
	return q
}

func (l List) preferences() []string {
	p := slices.Clone(l.Prefer)
	if l.PageSize > 0 {
		p = append(p, "odata.maxpagesize="+strconv.Itoa(l.PageSize))
	}
	return p
}

// list asks for the first page of what is at path.
func list[T any, P keeper[T]](ctx context.Context, c *Client, path string, l List, permission string) (*Page[T], error) {
	return page[T, P](ctx, c, request{path: path, query: l.query(), prefer: l.preferences(), permission: permission, charges: l.charges()})
}

// Follow asks for the page behind a NextLink or DeltaLink. Of l only Prefer and PageSize count: the rest is in the link.
func Follow[T any, P keeper[T]](ctx context.Context, c *Client, link string, l List) (*Page[T], error) {
	if !strings.HasPrefix(link, "https://") {
		return nil, &Error{Kind: m365.Invalid, Call: http.MethodGet, Code: "address refused", Message: "a link of a page must be absolute"}
	}
	return page[T, P](ctx, c, request{path: link, prefer: l.preferences(), charges: l.charges()})
}

func page[T any, P keeper[T]](ctx context.Context, c *Client, r request) (*Page[T], error) {
	var raw json.RawMessage
	if err := c.do(ctx, r, &raw); err != nil {
		return nil, err
	}
	return decodePage[T, P](raw)
}

func decodePage[T any, P keeper[T]](raw []byte) (*Page[T], error) {
	corrupt := func(code string, err error) error {
		return &Error{Kind: m365.Corrupt, Call: "GET a page", Code: code, Cause: err}
	}
	rows, texts, err := scanPage(raw)
	if err != nil {
		return nil, corrupt("answer not understood", err)
	}
	out := &Page[T]{Value: make([]T, len(rows))}
	for name, link := range map[string]*string{"@odata.nextLink": &out.NextLink, "@odata.deltaLink": &out.DeltaLink} {
		if text, ok := texts[name]; ok {
			if err := json.Unmarshal(text, link); err != nil {
				return nil, corrupt("link not understood", err)
			}
		}
	}
	for i, row := range rows {
		if err := decode(row, any(P(&out.Value[i]))); err != nil {
			return nil, corrupt("row not understood", err)
		}
	}
	return out, nil
}

// All follows the pages of a list and hands out its rows. The first error ends it.
func All[T any, P keeper[T]](ctx context.Context, c *Client, first *Page[T], err error, l List) func(func(*T, error) bool) {
	return func(yield func(*T, error) bool) {
		for p := first; ; {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range p.Value {
				if !yield(&p.Value[i], nil) {
					return
				}
			}
			if p.NextLink == "" {
				return
			}
			p, err = Follow[T, P](ctx, c, p.NextLink, l)
		}
	}
}

// one asks for a single object.
func one[T any, P keeper[T]](ctx context.Context, c *Client, r request) (*T, error) {
	out := new(T)
	if err := c.do(ctx, r, P(out)); err != nil {
		return nil, err
	}
	return out, nil
}
