// Package suricata reads Suricata's EVE records (eve.json), as Suricata 5 to 8
// write them: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html.
//
// Alerts become findings. http, dns, tls, ssh, flow, netflow, fileinfo, anomaly
// and drop records become network events; a record of another type is kept as a
// plain event and counted, and Suricata's own statistics are left out. All
// records of one connection carry the same ingest.AttrFlow.
package suricata

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

// Kind reads EVE records.
var Kind = kind.Of("suricata", "Suricata's eve.json.", Config{}, open)

const product = "suricata"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows an EVE record by its type and the object of the same name, or by
// the flow id.
func (mapper) Match(r *ingest.Record) int {
	t := r.Root.Get("event_type")
	if t.Type() != ingest.String || r.Root.Get("timestamp").Type() == ingest.Missing {
		return 0
	}
	if r.Root.Get(t.Text()).Type() == ingest.Object || r.Root.Get("flow_id").Type() == ingest.Number {
		return ingest.MatchSure + 10
	}
	return 0
}

// writers set what is particular to a record type.
var writers = map[string]func(*ingest.Record, *honeyguide.Event) error{
	"alert": alert, "http": http, "dns": dns, "tls": tls, "ssh": ssh, "flow": flow, "netflow": flow,
	"fileinfo": fileinfo, "anomaly": anomaly, "drop": drop,
}

// Map makes one event of the record.
func (m mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	typ := r.Root.Get("event_type").Text()
	switch typ {
	case "":
		return dst, &ingest.FieldError{Field: "event_type", Why: "missing; this is no EVE record"}
	case "stats":
		return dst, ingest.Drop("stats")
	}
	at, _, err := r.Time("timestamp")
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{
		Time: at, Class: honeyguide.ClassNetwork, Activity: ingest.ActivityRecord,
		Severity: honeyguide.SeverityInformational, Service: product, Attrs: make(map[string]any, 28),
	}
	if err := endpoints(r, &e); err != nil {
		return dst, err
	}
	common(r, &e, typ)
	if write := writers[typ]; write != nil {
		if err := write(r, &e); err != nil {
			return dst, err
		}
	} else {
		r.Unknown(ingest.Cut(typ, 64))
		keepAll(r.Root.Get(typ), &e, typ)
	}
	return append(dst, e), nil
}

// endpoints reads both sides. ICMP has no ports, and some records no addresses.
func endpoints(r *ingest.Record, e *honeyguide.Event) error {
	src, err := r.Addr("src_ip")
	if err != nil {
		return err
	}
	to, err := r.Addr("dest_ip")
	if err != nil {
		return err
	}
	srcPort, _ := r.Port("src_port")
	toPort, _ := r.Port("dest_port")
	if src.IsValid() {
		e.Src.Addr = netip.AddrPortFrom(src, srcPort)
	}
	if to.IsValid() {
		e.Dst.Addr = netip.AddrPortFrom(to, toPort)
	}
	return nil
}

// common sets what every record may have.
func common(r *ingest.Record, e *honeyguide.Event, typ string) {
	e.Set(honeyguide.AttrProduct, product)
	e.Set(ingest.AttrType, ingest.Cut(typ, 64))
	e.Set(honeyguide.AttrProtocol, strings.ToLower(r.Root.Get("proto").Text()))
	// A 64-bit number: as text, never through a float.
	e.Set(ingest.AttrFlow, r.Root.Get("flow_id").ID())
	e.Set(ingest.AttrCommunity, r.Root.Get("community_id").Text())
	e.Set(honeyguide.AttrDevice, r.Root.Get("host").Text())
	e.Set("app_name", r.Root.Get("app_proto").Text())
	e.Set("device.interface", r.Root.Get("in_iface").Text())
}

// keepAll keeps the scalars of a value under unmapped names.
func keepAll(v ingest.Value, e *honeyguide.Event, prefix string) {
	n := 0
	for path, leaf := range v.Leaves() {
		if n++; n > ingest.MaxUnmapped {
			return
		}
		e.Set(ingest.AttrUnmapped+ingest.Cut(prefix+"."+path, 128), ingest.Scalar(leaf))
	}
}

// severity is Suricata's: 1 is the gravest; rules use 1 to 3, and 4 for what is
// only worth knowing.
func severity(v ingest.Value) (honeyguide.Severity, bool) {
	n, ok := v.Int()
	switch {
	case !ok || n < 0 || n > 255:
		return 0, false
	case n == 1:
		return honeyguide.SeverityHigh, true
	case n == 2:
		return honeyguide.SeverityMedium, true
	case n == 3:
		return honeyguide.SeverityLow, true
	}
	return honeyguide.SeverityInformational, true
}

func alert(r *ingest.Record, e *honeyguide.Event) error {
	a := r.Root.Get("alert")
	if a.Type() != ingest.Object {
		return &ingest.FieldError{Field: "alert", Why: "missing in an alert record"}
	}
	var ok bool
	if e.Severity, ok = severity(a.Get("severity")); !ok && !a.Get("severity").Absent() {
		return &ingest.FieldError{Field: "alert.severity", Why: "not a severity; 1 to 255 are read"}
	}
	e.Class, e.Activity = honeyguide.ClassDetection, honeyguide.ActivityFinding
	gid, sid := a.Get("gid").ID(), a.Get("signature_id").ID()
	if gid == "" {
		gid = "1"
	}
	e.Set(honeyguide.AttrRule, a.Get("signature").Text())
	e.Set(honeyguide.AttrRuleID, gid+":"+sid)
	e.Set(honeyguide.AttrCategory, a.Get("category").Text())
	e.Set(ingest.AttrAction, a.Get("action").Text())
	e.Set("finding_info.revision", a.Get("rev").ID())
	meta := a.Get("metadata")
	e.Attacks = ingest.Techniques("named by the signature", meta.Get("mitre_technique_id").Texts()...)
	for _, cve := range meta.Get("cve").Texts() {
		e.Set("vulnerability.cve", strings.ReplaceAll(cve, "_", "-"))
	}
	if err := direction(r, e); err != nil {
		return err
	}
	httpFields(r.Root.Get("http"), e)
	tlsFields(r.Root.Get("tls"), e)
	fileFields(r.Root.Get("fileinfo"), e)
	bytesOf(r.Root.Get("flow"), e)
	if text := r.Root.Get("payload_printable").Text(); text != "" {
		e.Set(honeyguide.AttrDetail, ingest.Cut(text, ingest.MaxText))
	}
	identify(r, e, gid+":"+sid)
	return nil
}

// direction follows the signature where it names who attacks whom; the packet
// it fired on may have been the answer.
func direction(r *ingest.Record, e *honeyguide.Event) error {
	for _, side := range []struct {
		path string
		end  *honeyguide.Endpoint
	}{{"alert.source", &e.Src}, {"alert.target", &e.Dst}} {
		addr, err := r.Addr(side.path + ".ip")
		if err != nil {
			return err
		}
		if port, _ := r.Port(side.path + ".port"); addr.IsValid() {
			side.end.Addr = netip.AddrPortFrom(addr, port)
		}
	}
	return nil
}

// identify gives an alert the id of its flow, transaction and signature. An
// alert outside of flows is known by its bytes.
func identify(r *ingest.Record, e *honeyguide.Event, rule string) {
	flow := e.Str(ingest.AttrFlow)
	if flow == "" || flow == "0" {
		return
	}
	tx := r.Root.Get("tx_id").ID()
	e.Set(honeyguide.AttrOriginID, flow+"/"+tx+"/"+rule)
	e.ID = ingest.RecordID(e.Time, product, flow, tx, rule, r.Root.Get("pcap_cnt").ID())
}
