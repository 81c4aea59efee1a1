// Package defence holds tests of the whole product defending a network: the
// built binary in a namespace of its own, real attackers in another, the real
// kernel between them. They need root, ip and nft.
package defence
