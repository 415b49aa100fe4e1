package search_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// Whatever a mailbox holds, what waits for a transaction is bounded: mails without end in which each word is another one, and mails to
// thousands of people.
func TestIndexingHoldsBoundedMemory(t *testing.T) {
	const most = 80 << 20 // of what lives on; without bounds each of the two takes more than twice as much
	word := 0
	unlike := func(n int) string {
		var b strings.Builder
		for range n {
			word++
			b.WriteString(strconv.FormatInt(int64(word)*2654435761, 36) + " ")
		}
		return b.String()
	}
	var crowd strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&crowd, "Person %d of the large list <person%d@contoso.com>; ", i, i)
	}
	for name, mails := range map[string]struct {
		count int
		make  func(i *holdfast.Item) string
	}{
		"unlike words": {24, func(*holdfast.Item) string { return unlike(140_000) }},
		"large lists": {1500, func(i *holdfast.Item) string {
			i.Fields = map[string]string{holdfast.FieldTo: crowd.String()}
			return "short"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.batch = 1 << 20
			w.must(w.index.Close())
			w.open()
			writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Epoch: 1})
			w.must(err)
			defer writer.Close()
			for n := range mails.count {
				i := holdfast.Item{ID: fmt.Sprint("mail-", n), Parent: "inbox", Kind: holdfast.KindMail, Version: "1", Name: "subject", Time: begin.AddDate(0, 0, n%300)}
				mime := "Content-Type: text/plain\r\n\r\n" + mails.make(&i)
				w.must(writer.Put(t.Context(), i, holdfast.Whole(holdfast.FormMIME, strings.NewReader(mime), int64(len(mime)))))
			}
			head, err := writer.Seal(t.Context())
			w.must(err)
			entry, err := w.repo.Publish(t.Context(), []vault.Head{*head}, vault.Published)
			w.must(err)
			record, err := head.Record(repository, entry.ID)
			w.must(err)
			w.heads[fmt.Sprint(box(0).Key(), "/", head.Number)], w.last[box(0).Key()] = record, head
			w.point()
			live := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before, peak := live(), int64(0)
			// What a transaction writes lives until it is committed.
			w.crash = func() error {
				peak = max(peak, live()-before)
				return nil
			}
			w.must(w.index.Update(t.Context(), organization))
			if t.Logf("%d MiB", peak>>20); peak > most {
				t.Errorf("%d MiB are held, more than %d", peak>>20, most>>20)
			}
			page, err := w.index.Search(t.Context(), holdfast.SearchQuery{Text: "subject", Limit: 1}, []holdfast.SearchScope{{Organization: organization, All: true}})
			w.must(err)
			if page.Total != int64(mails.count) {
				t.Errorf("%d mails are found", page.Total)
			}
		})
	}
}
