// Package rulebook holds the Sigma rules in force: those the product ships and
// those of the operator's folder. It reads them, keeps an engine of them that
// is replaced as a whole when a file changes, knows which rules are switched
// off, and shows events the way rules see them.
//
// An [Edition] is one reading of all rules. It never changes; whoever judges an
// event takes one edition and keeps it for that event. What is wrong with a
// file is a fault of the edition, visible to the operator; the other rules work
// on.
//
// An [Adapter] turns an event into the records rules are about: the commands
// typed on a decoy are processes of a Linux machine, its web requests lines of
// a web server's log, and a record of another product is what its mapper says.
package rulebook
