// Command gen writes the judge's reduced table from Microsoft's public metadata, which the project does not contain.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"holdfast/internal/sim/judge"
)

func main() {
	dir := os.Getenv("HOLDFAST_GRAPH_METADATA")
	if dir == "" {
		dir = "../../../../shared/data/graph"
	}
	flag.StringVar(&dir, "metadata", dir, "folder with v1.0-Prod.csdl and permissions.json")
	out := flag.String("out", "table.json", "file to write")
	flag.Parse()
	if err := run(dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	full, err := judge.FromFolder(dir, "v1.0-Prod.csdl")
	if err != nil {
		return err
	}
	table, err := full.Reduce()
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Clean(out))
	if err != nil {
		return err
	}
	if err := table.Write(f); err != nil {
		return err
	}
	return f.Close()
}
