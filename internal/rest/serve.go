package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/sys"
)

// Deadlines and bounds of the listener.
const (
	headerTimeout  = 10 * time.Second
	bodyTimeout    = time.Minute      // to receive a body
	idleTimeout    = 2 * time.Minute  // between requests of a connection
	requestTimeout = 2 * time.Minute  // to answer, unless the answer is a stream
	stallTimeout   = time.Minute      // a stream's reader that takes nothing for so long is gone
	drainTimeout   = 25 * time.Second // to finish what runs when the server stops
	maxHeader      = 64 << 10
	maxAnonymous   = 64 << 10 // body of a caller who has not logged in
	maxInFlight    = 512      // requests at once; more are told to come back
)

// Handler answers the whole API; Serve is Handler behind TLS on Config.Listen.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

// Listen binds Config.Listen, so that Addr is known before Serve.
func (a *API) Listen() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", a.config.Listen)
	if err != nil {
		return holdfast.Unavailable("listen for the REST API on %s: %w", a.config.Listen, err)
	}
	a.listener = l
	return nil
}

// Addr is where Serve listens; nil before Listen.
func (a *API) Addr() net.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener == nil {
		return nil
	}
	return a.listener.Addr()
}

// Serve answers until ctx ends, then lets running requests finish for a while. It returns nil after such an end.
func (a *API) Serve(ctx context.Context) error {
	if a.config.TLS == nil {
		return errors.New("rest: no TLS configuration; the API is never served in clear")
	}
	if err := a.Listen(); err != nil {
		return err
	}
	server := &http.Server{
		Handler:           a.Handler(),
		TLSConfig:         a.config.TLS.Clone(),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	var wait sync.WaitGroup
	wait.Go(func() { failed <- server.ServeTLS(a.listener, "", "") })
	defer wait.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the REST API: %w", err)
	case <-ctx.Done():
	}
	close(a.ending)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		a.log.Warn("requests were cut off at the end", "error", err)
		return server.Close()
	}
	return nil
}

// serve finds the operation, checks the caller, runs the handler in time and writes what it returns.
func (a *API) serve(w http.ResponseWriter, hr *http.Request) {
	start := a.clock.Now()
	out := &answer{ResponseWriter: w}
	control := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines (a test's recorder has none); a real connection does.
	_ = control.SetWriteDeadline(sys.System.Now().Add(requestTimeout + stallTimeout))
	operation := "none"
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			f := failureOf(fmt.Errorf("panic: %v", cause))
			a.log.Error("request panicked", "error_id", f.logID, "operation", operation, "panic", cause, "stack", string(debug.Stack()))
			if out.status != 0 {
				panic(http.ErrAbortHandler) // part of the answer is gone already; only a cut tells the client
			}
			f.write(out)
		}
		a.log.Debug("request", "operation", operation, "method", hr.Method, "status", out.status, "ms", a.clock.Now().Sub(start).Milliseconds())
	}()
	select {
	case a.slots <- struct{}{}:
	default:
		failureOf(&holdfast.Error{Kind: holdfast.KindUnavailable, Message: "the server has too many requests at once; repeat it in a moment"}).write(out)
		return
	}
	leave := sync.OnceFunc(func() { <-a.slots })
	defer leave()
	h := out.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")

	if a.web.serve(out, hr) || a.serveAPIPage(out, hr) {
		operation = "web"
		return
	}
	r, err := a.route(hr)
	if r != nil {
		operation = r.route.id
		r.leave = leave
	}
	if err != nil {
		a.fail(out, hr, operation, err)
		return
	}
	limit := int64(maxBody)
	if anonymous(r.route.act) {
		limit = maxAnonymous
	} else if err := a.authorize(r); err != nil {
		a.fail(out, hr, operation, err)
		return
	}
	hr.Body = &timedBody{ReadCloser: http.MaxBytesReader(out, hr.Body, limit), control: control}
	ctx, cancel := context.WithTimeout(hr.Context(), requestTimeout)
	defer cancel()
	result, err := r.route.handle(a, ctx, r)
	if err == nil && r.version < newest {
		result, err = a.asBefore(ctx, r, result)
	}
	for name, values := range r.reply {
		h[name] = values
	}
	if err != nil {
		a.fail(out, hr, operation, err)
		return
	}
	switch result := result.(type) {
	case nil:
		out.WriteHeader(r.route.code)
	case *download:
		a.stream(out, control, r, result)
	case *redirect:
		result.write(out, r.route.code)
	case *accepted:
		result.write(out)
	case *shown:
		result.write(out, r.route.code)
	default:
		writeJSON(out, r.route.code, result)
	}
}

// route finds the operation of a request.
func (a *API) route(hr *http.Request) (_ *request, err error) {
	version, segments, ok := split(hr.URL.EscapedPath())
	if !ok {
		return nil, holdfast.NotFound("there is nothing at %s; the API is below /%s", hr.URL.Path, served)
	}
	router, v := a.own, newest
	if version != ownPrefix {
		v = versionOf(version)
		if router = a.routers[v]; router == nil {
			return nil, holdfast.NotFound("version %d of the API is not served; %d to %d are", v, oldest, newest)
		}
	}
	if last := len(segments) - 1; v == 5 && last > 0 && hr.Method == http.MethodPost && strings.EqualFold(segments[last], "Action") {
		if segments[last], err = verb(hr); err != nil {
			return nil, err
		}
	}
	found, others := router.find(hr.Method, segments)
	switch {
	case found == nil && len(others) > 0:
		slices.Sort(others)
		return nil, &methodError{allowed: strings.Join(others, ", ")}
	case found == nil && v < newest && a.routers[newest].has(hr.Method, segments):
		return nil, holdfast.NotFound("version %d of the API has no %s; /%s has", v, hr.URL.Path, served)
	case found == nil:
		return nil, holdfast.NotFound("the API has no %s", hr.URL.Path)
	}
	return &request{Request: hr, route: found, version: v, links: links{version}, params: found.fill(segments), values: hr.URL.Query()}, nil
}

// methodError is a path that exists for other methods only.
type methodError struct{ allowed string }

func (e *methodError) Error() string { return "this method is not allowed here; allowed: " + e.allowed }

func (a *API) fail(out *answer, hr *http.Request, operation string, err error) {
	if errors.Is(err, context.Canceled) && hr.Context().Err() != nil {
		return // nobody is there to read an answer
	}
	if m := (*methodError)(nil); errors.As(err, &m) {
		out.Header().Set("Allow", m.allowed)
		f := failureOf(holdfast.Invalid("%w", m))
		f.status = http.StatusMethodNotAllowed
		f.write(out)
		return
	}
	if refusal := (*tokenError)(nil); errors.As(err, &refusal) {
		refusal.write(out)
		return
	}
	if refusal := (*factorError)(nil); errors.As(err, &refusal) {
		refusal.write(out)
		return
	}
	if needed := (*service.ErrProof)(nil); errors.As(err, &needed) {
		proofError{needed}.write(out)
		return
	}
	f := failureOf(err)
	if f.logID != "" {
		a.log.Error("request failed", "error_id", f.logID, "operation", operation, "error", err)
	} else {
		a.log.Debug("request refused", "operation", operation, "status", f.status, "error", err)
	}
	f.write(out)
}

// download is an answer that is streamed, by write or from what open opens. Either is called once, and may fail before the
// first byte with an ordinary error.
type download struct {
	of    selection // what it is of a restore session, when it is
	name  string
	size  int64 // -1 when not known
	extra http.Header
	write func(ctx context.Context, w io.Writer) error
	open  func(ctx context.Context) (service.Content, error)
}

// stream sends a download. It has no deadline as a whole, but ends when its reader stalls. After the first byte an error
// can only be told by cutting the connection, which is what keeps a client from taking half a file for a whole one.
func (a *API) stream(out *answer, control *http.ResponseController, r *request, d *download) {
	if d.open != nil {
		content, err := d.open(r.Context())
		if err != nil {
			a.fail(out, r.Request, r.route.id, err)
			return
		}
		defer content.Body.Close()
		d.name, d.size = content.FileName, content.Size
		d.write = func(_ context.Context, w io.Writer) error {
			_, err := io.Copy(w, content.Body)
			return err
		}
	}
	lazy := &lazyWriter{out: out, control: control, begin: func() {
		h := out.Header()
		maps.Copy(h, d.extra)
		h.Set("Content-Type", "application/octet-stream") // whatever it is: the contract's clients expect this
		h.Set("Content-Disposition", disposition(d.name))
		if d.size >= 0 {
			h.Set("Content-Length", fmt.Sprint(d.size))
		}
		out.WriteHeader(r.route.code)
	}}
	err := d.write(r.Context(), lazy)
	switch {
	case err == nil && !lazy.begun:
		lazy.start() // an empty file
	case err == nil:
	case !lazy.begun:
		a.fail(out, r.Request, r.route.id, err)
	default:
		if r.Context().Err() == nil {
			a.log.Error("download was cut off", "operation", r.route.id, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// timedBody gives a sender a minute for the whole body. The deadline ends with the body: left on, it would cancel a handler
// that works longer, since net/http goes on reading to see whether the client leaves.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	begun   bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		_ = b.control.SetReadDeadline(sys.System.Now().Add(bodyTimeout))
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// disposition names a downloaded file: plain for old clients, in full for others.
func disposition(name string) string {
	ascii := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\/:*?<>|%;`, c) {
			return '_'
		}
		return c
	}, name)
	if ascii == name {
		return `attachment; filename="` + name + `"`
	}
	full := mime.FormatMediaType("attachment", map[string]string{"filename": name}) // gives filename*=utf-8''…
	_, star, ok := strings.Cut(full, "; ")
	if !ok || !strings.HasPrefix(star, "filename*") {
		return `attachment; filename="` + ascii + `"`
	}
	return `attachment; filename="` + ascii + `"; ` + star
}

type lazyWriter struct {
	out     io.Writer
	control *http.ResponseController
	begin   func()
	begun   bool
}

func (l *lazyWriter) start() {
	if !l.begun {
		l.begun = true
		l.begin()
	}
}

func (l *lazyWriter) Write(p []byte) (int, error) {
	l.start()
	_ = l.control.SetWriteDeadline(sys.System.Now().Add(stallTimeout))
	return l.out.Write(p)
}

// answer remembers the status that was sent.
type answer struct {
	http.ResponseWriter
	status int
}

func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *answer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func writeJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Errorf("encode an answer: %w", err)) // a shape of ours that JSON can't hold; serve logs it
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the reader may be gone
}
