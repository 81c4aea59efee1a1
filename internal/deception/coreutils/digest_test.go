package coreutils_test

import "testing"

// TestDigests holds sums that coreutils 9.1 and OpenSSL 3.0 gave.
func TestDigests(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	for _, tt := range []struct {
		in   string
		argv []string
		want string
	}{
		{"a\nb\nc\nd\n", []string{"b2sum", "-l", "256"}, "9bc34453efb62db78ee98396d0e07f7c385b1f714cde65d1b993fc5c143102bf  -\n"},
		{"Hello, World!\n\x00\x01\xff", []string{"cksum", "-a", "sm3"}, "SM3 (-) = 0b5000f425d1af8f8e63aba4cbad09630eb6b21ded9a344e918842b43b32e533\n"},
		{"Hello, World!\n\x00\x01\xff", []string{"cksum"}, "982586063 17\n"},
		{"a\nb\nc\nd\n", []string{"openssl", "md5"}, "MD5(stdin)= 47ece2e49e5c0333677fc34e044d8257\n"},
		{"abc\n", []string{"basenc", "--z85"}, "vpAZN\n"},
		{"SGV sbG8=", []string{"base64", "-d"}, "He"},
		{"Hello", []string{"hexdump", "-e", `2/1 "%02x " "\n"`}, "48 65\n6c 6c\n6f   \n"},
		{"a\n5\nb\n", []string{"csplit", "-", "/5/"}, "2\n4\n"},
	} {
		if out, errs, _ := b.run(tt.in, tt.argv...); out != tt.want {
			t.Errorf("%q: %q %q, want %q", tt.argv, out, errs, tt.want)
		}
	}
}
