package extract

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what an Office file may be, besides Limits.
const (
	maxEntries = 20_000 // of the archive
	maxDepth   = 256    // elements in each other
	maxStrings = 1 << 20
)

// office takes the text out of a docx, xlsx, pptx or OpenDocument file: archives of XML.
func office(b *builder, data []byte) (format string, err error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", fmt.Errorf("garbled archive: %w", err)
	}
	if len(z.File) > maxEntries {
		return "", fmt.Errorf("the archive has %d entries: %w", len(z.File), ErrNone)
	}
	a := &archive{files: map[string]*zip.File{}, left: &b.unpacked}
	for _, f := range z.File {
		if _, twice := a.files[f.Name]; !twice {
			a.files[f.Name] = f
		}
	}
	switch {
	case a.has("word/document.xml"):
		for _, name := range append([]string{"word/document.xml"}, a.numbered("word/footnotes", "word/endnotes", "word/comments", "word/header", "word/footer")...) {
			if err := a.xml(name, func(d *xml.Decoder) error { return words(b, d) }); err != nil {
				return "docx", err
			}
		}
		return "docx", nil
	case a.has("xl/workbook.xml"):
		return "xlsx", a.sheets(b)
	case a.has("ppt/presentation.xml"):
		for _, name := range append(a.numbered("ppt/slides/slide"), a.numbered("ppt/notesSlides/notesSlide")...) {
			if err := a.xml(name, func(d *xml.Decoder) error { return words(b, d) }); err != nil {
				return "pptx", err
			}
		}
		return "pptx", nil
	case a.has("content.xml") && a.has("mimetype"):
		format = "odt"
		if f, err := a.open("mimetype"); err == nil {
			kind := make([]byte, 100)
			n, _ := io.ReadFull(f, kind)
			for suffix, name := range map[string]string{"spreadsheet": "ods", "presentation": "odp"} {
				if strings.Contains(string(kind[:n]), suffix) {
					format = name
				}
			}
		}
		return format, a.xml("content.xml", func(d *xml.Decoder) error { return openDocument(b, d) })
	}
	return "", ErrNone
}

type archive struct {
	files map[string]*zip.File
	left  *int64 // bytes that may still be unpacked
}

func (a *archive) has(name string) bool { return a.files[name] != nil }

// numbered gives the parts whose names begin so, slide2 before slide10.
func (a *archive) numbered(prefixes ...string) []string {
	var all []string
	for _, p := range prefixes {
		var found []string
		for name := range a.files {
			if number, ok := strings.CutPrefix(name, p); ok && path.Ext(name) == ".xml" && !strings.Contains(number, "/") {
				found = append(found, name)
			}
		}
		slices.SortFunc(found, func(x, y string) int {
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			return strings.Compare(x, y)
		})
		all = append(all, found...)
	}
	return all
}

// open reads a part, within what may be unpacked in all.
func (a *archive) open(name string) (io.ReadCloser, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("the file has no part %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", name, err)
	}
	return &metered{r, a}, nil
}

type metered struct {
	io.ReadCloser
	a *archive
}

var errBomb = errors.New("the file unpacks to more than it may")

func (m *metered) Read(p []byte) (int, error) {
	if *m.a.left <= 0 {
		return 0, errBomb
	}
	n, err := m.ReadCloser.Read(p[:min(int64(len(p)), *m.a.left)])
	*m.a.left -= int64(n)
	return n, err
}

func (a *archive) xml(name string, read func(*xml.Decoder) error) error {
	r, err := a.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	d.Strict = false
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("Office files are in UTF-8") }
	if err := read(d); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// walk gives the tokens of XML that is not too deep.
func walk(d *xml.Decoder, each func(xml.Token) error) error {
	depth := 0
	for {
		t, err := d.RawToken() // keeps no stack and knows no entities but XML's own
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("its elements lie more than %d deep in each other", maxDepth)
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return errors.New("it has a document type, which no Office file has")
		}
		if err := each(t); err != nil {
			return err
		}
	}
}

// words takes the text of Word and PowerPoint: runs of <t>, paragraphs of <p>.
func words(b *builder, d *xml.Decoder) error {
	in := false
	return walk(d, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "t":
				in = true
			case "tab":
				return b.add("\t")
			case "br", "cr":
				return b.add("\n")
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "t":
				in = false
			case "p":
				return b.line()
			case "tc":
				return b.add("\t")
			}
		case xml.CharData:
			if in {
				return b.add(string(t))
			}
		}
		return nil
	})
}

// sheets takes the cells of a workbook: a line for each row, tabs between. For the index the names of its sheets come first.
func (a *archive) sheets(b *builder) error {
	if b.searched {
		if err := a.xml("xl/workbook.xml", func(d *xml.Decoder) error { return sheetNames(b, d) }); err != nil {
			return err
		}
	}
	var texts []string
	if a.has("xl/sharedStrings.xml") {
		var one strings.Builder
		in, ruby := false, false
		size := 0
		if err := a.xml("xl/sharedStrings.xml", func(d *xml.Decoder) error {
			return walk(d, func(t xml.Token) error {
				switch t := t.(type) {
				case xml.StartElement:
					in, ruby = in || t.Name.Local == "t", ruby || t.Name.Local == "rPh"
				case xml.EndElement:
					switch t.Name.Local {
					case "t":
						in = false
					case "rPh":
						ruby = false // how to pronounce it
					case "si":
						if len(texts) == maxStrings {
							return errEnough
						}
						texts = append(texts, one.String())
						one.Reset()
					}
				case xml.CharData:
					if size += len(t); size > 64<<20 {
						return errBomb
					}
					if in && !ruby {
						one.Write(t)
					}
				}
				return nil
			})
		}); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	for _, name := range a.numbered("xl/worksheets/sheet") {
		kind, in := "", false
		var value strings.Builder
		first := true
		if err := a.xml(name, func(d *xml.Decoder) error {
			return walk(d, func(t xml.Token) error {
				switch t := t.(type) {
				case xml.StartElement:
					switch t.Name.Local {
					case "row":
						first = true
					case "c":
						kind = ""
						for _, attr := range t.Attr {
							if attr.Name.Local == "t" {
								kind = attr.Value
							}
						}
					case "v", "t":
						in = true
						value.Reset()
					}
				case xml.EndElement:
					switch t.Name.Local {
					case "row":
						return b.line()
					case "v", "t":
						in = false
						text := value.String()
						if kind == "s" {
							n, err := strconv.Atoi(strings.TrimSpace(text))
							if err != nil || n < 0 || n >= len(texts) {
								return nil
							}
							text = texts[n]
						}
						if !first {
							text = "\t" + text
						}
						first = false
						return b.add(text)
					}
				case xml.CharData:
					if in && value.Len() < 1<<20 {
						value.Write(t)
					}
				}
				return nil
			})
		}); err != nil {
			return err
		}
		if err := b.line(); err != nil {
			return err
		}
	}
	return nil
}

func sheetNames(b *builder, d *xml.Decoder) error {
	return walk(d, func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "sheet" {
			return nil
		}
		for _, attr := range start.Attr {
			if attr.Name.Local == "name" {
				if err := b.add(attr.Value); err != nil {
					return err
				}
				return b.line()
			}
		}
		return nil
	})
}

// openDocument takes all text below the body.
func openDocument(b *builder, d *xml.Decoder) error {
	body := false
	return walk(d, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "body":
				body = true
			case "tab":
				return b.add("\t")
			case "line-break":
				return b.add("\n")
			case "s":
				return b.add(" ")
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "p", "h", "table-row":
				return b.line()
			case "table-cell":
				return b.add("\t")
			}
		case xml.CharData:
			if body {
				return b.add(string(t))
			}
		}
		return nil
	})
}
