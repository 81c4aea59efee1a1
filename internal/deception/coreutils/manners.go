package coreutils

import "strings"

// A manner is what a program adds to the message about a wrong option, and the
// status it ends with.
type manner struct {
	after  string
	status int
}

// usages are the first lines of usage texts that go to standard output.
var usages = map[string]string{
	"hostname": "Usage: hostname [-b] {hostname|-F file}         set host name (from file)\n",
	"nano":     "Type 'nano -h' for a list of available options.\n",
	"route":    "Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables\n",
	"sysctl":   "\nUsage:\n sysctl [options] [variable[=value] ...]\n",
}

// manner is how the running program ends a wrong call. Of those that are not
// listed here the table of plain programs may know it.
func (p *Proc) manner() (manner, bool) {
	if m, ok := manners[p.name]; ok {
		return m, true
	}
	a, ok := plainAnswers()[p.name+" ?"]
	after, fits := strings.CutPrefix(a.errs, p.name+": unrecognized option '--nosuchopt'\n")
	return manner{after, a.status}, ok && fits
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
	"arp":         {"Usage:\n  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache\n", 3},
	"loginctl":    {"", 1},
	"nano":        {"", 1},
	"netstat":     {"usage: netstat [-vWeenNcCF] [<Af>] -r         netstat {-V|--version|-h|--help}\n", 3},
	"nc":          {ncUsage, 1},
	"ping":        {"\nUsage\n  ping [options] <destination>\n", 2},
	"route":       {"    inet (DARPA Internet) inet6 (IPv6) ax25 (AMPR AX.25) \n    netrom (AMPR NET/ROM) rose (AMPR ROSE) ipx (Novell IPX) \n    ddp (Appletalk DDP) x25 (CCITT X.25) \n", 0},
	"sysctl":      {"", 0},
	"top":         {"", 0},
	"curl":        {"curl: try 'curl --help' or 'curl --manual' for more information\n", 2},
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
	"top":         {"1bcd:e:E:HhiOn:o:p:sSu:U:Vw::", []string{"accum-time-toggle,S", "batch-mode,b", "cmdline-toggle,c", "delay=,d", "filter-any-user=,U", "filter-only-euser=,u", "idle-toggle,i", "iterations=,n", "list-fields,O", "pid=,p", "scale-summary-mem=,E", "scale-task-mem=,e", "secure-mode,s", "single-cpu-toggle,1", "sort-override=,o", "threads-show,H", "width?,w"}, -1},
	"nano":        {"ABC:DEFGHIJ:KLMNOPQ:RST:UVWX:Y:Zabcdef:ghijklmno:pqr:s:tuvwxyz0", []string{"afterends,y", "atblanks,a", "autoindent,i", "backup,B", "backupdir=,C", "boldtext,D", "bookstyle", "breaklonglines,b", "constantshow,c", "cutfromcursor,k", "emptyline,e", "fill=,r", "guidestripe=,J", "historylog,H", "ignorercfiles,I", "indicator,q", "jumpyscrolling,j", "linenumbers,l", "locking,G", "minibar,_", "mouse,m", "multibuffer,F", "noconvert,N", "nohelp,x", "nonewlines,L", "noread,n", "nowrap,w", "operatingdir=,o", "positionlog,P", "preserve,p", "quickblank,U", "quotestr=,Q", "rawsequences,K", "rcfile=,f", "rebinddelete,d", "restricted,R", "saveonexit,t", "showcursor,g", "smarthome,A", "softwrap,S", "speller=,s", "stateflags,%", "syntax=,Y", "tabsize=,T", "tabstospaces,E", "trimblanks,Z", "unix,u", "view,v", "wordbounds,W", "wordchars=,X", "zap", "zero,0"}, -1},
	"users":       {"", nil, 1},
	"script":      {"+aB:c:eE:fI:O:o:qm:T:t::Vh", []string{"append,a", "command=,c", "echo=,E", "flush,f", "force", "log-in=,I", "log-out=,O", "log-io=,B", "logging-format=,m", "log-timing=,T", "output-limit=,o", "quiet,q", "return,e", "timing?,t"}, -1},
	"run-parts":   {"+a:hu:vV", []string{"arg=,a", "debug", "exit-on-error", "list", "lsbsysinit", "new-session", "regex=", "report", "reverse", "stdin", "test", "umask=,u", "verbose,v"}, -1},
	"arp":         {"+A:H:adfp:nsei:Dvt:NVh", []string{"verbose,v", "all,a", "delete,d", "file,f", "numeric,n", "set,s", "protocol=,A", "hw-type=,H", "device=,i", "use-device,D"}, -1},
	"route":       {"+A:eCFhnN64Vv?", []string{"extend,e", "verbose,v", "numeric,n", "symbolic,N", "protocol=,A", "cache,C", "fib,F"}, -1},
	"journalctl":  {"hefo:aF:xrn::kb::D:M:S:U:u:c:t:p:g:qmNiT", []string{"no-pager", "pager-end,e", "follow,f", "force", "output=,o", "output-fields=", "all,a", "full,l", "no-full", "lines?,n", "truncate-newline", "no-tail", "new-id128", "quiet,q", "merge,m", "this-boot,b", "boot?,b", "list-boots", "dmesg,k", "system", "user", "directory=,D", "file=", "root=", "image=", "header", "identifier=,t", "priority=,p", "facility=", "grep=,g", "case-sensitive?", "cursor=,c", "cursor-file=", "after-cursor=", "show-cursor", "since=,S", "until=,U", "unit=,u", "user-unit=", "field=,F", "fields,N", "catalog,x", "list-catalog", "dump-catalog", "update-catalog", "reverse,r", "machine=,M", "utc", "flush", "relinquish-var", "smart-relinquish-var", "sync", "rotate", "vacuum-size=", "vacuum-files=", "vacuum-time=", "no-hostname", "namespace=", "disk-usage", "verify", "verify-key=", "setup-keys", "interval="}, -1},
	"systemctl":   {"ht:p:P:alqfs:H:M:n:o:iTr.::", []string{"type=,t", "property=,p", "all,a", "reverse", "after", "before", "show-types", "failed", "full,l", "job-mode=", "ignore-inhibitors,i", "check-inhibitors=", "no-wall", "value", "user", "system", "global", "wait", "no-block", "no-legend", "legend=", "no-pager", "no-reload", "kill-who=", "kill-whom=", "signal=,s", "no-ask-password", "host=,H", "machine=,M", "runtime", "now", "lines=,n", "output=,o", "plain", "state=", "recursive,r", "preset-mode=", "firmware-setup", "boot-loader-menu=", "boot-loader-entry=", "quiet,q", "root=", "image=", "force,f", "with-dependencies", "dry-run", "read-only", "mkdir", "message=", "show-transaction,T", "timestamp=", "marked", "what=", "no-warn"}, -1},
	"nproc":       {"", []string{"all", "ignore="}, 0},
	"sync":        {"df", []string{"data,d", "file-system,f"}, -1},
	"umount":      {"aAcdfhilnO:qrRt:vVN:", []string{"all,a", "force,f", "lazy,l", "recursive,R", "read-only,r", "types=,t", "verbose,v", "quiet,q", "fake", "no-mtab,n", "detach-loop,d"}, -1},
	"lsblk":       {"abdDe:fhJlmMnNOo:pPrSsTtVvw:x:yzE:AI:", []string{"all,a", "bytes,b", "nodeps,d", "discard,D", "exclude=,e", "fs,f", "json,J", "list,l", "perms,m", "noheadings,n", "output=,o", "output-all,O", "paths,p", "pairs,P", "raw,r", "scsi,S", "inverse,s", "tree?,T", "topology,t", "sort=,x"}, -1},
	"blkid":       {"c:DdgH:hilL:n:ko:O:ps:S:t:u:U:w:Vv", []string{"match-tag=,s", "match-token=,t", "output=,o", "probe,p", "info,i", "uuid=,U", "label=,L", "list-one,l"}, -1},
	"findmnt":     {"AacCbDd:eF:fhikJlmM:no:O:p::PrRsS:T:t:uUvVxyN:w:", []string{"all,A", "ascii,a", "output=,o", "noheadings,n", "target=,T", "types=,t", "source=,S", "raw,r", "json,J", "list,l", "first-only,f", "df,D", "fstab,s", "kernel,k", "mtab,m"}, -1},
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
		if m, other := p.manner(); other {
			p.complain(m.after)
			panic(stop{m.status})
		}
		return p.try(0) != 0
	}
	return ok
}
