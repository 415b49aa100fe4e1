package rest

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationGet lists organizations. Names of a directory beyond msid are not kept, so extendedView changes nothing.
func (a *API) organizationGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.services.Organizations.List(ctx, r.user, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	msid, err := r.queryID("msid")
	if err != nil {
		return nil, err
	}
	backedUp, _ := r.query("backedUpOrganizationId")
	kept := all[:0]
	for _, o := range all {
		if msid != "" && !strings.EqualFold(o.TenantID, msid) || backedUp != "" && !strings.EqualFold(string(o.ID), backedUp) {
			continue
		}
		kept = append(kept, o)
	}
	return page(r, w, cut(w, kept), func(o holdfast.Organization) contract.RestOrganizationComposed {
		return organizationToContract(r.links, o)
	}), nil
}

func (a *API) organizationAdd(ctx context.Context, r *request) (any, error) {
	var in contract.RestOrganizationComposed
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec, err := organizationFromContract(in)
	if err != nil {
		return nil, err
	}
	o, err := a.services.Organizations.Create(ctx, r.user, spec)
	if err != nil {
		return nil, err
	}
	return organizationToContract(r.links, o), nil
}

func (a *API) organizationGetById(ctx context.Context, r *request) (any, error) {
	o, err := a.organization(ctx, r)
	if err != nil {
		return nil, err
	}
	return organizationToContract(r.links, o), nil
}

// organization is the one that the path names.
func (a *API) organization(ctx context.Context, r *request) (holdfast.Organization, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return holdfast.Organization{}, err
	}
	return a.services.Organizations.Get(ctx, r.user, holdfast.OrganizationID(id))
}

func (a *API) organizationUpdate(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	var in contract.RestOrganizationComposed
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec, err := organizationFromContract(in)
	if err != nil {
		return nil, err
	}
	_, err = a.services.Organizations.Update(ctx, r.user, holdfast.OrganizationID(id), spec)
	return nil, err
}

func (a *API) organizationRemove(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Organizations.Delete(ctx, r.user, holdfast.OrganizationID(id))
}

// organizationOrganizationDeviceCode begins a sign-in by which an administrator lets Holdfast register its application.
func (a *API) organizationOrganizationDeviceCode(ctx context.Context, r *request) (any, error) {
	var in contract.RESTCommonDeviceCodeRequestOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	s, err := a.services.Organizations.BeginSignIn(ctx, r.user, holdfast.Region(value(in.TargetRegion)), holdfast.OrganizationID(uuidText(in.LoginGraphAppOrganizationID)))
	if err != nil {
		return nil, err
	}
	return a.deviceCodeToContract(s), nil
}

func (a *API) organizationCheckDeviceCode(ctx context.Context, r *request) (any, error) {
	var in contract.RESTCheckDeviceCode
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	done, err := a.services.Organizations.SignedIn(ctx, r.user, in.UserCode)
	if err != nil {
		return nil, err
	}
	return contract.RESTDeviceCodeCheckResponse{Authenticated: &done}, nil
}

// organizationGetTenantInformationByID tells what is known without asking Microsoft; what is not known is left out.
func (a *API) organizationGetTenantInformationByID(ctx context.Context, r *request) (any, error) {
	o, err := a.organization(ctx, r)
	if err != nil {
		return nil, err
	}
	return contract.RESTTenantInformation{Msid: uid(o.TenantID)}, nil
}

// organizationGetVersionBackupOptionsByID: every version that OneDrive has is backed up, always.
func (a *API) organizationGetVersionBackupOptionsByID(ctx context.Context, r *request) (any, error) {
	if _, err := a.organization(ctx, r); err != nil {
		return nil, err
	}
	return contract.RESTVersionBackupOptions{SharePointBackupMode: new(contract.RESTVersionBackupOptionsSharePointBackupModeAll)}, nil
}

func (a *API) organizationSetVersionBackupOptionsByID(ctx context.Context, r *request) (any, error) {
	if _, err := a.organization(ctx, r); err != nil {
		return nil, err
	}
	var in contract.RESTVersionBackupOptionsFromClient
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if value(in.SharePointBackupMode) == contract.RESTVersionBackupOptionsFromClientSharePointBackupModeLatest {
		return nil, holdfast.Invalid("backing up only the latest versions is not built yet; sharePointBackupMode is All")
	}
	return nil, nil
}

func (a *API) organizationGetStorageSpaceUsage(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	used, err := a.services.Organizations.UsedRepositories(ctx, r.user, holdfast.OrganizationID(id), w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, used, func(u service.UsedRepository) contract.RESTOrganizationStorageSpaceUsage {
		out := contract.RESTOrganizationStorageSpaceUsage{
			RepositoryID:          uid(u.Repository.ID),
			IsAvailable:           new(u.Details == ""),
			Details:               optional(u.Details),
			ProtectedObjectsCount: &u.Objects,
			Links: map[string]contract.RESTLinkHAL{
				"backupRepository": r.links.to(repositoryPath, string(u.Repository.ID)),
				"organization":     r.links.to(organizationPath, id),
			},
		}
		if u.Details == "" {
			out.UsedSpaceBytes = &u.Bytes
		}
		return out
	}), nil
}

func (a *API) organizationExplore(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	var in contract.RESTOrganizationExploreOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.explore(ctx, r, exploration{
		Organization: holdfast.OrganizationID(id),
		Repository:   holdfast.RepositoryID(uuidText(in.RepositoryID)),
		at:           in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions,
	})
}

func organizationToContract(l links, o holdfast.Organization) contract.RestOrganizationComposed {
	connection := contract.RESTOffice365ConnectionSettings{
		UseApplicationOnlyAuth:           new(true),
		OfficeOrganizationName:           optional(o.Name),
		ApplicationID:                    uid(o.ApplicationID),
		ApplicationCertificateThumbprint: optional(o.CertificateThumbprint),
	}
	id := string(o.ID)
	out := contract.RestOrganizationComposed{
		ID:                     uid(o.ID),
		Name:                   &o.Name,
		OfficeName:             &o.OfficeName,
		Description:            &o.Description,
		Type:                   new(contract.RestOrganizationTypeOffice365),
		Region:                 new(contract.RestOrganizationRegion(o.Region)),
		IsExchangeOnline:       &o.Exchange,
		IsSharePointOnline:     &o.SharePoint,
		IsTeamsOnline:          &o.Teams,
		IsTeamsChatsOnline:     &o.TeamsChats,
		IsChatsOnline:          optional(o.Chats),
		IsBackedup:             new(!o.FirstBackup.IsZero()),
		FirstBackuptime:        stamp(o.FirstBackup),
		LastBackuptime:         stamp(o.LastBackup),
		Msid:                   uid(o.TenantID),
		BackedUpOrganizationID: &id,
		Links: map[string]contract.RESTLinkHAL{
			"self":             l.to(organizationPath, id),
			"jobs":             l.with(l.to("/Jobs"), "organizationId", id),
			"usedRepositories": l.to(organizationPath+"/usedRepositories", id),
			"users":            l.to(organizationPath+"/Users", id),
			"groups":           l.to(organizationPath+"/Groups", id),
			"sites":            l.to(organizationPath+"/Sites", id),
			"teams":            l.to(organizationPath+"/Teams", id),
		},
		Actions: map[string]contract.RESTAction{"explore": {URI: l.to(organizationPath+"/explore", id).Href, Method: new("POST")}},
	}
	if o.Exchange {
		out.ExchangeOnlineSettings = &connection
	}
	if o.SharePoint {
		out.SharePointOnlineSettings = &connection
	}
	return out
}

func organizationFromContract(in contract.RestOrganizationComposed) (service.OrganizationSpec, error) {
	var spec service.OrganizationSpec
	switch {
	case in.Type != nil && *in.Type != contract.RestOrganizationTypeOffice365, in.ExchangeSettings != nil, in.SharepointSettings != nil:
		return spec, holdfast.Invalid("on-premises and hybrid organizations are not built yet; type must be Office365")
	case value(in.ConfigureApplication) && value(in.UserCode) == "":
		return spec, holdfast.Invalid("to have the application registered, begin a sign-in with POST /v8/DeviceCode and give its userCode here")
	}
	spec = service.OrganizationSpec{
		Name:        value(in.Name),
		Description: in.Description,
		Exchange:    in.IsExchangeOnline,
		SharePoint:  in.IsSharePointOnline,
		Teams:       in.IsTeamsOnline,
		TeamsChats:  in.IsTeamsChatsOnline,
		Chats:       in.IsChatsOnline,
		UserCode:    value(in.UserCode), NewApplication: value(in.NewApplicationName),
	}
	if in.Region != nil {
		spec.Region = holdfast.Region(*in.Region)
	}
	for _, c := range []struct {
		name string
		in   *contract.RESTOffice365ConnectionSettings
		out  **service.Connection
	}{{"exchangeOnlineSettings", in.ExchangeOnlineSettings, &spec.ExchangeConnection}, {"sharePointOnlineSettings", in.SharePointOnlineSettings, &spec.SharePointConnection}} {
		if c.in == nil {
			continue
		}
		certificate, err := decodeCertificate(c.name+".applicationCertificate", value(c.in.ApplicationCertificate))
		if err != nil {
			return spec, err
		}
		*c.out = &service.Connection{
			Tenant:              value(c.in.OfficeOrganizationName),
			Application:         uuidText(c.in.ApplicationID),
			Secret:              holdfast.Secret(value(c.in.ApplicationSecret)),
			Certificate:         certificate,
			CertificatePassword: holdfast.Secret(value(c.in.ApplicationCertificatePassword)),
			Account:             value(c.in.Account),
			Password:            holdfast.Secret(value(c.in.Password)),
		}
		if (*c.out).Tenant == "" {
			(*c.out).Tenant = spec.Name
		}
	}
	return spec, nil
}

// decodeCertificate takes a certificate as the contract has it, PKCS #12 in base64, and also a PEM text as it stands.
func decodeCertificate(field, text string) (holdfast.Secret, error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.HasPrefix(text, "-----BEGIN") {
		return holdfast.Secret(text), nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(text))
	if err != nil {
		return "", holdfast.Invalid("%s must be a PKCS #12 file in base64", field)
	}
	return holdfast.Secret(raw), nil
}

func uuidText(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}
