package coreutils

import (
	"slices"
	"strings"
)

// e2fsBanner is what the tools of ext file systems say first.
const e2fsBanner = " 1.47.0 (5-Feb-2023)\n"

func storageCommands(name string) Command {
	switch name {
	case "mkfs.ext2", "mkfs.ext3", "mkfs.ext4", "mke2fs", "tune2fs", "e2label", "dumpe2fs", "resize2fs", "e2fsck", "fsck.ext2", "fsck.ext3", "fsck.ext4":
		return e2fsTool
	case "fsck":
		return fsck
	case "losetup":
		return losetup
	case "fstrim":
		return fstrim
	case "getcap":
		return getcap
	}
	return nil
}

// bareWords are the words of a command line that are not options; letters are
// the options that take a word.
func (p *Proc) bareWords(letters string) (out []string) {
	for i := 1; i < len(p.Args); i++ {
		switch a := p.Args[i]; {
		case len(a) == 2 && a[0] == '-' && strings.Contains(letters, a[1:]):
			i++
		case strings.HasPrefix(a, "-"):
		default:
			out = append(out, a)
		}
	}
	return out
}

// e2fsTool is the family of e2fsprogs: a device that is not there or holds no
// ext file system is told of in each one's words.
func e2fsTool(p *Proc) int {
	args := p.bareWords("bCiIJGNdmogLMOrETUezcfjuQ")
	if len(args) == 0 || slices.Contains(p.Args, "-V") {
		return plain(p)
	}
	dev, banner := args[0], p.name+e2fsBanner
	_, err := p.stat(dev)
	what := "Bad magic number in super-block"
	if err != nil {
		what = why(err)
	}
	p.Watch.Unsupported(p.name)
	opening := p.name + ": " + what + " while trying to open " + dev + "\nCouldn't find valid filesystem superblock.\n"
	switch p.name {
	case "tune2fs":
		p.print(banner)
		p.complain(opening)
	case "e2label":
		p.complain(opening)
	case "dumpe2fs":
		p.complain(banner + p.name + ": " + what + " while trying to open " + dev + "\n")
		p.print("Couldn't find valid filesystem superblock.\n")
		return 2 - map[bool]int{true: 1}[err == nil]
	case "resize2fs":
		p.complain(banner)
		if err != nil {
			p.complain("open: " + what + " while opening " + dev + "\n")
		} else {
			p.complain("resize2fs: " + what + " while trying to open " + dev + "\nCouldn't find valid filesystem superblock.\n")
		}
	case "e2fsck", "fsck.ext2", "fsck.ext3", "fsck.ext4":
		p.complain("e2fsck" + e2fsBanner + "e2fsck: need terminal for interactive repairs\n")
		return 8
	default:
		p.complain("mke2fs" + e2fsBanner)
		if err != nil && len(args) == 1 {
			p.complain("The file " + dev + " does not exist and no size was specified.\n")
		} else {
			p.complain(dev + " is apparently in use by the system; will not make a filesystem here!\n")
		}
	}
	return 1
}

// fsck finds nothing to check: what it is given stands in no fstab.
func fsck(p *Proc) int {
	if _, ok := plainAnswers()["fsck 0"]; ok && len(p.Args) == 2 && strings.HasPrefix(p.Args[1], "--") {
		return plain(p)
	}
	p.print("fsck from util-linux 2.38.1\n")
	return 0
}

// losetup knows no loop device: the module is not loaded.
func losetup(p *Proc) int {
	opts, args, ok := p.getopt("aAb:c:d:Dfhj:JlLno:O:PrvV", "all,a", "detach=,d", "detach-all,D", "find,f", "list,l", "associated=,j", "offset=,o", "output=,O", "partscan,P", "read-only,r", "show", "noheadings,n", "sizelimit=")
	if !ok {
		return 1
	}
	for _, o := range opts {
		if o.name == "d" {
			args = []string{o.val}
		}
		if o.name == "f" {
			p.complain("losetup: cannot find an unused loop device: No such device\n")
			return 1
		}
	}
	if len(args) > 0 {
		p.complain("losetup: " + args[0] + ": failed to use device: No such device\n")
		return 1
	}
	return 0
}

func fstrim(p *Proc) int {
	args := p.bareWords("olmI")
	switch {
	case slices.ContainsFunc(p.Args[1:], func(a string) bool { return a == "-V" || strings.HasPrefix(a, "--") }):
		return plain(p)
	case len(args) == 0 && len(p.Args) > 1:
		return 0
	case len(args) == 0:
		p.errorf("no mountpoint specified")
		return 1
	}
	i, err := p.stat(args[0])
	switch {
	case err != nil:
		p.errorf("stat of %s failed: %s", args[0], why(err))
	case !i.IsDir():
		p.errorf("%s: not a directory", args[0])
	default:
		p.errorf("%s: the discard operation is not supported", args[0])
	}
	return 1
}

// fileCapabilities are those of Debian 12's packages, as getcap shows them.
var fileCapabilities = map[string]string{"/usr/bin/ping": "cap_net_raw=ep"}

func getcap(p *Proc) int {
	args := p.bareWords("")
	if len(args) == 0 {
		return plain(p)
	}
	recursive := slices.ContainsFunc(p.Args, func(a string) bool { return strings.HasPrefix(a, "-") && strings.Contains(a, "r") })
	for _, a := range args {
		i, err := p.stat(a)
		switch {
		case err != nil:
			p.flush()
			p.complain(a + " (" + why(err) + ")\n")
		case recursive && i.IsDir():
			for file, caps := range fileCapabilities {
				if under := strings.TrimSuffix(i.Path, "/") + "/"; strings.HasPrefix(file, under) {
					p.print(strings.TrimSuffix(a, "/") + "/" + strings.TrimPrefix(file, under) + " " + caps + "\n")
				}
			}
		case fileCapabilities[i.Path] != "":
			p.print(a + " " + fileCapabilities[i.Path] + "\n")
		}
	}
	return 0
}
