package runbooks

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// originalBook is the operators' own document, which is no part of this
// repository.
const originalBook = "../../shared/erpgo/RUNBOOKS.md"

func readOriginal(t testing.TB) []byte {
	t.Helper()
	src, err := os.ReadFile(originalBook)
	if err != nil {
		t.Skipf("the operators' book is not here: %v", err)
	}
	return src
}

func parseOriginal(t testing.TB) *Book {
	t.Helper()
	book, err := Parse(originalBook, readOriginal(t))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// eachStep calls fn for every step of the runbooks, nested ones too.
func eachStep(book *Book, fn func(rb *Runbook, sec *Section, st *Step)) {
	var walk func(rb *Runbook, sec *Section, steps []Step)
	walk = func(rb *Runbook, sec *Section, steps []Step) {
		for i := range steps {
			fn(rb, sec, &steps[i])
			walk(rb, sec, steps[i].Steps)
		}
	}
	for i := range book.Runbooks {
		rb := &book.Runbooks[i]
		for k := range rb.Sections {
			walk(rb, &rb.Sections[k], rb.Sections[k].Steps)
		}
	}
}

func commandsOf(book *Book) []Command {
	var out []Command
	eachStep(book, func(_ *Runbook, _ *Section, st *Step) { out = append(out, st.Commands...) })
	return out
}

// block is a fenced block found line by line, independently of the parser that
// is tested.
type block struct {
	tag   string
	first int // line of the first content line
	lines []string
}

func blocksOf(src []byte) []block {
	var out []block
	var open *block
	indent := ""
	for i, l := range strings.Split(string(src), "\n") {
		t := strings.TrimSpace(l)
		switch {
		case open == nil && strings.HasPrefix(t, "```"):
			open = &block{tag: strings.TrimPrefix(t, "```"), first: i + 2}
			indent = l[:len(l)-len(t)]
		case open != nil && t == "```":
			out = append(out, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, strings.TrimPrefix(l, indent))
		}
	}
	return out
}

// within counts the items whose line stands in the block.
func (b block) within(lines []int) int {
	n := 0
	for _, l := range lines {
		if l >= b.first && l < b.first+len(b.lines) {
			n++
		}
	}
	return n
}

func linesOf[T any](items []T, line func(T) int) []int {
	out := make([]int, len(items))
	for i, it := range items {
		out[i] = line(it)
	}
	return out
}

func wantLines(t *testing.T, what string, got []int, want ...int) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: lines %v, want %v", what, got, want)
	}
}

func wantCount(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// original is the operators' book with what is counted in it.
type original struct {
	src          []byte
	book         *Book
	blocks       []block
	bash         []block
	commands     []Command
	commandLines []int
}

func openOriginal(t testing.TB) original {
	t.Helper()
	o := original{src: readOriginal(t), book: parseOriginal(t)}
	o.blocks = blocksOf(o.src)
	o.bash = slices.DeleteFunc(slices.Clone(o.blocks), func(b block) bool { return b.tag != "bash" })
	o.commands = commandsOf(o.book)
	o.commandLines = linesOf(o.commands, func(c Command) int { return c.Line })
	return o
}

func keys[K int | string](m map[K]bool) []K {
	var out []K
	for k := range m {
		out = append(out, k)
	}
	return out
}
