package place_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault/keys"
	"holdfast/internal/vault/place"
)

// Key file, database and server are gone; the folder and the recovery kit are left.
func TestKitAndPlaceSuffice(t *testing.T) {
	ctx := context.Background()
	server, dir := t.TempDir(), filepath.Join(t.TempDir(), "place")
	kek, err := keys.CreateFile(filepath.Join(server, "key"))
	if err != nil {
		t.Fatal(err)
	}
	password, err := keys.NewPassword()
	if err != nil {
		t.Fatal(err)
	}
	const repository = "99999999-2222-3333-4444-555555555555"
	wrapped, err := kek.Wrap(repository+"/"+organization, password)
	if err != nil {
		t.Fatal(err)
	}
	if err := place.Prepare(dir, place.Description{ID: repository, KeyID: kek.ID(), Created: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	o := place.Options{Dir: dir, Organization: organization, Password: password, Wrapped: wrapped}
	if err := place.Create(ctx, o); err != nil {
		t.Fatal(err)
	}
	s := open(t, o)
	w := session(t, s)
	id := put(t, w, []byte("all of it"), place.Block)
	flush(t, w)
	record(t, s, "point/a", "point")
	head := s.LedgerHead()
	closeStore(t, s)
	sealed, err := keys.Kit{Repository: repository, Parts: []keys.KitPart{{
		Organization: organization, Password: password, Sequence: head.Sequence, Hash: head.Hash,
	}}}.Seal(mustBeside(t, kek))
	if err != nil {
		t.Fatal(err)
	}
	passphrase := mustBeside(t, kek).Passphrase

	// With the key file and without the database.
	keyID, stored, err := place.ReadWrapped(dir, place.Part{Organization: organization})
	if err != nil {
		t.Fatal(err)
	}
	again, err := keys.LoadFile(filepath.Join(server, "key"), keyID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(repository+"/"+organization, stored); err != nil || !bytes.Equal(got, password) {
		t.Errorf("unwrapped password differs, %v", err)
	}

	// With nothing of the server.
	if err := os.RemoveAll(server); err != nil {
		t.Fatal(err)
	}
	kit, err := keys.OpenKit(sealed, keys.Opening{Passphrase: passphrase})
	if err != nil {
		t.Fatal(err)
	}
	d, err := place.Describe(dir)
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range place.Parts(dir) {
		if err != nil {
			t.Fatal(err)
		}
		part, err := kit.For(d.ID, p.Organization, p.Shard)
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, place.Options{Dir: dir, Organization: p.Organization, Shard: p.Shard, Password: part.Password, ReadOnly: true})
		if got, err := get(s, id); err != nil || string(got) != "all of it" {
			t.Errorf("object = %q, %v", got, err)
		}
		if s.Anchoring(place.Head{Sequence: part.Sequence, Hash: part.Hash}) != place.Anchored {
			t.Error("the place does not hold the kit's ledger head")
		}
	}
	_, err = kit.For("another", organization, 0)
	wantKind(t, err, holdfast.KindInvalid, "another")
}

func mustBeside(t *testing.T, k *keys.Key) keys.Protection {
	t.Helper()
	p, err := keys.Beside(k)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
