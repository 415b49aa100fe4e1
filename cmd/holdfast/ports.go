package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/m365"
)

// port is a connection that a configuration uses.
type port struct {
	Cloud   string `json:"cloud"`
	Host    string `json:"host"`
	Port    int    `json:"port"`
	Purpose string `json:"purpose"`
	From    string `json:"from"`
	Dial    string `json:"dial,omitempty"`
	Result  string `json:"result,omitempty"`
}

// portsOf are the flags that say which configuration is meant.
type portsOf struct {
	region, sharepoint, dial, ca, rest string
	hosts                              []string
}

func (p *portsOf) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&p.region, "region", "Worldwide", "cloud of the organization: Worldwide, USGovernment, USDefence, China")
	f.StringVar(&p.sharepoint, "sharepoint", "", "the organization's name in SharePoint's hosts: contoso for contoso.sharepoint.com")
	f.StringVar(&p.dial, "m365-dial", "", "HOST:PORT that every connection to Microsoft goes to instead")
	f.StringVar(&p.ca, "m365-ca", "", "file with authorities (PEM) that are trusted besides the system's")
	f.StringArrayVar(&p.hosts, "m365-host", nil, "REGION.KIND=HOST, as the server has it")
	f.StringVar(&p.rest, "rest", "127.0.0.1:4443", "address of the REST API")
}

// table is what the dialler obeys, and where the server listens.
func (p *portsOf) table() ([]port, m365.Network, error) {
	n := m365.Network{Dial: p.dial}
	presets, err := m365.ParseHosts(p.hosts)
	if err != nil {
		return nil, n, err
	}
	cloud, err := presets.Named(p.region)
	if err != nil {
		return nil, n, err
	}
	if p.ca != "" {
		if n.CA, err = m365.ReadCA(p.ca); err != nil {
			return nil, n, err
		}
	}
	var out []port
	for _, c := range m365.Connections(m365.Config{Cloud: cloud, SharePoint: p.sharepoint, Network: n}) {
		hosts := []string{c.Host}
		if domain, ok := strings.CutPrefix(c.Host, "*."); ok && p.sharepoint != "" {
			hosts = []string{p.sharepoint + "." + domain, p.sharepoint + "-my." + domain}
		}
		for _, h := range hosts {
			out = append(out, port{Cloud: c.Cloud, Host: h, Port: c.Port, Purpose: c.Purpose, From: "proxy", Dial: c.Dial})
		}
	}
	host, number, err := net.SplitHostPort(p.rest)
	if err != nil {
		return nil, n, fmt.Errorf("--rest %q: write HOST:PORT", p.rest)
	}
	at, err := strconv.Atoi(number)
	if err != nil {
		return nil, n, fmt.Errorf("--rest %q: write HOST:PORT", p.rest)
	}
	return append(out, port{Cloud: "-", Host: host, Port: at, Purpose: "REST API and command line", From: "clients"}), n, nil
}

func newPortsCommand() *cobra.Command {
	var p portsOf
	cmd := &cobra.Command{
		Use:   "ports",
		Short: "List each connection that a configuration uses: cloud, host, port, purpose",
		Long: `List each connection that a configuration uses. The table is the one that the dialler obeys: what is not in it is never called.
"holdfast ports check" tries each.`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, _, err := p.table()
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"cloud", "host", "port", "from", "purpose"}, func(c port) []any {
				return []any{c.Cloud, c.Host, c.Port, c.From, c.Purpose}
			}, "none")
		},
	}
	p.flags(cmd)
	check := &cobra.Command{
		Use:   "check",
		Short: "Try each connection: name, TCP, TLS and certificate",
		Args:  exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, network, err := p.table()
			if err != nil {
				return err
			}
			bad := 0
			for i := range all {
				if all[i].Result = try(cmd.Context(), all[i], network); all[i].Result != "ok" && !strings.HasPrefix(all[i].Result, "not tried") {
					bad++
				}
			}
			if err := show(cmd, all, []string{"cloud", "host", "port", "purpose", "result"}, func(c port) []any {
				return []any{c.Cloud, c.Host, c.Port, c.Purpose, c.Result}
			}, "none"); err != nil {
				return err
			}
			if bad > 0 {
				return &exitError{code: 1, err: fmt.Errorf("of %s, %d failed: open them in the firewall, or mend the name service", count(len(all), "connection"), bad)}
			}
			return nil
		},
	}
	cmd.AddCommand(check)
	return cmd
}

// try connects as the dialler would and says "ok" or what is wrong.
func try(ctx context.Context, c port, n m365.Network) string {
	if strings.HasPrefix(c.Host, "*.") {
		return "not tried: say the organization's name with --sharepoint"
	}
	addr := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	name := c.Host
	if c.Dial != "" {
		addr = c.Dial
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if c.From == "clients" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err.Error()
		}
		return closed(conn)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(n.CA)
	d := tls.Dialer{Config: &tls.Config{ServerName: name, RootCAs: pool, MinVersion: tls.VersionTLS12}}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err.Error()
	}
	return closed(conn)
}

func closed(conn net.Conn) string {
	if err := conn.Close(); err != nil {
		return err.Error()
	}
	return "ok"
}
