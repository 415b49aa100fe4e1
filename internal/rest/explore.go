package rest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// The operations below a restore session are few verbs over many nouns. This file has the verbs: open a session, list,
// look up, search, save, restore. The nouns' files say where their ids are and how they look.

// exploration is what any of the explore operations asks for.
type exploration struct {
	Organization             holdfast.OrganizationID
	Repository               holdfast.RepositoryID
	Job                      holdfast.JobID
	Owner                    string // Entra object id
	reason                   string
	at                       *time.Time
	kind                     string
	showDeleted, allVersions *bool
}

func (a *API) explore(ctx context.Context, r *request, e exploration) (any, error) {
	s, err := a.services.RestoreSessions.Open(ctx, r.user, service.ExploreSpec{
		Type:            holdfast.ExplorerType(e.kind),
		Organization:    e.Organization,
		Repository:      e.Repository,
		Job:             e.Job,
		Time:            value(e.at),
		ShowDeleted:     value(e.showDeleted),
		ShowAllVersions: value(e.allVersions),
		ClientHost:      r.address(),
		Owner:           e.Owner,
		Reason:          e.reason,
	})
	if err != nil {
		return nil, err
	}
	return a.restoreSessionToContract(ctx, r, s)
}

// place is a mailbox or drive of a restore session, as a path names it.
type place struct {
	session   holdfast.RestoreSessionID
	container service.SessionContainer
	id        string // the container's public id
}

// on is the place as the policy sees it.
func (p place) on() []service.Object {
	return []service.Object{{Organization: p.container.Container.Organization, Owner: p.container.Container.Owner}}
}

// place finds the container whose id the path parameter has. A session sees one kind of containers only.
func (a *API) place(ctx context.Context, r *request, kind holdfast.ContainerKind, parameter string) (place, error) {
	session, err := r.id("restoreSessionId")
	if err != nil {
		return place{}, err
	}
	id := r.param(parameter)
	if u, err := uuid.Parse(id); err == nil {
		id = u.String()
	}
	c, err := a.services.RestoreSessions.Container(ctx, r.user, holdfast.RestoreSessionID(session), id)
	if err == nil && c.Container.Kind != kind {
		err = otherKind(kind)
	}
	return place{holdfast.RestoreSessionID(session), c, c.Container.PublicID()}, err
}

// places lists the containers that a session sees.
func (a *API) places(ctx context.Context, r *request, kind holdfast.ContainerKind, at holdfast.Page) ([]place, error) {
	session, err := r.id("restoreSessionId")
	if err != nil {
		return nil, err
	}
	all, err := a.services.RestoreSessions.Containers(ctx, r.user, holdfast.RestoreSessionID(session), at)
	if err != nil {
		return nil, err
	}
	out := make([]place, 0, len(all))
	for _, c := range all {
		if c.Container.Kind != kind {
			return nil, otherKind(kind)
		}
		out = append(out, place{holdfast.RestoreSessionID(session), c, c.Container.PublicID()})
	}
	return out, nil
}

func otherKind(kind holdfast.ContainerKind) error {
	what := map[holdfast.ContainerKind]string{holdfast.Mailbox: "mailboxes open one of type Vex", holdfast.Drive: "OneDrives open one of type Veod", holdfast.Site: "sites open one of type Vesp", holdfast.Team: "teams open one of type Vet", holdfast.Chat: "chats open one of type Chats"}
	return holdfast.Conflict("this restore session shows something else; to see %s", what[kind])
}

// root is the folder at the top of a container, which the contract does not show: its children are the first level.
// It is "" where the first level has no folder above it.
func (a *API) root(ctx context.Context, r *request, p place) (string, error) {
	top, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, service.ItemQuery{Limit: 2})
	if err != nil {
		return "", err
	}
	for _, e := range top.Entries {
		if special := e.Fields[holdfast.FieldSpecial]; special == "root" || special == "msgfolderroot" || special == "team" || special == "chat" {
			return e.ID, nil
		}
	}
	return "", nil
}

// parent is the folder that query parentId names; without it, or with one of the words that clients use for it, the root.
func (a *API) parent(ctx context.Context, r *request, p place) (string, error) {
	id, given := r.query("parentId")
	if !given || strings.EqualFold(id, "root") || strings.EqualFold(id, "null") {
		return a.root(ctx, r, p)
	}
	return a.itemID(ctx, r, p, id)
}

// deletedLink marks what was deleted before the session's time by a link to the newest restore point that has it: the contract has no
// other room for it.
func deletedLink(l links, to map[string]contract.RESTLinkHAL, e service.Entry) {
	if e.Deleted {
		to["lastRestorePoint"] = l.to("/RestorePoints/{restorePointId}", string(e.Last.Point))
	}
}

// search finds in one place after another what matches, as if they were one long list.
func (a *API) search(ctx context.Context, r *request, places []place, q service.ItemQuery, each func(place, service.Entry)) error {
	return a.searchIn(ctx, r, list(places, func(p place) spot { return spot{p, q.Parent} }), q, func(s spot, e service.Entry) { each(s.place, e) })
}

// spot is a folder of a place, which is searched with all below it; "" is all of the place.
type spot struct {
	place
	parent string
}

// searchIn is search in folders of places.
func (a *API) searchIn(ctx context.Context, r *request, spots []spot, q service.ItemQuery, each func(spot, service.Entry)) error {
	skip, want := q.Offset, q.Limit
	for _, p := range spots {
		q.Parent = p.parent
		for want > 0 {
			q.Offset, q.Limit = skip, want
			found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
			if err != nil {
				return err
			}
			for _, e := range found.Entries {
				each(p, e)
			}
			want -= len(found.Entries)
			switch {
			case len(found.Entries) > 0:
				skip += len(found.Entries)
				if want == 0 || found.Total >= 0 && int64(skip) >= found.Total {
					skip = 0
				} else {
					continue
				}
			case found.Total >= 0:
				skip = max(0, skip-int(found.Total))
			case skip > 0:
				// How many match here is not known, only that there are no more than skip: count them.
				n, err := a.count(ctx, r, p.place, q)
				if err != nil {
					return err
				}
				skip = max(0, skip-n)
			}
			break
		}
	}
	return nil
}

func (a *API) count(ctx context.Context, r *request, p place, q service.ItemQuery) (int, error) {
	n := 0
	for {
		q.Offset, q.Limit = n, maxLimit
		found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
		if err != nil {
			return 0, err
		}
		n += len(found.Entries)
		if len(found.Entries) < maxLimit {
			return n, nil
		}
	}
}

// save answers one item as it is, several or a folder as a ZIP.
func (a *API) save(r *request, p place, items []string, zip bool, name string) (any, error) {
	if len(items) == 1 && !zip {
		return &download{of: selection{place: p, items: items}, size: -1, open: func(ctx context.Context) (service.Content, error) {
			return a.services.RestoreSessions.Save(ctx, r.user, p.session, p.id, items[0])
		}}, nil
	}
	return &download{of: selection{place: p, items: items, zip: zip, name: name}, name: name + ".zip", size: -1, write: func(ctx context.Context, w io.Writer) error {
		return a.services.RestoreSessions.SaveMany(ctx, r.user, p.session, p.id, items, w)
	}}, nil
}

// login is how the body of a restore says that it wants to sign in.
type login struct {
	UserName    *string
	Password    *contract.SecureString
	UserCode    *string
	Application *uuid.UUID
	Certificate *string
	Secret      *contract.SecureString // of the certificate
	Tenant      *string                // organization to restore into
	Region      string                 // its cloud
	CasServer   *string
}

// restore starts a restore of one container and answers the session whose events tell how it goes.
func (a *API) restore(ctx context.Context, r *request, p place, spec service.RestoreSpec, l login) (any, error) {
	if err := a.restoreOne(ctx, r, p, spec, l); err != nil {
		return nil, err
	}
	return contract.RESTAsyncRestoreResponse{SessionID: uuid.MustParse(string(p.session))}, nil
}

func (a *API) restoreOne(ctx context.Context, r *request, p place, spec service.RestoreSpec, l login) error {
	spec.Container = p.id
	spec.UserName = value(l.UserName) != "" || value(l.Password) != ""
	spec.DeviceCode = value(l.UserCode) != ""
	if value(l.CasServer) != "" {
		return holdfast.Invalid("restoring to an Exchange server on premises is not built yet; leave casServer out")
	}
	if l.Application != nil || value(l.Certificate) != "" {
		certificate, err := decodeCertificate("applicationCertificate", value(l.Certificate))
		if err != nil {
			return err
		}
		spec.Credential = &holdfast.Credential{
			TenantID:            value(l.Tenant),
			ApplicationID:       uuidText(l.Application),
			Certificate:         certificate,
			CertificatePassword: holdfast.Secret(value(l.Secret)),
		}
	}
	if l.Region != "" || value(l.Tenant) != "" {
		own, err := a.services.Organizations.Get(ctx, r.user, p.container.Container.Organization)
		if err != nil {
			return err
		}
		if l.Region != "" && holdfast.Region(l.Region) != own.Region {
			return holdfast.Invalid("restoring into another cloud is not built yet: %s is in %s, officeRegion says %s", own.Name, own.Region, l.Region)
		}
		if t := value(l.Tenant); t != "" && spec.Credential == nil && !strings.EqualFold(t, own.Name) && !strings.EqualFold(t, own.TenantID) {
			return holdfast.Invalid("restoring into organization %s takes an application of that organization: give its applicationId and applicationCertificate", t)
		}
	}
	id, err := a.services.RestoreSessions.Restore(ctx, r.user, p.session, spec)
	if err != nil {
		return err
	}
	r.begun = append(r.begun, id)
	return nil
}

// The modes of restores, as holdfast.RestoreRequest has them.
const (
	modeSkip      = "skip"
	modeKeepBoth  = "keep both"
	modeOverwrite = "overwrite"
)

// whichItems reads the contract's pair of choices: items that differ from what is there, and items that are not there.
// Neither given means both.
func whichItems(spec *service.RestoreSpec, changed, deleted *bool) error {
	spec.ChangedItems, spec.MissingItems = value(changed), value(deleted)
	if changed == nil && deleted == nil {
		spec.ChangedItems, spec.MissingItems = true, true
	}
	if !spec.ChangedItems && !spec.MissingItems {
		return holdfast.Invalid("with changedItems and deletedItems both false there is nothing to restore")
	}
	if spec.Mode == "" { // of mail, which has no choice of its own
		spec.Mode = modeSkip
		if spec.ChangedItems {
			spec.Mode = modeOverwrite
		}
	}
	return nil
}

// mailOptions are the options of restores of mail beyond where to and which.
type mailOptions struct {
	unread, drafts, deleted, inPlaceHold, litigationHold *bool
	recent                                               *int32
}

// apply puts what the options mean into spec, and refuses what means nothing, rather than do something else than asked.
func (o mailOptions) apply(spec *service.RestoreSpec) error {
	for name, on := range map[string]*bool{"excludeInPlaceHoldItems": o.inPlaceHold, "excludeLitigationHoldItems": o.litigationHold} {
		if value(on) {
			return holdfast.Invalid("%s means nothing here: what a hold keeps of deleted items lies in hidden folders that Microsoft Graph does not show, so backups hold none of it; leave it out or set it to false", name)
		}
	}
	if value(o.recent) != 0 {
		return holdfast.Invalid("recentItemRestorePeriod is not built yet; leave it out")
	}
	if value(o.unread) {
		spec.MarkRestored = holdfast.MarkUnread
	}
	if value(o.drafts) {
		spec.Exclude = append(spec.Exclude, "drafts")
	}
	if value(o.deleted) {
		spec.Exclude = append(spec.Exclude, "deleteditems", "recoverableitemsdeletions", "recoverableitemspurges")
	}
	return nil
}

// overwriteNewer reads our own query parameter: changedItems chooses what is restored, it does not say that what was changed since may be overwritten.
func overwriteNewer(r *request, spec *service.RestoreSpec) (err error) {
	spec.Newer, err = r.queryBool("overwriteNewer", false)
	if err == nil && spec.Newer && spec.Mode != modeOverwrite {
		err = holdfast.Invalid("overwriteNewer does not go with changedItems false: nothing is overwritten then")
	}
	return err
}

// refuse names options of a body that are not built and were asked for; ignoring them would do something else than asked.
func refuse(options map[string]*bool) error {
	var asked []string
	for name, on := range options {
		if value(on) {
			asked = append(asked, name)
		}
	}
	switch len(asked) {
	case 0:
		return nil
	case 1:
		return holdfast.Invalid("%s is not built yet; leave it out or set it to false", asked[0])
	}
	return holdfast.Invalid("%s are not built yet; leave them out or set them to false", joined(asked))
}

func joined(names []string) string {
	sorted := append([]string(nil), names...)
	for i := range sorted { // a handful at most
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return fmt.Sprintf("%s and %s", strings.Join(sorted[:len(sorted)-1], ", "), sorted[len(sorted)-1])
}
