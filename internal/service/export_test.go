package service

import "context"

// TidyForTest does what Run does every hour.
func (s *Service) TidyForTest(ctx context.Context) error { return s.tidy(ctx) }
