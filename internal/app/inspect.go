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
		// The clock is a reason why a sign-in fails, and the login host tells its time to everybody.
		m.compareClocks(&i, func() (time.Time, error) { return g.M365().Users().ServiceTime(ctx, tenantOf(org, cred)) })
		return i, ctx.Err()
	}
	i.Tenant.Permissions = slices.DeleteFunc(i.Tenant.Permissions, func(p service.Permission) bool { return !offered(g.M365().Cloud(), p.Name) })
	roles, err := g.M365().Roles(ctx)
	if err != nil {
		return i, forUser(err)
	}
	i.Extra = extra(org, roles)
	m.compareClocks(&i, func() (time.Time, error) {
		resp, err := g.M365().Do(ctx, m365.Call{Method: http.MethodGet, URL: "/v1.0/organization?$select=id", JSON: true})
		if err != nil {
			return time.Time{}, err
		}
		return http.ParseTime(resp.Header.Get("Date"))
	})
	i.Probes = m.probe(ctx, g, org)
	used := account.Usage()
	i.Requests, i.Throttled = used.Requests, used.Throttled
	return i, ctx.Err()
}

// compareClocks notes how far the service's clock is from ours, when it tells its time.
func (m *microsoft) compareClocks(i *service.Inspection, service func() (time.Time, error)) {
	before := m.clock.Now()
	if at, err := service(); err == nil {
		i.Clock, i.ClockKnown = at.Sub(before.Add(m.clock.Now().Sub(before)/2)), true
	}
}

// extra are the permissions that nothing protected here needs. One that has a needed permission within it, which the application does not have by itself, is
// none of them: without it that permission would be missing.
func extra(org holdfast.Organization, roles []string) []string {
	uses := service.Uses(org)
	return slices.DeleteFunc(slices.Sorted(slices.Values(roles)), func(role string) bool {
		return slices.ContainsFunc(wanted, func(p service.Permission) bool {
			return p.API == graphAPI && slices.Contains(uses, p.Use) && (p.Name == role || !slices.Contains(roles, p.Name) && graph.Includes(role, p.Name))
		})
	})
}

// probe reads a little of each workload.
func (m *microsoft) probe(ctx context.Context, g *graph.Client, org holdfast.Organization) []service.Probe {
	users, err := g.Users(ctx, graph.List{Top: probedUsers})
	if err != nil {
		return []service.Probe{{Workload: "directory", Err: err}}
	}
	out := []service.Probe{{Workload: "directory", Detail: holdfast.SayUsersListed.With()}}
	try := func(workload string, one func(*graph.User) (string, error)) {
		p := service.Probe{Workload: workload, Detail: holdfast.SayNobodyHas.With(len(users.Value))}
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
			return inboxBy(g.M365().Cloud()).With(u.UserPrincipalName), err
		})
	}
	if org.SharePoint {
		try("OneDrive", func(u *graph.User) (string, error) {
			d, err := g.UserDrive(ctx, u.ID)
			if err != nil {
				return "", err
			}
			return driveRead(u.UserPrincipalName, d), nil
		})
		out = append(out, probeSites(ctx, g))
	}
	if org.Teams {
		out = append(out, probeTeams(ctx, g, org.TeamsChats))
	}
	if org.Chats {
		try("Chats", func(u *graph.User) (string, error) {
			_, err := g.UserChats(ctx, u.ID, graph.List{Top: 1})
			return holdfast.SayChatsListed.With(u.UserPrincipalName), err
		})
	}
	return out
}

// probeTeams reads the first team, the names of its channels, and of its posts one when they are protected.
func probeTeams(ctx context.Context, g *graph.Client, posts bool) service.Probe {
	p := service.Probe{Workload: "Teams"}
	groups, err := g.TeamGroups(ctx, graph.List{Top: 1})
	if err == nil && len(groups.Value) == 0 {
		p.Detail = holdfast.SayTeamless.With()
		return p
	}
	if err != nil {
		p.Err = forUser(err)
		return p
	}
	team := groups.Value[0]
	p.Detail = holdfast.SayTeamRead.With(team.DisplayName)
	if _, err = g.Team(ctx, team.ID); err == nil {
		_, err = g.Channels(ctx, team.ID)
	}
	if err == nil && posts {
		p.Detail = holdfast.SayTeamReadPosts.With(team.DisplayName)
		_, err = g.AllMessages(ctx, team.ID, graph.List{Top: 1})
	}
	if err != nil {
		p.Err = forUser(err)
	}
	return p
}

// probeSites reads the root site, by Graph and by SharePoint's own interface.
func probeSites(ctx context.Context, g *graph.Client) service.Probe {
	p := service.Probe{Workload: "SharePoint sites"}
	root, err := g.Site(ctx, "root", graph.List{Select: []string{"id", "webUrl"}})
	if m365.KindOf(err) == m365.NotFound {
		p.Detail = holdfast.SayNoSites.With()
		return p
	} else if err != nil {
		p.Err = forUser(err)
		return p
	}
	p.Detail = holdfast.SaySiteRead.With(root.WebURL)
	if !g.M365().ByCertificate() {
		p.Detail = holdfast.SaySiteReadBySecret.With(root.WebURL)
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

// inboxBy says that an inbox can be read, and how changes of mail are found where that is not by delta.
func inboxBy(c m365.Cloud) holdfast.Sentence {
	if c.Has(m365.MessageDelta) {
		return holdfast.SayInboxRead
	}
	return holdfast.SayInboxReadByLists
}

// driveRead says that a drive can be read, and how much of its quota is used.
func driveRead(user string, d *graph.Drive) string {
	var q struct {
		Quota *struct {
			Used  int64  `json:"used"`
			Total int64  `json:"total"`
			State string `json:"state"`
		} `json:"quota"`
	}
	if json.Unmarshal(d.Raw, &q) != nil || q.Quota == nil || q.Quota.Total == 0 {
		return holdfast.SayDriveRead.With(user)
	}
	gib := func(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<30)) }
	return holdfast.SayDriveReadQuota.With(user, gib(q.Quota.Used), gib(q.Quota.Total), q.Quota.State)
}
