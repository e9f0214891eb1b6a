//go:build unix

package incidents

import (
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
)

// The page is looked at in a real browser: it parses to what was meant, shows
// the chart, and is not blank.
func TestPostMortemInABrowser(t *testing.T) {
	program := testenv.Browser(t)
	dir := t.TempDir()
	page, picture := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.png")
	file, err := os.Create(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(WritePostMortem(badRelease()).WriteHTML(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	look := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		args = append([]string{
			"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + filepath.Join(dir, "profile"),
			"--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,2400",
		}, args...)
		cmd := exec.CommandContext(ctx, program, append(args, "file://"+page)...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		return string(out)
	}
	dom := look("--dump-dom")
	for what, n := range map[string]int{"<polyline": 2, `class="limit"`: 1, `class="mark"`: 4, "<h2>": 7, "<b>calm": 0, "&lt;b&gt;calm": 1} {
		if got := strings.Count(dom, what); got != n {
			t.Errorf("%s is there %d times, want %d", what, got, n)
		}
	}
	look("--screenshot=" + picture)
	shot, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shot.Close() }()
	drawn, err := png.Decode(shot)
	if err != nil {
		t.Fatal(err)
	}
	if lines := linesDrawn(drawn); lines < 300 {
		t.Errorf("%d of %d lines have anything on them", lines, drawn.Bounds().Dy())
	}
	if keep := os.Getenv("FLIGHTDECK_TEST_PICTURE"); keep != "" {
		if err := os.Rename(picture, keep); err != nil {
			t.Fatal(err)
		}
	}
}

// linesDrawn counts the lines of a picture that are not of its background.
func linesDrawn(picture image.Image) int {
	bounds := picture.Bounds()
	background := picture.At(bounds.Min.X, bounds.Min.Y)
	lines := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if picture.At(x, y) != background {
				lines++
				break
			}
		}
	}
	return lines
}
