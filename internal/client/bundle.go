package client

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"honeyguide"
)

// HandOver returns an archive of evidence in a ZIP behind a new password, and the
// password, which is told once. The caller closes the body.
func (c *Client) HandOver(ctx context.Context, id, reason string) (io.ReadCloser, honeyguide.Secret, error) {
	q := url.Values{}
	if reason != "" {
		q.Set("reason", reason)
	}
	resp, err := c.do(ctx, http.MethodPost, "/api/v1/evidence/"+url.PathEscape(id)+"/handover", q, nil, "")
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, "", problem(resp)
	}
	return resp.Body, honeyguide.Secret(resp.Header.Get(PasswordHeader)), nil
}

// ImportEvidence hands an archive of another deployment in. key is the public key
// of that deployment's audit log, "" when it is not known.
func (c *Client) ImportEvidence(ctx context.Context, archive io.Reader, key, reason string) (b honeyguide.Bundle, err error) {
	q := url.Values{}
	for name, value := range map[string]string{"key": key, "reason": reason} {
		if value != "" {
			q.Set(name, value)
		}
	}
	resp, err := c.do(ctx, http.MethodPost, "/api/v1/evidence/import", q, archive, "application/octet-stream")
	if err != nil {
		return b, err
	}
	defer resp.Body.Close()
	return b, decode(resp, &b)
}
