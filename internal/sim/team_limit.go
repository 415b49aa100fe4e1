package sim

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Published limits of Teams per application and tenant, in requests per second ("Microsoft Graph service-specific throttling limits", Teams).
const (
	teamsExport   = 200 // getAllMessages
	teamsMessages = 20  // GET of messages of channels
	teamsLists    = 60  // GET of channels and members
	teamsOther    = 30  // other GET
	teamsPost     = 50  // messages posted to channels
	teamsChatPost = 20  // messages posted to chats
	teamsCreate   = 10
	teamsDelete   = 15
	teamsWrite    = 30
	teamsPerTeam  = 4 // of one application on one team
	teamsPerChat  = 1 // of one application on one chat: a newer copy of the page
	teamsDeletes  = 1 // chats deleted in one tenant ("Delete chat")
)

// teamsLimiter counts the requests of each application by second, by kind of call, by team and by chat.
type teamsLimiter struct {
	s  *Sim
	mu sync.Mutex // guards by
	by map[string]*window
}

func newTeamsLimiter(s *Sim) *teamsLimiter { return &teamsLimiter{s: s, by: map[string]*window{}} }

// teamsKind is which of the limits per application a call falls under.
func teamsKind(c *Call) (kind string, most int64) {
	pattern := c.Route.Pattern
	switch {
	case strings.HasSuffix(pattern, "/getAllMessages"), strings.HasSuffix(pattern, "/getAllMessages/delta"):
		return "export", teamsExport
	case c.Method == http.MethodGet && strings.Contains(pattern, "/messages"):
		return "messages", teamsMessages
	case c.Method == http.MethodGet && c.Params["team"] != "" && (strings.HasSuffix(pattern, "hannels") || strings.HasSuffix(pattern, "{channel}") || strings.HasSuffix(strings.ToLower(pattern), "members")):
		return "lists", teamsLists
	case c.Method == http.MethodGet:
		return "other", teamsOther
	case pattern == "/v1.0/chats/{chat}/messages":
		return "chatPost", teamsChatPost
	case strings.HasSuffix(pattern, "/messages") || strings.HasSuffix(pattern, "/replies"):
		return "post", teamsPost
	case pattern == "/v1.0/teams":
		return "create", teamsCreate
	case pattern == "/v1.0/chats/{chat}" && c.Method == http.MethodDelete:
		return "deleteChat", teamsDeletes
	case c.Method == http.MethodDelete:
		return "delete", teamsDelete
	}
	return "write", teamsWrite
}

func (l *teamsLimiter) Admit(c *Call) (func(), error) {
	if l.s.opt.Limits == LimitsOff {
		return nil, nil
	}
	kind, most := teamsKind(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	use := func(key string, most int64) error {
		w := l.by[c.App+" "+key]
		if w == nil {
			w = &window{}
			l.by[c.App+" "+key] = w
		}
		wait, ok := w.add(c.Now, time.Second, 1, most)
		if ok {
			return nil
		}
		l.s.stats.violation(c, "teams "+key, c.Method+" "+c.Path)
		if l.s.opt.Limits != LimitsEnforce {
			return nil
		}
		return tooMany("TooManyRequests", "Too many requests.", wait)
	}
	if err := use(kind, most); err != nil {
		return nil, err
	}
	if t := strings.ToLower(c.Params["team"]); t != "" {
		return nil, use("team "+t, teamsPerTeam)
	}
	if ch := strings.ToLower(c.Params["chat"]); ch != "" {
		return nil, use("chat "+ch, teamsPerChat)
	}
	return nil, nil
}
