package rest

import (
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func TestWhatWasRestoredHasTheTypeOfItsExplorer(t *testing.T) {
	for _, tc := range []struct {
		explorer holdfast.ExplorerType
		item     string
		want     contract.RESTRestoreItemType
	}{
		{holdfast.ExploreExchange, "AAMkAD", contract.RESTRestoreItemTypeExchangeMailbox},
		{holdfast.ExploreOneDrive, "01ABC", contract.RESTRestoreItemTypeOneDriveItem},
		{holdfast.ExploreSites, "list.7", contract.RESTRestoreItemTypeSharePointItem},
		{holdfast.ExploreTeams, "team", contract.RESTRestoreItemTypeTeamsTeam},
		{holdfast.ExploreTeams, "channel.19:a@thread.tacv2", contract.RESTRestoreItemTypeTeamsChannel},
		{holdfast.ExploreTeams, "post.19:a@thread.tacv2.1", contract.RESTRestoreItemTypeTeamsPost},
		{holdfast.ExploreTeams, "tab.19:a@thread.tacv2.x", contract.RESTRestoreItemTypeTeamsTab},
		{holdfast.ExploreTeams, "01ABC", contract.RESTRestoreItemTypeTeamsFile},
	} {
		if got := restoredType(tc.explorer, tc.item); got != tc.want {
			t.Errorf("%s in %s is %s, want %s", tc.item, tc.explorer, got, tc.want)
		}
	}
}
