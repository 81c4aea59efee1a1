package ssh_test

import (
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

// BenchmarkLogin is one login and one command, the client's half included.
func BenchmarkLogin(b *testing.B) {
	r := sensortest.Start(b, ssh.Kind, sensortest.Options{Config: always, Limits: sensor.Limits{PerSource: 1000}})
	config := &xssh.ClientConfig{
		User: "root", Auth: []xssh.AuthMethod{xssh.Password(password)},
		HostKeyCallback: xssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second,
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c, err := xssh.Dial("tcp", r.Addr, config)
			if err != nil {
				b.Error(err)
				return
			}
			if out := run(b, c, "echo x"); out != "x\n" {
				b.Errorf("got %q", out)
			}
			_ = c.Close()
		}
	})
}
