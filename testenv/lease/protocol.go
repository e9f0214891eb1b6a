//go:build unix

package lease

import (
	"context"
	"io"
)

// Variable is the environment variable with the socket of an environment that
// runs already. Programs that need an environment join that one.
const Variable = "FLIGHTDECK_TESTENV"

// Environment is what a supervisor holds for its clients.
type Environment interface {
	Settings() Settings
	SetFault(ctx context.Context, name string, on bool) error
	Release(ctx context.Context, which string) error
	Close() error
}

// Start brings an environment up. It reports what takes long to progress, and
// gives up when ctx ends.
type Start func(ctx context.Context, progress io.Writer) (Environment, error)

// message is one line of the stream that a client holds open for as long as it
// needs the environment: what the start is at, and then its end.
type message struct {
	Progress string    `json:"progress,omitempty"`
	Settings *Settings `json:"settings,omitempty"`
	Error    string    `json:"error,omitempty"`
}
