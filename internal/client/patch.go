package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"honeyguide"
)

// Patch changes what stands at a path and decodes the answer into out. seen is
// updated_at of the thing as the asker saw it: CodeConflict when somebody has
// changed it since; zero does not ask.
func (c *Client) Patch(ctx context.Context, path string, seen time.Time, in, out any) error {
	doc, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	req, err := c.request(ctx, http.MethodPatch, path, nil, bytes.NewReader(doc), "application/json")
	if err != nil {
		return err
	}
	if !seen.IsZero() {
		req.Header.Set("If-Match", Tag(seen))
	}
	resp, err := c.send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decode(resp, out)
}

// Tag writes a moment of change as an ETag.
func Tag(updated time.Time) string { return `"` + updated.UTC().Format(time.RFC3339Nano) + `"` }

// Export returns the dossier of an incident: markdown, json or pdf. The caller
// closes it.
func (c *Client) Export(ctx context.Context, incident, format string) (io.ReadCloser, error) {
	return c.open(ctx, "/api/v1/incidents/"+url.PathEscape(incident)+"/export", url.Values{"format": {format}})
}

// send sends a request.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // the address in it holds nothing a user needs
		}
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the core does not answer", Err: err}
	}
	return resp, nil
}
