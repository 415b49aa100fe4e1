package app

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/service"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

// inspected is an organization that protects everything, and its application.
func (o onboarding) inspected() (holdfast.Organization, holdfast.Credential) {
	t := o.sim.Tenant()
	pfx, err := base64.StdEncoding.DecodeString(t.CertificatePFX)
	if err != nil {
		o.Fatal(err)
	}
	return holdfast.Organization{Name: t.Domain, TenantID: t.TenantID, Region: holdfast.Worldwide, ApplicationID: t.ApplicationID,
			Exchange: true, SharePoint: true, Teams: true, TeamsChats: true, Chats: true},
		holdfast.Credential{TenantID: t.TenantID, ApplicationID: t.ApplicationID, Certificate: holdfast.Secret(pfx), CertificatePassword: holdfast.Secret(t.CertificatePassword)}
}

// TestACheckReadsEachWorkload: and each permission that is taken away fails what it is for, and nothing else.
func TestACheckReadsEachWorkload(t *testing.T) {
	o := startOnboarding(t, sim.Options{Users: 3, Team: sim.TeamShape{Teams: 1}})
	org, cred := o.inspected()
	look := func(without ...string) (failed []string, i service.Inspection) {
		t.Helper()
		roles := []string{}
		for _, p := range wanted {
			if !slices.Contains(without, p.Name) {
				roles = append(roles, p.Name)
			}
		}
		o.sim.SetRoles(roles)
		i, err := o.m.Inspect(t.Context(), org, cred)
		if err != nil || i.SignIn != nil {
			t.Fatal(err, i.SignIn)
		}
		var all []string
		for _, p := range i.Probes {
			all = append(all, p.Workload)
			if p.Err != nil {
				failed = append(failed, p.Workload)
			} else if p.Detail == "" {
				t.Errorf("%s is fine, and nothing says why", p.Workload)
			}
		}
		if want := []string{"directory", "Exchange Online", "OneDrive", "SharePoint sites", "Teams", "Chats"}; !slices.Equal(all, want) && !slices.Contains(failed, "directory") {
			t.Errorf("looked at %q, want %q", all, want)
		}
		return failed, i
	}
	if failed, i := look(); len(failed) > 0 || !slices.Equal(i.Extra, []string{"Sites.FullControl.All"}) { // which the simulator grants at Graph as at SharePoint
		t.Errorf("with every permission %q fail, and too much are %q", failed, i.Extra)
	}
	for _, tc := range []struct {
		without []string
		fails   string
	}{
		{[]string{"User.Read.All"}, "directory"},
		{[]string{"Mail.Read", "Mail.ReadWrite"}, "Exchange Online"},
		{[]string{"Team.ReadBasic.All", "Group.Read.All", "Group.ReadWrite.All"}, "Teams"},
		{[]string{"Channel.ReadBasic.All", "Group.Read.All", "Group.ReadWrite.All"}, "Teams"},
		{[]string{"ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"}, "Teams"},
		{[]string{"Chat.Read.All"}, "Chats"},
	} {
		if failed, _ := look(tc.without...); !slices.Equal(failed, []string{tc.fails}) {
			t.Errorf("without %q fail %q, want %s", tc.without, failed, tc.fails)
		}
	}
}

// TestWhatHoldsANeededPermissionIsNotTooMuch: who followed the advice to take it away would lose the permission within it.
func TestWhatHoldsANeededPermissionIsNotTooMuch(t *testing.T) {
	org := holdfast.Organization{Region: holdfast.Worldwide, Exchange: true}
	roles := []string{"Directory.Read.All", "Mail.ReadWrite", "Mail.Send"}
	if got := extra(org, roles); !slices.Equal(got, []string{"Mail.Send"}) {
		t.Errorf("too much are %q", got)
	}
	if got := extra(org, append(roles, "Organization.Read.All", "User.Read.All", "Group.Read.All")); !slices.Equal(got, []string{"Directory.Read.All", "Mail.Send"}) {
		t.Errorf("too much are %q", got)
	}
}

// TestACheckTellsOfAClockThatIsOff also when it is why nobody can sign in.
func TestACheckTellsOfAClockThatIsOff(t *testing.T) {
	o := startOnboarding(t, sim.Options{Users: 1})
	org, cred := o.inspected()
	m := &microsoft{network: o.m.network, clock: sys.System, limits: throttle.Unlimited(), version: "test"}
	t.Cleanup(m.Close)
	for _, ahead := range []time.Duration{-2 * time.Hour, -9 * time.Minute, time.Hour} {
		o.sim.Clock().Move(ahead)
		i, err := m.Inspect(t.Context(), org, cred)
		o.sim.Clock().Move(-ahead)
		if err != nil {
			t.Fatal(err)
		}
		if i.SignIn == nil || !strings.Contains(i.SignIn.Error(), "this machine's clock") {
			t.Errorf("Microsoft's clock is ahead by %s: the sign-in says %v", ahead, i.SignIn)
		}
		if off := (i.Clock - ahead).Abs(); !i.ClockKnown || off > 30*time.Second {
			t.Errorf("Microsoft's clock is ahead by %s: the check says %s (known: %v)", ahead, i.Clock, i.ClockKnown)
		}
	}
}
