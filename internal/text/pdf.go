package text

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/ledongthuc/pdf"
)

// PDF gets the text of PDFs in a process of its own, which it starts when it is needed and kills when it takes too long: the library was
// not written for hostile files, and on some it runs in circles or takes all memory. It is safe for concurrent use; Close it.
type PDF struct {
	// Command is the program and its arguments; it has to call ServePDF with its standard input and output.
	Command []string

	mu     sync.Mutex // guards all below; held while a PDF is read
	child  *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	closed bool
}

// pdf gets the text of a PDF.
func (o *out) pdf(ctx context.Context, name string, data []byte) error {
	if o.limits.PDF == nil {
		o.remark("%s: the text of PDFs is not read here", name)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, o.limits.Time)
	defer cancel()
	text, remark, err := o.limits.PDF.read(limited, data, max(0, o.limits.Text-o.b.Len()))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		remark = "takes too long to read"
	case err != nil:
		remark = "can't be read: " + err.Error()
	}
	o.add(text)
	if remark != "" {
		o.remark("%s %s", name, remark)
	}
	return nil
}

func (p *PDF) read(ctx context.Context, data []byte, limit int) (text, remark string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := errors.Join(ctx.Err(), p.start()); err != nil {
		return "", "", err
	}
	child := p.child
	stop := context.AfterFunc(ctx, func() { _ = child.Process.Kill() }) // it is waited for below
	text, remark, err = p.ask(data, limit)
	if !stop() || err != nil {
		p.end()
	}
	return text, remark, err
}

func (p *PDF) start() error {
	switch {
	case p.closed:
		return errors.New("closed")
	case p.child != nil:
		return nil
	}
	child := exec.Command(p.Command[0], p.Command[1:]...)
	child.Env = []string{"GOMAXPROCS=1"}
	in, err := child.StdinPipe()
	if err != nil {
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("start the reader of PDFs: %w", err)
	}
	p.child, p.in, p.out = child, in, bufio.NewReader(out)
	return nil
}

// end kills the child and waits for it.
func (p *PDF) end() {
	if p.child == nil {
		return
	}
	_ = p.in.Close()
	_ = p.child.Process.Kill()
	_ = p.child.Wait() // how it ended is known
	p.child, p.in, p.out = nil, nil, nil
}

// Close ends the process.
func (p *PDF) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.end()
}

// A request is how much text is wanted and the file, an answer the text and a remark. Each is preceded by its length.
func (p *PDF) ask(data []byte, limit int) (text, remark string, err error) {
	head := binary.BigEndian.AppendUint32(nil, uint32(limit))
	head = binary.BigEndian.AppendUint32(head, uint32(len(data)))
	if _, err := p.in.Write(head); err != nil {
		return "", "", errEnded
	}
	if _, err := p.in.Write(data); err != nil {
		return "", "", errEnded
	}
	if text, err = readString(p.out, limit); err == nil {
		remark, err = readString(p.out, 1000)
	}
	if err != nil {
		return "", "", errEnded
	}
	return text, remark, nil
}

var errEnded = errors.New("its reader ended, likely for want of memory")

func readString(r io.Reader, limit int) (string, error) {
	var n uint32
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return "", err
	}
	if int64(n) > int64(limit) {
		return "", errors.New("too long an answer")
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return string(b), err
}

// mostMemory is the address space of the process that reads PDFs.
const mostMemory = 2 << 30

// longestPDF is the time after which that process ends by itself.
const longestPDF = 10 * time.Minute

// ServePDF answers a PDF's requests until in ends. It gives the process the limits under which it works, so it is the only thing that the
// process does.
func ServePDF(in io.Reader, out io.Writer) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: mostMemory, Max: mostMemory}); err != nil {
		return err
	}
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	for {
		var head [2]uint32
		if err := binary.Read(r, binary.BigEndian, &head); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		data := make([]byte, head[1])
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
		// Who asked kills this process long before, unless it was killed itself.
		limited, cancel := context.WithTimeout(context.Background(), longestPDF)
		stop := context.AfterFunc(limited, func() { os.Exit(1) })
		text, remark := pdfText(data, int(head[0]))
		stop()
		cancel()
		for _, s := range []string{text, remark} {
			if err := binary.Write(w, binary.BigEndian, uint32(len(s))); err != nil {
				return err
			}
			if _, err := w.WriteString(s); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

func pdfText(data []byte, limit int) (text, remark string) {
	var b bytes.Buffer
	defer func() {
		if p := recover(); p != nil {
			text, remark = b.String(), "is damaged"
		}
		text = text[:min(len(text), limit)]
	}()
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, pdf.ErrInvalidPassword) {
		return "", "is encrypted"
	} else if err != nil {
		return "", "is not a readable PDF"
	}
	pages := min(r.NumPage(), 10_000)
	for n := 1; n <= pages && b.Len() < limit; n++ {
		p := r.Page(n)
		if p.V.IsNull() {
			continue
		}
		fonts := map[string]*pdf.Font{} // their names are a page's own
		for _, f := range p.Fonts() {
			font := p.Font(f)
			fonts[f] = &font
		}
		s, err := p.GetPlainText(fonts)
		if err != nil {
			remark = "has pages that can't be read"
			continue
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return b.String(), remark
}
