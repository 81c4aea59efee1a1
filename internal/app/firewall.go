package app

// firewallArg makes the binary the process that commands the firewall. It is no
// verb.
const firewallArg = "firewall-process"
