package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
)

// browser looks through a list of 1,000,000 mails in Chromium: web/e2e/million.mjs moves in every way that there is, compares what is shown with what
// the server has there, and tells how long it took. It needs the front end's packages and Chromium (make deps).
func (b *bench) browser() error {
	l, o, err := b.million("--search", "off")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(b.ctx, "node", "web/e2e/million.mjs")
	cmd.Env = append(os.Environ(), "HOLDFAST_URL=https://"+l.server.REST, "HOLDFAST_PASSWORD="+l.server.Password,
		"HOLDFAST_SESSION="+o.session, "HOLDFAST_MAILBOX="+o.mailbox, "HOLDFAST_FOLDER="+o.folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("node web/e2e/million.mjs: %w", err)
	}
	var told struct {
		Total, Most           int
		First                 float64
		Jumps, Drags, Steps   []float64
		HeapBefore, HeapAfter float64
	}
	if err := json.Unmarshal(out, &told); err != nil {
		return fmt.Errorf("what node web/e2e/million.mjs says: %w", err)
	}
	b.add(fmt.Sprintf("folder of %d mails in Chromium: from the click to its first rows", told.Total), "ms", 0, told.First)
	b.add("from a jump to the rows there, median", "ms", 500, median(told.Jumps))
	b.add("slowest", "ms", 1000, slices.Max(told.Jumps))
	b.add("from the beginning of a draw of the scroll bar, which takes 12 steps, to the rows there, slowest", "ms", 1000, slices.Max(told.Drags))
	b.add("from a page or a turn of the wheel to the rows there, slowest", "ms", 500, slices.Max(told.Steps))
	b.add("rows in the document at most", "", 80, float64(told.Most))
	b.add("heap of the page: at the top of the list", "MiB", 0, told.HeapBefore)
	b.add("heap of the page: after all of this", "MiB", 64, told.HeapAfter)
	return nil
}
