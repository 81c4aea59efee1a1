// Package sigmabench measures the Sigma engine beside another one written in Go
// (sigma-go), both in one run, on the same events, routed the same way, in
// processor time. It is a module of its own, so that the other engine is no
// dependency of the product: `make sigma-bench`.
package sigmabench
