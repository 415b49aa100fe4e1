package app

import (
	"context"
	"path/filepath"
	"slices"

	"holdfast/internal/holdfast"
	"holdfast/internal/search"
	"holdfast/internal/service"
)

// newSearch makes the search index of a server. Its side files are in the data folder; they hold words of mails, so they are the
// owner's only, and can be deleted at any time.
func (s *Server) newSearch() *search.Index {
	return search.New(search.Config{Folder: filepath.Join(s.config.Data, "search"), Vault: s.vaults.vault, Catalogue: catalogue{s}, Clock: s.config.Clock, Log: s.config.Log,
		Busy: func() bool { return s.worker.Busy() }})
}

// catalogue is what the search index knows of the database.
type catalogue struct{ s *Server }

func fromStore[T any](ctx context.Context, c catalogue, fn func(ctx context.Context, tx service.Tx) (T, error)) (out T, err error) {
	err = service.OnStore(c.s.store).Read(ctx, func(ctx context.Context, tx service.Tx) error {
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

func (c catalogue) Organizations(ctx context.Context) ([]holdfast.OrganizationID, error) {
	return fromStore(ctx, c, func(ctx context.Context, tx service.Tx) ([]holdfast.OrganizationID, error) {
		// One that was removed may have restore points still.
		points, err := tx.NewestPoints(ctx, holdfast.PointFilter{})
		if err != nil {
			return nil, err
		}
		var list []holdfast.OrganizationID
		for _, p := range points {
			list = append(list, p.Organization)
		}
		orgs, err := tx.Organizations(ctx, holdfast.Page{})
		for _, o := range orgs {
			list = append(list, o.ID)
		}
		slices.Sort(list)
		return slices.Compact(list), err
	})
}

func (c catalogue) Containers(ctx context.Context, org holdfast.OrganizationID) ([]holdfast.ContainerRecord, error) {
	return fromStore(ctx, c, func(ctx context.Context, tx service.Tx) ([]holdfast.ContainerRecord, error) {
		return tx.Containers(ctx, holdfast.ContainerFilter{Organization: org}, holdfast.Page{})
	})
}

func (c catalogue) Points(ctx context.Context, org holdfast.OrganizationID) ([]holdfast.RestorePoint, error) {
	return fromStore(ctx, c, func(ctx context.Context, tx service.Tx) ([]holdfast.RestorePoint, error) {
		return tx.RestorePoints(ctx, holdfast.PointFilter{Organization: org}, holdfast.Page{})
	})
}

func (c catalogue) Point(ctx context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	return fromStore(ctx, c, func(ctx context.Context, tx service.Tx) (holdfast.RestorePoint, error) {
		return tx.RestorePoint(ctx, id)
	})
}

func (c catalogue) Head(ctx context.Context, repository holdfast.RepositoryID, org holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error) {
	return heads{c.s}.Head(ctx, repository, org, container, number)
}

func (c catalogue) Path(ctx context.Context, id holdfast.RepositoryID) (string, error) {
	return c.s.path(ctx, id)
}
