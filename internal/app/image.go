package app

import (
	"errors"
	"fmt"
	"io"
	"os"

	"honeyguide"
	"honeyguide/internal/image"
)

// maxImage bounds the operator's own image, bytes: the sensor gets it with its
// setup, which is one frame.
const maxImage = 16 << 20

// ownImage reads the index the operator made; no name, no image.
func ownImage(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	b, err := readOwn(name)
	if err != nil {
		return nil, &honeyguide.Error{
			Code: honeyguide.CodeInvalid, Err: err,
			Message: fmt.Sprintf("deception.image: %q cannot be used; make one with honeyguide image build --from-rootfs DIR", name),
		}
	}
	return b, nil
}

func readOwn(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxImage+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(b) > maxImage {
		return nil, fmt.Errorf("larger than %d MiB", maxImage>>20)
	}
	x, err := image.Read(b)
	if err != nil {
		return nil, err
	}
	if x.Delta {
		return nil, errors.New("a layer, not a whole root")
	}
	return b, nil
}
