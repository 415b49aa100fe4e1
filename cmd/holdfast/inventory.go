package main

import (
	"time"

	"github.com/spf13/cobra"
)

func newPointCommand() *cobra.Command {
	var org, name string
	var most int
	cmd := &cobra.Command{Use: "point", Short: "Restore points"}
	listing := &cobra.Command{
		Use: "list", Short: "List the restore points, newest first", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			path := "/RestorePoints?orderAsc=false"
			if org != "" {
				o, err := organizationNamed(cmd, c, org)
				if err != nil {
					return err
				}
				path += "&organizationId=" + o.ID
			}
			// By the names that the jobs had: those of a lost server, or removed ones, are no more.
			type pointJob struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			}
			var jobs []pointJob
			if err := c.get(cmd.Context(), "/holdfast/v1/RestorePointJobs", &jobs); err != nil {
				return err
			}
			names := map[string]string{}
			for _, j := range jobs {
				names[j.ID] = j.Name
			}
			if name != "" {
				j, err := pick("job", "point", jobs, name, func(j pointJob) []string { return []string{j.ID, j.Name} })
				if err != nil {
					return err
				}
				path += "&jobId=" + j.ID
			}
			type point struct {
				ID       string     `json:"id"`
				Time     *time.Time `json:"backupTime"`
				Job      string     `json:"jobId"`
				Exchange bool       `json:"isExchange"`
				OneDrive bool       `json:"isOneDrive"`
			}
			all, err := list[point](cmd.Context(), c, path, nil, most)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"time", "job", "mail", "files", "id"}, func(p point) []any {
				return []any{when(p.Time), names[p.Job], yes(p.Exchange), yes(p.OneDrive), p.ID}
			}, `no restore point yet: run a job with "holdfast job start"`)
		}),
	}
	listing.Flags().StringVar(&org, "org", "", "of this organization only")
	listing.Flags().StringVar(&name, "job", "", "of this job only")
	listing.Flags().IntVar(&most, "limit", 30, "at most so many (0: all)")
	cmd.AddCommand(listing)
	return cmd
}

func newProxyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "proxy", Short: "Backup proxies: who does the work"}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the proxies", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			type proxy struct {
				ID      string  `json:"id"`
				Host    string  `json:"hostName"`
				Status  string  `json:"status"`
				Version string  `json:"version"`
				CPU     float64 `json:"cpuUsagePercent"`
				Memory  float64 `json:"memoryUsagePercent"`
			}
			all, err := list[proxy](cmd.Context(), c, "/Proxies", nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"host", "status", "version", "cpu %", "memory %", "id"}, func(p proxy) []any {
				return []any{p.Host, p.Status, p.Version, int(p.CPU), int(p.Memory), p.ID}
			}, "no proxy")
		}),
	})
	return cmd
}

func newLicenseCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "license", Short: "Whom Holdfast protects; it needs no licence key"}
	cmd.AddCommand(&cobra.Command{
		Use: "users", Short: "List the protected users", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			type user struct {
				ID           string     `json:"id"`
				Name         string     `json:"name"`
				Organization string     `json:"organizationName"`
				Last         *time.Time `json:"lastBackupDate"`
			}
			all, err := list[user](cmd.Context(), c, "/LicensedUsers", nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "organization", "last backup"}, func(u user) []any {
				return []any{u.Name, u.Organization, when(u.Last)}
			}, "nobody is protected yet")
		}),
	})
	return cmd
}
