package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/config"
)

// webhookTimeout is how long a chat may take to accept a message.
const webhookTimeout = 10 * time.Second

// sender returns what gives a text to the configured webhook, in the form that
// Slack, Mattermost and Rocket.Chat take; nil where none is configured. Its
// errors never tell the URL, which is a secret.
func sender(cfg config.Webhook) func(ctx context.Context, text string) error {
	if cfg.URL == "" {
		return nil
	}
	return func(ctx context.Context, text string) error {
		if err := post(ctx, cfg.URL.Reveal(), text); err != nil {
			return fmt.Errorf("webhook %s: %w; nothing else was tried: copy the message, and check the setting webhook.url", cfg.Name, err)
		}
		return nil
	}
}

func post(ctx context.Context, to, text string) error {
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		var known *url.Error // which quotes the URL
		if errors.As(err, &known) {
			err = known.Err
		}
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 == 2 {
		return nil
	}
	const enough = 200 // bytes of an answer that says why
	why, _ := io.ReadAll(io.LimitReader(answer.Body, enough))
	return errors.New(strings.TrimSpace(answer.Status + " " + string(why)))
}
