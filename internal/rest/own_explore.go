package rest

import (
	"context"
	"io"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Our own way through a restore session is the same for every kind of container and item; the contract's differs by kind.

const (
	containersPath = sessionPath + "/Containers"
	itemsPath      = containersPath + "/{containerId}/Items"
	itemPath       = itemsPath + "/{itemId}"
)

var exploreRoutes = []route{
	{"RestoreSessionView_Get", "GET", sessionPath, 200, service.ActSeeRestores, (*API).restoreSessionViewGet},
	{"Container_Get", "GET", containersPath, 200, service.ActExplore, (*API).containerGet},
	{"Item_Get", "GET", itemsPath, 200, service.ActReadContent, (*API).itemGet},
	{"Item_Save", "POST", itemsPath + "/save", 200, service.ActDownload, (*API).itemSave},
	{"Item_GetById", "GET", itemPath, 200, service.ActReadContent, (*API).itemGetByID},
	{"Item_GetVersions", "GET", itemPath + "/Versions", 200, service.ActReadContent, (*API).itemGetVersions},
	{"Item_GetContent", "GET", itemPath + "/Content", 200, service.ActDownload, (*API).itemGetContent},
	{"Item_GetPreview", "GET", itemPath + "/Preview", 200, service.ActReadContent, (*API).itemGetPreview},
	{"Item_GetPreviewBody", "GET", itemPath + "/Preview/Body", 200, service.ActReadContent, (*API).itemGetPreviewBody},
	{"Item_GetPermissions", "GET", itemPath + "/Permissions", 200, service.ActReadContent, (*API).itemGetPermissions},
	{"Item_GetRows", "GET", itemPath + "/Rows", 200, service.ActReadContent, (*API).itemGetRows},
	{"Item_GetTable", "GET", itemPath + "/Table", 200, service.ActDownload, (*API).itemGetTable},
	{"Item_GetAttachment", "GET", itemPath + "/Attachments/{attachmentNumber}", 200, service.ActDownload, (*API).itemGetAttachment},
	{"Restore_Plan", "POST", "/Restore/Plan", 200, service.ActRestore, (*API).restorePlan},
	{"Restore_Start", "POST", "/Restore", 200, service.ActRestore, (*API).restoreStart},
	{"Compare_Start", "POST", "/Compare", 200, service.ActReadContent, (*API).compareStart},
}

// viewShape is what a restore session looks at. The contract's shape of a session tells it in words only, and its time without fractions.
type viewShape struct {
	ID           string                `json:"id"`
	Type         holdfast.ExplorerType `json:"type"`
	Organization string                `json:"organizationId,omitzero"`
	Repository   string                `json:"repositoryId,omitzero"`
	Job          string                `json:"jobId,omitzero"`
	Time         *time.Time            `json:"dateTime,omitzero"` // absent: the newest
	ShowDeleted  bool                  `json:"showDeleted"`
	ShowVersions bool                  `json:"showAllVersions"`
	Acts         []string              `json:"acts"` // what the caller may do there, in the words of the operations' x-act
}

// restoreSessionViewGet tells what a restore session looks at, so that another one can look at the same as of another time.
func (a *API) restoreSessionViewGet(ctx context.Context, r *request) (any, error) {
	s, err := a.restoreSession(ctx, r)
	if err != nil {
		return nil, err
	}
	return viewShape{string(s.ID), s.Type, string(s.Organization), string(s.Repository), string(s.Job), stamp(s.PointInTime), s.ShowDeleted, s.ShowAllVersions,
		list(service.ActsIn(r.user, s), func(act service.Act) string { return string(act) })}, nil
}

type containerShape struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Owner   string    `json:"owner"`
	Time    time.Time `json:"time"`              // of the state that is shown
	Parent  string    `json:"parentId,omitzero"` // of a site below another one that the session shows
	Chat    string    `json:"membership,omitzero"`
}

// chatKind is what a chat is, which Microsoft's ids of chats tell: those of two end in the name of a space of their own, those of meetings say so.
// https://learn.microsoft.com/graph/api/resources/chat
func chatKind(c holdfast.Container) string {
	switch {
	case c.Kind != holdfast.Chat:
		return ""
	case strings.HasSuffix(c.Source, "@unq.gbl.spaces"):
		return "oneOnOne"
	case strings.HasPrefix(c.Source, "19:meeting_"):
		return "meeting"
	}
	return "group"
}

func containerToShape(c service.SessionContainer) containerShape {
	return containerShape{ID: c.Container.PublicID(), Kind: string(c.Container.Kind), Name: c.Container.Name, Address: c.Container.Address, Owner: c.Container.Owner, Time: c.HeadTime.UTC(), Chat: chatKind(c.Container)}
}

// containerGet lists what a session shows.
func (a *API) containerGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	session, err := r.id("restoreSessionId")
	if err != nil {
		return nil, err
	}
	all, err := a.services.RestoreSessions.Containers(ctx, r.user, holdfast.RestoreSessionID(session), holdfast.Page{})
	if err != nil {
		return nil, err
	}
	above := sitesAbove(all)
	return page(r, w, cut(w, all), func(c service.SessionContainer) containerShape {
		out := containerToShape(c)
		out.Parent = above(c)
		return out
	}), nil
}

// anywhere is the container that the path names, of whatever kind.
func (a *API) anywhere(ctx context.Context, r *request) (place, error) {
	session, err := r.id("restoreSessionId")
	if err != nil {
		return place{}, err
	}
	return a.placeOf(ctx, r, holdfast.RestoreSessionID(session), r.param("containerId"))
}

func (a *API) placeOf(ctx context.Context, r *request, session holdfast.RestoreSessionID, container string) (place, error) {
	if strings.Count(container, "-") == 4 {
		container = strings.ToLower(container) // a UUID
	}
	c, err := a.services.RestoreSessions.Container(ctx, r.user, session, container)
	return place{session, c, c.Container.PublicID()}, err
}

type stateShape struct {
	Point string    `json:"restorePointId"`
	Time  time.Time `json:"time"`
}

func stateToShape(s holdfast.PastState) stateShape {
	return stateShape{string(s.Point), s.Time.UTC()}
}

// itemShape is an item as our lists show it. Times and texts that are not known are left out.
type itemShape struct {
	ID          string      `json:"id"`
	Parent      string      `json:"parentId,omitzero"`
	Kind        string      `json:"kind"`
	Name        string      `json:"name"`
	Path        string      `json:"path,omitzero"`
	Time        *time.Time  `json:"time,omitzero"`
	Size        int64       `json:"size"`
	From        string      `json:"from,omitzero"`
	To          string      `json:"to,omitzero"`
	Cc          string      `json:"cc,omitzero"`
	Sent        string      `json:"sent,omitzero"`
	Author      string      `json:"author,omitzero"`
	Importance  string      `json:"importance,omitzero"`
	Special     string      `json:"special,omitzero"`
	Read        bool        `json:"read,omitzero"`
	Flagged     bool        `json:"flagged,omitzero"`
	Attachments bool        `json:"attachments,omitzero"`
	Editor      string      `json:"editor,omitzero"`      // who changed an item of a list last
	Version     string      `json:"version,omitzero"`     // its number at the service
	Class       string      `json:"class,omitzero"`       // what a folder of a mailbox holds, such as IPF.Contact
	Hidden      bool        `json:"hidden,omitzero"`      // its users do not see it there
	Permissions bool        `json:"permissions,omitzero"` // it has permissions of its own
	Membership  string      `json:"membership,omitzero"`  // of a channel: standard, private, shared
	Files       string      `json:"filesId,omitzero"`     // of a channel: the folder that its files are in
	Replies     int         `json:"replies,omitzero"`     // to a post
	ReplyTo     string      `json:"replyTo,omitzero"`     // of a reply: the service's id of its post
	Event       bool        `json:"event,omitzero"`       // nobody wrote the post: the service told that something happened
	Withdrawn   bool        `json:"withdrawn,omitzero"`   // its author deleted the post before it was backed up
	Edited      bool        `json:"edited,omitzero"`      // the post says something else than at first
	App         string      `json:"app,omitzero"`         // of a tab
	Deleted     bool        `json:"deleted,omitzero"`
	Last        *stateShape `json:"lastRestorePoint,omitzero"`
}

func itemToShape(i holdfast.Item) itemShape {
	return itemShape{ID: i.ID, Parent: i.Parent, Kind: string(i.Kind), Name: i.Name, Time: stamp(i.Time), Size: i.Size,
		From: i.Fields[holdfast.FieldFrom], To: i.Fields[holdfast.FieldTo], Cc: i.Fields[holdfast.FieldCc], Sent: i.Fields[holdfast.FieldSent],
		Author: i.Fields[holdfast.FieldAuthor], Importance: i.Fields[holdfast.FieldImportance], Special: i.Fields[holdfast.FieldSpecial],
		Read: i.Fields[holdfast.FieldRead] == "true", Flagged: i.Fields[holdfast.FieldFlag] == "flagged", Attachments: i.Fields[holdfast.FieldAttached] == "true",
		Editor: i.Fields["editor"], Class: classOf(i), Version: i.Fields[holdfast.FieldVersionID], Hidden: i.Fields[holdfast.FieldHidden] == "true", Permissions: i.Fields["unique"] == "true",
		Membership: i.Fields[fieldMembers], Files: i.Fields[fieldFiles], ReplyTo: i.Fields[holdfast.FieldReplyTo], Event: i.Kind == holdfast.KindPost && i.Fields[holdfast.FieldClass] == "event",
		Withdrawn: i.Fields[fieldGone] != "", Edited: i.Fields["edited"] != "", App: i.Fields[fieldApp]}
}

// classOf is what a folder holds, and what an item is that lies among mail and is none: a note, a contact group.
func classOf(i holdfast.Item) string {
	class := i.Fields[holdfast.FieldClass]
	if mail := strings.ToUpper(class); i.Kind == holdfast.KindFolder || i.Kind == holdfast.KindMail && strings.HasPrefix(mail, "IPM.") && !strings.HasPrefix(mail, "IPM.NOTE") && !strings.HasPrefix(mail, "IPM.SCHEDULE") {
		return class
	}
	return ""
}

func entryToShape(e service.Entry) itemShape {
	out := itemToShape(e.Item)
	out.Path, out.Deleted, out.Replies = e.Path, e.Deleted, e.Replies
	if e.Deleted {
		last := stateToShape(e.Last)
		out.Last = &last
	}
	return out
}

// itemPage is a page of items, with their number when it is known.
type itemPage struct {
	pageOf[itemShape]
	Total *int64 `json:"total,omitzero"`
}

// itemGet lists a folder, or finds with query; with show "deleted" only what the session's restore point has not any more.
func (a *API) itemGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.anywhere(ctx, r)
	if err != nil {
		return nil, err
	}
	q := service.ItemQuery{Offset: w.Offset, Limit: w.Limit}
	if q.Sort, err = r.queryOneOf("sort", "time", "name"); err != nil {
		return nil, err
	}
	show, err := r.queryOneOf("show", "all", "deleted")
	if err != nil {
		return nil, err
	}
	if show == "deleted" {
		if q.Deleted = true; len(p.container.View.Earlier) == 0 {
			session, err := a.services.RestoreSessions.Get(ctx, r.user, p.session)
			if err != nil {
				return nil, err
			}
			if !session.ShowDeleted {
				return nil, holdfast.Conflict("this restore session does not show what was deleted: open one with showDeleted")
			}
		}
	}
	if kinds, ok := r.query("kinds"); ok {
		for _, k := range strings.Split(kinds, ",") {
			q.Kinds = append(q.Kinds, holdfast.ItemKind(strings.ToLower(strings.TrimSpace(k))))
		}
	}
	text, searched := r.query("query")
	if searched {
		q.Search = searchText(text)
	}
	if _, given := r.query("parentId"); given || !searched {
		if q.Parent, err = a.parent(ctx, r, p); err != nil {
			return nil, err
		}
	}
	found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
	if err != nil {
		return nil, err
	}
	out := itemPage{pageOf: page(r, w, found.Entries, entryToShape)}
	if found.Total >= 0 {
		out.Total = &found.Total
	}
	return out, nil
}

// item is the item that the path names.
func (a *API) item(ctx context.Context, r *request) (place, service.Entry, error) {
	p, err := a.anywhere(ctx, r)
	if err != nil {
		return p, service.Entry{}, err
	}
	id, err := a.itemID(ctx, r, p, r.param("itemId"))
	if err != nil {
		return p, service.Entry{}, err
	}
	e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, id)
	return p, e, err
}

func (a *API) itemGetByID(ctx context.Context, r *request) (any, error) {
	_, e, err := a.item(ctx, r)
	if err != nil {
		return nil, err
	}
	return entryToShape(e), nil
}

type versionShape struct {
	itemShape
	Repository string     `json:"repositoryId"`
	Stored     int64      `json:"storedSize"`
	Newest     stateShape `json:"newestRestorePoint"`
	Oldest     stateShape `json:"oldestRestorePoint"`
	Current    bool       `json:"current"`
}

// itemGetVersions lists all versions of an item over all restore points, newest first.
func (a *API) itemGetVersions(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.anywhere(ctx, r)
	if err != nil {
		return nil, err
	}
	id, err := a.itemID(ctx, r, p, r.param("itemId"))
	if err != nil {
		return nil, err
	}
	all, err := a.services.RestoreSessions.History(ctx, r.user, p.session, p.id, id)
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, all), func(v service.Version) versionShape {
		out := versionShape{itemShape: itemToShape(v.Item), Repository: string(v.Repository), Stored: v.Stored, Newest: stateToShape(v.Newest), Oldest: stateToShape(v.Oldest), Current: v.Current}
		out.ID = v.ID
		return out
	}), nil
}

// itemSave answers one item as itemGetContent does, several, a folder or (without any) all of the container as a ZIP.
func (a *API) itemSave(ctx context.Context, r *request) (any, error) {
	var in struct {
		Items []string `json:"items,omitzero"`
		Page  bool     `json:"page,omitzero"`
	}
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	p, err := a.anywhere(ctx, r)
	if err != nil {
		return nil, err
	}
	if in.Page {
		return a.postsPage(ctx, r, p, in.Items)
	}
	zip, name := len(in.Items) != 1, p.container.Container.Name
	for i, id := range in.Items {
		if in.Items[i], err = a.itemID(ctx, r, p, id); err != nil {
			return nil, err
		}
		e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, in.Items[i])
		if err != nil {
			return nil, err
		}
		if len(in.Items) == 1 {
			zip, name = e.Kind == holdfast.KindFolder, e.Name
		}
	}
	return a.save(r, p, in.Items, zip, name)
}

// postsPage writes a chat, a channel, or messages of them, as one page of HTML.
func (a *API) postsPage(ctx context.Context, r *request, p place, items []string) (any, error) {
	kind := p.container.Container.Kind
	if kind != holdfast.Chat && kind != holdfast.Team {
		return nil, holdfast.Invalid("a page is made of chats and of posts of teams only; leave page out")
	}
	name, q := p.container.Container.Name, holdfast.PostsQuery{}
	for _, id := range items {
		e, err := a.entry(ctx, r, p, id)
		if err != nil {
			return nil, err
		}
		if len(items) == 1 && e.Kind == holdfast.KindFolder && (e.Fields[holdfast.FieldSpecial] == specialChannel || e.Fields[holdfast.FieldSpecial] == "chat") {
			return a.exportPosts(r, p, e.Name, holdfast.PostsQuery{Folder: e.ID}), nil
		}
		if e.Kind != holdfast.KindPost {
			return nil, holdfast.Invalid("%q is no post: a page has posts, or one channel", e.Name)
		}
		q.Posts = append(q.Posts, e.ID)
	}
	if len(q.Posts) == 0 {
		if kind == holdfast.Team {
			return nil, holdfast.Invalid("items is missing; it lists posts, or one channel")
		}
		root, err := a.root(ctx, r, p)
		if err != nil {
			return nil, err
		}
		if q.Folder = root; root == "" {
			return nil, holdfast.NotFound("nothing is stored of the chat itself")
		}
	}
	return a.exportPosts(r, p, name, q), nil
}

// entry is an item that a body names.
func (a *API) entry(ctx context.Context, r *request, p place, id string) (service.Entry, error) {
	id, err := a.itemID(ctx, r, p, id)
	if err != nil {
		return service.Entry{}, err
	}
	return a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, id)
}

// itemGetPermissions tells who may do what with an item or a folder.
func (a *API) itemGetPermissions(ctx context.Context, r *request) (any, error) {
	p, e, err := a.item(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.services.RestoreSessions.Access(ctx, r.user, p.session, p.id, e.ID)
}

// rowsPage is a page of a list's items with their values.
type rowsPage struct {
	Columns []holdfast.ListColumn `json:"columns"`
	pageOf[holdfast.ListRow]
	Total *int64 `json:"total,omitzero"`
}

// itemGetRows lists the items of a list, or finds some with query, each with its values.
func (a *API) itemGetRows(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, e, err := a.item(ctx, r)
	if err != nil {
		return nil, err
	}
	q := service.ItemQuery{Parent: e.ID, Offset: w.Offset, Limit: min(w.Limit, mostRows)}
	w.Limit = q.Limit
	if q.Sort, err = r.queryOneOf("sort", "time", "name"); err != nil {
		return nil, err
	}
	if text, searched := r.query("query"); searched {
		q.Search = searchText(text)
	}
	found, err := a.services.RestoreSessions.Table(ctx, r.user, p.session, p.id, q)
	if err != nil {
		return nil, err
	}
	out := rowsPage{Columns: found.Columns, pageOf: page(r, w, found.Rows, func(row holdfast.ListRow) holdfast.ListRow { return row })}
	if found.Total >= 0 {
		out.Total = &found.Total
	}
	return out, nil
}

// mostRows bounds a page whose items are each read.
const mostRows = 1_000

// itemGetTable answers a whole list as one file.
func (a *API) itemGetTable(ctx context.Context, r *request) (any, error) {
	format, err := r.queryOneOf("format", "csv", "json")
	if err != nil {
		return nil, err
	}
	p, e, err := a.item(ctx, r)
	if err != nil {
		return nil, err
	}
	if !isList(e) {
		return nil, holdfast.Invalid("%q is not a list", e.Name)
	}
	return &download{name: e.Name + "." + format, size: -1, write: func(ctx context.Context, w io.Writer) error {
		return a.services.RestoreSessions.WriteTable(ctx, r.user, p.session, p.id, e.ID, format, w)
	}}, nil
}

type differenceShape struct {
	Kind       string     `json:"kind"`
	ID         string     `json:"id"`
	Before     *itemShape `json:"before,omitzero"`
	After      *itemShape `json:"after,omitzero"`
	Properties []string   `json:"properties,omitzero"`
}

type comparisonShape struct {
	Container containerShape `json:"container"`
	Before    stateShape     `json:"before"`
	After     *stateShape    `json:"after,omitzero"` // left out when it is Microsoft 365 now
	Live      bool           `json:"live"`
	Total     int64          `json:"total"`
	Added     int64          `json:"added"`
	Removed   int64          `json:"removed"`
	Changed   int64          `json:"changed"`
	pageOf[differenceShape]
}

// compareStart tells what differs between what a session shows of a container, or a folder of it, and another restore point or Microsoft 365 now.
func (a *API) compareStart(ctx context.Context, r *request) (any, error) {
	var in struct {
		Session   string     `json:"restoreSessionId"`
		Container string     `json:"containerId"`
		Folder    string     `json:"folderId,omitzero"`
		Point     string     `json:"restorePointId,omitzero"`
		Time      *time.Time `json:"dateTime,omitzero"`
		Live      bool       `json:"live,omitzero"`
		Offset    int        `json:"offset,omitzero"`
		Limit     int        `json:"limit,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	chosen := 0
	for _, given := range []bool{in.Point != "", in.Time != nil, in.Live} {
		if given {
			chosen++
		}
	}
	if chosen != 1 {
		return nil, holdfast.Invalid("compare with one of restorePointId, dateTime and live")
	}
	if in.Offset < 0 || in.Limit < 0 {
		return nil, holdfast.Invalid("offset and limit must not be negative")
	}
	w := window{Offset: in.Offset, Limit: min(in.Limit, maxLimit)}
	if w.Limit == 0 {
		w.Limit = defaultLimit
	}
	p, err := a.placeOf(ctx, r, holdfast.RestoreSessionID(strings.ToLower(in.Session)), in.Container)
	if err != nil {
		return nil, err
	}
	spec := service.CompareSpec{Session: p.session, Container: p.id, Point: holdfast.RestorePointID(strings.ToLower(in.Point)), Time: value(in.Time), Live: in.Live, Offset: w.Offset, Limit: w.Limit}
	if in.Folder != "" {
		if spec.Folder, err = a.itemID(ctx, r, p, in.Folder); err != nil {
			return nil, err
		}
	}
	return a.inquire(ctx, r, service.InquirySpec{Kind: comparisonInquiry, Act: service.ActReadContent, On: p.on()}, func(ctx context.Context) (any, error) {
		c, err := a.services.RestoreSessions.Compare(ctx, r.user, spec)
		if err != nil {
			return nil, err
		}
		out := comparisonShape{Container: containerToShape(p.container), Before: stateToShape(c.Before), Live: c.Live, Total: c.Total, Added: c.Added, Removed: c.Removed, Changed: c.Changed}
		if !c.Live {
			after := stateToShape(c.After)
			out.After = &after
		}
		out.pageOf = pageOf[differenceShape]{Offset: int32(w.Offset), Limit: int32(w.Limit), Results: list(c.Results, differenceToShape), Links: contract.RESTLinkHALDictionary{}}
		return out, nil
	})
}

func differenceToShape(d holdfast.Difference) differenceShape {
	out := differenceShape{Kind: string(d.Kind), ID: d.ID, Properties: d.Properties}
	for from, to := range map[*service.Entry]**itemShape{d.Before: &out.Before, d.After: &out.After} {
		if from != nil {
			shape := entryToShape(*from)
			*to = &shape
		}
	}
	return out
}
