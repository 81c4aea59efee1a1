package ssh_test

import (
	"testing"

	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

func quick(into any) error {
	c := into.(*ssh.Config)
	c.Delay = 0
	return nil
}

func contract() sensortest.Contract {
	return sensortest.Contract{Options: sensortest.Options{Config: quick}, Requests: [][]byte{
		[]byte("SSH-2.0-Test_1.0\r\n"),
		[]byte("QUIT\r\n"),
		[]byte("SSH-1.5-Old\r\n"),
		append([]byte("SSH-2.0-Test\r\n"), 0, 0, 0, 12, 4, 192, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		append([]byte("SSH-2.0-Test\r\n"), 0x7f, 0xff, 0xff, 0xff, 1, 20),
	}}
}

func TestContract(t *testing.T) { sensortest.Run(t, ssh.Kind, contract()) }

func FuzzServeConn(f *testing.F) { sensortest.Fuzz(f, ssh.Kind, contract()) }
