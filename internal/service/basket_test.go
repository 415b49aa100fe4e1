package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func TestABasketIsItsMakersAndIsRestoredAsOneRun(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("first")
	j := w.job("daily", org, repo, nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob"), drive("ann")}}
	w.run(j, k)
	w.clock.Move(time.Hour)
	w.run(j, k)
	open := func(kind holdfast.ExplorerType) holdfast.RestoreSessionID {
		s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: kind, Organization: org.ID, ShowDeleted: true})
		w.ok(err)
		return s.ID
	}
	basket, err := w.Baskets.Create(w.ctx, admin, "  ")
	w.ok(err)
	if basket.Name == "" {
		t.Error("the basket has no name")
	}
	mail, files := open(holdfast.ExploreExchange), open(holdfast.ExploreOneDrive)
	for _, of := range []struct {
		session   holdfast.RestoreSessionID
		container string
		items     []string
	}{{mail, "ann", []string{"m1", "m2~1", "gone"}}, {mail, "bob", []string{"m1"}}, {files, "drive-ann", []string{"f1"}}} {
		added, err := w.Baskets.Add(w.ctx, admin, basket.ID, of.session, of.container, of.items)
		w.ok(err)
		if len(added) != len(of.items) {
			t.Errorf("added %+v", added)
		}
	}

	// Nobody else knows of it.
	other := service.User{ID: "v", Name: "other", Role: service.RoleOwner}
	_, err = w.Baskets.Get(w.ctx, other, basket.ID)
	w.kind(err, holdfast.KindNotFound, "no basket")
	_, err = w.Baskets.Entries(w.ctx, other, basket.ID, holdfast.Page{})
	w.kind(err, holdfast.KindNotFound, "no basket")
	w.kind(w.Baskets.Delete(w.ctx, other, basket.ID), holdfast.KindNotFound, "no basket")
	w.kind(w.Baskets.Download(w.ctx, other, basket.ID, nil), holdfast.KindNotFound, "no basket")
	_, err = w.Baskets.Restore(w.ctx, other, basket.ID, service.RestoreSpec{})
	w.kind(err, holdfast.KindNotFound, "no basket")
	_, err = w.Baskets.Plan(w.ctx, other, basket.ID, service.RestoreSpec{}, 10)
	w.kind(err, holdfast.KindNotFound, "no basket")
	_, err = w.Baskets.Add(w.ctx, other, basket.ID, mail, "ann", []string{"m1"})
	w.kind(err, holdfast.KindNotFound, "no basket")
	if all, err := w.Baskets.List(w.ctx, other, holdfast.Page{}); err != nil || len(all) != 0 {
		t.Errorf("another one sees %v, %v", all, err)
	}
	auditor := service.User{ID: "u", Name: "auditor", Role: service.RoleAuditor}
	_, err = w.Baskets.Create(w.ctx, auditor, "x")
	w.kind(err, holdfast.KindDenied, "may not")

	var zip bytes.Buffer
	w.ok(w.Baskets.Download(w.ctx, admin, basket.ID, &zip))
	for _, want := range []string{"mailbox/ann@2 [m1] in ann@contoso.example, mailbox", "mailbox/ann@1 [m2 gone] in ann@contoso.example, mailbox", "mailbox/bob@2 [m1]", "drive/drive-ann@2 [f1] in ann@contoso.example, drive"} {
		if !strings.Contains(zip.String(), want) {
			t.Errorf("the ZIP is of %s, lacks %s", zip.String(), want)
		}
	}

	// What can't be planned is told of with its reason, and keeps the others from nothing.
	plan, err := w.Baskets.Plan(w.ctx, admin, basket.ID, service.RestoreSpec{Mode: "overwrite"}, 2)
	w.ok(err)
	if plan.Skipped != 5 || len(plan.Items) != 2 || !plan.More || !strings.Contains(plan.Items[0].Detail, "reaches Microsoft 365") {
		t.Errorf("the plan is %+v", plan)
	}

	w.directory.lacking["Files.ReadWrite.All"] = true
	run, err := w.Baskets.Restore(w.ctx, admin, basket.ID, service.RestoreSpec{Mode: "overwrite", ChangedItems: true, MissingItems: true})
	w.ok(err)
	tasks := map[string]bool{}
	for _, task := range k.claim(10) {
		var request holdfast.RestoreRequest
		w.ok(json.Unmarshal(task.Request, &request))
		tasks[fmt.Sprint(request.From, request.Items, request.Mode)] = true
		for _, item := range request.Items {
			_, _, err := w.Control.BeginItem(w.ctx, task.Lease(), request.ID, item, "1")
			w.ok(err)
			result := holdfast.ItemResult{Item: item, Name: item, Outcome: "created"}
			if item == "gone" {
				result.Outcome, result.Reason = "skipped", holdfast.SkipConflict
			}
			w.ok(w.Control.EndItem(w.ctx, task.Lease(), request.ID, result))
		}
		w.ok(w.Control.Complete(w.ctx, task.Lease(), holdfast.TaskResult{}))
	}
	if len(tasks) != 3 || !tasks["mailbox/ann[m1]overwrite"] || !tasks["mailbox/ann[m2 gone]overwrite"] || !tasks["mailbox/bob[m1]overwrite"] {
		t.Errorf("the run asks for %v", tasks)
	}
	state, err := w.Baskets.Run(w.ctx, admin, basket.ID, run.ID, holdfast.Page{})
	w.ok(err)
	if state.Restored != 3 || state.Skipped != 1 || state.Failed != 1 || state.Status != "Failed" || len(state.Results) != 5 {
		t.Errorf("the run is %+v", state)
	}
	for _, r := range state.Results {
		if r.Entry == "" {
			t.Errorf("a result is of no entry: %+v", r)
		}
	}
	w.ok(w.Baskets.Delete(w.ctx, admin, basket.ID))
	_, err = w.Baskets.Get(w.ctx, admin, basket.ID)
	w.kind(err, holdfast.KindNotFound, "basket")
}
