package feeds

import (
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/indicator"
)

// maxLookups bounds the observables of one event that are looked up.
const maxLookups = 32

// Fact adds what the lists say about the values of e.
func (f *feeds) Fact(e *honeyguide.Event) {
	g := f.now.Load()
	if len(g.x.entries) == 0 {
		return
	}
	m := matcher{g: g, now: f.dep.Now().Unix()}
	m.addr(e.Src.Addr.Addr(), "")
	m.addr(e.Dst.Addr.Addr(), "")
	for i := range e.Observables[:min(len(e.Observables), maxLookups)] {
		m.observable(&e.Observables[i])
	}
	if s := e.Str(honeyguide.AttrSHA256); s != "" {
		m.hash(s)
	}
	if len(m.found) == 0 {
		return
	}
	e.Set(honeyguide.AttrEnrichments, m.found)
	e.Set(honeyguide.AttrFeeds, m.names())
}

// A matcher looks up the values of one event.
type matcher struct {
	g     *generation
	now   int64
	room  [8]hit
	found []honeyguide.Enrichment
}

func (m *matcher) observable(o *honeyguide.Observable) {
	switch o.Type {
	case indicator.IP:
		if a, err := netip.ParseAddr(o.Value); err == nil {
			m.addr(a, o.Value)
		}
	case indicator.Domain:
		if name, ok := canonDomain(o.Value); ok && m.g.x.domains {
			m.take(m.g.x.name(m.room[:0], name, uint32(m.now)), indicator.Domain, o.Value)
		}
	case indicator.URL:
		if m.g.x.links {
			m.url(o.Value)
		}
	case indicator.Hash:
		m.hash(o.Value)
	}
}

func (m *matcher) hash(s string) {
	if !m.g.x.hashes || !isHash(s) {
		return
	}
	s = strings.ToLower(s)
	m.take(m.g.x.text(m.room[:0], hash, s, uint32(m.now)), indicator.Hash, s)
}

// addr looks up a public address: lists of unroutable networks are about
// routers, not about the neighbours.
func (m *matcher) addr(a netip.Addr, text string) {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
		return
	}
	hits := m.g.x.addr(m.room[:0], a, uint32(m.now))
	if len(hits) > 0 && text == "" {
		text = a.String()
	}
	m.take(hits, indicator.IP, text)
}

// url looks up a URL, then without its query: lists name the page.
func (m *matcher) url(s string) {
	u, ok := canonLink(s)
	if !ok {
		return
	}
	hits := m.g.x.text(m.room[:0], link, u, uint32(m.now))
	if page, _, cut := strings.Cut(u, "?"); cut && len(hits) == 0 {
		hits = m.g.x.text(m.room[:0], link, page, uint32(m.now))
		for i := range hits {
			hits[i].match = page
		}
	}
	m.take(hits, indicator.URL, s)
}

// take turns hits into enrichments.
func (m *matcher) take(hits []hit, kind, value string) {
	for _, h := range hits {
		from := &m.g.from[h.e.feed]
		if from.expires != 0 && from.expires <= m.now {
			continue
		}
		x := honeyguide.Enrichment{
			Provider: from.provider, Type: kind, Value: value, Match: h.match, Verdict: from.verdict, Confidence: from.confidence,
			Text: m.g.x.labels[h.e.label], AsOf: moment(h.e.seen), At: from.at, Expires: moment(h.e.expires),
		}
		if h.e.conf >= 0 {
			x.Confidence = int(h.e.conf)
		}
		n := len(m.found)
		if m.found = honeyguide.AddEnrichment(m.found, x); len(m.found) > n {
			from.hits.Add(1)
		}
	}
}

// names lists the feeds that matched.
func (m *matcher) names() string {
	var out []string
	for i := range m.found {
		name := strings.TrimPrefix(m.found[i].Provider, providerPrefix)
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// providerPrefix begins the provider of an enrichment by a feed.
const providerPrefix = "feed:"
