// Package sshwire is a server's side of the SSH protocol: packets, key
// exchange, ciphers, MACs, compression, host keys, logins and channels, as
// OpenSSH's sshd speaks them on the wire. It knows nothing of what is behind a
// login; that is handed in as [Login] and [Mux].
//
// What it answers follows RFC 4250 to 4254, OpenSSH's PROTOCOL file, and
// recordings of live servers. Which algorithms it offers, in which order, is a
// [Profile]: one record per release, never mixed.
//
// A connection is made to be held by the thousand: it needs one goroutine, the
// reader's, and between packets it owns no buffer. The package starts no
// goroutine itself.
package sshwire
