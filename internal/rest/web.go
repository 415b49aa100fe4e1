package rest

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// The console and the Restore Portal are served beside the API: two pages, and below /assets/ files whose names change with their bytes.
// Every path of the API has a version or "holdfast" first, so neither is in the other's way.

var webPages = map[string]string{"/": "console.html", "/portal": "portal.html", "/portal/": "portal.html"}

const webAssets = "/assets/"

// The nonce lets the pages' own style sheets in, which the styling library makes while the page runs; no script has one.
const (
	nonceMark = "__NONCE__"
	pageCSP   = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonceMark + "'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
		"frame-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	assetCSP = "default-src 'none'; frame-ancestors 'none'"
)

// webTypes are spelled out, since those of the machine differ.
var webTypes = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".png": "image/png", ".json": "application/json"}

// webFiles serves a build of the front end. What it compressed it keeps: the build is small and does not change, or (a folder that is being worked on) its
// files' times tell.
type webFiles struct {
	files fs.FS
	mu    sync.Mutex // guards kept
	kept  map[string]*webFile
}

type webFile struct {
	modified    time.Time
	size        int64
	plain, gzip []byte // gzip is nil where it saves nothing
	tag         string
}

func newWebFiles(files fs.FS) *webFiles { return &webFiles{files: files, kept: map[string]*webFile{}} }

// serve answers what is the front end's and says whether it was.
func (f *webFiles) serve(w http.ResponseWriter, r *http.Request) bool {
	if f == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	name, page := webPages[r.URL.Path]
	if !page {
		rest, ok := strings.CutPrefix(r.URL.Path, webAssets)
		if !ok || !fs.ValidPath(rest) {
			return false
		}
		name = "assets/" + rest
	}
	file, err := f.load(name)
	if err != nil {
		return false // the API says that there is nothing
	}
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if page {
		nonce := rand.Text()
		h.Set("Content-Security-Policy", strings.ReplaceAll(pageCSP, nonceMark, nonce))
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		write(w, r, bytes.ReplaceAll(file.plain, []byte(nonceMark), []byte(nonce)))
		return true
	}
	kind, known := webTypes[path.Ext(name)]
	if !known {
		kind = "application/octet-stream"
	}
	h.Set("Content-Security-Policy", assetCSP)
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body, tag := file.plain, `"`+file.tag+`"`
	if file.gzip != nil && acceptsGzip(r) {
		body, tag = file.gzip, `"`+file.tag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if match := r.Header.Get("If-None-Match"); match == "*" || strings.Contains(match, tag) {
		h.Del("Content-Type")
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	write(w, r, body)
	return true
}

func write(w http.ResponseWriter, r *http.Request, body []byte) {
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader may be gone
	}
}

func acceptsGzip(r *http.Request) bool {
	for _, one := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if name == "gzip" && strings.TrimLeft(strings.ReplaceAll(weight, " ", ""), "q=0.") != "" || name == "gzip" && weight == "" {
			return true
		}
	}
	return false
}

// load reads and compresses a file, once as long as it does not change.
func (f *webFiles) load(name string) (*webFile, error) {
	info, err := fs.Stat(f.files, name)
	if err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	f.mu.Lock()
	kept := f.kept[name]
	f.mu.Unlock()
	if kept != nil && kept.modified.Equal(info.ModTime()) && kept.size == info.Size() {
		return kept, nil
	}
	plain, err := fs.ReadFile(f.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	file := &webFile{modified: info.ModTime(), size: info.Size(), plain: plain, tag: hex.EncodeToString(sum[:16])}
	if small := compress(plain, gzip.BestCompression); len(small) < len(plain)*9/10 {
		file.gzip = small
	}
	f.mu.Lock()
	f.kept[name] = file
	f.mu.Unlock()
	return file, nil
}

func compress(plain []byte, level int) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		panic(err) // the level is one that there is
	}
	if _, err := io.Copy(z, bytes.NewReader(plain)); err != nil {
		panic(err) // a buffer does not fail
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
