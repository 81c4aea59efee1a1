package sensor_test

import (
	"net/netip"
	"testing"

	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

func source(n byte) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, n}) }

func TestAcceptCheck(t *testing.T) {
	for a, ok := range map[sensor.Accept]bool{
		"never": true, "list": true, "always": true, "after-3": true, "after-100": true,
		"": false, "after-0": false, "after-101": false, "after-": false, "Always": false, "after-x": false,
	} {
		if err := a.Check(); (err == nil) != ok {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func TestListLetsInAfterAFewTries(t *testing.T) {
	w := sensortest.NewWorld(t)
	at := map[int]int{}
	for n := range 200 {
		src := source(byte(n))
		for try := 1; try <= 6; try++ {
			if w.Login(src, "ssh", "list", "root", "abc123") {
				at[try]++
				break
			}
		}
	}
	if at[1]+at[2]+at[3]+at[4] != 200 {
		t.Fatalf("not everybody was let in after at most 4 tries: %v", at)
	}
	if late := 200 - at[1]; late < 40 || late > 95 {
		t.Errorf("%d of 200 sources needed more than one try, want about a third", late)
	}
}

func TestListIsTheSameForOneSourceAndSeed(t *testing.T) {
	a, b := sensortest.NewWorld(t), sensortest.NewWorld(t)
	for n := range 50 {
		for try := range 5 {
			x, y := a.Login(source(byte(n)), "ssh", "list", "root", "toor"), b.Login(source(byte(n)), "telnet", "list", "root", "toor")
			if x != y {
				t.Fatalf("source %d, try %d: %v and %v", n, try, x, y)
			}
		}
	}
}

func TestOnePasswordPerAccount(t *testing.T) {
	w := sensortest.NewWorld(t)
	src := source(1)
	for range 5 {
		w.Login(src, "ssh", "list", "root", "abc123")
	}
	if !w.Login(src, "telnet", "list", "root", "abc123") {
		t.Error("the accepted pair does not open another service")
	}
	for _, other := range []string{"toor", "1234", "P@ssw0rd", "qwerty"} {
		if w.Login(src, "ssh", "list", "root", other) {
			t.Errorf("a second password, %s, opens the account", other)
		}
	}
	w.Changed(src, "root", "mine!now")
	if w.Login(src, "ssh", "list", "root", "abc123") || !w.Login(src, "ssh", "list", "root", "mine!now") {
		t.Error("a changed password is not what opens the account")
	}
}

func TestScannersPairsAreRefused(t *testing.T) {
	w := sensortest.NewWorld(t)
	for _, p := range [][2]string{
		{"root", ""},
		{"root", "123456"},
		{"root", "password"},
		{"root", "root"},
		{"phil", "phil"},
		{"richard", "fout"},
		{"root", "xc3511"},
		{"root", "vizxv"},
		{"admin", "admin"},
		{"nobody", "abc123"},
		{"root", "kX9vQ2mLpT7w"},
	} {
		for range 6 {
			if w.Login(source(9), "ssh", "list", p[0], p[1]) {
				t.Errorf("%v is let in", p)
			}
		}
	}
}

func TestAfterN(t *testing.T) {
	w := sensortest.NewWorld(t)
	for try := 1; try <= 3; try++ {
		if ok := w.Login(source(2), "ssh", "after-3", "root", "guess"); ok != (try == 3) {
			t.Errorf("try %d: %v", try, ok)
		}
	}
	if w.Login(source(2), "ssh", "after-3", "root", "another") || !w.Login(source(2), "ssh", "after-3", "root", "guess") {
		t.Error("the pair is not kept")
	}
}

func TestPlantedCredential(t *testing.T) {
	w := sensortest.NewWorld(t)
	if !w.Login(source(3), "ssh", "list", sensortest.BaitUser, sensortest.BaitPassword) {
		t.Error("a planted credential does not open its service")
	}
	if w.Login(source(3), "ssh", "never", sensortest.BaitUser, sensortest.BaitPassword) {
		t.Error("never lets in")
	}
	if !w.Login(source(4), "ssh", "always", "root", "x") || w.Login(source(4), "ssh", "always", "nosuchuser", "x") {
		t.Error("always is every password of an account there is")
	}
}
