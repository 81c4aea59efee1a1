// Package blocklist publishes the addresses that are blocked now, for machines
// that enforce: firewalls, proxies, bouncers, other people's tools.
//
// A [List] mirrors the plans in force. It is kept once, packed and in the order
// of addresses, and handed out in small pieces, so that a hundred slow readers
// of a long list cost a hundred small buffers: no reader holds the list, and none
// holds a transaction of the state open.
//
// What is listed is one [Decision] for each address or prefix, whatever number
// of plans block it: the one that lasts longest. So the end of one plan never
// opens a door that another keeps shut.
//
// [Formats] are the shapes a whole list is written in. The same list gives the
// same bytes, on every start and on every machine, and [List.Tag] names them
// without writing them.
package blocklist
