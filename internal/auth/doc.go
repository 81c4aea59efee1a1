// Package auth is the room of identity: who somebody is, how they show it, and
// what they may do. The doors ask it about every request; it denies by default.
package auth
