package rest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"holdfast/api"
)

// The page about the API, /api, is made from our own description, which is beside it. It has no script, needs no sign-in and tells nothing of the
// installation.
const (
	apiPagePath        = "/api"
	apiDescriptionPath = "/api/openapi.yaml"
)

//go:embed apipage.html
var apiPageText string

// apiPage gives the page; its nonce is still a mark.
var apiPage = sync.OnceValues(func() ([]byte, error) {
	t, err := template.New("api").Parse(apiPageText)
	if err != nil {
		return nil, err
	}
	page, err := describe(api.Description)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, page)
	return out.Bytes(), err
})

// apiDescription is the description, compressed once: whoever is there may ask, without a sign-in.
var apiDescription = sync.OnceValue(func() []byte { return compress(api.Description, gzip.BestCompression) })

// serveAPIPage answers the page and the description, and says whether it was asked for them.
func (a *API) serveAPIPage(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	h := w.Header()
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case apiDescriptionPath:
		h.Set("Content-Security-Policy", assetCSP)
		h.Set("Content-Type", "application/yaml; charset=utf-8")
		packed := []byte(nil)
		if acceptsGzip(r) {
			packed = apiDescription()
		}
		writePacked(w, r, api.Description, packed)
	case apiPagePath:
		page, err := apiPage()
		if err != nil {
			a.fail(&answer{ResponseWriter: w}, r, "api page", fmt.Errorf("make the page about the API: %w", err))
			return true
		}
		nonce := rand.Text()
		h.Set("Content-Security-Policy", strings.ReplaceAll(pageCSP, nonceMark, nonce))
		h.Set("Content-Type", "text/html; charset=utf-8")
		page = bytes.Replace(page, []byte(nonceMark), []byte(nonce), 1)
		packed := []byte(nil)
		if acceptsGzip(r) { // each has its nonce, so none is kept: fast rather than small
			packed = compress(page, gzip.BestSpeed)
		}
		writePacked(w, r, page, packed)
	default:
		return false
	}
	return true
}

// writePacked sends what is packed, when it is, instead of body: both are about a megabyte.
func writePacked(w http.ResponseWriter, r *http.Request, body, packed []byte) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Vary", "Accept-Encoding")
	if packed != nil {
		w.Header().Set("Content-Encoding", "gzip")
		body = packed
	}
	write(w, r, body)
}

// What the page shows.
type (
	apiDescribed struct {
		Title             string
		Built, Whole, Own int
		Groups            []apiGroup
		Shapes            []apiShape
	}
	apiGroup struct {
		Name       string
		Operations []apiOperation
	}
	apiOperation struct {
		ID, Method, Path, Summary, Act string
		Why                            string // it is not built
		Parameters                     []apiParameter
		Body                           *apiType
		Answers                        []apiAnswer
	}
	apiParameter struct {
		Name, In, Meaning string
		Needed            bool
		Type              apiType
	}
	apiAnswer struct {
		Status string
		Type   *apiType
	}
	apiShape struct {
		Name, Meaning string
		Type          *apiType // when it has no members
		Members       []apiParameter
	}
	// apiType is a shape of its own, or a text; Before is what holds it, such as "array of ".
	apiType struct{ Before, Shape, Text string }
)

// What is read of the description.
type (
	yamlDocument struct {
		Info  struct{ Title string }
		Paths yaml.Node
		// Parameters, answers and shapes that others refer to.
		Components struct {
			Schemas    yaml.Node
			Parameters map[string]yamlParameter
		}
	}
	yamlOperation struct {
		Tags        []string
		OperationID string `yaml:"operationId"`
		Summary     string
		Act         string `yaml:"x-act"`
		Parameters  []yamlParameter
		RequestBody struct{ Content yamlContent } `yaml:"requestBody"`
		Responses   yaml.Node
	}
	yamlParameter struct {
		Ref         string `yaml:"$ref"`
		Name, In    string
		Description string
		Required    bool
		Schema      yamlSchema
	}
	yamlContent map[string]struct{ Schema yamlSchema }
	yamlSchema  struct {
		Ref          string `yaml:"$ref"`
		Type, Format string
		Description  string
		Enum         []string
		Items        *yamlSchema
		AllOf        []yamlSchema `yaml:"allOf"`
		Required     []string
		Properties   yaml.Node
	}
)

// pairs are the members of a mapping in their order.
func pairs(n *yaml.Node, each func(name string, value *yaml.Node) error) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := each(n.Content[i].Value, n.Content[i+1]); err != nil {
			return fmt.Errorf("%s: %w", n.Content[i].Value, err)
		}
	}
	return nil
}

// describe reads the description.
func describe(text []byte) (apiDescribed, error) {
	var doc yamlDocument
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return apiDescribed{}, err
	}
	page := apiDescribed{Title: doc.Info.Title}
	why := map[string]string{}
	for _, op := range Operations() {
		if page.Whole++; op.Built {
			page.Built++
		}
		why[op.ID] = op.Why
	}
	group := map[string]int{}
	err := pairs(&doc.Paths, func(path string, item *yaml.Node) error {
		return pairs(item, func(method string, node *yaml.Node) error {
			if node.Kind != yaml.MappingNode {
				return nil // parameters of the whole path
			}
			var op yamlOperation
			if err := node.Decode(&op); err != nil {
				return err
			}
			if strings.HasPrefix(path, "/"+ownPrefix) {
				page.Own++
			}
			tag := "Others"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			at, ok := group[tag]
			if !ok {
				at = len(page.Groups)
				group[tag] = at
				page.Groups = append(page.Groups, apiGroup{Name: tag})
			}
			out := apiOperation{ID: op.OperationID, Method: strings.ToUpper(method), Path: path, Summary: op.Summary, Act: op.Act, Why: why[op.OperationID], Body: op.RequestBody.Content.typeOf()}
			for _, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					p = doc.Components.Parameters[name]
				}
				out.Parameters = append(out.Parameters, apiParameter{p.Name, p.In, p.Description, p.Required, p.Schema.typeOf()})
			}
			err := pairs(&op.Responses, func(status string, node *yaml.Node) error {
				var answer struct{ Content yamlContent }
				if err := node.Decode(&answer); err != nil || status == "default" {
					return err
				}
				out.Answers = append(out.Answers, apiAnswer{status, answer.Content.typeOf()})
				return nil
			})
			page.Groups[at].Operations = append(page.Groups[at].Operations, out)
			return err
		})
	})
	if err != nil {
		return page, err
	}
	return page, pairs(&doc.Components.Schemas, func(name string, node *yaml.Node) error {
		var s yamlSchema
		if err := node.Decode(&s); err != nil {
			return err
		}
		shape := apiShape{Name: name, Meaning: s.Description}
		for _, part := range append([]yamlSchema{s}, s.AllOf...) {
			if part.Ref != "" {
				shape.Type = new(part.typeOf())
				shape.Type.Before = "all of "
			}
			if err := part.members(&shape); err != nil {
				return err
			}
		}
		if len(shape.Members) == 0 && shape.Type == nil {
			shape.Type = new(s.typeOf())
		}
		page.Shapes = append(page.Shapes, shape)
		return nil
	})
}

func (s yamlSchema) members(into *apiShape) error {
	needed := map[string]bool{}
	for _, name := range s.Required {
		needed[name] = true
	}
	return pairs(&s.Properties, func(name string, node *yaml.Node) error {
		var m yamlSchema
		if err := node.Decode(&m); err != nil {
			return err
		}
		into.Members = append(into.Members, apiParameter{Name: name, Meaning: m.Description, Needed: needed[name], Type: m.typeOf()})
		return nil
	})
}

// typeOf is the type of a body; nil when there is none.
func (c yamlContent) typeOf() *apiType {
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded"} {
		if body, ok := c[kind]; ok {
			return new(body.Schema.typeOf())
		}
	}
	for kind := range c {
		return &apiType{Text: kind}
	}
	return nil
}

func (s yamlSchema) typeOf() apiType {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return apiType{Shape: name}
	}
	switch {
	case s.Items != nil:
		t := s.Items.typeOf()
		t.Before = "array of " + t.Before
		return t
	case len(s.AllOf) == 1:
		return s.AllOf[0].typeOf()
	case len(s.Enum) > 0:
		return apiType{Text: "one of " + strings.Join(s.Enum, ", ")}
	case s.Format != "":
		return apiType{Text: s.Type + " (" + s.Format + ")"}
	}
	return apiType{Text: cmp.Or(s.Type, "anything")}
}
