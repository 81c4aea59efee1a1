package persona

import (
	"fmt"
	"strings"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// serverPackage is what a program brings that a persona does not have of itself.
// It is not in the package data base: whoever asks finds a program installed by
// hand.
type serverPackage struct {
	summary  string
	unit     string // file of the systemd unit
	programs map[string]int64
	configs  map[string]string
}

// serverPackages are the programs of Debian 12 behind the doors of a decoy.
var serverPackages = map[string]serverPackage{
	"inetutils-inetd": {
		"internet super server", "inetutils-inetd.service",
		map[string]int64{"/usr/sbin/inetutils-inetd": 63112, "/usr/sbin/telnetd": 105264},
		map[string]string{"/etc/inetd.conf": "# /etc/inetd.conf:  see inetd(8) for further informations.\n#\n#<service_name> <sock_type> <proto> <flags> <user> <server_path> <args>\n#\ntelnet\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd\t/usr/sbin/telnetd\n"},
	},
	"nginx": {
		"small, powerful, scalable web/proxy server", "nginx.service",
		map[string]int64{"/usr/sbin/nginx": 1261200}, map[string]string{"/etc/nginx/nginx.conf": "user www-data;\nworker_processes auto;\npid /run/nginx.pid;\nerror_log /var/log/nginx/error.log;\ninclude /etc/nginx/modules-enabled/*.conf;\n\nevents {\n\tworker_connections 768;\n}\n\nhttp {\n\tsendfile on;\n\ttcp_nopush on;\n\ttypes_hash_max_size 2048;\n\n\tinclude /etc/nginx/mime.types;\n\tdefault_type application/octet-stream;\n\n\taccess_log /var/log/nginx/access.log;\n\tgzip on;\n\n\tinclude /etc/nginx/conf.d/*.conf;\n\tinclude /etc/nginx/sites-enabled/*;\n}\n"},
	},
	"vsftpd": {
		"lightweight, efficient FTP server written for security", "vsftpd.service",
		map[string]int64{"/usr/sbin/vsftpd": 163912}, map[string]string{"/etc/vsftpd.conf": "listen=NO\nlisten_ipv6=YES\nanonymous_enable=NO\nlocal_enable=YES\ndirmessage_enable=YES\nuse_localtime=YES\nxferlog_enable=YES\nconnect_from_port_20=YES\nsecure_chroot_dir=/var/run/vsftpd/empty\npam_service_name=vsftpd\n"},
	},
	"redis-server": {
		"Persistent key-value database with network interface", "redis-server.service",
		map[string]int64{"/usr/bin/redis-server": 2119640}, map[string]string{"/etc/redis/redis.conf": "bind 0.0.0.0\nprotected-mode no\nport 6379\ndaemonize yes\npidfile /run/redis/redis-server.pid\ndir /var/lib/redis\n"},
	},
	"mosquitto": {
		"MQTT version 5.0/3.1.1/3.1 compatible message broker", "mosquitto.service",
		map[string]int64{"/usr/sbin/mosquitto": 277392}, map[string]string{"/etc/mosquitto/mosquitto.conf": "pid_file /run/mosquitto/mosquitto.pid\npersistence true\npersistence_location /var/lib/mosquitto/\nlog_dest file /var/log/mosquitto/mosquitto.log\ninclude_dir /etc/mosquitto/conf.d\nlistener 1883\n"},
	},
	"ntpd": {
		"Network Time Protocol daemon/utility programs", "ntpsec.service",
		map[string]int64{"/usr/sbin/ntpd": 316000}, map[string]string{"/etc/ntpsec/ntp.conf": "driftfile /var/lib/ntpsec/ntp.drift\nleapfile /usr/share/zoneinfo/leap-seconds.list\npool 0.debian.pool.ntp.org iburst\nrestrict default kod nomodify nopeer noquery limited\nrestrict 127.0.0.1\nrestrict ::1\n"},
	},
	"mariadbd": {
		"MariaDB database server binaries", "mariadb.service",
		map[string]int64{"/usr/sbin/mariadbd": 25330336}, nil,
	},
}

// Facing makes the host agree with what outsiders see of it: the ports its
// services are reached on, and the public host keys its SSH server shows (lines
// of .pub files without their comment, by algorithm: rsa, ecdsa, ed25519). It is
// called before the first view of the image is made.
func (h *Host) Facing(doors []machine.Door, keys map[string]string) error {
	b := builder{h: h, at: h.Machine.Installed}
	for _, name := range h.Machine.Serve(doors) {
		p, ok := serverPackages[name]
		if !ok {
			continue
		}
		for path, size := range p.programs {
			if _, there := h.Image.Find(path); !there {
				b.add(vfs.Entry{Path: path, Mode: 0o755, Size: size, Source: &file{form: program64(), key: hashOf(path), size: size}})
			}
		}
		for path, text := range p.configs {
			if _, there := h.Image.Find(path); !there {
				b.text(path, text)
			}
		}
		unit := "/usr/lib/systemd/system/" + p.unit
		b.text(unit, "[Unit]\nDescription="+p.summary+"\nAfter=network.target\n\n[Service]\nType=forking\nExecStart="+name+"\n\n[Install]\nWantedBy=multi-user.target\n")
		b.link("/etc/systemd/system/multi-user.target.wants/"+p.unit, "/lib/systemd/system/"+p.unit)
	}
	for algorithm, line := range keys {
		b.text("/etc/ssh/ssh_host_"+algorithm+"_key.pub", strings.TrimSpace(line)+" root@"+h.Machine.Hostname+"\n")
	}
	if b.err != nil {
		return fmt.Errorf("face outsiders: %w", b.err)
	}
	return nil
}
