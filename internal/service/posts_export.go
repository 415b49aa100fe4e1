package service

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// An export of posts can be asked for by one call and fetched by another: a browser saves a file by its address, to which it can't add a token or a body. What
// was asked for is kept in memory only; after a restart of the server it is asked for anew.
const (
	exportsAtOnce = 1000 // past it the oldest is forgotten
	exportLife    = time.Hour
)

// PostsExport is an export of posts that was asked for.
type PostsExport struct {
	Session   holdfast.RestoreSessionID
	Container string // public id of the team
	Name      string // of what it is about
	Query     holdfast.PostsQuery
}

// preparedExport is one of them, whose it is and until when.
type preparedExport struct {
	PostsExport
	owner   holdfast.UserID
	expires time.Time
}

// preparedExports are those that wait, by id. The zero value works.
type preparedExports struct {
	mu  sync.Mutex // guards all
	all map[string]preparedExport
}

func (p *preparedExports) put(id string, e preparedExport, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]preparedExport{}
	}
	oldest := ""
	for k, one := range p.all {
		if now.After(one.expires) {
			delete(p.all, k)
		} else if oldest == "" || one.expires.Before(p.all[oldest].expires) {
			oldest = k
		}
	}
	if len(p.all) >= exportsAtOnce {
		delete(p.all, oldest)
	}
	p.all[id] = e
}

func (p *preparedExports) get(id string) (preparedExport, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.all[id]
	return e, ok
}

// PreparePosts keeps an export for its owner to fetch within an hour, and gives its id. Nothing is read and written yet: WritePosts does that, and asks again who
// may.
func (r *RestoreSessions) PreparePosts(ctx context.Context, u User, e PostsExport) (string, error) {
	c, err := r.Container(ctx, u, e.Session, e.Container)
	if err != nil {
		return "", err
	}
	if err := r.may(u, ActDownload, c.object()); err != nil {
		return "", err
	}
	id, err := r.id()
	if err != nil {
		return "", err
	}
	e.Query.Posts = slices.Clone(e.Query.Posts)
	now := r.now()
	r.exports.put(id, preparedExport{e, u.ID, now.Add(exportLife)}, now)
	return id, nil
}

// PreparedPosts gives an export that the same user asked for in the same session and team. Others' are not there.
func (r *RestoreSessions) PreparedPosts(u User, session holdfast.RestoreSessionID, container, id string) (PostsExport, error) {
	e, ok := r.exports.get(strings.ToLower(id))
	if !ok || e.owner != u.ID || e.Session != session || e.Container != container || r.now().After(e.expires) {
		return PostsExport{}, holdfast.NotFound("there is no export %s: it was asked for by somebody else, more than an hour ago, or before the server's last start; start it again", id)
	}
	return e.PostsExport, nil
}
