package sim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// listSettings are settings of a list that only _api can change; hidden, versioning and attachments are the list's own members.
type listSettings struct {
	limit                       int // of versions; 0: none
	validation, validationError string
	moderation, checkout        bool
	noCrawl                     bool
}

// siteTypes are the content types that a site has for its lists.
func siteTypes() []contentType {
	contract := contentType{id: "0x0101" + contentType2().id[6:], name: "Contract", about: "What was agreed", group: "Custom Content Types"}
	return []contentType{{"0x01", "Item", "Create a new list item.", "List Content Types"}, {"0x0101", "Document", "Create a new document.", "Document Content Types"},
		{"0x0120", "Folder", "Create a new folder.", "Folder Content Types"}, *contentType2(), contract}
}

// merge changes settings of a list, as MERGE does: members that are named.
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/working-with-lists-and-list-items-with-rest
func (a restAt) merge(l *list) *Reply {
	if a.c.Header.Get("X-HTTP-Method") != "MERGE" || a.c.Header.Get("If-Match") == "" {
		return a.unknown()
	}
	var in map[string]json.RawMessage
	if r := a.decode(&in); r != nil {
		return r
	}
	changed := *l
	s := &changed.more
	known := map[string]any{"Description": &changed.description, "Hidden": &changed.hidden, "EnableVersioning": &changed.versioning, "EnableAttachments": &changed.attachments, "MajorVersionLimit": &s.limit,
		"ValidationFormula": &s.validation, "ValidationMessage": &s.validationError, "EnableModeration": &s.moderation, "ForceCheckout": &s.checkout, "NoCrawl": &s.noCrawl, "ContentTypesEnabled": &changed.manyTypes}
	for name, v := range in {
		to := known[name]
		if to == nil {
			return restFail(400, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", "The property '%s' does not exist on type 'SP.List'. Make sure to only use property names that are defined by the type.", name)
		}
		if err := json.Unmarshal(v, to); err != nil {
			return restFail(400, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", "Cannot convert a primitive value to the expected type.")
		}
	}
	switch {
	case l.isLibrary() && changed.attachments:
		return restFail(400, "-2130575227, Microsoft.SharePoint.SPException", "Attachments cannot be enabled in a document library.")
	case !changed.versioning && s.limit > 0:
		return restFail(400, "-2146233079, System.InvalidOperationException", "Versions are not enabled in this list.")
	}
	l.description, l.hidden, l.versioning, l.attachments, l.more, l.manyTypes = changed.description, changed.hidden, changed.versioning, changed.attachments, changed.more, changed.manyTypes
	l.note(0, changeUpdate)
	return &Reply{Status: 204}
}

// addType gives a list a content type of its site: a child of it, with an id of its own.
func (a restAt) addType(l *list) *Reply {
	var in struct {
		ContentTypeID string `json:"contentTypeId"`
	}
	if r := a.decode(&in); r != nil {
		return r
	}
	all := siteTypes()
	i := slices.IndexFunc(all, func(t contentType) bool { return strings.EqualFold(t.id, in.ContentTypeID) })
	if i < 0 {
		return restNotFound("Content type")
	}
	if slices.ContainsFunc(l.types, func(t *contentType) bool { return t.name == all[i].name }) {
		return restFail(400, "-2130575204, Microsoft.SharePoint.SPException", "A duplicate content type \"%s\" was found.", all[i].name)
	}
	made := all[i]
	made.id += "00" + strings.ToUpper(strings.ReplaceAll(newRand(a.sv.s.opt.Seed, "type of "+l.id, uint64(len(l.types))).uuid(), "-", ""))
	l.types = append(l.types, &made)
	l.note(0, changeUpdate)
	return JSON(200, map[string]any{"StringId": made.id, "Name": made.name, "Description": made.about, "Group": made.group})
}

// lengthRule is the one form of validation that is worked out here; others let everything pass.
var lengthRule = regexp.MustCompile(`^=LEN\(\[?Title\]?\)<=(\d+)$`)

// invalid is why a list's validation refuses an item with these values; empty: it does not.
func (l *list) invalid(values map[string]any) string {
	m := lengthRule.FindStringSubmatch(l.more.validation)
	if m == nil {
		return ""
	}
	most, err := strconv.Atoi(m[1])
	title, _ := values["Title"].(string)
	if err != nil || len([]rune(title)) <= most {
		return ""
	}
	if l.more.validationError != "" {
		return l.more.validationError
	}
	return "List data validation failed."
}

// settingsText is what a dump says of a list's settings.
func (l *list) settingsText() string {
	return fmt.Sprintf("hidden %v, versions %v up to %d, attachments %v, approval %v, check out %v, not searched %v, rule %q %q", l.hidden, l.versioning, l.more.limit, l.attachments,
		l.more.moderation, l.more.checkout, l.more.noCrawl, l.more.validation, l.more.validationError)
}

func (l *list) typesText() []string {
	var out []string
	for _, t := range l.types {
		out = append(out, t.name)
	}
	slices.Sort(out)
	return out
}

// SetListRule gives a list a rule that its items must keep, as its owner does. Items that are there already may break it.
func (s *Sim) SetListRule(site, list, formula, message string) error {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(site)
	if x == nil {
		return fmt.Errorf("no site %q", site)
	}
	l := x.list(list)
	if l == nil {
		return fmt.Errorf("no list %q in %s", list, site)
	}
	l.more.validation, l.more.validationError = formula, message
	l.note(0, changeUpdate)
	return nil
}
