package team

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/workload/drive"
)

type target struct {
	g   *graph.Client
	org holdfast.OrganizationID
}

// Meter counts the calls of one restore, which goes before backups.
func (t *target) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(m365.ForRestore(ctx))
}

const (
	// waits bounds how often a team that is being made or restored is asked for.
	waits    = 40
	waitTeam = 3 * time.Second
)

// Open prepares a restore: the application may write, and the team is there, comes back from the deleted ones, or will be made.
func (t *target) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	ctx = m365.ForRestore(ctx)
	if !t.g.M365().Cloud().Has(m365.Teams) {
		return nil, holdfast.Invalid("Microsoft has no Teams in this cloud")
	}
	if plan.Folder != "" {
		return nil, holdfast.Invalid("a team's content is restored to channels of its own names: leave the folder out")
	}
	needed := []string{"Group.ReadWrite.All", "TeamMember.ReadWrite.All", "ChannelMember.ReadWrite.All", "Files.ReadWrite.All"}
	migrates := t.g.M365().Cloud().Has(m365.TeamsMigration)
	if migrates {
		needed = append(needed, "Teamwork.Migrate.All")
	}
	missing, err := t.g.CheckPermissions(ctx, needed...)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, holdfast.Denied("the application may not write teams: grant it %s in Microsoft Entra, or restore with an application that has it", strings.Join(missing, ", "))
	}
	r := &restore{g: t.g, plan: plan, migrates: migrates, same: plan.From.Key() == plan.To.Key() && plan.From.Organization == plan.To.Organization,
		channels: map[string]*place{}, libraries: map[string]engine.Restore{}, days: map[string]*sync.Mutex{}}
	team, err := t.g.Team(ctx, plan.To.Source)
	if m365.KindOf(err) == m365.NotFound {
		team, err = r.deleted(ctx)
	}
	if err != nil {
		return nil, err
	}
	if team != nil {
		r.team, r.archived = team.ID, team.Archived
		if !team.Archived && plan.Notes != nil {
			opened, err := plan.Notes.Noted(ctx, noteOpened)
			if err != nil {
				return nil, err
			}
			r.archived, r.opened = opened == team.ID, opened == team.ID
		}
	} else if !r.same {
		return nil, holdfast.Conflict("the team %s is not there now: restore to its own place to make it again, or to another team", plan.To.Address)
	}
	return r, nil
}

// restore is one restore into one team.
type restore struct {
	g        *graph.Client
	plan     engine.RestorePlan
	migrates bool // the cloud takes posts of the past
	same     bool // the team that the items came from

	making sync.Mutex // held while the team or a channel is looked for or made, taken before mu

	mu        sync.Mutex // guards all below
	team      string     // id there; empty while it is missing
	isNew     bool
	archived  bool // it is, and is to be again
	opened    bool // it was, and is open for this restore
	channels  map[string]*place
	there     []*graph.Channel          // of the team, as listed last; nil when not
	libraries map[string]engine.Restore // by drive there
	days      map[string]*sync.Mutex    // held while a day's file of posts is written
}

// place is a channel there.
type place struct {
	id      string
	stored  string // id of the channel that it was
	name    string
	kind    string
	created time.Time // of the channel that it was
	isNew   bool
	oldSite string // address of the site that its files were in
	newSite string // "" until it is asked for
	drive   string
	folder  string

	opening   sync.Mutex // held while it is opened for posts, and its members and tabs are looked at
	migrating bool       // open for posts of the past
	refused   error      // why it can't be
	tabs      []*graph.Tab
	looked    bool
	threads   map[string]string // message id -> the one there
	late      map[string]bool   // messages that failed for a moment in this attempt
}

// noteOpened names the archived team that a restore has opened, or was about to: an attempt that finds it open archives it at its end.
const noteOpened = "archived team that was opened"

const (
	tokenTeam    = "team"
	tokenChannel = "channel:"
	tokenFiles   = "files:" // a library's drive, "|" and an item there
)

// deleted restores the team's group when it is among the deleted ones; nil when it is not.
func (r *restore) deleted(ctx context.Context) (*graph.Team, error) {
	if !r.same {
		return nil, nil
	}
	group, err := r.g.DeletedGroup(ctx, r.plan.To.Source)
	if m365.KindOf(err) == m365.NotFound || m365.KindOf(err) == m365.Invalid {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if r.plan.DryRun {
		return nil, nil
	}
	if err := r.g.RestoreGroup(ctx, group.ID); err != nil && !m365.OutcomeUnknown(err) {
		if m365.KindOf(err) == m365.Conflict {
			return nil, holdfast.Conflict("the team %s is deleted, and its group can't be restored because another one has its name: %s", r.plan.To.Address, graph.ErrorText(err))
		}
		return nil, err
	}
	return r.await(ctx, group.ID)
}

// await waits for a team that is on its way.
func (r *restore) await(ctx context.Context, id string) (*graph.Team, error) {
	for n := 0; ; n++ {
		team, err := r.g.Team(ctx, id)
		if m365.KindOf(err) != m365.NotFound {
			return team, err
		}
		if n == waits {
			return nil, holdfast.Unavailable("the group is restored, its team is not there yet (Microsoft says that it may take a day): try again later")
		}
		if err := r.g.M365().Clock().Sleep(ctx, waitTeam); err != nil {
			return nil, err
		}
	}
}

// itemError gives an error of one item as a *Skip when it is the item's own, else the kind that the engine wants.
func itemError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || m365.OutcomeUnknown(err) {
		return err
	}
	switch m365.KindOf(err) {
	case m365.Unavailable, m365.Throttled:
		var e *m365.Error
		out := &holdfast.Error{Kind: holdfast.KindUnavailable, Message: err.Error(), Cause: err}
		if errors.As(err, &e) {
			out.RetryAfter = e.RetryAfter
		}
		return out
	case m365.NotFound:
		return err // of a restore, what vanished may be made again
	}
	if s := m365.Skip(err); s != nil {
		return s
	}
	return err
}

// Close ends the import of posts everywhere, closes the libraries, and archives again what was archived.
func (r *restore) Close(ctx context.Context) error {
	ctx = m365.ForRestore(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	var all error
	for _, l := range r.libraries {
		all = errors.Join(all, l.Close(ctx))
	}
	for _, p := range r.channels {
		if !p.migrating {
			continue
		}
		err := closeChannel(ctx, r.g, r.team, p.id)
		if err != nil {
			err = fmt.Errorf("end the import of posts in %q, which nobody can write to until the restore is run again: %w", p.name, err)
		}
		all = errors.Join(all, err)
	}
	if r.archived && r.opened {
		all = errors.Join(all, r.g.ArchiveTeam(ctx, r.team, true))
	}
	return all
}

// closeChannel ends the import of posts into a channel. A refusal may mean that it is ended already, because an answer was lost: the channel itself tells.
func closeChannel(ctx context.Context, g *graph.Client, team, channel string) error {
	err := g.CompleteMigration(ctx, team, channel)
	if m365.KindOf(err) != m365.Invalid || m365.OutcomeUnknown(err) {
		return err
	}
	ch, lerr := g.Channel(ctx, team, channel)
	if lerr != nil {
		return errors.Join(err, lerr)
	}
	if ch.Migration != inProgress {
		return nil
	}
	return holdfast.Unavailable("the channel is open for posts of the past, and Microsoft refuses to close it: %v", err)
}

// open makes sure that the team is there and takes changes.
func (r *restore) open(ctx context.Context, root *holdfast.Item) error {
	r.mu.Lock()
	team, archived, opened := r.team, r.archived, r.opened
	r.mu.Unlock()
	switch {
	case r.plan.DryRun:
		return nil
	case team == "" && root == nil:
		return holdfast.Invalid("internal check: the team %s was not made before its content", r.plan.To.Name)
	case team == "":
		return r.make(ctx, *root)
	case archived && !opened:
		if r.plan.Notes != nil { // before it is opened: a crash in between leaves it archived
			if err := r.plan.Notes.Note(ctx, noteOpened, team); err != nil {
				return err
			}
		}
		if err := r.unarchive(ctx, team); err != nil {
			return err
		}
		r.mu.Lock()
		r.opened = true
		r.mu.Unlock()
	}
	return nil
}

// unarchive opens an archived team.
func (r *restore) unarchive(ctx context.Context, team string) error {
	if err := r.g.ArchiveTeam(ctx, team, false); err != nil {
		return err
	}
	for n := 0; n < waits; n++ { // it opens a while after the answer
		if t, err := r.g.Team(ctx, team); err != nil {
			return err
		} else if !t.Archived {
			break
		}
		if err := r.g.M365().Clock().Sleep(ctx, waitTeam); err != nil {
			return err
		}
	}
	return nil
}

// make makes the team again, as old as it was where Microsoft lets it be so, and ends its migration at once: its channels are opened one by one.
func (r *restore) make(ctx context.Context, root holdfast.Item) error {
	there, err := r.earlier(ctx, root)
	if err != nil {
		return err
	}
	var id string
	if there != nil {
		if id = there.ID; there.Archived { // the attempt that made it ended, and archived it as it was
			if err := r.unarchive(ctx, id); err != nil {
				return err
			}
		}
	} else {
		n := graph.NewTeam{DisplayName: root.Name, Created: root.Time, Migration: r.migrates, Owner: root.Fields[fieldOwner]}
		if !r.migrates && n.Owner == "" {
			return holdfast.Conflict("the team %q had no owner: make a team of that name, then restore into it", root.Name)
		}
		if err := r.plan.Making(ctx, "team"); err != nil { // whoever has lost this restore to another attempt ends here
			return err
		}
		var operation string
		id, operation, err = r.g.CreateTeam(ctx, n)
		if err != nil {
			return err
		}
		for n := 0; ; n++ {
			done, err := r.g.OperationDone(ctx, id, operation)
			if err != nil && m365.KindOf(err) != m365.NotFound {
				return err
			}
			if done {
				break
			}
			if n == waits {
				return holdfast.Unavailable("the team %q is being made, which takes longer than usual: try again later", root.Name)
			}
			if err := r.g.M365().Clock().Sleep(ctx, waitTeam); err != nil {
				return err
			}
		}
	}
	if r.migrates {
		if err := r.complete(ctx, id); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.team, r.isNew, r.there = id, true, nil
	return nil
}

// earlier finds the team that an earlier attempt made: of that name and as old as the one that it was; where a team can't be made old, of that name.
func (r *restore) earlier(ctx context.Context, root holdfast.Item) (*graph.Team, error) {
	l := graph.List{Select: groupFields, Top: 999}
	first, err := r.g.TeamGroups(ctx, l)
	for group, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, err
		}
		if group.DisplayName != root.Name {
			continue
		}
		team, err := r.g.Team(ctx, group.ID)
		if m365.KindOf(err) == m365.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !r.migrates || team.Created.Truncate(time.Millisecond).Equal(root.Time.UTC().Truncate(time.Millisecond)) {
			return team, nil
		}
	}
	return nil, nil
}

// complete ends the migration mode that a team was made in.
func (r *restore) complete(ctx context.Context, team string) error {
	channels, err := r.list(ctx, team)
	if err != nil {
		return err
	}
	for _, ch := range channels {
		if ch.Migration == inProgress {
			if err := closeChannel(ctx, r.g, team, ch.ID); err != nil {
				return err
			}
		}
	}
	if err := r.g.CompleteMigration(ctx, team, ""); err != nil && m365.KindOf(err) != m365.Invalid {
		return err
	}
	return nil
}

func (r *restore) list(ctx context.Context, team string) ([]*graph.Channel, error) {
	first, err := r.g.Channels(ctx, team)
	return collect(graph.All(ctx, r.g, first, err, graph.List{}))
}

// Folder finds the team, the channel, the library or the folder in one at the target, or makes it.
func (r *restore) Folder(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	ctx = m365.ForRestore(ctx)
	switch folder.Fields[holdfast.FieldSpecial] {
	case specialTeam:
		r.making.Lock()
		defer r.making.Unlock()
		if r.plan.DryRun && r.team == "" {
			return engine.Planned + tokenTeam, nil
		}
		return tokenTeam, itemError(ctx, r.open(ctx, &folder))
	case specialChannel:
		p, err := r.channel(ctx, folder)
		if err != nil {
			return "", itemError(ctx, err)
		}
		if strings.HasPrefix(p.id, engine.Planned) {
			return p.id, nil
		}
		return tokenChannel + p.id, nil
	case specialLibrary:
		id, err := r.library(ctx, folder, parent)
		return id, itemError(ctx, err)
	}
	if strings.HasPrefix(parent, engine.Planned) {
		return parent + "/" + folder.Name, nil
	}
	files, d, at := r.inFiles(parent)
	if files == nil {
		return "", holdfast.Invalid("internal check: the folder %q lies in no library", folder.Name)
	}
	id, err := files.Folder(ctx, folder, at)
	return tokenFiles + d + "|" + id, err
}

// inFiles is the library, its drive and the folder in it that a token names.
func (r *restore) inFiles(token string) (files engine.Restore, drive, folder string) {
	rest, ok := strings.CutPrefix(token, tokenFiles)
	if !ok {
		return nil, "", ""
	}
	drive, folder, _ = strings.Cut(rest, "|")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.libraries[drive], drive, folder
}

// library opens the library that a folder was: of the team's site, or of a private or shared channel's.
func (r *restore) library(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	if strings.HasPrefix(parent, engine.Planned) {
		return parent + "/" + folder.Name, nil
	}
	r.making.Lock()
	defer r.making.Unlock()
	if err := r.open(ctx, nil); err != nil {
		return "", err
	}
	var channel string
	if id, ok := strings.CutPrefix(parent, tokenChannel); ok {
		channel = id
	} else {
		general, err := r.general(ctx)
		if err != nil {
			return "", err
		}
		channel = general.ID
	}
	at, err := r.g.FilesFolder(ctx, r.team, channel)
	if err != nil {
		return "", err
	}
	if at.Parent == nil {
		return "", &m365.Error{Kind: m365.Corrupt, Call: "GET filesFolder", Code: "a folder without a drive"}
	}
	d := at.Parent.DriveID
	r.mu.Lock()
	files := r.libraries[d]
	r.mu.Unlock()
	if files == nil {
		plan := r.plan
		plan.From = drive.Library(plan.From.Organization, folder.Fields[fieldDrive], folder.Name)
		plan.To = drive.Library(plan.To.Organization, d, folder.Name)
		if files, err = drive.RestoreLibrary(ctx, r.g, plan, nil); err != nil {
			return "", err
		}
		r.mu.Lock()
		r.libraries[d] = files
		r.mu.Unlock()
	}
	root, err := files.Folder(ctx, drive.AsRoot(folder), "")
	return tokenFiles + d + "|" + root, err
}

// channelsThere lists the channels of the team, once. making is held.
func (r *restore) channelsThere(ctx context.Context) ([]*graph.Channel, error) {
	if r.there == nil {
		all, err := r.list(ctx, r.team)
		if err != nil {
			return nil, err
		}
		r.there = all
	}
	return r.there, nil
}

// general is the channel that every team has: the oldest one.
func (r *restore) general(ctx context.Context) (*graph.Channel, error) {
	all, err := r.channelsThere(ctx)
	if err != nil {
		return nil, err
	}
	var oldest *graph.Channel
	for _, ch := range all {
		if ch.Membership == "standard" && (oldest == nil || ch.Created.Before(oldest.Created)) {
			oldest = ch
		}
	}
	if oldest == nil {
		return nil, &m365.Error{Kind: m365.Corrupt, Call: "GET channels", Code: "a team without a channel"}
	}
	return oldest, nil
}

// restoredSuffix is behind the name of a channel whose own name is not to be had: that of a deleted channel stays taken for 30 days.
const restoredSuffix = " (restored)"

// channel finds the channel that a folder was, in its own team by its id, else by its name; or makes one.
func (r *restore) channel(ctx context.Context, folder holdfast.Item) (*place, error) {
	r.making.Lock()
	defer r.making.Unlock()
	stored := folder.Fields[fieldChannel]
	r.mu.Lock()
	p := r.channels[stored]
	r.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p = &place{stored: stored, name: folder.Name, kind: folder.Fields[fieldType], created: folder.Time, oldSite: siteOf(folder.Fields[fieldFilesURL]), threads: map[string]string{}, late: map[string]bool{}}
	if r.team == "" { // of a dry run
		p.id, p.isNew = engine.Planned+tokenChannel+stored, true
	} else {
		if err := r.open(ctx, nil); err != nil {
			return nil, err
		}
		found, err := r.findChannel(ctx, stored, folder.Name)
		if err != nil {
			return nil, err
		}
		switch {
		case found != nil:
			p.id, p.migrating = found.ID, found.Migration == inProgress
			if err := p.fits(found); err != nil {
				return nil, err
			}
			if found.ID != stored { // perhaps an earlier attempt made it and died before it gave it its members
				if p.isNew, err = r.plan.Made(ctx, "channel "+stored); err != nil {
					return nil, err
				}
			}
		case r.plan.DryRun:
			p.id, p.isNew = engine.Planned+tokenChannel+stored, true
		default:
			if err := r.plan.Making(ctx, "channel "+stored); err != nil {
				return nil, err
			}
			made, err := r.makeChannel(ctx, folder)
			if err != nil {
				return nil, err
			}
			if err := p.fits(made); err != nil {
				return nil, err
			}
			p.id, p.migrating, p.isNew, r.there = made.ID, made.Migration == inProgress, true, nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.channels[stored] = p
	return p, nil
}

// fits refuses a channel of another type than the one that is restored.
func (at *place) fits(ch *graph.Channel) error {
	if ch.Membership == at.kind {
		return nil
	}
	return &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("there is a channel called %q of another type (%s)", ch.DisplayName, ch.Membership)}
}

func (r *restore) findChannel(ctx context.Context, id, name string) (*graph.Channel, error) {
	all, err := r.channelsThere(ctx)
	if err != nil {
		return nil, err
	}
	if r.same {
		for _, ch := range all {
			if ch.ID == id {
				return ch, nil
			}
		}
	}
	for _, want := range []string{name, restoredName(name)} {
		for _, ch := range all {
			if strings.EqualFold(ch.DisplayName, want) {
				return ch, nil
			}
		}
	}
	return nil, nil
}

// restoredName is a channel's name with the suffix, within Microsoft's 50 characters.
func restoredName(name string) string {
	if r := []rune(name); len(r)+len(restoredSuffix) > 50 {
		name = string(r[:50-len(restoredSuffix)])
	}
	return name + restoredSuffix
}

func (r *restore) makeChannel(ctx context.Context, folder holdfast.Item) (*graph.Channel, error) {
	kind, owner := folder.Fields[fieldType], ""
	if kind != "standard" {
		if owner = folder.Fields[fieldOwner]; owner == "" {
			return nil, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the %s channel %q had no owner in the backup: make it in Teams, then restore into it", kind, folder.Name)}
		}
		if kind == "private" { // only a member of the team can own it
			if err := r.join(ctx, owner); m365.KindOf(err) == m365.NotFound {
				return nil, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the owner of the private channel %q is no longer in the organization: make it in Teams, then restore into it", folder.Name)}
			} else if err != nil {
				return nil, err
			}
		}
	}
	for _, name := range []string{folder.Name, restoredName(folder.Name)} {
		ch, err := r.g.CreateChannel(ctx, r.team, name, "", kind, owner)
		var e *m365.Error
		taken := errors.As(err, &e) && e.Status == http.StatusBadRequest && (e.Has("NameAlreadyExists") || strings.Contains(e.Message, "already existed"))
		if taken || m365.OutcomeUnknown(err) {
			// The name is that of a deleted channel, or of one that is there since the channels were listed: nobody wants a second one beside it.
			r.there = nil
			if found, ferr := r.findChannel(ctx, "", folder.Name); ferr != nil || found != nil {
				return found, ferr
			}
		}
		if taken && name == folder.Name {
			continue
		}
		return ch, err
	}
	return nil, holdfast.Conflict("the channel %q can't be made: its name is taken", folder.Name)
}

// join makes somebody a member of the team; who is one keeps his role.
func (r *restore) join(ctx context.Context, user string) error {
	l := graph.List{Top: 999}
	first, err := r.g.TeamMembers(ctx, r.team, l)
	for m, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return err
		}
		if m.UserID == user {
			return nil
		}
	}
	return r.g.AddTeamMember(ctx, r.team, user, nil)
}

// siteOf is the address of the site that a channel's folder is in: without the library and the folder.
func siteOf(folder string) string {
	for range 2 {
		i := strings.LastIndexByte(folder, '/')
		if i < 0 {
			return ""
		}
		folder = folder[:i]
	}
	return folder
}

// read decodes a form of an item; what it does not have stays as it is.
func read(ctx context.Context, p engine.Put, form holdfast.Form, out any) error {
	body, ok, err := p.Open(ctx, form)
	if err != nil || !ok {
		return err
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("what is stored is not understood: %w", err)}
	}
	return nil
}

// SettleFolder puts back what a team or channel has besides its name: settings, members with their roles, apps and picture. Of one that is there
// only when the user asks for permissions.
func (r *restore) SettleFolder(ctx context.Context, p engine.Put) error {
	ctx = m365.ForRestore(ctx)
	switch p.Item.Fields[holdfast.FieldSpecial] {
	case specialTeam:
		if !r.isNew && !r.plan.Permissions {
			return nil
		}
		return itemError(ctx, r.settleTeam(ctx, p))
	case specialChannel:
		r.mu.Lock()
		at := r.channels[p.Item.Fields[fieldChannel]]
		r.mu.Unlock()
		if at == nil || !at.isNew && !r.isNew && !r.plan.Permissions {
			return nil
		}
		return itemError(ctx, r.settleChannel(ctx, p, at))
	}
	files, _, id := r.inFiles(p.NewID)
	if s, ok := files.(engine.FolderSettler); ok {
		p.NewID = id
		return s.SettleFolder(ctx, p)
	}
	return nil
}

// settings are what of a team's JSON is given back by a change.
var settings = []string{"memberSettings", "guestSettings", "messagingSettings", "funSettings", "visibility", "classification"}

func (r *restore) settleTeam(ctx context.Context, p engine.Put) error {
	var stored map[string]any
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return err
	}
	body := map[string]any{}
	for _, name := range append([]string{"description"}, settings...) {
		if v := stored[name]; v != nil {
			body[name] = v
		}
	}
	if err := r.g.UpdateTeam(ctx, r.team, body); err != nil {
		return err
	}
	if archived, _ := stored["isArchived"].(bool); archived && r.isNew {
		r.mu.Lock()
		r.archived, r.opened = true, true
		r.mu.Unlock()
	}
	var lost []string
	members, err := r.members(ctx, p, func() (*graph.Page[graph.ConversationMember], error) {
		return r.g.TeamMembers(ctx, r.team, graph.List{Top: 999})
	}, func(m graph.ConversationMember) error { return r.g.AddTeamMember(ctx, r.team, m.UserID, m.Roles) })
	if err != nil {
		return err
	}
	lost = append(lost, members...)
	var apps []graph.AppInstallation
	if err := read(ctx, p, formApps, &apps); err != nil {
		return err
	}
	for _, a := range apps {
		if err := r.g.InstallApp(ctx, r.team, a.App.ID); err != nil && m365.KindOf(err) != m365.Conflict {
			if !m365.Lasting(err) {
				return err
			}
			lost = append(lost, fmt.Sprintf("the app %q (%s)", a.App.DisplayName, graph.ErrorText(err)))
		}
	}
	if err := r.photo(ctx, p); err != nil {
		lost = append(lost, fmt.Sprintf("the picture (%s)", graph.ErrorText(err)))
	}
	return lostError(lost)
}

// lostError names what did not come back of a folder.
func lostError(lost []string) error {
	if len(lost) == 0 {
		return nil
	}
	return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("did not come back: %s", strings.Join(lost, "; "))}
}

func (r *restore) photo(ctx context.Context, p engine.Put) error {
	body, ok, err := p.Open(ctx, holdfast.FormPhoto)
	if err != nil || !ok {
		return err
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, photoMost))
	if err != nil {
		return err
	}
	return r.g.PutGroupPhoto(ctx, r.team, http.DetectContentType(raw), raw)
}

// members adds the stored members that are not there, owners first, and names those whom the organization no longer has.
func (r *restore) members(ctx context.Context, p engine.Put, list func() (*graph.Page[graph.ConversationMember], error), add func(m graph.ConversationMember) error) (lost []string, err error) {
	var stored []graph.ConversationMember
	if err := read(ctx, p, formMembers, &stored); err != nil || len(stored) == 0 {
		return nil, err
	}
	first, err := list()
	there, err := collect(graph.All(ctx, r.g, first, err, graph.List{}))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(stored, func(a, b graph.ConversationMember) int { return len(b.Roles) - len(a.Roles) })
	for _, m := range stored {
		if slices.ContainsFunc(there, func(t *graph.ConversationMember) bool {
			return t.UserID == m.UserID && slices.Contains(t.Roles, "owner") == slices.Contains(m.Roles, "owner")
		}) {
			continue
		}
		err := add(m)
		switch {
		case err == nil, m365.KindOf(err) == m365.Conflict:
		case m365.KindOf(err) == m365.NotFound, m365.KindOf(err) == m365.Invalid, m365.KindOf(err) == m365.Denied:
			lost = append(lost, fmt.Sprintf("the member %s (%s)", m.DisplayName, graph.ErrorText(err)))
		default:
			return lost, err
		}
	}
	return lost, nil
}

func (r *restore) settleChannel(ctx context.Context, p engine.Put, at *place) error {
	var stored graph.Channel
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return err
	}
	if stored.Description != "" {
		if err := r.g.UpdateChannel(ctx, r.team, at.id, map[string]any{"description": stored.Description}); err != nil {
			return err
		}
	}
	if at.kind == "standard" {
		return nil
	}
	lost, err := r.members(ctx, p, func() (*graph.Page[graph.ConversationMember], error) {
		return r.g.ChannelMembers(ctx, r.team, at.id, graph.List{Top: 999})
	}, func(m graph.ConversationMember) error {
		return r.g.AddChannelMember(ctx, r.team, at.id, m.UserID, m.Roles)
	})
	if err != nil {
		return err
	}
	return lostError(lost)
}

// Put restores a file, a tab or a post.
func (r *restore) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	ctx = m365.ForRestore(ctx)
	if strings.HasPrefix(p.Parent, engine.Planned) {
		return engine.Restored{Outcome: engine.Created, NewID: engine.Planned + p.Item.ID, Cost: holdfast.Cost{Requests: 3, Bytes: p.Item.Size}}, nil
	}
	if files, _, at := r.inFiles(p.Parent); files != nil {
		p.Parent = at
		return files.Put(ctx, p)
	}
	r.mu.Lock()
	at := r.channels[p.Item.Fields[fieldChannel]]
	r.mu.Unlock()
	if at == nil {
		return engine.Restored{}, holdfast.Invalid("internal check: the channel of %q was not opened", p.Item.Name)
	}
	var restored engine.Restored
	var err error
	switch p.Item.Kind {
	case holdfast.KindTab:
		restored, err = r.tab(ctx, p, at)
	case holdfast.KindPost:
		restored, err = r.post(ctx, p, at)
	default:
		err = &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("a %s is no part of a team", p.Item.Kind)}
	}
	return restored, itemError(ctx, err)
}

// tab adds a tab unless the channel has one of that name and app.
func (r *restore) tab(ctx context.Context, p engine.Put, at *place) (engine.Restored, error) {
	var stored graph.Tab
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return engine.Restored{}, err
	}
	at.opening.Lock()
	defer at.opening.Unlock()
	if !at.looked || p.Again {
		first, err := r.g.Tabs(ctx, r.team, at.id)
		if at.tabs, err = collect(graph.All(ctx, r.g, first, err, graph.List{})); err != nil {
			return engine.Restored{}, err
		}
		at.looked = true
	}
	if err := r.site(ctx, at); err != nil {
		return engine.Restored{}, err
	}
	want := stored.Configuration
	want.ContentURL, want.WebsiteURL = at.moved(want.ContentURL), at.moved(want.WebsiteURL)
	for _, t := range at.tabs {
		if t.DisplayName != stored.DisplayName || t.App.ID != stored.App.ID {
			continue
		}
		out := engine.Restored{Outcome: engine.Existing, NewID: t.ID}
		if t.Configuration.ContentURL != want.ContentURL {
			out.Lost = []string{"what it shows: a tab of that name is there and shows something else"}
		}
		return out, nil
	}
	cost := holdfast.Cost{Requests: 2}
	if r.plan.DryRun {
		return engine.Restored{Outcome: engine.Created, NewID: engine.Planned + p.Item.ID, Cost: cost}, nil
	}
	var given struct {
		Configuration map[string]any `json:"configuration"`
	}
	if err := read(ctx, p, holdfast.FormJSON, &given); err != nil {
		return engine.Restored{}, err
	}
	configuration := map[string]any{}
	for k, v := range given.Configuration { // an app may have more in it
		if address, ok := v.(string); ok {
			v = at.moved(address)
		}
		if v != nil {
			configuration[k] = v
		}
	}
	made, err := r.g.AddTab(ctx, r.team, at.id, stored.DisplayName, stored.App.ID, configuration)
	if err != nil {
		if k := m365.KindOf(err); k == m365.NotFound || k == m365.Denied {
			return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("its app %q can't be used in the team: %s", stored.App.DisplayName, graph.ErrorText(err))}
		}
		return engine.Restored{}, err
	}
	made.App = stored.App
	at.tabs = append(at.tabs, made)
	out := engine.Restored{Outcome: engine.Created, NewID: made.ID, Cost: cost}
	if made.Configuration.ContentURL != want.ContentURL || made.Configuration.EntityID != want.EntityID {
		out.Lost = append(out.Lost, "what it shows")
	}
	return out, nil
}

// site learns where the channel's files are now. opening is held.
func (r *restore) site(ctx context.Context, at *place) error {
	if at.newSite != "" {
		return nil
	}
	folder, err := r.g.FilesFolder(ctx, r.team, at.id)
	if err != nil {
		return err
	}
	at.newSite, at.folder = siteOf(folder.WebURL), folder.ID
	if folder.Parent != nil {
		at.drive = folder.Parent.DriveID
	}
	return nil
}

// moved is an address in the site that the channel's files were in, as it is in the one where they are.
func (at *place) moved(address string) string {
	rest, ok := strings.CutPrefix(address, at.oldSite)
	if at.oldSite == "" || !ok || rest != "" && rest[0] != '/' {
		return address
	}
	return at.newSite + rest
}
