package screentest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
)

// named are the keys with more than one letter, as Bubble Tea prints them.
var named = map[string]rune{
	"enter": uv.KeyEnter, "tab": uv.KeyTab, "backspace": uv.KeyBackspace,
	"esc": uv.KeyEscape, "space": uv.KeySpace,
	"up": uv.KeyUp, "down": uv.KeyDown, "left": uv.KeyLeft, "right": uv.KeyRight,
	"home": uv.KeyHome, "end": uv.KeyEnd, "pgup": uv.KeyPgUp, "pgdown": uv.KeyPgDown,
	"insert": uv.KeyInsert, "delete": uv.KeyDelete,
	"f1": uv.KeyF1, "f2": uv.KeyF2, "f3": uv.KeyF3, "f4": uv.KeyF4,
	"f5": uv.KeyF5, "f6": uv.KeyF6, "f7": uv.KeyF7, "f8": uv.KeyF8,
	"f9": uv.KeyF9, "f10": uv.KeyF10, "f11": uv.KeyF11, "f12": uv.KeyF12,
}

// parseKey reads the name of a key with its modifiers. It refuses what the
// emulator has no sequence for, such as ctrl+enter.
func parseKey(name string) (uv.KeyPressEvent, error) {
	var key uv.KeyPressEvent
	rest := name
	for _, modifier := range []struct {
		prefix string
		mod    uv.KeyMod
	}{{"ctrl+", uv.ModCtrl}, {"alt+", uv.ModAlt}, {"shift+", uv.ModShift}} {
		if after, ok := strings.CutPrefix(rest, modifier.prefix); ok && after != "" {
			rest = after
			key.Mod |= modifier.mod
		}
	}
	if code, ok := named[rest]; ok {
		key.Code = code
	} else if utf8.RuneCountInString(rest) == 1 {
		key.Code, _ = utf8.DecodeRuneInString(rest)
	} else {
		return key, fmt.Errorf("unknown key %q; use Type for text", name)
	}
	letter := key.Code >= 'a' && key.Code <= 'z'
	switch key.Mod &^ uv.ModAlt {
	case 0:
		if key.Code > ' ' && named[rest] == 0 {
			key.Text = rest
		}
	case uv.ModCtrl:
		if !letter && !strings.ContainsRune(`[\]^_ `, key.Code) {
			return key, fmt.Errorf("cannot send the key %q", name)
		}
	default:
		if key.Code != uv.KeyTab || key.Mod != uv.ModShift {
			return key, fmt.Errorf("cannot send the key %q", name)
		}
	}
	return key, nil
}
