package sim

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A drive is a seed plus a sparse overlay of changes. Base items have keys 1 to n; item i, its parent, name, times and
// content are functions of the seed and i, so that a drive of a million items costs no memory. Folder ordinals count
// folders breadth first; every folder has fan base children, of which the first sub are folders while there are any.
// Key 0 is the root; items made later have keys from newBase on. A changed item has a node in over.
type drive struct {
	s     *Sim
	owner *User // of a library: who its site was made by
	id    string
	list  string // GUID of the document library
	site  string // "host,GUID,GUID"
	seed  uint64
	// library is the list that the drive is the files of; nil for a OneDrive.
	library *list
	// sharing is of how many items one has a grant and one a link, by chance; noHistory: files have one version; small bounds their bytes.
	sharing   uint64
	noHistory bool
	small     int64

	n, fan, sub, folders uint64

	mu      sync.Mutex // guards all below
	over    map[uint64]*node
	gone    map[uint64]tombstone
	names   map[uint64]map[string]uint64 // folder -> folded name -> key, for children that are in over
	log     []change
	nextKey uint64
	sizes   []int64 // of base folders by ordinal, made when first asked for
	grown   map[uint64]int64
	listing listing
	state   string // see SetDrive
}

const newBase = uint64(1) << 40

// node is the state of one item.
type node struct {
	key, parent       uint64
	name              string
	folder            bool
	created, modified time.Time // fileSystemInfo
	added, changed    time.Time // as the service saw it
	creator, editor   person
	description       string
	versions          []version // oldest first; empty for a folder
	etag, ctag        uint64
	seq               uint64 // position in the log of its last change
	sharedSeq         uint64
	grants            []grantee
	alone             bool // of a library: inherits nothing
	nextVersion       int
	malware           string
	locked            bool
	fields            map[string]any // of a library: values of columns, once they were set; see list.values
	contentType       string         // of a library: id; empty is that of the seed
}

type version struct {
	id      string
	content content
	at      time.Time
	by      person
}

type tombstone struct {
	parent uint64
	folder bool
	seq    uint64
}

// change is one entry of the drive's log; its position is its sequence number.
type change struct {
	key     uint64
	at      int64 // Unix seconds
	sharing bool
}

// person is a user by index in the directory; people below zero are the application.
type person int

const theApp person = -1

func (n *node) current() *version { return &n.versions[len(n.versions)-1] }

func (n *node) size() int64 {
	if n.folder {
		return 0
	}
	return n.current().content.size
}

func newDrive(s *Sim, owner *User, name string, n int) *drive {
	r := newRand(s.opt.Seed, "drive "+name)
	d := &drive{s: s, owner: owner, seed: r.Uint64(), n: uint64(n), nextKey: newBase, sharing: 50,
		over: map[uint64]*node{}, gone: map[uint64]tombstone{}, names: map[uint64]map[string]uint64{}, grown: map[uint64]int64{}}
	switch {
	case n < 200:
		d.fan, d.sub = 8, 2
	case n < 5000:
		d.fan, d.sub = 40, 4
	default:
		d.fan, d.sub = 250, 8
	}
	d.folders = max(1, (d.n+d.fan-1)/d.fan)
	d.list = r.uuid()
	d.site = strings.Join([]string{s.driveHost(), r.uuid(), r.uuid()}, ",")
	d.id = "b!" + base64URL(r.bytes(48))
	return d
}

// h is a random number for item i and a purpose.
func (d *drive) h(i, purpose uint64) uint64 { return mix(d.seed ^ mix(i*0x9e3779b97f4a7c15+purpose)) }

// purposes of h.
const (
	forKind = iota + 1
	forSize
	forTime
	forName
	forVersions
	forContent
	forSharing
	forPeople
)

// ordinalKey is the key of the folder with ordinal f.
func (d *drive) ordinalKey(f uint64) uint64 {
	if f == 0 {
		return 0
	}
	return (f-1)/d.sub*d.fan + (f-1)%d.sub + 1
}

// ordinal is the folder ordinal of base item i, which then has base children.
func (d *drive) ordinal(i uint64) (uint64, bool) {
	if i == 0 {
		return 0, true
	}
	f, p := (i-1)/d.fan, (i-1)%d.fan
	if p < d.sub {
		if o := f*d.sub + p + 1; o < d.folders {
			return o, true
		}
	}
	return 0, false
}

// baseChildren is the range of base keys below a folder, empty for one that was made later.
func (d *drive) baseChildren(key uint64) (from, to uint64) {
	if key > d.n && key != 0 {
		return 1, 0
	}
	o, ok := d.ordinal(key)
	if !ok {
		return 1, 0
	}
	return o*d.fan + 1, min((o+1)*d.fan, d.n)
}

func (d *drive) baseIsFolder(i uint64) bool {
	if _, ok := d.ordinal(i); ok {
		return true
	}
	// a folder that is empty: the last item, and now and then the last child of a folder
	return i == d.n && d.n > 1 || (i-1)%d.fan == d.fan-1 && d.h(i, forKind)%4 == 0
}

type fileKind struct {
	ext      string
	text     bool
	min, max int64
	weight   uint64
}

// fileKinds are the kinds of generated files with their sizes in bytes; small sizes are more likely.
var fileKinds = []fileKind{
	{".docx", false, 12 << 10, 600 << 10, 24},
	{".xlsx", false, 9 << 10, 800 << 10, 16},
	{".pdf", false, 30 << 10, 2 << 20, 16},
	{".pptx", false, 60 << 10, 3 << 20, 8},
	{".txt", true, 1, 60 << 10, 9},
	{".csv", true, 200, 400 << 10, 6},
	{".jpg", false, 80 << 10, 2 << 20, 9},
	{".png", false, 4 << 10, 1 << 20, 5},
	{".md", true, 100, 20 << 10, 3},
	{".zip", false, 20 << 10, 6 << 20, 2},
	{".bin", false, 1, 100 << 10, 1},
	{"", true, 0, 4 << 10, 1},
}

var fileKindTotal = func() (n uint64) {
	for _, k := range fileKinds {
		n += k.weight
	}
	return n
}()

func (d *drive) kindOf(i uint64) fileKind {
	at := d.h(i, forKind) >> 8 % fileKindTotal
	for _, k := range fileKinds {
		if at < k.weight {
			return k
		}
		at -= k.weight
	}
	return fileKinds[0]
}

// corpusFile picks a document of the corpus for a third of the files, if there is a corpus.
func (d *drive) corpusFile(i uint64) (int, bool) {
	docs := d.s.drives.corpus.files
	h := d.h(i, forContent) >> 16
	if len(docs) == 0 || h%3 != 0 {
		return 0, false
	}
	return int(h / 3 % uint64(len(docs))), true
}

// baseVersions is how many versions base file i has.
func (d *drive) baseVersions(i uint64) int {
	if h := d.h(i, forVersions); h%8 == 0 && !d.noHistory {
		return 2 + int(h>>8%3)
	}
	return 1
}

// baseContent is what version v (from 1) of base file i holds.
func (d *drive) baseContent(i uint64, v int) content {
	if doc, ok := d.corpusFile(i); ok && v == d.baseVersions(i) {
		return content{kind: contentCorpus, corpus: doc, size: d.s.drives.corpus.files[doc].size}
	}
	k := d.kindOf(i)
	h := d.h(i, forSize) + uint64(v)*0x9e3779b9
	h = mix(h)
	share := float64(h>>11) / (1 << 53)
	size := k.min + int64(float64(k.max-k.min)*share*share*share)
	if d.small > 0 {
		size = 1 + size%d.small
	}
	if h%64 == 0 || i == 5 {
		size = 0
	}
	if size == 0 {
		return content{kind: contentEmpty}
	}
	kind := contentBinary
	if k.text {
		kind = contentText
	}
	return content{kind: kind, size: size, seed: mix(d.h(i, forContent) + uint64(v))}
}

// stems are the beginnings of names: ordinary ones, then ones that are legal but nasty.
var (
	folderStems = []string{"Projects", "Contracts", "Invoices", "Meeting notes", "Archive", "Reports", "Budget", "Customers", "Photos", "Personal", "Templates", "Old laptop"}
	fileStems   = []string{"Budget", "Quarterly report", "Offer", "Minutes", "Contract draft", "Plan", "IMG", "Scan", "Timesheet", "Letter", "Presentation", "Data export", "Notes", "Invoice"}
	nastyStems  = []string{
		"Ünïcödé – naïve café ", "日本語の資料 ", "emoji 😀👩‍👩‍👧 ", "100% & more #", "it's (final) [v2] {ok} ", "semi;colon,comma=plus+", "  ",
		".hidden ", "two  spaces ", "e\u0301 decomposed ", "at@sign!$^`~", "%41 not escaped ", "CON1 ", "ÅÄÖ åäö ß ", "مرحبا ", "very long " + strings.Repeat("name ", 30), "dots...in...it ", "a.tar.gz ", "-dash-",
		"'", "&amp; ", "CASE case ",
	}
)

func init() {
	nastyStems[6] = "x" + nastyStems[6] // a name may not begin with a space
}

func (d *drive) baseName(i uint64) string {
	f, p := (i-1)/d.fan, (i-1)%d.fan
	h := d.h(i, forName)
	folder := d.baseIsFolder(i)
	nasty := f == 0 && p >= d.sub && i != d.n || h%6 == 0
	number := strconv.FormatUint(p, 10)
	if folder {
		if nasty && h%12 == 0 {
			return nastyStems[h>>8%15] + number
		}
		return folderStems[h>>8%uint64(len(folderStems))] + " " + number
	}
	ext := d.kindOf(i).ext
	stem := fileStems[h>>8%uint64(len(fileStems))] + " "
	if doc, ok := d.corpusFile(i); ok {
		name := d.s.drives.corpus.files[doc].name
		dot := strings.LastIndexByte(name, '.')
		if dot <= 0 {
			dot = len(name)
		}
		stem, ext, nasty = name[:dot]+" ", name[dot:], false
	}
	if nasty {
		at := h >> 8 % uint64(len(nastyStems))
		if f == 0 {
			at = (p - d.sub) % uint64(len(nastyStems))
		}
		stem = nastyStems[at]
	}
	return stem + number + ext
}

// basePosition finds the base child that may have a name: the last run of digits before the extension is its place.
func (d *drive) basePosition(folder uint64, name string) (uint64, bool) {
	from, to := d.baseChildren(folder)
	if from > to {
		return 0, false
	}
	end := len(name)
	for try := 0; try < 2; try++ { // with and without an extension
		at := end
		for at > 0 && name[at-1] >= '0' && name[at-1] <= '9' {
			at--
		}
		if p, err := strconv.ParseUint(name[at:end], 10, 32); err == nil && from+p <= to {
			if i := from + p; foldName(d.baseName(i)) == foldName(name) {
				return i, true
			}
		}
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			break
		}
		end = dot
	}
	return 0, false
}

func foldName(s string) string { return strings.ToLower(s) }

// base makes the node of a base item that nobody has changed.
func (d *drive) base(i uint64) *node {
	if i == 0 {
		return &node{name: "root", folder: true, created: epoch, modified: epoch, added: epoch, changed: epoch, creator: d.ownerPerson(), editor: d.ownerPerson()}
	}
	span := epochEnd.Add(-60*24*time.Hour).Unix() - epoch.Unix()
	at := time.Unix(epoch.Unix()+int64(d.h(i, forTime)%uint64(span)), 0).UTC()
	n := &node{key: i, parent: d.ordinalKey((i - 1) / d.fan), name: d.baseName(i), folder: d.baseIsFolder(i),
		created: at, added: at.Add(3 * time.Second), etag: 1, ctag: 1, creator: d.ownerPerson(), editor: d.ownerPerson()}
	if h := d.h(i, forPeople); h%16 == 0 {
		n.editor = person(h >> 8 % uint64(d.s.drives.people()))
	}
	if n.folder {
		n.modified = at.Add(time.Duration(d.h(i, forTime)>>20%100) * time.Hour)
		n.changed = n.modified
		n.grants = d.baseGrants(i)
		return n
	}
	count := d.baseVersions(i)
	for v := 1; v <= count; v++ {
		when := at.Add(time.Duration(v-1)*37*time.Hour + time.Duration(v-1)*11*time.Minute)
		by := n.creator
		if v == count {
			by = n.editor
		}
		n.versions = append(n.versions, version{id: strconv.Itoa(v) + ".0", content: d.baseContent(i, v), at: when.Add(3 * time.Second), by: by})
		n.modified, n.changed = when, when.Add(3*time.Second)
	}
	n.etag, n.ctag, n.nextVersion = uint64(count), uint64(count), count+1
	n.grants = d.baseGrants(i)
	return n
}

// get returns the item with a key: its overlay, or a fresh node of a base item. Callers hold mu.
func (d *drive) get(key uint64) (*node, bool) {
	if n := d.over[key]; n != nil {
		return n, true
	}
	if key > d.n {
		return nil, false
	}
	if _, ok := d.gone[key]; ok {
		return nil, false
	}
	return d.base(key), true
}

// own returns the item's overlay node, making it if need be, so that it can be changed. Callers hold mu.
func (d *drive) own(key uint64) (*node, bool) {
	n, ok := d.get(key)
	if ok && d.over[key] == nil {
		d.over[key] = n
		if key != 0 {
			d.place(n)
		}
	}
	return n, ok
}

func (d *drive) place(n *node) {
	m := d.names[n.parent]
	if m == nil {
		m = map[string]uint64{}
		d.names[n.parent] = m
	}
	m[foldName(n.name)] = n.key
}

func (d *drive) unplace(n *node) {
	delete(d.names[n.parent], foldName(n.name))
	if len(d.names[n.parent]) == 0 {
		delete(d.names, n.parent)
	}
}

// pure says whether a base item is as the seed made it.
func (d *drive) pure(i uint64) bool {
	if d.over[i] != nil {
		return false
	}
	_, gone := d.gone[i]
	return !gone
}

// child finds a child of a folder by name, whatever its case. Callers hold mu.
func (d *drive) child(folder uint64, name string) (*node, bool) {
	if key, ok := d.names[folder][foldName(name)]; ok {
		return d.get(key)
	}
	if i, ok := d.basePosition(folder, name); ok && d.pure(i) {
		return d.get(i)
	}
	return nil, false
}

// listing is the last folder that was listed, in order, so that its pages are not sorted again.
type listing struct {
	folder uint64
	seq    int
	valid  bool
	keys   []uint64
	names  []string
}

// children returns the keys of a folder's children in order of name, and the folded names. Callers hold mu.
func (d *drive) children(folder uint64) ([]uint64, []string) {
	if d.listing.valid && d.listing.folder == folder && d.listing.seq == len(d.log) {
		return d.listing.keys, d.listing.names
	}
	type row struct {
		name string
		key  uint64
	}
	var rows []row
	from, to := d.baseChildren(folder)
	for i := from; i <= to; i++ {
		if d.pure(i) {
			rows = append(rows, row{foldName(d.baseName(i)), i})
		}
	}
	for name, key := range d.names[folder] {
		rows = append(rows, row{name, key})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.name, b.name) })
	l := listing{folder: folder, seq: len(d.log), valid: true}
	for _, r := range rows {
		l.keys, l.names = append(l.keys, r.key), append(l.names, r.name)
	}
	d.listing = l
	return l.keys, l.names
}

func (d *drive) childCount(folder uint64) int {
	count := len(d.names[folder])
	from, to := d.baseChildren(folder)
	for i := from; i <= to; i++ {
		if d.pure(i) {
			count++
		}
	}
	return count
}

// folderSize is the bytes below a folder. Callers hold mu.
func (d *drive) folderSize(key uint64) int64 {
	size := d.grown[key]
	if key > d.n {
		return size
	}
	o, ok := d.ordinal(key)
	if !ok {
		return size
	}
	if d.sizes == nil {
		d.sizes = make([]int64, d.folders)
		for i := d.n; i >= 1; i-- {
			f := (i - 1) / d.fan
			if c, ok := d.ordinal(i); ok {
				d.sizes[f] += d.sizes[c]
			} else if !d.baseIsFolder(i) {
				d.sizes[f] += d.baseContent(i, d.baseVersions(i)).size
			}
		}
	}
	return size + d.sizes[o]
}

// grow adds bytes to a folder and all above it.
func (d *drive) grow(folder uint64, by int64) {
	for by != 0 {
		d.grown[folder] += by
		if folder == 0 {
			return
		}
		n, ok := d.get(folder)
		if !ok {
			return
		}
		folder = n.parent
	}
}

// path is the names from below the root down to the item.
func (d *drive) path(n *node) []string {
	var out []string
	for n.key != 0 {
		out = append(out, n.name)
		p, ok := d.get(n.parent)
		if !ok {
			break
		}
		n = p
	}
	slices.Reverse(out)
	return out
}

// below says whether key lies in the folder or is it.
func (d *drive) below(key, folder uint64) bool {
	for {
		if key == folder {
			return true
		}
		if key == 0 {
			return false
		}
		n, ok := d.get(key)
		if !ok {
			return false
		}
		key = n.parent
	}
}

// subtree calls fn for everything below a folder, parents first. Callers hold mu.
func (d *drive) subtree(folder uint64, fn func(*node)) {
	var keys []uint64
	from, to := d.baseChildren(folder)
	for i := from; i <= to; i++ {
		if d.pure(i) {
			keys = append(keys, i)
		}
	}
	extra := make([]uint64, 0, len(d.names[folder]))
	for _, k := range d.names[folder] {
		extra = append(extra, k)
	}
	slices.Sort(extra)
	for _, k := range append(keys, extra...) {
		if n, ok := d.get(k); ok {
			fn(n)
			if n.folder {
				d.subtree(k, fn)
			}
		}
	}
}

// note appends to the log; the item's node must be in over.
func (d *drive) note(n *node, sharing bool) {
	d.log = append(d.log, change{key: n.key, at: d.s.now().Unix(), sharing: sharing})
	if sharing {
		n.sharedSeq = uint64(len(d.log))
	} else {
		n.seq = uint64(len(d.log))
	}
}

func (d *drive) seq() uint64 { return uint64(len(d.log)) }

// add makes a new item in a folder.
func (d *drive) add(n *node) {
	n.key = d.nextKey
	d.nextKey++
	d.over[n.key] = n
	d.place(n)
	d.grow(n.parent, n.size())
	d.note(n, false)
}

// relocate gives an item another name or parent.
func (d *drive) relocate(n *node, parent uint64, name string) {
	size := n.size()
	if n.folder {
		size = d.folderSize(n.key)
	}
	if parent != n.parent {
		d.grow(n.parent, -size)
	}
	d.unplace(n)
	moved := parent != n.parent
	n.parent, n.name = parent, name
	d.place(n)
	if moved {
		d.grow(parent, size)
	}
}

// addVersion makes content the current version.
func (d *drive) addVersion(n *node, c content, by person, at time.Time) {
	d.grow(n.parent, c.size-n.size())
	n.versions = append(n.versions, version{id: strconv.Itoa(n.nextVersion) + ".0", content: c, at: at, by: by})
	n.nextVersion++
	if over := len(n.versions) - maxVersions; over > 0 {
		n.versions = slices.Delete(n.versions, 0, over)
	}
}

// maxVersions is SharePoint's default limit of major versions of a library.
const maxVersions = 500

// remove deletes an item and all below it.
func (d *drive) remove(n *node) {
	size := n.size()
	if n.folder {
		size = d.folderSize(n.key)
	}
	d.grow(n.parent, -size)
	all := []*node{n}
	if n.folder {
		d.subtree(n.key, func(c *node) { all = append(all, c) })
	}
	for _, c := range all {
		if d.over[c.key] != nil {
			d.unplace(c)
			delete(d.over, c.key)
		}
		d.log = append(d.log, change{key: c.key, at: d.s.now().Unix()})
		d.gone[c.key] = tombstone{parent: c.parent, folder: c.folder, seq: d.seq()}
		delete(d.grown, c.key)
	}
}

var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

func (d *drive) idBytes(key uint64) [20]byte {
	var b [20]byte
	binary.BigEndian.PutUint32(b[:], uint32(mix(d.seed+11)))
	a := mix(key ^ d.seed)
	binary.BigEndian.PutUint64(b[4:], a)
	binary.BigEndian.PutUint64(b[12:], mix(a+d.seed))
	return b
}

// itemID is the opaque id of an item: "01", then base32 as SharePoint writes it.
func (d *drive) itemID(key uint64) string {
	b := d.idBytes(key)
	return "01" + idEncoding.EncodeToString(b[:])
}

// itemKey reads an id; ids of other drives and invented ones are refused.
func (d *drive) itemKey(id string) (uint64, bool) {
	if strings.EqualFold(id, "root") {
		return 0, true
	}
	rest, ok := strings.CutPrefix(strings.ToUpper(id), "01")
	if !ok {
		return 0, false
	}
	b, err := idEncoding.DecodeString(rest)
	if err != nil || len(b) != 20 {
		return 0, false
	}
	key := unmix(binary.BigEndian.Uint64(b[4:])) ^ d.seed
	return key, d.idBytes(key) == [20]byte(b)
}

// guid is the item's unique id in SharePoint, which its tags carry.
func (d *drive) guid(key uint64) string {
	b := d.idBytes(key)
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[4:8], b[8:10], b[10:12], b[12:14], b[14:20]))
}

func (d *drive) eTag(n *node) string { return fmt.Sprintf(`"{%s},%d"`, d.guid(n.key), n.etag) }

func (d *drive) cTag(n *node) string {
	if n.folder {
		return fmt.Sprintf(`"c:{%s},0"`, d.guid(n.key))
	}
	return fmt.Sprintf(`"c:{%s},%d"`, d.guid(n.key), n.ctag)
}
