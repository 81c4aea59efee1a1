//go:build !cgo

package fwhelper

const withCgo = false
