package sbom

import (
	"bytes"
	"os"
	"regexp"
	"runtime/debug"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"honeyguide/tools/licences"
)

// TestWrite lists this test's own binary beside packages of npm.
func TestWrite(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Binary: self, Version: "v1.0.0", Time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Licences: []licences.Dependency{
		{Ecosystem: "npm", Path: "@scope/shipped", Version: "1.2.3", Licence: "MIT", Integrity: "sha512-AAECAw=="},
		{Ecosystem: "npm", Path: "@scope/shipped", Version: "1.2.3", Licence: "MIT"},
		{Ecosystem: "npm", Path: "builder", Version: "1.0.0", Licence: "MIT", Tool: true},
		{Ecosystem: "go", Path: "github.com/CycloneDX/cyclonedx-go", Version: "v0.12.0", Licence: "Apache-2.0"},
	}}
	var one, two bytes.Buffer
	if err := Write(&one, in); err != nil {
		t.Fatal(err)
	}
	if err := Write(&two, in); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("the same input gives other bytes, %v", err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&one, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.Metadata.Component.Name != "honeyguide" || !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(bom.SerialNumber) {
		t.Errorf("%v %v %v", bom.SpecVersion, bom.Metadata.Component, bom.SerialNumber)
	}
	found := map[string]cdx.Component{}
	for _, c := range *bom.Components {
		found[c.Name] = c
	}
	if c := found["@scope/shipped"]; c.PackageURL != "pkg:npm/%40scope/shipped@1.2.3" || c.Hashes == nil || (*c.Hashes)[0].Value != "00010203" {
		t.Errorf("%+v", c)
	}
	if _, ok := found["builder"]; ok || found["std"].Version == "" {
		t.Errorf("a tool is listed: %v; the standard library: %+v", ok, found["std"])
	}
	if err := Write(&one, Input{Binary: "sbom.go"}); err == nil {
		t.Error("a file that is no binary is listed")
	}
}

// The modules are those that the binary names, a replaced one as what it was
// replaced by.
func TestModules(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Deps: []*debug.Module{
		{Path: "github.com/a/b", Version: "v1.0.0", Sum: "h1:x"}, {Path: "github.com/c/d", Version: "v1.0.0", Replace: &debug.Module{Path: "github.com/e/f", Version: "v2.0.0", Sum: "h1:y"}},
	}}
	bom := build(info, Input{Version: "v1", Licences: []licences.Dependency{{Ecosystem: "go", Path: "github.com/a/b", Licence: "MIT"}}})
	list := *bom.Components
	if len(list) != 3 || list[0].PackageURL != "pkg:golang/github.com/a/b@v1.0.0" || (*list[0].Licenses)[0].License.ID != "MIT" || (*list[0].Properties)[0].Value != "h1:x" || list[1].Name != "github.com/e/f" {
		t.Errorf("%+v", list)
	}
	if refs := (*bom.Dependencies)[0].Dependencies; len(*refs) != 3 {
		t.Errorf("%v", refs)
	}
}
