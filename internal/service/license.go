package service

import (
	"context"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Licenses report use. Holdfast is free software: nothing is limited and nothing expires.
type Licenses struct{ *core }

// LicenseCounts counts users that backups protect.
type LicenseCounts struct {
	Licensed int // protected users
	New      int // of them, protected for the first time within a month
}

// LicensedUser is a protected user in the usage report.
type LicensedUser struct {
	ID           string
	Name         string
	Organization holdfast.Organization
	First, Last  time.Time // backups
	New          bool
}

// newFor is how long a user counts as new.
const newFor = 30 * 24 * time.Hour

// Counts counts the protected users of an organization, or of all with an empty id.
func (l *Licenses) Counts(ctx context.Context, u User, org holdfast.OrganizationID) (LicenseCounts, error) {
	if org != "" {
		if _, err := (&Organizations{l.core}).Get(ctx, u, org); err != nil {
			return LicenseCounts{}, err
		}
	}
	users, err := l.Users(ctx, u, org, "", holdfast.Page{})
	var n LicenseCounts
	for _, one := range users {
		n.Licensed++
		if one.New {
			n.New++
		}
	}
	return n, err
}

// Users lists the protected users whose name or address holds name.
func (l *Licenses) Users(ctx context.Context, u User, org holdfast.OrganizationID, name string, page holdfast.Page) ([]LicensedUser, error) {
	users, err := (&Protected{l.core}).Users(ctx, u, ProtectedFilter{Organization: org}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	orgs, err := (&Organizations{l.core}).List(ctx, u, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var out []LicensedUser
	for _, one := range users {
		if name != "" && !strings.Contains(strings.ToLower(one.Name+" "+one.Address), strings.ToLower(name)) {
			continue
		}
		lu := LicensedUser{ID: one.ID, Name: one.Address, Organization: holdfast.Organization{ID: one.Organization}}
		for _, o := range orgs {
			if o.ID == one.Organization {
				lu.Organization = o
			}
		}
		for _, c := range one.Containers {
			if lu.First.IsZero() || c.First.Before(lu.First) {
				lu.First = c.First
			}
			if c.HeadTime.After(lu.Last) {
				lu.Last = c.HeadTime
			}
		}
		lu.New = l.now().Sub(lu.First) < newFor
		out = append(out, lu)
	}
	return window(out, page), nil
}
