// Package sandbox closes a process in before it meets an attacker. A
// [Launcher] starts this same binary again with an empty environment, no more
// than the descriptors it needs and as many namespaces as the host allows; in
// the child, [Enter] gives everything else away and puts a system call filter
// over all threads; [SelfTest] then tries to break out and says what succeeded.
//
// The system call filter carries the promise: with it no attempt is open, on
// any thread. The other layers (namespaces, an empty root, a foreign user id,
// no capabilities, resource limits, Landlock) stand behind it in case the
// kernel has a fault in one of the calls that are left. Each may be refused by
// a host; [Report] says which are in force and why the others are not.
//
// A process with cgo cannot change all of its threads, so Enter works in a
// binary built with CGO_ENABLED=0 only.
package sandbox
