package exchange_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// exported is a fixture whose mail is read as it is exported.
func exported(t *testing.T, name string, o sim.Options, test func(t *testing.T, f fixture)) {
	t.Run(name+"/export", func(t *testing.T) { test(t, setup(t, o)) })
}

// formsOf counts the mails of each form of content.
func formsOf(c *workloadtest.Container) (fts, mime, unreadable int) {
	for _, item := range c.Items() {
		if item.Kind != holdfast.KindMail {
			continue
		}
		if item.Forms[holdfast.FormFTS] != nil {
			fts++
		}
		if item.Forms[holdfast.FormMIME] != nil {
			mime++
		}
		if item.Fields[holdfast.FieldUnreadable] != "" {
			unreadable++
		}
	}
	return fts, mime, unreadable
}

// Whatever breaks on the way, in the end the container holds what the mailbox holds, in the right form.
func TestExportsUnderFaults(t *testing.T) {
	for name, faults := range map[string][]sim.Fault{
		"an item fails within the answer":  {{Name: sim.FaultExportPartial, Every: 7}},
		"streams are broken off":           {{Name: sim.FaultExportCut, Every: 5}},
		"the answer breaks":                {{Name: sim.FaultTruncated, Path: "exportItems", Every: 2}},
		"the answer ends early":            {{Name: sim.FaultShort, Path: "exportItems", Every: 2}},
		"a page of HTML":                   {{Name: sim.FaultHTML, Path: "exportItems", Every: 3}},
		"no immutable ids":                 {{Name: sim.FaultExportIDs}},
		"server errors":                    {{Name: sim.FaultServerError, Path: "exportItems", Every: 2}},
		"throttling":                       {{Name: sim.FaultThrottled, Path: "exportItems", Every: 2}, {Name: sim.FaultUnavailable, Path: "exportItems", Every: 3}},
		"the token expires":                {{Name: sim.FaultToken, Path: "exportItems", Every: 3}},
		"drops":                            {{Name: sim.FaultDropped, Path: "exportItems", Every: 3}},
		"mails change while they are read": {{Name: sim.FaultItemChanged, Path: "exportItems", Every: 9, Times: 3}},
		"all together":                     {{Name: sim.FaultExportPartial, Every: 9}, {Name: sim.FaultExportCut, Every: 11}, {Name: sim.FaultTruncated, Path: "exportItems", Every: 5}, {Name: sim.FaultExportIDs}, {Name: sim.FaultBadGateway, Every: 6}},
	} {
		exported(t, name, sim.Options{Seed: 51, Mail: sim.MailShape{Messages: 130, MeanSize: 3000}}, func(t *testing.T, f fixture) {
			if err := f.sim.SetFaults(faults...); err != nil {
				t.Fatal(err)
			}
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			for _, x := range faults {
				if f.sim.Stats().FaultsFired[x.Name] == 0 {
					t.Errorf("fault %s did not strike", x.Name)
				}
			}
			if err := f.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			if err := c.Read(t.Context(), f.source, f.box); err != nil { // what changed last
				t.Fatal(err)
			}
			if len(c.Skips) > 0 {
				t.Errorf("%d mails were skipped: %v", len(c.Skips), c.Skips)
			}
			f.same(t, c)
			if n := f.sim.Stats().TokenCanary; n != 0 {
				t.Errorf("%d tokens were sent where none belongs", n)
			}
		})
	}
}

// An item that the service can't give out is named, tried by each later read, and none is stored in its place.
func TestAnItemThatCannotBeExportedIsNamedAndTriedAgain(t *testing.T) {
	for _, fault := range []string{sim.FaultItemBroken, sim.FaultExportCut} {
		exported(t, fault, sim.Options{Seed: 52, Mail: sim.MailShape{Messages: 60, MeanSize: 800}}, func(t *testing.T, f fixture) {
			if err := f.sim.SetFaults(sim.Fault{Name: fault, Path: "exportItems"}); err != nil {
				t.Fatal(err)
			}
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			fts, _, _ := formsOf(c)
			if len(c.Skips) == 0 || fts+len(c.Skips) != len(f.truth(t)) {
				t.Fatalf("%d stored, %d skipped", fts, len(c.Skips))
			}
			for id, s := range c.Skips {
				if s.Reason != holdfast.SkipCorrupt && s.Reason != holdfast.SkipTransient {
					t.Errorf("%s: %v", id, s)
				}
			}
			if err := f.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			f.same(t, c)
		})
	}
}

// A stream that nobody can read is stored as it came, says so, and goes back as it was.
func TestAStreamThatCannotBeReadIsStoredAndRestoredAllTheSame(t *testing.T) {
	exported(t, "strange", sim.Options{Seed: 53, Mail: sim.MailShape{Messages: 60, MeanSize: 800}}, func(t *testing.T, f fixture) {
		if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultExportStrange}); err != nil {
			t.Fatal(err)
		}
		c := workloadtest.New()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		fts, _, unreadable := formsOf(c)
		if unreadable == 0 || fts != len(f.truth(t)) || len(c.Skips) > 0 {
			t.Fatalf("%d stored, %d as they are, %d skipped", fts, unreadable, len(c.Skips))
		}
		for _, item := range c.Items() {
			if item.Fields[holdfast.FieldUnreadable] == "" {
				continue
			}
			whole := item.Forms[holdfast.FormFTS]
			if item.Forms[holdfast.FormRecords] != nil || !bytes.HasPrefix(whole, []byte("\x63\x00\x00\x00")) {
				t.Errorf("%q is not stored as it came", item.Name)
			}
			// The simulator takes back no more than Exchange would of what nobody can read, and Holdfast can't make the mail of its parts.
			if res, err := f.put(t, c, item.ID, engine.RestorePlan{Session: "s", Mode: engine.KeepBoth}); err == nil {
				t.Errorf("%q was restored: %+v", item.Name, res)
			}
		}
	})
}

// One way of reading follows on the other, and nothing is read again for it.
func TestTheWayOfReadingMayChange(t *testing.T) {
	exported(t, "both ways", sim.Options{Seed: 54, Mail: sim.MailShape{Messages: 60, MeanSize: 800}}, func(t *testing.T, f fixture) {
		asMIME := mailOnly{f.source.(mailOnly).Source, holdfast.MailboxParts}
		c := workloadtest.New()
		if err := c.Read(t.Context(), asMIME, f.box); err != nil {
			t.Fatal(err)
		}
		touch := func(category string) string {
			t.Helper()
			folders, in := mails(c)
			id := in[folders[0]][0]
			if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, id, "", map[string]any{"categories": []string{category}}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		id := touch("one")
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		if fts, mime, _ := formsOf(c); fts != 1 || mime != len(f.truth(t))-1 || c.Items()[id].Forms[holdfast.FormFTS] == nil {
			t.Errorf("after a change %d are exported, %d are MIME", fts, mime)
		}
		if again := touch("two"); again != id {
			t.Fatal("another mail was changed")
		}
		if err := c.Read(t.Context(), asMIME, f.box); err != nil {
			t.Fatal(err)
		}
		if fts, mime, _ := formsOf(c); fts != 0 || mime != len(f.truth(t)) {
			t.Errorf("back again %d are exported, %d are MIME", fts, mime)
		}
		// A link that was made for rows without bodies tells nothing of a body's change.
		c = workloadtest.New()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		id = touch("three")
		if err := c.Read(t.Context(), asMIME, f.box); err != nil {
			t.Fatal(err)
		}
		touch("four")
		if err := c.Read(t.Context(), asMIME, f.box); err != nil {
			t.Fatal(err)
		}
		if item := c.Items()[id]; item.Forms[holdfast.FormMIME] == nil || item.Fields[holdfast.FieldBody] != "" {
			t.Errorf("what was read by an old link: %v", item.Fields)
		}
	})
}

// Without the right to export, or where it is refused all the same, mail is read as MIME.
func TestWithoutTheRightMailIsReadAsMIME(t *testing.T) {
	for name, deny := range map[string]func(f fixture) error{
		"no right": func(f fixture) error {
			f.sim.SetRoles([]string{"User.Read.All", "Mail.ReadWrite", "Mail.Read"})
			f.sim.RevokeTokens()
			_, err := f.g.MailFolder(t.Context(), f.box.Source, "inbox", graph.List{}) // and a new token is asked for
			return err
		},
		"refused": func(f fixture) error {
			return f.sim.SetFaults(sim.Fault{Name: sim.FaultRefused, Path: "exportItems"})
		},
	} {
		exported(t, name, sim.Options{Seed: 55, Mail: sim.MailShape{Messages: 30, MeanSize: 800}}, func(t *testing.T, f fixture) {
			if err := deny(f); err != nil {
				t.Fatal(err)
			}
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			if fts, mime, _ := formsOf(c); fts != 0 || mime == 0 || len(c.Skips) > 0 {
				t.Errorf("%d exported, %d MIME, %d skipped", fts, mime, len(c.Skips))
			}
		})
	}
}

// The bars: requests of a full read, and of an incremental one beside that of the MIME path.
func TestExportsCostFewRequests(t *testing.T) {
	exported(t, "requests", sim.Options{Seed: 56, Mail: sim.MailShape{Messages: 2000, Folders: 12, MeanSize: 500, WithAttachments: -1}}, func(t *testing.T, f fixture) {
		c := workloadtest.New()
		full := f.requests(func() {
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
		})
		if full > 200 { // of the 2,000 mails 100; the rest is of the folders, and as much for 20,000
			t.Errorf("%d requests for 2,000 mails", full)
		}
		idle := f.requests(func() {
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
		})
		asMIME := mailOnly{f.source.(mailOnly).Source, holdfast.MailboxParts}
		if mime := f.requests(func() {
			if err := c.Read(t.Context(), asMIME, f.box); err != nil {
				t.Fatal(err)
			}
		}); idle > mime {
			t.Errorf("an idle read takes %d requests, as MIME %d", idle, mime)
		}
		t.Logf("full %d, idle %d", full, idle)
	})
}

// An import whose answer was lost is found again: one mail, once, over the one that was there.
func TestAnImportThatWasInterruptedMakesNoSecondMail(t *testing.T) {
	for name, plan := range map[string]engine.RestorePlan{"overwrite": {Session: "s", Mode: engine.Overwrite, Newer: true}, "beside": {Session: "s", Mode: engine.KeepBoth}} {
		exported(t, name, sim.Options{Seed: 57, Mail: sim.MailShape{Messages: 20, MeanSize: 800}}, func(t *testing.T, f fixture) {
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			folders, in := mails(c)
			id := in[folders[0]][0]
			n := len(f.truth(t))
			if _, err := f.g.UpdateMessage(t.Context(), f.box.Source, id, "", map[string]any{"categories": []string{"changed"}}); err != nil {
				t.Fatal(err)
			}
			if err := f.sim.SetFaults(sim.Fault{Name: sim.FaultAckLost, Path: "importItem", Times: 1}, sim.Fault{Name: sim.FaultServerError, Path: "GET /v1.0/users/{user}/messages/{message}", Skip: 1}); err != nil {
				t.Fatal(err)
			}
			if res, err := f.put(t, c, id, plan); err == nil {
				t.Fatalf("the faults did not strike: %+v", res)
			}
			if err := f.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			res, err := f.put(t, c, id, plan)
			if err != nil {
				t.Fatal(err)
			}
			now := f.truth(t)
			if plan.Mode == engine.Overwrite && (len(now) != n || res.NewID != id || res.Outcome != engine.Overwritten || len(now[id].Categories) > 0 && now[id].Categories[0] == "changed") {
				t.Errorf("%d mails after %d, %+v", len(now), n, res)
			}
			if plan.Mode == engine.KeepBoth && (len(now) != n+1 || res.Outcome != engine.Created) {
				t.Errorf("%d mails after %d, %+v", len(now), n, res)
			}
		})
	}
}

func TestImportsUnderFaults(t *testing.T) {
	for name, faults := range map[string][]sim.Fault{
		"sessions expire":     {{Name: sim.FaultImportExpired, Every: 4}},
		"answers are lost":    {{Name: sim.FaultAckLost, Path: "importItem", Every: 3}},
		"drops":               {{Name: sim.FaultDropped, Path: "importItem", Every: 3}},
		"server errors":       {{Name: sim.FaultServerError, Path: "importItem", Every: 3}},
		"throttling":          {{Name: sim.FaultThrottled, Path: "importItem", Every: 3}},
		"reading back is cut": {{Name: sim.FaultExportCut, Every: 4}},
		"reading back breaks": {{Name: sim.FaultTruncated, Path: "exportItems", Every: 3}},
		"no immutable ids":    {{Name: sim.FaultExportIDs}},
	} {
		exported(t, name, sim.Options{Seed: 58, Mail: sim.MailShape{Messages: 30, MeanSize: 2000}}, func(t *testing.T, f fixture) {
			c := workloadtest.New()
			if err := c.Read(t.Context(), f.source, f.box); err != nil {
				t.Fatal(err)
			}
			n := len(f.truth(t))
			if err := f.sim.WipeMailbox(f.box.Source); err != nil {
				t.Fatal(err)
			}
			f.sim.Clock().Move(time.Minute)
			if err := f.sim.SetFaults(faults...); err != nil {
				t.Fatal(err)
			}
			results := f.restoreAll(t, c, engine.RestorePlan{})
			if err := f.sim.SetFaults(); err != nil {
				t.Fatal(err)
			}
			if now := len(f.truth(t)); now != n {
				t.Errorf("%d mails, want %d", now, n)
			}
			asPromised(t, c, results, false)
			if s := f.sim.Stats(); s.TokenCanary != 0 || s.MailsSentN != 0 {
				t.Errorf("%d tokens where none belongs, %d mails sent", s.TokenCanary, s.MailsSentN)
			}
		})
	}
}

// Where there is no import the mail is made of its parts.
func TestAnExportedMailGoesBackWithoutAnImport(t *testing.T) {
	exported(t, "parts", sim.Options{Seed: 59, Mail: sim.MailShape{Messages: 60, MeanSize: 2000, WithAttachments: 1}}, func(t *testing.T, f fixture) {
		c := workloadtest.New()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		if err := f.sim.WipeMailbox(f.box.Source); err != nil {
			t.Fatal(err)
		}
		f.sim.SetRoles([]string{"User.Read.All", "Mail.ReadWrite", "Mail.Read"})
		f.sim.RevokeTokens()
		promised := table(t, "Mail")
		for id, res := range f.restoreAll(t, c, engine.RestorePlan{}) {
			for _, lost := range res.Lost {
				if said := promised[lost]; said != "lost" && said != "not promised" {
					t.Errorf("%q lost %s, of which docs/fidelity.md says %q", c.Items()[id].Name, lost, said)
				}
			}
		}
	})
}

// The address of an import is a secret.
func TestTheAddressOfAnImportIsInNoError(t *testing.T) {
	exported(t, "secret", sim.Options{Seed: 60, Mail: sim.MailShape{Messages: 5, MeanSize: 800}}, func(t *testing.T, f fixture) {
		c := workloadtest.New()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		folders, in := mails(c)
		for _, fault := range []string{sim.FaultServerError, sim.FaultDropped, sim.FaultAckLost, sim.FaultRefused, sim.FaultImportExpired, sim.FaultHTML} {
			if err := f.sim.SetFaults(sim.Fault{Name: fault, Path: "importItem"}); err != nil {
				t.Fatal(err)
			}
			_, err := f.put(t, c, in[folders[0]][0], engine.RestorePlan{Session: holdfast.RestoreSessionID(fault), Mode: engine.KeepBoth})
			if (err == nil) != (fault == sim.FaultAckLost || fault == sim.FaultHTML) { // what was imported is found all the same
				t.Fatalf("%s: %v", fault, err)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "authtoken") {
				t.Errorf("%s: %s", fault, text)
			}
		}
	})
}

// What is stored of a mail is read without Microsoft 365.
func TestAStoredStreamIsAMail(t *testing.T) {
	exported(t, "eml", sim.Options{Seed: 61, Mail: sim.MailShape{Messages: 30, MeanSize: 2000, WithAttachments: 1}}, func(t *testing.T, f fixture) {
		c := workloadtest.New()
		if err := c.Read(t.Context(), f.source, f.box); err != nil {
			t.Fatal(err)
		}
		for _, item := range c.Items() {
			if item.Kind != holdfast.KindMail {
				continue
			}
			m, err := fasttransfer.Read(bytes.NewReader(item.Forms[holdfast.FormFTS]), fasttransfer.Options{})
			if err != nil || m.Subject() != item.Name || m.Read() != (item.Fields[holdfast.FieldRead] == "true") {
				t.Fatalf("%q: %v", item.Name, err)
			}
		}
	})
}
