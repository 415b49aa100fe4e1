package sim

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"receivedDateTime ge 2020-01-01T00:00:00Z and isRead eq false", "not (a eq 'it''s') or b in (1,2,3)", "startswith(subject,'x')",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'String {6f3c1d52-8a0e-4b59-9c43-5d0c7c1b8e21} Name X' and ep/value eq 'y')",
		"groupTypes/any(c:c eq 'Unified')", "cast(ep/value, Edm.Int32) gt 4", "((((", "a/any()", "x eq null", "'",
	} {
		f.Add(s)
	}
	get := func(path string) (any, bool) {
		switch {
		case strings.HasSuffix(path, "DateTime"):
			return time.Unix(0, 0), true
		case path == "isRead":
			return true, true
		case path == "n":
			return 1.0, true
		case path == "list":
			return []string{"a"}, true
		}
		return path, len(path) < 20
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseFilter(s)
		if err != nil {
			return
		}
		_, err1 := e.Match(get)
		_, err2 := e.Match(get)
		if (err1 == nil) != (err2 == nil) {
			t.Errorf("%q: %v, then %v", s, err1, err2)
		}
		bounds(e)
		namesOwnProperty(e)
		extendedNamed(e)
	})
}

func FuzzExpand(f *testing.F) {
	f.Add("attachments($select=id,name;$expand=microsoft.graph.itemattachment/item),singleValueExtendedProperties($filter=id eq 'Integer 0x0E07' or id eq 'String {00020329-0000-0000-c000-000000000046} Name a;b')")
	f.Add("a(b(c(")
	f.Add("a($levels=max)")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseExpand(s, 0)
		if err != nil {
			return
		}
		for _, e := range list {
			if e.Name == "" {
				t.Errorf("%q: a nameless expansion", s)
			}
			_, _ = extendedIDs(e) // must only not panic
		}
	})
}

func FuzzMIME(f *testing.F) {
	for _, s := range []string{
		"Subject: a\r\n\r\nb", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--", "Content-Type: message/rfc822\n\nSubject: =?x?B?AAA?=\n\n",
		"From: a <b@c>, \"d\" <e>\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!", "Content-Type: multipart/alternative; boundary=\"\"\n\n--\n--\n",
	} {
		f.Add([]byte(s))
	}
	blobs, err := openBlobs(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := blobs.close(); err != nil && !os.IsNotExist(err) {
			f.Error(err)
		}
	})
	s := &Sim{blobs: blobs}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := s.messageFromMIME(raw)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.mimeOf(m, "")
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("a message with exact bytes gave others: %v", err)
		}
		m.raw = nil // as after a restore: generated from its parts
		made, err := s.mimeOf(m, "")
		if err != nil {
			t.Fatal(err)
		}
		back, err := s.messageFromMIME(made)
		if err != nil {
			t.Fatal(err)
		}
		if len(back.attachments) != len(m.attachments) {
			t.Errorf("%d attachments became %d\n%s", len(m.attachments), len(back.attachments), made)
		}
	})
}
