package sshwire

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// real is the address of a live OpenSSH 9.2p1 of Debian 12 on loopback, user
// root with the password abc123 and no PAM; with it the goldens are recorded
// anew instead of compared.
var real = flag.String("real", "", "record the goldens from this sshd")

// scenes are dialogues whose answers are recorded from the real server.
var scenes = []struct {
	name string
	play func(p *peer) []string
}{
	{"login", func(p *peer) []string {
		p.exchange(plainOffer)
		out := p.transcript("EXT_INFO")
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		out = append(out, p.transcript("SERVICE")...)
		p.send(appendString(appendString(appendString([]byte{msgAuthRequest}, "root"), "ssh-connection"), "none"))
		out = append(out, p.transcript("AUTH")...)
		p.password("root", "wrong")
		out = append(out, p.transcript("AUTH")...)
		p.password("root", "abc123")
		return append(out, p.transcript("GLOBAL")...)
	}},
	{"seven-tries", func(p *peer) []string {
		p.exchange(plainOffer)
		p.login("root", "1")
		for range 6 {
			p.password("root", "2")
		}
		return p.transcript("")
	}},
	{"change-of-user", func(p *peer) []string {
		p.exchange(plainOffer)
		p.login("root", "1")
		p.password("admin", "2")
		return p.transcript("")
	}},
	{"bad-service", func(p *peer) []string {
		p.exchange(plainOffer)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-connection"))
		return p.transcript("")
	}},
	{"other-service", func(p *peer) []string {
		p.exchange(plainOffer)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		p.send(appendString(appendString(appendString([]byte{msgAuthRequest}, "root"), "nosuch"), "none"))
		return p.transcript("AUTH")
	}},
	{"unknown-before-login", func(p *peer) []string {
		p.exchange(plainOffer)
		p.message(90, 1, 2)
		p.message(150, 1)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		return p.transcript("SERVICE")
	}},
	{"strict-violation", func(p *peer) []string {
		p.send(plainOffer.payload())
		p.message(msgIgnore, 0)
		return p.transcript("")
	}},
	{"not-strict", func(p *peer) []string {
		o := plainOffer
		o.kex = "curve25519-sha256"
		p.message(msgIgnore, 0)
		p.exchange(o)
		p.login("root", "abc123")
		return p.transcript("GLOBAL")
	}},
	{"no-common-kex", func(p *peer) []string {
		o := plainOffer
		o.kex = "diffie-hellman-group1-sha1"
		p.send(o.payload())
		return p.transcript("")
	}},
	{"low-order-share", func(p *peer) []string {
		p.send(plainOffer.payload())
		p.send(appendString([]byte{msgKexDHInit}, make([]byte, 32)))
		return p.transcript("")
	}},
	{"group-too-small", func(p *peer) []string {
		o := plainOffer
		o.kex = "diffie-hellman-group-exchange-sha256"
		p.send(o.payload())
		p.message(msgGexRequest, 1024, 1024, 1024)
		return p.transcript("")
	}},
	{"exec", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.request(0, "exec", true, "echo hello")
		out := p.transcript("CLOSE")
		p.message(msgClose, 0)
		return out
	}},
	{"exec-without-answer", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.request(0, "exec", false, "exit 3")
		return p.transcript("CLOSE")
	}},
	{"stderr", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.request(0, "exec", true, "echo oops >&2")
		return p.transcript("EXTENDED")
	}},
	{"small-windows", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 4, 2)
		p.request(0, "exec", true, "echo abcdefg")
		out := p.transcript("DATA")
		out = append(out, p.transcript("DATA")...)
		p.message(msgWindowAdjust, 0, 100)
		return append(out, p.transcript("CLOSE")...)
	}},
	{"requests", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		env := appendString(appendBool(appendString(appendNumber([]byte{msgRequest}, 0), "env"), true), "LC_ALL")
		p.send(appendString(env, "C"))
		env = appendString(appendBool(appendString(appendNumber([]byte{msgRequest}, 0), "env"), true), "PATH")
		p.send(appendString(env, "/tmp"))
		p.request(0, "nosuch", true, "")
		p.request(0, "subsystem", true, "nosuch")
		p.send(appendBool(appendString(appendNumber([]byte{msgRequest}, 0), "eow@openssh.com"), false))
		out := p.transcript("FAILURE")
		for range 2 {
			out = append(out, p.transcript("FAILURE")...)
		}
		return out
	}},
	{"globals", func(p *peer) []string {
		p.in(plainOffer)
		for _, name := range []string{"keepalive@openssh.com", "nosuch", "no-more-sessions@openssh.com"} {
			p.send(appendBool(appendString([]byte{msgGlobalRequest}, name), true))
		}
		p.open(7, 1<<20, 32768)
		return p.transcript("")
	}},
	{"other-channels", func(p *peer) []string {
		p.in(plainOffer)
		p.send(appendNumber(appendNumber(appendNumber(appendString([]byte{msgOpen}, "x11"), 3), 1<<20), 32768))
		p.send(appendNumber(appendNumber(appendNumber(appendString([]byte{msgOpen}, "nosuch"), 4), 1<<20), 32768))
		out := p.transcript("OPEN")
		return append(out, p.transcript("OPEN")...)
	}},
	{"unknown-after-login", func(p *peer) []string {
		p.in(plainOffer)
		p.message(150, 1)
		p.message(msgServiceRequest, 0)
		p.password("root", "x")
		p.message(msgUnimplemented, 0)
		p.send([]byte{msgDebug, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		p.send([]byte{msgRequestSuccess, 0, 0, 0, 9})
		p.open(7, 1<<20, 32768)
		return p.transcript("OPEN")
	}},
	{"data-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.data(5, []byte("x"))
		return p.transcript("")
	}},
	{"request-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.request(5, "exec", true, "x")
		return p.transcript("")
	}},
	{"close-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.message(msgClose, 5)
		return p.transcript("")
	}},
	{"eof-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.message(msgEOF, 5)
		return p.transcript("")
	}},
	{"extended-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.send(appendString(appendNumber(appendNumber([]byte{msgExtendedData}, 5), 1), "x"))
		return p.transcript("")
	}},
	{"confirm-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.message(msgOpenConfirm, 5, 0, 0, 0)
		return p.transcript("")
	}},
	{"failure-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.message(msgOpenFailure, 5, 0, 0, 0)
		return p.transcript("")
	}},
	{"adjust-nowhere", func(p *peer) []string {
		p.in(plainOffer)
		p.message(msgWindowAdjust, 5, 100)
		p.open(7, 1<<20, 32768)
		return p.transcript("OPEN")
	}},
	{"adjust-overflow", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<31, 32768)
		out := p.transcript("OPEN")
		p.message(msgWindowAdjust, 0, 1<<31)
		return append(out, p.transcript("")...)
	}},
	{"type-0", func(p *peer) []string {
		p.in(plainOffer)
		p.send([]byte{0, 1, 2, 3})
		return p.transcript("")
	}},
	{"type-192", func(p *peer) []string {
		p.in(plainOffer)
		p.send([]byte{192, 1, 2, 3})
		return p.transcript("")
	}},
	{"bad-mac", func(p *peer) []string {
		p.in(plainOffer)
		p.c.out.put([]byte{msgIgnore, 0, 0, 0, 0})
		p.c.out.buf[len(p.c.out.buf)-1] ^= 1
		_ = p.c.out.flush()
		return p.transcript("")
	}},
	{"truncated-request", func(p *peer) []string {
		p.in(plainOffer)
		p.send([]byte{msgGlobalRequest, 0, 0, 0, 200, 'x'})
		return p.transcript("")
	}},
	{"data-before-exec", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.data(0, []byte("early"))
		p.request(0, "exec", true, "cat")
		p.data(0, []byte("late"))
		out := p.transcript("DATA")
		p.message(msgEOF, 0)
		return append(out, p.transcript("CLOSE")...)
	}},
	{"big-packet", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.request(0, "exec", true, "cat")
		p.data(0, make([]byte, 32769))
		p.data(0, []byte("small"))
		return p.transcript("DATA")
	}},
	{"window-refill", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.request(0, "exec", true, "cat >/dev/null")
		out := p.transcript("SUCCESS")
		for range 4 {
			p.data(0, make([]byte, 32768))
			time.Sleep(50 * time.Millisecond)
		}
		return append(out, p.transcript("WINDOW")...)
	}},
	{"two-sessions", func(p *peer) []string {
		p.in(plainOffer)
		p.open(7, 1<<20, 32768)
		p.open(9, 1<<20, 32768)
		p.request(1, "exec", true, "echo one")
		out := p.transcript("CLOSE")
		p.message(msgClose, 1)
		time.Sleep(100 * time.Millisecond)
		p.open(11, 1<<20, 32768)
		p.request(1, "exec", true, "echo two")
		return append(out, p.transcript("CLOSE")...)
	}},
	{"guessed-wrong", func(p *peer) []string {
		o := plainOffer
		ours := o.payload()
		ours[len(ours)-5] = 1
		p.send(ours)
		p.send(appendString([]byte{msgKexDHInit}, []byte("a guess that is to be skipped")))
		p.finishExchange(o, ours, p.read())
		return p.transcript("EXT")
	}},
	{"new-keys-early", func(p *peer) []string {
		p.send(plainOffer.payload())
		p.message(msgNewKeys)
		return p.transcript("")
	}},
	{"auth-before-service", func(p *peer) []string {
		p.exchange(plainOffer)
		p.password("root", "abc123")
		p.login("root", "abc123")
		return p.transcript("GLOBAL")
	}},
	{"service-twice", func(p *peer) []string {
		p.exchange(plainOffer)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		p.login("root", "abc123")
		return p.transcript("GLOBAL")
	}},
	{"truncated-auth", func(p *peer) []string {
		p.exchange(plainOffer)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		p.transcript("SERVICE")
		p.send(appendString([]byte{msgAuthRequest}, "root"))
		return p.transcript("")
	}},
	{"password-change", func(p *peer) []string {
		p.exchange(plainOffer)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		b := appendString(appendString(appendString([]byte{msgAuthRequest}, "root"), "ssh-connection"), "password")
		p.send(appendString(appendString(appendBool(b, true), "abc123"), "new"))
		return p.transcript("AUTH")
	}},
	{"ext-info-late", func(p *peer) []string {
		p.in(plainOffer)
		p.send(appendNumber([]byte{msgExtInfo}, 0))
		p.send(appendBool(appendString([]byte{msgGlobalRequest}, "x"), true))
		return p.transcript("GLOBAL_F")
	}},
	{"rekey", func(p *peer) []string {
		p.in(plainOffer)
		p.transcript("GLOBAL")
		p.exchange(plainOffer)
		p.open(7, 1<<20, 32768)
		p.request(0, "exec", true, "echo again")
		return p.transcript("DATA")
	}},
	{"key-login", func(p *peer) []string {
		p.exchange(plainOffer)
		p.send(appendString([]byte{msgServiceRequest}, "ssh-userauth"))
		out := p.transcript("SERVICE")
		blob := appendString(appendString(nil, "ssh-ed25519"), make([]byte, 32))
		b := appendString(appendString(appendString([]byte{msgAuthRequest}, "root"), "ssh-connection"), "publickey")
		p.send(appendString(appendString(appendBool(b, false), "ssh-ed25519"), blob))
		out = append(out, p.transcript("AUTH")...)
		p.send(appendString(appendString(appendBool(b, false), "ssh-dss"), "x"))
		out = append(out, p.transcript("AUTH")...)
		b = appendString(appendString(appendString([]byte{msgAuthRequest}, "root"), "ssh-connection"), "keyboard-interactive")
		p.send(appendString(appendString(b, ""), ""))
		return append(out, p.transcript("AUTH")...)
	}},
}

// ordered puts exit statuses behind the end of output, where sshd has them most
// times; when it reaps a program early they stand somewhere before.
func ordered(lines []string) []string {
	for i, line := range lines {
		end := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "CLOSE") })
		if strings.Contains(line, "exit-status") && i+1 < end {
			lines = slices.Insert(slices.Delete(lines, i, i+1), end-1, line)
			break
		}
	}
	return lines
}

// TestScenes plays every scene and compares the answers with the recording.
func TestScenes(t *testing.T) {
	server := testServer(t)
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			var conn net.Conn
			var err error
			if *real != "" {
				conn, err = net.Dial("tcp", *real)
			} else {
				conn = serve(t, server, &door{}, &house{})
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
			got := strings.Join(ordered(scene.play(newPeer(t, conn))), "\n") + "\n"
			file := filepath.Join("testdata", "openssh-9.2p1", scene.name+".txt")
			if *real != "" {
				_ = os.MkdirAll(filepath.Dir(file), 0o755)
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}
