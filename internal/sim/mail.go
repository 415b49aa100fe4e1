package sim

import "strings"

// mailService holds the mailboxes.
type mailService struct{ s *Sim }

func newMailService(s *Sim) (*mailService, error) { return &mailService{s: s}, nil }

func (s *Sim) mailRoutes() []Route { return nil }

// scopeOf is what the limits and faults of a call are counted on: the mailbox, or nothing.
func (s *Sim) scopeOf(c *Call) string {
	if c.Route.Class != ClassOutlook {
		return ""
	}
	if u := s.dir.find(c.Params["user"]); u != nil {
		return u.ID
	}
	return strings.ToLower(c.Params["user"])
}
