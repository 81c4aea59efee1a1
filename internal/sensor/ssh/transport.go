package ssh

import (
	"context"
	"io"
)

// A transport speaks the SSH protocols up to and with the multiplexing of
// channels. It is the seam behind which the library below can be replaced.
type transport interface {
	// open exchanges keys and lets the peer log in through g. It returns when
	// the peer is in; an error says it never will be.
	open(c *helloConn, g *gate) (link, error)
	// hostKeyBlobs returns the public host keys as hostkeys-00@openssh.com
	// carries them.
	hostKeyBlobs() []byte
}

// A link is a connection of a peer that is logged in.
type link interface {
	// notify sends a global request that wants no answer.
	notify(name string, payload []byte)
	// serve gives what the peer asks for to m, until the peer is gone.
	serve(ctx context.Context, m mux) error
	close()
}

// A mux answers what peers ask on a link.
type mux interface {
	// global answers a global request.
	global(name string, payload []byte) bool
	// session returns what serves a new session channel, or nil to refuse it.
	session() func(ctx context.Context, ch channel)
	// refuse is told of every other channel asked for and says why not.
	refuse(kind string, extra []byte) (reason uint32, text string)
	// spawn runs fn beside the caller.
	spawn(fn func())
}

// A channel is one open session channel.
type channel interface {
	io.ReadWriter
	stderr() io.Writer
	// next waits for the peer's next request; false is the end of the channel.
	// Somebody has to ask until then, or the connection stands still.
	next() (request, bool)
	// exit sends the exit status, the end of output, and closes the channel.
	exit(status int)
	close()
}

// A request is one request on a channel.
type request struct {
	name    string
	payload []byte
	answer  func(ok bool) // does nothing when the peer wants none
}
