package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// groupKeptFor is how long a deleted Microsoft 365 group can be restored.
const groupKeptFor = 30 * 24 * time.Hour

func (s *Sim) groupRoutes() []Route {
	var out []Route
	add := func(method, pattern string, h Handler, perms ...string) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0" + pattern, Class: ClassIdentity, Permissions: perms, Handle: h})
	}
	add("GET", "/groups/{group}/owners", s.groupOwners, "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All")
	add("DELETE", "/groups/{group}", s.groupDelete, "Group.ReadWrite.All")
	add("GET", "/groups/{group}/photo/$value", s.groupPhoto, "Group.Read.All", "ProfilePhoto.Read.All", "ProfilePhoto.ReadWrite.All")
	add("PUT", "/groups/{group}/photo/$value", s.groupPhotoPut, "Group.ReadWrite.All", "ProfilePhoto.ReadWrite.All")
	add("GET", "/directory/deletedItems/{item}", s.deletedItem, "Group.Read.All", "Group.ReadWrite.All")
	add("POST", "/directory/deletedItems/{item}/restore", s.deletedRestore, "Group.ReadWrite.All")
	return out
}

// addGroup takes a group in; the directory's lock is held.
func (d *directory) addGroup(g *Group) {
	d.groups = append(d.groups, g)
	d.changed(g)
}

// changed logs a change of a group for groups/delta; the directory's lock is held.
func (d *directory) changed(g *Group) {
	d.note(dirChange{group: true, id: g.ID})
}

func (d *directory) deleteGroup(g *Group, purge bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g.deleted, g.purged, g.deletedAt = true, purge, d.s.now()
	d.changed(g)
	d.leaveGroups("group/" + g.ID)
}

func (s *Sim) groupOwners(c *Call) (*Reply, error) {
	var refs []string
	if err := s.within(c, func(g *Group) {
		for _, id := range g.Owners {
			refs = append(refs, s.dir.ref(id))
		}
	}); err != nil {
		return nil, err
	}
	return s.objectsPage(c, refs)
}

// groupDelete puts a group among the deleted ones; its team and its site go with it.
func (s *Sim) groupDelete(c *Call) (*Reply, error) {
	g, err := s.group(c)
	if err != nil {
		return nil, err
	}
	s.dir.deleteGroup(g, !g.Unified)
	if g.Team {
		return nil, s.teamSite(g, DriveGone)
	}
	return nil, nil
}

// teamSite opens or closes the site of a group's team.
func (s *Sim) teamSite(g *Group, state string) error {
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	for _, t := range s.teams.teams {
		if t.group == g {
			return s.SetSite(t.site.id(), state)
		}
	}
	return nil
}

// deletedGroup finds a deleted group that can still be restored.
func (s *Sim) deletedGroup(c *Call) (*Group, error) {
	for _, g := range s.groups() {
		if strings.EqualFold(g.ID, c.Params["item"]) && g.deleted && !g.purged && c.Now.Sub(g.deletedAt) < groupKeptFor {
			return g, nil
		}
	}
	return nil, Fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.Params["item"])
}

func (s *Sim) deletedItem(c *Call) (*Reply, error) {
	g, err := s.deletedGroup(c)
	if err != nil {
		return nil, err
	}
	m := groupMap(g)
	m["@odata.type"], m["deletedDateTime"] = "#microsoft.graph.group", stamp(g.deletedAt)
	return JSON(http.StatusOK, m), nil
}

func (s *Sim) deletedRestore(c *Call) (*Reply, error) {
	g, err := s.deletedGroup(c)
	if err != nil {
		return nil, err
	}
	s.dir.mu.Lock()
	if slices.ContainsFunc(s.dir.groups, func(o *Group) bool { return o != g && !o.deleted && o.Nickname == g.Nickname }) {
		s.dir.mu.Unlock()
		return nil, Fail(409, "Request_Conflict", "Another object with the same value for property mailNickname already exists.")
	}
	g.deleted = false
	s.dir.changed(g)
	s.dir.mu.Unlock()
	if g.Team {
		if err := s.teamSite(g, DriveOpen); err != nil {
			return nil, err
		}
	}
	m := groupMap(g)
	m["@odata.type"] = "#microsoft.graph.group"
	return JSON(http.StatusOK, m), nil
}

// groupPhoto is the picture of a team's group.
func (s *Sim) groupPhoto(c *Call) (*Reply, error) {
	g, err := s.group(c)
	if err != nil {
		return nil, err
	}
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	if t := s.teams.team(g.ID); t != nil && t.photo != nil {
		return Bytes(200, "image/png", t.photo), nil
	}
	return nil, Fail(404, "ImageNotFound", "The photo wasn't found.")
}

func (s *Sim) groupPhotoPut(c *Call) (*Reply, error) {
	g, err := s.group(c)
	if err != nil {
		return nil, err
	}
	if ct := c.Header.Get("Content-Type"); !strings.HasPrefix(ct, "image/") {
		return nil, Fail(400, "BadRequest", "A photo must be an image.")
	}
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	if t := s.teams.team(g.ID); t != nil {
		t.photo = slices.Clone(c.Body)
	}
	return &Reply{Status: http.StatusOK}, nil
}
