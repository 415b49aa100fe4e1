//go:build long

package place_test

const (
	sweepSteps   = 1 << 30
	filesPerKind = 1 << 30
	createStep   = 1
	everyByte    = true
)
