package http

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// serverName is what nginx of Debian 12 calls itself.
const serverName = "nginx/1.22.1"

// An answer is one response. Its headers come in nginx' order: Server, Date,
// Content-Type, Content-Length, Last-Modified, Location, Connection, then extra
// in its own order.
type answer struct {
	status   int
	kind     string // content type
	body     []byte
	modified time.Time
	location string
	extra    []header
	keep     bool // nginx would go on after this answer
	bodiless bool // 304: no type, no length
}

// reasons are nginx' reason phrases.
func reason(status int) string {
	switch status {
	case 200:
		return "OK"
	case 206:
		return "Partial Content"
	case 301:
		return "Moved Permanently"
	case 302:
		return "Found" // of the application, whose words nginx passes on
	case 304:
		return "Not Modified"
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Not Allowed"
	case 413:
		return "Request Entity Too Large"
	case 414:
		return "Request-URI Too Large"
	case 416:
		return "Requested Range Not Satisfiable"
	case 500:
		return "Internal Server Error"
	case 501:
		return "Not Implemented"
	case 505:
		return "HTTP Version Not Supported"
	}
	return strconv.Itoa(status)
}

// page returns nginx' own page for a status. A browser that would show its own
// page instead gets it padded.
func page(status int, userAgent string) []byte {
	title := strconv.Itoa(status) + " " + reason(status)
	h1, note := title, ""
	if status == 494 {
		title, h1 = "400 Request Header Or Cookie Too Large", "400 Bad Request"
		note = "<center>Request Header Or Cookie Too Large</center>\r\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n%s"+
		"<hr><center>%s</center>\r\n</body>\r\n</html>\r\n", title, h1, note, serverName)
	if status >= 400 && (strings.Contains(userAgent, "Chrome/") || strings.Contains(userAgent, "MSIE ")) {
		b.WriteString(strings.Repeat("<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n", 6))
	}
	return []byte(b.String())
}

// problem is the answer that consists of nginx' own page.
func problem(q *request, status int) answer {
	a := answer{status: status, kind: "text/html", body: page(status, q.get("user-agent"))}
	if status == 494 {
		a.status = 400
	}
	switch status {
	case 400, 413, 414, 494, 500, 501, 505:
	default:
		a.keep = true
	}
	return a
}

// writer writes answers to one connection.
type writer struct {
	out    *bufio.Writer
	now    func() time.Time
	failed bool
}

// interim tells the peer to send its body.
func (w *writer) interim() error {
	_, _ = w.out.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
	return w.flush()
}

// write sends an answer; more says that the next one follows at once.
func (w *writer) write(q *request, a answer, more bool) error {
	if !q.old {
		w.head(a)
	}
	if q.method != "HEAD" && !a.bodiless {
		_, _ = w.out.Write(a.body)
	}
	if more {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	err := w.out.Flush()
	w.failed = w.failed || err != nil
	return err
}

func (w *writer) head(a answer) {
	line := func(name, value string) {
		_, _ = w.out.WriteString(name + ": " + value + "\r\n")
	}
	_, _ = fmt.Fprintf(w.out, "HTTP/1.1 %d %s\r\n", a.status, reason(a.status))
	line("Server", serverName)
	line("Date", stamp(w.now()))
	if !a.bodiless {
		line("Content-Type", a.kind)
		line("Content-Length", strconv.Itoa(len(a.body)))
	}
	if !a.modified.IsZero() {
		line("Last-Modified", stamp(a.modified))
	}
	if a.location != "" {
		line("Location", a.location)
	}
	if a.keep {
		line("Connection", "keep-alive")
	} else {
		line("Connection", "close")
	}
	for _, h := range a.extra {
		line(h.name, h.value)
	}
	_, _ = w.out.WriteString("\r\n")
}

// stamp is a time as HTTP writes it (RFC 9110 section 5.6.7).
func stamp(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") }
