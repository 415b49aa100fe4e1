package sim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// content is what a version of a file holds: generated from coordinates, a file of the corpus, or bytes that a client
// stored. It is small and comparable by value but for stored extents.
type content struct {
	size   int64
	kind   contentKind
	seed   uint64    // generated
	corpus int       // corpus
	stored []blob    // stored
	hash   *[20]byte // known hash of stored content
	sha    *[32]byte // known sum of stored content
}

type contentKind uint8

const (
	contentEmpty contentKind = iota
	contentText
	contentBinary
	contentCorpus
	contentStored
)

// Generated content is a head of headSize bytes that is the file's own, then blocks taken from a pool by the seed. The
// folds of pool blocks are known, so that the quickXorHash of a file of any size costs one step a block and its bytes
// need not be made for a listing. Text blocks stand as they are; a binary block is the exclusive or of two pool blocks,
// so that files do not compress against each other.
const (
	headSize  = 2 * quickXorPeriod
	blockSize = 100 * quickXorPeriod
	poolSize  = 128
)

type contentPool struct {
	text, binary [poolSize][]byte
	textFold     [poolSize][quickXorPeriod]byte
	binaryFold   [poolSize][quickXorPeriod]byte
}

var pool = sync.OnceValue(func() *contentPool {
	p := &contentPool{}
	r := newRand(0, "drive content pool")
	for i := range poolSize {
		b := make([]byte, blockSize)
		r.fill(b)
		p.binary[i] = b
		p.text[i] = prose(r, blockSize)
		var q quickXor
		q.Write(p.binary[i])
		p.binaryFold[i] = q.fold
		q = quickXor{}
		q.Write(p.text[i])
		p.textFold[i] = q.fold
	}
	return p
})

var proseWords = strings.Fields(`the of and to in for that with on budget quarter review customer contract delivery invoice project
meeting agenda minutes forecast revenue region supplier warehouse schedule milestone risk owner action open closed draft final
approved pending version change request design test release support ticket priority region north south east west team lead
engineering finance legal marketing sales operations travel expense policy holiday training onboarding equipment licence`)

func prose(r random, size int) []byte {
	b := make([]byte, 0, size+64)
	column := 0
	for len(b) < size {
		w := pick(r, proseWords)
		switch {
		case r.IntN(12) == 0:
			w = fmt.Sprint(r.IntN(100000))
		case column == 0 && w != "":
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		b = append(b, w...)
		if column += len(w) + 1; column > 76 {
			b, column = append(b, ".\r\n"...), 0
		} else {
			b = append(b, ' ')
		}
	}
	return b[:size]
}

// blockOf says which pool blocks make block i.
func (c content) blockOf(i int64) (a, b int) {
	h := mix(c.seed ^ mix(uint64(i)+0x51ed2701))
	a = int(h % poolSize)
	b = int(h >> 32 % poolSize)
	if a == b {
		b = (b + 1) % poolSize
	}
	return a, b
}

func (c content) head() []byte {
	b := make([]byte, headSize)
	r := random{newRand(c.seed, "drive content head").Rand}
	if c.kind == contentText {
		s := fmt.Appendf(nil, "Document %016x\r\n\r\n", c.seed)
		n := copy(b, s)
		copy(b[n:], prose(r, headSize-n))
	} else {
		r.fill(b)
		copy(b, "HFSIM\x00\x01\x02")
	}
	return b
}

// block returns block i of generated content; it must not be changed.
func (c content) block(i int64, buf []byte) []byte {
	a, b := c.blockOf(i)
	if c.kind == contentText {
		return pool().text[a]
	}
	subtle.XORBytes(buf, pool().binary[a], pool().binary[b])
	return buf
}

var blockBuffers = sync.Pool{New: func() any { return new([blockSize]byte) }}

// quickXor returns the hash without making the bytes of whole blocks.
func (c content) quickXor(corpus *documents) [20]byte {
	switch {
	case c.hash != nil:
		return *c.hash
	case c.kind == contentCorpus:
		return corpus.files[c.corpus].hash
	}
	var q quickXor
	if c.size == 0 {
		return q.sum()
	}
	head := c.head()
	q.Write(head[:min(c.size, headSize)])
	rest := c.size - headSize
	p := pool()
	var i int64
	for ; rest >= blockSize; i++ {
		a, b := c.blockOf(i)
		if c.kind == contentText {
			q.add(&p.textFold[a], blockSize)
		} else {
			subtle.XORBytes(q.fold[:], q.fold[:], p.binaryFold[a][:])
			q.add(&p.binaryFold[b], blockSize)
		}
		rest -= blockSize
	}
	if rest > 0 {
		buf := blockBuffers.Get().(*[blockSize]byte)
		q.Write(c.block(i, buf[:])[:rest])
		blockBuffers.Put(buf)
	}
	return q.sum()
}

// open returns the bytes [from, to) of the content.
func (c content) open(s *Sim, from, to int64) (io.ReadCloser, error) {
	switch c.kind {
	case contentCorpus:
		f, err := os.Open(s.drives.corpus.files[c.corpus].path)
		if err != nil {
			return nil, fmt.Errorf("corpus document: %w", err)
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(f, from, to-from), f}, nil
	case contentStored:
		var parts []io.Reader
		at := int64(0)
		for _, b := range c.stored {
			lo, hi := max(from-at, 0), min(to-at, b.size)
			if lo < hi {
				parts = append(parts, io.NewSectionReader(s.blobs.reader(b), lo, hi-lo))
			}
			at += b.size
		}
		return io.NopCloser(io.MultiReader(parts...)), nil
	}
	return io.NopCloser(&generatedReader{c: c, at: from, end: min(to, c.size)}), nil
}

type generatedReader struct {
	c       content
	at, end int64
	part    []byte
	buf     []byte
	head    []byte
}

func (g *generatedReader) Read(p []byte) (int, error) {
	if g.at >= g.end {
		return 0, io.EOF
	}
	if len(g.part) == 0 {
		if g.at < headSize {
			if g.head == nil {
				g.head = g.c.head()
			}
			g.part = g.head[g.at:]
		} else {
			if g.buf == nil {
				g.buf = make([]byte, blockSize)
			}
			i := (g.at - headSize) / blockSize
			g.part = g.c.block(i, g.buf)[(g.at-headSize)%blockSize:]
		}
	}
	n := copy(p[:min(int64(len(p)), g.end-g.at)], g.part)
	g.part = g.part[n:]
	g.at += int64(n)
	return n, nil
}

// sum returns the SHA-256 of the whole content.
func (c content) sum(s *Sim) ([32]byte, error) {
	if c.sha != nil {
		return *c.sha, nil
	}
	r, err := c.open(s, 0, c.size)
	if err != nil {
		return [32]byte{}, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return [32]byte{}, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// identity is a number for the coordinates, for the oracle.
func (c content) identity() uint64 {
	h := c.seed ^ uint64(c.kind)<<56 ^ uint64(c.size)<<8 ^ uint64(c.corpus)
	if c.sha != nil {
		h ^= binary.LittleEndian.Uint64(c.sha[:])
	}
	return mix(h)
}

// storeContent keeps a client's bytes.
func (s *Sim) storeContent(body []byte) (content, error) {
	w := contentWriter{s: s}
	if err := w.write(body); err != nil {
		return content{}, err
	}
	return w.content(), nil
}

// contentWriter collects the fragments of an upload.
type contentWriter struct {
	s      *Sim
	parts  []blob
	hash   quickXor
	sha    [32]byte
	digest interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func (w *contentWriter) write(p []byte) error {
	if w.digest == nil {
		w.digest = sha256.New()
	}
	if len(p) == 0 {
		return nil
	}
	b, err := w.s.blobs.put(p)
	if err != nil {
		return err
	}
	w.parts = append(w.parts, b)
	if _, err := w.hash.Write(p); err != nil {
		return err
	}
	_, err = w.digest.Write(p)
	return err
}

func (w *contentWriter) size() int64 { return int64(w.hash.n) }

func (w *contentWriter) content() content {
	h := w.hash.sum()
	var sum [32]byte
	if w.digest != nil {
		sum = [32]byte(w.digest.Sum(nil))
	} else {
		sum = sha256.Sum256(nil)
	}
	return content{size: w.size(), kind: contentStored, stored: w.parts, hash: &h, sha: &sum}
}

// documents are the files of the corpus that are not mail.
type documents struct {
	files []document
}

type document struct {
	path string
	name string
	size int64
	hash [20]byte
}

// maxDocument bounds a corpus file; a larger one is left out.
const maxDocument = 256 << 20

func loadDocuments(dir string) (*documents, error) {
	d := &documents{}
	if dir == "" {
		return d, nil
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.EqualFold(filepath.Ext(path), ".eml") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name := e.Name()
		if info.Size() > maxDocument || legalName(name) != "" {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		var q quickXor
		if _, err := io.Copy(&q, f); err != nil {
			return err
		}
		d.files = append(d.files, document{path: path, name: name, size: int64(q.n), hash: q.sum()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("corpus of documents: %w", err)
	}
	return d, nil
}
