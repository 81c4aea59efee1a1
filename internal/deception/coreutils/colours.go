package coreutils

import (
	"cmp"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// Colours of the table dircolors has built in: the kinds of files, then the ends
// of names by colour.
const (
	kindColours = "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:cd=40;33;01:or=40;31;01:mi=00:su=37;41:sg=30;43:ca=00:tw=30;42:ow=34;42:st=37;44:ex=01;32:"
	archives    = "tar tgz arc arj taz lha lz4 lzh lzma tlz txz tzo t7z zip z dz gz lrz lz lzo xz zst tzst bz2 bz tbz tbz2 tz deb rpm jar war ear sar rar alz ace zoo cpio 7z rz cab wim swm dwm esd"
	pictures    = "avif jpg jpeg mjpg mjpeg gif bmp pbm pgm ppm tga xbm xpm tif tiff png svg svgz mng pcx mov mpg mpeg m2v mkv webm webp ogm mp4 m4v mp4v vob qt nuv wmv asf rm rmvb flc avi fli flv gl dl xcf xwd yuv cgm emf ogv ogx"
	sounds      = "aac au flac m4a mid midi mka mp3 mpc ogg ra wav oga opus spx xspf"
	leftovers   = "~ # .bak .old .orig .part .rej .swp .tmp .dpkg-dist .dpkg-old .ucf-dist .ucf-new .ucf-old .rpmnew .rpmorig .rpmsave"
)

// lsColours is what dircolors prints for a terminal with colours.
func lsColours() string {
	var b strings.Builder
	b.WriteString(kindColours)
	for _, g := range []struct{ dot, names, colour string }{{".", archives, "01;31"}, {".", pictures, "01;35"}, {".", sounds, "00;36"}, {"", leftovers, "00;90"}} {
		for name := range strings.FieldsSeq(g.names) {
			b.WriteString("*" + g.dot + name + "=" + g.colour + ":")
		}
	}
	return b.String()
}

func dircolors(p *Proc) int {
	opts, args, ok := p.getopt("bcp", "sh,b", "bourne-shell,b", "csh,c", "c-shell,c", "print-database,p", "print-ls-colors")
	if !ok {
		return 1
	}
	csh, chosen := false, false
	for _, o := range opts {
		csh, chosen = o.name == "c", chosen || o.name == "b" || o.name == "c"
	}
	switch {
	case len(args) > 1:
		p.errorf("extra operand %s", p.q(args[1]))
		return p.try(1)
	case !chosen && p.Env("SHELL") == "":
		p.errorf("no SHELL environment variable, and no shell type option given")
		return 1
	case !chosen:
		csh = strings.HasSuffix(p.Env("SHELL"), "csh")
	}
	if len(args) == 1 && args[0] != "-" {
		if _, err := p.stat(args[0]); err != nil {
			p.errorf("%s: %s", args[0], why(err))
			return 1
		}
	}
	table := lsColours()
	if t := p.Env("TERM"); t == "" || t == "dumb" {
		table = ""
	}
	if csh {
		p.print("setenv LS_COLORS '" + table + "'\n")
		return 0
	}
	p.print("LS_COLORS='" + table + "';\nexport LS_COLORS\n")
	return 0
}

// palette are the colours ls uses: those it has built in or of LS_COLORS.
type palette struct {
	kinds map[string]string
	ends  [][2]string // the end of a name and its colour; the last that fits counts
}

func (p *Proc) palette() palette {
	table := p.Env("LS_COLORS")
	c := palette{kinds: map[string]string{"di": "01;34", "ln": "01;36", "pi": "33", "so": "01;35", "bd": "01;33", "cd": "01;33", "ex": "01;32", "do": "01;35", "su": "37;41", "sg": "30;43", "st": "37;44", "ow": "34;42", "tw": "30;42"}}
	for item := range strings.SplitSeq(table, ":") {
		name, colour, ok := strings.Cut(item, "=")
		if !ok {
			continue
		}
		if end, is := strings.CutPrefix(name, "*"); is {
			c.ends = append(c.ends, [2]string{end, colour})
		} else {
			c.kinds[name] = colour
		}
	}
	return c
}

// of is the colour of a file, "" for none.
func (c *palette) of(p *Proc, i vfs.Info) string {
	kind := ""
	switch i.Type() {
	case vfs.Dir:
		kind = "di"
		switch {
		case i.Mode&vfs.Sticky != 0 && i.Mode&0o002 != 0:
			kind = "tw"
		case i.Mode&0o002 != 0:
			kind = "ow"
		case i.Mode&vfs.Sticky != 0:
			kind = "st"
		}
	case vfs.Symlink:
		kind = "ln"
		if _, err := p.FS.Stat(p.Cred, i.Path); err != nil && c.kinds["or"] != "" {
			kind = "or"
		}
	case vfs.Fifo:
		kind = "pi"
	case vfs.Socket:
		kind = "so"
	case vfs.Block:
		kind = "bd"
	case vfs.Char:
		kind = "cd"
	default:
		return c.ofRegular(i)
	}
	return c.plain(kind)
}

func (c *palette) ofRegular(i vfs.Info) string {
	switch {
	case i.Mode&vfs.Setuid != 0 && c.plain("su") != "":
		return c.plain("su")
	case i.Mode&vfs.Setgid != 0 && c.plain("sg") != "":
		return c.plain("sg")
	case i.Mode&0o111 != 0:
		return c.plain("ex")
	}
	for n := len(c.ends) - 1; n >= 0; n-- {
		if strings.HasSuffix(i.Name, c.ends[n][0]) {
			return c.ends[n][1]
		}
	}
	return c.plain("fi")
}

// plain is a kind's colour; those that mean no colour are none.
func (c *palette) plain(kind string) string {
	v := cmp.Or(c.kinds[kind], "0")
	if v == "0" || v == "00" {
		return ""
	}
	return v
}
