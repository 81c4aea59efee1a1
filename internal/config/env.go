package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// prefix begins every variable of ours.
const prefix = "HONEYGUIDE_"

// envName returns the variable that sets a dotted key.
func envName(path string) string {
	return prefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

// outside are variables of our prefix that are no settings.
var outside = []string{prefix + "CONFIG", prefix + "API_KEY", prefix + "API_KEY_FILE", prefix + "SERVER"}

// mergeEnv lays the variables over the tree. A name is looked up in the list
// of known keys, never split on its underscores: keys contain them too.
func (t *Tree) mergeEnv(environ []string) error {
	known := map[string]string{}
	for _, k := range t.schema.Keys() {
		known[envName(k.Path)] = k.Path
	}
	for name, path := range t.instanceKeys() {
		known[name] = path
	}
	environ = slices.Clone(environ)
	slices.Sort(environ) // the order of the process's environment must not matter
	aliases, err := t.aliases(environ)
	if err != nil {
		return err
	}
	for _, kv := range append(aliases, environ...) {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(outside, name) {
			continue
		}
		path, ok := known[name]
		source := name
		if !ok && strings.HasSuffix(name, "_FILE") {
			if path, ok = known[strings.TrimSuffix(name, "_FILE")]; ok {
				if value, err = secretFile(name, value); err != nil {
					return err
				}
			}
		}
		if !ok {
			return fmt.Errorf("environment: unknown variable %s%s", name, suggest(name, keys(known)))
		}
		if err := t.put(strings.Split(path, "."), value, Origin{Source: source}); err != nil {
			return err
		}
	}
	return nil
}

// instanceKeys returns the variables of instances the file names, whose names
// are not those of their kinds.
func (t *Tree) instanceKeys() map[string]string {
	out := map[string]string{}
	for _, sec := range t.schema.Sections {
		n := child(t.root, sec.Key)
		if sec.Instances == nil || n == nil || n.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i].Value
			kind := name
			if k := child(n.Content[i+1], "kind"); k != nil {
				kind = k.Value
			}
			for _, k := range t.schema.Keys() {
				if rest, ok := strings.CutPrefix(k.Path, sec.Key+"."+kind+"."); ok {
					path := sec.Key + "." + name + "." + rest
					out[envName(path)] = path
				}
			}
		}
	}
	return out
}

// aliases turns variables of other names into ours. They come first, so that
// our own name wins when both are given.
func (t *Tree) aliases(environ []string) ([]string, error) {
	var out []string
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		for _, a := range t.schema.Aliases {
			file := name == a.Env+"_FILE"
			if name != a.Env && !file || value == "" {
				continue
			}
			if a.Unused != "" {
				t.Warnings = append(t.Warnings, fmt.Sprintf("%s is set but has no effect in this version: %s", name, a.Unused))
				continue
			}
			if file {
				var err error
				if value, err = secretFile(name, value); err != nil {
					return nil, err
				}
			}
			if a.Map != nil {
				if value = a.Map(value); value == "" {
					continue
				}
			}
			out = append(out, envName(a.Key)+"="+value)
		}
	}
	return out, nil
}

// secretFile reads a value from the file a variable names, without its last newline.
func secretFile(name, file string) (string, error) {
	st, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxFile {
		return "", fmt.Errorf("%s: %s is no small regular file", name, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}
