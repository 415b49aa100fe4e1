package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"

	"holdfast/internal/engine"
	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Where the cloud has the mailbox import/export API, a mail is read as Exchange exports it: twenty to a call, with every property that it has. Lists
// and cursors are those of the MIME path; only what a row asks to be fetched is fetched otherwise. What is stored is the exported stream
// (holdfast.FormFTS, with its records in holdfast.FormRecords) and the JSON of the row, which has what a list and a search by fields show.

const (
	// exportBytes bounds, by what rows say, the items of one call; an item that is larger is asked for alone.
	exportBytes = 16 << 20
	// exportAttempts bounds how often an item is asked for.
	exportAttempts = 5
	exportRight    = "MailboxItem.Export.All"
)

// exporter is what a reader knows of the export of its mailbox.
type exporter struct {
	mu     sync.Mutex // guards all below
	of     graph.MailboxOf
	asked  bool // this read asked for of.ID
	change bool // the service takes no immutable ids: others are asked for
	denied bool // the service refuses exports: what is left is read as MIME
}

// exports tells whether mails are exported: the cloud has the API, the application the right, and the job did not choose otherwise.
func (s *source) exports(ctx context.Context) (bool, error) {
	if !s.g.M365().Cloud().Has(m365.MailboxExport) || !engine.Reads(ctx, engine.PartExport) {
		return false, nil
	}
	missing, err := s.g.CheckPermissions(ctx, exportRight)
	return len(missing) == 0, err
}

// exportAll begins the export of what rows asked for, in groups.
func (r *reader) exportAll(ctx context.Context) {
	var group []*exporting
	var size int64
	flush := func() {
		if len(group) == 0 {
			return
		}
		g, n := group, size
		group, size = nil, 0
		r.sink.Go(ctx, n, func(ctx context.Context) error { return r.exportGroup(ctx, g) })
	}
	for i, f := range r.fetches {
		r.fetches[i] = fetch{}
		n := max(f.item.Size, 16<<10)
		if len(group) == graph.MaxExport || size+n > exportBytes {
			flush()
		}
		group, size = append(group, &exporting{fetch: f}), size+n
	}
	flush()
	r.fetches = r.fetches[:0]
}

// exporting is an item on its way.
type exporting struct {
	fetch
	err  error  // of the last attempt
	sum  uint64 // of a stream that was not understood
	read bool   // one was
	asIs bool   // it came twice the same: it is stored as it is
	why  string // it was not understood
	done bool
}

// exportGroup exports some items and stores them. What fails is asked for again with what else failed, and named in the end.
func (r *reader) exportGroup(ctx context.Context, group []*exporting) error {
	left := group
	for attempt := 1; len(left) > 0 && attempt <= exportAttempts; attempt++ {
		if attempt > 1 && slices.ContainsFunc(left, func(x *exporting) bool {
			return m365.KindOf(x.err) == m365.Unavailable || m365.KindOf(x.err) == m365.Throttled
		}) {
			if err := r.g.M365().Wait(ctx, r.g.M365().Backoff(attempt-1)); err != nil {
				return err
			}
		}
		if err := r.exportSome(ctx, left); err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(x *exporting) bool { return x.done })
	}
	for _, x := range left {
		if err := r.notExported(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// mailbox is the mailbox as the export calls it, and whether its ids must be the changing ones.
func (r *reader) exportedMailbox(ctx context.Context, anew bool) (of graph.MailboxOf, change bool, err error) {
	x := r.exporter
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of.ID == "" || anew && !x.asked {
		id, err := r.g.MailboxID(ctx, x.of.User)
		if err != nil {
			return x.of, false, fmt.Errorf("look up the mailbox: %w", err)
		}
		x.asked = true
		if id != x.of.ID {
			x.of.ID = id
			if err := r.sink.Cursor(ctx, cursorMailbox, id); err != nil {
				return x.of, false, err
			}
		}
	}
	return x.of, x.change, nil
}

func (x *exporter) set(what *bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	*what = true
}

func (x *exporter) refused() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.denied
}

// exportSome makes one call. What it leaves undone has an error each.
func (r *reader) exportSome(ctx context.Context, group []*exporting) error {
	if r.exporter.refused() {
		return r.instead(ctx, group)
	}
	of, change, err := r.exportedMailbox(ctx, false)
	if err != nil {
		return err
	}
	ids := make([]string, len(group))
	for i, x := range group {
		ids[i] = x.item.ID
	}
	if change {
		if ids, err = r.changingIDs(ctx, ids); err != nil {
			return err
		}
	}
	answer, err := r.g.ExportItems(ctx, of, ids)
	switch kind := m365.KindOf(err); {
	case err == nil:
		defer answer.Close()
		return r.exportAnswer(ctx, answer, group, ids)
	case kind == m365.Denied:
		r.exporter.set(&r.exporter.denied)
		return r.instead(ctx, group)
	case kind == m365.NotFound || kind == m365.Unlicensed:
		// Of the mailbox: another id may stand for it now.
		if gone := r.mailboxThere(ctx); gone != nil {
			return gone
		}
		if _, _, err := r.exportedMailbox(ctx, true); err != nil {
			return err
		}
	case kind == m365.Unavailable || kind == m365.Corrupt || kind == m365.Invalid:
		// One item may be what the service stumbles over: in halves it is found.
		if len(group) > 1 {
			half := len(group) / 2
			return errors.Join(r.exportSome(ctx, group[:half]), r.exportSome(ctx, group[half:]))
		}
	default:
		return fmt.Errorf("export mails: %w", err)
	}
	for _, x := range group {
		x.err = err
	}
	return nil
}

// instead reads as MIME what can't be exported.
func (r *reader) instead(ctx context.Context, group []*exporting) error {
	for _, x := range group {
		if err := r.fetch(ctx, x.item, x.raw, x.beyond); err != nil {
			return err
		}
		x.done = true
	}
	return nil
}

// changingIDs gives the ids that a move changes.
func (r *reader) changingIDs(ctx context.Context, ids []string) ([]string, error) {
	changed, err := r.g.TranslateIDs(ctx, r.mailbox, ids, graph.ImmutableID, graph.RestID)
	if err != nil {
		return nil, fmt.Errorf("translate ids: %w", err)
	}
	out := slices.Clone(ids)
	for i, id := range ids {
		if to := changed[id]; to != "" {
			out[i] = to // else the export says of it what it says
		}
	}
	return out, nil
}

// exportAnswer stores the items of an answer as they come.
func (r *reader) exportAnswer(ctx context.Context, answer *graph.Export, group []*exporting, ids []string) error {
	for _, x := range group {
		x.err = errors.New("the answer does not have it")
	}
	for {
		got, err := answer.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			for _, x := range group {
				if !x.done {
					x.err = err
				}
			}
			return fatal(ctx, err)
		}
		i := slices.Index(ids, got.ItemID)
		if i < 0 || group[i].done {
			continue
		}
		x := group[i]
		x.err = got.Err
		if got.Data != nil {
			x.err = r.storeExported(ctx, x, got.Data)
		}
		var e *graph.Error
		switch {
		case x.err == nil:
			x.done = true
			if err := r.retried(ctx, x.item.ID); err != nil {
				return err
			}
		case errors.As(x.err, &e) && e.Has("ErrorInvalidIdMalformed"):
			r.exporter.set(&r.exporter.change)
		case m365.KindOf(x.err) == m365.NotFound:
			if err := r.exportVanished(ctx, x); err != nil {
				return err
			}
		}
		if err := fatal(ctx, x.err); err != nil {
			return err
		}
	}
}

// fatal is an error that is no item's own.
func fatal(ctx context.Context, err error) error {
	var stream *fasttransfer.Error
	var own *holdfast.Skip
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, errors.As(err, &stream), errors.As(err, &own), m365.KindOf(err) != m365.Other:
		return nil
	}
	return err
}

// exportVanished settles what the export does not find.
func (r *reader) exportVanished(ctx context.Context, x *exporting) error {
	_, err := r.g.Message(ctx, r.mailbox, x.item.ID, graph.List{Select: []string{"id"}})
	switch {
	case m365.KindOf(err) == m365.NotFound:
		// Deleted since its row was served: it was not there for the whole of the backup.
		x.done = true
		return r.notThere(ctx, x.item.ID)
	case err != nil:
		return fmt.Errorf("look up message: %w", err)
	}
	x.err = &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the message is there and its content is not: %w", x.err)}
	return nil
}

// notExported names an item that every attempt left undone.
func (r *reader) notExported(ctx context.Context, x *exporting) error {
	s := m365.Skip(x.err)
	var stream *fasttransfer.Error
	if errors.As(x.err, &stream) {
		s = &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("its content came differently each time and was not understood: %w", x.err)}
		if stream.Truncated {
			s = &holdfast.Skip{Reason: holdfast.SkipTransient, Err: x.err}
		}
	}
	if s == nil {
		s = &holdfast.Skip{Reason: holdfast.SkipTransient, Err: x.err}
	}
	return r.missed(ctx, x.item, s)
}

// storeExported stores an item with the stream that data gives.
func (r *reader) storeExported(ctx context.Context, x *exporting, data io.Reader) error {
	row := holdfast.Whole(holdfast.FormJSON, bytes.NewReader(x.raw), int64(len(x.raw)))
	if x.asIs {
		item := x.item
		item.Fields[holdfast.FieldUnreadable] = x.why
		return r.sink.Put(ctx, item, row, holdfast.Whole(holdfast.FormFTS, fasttransfer.Whole(data), -1))
	}
	sum := holdfast.NewSum()
	split := fasttransfer.NewSplitter(data, apart, func(b []byte) { _, _ = sum.Write(b) }) // never fails
	err := r.sink.Put(ctx, x.item, row, holdfast.Payload{Form: holdfast.FormFTS, Pieces: piecesOf(split), Served: sum.Sum64}, recordsOf(split))
	var stream *fasttransfer.Error
	if errors.As(err, &stream) && !stream.Truncated {
		// Perhaps it comes better another time. What comes twice the same is what the service has, and is stored as it is.
		now := split.Served()
		x.asIs, x.sum, x.read, x.why = x.read && x.sum == now, now, true, stream.Reason
	}
	return err
}

func piecesOf(split *fasttransfer.Splitter) iter.Seq2[holdfast.Piece, error] {
	return func(yield func(holdfast.Piece, error) bool) {
		for p, err := range split.Parts() {
			if !yield(holdfast.Piece{Reader: p.Reader, Size: p.Size, Apart: p.Apart}, err) {
				return
			}
		}
	}
}

// recordsOf is how the records lay around the stream, which is known when that was read.
func recordsOf(split *fasttransfer.Splitter) holdfast.Payload {
	return holdfast.Payload{Form: holdfast.FormRecords, Pieces: func(yield func(holdfast.Piece, error) bool) {
		records := split.Records()
		yield(holdfast.Piece{Reader: bytes.NewReader(records), Size: int64(len(records))}, nil)
	}}
}
