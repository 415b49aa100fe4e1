package m365

import (
	"errors"

	"holdfast/internal/holdfast"
)

// Skip says how an error of a call for one item concerns that item alone; nil when it concerns more. A *holdfast.Skip comes back as it is.
func Skip(err error) *holdfast.Skip {
	var s *holdfast.Skip
	if errors.As(err, &s) {
		return s
	}
	var reason holdfast.SkipReason
	switch KindOf(err) {
	case NotFound:
		reason = holdfast.SkipVanished
	case Denied:
		reason = holdfast.SkipDenied
	case Locked:
		reason = holdfast.SkipLocked
	case Malware:
		reason = holdfast.SkipMalware
	case Corrupt, Invalid:
		reason = holdfast.SkipCorrupt
	case Unavailable:
		reason = holdfast.SkipTransient
	case Changed:
		reason = holdfast.SkipChanging
	case Conflict:
		reason = holdfast.SkipConflict
	default:
		return nil
	}
	return &holdfast.Skip{Reason: reason, Err: err}
}

// Lasting says that an error concerns one item alone, as Skip, and that the same call again would end no better.
func Lasting(err error) bool {
	return Skip(err) != nil && !OutcomeUnknown(err) && KindOf(err) != Unavailable
}
