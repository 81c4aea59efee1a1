package fwhelper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"honeyguide/internal/sandbox"
)

// childArg makes the test binary a firewall process.
const childArg = "firewall-process"

// smallArg makes it one whose transactions are small.
const smallArg = "firewall-process-small"

// inside says that this process is in a network of its own.
const inside = "HONEYGUIDE_TEST_NETWORK"

// TestMain runs the tests in a network namespace of their own, where there is
// nothing to break: whatever they do to a firewall ends with them.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && (os.Args[1] == childArg || os.Args[1] == smallArg) {
		if os.Args[1] == smallArg {
			transaction = 500
		}
		if err := Child(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if why := missing(); why != "" || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run the tests in a network of their own:", err)
		os.Exit(1)
	}
}

// missing says what a test with the real kernel lacks.
func missing() string {
	if os.Getuid() != 0 || !sandbox.HasNetAdmin() {
		return "needs root with CAP_NET_ADMIN"
	}
	for _, program := range []string{"nft", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return "needs " + program + " (nftables, iproute2)"
		}
	}
	return ""
}

// realKernel skips a test that cannot have a network of its own.
func realKernel(t testing.TB) {
	t.Helper()
	why := missing()
	switch {
	case why == "":
	case os.Getenv("CI") == "true":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
	t.Cleanup(func() { nft(t, "delete table inet honeyguide") })
}

// nft runs the real program and returns what it says, errors and all.
func nft(t testing.TB, command string) string {
	t.Helper()
	out, _ := exec.Command("nft", strings.Fields(command)...).CombinedOutput()
	return string(out)
}

// ruleset is what an operator sees.
func ruleset(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
	return string(out)
}
