package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
	"holdfast/internal/vault/place"
)

// vaults binds the service's repositories to the vault: who may open what lies in the key file and in the place.
type vaults struct {
	data  string
	key   *keys.Key
	clock sys.Clock
	vault *vault.Vault
	// known tells whether the catalogue has anything of an organization in a repository.
	known func(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID) (bool, error)

	making  sync.Mutex           // held while a part is made
	kits    sync.Mutex           // held while a kit is written
	mu      sync.Mutex           // guards newborn
	newborn map[vault.Ref][]byte // passwords of parts that are being made
}

// purpose binds a wrapped password to the place that it opens.
func purpose(id holdfast.RepositoryID, p place.Part) string {
	return fmt.Sprintf("repository/%s/%s/%03d", id, p.Organization, p.Shard)
}

// password unwraps the password of a part: the one that this server keeps, made by it or left by a takeover by recovery kit, else the one in the
// place.
func (v *vaults) password(_ context.Context, ref vault.Ref) ([]byte, error) {
	v.mu.Lock()
	newborn := v.newborn[ref]
	v.mu.Unlock()
	if newborn != nil {
		return newborn, nil
	}
	d, damage := place.Describe(ref.Path)
	if damage != nil && ref.Repository == "" {
		return nil, damage
	}
	// A repository that was taken over has another id in its folder than at this server; that of a damaged holdfast.json is neither.
	var first error
	for _, id := range []holdfast.RepositoryID{d.ID, ref.Repository} {
		if id == "" {
			continue
		}
		password, err := v.passwordOf(id, ref)
		if err == nil {
			return password, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (v *vaults) passwordOf(id holdfast.RepositoryID, ref vault.Ref) ([]byte, error) {
	p := place.Part{Organization: ref.Organization, Shard: ref.Shard}
	wrapped, err := os.ReadFile(v.adoptedFile(id, p))
	if err == nil {
		return v.key.Unwrap(purpose(id, p), wrapped)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	keyID, wrapped, err := place.ReadWrapped(ref.Path, p)
	if err != nil {
		return nil, err
	}
	if keyID != v.key.ID() {
		return nil, foreignKey(ref.Path, keyID, v.key)
	}
	return v.key.Unwrap(purpose(id, p), wrapped)
}

func foreignKey(path, keyID string, key *keys.Key) error {
	return holdfast.Invalid("the repository in %s was made with key %s, this server has key %s: put that key file back, or take the repository over with \"holdfast vault rebuild\" and its recovery kit", path, keyID, key.ID())
}

func (v *vaults) adoptedFile(id holdfast.RepositoryID, p place.Part) string {
	return filepath.Join(v.data, "keys", "adopted", string(id), fmt.Sprintf("%s-%03d", p.Organization, p.Shard))
}

// adopt keeps a part's password under this server's key: the place was made with another one, or its own copy may be damaged one day.
func (v *vaults) adopt(id holdfast.RepositoryID, p place.Part, password []byte) error {
	wrapped, err := v.key.Wrap(purpose(id, p), password)
	if err != nil {
		return err
	}
	file := v.adoptedFile(id, p)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return replaceFile(file, wrapped)
}

// replaceFile writes a file that a loss of power must not take: without it backups can't be read.
func replaceFile(file string, text []byte) error {
	f, err := os.OpenFile(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open opens an organization's part of a repository and makes it when it is the first time.
func (v *vaults) Open(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID) (*vault.Repository, error) {
	at := ref(repo, org)
	r, err := v.vault.Repository(ctx, at)
	if holdfast.KindOf(err) != holdfast.KindNotFound {
		return r, err
	}
	// What is not there is made only when it never was: an unmounted disk or a deleted folder is not an empty repository.
	if known, kerr := v.known(ctx, repo.ID, org); kerr != nil {
		return nil, kerr
	} else if known {
		return nil, holdfast.Damaged("the backups of this organization are missing in %s, though the catalogue has them: mount the disk or put the folder back: %w", repo.Path, err)
	}
	if err := v.create(ctx, at); err != nil {
		return nil, err
	}
	if err := v.writeKit(ctx, repo); err != nil {
		return nil, err
	}
	return v.vault.Repository(ctx, at)
}

// create makes a part with a password of its own.
func (v *vaults) create(ctx context.Context, at vault.Ref) error {
	v.making.Lock()
	defer v.making.Unlock()
	if r, err := v.vault.Repository(ctx, at); err == nil {
		return r.Close() // somebody else was first
	}
	password, err := keys.NewPassword()
	if err != nil {
		return err
	}
	d, err := place.Describe(at.Path)
	if err != nil {
		return err
	}
	part := place.Part{Organization: at.Organization, Shard: at.Shard}
	if err := v.adopt(d.ID, part, password); err != nil {
		return err
	}
	if d.KeyID != v.key.ID() {
		// The place names another server's key: nothing wrapped with ours belongs into it.
		return v.vault.CreateRepository(ctx, at, nil)
	}
	wrapped, err := v.key.Wrap(purpose(d.ID, part), password)
	if err != nil {
		return err
	}
	v.setNewborn(at, password)
	defer v.setNewborn(at, nil)
	return v.vault.CreateRepository(ctx, at, wrapped)
}

func (v *vaults) setNewborn(at vault.Ref, password []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.newborn == nil {
		v.newborn = map[vault.Ref][]byte{}
	}
	v.newborn[at] = password
	if password == nil {
		delete(v.newborn, at)
	}
}

func ref(repo holdfast.Repository, org holdfast.OrganizationID) vault.Ref {
	return vault.Ref{Repository: repo.ID, Path: repo.Path, Organization: org}
}

// Prepare makes the folder a repository's, or checks that it is this one's. attach takes over what an earlier installation left there.
func (v *vaults) Prepare(ctx context.Context, repo holdfast.Repository, attach bool) error {
	d, err := place.Describe(repo.Path)
	switch {
	case err == nil && attach:
		for p, err := range place.Parts(repo.Path) {
			if err != nil {
				return err
			}
			if _, err := v.password(ctx, vault.Ref{Repository: repo.ID, Path: repo.Path, Organization: p.Organization, Shard: p.Shard}); err != nil {
				return err
			}
		}
	case err == nil && d.ID == repo.ID:
	case err == nil:
		return holdfast.Conflict("%s holds a backup repository already: choose an empty folder, or attach it", repo.Path)
	case attach && (holdfast.KindOf(err) == holdfast.KindNotFound || errors.Is(err, fs.ErrNotExist)):
		return holdfast.Invalid("%s holds no backup repository that could be attached", repo.Path)
	case holdfast.KindOf(err) == holdfast.KindNotFound || errors.Is(err, fs.ErrNotExist):
		if err := place.Prepare(repo.Path, place.Description{ID: repo.ID, KeyID: v.key.ID(), Created: v.clock.Now()}); err != nil {
			return err
		}
	default:
		return err
	}
	return v.writeKit(ctx, repo)
}

// Resolve follows the links in a path as far as it exists.
func (*vaults) Resolve(path string) string {
	rest := ""
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

// writeKit puts the kit beside the server's own data, sealed to the key file.
func (v *vaults) writeKit(ctx context.Context, repo holdfast.Repository) error {
	v.kits.Lock()
	defer v.kits.Unlock()
	kit, err := v.kit(ctx, repo)
	if err != nil {
		return err
	}
	protection, err := keys.Beside(v.key)
	if err != nil {
		return err
	}
	sealed, err := kit.Seal(protection)
	if err != nil {
		return err
	}
	dir := filepath.Join(v.data, "kits")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, string(repo.ID)+".age")
	if err := replaceFile(file, sealed); err != nil {
		return holdfast.Unavailable("the recovery kit can't be written to %s: %w", dir, err)
	}
	return nil
}

// kit gathers what opens every part of the repository.
func (v *vaults) kit(ctx context.Context, repo holdfast.Repository) (keys.Kit, error) {
	// The id is the place's own: after a rebuild the server knows the repository under another one, and the kit must open the place.
	d, err := place.Describe(repo.Path)
	if err != nil {
		return keys.Kit{}, err
	}
	kit := keys.Kit{Repository: d.ID, Name: repo.Name, Created: v.clock.Now()}
	for p, err := range place.Parts(repo.Path) {
		if err != nil {
			return kit, err
		}
		password, err := v.password(ctx, vault.Ref{Repository: repo.ID, Path: repo.Path, Organization: p.Organization, Shard: p.Shard})
		if err != nil {
			return kit, err
		}
		part := keys.KitPart{Organization: p.Organization, Shard: p.Shard, Password: password}
		head, err := v.ledgerHead(ctx, repo, p.Organization)
		if err != nil {
			return kit, err
		}
		part.Sequence, part.Hash = head.Sequence, head.Hash
		kit.Parts = append(kit.Parts, part)
	}
	return kit, nil
}

func (v *vaults) ledgerHead(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID) (place.Head, error) {
	r, err := v.vault.Repository(ctx, ref(repo, org))
	if err != nil {
		return place.Head{}, err
	}
	head := r.LedgerHead()
	return head, r.Close()
}

// Kit gives the recovery kit, sealed.
func (v *vaults) Kit(ctx context.Context, repo holdfast.Repository, passphrase holdfast.Secret, recipients []string) ([]byte, error) {
	kit, err := v.kit(ctx, repo)
	if err != nil {
		return nil, err
	}
	if len(kit.Parts) == 0 {
		return nil, holdfast.Conflict("repository %s holds nothing yet: export its recovery kit after the first backup", repo.Name)
	}
	return kit.Seal(keys.Protection{Passphrase: passphrase, Recipients: recipients})
}

// Space gives the capacity and the free bytes of the place.
func (v *vaults) Space(_ context.Context, repo holdfast.Repository) (capacity, free int64, err error) {
	return place.Usage(repo.Path)
}

// Usage adds up the files of an organization.
func (v *vaults) Usage(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID) (int64, error) {
	var sum int64
	err := filepath.WalkDir(filepath.Join(repo.Path, string(org)), func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing yet, or gone while counting
		}
		if err != nil || d.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum, err
}

// Rebuild reads the catalogue from the place: all that can be read; what can't is named in it.
func (v *vaults) Rebuild(ctx context.Context, repo holdfast.Repository) (holdfast.Catalogue, error) {
	var out holdfast.Catalogue
	for p, err := range place.Parts(repo.Path) {
		if err != nil {
			return out, err
		}
		if err := v.rebuild(ctx, repo, p.Organization, &out); holdfast.KindOf(err) == holdfast.KindDamaged {
			out.Damage = append(out.Damage, holdfast.CatalogueDamage{Organization: p.Organization, What: fmt.Sprintf("nothing of this organization can be read: %v", err)})
		} else if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (v *vaults) rebuild(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID, out *holdfast.Catalogue) (err error) {
	r, err := v.vault.Repository(ctx, ref(repo, org))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c, err := r.Rebuild(ctx)
	if err != nil {
		return err
	}
	name := ""
	var heads []holdfast.HeadRecord
	seen := map[string]bool{}
	add := func(h *vault.Head) error {
		if key := fmt.Sprintf("%s\x00%d", h.Container.Key(), h.Number); seen[key] {
			return nil
		} else {
			seen[key] = true
		}
		rec, err := h.Record(repo.ID, c.Entry)
		if err != nil {
			return err
		}
		if _, domain, ok := strings.Cut(h.Container.Address, "@"); ok && name == "" {
			name = domain
		}
		heads = append(heads, rec)
		return nil
	}
	for _, h := range c.Published {
		if err := add(h); err != nil {
			return err
		}
	}
	for _, h := range c.Heads {
		if err := add(h); err != nil {
			return err
		}
	}
	out.Heads = append(out.Heads, heads...)
	for _, p := range c.Points {
		out.Points = append(out.Points, p.RestorePoint)
	}
	for _, d := range c.Damage {
		found := holdfast.CatalogueDamage{Organization: org, What: d.What, Points: d.Points}
		if d.Blob != "" {
			found.What = d.Blob + ": " + d.What
		}
		for _, i := range d.Items {
			found.Containers = append(found.Containers, i.Container)
		}
		out.Damage = append(out.Damage, found)
	}
	out.Organizations = append(out.Organizations, holdfast.Organization{ID: org, Name: name, Region: holdfast.Worldwide})
	return nil
}

// Forget closes nothing that is in use; the bytes at the place stay.
func (v *vaults) Forget(_ context.Context, repo holdfast.Repository) error {
	err := os.Remove(filepath.Join(v.data, "kits", string(repo.ID)+".age"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
