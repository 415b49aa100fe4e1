package vault

import (
	"container/list"
	"sync"
)

// cache keeps what was decoded (chunks, runs, blocks, folder orders), least recently used out first. What is in it is never changed.
type cache struct {
	limit int64

	mu    sync.Mutex // guards all below
	size  int64
	order *list.List // of *cached, most recent first
	items map[string]*list.Element
}

type cached struct {
	key   string
	value any
	size  int64
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, order: list.New(), items: map[string]*list.Element{}}
}

func (c *cache) get(key string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).value, true
}

func (c *cache) put(key string, value any, size int64) {
	size += int64(len(key)) + 200
	if size > c.limit/2 {
		return // it would push out everything else
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.drop(e)
	}
	c.items[key] = c.order.PushFront(&cached{key, value, size})
	c.size += size
	for c.size > c.limit {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	old := c.order.Remove(e).(*cached)
	delete(c.items, old.key)
	c.size -= old.size
}

// load gives what is cached under key, or what make makes and its size. Two callers may make the same thing at once.
func load[T any](c *cache, key string, make func() (T, int64, error)) (T, error) {
	if v, ok := c.get(key); ok {
		return v.(T), nil
	}
	v, size, err := make()
	if err != nil {
		return v, err
	}
	c.put(key, v, size)
	return v, nil
}
