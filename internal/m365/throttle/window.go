package throttle

import "time"

// window is a sliding count over span, kept in bins. It counts one bin more than span holds, so that no span of
// that length, wherever it begins, ever sees more than the limit.
type window struct {
	limit int64
	bin   time.Duration
	count []int64
	index []int64 // which bin number count[i] belongs to
}

func newWindow(limit int64, span time.Duration, bins int) *window {
	return &window{limit: limit, bin: span / time.Duration(bins), count: make([]int64, bins+1), index: make([]int64, bins+1)}
}

func (w *window) binOf(now time.Time) int64 { return now.UnixNano() / int64(w.bin) }

func (w *window) sum(now time.Time) int64 {
	oldest := w.binOf(now) - int64(len(w.count)) + 1
	var n int64
	for i, b := range w.index {
		if b >= oldest {
			n += w.count[i]
		}
	}
	return n
}

func (w *window) add(now time.Time, n int64) {
	b := w.binOf(now)
	i := int(b % int64(len(w.count)))
	if w.index[i] != b {
		w.index[i], w.count[i] = b, 0
	}
	w.count[i] += n
}

// wait tells how long until n more fit when only the first part of the limit may be used. What is larger than that
// part fits once the window is empty, else it would never.
func (w *window) wait(now time.Time, n int64, part float64) time.Duration {
	if w.limit <= 0 || n <= 0 {
		return 0
	}
	allowed := max(int64(float64(w.limit)*part), 1)
	have := w.sum(now)
	if have+n <= allowed || have == 0 {
		return 0
	}
	current := w.binOf(now)
	for b := current - int64(len(w.count)) + 1; b <= current; b++ {
		if i := int(b % int64(len(w.count))); w.index[i] == b {
			have -= w.count[i]
		}
		if have+n <= allowed || have == 0 {
			leaves := time.Unix(0, (b+int64(len(w.count)))*int64(w.bin))
			return max(leaves.Sub(now), time.Millisecond)
		}
	}
	return w.bin
}

func (w *window) idle(now time.Time) bool { return w.sum(now) == 0 }
