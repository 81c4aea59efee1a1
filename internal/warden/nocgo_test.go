//go:build !cgo

package warden

const withCgo = false
