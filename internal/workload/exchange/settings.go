package exchange

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// What a mailbox is set to: its settings, the rules of its inbox, its categories, and whom its calendars are shared with. None of them has a delta or tells that it
// changed, so each costs a call a backup. A mailbox in which mail came or changed is asked for all of them. An idle one is asked for one, by turn:
// its backup stays as cheap as it was but for that one part of a batch.

// settings is no shelf with items of its own; it stands among the kinds because a job leaves it out, and permissions refuse it, as they do those.
var settings = &personal{PersonalKind: graph.SettingsOf, part: engine.PartSettings, name: "settings", kind: holdfast.KindSetting, shelf: "settings", special: "settings"}

// Ids of items in the folder of settings, and their classes, which are those that Exchange gives the like of them.
const (
	settingsFolder  = "settings/"
	settingMailbox  = "settings/mailbox"
	settingCategory = "settings/categories"
	settingRule     = "settings/rule/"    // + id of the rule
	settingShares   = "settings/sharing/" // + id of the calendar

	classSettings   = "IPM.Configuration.MailboxSettings"
	classCategories = "IPM.Configuration.CategoryList"
	classRule       = "IPM.Rule.Version2.Message"
	classShares     = "IPM.Configuration.CalendarPermissions"
)

// paper is one call of those that the settings take.
type paper struct {
	path []string
	list bool
	take func(ctx context.Context, res graph.PartResult) error
}

// papers are the calls, in a fixed order.
func (r *reader) papers(ctx context.Context, s *shelves) []paper {
	out := []paper{{path: graph.SettingsPath(r.mailbox), take: r.takeSettings}}
	if r.g.M365().Cloud().Has(m365.InboxRules) {
		out = append(out, paper{graph.RulesPath(r.mailbox), true, r.takeRules}, paper{graph.CategoriesPath(r.mailbox), true, func(ctx context.Context, res graph.PartResult) error {
			rows, err := r.allSettings(ctx, res)
			if err != nil {
				return fmt.Errorf("list the categories: %w", err)
			}
			return r.putRows(ctx, holdfast.Item{ID: settingCategory, Name: "Categories", Fields: map[string]string{holdfast.FieldClass: classCategories}}, rows)
		}})
	}
	if engine.Reads(ctx, engine.PartCalendars) {
		for _, calendar := range sortedKeys(r.shelvesOf(calendars).cursors) {
			out = append(out, r.shares(s, calendar))
		}
	}
	return out
}

// shares asks for the permissions of one calendar.
func (r *reader) shares(s *shelves, calendar string) paper {
	return paper{graph.SharesPath(r.mailbox, calendar), true, func(ctx context.Context, res graph.PartResult) error {
		s.placed[calendar] = settingsFolder
		rows, err := r.allSettings(ctx, res)
		switch m365.KindOf(err) {
		case m365.NotFound, m365.Denied, m365.Invalid:
			return nil // a calendar of somebody else that is only shown here, or one that went
		}
		if err != nil {
			return fmt.Errorf("list the permissions of a calendar: %w", err)
		}
		name := calendar
		if old, ok, err := r.prev.Item(ctx, calendar); err != nil {
			return err
		} else if ok {
			name = old.Name
		} else if f, err := r.g.ShelfOf(ctx, calendars.PersonalKind, r.mailbox, calendar); err == nil {
			name = f.Title()
		}
		return r.putRows(ctx, holdfast.Item{ID: settingShares + calendar, Name: "Permissions of calendar " + name, Fields: map[string]string{holdfast.FieldClass: classShares}}, rows)
	}}
}

// settingQuestions are the papers that this read asks for in its first round.
func (r *reader) settingQuestions(ctx context.Context, s *shelves) []question {
	all := r.papers(ctx, s)
	if !r.prev.Anew() && !r.prev.Empty() && len(r.put) == 0 && s.cursors[settingsFolder] != "" {
		all = all[turn(r.now, len(all)):][:1]
	}
	out := make([]question, len(all))
	for i, p := range all {
		part := graph.Part{Path: p.path, Permission: settings.Read}
		if p.list {
			part.List = graph.List{Top: shelfPage}
		}
		out[i] = question{part: part, answer: p.take}
	}
	return out
}

// turn picks which of n an idle read asks for, by its time alone, so that nothing has to be written for it. Reads that are an hour, a day or a week apart, or
// most other regular times, come to each of them.
func turn(now time.Time, n int) int {
	hours := now.Unix() / 3600
	return int((hours + hours/24) % int64(n))
}

// finishSettings asks for what the first round could not know: the permissions of calendars that this read found.
func (r *reader) finishSettings(ctx context.Context, s *shelves) error {
	var later []paper
	there := r.shelvesOf(calendars).cursors
	for _, calendar := range sortedKeys(there) {
		if _, stored, err := r.prev.Item(ctx, settingShares+calendar); err != nil {
			return err
		} else if s.placed[calendar] == "" && !stored && (r.prev.Empty() || s.cursors[settingsFolder] == "" || len(r.put) > 0) {
			later = append(later, r.shares(s, calendar))
		}
	}
	parts := make([]graph.Part, len(later))
	for i, p := range later {
		parts[i] = graph.Part{Path: p.path, List: graph.List{Top: shelfPage}, Permission: calendars.Read}
	}
	if len(parts) > 0 {
		results, err := r.g.Batch(ctx, parts)
		if err != nil {
			return err
		}
		for i, res := range results {
			if err := later[i].take(ctx, res); err != nil {
				return err
			}
		}
	}
	for item, err := range r.prev.Children(ctx, settingsFolder) {
		if err != nil {
			return err
		}
		if calendar, of := strings.CutPrefix(item.ID, settingShares); of && there[calendar] == "" && engine.Reads(ctx, engine.PartCalendars) && r.shelvesOf(calendars).broken == nil {
			if err := r.sink.Delete(ctx, item.ID); err != nil {
				return err
			}
		}
	}
	if s.cursors[settingsFolder] != "" {
		return nil
	}
	return r.sink.Cursor(ctx, settings.name+cursorShelf+settingsFolder, known) // they were read whole once
}

// allSettings gives what a list has, of which res is the first page.
func (r *reader) allSettings(ctx context.Context, res graph.PartResult) ([]*graph.Setting, error) {
	l := graph.List{Top: shelfPage}
	page, err := graph.Rows[graph.Setting](res)
	var rows []*graph.Setting
	for row, err := range graph.All(ctx, r.g, page, err, l) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (r *reader) takeSettings(ctx context.Context, res graph.PartResult) error {
	row, err := graph.Object[graph.Setting](res)
	if err != nil {
		return fmt.Errorf("read the settings of the mailbox: %w", err)
	}
	raw, err := graph.Without(row.Raw, "@odata.context")
	if err != nil {
		return err
	}
	engine.TellPurpose(ctx, row.UserPurpose)
	return r.putSetting(ctx, holdfast.Item{ID: settingMailbox, Name: "Mailbox settings", Fields: map[string]string{holdfast.FieldClass: classSettings, holdfast.FieldPurpose: row.UserPurpose}}, raw)
}

func (r *reader) takeRules(ctx context.Context, res graph.PartResult) error {
	rows, err := r.allSettings(ctx, res)
	if err != nil {
		return fmt.Errorf("list the rules of the inbox: %w", err)
	}
	seen := map[string]bool{}
	for _, row := range rows {
		seen[settingRule+row.ID] = true
		item := holdfast.Item{ID: settingRule + row.ID, Name: cmp.Or(row.DisplayName, "(rule)"), Fields: map[string]string{holdfast.FieldClass: classRule}}
		if old, ok, err := r.prev.Item(ctx, item.ID); err != nil {
			return err
		} else if !ok || old.Version != versionOfJSON(row.Raw) || r.prev.Anew() {
			ways, err := r.waysOf(ctx, row.Raw)
			if err != nil {
				return err
			}
			if ways != "" {
				item.Fields[holdfast.FieldFolders] = ways
			}
		}
		if err := r.putSetting(ctx, item, row.Raw); err != nil {
			return err
		}
	}
	for item, err := range r.prev.Children(ctx, settingsFolder) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(item.ID, settingRule) && !seen[item.ID] {
			if err := r.sink.Delete(ctx, item.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// putRows stores a list as one item: it is one page, as the service would serve it whole.
func (r *reader) putRows(ctx context.Context, item holdfast.Item, rows []*graph.Setting) error {
	list := make([]json.RawMessage, len(rows))
	for i, row := range rows {
		list[i] = row.Raw
	}
	raw, err := json.Marshal(map[string]any{"value": list})
	if err != nil {
		return err
	}
	return r.putSetting(ctx, item, raw)
}

func versionOfJSON(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// putSetting stores one of them when it is new or changed, and the folder that they are shown in with the first.
func (r *reader) putSetting(ctx context.Context, item holdfast.Item, raw []byte) error {
	item.Parent, item.Kind, item.Version, item.Size, item.Time = settingsFolder, holdfast.KindSetting, versionOfJSON(raw), int64(len(raw)), r.now.UTC().Truncate(time.Second)
	old, ok, err := r.prev.Item(ctx, item.ID)
	if err != nil {
		return err
	}
	if ok && old.Version == item.Version && old.Name == item.Name {
		return nil
	}
	s := r.shelvesOf(settings)
	if _, there, err := r.prev.Item(ctx, settingsFolder); err != nil {
		return err
	} else if !there && s.root == "" {
		s.root = settingsFolder
		folder := holdfast.Item{ID: settingsFolder, Parent: r.rootID(), Kind: holdfast.KindFolder, Version: "1", Name: "Settings", Fields: map[string]string{holdfast.FieldClass: settings.shelf, holdfast.FieldSpecial: settings.special}}
		body := []byte(`{"displayName":"Settings"}`)
		if err := r.sink.Put(ctx, folder, holdfast.Whole(holdfast.FormJSON, bytes.NewReader(body), int64(len(body)))); err != nil {
			return err
		}
	}
	return r.sink.Put(ctx, item, holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))))
}

// way is where a folder is that a rule puts mail into: from a well-known folder ("" is the top) down by names. Ids differ in another mailbox.
type way struct {
	From  string   `json:"from,omitempty"`
	Names []string `json:"names,omitempty"`
}

// folderActions are the actions of a rule that name a folder.
var folderActions = []string{"moveToFolder", "copyToFolder"}

// waysOf gives the ways to the folders that a rule names, as JSON by id.
func (r *reader) waysOf(ctx context.Context, raw []byte) (string, error) {
	var rule struct{ Actions map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &rule); err != nil {
		return "", fmt.Errorf("a rule of the inbox: %w", err)
	}
	ways := map[string]way{}
	for _, name := range folderActions {
		var id string
		if isNull(rule.Actions[name]) || json.Unmarshal(rule.Actions[name], &id) != nil || id == "" {
			continue
		}
		w, err := r.wayTo(ctx, id)
		if err != nil {
			return "", err
		}
		if w != nil {
			ways[id] = *w
		}
	}
	if len(ways) == 0 {
		return "", nil
	}
	out, err := json.Marshal(ways)
	return string(out), err
}

// deepestWay is how far up a folder is followed.
const deepestWay = 50

// wayTo is nil for a folder that is not there.
func (r *reader) wayTo(ctx context.Context, id string) (*way, error) {
	var w way
	for range deepestWay {
		switch name := r.special[id]; name {
		case "":
		case rootName:
			slices.Reverse(w.Names)
			return &w, nil
		default:
			w.From = name
			slices.Reverse(w.Names)
			return &w, nil
		}
		f, err := r.g.MailFolder(ctx, r.mailbox, id, graph.List{Select: []string{"id", "displayName", "parentFolderId"}})
		switch m365.KindOf(err) {
		case m365.NotFound, m365.Invalid:
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("look up the folder of a rule: %w", err)
		}
		w.Names = append(w.Names, f.DisplayName)
		if id = f.ParentFolderID; id == "" {
			break
		}
	}
	return nil, nil
}
