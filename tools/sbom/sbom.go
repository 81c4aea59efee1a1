// Package sbom writes what the product is made of as CycloneDX: the modules that
// the binary itself says it was linked from, and the packages that the console's
// lock names. The same binary and lock give the same bytes.
package sbom

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"honeyguide/tools/licences"
)

// An Input is what a list is made of.
type Input struct {
	Binary   string // path of the built binary
	Version  string
	Time     time.Time // of the commit
	Licences []licences.Dependency
}

// Write writes the list of a binary as JSON.
func Write(w io.Writer, in Input) error {
	info, err := buildinfo.ReadFile(in.Binary)
	if err != nil {
		return fmt.Errorf("ask the binary what it is made of: %w", err)
	}
	enc := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	enc.SetPretty(true)
	if err := enc.EncodeVersion(build(info, in), cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}

func build(info *debug.BuildInfo, in Input) *cdx.BOM {
	known := map[string]licences.Dependency{}
	for _, d := range in.Licences {
		if _, ok := known[d.Ecosystem+d.Path]; !ok || !d.Tool {
			known[d.Ecosystem+d.Path] = d
		}
	}
	product := "pkg:golang/honeyguide@" + in.Version
	list := []cdx.Component{{
		BOMRef: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), Type: cdx.ComponentTypeLibrary, Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"),
		PackageURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), Licenses: spdx("BSD-3-Clause"), Description: "the standard library of Go",
	}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		url := "pkg:golang/" + m.Path + "@" + m.Version
		c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url, Licenses: spdx(known["go"+m.Path].Licence)}
		if m.Sum != "" { // the hash of the module's tree, which is none of a file
			c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.Sum}}
		}
		list = append(list, c)
	}
	for _, d := range in.Licences {
		if d.Ecosystem != "npm" || d.Tool {
			continue
		}
		url := "pkg:npm/" + strings.Replace(d.Path, "@", "%40", 1) + "@" + d.Version
		if slices.ContainsFunc(list, func(c cdx.Component) bool { return c.BOMRef == url }) {
			continue
		}
		list = append(list, cdx.Component{
			BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: d.Path, Version: d.Version, PackageURL: url, Licenses: spdx(d.Licence), Hashes: integrity(d.Integrity),
		})
	}
	slices.SortFunc(list, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	refs := make([]string, len(list))
	for i := range list {
		refs[i] = list[i].BOMRef
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = serial(in.Version, refs)
	bom.Metadata = &cdx.Metadata{
		Timestamp: in.Time.UTC().Format(time.RFC3339),
		Component: &cdx.Component{BOMRef: product, Type: cdx.ComponentTypeApplication, Name: "honeyguide", Version: in.Version, PackageURL: product},
	}
	bom.Components = &list
	bom.Dependencies = &[]cdx.Dependency{{Ref: product, Dependencies: &refs}}
	return bom
}

func spdx(id string) *cdx.Licenses {
	if id == "" {
		return nil
	}
	return &cdx.Licenses{{License: &cdx.License{ID: id}}}
}

// integrity turns the hash of a lock into that of a list.
func integrity(text string) *[]cdx.Hash {
	name, value, _ := strings.Cut(text, "-")
	raw, err := base64.StdEncoding.DecodeString(value)
	if name != "sha512" || err != nil {
		return nil
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA512, Value: hex.EncodeToString(raw)}}
}

// serial names a list by what is in it: a name made by chance would make two
// builds differ.
func serial(version string, refs []string) string {
	sum := sha256.Sum256([]byte(version + "\n" + strings.Join(refs, "\n")))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8, variant of RFC 9562
	h := hex.EncodeToString(b)
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
