package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Told is one event of the live stream, and when it was read.
type Told struct {
	Name string // hello, batch, summary, reset, beat, end
	ID   int64
	Data struct {
		Messages []Message        `json:"messages"`
		From     int64            `json:"from"`
		To       int64            `json:"to"`
		Counts   map[string]int64 `json:"counts"`
		Reason   string           `json:"reason"`
	}
	At time.Time
}

// A Message is one row of the live stream.
type Message struct {
	Topic string          `json:"topic"`
	Kind  string          `json:"kind"`
	ID    string          `json:"id"`
	Short string          `json:"short"`
	Row   json.RawMessage `json:"row"`
}

// Stream opens the live stream over the local socket, behind a number unless it
// is 0, and calls told for everything it says until ctx or the stream ends. It
// returns once the stream is open; wait returns how it ended.
func (c *Core) Stream(ctx context.Context, topics string, after int64, told func(Told)) (wait func() error, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://core/api/v1/stream?topics="+topics, nil)
	if err != nil {
		return nil, err
	}
	if after != 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	resp, err := (&http.Client{Transport: c.api.Transport}).Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return nil, fmt.Errorf("%s: %s", resp.Status, body)
	}
	ended := make(chan error, 1)
	go func() {
		defer resp.Body.Close()
		ended <- readStream(resp.Body, told)
	}()
	return func() error { return <-ended }, nil
}

func readStream(body io.Reader, told func(Told)) error {
	in := bufio.NewReaderSize(body, 1<<16)
	var x Told
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			x.ID, err = strconv.ParseInt(value, 10, 64)
		case "event":
			x.Name = value
		case "data":
			x.At = time.Now()
			err = json.Unmarshal([]byte(value), &x.Data)
		case "":
			if x.Name != "" {
				told(x)
			}
			x = Told{}
		}
		if err != nil {
			return fmt.Errorf("%.200q: %w", line, err)
		}
	}
}
