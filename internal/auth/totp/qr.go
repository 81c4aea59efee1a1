package totp

import (
	"fmt"
	"image/color"

	"github.com/boombuler/barcode/qr"
)

// quiet is the white border a reader wants around a code (ISO/IEC 18004, 9.1).
const quiet = 4

// maxURI keeps a picture readable by a telephone held to a screen.
const maxURI = 512

// QR returns the picture of a text as rows of 0 and 1, border included, 1 for
// dark. The console draws it: a secret in an image file would stay in caches.
func QR(text string) ([]string, error) {
	if len(text) > maxURI {
		return nil, fmt.Errorf("draw a code of %d bytes: want at most %d", len(text), maxURI)
	}
	pic, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	b := pic.Bounds()
	rows := make([]string, 0, b.Dy()+2*quiet)
	for y := b.Min.Y - quiet; y < b.Max.Y+quiet; y++ {
		row := make([]byte, 0, b.Dx()+2*quiet)
		for x := b.Min.X - quiet; x < b.Max.X+quiet; x++ {
			cell := byte('0')
			in := x >= b.Min.X && x < b.Max.X && y >= b.Min.Y && y < b.Max.Y
			if in && color.GrayModel.Convert(pic.At(x, y)).(color.Gray).Y < 128 {
				cell = '1'
			}
			row = append(row, cell)
		}
		rows = append(rows, string(row))
	}
	return rows, nil
}
