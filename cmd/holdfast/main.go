// Command holdfast backs up and restores Microsoft 365. See "holdfast --help".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"holdfast/internal/extract"
)

func main() {
	extract.Main() // a process that reads one PDF is this program too
	os.Exit(run(os.Args[1:]))
}

// exitError ends the process with a status of its own; a nil cause prints nothing.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// run executes one command line. SIGTERM and interrupt cancel its context, so that every command drains.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{code: 1, err: err}
	}
	if exit.err != nil {
		fmt.Fprintln(os.Stderr, "holdfast:", exit.err)
	}
	return exit.code
}
