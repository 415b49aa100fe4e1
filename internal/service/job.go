package service

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Jobs are the backup jobs.
type Jobs struct{ *core }

// JobSpec asks for a job, or (nil fields stay) for changes of one.
type JobSpec struct {
	Organization holdfast.OrganizationID // create only
	Repository   holdfast.RepositoryID   // empty stays
	Name         *string
	Description  *string
	Scope        holdfast.JobScope // empty stays
	Selected     []holdfast.JobItem
	Excluded     []holdfast.JobItem
	Chats        *bool // of the entire organization
	Personal     *bool // personal sites, of the entire organization
	Schedule     *holdfast.Schedule
	Enabled      *bool
	RunNow       bool
}

// ItemList says which list of a job is meant.
type ItemList string

// The lists of a job.
const (
	Selected ItemList = "selected"
	Excluded ItemList = "excluded"
)

// Types of job items that are built, in the contract's spelling.
const (
	ItemUser         = "User"
	ItemGroup        = "Group"
	ItemOrganization = "PartialOrganization"
	ItemSite         = "Site"
	ItemTeam         = "Team"
	// ItemPersonalSites are all personal sites of the organization.
	ItemPersonalSites = "PersonalSites"
)

// Create adds a job and, with RunNow, starts it.
func (j *Jobs) Create(ctx context.Context, u User, spec JobSpec) (holdfast.Job, error) {
	if err := j.may(u, ActAddJob); err != nil {
		return holdfast.Job{}, err
	}
	id, err := j.id()
	if err != nil {
		return holdfast.Job{}, err
	}
	job := holdfast.Job{ID: holdfast.JobID(id), Organization: spec.Organization, Enabled: true, Created: j.now()}
	if spec.Scope == "" {
		return job, holdfast.Invalid("the job's backup type is missing; it is EntireOrganization or SelectedItems")
	}
	if spec.Organization == "" || spec.Repository == "" {
		return job, holdfast.Invalid("a backup job needs an organization and a repository")
	}
	return j.save(ctx, u, job, spec)
}

// Update changes what spec names. It takes effect with the next run.
func (j *Jobs) Update(ctx context.Context, u User, id holdfast.JobID, spec JobSpec) (holdfast.Job, error) {
	if err := j.may(u, ActChangeJob); err != nil {
		return holdfast.Job{}, err
	}
	job, err := j.Get(ctx, u, id)
	if err != nil {
		return job, err
	}
	return j.save(ctx, u, job, spec)
}

// save completes, checks and stores job. What the directory is asked for comes before the transaction.
func (j *Jobs) save(ctx context.Context, u User, job holdfast.Job, spec JobSpec) (holdfast.Job, error) {
	var err error
	if spec.Selected != nil {
		if spec.Selected, err = j.resolve(ctx, u, job, spec.Selected, Selected); err != nil {
			return job, err
		}
	}
	if spec.Excluded != nil {
		if spec.Excluded, err = j.resolve(ctx, u, job, spec.Excluded, Excluded); err != nil {
			return job, err
		}
	}
	allowed, err := j.allowChats(ctx, u, job, spec)
	if err != nil {
		return job, err
	}
	fresh := true
	job, err = write(ctx, j.core, func(ctx context.Context, tx Tx) (holdfast.Job, error) {
		job := job
		if old, err := tx.Job(ctx, job.ID); err == nil {
			job, fresh = old, false
		} else if !missing(err) {
			return job, err
		}
		org, err := tx.Organization(ctx, job.Organization)
		if err != nil {
			return job, err
		}
		if err := j.change(ctx, tx, &job, org, spec); err != nil {
			return job, err
		}
		if allowed && !org.Chats {
			org.Chats = true
			if err := tx.PutOrganization(ctx, org); err != nil {
				return job, err
			}
		}
		act := "job.update"
		if fresh {
			act = "job.create"
		}
		if err := j.audit(ctx, tx, u, act, "job/"+string(job.ID), holdfast.SayJobSet.With(strconv.Quote(job.Name), org.Name, job.Scope, describeSchedule(job.Schedule))); err != nil {
			return job, err
		}
		return job, tx.PutJob(ctx, job)
	})
	if err != nil || !spec.RunNow {
		return job, err
	}
	if _, err := j.Start(ctx, u, job.ID, false); err != nil {
		return job, err
	}
	return j.Get(ctx, u, job.ID)
}

func (j *Jobs) change(ctx context.Context, tx Tx, job *holdfast.Job, org holdfast.Organization, spec JobSpec) error {
	if spec.Name != nil {
		job.Name = strings.TrimSpace(*spec.Name)
	}
	if job.Name == "" {
		job.Name = "Backup of " + org.Name
	}
	all, err := tx.Jobs(ctx, holdfast.JobFilter{}, holdfast.Page{})
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID != job.ID && strings.EqualFold(other.Name, job.Name) {
			return holdfast.Conflict("there is a backup job named %q already", other.Name)
		}
	}
	if spec.Description != nil {
		job.Description = *spec.Description
	}
	if spec.Repository != "" && spec.Repository != job.Repository {
		if _, err := tx.Repository(ctx, spec.Repository); err != nil {
			return err
		}
		if _, running, err := activeSession(ctx, tx, job.ID); err != nil {
			return err
		} else if running {
			return holdfast.Conflict("backup job %q is running: stop it before giving it another repository", job.Name)
		}
		job.Repository = spec.Repository
	}
	if spec.Scope != "" {
		job.Scope = spec.Scope
	}
	if spec.Selected != nil {
		job.Selected = spec.Selected
	}
	if spec.Excluded != nil {
		job.Excluded = spec.Excluded
	}
	job.Chats = value(spec.Chats, job.Chats) && job.Scope == holdfast.EntireOrganization
	job.PersonalSites = value(spec.Personal, job.PersonalSites) && job.Scope == holdfast.EntireOrganization
	switch job.Scope {
	case holdfast.EntireOrganization:
		job.Selected = nil
		for _, other := range all {
			if other.ID != job.ID && other.Organization == job.Organization && other.Scope == holdfast.EntireOrganization {
				return holdfast.Conflict("backup job %q protects the entire organization already, and there is one such job for each organization", other.Name)
			}
		}
	case holdfast.SelectedItems:
		if len(job.Selected) == 0 {
			return holdfast.Invalid("a job of selected items needs at least one item")
		}
	default:
		return holdfast.Invalid("there is no backup type %q; it is EntireOrganization or SelectedItems", job.Scope)
	}
	if spec.Enabled != nil {
		job.Enabled = *spec.Enabled
	}
	if spec.Schedule != nil {
		if err := checkSchedule(*spec.Schedule); err != nil {
			return err
		}
		job.Schedule = *spec.Schedule
	}
	if spec.Schedule != nil || spec.Enabled != nil || job.NextRun.IsZero() {
		j.plan(job)
	}
	return nil
}

// plan sets the job's next run from now.
func (c *core) plan(job *holdfast.Job) {
	job.NextRun = time.Time{}
	if job.Enabled {
		job.NextRun = nextRun(job.Schedule, c.now())
	} else {
		job.RetryAt, job.RetryOf = time.Time{}, ""
	}
}

// resolve checks items, asks the directory who their users are, and gives them their derived ids.
func (j *Jobs) resolve(ctx context.Context, u User, job holdfast.Job, items []holdfast.JobItem, list ItemList) ([]holdfast.JobItem, error) {
	org, cred, err := (&Organizations{j.core}).access(ctx, u, job.Organization)
	if err != nil {
		return nil, err
	}
	out := make([]holdfast.JobItem, 0, len(items))
	for _, item := range items {
		if list == Excluded && item.Type != ItemUser && item.Type != ItemGroup {
			return nil, holdfast.Invalid("a job excludes users and groups, each with the data that is left out: sites, teams and public mailboxes can't be excluded, so select what is wanted instead")
		}
		switch item.Type {
		case ItemOrganization:
			item.ObjectID, item.Name, item.Address = "", org.Name, ""
		case ItemUser:
			id := item.ObjectID
			if id == "" {
				id = item.Address
			}
			if id == "" {
				return nil, holdfast.Invalid("a user item names no user; give the user's id")
			}
			found, err := (&Organizations{j.core}).User(ctx, u, org.ID, id, PreferLocal)
			if missing(err) && list == Excluded && item.ObjectID != "" {
				found = DirectoryUser{ID: item.ObjectID, Name: item.Address, DisplayName: item.Name} // an exclusion of who has left does no harm
			} else if err != nil {
				return nil, fmt.Errorf("look up user %s: %w", id, err)
			}
			item.ObjectID, item.Name, item.Address = found.ID, found.DisplayName, found.Name
			if item.Teams {
				return nil, holdfast.Invalid("user %s: teams are not a user's data: take the team as an item of type Team, and leave teams and teamsChats out or set them to false", found.DisplayName)
			}
			if list == Selected && item.ArchiveMailbox && !item.Mailbox && !item.OneDrive && !item.Sites && !item.Chats {
				return nil, holdfast.Invalid("user %s: nothing would be protected: of a user that is mail, OneDrive, the personal site and chats; archive mailboxes are not read by this version of Holdfast", found.DisplayName)
			}
		case ItemSite:
			id := cmp.Or(item.ObjectID, item.Address)
			if id == "" {
				return nil, holdfast.Invalid("a site item names no site; give the site's id or address")
			}
			found, err := j.Directory.Site(ctx, org, cred, id)
			if err != nil {
				return nil, fmt.Errorf("look up site %s: %w", id, err)
			}
			item.ObjectID, item.Name, item.Address = found.ID, found.Name, found.URL
			item.Mailbox, item.OneDrive, item.Sites = false, false, true
		case ItemTeam:
			id := cmp.Or(item.ObjectID, item.Address, item.Name)
			if id == "" {
				return nil, holdfast.Invalid("a team item names no team; give the team's id or name")
			}
			found, err := j.Directory.Team(ctx, org, cred, id)
			if err != nil {
				return nil, fmt.Errorf("look up team %s: %w", id, err)
			}
			item.ObjectID, item.Name, item.Address = found.ID, found.Name, found.Mail
			item.Mailbox, item.OneDrive, item.Sites, item.Teams = false, false, false, true
		case ItemPersonalSites:
			item = holdfast.JobItem{Type: ItemPersonalSites, Name: item.Name, Sites: true}
		case ItemGroup:
			if item, err = j.resolveGroup(ctx, u, org, cred, item, list); err != nil {
				return nil, err
			}
		default:
			return nil, holdfast.Invalid("items of type %q are not protected yet; a job takes the entire organization, users, groups, sites, personal sites or teams", item.Type)
		}
		if item.Type != ItemGroup && !item.Mailbox && !item.OneDrive && !item.Sites && !item.PersonalSites && !item.Teams && !item.ArchiveMailbox && !item.GroupMailboxes && !item.Chats {
			if list == Selected && item.Type == ItemOrganization {
				return nil, holdfast.Invalid("the organization item selects neither mailboxes nor OneDrives nor sites nor teams")
			}
			whole := item.Type == ItemOrganization
			item.Everything = true
			item.Mailbox, item.OneDrive, item.Sites, item.Teams = true, true, whole, whole && org.Teams
		}
		if list == Selected && item.Type == ItemOrganization && item.ArchiveMailbox && !item.Mailbox && !item.OneDrive && !item.Sites && !item.PersonalSites && !item.Teams && !item.GroupMailboxes && !item.Chats {
			return nil, holdfast.Invalid("the organization item selects archive mailboxes only, which this version of Holdfast does not read")
		}
		if item.Everything && item.Type == ItemOrganization {
			item.Teams = org.Teams
		}
		if item.Everything && list == Excluded { // what is left out of a job is all of him, also what a job takes only when it is asked for
			item.Chats, item.Sites = true, true
		}
		item.Everything = false
		if item.Teams && !org.Teams {
			return nil, holdfast.Invalid("organization %s does not protect Teams: switch it on there first", org.Name)
		}
		if (item.Sites || item.PersonalSites) && !org.SharePoint && !item.Mailbox && !item.OneDrive && !item.Teams && !item.Chats && item.Type != ItemGroup {
			return nil, holdfast.Invalid("organization %s does not protect SharePoint Online and OneDrive: switch it on there first", org.Name)
		}
		if (item.Mailbox || item.GroupMailboxes) && !org.Exchange && !item.OneDrive && !item.Teams && !item.Chats && item.Type != ItemGroup {
			return nil, holdfast.Invalid("organization %s does not protect Exchange Online: switch it on there first", org.Name)
		}
		if item.OneDrive && !org.SharePoint && !item.Mailbox && !item.Sites && !item.Teams && !item.Chats {
			return nil, holdfast.Invalid("organization %s does not protect SharePoint Online and OneDrive: switch it on there first", org.Name)
		}
		item.ID = holdfast.DerivedID(string(job.ID), string(list)+"/"+item.Type+"/"+item.ObjectID)
		if i := slices.IndexFunc(out, func(o holdfast.JobItem) bool { return o.ID == item.ID }); i >= 0 {
			out[i] = item
			continue
		}
		out = append(out, item)
	}
	return out, nil
}

// resolveGroup checks an item of a group. When it says nothing of what is wanted, that is everything that there is: of a Microsoft 365 group the
// members' data and its site, of other groups the members' data.
func (j *Jobs) resolveGroup(ctx context.Context, u User, org holdfast.Organization, cred holdfast.Credential, item holdfast.JobItem, list ItemList) (holdfast.JobItem, error) {
	if item.ObjectID == "" {
		return item, holdfast.Invalid("a group item names no group; give the group's id")
	}
	orgs := &Organizations{j.core}
	g, err := orgs.Group(ctx, u, org.ID, item.ObjectID, PreferLocal)
	if missing(err) { // it may be new
		g, err = orgs.Group(ctx, u, org.ID, item.ObjectID, PreferLocalResynced)
	}
	switch {
	case missing(err) && list == Excluded:
		g = DirectoryGroup{ID: item.ObjectID, Name: item.Address, DisplayName: item.Name, Type: item.GroupType} // an exclusion of what is gone does no harm
	case err != nil:
		return item, fmt.Errorf("look up group %s: %w", item.ObjectID, err)
	}
	item.ObjectID, item.Name, item.Address, item.GroupType = g.ID, g.DisplayName, g.Name, g.Type
	own := item.Mailbox || item.GroupSite
	data := item.Chats || item.MemberMailbox || item.MemberOneDrive || item.MemberArchive || item.MemberSite
	all := !own && !data
	switch {
	case own && g.Type != holdfast.GroupOffice365:
		return item, holdfast.Invalid("group %q is of type %s and has neither mailbox nor site of its own: leave mailbox and groupSite out or set them to false", g.DisplayName, g.Type)
	case item.GroupSite && list == Excluded:
		return item, holdfast.Invalid("sites can't be excluded from a job, that of a group neither: leave groupSite out or set it to false")
	case data && !item.Members:
		return item, holdfast.Invalid("group %q: its members' data is asked for, but not its members: set members to true", g.DisplayName)
	case list == Selected && !own && data && !item.MemberMailbox && !item.MemberOneDrive && !item.MemberSite && !item.Chats:
		return item, holdfast.Invalid("group %q: nothing would be protected: of members that is mail, OneDrive, personal sites and chats; archive mailboxes are not read by this version of Holdfast", g.DisplayName)
	case all:
		item.Members, item.MemberMailbox, item.MemberOneDrive, item.MemberSite = true, org.Exchange, org.SharePoint, list == Excluded && org.SharePoint
	case item.Members && !data:
		item.MemberMailbox, item.MemberOneDrive, item.MemberSite = org.Exchange, org.SharePoint, list == Excluded && org.SharePoint
	}
	if list == Selected && org.SharePoint && g.Type == holdfast.GroupOffice365 && (item.GroupSite || all) {
		site, err := j.Directory.GroupSite(ctx, org, cred, g.ID)
		switch {
		case missing(err) && all: // it never had one
		case err != nil:
			return item, fmt.Errorf("look up the site of group %q: %w", g.DisplayName, err)
		default:
			item.GroupSite, item.SiteID, item.SiteURL = true, site.ID, site.URL
		}
	}
	if item.Mailbox && !org.Exchange || item.MemberMailbox && !org.Exchange && !item.MemberOneDrive && !item.MemberSite && !item.GroupSite && !item.Chats {
		return item, holdfast.Invalid("organization %s does not protect Exchange Online: switch it on there first", org.Name)
	}
	return item, nil
}

// Delete forgets the job and its sessions; its restore points stay. It is refused while the job runs.
func (j *Jobs) Delete(ctx context.Context, u User, id holdfast.JobID) error {
	if err := j.may(u, ActRemoveJob); err != nil {
		return err
	}
	return j.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		job, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		if _, running, err := activeSession(ctx, tx, id); err != nil {
			return err
		} else if running {
			return holdfast.Conflict("backup job %q is running: stop it first", job.Name)
		}
		if err := j.audit(ctx, tx, u, "job.delete", "job/"+string(id), job.Name); err != nil {
			return err
		}
		return tx.DeleteJob(ctx, id)
	})
}

// Get gives one job.
func (j *Jobs) Get(ctx context.Context, u User, id holdfast.JobID) (holdfast.Job, error) {
	return readAs(ctx, j.core, u, ActSeeJobs, func(ctx context.Context, tx Tx) (holdfast.Job, error) { return tx.Job(ctx, id) })
}

// List gives jobs by name.
func (j *Jobs) List(ctx context.Context, u User, f holdfast.JobFilter, page holdfast.Page) ([]holdfast.Job, error) {
	return readAs(ctx, j.core, u, ActSeeJobs, func(ctx context.Context, tx Tx) ([]holdfast.Job, error) { return tx.Jobs(ctx, f, page) })
}

// Enable switches the job's schedule on or off; a run in progress goes on.
func (j *Jobs) Enable(ctx context.Context, u User, id holdfast.JobID, on bool) error {
	if err := j.may(u, ActChangeJob); err != nil {
		return err
	}
	return j.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		job, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		job.Enabled = on
		j.plan(&job)
		if err := j.audit(ctx, tx, u, map[bool]string{true: "job.enable", false: "job.disable"}[on], "job/"+string(id), job.Name); err != nil {
			return err
		}
		return tx.PutJob(ctx, job)
	})
}

// Start begins a run now. full reads everything anew instead of what changed.
func (j *Jobs) Start(ctx context.Context, u User, id holdfast.JobID, full bool) (holdfast.JobSession, error) {
	s, err := writeAs(ctx, j.core, u, ActStartJob, func(ctx context.Context, tx Tx) (holdfast.JobSession, error) {
		job, err := tx.Job(ctx, id)
		if err != nil {
			return holdfast.JobSession{}, err
		}
		if err := j.audit(ctx, tx, u, "job.start", "job/"+string(id), map[bool]holdfast.Sentence{true: holdfast.SayFullRunAsked, false: holdfast.SayRunAsked}[full].With(strconv.Quote(job.Name))); err != nil {
			return holdfast.JobSession{}, err
		}
		return j.startSession(ctx, tx, &job, startOptions{full: full, by: u.Name})
	})
	j.bell.ring()
	return s, err
}

// Stop ends the job's run within 5 s. A job that does not run is a KindConflict error.
func (j *Jobs) Stop(ctx context.Context, u User, id holdfast.JobID) error {
	err := j.changeAs(ctx, u, ActStopJob, func(ctx context.Context, tx Tx) error {
		job, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		s, running, err := activeSession(ctx, tx, id)
		if err != nil {
			return err
		} else if !running {
			return holdfast.Conflict("backup job %q is not running", job.Name)
		}
		if err := j.audit(ctx, tx, u, "job.stop", "job/"+string(id), job.Name); err != nil {
			return err
		}
		return j.stopSession(ctx, tx, s, holdfast.SayStoppedBy.With(u.Name))
	})
	j.bell.ring()
	return err
}

// Items gives a page of one of the job's lists.
func (j *Jobs) Items(ctx context.Context, u User, id holdfast.JobID, list ItemList, page holdfast.Page) ([]holdfast.JobItem, error) {
	job, err := j.Get(ctx, u, id)
	if err != nil {
		return nil, err
	}
	return window(*items(&job, list), page), nil
}

// Item gives one item of a list.
func (j *Jobs) Item(ctx context.Context, u User, id holdfast.JobID, list ItemList, item string) (holdfast.JobItem, error) {
	job, err := j.Get(ctx, u, id)
	if err != nil {
		return holdfast.JobItem{}, err
	}
	for _, i := range *items(&job, list) {
		if i.ID == item {
			return i, nil
		}
	}
	return holdfast.JobItem{}, holdfast.NotFound("backup job %q has no %s item %s", job.Name, list, item)
}

// AddItems adds to a list; an item that is there already is replaced.
func (j *Jobs) AddItems(ctx context.Context, u User, id holdfast.JobID, list ItemList, add []holdfast.JobItem) error {
	return j.editItems(ctx, u, id, list, add, func(job holdfast.Job, old, add []holdfast.JobItem) ([]holdfast.JobItem, error) {
		if list == Selected && job.Scope == holdfast.EntireOrganization {
			return nil, holdfast.Conflict("backup job %q protects the entire organization; change its backup type to SelectedItems first", job.Name)
		}
		for _, a := range add {
			old = append(slices.DeleteFunc(old, func(o holdfast.JobItem) bool { return o.ID == a.ID }), a)
		}
		return old, nil
	})
}

// UpdateItem replaces one item of a list.
func (j *Jobs) UpdateItem(ctx context.Context, u User, id holdfast.JobID, list ItemList, item string, to holdfast.JobItem) error {
	old, err := j.Item(ctx, u, id, list, item)
	if err != nil {
		return err
	}
	if to.Type == "" {
		to.Type = old.Type
	}
	if to.ObjectID == "" && to.Address == "" {
		to.ObjectID = old.ObjectID
	}
	return j.editItems(ctx, u, id, list, []holdfast.JobItem{to}, func(job holdfast.Job, old, add []holdfast.JobItem) ([]holdfast.JobItem, error) {
		i := slices.IndexFunc(old, func(o holdfast.JobItem) bool { return o.ID == item })
		if i < 0 {
			return nil, holdfast.NotFound("backup job %q has no %s item %s", job.Name, list, item)
		}
		old = slices.DeleteFunc(old, func(o holdfast.JobItem) bool { return o.ID == item || o.ID == add[0].ID })
		return slices.Insert(old, min(i, len(old)), add[0]), nil
	})
}

// RemoveItems takes items out of a list. Unknown ids are an error and nothing changes.
func (j *Jobs) RemoveItems(ctx context.Context, u User, id holdfast.JobID, list ItemList, remove []string) error {
	return j.editItems(ctx, u, id, list, nil, func(job holdfast.Job, old, _ []holdfast.JobItem) ([]holdfast.JobItem, error) {
		for _, r := range remove {
			i := slices.IndexFunc(old, func(o holdfast.JobItem) bool { return o.ID == r })
			if i < 0 {
				return nil, holdfast.NotFound("backup job %q has no %s item %s", job.Name, list, r)
			}
			old = slices.Delete(old, i, i+1)
		}
		if list == Selected && len(old) == 0 && job.Scope == holdfast.SelectedItems {
			return nil, holdfast.Conflict("backup job %q would protect nothing; remove the job instead", job.Name)
		}
		return old, nil
	})
}

func (j *Jobs) editItems(ctx context.Context, u User, id holdfast.JobID, list ItemList, add []holdfast.JobItem, edit func(job holdfast.Job, old, add []holdfast.JobItem) ([]holdfast.JobItem, error)) error {
	if err := j.may(u, ActChangeJob); err != nil {
		return err
	}
	job, err := j.Get(ctx, u, id)
	if err != nil {
		return err
	}
	if add != nil {
		if add, err = j.resolve(ctx, u, job, add, list); err != nil {
			return err
		}
	}
	return j.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		job, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		target := items(&job, list)
		changed, err := edit(job, slices.Clone(*target), add)
		if err != nil {
			return err
		}
		*target = changed
		detail, err := json.Marshal(changed)
		if err != nil {
			return fmt.Errorf("encode items: %w", err)
		}
		if err := j.audit(ctx, tx, u, "job.items", "job/"+string(id), string(list)+": "+string(detail)); err != nil {
			return err
		}
		return tx.PutJob(ctx, job)
	})
}

func items(job *holdfast.Job, list ItemList) *[]holdfast.JobItem {
	if list == Excluded {
		return &job.Excluded
	}
	return &job.Selected
}

// siteIn says whether a site is the one that an item names, or lies below it in the same site collection.
func siteIn(i holdfast.JobItem, c holdfast.Container) bool {
	if i.ObjectID == c.Source {
		return true
	}
	collection := func(id string) string { return id[:max(strings.LastIndexByte(id, ','), 0)] }
	return collection(i.ObjectID) == collection(c.Source) && strings.HasPrefix(strings.ToLower(c.Address), strings.TrimSuffix(strings.ToLower(i.Address), "/")+"/")
}
