package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"holdfast/internal/search"
	"holdfast/internal/search/searchtest"
	"holdfast/internal/sys"
	"holdfast/test/harness"
)

// search fills an index with mails of 300 words, asks the 200 fixed searches, and compares sessions with and without indexing.
func (b *bench) search() error {
	if err := b.searchIndex(); err != nil {
		return err
	}
	return b.searchCost()
}

// searchIndex runs the index alone, over a vault in this process.
func (b *bench) searchIndex() (err error) {
	dir := filepath.Join(b.dir, "search")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := searchtest.NewCorpus(int(float64(b.searchMails)*b.scale), 20)
	w, err := searchtest.NewWorld(b.ctx, dir, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(b.ctx))) }()
	early := c.Mails * 95 / 100
	fill := time.Duration(0)
	took, err := b.timed(func() error { return w.Back(b.ctx, 0, early) })
	if err != nil {
		return err
	}
	fill += took.cpu
	if took, err = b.timed(func() error { return w.Back(b.ctx, early, c.Mails) }); err != nil {
		return err
	}
	fill += took.cpu
	x := search.New(search.Config{Folder: filepath.Join(dir, "index"), Vault: w.Vault, Catalogue: w})
	defer func() { err = errors.Join(err, x.Close()) }()
	took, err = b.timed(func() error { return x.Update(b.ctx, searchtest.Organization) })
	if err != nil {
		return err
	}
	per := 100_000 / float64(c.Mails)
	bytes, _ := usage(filepath.Join(dir, "index"))
	of := fmt.Sprintf(" (%d mails of %d words)", c.Mails, searchtest.Words)
	b.add("writing the vault, CPU for each 100,000 mails"+of, "s", 0, fill.Seconds()*per)
	b.add("indexing, CPU for each 100,000 mails"+of, "s", 0, took.cpu.Seconds()*per)
	b.add("indexing, wall for each 100,000 mails", "s", 0, took.wall.Seconds()*per)
	b.add("index on disk, for each 100,000 mails", "MiB", 0, float64(bytes)/(1<<20)*per)
	return b.ask(w, x)
}

// spent is what something took of this process.
type spent struct{ wall, cpu time.Duration }

func (b *bench) timed(fn func() error) (spent, error) {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // can't fail with these arguments
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	cpu, wall := used(), sys.Monotonic()
	err := fn()
	return spent{sys.Monotonic() - wall, used() - cpu}, err
}

func (b *bench) ask(w *searchtest.World, x *search.Index) error {
	type answer struct {
		text  string
		ms    float64
		total int64
		exact bool
	}
	var all []answer
	scope := searchtest.Scope()
	for i, q := range w.Corpus.Queries(w.Times()) {
		began := sys.Monotonic()
		page, err := x.Search(b.ctx, q, scope)
		if err != nil {
			return fmt.Errorf("search %q: %w", q.Text, err)
		}
		all = append(all, answer{q.Text, float64((sys.Monotonic() - began).Microseconds()) / 1000, page.Total, page.Exact})
		if i < len(searchtest.Common) && page.Total*10 < int64(w.Corpus.Mails) {
			return fmt.Errorf("%q stands in %d mails only", q.Text, page.Total)
		}
	}
	slices.SortFunc(all, func(x, y answer) int { return int(x.ms*1000) - int(y.ms*1000) })
	for _, a := range all[len(all)-20:] {
		fmt.Fprintf(os.Stderr, "bench: %8.1f ms  %8d %v  %s\n", a.ms, a.total, a.exact, a.text)
	}
	at := func(share float64) float64 { return all[min(len(all)-1, int(share*float64(len(all))))].ms }
	b.add("200 fixed searches, median", "ms", 0, at(0.5))
	b.add("95th percentile", "ms", 1000, at(0.95))
	b.add("slowest", "ms", 0, at(1))
	return nil
}

// searchCost runs the same first backup without and with an index, in turns.
func (b *bench) searchCost() error {
	// 300 words and nothing else is the dearest for an index; with attachments, as in part full, is what mailboxes hold.
	text := []string{"--users", "20", "--mail-messages", b.n(5000), "--mail-size", "5300", "--mail-attachments", "-1", "--files", "1"}
	if err := b.searchCostOf("100,000 mails of 300 words", text); err != nil {
		return err
	}
	return b.searchCostOf("100,000 mails of part full", b.corpus("0.2"))
}

func (b *bench) searchCostOf(what string, corpus []string) error {
	var lengths, cpus []float64
	for range b.runs {
		without, _, err := b.searchSession("off", corpus)
		if err != nil {
			return err
		}
		with, behind, err := b.searchSession("on", corpus)
		if err != nil {
			return err
		}
		lengths = append(lengths, with.wall.Seconds()/without.wall.Seconds())
		cpus = append(cpus, (with.cpu+behind.cpu-without.cpu).Seconds()/without.cpu.Seconds())
		fmt.Fprintf(os.Stderr, "bench: session without index: %v, CPU %v; with: %v, CPU %v, and after it %v, CPU %v\n", without.wall, without.cpu, with.wall, with.cpu, behind.wall, behind.cpu)
	}
	b.add("first backup of "+what+", length with indexing against without", "times", 1.25, lengths...)
	b.add("CPU of indexing against that of the backup", "times", 0.5, cpus...)
	return nil
}

// searchSession runs a first backup and gives what it took, and what was used from then until the index had all of it.
func (b *bench) searchSession(search string, corpus []string) (session cost, after spent, err error) {
	l, err := b.labWith("cost", mailOnly, []string{"--search", search}, append(corpus, "--limits", "off")...)
	if err != nil {
		return session, after, err
	}
	defer l.close()
	if session, err = l.run(b.ctx); err != nil || search == "off" {
		return session, after, err
	}
	cpu, err := l.server.CPU()
	if err != nil {
		return session, after, err
	}
	began := sys.Monotonic()
	if err := l.indexed(b.ctx); err != nil {
		return session, after, err
	}
	now, err := l.server.CPU()
	return session, spent{sys.Monotonic() - began, now - cpu}, err
}

// indexed waits until the index has every restore point.
func (l *lab) indexed(ctx context.Context) error {
	return harness.Until(ctx, 200*time.Millisecond, func() (bool, error) {
		var all []struct {
			Documents  int64
			Working    bool
			Indexed    *time.Time
			NotIndexed []any
		}
		err := l.server.Call(ctx, http.MethodGet, "/holdfast/v1/Search/Status", nil, &all)
		return err == nil && len(all) == 1 && all[0].Documents > 0 && !all[0].Working && all[0].Indexed != nil && len(all[0].NotIndexed) == 0, err
	})
}
