package coreutils

import (
	"regexp"
	"strings"

	"honeyguide/internal/deception/machine"
)

// An ipForm is how ip is to write what it shows.
type ipForm struct {
	brief, oneLine bool
	family         byte // '4', '6' or 0 for all
}

// ipShow shows one interface in a form.
func (p *Proc) ipShow(n int, i machine.Interface, addresses bool, form ipForm) {
	if form.brief {
		p.ipAddress(n, i, addresses, true)
		return
	}
	q := *p
	var text strings.Builder
	q.out = &writer{to: &text}
	q.ipAddress(n, i, addresses, false)
	q.flush()
	records := ipRecords(text.String())
	if addresses && form.family != 0 {
		records = ipFamily(records, form.family)
	}
	if !form.oneLine {
		for _, r := range records {
			p.print(strings.Join(r, "\n") + "\n")
		}
		return
	}
	for at, r := range records {
		switch {
		case addresses && at == 0: // -o has a line for each address and none for the link
		case addresses:
			p.printf("%d: %s%s%s\n", n, i.Name, "    "+strings.TrimLeft(r[0], " "), ipRest(r))
		default:
			p.print(r[0] + ipRest(r) + "\n")
		}
	}
}

// ipRest joins the lines behind a record's first with backslashes, as -o does.
func ipRest(r []string) string {
	s := ""
	for _, l := range r[1:] {
		s += "\\" + l
	}
	return s
}

var ipAddressLine = regexp.MustCompile("^    inet6? ")

// ipRecords splits what is shown of an interface into the link and its
// addresses, each with the lines that belong to it.
func ipRecords(text string) (out [][]string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if len(out) == 0 || ipAddressLine.MatchString(line) {
			out = append(out, []string{line})
		} else {
			out[len(out)-1] = append(out[len(out)-1], line)
		}
	}
	return out
}

// ipFamily leaves the addresses of one family and takes the hardware address
// away, as ip -4 does.
func ipFamily(records [][]string, family byte) [][]string {
	word := map[byte]string{'4': "    inet ", '6': "    inet6 "}[family]
	var out [][]string
	for i, r := range records {
		switch {
		case i == 0:
			head := []string{r[0]}
			for _, l := range r[1:] {
				if strings.HasPrefix(l, "    altname") {
					head = append(head, l)
				}
			}
			out = append(out, head)
		case strings.HasPrefix(r[0], word):
			out = append(out, r)
		}
	}
	return out
}
