package sim_test

import (
	"testing"

	"holdfast/internal/sim"
)

func TestGroupMailIsServedAsTheMetadataHasIt(t *testing.T) {
	c := start(t, judged(t, sim.Options{Users: 4, Seed: 9})).login()
	var unified, other string
	for _, g := range c.want(200, "GET", "/groups", nil).rows() {
		if types, _ := g["groupTypes"].([]any); len(types) > 0 {
			unified = g["id"].(string)
		} else {
			other = g["id"].(string)
		}
	}
	u := "/groups/" + unified
	threads := c.want(200, "GET", u+"/threads?$top=100", nil).rows()
	before := ""
	posts := 0
	for _, th := range threads {
		last := th["lastDeliveredDateTime"].(string)
		if before != "" && last > before {
			t.Error("threads do not come newest first")
		}
		before = last
		at := u + "/threads/" + th["id"].(string)
		c.want(200, "GET", at, nil)
		for _, p := range c.want(200, "GET", at+"/posts", nil).rows() {
			posts++
			if p["attachments"] != nil {
				t.Error("attachments come unasked")
			}
			one := c.want(200, "GET", at+"/posts/"+p["id"].(string)+"?$expand=attachments", nil).m
			if list, _ := one["attachments"].([]any); (len(list) > 0) != (p["hasAttachments"] == true) {
				t.Errorf("a post says %v of attachments and has %d", p["hasAttachments"], len(list))
			}
		}
	}
	if rows, err := c.s.DumpGroup(unified); err != nil || len(rows) != posts || posts < 10 {
		t.Errorf("%d posts are served, %d are there (%v)", posts, len(rows), err)
	}
	if n := len(c.want(200, "GET", u+"/conversations?$top=100", nil).rows()); n != len(threads) {
		t.Errorf("%d conversations, %d threads", n, len(threads))
	}
	if a := c.call("GET", "/groups/"+other+"/threads", nil); a.status != 404 {
		t.Errorf("a security group has threads: %d", a.status)
	}
	at := u + "/threads/" + threads[0]["id"].(string)
	c.want(202, "POST", at+"/posts/"+c.want(200, "GET", at+"/posts", nil).rows()[0]["id"].(string)+"/reply", map[string]any{"post": map[string]any{"body": map[string]any{"contentType": "html", "content": "x"}}})
	if n := len(c.s.Stats().MailsSent); n != 1 {
		t.Errorf("a reply is recorded as %d mails", n)
	}
	c.want(204, "DELETE", at, nil)
}
