package colblock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strconv"
	"time"

	"honeyguide"
)

// Canon brings e into the form in which it is stored, so that what is read
// equals what was given: times UTC with microseconds, addresses unmapped, empty
// lists and maps nil, attributes string, int64, float64, bool or what their JSON
// decodes to (whole numbers int64). A nil attribute is no attribute. Maps are
// copied before they are changed. The error says what cannot be stored.
func Canon(e *honeyguide.Event) error {
	if err := canonTime(&e.Time, "time"); err != nil {
		return err
	}
	if err := canonTime(&e.Observed, "observed"); err != nil {
		return err
	}
	if e.Severity > honeyguide.SeverityCritical {
		return fmt.Errorf("severity %d is none", e.Severity)
	}
	e.Src.Addr, e.Dst.Addr = unmap(e.Src.Addr), unmap(e.Dst.Addr)
	if len(e.Observables) == 0 {
		e.Observables = nil
	}
	if len(e.Attacks) == 0 {
		e.Attacks = nil
	}
	if len(e.Raw) == 0 {
		e.Raw = nil
	}
	return canonAttrs(e)
}

// canonTime cuts t to what is stored. Years are limited to those RFC 3339 can
// write; the zero time is among them.
func canonTime(t *time.Time, name string) error {
	if y := t.Year(); y < 1 || y > 9999 {
		return fmt.Errorf("%s: year %d is out of range", name, y)
	}
	*t = time.UnixMicro(t.UnixMicro()).UTC()
	return nil
}

func unmap(ap netip.AddrPort) netip.AddrPort {
	if ap.Addr().Is4In6() {
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return ap
}

func canonAttrs(e *honeyguide.Event) error {
	if len(e.Attrs) == 0 {
		e.Attrs = nil
		return nil
	}
	var changed map[string]any
	for name, v := range e.Attrs {
		switch v.(type) {
		case string, int64, float64, bool:
			continue
		}
		c, err := canonValue(v)
		if err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
		if changed == nil {
			changed = make(map[string]any, len(e.Attrs))
		}
		changed[name] = c
	}
	if changed == nil {
		return nil
	}
	attrs := make(map[string]any, len(e.Attrs))
	for name, v := range e.Attrs {
		if c, ok := changed[name]; ok {
			v = c
		}
		if v != nil {
			attrs[name] = v
		}
	}
	if e.Attrs = attrs; len(attrs) == 0 {
		e.Attrs = nil
	}
	return nil
}

func canonValue(v any) (any, error) {
	switch n := v.(type) {
	case nil:
		return nil, nil
	case int:
		return int64(n), nil
	case int32:
		return int64(n), nil
	case uint16:
		return int64(n), nil
	case uint32:
		return int64(n), nil
	case uint64:
		if n <= math.MaxInt64 {
			return int64(n), nil
		}
		return float64(n), nil
	case float32:
		return float64(n), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decodeJSON(b)
}

// decodeJSON decodes one JSON value; whole numbers that fit become int64.
func decodeJSON(b []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return plainNumbers(v), nil
}

func plainNumbers(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(x.String(), 10, 64); err == nil && x != "-0" {
			return n
		}
		f, err := x.Float64()
		if err != nil { // out of range: keep the digits
			return x.String()
		}
		return f
	case []any:
		for i := range x {
			x[i] = plainNumbers(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = plainNumbers(x[k])
		}
	}
	return v
}

// ValueText is the text of an attribute: a string itself, a number in its
// shortest form, true or false, nothing for nil, else JSON.
func ValueText(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Size estimates the bytes e takes in memory and in a block before compression.
// It is what limits on events and blocks are measured with.
func Size(e *honeyguide.Event) int {
	n := 96 + len(e.ID) + len(e.Activity) + len(e.Sensor) + len(e.Service) + len(e.Session) + len(e.Raw) + endpointSize(&e.Src) + endpointSize(&e.Dst)
	for i := range e.Observables {
		o := &e.Observables[i]
		n += 24 + len(o.Name) + len(o.Type) + len(o.Value)
	}
	for i := range e.Attacks {
		t := &e.Attacks[i]
		n += 24 + len(t.ID) + len(t.Tactic) + len(t.Why)
	}
	for name, v := range e.Attrs {
		n += 8 + len(name)
		switch x := v.(type) {
		case string:
			n += len(x)
		case int64, float64, bool:
			n += 8
		default:
			n += len(ValueText(v))
		}
	}
	return n
}

func endpointSize(p *honeyguide.Endpoint) int {
	return 16 + len(p.Addr.Addr().Zone()) + len(p.Hostname) + len(p.Country) + len(p.ASOrg)
}
