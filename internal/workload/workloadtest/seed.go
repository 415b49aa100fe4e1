package workloadtest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Rand gives what a test draws from: something else at each run, and the same again with the seed that a failure prints. tries is how often
// a test is to draw: once with a seed that is given.
func Rand(t testing.TB, tries int, test func(seed uint64, draw *rand.Rand)) {
	t.Helper()
	if text := os.Getenv("HOLDFAST_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("HOLDFAST_SEED=%q is no number", text)
		}
		test(seed, rand.New(rand.NewPCG(seed, 1)))
		return
	}
	for range tries {
		seed := rand.Uint64()
		test(seed, rand.New(rand.NewPCG(seed, 1)))
		if t.Failed() {
			t.Fatalf("HOLDFAST_SEED=%d repeats it", seed)
		}
	}
}
