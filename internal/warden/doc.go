// Package warden is the core's side of a sensor process. A [Warden] owns the
// listeners and the datagram sockets, starts the process in its cage, tells it
// who it is, takes what it reports, and starts it again when it dies; the
// sockets stay open meanwhile, so a peer waits and is not refused.
//
// The process counts as hostile from its first byte. Who it is, is known from
// its socket pair: the name of a sensor in an event must be one of its own,
// the kind, the id and the time observed are the warden's to write, texts and
// counts are bounded, and what it may send per second is too. A process that
// breaks the protocol or the rules of its cage is ended, which is an event of
// its own and a critical one.
//
// [Child] is the main function of the process itself.
package warden
