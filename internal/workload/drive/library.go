package drive

import (
	"context"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
)

// A document library of a site is a drive like any other, but part of the site's container: the workload of sites reads and restores it by these.

// Library is the container that a library would be by itself. It is never stored.
func Library(org holdfast.OrganizationID, drive, name string) holdfast.Container {
	return holdfast.Container{Organization: org, Kind: holdfast.Drive, Source: drive, Name: name, Address: name}
}

// ReadLibrary brings a library up to date; prev and sink show the library alone.
func ReadLibrary(ctx context.Context, g *graph.Client, library holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	return (&source{g: g, org: library.Organization}).Read(ctx, library, prev, sink)
}

// RestoreLibrary opens a restore into a library, which plan.To is.
func RestoreLibrary(ctx context.Context, g *graph.Client, plan engine.RestorePlan) (engine.Restore, error) {
	return (&target{g: g}).Open(ctx, plan)
}

// PlaceError says what an error of a call for a whole drive or site means.
func PlaceError(err error) error { return driveError(err) }
