package server

import (
	"context"
	"errors"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// onFreePort starts a server on a free port. Another process may take the port
// between the look and the start, so a server that exits is tried again on
// another one.
func onFreePort(ctx context.Context, start func(port int) error) error {
	var failure error
	for range 3 {
		port, err := loopback.FreePort()
		if err != nil {
			return err
		}
		if failure = start(port); !errors.Is(failure, errExited) {
			return failure
		}
	}
	return failure
}
