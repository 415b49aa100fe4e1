package holdfast

import "slices"

// FolderExclusions are the folders of mailboxes that no job backs up, with what is in them.
type FolderExclusions struct {
	DeletedItems, Drafts, JunkEmail, Outbox, SyncIssues bool
}

// folder is one of the folders that FolderExclusions may leave out.
type folder struct {
	left        bool
	name, title string
}

// folders are those that are left out.
func (e FolderExclusions) folders() []folder {
	all := []folder{{e.DeletedItems, "deleteditems", "Deleted Items"}, {e.Drafts, "drafts", "Drafts"}, {e.JunkEmail, "junkemail", "Junk Email"},
		{e.Outbox, "outbox", "Outbox"}, {e.SyncIssues, "syncissues", "Sync Issues"}}
	return slices.DeleteFunc(all, func(f folder) bool { return !f.left })
}

// Names are the names of what is left out as Outlook knows the folders, whatever the mailbox's language.
// https://learn.microsoft.com/graph/api/resources/mailfolder
func (e FolderExclusions) Names() (names []string) {
	for _, f := range e.folders() {
		names = append(names, f.name)
	}
	return names
}

// Titles are the names of what is left out, for people.
func (e FolderExclusions) Titles() (titles []string) {
	for _, f := range e.folders() {
		titles = append(titles, f.title)
	}
	return titles
}

// RetentionExclusion says what of mailboxes retention spares.
type RetentionExclusion struct {
	Contacts bool
	Calendar bool
}

// Spares says whether a restore point stays though its time is up. Restore points expire whole, so one that holds the contacts or the calendar of a
// mailbox stays whole.
func (e RetentionExclusion) Spares(p RestorePoint) bool {
	if !e.Contacts && !e.Calendar {
		return false
	}
	return slices.ContainsFunc(p.Entries, func(e PointEntry) bool {
		return e.Head > 0 && e.Container.Kind == Mailbox && !e.Container.OfGroup()
	})
}

// RetentionExclusions are those of the installation, and of organizations that have their own.
type RetentionExclusions struct {
	Everywhere    RetentionExclusion
	Organizations map[OrganizationID]RetentionExclusion
}

// Of is what holds for an organization.
func (e RetentionExclusions) Of(org OrganizationID) RetentionExclusion {
	if own, ok := e.Organizations[org]; ok {
		return own
	}
	return e.Everywhere
}
