// Package opencanary reads the JSON log of OpenCanary. Its logtype numbers are
// kept, since Sigma rules for opencanary ask for them.
package opencanary

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads OpenCanary's log.
var Kind = kind.Of("opencanary", "OpenCanary's JSON log.", Config{}, open)

const product = "opencanary"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows a record by its logtype and what stands beside it.
func (mapper) Match(r *ingest.Record) int {
	if r.Root.Get("logtype").Type() == ingest.Missing || r.Root.Get("logdata").Type() == ingest.Missing || r.Root.Get("node_id").Type() == ingest.Missing {
		return 0
	}
	return ingest.MatchSure + 15
}

type verb struct {
	service  string
	class    honeyguide.Class
	activity string
}

// verbs by logtype.
var verbs = map[int64]verb{
	2000: {"ftp", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 2001: {"ftp", honeyguide.ClassNetwork, honeyguide.ActivityConnect}, 3000: {"http", honeyguide.ClassHTTP, honeyguide.ActivityRequest},
	3001: {"http", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 3002: {"http", honeyguide.ClassHTTP, honeyguide.ActivityRequest},
	3003: {"http", honeyguide.ClassHTTP, honeyguide.ActivityRequest}, 4000: {"ssh", honeyguide.ClassNetwork, honeyguide.ActivityConnect},
	4001: {"ssh", honeyguide.ClassSSH, honeyguide.ActivityClient}, 4002: {"ssh", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed},
	5000: {"smb", honeyguide.ClassFile, honeyguide.ActivityFileRead}, 5001: {"portscan", honeyguide.ClassNetwork, "port_scan"}, 5002: {"portscan", honeyguide.ClassNetwork, "port_scan"},
	5003: {"portscan", honeyguide.ClassNetwork, "port_scan"}, 5004: {"portscan", honeyguide.ClassNetwork, "port_scan"}, 5005: {"portscan", honeyguide.ClassNetwork, "port_scan"},
	6001: {"telnet", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 6002: {"telnet", honeyguide.ClassNetwork, honeyguide.ActivityConnect}, 7001: {"httpproxy", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed},
	8001: {"mysql", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 9001: {"mssql", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed},
	9002: {"mssql", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 9003: {"mysql", honeyguide.ClassNetwork, honeyguide.ActivityConnect}, 10001: {"tftp", honeyguide.ClassNetwork, "tftp"}, 11001: {"ntp", honeyguide.ClassNetwork, "ntp"},
	12001: {"vnc", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 13001: {"snmp", honeyguide.ClassNetwork, "snmp"}, 14001: {"rdp", honeyguide.ClassNetwork, honeyguide.ActivityConnect},
	15001: {"sip", honeyguide.ClassNetwork, "sip"}, 16001: {"git", honeyguide.ClassNetwork, "git"}, 17001: {"redis", honeyguide.ClassNetwork, "redis"},
	18001: {"tcp", honeyguide.ClassNetwork, honeyguide.ActivityConnect}, 18002: {"tcp", honeyguide.ClassNetwork, honeyguide.ActivityConnect},
	18003: {"tcp", honeyguide.ClassNetwork, "keepalive"}, 18004: {"tcp", honeyguide.ClassNetwork, "keepalive"}, 18005: {"tcp", honeyguide.ClassNetwork, "keepalive"},
	19001: {"llmnr", honeyguide.ClassNetwork, "llmnr"}, 20001: {"mongodb", honeyguide.ClassNetwork, "mongodb"},
}

// mongo are the verbs of MongoDB's one logtype, by logdata.action.
var mongo = map[string]verb{
	"mongodb.connection":   {"mongodb", honeyguide.ClassNetwork, honeyguide.ActivityConnect},
	"mongodb.auth_attempt": {"mongodb", honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed},
	"mongodb.error":        {"mongodb", honeyguide.ClassNetwork, honeyguide.ActivityMalformed},
	"mongodb.disconnect":   {"mongodb", honeyguide.ClassNetwork, honeyguide.ActivityClose},
}

// fields of logdata as attributes, the first that says something.
var fields = []struct {
	attr  string
	names []string
}{
	{honeyguide.AttrUser, []string{"USERNAME", "USER", "UserName", "username"}},
	{honeyguide.AttrPassword, []string{"PASSWORD", "Password"}},
	{honeyguide.AttrClient, []string{"REMOTEVERSION"}},
	{honeyguide.AttrURL, []string{"PATH", "URL"}},
	{honeyguide.AttrHost, []string{"HOSTNAME"}},
	{honeyguide.AttrUserAgent, []string{"USERAGENT"}},
	{honeyguide.AttrPath, []string{"FILENAME", "REPO"}},
	{honeyguide.AttrMethod, []string{"REQUEST_TYPE"}},
	{honeyguide.AttrMessage, []string{"msg", "DATA", "query", "error"}},
}

// Map makes one event of the record.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	typ, ok := r.Root.Get("logtype").Int()
	if !ok {
		return dst, &ingest.FieldError{Field: "logtype", Why: "not a number; this is no OpenCanary record"}
	}
	if typ >= 1000 && typ < 2000 {
		return dst, ingest.Drop("own") // its own starting and stopping
	}
	e := honeyguide.Event{Class: honeyguide.ClassNetwork, Activity: ingest.ActivityRecord, Severity: honeyguide.SeverityInformational, Service: product, Attrs: make(map[string]any, 16)}
	if v, known := verbs[typ]; known {
		e.Service, e.Class, e.Activity = v.service, v.class, v.activity
	} else {
		r.Unknown(ingest.Cut(r.Root.Get("logtype").Text(), 16))
	}
	data := r.Root.Get("logdata")
	if v, known := mongo[data.Get("action").Text()]; known && typ == 20001 {
		e.Class, e.Activity = v.class, v.activity
	}
	if err := stamp(r, &e); err != nil {
		return dst, err
	}
	src, err := r.Addr("src_host")
	if err != nil {
		return dst, err
	}
	to, err := r.Addr("dst_host")
	if err != nil {
		return dst, err
	}
	// -1 is what it writes for no port.
	if n, ok := r.Root.Get("src_port").Int(); src.IsValid() {
		e.Src.Addr = netip.AddrPortFrom(src, port(n, ok))
	}
	if n, ok := r.Root.Get("dst_port").Int(); to.IsValid() {
		e.Dst.Addr = netip.AddrPortFrom(to, port(n, ok))
	}
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrDevice, ingest.Cut(r.Root.Get("node_id").Text(), 255))
	ingest.Source(&e, product, "application", "")
	particular(&e, typ, data)
	for name, v := range r.Root.Leaves() {
		if !strings.HasPrefix(name, "local_time") && v.Type() != ingest.Null {
			r.Keep(&e, name, v.Text())
		}
	}
	return append(dst, e), nil
}

// particular sets what logdata says.
func particular(e *honeyguide.Event, typ int64, data ingest.Value) {
	for _, f := range fields {
		v, _ := data.First(f.names...)
		text := v.Text()
		if f.attr == honeyguide.AttrUser || f.attr == honeyguide.AttrPassword {
			text = strings.TrimRight(text, "\r\n") // telnet's line end is left on both
		}
		e.Set(f.attr, ingest.Cut(text, ingest.MaxText))
	}
	switch typ {
	case 3000, 3003:
		e.Set(honeyguide.AttrMethod, "GET") // the only method of both
	case 12001:
		// A VNC password is only known when it was among those OpenCanary tries.
		if p := data.Get("VNC Password").Text(); !strings.HasPrefix(p, "<Password was not") {
			e.Set(honeyguide.AttrPassword, ingest.Cut(p, ingest.MaxText))
		}
	case 17001:
		e.Set(honeyguide.AttrMessage, ingest.Cut(strings.TrimSpace(data.Get("CMD").Text()+" "+data.Get("ARGS").Text()), ingest.MaxText))
	}
}

func port(n int64, ok bool) uint16 {
	if !ok || n < 0 || n > 65535 {
		return 0
	}
	return uint16(n)
}

// stamp sets the time: utc_time is UTC though it does not say so; local_time is
// the machine's clock.
func stamp(r *ingest.Record, e *honeyguide.Event) error {
	if v := r.Root.Get("utc_time"); !v.Absent() {
		t, err := ingest.ParseTime(v.Text(), time.UTC)
		if err != nil {
			return &ingest.FieldError{Field: "utc_time", Why: err.Error()}
		}
		e.Time = t
		return nil
	}
	var err error
	e.Time, _, err = r.Time("local_time_adjusted", "local_time")
	return err
}
