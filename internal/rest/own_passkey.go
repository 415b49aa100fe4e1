package rest

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// Passkeys (WebAuthn): options for a browser's authenticators, and what those answer, in the JSON forms of the standard.

// site is the host name by which a browser reached us, which passkeys are bound to, and the origin of its pages.
func (r *request) site() service.Site {
	host := strings.ToLower(r.Host)
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return service.Site{Host: name, Origin: "https://" + host}
}

type passkeyRequest struct {
	ID        string          `json:"requestId"`
	PublicKey json.RawMessage `json:"publicKey"`
}

// passkeyAnswer is an authenticator's answer to a passkeyRequest. The parts of the credential that are not here are not looked at.
type passkeyAnswer struct {
	Request    string            `json:"requestId"`
	Credential passkeyCredential `json:"credential"`
}

type passkeyCredential struct {
	ID         string                   `json:"id"`
	RawID      string                   `json:"rawId"`
	Type       string                   `json:"type"`
	Attachment string                   `json:"authenticatorAttachment,omitzero"`
	Response   passkeyCredentialPayload `json:"response"`
}

type passkeyCredentialPayload struct {
	ClientData    string   `json:"clientDataJSON"`
	Attestation   string   `json:"attestationObject,omitzero"` // of a new one
	Transports    []string `json:"transports,omitzero"`
	Authenticator string   `json:"authenticatorData,omitzero"`
	Signature     string   `json:"signature,omitzero"`
	UserHandle    string   `json:"userHandle,omitzero"`
}

func (r *request) passkeyAnswer(in passkeyAnswer) (service.PasskeyAnswer, error) {
	text, err := json.Marshal(in.Credential)
	return service.PasskeyAnswer{Site: r.site(), Address: r.address(), Request: in.Request, Credential: text}, err
}

type ownPasskey struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Host     string     `json:"host"`
	Synced   bool       `json:"synced"`
	Created  *time.Time `json:"created"`
	LastUsed *time.Time `json:"lastUsed,omitzero"`
}

func passkeyToOwn(k holdfast.Passkey) ownPasskey {
	return ownPasskey{k.ID, k.Name, k.Host, k.BackedUp(), stamp(k.Created), stamp(k.LastUsed)}
}

func (a *API) passkeyGet(ctx context.Context, r *request) (any, error) {
	all, err := a.services.Passkeys.List(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(all, passkeyToOwn), nil
}

func (a *API) passkeyBegin(ctx context.Context, r *request) (any, error) {
	asked, err := a.services.Passkeys.Begin(ctx, r.user, r.site())
	return passkeyRequest{asked.ID, asked.Options}, err
}

func (a *API) passkeyAdd(ctx context.Context, r *request) (any, error) {
	var in struct {
		Request    string            `json:"requestId"`
		Credential passkeyCredential `json:"credential"`
		Name       string            `json:"name,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	answer, err := r.passkeyAnswer(passkeyAnswer{in.Request, in.Credential})
	if err != nil {
		return nil, err
	}
	k, codes, err := a.services.Passkeys.Add(ctx, r.user, answer, in.Name, r.cookie)
	if err != nil {
		return nil, err
	}
	return struct {
		ownPasskey
		Codes []string `json:"recoveryCodes,omitzero"`
	}{passkeyToOwn(k), codes}, nil
}

func (a *API) passkeyRename(ctx context.Context, r *request) (any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	k, err := a.services.Passkeys.Rename(ctx, r.user, r.param("passkeyId"), in.Name)
	if err != nil {
		return nil, err
	}
	return passkeyToOwn(k), nil
}

func (a *API) passkeyRemove(ctx context.Context, r *request) (any, error) {
	return nil, a.services.Passkeys.Remove(ctx, r.user, r.param("passkeyId"), r.cookie)
}

// sessionAskPasskey begins a sign-in by a passkey.
func (a *API) sessionAskPasskey(_ context.Context, r *request) (any, error) {
	if err := a.sameOrigin(r); err != nil {
		return nil, err
	}
	asked, err := a.services.Passkeys.BeginSignIn(r.address(), r.site())
	return passkeyRequest{asked.ID, asked.Options}, err
}

// sessionAskProof begins a proof by a passkey.
func (a *API) sessionAskProof(ctx context.Context, r *request) (any, error) {
	asked, err := a.services.Passkeys.BeginProof(ctx, r.user, r.site())
	return passkeyRequest{asked.ID, asked.Options}, err
}
