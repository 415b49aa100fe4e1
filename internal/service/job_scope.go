package service

import (
	"context"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// scope is what a job protects as the organization's directory is now: groups stand for the users in them and in the groups within them.
type scope struct {
	job  holdfast.Job
	org  holdfast.Organization
	take picked
	// leave wins over take.
	leave picked
	// elsewhere are the organization's other jobs, when this one protects what they do not: disabled ones count too.
	elsewhere []*scope
	notes     []string // what the job asks for and this version, or this directory, can't give
}

// picked is what items pick.
type picked struct {
	everybody holdfast.JobItem            // of everybody: Mailbox, OneDrive, Sites, PersonalSites, Teams, Chats, GroupMailboxes
	users     map[string]holdfast.JobItem // of one, by object id: Mailbox, OneDrive, Sites (the personal one), Chats
	named     map[string]bool             // users, groups and teams that an item names: each is answered for
	groups    map[string]bool             // whose own mailbox is picked
	teams     map[string]holdfast.JobItem // by object id
	sites     []holdfast.JobItem
}

// scopeOf resolves what a job protects.
func scopeOf(ctx context.Context, tx Tx, job holdfast.Job, org holdfast.Organization) (*scope, error) {
	s, err := ownScope(ctx, tx, job, org)
	if err != nil || job.Scope != holdfast.EntireOrganization {
		return s, err
	}
	s.elsewhere, err = otherScopes(ctx, tx, job, org)
	return s, err
}

func ownScope(ctx context.Context, tx Tx, job holdfast.Job, org holdfast.Organization) (*scope, error) {
	s := &scope{job: job, org: org}
	groups := &people{org: org.ID, direct: map[string][]holdfast.DirectoryMember{}}
	selected := job.Selected
	if job.Scope == holdfast.EntireOrganization {
		selected = []holdfast.JobItem{{Type: ItemOrganization, Mailbox: true, OneDrive: true, Sites: true, Teams: true, Chats: job.Chats, PersonalSites: job.PersonalSites}} // has asks what the organization protects
	}
	var err error
	if s.take, err = s.pick(ctx, tx, groups, selected, true); err != nil {
		return nil, err
	}
	s.leave, err = s.pick(ctx, tx, groups, job.Excluded, false)
	return s, err
}

func (s *scope) note(text string) {
	if !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// pick resolves items. What can't be protected is noted of selected ones.
func (s *scope) pick(ctx context.Context, tx Tx, groups *people, items []holdfast.JobItem, selected bool) (picked, error) {
	p := picked{users: map[string]holdfast.JobItem{}, named: map[string]bool{}, groups: map[string]bool{}, teams: map[string]holdfast.JobItem{}}
	archives := 0
	everyPersonal := false
	add := func(user string, mailbox, drive, site, chats bool, leaveOut []holdfast.MailboxPart) {
		u, known := p.users[user]
		if mailbox && !u.Mailbox {
			u.LeaveOut = leaveOut
		} else if mailbox { // what one of the items reads is read
			u.LeaveOut = slices.DeleteFunc(slices.Clone(u.LeaveOut), func(part holdfast.MailboxPart) bool { return !slices.Contains(leaveOut, part) })
		}
		u.Mailbox, u.OneDrive, u.Sites, u.Chats = u.Mailbox || mailbox, u.OneDrive || drive, u.Sites || site, u.Chats || chats
		if !known {
			u.Type, u.ObjectID = ItemUser, user
		}
		p.users[user] = u
	}
	for _, i := range items {
		if i.ArchiveMailbox || i.MemberArchive {
			archives++
		}
		switch i.Type {
		case ItemOrganization:
			p.everybody = i // a job has one such item at most
		case ItemPersonalSites:
			everyPersonal = true
		case ItemUser:
			add(i.ObjectID, i.Mailbox, i.OneDrive, i.Sites, i.Chats, i.LeaveOut)
			p.named[i.ObjectID] = true
		case ItemSite:
			p.sites = append(p.sites, i)
		case ItemTeam:
			p.teams[i.ObjectID] = i
			p.named[i.ObjectID] = true
		case ItemGroup:
			if i.Mailbox {
				p.groups[i.ObjectID] = true
				p.named[i.ObjectID] = true
			}
			if i.GroupSite && i.SiteID != "" {
				p.sites = append(p.sites, holdfast.JobItem{Type: ItemSite, ObjectID: i.SiteID, Address: i.SiteURL, Name: i.Name, Sites: true})
			}
			g, err := tx.DirectoryObject(ctx, s.org.ID, holdfast.DirectoryGroup, i.ObjectID)
			if missing(err) {
				if selected {
					s.note(holdfast.SayGroupUnknown.With(i.Name))
				}
				continue
			} else if err != nil {
				return p, err
			}
			if !i.Members {
				continue
			}
			users, err := groups.in(ctx, tx, i.ObjectID)
			if err != nil {
				return p, err
			}
			if !g.Gone.IsZero() && selected {
				s.note(holdfast.SayGroupGone.With(i.Name, len(users)))
			}
			for _, u := range users {
				add(u, i.MemberMailbox, i.MemberOneDrive, i.MemberSite, i.Chats, i.LeaveOut)
			}
		}
	}
	if archives > 0 && selected {
		// Microsoft Graph v1.0 does not tell who has one, so that nobody can say that nothing is missing.
		s.note(holdfast.SayNoArchives.With(archives))
	}
	p.everybody.PersonalSites = p.everybody.PersonalSites || everyPersonal
	return p, nil
}

// people finds the users in groups; each group's direct members are read once.
type people struct {
	org    holdfast.OrganizationID
	direct map[string][]holdfast.DirectoryMember
}

// in gives the users in a group and in the groups within it, each once. A circle of groups ends where it began.
func (p *people) in(ctx context.Context, tx Tx, group string) ([]string, error) {
	var users []string
	seen := map[string]bool{group: true}
	for next := []string{group}; len(next) > 0; {
		var unread []string
		for _, g := range next {
			if _, read := p.direct[g]; !read {
				unread = append(unread, g)
				p.direct[g] = nil
			}
		}
		if len(unread) > 0 {
			members, err := tx.DirectoryMembers(ctx, p.org, unread...)
			if err != nil {
				return nil, err
			}
			for _, m := range members {
				p.direct[m.Group] = append(p.direct[m.Group], m)
			}
		}
		level := next
		next = nil
		for _, g := range level {
			for _, m := range p.direct[g] {
				if seen[m.Member] {
					continue
				}
				seen[m.Member] = true
				if m.Kind == holdfast.DirectoryGroup {
					next = append(next, m.Member)
				} else {
					users = append(users, m.Member)
				}
			}
		}
	}
	return users, nil
}

// takes says whether items pick a container.
func (p *picked) takes(c holdfast.Container) bool {
	switch c.Kind {
	case holdfast.Mailbox:
		if c.OfGroup() {
			return p.everybody.GroupMailboxes || p.groups[c.Owner]
		}
		return p.everybody.Mailbox || p.users[c.Owner].Mailbox
	case holdfast.Drive:
		return p.everybody.OneDrive || p.users[c.Owner].OneDrive
	case holdfast.ChatList:
		return p.everybody.Chats || p.users[c.Owner].Chats
	case holdfast.Chat: // found by the lists of those who take part in it
		return false
	case holdfast.Team:
		return p.everybody.Teams || p.teams[c.Owner].Teams
	case holdfast.Site:
		if c.Personal() && (p.everybody.PersonalSites || p.users[c.Owner].Sites) {
			return true
		}
		if !c.Personal() && p.everybody.Sites {
			return true
		}
	}
	return slices.ContainsFunc(p.sites, func(i holdfast.JobItem) bool { return siteIn(i, c) })
}

// has says whether the job protects a container.
func (s *scope) has(c holdfast.Container) bool {
	if !s.org.Protects(c.Kind) {
		return false
	}
	return s.take.takes(c) && !s.leave.takes(c) && !slices.ContainsFunc(s.elsewhere, func(o *scope) bool { return o.has(c) })
}

// names says whether an item of the job names the owner of a container, so that it is told of him even when there is nothing to protect.
func (s *scope) names(c holdfast.Container) bool {
	return s.take.named[c.Owner] || c.Kind == holdfast.Site && !c.Personal() && !s.take.everybody.Sites
}

// expanded is the job with the members of groups in place of the groups.
func (s *scope) expanded() holdfast.Job {
	job := s.job
	if job.Scope == holdfast.EntireOrganization {
		return job
	}
	job.Selected = nil
	if e := s.take.everybody; e.Type != "" {
		job.Selected = append(job.Selected, e)
	} else if e.PersonalSites {
		job.Selected = append(job.Selected, holdfast.JobItem{Type: ItemPersonalSites, Sites: true})
	}
	job.Selected = slices.AppendSeq(job.Selected, maps.Values(s.take.users))
	job.Selected = slices.AppendSeq(job.Selected, maps.Values(s.take.teams))
	slices.SortFunc(job.Selected, func(a, b holdfast.JobItem) int { return strings.Compare(a.ObjectID, b.ObjectID) })
	job.Selected = append(job.Selected, s.take.sites...)
	for _, id := range slices.Sorted(maps.Keys(s.take.groups)) {
		job.Selected = append(job.Selected, holdfast.JobItem{Type: ItemGroup, ObjectID: id, Mailbox: true})
	}
	return job
}

// jobFor is the job as far as it concerns one container: groups in which the owner is become an item of his, so that a task of one mailbox does not
// read the members of all groups.
func jobFor(ctx context.Context, tx Tx, job holdfast.Job, c holdfast.Container) (holdfast.Job, error) {
	if !slices.ContainsFunc(job.Selected, func(i holdfast.JobItem) bool { return i.Type == ItemGroup }) {
		return job, nil
	}
	within := map[string]bool{}
	for next := []string{c.Owner}; len(next) > 0; {
		above, err := tx.DirectoryMemberships(ctx, job.Organization, next...)
		if err != nil {
			return job, err
		}
		next = nil
		for _, m := range above {
			if !within[m.Group] {
				within[m.Group] = true
				next = append(next, m.Group)
			}
		}
	}
	var items []holdfast.JobItem
	for _, i := range job.Selected {
		if i.Type == ItemGroup {
			if !i.Members || !within[i.ObjectID] {
				continue
			}
			i = holdfast.JobItem{Type: ItemUser, ObjectID: c.Owner, Mailbox: i.MemberMailbox, OneDrive: i.MemberOneDrive, Sites: i.MemberSite, Chats: i.Chats, LeaveOut: i.LeaveOut}
		}
		items = append(items, i)
	}
	job.Selected = items
	return job, nil
}

// usersFor are the users that the copy of the directory has, with the drives and the personal sites that a repository holds of them; nil when there is no copy.
func usersFor(ctx context.Context, tx Tx, org holdfast.OrganizationID, held []holdfast.ContainerRecord) ([]holdfast.DirectoryObject, error) {
	state, err := tx.DirectoryState(ctx, org)
	if err != nil || state.Synced.IsZero() {
		return nil, err
	}
	users, err := tx.DirectoryObjects(ctx, org, holdfast.DirectoryFilter{Kind: holdfast.DirectoryUser, Gone: true}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	drives, sites := map[string]string{}, map[string]holdfast.Container{}
	for _, c := range held {
		switch {
		case c.Head == 0 || c.State == holdfast.StateGone:
		case c.Kind == holdfast.Drive:
			drives[c.Owner] = c.Source
		case c.Personal():
			sites[c.Owner] = c.Container
		}
	}
	for i := range users {
		users[i].Drive, users[i].Site = drives[users[i].ID], sites[users[i].ID]
	}
	return users, nil
}
