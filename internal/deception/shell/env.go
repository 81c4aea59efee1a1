package shell

import (
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/lineedit"
	"honeyguide/internal/deception/vfs"
)

// A dialect is which shell a process pretends to be.
type dialect uint8

const (
	bash dialect = iota
	dash
	ash // BusyBox
)

// An env is one shell process: the login shell, a subshell, a script.
type env struct {
	k  *kernel
	fs *vfs.FS

	dialect     dialect
	name        string // $0
	flags       string // of $-
	login       bool
	interactive bool
	command     bool // bash -c
	jobControl  bool

	parent          *env
	task            *task // on which it runs; nil is the session's own goroutine
	pid, ppid, self int   // self is $$; pid differs in subshells
	level           int   // subshells around
	substLevel      int   // command substitutions around, for set -x
	parentPID       int   // of the process that forked this one
	cred            vfs.Cred
	user, home      string

	vars   map[string]*variable
	shared bool // vars is also another process's: copy before writing
	funcs  map[string]*function
	fshare bool
	alias  map[string]string
	paths  map[string]*hashedCommand
	off    map[string]bool // builtins switched off
	opts   option
	shopts shopts
	params []string
	cwd    string
	umask  uint32
	dirs   []string
	fds    fdTable
	traps  map[string]string
	plain  map[string]bool // special variables that were unset; never written once it is here
	mine   *mark

	status    int
	pipes     []int // PIPESTATUS
	last      string
	lastPID   int
	line      int
	unit      *unit
	frames    []frame
	flow      flow
	flowN     int
	loops     int
	quiet     int // inside a condition: set -e does not act
	scratch   int // bytes charged for values in flight
	held      int // bytes charged for variables
	varTop    int // variables charged for
	sourced   int
	trapping  bool
	debugging bool // the DEBUG trap runs
	optPos    int  // getopts: position inside a word
	began     time.Time
	secs      int64
	jobs      *jobs
	hist      *history
	substs    []func() // process substitutions of the running command
	ended     bool

	ranSubst   bool        // a command substitution ran in this command
	pending    []string    // traps of signals that came
	oldTraps   [][2]string // of the parent, which trap -p still shows
	inCommand  bool        // a program runs as this process or for it
	seed       uint32      // of RANDOM
	seeded     bool
	specs      map[string]*compspec // of complete; never written once it is here
	keymaps    *lineedit.Keymaps    // what bind changed; nil is nothing
	editVars   map[string]string    // variables of the line editor that were set; never written once it is here
	oldJobs    *jobs                // of the parent, which jobs still lists
	again      bool                 // fc -s runs its line
	noEditing  bool                 // bash --noediting
	norc       bool                 // bash --norc
	rcfile     string               // bash --rcfile
	restricted bool                 // rbash
	quietly    bool                 // logout says nothing
	commands   int                  // lines run, for \# in a prompt
	coprocs    []coprocess
	script     string // the file this shell was started with

	pendingSignal int          // the last that came
	killed        int          // by this signal, for the parent to tell
	at            *syntax.Stmt // being run
	cmdAt         *syntax.Stmt // what BASH_COMMAND shows
	cmdUnit       *unit
	cmdWords      string
	limits        map[byte]ceiling // those that were changed; never written once it is here
	askedExit     bool
	paramSize     int             // bytes charged for params
	histLoaded    int             // lines that came from HISTFILE
	inPlace       bool            // the next program takes this process's place, as exec does
	oneshot       *syntax.Stmt    // the last command of bash -c
	stepHook      func(int) error // of timeout and the like around this process
	sleepHook     func(time.Duration) error
	outErr        error     // of the running builtin's standard output
	bare          bool      // exec -c: the program finds no _ either
	until         time.Time // when this process is ended; zero never
	envLast       string    // the _ a command finds in its environment
	errName       string    // shown in messages instead of the shell's name
}

// A frame is one function call or sourced file.
type frame struct {
	name   string
	source string
	line   int // of the call
	saved  []savedVar
	fn     bool
	opts   *option // local -: put back at the end
}

// A savedVar is what a local variable hides.
type savedVar struct {
	name string
	old  *variable
}

// A function is what a definition left behind.
type function struct {
	body   *stmtRef
	source string
	export bool
	size   int // bytes charged for it
}

// A flow says what evaluation is doing besides going on.
type flow uint8

const (
	goingOn flow = iota
	breaking
	continuing
	returning
	discarding // an expansion failed: back to where lines are read
	exiting
)

// newEnv makes the session's first shell.
func (k *kernel) newEnv(name, flags string, args ...string) *env {
	o := &k.sh.opt
	e := &env{
		k: k, fs: o.FS, name: name, flags: flags, cred: o.Cred, user: o.User, umask: 0o022,
		vars: make(map[string]*variable, 40), mine: new(mark), began: o.Now(), shopts: defaultShopts, opts: optBrace | optHash | optComments,
	}
	e.home = "/root"
	if o.Host != nil {
		if u, ok := o.Host.User(o.User); ok {
			e.home = u.Home
		}
	}
	if o.User != "root" && e.home == "/root" {
		e.home = "/home/" + o.User
	}
	e.cwd = o.Dir
	if e.cwd == "" {
		e.cwd = e.home
		if e.fs != nil {
			if i, err := e.fs.Stat(e.cred, e.cwd); err != nil || !i.IsDir() {
				e.cwd = "/"
			}
		}
	}
	e.pid = k.newPID(e, o.Parent, "/usr/bin/bash", append([]string{name}, args...))
	e.self, e.ppid = e.pid, o.Parent
	if e.ppid == 0 {
		e.ppid = max(1, e.pid-1)
	}
	k.top = e
	k.lives(e)
	e.fds.low = [4]*ofile{k.stdin.hold(), k.stdout.hold(), k.stderr.hold(), nil}
	e.initialVars()
	return e
}

func (e *env) initialVars() {
	o := &e.k.sh.opt
	path := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if e.cred.UID != 0 {
		path = "/usr/local/bin:/usr/bin:/bin:/usr/games"
	}
	for _, kv := range [][2]string{
		{"USER", e.user}, {"LOGNAME", e.user}, {"HOME", e.home}, {"PATH", path}, {"SHELL", "/bin/bash"}, {"PWD", e.cwd}, {"SHLVL", "1"},
	} {
		e.vars[kv[0]] = &variable{val: kv[1], attr: exported}
	}
	if o.Src != "" {
		src, dst := cutPort(o.Src), cutPort(o.Dst)
		e.vars["SSH_CLIENT"] = &variable{val: src[0] + " " + src[1] + " " + dst[1], attr: exported}
		e.vars["SSH_CONNECTION"] = &variable{val: src[0] + " " + src[1] + " " + dst[0] + " " + dst[1], attr: exported}
	}
	if o.TTY {
		if o.Src != "" {
			e.vars["SSH_TTY"] = &variable{val: "/dev/" + e.ttyName(), attr: exported}
		}
		if o.Term != "" {
			e.vars["TERM"] = &variable{val: o.Term, attr: exported}
		}
	}
	for _, kv := range o.Env {
		if n, v, ok := strings.Cut(kv, "="); ok && isName(n) {
			e.vars[n] = &variable{val: v, attr: exported}
		}
	}
	e.fixedVars()
}

// fixedVars are what every bash sets for itself.
func (e *env) fixedVars() {
	e.vars["IFS"] = &variable{val: " \t\n"}
	e.vars["OPTIND"] = &variable{val: "1"}
	if e.dialect == bash {
		e.vars["OPTIND"].attr = integer
	}
	e.vars["PS4"] = &variable{val: "+ "}
	if e.dialect != bash {
		return
	}
	e.vars["BASH"] = &variable{val: "/usr/bin/bash"}
	e.vars["BASH_VERSION"] = &variable{val: "5.2.15(1)-release"}
	e.vars["HOSTNAME"] = &variable{val: e.hostname()}
	e.vars["OSTYPE"] = &variable{val: "linux-gnu"}
	e.vars["MACHTYPE"] = &variable{val: "x86_64-pc-linux-gnu"}
	e.vars["HOSTTYPE"] = &variable{val: "x86_64"}
	e.vars["OPTERR"] = &variable{val: "1"}
	if e.vars["TERM"] == nil {
		e.vars["TERM"] = &variable{val: "dumb"}
	}
	if e.vars["SHELL"] == nil {
		e.vars["SHELL"] = &variable{val: "/bin/bash"}
	}
	uid := strconv.Itoa(int(e.cred.UID))
	e.vars["UID"] = &variable{val: uid, attr: readOnly | integer}
	e.vars["EUID"] = &variable{val: uid, attr: readOnly | integer}
	e.vars["PPID"] = &variable{val: strconv.Itoa(e.ppid), attr: readOnly | integer}
}

func cutPort(s string) [2]string {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return [2]string{s, "22"}
	}
	return [2]string{strings.Trim(s[:i], "[]"), s[i+1:]}
}

func (e *env) hostname() string {
	if h := e.k.sh.opt.Host; h != nil && h.Machine != nil {
		return h.Machine.Hostname
	}
	return "localhost"
}

func (e *env) ttyName() string {
	if n := e.k.sh.opt.TTYName; n != "" {
		return n
	}
	return "pts/0"
}

// errorf writes a message with the shell's prefix to standard error.
func (e *env) errorf(format string, a ...any) {
	e.warn(e.prefix() + fmt.Sprintf(format, a...) + "\n")
}

// builtinError is a builtin's message; BusyBox puts a line number into it.
func (e *env) builtinError(who, msg string) {
	if e.dialect == ash {
		e.errorf("%s: line 0: %s", who, msg)
		return
	}
	e.errorf("%s: %s", who, msg)
}

// warn writes to standard error as it is.
func (e *env) warn(s string) { e.write(2, s) }

// prefix is what stands before a runtime error.
func (e *env) prefix() string {
	switch e.dialect {
	case dash:
		return e.name + ": " + strconv.Itoa(e.line) + ": "
	case ash:
		return e.name + ": "
	}
	name := e.name
	if e.errName != "" {
		return e.errName + ": "
	}
	if e.interactive {
		return name + ": "
	}
	if n := len(e.frames); n > 0 && e.frames[n-1].source != "" {
		name = e.frames[n-1].source
	}
	return name + ": line " + strconv.Itoa(e.line) + ": "
}

// write sends s to a descriptor; who writes into a closed pipe dies of it.
func (e *env) write(fd int, s string) bool {
	if s == "" {
		return true
	}
	o := e.fds.get(fd)
	if o == nil {
		if fd == 1 {
			e.outErr = vfs.EBADF
		}
		return false
	}
	_, err := io.WriteString(o, s)
	if err != nil && fd == 1 {
		e.outErr = err
	}
	if err == vfs.EPIPE && e.traps["SIGPIPE"] == "" {
		if _, ignored := e.traps["SIGPIPE"]; !ignored {
			panic(death{128 + sigPipe, ofProcess, nil})
		}
	}
	return err == nil
}

// out writes to standard output.
func (e *env) out(s string) bool { return e.write(1, s) }

// own makes the variable table e's alone.
func (e *env) own() {
	if e.shared {
		e.k.step(len(e.vars) / 32)
		if len(e.vars) > manyVars {
			_ = e.account(len(e.vars) * varSize / 2) // ends the process when there is no more
		}
		e.vars = maps.Clone(e.vars)
		e.shared = false
	}
}

const (
	varSize  = 128 // what a variable takes besides its value
	manyVars = 512 // from how many on they are charged for; a login has about thirty
)

// chargeVars charges for the variables there are more than ever before.
func (e *env) chargeVars() {
	if n := len(e.vars); n > e.varTop+64 {
		if n > manyVars {
			_ = e.account((n - e.varTop) * varSize)
		}
		e.varTop = n
	}
}

func (e *env) ownFuncs() {
	if e.fshare || e.funcs == nil {
		e.k.step(len(e.funcs) / 32)
		e.funcs = maps.Clone(e.funcs)
		if e.funcs == nil {
			e.funcs = map[string]*function{}
		}
		e.fshare = false
	}
}
