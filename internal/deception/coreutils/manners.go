package coreutils

// A manner is what a program adds to the message about a wrong option, and the
// status it ends with.
type manner struct {
	after  string
	status int
}

// manners of the programs that do otherwise than "Try 'x --help' for more
// information." and status 1. Of a long usage text only its first line is kept.
var manners = map[string]manner{
	"ar":          {"Usage: ar [emulation options] [-]{dmpqrstx}[abcDfilMNoOPsSTuvV] [--plugin <name>] [member-name] [count] archive-file file...\n", 1},
	"chage":       {"Usage: chage [options] LOGIN\n", 2},
	"chfn":        {"Usage: chfn [options] [LOGIN]\n", 2},
	"chpasswd":    {"Usage: chpasswd [options]\n", 2},
	"faillog":     {"Usage: faillog [options]\n", 2},
	"gpasswd":     {"Usage: gpasswd [option] GROUP\n", 2},
	"groupdel":    {"Usage: groupdel [options] GROUP\n", 2},
	"groupmod":    {"Usage: groupmod [options] GROUP\n", 2},
	"login":       {"Usage: login [-p] [name]\n       login [-p] [-h host] [-f name]\n", 1},
	"pwck":        {"Usage: pwck [options] [passwd [shadow]]\n", 1},
	"vigr":        {"Usage: vigr [options]\n", 1},
	"vipw":        {"Usage: vipw [options]\n", 1},
	"visudo":      {"usage: visudo [-chqsV] [[-f] sudoers ]\n", 1},
	"chroot":      {"Try 'chroot --help' for more information.\n", 125},
	"chsh":        {"Usage: chsh [options] [LOGIN]\n", 2},
	"clear":       {"Usage: clear [options]\n", 1},
	"cmp":         {"cmp: Try 'cmp --help' for more information.\n", 2},
	"crontab":     {"crontab: usage error: unrecognized option\nusage:\tcrontab [-u user] [-n] file\n", 1},
	"curl":        {"curl: try 'curl --help' or 'curl --manual' for more information\n", 2},
	"diff":        {"diff: Try 'diff --help' for more information.\n", 2},
	"env":         {"Try 'env --help' for more information.\n", 125},
	"flock":       {"Try 'flock --help' for more information.\n", 64},
	"free":        {"\nUsage:\n free [options]\n", 1},
	"getent":      {"Try `getent --help' or `getent --usage' for more information.\n", 64},
	"grep":        {"Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n", 2},
	"groupadd":    {"Usage: groupadd [options] GROUP\n", 2},
	"gzip":        {"Try `gzip --help' for more information.\n", 1},
	"iconv":       {"Try `iconv --help' or `iconv --usage' for more information.\n", 64},
	"locale":      {"Try `locale --help' or `locale --usage' for more information.\n", 64},
	"lsattr":      {"Usage: lsattr [-RVadlpv] [files...]\n", 1},
	"make":        {"Usage: make [options] [target] ...\n", 2},
	"man":         {"Try 'man --help' or 'man --usage' for more information.\n", 1},
	"nc":          {"usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n", 1},
	"nice":        {"Try 'nice --help' for more information.\n", 125},
	"nm":          {"Usage: nm [option(s)] [file(s)]\n", 1},
	"nohup":       {"Try 'nohup --help' for more information.\n", 125},
	"objdump":     {"Usage: objdump <option(s)> <file(s)>\n", 1},
	"passwd":      {"Usage: passwd [options] [LOGIN]\n", 6},
	"pgrep":       {"\nUsage:\n pgrep [options] <pattern>\n", 2},
	"pidof":       {"", 1},
	"pkill":       {"\nUsage:\n pkill [options] <pattern>\n", 2},
	"printenv":    {"Try 'printenv --help' for more information.\n", 2},
	"readelf":     {"Usage: readelf <option(s)> elf-file(s)\n", 1},
	"run-parts":   {"Try `run-parts --help' for more information.\n", 1},
	"sed":         {"Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n", 1},
	"sort":        {"Try 'sort --help' for more information.\n", 2},
	"ss":          {"Usage: ss [ OPTIONS ]\n", 255},
	"stdbuf":      {"Try 'stdbuf --help' for more information.\n", 125},
	"strings":     {"Usage: strings [option(s)] [file(s)]\n", 1},
	"strip":       {"Usage: strip <option(s)> in-file(s)\n", 1},
	"sudo":        {"usage: sudo -h | -K | -k | -V\n", 1},
	"tar":         {"Try 'tar --help' or 'tar --usage' for more information.\n", 64},
	"timeout":     {"Try 'timeout --help' for more information.\n", 125},
	"tput":        {"Usage: tput [options] [command]\n", 2},
	"tty":         {"Try 'tty --help' for more information.\n", 2},
	"uptime":      {"\nUsage:\n uptime [options]\n", 1},
	"useradd":     {"Usage: useradd [options] LOGIN\n", 2},
	"userdel":     {"Usage: userdel [options] LOGIN\n", 2},
	"usermod":     {"Usage: usermod [options] LOGIN\n", 2},
	"vmstat":      {"\nUsage:\n vmstat [options] [delay [count]]\n", 1},
	"w":           {"\nUsage:\n w [options] [user]\n", 1},
	"watch":       {"\nUsage:\n watch [options] command\n", 1},
	"ls":          {"Try 'ls --help' for more information.\n", 2},
	"dir":         {"Try 'dir --help' for more information.\n", 2},
	"vdir":        {"Try 'vdir --help' for more information.\n", 2},
	"journalctl":  {"", 1},
	"hostnamectl": {"", 1},
	"timedatectl": {"", 1},
	"ifconfig":    {"ifconfig: `--help' gives usage information.\n", 1},
	"systemctl":   {"", 1},
	"wget":        {"Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n", 2},
	"hostname":    {"", 255},
}

// A strictness is what a program takes: its option letters, its long options and
// how many operands; -1 is any number.
type strictness struct {
	letters string
	long    []string
	most    int
}

// strict are programs whose own code here looks at options only to do what they
// say: a wrong option or one operand too many is refused before they begin.
var strict = map[string]strictness{
	"arch":        {"", nil, 0},
	"tty":         {"s", []string{"silent,s", "quiet,s"}, 0},
	"yes":         {"+", nil, -1},
	"printenv":    {"+0", []string{"null,0"}, -1},
	"clear":       {"T:Vx", nil, -1},
	"more":        {"dflcpsun:eV", []string{"silent,d", "logical,f", "no-pause,l", "print-over,c", "clean-print,p", "squeeze,s", "plain,u", "lines=,n", "exit-on-eof,e"}, -1},
	"logname":     {"", nil, 0},
	"hostid":      {"", nil, 0},
	"users":       {"", nil, 1},
	"nproc":       {"", []string{"all", "ignore="}, 0},
	"sync":        {"df", []string{"data,d", "file-system,f"}, -1},
	"umount":      {"aAcdfhilnO:qrRt:vVN:", []string{"all,a", "force,f", "lazy,l", "recursive,R", "read-only,r", "types=,t", "verbose,v", "quiet,q", "fake", "no-mtab,n", "detach-loop,d"}, -1},
	"lsblk":       {"abdDe:fhJlmMnNOo:pPrSsTtVvw:x:yzE:AI:", []string{"all,a", "bytes,b", "nodeps,d", "discard,D", "exclude=,e", "fs,f", "json,J", "list,l", "perms,m", "noheadings,n", "output=,o", "output-all,O", "paths,p", "pairs,P", "raw,r", "scsi,S", "inverse,s", "tree?,T", "topology,t", "sort=,x"}, -1},
	"blkid":       {"c:DdgH:hilL:n:ko:O:ps:S:t:u:U:w:Vv", []string{"match-tag=,s", "match-token=,t", "output=,o", "probe,p", "info,i", "uuid=,U", "label=,L", "list-one,l"}, -1},
	"findmnt":     {"AacCbDdeEF:fhiJlmMno:O:PpQ:rRSsT:t:uUvVxN:w:", []string{"all,A", "ascii,a", "output=,o", "noheadings,n", "target=,T", "types=,t", "source=,S", "raw,r", "json,J", "list,l", "first-only,f", "df,D", "fstab,s", "kernel,k", "mtab,m"}, -1},
	"swapon":      {"ad::ef:hL:o:p:s::T:U:vVw:", []string{"all,a", "discard?,d", "ifexists,e", "fixpgsz,f", "options=,o", "priority=,p", "show?", "summary,s", "verbose,v", "noheadings", "raw", "bytes"}, -1},
	"vmstat":      {"afmnsdDp:S:wtVyh", []string{"active,a", "forks,f", "slabs,m", "one-header,n", "stats,s", "disk,d", "disk-sum,D", "partition=,p", "unit=,S", "wide,w", "timestamp,t", "no-first,y"}, -1},
	"wall":        {"g:nt:Vh", []string{"nobanner,n", "timeout=,t", "group=,g"}, -1},
	"write":       {"Vh", nil, -1},
	"logger":      {"ef:i::n:p:P:st:u:dTVh", []string{"file=,f", "id?", "server=,n", "priority=,p", "port=,P", "stderr,s", "tag=,t", "socket=,u", "udp,d", "tcp,T", "skip-empty,e", "no-act", "size=", "msgid=", "rfc3164", "rfc5424?", "prio-prefix", "socket-errors?", "journald?", "octet-count", "sd-id=", "sd-param="}, -1},
	"hostnamectl": {"hH:M:j", []string{"no-ask-password", "host=,H", "machine=,M", "transient", "static", "pretty", "json="}, -1},
	"timedatectl": {"hH:M:ap:", []string{"no-pager", "no-ask-password", "host=,H", "machine=,M", "adjust-system-clock", "monitor", "property=,p", "all,a", "value"}, -1},
}

// obeys refuses what a strict program does not take.
func (p *Proc) obeys(s strictness) bool {
	_, args, ok := p.getopt(s.letters, s.long...)
	if ok && s.most >= 0 && len(args) > s.most {
		p.errorf("extra operand %s", p.q(args[s.most]))
		if m, other := manners[p.name]; other {
			p.complain(m.after)
			panic(stop{m.status})
		}
		return p.try(0) != 0
	}
	return ok
}
