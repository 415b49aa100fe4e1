//go:build !long

package place_test

const (
	sweepSteps   = 4     // about how many calls of a maintenance run are broken
	filesPerKind = 1     // files of a kind in which bytes are changed
	createStep   = 2     // of the calls of Create that are broken
	everyByte    = false // or two in a file
)
