package m365

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind says what an error means for the caller.
type Kind int

// The kinds. What a service answers is put into one of them by status and code.
const (
	Other Kind = iota
	// NotFound: the object of the call does not exist.
	NotFound
	// Resync: a delta token is no longer good; Error.Location may hold where to begin again.
	Resync
	// Throttled: the service asked for a longer pause than a call waits.
	Throttled
	// Denied: the application may not do this; Error.Permission names what it lacks when that is known.
	Denied
	// Unlicensed: the mailbox or drive exists no more or not yet, for want of a licence or first use.
	Unlicensed
	// Locked: the file or site is locked.
	Locked
	// Malware: the service refuses to serve a file that it believes to be infected.
	Malware
	// Corrupt: the service cannot read its own item, or its answer makes no sense after every retry.
	Corrupt
	// Conflict: something of that name is there, or the object is being changed.
	Conflict
	// Changed: an If-Match did not hold.
	Changed
	// Full: a quota is used up.
	Full
	// Invalid: the service does not accept the request.
	Invalid
	// Unavailable: no usable answer after every retry.
	Unavailable
	// Unauthorized: a fresh token was refused.
	Unauthorized
)

var kindNames = [...]string{"other", "not found", "resync", "throttled", "denied", "unlicensed", "locked", "malware", "corrupt",
	"conflict", "changed", "full", "invalid", "unavailable", "unauthorized"}

func (k Kind) String() string { return kindNames[k] }

// Error is a call that did not succeed. Its text holds no address with a token and no secret.
type Error struct {
	Kind    Kind
	Status  int // 0 when there was no answer
	Code    string
	Message string
	// Inner are the codes of the nested innerError objects, outermost first.
	Inner []string
	// RequestID and ClientRequestID are what Microsoft's support asks for.
	RequestID, ClientRequestID string
	// Call is method and path.
	Call string
	// Permission is what the call needs, when the caller said so and the service denied.
	Permission string
	RetryAfter time.Duration
	Location   string
	// Unknown says that the call may have taken effect: look before calling again.
	Unknown bool
	Cause   error
	// between says that something on the way answered and not the service: no error of Microsoft's shape, no request id.
	between bool
	// stale says of a 401 that the token was replaced while the call was on its way.
	stale bool
	// address says of a 401 that an address refused it that the service had just redirected to, which is not about our token: a new one is asked for.
	address bool
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Call)
	b.WriteString(": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(e.Code)
	switch {
	case e.Message != "":
		b.WriteString(": " + e.Message)
	case e.Cause != nil:
		b.WriteString(": " + e.Cause.Error())
	}
	if e.Permission != "" {
		fmt.Fprintf(&b, " (the application needs the permission %s)", e.Permission)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}

// Unwrap returns the cause when there was no answer.
func (e *Error) Unwrap() error { return e.Cause }

// Has tells whether code is the error's code or one of its inner codes, whatever the case.
func (e *Error) Has(code string) bool {
	if strings.EqualFold(e.Code, code) {
		return true
	}
	for _, c := range e.Inner {
		if strings.EqualFold(c, code) {
			return true
		}
	}
	return false
}

// OfAMoment tells whether a change, refused for the n-th time, goes again: it met a lock, or another change, and nothing was done. Who names the state that
// is to be changed (If-Match) is told at once that it is another one, and so is who reads: what is locked for reading is a whole site, and stays so.
func (e *Error) OfAMoment(method string, conditional bool, n int) bool {
	return (e.Kind == Locked || e.Status == http.StatusPreconditionFailed && !conditional) && method != http.MethodGet && n < momentAttempts
}

// KindOf is the kind of the Error in err's chain, or Other.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Other
}

// OutcomeUnknown tells whether the failed call may have taken effect all the same.
func OutcomeUnknown(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unknown
}

type errorBody struct {
	Code    string `json:"code"`
	Message json.RawMessage
	Inner   *errorBody `json:"innerError"`
	Inner2  *errorBody `json:"innererror"`
	Request string     `json:"request-id"`
	Client  string     `json:"client-request-id"`
}

func (b *errorBody) message() string {
	var s string
	if json.Unmarshal(b.Message, &s) == nil {
		return s
	}
	var v struct{ Value string } // SharePoint: {"lang":…,"value":…}
	_ = json.Unmarshal(b.Message, &v)
	return v.Value
}

// parseError reads Microsoft's error shape; a body of another kind gives the status only.
func parseError(status int, h http.Header, body []byte) *Error {
	e := &Error{Status: status, RequestID: h.Get("request-id"), ClientRequestID: h.Get("client-request-id"), Location: h.Get("Location")}
	var outer struct {
		Error  json.RawMessage `json:"error"`
		Error2 json.RawMessage `json:"odata.error"` // SharePoint's own interface
	}
	var in errorBody
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	understood := json.Unmarshal(body, &outer) == nil
	if outer.Error == nil {
		outer.Error = outer.Error2
	}
	if understood && json.Unmarshal(outer.Error, &in) == nil {
		e.Code, e.Message = in.Code, in.message()
		for n := &in; n != nil; {
			if n.Request != "" {
				e.RequestID = n.Request
			}
			next := n.Inner
			if next == nil {
				next = n.Inner2
			}
			if next != nil && next.Code != "" {
				e.Inner = append(e.Inner, next.Code)
			}
			n = next
		}
	}
	if e.Code == "" {
		e.Code = http.StatusText(status)
		e.between = e.RequestID == ""
		if text := strings.TrimSpace(string(body)); e.between && strings.HasPrefix(h.Get("Content-Type"), "text/plain") && len(text) <= 200 && utf8.ValidString(text) && text != e.Code {
			e.Message = text
		}
	}
	e.Kind = classify(e)
	return e
}

// NewError is the error of a batch part, or of any answer that was read elsewhere.
func NewError(call string, status int, h http.Header, body []byte) *Error {
	e := parseError(status, h, body)
	e.Call = call
	return e
}

// byCode has the codes that mean the same whatever the status. Sources: Graph's error pages, Corso's and rclone's lists.
var byCode = map[string]Kind{
	"resyncrequired":                   Resync,
	"resyncchangesapplydifferences":    Resync,
	"resyncchangesuploaddifferences":   Resync,
	"syncstatenotfound":                Resync,
	"syncstateinvalid":                 Resync,
	"errorinvalidsyncstatedata":        Resync,
	"errorsyncstatenotfound":           Resync,
	"mailboxnotenabledforrestapi":      Unlicensed,
	"mailboxnotsupportedforrestapi":    Unlicensed,
	"mailboxnothostedinexchangeonline": Unlicensed,
	"errormailboxnotenabledforrestapi": Unlicensed,
	"errornonexistentmailbox":          Unlicensed,
	"resourcelocked":                   Locked,
	// SharePoint answers a name that is taken by a group or a permission level with status 500, as if it had failed.
	"-2130575293, microsoft.sharepoint.spexception": Conflict,
	"malwaredetected":                   Malware,
	"virusfound":                        Malware,
	"errorvirusdetected":                Malware,
	"errorcorruptdata":                  Corrupt,
	"errorcannotopenfileattachment":     Corrupt,
	"errormimecontentinvalid":           Corrupt,
	"errormimecontentconversionfailed":  Corrupt,
	"errorinvalidrecipients":            Corrupt,
	"erroritemnotfound":                 NotFound,
	"itemnotfound":                      NotFound,
	"errorfoldernotfound":               NotFound,
	"namealreadyexists":                 Conflict,
	"errorfolderexists":                 Conflict,
	"erroraccessdenied":                 Denied,
	"accessdenied":                      Denied,
	"authorization_requestdenied":       Denied,
	"errorquotaexceeded":                Full,
	"quotalimitreached":                 Full,
	"errorirresolvableconflict":         Changed,
	"resourcemodified":                  Changed,
	"errormailboxmoveinprogress":        Unavailable,
	"errormailboxstoreunavailable":      Unavailable,
	"applicationthrottled":              Throttled,
	"toomanyrequests":                   Throttled,
	"activitylimitreached":              Throttled,
	"errorsubmissionquotaexceeded":      Full,
	"errormessagesizeexceeded":          Invalid,
	"errorinvalididmalformed":           Invalid,
	"request_resourcenotfound":          NotFound,
	"directory_resultsizelimitexceeded": Invalid,
	"directory_expiredpagetoken":        Resync,
	"directory_syncstatenotfound":       Resync,
	"unsupportedquery":                  Invalid,
	"notsupported":                      Invalid,
	"invalidauthenticationtoken":        Unauthorized,
	"serviceunavailable":                Unavailable,
	"servicenotavailable":               Unavailable,
	"errorserverbusy":                   Throttled,
	"errortoomanyobjectsopened":         Throttled,
	"errorexceededconnectioncount":      Throttled,
	"errorinternalservertransienterror": Unavailable,
	"errorinvaliduser":                  NotFound,
	"errorpropertyvalidationfailure":    Invalid,
	"errorattachmentsizelimitexceeded":  Invalid,
}

func classify(e *Error) Kind {
	// The innermost known code is the most exact one.
	for i := len(e.Inner) - 1; i >= 0; i-- {
		if k, ok := byCode[strings.ToLower(e.Inner[i])]; ok {
			return k
		}
	}
	if k, ok := byCode[strings.ToLower(e.Code)]; ok {
		if k == NotFound && strings.Contains(strings.ToLower(e.Message), "mysite not found") {
			return Unlicensed
		}
		return k
	}
	message := strings.ToLower(e.Message)
	switch e.Status {
	case http.StatusNotFound:
		if strings.Contains(message, "mysite not found") {
			return Unlicensed
		}
		return NotFound
	case http.StatusGone:
		return Resync
	case http.StatusTooManyRequests:
		return Throttled
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return Denied
	case http.StatusLocked:
		return Locked
	case http.StatusConflict:
		return Conflict
	case http.StatusPreconditionFailed:
		return Changed
	case http.StatusInsufficientStorage:
		return Full
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusRequestedRangeNotSatisfiable, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return Invalid
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusRequestTimeout, 509:
		return Unavailable
	}
	return Other
}
