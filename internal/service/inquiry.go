package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// Inquiries are questions that may take long: what a restore would do, what differs from Microsoft 365 now. Each runs beside the call that
// asked it, is its asker's alone, and is forgotten a while after it has ended, or when the server ends.
type Inquiries struct {
	*core
	mu     sync.Mutex // guards all, closed and the fields of inquiries that change
	all    []*inquiry // oldest first
	closed bool
	work   sync.WaitGroup
}

// Bounds of inquiries. An answer can have ten thousand rows, so few are kept.
const (
	inquiriesOfOne   = 4  // that run for one asker
	inquiriesRunning = 16 // at once
	inquiriesKept    = 16 // that have ended
	inquiryKept      = 10 * time.Minute
	inquiryLongest   = 2 * time.Hour
)

// InquirySpec says what an inquiry is and who may read its answer: whoever may still do Act on On.
type InquirySpec struct {
	Kind string
	Act  Act
	On   []Object
}

// Inquiry is an inquiry as its asker sees it.
type Inquiry struct {
	InquirySpec
	ID     string
	Began  time.Time
	Ended  time.Time // zero while it runs
	Seen   int64     // items looked at so far
	Answer any       // of the question, once it has ended
	Err    error     // why it has none
}

// Running says whether it has not ended.
func (i Inquiry) Running() bool { return i.Ended.IsZero() }

type inquiry struct {
	Inquiry
	account holdfast.UserID
	key     string // the API key that asked: another one of the account may see less
	cancel  context.CancelFunc
	done    chan struct{} // closed at the end
}

// of says whether an inquiry is a caller's.
func (i *inquiry) of(u User) bool { return i.account == u.ID && i.key == u.Key }

// Start asks a question in the background; ask has checked that the caller may, or does so itself. It tells of items by
// holdfast.Progress.
func (q *Inquiries) Start(ctx context.Context, u User, spec InquirySpec, ask func(context.Context) (any, error)) (string, error) {
	act := spec.Act
	if err := q.may(u, act, spec.On...); err != nil {
		return "", err
	}
	id, err := q.id()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), inquiryLongest)
	i := &inquiry{Inquiry: Inquiry{InquirySpec: spec, ID: id, Began: q.now()}, account: u.ID, key: u.Key, cancel: cancel, done: make(chan struct{})}
	if err := q.put(u, i); err != nil {
		cancel()
		return "", err
	}
	ctx = holdfast.WithProgress(ctx, func(n int64) {
		q.mu.Lock()
		defer q.mu.Unlock()
		i.Seen += n
	})
	go func() {
		defer q.work.Done()
		defer cancel()
		answer, err := q.guarded(ctx, spec.Kind, ask)
		q.mu.Lock()
		defer q.mu.Unlock()
		i.Answer, i.Err, i.Ended = answer, err, q.now()
		close(i.done)
	}()
	return id, nil
}

// guarded makes a panic of one question its failure alone.
func (q *Inquiries) guarded(ctx context.Context, kind string, ask func(context.Context) (any, error)) (answer any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			q.Log.ErrorContext(ctx, "inquiry panicked", "kind", kind, "panic", cause, "stack", string(debug.Stack()))
			answer, err = nil, fmt.Errorf("panic: %v", cause)
		}
	}()
	return ask(ctx)
}

// put takes an inquiry in, if there is room for it, and forgets what is old.
func (q *Inquiries) put(u User, i *inquiry) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return holdfast.Unavailable("the server is ending")
	}
	q.tidy()
	running, mine := 0, 0
	for _, other := range q.all {
		if other.Running() {
			running++
			if other.of(u) {
				mine++
			}
		}
	}
	switch {
	case mine >= inquiriesOfOne:
		return &holdfast.Error{Kind: holdfast.KindUnavailable, RetryAfter: 5 * time.Second, Message: "four dry runs or comparisons of yours run already: wait for one to end, or cancel it"}
	case running >= inquiriesRunning:
		return &holdfast.Error{Kind: holdfast.KindUnavailable, RetryAfter: 5 * time.Second, Message: "too many dry runs and comparisons run at once: try again in a moment"}
	}
	q.all = append(q.all, i)
	q.work.Add(1)
	return nil
}

// tidy forgets inquiries that ended a while ago, and the oldest ended ones where there are too many. The caller holds mu.
func (q *Inquiries) tidy() {
	ended := 0
	for _, i := range q.all {
		if !i.Running() {
			ended++
		}
	}
	q.all = slices.DeleteFunc(q.all, func(i *inquiry) bool {
		if i.Running() || ended <= inquiriesKept && q.now().Sub(i.Ended) < inquiryKept {
			return false
		}
		ended--
		return true
	})
}

// find gives a caller's inquiry. Another's is not there.
func (q *Inquiries) find(u User, id string) (*inquiry, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy()
	for _, i := range q.all {
		if i.ID == id && i.of(u) {
			return i, nil
		}
	}
	return nil, holdfast.NotFound("there is no such dry run or comparison of yours: it was cancelled, ended over %v ago, or the server was started anew", inquiryKept)
}

// Get gives an inquiry, when it has ended or after ctx.
func (q *Inquiries) Get(ctx context.Context, u User, id string) (Inquiry, error) {
	i, err := q.find(u, id)
	if err != nil {
		return Inquiry{}, err
	}
	act := i.Act // what he may do can have changed since
	if err := q.may(u, act, i.On...); err != nil {
		return Inquiry{}, err
	}
	select {
	case <-i.done:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return i.Inquiry, nil
}

// Cancel ends an inquiry and forgets it.
func (q *Inquiries) Cancel(u User, id string) error {
	i, err := q.find(u, id)
	if err != nil {
		return err
	}
	i.cancel()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = slices.DeleteFunc(q.all, func(other *inquiry) bool { return other == i })
	return nil
}

// close ends all inquiries and waits for them.
func (q *Inquiries) close() {
	q.mu.Lock()
	q.closed = true
	for _, i := range q.all {
		i.cancel()
	}
	q.mu.Unlock()
	q.work.Wait()
}
