package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
	"holdfast/internal/vault/place"
)

// Offline reads a backup repository without a server: "holdfast vault".
type Offline struct {
	Path  string
	id    holdfast.RepositoryID // at the server; empty: as the folder says
	other error                 // the folder says that it is another repository than the kit's: so if the kit does not open it
	vault *vault.Vault

	notes    map[place.Part][]note // of the kit, or of the server
	known    map[holdfast.OrganizationID]knownToDatabase
	database func(ctx context.Context) (map[holdfast.OrganizationID]knownToDatabase, error) // what is known now; nil without a server
}

// OpenWithKit opens the repository in a folder by its recovery kit alone. write opens it for Repair; no server may use it then.
func OpenWithKit(path string, kit keys.Kit, write bool, log *slog.Logger) (*Offline, error) {
	d, err := place.Describe(path)
	var other error
	switch {
	case holdfast.KindOf(err) == holdfast.KindNotFound:
		return nil, err
	case err == nil && d.ID != kit.Repository:
		other = holdfast.Invalid("the recovery kit is of repository %s (%s), the folder %s holds repository %s: use the kit that belongs to it", kit.Repository, kit.Name, path, d.ID)
	case err != nil && holdfast.KindOf(err) != holdfast.KindDamaged:
		other = err
	}
	o := newOffline(path, write, log, func(_ context.Context, ref vault.Ref) ([]byte, error) {
		for _, p := range kit.Parts {
			if p.Organization == ref.Organization && p.Shard == ref.Shard {
				return p.Password, nil
			}
		}
		return nil, holdfast.Invalid("the recovery kit does not open organization %s: it was exported before that organization was backed up to this repository; use a newer kit", ref.Organization)
	})
	o.other = other
	o.notes = notesOf(kit, "the recovery kit")
	return o, nil
}

// OpenWithData opens a repository of a server's data folder: to read, beside the server when it runs; with write, in its stead.
func OpenWithData(ctx context.Context, data, database, repository string, write bool, log *slog.Logger) (_ *Offline, err error) {
	s := &Server{config: ServerConfig{Data: data, Database: database, Clock: sys.System}}
	key, err := keys.LoadFile(s.keyFile(), "")
	if err != nil {
		return nil, err
	}
	repo, err := findRepository(ctx, s.database(), repository)
	if err != nil {
		return nil, err
	}
	v := &vaults{data: data, key: key, clock: sys.System}
	o := newOffline(repo.Path, write, log, v.password)
	o.id = repo.ID
	if err := o.noteServer(ctx, s, key); err != nil {
		return nil, err
	}
	return o, nil
}

func newOffline(path string, write bool, log *slog.Logger, password func(context.Context, vault.Ref) ([]byte, error)) *Offline {
	return &Offline{Path: path, vault: vault.New(vault.Options{Password: password, ReadOnly: !write, Log: log})}
}

// Repositories opens the repository's part of each organization, one after the other.
func (o *Offline) Repositories(ctx context.Context) iter.Seq2[*vault.Repository, error] {
	return func(yield func(*vault.Repository, error) bool) {
		for p, err := range place.Parts(o.Path) {
			if err != nil {
				yield(nil, err)
				return
			}
			r, err := o.vault.Repository(ctx, vault.Ref{Repository: o.id, Path: o.Path, Organization: p.Organization, Shard: p.Shard})
			if err != nil {
				if o.other != nil {
					err = o.other
				}
				yield(nil, err)
				return
			}
			more := yield(r, nil)
			if err := r.Close(); err != nil && more {
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// Close ends reading.
func (o *Offline) Close(ctx context.Context) error { return o.vault.Close(ctx) }

// RebuildConfig says what a lost server is rebuilt from.
type RebuildConfig struct {
	Data     string // folder of the new server, empty or missing
	Database string
	Path     string // folder of the repository
	Name     string // of the repository at the new server; empty: the kit's
	Kit      keys.Kit
	// AdminPassword of the new server; empty draws one.
	AdminPassword holdfast.Secret
	Version       string
	Log           *slog.Logger
}

// Rebuilt is what a rebuild brought back.
type Rebuilt struct {
	Repository    holdfast.RepositoryID `json:"repository"`
	Name          string                `json:"name"`
	RestorePoints int                   `json:"restorePoints"`
	Containers    int                   `json:"containers"`
	// Damage is what could not be read and is not back; the rest is.
	Damage            []holdfast.CatalogueDamage `json:"damage,omitempty"`
	GeneratedPassword holdfast.Secret            `json:"-"`
}

// Rebuild makes a server's data folder from a repository and its recovery kit: every restore point that can be read is back, under its own id. The
// organization's credential is not in a kit; adding the organization again joins them.
func Rebuild(ctx context.Context, c RebuildConfig) (out Rebuilt, err error) {
	s, err := New(ctx, ServerConfig{Data: c.Data, Database: c.Database, Version: c.Version, Log: c.Log, AdminPassword: c.AdminPassword})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	d, err := place.Describe(c.Path)
	if err != nil {
		return out, err
	}
	if d.ID != c.Kit.Repository {
		return out, holdfast.Invalid("the recovery kit is of repository %s (%s), the folder %s holds repository %s: use the kit that belongs to it", c.Kit.Repository, c.Kit.Name, c.Path, d.ID)
	}
	for _, p := range c.Kit.Parts {
		if err := s.vaults.adopt(d.ID, place.Part{Organization: p.Organization, Shard: p.Shard}, p.Password); err != nil {
			return out, err
		}
	}
	out.Name = c.Name
	if out.Name == "" {
		out.Name = c.Kit.Name
	}
	out.GeneratedPassword = s.GeneratedPassword
	if err := s.attach(ctx, c.Path, &out); err != nil {
		return out, err
	}
	for p, notes := range notesOf(c.Kit, "the recovery kit") {
		r, err := s.vaults.vault.Repository(ctx, vault.Ref{Repository: out.Repository, Path: c.Path, Organization: p.Organization, Shard: p.Shard})
		if err != nil {
			if hurt := holdfast.KindOf(err); hurt == holdfast.KindDamaged || hurt == holdfast.KindNotFound {
				out.Damage = append(out.Damage, holdfast.CatalogueDamage{Organization: p.Organization, What: fmt.Sprintf("the kit has this organization, but its part of the folder does not open: %v", err)})
				continue
			}
			return out, err
		}
		for _, n := range notes {
			if what, _ := n.compare(r); what != "" {
				out.Damage = append(out.Damage, holdfast.CatalogueDamage{Organization: p.Organization, What: what})
			}
		}
		if err := r.Close(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// findRepository looks a repository up by name or id in a server's database, which may be in use.
func findRepository(ctx context.Context, o store.Options, name string) (found holdfast.Repository, err error) {
	if o.Path != "" {
		if _, err := os.Stat(o.Path); err != nil {
			return found, holdfast.Invalid("the data folder has no database: %w", err)
		}
	}
	db, err := store.Open(ctx, o)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = service.OnStore(db).Read(ctx, func(ctx context.Context, tx service.Tx) error {
		all, err := tx.Repositories(ctx, holdfast.Page{})
		if err != nil {
			return err
		}
		var have []string
		for _, r := range all {
			if string(r.ID) == name || strings.EqualFold(r.Name, name) {
				found = r
				return nil
			}
			have = append(have, r.Name)
		}
		return holdfast.NotFound("the server has no repository %q; it has: %s", name, strings.Join(have, ", "))
	})
	return found, err
}

// attach adds the repository in a folder to the server and reads its catalogue into the database.
func (s *Server) attach(ctx context.Context, path string, out *Rebuilt) error {
	forever := holdfast.RetentionPeriod{Forever: true}
	admin := service.User{Name: "vault rebuild", Role: service.RoleOwner, Address: "local"}
	// Nothing may expire before somebody has looked: the retention of the lost server is not known.
	repo, err := s.services.Repositories.Create(ctx, admin, service.RepositorySpec{Name: &out.Name, Path: &path, RetentionType: "SnapshotBased", Retention: &forever, Attach: true})
	if err != nil {
		return err
	}
	out.Repository = repo.ID
	catalogue, err := s.vaults.Rebuild(ctx, repo)
	if err != nil {
		return err
	}
	if out.RestorePoints, err = s.services.Repositories.Import(ctx, repo.ID, catalogue); err != nil {
		return err
	}
	out.Damage = catalogue.Damage
	seen := map[string]bool{}
	for _, h := range catalogue.Heads {
		seen[string(h.Organization)+h.Container.Key()] = true
	}
	out.Containers = len(seen)
	return nil
}
