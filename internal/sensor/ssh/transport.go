package ssh

import (
	"context"
	"io"

	"honeyguide/internal/sshwire"
)

// A requests answers what the peer asks on one session channel. The connection
// calls it for every request, or it would stand still, and at last end. It is
// the goroutine that reads the connection: what takes time runs beside it.
type requests interface {
	request(ctx context.Context, r request)
	end()
}

// A channel is one open session channel.
type channel interface {
	io.ReadWriter
	stderr() io.Writer
	// feed gives input to sink as it arrives, instead of keeping it for Read,
	// and taken says how much of it is used up; so a shell that waits needs no
	// goroutine. sink keeps a copy and does not wait. It is called while the
	// request is answered that starts the shell.
	feed(sink func(p []byte) int)
	taken(n int)
	// exit sends the exit status, the end of output, and closes the channel.
	exit(status int)
	// killed does the same with the number of the signal that ended the command.
	killed(signal int)
	close()
}

// A request is one request on a channel.
type request struct {
	name    string
	payload []byte
	answer  func(ok bool) // does nothing when the peer wants none
}

// wireChannel is a channel of the transport.
type wireChannel struct{ *sshwire.Channel }

func (c wireChannel) stderr() io.Writer            { return c.Stderr() }
func (c wireChannel) feed(sink func(p []byte) int) { c.Feed(sink) }
func (c wireChannel) taken(n int)                  { c.Taken(n) }
func (c wireChannel) exit(status int)              { c.Exit(status) }
func (c wireChannel) killed(signal int)            { c.ExitSignal(signal) }
func (c wireChannel) close()                       { c.Close() }

// wireRequests passes the transport's requests on.
type wireRequests struct{ requests }

// Request answers one request.
func (w wireRequests) Request(ctx context.Context, r sshwire.Request) {
	w.request(ctx, request{name: r.Name, payload: r.Payload, answer: r.Answer})
}

// End is told of the channel's end.
func (w wireRequests) End() { w.end() }

// wireMux is conn as the transport calls it.
type wireMux struct{ *conn }

// Global answers a global request.
func (m wireMux) Global(name string, payload []byte) bool { return m.global(name, payload) }

// Session counts a session in.
func (m wireMux) Session() bool { return m.session() }

// Serve begins a session.
func (m wireMux) Serve(ch *sshwire.Channel) sshwire.Requests {
	return wireRequests{m.serve(wireChannel{ch})}
}

// Refuse refuses any other channel.
func (m wireMux) Refuse(kind string, extra []byte) (reason uint32, text string) {
	return m.refuse(kind, extra)
}
