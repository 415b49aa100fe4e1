// Command bench measures server and simulator as separate processes against the goals of the first release and prints one table.
//
//	go run ./test/bench [-only full,size,incremental,page,idle,rest,mixed,scroll,browser,search,export] [-runs 3] [-scale 1] [-search-mails 100000]
//
// CPU is the server's own (user and system, all threads); requests are the simulator's count, batch parts one by one. With -scale below 1
// the numbers of mails and users shrink and the goals do not apply; the table says so.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/sys"
	"holdfast/test/harness"
)

type bench struct {
	ctx   context.Context
	bin   string
	dir   string
	runs  int
	scale float64
	rows  []result

	searchMails int
	profiles    string // address at which servers serve Go's profiles; empty: they do not

	// shared is the lab with 1,000,000 mails, once a part has made it.
	shared *lab
	opened opened
}

// result is a line of the table.
type result struct {
	what, goal string
	measured   []float64
	unit       string
	limit      float64
}

func (b *bench) add(what, unit string, limit float64, measured ...float64) {
	goal := "-"
	if limit > 0 {
		goal = "at most " + strconv.FormatFloat(limit, 'g', 6, 64) + " " + unit
	}
	b.rows = append(b.rows, result{what, goal, measured, unit, limit})
	fmt.Fprintf(os.Stderr, "bench: %s: %v %s (%s)\n", what, measured, unit, goal)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

func main() {
	only := flag.String("only", "full,size,incremental,page,idle,rest", "parts to run")
	runs := flag.Int("runs", 3, "runs of each part; the table has medians")
	scale := flag.Float64("scale", 1, "share of the full numbers of mails and users")
	dir := flag.String("dir", "", "working folder (default: a temporary one)")
	mails := flag.Int("search-mails", 100_000, "mails in the index that part search asks; the goals are those for 1,000,000")
	profiles := flag.String("profiles", "", "loopback address at which the server serves Go's profiles while it is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{ctx: ctx, dir: *dir, runs: *runs, scale: *scale, searchMails: *mails, profiles: *profiles}
	if err := b.run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(only string) (err error) {
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "holdfast-bench-*"); err != nil {
			return err
		}
		defer os.RemoveAll(b.dir)
	}
	if b.bin, err = harness.Build(b.ctx, b.dir); err != nil {
		return err
	}
	defer func() {
		if b.shared != nil {
			b.shared.close()
		}
	}()
	parts := map[string]func() error{"full": b.full, "size": b.size, "incremental": b.incremental, "page": b.page, "idle": b.idle, "rest": b.rest, "mixed": b.mixed, "scroll": b.scroll, "browser": b.browser, "search": b.search, "search-index": b.searchIndex, "search-cost": b.searchCost, "export": b.export, "everything": b.everything}
	for _, name := range strings.Split(only, ",") {
		part, ok := parts[name]
		if !ok {
			return fmt.Errorf("no part %q", name)
		}
		if err := part(); err != nil {
			b.print()
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	b.print()
	return nil
}

func (b *bench) print() {
	fmt.Printf("| what | goal | median | all runs |\n| --- | --- | --- | --- |\n")
	for _, r := range b.rows {
		verdict := ""
		if r.limit > 0 && b.scale == 1 && median(r.measured) > r.limit {
			verdict = " **missed**"
		}
		goal := r.goal
		if b.scale != 1 {
			goal += fmt.Sprintf(" (not at scale %g)", b.scale)
		}
		fmt.Printf("| %s | %s | %s %s%s | %s |\n", r.what, goal, figure(median(r.measured)), r.unit, verdict, join(r.measured))
	}
}

func join(v []float64) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = figure(x)
	}
	return strings.Join(s, ", ")
}

// figure writes a small number with four digits that count, and a large one whole: a count of requests misses its bar by one.
func figure(x float64) string {
	if x >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func (b *bench) n(full int) string { return strconv.Itoa(max(1, int(float64(full)*b.scale))) }

// lab is a simulator, a server over it, and a job.
type lab struct {
	sim    *harness.Sim
	server *harness.Server
	job    string
	repo   string // folder
	org    string
}

func (b *bench) lab(name string, job map[string]any, flags ...string) (*lab, error) {
	return b.labWith(name, job, nil, flags...)
}

// labWith is lab with further flags for the server.
func (b *bench) labWith(name string, job map[string]any, server []string, flags ...string) (*lab, error) {
	return b.labBy(name, job, false, server, flags...)
}

// labBy is labWith. The organization of a whole one is added by certificate, which SharePoint's own interface asks for, and protects Teams.
func (b *bench) labBy(name string, job map[string]any, whole bool, server []string, flags ...string) (*lab, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	sim, err := harness.StartSim(b.ctx, b.bin, filepath.Join(dir, "sim"), flags...)
	if err != nil {
		return nil, err
	}
	if b.profiles != "" {
		server = append(slices.Clone(server), "--debug", b.profiles)
	}
	l := &lab{sim: sim, repo: filepath.Join(dir, "repository")}
	if l.server, err = harness.StartServer(b.ctx, b.bin, filepath.Join(dir, "data"), sim, append([]string{"--m365-limits", "off"}, server...)...); err != nil {
		l.close()
		return nil, err
	}
	if err := l.prepare(b.ctx, job, whole); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) prepare(ctx context.Context, job map[string]any, whole bool) (err error) {
	if l.org, err = l.server.AddOrganization(ctx, whole); err != nil {
		return err
	}
	if whole {
		if err := l.server.Call(ctx, http.MethodPut, "/v8/Organizations/"+l.org, map[string]any{"isTeamsOnline": true, "isTeamsChatsOnline": true}, nil); err != nil {
			return err
		}
	}
	repo, err := l.server.AddRepository(ctx, "bench", l.repo)
	if err != nil {
		return err
	}
	l.job, err = l.server.AddJob(ctx, "bench", l.org, repo, job)
	return err
}

func (l *lab) close() {
	if l.server != nil && l.server.Process != nil {
		l.server.Kill()
	}
	l.sim.Kill()
}

// cost is what one session took.
type cost struct {
	wall, cpu       time.Duration
	requests, bytes int64
	blobs           int64
}

func (l *lab) run(ctx context.Context) (cost, error) {
	before, err := l.server.CPU()
	if err != nil {
		return cost{}, err
	}
	stats, err := l.sim.Stats(ctx)
	if err != nil {
		return cost{}, err
	}
	bytes0, blobs0 := usage(l.repo)
	start := sys.System.Now()
	if _, err := l.server.RunJob(ctx, l.job); err != nil {
		return cost{}, err
	}
	c := cost{wall: sys.System.Now().Sub(start)}
	after, err := l.server.CPU()
	if err != nil {
		return cost{}, err
	}
	now, err := l.sim.Stats(ctx)
	if err != nil {
		return cost{}, err
	}
	bytes1, blobs1 := usage(l.repo)
	printCalls(stats, now)
	c.cpu, c.requests, c.bytes, c.blobs = after-before, int64(now.Calls-stats.Calls), bytes1-bytes0, blobs1-blobs0
	return c, nil
}

// printCalls says which calls were made between two counts, the parts of batches behind a plus.
func printCalls(before, after harness.Stats) {
	for _, name := range slices.Sorted(maps.Keys(after.Endpoints)) {
		was, is := before.Endpoints[name], after.Endpoints[name]
		if calls, parts := is.Calls-was.Calls, is.BatchParts-was.BatchParts; calls+parts > 0 {
			fmt.Fprintf(os.Stderr, "bench: %8d + %-6d %s\n", calls, parts, name)
		}
	}
}

// usage adds up the files below dir.
func usage(dir string) (bytes, files int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // what is not there counts nothing
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
				files++
			}
		}
		return nil
	})
	return bytes, files
}

var mailOnly = map[string]any{"backupType": "SelectedItems", "selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": false, "leaveOut": []string{"contacts", "calendars", "tasks"}}}}
var filesOnly = map[string]any{"backupType": "SelectedItems", "selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": false, "oneDrive": true}}}

// corpus is what the simulator holds for a first backup: 100,000 mails in 20 mailboxes, seed 1.
func (b *bench) corpus(shared string) []string {
	return []string{"--users", "20", "--mail-messages", b.n(5000), "--mail-size", "50000", "--mail-attachments", "0.4", "--mail-shared", shared, "--files", "1"}
}

// full is a first backup of 100,000 mails.
func (b *bench) full() error {
	var cpu, wall, rss, bytes, requests []float64
	for range b.runs {
		l, err := b.lab("full", mailOnly, append(b.corpus("0.2"), "--limits", "count")...)
		if err != nil {
			return err
		}
		c, err := l.run(b.ctx)
		if err == nil {
			var peak int64
			if peak, err = l.server.PeakRSS(); err == nil {
				cpu, wall, rss = append(cpu, c.cpu.Seconds()), append(wall, c.wall.Seconds()), append(rss, float64(peak)/(1<<20))
				bytes, requests = append(bytes, float64(c.bytes)/(1<<20)), append(requests, float64(c.requests))
			}
		}
		l.close()
		if err != nil {
			return err
		}
	}
	b.add("full backup of 100,000 mails (mean 50 KB), CPU of the server", "s", 90, cpu...)
	b.add("wall", "s", 0, wall...)
	b.add("peak RSS of the server", "MiB", 512, rss...)
	b.add("requests", "", 101000, requests...)
	b.add("repository", "MiB", 0, bytes...)
	return nil
}

// incremental is 100 changes in a large and in a small mailbox.
func (b *bench) incremental() error {
	one := func(name, messages string) (costs []cost, err error) {
		l, err := b.lab(name, mailOnly, "--users", "1", "--mail-messages", messages, "--mail-size", "2000", "--mail-attachments", "-1", "--mail-folders", "40", "--files", "1", "--limits", "count")
		if err != nil {
			return nil, err
		}
		defer l.close()
		if _, err := l.run(b.ctx); err != nil {
			return nil, err
		}
		for i := range b.runs + 1 {
			in := map[string]any{"seed": i + 1, "new": 40, "flags": 40, "moves": 10, "deletes": 10, "users": []string{l.sim.Tenant.Users[0].UPN}, "folders": 20}
			if err := l.sim.Ask(b.ctx, http.MethodPost, "/churn", in, nil); err != nil {
				return nil, err
			}
			c, err := l.run(b.ctx)
			if err != nil {
				return nil, err
			}
			if i > 0 { // the first one opens files and fills caches
				costs = append(costs, c)
			}
		}
		return costs, nil
	}
	large, err := one("large", b.n(1_000_000))
	if err != nil {
		return err
	}
	small, err := one("small", b.n(10_000))
	if err != nil {
		return err
	}
	pick := func(cs []cost, f func(cost) float64) []float64 {
		out := make([]float64, len(cs))
		for i, c := range cs {
			out[i] = f(c)
		}
		return out
	}
	cpu := func(c cost) float64 { return c.cpu.Seconds() }
	bytes := func(c cost) float64 { return float64(c.bytes) / (1 << 20) }
	requests := func(c cost) float64 { return float64(c.requests) }
	b.add("100 changes in a mailbox of 1,000,000, wall", "s", 3, pick(large, func(c cost) float64 { return c.wall.Seconds() })...)
	b.add("written (bodies included)", "MiB", 1, pick(large, bytes)...)
	b.add("requests", "", 250, pick(large, requests)...)
	ratio := func(f func(cost) float64) float64 {
		return median(pick(large, f)) / max(median(pick(small, f)), 1e-9)
	}
	b.add("CPU against a mailbox of 10,000", "times", 1.5, ratio(cpu))
	b.add("bytes against a mailbox of 10,000", "times", 1.5, ratio(bytes))
	b.add("requests against a mailbox of 10,000", "times", 1.5, ratio(requests))
	return nil
}

// page lists a folder of 100,000 mails at 30 restore points.
func (b *bench) page() error {
	l, err := b.lab("page", mailOnly, "--users", "1", "--mail-messages", b.n(100_000), "--mail-size", "2000", "--mail-attachments", "-1", "--mail-one-folder", "--files", "1", "--limits", "off")
	if err != nil {
		return err
	}
	defer l.close()
	if _, err := l.run(b.ctx); err != nil {
		return err
	}
	var at []time.Time
	for i := range 30 {
		if err := l.sim.Ask(b.ctx, http.MethodPost, "/churn", map[string]any{"seed": i + 1, "new": 5, "flags": 5, "moves": 0, "deletes": 2, "users": []string{l.sim.Tenant.Users[0].UPN}}, nil); err != nil {
			return err
		}
		if _, err := l.run(b.ctx); err != nil {
			return err
		}
		at = append(at, sys.System.Now())
	}
	var first, late []float64
	for _, t := range at {
		f, d, err := l.page(b.ctx, t, int(float64(100_000)*b.scale))
		if err != nil {
			return err
		}
		first, late = append(first, f), append(late, d)
	}
	b.add("first page of 50 by date in a folder of 100,000, at 30 restore points", "ms", 50, median(first))
	b.add("page 2,000 against page 1 of the open folder", "times", 2, median(late))
	return nil
}

// open opens a restore session at t on the only mailbox and finds its inbox.
func (l *lab) open(ctx context.Context, t time.Time) (opened, error) {
	var s, mailboxes, folders struct {
		ID      string
		Results []struct{ ID, Name string }
	}
	if err := l.server.Call(ctx, http.MethodPost, "/v8/Organizations/"+l.org+"/explore", map[string]any{"type": "Vex", "dateTime": t.UTC()}, &s); err != nil {
		return opened{}, err
	}
	base := "/v8/RestoreSessions/" + s.ID + "/organization/mailboxes"
	if err := l.server.Call(ctx, http.MethodGet, base, nil, &mailboxes); err != nil {
		return opened{}, err
	}
	o := opened{session: s.ID, mailbox: mailboxes.Results[0].ID}
	if err := l.server.Call(ctx, http.MethodGet, base+"/"+o.mailbox+"/folders?limit=1000", nil, &folders); err != nil {
		return opened{}, err
	}
	for _, f := range folders.Results {
		if strings.EqualFold(f.Name, "Inbox") {
			o.folder = f.ID
		}
	}
	return o, nil
}

// page opens a restore session at t and times the first page and, once open, page 2,000 against page 1.
func (l *lab) page(ctx context.Context, t time.Time, mails int) (first, ratio float64, err error) {
	o, err := l.open(ctx, t)
	if err != nil {
		return 0, 0, err
	}
	items := "/v8/RestoreSessions/" + o.session + "/organization/mailboxes/" + o.mailbox + "/items?parentId=" + o.folder
	get := func(offset int) (float64, error) {
		start := sys.System.Now()
		var p struct{ Results []struct{ ID string } }
		err := l.server.Call(ctx, http.MethodGet, fmt.Sprintf("%s&limit=50&offset=%d", items, offset), nil, &p)
		if err == nil && len(p.Results) == 0 {
			err = fmt.Errorf("no mail at offset %d", offset)
		}
		return float64(sys.System.Now().Sub(start).Microseconds()) / 1000, err
	}
	if first, err = get(0); err != nil {
		return 0, 0, err
	}
	var early, late []float64
	for range 9 {
		a, err := get(0)
		if err != nil {
			return 0, 0, err
		}
		z, err := get(mails - mails/20)
		if err != nil {
			return 0, 0, err
		}
		early, late = append(early, a), append(late, z)
	}
	return first, median(late) / median(early), l.server.Call(ctx, http.MethodPost, "/v8/RestoreSessions/"+o.session+"/Stop", nil, nil)
}

// idle runs a second backup after which nothing changed.
func (b *bench) idle() error {
	var requests, blobs []float64
	l, err := b.lab("drives", filesOnly, "--users", b.n(100), "--mail-messages", "1", "--files", "10", "--limits", "count")
	if err != nil {
		return err
	}
	if _, err = l.run(b.ctx); err == nil {
		for range b.runs {
			c, rerr := l.run(b.ctx)
			if rerr != nil {
				err = rerr
				break
			}
			requests = append(requests, float64(c.requests)/(100*b.scale))
		}
	}
	l.close()
	if err != nil {
		return err
	}
	b.add("idle incremental of 100 drives, requests a drive", "", 3, requests...)
	if l, err = b.lab("mailboxes", mailOnly, "--users", b.n(5000), "--mail-messages", "3", "--mail-size", "2000", "--files", "1", "--limits", "count"); err != nil {
		return err
	}
	defer l.close()
	if _, err := l.run(b.ctx); err != nil {
		return err
	}
	for range b.runs {
		c, err := l.run(b.ctx)
		if err != nil {
			return err
		}
		blobs = append(blobs, float64(c.blobs))
	}
	b.add("idle incremental of 5,000 mailboxes, new blobs", "", 10, blobs...)
	return nil
}

// rest asks for a page of 30 jobs at 200 requests a second.
func (b *bench) rest() error {
	l, err := b.lab("rest", mailOnly, "--users", "1", "--mail-messages", "10", "--files", "1")
	if err != nil {
		return err
	}
	defer l.close()
	var repos struct{ Results []struct{ ID string } }
	if err := l.server.Call(b.ctx, http.MethodGet, "/v8/BackupRepositories", nil, &repos); err != nil {
		return err
	}
	for i := range 40 {
		if _, err := l.server.AddJob(b.ctx, fmt.Sprintf("job %02d", i), l.org, repos.Results[0].ID, mailOnly); err != nil {
			return err
		}
	}
	var late []float64
	for range b.runs {
		all := l.load(b.ctx, 200, 20*time.Second, func(int) request { return request{http.MethodGet, "/v8/Jobs?limit=30", nil} })
		if bad := slices.IndexFunc(all, func(e ended) bool { return e.status != http.StatusOK }); bad >= 0 {
			return fmt.Errorf("a page of jobs was answered %d", all[bad].status)
		}
		late = append(late, percentile(all, 0.99))
	}
	b.add("REST page of 30 jobs at 200 requests/s, 99th percentile", "ms", 25, late...)
	return nil
}
