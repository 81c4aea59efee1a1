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
	// session counts a new session channel in; false refuses it.
	session() bool
	// serve returns who answers the requests on a session channel that was
	// counted in; nil when the channel broke before it was open.
	serve(ch channel) requests
	// refuse is told of every other channel asked for and says why not.
	refuse(kind string, extra []byte) (reason uint32, text string)
	// spawn runs fn beside the caller.
	spawn(fn func())
}

// A requests answers what the peer asks on one session channel. The link calls
// it for every request, or the connection would stand still, and at last end.
// It may be the goroutine that serves the link: what takes time runs beside it.
type requests interface {
	request(ctx context.Context, r request)
	end()
}

// A channel is one open session channel.
type channel interface {
	io.ReadWriter
	stderr() io.Writer
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
