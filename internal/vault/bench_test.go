package vault

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// longMail looks like what Graph gives: immutable ids that share most of their bytes, real field lengths.
func longMail(rng *rand.Rand, n, folders int) holdfast.Item {
	id := fmt.Sprintf("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A%016x%016xAAAA%08x==", rng.Uint64(), rng.Uint64(), n)
	return holdfast.Item{
		ID: id, Parent: fmt.Sprintf("AQMkADUzNzM5AGI0LTk1NTgtNDk1OC1hZjM4LTk1YTg5MTk3MDM4NQAuAAAD%08x", n%folders), Kind: holdfast.KindMail,
		Version: fmt.Sprintf("CQAAABYAAAD%012x", rng.Uint64()>>16), Time: epoch0.Add(time.Duration(rng.IntN(1<<30)) * time.Second), Size: 2000,
		Name: fmt.Sprintf("Re: Subject of the mail number %d about %x", n, rng.Uint32()),
		Fields: map[string]string{
			holdfast.FieldFrom: fmt.Sprintf("Person %d <person%d@example.com>", n%997, n%997), holdfast.FieldTo: "a@example.com",
			holdfast.FieldSent: "2026-03-01T12:00:00Z", holdfast.FieldRead: "true", holdfast.FieldClass: "IPM.Note",
		},
	}
}

// fill makes a container of n small mails.
func (b *bench) fill(c holdfast.Container, n, folders, body int) (*Head, []holdfast.Item) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	w := b.writerOf(c, nil)
	defer w.Close()
	list := make([]holdfast.Item, n)
	text := strings.Repeat("word ", 1+body/5)
	for i := range n {
		list[i] = longMail(rng, i, folders)
		b.put(w, list[i], fmt.Sprintf("%x %s", rng.Uint64(), text[:body]))
	}
	return b.publish(w), list
}

// BenchmarkIncremental makes 100 changes (40 new, 40 flags, 10 moves, 10 deletes) in a container of 10,000 and 1,000,000 items.
func BenchmarkIncremental(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := newBench(b)
			x.opts.CacheBytes = 64 << 20
			from := cpu()
			h, list := x.fill(testMailbox, n, 40, 200)
			filled := cpu() - from
			rng := rand.New(rand.NewPCG(2, 2))
			blobs0, written0 := x.repo.store.place.Written()
			from = cpu()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				x.reopen() // nothing of the container is in memory
				runtime.GC()
				from := cpu()
				b.StartTimer()
				w := x.writer(h)
				body := 0
				for i := range 100 {
					switch {
					case i < 40:
						m := longMail(rng, n+i, 40)
						x.put(w, m, "new body of 200 bytes")
						body += 21
					case i < 80:
						m := list[rng.IntN(n)]
						m.Version = "changed"
						if err := w.Put(b.Context(), m, holdfast.Kept(holdfast.FormMIME)); err != nil {
							b.Log(err) // deleted by an earlier round
						}
					case i < 90:
						m := list[rng.IntN(n)]
						m.Parent = list[rng.IntN(n)].Parent
						if err := w.Put(b.Context(), m, holdfast.Kept(holdfast.FormMIME)); err != nil {
							b.Log(err)
						}
					default:
						if err := w.Delete(b.Context(), list[rng.IntN(n)].ID); err != nil {
							b.Fatal(err)
						}
					}
				}
				h = x.publish(w)
				b.StopTimer()
				blobs, written := x.repo.store.place.Written()
				b.ReportMetric(float64(written), "bytes-written")
				b.ReportMetric(float64(blobs), "blobs")
				b.ReportMetric(float64((cpu()-from).Microseconds())/1000, "cpu-ms")
				b.StartTimer()
			}
			b.ReportMetric(float64(len(h.Runs)), "runs")
			index := int64(0)
			for _, r := range h.Runs {
				index += r.Bytes
			}
			b.Logf("filled with %d in %v CPU, %d blobs, %d bytes, rows %d bytes raw", n, filled, blobs0, written0, index)
		})
	}
}

// BenchmarkFolder opens a folder of 100,000 items over 30 runs.
func BenchmarkFolder(b *testing.B) {
	x := newBench(b)
	x.opts.CacheBytes = 64 << 20
	h, list := x.fill(testMailbox, 100_000, 1, 20)
	rng := rand.New(rand.NewPCG(2, 2))
	w := x.writer(h)
	// Levels below the top as full as they get without a merge.
	for i := range 29 {
		for range 100 {
			m := list[rng.IntN(len(list))]
			m.Version = fmt.Sprint(i)
			if err := w.Put(b.Context(), m, holdfast.Kept(holdfast.FormMIME)); err != nil {
				b.Fatal(err)
			}
		}
		h = x.publish(w)
	}
	parent := list[0].Parent
	b.Logf("%d runs", len(h.Runs))
	page := func(f *Folder, offset int) {
		got, err := f.Page(b.Context(), offset, 50)
		if err != nil || len(got) != 50 {
			b.Fatalf("%d items, %v", len(got), err)
		}
	}
	b.Run("first page, nothing cached", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			x.vault.cache = newCache(64 << 20)
			b.StartTimer()
			f, err := x.view(h).Folder(b.Context(), parent, ByTime)
			if err != nil {
				b.Fatal(err)
			}
			page(f, 0)
		}
	})
	b.Run("open whole order, nothing cached", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			x.vault.cache = newCache(64 << 20)
			b.StartTimer()
			f, err := x.view(h).Folder(b.Context(), parent, ByTime)
			if err != nil {
				b.Fatal(err)
			}
			page(f, 50)
		}
	})
	f, err := x.view(h).Folder(b.Context(), parent, ByTime)
	if err != nil {
		b.Fatal(err)
	}
	page(f, 50)
	for _, n := range []int{0, 1000, 1999} {
		b.Run(fmt.Sprintf("page %d once open", n), func(b *testing.B) {
			for range b.N {
				page(f, 50*n)
			}
		})
	}
}
