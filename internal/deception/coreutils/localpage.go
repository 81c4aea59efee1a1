package coreutils

import (
	"path"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A page is what a web server of the host itself answers.
type page struct {
	status string // "200 OK"
	kind   string // of its content
	body   []byte
	at     time.Time // of its file; zero for a page the server makes
}

// maxPage bounds a page that is read into memory.
const maxPage = 1 << 20

// localPage asks the host's own web server: its site's files as the attacker
// sees them, and nginx' page for what is not there.
func (p *Proc) localPage(t target) (page, bool) {
	if t.scheme != "http" || !p.near(t.addr) || !p.listening(uint16(t.port)) {
		return page{}, false
	}
	name, _, _ := strings.Cut(t.path, "?")
	file := path.Join(p.siteRoot(), path.Clean("/"+name))
	if i, err := p.FS.Stat(vfs.Cred{}, file); err == nil && i.IsDir() {
		for _, n := range []string{"index.html", "index.htm", "index.nginx-debian.html"} {
			if _, err := p.FS.Stat(vfs.Cred{}, path.Join(file, n)); err == nil {
				file = path.Join(file, n)
				break
			}
		}
	}
	i, err := p.FS.Stat(vfs.Cred{}, file)
	switch {
	case err != nil:
		return p.errorPage("404 Not Found"), true
	case !i.IsRegular() || strings.HasSuffix(file, ".php") || i.Mode&0o004 == 0 || i.Size > maxPage:
		return p.errorPage("403 Forbidden"), true
	}
	kind := map[string]string{".html": "text/html", ".htm": "text/html", ".txt": "text/plain", ".css": "text/css", ".js": "application/javascript", ".json": "application/json", ".png": "image/png"}[path.Ext(file)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	return page{"200 OK", kind, []byte(p.slurp(file)), i.Mtime}, true
}

// siteRoot is the folder of the first site nginx serves.
func (p *Proc) siteRoot() string {
	for _, dir := range []string{"/etc/nginx/sites-enabled", "/etc/nginx/conf.d"} {
		list, _ := p.FS.ReadDir(vfs.Cred{}, dir)
		for _, i := range list {
			if i.IsDir() {
				continue
			}
			for line := range strings.Lines(p.slurp(path.Join(dir, i.Name))) {
				if f := strings.Fields(line); len(f) == 2 && f[0] == "root" {
					return strings.TrimSuffix(f[1], ";")
				}
			}
		}
	}
	return "/var/www/html"
}

func (p *Proc) errorPage(status string) page {
	text := "<html>\r\n<head><title>" + status + "</title></head>\r\n<body>\r\n<center><h1>" + status + "</h1></center>\r\n<hr><center>" + p.webServer() + "</center>\r\n</body>\r\n</html>\r\n"
	return page{status: status, kind: "text/html", body: []byte(text)}
}

func (p *Proc) webServer() string {
	if p.Host != nil && p.Host.HTTP.Server != "" {
		return p.Host.HTTP.Server
	}
	return "nginx"
}

// head is the page's header lines as nginx orders them.
func (g page) head(p *Proc) []string {
	const form = "Mon, 02 Jan 2006 15:04:05 GMT"
	out := []string{
		"HTTP/1.1 " + g.status, "Server: " + p.webServer(), "Date: " + p.Now().UTC().Format(form),
		"Content-Type: " + g.kind, sprintf("Content-Length: %d", len(g.body)),
	}
	if !g.at.IsZero() {
		out = append(out, "Last-Modified: "+g.at.UTC().Format(form))
	}
	out = append(out, "Connection: keep-alive")
	if !g.at.IsZero() {
		out = append(out, sprintf("ETag: \"%x-%x\"", g.at.Unix(), len(g.body)), "Accept-Ranges: bytes")
	}
	return out
}
