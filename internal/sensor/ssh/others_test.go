package ssh_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

// TestOtherClients logs in with clients of other makes: PuTTY's and Dropbear's.
func TestOtherClients(t *testing.T) {
	keys := sensortest.HostKeys(t)
	r := sensortest.Start(t, ssh.Kind, sensortest.Options{Config: always, World: sensortest.NewWorld(t, sensortest.Simple), Keys: keys})
	host, port, _ := strings.Cut(r.Addr, ":")
	plink := []string{"plink", "-batch", "-ssh", "-P", port, "-l", "root", "-pw", password}
	for _, pem := range keys {
		key, err := xssh.ParsePrivateKey(pem)
		if err != nil {
			t.Fatal(err)
		}
		plink = append(plink, "-hostkey", xssh.FingerprintSHA256(key.PublicKey()))
	}
	in := bytes.Repeat([]byte("some text, compressible; "), 40000)
	for _, line := range [][]string{
		slices.Concat(plink, []string{host, "cat"}),
		slices.Concat(plink, []string{"-C", host, "cat"}),
		{"dbclient", "-y", "-y", "-p", port, "root@" + host, "cat"},
		{"dbclient", "-y", "-y", "-c", "aes128-ctr", "-m", "hmac-sha2-256", "-p", port, "root@" + host, "cat"},
	} {
		t.Run(line[0], func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(line[0])
			if err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("%s is not installed, and nothing is skipped with CI=true; run `make setup` as root", line[0])
				}
				t.Skipf("no %s on this machine; `make setup` installs it", line[0])
			}
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, path, line[1:]...)
			cmd.Env = append(os.Environ(), "DROPBEAR_PASSWORD="+password, "HOME="+t.TempDir())
			cmd.Stdin = bytes.NewReader(in)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Run(); err != nil || !bytes.Equal(out.Bytes(), in) {
				t.Errorf("%d bytes of %d, %v\n%.2000s", out.Len(), len(in), err, errs.String())
			}
		})
	}
}
