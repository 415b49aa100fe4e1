package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// veodEmailSettingsGet answers by which mail server items of the explorer of OneDrive are sent.
func (a *API) veodEmailSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Mails.Get(ctx, r.user, service.MailOneDrive)
	if err != nil {
		return nil, err
	}
	return contract.RESTSharePointSmtpSettings{EnableNotification: &s.Enabled, Server: &s.Host, Port: new(int32(s.Port)), From: &s.From, UseAuthentication: &s.SignIn, UseSSL: &s.TLS, Username: &s.User,
		AuthenticationType: new(contract.RESTAuthenticationTypeCustomSmtp), Links: map[string]contract.RESTLinkHAL{"self": r.links.to("/VeodEmailSettings")}}, nil
}

func (a *API) veodEmailSettingsUpdate(ctx context.Context, r *request) (any, error) {
	return a.changeMail(ctx, r, service.MailOneDrive)
}

func (a *API) veodEmailSettingsSendTestEmail(ctx context.Context, r *request) (any, error) {
	return a.testMail(ctx, r, service.MailOneDrive)
}
