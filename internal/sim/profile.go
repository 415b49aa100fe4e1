package sim

import "fmt"

// profile is the size of the tenant.
type profile struct {
	users int
	mail  MailShape
	pim   PIMShape
	files int
	sites SiteShape
	teams TeamShape
	chats ChatShape
	// groups are those besides the departments' and the teams', of which every second one has a mailbox.
	groups int
	large  bool // the first user has a million messages and a million files, the others are small
}

// newProfile joins a named profile with what the options override.
func newProfile(o Options) (profile, error) {
	base := MailShape{MeanSize: 50 << 10, WithAttachments: 0.4, SharedShare: 0.2, SharedFiles: 300}
	p := profile{mail: base}
	switch o.Profile {
	case "tiny":
		p.users, p.files, p.mail.Messages, p.mail.Folders, p.mail.MeanSize = 3, 12, 24, 4, 12<<10
		p.sites = SiteShape{Sites: 3, Items: 12, Files: 12}
		p.teams = TeamShape{Teams: 2, Channels: 4, Posts: 120, Files: 12}
		p.chats = ChatShape{Chats: 3, Posts: 12}
		p.pim = PIMShape{Contacts: 10, Events: 17, Tasks: 8}
	case "small":
		p.users, p.files, p.mail.Messages, p.mail.Folders = 12, 100, 250, 8
		p.sites = SiteShape{Sites: 5, Items: 40, Files: 60}
		p.teams = TeamShape{Teams: 3, Channels: 5, Posts: 400, Files: 30}
		p.chats = ChatShape{Chats: 3, Posts: 40}
		p.pim = PIMShape{Contacts: 40, Events: 60, Tasks: 20}
	case "medium":
		p.users, p.files, p.mail.Messages, p.mail.Folders = 20, 2000, 5000, 20
		p.sites = SiteShape{Sites: 10, Items: 300, Files: 1000}
		p.teams = TeamShape{Teams: 5, Channels: 6, Posts: 5000, Files: 200}
		p.chats = ChatShape{Chats: 6, Posts: 200}
		p.pim = PIMShape{Contacts: 200, Events: 400, Tasks: 60}
	case "large":
		p.users, p.files, p.mail.Messages, p.mail.Folders, p.large = 3, 200, 1000, 40, true
		p.sites = SiteShape{Sites: 3, Items: 1000, Files: 200}
		p.teams = TeamShape{Teams: 2, Channels: 6, Posts: 100_000, Files: 200}
		p.chats = ChatShape{Chats: 6, Posts: 2000}
		p.mail.MeanSize = 2 << 10
		p.pim = PIMShape{Contacts: 2000, Events: 5000, Tasks: 500}
	default:
		return p, fmt.Errorf("simulator: profile %q: want tiny, small, medium or large", o.Profile)
	}
	if o.Users < 0 || o.Users > 100000 {
		return p, fmt.Errorf("simulator: %d users: want 1 to 100000", o.Users)
	}
	over := func(to *int, v int) {
		if v > 0 {
			*to = v
		}
	}
	share := func(to *float64, v float64) {
		if v != 0 {
			*to = max(v, 0)
		}
	}
	over(&p.users, o.Users)
	over(&p.files, o.FilesPer)
	p.groups = max(o.Groups, 0)
	over(&p.sites.Sites, o.Site.Sites)
	over(&p.sites.Items, o.Site.Items)
	over(&p.sites.Files, o.Site.Files)
	over(&p.sites.Sharing, o.Site.Sharing)
	p.sites.FileBytes, p.sites.OneEach = o.Site.FileBytes, o.Site.OneEach
	over(&p.teams.Channels, o.Team.Channels)
	over(&p.teams.Posts, o.Team.Posts)
	over(&p.teams.Files, o.Team.Files)
	p.teams.Hosted = 13
	if o.Team.Hosted != 0 {
		p.teams.Hosted = o.Team.Hosted
	}
	over(&p.chats.Posts, o.Chat.Posts)
	p.chats.Guests, p.chats.Hosted = o.Chat.Guests, 13
	if o.Chat.Hosted != 0 {
		p.chats.Hosted = o.Chat.Hosted
	}
	if o.Chat.Chats != 0 {
		p.chats.Chats = max(o.Chat.Chats, 0)
	}
	if o.Team.Teams != 0 {
		p.teams.Teams = max(o.Team.Teams, 0)
	}
	for to, v := range map[*int]int{&p.pim.Contacts: o.PIM.Contacts, &p.pim.Events: o.PIM.Events, &p.pim.Tasks: o.PIM.Tasks} {
		if v != 0 {
			*to = max(v, 0)
		}
	}
	over(&p.mail.Messages, o.Mail.Messages)
	over(&p.mail.Folders, o.Mail.Folders)
	over(&p.mail.MeanSize, o.Mail.MeanSize)
	over(&p.mail.SharedFiles, o.Mail.SharedFiles)
	share(&p.mail.WithAttachments, o.Mail.WithAttachments)
	share(&p.mail.SharedShare, o.Mail.SharedShare)
	p.mail.OneFolder = o.Mail.OneFolder
	return p, nil
}
