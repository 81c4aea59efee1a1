package feeds

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Bounds of what is fetched in parts.
const (
	maxPages  = 10_000 // of a TAXII collection
	maxEvents = 2_000  // of a MISP feed, the newest
	pageSize  = 1_000
)

// taxiiType is the media type of TAXII 2.1.
const taxiiType = "application/taxii+json;version=2.1"

// taxii fetches the objects that were added since the last fetch behind those
// there are. It returns the date to go on from. Objects that come twice are one:
// the parser takes the newest version of each id.
func (d *download) taxii(ctx context.Context, m memo) (added string, err error) {
	if st, err := os.Stat(d.f.path(d.l)); err != nil || st.Size() > d.left/2 {
		m.Added = "" // grown by old versions: fetch it anew
	}
	added = m.Added
	if added != "" {
		if err := d.copyOld(); err != nil {
			return m.Added, err
		}
	}
	more := ""
	for range maxPages {
		u, err := url.Parse(d.l.URL)
		if err != nil {
			return m.Added, fmt.Errorf("url: %w", err)
		}
		q := u.Query()
		q.Set("limit", fmt.Sprint(pageSize))
		q.Set("match[type]", "indicator")
		if m.Added != "" {
			q.Set("added_after", m.Added)
		}
		if more != "" {
			q.Set("next", more)
		}
		u.RawQuery = q.Encode()
		var page bytes.Buffer
		r, err := d.do(ctx, u.String(), taxiiType, nil, &page)
		if err != nil {
			return m.Added, err
		}
		var envelope struct {
			More bool   `json:"more"`
			Next string `json:"next"`
		}
		if err := json.Unmarshal(page.Bytes(), &envelope); err != nil {
			return m.Added, fmt.Errorf("read TAXII page: %w", err)
		}
		page.WriteByte('\n')
		if _, err := page.WriteTo(d.out); err != nil {
			return m.Added, err
		}
		if last := r.Header["X-Taxii-Date-Added-Last"]; last > added {
			added = last
		}
		if !envelope.More || envelope.Next == "" || envelope.Next == more {
			return added, nil
		}
		more = envelope.Next
	}
	return m.Added, fmt.Errorf("more than %d pages", maxPages)
}

// copyOld begins the new file with what was fetched before.
func (d *download) copyOld() error {
	old, err := os.Open(d.f.path(d.l))
	if err != nil {
		return fmt.Errorf("open what was fetched before: %w", err)
	}
	defer old.Close()
	n, err := io.Copy(d.out, io.LimitReader(old, d.left))
	d.left -= n
	if err != nil {
		return fmt.Errorf("copy what was fetched before: %w", err)
	}
	return nil
}

// mispFeed fetches the newest events of a feed folder, one behind the other.
func (d *download) mispFeed(ctx context.Context) error {
	base := strings.TrimSuffix(strings.TrimSuffix(d.l.URL, "manifest.json"), "/")
	var raw bytes.Buffer
	if _, err := d.do(ctx, base+"/manifest.json", "application/json", nil, &raw); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	var manifest map[string]struct {
		Timestamp json.RawMessage `json:"timestamp"`
	}
	if err := json.Unmarshal(raw.Bytes(), &manifest); err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	events := slices.Collect(maps.Keys(manifest))
	slices.SortFunc(events, func(a, b string) int {
		if c := stamp(manifest[b].Timestamp).Compare(stamp(manifest[a].Timestamp)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	got := 0
	for _, id := range events[:min(len(events), maxEvents)] {
		if strings.Trim(strings.ToLower(id), "0123456789abcdef-") != "" {
			return errors.New("the manifest names an event that is no UUID")
		}
		if _, err := d.do(ctx, base+"/"+id+".json", "application/json", nil, d.out); err != nil {
			return fmt.Errorf("event %s: %w", id, err)
		}
		if _, err := d.out.WriteString("\n"); err != nil {
			return err
		}
		got++
	}
	if got == 0 {
		return errors.New("the manifest names no event")
	}
	return nil
}
