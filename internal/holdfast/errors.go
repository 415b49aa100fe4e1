package holdfast

import (
	"errors"
	"fmt"
	"time"
)

// Kind classes an error for the edges (REST, command line): what the caller can do about it.
type Kind int

// The kinds of errors. Anything that is none of them is internal: it is logged with an id and shown as that id.
const (
	// KindInternal is not meant for the caller's eyes.
	KindInternal Kind = iota
	// KindInvalid is a request that can't be carried out as written.
	KindInvalid
	// KindUnauthenticated is a caller who has not proved who he is.
	KindUnauthenticated
	// KindDenied is a caller who may not do it, or an application that lacks a permission.
	KindDenied
	// KindNotFound is a thing that does not exist, or that the caller must not know of.
	KindNotFound
	// KindConflict is a request that the present state forbids.
	KindConflict
	// KindUnavailable is something that may work later; see Error.RetryAfter.
	KindUnavailable
	// KindDamaged is stored data that is not what was written.
	KindDamaged
	// KindUnknown is an outcome that is not known: read, do not repeat.
	KindUnknown
	// KindStale is a writer whose lease has passed to another one; nothing was changed.
	KindStale
)

func (k Kind) String() string {
	return [...]string{"internal", "invalid", "unauthenticated", "denied", "not found", "conflict", "unavailable", "damaged", "unknown outcome", "stale"}[k]
}

// Error is an error whose text is meant for the user as it stands: what is wrong and, where there is one, the next step.
type Error struct {
	Kind       Kind
	Message    string
	RetryAfter time.Duration // zero when not known; only with KindUnavailable
	Cause      error         // for the log; not shown
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

func newError(k Kind, format string, args []any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Message: err.Error(), Cause: errors.Unwrap(err)}
}

// Invalid says that a request can't be carried out as written. Like all of these it takes a format; a %w keeps the cause.
func Invalid(format string, args ...any) error { return newError(KindInvalid, format, args) }

// Unauthenticated says that the caller has not proved who he is.
func Unauthenticated(format string, args ...any) error {
	return newError(KindUnauthenticated, format, args)
}

// Denied says that the caller, or the application used, may not do it.
func Denied(format string, args ...any) error { return newError(KindDenied, format, args) }

// NotFound says that there is no such thing for this caller.
func NotFound(format string, args ...any) error { return newError(KindNotFound, format, args) }

// Conflict says that the present state forbids it.
func Conflict(format string, args ...any) error { return newError(KindConflict, format, args) }

// Unavailable says that it may work later.
func Unavailable(format string, args ...any) error { return newError(KindUnavailable, format, args) }

// Damaged says that stored data is not what was written.
func Damaged(format string, args ...any) error { return newError(KindDamaged, format, args) }

// Unknown says that the outcome is not known.
func Unknown(format string, args ...any) error { return newError(KindUnknown, format, args) }

// Stale says that the lease has passed on; nothing was changed.
func Stale(format string, args ...any) error { return newError(KindStale, format, args) }

// KindOf is the kind of the first Error in err's chain, or KindInternal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}
