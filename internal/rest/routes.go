package rest

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
	{"token", "POST", "/token", 200, roleAnyone, (*API).token},
	{"logout", "POST", "/token/logout", 204, roleOperator, (*API).logout},
	{"authCode", "POST", "/token/AuthCode", 200, roleOperator, (*API).authCode},

	// AzureServiceAccounts
	{"AzureServiceAccounts_Get", "GET", "/AzureServiceAccounts", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_Add", "POST", "/AzureServiceAccounts", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetById", "GET", "/AzureServiceAccounts/{id}", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_Update", "PUT", "/AzureServiceAccounts/{id}", 204, roleAdmin, notYet},
	{"AzureServiceAccounts_Delete", "DELETE", "/AzureServiceAccounts/{id}", 204, roleAdmin, notYet},
	{"AzureServiceAccounts_GetDeviceCode", "POST", "/AzureServiceAccounts/DeviceCode", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetSubscriptions", "GET", "/AzureServiceAccounts/{serviceAccountId}/Subscriptions", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetSubscriptionById", "GET", subscriptionPath, 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetResourceGroups", "GET", subscriptionPath + "/ResourceGroups", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetResourceGroupByName", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetLocations", "GET", subscriptionPath + "/Locations", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetLocationByName", "GET", subscriptionPath + "/Locations/{locationName}", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetVirtualMachineSizes", "GET", subscriptionPath + "/Locations/{locationName}/VirtualMachineSizes", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetVirtualMachineSizeByName", "GET", subscriptionPath + "/Locations/{locationName}/VirtualMachineSizes/{vmSizeName}", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetVirtualNetworks", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetVirtualNetworkByName", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks/{virtualNetworkName}", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetSubnets", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks/{virtualNetworkName}/Subnets", 200, roleAdmin, notYet},
	{"AzureServiceAccounts_GetSubnetByName", "GET", subscriptionPath + "/ResourceGroups/{resourceGroupName}/VirtualNetworks/{virtualNetworkName}/Subnets/{subnetName}", 200, roleAdmin, notYet},

	// AmazonS3CompatibleObjectStorage
	{"AmazonS3CompatibleObjectStorage_GetBuckets", "GET", "/S3CompatibleResources/buckets", 200, roleAdmin, notYet},
	{"AmazonS3CompatibleObjectStorage_GetBucket", "GET", "/S3CompatibleResources/buckets/{Name}", 200, roleAdmin, notYet},
	{"AmazonS3CompatibleObjectStorage_GetFolders", "GET", "/S3CompatibleResources/buckets/{bucketName}/folders", 200, roleAdmin, notYet},
	{"AmazonS3CompatibleObjectStorage_AddFolder", "POST", "/S3CompatibleResources/buckets/{bucketName}/folders", 201, roleAdmin, notYet},
	{"AmazonS3CompatibleObjectStorage_GetFolder", "GET", "/S3CompatibleResources/buckets/{bucketName}/folders/{Name}", 200, roleAdmin, notYet},

	// AmazonS3ObjectStorage
	{"AmazonS3ObjectStorage_GetBuckets", "GET", "/S3Resources/buckets", 200, roleAdmin, notYet},
	{"AmazonS3ObjectStorage_GetBucket", "GET", "/S3Resources/buckets/{Name}", 200, roleAdmin, notYet},
	{"AmazonS3ObjectStorage_GetFolders", "GET", "/S3Resources/buckets/{bucketName}/folders", 200, roleAdmin, notYet},
	{"AmazonS3ObjectStorage_AddFolder", "POST", "/S3Resources/buckets/{bucketName}/folders", 201, roleAdmin, notYet},
	{"AmazonS3ObjectStorage_GetFolder", "GET", "/S3Resources/buckets/{bucketName}/folders/{Name}", 200, roleAdmin, notYet},

	// Account
	{"Account_GetAccounts", "GET", "/Accounts", 200, roleAdmin, notYet},
	{"Account_AddAccount", "POST", "/Accounts", 201, roleAdmin, notYet},
	{"Account_GetAccount", "GET", "/Accounts/{accountId}", 200, roleAdmin, notYet},
	{"Account_UpdateAccount", "PUT", "/Accounts/{accountId}", 204, roleAdmin, notYet},
	{"Account_RemoveAccount", "DELETE", "/Accounts/{accountId}", 204, roleAdmin, notYet},

	// Application
	{"Application_GetApplications", "GET", organizationPath + "/Applications", 200, roleAdmin, notYet},
	{"Application_CreateApplication", "POST", organizationPath + "/Applications", 200, roleAdmin, notYet},

	// AuditEmailSettings
	{"AuditEmailSettings_Get", "GET", "/AuditEmailSettings", 200, roleAdmin, notYet},
	{"AuditEmailSettings_Update", "PUT", "/AuditEmailSettings", 204, roleAdmin, notYet},
	{"AuditEmailSettings_PrepareOAuthSignIn", "POST", "/AuditEmailSettings/PrepareOAuthSignIn", 200, roleAdmin, notYet},
	{"AuditEmailSettings_CompleteOAuthSignIn", "POST", "/AuditEmailSettings/CompleteOAuthSignIn", 200, roleAdmin, notYet},
	{"AuditEmailSettings_SendTestEmail", "POST", "/AuditEmailSettings/SendTestEmail", 204, roleAdmin, notYet},

	// AzureObjectStorage
	{"AzureObjectStorage_GetContainers", "GET", "/AzureResources/containers", 200, roleAdmin, notYet},
	{"AzureObjectStorage_GetContainer", "GET", "/AzureResources/containers/{Name}", 200, roleAdmin, notYet},
	{"AzureObjectStorage_GetFolders", "GET", "/AzureResources/containers/{containerName}/folders", 200, roleAdmin, notYet},
	{"AzureObjectStorage_AddFolder", "POST", "/AzureResources/containers/{containerName}/folders", 201, roleAdmin, notYet},
	{"AzureObjectStorage_GetFolder", "GET", "/AzureResources/containers/{containerName}/folders/{Name}", 200, roleAdmin, notYet},

	// BackupGroupData
	{"BackupGroupData_GetGroupsData", "GET", repositoryPath + "/GroupData", 200, roleAdmin, notYet},
	{"BackupGroupData_GetSingleGroupData", "GET", repositoryPath + "/GroupData/{groupId}", 200, roleAdmin, notYet},

	// BackupOrganization
	{"BackupOrganization_GetByRestoreSessionId", "GET", sessionPath + "/organization", 200, roleOperator, (*API).backupOrganizationGetByRestoreSessionId},
	{"BackupOrganization_RestoreSessionsAction", "POST", sessionPath + "/organization/exportToPst", 200, roleOperator, notYet},
	{"BackupOrganization_RestoreSessionsSearchExchange", "POST", sessionPath + "/organization/searchExchange", 200, roleOperator, (*API).backupOrganizationRestoreSessionsSearchExchange},
	{"BackupOrganization_RestoreSessionsSearchTeams", "POST", sessionPath + "/organization/searchTeams", 200, roleOperator, notYet},

	// BackupOrganizationData
	{"BackupOrganizationData_GetOrganizationData", "GET", repositoryPath + "/OrganizationData", 200, roleAdmin, notYet},
	{"BackupOrganizationData_GetSingleOrganizationData", "GET", repositoryPath + "/OrganizationData/{organizationId}", 200, roleAdmin, notYet},

	// BackupSiteData
	{"BackupSiteData_GetSitesData", "GET", repositoryPath + "/SiteData", 200, roleAdmin, notYet},
	{"BackupSiteData_GetSiteData", "GET", repositoryPath + "/SiteData/{siteId}", 200, roleAdmin, notYet},

	// BackupOneDriveData
	{"BackupOneDriveData_GetOneDrivesData", "GET", repositoryPath + "/OneDriveData", 200, roleAdmin, notYet},
	{"BackupOneDriveData_GetOneDriveData", "GET", repositoryPath + "/OneDriveData/{oneDriveId}", 200, roleAdmin, notYet},

	// BackupMailboxData
	{"BackupMailboxData_GetMailboxesData", "GET", repositoryPath + "/MailboxData", 200, roleAdmin, notYet},
	{"BackupMailboxData_GetMailboxData", "GET", repositoryPath + "/MailboxData/{mailboxId}", 200, roleAdmin, notYet},

	// BackupTeamData
	{"BackupTeamData_GetTeamsData", "GET", repositoryPath + "/TeamData", 200, roleAdmin, notYet},
	{"BackupTeamData_GetTeamData", "GET", repositoryPath + "/TeamData/{teamId}", 200, roleAdmin, notYet},

	// BackupUserData
	{"BackupUserData_GetUsersData", "GET", repositoryPath + "/UserData", 200, roleAdmin, notYet},
	{"BackupUserData_GetUserData", "GET", repositoryPath + "/UserData/{userId}", 200, roleAdmin, notYet},

	// BackupRepository
	{"BackupRepository_GetRepositories", "GET", "/BackupRepositories", 200, roleAdmin, (*API).backupRepositoryGetRepositories},
	{"BackupRepository_Add", "POST", "/BackupRepositories", 201, roleAdmin, (*API).backupRepositoryAdd},
	{"BackupRepository_GetRepositoriesById", "GET", repositoryPath, 200, roleAdmin, (*API).backupRepositoryGetRepositoriesById},
	{"BackupRepository_UpdateRepository", "PUT", repositoryPath, 204, roleAdmin, (*API).backupRepositoryUpdateRepository},
	{"BackupRepository_Remove", "DELETE", repositoryPath, 204, roleAdmin, (*API).backupRepositoryRemove},
	{"BackupRepository_GetRepositoryStorageUsage", "GET", repositoryPath + "/backedupOrganizations", 200, roleAdmin, (*API).backupRepositoryGetRepositoryStorageUsage},
	{"BackupRepository_StartSynchronizeAction", "POST", repositoryPath + "/Sync", 200, roleAdmin, (*API).backupRepositoryStartSynchronizeAction},
	{"BackupRepository_Explore", "POST", repositoryPath + "/explore", 201, roleAdmin, (*API).backupRepositoryExplore},
	{"BackupRepository_ChangeOwner", "POST", repositoryPath + "/changeOwner", 200, roleAdmin, notYet},

	// CopyJob
	{"CopyJob_Get", "GET", "/CopyJobs", 200, roleAdmin, notYet},
	{"CopyJob_Create", "POST", "/CopyJobs", 201, roleAdmin, notYet},
	{"CopyJob_GetById", "GET", "/CopyJobs/{id}", 200, roleAdmin, notYet},
	{"CopyJob_Update", "PUT", "/CopyJobs/{id}", 204, roleAdmin, notYet},
	{"CopyJob_Delete", "DELETE", "/CopyJobs/{id}", 204, roleAdmin, notYet},
	{"CopyJob_GetBackupJobByCopyJob", "GET", "/CopyJobs/{id}/BackupJob", 200, roleAdmin, notYet},
	{"CopyJob_Enable", "POST", "/CopyJobs/{id}/enable", 204, roleAdmin, notYet},
	{"CopyJob_Disable", "POST", "/CopyJobs/{id}/disable", 204, roleAdmin, notYet},
	{"CopyJob_Start", "POST", "/CopyJobs/{id}/start", 200, roleAdmin, notYet},
	{"CopyJob_Stop", "POST", "/CopyJobs/{id}/stop", 204, roleAdmin, notYet},

	// DataRetrieval
	{"DataRetrieval_GetDataRetrievals", "GET", "/DataRetrievals", 200, roleAdmin, notYet},
	{"DataRetrieval_Create", "POST", "/DataRetrievals", 201, roleAdmin, notYet},
	{"DataRetrieval_GetDataRetrieval", "GET", "/DataRetrievals/{dataRetrievalId}", 200, roleAdmin, notYet},
	{"DataRetrieval_Update", "PUT", "/DataRetrievals/{dataRetrievalId}", 204, roleAdmin, notYet},
	{"DataRetrieval_GetMailboxes", "GET", "/DataRetrievals/{dataRetrievalId}/mailboxes", 200, roleAdmin, notYet},
	{"DataRetrieval_GetTeams", "GET", "/DataRetrievals/{dataRetrievalId}/teams", 200, roleAdmin, notYet},
	{"DataRetrieval_GetWebs", "GET", "/DataRetrievals/{dataRetrievalId}/webs", 200, roleAdmin, notYet},
	{"DataRetrieval_GetOneDrives", "GET", "/DataRetrievals/{dataRetrievalId}/onedrives", 200, roleAdmin, notYet},
	{"DataRetrieval_ExploreAction", "POST", "/DataRetrievals/{dataRetrievalId}/explore", 201, roleAdmin, notYet},

	// DataRetrievalSession
	{"DataRetrievalSession_Get", "GET", "/DataRetrievalSessions", 200, roleAdmin, notYet},
	{"DataRetrievalSession_GetById", "GET", "/DataRetrievalSessions/{dataRetrievalSessionId}", 200, roleAdmin, notYet},

	// DataRetrievalSessionLog
	{"DataRetrievalSessionLog_GetBatchBySessionId", "GET", "/DataRetrievalSessions/{sessionId}/LogItems", 200, roleAdmin, notYet},
	{"DataRetrievalSessionLog_GetOneBySessionIdByLogItemId", "GET", "/DataRetrievalSessions/{sessionId}/LogItems/{logItemId}", 200, roleAdmin, notYet},

	// EC2Resources
	{"EC2Resources_GetInstanceTypes", "GET", "/EC2Resources/InstanceType", 200, roleAdmin, notYet},
	{"EC2Resources_GetInstanceTypeByName", "GET", "/EC2Resources/InstanceType/{instanceTypeName}", 200, roleAdmin, notYet},
	{"EC2Resources_GetVirtualPrivateClouds", "GET", "/EC2Resources/VirtualPrivateCloud", 200, roleAdmin, notYet},
	{"EC2Resources_GetVirtualPrivateCloudByName", "GET", "/EC2Resources/VirtualPrivateCloud/{name}", 200, roleAdmin, notYet},
	{"EC2Resources_GetSubnets", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/Subnets", 200, roleAdmin, notYet},
	{"EC2Resources_GetSubnetByName", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/Subnets/{subnetName}", 200, roleAdmin, notYet},
	{"EC2Resources_GetSecurityGroups", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/SecurityGroup", 200, roleAdmin, notYet},
	{"EC2Resources_GetSecurityGroupByName", "GET", "/EC2Resources/VirtualPrivateCloud/{id}/SecurityGroup/{securityGroupName}", 200, roleAdmin, notYet},

	// EncryptionKey
	{"EncryptionKey_GetEncryptionKey", "GET", "/EncryptionKeys", 200, roleAdmin, notYet},
	{"EncryptionKey_AddEncryptionKey", "POST", "/EncryptionKeys", 201, roleAdmin, notYet},
	{"EncryptionKey_GetEncryptionKeyById", "GET", "/EncryptionKeys/{keyId}", 200, roleAdmin, notYet},
	{"EncryptionKey_RemoveEncryptionKey", "DELETE", "/EncryptionKeys/{keyId}", 204, roleAdmin, notYet},

	// ExclusionSettings
	{"ExclusionSettings_Get", "GET", "/ExclusionSettings", 200, roleAdmin, notYet},
	{"ExclusionSettings_Update", "PUT", "/ExclusionSettings", 204, roleAdmin, notYet},

	// GlobalRetentionExclusionSettings
	{"GlobalRetentionExclusionSettings_GlobalRetentionPolicyGet", "GET", "/GlobalRetentionExclusionSettings", 200, roleAdmin, notYet},
	{"GlobalRetentionExclusionSettings_GlobalRetentionPolicyPut", "PUT", "/GlobalRetentionExclusionSettings", 204, roleAdmin, notYet},

	// Health
	{"Health_Get", "GET", "/Health", 200, roleAnyone, (*API).healthGet},

	// HistorySettings
	{"HistorySettings_Get", "GET", "/HistorySettings", 200, roleAdmin, notYet},
	{"HistorySettings_Update", "PUT", "/HistorySettings", 204, roleAdmin, notYet},

	// InternetProxySettings
	{"InternetProxySettings_Get", "GET", "/InternetProxySettings", 200, roleAdmin, notYet},
	{"InternetProxySettings_Update", "PUT", "/InternetProxySettings", 204, roleAdmin, notYet},

	// Job
	{"Job_Get", "GET", "/Jobs", 200, roleAdmin, (*API).jobGet},
	{"Job_Add", "POST", "/Jobs", 201, roleAdmin, (*API).jobAdd},
	{"Job_GetById", "GET", jobPath, 200, roleAdmin, (*API).jobGetById},
	{"Job_Update", "PUT", jobPath, 204, roleAdmin, (*API).jobUpdate},
	{"Job_Remove", "DELETE", jobPath, 204, roleAdmin, (*API).jobRemove},
	{"Job_GetCopyJobByBackupJob", "GET", jobPath + "/CopyJob", 200, roleAdmin, (*API).jobGetCopyJobByBackupJob},
	{"Job_GetSelectedItems", "GET", jobPath + "/SelectedItems", 200, roleAdmin, (*API).jobGetSelectedItems},
	{"Job_AddSelectedItems", "POST", jobPath + "/SelectedItems", 204, roleAdmin, (*API).jobAddSelectedItems},
	{"Job_RemoveSelectedItems", "DELETE", jobPath + "/SelectedItems", 204, roleAdmin, (*API).jobRemoveSelectedItems},
	{"Job_GetSelectedItem", "GET", jobPath + "/SelectedItems/{itemId}", 200, roleAdmin, (*API).jobGetSelectedItem},
	{"Job_UpdateSelectedItems", "PUT", jobPath + "/SelectedItems/{itemId}", 204, roleAdmin, (*API).jobUpdateSelectedItems},
	{"Job_GetExcludedItems", "GET", jobPath + "/ExcludedItems", 200, roleAdmin, (*API).jobGetExcludedItems},
	{"Job_AddExcludedItems", "POST", jobPath + "/ExcludedItems", 204, roleAdmin, (*API).jobAddExcludedItems},
	{"Job_RemoveExcludedItems", "DELETE", jobPath + "/ExcludedItems", 204, roleAdmin, (*API).jobRemoveExcludedItems},
	{"Job_GetExcludedItem", "GET", jobPath + "/ExcludedItems/{itemId}", 200, roleAdmin, (*API).jobGetExcludedItem},
	{"Job_UpdateExcludedItems", "PUT", jobPath + "/ExcludedItems/{itemId}", 204, roleAdmin, (*API).jobUpdateExcludedItems},
	{"Job_EnableAction", "POST", jobPath + "/enable", 204, roleAdmin, (*API).jobEnableAction},
	{"Job_DisableAction", "POST", jobPath + "/disable", 204, roleAdmin, (*API).jobDisableAction},
	{"Job_StartAction", "POST", jobPath + "/start", 200, roleAdmin, (*API).jobStartAction},
	{"Job_StopAction", "POST", jobPath + "/stop", 204, roleAdmin, (*API).jobStopAction},
	{"Job_ExploreAction", "POST", jobPath + "/explore", 201, roleAdmin, (*API).jobExploreAction},

	// JobSession
	{"JobSession_Get", "GET", "/JobSessions", 200, roleAdmin, (*API).jobSessionGet},
	{"JobSession_GetById", "GET", "/JobSessions/{jobSessionsId}", 200, roleAdmin, (*API).jobSessionGetById},

	// JobSessionObjects
	{"JobSession_GetObjectsBySessionId", "GET", "/JobSessions/{sessionId}/ProcessedObjects", 200, roleAdmin, (*API).jobSessionGetObjectsBySessionId},

	// JobSessionLog
	{"JobSessionLog_GetBatchBySessionId", "GET", "/JobSessions/{sessionId}/LogItems", 200, roleAdmin, (*API).jobSessionLogGetBatchBySessionId},
	{"JobSessionLog_GetBatchBySessionIdByLogItemId", "GET", "/JobSessions/{sessionId}/LogItems/{logItemId}", 200, roleAdmin, (*API).jobSessionLogGetBatchBySessionIdByLogItemId},

	// License
	{"License_Get", "GET", "/License", 200, roleAdmin, (*API).licenseGet},
	{"License_InstallAction", "POST", "/License/Install", 200, roleAdmin, (*API).licenseInstallAction},
	{"License_UpdateAction", "POST", "/License/Update", 200, roleAdmin, (*API).licenseUpdateAction},
	{"License_GetAutoUpdate", "GET", "/License/AutoUpdate", 200, roleAdmin, (*API).licenseGetAutoUpdate},
	{"License_Update", "PUT", "/License/AutoUpdate", 204, roleAdmin, (*API).licenseUpdate},

	// LicensedUser
	{"LicensedUser_Get", "GET", "/LicensedUsers", 200, roleAdmin, (*API).licensedUserGet},
	{"LicensedUser_Remove", "DELETE", "/LicensedUsers/{licensedUserId}", 204, roleAdmin, (*API).licensedUserRemove},

	// LicenseStatistic
	{"LicenseStatistic_GetLicensingPlatformInfo", "GET", "/licensing/statistic/platform", 200, roleAdmin, notYet},
	{"LicenseStatistic_GetLatestReport", "GET", "/licensing/statistic/reports/latest", 200, roleAdmin, notYet},
	{"LicenseStatistic_ApproveReport", "POST", "/licensing/statistic/reports/{reportId}/approve", 204, roleAdmin, notYet},
	{"LicenseStatistic_GetUsage", "GET", "/licensing/statistic/usage", 200, roleAdmin, notYet},

	// ManagementMode
	{"ManagementMode_Get", "GET", "/ManagementMode", 200, roleAdmin, notYet},

	// OrganizationAudit
	{"OrganizationAudit_Get", "GET", organizationPath + "/AuditItems", 200, roleAdmin, notYet},
	{"OrganizationAudit_Post", "POST", organizationPath + "/AuditItems", 204, roleAdmin, notYet},
	{"OrganizationAudit_ExecuteRemove", "POST", organizationPath + "/AuditItems/remove", 204, roleAdmin, notYet},

	// OrganizationBackupAccounts
	{"OrganizationBackupAccounts_GetBackupAccounts", "GET", organizationPath + "/BackupAccounts", 200, roleAdmin, notYet},
	{"OrganizationBackupAccounts_SetAccountPool", "PUT", organizationPath + "/BackupAccounts", 201, roleAdmin, notYet},

	// OrganizationBackupApplications
	{"OrganizationBackupApplications_GetBackupApplications", "GET", organizationPath + "/BackupApplications", 200, roleAdmin, notYet},
	{"OrganizationBackupApplications_ReplaceBackupApplications", "PUT", organizationPath + "/BackupApplications", 204, roleAdmin, notYet},
	{"OrganizationBackupApplications_AppendBackupApplications", "POST", organizationPath + "/BackupApplications", 204, roleAdmin, notYet},
	{"OrganizationBackupApplications_DeleteBackupApplications", "DELETE", organizationPath + "/BackupApplications", 204, roleAdmin, notYet},
	{"OrganizationBackupApplications_OrganizationDeviceCode", "POST", organizationPath + "/DeviceCode", 200, roleAdmin, notYet},

	// Organization
	{"Organization_Get", "GET", "/Organizations", 200, roleAdmin, (*API).organizationGet},
	{"Organization_Add", "POST", "/Organizations", 201, roleAdmin, (*API).organizationAdd},
	{"Organization_GetById", "GET", organizationPath, 200, roleAdmin, (*API).organizationGetById},
	{"Organization_Update", "PUT", organizationPath, 204, roleAdmin, (*API).organizationUpdate},
	{"Organization_Remove", "DELETE", organizationPath, 204, roleAdmin, (*API).organizationRemove},
	{"Organization_GetTenantInformationByID", "GET", organizationPath + "/tenantInformation", 200, roleAdmin, (*API).organizationGetTenantInformationByID},
	{"Organization_GetVersionBackupOptionsByID", "GET", organizationPath + "/versionBackupOptions", 200, roleAdmin, (*API).organizationGetVersionBackupOptionsByID},
	{"Organization_SetVersionBackupOptionsByID", "PUT", organizationPath + "/versionBackupOptions", 204, roleAdmin, (*API).organizationSetVersionBackupOptionsByID},
	{"Organization_GetStorageSpaceUsage", "GET", organizationPath + "/usedRepositories", 200, roleAdmin, (*API).organizationGetStorageSpaceUsage},
	{"Organization_GetCurrentOrganization", "GET", "/Organization", 200, roleTenant, notYet},
	{"Organization_Explore", "POST", organizationPath + "/explore", 201, roleAdmin, (*API).organizationExplore},
	{"Organization_OrganizationDeviceCode", "POST", "/DeviceCode", 200, roleTenant, notYet},
	{"Organization_CheckDeviceCode", "POST", "/DeviceCode/check", 200, roleTenant, notYet},

	// OrganizationGroup
	{"OrganizationGroup_Get", "GET", organizationPath + "/Groups", 200, roleAdmin, (*API).organizationGroupGet},
	{"OrganizationGroup_GetById", "GET", organizationPath + "/Groups/{groupId}", 200, roleAdmin, notYet},

	// OrganizationGroupMember
	{"OrganizationGroupMember_Get", "GET", organizationPath + "/Groups/{groupId}/Members", 200, roleAdmin, notYet},

	// OrganizationLicensingInformation
	{"OrganizationLicensingInformation_GetLicenseCount", "GET", organizationPath + "/LicensingInformation", 200, roleAdmin, (*API).organizationLicensingInformationGetLicenseCount},

	// OrganizationRbac
	{"OrganizationRbac_GetLoggedInUser", "GET", "/Organization/LoggedInUser", 200, roleOperator, notYet},
	{"OrganizationRbac_GetLoggedInUserOperatorInfo", "GET", "/Organization/LoggedInUser/OperatorInfo", 200, roleOperator, notYet},
	{"OrganizationRbac_GetLoggedInUserEffectiveScope", "GET", "/Organization/LoggedInUser/EffectiveScope", 200, roleOperator, notYet},
	{"OrganizationRbac_GetLoggedInUserRestorePoints", "GET", "/Organization/LoggedInUser/RestorePoints", 200, roleOperator, notYet},

	// OrganizationRetentionExclusion
	{"OrganizationRetentionExclusion_OrganizationRetentionPolicyGet", "GET", organizationPath + "/RetentionExclusion", 200, roleAdmin, notYet},
	{"OrganizationRetentionExclusion_OrganizationRetentionPolicyPut", "PUT", organizationPath + "/RetentionExclusion", 204, roleAdmin, notYet},
	{"OrganizationRetentionExclusion_OrganizationRetentionPolicyDelete", "DELETE", organizationPath + "/RetentionExclusion", 204, roleAdmin, notYet},

	// OrganizationSite
	{"OrganizationSite_Get", "GET", organizationPath + "/Sites", 200, roleAdmin, notYet},
	{"OrganizationSite_GetById", "GET", organizationPath + "/Sites/{siteId}", 200, roleAdmin, notYet},

	// OrganizationTeam
	{"OrganizationTeam_Get", "GET", organizationPath + "/Teams", 200, roleAdmin, notYet},
	{"OrganizationTeam_GetById", "GET", organizationPath + "/Teams/{teamId}", 200, roleAdmin, notYet},

	// OrganizationUser
	{"OrganizationUser_Get", "GET", organizationPath + "/Users", 200, roleAdmin, (*API).organizationUserGet},
	{"OrganizationUser_GetById", "GET", organizationPath + "/Users/{userId}", 200, roleAdmin, (*API).organizationUserGetById},

	// OrganizationUserOneDrive
	{"OrganizationUserOneDrive_GetPage", "GET", organizationPath + "/Users/{userId}/OneDrives", 200, roleAdmin, (*API).organizationUserOneDriveGetPage},
	{"OrganizationUserOneDrive_GetOne", "GET", organizationPath + "/Users/{userId}/OneDrives/{onedriveId}", 200, roleAdmin, (*API).organizationUserOneDriveGetOne},

	// OrganizationSync
	{"OrganizationSync_GetStates", "GET", "/Organizations/SyncState", 200, roleAdmin, notYet},
	{"OrganizationSync_GetState", "GET", organizationPath + "/SyncState", 200, roleAdmin, notYet},
	{"OrganizationSync_Start", "POST", organizationPath + "/Sync", 204, roleAdmin, notYet},

	// Proxy
	{"Proxy_GetProxies", "GET", "/Proxies", 200, roleAdmin, (*API).proxyGetProxies},
	{"Proxy_Add", "POST", "/Proxies", 201, roleAdmin, notYet},
	{"Proxy_GetProxy", "GET", "/Proxies/{proxyId}", 200, roleAdmin, (*API).proxyGetProxy},
	{"Proxy_Update", "PUT", "/Proxies/{proxyId}", 204, roleAdmin, (*API).proxyUpdate},
	{"Proxy_RescanAction", "POST", "/Proxies/{proxyId}/Rescan", 204, roleAdmin, (*API).proxyRescanAction},
	{"Proxy_EnableMaintenanceAction", "POST", "/Proxies/{proxyId}/maintenance/enable", 204, roleAdmin, (*API).proxyEnableMaintenanceAction},
	{"Proxy_DisableMaintenanceAction", "POST", "/Proxies/{proxyId}/maintenance/disable", 204, roleAdmin, (*API).proxyDisableMaintenanceAction},
	{"Proxy_RemoveAction", "POST", "/Proxies/{proxyId}/Remove", 204, roleAdmin, (*API).proxyRemoveAction},
	{"Proxy_Rescan", "POST", "/Proxies/Rescan", 204, roleAdmin, (*API).proxyRescan},
	{"Proxy_CheckSshConnectionConfig", "POST", "/Proxies/CheckSshConnectionConfig", 200, roleAdmin, notYet},

	// ProxyPool
	{"ProxyPool_GetProxyPools", "GET", "/ProxyPools", 200, roleAdmin, notYet},
	{"ProxyPool_Add", "POST", "/ProxyPools", 201, roleAdmin, notYet},
	{"ProxyPool_GetProxyPool", "GET", "/ProxyPools/{poolId}", 200, roleAdmin, notYet},
	{"ProxyPool_Update", "PUT", "/ProxyPools/{poolId}", 204, roleAdmin, notYet},
	{"ProxyPool_Remove", "DELETE", "/ProxyPools/{poolId}", 204, roleAdmin, notYet},
	{"ProxyPool_GetProxies", "GET", "/ProxyPools/{poolId}/proxies", 200, roleAdmin, notYet},
	{"ProxyPool_AddProxies", "POST", "/ProxyPools/{poolId}/proxies", 204, roleAdmin, notYet},
	{"ProxyPool_RemoveProxies", "DELETE", "/ProxyPools/{poolId}/proxies", 204, roleAdmin, notYet},

	// RbacRole
	{"RbacRole_GetAll", "GET", "/RbacRoles", 200, roleAdmin, (*API).rbacRoleGetAll},
	{"RbacRole_Get", "GET", rolePath, 200, roleAdmin, (*API).rbacRoleGet},
	{"RbacRole_Update", "PUT", rolePath, 204, roleAdmin, notYet},
	{"RbacRole_Delete", "DELETE", rolePath, 204, roleAdmin, notYet},
	{"RbacRole_GetOperators", "GET", rolePath + "/operators", 200, roleAdmin, notYet},
	{"RbacRole_AddOperators", "POST", rolePath + "/operators", 204, roleAdmin, notYet},
	{"RbacRole_DeleteOperators", "DELETE", rolePath + "/operators", 204, roleAdmin, notYet},
	{"RbacRole_GetOperator", "GET", rolePath + "/operators/{operatorId}", 200, roleAdmin, notYet},
	{"RbacRole_GetSelectedItems", "GET", rolePath + "/selectedItems", 200, roleAdmin, notYet},
	{"RbacRole_AddSelectedItems", "POST", rolePath + "/selectedItems", 204, roleAdmin, notYet},
	{"RbacRole_DeleteSelectedItems", "DELETE", rolePath + "/selectedItems", 204, roleAdmin, notYet},
	{"RbacRole_GetSelectedItem", "GET", rolePath + "/selectedItems/{itemId}", 200, roleAdmin, notYet},
	{"RbacRole_GetExcludedItems", "GET", rolePath + "/excludedItems", 200, roleAdmin, notYet},
	{"RbacRole_AddExcludedItems", "POST", rolePath + "/excludedItems", 204, roleAdmin, notYet},
	{"RbacRole_DeleteExcludedItems", "DELETE", rolePath + "/excludedItems", 204, roleAdmin, notYet},
	{"RbacRole_GetExcludedItem", "GET", rolePath + "/excludedItems/{itemId}", 200, roleAdmin, notYet},
	{"RbacRole_GetByOrganization", "GET", organizationPath + "/RbacRoles", 200, roleAdmin, (*API).rbacRoleGetByOrganization},
	{"RbacRole_Add", "POST", organizationPath + "/RbacRoles", 201, roleAdmin, notYet},

	// Reports
	{"Reports_GenerateLicenseOverviewAction", "POST", "/Reports/GenerateLicenseOverview", 200, roleAdmin, notYet},
	{"Reports_GenerateStorageConsumptionAction", "POST", "/Reports/GenerateStorageConsumption", 200, roleAdmin, notYet},
	{"Reports_GenerateOneDriveProtectionAction", "POST", "/Reports/GenerateOneDriveProtection", 200, roleAdmin, notYet},
	{"Reports_GenerateTeamsProtectionAction", "POST", "/Reports/GenerateTeamsProtection", 200, roleAdmin, notYet},
	{"Reports_GenerateMailboxProtectionAction", "POST", "/Reports/GenerateMailboxProtection", 200, roleAdmin, notYet},
	{"Reports_GenerateSharepointProtectionAction", "POST", "/Reports/GenerateSharepointProtection", 200, roleAdmin, notYet},
	{"Reports_GenerateUserProtectionAction", "POST", "/Reports/GenerateUserProtection", 200, roleAdmin, notYet},

	// RepositorySynchronizeSessions
	{"RepositorySynchronizeSessions_GetSynchronizeSessions", "GET", "/RepositorySynchronizeSessions", 200, roleAdmin, (*API).repositorySynchronizeSessionsGetSynchronizeSessions},
	{"RepositorySynchronizeSessions_GetRepositoriesById", "GET", "/RepositorySynchronizeSessions/{sessionId}", 200, roleAdmin, (*API).repositorySynchronizeSessionsGetRepositoriesById},
	{"RepositorySynchronizeSessions_StopSynchronizeAction", "POST", "/RepositorySynchronizeSessions/{sessionId}/StopSynchronize", 204, roleAdmin, notYet},

	// RepositoryOwnerChangeSession
	{"RepositoryOwnerChangeSessions_Get", "GET", "/RepositoryOwnerChangeSessions", 200, roleAdmin, notYet},
	{"RepositoryOwnerChangeSessions_GetById", "GET", "/RepositoryOwnerChangeSessions/{sessionId}", 200, roleAdmin, notYet},
	{"RepositoryOwnerChangeSessions_StopAction", "POST", "/RepositoryOwnerChangeSessions/{sessionId}/Stop", 204, roleAdmin, notYet},

	// RestorePoint
	{"RestorePoint_GetRestorePoints", "GET", "/RestorePoints", 200, roleAdmin, (*API).restorePointGetRestorePoints},
	{"RestorePoint_GetRestorePoint", "GET", "/RestorePoints/{restorePointId}", 200, roleAdmin, (*API).restorePointGetRestorePoint},

	// ProtectedData
	{"ProtectedData_GetProtectedUsers", "GET", "/ProtectedUsers", 200, roleAdmin, (*API).protectedDataGetProtectedUsers},
	{"ProtectedData_GetProtectedUser", "GET", "/ProtectedUsers/{protectedUserId}", 200, roleAdmin, (*API).protectedDataGetProtectedUser},
	{"ProtectedData_GetProtectedGroups", "GET", "/ProtectedGroups", 200, roleAdmin, (*API).protectedDataGetProtectedGroups},
	{"ProtectedData_GetProtectedGroup", "GET", "/ProtectedGroups/{protectedGroupId}", 200, roleAdmin, (*API).protectedDataGetProtectedGroup},
	{"ProtectedData_GetProtectedSites", "GET", "/ProtectedSites", 200, roleAdmin, (*API).protectedDataGetProtectedSites},
	{"ProtectedData_GetProtectedSite", "GET", "/ProtectedSites/{protectedSiteId}", 200, roleAdmin, (*API).protectedDataGetProtectedSite},
	{"ProtectedData_GetProtectedTeams", "GET", "/ProtectedTeams", 200, roleAdmin, (*API).protectedDataGetProtectedTeams},
	{"ProtectedData_GetProtectedTeam", "GET", "/ProtectedTeams/{protectedTeamId}", 200, roleAdmin, (*API).protectedDataGetProtectedTeam},

	// RestoreSession
	{"RestoreSession_GetPage", "GET", "/RestoreSessions", 200, roleOperator, (*API).restoreSessionGetPage},
	{"RestoreSession_GetByRestoreSessionId", "GET", sessionPath, 200, roleOperator, (*API).restoreSessionGetByRestoreSessionId},
	{"RestoreSession_StopAction", "POST", sessionPath + "/Stop", 204, roleOperator, (*API).restoreSessionStopAction},
	{"RestoreSession_GetRestoreStatistics", "GET", sessionPath + "/Statistics", 200, roleOperator, (*API).restoreSessionGetRestoreStatistics},
	{"RestoreSession_DeviceCodeAction", "POST", sessionPath + "/organization/restoreDeviceCode", 200, roleOperator, notYet},
	{"RestoreSession_ExploreAction", "POST", "/Organization/Explore", 201, roleTenant, notYet},
	{"RestoreSession_OperatorExploreAction", "POST", "/Organization/OperatorExplore", 201, roleOperator, notYet},

	// RestoreSessionEvent
	{"RestoreSessionEvent_GetById", "GET", sessionPath + "/Events/{eventId}", 200, roleOperator, (*API).restoreSessionEventGetById},
	{"RestoreSessionEvent_Get", "GET", sessionPath + "/Events", 200, roleOperator, (*API).restoreSessionEventGet},

	// RestorePortalSettings
	{"RestorePortalSettings_Get", "GET", "/RestorePortalSettings", 200, roleAnyone, (*API).restorePortalSettingsGet},

	// ServiceInstance
	{"ServiceInstance_Get", "GET", "/ServiceInstance", 200, roleOperator, (*API).serviceInstanceGet},

	// VboEmailSettings
	{"VboEmailSettings_Get", "GET", "/VboEmailSettings", 200, roleAdmin, notYet},
	{"VboEmailSettings_Update", "PUT", "/VboEmailSettings", 204, roleAdmin, notYet},
	{"VboEmailSettings_PrepareOAuthSignIn", "POST", "/VboEmailSettings/PrepareOAuthSignIn", 200, roleAdmin, notYet},
	{"VboEmailSettings_CompleteOAuthSignIn", "POST", "/VboEmailSettings/CompleteOAuthSignIn", 200, roleAdmin, notYet},
	{"VboEmailSettings_SendTestEmail", "POST", "/VboEmailSettings/SendTestEmail", 204, roleAdmin, notYet},

	// ExchangeFolder
	{"ExchangeFolder_Get", "GET", mailboxPath + "/folders", 200, roleOperator, (*API).exchangeFolderGet},
	{"ExchangeFolder_GetByFolderId", "GET", mailboxPath + "/folders/{folderId}", 200, roleOperator, (*API).exchangeFolderGetByFolderId},
	{"ExchangeFolder_RestoreAction", "POST", mailboxPath + "/folders/{folderId}/restore", 200, roleOperator, (*API).exchangeFolderRestoreAction},
	{"ExchangeFolder_RestoreToAction", "POST", mailboxPath + "/folders/{folderId}/restoreTo", 200, roleOperator, (*API).exchangeFolderRestoreToAction},
	{"ExchangeFolder_ExportToPstAction", "POST", mailboxPath + "/folders/{folderId}/exportToPst", 200, roleOperator, notYet},
	{"ExchangeFolder_SearchByOptions", "POST", mailboxPath + "/folders/{folderId}/search", 200, roleOperator, (*API).exchangeFolderSearchByOptions},

	// ExchangeItem
	{"ExchangeItem_GetById", "GET", mailboxPath + "/items/{itemId}", 200, roleOperator, (*API).exchangeItemGetById},
	{"ExchangeItem_Get", "GET", mailboxPath + "/items", 200, roleOperator, (*API).exchangeItemGet},
	{"ExchangeItem_RestoreItemsAction", "POST", mailboxPath + "/items/restore", 200, roleOperator, (*API).exchangeItemRestoreItemsAction},
	{"ExchangeItem_RestoreItemsToAction", "POST", mailboxPath + "/items/restoreTo", 200, roleOperator, (*API).exchangeItemRestoreItemsToAction},
	{"ExchangeItem_ExportItemsToPstAction", "POST", mailboxPath + "/items/exportToPst", 200, roleOperator, notYet},
	{"ExchangeItem_SaveItems", "POST", mailboxPath + "/items/Save", 200, roleOperator, (*API).exchangeItemSaveItems},
	{"ExchangeItem_SendItemsToDefaultAddressAction", "POST", mailboxPath + "/items/sendToDefaultAddress", 204, roleOperator, notYet},
	{"ExchangeItem_SendItemsToDifferentAddressAction", "POST", mailboxPath + "/items/sendToDifferentAddress", 204, roleOperator, notYet},
	{"ExchangeItem_RestoreItemAction", "POST", mailboxPath + "/items/{itemId}/restore", 200, roleOperator, (*API).exchangeItemRestoreItemAction},
	{"ExchangeItem_RestoreItemToAction", "POST", mailboxPath + "/items/{itemId}/restoreTo", 200, roleOperator, (*API).exchangeItemRestoreItemToAction},
	{"ExchangeItem_ExportItemToPstAction", "POST", mailboxPath + "/items/{itemId}/exportToPst", 200, roleOperator, notYet},
	{"ExchangeItem_SaveItemAction", "POST", mailboxPath + "/items/{itemId}/save", 200, roleOperator, (*API).exchangeItemSaveItemAction},
	{"ExchangeItem_SendItemToDefaultAddressAction", "POST", mailboxPath + "/items/{itemId}/sendToDefaultAddress", 204, roleOperator, notYet},
	{"ExchangeItem_SendItemToDifferentAddressAction", "POST", mailboxPath + "/items/{itemId}/sendToDifferentAddress", 204, roleOperator, notYet},
	{"ExchangeItem_OperatorRestore", "POST", mailboxPath + "/items/operatorRestore", 200, roleOperator, notYet},

	// ExchangeMailbox
	{"ExchangeMailbox_Get", "GET", mailboxesPath, 200, roleOperator, (*API).exchangeMailboxGet},
	{"ExchangeMailbox_GetById", "GET", mailboxPath, 200, roleOperator, (*API).exchangeMailboxGetById},
	{"ExchangeMailbox_RestoreMailboxesAction", "POST", mailboxesPath + "/restore", 200, roleOperator, (*API).exchangeMailboxRestoreMailboxesAction},
	{"ExchangeMailbox_RestoreMailboxAction", "POST", mailboxPath + "/restore", 200, roleOperator, (*API).exchangeMailboxRestoreMailboxAction},
	{"ExchangeMailbox_RestoreMailboxToAction", "POST", mailboxPath + "/restoreTo", 200, roleOperator, (*API).exchangeMailboxRestoreMailboxToAction},
	{"ExchangeMailbox_ExportMailboxToPstAction", "POST", mailboxPath + "/exportToPst", 200, roleOperator, notYet},
	{"ExchangeMailbox_SearchByIdByOptions", "POST", mailboxPath + "/search", 200, roleOperator, (*API).exchangeMailboxSearchByIdByOptions},
	{"ExchangeMailbox_SearchByOptions", "POST", mailboxesPath + "/search", 200, roleOperator, (*API).exchangeMailboxSearchByOptions},

	// VexEmailSettings
	{"VexEmailSettings_Get", "GET", "/VexEmailSettings", 200, roleAdmin, notYet},
	{"VexEmailSettings_Update", "PUT", "/VexEmailSettings", 204, roleAdmin, notYet},
	{"VexEmailSettings_PrepareOAuthSignIn", "POST", "/VexEmailSettings/PrepareOAuthSignIn", 200, roleAdmin, notYet},
	{"VexEmailSettings_CompleteOAuthSignIn", "POST", "/VexEmailSettings/CompleteOAuthSignIn", 200, roleAdmin, notYet},
	{"VexEmailSettings_SendTestEmail", "POST", "/VexEmailSettings/SendTestEmail", 204, roleAdmin, notYet},

	// OneDrive
	{"OneDrive_Get", "GET", oneDrivesPath, 200, roleOperator, (*API).oneDriveGet},
	{"OneDrive_GetById", "GET", oneDrivePath, 200, roleOperator, (*API).oneDriveGetById},
	{"OneDrive_CopyToOneDriveAction", "POST", oneDrivePath + "/copyTo", 200, roleOperator, (*API).oneDriveCopyToOneDriveAction},
	{"OneDrive_SaveOneDriveAction", "POST", oneDrivePath + "/save", 200, roleOperator, (*API).oneDriveSaveOneDriveAction},
	{"OneDrive_SendOneDriveAction", "POST", oneDrivePath + "/send", 204, roleOperator, notYet},
	{"OneDrive_RestoreOneDriveAction", "POST", oneDrivePath + "/restore", 200, roleOperator, (*API).oneDriveRestoreOneDriveAction},
	{"OneDrive_RestoreOneDrivesAction", "POST", oneDrivesPath + "/restore", 200, roleOperator, (*API).oneDriveRestoreOneDrivesAction},
	{"OneDrive_SearchOneDrivesByOptions", "POST", oneDrivesPath + "/search", 200, roleOperator, (*API).oneDriveSearchOneDrivesByOptions},
	{"OneDrive_SearchOneDriveByOptions", "POST", oneDrivePath + "/search", 200, roleOperator, (*API).oneDriveSearchOneDriveByOptions},

	// OneDriveDocument
	{"OneDriveDocument_Get", "GET", oneDrivePath + "/Documents", 200, roleOperator, (*API).oneDriveDocumentGet},
	{"OneDriveDocument_GetById", "GET", oneDrivePath + "/Documents/{documentId}", 200, roleOperator, (*API).oneDriveDocumentGetById},
	{"OneDriveDocument_GetVersions", "GET", oneDrivePath + "/Documents/{documentId}/Versions", 200, roleOperator, (*API).oneDriveDocumentGetVersions},
	{"OneDriveDocument_GetByIdByVersionId", "GET", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}", 200, roleOperator, (*API).oneDriveDocumentGetByIdByVersionId},
	{"OneDriveDocument_RestoreDocumentsAction", "POST", oneDrivePath + "/Documents/restore", 200, roleOperator, (*API).oneDriveDocumentRestoreDocumentsAction},
	{"OneDriveDocument_CopyToDocumentsAction", "POST", oneDrivePath + "/Documents/copyTo", 200, roleOperator, (*API).oneDriveDocumentCopyToDocumentsAction},
	{"OneDriveDocument_SendDocumentsAction", "POST", oneDrivePath + "/Documents/send", 204, roleOperator, notYet},
	{"OneDriveDocument_SaveDocumentsAction", "POST", oneDrivePath + "/Documents/save", 200, roleOperator, (*API).oneDriveDocumentSaveDocumentsAction},
	{"OneDriveDocument_RestoreDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/restore", 200, roleOperator, (*API).oneDriveDocumentRestoreDocumentAction},
	{"OneDriveDocument_RestoreDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/restore", 200, roleOperator, (*API).oneDriveDocumentRestoreDocumentActionByVersionId},
	{"OneDriveDocument_CopyToDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/copyTo", 200, roleOperator, (*API).oneDriveDocumentCopyToDocumentAction},
	{"OneDriveDocument_CopyToDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/copyTo", 200, roleOperator, (*API).oneDriveDocumentCopyToDocumentActionByVersionId},
	{"OneDriveDocument_SaveDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/save", 200, roleOperator, (*API).oneDriveDocumentSaveDocumentAction},
	{"OneDriveDocument_SaveDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/save", 200, roleOperator, (*API).oneDriveDocumentSaveDocumentActionByVersionId},
	{"OneDriveDocument_SendDocumentAction", "POST", oneDrivePath + "/Documents/{documentId}/send", 204, roleOperator, notYet},
	{"OneDriveDocument_SendDocumentActionByVersionId", "POST", oneDrivePath + "/Documents/{documentId}/Versions/{versionId}/send", 204, roleOperator, notYet},
	{"OneDriveDocument_OperatorRestore", "POST", oneDrivePath + "/Documents/operatorRestore", 200, roleOperator, notYet},

	// OneDriveFolder
	{"OneDriveFolder_Get", "GET", oneDrivePath + "/Folders", 200, roleOperator, (*API).oneDriveFolderGet},
	{"OneDriveFolder_GetById", "GET", oneDrivePath + "/Folders/{folderId}", 200, roleOperator, (*API).oneDriveFolderGetById},
	{"OneDriveFolder_RestoreFoldersAction", "POST", oneDrivePath + "/Folders/restore", 200, roleOperator, (*API).oneDriveFolderRestoreFoldersAction},
	{"OneDriveFolder_GetByIdByVersionId", "GET", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}", 200, roleOperator, notYet},
	{"OneDriveFolder_CopyToFoldersAction", "POST", oneDrivePath + "/Folders/copyTo", 200, roleOperator, (*API).oneDriveFolderCopyToFoldersAction},
	{"OneDriveFolder_SaveFoldersAction", "POST", oneDrivePath + "/Folders/save", 200, roleOperator, (*API).oneDriveFolderSaveFoldersAction},
	{"OneDriveFolder_SendFoldersAction", "POST", oneDrivePath + "/Folders/send", 204, roleOperator, notYet},
	{"OneDriveFolder_GetVersions", "GET", oneDrivePath + "/Folders/{folderId}/Versions", 200, roleOperator, notYet},
	{"OneDriveFolder_RestoreFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/restore", 200, roleOperator, (*API).oneDriveFolderRestoreFolderAction},
	{"OneDriveFolder_RestoreFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/restore", 200, roleOperator, notYet},
	{"OneDriveFolder_CopyToFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/copyTo", 200, roleOperator, (*API).oneDriveFolderCopyToFolderAction},
	{"OneDriveFolder_CopyToFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/copyTo", 200, roleOperator, notYet},
	{"OneDriveFolder_SaveFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/save", 200, roleOperator, (*API).oneDriveFolderSaveFolderAction},
	{"OneDriveFolder_SaveFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/save", 200, roleOperator, notYet},
	{"OneDriveFolder_SendFolderAction", "POST", oneDrivePath + "/Folders/{folderId}/send", 204, roleOperator, notYet},
	{"OneDriveFolder_SendFolderActionByVersionId", "POST", oneDrivePath + "/Folders/{folderId}/Versions/{versionId}/send", 204, roleOperator, notYet},
	{"OneDriveFolder_SearchOneDriveFolderByOptions", "POST", oneDrivePath + "/Folders/{folderId}/search", 200, roleOperator, (*API).oneDriveFolderSearchOneDriveFolderByOptions},

	// SharePointAttachment
	{"SharePointAttachment_Get", "GET", sitePath + "/Items/{itemId}/Attachments", 200, roleOperator, notYet},
	{"SharePointAttachment_GetById", "GET", sitePath + "/Items/{itemId}/Attachments/{attachmentId}", 200, roleOperator, notYet},
	{"SharePointAttachment_SaveAttachmentsAction", "POST", sitePath + "/Items/{itemId}/Attachments/save", 200, roleOperator, notYet},
	{"SharePointAttachment_SaveAttachmentAction", "POST", sitePath + "/Items/{itemId}/Attachments/{attachmentId}/save", 200, roleOperator, notYet},
	{"SharePointAttachment_SendAttachmentsAction", "POST", sitePath + "/Items/{itemId}/Attachments/send", 204, roleOperator, notYet},
	{"SharePointAttachment_SendAttachmentAction", "POST", sitePath + "/Items/{itemId}/Attachments/{attachmentId}/send", 204, roleOperator, notYet},

	// SharePointDocument
	{"SharePointDocument_Get", "GET", sitePath + "/Documents", 200, roleOperator, notYet},
	{"SharePointDocument_GetById", "GET", sitePath + "/Documents/{documentId}", 200, roleOperator, notYet},
	{"SharePointDocument_GetByIdByVersionId", "GET", sitePath + "/Documents/{documentId}/Versions/{versionId}", 200, roleOperator, notYet},
	{"SharePointDocument_GetVersions", "GET", sitePath + "/Documents/{documentId}/Versions", 200, roleOperator, notYet},
	{"SharePointDocument_RestoreDocumentsAction", "POST", sitePath + "/Documents/restore", 200, roleOperator, notYet},
	{"SharePointDocument_RestoreDocumentsActionTo", "POST", sitePath + "/Documents/restoreTo", 200, roleOperator, notYet},
	{"SharePointDocument_RestoreDocumentActionByVersionId", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/restore", 200, roleOperator, notYet},
	{"SharePointDocument_RestoreDocumentActionByVersionIdTo", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointDocument_RestoreDocumentAction", "POST", sitePath + "/Documents/{documentId}/restore", 200, roleOperator, notYet},
	{"SharePointDocument_RestoreDocumentActionTo", "POST", sitePath + "/Documents/{documentId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointDocument_SaveDocumentsAction", "POST", sitePath + "/Documents/save", 200, roleOperator, notYet},
	{"SharePointDocument_SaveDocumentActionByVersionId", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/save", 200, roleOperator, notYet},
	{"SharePointDocument_SaveDocumentAction", "POST", sitePath + "/Documents/{documentId}/save", 200, roleOperator, notYet},
	{"SharePointDocument_SendDocumentsAction", "POST", sitePath + "/Documents/send", 204, roleOperator, notYet},
	{"SharePointDocument_SendDocumentActionByVersionId", "POST", sitePath + "/Documents/{documentId}/Versions/{versionId}/send", 204, roleOperator, notYet},
	{"SharePointDocument_SendDocumentAction", "POST", sitePath + "/Documents/{documentId}/send", 204, roleOperator, notYet},
	{"SharePointDocument_OperatorRestore", "POST", sitePath + "/Documents/operatorRestore", 200, roleOperator, notYet},

	// SharePointFolder
	{"SharePointFolder_Get", "GET", sitePath + "/Folders", 200, roleOperator, notYet},
	{"SharePointFolder_GetById", "GET", sitePath + "/Folders/{folderId}", 200, roleOperator, notYet},
	{"SharePointFolder_GetByIdByVersionId", "GET", sitePath + "/Folders/{folderId}/Versions/{versionId}", 200, roleOperator, notYet},
	{"SharePointFolder_GetVersions", "GET", sitePath + "/Folders/{folderId}/Versions", 200, roleOperator, notYet},
	{"SharePointFolder_RestoreFoldersAction", "POST", sitePath + "/Folders/restore", 200, roleOperator, notYet},
	{"SharePointFolder_RestoreFoldersActionTo", "POST", sitePath + "/Folders/restoreTo", 200, roleOperator, notYet},
	{"SharePointFolder_RestoreFolderAction", "POST", sitePath + "/Folders/{folderId}/restore", 200, roleOperator, notYet},
	{"SharePointFolder_RestoreFolderActionTo", "POST", sitePath + "/Folders/{folderId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointFolder_RestoreFolderActionByVersionId", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/restore", 200, roleOperator, notYet},
	{"SharePointFolder_RestoreFolderActionByVersionIdTo", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointFolder_SaveFoldersAction", "POST", sitePath + "/Folders/save", 200, roleOperator, notYet},
	{"SharePointFolder_SaveFolderAction", "POST", sitePath + "/Folders/{folderId}/save", 200, roleOperator, notYet},
	{"SharePointFolder_SaveFolderActionByVersionId", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/save", 200, roleOperator, notYet},
	{"SharePointFolder_SendFoldersAction", "POST", sitePath + "/Folders/send", 204, roleOperator, notYet},
	{"SharePointFolder_SendFolderAction", "POST", sitePath + "/Folders/{folderId}/send", 204, roleOperator, notYet},
	{"SharePointFolder_SendFolderActionByVersionId", "POST", sitePath + "/Folders/{folderId}/Versions/{versionId}/send", 204, roleOperator, notYet},
	{"SharePointFolder_SearchFolderByOptions", "POST", sitePath + "/Folders/{folderId}/search", 200, roleOperator, notYet},

	// SharePointItem
	{"SharePointItem_Get", "GET", sitePath + "/Items", 200, roleOperator, notYet},
	{"SharePointItem_GetById", "GET", sitePath + "/Items/{itemId}", 200, roleOperator, notYet},
	{"SharePointItem_GetByIdByVersionId", "GET", sitePath + "/Items/{itemId}/Versions/{versionId}", 200, roleOperator, notYet},
	{"SharePointItem_GetVersions", "GET", sitePath + "/Items/{itemId}/Versions", 200, roleOperator, notYet},
	{"SharePointItem_RestoreItemsAction", "POST", sitePath + "/Items/restore", 200, roleOperator, notYet},
	{"SharePointItem_RestoreItemsActionTo", "POST", sitePath + "/Items/restoreTo", 200, roleOperator, notYet},
	{"SharePointItem_RestoreItemAction", "POST", sitePath + "/Items/{itemId}/Restore", 200, roleOperator, notYet},
	{"SharePointItem_RestoreItemActionByVersionId", "POST", sitePath + "/Items/{itemId}/Versions/{versionId}/restore", 200, roleOperator, notYet},
	{"SharePointItem_RestoreItemActionTo", "POST", sitePath + "/Items/{itemId}/RestoreTo", 200, roleOperator, notYet},
	{"SharePointItem_RestoreItemActionByVersionIdTo", "POST", sitePath + "/Items/{itemId}/Versions/{versionId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointItem_OperatorRestore", "POST", sitePath + "/Items/operatorRestore", 200, roleOperator, notYet},

	// SharePointLibrary
	{"SharePointLibrary_Get", "GET", sitePath + "/Libraries", 200, roleOperator, notYet},
	{"SharePointLibrary_GetById", "GET", sitePath + "/Libraries/{libraryId}", 200, roleOperator, notYet},
	{"SharePointLibrary_RestoreLibraryAction", "POST", sitePath + "/Libraries/{libraryId}/restore", 200, roleOperator, notYet},
	{"SharePointLibrary_RestoreLibraryActionTo", "POST", sitePath + "/Libraries/{libraryId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointLibrary_SaveLibraryAction", "POST", sitePath + "/Libraries/{libraryId}/save", 200, roleOperator, notYet},
	{"SharePointLibrary_SendLibraryAction", "POST", sitePath + "/Libraries/{libraryId}/send", 204, roleOperator, notYet},
	{"SharePointLibrary_SearchLibraryByOptions", "POST", sitePath + "/Libraries/{libraryId}/search", 200, roleOperator, notYet},

	// SharePointList
	{"SharePointList_Get", "GET", sitePath + "/Lists", 200, roleOperator, notYet},
	{"SharePointList_GetById", "GET", sitePath + "/Lists/{listId}", 200, roleOperator, notYet},
	{"SharePointList_RestoreListAction", "POST", sitePath + "/Lists/{listId}/restore", 200, roleOperator, notYet},
	{"SharePointList_RestoreListActionTo", "POST", sitePath + "/Lists/{listId}/restoreTo", 200, roleOperator, notYet},
	{"SharePointList_SearchListByOptions", "POST", sitePath + "/Lists/{listId}/search", 200, roleOperator, notYet},

	// SharePointSite
	{"SharePointSite_Get", "GET", sitesPath, 200, roleOperator, notYet},
	{"SharePointSite_GetById", "GET", sitePath, 200, roleOperator, notYet},
	{"SharePointSite_RestoreSiteAction", "POST", sitePath + "/restore", 200, roleOperator, notYet},
	{"SharePointSite_RestoreSiteActionTo", "POST", sitePath + "/restoreTo", 200, roleOperator, notYet},
	{"SharePointSite_SearchSitesByOptions", "POST", sitesPath + "/search", 200, roleOperator, notYet},
	{"SharePointSite_SearchSiteByOptions", "POST", sitePath + "/search", 200, roleOperator, notYet},

	// VeodEmailSettings
	{"VeodEmailSettings_Get", "GET", "/VeodEmailSettings", 200, roleAdmin, notYet},
	{"VeodEmailSettings_Update", "PUT", "/VeodEmailSettings", 204, roleAdmin, notYet},
	{"VeodEmailSettings_PrepareOAuthSignIn", "POST", "/VeodEmailSettings/PrepareOAuthSignIn", 200, roleAdmin, notYet},
	{"VeodEmailSettings_CompleteOAuthSignIn", "POST", "/VeodEmailSettings/CompleteOAuthSignIn", 200, roleAdmin, notYet},
	{"VeodEmailSettings_SendTestEmail", "POST", "/VeodEmailSettings/SendTestEmail", 204, roleAdmin, notYet},

	// VespEmailSettings
	{"VespEmailSettings_Get", "GET", "/VespEmailSettings", 200, roleAdmin, notYet},
	{"VespEmailSettings_Update", "PUT", "/VespEmailSettings", 204, roleAdmin, notYet},
	{"VespEmailSettings_PrepareOAuthSignIn", "POST", "/VespEmailSettings/PrepareOAuthSignIn", 200, roleAdmin, notYet},
	{"VespEmailSettings_CompleteOAuthSignIn", "POST", "/VespEmailSettings/CompleteOAuthSignIn", 200, roleAdmin, notYet},
	{"VespEmailSettings_SendTestEmail", "POST", "/VespEmailSettings/SendTestEmail", 204, roleAdmin, notYet},

	// TeamsChannel
	{"TeamsChannel_Get", "GET", teamPath + "/channels", 200, roleOperator, notYet},
	{"TeamsChannel_GetByChannelId", "GET", channelPath, 200, roleOperator, notYet},
	{"TeamsChannel_GetChildrenPage", "GET", channelPath + "/children", 200, roleOperator, notYet},
	{"TeamsChannel_Search", "POST", channelPath + "/search", 200, roleOperator, notYet},
	{"TeamsChannel_Restore", "POST", channelPath + "/restore", 200, roleOperator, notYet},
	{"TeamsChannel_OperatorRestore", "POST", channelPath + "/operatorRestore", 200, roleOperator, notYet},
	{"TeamsChannel_OperatorStartExportTask", "POST", channelPath + "/startOperatorExportPosts", 200, roleOperator, notYet},
	{"TeamsChannel_DownloadExportedPosts", "GET", channelPath + "/operatorExport/{requestExportId}", 200, roleOperator, notYet},

	// TeamsFile
	{"TeamsFile_GetPage", "GET", teamPath + "/files", 200, roleOperator, notYet},
	{"TeamsFile_Get", "GET", channelPath + "/files/{fileId}", 200, roleOperator, notYet},
	{"TeamsFile_GetVersions", "GET", channelPath + "/files/{fileId}/versions", 200, roleOperator, notYet},
	{"TeamsFile_Search", "POST", teamPath + "/files/search", 200, roleOperator, notYet},
	{"TeamsFile_Save", "POST", teamPath + "/files/save", 200, roleOperator, notYet},
	{"TeamsFile_SaveById", "POST", channelPath + "/files/{fileId}/save", 200, roleOperator, notYet},
	{"TeamsFile_Send", "POST", teamPath + "/files/send", 204, roleOperator, notYet},
	{"TeamsFile_SendById", "POST", channelPath + "/files/{fileId}/send", 204, roleOperator, notYet},
	{"TeamsFile_Restore", "POST", teamPath + "/files/restore", 200, roleOperator, notYet},
	{"TeamsFile_OperatorRestore", "POST", teamPath + "/files/operatorRestore", 200, roleOperator, notYet},
	{"TeamsFile_RestoreById", "POST", channelPath + "/files/{fileId}/restore", 200, roleOperator, notYet},

	// TeamsPost
	{"TeamsPost_GetPage", "GET", teamPath + "/posts", 200, roleOperator, notYet},
	{"TeamsPost_Get", "GET", teamPath + "/posts/{postId}", 200, roleOperator, notYet},
	{"TeamsPost_Search", "POST", teamPath + "/posts/search", 200, roleOperator, notYet},
	{"TeamsPost_Save", "POST", teamPath + "/posts/save", 200, roleOperator, notYet},
	{"TeamsPost_SaveById", "POST", teamPath + "/posts/{postId}/save", 200, roleOperator, notYet},
	{"TeamsPost_Send", "POST", teamPath + "/posts/send", 204, roleOperator, notYet},
	{"TeamsPost_SendById", "POST", teamPath + "/posts/{postId}/send", 204, roleOperator, notYet},
	{"TeamsPost_Export", "POST", teamPath + "/posts/export", 200, roleOperator, notYet},
	{"TeamsPost_ExportById", "POST", teamPath + "/posts/{postId}/export", 200, roleOperator, notYet},
	{"TeamsPost_Restore", "POST", teamPath + "/posts/restore", 200, roleOperator, notYet},
	{"TeamsPost_OperatorRestore", "POST", teamPath + "/posts/operatorRestore", 200, roleOperator, notYet},
	{"TeamsPost_OperatorStartExportTask", "POST", teamPath + "/posts/operatorStartExportTask", 200, roleOperator, notYet},
	{"TeamsPost_DownloadExportedPosts", "GET", teamPath + "/posts/operatorExport/{requestExportId}", 200, roleOperator, notYet},

	// TeamsTab
	{"TeamsTab_Get", "GET", channelPath + "/tabs", 200, roleOperator, notYet},
	{"TeamsTab_GetTab", "GET", channelPath + "/tabs/{tabId}", 200, roleOperator, notYet},
	{"TeamsTab_Search", "POST", channelPath + "/tabs/search", 200, roleOperator, notYet},
	{"TeamsTab_Restore", "POST", channelPath + "/tabs/restore", 200, roleOperator, notYet},
	{"TeamsTab_OperatorRestore", "POST", channelPath + "/tabs/operatorRestore", 200, roleOperator, notYet},
	{"TeamsTab_OperatorRestoreByMultipleChannels", "POST", teamPath + "/tabs/operatorRestore", 200, roleOperator, notYet},
	{"TeamsTab_RestoreByMultipleChannels", "POST", teamPath + "/tabs/restore", 200, roleOperator, notYet},
	{"TeamsTab_RestoreById", "POST", channelPath + "/tabs/{tabId}/restore", 200, roleOperator, notYet},

	// TeamsTeam
	{"TeamsTeam_Get", "GET", teamsPath, 200, roleOperator, notYet},
	{"TeamsTeam_GetById", "GET", teamPath, 200, roleOperator, notYet},
	{"TeamsTeam_Restore", "POST", teamsPath + "/restore", 200, roleOperator, notYet},
	{"TeamsTeam_OperatorRestore", "POST", teamsPath + "/operatorRestore", 200, roleOperator, notYet},
	{"TeamsTeam_Search", "POST", teamPath + "/search", 200, roleOperator, notYet},
	{"TeamsTeam_RestoreById", "POST", teamPath + "/restore", 200, roleOperator, notYet},

	// VetEmailSettings
	{"VetEmailSettings_Get", "GET", "/VetEmailSettings", 200, roleAdmin, notYet},
	{"VetEmailSettings_Update", "PUT", "/VetEmailSettings", 204, roleAdmin, notYet},
	{"VetEmailSettings_PrepareOAuthSignIn", "POST", "/VetEmailSettings/PrepareOAuthSignIn", 200, roleAdmin, notYet},
	{"VetEmailSettings_CompleteOAuthSignIn", "POST", "/VetEmailSettings/CompleteOAuthSignIn", 200, roleAdmin, notYet},
	{"VetEmailSettings_SendTestEmail", "POST", "/VetEmailSettings/SendTestEmail", 204, roleAdmin, notYet},

	// Events
	{"Events_Get", "GET", "/Events", 200, roleAdmin, notYet},

	// Configuration
	{"Configuration_Updates_Get", "GET", "/Configuration/Updates", 200, roleAdmin, notYet},
	{"Configuration_Updates_Update", "PUT", "/Configuration/Updates", 204, roleAdmin, notYet},
}
