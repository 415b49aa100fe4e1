package sim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The mailbox import/export API: /admin/exchange/mailboxes/{id}. Items go out and come in whole, as streams that only Exchange is meant to read.
// https://learn.microsoft.com/graph/mailbox-import-export-concept-overview

const (
	// maxExportItems is how many items one call exports.
	maxExportItems = 20
	// importLife is how long an import session's address is good. Microsoft gives a time and promises none.
	importLife = 60 * time.Minute
	// maxImport bounds the body of an import: 150 MB in base64 and what is around it. Microsoft publishes no bound.
	maxImport     = 200<<20 + 64<<10
	importPattern = "/api/gv1.0/Mailboxes/{mailbox}/importItem"
)

var (
	exchangeFolders      = []string{"MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All"}
	exchangeFoldersWrite = []string{"MailboxFolder.ReadWrite.All"}
	exchangeItems        = []string{"MailboxItem.Read.All", "MailboxItem.ReadWrite.All"}
	exchangeDelta        = []string{"MailboxItem.Read.All"}
	exchangeExport       = []string{"MailboxItem.Export.All", "MailboxItem.ImportExport.All"}
	exchangeImport       = []string{"MailboxItem.ImportExport.All"}
)

// importSession is a pre-authenticated address for imports into one mailbox.
type importSession struct {
	app, mailbox string
	expires      time.Time
}

func (s *Sim) exchangeRoutes() []Route {
	var out []Route
	add := func(method, pattern string, perms []string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	add("GET", "/users/{user}/settings/exchange", []string{"User.Read.All"}, s.exchangeSettings)
	const root = "/admin/exchange/mailboxes/{mailbox}"
	add("GET", root+"/folders", exchangeFolders, s.exchangeFoldersList)
	add("GET", root+"/folders/delta", exchangeFolders[:1], s.exchangeFoldersDelta)
	add("GET", root+"/folders/{folder}", exchangeFolders, s.exchangeFolderGet)
	add("GET", root+"/folders/{folder}/childFolders", exchangeFolders[:1], s.exchangeFoldersList)
	add("POST", root+"/folders", exchangeFoldersWrite, s.exchangeFolderCreate)
	add("POST", root+"/folders/{folder}/childFolders", exchangeFoldersWrite, s.exchangeFolderCreate)
	add("GET", root+"/folders/{folder}/items", exchangeItems, s.exchangeItemsList)
	add("GET", root+"/folders/{folder}/items/{item}", exchangeItems, s.exchangeItemGet)
	add("GET", root+"/folders/{folder}/items/delta", exchangeDelta, s.exchangeItemsDelta)
	add("POST", root+"/exportItems", exchangeExport, s.exportItems)
	add("POST", root+"/createImportSession", exchangeImport, s.createImportSession)
	return append(out, Route{Host: HostOutlook, Method: "POST", Pattern: importPattern, Public: true, Class: ClassOutlook, MaxBody: maxImport, Handle: s.importItem})
}

// mailboxID is how the import/export API calls a user's mailbox.
func (s *Sim) mailboxID(u *User) string {
	return "MBX:" + mixGUID(u.ID) + "@" + s.tenant.TenantID
}

// mixGUID gives a GUID another one, whose own other one it is.
func mixGUID(id string) string {
	b := guidBytes(id)
	for i := range b {
		b[i] ^= byte(0x5a + i)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ownerOfMailbox is the id of the user whose mailbox has this id, or what names nobody.
func (s *Sim) ownerOfMailbox(id string) string {
	guid, tenant, _ := strings.Cut(strings.TrimPrefix(id, "MBX:"), "@")
	if !strings.HasPrefix(id, "MBX:") || !isGUID(guid) || !strings.EqualFold(tenant, s.tenant.TenantID) {
		return id
	}
	return mixGUID(guid)
}

func (s *Sim) exchangeSettings(c *Call) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": c.context("users('" + c.Params["user"] + "')/settings/exchange/$entity"), "id": b.user.ID, "primaryMailboxId": s.mailboxID(b.user)}), nil
}

func (c *Call) atMailbox(path string) string {
	return c.context("admin/exchange/mailboxes('" + c.Params["mailbox"] + "')/" + path)
}

// --- export ----------------------------------------------------------------------------------------------------------

// truncatedStream is what Exchange ends an export with that it could not finish.
const truncatedStream = "=== Truncated Data ==="

func (s *Sim) exportItems(c *Call) (*Reply, error) {
	var in struct {
		ItemIDs []string `json:"itemIds"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if len(in.ItemIDs) == 0 || len(in.ItemIDs) > maxExportItems {
		return nil, Fail(400, "ErrorInvalidRequest", "The number of items to export must be between 1 and %d.", maxExportItems)
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	out := []byte(`{"@odata.context":"` + c.context("Collection(microsoft.graph.exportItemResponse)") + `","value":[`)
	for i, id := range in.ItemIDs {
		if i > 0 {
			out = append(out, ',')
		}
		data, key, err := s.exportOne(c, b, id)
		row := map[string]any{"itemId": id, "error": nil}
		if err != nil {
			e, ok := err.(*Error)
			if !ok {
				return nil, err
			}
			row["data"], row["changeKey"] = nil, nil
			row["error"] = map[string]any{"code": e.Code, "message": e.Message}
		} else {
			row["changeKey"] = key
		}
		head, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		if data == nil {
			out = append(out, head...)
			continue
		}
		out = append(append(out, head[:len(head)-1]...), `,"data":"`...)
		out = base64.StdEncoding.AppendEncode(slices.Grow(out, base64.StdEncoding.EncodedLen(len(data))+64), data)
		out = append(out, `"}`...)
	}
	return Bytes(200, "application/json", append(out, "]}"...)), nil
}

// exportOne exports one item; an *Error is the item's own.
func (s *Sim) exportOne(c *Call, b *mailbox, id string) (data []byte, key string, err error) {
	b.mu.Lock()
	p, err := b.parseID(id)
	if err == nil && p.immutable && s.faults.hit(c, FaultExportIDs) {
		err = Fail(400, "ErrorInvalidIdMalformed", "Id is malformed.")
	}
	var m *message
	if err == nil {
		m, err = b.message(id)
	}
	if err == nil && s.faults.hit(c, FaultItemVanished) {
		b.remove(m, c.Now)
		_, err = b.message(id)
	}
	b.mu.Unlock()
	if err != nil {
		return nil, "", err
	}
	if s.faults.on(FaultItemBroken) && mix(m.key)%10 == 0 && s.faults.hit(c, FaultItemBroken) {
		return nil, "", Fail(500, "ErrorCorruptData", "Corrupt data.")
	}
	if s.faults.hit(c, FaultExportPartial) {
		return nil, "", Fail(500, "ErrorInternalServerTransientError", "An internal server error occurred. Try again later.")
	}
	if data, err = b.exported(m); err != nil {
		return nil, "", err
	}
	if s.faults.hit(c, FaultExportCut) {
		return append(data[:len(data)/2:len(data)/2], truncatedStream...), changeKey(b.tag, m), nil
	}
	if s.faults.on(FaultExportStrange) && mix(m.key)%10 == 1 && s.faults.hit(c, FaultExportStrange) {
		data = append([]byte("\x63\x00\x00\x00 a form of stream that nobody knows "), data...)
	}
	if err := b.served(c, ServedExport, m, len(data), sha(data)); err != nil {
		return nil, "", err
	}
	s.changeAfterRead(c, b, m)
	return data, changeKey(b.tag, m), nil
}

// Exported is a message as exportItems gives it, without noting that it was served.
func (s *Sim) Exported(user, id string) ([]byte, error) {
	b, err := s.mailboxOf(user)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	m, err := b.message(id)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return b.exported(m)
}

// --- import ----------------------------------------------------------------------------------------------------------

func (s *Sim) createImportSession(c *Call) (*Reply, error) {
	if _, err := s.box(c); err != nil {
		return nil, err
	}
	token := newUUID() + newUUID()
	x := importSession{app: c.App, mailbox: c.Params["mailbox"], expires: c.Now.Add(importLife)}
	s.mail.mu.Lock()
	s.mail.imports[token] = x
	s.mail.mu.Unlock()
	at := fmt.Sprintf("https://%s/api/gv1.0/Mailboxes('%s')/importItem?authtoken=%s", s.cloud.outlook[0], x.mailbox, token)
	return JSON(201, map[string]any{"@odata.context": c.context("microsoft.graph.mailboxItemImportSession"), "importUrl": at, "expirationDateTime": stamp(x.expires)}), nil
}

// importSession finds the session of a call. Its address carries its own credentials; a bearer token does not belong here.
func (s *Sim) importSession(c *Call) error {
	if c.Header.Get("Authorization") != "" {
		s.stats.canary()
		s.stats.violation(c, "tokenAtImportAddress", "POST "+importPattern)
		return Fail(401, "InvalidAudienceUri", "The import address must be called without an Authorization header.")
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	token := c.Query.Get("authtoken")
	x, ok := s.mail.imports[token]
	if ok && (c.Now.After(x.expires) || s.faults.hit(c, FaultImportExpired)) {
		delete(s.mail.imports, token)
		ok = false
	}
	if !ok || x.mailbox != c.Params["mailbox"] {
		return Fail(401, "InvalidAuthenticationToken", "The import session has expired or is not known.")
	}
	return nil
}

// importItem makes or changes an item. Nobody is told of it, whatever the item is.
func (s *Sim) importItem(c *Call) (*Reply, error) {
	if err := s.importSession(c); err != nil {
		return nil, err
	}
	var in struct{ FolderID, Mode, Data, ItemID, ChangeKey string }
	var raw map[string]json.RawMessage
	if err := c.Decode(&raw); err != nil {
		return nil, err
	}
	for name, to := range map[string]*string{"FolderId": &in.FolderID, "Mode": &in.Mode, "Data": &in.Data, "ItemId": &in.ItemID, "ChangeKey": &in.ChangeKey} {
		for k, v := range raw {
			if strings.EqualFold(k, name) && !isNull(v) {
				if json.Unmarshal(v, to) != nil {
					return nil, wrongType(name, "Edm.String")
				}
			}
		}
	}
	update := strings.EqualFold(in.Mode, "update")
	switch {
	case !update && !strings.EqualFold(in.Mode, "create"):
		return nil, Fail(400, "ErrorInvalidRequest", "The mode must be create or update.")
	case in.FolderID == "" || in.Data == "":
		return nil, Fail(400, "ErrorInvalidRequest", "FolderId and Data are required.")
	case update != (in.ItemID != "") || update != (in.ChangeKey != ""):
		return nil, Fail(400, "ErrorInvalidRequest", "ItemId and ChangeKey belong to the mode update, which needs both.")
	}
	data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(in.Data)))
	if err != nil {
		return nil, Fail(400, "ErrorInvalidRequest", "Data is not base64.")
	}
	m, err := s.imported(data, c.Now)
	if err != nil {
		return nil, Fail(400, "ErrorCorruptData", "The data can't be imported: %v", err)
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.exchangeFolderOf(in.FolderID)
	if err != nil {
		return nil, err
	}
	if !update {
		b.add(m, f, c.Now)
	} else if err := b.importOver(m, f, in.ItemID, in.ChangeKey, c.Now); err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": "https://" + c.Host + "/api/gv1.0/$metadata#microsoft.graph.importMailboxItemResponse",
		"itemId": b.itemID(m, false), "changeKey": changeKey(b.tag, m)}), nil
}

// importOver puts m into the place of an item of exactly this version in this folder.
func (b *mailbox) importOver(m *message, f *folder, id, key string, now time.Time) error {
	old, err := b.message(id)
	if err != nil {
		return err
	}
	if old.folder != f.key || changeKey(b.tag, old) != key {
		return Fail(409, "ErrorIrresolvableConflict", "The change key does not match the current change key for the item in this folder.")
	}
	m.key, m.folder, m.generation, m.version, m.born = old.key, old.folder, old.generation, old.version, old.born
	b.store(old, m, now.UTC().Truncate(time.Second))
	return nil
}
