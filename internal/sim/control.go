package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// controlRoutes are the endpoints of the control port that belong to the core.
func (s *Sim) controlRoutes() {
	s.faultControl()
	s.mailControl()
	s.pimControl()
	s.itemControl()
	s.settingsControl()
	s.deviceControl()
	s.groupControl()
	s.paceControl()
	s.control.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.Stats()) })
	s.control.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.Tenant().Users) })
	s.control.HandleFunc("POST /stats/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.stats.reset()
		controlJSON(w, map[string]any{"reset": true})
	})
	s.control.HandleFunc("GET /clock", func(w http.ResponseWriter, _ *http.Request) { s.controlClock(w) })
	s.control.HandleFunc("POST /clock", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Advance string     `json:"advance"` // a duration, which may be negative
			Set     *time.Time `json:"set"`
		}
		if !controlDecode(w, r, &in) {
			return
		}
		if in.Set != nil {
			s.clock.Move(in.Set.Sub(s.now()))
		}
		if in.Advance != "" {
			d, err := time.ParseDuration(in.Advance)
			if err != nil {
				controlError(w, http.StatusBadRequest, err)
				return
			}
			s.clock.Move(d)
		}
		s.controlClock(w)
	})
	s.control.HandleFunc("POST /application", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			RedirectURIs []string `json:"redirectUris"` // of both applications, exactly as they are asked for
		}
		if !controlDecode(w, r, &in) {
			return
		}
		if err := s.SetRedirectURIs(in.RedirectURIs); err != nil {
			controlError(w, http.StatusInternalServerError, err)
			return
		}
		controlJSON(w, in)
	})
	s.control.HandleFunc("POST /roles", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Roles   []string `json:"roles"`   // null grants all
			Without []string `json:"without"` // all but these
			Revoke  bool     `json:"revoke"`  // tokens issued before are refused from now on
		}
		if !controlDecode(w, r, &in) {
			return
		}
		if in.Roles == nil && len(in.Without) > 0 {
			in.Roles = slices.DeleteFunc(s.allPermissions(), func(p string) bool { return slices.Contains(in.Without, p) })
		}
		s.SetRoles(in.Roles)
		if in.Revoke {
			s.RevokeTokens()
		}
		controlJSON(w, map[string]any{"roles": in.Roles})
	})
}

func (s *Sim) controlClock(w http.ResponseWriter) {
	controlJSON(w, map[string]any{"now": s.now()})
}

func controlJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the reader has gone
}

func controlError(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

func controlDecode(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, 16<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		controlError(w, http.StatusBadRequest, fmt.Errorf("request body: %w", err))
		return false
	}
	return true
}
