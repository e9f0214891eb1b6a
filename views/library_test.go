package views

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/erpgo/flightdeck/runbooks"
)

// testLibrary is a library of one book, opened from a file
// as any other.
func testLibrary(t *testing.T, book string) *runbooks.Library {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.md")
	if err := os.WriteFile(path, []byte(book), 0o600); err != nil {
		t.Fatal(err)
	}
	library, err := runbooks.Open([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	return library
}
