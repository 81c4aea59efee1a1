// Package rules holds what the product ships as data: the default playbooks.
package rules

import "embed"

// Playbooks holds playbooks/*.yaml.
//
//go:embed playbooks/*.yaml
var Playbooks embed.FS
