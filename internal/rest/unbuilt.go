package rest

import (
	"strings"

	"holdfast/internal/service"
)

// Operation is one operation of the contract.
type Operation struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	Path   string `json:"path"` // with the version that is served
	Built  bool   `json:"built"`
	Why    string `json:"why,omitempty"` // why it is not built
}

// Operations are all operations of the contract, in its order.
func Operations() []Operation {
	out := make([]Operation, len(routes))
	for i, r := range routes {
		out[i] = Operation{ID: r.id, Method: r.method, Path: "/" + served + r.path, Built: r.act != service.ActUnbuilt}
		if !out[i].Built {
			out[i].Why = unbuilt[reasonKey(r.id)]
		}
	}
	return out
}

// reasonKey is what has the reason for an operation in unbuilt: the operation itself when it has one of its own, else what it belongs to.
func reasonKey(id string) string {
	if _, own := unbuilt[id]; own {
		return id
	}
	prefix, _, _ := strings.Cut(id, "_")
	return prefix
}

const (
	needsArchive    = "archives and copies on object storage are not built; repositories are local folders"
	needsCloudVM    = "archiver appliances in a cloud are not built; the server does that work itself"
	needsMail       = "mails about audited users are not built; the audit chain has who read and restored whose data"
	needsMailOAuth  = "signing in to Google or Microsoft 365 for mail is not built; set a mail server with a user name and a password"
	needsReports    = "reports as files are not built; the console's home page and GET /v8/LicensedUsers have the figures"
	needsPools      = "remote proxies and proxy pools are not built; the server's own proxy does the work"
	needsPST        = "writing PST files is not built; save as EML or ZIP instead"
	needsDeviceCode = "a person's sign-in reaches only what that person may open, and neither imports into others' mailboxes nor posts with authors and times; give an application with a certificate"
	needsApps       = "an organization has one application; further backup applications and accounts are not built"
	needsSettings   = "this setting has no effect in this version, so it is not kept"
	needsVersions   = "Microsoft keeps no versions of folders: browse another restore point"
	needsMoves      = "moving repositories between servers is not built"
)

// unbuilt says why an operation of the contract is not built, by its id or by what it belongs to. A test demands that every operation that is not
// built has a reason here, and that no reason is left over.
var unbuilt = map[string]string{
	"Account":                                  needsArchive,
	"AmazonS3CompatibleObjectStorage":          needsArchive,
	"AmazonS3ObjectStorage":                    needsArchive,
	"AzureObjectStorage":                       needsArchive,
	"EncryptionKey":                            "repositories are always encrypted, with keys that the server keeps and the recovery kit has; keys by hand are not built",
	"CopyJob":                                  needsArchive,
	"DataRetrieval":                            needsArchive,
	"DataRetrievalSession":                     needsArchive,
	"DataRetrievalSessionLog":                  needsArchive,
	"AzureServiceAccounts":                     needsCloudVM,
	"EC2Resources":                             needsCloudVM,
	"AuditEmailSettings":                       needsMail,
	"VboEmailSettings":                         needsMailOAuth,
	"VeodEmailSettings":                        needsMailOAuth,
	"VespEmailSettings":                        needsMailOAuth,
	"VetEmailSettings":                         needsMailOAuth,
	"VexEmailSettings":                         needsMailOAuth,
	"OrganizationAudit":                        needsMail,
	"OneDriveFolder":                           needsVersions,
	"ExchangeItem":                             needsPST,
	"ExchangeMailbox":                          needsPST,
	"ExchangeFolder":                           needsPST,
	"Reports":                                  needsReports,
	"LicenseStatistic":                         needsReports,
	"SharePointFolder":                         needsVersions,
	"BackupOrganization_RestoreSessionsAction": needsPST,
	"Proxy":                               needsPools,
	"ProxyPool":                           needsPools,
	"OrganizationBackupAccounts":          needsApps,
	"OrganizationBackupApplications":      needsApps,
	"Application":                         needsApps,
	"Organization_GetCurrentOrganization": "who signs in to the portal is told by the portal's own session; this operation for tenants' tokens is not built",
	"RestoreSession":                      needsDeviceCode,
	"ObjectStorageRepository":             needsArchive,
	"BackupRepository":                    needsMoves,
	"RepositoryOwnerChangeSessions":       needsMoves,
	"RepositorySynchronizeSessions":       "synchronising is short and cannot be stopped",
	"Configuration":                       "the server does not update itself: put the new binary in place of the old one",
	"HistorySettings":                     needsSettings,
	"InternetProxySettings":               needsSettings,
	"ManagementMode":                      "servers that are managed by another one are not built",
}
