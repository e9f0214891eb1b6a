package screentest

import (
	"fmt"
	"image/color"

	"github.com/charmbracelet/x/ansi"
)

// The colours of the picture's terminal: a dark ground, and sixteen that can be
// read on it.
var (
	background = color.RGBA{0x0d, 0x11, 0x17, 0xff}
	foreground = color.RGBA{0xd6, 0xde, 0xe6, 0xff}
	ground     = hex(background)

	sixteen = [16]color.RGBA{
		{0x48, 0x4f, 0x58, 0xff}, // black
		{0xff, 0x7b, 0x72, 0xff}, // red
		{0x3f, 0xb9, 0x50, 0xff}, // green
		{0xd2, 0x99, 0x22, 0xff}, // yellow
		{0x58, 0xa6, 0xff, 0xff}, // blue
		{0xbc, 0x8c, 0xff, 0xff}, // magenta
		{0x39, 0xc5, 0xcf, 0xff}, // cyan
		{0xb1, 0xba, 0xc4, 0xff}, // white
		{0x6e, 0x76, 0x81, 0xff}, // and the same, bright
		{0xff, 0xa1, 0x98, 0xff},
		{0x56, 0xd3, 0x64, 0xff},
		{0xe3, 0xb3, 0x41, 0xff},
		{0x79, 0xc0, 0xff, 0xff},
		{0xd2, 0xa8, 0xff, 0xff},
		{0x56, 0xd4, 0xdd, 0xff},
		{0xf0, 0xf6, 0xfc, 0xff},
	}
)

// rgb is the colour that the picture's terminal shows for c; for none, the
// default.
func rgb(c color.Color, byDefault color.RGBA) color.RGBA {
	switch c := c.(type) {
	case nil:
		return byDefault
	case ansi.BasicColor:
		return sixteen[c&15]
	case ansi.IndexedColor:
		if c < 16 {
			return sixteen[c]
		}
	}
	return color.RGBAModel.Convert(c).(color.RGBA)
}

// mix is the faint form of ink on paper.
func mix(ink, paper color.RGBA) color.RGBA {
	const share = 60 // percent of ink
	blend := func(i, p uint8) uint8 { return uint8((int(i)*share + int(p)*(100-share)) / 100) }
	return color.RGBA{blend(ink.R, paper.R), blend(ink.G, paper.G), blend(ink.B, paper.B), 0xff}
}

func hex(c color.RGBA) string {
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}
