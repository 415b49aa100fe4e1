package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/sys"
)

type organization struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	OfficeName string     `json:"officeName"`
	Region     string     `json:"region"`
	Exchange   bool       `json:"isExchangeOnline"`
	SharePoint bool       `json:"isSharePointOnline"`
	Teams      bool       `json:"isTeamsOnline"`
	LastBackup *time.Time `json:"lastBackuptime"`
}

// organizationNamed finds an organization by id, name or the beginning of its name; with an empty name the only one there is.
func organizationNamed(cmd *cobra.Command, c *client, name string) (organization, error) {
	all, err := list[organization](cmd.Context(), c, "/Organizations", nil, 0)
	if err != nil {
		return organization{}, err
	}
	return pick("organization", "org", all, name, func(o organization) []string { return []string{o.ID, o.Name, o.OfficeName} })
}

// pick finds the one thing that name means: exactly, else by the beginning of a name.
func pick[T any](what, command string, all []T, name string, names func(T) []string) (T, error) {
	var zero T
	if name == "" {
		switch len(all) {
		case 1:
			return all[0], nil
		case 0:
			return zero, fmt.Errorf("there is no %s yet: add one with \"holdfast %s add\"", what, command)
		}
		var have []string
		for _, x := range all {
			have = append(have, clean(names(x)[1]))
		}
		return zero, fmt.Errorf("which %s? Say it with --%s: %s", what, strings.Fields(command)[0], strings.Join(have, ", "))
	}
	var begins []T
	for _, x := range all {
		for _, n := range names(x) {
			if strings.EqualFold(n, name) {
				return x, nil
			}
		}
		for _, n := range names(x) {
			if n != "" && strings.HasPrefix(strings.ToLower(n), strings.ToLower(name)) {
				begins = append(begins, x)
				break
			}
		}
	}
	switch len(begins) {
	case 1:
		return begins[0], nil
	case 0:
		return zero, fmt.Errorf("there is no %s %q: \"holdfast %s\" shows what there is", what, name, listing(command))
	}
	var have []string
	for _, x := range begins {
		have = append(have, clean(names(x)[1]))
	}
	return zero, fmt.Errorf("%q may be several (%s): write more of the name, or the id that \"holdfast %s\" shows", name, strings.Join(have, ", "), listing(command))
}

// listing is the command that lists what another one makes.
func listing(command string) string {
	if strings.Contains(command, " ") {
		return command
	}
	return command + " list"
}

func newOrgCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "org", Aliases: []string{"organization"}, Short: "Organizations of Microsoft 365"}
	cmd.AddCommand(newOrgAddCommand(), newOrgListCommand(), newOrgUsersCommand(), newOrgGroupsCommand(), newOrgSitesCommand(), newOrgTeamsCommand(), newOrgSyncCommand(), newOrgCheckCommand(), newOrgRenewCommand(), newOrgRemoveCommand())
	return cmd
}

func newOrgAddCommand() *cobra.Command {
	var region, app, name, secretFile, certificate, certificatePassword string
	var noMail, noFiles, teams, posts, chats bool
	cmd := &cobra.Command{
		Use:   "add TENANT",
		Short: "Add an organization, by an administrator's sign-in or with an application that Microsoft Entra knows",
		Long: `Add an organization. TENANT is its id or one of its domains. Without --application an administrator signs in once, with a code, in any
browser: Holdfast registers an application, gives it a certificate that is made here and the permissions that mail and files need,
waits until they are effective, and gives the administrator's consent back. With --application the application is one that is there; it
signs in with a certificate (recommended) or a secret; every permission is checked first, and those that are missing are named.`,
		Example: `  holdfast org add contoso.onmicrosoft.com
  holdfast org add contoso.onmicrosoft.com --application 0f…1 --certificate app.pfx --certificate-password-file pw
  holdfast org add contoso.onmicrosoft.com --application 0f…1 --secret-file secret`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			settings := map[string]any{"useApplicationOnlyAuth": true, "officeOrganizationName": args[0]}
			body := map[string]any{"type": "Office365", "region": region, "isExchangeOnline": !noMail, "isSharePointOnline": !noFiles, "isTeamsOnline": teams || posts, "isTeamsChatsOnline": posts, "isChatsOnline": chats}
			switch {
			case app == "" && (certificate != "" || secretFile != ""):
				return errors.New("--application says whose certificate or secret that is")
			case app == "":
				code, err := signInByDevice(cmd, c, "/DeviceCode", map[string]any{"targetRegion": region})
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "signed in; registering the application and waiting until Microsoft makes its permissions effective (up to some minutes) …")
				body["configureApplication"], body["userCode"], body["newApplicationName"] = true, code, name
			case certificate != "" && secretFile != "":
				return errors.New("give a certificate or a secret, not both")
			case certificate != "":
				raw, err := os.ReadFile(certificate)
				if err != nil {
					return err
				}
				settings["applicationCertificate"] = base64.StdEncoding.EncodeToString(raw)
				if certificatePassword != "" {
					pw, err := readSecret(cmd, certificatePassword, "")
					if err != nil {
						return err
					}
					settings["applicationCertificatePassword"] = pw
				}
			default:
				secret, err := readSecret(cmd, secretFile, "Secret of the application: ")
				if err != nil {
					return err
				}
				settings["applicationSecret"] = secret
			}
			if app != "" {
				settings["applicationId"] = app
			}
			if !noMail {
				body["exchangeOnlineSettings"] = settings
			}
			if !noFiles {
				body["sharePointOnlineSettings"] = settings
			}
			var o organization
			if err := c.call(cmd.Context(), http.MethodPost, "/Organizations", body, &o); err != nil {
				return err
			}
			return done(cmd, o, "added organization %s\nnext: holdfast repo add NAME --path DIR, then holdfast job add NAME", o.Name)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&region, "region", "Worldwide", "cloud of the organization: Worldwide, USGovernment, USDefence, China")
	f.StringVar(&app, "application", "", "application (client) id of an application that is there (default: one is registered)")
	f.StringVar(&name, "name", "Holdfast", "name of the application that is registered")
	f.StringVar(&secretFile, "secret-file", "", "file with the application's secret, - for standard input (default: ask)")
	f.StringVar(&certificate, "certificate", "", "file with the application's certificate and key (PFX or PEM)")
	f.StringVar(&certificatePassword, "certificate-password-file", "", "file with the password of the PFX file")
	f.BoolVar(&noMail, "no-mail", false, "do not protect Exchange Online")
	f.BoolVar(&noFiles, "no-files", false, "do not protect OneDrive")
	f.BoolVar(&teams, "teams", false, "protect Microsoft Teams: teams, channels, tabs and files")
	f.BoolVar(&chats, "chats", false, "let the application read chats too, which jobs protect when they ask for them")
	f.BoolVar(&posts, "posts", false, "protect the posts of channels too")
	return cmd
}

// askEvery is how often the server is asked whether somebody has signed in; it asks Microsoft at the pace that Microsoft wants.
const askEvery = 2 * time.Second

// signInByDevice shows a code and waits until an administrator has signed in with it.
func signInByDevice(cmd *cobra.Command, c *client, path string, in any) (code string, err error) {
	var d struct {
		UserCode        string `json:"userCode"`
		VerificationURL string `json:"verificationUrl"`
		ExpiresIn       int    `json:"expiresIn"`
	}
	if err := c.call(cmd.Context(), http.MethodPost, path, in, &d); err != nil {
		return "", err
	}
	out := cmd.ErrOrStderr()
	fmt.Fprintf(out, "open   %s\nenter  %s\nand sign in as an administrator; the code is good for %d minutes. Waiting …\n", clean(d.VerificationURL), clean(d.UserCode), d.ExpiresIn/60)
	for {
		var check struct {
			Authenticated bool `json:"authenticated"`
		}
		if err := c.call(cmd.Context(), http.MethodPost, "/DeviceCode/check", map[string]any{"userCode": d.UserCode}, &check); err != nil {
			return "", err
		}
		if check.Authenticated {
			return d.UserCode, nil
		}
		if err := sys.System.Sleep(cmd.Context(), askEvery); err != nil {
			return "", err
		}
	}
}

func newOrgListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the organizations", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := list[organization](cmd.Context(), c, "/Organizations", nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "display name", "region", "mail", "files", "last backup", "id"}, func(o organization) []any {
				return []any{o.Name, o.OfficeName, o.Region, yes(o.Exchange), yes(o.SharePoint), when(o.LastBackup), o.ID}
			}, `no organization yet: add one with "holdfast org add"`)
		}),
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type directoryUser struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Type        string `json:"type,omitempty"` // User, Shared
	IsBackedUp  bool   `json:"isBackedUp"`
}

// directorySite is a site as SharePoint has it now.
type directorySite struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	URL      string `json:"url"`
	Personal bool   `json:"isPersonal"`
}

func newOrgSitesCommand() *cobra.Command {
	var org string
	var most int
	cmd := &cobra.Command{
		Use: "sites", Short: "List the SharePoint sites that the organization has now", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			sites, err := list[directorySite](cmd.Context(), c, join("Organizations", o.ID, "Sites"), nil, most)
			if err != nil {
				return err
			}
			return show(cmd, sites, []string{"title", "address", "id"}, func(s directorySite) []any { return []any{s.Title, s.URL, s.ID} }, "the organization has no sites")
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "organization (default: the only one)")
	cmd.Flags().IntVar(&most, "limit", 0, "at most so many (0: all)")
	return cmd
}

// directoryTeam is a team as Microsoft Teams has it now.
type directoryTeam struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
	Mail        string `json:"mail"`
}

func newOrgTeamsCommand() *cobra.Command {
	var org string
	var most int
	cmd := &cobra.Command{
		Use: "teams", Short: "List the teams that the organization has now", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			teams, err := list[directoryTeam](cmd.Context(), c, join("Organizations", o.ID, "Teams"), nil, most)
			if err != nil {
				return err
			}
			return show(cmd, teams, []string{"name", "address", "description", "id"}, func(t directoryTeam) []any { return []any{t.DisplayName, t.Mail, cut(t.Description, 40), t.ID} }, "the organization has no teams")
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "organization (default: the only one)")
	cmd.Flags().IntVar(&most, "limit", 0, "at most so many (0: all)")
	return cmd
}

func newOrgUsersCommand() *cobra.Command {
	var org string
	var most int
	cmd := &cobra.Command{
		Use: "users", Short: "List the users that the organization has now", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			users, err := list[directoryUser](cmd.Context(), c, join("Organizations", o.ID, "Users"), nil, most)
			if err != nil {
				return err
			}
			// The directory knows nothing of backups: who has one is in the report.
			protected, err := list[directoryUser](cmd.Context(), c, "/LicensedUsers?organizationId="+o.ID, nil, 0)
			if err != nil {
				return err
			}
			names := map[string]bool{}
			for _, u := range protected {
				names[strings.ToLower(u.Name)] = true
			}
			for i := range users {
				users[i].IsBackedUp = names[strings.ToLower(users[i].Name)]
			}
			return show(cmd, users, []string{"name", "display name", "type", "protected", "id"}, func(u directoryUser) []any {
				return []any{u.Name, u.DisplayName, u.Type, yes(u.IsBackedUp), u.ID}
			}, "the organization has no users")
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "organization (default: the only one)")
	cmd.Flags().IntVar(&most, "limit", 0, "at most so many (0: all)")
	return cmd
}

func newOrgRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Forget an organization; its backups stay in their repositories", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			o, err := organizationNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, join("Organizations", o.ID), nil, nil); err != nil {
				return err
			}
			return done(cmd, o, "removed organization %s", o.Name)
		}),
	}
}

type orgFinding struct {
	Area   string `json:"area"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

func newOrgCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check [NAME]", Short: "Look at each right, workload, clock, certificate and limit of an organization, with the fix for each",
		Long: `Look at an organization at Microsoft, live: each right (present, missing, too much), each workload, the clock's difference, the
certificate's end, throttling and quota, with what to do about each. Exit status 0: all is well; 1: something is an error; 3: warnings only.`,
		Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			o, err := organizationNamed(cmd, c, strings.Join(args, ""))
			if err != nil {
				return err
			}
			var report struct {
				State    string       `json:"state"`
				Findings []orgFinding `json:"findings"`
			}
			if err := c.get(cmd.Context(), "/holdfast/v1"+join("Organizations", o.ID, "Check"), &report); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				err = printJSON(cmd, report)
			} else {
				err = show(cmd, report.Findings, []string{"state", "what", "name", "found", "fix"}, func(f orgFinding) []any {
					return []any{f.State, f.Area, f.Name, f.Detail, f.Fix}
				}, "nothing was found")
			}
			if err != nil {
				return err
			}
			switch report.State {
			case "error":
				return &exitError{code: 1, err: errors.New("the organization has errors: see the fixes above")}
			case "warning":
				return &exitError{code: 3, err: errors.New("the organization has warnings: see the fixes above")}
			}
			return nil
		}),
	}
}

func newOrgRenewCommand() *cobra.Command {
	var signIn bool
	cmd := &cobra.Command{
		Use: "renew [NAME]", Short: "Give an organization's application a new certificate",
		Long: `Make a new certificate, add it to the application beside the old one, use it once it works, and remove the old one. An application that
Holdfast registered does that by itself; for another one an administrator signs in once (--sign-in).`,
		Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			o, err := organizationNamed(cmd, c, strings.Join(args, ""))
			if err != nil {
				return err
			}
			body := map[string]any{}
			if signIn {
				if body["userCode"], err = signInByDevice(cmd, c, join("Organizations", o.ID, "DeviceCode"), nil); err != nil {
					return err
				}
			}
			var r struct {
				Thumbprint string `json:"certificateThumbprint"`
				Note       string `json:"note,omitempty"`
			}
			if err := c.call(cmd.Context(), http.MethodPost, "/holdfast/v1"+join("Organizations", o.ID, "Certificate", "renew"), body, &r); err != nil {
				return err
			}
			text := "organization " + clean(o.Name) + " uses certificate " + clean(r.Thumbprint)
			if r.Note != "" {
				text += "\nnote: " + clean(r.Note)
			}
			return done(cmd, r, "%s", text)
		}),
	}
	cmd.Flags().BoolVar(&signIn, "sign-in", false, "have an administrator sign in, for an application that Holdfast did not register")
	return cmd
}
