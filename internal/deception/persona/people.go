package persona

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

// systemUsers are the accounts of a Debian 12 server as installed.
var systemUsers = []User{
	{Name: "root", Gecos: "root", Home: "/root", Shell: "/bin/bash"},
	{Name: "daemon", Gecos: "daemon", UID: 1, GID: 1, Home: "/usr/sbin"},
	{Name: "bin", Gecos: "bin", UID: 2, GID: 2, Home: "/bin"},
	{Name: "sys", Gecos: "sys", UID: 3, GID: 3, Home: "/dev"},
	{Name: "sync", Gecos: "sync", UID: 4, GID: 65534, Home: "/bin", Shell: "/bin/sync"},
	{Name: "games", Gecos: "games", UID: 5, GID: 60, Home: "/usr/games"},
	{Name: "man", Gecos: "man", UID: 6, GID: 12, Home: "/var/cache/man"},
	{Name: "lp", Gecos: "lp", UID: 7, GID: 7, Home: "/var/spool/lpd"},
	{Name: "mail", Gecos: "mail", UID: 8, GID: 8, Home: "/var/mail"},
	{Name: "news", Gecos: "news", UID: 9, GID: 9, Home: "/var/spool/news"},
	{Name: "uucp", Gecos: "uucp", UID: 10, GID: 10, Home: "/var/spool/uucp"},
	{Name: "proxy", Gecos: "proxy", UID: 13, GID: 13, Home: "/bin"},
	{Name: "www-data", Gecos: "www-data", UID: 33, GID: 33, Home: "/var/www"},
	{Name: "backup", Gecos: "backup", UID: 34, GID: 34, Home: "/var/backups"},
	{Name: "list", Gecos: "Mailing List Manager", UID: 38, GID: 38, Home: "/var/list"},
	{Name: "irc", Gecos: "ircd", UID: 39, GID: 39, Home: "/run/ircd"},
	{Name: "_apt", UID: 42, GID: 65534, Home: "/nonexistent"},
	{Name: "nobody", Gecos: "nobody", UID: 65534, GID: 65534, Home: "/nonexistent"},
	{Name: "systemd-network", Gecos: "systemd Network Management", UID: 998, GID: 998, Home: "/"},
	{Name: "sshd", UID: 100, GID: 65534, Home: "/run/sshd"},
}

var systemGroups = []Group{
	{Name: "root"},
	{Name: "daemon", GID: 1},
	{Name: "bin", GID: 2},
	{Name: "sys", GID: 3},
	{Name: "adm", GID: 4},
	{Name: "tty", GID: 5},
	{Name: "disk", GID: 6},
	{Name: "lp", GID: 7},
	{Name: "mail", GID: 8},
	{Name: "news", GID: 9},
	{Name: "uucp", GID: 10},
	{Name: "man", GID: 12},
	{Name: "proxy", GID: 13},
	{Name: "kmem", GID: 15},
	{Name: "dialout", GID: 20},
	{Name: "fax", GID: 21},
	{Name: "voice", GID: 22},
	{Name: "cdrom", GID: 24},
	{Name: "floppy", GID: 25},
	{Name: "tape", GID: 26},
	{Name: "sudo", GID: 27},
	{Name: "audio", GID: 29},
	{Name: "dip", GID: 30},
	{Name: "www-data", GID: 33},
	{Name: "backup", GID: 34},
	{Name: "operator", GID: 37},
	{Name: "list", GID: 38},
	{Name: "irc", GID: 39},
	{Name: "src", GID: 40},
	{Name: "shadow", GID: 42},
	{Name: "utmp", GID: 43},
	{Name: "video", GID: 44},
	{Name: "sasl", GID: 45},
	{Name: "plugdev", GID: 46},
	{Name: "staff", GID: 50},
	{Name: "games", GID: 60},
	{Name: "users", GID: 100},
	{Name: "nogroup", GID: 65534},
	{Name: "systemd-journal", GID: 999},
	{Name: "systemd-network", GID: 998},
	{Name: "crontab", GID: 101},
	{Name: "_ssh", GID: 102},
}

// admin makes up the person who runs the server.
func admin(seed []byte) User {
	r := machine.Rand(seed, "admin")
	first := machine.Pick(r, "Anna", "Jonas", "Marta", "Tomas", "Lena", "Pavel", "Ines", "Oskar", "Carla", "Henrik", "Sofia", "Marek", "Nadia", "Viktor", "Elsa", "Bruno")
	last := machine.Pick(r, "Keller", "Novak", "Brandt", "Lindqvist", "Moreau", "Costa", "Wagner", "Horak", "Jansen", "Ferri", "Olsen", "Maurer", "Petit", "Sandoval", "Virtanen", "Kruger")
	name := strings.ToLower(last)
	switch r.IntN(3) {
	case 0:
		name = strings.ToLower(first[:1] + last)
	case 1:
		name = strings.ToLower(first)
	}
	return User{Name: name, Gecos: first + " " + last + ",,,", UID: 1000, GID: 1000, Home: "/home/" + name, Shell: "/bin/bash"}
}

// people fills in the accounts.
func (h *Host) people(seed []byte, boss User, lived bool) {
	h.Users = append([]User(nil), systemUsers...)
	h.Groups = append([]Group(nil), systemGroups...)
	if lived {
		h.Users = append(h.Users,
			User{Name: "messagebus", UID: 101, GID: 108, Home: "/nonexistent"},
			User{Name: "systemd-timesync", Gecos: "systemd Time Synchronization", UID: 997, GID: 997, Home: "/"},
			boss,
			User{Name: "mysql", Gecos: "MySQL Server,,,", UID: 102, GID: 109, Home: "/nonexistent", Shell: "/bin/false"})
		h.Groups = append(h.Groups, Group{Name: "netdev", GID: 103}, Group{Name: "systemd-timesync", GID: 997}, Group{Name: "input", GID: 104},
			Group{Name: "sgx", GID: 105}, Group{Name: "kvm", GID: 106}, Group{Name: "render", GID: 107}, Group{Name: "messagebus", GID: 108},
			Group{Name: boss.Name, GID: 1000}, Group{Name: "mysql", GID: 109})
		for i, g := range h.Groups {
			switch g.Name {
			case "sudo", "adm", "cdrom", "dip", "plugdev", "users", "netdev":
				h.Groups[i].Members = []string{boss.Name}
			}
		}
	}
	r := machine.Rand(seed, "shadow")
	for i := range h.Users {
		u := &h.Users[i]
		if u.Shell == "" {
			u.Shell = "/usr/sbin/nologin"
		}
		u.Hash = "*"
		switch {
		case u.Name == "root" && !lived:
		case u.Name == "root" || u.UID == 1000:
			u.Hash = "$y$j9T$" + crypt64(r, 22) + "$" + crypt64(r, 43)
		case u.UID >= 100 && u.UID < 1000:
			u.Hash = "!"
		}
	}
}

// crypt64 makes n characters of a password hash; no password belongs to it.
func crypt64(r *rand.Rand, n int) string {
	const set = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(64)]
	}
	return string(b)
}

func (h *Host) passwd() string {
	var b strings.Builder
	for _, u := range h.Users {
		fmt.Fprintf(&b, "%s:x:%d:%d:%s:%s:%s\n", u.Name, u.UID, u.GID, u.Gecos, u.Home, u.Shell)
	}
	return b.String()
}

func (h *Host) group() string {
	var b strings.Builder
	for _, g := range h.Groups {
		fmt.Fprintf(&b, "%s:x:%d:%s\n", g.Name, g.GID, strings.Join(g.Members, ","))
	}
	return b.String()
}

func (h *Host) gshadow() string {
	var b strings.Builder
	for _, g := range h.Groups {
		locked := "*"
		if g.GID >= 100 && g.GID < 60000 {
			locked = "!"
		}
		fmt.Fprintf(&b, "%s:%s::%s\n", g.Name, locked, strings.Join(g.Members, ","))
	}
	return b.String()
}

func (h *Host) shadow() string {
	var b strings.Builder
	day := h.Machine.Installed.Unix() / int64(24*time.Hour/time.Second)
	for _, u := range h.Users {
		if u.Hash == "!" && u.UID >= 100 {
			fmt.Fprintf(&b, "%s:!:%d::::::\n", u.Name, day)
			continue
		}
		fmt.Fprintf(&b, "%s:%s:%d:0:99999:7:::\n", u.Name, u.Hash, day)
	}
	return b.String()
}
