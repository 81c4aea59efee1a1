// Package hunt reads the language in which people look for events and turns it
// into a question to the event log.
//
//	src:203.0.113.0/24 activity:login_failed user:root cmd:"wget curl" since:24h -sensor:ssh2 xmrig
//
// A query is a list of conditions, all of which must hold. A condition is a field,
// a colon and a value, or a free word that some text of the event must have. A
// minus before it turns it round. A value in double quotes may hold blanks; within
// it, \" and \\ stand for a quote and a backslash. What a value means depends on
// its field:
//
//	src:203.0.113.0/24      addresses and networks
//	user:root               the whole value, letter by letter
//	user:ro*                a star stands for any characters, in any case
//	cmd:"wget sh"           texts: all these words, in any order and case
//	cmd:*authorized_keys*   texts with a star: a pattern of the whole text
//	since:24h until:2026-03-01   how long ago (m, h, d, w), a day, or a time
//	severity:high           at least
//	activity:command,download    one of
//	user:*                  there is one
//
// Attributes have short names (see [Fields]); any other is called by its own,
// such as http_request.host:example.test.
package hunt
