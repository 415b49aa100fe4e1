package rest

import "holdfast/internal/service"

// Paths that many operations share.
const (
	organizationPath = "/Organizations/{organizationId}"
	repositoryPath   = "/BackupRepositories/{repositoryId}"
	jobPath          = "/Jobs/{jobId}"
	rolePath         = "/RbacRoles/{roleId}"
	subscriptionPath = "/AzureServiceAccounts/{serviceAccountId}/Subscriptions/{subscriptionId}"
	sessionPath      = "/RestoreSessions/{restoreSessionId}"
	mailboxesPath    = sessionPath + "/organization/mailboxes"
	mailboxPath      = mailboxesPath + "/{mailboxId}"
	oneDrivesPath    = sessionPath + "/Organization/OneDrives"
	oneDrivePath     = oneDrivesPath + "/{oneDriveId}"
	sitesPath        = sessionPath + "/Organization/Sites"
	sitePath         = sitesPath + "/{siteId}"
	teamsPath        = sessionPath + "/organization/teams"
	teamPath         = teamsPath + "/{teamId}"
	channelPath      = teamPath + "/channels/{channelId}"
)

// routes has every operation of the contract once, in the contract's order. The id is the address: Job_Add is jobAdd in
// job.go. What is not built is notYet. A test holds the table against the contract's index and api/openapi.yaml.
var routes = []route{
	// Auth
	{"token", "POST", "/token", 200, service.ActSignIn, (*API).token},
	{"logout", "POST", "/token/logout", 204, service.ActEndOwnLogin, (*API).logout},
	{"authCode", "POST", "/token/AuthCode", 200, service.ActHandOver, (*API).authCode},

	// AzureServiceAccounts
	{"AzureServiceAccounts_Get", "GET", "/AzureServiceAccounts", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_Add", "POST", "/AzureServiceAccounts", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetById", "GET", "/AzureServiceAccounts/{id}", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_Update", "PUT", "/AzureServiceAccounts/{id}", 204, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_Delete", "DELETE", "/AzureServiceAccounts/{id}", 204, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetDeviceCode", "POST", "/AzureServiceAccounts/DeviceCode", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetSubscriptions", "GET", "/AzureServiceAccounts/{serviceAccountId}/Subscriptions", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetSubscriptionById", "GET", subscriptionPath, 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetResourceGroups", "GET", subscriptionPath + "/ResourceGroups", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetResourceGroupByName", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetLocations", "GET", subscriptionPath + "/Locations", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetLocationByName", "GET", subscriptionPath + "/Locations/{locationName}", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetVirtualMachineSizes", "GET", subscriptionPath + "/Locations/{locationName}/VirtualMachineSizes", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetVirtualMachineSizeByName", "GET", subscriptionPath + "/Locations/{locationName}/VirtualMachineSizes/{vmSizeName}", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetVirtualNetworks", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetVirtualNetworkByName", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks/{virtualNetworkName}", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetSubnets", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks/{virtualNetworkName}/Subnets", 200, service.ActUnbuilt, notYet},
	{"AzureServiceAccounts_GetSubnetByName", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks/{virtualNetworkName}/Subnets/{subnetName}", 200, service.ActUnbuilt, notYet},

	// AmazonS3CompatibleObjectStorage
	{"AmazonS3CompatibleObjectStorage_GetBuckets", "GET", "/S3CompatibleResources/buckets", 200, service.ActUnbuilt, notYet},
	{"AmazonS3CompatibleObjectStorage_GetBucket", "GET", "/S3CompatibleResources/buckets/{Name}", 200, service.ActUnbuilt, notYet},
	{"AmazonS3CompatibleObjectStorage_GetFolders", "GET", "/S3CompatibleResources/buckets/{bucketName}/folders", 200, service.ActUnbuilt, notYet},
	{"AmazonS3CompatibleObjectStorage_AddFolder", "POST", "/S3CompatibleResources/buckets/{bucketName}/folders", 201, service.ActUnbuilt, notYet},
	{"AmazonS3CompatibleObjectStorage_GetFolder", "GET", "/S3CompatibleResources/buckets/{bucketName}/folders/{Name}", 200, service.ActUnbuilt, notYet},

	// AmazonS3ObjectStorage
	{"AmazonS3ObjectStorage_GetBuckets", "GET", "/S3Resources/buckets", 200, service.ActUnbuilt, notYet},
	{"AmazonS3ObjectStorage_GetBucket", "GET", "/S3Resources/buckets/{Name}", 200, service.ActUnbuilt, notYet},
	{"AmazonS3ObjectStorage_GetFolders", "GET", "/S3Resources/buckets/{bucketName}/folders", 200, service.ActUnbuilt, notYet},
	{"AmazonS3ObjectStorage_AddFolder", "POST", "/S3Resources/buckets/{bucketName}/folders", 201, service.ActUnbuilt, notYet},
	{"AmazonS3ObjectStorage_GetFolder", "GET", "/S3Resources/buckets/{bucketName}/folders/{Name}", 200, service.ActUnbuilt, notYet},

	// Account
	{"Account_GetAccounts", "GET", "/Accounts", 200, service.ActUnbuilt, notYet},
	{"Account_AddAccount", "POST", "/Accounts", 201, service.ActUnbuilt, notYet},
	{"Account_GetAccount", "GET", "/Accounts/{accountId}", 200, service.ActUnbuilt, notYet},
	{"Account_UpdateAccount", "PUT", "/Accounts/{accountId}", 204, service.ActUnbuilt, notYet},
	{"Account_RemoveAccount", "DELETE", "/Accounts/{accountId}", 204, service.ActUnbuilt, notYet},

	// Application
	{"Application_GetApplications", "GET", organizationPath + "/Applications", 200, service.ActUnbuilt, notYet},
	{"Application_CreateApplication", "POST", organizationPath + "/Applications", 200, service.ActUnbuilt, notYet},

	// AuditEmailSettings
	{"AuditEmailSettings_Get", "GET", "/AuditEmailSettings", 200, service.ActUnbuilt, notYet},
	{"AuditEmailSettings_Update", "PUT", "/AuditEmailSettings", 204, service.ActUnbuilt, notYet},
	{"AuditEmailSettings_PrepareOAuthSignIn", "POST", "/AuditEmailSettings/PrepareOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"AuditEmailSettings_CompleteOAuthSignIn", "POST", "/AuditEmailSettings/CompleteOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"AuditEmailSettings_SendTestEmail", "POST", "/AuditEmailSettings/SendTestEmail", 204, service.ActUnbuilt, notYet},

	// AzureObjectStorage
	{"AzureObjectStorage_GetContainers", "GET", "/AzureResources/containers", 200, service.ActUnbuilt, notYet},
	{"AzureObjectStorage_GetContainer", "GET", "/AzureResources/containers/{Name}", 200, service.ActUnbuilt, notYet},
	{"AzureObjectStorage_GetFolders", "GET", "/AzureResources/containers/{containerName}/folders", 200, service.ActUnbuilt, notYet},
	{"AzureObjectStorage_AddFolder", "POST", "/AzureResources/containers/{containerName}/folders", 201, service.ActUnbuilt, notYet},
	{"AzureObjectStorage_GetFolder", "GET", "/AzureResources/containers/{containerName}/folders/{Name}", 200, service.ActUnbuilt, notYet},

	// BackupGroupData
	{"BackupGroupData_GetGroupsData", "GET", repositoryPath + "/GroupData", 200, service.ActSeeProtected, (*API).backupGroupDataGetGroupsData},
	{"BackupGroupData_GetSingleGroupData", "GET", repositoryPath + "/GroupData/{groupId}", 200, service.ActSeeProtected, (*API).backupGroupDataGetSingleGroupData},

	// BackupOrganization
	{"BackupOrganization_GetByRestoreSessionId", "GET", sessionPath + "/organization", 200, service.ActExplore, (*API).backupOrganizationGetByRestoreSessionId},
	{"BackupOrganization_RestoreSessionsAction", "POST", sessionPath + "/organization/exportToPst", 200, service.ActUnbuilt, notYet},
	{"BackupOrganization_RestoreSessionsSearchExchange", "POST", sessionPath + "/organization/searchExchange", 200, service.ActReadContent, (*API).backupOrganizationRestoreSessionsSearchExchange},
	{"BackupOrganization_RestoreSessionsSearchTeams", "POST", sessionPath + "/organization/searchTeams", 200, service.ActReadContent, (*API).backupOrganizationRestoreSessionsSearchTeams},

	// BackupOrganizationData
	{"BackupOrganizationData_GetOrganizationData", "GET", repositoryPath + "/OrganizationData", 200, service.ActSeeProtected, (*API).backupOrganizationDataGetOrganizationData},
	{"BackupOrganizationData_GetSingleOrganizationData", "GET", repositoryPath + "/OrganizationData/{organizationId}", 200, service.ActSeeProtected, (*API).backupOrganizationDataGetSingleOrganizationData},

	// BackupSiteData
	{"BackupSiteData_GetSitesData", "GET", repositoryPath + "/SiteData", 200, service.ActSeeProtected, (*API).backupSiteDataGetSitesData},
	{"BackupSiteData_GetSiteData", "GET", repositoryPath + "/SiteData/{siteId}", 200, service.ActSeeProtected, (*API).backupSiteDataGetSiteData},

	// BackupOneDriveData
	{"BackupOneDriveData_GetOneDrivesData", "GET", repositoryPath + "/OneDriveData", 200, service.ActSeeProtected, (*API).backupOneDriveDataGetOneDrivesData},
	{"BackupOneDriveData_GetOneDriveData", "GET", repositoryPath + "/OneDriveData/{oneDriveId}", 200, service.ActSeeProtected, (*API).backupOneDriveDataGetOneDriveData},

	// BackupMailboxData
	{"BackupMailboxData_GetMailboxesData", "GET", repositoryPath + "/MailboxData", 200, service.ActSeeProtected, (*API).backupMailboxDataGetMailboxesData},
	{"BackupMailboxData_GetMailboxData", "GET", repositoryPath + "/MailboxData/{mailboxId}", 200, service.ActSeeProtected, (*API).backupMailboxDataGetMailboxData},

	// BackupTeamData
	{"BackupTeamData_GetTeamsData", "GET", repositoryPath + "/TeamData", 200, service.ActSeeProtected, (*API).backupTeamDataGetTeamsData},
	{"BackupTeamData_GetTeamData", "GET", repositoryPath + "/TeamData/{teamId}", 200, service.ActSeeProtected, (*API).backupTeamDataGetTeamData},

	// BackupUserData
	{"BackupUserData_GetUsersData", "GET", repositoryPath + "/UserData", 200, service.ActSeeProtected, (*API).backupUserDataGetUsersData},
	{"BackupUserData_GetUserData", "GET", repositoryPath + "/UserData/{userId}", 200, service.ActSeeProtected, (*API).backupUserDataGetUserData},

	// BackupRepository
	{"BackupRepository_GetRepositories", "GET", "/BackupRepositories", 200, service.ActSeeRepos, (*API).backupRepositoryGetRepositories},
	{"BackupRepository_Add", "POST", "/BackupRepositories", 201, service.ActAddRepo, (*API).backupRepositoryAdd},
	{"BackupRepository_GetRepositoriesById", "GET", repositoryPath, 200, service.ActSeeRepos, (*API).backupRepositoryGetRepositoriesById},
	{"BackupRepository_UpdateRepository", "PUT", repositoryPath, 204, service.ActChangeRepo, (*API).backupRepositoryUpdateRepository},
	{"BackupRepository_Remove", "DELETE", repositoryPath, 204, service.ActRemoveRepo, (*API).backupRepositoryRemove},
	{"BackupRepository_GetRepositoryStorageUsage", "GET", repositoryPath + "/backedupOrganizations", 200, service.ActSeeRepos, (*API).backupRepositoryGetRepositoryStorageUsage},
	{"BackupRepository_StartSynchronizeAction", "POST", repositoryPath + "/Sync", 200, service.ActSynchronize, (*API).backupRepositoryStartSynchronizeAction},
	{"BackupRepository_Explore", "POST", repositoryPath + "/explore", 201, service.ActExplore, (*API).backupRepositoryExplore},
	{"BackupRepository_ChangeOwner", "POST", repositoryPath + "/changeOwner", 200, service.ActUnbuilt, notYet},

	// CopyJob
	{"CopyJob_Get", "GET", "/CopyJobs", 200, service.ActUnbuilt, notYet},
	{"CopyJob_Create", "POST", "/CopyJobs", 201, service.ActUnbuilt, notYet},
	{"CopyJob_GetById", "GET", "/CopyJobs/{id}", 200, service.ActUnbuilt, notYet},
	{"CopyJob_Update", "PUT", "/CopyJobs/{id}", 204, service.ActUnbuilt, notYet},
	{"CopyJob_Delete", "DELETE", "/CopyJobs/{id}", 204, service.ActUnbuilt, notYet},
	{"CopyJob_GetBackupJobByCopyJob", "GET", "/CopyJobs/{id}/BackupJob", 200, service.ActUnbuilt, notYet},
	{"CopyJob_Enable", "POST", "/CopyJobs/{id}/enable", 204, service.ActUnbuilt, notYet},
	{"CopyJob_Disable", "POST", "/CopyJobs/{id}/disable", 204, service.ActUnbuilt, notYet},
	{"CopyJob_Start", "POST", "/CopyJobs/{id}/start", 200, service.ActUnbuilt, notYet},
	{"CopyJob_Stop", "POST", "/CopyJobs/{id}/stop", 204, service.ActUnbuilt, notYet},

	// DataRetrieval
	{"DataRetrieval_GetDataRetrievals", "GET", "/DataRetrievals", 200, service.ActUnbuilt, notYet},
	{"DataRetrieval_Create", "POST", "/DataRetrievals", 201, service.ActUnbuilt, notYet},
	{"DataRetrieval_GetDataRetrieval", "GET", "/DataRetrievals/{dataRetrievalId}", 200, service.ActUnbuilt, notYet},
	{"DataRetrieval_Update", "PUT", "/DataRetrievals/{dataRetrievalId}", 204, service.ActUnbuilt, notYet},
	{"DataRetrieval_GetMailboxes", "GET", "/DataRetrievals/{dataRetrievalId}/mailboxes", 200, service.ActUnbuilt, notYet},
	{"DataRetrieval_GetTeams", "GET", "/DataRetrievals/{dataRetrievalId}/teams", 200, service.ActUnbuilt, notYet},
	{"DataRetrieval_GetWebs", "GET", "/DataRetrievals/{dataRetrievalId}/webs", 200, service.ActUnbuilt, notYet},
	{"DataRetrieval_GetOneDrives", "GET", "/DataRetrievals/{dataRetrievalId}/onedrives", 200, service.ActUnbuilt, notYet},
	{"DataRetrieval_ExploreAction", "POST", "/DataRetrievals/{dataRetrievalId}/explore", 201, service.ActUnbuilt, notYet},

	// DataRetrievalSession
	{"DataRetrievalSession_Get", "GET", "/DataRetrievalSessions", 200, service.ActUnbuilt, notYet},
	{"DataRetrievalSession_GetById", "GET", "/DataRetrievalSessions/{dataRetrievalSessionId}", 200, service.ActUnbuilt, notYet},

	// DataRetrievalSessionLog
	{"DataRetrievalSessionLog_GetBatchBySessionId", "GET", "/DataRetrievalSessions/{sessionId}/LogItems", 200, service.ActUnbuilt, notYet},
	{"DataRetrievalSessionLog_GetOneBySessionIdByLogItemId", "GET", "/DataRetrievalSessions/{sessionId}/LogItems/{logItemId}", 200, service.ActUnbuilt, notYet},

	// EC2Resources
	{"EC2Resources_GetInstanceTypes", "GET", "/EC2Resources/InstanceType", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetInstanceTypeByName", "GET", "/EC2Resources/InstanceType/{instanceTypeName}", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetVirtualPrivateClouds", "GET", "/EC2Resources/VirtualPrivateCloud", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetVirtualPrivateCloudByName", "GET", "/EC2Resources/VirtualPrivateCloud/{name}", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetSubnets", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/Subnets", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetSubnetByName", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/Subnets/{subnetName}", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetSecurityGroups", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/SecurityGroup", 200, service.ActUnbuilt, notYet},
	{"EC2Resources_GetSecurityGroupByName", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/SecurityGroup/{securityGroupName}", 200, service.ActUnbuilt, notYet},

	// EncryptionKey
	{"EncryptionKey_GetEncryptionKey", "GET", "/EncryptionKeys", 200, service.ActUnbuilt, notYet},
	{"EncryptionKey_AddEncryptionKey", "POST", "/EncryptionKeys", 201, service.ActUnbuilt, notYet},
	{"EncryptionKey_GetEncryptionKeyById", "GET", "/EncryptionKeys/{keyId}", 200, service.ActUnbuilt, notYet},
	{"EncryptionKey_RemoveEncryptionKey", "DELETE", "/EncryptionKeys/{keyId}", 204, service.ActUnbuilt, notYet},

	// ExclusionSettings
	{"ExclusionSettings_Get", "GET", "/ExclusionSettings", 200, service.ActSeeExclusions, (*API).exclusionSettingsGet},
	{"ExclusionSettings_Update", "PUT", "/ExclusionSettings", 204, service.ActChangeExclusions, (*API).exclusionSettingsUpdate},

	// GlobalRetentionExclusionSettings
	{"GlobalRetentionExclusionSettings_GlobalRetentionPolicyGet", "GET", "/GlobalRetentionExclusionSettings", 200, service.ActSeeExclusions, (*API).globalRetentionExclusionSettingsGlobalRetentionPolicyGet},
	{"GlobalRetentionExclusionSettings_GlobalRetentionPolicyPut", "PUT", "/GlobalRetentionExclusionSettings", 204, service.ActSpareRetention, (*API).globalRetentionExclusionSettingsGlobalRetentionPolicyPut},

	// Health
	{"Health_Get", "GET", "/Health", 200, service.ActSeeHealth, (*API).healthGet},

	// HistorySettings
	{"HistorySettings_Get", "GET", "/HistorySettings", 200, service.ActUnbuilt, notYet},
	{"HistorySettings_Update", "PUT", "/HistorySettings", 204, service.ActUnbuilt, notYet},

	// InternetProxySettings
	{"InternetProxySettings_Get", "GET", "/InternetProxySettings", 200, service.ActUnbuilt, notYet},
	{"InternetProxySettings_Update", "PUT", "/InternetProxySettings", 204, service.ActUnbuilt, notYet},

	// Job
	{"Job_Get", "GET", "/Jobs", 200, service.ActSeeJobs, (*API).jobGet},
	{"Job_Add", "POST", "/Jobs", 201, service.ActAddJob, (*API).jobAdd},
	{"Job_GetById", "GET", jobPath, 200, service.ActSeeJobs, (*API).jobGetById},
	{"Job_Update", "PUT", jobPath, 204, service.ActChangeJob, (*API).jobUpdate},
	{"Job_Remove", "DELETE", jobPath, 204, service.ActRemoveJob, (*API).jobRemove},
	{"Job_GetCopyJobByBackupJob", "GET", jobPath + "/CopyJob", 200, service.ActSeeJobs, (*API).jobGetCopyJobByBackupJob},
	{"Job_GetSelectedItems", "GET", jobPath + "/SelectedItems", 200, service.ActSeeJobs, (*API).jobGetSelectedItems},
	{"Job_AddSelectedItems", "POST", jobPath + "/SelectedItems", 204, service.ActChangeJob, (*API).jobAddSelectedItems},
	{"Job_RemoveSelectedItems", "DELETE", jobPath + "/SelectedItems", 204, service.ActChangeJob, (*API).jobRemoveSelectedItems},
	{"Job_GetSelectedItem", "GET", jobPath + "/SelectedItems/{itemId}", 200, service.ActSeeJobs, (*API).jobGetSelectedItem},
	{"Job_UpdateSelectedItems", "PUT", jobPath + "/SelectedItems/{itemId}", 204, service.ActChangeJob, (*API).jobUpdateSelectedItems},
	{"Job_GetExcludedItems", "GET", jobPath + "/ExcludedItems", 200, service.ActSeeJobs, (*API).jobGetExcludedItems},
	{"Job_AddExcludedItems", "POST", jobPath + "/ExcludedItems", 204, service.ActChangeJob, (*API).jobAddExcludedItems},
	{"Job_RemoveExcludedItems", "DELETE", jobPath + "/ExcludedItems", 204, service.ActChangeJob, (*API).jobRemoveExcludedItems},
	{"Job_GetExcludedItem", "GET", jobPath + "/ExcludedItems/{itemId}", 200, service.ActSeeJobs, (*API).jobGetExcludedItem},
	{"Job_UpdateExcludedItems", "PUT", jobPath + "/ExcludedItems/{itemId}", 204, service.ActChangeJob, (*API).jobUpdateExcludedItems},
	{"Job_EnableAction", "POST", jobPath + "/enable", 204, service.ActChangeJob, (*API).jobEnableAction},
	{"Job_DisableAction", "POST", jobPath + "/disable", 204, service.ActChangeJob, (*API).jobDisableAction},
	{"Job_StartAction", "POST", jobPath + "/start", 200, service.ActStartJob, (*API).jobStartAction},
	{"Job_StopAction", "POST", jobPath + "/stop", 204, service.ActStopJob, (*API).jobStopAction},
	{"Job_ExploreAction", "POST", jobPath + "/explore", 201, service.ActExplore, (*API).jobExploreAction},

	// JobSession
	{"JobSession_Get", "GET", "/JobSessions", 200, service.ActSeeJobSessions, (*API).jobSessionGet},
	{"JobSession_GetById", "GET", "/JobSessions/{jobSessionsId}", 200, service.ActSeeJobSessions, (*API).jobSessionGetById},

	// JobSessionObjects
	{"JobSession_GetObjectsBySessionId", "GET", "/JobSessions/{sessionId}/ProcessedObjects", 200, service.ActSeeJobSessions, (*API).jobSessionGetObjectsBySessionId},

	// JobSessionLog
	{"JobSessionLog_GetBatchBySessionId", "GET", "/JobSessions/{sessionId}/LogItems", 200, service.ActSeeJobSessions, (*API).jobSessionLogGetBatchBySessionId},
	{"JobSessionLog_GetBatchBySessionIdByLogItemId", "GET", "/JobSessions/{sessionId}/LogItems/{logItemId}", 200, service.ActSeeJobSessions, (*API).jobSessionLogGetBatchBySessionIdByLogItemId},

	// License
	{"License_Get", "GET", "/License", 200, service.ActSeeLicences, (*API).licenseGet},
	{"License_InstallAction", "POST", "/License/Install", 200, service.ActSeeLicences, (*API).licenseInstallAction},
	{"License_UpdateAction", "POST", "/License/Update", 200, service.ActSeeLicences, (*API).licenseUpdateAction},
	{"License_GetAutoUpdate", "GET", "/License/AutoUpdate", 200, service.ActSeeLicences, (*API).licenseGetAutoUpdate},
	{"License_Update", "PUT", "/License/AutoUpdate", 204, service.ActSeeLicences, (*API).licenseUpdate},

	// LicensedUser
	{"LicensedUser_Get", "GET", "/LicensedUsers", 200, service.ActSeeLicences, (*API).licensedUserGet},
	{"LicensedUser_Remove", "DELETE", "/LicensedUsers/{licensedUserId}", 204, service.ActSeeLicences, (*API).licensedUserRemove},

	// LicenseStatistic
	{"LicenseStatistic_GetLicensingPlatformInfo", "GET", "/licensing/statistic/platform", 200, service.ActUnbuilt, notYet},
	{"LicenseStatistic_GetLatestReport", "GET", "/licensing/statistic/reports/latest", 200, service.ActUnbuilt, notYet},
	{"LicenseStatistic_ApproveReport", "POST", "/licensing/statistic/reports/{reportId}/approve", 204, service.ActUnbuilt, notYet},
	{"LicenseStatistic_GetUsage", "GET", "/licensing/statistic/usage", 200, service.ActUnbuilt, notYet},

	// ManagementMode
	{"ManagementMode_Get", "GET", "/ManagementMode", 200, service.ActUnbuilt, notYet},

	// OrganizationAudit
	{"OrganizationAudit_Get", "GET", organizationPath + "/AuditItems", 200, service.ActUnbuilt, notYet},
	{"OrganizationAudit_Post", "POST", organizationPath + "/AuditItems", 204, service.ActUnbuilt, notYet},
	{"OrganizationAudit_ExecuteRemove", "POST", organizationPath + "/AuditItems/remove", 204, service.ActUnbuilt, notYet},

	// OrganizationBackupAccounts
	{"OrganizationBackupAccounts_GetBackupAccounts", "GET", organizationPath + "/BackupAccounts", 200, service.ActUnbuilt, notYet},
	{"OrganizationBackupAccounts_SetAccountPool", "PUT", organizationPath + "/BackupAccounts", 201, service.ActUnbuilt, notYet},

	// OrganizationBackupApplications
	{"OrganizationBackupApplications_GetBackupApplications", "GET", organizationPath + "/BackupApplications", 200, service.ActUnbuilt, notYet},
	{"OrganizationBackupApplications_ReplaceBackupApplications", "PUT", organizationPath + "/BackupApplications", 204, service.ActUnbuilt, notYet},
	{"OrganizationBackupApplications_AppendBackupApplications", "POST", organizationPath + "/BackupApplications", 204, service.ActUnbuilt, notYet},
	{"OrganizationBackupApplications_DeleteBackupApplications", "DELETE", organizationPath + "/BackupApplications", 204, service.ActUnbuilt, notYet},
	{"OrganizationBackupApplications_OrganizationDeviceCode", "POST", organizationPath + "/DeviceCode", 200, service.ActChangeOrg, (*API).organizationBackupApplicationsOrganizationDeviceCode},

	// Organization
	{"Organization_Get", "GET", "/Organizations", 200, service.ActSeeOrgs, (*API).organizationGet},
	{"Organization_Add", "POST", "/Organizations", 201, service.ActAddOrg, (*API).organizationAdd},
	{"Organization_GetById", "GET", organizationPath, 200, service.ActSeeOrgs, (*API).organizationGetById},
	{"Organization_Update", "PUT", organizationPath, 204, service.ActChangeOrg, (*API).organizationUpdate},
	{"Organization_Remove", "DELETE", organizationPath, 204, service.ActRemoveOrg, (*API).organizationRemove},
	{"Organization_GetTenantInformationByID", "GET", organizationPath + "/tenantInformation", 200, service.ActReadDirectory, (*API).organizationGetTenantInformationByID},
	{"Organization_GetVersionBackupOptionsByID", "GET", organizationPath + "/versionBackupOptions", 200, service.ActSeeOrgs, (*API).organizationGetVersionBackupOptionsByID},
	{"Organization_SetVersionBackupOptionsByID", "PUT", organizationPath + "/versionBackupOptions", 204, service.ActChangeOrg, (*API).organizationSetVersionBackupOptionsByID},
	{"Organization_GetStorageSpaceUsage", "GET", organizationPath + "/usedRepositories", 200, service.ActSeeRepos, (*API).organizationGetStorageSpaceUsage},
	{"Organization_GetCurrentOrganization", "GET", "/Organization", 200, service.ActUnbuilt, notYet},
	{"Organization_Explore", "POST", organizationPath + "/explore", 201, service.ActExplore, (*API).organizationExplore},
	{"Organization_OrganizationDeviceCode", "POST", "/DeviceCode", 200, service.ActAddOrg, (*API).organizationOrganizationDeviceCode},
	{"Organization_CheckDeviceCode", "POST", "/DeviceCode/check", 200, service.ActAddOrg, (*API).organizationCheckDeviceCode},

	// OrganizationGroup
	{"OrganizationGroup_Get", "GET", organizationPath + "/Groups", 200, service.ActReadDirectory, (*API).organizationGroupGet},
	{"OrganizationGroup_GetById", "GET", organizationPath + "/Groups/{groupId}", 200, service.ActReadDirectory, (*API).organizationGroupGetById},

	// OrganizationGroupMember
	{"OrganizationGroupMember_Get", "GET", organizationPath + "/Groups/{groupId}/Members", 200, service.ActReadDirectory, (*API).organizationGroupMemberGet},

	// OrganizationLicensingInformation
	{"OrganizationLicensingInformation_GetLicenseCount", "GET", organizationPath + "/LicensingInformation", 200, service.ActSeeLicences, (*API).organizationLicensingInformationGetLicenseCount},

	// OrganizationRbac
	{"OrganizationRbac_GetLoggedInUser", "GET", "/Organization/LoggedInUser", 200, service.ActSeeSelf, (*API).organizationRbacGetLoggedInUser},
	{"OrganizationRbac_GetLoggedInUserOperatorInfo", "GET", "/Organization/LoggedInUser/OperatorInfo", 200, service.ActSeeSelf, (*API).organizationRbacGetLoggedInUserOperatorInfo},
	{"OrganizationRbac_GetLoggedInUserEffectiveScope", "GET", "/Organization/LoggedInUser/EffectiveScope", 200, service.ActSeeProtected, (*API).organizationRbacGetLoggedInUserEffectiveScope},
	{"OrganizationRbac_GetLoggedInUserRestorePoints", "GET", "/Organization/LoggedInUser/RestorePoints", 200, service.ActSeePoints, (*API).organizationRbacGetLoggedInUserRestorePoints},

	// OrganizationRetentionExclusion
	{"OrganizationRetentionExclusion_OrganizationRetentionPolicyGet", "GET", organizationPath + "/RetentionExclusion", 200, service.ActSeeOrgExclusion, (*API).organizationRetentionExclusionOrganizationRetentionPolicyGet},
	{"OrganizationRetentionExclusion_OrganizationRetentionPolicyPut", "PUT", organizationPath + "/RetentionExclusion", 204, service.ActSpareOrg, (*API).organizationRetentionExclusionOrganizationRetentionPolicyPut},
	{"OrganizationRetentionExclusion_OrganizationRetentionPolicyDelete", "DELETE", organizationPath + "/RetentionExclusion", 204, service.ActSpareOrg, (*API).organizationRetentionExclusionOrganizationRetentionPolicyDelete},

	// OrganizationSite
	{"OrganizationSite_Get", "GET", organizationPath + "/Sites", 200, service.ActReadDirectory, (*API).organizationSiteGet},
	{"OrganizationSite_GetById", "GET", organizationPath + "/Sites/{siteId}", 200, service.ActReadDirectory, (*API).organizationSiteGetById},

	// OrganizationTeam
	{"OrganizationTeam_Get", "GET", organizationPath + "/Teams", 200, service.ActReadDirectory, (*API).organizationTeamGet},
	{"OrganizationTeam_GetById", "GET", organizationPath + "/Teams/{teamId}", 200, service.ActReadDirectory, (*API).organizationTeamGetById},

	// OrganizationUser
	{"OrganizationUser_Get", "GET", organizationPath + "/Users", 200, service.ActReadDirectory, (*API).organizationUserGet},
	{"OrganizationUser_GetById", "GET", organizationPath + "/Users/{userId}", 200, service.ActReadDirectory, (*API).organizationUserGetById},

	// OrganizationUserOneDrive
	{"OrganizationUserOneDrive_GetPage", "GET", organizationPath + "/Users/{userId}/OneDrives", 200, service.ActReadDirectory, (*API).organizationUserOneDriveGetPage},
	{"OrganizationUserOneDrive_GetOne", "GET", organizationPath + "/Users/{userId}/OneDrives/{onedriveId}", 200, service.ActReadDirectory, (*API).organizationUserOneDriveGetOne},

	// OrganizationSync
	{"OrganizationSync_GetStates", "GET", "/Organizations/SyncState", 200, service.ActSeeSync, (*API).organizationSyncGetStates},
	{"OrganizationSync_GetState", "GET", organizationPath + "/SyncState", 200, service.ActSeeSync, (*API).organizationSyncGetState},
	{"OrganizationSync_Start", "POST", organizationPath + "/Sync", 204, service.ActSyncDirectory, (*API).organizationSyncStart},

	// Proxy
	{"Proxy_GetProxies", "GET", "/Proxies", 200, service.ActSeeProxies, (*API).proxyGetProxies},
	{"Proxy_Add", "POST", "/Proxies", 201, service.ActUnbuilt, notYet},
	{"Proxy_GetProxy", "GET", "/Proxies/{proxyId}", 200, service.ActSeeProxies, (*API).proxyGetProxy},
	{"Proxy_Update", "PUT", "/Proxies/{proxyId}", 204, service.ActChangeProxy, (*API).proxyUpdate},
	{"Proxy_RescanAction", "POST", "/Proxies/{proxyId}/Rescan", 204, service.ActChangeProxy, (*API).proxyRescanAction},
	{"Proxy_EnableMaintenanceAction", "POST", "/Proxies/{proxyId}/maintenance/enable", 204, service.ActChangeProxy, (*API).proxyEnableMaintenanceAction},
	{"Proxy_DisableMaintenanceAction", "POST", "/Proxies/{proxyId}/maintenance/disable", 204, service.ActChangeProxy, (*API).proxyDisableMaintenanceAction},
	{"Proxy_RemoveAction", "POST", "/Proxies/{proxyId}/Remove", 204, service.ActChangeProxy, (*API).proxyRemoveAction},
	{"Proxy_Rescan", "POST", "/Proxies/Rescan", 204, service.ActChangeProxy, (*API).proxyRescan},
	{"Proxy_CheckSshConnectionConfig", "POST", "/Proxies/CheckSshConnectionConfig", 200, service.ActUnbuilt, notYet},

	// ProxyPool
	{"ProxyPool_GetProxyPools", "GET", "/ProxyPools", 200, service.ActUnbuilt, notYet},
	{"ProxyPool_Add", "POST", "/ProxyPools", 201, service.ActUnbuilt, notYet},
	{"ProxyPool_GetProxyPool", "GET", "/ProxyPools/{poolId}", 200, service.ActUnbuilt, notYet},
	{"ProxyPool_Update", "PUT", "/ProxyPools/{poolId}", 204, service.ActUnbuilt, notYet},
	{"ProxyPool_Remove", "DELETE", "/ProxyPools/{poolId}", 204, service.ActUnbuilt, notYet},
	{"ProxyPool_GetProxies", "GET", "/ProxyPools/{poolId}/proxies", 200, service.ActUnbuilt, notYet},
	{"ProxyPool_AddProxies", "POST", "/ProxyPools/{poolId}/proxies", 204, service.ActUnbuilt, notYet},
	{"ProxyPool_RemoveProxies", "DELETE", "/ProxyPools/{poolId}/proxies", 204, service.ActUnbuilt, notYet},

	// RbacRole
	{"RbacRole_GetAll", "GET", "/RbacRoles", 200, service.ActSeeRoles, (*API).rbacRoleGetAll},
	{"RbacRole_Get", "GET", rolePath, 200, service.ActSeeRoles, (*API).rbacRoleGet},
	{"RbacRole_Update", "PUT", rolePath, 204, service.ActChangeRoles, (*API).rbacRoleUpdate},
	{"RbacRole_Delete", "DELETE", rolePath, 204, service.ActChangeRoles, (*API).rbacRoleDelete},
	{"RbacRole_GetOperators", "GET", rolePath + "/operators", 200, service.ActSeeRoles, (*API).rbacRoleGetOperators},
	{"RbacRole_AddOperators", "POST", rolePath + "/operators", 204, service.ActChangeRoles, (*API).rbacRoleAddOperators},
	{"RbacRole_DeleteOperators", "DELETE", rolePath + "/operators", 204, service.ActChangeRoles, (*API).rbacRoleDeleteOperators},
	{"RbacRole_GetOperator", "GET", rolePath + "/operators/{operatorId}", 200, service.ActSeeRoles, (*API).rbacRoleGetOperator},
	{"RbacRole_GetSelectedItems", "GET", rolePath + "/selectedItems", 200, service.ActSeeRoles, (*API).rbacRoleGetSelectedItems},
	{"RbacRole_AddSelectedItems", "POST", rolePath + "/selectedItems", 204, service.ActChangeRoles, (*API).rbacRoleAddSelectedItems},
	{"RbacRole_DeleteSelectedItems", "DELETE", rolePath + "/selectedItems", 204, service.ActChangeRoles, (*API).rbacRoleDeleteSelectedItems},
	{"RbacRole_GetSelectedItem", "GET", rolePath + "/selectedItems/{itemId}", 200, service.ActSeeRoles, (*API).rbacRoleGetSelectedItem},
	{"RbacRole_GetExcludedItems", "GET", rolePath + "/excludedItems", 200, service.ActSeeRoles, (*API).rbacRoleGetExcludedItems},
	{"RbacRole_AddExcludedItems", "POST", rolePath + "/excludedItems", 204, service.ActChangeRoles, (*API).rbacRoleAddExcludedItems},
	{"RbacRole_DeleteExcludedItems", "DELETE", rolePath + "/excludedItems", 204, service.ActChangeRoles, (*API).rbacRoleDeleteExcludedItems},
	{"RbacRole_GetExcludedItem", "GET", rolePath + "/excludedItems/{itemId}", 200, service.ActSeeRoles, (*API).rbacRoleGetExcludedItem},
	{"RbacRole_GetByOrganization", "GET", organizationPath + "/RbacRoles", 200, service.ActSeeRoles, (*API).rbacRoleGetByOrganization},
	{"RbacRole_Add", "POST", organizationPath + "/RbacRoles", 201, service.ActChangeRoles, (*API).rbacRoleAdd},

	// Reports
	{"Reports_GenerateLicenseOverviewAction", "POST", "/Reports/GenerateLicenseOverview", 200, service.ActUnbuilt, notYet},
	{"Reports_GenerateStorageConsumptionAction", "POST", "/Reports/GenerateStorageConsumption", 200, service.ActUnbuilt, notYet},
	{"Reports_GenerateOneDriveProtectionAction", "POST", "/Reports/GenerateOneDriveProtection", 200, service.ActUnbuilt, notYet},
	{"Reports_GenerateTeamsProtectionAction", "POST", "/Reports/GenerateTeamsProtection", 200, service.ActUnbuilt, notYet},
	{"Reports_GenerateMailboxProtectionAction", "POST", "/Reports/GenerateMailboxProtection", 200, service.ActUnbuilt, notYet},
	{"Reports_GenerateSharepointProtectionAction", "POST", "/Reports/GenerateSharepointProtection", 200, service.ActUnbuilt, notYet},
	{"Reports_GenerateUserProtectionAction", "POST", "/Reports/GenerateUserProtection", 200, service.ActUnbuilt, notYet},

	// RepositorySynchronizeSessions
	{"RepositorySynchronizeSessions_GetSynchronizeSessions", "GET", "/RepositorySynchronizeSessions", 200, service.ActSeeRepos, (*API).repositorySynchronizeSessionsGetSynchronizeSessions},
	{"RepositorySynchronizeSessions_GetRepositoriesById", "GET", "/RepositorySynchronizeSessions/{sessionId}", 200, service.ActSeeRepos, (*API).repositorySynchronizeSessionsGetRepositoriesById},
	{"RepositorySynchronizeSessions_StopSynchronizeAction", "POST", "/RepositorySynchronizeSessions/{sessionId}/StopSynchronize", 204, service.ActUnbuilt, notYet},

	// RepositoryOwnerChangeSession
	{"RepositoryOwnerChangeSessions_Get", "GET", "/RepositoryOwnerChangeSessions", 200, service.ActUnbuilt, notYet},
	{"RepositoryOwnerChangeSessions_GetById", "GET", "/RepositoryOwnerChangeSessions/{sessionId}", 200, service.ActUnbuilt, notYet},
	{"RepositoryOwnerChangeSessions_StopAction", "POST", "/RepositoryOwnerChangeSessions/{sessionId}/Stop", 204, service.ActUnbuilt, notYet},

	// RestorePoint
	{"RestorePoint_GetRestorePoints", "GET", "/RestorePoints", 200, service.ActSeePoints, (*API).restorePointGetRestorePoints},
	{"RestorePoint_GetRestorePoint", "GET", "/RestorePoints/{restorePointId}", 200, service.ActSeePoints, (*API).restorePointGetRestorePoint},

	// ProtectedData
	{"ProtectedData_GetProtectedUsers", "GET", "/ProtectedUsers", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedUsers},
	{"ProtectedData_GetProtectedUser", "GET", "/ProtectedUsers/{protectedUserId}", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedUser},
	{"ProtectedData_GetProtectedGroups", "GET", "/ProtectedGroups", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedGroups},
	{"ProtectedData_GetProtectedGroup", "GET", "/ProtectedGroups/{protectedGroupId}", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedGroup},
	{"ProtectedData_GetProtectedSites", "GET", "/ProtectedSites", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedSites},
	{"ProtectedData_GetProtectedSite", "GET", "/ProtectedSites/{protectedSiteId}", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedSite},
	{"ProtectedData_GetProtectedTeams", "GET", "/ProtectedTeams", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedTeams},
	{"ProtectedData_GetProtectedTeam", "GET", "/ProtectedTeams/{protectedTeamId}", 200, service.ActSeeProtected, (*API).protectedDataGetProtectedTeam},

	// RestoreSession
	{"RestoreSession_GetPage", "GET", "/RestoreSessions", 200, service.ActSeeRestores, (*API).restoreSessionGetPage},
	{"RestoreSession_GetByRestoreSessionId", "GET", sessionPath, 200, service.ActSeeRestores, (*API).restoreSessionGetByRestoreSessionId},
	{"RestoreSession_StopAction", "POST", sessionPath + "/Stop", 204, service.ActStopRestore, (*API).restoreSessionStopAction},
	{"RestoreSession_GetRestoreStatistics", "GET", sessionPath + "/Statistics", 200, service.ActSeeRestored, (*API).restoreSessionGetRestoreStatistics},
	{"RestoreSession_DeviceCodeAction", "POST", sessionPath + "/organization/restoreDeviceCode", 200, service.ActUnbuilt, notYet},
	{"RestoreSession_ExploreAction", "POST", "/Organization/Explore", 201, service.ActExplore, (*API).restoreSessionExploreAction},
	{"RestoreSession_OperatorExploreAction", "POST", "/Organization/OperatorExplore", 201, service.ActExplore, (*API).restoreSessionOperatorExploreAction},

	// RestoreSessionEvent
	{"RestoreSessionEvent_GetById", "GET", sessionPath + "/Events/{eventId}", 200, service.ActSeeRestored, (*API).restoreSessionEventGetById},
	{"RestoreSessionEvent_Get", "GET", sessionPath + "/Events", 200, service.ActSeeRestored, (*API).restoreSessionEventGet},

	// RestorePortalSettings
	{"RestorePortalSettings_Get", "GET", "/RestorePortalSettings", 200, service.ActSeePortal, (*API).restorePortalSettingsGet},

	// ServiceInstance
	{"ServiceInstance_Get", "GET", "/ServiceInstance", 200, service.ActSeeService, (*API).serviceInstanceGet},

	// VboEmailSettings
	{"VboEmailSettings_Get", "GET", "/VboEmailSettings", 200, service.ActSeeMail, (*API).vboEmailSettingsGet},
	{"VboEmailSettings_Update", "PUT", "/VboEmailSettings", 204, service.ActChangeMail, (*API).vboEmailSettingsUpdate},
	{"VboEmailSettings_PrepareOAuthSignIn", "POST", "/VboEmailSettings/PrepareOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VboEmailSettings_CompleteOAuthSignIn", "POST", "/VboEmailSettings/CompleteOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VboEmailSettings_SendTestEmail", "POST", "/VboEmailSettings/SendTestEmail", 204, service.ActTestMail, (*API).vboEmailSettingsSendTestEmail},

	// ExchangeFolder
	{"ExchangeFolder_Get", "GET", mailboxPath + "/folders", 200, service.ActReadContent, (*API).exchangeFolderGet},
	{"ExchangeFolder_GetByFolderId", "GET", mailboxPath + "/folders/{folderId}", 200, service.ActReadContent, (*API).exchangeFolderGetByFolderId},
	{"ExchangeFolder_RestoreAction", "POST", mailboxPath + "/folders/{folderId}/restore", 200, service.ActRestore, (*API).exchangeFolderRestoreAction},
	{"ExchangeFolder_RestoreToAction", "POST", mailboxPath + "/folders/{folderId}/restoreTo", 200, service.ActRestore, (*API).exchangeFolderRestoreToAction},
	{"ExchangeFolder_ExportToPstAction", "POST", mailboxPath + "/folders/{folderId}/exportToPst", 200, service.ActUnbuilt, notYet},
	{"ExchangeFolder_SearchByOptions", "POST", mailboxPath + "/folders/{folderId}/search", 200, service.ActReadContent, (*API).exchangeFolderSearchByOptions},

	// ExchangeItem
	{"ExchangeItem_GetById", "GET", mailboxPath + "/items/{itemId}", 200, service.ActReadContent, (*API).exchangeItemGetById},
	{"ExchangeItem_Get", "GET", mailboxPath + "/items", 200, service.ActReadContent, (*API).exchangeItemGet},
	{"ExchangeItem_RestoreItemsAction", "POST", mailboxPath + "/items/restore", 200, service.ActRestore, (*API).exchangeItemRestoreItemsAction},
	{"ExchangeItem_RestoreItemsToAction", "POST", mailboxPath + "/items/restoreTo", 200, service.ActRestore, (*API).exchangeItemRestoreItemsToAction},
	{"ExchangeItem_ExportItemsToPstAction", "POST", mailboxPath + "/items/exportToPst", 200, service.ActUnbuilt, notYet},
	{"ExchangeItem_SaveItems", "POST", mailboxPath + "/items/Save", 200, service.ActDownload, (*API).exchangeItemSaveItems},
	{"ExchangeItem_SendItemsToDefaultAddressAction", "POST", mailboxPath + "/items/sendToDefaultAddress", 204, service.ActSend, (*API).exchangeItemSendItemsToDefaultAddressAction},
	{"ExchangeItem_SendItemsToDifferentAddressAction", "POST", mailboxPath + "/items/sendToDifferentAddress", 204, service.ActSend, (*API).exchangeItemSendItemsToDifferentAddressAction},
	{"ExchangeItem_RestoreItemAction", "POST", mailboxPath + "/items/{itemId}/restore", 200, service.ActRestore, (*API).exchangeItemRestoreItemAction},
	{"ExchangeItem_RestoreItemToAction", "POST", mailboxPath + "/items/{itemId}/restoreTo", 200, service.ActRestore, (*API).exchangeItemRestoreItemToAction},
	{"ExchangeItem_ExportItemToPstAction", "POST", mailboxPath + "/items/{itemId}/exportToPst", 200, service.ActUnbuilt, notYet},
	{"ExchangeItem_SaveItemAction", "POST", mailboxPath + "/items/{itemId}/save", 200, service.ActDownload, (*API).exchangeItemSaveItemAction},
	{"ExchangeItem_SendItemToDefaultAddressAction", "POST", mailboxPath + "/items/{itemId}/sendToDefaultAddress", 204, service.ActSend, (*API).exchangeItemSendItemToDefaultAddressAction},
	{"ExchangeItem_SendItemToDifferentAddressAction", "POST", mailboxPath + "/items/{itemId}/sendToDifferentAddress", 204, service.ActSend, (*API).exchangeItemSendItemToDifferentAddressAction},
	{"ExchangeItem_OperatorRestore", "POST", mailboxPath + "/items/operatorRestore", 200, service.ActRestore, (*API).exchangeItemOperatorRestore},

	// ExchangeMailbox
	{"ExchangeMailbox_Get", "GET", mailboxesPath, 200, service.ActExplore, (*API).exchangeMailboxGet},
	{"ExchangeMailbox_GetById", "GET", mailboxPath, 200, service.ActExplore, (*API).exchangeMailboxGetById},
	{"ExchangeMailbox_RestoreMailboxesAction", "POST", mailboxesPath + "/restore", 200, service.ActRestore, (*API).exchangeMailboxRestoreMailboxesAction},
	{"ExchangeMailbox_RestoreMailboxAction", "POST", mailboxPath + "/restore", 200, service.ActRestore, (*API).exchangeMailboxRestoreMailboxAction},
	{"ExchangeMailbox_RestoreMailboxToAction", "POST", mailboxPath + "/restoreTo", 200, service.ActRestore, (*API).exchangeMailboxRestoreMailboxToAction},
	{"ExchangeMailbox_ExportMailboxToPstAction", "POST", mailboxPath + "/exportToPst", 200, service.ActUnbuilt, notYet},
	{"ExchangeMailbox_SearchByIdByOptions", "POST", mailboxPath + "/search", 200, service.ActReadContent, (*API).exchangeMailboxSearchByIdByOptions},
	{"ExchangeMailbox_SearchByOptions", "POST", mailboxesPath + "/search", 200, service.ActReadContent, (*API).exchangeMailboxSearchByOptions},

	// VexEmailSettings
	{"VexEmailSettings_Get", "GET", "/VexEmailSettings", 200, service.ActSeeMail, (*API).vexEmailSettingsGet},
	{"VexEmailSettings_Update", "PUT", "/VexEmailSettings", 204, service.ActChangeMail, (*API).vexEmailSettingsUpdate},
	{"VexEmailSettings_PrepareOAuthSignIn", "POST", "/VexEmailSettings/PrepareOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VexEmailSettings_CompleteOAuthSignIn", "POST", "/VexEmailSettings/CompleteOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VexEmailSettings_SendTestEmail", "POST", "/VexEmailSettings/SendTestEmail", 204, service.ActTestMail, (*API).vexEmailSettingsSendTestEmail},

	// OneDrive
	{"OneDrive_Get", "GET", oneDrivesPath, 200, service.ActExplore, (*API).oneDriveGet},
	{"OneDrive_GetById", "GET", oneDrivePath, 200, service.ActExplore, (*API).oneDriveGetById},
	{"OneDrive_CopyToOneDriveAction", "POST", oneDrivePath + "/copyTo", 200, service.ActRestore, (*API).oneDriveCopyToOneDriveAction},
	{"OneDrive_SaveOneDriveAction", "POST", oneDrivePath + "/save", 200, service.ActDownload, (*API).oneDriveSaveOneDriveAction},
	{"OneDrive_SendOneDriveAction", "POST", oneDrivePath + "/send", 204, service.ActSend, (*API).oneDriveSendOneDriveAction},
	{"OneDrive_RestoreOneDriveAction", "POST", oneDrivePath + "/restore", 200, service.ActRestore, (*API).oneDriveRestoreOneDriveAction},
	{"OneDrive_RestoreOneDrivesAction", "POST", oneDrivesPath + "/restore", 200, service.ActRestore, (*API).oneDriveRestoreOneDrivesAction},
	{"OneDrive_SearchOneDrivesByOptions", "POST", oneDrivesPath + "/search", 200, service.ActReadContent, (*API).oneDriveSearchOneDrivesByOptions},
	{"OneDrive_SearchOneDriveByOptions", "POST", oneDrivePath + "/search", 200, service.ActReadContent, (*API).oneDriveSearchOneDriveByOptions},

	// OneDriveDocument
	{"OneDriveDocument_Get", "GET", oneDrivePath + "/Documents", 200, service.ActReadContent, (*API).oneDriveDocumentGet},
	{"OneDriveDocument_GetById", "GET", oneDrivePath + "/Documents/{documentId}", 200, service.ActReadContent, (*API).oneDriveDocumentGetById},
	{"OneDriveDocument_GetVersions", "GET", oneDrivePath + "/Documents/{documentId}/Versions", 200, service.ActReadContent, (*API).oneDriveDocumentGetVersions},
	{"OneDriveDocument_GetByIdByVersionId", "GET", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}", 200, service.ActReadContent, (*API).oneDriveDocumentGetByIdByVersionId},
	{"OneDriveDocument_RestoreDocumentsAction", "POST", oneDrivePath + "/Documents/restore", 200, service.ActRestore, (*API).oneDriveDocumentRestoreDocumentsAction},
	{"OneDriveDocument_CopyToDocumentsAction", "POST", oneDrivePath + "/Documents/copyTo", 200, service.ActRestore, (*API).oneDriveDocumentCopyToDocumentsAction},
	{"OneDriveDocument_SendDocumentsAction", "POST", oneDrivePath + "/Documents/send", 204, service.ActSend, (*API).oneDriveDocumentSendDocumentsAction},
	{"OneDriveDocument_SaveDocumentsAction", "POST", oneDrivePath + "/Documents/save", 200, service.ActDownload, (*API).oneDriveDocumentSaveDocumentsAction},
	{"OneDriveDocument_RestoreDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/restore", 200, service.ActRestore, (*API).oneDriveDocumentRestoreDocumentAction},
	{"OneDriveDocument_RestoreDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/restore", 200, service.ActRestore, (*API).oneDriveDocumentRestoreDocumentActionByVersionId},
	{"OneDriveDocument_CopyToDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/copyTo", 200, service.ActRestore, (*API).oneDriveDocumentCopyToDocumentAction},
	{"OneDriveDocument_CopyToDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/copyTo", 200, service.ActRestore, (*API).oneDriveDocumentCopyToDocumentActionByVersionId},
	{"OneDriveDocument_SaveDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/save", 200, service.ActDownload, (*API).oneDriveDocumentSaveDocumentAction},
	{"OneDriveDocument_SaveDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/save", 200, service.ActDownload, (*API).oneDriveDocumentSaveDocumentActionByVersionId},
	{"OneDriveDocument_SendDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/send", 204, service.ActSend, (*API).oneDriveDocumentSendDocumentAction},
	{"OneDriveDocument_SendDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/send", 204, service.ActSend, (*API).oneDriveDocumentSendDocumentActionByVersionId},
	{"OneDriveDocument_OperatorRestore", "POST", oneDrivePath + "/Documents/operatorRestore", 200, service.ActRestore, (*API).oneDriveDocumentOperatorRestore},

	// OneDriveFolder
	{"OneDriveFolder_Get", "GET", oneDrivePath + "/Folders", 200, service.ActReadContent, (*API).oneDriveFolderGet},
	{"OneDriveFolder_GetById", "GET", oneDrivePath + "/Folders/{folderId}", 200, service.ActReadContent, (*API).oneDriveFolderGetById},
	{"OneDriveFolder_RestoreFoldersAction", "POST", oneDrivePath + "/Folders/restore", 200, service.ActRestore, (*API).oneDriveFolderRestoreFoldersAction},
	{"OneDriveFolder_GetByIdByVersionId", "GET", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}", 200, service.ActUnbuilt, notYet},
	{"OneDriveFolder_CopyToFoldersAction", "POST", oneDrivePath + "/Folders/copyTo", 200, service.ActRestore, (*API).oneDriveFolderCopyToFoldersAction},
	{"OneDriveFolder_SaveFoldersAction", "POST", oneDrivePath + "/Folders/save", 200, service.ActDownload, (*API).oneDriveFolderSaveFoldersAction},
	{"OneDriveFolder_SendFoldersAction", "POST", oneDrivePath + "/Folders/send", 204, service.ActSend, (*API).oneDriveFolderSendFoldersAction},
	{"OneDriveFolder_GetVersions", "GET", oneDrivePath + "/Folders/{folderId}/Versions", 200, service.ActUnbuilt, notYet},
	{"OneDriveFolder_RestoreFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/restore", 200, service.ActRestore, (*API).oneDriveFolderRestoreFolderAction},
	{"OneDriveFolder_RestoreFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/restore", 200, service.ActUnbuilt, notYet},
	{"OneDriveFolder_CopyToFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/copyTo", 200, service.ActRestore, (*API).oneDriveFolderCopyToFolderAction},
	{"OneDriveFolder_CopyToFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/copyTo", 200, service.ActUnbuilt, notYet},
	{"OneDriveFolder_SaveFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/save", 200, service.ActDownload, (*API).oneDriveFolderSaveFolderAction},
	{"OneDriveFolder_SaveFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/save", 200, service.ActUnbuilt, notYet},
	{"OneDriveFolder_SendFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/send", 204, service.ActSend, (*API).oneDriveFolderSendFolderAction},
	{"OneDriveFolder_SendFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/send", 204, service.ActUnbuilt, notYet},
	{"OneDriveFolder_SearchOneDriveFolderByOptions", "POST", oneDrivePath + "/Folders/{folderId}/search", 200, service.ActReadContent, (*API).oneDriveFolderSearchOneDriveFolderByOptions},

	// SharePointAttachment
	{"SharePointAttachment_Get", "GET", sitePath + "/Items/{itemId}/Attachments", 200, service.ActReadContent, (*API).sharePointAttachmentGet},
	{"SharePointAttachment_GetById", "GET", sitePath + "/Items/{itemId}/Attachments/{attachmentId}", 200, service.ActReadContent, (*API).sharePointAttachmentGetById},
	{"SharePointAttachment_SaveAttachmentsAction", "POST", sitePath + "/Items/{itemId}/Attachments/save", 200, service.ActDownload, (*API).sharePointAttachmentSaveAttachmentsAction},
	{"SharePointAttachment_SaveAttachmentAction", "POST", sitePath + "/Items/{itemId}/Attachments/{attachmentId}/save", 200, service.ActDownload, (*API).sharePointAttachmentSaveAttachmentAction},
	{"SharePointAttachment_SendAttachmentsAction", "POST", sitePath + "/Items/{itemId}/Attachments/send", 204, service.ActSend, (*API).sharePointAttachmentSendAttachmentsAction},
	{"SharePointAttachment_SendAttachmentAction", "POST", sitePath + "/Items/{itemId}/Attachments/{attachmentId}/send", 204, service.ActSend, (*API).sharePointAttachmentSendAttachmentAction},

	// SharePointDocument
	{"SharePointDocument_Get", "GET", sitePath + "/Documents", 200, service.ActReadContent, (*API).sharePointDocumentGet},
	{"SharePointDocument_GetById", "GET", sitePath + "/Documents/{documentId}", 200, service.ActReadContent, (*API).sharePointDocumentGetById},
	{"SharePointDocument_GetByIdByVersionId", "GET", sitePath + "/Documents/{documentId}/Versions/{versionId}", 200, service.ActReadContent, (*API).sharePointDocumentGetByIdByVersionId},
	{"SharePointDocument_GetVersions", "GET", sitePath + "/Documents/{documentId}/Versions", 200, service.ActReadContent, (*API).sharePointDocumentGetVersions},
	{"SharePointDocument_RestoreDocumentsAction", "POST", sitePath + "/Documents/restore", 200, service.ActRestore, (*API).sharePointDocumentRestoreDocumentsAction},
	{"SharePointDocument_RestoreDocumentsActionTo", "POST", sitePath + "/Documents/restoreTo", 200, service.ActRestore, (*API).sharePointDocumentRestoreDocumentsActionTo},
	{"SharePointDocument_RestoreDocumentActionByVersionId", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/restore", 200, service.ActRestore, (*API).sharePointDocumentRestoreDocumentActionByVersionId},
	{"SharePointDocument_RestoreDocumentActionByVersionIdTo", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/restoreTo", 200, service.ActRestore, (*API).sharePointDocumentRestoreDocumentActionByVersionIdTo},
	{"SharePointDocument_RestoreDocumentAction", "POST", sitePath + "/Documents/{documentId}/restore", 200, service.ActRestore, (*API).sharePointDocumentRestoreDocumentAction},
	{"SharePointDocument_RestoreDocumentActionTo", "POST", sitePath + "/Documents/{documentId}/restoreTo", 200, service.ActRestore, (*API).sharePointDocumentRestoreDocumentActionTo},
	{"SharePointDocument_SaveDocumentsAction", "POST", sitePath + "/Documents/save", 200, service.ActDownload, (*API).sharePointDocumentSaveDocumentsAction},
	{"SharePointDocument_SaveDocumentActionByVersionId", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/save", 200, service.ActDownload, (*API).sharePointDocumentSaveDocumentActionByVersionId},
	{"SharePointDocument_SaveDocumentAction", "POST", sitePath + "/Documents/{documentId}/save", 200, service.ActDownload, (*API).sharePointDocumentSaveDocumentAction},
	{"SharePointDocument_SendDocumentsAction", "POST", sitePath + "/Documents/send", 204, service.ActSend, (*API).sharePointDocumentSendDocumentsAction},
	{"SharePointDocument_SendDocumentActionByVersionId", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/send", 204, service.ActSend, (*API).sharePointDocumentSendDocumentActionByVersionId},
	{"SharePointDocument_SendDocumentAction", "POST", sitePath + "/Documents/{documentId}/send", 204, service.ActSend, (*API).sharePointDocumentSendDocumentAction},
	{"SharePointDocument_OperatorRestore", "POST", sitePath + "/Documents/operatorRestore", 200, service.ActRestore, (*API).sharePointDocumentOperatorRestore},

	// SharePointFolder
	{"SharePointFolder_Get", "GET", sitePath + "/Folders", 200, service.ActReadContent, (*API).sharePointFolderGet},
	{"SharePointFolder_GetById", "GET", sitePath + "/Folders/{folderId}", 200, service.ActReadContent, (*API).sharePointFolderGetById},
	{"SharePointFolder_GetByIdByVersionId", "GET", sitePath + "/Folders/{folderId}/Versions/{versionId}", 200, service.ActUnbuilt, notYet},
	{"SharePointFolder_GetVersions", "GET", sitePath + "/Folders/{folderId}/Versions", 200, service.ActUnbuilt, notYet},
	{"SharePointFolder_RestoreFoldersAction", "POST", sitePath + "/Folders/restore", 200, service.ActRestore, (*API).sharePointFolderRestoreFoldersAction},
	{"SharePointFolder_RestoreFoldersActionTo", "POST", sitePath + "/Folders/restoreTo", 200, service.ActRestore, (*API).sharePointFolderRestoreFoldersActionTo},
	{"SharePointFolder_RestoreFolderAction", "POST", sitePath + "/Folders/{folderId}/restore", 200, service.ActRestore, (*API).sharePointFolderRestoreFolderAction},
	{"SharePointFolder_RestoreFolderActionTo", "POST", sitePath + "/Folders/{folderId}/restoreTo", 200, service.ActRestore, (*API).sharePointFolderRestoreFolderActionTo},
	{"SharePointFolder_RestoreFolderActionByVersionId", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/restore", 200, service.ActUnbuilt, notYet},
	{"SharePointFolder_RestoreFolderActionByVersionIdTo", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/restoreTo", 200, service.ActUnbuilt, notYet},
	{"SharePointFolder_SaveFoldersAction", "POST", sitePath + "/Folders/save", 200, service.ActDownload, (*API).sharePointFolderSaveFoldersAction},
	{"SharePointFolder_SaveFolderAction", "POST", sitePath + "/Folders/{folderId}/save", 200, service.ActDownload, (*API).sharePointFolderSaveFolderAction},
	{"SharePointFolder_SaveFolderActionByVersionId", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/save", 200, service.ActUnbuilt, notYet},
	{"SharePointFolder_SendFoldersAction", "POST", sitePath + "/Folders/send", 204, service.ActSend, (*API).sharePointFolderSendFoldersAction},
	{"SharePointFolder_SendFolderAction", "POST", sitePath + "/Folders/{folderId}/send", 204, service.ActSend, (*API).sharePointFolderSendFolderAction},
	{"SharePointFolder_SendFolderActionByVersionId", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/send", 204, service.ActUnbuilt, notYet},
	{"SharePointFolder_SearchFolderByOptions", "POST", sitePath + "/Folders/{folderId}/search", 200, service.ActReadContent, (*API).sharePointFolderSearchFolderByOptions},

	// SharePointItem
	{"SharePointItem_Get", "GET", sitePath + "/Items", 200, service.ActReadContent, (*API).sharePointItemGet},
	{"SharePointItem_GetById", "GET", sitePath + "/Items/{itemId}", 200, service.ActReadContent, (*API).sharePointItemGetById},
	{"SharePointItem_GetByIdByVersionId", "GET", sitePath + "/Items/{itemId}/Versions/{versionId}", 200, service.ActReadContent, (*API).sharePointItemGetByIdByVersionId},
	{"SharePointItem_GetVersions", "GET", sitePath + "/Items/{itemId}/Versions", 200, service.ActReadContent, (*API).sharePointItemGetVersions},
	{"SharePointItem_RestoreItemsAction", "POST", sitePath + "/Items/restore", 200, service.ActRestore, (*API).sharePointItemRestoreItemsAction},
	{"SharePointItem_RestoreItemsActionTo", "POST", sitePath + "/Items/restoreTo", 200, service.ActRestore, (*API).sharePointItemRestoreItemsActionTo},
	{"SharePointItem_RestoreItemAction", "POST", sitePath + "/Items/{itemId}/Restore", 200, service.ActRestore, (*API).sharePointItemRestoreItemAction},
	{"SharePointItem_RestoreItemActionByVersionId", "POST", sitePath + "/Items/{itemId}/Versions/{versionId}/restore", 200, service.ActRestore, (*API).sharePointItemRestoreItemActionByVersionId},
	{"SharePointItem_RestoreItemActionTo", "POST", sitePath + "/Items/{itemId}/RestoreTo", 200, service.ActRestore, (*API).sharePointItemRestoreItemActionTo},
	{"SharePointItem_RestoreItemActionByVersionIdTo", "POST", sitePath + "/Items/{itemId}/Versions/{versionId}/restoreTo", 200, service.ActRestore, (*API).sharePointItemRestoreItemActionByVersionIdTo},
	{"SharePointItem_OperatorRestore", "POST", sitePath + "/Items/operatorRestore", 200, service.ActRestore, (*API).sharePointItemOperatorRestore},

	// SharePointLibrary
	{"SharePointLibrary_Get", "GET", sitePath + "/Libraries", 200, service.ActReadContent, (*API).sharePointLibraryGet},
	{"SharePointLibrary_GetById", "GET", sitePath + "/Libraries/{libraryId}", 200, service.ActReadContent, (*API).sharePointLibraryGetById},
	{"SharePointLibrary_RestoreLibraryAction", "POST", sitePath + "/Libraries/{libraryId}/restore", 200, service.ActRestore, (*API).sharePointLibraryRestoreLibraryAction},
	{"SharePointLibrary_RestoreLibraryActionTo", "POST", sitePath + "/Libraries/{libraryId}/restoreTo", 200, service.ActRestore, (*API).sharePointLibraryRestoreLibraryActionTo},
	{"SharePointLibrary_SaveLibraryAction", "POST", sitePath + "/Libraries/{libraryId}/save", 200, service.ActDownload, (*API).sharePointLibrarySaveLibraryAction},
	{"SharePointLibrary_SendLibraryAction", "POST", sitePath + "/Libraries/{libraryId}/send", 204, service.ActSend, (*API).sharePointLibrarySendLibraryAction},
	{"SharePointLibrary_SearchLibraryByOptions", "POST", sitePath + "/Libraries/{libraryId}/search", 200, service.ActReadContent, (*API).sharePointLibrarySearchLibraryByOptions},

	// SharePointList
	{"SharePointList_Get", "GET", sitePath + "/Lists", 200, service.ActReadContent, (*API).sharePointListGet},
	{"SharePointList_GetById", "GET", sitePath + "/Lists/{listId}", 200, service.ActReadContent, (*API).sharePointListGetById},
	{"SharePointList_RestoreListAction", "POST", sitePath + "/Lists/{listId}/restore", 200, service.ActRestore, (*API).sharePointListRestoreListAction},
	{"SharePointList_RestoreListActionTo", "POST", sitePath + "/Lists/{listId}/restoreTo", 200, service.ActRestore, (*API).sharePointListRestoreListActionTo},
	{"SharePointList_SearchListByOptions", "POST", sitePath + "/Lists/{listId}/search", 200, service.ActReadContent, (*API).sharePointListSearchListByOptions},

	// SharePointSite
	{"SharePointSite_Get", "GET", sitesPath, 200, service.ActExplore, (*API).sharePointSiteGet},
	{"SharePointSite_GetById", "GET", sitePath, 200, service.ActExplore, (*API).sharePointSiteGetById},
	{"SharePointSite_RestoreSiteAction", "POST", sitePath + "/restore", 200, service.ActRestore, (*API).sharePointSiteRestoreSiteAction},
	{"SharePointSite_RestoreSiteActionTo", "POST", sitePath + "/restoreTo", 200, service.ActRestore, (*API).sharePointSiteRestoreSiteActionTo},
	{"SharePointSite_SearchSitesByOptions", "POST", sitesPath + "/search", 200, service.ActReadContent, (*API).sharePointSiteSearchSitesByOptions},
	{"SharePointSite_SearchSiteByOptions", "POST", sitePath + "/search", 200, service.ActReadContent, (*API).sharePointSiteSearchSiteByOptions},

	// VeodEmailSettings
	{"VeodEmailSettings_Get", "GET", "/VeodEmailSettings", 200, service.ActSeeMail, (*API).veodEmailSettingsGet},
	{"VeodEmailSettings_Update", "PUT", "/VeodEmailSettings", 204, service.ActChangeMail, (*API).veodEmailSettingsUpdate},
	{"VeodEmailSettings_PrepareOAuthSignIn", "POST", "/VeodEmailSettings/PrepareOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VeodEmailSettings_CompleteOAuthSignIn", "POST", "/VeodEmailSettings/CompleteOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VeodEmailSettings_SendTestEmail", "POST", "/VeodEmailSettings/SendTestEmail", 204, service.ActTestMail, (*API).veodEmailSettingsSendTestEmail},

	// VespEmailSettings
	{"VespEmailSettings_Get", "GET", "/VespEmailSettings", 200, service.ActSeeMail, (*API).vespEmailSettingsGet},
	{"VespEmailSettings_Update", "PUT", "/VespEmailSettings", 204, service.ActChangeMail, (*API).vespEmailSettingsUpdate},
	{"VespEmailSettings_PrepareOAuthSignIn", "POST", "/VespEmailSettings/PrepareOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VespEmailSettings_CompleteOAuthSignIn", "POST", "/VespEmailSettings/CompleteOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VespEmailSettings_SendTestEmail", "POST", "/VespEmailSettings/SendTestEmail", 204, service.ActTestMail, (*API).vespEmailSettingsSendTestEmail},

	// TeamsChannel
	{"TeamsChannel_Get", "GET", teamPath + "/channels", 200, service.ActReadContent, (*API).teamsChannelGet},
	{"TeamsChannel_GetByChannelId", "GET", channelPath, 200, service.ActReadContent, (*API).teamsChannelGetByChannelId},
	{"TeamsChannel_GetChildrenPage", "GET", channelPath + "/children", 200, service.ActReadContent, (*API).teamsChannelGetChildrenPage},
	{"TeamsChannel_Search", "POST", channelPath + "/search", 200, service.ActReadContent, (*API).teamsChannelSearch},
	{"TeamsChannel_Restore", "POST", channelPath + "/restore", 200, service.ActRestore, (*API).teamsChannelRestore},
	{"TeamsChannel_OperatorRestore", "POST", channelPath + "/operatorRestore", 200, service.ActRestore, (*API).teamsChannelOperatorRestore},
	{"TeamsChannel_OperatorStartExportTask", "POST", channelPath + "/startOperatorExportPosts", 200, service.ActDownload, (*API).teamsChannelOperatorStartExportTask},
	{"TeamsChannel_DownloadExportedPosts", "GET", channelPath + "/operatorExport/{requestExportId}", 200, service.ActDownload, (*API).teamsChannelDownloadExportedPosts},

	// TeamsFile
	{"TeamsFile_GetPage", "GET", teamPath + "/files", 200, service.ActReadContent, (*API).teamsFileGetPage},
	{"TeamsFile_Get", "GET", channelPath + "/files/{fileId}", 200, service.ActReadContent, (*API).teamsFileGet},
	{"TeamsFile_GetVersions", "GET", channelPath + "/files/{fileId}/versions", 200, service.ActReadContent, (*API).teamsFileGetVersions},
	{"TeamsFile_Search", "POST", teamPath + "/files/search", 200, service.ActReadContent, (*API).teamsFileSearch},
	{"TeamsFile_Save", "POST", teamPath + "/files/save", 200, service.ActDownload, (*API).teamsFileSave},
	{"TeamsFile_SaveById", "POST", channelPath + "/files/{fileId}/save", 200, service.ActDownload, (*API).teamsFileSaveById},
	{"TeamsFile_Send", "POST", teamPath + "/files/send", 204, service.ActSend, (*API).teamsFileSend},
	{"TeamsFile_SendById", "POST", channelPath + "/files/{fileId}/send", 204, service.ActSend, (*API).teamsFileSendById},
	{"TeamsFile_Restore", "POST", teamPath + "/files/restore", 200, service.ActRestore, (*API).teamsFileRestore},
	{"TeamsFile_OperatorRestore", "POST", teamPath + "/files/operatorRestore", 200, service.ActRestore, (*API).teamsFileOperatorRestore},
	{"TeamsFile_RestoreById", "POST", channelPath + "/files/{fileId}/restore", 200, service.ActRestore, (*API).teamsFileRestoreById},

	// TeamsPost
	{"TeamsPost_GetPage", "GET", teamPath + "/posts", 200, service.ActReadContent, (*API).teamsPostGetPage},
	{"TeamsPost_Get", "GET", teamPath + "/posts/{postId}", 200, service.ActReadContent, (*API).teamsPostGet},
	{"TeamsPost_Search", "POST", teamPath + "/posts/search", 200, service.ActReadContent, (*API).teamsPostSearch},
	{"TeamsPost_Save", "POST", teamPath + "/posts/save", 200, service.ActDownload, (*API).teamsPostSave},
	{"TeamsPost_SaveById", "POST", teamPath + "/posts/{postId}/save", 200, service.ActDownload, (*API).teamsPostSaveById},
	{"TeamsPost_Send", "POST", teamPath + "/posts/send", 204, service.ActSend, (*API).teamsPostSend},
	{"TeamsPost_SendById", "POST", teamPath + "/posts/{postId}/send", 204, service.ActSend, (*API).teamsPostSendById},
	{"TeamsPost_Export", "POST", teamPath + "/posts/export", 200, service.ActDownload, (*API).teamsPostExport},
	{"TeamsPost_ExportById", "POST", teamPath + "/posts/{postId}/export", 200, service.ActDownload, (*API).teamsPostExportById},
	{"TeamsPost_Restore", "POST", teamPath + "/posts/restore", 200, service.ActRestore, (*API).teamsPostRestore},
	{"TeamsPost_OperatorRestore", "POST", teamPath + "/posts/operatorRestore", 200, service.ActRestore, (*API).teamsPostOperatorRestore},
	{"TeamsPost_OperatorStartExportTask", "POST", teamPath + "/posts/operatorStartExportTask", 200, service.ActDownload, (*API).teamsPostOperatorStartExportTask},
	{"TeamsPost_DownloadExportedPosts", "GET", teamPath + "/posts/operatorExport/{requestExportId}", 200, service.ActDownload, (*API).teamsPostDownloadExportedPosts},

	// TeamsTab
	{"TeamsTab_Get", "GET", channelPath + "/tabs", 200, service.ActReadContent, (*API).teamsTabGet},
	{"TeamsTab_GetTab", "GET", channelPath + "/tabs/{tabId}", 200, service.ActReadContent, (*API).teamsTabGetTab},
	{"TeamsTab_Search", "POST", channelPath + "/tabs/search", 200, service.ActReadContent, (*API).teamsTabSearch},
	{"TeamsTab_Restore", "POST", channelPath + "/tabs/restore", 200, service.ActRestore, (*API).teamsTabRestore},
	{"TeamsTab_OperatorRestore", "POST", channelPath + "/tabs/operatorRestore", 200, service.ActRestore, (*API).teamsTabOperatorRestore},
	{"TeamsTab_OperatorRestoreByMultipleChannels", "POST", teamPath + "/tabs/operatorRestore", 200, service.ActRestore, (*API).teamsTabOperatorRestoreByMultipleChannels},
	{"TeamsTab_RestoreByMultipleChannels", "POST", teamPath + "/tabs/restore", 200, service.ActRestore, (*API).teamsTabRestoreByMultipleChannels},
	{"TeamsTab_RestoreById", "POST", channelPath + "/tabs/{tabId}/restore", 200, service.ActRestore, (*API).teamsTabRestoreById},

	// TeamsTeam
	{"TeamsTeam_Get", "GET", teamsPath, 200, service.ActExplore, (*API).teamsTeamGet},
	{"TeamsTeam_GetById", "GET", teamPath, 200, service.ActExplore, (*API).teamsTeamGetById},
	{"TeamsTeam_Restore", "POST", teamsPath + "/restore", 200, service.ActRestore, (*API).teamsTeamRestore},
	{"TeamsTeam_OperatorRestore", "POST", teamsPath + "/operatorRestore", 200, service.ActRestore, (*API).teamsTeamOperatorRestore},
	{"TeamsTeam_Search", "POST", teamPath + "/search", 200, service.ActReadContent, (*API).teamsTeamSearch},
	{"TeamsTeam_RestoreById", "POST", teamPath + "/restore", 200, service.ActRestore, (*API).teamsTeamRestoreById},

	// VetEmailSettings
	{"VetEmailSettings_Get", "GET", "/VetEmailSettings", 200, service.ActSeeMail, (*API).vetEmailSettingsGet},
	{"VetEmailSettings_Update", "PUT", "/VetEmailSettings", 204, service.ActChangeMail, (*API).vetEmailSettingsUpdate},
	{"VetEmailSettings_PrepareOAuthSignIn", "POST", "/VetEmailSettings/PrepareOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VetEmailSettings_CompleteOAuthSignIn", "POST", "/VetEmailSettings/CompleteOAuthSignIn", 200, service.ActUnbuilt, notYet},
	{"VetEmailSettings_SendTestEmail", "POST", "/VetEmailSettings/SendTestEmail", 204, service.ActTestMail, (*API).vetEmailSettingsSendTestEmail},

	// Events
	{"Events_Get", "GET", "/Events", 200, service.ActSeeEvents, (*API).eventsGet},

	// Configuration
	{"Configuration_Updates_Get", "GET", "/Configuration/Updates", 200, service.ActUnbuilt, notYet},
	{"Configuration_Updates_Update", "PUT", "/Configuration/Updates", 204, service.ActUnbuilt, notYet},
}
