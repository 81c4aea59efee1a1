// Package supply checks what the product is made of and what is written about it:
// that dependencies are listed with their reasons, that tools are pinned, and that
// the threat model names tests that exist.
package supply
