package sshwire

type inflater struct{}

func newInflater() *inflater { return &inflater{} }

func (*inflater) packet(dst, p []byte) ([]byte, error) { return append(dst, p...), nil }
