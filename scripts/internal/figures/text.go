package figures

import (
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	stdfont "golang.org/x/image/font"

	"whyhow/katas/kit/figure"
)

var (
	ink   = color.NRGBA{R: 0x22, G: 0x22, B: 0x22, A: 0xff}
	faded = color.NRGBA{R: 0x55, G: 0x55, B: 0x55, A: 0xff}
	rule  = color.NRGBA{R: 0xe2, G: 0xe2, B: 0xe2, A: 0xff}

	titleStyle   = style(13, true, ink)
	panelStyle   = style(11, true, ink)
	captionStyle = style(10, false, faded)
	labelStyle   = style(10, false, ink)
	tickStyle    = style(9, false, faded)
)

func style(size vg.Length, bold bool, c color.Color) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = stdfont.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: plot.DefaultTextHandler}
}

const leading = 1.3 // line height over font size

func textHeight(sty text.Style, lines []string) vg.Length {
	return vg.Length(len(lines)) * sty.Font.Size * leading
}

// drawLines writes lines from the top left of c downwards.
func drawLines(c draw.Canvas, sty text.Style, lines []string) {
	sty.YAlign = draw.YTop
	for i, line := range lines {
		c.FillText(sty, vg.Point{X: c.Min.X, Y: c.Max.Y - vg.Length(i)*sty.Font.Size*leading}, line)
	}
}

// wrap breaks s at spaces so that no line is wider than w, where a word allows it. "" has no lines.
func wrap(s string, sty text.Style, w vg.Length) []string {
	var lines []string
	for word := range strings.FieldsSeq(s) {
		if last := len(lines) - 1; last >= 0 && sty.Width(lines[last]+" "+word) <= w {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// short writes v with three significant digits, large numbers with k, M, G, T.
func short(v float64) string { return number(v, 3) }

func number(v float64, digits int) string {
	size := math.Abs(v)
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if size >= unit.size && size < 1e15 {
			if unit.name == "k" {
				unit.size = 1e3
			}
			return minus(significant(v/unit.size, digits)) + unit.name
		}
	}
	if size >= 1e15 || size > 0 && size < 1e-3 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
		if strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		return minus(mantissa) + powerOfTen(strings.TrimPrefix(exponent, "+"))
	}
	return minus(significant(v, digits))
}

// significant rounds to the given digits, but never a digit before the point.
func significant(v float64, digits int) string {
	before := 1
	if v != 0 {
		before = int(math.Floor(math.Log10(math.Abs(v)))) + 1
	}
	s := strconv.FormatFloat(v, 'f', max(0, digits-before), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// powerOfTen writes an exponent as programmers do, e−16: the font lacks some superscripts.
func powerOfTen(exponent string) string {
	n, _ := strconv.Atoi(exponent)
	return "e" + minus(strconv.Itoa(n))
}

// undrawable returns the characters of f that the font has no shape for.
func undrawable(f figure.Figure) string {
	texts := []string{f.Title, f.Caption}
	for _, p := range f.Panels {
		texts = append(append(append(texts, p.Title, p.X.Label, p.Y.Label), p.X.Ticks...), p.Y.Ticks...)
		for _, s := range p.Series {
			texts = append(texts, s.Name)
		}
		for _, b := range p.Bars {
			texts = append(texts, b.Label, b.Group)
		}
	}
	face := labelStyle.Handler.Cache().Lookup(labelStyle.Font, labelStyle.Font.Size).Face
	var missing []rune
	for _, r := range strings.Join(texts, "") {
		if i, err := face.GlyphIndex(nil, r); (err != nil || i == 0) && !unicode.IsSpace(r) && !slices.Contains(missing, r) {
			missing = append(missing, r)
		}
	}
	return string(missing)
}
