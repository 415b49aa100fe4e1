package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
)

// TestALongAnswerIsWaitedForAndAStoppedOneCancelled plays a server that answers later, fails, or is left.
func TestALongAnswerIsWaitedForAndAStoppedOneCancelled(t *testing.T) {
	for name, tc := range map[string]struct {
		states []string // what the server says when it is asked, one after the other; none: the user stops
		want   string
	}{
		"answered": {[]string{`"status":"Running","seen":4`, `"status":"Success","plan":{"created":3}`}, "3 created"},
		"failed":   {[]string{`"status":"Failed","message":"Microsoft says no","errorCode":"OperationConflict"`}, "Microsoft says no"},
		"stopped":  {nil, "stopped; nothing was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var mu sync.Mutex // guards the server's states and calls
			var calls []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, r.Method+" "+r.URL.String())
				switch {
				case r.Method == http.MethodPost:
					w.WriteHeader(http.StatusAccepted)
					fmt.Fprint(w, `{"inquiryId":"7","status":"Running","seen":0}`)
				case r.Method == http.MethodDelete:
					w.WriteHeader(http.StatusNoContent)
				case len(tc.states) == 0:
					cancel()
					fmt.Fprint(w, `{"inquiryId":"7","status":"Running","seen":1}`)
				default:
					fmt.Fprintf(w, `{"inquiryId":"7",%s}`, tc.states[0])
					tc.states = tc.states[1:]
				}
			}))
			defer server.Close()
			c := &client{connection: connection{Server: server.URL, Access: "x"}, http: server.Client()}
			cmd := &cobra.Command{}
			cmd.SetContext(ctx)
			var plan planned
			err := c.inquire(cmd, "/holdfast/v1/Restore/Plan", map[string]any{}, &plan)
			got := fmt.Sprintf("%d created", plan.Created)
			if err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if exit := (*exitError)(nil); name == "stopped" && (!errors.As(err, &exit) || exit.code != 130) {
				t.Errorf("got %v, want exit status 130", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if calls[0] != "POST /holdfast/v1/Restore/Plan?wait=2" || calls[len(calls)-1] != "DELETE /holdfast/v1/Inquiries/7" {
				t.Errorf("got the calls\n%s", strings.Join(calls, "\n"))
			}
		})
	}
}
