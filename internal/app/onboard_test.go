package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/service"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

// hasty is the simulator's clock, which moves when somebody waits.
type hasty struct{ *sys.Shifted }

func (h hasty) Sleep(ctx context.Context, d time.Duration) error {
	h.Move(d)
	return ctx.Err()
}

// onboarding is a simulator and what registers with it.
type onboarding struct {
	*testing.T
	sim *sim.Sim
	m   *microsoft
}

func startOnboarding(t *testing.T, o sim.Options) onboarding {
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
	m := &microsoft{network: m365.Network{Dial: s.Addr(), CA: ca}, clock: hasty{s.Clock()}, limits: throttle.Unlimited(), version: "test"}
	t.Cleanup(m.Close)
	return onboarding{t, s, m}
}

func (o onboarding) answer(how map[string]any) {
	o.Helper()
	b, err := json.Marshal(how)
	if err != nil {
		o.Fatal(err)
	}
	resp, err := http.Post("http://"+o.sim.ControlAddr()+"/devices", "application/json", bytes.NewReader(b))
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		o.Fatalf("control: %s", resp.Status)
	}
}

func (o onboarding) signIn(tenant string) service.AdminSignIn {
	o.Helper()
	s, err := o.m.BeginSignIn(o.Context(), holdfast.Region(o.sim.Tenant().Region), tenant)
	if err != nil {
		o.Fatal(err)
	}
	return s
}

func (o onboarding) ask(s service.AdminSignIn) (service.AdminSignIn, error) {
	o.sim.Clock().Move(s.Interval)
	return o.m.AskSignIn(o.Context(), s)
}

func TestSignInByDeviceCodeSaysWhatWentWrong(t *testing.T) {
	o := startOnboarding(t, sim.Options{Users: 2})
	s := o.signIn("")
	if s.VerificationURL != "https://microsoft.com/devicelogin" || len(s.UserCode) < 8 || strings.Contains(fmt.Sprintf("%v %+v", s, s), string(s.DeviceCode)) {
		t.Errorf("the code: %+v", s)
	}
	waiting, err := o.ask(s)
	if err != nil || waiting.Token != "" {
		t.Fatalf("nobody has signed in: %v", err)
	}
	// Too often: the interval grows, and it is no error.
	slower, err := o.m.AskSignIn(t.Context(), waiting)
	if err != nil || slower.Interval <= s.Interval {
		t.Errorf("asked too often: interval %s, %v", slower.Interval, err)
	}
	o.answer(map[string]any{"answer": "decline"})
	if _, err := o.ask(slower); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "declined") {
		t.Errorf("declined: %v", err)
	}
	late := o.signIn("")
	o.sim.Clock().Move(20 * time.Minute)
	if _, err := o.ask(late); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired on our clock: %v", err)
	}
	late = o.signIn("")
	o.answer(map[string]any{"answer": "expire"})
	if _, err := o.ask(late); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired on Entra's: %v", err)
	}
	if _, err := o.m.BeginSignIn(t.Context(), holdfast.Worldwide, "nobody.example"); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), `no organization "nobody.example"`) {
		t.Errorf("an unknown tenant: %v", err)
	}
	other := o.signIn("")
	o.answer(map[string]any{"answer": "accept", "tenant": "11111111-2222-3333-4444-555555555555"})
	other, err = o.ask(other)
	if err != nil || other.TenantID != "11111111-2222-3333-4444-555555555555" {
		t.Fatal(other.TenantID, err)
	}
	before := o.sim.Stats().Calls
	_, err = o.m.Register(t.Context(), other, service.Registration{Name: "x", Tenant: o.sim.Tenant().Domain, Uses: []service.PermissionUse{service.UseDirectory}})
	if holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "signed in to tenant 11111111") || !strings.Contains(err.Error(), o.sim.Tenant().Domain) {
		t.Errorf("the wrong tenant: %v", err)
	}
	if n := o.sim.Stats().Calls - before; n != 1 { // which tenant the domain is
		t.Errorf("%d calls for the wrong tenant", n)
	}
}

func TestRegisteredApplicationHasWhatTheWorkloadsNeed(t *testing.T) {
	for _, cloud := range []string{"worldwide", "china"} {
		t.Run(cloud, func(t *testing.T) {
			o := startOnboarding(t, sim.Options{Users: 2, Cloud: cloud, Replication: 30 * time.Second})
			s := o.signIn(o.sim.Tenant().Domain)
			o.answer(map[string]any{"answer": "accept"})
			s, err := o.ask(s)
			if err != nil || s.TenantID != o.sim.Tenant().TenantID {
				t.Fatal(s.TenantID, err)
			}
			cred, err := o.m.Register(t.Context(), s, service.Registration{Name: "Holdfast of test", Tenant: o.sim.Tenant().Domain, Uses: []service.PermissionUse{service.UseDirectory, service.UseMailBackup, service.UseMailRestore}})
			if err != nil {
				t.Fatal(err)
			}
			if err := o.m.Finish(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			org := holdfast.Organization{Region: s.Region, TenantID: s.TenantID}
			g, err := o.m.dial(org, cred)
			if err != nil {
				t.Fatal(err)
			}
			defer g.M365().Close()
			roles, err := g.M365().Roles(t.Context())
			want := []string{"Group.Read.All", "Mail.Read", "Mail.ReadWrite", "Organization.Read.All", "User.Read.All"}
			if slices.Sort(roles); err != nil || !slices.Equal(roles, want) {
				t.Errorf("roles %v, want %v, %v", roles, want, err)
			}
			if cred.KeyID == "" || cred.ApplicationObject == "" || !strings.Contains(string(cred.Certificate), "PRIVATE KEY") || cred.ApplicationSecret != "" {
				t.Error("the credential is not whole")
			}
			// What the administrator consented to is taken back.
			if n := o.sim.Stats().Endpoints["DELETE /v1.0/oauth2PermissionGrants/{grant}"]; n.Calls != 1 || n.Errors != 0 {
				t.Errorf("the consent was taken back %+v", n)
			}
			if n := o.sim.Stats().TokenCanary; n != 0 {
				t.Errorf("%d tokens at other hosts", n)
			}
		})
	}
}

// A registration that fails leaves nothing behind.
func TestARegistrationThatFailsIsTakenBack(t *testing.T) {
	o := startOnboarding(t, sim.Options{Users: 2})
	s := o.signIn("")
	o.answer(map[string]any{"answer": "accept", "user": o.sim.Tenant().Users[1].UPN}) // who may not grant
	s, err := o.ask(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.m.Register(t.Context(), s, service.Registration{Name: "Left behind", Uses: []service.PermissionUse{service.UseDirectory}}); holdfast.KindOf(err) != holdfast.KindDenied {
		t.Errorf("got %v", err)
	}
	st := o.sim.Stats()
	if st.Endpoints["POST /v1.0/applications"].Calls != 1 || st.Endpoints["DELETE /v1.0/applications/{application}"].Calls != 1 {
		t.Errorf("applications made %d, deleted %d", st.Endpoints["POST /v1.0/applications"].Calls, st.Endpoints["DELETE /v1.0/applications/{application}"].Calls)
	}
}
