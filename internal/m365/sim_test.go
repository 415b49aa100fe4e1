package m365_test

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/sim"
)

// simulated starts a simulator and gives a configuration that reaches it.
func simulated(t *testing.T, o sim.Options) (*sim.Sim, m365.Config) {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ca, err := m365.ReadCA(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := m365.CloudNamed(s.Tenant().Region)
	if err != nil {
		t.Fatal(err)
	}
	tenant := s.Tenant()
	return s, m365.Config{
		Cloud: cloud, Tenant: tenant.TenantID, Application: tenant.ApplicationID, Credential: auth.FromSecret(auth.Secret(tenant.ApplicationSecret)),
		Network: m365.Network{Dial: s.Addr(), CA: ca}, Clock: s.Clock(), Limits: throttle.Unlimited(),
	}
}

func open(t *testing.T, c m365.Config) *graph.Client {
	t.Helper()
	m, err := m365.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return graph.New(m)
}

func TestSimulatedTenantSignsInBySecretAndCertificate(t *testing.T) {
	s, config := simulated(t, sim.Options{})
	tenant := s.Tenant()
	pfx, err := base64.StdEncoding.DecodeString(tenant.CertificatePFX)
	if err != nil {
		t.Fatal(err)
	}
	byCertificate, err := auth.FromCertificate(pfx, auth.Secret(tenant.CertificatePassword))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*m365.Config){
		"secret":      func(*m365.Config) {},
		"certificate": func(c *m365.Config) { c.Credential = byCertificate },
		"by domain":   func(c *m365.Config) { c.Tenant = tenant.Domain },
	} {
		t.Run(name, func(t *testing.T) {
			c := config
			change(&c)
			org, err := open(t, c).Organization(t.Context())
			if err != nil || org.ID != tenant.TenantID || org.DefaultDomain() != tenant.Domain {
				t.Errorf("organization %+v, %v", org, err)
			}
		})
	}
	for name, tc := range map[string]struct {
		change func(*m365.Config)
		want   auth.Reason
	}{
		"wrong secret":        {func(c *m365.Config) { c.Credential = auth.FromSecret("no") }, auth.WrongSecret},
		"unknown tenant":      {func(c *m365.Config) { c.Tenant = "nobody.example" }, auth.UnknownTenant},
		"unknown application": {func(c *m365.Config) { c.Application = "00000000-0000-0000-0000-000000000001" }, auth.UnknownApplication},
	} {
		t.Run(name, func(t *testing.T) {
			c := config
			tc.change(&c)
			_, err := open(t, c).Organization(t.Context())
			var e *auth.Error
			if !errors.As(err, &e) || e.Reason != tc.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSimulatedUsersAndTokenExpiry(t *testing.T) {
	s, config := simulated(t, sim.Options{Users: 23})
	c := open(t, config)
	l := graph.List{Top: 5}
	list := func() map[string]bool {
		seen := map[string]bool{}
		p, err := c.Users(t.Context(), l)
		for u, err := range graph.All(t.Context(), c, p, err, l) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[u.ID] || u.UserPrincipalName == "" {
				t.Errorf("user %+v", u)
			}
			seen[u.ID] = true
		}
		return seen
	}
	if n := len(list()); n < 23 {
		t.Errorf("%d users", n)
	}
	s.RevokeTokens()
	if n := len(list()); n < 23 {
		t.Errorf("%d users after the tokens were revoked", n)
	}
	s.Clock().Move(3 * time.Hour)
	if n := len(list()); n < 23 {
		t.Errorf("%d users after the token's life", n)
	}
	s.SetRoles([]string{"User.Read.All"})
	missing, err := open(t, config).CheckPermissions(t.Context(), "User.Read.All", "Mail.Read")
	if err != nil || strings.Join(missing, " ") != "Mail.Read" {
		t.Errorf("missing %v, %v", missing, err)
	}
	_, err = open(t, config).UserDrive(t.Context(), s.Tenant().Users[0].ID)
	if m365.KindOf(err) != m365.Denied || !strings.Contains(err.Error(), "Files.Read.All") {
		t.Errorf("without the permission: %v", err)
	}
}

func TestSimulatedLimitsAreNeverExceeded(t *testing.T) {
	s, config := simulated(t, sim.Options{Limits: sim.LimitsEnforce, FilesPer: 40})
	config.Limits = throttle.Limits{} // the published ones
	c := open(t, config)
	var account m365.Account
	ctx := m365.WithAccount(t.Context(), &account)
	drive := s.Tenant().Users[0].Drive
	l := graph.List{Top: 500}
	p, err := c.DriveDelta(ctx, drive, l)
	for i, err := range graph.All(ctx, c, p, err, l) {
		if err != nil {
			t.Fatal(err)
		}
		if i.IsFolder() || i.Deleted != nil || i.Malware != nil {
			continue
		}
		r, err := c.OpenContent(ctx, graph.ContentOf{Drive: drive, Item: i.ID, Address: i.DownloadURL, Size: i.Size})
		if err != nil {
			t.Fatal(err)
		}
		var q graph.QuickXor
		if _, err := io.Copy(&q, r); err != nil || q.Text() != i.Hash() {
			t.Errorf("%s: hash %s, want %s, %v", i.Name, q.Text(), i.Hash(), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	stats, usage := s.Stats(), account.Usage()
	if stats.Violations > 0 || stats.EarlyRetries > 0 {
		t.Errorf("violations: %+v", stats.ViolationList)
	}
	if used := stats.ResourceUnits["sharepoint"]; usage.Units != used {
		t.Errorf("%d units counted here, %d there", usage.Units, used)
	}
}
