package behaviour

import (
	"honeyguide"
	"honeyguide/internal/detect"
)

// A commandRule says which commands of a line make a claim. Several may share
// the id of a rule and differ in technique.
type commandRule struct {
	detect.Rule
	any []pattern // one of them must hold
}

// Shorthands of the table.
const (
	info   = honeyguide.SeverityInformational
	low    = honeyguide.SeverityLow
	medium = honeyguide.SeverityMedium
	high   = honeyguide.SeverityHigh

	recon       = honeyguide.CategoryRecon
	intrusion   = honeyguide.CategoryIntrusion
	malware     = honeyguide.CategoryMalware
	persistence = honeyguide.CategoryPersistence
	evasion     = honeyguide.CategoryEvasion
	privilege   = honeyguide.CategoryPrivilege
	lateral     = honeyguide.CategoryLateral
	exfil       = honeyguide.CategoryExfiltration
)

// Ids of rules that other code refers to.
const (
	ruleRecon    = "recon_commands"
	ruleTransfer = "tool_transfer"
	ruleExecute  = "drop_execute"
	ruleCradle   = "download_cradle"
	ruleBotnet   = "botnet_probe"
)

// downloaders fetch from the network.
const downloaders = "wget curl tftp ftpget lwp-download lwp-request fetch aria2c axel ftp sftp kurl"

func rule(id, title string, sev honeyguide.Severity, category, why string, techniques ...string) detect.Rule {
	return detect.Rule{ID: id, Title: title, Severity: sev, Category: category, Why: why, Techniques: techniques}
}

func reconRule(technique, why string, any ...pattern) commandRule {
	return commandRule{rule(ruleRecon, "System reconnaissance", low, recon, why, technique), any}
}

// commandRules are looked for in every shell command. The order is that of
// the kill chain; it has no meaning for matching.
var commandRules = []commandRule{
	reconRule("T1082", "asks for the system's hardware and version",
		pattern{names: "uname lscpu lspci lsusb lsblk nproc free df hostname hostnamectl uptime lsb_release dmidecode dmesg mount env printenv getconf arch nvidia-smi amd-info nvidia-info vmstat lshw inxi sysctl locale ulimit date"},
		pattern{names: readers, args: "/proc/cpuinfo|/proc/version|/proc/meminfo|/proc/uptime|/proc/mounts|/etc/issue|release|/etc/debian_version|/etc/hostname|/etc/fstab"}),
	reconRule("T1033", "asks who is logged in", pattern{names: "w who whoami id last lastlog users groups finger logname"}),
	reconRule("T1057", "lists processes", pattern{names: "ps top htop pgrep pidof lsof pstree"}, pattern{names: "ls cat", args: "/proc/"}),
	reconRule("T1016", "asks for the network configuration",
		pattern{names: "ifconfig ip route arp iwconfig resolvectl nmcli"}, pattern{names: readers, args: "/etc/resolv.conf|/etc/network|/etc/hosts"},
		pattern{names: "iptables ipset nft", exact: "-L -S -nvL -vnL list"}, pattern{names: downloaders, args: "ifconfig.me|ipinfo.io|icanhazip|api.ipify|checkip.amazonaws|ip-api.com|ident.me|myip"}),
	reconRule("T1049", "lists network connections", pattern{names: "netstat ss"}),
	reconRule("T1087.001", "lists accounts", pattern{names: readers + " getent", args: "/etc/passwd|/etc/group|passwd"}),
	reconRule("T1083", "looks around in the file system", pattern{names: "ls find tree locate stat which whereis type du file"}),
	reconRule("T1053.003", "lists scheduled jobs", pattern{names: "crontab", exact: "-l"}, pattern{names: "systemctl", exact: "list-units list-timers list-unit-files status"}),
	reconRule("T1518.001", "looks for security software", pattern{text: "grep -i clamd|falcon-sensor|crowdstrike|auditd status|which adb|ossec|wazuh"}),

	{rule("credential_access", "Reads stored credentials", high, intrusion, "reads where credentials are kept", "T1003.008", "T1552.001"), []pattern{
		{names: readers, args: "/etc/shadow|/etc/gshadow|/etc/sudoers|/etc/security/opasswd|shadow-"},
		{names: readers + " find scp ls", args: ".ssh/id_|id_rsa|id_ed25519|id_ecdsa|.pem|wallet.dat"},
		{names: readers, args: ".aws/|.env|.netrc|.pgpass|.my.cnf|.git-credentials|.docker/config.json|.kube/config|.npmrc|wp-config|credentials|smsd.conf"},
		{text: "grep -r password|grep -ri passw|grep -rn pass|mimipenguin|lazagne|/proc/*/environ"},
	}},
	{rule("credential_access", "Reads stored credentials", medium, intrusion, "reads a shell history", "T1552.003"), []pattern{
		{names: readers, args: "_history"}, {names: "history", not: "-c|-w"},
	}},
	{rule("cloud_metadata", "Asks the cloud's metadata service", high, intrusion, "asks for instance credentials", "T1552.005"), []pattern{
		{text: "169.254.169.254|metadata.google.internal|100.100.100.200/latest"},
	}},

	{rule(ruleTransfer, "Tool transferred to the decoy", medium, malware, "fetches a file", "T1105"), []pattern{
		{names: downloaders, when: fetches},
		{names: "scp", exact: "-t -qt -tr -rt -pt"},
		{names: "rsync", args: "--server"},
		{names: "git", exact: "clone"},
		{names: "pip pip3 npm gem", exact: "install"},
		{names: "apt apt-get yum dnf apk pacman zypper", exact: "install add", args: "wget|curl|gcc|masscan|nmap|tor|screen|git|make|libssl|cmake"},
	}},
	{rule(ruleCradle, "Downloads and runs a program", high, malware, "a download goes straight into an interpreter", "T1105", "T1059.004"), []pattern{
		{names: "sh bash dash ash zsh ksh python python2 python3 perl php ruby node", fedBy: downloaders},
		{names: "sh bash dash ash zsh ksh eval source", args: "$()", text: "wget |curl |tftp "},
		{names: "python python2 python3 perl ruby php", args: "urlopen(|urllib|requests.get|lwp::simple|file_get_contents('http|net/http"},
	}},
	{rule(ruleExecute, "Runs a dropped file", medium, malware, "runs a file from a place anyone can write", "T1059.004", "T1222.002"), []pattern{
		{when: dropped},
		{names: "chmod", args: "777|+x|755|775|a+x|u+x|0777", not: "/usr/local/bin"},
		{names: "sh bash dash ash perl python python3", args: "/tmp/|/dev/shm/|/var/tmp/|/var/run/|./"},
	}},
	{rule("reverse_shell", "Opens a reverse shell", high, intrusion, "gives a shell to another host", "T1059.004", "T1095"), []pattern{
		{text: "/dev/tcp/|/dev/udp/|pty.spawn|fsockopen|socket.socket|socket(pf_inet|io::socket|tcpsocket.open"},
		{names: "nc ncat netcat nc.traditional", exact: "-e -c --exec --sh-exec -ne -lvpe"},
		{names: "socat", args: "exec:|system:"},
		{names: "nc ncat netcat", fedBy: "sh bash"},
		{names: "openssl", exact: "s_client", fedBy: "sh bash"},
	}},
	{rule("miner", "Installs or runs a miner", high, malware, "mines for somebody else", "T1496"), []pattern{
		{text: "xmrig|c3pool|minerd|stratum+tcp|stratum+ssl|cnrig|nanopool|supportxmr|moneroocean|minexmr|2miners|kinsing|kdevtmpfsi|cpuminer|ethminer|nbminer|t-rex -a|/monero/|miner.sh|hashvault|donate-level|randomx"},
	}},
	{rule(ruleBotnet, "Botnet loader at work", medium, malware, "probes for a shell of an embedded device", "T1059.004", "T1497.001"), []pattern{
		{via: "busybox", when: applet},
		{when: probe},
		{text: "cp /bin/echo .s|dd bs=52 count=1|cat .s |/bin/busybox cat /bin/|i am a dangerous exploit|gosh that chinese|/proc/self/exe|>/var/.nippon|>/dev/.nippon"},
	}},
	{rule("botnet_loader", "Botnet loader drops its program", high, malware, "installs a bot", "T1105", "T1059.004"), []pattern{
		{text: `\x7f\x45\x4c\x46|\x7felf|\177elf|/mirai.|mirai.arm|gafgyt|bins.sh|/bins/|mozi.|.i586;|/8usa.sh|.mips;|.mpsl|.arm7|dvrhelper|loader.sh|tsunami|kaiten|perlbot|shellbot|ddos|killall -9 dvr`},
		{names: "perl", args: ".pl", not: "/usr/share/"},
	}},
	{rule("obfuscation", "Runs an encoded payload", high, evasion, "decodes what it runs", "T1027", "T1140"), []pattern{
		{names: "sh bash dash ash zsh perl python python3", fedBy: "base64 base32 xxd openssl uudecode"},
		{text: "exec(base64|b64decode(|eval(base64_decode|eval $(echo|unpack u=>"},
		{when: decodedCommand},
	}},
	{rule("obfuscation", "Tries how text is decoded", low, evasion, "writes escaped bytes to see how the shell decodes them", "T1497.001"), []pattern{
		{names: "echo printf", text: `\x`},
	}},

	{rule("persistence_ssh_key", "Adds an SSH key", high, persistence, "writes authorized_keys", "T1098.004"), []pattern{
		{writes: "authorized_keys"}, {names: "sed vi vim nano", args: "authorized_keys"},
	}},
	{rule("persistence_cron", "Adds a scheduled job", high, persistence, "writes a crontab", "T1053.003"), []pattern{
		{writes: "/etc/cron|/var/spool/cron|/etc/anacrontab"}, {names: "crontab", when: installsCron}, {names: "at batch", fedBy: "echo printf cat"},
	}},
	{rule("persistence_cron", "Changes scheduled jobs", medium, persistence, "edits or removes a crontab", "T1053.003"), []pattern{{names: "crontab", exact: "-e -r"}}},
	{rule("persistence_service", "Adds a service", high, persistence, "writes a unit or start script", "T1543.002", "T1037.004"), []pattern{
		{writes: "/etc/systemd/|/lib/systemd/|/etc/init.d/|/etc/rc|/etc/inittab|/etc/init/|.config/systemd|/etc/ld.so.preload"}, {names: "update-rc.d chkconfig", args: "defaults|add|on"},
	}},
	{rule("persistence_service", "Enables a service", medium, persistence, "makes a service start at boot", "T1543.002"), []pattern{
		{names: "systemctl", exact: "enable"}, {names: "rc-update", exact: "add"},
	}},
	{rule("persistence_shell_rc", "Changes a shell's start files", high, persistence, "writes a start file of the shell", "T1546.004"), []pattern{
		{writes: ".bashrc|.profile|.bash_profile|/etc/profile|.zshrc|.bash_login|/etc/bash.bashrc"},
	}},
	{rule("account_change", "Changes an account's password", high, persistence, "takes over an account", "T1531"), []pattern{
		{names: "chpasswd"}, {names: "passwd", fedBy: "echo printf cat yes"}, {writes: "/etc/passwd|/etc/shadow"}, {names: "usermod", args: "-p"},
	}},
	{rule("account_change", "Creates or changes an account", medium, persistence, "adds or changes an account", "T1136.001"), []pattern{
		{names: "useradd adduser usermod groupadd userdel deluser passwd gpasswd"},
	}},
	{rule("web_shell", "Writes a web shell", high, persistence, "writes a script the web server would run", "T1505.003"), []pattern{
		{writes: ".php|.jsp|.jspx|.aspx|.phtml", text: "system(|exec(|eval(|passthru|$_get|$_post|$_request|runtime.getruntime|base64_decode"}, {writes: "/var/www/"},
	}},

	{rule("privilege_escalation", "Tries to gain privileges", high, privilege, "uses a known way to root", "T1068", "T1548.003"), []pattern{
		{writes: "/etc/sudoers"},
		{names: "chmod", args: "u+s|+s|4755|4777|6755"},
		{names: "find", args: "-perm", text: "-4000|-u=s|/4000|-6000|+4000"},
		{names: "getcap setcap pkexec"},
		{names: "gcc cc make", args: "exploit|cve|dirty|pwn|root"},
		{names: "insmod modprobe", not: "ip_tables|iptable|tun"},
		{text: "linpeas|linenum|linux-exploit-suggester|dirtycow|dirty_cow|dirtypipe|pwnkit|cve-20|overlayfs exploit|gtfobins|ld_preload="},
		{names: "docker podman", args: "-v/:|/:/|--privileged"},
		{names: "nsenter unshare", args: "-t|--target|-r"},
	}},
	{rule("privilege_escalation", "Becomes another user", medium, privilege, "asks for root's rights", "T1548.003"), []pattern{
		{names: "su doas"}, {names: "sudo", exact: "-i -s -l -ll -v"}, {via: "sudo", names: "su bash sh zsh"}, {names: "visudo"},
	}},

	{rule("log_wiping", "Wipes its traces", high, evasion, "removes logs or the shell's history", "T1070.003", "T1562.003"), []pattern{
		{names: "history", args: "-c|-w /dev/null"},
		{names: "unset", args: "HIST"},
		{names: "rm shred truncate unlink ln", args: "/var/log|_history|wtmp|utmp|lastlog|btmp"},
		{when: overwritesLog},
		{text: "histfile=/dev/null|histsize=0|histfilesize=0|histfile=;|unset histfile|set +o history|histcontrol=ignore|export histfile="},
		{names: "journalctl", args: "--vacuum|--rotate"},
		{names: "logrotate", exact: "-f"},
	}},
	{rule("defense_evasion", "Switches off protection", high, evasion, "stops or weakens a defence", "T1562.001", "T1562.004"), []pattern{
		{names: "iptables ip6tables", exact: "-F -X --flush -P"},
		{names: "ufw", exact: "disable reset"},
		{names: "nft", exact: "flush"},
		{names: "setenforce", exact: "0"},
		{names: "systemctl service rc-service", exact: "stop disable mask kill", args: "firewall|iptables|ufw|auditd|apparmor|fail2ban|rsyslog|syslog|clam|falcon|wazuh|ossec|selinux|aliyun|aegis"},
		{names: "SuSEfirewall2 reSuSEfirewall2"},
		{text: "/etc/init.d/iptables stop|service iptables stop|/etc/selinux/config|/proc/sys/kernel/nmi_watchdog|aliyun.one|uninstall.sh|/etc/hosts.deny"},
		{names: "pkill killall kill", args: "syslog|auditd|clam|falcon|wazuh|ossec|fail2ban|watchdog"},
		{names: "apt apt-get yum dnf", exact: "remove purge", args: "audit|fail2ban|apparmor|clam|rsyslog|curl|wget"},
	}},
	{rule("defense_evasion", "Guards its files against change", high, evasion, "changes file attributes", "T1222.002"), []pattern{{names: "chattr lockr"}}},
	{rule("defense_evasion", "Removes files it used", low, evasion, "deletes files in places it works in", "T1070.004"), []pattern{
		{names: "rm", args: "/tmp|/var/tmp|/dev/shm|-rf|-fr|.sh|.s|x86|*"},
	}},
	{rule("defense_evasion", "Hides what it leaves", medium, evasion, "uses hidden folders or system names", "T1564.001"), []pattern{
		{names: "mkdir cd touch mv cp tar", args: "/...|/ .|/dev/shm/.|/tmp/.|/var/tmp/.|/.x|/._"},
	}},
	{rule("competitor_kill", "Stops other intruders' programs", medium, malware, "kills processes", "T1489"), []pattern{
		{names: "pkill killall", not: "nginx|apache|sshd"}, {names: "kill", exact: "-9 -KILL"},
	}},
	{rule("destruction", "Destroys data or service", high, malware, "destroys", "T1485", "T1529"), []pattern{
		{names: "rm", when: wipes},
		{names: "dd", args: "of=/dev/sd|of=/dev/vd|of=/dev/hd|of=/dev/nvme|of=/dev/mem"},
		{names: "mkfs mkfs.ext4 mkfs.ext3 wipefs mkswap"},
		{text: ":(){|mv / /dev/null"},
		{names: "crypt gpg openssl", args: "-aes-256|--symmetric", text: "find |for "},
	}},

	{rule("destruction", "Stops the machine", medium, malware, "shuts down or reboots", "T1529"), []pattern{
		{names: "shutdown poweroff halt reboot init", not: "-c"},
	}},

	{rule("lateral_movement", "Moves on to other hosts", high, lateral, "attacks other hosts from here", "T1021.004", "T1046"), []pattern{
		{names: "sshpass hydra medusa ncrack patator crackmapexec nxc psexec.py ssh-copy-id"},
		{names: "masscan zmap nmap rustscan fping arp-scan nbtscan pnscan", not: "--version"},
		{names: "nc ncat netcat", args: "-z"},
		{names: "ping", text: "for "},
		{names: "redis-cli mongo", args: "-h"},
		{names: "kubectl", exact: "exec run apply"},
	}},
	{rule("lateral_movement", "Connects to another host", medium, lateral, "logs in elsewhere from here", "T1021.004"), []pattern{
		{names: "ssh telnet rsh rlogin", when: remote}, {names: "psql mysql mongosh", args: "-h|://"},
	}},
	{rule("tunnel", "Tunnels through the decoy", high, lateral, "forwards traffic", "T1572", "T1090"), []pattern{
		{names: "ssh", exact: "-R -D -L -NfR -fNR -NR -fN -w"}, {names: "ngrok frpc frps chisel ligolo-ng gost cloudflared 3proxy microsocks dante"}, {names: "socat", args: "tcp-listen|fork"},
	}},
	{rule("data_exfiltration", "Sends data out", high, exfil, "uploads files", "T1041", "T1048"), []pattern{
		{names: "curl", exact: "-T -F --upload-file --form -d@"},
		{names: "curl", when: sendsFile},
		{names: "wget", args: "--post-file|--body-file"},
		{names: "scp rsync sftp", when: uploads},
		{names: "nc ncat netcat curl ssh", fedBy: "tar cat mysqldump pg_dump gzip zip base64 find dump"},
		{names: "nc ncat netcat", when: reads},
		{names: "aws gsutil rclone mc s3cmd az", args: "cp|sync|mv|put|copy"},
		{text: "transfer.sh|file.io|0x0.st|anonfiles|pastebin.com/api|discord.com/api/webhooks|api.telegram.org/bot"},
	}},
	{rule("data_exfiltration", "Dumps a database", medium, exfil, "gathers data to take away", "T1048"), []pattern{
		{names: "mysqldump pg_dump pg_dumpall mongodump"},
	}},
	{rule("denial_of_service", "Attacks others from the decoy", high, malware, "floods", "T1498"), []pattern{
		{names: "hping3 slowloris goldeneye hulk t50 mz"}, {names: "ping", exact: "-f"}, {text: "udpflood|synflood|std.pl|udp.pl"},
	}},
	{rule("exploit_attempt", "Exploits a service", high, intrusion, "abuses a service to write or run", "T1190"), []pattern{
		{text: "config set dir|config set dbfilename|slaveof |replicaof |module load|into outfile|into dumpfile|load_file(|xp_cmdshell|sys_exec(|sys_eval(|from program|lo_export"},
	}},
}

// readers show the contents of files.
const readers = "cat less more head tail grep egrep zgrep awk sed cut sort strings xxd od base64 vi vim nano cp tar zip view tac nl dd"
