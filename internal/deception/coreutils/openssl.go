package coreutils

import (
	"encoding/hex"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// opensslVerb does the digests and base64; any other verb is not known here.
func (p *Proc) opensslVerb(verb string, args []string) (status int, known bool) {
	switch verb {
	case "base64":
		return p.opensslBase64(args), true
	case "enc":
		if contains(args, "-base64") || contains(args, "-a") {
			return p.opensslBase64(args), true
		}
		return 0, false
	case "dgst":
		return p.opensslDigest("sha256", args), true
	}
	if _, ok := opensslTags[verb]; ok {
		return p.opensslDigest(verb, args), true
	}
	return 0, false
}

// opensslTags are what OpenSSL 3 calls its digests in a listing.
var opensslTags = map[string]string{
	"md5": "MD5", "sha1": "SHA1", "sha224": "SHA2-224", "sha256": "SHA2-256", "sha384": "SHA2-384", "sha512": "SHA2-512", "sm3": "SM3",
}

func (p *Proc) opensslDigest(algorithm string, args []string) int {
	reversed, binary := false, false
	var files []string
	for _, a := range args {
		switch {
		case a == "-r":
			reversed = true
		case a == "-binary":
			binary = true
		case strings.HasPrefix(a, "-") && opensslTags[a[1:]] != "":
			algorithm = a[1:]
		case strings.HasPrefix(a, "-") && len(a) > 1:
		default:
			files = append(files, a)
		}
	}
	s := &summing{p: p, algorithm: algorithm}
	stdin := len(files) == 0
	status := 0
	for _, name := range orStdin(files) {
		f, err := p.openFile(name)
		if err != nil {
			p.Watch.Unsupported(strings.Join(p.Args, " "))
			p.complain(name + ": " + why(err) + "\n")
			status = 1
			continue
		}
		sum, _ := s.sum(f)
		_ = f.Close()
		if stdin {
			name = "stdin"
		}
		raw, _ := hex.DecodeString(sum)
		switch {
		case binary:
			p.write(raw)
		case reversed:
			p.print(sum + " *" + name + "\n")
		default:
			p.print(opensslTags[algorithm] + "(" + name + ")= " + sum + "\n")
		}
	}
	return status
}

// opensslBase64 turns lines of 64 characters out and in again.
func (p *Proc) opensslBase64(args []string) int {
	decode, wrap := false, 64
	in, out := "-", ""
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-d":
			decode = true
		case a == "-A":
			wrap = 0
		case a == "-in" && i+1 < len(args):
			i++
			in = args[i]
		case a == "-out" && i+1 < len(args):
			i++
			out = args[i]
		}
	}
	f, err := p.openFile(in)
	if err != nil {
		p.complain("Can't open \"" + in + "\" for reading, " + why(err) + "\n")
		return 1
	}
	defer f.Close()
	if out != "" {
		to, err := p.create(out, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC)
		if err != nil {
			p.complain("Can't open \"" + out + "\" for writing, " + why(err) + "\n")
			return 1
		}
		defer to.Close()
		inner := &writer{to: to}
		outer := p.out
		p.out = inner
		defer func() { _ = inner.flush(); p.out = outer }()
	}
	e := encodingNamed("base64")
	if !decode {
		err = p.encodeBase(f, e, wrap)
	} else {
		err = p.each(f, opensslDecoder(p, e))
	}
	if err != nil {
		return 1
	}
	return 0
}

// opensslDecoder writes what whole groups there are and ends at the first that is
// none, without a word.
func opensslDecoder(p *Proc, e encoding) func([]byte) bool {
	var group []byte
	return func(b []byte) bool {
		for _, c := range b {
			if c == '\n' || c == '\r' || c == ' ' {
				continue
			}
			if group = append(group, c); len(group) < e.chars {
				continue
			}
			out, ok := e.decode(string(group))
			if !ok {
				return false
			}
			p.write(out)
			group = group[:0]
		}
		return true
	}
}
