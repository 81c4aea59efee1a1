package suricata

import (
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
)

// Verbs of network records that no sensor has a word for.
const (
	activityQuery   = "dns_query"
	activityAnswer  = "dns_answer"
	activityTLS     = "tls_handshake"
	activityFile    = "file_seen" // a file went by on the network
	activityAnomaly = "anomaly"
	activityDrop    = "packet_dropped"
)

func http(r *ingest.Record, e *honeyguide.Event) error {
	e.Class, e.Activity = honeyguide.ClassHTTP, honeyguide.ActivityRequest
	httpFields(r.Root.Get("http"), e)
	return nil
}

func httpFields(h ingest.Value, e *honeyguide.Event) {
	if h.Type() != ingest.Object {
		return
	}
	text := func(attr, key string) { e.Set(attr, ingest.Cut(h.Get(key).Text(), ingest.MaxText)) }
	text(honeyguide.AttrHost, "hostname")
	text(honeyguide.AttrURL, "url")
	text(honeyguide.AttrMethod, "http_method")
	text(honeyguide.AttrUserAgent, "http_user_agent")
	text(honeyguide.AttrReferrer, "http_refer")
	if n, ok := h.Get("status").Int(); ok {
		e.Set(honeyguide.AttrStatus, n)
	}
}

// dns reads three shapes: one record per answer (version 1), an answer with a
// list (version 2), and lists of queries and answers (version 3).
func dns(r *ingest.Record, e *honeyguide.Event) error {
	d := r.Root.Get("dns")
	e.Activity = activityQuery
	if t := d.Get("type").Text(); t == "answer" || t == "response" {
		e.Activity = activityAnswer
	}
	question := d
	for _, q := range d.Get("queries").Each() {
		question = q
		break
	}
	e.Set("query.hostname", ingest.Cut(question.Get("rrname").Text(), 512))
	e.Set("query.type", question.Get("rrtype").Text())
	e.Set("rcode", d.Get("rcode").Text())
	answers := d.Get("rdata").Texts()
	for _, a := range d.Get("answers").Each() {
		answers = append(answers, a.Get("rdata").Texts()...)
	}
	if len(answers) == 0 {
		for _, list := range d.Get("grouped").Each() {
			answers = append(answers, list.Texts()...)
		}
	}
	e.Set("answers", ingest.Cut(strings.Join(answers, ", "), ingest.MaxText))
	return nil
}

func tls(r *ingest.Record, e *honeyguide.Event) error {
	e.Activity = activityTLS
	tlsFields(r.Root.Get("tls"), e)
	return nil
}

func tlsFields(t ingest.Value, e *honeyguide.Event) {
	if t.Type() != ingest.Object {
		return
	}
	text := func(attr string, path string) { e.Set(attr, ingest.Cut(t.Path(path).Text(), ingest.MaxText)) }
	text("tls.sni", "sni")
	text("tls.version", "version")
	text("tls.certificate.subject", "subject")
	text("tls.certificate.issuer", "issuerdn")
	text("tls.certificate.fingerprint", "fingerprint")
	text("tls.ja3_hash", "ja3.hash")
	text("tls.ja3s_hash", "ja3s.hash")
	text("tls.ja4", "ja4")
}

func ssh(r *ingest.Record, e *honeyguide.Event) error {
	e.Class, e.Activity = honeyguide.ClassSSH, honeyguide.ActivityClient
	text := func(attr, path string) { e.Set(attr, ingest.Cut(r.Root.Path(path).Text(), 512)) }
	text(honeyguide.AttrClient, "ssh.client.software_version")
	text("server.software", "ssh.server.software_version")
	text(honeyguide.AttrHASSH, "ssh.client.hassh.hash")
	return nil
}

// flow is the end of a connection. netflow records one direction only.
func flow(r *ingest.Record, e *honeyguide.Event) error {
	e.Activity = honeyguide.ActivityClose
	for _, name := range []string{"flow", "netflow"} {
		f := r.Root.Get(name)
		if f.Type() != ingest.Object {
			continue
		}
		bytesOf(f, e)
		if n, ok := f.Get("bytes").Int(); ok {
			e.Set(ingest.AttrBytes, n)
		}
		e.Set("connection_info.state", f.Get("state").Text())
		e.Set("connection_info.end_reason", f.Get("reason").Text())
		start, err1 := ingest.ParseTime(f.Get("start").Text(), r.Zone)
		end, err2 := ingest.ParseTime(f.Get("end").Text(), r.Zone)
		if err1 == nil && err2 == nil && !end.Before(start) {
			e.Set(honeyguide.AttrDuration, int64(end.Sub(start)/time.Millisecond))
		}
	}
	return nil
}

// bytesOf sets the traffic of a flow as the attacked side sees it.
func bytesOf(f ingest.Value, e *honeyguide.Event) {
	if n, ok := f.Get("bytes_toserver").Int(); ok {
		e.Set(honeyguide.AttrBytesIn, n)
	}
	if n, ok := f.Get("bytes_toclient").Int(); ok {
		e.Set(honeyguide.AttrBytesOut, n)
	}
}

func fileinfo(r *ingest.Record, e *honeyguide.Event) error {
	e.Activity = activityFile
	fileFields(r.Root.Get("fileinfo"), e)
	httpFields(r.Root.Get("http"), e)
	return nil
}

func fileFields(f ingest.Value, e *honeyguide.Event) {
	if f.Type() != ingest.Object {
		return
	}
	e.Set(honeyguide.AttrPath, ingest.Cut(f.Get("filename").Text(), ingest.MaxText))
	if n, ok := f.Get("size").Int(); ok {
		e.Set(honeyguide.AttrSize, n)
	}
	e.Set("file.mime_type", ingest.Cut(f.Get("magic").Text(), 256))
	e.Set("file.md5", f.Get("md5").Text())
	if sum := f.Get("sha256").Text(); sum != "" {
		e.Set(honeyguide.AttrSHA256, sum)
		e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: ingest.Cut(sum, 64)})
	}
}

func anomaly(r *ingest.Record, e *honeyguide.Event) error {
	a := r.Root.Get("anomaly")
	e.Activity, e.Severity = activityAnomaly, honeyguide.SeverityLow
	e.Set(honeyguide.AttrMessage, a.Get("event").Text())
	e.Set(honeyguide.AttrDetail, strings.TrimSpace(a.Get("type").Text()+" "+a.Get("layer").Text()))
	return nil
}

func drop(r *ingest.Record, e *honeyguide.Event) error {
	e.Activity = activityDrop
	e.Set(ingest.AttrAction, "blocked")
	e.Set(honeyguide.AttrRule, r.Root.Path("alert.signature").Text())
	e.Set(honeyguide.AttrMessage, r.Root.Path("drop.reason").Text())
	return nil
}
