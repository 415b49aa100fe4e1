package extract

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
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ledongthuc/pdf"

	"holdfast/internal/sys"
)

// PDF is read in a process of its own: the library that does it knows no bounds, and what a hostile file makes of it (a stack that is
// full) can't be recovered from. The process is this program again, with limits on memory and time and nothing but its two pipes. Starting it
// costs more than most files do, so it reads one file after the other until one ends it or it has used much.
//
// It is asked with a header, the sizes of the file and of the text that is wanted, and the file. It answers with frames, a size and as much text
// each; one of size 0 is the last, and a byte says how it went.

// Bounds of a process.
const (
	maxPages   = 2000
	pdfCPU     = 5        // seconds for a file
	pdfLife    = 30       // seconds in all, after which the next file gets another process
	pdfHeap    = 64 << 20 // bytes, after which the same
	pdfMemory  = 3 << 30  // of addresses, most of which Go only reserves
	pdfIdle    = 10 * time.Second
	pdfWorkers = 2 // at once
)

// workerMark in the environment makes this program such a process.
const workerMark = "HOLDFAST_EXTRACT"

// ready says that the program calls Main, so that starting it again gives a worker.
var ready bool

// errSlow says that a file takes too long.
var errSlow = errors.New("the file takes too long to read")

// Main makes the process a worker, and does not return, when it was started to be one. The program's main function calls it first.
// Without it no PDF is read.
func Main() {
	ready = true
	if os.Getenv(workerMark) != "pdf" {
		return
	}
	os.Exit(work(os.Stdin, os.Stdout))
}

// How a file went.
const (
	wentWell = iota
	wentGarbled
	wentLocked
	wentLong // there is more text than was wanted
)

const headerSize = 8

// work reads files until nothing more comes.
func work(in io.Reader, out io.Writer) int {
	for resource, limit := range map[int]uint64{syscall.RLIMIT_AS: pdfMemory, syscall.RLIMIT_CPU: pdfLife + 2*pdfCPU, syscall.RLIMIT_CORE: 0, syscall.RLIMIT_NOFILE: 16} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return 1
		}
	}
	slow := make(chan os.Signal, 1)
	signal.Notify(slow, syscall.SIGXCPU)
	go func() {
		<-slow
		os.Exit(1)
	}()
	w := bufio.NewWriter(out)
	for {
		header := make([]byte, headerSize)
		asked := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(in, header)
			asked <- err
		}()
		select {
		case err := <-asked:
			if err != nil {
				return 0
			}
		case <-sys.System.After(pdfIdle):
			return 0
		}
		data := make([]byte, binary.BigEndian.Uint32(header))
		if _, err := io.ReadFull(in, data); err != nil {
			return 1
		}
		used := cpuSeconds()
		if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: used + 1 + pdfCPU, Max: pdfLife + 2*pdfCPU}); err != nil {
			return 1
		}
		went := readPDF(data, &framed{w, int(binary.BigEndian.Uint32(header[4:]))})
		if _, err := w.Write([]byte{0, 0, 0, 0, went}); err != nil || w.Flush() != nil {
			return 1
		}
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.Sys > pdfHeap || cpuSeconds() > pdfLife {
			return 0
		}
	}
}

// cpuSeconds is what the process has used so far.
func cpuSeconds() uint64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // can't fail with these arguments
	return uint64(u.Utime.Sec + u.Stime.Sec)
}

var errLong = errors.New("there is more text than is wanted")

// framed writes frames up to a limit.
type framed struct {
	w    *bufio.Writer
	left int
}

// Write implements io.Writer.
func (f *framed) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	some := p[:min(len(p), f.left)]
	if f.left -= len(some); len(some) > 0 {
		if _, err := f.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(some)))); err != nil {
			return 0, err
		}
		if _, err := f.w.Write(some); err != nil {
			return 0, err
		}
	}
	if len(some) < len(p) {
		return len(some), errLong
	}
	return len(p), f.w.Flush() // what is read of a file that ends the process is better than nothing
}

func readPDF(data []byte, w io.Writer) (went byte) {
	defer func() {
		if recover() != nil { // the library panics at what it does not like; what was read stays
			went = wentGarbled
		}
	}()
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, pdf.ErrInvalidPassword) {
		return wentLocked
	} else if err != nil {
		return wentGarbled
	}
	for n := 1; n <= min(r.NumPage(), maxPages); n++ {
		page := r.Page(n)
		if page.V.IsNull() {
			continue
		}
		text, err := page.GetPlainText(nil)
		if err != nil {
			continue
		}
		if _, err := io.WriteString(w, strings.TrimSpace(text)+"\n"); errors.Is(err, errLong) {
			return wentLong
		} else if err != nil {
			return wentGarbled
		}
	}
	return wentWell
}

// worker is such a process, as this one sees it.
type worker struct {
	cmd   *exec.Cmd
	in    *os.File
	out   *bufio.Reader
	pipe  *os.File      // what out reads
	ended chan struct{} // closed when the process is no more
}

// pool lends workers.
var pool = struct {
	turns chan struct{} // one for each worker that is lent

	mu   sync.Mutex // guards idle
	idle []*worker
}{turns: make(chan struct{}, pdfWorkers)}

func startWorker() (w *worker, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start a process to read PDF: %w", err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start a process to read PDF: %w", errors.Join(err, theirIn.Close(), in.Close()))
	}
	w = &worker{cmd: exec.Command(self), in: in, out: bufio.NewReader(out), pipe: out, ended: make(chan struct{})}
	w.cmd.Env = []string{workerMark + "=pdf", "GOMAXPROCS=1", "GOMEMLIMIT=512MiB"}
	w.cmd.Dir = "/"
	w.cmd.Stdin, w.cmd.Stdout = theirIn, theirOut
	err = w.cmd.Start()
	if closed := errors.Join(theirIn.Close(), theirOut.Close()); err != nil || closed != nil {
		return nil, fmt.Errorf("start a process to read PDF: %w", errors.Join(err, closed, in.Close(), out.Close()))
	}
	go func() {
		defer close(w.ended)
		_ = w.cmd.Wait() // how it ended, its answer says
	}()
	return w, nil
}

// end ends the process and waits for that.
func (w *worker) end() {
	_ = w.cmd.Process.Kill() // unless it has ended already
	<-w.ended
	_ = errors.Join(w.in.Close(), w.pipe.Close()) // nothing is left in them
}

// borrow gives a worker, used says that it has read a file before.
func borrow() (w *worker, used bool, err error) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	for len(pool.idle) > 0 {
		last := len(pool.idle) - 1
		w, pool.idle = pool.idle[last], pool.idle[:last]
		select {
		case <-w.ended:
			w.end()
		default:
			return w, true, nil
		}
	}
	w, err = startWorker()
	return w, false, err
}

func (w *worker) giveBack() {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.idle = append(pool.idle, w)
}

// ask has a file read; whole says that the process answered to the end, and can be asked again.
func (w *worker) ask(b *builder, data []byte) (went byte, whole bool, full error) {
	header := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	// Some of the text may not count (control characters), so a little more is wanted.
	header = binary.BigEndian.AppendUint32(header, uint32(b.limit-b.Len()+b.limit/8+1))
	if _, err := w.in.Write(header); err != nil {
		return 0, false, nil
	}
	if _, err := w.in.Write(data); err != nil {
		return 0, false, nil
	}
	size := make([]byte, 4)
	for {
		if _, err := io.ReadFull(w.out, size); err != nil {
			return 0, false, full
		}
		n := int64(binary.BigEndian.Uint32(size))
		if n == 0 {
			went, err := w.out.ReadByte()
			return went, err == nil, full
		}
		text, err := io.ReadAll(io.LimitReader(w.out, n))
		if full == nil {
			full = b.add(string(text))
		}
		if err != nil || int64(len(text)) < n {
			return 0, false, full
		}
	}
}

func fromPDF(b *builder, data []byte, most time.Duration) error {
	if !ready {
		return fmt.Errorf("PDF is read by another process, which this program can't start: %w", ErrNone)
	}
	ctx, cancel := context.WithCancelCause(b.ctx)
	defer cancel(nil)
	began, late := sys.Monotonic(), sys.System.After(most)
	select {
	case pool.turns <- struct{}{}:
		defer func() { <-pool.turns }()
	case <-late:
		return errSlow
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if sys.Monotonic()-began >= most {
		return errSlow // waiting took all of the time
	}
	ended := make(chan struct{})
	defer func() { <-ended }()
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(ended)
		select {
		case <-late:
			cancel(errSlow)
		case <-done:
		}
	}()
	before := b.Len()
	var went byte
	var whole bool
	var full error
	for {
		w, used, err := borrow()
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = w.cmd.Process.Kill() }) // unless it has ended already
		went, whole, full = w.ask(b, data)
		if stop() && whole {
			w.giveBack()
			break
		}
		w.end()
		// A process that was idle may have ended just then: the file gets another one.
		if whole || !used || full != nil || b.Len() > before || ctx.Err() != nil {
			break
		}
	}
	read := bytes.ContainsFunc([]byte(b.String()[before:]), func(c rune) bool { return c > ' ' })
	switch {
	case full != nil:
		return full
	case whole && went == wentWell:
		return nil
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case whole && went == wentLocked:
		return ErrLocked
	case read:
		b.full = true
		return nil // what there is, is better than nothing
	case errors.Is(context.Cause(ctx), errSlow):
		return errSlow
	}
	return errors.New("garbled PDF")
}
