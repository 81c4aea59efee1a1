package coreutils

import (
	"slices"
	"strings"

	"honeyguide/internal/deception/machine"
)

func mount(p *Proc) int {
	opts, args, ok := p.getopt("aBcfFhilnMo:O:rRsT:t:vVwL:U:", "all,a", "bind,B", "options=,o", "types=,t", "read-only,r", "verbose,v", "fake,f", "move,M", "rbind,R", "label=,L", "uuid=,U")
	if !ok {
		return 1
	}
	types := ""
	for _, o := range opts {
		switch o.name {
		case "t":
			types = o.val
		case "a":
			return 0
		}
	}
	if len(args) == 0 {
		for _, m := range p.machine().Mounts {
			if types == "" || slices.Contains(strings.Split(types, ","), m.Type) {
				p.printf("%s on %s type %s (%s)\n", m.Source, m.Target, m.Type, m.Options)
			}
		}
		return 0
	}
	if p.Cred.UID != 0 {
		p.complain("mount: " + args[len(args)-1] + ": must be superuser to use mount.\n       dmesg(1) may have more information after failed mount system call.\n")
		return 1
	}
	target := args[len(args)-1]
	if len(args) == 1 {
		for _, o := range opts {
			if o.name == "o" && strings.Contains(o.val, "remount") {
				return 0
			}
		}
		p.errorf("%s: can't find in /etc/fstab.", target)
		return 1
	}
	if i, err := p.stat(target); err != nil || !i.IsDir() {
		p.complain("mount: " + target + ": mount point does not exist.\n       dmesg(1) may have more information after failed mount system call.\n")
		return 32
	}
	if _, err := p.stat(args[0]); err != nil && types == "" {
		p.complain("mount: " + target + ": special device " + args[0] + " does not exist.\n       dmesg(1) may have more information after failed mount system call.\n")
		return 32
	}
	return 0
}

func umount(p *Proc) int {
	var args []string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			args = append(args, a)
		}
	}
	for _, a := range args {
		if p.Cred.UID != 0 {
			p.errorf("%s: must be superuser to unmount.", a)
			return 32
		}
		i, err := p.stat(a)
		mounted := slices.ContainsFunc(p.machine().Mounts, func(m machine.Mount) bool { return err == nil && m.Target == i.Path })
		switch {
		case p.name != "umount":
		case err != nil:
			p.errorf("%s: no mount point specified.", a)
			return 32
		case !mounted:
			p.errorf("%s: not mounted.", a)
			return 32
		default:
			p.errorf("%s: target is busy.", a)
			return 32
		}
	}
	return 0
}

func lsblk(p *Proc) int {
	p.print("NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n")
	short := func(n int64) string {
		s := humanSize(n, false)
		return strings.TrimSuffix(s, ".0"+s[len(s)-1:]) + map[bool]string{true: s[len(s)-1:]}[strings.HasSuffix(s, ".0"+s[len(s)-1:])]
	}
	for _, d := range p.machine().Disks {
		p.printf("%-6s %3d:%-3d  0 %4s  0 disk \n", d.Name, d.Major, 0, short(d.Size))
		for i, part := range d.Parts {
			branch := "├─"
			if i == len(d.Parts)-1 {
				branch = "└─"
			}
			if !p.utf8() {
				branch = map[bool]string{true: "`-", false: "|-"}[i == len(d.Parts)-1]
			}
			p.printf("%s%s %3d:%-3s  0 %4s  0 part %s\n", branch, part.Name, d.Major, strings.TrimPrefix(part.Name, d.Name), short(part.Size), part.Mount)
		}
	}
	return 0
}

func blkid(p *Proc) int {
	if p.name == "blkid" {
		return p.blockIDs()
	}
	if p.Cred.UID != 0 {
		return 2
	}
	for _, d := range p.machine().Disks {
		if p.name == "fdisk" {
			p.printf("Disk /dev/%s: %d GiB, %d bytes, %d sectors\nUnits: sectors of 1 * 512 = 512 bytes\nSector size (logical/physical): 512 bytes / 512 bytes\nI/O size (minimum/optimal): 512 bytes / 512 bytes\nDisklabel type: dos\nDisk identifier: 0x%08x\n\nDevice     Boot    Start       End   Sectors  Size Id Type\n", d.Name, d.Size>>30, d.Size, d.Size/512, uint32(p.machine().Seed))
		}
		for _, part := range d.Parts {
			switch {
			case p.name == "fdisk":
				p.printf("/dev/%-6s %-2s %9d %9d %9d %4s %2s %s\n", part.Name, map[bool]string{true: "*"}[part.Mount == "/"], part.Start/512, (part.Start+part.Size)/512-1, part.Size/512, humanSize(part.Size, false), map[string]string{"ext4": "83", "swap": "82", "": "5"}[part.Type], map[string]string{"ext4": "Linux", "swap": "Linux swap / Solaris", "": "Extended"}[part.Type])
			case part.UUID != "":
				p.printf("/dev/%s: UUID=\"%s\" BLOCK_SIZE=\"4096\" TYPE=\"%s\" PARTUUID=\"%08x-0%s\"\n", part.Name, part.UUID, part.Type, uint32(p.machine().Seed), part.Name[len(part.Name)-1:])
			}
		}
	}
	return 0
}
