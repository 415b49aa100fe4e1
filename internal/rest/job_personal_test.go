package rest

import (
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Personal sites are taken by those items that ask for them, alone too, and told back by them; of the organization they are no other sites.
func TestPersonalSitesOfItems(t *testing.T) {
	user, org, all := contract.RESTJobBackupItemTypeUser, contract.RESTJobBackupItemTypePartialOrganization, contract.RESTJobBackupItemTypePersonalSites
	who := &contract.RESTUser{ID: new("ada")}
	yes := new(true)
	for name, tc := range map[string]struct {
		in   contract.RESTJobItemComposed
		want holdfast.JobItem
		told bool
	}{
		"of a user":                          {contract.RESTJobItemComposed{Type: &user, User: who, PersonalSite: yes}, holdfast.JobItem{Type: "User", ObjectID: "ada", Sites: true}, true},
		"of everybody":                       {contract.RESTJobItemComposed{Type: &org, PersonalSite: yes}, holdfast.JobItem{Type: "PartialOrganization", PersonalSites: true}, true},
		"of the organization, sites alone":   {contract.RESTJobItemComposed{Type: &org, Sites: yes}, holdfast.JobItem{Type: "PartialOrganization", Sites: true}, false},
		"of a user who is taken as he is":    {contract.RESTJobItemComposed{Type: &user, User: who}, holdfast.JobItem{Type: "User", ObjectID: "ada", Mailbox: true, OneDrive: true, Everything: true}, false},
		"of everybody, as an item by itself": {contract.RESTJobItemComposed{Type: &all}, holdfast.JobItem{Type: "PersonalSites", Sites: true}, false},
	} {
		item, err := itemFromContract("items[0]", tc.in)
		if err != nil || item.Type != tc.want.Type || item.ObjectID != tc.want.ObjectID || item.Mailbox != tc.want.Mailbox || item.OneDrive != tc.want.OneDrive || item.Sites != tc.want.Sites || item.PersonalSites != tc.want.PersonalSites || item.Everything != tc.want.Everything {
			t.Errorf("%s: %+v, %v", name, item, err)
		}
		out := itemToContract(links{}, service.Selected, "job", item)
		if told := out.PersonalSite != nil && *out.PersonalSite; told != tc.told || *out.Type != *tc.in.Type {
			t.Errorf("%s is told back as %+v", name, out)
		}
	}
}
