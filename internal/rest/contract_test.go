package rest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// fullContract is the whole contract, where it lies beside the project; else our reduced copy of its shapes alone judges.
const fullContract = "../../../shared/contract/rest-v8.json"

const shapesFile = "testdata/shapes.tsv"

// additions is what our description has beyond the contract, by schema and field or by operation and parameter, and why. Clients of the
// contract meet them as fields and parameters that they do not know.
var additions = map[string]string{
	"RESTCreateBackupJob chats":                             chatsAreOurs,
	"RESTEditBackupJob chats":                               chatsAreOurs,
	"RESTJob chats":                                         chatsAreOurs,
	"RESTJobItemComposed chats":                             chatsAreOurs,
	"RestHybridOrganization isChatsOnline":                  chatsAreOurs,
	"RestOffice365Organization isChatsOnline":               chatsAreOurs,
	"RestOrganizationComposed isChatsOnline":                chatsAreOurs,
	"RESTExploreOptions type":                               exploresChats,
	"RESTOperatorExploreOptions type":                       exploresChats,
	"RESTOrganizationExploreOptions type":                   exploresChats,
	"RESTRestoreSession type":                               exploresChats,
	"RESTCreateBackupJob personalSites":                     personalSitesAreOurs,
	"RESTEditBackupJob personalSites":                       personalSitesAreOurs,
	"RESTJob personalSites":                                 personalSitesAreOurs,
	"RESTJobItemComposed groupMailboxes":                    "a job may take groups' mailboxes alone",
	"RESTJobItemComposed leaveOut":                          "the kinds of items that a job does not take",
	"RESTJobSession detailsSaid":                            saidInWords,
	"RESTLogItem messageSaid":                               saidInWords,
	"RESTRestoreSessionEvent existingItems":                 provenRestore,
	"RESTRestoreSessionEvent failedItems":                   provenRestore,
	"RESTRestoreSessionEvent notEqual":                      provenRestore,
	"RESTRestoreSessionEvent outcome":                       provenRestore,
	"RESTRestoreSessionEvent outcomeDetail":                 provenRestore,
	"RESTRestoreSessionEvent outcomeReason":                 provenRestore,
	"RESTRestoreSessionEvent restoredItems":                 provenRestore,
	"RESTRestoreSessionEvent skippedItems":                  provenRestore,
	"ExchangeFolder_RestoreAction overwriteNewer":           overwritesWhenAsked,
	"ExchangeFolder_RestoreToAction overwriteNewer":         overwritesWhenAsked,
	"ExchangeItem_RestoreItemAction overwriteNewer":         overwritesWhenAsked,
	"ExchangeItem_RestoreItemToAction overwriteNewer":       overwritesWhenAsked,
	"ExchangeItem_RestoreItemsAction overwriteNewer":        overwritesWhenAsked,
	"ExchangeItem_RestoreItemsToAction overwriteNewer":      overwritesWhenAsked,
	"ExchangeMailbox_RestoreMailboxAction overwriteNewer":   overwritesWhenAsked,
	"ExchangeMailbox_RestoreMailboxToAction overwriteNewer": overwritesWhenAsked,
	"ExchangeMailbox_RestoreMailboxesAction overwriteNewer": overwritesWhenAsked,
}

const (
	chatsAreOurs         = "chats are backed up, which the contract does not know"
	exploresChats        = "the type Chats besides the contract's four: chats are explored"
	personalSitesAreOurs = "personal sites are backed up besides the OneDrive in them"
	saidInWords          = "the text's words and figures apart, so that it can be said in other languages"
	provenRestore        = "what a restore put back, found equal and did not put back"
	overwritesWhenAsked  = "newer data is overwritten only when asked"
)

// shape is a field of a schema, a parameter, a body or an answer in one text: type, format, members, what it holds, and
// whether it is demanded and may be null.
func shape(ref *openapi3.SchemaRef, required bool) string {
	s := "none"
	switch {
	case ref == nil:
	case ref.Ref != "":
		s = ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
	default:
		v := ref.Value
		s = strings.Join(v.Type.Slice(), "|")
		if v.Format != "" {
			s += ":" + v.Format
		}
		if len(v.Enum) > 0 {
			s += fmt.Sprintf(" of %v", v.Enum)
		}
		if v.Items != nil {
			s += " of " + shape(v.Items, false)
		}
		if v.AdditionalProperties.Schema != nil {
			s += " of any name with " + shape(v.AdditionalProperties.Schema, false)
		}
		for _, part := range slices.Concat(v.AllOf, v.OneOf, v.AnyOf) {
			s += " or " + shape(part, false)
		}
		if v.Nullable {
			s += " or null"
		}
	}
	if required {
		s += ", required"
	}
	return s
}

// shapes are all shapes of a description, by schema and field, and by operation and parameter, body or answer.
func shapes(doc *openapi3.T) map[string]string {
	out := map[string]string{}
	for name, ref := range doc.Components.Schemas {
		if len(ref.Value.Properties) == 0 {
			out[name+" -"] = shape(ref, false)
		}
		for field, of := range ref.Value.Properties {
			out[name+" "+field] = shape(of, slices.Contains(ref.Value.Required, field))
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, p := range op.Parameters {
				out[op.OperationID+" "+p.Value.Name] = p.Value.In + " " + shape(p.Value.Schema, p.Value.Required)
			}
			if op.RequestBody != nil {
				out[op.OperationID+" body"] = content(op.RequestBody.Value.Content)
			}
			for code, answer := range op.Responses.Map() {
				if strings.HasPrefix(code, "2") {
					out[op.OperationID+" "+code] = content(answer.Value.Content)
				}
			}
		}
	}
	return out
}

// content is the shape of a body or an answer. A file is a file: the contract calls its bytes an object, we a binary text.
func content(c openapi3.Content) string {
	for kind, media := range c {
		if kind == "application/octet-stream" {
			return "file"
		}
		return shape(media.Schema, false)
	}
	return "nothing"
}

func shapeLines(all map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s\t%s\n", strings.Replace(key, " ", "\t", 1), all[key])
	}
	return b.String()
}

func readShapes(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(shapesFile)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		cells := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		out[cells[0]+" "+cells[1]] = cells[2]
	}
	return out
}

// beyond says where ours differs from the contract's shapes, but for additions that are listed; a listed one that is no difference is told too.
func beyond(ours, contracts, listed map[string]string) (out []string) {
	known := map[string]bool{} // schemas and operations of the contract; what is ours alone has its own names
	for key := range contracts {
		owner, _, _ := strings.Cut(key, " ")
		known[owner] = true
	}
	for key, want := range contracts {
		got, has := ours[key]
		if _, addition := listed[key]; addition && has && got != want {
			continue
		}
		if got != want {
			out = append(out, fmt.Sprintf("%s: got %q, the contract has %q", key, got, want))
		}
	}
	for key, got := range ours {
		owner, _, _ := strings.Cut(key, " ")
		_, contract := contracts[key]
		if _, addition := listed[key]; known[owner] && !contract && !addition {
			out = append(out, fmt.Sprintf("%s: %q is not in the contract and no addition that is listed", key, got))
		}
	}
	for key := range listed {
		if got, has := ours[key]; !has || got == contracts[key] {
			out = append(out, key+": listed as an addition, and is none")
		}
	}
	slices.Sort(out)
	return out
}

// TestOurDescriptionIsTheContract holds every field, type, member, parameter, body and answer of api/openapi.yaml against the contract. The answers
// themselves are judged by our description in every test that calls the API.
func TestOurDescriptionIsTheContract(t *testing.T) {
	if _, err := os.Stat(fullContract); err == nil {
		doc, err := openapi3.NewLoader().LoadFromFile(fullContract)
		if err != nil {
			t.Fatal(err)
		}
		whole := shapeLines(shapes(doc))
		if *update {
			if err := os.WriteFile(shapesFile, []byte(whole), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if ours, err := os.ReadFile(shapesFile); err != nil || string(ours) != whole {
			t.Errorf("%s differs from the contract (%v)", shapesFile, err)
		}
	}
	ours, contracts := shapes(openAPI(t)), readShapes(t)
	for _, fault := range beyond(ours, contracts, additions) {
		t.Error(fault)
	}

	// A planted difference of each kind is found.
	for name, plant := range map[string]func(map[string]string){
		"a type":           func(m map[string]string) { m["RESTSite isCloud"] = "string, required" },
		"a field too many": func(m map[string]string) { m["RESTSite colour"] = "string" },
		"a field missing":  func(m map[string]string) { delete(m, "RESTTeam mail") },
		"not required":     func(m map[string]string) { m["RESTTeam mail"] = "string" },
		"may not be null":  func(m map[string]string) { m["RESTSite msid"] = "string" },
		"a parameter":      func(m map[string]string) { delete(m, "OrganizationSite_Get setId") },
		"an answer":        func(m map[string]string) { m["OrganizationSite_GetById 200"] = "RESTTeam" },
		"an addition":      func(m map[string]string) { delete(m, "RESTJob chats") },
	} {
		planted := maps.Clone(ours)
		plant(planted)
		if maps.Equal(planted, ours) {
			t.Errorf("%s: nothing was planted", name)
		} else if n := len(beyond(planted, contracts, additions)); n != 1 {
			t.Errorf("%s: %d faults were told, not 1", name, n)
		}
	}
}
