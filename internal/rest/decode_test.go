package rest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/rest/contract"
)

func TestDecodeTakesWhatClientsSend(t *testing.T) {
	id := uuid.MustParse("0b6ccf0e-1f2d-4ac5-9e70-7f6c8b1c3d5a")
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct{ body, want string }{
		"names in any case":          {`{"DATETIME":"2026-01-31T12:00:00Z","Type":"Vex","showallversions":true}`, ""},
		"enum values in any case":    {`{"dateTime":"2026-01-31T12:00:00Z","type":"vex","showAllVersions":true}`, ""},
		"booleans as texts":          {`{"dateTime":"2026-01-31T12:00:00Z","type":"VEX","showAllVersions":"True"}`, ""},
		"a comma before the end":     {`{"dateTime":"2026-01-31T12:00:00Z","type":"Vex","showAllVersions":true , }`, ""},
		"a byte order mark":          {"\ufeff" + `{"dateTime":"2026-01-31T12:00:00Z","type":"Vex","showAllVersions":true}`, ""},
		"another zone":               {`{"dateTime":"2026-01-31T13:00:00+01:00","type":"Vex","showAllVersions":true}`, ""},
		"no zone is UTC":             {`{"dateTime":"2026-01-31T12:00:00","type":"Vex","showAllVersions":1}`, ""},
		"unknown names":              {`{"dateTime":"2026-01-31T12:00:00.0000000Z","type":"Vex","showAllVersions":true,"x":[{"y":1}]}`, ""},
		"null and empty are absent":  {`{"dateTime":"2026-01-31T12:00:00Z","type":"Vex","showAllVersions":true,"showDeleted":null,"repositoryId":""}`, ""},
		"a wrong enum value":         {`{"type":"Outlook"}`, "type must be one of Vex, Veod, Vesp, Vet, Chats"},
		"a wrong time":               {`{"dateTime":"yesterday"}`, "dateTime must be a time such as 2026-01-31T12:00:00Z"},
		"a wrong boolean":            {`{"showDeleted":"maybe"}`, "showDeleted must be true or false"},
		"a wrong UUID":               {`{"repositoryId":"17"}`, "repositoryId must be a UUID"},
		"an array for an object":     {`[]`, "the body must be an object"},
		"an object for a text":       {`{"type":{}}`, "type must be a text"},
		"text that is not JSON":      {`type=Vex`, "the body is not JSON: a value is expected at byte 0"},
		"half an object":             {`{"type":"Vex"`, "the body is not JSON: a comma or } is expected at byte 13"},
		"something after the object": {`{} {}`, "the body is not JSON: something follows the value at byte 3"},
		"nesting without end":        {strings.Repeat(`{"a":`, 100), "the body is not JSON: it is nested too deep at byte 325"},
	} {
		t.Run(name, func(t *testing.T) {
			var got contract.RESTOrganizationExploreOptions
			err := decodeJSON([]byte(tc.body), &got)
			if tc.want != "" {
				if err == nil || err.Error() != tc.want {
					t.Errorf("got %v, want %s", err, tc.want)
				}
				return
			}
			kind := contract.RESTOrganizationExploreOptionsTypeVex
			want := contract.RESTOrganizationExploreOptions{DateTime: &at, Type: &kind, ShowAllVersions: new(true)}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	t.Run("the path of a field below", func(t *testing.T) {
		var got contract.RESTCreateBackupJob
		err := decodeJSON([]byte(`{"backupType":"SelectedItems","organizationId":"`+id.String()+`","repositoryId":"{`+strings.ToUpper(id.String())+`}","selectedItems":[{},{"user":{"type":"Robot"}}]}`), &got)
		if want := "selectedItems[1].user.type must be one of User, Shared, Public"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		err = decodeJSON([]byte(`{"backupType":"SelectedItems","organizationId":"`+id.String()+`"}`), &got)
		if want := "repositoryId is missing"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("numbers", func(t *testing.T) {
		var got contract.RESTJobSchedulePolicy
		if err := decodeJSON([]byte(`{"retryNumber":"3","retryWaitInterval":10.0,"periodicallyOffsetMinutes":1e1}`), &got); err != nil || *got.RetryNumber != 3 || *got.RetryWaitInterval != 10 || *got.PeriodicallyOffsetMinutes != 10 {
			t.Errorf("got %+v, %v", got, err)
		}
		for _, wrong := range []string{`1.5`, `99999999999`, `"many"`, `true`, `[]`} {
			if err := decodeJSON([]byte(`{"retryNumber":`+wrong+`}`), &got); err == nil || err.Error() != "retryNumber must be a whole number" {
				t.Errorf("%s: got %v", wrong, err)
			}
		}
	})
}

// FuzzDecode: whatever comes, there is no panic; and what encoding/json reads as a value, the tolerant reader reads as the same value.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"type":"vex",}`, `[1,2,[{"a":"\u00e9\ud800"}],]`, `{"selectedItems":[{"user":{"id":"x"}}]}`, "\ufeff[-1.5e3,null]", `"\`, `{"a":1}{`, `tru`, `-`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tree, err := parseJSON(body)
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		var strict any
		if d.Decode(&strict) == nil && json.Valid(body) && err == nil {
			if got := plain(tree); !reflect.DeepEqual(got, strict) {
				t.Errorf("read %#v, encoding/json %#v", got, strict)
			}
		}
		for _, into := range []any{&contract.RESTCreateBackupJob{}, &contract.RestOrganizationComposed{}, &[]contract.RESTJobItemComposed{}, &contract.RESTBackupRepositoryFromClient{}, &tokenRequest{}} {
			if decodeJSON(body, into) == nil {
				if _, err := json.Marshal(into); err != nil && !strings.Contains(err.Error(), "year outside of range") {
					t.Errorf("what was read can't be written: %v", err)
				}
			}
		}
	})
}

func plain(v any) any {
	switch v := v.(type) {
	case number:
		return json.Number(v)
	case array:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case object:
		out := map[string]any{}
		for _, m := range v {
			out[m.name] = plain(m.value)
		}
		return out
	}
	return v
}
