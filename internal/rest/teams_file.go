package rest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// teamsFileGetPage lists the files and folders of a folder, or of a channel's folder; without either the files of all channels.
func (a *API) teamsFileGetPage(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	foldersOnly, err := r.queryBool("foldersOnly", false)
	if err != nil {
		return nil, err
	}
	p, channels, err := a.channelsAsked(ctx, r)
	if err != nil {
		return nil, err
	}
	kinds := []holdfast.ItemKind{holdfast.KindFile, holdfast.KindFolder}
	if foldersOnly {
		kinds = folderKinds
	}
	c, folder, one, err := a.folderAsked(ctx, r, p, channels)
	if err != nil {
		return nil, err
	}
	out := []contract.RESTTeamsFile{}
	switch {
	case folder != "":
		found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, service.ItemQuery{Parent: folder, Kinds: kinds, Sort: "name", Offset: w.Offset, Limit: w.Limit})
		if err != nil {
			return nil, err
		}
		for _, e := range found.Entries {
			out = append(out, teamsFileToContract(r.links, c, e))
		}
	case !one:
		q := service.ItemQuery{Kinds: kinds, Search: "kind:*", Sort: "name", Offset: w.Offset, Limit: w.Limit}
		if err := a.searchChannels(ctx, r, channels, q, func(c channel, e service.Entry) { out = append(out, teamsFileToContract(r.links, c, e)) }); err != nil {
			return nil, err
		}
	}
	return page(r, w, out, func(f contract.RESTTeamsFile) contract.RESTTeamsFile { return f }), nil
}

// folderAsked is the folder that the query names: parentId, or the folder of channelId, which may have none. one says that the query names one.
func (a *API) folderAsked(ctx context.Context, r *request, p place, channels []channel) (c channel, folder string, one bool, err error) {
	if id, given := r.query("parentId"); given {
		c, e, err := a.fileIn(ctx, r, p, channels, id)
		if err == nil && e.Kind != holdfast.KindFolder {
			err = holdfast.Invalid("%q is a file: parentId names a folder", e.Name)
		}
		return c, e.ID, true, err
	}
	if id, given := r.query("channelId"); !given || id == "" {
		return c, "", false, nil
	}
	folder, err = a.filesFolder(ctx, r, channels[0])
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		folder, err = "", nil
	}
	return channels[0], folder, true, err
}

func (a *API) teamsFileSearch(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var in contract.RESTSearchOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	p, channels, err := a.channelsAsked(ctx, r)
	if err != nil {
		return nil, err
	}
	q := service.ItemQuery{Kinds: []holdfast.ItemKind{holdfast.KindFile, holdfast.KindFolder}, Search: searchText(value(in.Query)), Sort: "name", Offset: w.Offset, Limit: w.Limit}
	out := []contract.RESTTeamsFile{}
	each := func(c channel, e service.Entry) { out = append(out, teamsFileToContract(r.links, c, e)) }
	if _, given := r.query("parentId"); given {
		c, folder, _, err := a.folderAsked(ctx, r, p, channels)
		if err != nil {
			return nil, err
		}
		if err := a.searchIn(ctx, r, []spot{{p, folder}}, q, func(_ spot, e service.Entry) { each(c, e) }); err != nil {
			return nil, err
		}
	} else if err := a.searchChannels(ctx, r, channels, q, each); err != nil {
		return nil, err
	}
	return page(r, w, out, func(f contract.RESTTeamsFile) contract.RESTTeamsFile { return f }), nil
}

func (a *API) teamsFileGet(ctx context.Context, r *request) (any, error) {
	c, e, err := a.teamsFile(ctx, r)
	if err != nil {
		return nil, err
	}
	return teamsFileToContract(r.links, c, e), nil
}

func (a *API) teamsFileGetVersions(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	c, e, err := a.teamsFile(ctx, r)
	if err != nil {
		return nil, err
	}
	all := []service.Entry{e}
	if e.Kind == holdfast.KindFile {
		if all, err = a.versions(ctx, r, c.place, e); err != nil {
			return nil, err
		}
	}
	return page(r, w, cut(w, all), func(v service.Entry) contract.RESTTeamsFile { return teamsVersionToContract(r.links, c, e, v) }), nil
}

// teamsFile is the file or folder that the path names, which must be of the path's channel. Before version 8 paths named none.
func (a *API) teamsFile(ctx context.Context, r *request) (channel, service.Entry, error) {
	if r.param("channelId") == "" {
		p, channels, err := a.channelsAsked(ctx, r)
		if err != nil {
			return channel{}, service.Entry{}, err
		}
		return a.fileIn(ctx, r, p, channels, r.param("fileId"))
	}
	c, err := a.channel(ctx, r)
	if err != nil {
		return c, service.Entry{}, err
	}
	return a.fileIn(ctx, r, c.place, []channel{c}, r.param("fileId"))
}

// fileIn finds a file or folder by its id below the folders of channels.
func (a *API) fileIn(ctx context.Context, r *request, p place, channels []channel, id string) (channel, service.Entry, error) {
	none := holdfast.NotFound("there is no file or folder %s in %s", id, p.container.Container)
	u, err := uuid.Parse(id)
	if err != nil {
		return channel{}, service.Entry{}, none
	}
	for _, c := range channels {
		folder := c.entry.Fields[fieldFiles]
		b, ok := driveIDBytes(folder)
		if !ok {
			continue
		}
		e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, "01"+driveIDs.EncodeToString(append(b[:4:4], u[:]...)))
		if holdfast.KindOf(err) == holdfast.KindNotFound {
			continue
		} else if err != nil {
			return c, e, err
		}
		inside, err := a.isBelow(ctx, r, p, e, folder)
		if err != nil {
			return c, e, err
		}
		if inside && (e.Kind == holdfast.KindFile || e.Kind == holdfast.KindFolder) {
			return c, e, nil
		}
	}
	return channel{}, service.Entry{}, none
}

// isBelow says whether an item lies below a folder, however deep.
func (a *API) isBelow(ctx context.Context, r *request, p place, e service.Entry, folder string) (bool, error) {
	seen := map[string]bool{}
	for id := e.Parent; id != "" && !seen[id]; {
		if id == folder {
			return true, nil
		}
		seen[id] = true
		above, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, id)
		if holdfast.KindOf(err) == holdfast.KindNotFound {
			return false, nil
		} else if err != nil {
			return false, err
		}
		id = above.Parent
	}
	return false, nil
}

func teamsFileToContract(l links, c channel, e service.Entry) contract.RESTTeamsFile {
	return teamsVersionToContract(l, c, e, e)
}

// teamsVersionToContract encodes a version of a file; v is e for the newest.
func teamsVersionToContract(l links, c channel, e, v service.Entry) contract.RESTTeamsFile {
	id, err := uuid.Parse(itemUID(e.ID))
	if err != nil {
		id = uuid.MustParse(holdfast.DerivedID(c.place.id, e.ID))
	}
	session, team := string(c.session), c.place.id
	out := contract.RESTTeamsFile{ID: id, Name: &e.Name, Version: versionNumber(v), UiVersion: optional(v.Fields[holdfast.FieldVersionID]), Modified: stamp(v.Time), ModifiedBy: optional(editorOf(v)),
		ChannelID: c.id(), TeamID: uid(team), FileType: new(contract.RESTTeamsFileFileTypeFolder),
		Links: map[string]contract.RESTLinkHAL{"self": l.to(channelPath+"/files/{fileId}", session, team, c.id(), id.String()), "channel": l.to(channelPath, session, team, c.id())}}
	if e.Kind == holdfast.KindFile {
		out.FileType, out.SizeBytes = new(contract.RESTTeamsFileFileTypeFile), &v.Size
		out.Links["versions"] = l.to(channelPath+"/files/{fileId}/versions", session, team, c.id(), id.String())
	} else {
		out.Links["files"] = l.with(l.with(l.to(teamPath+"/files", session, team), "channelId", c.id()), "parentId", id.String())
	}
	deletedLink(l, out.Links, e)
	return out
}

// teamsFileSaveById saves a file as it is, or as a ZIP when the body asks for one; a folder always is one.
func (a *API) teamsFileSaveById(ctx context.Context, r *request) (any, error) {
	c, e, err := a.teamsFile(ctx, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		AsZip *bool `json:"asZip,omitzero"`
	}
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.save(r, c.place, []string{e.ID}, e.Kind == holdfast.KindFolder || value(in.AsZip), e.Name)
}

// teamsFileSave saves the files and folders that the body lists as a ZIP.
func (a *API) teamsFileSave(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ids, err := a.fileIDs(ctx, r, p, in)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, ids, true, "Files of "+p.container.Container.Name)
}

// fileIDs checks that the files of a body are there.
func (a *API) fileIDs(ctx context.Context, r *request, p place, in teamRestore) ([]string, error) {
	if len(in.Files) == 0 {
		return nil, holdfast.Invalid("files is missing; it lists what is meant by id")
	}
	var ids []string
	for i, f := range in.Files {
		if f.ID == "" {
			return nil, holdfast.Invalid("files[%d].id is missing", i)
		}
		if f.Channel == "" {
			f.Channel = in.Channel
		}
		c, err := a.channelNamed(ctx, r, p, f.Channel)
		if err != nil {
			return nil, err
		}
		_, e, err := a.fileIn(ctx, r, p, []channel{c}, strings.ToLower(f.ID))
		if err != nil {
			return nil, err
		}
		ids = append(ids, e.ID)
	}
	return ids, nil
}

func (a *API) teamsFileRestoreById(ctx context.Context, r *request) (any, error) {
	c, e, err := a.teamsFile(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restoreTeam(ctx, r, c.place, in, e.ID)
}

// teamsFileRestore restores the files and folders that the body lists.
func (a *API) teamsFileRestore(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ids, err := a.fileIDs(ctx, r, p, in)
	if err != nil {
		return nil, err
	}
	return a.restoreTeam(ctx, r, p, in, ids...)
}

func (a *API) teamsFileOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.teamsFileRestore(ctx, r)
}

func (a *API) teamsFileSendById(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).teamsFileSaveById)
}

// teamsFileSend sends the files and folders that the body lists as a ZIP.
func (a *API) teamsFileSend(ctx context.Context, r *request) (any, error) {
	p, in, err := a.teamSelection(ctx, r)
	if err != nil {
		return nil, err
	}
	ids, err := a.fileIDs(ctx, r, p, in)
	if err != nil {
		return nil, err
	}
	return a.sendSelection(ctx, r, selection{place: p, items: ids, zip: true, name: "Files of " + p.container.Container.Name})
}

// teamSelection reads what the body of a mail lists; its from and to are addresses, not times as those of a restore.
func (a *API) teamSelection(ctx context.Context, r *request) (place, teamRestore, error) {
	var in struct {
		Channel string     `json:"channelId,omitzero"`
		Files   []teamsRef `json:"files,omitzero"`
		Posts   []postRef  `json:"posts,omitzero"`
	}
	p, err := a.team(ctx, r)
	if err != nil {
		return p, teamRestore{}, err
	}
	if err := r.keepBody(); err != nil {
		return p, teamRestore{}, err
	}
	err = r.decode(&in)
	return p, teamRestore{Channel: in.Channel, Files: in.Files, Posts: in.Posts}, err
}
