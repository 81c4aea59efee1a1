package fetcher

import "errors"

// ErrRefused says that a request may not be made: its address is not public and
// not listed, its scheme or port is not allowed, or a redirect led there.
var ErrRefused = errors.New("refused")

// ErrTooLarge says that an answer is larger than the request allows.
var ErrTooLarge = errors.New("answer too large")
