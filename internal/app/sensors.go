package app

import (
	"context"
	"fmt"
	"io"
	"net"

	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/fwhelper"
	"honeyguide/internal/ipc"
	"honeyguide/internal/kind"
	"honeyguide/internal/safetext"
	"honeyguide/internal/sensor"
	"honeyguide/internal/warden"
)

// childArg makes the binary a sensor process. It is no verb: a process started
// with it by hand finds no descriptors and ends.
const childArg = "sensor-process"

// IsChild reports whether these arguments ask for a process of the core: a
// sensor process, the one that reaches out or the one that commands the firewall.
func IsChild(args []string) bool {
	return len(args) == 1 && (args[0] == childArg || args[0] == fetchArg || args[0] == firewallArg)
}

// Child is the whole life of such a process. The exit status is 1 after an
// error, which is written to stderr, where the core finds it.
func Child(args []string, stderr io.Writer) int {
	run := sensorChild
	switch args[0] {
	case fetchArg:
		run = fetcher.Child
	case firewallArg:
		run = fwhelper.Child
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(stderr, safetext.TermN(err.Error(), 2000))
		return 1
	}
	return 0
}

func sensorChild(ctx context.Context) error {
	return warden.Child(ctx, func(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, listeners []net.Listener) error {
		decode := func(raw []byte) kind.Decode { return config.Strict("sensor", raw) }
		return sensor.Run(ctx, conn, setup, listeners, builtin.Sensors(), decode)
	})
}

// warden prepares the sensor process of the persona; nil when no sensor is enabled.
func (a *App) warden(ctx context.Context) (*warden.Warden, error) {
	setup, err := a.setup()
	if err != nil || len(setup.Sensors) == 0 {
		return nil, err
	}
	return warden.New(ctx, warden.Options{
		Name: a.host.Name, Args: []string{childArg}, Setup: setup,
		NoNamespaces: a.settings.Deception.Namespaces == "off", Insecure: a.settings.Deception.Insecure,
		Append:  a.intake.Add,
		Chunks:  func(_ context.Context, chunks []ipc.Chunk) (int, error) { return a.recordings.Chunks(chunks) },
		Worlds:  a.worlds,
		Samples: a.samples,
		Log:     a.log,
		Metrics: a.metrics, Now: a.now,
	})
}

// setup says who the sensor process is to be.
func (a *App) setup() (ipc.Setup, error) {
	keys, err := hostKeys(a.vault)
	if err != nil {
		return ipc.Setup{}, err
	}
	s := ipc.Setup{
		Persona: a.host.Name, Image: a.image, Seed: a.secret, Hostname: a.host.Machine.Hostname, Deployed: a.deployed,
		Tokens: plants(a.tokens, a.host), HostKeys: keys,
		Limits: ipc.Limits{Conns: a.settings.Deception.MaxSessions, ConnsPerSource: a.settings.Deception.PerSource, Memory: a.settings.Deception.Memory << 20},
	}
	for _, in := range a.settings.Sensors {
		if !in.Enabled {
			continue
		}
		raw, err := in.YAML()
		if err != nil {
			return s, fmt.Errorf("sensors.%s: %w", in.Name, err)
		}
		k, err := builtin.Sensors().Lookup(in.Kind)
		if err != nil {
			return s, err
		}
		s.Sensors = append(s.Sensors, ipc.SensorSetup{
			Name: in.Name, Kind: in.Kind, Config: raw, Network: sensor.Network(k),
			Addr: in.Common.(*Listen).Listen, Published: uint16(in.Common.(*Listen).Published),
		})
	}
	return s, nil
}
