package graph

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// GraphApplication is Microsoft Graph's application id, the same in every tenant and cloud.
const GraphApplication = "00000003-0000-0000-c000-000000000000"

const (
	applicationWrite = "Application.ReadWrite.All"
	assignmentWrite  = "AppRoleAssignment.ReadWrite.All"
	consentWrite     = "DelegatedPermissionGrant.ReadWrite.All"
)

// Application is an application's registration.
type Application struct {
	Row
	ID          string          `json:"id"` // of the object
	AppID       string          `json:"appId"`
	DisplayName string          `json:"displayName"`
	Keys        []KeyCredential `json:"keyCredentials"`
}

// KeyCredential is a certificate of an application.
type KeyCredential struct {
	Row
	KeyID       string    `json:"keyId,omitempty"`
	DisplayName string    `json:"displayName,omitempty"`
	Type        string    `json:"type,omitempty"`
	Usage       string    `json:"usage,omitempty"`
	Key         []byte    `json:"key,omitempty"` // DER
	Thumbprint  []byte    `json:"customKeyIdentifier,omitempty"`
	Start       time.Time `json:"startDateTime,omitzero"`
	End         time.Time `json:"endDateTime,omitzero"`
}

// PublicKey is a certificate as a new key credential.
func PublicKey(name string, der []byte) KeyCredential {
	return KeyCredential{DisplayName: name, Type: "AsymmetricX509Cert", Usage: "Verify", Key: der}
}

// ServicePrincipal is what an application is in a tenant.
type ServicePrincipal struct {
	Row
	ID       string    `json:"id"`
	AppID    string    `json:"appId"`
	AppRoles []AppRole `json:"appRoles"`
}

// AppRole is an application permission that a service offers. Its id differs from cloud to cloud.
type AppRole struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// AppRoleAssignment is an application permission that was granted.
type AppRoleAssignment struct {
	Row
	ID        string `json:"id"`
	AppRoleID string `json:"appRoleId"`
}

// Consent is what a person let an application do in his name.
type Consent struct {
	Row
	ID          string `json:"id"`
	ClientID    string `json:"clientId"`
	Type        string `json:"consentType"` // Principal or AllPrincipals
	PrincipalID string `json:"principalId"`
	Scope       string `json:"scope"`
}

// quote writes a text of a filter.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// CreateApplication registers an application.
func (c *Client) CreateApplication(ctx context.Context, body any) (*Application, error) {
	return one[Application](ctx, c, request{method: http.MethodPost, path: "/applications", in: body, permission: applicationWrite})
}

// Applications finds an application by its client id.
func (c *Client) Applications(ctx context.Context, appID string) (*Page[Application], error) {
	return list[Application](ctx, c, "/applications", List{Filter: "appId eq " + quote(appID)}, applicationWrite)
}

// UpdateApplication changes properties of an application.
func (c *Client) UpdateApplication(ctx context.Context, id string, body any) error {
	return c.do(ctx, request{method: http.MethodPatch, path: join("applications", id), in: body, permission: applicationWrite, repeatable: true}, nil)
}

// DeleteApplication deletes an application with its service principal.
func (c *Client) DeleteApplication(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: join("applications", id), permission: applicationWrite}, nil)
}

// AddKey adds a certificate to the application that is signed in; proof is signed with one that it has.
func (c *Client) AddKey(ctx context.Context, id string, key KeyCredential, proof string) (*KeyCredential, error) {
	return one[KeyCredential](ctx, c, request{method: http.MethodPost, path: join("applications", id, "addKey"),
		in: map[string]any{"keyCredential": key, "passwordCredential": nil, "proof": proof}, permission: applicationWrite})
}

// RemoveKey takes a certificate off the application that is signed in.
func (c *Client) RemoveKey(ctx context.Context, id, keyID, proof string) error {
	return c.do(ctx, request{method: http.MethodPost, path: join("applications", id, "removeKey"), in: map[string]any{"keyId": keyID, "proof": proof}, permission: applicationWrite}, nil)
}

// CreateServicePrincipal makes an application known in the tenant.
func (c *Client) CreateServicePrincipal(ctx context.Context, appID string) (*ServicePrincipal, error) {
	return one[ServicePrincipal](ctx, c, request{method: http.MethodPost, path: "/servicePrincipals", in: map[string]any{"appId": appID}, permission: applicationWrite})
}

// ServicePrincipals finds a service principal by its client id.
func (c *Client) ServicePrincipals(ctx context.Context, appID string) (*Page[ServicePrincipal], error) {
	return list[ServicePrincipal](ctx, c, "/servicePrincipals", List{Filter: "appId eq " + quote(appID)}, applicationWrite)
}

// AssignRole grants an application permission, which is an administrator's consent.
func (c *Client) AssignRole(ctx context.Context, principal, resource, role string) (*AppRoleAssignment, error) {
	return one[AppRoleAssignment](ctx, c, request{method: http.MethodPost, path: join("servicePrincipals", principal, "appRoleAssignments"),
		in: map[string]any{"principalId": principal, "resourceId": resource, "appRoleId": role}, permission: assignmentWrite})
}

// Consents gives what people let an application do, by the id of its service principal.
func (c *Client) Consents(ctx context.Context, principal string) (*Page[Consent], error) {
	return list[Consent](ctx, c, "/oauth2PermissionGrants", List{Filter: "clientId eq " + quote(principal)}, consentWrite)
}

// LimitConsent leaves only some scopes of a consent, or nothing of it.
func (c *Client) LimitConsent(ctx context.Context, id string, scopes []string) error {
	if len(scopes) == 0 {
		return c.do(ctx, request{method: http.MethodDelete, path: join("oauth2PermissionGrants", id), permission: consentWrite}, nil)
	}
	return c.do(ctx, request{method: http.MethodPatch, path: join("oauth2PermissionGrants", id), in: map[string]any{"scope": strings.Join(scopes, " ")}, permission: consentWrite, repeatable: true}, nil)
}
