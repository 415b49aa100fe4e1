package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Settings go along with a mailbox only into itself, not into another one or a folder, unless they were chosen. When they were changed is told by nobody, so what is there and differs is replaced only
// by who also overwrites what is newer than the restore point. Nothing that goes back sends mail by itself: automatic replies stay as they are, on
// or off, a rule that forwards comes back switched off, and nobody is given a calendar anew.

// settableSettings are the properties of mailboxSettings that a client may set. https://learn.microsoft.com/graph/api/user-update-mailboxsettings
var settableSettings = []string{"automaticRepliesSetting", "dateFormat", "delegateMeetingMessageDeliveryOptions", "language", "timeFormat", "timeZone", "workingHours"}

// settableRule are those of a rule. https://learn.microsoft.com/graph/api/mailfolder-post-messagerules
var settableRule = []string{"displayName", "sequence", "isEnabled", "conditions", "exceptions", "actions"}

// forwarding are the actions of a rule that send mail on.
var forwarding = []string{"forwardTo", "forwardAsAttachmentTo", "redirectTo"}

const repliesSetting = "automaticRepliesSetting"

// putSetting restores the settings of a mailbox, a rule, the categories, or the permissions of a calendar.
func (r *restore) putSetting(ctx context.Context, p engine.Put) (engine.Restored, error) {
	if (r.plan.Folder != "" || !r.same) && !p.Selected {
		return engine.Restored{Outcome: engine.Skipped}, nil
	}
	if r.plan.Folder != "" {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("settings can't go into a folder; restore them to a mailbox itself")}
	}
	want := []string{settings.Read, settings.Write}
	if strings.HasPrefix(p.Item.ID, settingShares) {
		want = []string{calendars.Read, calendars.Write}
	}
	missing, err := r.g.CheckPermissions(ctx, want...)
	if err != nil {
		return engine.Restored{}, err
	}
	if len(missing) > 0 {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipDenied, Err: fmt.Errorf("the application may not write settings: grant it %s in Microsoft Entra, or restore with an application that has it", strings.Join(missing, ", "))}
	}
	st, err := keptOf(ctx, p)
	if err != nil {
		return engine.Restored{}, err
	}
	switch {
	case p.Item.ID == settingMailbox:
		return r.putSettings(ctx, st)
	case p.Item.ID == settingCategory:
		return r.putCategories(ctx, st)
	case strings.HasPrefix(p.Item.ID, settingRule):
		return r.putRule(ctx, st)
	case strings.HasPrefix(p.Item.ID, settingShares):
		return r.putShares(ctx, st)
	}
	return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("this version does not know settings of class %s", p.Item.Fields[holdfast.FieldClass])}
}

// replaces decides whether a setting that is there and differs is replaced.
func (r *restore) replaces(id string) (*engine.Restored, error) {
	if r.plan.MissingItems && !r.plan.ChangedItems {
		return &engine.Restored{Outcome: engine.Skipped, NewID: id}, nil // only what is missing was asked for
	}
	if r.plan.Mode != engine.Overwrite || !r.plan.Newer {
		return &engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("it is there and differs, and nobody tells when it was changed; it is replaced when overwriting what is newer than the restore point is asked for")}
	}
	return nil, nil
}

// dry is what a dry run says of a change.
func dry(outcome engine.Outcome, calls int64) engine.Restored {
	return engine.Restored{Outcome: outcome, Cost: holdfast.Cost{Requests: calls}}
}

func members(raw json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if isNull(raw) || json.Unmarshal(raw, &m) != nil {
		return map[string]json.RawMessage{}
	}
	return m
}

func (r *restore) putSettings(ctx context.Context, st *kept) (engine.Restored, error) {
	path := graph.SettingsPath(r.mailbox)
	row, err := r.g.Setting(ctx, path)
	if err != nil {
		return engine.Restored{}, err
	}
	now := members(row.Raw)
	body := object{}
	var lost []string
	for _, name := range settableSettings {
		v := st.json[name]
		if isNull(v) {
			continue
		}
		switch name {
		case repliesSetting: // whether they are on is never restored: they would answer mail
			replies, there := members(v), members(now[name])
			if !sameJSON(replies["status"], there["status"]) {
				lost = append(lost, repliesSetting+": status")
			}
			replies["status"] = there["status"]
			if v, err = json.Marshal(replies); err != nil {
				return engine.Restored{}, err
			}
		case "language": // its name is the service's
			if v, err = json.Marshal(object{"locale": members(v)["locale"]}); err != nil {
				return engine.Restored{}, err
			}
		}
		if !within(members(v), members(now[name])) || len(members(v)) == 0 && !sameJSON(v, now[name]) {
			body[name] = v
		}
	}
	if len(body) == 0 {
		return engine.Restored{Outcome: engine.Existing, NewID: settingMailbox, Lost: lost}, nil
	}
	if out, err := r.replaces(settingMailbox); out != nil {
		return *out, err
	}
	if r.plan.DryRun {
		return dry(engine.Overwritten, 3), nil
	}
	if _, err := r.g.ChangeSetting(ctx, path, body); err != nil {
		return engine.Restored{}, err
	}
	back, err := r.g.Setting(ctx, path)
	if err != nil {
		return engine.Restored{NewID: settingMailbox}, fmt.Errorf("read back: %w", err)
	}
	have := members(back.Raw)
	for name, v := range body {
		v := v.(json.RawMessage)
		if !within(members(v), members(have[name])) || len(members(v)) == 0 && !sameJSON(v, have[name]) {
			lost = union(lost, []string{name})
		}
	}
	slices.Sort(lost)
	return engine.Restored{Outcome: engine.Overwritten, NewID: settingMailbox, Lost: lost}, nil
}

// settingsThere lists what the target has.
func (r *restore) settingsThere(ctx context.Context, path []string) ([]*graph.Setting, error) {
	l := graph.List{Top: shelfPage}
	page, err := r.g.Settings(ctx, path, l)
	var out []*graph.Setting
	for row, err := range graph.All(ctx, r.g, page, err, l) {
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// putRule restores a rule of the inbox. Another try finds by its content what an earlier one left.
func (r *restore) putRule(ctx context.Context, st *kept) (engine.Restored, error) {
	if cloud := r.g.M365().Cloud(); !cloud.Has(m365.InboxRules) {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the cloud %s has no rules in Microsoft Graph", cloud.Name)}
	}
	body := object{}
	for _, name := range settableRule {
		if v := st.json[name]; !isNull(v) {
			body[name] = v
		}
	}
	actions := members(st.json["actions"])
	var lost []string
	for _, name := range forwarding {
		if !isNull(actions[name]) && string(actions[name]) != "[]" && string(body["isEnabled"].(json.RawMessage)) == "true" {
			body["isEnabled"] = json.RawMessage("false")
			lost = []string{"isEnabled"}
		}
	}
	if err := r.remap(ctx, st, actions); err != nil {
		return engine.Restored{}, err
	}
	raw, err := json.Marshal(actions)
	if err != nil {
		return engine.Restored{}, err
	}
	body["actions"] = json.RawMessage(raw)
	id := strings.TrimPrefix(st.put.Item.ID, settingRule)
	there, err := r.settingsThere(ctx, graph.RulesPath(r.mailbox))
	if err != nil {
		return engine.Restored{}, err
	}
	var old *graph.Setting
	broken := false // what is there puts mail into a folder that is gone
	for _, row := range there {
		now := members(row.Raw)
		if sameRule(body, now, len(lost) > 0) {
			return engine.Restored{Outcome: engine.Existing, NewID: row.ID}, nil
		}
		if r.same && row.ID == id {
			old = row
			for _, name := range folderActions {
				now := members(now["actions"])[name]
				if isNull(now) || sameJSON(now, actions[name]) {
					continue
				}
				there, err := r.folderThere(ctx, now)
				if err != nil {
					return engine.Restored{}, err
				}
				broken = broken || !there
			}
		}
	}
	if old == nil || r.plan.Mode == engine.KeepBoth {
		if old == nil && r.plan.ChangedItems && !r.plan.MissingItems {
			return engine.Restored{Outcome: engine.Skipped}, nil
		}
		if r.plan.DryRun {
			return dry(engine.Created, 3), nil
		}
		made, err := r.g.AddSetting(ctx, graph.RulesPath(r.mailbox), body)
		if err != nil {
			return engine.Restored{}, err
		}
		return r.ruleBack(ctx, engine.Restored{Outcome: engine.Created, NewID: made.ID, Lost: lost}, body)
	}
	if out, err := r.replaces(id); out != nil && !(broken && r.plan.Mode == engine.Overwrite) {
		return *out, err
	}
	if r.plan.DryRun {
		return dry(engine.Overwritten, 3), nil
	}
	if len(lost) > 0 && string(members(old.Raw)["isEnabled"]) == "true" {
		body["isEnabled"], lost = json.RawMessage("true"), nil // it is on: it stays so
	}
	if _, err := r.g.ChangeSetting(ctx, graph.RulesPath(r.mailbox, id), body); err != nil {
		return engine.Restored{}, err
	}
	return r.ruleBack(ctx, engine.Restored{Outcome: engine.Overwritten, NewID: id, Lost: lost}, body)
}

// sameRule compares a rule with what would be made of it, but for its place in the order, which the service may change. Of one that sends mail on it does not
// count whether it is on: nothing switches it on.
func sameRule(want object, now map[string]json.RawMessage, sends bool) bool {
	for _, name := range []string{"displayName", "isEnabled", "conditions", "exceptions", "actions"} {
		if name == "isEnabled" && sends {
			continue
		}
		v, _ := want[name].(json.RawMessage)
		if !sameJSON(v, now[name]) {
			return false
		}
	}
	return true
}

func (r *restore) ruleBack(ctx context.Context, out engine.Restored, body object) (engine.Restored, error) {
	row, err := r.g.Setting(ctx, graph.RulesPath(r.mailbox, out.NewID))
	if err != nil {
		return out, fmt.Errorf("read back: %w", err)
	}
	now := members(row.Raw)
	for _, name := range settableRule {
		if v, ok := body[name].(json.RawMessage); ok && !sameJSON(v, now[name]) {
			out.Lost = union(out.Lost, []string{name})
		}
	}
	return out, nil
}

// remap has a rule's actions name folders of the target: those of their ids where it is the same mailbox and has them, else those at their ways, which are made.
func (r *restore) remap(ctx context.Context, st *kept, actions map[string]json.RawMessage) error {
	ways := map[string]way{}
	if text := st.put.Item.Fields[holdfast.FieldFolders]; text != "" {
		if err := json.Unmarshal([]byte(text), &ways); err != nil {
			return fmt.Errorf("stored rule: %w", err)
		}
	}
	for _, name := range folderActions {
		var id string
		if isNull(actions[name]) || json.Unmarshal(actions[name], &id) != nil || id == "" {
			continue
		}
		if r.same {
			if there, err := r.folderThere(ctx, actions[name]); err != nil {
				return err
			} else if there {
				continue
			}
		}
		w, ok := ways[id]
		if !ok {
			return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("the rule puts mail into a folder that was not there when it was backed up")}
		}
		at := r.special[rootName]
		if special := r.special[w.From]; w.From != "" && special != "" {
			at = special
		}
		for _, part := range w.Names {
			var err error
			if at, err = r.child(ctx, at, part, false); err != nil {
				return fmt.Errorf("the folder %q of the rule: %w", strings.Join(w.Names, "/"), err)
			}
		}
		raw, err := json.Marshal(at)
		if err != nil {
			return err
		}
		actions[name] = raw
	}
	return nil
}

// folderThere tells whether the mailbox has the folder that an action of a rule names.
func (r *restore) folderThere(ctx context.Context, action json.RawMessage) (bool, error) {
	var id string
	if err := json.Unmarshal(action, &id); err != nil {
		return false, fmt.Errorf("the folder of a rule: %w", err)
	}
	_, err := r.g.MailFolder(ctx, r.mailbox, id, graph.List{Select: []string{"id"}})
	if kind := m365.KindOf(err); kind == m365.NotFound || kind == m365.Invalid {
		return false, nil
	}
	return err == nil, err
}

// listed gives the rows of a stored list.
func (k *kept) listed() ([]graph.Setting, error) {
	var rows []graph.Setting
	if err := json.Unmarshal(k.json["value"], &rows); err != nil {
		return nil, fmt.Errorf("stored settings: %w", err)
	}
	return rows, nil
}

// putCategories adds the categories that are missing. What others are there stays; a category of another colour is changed when that is asked for.
func (r *restore) putCategories(ctx context.Context, st *kept) (engine.Restored, error) {
	if cloud := r.g.M365().Cloud(); !cloud.Has(m365.InboxRules) {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the cloud %s has no list of categories in Microsoft Graph", cloud.Name)}
	}
	want, err := st.listed()
	if err != nil {
		return engine.Restored{}, err
	}
	there, err := r.settingsThere(ctx, graph.CategoriesPath(r.mailbox))
	if err != nil {
		return engine.Restored{}, err
	}
	named := map[string]*graph.Setting{}
	for _, row := range there {
		named[strings.ToLower(row.DisplayName)] = row
	}
	out := engine.Restored{Outcome: engine.Existing, NewID: settingCategory}
	for _, w := range want {
		had := named[strings.ToLower(w.DisplayName)]
		switch {
		case had == nil && r.plan.ChangedItems && !r.plan.MissingItems, had != nil && had.Color == w.Color:
			continue
		case had == nil:
			out.Outcome = engine.Created
		default:
			if no, err := r.replaces(settingCategory); no != nil {
				if err != nil {
					out.Lost = union(out.Lost, []string{"colour of " + w.DisplayName})
				}
				continue
			}
			if out.Outcome == engine.Existing {
				out.Outcome = engine.Overwritten
			}
		}
		out.Cost.Requests++
		if r.plan.DryRun {
			continue
		}
		if had == nil {
			_, err = r.g.AddSetting(ctx, graph.CategoriesPath(r.mailbox), object{"displayName": w.DisplayName, "color": w.Color})
			if m365.KindOf(err) == m365.Conflict { // an earlier try made it
				err = nil
			}
		} else {
			_, err = r.g.ChangeSetting(ctx, graph.CategoriesPath(r.mailbox, had.ID), object{"color": w.Color})
		}
		if err != nil {
			return engine.Restored{}, fmt.Errorf("category %q: %w", w.DisplayName, err)
		}
	}
	if r.plan.DryRun {
		return out, nil
	}
	out.Cost = holdfast.Cost{}
	if out.Outcome == engine.Existing {
		return out, nil
	}
	if there, err = r.settingsThere(ctx, graph.CategoriesPath(r.mailbox)); err != nil {
		return out, fmt.Errorf("read back: %w", err)
	}
	clear(named)
	for _, row := range there {
		named[strings.ToLower(row.DisplayName)] = row
	}
	for _, w := range want {
		if have := named[strings.ToLower(w.DisplayName)]; have == nil {
			out.Lost = union(out.Lost, []string{w.DisplayName})
		} else if have.Color != w.Color {
			out.Lost = union(out.Lost, []string{"colour of " + w.DisplayName})
		}
	}
	return out, nil
}

// sharedWith names those who had more of a calendar than every colleague has of every calendar.
func sharedWith(want []graph.Setting) (with []string) {
	for _, w := range want {
		switch {
		case w.Email.Address != "":
			with = append(with, fmt.Sprintf("%s (%s)", w.Email.Address, w.Role))
		case w.Role != "freeBusyRead":
			with = append(with, fmt.Sprintf("%s (%s)", w.Email.Name, w.Role))
		}
	}
	return with
}

// putShares gives those whom a calendar is shared with the role that they had. Who has none any more gets none: no document says that Graph
// gives a calendar to somebody without mailing him, and Microsoft has that done in Outlook.
// https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar
func (r *restore) putShares(ctx context.Context, st *kept) (engine.Restored, error) {
	if !r.same {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("permissions of a calendar go back only to the calendar that had them")}
	}
	calendar := strings.TrimPrefix(st.put.Item.ID, settingShares)
	want, err := st.listed()
	if err != nil {
		return engine.Restored{}, err
	}
	path := graph.SharesPath(r.mailbox, calendar)
	there, err := r.settingsThere(ctx, path)
	if m365.KindOf(err) == m365.NotFound {
		with := sharedWith(want)
		if len(with) == 0 {
			return engine.Restored{Outcome: engine.Existing}, nil // the calendar that was made anew has what every calendar has
		}
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the calendar is not there any more: share the restored one in Outlook with %s", strings.Join(with, ", "))}
	} else if err != nil {
		return engine.Restored{}, err
	}
	by := map[string]*graph.Setting{}
	for _, row := range there {
		by[strings.ToLower(row.Email.Address)] = row
	}
	out := engine.Restored{Outcome: engine.Existing, NewID: st.put.Item.ID}
	change := map[string]string{}
	for _, w := range want {
		had := by[strings.ToLower(w.Email.Address)]
		switch {
		case had == nil:
			out.Lost = append(out.Lost, "permission of "+w.Email.Address)
		case had.Role != w.Role:
			change[had.ID] = w.Role
		}
	}
	if len(change) == 0 {
		return out, nil
	}
	if no, err := r.replaces(st.put.Item.ID); no != nil {
		return *no, err
	}
	out.Outcome = engine.Overwritten
	if r.plan.DryRun {
		out.Cost.Requests = int64(len(change))
		return out, nil
	}
	for _, id := range slices.Sorted(maps.Keys(change)) {
		if _, err := r.g.ChangeSetting(ctx, append(slices.Clone(path), id), object{"role": change[id]}); err != nil {
			return engine.Restored{}, err
		}
	}
	if there, err = r.settingsThere(ctx, path); err != nil {
		return out, fmt.Errorf("read back: %w", err)
	}
	for _, row := range there {
		if role, asked := change[row.ID]; asked && role != row.Role {
			out.Lost = append(out.Lost, "permission of "+row.Email.Address)
		}
	}
	return out, nil
}
