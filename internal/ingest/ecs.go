package ingest

import (
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
)

// ecsAttrs are the fields of the Elastic Common Schema that have a name of ours,
// the first that says something. Wazuh 5 uses the same names.
var ecsAttrs = []struct {
	attr  string
	limit int
	paths []string
}{
	{honeyguide.AttrUser, 255, []string{"user.name", "user.target.name"}},
	{"actor.user.name", 255, []string{"user.effective.name"}},
	{honeyguide.AttrDevice, 255, []string{"host.name", "host.hostname", "observer.name", "agent.name"}},
	{honeyguide.AttrCommand, MaxText, []string{"process.command_line", "process.args"}},
	{"process.file.path", MaxText, []string{"process.executable", "process.name"}},
	{"process.parent_process.file.path", MaxText, []string{"process.parent.executable", "process.parent.name"}},
	{"process.parent_process.cmd_line", MaxText, []string{"process.parent.command_line"}},
	{"process.working_directory", MaxText, []string{"process.working_directory"}},
	{honeyguide.AttrURL, MaxText, []string{"url.original", "url.full", "url.path"}},
	{honeyguide.AttrHost, 255, []string{"url.domain"}},
	{honeyguide.AttrMethod, 16, []string{"http.request.method"}},
	{honeyguide.AttrUserAgent, 1024, []string{"user_agent.original"}},
	{honeyguide.AttrReferrer, 1024, []string{"http.request.referrer"}},
	{honeyguide.AttrPath, MaxText, []string{"file.path"}},
	{"file.md5", 64, []string{"file.hash.md5"}},
	{honeyguide.AttrSHA256, 64, []string{"file.hash.sha256", "process.hash.sha256"}},
	{"query.hostname", 512, []string{"dns.question.name"}},
	{honeyguide.AttrProtocol, 32, []string{"network.transport"}},
	{"app_name", 64, []string{"network.protocol"}},
	{AttrCommunity, 128, []string{"network.community_id"}},
	{AttrAction, 128, []string{"event.action"}},
	{honeyguide.AttrStatusText, 64, []string{"event.outcome"}},
	{honeyguide.AttrMessage, MaxText, []string{"message", "event.original"}},
	{AttrLocation, 512, []string{"log.file.path"}},
	{AttrType, 128, []string{"event.dataset", "event.module"}},
}

// ECS sets what a record in the words of the Elastic Common Schema says: its
// endpoints, users, processes, files and requests. An address that is none is
// noted and kept as a name.
func (r *Record) ECS(e *honeyguide.Event) {
	for _, a := range ecsAttrs {
		v, _ := r.Root.First(a.paths...)
		s := v.Text()
		if v.Type() == Array {
			s = strings.Join(v.Texts(), " ")
		}
		if v.Type() == Object {
			continue
		}
		if a.attr == honeyguide.AttrProtocol {
			s = strings.ToLower(s)
		}
		e.Set(a.attr, Cut(s, a.limit))
	}
	r.ecsEnd(&e.Src, "source", "client")
	r.ecsEnd(&e.Dst, "destination", "server")
	if n, ok := r.Root.Path("http.response.status_code").Int(); ok {
		e.Set(honeyguide.AttrStatus, n)
	}
	if n, ok := r.Root.Path("process.pid").Int(); ok && n >= 0 {
		e.Set("process.pid", n)
	}
	if sum := e.Str(honeyguide.AttrSHA256); len(sum) == 64 {
		e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: strings.ToLower(sum)})
	}
}

// ECSVerb sets class and verb from the categorisation fields of a document in the
// Elastic Common Schema: event.category, event.type and event.outcome.
func (r *Record) ECSVerb(e *honeyguide.Event) {
	category, typ := r.Root.Path("event.category").Texts(), r.Root.Path("event.type").Texts()
	has := func(name string) bool { return slices.Contains(category, name) }
	switch {
	case has("authentication"):
		e.Class, e.Activity = honeyguide.ClassAuthentication, "auth"
		switch r.Root.Path("event.outcome").Text() {
		case "failure":
			e.Activity = honeyguide.ActivityLoginFailed
		case "success":
			if slices.Contains(typ, "start") || len(typ) == 0 {
				e.Activity = honeyguide.ActivityLoginSuccess
			}
		}
	case has("process"):
		e.Class, e.Activity = honeyguide.ClassProcess, "process"
		if slices.Contains(typ, "start") {
			e.Activity = "process_start"
		} else if slices.Contains(typ, "end") {
			e.Activity = "process_end"
		}
	case has("web") || !r.Root.Path("http.request.method").Absent():
		e.Class, e.Activity = honeyguide.ClassHTTP, honeyguide.ActivityRequest
	case has("file"):
		e.Class, e.Activity = honeyguide.ClassFile, "file_change_seen"
	case has("iam"):
		e.Class, e.Activity = honeyguide.ClassAccount, "account_change"
	case has("network") || e.Src.Addr.IsValid() && e.Dst.Addr.IsValid():
		e.Class, e.Activity = honeyguide.ClassNetwork, "network_connection"
		if !r.Root.Path("dns.question.name").Absent() {
			e.Class, e.Activity = honeyguide.ClassDNS, "dns_query"
		}
	}
}

func (r *Record) ecsEnd(end *honeyguide.Endpoint, names ...string) {
	for _, name := range names {
		addr, err := r.Addr(name+".ip", name+".address")
		if err != nil {
			v, _ := r.Root.First(name+".ip", name+".address")
			end.Hostname = Cut(v.Text(), 255)
			r.Note("bad_address")
			return
		}
		if !addr.IsValid() {
			continue
		}
		port, _ := r.Port(name + ".port")
		end.Addr = netip.AddrPortFrom(addr, port)
		end.Hostname = Cut(r.Root.Path(name+".domain").Text(), 255)
		if c := r.Root.Path(name + ".geo.country_iso_code").one().Text(); len(c) == 2 {
			end.Country = strings.ToUpper(c)
		}
		if n, ok := r.Root.Path(name + ".as.number").one().Int(); ok && n > 0 && n < 1<<32 {
			end.ASN = uint32(n)
			end.ASOrg = Cut(r.Root.Path(name+".as.organization.name").one().Text(), 128)
		}
		return
	}
}

// KeepLeaves keeps every scalar of the record under its dotted name, and lists as
// JSON, but for the groups in skip.
func (r *Record) KeepLeaves(e *honeyguide.Event, skip ...string) {
	r.keepLeaves(e, r.Root, "", skip)
}

func (r *Record) keepLeaves(e *honeyguide.Event, v Value, prefix string, skip []string) {
members:
	for name, kid := range v.Each() {
		if prefix != "" {
			name = prefix + "." + name
		}
		for _, s := range skip {
			if name == s {
				continue members
			}
		}
		switch kid.Type() {
		case Object:
			r.keepLeaves(e, kid, name, skip)
		case Array:
			r.Keep(e, name, kid.Text())
		case Null:
		default:
			r.Keep(e, name, kid.Text())
		}
	}
}
