//go:build !unix

package runbooks

import (
	"testing"
	"time"
)

var began = time.Now()

// processorTime is the time that passed, where nothing better is known.
func processorTime(*testing.T) time.Duration { return time.Since(began) }
