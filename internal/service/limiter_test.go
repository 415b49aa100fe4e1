package service

import (
	"fmt"
	"testing"
	"time"
)

func TestGuessesCountForNameAndAddress(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var l limiter
	// Many names from one address: the address waits, others do not.
	for i := range 30 {
		l.failed(attemptKeys(fmt.Sprint("name", i), "a"), now)
	}
	if l.wait(attemptKeys("new", "a"), now) <= 0 || l.wait(attemptKeys("new", "b"), now) > 0 {
		t.Error("an address that tries many names goes on, or others wait for it")
	}
	// One name from many addresses: it waits, but never for long.
	l = limiter{}
	for i := range 200 {
		l.failed(attemptKeys("ann", fmt.Sprint(i)), now)
	}
	if w := l.wait(attemptKeys("ann", "home"), now); w <= 0 || w > 15*time.Second {
		t.Errorf("ann waits %v at home", w)
	}
	// A right password clears the name, not the address.
	l.passed(attemptKeys("ann", "home"))
	if w := l.wait(attemptKeys("ann", "home"), now); w > 0 {
		t.Errorf("ann waits %v after a right password", w)
	}
	// A flood of names does not grow without bound.
	for i := range 3 * limiterSize {
		l.failed(attemptKeys(fmt.Sprint("flood", i), fmt.Sprint(i)), now)
	}
	if len(l.all) > limiterSize+3 {
		t.Errorf("%d attempts are remembered", len(l.all))
	}
}
