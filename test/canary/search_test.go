// Package canary plants a secret of a known text wherever the product takes or
// makes one, uses the product, and looks for these texts in everything it wrote,
// printed and answered.
package canary

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
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

	// How forms begin: a filter by a hash of the first eight bytes, and who begins so.
	may  [1 << 16]bool
	from map[uint64][]bird
}

// A bird is one form of a canary.
type bird struct {
	name string
	form []byte
}

const headSize = 8

func hashOf(head uint64) uint64 { return head * 0x9e3779b97f4a7c15 >> 48 }

// add takes a canary in. It has twelve bytes or more.
func (c *cage) add(name, text string) {
	if len(text) < 12 {
		panic("a canary that short would be found anywhere: " + name)
	}
	if c.forms == nil {
		c.forms, c.from = map[string][][]byte{}, map[uint64][]bird{}
	}
	if _, ok := c.forms[name]; !ok {
		c.names = append(c.names, name)
	}
	for _, form := range formsOf(text) {
		head := binary.BigEndian.Uint64(form)
		c.may[hashOf(head)] = true
		c.from[head] = append(c.from[head], bird{name, form})
		c.forms[name] = append(c.forms[name], form)
	}
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

// in names the canaries in a text. It looks at each byte once.
func (c *cage) in(text []byte) (found []string) {
	var head uint64
	for i, b := range text {
		head = head<<8 | uint64(b)
		if i < headSize-1 || !c.may[hashOf(head)] {
			continue
		}
		for _, x := range c.from[head] {
			if bytes.HasPrefix(text[i-headSize+1:], x.form) && !slices.Contains(found, x.name) {
				found = append(found, x.name)
			}
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
