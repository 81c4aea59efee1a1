// Package zeek reads Zeek's logs: JSON with dotted names (as Zeek writes them),
// with underscores (as collectors flatten them) or nested, and Zeek's own tables.
//
// Every field is kept under its dotted name, as Sigma rules for zeek ask for it.
// conn, dns, http, ssl, ssh, files, notice, weird, smtp, rdp, smb and the like
// become network events; a notice is a finding. The log's name is taken from
// _path, @stream or #path; a record without any is recognised by its fields.
package zeek

import (
	"context"
	"net/netip"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads Zeek's logs.
var Kind = kind.Of("zeek", "Zeek's logs, as JSON or as its own tables.", Config{}, open)

const product = "zeek"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows a record by its connection's names, or by a log name beside ts.
func (mapper) Match(r *ingest.Record) int {
	root := r.Root
	if root.Get("ts").Type() == ingest.Missing {
		return 0
	}
	for _, name := range []string{"id.orig_h", "id_orig_h", "_path", "@stream", "conn_uids", "fuid"} {
		if root.Get(name).Type() != ingest.Missing {
			return ingest.MatchSure + 10
		}
	}
	if root.Path("id.orig_h").Type() != ingest.Missing || root.Get("note").Type() != ingest.Missing && root.Get("actions").Type() != ingest.Missing {
		return ingest.MatchSure + 10
	}
	return 0
}

// tellers are fields that only one log has, for records that do not name theirs.
var tellers = []struct{ field, log string }{
	{"note", "notice"},
	{"conn_state", "conn"},
	{"qtype_name", "dns"},
	{"query", "dns"},
	{"user_agent", "http"},
	{"trans_depth", "http"},
	{"cipher", "ssl"},
	{"server_name", "ssl"},
	{"auth_attempts", "ssh"},
	{"certificate.serial", "x509"},
	{"fuid", "files"},
	{"named_pipe", "dce_rpc"},
	{"share_type", "smb_mapping"},
	{"times.modified", "smb_files"},
	{"request_type", "kerberos"},
	{"ntlmssp", "ntlm"},
	{"failure_reason", "dpd"},
	{"name", "weird"},
}

// Map makes one event of the record.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	at, known, err := r.Time("ts")
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{
		Time: at, Class: honeyguide.ClassNetwork, Activity: ingest.ActivityRecord, Severity: honeyguide.SeverityInformational,
		Service: product, Attrs: make(map[string]any, 40),
	}
	v := view{r}
	log := v.log()
	if err := endpoints(r, &e); err != nil {
		return dst, err
	}
	e.Set(honeyguide.AttrProduct, product)
	e.Set(ingest.AttrType, ingest.Cut(log, 64))
	ingest.Source(&e, product, categories[log], log)
	e.Set(honeyguide.AttrProtocol, strings.ToLower(v.text("proto")))
	e.Set(ingest.AttrFlow, v.text("uid"))
	e.Set(ingest.AttrCommunity, v.text("community_id"))
	e.Set(honeyguide.AttrDevice, ingest.Cut(v.first("@system", "_system_name", "peer"), 255))
	if write := writers[log]; write != nil {
		write(v, &e)
	} else if log == "" {
		r.Unknown("unnamed")
	} else if !plain[log] {
		r.Unknown(ingest.Cut(log, 64))
	}
	keep(r, "", r.Root, &e)
	if uid := v.text("uid"); uid != "" && known && log != "" {
		e.Set(honeyguide.AttrOriginID, ingest.Cut(uid, 64))
		// A connection has many records in one log: its content tells them apart.
		e.ID = ingest.RecordID(at, product, log, uid, r.Identity())
	}
	return append(dst, e), nil
}

// A view reads fields under any of their spellings.
type view struct{ r *ingest.Record }

// get returns a field that is called name, with dots, in any spelling.
func (v view) get(name string) ingest.Value {
	if got := v.r.Root.Path(name); !got.Absent() {
		return got
	}
	if strings.IndexByte(name, '.') >= 0 {
		return v.r.Root.Get(strings.ReplaceAll(name, ".", "_"))
	}
	return ingest.Value{}
}

func (v view) text(name string) string {
	got := v.get(name)
	if got.Absent() || got.Text() == "(empty)" {
		return ""
	}
	if got.Type() == ingest.Array {
		return strings.Join(got.Texts(), ", ")
	}
	return got.Text()
}

func (v view) first(names ...string) string {
	for _, name := range names {
		if s := v.text(name); s != "" {
			return s
		}
	}
	return ""
}

// log returns the name of the log.
func (v view) log() string {
	if s := v.first("_path", "@stream"); s != "" {
		return strings.ToLower(s)
	}
	for _, t := range tellers {
		if v.get(t.field).Type() != ingest.Missing {
			return t.log
		}
	}
	return ""
}

// categories are Sigma's, of the logs that have one.
var categories = map[string]string{"dns": "dns", "http": "proxy"}

// plain are logs without words of their own that are worth no note.
var plain = map[string]bool{"dpd": true, "pe": true, "x509": true, "ntlm": true, "dhcp": true, "snmp": true, "sip": true, "tunnel": true, "known_services": true, "ntp": true, "ocsp": true, "analyzer": true}

// endpoints reads both sides. A notice may name them otherwise.
func endpoints(r *ingest.Record, e *honeyguide.Event) error {
	src, err := r.Addr("id.orig_h", "id_orig_h", "src")
	if err != nil {
		return err
	}
	dst, err := r.Addr("id.resp_h", "id_resp_h", "dst")
	if err != nil {
		return err
	}
	srcPort, _ := r.Port("id.orig_p", "id_orig_p")
	dstPort, _ := r.Port("id.resp_p", "id_resp_p", "p")
	if src.IsValid() {
		e.Src.Addr = netip.AddrPortFrom(src, srcPort)
	}
	if dst.IsValid() {
		e.Dst.Addr = netip.AddrPortFrom(dst, dstPort)
	}
	return nil
}

// flattened are the groups whose dots collectors turn into underscores.
var flattened = []string{"id_", "certificate_", "basic_constraints_", "san_", "times_"}

// dotted returns the name Zeek gives a field.
func dotted(name string) string {
	for _, group := range flattened {
		if rest, ok := strings.CutPrefix(name, group); ok {
			if group == "id_" && rest != "orig_h" && rest != "orig_p" && rest != "resp_h" && rest != "resp_p" {
				return name
			}
			return group[:len(group)-1] + "." + rest
		}
	}
	return name
}

// keep keeps every field under its dotted name.
func keep(r *ingest.Record, prefix string, v ingest.Value, e *honeyguide.Event) {
	for name, kid := range v.Each() {
		if prefix != "" {
			name = prefix + "." + name
		} else {
			name = dotted(name)
		}
		switch kid.Type() {
		case ingest.Object:
			if strings.Count(name, ".") < 8 {
				keep(r, name, kid, e)
			}
		case ingest.Array:
			r.Keep(e, name, kid.Text()) // a JSON list: rules look at each value
		case ingest.Null:
		default:
			if name == "_path" || name == "@stream" || name == "@proc" {
				continue
			}
			r.Keep(e, name, kid.Text())
		}
	}
}
