package http_test

import (
	"testing"

	"honeyguide/internal/sensor/http"
	"honeyguide/internal/sensor/sensortest"
)

func contract() sensortest.Contract {
	return sensortest.Contract{Requests: [][]byte{
		[]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		[]byte("GET /nothing HTTP/1.0\r\n\r\n"),
		[]byte("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\nusername=a&password=b"),
		[]byte("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
		[]byte("nonsense\r\n\r\n"),
		[]byte("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
	}}
}

func TestContract(t *testing.T) { sensortest.Run(t, http.Kind, contract()) }

func FuzzServeConn(f *testing.F) { sensortest.Fuzz(f, http.Kind, contract()) }
