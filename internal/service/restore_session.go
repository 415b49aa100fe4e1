package service

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"holdfast/internal/holdfast"
)

// RestoreSessions are explorers at work. What one sees is fixed when it opens; it stops when asked to or when idle.
type RestoreSessions struct {
	*core
	views viewCache
	lives liveCache
}

// ExploreSpec opens a restore session on an organization, a repository or a job, or on all that there is.
type ExploreSpec struct {
	Type            holdfast.ExplorerType
	Organization    holdfast.OrganizationID
	Repository      holdfast.RepositoryID
	Job             holdfast.JobID
	Point           holdfast.RestorePointID // one restore point only
	Owner           string                  // Entra object id: only his objects
	Time            time.Time               // zero: the newest
	ShowDeleted     bool
	ShowAllVersions bool
	ClientHost      string
	Reason          string
}

// SessionContainer is a mailbox or drive as a restore session sees it.
type SessionContainer struct {
	holdfast.PointEntry
	View View
}

// Open starts a restore session. Nothing to see at that time is a KindNotFound error.
func (r *RestoreSessions) Open(ctx context.Context, u User, spec ExploreSpec) (holdfast.RestoreSession, error) {
	if err := r.may(u, ActExplore); err != nil {
		return holdfast.RestoreSession{}, err
	}
	switch spec.Type {
	case holdfast.ExploreExchange, holdfast.ExploreOneDrive, holdfast.ExploreSites, holdfast.ExploreTeams, holdfast.ExploreChats:
	default:
		return holdfast.RestoreSession{}, holdfast.Invalid("there is no explorer type %q; it is Vex, Veod, Vesp, Vet or Chats", spec.Type)
	}
	id, err := r.id()
	if err != nil {
		return holdfast.RestoreSession{}, err
	}
	now := r.now()
	return writeAs(ctx, r.core, u, ActExplore, func(ctx context.Context, tx Tx) (holdfast.RestoreSession, error) {
		s := holdfast.RestoreSession{ID: holdfast.RestoreSessionID(id), Type: spec.Type, Organization: spec.Organization, Repository: spec.Repository, Job: spec.Job, Owner: spec.Owner, PointInTime: spec.Time,
			ShowDeleted: spec.ShowDeleted, ShowAllVersions: spec.ShowAllVersions, Account: u.ID, InitiatedBy: u.Name, ClientHost: spec.ClientHost, Reason: spec.Reason,
			Result: holdfast.StatusSuccess, Created: now, LastUsed: now}
		scope, err := r.scope(ctx, tx, spec)
		if err != nil {
			return s, err
		}
		s.Name = fmt.Sprintf("%s of %s", map[holdfast.ExplorerType]string{holdfast.ExploreExchange: "Exchange", holdfast.ExploreOneDrive: "OneDrive", holdfast.ExploreSites: "SharePoint", holdfast.ExploreTeams: "Teams", holdfast.ExploreChats: "Chats"}[spec.Type], scope)
		var points []holdfast.RestorePoint
		if spec.Point != "" {
			p, err := tx.RestorePoint(ctx, spec.Point)
			if err != nil {
				return s, err
			}
			points = append(points, p)
		} else if points, err = tx.NewestPoints(ctx, holdfast.PointFilter{Organization: spec.Organization, Repository: spec.Repository, Job: spec.Job, Until: spec.Time, Owner: spec.Owner}); err != nil {
			return s, err
		}
		for _, p := range points {
			s.Points = append(s.Points, p.ID)
			if s.Organization == "" && len(points) == 1 {
				s.Organization = p.Organization
			}
		}
		if scope := ScopeOf(u, ActExplore); s.Organization == "" && scope != nil && scope.Account == "" {
			return s, holdfast.Invalid("%s sees some organizations only: say which one to explore", u.Name)
		}
		if len(points) == 0 {
			if spec.Time.IsZero() {
				return s, holdfast.NotFound("%s has no restore point yet", scope)
			}
			return s, holdfast.NotFound("%s has no restore point at or before %s", scope, spec.Time.Format(time.RFC3339))
		}
		if err := r.audit(ctx, tx, u, "restore_session.open", "restore_session/"+id, openedText(s.Name, spec.Time, spec.Reason)); err != nil {
			return s, err
		}
		return s, tx.PutRestoreSession(ctx, s)
	})
}

// openedText says what was opened as of when, and why when that was said.
func openedText(name string, at time.Time, reason string) string {
	switch when := at.Format(time.RFC3339); {
	case at.IsZero() && reason == "":
		return holdfast.SayOpenedNewest.With(name)
	case at.IsZero():
		return holdfast.SayOpenedNewestFor.With(name, reason)
	case reason == "":
		return holdfast.SayOpenedAt.With(name, when)
	default:
		return holdfast.SayOpenedAtFor.With(name, when, reason)
	}
}

// itemsOf says how many items of a container an act is about.
func itemsOf(n int, c holdfast.Container) string {
	if n == 1 {
		return holdfast.SayItemOf.With(c)
	}
	return holdfast.SayItemsOf.With(n, c)
}

// scope checks that what is explored exists, and names it.
func (r *RestoreSessions) scope(ctx context.Context, tx Tx, spec ExploreSpec) (string, error) {
	name := "all organizations"
	if spec.Organization != "" {
		o, err := tx.Organization(ctx, spec.Organization)
		if err != nil {
			return "", err
		}
		name = "organization " + o.Name
	}
	if spec.Repository != "" {
		o, err := tx.Repository(ctx, spec.Repository)
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s in repository %q", name, o.Name)
	}
	if spec.Job != "" {
		j, err := tx.Job(ctx, spec.Job)
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("backup job %q", j.Name)
	}
	return name, nil
}

// List gives restore sessions, newest first unless f says otherwise.
func (r *RestoreSessions) List(ctx context.Context, u User, f holdfast.RestoreSessionFilter, page holdfast.Page) ([]holdfast.RestoreSession, error) {
	return readAs(ctx, r.core, u, ActSeeRestores, func(ctx context.Context, tx Tx) ([]holdfast.RestoreSession, error) {
		return tx.RestoreSessions(ctx, f, page)
	})
}

// Get gives one restore session.
func (r *RestoreSessions) Get(ctx context.Context, u User, id holdfast.RestoreSessionID) (holdfast.RestoreSession, error) {
	return readAs(ctx, r.core, u, ActSeeRestores, func(ctx context.Context, tx Tx) (holdfast.RestoreSession, error) { return tx.RestoreSession(ctx, id) })
}

// Stop ends a session and the restores in it, within 5 s. Stopping a stopped one changes nothing.
func (r *RestoreSessions) Stop(ctx context.Context, u User, id holdfast.RestoreSessionID) error {
	err := r.changeAs(ctx, u, ActStopRestore, func(ctx context.Context, tx Tx) error {
		s, err := tx.RestoreSession(ctx, id)
		if err != nil || s.Stopped {
			return err
		}
		if err := r.audit(ctx, tx, u, "restore_session.stop", "restore_session/"+string(id), s.Name); err != nil {
			return err
		}
		return r.stopRestoreSession(ctx, tx, s, "stopped by "+u.Name)
	})
	r.views.drop(id)
	r.bell.ring()
	return err
}

// endExploring stops an account's restore sessions in which no restore waits or runs, and gives their ids. The others end when they are idle.
func (r *RestoreSessions) endExploring(ctx context.Context, tx Tx, account holdfast.UserID) ([]holdfast.RestoreSessionID, error) {
	all, err := tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Account: account, Active: true}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var ended []holdfast.RestoreSessionID
	for _, s := range all {
		busy, err := tx.Tasks(ctx, holdfast.TaskFilter{RestoreSession: s.ID, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{Limit: 1})
		if err != nil {
			return nil, err
		} else if len(busy) > 0 {
			continue
		}
		if err := r.stopRestoreSession(ctx, tx, s, "its user signed out"); err != nil {
			return nil, err
		}
		ended = append(ended, s.ID)
	}
	return ended, nil
}

func (c *core) stopRestoreSession(ctx context.Context, tx Tx, s holdfast.RestoreSession, why string) error {
	tasks, err := tx.Tasks(ctx, holdfast.TaskFilter{RestoreSession: s.ID, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{})
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.State == holdfast.TaskRunning {
			t.Cancel, t.NotBefore = true, c.now().Add(stopGrace)
			if err := tx.PutTasks(ctx, t); err != nil {
				return err
			}
			continue
		}
		t.Cancel = true
		if err := c.complete(ctx, tx, t, holdfast.TaskResult{Err: why}); err != nil {
			return err
		}
	}
	// The cancelled tasks may have changed the session's result.
	if s, err = tx.RestoreSession(ctx, s.ID); err != nil {
		return err
	}
	s.Stopped, s.Ended, s.Details = true, c.now(), why
	return tx.PutRestoreSession(ctx, s)
}

// Containers gives the mailboxes or drives that the session sees, by name.
func (r *RestoreSessions) Containers(ctx context.Context, u User, id holdfast.RestoreSessionID, page holdfast.Page) ([]SessionContainer, error) {
	all, _, err := r.open(ctx, u, id)
	return window(all, page), err
}

// Container gives one by its public id (Container.PublicID), its source id, or its owner's object id or address.
func (r *RestoreSessions) Container(ctx context.Context, u User, id holdfast.RestoreSessionID, container string) (SessionContainer, error) {
	all, s, err := r.open(ctx, u, id)
	if err != nil {
		return SessionContainer{}, err
	}
	for _, c := range all {
		if c.Container.PublicID() == container || c.Container.Source == container {
			if s.ShowDeleted {
				c.View.Earlier, err = r.earlier(ctx, s, c.View)
			}
			return c, err
		}
	}
	return SessionContainer{}, holdfast.NotFound("restore session %s sees nothing with id %s", id, container)
}

// Items lists or searches a container; q.At is filled in.
func (r *RestoreSessions) Items(ctx context.Context, u User, id holdfast.RestoreSessionID, container string, q ItemQuery) (ItemPage, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return ItemPage{}, err
	}
	if err := r.browsed(ctx, u, id, c, q); err != nil {
		return ItemPage{}, err
	}
	q.At = c.View
	return r.Explorer.Items(ctx, q)
}

// Item looks one item up.
func (r *RestoreSessions) Item(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string) (Entry, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return Entry{}, err
	}
	if err := r.browsed(ctx, u, id, c, ItemQuery{}); err != nil {
		return Entry{}, err
	}
	view, plain, err := r.state(ctx, c.View, item)
	if err != nil {
		return Entry{}, err
	}
	e, err := r.Explorer.Item(ctx, view, plain)
	e.ID = item
	return e, err
}

// Versions gives the stored older versions of a file.
func (r *RestoreSessions) Versions(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string) ([]Entry, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return nil, err
	}
	if err := r.browsed(ctx, u, id, c, ItemQuery{}); err != nil {
		return nil, err
	}
	return r.Explorer.Versions(ctx, c.View, item)
}

// Save streams one item as a user wants it. The read is in the audit chain and among the session's events.
func (r *RestoreSessions) Save(ctx context.Context, u User, id holdfast.RestoreSessionID, container, item string) (Content, error) {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return Content{}, err
	}
	if err := r.may(u, ActDownload, c.object()); err != nil {
		return Content{}, err
	}
	c.View, item, err = r.state(ctx, c.View, item)
	if err != nil {
		return Content{}, err
	}
	e, err := r.Explorer.Item(ctx, c.View, item)
	if err != nil {
		return Content{}, err
	}
	if err := r.saved(ctx, u, id, c, []string{item}, e.Name); err != nil {
		return Content{}, err
	}
	return r.Explorer.Open(ctx, c.View, item)
}

// SaveMany streams items and whole folders as a ZIP.
func (r *RestoreSessions) SaveMany(ctx context.Context, u User, id holdfast.RestoreSessionID, container string, items []string, w io.Writer) error {
	c, err := r.Container(ctx, u, id, container)
	if err != nil {
		return err
	}
	if err := r.may(u, ActDownload, c.object()); err != nil {
		return err
	}
	name := fmt.Sprintf("%d items", len(items))
	if len(items) == 0 {
		name = c.Container.String()
	}
	if err := r.saved(ctx, u, id, c, items, name); err != nil {
		return err
	}
	return r.Explorer.Export(ctx, c.View, items, w)
}

func (r *RestoreSessions) saved(ctx context.Context, u User, id holdfast.RestoreSessionID, c SessionContainer, items []string, name string) error {
	event, err := r.id()
	if err != nil {
		return err
	}
	now := r.now()
	return r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := r.audit(ctx, tx, u, "restore_session.save", "restore_session/"+string(id), itemsOf(len(items), c.Container)); err != nil {
			return err
		}
		return tx.PutRestoreEvent(ctx, holdfast.RestoreEvent{ID: event, Session: id, Type: "Save", Status: "Success", ItemName: name, ItemType: string(c.Container.Kind),
			Source: c.Container.Address, Title: "Saved " + name, Message: "Saved " + name, Organization: c.Container.Organization, User: c.Container.Owner, Started: now, Ended: now})
	})
}

// RestoreSpec asks for a restore of items of one container. See holdfast.RestoreRequest for the fields that it shares.
type RestoreSpec struct {
	Container    string // as in Container
	Items        []string
	To           string
	Folder       string
	Mode         string
	Newer        bool
	AllVersions  bool
	Permissions  bool
	ChangedItems bool
	MissingItems bool
	MarkRestored string
	NewChat      bool   // a chat: into a new group of the same people
	Topic        string // of that group; empty: the chat's own, and that it was restored
	Exclude      []string
	Reason       string // why, in the user's words, at most 500 characters
	// Credential is the application that the request named; nil is the organization's own.
	Credential *holdfast.Credential
	// UserName says that the request came with a user name and password, which are refused; so is a device code.
	UserName   bool
	DeviceCode bool
}

const maxReason = 500 // characters

func (s RestoreSpec) checkReason() error {
	if utf8.RuneCountInString(s.Reason) > maxReason {
		return holdfast.Invalid("the reason of a restore has at most %d characters", maxReason)
	}
	return nil
}

// prepared is a restore that may begin.
type prepared struct {
	from    SessionContainer
	org     holdfast.Organization
	cred    holdfast.Credential
	request holdfast.RestoreRequest
}

// prepare checks a restore: who may, where from and to, by which application. A dry run is checked the same.
func (r *RestoreSessions) prepare(ctx context.Context, u User, id holdfast.RestoreSessionID, spec RestoreSpec) (p prepared, err error) {
	if err := r.may(u, ActRestore); err != nil {
		return p, err
	}
	if err := spec.checkReason(); err != nil {
		return p, err
	}
	switch {
	case spec.UserName:
		return p, holdfast.Invalid("Microsoft 365 has no restore by user name and password any more (basic authentication is switched off): leave them out to use the organization's own application, or give an application id with its certificate")
	case spec.DeviceCode:
		return p, holdfast.Invalid("restores by a person's sign-in with a device code are not built: it reaches only what that person may open, and neither imports into others' mailboxes nor posts with authors and times. Leave it out to use the organization's own application, or give an application id with its certificate")
	}
	if p.from, err = r.Container(ctx, u, id, spec.Container); err != nil {
		return p, err
	}
	if err := r.may(u, ActRestore, p.from.object()); err != nil {
		return p, err
	}
	if err := r.chatMayReturn(ctx, u, p.from, spec); err != nil {
		return p, err
	}
	org, own, err := r.withCredential(ctx, p.from.Container.Organization)
	if err != nil {
		return p, err
	}
	if err := r.mayRestoreTo(ctx, u, p.from, org, own, spec); err != nil {
		return p, err
	}
	p.org, p.cred = org, own
	if spec.Credential != nil {
		p.cred = *spec.Credential
		if p.cred.TenantID == "" {
			p.cred.TenantID = own.TenantID
		}
		if p.cred.ApplicationID == "" || p.cred.Certificate == "" && p.cred.ApplicationSecret == "" {
			return p, holdfast.Invalid("an application for the restore needs its id and its certificate")
		}
	}
	use := map[holdfast.ContainerKind]PermissionUse{holdfast.Mailbox: UseMailRestore, holdfast.Drive: UseOneDriveRestore, holdfast.Site: UseSiteRestore, holdfast.Team: UseTeamsRestore, holdfast.Chat: UseChatsRestore}[p.from.Container.Kind]
	tenant, err := r.Directory.Check(ctx, org, p.cred)
	if err != nil {
		return p, err
	}
	if err := granted(tenant.Permissions, p.cred.ApplicationID, use); err != nil {
		return p, err
	}
	request, err := r.id()
	if err != nil {
		return p, err
	}
	items, states, err := r.selected(ctx, p.from.View, spec.Items)
	if err != nil {
		return p, err
	}
	p.request = holdfast.RestoreRequest{ID: request, Session: id, Organization: org.ID, Repository: p.from.View.Repository, Point: p.from.View.Point, From: p.from.Container.Key(),
		Items: items, States: states, To: spec.To, Folder: spec.Folder, Mode: spec.Mode, Newer: spec.Newer, AllVersions: spec.AllVersions, Permissions: spec.Permissions,
		ChangedItems: spec.ChangedItems, MissingItems: spec.MissingItems, MarkRestored: spec.MarkRestored, Exclude: spec.Exclude,
		NewChat: spec.NewChat, Topic: spec.Topic}
	return p, nil
}

// Plan tells what a restore would do and what it takes, without doing it. At most limit items are told of one by one.
func (r *RestoreSessions) Plan(ctx context.Context, u User, id holdfast.RestoreSessionID, spec RestoreSpec, limit int) (holdfast.RestorePlan, error) {
	if r.Live == nil {
		return holdfast.RestorePlan{}, holdfast.Unavailable("nothing here reaches Microsoft 365")
	}
	p, err := r.prepare(ctx, u, id, spec)
	if err != nil {
		return holdfast.RestorePlan{}, err
	}
	if err := r.auditNow(ctx, u, "restore_session.plan", "restore_session/"+string(id), itemsOf(len(spec.Items), p.from.Container)); err != nil {
		return holdfast.RestorePlan{}, err
	}
	return r.Live.Plan(ctx, p.org, p.cred, p.request, limit)
}

// Restore begins a restore in the background and gives its request's id. Its progress is the session's events.
func (r *RestoreSessions) Restore(ctx context.Context, u User, id holdfast.RestoreSessionID, spec RestoreSpec) (request string, err error) {
	p, err := r.prepare(ctx, u, id, spec)
	if err != nil {
		return "", err
	}
	c, org, cred := p.from, p.org, p.cred
	request = p.request.ID
	drawn, err := r.id()
	if err != nil {
		return "", err
	}
	task := holdfast.TaskID(drawn)
	body, err := json.Marshal(p.request)
	if err != nil {
		return "", fmt.Errorf("encode the restore request: %w", err)
	}
	if spec.Credential != nil {
		r.mu.Lock()
		r.restoreCredentials[task] = cred
		r.mu.Unlock()
	}
	now, reason := r.now(), strings.TrimSpace(spec.Reason)
	what := itemsOf(len(spec.Items), c.Container)
	if len(spec.Items) == 0 {
		what = c.Container.String()
	}
	shown, err := r.shownAs(ctx, c, spec.Items, what)
	if err != nil {
		return "", err
	}
	to := spec.To
	switch {
	case spec.NewChat:
		to = "a new chat"
		if spec.Topic != "" {
			to = "a new chat, " + spec.Topic
		}
	case to == "":
		to = c.Container.Address
	}
	err = r.changeAs(ctx, u, ActRestore, func(ctx context.Context, tx Tx) error {
		s, err := tx.RestoreSession(ctx, id)
		if err != nil {
			return err
		} else if s.Stopped {
			return holdfast.Conflict("restore session %s has ended: open another one", id)
		}
		detail := holdfast.SayRestored.With(what, to, spec.Mode, cred.ApplicationID)
		if reason != "" {
			detail = holdfast.SayRestoredFor.With(what, to, spec.Mode, cred.ApplicationID, reason)
		}
		if err := r.audit(ctx, tx, u, "restore_session.restore", "restore_session/"+string(id), detail); err != nil {
			return err
		}
		s.LastUsed = now
		if reason != "" { // the last one: a session is the reason's only room in the contract
			s.Reason = reason
		}
		if err := tx.PutRestoreSession(ctx, s); err != nil {
			return err
		}
		if err := tx.PutRestoreEvent(ctx, holdfast.RestoreEvent{ID: holdfast.DerivedID(string(id), request), Session: id, Request: request, Type: "Restore", Status: "Running", ItemName: shown, ItemType: string(c.Container.Kind),
			Source: c.Container.Address, Target: to, Title: "Restoring " + shown, Message: "Restoring " + shown, Reason: reason, Organization: org.ID, User: c.Container.Owner, Started: now}); err != nil {
			return err
		}
		return tx.PutTasks(ctx, holdfast.TaskRecord{Task: holdfast.Task{ID: task, Kind: holdfast.TaskRestore, Organization: org.ID, Repository: c.View.Repository, RestoreSession: id, Container: c.Container, Request: body},
			State: holdfast.TaskReady, OwnCredential: spec.Credential != nil})
	})
	if err != nil {
		r.dropCredential(task)
		return "", err
	}
	r.bell.ring()
	return request, nil
}

// Events gives the session's events in order.
func (r *RestoreSessions) Events(ctx context.Context, u User, id holdfast.RestoreSessionID, page holdfast.Page) ([]holdfast.RestoreEvent, error) {
	return readAs(ctx, r.core, u, ActSeeRestored, func(ctx context.Context, tx Tx) ([]holdfast.RestoreEvent, error) {
		if _, err := tx.RestoreSession(ctx, id); err != nil {
			return nil, err
		}
		return tx.RestoreEvents(ctx, id, page)
	})
}

// Event gives one event.
func (r *RestoreSessions) Event(ctx context.Context, u User, id holdfast.RestoreSessionID, event string) (holdfast.RestoreEvent, error) {
	return readAs(ctx, r.core, u, ActSeeRestored, func(ctx context.Context, tx Tx) (holdfast.RestoreEvent, error) {
		if _, err := tx.RestoreSession(ctx, id); err != nil {
			return holdfast.RestoreEvent{}, err
		}
		return tx.RestoreEvent(ctx, id, event)
	})
}

// Outcome counts what one restore of a session, by the id that Restore gave, did so far; its Status is Running until it has ended.
func (r *RestoreSessions) Outcome(ctx context.Context, u User, id holdfast.RestoreSessionID, request string) (RestoreOutcome, error) {
	return readAs(ctx, r.core, u, ActSeeRestored, func(ctx context.Context, tx Tx) (RestoreOutcome, error) {
		s, err := tx.RestoreSession(ctx, id)
		if err != nil {
			return RestoreOutcome{}, err
		}
		e, err := tx.RestoreEvent(ctx, id, holdfast.DerivedID(string(id), request))
		if err != nil {
			return RestoreOutcome{}, err
		}
		return outcome(ctx, tx, e, s.Type)
	})
}

// RestoreStatistics counts what a session restored.
type RestoreStatistics struct {
	Total, Restored, Failed, Skipped int64
	Warnings, Errors                 []string // of whole requests and of items, at most 100 each
	Items                            []holdfast.RestoreEvent
}

// Statistics counts what the session's restores did so far. Items holds at most 1,000 events of items.
func (r *RestoreSessions) Statistics(ctx context.Context, u User, id holdfast.RestoreSessionID) (RestoreStatistics, error) {
	var out RestoreStatistics
	for offset := 0; ; {
		events, err := r.Events(ctx, u, id, holdfast.Page{Offset: offset, Limit: 5000})
		if err != nil {
			return out, err
		}
		for _, e := range events {
			if e.Type != "Restore" {
				continue
			}
			text := e.Message
			if e.Item != "" {
				out.Total++
				text = e.ItemName + ": " + e.Message
				if len(out.Items) < 1000 {
					out.Items = append(out.Items, e)
				}
			}
			switch e.Status {
			case "Success":
				if e.Item != "" {
					out.Restored++
				}
			case "Skipped", "Warning":
				if e.Item != "" {
					out.Skipped++
				}
				if len(out.Warnings) < 100 {
					out.Warnings = append(out.Warnings, text)
				}
			case "Failed":
				if e.Item != "" {
					out.Failed++
				}
				if len(out.Errors) < 100 {
					out.Errors = append(out.Errors, text)
				}
			}
		}
		if len(events) < 5000 {
			return out, nil
		}
		offset += len(events)
	}
}

// itemEvent shows one item's outcome. Its id follows from session, request and item, so that a repeated report replaces it.
func (c *core) itemEvent(ctx context.Context, tx Tx, req holdfast.RestoreRequest, res holdfast.ItemResult) error {
	now := c.now()
	e := holdfast.RestoreEvent{ID: holdfast.DerivedID(string(req.Session), req.ID+"/"+res.Item), Session: req.Session, Request: req.ID, Item: res.Item, Type: "Restore", Status: "Success",
		ItemName: res.Name, Source: res.Path, Target: req.To, Title: "Restored " + res.Name, Organization: req.Organization, Started: now, Ended: now,
		Outcome: res.Outcome, Skip: res.Reason, Detail: res.Detail, Lost: res.Lost}
	e.Message = res.Outcome
	if res.Outcome == "existing" {
		e.Existing, e.Title, e.Message = true, "There already: "+res.Name, "there already"
	}
	if res.Detail != "" {
		e.Message += ": " + res.Detail
	}
	if len(res.Lost) > 0 {
		e.Message += "; not equal, as docs/fidelity.md says: " + strings.Join(res.Lost, ", ")
	}
	switch {
	case res.Outcome == "skipped" && (res.Reason == holdfast.SkipConflict || res.Reason == ""):
		e.Status, e.Title = "Skipped", "Skipped "+res.Name
	case res.Outcome == "skipped":
		e.Status, e.Title, e.Message = "Failed", "Could not restore "+res.Name, fmt.Sprintf("%s: %s", res.Reason, strings.TrimPrefix(res.Detail, string(res.Reason)+": "))
		if res.Reason == holdfast.SkipNothing { // there was nothing to restore
			e.Status, e.Title = "Skipped", "Skipped "+res.Name
		}
	}
	return tx.PutRestoreEvent(ctx, e)
}

// shownAs is what a restore of items is called to its user: a single one by its own name. The audit chain does without names.
func (r *RestoreSessions) shownAs(ctx context.Context, c SessionContainer, items []string, otherwise string) (string, error) {
	if len(items) != 1 {
		return otherwise, nil
	}
	view, item, err := r.state(ctx, c.View, items[0])
	if err != nil {
		return "", err
	}
	e, err := r.Explorer.Item(ctx, view, item)
	return cmp.Or(e.Name, otherwise), err
}

// restoreEnded closes the event of a whole request and sets the session's result.
func (c *core) restoreEnded(ctx context.Context, tx Tx, t holdfast.TaskRecord, r holdfast.TaskResult) error {
	var req holdfast.RestoreRequest
	if err := json.Unmarshal(t.Request, &req); err != nil {
		return fmt.Errorf("decode restore request: %w", err)
	}
	if req.End > 0 {
		return c.chatClosed(ctx, tx, t, req, r)
	}
	if err := c.closeChat(ctx, tx, t, req); err != nil {
		return err
	}
	e, err := tx.RestoreEvent(ctx, req.Session, holdfast.DerivedID(string(req.Session), req.ID))
	if err != nil {
		return err
	}
	counts, err := tx.RestoreEventCounts(ctx, req.Session, req.ID)
	if err != nil {
		return err
	}
	e.Ended, e.Status = c.now(), "Success"
	e.Counts = &holdfast.RestoreCounts{Restored: counts["Success"] + counts["Warning"], Existing: counts["Existing"], Skipped: counts["Skipped"], Failed: counts["Failed"]}
	e.Message = fmt.Sprintf("%d restored", counts["Success"])
	for _, c := range []struct {
		status, words string
	}{{"Existing", "there already"}, {"Skipped", "skipped"}, {"Failed", "failed"}} {
		if n := counts[c.status]; n > 0 {
			e.Message += fmt.Sprintf(", %d %s", n, c.words)
		}
	}
	result := holdfast.StatusSuccess
	switch {
	case t.State == holdfast.TaskCancelled:
		e.Status, e.Message, result = "Cancelled", e.Message+"; stopped before its end", holdfast.StatusWarning
	case r.Err != "":
		e.Status, e.Message, result = "Failed", r.Err+" ("+e.Message+")", holdfast.StatusFailed
	case counts["Failed"] > 0:
		e.Status, result = "Warning", holdfast.StatusWarning
	}
	e.Title = strings.Replace(e.Title, "Restoring ", "Restored ", 1)
	if e.Status == "Failed" {
		e.Title = strings.Replace(e.Title, "Restored ", "Could not restore ", 1)
	}
	if err := tx.PutRestoreEvent(ctx, e); err != nil {
		return err
	}
	s, err := tx.RestoreSession(ctx, req.Session)
	if err != nil {
		return err
	}
	s.LastUsed = c.now()
	if rank(result) > rank(s.Result) {
		s.Result, s.Details = result, e.Message
	}
	return tx.PutRestoreSession(ctx, s)
}

func rank(s holdfast.SessionStatus) int {
	return slices.Index([]holdfast.SessionStatus{holdfast.StatusSuccess, holdfast.StatusWarning, holdfast.StatusFailed}, s)
}

// open gives what a working session sees and notes that it is in use.
func (r *RestoreSessions) open(ctx context.Context, u User, id holdfast.RestoreSessionID) ([]SessionContainer, holdfast.RestoreSession, error) {
	var all []SessionContainer
	view := viewOf(id, ScopeOf(u, ActExplore))
	s, err := readAs(ctx, r.core, u, ActExplore, func(ctx context.Context, tx Tx) (holdfast.RestoreSession, error) {
		s, err := tx.RestoreSession(ctx, id)
		if err != nil {
			return s, err
		} else if s.Stopped {
			return s, holdfast.Conflict("restore session %s has ended: open another one", id)
		}
		var ok bool
		if all, ok = r.views.get(view); ok {
			return s, nil
		}
		all, err = seen(ctx, tx, s)
		return s, err
	})
	if err != nil {
		return nil, s, err
	}
	r.views.put(view, all)
	if now := r.now(); now.Sub(s.LastUsed) > min(time.Minute, r.SessionIdle/4) {
		err = r.changeAs(ctx, u, ActExplore, func(ctx context.Context, tx Tx) error {
			s, err := tx.RestoreSession(ctx, id)
			if err != nil || s.Stopped {
				return err
			}
			s.LastUsed = now
			return tx.PutRestoreSession(ctx, s)
		})
	}
	return all, s, err
}

// seen merges the entries of the session's points: of a container that several jobs protect, the newest head.
func seen(ctx context.Context, tx Tx, s holdfast.RestoreSession) ([]SessionContainer, error) {
	var all []SessionContainer
	at := map[string]int{}
	for _, id := range s.Points {
		p, err := tx.RestorePoint(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, e := range p.Entries {
			if e.Head == 0 || e.Container.Kind != s.Type.Kind() || s.Owner != "" && !e.Container.Of(s.Owner) || s.Organization != "" && p.Organization != s.Organization {
				continue
			}
			e.Container.Organization = p.Organization
			c := SessionContainer{PointEntry: e, View: View{Repository: p.Repository, Organization: p.Organization, Point: p.ID, Container: e.Container.Key(), Head: e.Head}}
			if i, ok := at[e.Container.PublicID()]; !ok {
				at[e.Container.PublicID()] = len(all)
				all = append(all, c)
			} else if e.HeadTime.After(all[i].HeadTime) {
				all[i] = c
			}
		}
	}
	slices.SortFunc(all, func(a, b SessionContainer) int {
		if n := strings.Compare(strings.ToLower(a.Container.Name), strings.ToLower(b.Container.Name)); n != 0 {
			return n
		}
		return strings.Compare(a.Container.Key(), b.Container.Key())
	})
	return all, nil
}

// viewKey is a session as somebody sees it: what the session shows never changes, but what he may see of it can.
type viewKey struct {
	session holdfast.RestoreSessionID
	scope   string
}

func viewOf(id holdfast.RestoreSessionID, s *holdfast.Scope) viewKey {
	if s == nil {
		return viewKey{session: id}
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts always encode
	}
	return viewKey{id, tokenHash(string(text))}
}

// viewCache keeps what the sessions used last see. The zero value works.
type viewCache struct {
	mu     sync.Mutex // guards all below
	all    map[viewKey][]SessionContainer
	order  []viewKey
	opened map[openedKey]bool
}

// openedKey is a container that somebody has begun to read in a session.
type openedKey struct {
	session   holdfast.RestoreSessionID
	user      holdfast.UserID
	key       string // API key
	container string
}

// viewsKept and openedKept bound the cache.
const (
	viewsKept  = 32
	openedKept = 10_000
)

func (v *viewCache) get(id viewKey) ([]SessionContainer, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all, ok := v.all[id]
	return all, ok
}

func (v *viewCache) put(id viewKey, all []SessionContainer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil {
		v.all = map[viewKey][]SessionContainer{}
	}
	if _, ok := v.all[id]; ok {
		return
	}
	if len(v.order) >= viewsKept {
		delete(v.all, v.order[0])
		v.order = v.order[1:]
	}
	v.all[id], v.order = all, append(v.order, id)
}

func (v *viewCache) drop(id holdfast.RestoreSessionID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for k := range v.all {
		if k.session == id {
			delete(v.all, k)
		}
	}
	v.order = slices.DeleteFunc(v.order, func(k viewKey) bool { return k.session == id })
	for k := range v.opened {
		if k.session == id {
			delete(v.opened, k)
		}
	}
}

// isOpened says whether somebody's reading of a container is in the audit chain already, and opens notes that it is.
func (v *viewCache) isOpened(k openedKey) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.opened[k]
}

func (v *viewCache) opens(k openedKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.opened == nil || len(v.opened) >= openedKept {
		v.opened = map[openedKey]bool{} // forgetting costs an entry in the chain, no more
	}
	v.opened[k] = true
}
