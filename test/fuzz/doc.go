// Package fuzz finds every fuzz target of the module and runs each for a while.
package fuzz
