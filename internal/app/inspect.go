package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/service"
)

// probedUsers bounds how many users are tried until one has the workload.
const probedUsers = 10

// CertificateEnds is when the credential's certificate ends; zero without one.
func (m *microsoft) CertificateEnds(cred holdfast.Credential) time.Time {
	if c, err := credentialOf(cred); err == nil && c.Certificate() != nil {
		return c.Certificate().NotAfter
	}
	return time.Time{}
}

// Inspect signs in anew and tries what backups need.
func (m *microsoft) Inspect(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (service.Inspection, error) {
	var account m365.Account
	ctx = m365.WithAccount(ctx, &account)
	i := service.Inspection{CertificateEnds: m.CertificateEnds(cred)}
	g, err := m.dial(org, cred)
	if err != nil {
		return i, err
	}
	defer g.M365().Close()
	if i.Tenant, i.SignIn = m.Check(ctx, org, cred); i.SignIn != nil {
		return i, nil
	}
	i.Tenant.Permissions = slices.DeleteFunc(i.Tenant.Permissions, func(p service.Permission) bool { return !offered(g.M365().Cloud(), p.Name) })
	roles, err := g.M365().Roles(ctx)
	if err != nil {
		return i, forUser(err)
	}
	i.Extra = extra(org, roles)
	before := m.clock.Now()
	resp, err := g.M365().Do(ctx, m365.Call{Method: http.MethodGet, URL: "/v1.0/organization?$select=id", JSON: true})
	if err == nil {
		if at, perr := http.ParseTime(resp.Header.Get("Date")); perr == nil {
			i.Clock, i.ClockKnown = at.Sub(before.Add(m.clock.Now().Sub(before)/2)), true
		}
	}
	i.Probes = m.probe(ctx, g, org)
	used := account.Usage()
	i.Requests, i.Throttled = used.Requests, used.Throttled
	return i, ctx.Err()
}

// extra are the permissions that nothing protected here needs.
func extra(org holdfast.Organization, roles []string) []string {
	return slices.DeleteFunc(slices.Sorted(slices.Values(roles)), func(role string) bool {
		return slices.ContainsFunc(wanted, func(p service.Permission) bool {
			return p.API == graphAPI && p.Name == role && slices.Contains(service.Uses(org), p.Use)
		})
	})
}

// probe reads a little of each workload.
func (m *microsoft) probe(ctx context.Context, g *graph.Client, org holdfast.Organization) []service.Probe {
	users, err := g.Users(ctx, graph.List{Top: probedUsers})
	if err != nil {
		return []service.Probe{{Workload: "directory", Err: err}}
	}
	out := []service.Probe{{Workload: "directory", Detail: "users are listed"}}
	try := func(workload string, one func(*graph.User) (string, error)) {
		p := service.Probe{Workload: workload, Detail: fmt.Sprintf("none of the first %d users has it", len(users.Value))}
		for i := range users.Value {
			detail, err := one(&users.Value[i])
			kind := m365.KindOf(err)
			if kind == m365.NotFound || kind == m365.Unlicensed {
				continue
			}
			p.Detail, p.Err = detail, err
			break
		}
		out = append(out, p)
	}
	if org.Exchange {
		try("Exchange Online", func(u *graph.User) (string, error) {
			_, err := g.MailFolder(ctx, u.ID, "inbox", graph.List{})
			return "the inbox of " + u.UserPrincipalName + " can be read" + mailBy(g.M365().Cloud()), err
		})
	}
	if org.SharePoint {
		try("OneDrive", func(u *graph.User) (string, error) {
			d, err := g.UserDrive(ctx, u.ID)
			if err != nil {
				return "", err
			}
			return "the drive of " + u.UserPrincipalName + " can be read" + quotaOf(d), nil
		})
		out = append(out, probeSites(ctx, g))
	}
	return out
}

// probeSites reads the root site, by Graph and by SharePoint's own interface.
func probeSites(ctx context.Context, g *graph.Client) service.Probe {
	p := service.Probe{Workload: "SharePoint sites"}
	root, err := g.Site(ctx, "root", graph.List{Select: []string{"id", "webUrl"}})
	if m365.KindOf(err) == m365.NotFound {
		p.Detail = "the organization has none"
		return p
	} else if err != nil {
		p.Err = forUser(err)
		return p
	}
	p.Detail = root.WebURL + " can be read"
	if !g.M365().ByCertificate() {
		p.Detail += "; attachments, permissions and views can't, for SharePoint itself takes only applications that sign in by certificate"
		return p
	}
	web, err := sharepoint.At(g.M365(), root.WebURL)
	if err == nil {
		_, err = web.Groups(ctx)
	}
	if err != nil {
		p.Err = forUser(err)
	}
	return p
}

// mailBy says how changes of mail are found where that is not by delta.
func mailBy(c m365.Cloud) string {
	if c.Has(m365.MessageDelta) {
		return ""
	}
	return "; this cloud has no list of changes, so each backup compares lists"
}

// quotaOf says how much of a drive's quota is used.
func quotaOf(d *graph.Drive) string {
	var q struct {
		Quota *struct {
			Used  int64  `json:"used"`
			Total int64  `json:"total"`
			State string `json:"state"`
		} `json:"quota"`
	}
	if json.Unmarshal(d.Raw, &q) != nil || q.Quota == nil || q.Quota.Total == 0 {
		return ""
	}
	return fmt.Sprintf("; %.1f of %.1f GiB of its quota are used (%s)", float64(q.Quota.Used)/(1<<30), float64(q.Quota.Total)/(1<<30), q.Quota.State)
}
