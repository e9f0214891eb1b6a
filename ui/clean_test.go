package ui

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"github.com/erpgo/flightdeck/ui/screentest"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"ascii", "error rate 6.2 % <ok> ^[", "error rate 6.2 % <ok> ^["},
		{"escape", "a\x1b[31mb", "a^[[31mb"},
		{"all of C0", "\x00\x07\x08\x0d\x0e\x1f", "^@^G^H^M^N^_"},
		{"line feed", "a\nb", "a^Jb"},
		{"delete", "a\x7fb", "a^?b"},
		{"C1 as UTF-8", "\u009b31m\u009d0;title\u009c", "<U+009B>31m<U+009D>0;title<U+009C>"},
		{"C1 as bytes", "\x9b31m", "\ufffd31m"},
		{"unterminated OSC keeps its tail", "\x1b]0;x rm -rf", "^[]0;x rm -rf"},
		{"bidirectional controls", "user\u202e\u2066x", "user<U+202E><U+2066>x"},
		{"zero widths", "a\u200bb\u200dc\ufeff", "a<U+200B>b<U+200D>c<U+FEFF>"},
		{"tags", "\U000e0001\U000e0041", "<U+E0001><U+E0041>"},
		{"soft hyphen", "a\u00adb", "a<U+00AD>b"},
		{"separators", "a\u2028b\u2029", "a<U+2028>b<U+2029>"},
		{"fillers", "a\u3164b\u115f", "a<U+3164>b<U+115F>"},
		{"private and unassigned", "\ue0b0\U000e1234\U0010ffff", "<U+E0B0><U+E1234><U+10FFFF>"},
		{"invalid", "a\xff\xc3(\xed\xa0\x80", "a\ufffd\ufffd(\ufffd\ufffd\ufffd"},
		{"tabs", "a\tb\t\tc", "a       b               c"},
		{"a tab after wide and shown characters", "漢\t\x1b\t.", "漢      ^[      ."},
		{"combining mark", "e\u0301te\u0301", "e\u0301te\u0301"},
		{"mark at the beginning", "\u0301a", "<U+0301>a"},
		{"spacing mark at the beginning", "\u093fa", "<U+093F>a"},
		{"mark after a replacement", "\x1b\u0301\xff\u0301\t\u0301", "^[<U+0301>\ufffd<U+0301>     <U+0301>"},
		{"four marks", "a\u0301\u0302\u0303\u0304b", "a\u0301\u0302\u0303\u0304b"},
		{"five marks", "a\u0301\u0302\u0303\u0304\u0305b", "a<U+0301><U+0302><U+0303><U+0304><U+0305>b"},
		{"wide", "漢字한글ｱ", "漢字한글ｱ"},
		{"emoji", "🔥 on fire", "🔥 on fire"},
		{"emoji form of a symbol", "⚠\ufe0f low ✔\ufe0e", "⚠ low ✔"},
		{"keycap", "1\ufe0f\u20e3 first", "1\u20e3 first"},
		{"other variation selectors", "a\ufe0f⚠\ufe0f\ufe0f漢\U000e0100", "a<U+FE0F>⚠<U+FE0F>漢<U+E0100>"},
		{"skin tone", "👍🏽", "👍<U+1F3FD>"},
		{"joined emoji", "👩\u200d💻", "👩<U+200D>💻"},
		{"flag", "🇩🇪!", "🇩🇪!"},
		{"lone regional indicator", "🇩🇪🇫", "🇩🇪<U+1F1EB>"},
		{"vowel sign with a width of its own", "नि", "न<U+093F>"},
		{"Thai", "ก็ กำ", "ก็ ก<U+0E33>"},
		{"letter that joins what follows", "\u0d4ex", "<U+0D4E>x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("Clean(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanLines(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"\n\n", []string{"", ""}},
		{"a\r\nb\rc\r", []string{"a", "b^Mc^M"}},
		{"a\x1b[2J\n\tb", []string{"a^[[2J", "        b"}},
	} {
		got := CleanLines(tt.in)
		if strings.Join(got, "|") != strings.Join(tt.want, "|") || len(got) != len(tt.want) {
			t.Errorf("CleanLines(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestCleanEveryCharacter holds every code point that has a meaning to the
// promise, behind and before others that it could join. It leaves out scripts of
// thousands of characters that are alike, and what is unassigned.
func TestCleanEveryCharacter(t *testing.T) {
	alike := []*unicode.RangeTable{unicode.Han, unicode.Tangut, unicode.Hangul, unicode.Yi, unicode.Egyptian_Hieroglyphs}
	for r := rune(0); r <= unicode.MaxRune && !t.Failed(); r++ {
		assigned := unicode.IsGraphic(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
		if c := string(r); assigned && !unicode.In(r, alike...) {
			checkClean(t, c+"\u0301 e"+c+"e 한"+c)
		}
	}
}

// TestCleanIsBounded gives a line of marks that would take long if each were
// searched for the end of its cluster.
func TestCleanIsBounded(t *testing.T) {
	const n = 1 << 17
	for _, unit := range []string{"\u0301", "क\u094d", "\u200d", "\x1b", "\t", "🇩"} {
		got := Clean("a" + strings.Repeat(unit, n/len(unit)))
		if len(got) > 8*(n+1) {
			t.Errorf("%q: %d bytes became %d", unit, n, len(got))
		}
	}
}

func TestCleanASCIIDoesNotAllocate(t *testing.T) {
	line := strings.Repeat("level=error msg=\"order create failed\" ", 5)
	if n := testing.AllocsPerRun(100, func() { Clean(line) }); n != 0 {
		t.Errorf("%v allocations for a plain line", n)
	}
}

// checkClean fails t when the clean form of s breaks a promise of Clean.
func checkClean(t *testing.T, s string) {
	t.Helper()
	got := Clean(s)
	if !utf8.ValidString(got) {
		t.Errorf("Clean(%q) = %q: not UTF-8", s, got)
	}
	for _, r := range got {
		if r < ' ' || r >= '\x7f' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Variation_Selector) {
			t.Errorf("Clean(%q) = %q holds %U", s, got, r)
		}
	}
	if again := Clean(got); again != got {
		t.Errorf("Clean(%q) = %q, and of that %q", s, got, again)
	}
	// Between ASCII, as when it is drawn: nothing joins, and each cell's text
	// is as wide by cluster as it is by character.
	for rest := "x" + got + "x"; rest != ""; {
		text, width := ansi.FirstGraphemeCluster(rest, ansi.GraphemeWidth)
		if wc := ansi.StringWidthWc(text); width != wc || width < 1 || width > 2 {
			t.Errorf("Clean(%q) = %q: %q is %d cells wide by cluster and %d by character", s, got, text, width, wc)
		}
		if utf8.RuneCountInString(text) > maxMarks+1 {
			t.Errorf("Clean(%q) = %q: %q in one cell", s, got, text)
		}
		if len(rest) == len("x"+got+"x") && text != "x" || len(rest) == len(text) && text != "x" {
			t.Errorf("Clean(%q) = %q joins its neighbour: %q", s, got, text)
		}
		rest = rest[len(text):]
	}
}

// FuzzClean looks for a text that breaks a promise of Clean, or that changes
// more of a screen than its own cells. Its first inputs are in testdata/fuzz.
func FuzzClean(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		checkClean(t, s)
		checkDrawn(t, s)
		for _, line := range CleanLines(s) {
			checkClean(t, line)
		}
	})
}

// checkDrawn draws the clean form of s with text around it and fails t when
// anything else on the screen is not as it would be without.
func checkDrawn(t *testing.T, s string) {
	t.Helper()
	const screenWidth = 80
	text := ansi.Truncate(Clean(s), screenWidth-20, "…")
	width := ansi.StringWidth(text)
	style := lipgloss.NewStyle().Foreground(lipgloss.Color("#ff8800")).Bold(true)
	rows := []string{"above", "left│" + style.Render(text) + "│right", "below"}
	frame := strings.Join(rows, "\n")

	// As Bubble Tea takes it apart: by character, and by cluster where the
	// terminal said that it can.
	for _, method := range []ansi.Method{ansi.WcWidth, ansi.GraphemeWidth} {
		buffer := uv.NewScreenBuffer(screenWidth, 4)
		buffer.Method = method
		uv.NewStyledString(frame).Draw(buffer, buffer.Bounds())
		for i, r := range []rune("│right") {
			cell := buffer.CellAt(5+width+i, 1)
			if cell == nil || cell.Content != string(r) || !cell.Style.IsZero() {
				t.Errorf("%q is not followed by what stands behind it: %+v at %d", text, cell, 5+width+i)
			}
		}
	}

	// As a terminal shows it.
	screen := screentest.Render(t, frame, screenWidth, 4)
	before, after := screen.Row(0)+"|"+screen.Row(2)+"|"+screen.Row(3), screen.Row(1)
	if before != "above|below|" || !strings.HasPrefix(after, "left│") || !strings.HasSuffix(after, "│right") {
		t.Errorf("%q changed the screen:\n%s", text, screen.Text())
	}
	for x := range screenWidth {
		want := ""
		if x >= 5 && x < 5+width {
			want = "fg=#ff8800 bold"
		}
		if got := screen.StyleAt(x, 1); got != want && screen.Cell(x, 1).Width > 0 {
			t.Errorf("%q: cell %d has the style %q, want %q", text, x, got, want)
		}
	}
	x, y, visible := screen.Cursor()
	if x != 5 || y != 2 || visible || screen.AltScreen() || screen.Title() != "" {
		t.Errorf("%q changed the terminal: cursor %d,%d %v, title %q", text, x, y, visible, screen.Title())
	}
}

func BenchmarkClean(b *testing.B) {
	for _, bb := range []struct{ name, line string }{
		{"ascii", strings.Repeat("level=error msg=\"order create failed\" ", 5)},
		{"one accent", strings.Repeat("level=error msg=\"order create failed\" ", 5) + "caf\u00e9"},
		{"cjk", strings.Repeat("漢字", 50)},
		{"hostile", strings.Repeat("\x1b[31m\u202ea\u0301\u0301", 20)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.line)))
			for b.Loop() {
				Clean(bb.line)
			}
		})
	}
}
