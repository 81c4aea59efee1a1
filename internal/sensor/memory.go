package sensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
)

// A Keeper keeps what sources leave behind for longer than the process lives.
type Keeper interface {
	// Recall asks for what is kept of a source. The answer comes by
	// [World.Recalled], at any time or never. It never waits.
	Recall(source netip.Addr)
	// Remember hands over what is to be kept of a source, in place of what was
	// handed over before. It may wait.
	Remember(source netip.Addr, world []byte)
}

// What is kept of a source is tagged sections behind a magic: tag (1 byte),
// length, content. Sections that are not known are passed over, so a newer
// process's memory costs an older one no more than that section.
const memoryMagic = "HW\x02"

// The sections.
const (
	sectionFiles  = 1 // an overlay, see vfs
	sectionTries  = 2 // logins tried
	sectionPairs  = 3 // n { user password }
	sectionLogins = 4 // n { user tty from server at until pid port }
	sectionDead   = 5 // n { pid } of ended processes of the machine
)

// filesKept bounds the file contents kept of one source, so that a world fits
// into its frame with everything around them.
const filesKept = ipc.MaxWorld - 4<<20

// Bounds of a text in a memory.
const maxMemoryText = 4096

// recollection is what a memory held.
type recollection struct {
	fs    *vfs.FS
	tries int
	pairs map[string]string
	past  machine.Past
	files vfs.Restored
}

// remember writes what is to be kept of a source; nil when that is nothing.
// fs may be nil.
func remember(fs *vfs.FS, tries int, pairs map[string]string) []byte {
	b := []byte(memoryMagic)
	var p []byte
	if fs != nil {
		if overlay, _ := fs.Export(filesKept); overlay != nil {
			b = section(b, sectionFiles, overlay)
		}
	}
	if tries > 0 {
		b = section(b, sectionTries, binary.AppendUvarint(nil, uint64(tries)))
	}
	if len(pairs) > 0 {
		p = binary.AppendUvarint(p[:0], uint64(len(pairs)))
		for _, user := range slices.Sorted(maps.Keys(pairs)) {
			p = words(p, user, pairs[user])
		}
		b = section(b, sectionPairs, p)
	}
	if t := tableOf(fs); t != nil {
		past := t.Past()
		if len(past.Logins) > 0 {
			p = binary.AppendUvarint(p[:0], uint64(len(past.Logins)))
			for _, l := range past.Logins {
				p = words(p, l.User, l.TTY, l.From, l.Server)
				p = binary.AppendVarint(p, l.At.UnixMicro())
				p = binary.AppendVarint(p, l.Until.UnixMicro())
				p = binary.AppendUvarint(p, uint64(l.PID))
				p = binary.AppendUvarint(p, uint64(l.Peer.Port()))
			}
			b = section(b, sectionLogins, p)
		}
		if len(past.Dead) > 0 {
			p = binary.AppendUvarint(p[:0], uint64(len(past.Dead)))
			for _, pid := range past.Dead {
				p = binary.AppendUvarint(p, uint64(pid))
			}
			b = section(b, sectionDead, p)
		}
	}
	if len(b) == len(memoryMagic) {
		return nil
	}
	return b
}

func tableOf(fs *vfs.FS) *machine.Table {
	if fs == nil {
		return nil
	}
	return machine.TableOf(fs)
}

func section(b []byte, tag byte, p []byte) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(p)))
	return append(b, p...)
}

func words(b []byte, texts ...string) []byte {
	for _, s := range texts {
		s = s[:min(len(s), maxMemoryText)]
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// errMemory is in the chain of what recollect returns.
var errMemory = errors.New("memory of a source")

// recollect reads a memory for a host. The bytes may come from a process that
// was taken over: whatever they say, the result is within the limits of any
// source.
func recollect(world []byte, img *vfs.Image, q vfs.Quota, now func() time.Time) (recollection, error) {
	var out recollection
	if len(world) < len(memoryMagic) || string(world[:len(memoryMagic)]) != memoryMagic {
		return out, fmt.Errorf("%w: not one of this version", errMemory)
	}
	for rest := world[len(memoryMagic):]; len(rest) > 0; {
		tag := rest[0]
		n, k := binary.Uvarint(rest[1:])
		if k <= 0 || n > uint64(len(rest)-1-k) {
			return out, fmt.Errorf("%w: cut", errMemory)
		}
		p := rest[1+k : 1+k+int(n)]
		rest = rest[1+k+int(n):]
		if tag == sectionFiles {
			fs, files, err := img.Restore(p, q, now)
			if err != nil {
				return out, fmt.Errorf("%w: %w", errMemory, err)
			}
			out.fs, out.files = fs, files
			continue
		}
		r := facts{b: p}
		r.section(tag, &out, now())
		if r.bad {
			return out, fmt.Errorf("%w: section %d", errMemory, tag)
		}
	}
	return out, nil
}

// facts reads one section; the first thing that does not fit sets bad.
type facts struct {
	b   []byte
	bad bool
}

func (r *facts) section(tag byte, out *recollection, now time.Time) {
	switch tag {
	case sectionTries:
		out.tries = int(min(r.uvarint(), 1<<20))
	case sectionPairs:
		out.pairs = map[string]string{}
		for range min(r.uvarint(), maxPairs) {
			user, password := r.text(), r.text()
			if !r.bad {
				out.pairs[user] = password
			}
		}
	case sectionLogins:
		for range min(r.uvarint(), 64) {
			l := machine.Login{User: r.text(), TTY: r.text(), From: r.text(), Server: r.text(), At: r.time(now), Until: r.time(now), PID: int(r.uvarint() % (1 << 22))}
			peer, _ := netip.ParseAddr(l.From)
			l.Peer = netip.AddrPortFrom(peer, uint16(r.uvarint()))
			if !r.bad {
				out.past.Logins = append(out.past.Logins, l)
			}
		}
	case sectionDead:
		for range min(r.uvarint(), 1024) {
			if pid := r.uvarint() % (1 << 22); !r.bad {
				out.past.Dead = append(out.past.Dead, int(pid))
			}
		}
	}
}

func (r *facts) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *facts) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) || n > maxMemoryText {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// time reads a moment; none is later than now.
func (r *facts) time(now time.Time) time.Time {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return now
	}
	r.b = r.b[n:]
	return time.UnixMicro(min(v, now.UnixMicro())).UTC()
}
