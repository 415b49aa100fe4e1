package extract

import (
	"io"
	"path"
	"strings"
	"sync"
)

// Cache keeps the text of attachments: many mails have the same ones, and taking the text out of PDF and Office files is dear. Those that
// were asked for in the longer past go first. It is safe for concurrent use.
type Cache struct {
	most int

	mu       sync.Mutex // guards all below
	new, old map[string]string
	size     int // bytes of new, about
}

// NewCache makes one that takes about so many bytes.
func NewCache(bytes int) *Cache { return &Cache{most: bytes / 2, new: map[string]string{}} }

func (c *Cache) get(key string) (text string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text, ok = c.new[key]; ok {
		return text, true
	}
	if text, ok = c.old[key]; ok {
		c.add(key, text)
	}
	return text, ok
}

func (c *Cache) put(key, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, text)
}

func (c *Cache) add(key, text string) {
	size := len(key) + len(text) + 100
	if size > c.most {
		return
	}
	if c.size+size > c.most {
		c.old, c.new, c.size = c.new, map[string]string{}, 0
	}
	c.new[key] = text
	c.size += size
}

// dear are the files that are worth being kept.
func dear(name string) bool {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".txt", ".csv", ".htm", ".html", ".eml":
		return false
	default:
		return Readable(name)
	}
}

// kept takes the text of an attachment, out of the cache if it is there under key. It is for all mails alike, so it has bounds of its own.
func (w *mailWalk) kept(name, key string, body func() io.Reader, depth int) error {
	key = strings.ToLower(path.Ext(name)) + " " + key
	if text, ok := w.cache.get(key); ok {
		w.add(text)
		return nil
	}
	c := newCollector(w.b.ctx, w.limits)
	c.b.unpacked = w.b.unpacked
	err := c.file(name, body(), depth)
	w.b.unpacked = c.b.unpacked
	got := c.words()
	if err == nil && (w.folded == nil || w.folded.err == nil) && len(got.Remark) == 0 {
		w.cache.put(key, got.Text)
	}
	for _, r := range got.Remark {
		w.remark("%s", r)
	}
	w.add(got.Text)
	return err
}
