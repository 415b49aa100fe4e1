package team_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"regexp"
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

// restore puts what want lets through back as the engine does: folders when they are needed, replies after all else. died says which items had their
// intent recorded by an earlier attempt.
func (r *rig) restore(c *workloadtest.Container, plan engine.RestorePlan, want func(workloadtest.Stored) bool, died bool) map[string]result {
	r.t.Helper()
	return restored(r.t, r.target, c, plan, want, died)
}

// restored is restore by any target.
func restored(t *testing.T, target engine.Target, c *workloadtest.Container, plan engine.RestorePlan, want func(workloadtest.Stored) bool, died bool) map[string]result {
	t.Helper()
	ctx := t.Context()
	out := map[string]result{}
	var to engine.Restore
	again(t, func() (err error) { to, err = target.Open(ctx, plan); return err })
	places := map[string]string{}
	var place func(id string) (string, error)
	place = func(id string) (string, error) {
		s, ok := c.Items()[id]
		switch {
		case !ok:
			return "", nil
		case s.Kind == holdfast.KindPost:
			return place(s.Parent)
		}
		if at, ok := places[id]; ok {
			return at, nil
		}
		parent, err := place(s.Parent)
		if err != nil {
			return "", err
		}
		var at string
		if err := try(func() (err error) { at, err = to.Folder(ctx, s.Item, parent); return err }); err != nil {
			return "", err
		}
		places[id] = at
		if plan.DryRun {
			return at, nil
		}
		p := engine.Put{Item: s.Item, NewID: at, Open: s.Open}
		if err := try(func() error { return to.(engine.FolderSettler).SettleFolder(ctx, p) }); err != nil {
			out[id] = result{err: err}
		}
		return at, nil
	}
	items := c.Items()
	var ids []string
	for id, s := range items {
		if s.Kind != holdfast.KindVersion && (want == nil || want(s)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, replies := range []bool{false, true} {
		for _, id := range ids {
			s := items[id]
			if (s.Fields["replyTo"] != "") != replies {
				continue
			}
			if s.Kind == holdfast.KindFolder {
				if _, err := place(id); err != nil {
					out[id] = result{err: err}
				}
				continue
			}
			parent, err := place(s.Parent)
			if err != nil {
				out[id] = result{err: err}
				continue
			}
			p := engine.Put{Item: s.Item, Parent: parent, Marker: engine.Marker(holdfast.RestoreRequest{ID: "r", Session: plan.Session}, s.Item), Open: s.Open, Again: died}
			var res engine.Restored
			err = try(func() (err error) {
				res, err = to.Put(ctx, p)
				p.Again = true
				return err
			})
			out[id] = result{res, err}
		}
	}
	again(t, func() error { return to.Close(ctx) })
	return out
}

type result struct {
	engine.Restored
	err error
}

// try repeats what may be repeated, as the engine does.
func try(fn func() error) (err error) {
	for range 8 {
		err = fn()
		var skip *holdfast.Skip
		if err == nil || errors.As(err, &skip) || holdfast.KindOf(err) == holdfast.KindInvalid || holdfast.KindOf(err) == holdfast.KindDenied {
			return err
		}
	}
	return err
}

func again(t *testing.T, fn func() error) {
	t.Helper()
	if err := try(fn); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) plan(session string) engine.RestorePlan {
	return engine.RestorePlan{Session: holdfast.RestoreSessionID(session), From: r.box, To: r.box, Mode: engine.SkipExisting, ChangedItems: true, MissingItems: true}
}

var (
	hostedLink = regexp.MustCompile(`https://[^"]*/hostedContents/`)
	siteAgain  = regexp.MustCompile(`sites/apollo[23]`) // of a team that was made again
	atElement  = regexp.MustCompile(`<at id="0">(.*?)</at>`)
)

// comparable are the rows of a dump as a restore can give them back: docs/fidelity.md says what is left out.
func comparable(rows []sim.TeamRow) []string {
	var out []string
	for _, row := range rows {
		if row.Kind == "post" && (row.Event || row.Deleted || row.Author == "application" || strings.Contains(row.Body, "is not in the restore")) {
			continue
		}
		row.Reacted, row.Edited = nil, false
		row.Body = atElement.ReplaceAllString(hostedLink.ReplaceAllString(row.Body, "HOSTED/"), "<b>$1</b>")
		out = append(out, siteAgain.ReplaceAllString(fmt.Sprintf("%+v", row), "sites/apollo"))
	}
	slices.Sort(out)
	return out
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	shown := 0
	for _, row := range want {
		if !slices.Contains(got, row) && shown < 5 {
			shown++
			t.Errorf("missing: %s", row)
		}
	}
	for _, row := range got {
		if !slices.Contains(want, row) && shown < 10 {
			shown++
			t.Errorf("too much: %s", row)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
}

// noErrors demands that all came back but what can't be posted.
func noErrors(t *testing.T, c *workloadtest.Container, results map[string]result) {
	t.Helper()
	for id, res := range results {
		s := c.Items()[id]
		var skip *holdfast.Skip
		if errors.As(res.err, &skip) && skip.Reason == holdfast.SkipNothing && s.Kind == holdfast.KindPost && (s.Fields["deleted"] != "" || s.Fields["class"] == "event") {
			continue
		}
		if res.err != nil {
			t.Errorf("%s %q: %v", s.Kind, s.Name, res.err)
		}
	}
}

func TestAPurgedTeamIsMadeAgainWithAllThatWasInIt(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	want := comparable(r.dump("Apollo"))
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	noErrors(t, c, r.restore(c, r.plan("s"), nil, false))
	same(t, comparable(r.dump("Apollo")), want)
	for _, row := range r.dump("Apollo") {
		if row.Open {
			t.Errorf("%s %s is still in migration mode", row.Kind, row.Name)
		}
	}
	files := 0
	for _, x := range r.sim.Teams() {
		if x.Name == "Apollo" {
			for _, s := range r.sim.Sites() {
				if s.Path == x.Site {
					rows, err := r.sim.DumpLibrary(s.ID, "Documents", true)
					if err != nil {
						t.Fatal(err)
					}
					files = len(rows)
				}
			}
		}
	}
	if files < 12 {
		t.Errorf("%d files came back", files)
	}
	// A second restore finds all there.
	for id, res := range r.restore(c, r.plan("t"), nil, false) {
		if s := c.Items()[id]; s.Kind == holdfast.KindPost && res.err == nil && res.Outcome != engine.Existing {
			t.Errorf("%q is %s the second time", s.Name, res.Outcome)
		}
	}
	same(t, comparable(r.dump("Apollo")), want)
}

// A team that was made again is backed up and made again: its channels are new, the posts in them are older than those.
func TestATeamThatWasMadeAgainCanBeMadeAgain(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	want := comparable(r.dump("Apollo"))
	for range 2 {
		if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
			t.Fatal(err)
		}
		posts := func(s workloadtest.Stored) bool { return s.Kind != holdfast.KindFile }
		noErrors(t, c, r.restore(c, r.plan("s"), posts, false))
		for _, x := range r.sim.Teams() {
			if x.Name == "Apollo" {
				r.box.Source, r.box.Owner = x.ID, x.ID
			}
		}
		same(t, comparable(r.dump("Apollo")), want)
		c = workloadtest.New()
		r.backup(c)
	}
}

func TestADeletedTeamComesBackFromTheDeletedGroups(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	want := r.dump("Apollo")
	if err := r.sim.DeleteTeam(r.box.Source, "", false); err != nil {
		t.Fatal(err)
	}
	noErrors(t, c, r.restore(c, r.plan("s"), func(s workloadtest.Stored) bool { return s.Kind != holdfast.KindFile }, false))
	if fmt.Sprint(r.dump("Apollo")) != fmt.Sprint(want) {
		t.Error("the team is not what it was")
	}
}

func TestChannelsAndPostsComeBackIntoATeamThatIsThere(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.DeleteTeam(r.box.Source, "Planning", false); err != nil {
		t.Fatal(err)
	}
	if err := r.sim.EmptyTeam(r.box.Source, "General"); err != nil {
		t.Fatal(err)
	}
	results := r.restore(c, r.plan("s"), func(s workloadtest.Stored) bool { return s.Kind != holdfast.KindFile }, false)
	noErrors(t, c, results)
	counts := map[string]int{}
	for _, row := range r.dump("Apollo") {
		if row.Kind == "post" && !row.Event {
			counts[row.Channel]++
		}
	}
	wantGeneral, wantPlanning := 0, 0
	for _, s := range c.Items() {
		if s.Kind != holdfast.KindPost || s.Fields["class"] == "event" || s.Fields["deleted"] != "" || s.Fields["author"] == "" {
			continue
		}
		switch c.Items()["channel."+s.Fields["channel"]].Name {
		case "General":
			wantGeneral++
		case "Planning":
			wantPlanning++
		}
	}
	// The name of the deleted channel is taken for 30 days. A message that replies to one that can't be posted has one that stands in for it.
	if counts["General"] < wantGeneral || counts["Planning (restored)"] < wantPlanning || wantGeneral == 0 || wantPlanning == 0 {
		t.Errorf("%v, want %d in General and %d in Planning", counts, wantGeneral, wantPlanning)
	}
}

func TestAPostOfAnothersMillisecondComesBehindIt(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	r.churn(60, 1) // edits some posts, deletes others
	plan := r.plan("s")
	plan.Mode = engine.KeepBoth
	results := r.restore(c, plan, func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindPost }, false)
	noErrors(t, c, results)
	moved := 0
	for _, res := range results {
		for _, l := range res.Lost {
			if strings.HasSuffix(l, "ms of its time") {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("no post came behind another one")
	}
	before := len(r.dump("Apollo"))
	r.restore(c, plan, func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindPost }, true)
	if after := len(r.dump("Apollo")); after != before {
		t.Errorf("%d rows after the second attempt, were %d", after, before)
	}
}

func TestRestoreWithFaultsMakesNoDuplicates(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 60, Files: 4}})
	c := workloadtest.New()
	r.backup(c)
	want := comparable(r.dump("Apollo"))
	for _, f := range []sim.Fault{{Name: sim.FaultAckLost, Every: 9}, {Name: sim.FaultDropped, Every: 8}, {Name: sim.FaultUnavailableBare, Every: 7}, {Name: sim.FaultServerError, Every: 7}, {Name: sim.FaultThrottled, Every: 10}, {Name: sim.FaultNotClosed, Times: 2}} {
		t.Run(f.Name, func(t *testing.T) {
			for _, x := range r.sim.Teams() {
				if x.Name == "Apollo" {
					if err := r.sim.DeleteTeam(x.ID, "", true); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := r.sim.SetFaults(f); err != nil {
				t.Fatal(err)
			}
			results := r.restore(c, r.plan(f.Name), nil, false)
			if err := r.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			noErrors(t, c, results)
			teams := 0
			for _, x := range r.sim.Teams() {
				if x.Name == "Apollo" {
					teams++
				}
			}
			if teams != 1 {
				t.Fatalf("%d teams of that name", teams)
			}
			for _, row := range r.dump("Apollo") {
				if row.Open {
					t.Errorf("%s %q is still open for posts of the past", row.Kind, row.Name)
				}
			}
			got := comparable(r.dump("Apollo"))
			for i := range got { // each team that was made has a site of its own name
				got[i] = regexp.MustCompile(`sites/apollo\d+`).ReplaceAllString(got[i], "sites/apollo")
			}
			same(t, got, want)
		})
	}
}

func TestARestoreThatDiedGoesOn(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 60, Files: 4}})
	c := workloadtest.New()
	r.backup(c)
	want := comparable(r.dump("Apollo"))
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	half := func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindFolder || s.Time.Year() < 2023 }
	to, err := r.target.Open(t.Context(), r.plan("s"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Folder(t.Context(), c.Items()["team"].Item, ""); err != nil { // it dies when the team was made
		t.Fatal(err)
	}
	r.restore(c, r.plan("s"), half, false)
	noErrors(t, c, r.restore(c, r.plan("s"), nil, true))
	same(t, comparable(r.dump("Apollo")), want)
}

func TestAnArchivedTeamIsOpenedForARestoreAndArchivedAgain(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyTeam(r.box.Source, "General"); err != nil {
		t.Fatal(err)
	}
	if err := r.sim.ArchiveTeam(r.box.Source, true); err != nil {
		t.Fatal(err)
	}
	noErrors(t, c, r.restore(c, r.plan("s"), func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindPost }, false))
	if row := r.dump("Apollo")[0]; !row.Archived {
		t.Error("the team is open")
	}
}

func TestATeamThatADeadRestoreOpenedIsArchivedByTheNextAttempt(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyTeam(r.box.Source, "General"); err != nil {
		t.Fatal(err)
	}
	if err := r.sim.ArchiveTeam(r.box.Source, true); err != nil {
		t.Fatal(err)
	}
	plan := r.plan("s")
	plan.Notes = &workloadtest.Notes{}
	to, err := r.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Folder(t.Context(), c.Items()["team"].Item, ""); err != nil { // it dies when the team was opened
		t.Fatal(err)
	}
	if row := r.dump("Apollo")[0]; row.Archived {
		t.Fatal("the team is archived")
	}
	posts := func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindPost }
	noErrors(t, c, r.restore(c, plan, posts, true))
	if row := r.dump("Apollo")[0]; !row.Archived {
		t.Error("the team is open")
	}

	// A restore of its own leaves a team open that was open.
	if err := r.sim.ArchiveTeam(r.box.Source, false); err != nil {
		t.Fatal(err)
	}
	plan = r.plan("another")
	plan.Notes = &workloadtest.Notes{}
	noErrors(t, c, r.restore(c, plan, posts, false))
	if row := r.dump("Apollo")[0]; row.Archived {
		t.Error("the team was archived")
	}
}

// A restore makes an archived team again and ends early; at its end it archives the team, which the next attempt opens.
func TestAnArchivedTeamThatAnEarlierAttemptMadeIsOpenedByTheNext(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 40, Files: 4}})
	if err := r.sim.ArchiveTeam(r.box.Source, true); err != nil {
		t.Fatal(err)
	}
	c := workloadtest.New()
	r.backup(c)
	want := comparable(r.dump("Apollo"))
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	plan := r.plan("s")
	plan.Notes = &workloadtest.Notes{}
	r.restore(c, plan, func(s workloadtest.Stored) bool { return s.ID == "team" }, false)
	if row := r.dump("Apollo")[0]; !row.Archived {
		t.Fatal("the first attempt left the team open")
	}
	noErrors(t, c, r.restore(c, plan, nil, true))
	same(t, comparable(r.dump("Apollo")), want)
}

// A channel that an attempt made before it died is the restore's own: the next one gives it its members.
func TestAChannelThatADeadRestoreMadeGetsItsMembers(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 40, Files: 4}})
	c := workloadtest.New()
	r.backup(c)
	members := func(name string) string {
		for _, row := range r.dump("Apollo") {
			if row.Kind == "channel" && row.Name == name {
				return fmt.Sprint(row.Members)
			}
		}
		t.Fatalf("no channel %q", name)
		return ""
	}
	want := members("Releases")
	if err := r.sim.DeleteTeam(r.box.Source, "Releases", false); err != nil {
		t.Fatal(err)
	}
	plan := r.plan("s")
	plan.Notes = &workloadtest.Notes{}
	to, err := r.target.Open(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	for id, s := range c.Items() {
		if s.Kind == holdfast.KindFolder && s.Name == "Releases" && s.Fields["special"] == "channel" {
			if _, err := to.Folder(t.Context(), s.Item, "team"); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
		}
	}
	if members("Releases (restored)") == want {
		t.Fatal("the channel is made with all its members")
	}
	folders := func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindFolder }
	noErrors(t, c, r.restore(c, plan, folders, true))
	if got := members("Releases (restored)"); got != want {
		t.Errorf("the channel has %s, had %s", got, want)
	}
}

// A channel that came after the channels were listed, made by an attempt that is late or by somebody, is taken: none is made beside it.
func TestAChannelThatCameMeanwhileIsTaken(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 40, Files: 4}})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	to, err := r.target.Open(t.Context(), r.plan("s"))
	if err != nil {
		t.Fatal(err)
	}
	folder := func(name string) string {
		for _, s := range c.Items() {
			if s.Kind == holdfast.KindFolder && s.Name == name && (s.Fields["special"] == "channel" || s.Fields["special"] == "team") {
				var id string
				again(t, func() (err error) { id, err = to.Folder(t.Context(), s.Item, "team"); return err })
				return id
			}
		}
		t.Fatalf("no folder %q", name)
		return ""
	}
	folder("Apollo")
	folder("General") // the channels are listed
	var made *graph.Channel
	for _, x := range r.sim.Teams() {
		if x.Name == "Apollo" {
			if made, err = r.g.CreateChannel(t.Context(), x.ID, "Planning", "", "standard", ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := folder("Planning"); got != "channel:"+made.ID {
		t.Errorf("the channel is %q, there was %q", got, made.ID)
	}
	for _, row := range r.dump("Apollo") {
		if row.Kind == "channel" && strings.Contains(row.Name, "restored") {
			t.Errorf("there is a channel %q too", row.Name)
		}
	}
	if err := to.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A message that fails for a moment is not stood in for: its replies wait for the next restore too, which brings all of them as they were.
func TestRepliesToAMessageThatFailedForAMomentComeWithIt(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 60, Files: 4}})
	c := workloadtest.New()
	r.backup(c)
	want := comparable(r.dump("Apollo"))
	replies := map[string]int{}
	for _, s := range c.Items() {
		if above := c.Items()[s.Parent]; s.Fields["replyTo"] != "" && s.Fields["author"] != "" && s.Fields["deleted"] == "" && above.Fields["author"] != "" && above.Fields["deleted"] == "" {
			replies[s.Parent]++
		}
	}
	root := ""
	for id, n := range replies {
		if root == "" || n > replies[root] {
			root = id
		}
	}
	if replies[root] < 2 {
		t.Fatalf("the thread has %d replies", replies[root])
	}
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	thread := func(s workloadtest.Stored) bool { return s.ID == root || s.Parent == root }
	if err := r.sim.SetFaults(sim.Fault{Name: sim.FaultServerError, Path: "POST /v1.0/teams/{team}/channels/{channel}/messages", Times: 8}); err != nil {
		t.Fatal(err)
	}
	results := r.restore(c, r.plan("s"), thread, false)
	if err := r.sim.SetFaults(); err != nil {
		t.Fatal(err)
	}
	for id, res := range results {
		var skip *holdfast.Skip
		if res.err == nil || errors.As(res.err, &skip) && skip.Reason != holdfast.SkipTransient && skip.Reason != holdfast.SkipNothing {
			t.Errorf("%q: %v", c.Items()[id].Name, res.err)
		}
	}
	noErrors(t, c, r.restore(c, r.plan("s"), nil, true))
	same(t, comparable(r.dump("Apollo")), want)
}

func TestPostsBecomeFilesWhereTheyCanNotBePosts(t *testing.T) {
	r := start(t, sim.Options{Cloud: "usgovernment", Team: sim.TeamShape{Posts: 80}})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyTeam(r.box.Source, ""); err != nil {
		t.Fatal(err)
	}
	posts := func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindPost }
	results := r.restore(c, r.plan("s"), posts, false)
	noErrors(t, c, results)
	n := 0
	for id, res := range results {
		if res.err == nil {
			n++
			if len(res.Lost) == 0 || !strings.Contains(res.Lost[0], "Restored posts/"+c.Items()[id].Time.UTC().Format("2006-01-02")+".html") {
				t.Errorf("%q: %v", c.Items()[id].Name, res.Lost)
			}
		}
	}
	for _, row := range r.dump("Apollo") {
		if row.Kind == "post" && !row.Event {
			t.Errorf("a post in %s", row.Channel)
		}
	}
	count := func() int {
		files := 0
		for _, x := range r.sim.Sites() {
			if strings.HasPrefix(x.Path, "/sites/apollo") {
				rows, err := r.sim.DumpLibrary(x.ID, "Documents", false)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range rows {
					if strings.Contains(row.Path, "Restored posts/") {
						files++
					}
				}
			}
		}
		return files
	}
	files := count()
	if n == 0 || files == 0 || files > n {
		t.Errorf("%d posts in %d files", n, files)
	}
	r.restore(c, r.plan("t"), posts, false)
	if again := count(); again != files {
		t.Errorf("%d files after a second restore, were %d", again, files)
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	r := start(t, sim.Options{})
	c := workloadtest.New()
	r.backup(c)
	if err := r.sim.EmptyTeam(r.box.Source, "General"); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(r.dump("Apollo"))
	plan := r.plan("s")
	plan.DryRun = true
	created := 0
	for id, res := range r.restore(c, plan, func(s workloadtest.Stored) bool { return s.Kind == holdfast.KindPost }, false) {
		if res.Outcome == engine.Created {
			created++
			if res.Cost.Requests == 0 || !strings.HasPrefix(res.NewID, engine.Planned) {
				t.Errorf("%s: %+v", id, res)
			}
		}
	}
	if created == 0 || fmt.Sprint(r.dump("Apollo")) != before {
		t.Errorf("%d would be made; the team changed: %v", created, fmt.Sprint(r.dump("Apollo")) != before)
	}
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	r.sim.Clock().Move(time.Second)
	noErrors(t, c, r.restore(c, plan, nil, false))
	for _, x := range r.sim.Teams() {
		if x.Name == "Apollo" {
			t.Error("a dry run made a team")
		}
	}
}

// Two replies to a message that is not in the restore, by two people and at once, have one message that stands in for it.
func TestTwoRepliesAtOnceHaveOneMessageThatStandsIn(t *testing.T) {
	r := start(t, sim.Options{Team: sim.TeamShape{Posts: 60, Files: 4}})
	c := workloadtest.New()
	r.backup(c)
	byAuthor := map[string]map[string]workloadtest.Stored{} // thread -> author -> a reply
	for _, s := range c.Items() {
		if s.Fields["replyTo"] != "" && s.Fields["author"] != "" && s.Fields["deleted"] == "" && s.Fields["hosted"] == "" {
			if byAuthor[s.Parent] == nil {
				byAuthor[s.Parent] = map[string]workloadtest.Stored{}
			}
			byAuthor[s.Parent][s.Fields["author"]] = s
		}
	}
	var two []workloadtest.Stored
	for _, replies := range byAuthor {
		if len(replies) > 1 {
			two = slices.Collect(maps.Values(replies))[:2]
			break
		}
	}
	if two == nil {
		t.Fatal("no thread has replies by two people")
	}
	if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
		t.Fatal(err)
	}
	to, err := r.target.Open(t.Context(), r.plan("s"))
	if err != nil {
		t.Fatal(err)
	}
	folder := func(id string) (at string) {
		s := c.Items()[id]
		if s.Kind == holdfast.KindPost {
			s = c.Items()[s.Parent]
		}
		again(t, func() (err error) { at, err = to.Folder(t.Context(), s.Item, "team"); return err })
		return at
	}
	folder("team")
	put := func(s workloadtest.Stored, open func(context.Context, holdfast.Form) (io.ReadCloser, bool, error)) error {
		_, err := to.Put(t.Context(), engine.Put{Item: s.Item, Parent: folder(s.Parent), Marker: s.ID, Open: open})
		return err
	}
	// The first one has been found to have no thread, and a picture of it is being read, when the second one comes, whose stand-in is not answered.
	once := false
	err = put(two[0], func(ctx context.Context, f holdfast.Form) (io.ReadCloser, bool, error) {
		body, ok, err := two[0].Open(ctx, f)
		if f == holdfast.FormJSON {
			raw, rerr := io.ReadAll(body)
			var m map[string]any
			if err := errors.Join(rerr, json.Unmarshal(raw, &m)); err != nil {
				return nil, false, err
			}
			m["body"].(map[string]any)["content"] = `see <img src="https://graph.microsoft.com/v1.0/x/hostedContents/1/$value">`
			m["body"].(map[string]any)["contentType"] = "html"
			raw, err = json.Marshal(m)
			return io.NopCloser(bytes.NewReader(raw)), true, err
		}
		if !once {
			once = true
			if err := r.sim.SetFaults(sim.Fault{Name: sim.FaultAckLost, Path: "POST /v1.0/teams/{team}/channels/{channel}/messages", Times: 1}); err != nil {
				return nil, false, err
			}
			if err := put(two[1], two[1].Open); err == nil {
				return nil, false, errors.New("the answer was not lost")
			}
		}
		return body, ok, err
	})
	if err != nil || !once {
		t.Fatalf("a picture was asked for: %v, %v", once, err)
	}
	again(t, func() error { return put(two[1], two[1].Open) })
	again(t, func() error { return to.Close(t.Context()) })
	standing, replies := 0, map[string]int{}
	for _, row := range r.dump("Apollo") {
		if row.Kind == "post" && !row.Event {
			if strings.Contains(row.Body, "is not in the restore") {
				standing++
			} else {
				replies[row.ReplyTo]++
			}
		}
	}
	if standing != 1 || len(replies) != 1 {
		t.Errorf("%d messages stand in, replies go to %v", standing, replies)
	}
}

// files writes the files and folders of a team's libraries as text; the folders of channels are made by Teams, those of posts that became files by a restore.
func (r *rig) files(name string) map[string]int {
	r.t.Helper()
	out := map[string]int{}
	for _, x := range r.sim.Teams() {
		if x.Name != name {
			continue
		}
		at := map[string]string{x.Site: ""}
		for channel, site := range x.Sites {
			at[site] = channel
		}
		for _, s := range r.sim.Sites() {
			in, ok := at[s.Path]
			if !ok {
				continue
			}
			rows, err := r.sim.DumpLibrary(s.ID, "Documents", true)
			if err != nil {
				r.t.Fatal(err)
			}
			for _, f := range rows {
				if f.Folder && x.Channels[f.Path] != "" || strings.Contains("/"+f.Path, "/Restored posts") {
					continue
				}
				out[fmt.Sprint(in, ": ", f.Path, f.Folder, f.Size, f.SHA256, f.Created, f.Modified, f.Description, len(f.Grants))]++
			}
		}
	}
	return out
}

// A team is backed up, purged and made again while everything fails, by one attempt and by one that goes on after another.
func TestATeamIsMadeAgainWhileEverythingFails(t *testing.T) {
	for n := range 6 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := start(t, sim.Options{Team: sim.TeamShape{Posts: 60, Files: 6}})
			r.churn(12, n)
			want, wantFiles := comparable(r.dump("Apollo")), r.files("Apollo")
			if len(want) < 60 || len(wantFiles) < 6 {
				t.Fatalf("the team has %d rows and %d files", len(want), len(wantFiles))
			}
			calm := workloadtest.Disturb(t, r.sim, n)
			c := workloadtest.New()
			again(t, func() error { return c.Read(t.Context(), r.source, r.box) })
			calm()
			if len(c.Skips) > 0 {
				t.Errorf("skipped: %v", c.Skips)
			}
			if err := r.sim.DeleteTeam(r.box.Source, "", true); err != nil {
				t.Fatal(err)
			}
			calm = workloadtest.Disturb(t, r.sim, n)
			plan := r.plan("s")
			plan.Mode, plan.Newer, plan.Permissions, plan.Notes = engine.Overwrite, true, true, &workloadtest.Notes{}
			if n%2 == 1 {
				r.restore(c, plan, func(s workloadtest.Stored) bool { // whole threads
					id := s.ID
					if s.Fields["replyTo"] != "" {
						id = s.Parent
					}
					return s.Kind == holdfast.KindFolder || crc32.ChecksumIEEE([]byte(id))%2 == 0
				}, false)
			}
			results := r.restore(c, plan, nil, n%2 == 1)
			calm()
			noErrors(t, c, results)
			got := comparable(r.dump("Apollo"))
			for i := range got { // each team that was made has a site of its own name
				got[i] = regexp.MustCompile(`sites/apollo\d+`).ReplaceAllString(got[i], "sites/apollo")
			}
			same(t, got, want)
			workloadtest.SameCounts(t, r.files("Apollo"), wantFiles)
			if n := len(slices.DeleteFunc(r.sim.Teams(), func(x sim.TeamInfo) bool { return x.Name != "Apollo" })); n != 1 {
				t.Errorf("%d teams of that name", n)
			}
		})
	}
}
