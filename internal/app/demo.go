package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/internal/holdfast"
	"holdfast/internal/sim"
)

// DemoConfig says how large the demonstration is.
type DemoConfig struct {
	Dir           string // for everything that it writes
	Users         int
	REST          string
	AdminPassword holdfast.Secret
	Version       string
	Log           *slog.Logger
}

// Demo is a simulated organization and a server over it, in one process.
type Demo struct {
	Sim    *sim.Sim
	Server *Server
}

// demoFiles, demoSites, demoTeams and demoChats are small: the tour obeys the limits that Microsoft publishes, by which an application may ask SharePoint for 1,250 units a minute, and two backups
// and a restore of everything are to take less than two minutes' worth. Teams takes four calls a second on one team, one post a second in a channel, and one call a second on a chat.
const demoFiles = 10 // in a drive

var demoSites = sim.SiteShape{Sites: 2, Items: 6, Files: 4, OneEach: true}

var demoTeams = sim.TeamShape{Teams: 1, Channels: 3, Posts: 8, Files: 4, Hosted: 3}

// With these no message has a picture in the chat that another organization began: Microsoft does not give it, and the backup would end with a warning.
var demoChats = sim.ChatShape{Chats: 2, Posts: 5, Hosted: 9}

// NewDemo starts the simulated organization and opens the server; Run serves.
func NewDemo(ctx context.Context, c DemoConfig) (_ *Demo, err error) {
	d := &Demo{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close(context.WithoutCancel(ctx)))
		}
	}()
	d.Sim, err = sim.New(sim.Options{Dir: filepath.Join(c.Dir, "organization"), Users: c.Users, FilesPer: demoFiles, Site: demoSites, Team: demoTeams, Chat: demoChats, Limits: sim.LimitsEnforce, Seed: 1})
	if err != nil {
		return nil, err
	}
	d.Server, err = New(ctx, ServerConfig{Data: filepath.Join(c.Dir, "server"), REST: c.REST, Dial: d.Sim.Addr(), CA: d.Sim.CAFile(), AdminPassword: c.AdminPassword, Version: c.Version, Log: c.Log})
	return d, err
}

// Run serves until ctx ends.
func (d *Demo) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.Sim.Run(ctx) })
	g.Go(func() error { return d.Server.Run(ctx) })
	return g.Wait()
}

// Close gives everything back.
func (d *Demo) Close(ctx context.Context) error {
	var errs []error
	if d.Server != nil {
		errs = append(errs, d.Server.Close(ctx))
	}
	if d.Sim != nil {
		errs = append(errs, d.Sim.Close())
	}
	return errors.Join(errs...)
}

// Truth is what a user has at Microsoft 365, as the simulator knows it: properties by object, without what docs/fidelity.md says is lost.
type Truth struct {
	Mails, Folders, Files map[string]map[string]string // name of the object -> property -> value
	Others                map[string]map[string]string // contacts, events, tasks
}

// put adds an object; twins get a number.
func put(to map[string]map[string]string, name string, object any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	properties := map[string]string{}
	for k, v := range raw {
		properties[k] = string(v)
	}
	for n, unique := 2, name; ; n++ {
		if _, taken := to[unique]; !taken {
			to[unique] = properties
			return nil
		}
		unique = fmt.Sprintf("%s #%d", name, n)
	}
}

// Equal counts, for one kind, the objects of before and those of them that are there and equal after, and says how the others differ.
func Equal(before, after map[string]map[string]string) (all, equal int, differences []string) {
	for name, want := range before {
		all++
		have, ok := after[name]
		if !ok {
			differences = append(differences, name+": not there")
			continue
		}
		var different []string
		for k := range want {
			if want[k] != have[k] {
				different = append(different, fmt.Sprintf("%s was %.160s, is %.160s", k, want[k], have[k]))
			}
		}
		for k := range have {
			if _, ok := want[k]; !ok {
				different = append(different, fmt.Sprintf("%s is new: %.160s", k, have[k]))
			}
		}
		if len(different) == 0 {
			equal++
			continue
		}
		slices.Sort(different)
		differences = append(differences, name+": "+strings.Join(different, "; "))
	}
	slices.Sort(differences)
	return all, equal, differences
}

// Truth reads a user's mailbox and drive.
func (d *Demo) Truth(user string) (Truth, error) {
	t := Truth{Mails: map[string]map[string]string{}, Folders: map[string]map[string]string{}, Files: map[string]map[string]string{}, Others: map[string]map[string]string{}}
	err := d.Sim.DumpMailbox(user, false, func(f sim.MailFolderRow) error {
		return put(t.Folders, "mail folder "+f.Path, map[string]any{"hidden": f.Hidden})
	}, func(m sim.MailRow) error {
		return put(t.Mails, fmt.Sprintf("mail %q in %s, %s", m.Subject, m.Folder, m.MessageID), comparable(m))
	})
	if err != nil {
		return t, err
	}
	err = d.Sim.DumpPIM(user, func(r sim.PIMRow) error {
		if r.Folder == "Birthdays" {
			return nil // nobody writes that calendar
		}
		kind, title := r.Kind, r.Props[map[string]string{"contact": "displayName", "event": "subject", "todoTask": "title"}[r.Kind]]
		r = comparablePersonal(r)
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return put(t.Others, fmt.Sprintf("%s %v in %s, %x", kind, title, r.Folder, sha256.Sum256(text)), r) // names repeat
	})
	if err != nil || !d.hasDrive(user) {
		return t, err
	}
	rows, err := d.Sim.DumpDrive(user, true)
	if err != nil {
		return t, err
	}
	return t, putFiles(t, "", rows)
}

// SiteTruth reads a site's lists, items, pages and files as Truth reads a mailbox.
func (d *Demo) SiteTruth(site string) (Truth, error) {
	t := Truth{Folders: map[string]map[string]string{}, Files: map[string]map[string]string{}, Others: map[string]map[string]string{}}
	rows, err := d.Sim.DumpSite(site)
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		r.ID, r.Versions, r.Fields = 0, nil, maps.Clone(r.Fields) // a restore puts back the last version, unless all are asked for
		for _, name := range siteLost {
			delete(r.Fields, name)
		}
		to := t.Others
		switch r.Kind {
		case "list":
			to = t.Folders
		case "page":
			r.Created, r.Modified, r.Author, r.Editor, r.Fields = time.Time{}, time.Time{}, "", "", nil // its file is made anew
		}
		if err := put(to, fmt.Sprintf("%s %q of %s, %s", r.Kind, r.Title, r.List, r.Created.Format(time.RFC3339)), r); err != nil {
			return t, err
		}
	}
	access, err := d.Sim.DumpSiteAccess(site)
	if err != nil {
		return t, err
	}
	for _, r := range access {
		if err := put(t.Folders, r.Kind+" "+r.Title, r); err != nil {
			return t, err
		}
	}
	for _, r := range rows {
		if r.Kind != "list" || r.Template != "documentLibrary" || d.isOneDrive(site, r.Title) {
			continue
		}
		files, err := d.Sim.DumpLibrary(site, r.Title, true)
		if err != nil {
			return t, err
		}
		if err := putFiles(t, r.Title+"/", files); err != nil {
			return t, err
		}
	}
	return t, nil
}

// PersonalSites are those in which users made something besides their OneDrives.
func (d *Demo) PersonalSites() []sim.SiteInfo {
	return slices.DeleteFunc(d.Sim.PersonalSites(), func(x sim.SiteInfo) bool { return x.Lists["Incidents"] == "" })
}

// isOneDrive says whether a library of a site is its user's OneDrive, which Truth has.
func (d *Demo) isOneDrive(site, library string) bool {
	return library == "Documents" && slices.ContainsFunc(d.PersonalSites(), func(x sim.SiteInfo) bool { return x.ID == site })
}

// putFiles adds the files and folders of a drive, without their versions: a restore puts back the last one, unless all are asked for.
func putFiles(t Truth, in string, rows []sim.DriveRow) error {
	for _, r := range rows {
		r.ID, r.Versions = "", nil
		delete(r.Columns, "Place") // no interface sets a location
		if r.Folder {              // its times change with what is put into it
			if err := put(t.Folders, "folder "+in+r.Path, map[string]any{"grants": r.Grants}); err != nil {
				return err
			}
		} else if err := put(t.Files, "file "+in+r.Path, r); err != nil {
			return err
		}
	}
	return nil
}

var (
	hostedLink = regexp.MustCompile(`https://[^"]*/hostedContents/`)           // has the ids of team, channel and post
	mention    = regexp.MustCompile(`<at id="[0-9]+">(.*?)</at>`)              // an import takes none: they are bold names
	inOldSite  = regexp.MustCompile(`https://[^/" ]+/(?:sites|teams)/[^/" ]+`) // a team that is made again has another site
)

// TeamTruth reads a team's channels, tabs, posts and files as Truth reads a mailbox.
func (d *Demo) TeamTruth(name string) (Truth, error) {
	t := Truth{Folders: map[string]map[string]string{}, Files: map[string]map[string]string{}, Others: map[string]map[string]string{}}
	i := slices.IndexFunc(d.Sim.Teams(), func(x sim.TeamInfo) bool { return x.Name == name })
	if i < 0 {
		return t, nil // it is deleted
	}
	info := d.Sim.Teams()[i]
	rows, err := d.Sim.DumpTeam(info.ID)
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		if r.Kind == "post" && (r.Event || r.Deleted || r.Author == "application") {
			continue // can't be posted
		}
		to, title := t.Others, fmt.Sprintf("%s %s of %s in %s, %s", r.Kind, r.Name, r.Author, r.Channel, r.Created.Format(time.RFC3339Nano))
		if r.Kind == "team" || r.Kind == "channel" {
			to, title = t.Folders, r.Kind+" "+r.Name
		}
		r.Reacted, r.Edited = nil, false
		r.Body = mention.ReplaceAllString(hostedLink.ReplaceAllString(r.Body, "hosted:"), "<b>$1</b>")
		for i, a := range r.Attached {
			r.Attached[i] = inOldSite.ReplaceAllString(a, "site:")
		}
		for k, v := range r.Content {
			if text, ok := v.(string); ok {
				r.Content[k] = inOldSite.ReplaceAllString(text, "site:")
			}
		}
		if err := put(to, title, r); err != nil {
			return t, err
		}
	}
	sites := maps.Clone(info.Sites)
	sites[""] = info.Site
	for channel, path := range sites {
		files, err := d.Sim.DumpLibrary(path, "Documents", true)
		if err != nil {
			return t, err
		}
		for i := range files { // in a team's files the application is who made them
			files[i].CreatedBy, files[i].ModifiedBy = "", ""
		}
		if err := putFiles(t, strings.TrimPrefix(channel+"/", "/"), files); err != nil {
			return t, err
		}
	}
	return t, nil
}

// quotation is a message that another one quotes: an import has it as text.
var quotation = regexp.MustCompile(`<attachment id="\d+"></attachment>|<blockquote>.*?</blockquote>`)

// ChatTruth reads the chats that can be put back as Truth reads a mailbox: those of two and groups, that began here and have nobody of another organization in them.
func (d *Demo) ChatTruth() (Truth, error) {
	t := Truth{Folders: map[string]map[string]string{}, Others: map[string]map[string]string{}}
	for _, c := range d.chats() {
		rows, err := d.Sim.DumpChat(c.ID)
		if err != nil {
			return t, err
		}
		name := fmt.Sprintf("chat %q (%s) of %s", c.Topic, c.Type, strings.Join(rows[0].Members, ", "))
		if err := put(t.Folders, name, rows[0]); err != nil {
			return t, err
		}
		for _, r := range rows[1:] {
			if r.Event || r.Deleted || r.Author == "application" {
				continue // can't be posted
			}
			r.Reacted, r.Edited = nil, false
			r.Body = quotation.ReplaceAllString(mention.ReplaceAllString(hostedLink.ReplaceAllString(r.Body, "hosted:"), "<b>$1</b>"), "")
			r.Attached = slices.DeleteFunc(r.Attached, func(a string) bool { return !strings.HasPrefix(a, "reference ") })
			if err := put(t.Others, fmt.Sprintf("message of %s, %s in %s", r.Author, r.Created.Format(time.RFC3339Nano), name), r); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

func (d *Demo) chats() []sim.ChatInfo {
	tenant := d.Sim.Tenant()
	return slices.DeleteFunc(d.Sim.Chats(), func(c sim.ChatInfo) bool {
		return c.Deleted || c.Type == "meeting" || c.Tenant != tenant.TenantID || slices.ContainsFunc(c.Members, func(m sim.ChatMemberInfo) bool {
			return !slices.ContainsFunc(tenant.Users, func(u sim.TenantUser) bool { return u.ID == m.ID })
		})
	})
}

// LoseChats purges the chats that can be put back.
func (d *Demo) LoseChats() error {
	for _, c := range d.chats() {
		if err := d.Sim.DeleteChat(c.ID, true); err != nil {
			return err
		}
	}
	return nil
}

// LoseTeam purges a team with its group and its sites.
func (d *Demo) LoseTeam(name string) error { return d.Sim.DeleteTeam(name, "", true) }

// siteLost are the columns that docs/fidelity.md lists as lost.
var siteLost = []string{"Place"}

// LoseSite empties all lists, libraries and groups of a site, and takes away what its owners made of groups and permission levels.
func (d *Demo) LoseSite(site string) error {
	for _, s := range append(d.Sim.Sites(), d.PersonalSites()...) {
		if s.ID != site {
			continue
		}
		if err := d.Sim.StripSite(site); err != nil {
			return err
		}
		for title := range s.Lists {
			if d.isOneDrive(site, title) { // Lose has it
				continue
			}
			if err := d.Sim.EmptyList(site, title); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparable is a mail without the properties that docs/fidelity.md lists as lost and without what a restore adds.
func comparable(m sim.MailRow) sim.MailRow {
	m.ID, m.Version, m.Created, m.Modified, m.Conversation, m.MIMESHA256 = "", 0, time.Time{}, time.Time{}, "", ""
	if m.Draft {
		// A draft was not sent; its times are those of its creation.
		m.Received, m.Sent = time.Time{}, time.Time{}
	}
	// The transport headers of a restored mail are all lines of its MIME. Those that the service renders from properties (From, Subject, …) are compared
	// as these properties.
	m.Headers = slices.DeleteFunc(slices.Clone(m.Headers), func(line string) bool {
		name := strings.ToLower(line)
		return !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "received:") || strings.HasPrefix(name, "x-priority:")
	})
	extended := map[string]string{}
	for id, v := range m.Extended {
		if !strings.Contains(id, "Holdfast") {
			extended[id] = v
		}
	}
	m.Extended = extended
	kept := []sim.MailAttachmentRow{}
	for _, a := range m.Attachments {
		if strings.Contains(strings.ToLower(a.Kind), "reference") {
			continue
		}
		if a.Item != nil {
			inner := comparable(*a.Item)
			a.Item = &inner
			a.Size = 0 // an attached message has other ids after a restore
		}
		kept = append(kept, a)
	}
	m.Attachments = kept
	return m
}

// personalLost are the properties of events that docs/fidelity.md lists as lost.
var personalLost = []string{"attendees", "myResponse", "isOnlineMeeting", "onlineMeetingProvider", "onlineMeeting", "isCancelled", "transactionId"}

// attendeeList is what a restore adds to the text of a meeting.
var attendeeList = regexp.MustCompile(`(?s)<hr><p>Attendees, from the backup.*?</p>|\r\n\r\nAttendees, from the backup.*$`)

// comparablePersonal is a contact, an event or a task as comparable has mails.
func comparablePersonal(r sim.PIMRow) sim.PIMRow {
	r.ID, r.Version, r.Created, r.Modified, r.Extended, r.Organizer = "", 0, time.Time{}, time.Time{}, nil, ""
	r.Props = maps.Clone(r.Props)
	for _, name := range personalLost {
		delete(r.Props, name)
	}
	for name, v := range r.Props {
		if list, ok := v.([]any); v == nil || ok && len(list) == 0 {
			delete(r.Props, name)
		}
	}
	if body, _ := r.Props["body"].(map[string]any); body != nil {
		text, _ := body["content"].(string)
		r.Props["body"] = map[string]any{"contentType": body["contentType"], "content": attendeeList.ReplaceAllString(text, "")}
	}
	exceptions := map[string]sim.PIMRow{}
	for day, x := range r.Exceptions {
		exceptions[day] = comparablePersonal(x)
	}
	r.Exceptions = exceptions
	return r
}

// Lose empties a user's mailbox and drive, as a mishap would.
func (d *Demo) Lose(user string) error {
	op := "wipe"
	if !d.hasDrive(user) {
		op = "wipeMailbox"
	}
	_, err := d.Sim.Mutate(sim.Mutation{Op: op, User: user})
	return err
}

// hasDrive tells users who never opened OneDrive.
func (d *Demo) hasDrive(user string) bool {
	for _, u := range d.Sim.Tenant().Users {
		if u.ID == user {
			return u.Drive != ""
		}
	}
	return false
}
