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
}

// quiet are record types of Cowrie's own that say nothing about the peer.
var quiet = map[string]bool{
	"client.size": true, "client.var": true, "session.params": true, "log.open": true, "log.closed": true, "command.success": true,
	"session.file_download.failed": true,
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
	{honeyguide.AttrURL, "url", ingest.MaxText},
	{honeyguide.AttrSHA256, "shasum", 64},
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

// endpoints reads both sides. A tunnel's dst is where the peer wanted to go.
func endpoints(r *ingest.Record, e *honeyguide.Event) error {
	src, err := r.Addr("src_ip", "peerIP")
	if err != nil {
		return err
	}
	srcPort, _ := r.Port("src_port", "peerPort")
	if src.IsValid() {
		e.Src.Addr = netip.AddrPortFrom(src, srcPort)
	}
	port, _ := r.Port("dst_port", "hostPort")
	if e.Activity == honeyguide.ActivityTunnel || e.Activity == "tunnel_data" {
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
	switch typ {
	case "session.closed":
		v := r.Root.Get("duration")
		if ms, ok := v.Seconds(); ok {
			e.Set(honeyguide.AttrDuration, ms)
		}
	case "session.file_download", "session.file_upload":
		for _, name := range []string{"destfile", "filename", "outfile"} {
			if p := r.Root.Get(name); !p.Absent() && e.Str(honeyguide.AttrPath) == "" {
				e.Set(honeyguide.AttrPath, ingest.Cut(p.Text(), ingest.MaxText))
			}
		}
		if sum := e.Str(honeyguide.AttrSHA256); len(sum) == 64 {
			e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: strings.ToLower(sum)})
		}
	case "login.failed", "login.success":
		if e.Str(honeyguide.AttrPassword) != "" {
			e.Set(honeyguide.AttrAuthMethod, "password")
		}
	}
}
