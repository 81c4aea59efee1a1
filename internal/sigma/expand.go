package sigma

import (
	"fmt"
	"strings"
)

// Placeholders are the values rules name as %name%.
type Placeholders map[string][]string

// A MissingPlaceholder is the error of a rule that names a placeholder nobody
// filled.
type MissingPlaceholder struct{ Name string }

// Error names it.
func (e *MissingPlaceholder) Error() string {
	return fmt.Sprintf("the placeholder %%%s%% has no values: give some in the list of placeholders", e.Name)
}

type expander struct{ with Placeholders }

// expand returns the text with every combination of its placeholders' values;
// \% is a percent sign.
func (x *expander) expand(s string) ([]string, error) {
	out := []string{""}
	add := func(t string) {
		for i := range out {
			out[i] += t
		}
	}
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			add(s)
			break
		}
		if i > 0 && s[i-1] == '\\' {
			add(s[:i-1] + "%")
			s = s[i+1:]
			continue
		}
		j := strings.IndexByte(s[i+1:], '%')
		if j < 0 {
			add(s)
			break
		}
		add(s[:i])
		name := s[i+1 : i+1+j]
		values, ok := x.with[name]
		if !ok || len(values) == 0 {
			return nil, &MissingPlaceholder{name}
		}
		if len(out)*len(values) > 100*maxVariants {
			return nil, fmt.Errorf("the placeholder %%%s%% makes more than %d values", name, 100*maxVariants)
		}
		next := make([]string, 0, len(out)*len(values))
		for _, o := range out {
			for _, v := range values {
				next = append(next, o+v)
			}
		}
		out = next
		s = s[i+j+2:]
	}
	return out, nil
}
