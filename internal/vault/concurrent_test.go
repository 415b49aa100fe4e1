package vault

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"holdfast/internal/holdfast"
)

// Writers of several containers, each fed by several goroutines, with spills, seals and readers in between.
func TestConcurrentWritersKeepTheirOwn(t *testing.T) {
	b := newBench(t)
	b.repo.sizes = smallLayout
	b.repo.sizes.spill = 8 << 10
	ctx := t.Context()
	const writers, feeders, each = 3, 3, 60
	heads := make([]*Head, writers)
	var all sync.WaitGroup
	for c := range writers {
		all.Go(func() {
			box := testMailbox
			box.Source = fmt.Sprint("mailbox-", c)
			w, err := b.repo.Writer(ctx, WriterOptions{Container: box, Epoch: 1})
			if err != nil {
				t.Error(err)
				return
			}
			defer w.Close()
			for range 2 {
				var feed sync.WaitGroup
				for f := range feeders {
					feed.Go(func() {
						for n := range each {
							// Every third item is fed by all goroutines at once.
							id := f*each + n
							if n%3 == 0 {
								id = n
							}
							if err := w.Put(ctx, mail(id, "inbox"), text(holdfast.FormMIME, strings.Repeat(fmt.Sprint(c, " ", id, ";"), 1+n))); err != nil {
								t.Error(err)
							}
						}
					})
				}
				feed.Wait()
				h, err := w.Seal(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := b.repo.Publish(ctx, []Head{*h}, Published); err != nil {
					t.Error(err)
				}
				heads[c] = h
			}
		})
	}
	all.Wait()
	for c, h := range heads {
		if h == nil {
			continue
		}
		v := b.view(h)
		got := b.all(v)
		if int64(len(got)) != h.Items {
			t.Errorf("container %d counts %d items, has %d", c, h.Items, len(got))
		}
		for id := range got {
			if body := b.read(v, id, holdfast.FormMIME); !strings.HasPrefix(body, fmt.Sprint(c, " ")) {
				t.Errorf("container %d: %s reads %.20q", c, id, body)
			}
		}
	}
}
