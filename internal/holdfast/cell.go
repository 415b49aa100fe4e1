package holdfast

import (
	"strconv"
	"strings"
)

// Cell is a text as a cell of a CSV file, with an apostrophe before what a spreadsheet would take for a formula: strangers choose subjects, names and values. =, +, -, @, tab and carriage return
// begin one, so do the wide forms of the signs, and after spaces.
// https://owasp.org/www-community/attacks/CSV_Injection
func Cell(text string) string {
	start := strings.TrimLeft(text, " \u00a0\n")
	if start != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(start)[0]) {
		return "'" + text
	}
	return text
}

// ValueCell is Cell for a value that may be a number, which stays one.
func ValueCell(value string) string {
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return value
	}
	return Cell(value)
}
