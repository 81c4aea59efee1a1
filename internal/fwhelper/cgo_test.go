//go:build cgo

package fwhelper

// withCgo says that this binary cannot close a cage.
const withCgo = true
