package sandbox

import (
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// wantABI is the Landlock level asked for: files, TCP bind and connect, signals
// and abstract unix sockets.
const wantABI = 7

// closeLandlock forbids everything Landlock knows. Older kernels know less;
// the library degrades in silence, so the level is read and reported.
func closeLandlock(c Config) (Layer, error) {
	abi, err := llsys.LandlockGetABIVersion()
	if err != nil || abi < 1 {
		return Layer{State: Off, Detail: "the kernel has none"}, nil
	}
	var may []landlock.Rule
	if c.Egress != nil {
		for _, port := range c.Egress.Ports {
			may = append(may, landlock.ConnectTCP(port))
		}
	}
	if err := landlock.V7.BestEffort().Restrict(may...); err != nil {
		return Layer{}, fmt.Errorf("restrict by Landlock: %w", err)
	}
	layer := Layer{State: On, Detail: fmt.Sprintf("ABI %d", abi)}
	if abi < wantABI {
		layer.State = Degraded
	}
	return layer, nil
}
