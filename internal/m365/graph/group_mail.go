package graph

import (
	"context"
	"time"
)

// groupMailRead is what reading the conversations of a group takes; Group.Read.All includes it.
const groupMailRead = "Group-Conversation.Read.All"

// Thread is one of the threads of a group's conversations.
type Thread struct {
	Row
	ID            string      `json:"id"`
	Topic         string      `json:"topic"`
	LastDelivered time.Time   `json:"lastDeliveredDateTime"`
	To            []Recipient `json:"toRecipients"`
	Cc            []Recipient `json:"ccRecipients"`
}

// Post is a message in a thread. Graph has no MIME of it.
type Post struct {
	Row
	ID             string       `json:"id"`
	ChangeKey      string       `json:"changeKey"`
	Created        time.Time    `json:"createdDateTime"`
	Modified       time.Time    `json:"lastModifiedDateTime"`
	Received       time.Time    `json:"receivedDateTime"`
	HasAttachments bool         `json:"hasAttachments"`
	Categories     []string     `json:"categories"`
	From           *Recipient   `json:"from"`
	Sender         *Recipient   `json:"sender"`
	Attachments    []Attachment `json:"attachments"` // with their bytes, when they are expanded
	Body           struct {
		ContentType string `json:"contentType"`
		Content     string `json:"content"`
	} `json:"body"`
}

// Threads gives the first page of a group's threads.
func (c *Client) Threads(ctx context.Context, group string, l List) (*Page[Thread], error) {
	return list[Thread](ctx, c, join("groups", group, "threads"), l, groupMailRead)
}

// Thread reads a thread.
func (c *Client) Thread(ctx context.Context, group, thread string) (*Thread, error) {
	return one[Thread](ctx, c, request{path: join("groups", group, "threads", thread), permission: groupMailRead})
}

// Posts gives the first page of a thread's posts.
func (c *Client) Posts(ctx context.Context, group, thread string, l List) (*Page[Post], error) {
	return list[Post](ctx, c, join("groups", group, "threads", thread, "posts"), l, groupMailRead)
}

// Post reads a post.
func (c *Client) Post(ctx context.Context, group, thread, post string, l List) (*Post, error) {
	return one[Post](ctx, c, request{path: join("groups", group, "threads", thread, "posts", post), query: l.query(), prefer: l.preferences(), permission: groupMailRead})
}
