package rest

import (
	"encoding/json"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// A contact, an event and a task have the properties of their classes, and no others'.
func TestPersonalItemsHaveThePropertiesOfTheirClass(t *testing.T) {
	for class, tc := range map[string]struct {
		kind   holdfast.ItemKind
		fields map[string]string
		want   []string
		not    []string
	}{
		"IPM.Contact": {holdfast.KindContact, map[string]string{holdfast.FieldTo: "a@example.com", holdfast.FieldCompany: "C", holdfast.FieldPhone: "+1"},
			[]string{`"email":"a@example.com"`, `"company":"C"`, `"businessPhone":"+1"`, `"name":"the name"`}, []string{"received", "startTime", "status"}},
		"IPM.Appointment": {holdfast.KindEvent, map[string]string{holdfast.FieldStart: "2026-05-04T10:00:00Z", holdfast.FieldEnd: "2026-05-04T11:00:00Z", holdfast.FieldFrom: "O <o@example.com>", holdfast.FieldRecurring: "weekly"},
			[]string{`"startTime":"2026-05-04T10:00:00`, `"recurring":true`, `"recurrencePatternFormat":"weekly"`, `"organizer":`, `"subject":"the name"`}, []string{"received", "status"}},
		"IPM.Task": {holdfast.KindTask, map[string]string{holdfast.FieldStatus: "completed", holdfast.FieldDue: "2026-05-04T00:00:00Z"},
			[]string{`"status":"Completed"`, `"percentComplete":1`, `"dueDate":"2026-05-04T00:00:00`}, []string{"received", "startTime"}},
	} {
		t.Run(class, func(t *testing.T) {
			tc.fields[holdfast.FieldClass] = class
			out := mailToContract(links{}, place{}, service.Entry{Item: holdfast.Item{ID: "id", Parent: "folder", Kind: tc.kind, Name: "the name", Fields: tc.fields}})
			raw, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range append(tc.want, `"itemClass":"`+class+`"`) {
				if !strings.Contains(string(raw), w) {
					t.Errorf("there is no %s in %s", w, raw)
				}
			}
			for _, n := range tc.not {
				if strings.Contains(string(raw), `"`+n+`"`) {
					t.Errorf("there is %s in %s", n, raw)
				}
			}
		})
	}
}

func TestJobItemsLeavePartsOfMailboxesOut(t *testing.T) {
	kind := contract.RESTJobBackupItemTypePartialOrganization
	item, err := itemFromContract("items[0]", contract.RESTJobItemComposed{Type: &kind, LeaveOut: []string{"Contacts", "tasks"}})
	if err != nil || len(item.LeaveOut) != 2 || item.LeaveOut[0] != holdfast.PartContacts {
		t.Errorf("%v, %v", item.LeaveOut, err)
	}
	if out := itemToContract(links{}, service.Selected, "job", item); len(out.LeaveOut) != 2 {
		t.Errorf("shown is %v", out.LeaveOut)
	}
	if _, err := itemFromContract("items[0]", contract.RESTJobItemComposed{Type: &kind, LeaveOut: []string{"mail"}}); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("mail was left out: %v", err)
	}
}
