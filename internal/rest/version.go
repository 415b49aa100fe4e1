package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
	"holdfast/internal/sys"
)

// The versions of the contract that are served. The older ones are views of the newest: the same operations under the same ids, where the older
// version has them, with its success codes and with bare arrays where it has no pages. Clients log in at any version and keep the token.
// A client finds the newest version by asking for ServiceInstance without a token: 401 means served, 404 not.
const (
	newest = 8
	oldest = 5
	// oldestToken is the oldest version that gives tokens: a client of it calls newer ones.
	oldestToken = 4
	served      = "v8"
)

// sinceV8 are the operations that version 7 does not have, by id or by what they belong to.
var sinceV8 = map[string]bool{
	"AuditEmailSettings_SendTestEmail": true, "BackupRepository_ChangeOwner": true, "Configuration": true, "Events": true, "Health": true, "Job_Add": true,
	"OrganizationBackupApplications_AppendBackupApplications": true, "OrganizationBackupApplications_DeleteBackupApplications": true, "OrganizationSync_GetStates": true,
	"Organization_GetTenantInformationByID": true, "Organization_GetVersionBackupOptionsByID": true, "Organization_SetVersionBackupOptionsByID": true,
	"ProtectedData": true, "ProxyPool": true, "Proxy_CheckSshConnectionConfig": true, "Proxy_DisableMaintenanceAction": true, "Proxy_EnableMaintenanceAction": true,
	"Reports_GenerateOneDriveProtectionAction": true, "Reports_GenerateSharepointProtectionAction": true, "Reports_GenerateTeamsProtectionAction": true,
	"RepositoryOwnerChangeSessions": true, "RestoreSession_GetRestoreStatistics": true,
	"TeamsFile_Get": true, "TeamsFile_GetVersions": true, "TeamsFile_RestoreById": true, "TeamsFile_SaveById": true, "TeamsFile_SendById": true, "TeamsTab_RestoreByMultipleChannels": true,
	"VboEmailSettings_SendTestEmail": true, "VetEmailSettings_SendTestEmail": true, "VexEmailSettings_SendTestEmail": true,
	"VeodEmailSettings_CompleteOAuthSignIn": true, "VeodEmailSettings_PrepareOAuthSignIn": true, "VespEmailSettings_CompleteOAuthSignIn": true, "VespEmailSettings_PrepareOAuthSignIn": true,
	"VetEmailSettings_CompleteOAuthSignIn": true, "VetEmailSettings_PrepareOAuthSignIn": true, "VexEmailSettings_CompleteOAuthSignIn": true, "VexEmailSettings_PrepareOAuthSignIn": true,
}

// codeBefore8 are the successes of version 7 where they differ from those of the newest, of what is built.
var codeBefore8 = map[string]int{
	"logout": 200, "BackupRepository_Add": 200, "BackupRepository_UpdateRepository": 200, "BackupRepository_Explore": 200, "Job_StartAction": 204, "Job_ExploreAction": 200,
	"License_Update": 200, "OrganizationSync_Start": 200, "Organization_Add": 200, "Organization_Explore": 200, "Proxy_Update": 200, "Proxy_RescanAction": 200, "Proxy_RemoveAction": 200, "Proxy_Rescan": 200,
	"RbacRole_Add": 200, "RestoreSession_StopAction": 200, "RestoreSession_ExploreAction": 200, "RestoreSession_OperatorExploreAction": 200,
	"VboEmailSettings_Update": 200, "ExchangeItem_SendItemsToDefaultAddressAction": 200, "ExchangeItem_SendItemsToDifferentAddressAction": 200,
	"ExchangeItem_SendItemToDefaultAddressAction": 200, "ExchangeItem_SendItemToDifferentAddressAction": 200, "VexEmailSettings_Update": 200,
	"OneDrive_SendOneDriveAction": 200, "OneDriveDocument_SendDocumentsAction": 200, "OneDriveDocument_SendDocumentAction": 200,
	"OneDriveDocument_SendDocumentActionByVersionId": 200, "OneDriveFolder_SendFoldersAction": 200, "OneDriveFolder_SendFolderAction": 200,
	"SharePointAttachment_SendAttachmentsAction": 200, "SharePointAttachment_SendAttachmentAction": 200, "SharePointDocument_SendDocumentsAction": 200,
	"SharePointDocument_SendDocumentActionByVersionId": 200, "SharePointDocument_SendDocumentAction": 200, "SharePointFolder_SendFoldersAction": 200,
	"SharePointFolder_SendFolderAction": 200, "SharePointLibrary_SendLibraryAction": 200, "VeodEmailSettings_Update": 200, "VeodEmailSettings_SendTestEmail": 200,
	"VespEmailSettings_Update": 200, "VespEmailSettings_SendTestEmail": 200, "TeamsFile_Send": 200, "TeamsPost_Send": 200, "TeamsPost_SendById": 200,
	"VetEmailSettings_Update":  200,
	"ExclusionSettings_Update": 200, "GlobalRetentionExclusionSettings_GlobalRetentionPolicyPut": 200, "OrganizationRetentionExclusion_OrganizationRetentionPolicyPut": 200,
}

// bareUntil has the last version in which a collection was a bare array: whole, not in pages.
var bareUntil = map[string]int{
	"BackupRepository_GetRepositories": 7, "Job_Get": 7, "Job_GetByOrganizationId": 7, "Job_GetSelectedItems": 7, "Job_GetExcludedItems": 7, "Organization_Get": 7, "Proxy_GetProxies": 7,
	"RestorePoint_GetRestorePoints": 6,
}

const objectStoragePath = "/objectstoragerepositories"

// onlyBefore8 are the operations that the newest version no longer has.
var onlyBefore8 = []route{
	{"Job_GetByOrganizationId", "GET", organizationPath + "/Jobs", 200, service.ActSeeJobs, (*API).jobGetByOrganizationID},
	{"Job_Add", "POST", organizationPath + "/Jobs", 200, service.ActAddJob, (*API).jobAddToOrganization},
	{"ObjectStorageRepository_GetObjectStorageRepositories", "GET", objectStoragePath, 200, service.ActSeeRepos, (*API).objectStorageRepositoryGet},
	{"ObjectStorageRepository_GetObjectRepository", "GET", objectStoragePath + "/{repositoryId}", 200, service.ActSeeRepos, (*API).objectStorageRepositoryGetByID},
	{"ObjectStorageRepository_AddObjectStorageRepository", "POST", objectStoragePath, 201, service.ActUnbuilt, notYet},
	{"ObjectStorageRepository_UpdateObjectStorageRepository", "PUT", objectStoragePath + "/{repositoryId}", 200, service.ActUnbuilt, notYet},
	{"ObjectStorageRepository_RemoveObjectStorageRepository", "DELETE", objectStoragePath + "/{repositoryId}", 204, service.ActUnbuilt, notYet},
	{"JobSessionChanges_Get", "GET", "/JobSessions/Changes", 200, service.ActSeeEvents, (*API).jobSessionChangesGet},
	{"RestorePoint_GetChanges", "GET", "/RestorePoints/Changes", 200, service.ActSeeEvents, (*API).restorePointGetChanges},
	{"RestorePoint_GetRestorePointMailboxes", "GET", "/RestorePoints/{restorePointId}/protectedMailboxes", 200, service.ActSeeProtected, (*API).pointProtectedMailboxes},
	{"RestorePoint_GetRestorePointTeams", "GET", "/RestorePoints/{restorePointId}/protectedTeams", 200, service.ActSeeProtected, (*API).pointProtectedTeams},
	{"RestorePoint_GetRestorePointWebs", "GET", "/RestorePoints/{restorePointId}/protectedSites", 200, service.ActSeeProtected, (*API).pointProtectedSites},
	{"RestorePoint_GetRestorePointOneDrives", "GET", "/RestorePoints/{restorePointId}/protectedOneDrives", 200, service.ActSeeProtected, (*API).pointProtectedOneDrives},
	{"RestorePoint_GetRestorePointUsers", "GET", "/RestorePoints/{restorePointId}/protectedUsers", 200, service.ActSeeProtected, (*API).pointProtectedUsers},
	{"AuditEmailSettings_SendTest", "POST", "/AuditEmailSettings/SendTest", 200, service.ActUnbuilt, notYet},
	{"VboEmailSettings_SendTestAction", "POST", "/VboEmailSettings/SendTest", 200, service.ActTestMail, (*API).vboEmailSettingsSendTestEmail},
	{"VexEmailSettings_SendTestAction", "POST", "/VexEmailSettings/SendTest", 200, service.ActTestMail, (*API).vexEmailSettingsSendTestEmail},
	{"VetEmailSettings_SendTest", "POST", "/VetEmailSettings/SendTest", 200, service.ActTestMail, (*API).vetEmailSettingsSendTestEmail},
	{"DataRetrieval_DeleteDataRetrieval", "DELETE", "/DataRetrievals/{retrievalId}", 204, service.ActUnbuilt, notYet},
	{"ManagementMode_Update", "PUT", "/ManagementMode", 200, service.ActUnbuilt, notYet},
	{"TeamsFile_Get", "GET", teamPath + "/files/{fileId}", 200, service.ActReadContent, (*API).teamsFileGet},
	{"TeamsFile_GetVersions", "GET", teamPath + "/files/{fileId}/versions", 200, service.ActReadContent, (*API).teamsFileGetVersions},
	{"TeamsFile_SaveById", "POST", teamPath + "/files/{fileId}/save", 200, service.ActDownload, (*API).teamsFileSaveById},
	{"TeamsFile_SendById", "POST", teamPath + "/files/{fileId}/send", 200, service.ActSend, (*API).teamsFileSendById},
	{"TeamsFile_RestoreById", "POST", teamPath + "/files/{fileId}/restore", 200, service.ActRestore, (*API).teamsFileRestoreById},
	{"RestorePoint_GetRestorePointGroups", "GET", "/RestorePoints/{restorePointId}/protectedGroups", 200, service.ActSeeProtected, (*API).pointProtectedGroups},
}

// onlyBefore7 are those that version 7 dropped.
var onlyBefore7 = []route{
	{"Job_GetJobSessions", "GET", jobPath + "/JobSessions", 200, service.ActSeeJobSessions, (*API).jobSessionGetByJobID},
}

// routesOf are the operations of a version.
func routesOf(version int) []route {
	if version == newest {
		return routes
	}
	var out []route
	for _, r := range routes {
		prefix, _, _ := strings.Cut(r.id, "_")
		if sinceV8[r.id] || sinceV8[prefix] {
			continue
		}
		if code, ok := codeBefore8[r.id]; ok {
			r.code = code
		}
		out = append(out, r)
	}
	out = append(out, onlyBefore8...)
	if version < 7 {
		out = append(out, onlyBefore7...)
	}
	return out
}

// newRouters has the operations of each version that is served.
func newRouters() map[int]*node {
	out := map[int]*node{}
	for v := oldest; v <= newest; v++ {
		out[v] = newRouter(routesOf(v))
	}
	for v := oldestToken; v < oldest; v++ {
		out[v] = newRouter(slices.DeleteFunc(routesOf(v), func(r route) bool { return !strings.HasPrefix(r.path, "/token") }))
	}
	return out
}

// bare says that the answer of a request is a bare array in its version.
func (r *request) bare() bool { return r.version <= bareUntil[r.route.id] }

// asBefore is an answer as the older version of a request has it.
func (a *API) asBefore(ctx context.Context, r *request, result any) (any, error) {
	if r.route.code == http.StatusNoContent {
		return nil, nil
	}
	if p, ok := result.(interface{ rows() any }); ok && r.bare() {
		return p.rows(), nil
	}
	if begun, ok := result.(contract.RESTAsyncRestoreResponse); ok {
		return a.restored(ctx, r, begun.SessionID)
	}
	if prefix, _, _ := strings.Cut(r.route.id, "_"); dataBefore8[prefix] {
		return withProxy(result)
	}
	return result, nil
}

// dataBefore8 are the lists of a repository's data whose objects had two members more before version 8.
var dataBefore8 = map[string]bool{"BackupMailboxData": true, "BackupOneDriveData": true, "BackupSiteData": true, "BackupTeamData": true, "BackupUserData": true, "BackupGroupData": true}

// withProxy adds isDeleted and proxyId to an object of a repository's data, or to those of a page: what is listed is there, and the server's own
// proxy does the work.
func withProxy(result any) (any, error) {
	raw, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	rows, paged := out["results"].([]any)
	if !paged {
		rows = []any{out}
	}
	for _, row := range rows {
		if object, ok := row.(map[string]any); ok {
			object["isDeleted"], object["proxyId"] = false, service.BuiltInProxy
		}
	}
	return out, nil
}

// restoreStatistics is what restores answered before version 8, of mail and of documents: they did not answer before they had ended.
type restoreStatistics struct {
	Created *int64 `json:"createdItemsCount,omitzero"`
	Merged  *int64 `json:"mergedItemsCount,omitzero"`
	Skipped *int64 `json:"skippedItemsCount,omitzero"`

	Total     *int64 `json:"totalItemsCount,omitzero"`
	Restored  *int64 `json:"restoredItemsCount,omitzero"`
	Unchanged *int64 `json:"skippedItemsByNoChangesCount,omitzero"`
	Unable    *int64 `json:"skippedItemsByErrorCount,omitzero"`

	Failed *int64 `json:"failedItemsCount,omitzero"`
	// Of restores of several mailboxes or OneDrives at once.
	Status string `json:"status,omitzero"` // Failed, Warning, Success
	Error  string `json:"error,omitzero"`
}

// restoreLook is how often a restore is asked whether it has ended.
const restoreLook = 250 * time.Millisecond

// restored waits for the restores that a request began and counts what they did.
func (a *API) restored(ctx context.Context, r *request, session uuid.UUID) (any, error) {
	var sum service.RestoreOutcome
	for _, id := range r.begun {
		for {
			one, err := a.services.RestoreSessions.Outcome(ctx, r.user, holdfast.RestoreSessionID(session.String()), id)
			if err != nil {
				return nil, err
			}
			if one.Status != "Running" {
				sum.Restored, sum.Existing, sum.Skipped, sum.Failed = sum.Restored+one.Restored, sum.Existing+one.Existing, sum.Skipped+one.Skipped, sum.Failed+one.Failed
				if one.Status != "Success" && sum.Status != "Failed" {
					sum.Status, sum.Message = one.Status, one.Message
				}
				break
			}
			if err := sys.System.Sleep(ctx, restoreLook); err != nil {
				return nil, holdfast.Unavailable("the restore goes on, but this request waited long enough: GET /%s/RestoreSessions/%s/Events tells how it ends; version 8 of the API answers at once: %w", r.links.version, session, err)
			}
		}
	}
	n := func(counts ...int) *int64 {
		var sum int64
		for _, c := range counts {
			sum += int64(c)
		}
		return &sum
	}
	out := restoreStatistics{Failed: n(sum.Failed)}
	if strings.Contains(strings.ToLower(r.route.path), "onedrive") {
		out.Total, out.Restored = n(sum.Restored, sum.Existing, sum.Skipped, sum.Failed), n(sum.Restored)
		out.Unchanged, out.Unable = n(sum.Existing), n(sum.Skipped)
	} else {
		out.Created, out.Merged, out.Skipped = n(sum.Restored), n(0), n(sum.Existing, sum.Skipped)
	}
	if bulk := r.route.id == "ExchangeMailbox_RestoreMailboxesAction" || r.route.id == "OneDrive_RestoreOneDrivesAction"; bulk {
		switch sum.Status {
		case "":
			out.Status = "Success"
		case "Failed", "Cancelled":
			out.Status, out.Error = "Failed", sum.Message
		default:
			out.Status = "Warning"
		}
	}
	return out, nil
}

// jobGetByOrganizationID lists an organization's jobs.
func (a *API) jobGetByOrganizationID(ctx context.Context, r *request) (any, error) {
	r.values = map[string][]string{"organizationId": {r.param("organizationId")}}
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	if _, err := a.services.Organizations.Get(ctx, r.user, holdfast.OrganizationID(id)); err != nil {
		return nil, err
	}
	return a.jobGet(ctx, r)
}

// jobAddToOrganization is Job_Add with the organization in the path instead of in the body.
func (a *API) jobAddToOrganization(ctx context.Context, r *request) (any, error) {
	var in map[string]any
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	in["organizationId"] = id
	if r.kept, err = json.Marshal(in); err != nil {
		return nil, err
	}
	return a.jobAdd(ctx, r)
}

// jobSessionGetByJobID lists a job's sessions.
func (a *API) jobSessionGetByJobID(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	if _, err := a.services.Jobs.Get(ctx, r.user, holdfast.JobID(id)); err != nil {
		return nil, err
	}
	r.values.Set("jobId", id)
	return a.jobSessionGet(ctx, r)
}

// objectStorageRepositoryGet lists the repositories on object storage: there are none.
func (a *API) objectStorageRepositoryGet(context.Context, *request) (any, error) {
	return []struct{}{}, nil
}

func (a *API) objectStorageRepositoryGetByID(_ context.Context, r *request) (any, error) {
	return nil, holdfast.NotFound("there is no repository on object storage with the id %q: repositories are local folders", r.param("repositoryId"))
}

// maxAction bounds the body of an action, which is read before anybody has signed in.
const maxAction = 1 << 20

// verb takes the verb of an action of version 5 out of its body: {"start": null} to …/Action is a POST of nothing to …/start.
func verb(hr *http.Request) (string, error) {
	body, err := io.ReadAll(io.LimitReader(hr.Body, maxAction+1))
	if err != nil {
		return "", holdfast.Invalid("the body of the action broke off: %w", err)
	}
	if len(body) > maxAction {
		return "", holdfast.Invalid("the body of an action may have at most %d bytes", maxAction)
	}
	var in map[string]any
	if err := decodeJSON(body, &in); err != nil {
		return "", err
	}
	if len(in) != 1 {
		return "", holdfast.Invalid("an action is an object with one member, the verb, such as {\"start\": null}; this one has %d", len(in))
	}
	name := ""
	for verb, value := range in {
		if name = verb; value == nil {
			body = nil
		} else if body, err = json.Marshal(value); err != nil {
			return "", holdfast.Invalid("the body of %s cannot be read: %w", verb, err)
		}
	}
	hr.Body, hr.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return name, nil
}

// versionOf is the version in a path's first segment, v8; 0 when it is none.
func versionOf(segment string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(segment, "v"))
	if err != nil {
		return 0
	}
	return n
}
