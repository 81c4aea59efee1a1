package persona

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// homes writes root's and the administrator's folders.
func (b *builder) homes(boss User, lived bool) {
	b.text("/root/.bashrc", rootBashrc)
	b.text("/root/.profile", rootProfile)
	if !lived {
		return
	}
	m, app := b.h.Machine, b.h.App
	r := machine.Rand(b.h.seed, "homes")
	key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + base64ish(r, 43) + " " + boss.Name + "@" + machine.Pick(r, "thinkpad", "mbp", "desk-03", "nb-14", "ws2") + "\n"
	b.dir("/root/.ssh", 0o700)
	b.text("/root/.ssh/authorized_keys", key, 0o600)
	b.at = m.Boot.Add(9 * 24 * time.Hour)
	if n := len(m.Logins); n > 1 {
		b.at = m.Logins[n-1].Until
	}
	b.text("/root/.bash_history", rootHistory(app, m), 0o600)
	b.dir("/root/.config/htop", 0o700)
	b.text("/root/.lesshst", ".less-history-file:\n.search\n\"error\n\"upstream\n", 0o600)
	b.dir("/root/backup", 0o700)
	b.text("/root/backup/dump.sh", dumpScript(app), 0o700)

	home, uid := boss.Home, boss.UID
	b.dir(home, 0o755, uid, uid)
	own := func(name string, mode uint32, text string) { b.own(home+"/"+name, uid, uid, mode, text) }
	b.dir(home+"/.ssh", 0o700, uid, uid)
	own(".ssh/authorized_keys", 0o600, key)
	peer := m.Main().Addr.Addr().As4()
	peer[3] ^= 3
	own(".ssh/known_hosts", 0o600, "|1|"+base64ish(r, 27)+"=|"+base64ish(r, 27)+"= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"+base64ish(r, 43)+"\n")
	own(".ssh/config", 0o600, fmt.Sprintf("Host db\n\tHostName %s\n\tUser %s\n", netip.AddrFrom4(peer), boss.Name))
	own(".bash_history", 0o600, userHistory(app))
	b.at = m.Installed
	own(".bashrc", 0o644, userBashrc)
	own(".profile", 0o644, userProfile)
	own(".bash_logout", 0o644, userLogout)
	own("TODO.txt", 0o644, "- renew certificate before it runs out again\n- move nightly dump off this box\n- ask finance which exports they still need\n- php 8.2 -> 8.3?\n")
	b.dir(home+"/exports", 0o755, uid, uid)
	for i := range 4 {
		day := m.Boot.AddDate(0, -i, 0)
		b.add(vfs.Entry{Path: fmt.Sprintf("%s/exports/%s-%s.csv", home, app.Name, day.Format("2006-01")), Mode: 0o644, UID: uid, GID: uid, Mtime: day, Text: export(r, day)})
	}
}

func base64ish(r *rand.Rand, n int) string {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(64)]
	}
	return string(b)
}

// privateKey has the shape of a private key and opens nothing.
func privateKey(r *rand.Rand, n int) string {
	body := "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA" + base64ish(r, n-60) + "="
	var b strings.Builder
	b.WriteString("-----BEGIN OPENSSH PRIVATE KEY-----\n")
	for line := range slices.Chunk([]byte(body), 70) {
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteString("-----END OPENSSH PRIVATE KEY-----\n")
	return b.String()
}

func rootHistory(a App, m *machine.Machine) string {
	return strings.Join([]string{
		"apt update", "apt upgrade", "systemctl restart nginx", "nginx -t", "tail -f /var/log/nginx/error.log", "cd " + a.Dir, "ls -la", "vi .env",
		"systemctl restart php8.2-fpm", "mysql " + a.Database, "df -h", "journalctl -u mariadb --since today", "free -m", "cd", "./backup/dump.sh",
		"ls -lh /var/backups/" + a.Name, "ip a", "ping -c 3 " + m.Gateway.String(), "last | head", "crontab -l", "exit",
	}, "\n") + "\n"
}

func userHistory(a App) string {
	return strings.Join([]string{
		"sudo -i", "cd " + a.Dir, "git status", "git pull", "composer install --no-dev", "php artisan migrate --force", "php artisan cache:clear",
		"tail -n 100 storage/logs/" + a.Name + ".log", "cd ~/exports", "ls", "scp db:/srv/dumps/latest.sql.gz .", "rm latest.sql.gz", "sudo systemctl reload nginx", "exit",
	}, "\n") + "\n"
}

func dumpScript(a App) string {
	return fmt.Sprintf("#!/bin/sh\n# nightly dump, called from cron\nset -e\numask 077\nd=/var/backups/%s\nmkdir -p $d\nmysqldump --defaults-extra-file=/etc/mysql/debian.cnf --single-transaction %s | gzip > $d/%s-$(date +%%F).sql.gz\nfind $d -name '*.sql.gz' -mtime +14 -delete\n", a.Name, a.Database, a.Database)
}

func export(r *rand.Rand, day time.Time) string {
	var b strings.Builder
	b.WriteString("id;date;customer;net;tax;gross\n")
	for i := range 40 {
		net := 1000 + r.IntN(900000)
		tax := net * 19 / 100
		fmt.Fprintf(&b, "%d;%s;%d;%d.%02d;%d.%02d;%d.%02d\n", 40000+int(day.Month())*900+i*3, day.AddDate(0, 0, i%27).Format(time.DateOnly), 10200+r.IntN(700),
			net/100, net%100, tax/100, tax%100, (net+tax)/100, (net+tax)%100)
	}
	return b.String()
}

// PackageList returns the installed packages by name.
func (h *Host) PackageList() []Package {
	out := make([]Package, 0, len(h.Packages))
	for _, p := range h.Packages {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Package) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
