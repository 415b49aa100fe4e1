package text

import (
	"errors"
	"io"
	"strings"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// inline are elements that do not end a word.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Big: true, atom.Cite: true, atom.Code: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Ins: true, atom.Kbd: true,
	atom.Mark: true, atom.Q: true, atom.S: true, atom.Samp: true, atom.Small: true, atom.Span: true, atom.Strong: true, atom.Sub: true, atom.Sup: true, atom.Tt: true, atom.U: true, atom.Var: true, atom.Wbr: true,
}

func (o *out) html(r io.Reader) {
	z := nethtml.NewTokenizer(r)
	z.SetMaxBuf(1 << 20)
	skip := atom.Atom(0) // the element whose content is left out
	for !o.full() {
		switch z.Next() {
		case nethtml.ErrorToken:
			if errors.Is(z.Err(), nethtml.ErrBufferExceeded) {
				o.remark("a page has an element of more than 1 MB")
			}
			return
		case nethtml.TextToken:
			if skip == 0 {
				o.add(collapse(string(z.Text())))
			}
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			name, attrs := z.TagName()
			a := atom.Lookup(name)
			switch a {
			case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Iframe, atom.Noframes, atom.Noembed:
				if skip == 0 {
					skip = a
				}
				continue
			}
			if skip == 0 && !inline[a] {
				o.gap()
			}
			for attrs && skip == 0 {
				var key, value []byte
				key, value, attrs = z.TagAttr()
				if string(key) == "alt" || string(key) == "title" && a == atom.Img {
					o.add(collapse(string(value)))
					o.gap()
				}
			}
		case nethtml.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if a == skip && a != 0 {
				skip = 0
			} else if skip == 0 && !inline[a] {
				o.gap()
			}
		}
	}
}

// collapse makes one space of white space.
func collapse(s string) string {
	if !strings.ContainsAny(s, "\n\t\r") && !strings.Contains(s, "  ") {
		return s
	}
	f := strings.Join(strings.Fields(s), " ")
	if f == "" {
		return " "
	}
	if strings.ContainsAny(s[:1], " \n\r\t") {
		f = " " + f
	}
	if strings.ContainsAny(s[len(s)-1:], " \n\r\t") {
		f += " "
	}
	return f
}
