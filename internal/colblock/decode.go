package colblock

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"honeyguide"
)

// A Decoder unpacks blocks. It may be used by many goroutines.
type Decoder struct{ zstd *zstd.Decoder }

// NewDecoder returns a decoder.
func NewDecoder() (*Decoder, error) {
	z, err := newDecompressor()
	if err != nil {
		return nil, fmt.Errorf("start zstd: %w", err)
	}
	return &Decoder{z}, nil
}

// Close frees what the decoder holds.
func (d *Decoder) Close() { d.zstd.Close() }

func (d *Decoder) group(n int, blob []byte) (*columns, error) {
	if n < 1 || n > MaxRows {
		return nil, corrupt("%d rows", n)
	}
	plain, err := d.zstd.DecodeAll(blob, make([]byte, 0, min(8*len(blob), maxUnpack)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return parseColumns(plain, n)
}

// A Hot is the unpacked hot group. Columns are read when asked for and kept. It
// serves one goroutine.
type Hot struct {
	cols  *columns
	times []int64
	sevs  []byte
	text  [64]*Text
}

// Hot unpacks the hot group of a block of n rows.
func (d *Decoder) Hot(n int, blob []byte) (*Hot, error) {
	cols, err := d.group(n, blob)
	if err != nil {
		return nil, fmt.Errorf("hot group: %w", err)
	}
	return &Hot{cols: cols}, nil
}

// N returns the number of rows.
func (h *Hot) N() int { return h.cols.n }

// Times returns the event times in microseconds since 1970.
func (h *Hot) Times() ([]int64, error) {
	if h.times != nil {
		return h.times, nil
	}
	col, err := h.cols.column(colTime)
	if err == nil {
		h.times, err = col.diffs(h.cols.n)
	}
	return h.times, err
}

// Severities returns the severity of each row.
func (h *Hot) Severities() ([]byte, error) {
	if h.sevs != nil {
		return h.sevs, nil
	}
	col, err := h.cols.column(colSeverity)
	if err != nil {
		return nil, err
	}
	sevs, err := col.bytes(h.cols.n)
	if err != nil {
		return nil, err
	}
	for _, s := range sevs {
		if s > byte(honeyguide.SeverityCritical) {
			return nil, corrupt("severity %d", s)
		}
	}
	h.sevs = sevs
	return sevs, nil
}

// Classes returns the class of each row.
func (h *Hot) Classes() ([]uint64, error) {
	col, err := h.cols.column(colClass)
	if err != nil {
		return nil, err
	}
	return col.uvarints(h.cols.n, 1<<32-1)
}

// The text columns of the hot group. Techniques holds sets, see [SplitTechniques].
func (h *Hot) Activities() (*Text, error) { return h.column(colActivity) }

// Sensors returns the sensor column.
func (h *Hot) Sensors() (*Text, error) { return h.column(colSensor) }

// Services returns the service column.
func (h *Hot) Services() (*Text, error) { return h.column(colService) }

// Sessions returns the session column.
func (h *Hot) Sessions() (*Text, error) { return h.column(colSession) }

// Sources returns the column of source addresses.
func (h *Hot) Sources() (*Text, error) { return h.column(colSrc) }

// Techniques returns the column of technique sets.
func (h *Hot) Techniques() (*Text, error) { return h.column(colAttacks) }

func (h *Hot) column(id uint64) (*Text, error) {
	if t := h.text[id]; t != nil {
		return t, nil
	}
	col, err := h.cols.column(id)
	if err != nil {
		return nil, err
	}
	t, err := col.text(h.cols.n)
	if err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
	}
	h.text[id] = t
	return t, nil
}

// SplitTechniques returns the ids of an entry of the technique column.
func SplitTechniques(entry []byte) []string {
	ids := strings.Split(string(entry), " ")
	for i, id := range ids {
		if strings.Contains(id, "%") {
			ids[i] = techniqueUnescape.Replace(id)
		}
	}
	return ids
}

// Rows unpacks all rows of a block.
func (d *Decoder) Rows(b Block) ([]Row, error) {
	h, err := d.Hot(b.N, b.Hot)
	if err != nil {
		return nil, err
	}
	c, err := d.Cold(h, b.Cold, b.Raw)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, b.N)
	for i := range rows {
		c.Row(i, &rows[i])
	}
	return rows, nil
}

// hotRows is the hot group read whole.
type hotRows struct {
	times, observed, numbers                   []int64
	sevs                                       []byte
	classes, ports                             []uint64
	activity, sensor, service, session, outbox *Text
	src                                        *addrs
}

func (h *Hot) all() (r hotRows, err error) {
	n := h.cols.n
	read := func(do func() error) {
		if err == nil {
			err = do()
		}
	}
	text := func(id uint64, into **Text) {
		read(func() (err error) { *into, err = h.column(id); return })
	}
	diffs := func(id uint64, into *[]int64) {
		read(func() error {
			col, err := h.cols.column(id)
			if err == nil {
				*into, err = col.diffs(n)
			}
			return err
		})
	}
	read(func() (err error) { r.times, err = h.Times(); return })
	read(func() (err error) { r.sevs, err = h.Severities(); return })
	read(func() (err error) { r.classes, err = h.Classes(); return })
	diffs(colObserved, &r.observed)
	diffs(colNumber, &r.numbers)
	text(colActivity, &r.activity)
	text(colSensor, &r.sensor)
	text(colService, &r.service)
	text(colSession, &r.session)
	text(colOutbox, &r.outbox)
	read(func() error {
		col, err := h.cols.column(colDstPort)
		if err == nil {
			r.ports, err = col.uvarints(n, 1<<16-1)
		}
		return err
	})
	read(func() error {
		t, err := h.Sources()
		if err == nil {
			r.src, err = parseAddrs(t)
		}
		return err
	})
	return r, err
}

// addrs is a text column of addresses.
type addrs struct {
	text *Text
	list []netip.Addr
}

func parseAddrs(t *Text) (*addrs, error) {
	a := &addrs{t, make([]netip.Addr, len(t.entries))}
	for i, s := range t.entries {
		if len(s) == 0 {
			continue
		}
		ip, err := netip.ParseAddr(string(s))
		if err != nil {
			return nil, corrupt("address column")
		}
		a.list[i] = ip
	}
	return a, nil
}

func (a *addrs) at(i int) netip.Addr { return a.list[a.text.Code(i)] }

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }
