package ingest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func parsed(t *testing.T, src string) Value {
	t.Helper()
	d := &document{}
	if _, err := d.parse([]byte(src)); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return d.root()
}

func TestPathFindsNestedAndDotted(t *testing.T) {
	for src, want := range map[string]string{
		`{"a":{"b":{"c":"x"}}}`:               "x",
		`{"a.b.c":"x"}`:                       "x",
		`{"a.b":{"c":"x"}}`:                   "x",
		`{"a":{"b.c":"x"}}`:                   "x",
		`{"a":{"b":{"c":"old"}},"a.b.c":"x"}`: "x",
		`{"a":{"b":{"c":1,"c":"x"}}}`:         "x", // the last of two wins
		`{"a":{"\u0062":{"c":"x"}}}`:          "x",
		`{"a":{"b":"no object"}}`:             "",
		`{"a":[{"b":{"c":"in a list"}}]}`:     "",
		`{}`:                                  "",
	} {
		if got := parsed(t, src).Path("a.b.c").Text(); got != want {
			t.Errorf("%s: got %q, want %q", src, got, want)
		}
	}
}

func TestTextIsValid(t *testing.T) {
	for src, want := range map[string]string{
		`"plain"`:                      "plain",
		`"\"\\\/\b\f\n\r\t"`:           "\"\\/\b\f\n\r\t",
		`"\u00e9\ud83d\ude00"`:         "é😀",
		`"\ud83d alone"`:               "\uFFFD alone",
		`"\ude00\ud83d"`:               "\uFFFD\uFFFD",
		"\"caf\xe9\"":                  "caf\uFFFD",
		`"nul \u0000 here"`:            "nul \uFFFD here",
		"\"nul \x00 raw\"":             "nul \uFFFD raw",
		"\"tab \t and \x1b raw\"":      "tab \t and \x1b raw",
		`-12.50e+3`:                    "-12.50e+3",
		`18446744073709551615`:         "18446744073709551615",
		`true`:                         "true",
		`null`:                         "",
		"[1, {\"a b\" : \"c  d\"}\n ]": `[1,{"a b":"c  d"}]`,
	} {
		if got := parsed(t, `{"v":`+src+`}`).Get("v").Text(); got != want {
			t.Errorf("%s: got %q, want %q", src, got, want)
		}
	}
}

func TestAbsentWords(t *testing.T) {
	for _, src := range []string{`null`, `""`, `"-"`, `" "`, `"null"`, `"(null)"`, `"N/A"`, `"n/a"`, `"None"`, `[]`, `{}`} {
		if !parsed(t, `{"v":`+src+`}`).Get("v").Absent() {
			t.Errorf("%s is not absent", src)
		}
	}
	for _, src := range []string{`0`, `false`, `"0"`, `"--"`, `"nobody"`, `[null]`} {
		if parsed(t, `{"v":`+src+`}`).Get("v").Absent() {
			t.Errorf("%s is absent", src)
		}
	}
	if !(Value{}).Absent() || (Value{}).Get("x").Path("y.z").Text() != "" {
		t.Error("the missing value is not empty all the way down")
	}
}

func TestIntAndID(t *testing.T) {
	for src, want := range map[string]string{
		`7`: "7", `"7"`: "7", `" 7 "`: "7", `"7.000000"`: "7", `7.0`: "7", `1e3`: "1000", `-1`: "-1",
		`7.5`: "no", `"x"`: "no", `true`: "no", `9223372036854775808`: "no", `1e300`: "no", `""`: "no",
	} {
		got := "no"
		if n, ok := parsed(t, `{"v":`+src+`}`).Get("v").Int(); ok {
			got = strconv.FormatInt(n, 10)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
	for src, want := range map[string]string{
		`"1398609176796675.000000"`: "1398609176796675", `18446744073709551615`: "18446744073709551615",
		`"1795289400.48122"`: "1795289400.48122", `"v1.0"`: "v1.0", `"-"`: "",
	} {
		if got := parsed(t, `{"v":`+src+`}`).Get("v").ID(); got != want {
			t.Errorf("id %s: got %s, want %s", src, got, want)
		}
	}
}

func TestLimitsOfOneRecord(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	parsed(t, deep)
	many := `{"a":1` + strings.Repeat(`,"a":1`, MaxFields-1) + "}"
	parsed(t, many)
	for want, src := range map[string]string{
		errDepth.Error():    `{"a":` + deep + "}",
		errFields.Error():   many[:len(many)-1] + `,"a":1}`,
		errElements.Error(): `{"a":[1` + strings.Repeat(",1", maxElements) + "]}",
	} {
		d := &document{}
		if _, err := d.parse([]byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// FuzzDocument holds the parser against the standard library's.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{
		`{"a":1}`, `{"a":[1,2,{"b":null}],"c":"\u00e9\ud83d\ude00"}`, `{"a":-0.5e-7,"b":true}`, `{"a":01}`, `{"a":1,}`, `{"a" 1}`,
		`{"a":"` + "\xff" + `"}`, `{"a":"\u12"}`, `{`, `{"a":{`, `{"":""}`, `{"a":1}{"b":2}`, "{\"a\":\"\t\"}", `{"a":"\x"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		d := &document{}
		n, err := d.parse(src)
		var want map[string]any
		bad := json.Unmarshal(src[:max(n, 0)], &want)
		if err != nil {
			// Whatever is refused is refused there too, or over our limits.
			if json.Unmarshal(src, &want) == nil && len(src) < 100 && len(want) > 0 {
				t.Fatalf("refused %q: %v", src, err)
			}
			return
		}
		if bad != nil {
			// Control characters in texts are the one thing taken beyond JSON.
			if !strings.ContainsFunc(string(src[:n]), func(r rune) bool { return r < 0x20 }) {
				t.Fatalf("took %q: %v", src[:n], bad)
			}
			return
		}
		for key, value := range d.root().Each() {
			if !utf8.ValidString(key) || !utf8.ValidString(value.Text()) {
				t.Fatalf("%q gives invalid text", src)
			}
			if w, ok := want[key].(float64); ok && value.Type() == Number && d.root().Get(key) == value {
				if got, err := strconv.ParseFloat(value.Text(), 64); err == nil && got != w && !math.IsInf(got, 0) {
					t.Fatalf("%q: %s is %v, want %v", src, key, got, w)
				}
			}
		}
	})
}

func TestIdentityIgnoresBlanks(t *testing.T) {
	for in, want := range map[string]string{
		`{ "a" : "b c\" d" , "e\\" : [ 1 ,	2 ] }`: `{"a":"b c\" d","e\\":[1,2]}`,
		`{"a\\\"":" "}`: `{"a\\\"":" "}`,
		`{"":""}`:       `{"":""}`,
		`{"a":"`:        `{"a":"`,
		`"`:             `"`,
		``:              ``,
	} {
		if got := string(compact([]byte(in))); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
