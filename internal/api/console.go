package api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	indexPage = "index.html"
	framePage = "replay/frame.html"
	// hashedFolder holds files whose names change with their content.
	hashedFolder = "assets/"
	forever      = "public, max-age=31536000, immutable"
	askAgain     = "no-cache" // keep it, and ask by ETag whether it still holds
)

// contentTypes are those of the console's files. The table of the machine is not
// asked: a wrong type and nosniff make a blank page.
var contentTypes = map[string]string{
	".html": htmlType, ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".map": "application/json", ".svg": "image/svg+xml",
	".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".ico": "image/x-icon", ".woff2": "font/woff2", ".woff": "font/woff",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm",
}

const htmlType = "text/html; charset=utf-8"

// A site is the built console: files anybody may have, because they hold nothing
// but the program. Only names found when it was opened are served, so no path can
// lead elsewhere.
type site struct {
	fs      fs.FS
	pages   map[string]page
	folders map[string]bool // first folders of pages
}

// A page is one file of the console.
type page struct {
	kind, tag, cache string
	size, packed     int64 // bytes plain, and compressed; packed is 0 when it is not there
	guest            bool  // the replay frame loads it
}

// openSite reads the names, sizes and sums of the console's files.
func openSite(files fs.FS) (*site, error) {
	s := &site{fs: files, pages: map[string]page{}, folders: map[string]bool{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") || strings.HasSuffix(name, ".gz") {
			return err
		}
		p, err := openPage(files, name)
		if folder, _, found := strings.Cut(name, "/"); found {
			s.folders[folder] = true
		}
		s.pages[name] = p
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the built console: %w", err)
	}
	return s, s.invite()
}

var hashedName = regexp.MustCompile(`[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

func openPage(files fs.FS, name string) (p page, err error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return p, err
	}
	sum := sha256.Sum256(text)
	p = page{kind: contentTypes[path.Ext(name)], tag: base64.RawURLEncoding.EncodeToString(sum[:15]), cache: askAgain, size: int64(len(text))}
	if p.kind == "" {
		p.kind = "application/octet-stream"
	}
	switch {
	case strings.HasPrefix(name, hashedFolder) && hashedName.MatchString(name):
		p.cache = forever
	case p.kind == htmlType:
		p.cache = "no-store"
	}
	packed, err := fs.Stat(files, name+".gz")
	if err == nil {
		p.packed = packed.Size()
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return p, err
}

var reference = regexp.MustCompile(`(?i)\b(?:src|href)\s*=\s*["']?([^"'\s>]+)`)

// invite finds what the replay frame loads. The frame has no origin of its own, so
// a browser takes it for another site and would not be given files that are for
// this one alone (Cross-Origin-Resource-Policy).
func (s *site) invite() error {
	if _, ok := s.pages[framePage]; !ok {
		return nil
	}
	text, err := fs.ReadFile(s.fs, framePage)
	if err != nil {
		return fmt.Errorf("read the replay frame: %w", err)
	}
	for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
		name, _, _ := strings.Cut(m[1], "?")
		if !strings.HasPrefix(name, "/") {
			name = path.Join("/", path.Dir(framePage), name)
		}
		name = strings.TrimPrefix(path.Clean(name), "/")
		if p, ok := s.pages[name]; ok {
			p.guest = true
			s.pages[name] = p
		}
	}
	return nil
}

// claims reports whether a request that no route takes is one for the console.
func (s *site) claims(r *http.Request) bool {
	if s == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return !slices.Contains([]string{"api", "v1"}, first)
}

// find returns the file a path stands for: itself, or index.html where the
// console makes the page from the path. A file that is not there is none of those
// paths, or an old page would take HTML for its script.
func (s *site) find(urlPath string) (name string, ok bool) {
	name = strings.TrimPrefix(urlPath, "/")
	if name == "" || name == indexPage {
		return indexPage, true
	}
	if _, ok = s.pages[name]; ok {
		return name, true
	}
	first, rest, _ := strings.Cut(strings.TrimSuffix(name, "/"), "/")
	switch {
	case !fs.ValidPath(strings.TrimSuffix(name, "/")), strings.ContainsAny(name, "\x00\\"), s.folders[first]:
		return "", false
	case strings.HasPrefix(first, "."), rest == "" && path.Ext(first) != "":
		return "", false
	}
	return indexPage, true
}

// ServeHTTP answers a request it claims.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := s.find(r.URL.Path)
	if !ok {
		writeProblem(w, newProblem(r.Context(), http.StatusNotFound, "there is nothing at this path"))
		return
	}
	p, built := s.pages[name]
	if !built {
		unbuilt(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.kind)
	h.Set("Cache-Control", p.cache)
	h.Set("Vary", "Accept-Encoding")
	switch {
	case name == framePage:
		h.Set("Content-Security-Policy", framePolicy)
		h.Set("X-Frame-Options", "SAMEORIGIN")
	case p.guest:
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	tag, size := `"`+p.tag+`"`, p.size
	if p.packed > 0 && takesGzip(r.Header.Values("Accept-Encoding")) {
		name, tag, size = name+".gz", `"`+p.tag+`-gz"`, p.packed
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if p.cache != "no-store" && holds(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method == http.MethodHead {
		return
	}
	f, err := s.fs.Open(name)
	if err != nil {
		panic(fmt.Errorf("open %s of the console: %w", name, err)) // it was there at the start
	}
	defer f.Close()
	_, _ = io.Copy(w, f) // the peer may be gone
}

// unbuilt says what to do when the binary carries no console.
func unbuilt(w http.ResponseWriter) {
	w.Header().Set("Content-Type", htmlType)
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, unbuiltPage)
}

const unbuiltPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Honeyguide: console not built</title></head>
<body><h1>The console was not built into this binary</h1>
<p>Honeyguide works: decoys, API and command line are up. To get the console, install Node 20 or newer, then run</p>
<pre>make build</pre>
<p>and start it again. The API is at <code>/api/v1</code>; the command line is <code>honeyguide --help</code>.</p>
</body></html>
`

// takesGzip reports whether a peer takes gzip (RFC 9110, 12.5.3).
func takesGzip(values []string) bool {
	any := false
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			coding, weight, _ := strings.Cut(item, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding != "gzip" && coding != "x-gzip" && coding != "*" {
				continue
			}
			name, q, _ := strings.Cut(strings.TrimSpace(weight), "=")
			taken := true
			if strings.EqualFold(strings.TrimSpace(name), "q") {
				n, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
				taken = err == nil && n > 0
			}
			if coding != "*" {
				return taken
			}
			any = taken
		}
	}
	return any
}

// holds reports whether an If-None-Match names a tag.
func holds(header, tag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		if item = strings.TrimPrefix(strings.TrimSpace(item), "W/"); item == tag || item == "*" {
			return true
		}
	}
	return false
}
