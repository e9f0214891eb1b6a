package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/config"
)

func TestSenderPostsToTheWebhook(t *testing.T) {
	var got []string
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.Header.Get("Content-Type")+" "+string(body))
		if strings.HasSuffix(r.URL.Path, "gone") {
			http.Error(w, "no_service", http.StatusNotFound)
		}
	}))
	at := func(path string) config.Webhook {
		return config.Webhook{Name: "#incidents", URL: config.Secret(chat.URL + path)}
	}
	if err := sender(at("/T0/secret"))(t.Context(), "two\n\"lines\""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`POST application/json {"text":"two\n\"lines\""}`}, got); diff != "" {
		t.Error(diff)
	}
	err := sender(at("/T0/secret-gone"))(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), "webhook #incidents: 404 Not Found no_service") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a webhook that is gone: %v", err)
	}
	chat.Close()
	err = sender(at("/T0/secret"))(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a chat that is down: %v", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sender(at("/T0/secret"))(stopped, "x"); err == nil {
		t.Error("it was sent after all")
	}
	if sender(config.Webhook{}) != nil {
		t.Error("there is something to send to, and nothing is configured")
	}
}
