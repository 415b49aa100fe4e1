package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) restorePortalSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Portal.Get(ctx)
	if err != nil {
		return nil, err
	}
	if !s.Enabled { // nobody who has not signed in learns more
		return contract.RESTRestorePortalSettings{IsEnabled: &s.Enabled}, nil
	}
	out := contract.RESTRestorePortalSettings{IsEnabled: &s.Enabled, MsalAuthorityURI: optional(s.Authority), RestorePortalURI: optional(s.URL)}
	if id, err := uuid.Parse(s.ApplicationID); err == nil {
		out.ApplicationID = &id
	}
	return out, nil
}

// portalSettings are the contract's, which reads them only, and what the application shows to prove itself.
type portalSettings struct {
	ApplicationID       *uuid.UUID `json:"applicationId,omitzero"`
	Authority           string     `json:"msalAuthorityUri,omitzero"`
	URL                 string     `json:"restorePortalUri,omitzero"`
	Enabled             bool       `json:"isEnabled,omitzero"`
	Secret              string     `json:"applicationSecret,omitzero"`
	Certificate         string     `json:"applicationCertificate,omitzero"` // base64 of a PFX or PEM file
	CertificatePassword string     `json:"applicationCertificatePassword,omitzero"`
}

// portalSettingsPut sets what restorePortalSettingsGet answers.
func (a *API) portalSettingsPut(ctx context.Context, r *request) (any, error) {
	var in portalSettings
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	s := service.PortalSettings{Enabled: in.Enabled, ApplicationID: uuidText(in.ApplicationID), Authority: in.Authority, URL: in.URL}
	certificate, err := decodeCertificate("applicationCertificate", in.Certificate)
	if err != nil {
		return nil, err
	}
	if in.Secret != "" || certificate != "" {
		s.Credential = &holdfast.Credential{ApplicationSecret: holdfast.Secret(in.Secret), Certificate: certificate, CertificatePassword: holdfast.Secret(in.CertificatePassword)}
	}
	return nil, a.services.Portal.Put(ctx, r.user, s)
}
