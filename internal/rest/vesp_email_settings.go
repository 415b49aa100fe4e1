package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// vespEmailSettingsGet answers by which mail server items of the explorer of SharePoint are sent.
func (a *API) vespEmailSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Mails.Get(ctx, r.user, service.MailSites)
	if err != nil {
		return nil, err
	}
	return contract.RESTSharePointSmtpSettings{EnableNotification: &s.Enabled, Server: &s.Host, Port: new(int32(s.Port)), From: &s.From, UseAuthentication: &s.SignIn, UseSSL: &s.TLS, Username: &s.User,
		AuthenticationType: new(contract.RESTAuthenticationTypeCustomSmtp), Links: map[string]contract.RESTLinkHAL{"self": r.links.to("/VespEmailSettings")}}, nil
}

func (a *API) vespEmailSettingsUpdate(ctx context.Context, r *request) (any, error) {
	return a.changeMail(ctx, r, service.MailSites)
}

func (a *API) vespEmailSettingsSendTestEmail(ctx context.Context, r *request) (any, error) {
	return a.testMail(ctx, r, service.MailSites)
}
