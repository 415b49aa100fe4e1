package site_test

import (
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// What a backup and a restore count for their calls is at least what the service does: whoever counts less runs into its limit.
func TestUnitsAreCountedAsTheServiceDoes(t *testing.T) {
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 24, Files: 12}})
	c := workloadtest.New()
	served := func() int64 { return r.sim.Stats().ResourceUnits["sharepoint"] }
	meter := func(what string, do func(r *rig)) {
		before := served()
		ctx, counted := m365.Meter(t.Context())
		do(&rig{t: t, sim: r.sim, g: r.g, source: r.source, target: r.target, box: r.box, ctx: ctx})
		if got, want := counted().ResourceUnits, served()-before; got < want {
			t.Errorf("%s counts %d units, the service %d", what, got, want)
		}
	}
	meter("a backup", func(r *rig) { r.backup(c) })
	for _, list := range r.info("/sites/Falcon").Lists {
		if err := r.sim.EmptyList(r.box.Source, list); err != nil {
			t.Fatal(err)
		}
	}
	plan := engine.RestorePlan{Session: "s", From: r.box, To: r.box, Mode: engine.KeepBoth, ChangedItems: true, MissingItems: true, Permissions: true, Whole: true, AllVersions: true}
	meter("a restore", func(r *rig) { r.putBack(c, plan, func(holdfast.Item, engine.Restored, error) {}) })
}
