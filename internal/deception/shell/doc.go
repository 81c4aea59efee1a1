// Package shell is bash as attackers meet it: an evaluator of the shell's
// language over a pretended file system, the line editor of a login shell and
// the terminal in front of it. It starts no process, opens no socket and
// touches no file of the real machine.
//
// Three ways lead in, as into the real one: [Shell.Exec] is `bash -c LINE`,
// [Shell.Script] a login shell fed on standard input, [Shell.Interactive] a
// login shell on a terminal. Texts, prefixes and exit statuses are those of
// bash 5.2 on Debian 12; `sh` is dash, `busybox sh` is ash.
//
// # How it works
//
// Package grammar cuts the next complete command off the text, the parser makes
// a tree of it, the evaluator walks the tree. A running command is a process of
// a small kernel (kernel.go): pipeline stages and background jobs are
// coroutines that give way when they must wait, so that one goroutine serves
// the whole session and the order of its output never depends on chance.
//
// Every session has a [Budget]. What exceeds it dies as it would on a small
// machine: with bash's words for a failed fork or allocation, or killed.
package shell
