package extract_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/extract"
)

// One process reads file after file. One that ends in between, or because of a file, is followed by another.
func TestPDFsAreReadByOneProcess(t *testing.T) {
	read := func(data, want string) {
		t.Helper()
		got, err := extract.File(t.Context(), "a.pdf", strings.NewReader(data), extract.Limits{Time: 10 * time.Second})
		if err != nil || !strings.Contains(got.Text, want) || want != "" && len(got.Remark) > 0 {
			t.Fatalf("got %q %q, %v; want %q", got.Text, got.Remark, err, want)
		}
	}
	read(pdf("begin"), "begin")
	first := extract.IdleWorkers()
	for i := range 20 {
		read(pdf(fmt.Sprint("page of ", i), "second page"), fmt.Sprint("page of ", i))
	}
	read("%PDF-1.4 garbage", "")
	if now := extract.IdleWorkers(); len(now) != 1 || !slices.Equal(now, first) {
		t.Errorf("processes %v were %v", now, first)
	}
	if err := syscall.Kill(first[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	read(pdf("after its end"), "after its end")
	second := extract.IdleWorkers()
	if len(second) != 1 || second[0] == first[0] {
		t.Errorf("processes %v were %v", second, first)
	}
	// A file that takes too long ends it, and takes nobody along.
	slow := pdf(") Tj " + strings.Repeat("q Q ", 4<<20) + "(")
	got, err := extract.File(t.Context(), "a.pdf", strings.NewReader(slow), extract.Limits{Time: 100 * time.Millisecond})
	if err != nil || len(got.Remark) != 1 || !strings.Contains(got.Remark[0], "too long") {
		t.Errorf("a slow one: %+v, %v", got, err)
	}
	if now := extract.IdleWorkers(); len(now) > 0 || syscall.Kill(second[0], 0) == nil {
		t.Errorf("processes %v wait, %d was ended: %v", now, second[0], syscall.Kill(second[0], 0))
	}
	read(pdf("after a bad one"), "after a bad one")
}

// Text comes as it is in one piece, and no more of it than was asked for.
func TestPDFGivesNoMoreThanItsBound(t *testing.T) {
	long := pdf(slices.Repeat([]string{strings.Repeat("word ", 400)}, 30)...)
	for range 2 {
		got, err := extract.From(t.Context(), "a.pdf", strings.NewReader(long), extract.Limits{Text: 5000})
		if err != nil || len(got.Text) > 5000 || len(got.Text) < 4900 || !got.Truncated {
			t.Errorf("%d bytes, truncated %v, %v", len(got.Text), got.Truncated, err)
		}
		got, err = extract.From(t.Context(), "a.pdf", strings.NewReader(long), extract.Limits{})
		if err != nil || len(got.Text) < 59000 || got.Truncated {
			t.Errorf("%d bytes, truncated %v, %v", len(got.Text), got.Truncated, err)
		}
	}
}

// BenchmarkPDF reads a file of three pages.
func BenchmarkPDF(b *testing.B) {
	file := pdf(slices.Repeat([]string{strings.Repeat("some words ", 100)}, 3)...)
	cpu := func() time.Duration {
		var all time.Duration
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			if err := syscall.Getrusage(who, &u); err != nil {
				b.Fatal(err)
			}
			all += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		return all
	}
	extract.EndIdleWorkers() // what processes used counts when they have ended
	before := cpu()
	for b.Loop() {
		if _, err := extract.File(b.Context(), "a.pdf", strings.NewReader(file), extract.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
	extract.EndIdleWorkers()
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "µs-CPU/op")
}
