//go:build cgo

package netns

// withCgo says that this binary cannot close a cage.
const withCgo = true
