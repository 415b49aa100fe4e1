package card_test

import (
	"slices"
	"testing"

	"holdfast/internal/explorer/card"
)

func TestSettingsAreShown(t *testing.T) {
	for name, tc := range map[string]struct {
		raw  string
		want []string
		body string
	}{
		"settings": {
			`{"timeZone":"UTC","language":{"locale":"de-DE","displayName":"German"},"workingHours":{"daysOfWeek":["monday","friday"],"startTime":"08:30:00.0000000","timeZone":{"name":"UTC"}},
			"automaticRepliesSetting":{"status":"alwaysEnabled","internalReplyMessage":"<p>gone</p>","externalReplyMessage":"<p>away</p>","scheduledEndDateTime":{"dateTime":"2026-03-01T10:00:00.0000000","timeZone":"UTC"}}}`,
			[]string{"time zone=UTC", "language=de-DE", "working hours: days of week=monday; friday", "working hours: time zone=UTC", "automatic replies setting: status=alwaysEnabled",
				"automatic replies setting: external reply message=away", "automatic replies setting: scheduled end date time=2026-03-01 10:00 UTC"}, "<p>gone</p>",
		},
		"a rule": {
			`{"id":"x","displayName":"Invoices","isEnabled":true,"conditions":{"fromAddresses":[{"emailAddress":{"name":"Ada","address":"ada@contoso.com"}}]},"actions":{"markAsRead":true}}`,
			[]string{"display name=Invoices", "is enabled=yes", "conditions: from addresses=Ada <ada@contoso.com>", "actions: mark as read=yes"}, "",
		},
		"categories":  {`{"value":[{"displayName":"Red","color":"preset0"}]}`, []string{"Red=preset0"}, ""},
		"permissions": {`{"value":[{"emailAddress":{"name":"Bob","address":"bob@contoso.com"},"role":"read"}]}`, []string{"Bob <bob@contoso.com>=read"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, body, err := card.SettingCard([]byte(tc.raw))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, v := range got.Values {
				lines = append(lines, v.Title+"="+v.Value)
			}
			for _, want := range tc.want {
				if !slices.Contains(lines, want) {
					t.Errorf("%q is not among %q", want, lines)
				}
			}
			if body.Text != tc.body {
				t.Errorf("the text is %q", body.Text)
			}
		})
	}
	if _, _, err := card.SettingCard([]byte("[")); err == nil {
		t.Error("half a setting is shown")
	}
}
