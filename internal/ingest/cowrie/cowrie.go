// Package cowrie reads cowrie.json, the log of the Cowrie honeypot: connections,
// log-ins, commands, downloads, uploads and tunnels, each session as one session.
//
// The shapes are those of Cowrie 2 and 3; no field is required beyond eventid and
// a time. Its records speak our decoys' words, and are shown to rules as
// those are.
package cowrie

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

// Kind reads cowrie.json.
var Kind = kind.Of("cowrie", "Cowrie's cowrie.json.", Config{}, open)

const product = "cowrie"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows a record by the prefix of its event id.
func (mapper) Match(r *ingest.Record) int {
	if id := r.Root.Get("eventid"); id.Type() == ingest.String && strings.HasPrefix(id.Text(), "cowrie.") {
		return ingest.MatchSure + 15
	}
	return 0
}

type verb struct {
	class    honeyguide.Class
	activity string
}

var verbs = map[string]verb{
	"session.connect":       {honeyguide.ClassNetwork, honeyguide.ActivityConnect},
	"session.closed":        {honeyguide.ClassNetwork, honeyguide.ActivityClose},
	"client.version":        {honeyguide.ClassSSH, honeyguide.ActivityClient},
	"client.kex":            {honeyguide.ClassSSH, honeyguide.ActivityClient},
	"client.fingerprint":    {honeyguide.ClassAuthentication, "key_offered"},
	"login.failed":          {honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed},
	"login.success":         {honeyguide.ClassAuthentication, honeyguide.ActivityLoginSuccess},
	"command.input":         {honeyguide.ClassProcess, honeyguide.ActivityCommand},
	"command.failed":        {honeyguide.ClassProcess, "command_unknown"}, // the same line once more
	"session.file_download": {honeyguide.ClassFile, honeyguide.ActivityDownload},
	"session.file_upload":   {honeyguide.ClassFile, honeyguide.ActivityFileWrite},
	"direct-tcpip.request":  {honeyguide.ClassNetwork, honeyguide.ActivityTunnel},
	"direct-tcpip.data":     {honeyguide.ClassNetwork, "tunnel_data"},
	// What Cowrie 3 added.
	"client.malformed_packet": {honeyguide.ClassSSH, honeyguide.ActivityMalformed},
	"telnet.error":            {honeyguide.ClassNetwork, honeyguide.ActivityMalformed},
	"command.chpasswd":        {honeyguide.ClassAccount, "account_change"},
	"telnet.exploit_attempt":  {honeyguide.ClassDetection, honeyguide.ActivityFinding},
	"telnet.exploit_success":  {honeyguide.ClassDetection, honeyguide.ActivityFinding},
}

// quiet are record types of Cowrie's own that say nothing about the peer.
var quiet = map[string]bool{
	"client.size": true, "client.var": true, "session.params": true, "log.open": true, "log.closed": true, "command.success": true,
	"session.file_download.failed": true, "session.input": true, "telnet.option": true,
	"direct-tcpip.ja4": true, "direct-tcpip.ja4h": true, "direct-tcpip.redirect": true, "direct-tcpip.tunnel": true, "tunnelproxy-tcpip.data": true,
	"proxy.backend_connected": true, "proxy.backend_disconnected": true, "proxy.backend_connect_error": true, "proxy.client_disconnect": true,
	"virustotal.scanfile": true, "virustotal.scanurl": true, "reversedns.connect": true, "reversedns.forward": true, "greynoise.result": true,
	"abuseipdb.started": true, "abuseipdb.reportedip": true, "abuseipdb.reportfail": true, "abuseipdb.ratelimited": true, "abuseipdb.wakeup": true,
	"urlhaus.submitted": true,
}

// fields are read from where Cowrie has them.
var fields = []struct {
	attr, path string
	limit      int
}{
	{honeyguide.AttrUser, "username", 255},
	{honeyguide.AttrPassword, "password", 255},
	{honeyguide.AttrKeyFingerprint, "fingerprint", 128},
	{honeyguide.AttrCommand, "input", ingest.MaxText},
	{honeyguide.AttrClient, "version", 512},
	{honeyguide.AttrHASSH, "hassh", 64},
	{honeyguide.AttrMessage, "message", 1024},
	{honeyguide.AttrDevice, "sensor", 255},
}

// Map makes one event of the record.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	typ, ok := strings.CutPrefix(r.Root.Get("eventid").Text(), "cowrie.")
	if !ok {
		return dst, &ingest.FieldError{Field: "eventid", Why: "missing; this is no Cowrie record"}
	}
	at, _, err := r.Time("timestamp", "time")
	if err != nil {
		return dst, err
	}
	v, known := verbs[typ]
	if !known {
		v = verb{honeyguide.ClassNetwork, ingest.ActivityRecord}
		if !quiet[typ] {
			r.Unknown(ingest.Cut(typ, 64))
		}
	}
	protocol := strings.ToLower(r.Root.Get("protocol").Text())
	e := honeyguide.Event{
		Time: at, Class: v.class, Activity: v.activity, Severity: honeyguide.SeverityInformational,
		Service: protocol, Session: session(r.Root.Get("session").Text()), Attrs: make(map[string]any, 20),
	}
	if e.Service == "" {
		e.Service = "ssh"
	}
	if err := endpoints(r, &e); err != nil {
		return dst, err
	}
	e.Set(honeyguide.AttrProduct, product)
	e.Set(ingest.AttrType, ingest.Cut(typ, 64))
	ingest.Source(&e, product, "", "")
	for _, f := range fields {
		if t := r.Root.Get(f.path); t.Type() == ingest.String || t.Type() == ingest.Number {
			e.Set(f.attr, ingest.Cut(t.Text(), f.limit))
		}
	}
	particular(r, &e, typ)
	return append(dst, e), nil
}

// session makes a session's name of ours from Cowrie's, which is a few hex digits.
func session(id string) string {
	if id == "" || len(id) > 40 || strings.Trim(id, "0123456789abcdefABCDEF-") != "" {
		return ""
	}
	return "cowrie-" + id
}

// endpoints reads both sides. A tunnel's dst is where the peer wanted to go, and
// its src_port in Cowrie 2 is one inside the tunnel: only Cowrie 3 tells the two
// apart, and has an orig_port too.
func endpoints(r *ingest.Record, e *honeyguide.Event) error {
	src, err := r.Addr("src_ip", "peerIP")
	if err != nil {
		return err
	}
	srcPort, _ := r.Port("src_port", "peerPort")
	tunnel := strings.HasPrefix(r.Root.Get("eventid").Text(), "cowrie.direct-tcpip.")
	if tunnel && r.Root.Get("protocol").Absent() {
		srcPort = 0
	}
	if src.IsValid() {
		e.Src.Addr = netip.AddrPortFrom(src, srcPort)
	}
	port, _ := r.Port("dst_port", "hostPort")
	if tunnel {
		e.Set(honeyguide.AttrDetail, ingest.Cut(r.Root.Get("dst_ip").Text(), 255)+":"+ingest.Cut(r.Root.Get("dst_port").Text(), 8))
		return nil
	}
	dst, err := r.Addr("dst_ip", "hostIP")
	if err != nil {
		return err
	}
	if dst.IsValid() {
		e.Dst.Addr = netip.AddrPortFrom(dst, port)
	}
	return nil
}

// particular sets what a type has of its own.
func particular(r *ingest.Record, e *honeyguide.Event, typ string) {
	root := r.Root
	switch typ {
	case "session.closed", "log.closed":
		if ms, ok := root.Get("duration_ms").Int(); ok && ms >= 0 { // Cowrie 3
			e.Set(honeyguide.AttrDuration, ms)
		} else if ms, ok := root.Get("duration").Seconds(); ok {
			e.Set(honeyguide.AttrDuration, ms)
		}
	case "session.file_download", "session.file_download.failed", "session.file_upload":
		file(r, e, typ)
	case "login.failed", "login.success":
		switch {
		case e.Str(honeyguide.AttrPassword) != "":
			e.Set(honeyguide.AttrAuthMethod, "password")
		case e.Str(honeyguide.AttrKeyFingerprint) != "":
			e.Set(honeyguide.AttrAuthMethod, "publickey")
		}
	case "client.fingerprint":
		e.Set(honeyguide.AttrAuthMethod, "publickey")
	case "client.var":
		e.Set(honeyguide.AttrDetail, ingest.Cut(root.Get("name").Text(), 255)+"="+ingest.Cut(root.Get("value").Text(), ingest.MaxText))
	case "client.malformed_packet", "telnet.error":
		detail, _ := root.First("error", "data")
		e.Set(honeyguide.AttrDetail, ingest.Cut(detail.Text(), ingest.MaxText))
	case "telnet.exploit_attempt", "telnet.exploit_success":
		e.Severity = honeyguide.SeverityHigh
		if typ == "telnet.exploit_success" {
			e.Severity = honeyguide.SeverityCritical
		}
		id := ingest.Cut(root.Get("cve").Text(), 64)
		e.Set(honeyguide.AttrRule, strings.TrimSpace(id+" against telnet"))
		e.Set(honeyguide.AttrRuleID, id)
		if name := root.Get("name").Text(); name != "" {
			e.Set(honeyguide.AttrDetail, ingest.Cut(name, 255)+"="+ingest.Cut(root.Get("value").Text(), ingest.MaxText))
		}
	}
}

// file sets what a file came from, where it was to lie and what it is. Cowrie calls
// "download" also what a line's redirection or standard input wrote, which has no
// url, and gives scp's target as url, which is none. outfile is where Cowrie itself
// keeps it.
func file(r *ingest.Record, e *honeyguide.Event, typ string) {
	path, _ := r.Root.First("destfile", "filename")
	e.Set(honeyguide.AttrPath, ingest.Cut(path.Text(), ingest.MaxText))
	url := r.Root.Get("url").Text()
	switch {
	case strings.Contains(url, "://"):
		e.Set(honeyguide.AttrURL, ingest.Cut(url, ingest.MaxText))
	case typ == "session.file_download":
		e.Activity = honeyguide.ActivityFileWrite
	}
	if sum := ingest.Cut(r.Root.Get("shasum").Text(), 64); sum != "" {
		e.Set(honeyguide.AttrSHA256, sum)
		if len(sum) == 64 {
			e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: strings.ToLower(sum)})
		}
	}
}
