package rest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) jobGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	organization, err := r.queryID("organizationId")
	if err != nil {
		return nil, err
	}
	repository, err := r.queryID("repositoryId")
	if err != nil {
		return nil, err
	}
	f := holdfast.JobFilter{Organization: holdfast.OrganizationID(organization), Repository: holdfast.RepositoryID(repository)}
	jobs, err := a.services.Jobs.List(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, jobs, func(j holdfast.Job) contract.RESTJob { return jobToContract(r.links, j) }), nil
}

func (a *API) jobAdd(ctx context.Context, r *request) (any, error) {
	var in contract.RESTCreateBackupJob
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec := service.JobSpec{
		Organization: holdfast.OrganizationID(in.OrganizationID.String()),
		Repository:   holdfast.RepositoryID(in.RepositoryID.String()),
		Name:         in.Name,
		Description:  in.Description,
		Scope:        holdfast.JobScope(in.BackupType),
		Enabled:      in.IsEnabled,
		RunNow:       value(in.RunNow),
		Schedule:     new(scheduleFromContract(in.SchedulePolicy)),
		Chats:        in.Chats,
		Personal:     in.PersonalSites,
	}
	if err := itemsOfJob(&spec, in.SelectedItems, in.ExcludedItems); err != nil {
		return nil, err
	}
	job, err := a.services.Jobs.Create(ctx, r.user, spec)
	if err != nil {
		return nil, err
	}
	return jobToContract(r.links, job), nil
}

// itemsOfJob puts the lists of a body into spec; a list that is absent stays nil, one that is empty does not.
func itemsOfJob(spec *service.JobSpec, selected, excluded []contract.RESTJobItemComposed) (err error) {
	if selected != nil {
		if spec.Selected, err = itemsFromContract("selectedItems", selected); err != nil {
			return err
		}
	}
	if excluded != nil {
		spec.Excluded, err = itemsFromContract("excludedItems", excluded)
	}
	return err
}

func (a *API) jobGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	job, err := a.services.Jobs.Get(ctx, r.user, holdfast.JobID(id))
	if err != nil {
		return nil, err
	}
	return jobToContract(r.links, job), nil
}

func (a *API) jobUpdate(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	var in contract.RESTEditBackupJob
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec := service.JobSpec{
		Repository:  holdfast.RepositoryID(uuidText(in.RepositoryID)),
		Name:        in.Name,
		Description: in.Description,
		Scope:       holdfast.JobScope(value(in.BackupType)),
		Enabled:     in.IsEnabled,
		RunNow:      value(in.RunNow),
		Chats:       in.Chats,
		Personal:    in.PersonalSites,
	}
	if in.SchedulePolicy != nil {
		spec.Schedule = new(scheduleFromContract(in.SchedulePolicy))
	}
	if err := itemsOfJob(&spec, in.SelectedItems, in.ExcludedItems); err != nil {
		return nil, err
	}
	_, err = a.services.Jobs.Update(ctx, r.user, holdfast.JobID(id), spec)
	return nil, err
}

func (a *API) jobRemove(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Jobs.Delete(ctx, r.user, holdfast.JobID(id))
}

// jobGetCopyJobByBackupJob: copy jobs are not built, so a job has none, and that is what the contract's 404 says.
func (a *API) jobGetCopyJobByBackupJob(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	job, err := a.services.Jobs.Get(ctx, r.user, holdfast.JobID(id))
	if err != nil {
		return nil, err
	}
	return nil, holdfast.NotFound("backup job %q has no copy job", job.Name)
}

func (a *API) jobGetSelectedItems(ctx context.Context, r *request) (any, error) {
	return a.jobItems(ctx, r, service.Selected)
}

func (a *API) jobGetExcludedItems(ctx context.Context, r *request) (any, error) {
	return a.jobItems(ctx, r, service.Excluded)
}

func (a *API) jobAddSelectedItems(ctx context.Context, r *request) (any, error) {
	return a.addJobItems(ctx, r, service.Selected)
}

func (a *API) jobAddExcludedItems(ctx context.Context, r *request) (any, error) {
	return a.addJobItems(ctx, r, service.Excluded)
}

func (a *API) jobRemoveSelectedItems(ctx context.Context, r *request) (any, error) {
	return a.removeJobItems(ctx, r, service.Selected)
}

func (a *API) jobRemoveExcludedItems(ctx context.Context, r *request) (any, error) {
	return a.removeJobItems(ctx, r, service.Excluded)
}

func (a *API) jobGetSelectedItem(ctx context.Context, r *request) (any, error) {
	return a.jobItem(ctx, r, service.Selected)
}

func (a *API) jobGetExcludedItem(ctx context.Context, r *request) (any, error) {
	return a.jobItem(ctx, r, service.Excluded)
}

func (a *API) jobUpdateSelectedItems(ctx context.Context, r *request) (any, error) {
	return a.updateJobItem(ctx, r, service.Selected)
}

func (a *API) jobUpdateExcludedItems(ctx context.Context, r *request) (any, error) {
	return a.updateJobItem(ctx, r, service.Excluded)
}

func (a *API) jobItems(ctx context.Context, r *request, which service.ItemList) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	items, err := a.services.Jobs.Items(ctx, r.user, holdfast.JobID(id), which, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, items, func(i holdfast.JobItem) contract.RESTJobItemComposed {
		return itemToContract(r.links, which, holdfast.JobID(id), i)
	}), nil
}

func (a *API) jobItem(ctx context.Context, r *request, which service.ItemList) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	item, err := a.services.Jobs.Item(ctx, r.user, holdfast.JobID(id), which, r.param("itemId"))
	if err != nil {
		return nil, err
	}
	return itemToContract(r.links, which, holdfast.JobID(id), item), nil
}

func (a *API) addJobItems(ctx context.Context, r *request, which service.ItemList) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	var in []contract.RESTJobItemComposed
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	items, err := itemsFromContract(string(which), in)
	if err != nil {
		return nil, err
	} else if len(items) == 0 {
		return nil, holdfast.Invalid("the body has no items")
	}
	return nil, a.services.Jobs.AddItems(ctx, r.user, holdfast.JobID(id), which, items)
}

func (a *API) updateJobItem(ctx context.Context, r *request, which service.ItemList) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	var in contract.RESTJobItemComposed
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	item, err := itemFromContract("item", in)
	if err != nil {
		return nil, err
	}
	return nil, a.services.Jobs.UpdateItem(ctx, r.user, holdfast.JobID(id), which, r.param("itemId"), item)
}

// removeJobItems takes the ids from the query, or (the contract has both for selected items) from the body.
func (a *API) removeJobItems(ctx context.Context, r *request, which service.ItemList) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	var ids []string
	if err := r.decodeOptional(&ids); err != nil {
		return nil, err
	}
	if text, ok := r.query("ids"); ok {
		for _, one := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
			ids = append(ids, one)
		}
	}
	if len(ids) == 0 {
		return nil, holdfast.Invalid("query ids is missing; it lists the items to remove, separated by commas")
	}
	return nil, a.services.Jobs.RemoveItems(ctx, r.user, holdfast.JobID(id), which, ids)
}

func (a *API) jobEnableAction(ctx context.Context, r *request) (any, error) {
	return a.enableJob(ctx, r, true)
}

func (a *API) jobDisableAction(ctx context.Context, r *request) (any, error) {
	return a.enableJob(ctx, r, false)
}

func (a *API) enableJob(ctx context.Context, r *request, on bool) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Jobs.Enable(ctx, r.user, holdfast.JobID(id), on)
}

func (a *API) jobStartAction(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	var in contract.RESTStartJobOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	s, err := a.services.Jobs.Start(ctx, r.user, holdfast.JobID(id), value(in.Full))
	if err != nil {
		return nil, err
	}
	return jobSessionToContract(r.links, a.clock.Now(), s), nil
}

func (a *API) jobStopAction(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Jobs.Stop(ctx, r.user, holdfast.JobID(id))
}

func (a *API) jobExploreAction(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobId")
	if err != nil {
		return nil, err
	}
	var in contract.RESTExploreOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.explore(ctx, r, exploration{
		Job: holdfast.JobID(id),
		at:  in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions,
	})
}

func jobToContract(l links, j holdfast.Job) contract.RESTJob {
	schedule := scheduleToContract(j.Schedule)
	status := contract.RESTJobLastStatus(j.LastStatus)
	if status == "" { // it never ran; monitors can't do without a status
		status = contract.RESTJobLastStatusStopped
	}
	return contract.RESTJob{
		ID:             uid(j.ID),
		OrganizationID: uid(j.Organization),
		RepositoryID:   uid(j.Repository),
		Name:           &j.Name,
		Description:    &j.Description,
		BackupType:     new(contract.RESTJobBackupType(j.Scope)),
		SchedulePolicy: &schedule,
		Chats:          optional(j.Chats),
		PersonalSites:  optional(j.PersonalSites),
		LastRun:        stamp(j.LastRun),
		NextRun:        stamp(j.NextRun),
		LastBackup:     stamp(j.LastBackup),
		IsEnabled:      &j.Enabled,
		LastStatus:     &status,
		Links: map[string]contract.RESTLinkHAL{
			"self":             l.to(jobPath, string(j.ID)),
			"organization":     l.to(organizationPath, string(j.Organization)),
			"backupRepository": l.to(repositoryPath, string(j.Repository)),
			"jobsessions":      l.with(l.to("/JobSessions"), "jobId", string(j.ID)),
			"selectedItems":    l.to(jobPath+"/SelectedItems", string(j.ID)),
			"excludedItems":    l.to(jobPath+"/ExcludedItems", string(j.ID)),
		},
	}
}

// intervals are the contract's names of how often a job runs.
var intervals = map[contract.RESTJobSchedulePolicyPeriodicallyEvery]time.Duration{
	contract.RESTJobSchedulePolicyPeriodicallyEveryMinutes5:  5 * time.Minute,
	contract.RESTJobSchedulePolicyPeriodicallyEveryMinutes10: 10 * time.Minute,
	contract.RESTJobSchedulePolicyPeriodicallyEveryMinutes15: 15 * time.Minute,
	contract.RESTJobSchedulePolicyPeriodicallyEveryMinutes30: 30 * time.Minute,
	contract.RESTJobSchedulePolicyPeriodicallyEveryHours1:    time.Hour,
	contract.RESTJobSchedulePolicyPeriodicallyEveryHours2:    2 * time.Hour,
	contract.RESTJobSchedulePolicyPeriodicallyEveryHours4:    4 * time.Hour,
	contract.RESTJobSchedulePolicyPeriodicallyEveryHours8:    8 * time.Hour,
	contract.RESTJobSchedulePolicyPeriodicallyEveryHours12:   12 * time.Hour,
}

// itemFromContract refuses what is not protected yet, so that nobody believes it is. where names the item in the error.
func itemFromContract(where string, in contract.RESTJobItemComposed) (holdfast.JobItem, error) {
	kind := value(in.Type)
	if value(in.TeamsChats) && in.Teams != nil && !*in.Teams {
		return holdfast.JobItem{}, holdfast.Invalid("%s: posts are protected with their teams; set teams too, or leave teamsChats out", where)
	}
	if kind == contract.RESTJobBackupItemTypeGroup {
		return groupItemFromContract(where, in)
	}
	item := holdfast.JobItem{Type: string(kind), Mailbox: value(in.Mailbox), OneDrive: value(in.OneDrive),
		ArchiveMailbox: value(in.ArchiveMailbox), Sites: value(in.Sites), Teams: value(in.Teams) || value(in.TeamsChats), Chats: value(in.Chats)}
	if item.Chats && kind != contract.RESTJobBackupItemTypePartialOrganization && kind != contract.RESTJobBackupItemTypeUser {
		return item, holdfast.Invalid("%s.chats is of items of type PartialOrganization, User and Group", where)
	}
	for _, name := range in.LeaveOut {
		part := holdfast.MailboxPart(strings.ToLower(name))
		if !slices.Contains(holdfast.MailboxParts, part) {
			return item, holdfast.Invalid("%s.leaveOut may have contacts, calendars, tasks, settings, items and export, not %q", where, name)
		}
		item.LeaveOut = append(item.LeaveOut, part)
	}
	if kind == contract.RESTJobBackupItemTypePartialOrganization {
		item.PersonalSites = value(in.PersonalSite)
	} else {
		item.Sites = item.Sites || value(in.PersonalSite)
	}
	if item.GroupMailboxes = value(in.GroupMailboxes); item.GroupMailboxes && kind != contract.RESTJobBackupItemTypePartialOrganization {
		return item, holdfast.Invalid("%s.groupMailboxes is of items of type PartialOrganization", where)
	}
	if in.TeamsChats != nil && !*in.TeamsChats {
		item.LeaveOut = append(item.LeaveOut, holdfast.PartPosts)
	}
	if in.Mailbox == nil && in.OneDrive == nil && in.Sites == nil && in.Teams == nil && in.TeamsChats == nil && in.ArchiveMailbox == nil && in.PersonalSite == nil && !item.GroupMailboxes && in.Chats == nil { // nothing chosen means everything that there is
		whole := kind == contract.RESTJobBackupItemTypePartialOrganization
		item.Mailbox, item.OneDrive, item.Sites, item.Everything = true, true, whole, true
	}
	switch kind {
	case contract.RESTJobBackupItemTypePartialOrganization:
		return item, nil
	case contract.RESTJobBackupItemTypeUser:
		if in.User != nil && value(in.User.Type) == contract.RESTUserTypePublic {
			return item, holdfast.Invalid("%s.user: public folders of Exchange Online can't be protected: Microsoft has no interface that reads them since Exchange Web Services ended", where)
		}
		if in.User == nil || value(in.User.ID) == "" && value(in.User.Name) == "" {
			return item, holdfast.Invalid("%s.user needs an id or a name; GET /%s/Organizations/{organizationId}/Users lists them", where, served)
		}
		item.ObjectID, item.Name, item.Address = value(in.User.ID), value(in.User.DisplayName), value(in.User.Name)
		return item, nil
	case contract.RESTJobBackupItemTypeSite:
		if in.Site == nil || in.Site.ID == "" && in.Site.URL == "" {
			return item, holdfast.Invalid("%s.site needs an id or a url; GET /%s/Organizations/{organizationId}/Sites lists them", where, served)
		}
		return holdfast.JobItem{Type: string(kind), ObjectID: in.Site.ID, Name: in.Site.Title, Address: in.Site.URL, Sites: true}, nil
	case contract.RESTJobBackupItemTypeTeam:
		if in.Team == nil || in.Team.ID == uuid.Nil && in.Team.Mail == "" && in.Team.DisplayName == "" {
			return item, holdfast.Invalid("%s.team needs an id or a name; GET /%s/Organizations/{organizationId}/Teams lists them", where, served)
		}
		team := holdfast.JobItem{Type: string(kind), Name: in.Team.DisplayName, Address: in.Team.Mail, Teams: true, LeaveOut: item.LeaveOut}
		if in.Team.ID != uuid.Nil {
			team.ObjectID = in.Team.ID.String()
		}
		return team, nil
	case contract.RESTJobBackupItemTypePersonalSites:
		return holdfast.JobItem{Type: string(kind), Sites: true}, nil
	case "":
		return item, holdfast.Invalid("%s.type is missing; User, Group, Site, PersonalSites, Team and PartialOrganization are built", where)
	}
	return item, holdfast.Invalid("%s: items of type %s are not protected by this version of Holdfast; User, Group, Site, PersonalSites, Team and PartialOrganization are", where, kind)
}

// groupItemFromContract reads a group: what is nil is not asked for, and when nothing is, everything is meant.
func groupItemFromContract(where string, in contract.RESTJobItemComposed) (holdfast.JobItem, error) {
	if in.Group == nil || value(in.Group.ID) == "" {
		return holdfast.JobItem{}, holdfast.Invalid("%s.group needs an id; GET /%s/Organizations/{organizationId}/Groups lists them", where, served)
	}
	if value(in.Teams) || value(in.TeamsChats) {
		return holdfast.JobItem{}, holdfast.Invalid("%s: the team of a group is an item of type Team; leave teams and teamsChats out or set them to false", where)
	}
	return holdfast.JobItem{Type: string(contract.RESTJobBackupItemTypeGroup), ObjectID: value(in.Group.ID), Name: value(in.Group.DisplayName), Address: value(in.Group.Name), GroupType: string(value(in.Group.Type)),
		Members: value(in.Members), MemberMailbox: value(in.MemberMailbox), MemberArchive: value(in.MemberArchiveMailbox), MemberOneDrive: value(in.MemberOnedrive), MemberSite: value(in.MemberSite),
		Mailbox: value(in.Mailbox), GroupSite: value(in.GroupSite), Chats: value(in.Chats)}, nil
}

func itemsFromContract(where string, in []contract.RESTJobItemComposed) ([]holdfast.JobItem, error) {
	var out []holdfast.JobItem
	for i, item := range in {
		one, err := itemFromContract(fmt.Sprintf("%s[%d]", where, i), item)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func itemToContract(l links, which service.ItemList, job holdfast.JobID, item holdfast.JobItem) contract.RESTJobItemComposed {
	path := jobPath + "/SelectedItems"
	if which == service.Excluded {
		path = jobPath + "/ExcludedItems"
	}
	out := contract.RESTJobItemComposed{
		ID:             optional(item.ID),
		Type:           new(contract.RESTJobBackupItemType(item.Type)),
		Mailbox:        &item.Mailbox,
		OneDrive:       &item.OneDrive,
		ArchiveMailbox: &item.ArchiveMailbox,
		Links:          map[string]contract.RESTLinkHAL{"self": l.to(path+"/{itemId}", string(job), item.ID), "job": l.to(jobPath, string(job))},
	}
	if item.Chats {
		out.Chats = &item.Chats
	}
	if item.GroupMailboxes {
		out.GroupMailboxes = &item.GroupMailboxes
	}
	posts := item.Teams
	for _, part := range item.LeaveOut {
		if part == holdfast.PartPosts {
			posts = false // teamsChats says it
			continue
		}
		out.LeaveOut = append(out.LeaveOut, string(part))
	}
	if item.Type == string(contract.RESTJobBackupItemTypeUser) {
		out.PersonalSite = &item.Sites
		out.User = &contract.RESTUser{
			ID:           optional(item.ObjectID),
			DisplayName:  optional(item.Name),
			Name:         optional(item.Address),
			Type:         new(contract.RESTUserTypeUser),
			LocationType: new(contract.RESTUserLocationTypeCloud),
		}
		if id, err := uuid.Parse(item.ObjectID); err == nil {
			out.User.Msid = &id
		}
	} else if item.Type == string(contract.RESTJobBackupItemTypeGroup) {
		out.OneDrive, out.ArchiveMailbox = nil, nil
		out.Members, out.MemberMailbox, out.MemberArchiveMailbox, out.MemberOnedrive, out.MemberSite = &item.Members, &item.MemberMailbox, &item.MemberArchive, &item.MemberOneDrive, &item.MemberSite
		out.Group = &contract.RESTGroup{ID: &item.ObjectID, DisplayName: &item.Name, Name: optional(item.Address), Type: optional(contract.RESTGroupType(item.GroupType)), LocationType: new(contract.RESTGroupLocationTypeCloud),
			Site: optional(item.SiteURL)}
		if id, err := uuid.Parse(item.ObjectID); err == nil {
			out.Group.Msid = &id
		}
		out.GroupSite = &item.GroupSite
		if item.GroupType != holdfast.GroupOffice365 {
			out.Mailbox, out.GroupSite = nil, nil
		}
	} else if item.Type == string(contract.RESTJobBackupItemTypeSite) {
		out.Mailbox, out.OneDrive, out.ArchiveMailbox = nil, nil, nil
		out.Site = &contract.RESTJobSite{ID: item.ObjectID, URL: item.Address, Name: &item.Name, Title: item.Name, IsCloud: true, IsPersonal: strings.Contains(strings.ToLower(item.Address), "/personal/")}
	} else if item.Type == string(contract.RESTJobBackupItemTypePersonalSites) {
		out.Mailbox, out.OneDrive, out.ArchiveMailbox = nil, nil, nil
	} else if item.Type == string(contract.RESTJobBackupItemTypeTeam) {
		out.Mailbox, out.OneDrive, out.ArchiveMailbox, out.TeamsChats = nil, nil, nil, &posts
		out.Team = &contract.RESTTeam{DisplayName: item.Name, Mail: item.Address}
		if id, err := uuid.Parse(item.ObjectID); err == nil {
			out.Team.ID, out.Team.Msid = id, &id
		}
	} else {
		out.Sites, out.Teams, out.TeamsChats = &item.Sites, &item.Teams, &posts
		if item.PersonalSites {
			out.PersonalSite = &item.PersonalSites
		}
	}
	return out
}

func scheduleToContract(s holdfast.Schedule) contract.RESTJobSchedulePolicy {
	out := contract.RESTJobSchedulePolicy{
		ScheduleEnabled:           &s.Enabled,
		BackupWindowEnabled:       &s.WindowEnabled,
		BackupWindowSettings:      windowToContract(s.Window, s.WindowOffset),
		PeriodicallyWindowEnabled: &s.StartWindowEnabled,
		RetryEnabled:              &s.RetryEnabled,
		RetryNumber:               optional(int32(s.RetryNumber)),
		RetryWaitInterval:         optional(int32(s.RetryWait / time.Minute)),
	}
	switch s.Type {
	case "Periodically":
		out.Type = new(contract.RESTJobSchedulePolicyTypePeriodically)
		for name, every := range intervals {
			if every == s.Every {
				out.PeriodicallyEvery = &name
			}
		}
		out.PeriodicallyOffsetMinutes = new(int32(s.Offset / time.Minute))
		out.PeriodicallyWindowSettings = windowToContract(s.StartWindow, s.StartWindowOffset)
	case "Daily":
		out.Type = new(contract.RESTJobSchedulePolicyTypeDaily)
		out.DailyType = new(contract.RESTJobSchedulePolicyDailyType(s.DailyType))
		out.DailyTime = optional(s.DailyTime)
	default:
		out.Type = new(contract.RESTJobSchedulePolicyTypeManualOnly)
	}
	return out
}

func windowToContract(hours []bool, offset time.Duration) *contract.RESTBackupWindowSettings {
	if hours == nil {
		return nil
	}
	return &contract.RESTBackupWindowSettings{BackupWindow: hours, MinuteOffset: new(int32(offset / time.Minute))}
}

// scheduleFromContract reads a policy. Without one a job runs only when it is started.
func scheduleFromContract(in *contract.RESTJobSchedulePolicy) holdfast.Schedule {
	if in == nil {
		return holdfast.Schedule{}
	}
	s := holdfast.Schedule{
		Enabled:            value(in.ScheduleEnabled),
		WindowEnabled:      value(in.BackupWindowEnabled),
		TerminateOutside:   value(in.BackupWindowEnabled),
		StartWindowEnabled: value(in.PeriodicallyWindowEnabled),
		RetryEnabled:       value(in.RetryEnabled),
		RetryNumber:        int(value(in.RetryNumber)),
		RetryWait:          time.Duration(value(in.RetryWaitInterval)) * time.Minute,
	}
	if w := in.BackupWindowSettings; w != nil {
		s.Window, s.WindowOffset = w.BackupWindow, time.Duration(value(w.MinuteOffset))*time.Minute
	}
	if w := in.PeriodicallyWindowSettings; w != nil {
		s.StartWindow, s.StartWindowOffset = w.BackupWindow, time.Duration(value(w.MinuteOffset))*time.Minute
	}
	switch value(in.Type) {
	case contract.RESTJobSchedulePolicyTypeManualOnly:
		s.Enabled = false
	case contract.RESTJobSchedulePolicyTypePeriodically:
		s.Type = "Periodically"
		s.Every = intervals[value(in.PeriodicallyEvery)]
		s.Offset = time.Duration(value(in.PeriodicallyOffsetMinutes)) * time.Minute
	case contract.RESTJobSchedulePolicyTypeDaily:
		s.Type = "Daily"
		s.DailyTime, s.DailyType = value(in.DailyTime), string(value(in.DailyType))
		if s.DailyType == "" {
			s.DailyType = string(contract.RESTJobSchedulePolicyDailyTypeEveryday)
		}
	}
	return s
}
