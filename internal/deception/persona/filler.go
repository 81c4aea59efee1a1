package persona

import (
	"path"
	"strings"

	"honeyguide/internal/image"
)

// A style is how a kind of text marks what is not for the machine.
type style byte

const (
	plain  style = iota // documents
	hash                // # of shells, Perl, Python and most settings
	semi                // ; of .ini
	slash               // // of PHP and JavaScript
	star                // C and CSS
	quote               // " of Vim
	roff                // .\" of manual pages
	markup              // HTML and XML
	keys                // base64 of certificates and keys
	paths               // lists of files
)

var (
	before = [...]string{hash: "# ", semi: "; ", slash: "// ", star: " * ", quote: "\" ", roff: ".\\\" ", markup: "", keys: "", paths: ""}

	plainForm = &form{kind: image.Text}
)

// sentences are what documents and comments say. They are general enough to
// stand in any of them.
var sentences = strings.Split(`This section describes the behaviour in detail.
The default is suitable for most installations.
See the manual page for a complete list of options.
Changes take effect the next time the service is started.
Values are read once at startup and kept in memory.
Lines that begin with this character are ignored.
An empty value means that the feature is switched off.
Relative paths are taken from the directory of this file.
Please report problems to the address given below.
The old name is still accepted but should not be used.
Entries are processed in order and the first match wins.
Numbers may be given in decimal, octal or hexadecimal form.
A missing entry is not an error.
Only the administrator may change this setting.
The limit applies to each process separately.
Both forms have the same meaning.
Note that the order of these entries is significant.
This has been verified with the current release only.
The result is written to standard output unless a file is named.
If several files match, all of them are read.
Fixed a problem where the last line was not handled.
Updated the translations.
Improved error messages when a file cannot be opened.
The test suite now covers this case as well.
Removed code that has not been used for a long time.
Added a check for the return value.
Long options may be abbreviated as long as they are unique.
White space around the separator is not significant.
The time is given in seconds.
Addresses may be written with a prefix length.
Use with care, as this cannot be undone.
The following names are reserved.
It is an error to give both at once.
Temporary files are removed when the program ends.
This file is part of the distribution and may be replaced on upgrade.
Local changes belong into a separate file.
Names are compared without regard to case.
The list ends at the first empty line.
Support for older versions was dropped.
On success the exit status is zero.
The format has not changed since the first version.
Several of these may be combined.
Make sure the directory exists before enabling this.
A detailed log is kept when debugging is enabled.`, "\n")

const fillBlock = 512

// text is a text of the style of its file: sentences, marked as comments where
// the style asks for it, in blocks that can be made without each other.
func (f *file) text(p []byte, off int64) {
	n := 0
	if off < int64(len(f.head)) {
		n = copy(p, f.head[off:])
	}
	var block [fillBlock]byte
	for n < len(p) {
		at := off + int64(n) - int64(len(f.head))
		f.block(&block, uint64(at/fillBlock))
		n += copy(p[n:], block[at%fillBlock:])
	}
	if end := f.size - 1 - off; end >= 0 && end < int64(len(p)) {
		p[end] = '\n'
	}
}

func (f *file) block(b *[fillBlock]byte, n uint64) {
	key := mix(f.key + n*0x9e3779b97f4a7c15)
	if f.style == keys {
		base64Block(b, key)
		return
	}
	mark := before[f.style]
	at := 0
	for k := uint64(0); ; k++ {
		s := sentences[mix(key+k)%uint64(len(sentences))]
		if at+len(mark)+len(s)+1 > fillBlock-len(mark)-1 {
			break
		}
		at += copy(b[at:], mark)
		at += copy(b[at:], s)
		b[at] = '\n'
		at++
	}
	// The rest is a rule, or nothing where there is no room for one.
	at += copy(b[at:], mark)
	for ; at < fillBlock-1; at++ {
		b[at] = '-'
	}
	b[fillBlock-1] = '\n'
}

// base64Block is lines of 63 characters and a line end.
func base64Block(b *[fillBlock]byte, key uint64) {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range b {
		b[i] = set[mix(key+uint64(i))&63]
		if i&63 == 63 {
			b[i] = '\n'
		}
	}
}

// styles by what a name ends in.
var styles = map[string]style{
	".py": hash, ".pl": hash, ".pm": hash, ".pod": plain, ".sh": hash, ".conf": hash, ".cfg": hash, ".service": hash, ".timer": hash, ".socket": hash,
	".target": hash, ".mount": hash, ".rules": hash, ".load": hash, ".list": hash, ".cnf": hash, ".rb": hash, ".mk": hash, ".awk": hash, ".m4": hash,
	".ini": semi, ".php": slash, ".js": slash, ".c": star, ".h": star, ".cc": star, ".hh": star, ".cpp": star, ".css": star, ".vim": quote,
	".html": markup, ".htm": markup, ".xml": markup, ".svg": markup, ".xsl": markup, ".dtd": markup,
	".crt": keys, ".pem": keys, ".asc": keys, ".pub": keys,
	".md": plain, ".txt": plain, ".1": roff, ".3": roff, ".5": roff, ".8": roff, ".tmac": roff,
}

// styleOf guesses a text's style from its name, its first line and whether it is
// for the machine.
func styleOf(p, head string, machine bool) (style, string) {
	s, known := styles[path.Ext(p)]
	switch {
	case strings.Contains(head, "php"):
		return slash, head + "\n<?php\n"
	case head != "":
		return hash, head + "\n"
	case s == keys && strings.HasSuffix(p, ".asc"):
		return s, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"
	case s == keys:
		return s, "-----BEGIN CERTIFICATE-----\n"
	case s == markup && strings.HasSuffix(p, "ml") && !strings.HasSuffix(p, ".xml"):
		return s, "<!DOCTYPE html>\n<html>\n"
	case s == markup:
		return s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	case s == star:
		return s, "/*\n"
	case s == slash && strings.HasSuffix(p, ".php"):
		return s, "<?php\n"
	case known:
		return s, ""
	case machine:
		return hash, ""
	}
	return plain, ""
}
