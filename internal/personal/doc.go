// Package personal knows what says who somebody is: addresses, user names,
// e-mail addresses, and numbers that belong to one person. It finds them in text
// and JSON and puts something else in their place. It is a pure tool: no files,
// no clock, no network.
//
// # Subjects and marks
//
// A [Subject] is one value somebody asks about. A [Mark] is what stands in its
// place after it was erased: made of random bits that nothing was derived from,
// so nobody can go back. Marks are real values of their kind, so that whatever
// reads them goes on working: an address becomes one of the discard-only prefix
// 100::/64 (RFC 6666), to which nothing is ever routed.
//
// [Pseudonyms] are the other sort: keyed and stable while their key is kept, one
// for each value, of the dummy prefix 100:0:0:1::/64 (RFC 9780). Two addresses of
// one network (/24 of IPv4, /48 of IPv6) share the upper half of the last 64
// bits: that they are neighbours stays visible, which network it was does not.
//
// # Forms
//
// An address is found in every form it is written in: dotted, with leading
// zeros, with dashes or backwards in a host's name, mapped into IPv6, as one
// number in decimal or hexadecimal, any spelling of IPv6, with a port, with a
// prefix length. A user's name is found as a word whatever its case. JSON is
// looked into string by string, and strings that are base64 are opened.
package personal
