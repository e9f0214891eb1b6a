package probes

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// httpClient is the client that settings describe, where the standard error of
// a credential plugin goes to pluginWords. client-go gives the plugin that of
// the process, which is the screen, and offers no other: it takes whatever
// os.Stderr is when the client is made. That is at start, while nobody else
// writes there.
func httpClient(settings *rest.Config) (*http.Client, error) {
	if settings.ExecProvider != nil {
		screen := os.Stderr
		os.Stderr = pluginWords().file
		defer func() { os.Stderr = screen }()
	}
	return rest.HTTPClientFor(settings)
}

// pluginWords takes what credential plugins write to their standard error; it
// is one for the whole process, as client-go's plugins are.
var pluginWords = sync.OnceValue(func() *lastWords {
	words := &lastWords{}
	read, write, err := os.Pipe()
	if err != nil { // no descriptor is left: what plugins say is lost, and that is all
		words.file, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		return words
	}
	words.file = write
	go words.listen(read)
	return words
})

// lastWords is the last line that was written to file.
type lastWords struct {
	file *os.File

	mu   sync.Mutex
	line string
}

func (w *lastWords) listen(from io.Reader) {
	lines := bufio.NewReaderSize(from, 1<<10) // a longer line is read in parts
	for {
		part, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		if text := strings.TrimSpace(string(part)); text != "" {
			w.mu.Lock()
			w.line = text
			w.mu.Unlock()
		}
	}
}

func (w *lastWords) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.line
}
