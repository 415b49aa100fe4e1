package sim_test

import (
	"crypto/sha256"
	"testing"

	"holdfast/internal/sim"
)

func TestMailboxesHaveTheShapeThatWasAskedFor(t *testing.T) {
	for name, tc := range map[string]struct {
		shape    sim.MailShape
		messages int
	}{
		"50 KB, 40 % with attachments": {sim.MailShape{Messages: 1500, MeanSize: 50 << 10, Folders: 40}, 1500},
		"2 KB":                         {sim.MailShape{Messages: 1500, MeanSize: 2 << 10, Folders: 40}, 1500},
		"no attachments":               {sim.MailShape{Messages: 500, MeanSize: 8 << 10, WithAttachments: -1}, 500},
		"one folder":                   {sim.MailShape{Messages: 300, MeanSize: 4 << 10, OneFolder: true}, 300},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sim.New(sim.Options{Dir: t.TempDir(), Users: 1, Seed: 77, Mail: tc.shape})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			user := s.Tenant().Users[0].ID
			var bytes, n, with, files int
			sums := map[[32]byte]int{}
			busy := 0
			folder := func(f sim.MailFolderRow) error {
				if f.Total > 0 {
					busy++
				}
				return nil
			}
			err = s.DumpMailbox(user, false, folder, func(m sim.MailRow) error {
				if m.Class == "IPM.StickyNote" {
					return nil // beside the messages that were asked for
				}
				n++
				if len(m.Attachments) > 0 {
					with++
				}
				for _, a := range m.Attachments {
					if a.Kind == "file" && !a.Inline {
						files++
						sums[sha256.Sum256([]byte(a.SHA256))]++
					}
				}
				raw, err := s.MIME(user, m.ID)
				bytes += len(raw)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			repeated := 0
			for _, c := range sums {
				repeated += c - 1
			}
			mean := bytes / n
			t.Logf("%d messages, mean %d bytes, %d with attachments, %d files of which %d repeat another, %d folders with mail", n, mean, with, files, repeated, busy)
			if n != tc.messages || mean < tc.shape.MeanSize*85/100 || mean > tc.shape.MeanSize*115/100 {
				t.Errorf("%d messages with a mean of %d bytes, want %d and %d", n, mean, tc.messages, tc.shape.MeanSize)
			}
			share := float64(with) / float64(n)
			switch {
			case tc.shape.WithAttachments < 0 && with != 0:
				t.Errorf("%d messages have attachments", with)
			case tc.shape.WithAttachments == 0 && n >= 1000 && (share < 0.37 || share > 0.43):
				t.Errorf("a share of %.2f has attachments, want 0.40", share)
			}
			if tc.shape.OneFolder && busy != 1 || tc.shape.Folders == 40 && busy < 40 {
				t.Errorf("%d folders with mail", busy)
			}
		})
	}
}
