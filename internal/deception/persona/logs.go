package persona

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/image"
)

// logs writes /var/log. The files that grow are made when they are read, from
// the last rotation up to the moment, always the same lines.
func (b *builder) logs(lived bool) {
	h, m := b.h, b.h.Machine
	size := func(path string, mode, gid uint32, n int64) {
		b.add(vfs.Entry{Path: path, Mode: mode, GID: gid, Size: n, Source: zeros{}, Mtime: m.Boot.Add(time.Hour)})
	}
	size("/var/log/wtmp", 0o664, 43, 384*int64(4+3*len(m.Logins)))
	size("/var/log/btmp", 0o660, 43, 384*int64(30+m.Seed%400))
	size("/var/log/lastlog", 0o664, 43, 292292)
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
	b.live("/var/log/auth.log", 0o640, 0, 4, func(e vfs.Env) []byte { return h.authLog(e.Now) })
	b.live("/var/log/syslog", 0o640, 0, 4, func(e vfs.Env) []byte { return h.syslog(e.Now) })
	b.live("/var/log/cron.log", 0o640, 0, 4, func(e vfs.Env) []byte { return h.syslog(e.Now) })
	b.add(vfs.Entry{Path: "/var/log/kern.log", Mode: 0o640, GID: 4, Text: "", Mtime: m.Boot})
	b.live("/var/log/nginx/access.log", 0o640, 33, 4, func(e vfs.Env) []byte { return h.accessLog(e.Now) })
	b.add(vfs.Entry{Path: "/var/log/nginx/error.log", Mode: 0o640, UID: 33, GID: 4, Mtime: m.Boot})
	for i, f := range []string{"auth.log", "syslog", "cron.log"} {
		b.add(vfs.Entry{Path: "/var/log/" + f + ".1", Mode: 0o640, GID: 4, Size: int64(40000 + i*77000 + int(m.Seed%9000)), Source: &file{form: plainForm, key: uint64(i), size: int64(40000 + i*77000 + int(m.Seed%9000))}, Mtime: m.Boot})
		b.add(vfs.Entry{Path: "/var/log/" + f + ".2.gz", Mode: 0o640, GID: 4, Size: int64(6000 + i*1300 + int(m.Seed%900)), Source: &file{form: &form{kind: image.Gzip}, key: uint64(i), size: int64(6000 + i*1300 + int(m.Seed%900))}, Mtime: m.Boot.AddDate(0, 0, -7)})
	}
}

// rotated returns when logs were last rotated: Sunday, or the boot.
func (h *Host) rotated(now time.Time) time.Time {
	day := now.UTC().Truncate(24 * time.Hour)
	for day.Weekday() != time.Sunday {
		day = day.Add(-24 * time.Hour)
	}
	if day.Before(h.Machine.Boot) {
		return h.Machine.Boot
	}
	return day
}

// stamp is rsyslog's time in Debian 12.
func (h *Host) stamp(t time.Time) string {
	return t.Add(time.Duration(mix(uint64(t.UnixNano())^h.Machine.Seed)%999999) * time.Microsecond).Format("2006-01-02T15:04:05.000000+00:00")
}

// every calls f for each point of a period between the last rotation and now.
func (h *Host) every(now time.Time, period, phase time.Duration, f func(t time.Time, pid uint64)) {
	from := h.rotated(now)
	for t := from.Truncate(period).Add(phase); t.Before(now); t = t.Add(period) {
		if t.After(from) {
			f(t, 1500+uint64(t.Sub(h.Machine.Boot)/(40*time.Second)))
		}
	}
}

func (h *Host) authLog(now time.Time) []byte {
	var b strings.Builder
	name := h.Machine.Hostname
	h.every(now, time.Hour, 17*time.Minute+time.Second, func(t time.Time, pid uint64) {
		fmt.Fprintf(&b, "%s %s CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)\n", h.stamp(t), name, pid)
		fmt.Fprintf(&b, "%s %s CRON[%d]: pam_unix(cron:session): session closed for user root\n", h.stamp(t.Add(time.Second)), name, pid)
		if k := mix(uint64(t.Unix()) ^ h.Machine.Seed); k%3 == 0 { // the noise of the Internet
			a := netip.AddrFrom4([4]byte{byte(45 + k>>8%150), byte(k >> 16), byte(k >> 24), byte(k>>32%254 + 1)})
			user := []string{"root", "admin", "ubuntu", "test", "oracle", "git", "ftpuser"}[k>>40%7]
			fmt.Fprintf(&b, "%s %s sshd[%d]: Failed password for %s%s from %s port %d ssh2\n", h.stamp(t.Add(11*time.Minute)), name, pid+14,
				map[bool]string{true: "", false: "invalid user "}[user == "root"], user, a, 30000+k%30000)
			fmt.Fprintf(&b, "%s %s sshd[%d]: Connection closed by %s%s %s port %d [preauth]\n", h.stamp(t.Add(11*time.Minute+2*time.Second)), name, pid+14,
				map[bool]string{true: "authenticating user ", false: "invalid user "}[user == "root"], user, a, 30000+k%30000)
		}
	})
	for _, l := range h.Machine.Logins {
		if !l.Reboot && l.At.After(h.rotated(now)) && l.At.Before(now) {
			fmt.Fprintf(&b, "%s %s sshd[%d]: Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%x\n", h.stamp(l.At), name, 2000+l.At.Unix()%9000, l.User, l.From, 40000+l.At.Unix()%9999, mix(h.Machine.Seed))
		}
	}
	return []byte(b.String())
}

func (h *Host) syslog(now time.Time) []byte {
	var b strings.Builder
	name := h.Machine.Hostname
	h.every(now, time.Hour, 17*time.Minute+time.Second, func(t time.Time, pid uint64) {
		fmt.Fprintf(&b, "%s %s CRON[%d]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)\n", h.stamp(t), name, pid)
		for k := range 4 {
			at := t.Add(time.Duration(3+5*k) * time.Minute)
			if at.Before(now) {
				fmt.Fprintf(&b, "%s %s CRON[%d]: (www-data) CMD (cd %s && php artisan schedule:run >/dev/null 2>&1)\n", h.stamp(at), name, pid+uint64(k)*7, h.App.Dir)
			}
		}
		if mix(uint64(t.Unix()))%4 == 0 {
			fmt.Fprintf(&b, "%s %s systemd[1]: Starting apt-daily.service - Daily apt download activities...\n", h.stamp(t.Add(21*time.Minute)), name)
			fmt.Fprintf(&b, "%s %s systemd[1]: apt-daily.service: Deactivated successfully.\n", h.stamp(t.Add(21*time.Minute+3*time.Second)), name)
		}
	})
	return []byte(b.String())
}

func (h *Host) accessLog(now time.Time) []byte {
	var b strings.Builder
	desk := h.Machine.Main().Addr.Addr().As4()
	desk[2]++
	h.every(now, 47*time.Minute, 9*time.Minute, func(t time.Time, pid uint64) {
		if t.Hour() < 6 || t.Hour() > 18 {
			return
		}
		desk[3] = byte(10 + mix(pid)%40)
		page := []string{"/", "/login", "/export/" + t.Format("2006-01"), "/reports?page=2", "/favicon.ico"}[mix(pid+3)%5]
		fmt.Fprintf(&b, "%s - - [%s] \"GET %s HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36\"\n",
			netip.AddrFrom4(desk), t.Format("02/Jan/2006:15:04:05 -0700"), page, 800+mix(pid)%9000, 120+h.Machine.Seed%9)
	})
	return []byte(b.String())
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
