package sigma

import "go.yaml.in/yaml/v3"

// A Correlation is a rule about several events.
type Correlation struct{ Meta }

func (d *document) correlation(n *yaml.Node) {}
