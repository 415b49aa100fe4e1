package preview

import (
	"context"
	"html"
	"slices"
	"strings"

	"maps"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
)

// htmlType is of a document that was cleaned.
const htmlType = "text/html; charset=utf-8"

// maxPhoto bounds the picture of a contact.
const maxPhoto = 4 << 20

// Card previews a contact, an event, a task or an item of a list: its parts, and its text cleaned as a mail's is. Names and values are texts, which who
// shows them must not take for markup; what turns the order of letters is taken out of them here.
func Card(ctx context.Context, name string, c holdfast.Card, text string, isHTML bool, files []holdfast.MailAttachment) holdfast.Preview {
	p := holdfast.Preview{Kind: holdfast.PreviewCard, Name: Visible(name), Card: &c}
	for _, f := range files {
		f.Name = Visible(f.Name)
		p.Attachments = append(p.Attachments, f)
	}
	if c.Contact != nil && len(c.Contact.Photo) > 0 {
		if kind := imageType(c.Contact.Photo); kind != "" && checkImage(kind, c.Contact.Photo, maxPhoto) == nil {
			c.Contact.PhotoType = kind
		} else {
			c.Contact.Photo = nil
			p.Removed = append(p.Removed, holdfast.Omission{What: "photo that is no image", Count: 1})
		}
	}
	if t := c.Team; t != nil {
		for _, s := range []*string{&t.Visibility, &t.Membership, &t.Mail, &t.App, &t.Shows} {
			*s = Visible(*s)
		}
		t.Description = shown(t.Description)
		for i, name := range t.Apps {
			t.Apps[i] = Visible(name)
		}
	}
	if c.Row != nil {
		Row(c.Row)
	}
	if strings.TrimSpace(text) != "" {
		markup(ctx, &p, text, isHTML)
	}
	return p
}

// Row makes the values of columns such that they can be shown.
func Row(r *holdfast.RowCard) {
	for i, v := range r.Values {
		r.Values[i].Title = Visible(v.Title)
		r.Values[i].Value = shown(v.Value)
	}
}

// Page previews a page of a site: what its text parts have, cleaned; left are its other parts, by name.
func Page(ctx context.Context, text string, left map[string]int) holdfast.Preview {
	p := holdfast.Preview{Kind: holdfast.PreviewHTML}
	if text == "" {
		p.Kind, p.Why = holdfast.PreviewNone, holdfast.SayNoPageText.With()
	} else {
		markup(ctx, &p, text, true)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		p.Removed = append(p.Removed, holdfast.Omission{What: "part of a page", Count: left[name], Details: []string{Visible(shorten(name, 200))}})
	}
	return p
}

// markup makes text the body of p.
func markup(ctx context.Context, p *holdfast.Preview, text string, isHTML bool) {
	if len(text) > maxBody {
		text, p.Truncated = strings.ToValidUTF8(text[:maxBody], ""), true
	}
	c := &cleaner{used: map[string]bool{}}
	clean := ""
	if isHTML {
		var err error
		if clean, err = c.clean(text); err != nil {
			c.add("markup that can't be taken apart", "")
			text, isHTML = extract.HTML(ctx, text, extract.Limits{Text: maxBody}).Text, false
		}
	}
	if !isHTML {
		clean = `<pre style="white-space:pre-wrap;font-family:inherit">` + html.EscapeString(shown(text)) + "</pre>"
	}
	p.Type, p.Body, p.Removed = htmlType, document(clean), append(p.Removed, c.list...)
}
