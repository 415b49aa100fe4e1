package judge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

type pathNode struct {
	next    map[string]*pathNode
	granted []string // nil: no row ends here
}

func (t *Table) index() {
	t.paths = map[string]*pathNode{}
	for key, roles := range documented {
		t.indexRow(key, roles)
	}
	for key, roles := range t.Permissions {
		t.indexRow(key, roles)
	}
}

func (t *Table) indexRow(key string, roles []string) {
	method, path, _ := strings.Cut(key, " ")
	n := t.paths[method]
	if n == nil {
		n = &pathNode{}
		t.paths[method] = n
	}
	for s := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if n.next == nil {
			n.next = map[string]*pathNode{}
		}
		if n.next[s] == nil {
			n.next[s] = &pathNode{}
		}
		n = n.next[s]
	}
	n.granted = append(n.granted, roles...)
}

// Granting returns the application permissions any of which the table says is enough for the call; none when the table
// has no row for it. Different spellings of one address (users/{}/drive and drives/{}, root and items/{}, by id and by
// path, folder in folder) are one row, since the table lists only some spellings of each.
func (t *Table) Granting(method, path string) []string {
	t.once.Do(t.index)
	root := t.paths[strings.ToUpper(method)]
	if root == nil {
		return nil
	}
	var out []string
	for _, spelled := range spellings(path) {
		walk(root, spelled, &out)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Permission returns an error unless one of the roles grants the call.
func (t *Table) Permission(method, path string, roles []string) error {
	granting := t.Granting(method, path)
	if len(granting) == 0 {
		return fmt.Errorf("%s %s: the permission table has no row for this call", method, path)
	}
	for _, r := range roles {
		if slices.Contains(granting, r) {
			return nil
		}
	}
	return fmt.Errorf("%s %s: none of %v is enough, it needs one of %v", method, path, roles, granting)
}

func walk(n *pathNode, segs []string, out *[]string) {
	if len(segs) == 0 {
		*out = append(*out, n.granted...)
		return
	}
	if next := n.next[segs[0]]; next != nil {
		walk(next, segs[1:], out)
	}
	if next := n.next["{}"]; next != nil && segs[0] != "{}" {
		walk(next, segs[1:], out)
	}
}

// spellings gives the ways in which the table may write an address, lower-case and split. A cast asks for the resource itself.
func spellings(path string) [][]string {
	path, _, _ = strings.Cut(path, "?")
	out := spelled(path)
	if plain := cast.ReplaceAllString(path, ""); plain != path {
		out = append(out, spelled(plain)...)
	}
	return out
}

// cast is a type, or an operation, in an address by its whole name.
var cast = regexp.MustCompile(`/microsoft\.graph\.[A-Za-z]+`)

func spelled(path string) [][]string {
	path = pathAddress.ReplaceAllString(path, "${1}/") // by path is by id, for permissions
	segs := segments(path)
	for i, s := range segs {
		s = strings.ToLower(strings.TrimPrefix(s, "microsoft.graph."))
		if j := strings.IndexByte(s, '('); j > 0 {
			s = s[:j]
		}
		segs[i] = s
	}
	// $value, $count and a cast ask for the resource itself.
	for len(segs) > 0 && strings.HasPrefix(segs[len(segs)-1], "$") {
		segs = segs[:len(segs)-1]
	}
	if len(segs) == 0 {
		return nil
	}
	// folder in folder is a folder.
	for i := 0; i+1 < len(segs); i++ {
		if segs[i] == "childfolders" && i >= 2 && segs[i-2] == "mailfolders" {
			segs = slices.Delete(slices.Clone(segs), i-1, i+1)
			i = 0
		}
	}
	out := [][]string{segs}
	if len(segs) >= 4 && segs[0] == "users" && segs[2] == "mailfolders" { // a message is the same through its folder
		if i := slices.Index(segs, "messages"); i == 4 && len(segs) > 5 {
			out = append(out, append([]string{"users", "{}"}, segs[4:]...))
		}
	}
	var drive []string // what follows the drive
	switch {
	case segs[0] == "drives" && len(segs) >= 2:
		drive = segs[2:]
	case len(segs) >= 3 && segs[2] == "drive" && (segs[0] == "users" || segs[0] == "groups" || segs[0] == "sites"):
		drive = segs[3:]
	default:
		return out
	}
	if len(drive) == 0 {
		return out
	}
	tails := [][]string{drive}
	var rest []string
	switch {
	case drive[0] == "root":
		rest = drive[1:]
	case drive[0] == "items" && len(drive) >= 2:
		rest = drive[2:]
	default:
		rest = nil
	}
	if drive[0] == "root" || drive[0] == "items" && len(drive) >= 2 {
		for _, address := range []string{"root", "items/{}", "root:/{}:", "root:/{}", "items/{}:/{}:"} {
			tails = append(tails, append(strings.Split(address, "/"), rest...))
		}
	}
	for _, tail := range tails {
		out = append(out, append([]string{"drives", "{}"}, tail...), append([]string{"users", "{}", "drive"}, tail...))
	}
	return out
}

// normalise writes a path of Microsoft's table as this package indexes it.
func normalise(path string) string {
	segs := strings.Split(strings.ToLower(strings.Trim(path, "/")), "/")
	for i, s := range segs {
		if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
			segs[i] = "{}"
			continue
		}
		for { // {name} inside a segment, as in items/{id}:
			open := strings.IndexByte(s, '{')
			end := strings.IndexByte(s, '}')
			if open < 0 || end < open || s[open:end+1] == "{}" {
				break
			}
			s = s[:open] + "{}" + s[end+1:]
		}
		if j := strings.IndexByte(s, '('); j > 0 {
			s = s[:j]
		}
		segs[i] = s
	}
	return "/" + strings.Join(segs, "/")
}
