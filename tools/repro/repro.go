// Package repro builds the product so that the same commit gives the same bytes,
// wherever, whenever and by whomever it is built.
package repro

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Place is where and how a build happens: all that must not matter.
type Place struct {
	Dir     string // the checkout
	GoCache string // "": the usual one
	Umask   string // "": the usual one
	Env     []string
}

// flags are those of every build that is handed out. Without -trimpath the folders
// of whoever builds stand in the binary.
var flags = []string{"-trimpath", "-buildvcs=true", "-mod=readonly"}

// link are the linker's: no symbol table, no identity of the build's own.
const link = "-s -w -buildid= -X honeyguide/internal/cli.version="

// Commit names the commit of a repository and how it is called. A tree with
// changes is refused: nobody else can build it.
func Commit(ctx context.Context, root string) (commit, version string, err error) {
	if commit, err = run(ctx, root, nil, "git", "rev-parse", "HEAD"); err != nil {
		return "", "", err
	}
	if version, err = run(ctx, root, nil, "git", "describe", "--tags", "--always"); err != nil {
		return "", "", err
	}
	return commit, version, nil
}

// Clean reports whether the tree is what its commit says.
func Clean(ctx context.Context, root string) (bool, error) {
	out, err := run(ctx, root, nil, "git", "status", "--porcelain")
	return out == "", err
}

// Checkout makes a fresh copy of a commit.
func Checkout(ctx context.Context, root, commit string, p Place) error {
	if _, err := run(ctx, root, p.Env, "sh", "-c", p.masked(`git clone -q --shared "$0" "$1" && git -C "$1" checkout -q --detach "$2"`), root, p.Dir, commit); err != nil {
		return fmt.Errorf("check the commit out: %w", err)
	}
	return nil
}

// Console builds the console of a checkout, from what package-lock.json pins.
func Console(ctx context.Context, p Place) error {
	_, err := run(ctx, filepath.Join(p.Dir, "web"), p.Env, "sh", "-c", p.masked("npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error && npm run --silent build"))
	if err != nil {
		return fmt.Errorf("build the console: %w", err)
	}
	return nil
}

// Binary builds the binary of a checkout for an architecture of Linux.
func Binary(ctx context.Context, p Place, version, arch, out string) error {
	env := append([]string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT="}, p.Env...)
	if p.GoCache != "" {
		env = append(env, "GOCACHE="+p.GoCache)
	}
	args := append([]string{"-c", p.masked(`exec go build "$@"`), "sh"}, flags...)
	args = append(args, "-ldflags", link+version, "-o", out, "./cmd/honeyguide")
	if _, err := run(ctx, p.Dir, env, "sh", args...); err != nil {
		return fmt.Errorf("build for %s: %w", arch, err)
	}
	return nil
}

// masked puts the mask of new files before a command.
func (p Place) masked(command string) string {
	if p.Umask == "" {
		return command
	}
	return "umask " + p.Umask + " && " + command
}

// Sums returns the SHA-256 of every file below a folder, by its path there.
func Sums(dir string) (map[string]string, error) {
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		sums[filepath.ToSlash(rel)], err = Sum(path)
		return err
	})
	return sums, err
}

// Sum returns the SHA-256 of a file.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("sum a file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("sum a file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Differences names the files that are not the same in both.
func Differences(a, b map[string]string) (names []string) {
	for name, sum := range a {
		if b[name] != sum {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// run runs a program and returns what it printed; its errors are part of ours.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(exit.Stderr)+string(out)))
	}
	return strings.TrimSpace(string(out)), err
}

// Git asks git.
func Git(ctx context.Context, root string, args ...string) (string, error) {
	return run(ctx, root, nil, "git", args...)
}
