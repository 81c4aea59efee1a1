//go:build !cgo

package respondtest

// withCgo says that this binary cannot close a cage.
const withCgo = false
