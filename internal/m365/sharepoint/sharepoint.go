// Package sharepoint is a thin typed client of what only SharePoint's own interface (_api) has: attachments, permissions, views, form values and
// the log of changes. It wants an application that signs in by certificate: SharePoint takes no other application's token.
package sharepoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// Web is a site as _api addresses it.
type Web struct {
	m   *m365.Client
	url string
}

// At is the site with that address, on a host of the organization.
func At(m *m365.Client, address string) (*Web, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is no address of a site", address)
	}
	if err := m.LearnSharePoint(u.Hostname()); err != nil {
		return nil, err
	}
	return &Web{m: m, url: strings.TrimSuffix(address, "/")}, nil
}

const (
	read  = "Sites.Read.All (SharePoint)"
	write = "Sites.FullControl.All (SharePoint)"
)

// Principal is somebody whom a site knows. Type is 1 for a user, 4 for a security group, 8 for a group of SharePoint's own.
type Principal struct {
	ID    int    `json:"Id"`
	Type  int    `json:"PrincipalType"`
	Title string `json:"Title"`
	Login string `json:"LoginName"`
	Email string `json:"Email"`
}

// Role is a named set of rights.
type Role struct {
	ID     int    `json:"Id"`
	Name   string `json:"Name"`
	Hidden bool   `json:"Hidden"`
}

// Assignment gives a member roles.
type Assignment struct {
	Member Principal `json:"Member"`
	Roles  []Role    `json:"RoleDefinitionBindings"`
}

// View is a view of a list.
type View struct {
	ID       string `json:"Id"`
	Title    string `json:"Title"`
	Query    string `json:"ViewQuery"`
	RowLimit int    `json:"RowLimit"`
	Paged    bool   `json:"Paged"`
	Default  bool   `json:"DefaultView"`
	Hidden   bool   `json:"Hidden"`
	Personal bool   `json:"PersonalView"`
	Fields   struct {
		Items []string `json:"Items"`
	} `json:"ViewFields"`
}

// ItemState is what _api tells of an item that Graph does not.
type ItemState struct {
	ID     int    `json:"Id"`
	Unique bool   `json:"HasUniqueRoleAssignments"`
	Type   int    `json:"FileSystemObjectType"` // 1: a folder
	Ref    string `json:"FileRef"`              // server-relative path; a folder's ends in its name
}

// IsFolder tells a folder from an item.
func (s ItemState) IsFolder() bool { return s.Type == objectFolder }

// The types of objects in a list, as SP.FileSystemObjectType numbers them.
const (
	objectFile   = 0
	objectFolder = 1
)

// Attachment is a file of an item.
type Attachment struct {
	Name string `json:"FileName"`
}

// Change is an entry of the log of changes. List and Item are empty when the site itself changed.
type Change struct {
	Kind  int    `json:"ChangeType"`
	List  string `json:"ListId"`
	Item  int    `json:"ItemId"`
	Token struct {
		Value string `json:"StringValue"`
	} `json:"ChangeToken"`
}

// info is the site itself.
type info struct {
	Token struct {
		Value string `json:"StringValue"`
	} `json:"CurrentChangeToken"`
}

// call makes a call below _api. path is escaped; units is what is counted for it: Microsoft publishes no price for _api but says that it is higher
// than Graph's.
func (w *Web) call(ctx context.Context, method, path string, in any, header http.Header, permission string, repeatable bool) (*m365.Response, error) {
	call := m365.Call{Method: method, URL: path, Header: http.Header{"Accept": {"application/json;odata=nometadata"}}, Permission: permission, Repeatable: repeatable, JSON: true}
	if strings.HasPrefix(path, "/") {
		call.URL = w.url + "/_api" + path
	}
	for k, v := range header {
		call.Header[k] = v
	}
	switch body := in.(type) {
	case nil:
	case []byte:
		call.Body = body
		call.Header.Set("Content-Type", "application/octet-stream")
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		call.Body = raw
		call.Header.Set("Content-Type", "application/json;odata=nometadata")
	}
	units := 2
	if lower := strings.ToLower(path); strings.Contains(lower, "/roleassignments") || strings.Contains(lower, "/breakroleinheritance") {
		units = 5
	}
	call.Charges = []m365.Charge{{Service: throttle.SharePoint, Requests: 1, Units: units}}
	return w.m.Do(ctx, call)
}

func (w *Web) get(ctx context.Context, path string, out any) error {
	return w.decode(ctx, http.MethodGet, path, nil, out, read, true)
}

func (w *Web) decode(ctx context.Context, method, path string, in, out any, permission string, repeatable bool) error {
	resp, err := w.call(ctx, method, path, in, nil, permission, repeatable)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return &m365.Error{Kind: m365.Corrupt, Call: method + " " + path, Status: resp.Status, Code: "answer not understood", Cause: err}
	}
	return nil
}

// all reads a list to its end.
func all[T any](ctx context.Context, w *Web, path string) ([]T, error) {
	var out []T
	for row, err := range each[T](ctx, w, path) {
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// each reads a list page by page. It ends after an error.
func each[T any](ctx context.Context, w *Web, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for path != "" {
			var page struct {
				Value []T    `json:"value"`
				Next  string `json:"odata.nextLink"`
			}
			err := w.get(ctx, path, &page)
			if err == nil && page.Value == nil {
				err = &m365.Error{Kind: m365.Corrupt, Call: "GET " + path, Code: "answer not understood", Message: "a list has no value"}
			}
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range page.Value {
				if !yield(row, nil) {
					return
				}
			}
			path = page.Next
		}
	}
}

func list(id string) string { return "/web/lists(guid'" + url.PathEscape(id) + "')" }

func item(listID, id string) string { return list(listID) + "/items(" + url.PathEscape(id) + ")" }

// quoted is a text as an argument in an address.
func quoted(s string) string {
	return "'" + url.PathEscape(strings.ReplaceAll(s, "'", "''")) + "'"
}

// ChangeToken is where the site's log of changes ends now.
func (w *Web) ChangeToken(ctx context.Context) (string, error) {
	var at info
	err := w.get(ctx, "/web?$select=CurrentChangeToken", &at)
	return at.Token.Value, err
}

// Changes lists what changed in the site since a token, and the token to go on with. A token that is too old is an error of kind Resync.
func (w *Web) Changes(ctx context.Context, token string) (changes []Change, next string, err error) {
	next = token
	for {
		query := map[string]any{"ChangeTokenStart": map[string]string{"StringValue": next}, "FetchLimit": "1000"}
		for _, what := range []string{"Item", "List", "Web", "File", "Folder", "View", "ContentType", "Field", "Group", "User", "SecurityPolicy", "Add", "Update", "SystemUpdate", "DeleteObject",
			"Rename", "Move", "Restore", "RoleAssignmentAdd", "RoleAssignmentDelete", "RoleDefinitionAdd", "RoleDefinitionUpdate", "RoleDefinitionDelete", "GroupMembershipAdd", "GroupMembershipDelete"} {
			query[what] = true
		}
		var page struct {
			Value []Change `json:"value"`
		}
		err := w.decode(ctx, http.MethodPost, "/web/getchanges", map[string]any{"query": query}, &page, read, true)
		if m365.KindOf(err) == m365.Invalid { // too old, or of another site
			return nil, "", &m365.Error{Kind: m365.Resync, Call: "POST /web/getchanges", Code: "the change token is not good any more", Cause: err}
		}
		if err != nil {
			return nil, "", err
		}
		changes = append(changes, page.Value...)
		if len(page.Value) == 0 {
			return changes, next, nil
		}
		last := page.Value[len(page.Value)-1].Token.Value
		if last == next || last == "" || len(page.Value) < 1000 {
			if last != "" {
				next = last
			}
			return changes, next, nil
		}
		next = last
	}
}

// Items tells of all items of a list what Graph does not, 5,000 to a call.
func (w *Web) Items(ctx context.Context, listID string) iter.Seq2[ItemState, error] {
	return each[ItemState](ctx, w, list(listID)+"/items?$select=Id,HasUniqueRoleAssignments,FileSystemObjectType,FileRef&$top=5000")
}

// Users lists those whom the site knows.
func (w *Web) Users(ctx context.Context) ([]Principal, error) {
	return all[Principal](ctx, w, "/web/siteusers")
}

// Views lists a list's views with their fields.
func (w *Web) Views(ctx context.Context, listID string) ([]View, error) {
	return all[View](ctx, w, list(listID)+"/views?$expand=ViewFields")
}

// CreateView makes a view of a list and gives its id. It shows no columns before SetViewFields.
func (w *Web) CreateView(ctx context.Context, listID string, v View) (id string, err error) {
	var made View
	in := map[string]any{"Title": v.Title, "ViewQuery": v.Query, "RowLimit": v.RowLimit, "Paged": v.Paged, "PersonalView": false}
	err = w.decode(ctx, http.MethodPost, list(listID)+"/views", in, &made, write, false)
	return made.ID, err
}

// SetViewFields has a view show these columns and no others. It may be called again after any error.
func (w *Web) SetViewFields(ctx context.Context, listID, viewID string, fields []string) error {
	at := list(listID) + "/views(guid'" + url.PathEscape(viewID) + "')/viewfields/"
	if err := w.decode(ctx, http.MethodPost, at+"removeallviewfields", nil, nil, write, true); err != nil {
		return err
	}
	for i, f := range fields {
		if err := w.addViewField(ctx, listID, viewID, f, i+1); err != nil {
			return err
		}
	}
	return nil
}

// addTries bounds how often a column is added to a view whose adding was not answered.
const addTries = 4

// addViewField adds the n-th column. A column that is added twice would be shown twice, so that after a lost answer the view is looked at.
func (w *Web) addViewField(ctx context.Context, listID, viewID, field string, n int) error {
	for try := 1; ; try++ {
		err := w.decode(ctx, http.MethodPost, list(listID)+"/views(guid'"+url.PathEscape(viewID)+"')/viewfields/addviewfield("+quoted(field)+")", nil, nil, write, false)
		if !m365.OutcomeUnknown(err) || try == addTries {
			return err
		}
		views, lerr := w.Views(ctx, listID)
		if lerr != nil {
			return lerr
		}
		if i := slices.IndexFunc(views, func(v View) bool { return strings.EqualFold(v.ID, viewID) }); i >= 0 && len(views[i].Fields.Items) >= n {
			return nil
		}
	}
}

// Attachments lists an item's files.
func (w *Web) Attachments(ctx context.Context, listID, itemID string) ([]Attachment, error) {
	return all[Attachment](ctx, w, item(listID, itemID)+"/AttachmentFiles")
}

// OpenAttachment reads a file of an item. The caller closes it.
func (w *Web) OpenAttachment(ctx context.Context, listID, itemID, name string) (io.ReadCloser, error) {
	return w.m.Open(ctx, m365.Call{Method: http.MethodGet, URL: w.url + "/_api" + item(listID, itemID) + "/AttachmentFiles(" + quoted(name) + ")/$value", Permission: read,
		Charges: []m365.Charge{{Service: throttle.SharePoint, Requests: 1, Units: 2}}})
}

// Attach adds a file to an item. One of that name that is there is an error of kind Conflict, also when it is this file and the answer that said so was lost.
func (w *Web) Attach(ctx context.Context, listID, itemID, name string, data []byte) error {
	_, err := w.call(ctx, http.MethodPost, item(listID, itemID)+"/AttachmentFiles/add(FileName="+quoted(name)+")", data, nil, write, true)
	if e := (*m365.Error)(nil); errors.As(err, &e) && e.Kind == m365.Invalid && strings.HasPrefix(e.Code, "-2130575257") {
		e.Kind = m365.Conflict
	}
	return err
}

// FormValue is a value as a form would send it.
type FormValue struct {
	Name  string `json:"FieldName"`
	Value string `json:"FieldValue"`
}

// FieldError says that a form value was not taken.
type FieldError struct{ Name, Message string }

// Validate sets values of an item, authors and times among them, without making a version. When one is refused nothing is changed, and those that
// were are given. Times are in UTC.
// https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-csomspt (ValidateUpdateListItem)
func (w *Web) Validate(ctx context.Context, listID, itemID string, values []FormValue) ([]FieldError, error) {
	var out formAnswer
	in := map[string]any{"formValues": values, "bNewDocumentUpdate": true, "datesInUTC": true, "numberInInvariantCulture": true}
	if err := w.decode(ctx, http.MethodPost, item(listID, itemID)+"/ValidateUpdateListItem", in, &out, write, true); err != nil {
		return nil, err
	}
	return out.refused(), nil
}

// formAnswer answers the values of a form one by one.
type formAnswer struct {
	Value []struct {
		Name      string `json:"FieldName"`
		Text      string `json:"FieldValue"`
		Exception bool   `json:"HasException"`
		Message   string `json:"ErrorMessage"`
	} `json:"value"`
}

func (a formAnswer) refused() []FieldError {
	var out []FieldError
	for _, v := range a.Value {
		if v.Exception {
			out = append(out, FieldError{v.Name, v.Message})
		}
	}
	return out
}

// Number is an item's id in _api.
func Number(id string) int {
	n, _ := strconv.Atoi(id) // not a number is no item's id: 0
	return n
}
