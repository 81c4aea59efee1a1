package telnet_test

import (
	"testing"
	"time"

	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/telnet"
)

func quick(into any) error {
	c := into.(*telnet.Config)
	c.Delay, c.Patience = 0, 10*time.Millisecond
	return nil
}

func contract() sensortest.Contract {
	return sensortest.Contract{Options: sensortest.Options{Config: quick}, Requests: [][]byte{
		[]byte("root\r\nxc3511\r\n"),
		[]byte("\xff\xfc\x18\xff\xfc\x20\xff\xfc\x23\xff\xfc\x27\xff\xfc\x24\xff\xfe\x25\xff\xfe\x26admin\nadmin\n"),
	}}
}

func TestContract(t *testing.T) { sensortest.Run(t, telnet.Kind, contract()) }

func FuzzServeConn(f *testing.F) { sensortest.Fuzz(f, telnet.Kind, contract()) }
