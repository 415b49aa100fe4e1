package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// outlookSegments follow users/{id} when a call concerns the mailbox.
var outlookSegments = []string{"messages", "mailfolders", "mailboxsettings", "outlook", "calendar", "calendars", "calendargroups", "calendarview",
	"events", "contacts", "contactfolders", "todo", "inferenceclassification", "sendmail", "translateexchangeids"}

// charges is what a call costs (Microsoft's published costs, how-to-avoid-getting-throttled and throttling-limits).
func charges(method string, u *url.URL, body int) []m365.Charge {
	all := m365.Charge{Service: throttle.Graph, Requests: 1}
	path := strings.TrimPrefix(u.EscapedPath(), root)
	segments := strings.Split(strings.ToLower(strings.Trim(path, "/")), "/")
	second := ""
	if len(segments) > 2 {
		second, _, _ = strings.Cut(segments[2], "(")
	}
	switch {
	case segments[0] == "groups" && (second == "threads" || second == "conversations"): // its mailbox
		return []m365.Charge{all, {Service: throttle.Outlook, Mailbox: segments[1], Requests: 1}}
	case segments[0] == "users" && slices.Contains(outlookSegments, second):
		id, err := url.PathUnescape(segments[1])
		if err != nil {
			id = segments[1]
		}
		c := m365.Charge{Service: throttle.Outlook, Mailbox: id, Requests: 1}
		if method != http.MethodGet {
			c.Upload = int64(body)
		}
		return []m365.Charge{all, c}
	case segments[0] == "drives" || segments[0] == "sites" || segments[0] == "shares" || segments[0] == "groups" && second == "sites" || second == "drive" || second == "drives":
		return []m365.Charge{all, {Service: throttle.SharePoint, Requests: 1, Units: sharePointUnits(method, segments, u.Query())}}
	}
	if segments[0] == "teams" || segments[0] == "teamwork" || segments[0] == "chats" || segments[0] == "users" && second == "chats" {
		return append([]m365.Charge{all}, teamsCharges(method, segments)...)
	}
	return []m365.Charge{all, {Service: throttle.Directory, Requests: 1, Units: directoryUnits(method, segments, u.Query())}}
}

// teamsCharges are the kind of call, the team or the chat and, of a post, the channel (Microsoft's limits of Teams).
func teamsCharges(method string, segments []string) []m365.Charge {
	one := func(lane string) m365.Charge { return m365.Charge{Service: throttle.Teams, Mailbox: lane, Requests: 1} }
	last := segments[len(segments)-1]
	kind := "write"
	switch {
	case slices.Contains(segments, "getallmessages"):
		kind = "export"
	case method == http.MethodGet && slices.Contains(segments, "messages"):
		kind = "messages"
	case method == http.MethodGet && segments[0] == "teams" && (strings.HasSuffix(last, "members") || strings.HasSuffix(last, "channels") || len(segments) == 4 && segments[2] == "channels"):
		kind = "lists"
	case method == http.MethodGet:
		kind = "other"
	case last == "messages" && segments[0] == "chats":
		kind = "chatPost"
	case last == "messages" || last == "replies":
		kind = "post"
	case len(segments) == 1 && segments[0] == "teams":
		kind = "create"
	case method == http.MethodDelete:
		kind = "delete"
	}
	out := []m365.Charge{one(kind)}
	if segments[0] == "chats" && len(segments) > 1 {
		out = append(out, one(throttle.ChatLane+segments[1]))
	}
	if segments[0] == "teams" && len(segments) > 1 {
		out = append(out, one(throttle.TeamLane+segments[1]))
		if kind == "post" {
			out = append(out, one(throttle.PostLane+segments[3]))
		}
	}
	return out
}

func sharePointUnits(method string, segments []string, q url.Values) int {
	last, arguments, _ := strings.Cut(segments[len(segments)-1], "(")
	if slices.Contains(segments, "permissions") || last == "invite" || last == "createlink" || strings.Contains(strings.ToLower(q.Get("$expand")), "permissions") {
		return 5
	}
	if method != http.MethodGet {
		return 2
	}
	switch last {
	case "delta":
		if q.Get("token") != "" || q.Get("$skiptoken") != "" || q.Get("$deltatoken") != "" || strings.Contains(arguments, "token") {
			return 1
		}
		return 2
	case "children", "versions", "drives", "items", "lists", "sites", "search", "getallsites", "columns", "contenttypes", "pages":
		return 2
	}
	if n := len(segments); n > 1 && segments[n-2] == "pages" && strings.HasPrefix(last, "microsoft.graph.") {
		return 2 // all pages of a site, of one type
	}
	return 1
}

func directoryUnits(method string, segments []string, q url.Values) int {
	units := 1
	if method == http.MethodGet && len(segments) == 1 && segments[0] == "users" {
		units = 2
	}
	switch {
	case slices.Contains(segments, "members"):
		units = 3
	case slices.Contains(segments, "transitivemembers"):
		units = 5
	}
	if q.Get("$select") != "" {
		units--
	}
	if top, err := strconv.Atoi(q.Get("$top")); err == nil && top < 20 {
		units--
	}
	if q.Get("$expand") != "" {
		units++
	}
	return max(units, 1)
}
