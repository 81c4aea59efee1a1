package ntp_test

import (
	"bytes"
	"testing"

	"honeyguide/internal/sensor/ntp"
	"honeyguide/internal/sensor/sensortest"
)

func contract() sensortest.Contract {
	return sensortest.Contract{Requests: [][]byte{
		append([]byte{0x23}, bytes.Repeat([]byte{7}, 47)...),
		{0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},
		{0x17, 0, 3, 0x2a, 0, 0, 0, 0},
	}}
}

func TestContract(t *testing.T) { sensortest.Run(t, ntp.Kind, contract()) }

func FuzzServeConn(f *testing.F) { sensortest.Fuzz(f, ntp.Kind, contract()) }
