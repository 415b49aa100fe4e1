package main

import "fmt"

// asMIME is mailOnly with mail read as MIME and JSON.
var asMIME = map[string]any{"backupType": "SelectedItems", "selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": false, "leaveOut": []string{"contacts", "calendars", "tasks", "export"}}}}

// export compares the two ways of reading mail, in one run: as it is exported, and as MIME and JSON.
func (b *bench) export() error {
	both := func(flags []string, use func(exported, mime cost)) error {
		for range b.runs {
			var costs [2]cost
			for i, job := range []map[string]any{mailOnly, asMIME} {
				l, err := b.lab("export", job, append(flags, "--limits", "count")...)
				if err != nil {
					return err
				}
				costs[i], err = l.run(b.ctx)
				l.close()
				if err != nil {
					return err
				}
			}
			use(costs[0], costs[1])
		}
		return nil
	}
	var per, perMIME, ratio, size []float64
	mails := max(1, 20_000*b.scale)
	flags := []string{"--users", "1", "--mail-messages", fmt.Sprint(int(mails)), "--mail-folders", "13", "--mail-size", "2000", "--mail-attachments", "-1", "--files", "1"}
	if err := both(flags, func(x, m cost) {
		per, perMIME = append(per, float64(x.requests)/mails*1000), append(perMIME, float64(m.requests)/mails*1000)
	}); err != nil {
		return err
	}
	if err := both(b.corpus("0.2"), func(x, m cost) {
		ratio, size = append(ratio, x.cpu.Seconds()/m.cpu.Seconds()), append(size, float64(x.bytes)/float64(m.bytes))
	}); err != nil {
		return err
	}
	b.add("requests per 1,000 mails of 20,000 in 25 folders, exported", "", 60, per...)
	b.add("the same as MIME", "", 0, perMIME...)
	b.add("CPU of the server, 100,000 mails (mean 50 KB), exported to MIME", "", 1, ratio...)
	b.add("repository, exported to MIME", "", 0, size...)
	return nil
}
