package preview

import (
	"context"
	"html"
	"regexp"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
)

var (
	hosted  = regexp.MustCompile(`(<img\b[^>]*\bsrc=")[^"]*/hostedContents/([^/"]+)/\$value(")`)
	emoji   = regexp.MustCompile(`<emoji\b[^>]*\balt="([^"]*)"[^>]*>`)
	mention = regexp.MustCompile(`(?s)<at\b[^>]*>(.*?)</at>`)
	place   = regexp.MustCompile(`<attachment\b[^>]*></attachment>`)
)

// Post makes of what a post of a channel says HTML that may be shown, to be put into a page, and tells what was left out. pictures are those in it, by their ids.
// Places of attachments have no text.
func Post(ctx context.Context, text string, isHTML bool, pictures map[string][]byte) (string, []holdfast.Omission) {
	if len(text) > maxBody {
		text = text[:maxBody]
	}
	c := &cleaner{images: pictures, used: map[string]bool{}, room: maxCIDs}
	if isHTML {
		text = emoji.ReplaceAllString(hosted.ReplaceAllString(text, "${1}cid:${2}${3}"), "$1")
		text = place.ReplaceAllString(mention.ReplaceAllString(text, "<b>$1</b>"), "")
		if clean, err := c.clean(text); err == nil {
			return clean, c.list
		}
		c.add("markup that can't be taken apart", "")
		text = extract.HTML(ctx, text, extract.Limits{Text: maxBody}).Text
	}
	return `<pre style="white-space:pre-wrap;font-family:inherit">` + html.EscapeString(shown(text)) + "</pre>", c.list
}

// Posts previews posts of a channel: page is a document of what Post gave, and truncated says that it lacks some.
func Posts(page []byte, truncated bool, left []holdfast.Omission) holdfast.Preview {
	var c tally
	for _, o := range left {
		c.merge(o)
	}
	return holdfast.Preview{Kind: holdfast.PreviewHTML, Type: htmlType, Body: page, Truncated: truncated, Removed: c.list}
}
