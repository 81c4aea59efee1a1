package personal

import (
	"slices"
	"strconv"
	"strings"
)

// A Sort is a sort of personal data that can be told by its form alone.
type Sort string

// The sorts. Numbers count only when their check digits are right; names of
// persons have no form and are not looked for.
const (
	SortEmail Sort = "email"
	SortPhone Sort = "phone" // with a country's code
	SortIBAN  Sort = "iban"  // ISO 13616, check digits of ISO 7064 MOD 97-10
	SortCard  Sort = "card"  // of payment: 13 to 19 digits, ISO/IEC 7812 check digit
	SortID    Sort = "national_id"
)

// sorts are all sorts, in the order they are written down.
var sorts = []Sort{SortEmail, SortPhone, SortIBAN, SortCard, SortID}

// maxDetect bounds how much of a text is looked at, and maxFound how much is found
// in it: attackers choose both.
const (
	maxDetect = 64 << 10
	maxFound  = 1000
)

// Counts is how often each sort was found.
type Counts map[Sort]int

// String writes counts for people: "email x2, iban x1". It is "" for nothing.
func (c Counts) String() string {
	var out []string
	for _, s := range sorts {
		if n := c[s]; n > 0 {
			out = append(out, string(s)+" x"+strconv.Itoa(n))
		}
	}
	return strings.Join(out, ", ")
}

// Most returns, for two texts that [Counts.String] wrote, the higher count of each
// sort. What it does not know is left out.
func Most(a, b string) string {
	if a == b || b == "" {
		return a
	}
	out := Counts{}
	for part := range strings.SplitSeq(a+", "+b, ", ") {
		sort, n, _ := strings.Cut(part, " x")
		if count, err := strconv.Atoi(n); err == nil && slices.Contains(sorts, Sort(sort)) {
			out[Sort(sort)] = max(out[Sort(sort)], count)
		}
	}
	return out.String()
}

// examples are a text of each sort, made up: digits that check, and nobody's.
var examples = map[Sort]string{
	SortEmail: "mail to jane.doe@example.org now", SortPhone: "call +49 30 901820", SortIBAN: "pay to DE89 3704 0044 0532 0130 00",
	SortCard: "card 4111 1111 1111 1111", SortID: "dni 12345678Z",
}

// Recognised says how many sorts there are, and how many of them are found in an
// example of each: whether the search works that is running.
func Recognised() (found, all int) {
	for _, s := range sorts {
		if Detect(examples[s])[s] == 1 {
			found++
		}
	}
	return found, len(sorts)
}

// Detect counts the personal data in a text, of which it looks at the first 64
// KiB. It returns nil when there is none.
func Detect(s string) Counts {
	if len(s) > maxDetect {
		s = s[:maxDetect]
	}
	var c Counts
	found := func(sort Sort) {
		if c == nil {
			c = Counts{}
		}
		c[sort]++
	}
	n := 0
	for i := 0; i < len(s) && n < maxFound; {
		switch b := s[i]; {
		case b == '@':
			if _, to, ok := emailAt(s, i); ok && named(s[i+1:to]) {
				found(SortEmail)
				n, i = n+1, to
				continue
			}
		case digit(b) || b == '+':
			if i > 0 && (digit(s[i-1]) || letter(s[i-1]) || s[i-1] == '.') {
				break
			}
			digits, end := number(s, i)
			if sort := sortOf(s, i, end, digits); sort != "" {
				found(sort)
				n, i = n+1, end
				continue
			}
			i = max(end, i+1)
			continue
		case b >= 'A' && b <= 'Z' && (i == 0 || !letter(s[i-1]) && !digit(s[i-1])):
			if end := iban(s, i); end > 0 {
				found(SortIBAN)
				n, i = n+1, end
				continue
			}
		}
		i++
	}
	return c
}

// named reports whether a host is a name and no address.
func named(host string) bool {
	top := host[strings.LastIndexByte(host, '.')+1:]
	return len(top) > 1 && !strings.ContainsFunc(top, func(c rune) bool { return c >= '0' && c <= '9' })
}

// number reads digits with single separators between them: at most 19, and where
// they end.
func number(s string, i int) (digits string, end int) {
	var b [19]byte
	n := 0
	if s[i] == '+' {
		i++
	}
	end = i
	for i < len(s) && n < len(b) {
		switch c := s[i]; {
		case digit(c):
			b[n] = c
			n++
			i++
			end = i
			continue
		case (c == ' ' || c == '-' || c == '/' || c == '(' || c == ')') && i+1 < len(s) && (digit(s[i+1]) || s[i+1] == '('):
			i++
			continue
		}
		break
	}
	return string(b[:n]), end
}

// sortOf says what a number is, "" when it is none of ours.
func sortOf(s string, i, end int, digits string) Sort {
	if end < len(s) && (digit(s[end]) || s[end] == '.' && end+1 < len(s) && digit(s[end+1])) {
		return "" // longer than any of ours, or a number with a fraction
	}
	var next byte
	if end < len(s) {
		next = s[end]
	}
	plain := end-i == len(digits)
	switch n := len(digits); {
	case s[i] == '+':
		if n >= 8 && n <= 15 && digits[0] != '0' {
			return SortPhone
		}
	case n == 8 && plain && letter(next) && dni(digits, next) && (end+1 == len(s) || !letter(s[end+1]) && !digit(s[end+1])):
		return SortID
	case letter(next):
		return ""
	case n == 11 && plain && (steuerID(digits) || pesel(digits)):
		return SortID
	case n == 15 && nir(digits):
		return SortID
	case n >= 13 && n <= 19 && card(digits):
		return SortCard
	case n >= 10 && n <= 16 && strings.HasPrefix(digits, "00") && digits[2] != '0' && !plain:
		return SortPhone
	}
	return ""
}

// card checks a number of a payment card: its beginning and its check digit.
func card(d string) bool {
	two, _ := strconv.Atoi(d[:2])
	four, _ := strconv.Atoi(d[:4])
	known := d[0] == '4' || two >= 50 && two <= 69 || four >= 2221 && four <= 2720 || two == 34 || two == 37 || two == 35 || two == 36 || two == 38 || two == 30
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return known && sum%10 == 0 && strings.Trim(d, d[:1]) != ""
}

// steuerID checks Germany's number of tax payers: ISO 7064 MOD 11,10, and one
// digit of the first ten that comes more than once.
func steuerID(d string) bool {
	if d[0] == '0' {
		return false
	}
	var times [10]int
	p := 10
	for i := range 10 {
		n := int(d[i] - '0')
		times[n]++
		if n = (n + p) % 10; n == 0 {
			n = 10
		}
		p = n * 2 % 11
	}
	again := 0
	for _, t := range times {
		if t > 1 {
			again++
		}
		if t > 3 {
			return false
		}
	}
	return again == 1 && (11-p)%10 == int(d[10]-'0')
}

// pesel checks Poland's number of persons: a date of birth, and weights 1 3 7 9.
func pesel(d string) bool {
	month, _ := strconv.Atoi(d[2:4])
	day, _ := strconv.Atoi(d[4:6])
	sum := 0
	for i := range 10 {
		sum += int(d[i]-'0') * [4]int{1, 3, 7, 9}[i%4]
	}
	return month%20 >= 1 && month%20 <= 12 && day >= 1 && day <= 31 && (10-sum%10)%10 == int(d[10]-'0')
}

// nir checks France's number of persons: sex, month, and a key modulo 97.
func nir(d string) bool {
	n, err := strconv.ParseInt(d[:13], 10, 64)
	key, _ := strconv.ParseInt(d[13:], 10, 64)
	month, _ := strconv.Atoi(d[3:5])
	return err == nil && (d[0] == '1' || d[0] == '2') && month >= 1 && month <= 12 && key == 97-n%97
}

// dni checks Spain's number of identity cards: the letter is the rest modulo 23.
func dni(d string, c byte) bool {
	n, err := strconv.Atoi(d)
	return err == nil && "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == c&^0x20
}

// lengths are those of IBANs by country (SWIFT IBAN registry).
var lengths = map[string]int{
	"AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21,
	"HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
	"SE": 24, "SI": 19, "SK": 24, "TR": 26, "UA": 29,
}

// iban returns where an IBAN that begins at i ends, 0 when none does.
func iban(s string, i int) int {
	if i+15 > len(s) {
		return 0
	}
	want := lengths[s[i:i+2]]
	if want == 0 || !digit(s[i+2]) || !digit(s[i+3]) {
		return 0
	}
	var text []byte
	at := i
	for at < len(s) && len(text) < want {
		switch c := s[at]; {
		case digit(c), c >= 'A' && c <= 'Z':
			text = append(text, c)
		case c != ' ' || len(text)%4 != 0:
			return 0
		}
		at++
	}
	if len(text) < want || at < len(s) && (digit(s[at]) || letter(s[at])) {
		return 0
	}
	rest := 0
	for _, c := range slices.Concat(text[4:], text[:4]) {
		if digit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	if rest != 1 {
		return 0
	}
	return at
}
