// Package eventlog is the record of everything observed and the bus of the
// house: a producer appends, consumers read after a cursor they keep
// themselves. Implementations are the kinds below this folder; package
// eventlogtest holds what all of them must do.
//
// # The contract of the log
//
//  1. Append is all or nothing and returns after the fsync: what is
//     acknowledged survives power loss, and what is not durable is not visible.
//  2. Sequence numbers are 1, 2, 3, ... in append order without holes, given by
//     one writer; the events of a batch get consecutive numbers. The order of one
//     attacker's session is the order of its numbers, never of clocks.
//  3. (outbox, number) is the identity of an event. The log keeps the number
//     wanted next of every outbox and moves it in the transaction that stores the
//     events: a number below it is a duplicate, dropped and counted in the
//     receipt; a first number above it is a [GapError]. An outbox is a random
//     name made together with its files, so a re-made outbox never swallows new
//     events with old numbers. A local producer names no outbox; the log has one
//     of its own.
//  4. A stored event never changes. Whatever is learnt later lives in the state
//     and points at the event. The one exception is [Rewriter]: what the law says
//     must go is replaced; numbers, times and counts stay.
//  5. A consumer's cursor is the number of the last record it has dealt with, kept
//     where its effects are and moved with them. A new consumer starts at 0, or
//     one before the first record when retention has taken the beginning.
//  6. What is given up, such as a block a disk has spoilt, becomes an event with
//     the activity "gap" that says what and how much; nothing is lost silently.
//
// # The form of a stored event
//
// What is read equals what was appended in this form, see [Admit]: times are UTC
// with microseconds, addresses are unmapped, an empty list or map is nil, whole
// numbers are int64 and other numbers float64, and an attribute that is no
// string, number or truth value is what its JSON says. An event without an id
// has the one derived from its outbox and number.
//
// Events that were appended, and records that were read, share their maps and
// slices with the log and with other readers: nobody may change them.
package eventlog
