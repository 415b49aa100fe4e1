package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/m365"
)

// Upload is an upload session: a pre-authenticated address that takes a file in fragments.
type Upload struct {
	c       *Client
	address string
	charges []m365.Charge
	size    int64
	Expires time.Time
}

// Fragment is how many bytes one call of an upload carries: a multiple of 320 KiB, as drives demand, below the 4 MB that Outlook allows.
const Fragment = 10 * 320 << 10

func (c *Client) createUpload(ctx context.Context, r request, size int64) (*Upload, error) {
	var session struct {
		URL     string    `json:"uploadUrl"`
		Expires time.Time `json:"expirationDateTime"`
	}
	call, err := c.call(r)
	if err != nil {
		return nil, err
	}
	if err := c.do(ctx, r, &session); err != nil {
		return nil, err
	}
	if session.URL == "" {
		return nil, &Error{Kind: m365.Corrupt, Call: call.Method + " " + call.URL, Code: "answer not understood", Message: "no address for the upload"}
	}
	return &Upload{c: c, address: session.URL, charges: call.Charges, size: size, Expires: session.Expires}, nil
}

// Send uploads the file and returns what the service says about the finished object: JSON of a drive item, or nothing for an attachment.
// r must give exactly the size that was announced. Fragments that got lost are sent again from where the service says.
func (u *Upload) Send(ctx context.Context, r io.Reader) (json.RawMessage, http.Header, error) {
	buf := make([]byte, min(int64(Fragment), u.size))
	for at := int64(0); at < u.size; {
		part := buf[:min(int64(len(buf)), u.size-at)]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, nil, fmt.Errorf("read what is uploaded: %w", unexpected(err))
		}
		resp, err := u.put(ctx, part, at)
		if err != nil {
			return nil, nil, err
		}
		at += int64(len(part))
		if at == u.size {
			if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
				return nil, nil, fmt.Errorf("what is uploaded is longer than the %d bytes announced", u.size)
			}
			return resp.Body, resp.Header, nil
		}
	}
	return nil, nil, errors.New("an empty file needs no upload session")
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// put sends one fragment. A repeated fragment that the service has already is 416 or 409; the status of the session then tells. A session that the
// service has forgotten is an error of kind Unavailable: who uploads begins anew.
func (u *Upload) put(ctx context.Context, part []byte, at int64) (*m365.Response, error) {
	last := at+int64(len(part)) == u.size
	sent := int64(0) // of part
	for try := 1; ; try++ {
		charges := append([]m365.Charge(nil), u.charges...)
		for i := range charges {
			if charges[i].Mailbox != "" {
				charges[i].Upload = int64(len(part)) - sent
			}
		}
		resp, err := u.c.m.Do(ctx, m365.Call{
			Method: http.MethodPut, URL: u.address, Anonymous: true, Body: part[sent:], Charges: charges, Timeout: 10 * time.Minute,
			Header: http.Header{
				"Content-Type":  {"application/octet-stream"},
				"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", at+sent, at+int64(len(part))-1, u.size)},
			},
		})
		var e *Error
		if errors.As(err, &e) && e.Status == http.StatusNotFound {
			return nil, over(e, last)
		}
		if err == nil || e == nil || try > 4 || e.Status != http.StatusRequestedRangeNotSatisfiable && e.Status != http.StatusConflict {
			return resp, err
		}
		next, ok, serr := u.next(ctx)
		if serr != nil {
			return nil, serr
		}
		switch {
		case ok && next >= at+int64(len(part)):
			return &m365.Response{Status: http.StatusAccepted}, nil
		case ok && next >= at:
			sent = next - at
		default: // it is over, or lacks what it had taken
			return nil, over(e, last)
		}
	}
}

// over says that a session is no more. When the last fragment was under way it may have been finished, and the answer that said so lost: the caller looks
// the object up.
func over(e *Error, last bool) error {
	return &Error{Kind: m365.Unavailable, Call: e.Call, Status: e.Status, Code: "the upload session is over", Message: e.Message, RequestID: e.RequestID, Unknown: last}
}

// next asks where the session stands; ok is false when it is over.
func (u *Upload) next(ctx context.Context) (at int64, ok bool, err error) {
	resp, err := u.c.m.Do(ctx, m365.Call{Method: http.MethodGet, URL: u.address, Anonymous: true, Charges: u.charges, JSON: true})
	if m365.KindOf(err) == m365.NotFound {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	var status struct {
		Next []string `json:"nextExpectedRanges"`
	}
	if err := json.Unmarshal(resp.Body, &status); err != nil || len(status.Next) == 0 {
		return 0, false, err
	}
	from, _, _ := strings.Cut(status.Next[0], "-")
	at, err = strconv.ParseInt(from, 10, 64)
	return at, err == nil, err
}

// Cancel drops the session; what was sent is lost.
func (u *Upload) Cancel(ctx context.Context) error {
	_, err := u.c.m.Do(ctx, m365.Call{Method: http.MethodDelete, URL: u.address, Anonymous: true, Charges: u.charges})
	if m365.KindOf(err) == m365.NotFound {
		return nil
	}
	return err
}
