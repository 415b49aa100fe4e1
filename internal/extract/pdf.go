package extract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/ledongthuc/pdf"

	"holdfast/internal/sys"
)

// PDF is read in a process of its own: the library that does it knows no bounds, and what a hostile file makes of it (a stack that is
// full) can't be recovered from. The process is this program again, with limits on memory and time and nothing but its two pipes.

// Bounds of the process.
const (
	maxPages   = 2000
	pdfCPU     = 5       // seconds
	pdfMemory  = 3 << 30 // of addresses, most of which Go only reserves
	pdfWorkers = 2       // at once
)

// workerMark in the environment makes this program such a process.
const workerMark = "HOLDFAST_EXTRACT"

// ready says that the program calls Main, so that starting it again gives a worker.
var ready bool

var workers = make(chan struct{}, pdfWorkers)

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

// Exit codes of a worker.
const (
	exitGarbled = 3
	exitLocked  = 4
)

func work(in io.Reader, out io.Writer) (code int) {
	for resource, limit := range map[int]uint64{syscall.RLIMIT_AS: pdfMemory, syscall.RLIMIT_CPU: pdfCPU, syscall.RLIMIT_CORE: 0, syscall.RLIMIT_NOFILE: 16} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return exitGarbled
		}
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return exitGarbled
	}
	w := bufio.NewWriter(out)
	defer func() {
		if cause := recover(); cause != nil { // the library panics at what it does not like; what was read stays
			code = exitGarbled
		}
		if w.Flush() != nil {
			code = exitGarbled
		}
	}()
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, pdf.ErrInvalidPassword) {
		return exitLocked
	} else if err != nil {
		return exitGarbled
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
		if _, err := io.WriteString(w, strings.TrimSpace(text)+"\n"); err != nil {
			return exitGarbled
		}
		if w.Flush() != nil {
			return exitGarbled
		}
	}
	return 0
}

func fromPDF(b *builder, data []byte, most time.Duration) error {
	if !ready {
		return fmt.Errorf("PDF is read by another process, which this program can't start: %w", ErrNone)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithCancelCause(b.ctx)
	defer cancel(nil)
	late := sys.System.After(most)
	select {
	case workers <- struct{}{}:
		defer func() { <-workers }()
	case <-late:
		return errSlow
	case <-ctx.Done():
		return context.Cause(ctx)
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
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = []string{workerMark + "=pdf", "GOMAXPROCS=1", "GOMEMLIMIT=512MiB"}
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start a process to read PDF: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a process to read PDF: %w", err)
	}
	before := b.Len()
	var full error
	r := bufio.NewReader(out)
	for full == nil {
		line, err := r.ReadSlice('\n') // in pieces when it is longer than the buffer
		full = b.add(string(line))
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	if full != nil {
		cancel(full)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case full != nil:
		return full
	case err == nil:
		return nil
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case errors.As(err, &exit) && exit.ExitCode() == exitLocked:
		return ErrLocked
	case bytes.ContainsFunc([]byte(b.String()[before:]), func(c rune) bool { return c > ' ' }):
		b.full = true
		return nil // what there is, is better than nothing
	case errors.Is(context.Cause(ctx), errSlow):
		return errSlow
	}
	return errors.New("garbled PDF")
}
