// Package sigma is an engine for Sigma detection rules (specification 2.1.0):
// rules, modifiers, filters, placeholders and correlations. What it cannot do
// is an error at load with file, line and reason, never a rule that quietly
// cannot fire.
//
// Three steps make many rules cheap. An event is routed by its log sources to
// the rules that are about such events; one pass over each of its values picks
// the rules of which a literal occurs at all; what is left is evaluated over a
// table of atoms shared by all rules, each at most once an event. Regular
// expressions are RE2, so nothing backtracks.
//
// Sources: the Sigma rules, correlation rules and filters specifications
// (SigmaHQ, public domain). Where they are silent the choices are those of most
// converters; each is noted where it is made.
package sigma
