package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// The Restore Portal: how browsers sign in with Microsoft, whose data the caller may restore, and what became of his restores. All else
// the portal's pages do by the operations that the console's explorers use, in the caller's scope.

const portalPrefix = "/portal"

var portalRoutes = []route{
	{"Portal_Get", "GET", portalPrefix, 200, service.ActSeePortal, (*API).portalGet},
	{"Portal_SignIn", "GET", portalPrefix + "/sign-in", 302, service.ActSignIn, (*API).portalSignIn},
	{"Portal_Callback", "GET", portalPrefix + "/callback", 302, service.ActSignIn, (*API).portalCallback},
	{"Portal_GetObjects", "GET", portalPrefix + "/objects", 200, service.ActExplore, (*API).portalGetObjects},
	{"Portal_GetRestores", "GET", portalPrefix + "/restores", 200, service.ActSeeRestored, (*API).portalGetRestores},
}

// redirect is an answer that sends a browser elsewhere.
type redirect struct{ to string }

func (d *redirect) write(w http.ResponseWriter, status int) {
	w.Header().Set("Location", d.to)
	w.Header().Set("Referrer-Policy", "no-referrer") // the address of the callback has a code
	w.WriteHeader(status)
}

// refused sends a browser to the portal's page, which has a text for the reason.
func refused(why service.PortalRefusal) *redirect {
	return &redirect{portalPrefix + "?error=" + url.QueryEscape(string(why))}
}

type portalShape struct {
	Enabled bool   `json:"enabled"`
	URL     string `json:"url,omitzero"`
}

func (a *API) portalGet(ctx context.Context, _ *request) (any, error) {
	s, err := a.services.Portal.Get(ctx)
	if err != nil || !s.Enabled { // nobody who has not signed in learns more
		return portalShape{}, err
	}
	return portalShape{true, s.URL}, nil
}

// signInCookie binds a sign-in to the browser that began it. Lax, not strict: it must come along when Entra sends the browser back.
const signInCookie = "__Host-holdfast-sign-in"

func signInCookieOf(secret string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: signInCookie, Value: secret, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *API) portalSignIn(ctx context.Context, r *request) (any, error) {
	back, _ := r.query("return")
	start, err := a.services.Portal.SignIn(ctx, back)
	if err != nil {
		return nil, err
	} else if start.Refusal != "" {
		return refused(start.Refusal), nil
	}
	r.setCookie(signInCookieOf(start.Secret, start.Life))
	return &redirect{start.Location}, nil
}

func (a *API) portalCallback(ctx context.Context, r *request) (any, error) {
	in := service.PortalAnswer{Address: r.address(), Before: r.sessionSecret()}
	in.State, _ = r.query("state")
	in.Code, _ = r.query("code")
	in.Error, _ = r.query("error")
	if c, err := r.Cookie(signInCookie); err == nil {
		in.Secret = c.Value
	}
	end := a.services.Portal.Callback(ctx, in)
	if end.Refusal != "" {
		return refused(end.Refusal), nil
	}
	r.setCookie(signInCookieOf("", 0))
	a.startSession(r, end.Browser)
	return &redirect{end.Back}, nil
}

type portalObject struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Email        string `json:"email"`
	Organization string `json:"organizationId"`
	Self         bool   `json:"self"`
	Deleted      bool   `json:"deleted"`
	Mailbox      bool   `json:"mailbox"`
	Drive        bool   `json:"drive"`
	Site         bool   `json:"site"`
	Team         bool   `json:"team"`
	Chats        bool   `json:"chats"`
	PersonalSite bool   `json:"personalSite"`
}

type portalObjects struct {
	pageOf[portalObject]
	Total int `json:"total"`
}

func (a *API) portalGetObjects(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	w.Limit = min(w.Limit, service.PortalObjectsMost)
	search, _ := r.query("search")
	all, total, err := a.services.Portal.Objects(ctx, r.user, search, w.page())
	if err != nil {
		return nil, err
	}
	return portalObjects{page(r, w, all, func(o service.PortalObject) portalObject {
		return portalObject{o.ID, o.Name, o.Address, string(o.Organization), o.Self, o.Deleted, o.Mailbox, o.Drive, o.Site, o.Team, o.Chats, o.PersonalSite}
	}), total}, nil
}

// portalRestore is a restore that the caller asked for. Its session's events tell of each item.
type portalRestore struct {
	ID       string                `json:"id"`
	Session  string                `json:"restoreSessionId"`
	Type     holdfast.ExplorerType `json:"type"`
	State    string                `json:"state"` // Running, Success, Warning, Failed, Cancelled
	Name     string                `json:"name"`
	Source   string                `json:"source"`
	Target   string                `json:"target"`
	Message  string                `json:"message"`
	Reason   string                `json:"reason,omitzero"`
	Started  *time.Time            `json:"creationTime"`
	Ended    *time.Time            `json:"endTime,omitzero"`
	Done     int                   `json:"processedItems"`
	Restored int                   `json:"restoredItems"`
	Existing int                   `json:"existingItems"`
	Skipped  int                   `json:"skippedItems"`
	Failed   int                   `json:"failedItems"`
}

func (a *API) portalGetRestores(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.services.Portal.Restores(ctx, r.user, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(p service.RestoreOutcome) portalRestore {
		return portalRestore{ID: p.Request, Session: string(p.Session), Type: p.Explorer, State: p.Status, Name: p.ItemName, Source: p.Source, Target: p.Target, Message: p.Message, Reason: p.Reason,
			Started: stamp(p.Started), Ended: stamp(p.Ended), Done: p.Restored + p.Existing + p.Skipped + p.Failed, Restored: p.Restored, Existing: p.Existing, Skipped: p.Skipped, Failed: p.Failed}
	}), nil
}
