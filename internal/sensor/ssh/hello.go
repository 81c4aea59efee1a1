package ssh

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"honeyguide"
	"honeyguide/internal/sensor"
)

// maxIdentification bounds a line before its line feed, as sshd does.
const maxIdentification = 8192

// errForeign says that the peer does not speak SSH 2.
var errForeign = errors.New("not an SSH 2 peer")

// greet sends our version line and reads the peer's as sshd does: byte by byte,
// so that what follows stays unread and the close resets, with its texts in two
// writes. early is what was read behind the line of a peer that speaks SSH 2.
//
//go:noinline
func greet(ses *sensor.Session, version string) (line string, early []byte, err error) {
	if _, err := io.WriteString(ses, version+"\r\n"); err != nil {
		return "", nil, err
	}
	line, early, err = readIdentification(ses)
	if err == nil {
		err = judge(line)
	}
	if text := refusalText(err); text != "" {
		_, _ = io.WriteString(ses, text)
		_, _ = io.WriteString(ses, "\r\n")
	}
	if err != nil && len(line) > 0 {
		reportForeign(ses, line)
	}
	return line, early, err
}

// errMajor says that the peer speaks SSH 1.
var errMajor = errors.New("SSH 1 peer")

func refusalText(err error) string {
	switch {
	case errors.Is(err, errForeign):
		return "Invalid SSH identification string."
	case errors.Is(err, errMajor):
		return "Protocol major versions differ."
	}
	return ""
}

// ours is how the line of every peer begins that gets past the version.
const ours = "SSH-2.0-"

// readIdentification reads the peer's version line. CR is skipped where it
// stands before the line feed; NUL ends the reading, as in sshd, whose line is a
// C string. Once the line is sure to be taken the rest is read at once: reading
// on byte by byte could not be seen any more, and costs a call into the kernel
// for each.
func readIdentification(r io.Reader) (line string, early []byte, err error) {
	b := make([]byte, 0, 64)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		next := b[len(b) : len(b)+1]
		if len(b) == len(ours)+1 && string(b[:len(ours)]) == ours {
			return readRest(r, b)
		}
		if _, err := io.ReadFull(r, next); err != nil {
			return string(b), nil, err
		}
		switch {
		case next[0] == '\n':
			return strings.TrimSuffix(string(b), "\r"), nil, nil
		case next[0] == 0 && len(b) == 0:
			return "\x00", nil, errForeign
		case len(b) >= maxIdentification:
			return string(b), nil, errForeign
		}
		b = b[:len(b)+1]
	}
}

// readRest reads to the line feed and whatever came with it.
func readRest(r io.Reader, b []byte) (line string, early []byte, err error) {
	for {
		if at := bytes.IndexByte(b, '\n'); at >= 0 && at <= maxIdentification {
			return strings.TrimSuffix(string(b[:at]), "\r"), b[at+1:], nil
		}
		if len(b) > maxIdentification {
			return string(b[:maxIdentification]), nil, errForeign
		}
		if cap(b)-len(b) < 512 {
			b = append(make([]byte, 0, 2*cap(b)+2048), b...)
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if n == 0 && err != nil {
			return string(b), nil, err
		}
	}
}

// judge says whether the line names a protocol version we speak.
func judge(line string) error {
	rest, ok := strings.CutPrefix(line, "SSH-")
	if !ok {
		return errForeign
	}
	proto, software, ok := strings.Cut(rest, "-")
	major, minor, ok2 := strings.Cut(proto, ".")
	if !ok || !ok2 || software == "" || !digits(major) || !digits(minor) {
		return errForeign
	}
	// Scanners sshd knows and hangs up on without a word.
	if strings.HasPrefix(software, "Probe-") || strings.Contains(software, "SSH_Version_Mapper") {
		return errScanner
	}
	if major == "2" || major == "1" && minor == "99" {
		return nil
	}
	return errMajor
}

var errScanner = errors.New("version scanner")

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && len(s) < 6
}

// reportForeign reports what a peer said instead of a version line.
func reportForeign(ses *sensor.Session, line string) {
	e := honeyguide.Event{Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityMalformed}
	e.Set(honeyguide.AttrDetail, "not an SSH 2 identification")
	e.Set(honeyguide.AttrMessage, strings.ToValidUTF8(line, "\ufffd"))
	e.Raw = []byte(line)
	ses.Emit(e)
}
