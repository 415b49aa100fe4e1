package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
	"holdfast/internal/vault/place"
)

// open makes the vaults of a data folder, whose catalogue says known.
func openVaults(t *testing.T, data string, key *keys.Key, known *bool) *vaults {
	t.Helper()
	v := &vaults{data: data, key: key, clock: sys.System, known: func(context.Context, holdfast.RepositoryID, holdfast.OrganizationID) (bool, error) {
		return *known, nil
	}}
	v.vault = vault.New(vault.Options{Password: v.password})
	t.Cleanup(func() {
		if err := v.vault.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return v
}

func TestMissingFolderIsNotAnEmptyRepository(t *testing.T) {
	key, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	known := false
	v := openVaults(t, t.TempDir(), key, &known)
	repo := holdfast.Repository{ID: "4ba8da3b-7c2c-443d-b875-3735c729f685", Name: "main", Path: filepath.Join(t.TempDir(), "repository")}
	const org = holdfast.OrganizationID("a5b1dbc1-b0d3-519c-963a-79d424526215")
	if err := v.Prepare(t.Context(), repo, false); err != nil {
		t.Fatal(err)
	}
	r, err := v.Open(t.Context(), repo, org)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	known = true
	for _, tc := range []struct {
		name string
		lose func() error
	}{ // one after the other: more is lost each time, at last only the mount point is left
		{"the organization's folder", func() error { return os.RemoveAll(filepath.Join(repo.Path, string(org))) }},
		{"everything", func() error { return os.RemoveAll(repo.Path) }},
		{"all but the mount point", func() error { return os.MkdirAll(repo.Path, 0o700) }},
	} {
		if err := tc.lose(); err != nil {
			t.Fatal(err)
		}
		name := tc.name
		other := openVaults(t, v.data, key, &known)
		if r, err := other.Open(t.Context(), repo, org); err == nil {
			t.Errorf("%s was lost, and an empty repository took its place", name)
			_ = r.Close() // the test has failed already
		}
		if _, err := os.Stat(filepath.Join(repo.Path, string(org))); err == nil {
			t.Errorf("%s was lost, and a folder was made again", name)
		}
	}
}

func TestAPathIsFollowedAsFarAsItExists(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "there"), 0o700), os.Symlink("there", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "there")
	for path, want := range map[string]string{
		there: there, filepath.Join(dir, "link"): there, filepath.Join(dir, "link", "a", "b"): filepath.Join(there, "a", "b"), "/proc/self/root" + there: there, "/nowhere/at/all": "/nowhere/at/all",
	} {
		if got := (&vaults{}).Resolve(path); got != want {
			t.Errorf("%s leads to %s, not %s", path, got, want)
		}
	}
}

func TestForeignKeyIsRefusedAndAdoptionOpens(t *testing.T) {
	first, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	second, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	known := false
	v := openVaults(t, t.TempDir(), first, &known)
	repo := holdfast.Repository{ID: "4ba8da3b-7c2c-443d-b875-3735c729f685", Name: "main", Path: filepath.Join(t.TempDir(), "repository")}
	const org = holdfast.OrganizationID("a5b1dbc1-b0d3-519c-963a-79d424526215")
	if err := v.Prepare(t.Context(), repo, false); err != nil {
		t.Fatal(err)
	}
	r, err := v.Open(t.Context(), repo, org)
	if err != nil {
		t.Fatal(err)
	}
	kit, err := v.kit(t.Context(), repo)
	if err != nil || len(kit.Parts) != 1 {
		t.Fatalf("kit of %d parts, %v", len(kit.Parts), err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := v.vault.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := openVaults(t, t.TempDir(), second, &known)
	if _, err := other.Open(t.Context(), repo, org); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("another server's key: got %v, want an invalid request", err)
	}
	if err := other.Prepare(t.Context(), repo, true); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("attach with another key: got %v, want an invalid request", err)
	}
	for p, err := range place.Parts(repo.Path) {
		if err != nil {
			t.Fatal(err)
		}
		if err := other.adopt(repo.ID, p, kit.Parts[0].Password); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Prepare(t.Context(), repo, true); err != nil {
		t.Fatal(err)
	}
	r, err = other.Open(t.Context(), repo, org)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
