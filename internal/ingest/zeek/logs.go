package zeek

import (
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
)

// writers set what is particular to a log.
var writers = map[string]func(view, *honeyguide.Event){
	"conn": conn, "dns": dns, "http": http, "ssl": ssl, "ssh": ssh, "files": files, "notice": notice, "weird": weird,
	"kerberos": kerberos, "smb_files": smb, "smb_mapping": smb, "dce_rpc": rpc, "rdp": rdp, "ftp": ftp, "smtp": smtp, "intel": intel,
}

func conn(v view, e *honeyguide.Event) {
	e.Activity = honeyguide.ActivityClose
	if n, ok := v.get("orig_bytes").Int(); ok {
		e.Set(honeyguide.AttrBytesIn, n)
	}
	if n, ok := v.get("resp_bytes").Int(); ok {
		e.Set(honeyguide.AttrBytesOut, n)
	}
	if ms, ok := v.get("duration").Seconds(); ok {
		e.Set(honeyguide.AttrDuration, ms)
	}
	e.Set("connection_info.state", v.text("conn_state"))
	e.Set("app_name", v.text("service"))
}

func dns(v view, e *honeyguide.Event) {
	e.Class, e.Activity = honeyguide.ClassDNS, "dns_query"
	e.Set("query.hostname", ingest.Cut(v.text("query"), 512))
	e.Set("query.type", v.text("qtype_name"))
	e.Set("rcode", v.text("rcode_name"))
	e.Set("answers", ingest.Cut(v.text("answers"), ingest.MaxText))
}

func http(v view, e *honeyguide.Event) {
	e.Class, e.Activity = honeyguide.ClassHTTP, honeyguide.ActivityRequest
	set(v, e, ingest.MaxText, map[string]string{
		honeyguide.AttrMethod: "method", honeyguide.AttrHost: "host", honeyguide.AttrURL: "uri", honeyguide.AttrUserAgent: "user_agent",
		honeyguide.AttrReferrer: "referrer", honeyguide.AttrUser: "username",
	})
	if n, ok := v.get("status_code").Int(); ok {
		e.Set(honeyguide.AttrStatus, n)
	}
}

func ssl(v view, e *honeyguide.Event) {
	e.Activity = "tls_handshake"
	set(v, e, 1024, map[string]string{
		"tls.sni": "server_name", "tls.version": "version", "tls.cipher": "cipher", "tls.certificate.subject": "subject", "tls.certificate.issuer": "issuer",
		"tls.ja3_hash": "ja3", "tls.ja3s_hash": "ja3s",
	})
}

func ssh(v view, e *honeyguide.Event) {
	e.Class, e.Activity = honeyguide.ClassSSH, honeyguide.ActivityClient
	set(v, e, 512, map[string]string{honeyguide.AttrClient: "client", "server.software": "server", honeyguide.AttrHASSH: "hassh"})
}

func files(v view, e *honeyguide.Event) {
	e.Activity = "file_seen"
	set(v, e, ingest.MaxText, map[string]string{
		honeyguide.AttrPath: "filename", "file.mime_type": "mime_type", "file.md5": "md5", "file.sha1": "sha1", honeyguide.AttrSHA256: "sha256", honeyguide.AttrProtocol: "source",
	})
	if n, ok := v.get("total_bytes").Int(); ok {
		e.Set(honeyguide.AttrSize, n)
	}
	if sum := v.text("sha256"); len(sum) == 64 {
		e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: strings.ToLower(sum)})
	}
}

// graver are notices that tell of an attack; others are worth knowing.
var graver = []string{"Scan::", "SSH::Password_Guessing", "SSH::Login_By", "FTP::Bruteforcing", "HTTP::SQL_Injection", "Heartbleed::", "CVE_", "Exploit", "Signatures::"}

func notice(v view, e *honeyguide.Event) {
	note := v.text("note")
	e.Class, e.Activity, e.Severity = honeyguide.ClassDetection, honeyguide.ActivityFinding, honeyguide.SeverityLow
	for _, mark := range graver {
		if strings.Contains(note, mark) {
			e.Severity = honeyguide.SeverityMedium
		}
	}
	e.Set(honeyguide.AttrRuleID, ingest.Cut(note, 128))
	e.Set(honeyguide.AttrRule, ingest.Cut(note, 128))
	e.Set(honeyguide.AttrMessage, ingest.Cut(v.text("msg"), ingest.MaxText))
	e.Set(honeyguide.AttrDetail, ingest.Cut(v.text("sub"), ingest.MaxText))
	e.Set(ingest.AttrAction, ingest.Cut(v.text("actions"), 256))
}

func weird(v view, e *honeyguide.Event) {
	e.Activity = "anomaly"
	e.Set(honeyguide.AttrMessage, ingest.Cut(v.text("name"), 256))
	e.Set(honeyguide.AttrDetail, ingest.Cut(v.text("addl"), 1024))
}

func kerberos(v view, e *honeyguide.Event) {
	e.Class, e.Activity = honeyguide.ClassAuthentication, "kerberos_ticket"
	set(v, e, 255, map[string]string{honeyguide.AttrUser: "client", "service.name": "service", honeyguide.AttrStatusText: "error_msg"})
}

func smb(v view, e *honeyguide.Event) {
	e.Activity = "share_access"
	set(v, e, ingest.MaxText, map[string]string{honeyguide.AttrPath: "name", "share": "path", honeyguide.AttrDetail: "action"})
}

func rpc(v view, e *honeyguide.Event) {
	e.Activity = "rpc"
	set(v, e, 512, map[string]string{"dce_rpc.endpoint": "endpoint", "dce_rpc.operation": "operation", "dce_rpc.named_pipe": "named_pipe"})
}

func rdp(v view, e *honeyguide.Event) {
	e.Activity = "rdp"
	set(v, e, 512, map[string]string{honeyguide.AttrUser: "cookie", honeyguide.AttrStatusText: "result", honeyguide.AttrClient: "client_build"})
}

func ftp(v view, e *honeyguide.Event) {
	e.Activity = "ftp"
	set(v, e, ingest.MaxText, map[string]string{honeyguide.AttrUser: "user", "ftp.command": "command", honeyguide.AttrPath: "arg"})
}

func smtp(v view, e *honeyguide.Event) {
	e.Activity = "mail"
	set(v, e, 1024, map[string]string{"email.from": "mailfrom", "email.to": "rcptto", "email.subject": "subject"})
}

// intel is a hit of an indicator Zeek was given.
func intel(v view, e *honeyguide.Event) {
	e.Class, e.Activity, e.Severity = honeyguide.ClassDetection, honeyguide.ActivityFinding, honeyguide.SeverityMedium
	e.Set(honeyguide.AttrRule, "Intelligence match: "+ingest.Cut(v.text("seen.indicator_type"), 64))
	e.Set(honeyguide.AttrRuleID, "Intel::"+ingest.Cut(v.text("seen.indicator_type"), 64))
	e.Set(honeyguide.AttrMessage, ingest.Cut(v.text("seen.indicator"), 1024))
	e.Set(honeyguide.AttrDetail, ingest.Cut(v.text("sources"), 256))
}

func set(v view, e *honeyguide.Event, limit int, names map[string]string) {
	for attr, name := range names {
		e.Set(attr, ingest.Cut(v.text(name), limit))
	}
}
