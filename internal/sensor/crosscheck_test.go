package sensor_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

// A crossCheck asks the pretended machine the same thing in several ways; all
// answers must be equal and none empty. A line that begins with ~ is one the
// machine's commands cannot answer yet.
type crossCheck struct {
	name  string
	ask   []string
	lived bool // of a server in use only
	slow  bool // asked of one deployment only
}

// Pieces of command lines.
const (
	mainIf  = `$(ip route | awk '/^default/{for(i=1;i<NF;i++)if($i=="dev")print $(i+1)}')`
	release = `$(uname -r)`
	root    = `$(findmnt -no SOURCE / 2>/dev/null || mount | awk '$3=="/"{print $1}')`
)

var crossChecks = []crossCheck{
	{name: "processors", ask: []string{
		"nproc", `lscpu | awk '/^CPU\(s\):/{print $2}'`, "grep -c ^processor /proc/cpuinfo", "grep -c '^cpu[0-9]' /proc/stat",
		"ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l", "getconf _NPROCESSORS_ONLN", "echo $(( $(cut -d- -f2 /sys/devices/system/cpu/online) + 1 ))",
	}},
	{name: "processor model", ask: []string{
		"grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2 | xargs", "lscpu | grep '^ *Model name' | cut -d: -f2 | xargs",
	}},
	{name: "memory", ask: []string{
		"awk '/^MemTotal/{print $2}' /proc/meminfo", "free | awk '/^Mem/{print $2}'", "vmstat -s | awk '/total memory/{print $1}'",
		"free -b | awk '/^Mem/{print $2/1024}'",
	}},
	{name: "free memory", ask: []string{
		"awk '/^MemFree/{print $2}' /proc/meminfo", "free | awk '/^Mem/{print $4}'", "vmstat | awk 'NR==3{print $4}'",
	}},
	{name: "memory in top", ask: []string{
		"free -m | awk '/^Mem/{print int($2)}'", "top -bn1 | awk '/^MiB Mem/{print int($4)}'",
	}},
	{name: "swap", ask: []string{
		"awk '/^SwapTotal/{print $2}' /proc/meminfo", "free | awk '/^Swap/{print $2}'", "awk 'NR==2{print $3}' /proc/swaps", "swapon -s | awk 'NR==2{print $3}'",
	}},
	{name: "load", ask: []string{
		"cut -d' ' -f1-3 /proc/loadavg", "uptime | sed 's/.*average: //; s/,//g'", "w | head -1 | sed 's/.*average: //; s/,//g'", "top -bn1 | head -1 | sed 's/.*average: //; s/,//g'",
	}},
	{name: "boot", ask: []string{
		"awk '/^btime/{print $2}' /proc/stat", "date -d \"$(uptime -s)\" +%s", "echo $(( $(date +%s) - $(cut -d. -f1 /proc/uptime) ))",
	}},
	{name: "boot to the minute", ask: []string{
		"date -d @$(awk '/^btime/{print $2}' /proc/stat) '+%Y-%m-%d %H:%M'", "who -b | awk '{print $3, $4}'", "uptime -s | cut -c1-16",
	}},
	{name: "last boot", lived: true, ask: []string{
		"date -d @$(awk '/^btime/{print $2}' /proc/stat) '+%b %e %H:%M' | xargs", "last reboot | awk 'NR==1{print $6, $7, $8}'",
	}},
	{name: "start in wtmp", ask: []string{
		"awk '/^btime/{print $2}' /proc/stat", "echo $((0x$(od -An -tx1 -j340 -N4 /var/log/wtmp | awk '{print $4 $3 $2 $1}')))", "echo $((0x$(od -An -tx1 -j340 -N4 /run/utmp | awk '{print $4 $3 $2 $1}')))",
	}},
	{name: "failed logins", ask: []string{"echo $(( $(stat -c %s /var/log/btmp) / 384 ))", "lastb | grep -c ssh:notty"}},
	{name: "last login", lived: true, ask: []string{
		"last | awk '$2==\"pts/0\"&&!/still/&&$1!=\"root\"{print $1, $3; exit}'", "lastlog | awk '$2==\"pts/0\"&&$1!=\"root\"{print substr($1,1,8), $3}'",
	}},
	{name: "init started at boot", ask: []string{
		"date -d @$(awk '/^btime/{print $2}' /proc/stat) '+%b %e' | xargs", "ps -o lstart= -p 1 | awk '{print $2, $3}'", "date -d \"$(uptime -s)\" '+%b %e' | xargs",
	}},
	{name: "kernel", ask: []string{
		"uname -r", "awk '{print $3}' /proc/version", "cat /proc/sys/kernel/osrelease", "ls /boot | sed -n 's/^vmlinuz-//p'", "ls /lib/modules",
		"dpkg -l 'linux-image-6*' | awk '/^ii/{sub(\"linux-image-\",\"\",$2); print $2}'", "sed 's/.*vmlinuz-\\([^ ]*\\).*/\\1/' /proc/cmdline", "hostnamectl | awk '/Kernel:/{print $3}'",
	}},
	{name: "kernel version", ask: []string{
		"uname -v", "sed 's/.*) \\(#1.*\\)/\\1/' /proc/version", "cat /proc/sys/kernel/version",
	}},
	{name: "kernel package", ask: []string{
		"uname -v | awk '{print $5}'", "dpkg-query -W -f '${Version}\\n' linux-image-" + release, "dpkg -l linux-image-" + release + " | awk '/^ii/{print $3}'",
	}},
	{name: "host name", ask: []string{
		"hostname", "cat /etc/hostname", "uname -n", "cat /proc/sys/kernel/hostname", "hostnamectl | awk '/Static hostname/{print $3}'", "hostnamectl hostname",
		"awk '/^127.0.1.1/{print $NF}' /etc/hosts", "echo $HOSTNAME", "getent hosts 127.0.1.1 | awk '{print $NF}'", "printf '%s\\n' \"${HOSTNAME%%.*}\"",
	}},
	{name: "machine id", ask: []string{"cat /etc/machine-id", "cat /var/lib/dbus/machine-id", "hostnamectl | awk '/Machine ID/{print $3}'"}},
	{name: "distribution", ask: []string{
		". /etc/os-release; echo \"$PRETTY_NAME\"", "hostnamectl | sed -n 's/.*Operating System: //p'", "grep -h ^PRETTY_NAME /usr/lib/os-release | cut -d'\"' -f2",
	}},
	{name: "root file system", ask: []string{"df / | awk 'NR==2{print $1}'", "awk '$2==\"/\"{print $1}' /proc/mounts", "mount | awk '$3==\"/\"{print $1}'", "lsblk -rno NAME,MOUNTPOINT | awk '$2==\"/\"{print \"/dev/\" $1}'"}},
	{name: "its identity", ask: []string{
		"awk '!/^#/&&$2==\"/\"{print $1}' /etc/fstab | cut -d= -f2", "blkid -s UUID -o value " + root, "sed 's/.*root=UUID=\\([^ ]*\\).*/\\1/' /proc/cmdline", "lsblk -rno UUID,MOUNTPOINT | awk '$2==\"/\"{print $1}'",
	}},
	{name: "its type", ask: []string{"df -T / | awk 'NR==2{print $2}'", "awk '!/^#/&&$2==\"/\"{print $3}' /etc/fstab", "awk '$2==\"/\"{print $3}' /proc/mounts", "blkid -s TYPE -o value " + root, "stat -f -c %T / | sed 's,ext2/ext3,ext4,'"}},
	{name: "its size", ask: []string{"df / | awk 'NR==2{print $2}'", "df -k / | awk 'NR==2{print $2}'", "df -B1 / | awk 'NR==2{printf \"%.0f\\n\", $2/1024}'"}},
	{name: "disk", ask: []string{
		"echo $(( $(cat /sys/block/vda/size) * 512 ))", "awk '$4==\"vda\"{printf \"%.0f\\n\", $3*1024}' /proc/partitions", "lsblk -bdno SIZE | head -1 | xargs",
	}},
	{name: "mounts", ask: []string{"wc -l < /proc/mounts", "mount | wc -l", "wc -l < /etc/mtab", "cat /proc/self/mounts | wc -l"}},
	{name: "interfaces", ask: []string{
		"ip -o link | awk -F': ' '{print $2}' | sort | xargs", "awk -F: 'NR>2{print $1}' /proc/net/dev | xargs -n1 | sort | xargs", "ls /sys/class/net | sort | xargs",
	}},
	{name: "address", ask: []string{
		"hostname -I | awk '{print $1}'", "ip -4 -o addr show dev " + mainIf + " | awk '{print $4}' | cut -d/ -f1", "ip route | awk '/ src /{for(i=1;i<NF;i++)if($i==\"src\")print $(i+1)}' | head -1",
		"echo $SSH_CONNECTION | awk '{print $3}'",
	}},
	{name: "hardware address", ask: []string{"cat /sys/class/net/" + mainIf + "/address", "ip -o link show dev " + mainIf + " | sed 's/.*link.ether \\([^ ]*\\).*/\\1/'"}},
	{name: "gateway", ask: []string{
		"ip route | awk '/^default/{print $3}'", "awk 'NR==2{print $1}' /proc/net/arp", "ip neigh | awk 'NR==1{print $1}'",
	}},
	{name: "name server", ask: []string{"awk '/^nameserver/{print $2; exit}' /etc/resolv.conf", "grep -m1 ^nameserver /etc/resolv.conf | cut -d' ' -f2"}},
	{name: "users have homes", ask: []string{
		"awk -F: '$3==0||$3>=1000&&$3<60000{print $6}' /etc/passwd", "for d in $(getent passwd | awk -F: '$3==0||$3>=1000&&$3<60000{print $6}'); do ls -d $d; done",
	}},
	{name: "users", ask: []string{
		"cut -d: -f1 /etc/passwd | sort | xargs", "getent passwd | cut -d: -f1 | sort | xargs", "cut -d: -f1 /etc/shadow | sort | xargs", "for u in $(cut -d: -f1 /etc/passwd); do id -un $u; done | sort | xargs",
	}},
	{name: "groups", ask: []string{"cut -d: -f1,3 /etc/group | sort | xargs", "getent group | cut -d: -f1,3 | sort | xargs"}},
	{name: "homes are of their users", ask: []string{"echo all", "awk -F: '$3>=1000&&$3<60000{print $6, $3}' /etc/passwd | while read d u; do [ \"$(stat -c %u $d)\" = $u ] || echo not $d; done; echo all"}},
	{name: "listeners", ask: []string{
		"ss -Htln | awk '{print $4}' | sed 's/.*://' | sort -n | uniq | xargs", "netstat -tln | awk '/LISTEN/{print $4}' | sed 's/.*://' | sort -n | uniq | xargs",
		"cat /proc/net/tcp /proc/net/tcp6 | awk '$4==\"0A\"{print $2}' | sed 's/.*://' | while read h; do printf '%d\\n' 0x$h; done | sort -n | uniq | xargs",
	}},
	{name: "listeners are processes", ask: []string{
		"echo all", "ss -Htlnp | sed 's/.*((\"\\([^\"]*\\)\",pid=\\([0-9]*\\).*/\\1 \\2/' | sort -u | while read n p; do [ \"$(cat /proc/$p/comm)\" = $n ] || echo not $n $p; done; echo all",
	}},
	{name: "reachable from outside", ask: []string{"echo OUTSIDE", "ss -Htln4 | awk '$4 ~ /^0.0.0.0/{print $4}' | sed 's/.*://' | sort -n | xargs"}},
	{name: "listeners are units", ask: []string{
		"echo active", "for n in ssh $(ss -Htlnp | grep -q nginx && echo nginx) $(ss -Htlnp | grep -q mariadbd && echo mariadb); do systemctl is-active $n; done | sort -u",
	}},
	{name: "host keys", ask: []string{"echo 'KEYS'", "for k in rsa ecdsa ed25519; do cut -d' ' -f1,2 /etc/ssh/ssh_host_${k}_key.pub; done"}},
	{name: "fingerprint", ask: []string{"echo FINGERPRINT", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | awk '{print $2}'"}},
	{name: "sshd", ask: []string{
		"echo BANNER", "ssh -V 2>&1 | cut -d, -f1 | sed 's/^/SSH-2.0-/; s/SSH-2.0-OpenSSH_\\([^ ]*\\) /SSH-2.0-OpenSSH_\\1 /'",
		"dpkg -l openssh-server | awk '/^ii/{print $3}' | sed 's/^1:\\([^-]*\\)-\\(.*\\)/SSH-2.0-OpenSSH_\\1 Debian-\\2/'",
	}},
	{name: "this login", ask: []string{
		"echo PEER", "echo $SSH_CLIENT | cut -d' ' -f1", "echo $SSH_CONNECTION | cut -d' ' -f1", "who am i | sed 's/.*(\\(.*\\))/\\1/'", "w -h | awk 'NR==1{print $3}'",
		"last | awk '/still logged in/&&$1!=\"reboot\"{print $3; exit}'", "ss -Htn state established | awk '{print $NF}' | sed 's/:[0-9]*$//' | head -1",
	}},
	{name: "its port", ask: []string{"echo $SSH_CLIENT | cut -d' ' -f3", "echo $SSH_CONNECTION | cut -d' ' -f4", "ss -Htn | awk 'NR==1{print $4}' | sed 's/.*://'"}},
	{name: "its terminal", ask: []string{"tty", "echo $SSH_TTY", "echo /dev/$(who am i | awk '{print $2}')", "echo /dev/$(ps -o tty= -p $$ | xargs)", "readlink /proc/$$/fd/0"}},
	{name: "its ancestors", ask: []string{
		"echo sshd sshd systemd", "p=$PPID; o=; while [ $p -gt 0 ]; do o=\"$o $(cat /proc/$p/comm)\"; p=$(awk '{print $4}' /proc/$p/stat); done; echo $o",
		"p=$PPID; o=; while [ $p -gt 0 ]; do o=\"$o $(ps -o comm= -p $p)\"; p=$(ps -o ppid= -p $p | xargs); done; echo $o",
	}},
	{name: "this shell", ask: []string{
		"echo same", "[ $(cat /proc/self/stat | awk '{print $4}') -ge $$ ] && echo same", "[ $(ps -o pid= -p $$ | xargs) = $$ ] && echo same",
		"awk '/^PPid/{print $2}' /proc/self/status >/tmp/.p; [ $(cat /tmp/.p) = $$ ] && echo same; rm /tmp/.p",
	}},
	{name: "processes", ask: []string{"ps -e --no-headers | wc -l", "ls -d /proc/[0-9]* | wc -l"}},
	{name: "processes are as old as the machine", ask: []string{
		"echo young", "awk -v up=$(cut -d. -f1 /proc/uptime) '{print ($22/100 <= up+1) ? \"young\" : \"old \" $1}' /proc/[0-9]*/stat | sort -u",
	}},
	{name: "pid files", ask: []string{"cat /run/sshd.pid", "pgrep -o -x sshd", "systemctl show -p MainPID ssh | cut -d= -f2"}},
	{name: "installed before boot", ask: []string{"echo yes", "[ $(stat -c %Y /etc/hostname) -le $(awk '/^btime/{print $2}' /proc/stat) ] && echo yes", "[ $(stat -c %Y /bin/ls) -le $(date +%s) ] && echo yes"}},
	{name: "run is from this boot", ask: []string{"echo yes", "[ $(stat -c %Y /run/sshd.pid) -ge $(awk '/^btime/{print $2}' /proc/stat) ] && echo yes"}},
	{name: "nothing is of tomorrow", slow: true, ask: []string{"echo 0", "find /etc /var /usr/bin /root /home /run /boot -newermt \"@$(( $(date +%s) + 60 ))\" 2>/dev/null | wc -l"}},
	{name: "links", ask: []string{"stat -c %h /etc", "ls -ld /etc | awk '{print $2}'", "echo $(( $(find /etc -maxdepth 1 -mindepth 1 -type d | wc -l) + 2 ))"}},
	{name: "inodes are unique", slow: true, ask: []string{"echo 0", "find /etc /usr/bin /root -xdev -type f -links 1 -printf '%i\\n' | sort | uniq -d | wc -l"}},
	{name: "inode", ask: []string{"stat -c %i /etc/passwd", "ls -i /etc/passwd | awk '{print $1}'", "find /etc/passwd -printf '%i\\n'", "ls -i /etc | awk '$2==\"passwd\"{print $1}'"}},
	{name: "sizes", ask: []string{"wc -c < /etc/passwd", "stat -c %s /etc/passwd", "ls -l /etc/passwd | awk '{print $5}'", "cat /etc/passwd | wc -c", "find /etc/passwd -printf '%s\\n'"}},
	{name: "size of a program", ask: []string{"wc -c < /bin/ls", "stat -Lc %s /bin/ls", "dd if=/bin/ls 2>/dev/null | wc -c", "head -c 10000000 /bin/ls | wc -c"}},
	{name: "sum of a program", ask: []string{"md5sum < /bin/ls", "cat /bin/ls | md5sum", "cp /bin/ls /tmp/x; md5sum < /tmp/x; rm /tmp/x"}},
	{name: "files of packages exist", slow: true, ask: []string{"echo all", "for p in bash coreutils openssh-server; do dpkg -L $p; done | while read f; do [ -e \"$f\" ] || echo no $f; done; echo all"}},
	{name: "packages", ask: []string{"dpkg -l | grep -c ^ii", "grep -c '^Status: install ok installed' /var/lib/dpkg/status", "dpkg-query -W | wc -l"}},
	{name: "clock", ask: []string{"date +%s", "date -d \"$(date)\" +%s", "printf '%(%s)T\\n' -1", "echo $EPOCHSECONDS"}},
	{name: "authentication log", lived: true, ask: []string{"echo yes", "grep -q \"sshd.*Accepted .* from PEER\" /var/log/auth.log && echo yes"}},
	{name: "journal", lived: true, ask: []string{"echo yes", "journalctl --no-pager | grep -q \"sshd.*Accepted .* from PEER\" && echo yes"}},
	{name: "log ends in the present", lived: true, ask: []string{
		"echo yes", "t=$(tail -1 /var/log/auth.log | cut -c1-19); [ $(date -d \"$t\" +%s) -le $(date +%s) ] && [ $(date -d \"$t\" +%s) -gt $(( $(date +%s) - 7200 )) ] && echo yes",
	}},
	{name: "log begins at the rotation", lived: true, ask: []string{
		"echo yes", "a=$(head -1 /var/log/auth.log | cut -c1-19); b=$(tail -1 /var/log/auth.log.1 | cut -c1-19); [ $(date -d \"$a\" +%s) -ge $(date -d \"$b\" +%s) ] && echo yes",
	}},
	{name: "log size", lived: true, ask: []string{
		"echo one", "f=/var/log/auth.log; (wc -c < $f; stat -c %s $f; ls -l $f | awk '{print $5}'; cat $f | wc -c; find $f -printf '%s\\n'; tail -c +1 $f | wc -c) | sort -u | wc -l | sed s/1/one/",
	}},
	{name: "log sum", lived: true, ask: []string{"echo one", "f=/var/log/syslog; (md5sum < $f; cat $f | md5sum; cp $f /tmp/x; md5sum < /tmp/x; rm /tmp/x) | sort -u | wc -l | sed s/1/one/"}},
	{name: "old logs", lived: true, ask: []string{"md5sum < /var/log/syslog.1", "cat /var/log/syslog.1 | md5sum"}},
	{name: "edited log", lived: true, ask: []string{
		"echo mine", "echo mine > /var/log/cron.log; head -1 /var/log/cron.log",
	}},
	{name: "emptied logins", ask: []string{
		"echo 0", "last | grep -vc 'begins\\|^$' >/tmp/n; : > /var/log/wtmp; last | grep -c '^root\\|^reboot'; rm /tmp/n", "last | grep '^reboot' | wc -l",
	}},
	{name: "old log unpacks", lived: true, ask: []string{"echo yes", "zcat /var/log/auth.log.2.gz | tail -1 | grep -q \" $(hostname) \" && echo yes"}},
}

// peerAddr is where the attacker of the checks comes from.
var peerAddr = netip.MustParseAddrPort("198.51.100.77:51022")

// keyring is one set of host keys, as the core makes them.
var keyring = sync.OnceValues(func() ([]ssh.PublicKey, error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var out []ssh.PublicKey
	for _, k := range []any{r.Public(), e.Public(), d.Public()} {
		p, err := ssh.NewPublicKey(k)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
})

// checked is a world with everything outsiders see of it.
type checked struct {
	w    *sensor.World
	ses  *sensor.Session
	keys []ssh.PublicKey
}

func newChecked(t *testing.T, name, secret string, service string) *checked {
	t.Helper()
	now := time.Date(2026, 11, 3, 14, 25, 37, 481_516_000, time.UTC)
	host, err := persona.New([]byte(secret), name, persona.Options{Now: now.Add(-30 * 24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for i, algorithm := range []string{"rsa", "ecdsa", "ed25519"} {
		lines[algorithm] = string(ssh.MarshalAuthorizedKey(keys[i]))
	}
	err = host.Facing([]machine.Door{{Service: "ssh", Network: "tcp", Port: 22}, {Service: "telnet", Network: "tcp", Port: 23}, {Service: "http", Network: "tcp", Port: 80}}, lines)
	if err != nil {
		t.Fatal(err)
	}
	w := sensor.NewWorld(sensor.WorldConfig{Host: host, Seed: []byte(secret), Now: func() time.Time { return now }})
	s := sensortest.Session(w, sensortest.NewSink(), service, sensortest.NewScript(nil))
	s.Src = peerAddr
	return &checked{w: w, ses: s, keys: keys}
}

// run gives one line to a login of root.
func (c *checked) run(t *testing.T, line string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	l := c.w.Enter(c.ses, sensor.ShellOptions{User: "root", TTY: true, Cols: 200, Rows: 50, Term: "xterm"})
	l.Exec(t.Context(), line, strings.NewReader(""), &out, &errs)
	return strings.TrimSpace(strings.ReplaceAll(out.String(), "\r\n", "\n")), errs.String()
}

// fill puts what only the outside knows into an answer.
func (c *checked) fill(s string) string {
	var keys []string
	for _, k := range c.keys {
		keys = append(keys, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))))
	}
	return strings.NewReplacer("OUTSIDE", "22 23 80", "'KEYS'", "'"+strings.Join(keys, "\n")+"'", "FINGERPRINT", ssh.FingerprintSHA256(c.keys[2]),
		"BANNER", "'"+c.w.Host.SSH.Banner+"'", "PEER", peerAddr.Addr().String()).Replace(s)
}

// TestCrossChecks asks five deployments of both personas everything twice and
// more, through the real shell.
func TestCrossChecks(t *testing.T) {
	for _, name := range []string{"debian-12", "debian-12-fresh"} {
		for n := range 5 {
			c := newChecked(t, name, fmt.Sprintf("secret number %d of the cross-checks", n), "ssh")
			for _, check := range crossChecks {
				if check.lived && name != "debian-12" {
					continue
				}
				began := time.Now()
				var first, asked string
				if check.slow && n > 0 {
					continue
				}
				for _, line := range check.ask {
					line, gap := strings.CutPrefix(line, "~")
					out, errs := c.run(t, c.fill(line))
					if gap {
						if out != first && asked != "" {
							t.Logf("known gap: %s %d: %s: %s: %.100q", name, n, check.name, line, out)
						}
						continue
					}
					if asked == "" {
						first, asked = out, line
					}
					if out == "" || out != first {
						t.Errorf("%s %d: %s:\n%s\n  says %.300q %.200q\n%s\n  says %.300q", name, n, check.name, asked, first, errs, line, out)
					}
				}
				if d := time.Since(began); testing.Verbose() && d > 30*time.Millisecond {
					t.Logf("%s takes %v", check.name, d)
				}
			}
		}
	}
}

// TestOneSecretOneWorld: two machines with one secret are one host, with another
// secret they share nothing an attacker could recognise.
func TestOneSecretOneWorld(t *testing.T) {
	look := []string{
		"hostname", "hostname -I", "cat /etc/machine-id", "awk '/^MemTotal/' /proc/meminfo; uptime -s", "cat /etc/passwd", "md5sum /etc/shadow /var/log/syslog /var/log/auth.log.2.gz",
		"ip route; ip neigh", "cat /proc/cpuinfo | md5sum; ls -laR /etc /root /home | md5sum", "blkid", "crontab -l; cat /root/.bash_history", "ls -i /bin/bash /etc/passwd",
	}
	a, b := newChecked(t, "debian-12", "one secret", "ssh"), newChecked(t, "debian-12", "one secret", "ssh")
	c := newChecked(t, "debian-12", "another secret", "ssh")
	differs := 0
	for _, line := range look {
		one, _ := a.run(t, line)
		two, _ := b.run(t, line)
		if one != two {
			t.Errorf("%s:\n%.300s\nand\n%.300s", line, one, two)
		}
		if other, _ := c.run(t, line); other != one {
			differs++
		}
	}
	if differs < len(look)-1 {
		t.Errorf("another secret answers %d of %d alike", len(look)-differs, len(look))
	}
}

// TestTelnetIsNotSSH: a Telnet login hangs below inetd and login(1), and its
// shell knows nothing of sshd.
func TestTelnetIsNotSSH(t *testing.T) {
	c := newChecked(t, "debian-12", "one secret", "telnet")
	for line, want := range map[string]string{
		"env | grep -c SSH_": "0",
		"p=$PPID; o=; while [ $p -gt 0 ]; do o=\"$o $(cat /proc/$p/comm)\"; p=$(awk '{print $4}' /proc/$p/stat); done; echo $o": "login telnetd inetutils-inetd systemd",
		"who am i | sed 's/.*(\\(.*\\))/\\1/'":                                     peerAddr.Addr().String(),
		"ss -Htnp | grep -c '\"telnetd\"'":                                         "1",
		"ss -Htln4 | grep -c ':23 '":                                               "1",
		"tail -1 /var/log/auth.log | grep -c \"ROOT LOGIN  on '/dev/pts/0' from\"": "1",
		"ps -ef | grep -c '[s]shd: root@'":                                         "0",
		"last -1 | awk '{print $3}' | head -1":                                     peerAddr.Addr().String(),
	} {
		if out, errs := c.run(t, line); out != want {
			t.Errorf("%s: %q %q, want %q", line, out, errs, want)
		}
	}
}
