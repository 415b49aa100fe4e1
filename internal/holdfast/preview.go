package holdfast

import "time"

// Kinds of previews.
const (
	PreviewMail  = "mail"  // Body is a HTML document
	PreviewText  = "text"  // Body is plain text in UTF-8
	PreviewImage = "image" // Body is an image of Type
	PreviewCard  = "card"  // Card has the parts of the item; Body, when it has a text, is a HTML document
	PreviewHTML  = "html"  // Body is a HTML document
	PreviewNone  = "none"  // nothing can be shown; Why says why
)

// Preview is what a person may look at without harm: nothing in it runs, and nothing in it asks for anything elsewhere.
type Preview struct {
	Kind      string
	Name      string
	Format    string // of a text: what it was taken out of
	Charset   string // of a text: what it was in
	Type      string // media type of Body; empty without a body
	Body      []byte
	Truncated bool   // there is more than is shown
	Why       string // of PreviewNone, or of what is lacking
	Card      *Card  // of PreviewCard; of a file of a library, what it has in the library's columns

	// Of a mail.
	Subject                    string
	Date                       time.Time
	From, To, Cc, Bcc, ReplyTo []MailAddress
	Headers                    []MailHeader // all, in order
	Attachments                []MailAttachment
	Removed                    []Omission
}

// MailAddress is a name with an address.
type MailAddress struct{ Name, Address string }

// MailHeader is a header field, decoded.
type MailHeader struct{ Name, Value string }

// MailAttachment is a part of a mail that is not its body. Its number is its place in the list.
type MailAttachment struct {
	Name   string
	Type   string // as the mail says
	Size   int64
	Inline bool // shown in the body
}

// Omission is something that a preview leaves out for safety.
type Omission struct {
	What    string // script, form, remote image, …
	Count   int
	Details []string // where it pointed to; a few
}
