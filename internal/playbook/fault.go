package playbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"honeyguide"
)

// A Fault is one thing that is wrong in a file.
type Fault struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column,omitempty"` // 0: the line as a whole
	Text   string `json:"text"`
}

// String returns file:line:column: text.
func (f Fault) String() string {
	if f.Column > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// faulty makes one error of faults, nil of none.
func faulty(list []Fault) error {
	if len(list) == 0 {
		return nil
	}
	lines := make([]string, len(list))
	for i, f := range list {
		lines[i] = f.String()
	}
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: strings.Join(lines, "\n")}
}

// sortFaults brings faults into the order of their places.
func sortFaults(list []Fault) {
	slices.SortStableFunc(list, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
}

// nearest returns the name of list that is closest to word, "" when none is near.
func nearest(word string, list []string) string {
	best, name := len(word)/2+1, ""
	for _, s := range list {
		if n := distance(word, s); n < best {
			best, name = n, s
		}
	}
	return name
}

// distance is how many letters must be put in, left out or changed.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, last+1)
		}
	}
	return row[len(b)]
}

// hint says which names there are: the nearest one, else all of a short list.
func hint(word string, names []string) string {
	if s := nearest(word, names); s != "" {
		return fmt.Sprintf("did you mean %s?", s)
	}
	if len(names) == 0 {
		return "there are none"
	}
	return "there are " + list(names)
}

// list writes names in their order, the first forty.
func list(names []string) string {
	names = slices.Sorted(slices.Values(names))
	if len(names) > 40 {
		names = append(names[:40:40], "...")
	}
	return strings.Join(names, ", ")
}
