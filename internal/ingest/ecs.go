package ingest

import (
	"net/netip"
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
