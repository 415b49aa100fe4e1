package sim

import (
	"io"
	"sync"
)

// faults decides which calls break, and how.
type faults struct {
	mu sync.Mutex
}

func newFaults(uint64) *faults { return &faults{} }

func (f *faults) before(*Call) *Reply              { return nil }
func (f *faults) syncState(*Call) bool             { return false }
func (f *faults) after(*Call, *Reply)              {}
func (f *faults) body(_ *Call, r *Reply) io.Reader { return r.Content }
