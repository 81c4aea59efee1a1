package python

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"time"
)

func (m *machine) bytesArg(args []any, i int) []byte {
	switch v := arg(args, i).(type) {
	case bytesV:
		return []byte(v)
	case string:
		return []byte(v)
	}
	m.typeError("a bytes-like object is required, not '" + typeName(arg(args, i)) + "'")
	return nil
}

func (m *machine) binasciiError(msg string) {
	panic(&raised{exc: &instance{cls: m.subclass("Error", "binascii", "ValueError"), dict: map[string]any{"args": tuple{msg}}}})
}

func (m *machine) unbase64(s string) any {
	s = strings.Map(func(r rune) rune {
		if r == '+' || r == '/' || r == '=' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s)
	m.w.Alloc(len(s))
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		if n := len(strings.TrimRight(s, "=")) % 4; n == 1 {
			m.binasciiError("Invalid base64-encoded string: number of data characters (" + itoa(len(strings.TrimRight(s, "="))) + ") cannot be 1 more than a multiple of 4")
		}
		m.binasciiError("Incorrect padding")
	}
	return bytesV(b)
}

func (m *machine) unhex(s, _ string) any {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		m.valueError("non-hexadecimal number found in fromhex() arg at position 0")
	}
	return bytesV(b)
}

func loadBase64(_ *machine, d map[string]any) {
	for _, n := range []string{"b64encode", "encodebytes", "standard_b64encode", "urlsafe_b64encode"} {
		def(d, n, func(m *machine, args []any, _ kwargs) any {
			b, ok := arg(args, 0).(bytesV)
			if !ok {
				m.typeError("a bytes-like object is required, not '" + typeName(arg(args, 0)) + "'")
			}
			m.w.Alloc(2 * len(b))
			s := base64.StdEncoding.EncodeToString([]byte(b))
			switch n {
			case "urlsafe_b64encode":
				s = base64.URLEncoding.EncodeToString([]byte(b))
			case "encodebytes":
				s += "\n"
			}
			return bytesV(s)
		})
	}
	for _, n := range []string{"b64decode", "decodebytes", "standard_b64decode", "urlsafe_b64decode"} {
		def(d, n, func(m *machine, args []any, _ kwargs) any {
			s := string(m.bytesArg(args, 0))
			if n == "urlsafe_b64decode" {
				s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
			}
			return m.throughLib(libB64Decode, func() any { return m.unbase64(s) })
		})
	}
	def(d, "b16encode", func(m *machine, args []any, _ kwargs) any {
		return bytesV(strings.ToUpper(hex.EncodeToString(m.bytesArg(args, 0))))
	})
	def(d, "b16decode", func(m *machine, args []any, _ kwargs) any { return m.unhex(string(m.bytesArg(args, 0)), "") })
}

func loadBinascii(m *machine, d map[string]any) {
	d["Error"] = m.subclass("Error", "binascii", "ValueError")
	for _, n := range []string{"hexlify", "b2a_hex"} {
		def(d, n, func(m *machine, args []any, _ kwargs) any { return bytesV(hex.EncodeToString(m.bytesArg(args, 0))) })
	}
	for _, n := range []string{"unhexlify", "a2b_hex"} {
		def(d, n, func(m *machine, args []any, _ kwargs) any {
			b, err := hex.DecodeString(string(m.bytesArg(args, 0)))
			if err != nil {
				m.binasciiError("Non-hexadecimal digit found")
			}
			return bytesV(b)
		})
	}
	def(d, "a2b_base64", func(m *machine, args []any, _ kwargs) any { return m.unbase64(string(m.bytesArg(args, 0))) })
	def(d, "crc32", func(m *machine, args []any, _ kwargs) any { return int64(crc32.ChecksumIEEE(m.bytesArg(args, 0))) })
}

func loadCodecs(_ *machine, d map[string]any) {
	both := func(decode bool) native {
		return func(m *machine, args []any, _ kwargs) any {
			b := m.bytesArg(args, 0)
			switch c := m.codec(arg(args, 1)); c {
			case "hex":
				if decode {
					return m.unhex(string(b), "")
				}
				return bytesV(hex.EncodeToString(b))
			case "base64":
				if decode {
					return m.unbase64(string(b))
				}
				return bytesV(base64.StdEncoding.EncodeToString(b) + "\n")
			case "rot13":
				return strings.Map(rot13, string(b))
			default:
				if decode {
					return m.decode(bytesV(b), c, nil)
				}
				return bytesV(m.encode(string(b), c))
			}
		}
	}
	def(d, "decode", both(true))
	def(d, "encode", both(false))
}

func rot13(r rune) rune {
	switch l := r | 0x20; {
	case l >= 'a' && l <= 'm':
		return r + 13
	case l >= 'n' && l <= 'z':
		return r - 13
	}
	return r
}

func loadZlib(_ *machine, d map[string]any) {
	def(d, "compress", func(m *machine, args []any, _ kwargs) any {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write(m.bytesArg(args, 0))
		_ = w.Close()
		m.w.Alloc(b.Len())
		return bytesV(b.String())
	})
	def(d, "decompress", func(m *machine, args []any, _ kwargs) any {
		src := m.bytesArg(args, 0)
		var r io.Reader
		var err error
		if r, err = zlib.NewReader(bytes.NewReader(src)); err != nil {
			r, err = gzip.NewReader(bytes.NewReader(src))
		}
		if err != nil {
			panic(&raised{exc: &instance{cls: m.subclass("error", "zlib", "Exception"), dict: map[string]any{"args": tuple{"Error -3 while decompressing data: incorrect header check"}}}})
		}
		out, _ := io.ReadAll(io.LimitReader(r, 8<<20))
		m.w.Alloc(len(out))
		return bytesV(out)
	})
	def(d, "crc32", func(m *machine, args []any, _ kwargs) any { return int64(crc32.ChecksumIEEE(m.bytesArg(args, 0))) })
}

func loadHashlib(_ *machine, d map[string]any) {
	sums := map[string]func([]byte) []byte{
		"md5": func(b []byte) []byte { s := md5.Sum(b); return s[:] }, "sha1": func(b []byte) []byte { s := sha1.Sum(b); return s[:] },
		"sha256": func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }, "sha512": func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
		"sha224": func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }, "sha384": func(b []byte) []byte { s := sha512.Sum384(b); return s[:] },
	}
	make := func(name string) native {
		return func(m *machine, args []any, _ kwargs) any {
			var data []byte
			feed := func(args []any) {
				if len(args) == 0 {
					return
				}
				b, ok := args[0].(bytesV)
				if !ok {
					if _, text := args[0].(string); text {
						m.typeError("Strings must be encoded before hashing")
					}
					m.typeError("object supporting the buffer API required")
				}
				m.w.Alloc(len(b))
				data = append(data, b...)
			}
			feed(args)
			o := m.object("_hashlib", "HASH", nil)
			o.dict["name"] = name
			def(o.dict, "update", func(_ *machine, args []any, _ kwargs) any { feed(args); return nil })
			def(o.dict, "hexdigest", func(*machine, []any, kwargs) any { m.step(len(data) / 64); return hex.EncodeToString(sums[name](data)) })
			def(o.dict, "digest", func(*machine, []any, kwargs) any { m.step(len(data) / 64); return bytesV(sums[name](data)) })
			return o
		}
	}
	for name := range sums {
		def(d, name, make(name))
	}
	def(d, "new", func(m *machine, args []any, kw kwargs) any {
		name := m.text(args, nil, 0, "name", "")
		if sums[name] == nil {
			m.valueError("unsupported hash type " + name)
		}
		return make(name)(m, args[1:], kw)
	})
}

// loadStruct packs and unpacks binary data.
func loadStruct(_ *machine, d map[string]any) {
	type item struct {
		kind byte
		n    int
	}
	sizes := map[byte]int{'b': 1, 'B': 1, 'c': 1, 'x': 1, '?': 1, 'h': 2, 'H': 2, 'i': 4, 'I': 4, 'l': 8, 'L': 8, 'q': 8, 'Q': 8, 'f': 4, 'd': 8, 's': 1}
	read := func(m *machine, f string) (order binary.ByteOrder, items []item) {
		order, sizes['l'], sizes['L'] = binary.LittleEndian, 8, 8
		for n, has, i := 0, false, 0; i < len(f); i++ {
			c := f[i]
			switch {
			case c == '>' || c == '!':
				order, sizes['l'], sizes['L'] = binary.BigEndian, 4, 4
			case c == '<' || c == '=':
				sizes['l'], sizes['L'] = 4, 4
			case c == '@' || c == ' ':
			case c >= '0' && c <= '9':
				n, has = min(n*10+int(c-'0'), 1<<20), true
			case sizes[c] > 0:
				if !has {
					n = 1
				}
				items = append(items, item{c, n})
				n, has = 0, false
			default:
				panic(&raised{exc: &instance{cls: m.subclass("error", "struct", "Exception"), dict: map[string]any{"args": tuple{"bad char in struct format"}}}})
			}
		}
		return order, items
	}
	def(d, "calcsize", func(m *machine, args []any, _ kwargs) any {
		_, items := read(m, m.text(args, nil, 0, "", ""))
		total := 0
		for _, it := range items {
			total += it.n * sizes[it.kind]
		}
		return int64(total)
	})
	def(d, "pack", func(m *machine, args []any, _ kwargs) any {
		order, items := read(m, m.text(args, nil, 0, "", ""))
		rest := args[1:]
		var out []byte
		for _, it := range items {
			m.big(sizes[it.kind], it.n)
			if it.kind == 's' {
				b := make([]byte, it.n)
				copy(b, m.bytesArg(rest, 0))
				out, rest = append(out, b...), rest[min(1, len(rest)):]
				continue
			}
			for range it.n {
				out = m.packOne(out, order, it.kind, sizes[it.kind], arg(rest, 0))
				if it.kind != 'x' {
					rest = rest[min(1, len(rest)):]
				}
			}
		}
		return bytesV(out)
	})
	def(d, "unpack", func(m *machine, args []any, _ kwargs) any {
		order, items := read(m, m.text(args, nil, 0, "", ""))
		b := m.bytesArg(args, 1)
		t := tuple{}
		for _, it := range items {
			if it.kind == 's' {
				n := min(it.n, len(b))
				t, b = append(t, bytesV(b[:n])), b[n:]
				continue
			}
			for range it.n {
				size := sizes[it.kind]
				if len(b) < size {
					panic(&raised{exc: &instance{cls: m.subclass("error", "struct", "Exception"), dict: map[string]any{"args": tuple{"unpack requires a buffer of more bytes"}}}})
				}
				if it.kind != 'x' {
					t = append(t, unpackOne(order, it.kind, b[:size]))
				}
				b = b[size:]
			}
		}
		return t
	})
}

func (m *machine) packOne(out []byte, order binary.ByteOrder, kind byte, size int, v any) []byte {
	var n uint64
	switch kind {
	case 'x':
	case 'f':
		f, _ := toFloat(v)
		n = uint64(math.Float32bits(float32(f)))
	case 'd':
		f, _ := toFloat(v)
		n = math.Float64bits(f)
	case 'c':
		n = uint64(append(m.bytesArg([]any{v}, 0), 0)[0])
	default:
		if !isInt(v) {
			panic(&raised{exc: &instance{cls: m.subclass("error", "struct", "Exception"), dict: map[string]any{"args": tuple{"required argument is not an integer"}}}})
		}
		n = uint64(toBig(v).Int64())
	}
	b := make([]byte, 8)
	if order == binary.BigEndian {
		binary.BigEndian.PutUint64(b, n)
		return append(out, b[8-size:]...)
	}
	binary.LittleEndian.PutUint64(b, n)
	return append(out, b[:size]...)
}

func unpackOne(order binary.ByteOrder, kind byte, b []byte) any {
	var n uint64
	for i := range b {
		k := i
		if order == binary.LittleEndian {
			k = len(b) - 1 - i
		}
		n = n<<8 | uint64(b[k])
	}
	shift := 64 - 8*len(b)
	switch kind {
	case 'c':
		return bytesV(b)
	case 'f':
		return float64(math.Float32frombits(uint32(n)))
	case 'd':
		return math.Float64frombits(n)
	case '?':
		return n != 0
	case 'b', 'h', 'i', 'l', 'q':
		return int64(n<<shift) >> shift
	}
	if n > math.MaxInt64 {
		return norm(bigOf(0).SetUint64(n))
	}
	return int64(n)
}

// random is the program's generator; it is seeded by the clock like any other.
func (m *machine) random() uint64 {
	if m.seed == 0 {
		m.seed = uint64(m.w.Now().UnixNano()) | 1
	}
	m.seed += 0x9e3779b97f4a7c15
	z := m.seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func loadRandom(_ *machine, d map[string]any) {
	unit := func(m *machine) float64 { return float64(m.random()>>11) / (1 << 53) }
	between := func(m *machine, lo, hi int) any {
		if hi < lo {
			m.valueError("empty range for randrange() (" + itoa(lo) + ", " + itoa(hi+1) + ", " + itoa(hi+1-lo) + ")")
		}
		return int64(lo) + int64(m.random()%uint64(hi-lo+1))
	}
	def(d, "random", func(m *machine, _ []any, _ kwargs) any { return unit(m) })
	def(d, "uniform", func(m *machine, args []any, _ kwargs) any {
		a, _ := toFloat(arg(args, 0))
		b, _ := toFloat(arg(args, 1))
		return a + (b-a)*unit(m)
	})
	def(d, "randint", func(m *machine, args []any, _ kwargs) any {
		return between(m, m.asInt(arg(args, 0), "an integer is required"), m.asInt(arg(args, 1), "an integer is required"))
	})
	def(d, "randrange", func(m *machine, args []any, _ kwargs) any {
		if len(args) == 1 {
			return between(m, 0, m.asInt(args[0], "an integer is required")-1)
		}
		return between(m, m.asInt(arg(args, 0), "an integer is required"), m.asInt(arg(args, 1), "an integer is required")-1)
	})
	def(d, "getrandbits", func(m *machine, args []any, _ kwargs) any {
		return int64(m.random() >> (64 - min(63, max(1, m.asInt(arg(args, 0), "an integer is required")))))
	})
	choose := func(m *machine, items []any) any {
		if len(items) == 0 {
			m.throw("IndexError", "Cannot choose from an empty sequence")
		}
		return items[m.random()%uint64(len(items))]
	}
	def(d, "choice", func(m *machine, args []any, _ kwargs) any { return choose(m, m.drain(arg(args, 0))) })
	def(d, "choices", func(m *machine, args []any, kw kwargs) any {
		l := &list{}
		items := m.drain(arg(args, 0))
		for range min(1<<16, m.asInt(orZero(kw["k"], 1), "")) {
			l.items = append(l.items, choose(m, items))
			m.grow(1)
		}
		return l
	})
	shuffle := func(m *machine, items []any) {
		for i := len(items) - 1; i > 0; i-- {
			j := int(m.random() % uint64(i+1))
			items[i], items[j] = items[j], items[i]
		}
	}
	def(d, "shuffle", func(m *machine, args []any, _ kwargs) any {
		if l, ok := arg(args, 0).(*list); ok {
			shuffle(m, l.items)
		}
		return nil
	})
	def(d, "sample", func(m *machine, args []any, _ kwargs) any {
		items := m.drain(arg(args, 0))
		shuffle(m, items)
		n := m.asInt(arg(args, 1), "an integer is required")
		if n > len(items) || n < 0 {
			m.valueError("Sample larger than population or is negative")
		}
		return &list{items[:n]}
	})
	def(d, "seed", func(m *machine, args []any, _ kwargs) any {
		m.w.Unsupported("python random.seed")
		return nil
	})
	def(d, "token_hex", func(m *machine, args []any, _ kwargs) any {
		n, _ := orZero(arg(args, 0), 32).(int64)
		b := make([]byte, min(max(n, 0), 4096))
		for i := range b {
			b[i] = byte(m.random())
		}
		return hex.EncodeToString(b)
	})
}

func loadMath(_ *machine, d map[string]any) {
	d["pi"], d["e"], d["inf"], d["nan"], d["tau"] = math.Pi, math.E, math.Inf(1), math.NaN(), 2*math.Pi
	for n, f := range map[string]func(float64) float64{"sqrt": math.Sqrt, "sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "exp": math.Exp, "log2": math.Log2, "log10": math.Log10, "fabs": math.Abs, "atan": math.Atan, "asin": math.Asin, "acos": math.Acos, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "degrees": func(x float64) float64 { return x * 180 / math.Pi }, "radians": func(x float64) float64 { return x * math.Pi / 180 }} {
		def(d, n, func(m *machine, args []any, _ kwargs) any {
			x, ok := toFloat(arg(args, 0))
			if !ok {
				m.typeError("must be real number, not " + typeName(arg(args, 0)))
			}
			r := f(x)
			if math.IsNaN(r) && !math.IsNaN(x) || math.IsInf(r, -1) && !math.IsInf(x, 0) {
				m.valueError("math domain error")
			}
			return r
		})
	}
	for n, f := range map[string]func(float64) float64{"floor": math.Floor, "ceil": math.Ceil, "trunc": math.Trunc} {
		def(d, n, func(m *machine, args []any, _ kwargs) any {
			if isInt(arg(args, 0)) {
				return args[0]
			}
			x, _ := toFloat(arg(args, 0))
			return toInt(m, []any{f(x)}, nil)
		})
	}
	def(d, "log", func(m *machine, args []any, _ kwargs) any {
		x, _ := toFloat(arg(args, 0))
		if x <= 0 {
			m.valueError("math domain error")
		}
		if b, ok := toFloat(arg(args, 1)); ok {
			return math.Log(x) / math.Log(b)
		}
		return math.Log(x)
	})
	def(d, "pow", func(_ *machine, args []any, _ kwargs) any {
		x, _ := toFloat(arg(args, 0))
		y, _ := toFloat(arg(args, 1))
		return math.Pow(x, y)
	})
	def(d, "factorial", func(m *machine, args []any, _ kwargs) any {
		n := m.asInt(arg(args, 0), "'"+typeName(arg(args, 0))+"' object cannot be interpreted as an integer")
		if n < 0 {
			m.valueError("factorial() not defined for negative values")
		}
		if n > 10_000 {
			m.throw("MemoryError")
		}
		m.step(n)
		return norm(bigOf(0).MulRange(1, int64(max(n, 1))))
	})
	def(d, "gcd", func(_ *machine, args []any, _ kwargs) any {
		g := bigOf(0)
		for _, a := range args {
			g.GCD(nil, nil, g, bigOf(0).Abs(toBig(a)))
		}
		return norm(g)
	})
	def(d, "isqrt", func(_ *machine, args []any, _ kwargs) any {
		return norm(bigOf(0).Sqrt(bigOf(0).Abs(toBig(arg(args, 0)))))
	})
	def(d, "isnan", func(_ *machine, args []any, _ kwargs) any { x, _ := toFloat(arg(args, 0)); return math.IsNaN(x) })
}

func loadTime(_ *machine, d map[string]any) {
	for _, n := range []string{"time", "monotonic", "perf_counter", "process_time"} {
		def(d, n, func(m *machine, _ []any, _ kwargs) any {
			m.out.flush()
			return float64(m.w.Now().UnixMicro()) / 1e6
		})
	}
	def(d, "time_ns", func(m *machine, _ []any, _ kwargs) any { return m.w.Now().UnixNano() })
	def(d, "sleep", func(m *machine, args []any, _ kwargs) any {
		f, ok := toFloat(arg(args, 0))
		if !ok {
			m.typeError("'" + typeName(arg(args, 0)) + "' object cannot be interpreted as an integer")
		}
		if f < 0 {
			m.valueError("sleep length must be non-negative")
		}
		m.out.flush()
		m.w.Sleep(time.Duration(min(f, 1e9) * 1e9))
		return nil
	})
	at := func(m *machine, args []any, i int) time.Time {
		if f, ok := toFloat(arg(args, i)); ok {
			return time.Unix(int64(f), 0).UTC()
		}
		return m.w.Now().UTC()
	}
	def(d, "strftime", func(m *machine, args []any, _ kwargs) any {
		return strftime(m.w.Now().UTC(), m.text(args, nil, 0, "format", ""))
	})
	def(d, "ctime", func(m *machine, args []any, _ kwargs) any { return at(m, args, 0).Format(time.ANSIC) })
	def(d, "asctime", func(m *machine, _ []any, _ kwargs) any { return m.w.Now().UTC().Format(time.ANSIC) })
	for _, n := range []string{"localtime", "gmtime"} {
		def(d, n, func(m *machine, args []any, _ kwargs) any {
			t := at(m, args, 0)
			return m.record("time.struct_time", []string{"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"},
				int64(t.Year()), int64(t.Month()), int64(t.Day()), int64(t.Hour()), int64(t.Minute()), int64(t.Second()), int64(t.Weekday()+6)%7, int64(t.YearDay()), int64(0))
		})
	}
}

// strftime knows the usual letters.
func strftime(t time.Time, format string) string {
	layouts := map[byte]string{
		'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'y': "06", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'p': "PM", 'I': "03", 'j': "002",
		'F': "2006-01-02", 'T': "15:04:05", 'Z': "MST", 'z': "-0700", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05", 'D': "01/02/06", 'f': "000000", 'e': "_2",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch l := layouts[format[i]]; {
		case format[i] == '%':
			b.WriteByte('%')
		case format[i] == 's':
			b.WriteString(itoa(int(t.Unix())))
		case format[i] == 'f':
			b.WriteString(t.Format(".000000")[1:])
		case l != "":
			b.WriteString(t.Format(l))
		default:
			b.WriteString("%" + string(format[i]))
		}
	}
	return b.String()
}

func loadDatetime(m *machine, d map[string]any) {
	value := func(m *machine, t time.Time) any {
		o := m.object("datetime", "datetime", nil)
		o.native = t
		for n, v := range map[string]int{"year": t.Year(), "month": int(t.Month()), "day": t.Day(), "hour": t.Hour(), "minute": t.Minute(), "second": t.Second(), "microsecond": t.Nanosecond() / 1000} {
			o.dict[n] = int64(v)
		}
		show := t.Format("2006-01-02 15:04:05.000000")
		if t.Nanosecond()/1000 == 0 {
			show = t.Format("2006-01-02 15:04:05")
		}
		o.cls.dict["__str__"] = &builtin{name: "__str__", fn: func(*machine, []any, kwargs) any { return show }}
		o.cls.dict["__repr__"] = &builtin{name: "__repr__", fn: func(*machine, []any, kwargs) any {
			return "datetime.datetime(" + t.Format("2006, 1, 2, 15, 4, 5") + ")"
		}}
		def(o.dict, "strftime", func(m *machine, args []any, _ kwargs) any { return strftime(t, m.text(args, nil, 0, "", "")) })
		def(o.dict, "isoformat", func(*machine, []any, kwargs) any { return strings.Replace(show, " ", "T", 1) })
		def(o.dict, "timestamp", func(*machine, []any, kwargs) any { return float64(t.UnixMicro()) / 1e6 })
		return o
	}
	c := &class{name: "datetime", module: "datetime", dict: map[string]any{}}
	for _, n := range []string{"now", "utcnow", "today"} {
		def(c.dict, n, func(m *machine, _ []any, _ kwargs) any { return value(m, m.w.Now().UTC()) })
	}
	def(c.dict, "fromtimestamp", func(m *machine, args []any, _ kwargs) any {
		f, _ := toFloat(arg(args, 0))
		return value(m, time.Unix(int64(f), 0).UTC())
	})
	d["datetime"] = c
}

func loadPlatform(_ *machine, d map[string]any) {
	for i, n := range []string{"system", "node", "release", "version", "machine"} {
		def(d, n, func(m *machine, _ []any, _ kwargs) any { return m.w.w.Uname()[i] })
	}
	def(d, "platform", func(m *machine, _ []any, _ kwargs) any {
		u := m.w.w.Uname()
		return u[0] + "-" + u[2] + "-" + u[4] + "-with-glibc2.36"
	})
	def(d, "processor", func(*machine, []any, kwargs) any { return "" })
	def(d, "python_version", func(*machine, []any, kwargs) any { return "3.11.2" })
	def(d, "architecture", func(*machine, []any, kwargs) any { return tuple{"64bit", "ELF"} })
	def(d, "uname", func(m *machine, _ []any, _ kwargs) any {
		u := m.w.w.Uname()
		return m.record("platform.uname_result", []string{"system", "node", "release", "version", "machine"}, u[0], u[1], u[2], u[3], u[4])
	})
}

func loadGetpass(_ *machine, d map[string]any) {
	def(d, "getuser", func(m *machine, _ []any, _ kwargs) any {
		for _, n := range []string{"LOGNAME", "USER"} {
			if v := m.w.w.Getenv(n); v != "" {
				return v
			}
		}
		return "root"
	})
	def(d, "getpass", func(m *machine, args []any, _ kwargs) any {
		m.w.Unsupported("python getpass.getpass")
		m.err.write(m.text(args, nil, 0, "prompt", "Password: "))
		return strings.TrimSuffix(m.in.readLine(), "\n")
	})
}

func loadPwd(_ *machine, d map[string]any) {
	find := func(m *machine, match func(f []string) bool) any {
		f, err := m.w.Open("/etc/passwd", 0)
		if err != nil {
			m.osError(err, "/etc/passwd")
		}
		s := &stream{g: m.w, r: f, c: f, fd: 3}
		defer s.close()
		for line := range strings.Lines(s.read(-1)) {
			p := strings.Split(strings.TrimSuffix(line, "\n"), ":")
			if len(p) == 7 && match(p) {
				return m.record("pwd.struct_passwd", []string{"pw_name", "pw_passwd", "pw_uid", "pw_gid", "pw_gecos", "pw_dir", "pw_shell"},
					p[0], p[1], toInt(m, []any{p[2]}, nil), toInt(m, []any{p[3]}, nil), p[4], p[5], p[6])
			}
		}
		return nil
	}
	def(d, "getpwnam", func(m *machine, args []any, _ kwargs) any {
		name := m.text(args, nil, 0, "", "")
		v := find(m, func(p []string) bool { return p[0] == name })
		if v == nil {
			m.throw("KeyError", "getpwnam(): name not found: "+quote(name, false))
		}
		return v
	})
	def(d, "getpwuid", func(m *machine, args []any, _ kwargs) any {
		id := m.str(arg(args, 0))
		v := find(m, func(p []string) bool { return p[2] == id })
		if v == nil {
			m.throw("KeyError", "getpwuid(): uid not found: "+id)
		}
		return v
	})
}
