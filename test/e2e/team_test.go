package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

// A team is backed up by a server that is killed at random times, purged, and restored by a server that is killed, too. Afterwards its posts, tabs
// and members are back, once.
func TestTeams(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(seedOf(t), 4))
	s := newSim(t, "--users", "4", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	var err error
	w.org, err = w.server.AddOrganization(w.ctx, true)
	w.must(err)
	w.call(http.MethodPut, "/v8/Organizations/"+w.org, map[string]any{"isTeamsOnline": true, "isTeamsChatsOnline": true}, nil)
	w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
	w.must(err)
	var teams []sim.TeamInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/teams", nil, &teams))
	team := teams[0]
	w.job, err = w.server.AddJob(w.ctx, "teams", w.org, w.repo, map[string]any{"backupType": "SelectedItems",
		"selectedItems": []map[string]any{{"type": "Team", "teams": true, "teamsChats": true, "team": map[string]any{"id": team.ID, "displayName": team.Name, "mail": ""}}}})
	w.must(err)
	killed := func(i int) {
		delay := time.Duration(r.IntN(900)) * time.Millisecond
		t.Logf("%d: killed after %v", i, delay)
		w.must(sys.System.Sleep(w.ctx, delay))
		w.server.Kill()
		w.must(w.server.Start(w.ctx))
	}
	for i := range 3 {
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/churn", map[string]any{"team": team.ID, "changes": 6, "seed": i}, nil))
		session, err := w.server.StartJob(w.ctx, w.job)
		w.must(err)
		killed(i)
		ended, err := w.server.WaitSession(w.ctx, session.ID)
		w.must(err)
		if ended.Status != "Success" {
			t.Fatalf("the session ended with %s: %s\n%s", ended.Status, ended.Details, w.server.SessionLog(w.ctx, session.ID))
		}
	}
	w.verified()
	want := w.team(team.ID)
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/delete", map[string]any{"team": team.ID, "purge": true}, nil))
	var o object
	w.call(http.MethodPost, "/v8/Organizations/"+w.org+"/explore", map[string]any{"type": "Vet"}, &o)
	l := &look{w: w, session: o.ID}
	var found struct{ Results []struct{ ID, Name string } }
	w.call(http.MethodGet, "/holdfast/v1/RestoreSessions/"+o.ID+"/Containers", nil, &found)
	if len(found.Results) != 1 || found.Results[0].Name != team.Name {
		t.Fatalf("the restore point has %v", found.Results)
	}
	w.call(http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": o.ID, "containerId": found.Results[0].ID, "mode": "skip", "permissions": true}, nil)
	killed(3)
	for _, e := range l.events() { // events that Teams told and deleted posts can't be posted, which is said of each
		if e.Status != "Success" {
			t.Logf("%s %q: %s", e.Status, e.ItemName, e.Message)
		}
	}
	w.same("the restored team", w.team(team.Name), want)
}

// team is what is in a team that a restore can give back: a text for the team, each channel, tab and post.
func (w *world) team(key string) map[string]int {
	w.Helper()
	out := map[string]int{}
	w.lines("/oracle/teams?team="+url.QueryEscape(key), func(line []byte) error {
		var row sim.TeamRow
		err := json.Unmarshal(line, &row)
		switch {
		case row.Kind == "team":
			out[fmt.Sprintf("%s %q %v %v", row.Name, row.About, row.Members, row.Apps)]++
		case row.Kind == "channel":
			out[fmt.Sprintf("%s channel %s %q %v", row.Type, row.Name, row.About, row.Members)]++
		case row.Kind == "tab":
			out["tab "+row.Channel+"/"+row.Name]++
		case row.Event || row.Deleted || row.Author == "application" || strings.Contains(row.Body, "is not in the restore"):
		default:
			out[fmt.Sprintf("post in %s of %v by %s to %q: %q, %s, %v", row.Channel, row.Created, row.Author, row.ReplyTo, row.Subject, row.Mark, row.Hosted)]++
		}
		return err
	})
	return out
}
