package sim

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// downloadURL is a pre-authenticated, short-lived address of an item's content, or of an older version's.
func (d *driveService) downloadURL(x *drive, n *node, version string, now time.Time) string {
	id := x.itemID(n.key)
	q := "UniqueId=" + strings.ToLower(x.guid(n.key)) + "&Translate=false&ApiVersion=2.0&item=" + id
	if version != "" {
		q += "&version=" + version
	}
	if x.library != nil {
		q += "&list=" + x.list
	}
	settings := d.set()
	if settings.TempAuthRetired {
		return x.siteURL() + "/_layouts/15/download.aspx?" + q
	}
	expires := strconv.FormatInt(now.Add(time.Duration(settings.DownloadLife)).Unix(), 36)
	return x.siteURL() + "/_layouts/15/download.aspx?" + q + "&tempauth=v1." + expires + "." + d.sign(x.sitePath()+q+expires)
}

// set returns the settings.
func (d *driveService) set() DriveSettings {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings
}

// allowedByAddress checks a pre-authenticated address. Whoever sends a bearer token there is refused and reported: the
// service does so, and the token has left the hosts that it was meant for.
func (d *driveService) allowedByAddress(c *Call, signed string) error {
	auth := c.Header.Get("Authorization")
	temp := c.Query.Get("tempauth")
	if temp == "" && d.set().TempAuthRetired {
		if c.Method != http.MethodGet && c.Method != http.MethodHead {
			return d.s.needs(c, driveUpload)
		}
		return d.s.needs(c, driveRead)
	}
	if auth != "" {
		d.s.stats.canary()
		return Fail(401, "unauthenticated", "The pre-authenticated address takes no Authorization header.")
	}
	version, rest, _ := strings.Cut(temp, ".")
	expires, proof, _ := strings.Cut(rest, ".")
	at, err := strconv.ParseInt(expires, 36, 64)
	if version != "v1" || err != nil || proof != d.sign(signed+expires) {
		return Fail(401, "unauthenticated", "The caller is not authenticated.")
	}
	if !c.Now.Before(time.Unix(at, 0)) {
		return Fail(401, "unauthenticated", "The download address has expired.")
	}
	return nil
}

// siteDrive finds the drive that an address below a site means: that of a personal site, or a site's library; or nil.
func (d *driveService) siteDrive(c *Call) *drive {
	at := calledSite(c)
	name, ok := strings.CutPrefix(at, "personal/")
	if list := c.Query.Get("list"); !ok || list != "" {
		return d.s.sites.library(at, list)
	}
	u := d.bySite[name]
	if u == nil || d.s.dir.find(u.ID) == nil {
		return nil
	}
	return d.of(u)
}

// download serves content, whole or by range. It is what the item holds now: an address outlives a change of the item.
func (d *driveService) download(c *Call) (*Reply, error) {
	signed, _, _ := strings.Cut(c.RawQuery, "&tempauth=")
	if err := d.allowedByAddress(c, calledSite(c)+signed); err != nil {
		return nil, err
	}
	x := d.siteDrive(c)
	if x == nil {
		return nil, notFound()
	}
	c.User = x.owner
	if d.strikes(FaultDownloadExpired, x.owner) {
		return nil, Fail(401, "unauthenticated", "The download address has expired.")
	}
	x.mu.Lock()
	if err := x.reachable(); err != nil {
		x.mu.Unlock()
		return nil, err
	}
	key, ok := x.itemKey(c.Query.Get("item"))
	if ok && d.strikes(FaultChangedWhileRead, x.owner) {
		d.changeWhileRead(x, key)
	}
	if doomed, found := x.get(key); ok && found && key != 0 && d.strikes(FaultVanished, x.owner) {
		x.remove(doomed)
	}
	n, found := x.get(key)
	if !ok || !found || n.folder {
		x.mu.Unlock()
		return nil, notFound()
	}
	v, kind := n.current(), ServedContent
	if id := c.Query.Get("version"); id != "" {
		kind = ServedVersion
		if v, ok = d.version(n, id); !ok {
			x.mu.Unlock()
			return nil, notFound()
		}
	}
	content, tag, infected := v.content, x.eTag(n), n.malware != ""
	number, _ := strconv.ParseFloat(v.id, 64)
	name := n.name
	x.mu.Unlock()
	if infected {
		return nil, malwareDetected()
	}
	return d.serve(c, x, serving{key: key, version: uint64(number), content: content, tag: tag, kind: kind, name: name})
}

type serving struct {
	key, version uint64
	content      content
	tag, name    string
	kind         ServedKind
}

func (d *driveService) serve(c *Call, x *drive, v serving) (*Reply, error) {
	size := v.content.size
	from, to, status := int64(0), size, http.StatusOK
	if h := c.Header.Get("Range"); h != "" {
		var ok, understood bool
		from, to, ok, understood = parseRange(h, size)
		switch {
		case !understood:
			from, to = 0, size
		case !ok:
			return nil, Fail(416, "invalidRange", "The requested range is not satisfiable.").With("Content-Range", fmt.Sprintf("bytes */%d", size))
		default:
			status = http.StatusPartialContent
		}
	}
	r, err := v.content.open(d.s, from, to)
	if err != nil {
		return nil, err
	}
	owner := hash64(x.id)
	note := func(sum [32]byte) error {
		return d.s.oracle.served(c.Now, v.kind, owner, v.key, v.version, size, sum)
	}
	id := v.content.identity()
	if sum, ok := d.knownSum(v.content, id); ok {
		err = note(sum)
	} else if status == http.StatusOK && c.Method == http.MethodGet {
		r = &summing{ReadCloser: r, left: size, h: sha256.New(), done: func(sum [32]byte) error {
			d.learnSum(id, sum)
			return note(sum)
		}}
	} else if c.Method == http.MethodGet {
		sum, e := v.content.sum(d.s)
		if err = e; err == nil {
			d.learnSum(id, sum)
			err = note(sum)
		}
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	if to-from > 1 && d.strikes(FaultHalfDownload, x.owner) {
		r = &torn{ReadCloser: r, left: (to - from) / 2}
	}
	if to > from {
		if f, ok := d.strike(FaultWrongContent, x.owner); ok {
			r = &flipped{ReadCloser: r, at: (to - from) / 2, bits: f.wrongBits()}
		}
	}
	reply := &Reply{Status: status, Content: r, Length: to - from}
	reply.With("Content-Type", mimeType(v.name)).With("Accept-Ranges", "bytes").With("ETag", v.tag)
	reply.With("Content-Disposition", "attachment;filename*=UTF-8''"+url.PathEscape(v.name))
	if status == http.StatusPartialContent {
		reply.With("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
	}
	return reply, nil
}

// knownSum looks a content's SHA-256 up: kept with stored bytes, remembered for generated ones.
func (d *driveService) knownSum(c content, id uint64) ([32]byte, bool) {
	if c.sha != nil {
		return *c.sha, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	sum, ok := d.sums[id]
	return sum, ok
}

func (d *driveService) learnSum(id uint64, sum [32]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.sums) > 50000 {
		clear(d.sums)
	}
	d.sums[id] = sum
}

// summing hashes what is read and reports the sum with the last byte, before the reader gets it.
type summing struct {
	io.ReadCloser
	left int64
	h    hash.Hash
	done func([32]byte) error
}

func (s *summing) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.h.Write(p[:n])
	s.left -= int64(n)
	if s.left == 0 && s.done != nil {
		if e := s.done([32]byte(s.h.Sum(nil))); e != nil {
			return 0, e
		}
		s.done = nil
	}
	return n, err
}

// parseRange reads a single range. understood is false for units and lists that the service ignores; ok is false if
// the range cannot be satisfied.
func parseRange(h string, size int64) (from, to int64, ok, understood bool) {
	spec, isBytes := strings.CutPrefix(strings.TrimSpace(h), "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !isBytes || !dash || strings.Contains(spec, ",") {
		return 0, 0, false, false
	}
	if first == "" { // the last n bytes
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, false, false
		}
		return max(0, size-n), size, n > 0 && size > 0, true
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 {
		return 0, 0, false, false
	}
	to = size
	if last != "" {
		end, err := strconv.ParseInt(last, 10, 64)
		if err != nil || end < from {
			return 0, 0, false, false
		}
		to = min(size, end+1)
	}
	return from, to, from < size, true
}
