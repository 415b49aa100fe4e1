package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// vexEmailSettingsGet answers by which mail server items of the explorer of Exchange are sent.
func (a *API) vexEmailSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Mails.Get(ctx, r.user, service.MailExchange)
	if err != nil {
		return nil, err
	}
	return contract.RESTSmtpSettings{EnableNotification: &s.Enabled, Server: &s.Host, Port: new(int32(s.Port)), From: &s.From, UseAuthentication: &s.SignIn, UseSSL: &s.TLS, Username: &s.User,
		AuthenticationType: new(contract.RESTAuthenticationTypeCustomSmtp), Links: contract.RESTLinkHALDictionary{"self": r.links.to("/VexEmailSettings")}}, nil
}

func (a *API) vexEmailSettingsUpdate(ctx context.Context, r *request) (any, error) {
	return a.changeMail(ctx, r, service.MailExchange)
}

func (a *API) vexEmailSettingsSendTestEmail(ctx context.Context, r *request) (any, error) {
	return a.testMail(ctx, r, service.MailExchange)
}
