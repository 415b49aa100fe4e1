//go:build everyfault

package e2e_test

import (
	"fmt"
	"testing"
)

// TestALargerOrganizationIsRebuiltWhileEverythingFails is the test without its first word, with more of everything, twice: the faults strike elsewhere the second time.
func TestALargerOrganizationIsRebuiltWhileEverythingFails(t *testing.T) {
	for _, shift := range []int{0, 3} {
		t.Run(fmt.Sprint(shift), func(t *testing.T) {
			t.Parallel()
			rebuiltWhileEverythingFails(t, shift, 1, "--mail-messages", "10", "--files", "8")
		})
	}
}
