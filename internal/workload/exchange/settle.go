package exchange

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// again reads what an earlier session could not.
func (r *reader) again(ctx context.Context) error {
	ids := slices.DeleteFunc(r.earlier, func(id string) bool { _, seen := r.placed[short(id)]; return seen })
	for m, err := range r.ask(ctx, ids) {
		if err != nil {
			return err
		}
		switch {
		case m.err != nil: // as before: it stays named
		case m.gone:
			if err := r.notThere(ctx, m.id); err != nil {
				return err
			}
		default:
			if err := r.found(ctx, m.message); err != nil {
				return err
			}
		}
	}
	return r.wait(ctx)
}

// found stores a message that was asked for, and the folder that it is in when that is a new one.
func (r *reader) found(ctx context.Context, m *graph.Message) error {
	fresh := false // a folder that no list had
	for folder := m.ParentFolderID; ; {
		if _, known := r.folders[folder]; known || folder == "" || r.special[folder] == rootName {
			break
		}
		if _, left := r.excluded[folder]; left {
			break
		}
		f, err := r.g.MailFolder(ctx, r.mailbox, folder, graph.List{})
		if m365.KindOf(err) == m365.NotFound {
			break // it moves on; what is known of it now is stored, its next folder tells more
		} else if err != nil {
			return fmt.Errorf("look up folder %s: %w", folder, err)
		}
		if err := r.folder(ctx, f, map[string]bool{}); err != nil {
			return err
		}
		if _, known := r.folders[f.ID]; !known {
			break // of a kind that is not read
		}
		folder, fresh = f.ParentFolderID, true
	}
	if fresh {
		if err := r.exclude(ctx); err != nil {
			return err
		}
	}
	if _, left := r.excluded[m.ParentFolderID]; left {
		return r.outside(ctx, m.ID)
	}
	return r.row(ctx, m, m.ParentFolderID)
}

// resolve asks for every message that left a folder. Only "not found" deletes; one that is elsewhere is stored there.
func (r *reader) resolve(ctx context.Context) error {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r.pending)) {
		if at := r.placed[short(id)]; at != "" && at != r.pending[id] {
			if err := r.settle(ctx, id); err != nil {
				return err
			}
			continue
		}
		ids = append(ids, id)
	}
	for m, err := range r.ask(ctx, ids) {
		if err != nil {
			return err
		}
		if m.err != nil {
			// Where it went is asked again by the next read; until then what is known of it may be old.
			delete(r.pending, m.id)
			if err := r.unknown(ctx, m); err != nil {
				return err
			}
			continue
		}
		if m.gone {
			if err := r.notThere(ctx, m.id); err != nil {
				return err
			}
		} else if err := r.found(ctx, m.message); err != nil {
			return err
		}
		if err := r.settle(ctx, m.id); err != nil {
			return err
		}
	}
	return r.wait(ctx)
}

// edited looks whether the drafts that were fetched last are still of the version of their rows: a row and a MIME of two versions must not stand for
// one. More says that those that are not may be fetched once more; else they are named.
func (r *reader) edited(ctx context.Context, more bool) error {
	versions := r.drafts
	r.drafts = map[string]string{}
	for m, err := range r.ask(ctx, slices.Sorted(maps.Keys(versions))) {
		switch {
		case err != nil:
			return err
		case m.err != nil:
			if err := r.unknown(ctx, m); err != nil {
				return err
			}
		case m.gone:
			if err := r.notThere(ctx, m.id); err != nil {
				return err
			}
		case m.message.ChangeKey == versions[m.id]:
		case more:
			if err := r.found(ctx, m.message); err != nil {
				return err
			}
		default:
			why := &holdfast.Skip{Reason: holdfast.SkipChanging, Err: errors.New("the draft was edited each time that it was read: its text and its properties may be of two versions")}
			if err := r.missed(ctx, itemOf(m.message, ""), why); err != nil {
				return err
			}
		}
	}
	return r.wait(ctx)
}

// unknown names a message of which the service cannot tell whether it is there.
func (r *reader) unknown(ctx context.Context, m answer) error {
	item, ok, err := r.prev.Item(ctx, m.id)
	if err != nil {
		return err
	}
	if !ok {
		item = holdfast.Item{ID: m.id, Kind: holdfast.KindMail}
	}
	return r.missed(ctx, item, m365.Skip(m.err))
}

func (r *reader) settle(ctx context.Context, id string) error {
	delete(r.pending, id)
	return r.sink.Cursor(ctx, cursorPending+id, "")
}

// answer is what the service says of one message.
type answer struct {
	id      string
	gone    bool
	message *graph.Message
	err     error // the service cannot tell, of this message alone
}

// ask reads messages by id, twenty to a round trip.
func (r *reader) ask(ctx context.Context, ids []string) iter.Seq2[answer, error] {
	return func(yield func(answer, error) bool) {
		l := r.rows(0, expandAttachments) // an answer to a batch is one body
		for chunk := range slices.Chunk(ids, 20) {
			parts := make([]graph.Part, len(chunk))
			for i, id := range chunk {
				parts[i] = graph.Part{Path: []string{"users", r.mailbox, "messages", id}, List: l}
			}
			results, err := r.g.Batch(ctx, parts)
			if err != nil {
				yield(answer{}, fmt.Errorf("look up messages: %w", err))
				return
			}
			for i, res := range results {
				m, err := graph.Object[graph.Message](res)
				switch {
				case err == nil:
					if !yield(answer{id: chunk[i], message: m}, nil) {
						return
					}
				case m365.KindOf(err) == m365.NotFound:
					if !yield(answer{id: chunk[i], gone: true}, nil) {
						return
					}
				case slices.Contains([]m365.Kind{m365.Corrupt, m365.Locked, m365.Malware, m365.Invalid}, m365.KindOf(err)):
					if !yield(answer{id: chunk[i], err: err}, nil) {
						return
					}
				default:
					yield(answer{}, fmt.Errorf("look up message: %w", err))
					return
				}
			}
		}
	}
}
