package shell

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// layouts are the directives of strftime that are a layout of package time.
var layouts = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'y': "06", 'b': "Jan", 'h': "Jan", 'B': "January",
	'a': "Mon", 'A': "Monday", 'e': "_2", 'I': "03", 'p': "PM", 'P': "pm", 'T': "15:04:05", 'R': "15:04", 'F': "2006-01-02",
	'D': "01/02/06", 'z': "-0700", 'Z': "MST", 'X': "15:04:05", 'x': "01/02/06", 'c': "Mon Jan _2 15:04:05 2006", 'r': "03:04:05 PM",
}

// strftime formats t in the C locale.
func strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		c := format[i]
		if l, ok := layouts[c]; ok {
			b.WriteString(t.Format(l))
			continue
		}
		switch c {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'u':
			b.WriteString(strconv.Itoa((int(t.Weekday())+6)%7 + 1))
		case 'w':
			b.WriteString(strconv.Itoa(int(t.Weekday())))
		case 'C':
			fmt.Fprintf(&b, "%02d", t.Year()/100)
		case 'k':
			fmt.Fprintf(&b, "%2d", t.Hour())
		case 'l':
			fmt.Fprintf(&b, "%2d", (t.Hour()+11)%12+1)
		case 'V':
			_, w := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", w)
		case 'G':
			y, _ := t.ISOWeek()
			b.WriteString(strconv.Itoa(y))
		case 'U':
			fmt.Fprintf(&b, "%02d", (t.YearDay()+6-int(t.Weekday()))/7)
		case 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		default:
			b.WriteByte('%')
			b.WriteByte(c)
		}
	}
	return b.String()
}
