// Command release makes what is handed out: binaries for each architecture, the
// list of what they are made of, and sums that are signed.
//
//	go run ./release -key FILE [-out DIR] [-arch amd64,arm64]   (make release)
//	go run ./release -keygen FILE                                make a key; FILE.pub is published
//	go run ./release -verify DIR -public FILE                    check what somebody got
//
// The key is a minisign key without a password, kept outside of the repository by
// whoever releases. The tree has to be that of its commit: anybody can build it
// again and compare.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/tools/licences"
	"honeyguide/tools/minisign"
	"honeyguide/tools/repro"
	"honeyguide/tools/sbom"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("release", flag.ContinueOnError)
	key := f.String("key", os.Getenv("RELEASE_KEY"), "`file` of the secret key (or RELEASE_KEY)")
	out := f.String("out", "../dist", "`folder` for the release")
	arch := f.String("arch", "amd64,arm64", "architectures")
	keygen := f.String("keygen", "", "make a key in this `file`")
	verify := f.String("verify", "", "check the release in this `folder`")
	public := f.String("public", "", "`file` of the public key, for -verify")
	if err := f.Parse(args); err != nil {
		return err
	}
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	switch {
	case *keygen != "":
		return makeKey(root, *keygen)
	case *verify != "":
		return check(*verify, *public)
	case *key == "":
		return errors.New("there is no key: -key FILE or RELEASE_KEY names one, -keygen FILE makes one")
	}
	secret, err := readKey(root, *key)
	if err != nil {
		return err
	}
	return release(ctx, root, *out, strings.Split(*arch, ","), secret)
}

// outside refuses a place in the repository for a key.
func outside(root, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, abs); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("%s is in the repository: keep the key elsewhere", path)
	}
	return nil
}

func makeKey(root, path string) error {
	if err := outside(root, path); err != nil {
		return err
	}
	k, err := minisign.Generate()
	if err != nil {
		return err
	}
	secret, _ := k.MarshalText()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	_, err = f.Write(secret)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	text, _ := k.Public().MarshalText()
	if err := os.WriteFile(path+".pub", text, 0o644); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	fmt.Printf("%s is the secret key, %s.pub is published:\n%s", path, path, text)
	return nil
}

func readKey(root, path string) (minisign.SecretKey, error) {
	if err := outside(root, path); err != nil {
		return minisign.SecretKey{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return minisign.SecretKey{}, fmt.Errorf("read the key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return minisign.SecretKey{}, fmt.Errorf("%s can be read by others: chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return minisign.SecretKey{}, fmt.Errorf("read the key: %w", err)
	}
	return minisign.ParseSecretKey(text)
}

func release(ctx context.Context, root, out string, archs []string, key minisign.SecretKey) error {
	commit, version, err := repro.Commit(ctx, root)
	if err != nil {
		return err
	}
	if clean, err := repro.Clean(ctx, root); err != nil || !clean {
		return errors.Join(err, errors.New("the tree has changes that are in no commit: commit them, or nobody can build this again"))
	}
	when, err := commitTime(ctx, root, commit)
	if err != nil {
		return err
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make the folder of the release: %w", err)
	}
	base, err := os.MkdirTemp("", "honeyguide-release-")
	if err != nil {
		return fmt.Errorf("make a place to build: %w", err)
	}
	defer os.RemoveAll(base)
	p := repro.Place{Dir: filepath.Join(base, "tree")}
	if err := repro.Checkout(ctx, root, commit, p); err != nil {
		return err
	}
	fmt.Println("building the console")
	if err := repro.Console(ctx, p); err != nil {
		return err
	}
	list, err := licences.All(p.Dir)
	if err != nil {
		return err
	}
	for _, d := range list {
		if why := d.Refused(); why != "" {
			return fmt.Errorf("%s %s: %s", d.Path, d.Version, why)
		}
	}
	var names []string
	for _, arch := range archs {
		name := "honeyguide-" + version + "-linux-" + arch
		fmt.Println("building", name)
		bin := filepath.Join(out, name)
		if err := repro.Binary(ctx, p, version, arch, bin); err != nil {
			return err
		}
		w, err := os.Create(bin + ".cdx.json")
		if err != nil {
			return fmt.Errorf("write the list: %w", err)
		}
		err = sbom.Write(w, sbom.Input{Binary: bin, Version: version, Time: when, Licences: list})
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
		names = append(names, name, name+".cdx.json")
	}
	return sign(out, names, key, fmt.Sprintf("honeyguide %s commit %s", version, commit))
}

func commitTime(ctx context.Context, root, commit string) (time.Time, error) {
	text, err := repro.Git(ctx, root, "show", "-s", "--format=%ct", commit)
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err
}

// sign writes SHA256SUMS, as sha256sum reads it, and its signature.
func sign(out string, names []string, key minisign.SecretKey, comment string) error {
	slices.Sort(names)
	var sums strings.Builder
	for _, name := range names {
		sum, err := repro.Sum(filepath.Join(out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
	}
	signature, err := minisign.Sign(key, []byte(sums.String()), comment)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"SHA256SUMS": []byte(sums.String()), "SHA256SUMS.minisig": signature} {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return fmt.Errorf("write the sums: %w", err)
		}
	}
	fmt.Printf("%s in %s; verify with:\n  minisign -Vm SHA256SUMS -P %s && sha256sum -c SHA256SUMS\n", comment, out, key.Public())
	return nil
}

// check verifies a release as its users do.
func check(dir, public string) error {
	text, err := os.ReadFile(public)
	if err != nil {
		return fmt.Errorf("read the public key: %w", err)
	}
	key, err := minisign.ParsePublicKey(text)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return fmt.Errorf("read the sums: %w", err)
	}
	signature, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS.minisig"))
	if err != nil {
		return fmt.Errorf("read the signature: %w", err)
	}
	comment, err := minisign.Verify(key, sums, signature)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(sums)) {
		want, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok || !filepath.IsLocal(name) {
			return fmt.Errorf("SHA256SUMS: a line like %q", line)
		}
		if got, err := repro.Sum(filepath.Join(dir, name)); err != nil || got != want {
			return errors.Join(err, fmt.Errorf("%s is not what was signed", name))
		}
	}
	fmt.Println("signed and whole:", comment)
	return nil
}
