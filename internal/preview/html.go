package preview

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"holdfast/internal/holdfast"
)

// Cleaning is done twice, by two allow-lists that know nothing of each other: here, where what is left out is counted and images and links
// are changed, and then by bluemonday.

// kept are the elements that stay. What is in any other one that is not dropped stays without it.
var kept = set("a abbr address article aside b bdi big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var")

// dropped are the elements that go with all that is in them, and what is said of it.
var dropped = map[string]string{
	"script": "script", "noscript": "script", "style": "style sheet", "svg": "svg", "math": "math", "object": "embedded object", "embed": "embedded object", "applet": "embedded object",
	"iframe": "frame", "frame": "frame", "frameset": "frame", "portal": "frame", "audio": "media", "video": "media", "source": "media", "track": "media", "picture": "media", "canvas": "script",
	"link": "linked file", "base": "base address", "template": "template", "input": "form field", "textarea": "form field", "select": "form field", "option": "form field", "datalist": "form field",
	"dialog": "dialog", "title": "", "param": "embedded object", "marquee": "moving text", "bgsound": "media", "xml": "xml", "noembed": "embedded object", "noframes": "frame", "plaintext": "plaintext", "map": "image map", "area": "image map",
}

// unwrapped are the elements that go, but what is in them stays, and it is said.
var unwrapped = map[string]string{"form": "form", "button": "form field", "fieldset": "", "label": "", "legend": ""}

// attributes that stay on any element; others are named below.
var attributes = set("align valign width height border cellpadding cellspacing bgcolor color face size dir lang title alt colspan rowspan nowrap span start type value cite datetime open")

var (
	number   = regexp.MustCompile(`^[0-9]{1,5}(\.[0-9]{1,4})?(%|px|pt|em)?$`)
	simple   = regexp.MustCompile(`^[#\w\s.,%+-]{0,200}$`)
	cssName  = regexp.MustCompile(`^[a-z-]{1,40}$`)
	cssValue = regexp.MustCompile(`^[\w\s#%.,'"!+/-]*$`)
	cssFunc  = regexp.MustCompile(`\b(?:rgb|rgba|hsl|hsla)\([0-9a-z\s,.%/]*\)`)
	imported = regexp.MustCompile(`(?i)@import|url\s*\(`)
)

// styles are the properties of style that stay. None of them fetches anything or lays something over something else.
var styles = set(`background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width border-collapse border-color border-left border-left-color border-left-style
border-left-width border-radius border-right border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color border-top-style border-top-width border-width
caption-side clear color direction display empty-cells float font font-family font-size font-style font-variant font-weight height letter-spacing line-height list-style-position list-style-type margin
margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width mso-line-height-rule overflow-wrap padding padding-bottom padding-left padding-right padding-top table-layout
text-align text-decoration text-decoration-color text-decoration-line text-indent text-transform vertical-align white-space width word-break word-spacing word-wrap`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// tally counts what was removed.
type tally struct{ list []holdfast.Omission }

func (t *tally) add(what, detail string) {
	if what == "" {
		return
	}
	i := slices.IndexFunc(t.list, func(r holdfast.Omission) bool { return r.What == what })
	if i < 0 {
		i, t.list = len(t.list), append(t.list, holdfast.Omission{What: what})
	}
	r := &t.list[i]
	r.Count++
	if detail = Visible(shorten(strings.TrimSpace(detail), 200)); detail != "" && len(r.Details) < 5 && !slices.Contains(r.Details, detail) {
		r.Details = append(r.Details, detail)
	}
}

// merge adds what was removed elsewhere.
func (t *tally) merge(o holdfast.Omission) {
	t.add(o.What, "")
	r := &t.list[slices.IndexFunc(t.list, func(r holdfast.Omission) bool { return r.What == o.What })]
	r.Count += o.Count - 1
	for _, d := range o.Details {
		if len(r.Details) < 5 && !slices.Contains(r.Details, d) {
			r.Details = append(r.Details, d)
		}
	}
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// cleaner cleans the HTML of one mail.
type cleaner struct {
	tally
	images map[string][]byte // by content id
	used   map[string]bool
	room   int // bytes of images that may still be put in
}

// clean gives HTML from the allow-list. An error says that the text can't be taken apart; it is then shown as text.
func (c *cleaner) clean(text string) (string, error) {
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return "", fmt.Errorf("parse: %w", err)
	}
	var out bytes.Buffer
	for top := doc.FirstChild; top != nil; top = top.NextSibling {
		c.node(&out, top, 0)
	}
	return policy().Sanitize(out.String()), nil
}

// node writes what stays of a node. The parser bounds how deep a tree is (512).
func (c *cleaner) node(out *bytes.Buffer, n *html.Node, depth int) {
	switch n.Type {
	case html.TextNode:
		out.WriteString(html.EscapeString(ordered(n.Data)))
		return
	case html.CommentNode:
		if strings.Contains(n.Data, "[if") {
			c.add("conditional comment", "")
		}
		return
	case html.ElementNode:
	default:
		return
	}
	name := n.Data
	if n.Namespace != "" {
		c.add(n.Namespace, "")
		return
	}
	if depth > 600 {
		return
	}
	if name == "meta" {
		if strings.EqualFold(attribute(n, "http-equiv"), "refresh") {
			c.add("meta refresh", attribute(n, "content"))
		}
		return
	}
	if what, ok := dropped[name]; ok {
		detail := ""
		switch {
		case name == "style" && n.FirstChild != nil && imported.MatchString(n.FirstChild.Data):
			detail = "it asks for files elsewhere"
		default:
			for _, a := range []string{"src", "href", "data", "action", "xlink:href"} {
				if detail == "" {
					detail = attribute(n, a)
				}
			}
		}
		c.add(what, detail)
		return
	}
	c.handlers(n)
	if name == "img" || name == "image" {
		c.image(out, n)
		return
	}
	if what, ok := unwrapped[name]; ok {
		c.add(what, attribute(n, "action"))
	}
	open := kept[name]
	if !open && name != "html" && name != "head" && name != "body" && unwrapped[name] == "" && strings.ContainsAny(name, ":-") {
		c.add("unknown element", name)
	}
	target := ""
	if open {
		out.WriteString("<" + name)
		c.attributes(out, n)
		if name == "a" {
			target = c.link(out, n)
		}
		out.WriteString(">")
	}
	if n.DataAtom == atom.Br || n.DataAtom == atom.Hr || n.DataAtom == atom.Col {
		return
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.node(out, child, depth+1)
	}
	if open {
		out.WriteString("</" + name + ">")
	}
	if target != "" && !samePlace(text(n), target) {
		out.WriteString(` <small>[` + html.EscapeString(shorten(Visible(target), 300)) + `]</small>`)
	}
	if name == "body" && (attribute(n, "background") != "") {
		c.add("remote image", attribute(n, "background"))
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if strings.EqualFold(a.Key, name) {
			return a.Val
		}
	}
	return ""
}

// handlers counts what runs at events.
func (c *cleaner) handlers(n *html.Node) {
	for _, a := range n.Attr {
		if strings.HasPrefix(strings.ToLower(a.Key), "on") {
			c.add("event handler", a.Key)
		}
	}
}

// attributes writes the harmless ones.
func (c *cleaner) attributes(out *bytes.Buffer, n *html.Node) {
	seen := map[string]bool{}
	for _, a := range n.Attr {
		key := strings.ToLower(a.Key)
		switch {
		case a.Namespace != "" || seen[key]:
		case key == "style":
			if s := c.style(a.Val); s != "" {
				fmt.Fprintf(out, ` style="%s"`, html.EscapeString(s))
			}
		case key == "background" && n.Data != "body":
			c.add("remote image", a.Val)
		case key == "title" || key == "alt":
			fmt.Fprintf(out, ` %s="%s"`, key, html.EscapeString(shorten(Visible(a.Val), 500)))
		case key == "type" && n.Data != "ol" && n.Data != "ul" && n.Data != "li", key == "value" && n.Data != "li", key == "cite":
		case attributes[key] && simple.MatchString(a.Val):
			fmt.Fprintf(out, ` %s="%s"`, key, html.EscapeString(a.Val))
		}
		seen[key] = true
	}
}

// style gives the declarations that are on the list and ask for nothing.
func (c *cleaner) style(text string) string {
	var out []string
	lower := strings.ToLower(text)
	if strings.Contains(lower, "url") || strings.ContainsAny(text, `\@`) || strings.Contains(lower, "expression") || strings.Contains(text, "/*") {
		c.add("css that asks for files or hides what it does", text)
	}
	if strings.ContainsAny(text, "\\@{}<>") || strings.Contains(text, "/*") || len(text) > 8<<10 {
		return "" // what a browser makes of it is not for us to guess
	}
	for _, declaration := range strings.Split(text, ";") {
		name, value, ok := strings.Cut(declaration, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if !ok || !cssName.MatchString(name) || !styles[name] || value == "" || len(value) > 200 {
			continue
		}
		if plain := cssFunc.ReplaceAllString(strings.ToLower(value), ""); !cssValue.MatchString(plain) || strings.Count(plain, `"`)%2 != 0 || strings.Count(plain, "'")%2 != 0 {
			continue
		}
		out = append(out, name+":"+value)
	}
	return strings.Join(out, ";")
}

// link writes the target of a link, when it is one that people follow, and gives it.
func (c *cleaner) link(out *bytes.Buffer, n *html.Node) string {
	raw := attribute(n, "href")
	if raw == "" || strings.HasPrefix(strings.TrimSpace(raw), "#") {
		return ""
	}
	u, err := url.Parse(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1 // browsers drop them, so that java\nscript: is a program
		}
		return r
	}, strings.TrimSpace(raw)))
	if err != nil {
		c.add("link that is none", raw)
		return ""
	}
	switch scheme := strings.ToLower(u.Scheme); {
	case (scheme == "http" || scheme == "https") && u.Host != "":
	case scheme == "mailto" && u.Opaque != "":
	default:
		c.add("link that runs or opens something", raw)
		return ""
	}
	to := u.String()
	if len(to) > 4096 {
		c.add("link that is too long", raw)
		return ""
	}
	fmt.Fprintf(out, ` href="%s" target="_blank" rel="noopener noreferrer"`, html.EscapeString(to))
	return strings.TrimPrefix(to, "mailto:")
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && b.Len() < 4096 {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// samePlace says that a link shows where it goes.
func samePlace(shown, target string) bool {
	strip := func(s string) string {
		s = strings.ToLower(strings.TrimSpace(s))
		for _, p := range []string{"https://", "http://"} {
			s = strings.TrimPrefix(s, p)
		}
		return strings.TrimSuffix(s, "/")
	}
	return strip(shown) == strip(target)
}

// image writes an image that the mail itself brings; all others go.
func (c *cleaner) image(out *bytes.Buffer, n *html.Node) {
	src := strings.TrimSpace(attribute(n, "src"))
	if attribute(n, "srcset") != "" {
		c.add("remote image", attribute(n, "srcset"))
	}
	var data []byte
	shown := ""
	scheme, rest, _ := strings.Cut(src, ":")
	switch strings.ToLower(strings.TrimSpace(scheme)) {
	case "cid":
		id := rest
		if plain, err := url.PathUnescape(rest); err == nil {
			id = plain
		}
		if data = c.images[id]; data == nil {
			c.add("image that the mail does not have", src)
		}
		shown = id
	case "data":
		meta, payload, _ := strings.Cut(rest, ",")
		if !strings.HasSuffix(strings.ToLower(strings.TrimSpace(meta)), ";base64") || len(payload) > maxCID*2 {
			c.add("image that is none", shorten(src, 60))
			break
		}
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(payload), "")); err != nil {
			c.add("image that is none", shorten(src, 60))
		}
	case "":
		if src == "" {
			return
		}
		fallthrough
	default:
		c.add("remote image", src)
	}
	if data != nil {
		kind := imageType(data)
		switch {
		case kind == "":
			c.add("image that is none", shorten(src, 60))
			data = nil
		case checkImage(kind, data, maxCID) != nil:
			c.add("image that is too large", shorten(src, 60))
			data = nil
		case len(data) > c.room:
			c.add("image that is too large", shorten(src, 60))
			data = nil
		default:
			c.room -= len(data)
			c.used[shown] = true
			fmt.Fprintf(out, `<img src="data:%s;base64,%s"`, kind, base64.StdEncoding.EncodeToString(data))
			c.attributes(out, n)
			out.WriteString(">")
			return
		}
	}
	if alt := strings.TrimSpace(attribute(n, "alt")); alt != "" {
		out.WriteString(html.EscapeString("[" + shorten(Visible(alt), 200) + "]"))
	}
}

// policy is the second wall.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	for name := range kept {
		p.AllowElements(name)
		p.AllowNoAttrs().OnElements(name)
	}
	for name := range attributes {
		switch name {
		case "title", "alt":
			p.AllowAttrs(name).Globally()
		case "width", "height", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "span", "start", "size":
			p.AllowAttrs(name).Matching(number).Globally()
		default:
			p.AllowAttrs(name).Matching(simple).Globally()
		}
	}
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_blank$`)).OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.AllowAttrs("src").OnElements("img")
	p.AllowDataURIImages()
	for name := range styles {
		p.AllowStyles(name).Matching(regexp.MustCompile(`^[\w\s#%.,'"!+/()-]*$`)).Globally()
	}
	return p
})
