package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// vboEmailSettingsGet answers by which server mail is sent, and to whom what is of no explorer. Nobody is told of sessions yet.
func (a *API) vboEmailSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Mails.Get(ctx, r.user, service.MailJobs)
	if err != nil {
		return nil, err
	}
	return contract.RESTNotificationEmailSettingsResponse{EnableNotification: &s.Enabled, SmtpServer: &s.Host, Port: new(int32(s.Port)), UseAuthentication: &s.SignIn, Username: &s.User, UseSSL: &s.TLS,
		From: &s.From, To: &s.To, Subject: &s.Subject, AuthenticationType: new(contract.RESTAuthenticationTypeCustomSmtp),
		NotifyOnSuccess: new(false), NotifyOnWarning: new(false), NotifyOnFailure: new(false), SupressUntilLastRetry: new(false), AttachDetailedReport: new(false),
		Links: contract.RESTLinkHALDictionary{"self": r.links.to("/VboEmailSettings")}}, nil
}

func (a *API) vboEmailSettingsUpdate(ctx context.Context, r *request) (any, error) {
	return a.changeMail(ctx, r, service.MailJobs)
}

func (a *API) vboEmailSettingsSendTestEmail(ctx context.Context, r *request) (any, error) {
	return a.testMail(ctx, r, service.MailJobs)
}
