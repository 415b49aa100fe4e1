package engine_test

import (
	"context"
	"fmt"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/engine/enginetest"
	"holdfast/internal/holdfast"
)

// learner is a Source that learns of its container, and of others, as it reads.
type learner struct {
	*enginetest.Tenant
	of   holdfast.Container
	find map[string]string
	hint string
}

func (l *learner) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	l.hint = engine.HintOf(ctx)
	engine.Describe(sink, l.of)
	for id, hint := range l.find {
		engine.Find(sink, enginetest.Container(id), hint)
	}
	return l.Tenant.Read(ctx, c, prev, sink)
}

// What a Source learns of a container is in its head, in the entry of the restore point, and in the repository for a rebuild; an idle one keeps it.
func TestWhatASourceLearnsIsInTheHead(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 3)
	of := enginetest.Container("ann")
	of.Name, of.Address, of.Owner = "new", "with bob", "ann bob"
	l := &learner{Tenant: w.tenant, of: of, find: map[string]string{"x": "1"}}
	for _, want := range []holdfast.ContainerState{holdfast.StateUpdated, holdfast.StateUnchanged} {
		found := map[string]string{}
		entry, _, err := w.engine.Backup(engine.WithHint(t.Context(), "5"), w.repo, l, engine.BackupTask{Lease: w.db.Lease("ann"), Container: enginetest.Container("ann"),
			Found: func(c holdfast.Container, hint string) { found[c.Source] = hint }})
		w.must(err)
		if entry.State != want || entry.Container != of {
			t.Errorf("entry %s of %+v, want %s of %+v", entry.State, entry.Container, want, of)
		}
		if fmt.Sprint(found) != "map[x:1]" || l.hint != "5" {
			t.Errorf("found %v, hint %q", found, l.hint)
		}
	}
	heads := w.db.All()
	if len(heads) != 1 || heads[0].Container != of {
		t.Errorf("heads %+v", heads)
	}
	head, err := engine.HeadOf(&heads[0])
	w.must(err)
	if head.Container != of {
		t.Errorf("the repository's head is of %+v", head.Container)
	}
}
