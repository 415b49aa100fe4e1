package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// simulatedUser finds the user whose name is meant.
func simulatedUser(ctx context.Context, control, name string) (string, error) {
	resp, err := controlCall(ctx, http.MethodGet, control+"/users", nil)
	if err != nil {
		return "", err
	}
	defer resp.Close()
	var users []struct{ ID, UPN string }
	if err := json.NewDecoder(resp).Decode(&users); err != nil {
		return "", err
	}
	var have []string
	for _, u := range users {
		if u.ID == name || begins(u.UPN, name) {
			return u.ID, nil
		}
		have = append(have, u.UPN)
	}
	return "", fmt.Errorf("the simulated organization has no user %q; it has %s", name, strings.Join(have, ", "))
}

// loseMail finds the newest mail of a user's inbox in the simulator's books and deletes it.
func loseMail(ctx context.Context, control, name string) (subject string, err error) {
	user, err := simulatedUser(ctx, control, name)
	if err != nil {
		return "", err
	}
	resp, err := controlCall(ctx, http.MethodGet, control+"/oracle/mailboxes/"+url.PathEscape(user), nil)
	if err != nil {
		return "", err
	}
	defer resp.Close()
	type row struct {
		Message *struct {
			ID, Folder, Subject string
			Received            time.Time
		}
	}
	var newest row
	in := bufio.NewScanner(resp)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var r row
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return "", err
		}
		if m := r.Message; m != nil && strings.EqualFold(strings.TrimPrefix(m.Folder, "/"), "Inbox") && (newest.Message == nil || m.Received.After(newest.Message.Received)) {
			newest = r
		}
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	if newest.Message == nil {
		return "", fmt.Errorf("%s has no mail in the inbox", name)
	}
	body, err := json.Marshal(map[string]string{"op": "deleteMessage", "user": user, "id": newest.Message.ID})
	if err != nil {
		return "", err
	}
	answer, err := controlCall(ctx, http.MethodPost, control+"/mutate", body)
	if err != nil {
		return "", err
	}
	return newest.Message.Subject, answer.Close()
}

func controlCall(ctx context.Context, method, address string, body []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the simulator (%w): is \"holdfast demo\" running? Its address is the one that it printed", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the simulator answered %d: %s", resp.StatusCode, bytes.TrimSpace(text))
	}
	return resp.Body, nil
}
