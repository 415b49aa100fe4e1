package team

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// collisions bounds how many milliseconds are tried for a post whose own is taken by another one.
const collisions = 50

var (
	mention    = regexp.MustCompile(`(?s)<at\b[^>]*>(.*?)</at>`)
	attachment = regexp.MustCompile(`<attachment id="([^"]*)"></attachment>`)
	image      = regexp.MustCompile(`(<img\b[^>]*\bsrc=")([^"]*/hostedContents/([^/"]+)/\$value)(")`)
)

// post imports a post with its author and time. Two posts of a channel never have the same millisecond, so that what an earlier attempt left is
// found by its time; a millisecond that another post has is passed over. What Microsoft does not take as a post is written into a file of the channel.
func (r *restore) post(ctx context.Context, p engine.Put, at *place) (engine.Restored, error) {
	var m graph.ChatMessage
	if err := read(ctx, p, holdfast.FormJSON, &m); err != nil {
		return engine.Restored{}, err
	}
	out, err := r.postOf(ctx, p, &m, at)
	if m.ReplyTo == "" {
		at.opening.Lock()
		defer at.opening.Unlock()
		delete(at.late, m.ID)
		var s *holdfast.Skip
		if err != nil && (!errors.As(err, &s) || s.Reason == holdfast.SkipTransient) && !m365.Lasting(err) {
			at.late[m.ID] = true
		}
	}
	return out, err
}

func (r *restore) postOf(ctx context.Context, p engine.Put, m *graph.ChatMessage, at *place) (engine.Restored, error) {
	switch {
	case isEvent(m):
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipNothing, Err: errors.New("an event that Teams itself told; nobody can post one")}
	case !m.Deleted.IsZero():
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipNothing, Err: errors.New("deleted before this backup, it says nothing; an older restore point may have what it said")}
	}
	at.opening.Lock()
	if err := r.site(ctx, at); err != nil {
		at.opening.Unlock()
		return engine.Restored{}, err
	}
	at.opening.Unlock()
	root, lostThread, err := r.thread(ctx, m, at)
	if err != nil {
		return engine.Restored{}, err
	}
	if !at.isNew { // reading before a channel is opened for posts, which its members notice
		out, done, err := r.present(ctx, m, at, root)
		if err != nil || done {
			return out, err
		}
	}
	cost := holdfast.Cost{Requests: 2, Bytes: p.Item.Size}
	if r.plan.DryRun {
		return engine.Restored{Outcome: engine.Created, NewID: engine.Planned + p.Item.ID, Cost: cost}, nil
	}
	if !r.migrates {
		return r.archive(ctx, p, m, at, "Microsoft takes no posts of the past in this cloud")
	}
	id, _ := author(m)
	if id == "" {
		return r.archive(ctx, p, m, at, "it was not written by a user")
	}
	if err := r.migrate(ctx, at); err != nil {
		return engine.Restored{}, err
	}
	if at.refused != nil {
		return r.archive(ctx, p, m, at, graph.ErrorText(at.refused))
	}
	body, lost, err := r.body(ctx, p, m, at)
	if err != nil {
		return engine.Restored{}, err
	}
	if lostThread != "" {
		lost = append(lost, lostThread)
	}
	if root == "" && m.ReplyTo != "" {
		if at.isLate(m.ReplyTo) { // a message in its place would keep it from coming
			return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipTransient, Err: errors.New("the message that it replies to could not be posted for a moment: restore both again")}
		}
		if root, err = r.standIn(ctx, m, at, id); err != nil {
			return engine.Restored{}, err
		}
	}
	made, existing, err := r.send(ctx, at, root, m, body)
	if err != nil {
		var e *m365.Error
		if errors.As(err, &e) && (e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusBadRequest) {
			return r.archive(ctx, p, m, at, graph.ErrorText(err))
		}
		return engine.Restored{}, err
	}
	if m.ReplyTo == "" {
		at.setThread(m.ID, made.ID)
	}
	out := engine.Restored{Outcome: engine.Created, NewID: made.ID, Cost: cost, Lost: lost}
	if existing && !p.Again {
		out.Outcome = engine.Existing
	}
	if !made.Created.Equal(m.Created.Truncate(time.Millisecond)) {
		out.Lost = append(out.Lost, fmt.Sprintf("%d ms of its time", made.Created.Sub(m.Created.Truncate(time.Millisecond)).Milliseconds()))
	}
	return out, nil
}

func (at *place) thread(id string) string {
	at.opening.Lock()
	defer at.opening.Unlock()
	return at.threads[id]
}

func (at *place) isLate(id string) bool {
	at.opening.Lock()
	defer at.opening.Unlock()
	return at.late[id]
}

func (at *place) setThread(id, there string) {
	at.opening.Lock()
	defer at.opening.Unlock()
	at.threads[id] = there
}

// thread is the message there that a reply goes to; empty for a post that replies to none, and when there is none, which lost then says.
func (r *restore) thread(ctx context.Context, m *graph.ChatMessage, at *place) (root, lost string, err error) {
	if m.ReplyTo == "" {
		return "", "", nil
	}
	if id := at.thread(m.ReplyTo); id != "" {
		return id, "", nil
	}
	there, err := r.g.ChatMessage(ctx, r.team, at.id, "", m.ReplyTo)
	if m365.KindOf(err) == m365.NotFound {
		return "", "the message that it replies to", nil
	}
	if err != nil {
		return "", "", err
	}
	at.setThread(m.ReplyTo, there.ID)
	return there.ID, "", nil
}

// present looks for the post where it was.
func (r *restore) present(ctx context.Context, m *graph.ChatMessage, at *place, root string) (engine.Restored, bool, error) {
	if m.ReplyTo != "" && root == "" {
		return engine.Restored{}, false, nil
	}
	there, err := r.g.ChatMessage(ctx, r.team, at.id, root, m.ID)
	if m365.KindOf(err) == m365.NotFound {
		return engine.Restored{}, false, nil
	}
	if err != nil {
		return engine.Restored{}, false, err
	}
	if !there.Deleted.IsZero() {
		return engine.Restored{}, false, nil
	}
	if m.ReplyTo == "" {
		at.setThread(m.ID, there.ID)
	}
	if says(there) == says(m) {
		return engine.Restored{Outcome: engine.Existing, NewID: there.ID}, true, nil
	}
	if r.plan.Mode == engine.SkipExisting {
		return engine.Restored{}, true, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("it is there and says something else now")}
	}
	return engine.Restored{}, false, nil // nobody can change another's post: it comes beside it
}

// says is who wrote a post and what it says, without what an import changes of it.
func says(m *graph.ChatMessage) string {
	id, _ := author(m)
	text := m.Body.Content
	if m.Body.ContentType == "html" {
		text = words(text)
	}
	return id + "\n" + m.Subject + "\n" + strings.Join(strings.Fields(text), " ")
}

// migrate opens a channel for posts of the past, once. A refusal is kept in at.
func (r *restore) migrate(ctx context.Context, at *place) error {
	at.opening.Lock()
	defer at.opening.Unlock()
	if at.migrating || at.refused != nil {
		return nil
	}
	err := r.g.StartMigration(ctx, r.team, at.id, at.created.Add(-time.Second))
	switch m365.KindOf(err) {
	case m365.Invalid, m365.Denied, m365.Conflict:
		ch, cerr := r.g.Channel(ctx, r.team, at.id)
		if cerr != nil {
			return cerr
		}
		if ch.Migration != inProgress {
			at.refused = err
			return nil
		}
	default:
		if err != nil {
			return err
		}
	}
	at.migrating = true
	return nil
}

// body is a post as it is imported. lost names what of it can't be given.
func (r *restore) body(ctx context.Context, p engine.Put, m *graph.ChatMessage, at *place) (body map[string]any, lost []string, err error) {
	text, lost := told(m, false)
	return imported(ctx, p, m, text, lost, at.moved)
}

// told is what a message says when it is imported, its pictures still at their old addresses. lost names what of it can't be given. A message that it
// quotes is part of the text where quotes says so.
func told(m *graph.ChatMessage, quotes bool) (text string, lost []string) {
	text = m.Body.Content
	isHTML := m.Body.ContentType == "html"
	if isHTML && mention.MatchString(text) {
		text = mention.ReplaceAllString(text, "<b>$1</b>")
		lost = append(lost, "mentions, which are names now")
	}
	files := 0
	for _, a := range m.Attachments {
		mark, quote := `<attachment id="`+a.ID+`"></attachment>`, ""
		switch {
		case a.ContentType == "reference":
			files++
			continue
		case quotes && isHTML && a.ContentType == "messageReference":
			quote = quoted(a.Content)
		}
		text = strings.ReplaceAll(text, mark, quote)
		if quote == "" {
			lost = append(lost, "a card or quotation")
		} else {
			lost = append(lost, "the link to the message that it quotes")
		}
	}
	if len(m.Reactions) > 0 {
		lost = append(lost, "reactions")
	}
	if !m.Edited.IsZero() {
		lost = append(lost, "the mark of an edit")
	}
	if strings.TrimSpace(text) == "" && files == 0 {
		text = "&nbsp;"
	}
	return text, lost
}

// quoted is a message that another one refers to, as a quotation in that one's text; empty when it is none.
func quoted(reference string) string {
	var of struct {
		Preview string             `json:"messagePreview"`
		Sender  *graph.MessageFrom `json:"messageSender"`
	}
	if json.Unmarshal([]byte(reference), &of) != nil || of.Preview == "" {
		return ""
	}
	name := ""
	if _, by := author(&graph.ChatMessage{From: of.Sender}); by != "" {
		name = "<b>" + html.EscapeString(by) + "</b><br>"
	}
	return "<blockquote><p>" + name + html.EscapeString(of.Preview) + "</p></blockquote>"
}

// imported is a message with that text as an import takes it. moved gives the address where a file is now.
func imported(ctx context.Context, p engine.Put, m *graph.ChatMessage, text string, lost []string, moved func(address string) string) (body map[string]any, gone []string, err error) {
	var pictures []any
	var missing error
	text = image.ReplaceAllStringFunc(text, func(found string) string {
		parts := image.FindStringSubmatch(found)
		raw, err := picture(ctx, p, parts[3])
		if err != nil {
			missing = err
			return found
		}
		if raw == nil {
			lost = append(lost, "a picture that the backup lacks")
			return ""
		}
		id := strconv.Itoa(len(pictures) + 1)
		pictures = append(pictures, map[string]any{"@microsoft.graph.temporaryId": id, "contentBytes": base64.StdEncoding.EncodeToString(raw), "contentType": http.DetectContentType(raw)})
		return parts[1] + "../hostedContents/" + id + "/$value" + parts[4]
	})
	if missing != nil {
		return nil, nil, missing
	}
	var files []any
	for _, a := range m.Attachments {
		if a.ContentType == "reference" {
			files = append(files, map[string]any{"id": a.ID, "contentType": a.ContentType, "contentUrl": moved(a.ContentURL), "name": a.Name})
		}
	}
	if strings.TrimSpace(text) == "" && len(files) == 0 {
		text = "&nbsp;" // of nothing but a picture that is missing
	}
	id, name := author(m)
	body = map[string]any{"from": map[string]any{"user": map[string]any{"id": id, "displayName": name, "userIdentityType": "aadUser"}},
		"body": map[string]any{"contentType": m.Body.ContentType, "content": text}}
	if m.Subject != "" {
		body["subject"] = m.Subject
	}
	if m.Importance != "" && m.Importance != "normal" {
		body["importance"] = m.Importance
	}
	if pictures != nil {
		body["hostedContents"] = pictures
	}
	if files != nil {
		body["attachments"] = files
	}
	return body, lost, nil
}

// picture is a stored picture of a post; nil when the backup lacks it.
func picture(ctx context.Context, p engine.Put, id string) ([]byte, error) {
	body, ok, err := p.Open(ctx, hostedForm(id))
	if err != nil || !ok {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// send posts at the post's time, or at the first free millisecond behind it, and reads it back. existing says that it was there.
func (r *restore) send(ctx context.Context, at *place, root string, m *graph.ChatMessage, body map[string]any) (made *graph.ChatMessage, existing bool, err error) {
	first := m.Created.UTC().Truncate(time.Millisecond)
	want := *m
	text, _ := body["body"].(map[string]any)["content"].(string)
	want.Body.Content = text
	for n := range collisions {
		when := first.Add(time.Duration(n) * time.Millisecond)
		body["createdDateTime"] = when.Format("2006-01-02T15:04:05.000Z")
		_, err := r.g.PostMessage(ctx, r.team, at.id, root, body)
		taken := m365.KindOf(err) == m365.Conflict
		if err != nil && !taken {
			return nil, false, err
		}
		there, err := r.g.ChatMessage(ctx, r.team, at.id, root, strconv.FormatInt(when.UnixMilli(), 10))
		switch {
		case m365.KindOf(err) == m365.NotFound && taken:
			continue // in another thread
		case err != nil:
			return nil, false, err
		}
		same := there.Deleted.IsZero() && (says(there) == says(&want) || standsIn(m) && standsIn(there))
		if same {
			return there, taken, nil
		}
		if !taken {
			return nil, false, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: errors.New("what was read back is not what was posted")}
		}
	}
	return nil, false, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("the %d milliseconds behind its time are taken by other posts", collisions)}
}

// standInText is what a message says that stands in for one that is not there. It has the author of the reply that came first.
const standInText = "<i>The message that was here is not in the restore.</i>"

func standsIn(m *graph.ChatMessage) bool { return words(m.Body.Content) == words(standInText) }

// standIn posts a message in the place of one that is not there, for the replies to it, which would have no thread.
func (r *restore) standIn(ctx context.Context, reply *graph.ChatMessage, at *place, user string) (string, error) {
	ms, err := strconv.ParseInt(reply.ReplyTo, 10, 64)
	if err != nil {
		return "", &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("it replies to %q, which is no message", reply.ReplyTo)}
	}
	stand := &graph.ChatMessage{Created: time.UnixMilli(ms).UTC(), From: &graph.MessageFrom{User: &graph.Principal{ID: user}}, Body: graph.MessageBody{ContentType: "html", Content: standInText}}
	at.opening.Lock()
	defer at.opening.Unlock()
	if id := at.threads[reply.ReplyTo]; id != "" {
		return id, nil
	}
	body := map[string]any{"from": map[string]any{"user": map[string]any{"id": user, "userIdentityType": "aadUser"}}, "body": map[string]any{"contentType": "html", "content": stand.Body.Content}}
	made, _, err := r.send(ctx, at, "", stand, body)
	if err != nil {
		return "", err
	}
	at.threads[reply.ReplyTo] = made.ID
	return made.ID, nil
}

// postsFolder is where posts that can't be posts lie among the channel's files, a file for each day.
const postsFolder = "Restored posts"

// archiveMost bounds a day's file.
const archiveMost = 64 << 20

// archive writes a post into the channel's file of its day. A post that is in it already is left: nothing comes twice.
func (r *restore) archive(ctx context.Context, p engine.Put, m *graph.ChatMessage, at *place, why string) (engine.Restored, error) {
	day := m.Created.UTC().Format("2006-01-02") + ".html"
	r.mu.Lock()
	lock := r.days[at.id+day]
	if lock == nil {
		lock = &sync.Mutex{}
		r.days[at.id+day] = lock
	}
	r.mu.Unlock()
	lock.Lock()
	defer lock.Unlock()
	if at.drive == "" {
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("it can't be a post (%s), and the channel has no files", why)}
	}
	folder, err := r.g.CreateFolder(ctx, at.drive, at.folder, postsFolder, graph.ConflictFail, nil)
	if m365.KindOf(err) == m365.Conflict {
		folder, err = r.g.DriveChild(ctx, at.drive, at.folder, postsFolder, graph.List{})
	}
	if err != nil {
		return engine.Restored{}, err
	}
	var entries []entry
	file, err := r.g.DriveChild(ctx, at.drive, folder.ID, day, graph.List{})
	switch {
	case m365.KindOf(err) == m365.NotFound:
	case err != nil:
		return engine.Restored{}, err
	default:
		if entries, err = r.entries(ctx, at.drive, file); err != nil {
			return engine.Restored{}, err
		}
	}
	out := engine.Restored{Outcome: engine.Created, NewID: "file:" + at.drive + "/" + day + "#" + m.ID, Cost: holdfast.Cost{Requests: 4, ResourceUnits: 6, Bytes: p.Item.Size},
		Lost: []string{fmt.Sprintf("being a post: it is in the channel's file %q, because %s", postsFolder+"/"+day, why)}}
	key := m.Created.UTC().Format("150405.000") + "-" + m.ID
	if slices.ContainsFunc(entries, func(e entry) bool { return e.key == key }) {
		if !p.Again {
			out.Outcome = engine.Existing
		}
		return out, nil
	}
	written, err := r.article(ctx, p, m, at)
	if err != nil {
		return engine.Restored{}, err
	}
	entries = append(entries, entry{key, written})
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	content := pageOf(m.Created.UTC().Format("2006-01-02"), entries)
	if len(content) > archiveMost {
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipTooLarge, Err: fmt.Errorf("the file of posts of its day would be larger than %d bytes", archiveMost)}
	}
	return out, r.upload(ctx, graph.NewFile{Drive: at.drive, Parent: folder.ID, Name: day, Conflict: graph.ConflictReplace, Size: int64(len(content))}, content)
}

func (r *restore) upload(ctx context.Context, f graph.NewFile, content []byte) error {
	if len(content) <= 4<<20 {
		_, err := r.g.PutSmall(ctx, f, content)
		return err
	}
	up, err := r.g.CreateFileUpload(ctx, f)
	if err != nil {
		return err
	}
	_, _, err = up.Send(ctx, bytes.NewReader(content))
	return err
}

// entry is a post in a day's file.
type entry struct{ key, text string }

const (
	entryBegin = "<!-- post "
	entryEnd   = "<!-- end -->\n"
)

// entries reads a day's file that an earlier restore wrote.
func (r *restore) entries(ctx context.Context, drive string, file *graph.DriveItem) ([]entry, error) {
	body, err := r.g.OpenContent(ctx, graph.ContentOf{Drive: drive, Item: file.ID, Size: file.Size})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, archiveMost+1))
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, part := range strings.Split(string(raw), entryBegin)[1:] {
		key, text, ok := strings.Cut(part, " -->\n")
		text, _, ended := strings.Cut(text, entryEnd)
		if ok && ended {
			out = append(out, entry{key, text})
		}
	}
	return out, nil
}

func pageOf(day string, entries []entry) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Posts of %s</title></head>\n<body>\n<h1>Posts of %s</h1>\n", day, day)
	for _, e := range entries {
		b.WriteString(entryBegin + e.key + " -->\n" + e.text + entryEnd)
	}
	b.WriteString("</body></html>\n")
	return b.Bytes()
}

var unsafe = regexp.MustCompile(`(?is)<(script|style|iframe|object|embed|form)\b.*?</(script|style|iframe|object|embed|form)\s*>|<(script|iframe|object|embed|form|link|meta|base)\b[^>]*>|\son\w+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)|<!--|-->`)

// article is a post as HTML, with its pictures in it. What could act in a browser is left out.
func (r *restore) article(ctx context.Context, p engine.Put, m *graph.ChatMessage, at *place) (string, error) {
	_, name := author(m)
	text := m.Body.Content
	if m.Body.ContentType != "html" {
		text = "<p>" + html.EscapeString(text) + "</p>"
	}
	text = unsafe.ReplaceAllString(mention.ReplaceAllString(text, "<b>$1</b>"), "")
	var failed error
	text = image.ReplaceAllStringFunc(text, func(found string) string {
		parts := image.FindStringSubmatch(found)
		raw, err := picture(ctx, p, parts[3])
		if err != nil || raw == nil {
			failed = errors.Join(failed, err)
			return ""
		}
		return parts[1] + "data:" + http.DetectContentType(raw) + ";base64," + base64.StdEncoding.EncodeToString(raw) + parts[4]
	})
	if failed != nil {
		return "", failed
	}
	for _, a := range m.Attachments {
		link := ""
		if a.ContentType == "reference" && strings.HasPrefix(a.ContentURL, "https://") {
			link = `<a href="` + html.EscapeString(at.moved(a.ContentURL)) + `">` + html.EscapeString(a.Name) + "</a>"
		}
		text = strings.ReplaceAll(text, `<attachment id="`+a.ID+`"></attachment>`, link)
	}
	text = attachment.ReplaceAllString(text, "")
	margin := 0
	if m.ReplyTo != "" {
		margin = 3
	}
	subject := ""
	if m.Subject != "" {
		subject = "<h3>" + html.EscapeString(m.Subject) + "</h3>\n"
	}
	return fmt.Sprintf("<article id=\"post-%s\" style=\"margin-left:%dem\">\n<p><b>%s</b> %s</p>\n%s%s\n</article>\n", html.EscapeString(m.ID), margin, html.EscapeString(name),
		m.Created.UTC().Format("2006-01-02 15:04:05 UTC"), subject, text), nil
}
