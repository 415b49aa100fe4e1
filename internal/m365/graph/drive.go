package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// Drive is a OneDrive or document library.
type Drive struct {
	Row
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	DriveType string    `json:"driveType"`
	WebURL    string    `json:"webUrl"`
	Owner     *Identity `json:"owner"`
	Created   time.Time `json:"createdDateTime"`
	Modified  time.Time `json:"lastModifiedDateTime"`
	// SharePoint comes when it is selected: the site and the list that the drive is.
	SharePoint *SharePointIDs `json:"sharePointIds"`
}

// Identity is who did something.
type Identity struct {
	User        *Principal `json:"user"`
	Group       *Principal `json:"group"`
	Application *Principal `json:"application"`
	SiteUser    *Principal `json:"siteUser"`
	SiteGroup   *Principal `json:"siteGroup"`
}

// Principal is a user, group or application.
type Principal struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Email       string `json:"email"`
	LoginName   string `json:"loginName"`
	Type        string `json:"userIdentityType"` // of who wrote a message: federatedUser is of another organization
}

// DriveItem is a file or folder.
type DriveItem struct {
	Row
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Size        int64           `json:"size"`
	ETag        string          `json:"eTag"`
	WebURL      string          `json:"webUrl"`
	CTag        string          `json:"cTag"`
	Created     time.Time       `json:"createdDateTime"`
	Modified    time.Time       `json:"lastModifiedDateTime"`
	CreatedBy   *Identity       `json:"createdBy"`
	ModifiedBy  *Identity       `json:"lastModifiedBy"`
	Parent      *ItemReference  `json:"parentReference"`
	FileSystem  *FileSystemInfo `json:"fileSystemInfo"`
	File        *File           `json:"file"`
	Folder      *Folder         `json:"folder"`
	Package     *Package        `json:"package"`
	Root        *struct{}       `json:"root"`
	Deleted     *Deleted        `json:"deleted"`
	Shared      *Shared         `json:"shared"`
	Malware     *Malware        `json:"malware"`
	RemoteItem  json.RawMessage `json:"remoteItem"`
	Permissions []Permission    `json:"permissions"`
	ListItem    *ListItem       `json:"listItem"` // when it is expanded
	DownloadURL string          `json:"@microsoft.graph.downloadUrl"`
	// SharedChanged is true in a delta with Prefer: deltashowsharingchanges when only sharing changed.
	SharedChanged string   `json:"@microsoft.graph.sharedChanged"`
	Removed       *Removed `json:"@removed"`
}

// IsFolder tells whether the item has children: a folder, the root, or a package such as a notebook.
func (i *DriveItem) IsFolder() bool { return i.Folder != nil || i.Root != nil || i.Package != nil }

// Hash is the item's quickXorHash in base64, or empty.
func (i *DriveItem) Hash() string {
	if i.File == nil || i.File.Hashes == nil {
		return ""
	}
	return i.File.Hashes.QuickXor
}

// ParentID is the id of the folder that holds the item, or empty.
func (i *DriveItem) ParentID() string {
	if i.Parent == nil {
		return ""
	}
	return i.Parent.ID
}

// ItemReference says where an item is.
type ItemReference struct {
	DriveID string `json:"driveId"`
	ID      string `json:"id"`
	Path    string `json:"path"`
}

// FileSystemInfo are the times that a client may set.
type FileSystemInfo struct {
	Created  time.Time `json:"createdDateTime"`
	Modified time.Time `json:"lastModifiedDateTime"`
}

// File is the file facet.
type File struct {
	MimeType string  `json:"mimeType"`
	Hashes   *Hashes `json:"hashes"`
}

// Hashes of a file's content.
type Hashes struct {
	QuickXor string `json:"quickXorHash"`
	SHA1     string `json:"sha1Hash"`
	SHA256   string `json:"sha256Hash"`
}

// Folder is the folder facet.
type Folder struct {
	ChildCount int `json:"childCount"`
}

// Package is the facet of an item that looks like one file but is a folder: type "oneNote".
type Package struct {
	Type string `json:"type"`
}

// Deleted is the facet of a deleted item in a delta.
type Deleted struct {
	State string `json:"state"`
}

// Shared says that an item is shared.
type Shared struct {
	Scope string `json:"scope"`
}

// Malware says that the service holds the file for infected.
type Malware struct {
	Description string `json:"description"`
}

// Permission is one grant on an item.
type Permission struct {
	Row
	ID            string         `json:"id"`
	Roles         []string       `json:"roles"`
	GrantedTo     *Identity      `json:"grantedToV2"`
	GrantedToAll  []Identity     `json:"grantedToIdentitiesV2"`
	Link          *SharingLink   `json:"link"`
	Invitation    *Invitation    `json:"invitation"`
	InheritedFrom *ItemReference `json:"inheritedFrom"`
	Expires       *time.Time     `json:"expirationDateTime"`
	HasPassword   bool           `json:"hasPassword"`
}

// UnmarshalJSON keeps each permission's own JSON.
func (p *Permission) UnmarshalJSON(raw []byte) error {
	type plain Permission
	if err := json.Unmarshal(raw, (*plain)(p)); err != nil {
		return err
	}
	p.Raw = append(json.RawMessage(nil), raw...)
	return nil
}

// SharingLink is the link facet of a permission.
type SharingLink struct {
	Type             string `json:"type"`  // view, edit, …
	Scope            string `json:"scope"` // anonymous, organization, users
	WebURL           string `json:"webUrl"`
	PreventsDownload bool   `json:"preventsDownload"`
}

// Invitation is the invitation facet of a permission.
type Invitation struct {
	Email          string `json:"email"`
	SignInRequired bool   `json:"signInRequired"`
}

// Version is a stored version of a file.
type Version struct {
	Row
	ID          string    `json:"id"`
	Modified    time.Time `json:"lastModifiedDateTime"`
	ModifiedBy  *Identity `json:"lastModifiedBy"`
	Size        int64     `json:"size"`
	DownloadURL string    `json:"@microsoft.graph.downloadUrl"`
}

const (
	filesRead  = "Files.Read.All"
	filesWrite = "Files.ReadWrite.All"
)

// UserDrive is the OneDrive of a user. One that was never used is an error of kind Unlicensed.
func (c *Client) UserDrive(ctx context.Context, user string) (*Drive, error) {
	return one[Drive](ctx, c, request{path: join("users", user, "drive"), permission: filesRead})
}

// Drive reads a drive.
func (c *Client) Drive(ctx context.Context, id string) (*Drive, error) {
	return one[Drive](ctx, c, request{path: join("drives", id), permission: filesRead})
}

// DriveDelta begins a delta of a whole drive; List.Token begins it at "latest" or at a time.
func (c *Client) DriveDelta(ctx context.Context, drive string, l List) (*Page[DriveItem], error) {
	return list[DriveItem](ctx, c, join("drives", drive, "root", "delta"), l, filesRead)
}

// DriveRoot reads the root folder.
func (c *Client) DriveRoot(ctx context.Context, drive string) (*DriveItem, error) {
	return one[DriveItem](ctx, c, request{path: join("drives", drive, "root"), permission: filesRead})
}

// DriveItem reads an item by id.
func (c *Client) DriveItem(ctx context.Context, drive, id string, l List) (*DriveItem, error) {
	return one[DriveItem](ctx, c, request{path: join("drives", drive, "items", id), query: l.query(), prefer: l.preferences(), permission: filesRead})
}

// DriveChild reads the item of a name in a folder.
func (c *Client) DriveChild(ctx context.Context, drive, parent, name string, l List) (*DriveItem, error) {
	return one[DriveItem](ctx, c, request{path: join("drives", drive, "items", parent) + ":" + join(name), query: l.query(), permission: filesRead})
}

// DriveChildren gives the items directly in a folder.
func (c *Client) DriveChildren(ctx context.Context, drive, parent string, l List) (*Page[DriveItem], error) {
	return list[DriveItem](ctx, c, join("drives", drive, "items", parent, "children"), l, filesRead)
}

// ItemVersions gives the versions of a file, newest first; the first one is the current content.
func (c *Client) ItemVersions(ctx context.Context, drive, id string, l List) (*Page[Version], error) {
	return list[Version](ctx, c, join("drives", drive, "items", id, "versions"), l, filesRead)
}

// ItemPermissions gives the sharing permissions of an item.
func (c *Client) ItemPermissions(ctx context.Context, drive, id string, l List) (*Page[Permission], error) {
	return list[Permission](ctx, c, join("drives", drive, "items", id, "permissions"), l, filesRead)
}

// The values of @microsoft.graph.conflictBehavior.
const (
	ConflictFail    = "fail"
	ConflictRename  = "rename"
	ConflictReplace = "replace"
)

// CreateFolder makes a folder. With ConflictFail an existing one is an error of kind Conflict.
func (c *Client) CreateFolder(ctx context.Context, drive, parent, name, conflict string, times *FileSystemInfo) (*DriveItem, error) {
	body := map[string]any{"name": name, "folder": map[string]any{}, "@microsoft.graph.conflictBehavior": conflict}
	if times != nil {
		body["fileSystemInfo"] = times
	}
	return one[DriveItem](ctx, c, request{method: http.MethodPost, path: join("drives", drive, "items", parent, "children"), in: body,
		permission: filesWrite, repeatable: conflict == ConflictFail})
}

// UpdateItem changes properties of an item. etag, when given, must still hold.
func (c *Client) UpdateItem(ctx context.Context, drive, id, etag string, body any) (*DriveItem, error) {
	r := request{method: http.MethodPatch, path: join("drives", drive, "items", id), in: body, permission: filesWrite, repeatable: true}
	if etag != "" {
		r.header = http.Header{"If-Match": {etag}}
	}
	return one[DriveItem](ctx, c, r)
}

// DeleteItem moves an item to the recycle bin.
func (c *Client) DeleteItem(ctx context.Context, drive, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: join("drives", drive, "items", id), permission: filesWrite}, nil)
}

// NewFile says where a file goes. Either Parent and Name, or Item to replace the content of.
type NewFile struct {
	Drive    string
	Parent   string
	Name     string
	Item     string
	Conflict string // with Parent and Name
	IfMatch  string // with Item
	Size     int64
	Times    *FileSystemInfo
	// Description goes with an upload session.
	Description string
}

func (f NewFile) path(last string) string {
	if f.Item != "" {
		return join("drives", f.Drive, "items", f.Item, last)
	}
	return join("drives", f.Drive, "items", f.Parent) + ":" + join(f.Name) + ":" + join(last)
}

// CreateFileUpload begins the upload of a file that is not empty.
func (c *Client) CreateFileUpload(ctx context.Context, f NewFile) (*Upload, error) {
	item := map[string]any{}
	if f.Conflict != "" {
		item["@microsoft.graph.conflictBehavior"] = f.Conflict
	}
	if f.Item == "" {
		item["name"] = f.Name
	}
	if f.Times != nil {
		item["fileSystemInfo"] = f.Times
	}
	if f.Description != "" {
		item["description"] = f.Description
	}
	r := request{method: http.MethodPost, path: f.path("createUploadSession"), in: map[string]any{"item": item}, permission: filesWrite, repeatable: true}
	if f.IfMatch != "" {
		r.header = http.Header{"If-Match": {f.IfMatch}}
	}
	return c.createUpload(ctx, r, f.Size)
}

// PutSmall makes or replaces a file of up to 4 MB in one call; an empty file can be made only so. Times are not set by it.
func (c *Client) PutSmall(ctx context.Context, f NewFile, content []byte) (*DriveItem, error) {
	r := request{method: http.MethodPut, path: f.path("content"), raw: content, rawType: "application/octet-stream", permission: filesWrite}
	if content == nil {
		r.raw = []byte{}
	}
	if f.Conflict != "" {
		r.query = url.Values{"@microsoft.graph.conflictBehavior": {f.Conflict}}
	}
	if f.IfMatch != "" {
		r.header = http.Header{"If-Match": {f.IfMatch}}
	}
	return one[DriveItem](ctx, c, r)
}

// Uploaded decodes what Upload.Send returned for a file.
func Uploaded(raw json.RawMessage) (*DriveItem, error) {
	out := new(DriveItem)
	if err := decode(raw, out); err != nil || out.ID == "" {
		return nil, &Error{Kind: m365.Corrupt, Call: "PUT upload", Code: "answer not understood", Cause: err, Unknown: true}
	}
	return out, nil
}

// Invite grants roles to people by address or object id. No mail is sent.
func (c *Client) Invite(ctx context.Context, drive, id string, recipients []map[string]string, roles []string, expires *time.Time) (*Page[Permission], error) {
	body := map[string]any{"recipients": recipients, "roles": roles, "requireSignIn": true, "sendInvitation": false}
	if expires != nil {
		body["expirationDateTime"] = expires.UTC().Format(time.RFC3339)
	}
	return page[Permission](ctx, c, request{method: http.MethodPost, path: join("drives", drive, "items", id, "invite"), in: body, permission: filesWrite, repeatable: true})
}

// CreateLink makes a sharing link, or gives the one there is of that type and scope. Scope users would mail people, so it is refused.
func (c *Client) CreateLink(ctx context.Context, drive, id, linkType, scope string) (*Permission, error) {
	if strings.EqualFold(scope, "users") {
		return nil, &Error{Kind: m365.Invalid, Call: "POST createLink", Code: "refused", Message: "a link for certain people would mail them"}
	}
	return one[Permission](ctx, c, request{method: http.MethodPost, path: join("drives", drive, "items", id, "createLink"),
		in: map[string]string{"type": linkType, "scope": scope}, permission: filesWrite, repeatable: true})
}

// contentCharge is what reading a pre-authenticated address costs.
var contentCharge = []m365.Charge{{Service: throttle.SharePoint, Requests: 1, Units: 1}}
