// Package canary plants a secret of a known text wherever the product takes or
// makes one, uses the product, and looks for these texts in everything it wrote,
// printed and answered.
package canary

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A cage holds the canaries.
type cage struct {
	names []string
	forms map[string][][]byte // by name
}

// add takes a canary in. It has twelve bytes or more.
func (c *cage) add(name, text string) {
	if len(text) < 12 {
		panic("a canary that short would be found anywhere: " + name)
	}
	if c.forms == nil {
		c.forms = map[string][][]byte{}
	}
	if _, ok := c.forms[name]; !ok {
		c.names = append(c.names, name)
	}
	c.forms[name] = append(c.forms[name], formsOf(text)...)
}

// formsOf are the ways a text may be written down.
func formsOf(text string) [][]byte {
	raw := []byte(text)
	quoted, _ := json.Marshal(text) // a text always encodes
	quoted = quoted[1 : len(quoted)-1]
	lower := hex.EncodeToString(raw)
	out := []string{
		text, lower, strings.ToUpper(lower), url.QueryEscape(text), url.PathEscape(text), html.EscapeString(text),
		string(quoted), strings.Trim(strconv.Quote(text), `"`), strings.ReplaceAll(text, `"`, `\"`), strings.Trim(fmt.Sprint(raw), "[]"), base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw),
	}
	// In Base64 a text looks different by where it begins; without its first and
	// last piece it looks the same whatever stands around it.
	for skip := range 3 {
		whole := raw[skip:]
		whole = whole[:len(whole)/3*3]
		out = append(out, base64.StdEncoding.EncodeToString(whole), base64.URLEncoding.EncodeToString(whole))
	}
	slices.Sort(out)
	var forms [][]byte
	for _, f := range slices.Compact(out) {
		forms = append(forms, []byte(f))
	}
	return forms
}

// in names the canaries in a text.
func (c *cage) in(text []byte) (found []string) {
	for _, name := range c.names {
		if slices.ContainsFunc(c.forms[name], func(f []byte) bool { return bytes.Contains(text, f) }) {
			found = append(found, name)
		}
	}
	return found
}

// below names the canaries in the files of a folder, and counts the files.
func (c *cage) below(dir string) (found []string, files int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		rel, _ := filepath.Rel(dir, path)
		for _, name := range append(c.in(text), c.in([]byte(rel))...) {
			found = append(found, name+" in "+rel)
		}
		return nil
	})
	return found, files, err
}
