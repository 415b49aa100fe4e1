package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// stopped tells a user who pressed Ctrl-C that what he asked was not answered.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exitError{code: 130, err: errors.New("stopped; nothing was changed")}
	}
	return err
}

// inquire asks what may take long. The server answers at once, or goes on with it and tells how far it is. Who interrupts ends it there too.
func (c *client) inquire(cmd *cobra.Command, path string, body, out any) error {
	ctx := cmd.Context()
	resp, err := c.send(ctx, http.MethodPost, path+"?wait=2", body)
	if err != nil {
		return stopped(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return fmt.Errorf("the server's answer can't be read: %w", err)
		}
		return nil
	}
	var now struct {
		ID         string          `json:"inquiryId"`
		Status     string          `json:"status"`
		Seen       int             `json:"seen"`
		Message    string          `json:"message"`
		Code       string          `json:"errorCode"`
		Plan       json.RawMessage `json:"plan"`
		Comparison json.RawMessage `json:"comparison"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&now); err != nil {
		return fmt.Errorf("the server's answer can't be read: %w", err)
	}
	at := "/holdfast/v1" + join("Inquiries", now.ID)
	defer func() {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = c.call(leaving, http.MethodDelete, at, nil, nil) // what is not told ends by itself
	}()
	say := func(string, ...any) {}
	if f, ok := cmd.ErrOrStderr().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		say = func(text string, a ...any) { fmt.Fprintf(f, "\r\x1b[K"+text, a...) }
	}
	defer say("")
	for now.Status == "Running" {
		say("comparing with Microsoft 365, %s looked at so far", count(now.Seen, "item"))
		if err := c.get(ctx, at+"?wait=1", &now); err != nil {
			return stopped(ctx, err)
		}
	}
	answer := now.Plan
	if answer == nil {
		answer = now.Comparison
	}
	if answer == nil {
		return &apiError{status: http.StatusConflict, Message: now.Message, Code: now.Code}
	}
	return json.Unmarshal(answer, out)
}
