package holdfast

import "slices"

// Scope says which objects a caller sees. A nil *Scope is everything there is; one without grants is nothing.
type Scope struct {
	Grants []Grant
	// Account narrows restore sessions to those that this account opened.
	Account UserID
}

// Grant is some objects of one organization: those of all its users, or of some, and never of those that are excluded.
// Users are named by their Entra object ids.
type Grant struct {
	Organization OrganizationID
	Whole        bool
	Owners       []string // when not Whole
	Excluded     []string // wins over both
	Acts         []GrantAct
}

// GrantAct is something that a grant allows with what is in it.
type GrantAct string

// The acts of grants.
const (
	GrantRead             GrantAct = "read"             // browse, search, preview
	GrantDownload         GrantAct = "download"         // take content away
	GrantRestore          GrantAct = "restore"          // put back to its own place
	GrantRestoreElsewhere GrantAct = "restoreElsewhere" // put back to another user
)

// GrantActs are all of them.
var GrantActs = []GrantAct{GrantRead, GrantDownload, GrantRestore, GrantRestoreElsewhere}

// Has says whether an object of the owner is in the scope. What several have together (a chat) is when one of them is.
func (s *Scope) Has(org OrganizationID, owner string) bool {
	if s == nil {
		return true
	}
	return slices.ContainsFunc(s.Grants, func(g Grant) bool { return g.Organization == org && g.has(owner) })
}

// HasOrganization says whether anything of an organization is in the scope.
func (s *Scope) HasOrganization(org OrganizationID) bool {
	if s == nil {
		return true
	}
	return slices.ContainsFunc(s.Grants, func(g Grant) bool { return g.Organization == org })
}

func (g Grant) has(owner string) bool {
	if owner == "" {
		return g.Whole && len(g.Excluded) == 0
	}
	return slices.ContainsFunc(Owners(owner), func(one string) bool {
		return !slices.Contains(g.Excluded, one) && (g.Whole || slices.Contains(g.Owners, one))
	})
}

// Allowed are the owners of a grant that is not Whole, without those that are excluded.
func (g Grant) Allowed() []string {
	return slices.DeleteFunc(slices.Clone(g.Owners), func(o string) bool { return o == "" || slices.Contains(g.Excluded, o) })
}
