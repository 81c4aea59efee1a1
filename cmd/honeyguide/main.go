// Command honeyguide lures attackers, watches them, and defends the network
// they came for. See `honeyguide --help`.
package main

import (
	"os"

	"honeyguide/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
