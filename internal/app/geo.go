package app

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/enrich"
)

// GeoUpdate says which database to put in place.
type GeoUpdate struct {
	File, URL string // one of the two
	SHA256    string // of the file or download as it is; "" with a file: not checked
	Name      string // in place, without folder; "" means the type of the database
}

// GeoUpdated says what was put in place.
type GeoUpdated struct {
	Path, Type string
	Built      time.Time
}

// maxGeo bounds a database, bytes.
const maxGeo = 512 << 20

var geoName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$`)

// UpdateGeo checks a database and puts it in place in one step. Whatever is wrong
// with it leaves what was there alone.
func UpdateGeo(ctx context.Context, s Settings, o GeoUpdate) (GeoUpdated, error) {
	raw, err := geoBytes(ctx, s, o)
	if err != nil {
		return GeoUpdated{}, err
	}
	if got := sha256.Sum256(raw); o.SHA256 != "" && !strings.EqualFold(hex.EncodeToString(got[:]), strings.TrimSpace(o.SHA256)) {
		return GeoUpdated{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("the SHA-256 is %x, not the one given; nothing was changed", got)}
	}
	if raw, err = unpackGeo(raw); err != nil {
		return GeoUpdated{}, err
	}
	kind, built, err := checkGeo(ctx, raw)
	if err != nil {
		return GeoUpdated{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("%v; nothing was changed", err), Err: err}
	}
	name := o.Name
	if name == "" {
		name = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' {
				return r
			}
			return '-'
		}, kind)
	}
	name = strings.TrimSuffix(name, ".mmdb")
	if !geoName.MatchString(name) {
		return GeoUpdated{}, invalid("name: %.80q; want letters, digits, dots and dashes", name)
	}
	if err := prepareFolders(s.Node.Data); err != nil {
		return GeoUpdated{}, err
	}
	dir := filepath.Join(s.Node.Data, "geo")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return GeoUpdated{}, err
	}
	path := filepath.Join(dir, name+".mmdb")
	if err := replaceFile(path, raw); err != nil {
		return GeoUpdated{}, fmt.Errorf("put the database in place: %w", err)
	}
	return GeoUpdated{Path: path, Type: kind, Built: built}, nil
}

// checkGeo reads all of a database and says what it is.
func checkGeo(ctx context.Context, raw []byte) (string, time.Time, error) {
	k, err := builtin.Enrichers().Lookup("geo")
	if err != nil {
		return "", time.Time{}, err
	}
	e, err := k.Open(ctx, nil, enrich.Deps{})
	if err != nil {
		return "", time.Time{}, err
	}
	return e.(enrich.Checker).Check(raw)
}

// replaceFile writes a file beside path and moves it there once it is on the disk.
func replaceFile(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// geoBytes reads the file or downloads it.
func geoBytes(ctx context.Context, s Settings, o GeoUpdate) ([]byte, error) {
	if o.File == "" {
		return download(ctx, s, o.URL, maxGeo)
	}
	f, err := os.Open(o.File)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	defer f.Close()
	return atMost(f, maxGeo)
}

// atMost reads all of r, and refuses more than n bytes.
func atMost(r io.Reader, n int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, n+1))
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	if int64(len(raw)) > n {
		return nil, invalid("the database is larger than %d MiB", n>>20)
	}
	return raw, nil
}

// unpackGeo takes a database out of .gz and .tar.gz, as makers publish them.
func unpackGeo(raw []byte) ([]byte, error) {
	if !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	plain, err := atMost(z, maxGeo)
	if err != nil {
		return nil, err
	}
	const magicAt = 257
	if len(plain) < magicAt+5 || string(plain[magicAt:magicAt+5]) != "ustar" {
		return plain, nil
	}
	t := tar.NewReader(bytes.NewReader(plain))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil, invalid("there is no .mmdb file in the archive")
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		if h.Typeflag == tar.TypeReg && strings.HasSuffix(h.Name, ".mmdb") {
			return atMost(t, maxGeo)
		}
	}
}
