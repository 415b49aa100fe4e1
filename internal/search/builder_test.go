package search

import (
	"strings"
	"testing"

	"holdfast/internal/search/searchtest"
)

// BenchmarkBuilder tokenizes and inverts 8,000 mails of 300 words.
func BenchmarkBuilder(b *testing.B) {
	c := searchtest.NewCorpus(8000, 1)
	texts := make([]string, c.Mails)
	for i := range texts {
		_, mime := c.Mail(i)
		_, texts[i], _ = strings.Cut(mime, "\r\n\r\n")
	}
	for b.Loop() {
		w := newBuilder()
		for _, t := range texts {
			w.add([columnsAll]string{t})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.Mails*searchtest.Words), "ns/word")
}
