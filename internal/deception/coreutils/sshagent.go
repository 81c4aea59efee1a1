package coreutils

import "strconv"

// sshAdd finds no agent.
func sshAdd(p *Proc) int {
	p.complain("Could not open a connection to your authentication agent.\n")
	return 2
}

// sshKeyscan reaches nobody.
func sshKeyscan(p *Proc) int {
	hosts := p.bareWords("fpTtO")
	if len(hosts) == 0 {
		return plain(p)
	}
	for _, h := range hosts {
		p.Watch.Download("ssh://"+h, "ssh-keyscan", "")
	}
	p.sleep(resetWait)
	return 1
}

// sshAgent says where it would listen; nothing does.
func sshAgent(p *Proc) int {
	if contains(p.Args, "-k") {
		p.complain("SSH_AGENT_PID not set, cannot kill agent\n")
		return 1
	}
	sock, pid := "/tmp/ssh-"+p.random(12)+"/agent."+strconv.Itoa(p.PID), p.PID+2
	if contains(p.Args, "-c") {
		p.printf("setenv SSH_AUTH_SOCK %s;\nsetenv SSH_AGENT_PID %d;\necho Agent pid %d;\n", sock, pid, pid)
		return 0
	}
	p.printf("SSH_AUTH_SOCK=%s; export SSH_AUTH_SOCK;\nSSH_AGENT_PID=%d; export SSH_AGENT_PID;\necho Agent pid %d;\n", sock, pid, pid)
	return 0
}

// opensslVersion is the library's of Debian 12.15, as its users print it.
const opensslVersion = "OpenSSL 3.0.22 25 Aug 2026"
