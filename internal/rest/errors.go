package rest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// failure is an error as it is sent: the contract's body plus status and headers.
type failure struct {
	status     int
	code       contract.RESTExceptionInfoErrorCode
	message    string
	retryAfter int    // seconds; 0: none
	logID      string // set when the cause is only in the log
}

// failureOf maps a kind of error to its status. What is of no kind is internal: the user sees an id that the log has too.
func failureOf(err error) failure {
	var known *holdfast.Error
	if errors.As(err, &known) {
		f := failure{message: err.Error()}
		switch known.Kind {
		case holdfast.KindInvalid:
			f.status, f.code = http.StatusBadRequest, contract.RESTExceptionInfoErrorCodeParameterValidationFailure
		case holdfast.KindUnauthenticated:
			f.status, f.code = http.StatusUnauthorized, contract.RESTExceptionInfoErrorCodeResourceAccessDenied
		case holdfast.KindDenied:
			f.status, f.code = http.StatusForbidden, contract.RESTExceptionInfoErrorCodeResourceAccessDenied
		case holdfast.KindNotFound:
			f.status, f.code = http.StatusNotFound, contract.RESTExceptionInfoErrorCodeResourceNotFound
		case holdfast.KindConflict, holdfast.KindStale, holdfast.KindDamaged:
			// Damaged: the request is right and the state of what is stored forbids it; the message names the damage.
			f.status, f.code = http.StatusConflict, contract.RESTExceptionInfoErrorCodeOperationConflict
		case holdfast.KindUnavailable:
			f.status, f.code = http.StatusServiceUnavailable, contract.RESTExceptionInfoErrorCodeHttpError
			f.retryAfter = max(1, int(known.RetryAfter.Seconds()+0.5))
		case holdfast.KindUnknown:
			// Not 503: clients repeat a 503 by themselves, and this must be read, not repeated.
			f.status, f.code = http.StatusInternalServerError, contract.RESTExceptionInfoErrorCodeHttpError
		}
		if f.status != 0 {
			return f
		}
	}
	if errors.As(err, &service.OutdatedToken{}) {
		return failure{status: http.StatusBadRequest, code: contract.RESTExceptionInfoErrorCodeOutdatedChangeToken, message: err.Error()}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return failure{status: http.StatusServiceUnavailable, code: contract.RESTExceptionInfoErrorCodeTimeout,
			message: "the operation did not end within its time; see whether it had an effect before repeating it", retryAfter: 1}
	}
	id := rand.Text()[:12]
	return failure{status: http.StatusInternalServerError, code: contract.RESTExceptionInfoErrorCodeHttpError, logID: id,
		message: "internal error " + id + "; the server's log has the cause under this id"}
}

func (f failure) write(w http.ResponseWriter) {
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	writeJSON(w, f.status, contract.RESTExceptionInfo{Message: &f.message, ErrorCode: &f.code})
}
