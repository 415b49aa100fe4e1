package holdfast

import "context"

type progressKey struct{}

// WithProgress makes Progress tell fn, which several goroutines call at once.
func WithProgress(ctx context.Context, fn func(items int64)) context.Context {
	return context.WithValue(ctx, progressKey{}, fn)
}

// Progress tells whoever waits for work that so many more items were looked at; without anybody it does nothing.
func Progress(ctx context.Context, items int64) {
	if fn, ok := ctx.Value(progressKey{}).(func(int64)); ok {
		fn(items)
	}
}
