package sharepoint

import (
	"context"
	"net/http"
	"strings"
)

// ListState is what _api tells of a site's lists.
type ListState struct {
	ID         string `json:"Id"`
	Unique     bool   `json:"HasUniqueRoleAssignments"`
	RootFolder struct {
		Path string `json:"ServerRelativeUrl"`
	} `json:"RootFolder"`
	Settings
}

// Settings are those of a list that Graph neither tells nor sets.
type Settings struct {
	Description string `json:"Description"`
	Hidden      bool   `json:"Hidden"`
	Versions    bool   `json:"EnableVersioning"`
	Limit       int    `json:"MajorVersionLimit"` // of versions; 0 when the list has none of its own
	Attach      bool   `json:"EnableAttachments"`
	ManyTypes   bool   `json:"ContentTypesEnabled"`
	NoCrawl     bool   `json:"NoCrawl"`
	Rules
}

// Rules are settings that keep items from being written as they were: they are set when all are.
type Rules struct {
	Formula  string `json:"ValidationFormula"`
	Message  string `json:"ValidationMessage"`
	Approval bool   `json:"EnableModeration"`
	CheckOut bool   `json:"ForceCheckout"`
}

// Lists tells of all lists what Graph does not.
func (w *Web) Lists(ctx context.Context) ([]ListState, error) {
	return all[ListState](ctx, w, "/web/lists?$select=Id,HasUniqueRoleAssignments,RootFolder/ServerRelativeUrl,Description,Hidden,EnableVersioning,MajorVersionLimit,EnableAttachments,ContentTypesEnabled,NoCrawl,"+
		"ValidationFormula,ValidationMessage,EnableModeration,ForceCheckout&$expand=RootFolder")
}

// merge changes members of a list.
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/working-with-lists-and-list-items-with-rest
func (w *Web) merge(ctx context.Context, listID string, in map[string]any) error {
	_, err := w.call(ctx, http.MethodPost, list(listID), in, http.Header{"X-Http-Method": {"MERGE"}, "If-Match": {"*"}}, write, true)
	return err
}

// SetSettings sets a list's settings but its rules. A library takes no attachments and is not asked to.
func (w *Web) SetSettings(ctx context.Context, listID string, s Settings, library bool) error {
	in := map[string]any{"Description": s.Description, "Hidden": s.Hidden, "EnableVersioning": s.Versions, "ContentTypesEnabled": s.ManyTypes, "NoCrawl": s.NoCrawl}
	if s.Versions && s.Limit > 0 {
		in["MajorVersionLimit"] = s.Limit
	}
	if !library {
		in["EnableAttachments"] = s.Attach
	}
	return w.merge(ctx, listID, in)
}

// SetRules sets a list's rules.
func (w *Web) SetRules(ctx context.Context, listID string, r Rules) error {
	return w.merge(ctx, listID, map[string]any{"ValidationFormula": r.Formula, "ValidationMessage": r.Message, "EnableModeration": r.Approval, "ForceCheckout": r.CheckOut})
}

// SiteType is a content type that a site has for its lists.
type SiteType struct {
	ID   string `json:"StringId"`
	Name string `json:"Name"`
}

// AvailableTypes lists the content types that lists of the site may have.
func (w *Web) AvailableTypes(ctx context.Context) ([]SiteType, error) {
	return all[SiteType](ctx, w, "/web/availablecontenttypes?$select=StringId,Name")
}

// AddType gives a list a child of a content type of its site. One of that name that it has is refused.
func (w *Web) AddType(ctx context.Context, listID, siteType string) error {
	return w.decode(ctx, http.MethodPost, list(listID)+"/contenttypes/addavailablecontenttype", map[string]string{"contentTypeId": siteType}, nil, write, false)
}

// From is the content type of a site that a list's one of that id and name is a child of: the id of a child is that of its parent, "00" and a GUID of 32 digits. nil: the site has
// none.
// https://learn.microsoft.com/previous-versions/office/developer/sharepoint-2010/aa543822(v=office.14)
func From(all []SiteType, id, name string) *SiteType {
	var out *SiteType
	for i := range all {
		t := &all[i]
		if (strings.EqualFold(t.ID, id) || len(id) == len(t.ID)+34 && strings.EqualFold(t.ID+"00", id[:len(t.ID)+2])) && (out == nil || len(t.ID) > len(out.ID)) {
			out = t
		}
	}
	for i := range all {
		if out == nil && all[i].Name == name {
			out = &all[i]
		}
	}
	return out
}
