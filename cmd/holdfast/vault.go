package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/app"
	"holdfast/internal/export"
	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
)

// which are the flags that say which repository, and how it is opened.
type which struct {
	data, database, repository    string
	path, kit, passphrase, idFile string
}

func (w *which) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&w.data, "data", "", "a server's data folder")
	f.StringVar(&w.database, "database", "sqlite", "the server's database: sqlite, or postgres://…")
	f.StringVar(&w.repository, "repository", "", "name of the repository at that server")
	f.StringVar(&w.path, "path", "", "folder of a repository, when there is no server")
	f.StringVar(&w.kit, "recovery-kit", "", "the repository's recovery kit")
	f.StringVar(&w.passphrase, "passphrase-file", "", "file with the kit's passphrase, - for standard input (default: ask)")
	f.StringVar(&w.idFile, "identity-file", "", "age identity file that opens the kit, instead of a passphrase")
}

func quiet() *slog.Logger {
	return newLogger(os.Stderr, slog.LevelError)
}

// readKit opens the recovery kit.
func (w *which) readKit(cmd *cobra.Command) (keys.Kit, error) {
	sealed, err := os.ReadFile(w.kit)
	if err != nil {
		return keys.Kit{}, err
	}
	var o keys.Opening
	if w.idFile != "" {
		raw, err := os.ReadFile(w.idFile)
		if err != nil {
			return keys.Kit{}, err
		}
		o.Identities = holdfast.Secret(raw)
	} else {
		p, err := readSecret(cmd, w.passphrase, "Passphrase of the recovery kit: ")
		if err != nil {
			return keys.Kit{}, err
		}
		o.Passphrase = holdfast.Secret(p)
	}
	return keys.OpenKit(sealed, o)
}

func (w *which) open(cmd *cobra.Command, write bool) (*app.Offline, error) {
	switch {
	case w.path != "" && w.kit != "" && w.data == "":
		kit, err := w.readKit(cmd)
		if err != nil {
			return nil, err
		}
		return app.OpenWithKit(w.path, kit, write, quiet())
	case w.data != "" && w.repository != "" && w.path == "":
		return app.OpenWithData(cmd.Context(), w.data, w.database, w.repository, write, quiet())
	}
	return nil, errors.New("say which repository: --data D --repository NAME, or --path DIR --recovery-kit FILE")
}

func newVaultCommand() *cobra.Command {
	var w which
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Repository tools that need no server: verify, list, extract, repair, rebuild",
		Example: `  holdfast vault verify --data /var/lib/holdfast --repository main
  holdfast vault list --path /srv/backup --recovery-kit main-kit.age
  holdfast vault rebuild --data /var/lib/new --path /srv/backup --recovery-kit main-kit.age`,
	}
	w.flags(cmd)
	cmd.AddCommand(newVaultVerifyCommand(&w), newVaultListCommand(&w), newVaultExtractCommand(&w), newVaultRepairCommand(&w), newVaultRebuildCommand(&w))
	return cmd
}

// Exit statuses of verify.
const (
	exitDamaged = 1
	exitUnknown = 2
)

func newVaultVerifyCommand(w *which) *cobra.Command {
	var quick bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read every byte and name what is damaged, down to items and restore points",
		Long: `Read every byte of a repository, compare it with the ledger of hashes, every payload with its own hash, and the ledger with what was noted down of it in
the recovery kit, or (with --data) at the server: a folder that was put back to an earlier state shows by that. Exit status 0: sound; 1: damaged or put
back, with each damaged blob, the items and the restore points that it hurts (or that it hurts none); 2: could not tell.`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verify(cmd, w, quick); err != nil {
				var exit *exitError
				if errors.As(err, &exit) {
					return err
				}
				return &exitError{code: exitUnknown, err: err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&quick, "blobs-only", false, "compare the blobs with the ledger and leave the payloads out")
	return cmd
}

func verify(cmd *cobra.Command, w *which, quick bool) error {
	ctx := cmd.Context()
	o, err := w.open(cmd, false)
	if err != nil {
		return err
	}
	defer func() { _ = o.Close(context.WithoutCancel(ctx)) }() // read only
	type report struct {
		Path    string         `json:"path"`
		Sound   bool           `json:"sound"`
		Blobs   int64          `json:"blobs"`
		Bytes   int64          `json:"bytes"`
		Items   int64          `json:"items"`
		Damage  []vault.Damage `json:"damage"`
		Remarks []string       `json:"remarks"`
	}
	r := report{Path: o.Path, Remarks: []string{}}
	parts := 0
	if r.Damage, err = o.LostParts(); err != nil {
		return err
	}
	for repo, err := range o.Repositories(ctx) {
		if err != nil {
			return err
		}
		parts++
		v, err := repo.Verify(ctx, vault.VerifyOptions{Payloads: !quick})
		if err != nil {
			return err
		}
		r.Blobs, r.Bytes, r.Items = r.Blobs+v.Blobs, r.Bytes+v.Bytes, r.Items+v.Items
		damage, remarks, err := o.Rollback(ctx, repo)
		if err != nil {
			return err
		}
		r.Damage, r.Remarks = append(append(r.Damage, v.Damage...), damage...), append(append(r.Remarks, v.Remarks...), remarks...)
	}
	r.Sound = len(r.Damage) == 0
	if r.Sound {
		r.Damage = []vault.Damage{} // not null
	}
	if wantsJSON(cmd) {
		if err := printJSON(cmd, r); err != nil {
			return err
		}
	} else {
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "%s: %s, %s, %s, %s of items read\n", o.Path, count(parts, "organization"), count(int(r.Blobs), "blob"), size(r.Bytes), count(int(r.Items), "version"))
		for _, d := range r.Damage {
			fmt.Fprintf(out, "DAMAGED %s: %s\n", cmp.Or(d.Blob, "repository"), d.What)
			if d.Harmless() && d.Blob != "" {
				fmt.Fprintln(out, "  hurts no item")
			}
			for _, i := range d.Items {
				fmt.Fprintf(out, "  %s  %s  %s  %s\n", i.Container, i.ID, cmp.Or(string(i.Form), "row"), clean(i.Name))
			}
			if more := d.Hurt - int64(len(d.Items)); more > 0 {
				fmt.Fprintf(out, "  and %d more\n", more)
			}
			for _, p := range d.Points {
				fmt.Fprintf(out, "  restore point %s\n", p)
			}
		}
		for _, s := range r.Remarks {
			fmt.Fprintln(out, "remark:", s)
		}
		if r.Sound {
			fmt.Fprintln(out, "sound")
		}
	}
	if !r.Sound {
		return &exitError{code: exitDamaged}
	}
	return nil
}

// row is a restore point's container, for list.
type row struct {
	Point     holdfast.RestorePointID `json:"restorePoint"`
	Time      time.Time               `json:"time"`
	Job       string                  `json:"job"`
	Status    string                  `json:"status"`
	Container string                  `json:"container"`
	Owner     string                  `json:"owner"`
	State     string                  `json:"state"`
	HeadTime  time.Time               `json:"asOf"`
	Items     int64                   `json:"items"`
}

func newVaultListCommand(w *which) *cobra.Command {
	var point string
	cmd := &cobra.Command{
		Use: "list", Short: "List the restore points and what they hold", Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := w.open(cmd, false)
			if err != nil {
				return err
			}
			defer func() { _ = o.Close(context.WithoutCancel(ctx)) }() // read only
			var rows []row
			for repo, err := range o.Repositories(ctx) {
				if err != nil {
					return err
				}
				for p, err := range repo.Points(ctx) {
					if err != nil {
						return err
					}
					if point != "" && string(p.ID) != point {
						continue
					}
					for _, e := range p.Entries {
						r := row{Point: p.ID, Time: p.Time, Job: p.JobName, Status: string(p.Status), Container: e.Container.Key(), Owner: e.Container.Address, State: string(e.State), HeadTime: e.HeadTime}
						if object := p.Heads[e.Container.Key()]; object != "" {
							h, err := repo.Head(ctx, object)
							if err != nil {
								return err
							}
							r.Items = h.Items
						}
						rows = append(rows, r)
					}
				}
			}
			return show(cmd, rows, []string{"time", "job", "result", "owner", "kind", "state", "items", "restore point"}, func(r row) []any {
				kind, _, _ := strings.Cut(r.Container, "/")
				return []any{when(&r.Time), r.Job, r.Status, r.Owner, kind, r.State, r.Items, string(r.Point)}
			}, "no restore point")
		},
	}
	cmd.Flags().StringVar(&point, "point", "", "this restore point only")
	return cmd
}

func newVaultExtractCommand(w *which) *cobra.Command {
	var point, owner, out string
	cmd := &cobra.Command{
		Use:   "extract --out DIR",
		Short: "Write mails (.eml) and files of a restore point into a folder",
		Long: `Write mails (.eml) and files of a restore point into a folder that is empty or missing: a folder for each owner and kind, then the
folders as they were. Names that a file system does not take are changed, never merged.`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := w.open(cmd, false)
			if err != nil {
				return err
			}
			defer func() { _ = o.Close(context.WithoutCancel(ctx)) }() // read only
			if err := os.MkdirAll(out, 0o700); err != nil {
				return err
			}
			if have, err := os.ReadDir(out); err != nil {
				return err
			} else if len(have) > 0 {
				return fmt.Errorf("%s is not empty: choose another folder", out)
			}
			root, err := os.OpenRoot(out)
			if err != nil {
				return err
			}
			defer root.Close()
			x := extractor{root: root}
			for repo, err := range o.Repositories(ctx) {
				if err != nil {
					return err
				}
				if err := x.point(ctx, repo, point, owner); err != nil {
					return err
				}
			}
			if x.items == 0 {
				return errors.New("nothing matches: \"holdfast vault list\" shows restore points and owners")
			}
			return done(cmd, map[string]any{"items": x.items, "bytes": x.bytes, "folder": out}, "wrote %s, %s, to %s", count(int(x.items), "item"), size(x.bytes), out)
		},
	}
	cmd.Flags().StringVar(&point, "point", "", "restore point (default: the newest)")
	cmd.Flags().StringVar(&owner, "owner", "", "of this owner only: address, or the beginning of it")
	cmd.Flags().StringVar(&out, "out", "", "folder to write to")
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

// extractor writes views below root.
type extractor struct {
	root  *os.Root
	items int64
	bytes int64
}

func (x *extractor) point(ctx context.Context, repo *vault.Repository, want, owner string) error {
	var newest *vault.Point
	for p, err := range repo.Points(ctx) {
		if err != nil {
			return err
		}
		if want != "" && string(p.ID) == want || want == "" && (newest == nil || p.Time.After(newest.Time)) {
			newest = p
		}
	}
	if newest == nil {
		return nil
	}
	for _, e := range newest.Entries {
		object := newest.Heads[e.Container.Key()]
		if object == "" || owner != "" && !strings.HasPrefix(strings.ToLower(e.Container.Address), strings.ToLower(owner)) {
			continue
		}
		h, err := repo.Head(ctx, object)
		if err != nil {
			return err
		}
		view, err := repo.View(ctx, h)
		if err != nil {
			return err
		}
		top := export.NewNames().Name(e.Container.Address + " " + string(e.Container.Kind))
		if err := x.container(ctx, view, top); err != nil {
			return fmt.Errorf("%s: %w", e.Container, err)
		}
	}
	return nil
}

// container writes one view. Folders are walked by id, so that a loop or an orphan in damaged data ends.
func (x *extractor) container(ctx context.Context, view *vault.View, top string) error {
	dirs := map[string]string{"": top}
	names := map[string]*export.Names{}
	name := func(dir, want string) string {
		if names[dir] == nil {
			names[dir] = export.NewNames()
		}
		return names[dir].Name(want)
	}
	var parents []holdfast.Item
	for f, err := range view.Folders(ctx) {
		if err != nil {
			return err
		}
		parents = append(parents, f)
	}
	byID := map[string]holdfast.Item{}
	for _, f := range parents {
		byID[f.ID] = f
	}
	var dir func(id string, depth int) string
	dir = func(id string, depth int) string {
		if d, ok := dirs[id]; ok {
			return d
		}
		f, ok := byID[id]
		if !ok || depth > 200 {
			return top
		}
		up := dir(f.Parent, depth+1)
		d := filepath.Join(up, name(up, f.Name))
		dirs[id] = d
		return d
	}
	for _, f := range parents {
		if err := x.root.MkdirAll(dir(f.ID, 0), 0o700); err != nil {
			return err
		}
	}
	if err := x.root.MkdirAll(top, 0o700); err != nil {
		return err
	}
	for item, err := range view.All(ctx) {
		if err != nil {
			return err
		}
		form, ending := holdfast.FormFile, ""
		switch item.Kind {
		case holdfast.KindMail:
			form, ending = holdfast.FormMIME, ".eml"
		case holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting:
			form, ending = holdfast.FormJSON, ".json"
		case holdfast.KindFile:
		case holdfast.KindListItem, holdfast.KindPage:
			form, ending = holdfast.FormJSON, ".json"
		default:
			continue
		}
		d := dir(item.Parent, 0)
		if err := x.write(ctx, view, item, form, filepath.Join(d, name(d, item.Name+ending))); err != nil {
			return err
		}
	}
	return nil
}

func (x *extractor) write(ctx context.Context, view *vault.View, item holdfast.Item, form holdfast.Form, path string) error {
	r, ok, err := view.Open(ctx, item.ID, form)
	if err == nil && !ok && form == holdfast.FormMIME { // of a mail that was exported
		r, ok, err = view.Open(ctx, item.ID, holdfast.FormFTS)
		if ok && item.Fields[holdfast.FieldUnreadable] == "" {
			r = fasttransfer.EML(r)
		} else if ok {
			path = strings.TrimSuffix(path, ".eml") + ".fts" // as Exchange exported it: no other form is known
		}
	}
	if err != nil {
		return fmt.Errorf("%q: %w", item.Name, err)
	}
	if !ok {
		return nil // a mail or file whose content never could be read is named in the session's log
	}
	defer r.Close()
	f, err := x.root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%q: %w", item.Name, err)
	}
	x.items++
	x.bytes += n
	if !item.Time.IsZero() {
		return x.root.Chtimes(path, item.Time, item.Time)
	}
	return nil
}

func newVaultRebuildCommand(w *which) *cobra.Command {
	var password, name string
	cmd := &cobra.Command{
		Use:   "rebuild --data NEW --path DIR --recovery-kit FILE",
		Short: "Make a new server's data folder from a repository and its recovery kit",
		Long: `Make a new server's data folder from a repository and its recovery kit: every restore point is back and can be explored. What is damaged is named, with
the restore points that it hurts, the rest is usable, and the exit status is 1. Credentials of organizations are not in a kit: add the organization again
("holdfast org add"), and jobs.`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if w.data == "" || w.path == "" || w.kit == "" {
				return errors.New("rebuild needs --data NEW --path DIR --recovery-kit FILE")
			}
			kit, err := w.readKit(cmd)
			if err != nil {
				return err
			}
			path, err := filepath.Abs(w.path)
			if err != nil {
				return err
			}
			c := app.RebuildConfig{Data: w.data, Database: w.database, Path: path, Name: name, Kit: kit, Version: version, Log: quiet()}
			if password != "" {
				p, err := readSecret(cmd, password, "")
				if err != nil {
					return err
				}
				c.AdminPassword = holdfast.Secret(p)
			}
			r, err := app.Rebuild(cmd.Context(), c)
			if err != nil {
				return err
			}
			if r.GeneratedPassword != "" && !wantsJSON(cmd) {
				fmt.Fprintf(cmd.OutOrStdout(), "account admin, password %s (shown once)\n", string(r.GeneratedPassword))
			}
			if !wantsJSON(cmd) {
				printLost(cmd.OutOrStdout(), r.Damage)
			}
			if err := done(cmd, r, "repository %s is back: %s, %d mailboxes and drives\nnext: holdfast server --data %s", r.Name, count(r.RestorePoints, "restore point"), r.Containers, w.data); err != nil {
				return err
			}
			if len(r.Damage) > 0 {
				return &exitError{code: exitDamaged, err: errors.New("not everything could be read, the rest is usable: \"holdfast vault verify\" names the damage down to items")}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&password, "admin-password-file", "", "file with the password of \"admin\" at the new server (default: one is drawn)")
	cmd.Flags().StringVar(&name, "name", "", "name of the repository at the new server (default: the kit's)")
	return cmd
}

// printLost names what a rebuild could not read.
func printLost(out io.Writer, damage []holdfast.CatalogueDamage) {
	for _, d := range damage {
		fmt.Fprintf(out, "DAMAGED %s: %s\n", d.Organization, clean(d.What))
		for _, c := range d.Containers {
			fmt.Fprintf(out, "  lost: a state of %s\n", clean(c))
		}
		for _, p := range d.Points {
			fmt.Fprintf(out, "  restore point %s\n", p)
		}
	}
}

func newVaultRepairCommand(w *which) *cobra.Command {
	return &cobra.Command{
		Use:   "repair",
		Short: "Write damaged indexes and format files again from what the repository holds twice",
		Long: `Write damaged indexes and format files again from what the repository holds twice. Items whose only copy is damaged can't be brought back: "verify" names them.
Stop the server first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := w.open(cmd, true)
			if err != nil {
				return err
			}
			mended := []string{}
			for repo, err := range o.Repositories(ctx) {
				if err != nil {
					return errors.Join(err, o.Close(context.WithoutCancel(ctx)))
				}
				r, err := repo.Repair(ctx)
				if err != nil {
					return errors.Join(err, o.Close(context.WithoutCancel(ctx)))
				}
				mended = append(append(mended, r.Index...), r.Format...)
			}
			if err := o.Close(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			return done(cmd, map[string]any{"mended": mended}, "%d files written again: %s\nnext: holdfast vault verify", len(mended), strings.Join(mended, ", "))
		},
	}
}
