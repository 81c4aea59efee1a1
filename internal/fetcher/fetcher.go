// Package fetcher is the way to the network: HTTP requests for feeds,
// databases, reputation services and messages, mail, syslog and reverse names. They are made by a
// process of its own that can reach out and nothing else: it holds no file, no
// key and no listener, and it refuses every address that is not public unless
// the operator listed it. See [Doer] for what the core asks of it.
package fetcher

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/ipc"
)

// A Request is one thing to fetch.
type Request struct {
	Method   string            // "" means GET
	URL      string            // http or https; "dns:ADDRESS" for the names of an address; smtp, smtps, syslog+udp, syslog+tcp, syslog+tls, each as scheme://host:port
	Header   map[string]string // sent as they are; an Authorization or key among them keeps redirects on the host
	Body     []byte            // at most 1 MiB; of mail the whole message, of syslog one record
	MaxBytes int64             // of the answer's body; 0 means 1 MiB
	Timeout  time.Duration     // of the whole; 0 means 30 s
	Mail     *Mail             // of smtp and smtps only
	Stay     bool              // a redirect is the answer and is not followed
}

// Mail is the envelope of a message. A password never goes over a connection
// without TLS.
type Mail = ipc.FetchMail

// A Way is a place that requests of one scheme may go to although its port is
// not among the ports for all. What it opens for mail is closed to a webhook.
type Way = ipc.FetchWay

// defaultPorts are the ports of schemes whose URL names none.
var defaultPorts = map[string]uint16{
	"http": 80, "https": 443, "smtp": 587, "smtps": 465, "syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514,
}

// WayTo returns the way a URL needs. The error never repeats the URL: a key may
// stand in it.
func WayTo(address string) (Way, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Way{}, refuse("the URL cannot be read")
	}
	port, known := defaultPorts[u.Scheme]
	switch {
	case !known:
		return Way{}, refuse("the scheme %.20q", u.Scheme)
	case u.Hostname() == "":
		return Way{}, refuse("no host in the URL")
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return Way{}, refuse("port %.10q", text)
		}
		port = uint16(n)
	}
	return Way{Scheme: u.Scheme, Host: hostName(u.Hostname()), Port: port}, nil
}

// hostName is how hosts are compared.
func hostName(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }

// A Response is what came back; the body was written to the caller's writer.
type Response struct {
	Status int
	Header map[string]string // a few names only: see told; of mail Refused: the recipients the server refused while it took others
	Bytes  int64             // of the body
}

// A Doer fetches. The status of mail is the server's last code, 250 when it took
// the message, and its words are the body. A syslog record that was handed over has status 0.
type Doer interface {
	// Do makes one request and writes the body to w, whatever the status. It
	// returns [ErrRefused] when the address is not allowed, [ErrTooLarge] when the
	// body is larger than MaxBytes; then part of it was written.
	Do(ctx context.Context, r Request, w io.Writer) (Response, error)
}
