package geo

import (
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/unicode/norm"
)

// Letters that Unicode neither lowers nor decomposes into a base letter and a
// mark, in the spelling that people type instead.
var plainLetters = strings.NewReplacer(
	"ø", "o", "đ", "d", "ð", "d", "ħ", "h", "ı", "i", "ł", "l", "þ", "th", "æ", "ae", "œ", "oe", "ŋ", "n",
	"ß", "ss", "ς", "σ",
	"’", "'", "‘", "'", "ʼ", "'", "`", "'", "-", " ", "‐", " ", "–", " ",
)

// Fold gives the form in which names are compared: no case, no diacritics,
// hyphens as blanks, single blanks, none at the ends; bytes that are not UTF-8
// become U+FFFD. Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	if plain, ok := foldASCII(s); ok {
		return plain
	}
	bare := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(strings.ToValidUTF8(s, "\ufffd")))
	return strings.Join(strings.Fields(plainLetters.Replace(bare)), " ")
}

// foldASCII is Fold for the common case, without its allocations.
func foldASCII(s string) (string, bool) {
	var buf [64]byte
	out := buf[:0]
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80 || len(out) == len(buf):
			return "", false
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '`':
			c = '\''
		case c == '-' || c == ' ' || '\t' <= c && c <= '\r':
			if len(out) == 0 || out[len(out)-1] == ' ' {
				continue
			}
			c = ' '
		}
		out = append(out, c)
	}
	if n := len(out); n > 0 && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return string(out), true
}

// Closest is the candidate whose folded spelling is nearest to that of name,
// or "" when none is near enough to be meant: at most a third of the letters
// differ. Of equally near ones it is the first in order of the alphabet.
func Closest(name string, candidates []string) string {
	name = Fold(name)
	best, bestDistance := "", len([]rune(name))/3+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, Fold(c)); d < bestDistance || d == bestDistance && best != "" && c < best {
			best, bestDistance = c, d
		}
	}
	return best
}

func keys[K comparable, V any](m map[K]V) []K {
	list := make([]K, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	return list
}
