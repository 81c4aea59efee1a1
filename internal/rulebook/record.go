package rulebook

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/sigma"
)

// unmapped begins the attributes that keep a record's own field names.
const unmapped = "unmapped."

// sourcesOf returns what an event is in the words of log sources, the most
// telling first, and how it is shown.
func sourcesOf(key *planKey) ([]sigma.Source, func(*Adapter, *honeyguide.Event, *plan)) {
	own := sigma.Source{Product: key.product, Category: key.category, Service: key.service}
	switch {
	case key.decoy:
		list, show := decoySources(key)
		if own != (sigma.Source{}) {
			list = append(list, own)
		}
		return list, show
	case key.channel != "" && (key.product == "windows" || key.product == ""):
		return windowsSources(key), record
	case own == (sigma.Source{}):
		return productSources(key), record
	case key.product == "linux" && key.category == "":
		return linuxSources(key), record
	}
	return []sigma.Source{own}, record
}

// otherDecoy is the product whose sessions its mapper tells in our words, as
// those of a decoy like ours.
const otherDecoy = "cowrie"

// windowsSources adds to what the channel says what the mapper says.
func windowsSources(key *planKey) []sigma.Source {
	out := sigma.WindowsSources(key.channel, int(key.id))
	if key.category != "" || key.service != "" && key.service != out[0].Service {
		out = append(out, sigma.Source{Product: "windows", Category: key.category, Service: key.service})
	}
	return out
}

// authentic are the programs whose lines stand in auth.log.
var authentic = []string{"sshd", "sudo", "su", "login", "useradd", "usermod", "userdel", "groupadd", "passwd", "chpasswd", "systemd-logind", "auth", "cron", "polkitd"}

// linuxSources are those of a line of syslog: the program's own, those of the
// files it stands in, and a process where it tells of one.
func linuxSources(key *planKey) []sigma.Source {
	of := func(category, service string) sigma.Source {
		return sigma.Source{Product: "linux", Category: category, Service: service}
	}
	out := []sigma.Source{of("", key.service)}
	if key.service == "auditd" {
		return out
	}
	if key.service == "sudo" || key.service == "cron" {
		out[0] = of("process_creation", key.service) // the command it runs
	}
	if key.program != "" && key.program != key.service {
		out = append(out, of("", key.program))
	}
	if key.service != "auth" && (slices.Contains(authentic, key.service) || slices.Contains(authentic, key.program)) {
		out = append(out, of("", "auth"))
	}
	return append(out, of("", "syslog"))
}

// productSources says what a record is whose mapper does not.
func productSources(key *planKey) []sigma.Source {
	s := sigma.Source{Product: key.kind}
	switch key.activity {
	case honeyguide.ActivityRequest:
		s.Category = "webserver"
	case "dns_query", "dns_answer":
		s.Category = "dns"
	case honeyguide.ActivityClose, honeyguide.ActivityConnect:
		s.Category = "firewall"
	}
	return []sigma.Source{s}
}

// An alias shows an attribute under the names rules of a category use.
type alias struct {
	attr  string
	names []string
}

// aliases are those of each category ("" is every other one). A record that has
// a field of the name itself keeps its own.
var aliases = map[string][]alias{
	"process_creation": {
		{honeyguide.AttrCommand, []string{"CommandLine"}},
		{"process.file.path", []string{"Image"}},
		{"process.path", []string{"Image"}},
		{"process.parent_process.cmd_line", []string{"ParentCommandLine"}},
		{"process.parent_process.file.path", []string{"ParentImage"}},
		{"process.working_directory", []string{"CurrentDirectory"}},
		{honeyguide.AttrUser, []string{"User"}},
		{honeyguide.AttrDevice, []string{"Computer"}},
	},
	"file_event": {
		{honeyguide.AttrPath, []string{"TargetFilename"}},
		{"process.file.path", []string{"Image"}},
		{honeyguide.AttrUser, []string{"User"}},
	},
	"dns": {
		{"query.hostname", []string{"query", "QueryName"}},
		{"query.type", []string{"record_type", "QueryType"}},
		{"answers", []string{"answer", "QueryResults"}},
	},
	"network_connection": {
		{honeyguide.AttrUser, []string{"User"}},
		{honeyguide.AttrProtocol, []string{"Protocol"}},
	},
	"antivirus": {
		{honeyguide.AttrPath, []string{"Filename"}},
		{honeyguide.AttrRule, []string{"Signature"}},
	},
	"": {
		{honeyguide.AttrUser, []string{"User"}},
		{"action", []string{"action"}},
	},
}

// addresses are the names of both sides of a connection, by category.
var addresses = map[string][4]string{ // source address and port, destination address and port
	"network_connection": {"SourceIp", "SourcePort", "DestinationIp", "DestinationPort"},
	"webserver":          {"c-ip", "c-port", "s-ip", "s-port"},
	"proxy":              {"c-ip", "c-port", "r-ip", "r-port"},
	"":                   {"src_ip", "src_port", "dst_ip", "dst_port"},
}

// record shows a record of another product: its own fields by their own names,
// then what the dictionary knows under the names rules use.
func record(a *Adapter, e *honeyguide.Event, p *plan) {
	r := a.next(e, p.sources)
	for name, v := range e.Attrs {
		if own, ok := strings.CutPrefix(name, unmapped); ok {
			field(r, own, v)
		}
	}
	own := len(r.Fields)
	category := p.sources[0].Category
	switch category {
	case "webserver", "proxy":
		web(r, e)
		settle(r, own)
	case "process_creation":
		// A line of sudo or cron names the program in the command only.
		if image, _, _ := strings.Cut(e.Str(honeyguide.AttrCommand), " "); strings.HasPrefix(image, "/") && e.Attrs["process.file.path"] == nil {
			lend(r, own, "Image", image)
		}
	}
	list, ok := aliases[category]
	if !ok {
		list = aliases[""]
	}
	for _, al := range list {
		if v, ok := e.Attrs[al.attr]; ok {
			for _, name := range al.names {
				lend(r, own, name, text(v))
			}
		}
	}
	names, ok := addresses[category]
	if !ok {
		names = addresses[""]
	}
	lend(r, own, names[0], address(e.Src.Addr))
	lend(r, own, names[1], port(e.Src.Addr))
	lend(r, own, names[2], address(e.Dst.Addr))
	lend(r, own, names[3], port(e.Dst.Addr))
	if p.sources[0].Product == "windows" && strings.EqualFold(e.Str(unmapped+"Channel"), "security") {
		for _, f := range r.Fields[:own] {
			if name := sigma.WindowsAliases[f.Name]; name != "" && category == "process_creation" && name != "ProcessId" {
				lend(r, own, name, f.Text)
			}
		}
	}
	r.Raw = line(e.Raw)
}

// line returns a raw record that is text. Of JSON and XML the values are in the
// fields; searching their names and braces would find what nobody wrote.
func line(raw []byte) string {
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == '<' && len(raw) > 1 && (raw[1] < '0' || raw[1] > '9') {
		return ""
	}
	return string(raw[:min(len(raw), maxRaw)])
}

// maxRaw bounds what of a raw line is searched.
const maxRaw = 64 << 10

func port(a netip.AddrPort) string {
	if !a.IsValid() || a.Port() == 0 {
		return ""
	}
	return strconv.Itoa(int(a.Port()))
}

// lend adds a field unless the record has one of the name among its first own.
func lend(r *sigma.Record, own int, name, text string) {
	if text != "" && !slices.ContainsFunc(r.Fields[:own], func(f sigma.Field) bool { return f.Name == name }) {
		r.Fields = append(r.Fields, sigma.Field{Name: name, Text: text})
	}
}

// settle drops what was added behind the first own fields and is among them.
func settle(r *sigma.Record, own int) {
	kept := r.Fields[:own]
	for _, f := range r.Fields[own:] {
		if !slices.ContainsFunc(r.Fields[:own], func(x sigma.Field) bool { return x.Name == f.Name }) {
			kept = append(kept, f)
		}
	}
	r.Fields = kept
}

// field adds a field of the record. A text that is a list or an object, as
// mappers keep them, becomes a field of each value in it.
func field(r *sigma.Record, name string, v any) {
	s, ok := v.(string)
	if !ok || len(s) < 2 || s[0] != '[' && s[0] != '{' {
		r.Fields = append(r.Fields, sigma.Field{Name: name, Text: text(v)})
		return
	}
	var nested any
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	if dec.Decode(&nested) != nil || dec.More() {
		r.Fields = append(r.Fields, sigma.Field{Name: name, Text: s})
		return
	}
	spread(r, name, nested, 0)
}

// Bounds of a nested value.
const (
	maxFields = 2000
	maxDepth  = 16
)

func spread(r *sigma.Record, name string, v any, depth int) {
	if len(r.Fields) >= maxFields || depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case nil:
		r.Fields = append(r.Fields, sigma.Field{Name: name, Null: true})
	case []any:
		for _, x := range v {
			spread(r, name, x, depth+1)
		}
	case map[string]any:
		for key, x := range v {
			spread(r, name+"."+key, x, depth+1)
		}
	case json.Number:
		r.Fields = append(r.Fields, sigma.Field{Name: name, Text: v.String()})
	default:
		r.Fields = append(r.Fields, sigma.Field{Name: name, Text: text(v)})
	}
}
