package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

// discardLog keeps broken handshakes, which tests provoke, out of the log.
var discardLog = log.New(io.Discard, "", 0)

// Error is a refusal in Microsoft's shape: {"error":{"code","message","innerError":{…}}}.
type Error struct {
	Status  int
	Code    string
	Message string
	Inner   []string // nested innerError codes, outermost first
	Header  http.Header
	Empty   bool // no body at all, as some 503 have
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Fail makes an Error.
func Fail(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// With adds a header to the refusal.
func (e *Error) With(key, value string) *Error {
	if e.Header == nil {
		e.Header = http.Header{}
	}
	e.Header.Set(key, value)
	return e
}

func (e *Error) reply(c *Call) *Reply {
	r := &Reply{Status: e.Status, Header: http.Header{}}
	for k, v := range e.Header {
		r.Header[k] = v
	}
	if e.Empty {
		return r
	}
	if c.host == HostLogin {
		return entraError(c, e, r)
	}
	inner := map[string]any{
		"date":              c.Now.Format("2006-01-02T15:04:05"),
		"request-id":        c.RequestID,
		"client-request-id": c.clientRequestID(),
	}
	for i := len(e.Inner) - 1; i >= 0; i-- {
		next := map[string]any{"code": e.Inner[i]}
		if i == len(e.Inner)-1 {
			for k, v := range inner {
				next[k] = v
			}
		} else {
			next["innerError"] = inner
		}
		inner = next
	}
	r.body = map[string]any{"error": map[string]any{"code": e.Code, "message": e.Message, "innerError": inner}}
	return r
}

// replyOf turns what a handler returned into an answer.
func replyOf(c *Call, r *Reply, err error) *Reply {
	if err == nil {
		if r == nil {
			return &Reply{Status: http.StatusNoContent}
		}
		return r
	}
	var e *Error
	if !errors.As(err, &e) {
		e = Fail(http.StatusInternalServerError, "generalException", "%v", err)
	}
	return e.reply(c)
}

// badJSON describes a body that is not the JSON that was asked for.
func badJSON(err error) *Error {
	var syn *json.SyntaxError
	if errors.As(err, &syn) || strings.Contains(err.Error(), "unexpected end") || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Fail(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return Fail(http.StatusBadRequest, "RequestBodyRead", "%v", err)
}
