package sim

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

var hostedSource = regexp.MustCompile(`(?:\.\./)?hostedContents/([^/"']+)/\$value`)

// imported reads a message of the past that an application posts to a place, a reply when the call names a message. It is not there
// before took. mentioned are the users whom the request mentions, which an import does not do
// ("Import third-party platform messages to Teams", content that is out of scope).
func (sv *teamService) imported(c *Call, where place) (p *post, mentioned []string, err error) {
	var in struct {
		Created string `json:"createdDateTime"`
		From    struct {
			User *struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"from"`
		Subject    string `json:"subject"`
		Importance string `json:"importance"`
		Body       struct {
			Type    string `json:"contentType"`
			Content string `json:"content"`
		} `json:"body"`
		Attachments []map[string]any `json:"attachments"`
		Mentions    []struct {
			Mentioned struct {
				User *struct {
					ID string `json:"id"`
				} `json:"user"`
			} `json:"mentioned"`
		} `json:"mentions"`
		Hosted []struct {
			ID    string `json:"@microsoft.graph.temporaryId"`
			Bytes string `json:"contentBytes"`
			Kind  string `json:"contentType"`
		} `json:"hostedContents"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, nil, err
	}
	at, err := createdAt(c, map[string]any{"createdDateTime": in.Created}, "createdDateTime")
	if err != nil {
		return nil, nil, err
	}
	switch {
	case in.From.User == nil || sv.s.dir.find(in.From.User.ID) == nil:
		return nil, nil, Fail(400, "BadRequest", "The author must be a user of the same tenant.")
	case at.Before(where.since()):
		return nil, nil, Fail(400, "BadRequest", "A message can't be older than the conversation that it is imported into.")
	case len(in.Body.Content) > messageBytes:
		return nil, nil, Fail(413, "MessageSizeExceeded", "The message is too large.")
	case in.Body.Content == "" && len(in.Attachments) == 0:
		return nil, nil, Fail(400, "BadRequest", "The body of a message can't be empty.")
	}
	p = &post{at: where, id: at.UnixMilli(), modified: at, author: in.From.User.ID, subject: in.Subject, body: in.Body.Content, plain: !strings.EqualFold(in.Body.Type, "html"), importance: in.Importance, attachments: in.Attachments, index: -1}
	if p.importance == "" {
		p.importance = "normal"
	}
	if root := c.Params["message"]; root != "" {
		id, err := strconv.ParseInt(root, 10, 64)
		if err != nil {
			return nil, nil, Fail(400, "BadRequest", "The message id is not valid.")
		}
		top := where.find(0, id)
		if top == nil {
			return nil, nil, Fail(404, "NotFound", "NotFound")
		}
		if p.id <= top.id {
			return nil, nil, Fail(400, "BadRequest", "A reply can't be older than its message.")
		}
		p.root = top.id
	}
	if where.messages().taken(where, p.id) {
		return nil, nil, Fail(409, "Conflict", "A message with the same createdDateTime exists.")
	}
	byID := map[string]int{}
	for i, h := range in.Hosted {
		data, err := base64.StdEncoding.DecodeString(h.Bytes)
		if err != nil || h.ID == "" || h.Kind == "" {
			return nil, nil, Fail(400, "BadRequest", "A hosted content is not valid.")
		}
		byID[h.ID] = i
		p.hosted = append(p.hosted, hosted{kind: h.Kind, data: data})
	}
	bad := false
	p.body = hostedSource.ReplaceAllStringFunc(p.body, func(found string) string {
		if strings.HasPrefix(found, "https://") {
			return found
		}
		i, ok := byID[hostedSource.FindStringSubmatch(found)[1]]
		bad = bad || !ok
		return sv.s.graphURL(p.path() + "/hostedContents/" + hostedID(i) + "/$value")
	})
	if bad {
		return nil, nil, Fail(400, "BadRequest", "The body names a hosted content that is not given.")
	}
	for _, m := range in.Mentions {
		if m.Mentioned.User != nil {
			mentioned = append(mentioned, m.Mentioned.User.ID)
		}
	}
	return p, mentioned, nil
}

// took puts an imported message in its place and answers with it.
func (sv *teamService) took(c *Call, p *post) *Reply {
	p.at.messages().add(p)
	m := p.json(true)
	m["@odata.context"] = c.context("chatMessage/$entity")
	return JSON(http.StatusCreated, m)
}
