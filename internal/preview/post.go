package preview

import (
	"context"
	"html"
	"regexp"

	"holdfast/internal/extract"
)

var (
	hosted = regexp.MustCompile(`(<img\b[^>]*\bsrc=")[^"]*/hostedContents/([^/"]+)/\$value(")`)
	emoji  = regexp.MustCompile(`<emoji\b[^>]*\balt="([^"]*)"[^>]*>`)
)

// Post makes of what a post of a channel says HTML that may be shown, to be put into a page. pictures are those in it, by their ids.
func Post(ctx context.Context, text string, isHTML bool, pictures map[string][]byte) string {
	if len(text) > maxBody {
		text = text[:maxBody]
	}
	if isHTML {
		text = emoji.ReplaceAllString(hosted.ReplaceAllString(text, "${1}cid:${2}${3}"), "$1")
		c := &cleaner{images: pictures, used: map[string]bool{}, room: maxCIDs}
		if clean, err := c.clean(text); err == nil {
			return clean
		}
		text = extract.HTML(ctx, text, extract.Limits{Text: maxBody}).Text
	}
	return `<pre style="white-space:pre-wrap;font-family:inherit">` + html.EscapeString(shown(text)) + "</pre>"
}
