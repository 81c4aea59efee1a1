package warden

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"honeyguide/internal/safetext"
)

// holder says which program holds the port of addr: "sshd (pid 812)", or ""
// when it cannot be told. It reads /proc, where other users' programs are
// visible to root alone.
func holder(network, addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	n, err := net.LookupPort(network, port)
	if err != nil {
		return ""
	}
	proto := strings.TrimRight(network, "46")
	for _, table := range []string{proto, proto + "6"} {
		for _, inode := range inodes("/proc/net/"+table, proto, n) {
			if who := owner(inode); who != "" {
				return who
			}
		}
	}
	return ""
}

// inodes reads the sockets bound to a port from a table of proc(5): the second
// column is the local address in hex, the fourth the state, the tenth the inode.
func inodes(table, proto string, port int) []string {
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	const listening = "0A"
	var found []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		col := strings.Fields(lines.Text())
		if len(col) < 10 || proto == "tcp" && col[3] != listening {
			continue
		}
		_, hex, _ := strings.Cut(col[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
			found = append(found, col[9])
		}
	}
	return found
}

// owner finds the process that has the socket open.
func owner(inode string) string {
	want := "socket:[" + inode + "]"
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != want {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue
		}
		return fmt.Sprintf("%s (pid %s)", safetext.Term(strings.TrimSpace(string(name))), pid)
	}
	return ""
}
