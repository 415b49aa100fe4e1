package engine

import (
	"context"

	"holdfast/internal/holdfast"
)

// A Source may learn more of a container only as it reads it, and may learn there of further containers. The sinks that the engine gives take both.
type (
	// describer is a Sink that takes what a container is called and whose it is, as of the head that is being read.
	describer interface {
		Describe(c holdfast.Container)
	}
	// finder is a Sink that takes containers which are to be read by the same session.
	finder interface {
		Find(c holdfast.Container, hint string)
	}
)

// Describe tells a sink the name, the address and the owner of its container, which its head and the restore point then have.
func Describe(s Sink, c holdfast.Container) {
	if d, ok := s.(describer); ok {
		d.Describe(c)
	}
}

// Find tells a sink of a container that the session is to read too. hint is for the Source that will, by HintOf; of several for one container
// the greatest counts. What one session finds is not kept for the next: a Source finds all that there is each time.
func Find(s Sink, c holdfast.Container, hint string) {
	if f, ok := s.(finder); ok {
		f.Find(c, hint)
	}
}

type hintKey struct{}

// WithHint is what the container that found another one had to tell its Source.
func WithHint(ctx context.Context, hint string) context.Context {
	return context.WithValue(ctx, hintKey{}, hint)
}

// HintOf is what WithHint was given; empty when nobody found the container.
func HintOf(ctx context.Context) string {
	hint, _ := ctx.Value(hintKey{}).(string)
	return hint
}

// Describe is taken over by the head that is sealed last.
func (s *sink) Describe(c holdfast.Container) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.described = &c
}

// Find passes a container on.
func (s *sink) Find(c holdfast.Container, hint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.task.Found != nil {
		s.task.Found(c, hint)
	}
}

// container is the container as its Source described it, else as the task has it.
func (s *sink) container() holdfast.Container {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.task.Container
	if s.described != nil {
		c.Name, c.Address, c.Owner = s.described.Name, s.described.Address, s.described.Owner
	}
	return c
}
