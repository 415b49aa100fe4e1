package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"holdfast/internal/holdfast"
)

// Portal is how the Restore Portal is set up.
type Portal struct {
	*core
	admin    *Admin
	browsers *BrowserSessions
	signIns  signIns
	known    knownUsers
}

// PortalSettings say whether the portal is open, and by which application of Microsoft Entra its users sign in.
type PortalSettings struct {
	Enabled       bool   `json:"enabled"`
	ApplicationID string `json:"applicationId"`
	Authority     string `json:"authority"` // where users sign in; empty is that of all work accounts
	URL           string `json:"url"`       // at which browsers reach the portal
	// Credential is the application's. nil keeps what there is, as long as the application stays the same. Get never gives it.
	Credential *holdfast.Credential `json:"-"`
}

const (
	settingPortal    = "restore portal"
	portalSecret     = "portal/credential"
	defaultAuthority = "https://login.microsoftonline.com/organizations"
)

// Get gives the settings. Nobody needs to sign in for it: the sign-in page needs them.
func (p *Portal) Get(ctx context.Context) (PortalSettings, error) {
	return read(ctx, p.core, func(ctx context.Context, tx Tx) (PortalSettings, error) {
		s := PortalSettings{Authority: defaultAuthority}
		text, ok, err := tx.Setting(ctx, settingPortal)
		if err != nil || !ok {
			return s, err
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return s, fmt.Errorf("decode the portal's settings: %w", err)
		}
		return s, nil
	})
}

// Put sets them.
func (p *Portal) Put(ctx context.Context, u User, s PortalSettings) error {
	if err := p.may(u, ActChangePortal); err != nil {
		return err
	}
	if s.Authority == "" {
		s.Authority = defaultAuthority
	}
	for name, text := range map[string]string{"msalAuthorityUri": s.Authority, "restorePortalUri": s.URL} {
		if at, err := url.Parse(text); text != "" && (err != nil || at.Scheme != "https" || at.Host == "") {
			return holdfast.Invalid("%s must be an address that begins with https://", name)
		}
	}
	if s.Enabled && (s.ApplicationID == "" || s.URL == "") {
		return holdfast.Invalid("the portal needs an application id and its own address before it is enabled")
	}
	if at, err := url.Parse(s.URL); err == nil && (strings.Trim(at.Path, "/") != "" || at.RawQuery != "" || at.Fragment != "" || at.User != nil) {
		return holdfast.Invalid("restorePortalUri is a host and port only, like https://backup.example.com: the portal is at its path /portal")
	}
	if c := s.Credential; c != nil && (c.ApplicationSecret == "") == (c.Certificate == "") {
		return holdfast.Invalid("the portal's application shows a secret or a certificate: give one of them")
	}
	s.URL = strings.TrimRight(s.URL, "/")
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the portal's settings: %w", err)
	}
	return p.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := p.audit(ctx, tx, u, "portal.update", "portal", map[bool]holdfast.Sentence{true: holdfast.SayPortalOpen, false: holdfast.SayPortalClosed}[s.Enabled].With(s.ApplicationID, s.URL)); err != nil {
			return err
		}
		if err := p.keep(ctx, tx, s); err != nil {
			return err
		}
		return tx.PutSetting(ctx, settingPortal, string(text))
	})
}

// keep seals the application's credential, and forgets that of an application that is used no more.
func (p *Portal) keep(ctx context.Context, tx Tx, s PortalSettings) error {
	if s.Credential != nil {
		cred := *s.Credential
		cred.ApplicationID = s.ApplicationID
		return p.seal(ctx, tx, portalSecret, cred)
	}
	old, err := p.sealed(ctx, tx, portalSecret)
	if missing(err) || err == nil && strings.EqualFold(old.ApplicationID, s.ApplicationID) {
		return nil
	} else if err != nil {
		return err
	}
	return tx.DeleteSecret(ctx, portalSecret)
}
