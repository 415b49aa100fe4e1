package search_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// exportedMail writes a mail as Exchange exports it, with files by their names.
func exportedMail(t *testing.T, body string, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := fasttransfer.NewWriter(&out, fasttransfer.WriterOptions{})
	name := func(id uint32) fasttransfer.Name { return fasttransfer.Name{ID: id} }
	w.Set(name(0x001a), "IPM.Note")
	w.Set(name(0x1000), body)
	for i := 0; i < len(files); i += 2 {
		w.Mark(fasttransfer.NewAttachment)
		w.Set(name(0x3705), int32(1))
		w.Set(name(0x3707), files[i])
		w.Set(name(0x3701), []byte(files[i+1]))
		w.Mark(fasttransfer.EndAttachment)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTextOfExportedMailsIsFound: an attachment that several mails have is found in each of them, and an index that is made anew answers the same.
func TestTextOfExportedMailsIsFound(t *testing.T) {
	w := newWorld(t)
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Epoch: 1})
	w.must(err)
	defer writer.Close()
	shared := strings.Repeat("many mails have this wombat ", 3000) // an object of its own
	picture := strings.Repeat("no words of a picture: quokka ", 3000)
	for i, data := range [][]byte{
		exportedMail(t, "first marmot", "shared.txt", shared, "small.csv", "gopher;1"),
		exportedMail(t, "second marmot", "a.png", picture, "shared.txt", shared, "b.txt", "behind it: beaver"),
		exportedMail(t, "third "+strings.Repeat("long text ", 20_000)+"alpaca", "c.bin", picture),
		[]byte("no stream at all"),
	} {
		item := holdfast.Item{ID: fmt.Sprint(i + 1), Kind: holdfast.KindMail, Name: "mail", Version: "1", Time: time.Date(2026, 3, i+1, 0, 0, 0, 0, time.UTC)}
		if i == 3 {
			w.must(writer.Put(t.Context(), item, holdfast.Whole(holdfast.FormFTS, bytes.NewReader(data), int64(len(data)))))
			continue
		}
		split := fasttransfer.NewSplitter(bytes.NewReader(data), 2<<10, nil)
		w.must(writer.Put(t.Context(), item, holdfast.Payload{Form: holdfast.FormFTS, Pieces: func(yield func(holdfast.Piece, error) bool) {
			for p, err := range split.Parts() {
				if !yield(holdfast.Piece{Reader: p.Reader, Size: p.Size, Apart: p.Apart}, err) {
					return
				}
			}
		}}))
	}
	w.sealed(writer)
	want := map[string]string{"marmot": "1 2", `"this wombat"`: "1 2", "shared.txt": "1 2", "gopher": "1", "beaver": "2", "a.png": "2", "quokka": "", "alpaca": "3", "c.bin": "3", "subject:mail": "1 2 3 4"}
	w.finds(want)
	all := func() []holdfast.SearchResult {
		page, err := w.index.Search(t.Context(), holdfast.SearchQuery{Text: "mail", Limit: 10}, []holdfast.SearchScope{{Organization: organization, All: true}})
		w.must(err)
		return page.Results
	}
	before := all()
	w.must(errors.Join(w.index.Close(), os.RemoveAll(filepath.Join(w.dir, "search"))))
	w.open()
	w.must(w.index.Update(t.Context(), organization))
	w.finds(want)
	if got := all(); !reflect.DeepEqual(got, before) || len(got) != 4 {
		t.Errorf("made anew: %+v, want %+v", got, before)
	}
}
