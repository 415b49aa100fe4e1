package searchtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Common are the ranks of five words that stand in more than a tenth of all mails.
var Common = []int{3, 30, 100, 180, 240}

// Word is the word of a rank.
func (c *Corpus) Word(rank int) string { return c.words[rank] }

// Queries are the 200 fixed searches: the first five ask for one of the common words, newest first, at a point in time. Of the others, half
// ask at a point in time, every tenth oldest first, and every twentieth for what is gone.
func (c *Corpus) Queries(points []time.Time) []holdfast.SearchQuery {
	rng := rand.New(rand.NewPCG(19, 23))
	var texts []string
	add := func(n int, text func() string) {
		for range n {
			texts = append(texts, text())
		}
	}
	common := func() string { return c.words[Common[rng.IntN(len(Common))]] }
	known := func() string { return c.words[300+rng.IntN(3000)] }
	rare := func() string { return c.words[3000+rng.IntN(40_000)] }
	day := func() string { return begin.Add(time.Duration(rng.Int64N(int64(span)))).Format(time.DateOnly) }
	name := func() string { return strings.ToLower(strings.Fields(c.person(rng))[rng.IntN(2)]) }
	phrase := func(n int) string {
		c.Mail(rng.IntN(c.Mails))
		at := rng.IntN(Words - n)
		var words []string
		for _, r := range c.body[at : at+n] {
			words = append(words, c.words[r])
		}
		return `"` + strings.Join(words, " ") + `"`
	}
	for _, r := range Common {
		texts = append(texts, c.words[r])
	}
	add(30, known)
	add(15, rare)
	add(20, func() string { return common() + " " + known() })
	add(5, func() string { return c.words[Common[0]] + " " + c.words[Common[1]] + " " + common() })
	add(10, func() string { return phrase(2) })
	add(10, func() string { return phrase(3) })
	add(15, func() string { return "from:" + name() })
	add(5, func() string { return "people:" + name() + " " + common() })
	add(15, func() string { return "subject:" + known() })
	add(10, func() string { return common() + " received:" + day()[:7] })
	add(5, func() string { return "received:" + day() })
	add(5, func() string { return known() + " received:>" + day() })
	add(10, func() string { return rare()[:3] + "*" })
	add(3, func() string { return "*" + rare()[2:] })
	add(2, func() string { w := rare(); return w[:1] + "?" + w[2:] })
	add(10, func() string { return known() + " OR " + rare() })
	add(8, func() string { return common() + " -" + known() })
	add(2, func() string { return "NOT " + common() })
	add(3, func() string { return "isflagged:true " + common() })
	add(2, func() string { return "isflagged:true importance:high" })
	add(5, func() string { return "folder:" + folders[rng.IntN(len(folders))] + " " + known() })
	add(3, func() string { return fmt.Sprintf("mailbox:owner%d %s", rng.IntN(c.Mailboxes), common()) })
	add(2, func() string { return "size:>2100 " + common() })
	var all []holdfast.SearchQuery
	for i, t := range texts {
		q := holdfast.SearchQuery{Text: t, Limit: 50}
		if i < len(Common) || i%2 == 0 {
			q.At = points[i%len(points)]
		}
		if i >= len(Common) {
			q.Oldest, q.Deleted = i%10 == 9, i%20 == 13
		}
		all = append(all, q)
	}
	return all
}
