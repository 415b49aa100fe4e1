package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// ownMail are awkward messages of our own, for machines without the corpus.
var ownMail = map[string]string{
	"bare line feeds":     "From: a@example.org\nTo: b@example.org\nSubject: bare line feeds\n\nOne\nTwo\n",
	"no end of line":      "From: a@example.org\r\nSubject: no end of line\r\n\r\nlast words",
	"eight bits":          "From: a@example.org\r\nSubject: eight bits\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xe9 \xff\xfe\r\n",
	"spaces at the end":   "From: a@example.org \r\nSubject: spaces at the end  \t\r\n\r\nbody  \t \r\n\r\n\r\n",
	"a very long line":    "From: a@example.org\r\nSubject: long\r\n\r\n" + strings.Repeat("x", 70_000) + "\r\n",
	"folded and repeated": "Received: one\r\nReceived: two\r\nFrom: a@example.org\r\nSubject: folded\r\n\tand repeated\r\nX-A: 1\r\nX-A: 1\r\n\r\nb\r\n",
	"odd base64":          "From: a@example.org\r\nSubject: odd base64\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\npreamble\r\n--=_x\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQ=\r\n\r\n--=_x--\r\nepilogue",
	"without its end":     "From: a@example.org\r\nSubject: without its end\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhalf a part",
}

// corpusMail is the corpus of real mail where it lies beside the project, and our own samples.
func corpusMail(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name, text := range ownMail {
		out[name] = []byte(text)
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if files, err = filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "data", "mail", "*.eml")); err != nil { // of a linked working tree
			t.Fatal(err)
		}
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = b
	}
	return out
}

func corpusFiles() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	out := map[string][]byte{"empty.bin": {}, "one byte.txt": {0}, "100% #1 & more.dat": random(70_001), "Ünïcödé 日本.bin": random(4096), "large.bin": random(3 << 20), "zeros.bin": make([]byte, 1<<20)}
	for _, n := range []int{255, 256, 16 << 10, 16<<10 + 1, 32 << 10, 256<<10 - 1, 256 << 10} {
		out[fmt.Sprintf("size %d.bin", n)] = random(n)
	}
	return out
}

// Real and awkward mail and files go in; save gives them out byte for byte, and a restore into an emptied mailbox and drive brings back all that
// docs/fidelity.md promises.
func TestCorpusComesOutByteForByte(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "1", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s)
	user := s.Tenant.Users[0]
	mails, files := corpusMail(t), corpusFiles()
	for name, raw := range mails {
		if err := s.Ask(w.ctx, http.MethodPost, "/mutate", sim.Mutation{Op: "deliver", User: user.ID, MIME: raw}, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name, raw := range files {
		w.graph(http.MethodPut, "/users/"+user.ID+"/drive/root:/"+url.PathEscape(name)+":/content", raw, "application/octet-stream")
	}
	w.protect(false)
	w.backup()

	saved := map[string][]byte{}
	l := w.explore(false, time.Time{})
	l.each(l.box(0), func(_ string, o object, leaf bool) {
		if leaf {
			raw := l.save(l.box(0).ID, o.ID)
			saved[sum(raw)] = raw
		}
	})
	for name, raw := range mails {
		if !bytes.Equal(saved[sum(raw)], raw) {
			t.Errorf("mail %q does not come out as it went in", name)
		}
	}
	documents := w.explore(true, time.Time{})
	drive := documents.box(0)
	there := map[string][]byte{}
	documents.each(drive, func(folder string, o object, leaf bool) {
		if leaf && folder == "" {
			there[o.Name] = documents.save(drive.ID, o.ID)
		}
	})
	for name, raw := range files {
		if got, ok := there[name]; !ok || !bytes.Equal(got, raw) {
			t.Errorf("file %q comes out as %d bytes (there: %v), %d went in", name, len(got), ok, len(raw))
		}
	}

	before := w.truth()
	w.mutate(sim.Mutation{Op: "wipe", User: user.ID})
	w.call(http.MethodPost, l.path(l.box(0).ID, "restore"), map[string]any{}, nil)
	w.call(http.MethodPost, documents.path(drive.ID, "restore"), map[string]any{}, nil)
	l.restored()
	documents.restored()
	w.comparesEqual(before, w.truth())
	if n := w.stats().MailsSentN; n != 0 {
		t.Errorf("the restore sent %d mails", n)
	}
}
