package sim

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
)

var (
	contactsRead  = []string{"Contacts.Read", "Contacts.ReadWrite"}
	contactsOne   = []string{"Contacts.Read"} // photos: Contacts.ReadWrite is not in the table's row
	contactsWrite = []string{"Contacts.ReadWrite"}
)

var contactsKind = &shelfKind{
	name: "contacts", item: "contact", folder: "contactFolder", title: "displayName",
	readOnly: []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId", "primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress", "photo"},
}

func init() { // the functions name the kind
	contactsKind.fill, contactsKind.show, contactsKind.stock, contactsKind.generate = contactFill, contactShow, contactStock, contactGenerate
}

func (s *Sim) contactRoutes() []Route {
	var out []Route
	k := contactsKind
	add := func(method, pattern string, perms []string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/users/{user}" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	children := func(c *Call, sh *shelf) ([]*pimFolder, error) {
		up, err := sh.folderOf(c)
		if err != nil {
			return nil, err
		}
		var out []*pimFolder
		for _, f := range sh.all() {
			if f.parent == up.key {
				out = append(out, f)
			}
		}
		return out, nil
	}
	below := func(c *Call, sh *shelf) (uint32, error) {
		up, err := sh.folderOf(c)
		if err != nil {
			return 0, err
		}
		return up.key, nil
	}
	for _, at := range []string{"/contactFolders", "/contactFolders/{folder}/childFolders"} {
		add("GET", at, contactsRead, s.pimFolders(k, children))
		add("POST", at, contactsWrite, s.pimFolderCreate(k, below))
	}
	add("GET", "/contactFolders/delta", contactsRead, s.pimFoldersDelta(k))
	add("GET", "/contactFolders/{folder}", contactsRead, s.pimFolderGet(k))
	add("PATCH", "/contactFolders/{folder}", contactsWrite, s.pimFolderPatch(k))
	add("DELETE", "/contactFolders/{folder}", contactsWrite, s.pimFolderDelete(k))
	add("GET", "/contactFolders/{folder}/contacts/delta", contactsRead, s.pimDelta(k))
	for _, at := range []string{"", "/contactFolders/{folder}"} {
		add("GET", at+"/contacts", contactsRead, s.pimList(k))
		add("POST", at+"/contacts", contactsWrite, s.pimCreate(k))
		add("GET", at+"/contacts/{item}", contactsRead, s.pimGet(k))
		add("PATCH", at+"/contacts/{item}", contactsWrite, s.pimPatch(k))
		add("DELETE", at+"/contacts/{item}", contactsWrite, s.pimDelete(k))
		add("GET", at+"/contacts/{item}/photo", contactsOne, s.photoGet)
		add("GET", at+"/contacts/{item}/photo/$value", contactsOne, s.photoValue)
		add("PUT", at+"/contacts/{item}/photo/$value", contactsWrite, s.photoPut)
	}
	return out
}

// contactFill checks what the service demands of a contact and derives its names.
func contactFill(_ *shelf, old, now *pimItem, asked map[string]bool) error {
	if list, _ := now.props["emailAddresses"].([]any); len(list) > 3 {
		return Fail(400, "ErrorInvalidArgument", "A contact can have at most three email addresses.")
	}
	if old == nil {
		full := strings.Join(strings.Fields(now.text("givenName")+" "+now.text("middleName")+" "+now.text("surname")), " ")
		if !asked["displayName"] && full != "" {
			now.props["displayName"] = full
		}
		if !asked["fileAs"] && full != "" {
			now.props["fileAs"] = strings.Trim(now.text("surname")+", "+now.text("givenName"), ", ")
		}
	}
	return nil
}

func contactShow(s *shelf, _ view, it *pimItem, out map[string]any) {
	out["changeKey"] = pimChangeKey(s.tag, it.key, it.version)
	out["parentFolderId"] = s.folderID(it.folder)
	list, _ := it.props["emailAddresses"].([]any)
	for i, name := range []string{"primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"} {
		if !s.b.s.cloud.has("contact." + name) {
			continue
		}
		out[name] = nil
		if i < len(list) {
			out[name] = list[i]
		}
	}
	for _, name := range []string{"homeAddress", "businessAddress", "otherAddress"} {
		if out[name] == nil {
			out[name] = map[string]any{} // an address that nobody set is an empty one
		}
	}
}

func contactStock(s *shelf) {
	n := s.b.s.shape.pim.Contacts
	few := n / 5
	s.addFolder(0, map[string]any{"displayName": "Contacts"}, n-few).known = true
	if n > 0 {
		s.addFolder(1, map[string]any{"displayName": "Lieferanten / 供应商"}, few)
		s.addFolder(2, map[string]any{"displayName": "Former"}, 0)
	}
}

var contactTitles = []string{"Buyer", "Controller", "Head of Sales", "Ingénieure", "Hausmeister", "Partner", "Research Fellow", "Site Manager"}
var companyNames = []string{"Alpenblick GmbH", "Brook & Vale Ltd", "Corvid Research", "Dune Shipping", "Ērika Textiles", "Fjord Energi AS", "株式会社みどり"}
var cityNames = []string{"Aachen", "Bergen", "Coimbra", "Delft", "Evora", "Fukuoka", "Ghent"}

func contactGenerate(s *shelf, f *pimFolder, j int) *pimItem {
	r := newRand(s.b.s.opt.Seed, "contact", s.b.index, uint64(f.key), uint64(j))
	given, sur := pick(r, givenNames), pick(r, surnames)
	mail := func(host string) map[string]any {
		return map[string]any{"name": given + " " + sur, "address": strings.ToLower(given + "." + sur + "@" + host)}
	}
	phone := func() string { return fmt.Sprintf("+49 30 555%04d", r.IntN(10000)) }
	address := func() map[string]any {
		return map[string]any{"street": fmt.Sprintf("%s Str. %d", pick(r, surnames), 1+r.IntN(90)), "city": pick(r, cityNames), "postalCode": fmt.Sprintf("%05d", r.IntN(100000)), "countryOrRegion": "Germany"}
	}
	p := map[string]any{"givenName": given, "surname": sur, "displayName": given + " " + sur, "fileAs": sur + ", " + given, "emailAddresses": []any{mail("example.com")}}
	set := func(chance float64, name string, v func() any) {
		if r.chance(chance) {
			p[name] = v()
		}
	}
	set(0.7, "companyName", func() any { return pick(r, companyNames) })
	set(0.6, "jobTitle", func() any { return pick(r, contactTitles) })
	set(0.5, "businessPhones", func() any { return []any{phone(), phone()} })
	set(0.4, "homePhones", func() any { return []any{phone()} })
	set(0.6, "mobilePhone", func() any { return phone() })
	set(0.4, "businessAddress", func() any { return address() })
	set(0.3, "homeAddress", func() any { return address() })
	set(0.1, "otherAddress", func() any { return address() })
	set(0.3, "birthday", func() any { return fmt.Sprintf("%d-%02d-%02dT11:59:00Z", 1950+r.IntN(55), 1+r.IntN(12), 1+r.IntN(28)) })
	set(0.3, "personalNotes", func() any { return string(mailProse(r.Uint64(), 60+r.IntN(400))) })
	set(0.2, "categories", func() any { return []any{pick(r, categoryNames)} })
	set(0.1, "imAddresses", func() any { return []any{"sip:" + strings.ToLower(sur) + "@example.com"} })
	set(0.1, "children", func() any { return []any{pick(r, givenNames), pick(r, givenNames)} })
	set(0.1, "spouseName", func() any { return pick(r, givenNames) + " " + sur })
	set(0.1, "title", func() any { return "Dr." })
	set(0.1, "middleName", func() any { return pick(r, givenNames) })
	set(0.1, "nickName", func() any { return given[:2] })
	set(0.1, "generation", func() any { return "III" })
	set(0.1, "department", func() any { return "Einkauf" })
	set(0.1, "officeLocation", func() any { return "B 2.17" })
	set(0.1, "manager", func() any { return pick(r, surnames) })
	set(0.1, "assistantName", func() any { return pick(r, surnames) })
	set(0.1, "profession", func() any { return "Ökonomin" })
	set(0.1, "businessHomePage", func() any { return "https://www.example.com/" + strings.ToLower(sur) })
	set(0.1, "initials", func() any { return given[:1] + "." + sur[:1] + "." })
	set(0.05, "yomiSurname", func() any { return "みどり" })
	if r.chance(0.2) {
		p["emailAddresses"] = []any{mail("example.com"), mail("example.org"), mail("example.net")}
	}
	it := &pimItem{created: pimTime(r), props: p}
	it.modified = it.created
	if r.chance(0.3) {
		it.photo = &payload{kind: photoContent, seed: r.Uint64()}
	}
	return it
}

// portrait is a picture of 48 by 48 points that is a function of the seed.
func portrait(seed uint64) []byte {
	r := newRand(seed, "portrait")
	img := image.NewRGBA(image.Rect(0, 0, 48, 48))
	a, b := color.RGBA{byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256)), 255}, color.RGBA{byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256)), 255}
	for y := range 48 {
		for x := range 48 {
			c := a
			if (x-24)*(x-24)+(y-20)*(y-20) < 200 {
				c = b
			}
			img.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, img, nil) // a buffer takes everything
	return out.Bytes()
}

var errNoPhoto = Fail(404, "ErrorItemNotFound", "The specified object was not found in the store., The photo wasn't found.").with("ImageNotFound")

func (s *Sim) photo(c *Call, show func(sh *shelf, it *pimItem, data []byte) (*Reply, error)) (*Reply, error) {
	return s.shelved(contactsKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		it, _, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		if it.photo == nil {
			return nil, errNoPhoto
		}
		data, err := s.load(*it.photo)
		if err != nil {
			return nil, err
		}
		return show(sh, it, data)
	})(c)
}

func (s *Sim) photoGet(c *Call) (*Reply, error) {
	return s.photo(c, func(_ *shelf, _ *pimItem, data []byte) (*Reply, error) {
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return JSON(200, map[string]any{"@odata.context": c.under("contacts('" + c.Params["item"] + "')/photo/$entity"), "@odata.mediaContentType": "image/jpeg",
			"id": fmt.Sprintf("%dX%d", cfg.Width, cfg.Height), "width": cfg.Width, "height": cfg.Height}), nil
	})
}

func (s *Sim) photoValue(c *Call) (*Reply, error) {
	return s.photo(c, func(_ *shelf, _ *pimItem, data []byte) (*Reply, error) { return Bytes(200, "image/jpeg", data), nil })
}

func (s *Sim) photoPut(c *Call) (*Reply, error) {
	return s.shelved(contactsKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		if !strings.HasPrefix(strings.ToLower(c.Header.Get("Content-Type")), "image/") {
			return nil, Fail(400, "ErrorInvalidRequest", "The photo must have a content type of an image.")
		}
		if _, err := jpeg.DecodeConfig(bytes.NewReader(c.Body)); err != nil {
			return nil, Fail(400, "ErrorInvalidImage", "The image is not valid.")
		}
		it, _, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		data, err := s.stored(c.Body)
		if err != nil {
			return nil, err
		}
		now := it.edit()
		now.photo = &data
		sh.put(now, c.Now)
		return &Reply{Status: 200}, nil
	})(c)
}
