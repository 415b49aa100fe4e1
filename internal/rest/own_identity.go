package rest

import "holdfast/internal/service"

const (
	userPath = "/users/{userId}"
	selfPath = "/users/me"
)

// identityRoutes are who signs in, and with what.
var identityRoutes = []route{
	{"Session_Get", "GET", "/session", 200, service.ActSeeSelf, (*API).sessionGet},
	{"Session_Open", "POST", "/session", 200, service.ActSignIn, (*API).sessionOpen},
	{"Session_Close", "DELETE", "/session", 204, service.ActEndOwnLogin, (*API).sessionClose},
	{"Session_Prove", "POST", "/session/proof", 204, service.ActProve, (*API).sessionProve},
	{"Session_AskPasskey", "POST", "/session/passkey", 200, service.ActSignIn, (*API).sessionAskPasskey},
	{"Session_AskProof", "POST", "/session/proof/passkey", 200, service.ActProve, (*API).sessionAskProof},
	{"User_Get", "GET", "/users", 200, service.ActSeeUsers, (*API).userGet},
	{"User_Add", "POST", "/users", 201, service.ActManageUsers, (*API).userAdd},
	{"User_GetSelf", "GET", selfPath, 200, service.ActSeeSelf, (*API).userGetSelf},
	{"Totp_Begin", "POST", selfPath + "/totp", 200, service.ActOwnFactor, (*API).totpBegin},
	{"Totp_Confirm", "PUT", selfPath + "/totp", 200, service.ActOwnFactor, (*API).totpConfirm},
	{"Totp_Remove", "DELETE", selfPath + "/totp", 204, service.ActOwnFactor, (*API).totpRemove},
	{"Passkey_Get", "GET", selfPath + "/passkeys", 200, service.ActSeeSelf, (*API).passkeyGet},
	{"Passkey_Begin", "POST", selfPath + "/passkeys/request", 200, service.ActOwnFactor, (*API).passkeyBegin},
	{"Passkey_Add", "POST", selfPath + "/passkeys", 201, service.ActOwnFactor, (*API).passkeyAdd},
	{"Passkey_Rename", "PATCH", selfPath + "/passkeys/{passkeyId}", 200, service.ActOwnFactor, (*API).passkeyRename},
	{"Passkey_Remove", "DELETE", selfPath + "/passkeys/{passkeyId}", 204, service.ActOwnFactor, (*API).passkeyRemove},
	{"User_Update", "PATCH", userPath, 200, service.ActManageUsers, (*API).userUpdate},
	{"User_Remove", "DELETE", userPath, 204, service.ActManageUsers, (*API).userRemove},
	{"User_SetPassword", "POST", userPath + "/password", 204, service.ActManageUsers, (*API).userSetPassword},
	{"User_ResetTotp", "DELETE", userPath + "/totp", 204, service.ActManageUsers, (*API).userResetFactor},
	{"ApiKey_Get", "GET", "/api-keys", 200, service.ActOwnKeys, (*API).apiKeyGet},
	{"ApiKey_Add", "POST", "/api-keys", 201, service.ActOwnKeys, (*API).apiKeyAdd},
	{"ApiKey_Remove", "DELETE", "/api-keys/{keyId}", 204, service.ActOwnKeys, (*API).apiKeyRemove},
	{"RbacAct_Get", "GET", rolePath + "/acts", 200, service.ActSeeRoles, (*API).rbacActGet},
	{"RbacAct_Put", "PUT", rolePath + "/acts", 204, service.ActChangeRoles, (*API).rbacActPut},
	{"PortalSettings_Put", "PUT", "/RestorePortalSettings", 204, service.ActChangePortal, (*API).portalSettingsPut},
}
