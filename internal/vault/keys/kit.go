package keys

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"holdfast/internal/holdfast"
)

const kitFormat = 1

// Kit is the content of a recovery kit: with it and the place everything can be read when all of the server is lost.
type Kit struct {
	Format     int                   `json:"format"`
	Product    string                `json:"product"` // "holdfast recovery kit"
	Repository holdfast.RepositoryID `json:"repository"`
	Name       string                `json:"name"` // of the backup repository, for people
	Created    time.Time             `json:"created"`
	Parts      []KitPart             `json:"parts"`
}

// KitPart opens one organization's data.
type KitPart struct {
	Organization holdfast.OrganizationID `json:"organization"`
	Name         string                  `json:"name"` // for people
	Shard        int                     `json:"shard"`
	Password     []byte                  `json:"password"`
	Sequence     uint64                  `json:"ledgerSequence"` // the ledger's head when the kit was made: an older state of the place shows
	Hash         string                  `json:"ledgerHash"`
}

const kitProduct = "holdfast recovery kit"

// Protection says who can open a kit: who knows the passphrase, or who holds the key of one of the recipients (age1…).
type Protection struct {
	Passphrase holdfast.Secret
	Recipients []string

	workFactor int // scrypt's log N; 0 is age's own choice
}

func (p Protection) recipients() ([]age.Recipient, error) {
	if (p.Passphrase == "") == (len(p.Recipients) == 0) {
		return nil, holdfast.Invalid("a recovery kit is protected by a passphrase or by recipients: give one of the two")
	}
	if p.Passphrase != "" {
		r, err := age.NewScryptRecipient(string(p.Passphrase))
		if err != nil {
			return nil, err
		}
		if p.workFactor != 0 {
			r.SetWorkFactor(p.workFactor)
		}
		return []age.Recipient{r}, nil
	}
	var list []age.Recipient
	for _, text := range p.Recipients {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, holdfast.Invalid("%q is not an age recipient (age1…): %w", text, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// Beside is the protection of a kit that lies with the server's own data: whoever has the key file opens it. The passphrase is random, so
// stretching it gains nothing.
func Beside(k *Key) (Protection, error) {
	p, err := k.Passphrase()
	return Protection{Passphrase: p, workFactor: 10}, err
}

// Seal gives the kit as an armoured age file.
func (k Kit) Seal(p Protection) ([]byte, error) {
	recipients, err := p.recipients()
	if err != nil {
		return nil, err
	}
	k.Format, k.Product = kitFormat, kitProduct
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	armoured := armor.NewWriter(&out)
	w, err := age.Encrypt(armoured, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), armoured.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Export writes the kit to a new file of mode 0600 and reads it back: the bytes, and with a passphrase also what they open to.
func (k Kit) Export(path string, p Protection) error {
	sealed, err := k.Seal(p)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return holdfast.Conflict("%s is there already: choose another file for the recovery kit", path)
	} else if err != nil {
		return holdfast.Unavailable("recovery kit %s can't be written: %w", path, err)
	}
	_, err = f.Write(sealed)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close(), syncDir(filepath.Dir(path))); err == nil {
		err = k.check(path, sealed, p)
	}
	if err != nil {
		return holdfast.Unavailable("recovery kit %s was not written: %w", path, errors.Join(err, os.Remove(path)))
	}
	return nil
}

func (k Kit) check(path string, sealed []byte, p Protection) error {
	back, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(back, sealed) {
		return errors.New("the file does not hold what was written")
	}
	if p.Passphrase == "" {
		return nil
	}
	_, err = OpenKit(back, Opening{Passphrase: p.Passphrase})
	return err
}

// Opening is how a kit is opened: by its passphrase, or by the text of an age identity file (AGE-SECRET-KEY-…).
type Opening struct {
	Passphrase holdfast.Secret
	Identities holdfast.Secret
}

func (o Opening) identities() ([]age.Identity, error) {
	if o.Identities != "" {
		list, err := age.ParseIdentities(bytes.NewReader([]byte(o.Identities)))
		if err != nil {
			return nil, holdfast.Invalid("the identity file has no age secret key")
		}
		return list, nil
	}
	if o.Passphrase == "" {
		return nil, holdfast.Invalid("give the passphrase or the identity file of the recovery kit")
	}
	i, err := age.NewScryptIdentity(string(o.Passphrase))
	if err != nil {
		return nil, err
	}
	return []age.Identity{i}, nil
}

// kitLimit bounds what is read of a kit.
const kitLimit = 16 << 20

// OpenKit opens a kit file's bytes, armoured or not.
func OpenKit(sealed []byte, o Opening) (Kit, error) {
	identities, err := o.identities()
	if err != nil {
		return Kit{}, err
	}
	in := bufio.NewReader(bytes.NewReader(sealed))
	var src io.Reader = in
	if start, _ := in.Peek(len(armor.Header)); string(start) == armor.Header {
		src = armor.NewReader(in)
	}
	plain, err := age.Decrypt(src, identities...)
	var mismatch *age.NoIdentityMatchError
	if errors.As(err, &mismatch) {
		return Kit{}, holdfast.Invalid("the passphrase or identity does not open this recovery kit: use the one that it was exported with")
	} else if err != nil {
		return Kit{}, holdfast.Invalid("this is not a recovery kit of holdfast, or it is damaged: use another copy: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(plain, kitLimit))
	if err != nil {
		return Kit{}, holdfast.Damaged("the recovery kit is damaged: use another copy: %w", err)
	}
	var k Kit
	if err := json.Unmarshal(text, &k); err != nil || k.Product != kitProduct {
		return Kit{}, holdfast.Invalid("this age file is not a recovery kit of holdfast")
	}
	if k.Format != kitFormat {
		return Kit{}, holdfast.Invalid("the recovery kit has format %d, this holdfast knows %d: use a newer holdfast", k.Format, kitFormat)
	}
	return k, nil
}

// For gives the part of an organization and shard, after checking that the kit belongs to the repository.
func (k Kit) For(repository holdfast.RepositoryID, organization holdfast.OrganizationID, shard int) (KitPart, error) {
	if k.Repository != repository {
		return KitPart{}, holdfast.Invalid("this recovery kit belongs to backup repository %s, the folder holds %s: use that one's kit", k.Repository, repository)
	}
	for _, p := range k.Parts {
		if p.Organization == organization && p.Shard == shard {
			return p, nil
		}
	}
	return KitPart{}, holdfast.NotFound("the recovery kit of %s knows no organization %s (shard %d): it was exported before that was added; use a newer kit", created(k), organization, shard)
}

func created(k Kit) string { return k.Created.UTC().Format("2006-01-02 15:04") }
