package screentest

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Golden compares a screen with testdata/golden/NAME.txt below the package of
// the test, text and styles, and fails t with the rows that differ. With the
// flag -update it writes the file instead.
func Golden(t testing.TB, name string, screen *Screen) {
	t.Helper()
	path := filepath.Join("testdata", "golden", filepath.FromSlash(name)+".txt")
	got := screen.Styled()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatalf("golden file: %v", err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatalf("golden file: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no golden file %s; look at the screen, and if it is right run the test with -update:\n%s", path, got)
	} else if err != nil {
		t.Fatalf("golden file: %v", err)
	}
	// A checkout may have turned the line ends into CRLF.
	if diff := diffRows(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("the screen differs from %s (- golden, + now; -update accepts it):\n%s", path, diff)
	}
}

// diffRows lists the rows that differ between two screens in their golden
// format, by part and number: the rows of a screen have their places.
func diffRows(want, got string) string {
	var b strings.Builder
	wants, gots := parts(want), parts(got)
	for i, name := range []string{"size", "text", "style", "legend"} {
		for y := range max(len(wants[i]), len(gots[i])) {
			if w, g := row(wants[i], y), row(gots[i], y); w != g {
				fmt.Fprintf(&b, "%s %d\n  -%s\n  +%s\n", name, y, w, g)
			}
		}
	}
	return b.String()
}

// parts takes a screen in its golden format apart, into rows.
func parts(screen string) (rows [4][]string) {
	for i, mark := range []string{textMark, styleMark, legendMark} {
		part, rest, _ := strings.Cut(screen, "\n"+mark+"\n")
		rows[i] = strings.Split(part, "\n")
		screen = rest
	}
	rows[3] = strings.Split(screen, "\n")
	return rows
}

func row(rows []string, y int) string {
	if y < len(rows) {
		return rows[y]
	}
	return ""
}
