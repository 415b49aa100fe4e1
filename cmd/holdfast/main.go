// Command holdfast backs up and restores Microsoft 365. See "holdfast --help".
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "holdfast: no command is built yet")
	os.Exit(2)
}
