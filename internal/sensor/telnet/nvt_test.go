package telnet

import (
	"bytes"
	"testing"
)

// script is a handler that notes what it is told.
type script struct{ log []byte }

func (s *script) command(c byte)          { s.log = append(s.log, 'c', c) }
func (s *script) option(verb, opt byte)   { s.log = append(s.log, 'o', verb, opt) }
func (s *script) subnegotiation(p []byte) { s.log = append(append(s.log, 's', byte(len(p))), p...) }

func TestDecode(t *testing.T) {
	for _, tc := range []struct{ in, data, log string }{
		{"ls\r\n", "ls\r", ""},
		{"ls\r\x00x\n", "ls\rx\n", ""},
		{"a\xff\xffb", "a\xffb", ""},
		{"\xff\xfd\x63a\xff\xf6", "a", "o\xfd\x63c\xf6"},
		{"\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0x", "x", "s\x05\x1f\x00\xff\x00\x18"},
		{"\xff\xf4\xff\xf7\xff\xf8\xff\xec", "\x03\x7f\x15\x04", ""},
		{"\xff\xfa\x18\x00xterm", "", ""},
		{"\r\r\n\r\x00", "\r\r\r", ""},
	} {
		var whole, split decoder
		var a, b script
		if got := whole.decode(nil, []byte(tc.in), &a); string(got) != tc.data || string(a.log) != tc.log {
			t.Errorf("%q: %q and %q", tc.in, got, a.log)
		}
		var got []byte
		for i := range len(tc.in) {
			got = split.decode(got, []byte{tc.in[i]}, &b)
		}
		if string(got) != tc.data || string(b.log) != tc.log {
			t.Errorf("%q byte by byte: %q and %q", tc.in, got, b.log)
		}
	}
}

func TestEncode(t *testing.T) {
	for in, want := range map[string]string{"a\r\nb": "a\r\nb", "a\rb\r": "a\r\x00b\r\x00", "\xff": "\xff\xff"} {
		if got := encode(nil, []byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for in, want := range map[string]string{
		"\x00\x00USER\x01root\x03X\x01a\x02\x01b": "USER=root|X=a\x01b", "\x01\x00A": "", "": "", "\x00\x00A": "A=", "\x02\x00": "",
	} {
		if got := bytes.Join(raw(environment([]byte(in))), []byte("|")); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func raw(all []string) (out [][]byte) {
	for _, s := range all {
		out = append(out, []byte(s))
	}
	return out
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("ls\r\n\xff\xfa\x18\x00x\xff\xf0\xff\xfd\x01"), 5)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		if cut < 0 || cut > len(p) {
			cut = 0
		}
		var whole, split decoder
		var a, b script
		one := whole.decode(nil, p, &a)
		two := split.decode(split.decode(nil, p[:cut], &b), p[cut:], &b)
		if !bytes.Equal(one, two) || !bytes.Equal(a.log, b.log) || len(one) > len(p) || len(whole.sub) > maxSub {
			t.Fatalf("%q cut at %d: %q and %q", p, cut, one, two)
		}
		environment(p)
	})
}
