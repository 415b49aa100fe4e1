package rest

import (
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Chats are taken by those items that ask for them, alone too, and shown by them.
func TestChatsOfItems(t *testing.T) {
	user, team := contract.RESTJobBackupItemTypeUser, contract.RESTJobBackupItemTypeTeam
	who := &contract.RESTUser{ID: new("ada")}
	item, err := itemFromContract("items[0]", contract.RESTJobItemComposed{Type: &user, User: who, Chats: new(true)})
	if err != nil || !item.Chats || item.Mailbox || item.OneDrive || item.Everything {
		t.Errorf("chats alone are %+v, %v", item, err)
	}
	if out := itemToContract(links{}, service.Selected, "job", item); out.Chats == nil || !*out.Chats {
		t.Errorf("shown is %v", out.Chats)
	}
	item, err = itemFromContract("items[0]", contract.RESTJobItemComposed{Type: &user, User: who})
	if err != nil || item.Chats || !item.Mailbox {
		t.Errorf("nothing chosen is %+v, %v", item, err)
	}
	if _, err := itemFromContract("items[0]", contract.RESTJobItemComposed{Type: &team, Chats: new(true)}); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("chats of a team: %v", err)
	}
}
