package honeyguide

import (
	"net/netip"
	"time"
)

// A Class is an OCSF class_uid: what kind of thing was observed.
type Class uint32

// The OCSF classes Honeyguide writes. Numbers are those of the OCSF schema 1.x.
const (
	ClassUnknown        Class = 0
	ClassFile           Class = 1001   // File System Activity
	ClassModule         Class = 1005   // Module Activity
	ClassProcess        Class = 1007   // Process Activity
	ClassLog            Class = 1008   // Event Log Activity; also what a log tells that no other class has
	ClassDetection      Class = 2004   // Detection Finding
	ClassIncident       Class = 2005   // Incident Finding
	ClassAccount        Class = 3001   // Account Change
	ClassAuthentication Class = 3002   // Authentication
	ClassNetwork        Class = 4001   // Network Activity
	ClassHTTP           Class = 4002   // HTTP Activity
	ClassDNS            Class = 4003   // DNS Activity
	ClassSSH            Class = 4007   // SSH Activity
	ClassLifecycle      Class = 6002   // Application Lifecycle
	ClassRegistry       Class = 201001 // Registry Key Activity, of OCSF's Windows extension
)

// Activities are the verbs of events. Sensors and sources use these words;
// a source may use others for what none of them says.
const (
	ActivityConnect      = "connect"       // a peer connected
	ActivityClose        = "close"         // the connection ended; AttrDuration, AttrBytesIn, AttrBytesOut
	ActivityClient       = "client"        // the peer named its software; AttrClient, AttrHASSH
	ActivityLoginFailed  = "login_failed"  // AttrUser, AttrPassword or AttrKeyFingerprint, AttrAuthMethod
	ActivityLoginSuccess = "login_success" // as login_failed
	ActivityCommand      = "command"       // one line given to a shell; AttrCommand, AttrStatus
	ActivityRequest      = "request"       // one request of a request/reply protocol; AttrMethod, AttrURL, AttrBody
	ActivityDownload     = "download"      // the peer asked the decoy to fetch something; AttrURL, AttrTool. Nothing is fetched
	ActivityFileWrite    = "file_write"    // AttrPath, AttrSize, AttrSHA256
	ActivityFileRead     = "file_read"     // AttrPath, AttrSize: bytes read; AttrSHA256 when it was the whole file; AttrStatusText when refused
	ActivityFileList     = "file_list"     // AttrPath, AttrCount: entries shown
	ActivityFileChange   = "file_change"   // renamed, removed, linked, made, set: AttrDetail, AttrPath, AttrToPath; AttrStatusText when refused
	ActivityExecute      = "execute"       // a file the peer brought was run, or seemed to be; AttrPath, AttrStatus
	ActivitySample       = "sample"        // content the peer brought: AttrPath, AttrSize, AttrSHA256, AttrFileType, AttrTool, AttrKept
	ActivitySubsystem    = "subsystem"     // AttrDetail names it
	ActivityTunnel       = "tunnel"        // a forward or proxy was asked for; never dialled
	ActivityUnsupported  = "unsupported"   // the decoy met something it cannot imitate; AttrDetail
	ActivityMalformed    = "malformed"     // bytes that are not the protocol; AttrDetail
	ActivityTokenExposed = "token_exposed" // bait left the decoy; AttrToken, AttrCommand or AttrPath
	ActivityTokenUsed    = "token_used"    // bait came back; AttrToken, AttrWhere
	ActivityViolation    = "violation"     // a sensor process broke its sandbox rules; AttrDetail
	ActivityGap          = "gap"           // something was given up: AttrCount, AttrDetail
	ActivityFinding      = "finding"       // an external product's alert; AttrRule, AttrRuleID
)

// Names of event attributes: OCSF paths where OCSF has one.
const (
	AttrUser           = "user.name"
	AttrPassword       = "auth.password"
	AttrAuthMethod     = "auth_protocol" // password, publickey, keyboard-interactive, form, basic
	AttrKeyFingerprint = "auth.key_fingerprint"
	AttrClient         = "client.software"
	AttrHASSH          = "client_hassh.fingerprint"
	AttrCommand        = "process.cmd_line"
	AttrStatus         = "status_code" // exit status or response status
	AttrStatusText     = "status"
	AttrMethod         = "http_request.http_method"
	AttrURL            = "http_request.url"
	AttrUserAgent      = "http_request.user_agent"
	AttrReferrer       = "http_request.referrer"
	AttrHost           = "http_request.host"
	AttrHeaders        = "http_request.headers"
	AttrBody           = "http_request.body"
	AttrPath           = "file.path"
	AttrSize           = "file.size"
	AttrSHA256         = "file.sha256"
	AttrToPath         = "file.to_path" // the second path of a change
	AttrFileType       = "file.type"    // what the content is: elf, script, archive, ...
	AttrKept           = "sample.kept"  // yes, truncated, or why not
	AttrTool           = "tool"
	AttrToken          = "honeytoken.id"
	AttrTokenKind      = "honeytoken.kind"
	AttrWhere          = "honeytoken.where"
	AttrReader         = "honeytoken.reader" // source that read the token before
	AttrReadAt         = "honeytoken.read_at"
	AttrReadBy         = "honeytoken.read_by" // command or path by which it was read
	AttrMessage        = "message"
	AttrDetail         = "detail"
	AttrCount          = "count"
	AttrDuration       = "duration_ms"
	AttrBytesIn        = "traffic.bytes_in"
	AttrBytesOut       = "traffic.bytes_out"
	AttrProtocol       = "connection_info.protocol_name"
	AttrRule           = "finding_info.title"
	AttrRuleID         = "finding_info.uid"
	AttrCategory       = "finding_info.category"
	AttrProduct        = "metadata.product"
	AttrOriginID       = "metadata.uid" // the record's own id at its source
	AttrDevice         = "device.hostname"
	AttrPersonal       = "personal_data"             // what kinds of personal data stand in the captured text: "email x2"
	AttrTransport      = "connection_info.transport" // udp, where a decoy's own connection is not TCP
	// What wrote the record, in the words Sigma rules are addressed by.
	AttrLogProduct  = "logsource.product"  // linux, windows, zeek, ...
	AttrLogCategory = "logsource.category" // process_creation, webserver, ...
	AttrLogService  = "logsource.service"  // sshd, sysmon, ...
)

// An Endpoint is one side of a connection: OCSF network_endpoint.
type Endpoint struct {
	Addr     netip.AddrPort `json:"addr,omitzero"`
	Hostname string         `json:"hostname,omitempty"`
	Country  string         `json:"country,omitempty"` // ISO 3166 alpha-2
	ASN      uint32         `json:"asn,omitempty"`
	ASOrg    string         `json:"as_org,omitempty"`
}

// An Observable is one value worth pivoting on.
type Observable struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // ip, url, hash, user, token, domain
	Value string `json:"value"`
}

// A Technique is one ATT&CK technique and why it was mapped.
type Technique struct {
	ID     string `json:"id"`
	Tactic string `json:"tactic,omitempty"`
	Why    string `json:"why,omitempty"`
}

// An Event is one observation. It is immutable once stored.
type Event struct {
	ID          string         `json:"id"`       // derived from the outbox and its number when empty
	Time        time.Time      `json:"time"`     // when it happened
	Observed    time.Time      `json:"observed"` // when Honeyguide saw it
	Class       Class          `json:"class"`
	Activity    string         `json:"activity"`
	Severity    Severity       `json:"severity"`
	Sensor      string         `json:"sensor"`            // name of the sensor instance or ingest source
	Service     string         `json:"service,omitempty"` // kind of the sensor: ssh, telnet, http, ...
	Session     string         `json:"session,omitempty"` // everything one peer did on one connection
	Src         Endpoint       `json:"src"`
	Dst         Endpoint       `json:"dst"`
	Observables []Observable   `json:"observables,omitempty"`
	Attacks     []Technique    `json:"attacks,omitempty"`
	Attrs       map[string]any `json:"attrs,omitempty"` // class attributes by OCSF path: string, int64, float64, bool; else JSON
	Raw         []byte         `json:"raw,omitempty"`   // the input as it came, where there was one
}

// Str returns the text attribute name, or "" when it is absent or no text.
func (e *Event) Str(name string) string {
	s, _ := e.Attrs[name].(string)
	return s
}

// Int returns the whole-number attribute name, or 0 when it is absent or no number.
func (e *Event) Int(name string) int64 {
	switch n := e.Attrs[name].(type) {
	case int64:
		return n
	case int:
		return int64(n)
	case float64:
		return int64(n)
	}
	return 0
}

// Set stores a non-empty attribute.
func (e *Event) Set(name string, value any) {
	if value == nil || value == "" {
		return
	}
	if e.Attrs == nil {
		e.Attrs = make(map[string]any, 8)
	}
	if n, ok := value.(int); ok {
		value = int64(n)
	}
	e.Attrs[name] = value
}

// Proven reports whether the source address of an event is its sender's own:
// it completed a TCP handshake with a decoy, or spoke a protocol that needs one
// to a system that tells us. What a single packet can cause (a scan, a datagram,
// an alert about either) is no proof: its source may be forged.
func (e *Event) Proven() bool {
	if !e.Src.Addr.IsValid() || e.Str(AttrTransport) == "udp" {
		return false
	}
	if e.Session != "" && e.Str(AttrProduct) == "" {
		return true // our own sensors make sessions of accepted connections only
	}
	switch e.Class {
	case ClassSSH, ClassAuthentication:
		return e.Activity == ActivityLoginFailed || e.Activity == ActivityLoginSuccess || e.Activity == ActivityCommand
	case ClassHTTP:
		return e.Str(AttrProtocol) != "udp"
	}
	return false
}

// A DeadLetter is one input record that could not be understood. It is kept,
// counted and can be replayed; nothing is dropped silently.
type DeadLetter struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Source string    `json:"source"`         // file or source instance
	Line   int64     `json:"line,omitempty"` // 1-based line or record number, 0 when unknown
	Reason string    `json:"reason"`
	Bytes  int64     `json:"bytes"`         // size of the whole record
	Raw    []byte    `json:"raw,omitempty"` // the record, cut to 64 KiB
}
