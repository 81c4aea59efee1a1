package coreutils

func sumCommands(name string) Command {
	switch name {
	case "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum", "cksum":
		return checksum
	case "base64", "base32", "basenc":
		return baseCmd
	case "shasum":
		return shasum
	}
	return nil
}

// shasum is Perl's: the sums of the SHA family in md5sum's form.
func shasum(p *Proc) int {
	opts, args, ok := p.getopt("a:btUcswqh0", "algorithm=,a", "binary,b", "text,t", "check,c", "quiet", "status", "strict", "warn,w", "tag", "ignore-missing")
	if !ok {
		return 1
	}
	s := &summing{p: p, algorithm: "sha1", size: 64, flags: letters(opts), end: "\n"}
	for _, o := range opts {
		if o.name != "a" {
			continue
		}
		if s.algorithm = "sha" + o.val; digests[s.algorithm].make == nil {
			if o.val != "1" {
				p.complain("shasum: Unrecognized algorithm\nType shasum -h for help\n")
				return 1
			}
		}
	}
	s.tagged = s.flags["tag"]
	if s.flags["c"] {
		return s.check(args)
	}
	return s.run(args)
}
