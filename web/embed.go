// Package web holds the built front end: the console and the Restore Portal. "make web" builds it from the sources beside this
// file; the build is committed, so that the server needs no Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the built pages and their assets.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid name
	}
	return files
}
