package cli

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"honeyguide/internal/client"
)

// previewed is how much of a file a preview reads.
const previewed = 1 << 20

// beginning returns the first lines of an input, whole ones where it has lines.
func beginning(in io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(in, previewed))
	if err != nil || len(head) < previewed || bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		return head, err
	}
	if n := bytes.LastIndexByte(head, '\n'); n >= 0 {
		head = head[:n+1]
	}
	return head, nil
}

// previewTable shows events field by field.
func previewTable(w io.Writer, results []client.IngestResult) {
	for _, res := range results {
		row(w, "FILE", res.Name)
		row(w, "FORMAT", fmt.Sprintf("%s, cut as %s", res.Format, res.Framing))
		for i, e := range res.Preview {
			row(w, "", "")
			row(w, fmt.Sprintf("EVENT %d", i+1), e.Time)
			row(w, "activity", e.Activity)
			row(w, "severity", e.Severity)
			row(w, "source", e.Source)
			row(w, "destination", e.Destination)
			for _, name := range slices.Sorted(maps.Keys(e.Attrs)) {
				row(w, name, fmt.Sprint(e.Attrs[name]))
			}
		}
		for _, d := range res.DeadLetters {
			row(w, "rejected", fmt.Sprintf("%s:%d", d.Source, d.Line), d.Reason)
		}
		for _, name := range slices.Sorted(maps.Keys(res.Notes)) {
			row(w, "noted", name, res.Notes[name])
		}
	}
}
