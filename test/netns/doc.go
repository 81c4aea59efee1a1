// Package netns tests the firewall process with the real kernel, in networks of
// its own: an attacker's host, ours and an administrator's, each a network
// namespace, linked by pairs of virtual interfaces. It needs root, nft and ip.
package netns
