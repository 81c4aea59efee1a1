package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
)

// Formats are the names of the forms entries can be exported in.
var Formats = []string{"jsonl", "csv", "cef"}

// MediaType returns the content type of a format.
func MediaType(format string) string {
	switch format {
	case "csv":
		return "text/csv; charset=utf-8"
	case "cef":
		return "text/plain; charset=utf-8"
	}
	return "application/x-ndjson"
}

// Export writes what is asked for, newest first, as JSON lines, as CSV whose
// cells no spreadsheet takes for formulas, or as CEF for products that collect
// logs. It takes no more memory for more entries.
func Export(ctx context.Context, w io.Writer, l *Log, q Query, format string) error {
	put, flush, err := exporter(w, format)
	if err != nil {
		return err
	}
	q.Limit = 500
	for {
		page, next, err := l.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if err := put(&page[i]); err != nil {
				return err
			}
		}
		if next == 0 {
			return flush()
		}
		q.Before = next
	}
}

func exporter(w io.Writer, format string) (put func(*honeyguide.AuditEntry) error, flush func() error, err error) {
	nothing := func() error { return nil }
	switch format {
	case "jsonl":
		enc := json.NewEncoder(w)
		return func(e *honeyguide.AuditEntry) error { return enc.Encode(e) }, nothing, nil
	case "cef":
		return func(e *honeyguide.AuditEntry) error { _, err := io.WriteString(w, cefLine(e)); return err }, nothing, nil
	case "csv":
		c := csv.NewWriter(w)
		if err := c.Write([]string{"seq", "time", "actor", "kind", "session", "address", "action", "object", "outcome", "reason", "detail", "request", "before", "after", "erased_by"}); err != nil {
			return nil, nil, err
		}
		return func(e *honeyguide.AuditEntry) error { return c.Write(cells(e)) },
			func() error { c.Flush(); return c.Error() }, nil
	}
	return nil, nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("format: %.20q; want one of %s", format, strings.Join(Formats, ", "))}
}

func addressText(e *honeyguide.AuditEntry) string {
	if !e.Address.IsValid() {
		return ""
	}
	return e.Address.String()
}

func erasedText(e *honeyguide.AuditEntry) string {
	if e.ErasedBy == 0 {
		return ""
	}
	return strconv.FormatInt(e.ErasedBy, 10)
}

func cells(e *honeyguide.AuditEntry) []string {
	out := []string{
		strconv.FormatInt(e.Seq, 10), e.Time.Format(time.RFC3339Nano), e.Actor, e.Kind, e.Session, addressText(e), e.Action, e.Object,
		string(e.Outcome), e.Reason, e.Detail, e.Request, string(e.Before), string(e.After), erasedText(e),
	}
	for i := range out {
		out[i] = safetext.CSV(out[i])
	}
	return out
}

var (
	cefHead  = strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\n", " ", "\r", " ")
	cefValue = strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\n", `\n`, "\r", `\r`)
)

// cefLine writes an entry in the Common Event Format, version 0.
func cefLine(e *honeyguide.AuditEntry) string {
	severity := map[honeyguide.AuditOutcome]int{honeyguide.AuditAsked: 3, honeyguide.AuditFailed: 5, honeyguide.AuditRefused: 6}[e.Outcome]
	pairs := [][2]string{
		{"rt", strconv.FormatInt(e.Time.UnixMilli(), 10)},
		{"externalId", strconv.FormatInt(e.Seq, 10)},
		{"suser", e.Actor},
		{"src", addressText(e)},
		{"act", e.Action},
		{"outcome", string(e.Outcome)},
		{"cs1Label", "object"},
		{"cs1", e.Object},
		{"cs2Label", "actorKind"},
		{"cs2", e.Kind},
		{"cs3Label", "request"},
		{"cs3", e.Request},
		{"cs4Label", map[bool]string{true: "erasedBy"}[e.ErasedBy > 0]},
		{"cs4", erasedText(e)},
		{"reason", e.Reason},
		{"msg", e.Detail},
	}
	pairs = slices.DeleteFunc(pairs, func(p [2]string) bool { return p[1] == "" })
	var b strings.Builder
	fmt.Fprintf(&b, "CEF:0|Honeyguide|honeyguide|1|%s|%s|%d|", cefHead.Replace(safetext.Term(e.Action)), cefHead.Replace(safetext.Term(e.Action+" "+e.Object)), severity)
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(' ')
		}
		value := p[1]
		if safetext.Hostile(value) {
			value = safetext.Term(value)
		}
		b.WriteString(p[0] + "=" + cefValue.Replace(value))
	}
	b.WriteByte('\n')
	return b.String()
}
