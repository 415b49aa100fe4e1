package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sitePage is what a modern page has beside the columns of its list.
type sitePage struct {
	guid, name, title, layout string
	titleArea, canvas         map[string]any
	about, thumbnail          string
	promotion                 string // page or newsPost
	comments, recommended     bool
	published                 bool
}

// newPages makes the library of pages, which Graph serves as pages.
func (x *site) newPages(r random, titles ...string) {
	l := x.newList(r, "Site Pages", "webPageLibrary")
	l.name, l.versioning, l.attachments = "SitePages", true, false
	for i, title := range titles {
		it := l.newItem(x.created.Add(time.Duration(i)*time.Hour), person(0))
		it.fields["Title"] = title
		it.page = &sitePage{guid: it.guid, name: fmt.Sprintf("Page-%d.aspx", i+1), title: title, layout: "article", published: i == 0, promotion: "page", comments: true,
			titleArea: map[string]any{"enableGradientEffect": true, "layout": "plain", "showAuthor": true, "showPublishedDate": false, "showTextBlockAboveTitle": false, "textAboveTitle": "", "textAlignment": "left"},
			canvas: map[string]any{"horizontalSections": []any{map[string]any{"id": "1", "layout": "oneColumn", "emphasis": "none", "columns": []any{map[string]any{"id": "1", "width": 12,
				"webparts": []any{map[string]any{"@odata.type": "#microsoft.graph.textWebPart", "id": r.uuid(), "innerHtml": "<p>Welcome to " + x.title + " &amp; more, page " + strconv.Itoa(i) + "</p>"}}}}}}}}
		if i == 1 {
			p := it.page
			p.promotion, p.about, p.thumbnail, p.comments, p.recommended = "newsPost", "What is new – für alle", "https://"+x.host()+x.path+"/SiteAssets/new.png", false, true
			it.changed, it.editor = it.created.Add(49*time.Hour), person(min(1, x.of.s.drives.people()-1))
		}
	}
}

func (s *Sim) pageRoutes(add func(method, pattern string, cost int, permissions []string, h func(sv *siteService, c *Call) (*Reply, error))) []Route {
	for _, cast := range []string{"", "/sitePage"} { // microsoft.graph.sitePage
		add("GET", "/{site}/pages"+cast, 2, sitesRead, (*siteService).getPages)
		add("GET", "/{site}/pages/{page}"+cast, 1, sitesRead, (*siteService).getPage)
		add("PATCH", "/{site}/pages/{page}"+cast, 2, sitesWrite, (*siteService).patchPage)
		add("POST", "/{site}/pages/{page}"+cast+"/publish", 2, sitesWrite, (*siteService).publishPage)
	}
	add("POST", "/{site}/pages", 2, sitesWrite, (*siteService).postPage)
	add("DELETE", "/{site}/pages/{page}", 2, sitesWrite, (*siteService).deletePage)
	return nil
}

func (x *site) pages() *list { return x.list("Site Pages") }

func (l *list) pageJSON(it *listItem, canvas bool) map[string]any {
	p := it.page
	level := "checkout"
	if p.published {
		level = "published"
	}
	m := map[string]any{"@odata.type": "#microsoft.graph.sitePage", "id": p.guid, "name": p.name, "title": p.title, "eTag": fmt.Sprintf(`"{%s},%d"`, p.guid, it.etag), "webUrl": l.webURL() + "/" + p.name,
		"createdDateTime": stamp(it.created), "lastModifiedDateTime": stamp(it.changed), "createdBy": l.site.identity(it.author), "lastModifiedBy": l.site.identity(it.editor),
		"pageLayout": p.layout, "promotionKind": p.promotion, "showComments": p.comments, "showRecommendedPages": p.recommended, "description": p.about, "thumbnailWebUrl": p.thumbnail, "parentReference": map[string]any{"siteId": l.site.collection},
		"publishingState": map[string]any{"level": level, "versionId": strconv.Itoa(it.uiVersion()) + ".0"}, "titleArea": p.titleArea}
	if canvas {
		m["canvasLayout"] = p.canvas
	}
	return m
}

// withCanvas says whether the page's content was asked for, which only the type sitePage has.
func withCanvas(q *Query) (bool, error) {
	for _, e := range q.Expand {
		if e.Name != "canvasLayout" {
			return false, Fail(400, "invalidRequest", "The property '%s' cannot be expanded.", e.Name)
		}
	}
	return len(q.Expand) > 0, nil
}

func (sv *siteService) getPages(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	canvas, err := withCanvas(q)
	if err != nil {
		return nil, err
	}
	l := x.pages()
	var all []map[string]any
	for _, it := range l.sorted() {
		all = append(all, l.pageJSON(it, canvas))
	}
	sel := func(m map[string]any, names []string) (map[string]any, error) {
		return project(m, names, "microsoft.graph.sitePage", func(string) bool { return false })
	}
	return sv.rows(c, q, "pages", all, sel)
}

func (sv *siteService) pageOf(c *Call) (*list, *listItem, error) {
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, nil, err
	}
	l := x.pages()
	for _, it := range l.items {
		if strings.EqualFold(it.page.guid, c.Params["page"]) {
			return l, it, nil
		}
	}
	return nil, nil, Fail(404, "itemNotFound", "The page was not found.")
}

func (sv *siteService) getPage(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	l, it, err := sv.pageOf(c)
	if err != nil {
		return nil, err
	}
	canvas, err := withCanvas(q)
	if err != nil {
		return nil, err
	}
	m := l.pageJSON(it, canvas)
	m["@odata.context"] = c.context("pages/$entity")
	return JSON(200, m), nil
}

// pageBody is what a client may write of a page.
type pageBody struct {
	Name      string         `json:"name"`
	Title     *string        `json:"title"`
	Layout    string         `json:"pageLayout"`
	TitleArea map[string]any `json:"titleArea"`
	Canvas    map[string]any `json:"canvasLayout"`
	Type      string         `json:"@odata.type"`
	About     *string        `json:"description"`
	Thumbnail *string        `json:"thumbnailWebUrl"`
	Promotion string         `json:"promotionKind"`
	Comments  *bool          `json:"showComments"`
	Recommend *bool          `json:"showRecommendedPages"`
}

// wrong is why a body is refused.
func (in pageBody) wrong() error {
	if in.Promotion != "" && in.Promotion != "page" && in.Promotion != "newsPost" {
		return Fail(400, "invalidRequest", "The promotionKind %q is not supported.", in.Promotion)
	}
	return nil
}

func (p *sitePage) set(in pageBody) {
	if in.Title != nil {
		p.title = *in.Title
	}
	if in.TitleArea != nil {
		p.titleArea = in.TitleArea
	}
	if in.Canvas != nil {
		p.canvas = in.Canvas
	}
	if in.About != nil {
		p.about = *in.About
	}
	if in.Thumbnail != nil {
		p.thumbnail = *in.Thumbnail
	}
	if in.Promotion != "" {
		p.promotion = in.Promotion
	}
	if in.Comments != nil {
		p.comments = *in.Comments
	}
	if in.Recommend != nil {
		p.recommended = *in.Recommend
	}
}

func (sv *siteService) postPage(c *Call) (*Reply, error) {
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	var in pageBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.wrong(); err != nil {
		return nil, err
	}
	l := x.pages()
	switch {
	case in.Type != "#microsoft.graph.sitePage":
		return nil, Fail(400, "invalidRequest", "A page is made with @odata.type #microsoft.graph.sitePage.")
	case !strings.HasSuffix(in.Name, ".aspx"), in.Title == nil:
		return nil, Fail(400, "invalidRequest", "A page needs a title and a name that ends in .aspx.")
	case in.Layout != "article" && in.Layout != "home":
		return nil, Fail(400, "invalidRequest", "The layout %q is not supported.", in.Layout)
	}
	for _, it := range l.items {
		if strings.EqualFold(it.page.name, in.Name) {
			return nil, Fail(409, "nameAlreadyExists", "A page with that name exists.")
		}
	}
	it := l.newItem(sv.s.now().UTC().Truncate(time.Second), theApp)
	it.page = &sitePage{guid: it.guid, name: in.Name, layout: in.Layout, promotion: "page", comments: true, titleArea: map[string]any{"layout": "plain"}, canvas: map[string]any{"horizontalSections": []any{}}}
	it.page.set(in)
	it.fields["Title"] = it.page.title
	l.note(it.id, changeAdd)
	m := l.pageJSON(it, true)
	m["@odata.context"] = c.context("pages/$entity")
	return JSON(201, m), nil
}

func (sv *siteService) patchPage(c *Call) (*Reply, error) {
	l, it, err := sv.pageOf(c)
	if err != nil {
		return nil, err
	}
	var in pageBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.wrong(); err != nil {
		return nil, err
	}
	l.touch(it, theApp, true)
	page := *it.page
	it.page = &page
	it.page.set(in)
	it.page.published = false
	it.fields["Title"] = it.page.title
	l.note(it.id, changeUpdate)
	m := l.pageJSON(it, false)
	m["@odata.context"] = c.context("pages/$entity")
	return JSON(200, m), nil
}

func (sv *siteService) publishPage(c *Call) (*Reply, error) {
	l, it, err := sv.pageOf(c)
	if err != nil {
		return nil, err
	}
	it.page.published = true
	it.etag++
	l.note(it.id, changeUpdate)
	return &Reply{Status: 204}, nil
}

func (sv *siteService) deletePage(c *Call) (*Reply, error) {
	l, it, err := sv.pageOf(c)
	if err != nil {
		return nil, err
	}
	delete(l.items, it.id)
	l.note(it.id, changeDelete)
	return &Reply{Status: 204}, nil
}

// file serves a page as the file that it is, by its unique id, which is the page's: what it has as an item of its library. Other files are asked for by their drives.
func (a restAt) file() *Reply {
	l := a.site.pages()
	for _, it := range l.sorted() {
		if strings.EqualFold(it.guid, a.segs[1].arg("uniqueId")) && a.verb(2) == "GET listitemallfields" {
			return JSON(200, a.selected(map[string]any{"Id": it.id, "ID": it.id, "GUID": it.guid, "FileSystemObjectType": 0, "ContentTypeId": it.contentType}))
		}
	}
	return restFail(404, "-2130575338, Microsoft.SharePoint.SPException", "File Not Found.")
}
