package sshwire

type deflater struct{}

func newDeflater() *deflater { return &deflater{} }

func (*deflater) packet(dst []byte, payload [][]byte) []byte {
	for _, p := range payload {
		dst = append(dst, p...)
	}
	return dst
}
