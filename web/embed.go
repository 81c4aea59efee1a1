// Package web is the console: a React application that is built by npm into
// dist and carried inside the binary. Without Node the folder is empty but for
// its marker, and the binary serves a page that says how to build it.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built console: index.html, replay/frame.html, assets/ with
// hashed names, each beside its compressed .gz. It holds only .keep when the
// console was not built.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is ours
	}
	return files
}
