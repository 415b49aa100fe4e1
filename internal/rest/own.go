package rest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// What Holdfast has beyond the contract lives below /holdfast/v1, in the same frame: same logins, errors, pages and casing.

const ownPrefix = "holdfast/v1"

var ownRoutes = slices.Concat(identityRoutes, organizationRoutes, portalRoutes, exploreRoutes, inquiryRoutes, basketRoutes, searchRoutes, savedSearchRoutes, []route{
	{"RecoveryKit_Export", "POST", repositoryPath + "/RecoveryKit", 200, service.ActExportKit, (*API).recoveryKitExport},
	{"Retention_Start", "POST", repositoryPath + "/Retention", 204, service.ActRunRetention, (*API).retentionStart},
	{"Permission_Get", "GET", organizationPath + "/Permissions", 200, service.ActReadDirectory, (*API).permissionGet},
	{"OneDriveOwner_Get", "GET", sessionPath + "/OneDriveOwners", 200, service.ActExplore, (*API).oneDriveOwnerGet},
	{"Warning_Get", "GET", "/Warnings", 200, service.ActSeeRepos, (*API).warningGet},
	{"Audit_Get", "GET", "/Audit", 200, service.ActReadAudit, (*API).auditGet},
	{"Audit_Verify", "GET", "/Audit/Verification", 200, service.ActReadAudit, (*API).auditVerify},
	{"RestorePointJob_Get", "GET", "/RestorePointJobs", 200, service.ActSeePoints, (*API).restorePointJobGet},
	{"Overview_Get", "GET", "/Overview", 200, service.ActSeeOverview, (*API).overviewGet},
	{"Overview_Calendar", "GET", "/Overview/Calendar", 200, service.ActSeeOverview, (*API).overviewCalendar},
	{"Overview_Unprotected", "GET", organizationPath + "/Unprotected", 200, service.ActReadDirectory, (*API).overviewUnprotected},
	{"JobProgress_Get", "GET", "/JobProgress", 200, service.ActSeeJobSessions, (*API).jobProgressGet},
	{"JobProgress_GetBySessionId", "GET", "/JobProgress/{sessionId}", 200, service.ActSeeJobSessions, (*API).jobProgressGetBySessionId},
	{"Account_SetPassword", "PUT", "/Account/Password", 204, service.ActOwnPassword, (*API).accountSetPassword},
})

// recoveryKitExport answers the recovery kit, an age file encrypted to a passphrase or to recipients.
func (a *API) recoveryKitExport(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	var in struct {
		Passphrase string   `json:"passphrase,omitzero"`
		Recipients []string `json:"recipients,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	kit, err := a.services.Repositories.ExportKit(ctx, r.user, holdfast.RepositoryID(id), holdfast.Secret(in.Passphrase), in.Recipients)
	if err != nil {
		return nil, err
	}
	return &download{name: fmt.Sprintf("holdfast-%s.age", id), size: int64(len(kit)), write: func(_ context.Context, w io.Writer) error {
		_, err := w.Write(kit)
		return err
	}}, nil
}

// retentionStart runs a repository's retention now instead of at its time.
func (a *API) retentionStart(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Repositories.Retain(ctx, r.user, holdfast.RepositoryID(id))
}

type permission struct {
	Name    string         `json:"name"`
	API     string         `json:"api"`
	Use     string         `json:"use"`
	Why     string         `json:"why"`
	WhySaid *contract.Said `json:"whySaid,omitzero"`
	Granted bool           `json:"granted"`
}

// permissionGet asks Microsoft which permissions an organization's application has, and lists those that are needed.
func (a *API) permissionGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	tenant, err := a.services.Organizations.Check(ctx, r.user, holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	return list(tenant.Permissions, func(p service.Permission) permission {
		return permission{p.Name, p.API, string(p.Use), p.Why, saidOf(p.Why), p.Granted}
	}), nil
}

// warningGet lists what the owner should do, in words: recovery kits never exported, repositories out of date.
func (a *API) warningGet(ctx context.Context, r *request) (any, error) {
	all, err := a.services.Repositories.Warnings(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(all, func(s string) string { return s }), nil
}

// accountSetPassword changes the caller's own password and ends all his logins.
func (a *API) accountSetPassword(ctx context.Context, r *request) (any, error) {
	var in struct {
		Old string `json:"oldPassword"`
		New string `json:"newPassword"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	return nil, a.services.Admin.SetPassword(ctx, r.user, in.Old, in.New)
}

// driveOwner is what the contract's OneDrive lacks: whose it is.
type driveOwner struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

func (a *API) oneDriveOwnerGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.places(ctx, r, holdfast.Drive, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(p place) driveOwner {
		return driveOwner{p.id, p.container.Container.Name, p.container.Container.Address}
	}), nil
}

type auditEntry struct {
	Number   int64          `json:"number"`
	Time     time.Time      `json:"time"`
	Actor    string         `json:"actor"`
	Address  string         `json:"address,omitzero"`
	Act      string         `json:"act"`
	Object   string         `json:"object,omitzero"`
	Detail   string         `json:"detail,omitzero"`
	Said     *contract.Said `json:"detailSaid,omitzero"`
	Previous string         `json:"previousHash,omitzero"`
	Hash     string         `json:"hash"`
}

// auditGet lists the audit chain, or what of it is wanted, newest first.
func (a *API) auditGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var f holdfast.AuditFilter
	for name, to := range map[string]*string{"actor": &f.Actor, "act": &f.Act, "search": &f.Text} {
		text, _ := r.query(name)
		*to = strings.TrimSpace(text)
	}
	if f.From, err = r.queryTime("from"); err != nil {
		return nil, err
	}
	if f.Until, err = r.queryTime("until"); err != nil {
		return nil, err
	}
	all, err := a.services.Audit.Find(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(e holdfast.AuditEntry) auditEntry {
		return auditEntry{e.Number, e.Time.UTC(), e.Actor, e.Address, e.Act, e.Object, e.Detail, saidOf(e.Detail), e.Prev, e.Hash}
	}), nil
}

type auditVerified struct {
	Sound       bool            `json:"sound"`
	Entries     int64           `json:"entries"`
	Hash        string          `json:"hash"`
	Broken      int64           `json:"firstBroken,omitzero"`
	What        string          `json:"what,omitzero"`
	WhatSaid    *contract.Said  `json:"whatSaid,omitzero"`
	Remarks     []string        `json:"remarks"`
	RemarksSaid []contract.Said `json:"remarksSaid"` // of each remark, in their order; empty for free text
}

// auditVerify walks the audit chain from its first entry. number and hash are a head that was noted down before.
func (a *API) auditVerify(ctx context.Context, r *request) (any, error) {
	var anchor holdfast.AuditEntry
	number, given := r.query("number")
	hash, also := r.query("hash")
	if given != also {
		return nil, holdfast.Invalid("a head that was noted down is a number and a hash: give both or none")
	}
	if given {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 {
			return nil, holdfast.Invalid("query number must be a whole number from 1")
		}
		anchor = holdfast.AuditEntry{Number: n, Hash: strings.ToLower(hash)}
	}
	v, err := a.services.Audit.Verify(ctx, r.user, anchor)
	if err != nil {
		return nil, err
	}
	out := auditVerified{Sound: v.Broken == 0, Entries: v.Entries, Hash: v.Hash, Broken: v.Broken, What: v.What, WhatSaid: saidOf(v.What), Remarks: []string{}, RemarksSaid: []contract.Said{}}
	if out.Sound {
		untold := holdfast.SayChainUntold.With()
		if anchor.Number > 0 {
			untold = holdfast.SayChainUntoldAfter.With(anchor.Number)
		}
		out.Remarks = append(out.Remarks, untold)
		out.RemarksSaid = append(out.RemarksSaid, saidToContract(holdfast.Understand(untold)))
	}
	return out, nil
}

// restorePointJob is a job that made restore points, by the name that it had then: the job itself may be gone.
type restorePointJob struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *API) restorePointJobGet(ctx context.Context, r *request) (any, error) {
	jobs, err := a.services.RestorePoints.Jobs(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(jobs, func(j holdfast.Job) restorePointJob { return restorePointJob{string(j.ID), j.Name} }), nil
}
