package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// The settings of mail have one shape for each use, which differ in a few names: these are the verbs that they share.

// mailBody is what all bodies of settings have between them. Explorers call the server "server", the others "smtpServer".
type mailBody struct {
	Password   *contract.SecureString           `json:"userPassword,omitzero"`
	Enabled    *bool                            `json:"enableNotification,omitzero"`
	Server     *string                          `json:"server,omitzero"`
	SMTPServer *string                          `json:"smtpServer,omitzero"`
	Port       *int32                           `json:"port,omitzero"`
	SignIn     *bool                            `json:"useAuthentication,omitzero"`
	User       *string                          `json:"username,omitzero"`
	TLS        *bool                            `json:"useSSL,omitzero"`
	From       *string                          `json:"from,omitzero"`
	To         *string                          `json:"to,omitzero"`
	Subject    *string                          `json:"subject,omitzero"`
	OnSuccess  *bool                            `json:"notifyOnSuccess,omitzero"`
	OnWarning  *bool                            `json:"notifyOnWarning,omitzero"`
	OnFailure  *bool                            `json:"notifyOnFailure,omitzero"`
	LastRetry  *bool                            `json:"supressUntilLastRetry,omitzero"` // so spelt
	Report     *bool                            `json:"attachDetailedReport,omitzero"`
	How        *contract.RESTAuthenticationType `json:"authenticationType,omitzero"`
	RequestID  *string                          `json:"requestId,omitzero"`
}

// changeMail sets what the body names, and leaves what it does not.
func (a *API) changeMail(ctx context.Context, r *request, use service.MailUse) (any, error) {
	var in mailBody
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if how := value(in.How); how != "" && how != contract.RESTAuthenticationTypeCustomSmtp || value(in.RequestID) != "" {
		return nil, holdfast.Conflict("%s: give authenticationType CustomSmtp with smtpServer, username and userPassword", needsMailOAuth)
	}
	for _, wish := range []struct {
		name string
		on   *bool
	}{{"notifyOnSuccess", in.OnSuccess}, {"notifyOnWarning", in.OnWarning}, {"notifyOnFailure", in.OnFailure}, {"supressUntilLastRetry", in.LastRetry}, {"attachDetailedReport", in.Report}} {
		if value(wish.on) { // kept without effect, somebody would wait for mails about failures that never come
			return nil, holdfast.Conflict("mails about job sessions are not built: leave %s out or false, and watch the sessions in the console or by GET /v8/JobSessions", wish.name)
		}
	}
	return nil, a.services.Mails.Put(ctx, r.user, use, service.MailChange{Enabled: in.Enabled, Host: either(in.SMTPServer, in.Server), Port: in.Port, TLS: in.TLS, SignIn: in.SignIn, User: in.User, From: in.From,
		To: in.To, Subject: in.Subject, Password: holdfast.Secret(value(in.Password))})
}

// testMail sends a mail by the settings to the address of the body; without one to whom the settings name.
func (a *API) testMail(ctx context.Context, r *request, use service.MailUse) (any, error) {
	var in contract.RESTSendTestOption
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return nil, a.services.Mails.Test(ctx, r.user, use, value(in.Email))
}
