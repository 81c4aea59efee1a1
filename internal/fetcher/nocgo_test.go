//go:build !cgo

package fetcher

const withCgo = false
