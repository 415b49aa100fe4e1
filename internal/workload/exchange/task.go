package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

var tasks = &personal{PersonalKind: graph.Tasks, part: engine.PartTasks, name: "tasks", kind: holdfast.KindTask, class: "IPM.Task", shelf: "IPF.Task", special: "tasks", needs: m365.ToDo,
	expand: []string{"checklistItems", "linkedResources"}, whole: []string{"checklistItems", "linkedResources"}}

func init() { // the functions name the kind
	tasks.deep, tasks.fetch, tasks.describe, tasks.back = deepTask, fetchTask, describeTask, taskBack
}

// taskParts are the lists in a task that have an address of their own.
var taskParts = []string{"checklistItems", "linkedResources"}

// deepTask says whether a task's row lacks what stands in it.
func deepTask(_ *reader, _ *personal, _ string, row *graph.Personal, _ *holdfast.Item) bool {
	return row.HasAttachments || len(missingParts(row)) > 0
}

// missingParts are the lists that a row does not have: the service may refuse to expand them.
func missingParts(row *graph.Personal) []string {
	var m map[string]json.RawMessage
	if json.Unmarshal(row.Raw, &m) != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(taskParts), func(name string) bool { return m[name] != nil })
}

func fetchTask(ctx context.Context, r *reader, p *personal, shelf string, row *graph.Personal) ([]holdfast.Payload, error) {
	at := p.ItemPath(r.mailbox, shelf, row.ID)
	for _, name := range missingParts(row) {
		page, err := r.g.Bits(ctx, p.PersonalKind, append(slices.Clone(at), name), graph.List{})
		list := []json.RawMessage{}
		for bit, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
			if err != nil {
				return nil, err
			}
			list = append(list, bit.Raw)
		}
		raw, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		if row.Raw, err = graph.Add(row.Raw, name, raw); err != nil {
			return nil, fmt.Errorf("task %s: %w", row.ID, err)
		}
	}
	if !row.HasAttachments {
		return nil, nil
	}
	var list []eventAttachment
	var payloads []holdfast.Payload
	files := append(slices.Clone(at), "attachments")
	page, err := r.g.Bits(ctx, p.PersonalKind, files, graph.List{})
	for bit, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return nil, err
		}
		a := eventAttachment{Attachment: bit.Raw, Form: contentForm(len(payloads))}
		file, err := r.fileOf(ctx, p, a.Form, append(slices.Clone(files), bit.ID), bit.Size)
		if err != nil {
			return nil, err
		}
		payloads = append(payloads, file)
		list = append(list, a)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	return append(payloads, holdfast.Whole(holdfast.FormAttachments, bytes.NewReader(raw), int64(len(raw)))), nil
}

func describeTask(row *graph.Personal, item *holdfast.Item) {
	if item.Fields == nil {
		item.Fields = map[string]string{}
	}
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	item.Name = row.Title
	set(holdfast.FieldStatus, row.Status)
	set(holdfast.FieldDue, instant(row.Due.UTC()))
	set(holdfast.FieldStart, instant(row.Begin.UTC()))
}

// https://learn.microsoft.com/graph/api/todotasklist-post-tasks
var taskBack = putBack{
	settable:    []string{"title", "body", "categories", "importance", "isReminderOn", "reminderDateTime", "dueDateTime", "startDateTime", "status", "completedDateTime", "recurrence"},
	compared:    []string{"createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime"},
	unavoidable: []string{"createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime"},
	build:       buildTask,
	complete:    completeTask,
	differs:     sameTask,
}

func buildTask(st *kept, body object) []string {
	if rule, ok := cleanRule(st.json["recurrence"]); ok {
		body["recurrence"] = rule
	}
	var links []map[string]json.RawMessage
	if json.Unmarshal(st.json["linkedResources"], &links) == nil && len(links) > 0 {
		var out []object
		for _, l := range links {
			out = append(out, settableOf(l, "applicationName", "displayName", "externalId", "webUrl"))
		}
		body["linkedResources"] = out
	}
	return nil
}

func settableOf(m map[string]json.RawMessage, names ...string) object {
	o := object{}
	for _, name := range names {
		if v := m[name]; !isNull(v) {
			o[name] = v
		}
	}
	return o
}

func completeTask(ctx context.Context, r *restore, shelf, id string, st *kept) (notSet []string, err error) {
	path := tasks.ItemPath(r.mailbox, shelf, id)
	var steps []map[string]json.RawMessage
	if json.Unmarshal(st.json["checklistItems"], &steps) == nil {
		at := append(slices.Clone(path), "checklistItems")
		to := r.bitsBelow(tasks, at)
		for _, s := range steps {
			if err := to.add(ctx, func() error {
				_, err := r.g.AddBit(ctx, tasks.PersonalKind, at, settableOf(s, "displayName", "isChecked", "checkedDateTime", "createdDateTime"))
				return err
			}); err != nil {
				return nil, err
			}
		}
	}
	list, err := st.attachments(ctx)
	if err != nil {
		return nil, err
	}
	to := r.bitsBelow(tasks, append(slices.Clone(path), "attachments"))
	for _, a := range list {
		lost, err := r.attachPersonal(ctx, tasks, path, to, a, st)
		if err != nil {
			return nil, err
		}
		notSet = union(notSet, lost)
	}
	return notSet, nil
}

// sameTask compares what stands in a restored task, by what a client can set.
func sameTask(ctx context.Context, r *restore, shelf string, now map[string]json.RawMessage, st *kept) (lost []string, whole bool, err error) {
	var id string
	if err := json.Unmarshal(now["id"], &id); err != nil {
		return nil, false, err
	}
	whole = true
	for name, fields := range map[string][]string{"checklistItems": {"displayName", "isChecked", "checkedDateTime", "createdDateTime"}, "linkedResources": {"applicationName", "displayName", "externalId", "webUrl"}} {
		var want, have []map[string]json.RawMessage
		if isNull(st.json[name]) {
			continue
		}
		if json.Unmarshal(st.json[name], &want) != nil || json.Unmarshal(now[name], &have) != nil {
			lost, whole = append(lost, name), false
			continue
		}
		for _, w := range want {
			i := slices.IndexFunc(have, func(h map[string]json.RawMessage) bool {
				return !slices.ContainsFunc(fields[:2], func(f string) bool { return !sameJSON(w[f], h[f]) })
			})
			if i < 0 {
				lost, whole = union(lost, []string{name}), false
				continue
			}
			for _, f := range fields {
				if !sameJSON(w[f], have[i][f]) {
					lost = union(lost, []string{name + ": " + f})
				}
			}
			have = slices.Delete(have, i, i+1)
		}
	}
	want, err := st.attachments(ctx)
	if err != nil || len(want) == 0 {
		return lost, whole, err
	}
	page, err := r.g.Bits(ctx, tasks.PersonalKind, tasks.ItemPath(r.mailbox, shelf, id, "attachments"), graph.List{})
	n := 0
	for _, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return nil, false, err
		}
		n++
	}
	if n < len(want) {
		lost, whole = append(lost, "attachments"), false
	}
	return lost, whole, nil
}
