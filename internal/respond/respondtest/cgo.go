//go:build cgo

package respondtest

// withCgo says that this binary cannot close a cage, so that requests are made
// without a process of their own.
const withCgo = true
