package sim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

func (b *mailbox) noteFolder(f *folder) {
	b.seq++
	f.version = b.seq
	b.folderLog = append(b.folderLog, logEntry{seq: b.seq, item: uint64(f.key)})
}

func (b *mailbox) sibling(parent uint32, name string, self uint32) bool {
	for _, k := range b.order {
		if f := b.folders[k]; f.parent == parent && !f.deleted && f.key != self && strings.EqualFold(f.name, name) {
			return true
		}
	}
	return false
}

var folderExists = Fail(409, "ErrorFolderExists", "A folder with the specified name already exists.")

// fillFolder reads a folder's JSON.
func (s *Sim) fillFolder(f *folder, in fields, create bool) error {
	for k := range in {
		if !s.cloud.has("mailFolder."+k) || !strings.Contains(k, "@") && !slices.Contains(folderProperties, k) && k != "singleValueExtendedProperties" {
			return Fail(400, "RequestBodyRead", "The property '%s' does not exist on type 'microsoft.graph.mailFolder'. Make sure to only use property names that are defined by the type.", k)
		}
	}
	var err error
	if !isNull(in["displayName"]) {
		if f.name, err = readAs[string]("displayName", "Edm.String", in["displayName"]); err != nil {
			return err
		}
	}
	if strings.TrimSpace(f.name) == "" || len(f.name) > 255*4 {
		return Fail(400, "ErrorInvalidRequest", "The displayName of a folder is missing or too long.")
	}
	if create && !isNull(in["isHidden"]) {
		if f.hidden, err = readAs[bool]("isHidden", "Edm.Boolean", in["isHidden"]); err != nil {
			return err
		}
	}
	if raw := in["singleValueExtendedProperties"]; !isNull(raw) {
		var m message
		if err := m.fillExtended(raw, onPatch); err != nil {
			return err
		}
		ext := maps.Clone(f.ext)
		if ext == nil {
			ext = map[string]string{}
		}
		maps.Copy(ext, m.ext)
		f.ext = ext
	}
	return nil
}

func (s *Sim) folderCreate(c *Call) (*Reply, error) {
	var in fields
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	parent := rootFolder
	if id := c.Params["folder"]; id != "" {
		p, err := b.folder(id)
		if err != nil {
			return nil, err
		}
		parent = p.key
	}
	f := &folder{key: b.nextFold, parent: parent}
	if err := s.fillFolder(f, in, true); err != nil {
		return nil, err
	}
	if b.sibling(parent, f.name, 0) {
		return nil, folderExists
	}
	b.nextFold++
	b.folders[f.key] = f
	b.order = append(b.order, f.key)
	b.noteFolder(f)
	j, err := b.folderJSON(f, &Query{})
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/mailFolders/$entity")
	return JSON(201, j), nil
}

func (s *Sim) folderPatch(c *Call) (*Reply, error) {
	var in fields
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return s.changeFolder(c, func(_ *mailbox, f *folder) error { return s.fillFolder(f, in, false) }, 200)
}

func (s *Sim) folderMove(c *Call) (*Reply, error) {
	dest, err := s.destination(c)
	if err != nil {
		return nil, err
	}
	return s.changeFolder(c, func(b *mailbox, f *folder) error {
		to, err := b.folder(dest)
		if err != nil {
			return err
		}
		for p := to; p != nil; p = b.folders[p.parent] {
			if p.key == f.key {
				return Fail(400, "ErrorMoveCopyFailed", "A folder cannot be moved into itself.")
			}
		}
		f.parent = to.key
		return nil
	}, 201)
}

func (s *Sim) changeFolder(c *Call, fn func(*mailbox, *folder) error, status int) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.folder(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	n := *f
	if err := fn(b, &n); err != nil {
		return nil, err
	}
	if f.wellKnown != "" && (n.name != f.name || n.parent != f.parent) {
		return nil, Fail(400, "ErrorMoveDistinguishedFolder", "Distinguished folders cannot be renamed or moved.")
	}
	if b.sibling(n.parent, n.name, n.key) {
		return nil, folderExists
	}
	*f = n
	b.noteFolder(f)
	j, err := b.folderJSON(f, &Query{})
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/mailFolders/$entity")
	return JSON(status, j), nil
}

func (s *Sim) folderDelete(c *Call) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.folder(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	if f.wellKnown != "" {
		return nil, Fail(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
	}
	b.removeFolder(f, c.Now)
	return nil, nil
}

// removeFolder deletes a folder, what is in it, and the folders below.
func (b *mailbox) removeFolder(f *folder, now time.Time) {
	for _, k := range slices.Clone(b.order) {
		if c := b.folders[k]; c.parent == f.key && !c.deleted {
			b.removeFolder(c, now)
		}
	}
	b.wipe(f, now)
	f.deleted = true
	b.noteFolder(f)
}

// wipe removes every message of a folder, the generated ones at once.
func (b *mailbox) wipe(f *folder, now time.Time) {
	for _, m := range slices.Clone(f.extra) {
		b.remove(m, now)
	}
	if f.baseGone || f.base == 0 {
		return
	}
	for k, m := range b.items {
		if m.inPlace() && m.folder == f.key {
			b.items[k] = &message{key: k, folder: f.key, version: m.version, deleted: true, isRead: true}
		}
	}
	f.baseGone = true
	b.seq++
	f.log = append(f.log, logEntry{seq: b.seq, wipe: true})
}
