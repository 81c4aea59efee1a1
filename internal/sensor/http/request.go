package http

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Limits of nginx as Debian configures it.
const (
	lineLimit   = 8 << 10  // large_client_header_buffers: one line
	headLimit   = 32 << 10 // and all lines together
	bodyLimit   = 1 << 20  // client_max_body_size
	keptBody    = 16 << 10 // of a body in an event
	keptHeaders = 8 << 10  // of the headers in an event
)

// A refusal is an error that has a status for the peer.
type refusal struct {
	status int
	why    string
}

// Error says why.
func (r *refusal) Error() string { return r.why }

func refuse(status int, why string) error { return &refusal{status, why} }

// A request is the head of one request.
type request struct {
	begun      bool   // something was received
	line       string // the request line as it came
	method     string
	target     string // as it came
	path       string // decoded and cleaned
	query      string
	old        bool // HTTP/0.9: no head, no status
	minor      int  // 0 or 1
	head       []header
	headBytes  int
	host       string
	hosts      int
	length     int64 // of the body; -1: chunked, 0: none
	connection string
	body       []byte // its first bytes
}

// expectsContinue reports whether the peer waits for a word before its body.
func (q *request) expectsContinue() bool {
	return q.length != 0 && q.minor > 0 && strings.EqualFold(q.get("expect"), "100-continue")
}

type header struct{ name, value string }

// get returns the first header of a name, which is given in lower case.
func (q *request) get(name string) string {
	for _, h := range q.head {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

// title is the request in one line.
func (q *request) title() string { return q.method + " " + q.target }

// keepAlive reports whether the peer wants to go on.
func (q *request) keepAlive() bool {
	c := strings.ToLower(q.connection)
	switch {
	case q.old || strings.Contains(c, "close"):
		return false
	case q.minor == 0:
		return strings.Contains(c, "keep-alive")
	}
	return true
}

// readRequest reads a request's line and head. An error that is a refusal has a
// status for the peer; the request holds what was understood.
func readRequest(in *bufio.Reader) (*request, error) {
	q := &request{minor: 1}
	for {
		b, err := in.Peek(1)
		if err != nil {
			return q, err
		}
		if b[0] != '\r' && b[0] != '\n' {
			break
		}
		_, _ = in.Discard(1) // nginx skips empty lines before a request
	}
	q.begun = true
	if c, _ := in.Peek(1); (c[0] < 'A' || c[0] > 'Z') && c[0] != '_' && c[0] != '-' {
		q.line = peeked(in)
		return q, refuse(400, "no method")
	}
	line, err := readLine(in)
	q.line = line
	if errors.Is(err, bufio.ErrBufferFull) {
		q.method, _, _ = strings.Cut(line, " ")
		return q, refuse(414, "request line too long")
	}
	if err != nil {
		return q, err
	}
	if err := q.parseLine(line); err != nil || q.old {
		return q, err
	}
	if err := q.readHead(in); err != nil {
		return q, err
	}
	return q, q.check()
}

// peeked returns what arrived so far, for the report.
func peeked(in *bufio.Reader) string {
	b, _ := in.Peek(min(in.Buffered(), 256))
	return string(b)
}

// readLine reads a line of at most lineLimit bytes; the line feed may stand
// alone.
func readLine(in *bufio.Reader) (string, error) {
	b, err := in.ReadSlice('\n')
	if err != nil {
		return string(b), err
	}
	line := strings.TrimSuffix(string(b), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// parseLine reads "METHOD target HTTP/1.1".
func (q *request) parseLine(line string) error {
	method, rest, ok := strings.Cut(line, " ")
	for i := range len(method) {
		if c := method[i]; (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return refuse(400, "invalid method")
		}
	}
	q.method = method
	if !ok {
		return refuse(400, "no target")
	}
	rest = strings.TrimLeft(rest, " ")
	target, version, ok := strings.Cut(rest, " ")
	q.target = target
	version = strings.Trim(version, " ")
	if !ok || version == "" {
		q.old = true
		if method != "GET" {
			return refuse(400, "HTTP/0.9 knows GET only")
		}
		return q.parseTarget()
	}
	if err := q.parseVersion(version); err != nil {
		// A target nginx stops at comes first.
		if terr := q.parseTarget(); terr != nil {
			return terr
		}
		return err
	}
	return q.parseTarget()
}

func (q *request) parseVersion(v string) error {
	v, ok := strings.CutPrefix(v, "HTTP/")
	if !ok {
		return refuse(400, "invalid protocol")
	}
	major, minor, dotted := strings.Cut(v, ".")
	big, err := strconv.Atoi(major)
	if err != nil || big < 1 || major[0] == '0' {
		return refuse(400, "invalid version")
	}
	if big > 1 {
		return refuse(505, "unsupported version")
	}
	n, err := strconv.Atoi(minor)
	if !dotted || err != nil || n < 0 || n > 999 {
		return refuse(400, "invalid version")
	}
	q.minor = min(n, 1)
	return nil
}

// parseTarget splits and cleans the target, which is a path or an http URL.
func (q *request) parseTarget() error {
	t := q.target
	if low := strings.ToLower(t); strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") {
		_, rest, _ := strings.Cut(t, "://")
		i := strings.IndexAny(rest, "/?#")
		if i < 0 {
			i = len(rest)
		}
		q.host, t = rest[:i], rest[i:]
		if q.host == "" {
			return refuse(400, "no host in target")
		}
		if t == "" || t[0] != '/' {
			t = "/" + t
		}
	}
	if t == "" || t[0] != '/' {
		return refuse(400, "invalid target")
	}
	path, query, _ := strings.Cut(t, "?")
	path, _, _ = strings.Cut(path, "#")
	query, _, _ = strings.Cut(query, "#")
	q.query = query
	clean, err := cleanPath(path)
	if err != nil {
		return err
	}
	q.path = clean
	return nil
}

// cleanPath decodes a path and resolves dots and doubled slashes. A path that
// leaves the root, or holds a NUL, is refused.
func cleanPath(raw string) (string, error) {
	decoded := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			if i+2 >= len(raw) || unhex(raw[i+1]) < 0 || unhex(raw[i+2]) < 0 {
				return "", refuse(400, "invalid escape")
			}
			c = byte(unhex(raw[i+1])<<4 | unhex(raw[i+2]))
			i += 2
		}
		if c == 0 {
			return "", refuse(400, "NUL in path")
		}
		decoded = append(decoded, c)
	}
	var parts []string
	names := strings.Split(string(decoded), "/")[1:]
	for i, name := range names {
		last := i == len(names)-1
		switch name {
		case "", ".":
			if last {
				parts = append(parts, "")
			}
		case "..":
			if len(parts) == 0 {
				return "", refuse(400, "path leaves the root")
			}
			parts = parts[:len(parts)-1]
			if last {
				parts = append(parts, "")
			}
		default:
			parts = append(parts, name)
		}
	}
	return "/" + strings.Join(parts, "/"), nil
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// errTooLarge is the refusal nginx has a page of its own for.
var errTooLarge = &refusal{494, "header too large"}

// readHead reads the headers. A line that is none is skipped, as nginx does.
func (q *request) readHead(in *bufio.Reader) error {
	for {
		line, err := readLine(in)
		q.headBytes += len(line) + 2
		if errors.Is(err, bufio.ErrBufferFull) || q.headBytes > headLimit {
			return errTooLarge
		}
		if err != nil {
			return err
		}
		if line == "" {
			return nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !validName(name) {
			if strings.ContainsRune(line, 0) {
				return refuse(400, "NUL in header")
			}
			continue
		}
		q.head = append(q.head, header{name, strings.Trim(value, " ")})
	}
}

// validName reports whether nginx takes a header's name: letters, digits and
// the dash; an underscore makes it ignore the line.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' {
			continue
		}
		return false
	}
	return name != ""
}

// check reads the headers that steer the connection and refuses what nginx
// refuses.
func (q *request) check() error {
	lengths, encodings := 0, 0
	for _, h := range q.head {
		switch strings.ToLower(h.name) {
		case "host":
			q.hosts++
			if q.hosts > 1 || !validHost(h.value) {
				return refuse(400, "duplicate or invalid Host")
			}
			if q.host == "" {
				q.host = h.value
			}
		case "connection":
			q.connection = h.value
		case "content-length":
			n, err := strconv.ParseInt(h.value, 10, 63)
			if lengths++; err != nil || n < 0 || lengths > 1 || h.value[0] == '+' {
				return refuse(400, "invalid Content-Length")
			}
			q.length = n
		case "transfer-encoding":
			if encodings++; !strings.EqualFold(h.value, "chunked") || encodings > 1 {
				return refuse(501, "unknown Transfer-Encoding")
			}
		}
	}
	if q.minor > 0 && q.hosts == 0 {
		return refuse(400, "no Host")
	}
	if encodings > 0 {
		if lengths > 0 || q.minor == 0 {
			return refuse(400, "Transfer-Encoding out of place")
		}
		q.length = -1
	}
	if q.length > bodyLimit {
		return refuse(413, "body too large")
	}
	return nil
}

// validHost reports whether nginx takes a Host: no slash, no NUL, no two dots in
// a row.
func validHost(h string) bool {
	return h != "" && !strings.ContainsAny(h, "/\x00") && !strings.Contains(h, "..")
}

// readBody reads a body and keeps its first bytes; at most bodyLimit bytes are
// taken.
func (q *request) readBody(in *bufio.Reader) (kept []byte, err error) {
	if q.length >= 0 {
		kept, err = take(in, q.length, nil)
		return kept, err
	}
	total := int64(0)
	for {
		line, err := readLine(in)
		if err != nil {
			return kept, refuse(400, "broken chunk")
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return kept, refuse(400, "broken chunk")
		}
		if n == 0 {
			return kept, trailers(in)
		}
		if total += int64(n); total > bodyLimit {
			return kept, refuse(413, "body too large")
		}
		if kept, err = take(in, int64(n), kept); err != nil {
			return kept, err
		}
		if end, err := readLine(in); err != nil || end != "" {
			return kept, refuse(400, "broken chunk")
		}
	}
}

// trailers reads up to the empty line after the last chunk.
func trailers(in *bufio.Reader) error {
	for total := 0; total < headLimit; {
		line, err := readLine(in)
		if err != nil {
			return refuse(400, "broken trailer")
		}
		if line == "" {
			return nil
		}
		total += len(line)
	}
	return refuse(400, "trailer too large")
}

// take reads n bytes and appends them to kept as long as that is short.
func take(in *bufio.Reader, n int64, kept []byte) ([]byte, error) {
	first := make([]byte, min(n, int64(keptBody-len(kept))))
	m, err := io.ReadFull(in, first)
	kept = append(kept, first[:m]...)
	if err == nil {
		_, err = io.CopyN(io.Discard, in, n-int64(m))
	}
	return kept, err
}
