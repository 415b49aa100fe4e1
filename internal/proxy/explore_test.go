package proxy_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
	"holdfast/internal/proxy"
	"holdfast/internal/vault"
	"holdfast/internal/vault/place"
)

type oneHead struct{ record holdfast.HeadRecord }

func (h oneHead) Head(context.Context, holdfast.RepositoryID, holdfast.OrganizationID, string, uint64) (holdfast.HeadRecord, error) {
	return h.record, nil
}

// put stores an item.
type put func(holdfast.Item, ...holdfast.Payload)

func whole(form holdfast.Form, text string) holdfast.Payload {
	return holdfast.Whole(form, strings.NewReader(text), int64(len(text)))
}

// stored gives an explorer over a vault with one container.
func stored(t *testing.T, kind holdfast.ContainerKind, fill func(put)) (*proxy.Explorer, holdfast.View) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "place")
	const repository, organization = "0f0e0d0c-0000-4000-8000-000000000002", "0f0e0d0c-0000-4000-8000-000000000001"
	must(place.Prepare(dir, place.Description{ID: repository, KeyID: "test", Created: time.Now()}))
	v := vault.New(vault.Options{Password: func(context.Context, vault.Ref) ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }})
	at := vault.Ref{Repository: repository, Path: dir, Organization: organization}
	must(v.CreateRepository(ctx, at, nil))
	repo, err := v.Repository(ctx, at)
	must(err)
	t.Cleanup(func() {
		must(repo.Close())
		must(v.Close(context.Background()))
	})
	c := holdfast.Container{Organization: organization, Kind: kind, Source: "ann"}
	w, err := repo.Writer(ctx, vault.WriterOptions{Container: c, Epoch: 1})
	must(err)
	defer w.Close()
	fill(func(item holdfast.Item, payloads ...holdfast.Payload) { must(w.Put(ctx, item, payloads...)) })
	head, err := w.Seal(ctx)
	must(err)
	entry, err := repo.Publish(ctx, []vault.Head{*head}, vault.Published)
	must(err)
	record, err := head.Record(repository, entry.ID)
	must(err)
	e := &proxy.Explorer{Explorer: explorer.New(explorer.Config{Vault: v, Heads: oneHead{record}, Paths: func(context.Context, holdfast.RepositoryID) (string, error) { return dir, nil }})}
	return e, holdfast.View{Repository: repository, Organization: organization, Container: c.Key(), Head: head.Number}
}

// TestAHostileMailIsCleanedInThePreviewAndUntouchedInTheDownload goes through a real vault.
func TestAHostileMailIsCleanedInThePreviewAndUntouchedInTheDownload(t *testing.T) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	raw := "Subject: =?utf-8?q?invoice_=E2=80=AEfdp.exe?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script><img src=https://evil.example/x.gif>\r\n<form action=https://evil.example>" +
		"<p>hello\r\n--B\r\nContent-Type: text/html; name=evil.html\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("<script>alert(2)</script>")) + "\r\n--B--\r\n"
	e, view := stored(t, holdfast.Mailbox, func(put put) {
		put(holdfast.Item{ID: "m", Kind: holdfast.KindMail, Version: "1", Name: "invoice \u202efdp.exe", Size: int64(len(raw))}, whole(holdfast.FormMIME, raw))
		put(holdfast.Item{ID: "f", Kind: holdfast.KindFile, Version: "1", Name: "page.html", Size: 4}, whole(holdfast.FormFile, "<b>x"))
	})

	p, err := e.Preview(ctx, view, "m")
	must(err)
	for _, bad := range []string{"script", "evil.example", "form", "\u202e"} {
		if bytes.Contains(p.Body, []byte(bad)) {
			t.Errorf("the preview has %q: %s", bad, p.Body)
		}
	}
	if !bytes.Contains(p.Body, []byte("hello")) || len(p.Removed) != 3 || len(p.Attachments) != 1 || strings.ContainsRune(p.Subject, '\u202e') {
		t.Errorf("preview %+v, body %s", p, p.Body)
	}
	read := func(content holdfast.Content, err error) (string, string) {
		t.Helper()
		must(err)
		body, err := io.ReadAll(content.Body)
		must(err)
		must(content.Body.Close())
		return string(body), content.FileName
	}
	if body, name := read(e.Open(ctx, view, "m")); body != raw || strings.ContainsRune(name, '\u202e') {
		t.Errorf("the download is not what was stored, or is called %q", name)
	}
	if body, name := read(e.Attachment(ctx, view, "m", 0)); body != "<script>alert(2)</script>" || name != "evil.html" {
		t.Errorf("the attachment is %q, called %q", body, name)
	}
	for id, n := range map[string]int{"m": 1, "f": 0} {
		if _, err := e.Attachment(ctx, view, id, n); holdfast.KindOf(err) != holdfast.KindNotFound {
			t.Errorf("attachment %d of %s: %v", n, id, err)
		}
	}
	// Who does not read on leaves nothing behind.
	content, err := e.Attachment(ctx, view, "m", 0)
	must(err)
	must(content.Body.Close())
	must(content.Body.Close())
	if p, err := e.Preview(ctx, view, "f"); err != nil || p.Kind != holdfast.PreviewText || string(p.Body) != "x" {
		t.Errorf("the file shows %+v, %v", p, err)
	}
}
