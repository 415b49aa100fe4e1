package rest

import (
	"context"
	"io"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

const (
	basketsPath = "/Baskets"
	basketPath  = basketsPath + "/{basketId}"
)

var basketRoutes = []route{
	{"Basket_Get", "GET", basketsPath, 200, service.ActExplore, (*API).basketGet},
	{"Basket_Add", "POST", basketsPath, 201, service.ActExplore, (*API).basketAdd},
	{"Basket_GetById", "GET", basketPath, 200, service.ActExplore, (*API).basketGetByID},
	{"Basket_Delete", "DELETE", basketPath, 204, service.ActExplore, (*API).basketDelete},
	{"Basket_GetItems", "GET", basketPath + "/Items", 200, service.ActExplore, (*API).basketGetItems},
	{"Basket_AddItems", "POST", basketPath + "/Items", 200, service.ActReadContent, (*API).basketAddItems},
	{"Basket_RemoveItem", "DELETE", basketPath + "/Items/{entryId}", 204, service.ActExplore, (*API).basketRemoveItem},
	{"Basket_GetContent", "GET", basketPath + "/Content", 200, service.ActDownload, (*API).basketGetContent},
	{"Basket_Plan", "POST", basketPath + "/Plan", 200, service.ActRestore, (*API).basketPlan},
	{"Basket_Restore", "POST", basketPath + "/Restore", 200, service.ActRestore, (*API).basketRestore},
	{"Basket_GetRun", "GET", basketPath + "/Runs/{runId}", 200, service.ActSeeRestored, (*API).basketGetRun},
}

type runShape struct {
	ID      string      `json:"id"`
	Started time.Time   `json:"started"`
	Parts   []partShape `json:"parts"`
}

type partShape struct {
	Session string   `json:"restoreSessionId,omitzero"`
	Request string   `json:"requestId,omitzero"`
	Entries []string `json:"entries"`
	Error   string   `json:"error,omitzero"`
}

func runToShape(run holdfast.BasketRun) runShape {
	return runShape{run.ID, run.Started.UTC(), list(run.Parts, func(p holdfast.BasketPart) partShape {
		return partShape{string(p.Session), p.Request, list(p.Entries, func(e holdfast.BasketEntryID) string { return string(e) }), p.Err}
	})}
}

type basketShape struct {
	ID      string                         `json:"id"`
	Name    string                         `json:"name"`
	Created time.Time                      `json:"created"`
	Runs    []runShape                     `json:"runs"`
	Links   contract.RESTLinkHALDictionary `json:"_links"`
}

func basketToShape(l links, b holdfast.Basket) basketShape {
	id := string(b.ID)
	return basketShape{id, b.Name, b.Created.UTC(), list(b.Runs, runToShape), contract.RESTLinkHALDictionary{
		"self": l.to(basketPath, id), "items": l.to(basketPath+"/Items", id), "content": l.to(basketPath+"/Content", id), "restore": l.to(basketPath+"/Restore", id)}}
}

func (r *request) basket() (holdfast.BasketID, error) {
	id, err := r.id("basketId")
	return holdfast.BasketID(id), err
}

func (a *API) basketGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.services.Baskets.List(ctx, r.user, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(b holdfast.Basket) basketShape { return basketToShape(r.links, b) }), nil
}

func (a *API) basketAdd(ctx context.Context, r *request) (any, error) {
	var in struct {
		Name string `json:"name,omitzero"`
	}
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	b, err := a.services.Baskets.Create(ctx, r.user, in.Name)
	if err != nil {
		return nil, err
	}
	return basketToShape(r.links, b), nil
}

func (a *API) basketGetByID(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	b, err := a.services.Baskets.Get(ctx, r.user, id)
	if err != nil {
		return nil, err
	}
	return basketToShape(r.links, b), nil
}

func (a *API) basketDelete(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	return nil, a.services.Baskets.Delete(ctx, r.user, id)
}

type entryShape struct {
	ID         string     `json:"id"`
	Item       string     `json:"itemId"`
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	Path       string     `json:"path"`
	Size       int64      `json:"size"`
	Time       *time.Time `json:"time,omitzero"`
	Point      string     `json:"restorePointId"`
	Repository string     `json:"repositoryId"`
	Owner      string     `json:"owner"`
	Address    string     `json:"address"`
	Container  string     `json:"containerKind"`
}

func basketEntryToShape(e holdfast.BasketEntry) entryShape {
	return entryShape{string(e.ID), e.Item, string(e.Kind), e.Name, e.Path, e.Size, stamp(e.Time), string(e.Point), string(e.Repository), e.Container.Name, e.Container.Address, string(e.Container.Kind)}
}

func (a *API) basketGetItems(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	all, err := a.services.Baskets.Entries(ctx, r.user, id, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, basketEntryToShape), nil
}

// basketAddItems puts items into a basket as a restore session shows them.
func (a *API) basketAddItems(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	var in struct {
		Session   string   `json:"restoreSessionId"`
		Container string   `json:"containerId"`
		Items     []string `json:"items"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	p, err := a.placeOf(ctx, r, holdfast.RestoreSessionID(strings.ToLower(in.Session)), in.Container)
	if err != nil {
		return nil, err
	}
	items := make([]string, len(in.Items))
	for i := range in.Items {
		if items[i], err = a.itemID(ctx, r, p, in.Items[i]); err != nil {
			return nil, err
		}
	}
	added, err := a.services.Baskets.Add(ctx, r.user, id, p.session, p.id, items)
	if err != nil {
		return nil, err
	}
	return list(added, basketEntryToShape), nil
}

func (a *API) basketRemoveItem(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	entry, err := r.id("entryId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Baskets.Remove(ctx, r.user, id, holdfast.BasketEntryID(entry))
}

// basketGetContent answers everything in a basket as one ZIP with a manifest of hashes and original names.
func (a *API) basketGetContent(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	b, err := a.services.Baskets.Get(ctx, r.user, id)
	if err != nil {
		return nil, err
	}
	return &download{name: b.Name + ".zip", size: -1, write: func(ctx context.Context, w io.Writer) error {
		return a.services.Baskets.Download(ctx, r.user, id, w)
	}}, nil
}

// basketBody is how to restore a basket.
type basketBody struct {
	To             string `json:"to,omitzero"`
	Folder         string `json:"folder,omitzero"`
	Mode           string `json:"mode,omitzero"`
	OverwriteNewer bool   `json:"overwriteNewer,omitzero"`
	AllVersions    bool   `json:"allVersions,omitzero"`
	Permissions    bool   `json:"permissions,omitzero"`
	Changed        *bool  `json:"changedItems,omitzero"`
	Missing        *bool  `json:"missingItems,omitzero"`
	Unread         *bool  `json:"markUnread,omitzero"`
	Reason         string `json:"reason,omitzero"`
	Limit          int    `json:"limit,omitzero"` // plan: items to tell of one by one
}

func (in *basketBody) spec() (service.RestoreSpec, error) {
	body := restoreBody{To: in.To, Folder: in.Folder, Mode: in.Mode, OverwriteNewer: in.OverwriteNewer, AllVersions: in.AllVersions, Permissions: in.Permissions, Changed: in.Changed, Missing: in.Missing, Unread: in.Unread, Reason: in.Reason}
	return body.spec()
}

// basketPlan is the dry run of basketRestore.
func (a *API) basketPlan(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	var in basketBody
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	most, err := planLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	return a.inquire(ctx, r, service.InquirySpec{Kind: planInquiry, Act: service.ActRestore}, func(ctx context.Context) (any, error) {
		plan, err := a.services.Baskets.Plan(ctx, r.user, id, spec, most)
		return planToShape(plan), err
	})
}

// basketRestore begins to restore everything in a basket as one run.
func (a *API) basketRestore(ctx context.Context, r *request) (any, error) {
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	var in basketBody
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	run, err := a.services.Baskets.Restore(ctx, r.user, id, spec)
	if err != nil {
		return nil, err
	}
	return runToShape(run), nil
}

type resultShape struct {
	Entry   string `json:"entryId,omitzero"`
	Session string `json:"restoreSessionId,omitzero"`
	Item    string `json:"itemId"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"message,omitzero"`

	Outcome       string   `json:"outcome,omitzero"`
	OutcomeReason string   `json:"outcomeReason,omitzero"`
	OutcomeDetail string   `json:"outcomeDetail,omitzero"`
	NotEqual      []string `json:"notEqual,omitzero"`
}

type runStateShape struct {
	runShape
	Status   string `json:"status"`
	Restored int64  `json:"restored"`
	Skipped  int64  `json:"skipped"`
	Failed   int64  `json:"failed"`
	pageOf[resultShape]
}

// basketGetRun tells how a run goes, with a result for each item that is done.
func (a *API) basketGetRun(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	id, err := r.basket()
	if err != nil {
		return nil, err
	}
	run, err := r.id("runId")
	if err != nil {
		return nil, err
	}
	s, err := a.services.Baskets.Run(ctx, r.user, id, run, w.page())
	if err != nil {
		return nil, err
	}
	return runStateShape{runToShape(s.BasketRun), s.Status, s.Restored, s.Skipped, s.Failed, page(r, w, s.Results, func(b service.BasketResult) resultShape {
		e := b.Event
		return resultShape{string(b.Entry), string(b.Session), e.Item, e.ItemName, e.Status, e.Message, e.Outcome, string(e.Skip), e.Detail, e.Lost}
	})}, nil
}
