package ssh_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// offers are the algorithms of the decoy's lists; each must work with the real
// client, or the list is a claim without the code behind it.
var offers = []struct {
	option string
	names  string
}{
	{"KexAlgorithms", "sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com curve25519-sha256 curve25519-sha256@libssh.org " +
		"ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521 diffie-hellman-group-exchange-sha256 " +
		"diffie-hellman-group16-sha512 diffie-hellman-group18-sha512 diffie-hellman-group14-sha256"},
	{"Ciphers", "chacha20-poly1305@openssh.com aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com aes256-gcm@openssh.com"},
	{"MACs", "umac-64-etm@openssh.com umac-128-etm@openssh.com hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com " +
		"hmac-sha1-etm@openssh.com umac-64@openssh.com umac-128@openssh.com hmac-sha2-256 hmac-sha2-512 hmac-sha1"},
	{"HostKeyAlgorithms", "rsa-sha2-512 rsa-sha2-256 ecdsa-sha2-nistp256 ssh-ed25519"},
	{"Compression", "yes no"},
}

func TestEveryOfferWorks(t *testing.T) {
	r := rig(t, always)
	in := strings.Repeat("some text, compressible; ", 5000)
	for _, o := range offers {
		for name := range strings.FieldsSeq(o.names) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				args := []string{"-o", o.option + "=" + name}
				if o.option != "KexAlgorithms" { // the client's first one costs it the most
					args = append(args, "-o", "KexAlgorithms=curve25519-sha256")
				}
				if o.option == "MACs" { // ciphers with one of their own come first
					args = append(args, "-o", "Ciphers=aes128-ctr")
				}
				out, errs, err := openssh(t, r, in, append(args, "cat")...)
				if err != nil || out != in {
					t.Errorf("%d bytes of %d, %v\n%s", len(out), len(in), err, errs)
				}
				out, errs, err = openssh(t, r, "", append(args, "fail 7")...)
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 7 || out != "" || !strings.HasSuffix(errs, "\r\nfailed\n") {
					t.Errorf("exit status: %v, %q, %q", err, out, errs)
				}
			})
		}
	}
}

// TestRekey lets the real client ask for new keys all the time, in both
// directions, with ciphers of every make.
func TestRekey(t *testing.T) {
	r := rig(t, always)
	in := strings.Repeat("0123456789abcdef", 1<<14)
	for _, args := range [][]string{
		{"-o", "Ciphers=chacha20-poly1305@openssh.com"},
		{"-o", "Ciphers=aes128-gcm@openssh.com", "-o", "KexAlgorithms=ecdh-sha2-nistp256"},
		{"-o", "Ciphers=aes256-ctr", "-o", "MACs=umac-64-etm@openssh.com", "-o", "Compression=yes"},
		{"-o", "Ciphers=aes128-ctr", "-o", "MACs=hmac-sha2-256"},
	} {
		t.Run(args[1], func(t *testing.T) {
			t.Parallel()
			args := append(args, "-v", "-o", "RekeyLimit=64K", "-o", "KexAlgorithms=curve25519-sha256")
			out, errs, err := openssh(t, r, in, append(args, "cat")...)
			if err != nil || out != in {
				t.Errorf("%d bytes of %d, %v\n%.3000s", len(out), len(in), err, errs)
			}
			if n := strings.Count(errs, "SSH2_MSG_KEXINIT received"); n < 4 {
				t.Errorf("%d key exchanges", n)
			}
		})
	}
}

// TestExtensions compares what the real client is told with what it is told by
// the real server.
func TestExtensions(t *testing.T) {
	r := rig(t, always)
	_, errs, err := openssh(t, r, "", "-vvv", "echo x")
	if err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	for _, want := range []string{
		"kex_input_ext_info: server-sig-algs=<ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," +
			"sk-ecdsa-sha2-nistp256@openssh.com,webauthn-sk-ecdsa-sha2-nistp256@openssh.com,ssh-dss,ssh-rsa,rsa-sha2-256,rsa-sha2-512>",
		"kex_input_ext_info: publickey-hostbound@openssh.com=<0>",
		"Authentications that can continue: publickey,password",
		"channel 0: rcvd adjust 2097152",
		"compression: none",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("the client does not say %q\n%s", want, errs)
		}
	}
	if strings.Contains(errs, "ping@openssh.com") {
		t.Error("an extension of a later release")
	}
}

// TestKeyOfARealClient logs in with a key that was left behind. The remarks are
// those of the real server.
func TestKeyOfARealClient(t *testing.T) {
	r := rig(t, always)
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		key := filepath.Join(t.TempDir(), kind)
		keygen, err := exec.LookPath("ssh-keygen")
		if err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("no ssh-keygen on this machine, and nothing is skipped with CI=true")
			}
			t.Skip("no ssh-keygen on this machine; `make setup` installs it")
		}
		if out, err := exec.CommandContext(t.Context(), keygen, "-q", "-t", kind, "-N", "", "-f", key).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		public, err := os.ReadFile(key + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, r)
		run(t, c, "mkdir /root/.ssh")
		run(t, c, "put /root/.ssh/authorized_keys "+strings.TrimSpace(string(public)))
		out, errs, err := openssh(t, r, "", "-v", "-i", key, "-o", "PubkeyAuthentication=yes", "-o", "PasswordAuthentication=no", "echo in")
		remark := "Remote: /root/.ssh/authorized_keys:1: key options: agent-forwarding port-forwarding pty user-rc x11-forwarding"
		if err != nil || out != "in\n" || strings.Count(errs, remark) != 2 {
			t.Errorf("%s: %q, %v\n%s", kind, out, err, errs)
		}
	}
}

// TestProbe compares every answer before a login with the recording of a live
// OpenSSH 9.2p1.
func TestProbe(t *testing.T) {
	t.Parallel() // it waits for what stays silent
	checks := ""
	for _, up := range []string{"../../../..", "../../../../.."} {
		dir := filepath.Join(up, "shared/corpus/fidelity/checks")
		if _, err := os.Stat(filepath.Join(dir, "probe.py")); err == nil {
			checks = dir
		}
	}
	if checks == "" {
		t.Skip("the recordings of real servers are not beside this repository")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	r := rig(t, nil)
	probe, err := filepath.Abs(filepath.Join(checks, "probe.py"))
	if err != nil {
		t.Fatal(err)
	}
	expected := filepath.Join(filepath.Dir(probe), "expected", "openssh-9.2p1-debian12.json")
	out, err := exec.CommandContext(t.Context(), python, probe, r.Addr, "--wait", "0.8", "--against", expected).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
