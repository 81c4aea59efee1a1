package sftp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// describe writes an answer as text, without what differs between two machines:
// times of now and of access, sizes of folders, inode order.
func describe(p []byte) string {
	r := &reader{b: p[1:]}
	id := uint32(0)
	if p[0] != fxpVersion {
		id = r.uint32()
	}
	head := fmt.Sprintf("%d #%d ", p[0], id)
	switch p[0] {
	case fxpStatus:
		return head + fmt.Sprintf("%d %q %q%s", r.uint32(), r.data(), r.data(), left(r))
	case fxpAttrs:
		return head + attrText(r) + left(r)
	case fxpName:
		var names []string
		for range r.uint32() {
			name, long := r.data(), r.data()
			names = append(names, fmt.Sprintf("%q %q %s", name, mask(string(long)), attrText(r)))
		}
		slices.Sort(names)
		return head + strings.Join(names, "; ") + left(r)
	}
	return head + fmt.Sprintf("%x", r.b)
}

func left(r *reader) string {
	if r.bad || len(r.b) > 0 {
		return fmt.Sprintf(" BAD %v %x", r.bad, r.b)
	}
	return ""
}

// clock is a time of day in a long name; links and sizes of folders depend on
// the file system.
var (
	clock  = regexp.MustCompile(`[A-Z][a-z]{2} [ \d]\d( \d\d:\d\d|  \d{4})`)
	folder = regexp.MustCompile(`^(d\S+) +\d+ (\S+) +(\S+) +\d+ `)
)

func mask(long string) string {
	long = clock.ReplaceAllString(long, "TIME")
	return folder.ReplaceAllString(long, "$1 N $2 $3 SIZE ")
}

func attrText(r *reader) string {
	a := r.attrs()
	at := func(sec uint32) string {
		if d := time.Since(time.Unix(int64(sec), 0)); d.Abs() < time.Hour {
			return "now"
		}
		return fmt.Sprint(sec)
	}
	if a.mode>>12 == 4 {
		a.size = 0
		a.mtime = 0
	}
	if a.flags == 0 {
		return "-"
	}
	return fmt.Sprintf("%x size %d owner %d:%d mode %o time %s", a.flags, a.size, a.uid, a.gid, a.mode, at(a.mtime))
}
