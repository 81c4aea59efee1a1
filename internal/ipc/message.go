package ipc

import (
	"log/slog"
	"net/netip"
	"time"

	"honeyguide"
)

// A Message is what one frame carries: one of the types of this file.
type Message interface {
	kind() kind
	append(dst []byte) ([]byte, error)
}

// Cage is the very first frame, before the sensor closes its cage: how to close it.
type Cage struct {
	Listeners  int      // inherited listeners, descriptors 4, 5, ...
	Namespaces []string // namespaces the process was started in
	Conns      int      // connections it must be able to hold; bounds its descriptors
	Procs      int      // GOMAXPROCS; 0 means as many as the machine has
	Memory     int64    // soft memory limit in bytes; 0 means none
	Insecure   bool     // go on although a layer is missing or an escape is open
}

// Setup tells a sensor process who it is. It follows Cage once the process
// proved that its cage holds.
type Setup struct {
	Persona  string            // name of the persona: debian-12
	Seed     []byte            // deployment secret the persona is derived from
	Hostname string            // of the pretended host; "" lets the persona choose
	Image    []byte            // index of the operator's own root; nil: the shipped one
	Now      time.Time         // core's wall clock
	Deployed time.Time         // when this deployment began: what the host's own history is counted from
	Sensors  []SensorSetup     // what listens
	Tokens   []TokenSetup      // what is planted
	HostKeys map[string][]byte // PEM: ssh_rsa, ssh_ecdsa, ssh_ed25519
	Limits   Limits
}

// SensorSetup is one decoy service of the process.
type SensorSetup struct {
	Name     string // instance, the Sensor of its events
	Kind     string // ssh, telnet, http, ...
	Config   []byte // YAML of the instance; nil means defaults
	Listener int    // index of its listener; -1: datagrams come as Packet frames
	Network  string // tcp or udp
	Addr     string // the address it listens on, as bound
	// Published is the port outsiders reach it on when a firewall redirects; 0
	// leaves it to the sensor to tell.
	Published uint16
}

// TokenSetup is one honeytoken as the sensor plants it.
type TokenSetup struct {
	ID, Kind, Path string
	UID, GID       uint32
	Mode           uint32       // permission bits
	Content        []byte       // the whole file
	Needles        [][]byte     // byte strings whose leaving is an exposure
	Credentials    []Credential // logins it opens
}

// Credential is one planted login.
type Credential struct {
	Service        string // kind of the sensor it opens; "" means every one
	User, Password string
}

// Limits bound what a sensor process holds. Zero values mean the sensor
// host's defaults.
type Limits struct {
	Conns          int   // open connections of all sensors together
	ConnsPerSource int   // of one source address
	Sources        int   // attackers whose file systems are kept
	DiskPerSource  int64 // bytes one attacker may write
	Recording      int64 // recorded bytes per session
}

// Ack says that N more events are durable.
type Ack struct{ N int }

// Packet is one datagram for a sensor that is relayed. ID names it in the reply.
type Packet struct {
	Sensor int // index into Setup.Sensors
	ID     uint64
	From   netip.AddrPort
	Data   []byte
}

// Stop asks the sensor to end its sessions, to send what is left and to exit.
type Stop struct{}

// Recalled answers a Recall: what a sensor said of the source before, or
// nothing. The core does not look into it.
type Recalled struct {
	Source netip.Addr
	World  []byte // empty: nothing is known
}

// Hello reports the cage after the self-test.
type Hello struct {
	PID    int // as the sensor sees it
	Layers []Layer
	Probes int           // escape attempts made
	Open   []string      // attempts that succeeded
	Took   time.Duration // closing the cage and testing it
	// Failure says why the process refuses to serve; "" when it will.
	Failure string
}

// Layer is one layer of the cage.
type Layer struct {
	Name   string // namespaces, root, capabilities, uid, rlimits, landlock, no_new_privs, seccomp
	State  string // on, degraded, off
	Detail string // what exactly, or why not
}

// Ready says that every sensor of the setup serves.
type Ready struct{}

// Events is a batch in the order the events happened.
type Events struct{ Events []honeyguide.Event }

// Chunk is a piece of a session's recording.
type Chunk struct {
	Session string
	Time    time.Time
	Stream  byte // 'o' to the peer, 'i' from the peer, 'r' resize "80x24"
	Data    []byte
}

// PacketReply answers the packet ID. It is sent only when it is no longer than
// the request; an empty one says that there is no answer.
type PacketReply struct {
	ID   uint64
	Data []byte
}

// Recall asks what is remembered of a source: its address, or of IPv6 the first
// address of its /64.
type Recall struct{ Source netip.Addr }

// Remember hands over what a source has left behind, in place of what was
// handed over before.
type Remember struct {
	Source netip.Addr
	World  []byte // at most MaxWorld bytes
}

// Piece is a piece of a file a peer brought. The event with [AttrFile] that comes
// behind the last one says what it is.
type Piece struct {
	File uint64 // number of the file in this process, from 1
	At   uint64 // where in the file it stands; pieces come in order
	Data []byte
}

// AttrFile is the number of the file whose content an event is about; the core
// takes it out.
const AttrFile = "sample.file"

// Log is one log line of the sensor. Its texts may hold attacker bytes.
type Log struct {
	Level slog.Level
	Msg   string
	Attrs []LogAttr
}

// LogAttr is one attribute of a log line.
type LogAttr struct{ Key, Value string }
