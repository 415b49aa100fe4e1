package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// The calendars, contacts and tasks of a mailbox stand on three shelves: folders with items, generated from the seed until they are read
// and overlaid with what has changed since, as mail is. What is common to the three is here and in pim_http.go; what is not, in
// contact*.go, calendar*.go and todo*.go.

// PIMShape says how many of them each generated mailbox has. 0 takes the profile's number, a negative one is none.
type PIMShape struct {
	Contacts int
	Events   int
	Tasks    int
}

// shelfKind is what the shelves of one kind have in common.
type shelfKind struct {
	name     string // contacts, calendars, tasks: in links and in the oracle
	item     string // type of items, without microsoft.graph.
	folder   string // type of folders
	title    string // property that names a folder
	readOnly []string
	// fill completes what a client asked for, or refuses it. old is nil when the item is new; asked are the names that came.
	fill func(s *shelf, old, now *pimItem, asked map[string]bool) error
	// show adds what the service computes to the properties that an item has.
	show func(s *shelf, v view, it *pimItem, out map[string]any)
	// onRequest are properties that are only shown when selected.
	onRequest []string
	generate  func(s *shelf, f *pimFolder, j int) *pimItem
	stock     func(s *shelf) // lays out the folders
	immutable bool           // the ids never change, so there is one form
}

// shelf is all of one kind that a mailbox has. The mailbox's mutex guards it.
type shelf struct {
	b       *mailbox
	kind    *shelfKind
	tag     [16]byte
	folders []*pimFolder        // by key-1
	items   map[uint64]*pimItem // that are not as they were generated
	log     []logEntry          // of folders
	next    uint64
}

// pimFolder is a contact folder, a calendar or a list of tasks.
type pimFolder struct {
	key     uint32
	parent  uint32 // contact folders and calendars' groups
	props   map[string]any
	known   bool // the default one, which cannot be deleted
	system  bool // made by the service: flagged mails, holidays
	deleted bool
	version uint64

	base  int
	gone  map[uint64]bool // generated items that are no longer here
	extra []uint64        // others that are, oldest first
	log   []logEntry
	last  map[uint64]uint64
}

// pimItem is a contact, an event or a task. Maps and slices in it are never changed in place.
type pimItem struct {
	key               uint64
	folder            uint32
	generation        uint32
	version           uint64
	created, modified time.Time
	deleted           bool
	props             map[string]any // as JSON has them, without what the service computes
	ext               map[string]string

	photo       *payload
	attachments []*attachment         // of events
	parts       map[string][]*pimPart // of tasks: checklistItems, linkedResources, attachments, extensions
	exceptions  map[int]*pimItem      // of a series: by the day that the rule gives
	cancelled   map[int]bool          // days that are not any more
	uid         string                // iCalUId
	organizer   *mailAddress          // nil: the mailbox's owner
	responses   map[string]string     // address -> response
}

// pimPart is something small in a task.
type pimPart struct {
	id       uint64
	created  time.Time
	modified time.Time
	props    map[string]any
	content  *payload
}

const (
	pimNewBit  uint64 = 1 << 23   // in the number of an item that was not generated
	pimKeyBits uint64 = 1<<40 - 1 // of an item; above are the days of occurrences
	dayShift          = 44
)

func pimKey(folder uint32, j int) uint64 { return uint64(folder)<<24 | uint64(j) }

// newShelf lays out what a mailbox has of a kind.
func newShelf(b *mailbox, kind *shelfKind) *shelf {
	s := &shelf{b: b, kind: kind, items: map[uint64]*pimItem{}}
	sum := sha256.Sum256([]byte(kind.name + ":" + b.user.ID))
	s.tag = [16]byte(sum[:16])
	kind.stock(s)
	return s
}

// shelf is the mailbox's shelf of a kind, made at its first use. The mailbox is locked.
func (b *mailbox) shelf(kind *shelfKind) *shelf {
	if b.shelves == nil {
		b.shelves = map[string]*shelf{}
	}
	s := b.shelves[kind.name]
	if s == nil {
		s = newShelf(b, kind)
		b.shelves[kind.name] = s
	}
	return s
}

func (s *shelf) addFolder(parent uint32, props map[string]any, base int) *pimFolder {
	f := &pimFolder{key: uint32(len(s.folders) + 1), parent: parent, props: props, base: base, version: 1}
	s.folders = append(s.folders, f)
	return f
}

func (f *pimFolder) name(kind *shelfKind) string {
	n, _ := f.props[kind.title].(string)
	return n
}

// --- ids -------------------------------------------------------------------------------------------------------------

func (s *shelf) folderID(key uint32) string {
	return idOf([]byte{0, 3, 0x24}, 90, s.tag[:], folderIDBit|uint64(key), 0)
}

// itemID is the id of an item, or of an occurrence of it when day is not 0.
func (s *shelf) itemID(it *pimItem, day int, immutable bool) string {
	key := it.key | uint64(day)<<dayShift
	if immutable && !s.kind.immutable {
		return idOf([]byte{0, 9, 0}, 51, s.tag[:], key, 0)
	}
	return idOf([]byte{0, 3, 0x24}, 114, s.tag[:], key, it.generation)
}

var errNotInStore = Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")

func (s *shelf) folder(id string) (*pimFolder, error) {
	p, err := parseID(s.tag, id)
	if err != nil {
		return nil, err
	}
	if !p.folder || p.key == 0 || p.key > uint64(len(s.folders)) || s.folders[p.key-1].deleted {
		return nil, errNotInStore
	}
	return s.folders[p.key-1], nil
}

// item finds what an id names; day is that of an occurrence, or 0.
func (s *shelf) item(id string) (it *pimItem, day int, err error) {
	p, err := parseID(s.tag, id)
	if err != nil {
		return nil, 0, err
	}
	if !p.folder {
		it = s.get(p.key & pimKeyBits)
	}
	if it == nil || !p.immutable && it.generation != p.generation {
		return nil, 0, errNotInStore
	}
	return it, int(p.key >> dayShift), nil
}

// get returns an item by key, or nil. It must not be changed.
func (s *shelf) get(key uint64) *pimItem {
	if it := s.items[key]; it != nil {
		if it.deleted {
			return nil
		}
		return it
	}
	folder, j := uint32(key>>24), int(key&(1<<24-1))
	if key&pimNewBit != 0 || folder == 0 || int(folder) > len(s.folders) {
		return nil
	}
	f := s.folders[folder-1]
	if f.deleted || j >= f.base || f.gone[key] {
		return nil
	}
	it := s.kind.generate(s, f, j)
	it.key, it.folder = key, folder
	if it.version == 0 {
		it.version = 1
	}
	return it
}

// keys are the items of a folder, oldest first.
func (s *shelf) keys(f *pimFolder) []uint64 {
	out := make([]uint64, 0, f.base+len(f.extra))
	for j := range f.base {
		if k := pimKey(f.key, j); !f.gone[k] {
			out = append(out, k)
		}
	}
	return append(out, f.extra...)
}

// --- changes ---------------------------------------------------------------------------------------------------------

func (f *pimFolder) note(seq, item uint64) {
	if f.last == nil {
		f.last = map[uint64]uint64{}
	}
	f.log = append(f.log, logEntry{seq: seq, item: item})
	f.last[item] = seq
}

// leave takes an item out of its folder's list.
func (f *pimFolder) leave(key uint64) {
	if i := slices.Index(f.extra, key); i >= 0 {
		f.extra = slices.Delete(f.extra, i, i+1)
		return
	}
	if f.gone == nil {
		f.gone = map[uint64]bool{}
	}
	f.gone[key] = true
}

// put stores a new or changed item.
func (s *shelf) put(it *pimItem, now time.Time) {
	s.b.seq++
	it.version, it.modified = s.b.seq+1, now.UTC().Truncate(time.Second)
	f := s.folders[it.folder-1]
	if it.key == 0 {
		s.next++
		it.key = pimKey(it.folder, int(pimNewBit|s.next))
		it.created = it.modified
		f.extra = append(f.extra, it.key)
	}
	s.items[it.key] = it
	f.note(s.b.seq, it.key)
}

func (s *shelf) remove(it *pimItem, now time.Time) {
	n := *it
	n.deleted = true
	s.b.seq++
	n.version = s.b.seq + 1
	n.props = nil
	f := s.folders[it.folder-1]
	f.leave(it.key)
	s.items[it.key] = &n
	f.note(s.b.seq, it.key)
}

func (s *shelf) noteFolder(f *pimFolder) {
	s.b.seq++
	f.version = s.b.seq + 1
	s.log = append(s.log, logEntry{seq: s.b.seq, item: uint64(f.key)})
}

// removeFolder deletes a folder with what is in it.
func (s *shelf) removeFolder(f *pimFolder, now time.Time) {
	for _, c := range s.folders {
		if c.parent == f.key && !c.deleted && s.kind != todoKind {
			s.removeFolder(c, now)
		}
	}
	for _, k := range s.keys(f) {
		s.remove(s.get(k), now)
	}
	f.deleted = true
	s.noteFolder(f)
}

// wipe deletes everything but what cannot be deleted.
func (s *shelf) wipe(now time.Time) {
	for _, f := range s.folders {
		switch {
		case f.deleted || f.system:
		case f.known:
			for _, k := range s.keys(f) {
				s.remove(s.get(k), now)
			}
		default:
			s.removeFolder(f, now)
		}
	}
}

func pimChangeKey(tag [16]byte, key, version uint64) string {
	b := append([]byte{0x09, 0, 0, 0, 0x16, 0, 0, 0}, tag[:8]...)
	x := mix(key) ^ mix(version)
	for i := range 8 {
		b = append(b, byte(x>>(8*i)))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// edit is a copy that may be changed, also its properties.
func (it *pimItem) edit() *pimItem {
	n := *it
	n.props, n.ext = maps.Clone(it.props), maps.Clone(it.ext)
	n.exceptions, n.cancelled, n.parts = maps.Clone(it.exceptions), maps.Clone(it.cancelled), maps.Clone(it.parts)
	n.attachments = slices.Clone(it.attachments)
	return &n
}

func (it *pimItem) text(name string) string {
	v, _ := it.props[name].(string)
	return v
}

func (it *pimItem) flag(name string) bool {
	v, _ := it.props[name].(bool)
	return v
}

// --- types -----------------------------------------------------------------------------------------------------------

// pimTypes are Microsoft's types as clients write them: "name" is a string, "name:type" has another type, "[type]" is a collection.
// https://learn.microsoft.com/graph/api/resources/contact, event, calendar, todotask and those that they name
var pimTypes = map[string]string{
	"emailAddress":          "name address",
	"physicalAddress":       "street city state countryOrRegion postalCode",
	"itemBody":              "contentType:bodyType content",
	"dateTimeTimeZone":      "dateTime timeZone",
	"recipient":             "emailAddress:emailAddress",
	"attendee":              "emailAddress:emailAddress type:attendeeType status:responseStatus",
	"responseStatus":        "response:responseType time:time",
	"outlookGeoCoordinates": "accuracy:number altitude:number altitudeAccuracy:number latitude:number longitude:number",
	"location": "displayName locationType:locationType uniqueId uniqueIdType:locationUniqueIdType locationUri locationEmailAddress " +
		"address:physicalAddress coordinates:outlookGeoCoordinates",
	"patternedRecurrence": "pattern:recurrencePattern range:recurrenceRange",
	"recurrencePattern":   "type:recurrencePatternType interval:int month:int dayOfMonth:int daysOfWeek:[dayOfWeek] firstDayOfWeek:dayOfWeek index:weekIndex",
	"recurrenceRange":     "type:recurrenceRangeType startDate:date endDate:date recurrenceTimeZone numberOfOccurrences:int",
	"onlineMeetingInfo":   "conferenceId joinUrl phones:[phone] quickDial tollFreeNumbers:[string] tollNumber",
	"phone":               "language number region type:phoneType",
	"contactFolder":       "displayName parentFolderId",
	"contact": "assistantName birthday:time businessAddress:physicalAddress businessHomePage businessPhones:[string] categories:[string] children:[string] companyName department " +
		"displayName emailAddresses:[emailAddress] fileAs generation givenName homeAddress:physicalAddress homePhones:[string] imAddresses:[string] initials jobTitle manager " +
		"middleName mobilePhone nickName officeLocation otherAddress:physicalAddress personalNotes profession spouseName surname title yomiCompanyName yomiGivenName yomiSurname",
}

var pimEnums = map[string][]string{
	"bodyType":                  {"text", "html"},
	"attendeeType":              {"required", "optional", "resource"},
	"responseType":              {"none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"},
	"locationType":              {"default", "conferenceRoom", "homeAddress", "businessAddress", "geoCoordinates", "streetAddress", "hotel", "restaurant", "localBusiness", "postalAddress"},
	"locationUniqueIdType":      {"unknown", "locationStore", "directory", "private", "bing"},
	"recurrencePatternType":     {"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"},
	"recurrenceRangeType":       {"endDate", "noEnd", "numbered"},
	"dayOfWeek":                 {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"},
	"weekIndex":                 {"first", "second", "third", "fourth", "last"},
	"phoneType":                 {"home", "business", "mobile", "other", "assistant", "homeFax", "businessFax", "otherFax", "pager", "radio"},
	"importance":                {"low", "normal", "high"},
	"sensitivity":               {"normal", "personal", "private", "confidential"},
	"freeBusyStatus":            {"unknown", "free", "tentative", "busy", "oof", "workingElsewhere"},
	"calendarColor":             {"auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink", "lightBrown", "lightRed", "maxColor"},
	"taskStatus":                {"notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"},
	"onlineMeetingProviderType": {"unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"},
}

// members gives the properties of a type and theirs.
func members(typ string) map[string]string {
	out := map[string]string{}
	for f := range strings.FieldsSeq(pimTypes[typ]) {
		name, t, ok := strings.Cut(f, ":")
		if !ok {
			t = "string"
		}
		out[name] = t
	}
	return out
}

// readTyped reads a value as Microsoft's type has it; what a client leaves out stays out.
func readTyped(name, typ string, raw json.RawMessage) (any, error) {
	if isNull(raw) {
		return nil, nil
	}
	if elem, ok := strings.CutPrefix(typ, "["); ok {
		elem = strings.TrimSuffix(elem, "]")
		list, err := readAs[[]json.RawMessage](name, "Collection("+elem+")", raw)
		if err != nil {
			return nil, err
		}
		out := make([]any, 0, len(list))
		for _, r := range list {
			v, err := readTyped(name, elem, r)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	switch typ {
	case "string":
		return readAs[string](name, "Edm.String", raw)
	case "bool":
		return readAs[bool](name, "Edm.Boolean", raw)
	case "int":
		return readAs[int](name, "Edm.Int32", raw)
	case "number":
		return readAs[float64](name, "Edm.Double", raw)
	case "time":
		s, err := readAs[string](name, "Edm.DateTimeOffset", raw)
		t, ok := parseTime(s)
		if err != nil || !ok {
			return nil, wrongType(name, "Edm.DateTimeOffset")
		}
		return stamp(t), nil
	case "date":
		s, err := readAs[string](name, "Edm.Date", raw)
		if _, perr := time.Parse(time.DateOnly, s); err != nil || perr != nil {
			return nil, wrongType(name, "Edm.Date")
		}
		return s, nil
	}
	if list := pimEnums[typ]; list != nil {
		return readEnum(name, "microsoft.graph."+typ, raw, list...)
	}
	known := members(typ)
	names := slices.Collect(maps.Keys(known))
	f, err := object(name, "microsoft.graph."+typ, raw, names...)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for k, r := range f {
		if strings.Contains(k, "@") {
			continue
		}
		v, err := readTyped(k, known[k], r)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[k] = v
		}
	}
	if typ == "dateTimeTimeZone" {
		return readMoment(name, out)
	}
	return out, nil
}

const momentForm = "2006-01-02T15:04:05.0000000"

// readMoment normalises a time with its zone.
func readMoment(name string, m map[string]any) (any, error) {
	text, _ := m["dateTime"].(string)
	zone, _ := m["timeZone"].(string)
	if zone == "" {
		zone = "UTC"
	}
	if _, ok := zoneOf(zone); !ok {
		return nil, Fail(400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", zone)
	}
	t, ok := parseTime(text)
	if !ok {
		return nil, wrongType(name, "microsoft.graph.dateTimeTimeZone")
	}
	return map[string]any{"dateTime": t.Format(momentForm), "timeZone": zone}, nil
}

// readProps reads what a client asks an item or folder to be. Read-only properties are ignored, unknown ones refused.
func readProps(typ string, f fields, readOnly []string, others ...string) (map[string]any, error) {
	known := members(typ)
	out := map[string]any{}
	for k, raw := range f {
		t, ok := known[k]
		switch {
		case strings.Contains(k, "@") || slices.Contains(readOnly, k) || slices.Contains(others, k):
		case !ok:
			return nil, Fail(400, "RequestBodyRead", "The property '%s' does not exist on type 'microsoft.graph.%s'. Make sure to only use property names that are defined by the type.", k, typ)
		default:
			v, err := readTyped(k, t, raw)
			if err != nil {
				return nil, err
			}
			out[k] = v // nil clears
		}
	}
	return out, nil
}

// readExtended reads single-value extended properties on top of those that there are.
func readExtended(have map[string]string, raw json.RawMessage) (map[string]string, error) {
	if isNull(raw) {
		return have, nil
	}
	m := message{ext: have}
	if err := m.fillExtended(raw, onPatch); err != nil {
		return nil, err
	}
	return m.ext, nil
}
