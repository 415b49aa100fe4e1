package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/app"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/throttle"
)

// version is set by the linker for releases.
var version = "0.1.0"

// drainTime is how long a server may take to end after SIGTERM.
const drainTime = 30 * time.Second

func newServerCommand() *cobra.Command {
	c := app.ServerConfig{Version: version}
	var passwordFile, logLevel, management, explorer, nats, debug, limits, search string
	cmd := &cobra.Command{
		Use:   "server --data D",
		Short: "Run the server: REST API, jobs and the built-in proxy",
		Long: `Run the server. The first start makes the data folder, its key file D/keys/kek, the certificate D/tls/rest.pem and the account "admin", whose
password it prints once (or takes from --admin-password-file). Keep a copy of the key file apart from the database: without it, or a
repository's recovery kit, backups can't be read. SIGTERM drains and ends within 30 seconds; unfinished backups go on at the next start.`,
		Example: "  holdfast server --data /var/lib/holdfast --rest 0.0.0.0:4443",
		Args:    exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, value := range map[string]string{"management": management, "explorer": explorer, "nats": nats} {
				if value != "" {
					return fmt.Errorf("--%s: remote proxies and NATS are not built yet; the built-in proxy needs neither", name)
				}
			}
			switch limits {
			case "published":
			case "off":
				l := throttle.Unlimited()
				c.Limits = &l
			default:
				return fmt.Errorf("--m365-limits %q: published or off", limits)
			}
			if search != "on" && search != "off" {
				return fmt.Errorf("--search %q: on or off", search)
			}
			c.NoSearch = search == "off"
			if c.AskAgain <= 0 {
				return fmt.Errorf("--ask-again %v: a time such as 10m", c.AskAgain)
			}
			var level slog.Level
			if err := level.UnmarshalText([]byte(logLevel)); err != nil {
				return fmt.Errorf("--log-level %q: debug, info, warn or error", logLevel)
			}
			c.Log = newLogger(cmd.ErrOrStderr(), level)
			if passwordFile != "" {
				raw, err := os.ReadFile(passwordFile)
				if err != nil {
					return err
				}
				if c.AdminPassword = holdfast.Secret(strings.TrimRight(string(raw), "\r\n")); c.AdminPassword == "" {
					return errors.New("the file of --admin-password-file is empty")
				}
			}
			ctx := cmd.Context()
			s, err := app.New(ctx, c)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "REST API     https://%s\n", s.Addr())
			fmt.Fprintf(out, "certificate  %s\n", s.CertificateFile())
			if s.GeneratedPassword != "" {
				fmt.Fprintf(out, "account      admin, password %s (shown once)\n", string(s.GeneratedPassword))
			}
			if debug != "" {
				stop, err := serveProfiles(debug)
				if err != nil {
					return errors.Join(err, s.Close(context.WithoutCancel(ctx)))
				}
				defer stop()
			}
			return runAndClose(ctx, s)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Data, "data", "", "folder for the database, keys, kits and certificates")
	f.StringVar(&c.REST, "rest", "127.0.0.1:4443", "address of the REST API")
	f.StringVar(&c.Web, "web-dir", "", "folder with a built front end (web/dist) to serve instead of the one in the program, for those who change it")
	f.StringVar(&c.Database, "database", "sqlite", "sqlite, or postgres://USER@HOST/DATABASE")
	f.StringVar(&c.Dial, "m365-dial", "", "HOST:PORT that every connection to Microsoft goes to instead (names and certificates stay)")
	f.StringVar(&c.CA, "m365-ca", "", "file with authorities (PEM) that connections to Microsoft trust besides the system's")
	f.StringVar(&c.SMTPCA, "smtp-ca", "", "file with authorities (PEM) that connections to mail servers trust instead of the system's")
	f.StringArrayVar(&c.Hosts, "m365-host", nil, "REGION.KIND=HOST in the place of Microsoft's own name of a host, KIND is login, graph, sharepoint or exchange; may be repeated, or several with spaces between")
	f.StringVar(&c.SignInApplication, "sign-in-application", "", "client id of the public application by which administrators sign in for org add (default: Microsoft Graph Command Line Tools)")
	f.StringVar(&passwordFile, "admin-password-file", "", "file with the password of \"admin\" for the first start")
	f.StringVar(&logLevel, "log-level", "info", "debug, info, warn, error")
	f.StringVar(&limits, "m365-limits", "published", "keep within Microsoft's published limits, or off: wait only when Microsoft says so (for a simulated organization)")
	f.StringVar(&search, "search", "on", "keep an index of the words of what is backed up in the data folder, or off: keep none")
	f.DurationVar(&c.AskAgain, "ask-again", 10*time.Minute, "for how long a password given in the console counts for acts that destroy, hand out or say who may; then it is asked for again")
	f.StringVar(&debug, "debug", "", "loopback address for Go's profiles (net/http/pprof), for diagnosis; default: none")
	f.StringVar(&management, "management", "", "address for remote proxies (not built yet)")
	f.StringVar(&explorer, "explorer", "", "address for remote explorers (not built yet)")
	f.StringVar(&nats, "nats", "", "NATS server (not built yet)")
	for _, name := range []string{"management", "explorer", "nats"} {
		cobra.CheckErr(f.MarkHidden(name))
	}
	cobra.CheckErr(cmd.MarkFlagRequired("data"))
	return cmd
}

// runAndClose runs a server until ctx ends and gives it drainTime to end in order.
func runAndClose(ctx context.Context, s *app.Server) error {
	err := s.Run(ctx)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}

// serveProfiles serves Go's profiles on loopback only: they show what is in memory.
func serveProfiles(addr string) (stop func(), err error) {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--debug %q: a loopback address such as 127.0.0.1:6060", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with Close
	}()
	return func() { _ = server.Close(); <-done }, nil
}
