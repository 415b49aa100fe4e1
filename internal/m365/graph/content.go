package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// ContentOf says which bytes to read.
type ContentOf struct {
	Drive, Item string
	// Version reads an older version; the current one can't be read this way.
	Version string
	// Address is a pre-authenticated address from a row, tried first; empty asks for one.
	Address string
	// Size is what the row said; content of another size is an error of kind Changed. Negative is not checked.
	Size int64
}

// resumes is how often a broken download goes on with a range, without progress in between.
const resumes = 6

// OpenContent gives a file's bytes. A broken answer is gone on with by a range request, an expired address is asked for again. The caller closes it.
// That the bytes belong together is for the caller to see by the file's hash.
func (c *Client) OpenContent(ctx context.Context, of ContentOf) (io.ReadCloser, error) {
	r := &content{c: c, ctx: ctx, of: of, address: of.Address}
	if of.Size == 0 {
		return r, nil // nothing to ask for
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

type content struct {
	c       *Client
	ctx     context.Context
	of      ContentOf
	address string
	stream  *m365.Stream
	at      int64
	skip    int64  // bytes to drop because the service ignored the range
	stuck   int    // failures since the last progress
	tag     string // of the first answer: what is gone on with must have it too
	err     error
}

// open asks for the bytes from r.at on.
func (r *content) open() error {
	for {
		stream, err := r.ask()
		if err == nil {
			r.stream = stream
			return nil
		}
		var e *Error
		if !errors.As(err, &e) {
			return err
		}
		if e.Status == http.StatusRequestedRangeNotSatisfiable {
			e.Kind = m365.Changed // it has become shorter
			return e
		}
		if r.stuck++; r.stuck > resumes {
			return err
		}
		expired := e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusNotFound || e.Status == http.StatusGone
		if r.address == "" || !expired || e.Kind == m365.Malware {
			return err
		}
		r.address = "" // expired: ask for a new one
	}
}

func (r *content) ask() (*m365.Stream, error) {
	header := http.Header{}
	if r.at > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", r.at))
	}
	call := m365.Call{Method: http.MethodGet, URL: r.address, Header: header, Anonymous: true, Charges: contentCharge}
	if r.address == "" {
		path := join("drives", r.of.Drive, "items", r.of.Item, "content")
		if r.of.Version != "" {
			path = join("drives", r.of.Drive, "items", r.of.Item, "versions", r.of.Version, "content")
		}
		// Two requests: the one that is redirected and the one that is served.
		call = m365.Call{Method: http.MethodGet, URL: root + path, Header: header, Follow: true, Permission: filesRead,
			Charges: []m365.Charge{{Service: throttle.Graph, Requests: 2}, {Service: throttle.SharePoint, Requests: 2, Units: 2}}}
	}
	stream, err := r.c.m.Open(r.ctx, call)
	if err != nil {
		return nil, err
	}
	if r.address == "" && !strings.HasPrefix(stream.URL, "https://"+r.c.m.Cloud().Graph+"/") {
		r.address = stream.URL
	}
	total := stream.Size
	r.skip = 0
	switch stream.Status {
	case http.StatusOK:
		r.skip = r.at
	case http.StatusPartialContent:
		from, all, ok := contentRange(stream.Header.Get("Content-Range"))
		if !ok || from != r.at {
			_ = stream.Close()
			return nil, &Error{Kind: m365.Corrupt, Call: "GET content", Status: stream.Status, Code: "wrong range"}
		}
		total = all
	default:
		_ = stream.Close()
		return nil, &Error{Kind: m365.Corrupt, Call: "GET content", Status: stream.Status, Code: "unexpected status"}
	}
	if r.tag == "" {
		r.tag = stream.Header.Get("ETag")
	}
	if tag := stream.Header.Get("ETag"); tag != r.tag && tag != "" {
		_ = stream.Close()
		return nil, &Error{Kind: m365.Changed, Call: "GET content", Code: "changed", Message: "the content changed during the download"}
	}
	if r.of.Size >= 0 && total >= 0 && total != r.of.Size {
		_ = stream.Close()
		return nil, &Error{Kind: m365.Changed, Call: "GET content", Code: "size differs", Message: fmt.Sprintf("%d bytes were announced, %d are served", r.of.Size, total)}
	}
	return stream, nil
}

// contentRange reads "bytes from-to/all".
func contentRange(s string) (from, all int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	if !ok {
		return 0, 0, false
	}
	span, total, ok := strings.Cut(s, "/")
	first, _, ok2 := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	all, err2 := strconv.ParseInt(total, 10, 64)
	if total == "*" {
		all, err2 = -1, nil
	}
	return from, all, ok && ok2 && err1 == nil && err2 == nil
}

func (r *content) Read(p []byte) (int, error) {
	for {
		if r.err != nil {
			return 0, r.err
		}
		if r.of.Size >= 0 && r.at == r.of.Size && r.skip == 0 {
			// One more read tells whether more comes than was announced.
			if r.stream != nil {
				if n, _ := r.stream.Read(make([]byte, 1)); n > 0 {
					r.err = &Error{Kind: m365.Changed, Call: "GET content", Code: "size differs", Message: fmt.Sprintf("more than the announced %d bytes are served", r.of.Size)}
					return 0, r.err
				}
			}
			r.err = io.EOF
			return 0, io.EOF
		}
		var n int
		var err error
		if r.skip > 0 {
			n, err = r.stream.Read(p[:min(int64(len(p)), r.skip)])
			r.skip -= int64(n)
			n = 0
		} else {
			limit := int64(len(p))
			if r.of.Size >= 0 {
				limit = min(limit, r.of.Size-r.at)
			}
			n, err = r.stream.Read(p[:limit])
			r.at += int64(n)
		}
		if n > 0 {
			r.stuck = 0
		}
		switch {
		case err == nil, n > 0:
			if n > 0 {
				return n, nil
			}
		case errors.Is(err, io.EOF) && (r.of.Size < 0 || r.at == r.of.Size) && r.skip == 0:
			r.err = io.EOF
		case r.ctx.Err() != nil:
			r.err = err
		default:
			// Broken, or ended early: go on from here.
			_ = r.stream.Close()
			r.stream = nil
			if r.stuck++; r.stuck > resumes {
				r.err = fmt.Errorf("download gave up at byte %d: %w", r.at, unexpected(err))
				return 0, r.err
			}
			if err := r.c.m.Wait(r.ctx, r.c.m.Backoff(r.stuck)); err != nil {
				r.err = err
				return 0, err
			}
			if err := r.open(); err != nil {
				r.err = err
				return 0, err
			}
		}
	}
}

func (r *content) Close() error {
	if r.stream == nil {
		return nil
	}
	s := r.stream
	r.stream = nil
	if r.err == nil {
		r.err = errors.New("read after close")
	}
	return s.Close()
}
