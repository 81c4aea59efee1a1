package geo

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// A database is one file in memory.
type database struct {
	path          string
	kind          string // its database_type
	built         time.Time
	loaded, mtime time.Time
	size, nodes   int64
	db            *maxminddb.Reader
}

// parse opens a database and checks that it is whole enough to be used.
func parse(raw []byte) (*database, error) {
	r, err := maxminddb.OpenBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("no MMDB database: %w", err)
	}
	return &database{kind: r.Metadata.DatabaseType, built: r.Metadata.BuildTime().UTC(), nodes: int64(r.Metadata.NodeCount), db: r}, nil
}

// Check reports whether raw is a whole database, and says what it is. It reads
// all of it, which takes seconds for a large one.
func (*geo) Check(raw []byte) (kind string, built time.Time, err error) {
	db, err := parse(raw)
	if err != nil {
		return "", time.Time{}, err
	}
	if err := db.db.Verify(); err != nil {
		return "", time.Time{}, fmt.Errorf("the database is damaged: %w", err)
	}
	return db.kind, db.built, nil
}

// Where makers of databases put a fact, the frequent place first.
var (
	countryAt = [][]any{{"country", "iso_code"}, {"country_code"}, {"country"}, {"registered_country", "iso_code"}}
	cityAt    = [][]any{{"city", "names", "en"}, {"city"}, {"city_name"}}
	asnAt     = [][]any{{"autonomous_system_number"}, {"traits", "autonomous_system_number"}, {"asn"}}
	orgAt     = [][]any{{"autonomous_system_organization"}, {"traits", "autonomous_system_organization"}, {"as_name"}, {"organization"}, {"name"}}
)

// add puts what the database knows of an address into p, where p has nothing.
func (d *database) add(p *place) {
	r := d.db.Lookup(p.addr)
	if !r.Found() {
		return
	}
	asns := strings.Contains(d.kind, "ASN") || strings.Contains(d.kind, "asn")
	if p.country == "" && (!asns || strings.Contains(d.kind, "ountry")) {
		if c := text(r, countryAt); len(c) == 2 {
			p.country = strings.ToUpper(c)
		}
	}
	if p.city == "" && !asns {
		p.city = clip(text(r, cityAt), 100)
	}
	if p.asn == 0 {
		if p.asn = number(r, asnAt); p.asn != 0 {
			p.org = clip(text(r, orgAt), 200)
		}
	}
}

// text returns the first text that stands at one of the places.
func text(r maxminddb.Result, places [][]any) string {
	for _, at := range places {
		var s string
		if r.DecodePath(&s, at...) == nil && s != "" {
			return s
		}
	}
	return ""
}

// number returns the first number, or text of one such as "AS15169".
func number(r maxminddb.Result, places [][]any) uint32 {
	for _, at := range places {
		var n uint32
		if r.DecodePath(&n, at...) == nil && n != 0 {
			return n
		}
		var s string
		if r.DecodePath(&s, at...) == nil && s != "" {
			if n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(s), "AS"), 10, 32); err == nil {
				return uint32(n)
			}
		}
	}
	return 0
}

func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// slots of the memory of answers, a power of two. Attackers come back within
// moments: what they did is many events of one address.
const slots = 1 << 14

// A generation is the databases that answer now, and their last answers.
type generation struct {
	dbs  []*database
	last [slots]atomic.Pointer[place]
}

func newGeneration(dbs []*database) *generation { return &generation{dbs: dbs} }

// of returns the database loaded from path, nil when there is none.
func (g *generation) of(path string) *database {
	for _, d := range g.dbs {
		if d.path == path {
			return d
		}
	}
	return nil
}

// place returns what is known of an address, nil when it is not public.
func (g *generation) place(a netip.Addr) *place {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
		return nil
	}
	slot := &g.last[slotOf(a)]
	if p := slot.Load(); p != nil && p.addr == a {
		return p
	}
	p := &place{addr: a}
	for _, d := range g.dbs {
		d.add(p)
	}
	slot.Store(p)
	return p
}

// slotOf spreads addresses over the slots. Whoever chooses addresses that meet
// in one slot only makes lookups as slow as without a memory.
func slotOf(a netip.Addr) uint64 {
	b := a.As16()
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return (h ^ h>>29) & (slots - 1)
}
