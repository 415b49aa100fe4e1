package vault

import (
	"encoding/json"
	"fmt"
	"time"

	"holdfast/internal/holdfast"
)

// Format is the version of everything that this package stores. A reader refuses a higher one.
const Format = 1

// Head is the state of a container at a time: its runs, newest first. It is immutable and stands by itself: with the repository
// it is enough to read everything. It is stored in the repository (Object) and, as JSON, wherever the caller keeps it.
type Head struct {
	Format    int                `json:"format"`
	Container holdfast.Container `json:"container"`
	Shard     int                `json:"shard"`
	Number    uint64             `json:"number"` // from 1; one more than the head that it was built on
	Epoch     holdfast.Epoch     `json:"epoch"`  // of the lease under which it was written
	Time      time.Time          `json:"time"`
	Runs      []RunRef           `json:"runs"`  // newest first
	Items     int64              `json:"items"` // live ones that are no folders
	Folders   int64              `json:"folders"`
	Bytes     int64              `json:"bytes"` // of the live items' payloads, exact
	// Object is where the repository holds this head; empty only inside that object.
	Object string `json:"object,omitempty"`
}

// RunRef names a run and says how large it is.
type RunRef struct {
	Object string `json:"object"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"` // of the encoded rows
	Level  int    `json:"level"` // how often its rows were merged, about
}

// Newer says whether h supersedes o, another head of the same container: a later epoch wins, then the higher number, then time.
// Everyone who has to choose between heads (a rebuild, a start after a crash) chooses by this.
func (h *Head) Newer(o *Head) bool {
	switch {
	case o == nil:
		return true
	case h.Epoch != o.Epoch:
		return h.Epoch > o.Epoch
	case h.Number != o.Number:
		return h.Number > o.Number
	case !h.Time.Equal(o.Time):
		return h.Time.After(o.Time)
	}
	return h.Object > o.Object
}

// maxRuns is more than any head that we write has; it bounds what a garbled one can make us do.
const maxRuns = 4096

func (h *Head) check() error {
	switch {
	case h.Format < 1:
		return fmt.Errorf("head has no format")
	case h.Format > Format:
		return holdfast.Conflict("this head has format %d; this version of Holdfast reads up to %d: use a newer one", h.Format, Format)
	case h.Number == 0:
		return fmt.Errorf("head has no number")
	case h.Container.Kind == "" || h.Container.Source == "":
		return fmt.Errorf("head names no container")
	case len(h.Runs) > maxRuns:
		return fmt.Errorf("head has %d runs", len(h.Runs))
	}
	for _, r := range h.Runs {
		if r.Object == "" || r.Rows < 0 || r.Bytes < 0 {
			return fmt.Errorf("head has a run without object or with a negative size")
		}
	}
	return nil
}

func (h *Head) encode() ([]byte, error) {
	bare := *h
	bare.Object = ""
	return json.Marshal(bare)
}

func decodeHead(data []byte) (*Head, error) {
	h := new(Head)
	if err := json.Unmarshal(data, h); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	return h, nil
}

// EntryKind says what a journal entry tells.
type EntryKind string

// The kinds of journal entries.
const (
	// Published heads are complete states that restore points may name.
	Published EntryKind = "published"
	// Checkpoint heads are where an unfinished backup goes on after a crash. Nothing shows them, but all that they reach is kept.
	Checkpoint EntryKind = "checkpoint"
)

// Entry is one record of the repository's journal: heads that became durable together.
type Entry struct {
	Format int       `json:"format"`
	ID     string    `json:"id"` // sorts by time
	Kind   EntryKind `json:"kind"`
	Time   time.Time `json:"time"`
	Heads  []Head    `json:"heads"`
	// Summary entries stand for all entries before them: they were written by retention, which then deleted those.
	Summary bool `json:"summary,omitempty"`
}

func decodeEntry(data []byte) (*Entry, error) {
	e := new(Entry)
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("journal entry: %w", err)
	}
	switch {
	case e.Format < 1 || e.ID == "" || e.Kind != Published && e.Kind != Checkpoint:
		return nil, fmt.Errorf("journal entry lacks its format, id or kind")
	case e.Format > Format:
		return nil, holdfast.Conflict("this journal entry has format %d; this version of Holdfast reads up to %d: use a newer one", e.Format, Format)
	}
	for i := range e.Heads {
		if err := e.Heads[i].check(); err != nil {
			return nil, fmt.Errorf("journal entry %s: %w", e.ID, err)
		}
		if e.Heads[i].Object == "" {
			return nil, fmt.Errorf("journal entry %s: head without object", e.ID)
		}
	}
	return e, nil
}

// Point is a restore point with the heads that its entries name: what the repository stores.
type Point struct {
	holdfast.RestorePoint
	// Heads maps a container's key to the object of its head.
	Heads map[string]string
}

// storedPoint is the record of a restore point.
type storedPoint struct {
	Format int                   `json:"format"`
	Point  holdfast.RestorePoint `json:"restorePoint"`
	Heads  map[string]string     `json:"heads"`
}

func decodePoint(data []byte) (*Point, error) {
	var s storedPoint
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("restore point: %w", err)
	}
	switch {
	case s.Format < 1 || s.Point.ID == "":
		return nil, fmt.Errorf("restore point lacks its format or id")
	case s.Format > Format:
		return nil, holdfast.Conflict("this restore point has format %d; this version of Holdfast reads up to %d: use a newer one", s.Format, Format)
	}
	for _, e := range s.Point.Entries {
		if e.Head != 0 && s.Heads[e.Container.Key()] == "" {
			return nil, fmt.Errorf("restore point %s: no head object for %s", s.Point.ID, e.Container.Key())
		}
	}
	return &Point{RestorePoint: s.Point, Heads: s.Heads}, nil
}

// Record is h as the database keeps it; journal is the name of the entry that published it.
func (h *Head) Record(repository holdfast.RepositoryID, journal string) (holdfast.HeadRecord, error) {
	data, err := json.Marshal(h)
	if err != nil {
		return holdfast.HeadRecord{}, err
	}
	return holdfast.HeadRecord{
		Organization: h.Container.Organization, Repository: repository, Container: h.Container, Number: h.Number, Epoch: h.Epoch,
		Time: h.Time, Journal: journal, Items: h.Items, Bytes: h.Bytes, Data: data,
	}, nil
}

// DecodeHead reads what Record put into Data.
func DecodeHead(data []byte) (*Head, error) {
	h, err := decodeHead(data)
	if err != nil {
		return nil, err
	}
	if h.Object == "" {
		return nil, fmt.Errorf("head of %s has no object", h.Container.Key())
	}
	return h, nil
}
