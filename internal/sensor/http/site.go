package http

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor"
)

// maxFile bounds a file that is served.
const maxFile = 8 << 20

// www is www-data, on whose behalf files are read.
func www() vfs.Cred { return vfs.Cred{UID: 33, GID: 33} }

// answer decides what a request gets. It reports false when it gets nothing:
// the peer left in the middle.
func (s *service) answer(ses *sensor.Session, q *request, err error) (answer, bool) {
	var r *refusal
	switch {
	case errors.As(err, &r):
		return problem(q, r.status), true
	case err != nil:
		return answer{}, false
	}
	if user, password, ok := basic(q.get("authorization")); ok {
		s.attempt(ses, "basic", user, password, false)
	}
	if a, ok := s.application(ses, q); ok {
		return a, true
	}
	if s.cfg.Dotfiles == "deny" && hidden(q.path) {
		return problem(q, 403), true
	}
	if q.method != "GET" && q.method != "HEAD" {
		return problem(q, 405), true
	}
	return s.static(ses, q), true
}

// hidden reports whether a name on the path begins with a dot, as a usual rule
// "location ~ /\.[^.]" has it.
func hidden(p string) bool {
	for name := range strings.SplitSeq(p, "/") {
		if len(name) > 1 && name[0] == '.' && name[1] != '.' {
			return true
		}
	}
	return false
}

// static serves a file below the web root as Debian's default site does:
// try_files $uri $uri/ =404.
func (s *service) static(ses *sensor.Session, q *request) answer {
	fs := s.dep.World.FS(ses)
	name := path.Clean(s.cfg.Root + q.path)
	info, err := fs.Stat(www(), name)
	slash := strings.HasSuffix(q.path, "/")
	switch {
	case errors.Is(err, vfs.EACCES):
		return problem(q, 403)
	case err != nil, slash && !info.IsDir():
		return problem(q, 404)
	case !info.IsDir():
		return s.file(fs, q, name, info)
	case !slash:
		a := problem(q, 301)
		a.location = s.base(ses, q) + (&url.URL{Path: q.path}).EscapedPath() + "/"
		if q.query != "" {
			a.location += "?" + printable(q.query)
		}
		return a
	}
	for _, index := range []string{"index.html", "index.htm", "index.nginx-debian.html"} {
		if info, err := fs.Stat(www(), name+"/"+index); err == nil && info.IsRegular() {
			return s.file(fs, q, name+"/"+index, info)
		}
	}
	return problem(q, 403)
}

// base is the scheme, host and port of a redirect.
func (s *service) base(ses *sensor.Session, q *request) string {
	host := q.host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = printable(host)
	port := s.dep.Listen.Port()
	if port == 0 {
		port = ses.Dst.Port()
	}
	if host == "" {
		host = localAddr(ses.Dst)
	}
	if port == 80 {
		return "http://" + host
	}
	return "http://" + host + ":" + strconv.Itoa(int(port))
}

// printable drops what could end a header line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

func localAddr(a netip.AddrPort) string {
	if !a.IsValid() {
		return "localhost"
	}
	return a.Addr().String()
}

// file serves one file, whole or in part.
func (s *service) file(fs *vfs.FS, q *request, name string, info vfs.Info) answer {
	if !info.IsRegular() {
		return problem(q, 404)
	}
	f, err := fs.Open(www(), name, vfs.O_RDONLY, 0)
	if errors.Is(err, vfs.EACCES) {
		return problem(q, 403)
	}
	if err != nil {
		return problem(q, 404)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return problem(q, 500)
	}
	mtime := info.Mtime.Truncate(time.Second)
	tag := header{"ETag", fmt.Sprintf(`"%x-%x"`, mtime.Unix(), len(body))}
	a := answer{status: 200, kind: mimeType(name), body: body, modified: mtime, keep: true}
	if q.get("if-none-match") == tag.value || q.get("if-modified-since") == stamp(mtime) && q.get("if-none-match") == "" {
		return answer{status: 304, modified: mtime, keep: true, bodiless: true, extra: []header{tag}}
	}
	from, to, state := span(q.get("range"), len(body))
	switch state {
	case spanBad:
		p := problem(q, 416)
		p.extra = []header{{"Content-Range", fmt.Sprintf("bytes */%d", len(body))}}
		return p
	case spanPart:
		a.status, a.body = 206, body[from:to]
		a.extra = []header{tag, {"Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(body))}}
	default:
		a.extra = []header{tag, {"Accept-Ranges", "bytes"}}
	}
	return a
}

// What a Range header asks for.
const (
	spanWhole = iota
	spanPart
	spanBad
)

// span reads a Range header with one range (RFC 9110 section 14). Several
// ranges get the whole file: nginx may ignore the header, and so do we.
func span(value string, size int) (from, to, state int) {
	spec, ok := strings.CutPrefix(value, "bytes=")
	if !ok || strings.Contains(spec, ",") {
		return 0, size, spanWhole
	}
	first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok {
		return 0, 0, spanBad
	}
	if first == "" {
		n, err := strconv.Atoi(last)
		if err != nil || n <= 0 || size == 0 {
			return 0, 0, spanBad
		}
		return max(size-n, 0), size, spanPart
	}
	from, err := strconv.Atoi(first)
	if err != nil || from < 0 || from >= size {
		return 0, 0, spanBad
	}
	to = size
	if last != "" {
		n, err := strconv.Atoi(last)
		if err != nil || n < from {
			return 0, 0, spanBad
		}
		to = min(n, size-1) + 1
	}
	return from, to, spanPart
}

// mimeType is nginx' mime.types for what is met here.
func mimeType(name string) string {
	switch strings.TrimPrefix(path.Ext(name), ".") {
	case "html", "htm", "shtml":
		return "text/html"
	case "css":
		return "text/css"
	case "xml":
		return "text/xml"
	case "gif":
		return "image/gif"
	case "jpeg", "jpg":
		return "image/jpeg"
	case "js":
		return "application/javascript"
	case "txt":
		return "text/plain"
	case "png":
		return "image/png"
	case "svg", "svgz":
		return "image/svg+xml"
	case "ico":
		return "image/x-icon"
	case "json":
		return "application/json"
	case "pdf":
		return "application/pdf"
	case "zip":
		return "application/zip"
	}
	return "application/octet-stream"
}

// report turns a request into an event.
func (s *service) report(ses *sensor.Session, q *request, a answer, err error) {
	e := honeyguide.Event{Class: honeyguide.ClassHTTP, Activity: honeyguide.ActivityRequest}
	if q.method == "" || a.status == 400 || a.status == 0 {
		e.Activity = honeyguide.ActivityMalformed
	}
	if err != nil {
		e.Set(honeyguide.AttrDetail, text(err.Error()))
	}
	if q.method == "" || q.target == "" {
		e.Set(honeyguide.AttrMessage, text(q.line))
	}
	e.Set(honeyguide.AttrMethod, text(q.method))
	e.Set(honeyguide.AttrURL, text(q.target))
	e.Set(honeyguide.AttrHost, text(q.host))
	e.Set(honeyguide.AttrUserAgent, text(q.get("user-agent")))
	e.Set(honeyguide.AttrReferrer, text(q.get("referer")))
	e.Set(honeyguide.AttrHeaders, text(q.headers()))
	e.Set(honeyguide.AttrBody, text(string(q.body)))
	if a.status != 0 {
		e.Set(honeyguide.AttrStatus, a.status)
	}
	ses.Emit(e)
}

// headers returns the head as it came, cut to what an event keeps.
func (q *request) headers() string {
	var b strings.Builder
	for _, h := range q.head {
		if b.Len()+len(h.name)+len(h.value)+3 > keptHeaders {
			break
		}
		b.WriteString(h.name + ": " + h.value + "\n")
	}
	return b.String()
}

// text makes a peer's bytes valid UTF-8.
func text(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
