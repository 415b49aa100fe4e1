package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// explorer looks at one mailbox, drive or site at a restore point, through a restore session that ends with the command.
type explorer struct {
	c       *client
	session string
	files   bool
	sites   bool
	teams   bool
	chats   bool
	object  string // mailbox, drive or site id in the session
	name    string
}

// lookAt are the flags that say where to look.
type lookAt struct {
	org, user, site, team, chat, at string
	files                           bool
}

func (l *lookAt) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.org, "org", "", "organization (default: the only one)")
	f.StringVar(&l.user, "user", "", "whose mailbox or OneDrive: name, address or the beginning of it")
	f.BoolVar(&l.files, "files", false, "look at OneDrive instead of mail")
	f.StringVar(&l.site, "site", "", "look at a SharePoint site instead: its title, address or the beginning of one; \"?\" with \"explore users\" lists them")
	f.StringVar(&l.team, "team", "", "look at a team of Microsoft Teams instead: its name, address or the beginning of one; \"?\" with \"explore users\" lists them")
	f.StringVar(&l.chat, "chat", "", "look at a chat of Microsoft Teams instead: its topic, or the names of who is in it; \"?\" with \"explore users\" lists them")
	f.StringVar(&l.at, "at", "", "as it was at this time: 2026-01-31, \"2026-01-31 18:00\" or RFC 3339 (default: newest)")
}

type restoreSession struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	State     string     `json:"state"`
	Result    string     `json:"result"`
	Created   *time.Time `json:"creationTime"`
	Ended     *time.Time `json:"endTime"`
	Initiator string     `json:"initiatedBy"`
	Details   string     `json:"details"`
}

// shows says what a session looks at, in our words.
func (s restoreSession) shows() string {
	switch s.Type {
	case "Vex":
		return "mail"
	case "Veod":
		return "files"
	case "Vesp":
		return "sites"
	case "Vet":
		return "teams"
	case "Chats":
		return "chats"
	}
	return s.Type
}

// box is a mailbox or a drive in a restore session.
type box struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`     // of a site
	Mail  string `json:"address,omitempty"` // of a team
}

// open begins a restore session.
func (l *lookAt) open(cmd *cobra.Command, c *client) (*explorer, error) {
	at, err := parseTime(l.at)
	if err != nil {
		return nil, err
	}
	o, err := organizationNamed(cmd, c, l.org)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"type": "Vex", "showDeleted": false, "showAllVersions": true}
	if l.files {
		body["type"] = "Veod"
	}
	if l.site != "" {
		if l.files || l.user != "" {
			return nil, errors.New("give --site, or --user with or without --files")
		}
		body["type"] = "Vesp"
	}
	if l.team != "" {
		if l.files || l.user != "" || l.site != "" {
			return nil, errors.New("give --team, --site, or --user with or without --files")
		}
		body["type"] = "Vet"
	}
	if l.chat != "" {
		if l.files || l.user != "" || l.site != "" || l.team != "" {
			return nil, errors.New("give --chat, --team, --site, or --user with or without --files")
		}
		body["type"] = "Chats"
	}
	if at != nil {
		body["dateTime"] = at
	}
	var s restoreSession
	if err := c.call(cmd.Context(), http.MethodPost, join("Organizations", o.ID, "explore"), body, &s); err != nil {
		return nil, err
	}
	return &explorer{c: c, session: s.ID, files: l.files, sites: l.site != "", teams: l.team != "" || l.chat != "", chats: l.chat != ""}, nil
}

func (e *explorer) path(parts ...string) string {
	kind := "mailboxes"
	if e.files {
		kind = "OneDrives"
	}
	if e.sites {
		kind = "Sites"
	}
	return join(append([]string{"RestoreSessions", e.session, "organization", kind}, parts...)...)
}

// pickUser finds the box of a user.
func pickUser(all []box, user string) (box, error) {
	if user == "" && len(all) != 1 {
		var have []string
		for _, b := range all {
			have = append(have, clean(b.Email))
		}
		if len(have) == 0 {
			return box{}, errors.New("this restore point holds nobody's: \"holdfast point list\" shows what each one holds")
		}
		return box{}, fmt.Errorf("which user? Say it with --user: %s", strings.Join(have, ", "))
	}
	b, err := pick("user", "explore users", all, user, func(b box) []string { return []string{b.ID, b.Email, b.Name} })
	if err != nil && !slices.ContainsFunc(all, func(b box) bool { return begins(b.Email, user) || begins(b.Name, user) }) {
		return b, fmt.Errorf("there is no user %q in this restore point: \"holdfast explore users\" shows who is there", user)
	}
	return b, err
}

func begins(name, with string) bool {
	return strings.HasPrefix(strings.ToLower(name), strings.ToLower(with))
}

// boxes lists what the restore point has.
func (e *explorer) boxes(ctx context.Context) ([]box, error) {
	if e.files {
		// The contract's OneDrive has no owner's address.
		return list[box](ctx, e.c, "/holdfast/v1"+join("RestoreSessions", e.session, "OneDriveOwners"), nil, 0)
	}
	if e.teams {
		return list[box](ctx, e.c, "/holdfast/v1"+join("RestoreSessions", e.session, "Containers"), nil, 0)
	}
	return list[box](ctx, e.c, e.path(), nil, 0)
}

// ownItem is an item as Holdfast's own operations give it.
type ownItem struct {
	ID      string     `json:"id"`
	Kind    string     `json:"kind"`
	Name    string     `json:"name"`
	From    string     `json:"from"`
	Time    *time.Time `json:"time"`
	Size    int64      `json:"size"`
	Path    string     `json:"path"`
	Special string     `json:"special"`
}

func (i ownItem) thing() thing {
	return thing{ID: i.ID, Kind: i.Kind, Name: i.Name, From: i.From, Time: i.Time, Size: i.Size, FullPath: i.Path}
}

// inTeam lists what is in a team, a channel or a folder, or the replies to a post: folders first.
func (e *explorer) inTeam(ctx context.Context, query string, most int) ([]thing, error) {
	items, err := list[ownItem](ctx, e.c, e.own("Items")+query, nil, most)
	var folders, rest []thing
	for _, i := range items {
		if i.Kind == "folder" {
			folders = append(folders, i.thing())
		} else {
			rest = append(rest, i.thing())
		}
	}
	return append(folders, rest...), err
}

// enter begins a restore session in the mailbox or drive of the user that was named.
func (l *lookAt) enter(cmd *cobra.Command, c *client) (*explorer, error) {
	e, err := l.open(cmd, c)
	if err != nil {
		return nil, err
	}
	all, err := e.boxes(cmd.Context())
	if err == nil {
		var b box
		if e.sites {
			b, err = pick("site", "explore users --site ?", all, l.site, func(b box) []string { return []string{b.ID, b.URL, b.Name} })
		} else if e.chats {
			b, err = pick("chat", "explore users --chat ?", all, l.chat, func(b box) []string { return []string{b.ID, b.Name, b.Mail} })
		} else if e.teams {
			b, err = pick("team", "explore users --team ?", all, l.team, func(b box) []string { return []string{b.ID, b.Mail, b.Name} })
		} else {
			b, err = pickUser(all, l.user)
		}
		if err == nil {
			e.object, e.name = b.ID, b.Name
			return e, nil
		}
	}
	e.stop(cmd.Context())
	return nil, err
}

// stop ends the restore session, also when the command was interrupted.
func (e *explorer) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := e.c.call(ctx, http.MethodPost, join("RestoreSessions", e.session, "Stop"), nil, nil); err != nil {
		fmt.Fprintln(os.Stderr, "holdfast: the restore session ends by itself later:", err)
	}
}

// thing is a folder, mail or file as the command line shows it.
type thing struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Name     string     `json:"name"`
	From     string     `json:"from,omitempty"`
	To       string     `json:"to,omitempty"`
	Time     *time.Time `json:"time,omitempty"`
	Size     int64      `json:"size,omitempty"`
	Version  string     `json:"version,omitempty"`
	FullPath string     `json:"path,omitempty"`
	what     string     // of a site: which of the contract's objects it is (Lists, Libraries, Folders, Documents, Items)
}

type mailItem struct {
	ID       string     `json:"id"`
	Subject  string     `json:"subject"`
	From     string     `json:"from"`
	To       string     `json:"to"`
	Received *time.Time `json:"received"`
	Size     int64      `json:"sizeBytes"`
}

func (m mailItem) thing() thing {
	return thing{ID: m.ID, Kind: "mail", Name: m.Subject, From: m.From, To: m.To, Time: m.Received, Size: m.Size}
}

type document struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Size     int64      `json:"sizeBytes"`
	Version  string     `json:"version"`
	Folder   bool       `json:"isFolder"`
	Modified *time.Time `json:"modificationTime"`
	kind     string
}

func (d document) thing() thing {
	t := thing{ID: d.ID, Kind: cmp.Or(d.kind, "file"), Name: d.Name, Time: d.Modified, Size: d.Size, Version: d.Version}
	if d.Folder {
		t.Kind, t.Size = "folder", 0
	}
	return t
}

type mailFolder struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func query(parent string) string {
	if parent == "" {
		return ""
	}
	return "?parentId=" + url.QueryEscape(parent)
}

// children lists a folder ("" is the top): folders first.
func (e *explorer) children(ctx context.Context, parent string, most int) ([]thing, error) {
	var out []thing
	if e.sites {
		return e.inSite(ctx, parent, most)
	}
	if e.teams {
		return e.inTeam(ctx, query(parent), most)
	}
	if e.files {
		folders, err := list[document](ctx, e.c, e.path(e.object, "Folders")+query(parent), nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range folders {
			d.Folder = true
			out = append(out, d.thing())
		}
		docs, err := list[document](ctx, e.c, e.path(e.object, "Documents")+query(parent), nil, most)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			if !d.Folder {
				out = append(out, d.thing())
			}
		}
		return out, nil
	}
	folders, err := e.mailFolders(ctx, parent)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		out = append(out, thing{ID: f.ID, Kind: "folder", Name: f.Name})
	}
	if parent == "" {
		return out, nil
	}
	mails, err := list[mailItem](ctx, e.c, e.path(e.object, "items")+query(parent), nil, most)
	for _, m := range mails {
		out = append(out, m.thing())
	}
	return out, err
}

// inSite lists a site's lists and libraries, or what is in one of them or in a folder.
func (e *explorer) inSite(ctx context.Context, parent string, most int) ([]thing, error) {
	var out []thing
	take := func(what, kind string, most int) error {
		all, err := list[document](ctx, e.c, e.path(e.object, what)+query(parent), nil, most)
		for _, d := range all {
			d.kind, d.Folder = kind, d.Folder || kind == "folder" || kind == "list" || kind == "library"
			t := d.thing()
			t.what = what
			out = append(out, t)
		}
		return err
	}
	if parent == "" {
		return out, errors.Join(take("Libraries", "library", 0), take("Lists", "list", 0))
	}
	if err := take("Folders", "folder", 0); err != nil {
		return nil, err
	}
	return out, errors.Join(take("Documents", "file", most), take("Items", "item", most))
}

func (e *explorer) mailFolders(ctx context.Context, parent string) ([]mailFolder, error) {
	return list[mailFolder](ctx, e.c, e.path(e.object, "folders")+query(parent), nil, 0)
}

// walk follows a path of names, "/" between, to a folder or item.
func (e *explorer) walk(ctx context.Context, path string) (thing, error) {
	at := thing{Kind: "folder"}
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
		if at.Kind != "folder" {
			return thing{}, fmt.Errorf("%q is not a folder", at.Name)
		}
		children, err := e.children(ctx, at.ID, 0)
		if err != nil {
			return thing{}, err
		}
		found := false
		for _, c := range children {
			if found = strings.EqualFold(c.Name, name); found {
				at = c
				break
			}
		}
		if !found {
			return thing{}, fmt.Errorf("there is no %q in %q at this restore point", name, "/"+strings.Trim(path, "/"))
		}
	}
	return at, nil
}

// search finds things of the box.
func (e *explorer) search(ctx context.Context, q string, most int) ([]thing, error) {
	if e.teams {
		return e.inTeam(ctx, "?query="+url.QueryEscape(q), most)
	}
	body := map[string]string{"query": q}
	var out []thing
	if e.files || e.sites {
		docs, err := list[document](ctx, e.c, e.path(e.object, "search"), body, most)
		for _, d := range docs {
			t := d.thing()
			t.what = map[bool]string{true: "Folders", false: "Documents"}[d.Folder]
			out = append(out, t)
		}
		return out, err
	}
	mails, err := list[mailItem](ctx, e.c, e.path(e.object, "search"), body, most)
	for _, m := range mails {
		out = append(out, m.thing())
	}
	return out, err
}

// showThings shows a table; ids are long, so they are shown when asked for (and always in JSON).
func showThings(cmd *cobra.Command, things []thing, files, ids bool, none string) error {
	header := []string{"kind", "received", "from", "subject"}
	row := func(t thing) []any { return []any{t.Kind, when(t.Time), cut(dash(t.From), 40), cut(t.Name, 60)} }
	if files {
		header = []string{"kind", "name", "modified", "size", "version"}
		row = func(t thing) []any { return []any{t.Kind, cut(t.Name, 60), when(t.Time), sizeOf(t), dash(t.Version)} }
	}
	if !ids {
		return show(cmd, things, header, row, none)
	}
	return show(cmd, things, append(header, "id"), func(t thing) []any { return append(row(t), t.ID) }, none)
}

func sizeOf(t thing) string {
	if t.Kind == "folder" {
		return "-"
	}
	return size(t.Size)
}

func newExploreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explore",
		Short: "Look into restore points: list users, folders, mails and files, and save them",
		Example: `  holdfast explore users
  holdfast explore ls --user ada Inbox
  holdfast explore ls --user ada --files --at 2026-01-31 Documents/Reports
  holdfast explore save --user ada --files Documents/Reports/plan.docx --out plan.docx`,
	}
	cmd.AddCommand(newExploreUsersCommand(), newExploreListCommand(), newExploreSaveCommand(), newExploreVersionsCommand(), newExploreValuesCommand(), newExploreSessionsCommand())
	return cmd
}

func newExploreUsersCommand() *cobra.Command {
	var l lookAt
	cmd := &cobra.Command{
		Use: "users", Short: "List the mailboxes (with --files the drives, with --site ? the sites, with --team ? the teams, with --chat ? the chats) of a restore point", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			e, err := l.open(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(cmd.Context())
			all, err := e.boxes(cmd.Context())
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "address", "id"}, func(b box) []any { return []any{b.Name, cmp.Or(b.Email, b.URL, b.Mail), b.ID} }, "nothing is protected there")
		}),
	}
	l.flags(cmd)
	return cmd
}

func newExploreListCommand() *cobra.Command {
	var l lookAt
	var most int
	var ids bool
	cmd := &cobra.Command{
		Use: "ls [PATH]", Short: "List a folder at a restore point", Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(cmd.Context())
			at, err := e.walk(cmd.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			things := []thing{at}
			if at.Kind == "folder" {
				if things, err = e.children(cmd.Context(), at.ID, most); err != nil {
					return err
				}
			}
			return showThings(cmd, things, e.files || e.sites, ids, "the folder is empty")
		}),
	}
	l.flags(cmd)
	cmd.Flags().BoolVarP(&ids, "long", "l", false, "show ids, for --id of save and restore")
	cmd.Flags().IntVar(&most, "limit", 50, "at most so many mails or files (0: all)")
	return cmd
}

// selection says which things of a box a command is about.
type selection struct {
	ids   []string
	query string
}

func (s *selection) flags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&s.ids, "id", nil, "id of a mail, file or folder, as ls -l and search -l show it; may be given several times")
	cmd.Flags().StringVar(&s.query, "query", "", "everything that this search finds")
}

// things gives what was selected: by paths, ids and a search.
func (s *selection) things(ctx context.Context, e *explorer, paths []string) ([]thing, error) {
	var out []thing
	for _, p := range paths {
		t, err := e.walk(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	for _, id := range s.ids {
		t := thing{ID: id, Kind: "mail"}
		if e.files {
			t.Kind = "file"
			var folder document
			if err := e.c.get(ctx, e.path(e.object, "Folders", id), &folder); err == nil {
				t.Kind = "folder"
			}
		} else {
			var folder mailFolder
			if err := e.c.get(ctx, e.path(e.object, "folders", id), &folder); err == nil {
				t.Kind = "folder"
			}
		}
		out = append(out, t)
	}
	if s.query != "" {
		found, err := e.search(ctx, s.query, 0)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%q finds nothing at this restore point", s.query)
		}
		out = append(out, found...)
	}
	return out, nil
}

func newExploreSaveCommand() *cobra.Command {
	var l lookAt
	var s selection
	var out string
	var zip bool
	cmd := &cobra.Command{
		Use:   "save [PATH…]",
		Short: "Save mails (.eml) or files as they were; several go into one ZIP; a chat as a page of HTML or as a ZIP",
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			ctx := cmd.Context()
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(ctx)
			things, err := s.things(ctx, e, args)
			if err != nil {
				return err
			}
			if zip && !e.chats {
				return errors.New("--zip goes with --chat: of anything else several items are a ZIP anyway")
			}
			save := e.save
			if e.chats {
				save = func(ctx context.Context, things []thing) (*http.Response, error) { return e.saveChat(ctx, things, zip) }
			}
			resp, err := save(ctx, things)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return saveAnswer(cmd, resp, out)
		}),
	}
	l.flags(cmd)
	s.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: the name that the server gives)")
	cmd.Flags().BoolVar(&zip, "zip", false, "of a chat: a ZIP of the messages as Teams served them, the pictures, who took part in it, and a list of all with hashes")
	return cmd
}

// ref is how the contract names an item in a body.
func refs(things []thing) []map[string]string {
	out := make([]map[string]string, len(things))
	for i, t := range things {
		out[i] = map[string]string{"id": t.ID}
	}
	return out
}

// split parts folders from mails and files.
func split(things []thing) (folders, items []thing) {
	for _, t := range things {
		if t.Kind == "folder" {
			folders = append(folders, t)
		} else {
			items = append(items, t)
		}
	}
	return folders, items
}

// saveChat saves a chat, or messages of it, as one page or as a ZIP.
func (e *explorer) saveChat(ctx context.Context, things []thing, zip bool) (*http.Response, error) {
	body := map[string]any{"page": !zip}
	if !slices.ContainsFunc(things, func(t thing) bool { return t.Kind == "folder" }) {
		ids := make([]string, len(things))
		for i, t := range things {
			ids[i] = t.ID
		}
		body["items"] = ids
	}
	return e.c.send(ctx, http.MethodPost, e.own("Items", "save"), body)
}

func (e *explorer) save(ctx context.Context, things []thing) (*http.Response, error) {
	folders, items := split(things)
	switch {
	case len(things) == 0:
		return nil, errors.New("nothing is selected: name paths, --id or --query")
	case e.teams && (len(things) > 1 || things[0].Kind == "folder"):
		return nil, errors.New("of a team one file, post or tab is saved at a time")
	case e.teams:
		return e.c.send(ctx, http.MethodGet, e.own("Items", things[0].ID, "Content"), nil)
	case e.sites && len(things) > 1:
		return nil, errors.New("of a site one document, item, folder or library is saved at a time")
	case e.sites:
		t := things[0]
		switch t.what {
		case "Documents":
			return e.c.send(ctx, http.MethodPost, e.path(e.object, "Documents", t.ID, "save"), map[string]any{"asZip": false})
		case "Folders", "Libraries":
			return e.c.send(ctx, http.MethodPost, e.path(e.object, t.what, t.ID, "save"), nil)
		case "Items": // as a ZIP with what is attached
			return e.c.send(ctx, http.MethodPost, e.path(e.object, "Items", t.ID, "Attachments", "save"), map[string]any{})
		}
		return nil, errors.New("a list is saved by its items; name one by its path")
	case len(folders) > 0 && len(items) > 0:
		return nil, errors.New("save folders and single items in two steps")
	case len(folders) > 0 && !e.files:
		return nil, errors.New("mail is saved by mails, not by folders: select them with --query")
	case len(folders) > 0:
		return e.c.send(ctx, http.MethodPost, e.path(e.object, "Folders", "save"), map[string]any{"folders": refs(folders)})
	case e.files && len(items) == 1:
		return e.c.send(ctx, http.MethodPost, e.path(e.object, "Documents", items[0].ID, "save"), map[string]any{"asZip": false})
	case e.files:
		return e.c.send(ctx, http.MethodPost, e.path(e.object, "Documents", "save"), map[string]any{"documents": refs(items)})
	case len(items) == 1:
		return e.c.send(ctx, http.MethodPost, e.path(e.object, "items", items[0].ID, "save"), map[string]any{})
	}
	return e.c.send(ctx, http.MethodPost, e.path(e.object, "items", "Save"), map[string]any{"items": refs(items)})
}

// saveAnswer writes a download. An existing file is never overwritten, a broken download leaves none.
func saveAnswer(cmd *cobra.Command, resp *http.Response, out string) error {
	if out == "" {
		_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err == nil {
			out = filepath.Base(filepath.Clean("/" + params["filename"]))
		}
		if out == "" || out == "/" || out == "." {
			out = "download"
		}
	}
	if out == "-" {
		_, err := io.Copy(cmd.OutOrStdout(), resp.Body)
		return err
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: give another name with --out", out)
	} else if err != nil {
		return err
	}
	n, err := io.Copy(f, resp.Body)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(out)
		return fmt.Errorf("the download broke off: %w", err)
	}
	return done(cmd, map[string]any{"file": out, "size": n}, "saved %s (%s)", out, size(n))
}

func newExploreSessionsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sessions", Short: "List restore sessions, newest first", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := list[restoreSession](cmd.Context(), c, "/RestoreSessions", nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"type", "started", "ended", "state", "result", "by", "id"}, func(s restoreSession) []any {
				return []any{s.shows(), when(s.Created), when(s.Ended), s.State, s.Result, s.Initiator, s.ID}
			}, "no restore session yet")
		}),
	}
}
