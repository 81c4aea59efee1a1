//go:build cgo

package sandbox

// A binary with cgo cannot close the cage around itself.
const withCgo = true
