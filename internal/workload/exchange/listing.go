package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Where the cloud has no delta of mail (China), what changed is found by listing: the whole tree of folders, and of each folder that was read
// before the ids and versions of its messages, a thousand to a page. Every other rule is the same: a message that a list does not show may have
// moved, or slipped from one page to another while it was read, so it is asked for, and only "not found" deletes.

const (
	// listed is the cursor of a folder whose messages were all read once, where there are no links.
	listed = "listed"
	// thinPage is what Outlook gives at most of a list.
	thinPage = 1000
	// askedTogether bounds the messages that are asked for before what came of them is stored.
	askedTogether = 200
)

// thin asks for what tells whether a message changed.
var thin = graph.List{Select: []string{"id", "changeKey", "lastModifiedDateTime"}, Top: thinPage}

// listTree reads the folders by listing all of them.
func (r *reader) listTree(ctx context.Context) error {
	seen := map[string]bool{}
	if err := r.hidden(ctx, true, seen); err != nil {
		return err
	}
	var gone []string
	for id := range r.folders {
		if !seen[id] && r.special[id] != notesName {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		if err := r.goneFolder(ctx, id, seen); err != nil {
			return err
		}
	}
	return r.refreshed(ctx)
}

// list reads what changed in one folder, as messages does where there is a delta.
func (r *reader) list(ctx context.Context, folder string) error {
	before := r.folders[folder]
	there := map[[12]byte]struct{}{}
	var err error
	if before == unread || before == resyncing {
		r.news = true // it takes long, so what came meanwhile is asked for
		err = r.listRows(ctx, folder, there)
		if kind := m365.KindOf(err); kind == m365.Unavailable || kind == m365.Invalid {
			// A page with bodies that never comes, or that the service refuses: the messages one by one.
			clear(there)
			err = r.listThin(ctx, folder, there)
		}
	} else {
		err = r.listThin(ctx, folder, there)
	}
	if m365.KindOf(err) == m365.NotFound {
		if err := r.wait(ctx); err != nil {
			return err
		}
		if err := r.goneFolder(ctx, folder, map[string]bool{}); err != nil {
			return err
		}
		if _, is := r.folders[folder]; !is {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("list folder %s: %w", folder, err)
	}
	for child, err := range r.prev.Children(ctx, folder) {
		if err != nil {
			return err
		}
		if _, ok := there[short(child.ID)]; !ok && child.Kind == holdfast.KindMail && r.pending[child.ID] == "" {
			if err := r.left(ctx, child.ID, folder); err != nil {
				return err
			}
		}
	}
	if w := r.put[folder]; w != nil {
		for _, id := range w.ids {
			if _, ok := there[short(id)]; !ok && r.placed[short(id)] == folder {
				if err := r.left(ctx, id, folder); err != nil {
					return err
				}
			}
		}
	}
	if before == listed {
		return nil
	}
	r.folders[folder] = listed
	if err := r.sink.Cursor(ctx, cursorMessages+folder, listed); err != nil {
		return err
	}
	return r.sink.Savepoint(ctx)
}

// listRows reads a folder's messages whole, as the pages of a delta would have them.
func (r *reader) listRows(ctx context.Context, folder string, there map[[12]byte]struct{}) error {
	l := r.rows(0, expandAttachments)
	l.Top = pageSize
	page, err := r.g.Messages(ctx, r.mailbox, folder, l)
	for {
		if err != nil {
			return err
		}
		for i := range page.Value {
			there[short(page.Value[i].ID)] = struct{}{}
			if err := r.row(ctx, &page.Value[i], folder); err != nil {
				return err
			}
		}
		next := page.NextLink
		page = nil
		if err := r.wait(ctx); err != nil {
			return err
		}
		if err := r.sink.Savepoint(ctx); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		page, err = graph.Follow[graph.Message](ctx, r.g, next, l)
	}
}

// listThin compares the versions of a folder's messages and asks for those that are new or changed.
func (r *reader) listThin(ctx context.Context, folder string, there map[[12]byte]struct{}) error {
	var changed []string
	first, err := r.g.Messages(ctx, r.mailbox, folder, thin)
	for m, err := range graph.All(ctx, r.g, first, err, thin) {
		if err != nil {
			return err
		}
		there[short(m.ID)] = struct{}{}
		if same, err := r.asRead(ctx, m, folder); err != nil {
			return err
		} else if !same {
			changed = append(changed, m.ID)
		}
	}
	for some := range slices.Chunk(changed, askedTogether) {
		for m, err := range r.ask(ctx, some) {
			switch {
			case err != nil:
				return err
			case m.err != nil:
				if err := r.unknown(ctx, m); err != nil {
					return err
				}
			case m.gone: // since the list was made; the next one tells
				r.news = true
			default:
				if err := r.found(ctx, m.message); err != nil {
					return err
				}
			}
		}
		if err := r.wait(ctx); err != nil {
			return err
		}
		if err := r.sink.Savepoint(ctx); err != nil {
			return err
		}
	}
	return nil
}

// asRead tells whether a message of a thin list is as it was read last, in this read or an earlier one. Where everything is compared anew, what an
// earlier one stored is not believed for its version.
func (r *reader) asRead(ctx context.Context, m *graph.Message, folder string) (bool, error) {
	k := short(m.ID)
	if v, ok := r.versions[k]; ok {
		return v == versionOf(m.ChangeKey) && r.placed[k] == folder, nil
	}
	if r.prev.Anew() {
		return false, nil
	}
	old, ok, err := r.prev.Item(ctx, m.ID)
	return ok && old.Version == m.ChangeKey && old.Parent == folder, err
}

// versionOf keeps a version in eight bytes, for there may be a million.
func versionOf(changeKey string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(changeKey))
	return h.Sum64()
}

// --- properties that a cloud lacks ------------------------------------------------------------------------------------

// propFlagStatus is PidTagFlagStatus: 1 complete, 2 flagged. The dates of a flag are PidLidTaskStartDate, PidLidTaskDueDate and
// PidLidTaskDateCompleted (MS-OXOFLAG).
const (
	propFlagStatus = "Integer 0x1090"
	propFlagStart  = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x8104"
	propFlagDue    = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x8105"
	propFlagDone   = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x810f"
)

// instead has the extended properties that say what a property says which the cloud lacks.
var instead = map[string][]string{"flag": {propFlagStatus, propFlagStart, propFlagDue, propFlagDone}, "conversationIndex": {propIndex}}

// flagDates are the dates of a flag and the properties that stand for them.
var flagDates = map[string]string{"startDateTime": propFlagStart, "dueDateTime": propFlagDue, "completedDateTime": propFlagDone}

// statusOf and valueOf translate between a flag's status and PidTagFlagStatus.
var (
	statusOf = map[string]string{"1": "complete", "2": "flagged"}
	valueOf  = map[string]string{"complete": "1", "flagged": "2"}
)

// graphTime is how Graph writes the date of a flag.
const graphTime = "2006-01-02T15:04:05.0000000"

type dateTimeZone struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

// fieldsIn are the properties of a message that a cloud has, and the expansion that asks for what stands for the others.
func fieldsIn(c m365.Cloud) (fields []string, expand string) {
	fields, expand = messageFields, expandProperties
	for _, name := range []string{"flag", "conversationIndex"} {
		if c.Has("message." + name) {
			continue
		}
		fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == name })
		for _, prop := range instead[name] {
			expand = expand[:len(expand)-1] + " or id eq '" + prop + "')"
		}
	}
	return fields, expand
}

// supply gives a message the members that the cloud lacks, so that it is stored and compared as any other.
func supply(m *graph.Message, c m365.Cloud) error {
	add := func(name string, value any) error {
		v, err := json.Marshal(value)
		if err != nil {
			return err
		}
		m.Raw, err = graph.Add(m.Raw, name, v)
		return err
	}
	have := func(id string) string {
		for _, p := range m.Properties {
			if sameProperty(p.ID, id) {
				return p.Value
			}
		}
		return ""
	}
	if !c.Has(m365.MessageFlag) {
		m.Flag = &graph.Flag{FlagStatus: "notFlagged"}
		if status := statusOf[have(propFlagStatus)]; status != "" {
			m.Flag.FlagStatus = status
		}
		flag := map[string]any{"flagStatus": m.Flag.FlagStatus}
		for name, prop := range flagDates {
			if at, err := time.Parse(time.RFC3339, have(prop)); err == nil {
				flag[name] = dateTimeZone{at.UTC().Format(graphTime), "UTC"}
			}
		}
		if err := add("flag", flag); err != nil {
			return err
		}
	}
	index := have(propIndex)
	if !c.Has(m365.ConversationIndex) && index != "" {
		m.ConversationIndex = index
		return add("conversationIndex", index)
	}
	return nil
}

// suit gives the JSON of a message to be created the form that a cloud takes: what it lacks goes by extended properties, in attached messages too.
func suit(o object, c m365.Cloud) {
	if raw, ok := o["flag"].(json.RawMessage); ok && !c.Has(m365.MessageFlag) {
		delete(o, "flag")
		props, _ := o["singleValueExtendedProperties"].([]property)
		var f struct{ FlagStatus string }
		if json.Unmarshal(raw, &f) == nil && valueOf[f.FlagStatus] != "" {
			props = append(props, property{propFlagStatus, valueOf[f.FlagStatus]})
			var dates map[string]json.RawMessage
			if json.Unmarshal(raw, &dates) == nil {
				props = append(props, flagProperties(dates)...)
			}
		}
		o["singleValueExtendedProperties"] = props
	}
	attachments, _ := o["attachments"].([]object)
	for _, a := range attachments {
		if item, ok := a["item"].(object); ok {
			suit(item, c)
		}
	}
}

// flagProperties are the dates of a flag as extended properties. Dates that are not in UTC, which Graph gives only to who asks for it, are left out.
func flagProperties(flag map[string]json.RawMessage) []property {
	var props []property
	for _, name := range slices.Sorted(maps.Keys(flagDates)) {
		var at dateTimeZone
		if json.Unmarshal(flag[name], &at) != nil || at.TimeZone != "UTC" {
			continue
		}
		if t, err := time.Parse("2006-01-02T15:04:05.9999999", at.DateTime); err == nil {
			props = append(props, property{flagDates[name], t.UTC().Format(time.RFC3339)})
		}
	}
	return props
}
