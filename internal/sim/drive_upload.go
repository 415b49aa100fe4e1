package sim

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Upload sessions (driveItem: createUploadSession, read 2025-11): fragments in order, each but the last a multiple of
// 320 KiB and none of 60 MiB or more.
const (
	fragmentUnit = 320 << 10
	maxFragment  = 60 << 20
)

// upload is one session.
type upload struct {
	id       string
	drive    *drive
	to       commit
	deferred bool
	match    string // If-Match of the creating call

	mu      sync.Mutex // guards all below; taken before a drive's lock
	expires time.Time
	total   int64 // -1 until the first fragment
	w       contentWriter
	done    bool
}

func (d *driveService) createUploadSession(c *Call, a *address) (*Reply, error) {
	if err := d.s.needs(c, driveUpload); err != nil {
		return nil, err
	}
	var in struct {
		Item  itemBody `json:"item"`
		Defer bool     `json:"deferCommit"`
	}
	if len(c.Body) > 0 {
		if err := c.Decode(&in); err != nil {
			return nil, err
		}
	}
	how, err := in.Item.conflict(c, "replace")
	if err != nil {
		return nil, err
	}
	x := a.drive
	u := &upload{id: newUUID(), drive: x, deferred: in.Defer, match: c.Header.Get("If-Match"), total: -1, w: contentWriter{s: d.s}}
	u.to = commit{how: how, times: in.Item.FileSystemInfo, about: in.Item.Description}
	if len(a.names) > 0 {
		parent, name, err := a.parent(d, true)
		if err != nil {
			return nil, err
		}
		if err := x.checkName(parent, name); err != nil {
			return nil, err
		}
		if in.Item.Name != nil && *in.Item.Name != name {
			return nil, Fail(400, "invalidRequest", "The name in the body is not the name in the address.")
		}
		u.to.parent, u.to.name = parent, name
		if old, taken := x.child(parent.key, name); taken {
			switch {
			case old.folder, how == "fail":
				return nil, nameTaken()
			case how == "replace":
				if err := x.preconditions(c, old); err != nil {
					return nil, err
				}
				if err := writable(old); err != nil {
					return nil, err
				}
			}
		}
	} else {
		n, err := a.item()
		if err != nil {
			return nil, err
		}
		if n.folder {
			return nil, Fail(400, "invalidRequest", "A folder has no content.")
		}
		if err := x.preconditions(c, n); err != nil {
			return nil, err
		}
		if err := writable(n); err != nil {
			return nil, err
		}
		u.to.existing = n
	}
	u.expires = c.Now.Add(time.Duration(d.set().UploadLife))
	d.mu.Lock()
	for id, old := range d.uploads { // sessions that nobody finished
		if c.Now.After(old.expires) && len(d.uploads) > 1000 {
			delete(d.uploads, id)
		}
	}
	d.uploads[u.id] = u
	d.mu.Unlock()
	address := x.siteURL() + "/_api/v2.0/uploadSessions/" + u.id
	if !d.set().TempAuthRetired {
		expires := strconv.FormatInt(u.expires.Add(time.Hour).Unix(), 36) // the session itself ends first
		address += "?tempauth=v1." + expires + "." + d.sign(u.id+expires)
	}
	return JSON(200, map[string]any{"@odata.context": c.URL(prefix(c) + "/$metadata#microsoft.graph.uploadSession"),
		"uploadUrl": address, "expirationDateTime": stamp(u.expires), "nextExpectedRanges": []string{"0-"}}), nil
}

var contentRange = regexp.MustCompile(`^bytes (\d+)-(\d+)/(\d+)$`)

func (d *driveService) uploadFragment(c *Call) (*Reply, error) {
	id := c.Params["session"]
	if err := d.allowedByAddress(c, id); err != nil {
		return nil, err
	}
	d.mu.Lock()
	u := d.uploads[id]
	d.mu.Unlock()
	gone := Fail(404, "itemNotFound", "The upload session was not found.")
	if u == nil || u.drive.sitePath() != calledSite(c) {
		return nil, gone
	}
	c.User = u.drive.owner
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done || !c.Now.Before(u.expires) {
		return nil, gone
	}
	if d.strikes(FaultUploadLost, u.drive.owner) {
		u.done = true
		return nil, gone
	}
	end := func() {
		u.done = true
		d.mu.Lock()
		delete(d.uploads, id)
		d.mu.Unlock()
	}
	switch c.Method {
	case http.MethodDelete:
		end()
		return &Reply{Status: 204}, nil
	case http.MethodGet:
		return JSON(200, u.state()), nil
	case http.MethodPost:
		if !u.deferred || u.total < 0 || u.w.size() != u.total {
			return nil, Fail(400, "invalidRequest", "The upload session cannot be committed.")
		}
	case http.MethodPut:
		if err := u.fragment(c); err != nil {
			return nil, err
		}
		if u.w.size() < u.total && d.strikes(FaultUploadTwice, u.drive.owner) {
			return nil, Fail(503, "serviceNotAvailable", "The service is not available.")
		}
		if u.w.size() < u.total || u.deferred {
			return JSON(202, u.state()), nil
		}
	}
	r, err := d.finish(c, u)
	if err == nil {
		end()
	}
	return r, err
}

func (u *upload) state() map[string]any {
	next := []string{}
	if u.total < 0 || u.w.size() < u.total {
		next = []string{itoa(u.w.size()) + "-"}
		if u.total > 0 {
			next[0] += itoa(u.total - 1)
		}
	}
	return map[string]any{"expirationDateTime": stamp(u.expires), "nextExpectedRanges": next}
}

// fragment takes one fragment in.
func (u *upload) fragment(c *Call) error {
	m := contentRange.FindStringSubmatch(c.Header.Get("Content-Range"))
	if m == nil {
		return Fail(400, "invalidRequest", "The Content-Range header is missing or malformed.")
	}
	from, e1 := strconv.ParseInt(m[1], 10, 64)
	to, e2 := strconv.ParseInt(m[2], 10, 64)
	total, e3 := strconv.ParseInt(m[3], 10, 64)
	length := to - from + 1
	switch {
	case e1 != nil || e2 != nil || e3 != nil || length <= 0 || to >= total || u.total >= 0 && total != u.total:
		return Fail(400, "invalidRequest", "The Content-Range header is not consistent.")
	case length != int64(len(c.Body)):
		return Fail(400, "invalidRequest", "The declared length does not match the body: %d bytes came.", len(c.Body))
	case length >= maxFragment:
		return Fail(413, "invalidRequest", "The fragment is too large; the maximum is below 60 MiB.")
	case from < u.w.size():
		return Fail(416, "invalidRange", "The fragment has been received already.")
	case from > u.w.size():
		return Fail(416, "invalidRange", "The fragment does not follow the last one received.")
	case to+1 < total && length%fragmentUnit != 0:
		return Fail(400, "invalidRequest", "The fragment is not a multiple of 320 KiB.")
	}
	u.total = total
	return u.w.write(c.Body)
}

// finish makes the item of a session whose bytes are complete.
func (d *driveService) finish(c *Call, u *upload) (*Reply, error) {
	x := u.drive
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.reachable(); err != nil {
		return nil, err
	}
	to := u.to
	to.content = u.w.content()
	if to.existing != nil {
		n, ok := x.get(to.existing.key)
		if !ok {
			return nil, notFound()
		}
		to.existing = n
		to.how = "replace"
	} else {
		parent, ok := x.get(to.parent.key)
		if !ok {
			return nil, notFound()
		}
		to.parent = parent
		if n, taken := x.child(parent.key, to.name); taken {
			if n.folder {
				return nil, nameTaken()
			}
			to.existing = n
		}
	}
	if u.match != "" && to.existing != nil && to.how == "replace" {
		if !strings.Contains(u.match, x.eTag(to.existing)) && !strings.Contains(u.match, x.cTag(to.existing)) && u.match != "*" {
			return nil, Fail(412, "resourceModified", "ETag does not match current item's value")
		}
	}
	r, err := d.commit(c, x, to)
	if err != nil {
		return nil, fmt.Errorf("finish upload: %w", err)
	}
	return r, nil
}
