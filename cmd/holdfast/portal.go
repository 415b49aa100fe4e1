package main

import (
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/internal/service"
)

type portalSettings struct {
	Enabled     bool   `json:"isEnabled"`
	Application string `json:"applicationId,omitzero"`
	Authority   string `json:"msalAuthorityUri,omitzero"`
	URL         string `json:"restorePortalUri,omitzero"`

	Secret              string `json:"applicationSecret,omitzero"`
	Certificate         []byte `json:"applicationCertificate,omitzero"`
	CertificatePassword string `json:"applicationCertificatePassword,omitzero"`
}

const portalSettingsPath = "/RestorePortalSettings"

func newPortalCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "portal", Short: "The Restore Portal: who may give himself his own data back"}
	cmd.AddCommand(newPortalShowCommand(), newPortalEnableCommand(), newPortalDisableCommand())
	return cmd
}

func newPortalShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show whether the portal is open, and how people sign in", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			var s portalSettings
			if err := c.get(cmd.Context(), portalSettingsPath, &s); err != nil {
				return err
			}
			if !s.Enabled {
				return done(cmd, s, "the portal is closed\nnext: holdfast portal enable --application ID --url https://backup.example.com")
			}
			return done(cmd, s, "address      %s/portal\napplication  %s\nsign-in at   %s\nredirect     %s", clean(s.URL), s.Application, clean(s.Authority), clean(s.URL)+service.PortalCallback)
		}),
	}
}

func newPortalEnableCommand() *cobra.Command {
	var s portalSettings
	var secretFile, certificate, certificatePassword string
	cmd := &cobra.Command{
		Use:   "enable",
		Short: "Open the portal",
		Long: `Open the portal: people of the protected organizations sign in with Microsoft and restore their own mail and files; those who are operators of a restore
role also those of others. The application is one of Microsoft Entra whose redirect URIs (platform Web) have the address below, letter by letter. It
needs no permissions. Without --certificate and --secret-file it shows what Holdfast knows of that application: what was given here before, or the
organization's own when it is the same application; an application of which nothing is known is taken for a public one.`,
		Example: `  holdfast portal enable --application 0f…1 --url https://backup.example.com --certificate app.pfx`,
		Args:    exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			if certificate != "" && secretFile != "" {
				return errors.New("give a certificate or a secret, not both")
			}
			var err error
			if certificate != "" {
				if s.Certificate, err = os.ReadFile(certificate); err != nil {
					return err
				}
			}
			if certificatePassword != "" {
				if s.CertificatePassword, err = readSecret(cmd, certificatePassword, ""); err != nil {
					return err
				}
			}
			if secretFile != "" {
				if s.Secret, err = readSecret(cmd, secretFile, ""); err != nil {
					return err
				}
			}
			s.Enabled = true
			if err := c.call(cmd.Context(), http.MethodPut, ownAPI+portalSettingsPath, s, nil); err != nil {
				return err
			}
			address := strings.TrimRight(s.URL, "/")
			return done(cmd, map[string]string{"redirectUri": address + service.PortalCallback, "address": address + "/portal"},
				"the portal is open at %s/portal\nnext: the application needs this redirect URI: %s", clean(address), clean(address)+service.PortalCallback)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&s.Application, "application", "", "application (client) id")
	f.StringVar(&s.URL, "url", "", "address at which browsers reach this server, like https://backup.example.com")
	f.StringVar(&s.Authority, "authority", "", "where people sign in (default: https://login.microsoftonline.com/organizations)")
	f.StringVar(&secretFile, "secret-file", "", "file with the application's secret, - for standard input")
	f.StringVar(&certificate, "certificate", "", "file with the application's certificate and key (PFX or PEM)")
	f.StringVar(&certificatePassword, "certificate-password-file", "", "file with the password of the PFX file")
	cobra.CheckErr(cmd.MarkFlagRequired("application"))
	cobra.CheckErr(cmd.MarkFlagRequired("url"))
	return cmd
}

func newPortalDisableCommand() *cobra.Command {
	return &cobra.Command{
		Use: "disable", Short: "Close the portal; who is signed in stays so until he signs out or his session ends", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			var s portalSettings
			if err := c.get(cmd.Context(), portalSettingsPath, &s); err != nil {
				return err
			}
			if s.Enabled { // what is closed tells nothing of itself, and needs no closing
				s.Enabled = false
				if err := c.call(cmd.Context(), http.MethodPut, ownAPI+portalSettingsPath, s, nil); err != nil {
					return err
				}
			}
			return done(cmd, portalSettings{}, "the portal is closed")
		}),
	}
}
