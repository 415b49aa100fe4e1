package m365

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"holdfast/internal/m365/throttle"
)

// Stream is an answer whose body is read by the caller, who must Close it.
type Stream struct {
	Status int
	Header http.Header
	Size   int64 // -1 when not known
	URL    string
	body   io.ReadCloser
	call   *Call
	watch  *watchdog
	done   func()
	ctx    context.Context // of the call: tells a cancelled read from a broken one
	err    error
}

// A stream must bring this much in each period, else it is cut: an endless trickle ends within its deadline too.
const (
	trickleBytes  = 32 << 10
	tricklePeriod = 90 * time.Second
)

// Open makes the call and gives its body out as it comes. Retries end when the body begins: a broken body is an *Error of kind Unavailable
// from Read, and the caller begins again, or goes on with a range. The budget is held until Close.
func (c *Client) Open(ctx context.Context, call Call) (*Stream, error) {
	var out *Stream
	err := c.retry(ctx, &call, func(attempt context.Context, release func()) (err error) {
		attempt, cancel := context.WithCancel(attempt)
		watch := newWatchdog(cancel)
		defer func() {
			if err != nil {
				watch.stop()
				cancel()
				release()
			}
		}()
		// What is asked for is what is counted: no compression on the way.
		resp, err := c.send(attempt, &call, http.Header{"Accept-Encoding": {"identity"}})
		if err != nil {
			return err
		}
		throttle.AccountFrom(ctx).AddTransfer(0, int64(len(call.Body)))
		if kind := resp.Header.Get("Content-Type"); call.NoHTML && strings.HasPrefix(strings.ToLower(kind), "text/html") {
			drain(resp)
			return &broken{err: errors.New("a page of HTML came in the place of the content"), sent: true}
		}
		out = &Stream{
			Status: resp.StatusCode, Header: resp.Header, Size: resp.ContentLength, URL: resp.Request.URL.String(),
			body: resp.Body, call: &call, watch: watch, ctx: ctx,
			done: sync.OnceFunc(func() { watch.stop(); cancel(); release() }),
		}
		return nil
	})
	return out, err
}

func (s *Stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.body.Read(p)
	s.watch.progress(n)
	throttle.AccountFrom(s.ctx).AddTransfer(int64(n), 0)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		s.err = err
	case s.ctx.Err() != nil:
		s.err = fmt.Errorf("%s: %w", s.call.name(), context.Cause(s.ctx))
	default:
		s.err = &Error{Kind: Unavailable, Call: s.call.name(), Code: "answer broke off", Message: scrub(err, s.call), Cause: causeOf(err)}
	}
	return n, s.err
}

// Close ends the call. It may be called more than once.
func (s *Stream) Close() error {
	err := s.body.Close()
	s.done()
	return err
}

// watchdog cancels when too little comes.
type watchdog struct {
	timer *time.Timer
	seen  int
}

func newWatchdog(cut func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(tricklePeriod+defaultTimeout, cut)}
}

func (w *watchdog) progress(n int) {
	if w.seen += n; w.seen >= trickleBytes {
		w.seen = 0
		w.timer.Reset(tricklePeriod)
	}
}

func (w *watchdog) stop() { w.timer.Stop() }
