package figures

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette/brewer"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"whyhow/katas/kit/figure"
)

const (
	largestCell   = vg.Length(44)
	widestCell    = 5             // the width of a table's cells over their height
	colourBar     = vg.Length(48) // its width with its numbers
	fewest        = 5             // so many different values or fewer have a legend instead of a colour bar
	emptyCellGrey = 0xf0
)

// heat draws a table as colours, row 0 on top.
type heat struct {
	*figure.Heat
	ramp ramp
}

func addHeat(plt *plot.Plot, p figure.Panel) {
	plt.Add(heat{p.Heat, newRamp(p.Heat)})
	plt.X.Padding, plt.Y.Padding = 2, 2
	plt.X.LineStyle.Width, plt.Y.LineStyle.Width = 0, 0
	plt.X.Tick.Length, plt.Y.Tick.Length = 0, 0
	plt.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	if len(p.X.Ticks) == 0 {
		plt.X.Tick.Marker = whole{round(6)}
	}
	if len(p.Y.Ticks) == 0 {
		plt.Y.Tick.Marker = whole{round(6)}
	}
}

// whole keeps the ticks that are whole numbers: the indices of rows and columns.
type whole struct{ plot.Ticker }

func (w whole) Ticks(least, largest float64) []plot.Tick {
	return slices.DeleteFunc(w.Ticker.Ticks(least, largest), func(t plot.Tick) bool { return t.Value != math.Trunc(t.Value) })
}

// ramp gives values between two ends their colours, those in the middle mixed from their neighbours.
type ramp struct {
	colours        []color.Color
	least, largest float64
}

func newRamp(h *figure.Heat) ramp {
	least, largest := extent(slices.Concat(h.Values...))
	if h.Min != nil {
		least = *h.Min
	}
	if h.Max != nil {
		largest = *h.Max
	}
	name, kind := "Blues", brewer.TypeSequential
	if h.Diverging {
		name, kind = "RdBu", brewer.TypeDiverging
		largest = math.Max(math.Abs(least), math.Abs(largest))
		least = -largest
	}
	if !(largest > least) {
		least, largest = least-0.5, least+0.5
	}
	p, err := brewer.GetPalette(kind, name, 9)
	if err != nil {
		panic(err) // both have nine colours
	}
	colours := slices.Clone(p.Colors())
	if h.Diverging {
		slices.Reverse(colours) // blue below 0, red above
	}
	return ramp{colours, least, largest}
}

// at returns v's colour; what lies beyond the ends has theirs, what is not finite is grey.
func (r ramp) at(v float64) color.Color {
	if !finite(v) {
		return color.Gray{Y: emptyCellGrey}
	}
	last := len(r.colours) - 1
	position := (v - r.least) / (r.largest - r.least) * float64(last)
	position = math.Min(math.Max(position, 0), float64(last))
	i := min(int(position), last-1)
	share := position - float64(i)
	r0, g0, b0, _ := r.colours[i].RGBA()
	r1, g1, b1, _ := r.colours[i+1].RGBA()
	mix := func(from, to uint32) uint8 { return uint8(((1-share)*float64(from) + share*float64(to)) / 0x101) }
	return color.NRGBA{R: mix(r0, r1), G: mix(g0, g1), B: mix(b0, b1), A: 0xff}
}

func (h heat) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	cell := x(1) - x(0)
	edge := vg.Length(0.5)
	if cell < 16 {
		edge = 0
	}
	sty := tickStyle
	sty.XAlign, sty.YAlign = draw.XCenter, draw.YCenter
	widest := vg.Length(0)
	for _, row := range h.Values {
		for _, v := range row {
			if finite(v) {
				widest = max(widest, sty.Width(short(v)))
			}
		}
	}
	sty.Font.Size *= min(1, (cell-3)/widest)
	for i, row := range h.Values {
		for j, v := range row {
			box := vg.Rectangle{
				Min: vg.Point{X: x(float64(j)-0.5) + edge, Y: y(float64(i)+0.5) + edge},
				Max: vg.Point{X: x(float64(j)+0.5) - edge, Y: y(float64(i)-0.5) - edge},
			}
			fill := h.ramp.at(v)
			c.FillPolygon(fill, corners(box))
			if h.Numbers && finite(v) && sty.Font.Size >= 5 {
				sty.Color = ink
				if dark(fill) {
					sty.Color = color.White
				}
				c.FillText(sty, vg.Point{X: x(float64(j)), Y: y(float64(i))}, short(v))
			}
		}
	}
	if edge == 0 {
		c.StrokeLines(draw.LineStyle{Color: rule, Width: 0.5}, append(corners(c.Rectangle), c.Min))
	}
}

// dark says whether white text is the more legible one, by relative luminance. Source: WCAG 2.1.
func dark(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r)+0.7152*linear(g)+0.0722*linear(b) < 0.213 // where ink and white contrast alike
}

func (h heat) DataRange() (xmin, xmax, ymin, ymax float64) {
	return -0.5, float64(len(h.Values[0])) - 0.5, -0.5, float64(len(h.Values)) - 0.5
}

// colourBarWidth is what the colours' key takes at the right. Numbers in the cells need none.
func (p panel) colourBarWidth() vg.Length {
	if p.Heat.Numbers {
		return 0
	}
	width := colourBar
	for _, name := range p.Heat.Names {
		width = max(width, 10+9+4+tickStyle.Width(name))
	}
	return width
}

// drawHeat draws the panel's plot with square cells and the key to its colours.
func (p panel) drawHeat(c draw.Canvas) {
	c.Max.X -= p.colourBarWidth()
	data := p.dataCanvas(c)
	columns, rows := vg.Length(len(p.Heat.Values[0])), vg.Length(len(p.Heat.Values))
	cell := min(data.Size().X/columns, data.Size().Y/rows, largestCell)
	wide := cell
	if len(p.X.Ticks) > 0 { // a table and not an image
		wide = min(data.Size().X/columns, widestCell*cell)
	}
	c.Max.X -= data.Size().X - wide*columns
	c.Min.Y += data.Size().Y - cell*rows
	p.drawPlot(c)
	data = p.dataCanvas(c)
	if p.Heat.Numbers {
		return
	}
	h := heat{p.Heat, newRamp(p.Heat)}
	key := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: data.Max.X + 10, Y: data.Min.Y}, Max: vg.Point{X: data.Max.X + colourBar, Y: data.Max.Y},
	}}
	if values := p.distinct(); len(values) <= fewest {
		h.drawValues(key, values)
	} else {
		h.drawBar(key)
	}
}

// distinct returns the finite values, ascending, each once.
func (p panel) distinct() []float64 {
	values := slices.DeleteFunc(slices.Concat(p.Heat.Values...), func(v float64) bool { return !finite(v) })
	slices.Sort(values)
	return slices.Compact(values)
}

// drawValues is the key to a few values: a square each.
func (h heat) drawValues(c draw.Canvas, values []float64) {
	sty := tickStyle
	sty.YAlign = draw.YCenter
	for i, v := range values {
		name := short(v)
		if len(h.Names) > 0 {
			name = h.Names[int(v)]
		}
		y := c.Max.Y - 5 - vg.Length(i)*entryLine
		box := vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y - 4.5}, Max: vg.Point{X: c.Min.X + 9, Y: y + 4.5}}
		c.FillPolygon(h.ramp.at(v), corners(box))
		c.StrokeLines(draw.LineStyle{Color: faded, Width: 0.5}, append(corners(box), box.Min))
		c.FillText(sty, vg.Point{X: box.Max.X + 4, Y: y}, name)
	}
}

func (h heat) drawBar(c draw.Canvas) {
	c.Max.X = c.Min.X + 10
	const strips = 64
	least, largest := h.ramp.least, h.ramp.largest
	for i := range strips {
		strip := c.Rectangle
		strip.Min.Y = c.Y(float64(i) / strips)
		strip.Max.Y = min(c.Max.Y, c.Y((float64(i)+1)/strips)+0.5) // so that no seam shows
		c.FillPolygon(h.ramp.at(least+(float64(i)+0.5)/strips*(largest-least)), corners(strip))
	}
	sty := tickStyle
	sty.YAlign = draw.YCenter
	for _, t := range round(maxTicks(c.Size().Y, 22)).Ticks(least, largest) {
		y := c.Y((t.Value - least) / (largest - least))
		c.StrokeLine2(draw.LineStyle{Color: faded, Width: 0.75}, c.Max.X, y, c.Max.X+3, y)
		c.FillText(sty, vg.Point{X: c.Max.X + 5, Y: y}, t.Label)
	}
}
