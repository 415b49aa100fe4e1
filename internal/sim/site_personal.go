package sim

import (
	"fmt"
	"strings"
)

// A personal site is the site of a user's OneDrive, at the organization's -my host: its first library is the OneDrive itself, and what else the user
// keeps there is lists, libraries and pages as in any site. Everybody's has pages' library; one in three made lists, a library and pages of his own.

// personalOf gives a user's personal site, nil when he never opened OneDrive. It is made when it is first asked for. mu is held.
func (sv *siteService) personalOf(u *User) *site {
	if x := sv.personal[u.ID]; x != nil {
		return x
	}
	d := sv.s.drives.of(u)
	if d == nil {
		return nil
	}
	ids := strings.Split(d.site, ",")
	r := newRand(sv.s.opt.Seed, "personal site "+u.ID)
	x := &site{of: sv, index: -1 - u.Index, collection: ids[1], web: ids[2], personal: u, path: "/personal/" + personal(u), title: u.DisplayName, template: "SPSPERS#10",
		created: epoch, changed: epoch, owner: u, state: DriveOpen, ensured: map[int]string{}}
	d.mu.Lock()
	if d.state != "" {
		x.state = d.state
	}
	d.mu.Unlock()
	x.access = newAccess(x, func(int) []int { return nil })
	x.access.roles[x] = append(x.access.roles[x], assignment{siteUserID(u.Index), roleFull})
	docs := x.newLibraryList(r, "Documents", "Documents")
	docs.id, docs.drive = d.list, d
	if u.Index%3 == 0 {
		x.newPages(r, "Home", "Über mich")
		x.generateOwn(r)
	} else {
		x.newPages(r)
	}
	sv.personal[u.ID] = x
	return x
}

// generateOwn makes what a user keeps in his site besides files: two lists and a library.
func (x *site) generateOwn(r random) {
	shape := x.of.s.shape.sites
	categories := x.newList(r, "Categories", "genericList")
	for i, title := range []string{"Reading", "Travel", "Später – vielleicht"} {
		categories.newItem(x.created, person(x.owner.Index)).fields["Title"] = fmt.Sprintf("%s %d", title, i)
	}
	all := x.newList(r, "Incidents", "genericList")
	all.versioning, all.attachments, all.description = true, true, "What is mine to do"
	all.columns = append(all.columns, everyColumn(categories)...)
	all.types, all.manyTypes = append(all.types, contentType2()), true
	for i := range min(shape.Items, 6) {
		all.generateItem(r, i, categories)
	}
	x.newLibrary(r, "Drafts", "Drafts", min(shape.Files/3, 10))
}

// personalAt finds a personal site by what find takes, in lower case. mu is held.
func (sv *siteService) personalAt(key string) *site {
	key = strings.TrimPrefix(key, "https://"+sv.s.driveHost())
	switch {
	case strings.HasPrefix(key, "/personal/"):
		name := strings.TrimPrefix(key, "/personal/")
		for _, x := range sv.personal { // of who has left, too
			if x.path == key {
				return x
			}
		}
		if u := sv.s.drives.bySite[name]; u != nil && sv.s.dir.find(u.ID) != nil {
			return sv.personalOf(u)
		}
		for _, u := range sv.s.dir.all() {
			if personal(u) == name {
				return sv.personalOf(u)
			}
		}
	case strings.HasPrefix(key, sv.s.driveHost()+","):
		u := sv.byID[key]
		if u == nil {
			for _, one := range sv.s.dir.all() {
				if d := sv.s.drives.of(one); d != nil {
					sv.byID[d.site] = one
				}
			}
			u = sv.byID[key]
		}
		if u != nil {
			return sv.personalOf(u)
		}
	}
	return nil
}

// every gives all sites, of the personal ones those that were asked for. mu is held.
func (sv *siteService) every() []*site {
	all := append([]*site(nil), sv.sites...)
	for _, x := range sv.personal {
		all = append(all, x)
	}
	return all
}

// personalRows are the personal sites as getAllSites tells them. mu is held.
func (sv *siteService) personalRows() []map[string]any {
	var out []map[string]any
	for _, u := range sv.s.dir.all() {
		if x := sv.personal[u.ID]; x != nil {
			if x.state != DriveGone {
				out = append(out, x.json())
			}
			continue
		}
		d := sv.s.drives.of(u)
		if d == nil {
			continue
		}
		out = append(out, map[string]any{"id": d.site, "name": personal(u), "displayName": u.DisplayName, "description": "", "webUrl": "https://" + d.host() + "/personal/" + personal(u),
			"createdDateTime": stamp(epoch), "lastModifiedDateTime": stamp(epoch), "siteCollection": map[string]any{"hostname": d.host()}, "isPersonalSite": true, "root": map[string]any{}})
	}
	return out
}

// PersonalSites lists the personal sites of those who are in the directory.
func (s *Sim) PersonalSites() []SiteInfo {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	out := []SiteInfo{}
	for _, u := range s.dir.all() {
		if x := s.sites.personalOf(u); x != nil {
			out = append(out, x.info())
		}
	}
	return out
}

// PersonalSite tells the names of a user's personal site.
func (s *Sim) PersonalSite(user string) (SiteInfo, error) {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	u := s.dir.find(user)
	if u == nil {
		return SiteInfo{}, fmt.Errorf("no user %q", user)
	}
	x := s.sites.personalOf(u)
	if x == nil {
		return SiteInfo{}, fmt.Errorf("user %q has no personal site", user)
	}
	return x.info(), nil
}
