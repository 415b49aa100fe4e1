package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// try repeats what may be repeated, as the engine does.
func try(fn func() error) (err error) {
	for range 8 {
		err = fn()
		var skip *holdfast.Skip
		if err == nil || errors.As(err, &skip) && skip.Reason != holdfast.SkipLocked && skip.Reason != holdfast.SkipChanging || holdfast.KindOf(err) == holdfast.KindInvalid || holdfast.KindOf(err) == holdfast.KindDenied {
			return err
		}
	}
	return err
}

// putBack restores what of a mailbox want lets through, as the engine does. again says that an earlier attempt began every item.
func (f fixture) putBack(t *testing.T, c *workloadtest.Container, again bool, want func(id string) bool) {
	t.Helper()
	var to engine.Restore
	must := func(what string, fn func() error) {
		t.Helper()
		if err := try(fn); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	must("open", func() (err error) {
		to, err = f.target.Open(t.Context(), engine.RestorePlan{From: f.box, To: f.box, Session: "s", Mode: engine.Overwrite, Newer: true, Notes: &workloadtest.Notes{}})
		return err
	})
	if to == nil {
		return
	}
	folders := map[string]string{}
	var folder func(id string) string
	folder = func(id string) string {
		if at, ok := folders[id]; ok || id == "" {
			return at
		}
		item := c.Items()[id]
		parent := folder(item.Parent)
		must("folder "+item.Name, func() (err error) {
			folders[id], err = to.Folder(t.Context(), item.Item, parent)
			return err
		})
		return folders[id]
	}
	var ids []string
	for id := range c.Items() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		item := c.Items()[id]
		if item.Kind == holdfast.KindFolder {
			folder(id)
			continue
		}
		if !want(id) {
			continue
		}
		p := engine.Put{Item: item.Item, Parent: folder(item.Parent), Marker: "marker of " + id, Open: item.Open, Again: again}
		p.Made = func(_ context.Context, id string) error { p.NewID = id; return nil }
		must(string(item.Kind)+" "+item.Name, func() error {
			res, err := to.Put(t.Context(), p)
			if p.Again = true; res.NewID != "" {
				p.NewID = res.NewID
			}
			return err
		})
	}
	must("close", func() error { return to.Close(t.Context()) })
}

// ofTheService are properties of the oracle's rows that the service gives by itself.
var ofTheService = []string{"id", "version", "created", "modified", "createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime", "mimeSha256", "iCalUId", "uid", "webLink", "changeKey", "onlineMeeting", "etag",
	"size", "extended", "transactionId", "conversation"}

// texts writes all that the oracle tells of a mailbox as text, without what the service gives by itself.
func (f fixture) texts(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	var bare func(v any)
	bare = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range ofTheService {
				delete(v, name)
			}
			for _, x := range v {
				bare(x)
			}
		case []any:
			for _, x := range v {
				bare(x)
			}
		}
	}
	note := func(row any) error {
		raw, err := json.Marshal(row)
		if err != nil {
			return err
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		bare(v)
		raw, err = json.Marshal(v)
		out[string(raw)]++
		return err
	}
	err := errors.Join(
		f.sim.DumpMailbox(f.box.Source, false, func(r sim.MailFolderRow) error { return note(r) }, func(r sim.MailRow) error { return note(r) }),
		f.sim.DumpPIM(f.box.Source, func(r sim.PIMRow) error {
			if r.Folder == "Birthdays" {
				return nil // nobody writes that calendar
			}
			return note(r)
		}))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A mailbox is backed up three times, wiped and put back while everything fails, by one attempt and by one that goes on after another, and is as it is
// after a restore that nothing disturbs.
func TestAMailboxIsPutBackWhileEverythingFails(t *testing.T) {
	both(t, func(t *testing.T) {
		for n := range 4 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				f := setup(t, sim.Options{Users: 2, Seed: uint64(n + 1), Mail: sim.MailShape{Messages: 20, MeanSize: 3000, WithAttachments: 0.6}, PIM: sim.PIMShape{Contacts: 4, Events: 10, Tasks: 6}})
				for i := range 2 {
					mime := fmt.Sprintf("From: a@example.org\r\nSubject: forwarded %d\r\nMessage-ID: <f%[1]d@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n"+
						"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@example.org\r\nSubject: first\r\nMessage-ID: <first%[1]d@example.org>\r\nContent-Type: text/plain\r\n\r\nabout\r\n--b--\r\n", i)
					if _, err := f.sim.Deliver(f.box.Source, "inbox", []byte(mime)); err != nil {
						t.Fatal(err)
					}
				}
				source := f.all
				if slices.Contains(without(t), holdfast.PartExport) {
					source = mailOnly{f.all, []holdfast.MailboxPart{holdfast.PartExport}}
				}
				c := workloadtest.New()
				for i := range 3 {
					calm := workloadtest.Disturb(t, f.sim, n)
					if err := try(func() error { return c.Read(t.Context(), source, f.box) }); err != nil {
						t.Fatal(err)
					}
					calm()
					if i < 2 {
						if _, err := f.sim.Churn(sim.Churn{Seed: uint64(n*10 + i), New: 4, Flags: 4, Moves: 2, Deletes: 2, Contacts: 2, Events: 3, Tasks: 3}); err != nil {
							t.Fatal(err)
						}
					}
				}
				for id, s := range c.Skips {
					t.Errorf("skipped %q: %v", c.Items()[id].Name, s)
				}
				plain := workloadtest.New()
				if err := plain.Read(t.Context(), source, f.box); err != nil {
					t.Fatal(err)
				}
				wiped := func() {
					if err := f.sim.WipeMailbox(f.box.Source); err != nil {
						t.Fatal(err)
					}
					f.sim.Clock().Move(time.Minute)
				}
				all := func(string) bool { return true }
				wiped()
				f.putBack(t, plain, false, all)
				want := f.texts(t)
				if len(want) < 40 {
					t.Fatalf("the mailbox has %d rows", len(want))
				}
				wiped()
				calm := workloadtest.Disturb(t, f.sim, n)
				if n%2 == 1 {
					f.putBack(t, c, false, func(id string) bool { return crc32.ChecksumIEEE([]byte(id))%2 == 0 })
				}
				f.putBack(t, c, n%2 == 1, all)
				calm()
				workloadtest.SameCounts(t, f.texts(t), want)
			})
		}
	})
}
