// Package rules holds what the product ships as data: the default playbooks and
// Sigma rules.
package rules

import "embed"

// Playbooks holds playbooks/*.yaml.
//
//go:embed playbooks/*.yaml
var Playbooks embed.FS

// Sigma holds sigma/*/*.yml. The examples beside them are not part of the
// binary.
//
//go:embed sigma/*/*.yml
var Sigma embed.FS
