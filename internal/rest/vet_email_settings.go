package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// vetEmailSettingsGet answers by which mail server items of the explorer of Teams are sent.
func (a *API) vetEmailSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Mails.Get(ctx, r.user, service.MailTeams)
	if err != nil {
		return nil, err
	}
	return contract.RESTSmtpSettings{EnableNotification: &s.Enabled, Server: &s.Host, Port: new(int32(s.Port)), From: &s.From, UseAuthentication: &s.SignIn, UseSSL: &s.TLS, Username: &s.User,
		AuthenticationType: new(contract.RESTAuthenticationTypeCustomSmtp), Links: contract.RESTLinkHALDictionary{"self": r.links.to("/VetEmailSettings")}}, nil
}

func (a *API) vetEmailSettingsUpdate(ctx context.Context, r *request) (any, error) {
	return a.changeMail(ctx, r, service.MailTeams)
}

func (a *API) vetEmailSettingsSendTestEmail(ctx context.Context, r *request) (any, error) {
	return a.testMail(ctx, r, service.MailTeams)
}
