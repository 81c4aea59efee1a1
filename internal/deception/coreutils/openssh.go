package coreutils

import "strings"

// Options of OpenSSH 9.2's programs as its getopt takes them.
const (
	sshLetters = "1246ab:c:e:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:PQ:R:S:TVw:W:XYy"
)

// sshUsages are the first lines of the programs' usage texts.
var sshUsages = map[string]string{
	"ssh":        "usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]\n",
	"scp":        "usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]\n           [-P port] [-S program] [-X sftp_option] source ... target\n",
	"ssh-keygen": keygenUsage,
}

// sshOptions splits a command line as OpenSSH's own getopt does: long options do
// not exist, options end at the first operand, and what it says ends in CR LF.
func (p *Proc) sshOptions(spec string) (opts []opt, operands []string, ok bool) {
	args := p.Args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		a := args[0][1:]
		args = args[1:]
		if a == "-" {
			break
		}
		for a != "" {
			c := a[:1]
			a = a[1:]
			i := strings.Index(spec, c)
			if i < 0 || c == ":" {
				return nil, nil, p.sshRefuse("unknown option -- " + c)
			}
			if !strings.HasPrefix(spec[i+1:], ":") {
				opts = append(opts, opt{name: c})
				continue
			}
			if a == "" {
				if len(args) == 0 {
					return nil, nil, p.sshRefuse("option requires an argument -- " + c)
				}
				a, args = args[0], args[1:]
			}
			opts = append(opts, opt{c, a})
			a = ""
		}
	}
	return opts, args, true
}

// sshRefuse says what is wrong with a command line, and is false.
func (p *Proc) sshRefuse(what string) bool {
	if p.name == "scp" {
		what = "scp: " + what
	}
	p.complain(what + "\r\n" + sshUsages[p.name])
	return false
}
