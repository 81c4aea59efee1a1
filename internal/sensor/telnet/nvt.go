package telnet

// Telnet command bytes (RFC 854, RFC 1184).
const (
	iac  = 255
	dont = 254
	do   = 253
	wont = 252
	will = 251
	sb   = 250
	el   = 248
	ec   = 247
	ayt  = 246
	ip   = 244
	brk  = 243
	se   = 240
	abrt = 238
	susp = 237
	eof  = 236
)

// Options (IANA telnet-options).
const (
	optEcho       = 1
	optSGA        = 3
	optStatus     = 5
	optTType      = 24
	optNAWS       = 31
	optTSpeed     = 32
	optLFlow      = 33
	optLinemode   = 34
	optXDisploc   = 35
	optOldEnviron = 36
	optAuth       = 37
	optEncrypt    = 38
	optNewEnviron = 39
)

// maxSub bounds a subnegotiation; what is longer is cut.
const maxSub = 512

// A handler is told what is in the stream besides data.
type handler interface {
	command(c byte)          // AYT, IP, EC, ...
	option(verb, opt byte)   // WILL, WONT, DO, DONT
	subnegotiation(p []byte) // option byte and what follows, without IAC SE
}

// A decoder takes a Telnet stream apart. It keeps its place between calls, so
// that the stream may be cut anywhere.
type decoder struct {
	state byte
	verb  byte
	cr    bool // the last data byte was CR
	sub   []byte
}

// States of a decoder.
const (
	inData = iota
	inIAC
	inOption
	inSub
	inSubIAC
)

// decode appends the data bytes of p to dst and tells h of the rest. CR LF and
// CR NUL become CR, as a terminal's Enter key is.
func (d *decoder) decode(dst, p []byte, h handler) []byte {
	for _, c := range p {
		switch d.state {
		case inData:
			if c == iac {
				d.state = inIAC
				continue
			}
			if d.cr && (c == '\n' || c == 0) {
				d.cr = false
				continue
			}
			d.cr = c == '\r'
			dst = append(dst, c)
		case inIAC:
			dst = d.afterIAC(dst, c, h)
		case inOption:
			d.state = inData
			h.option(d.verb, c)
		case inSub:
			if c == iac {
				d.state = inSubIAC
			} else if len(d.sub) < maxSub {
				d.sub = append(d.sub, c)
			}
		case inSubIAC:
			d.afterSubIAC(c, h)
		}
	}
	return dst
}

func (d *decoder) afterIAC(dst []byte, c byte, h handler) []byte {
	d.state = inData
	switch c {
	case iac:
		d.cr = false
		return append(dst, iac)
	case will, wont, do, dont:
		d.verb, d.state = c, inOption
	case sb:
		d.sub, d.state = d.sub[:0], inSub
	case ip, brk:
		return append(dst, 0x03)
	case ec:
		return append(dst, 0x7f)
	case el:
		return append(dst, 0x15)
	case susp:
		return append(dst, 0x1a)
	case abrt:
		return append(dst, 0x1c)
	case eof:
		return append(dst, 0x04)
	default:
		h.command(c)
	}
	return dst
}

func (d *decoder) afterSubIAC(c byte, h handler) {
	switch c {
	case iac:
		d.state = inSub
		if len(d.sub) < maxSub {
			d.sub = append(d.sub, iac)
		}
	case se:
		d.state = inData
		h.subnegotiation(d.sub)
	default: // the peer forgot IAC SE; take what follows as a command
		d.state = inData
		h.subnegotiation(d.sub)
	}
}

// encode appends p as it goes over the wire: IAC is doubled, a CR that no LF
// follows gets a NUL.
func encode(dst, p []byte) []byte {
	for i, c := range p {
		dst = append(dst, c)
		switch {
		case c == iac:
			dst = append(dst, iac)
		case c == '\r' && (i+1 == len(p) || p[i+1] != '\n'):
			dst = append(dst, 0)
		}
	}
	return dst
}
