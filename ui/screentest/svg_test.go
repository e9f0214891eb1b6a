package screentest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

// drawing is what the test reads of a picture.
type drawing struct {
	Width  int    `xml:"width,attr"`
	Height int    `xml:"height,attr"`
	Title  string `xml:"title"`
	Group  struct {
		Grounds []struct {
			X     int    `xml:"x,attr"`
			Width int    `xml:"width,attr"`
			Fill  string `xml:"fill,attr"`
		} `xml:"g>rect"`
		Paths []struct {
			D      string `xml:"d,attr"`
			Fill   string `xml:"fill,attr"`
			Stroke string `xml:"stroke,attr"`
		} `xml:"path"`
		Texts []struct {
			X          int     `xml:"x,attr"`
			Y          float64 `xml:"y,attr"`
			TextLength int     `xml:"textLength,attr"`
			Fill       string  `xml:"fill,attr"`
			Weight     string  `xml:"font-weight,attr"`
			Text       string  `xml:",chardata"`
		} `xml:"text"`
	} `xml:"g"`
}

func drawn(t *testing.T, frame string, width, height int) drawing {
	t.Helper()
	var b bytes.Buffer
	if err := Render(t, frame, width, height).SVG(&b); err != nil {
		t.Fatal(err)
	}
	var d drawing
	if err := xml.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatalf("the picture is not well-formed: %v\n%s", err, b.String())
	}
	return d
}

func TestSVGText(t *testing.T) {
	d := drawn(t, "a <b> & \"c\"    \x1b[31;1mred\x1b[m 漢 é! 6m │ \x1b[4m_ \x1b[m", 40, 2)
	if d.Width != 40*cellWidth+2*margin || d.Height != 2*cellHeight+2*margin {
		t.Errorf("the picture is %d×%d", d.Width, d.Height)
	}
	type text struct {
		cell, cells int
		text, fill  string
	}
	want := []text{
		{0, 11, `a <b> & "c"`, hex(foreground)},
		{15, 3, "red", hex(sixteen[1])},
		{19, 2, "漢", hex(foreground)},
		{22, 1, "é", hex(foreground)},
		{23, 4, "! 6m", hex(foreground)},
		{30, 1, "_", hex(foreground)},
		{31, 1, "\u00a0", hex(foreground)},
	}
	if len(d.Group.Texts) != len(want) {
		t.Fatalf("texts %+v", d.Group.Texts)
	}
	for i, w := range want {
		g := d.Group.Texts[i]
		if g.X != w.cell*cellWidth || g.TextLength != w.cells*cellWidth || g.Text != w.text || g.Fill != w.fill {
			t.Errorf("text %d is %+v, want %+v", i, g, w)
		}
	}
	if d.Group.Texts[1].Weight != "bold" {
		t.Error("bold text is not bold")
	}
}

func TestSVGShapes(t *testing.T) {
	const all = "─│┌┐└┘├┤┬┴┼╴╵╶╷━┃┏┓┗┛┣┫┳┻╋╌┄┈╎┆┊╭╮╯╰▀▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐░▒▓▔▕▖▗▘▙▚▛▜▝▞▟"
	d := drawn(t, all, 100, 1)
	if len(d.Group.Texts) != 0 {
		t.Errorf("drawn as text: %+v", d.Group.Texts)
	}
	// Two lines side by side meet at the border of their cells.
	d = drawn(t, "──", 2, 1)
	if got, want := d.Group.Paths[0].D, "M0 9h9v1h-9zM9 9h9v1h-9z"; got != want {
		t.Errorf("path %q, want %q", got, want)
	}
	d = drawn(t, "█▄", 2, 1)
	if got, want := d.Group.Paths[0].D, "M0 0h9v19h-9zM9 9.5h9v9.5h-9z"; got != want {
		t.Errorf("path %q, want %q", got, want)
	}
}

func TestSVGColors(t *testing.T) {
	d := drawn(t, "\x1b[7mab\x1b[m \x1b[48;2;1;2;3m  \x1b[m \x1b[2mf\x1b[m", 10, 1)
	if g := d.Group.Grounds; len(g) != 2 ||
		g[0].X != 0 || g[0].Width != 2*cellWidth || g[0].Fill != hex(foreground) ||
		g[1].X != 3*cellWidth || g[1].Width != 2*cellWidth || g[1].Fill != "#010203" {
		t.Errorf("grounds %+v", g)
	}
	if got := d.Group.Texts[0].Fill; got != ground {
		t.Errorf("reversed text is %s, want %s", got, ground)
	}
	if got, want := d.Group.Texts[1].Fill, hex(mix(foreground, background)); got != want {
		t.Errorf("faint text is %s, want %s", got, want)
	}
}

func TestSVGReportsAFailedWrite(t *testing.T) {
	broken := errors.New("disk full")
	err := Render(t, "x", 1, 1).SVG(writerFunc(func([]byte) (int, error) { return 0, broken }))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "picture") {
		t.Errorf("error %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
