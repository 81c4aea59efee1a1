package coreutils_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// on runs commands of one kind on fuzzed words and input: nothing panics, hangs
// or takes more memory than a meter allows.
func on(f *testing.F, run func(word, input string) [][]string) {
	b := newBench(f, "debian-12-fresh")
	f.Fuzz(func(t *testing.T, word, input string) {
		if len(word) > 2048 || len(input) > 1<<15 {
			return
		}
		b.t = t
		b.reset()
		b.fixture()
		b.write("/w/in", input, 0o644)
		for _, argv := range run(word, input) {
			if err := hostile(b, argv, input); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzSed runs scripts of the stream editor.
func FuzzSed(f *testing.F) {
	for _, s := range []string{`s/\(a*\)b/[\1&]/2gp`, `1~2{h;d};G;s/\n/-/;P;D`, `:a;N;$!ba;y/abc/xyz/;=;l 5`, `/x/,+2{/y/!d;r /w/fruit`, `$!{1i\` + "\nq\na\\\nw /w/out}", `s/x/\U&\l\E/ge;T;b;q5`, `0,/re/I s,,\n,m1;c\x`} {
		f.Add(s, "abc\nxay\nb\n")
	}
	on(f, func(w, _ string) [][]string {
		return [][]string{{"sed", w, "/w/in"}, {"sed", "-nE", w}, {"sed", "-i.bak", "-s", "-z", w, "/w/in", "/w/fruit"}}
	})
}

// FuzzFind runs expressions of find; words are divided at blanks.
func FuzzFind(f *testing.F) {
	for _, s := range []string{`-name *.c -o ( -type d ! -empty ) -print0`, `-size +1k -mtime -3 -perm /u+s -printf %p%-5s%Tc\n`, `-exec echo {} + -prune -delete`, `-maxdepth 1 -regex .*[a , -quit -newermt 2020-01-01`, `( ( ( -not -path x`} {
		f.Add(s, "")
	}
	on(f, func(w, _ string) [][]string {
		return [][]string{append([]string{"find", "/w"}, strings.Split(w, " ")...), append([]string{"find", "-L"}, strings.Split(w, " ")...)}
	})
}

// FuzzGrep matches patterns of all three languages.
func FuzzGrep(f *testing.F) {
	for _, s := range []string{`\(a*\)*\1b`, `^[^]a-z[:digit:]\]{2,}$`, `a\{3,1\}|(b|c)+?`, `[[.hyphen.]-[=a=]]`, `\<\w*\>\b\B`, `(?i)x(?<n>y)`, `a{1000}`, `*a**`, "\\", "[", "a\nb"} {
		f.Add(s, "aaab\nhello world\n\xff\x00\n")
	}
	on(f, func(w, _ string) [][]string {
		return [][]string{{"grep", "-on", "--", w}, {"grep", "-Ewc", "--", w, "/w/in"}, {"grep", "-Piv", "--", w}, {"grep", "-F", "-x", "-e", w}, {"expr", w, ":", w}, {"awk", "match($0, \"" + w + "\")"}}
	})
}

// FuzzTar reads archives: what is in them stays within the quota and below the
// folder they are unpacked in.
func FuzzTar(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "a", Mode: 0o644, Size: 5}, {Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "../up", Size: 0}, {Name: "/abs", Mode: 0o600},
		{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, {Name: "l/x", Mode: 0o644}, {Name: "h", Typeflag: tar.TypeLink, Linkname: "a"}, {Name: strings.Repeat("n", 200), Mode: 0o644},
	} {
		if err := w.WriteHeader(&h); err != nil {
			f.Fatal(err)
		}
		_, _ = w.Write([]byte("hello")[:h.Size])
	}
	_ = w.Close()
	f.Add("x", b.String())
	f.Add("t", b.String()[:700])
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	_, _ = g.Write(b.Bytes())
	_ = g.Close()
	f.Add("xz", z.String())
	f.Add("", string(bytes.Replace(b.Bytes(), []byte("00000000005"), []byte("77777777777"), 1)))
	on(f, func(w, _ string) [][]string {
		return [][]string{{"tar", "tvf", "-"}, {"tar", "xzvf", "/w/in"}, {"tar", "x" + w + "f", "-", "-C", "/w/dir"}, {"gzip", "-dc"}, {"zcat", "/w/in"}, {"gunzip", "-f", "/w/in"}, {"unzip", "-o", "/w/in"}, {"busybox", "tar", "xvf", "-"}, {"file", "/w/in"}}
	})
}

// FuzzDate reads dates and formats them.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"next friday 3 months ago", "@1e9", "2026-11-21T09:30:00+01:00", "TZ=\"Asia/Tokyo\" 9am", "1 fortnight -2 weeks 99999999999 days", "12/31/1999 23:59:60.999999999 UTC", "+%10Y%-d%_H%^a%:::z%N%%%E", "yesterday noon pm", "00:00:00.1 GMT+5:30"} {
		f.Add(s, "")
	}
	on(f, func(w, _ string) [][]string {
		return [][]string{{"date", "-d", w, "+%c %s %N"}, {"date", "+" + w}, {"touch", "-d", w, "/w/in"}, {"find", "/w", "-newermt", w}, {"date", "-s", w}, {"date", "-u", "-R", "-d", w}}
	})
}

// FuzzSort orders lines by fuzzed keys.
func FuzzSort(f *testing.F) {
	for _, s := range []string{"1,2n", "2.3b,4.5r", "0", "1.0", "99999999999999999999", "1,1V", "3h,3.99999999999999999999", "2M"} {
		f.Add(s, "b 10 Jan 1K\na 9 feb 2M\n\n  x\t3\n")
	}
	on(f, func(w, _ string) [][]string {
		return [][]string{{"sort", "-k", w}, {"sort", "-t", w, "-k2", "-u"}, {"sort", "-k" + w, "-k1,1r", "-s", "/w/in"}, {"cut", "-f", w}, {"cut", "-c" + w, "/w/in"}, {"join", "-t" + w, "/w/in", "/w/fruit"}, {"uniq", "-f" + w, "-c"}, {"tr", w, "xyz"}, {"head", "-n", w}, {"tail", "-c", w}, {"split", "-l", w}}
	})
}

// FuzzPrintf formats anything.
func FuzzPrintf(f *testing.F) {
	for _, s := range []string{"%*d%-05.3s|%b\\c", "%q%c%x%e%g\\x41\\0101\\u00e9", "%999999999d", "%.*f", "%", "%l", "%5%"} {
		f.Add(s, "12 abc -7 0x1F 'a 1e400\n")
	}
	on(f, func(w, in string) [][]string {
		return [][]string{append([]string{"printf", w}, strings.Fields(in)...), {"echo", "-e", w}, {"seq", "-f", w, "1", "3"}, {"stat", "-c", w, "/w/in"}, {"stat", "--printf", w, "/w/in"}, {"awk", `BEGIN{printf "` + w + `", 1, "x", 3}`}, {"find", "/w", "-printf", w}, {"ps", "-o", w}}
	})
}
