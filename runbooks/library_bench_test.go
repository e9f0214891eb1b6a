package runbooks

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// manyBooks writes 2,000 Markdown files of together 20 MB, made of the shipped
// books.
func manyBooks(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	entries, err := embedded.ReadDir("erpgo")
	if err != nil {
		tb.Fatal(err)
	}
	var sources []string
	for _, e := range entries {
		src, err := embedded.ReadFile("erpgo/" + e.Name())
		if err != nil {
			tb.Fatal(err)
		}
		sources = append(sources, string(src))
	}
	const files, size = 2000, 10 << 10
	for i := range files {
		var b strings.Builder
		for k := 0; b.Len() < size; k++ {
			part := sources[(i+k)%len(sources)]
			if k > 0 && strings.HasPrefix(part, "---") {
				part = part[strings.Index(part[3:], "---")+7:]
			}
			b.WriteString(part + "\n")
		}
		write(tb, filepath.Join(dir, fmt.Sprintf("team-%02d/%04d.md", i%40, i)), b.String()[:size])
	}
	return dir
}

// BenchmarkOpen2000Files loads 20 MB of Markdown. heap-MiB is what the heap took
// from the system for it, with what was garbage at the end.
func BenchmarkOpen2000Files(b *testing.B) {
	dir := manyBooks(b)
	var before, after runtime.MemStats
	runtime.GC()
	debug.FreeOSMemory()
	runtime.ReadMemStats(&before)
	held := before.HeapSys - before.HeapReleased
	grown := uint64(0)
	for b.Loop() {
		openLibrary(b, dir)
		runtime.ReadMemStats(&after)
		grown = max(grown, after.HeapSys-after.HeapReleased-min(held, after.HeapSys-after.HeapReleased))
	}
	b.ReportMetric(float64(grown)/(1<<20), "heap-MiB")
}

func BenchmarkReloadOneOf2000Files(b *testing.B) {
	dir := manyBooks(b)
	l := openLibrary(b, dir)
	file := filepath.Join(dir, "team-07/0007.md")
	src, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		write(b, file, fmt.Sprintf("# Changed\n\n1. %d\n%s", i, src))
		l.reload([]string{file}, nil)
	}
}

func BenchmarkParse(b *testing.B) {
	src := readOriginal(b)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Parse(originalBook, src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBind(b *testing.B) {
	c := command(`kubectl exec <postgres-pod> -- psql -U "$DB_USER" -c "SELECT * FROM users WHERE id = '<user-id>'"`)
	for b.Loop() {
		if _, err := Bind(c, map[string]string{"postgres-pod": "postgres-0", "DB_USER": "erpgo", "user-id": "it's"}); err != nil {
			b.Fatal(err)
		}
	}
}
