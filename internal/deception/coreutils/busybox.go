package coreutils

import (
	"slices"
	"strings"
)

// applets of Debian's busybox.
var applets = strings.Fields(`[ [[ acpid adjtimex ar arch arp arping ascii ash awk base64 basename bc blkdiscard blkid blockdev brctl bunzip2 bzcat bzip2 cal cat chgrp chmod chown
chroot chvt clear cmp cp cpio crc32 cttyhack cut date dc dd deallocvt depmod devmem df diff dirname dmesg dnsdomainname dos2unix du dumpkmap dumpleases echo egrep env expand expr factor
fallocate false fatattr fdisk fgrep find findfs fold free freeramdisk fsfreeze fstrim ftpget ftpput getopt getty grep groups gunzip gzip halt head hexdump hostid hostname httpd hwclock
i2cdetect i2cdump i2cget i2cset i2ctransfer id ifconfig ifdown ifup init insmod ionice ip ipcalc ipneigh kill killall klogd last less link linux32 linux64 linuxrc ln loadfont loadkmap
logger login logname logread losetup ls lsmod lsscsi lzcat lzma lzop md5sum mdev microcom mim mkdir mkdosfs mke2fs mkfifo mknod mkpasswd mkswap mktemp modinfo modprobe more mount mt mv
nameif nc netstat nl nologin nproc nsenter nslookup nuke od openvt partprobe paste patch pidof ping ping6 pivot_root poweroff printf ps pwd rdate readlink realpath reboot renice reset
resume rev rm rmdir rmmod route rpm rpm2cpio run-init run-parts sed seq setkeycodes setpriv setsid sh sha1sum sha256sum sha3sum sha512sum shred shuf sleep sort ssl_client
start-stop-daemon stat strings stty svc svok swapoff swapon switch_root sync sysctl syslogd tac tail tar taskset tee telnet test tftp time timeout top touch tr traceroute traceroute6 true
truncate ts tty ubirename udhcpc udhcpd uevent umount uname uncompress unexpand uniq unix2dos unlink unlzma unshare unxz unzip uptime usleep uudecode uuencode vconfig vi w watch watchdog
wc wget which who whoami xargs xxd xz xzcat yes zcat`)

const busyboxBanner = `BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.
`

const busyboxText = busyboxBanner + `BusyBox is copyrighted by many authors between 1998-2015.
Licensed under GPLv2. See source distribution for detailed
copyright notices.

Usage: busybox [function [arguments]...]
   or: busybox --list[-full]
   or: busybox --show SCRIPT
   or: busybox --install [-s] [DIR]
   or: function [arguments]...

	BusyBox is a multi-call binary that combines many common Unix
	utilities into a single executable.  Most people will create a
	link to busybox for each function they wish to use and BusyBox
	will act like whatever it was invoked as.

Currently defined functions:
`

// appletList writes the names in lines of at most 72 columns.
func appletList() string {
	var b strings.Builder
	line := "\t"
	col := 8
	for i, a := range applets {
		item := a
		if i < len(applets)-1 {
			item += ","
		}
		if col+1+len(item) > 79 {
			b.WriteString(line + "\n")
			line, col = "\t", 8
		}
		if line != "\t" {
			line += " "
			col++
		}
		line += item
		col += len(item)
	}
	b.WriteString(line + "\n")
	return b.String()
}

func busybox(p *Proc) int {
	args := p.Args[1:]
	if len(args) == 0 || args[0] == "--help" && len(args) == 1 {
		p.print(busyboxText + appletList())
		return 0
	}
	switch args[0] {
	case "--list":
		p.print(joinLines(applets))
		return 0
	case "--list-full":
		for _, a := range applets {
			p.print("usr/bin/" + a + "\n")
		}
		return 0
	case "--help":
		args = append(args[1:], "--help")
	case "--install":
		return 0
	}
	name := args[0]
	if !slices.Contains(applets, base(name)) {
		p.complain(name + ": applet not found\n")
		return 127
	}
	if len(args) == 2 && args[1] == "--help" {
		p.complain(busyboxBanner + "\nUsage: " + base(name) + " [OPTIONS]\n")
		return 0
	}
	switch base(name) {
	case "ash", "sh":
		return p.spawn(append([]string{"sh"}, args[1:]...), nil)
	}
	c := byName(base(name))
	if c == nil {
		p.Watch.Unsupported("busybox " + name)
		return 1
	}
	p.flush()
	child := *p
	child.Args, child.out = args, nil
	child.applet = true
	child.Stderr = &appletWords{to: p.Stderr, name: base(name)}
	return appletStatus(base(name), run(base(name), c, &child))
}

// appletStatus is how an applet ends where the program of its name ends with 2:
// BusyBox knows hardly any status but 1.
func appletStatus(name string, status int) int {
	if status == 2 && (name == "ls" || name == "tar" || name == "sort") {
		return 1
	}
	return status
}
