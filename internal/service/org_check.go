package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"holdfast/internal/holdfast"
)

// FindingState says how a finding is to be taken.
type FindingState string

// The states. An error stops backups or restores, a warning will, or gives more than is needed.
const (
	FindingOK      FindingState = "ok"
	FindingWarning FindingState = "warning"
	FindingError   FindingState = "error"
	FindingNote    FindingState = "note"
)

// Finding is one thing that a check of an organization looked at.
type Finding struct {
	Area   string // sign-in, right, workload, clock, certificate, throttling, note
	Name   string
	State  FindingState
	Detail string
	Fix    string // what to do; empty when nothing is
}

// CertificateWarning is how long before its end a certificate is warned of; CertificateUrgent how long before it is an error.
const (
	CertificateWarning = 30 * 24 * time.Hour
	CertificateUrgent  = 3 * 24 * time.Hour
)

// clockWarning and clockError are differences from Microsoft's clock: Entra takes no assertion that is off by more than five minutes.
const (
	clockWarning = time.Minute
	clockError   = 4 * time.Minute
)

// Inspect looks at everything that backups and restores of an organization need from Microsoft, live.
func (o *Organizations) Inspect(ctx context.Context, u User, id holdfast.OrganizationID) ([]Finding, error) {
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return nil, err
	}
	if o.Registrar == nil {
		return nil, holdfast.Unavailable("this server has no connection to Microsoft 365")
	}
	i, err := o.Registrar.Inspect(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	throttled, err := o.throttledLately(ctx, id)
	if err != nil {
		return nil, err
	}
	return findings(org, i, throttled, o.now()), nil
}

// throttledLately is how long the newest session of each of an organization's jobs waited because Microsoft asked for it.
func (o *Organizations) throttledLately(ctx context.Context, id holdfast.OrganizationID) (time.Duration, error) {
	return read(ctx, o.core, func(ctx context.Context, tx Tx) (time.Duration, error) {
		jobs, err := tx.Jobs(ctx, holdfast.JobFilter{Organization: id}, holdfast.Page{})
		if err != nil {
			return 0, err
		}
		var sum time.Duration
		for _, j := range jobs {
			last, err := tx.JobSessions(ctx, holdfast.SessionFilter{Job: j.ID}, holdfast.Page{Limit: 1})
			if err != nil {
				return 0, err
			}
			if len(last) > 0 {
				sum += last[0].Statistics.Throttled
			}
		}
		return sum, nil
	})
}

// findings says what an inspection means.
func findings(org holdfast.Organization, i Inspection, throttled time.Duration, now time.Time) []Finding {
	var out []Finding
	add := func(area, name string, state FindingState, detail, fix string) {
		out = append(out, Finding{area, name, state, detail, fix})
	}
	if i.SignIn != nil {
		add("sign-in", holdfast.SayApplication.With(org.ApplicationID), FindingError, i.SignIn.Error(), holdfast.SaySignInFirst.With())
	} else {
		add("sign-in", holdfast.SayApplication.With(org.ApplicationID), FindingOK, holdfast.SaySignedIn.With(i.Tenant.TenantID), "")
		uses := Uses(org)
		for _, p := range i.Tenant.Permissions {
			name := p.Name
			if p.API != "Microsoft Graph" {
				name += " (" + p.API + ")"
			}
			switch needed := slices.Contains(uses, p.Use); {
			case needed && p.Granted:
				add("right", name, FindingOK, holdfast.SayPresent.With(p.Why), "")
			case needed && slices.Contains(backupUses(org), p.Use):
				add("right", name, FindingError, holdfast.SayMissing.With(p.Why), holdfast.SayAddPermission.With())
			case needed:
				without := holdfast.SayMissingPart
				if p.Use == UseMailExport || p.Use == UseMailImport {
					without = holdfast.SayMissingExport
				}
				add("right", name, FindingWarning, without.With(p.Why), holdfast.SayAddPermission.With())
			}
		}
		for _, name := range i.Extra {
			add("right", name, FindingWarning, holdfast.SayTooMuch.With(), holdfast.SayRemovePermission.With())
		}
		for _, p := range i.Probes {
			if p.Err != nil {
				add("workload", p.Workload, FindingError, p.Err.Error(), holdfast.SayLookAtRights.With())
			} else {
				add("workload", p.Workload, FindingOK, p.Detail, "")
			}
		}
	}
	if i.ClockKnown {
		off := i.Clock.Abs().Round(time.Second)
		state, fix := FindingOK, ""
		if off >= clockWarning {
			state, fix = FindingWarning, holdfast.SaySetClock.With()
		}
		if off >= clockError {
			state = FindingError
		}
		add("clock", "difference from Microsoft's", state, off.String(), fix)
	}
	switch left := i.CertificateEnds.Sub(now); {
	case i.CertificateEnds.IsZero():
		add("certificate", "none", FindingWarning, holdfast.SayBySecret.With(), fmt.Sprintf("holdfast org renew %s --sign-in", org.Name))
	case left < CertificateUrgent:
		add("certificate", org.CertificateThumbprint, FindingError, holdfast.SayCertificateEnds.With(i.CertificateEnds.Format(time.DateOnly)), "holdfast org renew "+org.Name)
	case left < CertificateWarning:
		add("certificate", org.CertificateThumbprint, FindingWarning, holdfast.SayCertificateEnds.With(i.CertificateEnds.Format(time.DateOnly)), "holdfast org renew "+org.Name)
	default:
		add("certificate", org.CertificateThumbprint, FindingOK, holdfast.SayCertificateEnds.With(i.CertificateEnds.Format(time.DateOnly)), "")
	}
	detail := holdfast.SayRequests.With(i.Requests, i.Throttled, throttled.Round(time.Second))
	state, fix := FindingOK, ""
	if i.Throttled > 0 || throttled > time.Hour {
		state, fix = FindingWarning, holdfast.SaySpreadJobs.With()
	}
	add("throttling", "Microsoft's limits", state, detail, fix)
	if org.Exchange {
		for _, n := range mailNotes(org.Region) {
			add("note", "mail", FindingNote, n, "")
		}
	}
	return out
}

// mailNotes are what an administrator should know of the interfaces that mail goes through. docs/onboarding.md has them too.
func mailNotes(region holdfast.Region) []string {
	notes := []string{holdfast.SayMailAdvanced.With()}
	if region == holdfast.Worldwide {
		notes = append(notes, holdfast.SayExportMeant.With())
	}
	return notes
}

// certificateWarnings names the organizations whose certificate ends soon.
func (c *core) certificateWarnings(ctx context.Context) ([]string, error) {
	if c.Registrar == nil {
		return nil, nil
	}
	return read(ctx, c, func(ctx context.Context, tx Tx) ([]string, error) {
		all, err := tx.Organizations(ctx, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		var out []string
		for _, org := range all {
			cred, err := c.sealed(ctx, tx, credentialSecret(org.ID))
			if missing(err) {
				continue
			} else if err != nil {
				return nil, err
			}
			ends := c.Registrar.CertificateEnds(cred)
			if ends.IsZero() || ends.Sub(c.now()) >= CertificateWarning {
				continue
			}
			say := holdfast.SayCertificateWillEnd
			if !ends.After(c.now()) {
				say = holdfast.SayCertificateDidEnd
			}
			out = append(out, say.With(org.Name, ends.Format(time.DateOnly), org.Name))
		}
		return out, nil
	})
}

// Renew gives the organization's application a new certificate: made here, added beside the old one, used once it works; then the old one is
// removed. userCode is that of an administrator's sign-in, for an application that Holdfast did not register.
func (o *Organizations) Renew(ctx context.Context, u User, id holdfast.OrganizationID, userCode string) (org holdfast.Organization, note string, err error) {
	if err := o.may(u, ActChangeOrg); err != nil {
		return org, "", err
	}
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return org, "", err
	}
	if o.Registrar == nil {
		return org, "", holdfast.Unavailable("this server has no connection to Microsoft 365")
	}
	var s *AdminSignIn
	switch {
	case userCode != "":
		in, err := o.signIn(ctx, u, userCode)
		if err != nil {
			return org, "", err
		} else if in.Token == "" {
			return org, "", holdfast.Conflict("nobody has signed in with code %s yet: enter it at %s", in.UserCode, in.VerificationURL)
		}
		o.devices.forget(in.UserCode)
		s = &in
		defer func() {
			if err := o.Registrar.Finish(context.WithoutCancel(ctx), in); err != nil {
				o.Log.WarnContext(ctx, "the administrator's consent for the renewal is left in Entra", "error", err)
			}
		}()
	case cred.ApplicationObject == "" || cred.Certificate == "":
		return org, "", holdfast.Conflict("application %s was not registered by Holdfast, so it cannot renew its certificate by itself: have an administrator sign in once (holdfast org renew %s --sign-in)", cred.ApplicationID, org.Name)
	}
	r, err := o.Registrar.AddCertificate(ctx, s, org, cred)
	if err != nil {
		return org, "", err
	}
	tenant, err := o.Directory.Check(ctx, org, r.Credential)
	if err != nil {
		return org, "", err
	}
	busy := false
	err = o.changeAs(ctx, u, ActChangeOrg, func(ctx context.Context, tx Tx) error {
		now, err := tx.Organization(ctx, id)
		if err != nil {
			return err
		}
		now.CertificateThumbprint = tenant.Thumbprint
		org = now
		if busy, err = inUse(ctx, tx, id); err != nil {
			return err
		}
		if err := o.audit(ctx, tx, u, "organization.renew", "organization/"+string(id), holdfast.SayCertificateRenewed.With(org.Name, cred.ApplicationID, tenant.Thumbprint)); err != nil {
			return err
		}
		if err := o.putCredential(ctx, tx, id, r.Credential); err != nil {
			return err
		}
		return tx.PutOrganization(ctx, now)
	})
	if err != nil {
		return org, "", err
	}
	switch {
	case r.OldKey == "":
		return org, "the old certificate or secret stays in Entra until somebody removes it under Certificates & secrets", nil
	case busy:
		return org, "the old certificate stays in Entra, for sessions that run still sign in with it; remove it there under Certificates & secrets, or let it end", nil
	}
	if err := o.Registrar.RemoveCertificate(ctx, org, r.Credential, r.OldKey); err != nil {
		return org, "the new certificate works; the old one could not be removed: " + err.Error(), nil
	}
	return org, "", nil
}

// inUse tells whether something signs in as the organization's application now.
func inUse(ctx context.Context, tx Tx, id holdfast.OrganizationID) (bool, error) {
	jobs, err := tx.Jobs(ctx, holdfast.JobFilter{Organization: id}, holdfast.Page{})
	if err != nil {
		return false, err
	}
	for _, j := range jobs {
		running, err := tx.JobSessions(ctx, holdfast.SessionFilter{Job: j.ID, Active: true}, holdfast.Page{Limit: 1})
		if err != nil || len(running) > 0 {
			return true, err
		}
	}
	open, err := tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Organization: id, Active: true}, holdfast.Page{Limit: 1})
	return len(open) > 0, err
}

// Worst is the worst state among findings.
func Worst(all []Finding) FindingState {
	worst := FindingOK
	for _, f := range all {
		if f.State == FindingError || f.State == FindingWarning && worst == FindingOK {
			worst = f.State
		}
	}
	return worst
}
