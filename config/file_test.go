package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestErrors compares what each file of testdata/errors is told is wrong with
// it. None of them may show the word hunter2, which is a secret in all of them.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/errors: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := strings.ReplaceAll(errorsOf(t, file), "testdata/errors/", "")
			if strings.Contains(got, "hunt") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("errors differ (-want +got):\n%s", diff)
			}
		})
	}
}

func errorsOf(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Default()
	l := newLoader(&cfg)
	l.file, l.base = file, folders{file: filepath.Dir(file)}
	l.decode(data)
	l.checkCredentials()
	var b strings.Builder
	for _, err := range l.errs {
		b.WriteString(err.Error() + "\n")
	}
	return b.String()
}
