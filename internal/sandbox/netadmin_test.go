package sandbox

import (
	"os"
	"slices"
	"testing"
)

// The cage of the process that commands the firewall is open for netlink sockets
// of netfilter and of routes and for nothing else, however it was started.
func TestNetAdminCage(t *testing.T) {
	if os.Getuid() != 0 || !HasNetAdmin() {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI runs this as root with CAP_NET_ADMIN")
		}
		t.Skip("needs root with CAP_NET_ADMIN")
	}
	l := launcher(t)
	for _, mode := range []struct {
		name         string
		noNamespaces bool
		skip         []string
	}{
		{"all layers", false, nil},
		{"no namespaces", true, nil},
		{"no landlock", false, []string{LayerLandlock}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			a, exit, err := runChild(l, program(t), mode.noNamespaces, order{Skip: mode.skip, Config: Config{NetAdmin: true}})
			if err != nil || a.Err != "" {
				t.Fatal(err, a.Err)
			}
			if exit.Code != 0 {
				t.Errorf("child ended with %v: %s", exit, exit.Output)
			}
			t.Logf("%d attempts, %v", a.Made, a.Report)
			if len(a.Probe.Open) > 0 || a.Probe.Made < 40 {
				t.Errorf("self-test: %d made, open: %v", a.Probe.Made, a.Probe.Open)
			}
			for _, name := range []string{"netlink nfnetlink", "netlink route"} {
				if _, open := a.Open[name]; !open {
					t.Errorf("it cannot do its work: %s", name)
				}
			}
			for name, why := range a.Open {
				i := slices.IndexFunc(attempts, func(a attempt) bool { return a.name == name })
				if !attempts[i].admin {
					t.Errorf("open: %s (%s)", name, why)
				}
			}
		})
	}
}

func withNetAdmin(t Target, yes bool) Target {
	t.NetAdmin = yes
	return t
}
