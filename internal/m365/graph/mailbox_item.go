package graph

import (
	"context"
	"net/http"
	"time"
)

// Folders and items of every type, as the mailbox import/export API lists them.

// What an application needs for them.
const (
	MailboxFoldersRead  = "MailboxFolder.Read.All"
	MailboxItemsRead    = "MailboxItem.Read.All"
	MailboxFoldersWrite = "MailboxFolder.ReadWrite.All"
)

// MailboxFolder is a folder of any type.
// https://learn.microsoft.com/graph/api/resources/mailboxfolder
type MailboxFolder struct {
	Row
	ID             string   `json:"id"`
	DisplayName    string   `json:"displayName"`
	ParentFolderID string   `json:"parentFolderId"`
	Type           string   `json:"type"` // container class: IPF.Note, IPF.Contact
	Removed        *Removed `json:"@removed"`
}

// MailboxItem is an item of any class.
// https://learn.microsoft.com/graph/api/resources/mailboxitem
type MailboxItem struct {
	Row
	ID         string     `json:"id"`
	ChangeKey  string     `json:"changeKey"`
	Created    time.Time  `json:"createdDateTime"`
	Modified   time.Time  `json:"lastModifiedDateTime"`
	Categories []string   `json:"categories"`
	Size       int64      `json:"size"`
	Type       string     `json:"type"` // message class: IPM.Note, IPM.DistList
	Properties []Property `json:"singleValueExtendedProperties"`
	Removed    *Removed   `json:"@removed"`
}

// MailboxPath is the address of something in a mailbox of the import/export API.
func (of MailboxOf) MailboxPath(parts ...string) []string {
	return append([]string{"admin", "exchange", "mailboxes", of.ID}, parts...)
}

// MailboxFolderDelta begins a delta of a mailbox's folders of all types.
func (c *Client) MailboxFolderDelta(ctx context.Context, of MailboxOf, l List) (*Page[MailboxFolder], error) {
	l.Of = of.User
	return list[MailboxFolder](ctx, c, join(of.MailboxPath("folders", "delta")...), l, MailboxFoldersRead)
}

// MailboxFolders lists the folders in parent, "" for the top.
func (c *Client) MailboxFolders(ctx context.Context, of MailboxOf, parent string, l List) (*Page[MailboxFolder], error) {
	l.Of = of.User
	path := of.MailboxPath("folders")
	if parent != "" {
		path = of.MailboxPath("folders", parent, "childFolders")
	}
	return list[MailboxFolder](ctx, c, join(path...), l, MailboxFoldersRead)
}

// MailboxFolder reads a folder.
func (c *Client) MailboxFolder(ctx context.Context, of MailboxOf, folder string, l List) (*MailboxFolder, error) {
	return one[MailboxFolder](ctx, c, request{path: join(of.MailboxPath("folders", folder)...), query: l.query(), permission: MailboxFoldersRead, charges: outlook(of.User, 0)})
}

// CreateMailboxFolder makes a folder of a type in parent, "" for the top.
func (c *Client) CreateMailboxFolder(ctx context.Context, of MailboxOf, parent, name, class string) (*MailboxFolder, error) {
	path := of.MailboxPath("folders")
	if parent != "" {
		path = of.MailboxPath("folders", parent, "childFolders")
	}
	return one[MailboxFolder](ctx, c, request{method: http.MethodPost, path: join(path...), in: map[string]string{"displayName": name, "type": class}, permission: MailboxFoldersWrite, charges: outlook(of.User, 0)})
}

// MailboxItemDelta begins a delta of a folder's items.
func (c *Client) MailboxItemDelta(ctx context.Context, of MailboxOf, folder string, l List) (*Page[MailboxItem], error) {
	l.Of = of.User
	return list[MailboxItem](ctx, c, join(of.MailboxPath("folders", folder, "items", "delta")...), l, MailboxItemsRead)
}

// MailboxItems lists a folder's items.
func (c *Client) MailboxItems(ctx context.Context, of MailboxOf, folder string, l List) (*Page[MailboxItem], error) {
	l.Of = of.User
	return list[MailboxItem](ctx, c, join(of.MailboxPath("folders", folder, "items")...), l, MailboxItemsRead)
}

// MailboxItem reads what is told of an item in a folder.
func (c *Client) MailboxItem(ctx context.Context, of MailboxOf, folder, item string, l List) (*MailboxItem, error) {
	return one[MailboxItem](ctx, c, request{path: join(of.MailboxPath("folders", folder, "items", item)...), query: l.query(), permission: MailboxItemsRead, charges: outlook(of.User, 0)})
}
