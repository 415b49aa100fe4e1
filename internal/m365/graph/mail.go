package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"holdfast/internal/m365"
)

// MailFolder is a folder of a mailbox.
type MailFolder struct {
	Row
	ID               string   `json:"id"`
	ParentFolderID   string   `json:"parentFolderId"`
	DisplayName      string   `json:"displayName"`
	ChildFolderCount int      `json:"childFolderCount"`
	TotalItemCount   int      `json:"totalItemCount"`
	UnreadItemCount  int      `json:"unreadItemCount"`
	SizeInBytes      int64    `json:"sizeInBytes"`
	IsHidden         bool     `json:"isHidden"`
	WellKnownName    string   `json:"wellKnownName"` // beta; empty in v1.0
	Type             string   `json:"@odata.type"`
	Removed          *Removed `json:"@removed"`
}

// Message is a mail. The typed fields are those that a listing needs; Raw has all that was served.
type Message struct {
	Row
	ID                      string      `json:"id"`
	ParentFolderID          string      `json:"parentFolderId"`
	ChangeKey               string      `json:"changeKey"`
	ETag                    string      `json:"@odata.etag"`
	Type                    string      `json:"@odata.type"`
	Subject                 string      `json:"subject"`
	BodyPreview             string      `json:"bodyPreview"`
	From                    *Recipient  `json:"from"`
	Sender                  *Recipient  `json:"sender"`
	To                      []Recipient `json:"toRecipients"`
	Cc                      []Recipient `json:"ccRecipients"`
	Bcc                     []Recipient `json:"bccRecipients"`
	ReplyTo                 []Recipient `json:"replyTo"`
	Created                 time.Time   `json:"createdDateTime"`
	Modified                time.Time   `json:"lastModifiedDateTime"`
	Received                time.Time   `json:"receivedDateTime"`
	Sent                    time.Time   `json:"sentDateTime"`
	HasAttachments          bool        `json:"hasAttachments"`
	IsRead                  bool        `json:"isRead"`
	IsDraft                 bool        `json:"isDraft"`
	Importance              string      `json:"importance"`
	Categories              []string    `json:"categories"`
	Flag                    *Flag       `json:"flag"`
	InferenceClassification string      `json:"inferenceClassification"`
	ConversationID          string      `json:"conversationId"`
	ConversationIndex       string      `json:"conversationIndex"`
	InternetMessageID       string      `json:"internetMessageId"`
	Headers                 []Header    `json:"internetMessageHeaders"`
	Properties              []Property  `json:"singleValueExtendedProperties"`
	Attachments             []Attachment
	Removed                 *Removed `json:"@removed"`
}

// unread are the members that are most of a message and that no typed field takes: they are kept as they stand, not looked at.
func (m *Message) unread() []string { return []string{"body", "uniqueBody"} }

// Recipient is a mail address with its name.
type Recipient struct {
	EmailAddress struct {
		Name    string `json:"name,omitempty"`
		Address string `json:"address,omitempty"`
	} `json:"emailAddress"`
}

// Flag is a follow-up flag.
type Flag struct {
	FlagStatus string `json:"flagStatus"`
}

// Header is a header line of the mail as it came.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Property is an extended property, as "Integer 0x0E07" or "String {guid} Name x".
type Property struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// Attachment is an attachment of any kind; Type tells which.
type Attachment struct {
	Row
	Type         string          `json:"@odata.type"`
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	ContentType  string          `json:"contentType"`
	Size         int64           `json:"size"`
	IsInline     bool            `json:"isInline"`
	Modified     time.Time       `json:"lastModifiedDateTime"`
	ContentID    string          `json:"contentId"`
	ContentBytes string          `json:"contentBytes"` // base64
	Item         json.RawMessage `json:"item"`
}

// The types of attachments.
const (
	FileAttachment      = "#microsoft.graph.fileAttachment"
	ItemAttachment      = "#microsoft.graph.itemAttachment"
	ReferenceAttachment = "#microsoft.graph.referenceAttachment"
)

// UnmarshalJSON keeps each attachment's own JSON.
func (a *Attachment) UnmarshalJSON(raw []byte) error {
	type plain Attachment
	if err := json.Unmarshal(raw, (*plain)(a)); err != nil {
		return err
	}
	a.Raw = append(json.RawMessage(nil), raw...)
	return nil
}

const (
	mailRead  = "Mail.Read"
	mailWrite = "Mail.ReadWrite"
)

// MailFolders gives the folders at the top of a mailbox.
func (c *Client) MailFolders(ctx context.Context, mailbox string, l List) (*Page[MailFolder], error) {
	return list[MailFolder](ctx, c, join("users", mailbox, "mailFolders"), l, mailRead)
}

// ChildFolders gives the folders directly in a folder.
func (c *Client) ChildFolders(ctx context.Context, mailbox, folder string, l List) (*Page[MailFolder], error) {
	return list[MailFolder](ctx, c, join("users", mailbox, "mailFolders", folder, "childFolders"), l, mailRead)
}

// MailFolderDelta begins a delta of the whole folder tree.
func (c *Client) MailFolderDelta(ctx context.Context, mailbox string, l List) (*Page[MailFolder], error) {
	return list[MailFolder](ctx, c, join("users", mailbox, "mailFolders", "delta"), l, mailRead)
}

// MailFolder reads a folder by id or well-known name (inbox, msgfolderroot, …).
func (c *Client) MailFolder(ctx context.Context, mailbox, folder string, l List) (*MailFolder, error) {
	return one[MailFolder](ctx, c, request{path: join("users", mailbox, "mailFolders", folder), query: l.query(), permission: mailRead})
}

// CreateMailFolder makes a folder in parent ("" is the top). body is the JSON to send: displayName, isHidden, singleValueExtendedProperties.
func (c *Client) CreateMailFolder(ctx context.Context, mailbox, parent string, body any) (*MailFolder, error) {
	path := join("users", mailbox, "mailFolders")
	if parent != "" {
		path = join("users", mailbox, "mailFolders", parent, "childFolders")
	}
	return one[MailFolder](ctx, c, request{method: http.MethodPost, path: path, in: body, permission: mailWrite})
}

// UpdateMailFolder changes properties of a folder.
func (c *Client) UpdateMailFolder(ctx context.Context, mailbox, folder string, body any) (*MailFolder, error) {
	return one[MailFolder](ctx, c, request{method: http.MethodPatch, path: join("users", mailbox, "mailFolders", folder), in: body, permission: mailWrite, repeatable: true})
}

// DeleteMailFolder deletes a folder with what is in it.
func (c *Client) DeleteMailFolder(ctx context.Context, mailbox, folder string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: join("users", mailbox, "mailFolders", folder), permission: mailWrite}, nil)
}

// Messages gives mails of a folder, or of the whole mailbox when folder is empty.
func (c *Client) Messages(ctx context.Context, mailbox, folder string, l List) (*Page[Message], error) {
	path := join("users", mailbox, "messages")
	if folder != "" {
		path = join("users", mailbox, "mailFolders", folder, "messages")
	}
	return list[Message](ctx, c, path, l, mailRead)
}

// MessageDelta begins a delta of one folder's mails. Go on with Follow.
func (c *Client) MessageDelta(ctx context.Context, mailbox, folder string, l List) (*Page[Message], error) {
	return list[Message](ctx, c, join("users", mailbox, "mailFolders", folder, "messages", "delta"), l, mailRead)
}

// Message reads a mail.
func (c *Client) Message(ctx context.Context, mailbox, id string, l List) (*Message, error) {
	return one[Message](ctx, c, request{path: join("users", mailbox, "messages", id), query: l.query(), prefer: l.preferences(), permission: mailRead})
}

// OpenMIME gives the MIME of a mail as a stream. It cannot be resumed: after a broken read begin again.
func (c *Client) OpenMIME(ctx context.Context, mailbox, id string) (*m365.Stream, error) {
	return c.open(ctx, request{path: join("users", mailbox, "messages", id, "$value"), permission: mailRead, noHTML: true}) // the service says text/plain
}

// MIME reads the MIME of a mail whole, with retries of broken answers. More than limit bytes are an error.
func (c *Client) MIME(ctx context.Context, mailbox, id string, limit int64) ([]byte, error) {
	call, err := c.call(request{path: join("users", mailbox, "messages", id, "$value"), permission: mailRead})
	if err != nil {
		return nil, err
	}
	call.JSON, call.MaxBody = false, limit
	resp, err := c.m.Do(ctx, call)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (c *Client) open(ctx context.Context, r request) (*m365.Stream, error) {
	call, err := c.call(r)
	if err != nil {
		return nil, err
	}
	call.JSON, call.NoHTML = false, r.noHTML
	return c.m.Open(ctx, call)
}

// CreateMessage makes a mail in a folder from JSON. It is not repeated when its outcome is not known: see m365.OutcomeUnknown.
func (c *Client) CreateMessage(ctx context.Context, mailbox, folder string, body any) (*Message, error) {
	return one[Message](ctx, c, request{method: http.MethodPost, path: join("users", mailbox, "mailFolders", folder, "messages"), in: body, permission: mailWrite})
}

// CreateMessageMIME makes a draft from MIME, which Graph takes up to 4 MB of encoded.
func (c *Client) CreateMessageMIME(ctx context.Context, mailbox, folder string, mime []byte) (*Message, error) {
	encoded := make([]byte, base64.StdEncoding.EncodedLen(len(mime)))
	base64.StdEncoding.Encode(encoded, mime)
	return one[Message](ctx, c, request{method: http.MethodPost, path: join("users", mailbox, "mailFolders", folder, "messages"),
		raw: encoded, rawType: "text/plain", permission: mailWrite})
}

// UpdateMessage changes properties of a mail. etag, when given, must still hold.
func (c *Client) UpdateMessage(ctx context.Context, mailbox, id, etag string, body any) (*Message, error) {
	r := request{method: http.MethodPatch, path: join("users", mailbox, "messages", id), in: body, permission: mailWrite, repeatable: true}
	if etag != "" {
		r.header = http.Header{"If-Match": {etag}}
	}
	return one[Message](ctx, c, r)
}

// MoveMessage moves a mail to a folder, by id or well-known name.
func (c *Client) MoveMessage(ctx context.Context, mailbox, id, folder string) (*Message, error) {
	return one[Message](ctx, c, request{method: http.MethodPost, path: join("users", mailbox, "messages", id, "move"),
		in: map[string]string{"destinationId": folder}, permission: mailWrite, repeatable: true})
}

// DeleteMessage deletes a mail; it can be recovered from Recoverable Items for a while.
func (c *Client) DeleteMessage(ctx context.Context, mailbox, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: join("users", mailbox, "messages", id), permission: mailWrite}, nil)
}

// Attachments gives the attachments of a mail. The service does not page this list reliably; ask with $select for ids and then one by one.
func (c *Client) Attachments(ctx context.Context, mailbox, message string, l List) (*Page[Attachment], error) {
	return list[Attachment](ctx, c, join("users", mailbox, "messages", message, "attachments"), l, mailRead)
}

// Attachment reads one attachment. Expand "microsoft.graph.itemattachment/item" for the item in it.
func (c *Client) Attachment(ctx context.Context, mailbox, message, id string, l List) (*Attachment, error) {
	return one[Attachment](ctx, c, request{path: join("users", mailbox, "messages", message, "attachments", id), query: l.query(), permission: mailRead})
}

// OpenAttachment gives the bytes of a file attachment, or the MIME of an item attachment.
func (c *Client) OpenAttachment(ctx context.Context, mailbox, message, id string) (*m365.Stream, error) {
	return c.open(ctx, request{path: join("users", mailbox, "messages", message, "attachments", id, "$value"), permission: mailRead})
}

// AddAttachment adds an attachment of up to 3 MB, from JSON.
func (c *Client) AddAttachment(ctx context.Context, mailbox, message string, body any) (*Attachment, error) {
	return one[Attachment](ctx, c, request{method: http.MethodPost, path: join("users", mailbox, "messages", message, "attachments"), in: body, permission: mailWrite})
}

// DeleteAttachment takes an attachment off a mail.
func (c *Client) DeleteAttachment(ctx context.Context, mailbox, message, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: join("users", mailbox, "messages", message, "attachments", id), permission: mailWrite}, nil)
}

// NewAttachment describes a file attachment to upload.
type NewAttachment struct {
	Name        string
	ContentType string
	ContentID   string
	Size        int64
	IsInline    bool
}

// CreateAttachmentUpload begins the upload of a file attachment of 3 to 150 MB.
func (c *Client) CreateAttachmentUpload(ctx context.Context, mailbox, message string, a NewAttachment) (*Upload, error) {
	item := map[string]any{"attachmentType": "file", "name": a.Name, "size": a.Size}
	if a.ContentType != "" {
		item["contentType"] = a.ContentType
	}
	if a.IsInline {
		item["isInline"] = true
	}
	if a.ContentID != "" {
		item["contentId"] = a.ContentID
	}
	r := request{method: http.MethodPost, path: join("users", mailbox, "messages", message, "attachments", "createUploadSession"),
		in: map[string]any{"AttachmentItem": item}, permission: mailWrite, repeatable: true}
	return c.createUpload(ctx, r, a.Size)
}
