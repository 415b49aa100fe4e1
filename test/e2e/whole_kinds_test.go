package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"holdfast/internal/sim"
)

// What the rows of the oracle are called in docs/fidelity.md, by kind. A property whose own name stands in its section needs no word here.

const (
	idRow      = "id, eTag, cTag, webUrl"
	listValues = "values of text, number, currency, yes/no, date, choice, link, picture, managed metadata, image"
	listID     = "id, version numbers, GUID, eTag"
	teamMade   = "a team that is purged"
	settingRow = "time zone, language, formats of date and time, working hours, to whom meeting messages go"
)

var fileRows = map[string]string{"path": "place in the tree", "id": idRow, "size": "content", "quickXorHash": "content", "sha256": "content", "created": "fileSystemInfo.createdDateTime",
	"modified": "fileSystemInfo.lastModifiedDateTime", "malware": "malware", "createdBy": "createdBy, lastModifiedBy", "modifiedBy": "createdBy, lastModifiedBy"}

// libraryRows are fileRows of a library of a site, whose section has rows of its own for some.
var libraryRows = func() map[string]string {
	out := map[string]string{"columns": "values of columns that its site made", "alone": "grants to SharePoint groups", "createdBy": "who made and changed a file", "modifiedBy": "who made and changed a file", "description": filesTold + "|description"}
	for name, row := range fileRows {
		if out[name] == "" {
			out[name] = filesTold + "|" + row
		}
	}
	return out
}()

var itemRows = map[string]string{"list": "title of the list", "id": listID, "title": listValues, "contentType": "content type", "author": "author, editor, created, modified",
	"editor": "author, editor, created, modified", "created": "author, editor, created, modified", "modified": "author, editor, created, modified", "versions": "older versions", "lookups of versions": "lookups of older versions",
	"attachments": "attachments", "roles": "permissions of its own", "folder": "folders in lists, and in which an item lies",
	"value of text": listValues, "value of choice": listValues, "value of note": listValues, "value of currency": listValues, "value of number": listValues, "value of boolean": listValues,
	"value of dateTime": listValues, "value of choices": listValues, "value of hyperlink": listValues, "value of picture": listValues, "value of term": listValues, "value of terms": listValues,
	"value of thumbnail": listValues, "value of person": "values of people", "value of people": "values of people", "value of lookup": "values of lookups", "value of lookups": "values of lookups",
	"value of calculated": "values of calculated columns", "value of geolocation": "location"}

// folderRows are itemRows of a folder.
func folderRows() map[string]string {
	rows := maps.Clone(itemRows)
	rows["versions"] = "older versions of folders in lists"
	return rows
}

const (
	siteListed = "Lists of a site, and their items"
	pages      = "Pages of a site"
	teamsTold  = "Teams, their channels and tabs"
	postsTold  = "Posts of channels"
	chatsTold  = "Chats"
	groupMade  = "a group that is purged"
	setTold    = "Settings of a mailbox"
	filesTold  = "Files of a drive"

	librariesTold = "Libraries of a site"
	foldersTold   = "Contact folders, calendars and lists"
)

var personalIgnored = []string{"kind", "user", "version"}

var wholeKinds = map[string]kind{
	"file": {section: filesTold, rows: fileRows, key: []string{"in", "path"}, sample: sim.DriveRow{}, ignore: []string{"in", "folder", "versions", "grants", "columns", "alone"}, known: []string{"malware"}},
	"file of a library": {section: librariesTold, rows: libraryRows, key: []string{"in", "path"}, sample: sim.DriveRow{}, needs: []string{"columns", "location", "createdBy"},
		ignore: []string{"in", "folder", "versions", "grants"}, known: []string{"malware", "description", "alone"}},
	"folder": {section: "Folders of a drive", rows: map[string]string{"path": "place in the tree", "created": "fileSystemInfo.createdDateTime", "modified": "fileSystemInfo.lastModifiedDateTime", "columns": librariesTold + "|values of folders", "location": librariesTold + "|location"},
		key: []string{"path"}, ignore: []string{"in", "folder", "id", "size", "grants"}},
	"version": {section: filesTold, rows: map[string]string{"of": "older versions", "number": "older versions", "size": "older versions", "quickXorHash": "older versions", "sha256": "older versions", "modified": "time and author of older versions", "by": "time and author of older versions"}, key: []string{"in", "of", "number"}, sample: sim.DriveVersion{}, ignore: []string{"in"}},
	"grant": {section: filesTold, rows: map[string]string{"of": "grants to people and groups", "people": "grants to people and groups", "role": "grants to people and groups", "link": "sharing links for anyone or the organization",
		"scope": "sharing links for anyone or the organization", "expires": "expiry of grants", "group": librariesTold + "|grants to SharePoint groups"}, sample: sim.DriveGrant{}, known: []string{"expires", "group"}, ignore: []string{"in"}},

	"list": {section: siteListed, rows: map[string]string{"list": "title of the list", "title": "title of the list", "roles": "permissions of its own"}, key: []string{"list"}, ignore: []string{"kind", "description", "settings", "types"}, known: []string{"roles"}},
	"access": {section: "Sites", rows: map[string]string{"title": "groups of SharePoint's own, and what they are for", "about": "groups of SharePoint's own, and what they are for", "use": "groups of SharePoint's own, and what they are for",
		"rights": "permission levels", "members": "members of groups", "roles": "who may do what in the site"}, key: []string{"kind", "title"}, sample: sim.SiteAccessRow{}, needs: []string{"members", "roles", "about", "use"}, ignore: []string{"kind"}},
	"list that was deleted":  {section: siteListed, rows: map[string]string{"list": "title of the list", "title": "title of the list", "description": "description, hidden, versions and how many, attachments, content types on, left out of searches", "settings": "validation, approval, check-out", "types": "content types"}, needs: []string{"description", "settings", "types"}, key: []string{"list"}, ignore: []string{"kind"}},
	"item":                   {section: siteListed, rows: itemRows, key: []string{"list", "title", "created"}, sample: sim.SiteRow{}, ignore: []string{"kind", "template", "description", "columns", "views", "settings", "types", "fields", "page"}},
	"folder in a list":       {section: siteListed, rows: folderRows(), key: []string{"list", "title", "created"}, needs: []string{"roles", "folder"}, ignore: []string{"kind"}},
	"item of a deleted list": {section: siteListed, rows: itemRows, key: []string{"list", "title", "created"}, ignore: []string{"kind"}},
	"page": {section: pages, rows: map[string]string{"page": "title, layout, title area, sections and web parts", "list": "title, layout, title area, sections and web parts", "versions": "values of columns that the site gave its pages, permissions of their own, older versions"},
		key: []string{"title"}, ignore: []string{"kind", "id", "contentType", "value of text", "value of choice"}},

	"team": {section: teamsTold, rows: map[string]string{"name": teamMade, "about": teamMade, "members": teamMade, "apps": teamMade, "created": teamMade, "archived": "an archived team", "settings": teamMade}, key: []string{"name"}, needs: []string{"archived", "apps", "members", "settings"}, ignore: []string{"kind"}},
	"channel": {section: teamsTold, rows: map[string]string{"name": "channels", "about": "channels", "type": "channels", "members": "channels"}, key: []string{"name"}, needs: []string{"members", "about"},
		ignore: []string{"kind"}},
	"tab": {section: teamsTold, rows: map[string]string{"channel": "tabs", "name": "tabs", "type": "tabs", "configuration": "tabs"}, needs: []string{"configuration"}, key: []string{"channel", "name"}, ignore: []string{"kind"}},
	"post": {section: postsTold, rows: map[string]string{"channel": "author, time", "created": "author, time", "author": "author, time", "replyTo": "replies", "subject": "subject, words, importance", "body": "subject, words, importance", "importance": "subject, words, importance", "edited": "reactions, the mark of an edit, earlier wordings", "reactions": "reactions, the mark of an edit, earlier wordings", "attachments": "attached files", "hosted": "pictures in the text", "cards": "cards and quotations"}, key: []string{"channel", "created", "author"}, sample: sim.TeamRow{},
		ignore: []string{"kind", "name", "about", "type", "settings", "members", "apps", "archived", "migrating", "configuration", "deleted", "event", "extra"}},

	"chat": {section: chatsTold, rows: map[string]string{"type": groupMade, "name": groupMade, "created": groupMade, "members": "members of a group that is made again"}, key: []string{"type", "name", "members"}, needs: []string{"name"}, ignore: []string{"kind"}},
	"message": {section: chatsTold, rows: map[string]string{"channel": "author, time", "created": "author, time", "author": "author, time", "body": "words, importance", "importance": "words, importance", "edited": "reactions, the mark of an edit, earlier wordings, cards", "reactions": "reactions, the mark of an edit, earlier wordings, cards",
		"attachments": "attached files", "hosted": "pictures in the text"}, key: []string{"channel", "created", "author"}, sample: sim.TeamRow{},
		ignore: []string{"kind", "name", "about", "type", "settings", "members", "apps", "archived", "migrating", "configuration", "deleted", "event", "extra", "subject", "replyTo"}},

	"contact": {section: "Contacts", rows: map[string]string{"folder": foldersTold + "|place of a contact folder", "homeAddress": "addresses", "businessAddress": "addresses", "otherAddress": "addresses", "homePhones": "phones", "businessPhones": "phones", "mobilePhone": "phones", "created": "createdDateTime", "modified": "lastModifiedDateTime", "yomiGivenName": "yomi", "yomiSurname": "yomi", "yomiCompanyName": "yomi"},
		key: []string{"user", "folder", "displayName"}, needs: []string{"photo", "emailAddresses", "birthday"}, ignore: personalIgnored},
	"event": {section: "Events", rows: map[string]string{"folder": foldersTold + "|name", "exceptions": "exceptions of the series", "cancelled": "cancelled occurrences", "myResponse": "responseStatus", "created": "createdDateTime", "modified": "lastModifiedDateTime"},
		key: []string{"user", "folder", "subject", "start"}, needs: []string{"attachments", "exceptions", "cancelled", "recurrence", "attendees", "organizer", "body"}, ignore: personalIgnored},
	"todoTask": {section: "Tasks", rows: map[string]string{"folder": foldersTold + "|name", "created": "createdDateTime", "modified": "lastModifiedDateTime"}, key: []string{"user", "folder", "title"}, needs: []string{"checklistItems", "linkedResources", "attachments", "recurrence"}, ignore: personalIgnored},

	"mailboxSettings": {section: setTold, rows: map[string]string{"timeZone": settingRow, "dateFormat": settingRow, "timeFormat": settingRow, "workingHours": settingRow, "delegateMeetingMessageDeliveryOptions": settingRow,
		"automaticRepliesSetting": "automatic replies: texts, to whom, from when to when", "status": "automatic replies: whether they are on"}, ignore: []string{"user"}},
	"messageRule":        {section: setTold, rows: map[string]string{"displayName": "rules of the inbox: name, conditions, exceptions, actions, order", "sequence": "order", "isEnabled": "rules: whether they are on", "id": "id of a rule, of a category"}, key: []string{"user", "displayName"}, ignore: []string{"user"}},
	"outlookCategory":    {section: setTold, rows: map[string]string{"displayName": "categories: name, colour", "color": "colour", "id": "id of a rule, of a category"}, key: []string{"user", "displayName"}, ignore: []string{"user"}},
	"calendarPermission": {section: setTold, rows: map[string]string{"role": "permissions of a calendar: the roles of those who have one"}, ignore: []string{"user", "id", "emailAddress", "isInsideOrganization", "isRemovable", "allowedRoles", "calendar"}},
}

// personal adds the contacts, events and tasks of a mailbox.
func (w *world) personal(out things, user string, rows []sim.PIMRow) {
	w.Helper()
	for _, r := range rows {
		if r.Folder == "Birthdays" {
			continue // nobody writes that calendar
		}
		out[r.Kind] = append(out[r.Kind], w.personalRow(user, r))
	}
}

func (w *world) personalRow(user string, r sim.PIMRow) map[string]any {
	w.Helper()
	row := asRow(w.T, r)
	for _, name := range []string{"props", "parts", "extended"} { // what a restore marks its items with is among the last
		delete(row, name)
	}
	parts := map[string]any{}
	for name, list := range r.Parts {
		parts[name] = list
	}
	for _, set := range []map[string]any{r.Props, parts} {
		for name, v := range asRow(w.T, set) {
			row[name] = v
		}
	}
	if body, ok := row["body"].(map[string]any); ok {
		text, _ := body["content"].(string)
		row["body"] = map[string]any{"contentType": body["contentType"], "content": attendeeList.ReplaceAllString(text, "")}
	}
	if len(r.Exceptions) > 0 {
		lost, exceptions := lostOf(w, "Events"), map[string]any{}
		for day, x := range r.Exceptions {
			exceptions[day] = asRow(w.T, promised(lost, x))
		}
		row["exceptions"] = asRow(w.T, exceptions)
	}
	row["user"] = user
	return row
}

// settings adds what a mailbox is set to. Folders that a rule names are called by their place.
func (w *world) settings(out things, user string, t truth) {
	w.Helper()
	places := map[string]string{}
	for _, f := range t.folders {
		places[f.ID] = f.Path
	}
	for _, r := range t.settings {
		row := asRow(w.T, r.Props)
		row["user"], row["id"] = user, r.ID
		if r.ID == "" {
			delete(row, "id")
		}
		switch r.Kind {
		case "mailboxSettings":
			replies := row["automaticRepliesSetting"].(map[string]any)
			row["status"] = replies["status"]
			delete(replies, "status")
		case "messageRule":
			actions, _ := row["actions"].(map[string]any)
			for _, name := range []string{"moveToFolder", "copyToFolder"} {
				if id, ok := actions[name].(string); ok {
					actions[name] = places[id]
				}
			}
			if empty(row["conditions"]) {
				delete(row, "conditions")
			}
			if actions["forwardTo"] != nil || actions["redirectTo"] != nil || actions["forwardAsAttachmentTo"] != nil {
				row["displayName"] = fmt.Sprint(row["displayName"], ", which mails")
				delete(row, "isEnabled") // comes back switched off
			}
		case "calendarPermission":
			row["calendar"] = r.Calendar
			row["role"] = fmt.Sprint(r.Calendar, " ", row["emailAddress"], " ", row["role"])
		}
		out[r.Kind] = append(out[r.Kind], row)
	}
}

// files adds the files and folders of a drive or library.
func (w *world) files(out things, name, in string, rows []sim.DriveRow) {
	w.Helper()
	for _, f := range rows {
		name := name
		if f.Folder {
			name = "folder"
		}
		row := out.add(w.T, name, f)
		if columns, ok := row["columns"].(map[string]any); ok && columns["Place"] != nil {
			row["location"] = columns["Place"]
			delete(columns, "Place")
		}
		row["in"], row["path"] = in, in+": "+f.Path
		for _, g := range f.Grants {
			if g.Scope == "users" {
				continue // they get the permission itself
			}
			g := out.add(w.T, "grant", g)
			g["of"] = in + ": " + f.Path
		}
		if f.Folder || f.Size == 0 {
			continue // of an empty file only the present version comes back
		}
		for i, v := range f.Versions[:len(f.Versions)-1] {
			v := out.add(w.T, "version", v)
			v["of"], v["number"], v["in"] = in+": "+f.Path, fmt.Sprint(i+1, " of ", len(f.Versions)), in
		}
	}
}

// library reads the files of a library.
func (w *world) library(site, list string) []sim.DriveRow {
	w.Helper()
	var out []sim.DriveRow
	w.lines("/oracle/libraries?sha256=1&site="+url.QueryEscape(site)+"&list="+url.QueryEscape(list), func(line []byte) error {
		var f sim.DriveRow
		err := json.Unmarshal(line, &f)
		out = append(out, f)
		return err
	})
	return out
}

// siteThings are all that the oracle tells of a site. gone is the list that was deleted, or is to be.
func (w *world) siteThings(site sim.SiteInfo, gone string) things {
	w.Helper()
	out, kinds := things{}, map[string]map[string]string{} // list -> column -> kind
	w.lines("/oracle/sites?site="+url.QueryEscape(site.ID), func(line []byte) error {
		var r sim.SiteRow
		err := json.Unmarshal(line, &r)
		name := r.Kind
		switch {
		case r.Kind == "list":
			kinds[r.List] = map[string]string{}
			for _, c := range r.Columns {
				words := strings.Fields(c)
				kinds[r.List][words[0]] = words[1]
			}
			if r.List == gone {
				name = "list that was deleted"
			}
			if r.Template == "documentLibrary" && (!isPersonal(site) || r.List != oneDrive) {
				w.files(out, "file of a library", r.List, w.library(site.ID, r.List))
			}
		case r.Kind == "folder":
			name = "folder in a list"
		case r.List == gone:
			name = "item of a deleted list"
		}
		row := out.add(w.T, name, r)
		delete(row, "fields")
		for column, v := range r.Fields {
			if column == "Title" {
				continue
			}
			kind := kinds[r.List][column]
			if kind == "" {
				kind = "text"
			}
			values, _ := row["value of "+kind].(map[string]any)
			if values == nil {
				values = map[string]any{}
				row["value of "+kind] = values
			}
			values[column] = v
		}
		if len(r.Versions) > 0 {
			versions, lookups := []any{}, []any{}
			for _, v := range r.Versions { // editor, time and values, of which the same are lost
				at := strings.IndexByte(v, '{')
				var values map[string]string
				if err := json.Unmarshal([]byte(v[at:]), &values); err != nil {
					return err
				}
				for column, kind := range kinds[r.List] {
					switch kind {
					case "lookup", "lookups":
						lookups = append(lookups, column+" "+values[column])
						delete(values, column)
					case "geolocation":
						delete(values, column)
					}
				}
				versions = append(versions, []any{v[:at], values})
			}
			slices.SortFunc(lookups, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			row["versions"], row["lookups of versions"] = versions, lookups
		}
		return err
	})
	w.lines("/oracle/access?site="+url.QueryEscape(site.ID), func(line []byte) error {
		var r sim.SiteAccessRow
		err := json.Unmarshal(line, &r)
		out.add(w.T, "access", r)
		return err
	})
	return out
}

var (
	hostedLink = regexp.MustCompile(`https://[^"]*/hostedContents/`)           // has the ids of team, channel and post
	atElement  = regexp.MustCompile(`<at id="[0-9]+">(.*?)</at>`)              // comes back as a bold name
	inOldSite  = regexp.MustCompile(`https://[^/" ]+/(?:sites|teams)/[^/" ]+`) // a team that is made again has another site
	cardIn     = regexp.MustCompile(`<attachment id="[^"]*"></attachment>`)
)

// teamThings are all that the oracle tells of a team and of its files. put says that only what can be posted counts, and posts gives how many can't.
func (w *world) teamThings(name string) (out things, posts map[string]int) {
	w.Helper()
	out, posts = things{}, map[string]int{}
	w.lines("/oracle/teams?team="+url.QueryEscape(name), func(line []byte) error {
		var r sim.TeamRow
		err := json.Unmarshal(line, &r)
		if r.Open {
			w.Errorf("%s %s of the team %s is still open for posts of the past", r.Kind, r.Name, name)
		}
		if r.Kind == "post" {
			switch {
			case r.Event:
				posts["event"]++
			case r.Deleted:
				posts["deleted"]++
			case r.Author == "application":
				posts["application"]++
			case strings.Contains(r.Body, "is not in the restore"):
				posts["stands in"]++
			default:
				posts["post"]++
				r.Body = atElement.ReplaceAllString(hostedLink.ReplaceAllString(r.Body, "HOSTED/"), "<b>$1</b>")
				files := []string{}
				cards := []string{}
				for _, a := range r.Attached {
					if strings.HasPrefix(a, "reference ") {
						files = append(files, inOldSite.ReplaceAllString(a, "SITE"))
					} else {
						cards = append(cards, a)
					}
				}
				r.Attached = files
				if len(cards) > 0 {
					r.Body = cardIn.ReplaceAllString(r.Body, "")
				}
				row := out.add(w.T, "post", r)
				if len(cards) > 0 {
					row["cards"] = cards
				}
				slices.Sort(r.Hosted)
			}
			return err
		}
		row := out.add(w.T, r.Kind, r)
		if content, ok := row["configuration"].(map[string]any); ok {
			for k, v := range content {
				if text, ok := v.(string); ok {
					content[k] = inOldSite.ReplaceAllString(text, "SITE")
				}
			}
		}
		return err
	})
	var teams []sim.TeamInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/teams", nil, &teams))
	for _, x := range teams {
		if x.Name != name {
			continue
		}
		x.Sites[""] = x.Site
		for channel, site := range x.Sites {
			rows := w.library(site, "Documents")
			rows = slices.DeleteFunc(rows, func(f sim.DriveRow) bool {
				if restored := strings.Contains("/"+f.Path, "/Restored posts"); restored {
					posts["files of posts"]++
					return true
				}
				return false
			})
			for i := range rows { // the folder of a channel is made with it, by Teams
				if x.Channels[rows[i].Path] != "" {
					rows[i].Created, rows[i].Modified = time.Time{}, time.Time{}
				}
			}
			w.files(out, "file", channel+" of "+name, rows)
		}
	}
	return out, posts
}

// chatThings are all that the oracle tells of chats into which Microsoft takes messages, and how many of each sort are in them: what nobody can post is counted only.
func (w *world) chatThings() (out things, counts map[string]int) {
	w.Helper()
	out, counts = things{}, map[string]int{}
	for _, c := range w.chats() {
		rows := w.chatRows(c.ID)
		if rows[0].Open {
			w.Errorf("the chat %q is open for messages of the past", c.Topic)
		}
		if c.Type == "meeting" || c.Tenant != w.sim.Tenant.TenantID {
			counts["chat that takes none"]++
			continue
		}
		if w.returns(c) { // one with people of other organizations stays, and its beginning moves
			out.add(w.T, "chat", rows[0])
		}
		for _, r := range rows[1:] {
			switch {
			case r.Event:
				counts["event"]++
				continue
			case r.Deleted:
				counts["deleted"]++
				continue
			case r.Author == "application":
				counts["application"]++
				continue
			case strings.HasSuffix(r.Author, "@partner.example"):
				counts["stranger"]++
				continue
			}
			counts["message"]++
			body := atElement.ReplaceAllString(hostedLink.ReplaceAllString(r.Body, "HOSTED/"), "<b>$1</b>")
			r.Body = quoteIn.ReplaceAllString(body, "")
			counts["quotation"] += len(quoteIn.FindAllString(body, -1))
			r.Attached = slices.DeleteFunc(r.Attached, func(a string) bool { return strings.HasPrefix(a, "messageReference ") })
			r.Channel = fmt.Sprintf("%s %q of %v", c.Type, c.Topic, rows[0].Members)
			out.add(w.T, "message", r)
		}
	}
	return out, counts
}
