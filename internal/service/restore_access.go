package service

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
)

// object is the container as the policy sees it.
func (c SessionContainer) object() Object {
	return Object{Organization: c.Container.Organization, Owner: c.Container.Owner}
}

// ActsIn are the acts on content that a caller may do in a restore session: on the one user whom it shows, else on some of those whom it shows.
func ActsIn(u User, s holdfast.RestoreSession) []Act {
	var on []Object
	if s.Owner != "" {
		on = append(on, Object{Organization: s.Organization, Owner: s.Owner})
	}
	acts := []Act{}
	for _, act := range []Act{ActReadContent, ActDownload, ActRestore, ActRestoreOther} {
		restores := act == ActRestore || act == ActRestoreOther
		if Allowed(u, act, on...) == nil && (!restores || s.Type != holdfast.ExploreChats || Allowed(u, ActRestoreChat, on...) == nil) {
			acts = append(acts, act)
		}
	}
	return acts
}

// browsed says whether the caller may read a container's content, and puts the reading into the audit chain: each search, and the first
// look into a container in a session.
func (r *RestoreSessions) browsed(ctx context.Context, u User, id holdfast.RestoreSessionID, c SessionContainer, q ItemQuery) error {
	if err := r.may(u, ActReadContent, c.object()); err != nil {
		return err
	}
	if q.Search != "" && q.Search != "kind:*" {
		if q.Offset > 0 {
			return nil // a further page of a search that is in the chain
		}
		return r.auditNow(ctx, u, "restore_session.search", "restore_session/"+string(id), c.Container.Key()+": "+q.Search)
	}
	k := openedKey{id, u.ID, u.Key, c.Container.Key()}
	if r.views.isOpened(k) {
		return nil
	}
	if err := r.auditNow(ctx, u, "restore_session.browse", "restore_session/"+string(id), c.Container.Key()); err != nil {
		return err
	}
	r.views.opens(k)
	return nil
}

// mayRestoreTo says whether the caller may restore to where spec wants it. Who sees everything may restore anywhere. Others need
// the grant for it, see the other user too, and do it by the organization's own application.
func (r *RestoreSessions) mayRestoreTo(ctx context.Context, u User, c SessionContainer, org holdfast.Organization, own holdfast.Credential, spec RestoreSpec) error {
	if ScopeOf(u, ActRestoreOther) == nil {
		return nil
	}
	if spec.Credential != nil {
		return holdfast.Denied("%s may restore by the organization's own application only: leave the application out", u.Name)
	}
	if spec.NewChat {
		return r.may(u, ActRestoreOther, c.object())
	}
	if spec.To == "" || strings.EqualFold(spec.To, c.Container.Owner) || strings.EqualFold(spec.To, c.Container.Address) {
		return nil
	}
	if err := r.may(u, ActRestoreOther, c.object()); err != nil {
		return err
	}
	if c.Container.Kind == holdfast.Site {
		to, err := r.Directory.Site(ctx, org, own, spec.To)
		if err != nil {
			return err
		}
		return r.may(u, ActRestoreOther, Object{Organization: org.ID, Owner: to.ID})
	}
	if c.Container.Kind == holdfast.Team {
		to, err := r.Directory.Team(ctx, org, own, spec.To)
		if err != nil {
			return err
		}
		return r.may(u, ActRestoreOther, Object{Organization: org.ID, Owner: to.ID})
	}
	to, err := r.Directory.User(ctx, org, own, spec.To)
	if err != nil {
		return err
	}
	return r.may(u, ActRestoreOther, Object{Organization: org.ID, Owner: to.ID})
}
