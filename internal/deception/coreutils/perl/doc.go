// Package perl is the part of Perl 5.36 that attackers type: one-liners with
// their switches and small scripts. It touches nothing but its [World]. What it
// does not know it names to the world, and the program ends there as if it had
// died quietly.
package perl

import (
	"io"
	"time"
)

// A World is what a script can reach. Step and Alloc end the program by a panic
// of their own when its budget is used up; this package lets it pass.
type World interface {
	Step(n int)
	Alloc(n int)
	Unsupported(what string)
	Now() time.Time
	Sleep(d time.Duration)
	Getenv(name string) string
	Environ() []string
	Setenv(name, value string)
	Getwd() string
	Chdir(dir string) error
	UID() int
	PID() int
	PPID() int
	Open(path string, flags int) (io.ReadWriteCloser, error)
	ReadDir(path string) ([]string, error)
	Change(op, a, b string, mode uint32) error
	// Spawn runs a program and returns its status, 127 when it is not there. Nil
	// streams are the script's.
	Spawn(argv []string, in io.Reader, out, errs io.Writer) int
	// Reach is told of an address a script wants and says why it is not reached.
	Reach(url string) string
	// Exists asks for a file: e, f, d, r, w, x, s and z as the file tests do.
	Exists(op byte, path string) bool
}

// A Program is what perl was asked to run.
type Program struct {
	Source         string
	File           string // "-e" or a path
	Args           []string
	Loop           bool // -n
	Print          bool // -p
	Chomp          bool // -l
	Split          bool // -a
	Sep            string
	InPlace        string // -i: the suffix of the copy; "\x00" is not asked for
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}
