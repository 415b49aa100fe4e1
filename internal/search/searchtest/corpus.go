// Package searchtest has what the search index is measured and tested with: mails that are the same on every run, 200 fixed searches, and a
// vault with restore points that holds the mails.
package searchtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Words is how many words the body of a mail has.
const Words = 300

// begin is the time of the oldest mail; they lie in three years from then on.
var begin = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)

const span = 3 * 365 * 24 * time.Hour

// Corpus makes mails. Words follow Zipf's law: the common ones are in most mails, most words are in few.
type Corpus struct {
	Mails     int
	Mailboxes int

	words  []string  // by rank, the most common first
	chance []float64 // that a word is of this rank or before
	people []string
	body   []int // of one mail
}

// NewCorpus gives a corpus of n mails in the given number of mailboxes.
func NewCorpus(n, mailboxes int) *Corpus {
	c := &Corpus{Mails: n, Mailboxes: mailboxes, words: vocabulary(60_000)}
	sum := 0.0
	for r := range c.words {
		sum += math.Pow(float64(r)+2.7, -1.05)
		c.chance = append(c.chance, sum)
	}
	for r := range c.chance {
		c.chance[r] /= sum
	}
	for i := range 2000 {
		c.people = append(c.people, fmt.Sprintf("%s %s <%s.%s@contoso.com>", title(c.words[300+i]), title(c.words[2500+i]), c.words[300+i], c.words[2500+i]))
	}
	return c
}

// vocabulary makes up n different words with the lengths of a real language.
func vocabulary(n int) []string {
	rng := rand.New(rand.NewPCG(11, 13))
	starts := strings.Split("b c d f g h k l m n p r s t v w z br ch dr fl gr pl pr sh st tr th", " ")
	middles := strings.Split("a e i o u ai ea io ou", " ")
	ends := strings.Split("n r s t l nd st ng rd ck m", " ")
	seen := map[string]bool{"or": true, "and": true, "not": true}
	var all []string
	for len(all) < n {
		var b strings.Builder
		for range 1 + rng.IntN(min(4, 1+len(all)/40)) { // common words are short
			b.WriteString(starts[rng.IntN(len(starts))] + middles[rng.IntN(len(middles))])
			if rng.IntN(3) == 0 {
				b.WriteString(ends[rng.IntN(len(ends))])
			}
		}
		if w := b.String(); !seen[w] {
			seen[w] = true
			all = append(all, w)
		}
	}
	return all
}

func title(w string) string { return strings.ToUpper(w[:1]) + w[1:] }

// word draws a rank.
func (c *Corpus) word(rng *rand.Rand) int {
	r, _ := slices.BinarySearch(c.chance, rng.Float64())
	return min(r, len(c.words)-1)
}

var folders = strings.Fields("Inbox Archive Projects Customers Suppliers Travel Personnel Reports Invoices Press")

func (c *Corpus) person(rng *rand.Rand) string {
	f := rng.Float64()
	return c.people[int(f*f*float64(len(c.people)))] // some write much
}

// Mail makes the nth mail: its item and its MIME.
func (c *Corpus) Mail(n int) (holdfast.Item, string) {
	rng := rand.New(rand.NewPCG(uint64(n), 17))
	c.body = c.body[:0]
	for range Words {
		c.body = append(c.body, c.word(rng))
	}
	subject := make([]string, 3+rng.IntN(4))
	for i := range subject {
		subject[i] = c.words[c.word(rng)]
	}
	i := holdfast.Item{ID: fmt.Sprintf("AAMkAGI2%032d", n), Parent: folders[rng.IntN(len(folders))], Kind: holdfast.KindMail, Version: "1", Name: title(strings.Join(subject, " ")),
		Time: begin.Add(time.Duration(rng.Int64N(int64(span)))).Truncate(time.Second), Fields: map[string]string{holdfast.FieldFrom: c.person(rng), holdfast.FieldTo: c.person(rng)}}
	i.Fields[holdfast.FieldSent] = i.Time.Add(-time.Minute).Format(time.RFC3339)
	if rng.IntN(3) == 0 {
		i.Fields[holdfast.FieldCc] = c.person(rng) + "; " + c.person(rng)
	}
	if rng.IntN(10) > 0 {
		i.Fields[holdfast.FieldRead] = "true"
	}
	if rng.IntN(25) == 0 {
		i.Fields[holdfast.FieldFlag] = "flagged"
	}
	if rng.IntN(20) == 0 {
		i.Fields[holdfast.FieldImportance] = "high"
	}
	mime := c.mime(&i, rng.IntN(2) == 0)
	i.Size = int64(len(mime))
	return i, mime
}

// mime writes the body that was drawn, as HTML or plain text.
func (c *Corpus) mime(i *holdfast.Item, markup bool) string {
	var b strings.Builder
	kind := "plain"
	if markup {
		kind = "html"
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/%s; charset=utf-8\r\n\r\n",
		i.Fields[holdfast.FieldFrom], i.Fields[holdfast.FieldTo], i.Name, i.Time.Format(time.RFC1123Z), kind)
	if markup {
		b.WriteString("<html><head><style>p { margin: 0 }</style></head><body>\r\n")
	}
	line := 0
	for n, r := range c.body {
		paragraph := n%50 == 0
		switch {
		case paragraph && markup && n > 0:
			b.WriteString("</p>\r\n<p class=\"MsoNormal\">")
		case paragraph && markup:
			b.WriteString("<p class=\"MsoNormal\">")
		case paragraph && n > 0:
			b.WriteString("\r\n\r\n")
		case line > 66:
			b.WriteString("\r\n")
		case n > 0:
			b.WriteByte(' ')
		}
		if line += len(c.words[r]) + 1; paragraph || line > 74 {
			line = 0
		}
		b.WriteString(c.words[r])
	}
	if markup {
		b.WriteString("</p>\r\n</body></html>\r\n")
	}
	return b.String()
}
