package judge

import (
	"encoding/json"
	"regexp"
	"strings"
)

// annotations are the control names that an answer may carry beside the properties of its type, each with its source.
// The part before '@' may be a property name.
var annotations = map[string]struct {
	kind   string // string, number, object
	source string
}{
	"@odata.context":                 {"string", "OData JSON 4.01 §4.6.1"},
	"@odata.count":                   {"number", "OData JSON 4.01 §4.6.5"},
	"@odata.nextLink":                {"string", "OData JSON 4.01 §4.6.6"},
	"@odata.deltaLink":               {"string", "OData JSON 4.01 §4.6.7"},
	"@odata.type":                    {"string", "OData JSON 4.01 §4.6.3"},
	"@odata.id":                      {"string", "OData JSON 4.01 §4.6.8"},
	"@odata.editLink":                {"string", "OData JSON 4.01 §4.6.9"},
	"@odata.etag":                    {"string", "OData JSON 4.01 §4.6.10"},
	"@odata.navigationLink":          {"string", "OData JSON 4.01 §4.6.11"},
	"@odata.associationLink":         {"string", "OData JSON 4.01 §4.6.11"},
	"@odata.mediaReadLink":           {"string", "OData JSON 4.01 §4.6.12"},
	"@odata.mediaContentType":        {"string", "OData JSON 4.01 §4.6.12"},
	"@odata.mediaEtag":               {"string", "OData JSON 4.01 §4.6.12"},
	"@removed":                       {"object", "OData JSON 4.01 §15.3, Graph delta query overview (2025-11)"},
	"@microsoft.graph.downloadUrl":   {"string", "driveItem resource, instance attributes (2025-11)"},
	"@microsoft.graph.sharedChanged": {"string", "driveItem: delta, scanning permissions hierarchies (2025-11)"},
	"@content.downloadUrl":           {"string", "OneDrive API driveItem resource, as SharePoint's _api/v2.0 spells it (2023-05)"},
	"@delta":                         {"array", "group: delta, members@delta (2025-11)"},
}

// dynamic are open types that stay open: their properties are data, and so named by whoever made the data.
var dynamic = map[string]string{
	"fieldValueSet": "fieldValueSet resource: holds the values of the columns, which the list defines (2025-11)",
}

// columnName is what a list's column may be called inside.
var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (v *verdict) annotation(at, key string, x any) {
	i := strings.IndexByte(key, '@')
	name := key[i:]
	a, ok := annotations[name]
	if !ok {
		v.add(at, "unknown annotation %q", key)
		return
	}
	switch x.(type) {
	case string:
		ok = a.kind == "string"
	case json.Number:
		ok = a.kind == "number"
	case map[string]any:
		ok = a.kind == "object"
	case []any:
		ok = a.kind == "array"
	default:
		ok = false
	}
	if !ok {
		v.add(at, "annotation %q is not a %s", key, a.kind)
	}
}

// errorNames and innerErrorNames: "Microsoft Graph error responses and resource types" (2025-11). Exchange and
// SharePoint answers spell innererror in lower case; the simulator keeps one spelling.
var (
	errorNames      = map[string]bool{"code": true, "message": true, "innerError": true, "details": true, "target": true}
	innerErrorNames = map[string]bool{"code": true, "message": true, "date": true, "request-id": true, "client-request-id": true, "innerError": true}
)

// exceptions are answers that live services give although the metadata does not say so. Each has a source and the date
// on which it was read; the list is part of review.
var exceptions = []struct {
	at, problem *regexp.Regexp
	source      string
	date        string
}{
	{regexp.MustCompile(`extensions\[\d+\]$`), regexp.MustCompile(`openTypeExtension has no property "(origin|marker|version)"`),
		"Open extensions, \"Add custom data to resources\": their properties are the client's own", "2025-11"},
	{regexp.MustCompile(`^value\[\d+\]\.data$`), regexp.MustCompile(`a stream stands in a body`), "mailbox: exportItems, the example: data is base64 in the body", "2026-02"},
}

func excepted(at, problem string) bool {
	for _, e := range exceptions {
		if e.at.MatchString(at) && e.problem.MatchString(problem) {
			return true
		}
	}
	return false
}

// documented are calls of which the permission table has no row, with what Microsoft's page of the operation asks for.
var documented = map[string][]string{
	"GET users/{}/messages/{}/attachments/{}":                  {"Mail.Read"},                                                                             // "Get attachment" (2025-06): Mail.Read for the application
	"DELETE users/{}/messages/{}/attachments/{}":               {"Mail.ReadWrite"},                                                                        // "Delete attachment" (2025-06)
	"GET users/{}/settings/exchange":                           {"User.Read.All"},                                                                         // "Get exchangeSettings" (2026-02)
	"GET admin/exchange/mailboxes/{}/folders/delta":            {"MailboxFolder.Read.All"},                                                                // "mailboxFolder: delta" (2026-02)
	"GET admin/exchange/mailboxes/{}/folders/{}/childfolders":  {"MailboxFolder.Read.All"},                                                                // "List childFolders" (2026-02)
	"POST admin/exchange/mailboxes/{}/folders/{}/childfolders": {"MailboxFolder.ReadWrite.All"},                                                           // "Create mailboxFolder" (2026-08)
	"GET admin/exchange/mailboxes/{}/folders/{}/items/delta":   {"MailboxItem.Read.All"},                                                                  // "mailboxItem: delta" (2026-02)
	"GET users/{}/events/{}/attachments/{}":                    {"Calendars.Read"},                                                                        // "Get attachment" (2025-06)
	"DELETE users/{}/events/{}/attachments/{}":                 {"Calendars.ReadWrite"},                                                                   // "Delete attachment" (2025-06)
	"GET directory/deleteditems/{}":                            {"Group.Read.All", "Group.ReadWrite.All"},                                                 // "Get deletedItem", of a group
	"POST directory/deleteditems/{}/restore":                   {"Group.ReadWrite.All"},                                                                   // "Restore deleted item", of a group
	"GET teams/{}/operations/{}":                               {"Team.Create", "Teamwork.Migrate.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}, // "Get teamsAsyncOperation": what its making asks for
	"GET users/{}/chats":                                       {"Chat.Read.All"},                                                                         // "List chats" (2026), where the table names the two others
	"GET users/{}/chats/getallmessages/delta":                  {"Chat.Read.All", "Chat.ReadWrite.All"},                                                   // "chatMessage: delta" (2026)
	// "List calendarPermissions", "Create", "Update" and "Delete calendarPermission" (2025-11), by the address of "Share or delegate a calendar in Outlook".
	"GET users/{}/calendars/{}/calendarpermissions":       {"Calendars.Read", "Calendars.ReadWrite"},
	"GET users/{}/calendars/{}/calendarpermissions/{}":    {"Calendars.Read", "Calendars.ReadWrite"},
	"POST users/{}/calendars/{}/calendarpermissions":      {"Calendars.Read", "Calendars.ReadWrite"},
	"PATCH users/{}/calendars/{}/calendarpermissions/{}":  {"Calendars.ReadWrite"},
	"DELETE users/{}/calendars/{}/calendarpermissions/{}": {"Calendars.ReadWrite"},
}
