// Package python is the part of Python 3.11 that attackers type: one-liners,
// small scripts and the prompt. It touches nothing but its [World]. What it does
// not know it names to the world and answers as a program would that broke off
// there; its error texts are CPython 3.11's.
package python

import (
	"io"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A World is what a script can reach. Step and Alloc end the program by a panic
// of their own when its budget is used up; this package lets it pass.
type World interface {
	Step(n int)              // n units of work, about a microsecond each
	Alloc(n int)             // n bytes that stay alive; negative gives back
	Unsupported(what string) // a construct or module that is missing here
	Now() time.Time
	Sleep(d time.Duration)

	Getenv(name string) string
	Environ() []string
	Setenv(name, value string)
	Getwd() string
	Chdir(dir string) error
	UID() int
	GID() int
	PID() int
	PPID() int
	Hostname() string
	Uname() [5]string // sysname nodename release version machine

	Open(path string, flags int) (io.ReadWriteCloser, error)
	Stat(path string, follow bool) (vfs.Info, error)
	ReadDir(path string) ([]string, error)
	// Change does what op says: mkdir, rmdir, remove, rename, chmod, symlink.
	Change(op, a, b string, mode uint32) error

	// Spawn runs a program and returns its status. Nil streams are the script's.
	Spawn(argv []string, in io.Reader, out, errs io.Writer) int
	// Dial is told of an address (scheme://host:port or a whole URL) and answers
	// with what the attempt ends in.
	Dial(url string) Outcome
	// IsTTY reports whether descriptor fd is the terminal.
	IsTTY(fd int) bool
}

// An Outcome is the end of an attempt to reach the network.
type Outcome int

// The ways a connection fails here; none succeeds.
const (
	Refused Outcome = iota
	Unresolved
	TimedOut
)
