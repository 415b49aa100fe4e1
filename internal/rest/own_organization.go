package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

var organizationRoutes = []route{
	{"OrganizationCheck_Get", "GET", organizationPath + "/Check", 200, service.ActReadDirectory, (*API).organizationCheckGet},
	{"JobScope_Preview", "POST", organizationPath + "/JobScope", 200, service.ActReadDirectory, (*API).jobScopePreview},
	{"OrganizationCertificate_Renew", "POST", organizationPath + "/Certificate/renew", 200, service.ActChangeOrg, (*API).organizationCertificateRenew},
}

type finding struct {
	Area       string         `json:"area"`
	Name       string         `json:"name"`
	NameSaid   *contract.Said `json:"nameSaid,omitzero"`
	State      string         `json:"state"`
	Detail     string         `json:"detail"`
	DetailSaid *contract.Said `json:"detailSaid,omitzero"`
	Fix        string         `json:"fix,omitzero"`
	FixSaid    *contract.Said `json:"fixSaid,omitzero"`
}

// organizationCheckGet looks at everything that an organization needs from Microsoft, live.
func (a *API) organizationCheckGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	all, err := a.services.Organizations.Inspect(ctx, r.user, holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	out := struct {
		State    string    `json:"state"`
		Findings []finding `json:"findings"`
	}{State: string(service.Worst(all)), Findings: []finding{}}
	for _, f := range all {
		out.Findings = append(out.Findings, finding{f.Area, f.Name, saidOf(f.Name), string(f.State), f.Detail, saidOf(f.Detail), f.Fix, saidOf(f.Fix)})
	}
	return out, nil
}

// organizationCertificateRenew gives the organization's application a new certificate.
func (a *API) organizationCertificateRenew(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	var in struct {
		UserCode string `json:"userCode,omitzero"`
	}
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	org, note, err := a.services.Organizations.Renew(ctx, r.user, holdfast.OrganizationID(id), in.UserCode)
	if err != nil {
		return nil, err
	}
	return struct {
		Thumbprint string `json:"certificateThumbprint"`
		Note       string `json:"note,omitzero"`
	}{org.CertificateThumbprint, note}, nil
}
