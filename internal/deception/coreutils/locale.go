package coreutils

import (
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// localeCategories in the order locale lists them.
var localeCategories = []string{"LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"}

// locale tells the settings of the language, the locales there are, or the
// character set.
func locale(p *Proc) int {
	opts, args, ok := p.getopt("amckvV", "all-locales,a", "charmaps,m", "category-name,c", "keyword-name,k", "verbose,v")
	if !ok {
		return 64
	}
	f := letters(opts)
	if f["a"] {
		p.print("C\nC.utf8\nPOSIX\n")
		return 0
	}
	for _, a := range args {
		switch a {
		case "charmap":
			p.print(map[bool]string{true: "UTF-8\n", false: "ANSI_X3.4-1968\n"}[p.utf8()])
		default:
			if !slices.Contains(localeCategories, a) {
				p.errorf("unknown name \"%s\"", a)
				return 1
			}
			p.Watch.Unsupported("locale " + a)
		}
	}
	if len(args) > 0 {
		return 0
	}
	lang, all := p.Env("LANG"), p.Env("LC_ALL")
	p.print("LANG=" + lang + "\nLANGUAGE=" + p.Env("LANGUAGE") + "\n")
	for _, c := range localeCategories {
		switch own := p.Env(c); {
		case all != "":
			p.print(c + "=\"" + all + "\"\n")
		case own != "":
			p.print(c + "=" + own + "\n")
		case lang != "":
			p.print(c + "=\"" + lang + "\"\n")
		default:
			p.print(c + "=\"POSIX\"\n")
		}
	}
	p.print("LC_ALL=" + all + "\n")
	return 0
}

// charset folds the names of the character sets iconv knows here: utf8, latin1
// and ascii; "" is none of them.
func charset(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), "/")
	switch strings.NewReplacer("-", "", "_", "").Replace(name) {
	case "utf8", "":
		return "utf8"
	case "latin1", "iso88591", "l1", "cp819":
		return "latin1"
	case "ascii", "usascii", "ansix3.41968", "646":
		return "ascii"
	}
	return ""
}

// iconv changes text from one character set to another.
func iconv(p *Proc) int {
	opts, args, ok := p.getopt("f:t:lco:s", "from-code=,f", "to-code=,t", "list,l", "output=,o", "silent,s")
	if !ok {
		return 64
	}
	from, to, drop := "utf8", "utf8", false
	for _, o := range opts {
		switch o.name {
		case "f":
			from = charset(o.val)
		case "t":
			to = charset(o.val)
		case "c":
			drop = true
		}
	}
	if from == "" || to == "" {
		p.errorf("failed to start conversion processing: No such file or directory")
		return 1
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, a := range args {
		r, err := p.openFile(a)
		if err != nil {
			p.errorf("cannot open input file `%s': %s", a, why(err))
			return 1
		}
		status := p.convert(r, from, to, drop)
		_ = r.Close()
		if status != 0 {
			return status
		}
	}
	return 0
}

func (p *Proc) convert(r io.Reader, from, to string, drop bool) int {
	text, err := p.all(r)
	defer p.alloc(-len(text))
	if err != nil {
		p.errorf("unable to read input: %s", why(err))
		return 1
	}
	limit := map[string]rune{"latin1": 0xff, "ascii": 0x7f, "utf8": utf8.MaxRune}[to]
	for at := 0; at < len(text); {
		p.step(1)
		c, n := rune(text[at]), 1
		bad := from == "ascii" && c > 0x7f
		if from == "utf8" {
			c, n = utf8.DecodeRune(text[at:])
			bad = c == utf8.RuneError && n == 1
		}
		switch {
		case (bad || c > limit) && !drop:
			p.flush()
			p.errorf("illegal input sequence at position %d", at)
			return 1
		case bad || c > limit:
		case to == "utf8":
			p.write(utf8.AppendRune(nil, c))
		default:
			p.write([]byte{byte(c)})
		}
		at += n
	}
	return 0
}

// pathchk says whether names could be those of files.
func pathchk(p *Proc) int {
	opts, args, ok := p.getopt("pP", "portability")
	if !ok || !p.operands(args, 1) {
		return 1
	}
	f := letters(opts)
	strictly := f["p"] || f["portability"]
	status := 0
	for _, a := range args {
		odd := strings.IndexFunc(a, func(r rune) bool {
			return !strings.ContainsRune("/._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r)
		})
		switch {
		case a == "" && (strictly || f["P"]):
			p.errorf("empty file name")
		case a == "":
			p.errorf("'': No such file or directory")
		case strictly && odd >= 0:
			c, _ := utf8.DecodeRuneInString(a[odd:])
			p.errorf("nonportable character %s in file name %s", p.q(string(c)), qa(a))
		case (f["P"] || f["portability"]) && (a[0] == '-' || strings.Contains(a, "/-")):
			p.errorf("leading '-' in a component of file name %s", qa(a))
		case slices.ContainsFunc(strings.Split(a, "/"), func(s string) bool { return len(s) > 255 }):
			p.errorf("limit 255 exceeded by length %d of file name component %s", len(a), qa(a))
		default:
			continue
		}
		status = 1
	}
	return status
}
