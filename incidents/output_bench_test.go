package incidents

import (
	"bytes"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

func BenchmarkOutputFlood(b *testing.B) {
	chunk := runbooks.Chunk{Stream: runbooks.Stdout, At: time.Now(), Data: bytes.Repeat([]byte("y\n"), runbooks.MaxChunk/2)}
	o := newOutput(newMasker("a secret"))
	b.SetBytes(int64(len(chunk.Data)))
	for b.Loop() {
		o.write(chunk)
	}
}
