package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"holdfast/internal/sys"
	"holdfast/test/harness"
)

// request is one call of a load.
type request struct {
	method, path string
	body         any
}

// ended is how a call of a load ended.
type ended struct {
	ms     float64
	status int // 0: no answer
	err    error
	path   string
}

// load makes calls at a steady rate, whatever the answers do, and gives how each ended. Next chooses the call by its number.
func (l *lab) load(ctx context.Context, rate int, length time.Duration, next func(i int) request) []ended {
	var mu sync.Mutex // guards all
	var wg sync.WaitGroup
	calls := int(length.Seconds() * float64(rate))
	all := make([]ended, 0, calls)
	start := sys.Monotonic()
	for i := range calls {
		if wait := time.Duration(i)*time.Second/time.Duration(rate) - (sys.Monotonic() - start); wait > 0 {
			if sys.System.Sleep(ctx, wait) != nil {
				break
			}
		}
		wg.Go(func() {
			r, begun := next(i), sys.Monotonic()
			err := l.server.Call(ctx, r.method, r.path, r.body, nil)
			e := ended{ms: float64((sys.Monotonic() - begun).Microseconds()) / 1000, status: http.StatusOK, err: err, path: r.path}
			var answer *harness.StatusError
			if errors.As(err, &answer) {
				e.status = answer.Status
			} else if err != nil {
				e.status = 0
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, e)
		})
	}
	wg.Wait()
	return all
}

// percentile is the time below which share of the calls took.
func percentile(all []ended, share float64) float64 {
	ms := make([]float64, len(all))
	for i, e := range all {
		ms[i] = e.ms
	}
	slices.Sort(ms)
	return ms[min(len(ms)-1, int(share*float64(len(ms))))]
}

// mixed is what many callers do with a server that has a mailbox of 1,000,000 mails: read lists, turn pages, open mails, search, change a job, open
// and end restore sessions. Then more than it can answer, and the same as before again.
func (b *bench) mixed() error {
	l, open, err := b.million()
	if err != nil {
		return err
	}
	kinds, err := l.mix(b.ctx, open)
	if err != nil {
		return err
	}
	next := func(i int) request { return kinds[i%len(kinds)] }
	l.load(b.ctx, 50, 5*time.Second, next) // opens files and fills caches
	var late, costs []float64
	for range b.runs {
		before, err := l.server.CPU()
		if err != nil {
			return err
		}
		all := l.load(b.ctx, 300, 20*time.Second, next)
		after, err := l.server.CPU()
		if err != nil {
			return err
		}
		costs = append(costs, float64((after-before).Microseconds())/1000/float64(len(all)))
		if bad := slices.IndexFunc(all, func(e ended) bool { return e.status != http.StatusOK }); bad >= 0 {
			return fmt.Errorf("at 300 requests/s %s was answered %d", all[bad].path, all[bad].status)
		}
		tell(all)
		late = append(late, percentile(all, 0.99))
	}
	b.add("300 mixed REST requests/s beside 1,000,000 mails, 99th percentile", "ms", 250, late...)
	b.add("CPU of the server for each of them", "ms", 0, costs...)

	flood := l.load(b.ctx, 3000, 10*time.Second, next)
	counts := map[int]int{}
	for _, e := range flood {
		if counts[e.status]++; e.status == 0 && counts[0] <= 5 {
			fmt.Fprintln(os.Stderr, "bench: no answer:", e.err)
		}
	}
	fmt.Fprintf(os.Stderr, "bench: of %d calls at 3000/s by status: %v\n", len(flood), counts)
	wrong := len(flood) - counts[http.StatusOK] - counts[http.StatusTooManyRequests] - counts[http.StatusServiceUnavailable]
	b.add("answers to 3,000 requests/s", "", 0, float64(counts[http.StatusOK]))
	b.add("told to come back (429, 503)", "", 0, float64(counts[http.StatusTooManyRequests]+counts[http.StatusServiceUnavailable]))
	if wrong > 0 {
		return fmt.Errorf("at 3000 requests/s %d calls ended otherwise than by an answer, 429 or 503: %v", wrong, counts)
	}
	if counts[http.StatusOK] == len(flood) {
		fmt.Fprintln(os.Stderr, "bench: the flood was no overload")
	}
	back := sys.Monotonic()
	for {
		all := l.load(b.ctx, 300, time.Second, next)
		took := (sys.Monotonic() - back).Seconds()
		well := percentile(all, 0.99) <= 250 && !slices.ContainsFunc(all, func(e ended) bool { return e.status != http.StatusOK })
		if well || took > 60 {
			b.add("from the end of it until a second at 300/s is answered as before", "s", 10, took)
			return nil
		}
	}
}

// tell prints where the time of a load went.
func tell(all []ended) {
	by := map[string][]ended{}
	for _, e := range all {
		by[e.path] = append(by[e.path], e)
	}
	for path, of := range by {
		fmt.Fprintf(os.Stderr, "bench: %5d calls, median %6.1f ms, p99 %6.1f ms  %.110s\n", len(of), percentile(of, 0.5), percentile(of, 0.99), path)
	}
}

// opened is a restore session on a mailbox of which one folder has nearly everything.
type opened struct {
	session, mailbox, folder string
	mails                    int
}

// million is a lab with one mailbox of 1,000,000 mails, backed up, and a restore session on it. The parts that want one share it; the first one's
// flags for the server count.
func (b *bench) million(server ...string) (*lab, opened, error) {
	if b.shared != nil {
		return b.shared, b.opened, nil
	}
	l, err := b.labWith("million", mailOnly, server, "--users", "1", "--mail-messages", b.n(1_000_000), "--mail-size", "2000", "--mail-attachments", "-1", "--mail-one-folder", "--files", "1", "--limits", "off")
	if err != nil {
		return nil, opened{}, err
	}
	b.shared = l
	if _, err := l.run(b.ctx); err != nil {
		return nil, opened{}, err
	}
	if len(server) == 0 {
		if err := l.indexed(b.ctx); err != nil {
			return nil, opened{}, err
		}
	}
	b.opened, err = l.open(b.ctx, sys.System.Now())
	b.opened.mails = int(1_000_000 * b.scale)
	return l, b.opened, err
}

// mix are the calls of mixed, each as often as it stands here.
func (l *lab) mix(ctx context.Context, o opened) ([]request, error) {
	items := "/v8/RestoreSessions/" + o.session + "/organization/mailboxes/" + o.mailbox + "/items"
	page := func(offset int) request {
		return request{"GET", fmt.Sprintf("%s?parentId=%s&limit=50&offset=%d", items, o.folder, offset), nil}
	}
	var mails struct{ Results []struct{ ID string } }
	if err := l.server.Call(ctx, "GET", page(0).path, nil, &mails); err != nil {
		return nil, err
	}
	get := func(path string) request { return request{"GET", path, nil} }
	return []request{
		get("/v8/Jobs"), get("/v8/JobSessions?limit=10"), page(0), get("/v8/Organizations"), get(items + "/" + mails.Results[0].ID),
		{"POST", "/holdfast/v1/Search", map[string]any{"query": "subject:report", "limit": 20}}, get("/v8/BackupRepositories"), page(o.mails / 2),
		get("/v8/RestorePoints"), get("/holdfast/v1/Overview"), page(50), get("/v8/ProtectedUsers"), get("/v8/Proxies"), page(o.mails - o.mails/20),
		{"PUT", "/v8/Jobs/" + l.job, map[string]any{"description": "the same"}}, get("/v8/RestoreSessions"), get("/holdfast/v1/JobProgress"), get(items + "/" + mails.Results[1].ID),
		get("/v8/ServiceInstance"), get("/v8/LicensedUsers"), get("/v8/Organizations/" + l.org), get("/v8/Jobs/" + l.job), get("/v8/RbacRoles"), get("/v8/Health"),
	}, nil
}

// scroll turns every page of a list of 1,000,000 mails, as a list in a browser does that is dragged from end to end.
func (b *bench) scroll() error {
	l, o, err := b.million()
	if err != nil {
		return err
	}
	items := "/v8/RestoreSessions/" + o.session + "/organization/mailboxes/" + o.mailbox + "/items?parentId=" + o.folder
	const size = 1000
	seen := map[string]bool{}
	var all []ended
	start := sys.Monotonic()
	for offset := 0; ; offset += size {
		var p struct{ Results []struct{ ID string } }
		begun := sys.Monotonic()
		if err := l.server.Call(b.ctx, "GET", fmt.Sprintf("%s&limit=%d&offset=%d", items, size, offset), nil, &p); err != nil {
			return err
		}
		if len(p.Results) == 0 {
			break
		}
		all = append(all, ended{ms: float64((sys.Monotonic() - begun).Microseconds()) / 1000})
		for _, m := range p.Results {
			if seen[m.ID] {
				return fmt.Errorf("mail %s is on two pages", m.ID)
			}
			seen[m.ID] = true
		}
	}
	took := sys.Monotonic() - start
	var whole struct{ Items int }
	if whole.Items = len(seen); whole.Items < o.mails*9/10 {
		return fmt.Errorf("the pages have %d of %d mails", whole.Items, o.mails)
	}
	peak, err := l.server.PeakRSS()
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("all %d mails of a folder in pages of 1,000", whole.Items), "s", 0, took.Seconds())
	b.add("slowest page of 1,000", "ms", 0, percentile(all, 1))
	b.add("last page against the median one", "times", 2, all[len(all)-1].ms/percentile(all, 0.5))
	b.add("peak RSS of the server, its backup of the mailbox included", "MiB", 0, float64(peak)/(1<<20))
	return nil
}
