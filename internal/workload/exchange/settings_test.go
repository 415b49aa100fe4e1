package exchange_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// settingsOf gives the stored settings by id.
func settingsOf(c *workloadtest.Container) map[string]workloadtest.Stored {
	out := map[string]workloadtest.Stored{}
	for id, item := range c.Items() {
		if item.Kind == holdfast.KindSetting {
			out[id] = item
		}
	}
	return out
}

// putSettings restores all stored settings.
func (f fixture) putSettings(t *testing.T, c *workloadtest.Container, to holdfast.Container, plan engine.RestorePlan, unselected bool) (map[string]engine.Restored, map[string]error) {
	t.Helper()
	plan.From, plan.To = f.box, to
	r, err := f.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	folder, err := r.Folder(t.Context(), c.Items()["settings/"].Item, "")
	if err != nil {
		t.Fatal(err)
	}
	out, errs := map[string]engine.Restored{}, map[string]error{}
	all := settingsOf(c)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out[id], errs[id] = r.Put(t.Context(), engine.Put{Item: all[id].Item, Parent: folder, Marker: id, Open: all[id].Open, Selected: !unselected})
	}
	return out, errs
}

func (f fixture) other(t *testing.T) holdfast.Container {
	t.Helper()
	u := f.sim.Tenant().Users[1]
	return holdfast.Container{Organization: f.box.Organization, Kind: holdfast.Mailbox, Source: u.ID, Owner: u.ID, Name: u.UPN, Address: u.UPN}
}

func TestSettingsAreReadFollowedAndCheapWhenIdle(t *testing.T) {
	f := personalSetup(t, 71)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	classes := map[string]int{}
	for _, item := range settingsOf(c) {
		classes[item.Fields[holdfast.FieldClass]]++
	}
	calendars := 0
	for _, item := range c.Items() {
		if item.Fields[holdfast.FieldClass] == "IPF.Appointment" {
			calendars++
		}
	}
	want := map[string]int{"IPM.Configuration.MailboxSettings": 1, "IPM.Configuration.CategoryList": 1, "IPM.Rule.Version2.Message": 3, "IPM.Configuration.CalendarPermissions": calendars}
	if !maps.Equal(classes, want) || calendars < 2 {
		t.Errorf("stored are %v, want %v", classes, want)
	}
	row, err := f.g.Setting(t.Context(), graph.SettingsPath(f.box.Source))
	if err != nil {
		t.Fatal(err)
	}
	var served, stored map[string]any
	if err := json.Unmarshal(row.Raw, &served); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(c.Items()["settings/mailbox"].Forms[holdfast.FormJSON], &stored); err != nil {
		t.Fatal(err)
	}
	delete(served, "@odata.context")
	if fmt.Sprint(served) != fmt.Sprint(stored) {
		t.Errorf("stored settings are %v, served %v", stored, served)
	}
	if c.Items()["settings/mailbox"].Fields[holdfast.FieldPurpose] != "user" {
		t.Error("what the mailbox is for is not stored")
	}
	// An idle read asks for one of them only, and writes nothing.
	idle := func() int64 {
		return f.requests(func() {
			if err := f.source.Read(t.Context(), f.box, c, quietSink{c.Sink(), t}); err != nil {
				t.Fatal(err)
			}
		})
	}
	with := idle()
	without := f.requests(func() {
		if err := f.all.Read(engine.LeaveOut(t.Context(), []engine.MailboxPart{engine.PartSettings, engine.PartExport}), f.box, c, quietSink{c.Sink(), t}); err != nil {
			t.Fatal(err)
		}
	})
	if with != without+1 {
		t.Errorf("an idle read takes %d requests with settings and %d without, want one more", with, without)
	}
	// By turn it comes to each.
	if err := f.sim.SetAutomaticReplies(f.box.Source, "alwaysEnabled", "gone fishing"); err != nil {
		t.Fatal(err)
	}
	rules, err := f.g.Settings(t.Context(), graph.RulesPath(f.box.Source), graph.List{})
	if err != nil {
		t.Fatal(err)
	}
	gone := "settings/rule/" + rules.Value[0].ID
	if err := f.sim.RemoveRule(f.box.Source, rules.Value[0].ID); err != nil {
		t.Fatal(err)
	}
	for range 3 + calendars {
		f.sim.Clock().Move(time.Hour)
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(string(c.Items()["settings/mailbox"].Forms[holdfast.FormJSON]), "gone fishing") {
		t.Error("after as many idle reads as there are settings the automatic reply is not stored")
	}
	if _, there := c.Items()[gone]; there {
		t.Error("a deleted rule is still stored")
	}
	// Where mail came all are asked at once.
	if err := f.sim.SetAutomaticReplies(f.box.Source, "disabled", "back again"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Churn(sim.Churn{Users: []string{f.box.Source}, New: 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(c.Items()["settings/mailbox"].Forms[holdfast.FormJSON]), "back again") {
		t.Error("a mailbox with new mail was not asked for its settings")
	}
}

func TestSettingsComeBackAndSwitchNothingOn(t *testing.T) {
	f := personalSetup(t, 72)
	if err := f.sim.SetAutomaticReplies(f.box.Source, "alwaysEnabled", "gone fishing"); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	to := f.other(t)
	if err := f.sim.SetAutomaticReplies(to.Source, "disabled", ""); err != nil {
		t.Fatal(err)
	}
	// They do not come along into another mailbox or into a folder, and nobody is troubled with that.
	for _, plan := range []engine.RestorePlan{{Mode: engine.Overwrite, Newer: true}, {Folder: "Restored"}} {
		out, errs := f.putSettings(t, c, to, plan, true)
		for id, err := range errs {
			if err != nil || out[id].Outcome != engine.Skipped {
				t.Errorf("%s with plan %+v: %v, %v", id, plan, out[id].Outcome, err)
			}
		}
	}
	if _, errs := f.putSettings(t, c, to, engine.RestorePlan{Folder: "Restored"}, false); errs["settings/mailbox"] == nil {
		t.Error("chosen settings that go into a folder are not refused")
	}
	// Another mailbox has settings of its own: they are left alone unless replacing is asked for.
	out, errs := f.putSettings(t, c, to, engine.RestorePlan{Mode: engine.Overwrite}, false)
	if out["settings/mailbox"].Outcome != engine.Skipped || errs["settings/mailbox"] == nil {
		t.Errorf("the settings were replaced unasked: %v", out["settings/mailbox"])
	}
	out, errs = f.putSettings(t, c, to, engine.RestorePlan{Mode: engine.Overwrite, Newer: true}, false)
	for id, err := range errs {
		if (err != nil) != strings.HasPrefix(id, "settings/sharing/") {
			t.Errorf("%s: %v", id, err)
		}
	}
	if got := out["settings/mailbox"]; got.Outcome != engine.Overwritten || fmt.Sprint(got.Lost) != "[automaticRepliesSetting: status]" {
		t.Errorf("settings: %+v", got)
	}
	rows, err := f.sim.DumpSettings(to.Source)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := f.sim.DumpSettings(f.box.Source)
	if err != nil {
		t.Fatal(err)
	}
	replies := rows[0].Props["automaticRepliesSetting"].(map[string]any)
	if replies["status"] != "disabled" || replies["internalReplyMessage"] != "gone fishing" {
		t.Errorf("automatic replies: %v", replies)
	}
	if fmt.Sprint(rows[0].Props["workingHours"]) != fmt.Sprint(mine[0].Props["workingHours"]) {
		t.Errorf("working hours: %v", rows[0].Props)
	}
	rules := map[string][]sim.SettingRow{}
	for _, r := range rows {
		if r.Kind == "messageRule" {
			rules[fmt.Sprint(r.Props["displayName"])] = append(rules[fmt.Sprint(r.Props["displayName"])], r)
		}
	}
	// Its folder has another id there, and the same name.
	moved := ""
	for _, r := range mine {
		if r.Props["displayName"] == "From a colleague" {
			moved = fmt.Sprint(r.Props["actions"].(map[string]any)["moveToFolder"])
		}
	}
	found := false
	for _, r := range rules["From a colleague"] {
		id := fmt.Sprint(r.Props["actions"].(map[string]any)["moveToFolder"])
		if id == moved {
			t.Error("a rule names a folder of another mailbox")
		}
		at, err := f.g.MailFolder(t.Context(), to.Source, id, graph.List{})
		if err != nil {
			t.Fatal(err)
		}
		found = found || at.DisplayName == c.Items()[moved].Name
	}
	if !found {
		t.Errorf("no rule moves to %q: %v", c.Items()[moved].Name, rules["From a colleague"])
	}
	// The one that forwards to this mailbox is the restored one.
	forwards := 0
	for _, r := range rules["To my deputy"] {
		if strings.Contains(fmt.Sprint(r.Props["actions"]), to.Address) {
			forwards++
			if r.Props["isEnabled"] != false {
				t.Error("a rule that forwards came back switched on")
			}
		}
	}
	if forwards != 1 {
		t.Errorf("%d rules forward as the stored one does: %v", forwards, rules["To my deputy"])
	}
	if n := len(f.sim.Stats().MailsSent); n > 0 {
		t.Errorf("a restore of settings mailed: %v", f.sim.Stats().MailsSent)
	}
	// A second time everything is there.
	out, _ = f.putSettings(t, c, to, engine.RestorePlan{Mode: engine.Overwrite, Newer: true}, false)
	for id, got := range out {
		if !strings.HasPrefix(id, "settings/sharing/") && got.Outcome != engine.Existing {
			t.Errorf("restored again %s is %s, want existing", id, got.Outcome)
		}
	}
}

// A rule whose folder went is mended by a restore that overwrites, and roles of a calendar come back to those who have one.
func TestRulesAreMendedAndRolesComeBack(t *testing.T) {
	f := personalSetup(t, 73)
	c := workloadtest.New()
	if err := c.Read(t.Context(), f.source, f.box); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.WipeMailbox(f.box.Source); err != nil {
		t.Fatal(err)
	}
	out, errs := f.putSettings(t, c, f.box, engine.RestorePlan{Mode: engine.Overwrite}, true)
	mended := 0
	for id, item := range settingsOf(c) {
		want := engine.Existing
		switch {
		case item.Name == "From a colleague":
			want = engine.Overwritten
			mended++
		case strings.HasPrefix(id, "settings/sharing/") && errs[id] != nil: // its calendar went
			if shared := strings.Contains(string(item.Forms[holdfast.FormJSON]), `"address":"`); !shared || !strings.Contains(errs[id].Error(), "@") {
				t.Errorf("%s: shared %t: %v", id, shared, errs[id])
			}
			continue
		}
		if errs[id] != nil || out[id].Outcome != want || len(out[id].Lost) > 0 {
			t.Errorf("%s %q: %+v, %v", id, item.Name, out[id], errs[id])
		}
	}
	if mended != 1 {
		t.Fatalf("%d rules move mail: this test shows nothing", mended)
	}
	var calendar string
	for id, item := range c.Items() {
		if item.Fields[holdfast.FieldSpecial] == "calendar" {
			calendar = id
		}
	}
	path := graph.SharesPath(f.box.Source, calendar)
	shares, err := f.g.Settings(t.Context(), path, graph.List{})
	if err != nil {
		t.Fatal(err)
	}
	was := shares.Value[1]
	if _, err := f.g.ChangeSetting(t.Context(), append(path, was.ID), map[string]any{"role": "read"}); err != nil {
		t.Fatal(err)
	}
	out, errs = f.putSettings(t, c, f.box, engine.RestorePlan{Mode: engine.Overwrite, Newer: true}, false)
	if id := "settings/sharing/" + calendar; errs[id] != nil || out[id].Outcome != engine.Overwritten {
		t.Errorf("permissions: %+v, %v", out[id], errs[id])
	}
	now, err := f.g.Settings(t.Context(), graph.SharesPath(f.box.Source, calendar), graph.List{})
	if err != nil {
		t.Fatal(err)
	}
	if now.Value[1].Role != was.Role || was.Role == "read" {
		t.Errorf("the role is %s, was %s", now.Value[1].Role, was.Role)
	}
	if n := len(f.sim.Stats().MailsSent); n > 0 {
		t.Errorf("a restore of permissions mailed: %v", f.sim.Stats().MailsSent)
	}
}

// Mailboxes that are no person's belong to disabled accounts without a licence; they are found and read as others, and what they are for is stored.
func TestMailboxesOfEveryKindAreFoundAndRead(t *testing.T) {
	f := setup(t, sim.Options{Seed: 74, Users: 6, Mail: sim.MailShape{Messages: 2, Folders: 1, WithAttachments: -1}, PIM: sim.PIMShape{Contacts: 1, Events: 1, Tasks: 1}})
	want := map[string]string{}
	for i, purpose := range []string{"", "shared", "room", "equipment", "others"} {
		id := f.sim.Tenant().Users[i].ID
		want[id] = "user"
		if purpose != "" {
			want[id] = purpose
			if err := f.sim.SetMailboxPurpose(id, purpose); err != nil {
				t.Fatal(err)
			}
		}
	}
	unlicensed := f.sim.Tenant().Users[5].ID
	if err := f.sim.SetMailbox(unlicensed, sim.MailboxUnlicensed); err != nil {
		t.Fatal(err)
	}
	found := map[string]holdfast.Container{}
	for box, err := range f.all.Discover(t.Context(), nil) {
		if err != nil || box.Err != nil {
			t.Fatal(err, box.Err)
		}
		found[box.Container.Source] = box.Container
	}
	for id, purpose := range want {
		c := workloadtest.New()
		told := ""
		ctx := engine.LearnPurpose(t.Context(), func(purpose string) { told = purpose })
		if err := c.Read(ctx, f.all, found[id]); err != nil {
			t.Errorf("%s: %v", purpose, err)
			continue
		}
		if told != purpose {
			t.Errorf("of a mailbox that is for %q it is told that it is for %q", purpose, told)
		}
		if got := c.Items()["settings/mailbox"].Fields[holdfast.FieldPurpose]; got != purpose {
			t.Errorf("a mailbox that is for %q is stored as one for %q", purpose, got)
		}
	}
	err := workloadtest.New().Read(t.Context(), f.all, found[unlicensed])
	if skip, ok := err.(*holdfast.Skip); !ok || skip.Reason != holdfast.SkipUnlicensed {
		t.Errorf("without a licence: %v", err)
	}
}
