package app

import (
	"context"
	"net/url"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/service"
)

// users gives the login host of an application's authority, over the same dialler as all other calls to Microsoft 365. Which host a
// browser is sent to does not change where the server asks: an authority that is no cloud's login host, as it is set or by Microsoft's name, is
// taken for Worldwide's.
func (m *microsoft) users(app service.PortalApplication) (*auth.Users, error) {
	cloud, err := m.presets.Named("")
	if err != nil {
		return nil, err
	}
	if at, err := url.Parse(app.Authority); err == nil {
		documented := m365.Clouds()
		for i, c := range m.presets.All() {
			if strings.EqualFold(c.Login, at.Host) || strings.EqualFold(documented[i].Login, at.Host) {
				cloud = c
				break
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.logins[cloud.Login]; c != nil {
		return c.Users(), nil
	}
	c, err := m365.New(m365.Config{Cloud: cloud, Tenant: "organizations", Application: app.ID, Network: m.network, Budgets: &m.budgets, Limits: m.limits, Clock: m.clock, Faults: m.faults, Version: m.version})
	if err != nil {
		return nil, err
	}
	if m.logins == nil {
		m.logins = map[string]*m365.Client{}
	}
	m.logins[cloud.Login] = c
	return c.Users(), nil
}

// Redeem exchanges a code and verifies whose id token that gives.
func (m *microsoft) Redeem(ctx context.Context, app service.PortalApplication, code service.PortalCode) (service.Identity, error) {
	users, err := m.users(app)
	if err != nil {
		return service.Identity{}, err
	}
	c := auth.Code{Tenant: tenantOfAuthority(app.Authority), Application: app.ID, Redirect: app.Redirect, Code: code.Code, Verifier: code.Verifier}
	if app.Credential.Certificate != "" || app.Credential.ApplicationSecret != "" {
		if c.Credential, err = credentialOf(app.Credential); err != nil {
			return service.Identity{}, err
		}
	}
	token, err := users.Redeem(ctx, c)
	if err != nil {
		return service.Identity{}, err
	}
	return identityOf(users.Verify(ctx, token, app.ID, code.Nonce))
}

// Verify checks a token that a client got by itself.
func (m *microsoft) Verify(ctx context.Context, app service.PortalApplication, assertion string) (service.Identity, error) {
	users, err := m.users(app)
	if err != nil {
		return service.Identity{}, err
	}
	return identityOf(users.Verify(ctx, auth.Assertion(assertion), app.ID, ""))
}

func identityOf(c auth.Claims, err error) (service.Identity, error) {
	if err != nil {
		return service.Identity{}, holdfast.Unauthenticated("%w", err)
	}
	return service.Identity{Tenant: c.Tenant, ObjectID: c.ObjectID, Name: c.Name, DisplayName: c.Display}, nil
}

// tenantOfAuthority is the last part of an authority's address.
func tenantOfAuthority(authority string) string {
	at, err := url.Parse(authority)
	if err != nil || strings.Trim(at.Path, "/") == "" {
		return "organizations"
	}
	return strings.Trim(at.Path, "/")
}
