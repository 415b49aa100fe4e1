package sim

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What a mailbox has beside what lies in its folders: its settings, the rules of its inbox, its categories, and whom its calendars are shared with.

var (
	settingsRead  = []string{"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
	rulesRead     = []string{"MailboxSettings.Read"} // MailboxSettings.ReadWrite is not in the table's rows of reading rules and categories
	settingsWrite = []string{"MailboxSettings.ReadWrite"}
)

func init() {
	maps.Copy(pimTypes, map[string]string{
		"mailboxSettings": "automaticRepliesSetting:automaticRepliesSetting dateFormat delegateMeetingMessageDeliveryOptions:delegateMeetingMessageDeliveryOptions language:localeInfo " +
			"timeFormat timeZone workingHours:workingHours",
		"automaticRepliesSetting": "externalAudience:externalAudienceScope externalReplyMessage internalReplyMessage scheduledEndDateTime:dateTimeTimeZone " +
			"scheduledStartDateTime:dateTimeTimeZone status:automaticRepliesStatus",
		"localeInfo":   "displayName locale",
		"workingHours": "daysOfWeek:[dayOfWeek] endTime startTime timeZone:timeZoneBase",
		"timeZoneBase": "name",
		"messageRule":  "actions:messageRuleActions conditions:messageRulePredicates displayName exceptions:messageRulePredicates isEnabled:bool sequence:int",
		"messageRuleActions": "assignCategories:[string] copyToFolder delete:bool forwardAsAttachmentTo:[recipient] forwardTo:[recipient] markAsRead:bool markImportance:importance " +
			"moveToFolder permanentDelete:bool redirectTo:[recipient] stopProcessingRules:bool",
		"messageRulePredicates": "bodyContains:[string] bodyOrSubjectContains:[string] categories:[string] fromAddresses:[recipient] hasAttachments:bool headerContains:[string] " +
			"importance:importance isApprovalRequest:bool isAutomaticForward:bool isAutomaticReply:bool isEncrypted:bool isMeetingRequest:bool isMeetingResponse:bool " +
			"isNonDeliveryReport:bool isPermissionControlled:bool isReadReceipt:bool isSigned:bool isVoicemail:bool messageActionFlag:messageActionFlag notSentToMe:bool " +
			"recipientContains:[string] senderContains:[string] sensitivity:sensitivity sentCcMe:bool sentOnlyToMe:bool sentToAddresses:[recipient] sentToMe:bool sentToOrCcMe:bool " +
			"subjectContains:[string] withinSizeRange:sizeRange",
		"sizeRange":          "maximumSize:int minimumSize:int",
		"outlookCategory":    "color:categoryColor displayName",
		"calendarPermission": "emailAddress:emailAddress isInsideOrganization:bool isRemovable:bool role:calendarRoleType allowedRoles:[calendarRoleType]",
	})
	colours := []string{"none"}
	for i := range 25 {
		colours = append(colours, fmt.Sprint("preset", i))
	}
	maps.Copy(pimEnums, map[string][]string{
		"delegateMeetingMessageDeliveryOptions": {"sendToDelegateAndInformationToPrincipal", "sendToDelegateAndPrincipal", "sendToDelegateOnly"},
		"externalAudienceScope":                 {"none", "contactsOnly", "all"},
		"automaticRepliesStatus":                {"disabled", "alwaysEnabled", "scheduled"},
		"messageActionFlag":                     {"any", "call", "doNotForward", "followUp", "fyi", "forward", "noResponseNecessary", "read", "reply", "replyToAll", "review"},
		"categoryColor":                         colours,
		"calendarRoleType":                      {"none", "freeBusyRead", "limitedRead", "read", "write", "delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess", "custom"},
	})
}

// settings is guarded by the mailbox's mutex.
type settings struct {
	props      map[string]any // of mailboxSettings
	rules      []*setting
	categories []*setting
	shares     map[uint32][]*setting // by calendar
	next       uint64
}

// setting is a rule, a category or a permission of a calendar.
type setting struct {
	id    string
	props map[string]any
}

func (st *settings) add(list []*setting, props map[string]any) []*setting {
	st.next++
	return append(list, &setting{id: base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte{1, 0}, mix(st.next))), props: props})
}

// settingsOf is what the mailbox has, generated at its first use. The mailbox is locked.
func (b *mailbox) settingsOf() *settings {
	if b.settings != nil {
		return b.settings
	}
	r := newRand(b.s.opt.Seed, "settings", b.index)
	zone := pick(r, []string{"W. Europe Standard Time", "UTC", "Pacific Standard Time"})
	day := func(n int) map[string]any {
		return map[string]any{"dateTime": epochEnd.AddDate(0, 0, n).Format(momentForm), "timeZone": "UTC"}
	}
	st := &settings{shares: map[uint32][]*setting{}, props: map[string]any{
		"dateFormat": "dd.MM.yyyy", "timeFormat": "HH:mm", "timeZone": zone, "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
		"language":     map[string]any{"locale": "de-DE", "displayName": "German (Germany)"},
		"workingHours": map[string]any{"daysOfWeek": []any{"monday", "tuesday", "wednesday", "thursday"}, "startTime": "08:30:00.0000000", "endTime": "17:00:00.0000000", "timeZone": map[string]any{"name": zone}},
		"automaticRepliesSetting": map[string]any{"status": "disabled", "externalAudience": "all", "internalReplyMessage": "", "externalReplyMessage": "",
			"scheduledStartDateTime": day(1), "scheduledEndDateTime": day(2)},
	}}
	if b.index%3 == 1 {
		st.props["automaticRepliesSetting"] = map[string]any{"status": "alwaysEnabled", "externalAudience": "contactsOnly", "internalReplyMessage": "<p>Back on <b>Monday</b>, grüße</p>",
			"externalReplyMessage": "<p>Away until Monday</p>", "scheduledStartDateTime": day(1), "scheduledEndDateTime": day(8)}
	}
	b.settings = st
	for i, name := range categoryNames {
		st.categories = st.add(st.categories, map[string]any{"displayName": name, "color": fmt.Sprint("preset", (i*7+int(b.index))%25)})
	}
	recipient := func(u *User) map[string]any {
		return map[string]any{"emailAddress": map[string]any{"name": u.DisplayName, "address": u.Mail}}
	}
	users := b.s.dir.all()
	other := users[(int(b.index)+1)%len(users)]
	into := b.folderID(rootFolder)
	for _, k := range b.order {
		if f := b.folders[k]; !f.deleted && f.wellKnown == "" && !f.apart() && !f.hidden && f.parent != 0 {
			into = b.folderID(k)
		}
	}
	for _, p := range []map[string]any{
		{"displayName": "From a colleague", "conditions": map[string]any{"fromAddresses": []any{recipient(other)}, "senderContains": []any{"news"}},
			"actions": map[string]any{"moveToFolder": into, "markAsRead": true, "stopProcessingRules": true}},
		{"displayName": "Invoices / 发票", "conditions": map[string]any{"subjectContains": []any{"invoice", "Rechnung"}, "withinSizeRange": map[string]any{"minimumSize": 0, "maximumSize": 1024}},
			"exceptions": map[string]any{"sentOnlyToMe": true}, "actions": map[string]any{"assignCategories": []any{categoryNames[0]}, "markImportance": "high"}},
		{"displayName": "To my deputy", "conditions": map[string]any{"sentToMe": true}, "actions": map[string]any{"forwardTo": []any{recipient(other)}}},
	} {
		p["isEnabled"], p["sequence"] = true, len(st.rules)+1
		st.rules = st.add(st.rules, p)
	}
	return st
}

// sharesOf is whom a calendar is shared with, generated at its first use.
func (b *mailbox) sharesOf(f *pimFolder) []*setting {
	st := b.settingsOf()
	if st.shares[f.key] == nil {
		all := []any{"none", "freeBusyRead", "limitedRead", "read", "write"}
		list := st.add(nil, map[string]any{"emailAddress": map[string]any{"name": "My Organization"}, "isInsideOrganization": true, "isRemovable": false, "role": "freeBusyRead", "allowedRoles": all})
		if f.known {
			users := b.s.dir.all()
			other := users[(int(b.index)+1)%len(users)]
			list = st.add(list, map[string]any{"emailAddress": map[string]any{"name": other.DisplayName, "address": other.Mail}, "isInsideOrganization": true, "isRemovable": true, "role": "write",
				"allowedRoles": append(slices.Clone(all), "delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess")})
		}
		st.shares[f.key] = list
	}
	return st.shares[f.key]
}

func (s *Sim) settingsRoutes() []Route {
	var out []Route
	add := func(method, pattern string, perms []string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/users/{user}" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	add("GET", "/mailboxSettings", settingsRead, s.settingsGet)
	add("PATCH", "/mailboxSettings", settingsWrite, s.settingsPatch)
	for _, l := range []settingList{
		{typ: "messageRule", of: func(b *mailbox, _ *Call) (*[]*setting, error) { return &b.settingsOf().rules, nil }, show: showRule, check: checkRule},
		{typ: "outlookCategory", of: func(b *mailbox, _ *Call) (*[]*setting, error) { return &b.settingsOf().categories, nil }, check: checkCategory},
		{typ: "calendarPermission", of: sharesIn, check: checkShare},
	} {
		at, read, write := "/mailFolders/inbox/messageRules", rulesRead, settingsWrite
		switch l.typ {
		case "outlookCategory":
			at = "/outlook/masterCategories"
		case "calendarPermission":
			at, read, write = "/calendars/{folder}/calendarPermissions", calendarsRead, calendarsWrite
		}
		add("GET", at, read, s.settingsList(l))
		add("POST", at, write, s.settingsAdd(l))
		add("GET", at+"/{setting}", read, s.settingsOne(l))
		add("PATCH", at+"/{setting}", write, s.settingsChange(l))
		add("DELETE", at+"/{setting}", write, s.settingsRemove(l))
	}
	return out
}

func sharesIn(b *mailbox, c *Call) (*[]*setting, error) {
	f, err := b.shelf(calendarKind).folder(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	list := b.sharesOf(f)
	b.settings.shares[f.key] = list
	return new(list), nil
}

// withBox runs a handler with the mailbox of the call, locked.
func (s *Sim) withBox(c *Call, fn func(b *mailbox) (*Reply, error)) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return fn(b)
}

func (s *Sim) settingsGet(c *Call) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	return s.withBox(c, func(b *mailbox) (*Reply, error) { return b.settingsReply(c, q) })
}

func (b *mailbox) settingsReply(c *Call, q *Query) (*Reply, error) {
	full := maps.Clone(b.settingsOf().props)
	full["userPurpose"], full["archiveFolder"] = b.user.purposeNow(), ""
	for _, k := range b.order {
		if f := b.folders[k]; f.wellKnown == "archive" && !f.deleted {
			full["archiveFolder"] = b.folderID(k)
		}
	}
	out, err := project(full, q.Select, "microsoft.graph.mailboxSettings", func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	out["@odata.context"] = c.under("mailboxSettings")
	return JSON(200, out), nil
}

func (s *Sim) settingsPatch(c *Call) (*Reply, error) {
	var in fields
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	asked, err := readProps("mailboxSettings", in, []string{"userPurpose", "archiveFolder"})
	if err != nil {
		return nil, err
	}
	if zone, ok := asked["timeZone"].(string); ok {
		if _, known := zoneOf(zone); !known {
			return nil, Fail(400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", zone)
		}
	}
	if l, ok := asked["language"].(map[string]any); ok {
		l["displayName"] = l["locale"]
	}
	return s.withBox(c, func(b *mailbox) (*Reply, error) {
		props := maps.Clone(b.settingsOf().props)
		for name, v := range asked {
			if v == nil {
				continue // a setting can't be taken away
			}
			had, _ := props[name].(map[string]any)
			if now, ok := v.(map[string]any); ok && had != nil && name != "language" {
				merged := maps.Clone(had)
				maps.Copy(merged, now)
				v = merged
			}
			props[name] = v
		}
		if r, _ := props["automaticRepliesSetting"].(map[string]any); r["status"] == "scheduled" {
			from, _ := r["scheduledStartDateTime"].(map[string]any)
			to, _ := r["scheduledEndDateTime"].(map[string]any)
			if fmt.Sprint(from["dateTime"]) >= fmt.Sprint(to["dateTime"]) {
				return nil, Fail(400, "ErrorInvalidArgument", "The start of scheduled automatic replies must be before their end.")
			}
		}
		b.settings.props = props
		return b.settingsReply(c, &Query{})
	})
}

// settingList is a list of small things: rules, categories, permissions.
type settingList struct {
	typ string
	of  func(b *mailbox, c *Call) (*[]*setting, error)
	// show adds what the service computes.
	show func(out map[string]any)
	// check completes a new (old is nil) or changed one, or refuses it.
	check func(b *mailbox, c *Call, list []*setting, old *setting, props map[string]any) error
}

func showRule(out map[string]any) {
	for _, name := range []string{"hasError", "isReadOnly"} {
		out[name] = false
	}
	for _, name := range []string{"conditions", "exceptions", "actions"} {
		if out[name] == nil {
			out[name] = map[string]any{}
		}
	}
}

func (l settingList) json(st *setting) map[string]any {
	out := maps.Clone(st.props)
	out["id"] = st.id
	if l.show != nil {
		l.show(out)
	}
	return out
}

func checkRule(b *mailbox, _ *Call, _ []*setting, old *setting, props map[string]any) error {
	if s, _ := props["displayName"].(string); strings.TrimSpace(s) == "" {
		return Fail(400, "ErrorInvalidRequest", "The name of a rule is missing.")
	}
	actions, _ := props["actions"].(map[string]any)
	if len(actions) == 0 {
		return Fail(400, "ErrorInvalidRequest", "A rule needs an action.")
	}
	for _, name := range []string{"moveToFolder", "copyToFolder"} {
		if id, ok := actions[name].(string); ok {
			f, err := b.folder(id)
			if err != nil {
				return Fail(400, "ErrorInvalidRequest", "The folder of '%s' was not found.", name)
			}
			actions[name] = b.folderID(f.key)
		}
	}
	if old == nil && props["isEnabled"] == nil {
		props["isEnabled"] = true
	}
	if n, _ := props["sequence"].(int); n < 1 {
		props["sequence"] = 1
	}
	return nil
}

func checkCategory(_ *mailbox, _ *Call, list []*setting, old *setting, props map[string]any) error {
	name, _ := props["displayName"].(string)
	if strings.TrimSpace(name) == "" || len(name) > 255*4 {
		return Fail(400, "ErrorInvalidRequest", "The name of a category is missing or too long.")
	}
	if old != nil && old.props["displayName"] != name {
		return Fail(400, "ErrorInvalidRequest", "The name of a category cannot be changed.")
	}
	for _, o := range list {
		if o != old && strings.EqualFold(fmt.Sprint(o.props["displayName"]), name) {
			return Fail(409, "ErrorCategoryAlreadyExists", "There is a category of that name.")
		}
	}
	if props["color"] == nil {
		props["color"] = "none"
	}
	return nil
}

// checkShare lets a role be changed and a person be added, who may get a mail of it: no document says that this is silent, so it is recorded as mail.
func checkShare(b *mailbox, c *Call, list []*setting, old *setting, props map[string]any) error {
	role, _ := props["role"].(string)
	if old != nil {
		allowed, _ := old.props["allowedRoles"].([]any)
		if !slices.Contains(allowed, any(role)) {
			return Fail(400, "ErrorInvalidRequest", "The role '%s' is not allowed here.", role)
		}
		for _, name := range []string{"emailAddress", "isInsideOrganization", "isRemovable", "allowedRoles"} {
			props[name] = old.props[name]
		}
		return nil
	}
	e, _ := props["emailAddress"].(map[string]any)
	address, _ := e["address"].(string)
	if address == "" || role == "" {
		return Fail(400, "ErrorInvalidRequest", "A permission needs an address and a role.")
	}
	for _, o := range list {
		if had, _ := o.props["emailAddress"].(map[string]any); strings.EqualFold(fmt.Sprint(had["address"]), address) {
			return Fail(409, "ErrorPermissionAlreadyExists", "The calendar is shared with %s already.", address)
		}
	}
	props["isRemovable"], props["isInsideOrganization"] = true, b.s.dir.find(address) != nil
	props["allowedRoles"] = []any{"none", "freeBusyRead", "limitedRead", "read", "write"}
	b.s.stats.mail(SentMail{Time: c.Now, User: b.user.UPN, How: "invitation to a calendar", Subject: "calendar", Recipients: []string{address}})
	return nil
}

func (s *Sim) settingsList(l settingList) Handler {
	return func(c *Call) (*Reply, error) {
		q, err := c.OData("select", "top", "skip", "count")
		if err != nil {
			return nil, err
		}
		return s.withBox(c, func(b *mailbox) (*Reply, error) {
			list, err := l.of(b, c)
			if err != nil {
				return nil, err
			}
			var rows []map[string]any
			for _, st := range *list {
				j, err := project(l.json(st), q.Select, "microsoft.graph."+l.typ, func(string) bool { return false })
				if err != nil {
					return nil, err
				}
				rows = append(rows, j)
			}
			return listPage(c, q, "users('"+c.Params["user"]+"')/"+l.typ+"s", rows)
		})
	}
}

// settingOf runs fn with the one that a call names and its place.
func (s *Sim) settingOf(c *Call, l settingList, fn func(b *mailbox, list *[]*setting, i int) (*Reply, error)) (*Reply, error) {
	return s.withBox(c, func(b *mailbox) (*Reply, error) {
		list, err := l.of(b, c)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(*list, func(st *setting) bool { return st.id == c.Params["setting"] })
		if i < 0 {
			return nil, errNotInStore
		}
		r, err := fn(b, list, i)
		if err == nil {
			l.keep(b, c, *list)
		}
		return r, err
	})
}

// keep writes back a list that is not a field of the settings itself.
func (l settingList) keep(b *mailbox, c *Call, list []*setting) {
	if l.typ != "calendarPermission" {
		return
	}
	if f, err := b.shelf(calendarKind).folder(c.Params["folder"]); err == nil {
		b.settings.shares[f.key] = list
	}
}

func (s *Sim) settingsOne(l settingList) Handler {
	return func(c *Call) (*Reply, error) {
		return s.settingOf(c, l, func(_ *mailbox, list *[]*setting, i int) (*Reply, error) {
			j := l.json((*list)[i])
			j["@odata.context"] = c.under(l.typ + "s/$entity")
			return JSON(200, j), nil
		})
	}
}

func (l settingList) read(c *Call) (map[string]any, error) {
	var in fields
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return readProps(l.typ, in, []string{"id", "hasError", "isReadOnly"})
}

func (s *Sim) settingsAdd(l settingList) Handler {
	return func(c *Call) (*Reply, error) {
		props, err := l.read(c)
		if err != nil {
			return nil, err
		}
		return s.withBox(c, func(b *mailbox) (*Reply, error) {
			list, err := l.of(b, c)
			if err != nil {
				return nil, err
			}
			if err := l.check(b, c, *list, nil, props); err != nil {
				return nil, err
			}
			*list = b.settings.add(*list, props)
			l.keep(b, c, *list)
			j := l.json((*list)[len(*list)-1])
			j["@odata.context"] = c.under(l.typ + "s/$entity")
			return JSON(201, j), nil
		})
	}
}

func (s *Sim) settingsChange(l settingList) Handler {
	return func(c *Call) (*Reply, error) {
		asked, err := l.read(c)
		if err != nil {
			return nil, err
		}
		return s.settingOf(c, l, func(b *mailbox, list *[]*setting, i int) (*Reply, error) {
			old := (*list)[i]
			props := maps.Clone(old.props)
			maps.Copy(props, asked)
			if err := l.check(b, c, *list, old, props); err != nil {
				return nil, err
			}
			(*list)[i] = &setting{id: old.id, props: props}
			j := l.json((*list)[i])
			j["@odata.context"] = c.under(l.typ + "s/$entity")
			return JSON(200, j), nil
		})
	}
}

func (s *Sim) settingsRemove(l settingList) Handler {
	return func(c *Call) (*Reply, error) {
		return s.settingOf(c, l, func(_ *mailbox, list *[]*setting, i int) (*Reply, error) {
			if (*list)[i].props["isRemovable"] == false {
				return nil, Fail(400, "ErrorInvalidRequest", "This permission cannot be removed.")
			}
			*list = slices.Delete(slices.Clone(*list), i, i+1)
			return nil, nil
		})
	}
}

// SettingRow is a setting in a dump: the mailbox's settings as a whole, a rule, a category, or a permission of a calendar.
type SettingRow struct {
	Kind     string         `json:"kind"` // mailboxSettings, messageRule, outlookCategory, calendarPermission
	ID       string         `json:"id"`
	Calendar string         `json:"calendar,omitempty"` // the name of a permission's
	Props    map[string]any `json:"props"`
}

// DumpSettings gives what a mailbox is set to.
func (s *Sim) DumpSettings(user string) ([]SettingRow, error) {
	b, err := s.mailboxOf(user)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	st := b.settingsOf()
	out := []SettingRow{{Kind: "mailboxSettings", Props: maps.Clone(st.props)}}
	for _, r := range st.rules {
		out = append(out, SettingRow{Kind: "messageRule", ID: r.id, Props: maps.Clone(r.props)})
	}
	for _, r := range st.categories {
		out = append(out, SettingRow{Kind: "outlookCategory", ID: r.id, Props: maps.Clone(r.props)})
	}
	for _, f := range b.shelf(calendarKind).all() {
		if f.props["group"] == true {
			continue
		}
		for _, r := range b.sharesOf(f) {
			out = append(out, SettingRow{Kind: "calendarPermission", ID: r.id, Calendar: f.name(calendarKind), Props: maps.Clone(r.props)})
		}
	}
	return out, nil
}

// SetAutomaticReplies switches a mailbox's automatic replies, as its owner does: disabled, alwaysEnabled.
func (s *Sim) SetAutomaticReplies(user, status, text string) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	props := maps.Clone(b.settingsOf().props)
	had, _ := props["automaticRepliesSetting"].(map[string]any)
	now := maps.Clone(had)
	now["status"], now["internalReplyMessage"] = status, text
	props["automaticRepliesSetting"] = now
	b.settings.props = props
	return nil
}

// RemoveRule deletes a rule of a mailbox's inbox, as its owner does.
func (s *Sim) RemoveRule(user, id string) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	st := b.settingsOf()
	n := len(st.rules)
	st.rules = slices.DeleteFunc(slices.Clone(st.rules), func(r *setting) bool { return r.id == id })
	if len(st.rules) == n {
		return fmt.Errorf("simulator: the mailbox of %s has no rule %s", user, id)
	}
	return nil
}

// mailboxPurposes are the values of userPurpose that a mailbox can be made to have; "user" is none of them.
var mailboxPurposes = []string{"shared", "room", "equipment", "others"}

// SetMailboxPurpose makes a user's mailbox a shared one, a room, equipment, or another one that is no person's, such as that of discovery searches. The account is then disabled and has no
// licence, as administrators leave it; its mailbox answers.
func (s *Sim) SetMailboxPurpose(user, purpose string) error {
	u := s.dir.find(user)
	if u == nil || !slices.Contains(mailboxPurposes, purpose) {
		return fmt.Errorf("simulator: user %q, purpose %q: want a user and one of %s", user, purpose, strings.Join(mailboxPurposes, ", "))
	}
	s.dir.change(u, func(u *User) { u.purpose, u.enabled, u.licensed = purpose, false, false })
	return nil
}
