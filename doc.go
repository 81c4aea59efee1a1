// Package honeyguide is the dictionary of the house: the words every room
// speaks, and nothing else. It imports the standard library only.
//
// # The words
//
// An [Event] is one observed thing and never changes once stored. A [Session]
// is everything one peer did on one connection. An [Alert] is a detector's
// claim about some events, with its evidence and the reasons for its score. An
// [Incident] gathers the alerts of one attacker or campaign and is what an
// analyst works on. A [Honeytoken] is bait that cannot be real; an [Exposure]
// says who read it. A [Plan] is what a response would do before it does it; a
// [Block] is a plan on an address that carries its end. A [DeadLetter] is input that could not be understood,
// kept with the reason.
//
// # Conventions
//
// Times are UTC with microseconds. Addresses are unmapped (an IPv4 address is
// never written ::ffff:a.b.c.d). Class numbers are OCSF's, technique ids are
// ATT&CK's, incident phases are those of NIST SP 800-61. Whatever came from an
// attacker is data: it is shown through package safetext only.
package honeyguide
