package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Send posts in as JSON and decodes the answer into out.
func (c *Client) Send(ctx context.Context, path string, in, out any) error {
	doc, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	resp, err := c.do(ctx, http.MethodPost, path, nil, bytes.NewReader(doc), "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decode(resp, out)
}
