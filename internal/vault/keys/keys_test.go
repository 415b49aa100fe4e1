package keys

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"holdfast/internal/holdfast"
)

func wantKind(t *testing.T, err error, want holdfast.Kind, words ...string) {
	t.Helper()
	if err == nil || holdfast.KindOf(err) != want {
		t.Fatalf("error %v of kind %v, want kind %v", err, holdfast.KindOf(err), want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	k, err := CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", fi.Mode(), err)
	}
	back, err := LoadFile(path, k.ID())
	if err != nil || !bytes.Equal(back.secret, k.secret) {
		t.Fatalf("loaded key differs: %v", err)
	}
	_, err = CreateFile(path)
	wantKind(t, err, holdfast.KindConflict, path)

	other := filepath.Join(t.TempDir(), "key")
	if _, err := CreateFile(other); err != nil {
		t.Fatal(err)
	}
	_, err = LoadFile(other, k.ID())
	wantKind(t, err, holdfast.KindInvalid, "exchanged", k.ID())

	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err = LoadFile(path, "")
	wantKind(t, err, holdfast.KindDenied, "chmod 600")

	_, err = LoadFile(filepath.Join(t.TempDir(), "none"), "")
	wantKind(t, err, holdfast.KindUnavailable, "missing", "recovery kit")
}

func TestEachChangedByteOfAKeyFileIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	k, err := CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(text) {
		broken := bytes.Clone(text)
		broken[i] ^= 1
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := LoadFile(path, k.ID()); err == nil && !bytes.Equal(got.secret, k.secret) {
			t.Errorf("byte %d changed: another key was loaded", i)
		} else if err == nil && !strings.ContainsAny(string(broken[i]), " \n\v\t\r!") && i < len(text)-3 {
			t.Errorf("byte %d changed to %q unnoticed", i, broken[i])
		}
	}
}

func TestWrapIsBoundToKeyAndPurpose(t *testing.T) {
	k, err := New()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := NewPassword()
	if err != nil || len(secret) != PasswordSize {
		t.Fatal(len(secret), err)
	}
	wrapped, err := k.Wrap("repository/a", secret)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Unwrap("repository/a", wrapped); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("unwrap: %v", err)
	}
	_, err = k.Unwrap("repository/b", wrapped)
	wantKind(t, err, holdfast.KindInvalid, "repository/b")
	other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Unwrap("repository/a", wrapped)
	wantKind(t, err, holdfast.KindInvalid, other.ID(), "recovery kit")
	_, err = k.Unwrap("repository/a", wrapped[:10])
	wantKind(t, err, holdfast.KindDamaged)
}

func TestKeyNeverShows(t *testing.T) {
	k := &Key{secret: bytes.Repeat([]byte{0xAB}, 32)}
	for _, format := range []string{"%v", "%s", "%+v", "%#v"} {
		if text := fmt.Sprintf(format, k); strings.Contains(text, "171") || strings.Contains(strings.ToLower(text), "abab") {
			t.Errorf("%s shows the key: %s", format, text)
		}
	}
}

func testKit() Kit {
	return Kit{
		Format: kitFormat, Product: kitProduct, Repository: "r1", Name: "main", Created: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC),
		Parts: []KitPart{{Organization: "o1", Name: "contoso", Password: bytes.Repeat([]byte{1}, 32), Sequence: 4, Hash: "abc"}},
	}
}

func TestKitByPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kit.age")
	k := testKit()
	if err := k.Export(path, Protection{Passphrase: "correct horse", workFactor: 10}); err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenKit(sealed, Opening{Passphrase: "correct horse"})
	if err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("kit = %+v, %v; want %+v", got, err, k)
	}
	_, err = OpenKit(sealed, Opening{Passphrase: "wrong"})
	wantKind(t, err, holdfast.KindInvalid, "does not open")
	_, err = OpenKit([]byte("hello"), Opening{Passphrase: "wrong"})
	wantKind(t, err, holdfast.KindInvalid, "not a recovery kit")
	broken := bytes.Clone(sealed)
	broken[len(broken)/2] ^= 1
	if _, err := OpenKit(broken, Opening{Passphrase: "correct horse"}); err == nil {
		t.Error("damaged kit opened")
	}
	wantKind(t, k.Export(path, Protection{Passphrase: "x", workFactor: 10}), holdfast.KindConflict, path)
	if _, err := got.For("r1", "o1", 0); err != nil {
		t.Error(err)
	}
	_, err = got.For("r2", "o1", 0)
	wantKind(t, err, holdfast.KindInvalid, "r1", "r2")
	_, err = got.For("r1", "o2", 0)
	wantKind(t, err, holdfast.KindNotFound, "o2", "newer kit")
}

func TestKitByRecipient(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	k := testKit()
	sealed, err := k.Seal(Protection{Recipients: []string{identity.Recipient().String()}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenKit(sealed, Opening{Identities: holdfast.Secret("# comment\n" + identity.String() + "\n")})
	if err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("kit = %+v, %v; want %+v", got, err, k)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenKit(sealed, Opening{Identities: holdfast.Secret(other.String())})
	wantKind(t, err, holdfast.KindInvalid, "does not open")
	_, err = k.Seal(Protection{Recipients: []string{"bob"}})
	wantKind(t, err, holdfast.KindInvalid, "bob")
	_, err = k.Seal(Protection{})
	wantKind(t, err, holdfast.KindInvalid, "passphrase or by recipients")
}

func TestKitBesideTheKeyFile(t *testing.T) {
	key, err := New()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Beside(key)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := testKit().Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenKit(sealed, Opening{Passphrase: p.Passphrase}); err != nil || !reflect.DeepEqual(got, testKit()) {
		t.Errorf("kit = %+v, %v", got, err)
	}
}
