//go:build cgo

package fetcher

// withCgo says that this binary cannot close a cage.
const withCgo = true
