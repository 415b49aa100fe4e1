package rest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// registrar is an Entra whose administrator signs in at the second question. Each code of it is another one.
type registrar struct {
	clock *stillClock
	codes int
	asked map[string]int
}

func (r *registrar) BeginSignIn(_ context.Context, region holdfast.Region, wanted string) (service.AdminSignIn, error) {
	r.codes++
	return service.AdminSignIn{Region: region, Tenant: wanted, UserCode: fmt.Sprintf("BCDF%05d", r.codes), VerificationURL: "https://microsoft.com/devicelogin", Message: "sign in",
		Expires: r.clock.Now().Add(15 * time.Minute), Interval: 5 * time.Second, DeviceCode: "a secret"}, nil
}

func (r *registrar) AskSignIn(_ context.Context, s service.AdminSignIn) (service.AdminSignIn, error) {
	if r.asked[s.UserCode]++; r.asked[s.UserCode] < 2 {
		return s, nil
	}
	if s.UserCode == "BCDF00002" {
		return s, holdfast.Invalid("the sign-in was declined; begin again, and accept what the application asks for")
	}
	s.Token, s.TenantID, s.Person = "token", otherTenant, "admin@fabrikam.example"
	return s, nil
}

func (*registrar) Register(_ context.Context, s service.AdminSignIn, g service.Registration) (holdfast.Credential, error) {
	if g.Tenant != "fabrikam.example" {
		return holdfast.Credential{}, holdfast.Invalid("%s signed in to another tenant than %s", s.Person, g.Tenant)
	}
	return holdfast.Credential{TenantID: s.TenantID, ApplicationID: otherApplication, Certificate: "a certificate", ApplicationObject: bob, KeyID: ada}, nil
}

func (*registrar) Discard(context.Context, service.AdminSignIn, holdfast.Credential) error {
	return errors.New("nothing was to be taken back")
}

func (*registrar) Finish(context.Context, service.AdminSignIn) error { return nil }

func (*registrar) AddCertificate(_ context.Context, _ *service.AdminSignIn, _ holdfast.Organization, cred holdfast.Credential) (service.Renewal, error) {
	r := service.Renewal{Credential: cred, OldKey: cred.KeyID}
	r.Credential.Certificate, r.Credential.KeyID = "another certificate", bob
	return r, nil
}

func (*registrar) RemoveCertificate(context.Context, holdfast.Organization, holdfast.Credential, string) error {
	return nil
}

func (r *registrar) CertificateEnds(cred holdfast.Credential) time.Time {
	if cred.Certificate == "" {
		return time.Time{}
	}
	if cred.Certificate == "a certificate" {
		return r.clock.Now().Add(20 * 24 * time.Hour)
	}
	return r.clock.Now().Add(600 * 24 * time.Hour)
}

func (r *registrar) Inspect(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (service.Inspection, error) {
	denied := ""
	t, err := directory{&denied}.Check(ctx, org, cred)
	return service.Inspection{Tenant: t, SignIn: err, Extra: []string{"Directory.ReadWrite.All"}, Clock: 90 * time.Second, ClockKnown: true, CertificateEnds: r.CertificateEnds(cred), Requests: 7,
		Probes: []service.Probe{{Workload: "Exchange Online", Detail: "the inbox of ada@contoso.example can be read"}, {Workload: "OneDrive", Err: errors.New("the site is locked")}}}, nil
}
