package ui

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"testing"
)

// shrink writes a picture again with the 64 colours it is mostly made of: a
// quarter of the size, and no difference to the eye in a console of few colours.
func shrink(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.RGBA]int{}
	b := in.Bounds()
	at := func(x, y int) color.RGBA {
		c := color.RGBAModel.Convert(in.At(x, y)).(color.RGBA)
		return color.RGBA{c.R &^ 3, c.G &^ 3, c.B &^ 3, 255}
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	colours := make([]color.RGBA, 0, len(count))
	for c := range count {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int { return count[b] - count[a] })
	var p color.Palette
	for _, c := range colours {
		// One that is nearly there already adds nothing.
		if len(p) == 0 || far(p.Convert(c).(color.RGBA), c) > 14*14 {
			p = append(p, c)
		}
		if len(p) == 64 {
			break
		}
	}
	out := image.NewPaletted(b, p)
	index := map[color.RGBA]uint8{}
	for c := range count {
		index[c] = uint8(p.Index(c))
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	w, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, out); err != nil {
		t.Fatal(err)
	}
}

func far(a, b color.RGBA) int {
	dr, dg, db := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return dr*dr + dg*dg + db*db
}
