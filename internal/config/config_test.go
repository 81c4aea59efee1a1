package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"honeyguide"
	"honeyguide/internal/config"
)

type node struct {
	Name string            `yaml:"name" doc:"who we are"`
	Data string            `yaml:"data"`
	Key  honeyguide.Secret `yaml:"key"`
}

type common struct {
	Listen string `yaml:"listen"`
}

type ssh struct {
	Accept string        `yaml:"accept"`
	Delay  time.Duration `yaml:"delay"`
	Users  []string      `yaml:"users"`
	Tries  int           `yaml:"max_tries"`
}

func schema() config.Schema {
	return config.Schema{
		Sections: []config.Section{
			{Key: "node", Defaults: node{Name: "edge", Data: "./data"}},
			{Key: "sensors", Instances: &config.Instances{
				Common: common{}, Kinds: map[string]any{"ssh": ssh{Accept: "list"}},
				Preset: map[string]config.Preset{"ssh": {Kind: "ssh", Common: common{":2222"}}},
			}},
		},
		Aliases: []config.Alias{{Env: "SOC_KEY", Key: "node.key"}, {Env: "OLD", Unused: "nothing reads it"}},
	}
}

func load(t *testing.T, yaml string, env, sets []string) (*config.Tree, error) {
	t.Helper()
	file := ""
	if yaml != "" {
		file = filepath.Join(t.TempDir(), "honeyguide.yaml")
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Load(config.Options{Schema: schema(), File: file, Environ: env, Sets: sets})
}

// decodeAll decodes everything, as the application does at start.
func decodeAll(tr *config.Tree) (node, ssh, config.Instance, error) {
	n, s := node{Name: "edge", Data: "./data"}, ssh{Accept: "list"}
	if err := tr.Check(); err != nil {
		return n, s, config.Instance{}, err
	}
	if err := tr.Decode("node", &n); err != nil {
		return n, s, config.Instance{}, err
	}
	ins, err := tr.Instances("sensors")
	if err != nil {
		return n, s, config.Instance{}, err
	}
	return n, s, ins[0], ins[0].Decode(&s)
}

func TestNoFileIsAWorkingDefault(t *testing.T) {
	tr, err := load(t, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, s, in, err := decodeAll(tr)
	if err != nil || n.Name != "edge" || s.Accept != "list" || in.Common.(*common).Listen != ":2222" || !in.Enabled {
		t.Errorf("got %+v %+v %+v %v", n, s, in, err)
	}
}

func TestOrder(t *testing.T) {
	tr, err := load(t, "node: {name: file, data: /file}\nsensors: {ssh: {listen: \":1\", delay: 3s, users: [a, b]}}\n",
		[]string{"HONEYGUIDE_NODE_DATA=/env", "HONEYGUIDE_SENSORS_SSH_MAX_TRIES=4", "SOC_KEY=alias"}, []string{"sensors.ssh.listen=127.0.0.1:9"})
	if err != nil {
		t.Fatal(err)
	}
	n, s, in, err := decodeAll(tr)
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "file" || n.Data != "/env" || n.Key.Reveal() != "alias" {
		t.Errorf("node: %+v", n)
	}
	if s.Delay != 3*time.Second || s.Tries != 4 || len(s.Users) != 2 || in.Common.(*common).Listen != "127.0.0.1:9" {
		t.Errorf("ssh: %+v, %+v", s, in.Common)
	}
	var out strings.Builder
	if err := tr.Show(&out, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"honeyguide.yaml:1", "HONEYGUIDE_NODE_DATA", "--set", "# default", "[masked]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("origins lack %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "alias\n") || strings.Contains(out.String(), "= alias") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
}

func TestFaultsNameThePlaceAndTheMend(t *testing.T) {
	for name, c := range map[string]struct {
		yaml      string
		env, sets []string
		want      []string
	}{
		"top key":       {yaml: "node: {}\nsensor: {}\n", want: []string{":2:", "sensor", `"sensors"`}},
		"section key":   {yaml: "node:\n  nam: x\n", want: []string{":2:", "node.nam", `"name"`}},
		"kind's key":    {yaml: "sensors:\n  ssh:\n    acept: never\n", want: []string{":3:", "sensors.ssh.acept", `"accept"`}},
		"unknown kind":  {yaml: "sensors:\n  shh: {}\n", want: []string{":2:", "sensors.shh", `"ssh"`}},
		"type":          {yaml: "sensors:\n  ssh:\n    max_tries: many\n", want: []string{":3:", "sensors.ssh.max_tries", "whole number", "many"}},
		"duration":      {yaml: "sensors: {ssh: {delay: soon}}", want: []string{"sensors.ssh.delay", "duration"}},
		"twice":         {yaml: "node:\n  name: a\n  name: b\n", want: []string{":3:", "node.name", "line 2"}},
		"not a mapping": {yaml: "- a\n", want: []string{":1:"}},
		"alias":         {yaml: "node: &x {name: a}\nsensors: *x\n", want: []string{"anchors"}},
		"syntax":        {yaml: "node: [\n", want: []string{"honeyguide.yaml", "line"}},
		"variable":      {env: []string{"HONEYGUIDE_NODE_NAMES=x"}, want: []string{"HONEYGUIDE_NODE_NAMES", "HONEYGUIDE_NODE_NAME"}},
		"set":           {sets: []string{"node.nme=x"}, want: []string{"--set", "node.nme", `"name"`}},
		"set form":      {sets: []string{"node"}, want: []string{"key=value"}},
		"file":          {env: []string{"HONEYGUIDE_NODE_KEY_FILE=/nonexistent/key"}, want: []string{"HONEYGUIDE_NODE_KEY_FILE", "/nonexistent/key"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr, err := load(t, c.yaml, c.env, c.sets)
			if err == nil {
				_, _, _, err = decodeAll(tr)
			}
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestUnusedAliasWarns(t *testing.T) {
	tr, err := load(t, "", []string{"OLD=1"}, nil)
	if err != nil || len(tr.Warnings) != 1 || !strings.Contains(tr.Warnings[0], "OLD") {
		t.Errorf("got %v, %v", tr, err)
	}
}

func TestInstanceYAMLGoesThroughStrict(t *testing.T) {
	tr, err := load(t, "sensors: {ssh: {listen: \":1\", accept: always}, edge: {kind: ssh, accept: never}}", []string{"HONEYGUIDE_SENSORS_EDGE_DELAY=1s"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ins, err := tr.Instances("sensors")
	if err != nil || len(ins) != 2 || ins[0].Name != "edge" || ins[0].Kind != "ssh" {
		t.Fatalf("got %+v, %v", ins, err)
	}
	raw, err := ins[0].YAML()
	if err != nil {
		t.Fatal(err)
	}
	var s ssh
	if err := config.Strict("edge", raw)(&s); err != nil || s.Accept != "never" || s.Delay != time.Second {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestNoTwoKeysShareAVariable(t *testing.T) {
	seen := map[string]string{}
	for _, k := range schema().Keys() {
		if other, ok := seen[k.Env]; ok {
			t.Errorf("%s and %s share %s", k.Path, other, k.Env)
		}
		seen[k.Env] = k.Path
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("node: {name: x}\nsensors: {ssh: {listen: [1]}}\n")
	f.Add("sensors: {ssh: }\nnode: !!binary x\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, yaml string) {
		file := filepath.Join(dir, "c.yaml")
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		if tr, err := config.Load(config.Options{Schema: schema(), File: file}); err == nil {
			_, _, _, _ = decodeAll(tr)
			_ = tr.Show(new(strings.Builder), true)
		}
	})
}

// TestWriteYAMLKeepsHostileText writes what a terminal could act on and reads it back.
func TestWriteYAMLKeepsHostileText(t *testing.T) {
	in := struct{ A string }{"x\u009b31m \u202e \x7f\x1b]0;p\x07 \u0085 \U000e0041 caf\u00e9: end"}
	var out strings.Builder
	if err := config.WriteYAML(&out, in); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%U is shown as it is: %q", r, out.String())
		}
	}
	var back struct {
		A string `yaml:"A"`
	}
	if err := config.Strict("out", []byte(out.String()))(&back); err != nil || back.A != in.A {
		t.Errorf("got %q, %v; want %q", back.A, err, in.A)
	}
}
