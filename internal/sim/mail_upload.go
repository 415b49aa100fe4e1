package sim

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Published: attachments from 3 MB to 150 MB go by an upload session, in chunks below 4 MB.
const (
	minUpload     = 3 << 20
	maxUpload     = 150 << 20
	uploadChunk   = 4 << 20
	uploadPattern = "/api/gv1.0/users/{box}/messages/{message}/attachmentsessions/{session}"
	uploadLife    = 60 * time.Minute
)

// mailUpload is an upload session. What has come lies in a file until the last byte is there.
type mailUpload struct {
	box       *mailbox
	owner     string                                                    // of what it is attached to: its id
	attach    func(a *attachment, now time.Time) (id string, err error) // with the mailbox locked
	item      attachment
	size, got int64
	expires   time.Time
	token     string
	file      *os.File
}

func (s *Sim) attachmentUpload(c *Call) (*Reply, error) {
	var in fields
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var raw json.RawMessage
	for k, v := range in {
		if strings.EqualFold(k, "attachmentItem") || strings.EqualFold(k, "attachmentInfo") { // of tasks
			raw = v
		}
	}
	if isNull(raw) {
		return nil, Fail(400, "ErrorInvalidRequest", "The parameter 'AttachmentItem' is missing.")
	}
	f, err := object("AttachmentItem", "microsoft.graph.attachmentItem", raw, "attachmentType", "contentId", "contentType", "isInline", "name", "size")
	if err != nil {
		return nil, err
	}
	kind, err := readEnum("attachmentType", "microsoft.graph.attachmentType", f["attachmentType"], "file", "item", "reference")
	if err != nil {
		return nil, err
	}
	if kind != "file" {
		return nil, Fail(400, "ErrorInvalidRequest", "Only file attachments can be uploaded.")
	}
	u := &mailUpload{item: attachment{kind: fileAttachment, modified: c.Now.UTC().Truncate(time.Second)}}
	for k, to := range map[string]*string{"name": &u.item.name, "contentType": &u.item.contentType, "contentId": &u.item.contentID} {
		if !isNull(f[k]) {
			if *to, err = readAs[string](k, "Edm.String", f[k]); err != nil {
				return nil, err
			}
		}
	}
	if !isNull(f["isInline"]) {
		if u.item.inline, err = readAs[bool]("isInline", "Edm.Boolean", f["isInline"]); err != nil {
			return nil, err
		}
	}
	if u.size, err = readAs[int64]("size", "Edm.Int64", f["size"]); err != nil {
		return nil, err
	}
	if u.item.contentType == "" {
		u.item.contentType = "application/octet-stream"
	}
	switch {
	case u.item.name == "":
		return nil, Fail(400, "ErrorInvalidRequest", "The attachment has no name.")
	case u.size < minUpload:
		return nil, Fail(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "The attachment size should not be less than %d bytes.", minUpload)
	case u.size > maxUpload:
		return nil, Fail(413, "ErrorAttachmentSizeLimitExceeded", "The attachment is above the limit of %d bytes.", maxUpload)
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	u.owner, u.attach, err = s.uploadInto(c, b)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if u.file, err = os.CreateTemp(s.opt.Dir, "upload-*.spill"); err != nil {
		return nil, err
	}
	if err := os.Remove(u.file.Name()); err != nil { // it lives as long as it is open
		return nil, err
	}
	u.box, u.expires, u.token = b, c.Now.Add(uploadLife), newUUID()
	session := newUUID()
	s.mail.mu.Lock()
	s.mail.ups[session] = u
	s.mail.mu.Unlock()
	addr := fmt.Sprintf("https://%s/api/gv1.0/users('%s')/messages('%s')/AttachmentSessions('%s')?authtoken=%s", s.cloud.outlook[0], b.user.ID, u.owner, session, u.token)
	return JSON(201, map[string]any{"@odata.context": c.context("microsoft.graph.uploadSession"), "uploadUrl": addr, "expirationDateTime": stamp(u.expires), "nextExpectedRanges": []string{"0-"}}), nil
}

// session finds the upload session of a call. Its address carries its own credentials; a bearer token does not belong here.
func (s *Sim) session(c *Call) (*mailUpload, error) {
	if c.Header.Get("Authorization") != "" {
		s.stats.canary()
		s.stats.violation(c, "tokenAtUploadAddress", c.Method+" "+uploadPattern)
		return nil, Fail(401, "InvalidAudienceUri", "The upload address must be called without an Authorization header.")
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	id := c.Params["session"]
	u := s.mail.ups[id]
	if u == nil || u.token != c.Query.Get("authtoken") {
		return nil, Fail(404, "ErrorItemNotFound", "The upload session was not found.")
	}
	if c.Now.After(u.expires) {
		delete(s.mail.ups, id)
		_ = u.file.Close()
		return nil, Fail(404, "ErrorItemNotFound", "The upload session has expired.")
	}
	return u, nil
}

func (u *mailUpload) status() map[string]any {
	return map[string]any{"expirationDateTime": stamp(u.expires), "nextExpectedRanges": []string{strconv.FormatInt(u.got, 10)}}
}

func (s *Sim) uploadStatus(c *Call) (*Reply, error) {
	u, err := s.session(c)
	if err != nil {
		return nil, err
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	return JSON(200, u.status()), nil
}

func (s *Sim) uploadCancel(c *Call) (*Reply, error) {
	u, err := s.session(c)
	if err != nil {
		return nil, err
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	delete(s.mail.ups, c.Params["session"])
	return nil, u.file.Close()
}

func (s *Sim) uploadPut(c *Call) (*Reply, error) {
	u, err := s.session(c)
	if err != nil {
		return nil, err
	}
	var from, to, size int64
	if n, err := fmt.Sscanf(c.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &size); err != nil || n != 3 {
		return nil, Fail(400, "ErrorInvalidRequest", "The Content-Range header is missing or not valid.")
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	switch {
	case size != u.size || to < from || to >= size || to-from+1 != int64(len(c.Body)):
		return nil, Fail(400, "ErrorInvalidRequest", "The Content-Range header does not fit the session or the body.")
	case from != u.got:
		return nil, Fail(416, "ErrorInvalidRequest", "The range does not begin where the session expects it: %d.", u.got)
	}
	if _, err := u.file.WriteAt(c.Body, from); err != nil {
		return nil, err
	}
	u.got = to + 1
	if u.got < u.size {
		return JSON(200, u.status()), nil
	}
	data := make([]byte, u.size)
	if _, err := u.file.ReadAt(data, 0); err != nil {
		return nil, err
	}
	delete(s.mail.ups, c.Params["session"])
	if err := u.file.Close(); err != nil {
		return nil, err
	}
	a := u.item
	if a.content, err = s.stored(data); err != nil {
		return nil, err
	}
	b := u.box
	b.mu.Lock()
	defer b.mu.Unlock()
	id, err := u.attach(&a, c.Now)
	if err != nil {
		return nil, err
	}
	return (&Reply{Status: 201}).With("Location", fmt.Sprintf("https://%s/api/gv1.0/users('%s')/messages('%s')/attachments('%s')", s.cloud.outlook[0], b.user.ID, u.owner, id)), nil
}

// uploadInto is what the upload of a call is attached to when it is whole: a message, an event or a task.
func (s *Sim) uploadInto(c *Call, b *mailbox) (owner string, attach func(a *attachment, now time.Time) (string, error), err error) {
	if strings.Contains(c.Route.Pattern, "/todo/") {
		return s.uploadIntoTask(c, b)
	}
	if c.Params["item"] != "" {
		sh := b.shelf(calendarKind)
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return "", nil, err
		}
		return sh.itemID(it, day, true), func(a *attachment, now time.Time) (string, error) {
			it := sh.get(it.key)
			if it == nil {
				return "", errNotInStore
			}
			m, err := sh.attachTo(c, it, day, a, now)
			if err != nil {
				return "", err
			}
			return b.attachmentID(m, a, true), nil
		}, nil
	}
	m, err := b.inFolder(c)
	if err != nil {
		return "", nil, err
	}
	return b.itemID(m, true), func(a *attachment, now time.Time) (string, error) {
		old := b.get(m.key)
		if old == nil {
			return "", errNotInStore
		}
		m := b.edit(old)
		m.attach(a)
		m.raw = nil
		b.store(old, m, now.UTC().Truncate(time.Second))
		return b.attachmentID(m, a, true), nil
	}, nil
}

// closeUploads ends what is unfinished.
func (m *mailService) closeUploads() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.ups {
		_ = u.file.Close() // already unlinked
	}
	clear(m.ups)
}
