package cli

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/app"
	"honeyguide/internal/client"
	"honeyguide/internal/telemetry"
)

// client returns a client of the core that is meant: a remote one, the one
// that runs over the data folder, or, when none runs, the folder itself opened
// in this process. done closes what was opened.
func (c *command) client(ctx context.Context) (cl *client.Client, done func(), err error) {
	if c.server != "" {
		cl, err = c.remote()
		return cl, func() {}, err
	}
	s, err := c.settings()
	if err != nil {
		return nil, nil, err
	}
	cl = client.Unix(filepath.Join(s.Node.Data, app.SocketName))
	if cl.Alive(ctx) {
		return cl, func() {}, nil
	}
	s.Sensors = nil
	a, err := app.New(ctx, s, telemetry.NewLogger(c.err, slog.LevelError, "text"), version)
	if err != nil {
		return nil, nil, err
	}
	h, stop, err := a.Offline(ctx)
	if err != nil {
		return nil, nil, err
	}
	return client.Local(h), func() { stop(); _ = a.Close() }, nil
}

// remote reaches a core elsewhere. Its certificate is self-signed unless the
// operator replaced it, so SSL_CERT_FILE has to name it.
func (c *command) remote() (*client.Client, error) {
	key := os.Getenv("HONEYGUIDE_API_KEY")
	if file := os.Getenv("HONEYGUIDE_API_KEY_FILE"); key == "" && file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		key = strings.TrimSpace(string(raw))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	return client.Remote(c.server, honeyguide.Secret(key), transport)
}

// recording opens the recording of a session, by the session's id.
func (c *command) recording(cmd *cobra.Command, id string) (body io.Reader, done func(), err error) {
	cl, closeClient, err := c.client(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	r, err := cl.Recording(cmd.Context(), id)
	if err != nil {
		closeClient()
		return nil, nil, err
	}
	return r, func() { r.Close(); closeClient() }, nil
}
