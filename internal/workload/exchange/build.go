package exchange

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	gomail "github.com/emersion/go-message/mail"
)

// The extended properties by which a restore sets what Graph's own properties do not let a client set.
// Tags: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops
const (
	propFlags     = "Integer 0x0E07"    // PidTagMessageFlags: without it a created message is a draft
	propSent      = "SystemTime 0x0039" // PidTagClientSubmitTime
	propReceived  = "SystemTime 0x0E06" // PidTagMessageDeliveryTime
	propIndex     = "Binary 0x0071"     // PidTagConversationIndex
	propHeaders   = "String 0x007D"     // PidTagTransportMessageHeaders
	propInReplyTo = "String 0x1042"     // PidTagInReplyToId
	propReference = "String 0x1039"     // PidTagInternetReferences

	// Ours, in a property set of our own: where a restored mail came from and which act restored it.
	ownSet      = "String {6f3c1d52-8a0e-4b59-9c43-5d0c7c1b8e21} Name "
	propOrigin  = ownSet + "HoldfastOrigin"
	propMarker  = ownSet + "HoldfastRestore"
	propVersion = ownSet + "HoldfastVersion"
)

// notDraft is mfSubmitted: a message with it and without mfUnsent (8) is shown as received or sent.
const notDraft = "4"

const (
	// inlineLimit bounds the attachments that go into the creating request, which Graph takes up to 4 MB of, in base64.
	inlineLimit = 2_400_000
	// uploadFrom is from which size on an attachment needs an upload session.
	// https://learn.microsoft.com/graph/outlook-large-attachments
	uploadFrom = 3 << 20
)

type object map[string]any

type property struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// stored is a mail as the vault has it: its JSON, whose values are taken over as they stand, and its MIME taken apart.
type stored struct {
	json map[string]json.RawMessage
	mail *mail
	// beyond are the attachments that MIME does not carry whole.
	beyond []map[string]json.RawMessage
}

// copied are the properties that a client may set on creation, with the values as served.
// https://learn.microsoft.com/graph/api/user-post-messages
var copied = []string{"subject", "importance", "isRead", "isDeliveryReceiptRequested", "isReadReceiptRequested", "from", "sender",
	"toRecipients", "ccRecipients", "bccRecipients", "replyTo", "categories", "flag", "inferenceClassification", "internetMessageId"}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func (s *stored) text(name string) string {
	var v string
	if json.Unmarshal(s.json[name], &v) != nil {
		return ""
	}
	return v
}

func (s *stored) draft() bool { return string(s.json["isDraft"]) == "true" }

func (s *stored) class() string {
	var props []property
	if json.Unmarshal(s.json["singleValueExtendedProperties"], &props) != nil {
		return ""
	}
	for _, p := range props {
		if sameProperty(p.ID, propClass) {
			return p.Value
		}
	}
	return ""
}

// message is the JSON that creates the mail, but for attachments.
func (s *stored) message(own ...property) object {
	o := object{"body": s.mail.graphBody()}
	for _, name := range copied {
		if v := s.json[name]; !isNull(v) {
			o[name] = v
		}
	}
	props := own
	add := func(id, value string) {
		if value != "" {
			props = append(props, property{id, value})
		}
	}
	if !s.draft() {
		add(propFlags, notDraft)
		add(propSent, s.text("sentDateTime"))
		add(propReceived, s.text("receivedDateTime"))
	}
	add(propIndex, s.text("conversationIndex"))
	if class := s.class(); class != "" && !strings.EqualFold(class, "IPM.Note") {
		add(propClass, class)
	}
	add(propHeaders, s.mail.headerText())
	add(propInReplyTo, strings.TrimSpace(s.mail.header.Get("In-Reply-To")))
	add(propReference, strings.Join(strings.Fields(s.mail.header.Get("References")), " "))
	o["singleValueExtendedProperties"] = props
	return o
}

func (m *mail) graphBody() object {
	kind := "text"
	if m.html {
		kind = "html"
	}
	return object{"contentType": kind, "content": m.body}
}

// maxHeaderText is what is set of the header lines; a longer header is cut at a line.
const maxHeaderText = 64 << 10

// headerText is the header as it came, for PidTagTransportMessageHeaders.
func (m *mail) headerText() string {
	raw := bytes.TrimRight(m.rawHeader, "\r\n")
	if len(raw) > maxHeaderText {
		raw = raw[:bytes.LastIndexByte(raw[:maxHeaderText], '\n')+1]
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// nestedMessage is a message within a message as Graph takes it, with about how many bytes it has. item is its JSON as served, when there is
// any: what MIME does not say (flags, categories, read state) is in it. Times are set by extended properties as for any other.
func (m *mail) nestedMessage(item map[string]json.RawMessage) (object, int64, error) {
	o := object{"@odata.type": "#microsoft.graph.message", "body": m.graphBody()}
	var props []property
	if item != nil {
		inner := stored{json: item, mail: m}
		o = inner.message()
		o["@odata.type"] = "#microsoft.graph.message"
		props, _ = o["singleValueExtendedProperties"].([]property)
	} else {
		o["subject"], _ = m.header.Text("Subject")
		for header, name := range map[string]string{"From": "from", "Sender": "sender"} {
			if list := m.addresses(header); len(list) > 0 {
				o[name] = list[0]
			}
		}
		for header, name := range map[string]string{"To": "toRecipients", "Cc": "ccRecipients", "Bcc": "bccRecipients", "Reply-To": "replyTo"} {
			if list := m.addresses(header); len(list) > 0 {
				o[name] = list
			}
		}
		if id := strings.TrimSpace(m.header.Get("Message-Id")); id != "" {
			o["internetMessageId"] = id
		}
		props = []property{{propFlags, notDraft}}
		if t, err := (&gomail.Header{Header: m.header}).Date(); err == nil && !t.IsZero() {
			at := t.UTC().Format(time.RFC3339)
			props = append(props, property{propSent, at}, property{propReceived, at})
		}
		if text := m.headerText(); text != "" {
			props = append(props, property{propHeaders, text})
		}
	}
	if _, ok := o["sender"]; !ok && o["from"] != nil {
		o["sender"] = o["from"]
	}
	o["singleValueExtendedProperties"] = props
	size := int64(len(m.body) + 4096)
	var attachments []object
	for i := range m.parts {
		a, n, err := m.parts[i].graph(nil)
		if err != nil {
			return nil, 0, err
		}
		size += n
		attachments = append(attachments, a)
	}
	if len(attachments) > 0 {
		o["attachments"] = attachments
	}
	return o, size, nil
}

// itemOf finds the JSON of an attached message among those that were stored: by its message id, else by its name.
func (s *stored) itemOf(a *attachment) map[string]json.RawMessage {
	if a.nested == nil {
		return nil
	}
	id := strings.TrimSpace(a.nested.header.Get("Message-Id"))
	var named map[string]json.RawMessage
	for _, b := range s.beyond {
		var item map[string]json.RawMessage
		if json.Unmarshal(b["item"], &item) != nil || item == nil {
			continue
		}
		var messageID, name string
		if json.Unmarshal(item["internetMessageId"], &messageID) == nil && messageID != "" && messageID == id {
			return item
		}
		if json.Unmarshal(b["name"], &name) == nil && name == a.name && isMessage(item) {
			named = item
		}
	}
	return named
}

// isMessage tells whether an attached item is a message, which MIME carries, or something else.
func isMessage(item map[string]json.RawMessage) bool {
	kind := string(item["@odata.type"])
	return kind == `"#microsoft.graph.message"` || strings.HasPrefix(kind, `"#microsoft.graph.eventMessage`)
}

func (m *mail) addresses(header string) []object {
	list, err := (&gomail.Header{Header: m.header}).AddressList(header)
	if err != nil {
		// A header that is no address list is shown as it is rather than lost.
		if raw := strings.TrimSpace(m.header.Get(header)); raw != "" {
			return []object{{"emailAddress": object{"name": decodeWords(raw)}}}
		}
		return nil
	}
	var out []object
	for _, a := range list {
		out = append(out, object{"emailAddress": object{"name": a.Name, "address": a.Address}})
	}
	return out
}

// graph is the attachment as Graph takes it, with about how many bytes of content it has. item is the JSON of an attached message, or nil.
func (a *attachment) graph(item map[string]json.RawMessage) (object, int64, error) {
	if a.nested != nil {
		inner, size, err := a.nested.nestedMessage(item)
		if err != nil {
			return nil, 0, err
		}
		return object{"@odata.type": "#microsoft.graph.itemAttachment", "name": a.title(), "item": inner}, size, nil
	}
	r, err := a.content.open()
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, fmt.Errorf("attachment %q: %w", a.title(), err)
	}
	o := object{"@odata.type": "#microsoft.graph.fileAttachment", "name": a.title(), "contentType": a.contentType,
		"isInline": a.inline, "contentBytes": base64.StdEncoding.EncodeToString(content)}
	if a.contentID != "" {
		o["contentId"] = a.contentID
	}
	return o, int64(len(content)), nil
}

// title is the attachment's name; Graph wants one.
func (a *attachment) title() string {
	if a.name != "" {
		return a.name
	}
	if a.nested != nil {
		return "message"
	}
	if a.contentID != "" {
		return a.contentID
	}
	_, kind, _ := strings.Cut(a.contentType, "/")
	return "attachment." + kind
}
