package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
)

// The organization of part everything, at full scale: 5,000 users, each with a mailbox (mail, a calendar, contacts, tasks, settings) and a OneDrive;
// one of twenty users owns a team of four channels, one of them private and one shared, each of which has a site of its own; besides the sites of teams
// and channels one of ten users has a site of his own making with lists, libraries and pages, and there is a group for one of ten users that is no team's.
// Microsoft publishes no such ratios; these are on the high side for how many of each an organization of that size keeps, and what costs calls when idle
// is the number of containers and of folders, lists and channels in them, not what is in those: contents are kept few, so that the first backup ends.
const (
	everybody     = 5000
	usersPerTeam  = 20
	usersPerSite  = 10
	usersPerGroup = 10
)

// pace is what /oracle/pace of the simulator answers.
type pace struct {
	Seconds, InTurn float64
	Binds           string
	Bounds          []struct {
		Name, Per string
		Count     int64
		Seconds   float64
	}
}

// atOnce is how many requests of a server are on their way at one time: what a proxy runs of tasks, each of which waits for one answer before it
// asks again.
const atOnce = 16

// share is of each limit what backups use; the rest is kept for restores.
const share = 0.8

// pace says how long the simulator's calls since the last reset would have taken at the published limits, as far as backups use them, and a latency of
// 100 ms.
func (l *lab) pace(b *bench) (p pace, err error) {
	// At another scale the calls are taken for those of as many users as the full one has: what they are of grows with the users.
	q := url.Values{"scale": {strconv.FormatFloat(1/b.scale, 'g', -1, 64)}, "latency": {"100ms"}, "atOnce": {strconv.Itoa(atOnce)}, "share": {strconv.FormatFloat(share, 'g', -1, 64)}, "users": {strconv.Itoa(everybody)}}
	if err := l.sim.Ask(b.ctx, http.MethodGet, "/oracle/pace?"+q.Encode(), nil, &p); err != nil {
		return p, err
	}
	for _, x := range p.Bounds {
		fmt.Fprintf(os.Stderr, "bench: %8.1f s  %s: %d at %s\n", x.Seconds, x.Name, x.Count, x.Per)
	}
	fmt.Fprintf(os.Stderr, "bench: it takes %.1f s: %s; one service after the other %.1f s\n", p.Seconds, p.Binds, p.InTurn)
	return p, nil
}

// everything is an idle incremental of an organization with all that is protected. The first backup is at no pace; the calls of the second are counted.
func (b *bench) everything() error {
	users := max(2, int(everybody*b.scale))
	of := func(per int) string { return strconv.Itoa(max(1, users/per)) }
	job := map[string]any{"backupType": "SelectedItems", "selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": true, "sites": true, "personalSite": true, "teams": true, "teamsChats": true, "chats": true, "groupMailboxes": true}}}
	l, err := b.labBy("everything", job, true, nil,
		"--users", strconv.Itoa(users), "--mail-messages", "2", "--mail-size", "2000", "--mail-attachments", "-1", "--contacts", "2", "--events", "2", "--tasks", "2", "--files", "2",
		"--sites", of(usersPerSite), "--site-items", "2", "--site-files", "2", "--site-file-bytes", "2000", "--site-one-version",
		"--teams", of(usersPerTeam), "--team-channels", "4", "--team-posts", "4", "--team-files", "2", "--groups", of(usersPerGroup), "--limits", "count")
	if err != nil {
		return err
	}
	defer l.close()
	first, err := l.run(b.ctx)
	if err != nil {
		return err
	}
	b.add("first backup of everything of 5,000 users, at no pace", "s", 0, first.wall.Seconds())
	b.add("its calls, parts of batches one by one", "", 0, float64(first.requests))
	b.add("CPU of the server", "s", 0, first.cpu.Seconds())
	if err := l.peak(b, "peak RSS of the server after it"); err != nil {
		return err
	}
	var minutes, inTurn, wall, cpu, requests, blobs []float64
	for range b.runs {
		if err := l.sim.Ask(b.ctx, http.MethodPost, "/stats/reset", nil, nil); err != nil {
			return err
		}
		c, err := l.run(b.ctx)
		if err != nil {
			return err
		}
		p, err := l.pace(b)
		if err != nil {
			return err
		}
		minutes, inTurn = append(minutes, p.Seconds/60), append(inTurn, p.InTurn/60)
		wall, cpu = append(wall, c.wall.Seconds()), append(cpu, c.cpu.Seconds())
		requests, blobs = append(requests, float64(c.requests)), append(blobs, float64(c.blobs))
	}
	b.add("idle incremental of everything of 5,000 users, at the published limits and 100 ms", "min", 15, minutes...)
	b.add("the same, had each service waited for the one before", "min", 15, inTurn...)
	b.add("its calls, parts of batches one by one", "", 0, requests...)
	b.add("new blobs", "", 10, blobs...)
	b.add("at no pace", "s", 0, wall...)
	b.add("CPU of the server", "s", 0, cpu...)
	return l.peak(b, "peak RSS of the server, the first backup included")
}

func (l *lab) peak(b *bench, what string) error {
	peak, err := l.server.PeakRSS()
	if err != nil {
		return err
	}
	b.add(what, "MiB", 512, float64(peak)/(1<<20))
	return nil
}
