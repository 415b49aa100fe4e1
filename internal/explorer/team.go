package explorer

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/internal/holdfast"
)

// formApps are the apps of a team, as Microsoft Graph has them.
const formApps = holdfast.Form("apps")

// ofTeams says whether an item is a team, a channel, a tab or a chat, which are stored as Microsoft Graph has them.
func ofTeams(entry holdfast.Entry) bool {
	special := entry.Fields[holdfast.FieldSpecial]
	return entry.Kind == holdfast.KindTab || entry.Kind == holdfast.KindFolder && (special == "team" || special == "channel" || special == "chat")
}

// teamParts tells of a team, a channel, a tab or a chat.
func (o *Opened) teamParts(ctx context.Context, entry holdfast.Entry) (*Parts, error) {
	raw, err := o.whole(ctx, entry, holdfast.FormJSON)
	if err != nil {
		return nil, err
	} else if raw == nil {
		return nil, holdfast.NotFound("the restore point has no content of %q", entry.Name)
	}
	var stored struct {
		Description, Visibility, MembershipType, ChatType, Email string
		CreatedDateTime                                          *time.Time
		IsArchived                                               bool
		TeamsApp                                                 struct{ DisplayName string }
		Configuration                                            struct{ ContentURL, WebsiteURL string }

		FunSettings, GuestSettings, MemberSettings, MessagingSettings map[string]any
	}
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, holdfast.Damaged("what is stored of %q can't be read: %w", entry.Name, err)
	}
	out := &holdfast.TeamCard{What: "tab", Description: stored.Description, Visibility: stored.Visibility, Membership: stored.MembershipType, Archived: stored.IsArchived, Created: stored.CreatedDateTime,
		Mail: stored.Email, App: stored.TeamsApp.DisplayName, Shows: stored.Configuration.ContentURL}
	if stored.Configuration.WebsiteURL != "" { // for people; the other one is for Teams
		out.Shows = stored.Configuration.WebsiteURL
	}
	if entry.Kind == holdfast.KindFolder {
		out.What = entry.Fields[holdfast.FieldSpecial]
	}
	switch out.What {
	case "chat":
		out.Membership = stored.ChatType
	case "team":
		if out.Apps, err = o.apps(ctx, entry); err != nil {
			return nil, err
		}
		out.Settings = map[string]map[string]any{"funSettings": stored.FunSettings, "guestSettings": stored.GuestSettings, "memberSettings": stored.MemberSettings,
			"messagingSettings": stored.MessagingSettings}
	}
	return &Parts{Name: entry.Name, Card: holdfast.Card{Team: out}}, nil
}

// apps names what is installed in a team.
func (o *Opened) apps(ctx context.Context, team holdfast.Entry) (names []string, err error) {
	raw, err := o.whole(ctx, team, formApps)
	if err != nil || raw == nil {
		return nil, err
	}
	var all []struct {
		TeamsApp           struct{ DisplayName string }
		TeamsAppDefinition struct{ DisplayName string }
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, holdfast.Damaged("the apps of %q can't be read: %w", team.Name, err)
	}
	for _, a := range all {
		if name := a.TeamsApp.DisplayName; name != "" {
			names = append(names, name)
		} else if name := a.TeamsAppDefinition.DisplayName; name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}
