package exchange_test

import (
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// Notes are in a folder that no list of folders has; they are read, followed and put back into it all the same.
func TestNotesAreBackedUpAndPutBack(t *testing.T) { both(t, testNotes) }

func testNotes(t *testing.T) {
	f := setup(t, sim.Options{Seed: 31})
	c := workloadtest.New()
	read := func() (notes []workloadtest.Stored) {
		t.Helper()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		f.same(t, c)
		for _, s := range c.Items() {
			if c.Items()[s.Parent].Fields[holdfast.FieldSpecial] == "notes" {
				notes = append(notes, s)
				if s.Fields[holdfast.FieldClass] != "IPM.StickyNote" {
					t.Errorf("%q has the class %q", s.Name, s.Fields[holdfast.FieldClass])
				}
			}
		}
		return notes
	}
	there := func() (n int) {
		t.Helper()
		err := f.sim.DumpMailbox(f.box.Source, false, func(sim.MailFolderRow) error { return nil }, func(m sim.MailRow) error {
			if m.Class == "IPM.StickyNote" && m.Folder == "Notes" {
				n++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	notes := read()
	if len(notes) != 2 || there() != 2 {
		t.Fatalf("%d notes are stored and %d are there, want 2", len(notes), there())
	}
	if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, notes[0].ID, "", map[string]any{"categories": []string{"Blue category"}}); err != nil {
		t.Fatal(err)
	}
	if read()[0].Version == notes[0].Version && read()[1].Version == notes[1].Version {
		t.Error("a note that was changed was not read again")
	}
	for _, s := range notes {
		if err := f.g.DeleteMessage(t.Context(), f.box.Source, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	results := f.restoreAll(t, c, engine.RestorePlan{})
	for _, s := range notes {
		if results[s.ID].Outcome != engine.Created {
			t.Errorf("%q: %s", s.Name, results[s.ID].Outcome)
		}
	}
	if there() != 2 {
		t.Errorf("%d notes came back into their folder, want 2", there())
	}
	asPromised(t, c, results, false)
	if n := len(read()); n != 2 {
		t.Errorf("%d notes are stored afterwards", n)
	}
	// Where the notes are restored to another mailbox they come into its folder of notes.
	to := f.other(t)
	f.run(t, c, engine.RestorePlan{To: to})
	elsewhere := 0
	if err := f.sim.DumpMailbox(to.Source, false, func(sim.MailFolderRow) error { return nil }, func(m sim.MailRow) error {
		if m.Folder == "Notes" {
			elsewhere++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if elsewhere != 4 {
		t.Errorf("the other mailbox has %d notes, want its two and these two", elsewhere)
	}
}
