// Package bundle is the room of evidence that leaves: it gathers all that is
// known of an incident into one archive which anybody can check without us, says
// what is wrong with an archive down to the object, line and field, takes in
// archives of other deployments, and keeps account of who did what with them.
// It also knows what a legal hold keeps.
//
// An archive trusts nothing but itself: each object is named by the SHA-256 of
// its content, the manifest names each object, the audit log of the deployment
// that made it holds the hash of the manifest, the archive carries the proof of
// that, and a signature over all of it. docs/reference/evidence.md says enough to
// write another verifier.
package bundle
