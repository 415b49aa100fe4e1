package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"holdfast/internal/m365"
)

// Site is a SharePoint site: the top of a site collection or one below.
type Site struct {
	Row
	ID           string         `json:"id"` // host,site collection,web
	Name         string         `json:"name"`
	DisplayName  string         `json:"displayName"`
	Description  string         `json:"description"`
	WebURL       string         `json:"webUrl"`
	Personal     bool           `json:"isPersonalSite"`
	Created      time.Time      `json:"createdDateTime"`
	Modified     time.Time      `json:"lastModifiedDateTime"`
	Root         *struct{}      `json:"root"`
	Parent       *ItemReference `json:"parentReference"`
	Collection   *Collection    `json:"siteCollection"`
	SharePointID *SharePointIDs `json:"sharepointIds"`
	Removed      *Removed       `json:"@removed"`
}

// Collection is the site collection that a site is of.
type Collection struct {
	Hostname string `json:"hostname"`
}

// SharePointIDs are the ids of SharePoint's own interface.
type SharePointIDs struct {
	SiteID  string `json:"siteId"`
	WebID   string `json:"webId"`
	SiteURL string `json:"siteUrl"`
	ListID  string `json:"listId"` // of a drive
}

// SiteList is a list of a site; a document library is one too.
type SiteList struct {
	Row
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	DisplayName  string          `json:"displayName"`
	Description  string          `json:"description"`
	WebURL       string          `json:"webUrl"`
	ETag         string          `json:"eTag"`
	Created      time.Time       `json:"createdDateTime"`
	Modified     time.Time       `json:"lastModifiedDateTime"`
	CreatedBy    *Identity       `json:"createdBy"`
	System       json.RawMessage `json:"system"`
	Info         ListInfo        `json:"list"`
	Columns      []Column        `json:"columns"`
	ContentTypes []ContentType   `json:"contentTypes"`
	Drive        *Drive          `json:"drive"`
}

// ListInfo says what sort of list it is.
type ListInfo struct {
	Template     string `json:"template"`
	Hidden       bool   `json:"hidden"`
	ContentTypes bool   `json:"contentTypesEnabled"`
}

// Column is the definition of a column. One of the facets is not nil.
type Column struct {
	Row
	ID           string        `json:"id,omitempty"`
	Name         string        `json:"name"`
	DisplayName  string        `json:"displayName,omitempty"`
	Description  string        `json:"description,omitempty"`
	Hidden       bool          `json:"hidden,omitempty"`
	ReadOnly     bool          `json:"readOnly,omitempty"`
	Required     bool          `json:"required,omitempty"`
	Indexed      bool          `json:"indexed,omitempty"`
	Text         *TextColumn   `json:"text,omitempty"`
	Choice       *ChoiceColumn `json:"choice,omitempty"`
	Person       *PersonColumn `json:"personOrGroup,omitempty"`
	Lookup       *LookupColumn `json:"lookup,omitempty"`
	Term         *TermColumn   `json:"term,omitempty"`
	Date         *struct{}     `json:"dateTime,omitempty"`
	Number       *struct{}     `json:"number,omitempty"`
	Currency     *struct{}     `json:"currency,omitempty"`
	Boolean      *struct{}     `json:"boolean,omitempty"`
	Hyperlink    *struct{}     `json:"hyperlinkOrPicture,omitempty"`
	Calculated   *struct{}     `json:"calculated,omitempty"`
	Thumbnail    *struct{}     `json:"thumbnail,omitempty"`
	Geolocation  *struct{}     `json:"geolocation,omitempty"`
	ContentState *struct{}     `json:"contentApprovalStatus,omitempty"`
}

// UnmarshalJSON keeps each column's own JSON.
func (c *Column) UnmarshalJSON(raw []byte) error {
	type plain Column
	if err := json.Unmarshal(raw, (*plain)(c)); err != nil {
		return err
	}
	c.Raw = append(json.RawMessage(nil), raw...)
	return nil
}

// TextColumn is a column of text of one line or several.
type TextColumn struct {
	MultipleLines bool `json:"allowMultipleLines"`
}

// ChoiceColumn is a column whose values are of a list; check boxes take several.
type ChoiceColumn struct {
	DisplayAs string   `json:"displayAs"`
	Choices   []string `json:"choices"`
}

// PersonColumn is a column of people or groups.
type PersonColumn struct {
	Multiple bool `json:"allowMultipleSelection"`
}

// LookupColumn is a column that names items of another list of the site.
type LookupColumn struct {
	Multiple bool   `json:"allowMultipleValues"`
	Column   string `json:"columnName"`
	ListID   string `json:"listId"`
}

// TermColumn is a column of managed metadata.
type TermColumn struct {
	Multiple bool `json:"allowMultipleValues"`
}

// ContentType is what an item of a list may be.
type ContentType struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ListItem is an item of a list.
type ListItem struct {
	Row
	ID          string          `json:"id"`
	ETag        string          `json:"eTag"`
	Created     time.Time       `json:"createdDateTime"`
	Modified    time.Time       `json:"lastModifiedDateTime"`
	CreatedBy   *Identity       `json:"createdBy"`
	ModifiedBy  *Identity       `json:"lastModifiedBy"`
	ContentType *ContentType    `json:"contentType"`
	WebURL      string          `json:"webUrl"`
	Fields      json.RawMessage `json:"fields"`
	Deleted     *Deleted        `json:"deleted"`
	Removed     *Removed        `json:"@removed"`
}

// ItemVersion is a version of a list's item; the first of a list is the present one.
type ItemVersion struct {
	Row
	ID         string          `json:"id"`
	Modified   time.Time       `json:"lastModifiedDateTime"`
	ModifiedBy *Identity       `json:"lastModifiedBy"`
	Fields     json.RawMessage `json:"fields"`
}

// SitePage is a page of a site, with its content.
type SitePage struct {
	Row
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	ETag       string          `json:"eTag"`
	Created    time.Time       `json:"createdDateTime"`
	Modified   time.Time       `json:"lastModifiedDateTime"`
	CreatedBy  *Identity       `json:"createdBy"`
	ModifiedBy *Identity       `json:"lastModifiedBy"`
	Layout     string          `json:"pageLayout"`
	TitleArea  json.RawMessage `json:"titleArea"`
	Canvas     json.RawMessage `json:"canvasLayout"`
	Publishing *Publication    `json:"publishingState"`
	About      string          `json:"description"`
	Thumbnail  string          `json:"thumbnailWebUrl"`
	Promotion  string          `json:"promotionKind"` // page, newsPost
	Comments   *bool           `json:"showComments"`
	Recommends *bool           `json:"showRecommendedPages"`
}

// Publication says whether a page or file is published.
type Publication struct {
	Level     string `json:"level"`
	VersionID string `json:"versionId"`
}

const (
	sitesRead   = "Sites.Read.All"
	sitesWrite  = "Sites.ReadWrite.All"
	sitesManage = "Sites.Manage.All"
)

// AllSites lists all sites of the organization, personal ones too.
func (c *Client) AllSites(ctx context.Context, l List) (*Page[Site], error) {
	return list[Site](ctx, c, "/sites/getAllSites", l, sitesRead)
}

// Site reads a site by its id, or the organization's root site by the id "root".
func (c *Client) Site(ctx context.Context, id string, l List) (*Site, error) {
	return one[Site](ctx, c, request{path: siteJoin(id), query: l.query(), permission: sitesRead})
}

// SiteAt reads the site at a path of a host, such as /sites/team.
func (c *Client) SiteAt(ctx context.Context, host, path string) (*Site, error) {
	return one[Site](ctx, c, request{path: "/sites/" + host + ":" + join(strings.Split(strings.Trim(path, "/"), "/")...), permission: sitesRead})
}

// GroupSite reads the site of a Microsoft 365 group.
func (c *Client) GroupSite(ctx context.Context, group string) (*Site, error) {
	return one[Site](ctx, c, request{path: join("groups", group, "sites", "root"), permission: sitesRead})
}

// Subsites lists the sites directly below one.
func (c *Client) Subsites(ctx context.Context, id string, l List) (*Page[Site], error) {
	return list[Site](ctx, c, siteJoin(id, "sites"), l, sitesRead)
}

// siteJoin is a path below a site, whose id keeps its commas.
func siteJoin(id string, parts ...string) string {
	return "/sites" + strings.ReplaceAll(join(append([]string{id}, parts...)...), "%2C", ",")
}

// Lists lists a site's lists and libraries. Hidden ones come when "system" is among the selected properties.
func (c *Client) Lists(ctx context.Context, site string, l List) (*Page[SiteList], error) {
	return list[SiteList](ctx, c, siteJoin(site, "lists"), l, sitesRead)
}

// SiteList reads a list by id or title.
func (c *Client) SiteList(ctx context.Context, site, id string, l List) (*SiteList, error) {
	return one[SiteList](ctx, c, request{path: siteJoin(site, "lists", id), query: l.query(), permission: sitesRead})
}

// ListDrive is the drive that a document library is.
func (c *Client) ListDrive(ctx context.Context, site, id string) (*Drive, error) {
	return one[Drive](ctx, c, request{path: siteJoin(site, "lists", id, "drive"), query: List{Select: []string{"id", "driveType", "name"}}.query(), permission: filesRead})
}

// SiteDrive is the default library of a site; of a personal site that is its owner's OneDrive.
func (c *Client) SiteDrive(ctx context.Context, site string, l List) (*Drive, error) {
	return one[Drive](ctx, c, request{path: siteJoin(site, "drive"), query: l.query(), permission: filesRead})
}

// NewSiteList is a list to be made.
type NewSiteList struct {
	DisplayName string            `json:"displayName"`
	Description string            `json:"description,omitempty"`
	Columns     []json.RawMessage `json:"columns,omitempty"`
	List        struct {
		Template string `json:"template"`
	} `json:"list"`
}

// CreateList makes a list.
func (c *Client) CreateList(ctx context.Context, site string, n NewSiteList) (*SiteList, error) {
	return one[SiteList](ctx, c, request{method: http.MethodPost, path: siteJoin(site, "lists"), in: n, permission: sitesManage})
}

// CreateColumn adds a column to a list. A list has a name once: Conflict says that it is there, perhaps by a call of this one whose answer was lost.
func (c *Client) CreateColumn(ctx context.Context, site, list string, column json.RawMessage) (*Column, error) {
	return one[Column](ctx, c, request{method: http.MethodPost, path: siteJoin(site, "lists", list, "columns"), in: column, permission: sitesManage, repeatable: true})
}

// ListItemDelta begins a delta of a list's items.
func (c *Client) ListItemDelta(ctx context.Context, site, id string, l List) (*Page[ListItem], error) {
	return list[ListItem](ctx, c, siteJoin(site, "lists", id, "items", "delta"), l, sitesRead)
}

// ListItems lists a list's items.
func (c *Client) ListItems(ctx context.Context, site, id string, l List) (*Page[ListItem], error) {
	return list[ListItem](ctx, c, siteJoin(site, "lists", id, "items"), l, sitesRead)
}

// ListItem reads one item.
func (c *Client) ListItem(ctx context.Context, site, list, id string, l List) (*ListItem, error) {
	return one[ListItem](ctx, c, request{path: siteJoin(site, "lists", list, "items", id), query: l.query(), permission: sitesRead})
}

// FileListItem reads a file or folder of a library as the item of its list that it is, with its values or without.
// https://learn.microsoft.com/graph/api/resources/driveitem (relationship listItem)
func (c *Client) FileListItem(ctx context.Context, drive, id string, values bool) (*ListItem, error) {
	how := "listItem($select=id)"
	if values {
		how = "listItem($expand=fields)"
	}
	row, err := c.DriveItem(ctx, drive, id, List{Select: []string{"id"}, Expand: []string{how}})
	if err != nil {
		return nil, err
	}
	if row.ListItem == nil {
		return nil, &m365.Error{Kind: m365.Unavailable, Message: fmt.Sprintf("item %s of drive %s came without its list item", id, drive)}
	}
	return row.ListItem, nil
}

// ListItemVersions lists an item's versions, newest first, with their values.
func (c *Client) ListItemVersions(ctx context.Context, site, listID, id string, l List) (*Page[ItemVersion], error) {
	return list[ItemVersion](ctx, c, siteJoin(site, "lists", listID, "items", id, "versions"), l, sitesRead)
}

// CreateListItem makes an item of some values, of a content type of the list when one is named.
func (c *Client) CreateListItem(ctx context.Context, site, list, contentType string, fields map[string]any) (*ListItem, error) {
	in := map[string]any{"fields": fields}
	if contentType != "" {
		in["contentType"] = map[string]string{"id": contentType}
	}
	return one[ListItem](ctx, c, request{method: http.MethodPost, path: siteJoin(site, "lists", list, "items"), in: in, permission: sitesWrite})
}

// UpdateListItem changes values of an item.
func (c *Client) UpdateListItem(ctx context.Context, site, list, id, ifMatch string, fields map[string]any) error {
	r := request{method: http.MethodPatch, path: siteJoin(site, "lists", list, "items", id, "fields"), in: fields, permission: sitesWrite, header: http.Header{}}
	if ifMatch != "" {
		r.header.Set("If-Match", ifMatch)
	}
	return c.do(ctx, r, nil)
}

// DeleteListItem deletes an item.
func (c *Client) DeleteListItem(ctx context.Context, site, list, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: siteJoin(site, "lists", list, "items", id), permission: sitesWrite}, nil)
}

// SitePages lists a site's pages with their content.
func (c *Client) SitePages(ctx context.Context, site string) (*Page[SitePage], error) {
	return list[SitePage](ctx, c, siteJoin(site, "pages", "microsoft.graph.sitePage"), List{Expand: []string{"canvasLayout"}, Top: 200}, sitesRead)
}

// SitePage reads one page with its content.
func (c *Client) SitePage(ctx context.Context, site, id string) (*SitePage, error) {
	return one[SitePage](ctx, c, request{path: siteJoin(site, "pages", id, "microsoft.graph.sitePage"), query: List{Expand: []string{"canvasLayout"}}.query(), permission: sitesRead})
}

// WritePage makes a page of a body, or changes the page with an id.
func (c *Client) WritePage(ctx context.Context, site, id string, body map[string]any) (*SitePage, error) {
	if id == "" {
		return one[SitePage](ctx, c, request{method: http.MethodPost, path: siteJoin(site, "pages"), in: body, permission: sitesWrite})
	}
	return one[SitePage](ctx, c, request{method: http.MethodPatch, path: siteJoin(site, "pages", id, "microsoft.graph.sitePage"), in: body, permission: sitesWrite, repeatable: true})
}

// PublishPage publishes a page.
func (c *Client) PublishPage(ctx context.Context, site, id string) error {
	return c.do(ctx, request{method: http.MethodPost, path: siteJoin(site, "pages", id, "microsoft.graph.sitePage", "publish"), permission: sitesWrite, repeatable: true}, nil)
}
