// Package ipc is the one way between the core and a sensor process: frames
// over a socket pair, read and written with read and write alone, because a
// caged sensor may use neither sendmsg nor recvmsg.
//
// A frame is a payload length (4 bytes, big endian), a type (1 byte) and the
// payload. Every type has its own cap, each side accepts only the types the
// other one may send, and a length is checked before a byte of the payload is
// read. The core treats the sensor as hostile: a [Quota] bounds what it reads
// per second, and an over-eager sensor meets a full socket, not a growing core.
//
//	core -> sensor: Cage, Setup, Ack, Packet, Stop, Recalled
//	sensor -> core: Hello, Ready, Events, Chunk, PacketReply, Log, Recall, Remember
//
// Both ends are the same binary, so the format carries no version.
package ipc
