package fetcher

import (
	"context"
	"crypto/x509"
	"errors"
	"io"

	"honeyguide/internal/ipc"
)

// Uncaged returns a Doer that keeps every rule of the process but is none: for
// tests in binaries that cannot close a cage. The product never calls it.
func Uncaged(s ipc.FetchSetup) (Doer, error) {
	var roots *x509.CertPool
	if len(s.Roots) > 0 {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(s.Roots) {
			return nil, errors.New("the authorities hold no certificate")
		}
	}
	w, err := newSurfer(s, roots)
	if err != nil {
		return nil, err
	}
	return uncaged{w}, nil
}

type uncaged struct{ w *surfer }

// Do makes one request here and now.
func (u uncaged) Do(ctx context.Context, r Request, to io.Writer) (Response, error) {
	var n int64
	m := ipc.Fetch{Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body, MaxBytes: r.MaxBytes, Timeout: r.Timeout, Mail: r.Mail, Stay: r.Stay}
	done, err := u.w.do(ctx, &m, func(p []byte) error {
		n += int64(len(p))
		_, err := to.Write(p)
		return err
	})
	return Response{Status: done.Status, Header: done.Header, Bytes: n}, err
}
