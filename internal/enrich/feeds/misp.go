package feeds

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An attribute is one of MISP's: the fields of its JSON form that matter here.
// Timestamps are seconds as text, flags may be text or number.
type attribute struct {
	Type      string          `json:"type"`
	Value     string          `json:"value"`
	Category  string          `json:"category"`
	Comment   string          `json:"comment"`
	Timestamp json.RawMessage `json:"timestamp"`
	ToIDs     json.RawMessage `json:"to_ids"`
	Deleted   json.RawMessage `json:"deleted"`
}

// parseMISP reads attributes wherever they stand: an event of a feed folder, an
// event of the API, the answer to a search, several one after the other. The
// attributes of an event are called as the event is.
func parseMISP(r *bufio.Reader, t *taker) error {
	info := ""
	return elements(r, "Attribute", func(d *json.Decoder, n int64) error {
		var a attribute
		if err := d.Decode(&a); err != nil {
			if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				t.refuse(n, "an attribute of another form")
				return nil
			}
			return fmt.Errorf("read MISP attribute: %w", err)
		}
		if truth(a.Deleted) || len(a.ToIDs) > 0 && !truth(a.ToIDs) {
			return nil // not meant for detection
		}
		return takeAttribute(&a, info, n, t)
	}, func(key, text string) {
		if key == "info" {
			info = text
		}
	})
}

func takeAttribute(a *attribute, info string, n int64, t *taker) error {
	label := clip(a.Comment, maxLabel)
	if label == "" {
		label = clip(info, maxLabel)
	}
	value := a.Value
	var read func(string) (item, error)
	switch a.Type {
	case "ip-src", "ip-dst":
		read = readNetwork
	case "ip-src|port", "ip-dst|port", "domain|ip":
		value, _, _ = strings.Cut(value, "|")
		read = classify
	case "domain", "hostname":
		read = readDomain
	case "hostname|port":
		value, _, _ = strings.Cut(value, "|")
		read = readDomain
	case "url", "uri":
		read = classify
	case "md5", "sha1", "sha256", "sha512":
		read = readHash
	case "filename|md5", "filename|sha1", "filename|sha256", "filename|sha512", "malware-sample":
		value = value[strings.LastIndexByte(value, '|')+1:]
		read = readHash
	default:
		return nil // a kind of attribute that no event is compared with
	}
	it, err := read(refang(strings.TrimSpace(value)))
	it.label, it.seen = label, stamp(a.Timestamp)
	return t.take(it, err, n)
}

func truth(raw json.RawMessage) bool {
	s := strings.Trim(string(raw), `"`)
	return s == "true" || s == "1"
}

func stamp(raw json.RawMessage) time.Time {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil || n <= 0 || n >= 1<<32 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
