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
	"ar":         {"Usage: ar [emulation options] [-]{dmpqrstx}[abcDfilMNoOPsSTuvV] [--plugin <name>] [member-name] [count] archive-file file...\n", 1},
	"chage":      {"Usage: chage [options] LOGIN\n", 2},
	"chfn":       {"Usage: chfn [options] [LOGIN]\n", 2},
	"chpasswd":   {"Usage: chpasswd [options]\n", 2},
	"chroot":     {"Try 'chroot --help' for more information.\n", 125},
	"chsh":       {"Usage: chsh [options] [LOGIN]\n", 2},
	"clear":      {"Usage: clear [options]\n", 1},
	"cmp":        {"cmp: Try 'cmp --help' for more information.\n", 2},
	"crontab":    {"crontab: usage error: unrecognized option\nusage:\tcrontab [-u user] [-n] file\n", 1},
	"diff":       {"diff: Try 'diff --help' for more information.\n", 2},
	"env":        {"Try 'env --help' for more information.\n", 125},
	"flock":      {"Try 'flock --help' for more information.\n", 64},
	"free":       {"\nUsage:\n free [options]\n", 1},
	"getent":     {"Try `getent --help' or `getent --usage' for more information.\n", 64},
	"grep":       {"Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n", 2},
	"groupadd":   {"Usage: groupadd [options] GROUP\n", 2},
	"gzip":       {"Try `gzip --help' for more information.\n", 1},
	"iconv":      {"Try `iconv --help' or `iconv --usage' for more information.\n", 64},
	"locale":     {"Try `locale --help' or `locale --usage' for more information.\n", 64},
	"lsattr":     {"Usage: lsattr [-RVadlpv] [files...]\n", 1},
	"make":       {"Usage: make [options] [target] ...\n", 2},
	"man":        {"Try 'man --help' or 'man --usage' for more information.\n", 1},
	"nice":       {"Try 'nice --help' for more information.\n", 125},
	"nm":         {"Usage: nm [option(s)] [file(s)]\n", 1},
	"nohup":      {"Try 'nohup --help' for more information.\n", 125},
	"objdump":    {"Usage: objdump <option(s)> <file(s)>\n", 1},
	"passwd":     {"Usage: passwd [options] [LOGIN]\n", 6},
	"pgrep":      {"\nUsage:\n pgrep [options] <pattern>\n", 2},
	"pidof":      {"", 1},
	"pkill":      {"\nUsage:\n pkill [options] <pattern>\n", 2},
	"printenv":   {"Try 'printenv --help' for more information.\n", 2},
	"readelf":    {"Usage: readelf <option(s)> elf-file(s)\n", 1},
	"run-parts":  {"Try `run-parts --help' for more information.\n", 1},
	"sed":        {"Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n", 1},
	"sort":       {"Try 'sort --help' for more information.\n", 2},
	"ss":         {"Usage: ss [ OPTIONS ]\n", 255},
	"stdbuf":     {"Try 'stdbuf --help' for more information.\n", 125},
	"strings":    {"Usage: strings [option(s)] [file(s)]\n", 1},
	"strip":      {"Usage: strip <option(s)> in-file(s)\n", 1},
	"sudo":       {"usage: sudo -h | -K | -k | -V\n", 1},
	"tar":        {"Try 'tar --help' or 'tar --usage' for more information.\n", 64},
	"timeout":    {"Try 'timeout --help' for more information.\n", 125},
	"tput":       {"Usage: tput [options] [command]\n", 2},
	"tty":        {"Try 'tty --help' for more information.\n", 2},
	"uptime":     {"\nUsage:\n uptime [options]\n", 1},
	"useradd":    {"Usage: useradd [options] LOGIN\n", 2},
	"userdel":    {"Usage: userdel [options] LOGIN\n", 2},
	"usermod":    {"Usage: usermod [options] LOGIN\n", 2},
	"vmstat":     {"\nUsage:\n vmstat [options] [delay [count]]\n", 1},
	"w":          {"\nUsage:\n w [options] [user]\n", 1},
	"watch":      {"\nUsage:\n watch [options] command\n", 1},
	"ls":         {"Try 'ls --help' for more information.\n", 2},
	"dir":        {"Try 'dir --help' for more information.\n", 2},
	"vdir":       {"Try 'vdir --help' for more information.\n", 2},
	"journalctl": {"", 1},
	"systemctl":  {"", 1},
	"wget":       {"Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n", 2},
	"hostname":   {"", 255},
}

// strict are programs that look at their options only for a wrong one.
var strict = map[string]struct {
	letters string
	long    []string
}{
	"arch":     {},
	"tty":      {"s", []string{"silent,s", "quiet,s"}},
	"yes":      {"+", nil},
	"printenv": {"+0", []string{"null,0"}},
	"clear":    {"T:Vx", nil},
	"more":     {"dflcpsun:eV", []string{"silent,d", "logical,f", "no-pause,l", "print-over,c", "clean-print,p", "squeeze,s", "plain,u", "lines=,n", "exit-on-eof,e"}},
}
