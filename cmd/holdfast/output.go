package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// wantsJSON says that --json was given.
func wantsJSON(cmd *cobra.Command) bool {
	j, err := cmd.Flags().GetBool("json")
	return err == nil && j
}

// printJSON writes v as the answer of a command.
func printJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// show prints values as JSON when asked for, else as a table with one row a value; none is what to say when there is nothing.
func show[T any](cmd *cobra.Command, values []T, header []string, row func(T) []any, none string) error {
	if wantsJSON(cmd) {
		if values == nil {
			values = []T{}
		}
		return printJSON(cmd, values)
	}
	if len(values) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), none)
		return err
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.Options{SeparateColumns: false}
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	t.Style().Format.Header = text.FormatUpper
	h := make(table.Row, len(header))
	for i := range header {
		h[i] = header[i]
	}
	t.AppendHeader(h)
	for _, v := range values {
		r := row(v)
		for i := range r {
			if s, ok := r[i].(string); ok {
				r[i] = clean(s)
			}
		}
		t.AppendRow(r)
	}
	for _, line := range strings.Split(t.Render(), "\n") {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// done says what a command has done: as text, or as JSON with the object.
func done(cmd *cobra.Command, object any, format string, args ...any) error {
	if wantsJSON(cmd) {
		return printJSON(cmd, object)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...)
	return err
}

// clean makes text of mails and files harmless for a terminal: control characters and direction marks become visible or go.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			return '�'
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f:
			return -1
		}
		return r
	}, s)
}

// cut shortens a text for a column.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// when shows a time in the local zone; a zero time as a dash.
func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// count gives a number with its noun, whose plural ends in s.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// dash stands for a value that is not there.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// size shows bytes for people.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	div, exp := int64(unit), 0
	for m := n / unit; m >= unit; m /= unit {
		div *= unit
		exp++
	}
	return fmt.Sprintf("%.1f %ciB", float64(n)/float64(div), "KMGTPE"[exp])
}

// readSecret reads a secret from a file, from standard input ("-"), or asks on the terminal.
func readSecret(cmd *cobra.Command, file, prompt string) (string, error) {
	switch file {
	case "":
		in, ok := cmd.InOrStdin().(*os.File)
		if !ok || !term.IsTerminal(int(in.Fd())) {
			return "", errors.New("no terminal to ask on: give the secret in a file")
		}
		fmt.Fprint(cmd.ErrOrStderr(), prompt)
		raw, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(raw), err
	case "-":
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	raw, err := os.ReadFile(file)
	return strings.TrimRight(string(raw), "\r\n"), err
}

// parseTime takes RFC 3339, "2006-01-02 15:04[:05]" or "2006-01-02" (its end) in the local zone.
func parseTime(s string) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	for layout, end := range map[string]time.Duration{time.RFC3339: 0, "2006-01-02 15:04:05": 0, "2006-01-02 15:04": 0, "2006-01-02T15:04": 0, time.DateOnly: 24*time.Hour - time.Second} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			t = t.Add(end).UTC()
			return &t, nil
		}
	}
	return nil, fmt.Errorf("%q is no time: write 2026-01-31, \"2026-01-31 18:00\" or RFC 3339", s)
}
