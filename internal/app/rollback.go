package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
	"holdfast/internal/vault/place"
)

// note is a head of a part's ledger that was written down outside of the repository's folder.
type note struct {
	head place.Head
	by   string // who has it, for people
	at   time.Time
}

func notesOf(kit keys.Kit, by string) map[place.Part][]note {
	notes := map[place.Part][]note{}
	for _, p := range kit.Parts {
		part := place.Part{Organization: p.Organization, Shard: p.Shard}
		notes[part] = append(notes[part], note{head: place.Head{Sequence: p.Sequence, Hash: p.Hash}, by: by, at: kit.Created})
	}
	return notes
}

// compare says what is wrong with the folder by this note, or what can't be told.
func (n note) compare(r *vault.Repository) (damage, remark string) {
	at := n.at.UTC().Format(time.RFC3339)
	switch r.Anchoring(n.head) {
	case place.RolledBack:
		return fmt.Sprintf("the folder is older than %s of %s: it was put back to an earlier state (its ledger ends at entry %d; entry %d was noted down)", n.by, at, r.LedgerHead().Sequence, n.head.Sequence), ""
	case place.Forked:
		return fmt.Sprintf("the folder has another history than %s of %s: it was put back to an earlier state and written to since (entry %d of its ledger is not the one that was noted down)", n.by, at, n.head.Sequence), ""
	case place.Anchored:
		return "", fmt.Sprintf("the folder is not older than %s of %s; that it was put back to a state since then can't be told by it", n.by, at)
	}
	return "", fmt.Sprintf("%s of %s can't tell whether the folder was put back to an earlier state: it has no head of the ledger, or one that the ledger does not keep or that is damaged", n.by, at)
}

// knownToDatabase is what a server's database has of an organization in a repository.
type knownToDatabase struct {
	points []holdfast.RestorePointID
	heads  []holdfast.HeadRecord // current ones and checkpoints
	anchor holdfast.LedgerHead
}

// noteServer takes what the server noted down: in the kit beside its data, and in its database. It comes before the repository is opened, which a
// running server writes to: what is noted down later would look as if the folder lacked it.
func (o *Offline) noteServer(ctx context.Context, s *Server, key *keys.Key) (err error) {
	o.notes = map[place.Part][]note{}
	sealed, err := os.ReadFile(filepath.Join(s.config.Data, "kits", string(o.id)+".age"))
	if err == nil {
		passphrase, err := key.Passphrase()
		if err != nil {
			return err
		}
		// A kit that does not open is no word about the repository; the database has its own.
		if kit, err := keys.OpenKit(sealed, keys.Opening{Passphrase: passphrase}); err == nil {
			o.notes = notesOf(kit, "the kit beside the server's data")
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	options := s.database()
	o.database = func(ctx context.Context) (map[holdfast.OrganizationID]knownToDatabase, error) {
		return readKnown(ctx, options, o.id)
	}
	if o.known, err = o.database(ctx); err != nil {
		return err
	}
	for org, k := range o.known {
		if k.anchor.Sequence > 0 {
			part := place.Part{Organization: org}
			o.notes[part] = append(o.notes[part], note{head: place.Head{Sequence: k.anchor.Sequence, Hash: k.anchor.Hash}, by: "the server's database", at: k.anchor.Time})
		}
	}
	return nil
}

func readKnown(ctx context.Context, options store.Options, repo holdfast.RepositoryID) (all map[holdfast.OrganizationID]knownToDatabase, err error) {
	db, err := store.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = service.OnStore(db).Read(ctx, func(ctx context.Context, tx service.Tx) error {
		all = map[holdfast.OrganizationID]knownToDatabase{}
		points, err := tx.RestorePoints(ctx, holdfast.PointFilter{Repository: repo}, holdfast.Page{})
		if err != nil {
			return err
		}
		for _, p := range points {
			k := all[p.Organization]
			k.points = append(k.points, p.ID)
			all[p.Organization] = k
		}
		heads, err := tx.CurrentHeads(ctx, repo, "")
		if err != nil {
			return err
		}
		for _, h := range heads {
			k := all[h.Organization]
			k.heads = append(k.heads, h)
			all[h.Organization] = k
		}
		for org, k := range all {
			if k.anchor, err = service.Anchor(ctx, tx, repo, org); err != nil {
				return err
			}
			all[org] = k
		}
		return nil
	})
	return all, err
}

// LostParts names the organizations that the kit or the server knows and of which the folder has nothing at all.
func (o *Offline) LostParts() (damage []vault.Damage, err error) {
	have := map[place.Part]bool{}
	for p, err := range place.Parts(o.Path) {
		if err != nil {
			return nil, err
		}
		have[p] = true
	}
	lost := map[place.Part][]holdfast.RestorePointID{}
	for p := range o.notes {
		if !have[p] {
			lost[p] = nil
		}
	}
	for org, k := range o.known {
		if p := (place.Part{Organization: org}); !have[p] {
			lost[p] = k.points
		}
	}
	for p, points := range lost {
		damage = append(damage, vault.Damage{What: fmt.Sprintf("the folder has nothing of organization %s, though it should: it was put back to an earlier state, or that organization's folder is lost", p.Organization), Points: points})
	}
	slices.SortFunc(damage, func(a, b vault.Damage) int { return strings.Compare(a.What, b.What) })
	return damage, nil
}

// Rollback compares an organization's part with what is known of it outside of the folder: the heads of its ledger in the kit or at the server, and
// the server's restore points and current heads. What is damage is lost or older than it should be; the remarks say what can't be told.
func (o *Offline) Rollback(ctx context.Context, r *vault.Repository) (damage []vault.Damage, remarks []string, err error) {
	ref := r.Ref()
	notes := o.notes[place.Part{Organization: ref.Organization, Shard: ref.Shard}]
	if len(notes) == 0 {
		remarks = append(remarks, "nobody noted down the ledger's head: that the folder was put back to an earlier state can't be told by it")
	}
	for _, n := range notes {
		wrong, untold := n.compare(r)
		if wrong != "" {
			damage = append(damage, vault.Damage{What: wrong})
		} else {
			remarks = append(remarks, untold)
		}
	}
	if o.database == nil {
		return damage, remarks, nil
	}
	k := o.known[ref.Organization]
	lost, err := lostPoints(ctx, r, k)
	if err != nil {
		return nil, nil, err
	}
	if len(lost) > 0 {
		// A server that runs forgets a restore point before it leaves the folder: ask it again.
		now, err := o.database(ctx)
		if err != nil {
			return nil, nil, err
		}
		lost = slices.DeleteFunc(lost, func(p holdfast.RestorePointID) bool { return !slices.Contains(now[ref.Organization].points, p) })
	}
	if len(lost) > 0 {
		damage = append(damage, vault.Damage{What: "the server's database has restore points that the folder lacks: it was put back to an earlier state, or their records are lost", Points: lost})
	}
	for _, rec := range k.heads {
		h, err := vault.DecodeHead(rec.Data)
		if err != nil {
			return nil, nil, holdfast.Damaged("the database's record of head %d of %s: %w", rec.Number, rec.Container, err)
		}
		if _, err := r.Head(ctx, h.Object); holdfast.KindOf(err) == holdfast.KindDamaged {
			damage = append(damage, vault.Damage{What: fmt.Sprintf("the newest state of %s that the server's database has (%s) is not in the folder, or can't be read", rec.Container, rec.Time.UTC().Format(time.RFC3339)),
				Items: []vault.HurtItem{{Container: rec.Container.Key(), Name: "everything in it"}}, Hurt: 1})
		} else if err != nil {
			return nil, nil, err
		}
	}
	return damage, remarks, nil
}

func lostPoints(ctx context.Context, r *vault.Repository, k knownToDatabase) (lost []holdfast.RestorePointID, err error) {
	have, err := r.PointIDs(ctx)
	for _, p := range k.points {
		if !have[p] {
			lost = append(lost, p)
		}
	}
	return lost, err
}
