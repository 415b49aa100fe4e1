package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"holdfast/internal/sim"
)

func newSimCommand() *cobra.Command {
	o := sim.Options{}
	cmd := &cobra.Command{
		Use:   "sim --dir D",
		Short: "Run a simulated Microsoft 365 for demonstrations and tests",
		Long: `Run a simulated Microsoft 365: Entra ID, Exchange Online, OneDrive, SharePoint and Teams by Microsoft Graph
and SharePoint's own interface, under their real names, with a certificate authority of its own. It writes D/ca.pem and D/tenant.json, which hold all that a client needs.`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := sim.New(o)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "simulator   https, by server name, on %s\n", s.Addr())
			fmt.Fprintf(out, "control     http://%s/stats\n", s.ControlAddr())
			if a := s.ProxyAddr(); a != "" {
				fmt.Fprintf(out, "proxy       http://%s  (HTTPS_PROXY)\n", a)
			}
			fmt.Fprintf(out, "authority   %s  (SSL_CERT_FILE)\n", s.CAFile())
			fmt.Fprintf(out, "tenant      %s, region %s, %d users\n", s.Tenant().Domain, s.Tenant().Region, len(s.Tenant().Users))
			if us := s.Tenant().Users; len(us) > 0 {
				fmt.Fprintf(out, "sign-in     %s, password %s; the others' passwords are in %s\n", us[0].UPN, us[0].Password, filepath.Join(o.Dir, "tenant.json"))
			}
			return s.Run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8443", "address of the TLS port")
	f.StringVar(&o.Dir, "dir", "", "folder for ca.pem, tenant.json and spill files")
	f.IntVar(&o.Users, "users", 0, "number of users (default: the profile's)")
	f.StringVar(&o.Profile, "profile", "tiny", "size of the tenant: tiny, small, medium, large")
	f.StringVar(&o.Cloud, "cloud", "", "cloud: worldwide (default), usgovernment (L4), usdefence (L5), china (21Vianet)")
	f.Uint64Var(&o.Seed, "seed", 1, "content is a function of the seed")
	f.StringVar(&o.Corpus, "corpus", "", "folder of .eml files to serve as mail and of other files to serve as documents")
	f.StringVar(&o.Control, "control", "127.0.0.1:8480", "address of the control port (plain HTTP, loopback only)")
	f.StringArrayVar(&o.RedirectURIs, "redirect-uri", nil, "address to which the sign-in page may send a user back; may be repeated")
	f.StringVar(&o.Proxy, "proxy", "", "address of an HTTP CONNECT proxy to the served names (default: none)")
	f.StringVar(&o.Limits, "limits", sim.LimitsEnforce, "published limits: enforce, count, off")
	f.DurationVar(&o.TokenLife, "token-life", 0, "life of access tokens (default 1h)")
	f.IntVar(&o.Mail.Messages, "mail-messages", 0, "messages per mailbox (default: the profile's)")
	f.BoolVar(&o.Items, "items", false, "mailboxes also have contact groups, journal entries, notes in a subfolder and tasks that To Do does not show")
	f.IntVar(&o.PIM.Contacts, "contacts", 0, "contacts per mailbox; -1 for none (default: the profile's)")
	f.IntVar(&o.PIM.Events, "events", 0, "events per mailbox; -1 for none (default: the profile's)")
	f.IntVar(&o.PIM.Tasks, "tasks", 0, "tasks per mailbox; -1 for none (default: the profile's)")
	f.IntVar(&o.Mail.Folders, "mail-folders", 0, "mail folders besides the well-known ones (default: the profile's)")
	f.IntVar(&o.Mail.MeanSize, "mail-size", 0, "mean size of a message in bytes (default: the profile's)")
	f.Float64Var(&o.Mail.WithAttachments, "mail-attachments", 0, "share of messages with attachments, negative for none (default: the profile's)")
	f.Float64Var(&o.Mail.SharedShare, "mail-shared", 0, "share of attachments that are drawn from common files, negative for none (default: the profile's)")
	f.BoolVar(&o.Mail.OneFolder, "mail-one-folder", false, "put all messages into the inbox")
	f.IntVar(&o.Groups, "groups", 0, "groups besides those of departments and teams")
	f.IntVar(&o.Site.Sites, "sites", 0, "sites besides personal ones and those of teams (default: the profile's)")
	f.IntVar(&o.Site.Items, "site-items", 0, "items in a list (default: the profile's)")
	f.IntVar(&o.Site.Files, "site-files", 0, "files and folders in a site's library (default: the profile's)")
	f.IntVar(&o.Site.Sharing, "site-sharing", 0, "one of so many files of a site has permissions of its own (default 50)")
	f.Int64Var(&o.Site.FileBytes, "site-file-bytes", 0, "most bytes of a site's file (default: as drives)")
	f.BoolVar(&o.Site.OneEach, "site-one-version", false, "files of sites have one version")
	f.IntVar(&o.Team.Teams, "teams", 0, "teams; -1 for none (default: the profile's)")
	f.IntVar(&o.Team.Channels, "team-channels", 0, "channels in a team (default: the profile's)")
	f.IntVar(&o.Team.Posts, "team-posts", 0, "posts and replies in a team (default: the profile's)")
	f.IntVar(&o.Team.Files, "team-files", 0, "files and folders in the library of a team's site (default: the profile's)")
	f.IntVar(&o.Team.Hosted, "team-pictures", 0, "one of so many posts has a picture of its own; -1 for none (default 13)")
	f.IntVar(&o.FilesPer, "files", 0, "files in a drive (default: the profile's)")
	cobra.CheckErr(cmd.MarkFlagRequired("dir"))
	return cmd
}
