package colblock

// DecodePlain decodes groups that are not compressed: what the fuzzer reaches
// more of than through zstd.
func DecodePlain(n int, hot, cold, raw []byte) error {
	z, err := newCompressor()
	if err != nil {
		return err
	}
	d, err := NewDecoder()
	if err != nil {
		return err
	}
	defer d.Close()
	b := Block{N: n, Hot: z.EncodeAll(hot, nil), Cold: z.EncodeAll(cold, nil)}
	if len(raw) > 0 {
		b.Raw = z.EncodeAll(raw, nil)
	}
	_, err = d.Rows(b)
	return err
}

// Unpack returns a group without its compression.
func (d *Decoder) Unpack(blob []byte) ([]byte, error) { return d.zstd.DecodeAll(blob, nil) }
