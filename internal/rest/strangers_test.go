package rest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// strangers are the fields of an answer that its description does not name; the validator lets those pass.
func strangers(operation *openapi3.Operation, status int, body []byte) []string {
	answer := operation.Responses.Status(status)
	if answer == nil || answer.Value.Content.Get("application/json") == nil {
		return nil
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return nil // the validator has told
	}
	return strangersIn(answer.Value.Content.Get("application/json").Schema, value, "")
}

func strangersIn(ref *openapi3.SchemaRef, value any, at string) (out []string) {
	if ref == nil {
		return nil
	}
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			out = append(out, strangersIn(ref.Value.Items, v, at+"[]")...)
		}
	case map[string]any:
		named := properties(ref)
		if len(named) == 0 {
			return nil // of any shape
		}
		for name, v := range value {
			if field, ok := named[name]; ok {
				out = append(out, strangersIn(field, v, at+"."+name)...)
			} else if ref.Value.AdditionalProperties.Schema == nil {
				out = append(out, at+"."+name)
			}
		}
	}
	return out
}

// properties are those of a schema and of all that it is made of.
func properties(ref *openapi3.SchemaRef) openapi3.Schemas {
	out := openapi3.Schemas{}
	for _, parts := range []openapi3.SchemaRefs{ref.Value.AllOf, ref.Value.OneOf, ref.Value.AnyOf} {
		for _, part := range parts {
			for name, field := range properties(part) {
				out[name] = field
			}
		}
	}
	for name, field := range ref.Value.Properties {
		out[name] = field
	}
	return out
}

// TestAWrongAnswerIsFound plants a wrong field, type, member and absence into answers of organizations' sites and of restore sessions, and demands
// that the judge of all answers tells each.
func TestAWrongAnswerIsFound(t *testing.T) {
	spec := openAPI(t)
	const site = `{"id":"a","url":"https://contoso.example","title":"A","isCloud":true,"isPersonal":false}`
	const session = `{"id":"11111111-2222-4333-8444-555555555555","name":"A","organization":"contoso.example","type":"Vesp","result":"Success","state":"Working","initiatedBy":"admin","creationTime":"2026-03-01T00:00:00Z"}`
	for name, tc := range map[string]struct {
		path, body string
		right      bool
	}{
		"a site":            {path: "/v8/Organizations/{organizationId}/Sites/{siteId}", body: site, right: true},
		"a field too many":  {path: "/v8/Organizations/{organizationId}/Sites/{siteId}", body: strings.Replace(site, `"title"`, `"colour":"red","title"`, 1)},
		"a field missing":   {path: "/v8/Organizations/{organizationId}/Sites/{siteId}", body: strings.Replace(site, `"title":"A",`, "", 1)},
		"a wrong type":      {path: "/v8/Organizations/{organizationId}/Sites/{siteId}", body: strings.Replace(site, `true`, `"true"`, 1)},
		"null":              {path: "/v8/Organizations/{organizationId}/Sites/{siteId}", body: strings.Replace(site, `"A"`, `null`, 1)},
		"a session":         {path: "/v8/RestoreSessions/{restoreSessionId}", body: session, right: true},
		"a wrong member":    {path: "/v8/RestoreSessions/{restoreSessionId}", body: strings.Replace(session, `"Vesp"`, `"Sites"`, 1)},
		"no UUID":           {path: "/v8/RestoreSessions/{restoreSessionId}", body: strings.Replace(session, `11111111-`, ``, 1)},
		"in a page":         {path: "/v8/Organizations/{organizationId}/Sites", body: `{"offset":0,"limit":1,"results":[` + strings.Replace(site, `"title"`, `"colour":"red","title"`, 1) + `]}`},
		"a page":            {path: "/v8/Organizations/{organizationId}/Sites", body: `{"offset":0,"limit":1,"results":[` + site + `]}`, right: true},
		"a page with more":  {path: "/v8/Organizations/{organizationId}/Sites", body: `{"offset":0,"limit":1,"count":1,"results":[]}`},
		"a page of nothing": {path: "/v8/Organizations/{organizationId}/Sites", body: `{"offset":0,"limit":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			item := spec.Paths.Value(tc.path)
			if item == nil {
				t.Fatalf("%s is not described", tc.path)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: &routers.Route{Spec: spec, Path: tc.path, PathItem: item, Method: r.Method, Operation: item.Get}},
				Status:                 http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(tc.body))),
				Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
			})
			told := fmt.Sprint(err, strangers(item.Get, http.StatusOK, []byte(tc.body)))
			if right := told == "<nil> []"; right != tc.right {
				t.Errorf("told: %s", told)
			}
		})
	}
}
