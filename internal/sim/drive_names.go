package sim

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Rules of "Invalid file names and file types in OneDrive and SharePoint" (support.microsoft.com, read 2025-11):
// the characters, the reserved names, no space at either end, no dot at the end, "_vti_" nowhere, no "~$" at the
// beginning, 400 characters for the whole decoded path and 255 for one name.
const (
	illegalCharacters = `"*:<>?/\|`
	maxNameLength     = 255
	maxPathLength     = 400
)

var reservedNames = map[string]bool{".lock": true, "con": true, "prn": true, "aux": true, "nul": true, "desktop.ini": true}

func init() {
	for _, p := range []string{"com", "lpt"} {
		for _, n := range "0123456789" {
			reservedNames[p+string(n)] = true
		}
	}
}

// legalName says why a name is refused, or nothing.
func legalName(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "The name is empty."
	case !utf8.ValidString(name):
		return "The name is not valid Unicode."
	case strings.ContainsAny(name, illegalCharacters) || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return "The provided name cannot contain any of these characters: " + illegalCharacters
	case strings.HasPrefix(name, " ") || strings.HasSuffix(name, " "):
		return "The provided name cannot begin or end with a space."
	case strings.HasSuffix(name, "."):
		return "The provided name cannot end with a dot."
	case reservedNames[strings.ToLower(name)]:
		return "The provided name is reserved."
	case strings.HasPrefix(name, "~$"):
		return "The provided name cannot begin with ~$."
	case strings.Contains(strings.ToLower(name), "_vti_"):
		return "The provided name cannot contain _vti_."
	case utf16Length(name) > maxNameLength:
		return "The provided name is too long."
	}
	return ""
}

func utf16Length(s string) int { return len(utf16.Encode([]rune(s))) }

// checkName refuses an illegal name, or one that makes the path too long.
func (d *drive) checkName(folder *node, name string) error {
	if why := legalName(name); why != "" {
		return Fail(400, "invalidRequest", "%s", why)
	}
	if folder.key == 0 && strings.EqualFold(name, "forms") {
		return Fail(400, "invalidRequest", "The provided name is reserved at the root of a library.")
	}
	if n := d.pathLength(folder) + 1 + utf16Length(name); n > maxPathLength {
		return pathTooLong()
	}
	return nil
}

func pathTooLong() *Error {
	return Fail(400, "pathIsTooLong", "The path is too long. Total path and file name cannot exceed %d characters.", maxPathLength)
}

// pathLength counts from the site's library on: personal/{site}/Documents/… .
func (d *drive) pathLength(n *node) int {
	total := len(d.webURL()) - len("https://"+d.host()+"/")
	for _, p := range d.path(n) {
		total += 1 + utf16Length(p)
	}
	return total
}

// freeName finds a name that is not taken: "a.txt" becomes "a 1.txt".
func (d *drive) freeName(folder uint64, name string) string {
	stem, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		stem, ext = name[:i], name[i:]
	}
	for i := int64(1); ; i++ {
		try := stem + " " + itoa(i) + ext
		if _, taken := d.child(folder, try); !taken {
			return try
		}
	}
}
