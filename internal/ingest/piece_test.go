package ingest

import (
	"bytes"
	"testing"
)

func TestTableHeader(t *testing.T) {
	for in, want := range map[string]string{
		"a,b\n1,2\n": "", "#separator \\x09\n#fields\ta\n1\n": "#separator \\x09\n#fields\ta\n", "#fields\ta\n#types\tstring": "#fields\ta\n", "# a comment\n": "", "": "",
	} {
		if got := string(TableHeader([]byte(in), FormatAuto)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := string(TableHeader([]byte(bom+"a,b\n1,2\n"), FormatCSV)); got != "a,b\n" {
		t.Errorf("csv: %q", got)
	}
	if got := TableHeader([]byte("a,b"), FormatCSV); len(got) != 0 {
		t.Errorf("incomplete: %q", got)
	}
}

func FuzzPiece(f *testing.F) {
	f.Add([]byte("#fields\ta\n"), []byte("1\n"), int64(2))
	f.Add([]byte("a,b\n"), []byte("\"1\n2\",3\n"), int64(1))
	f.Add([]byte(""), []byte("{\"a\":1}\n\xef\xbb\xbf<13>x\n"), int64(7))
	f.Fuzz(func(t *testing.T, head, body []byte, line int64) {
		for _, format := range []string{FormatAuto, FormatCSV} {
			header := TableHeader(head, format)
			if len(header) > 0 && !bytes.Contains(head, header) {
				t.Fatalf("%q is not in %q", header, head)
			}
			frames, _, err := pieces(bytes.NewReader(body), &Piece{Header: header, Line: line % 1e6}, MaxRecord)
			if err != nil {
				continue
			}
			var rec Record
			for range len(body) + len(header) + 2 {
				if err = frames.next(&rec); err != nil && !isBroken(err) {
					break
				}
			}
			if err == nil || isBroken(err) {
				t.Fatal("more records than bytes")
			}
		}
	})
}

func isBroken(err error) bool { _, ok := err.(*broken); return ok }
