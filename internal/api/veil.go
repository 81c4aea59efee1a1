package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"honeyguide/internal/auth"
	"honeyguide/internal/personal"
)

// A veil hides personal data in the answers to somebody who may not see it:
// addresses, names and mail addresses become pseudonyms, which are the same in
// every answer until the core starts again, so that what belongs together can
// still be told. It stands at the gate, before every route there is, and looks at
// what goes out: a route cannot forget it. What it cannot read, such as recordings
// and archives, is refused.
type veil struct {
	http.ResponseWriter
	r      *personal.Rewriter
	decide func(int) // answers with a refusal
	how    veiling
	status int
	buf    bytes.Buffer
}

type veiling int

const (
	undecided veiling = iota
	atOnce            // JSON: at the end
	tabular           // CSV: at the end
	byLine            // text, tables, streams: line by line
	refused           // what cannot be read
	bare              // no body that could say anything
)

// maxVeiled bounds an answer that is hidden as a whole.
const maxVeiled = 64 << 20

// veiled reports whether a principal's answers have to be hidden. Machines that
// enforce blocks need addresses, and what is about oneself is nobody else's.
func veiled(who auth.Principal, need auth.Permission) bool {
	switch need {
	case auth.PermSelf, auth.PermOpen, auth.PermMetrics, auth.PermBouncer, auth.PermIngest:
		return false
	}
	return !who.May(auth.PermPersonal)
}

// pseudonymsFor returns the pseudonyms that stand in an answer, nil for none. With
// pseudonymise=true anybody gets them, new ones for each answer: for what is to be
// shown to others.
func (g *gate) pseudonymsFor(r *http.Request, who auth.Principal, need auth.Permission) *personal.Pseudonyms {
	switch {
	case veiled(who, need):
		return g.pseudonyms
	case r.Method == http.MethodGet && r.URL.Query().Get("pseudonymise") == "true":
		return personal.NewPseudonyms(nil)
	}
	return nil
}

func (g *gate) veil(w http.ResponseWriter, r *http.Request, as *personal.Pseudonyms) *veil {
	return &veil{ResponseWriter: w, r: as.All(), decide: func(int) {
		g.denied.With("permission").Add(1)
		refuse(w, r, newProblem(r.Context(), http.StatusForbidden, "this answer holds personal data that cannot be masked: it needs the permission "+string(auth.PermPersonal)))
	}}
}

// WriteHeader decides what becomes of the body.
func (v *veil) WriteHeader(status int) {
	if v.how != undecided {
		return
	}
	v.status = status
	kind, _, _ := mime.ParseMediaType(v.Header().Get("Content-Type"))
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified || status < 200:
		v.how = bare
	case kind == "" || kind == "application/json" || strings.HasSuffix(kind, "+json"):
		v.how = atOnce
	case kind == "text/csv":
		v.how = tabular
	case strings.HasPrefix(kind, "text/") || strings.Contains(kind, "ndjson") || strings.Contains(kind, "jsonl"):
		v.how = byLine
	default:
		v.refuse()
		return
	}
	v.Header().Del("Content-Length") // it will be another
	if v.how != atOnce && v.how != tabular {
		v.ResponseWriter.WriteHeader(status)
	}
}

// refuse shows nothing of an answer of which nothing was sent yet.
func (v *veil) refuse() {
	v.how, v.buf = refused, bytes.Buffer{}
	v.Header().Del("Content-Disposition")
	v.Header().Del("Content-Length")
	v.decide(http.StatusForbidden)
}

// Write hides what it can and keeps the rest back.
func (v *veil) Write(b []byte) (int, error) {
	if v.how == undecided {
		v.WriteHeader(http.StatusOK)
	}
	switch v.how {
	case refused, bare:
		return len(b), nil
	case atOnce, tabular:
		if v.buf.Len()+len(b) > maxVeiled {
			v.refuse()
			return 0, http.ErrContentLength
		}
		return v.buf.Write(b)
	}
	n := len(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			v.buf.Write(b)
			return n, nil
		}
		v.buf.Write(b[:i+1])
		b = b[i+1:]
		if err := v.line(); err != nil {
			return 0, err
		}
	}
}

// line sends one line that is complete.
func (v *veil) line() error {
	text := v.buf.String()
	v.buf.Reset()
	head := ""
	if rest, ok := strings.CutPrefix(text, "data:"); ok { // of a stream of events
		head, text = "data:", rest
	}
	out, _ := v.r.Field("", text)
	_, err := v.ResponseWriter.Write([]byte(head + out))
	return err
}

// Flush sends what is complete.
func (v *veil) Flush() {
	if f, ok := v.ResponseWriter.(http.Flusher); ok && v.how == byLine {
		f.Flush()
	}
}

// Unwrap lets deadlines through.
func (v *veil) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// end sends what was kept back.
func (v *veil) end() {
	switch v.how {
	case atOnce:
		out := v.buf.Bytes()
		switch begins := bytes.TrimLeft(out, " \t\r\n"); {
		case json.Valid(out):
			out, _ = v.r.JSON(out)
		case bytes.HasPrefix(begins, []byte("{")), bytes.HasPrefix(begins, []byte("[")):
			v.refuse() // half of one: which of its texts are names is not known
			return
		default:
			text, _ := v.r.Text(string(out))
			out = []byte(text)
		}
		v.ResponseWriter.WriteHeader(v.status)
		_, _ = v.ResponseWriter.Write(out) // the peer is gone
	case tabular:
		out := v.cells()
		v.ResponseWriter.WriteHeader(v.status)
		_, _ = v.ResponseWriter.Write(out) // the peer is gone
	case byLine:
		if v.buf.Len() > 0 {
			_ = v.line() // the peer is gone
		}
	}
}

// cells hides in a table whose first row names the columns.
func (v *veil) cells() []byte {
	rows, err := csv.NewReader(&v.buf).ReadAll()
	if err != nil {
		return nil // what is not understood is not shown
	}
	for _, row := range rows[min(1, len(rows)):] {
		for i := range row {
			row[i], _ = v.r.Field(rows[0][i], row[i])
		}
	}
	var out bytes.Buffer
	_ = csv.NewWriter(&out).WriteAll(rows) // a buffer takes everything
	return out.Bytes()
}
