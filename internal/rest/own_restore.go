package rest

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// restoreBody is a restore as our own operations take it: the same for mail and files, for a plan and for the restore itself.
type restoreBody struct {
	Session        string   `json:"restoreSessionId"`
	Container      string   `json:"containerId"`
	Items          []string `json:"items,omitzero"` // none: the whole container
	To             string   `json:"to,omitzero"`
	Folder         string   `json:"folder,omitzero"`
	Mode           string   `json:"mode,omitzero"` // skip, keepBoth, overwrite
	OverwriteNewer bool     `json:"overwriteNewer,omitzero"`
	AllVersions    bool     `json:"allVersions,omitzero"`
	Permissions    bool     `json:"permissions,omitzero"`
	NewChat        bool     `json:"newChat,omitzero"` // a chat: into a new group of the same people
	Topic          string   `json:"topic,omitzero"`   // of that group
	Changed        *bool    `json:"changedItems,omitzero"`
	Missing        *bool    `json:"missingItems,omitzero"`
	Unread         *bool    `json:"markUnread,omitzero"`
	NoDrafts       *bool    `json:"excludeDrafts,omitzero"`
	NoDeleted      *bool    `json:"excludeDeletedItems,omitzero"`
	Reason         string   `json:"reason,omitzero"` // kept with the restore
	Limit          int      `json:"limit,omitzero"`  // plan: items to tell of one by one
}

// spec checks how to restore, without what.
func (b *restoreBody) spec() (service.RestoreSpec, error) {
	spec := service.RestoreSpec{To: b.To, Folder: b.Folder, Newer: b.OverwriteNewer, AllVersions: b.AllVersions, Permissions: b.Permissions, NewChat: b.NewChat, Topic: strings.TrimSpace(b.Topic), Reason: b.Reason}
	switch strings.ToLower(strings.ReplaceAll(b.Mode, " ", "")) {
	case "", "skip":
		spec.Mode = modeSkip
	case "keepboth":
		spec.Mode = modeKeepBoth
	case "overwrite":
		spec.Mode = modeOverwrite
	default:
		return spec, holdfast.Invalid("mode must be skip, keepBoth or overwrite, not %q", b.Mode)
	}
	if spec.Newer && spec.Mode != modeOverwrite {
		return spec, holdfast.Invalid("overwriteNewer goes with mode overwrite only")
	}
	return spec, errors.Join(mailOptions{unread: b.Unread, drafts: b.NoDrafts, deleted: b.NoDeleted}.apply(&spec), whichItems(&spec, b.Changed, b.Missing))
}

// own reads a body of a restore.
func (a *API) ownRestore(ctx context.Context, r *request) (place, restoreBody, service.RestoreSpec, error) {
	var in restoreBody
	if err := r.decode(&in); err != nil {
		return place{}, in, service.RestoreSpec{}, err
	}
	spec, err := in.spec()
	if err != nil {
		return place{}, in, spec, err
	}
	p, err := a.placeOf(ctx, r, holdfast.RestoreSessionID(strings.ToLower(in.Session)), in.Container)
	if err != nil {
		return p, in, spec, err
	}
	spec.Container = p.id
	for _, id := range in.Items {
		item, err := a.itemID(ctx, r, p, id)
		if err != nil {
			return p, in, spec, err
		}
		if _, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, item); err != nil {
			return p, in, spec, err
		}
		spec.Items = append(spec.Items, item)
	}
	return p, in, spec, nil
}

type plannedShape struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Path    string `json:"path"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitzero"`
	Detail  string `json:"detail,omitzero"`
}

type planShape struct {
	Created       int64          `json:"created"`
	Overwritten   int64          `json:"overwritten"`
	Existing      int64          `json:"existing"`
	Skipped       int64          `json:"skipped"`
	Folders       int64          `json:"folders"`
	Requests      int64          `json:"requests"`
	ResourceUnits int64          `json:"resourceUnits"`
	Bytes         int64          `json:"bytes"`
	Seconds       float64        `json:"seconds"`
	Limit         string         `json:"limit"`
	LimitSaid     *contract.Said `json:"limitSaid,omitzero"`
	Items         []plannedShape `json:"items"`
	More          bool           `json:"more"`
}

// restorePlan is the dry run of restoreStart: what it would do, item by item, and what that takes.
func (a *API) restorePlan(ctx context.Context, r *request) (any, error) {
	p, in, spec, err := a.ownRestore(ctx, r)
	if err != nil {
		return nil, err
	}
	most, err := planLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	return a.inquire(ctx, r, service.InquirySpec{Kind: planInquiry, Act: service.ActRestore, On: p.on()}, func(ctx context.Context) (any, error) {
		plan, err := a.services.RestoreSessions.Plan(ctx, r.user, p.session, spec, most)
		return planToShape(plan), err
	})
}

// planLimit is how many items a dry run tells of one by one.
func planLimit(asked int) (int, error) {
	if asked < 0 {
		return 0, holdfast.Invalid("limit must not be negative")
	}
	return min(cmp.Or(asked, 1000), maxLimit), nil
}

func planToShape(plan holdfast.RestorePlan) planShape {
	return planShape{Created: plan.Created, Overwritten: plan.Overwritten, Existing: plan.Existing, Skipped: plan.Skipped, Folders: plan.Cost.Folders, Requests: plan.Cost.Requests,
		ResourceUnits: plan.Cost.ResourceUnits, Bytes: plan.Cost.Bytes, Seconds: plan.Time.Seconds(), Limit: plan.Limit, LimitSaid: saidOf(plan.Limit), More: plan.More,
		Items: list(plan.Items, func(i holdfast.ItemResult) plannedShape {
			return plannedShape{i.Item, i.Name, i.Path, i.Outcome, string(i.Reason), i.Detail}
		})}
}

// started is a restore that began; how it goes, the session's events tell.
type started struct {
	Session string                         `json:"restoreSessionId"`
	Request string                         `json:"requestId"`
	Links   contract.RESTLinkHALDictionary `json:"_links"`
}

// restoreStart begins a restore of items of one container, whichever kind it is.
func (a *API) restoreStart(ctx context.Context, r *request) (any, error) {
	p, _, spec, err := a.ownRestore(ctx, r)
	if err != nil {
		return nil, err
	}
	request, err := a.services.RestoreSessions.Restore(ctx, r.user, p.session, spec)
	if err != nil {
		return nil, err
	}
	return started{string(p.session), request, contract.RESTLinkHALDictionary{"events": links{served}.to(sessionPath+"/Events", string(p.session))}}, nil
}
