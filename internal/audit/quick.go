package audit

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"honeyguide"
)

// What follows writes and reads the JSON of entries as encoding/json does, only
// quicker: a log is verified whole every day. Whatever is not plain goes the slow
// way.

// plain reports whether a text stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// appendText writes a text as JSON.
func appendText(buf []byte, s string) []byte {
	if plain(s) {
		return append(append(append(buf, '"'), s...), '"')
	}
	text, _ := json.Marshal(s) // texts always encode
	return append(buf, text...)
}

func appendField(buf []byte, name, value string) []byte {
	if value == "" {
		return buf
	}
	return appendText(append(buf, name...), value)
}

// append writes the JSON of an open part.
func (p *openPart) append(buf []byte) ([]byte, error) {
	buf = append(buf, `{"v":`...)
	buf = strconv.AppendInt(buf, int64(p.Form), 10)
	buf = append(buf, `,"seq":`...)
	buf = strconv.AppendInt(buf, p.Seq, 10)
	buf = append(buf, `,"time":"`...)
	buf = p.Time.AppendFormat(buf, time.RFC3339Nano)
	buf = appendText(append(buf, `","kind":`...), p.Kind)
	buf = appendText(append(buf, `,"action":`...), p.Action)
	buf = appendText(append(buf, `,"outcome":`...), string(p.Outcome))
	buf = appendField(buf, `,"request":`, p.Request)
	buf = append(buf, `,"personal":"`...)
	buf = base64.StdEncoding.AppendEncode(buf, p.Personal)
	buf = append(buf, '"')
	if len(p.Covers) > 0 {
		text, err := json.Marshal(p.Covers)
		if err != nil {
			return buf, err
		}
		buf = append(append(buf, `,"covers":`...), text...)
	}
	return append(buf, '}'), nil
}

// append writes the JSON of a personal part.
func (p *personal) append(buf []byte) ([]byte, error) {
	if len(p.Before)+len(p.After) > 0 {
		text, err := json.Marshal(p)
		return append(buf, text...), err
	}
	buf = appendText(append(buf, `{"actor":`...), p.Actor)
	buf = appendField(buf, `,"session":`, p.Session)
	if p.Address.IsValid() {
		buf = append(p.Address.AppendTo(append(buf, `,"address":"`...)), '"')
	}
	buf = appendField(buf, `,"object":`, p.Object)
	buf = appendField(buf, `,"reason":`, p.Reason)
	buf = appendField(buf, `,"detail":`, p.Detail)
	return append(buf, '}'), nil
}

// taker takes what it expects off the front of a text.
type taker struct {
	rest []byte
	bad  bool
}

func (t *taker) word(s string) bool {
	if !bytes.HasPrefix(t.rest, []byte(s)) {
		return false
	}
	t.rest = t.rest[len(s):]
	return true
}

func (t *taker) must(s string) { t.bad = t.bad || !t.word(s) }

// text takes a text without escapes, up to its closing quote.
func (t *taker) text() []byte {
	at := bytes.IndexByte(t.rest, '"')
	if at < 0 || bytes.IndexByte(t.rest[:at], '\\') >= 0 {
		t.bad = true
		return nil
	}
	out := t.rest[:at]
	t.rest = t.rest[at+1:]
	return out
}

func (t *taker) number() int64 {
	at := 0
	for at < len(t.rest) && at < 18 && t.rest[at] >= '0' && t.rest[at] <= '9' {
		at++
	}
	n, err := strconv.ParseInt(string(t.rest[:at]), 10, 64)
	t.bad = t.bad || err != nil
	t.rest = t.rest[at:]
	return n
}

// quick reads an entry of form 2 as this log writes most; false when it is another.
func (r *record) quick(text []byte) bool {
	t := taker{rest: text}
	t.must(form2 + `"seq":`)
	r.Seq = t.number()
	t.must(`,"time":"`)
	at := t.text()
	t.must(`,"kind":"`)
	r.Kind = string(t.text())
	t.must(`,"action":"`)
	r.Action = string(t.text())
	t.must(`,"outcome":"`)
	r.Outcome = honeyguide.AuditOutcome(t.text())
	if t.word(`,"request":"`) {
		r.Request = string(t.text())
	}
	t.must(`,"personal":"`)
	sum := t.text()
	t.must("}")
	if t.bad || len(t.rest) > 0 || base64.StdEncoding.DecodedLen(len(sum)) != len(r.sum)+1 {
		return false
	}
	var room [len(r.sum) + 1]byte
	if n, err := base64.StdEncoding.Decode(room[:], sum); err != nil || n != len(r.sum) {
		return false
	}
	r.sum = [len(r.sum)]byte(room[:])
	var err error
	r.Time, err = time.Parse(time.RFC3339Nano, string(at))
	return err == nil
}

// actorOf reads the actor of a personal part.
func actorOf(part []byte) (string, error) {
	t := taker{rest: part[saltBytes:]}
	t.must(`{"actor":"`)
	if name := t.text(); !t.bad {
		return string(name), nil
	}
	var p struct{ Actor string }
	err := json.Unmarshal(part[saltBytes:], &p)
	return p.Actor, err
}
