package persona

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// logs writes /var/log. The files that grow are made when they are read, from
// the last rotation up to the moment, always the same lines.
func (b *builder) logs(lived bool) {
	h, m := b.h, b.h.Machine
	size := func(path string, mode, gid uint32, n int64) {
		b.add(vfs.Entry{Path: path, Mode: mode, GID: gid, Size: n, Source: zeros{}, Mtime: m.Boot.Add(time.Hour)})
	}
	past, failed := wtmp(m), btmp(m)
	b.add(vfs.Entry{Path: "/var/log/wtmp", Mode: 0o664, GID: 43, Text: records(past), Mtime: past[len(past)-1].at})
	b.add(vfs.Entry{Path: "/var/log/btmp", Mode: 0o660, GID: 43, Size: failed.count * utmpSize, Source: failed, Mtime: failed.entry(failed.count - 1).at})
	b.add(vfs.Entry{Path: "/var/log/lastlog", Mode: 0o664, GID: 43, Size: 1001 * lastlogSize, Source: lastlog(m, func(user string) (int, bool) {
		u, ok := h.User(user)
		return int(u.UID), ok
	}), Mtime: past[len(past)-1].at})
	size("/var/log/faillog", 0o644, 0, 32032)
	b.text("/var/log/apt/history.log", aptHistory(m.Installed))
	b.text("/var/log/apt/term.log", "", 0o640)
	b.text("/var/log/dpkg.log", h.dpkgLog())
	b.text("/var/log/alternatives.log", fmt.Sprintf("update-alternatives %s: run with --install /usr/bin/editor editor /bin/nano 40\n", m.Installed.Format(time.DateTime)))
	b.add(vfs.Entry{Path: "/var/log/bootstrap.log", Mode: 0o600, Size: 63022, Source: &file{form: plainForm, key: m.Seed, size: 63022}})
	if !lived {
		return
	}
	b.dir("/var/log/installer", 0o755)
	b.add(vfs.Entry{Path: "/var/log/kern.log", Mode: 0o640, GID: 4, Text: "", Mtime: m.Boot})
	b.add(vfs.Entry{Path: "/var/log/nginx/error.log", Mode: 0o640, UID: 33, GID: 4, Mtime: m.Boot})
	for _, k := range []*daemonLog{
		{h: h, path: "/var/log/auth.log", hour: h.authHour, own: h.authOwn, period: 7, kept: 4},
		{h: h, path: "/var/log/syslog", hour: h.syslogHour, own: h.syslogOwn, period: 7, kept: 4},
		{h: h, path: "/var/log/cron.log", hour: h.cronHour, period: 7, kept: 4},
		{h: h, path: "/var/log/nginx/access.log", hour: h.accessHour, period: 1, kept: 14, uid: 33},
	} {
		b.daemonLog(k)
	}
}

// authHour is what the hour from t on brings to auth.log.
func (h *Host) authHour(t time.Time, w *logWriter) {
	h.cronRuns(t, func(at time.Time, pid int, user, _ string) {
		uid := map[string]int{"root": 0, "www-data": 33}[user]
		w.line(at, "CRON", pid, fmt.Sprintf("pam_unix(cron:session): session opened for user %s(uid=%d) by (uid=0)", user, uid))
		w.line(at.Add(time.Duration(300+mix(uint64(at.Unix()))%1500)*time.Millisecond), "CRON", pid, "pam_unix(cron:session): session closed for user "+user)
	})
	for n := range mix(uint64(t.Unix())^h.Machine.Seed) % 4 { // the noise of the Internet
		k := mix(uint64(t.Unix()) ^ h.Machine.Seed + n*977)
		at := t.Add(time.Duration(k%3590) * time.Second)
		peer := netip.AddrFrom4([4]byte{byte(45 + k>>8%150), byte(k >> 16), byte(k >> 24), byte(k>>32%254 + 1)})
		user := []string{"root", "admin", "ubuntu", "test", "oracle", "git", "ftpuser", "root"}[k>>40%8]
		port, pid := 30000+k%30000, h.pidAt(at)
		invalid, who := "invalid user ", "invalid user "
		if user == "root" {
			invalid, who = "", "authenticating user "
		} else {
			w.line(at, "sshd", pid, fmt.Sprintf("Invalid user %s from %s port %d", user, peer, port))
		}
		w.line(at.Add(1900*time.Millisecond), "sshd", pid, fmt.Sprintf("Failed password for %s%s from %s port %d ssh2", invalid, user, peer, port))
		w.line(at.Add(2800*time.Millisecond), "sshd", pid, fmt.Sprintf("Connection closed by %s%s %s port %d [preauth]", who, user, peer, port))
	}
	for _, l := range h.Machine.Logins {
		if !l.Reboot && !l.At.Before(t) && l.At.Before(t.Add(time.Hour)) {
			h.session(l, "publickey", w)
		}
	}
}

// session is what a login and its end leave in auth.log.
func (h *Host) session(l machine.Login, method string, w *logWriter) {
	uid := 0
	if u, ok := h.User(l.User); ok {
		uid = int(u.UID)
	}
	pid, port := l.PID, int(l.Peer.Port())
	if pid == 0 {
		pid = h.pidAt(l.At)
	}
	if port == 0 {
		port = 40000 + int(mix(uint64(l.At.UnixNano()))%20000)
	}
	opened := fmt.Sprintf("session opened for user %s(uid=%d) by (uid=0)", l.User, uid)
	if l.Server == "telnetd" {
		w.line(l.At, "login", pid, "pam_unix(login:session): "+opened)
		if uid == 0 {
			w.line(l.At, "login", pid, fmt.Sprintf("ROOT LOGIN  on '/dev/%s' from '%s'", l.TTY, l.From))
		}
		return
	}
	tail := ""
	if method == "publickey" {
		tail = fmt.Sprintf(": ED25519 SHA256:%x", mix(h.Machine.Seed))
	}
	w.line(l.At, "sshd", pid, fmt.Sprintf("Accepted %s for %s from %s port %d ssh2%s", method, l.User, l.From, port, tail))
	w.line(l.At.Add(3*time.Millisecond), "sshd", pid, "pam_unix(sshd:session): "+opened)
	number := 1 + (pid+int(l.At.Unix()/60))%9000
	w.line(l.At.Add(9*time.Millisecond), "systemd-logind", h.pid("systemd-logind"), fmt.Sprintf("New session %d of user %s.", number, l.User))
	if l.Until.IsZero() {
		return
	}
	w.line(l.Until, "sshd", pid, fmt.Sprintf("Received disconnect from %s port %d:11: disconnected by user", l.From, port))
	w.line(l.Until, "sshd", pid, fmt.Sprintf("Disconnected from user %s %s port %d", l.User, l.From, port))
	w.line(l.Until.Add(time.Millisecond), "sshd", pid, "pam_unix(sshd:session): session closed for user "+l.User)
	w.line(l.Until.Add(4*time.Millisecond), "systemd-logind", h.pid("systemd-logind"), fmt.Sprintf("Session %d logged out. Waiting for processes to exit.", number))
	w.line(l.Until.Add(5*time.Millisecond), "systemd-logind", h.pid("systemd-logind"), fmt.Sprintf("Removed session %d.", number))
}

// authOwn is what the attacker's own logins left in auth.log.
func (h *Host) authOwn(t *machine.Table, w *logWriter) {
	logins, failures := t.Own()
	for _, f := range failures {
		if f.Server == "sshd" {
			w.line(f.At, "sshd", h.pidAt(f.At), fmt.Sprintf("Failed password for %s from %s port %d ssh2", f.User, f.Peer.Addr(), f.Peer.Port()))
		} else {
			w.line(f.At, "login", h.pidAt(f.At), fmt.Sprintf("FAILED LOGIN (1) on '/dev/pts/0' from '%s' FOR '%s', Authentication failure", f.Peer.Addr(), f.User))
		}
	}
	for _, l := range logins {
		h.session(l, "password", w)
	}
}

// syslogOwn is what they left in syslog.
func (h *Host) syslogOwn(t *machine.Table, w *logWriter) {
	logins, _ := t.Own()
	for _, l := range logins {
		if l.Server != "telnetd" {
			number := 1 + (l.PID+int(l.At.Unix()/60))%9000
			w.line(l.At.Add(12*time.Millisecond), "systemd", 1, fmt.Sprintf("Started session-%d.scope - Session %d of User %s.", number, number, l.User))
		}
	}
}

// cronRuns calls f for each run of a job in the hour from t on.
func (h *Host) cronRuns(t time.Time, f func(at time.Time, pid int, user, command string)) {
	run := func(minute int, user, command string) {
		at := t.Add(time.Duration(minute)*time.Minute + time.Second + time.Duration(mix(uint64(t.Unix())+uint64(minute))%200)*time.Millisecond)
		f(at, h.pidAt(at), user, command)
	}
	for minute := 0; minute < 60; minute += 5 {
		run(minute, "www-data", "cd "+h.App.Dir+" && php artisan schedule:run >/dev/null 2>&1")
		switch {
		case minute == 15:
			if t.Hour() == 2 {
				run(15, "root", "/root/backup/dump.sh")
			}
			run(17, "root", "cd / && run-parts --report /etc/cron.hourly")
		case minute == 25 && t.Hour() == 6:
			run(25, "root", "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }")
		}
	}
}

// cronHour is what the hour from t on brings to cron.log.
func (h *Host) cronHour(t time.Time, w *logWriter) {
	h.cronRuns(t, func(at time.Time, pid int, user, command string) {
		w.line(at, "CRON", pid, "("+user+") CMD ("+command+")")
	})
}

// syslogHour is what the hour from t on brings to syslog.
func (h *Host) syslogHour(t time.Time, w *logWriter) {
	h.cronHour(t, w)
	unit := func(at time.Time, name, text string, took time.Duration) {
		w.line(at, "systemd", 1, fmt.Sprintf("Starting %s.service - %s...", name, text))
		w.line(at.Add(took), "systemd", 1, name+".service: Deactivated successfully.")
		w.line(at.Add(took), "systemd", 1, fmt.Sprintf("Finished %s.service - %s.", name, text))
	}
	k := mix(uint64(t.Unix()) ^ h.Machine.Seed*3)
	at := t.Add(time.Duration(k%3500) * time.Second)
	switch {
	case t.Hour() == 0:
		unit(t.Add(300*time.Millisecond), "logrotate", "Rotate log files", 900*time.Millisecond)
		unit(t.Add(350*time.Millisecond), "dpkg-db-backup", "Daily dpkg database backup service", 700*time.Millisecond)
		unit(t.Add(400*time.Millisecond), "man-db", "Daily man-db regeneration", 2*time.Second)
	case t.Hour()%12 == int(h.Machine.Seed%12):
		unit(at, "apt-daily", "Daily apt download activities", 1400*time.Millisecond)
	case t.Hour() == 6:
		unit(at, "apt-daily-upgrade", "Daily apt upgrade and clean activities", 900*time.Millisecond)
	case t.Hour() == int(h.Machine.Seed>>8%24):
		unit(at, "systemd-tmpfiles-clean", "Cleanup of Temporary Directories", 60*time.Millisecond)
	}
	if t.Weekday() == time.Monday && t.Hour() == 1 {
		unit(at, "fstrim", "Discard unused blocks on filesystems from /etc/fstab", 2*time.Second)
	}
}

// accessHour is what the hour from t on brings to the web server's log: people
// of the house at work, and now and then a scanner.
func (h *Host) accessHour(t time.Time, w *logWriter) {
	desk := h.Machine.Main().Addr.Addr().As4()
	desk[2]++
	for n := range 6 {
		k := mix(uint64(t.Unix()) ^ h.Machine.Seed*7 + uint64(n)*1031)
		at := t.Add(time.Duration(k%3600) * time.Second)
		switch {
		case k>>20%5 == 0:
			peer := netip.AddrFrom4([4]byte{byte(60 + k>>8%120), byte(k >> 16), byte(k >> 24), byte(k>>32%254 + 1)})
			path := []string{"/.env", "/wp-login.php", "/", "/.git/config", "/cgi-bin/luci", "/robots.txt"}[k>>40%6]
			w.raw(at, fmt.Sprintf("%s - - [%s] \"GET %s HTTP/1.1\" %d %d \"-\" \"%s\"\n", peer, at.Format("02/Jan/2006:15:04:05 -0700"), path,
				map[bool]int{true: 200, false: 404}[path == "/"], 153+k>>50%3*400, []string{"Mozilla/5.0 zgrab/0.x", "curl/7.88.1", "-"}[k>>45%3]))
		case t.Hour() >= 6 && t.Hour() <= 18 && t.Weekday() != time.Sunday && t.Weekday() != time.Saturday:
			desk[3] = byte(10 + k>>8%40)
			page := []string{"/", "/login", "/export/" + t.Format("2006-01"), "/reports?page=2", "/favicon.ico"}[k>>16%5]
			w.raw(at, fmt.Sprintf("%s - - [%s] \"GET %s HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36\"\n",
				netip.AddrFrom4(desk), at.Format("02/Jan/2006:15:04:05 -0700"), page, 800+k>>24%9000, 120+h.Machine.Seed%9))
		}
	}
}

func aptHistory(at time.Time) string {
	return fmt.Sprintf("\nStart-Date: %s\nCommandline: apt-get -q -y install nginx\nInstall: nginx:amd64 (1.22.1-9+deb12u3), nginx-common:amd64 (1.22.1-9+deb12u3, automatic)\nEnd-Date: %s\n",
		at.Add(42*time.Minute).Format("2006-01-02  15:04:05"), at.Add(43*time.Minute).Format("2006-01-02  15:04:05"))
}

func (h *Host) dpkgLog() string {
	var b strings.Builder
	t := h.Machine.Installed
	for i, p := range h.PackageList() {
		if i%4 == 0 {
			t = t.Add(time.Second)
		}
		fmt.Fprintf(&b, "%s status installed %s:%s %s\n", t.Format(time.DateTime), p.Name, p.Arch, p.Version)
	}
	return b.String()
}
