package rest

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// teamsPostGetPage lists the posts and replies of a channel or of all, or with parentId the replies to one post.
func (a *API) teamsPostGetPage(ctx context.Context, r *request) (any, error) {
	return a.searchPosts(ctx, r, "")
}

func (a *API) teamsPostSearch(ctx context.Context, r *request) (any, error) {
	var in contract.RESTSearchOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.searchPosts(ctx, r, value(in.Query))
}

func (a *API) searchPosts(ctx context.Context, r *request, query string) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, channels, err := a.channelsAsked(ctx, r)
	if err != nil {
		return nil, err
	}
	q := service.ItemQuery{Kinds: postKinds, Search: searchText(query), Sort: sortOf(postKinds), Offset: w.Offset, Limit: w.Limit}
	out := []contract.RESTTeamsPost{}
	each := func(c channel, e service.Entry) { out = append(out, postToContract(r.links, c, e)) }
	if text, given := r.query("parentId"); given {
		c, e, err := a.postIn(ctx, r, p, channels, text)
		if err != nil {
			return nil, err
		}
		err = a.searchIn(ctx, r, []spot{{c.place, e.ID}}, q, func(_ spot, e service.Entry) { each(c, e) })
		if err != nil {
			return nil, err
		}
	} else if err := a.searchChannels(ctx, r, channels, q, each); err != nil {
		return nil, err
	}
	return page(r, w, out, func(p contract.RESTTeamsPost) contract.RESTTeamsPost { return p }), nil
}

func (a *API) teamsPostGet(ctx context.Context, r *request) (any, error) {
	c, e, err := a.post(ctx, r)
	if err != nil {
		return nil, err
	}
	return postToContract(r.links, c, e), nil
}

// post is the one that the path names, in the channel that query channelId names or in whichever has it: ids of posts are of their channel.
func (a *API) post(ctx context.Context, r *request) (channel, service.Entry, error) {
	p, channels, err := a.channelsAsked(ctx, r)
	if err != nil {
		return channel{}, service.Entry{}, err
	}
	return a.postIn(ctx, r, p, channels, r.param("postId"))
}

// postIn finds a post or a reply by its number among channels. One that more than one channel has must be asked for with its channel.
func (a *API) postIn(ctx context.Context, r *request, p place, channels []channel, id string) (at channel, found service.Entry, err error) {
	if postNumber(id) == nil {
		return at, found, holdfast.Invalid("%q is no id of a post, which is a whole number", id)
	}
	n := 0
	for _, c := range channels {
		e, ok, err := a.postOf(ctx, r, c, id)
		if err != nil {
			return at, found, err
		}
		if ok {
			at, found = c, e
			n++
		}
	}
	switch n {
	case 0:
		return at, found, holdfast.NotFound("there is no post %s in %s", id, p.container.Container)
	case 1:
		return at, found, nil
	}
	return at, found, holdfast.Conflict("%d channels have a post %s: say which one by channelId", n, id)
}

// postOf finds a post of a channel, or a reply, whose own id tells the post only together with that which it replies to.
func (a *API) postOf(ctx context.Context, r *request, c channel, id string) (service.Entry, bool, error) {
	e, err := a.services.RestoreSessions.Item(ctx, r.user, c.session, c.place.id, "post."+c.id()+"."+id)
	if err == nil || holdfast.KindOf(err) != holdfast.KindNotFound {
		return e, err == nil, err
	}
	q := service.ItemQuery{Parent: c.entry.ID, Kinds: postKinds, Search: "kind:*", Sort: "time"}
	for {
		q.Limit = maxLimit
		found, err := a.services.RestoreSessions.Items(ctx, r.user, c.session, c.place.id, q)
		if err != nil {
			return e, false, err
		}
		for _, e := range found.Entries {
			if e.Fields[fieldMessage] == id {
				return e, true, nil
			}
		}
		if q.Offset += len(found.Entries); len(found.Entries) < maxLimit {
			return e, false, nil
		}
	}
}

// postToContract encodes a post. Its name is its subject, or how it begins.
func postToContract(l links, c channel, e service.Entry) contract.RESTTeamsPost {
	out := contract.RESTTeamsPost{PostID: postNumber(e.Fields[fieldMessage]), ChangeKey: optional(e.Version), IsImportant: new(e.Fields[holdfast.FieldImportance] != ""), Author: optional(e.Fields[holdfast.FieldFrom]),
		Subject: &e.Name, CreatedTime: stamp(e.Time), IsDeleted: new(e.Fields[fieldGone] != ""), ChannelID: new(c.id()), TeamID: uid(c.place.id), ParentID: postNumber(e.Fields[holdfast.FieldReplyTo]),
		Links: map[string]contract.RESTLinkHAL{"channel": l.to(channelPath, string(c.session), c.place.id, c.id())}}
	if at, err := time.Parse(time.RFC3339, e.Fields[holdfast.FieldModified]); err == nil {
		out.LastModifiedTime = stamp(at)
	}
	if out.PostID != nil {
		id := strconv.FormatInt(*out.PostID, 10)
		out.Links["self"] = l.with(l.to(teamPath+"/posts/{postId}", string(c.session), c.place.id, id), "channelId", c.id())
		if out.ParentID == nil {
			out.Links["replies"] = l.with(l.with(l.to(teamPath+"/posts", string(c.session), c.place.id), "channelId", c.id()), "parentId", id)
		}
	}
	deletedLink(l, out.Links, e)
	return out
}

func (a *API) teamsPostSaveById(ctx context.Context, r *request) (any, error) {
	c, e, err := a.post(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, c.place, []string{e.ID}, false, e.Name)
}

// teamsPostSave saves the posts that the body lists as Teams served them: one as it is, several as a ZIP.
func (a *API) teamsPostSave(ctx context.Context, r *request) (any, error) {
	p, ids, err := a.selectedPosts(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, ids, false, "Posts of "+p.container.Container.Name)
}

// selectedPosts reads the posts that a body lists.
func (a *API) selectedPosts(ctx context.Context, r *request) (place, []string, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return p, nil, err
	}
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return p, nil, err
	}
	if len(in.Posts) == 0 {
		return p, nil, holdfast.Invalid("posts is missing; it lists what is meant by postId")
	}
	ids, err := a.postIDs(ctx, r, p, in)
	return p, ids, err
}

// postIDs checks that the posts of a body are there.
func (a *API) postIDs(ctx context.Context, r *request, p place, in teamRestore) ([]string, error) {
	var ids []string
	for i, post := range in.Posts {
		if post.ID == nil {
			return nil, holdfast.Invalid("posts[%d].postId is missing", i)
		}
		if post.Channel == "" {
			post.Channel = in.Channel
		}
		c, err := a.channelNamed(ctx, r, p, post.Channel)
		if err != nil {
			return nil, err
		}
		_, e, err := a.postIn(ctx, r, p, []channel{c}, strconv.FormatInt(*post.ID, 10))
		if err != nil {
			return nil, err
		}
		ids = append(ids, e.ID)
	}
	return ids, nil
}

// mostPosts bounds how many posts one restore lists one by one.
const mostPosts = 10_000

// teamsPostRestore restores the posts of a channel, of a time when the body says so.
func (a *API) teamsPostRestore(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Posts) > 0 {
		ids, err := a.postIDs(ctx, r, p, in)
		if err != nil {
			return nil, err
		}
		return a.restoreTeam(ctx, r, p, in, ids...)
	}
	c, err := a.channelNamed(ctx, r, p, in.Channel)
	if err != nil {
		return nil, err
	}
	ids, err := a.postsOfTime(ctx, r, c, value(in.From), value(in.To))
	if err != nil {
		return nil, err
	}
	return a.restoreTeam(ctx, r, p, in, ids...)
}

// postsOfTime are the posts and replies of a channel that were written in a time; a zero time is no bound.
func (a *API) postsOfTime(ctx context.Context, r *request, c channel, from, to time.Time) ([]string, error) {
	var ids []string
	within := holdfast.PostsQuery{From: from, To: to}
	q := service.ItemQuery{Parent: c.entry.ID, Kinds: postKinds, Search: "kind:*", Sort: "time", Limit: maxLimit}
	for {
		found, err := a.services.RestoreSessions.Items(ctx, r.user, c.session, c.place.id, q)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Entries {
			if within.Holds(e.Time) {
				ids = append(ids, e.ID)
			}
		}
		if len(ids) > mostPosts {
			return nil, holdfast.Invalid("more than %d posts are meant: give a shorter time by from and to, or restore the channel", mostPosts)
		}
		if q.Offset += len(found.Entries); len(found.Entries) < maxLimit {
			break
		}
	}
	if len(ids) == 0 {
		return nil, holdfast.NotFound("channel %q has no post of that time", c.entry.Name)
	}
	return ids, nil
}

func (a *API) teamsPostOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.teamsPostRestore(ctx, r)
}

// teamsPostExport answers a page of HTML: the posts that the body lists, or those of a channel, of a time when the body says so.
func (a *API) teamsPostExport(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Posts) > 0 {
		ids, err := a.postIDs(ctx, r, p, in)
		if err != nil {
			return nil, err
		}
		return a.exportPosts(r, p, p.container.Container.Name, holdfast.PostsQuery{Posts: ids}), nil
	}
	c, err := a.channelNamed(ctx, r, p, in.Channel)
	if err != nil {
		return nil, err
	}
	return a.exportPosts(r, p, c.entry.Name, holdfast.PostsQuery{Folder: c.entry.ID, From: value(in.From), To: value(in.To)}), nil
}

func (a *API) teamsPostExportById(ctx context.Context, r *request) (any, error) {
	c, e, err := a.post(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.exportPosts(r, c.place, e.Name, holdfast.PostsQuery{Posts: []string{e.ID}}), nil
}

func (a *API) exportPosts(r *request, p place, name string, q holdfast.PostsQuery) *download {
	return &download{name: "Posts of " + name + ".html", size: -1, write: func(ctx context.Context, w io.Writer) error {
		return a.services.RestoreSessions.WritePosts(ctx, r.user, p.session, p.id, q, w)
	}}
}

// teamsPostOperatorStartExportTask prepares a page of the posts that the body lists.
func (a *API) teamsPostOperatorStartExportTask(ctx context.Context, r *request) (any, error) {
	p, ids, err := a.selectedPosts(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.preparePosts(ctx, r, p, p.container.Container.Name, holdfast.PostsQuery{Posts: ids})
}

// teamsPostDownloadExportedPosts answers the page that was prepared of chosen posts.
func (a *API) teamsPostDownloadExportedPosts(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.preparedPosts(r, p, "")
}

// preparePosts keeps what is meant until it is fetched, by an address that a browser can open.
func (a *API) preparePosts(ctx context.Context, r *request, p place, name string, q holdfast.PostsQuery) (any, error) {
	id, err := a.services.RestoreSessions.PreparePosts(ctx, r.user, service.PostsExport{Session: p.session, Container: p.id, Name: name, Query: q})
	if err != nil {
		return nil, err
	}
	return contract.RESTOperatorStartExportTaskResponse{ExportTaskID: uuid.MustParse(id)}, nil
}

// preparedPosts is an export of a channel, whose folder it is, or with "" one of chosen posts.
func (a *API) preparedPosts(r *request, p place, folder string) (any, error) {
	id, err := r.id("requestExportId")
	if err != nil {
		return nil, err
	}
	e, err := a.services.RestoreSessions.PreparedPosts(r.user, p.session, p.id, id)
	if err != nil {
		return nil, err
	} else if e.Query.Folder != folder {
		return nil, holdfast.NotFound("export %s is not of what the address names", id)
	}
	return a.exportPosts(r, p, e.Name, e.Query), nil
}

func (a *API) teamsPostSendById(ctx context.Context, r *request) (any, error) {
	c, e, err := a.post(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.sendPosts(ctx, r, c.place, c.entry.Name, []string{e.ID})
}

// teamsPostSend sends the posts that the body lists.
func (a *API) teamsPostSend(ctx context.Context, r *request) (any, error) {
	p, in, err := a.teamSelection(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(in.Posts) == 0 {
		return nil, holdfast.Invalid("posts is missing; it lists what is meant by postId")
	}
	ids, err := a.postIDs(ctx, r, p, in)
	if err != nil {
		return nil, err
	}
	return a.sendPosts(ctx, r, p, p.container.Container.Name, ids)
}
