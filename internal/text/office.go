package text

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// office gets the text of the XML parts of a document.
func (o *out) office(ctx context.Context, name string, k kind, data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		if bytes.HasPrefix(data, []byte{0xD0, 0xCF, 0x11, 0xE0}) {
			o.remark("%s is encrypted or of an old format", name)
			return nil
		}
		o.remark("%s is not a readable document", name)
		return nil
	}
	var parts []*zip.File
	for _, f := range z.File {
		if wantedPart(k, f.Name) {
			parts = append(parts, f)
		}
	}
	if len(parts) > 5000 {
		o.remark("only the first 5000 parts of %s are searched", name)
		parts = parts[:5000]
	}
	slices.SortStableFunc(parts, func(a, b *zip.File) int {
		if n := len(a.Name) - len(b.Name); n != 0 && path.Dir(a.Name) == path.Dir(b.Name) {
			return n // slide10 after slide9
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, f := range parts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r, err := f.Open()
		if err != nil {
			o.remark("a part of %s can't be read", name)
			continue
		}
		limited := &io.LimitedReader{R: r, N: o.left}
		err = o.xml(k, limited)
		_ = r.Close() // nothing was written
		o.left = limited.N
		switch {
		case errors.Is(err, errFull):
			return nil
		case o.left <= 0:
			o.remark("%s has more than %d MB unpacked", name, o.limits.Unpacked>>20)
			return nil
		case err != nil:
			o.remark("a part of %s is damaged", name)
		}
		o.gap()
	}
	return nil
}

func wantedPart(k kind, name string) bool {
	dir, base := path.Split(name)
	if path.Ext(base) != ".xml" {
		return false
	}
	switch k {
	case word:
		return dir == "word/" && (base == "document.xml" || base == "comments.xml" || base == "footnotes.xml" || base == "endnotes.xml" || strings.HasPrefix(base, "header") || strings.HasPrefix(base, "footer"))
	case sheet:
		return name == "xl/sharedStrings.xml" || name == "xl/workbook.xml" || dir == "xl/worksheets/" || dir == "xl/" && strings.HasPrefix(base, "comments")
	case slides:
		return dir == "ppt/slides/" || dir == "ppt/notesSlides/" || dir == "ppt/comments/"
	case document:
		return name == "content.xml"
	}
	return false
}

// deepestXML bounds how deep elements may lie in each other.
const deepestXML = 256

// xml adds the character data of a part. Elements end words, but for those that make up a run of text.
func (o *out) xml(k kind, r io.Reader) error {
	d := xml.NewDecoder(r)
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	depth, skip := 0, 0 // skip: depth of the element that is left out
	shared := false     // a cell whose value is the number of a shared string
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > deepestXML {
				return errors.New("too deep")
			}
			switch name := t.Name.Local; {
			case skip > 0:
			case name == "instrText" || name == "delText" || name == "f" && k == sheet:
				skip = depth
			case name == "c" && k == sheet:
				shared = slices.ContainsFunc(t.Attr, func(a xml.Attr) bool {
					return a.Name.Local == "t" && (a.Value == "s" || a.Value == "b" || a.Value == "e")
				})
			case name == "v" && k == sheet && shared:
				skip = depth
			case name == "sheet" && k == sheet:
				for _, a := range t.Attr {
					if a.Name.Local == "name" {
						o.add(a.Value)
						o.gap()
					}
				}
			case name == "tab" || name == "br" || name == "s" || name == "line-break":
				o.add(" ")
			}
		case xml.EndElement:
			if skip == depth {
				skip = 0
			}
			depth--
			switch t.Name.Local {
			case "p", "h", "si", "c", "row", "tr", "definedName", "text":
				o.gap()
			}
		case xml.CharData:
			if skip == 0 && len(bytes.TrimSpace(t)) > 0 {
				o.add(string(t))
			} else if skip == 0 && len(t) > 0 && t[0] == ' ' {
				o.add(" ")
			}
		}
		if o.full() {
			return errFull
		}
	}
}
