package place

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"

	"holdfast/internal/holdfast"
)

// DamageKind says what is wrong with a stored file.
type DamageKind string

// The kinds of findings. The last three are remarks: nothing that was stored is wrong.
const (
	Changed       DamageKind = "changed"        // its bytes are not what was written
	Missing       DamageKind = "missing"        // the ledger has it, the folder has not
	LedgerDamaged DamageKind = "ledger damaged" // an entry of the ledger, or the chain
	Unlisted      DamageKind = "unlisted"       // no ledger entry: left by a crash, of a writer that runs, or put there by someone
	LeftOver      DamageKind = "left over"      // deleted, or unfinished, and still on disk; never read
	Strange       DamageKind = "strange"        // a file that is not ours
)

// Remark tells findings that are no damage.
func (k DamageKind) Remark() bool { return k == Unlisted || k == LeftOver || k == Strange }

// Damage is one finding of VerifyBlobs.
type Damage struct {
	File     string      // path below the folder of the backup repository
	Kind     DamageKind  //
	Detail   string      // for people
	Record   string      // name of the record that is hurt
	Contents []ContentID // contents that can't be read any more; with none and no Record the finding hurts no item
}

// VerifyOptions choose what to read.
type VerifyOptions struct {
	// Slice of Slices reads only that share of the blobs, from 0; so that a whole pass can be spread over days. Zero Slices reads all.
	Slice, Slices int
	// Progress, when not nil, hears of each blob read.
	Progress func(blobs, bytes int64)
}

// VerifyBlobs reads every blob, compares it with the ledger and reports each difference with the contents that it hurts. What lies in damaged contents
// shows when the caller opens the objects that Contents leads to. The error is of the verification itself: it could not tell.
func (s *Store) VerifyBlobs(ctx context.Context, o VerifyOptions, report func(Damage) error) error {
	ctx, done := withBreaker(ctx)
	defer done()
	err := s.verify(ctx, o, report)
	return s.storage.clear(ctx, err)
}

func (s *Store) verify(ctx context.Context, o VerifyOptions, report func(Damage) error) error {
	l, err := s.loadLedger(ctx)
	if err != nil {
		return err
	}
	folder := Part{s.options.Organization, s.options.Shard}.folder() + "/"
	for _, name := range slices.Sorted(maps.Keys(l.damage)) {
		d := Damage{File: folder + s.storage.disk.file(recordID(name)), Kind: LedgerDamaged, Detail: l.damage[name]}
		if err := report(d); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		have, err := fileHash(s.filePath(name))
		d := Damage{File: folder + name, Kind: Changed, Detail: "file differs from the ledger"}
		if name == descriptionFile {
			d.File = name
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			d.Kind, d.Detail = Missing, "file is missing"
		case err != nil:
			return err
		case have == l.files[name]:
			continue
		}
		if err := report(d); err != nil {
			return err
		}
	}
	broken, err := s.verifyListed(ctx, o, l, report)
	if err != nil {
		return err
	}
	if err := s.reportPacks(ctx, broken, report); err != nil {
		return err
	}
	return s.verifyFolder(ctx, l, report)
}

// verifyListed reads what the ledger lists, reports all but packs, and returns the packs that are not as they were.
func (s *Store) verifyListed(ctx context.Context, o VerifyOptions, l *ledger, report func(Damage) error) (map[blob.ID]Damage, error) {
	broken := map[blob.ID]Damage{}
	var blobs, bytes int64
	for _, id := range slices.Sorted(maps.Keys(l.blobs)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if o.Slices > 1 && fingerprint(id)%uint64(o.Slices) != uint64(o.Slice) {
			continue
		}
		want := l.blobs[id]
		have, err := s.storage.hashOf(ctx, id)
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		blobs++
		bytes += have.size
		if o.Progress != nil {
			o.Progress(blobs, bytes)
		}
		if err == nil && have == want {
			continue
		}
		if err != nil && s.isGoneNow(ctx, id) {
			continue // maintenance deleted it since the ledger was read
		}
		d := Damage{File: s.fileOf(id), Kind: Changed, Detail: fmt.Sprintf("%d bytes that differ from the ledger", have.size)}
		if err != nil {
			d.Kind, d.Detail = Missing, "blob is missing"
		} else if have.size != want.size {
			d.Detail = fmt.Sprintf("%d bytes instead of %d", have.size, want.size)
		}
		switch {
		case id[0] == 'p' || id[0] == 'q':
			broken[id] = d
			continue
		case isIndex(id):
			d.Detail += "; the index inside the packs stands in for it"
		case renamed[id] != "":
			d.Detail += "; a sealed copy stands in for it"
		case id[0] == recordPrefix[0]:
			if kind, _, _ := strings.Cut(nameOf(id), "/"); !reserved[kind] {
				d.Record = nameOf(id)
			}
		}
		if err := report(d); err != nil {
			return nil, err
		}
	}
	return broken, nil
}

func (s *Store) fileOf(id blob.ID) string {
	return Part{s.options.Organization, s.options.Shard}.folder() + "/" + s.storage.disk.file(id)
}

// isGoneNow reads the ledger again: another process may maintain while this one verifies.
func (s *Store) isGoneNow(ctx context.Context, id blob.ID) bool {
	l, err := s.loadLedger(ctx)
	return err == nil && l.isGone(id)
}

// reportPacks finds out which contents of damaged packs can't be read any more: damage may lie in a preamble or in the index at the end.
func (s *Store) reportPacks(ctx context.Context, broken map[blob.ID]Damage, report func(Damage) error) error {
	if len(broken) == 0 {
		return nil
	}
	hurt := map[blob.ID][]ContentID{}
	if s.kopia != nil {
		var suspects []content.Info
		err := s.reader().ContentReader().IterateContents(ctx, content.IterateOptions{}, func(c content.Info) error {
			if _, ok := broken[c.PackBlobID]; ok {
				suspects = append(suspects, c)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range suspects {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := s.reader().ContentReader().GetContent(ctx, c.ContentID); err != nil {
				hurt[c.PackBlobID] = append(hurt[c.PackBlobID], ContentID(c.ContentID.String()))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(broken)) {
		d := broken[id]
		d.Contents = hurt[id]
		slices.Sort(d.Contents)
		if err := report(d); err != nil {
			return err
		}
	}
	return nil
}

// verifyFolder reports what lies in the folder beside what the ledger lists.
func (s *Store) verifyFolder(ctx context.Context, l *ledger, report func(Damage) error) error {
	each := func(m blob.Metadata) error {
		if _, ok := l.blobs[m.BlobID]; ok || isLedgerBlob(m.BlobID) {
			return nil
		}
		d := Damage{File: s.fileOf(m.BlobID), Kind: Unlisted, Detail: "not in the ledger"}
		if l.isGone(m.BlobID) {
			d.Kind, d.Detail = LeftOver, "deleted; it is never read"
		}
		return report(d)
	}
	return s.storage.disk.list(ctx, "", each, func(path string, size int64) error {
		d := Damage{File: Part{s.options.Organization, s.options.Shard}.folder() + "/" + path, Kind: Strange, Detail: fmt.Sprintf("%d bytes that are not holdfast's", size)}
		if strings.HasPrefix(path, tmpDir+"/") {
			d.Kind, d.Detail = LeftOver, "unfinished file of a crash or of a writer that runs"
		}
		return report(d)
	})
}

// Owners gives, for each object that owners yields with any tag of the caller, the tag when one of the object's contents is among the damaged ones or
// can't be found. It is the way from a blob to the items it hurts.
func (s *Store) Owners(ctx context.Context, damaged []ContentID, owners iter.Seq2[ObjectID, string]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		bad := make(map[ContentID]bool, len(damaged))
		for _, c := range damaged {
			bad[c] = true
		}
		for id, tag := range owners {
			contents, err := s.Contents(ctx, id)
			if err != nil && holdfast.KindOf(err) != holdfast.KindDamaged {
				if !yield("", err) {
					return
				}
				continue
			}
			hit := err != nil || slices.ContainsFunc(contents, func(c ContentID) bool { return bad[c] || !s.knows(ctx, c) })
			if hit && !yield(tag, nil) {
				return
			}
		}
	}
}

// knows tells whether the index has a content.
func (s *Store) knows(ctx context.Context, id ContentID) bool {
	c, err := content.ParseID(string(id))
	if err != nil {
		return false
	}
	_, err = s.reader().ContentInfo(ctx, c)
	return err == nil
}

// reader is where objects are read from: kopia as it opened, or what was salvaged of it.
func (s *Store) reader() repo.DirectRepository {
	if s.salvage != nil {
		return s.salvage
	}
	return s.kopia
}

// openSalvaged opens a repository whose index blobs are damaged or gone: the sound ones are used, and each pack's own index stands in for the rest.
func (s *Store) openSalvaged(ctx context.Context, cause error) error {
	damaged := map[blob.ID]struct{}{}
	for id, want := range s.ledger.blobs {
		if !isIndex(id) {
			continue
		}
		if have, err := s.storage.hashOf(ctx, id); isNotFound(err) || err == nil && have != want {
			damaged[id] = struct{}{}
		} else if err != nil {
			return err
		}
	}
	if len(damaged) == 0 {
		return cause
	}
	s.log.ErrorContext(ctx, "index blobs are damaged; the index inside the packs is used, nothing is deleted", "blobs", len(damaged), "folder", s.storage.disk.root, "error", cause)
	s.storage.mu.Lock()
	s.storage.hidden = damaged
	s.storage.mu.Unlock()
	s.salvaged = true
	if s.kopia == nil {
		if err := s.openRepository(ctx); err != nil {
			return err
		}
	}
	_, w, err := s.kopia.NewDirectWriter(ctx, repo.WriteSessionOptions{Purpose: "holdfast salvage"})
	if err != nil {
		return err
	}
	s.salvage = w
	for id, b := range s.ledger.blobs {
		if id[0] != 'p' && id[0] != 'q' {
			continue
		}
		if _, err := w.ContentManager().RecoverIndexFromPackBlob(ctx, id, b.size, true); err != nil {
			s.log.WarnContext(ctx, "no index in a pack", "blob", string(id), "error", err)
		}
	}
	return nil
}
