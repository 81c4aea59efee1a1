// Package api is the operator's door: HTTP over a unix socket, over TLS with a
// key, or to a handler in this very process. The command line is its first user
// and can do nothing the API cannot.
//
// # Who gets in
//
// Only /healthz and /readyz are open. Everything else wants a bearer key, or a
// peer of the local unix socket, whose file mode is the check. Every route is
// registered with a permission; New fails when one is not, and what is not
// registered is refused.
//
// # What answers look like
//
// Lists are {"items": [...], "next": cursor}; a cursor is opaque, "" at the end.
// Errors are RFC 9457 problems whose "type" names the kind of failure for good;
// they say which field and what to do, and never repeat a value. Arrays are never
// null, times are RFC 3339 in UTC. Text from attackers is valid UTF-8 with U+FFFD
// for what was not; the raw bytes come base64 with include=raw.
package api
