package app

import (
	"errors"
	"fmt"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
)

func TestWhatMicrosoftAnswersIsNoInternalError(t *testing.T) {
	for kind, want := range map[m365.Kind]holdfast.Kind{
		m365.NotFound: holdfast.KindNotFound, m365.Denied: holdfast.KindDenied, m365.Throttled: holdfast.KindUnavailable, m365.Unavailable: holdfast.KindUnavailable,
		m365.Invalid: holdfast.KindInvalid, m365.Corrupt: holdfast.KindUnavailable, m365.Resync: holdfast.KindUnavailable, m365.Unauthorized: holdfast.KindUnavailable,
	} {
		err := fmt.Errorf("read site: %w", &m365.Error{Kind: kind, Call: "GET x", Code: "y"})
		if got := holdfast.KindOf(forUser(err)); got != want {
			t.Errorf("%v: %v, want %v", kind, got, want)
		}
	}
	if plain := errors.New("ours"); holdfast.KindOf(forUser(plain)) != holdfast.KindInternal {
		t.Error("an error of ours is shown as one of Microsoft's")
	}
}
