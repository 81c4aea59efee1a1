package feeds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"honeyguide/internal/fetcher"
)

// A memo is what is kept of a fetched list beside its data.
type memo struct {
	URL      string    `json:"url"`
	Fetched  time.Time `json:"fetched"`
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	Added    string    `json:"added,omitempty"` // TAXII: date of the last object fetched
}

// ReachesOut reports whether any list has a URL.
func (f *feeds) ReachesOut() bool {
	return slices.ContainsFunc(f.lists, func(l *feed) bool { return l.URL != "" })
}

func (f *feeds) memoPath(l *feed) string { return filepath.Join(f.dep.Dir, Folder, l.name+".json") }

// memo reads what is known of the last fetch; nothing when the list has another
// address now.
func (f *feeds) memo(l *feed) (m memo, err error) {
	raw, err := os.ReadFile(f.memoPath(l))
	if errors.Is(err, fs.ErrNotExist) {
		return memo{}, nil
	}
	if err != nil {
		return memo{}, fmt.Errorf("read what is known of the last fetch: %w", err)
	}
	if json.Unmarshal(raw, &m) != nil || m.URL != l.URL {
		return memo{}, nil
	}
	if _, err := os.Stat(f.path(l)); err != nil {
		return memo{}, nil
	}
	return m, nil
}

// recall finds what an earlier run fetched.
func (f *feeds) recall(ctx context.Context, l *feed) {
	m, err := f.memo(l)
	if err != nil {
		f.complain(ctx, l, err)
		return
	}
	f.loading.Lock()
	defer f.loading.Unlock()
	if l.fetched = m.Fetched; !m.Fetched.IsZero() {
		l.next = m.Fetched.Add(l.Every)
	}
}

// Pauses after failed fetches.
const (
	firstPause = 5 * time.Minute
	lastPause  = 6 * time.Hour
	fetchTime  = 5 * time.Minute
)

// fetch brings a list up to date; reload reads it then.
func (f *feeds) fetch(ctx context.Context, l *feed) {
	m, err := f.memo(l)
	if err != nil {
		f.complain(ctx, l, err)
		return
	}
	wait := time.Duration(0)
	fresh, next := "", m
	if err = os.MkdirAll(filepath.Join(f.dep.Dir, Folder), 0o700); err == nil {
		fresh, next, wait, err = f.download(ctx, l, m)
	}
	f.loading.Lock()
	defer f.loading.Unlock()
	if err != nil {
		l.tries++
		pause := min(firstPause<<min(l.tries-1, 10), lastPause)
		l.next = f.dep.Now().Add(max(pause, wait))
		f.complain(ctx, l, fmt.Errorf("fetch: %w", err))
		return
	}
	l.tries, l.fresh, l.came = 0, fresh, next
	l.next = next.Fetched.Add(l.Every)
	if fresh == "" { // unchanged: what there is counts again from now
		l.fetched = next.Fetched
		f.renew(l)
		if err := f.remember(l, next); err != nil {
			f.complain(ctx, l, err)
		}
	}
}

// renew lets what is in use count from now on.
func (f *feeds) renew(l *feed) {
	old := f.now.Load()
	g := &generation{x: old.x, from: append([]origin(nil), old.from...)}
	for i, x := range f.lists {
		if x == l && i < len(g.from) {
			g.from[i].at, g.from[i].expires = l.fetched, l.fetched.Add(l.Keep).Unix()
		}
	}
	f.now.Store(g)
	f.mu.Lock()
	defer f.mu.Unlock()
	l.status.AsOf = l.fetched
	if l.use {
		l.status.State, l.status.Detail = "ok", ""
	}
	f.fetched.With(l.name).Set(float64(l.fetched.Unix()))
}

func (f *feeds) remember(l *feed, m memo) error {
	raw, err := json.Marshal(m)
	if err == nil {
		err = writeFile(f.memoPath(l), raw)
	}
	if err != nil {
		return fmt.Errorf("remember the fetch: %w", err)
	}
	return nil
}

// writeFile replaces a file in one step.
func writeFile(path string, raw []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// download fetches a list into a file; "" says that it has not changed. wait is
// how long the server wants to be left alone after an error.
func (f *feeds) download(ctx context.Context, l *feed, m memo) (fresh string, next memo, wait time.Duration, err error) {
	path := f.path(l) + ".new"
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", m, 0, err
	}
	next = memo{URL: l.URL, Fetched: f.dep.Now().UTC()}
	d := &download{f: f, l: l, out: out, left: l.MaxMiB << 20}
	same := false
	switch l.Format {
	case formatTAXII:
		next.Added, err = d.taxii(ctx, m)
	case formatFeed:
		err = d.mispFeed(ctx)
	default:
		same, err = d.plain(ctx, m, &next)
	}
	err = errors.Join(err, out.Sync(), out.Close())
	if err != nil || same {
		if same {
			next.ETag, next.Modified = m.ETag, m.Modified
		}
		return "", next, d.wait, errors.Join(err, os.Remove(path))
	}
	return path, next, 0, nil
}

// A download is one fetch under way.
type download struct {
	f    *feeds
	l    *feed
	out  *os.File
	left int64
	wait time.Duration
}

// do makes one request; the body goes to w.
func (d *download) do(ctx context.Context, url, accept string, more map[string]string, w interface{ Write([]byte) (int, error) }) (fetcher.Response, error) {
	head := map[string]string{"Accept": accept}
	if d.l.Key != "" {
		head[d.l.KeyHeader] = d.l.Key.Reveal()
	}
	for k, v := range more {
		if v != "" {
			head[k] = v
		}
	}
	r, err := d.f.dep.Fetch.Do(ctx, fetcher.Request{URL: url, Header: head, MaxBytes: d.left, Timeout: fetchTime}, w)
	d.left -= r.Bytes
	if s, bad := strconv.Atoi(r.Header["Retry-After"]); bad == nil && s > 0 {
		d.wait = time.Duration(min(s, 86400)) * time.Second
	}
	switch {
	case errors.Is(err, fetcher.ErrTooLarge):
		return r, fmt.Errorf("larger than max_mib (%d): %w", d.l.MaxMiB, err)
	case err != nil:
		return r, err
	case r.Status == 304, r.Status == 200:
		return r, nil
	}
	return r, fmt.Errorf("the server answers %d", r.Status)
}

// plain fetches a list that is one document.
func (d *download) plain(ctx context.Context, m memo, next *memo) (same bool, err error) {
	r, err := d.do(ctx, d.l.URL, "*/*", map[string]string{"If-None-Match": m.ETag, "If-Modified-Since": m.Modified}, d.out)
	if err != nil {
		return false, err
	}
	next.ETag, next.Modified = r.Header["ETag"], r.Header["Last-Modified"]
	return r.Status == 304, nil
}
