//go:build cgo

package warden

// A binary with cgo cannot close the cage around itself.
const withCgo = true
